//! Two programs may ask for the last place at the same moment, each finding room for one. So what was just made is counted
//! once more with everything of its owner, and when it is the youngest of too much it goes again. Of two that were made at
//! once both programs find the same one: what is older is what the cloud says, and when it says the same, the id.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::{JobId, ServerId, ecs, evs};

use super::delete::WITH_EVERYTHING;
use super::runner::{Done, Runner};
use super::{FIRST_PAUSE, LONGEST_PAUSE, OperationKind};
use crate::events::Action;
use crate::failure::{Code, Failure, Result};
use crate::grants::measure::Project;
use crate::grants::too_many;

/// The cloud tells the making of a server to the second. Whoever was made in the same one is in the list after that.
const SECOND: TimeDelta = TimeDelta::seconds(2);
/// How long a count waits for an older server to have all its disks.
const OLDER: Duration = Duration::from_secs(120);

impl Runner {
    /// Makes the server, unless it turns out to be too many by the grant in force.
    pub(super) async fn make_within_grant(&mut self) -> Result<Done> {
        // Found so in an earlier run, which ended before the server was gone.
        if let Some(over) = self.operation.detail.undone.clone() {
            self.take_back().await?;
            return Err(over);
        }
        let made = self.make().await?;
        if self.wangcheng.rehearsal.is_some() || !self.counts_things().await {
            return Ok(made);
        }
        let server = self.server_id()?;
        let Some((told, _)) = self.show(&server).await? else {
            return Ok(made);
        };
        if let Some(over) = self.too_much(server.as_str(), told.created).await? {
            self.undo(&over).await?;
            self.take_back().await?;
            return Err(over);
        }
        Ok(made)
    }

    /// Writes down, before anything is deleted, why it will not be there.
    pub(super) async fn undo(&mut self, over: &Failure) -> Result<()> {
        self.operation.detail.undone = Some(over.clone());
        self.keep_detail().await
    }

    /// Whether a grant in force limits what can be made twice at once. That a grant ended meanwhile takes nobody's server
    /// away.
    pub(super) async fn counts_things(&self) -> bool {
        let holding = self.wangcheng.holding(&self.live).await;
        matches!(holding, Ok(Some(holding)) if {
            let quota = &holding.in_force.quota;
            quota.servers.is_some() || quota.vcpus.is_some() || quota.disk_gb.is_some()
        })
    }

    /// The limit that a thing is too much for: a server, a disk or a growth, by its id as it is counted, and when the cloud
    /// made it.
    pub(super) async fn too_much(
        &mut self,
        id: &str,
        made: Option<DateTime<Utc>>,
    ) -> Result<Option<Failure>> {
        if let Some(made) = made {
            let since = self.cloud_now() - made;
            if let Ok(wait) = (SECOND - since).to_std() {
                tokio::time::sleep(wait).await;
            }
        }
        let begun = tokio::time::Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let servers = self
                .look(|client, project| async move {
                    ecs::servers(&client, &project, &ecs::ServerQuery::default()).await
                })
                .await?
                .items;
            let volumes = self
                .look(|client, project| async move {
                    evs::volumes(&client, &project, &evs::VolumeQuery::default()).await
                })
                .await?
                .items;
            let Ok(Some(holding)) = self.wangcheng.holding(&self.live).await else {
                return Ok(None);
            };
            let quota = &holding.in_force.quota;
            let (project, now) = (Project { servers, volumes }, self.cloud_now());
            let account = &self.live.account;
            let share = project.of(&account.user_id, &account.user_name, now);
            // The disks of an older server may come one by one.
            let comes = quota.disk_gb.is_some() && share.is_coming(id, made.unwrap_or(now));
            if comes && begun.elapsed() < OLDER {
                tokio::time::sleep(pause).await;
                pause = (pause * 3 / 2).min(LONGEST_PAUSE);
                continue;
            }
            let over = too_many(quota, &share.counted(now));
            let ours = over.into_iter().find(|(one, _)| one == id);
            return Ok(ours.map(|(_, over)| holding.failure(&over)));
        }
    }

    /// Deletes the server that was just made, to its end.
    async fn take_back(&mut self) -> Result<()> {
        let server = self.server_id()?;
        let id = server.clone();
        let sent = self
            .persist(|client, project| {
                let ids = [id.clone()];
                async move { ecs::delete_servers(&client, &project, &ids, WITH_EVERYTHING).await }
            })
            .await;
        let job: JobId = match sent {
            Ok(job) => job,
            Err(failure) if failure.code == Code::CloudMissing => return Ok(()),
            Err(failure) => return Err(failure),
        };
        self.follow_job(&job, &server).await?;
        self.wait_until_gone(&server).await
    }

    async fn wait_until_gone(&mut self, server: &ServerId) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.show(server).await? {
                None => return Ok(()),
                Some((told, _)) if matches!(told.status.as_str(), "DELETED" | "SOFT_DELETED") => {
                    return Ok(());
                }
                Some((told, _)) => self.progress(told.task_state.unwrap_or(told.status)).await,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// What was made was there for a while and cost; then it went, and why is told.
    pub(super) fn undone_events(
        &self,
        result: &Result<Done>,
        over: &Failure,
        at: DateTime<Utc>,
    ) -> Vec<store::NewEvent> {
        let (made, gone): (&[Action], &[Action]) = match self.operation.kind {
            OperationKind::CreateServer => (&[Action::ServerCreated], &[Action::ServerDeleted]),
            OperationKind::AddDisk => (
                &[Action::DiskAttached],
                &[Action::DiskDetached, Action::DiskDeleted],
            ),
            // It was found before anything was asked of the cloud.
            _ => (&[], &[]),
        };
        let since = self.operation.row.sent_at.unwrap_or(at);
        let mut events: Vec<_> = made
            .iter()
            .map(|action| self.event(*action, &Ok(Done { at: since }), at))
            .collect();
        // Where it could not be taken away it is still there, and the watch tells what becomes of it.
        if result.as_ref().is_err_and(|failure| failure.code == over.code) {
            let now = self.cloud_now();
            events.extend(
                gone.iter()
                    .map(|action| self.event(*action, &Ok(Done { at: now }), at)),
            );
        }
        events.push(self.event(Action::GrantRefused, &Err(over.clone()), at));
        events
    }
}
