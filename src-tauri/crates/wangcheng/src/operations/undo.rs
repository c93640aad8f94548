//! Two programs may ask for a server at the same moment, each finding room for one. So a server that was just made is
//! counted once more with all others of its owner, and when it is the youngest of too many it goes again. Of two that were
//! made at once both programs find the same one: what is older is what the cloud says, and when it says the same, the id.

use chrono::TimeDelta;
use huaweicloud::{JobId, ServerId, ecs, evs};

use super::delete::WITH_EVERYTHING;
use super::runner::{Done, Runner};
use super::{FIRST_PAUSE, LONGEST_PAUSE};
use crate::events::Action;
use crate::failure::{Code, Failure, Result};
use crate::grants::measure::Project;
use crate::grants::too_many;

/// The cloud tells the making of a server to the second. Whoever was made in the same one is in the list after that.
const SECOND: TimeDelta = TimeDelta::seconds(2);

impl Runner {
    /// Makes the server, unless it turns out to be too many by the grant in force.
    pub(super) async fn make_within_grant(&mut self) -> Result<Done> {
        // Found so in an earlier run, which ended before the server was gone.
        if let Some(over) = self.operation.detail.undone.clone() {
            self.take_back().await?;
            return Err(over);
        }
        let made = self.make().await?;
        if self.wangcheng.rehearsal.is_some() {
            return Ok(made);
        }
        if let Some(over) = self.too_many().await? {
            // Before anything is deleted, so that a restart knows why the server is not there.
            self.operation.detail.undone = Some(over.clone());
            self.keep_detail().await?;
            self.take_back().await?;
            return Err(over);
        }
        Ok(made)
    }

    /// The limit that this server is too many for.
    async fn too_many(&mut self) -> Result<Option<Failure>> {
        // Only a grant that is in force now counts; that it ended meanwhile takes nobody's server away.
        let Ok(Some(holding)) = self.wangcheng.holding(&self.live).await else {
            return Ok(None);
        };
        let quota = &holding.in_force.quota;
        if quota.servers.is_none() && quota.vcpus.is_none() && quota.disk_gb.is_none() {
            return Ok(None);
        }
        let server = self.server_id()?;
        let Some((told, _)) = self.show(&server).await? else {
            return Ok(None);
        };
        if let Some(created) = told.created {
            let since = self.cloud_now() - created;
            if let Ok(wait) = (SECOND - since).to_std() {
                tokio::time::sleep(wait).await;
            }
        }
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
        let project = Project { servers, volumes };
        let account = &self.live.account;
        let share = project.of(&account.user_id, &account.user_name);
        let over = too_many(quota, &share.counted(self.cloud_now()), share.loose_gb);
        let ours = over.into_iter().find(|(id, _)| id == server.as_str());
        Ok(ours.map(|(_, over)| holding.failure(&over)))
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

    /// The server was there for a while and cost; then it went, and why is told.
    pub(super) fn undone_events(
        &self,
        result: &Result<Done>,
        over: &Failure,
        at: chrono::DateTime<chrono::Utc>,
    ) -> Vec<store::NewEvent> {
        let made = self.operation.row.sent_at.unwrap_or(at);
        let mut events = vec![self.event(Action::ServerCreated, &Ok(Done { at: made }), at)];
        // Where it could not be taken away it is still there, and the watch tells what becomes of it.
        let gone = result.as_ref().is_err_and(|failure| failure.code == over.code);
        if gone {
            let now = self.cloud_now();
            events.push(self.event(Action::ServerDeleted, &Ok(Done { at: now }), at));
        }
        events.push(self.event(Action::GrantRefused, &Err(over.clone()), at));
        events
    }
}
