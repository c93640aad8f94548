//! A server gets another flavor.
//!
//! The cloud stops a running server for it and starts it again when it is asked to, all in one job. What it is to be
//! is read from the server, never from the job alone: a job can fail after the change, when the server does not come
//! up again. Then it is started from here; where that is refused too, the change still counts (it is what costs), and
//! the refusal stands beside it. A state in which the change waits to be confirmed is passed through: the cloud
//! confirms by itself, and has no call for it.

use chrono::{DateTime, Utc};
use huaweicloud::ecs;
use huaweicloud::{FlavorId, JobId, ServerId};
use serde::{Deserialize, Serialize};
use store::Stage;

use super::power::{RESTING_LOOKS, Way};
use super::runner::{Done, Runner};
use super::{Detail, FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind, PowerAct};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::grants::{Wish, hours_left};
use crate::money::Money;
use crate::servers::{Server, ServerState};

/// At how many looks, ten seconds apart, a change may wait for the cloud to confirm it: half an hour.
const CONFIRMING_LOOKS: u32 = 180;

/// What is asked, as the ledger keeps it.
#[derive(Serialize, Deserialize)]
struct Resize {
    flavor: String,
    /// It ran when it was asked for, so it shall run afterwards.
    runs: bool,
}

/// Where a server stands towards another flavor.
enum Size {
    Before,
    Under,
    Confirming,
    /// It has the flavor and is at rest.
    Done {
        runs: bool,
        at: DateTime<Utc>,
    },
}

impl Wangcheng {
    /// Gives a server another flavor. `may_stop`: a running server may be stopped for it; it runs again afterwards.
    ///
    /// # Errors
    /// `ResizeImpossible`, `FlavorUnavailable`, `StopNeeded`, `StateConflict`; `ServerUnknown`, `NotOwn`,
    /// `ServerBusy`, `NotSignedIn`; what the cloud says to a trial, in which nothing is changed; the ledger's, in
    /// which case nothing was sent.
    pub async fn resize_server(&self, server: &str, flavor: &str, may_stop: bool) -> Result<Operation> {
        let live = self.active().await?;
        let told = self.told_server(&live, server).await?;
        let server = Self::changeable(&live, &told)?;
        let runs = match server.state {
            ServerState::Running if may_stop => true,
            ServerState::Running => return Err(Failure::new(Code::StopNeeded).with("name", &server.name)),
            ServerState::Stopped => false,
            _ => return Err(Code::StateConflict.into()),
        };
        let options = self.resize_options_of(&live, &told, &server).await?;
        let wanted = options.options.into_iter().find(|option| option.flavor == flavor);
        let wanted =
            wanted.ok_or_else(|| Failure::new(Code::FlavorUnavailable).with("flavor", flavor.trim()))?;
        if let Some(problem) = wanted.problem {
            return Err(problem);
        }
        let now = live.cloud_now(self.now());
        let hours = hours_left(now, server.lease_end, now);
        let wish = Wish {
            vcpus: wanted.vcpus.saturating_sub(server.vcpus.unwrap_or_default()),
            flavor: Some(wanted.flavor.clone()),
            money: wanted
                .more_per_hour
                .as_ref()
                .map(|more| Money::new(more.amount * hours, more.currency.clone())),
            ..Wish::default()
        };
        self.granted(&live, OperationKind::ResizeServer, Some(&server), &wish)
            .await?;
        let client = self.client(&live).await?;
        let to = FlavorId::from(flavor);
        let trial = ecs::check_resize(&client, &live.project(), &told.id, &to, runs).await;
        trial.map_err(|error| Failure {
            // Whatever became of the trial, nothing was changed by it.
            outcome_open: false,
            ..error.into()
        })?;
        let detail = Detail {
            flavor: Some(wanted.flavor),
            vcpus: Some(wanted.vcpus),
            ram_mb: Some(wanted.ram_mb),
            price: wanted.per_hour,
            ..Detail::of_server(&server)
        };
        let asked = Resize {
            flavor: flavor.to_owned(),
            runs,
        };
        let request = serde_json::to_string(&asked).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            OperationKind::ResizeServer,
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
    pub(super) async fn resize(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        let asked: Resize = self.asked()?;
        if self.operation.row.stage == Stage::Recorded {
            self.send_resize(&server, &asked).await?;
        }
        let mut failed = None;
        if let Some(job) = self.operation.row.job_id.clone() {
            failed = self.follow_job(&JobId::from(job.as_str()), &server).await.err();
        }
        let (runs, at) = match self.wait_until_resized(&server, &asked, failed.as_ref()).await {
            Ok(done) => done,
            Err(failure) => {
                if asked.runs {
                    self.start_again(&server).await;
                }
                return Err(failed.unwrap_or(failure));
            }
        };
        if asked.runs && !runs {
            self.start_again(&server).await;
        }
        Ok(Done { at })
    }

    /// Sends it, unless it is under way or done already. Whatever may have been carried out is looked at before
    /// anything is sent again.
    async fn send_resize(&mut self, server: &ServerId, asked: &Resize) -> Result<()> {
        let mut perhaps_done = self.resumed;
        loop {
            if perhaps_done && !matches!(self.size(server, asked).await?, Size::Before) {
                self.mark_sent(Some(server.to_string()), None).await;
                return Ok(());
            }
            let flavor = FlavorId::from(asked.flavor.as_str());
            let runs = asked.runs;
            let sent = self
                .persist_until_open(|client, project| {
                    let (server, flavor) = (server.clone(), flavor.clone());
                    async move { ecs::resize(&client, &project, &server, &flavor, runs).await }
                })
                .await;
            match sent {
                Ok(job) => {
                    self.mark_sent(Some(server.to_string()), Some(job.to_string()))
                        .await;
                    return Ok(());
                }
                Err(failure) if failure.outcome_open => {
                    // The cloud may take a moment to show what it took.
                    tokio::time::sleep(FIRST_PAUSE).await;
                    perhaps_done = true;
                }
                // It refuses a second time what it took the first time and shows only now.
                Err(failure)
                    if perhaps_done
                        && matches!(failure.code, Code::StateConflict | Code::CloudRefused)
                        && !matches!(self.size(server, asked).await?, Size::Before) =>
                {
                    self.mark_sent(Some(server.to_string()), None).await;
                    return Ok(());
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn wait_until_resized(
        &mut self,
        server: &ServerId,
        asked: &Resize,
        failed: Option<&Failure>,
    ) -> Result<(bool, DateTime<Utc>)> {
        let mut pause = FIRST_PAUSE;
        let (mut resting, mut confirming) = (0, 0);
        loop {
            match self.size(server, asked).await? {
                Size::Done { runs, at } => return Ok((runs, at)),
                Size::Under => resting = 0,
                Size::Confirming => confirming += 1,
                Size::Before => resting += 1,
            }
            // A job that failed is believed as soon as the server is at rest.
            if resting > RESTING_LOOKS || (resting > 0 && failed.is_some()) {
                return Err(Code::JobFailed.into());
            }
            if confirming > CONFIRMING_LOOKS {
                return Err(Code::OutcomeUnknown.into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    async fn size(&mut self, server: &ServerId, asked: &Resize) -> Result<Size> {
        let Some((told, at)) = self.show(server).await? else {
            return Err(Code::ServerUnknown.into());
        };
        let view = Server::from_cloud(&told, &self.live.account.user_id);
        let there = view.flavor == asked.flavor;
        self.progress(told.task_state.unwrap_or(told.status)).await;
        Ok(match view.state {
            ServerState::Running if there => Size::Done { runs: true, at },
            ServerState::Stopped if there => Size::Done { runs: false, at },
            ServerState::ConfirmingSize => Size::Confirming,
            ServerState::Deleting => return Err(Code::ServerUnknown.into()),
            ServerState::Error => {
                return Err(Failure::new(Code::JobFailed).saying(view.fault.unwrap_or_default()));
            }
            state if state.is_changing() => Size::Under,
            _ => Size::Before,
        })
    }

    /// Lets a server run that was stopped for a change of its size. That it cannot is noted, and no reason to say
    /// that the size is not what it is.
    async fn start_again(&mut self, server: &ServerId) {
        if let Err(failure) = self.try_start(server).await {
            tracing::warn!(operation = %self.id, %failure, "stays stopped");
            self.operation.detail.stays_stopped = Some(failure);
        }
    }

    async fn try_start(&mut self, server: &ServerId) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        let mut sent = false;
        let mut resting = 0;
        loop {
            match self.way(server, PowerAct::Start).await? {
                Way::Done(_) => return Ok(()),
                Way::Under => resting = 0,
                Way::Before if !sent => {
                    let asked = self
                        .persist_until_open(|client, project| {
                            let ids = [server.clone()];
                            async move { ecs::start_servers(&client, &project, &ids).await }
                        })
                        .await;
                    match asked {
                        Ok(job) => {
                            sent = true;
                            self.mark_sent(Some(server.to_string()), Some(job.to_string()))
                                .await;
                            self.follow_job(&job, server).await?;
                        }
                        // What came of it is seen at the next look.
                        Err(failure) if failure.outcome_open => {}
                        Err(failure) => return Err(failure),
                    }
                }
                Way::Before => resting += 1,
            }
            if resting > RESTING_LOOKS {
                return Err(Code::JobFailed.into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}
