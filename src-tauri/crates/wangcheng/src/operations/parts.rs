//! What was made with a server gets its tags and is set to go with it. The cloud hands a server's tags on to nothing.
//!
//! A creation does this before it ends. It succeeds all the same when it cannot: the server is there, and what could not
//! be done stands in the operation as its problem. Where time alone can help, it is tried again by operations of their
//! own, whose rows say how often that was done and how long ago, so that a restart forgets nothing; else, or when that
//! did not help either, a person can ask for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::{Client, ProjectId, Reply, ServerId, Tag, ecs, eip, evs};

use super::runner::{Done, Runner};
use super::{Detail, FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::disks::{made_with, part_tags};
use crate::failure::{Code, Failure, Result};

/// How often something that the act itself does not depend on is tried.
const TRIES: u32 = 4;
/// How long a creation is held up by this at most.
const LONGEST: Duration = Duration::from_secs(60);
/// How long after a creation, or after the marking before, what could not be marked is tried again by itself.
const AGAIN: [TimeDelta; 5] = [
    TimeDelta::seconds(15),
    TimeDelta::minutes(2),
    TimeDelta::minutes(10),
    TimeDelta::hours(1),
    TimeDelta::hours(6),
];
/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(5);
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
        self.record_marking(&live, server.id, server.name, detail).await
    }

    async fn record_marking(
        &self,
        live: &Arc<Live>,
        server: String,
        name: String,
        detail: Detail,
    ) -> Result<Operation> {
        let id = uuid::Uuid::now_v7().to_string();
        let (kind, request) = (OperationKind::MarkParts, "{}".to_owned());
        self.record(live, kind, id, Some(server), name, None, request, detail)
            .await
    }

    /// Marks what creations could not, as time goes by.
    pub(crate) fn spawn_marking(&self) {
        let this = self.clone();
        self.spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                // One program does, the one that delivers.
                if this.inner.courier.leads.load(Ordering::Relaxed)
                    && let Err(failure) = this.mark_what_is_due().await
                {
                    tracing::info!(%failure, "parts of a server are not marked yet");
                }
            }
        });
    }

    async fn mark_what_is_due(&self) -> Result<()> {
        let operations = self.operations().await?;
        for creation in due(&operations, self.now()) {
            let Some(server) = creation.row.server_id.clone() else {
                continue;
            };
            // Signed out in between: it is tried again when the same person signs in.
            let Ok(live) = self.live(&creation.row.account).await else {
                continue;
            };
            let detail = Detail {
                left: None,
                problem: None,
                host_key: None,
                ..creation.detail.clone()
            };
            tracing::info!(%server, "marking its parts again");
            self.record_marking(&live, server, creation.row.server_name.clone(), detail)
                .await?;
        }
        Ok(())
    }
}

/// Creations whose parts are to be marked now, out of operations, newest first.
fn due(operations: &[Operation], now: DateTime<Utc>) -> Vec<&Operation> {
    let passes = |failure: &Failure| failure.is_passing() || failure.outcome_open;
    let ended_well = |operation: &Operation| operation.row.outcome == Some(store::Outcome::Ok);
    let is_due = |(place, creation): &(usize, &Operation)| {
        if creation.kind != OperationKind::CreateServer
            || !ended_well(creation)
            || !creation.detail.problem.as_ref().is_some_and(passes)
        {
            return false;
        }
        let later = operations.iter().take(*place);
        let later: Vec<&Operation> = later
            .filter(|other| other.row.server_id == creation.row.server_id)
            .collect();
        let busy = later.iter().any(|other| other.row.stage != store::Stage::Settled);
        let gone = later
            .iter()
            .any(|other| other.kind == OperationKind::DeleteServer && ended_well(other));
        let mut markings = later
            .iter()
            .filter(|other| other.kind == OperationKind::MarkParts);
        let tries = markings.clone().count();
        let over = markings
            .clone()
            .any(|marking| ended_well(marking) || !marking.failure.as_ref().is_some_and(passes));
        let last = markings.next().copied().unwrap_or(creation);
        let wait = AGAIN.get(tries).copied();
        let waited = last.row.settled_at.map(|at| now - at);
        !busy && !gone && !over && wait.is_some_and(|wait| waited >= Some(wait))
    };
    operations
        .iter()
        .enumerate()
        .filter(is_due)
        .map(|(_, creation)| creation)
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(s)
    }

    /// An operation on a server that ended at a second; without one it is under way. `code`: of its failure, or, of a
    /// creation, of its problem.
    fn operation(kind: OperationKind, server: &str, ended: Option<i64>, code: Option<Code>) -> Operation {
        let failure = code.map(Failure::new);
        let creation = kind == OperationKind::CreateServer;
        let outcome = if code.is_some() && !creation {
            store::Outcome::Failed
        } else {
            store::Outcome::Ok
        };
        let row = store::Operation {
            id: String::new(),
            kind: kind.as_str().to_owned(),
            account: "account".to_owned(),
            server_id: Some(server.to_owned()),
            server_name: "name".to_owned(),
            client_token: None,
            request: String::new(),
            stage: ended.map_or(store::Stage::Sent, |_| store::Stage::Settled),
            job_id: None,
            outcome: ended.map(|_| outcome),
            error: None,
            detail: String::new(),
            recorded_at: at(0),
            sent_at: None,
            settled_at: ended.map(at),
            cancel_asked_at: None,
        };
        let detail = Detail {
            problem: failure.clone().filter(|_| creation),
            ..Detail::default()
        };
        Operation {
            kind,
            row,
            detail,
            failure: failure.filter(|_| !creation),
        }
    }

    /// Which servers are due at a second, of operations oldest first.
    fn due_at(s: i64, operations: &[Operation]) -> Vec<String> {
        let newest_first: Vec<Operation> = operations.iter().rev().cloned().collect();
        due(&newest_first, at(s))
            .into_iter()
            .filter_map(|creation| creation.row.server_id.clone())
            .collect()
    }

    #[test]
    fn what_time_alone_can_help_is_tried_again_later_and_later() {
        use OperationKind::{CreateServer, MarkParts};
        let made = operation(CreateServer, "s-1", Some(100), Some(Code::Throttled));
        let one = std::slice::from_ref(&made);
        assert!(due_at(114, one).is_empty());
        assert_eq!(due_at(115, one), ["s-1"]);
        let failed = |ended| operation(MarkParts, "s-1", Some(ended), Some(Code::NetworkUnreachable));
        let twice = [made.clone(), failed(120)];
        assert!(due_at(239, &twice).is_empty());
        assert_eq!(due_at(240, &twice), ["s-1"]);
        let mut often = vec![made];
        often.extend((0..5).map(|nth| failed(200 + nth)));
        assert!(due_at(1_000_000, &often).is_empty(), "at last it is a person's");
    }

    #[test]
    fn nothing_is_tried_again_that_is_done_refused_gone_or_under_way() {
        use OperationKind::{CreateServer, DeleteServer, MarkParts, StopServer};
        let made = operation(CreateServer, "s-1", Some(100), Some(Code::CloudFailed));
        let refused = operation(CreateServer, "s-2", Some(100), Some(Code::PermissionMissing));
        let well = operation(CreateServer, "s-3", Some(100), None);
        assert!(due_at(9000, &[refused, well]).is_empty());
        for later in [
            operation(MarkParts, "s-1", Some(200), None),
            operation(MarkParts, "s-1", Some(200), Some(Code::CloudMissing)),
            operation(DeleteServer, "s-1", Some(200), None),
            operation(StopServer, "s-1", None, None),
        ] {
            assert!(
                due_at(9000, &[made.clone(), later.clone()]).is_empty(),
                "{later:?}"
            );
        }
        let other = operation(DeleteServer, "s-2", Some(200), None);
        assert_eq!(
            due_at(9000, &[made, other]),
            ["s-1"],
            "another server's end is not its own"
        );
    }
}
