//! A server is started, stopped or restarted.

use huaweicloud::ecs::{self, Manner};
use huaweicloud::{JobId, ServerId};
use serde::{Deserialize, Serialize};
use store::Stage;
use ts_rs::TS;

use super::runner::{Done, Runner};
use super::{Detail, FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::grants::{Wish, hours_left};
use crate::servers::ServerState;

/// At how many looks in a row a server may be at rest in the wrong state before the act counts as not done.
pub(super) const RESTING_LOOKS: u32 = 10;

/// What is done with a server's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PowerAct {
    /// It is started. There may be no room for it any more: a stopped server has no place reserved.
    Start,
    /// It is stopped. Its disks and its public address cost on, and its lease runs on.
    Stop,
    /// It is restarted.
    Reboot,
}

impl PowerAct {
    fn kind(self) -> OperationKind {
        match self {
            Self::Start => OperationKind::StartServer,
            Self::Stop => OperationKind::StopServer,
            Self::Reboot => OperationKind::RebootServer,
        }
    }

    /// The state in which it can be asked for.
    fn from(self) -> ServerState {
        match self {
            Self::Start => ServerState::Stopped,
            Self::Stop | Self::Reboot => ServerState::Running,
        }
    }

    /// The state that it leads to.
    fn to(self) -> ServerState {
        match self {
            Self::Start | Self::Reboot => ServerState::Running,
            Self::Stop => ServerState::Stopped,
        }
    }

    /// The state while it goes on.
    fn during(self) -> ServerState {
        match self {
            Self::Start => ServerState::Starting,
            Self::Stop => ServerState::Stopping,
            Self::Reboot => ServerState::Restarting,
        }
    }
}

/// What is asked, as the ledger keeps it.
#[derive(Serialize, Deserialize)]
pub(super) struct Power {
    pub act: PowerAct,
    /// The power is cut, rather than the guest asked.
    pub hard: bool,
}

impl Wangcheng {
    /// Starts, stops or restarts a server. `hard`: the power is cut, rather than the guest asked to shut down; what it
    /// has not written to its disks is lost.
    ///
    /// # Errors
    /// `StateConflict` when it is not in the state for that; `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`;
    /// what the cloud says; the ledger's, in which case nothing was sent.
    pub async fn power(&self, server: &str, act: PowerAct, hard: bool) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        if server.state != act.from() {
            return Err(Code::StateConflict.into());
        }
        if act == PowerAct::Start {
            let now = live.cloud_now(self.now());
            let wish = Wish {
                hours: hours_left(now, server.lease_end, now),
                flavor: Some(server.flavor.clone()),
                ..Wish::default()
            };
            self.granted(&live, act.kind(), Some(&server), &wish).await?;
        }
        let detail = Detail {
            lease_end: server.lease_end,
            ..Detail::of_server(&server)
        };
        let request = serde_json::to_string(&Power { act, hard })
            .map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            act.kind(),
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

/// Where a server stands towards an act.
pub(super) enum Way {
    Before,
    Under,
    Done(Done),
}

impl Runner {
    pub(super) async fn power(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        let asked: Power = serde_json::from_str(&self.operation.row.request)
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        if self.operation.row.stage == Stage::Recorded
            && let Some(done) = self.send_power(&server, &asked).await?
        {
            return Ok(done);
        }
        if let Some(job) = self.operation.row.job_id.clone() {
            self.follow_job(&JobId::from(job.as_str()), &server).await?;
        }
        let mut pause = FIRST_PAUSE;
        let mut resting = 0;
        loop {
            match self.way(&server, asked.act).await? {
                Way::Done(done) => return Ok(done),
                Way::Under => resting = 0,
                Way::Before => resting += 1,
            }
            if resting > RESTING_LOOKS {
                return Err(Code::JobFailed.into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends it, unless it is under way already; answers when it is done already. Whatever may have been carried out is
    /// looked at before anything is sent again.
    async fn send_power(&mut self, server: &ServerId, asked: &Power) -> Result<Option<Done>> {
        let mut perhaps_done = self.resumed;
        loop {
            if perhaps_done {
                match self.way(server, asked.act).await? {
                    // A server that runs does not say whether it was restarted, and twice is once too often.
                    Way::Done(_) | Way::Before if asked.act == PowerAct::Reboot => {
                        return Err(Code::OutcomeUnknown.into());
                    }
                    Way::Done(done) => return Ok(Some(done)),
                    Way::Under => {
                        self.mark_sent(Some(server.to_string()), None).await;
                        return Ok(None);
                    }
                    Way::Before => {}
                }
            }
            let manner = if asked.hard { Manner::Hard } else { Manner::Soft };
            let act = asked.act;
            let sent = self
                .persist_until_open(|client, project| {
                    let ids = [server.clone()];
                    async move {
                        match act {
                            PowerAct::Start => ecs::start_servers(&client, &project, &ids).await,
                            PowerAct::Stop => ecs::stop_servers(&client, &project, &ids, manner).await,
                            PowerAct::Reboot => ecs::reboot_servers(&client, &project, &ids, manner).await,
                        }
                    }
                })
                .await;
            match sent {
                Ok(job) => {
                    self.mark_sent(Some(server.to_string()), Some(job.to_string()))
                        .await;
                    return Ok(None);
                }
                Err(failure) if failure.outcome_open => {
                    // The cloud may take a moment to show what it took.
                    tokio::time::sleep(FIRST_PAUSE).await;
                    perhaps_done = true;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    pub(super) async fn way(&mut self, server: &ServerId, act: PowerAct) -> Result<Way> {
        let Some((told, at)) = self.show(server).await? else {
            return Err(Code::ServerUnknown.into());
        };
        let state = ServerState::from_cloud(&told.status, told.task_state.as_deref(), told.frozen);
        self.progress(told.task_state.unwrap_or(told.status)).await;
        Ok(match state {
            state if state == act.to() => Way::Done(Done { at }),
            state if state == act.during() => Way::Under,
            ServerState::Deleting => return Err(Code::ServerUnknown.into()),
            _ => Way::Before,
        })
    }
}
