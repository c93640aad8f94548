//! An act up to its first request that would change something: what is asked beforehand is asked, the request is put
//! together and signed as it would be sent, and shown instead. Nothing is recorded. What follows that request is shown
//! too, with words in capitals for the ids that only an answer would tell. An operation of the ledger is shown the same
//! way again.

use std::collections::BTreeMap;
use std::sync::Arc;

use huaweicloud::{Client, ProjectId, Rehearsal, ServerId, Tag, ecs, eip, evs};
use serde::Deserialize;
use store::Stage;

use super::runner::Runner;
use super::{Operation, OperationKind};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::disks::handed_on;
use crate::failure::{Code, Failure, Result};

/// Stand for ids that are not known yet.
pub(super) const SERVER: &str = "SERVER_ID";
const VOLUME: &str = "VOLUME_ID";
const PUBLIC_IP: &str = "PUBLICIP_ID";
pub(super) const SECURITY_GROUP: &str = "SECURITY_GROUP_ID";

impl Wangcheng {
    /// The same domain, whose acts are rehearsed only: each ends with [`Code::Rehearsed`] once the rehearsal has its
    /// first request that would change something, or with what stands in its way. Only for acts that are recorded as
    /// operations; everything else is done for real.
    pub fn rehearsing(&self, rehearsal: &Rehearsal) -> Self {
        Self {
            inner: self.inner.clone(),
            rehearsal: Some(rehearsal.clone()),
        }
    }

    /// Shows in a rehearsal what an operation of the ledger asks, or asked, of the cloud, put together from its record.
    /// Nothing is sent but what reads. A moment or signature in the requests is of now. Where a step depends on what is
    /// there (marking a server's parts), it is what would be asked now.
    ///
    /// # Errors
    /// `OperationUnknown`; `AccountUnknown`, and what keeps its key from being read; what the
    /// cloud says to what is read.
    pub async fn shown(&self, id: &str, rehearsal: &Rehearsal) -> Result<Operation> {
        let Some(operation) = self.find_operation(id).await? else {
            return Err(Code::OperationUnknown.into());
        };
        let live = self.live(&operation.row.account).await?;
        let mut again = operation.clone();
        again.row.stage = Stage::Recorded;
        again.row.job_id = None;
        again.row.cancel_asked_at = None;
        match self.rehearsing(rehearsal).rehearse(live, again, true).await {
            Failure {
                code: Code::Rehearsed,
                ..
            } => Ok(operation),
            failure => Err(failure),
        }
    }

    /// Goes an operation's way to its first request, and tells what follows it. `past`: it is one of the ledger's, whose
    /// server may be there, with its key. Answers why it ended.
    pub(super) async fn rehearse(&self, live: Arc<Live>, operation: Operation, past: bool) -> Failure {
        let kept = || self.rehearsal.as_ref().map_or(0, |kept| kept.requests().len());
        let before = kept();
        let mut runner = Runner::new(self.clone(), live, operation, false);
        match runner.rehearse(past).await {
            Err(failure) if kept() == before => return failure,
            _ => {}
        }
        if let Err(failure) = runner.rehearse_rest().await {
            tracing::debug!(%failure, "what follows cannot be told");
        }
        Code::Rehearsed.into()
    }
}

impl Runner {
    async fn rehearse(&mut self, past: bool) -> Result<()> {
        match self.operation.kind {
            // A creation that fails clears the key away that was made for it; this one did not fail.
            OperationKind::CreateServer if past => self.send_create().await,
            // The group is there by now.
            OperationKind::AdmitSsh if past => self.rehearse_admission().await,
            _ => self.act().await.map(drop),
        }
    }

    /// What is asked after the first answer, where it is known beforehand. Each ends in its rehearsal.
    async fn rehearse_rest(&mut self) -> Result<()> {
        let Some(rehearsal) = self.wangcheng.rehearsal.clone() else {
            return Ok(());
        };
        let client = self.client().await?.rehearsing(&rehearsal.of_what_follows());
        let project = self.live.project();
        match self.operation.kind {
            OperationKind::CreateServer => self.rehearse_marks(&client, &project).await?,
            OperationKind::AddDisk => {
                let (server, disk) = (self.server_id()?, VOLUME.into());
                let _ = ecs::set_delete_on_termination(&client, &project, &server, &disk, true).await;
            }
            OperationKind::TagServer => self.rehearse_untagging(&client, &project).await?,
            OperationKind::AdmitSsh => self.rehearse_rule(&client, &project, &rehearsal).await?,
            _ => {}
        }
        Ok(())
    }

    /// The tags of what is made with a server.
    async fn rehearse_marks(&self, client: &Client, project: &ProjectId) -> Result<()> {
        #[derive(Deserialize)]
        struct Body {
            server: Made,
        }
        #[derive(Deserialize)]
        struct Made {
            #[serde(default)]
            server_tags: Vec<Tag>,
            publicip: Option<serde::de::IgnoredAny>,
        }
        let Body { server } = self.asked()?;
        let id = self.operation.row.server_id.as_deref().unwrap_or(SERVER);
        let tags: BTreeMap<String, String> = server
            .server_tags
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect();
        let tags = handed_on(&tags, &ServerId::from(id));
        let _ = evs::set_volume_tags(client, project, &VOLUME.into(), &tags).await;
        if server.publicip.is_some() {
            let _ = eip::set_public_ip_tags(client, project, &PUBLIC_IP.into(), &tags).await;
        }
        Ok(())
    }
}
