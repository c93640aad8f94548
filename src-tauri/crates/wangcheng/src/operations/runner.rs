//! Brings one operation to its end: what all kinds have in common.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use huaweicloud::ecs::{self, Job, JobStatus};
use huaweicloud::{Client, ErrorKind, JobId, ProjectId, Reply, ServerId};
use store::{Outcome, Stage};

use super::outcome::job_failure;
use super::{FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind};
use crate::Wangcheng;
use crate::app::Change;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};

/// Brings one operation to its end.
pub(super) struct Runner {
    pub(super) wangcheng: Wangcheng,
    /// The account it is done with, as it was when it was asked last.
    pub(super) live: Arc<Live>,
    pub(super) id: String,
    pub(super) operation: Operation,
    /// Taken up again: what was done before is not known and has to be read first.
    pub(super) resumed: bool,
    /// The cloud may have something of it already, so it cannot be cancelled any more.
    touched: bool,
}

/// How a question is asked of the cloud until there is an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It changes nothing.
    Look,
    /// Doing it twice does what doing it once does.
    Repeatable,
    /// It must not be done twice: whoever asks reads the state before asking again.
    Once,
}

/// How an operation ended well.
pub(super) struct Done {
    /// When, by the cloud.
    pub at: DateTime<Utc>,
}

impl Runner {
    pub(super) fn new(wangcheng: Wangcheng, live: Arc<Live>, operation: Operation, resumed: bool) -> Self {
        Self {
            wangcheng,
            live,
            id: operation.row.id.clone(),
            touched: resumed || operation.row.stage != Stage::Recorded,
            operation,
            resumed,
        }
    }

    pub(super) async fn run(mut self) {
        if self.touched {
            self.touch().await;
        }
        let result = self.act().await;
        // The ledger can be full or away for a while. What the cloud did is not forgotten over that: it is tried
        // again, and failing all else the next start settles the operation by reading the state.
        let mut pause = FIRST_PAUSE;
        while let Err(failure) = self.settle(&result).await {
            tracing::error!(operation = %self.id, %failure, "cannot be settled yet");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.live.bell.notify_one();
    }

    /// Does what its kind says, to its end.
    pub(super) async fn act(&mut self) -> Result<Done> {
        match self.operation.kind {
            OperationKind::CreateServer => self.create().await,
            OperationKind::UpdateLease | OperationKind::CancelLease => self.update_lease().await,
            OperationKind::StartServer | OperationKind::StopServer | OperationKind::RebootServer => {
                self.power().await
            }
            OperationKind::DeleteServer => self.delete().await,
            OperationKind::MarkParts => self.mark_parts().await,
            OperationKind::AddDisk => self.add_disk().await,
            OperationKind::GrowDisk
            | OperationKind::DetachDisk
            | OperationKind::AttachDisk
            | OperationKind::DeleteDisk => self.act_on_disk().await,
            OperationKind::ReleaseAddress => self.release_address().await,
            OperationKind::ResizeServer => self.resize().await,
            OperationKind::RenameServer => self.rename().await,
            OperationKind::TagServer | OperationKind::AdoptServer => self.tag().await,
            OperationKind::ResetPassword => self.reset_password().await,
            OperationKind::AdmitSsh => self.admit().await,
        }
    }

    pub(super) fn server_id(&self) -> Result<ServerId> {
        let id = self.operation.row.server_id.as_deref();
        id.map(ServerId::from)
            .ok_or_else(|| Failure::new(Code::Internal).saying("the operation names no server"))
    }

    pub(super) fn cloud_now(&self) -> DateTime<Utc> {
        self.live.cloud_now(self.wangcheng.now())
    }

    /// Asks until there is an answer that time alone does not change. The network may be away for days; a stopped
    /// account waits for its person, and one that was signed out for being signed in again.
    pub(super) async fn persist<T, F>(&mut self, ask: impl Fn(Client, ProjectId) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Reply<T>, huaweicloud::Error>>,
    {
        self.persist_as(ask, Manner::Repeatable).await
    }

    /// As [`Runner::persist`], for what changes nothing.
    pub(super) async fn look<T, F>(&mut self, ask: impl Fn(Client, ProjectId) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Reply<T>, huaweicloud::Error>>,
    {
        self.persist_as(ask, Manner::Look).await
    }

    /// As [`Runner::persist`], for what must not be done twice: a failure after which it may have been carried out is
    /// handed back (`outcome_open`), for the caller to read the state.
    pub(super) async fn persist_until_open<T, F>(&mut self, ask: impl Fn(Client, ProjectId) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Reply<T>, huaweicloud::Error>>,
    {
        self.persist_as(ask, Manner::Once).await
    }

    async fn persist_as<T, F>(&mut self, ask: impl Fn(Client, ProjectId) -> F, manner: Manner) -> Result<T>
    where
        F: Future<Output = std::result::Result<Reply<T>, huaweicloud::Error>>,
    {
        let mut pause = FIRST_PAUSE;
        // What may have been carried out already: sent in an earlier run, or just now without an answer. A refusal to
        // ask again says nothing about that, so it does not end the operation.
        let mut perhaps_done = self.touched;
        loop {
            self.stop_if_cancelled().await?;
            let answer = match self.client().await {
                Ok(client) => ask(client, self.live.project()).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            let failure = match answer {
                Ok(reply) => {
                    if manner != Manner::Look {
                        self.touch().await;
                    }
                    self.live.tell_time(reply.server_time, self.wangcheng.now());
                    return Ok(reply.value);
                }
                Err(failure) => failure,
            };
            if self.wangcheng.rehearsal.is_some() {
                // Nobody waits for a rehearsal until the network is back.
                return Err(failure);
            }
            if failure.outcome_open && manner != Manner::Look {
                self.touch().await;
            }
            self.wangcheng.note_cloud_failure(&self.live, &failure).await;
            if failure.outcome_open && manner == Manner::Once {
                return Err(failure);
            }
            perhaps_done |= failure.outcome_open;
            let waits_for_person =
                perhaps_done && (failure.stops_account() || failure.code == Code::AccountUnknown);
            if !(failure.is_passing() || failure.outcome_open || waits_for_person) {
                return Err(failure);
            }
            tracing::info!(operation = %self.id, %failure, "asked again in {pause:?}");
            self.pause_unless_cancelled(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// From here on the cloud may have something of it, which whoever would cancel it is told.
    async fn touch(&mut self) {
        if self.touched && self.operation.detail.perhaps_sent {
            return;
        }
        self.touched = true;
        self.operation.detail.perhaps_sent = true;
        if self.operation.row.stage == Stage::Recorded {
            // Only for whoever looks; what was sent is found out by asking the cloud.
            let _ = self.keep_detail().await;
            self.publish();
        }
    }

    fn publish(&self) {
        self.wangcheng
            .publish(Change::Operation(Box::new(self.operation.clone())));
    }

    /// Ends what its person does not want any more, as long as the cloud surely has nothing of it.
    async fn stop_if_cancelled(&self) -> Result<()> {
        if self.touched || self.wangcheng.rehearsal.is_some() {
            return Ok(());
        }
        let id = self.id.clone();
        let row = self.wangcheng.ledger(move |ledger| ledger.operation(&id)).await?;
        if row.is_some_and(|row| row.cancel_asked_at.is_some()) {
            return Err(Code::Cancelled.into());
        }
        Ok(())
    }

    /// A pause that the wish to cancel cuts short. What another program wished is seen after it.
    async fn pause_unless_cancelled(&self, pause: std::time::Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.wangcheng.inner.cancels.notified() => {}
        }
    }

    /// The client of the account as it is now: signing in again gives it another key.
    pub(super) async fn client(&mut self) -> Result<Client> {
        self.live = self.wangcheng.live(&self.operation.row.account).await?;
        let client = self.wangcheng.client(&self.live).await?;
        Ok(match &self.wangcheng.rehearsal {
            Some(rehearsal) => client.rehearsing(rehearsal),
            None => client,
        })
    }

    /// The server as it is; nothing when it does not exist.
    pub(super) async fn show(&mut self, server: &ServerId) -> Result<Option<(ecs::Server, DateTime<Utc>)>> {
        let id = server.clone();
        let told = self
            .look(|client, project| {
                let id = id.clone();
                async move { or_none(ecs::server(&client, &project, &id).await) }
            })
            .await?;
        Ok(told.map(|server| (server, self.cloud_now())))
    }

    /// Follows a job of the server service to its end. A job that the cloud has forgotten (they live a day) counts as
    /// ended: the caller reads the server afterwards and sees what came of it.
    pub(super) async fn follow_job(&mut self, job: &JobId, server: &ServerId) -> Result<()> {
        let ended = self
            .end_of_job(|client, project| {
                let id = job.clone();
                async move { ecs::job(&client, &project, &id).await }
            })
            .await?;
        match ended {
            Some(job) if job.status == JobStatus::Fail => Err(job_failure(&job, server)),
            _ => Ok(()),
        }
    }

    /// Asks for a job until it has ended, well or not; nothing when the cloud has forgotten it. What the job does is
    /// told meanwhile.
    pub(super) async fn end_of_job<F>(&mut self, ask: impl Fn(Client, ProjectId) -> F) -> Result<Option<Job>>
    where
        F: Future<Output = std::result::Result<Reply<Job>, huaweicloud::Error>>,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            let told = match self.look(&ask).await {
                Ok(told) => told,
                Err(failure) if failure.code == Code::CloudMissing => return Ok(None),
                Err(failure) => return Err(failure),
            };
            match &told.status {
                JobStatus::Success | JobStatus::Fail => return Ok(Some(told)),
                JobStatus::Init => self.progress("INIT".to_owned()).await,
                JobStatus::Running => self.progress("RUNNING".to_owned()).await,
                JobStatus::Other(word) => self.progress(word.clone()).await,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Notes that the cloud took it, and under which ids. It did, whatever the ledger says: a disk that is full just
    /// now must not turn this into a failure, so it is tried until the ledger takes it.
    pub(super) async fn mark_sent(&mut self, server: Option<String>, job: Option<String>) {
        if self.wangcheng.rehearsal.is_some() {
            return;
        }
        let at = self.wangcheng.now();
        let mut pause = FIRST_PAUSE;
        loop {
            let (id, server, job) = (self.id.clone(), server.clone(), job.clone());
            let noted = self
                .wangcheng
                .ledger(move |ledger| {
                    ledger.mark_sent(&id, server.as_deref(), job.as_deref(), at)?;
                    ledger.operation(&id)
                })
                .await;
            match noted {
                Ok(row) => {
                    if let Some(row) = row {
                        self.operation.row = row;
                    }
                    break;
                }
                Err(failure) => {
                    tracing::error!(operation = %self.id, %failure, "cannot be noted as sent yet")
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.publish();
        self.live.bell.notify_one();
    }

    /// What is asked, as the ledger keeps it.
    pub(super) fn asked<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.operation.row.request)
            .map_err(|error| Failure::new(Code::Internal).saying(error))
    }

    /// Writes down what the operation carries, before something is done that depends on it.
    pub(super) async fn keep_detail(&self) -> Result<()> {
        if self.wangcheng.rehearsal.is_some() {
            return Ok(());
        }
        let detail = serde_json::to_string(&self.operation.detail)
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        let id = self.id.clone();
        self.wangcheng
            .ledger(move |ledger| ledger.set_detail(&id, &detail))
            .await
    }

    /// Notes what the cloud is doing, when it is something new.
    pub(super) async fn progress(&mut self, word: String) {
        let told = self.operation.detail.progress.as_deref() == Some(&word);
        if told || self.wangcheng.rehearsal.is_some() {
            return;
        }
        self.operation.detail.progress = Some(word);
        if let Ok(detail) = serde_json::to_string(&self.operation.detail) {
            let id = self.id.clone();
            // Only a word to show; the next one will be written if this one cannot.
            let _ = self
                .wangcheng
                .ledger(move |ledger| ledger.set_detail(&id, &detail))
                .await;
        }
        self.publish();
    }

    /// Writes the operation's end and its event in one transaction.
    async fn settle(&mut self, result: &Result<Done>) -> Result<()> {
        self.operation.detail.progress = None;
        let at = self.wangcheng.now();
        let events = self.events(result, at);
        let (outcome, error) = match result {
            Ok(_) => (Outcome::Ok, None),
            Err(failure) if failure.code == Code::Cancelled => (Outcome::Cancelled, None),
            Err(failure) => (Outcome::Failed, serde_json::to_string(failure).ok()),
        };
        let detail = serde_json::to_string(&self.operation.detail)
            .map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = self.id.clone();
        let rows = self
            .wangcheng
            .ledger(move |ledger| {
                ledger.set_detail(&id, &detail)?;
                match ledger.settle(&id, outcome, error.as_deref(), at, events.clone()) {
                    Err(store::Error::AlreadySettled { .. }) => Ok(Vec::new()),
                    other => other,
                }
            })
            .await?;
        let operation = self.wangcheng.operation(&self.id).await?;
        self.wangcheng.publish(Change::Operation(Box::new(operation)));
        if let Some(last) = rows.last() {
            self.wangcheng.publish(Change::Events(last.seq));
        }
        self.wangcheng.inner.courier.ring();
        Ok(())
    }
}

/// An answer about a thing, where that the cloud has none is an answer, too.
pub(super) fn or_none<T>(
    answer: std::result::Result<Reply<T>, huaweicloud::Error>,
) -> std::result::Result<Reply<Option<T>>, huaweicloud::Error> {
    match answer {
        Err(error) if error.kind == ErrorKind::Missing => Ok(Reply {
            value: None,
            request_id: None,
            server_time: None,
        }),
        other => other.map(|reply| reply.map(Some)),
    }
}
