//! What was made with a server gets its tags and is set to go with it. The cloud hands a server's tags on to nothing.
//!
//! A creation does this before it ends. It succeeds all the same when it cannot: the server is there, and what could not
//! be done stands in the operation as its problem, to be tried again by an operation of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use huaweicloud::{Client, ProjectId, Reply, ServerId, Tag, ecs, eip, evs};

use super::runner::{Done, Runner};
use super::{Detail, FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind};
use crate::Wangcheng;
use crate::disks::{made_with, part_tags};
use crate::failure::{Code, Failure, Result};

/// How often something that the act itself does not depend on is tried.
const TRIES: u32 = 4;
/// How long a creation is held up by this at most.
const LONGEST: Duration = Duration::from_secs(60);
/// What is shown meanwhile.
const PROGRESS: &str = "TAGGING";

impl Wangcheng {
    /// Gives the disks and the public address that were made with a server its tags, and sets the disks to go with it:
    /// once more, when the creation could not. Done twice it does what it does once.
    ///
    /// # Errors
    /// `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in which case nothing
    /// was sent.
    pub async fn mark_parts(&self, server: &str) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let detail = Detail::of_server(&server);
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            OperationKind::MarkParts,
            id,
            Some(server.id),
            server.name,
            None,
            "{}".to_owned(),
            detail,
        )
        .await
    }
}

impl Runner {
    /// As an operation of its own.
    pub(super) async fn mark_parts(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        self.mark(&server).await?;
        Ok(Done { at: self.cloud_now() })
    }

    /// As the end of a creation, which it does not fail.
    pub(super) async fn mark_parts_of_new(&mut self) {
        let Ok(server) = self.server_id() else { return };
        let marked = match tokio::time::timeout(LONGEST, self.mark(&server)).await {
            Ok(marked) => marked,
            Err(_) => Err(Failure::new(Code::CloudFailed)),
        };
        if let Err(failure) = &marked {
            tracing::warn!(operation = %self.id, %failure, "disks or address have not got their tags");
        }
        self.operation.detail.problem = marked.err();
    }

    /// Goes on after a failure: what can be done is done, and the first failure told.
    async fn mark(&mut self, server: &ServerId) -> Result<()> {
        self.progress(PROGRESS.to_owned()).await;
        let told = self
            .try_few(|client, project| {
                let id = server.clone();
                async move { ecs::server(&client, &project, &id).await }
            })
            .await?;
        let tags = part_tags(&told);
        let volumes = self.mark_disks(&told, &tags).await;
        let address = self.mark_address(&told, &tags).await;
        volumes.and(address)
    }

    async fn mark_disks(&mut self, server: &ecs::Server, tags: &[Tag]) -> Result<()> {
        let query = evs::VolumeQuery {
            server: Some(server.id.clone()),
            ..Default::default()
        };
        let volumes = self
            .try_few(|client, project| {
                let query = query.clone();
                async move { evs::volumes(&client, &project, &query).await }
            })
            .await?;
        let mut first = Ok(());
        for volume in volumes.items.iter().filter(|volume| made_with(server, volume)) {
            if !has_all(&volume.tags, tags) {
                let tagged = self
                    .try_few(|client, project| {
                        let (id, tags) = (volume.id.clone(), tags.to_vec());
                        async move { evs::set_volume_tags(&client, &project, &id, &tags).await }
                    })
                    .await;
                first = first.and(tagged);
            }
            let attached = server.volumes.iter().find(|one| one.id == volume.id);
            if attached.is_some_and(|one| !one.is_root() && one.delete_on_termination != Some(true)) {
                let set = self
                    .try_few(|client, project| {
                        let (server, id) = (server.id.clone(), volume.id.clone());
                        async move {
                            ecs::set_delete_on_termination(&client, &project, &server, &id, true).await
                        }
                    })
                    .await;
                first = first.and(set);
            }
        }
        first
    }

    /// The address was set to go with the server when it was made, which no later call can do.
    async fn mark_address(&mut self, server: &ecs::Server, tags: &[Tag]) -> Result<()> {
        let Some(address) = server.floating_address() else {
            return Ok(());
        };
        let all = self
            .try_few(|client, project| async move { eip::public_ips(&client, &project, None).await })
            .await?;
        let Some(found) = all.items.into_iter().find(|one| one.address == Some(address)) else {
            return Ok(());
        };
        self.try_few(|client, project| {
            let (id, tags) = (found.id.clone(), tags.to_vec());
            async move { eip::set_public_ip_tags(&client, &project, &id, &tags).await }
        })
        .await
    }

    /// Asks a few times, for what can be left undone and can be done twice.
    pub(super) async fn try_few<T, F>(&mut self, ask: impl Fn(Client, ProjectId) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Reply<T>, huaweicloud::Error>>,
    {
        let mut pause = FIRST_PAUSE;
        let mut left = TRIES;
        loop {
            left -= 1;
            let answer = match self.client().await {
                Ok(client) => ask(client, self.live.project()).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            let failure = match answer {
                Ok(reply) => return Ok(reply.value),
                Err(failure) => failure,
            };
            if self.wangcheng.rehearsal.is_some() {
                return Err(failure);
            }
            self.wangcheng.note_cloud_failure(&self.live, &failure).await;
            if left == 0 || !(failure.is_passing() || failure.outcome_open) {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn has_all(present: &BTreeMap<String, String>, tags: &[Tag]) -> bool {
    tags.iter().all(|tag| present.get(&tag.key) == Some(&tag.value))
}
