//! A lease's end is moved, or the lease is taken off.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use huaweicloud::ecs;
use serde::{Deserialize, Serialize};

use super::runner::{Done, Runner};
use super::{Detail, Operation, OperationKind};
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::servers::Server;
use crate::{Wangcheng, lease};

/// What is asked about a lease, as the ledger keeps it. No end: the lease is taken off.
#[derive(Serialize, Deserialize)]
pub(super) struct LeaseUpdate {
    pub until: Option<DateTime<Utc>>,
}

impl Wangcheng {
    /// Moves the end of a server's lease.
    ///
    /// # Errors
    /// `LeaseTooShort`, `LeaseTooLong`, `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the cloud says;
    /// the ledger's, in which case nothing was sent.
    pub async fn extend_lease(&self, server: &str, until: DateTime<Utc>) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let until = lease::check_end(until, live.cloud_now(self.now()))?;
        let wish = self.lease_wish(&live, &server, Some(until)).await;
        self.granted(&live, OperationKind::UpdateLease, Some(&server), &wish)
            .await?;
        let detail = Detail {
            lease_end: Some(until),
            lease_end_before: server.lease_end,
            ..Detail::of_server(&server)
        };
        self.change_lease(&live, OperationKind::UpdateLease, server, Some(until), detail)
            .await
    }

    /// Takes a server's lease off: the server stays, and costs, until somebody deletes it.
    ///
    /// # Errors
    /// `LeaseAbsent`, `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in
    /// which case nothing was sent.
    pub async fn cancel_lease(&self, server: &str) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        if server.lease_end.is_none() {
            return Err(Failure::new(Code::LeaseAbsent).with("name", &server.name));
        }
        let wish = self.lease_wish(&live, &server, None).await;
        self.granted(&live, OperationKind::CancelLease, Some(&server), &wish)
            .await?;
        let detail = Detail {
            lease_end_before: server.lease_end,
            ..Detail::of_server(&server)
        };
        self.change_lease(&live, OperationKind::CancelLease, server, None, detail)
            .await
    }

    async fn change_lease(
        &self,
        live: &Arc<Live>,
        kind: OperationKind,
        server: Server,
        until: Option<DateTime<Utc>>,
        detail: Detail,
    ) -> Result<Operation> {
        let request = serde_json::to_string(&LeaseUpdate { until })
            .map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            live,
            kind,
            id,
            Some(server.id),
            server.name,
            None,
            request,
            detail,
        )
        .await
    }
}

impl Runner {
    pub(super) async fn update_lease(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        let asked: LeaseUpdate = serde_json::from_str(&self.operation.row.request)
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        let mut already = None;
        if self.resumed {
            let Some((told, at)) = self.show(&server).await? else {
                return Err(Code::ServerUnknown.into());
            };
            already = (told.auto_terminate_time == asked.until).then_some(at);
        }
        if let Some(at) = already {
            return Ok(Done { at });
        }
        let id = server.clone();
        self.persist(|client, project| {
            let id = id.clone();
            async move { ecs::update_auto_terminate_time(&client, &project, &id, asked.until).await }
        })
        .await?;
        self.mark_sent(Some(server.to_string()), None).await;
        let Some((told, at)) = self.show(&server).await? else {
            return Err(Code::ServerUnknown.into());
        };
        // A list may be slow to show the change; only another end than the one asked for is worth knowing.
        if asked.until.is_some() && told.auto_terminate_time.is_some() {
            self.operation.detail.lease_end = told.auto_terminate_time;
        }
        Ok(Done { at })
    }
}
