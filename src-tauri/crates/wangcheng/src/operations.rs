//! Everything asked of the cloud that takes time: recorded before it is sent, followed to its end, settled together
//! with its event, taken up again after a restart.
//!
//! | found at a start | what is done |
//! |---|---|
//! | a creation, recorded | sent again with the same client token: the cloud answers as it did the first time |
//! | a creation whose token is too old | looked for by its tag |
//! | anything, sent | followed by its job id; if the job is forgotten, settled by reading the server |
//! | a deletion or a lease, recorded | the server is read first, and only what is not done yet is sent |

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::ecs::{self, JobStatus};
use huaweicloud::{Client, ErrorKind, JobId, Reply, ServerId};
use serde::{Deserialize, Serialize};
use store::{NewOperation, Outcome, Stage};
use ts_rs::TS;

use crate::app::Change;
use crate::cloud::Live;
use crate::create::{CreateServer, DISK_TYPE, total};
use crate::events::{Action, Draft};
use crate::failure::{Code, Failure, Result};
use crate::money::Money;
use crate::servers::{AddressKind, Server, TAG_OPERATION};
use crate::{Wangcheng, create, lease};

/// How long the cloud remembers a client token (<https://support.huaweicloud.com/api-ecs/zh-cn_topic_0000001105258814.html>),
/// less an hour.
const TOKEN_LIVES: TimeDelta = TimeDelta::hours(7);
/// What goes with a temporary server: nothing of it is left to be billed.
const WITH_EVERYTHING: ecs::DeleteWith = ecs::DeleteWith {
    public_ips: Some(true),
    volumes: true,
};
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How many operations a list shows.
const LISTED: u32 = 200;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum OperationKind {
    /// A server is made.
    #[serde(rename = "server.create")]
    CreateServer,
    /// A lease's end is moved.
    #[serde(rename = "lease.update")]
    UpdateLease,
    /// A server is deleted.
    #[serde(rename = "server.delete")]
    DeleteServer,
}

impl OperationKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::CreateServer => "server.create",
            Self::UpdateLease => "lease.update",
            Self::DeleteServer => "server.delete",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::CreateServer, Self::UpdateLease, Self::DeleteServer]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// What an operation carries from its asking to its event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// Template id.
    pub template: Option<String>,
    /// What the server is for.
    pub purpose: Option<String>,
    /// Flavor id.
    pub flavor: Option<String>,
    /// Virtual processors.
    pub vcpus: Option<u32>,
    /// Memory in MiB.
    pub ram_mb: Option<u64>,
    /// Name of the image.
    pub image: Option<String>,
    /// Kind of operating system.
    pub os: Option<String>,
    /// All disks together, in GB.
    pub disk_gb: Option<u32>,
    /// Number of disks.
    pub disk_count: Option<u32>,
    /// Public bandwidth in Mbit/s.
    pub bandwidth_mbps: Option<u32>,
    /// Public address.
    pub eip: Option<String>,
    /// The lease's end that is asked for or was in force.
    pub lease_end: Option<DateTime<Utc>>,
    /// The end before.
    pub lease_end_before: Option<DateTime<Utc>>,
    /// Price of an hour.
    pub price: Option<Money>,
    /// What the cloud is doing, in its own word.
    pub progress: Option<String>,
}

impl Detail {
    fn of_server(server: &Server) -> Self {
        Self {
            purpose: server.purpose.clone(),
            flavor: Some(server.flavor.clone()),
            vcpus: server.vcpus,
            ram_mb: server.ram_mb,
            image: server.image.clone(),
            os: server.os.clone(),
            ..Self::default()
        }
    }
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What is asked.
    pub kind: OperationKind,
    /// What the ledger keeps of it.
    pub row: store::Operation,
    /// What it carries.
    pub detail: Detail,
    /// Why it failed.
    pub failure: Option<Failure>,
}

impl Operation {
    fn read(row: store::Operation) -> Option<Self> {
        let failure = row
            .error
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        let detail = serde_json::from_str(&row.detail).unwrap_or_default();
        Some(Self {
            kind: OperationKind::parse(&row.kind)?,
            row,
            detail,
            failure,
        })
    }
}

/// What is asked when a lease's end is moved, as the ledger keeps it.
#[derive(Serialize, Deserialize)]
struct LeaseUpdate {
    until: DateTime<Utc>,
}

impl Wangcheng {
    /// The newest operations, newest first.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn operations(&self) -> Result<Vec<Operation>> {
        let rows = self.ledger(|ledger| ledger.operations(LISTED, None)).await?;
        Ok(rows.into_iter().filter_map(Operation::read).collect())
    }

    /// Asks for a server. Answers as soon as the wish is recorded; follow the changes for the rest.
    ///
    /// # Errors
    /// The first thing that stands in the way (see [`Wangcheng::quote`]); `NotSignedIn`; the cloud's to the questions
    /// asked before; the ledger's, in which case nothing was sent.
    pub async fn create_server(&self, ask: &CreateServer) -> Result<Operation> {
        let live = self.active().await?;
        let catalogue = self.catalogue_of(&live).await?;
        let (_, plan, problems) = create::plan(ask, &catalogue, live.cloud_now(self.now()));
        let Some(plan) = plan else {
            let first = problems.into_iter().find(|problem| problem.blocking);
            return Err(first.map_or(Code::BadInput.into(), |problem| problem.failure));
        };
        // What the hour costs belongs into the event; that it cannot be had does not keep anybody from working.
        let price = self
            .prices(&live, &plan)
            .await
            .ok()
            .and_then(|parts| total(&parts));
        let id = uuid::Uuid::now_v7().to_string();
        let body = plan
            .body(&live.account, self.inner.ledger.installation_id(), &id)
            .body();
        let body = String::from_utf8(body.to_vec()).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let disks = [Some(plan.system_disk_gb()), plan.template.data_disk_gb];
        let detail = Detail {
            template: Some(plan.template.id.clone()),
            purpose: Some(plan.purpose.clone()).filter(|purpose| !purpose.is_empty()),
            flavor: Some(plan.flavor.id.clone()),
            vcpus: Some(plan.flavor.vcpus),
            ram_mb: Some(plan.flavor.ram_mb),
            image: Some(plan.image.name.clone()),
            os: plan.image.os.clone(),
            disk_gb: Some(disks.iter().flatten().sum()),
            disk_count: u32::try_from(disks.iter().flatten().count()).ok(),
            bandwidth_mbps: Some(plan.public_mbps).filter(|mbps| *mbps > 0),
            lease_end: Some(plan.lease_end),
            price,
            ..Detail::default()
        };
        let token = Some(uuid::Uuid::new_v4().to_string());
        self.record(
            &live,
            OperationKind::CreateServer,
            id,
            None,
            plan.name,
            token,
            body,
            detail,
        )
        .await
    }

    /// Moves the end of a server's lease.
    ///
    /// # Errors
    /// `LeaseTooShort`, `LeaseTooLong`, `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the cloud says;
    /// the ledger's, in which case nothing was sent.
    pub async fn extend_lease(&self, server: &str, until: DateTime<Utc>) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let until = lease::check_end(until, live.cloud_now(self.now()))?;
        let detail = Detail {
            lease_end: Some(until),
            lease_end_before: server.lease_end,
            ..Detail::of_server(&server)
        };
        let request = serde_json::to_string(&LeaseUpdate { until })
            .map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            OperationKind::UpdateLease,
            id,
            Some(server.id),
            server.name,
            None,
            request,
            detail,
        )
        .await
    }

    /// Deletes a server with its disks and its public address. `name`: the server's name, as confirmed.
    ///
    /// # Errors
    /// `NameMismatch`, `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in
    /// which case nothing was sent.
    pub async fn delete_server(&self, server: &str, name: &str) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        if server.name != name.trim() {
            return Err(Failure::new(Code::NameMismatch).with("name", &server.name));
        }
        let detail = Detail {
            lease_end: server.lease_end,
            ..Detail::of_server(&server)
        };
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            OperationKind::DeleteServer,
            id,
            Some(server.id),
            server.name,
            None,
            "{}".to_owned(),
            detail,
        )
        .await
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "one place that writes a row with that many columns"
    )]
    async fn record(
        &self,
        live: &Arc<Live>,
        kind: OperationKind,
        id: String,
        server_id: Option<String>,
        server_name: String,
        client_token: Option<String>,
        request: String,
        detail: Detail,
    ) -> Result<Operation> {
        if let Some(server) = &server_id {
            let unsettled = self.ledger(|ledger| ledger.unsettled()).await?;
            if unsettled
                .iter()
                .any(|other| other.server_id.as_ref() == Some(server))
            {
                return Err(Failure::new(Code::ServerBusy).with("name", &server_name));
            }
        }
        let new = NewOperation {
            id: id.clone(),
            kind: kind.as_str().to_owned(),
            account: live.account.id.clone(),
            server_id,
            server_name,
            client_token,
            request,
            detail: serde_json::to_string(&detail).map_err(|e| Failure::new(Code::Internal).saying(e))?,
            recorded_at: self.now(),
        };
        self.ledger(move |ledger| ledger.record(&new)).await?;
        let operation = self.operation(&id).await?;
        self.publish(Change::Operation(Box::new(operation.clone())));
        live.bell.notify_one();
        self.spawn_runner(live.clone(), operation.clone(), false);
        Ok(operation)
    }

    async fn operation(&self, id: &str) -> Result<Operation> {
        let wanted = id.to_owned();
        let row = self.ledger(move |ledger| ledger.operation(&wanted)).await?;
        row.and_then(Operation::read)
            .ok_or_else(|| Failure::new(Code::Internal).saying("the operation is gone"))
    }

    /// Takes up what was not settled when the program ended.
    pub(crate) async fn resume_operations(&self) -> Result<()> {
        for row in self.ledger(|ledger| ledger.unsettled()).await? {
            let account = row.account.clone();
            let Some(operation) = Operation::read(row) else {
                continue;
            };
            match self.live(&account).await {
                Ok(live) => {
                    tracing::info!(operation = %operation.row.id, kind = operation.kind.as_str(), "taken up again");
                    self.spawn_runner(live, operation, true);
                }
                // Signed out in between: its key is gone, and with it the way to follow. It is taken up when the
                // same account is signed in again.
                Err(failure) => tracing::warn!(operation = %operation.row.id, %failure, "cannot be taken up"),
            }
        }
        Ok(())
    }

    fn spawn_runner(&self, live: Arc<Live>, operation: Operation, resumed: bool) {
        let runner = Runner {
            wangcheng: self.clone(),
            live,
            id: operation.row.id.clone(),
            operation,
            resumed,
        };
        self.spawn(runner.run());
    }
}

/// Brings one operation to its end.
struct Runner {
    wangcheng: Wangcheng,
    live: Arc<Live>,
    id: String,
    operation: Operation,
    resumed: bool,
}

/// How an operation ended well.
struct Done {
    /// When, by the cloud.
    at: DateTime<Utc>,
}

impl Runner {
    async fn run(mut self) {
        let result = match self.operation.kind {
            OperationKind::CreateServer => self.create().await,
            OperationKind::UpdateLease => self.update_lease().await,
            OperationKind::DeleteServer => self.delete().await,
        };
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

    // --- a server is made -------------------------------------------------------------------------------------

    async fn create(&mut self) -> Result<Done> {
        if self.operation.row.stage == Stage::Recorded {
            let too_old = self.wangcheng.now() - self.operation.row.recorded_at > TOKEN_LIVES;
            if self.resumed && too_old {
                self.find_by_tag().await?;
            } else {
                self.send_create().await?;
            }
        }
        let server = self.server_id()?;
        if let Some(job) = self.operation.row.job_id.clone() {
            self.follow_job(&JobId::from(job.as_str()), &server).await?;
        }
        self.wait_until_made(&server).await
    }

    async fn send_create(&mut self) -> Result<()> {
        let body = self.operation.row.request.clone();
        let token = self
            .operation
            .row
            .client_token
            .as_deref()
            .and_then(|token| token.parse().ok());
        let Some(token) = token else {
            return Err(Failure::new(Code::Internal).saying("the operation has no client token"));
        };
        let made = self
            .persist(|client, project| {
                let body = body.clone();
                async move { ecs::create_raw(&client, &project, body.into(), token).await }
            })
            .await?;
        let Some(server) = made.server_ids.first() else {
            return Err(Failure::new(Code::BadAnswer).saying("no server id in the answer"));
        };
        self.mark_sent(Some(server.to_string()), made.job_id.map(String::from))
            .await
    }

    /// The client token is no longer good, so the server is looked for by the tag it was made with.
    async fn find_by_tag(&mut self) -> Result<()> {
        let rows = self
            .persist(|client, project| {
                let tag = (TAG_OPERATION.to_owned(), self.id.clone());
                async move {
                    let query = ecs::ServerQuery {
                        tags: vec![tag],
                        ..Default::default()
                    };
                    ecs::servers(&client, &project, &query).await
                }
            })
            .await?;
        let made = rows
            .items
            .iter()
            .find(|server| server.tags.get(TAG_OPERATION) == Some(&self.id));
        match made {
            Some(server) => self.mark_sent(Some(server.id.to_string()), None).await,
            None => Err(Code::OutcomeUnknown.into()),
        }
    }

    /// The job said yes; the server itself says when it can be used.
    async fn wait_until_made(&mut self, server: &ServerId) -> Result<Done> {
        let mut pause = FIRST_PAUSE;
        loop {
            let told = self.show(server).await?;
            let Some((server, at)) = told else {
                return Err(Code::JobFailed.into());
            };
            let task = server.task_state.clone();
            self.progress(task.clone().unwrap_or_else(|| server.status.clone()))
                .await;
            let view = Server::from_cloud(&server, &self.live.account.user_id);
            if server.status == "ERROR" {
                let fault = server.fault.map(|fault| fault.message).unwrap_or_default();
                return Err(Failure::new(Code::JobFailed).saying(fault));
            }
            if server.status == "ACTIVE" && task.is_none() {
                let detail = &mut self.operation.detail;
                detail.lease_end = view.lease_end;
                let public = view
                    .addresses
                    .iter()
                    .find(|address| address.kind == AddressKind::Public);
                detail.eip = public.map(|address| address.address.clone());
                return Ok(Done { at });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    // --- a lease's end is moved -------------------------------------------------------------------------------

    async fn update_lease(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        let asked: LeaseUpdate = serde_json::from_str(&self.operation.row.request)
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        let mut already = None;
        if self.resumed {
            let Some((told, at)) = self.show(&server).await? else {
                return Err(Code::ServerUnknown.into());
            };
            already = (told.auto_terminate_time == Some(asked.until)).then_some(at);
        }
        if let Some(at) = already {
            return Ok(Done { at });
        }
        let id = server.clone();
        self.persist(|client, project| {
            let id = id.clone();
            async move { ecs::update_auto_terminate_time(&client, &project, &id, Some(asked.until)).await }
        })
        .await?;
        self.mark_sent(Some(server.to_string()), None).await?;
        let Some((told, at)) = self.show(&server).await? else {
            return Err(Code::ServerUnknown.into());
        };
        if told.auto_terminate_time.is_some() {
            self.operation.detail.lease_end = told.auto_terminate_time;
        }
        Ok(Done { at })
    }

    // --- a server is deleted ----------------------------------------------------------------------------------

    async fn delete(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        if self.operation.row.stage == Stage::Recorded {
            let mut on_its_way = false;
            if self.resumed {
                match self.show(&server).await? {
                    None => return Ok(Done { at: self.cloud_now() }),
                    Some((told, _)) => on_its_way = told.task_state.as_deref() == Some("deleting"),
                }
            }
            if !on_its_way {
                let id = server.clone();
                let sent = self
                    .persist(|client, project| {
                        let ids = [id.clone()];
                        async move { ecs::delete_servers(&client, &project, &ids, WITH_EVERYTHING).await }
                    })
                    .await;
                match sent {
                    Ok(job) => {
                        self.mark_sent(Some(server.to_string()), Some(job.to_string()))
                            .await?
                    }
                    // Gone already, for example because the first try came through and its answer did not.
                    Err(failure) if failure.code == Code::CloudMissing => {
                        return Ok(Done { at: self.cloud_now() });
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
        if let Some(job) = self.operation.row.job_id.clone() {
            self.follow_job(&JobId::from(job.as_str()), &server).await?;
        }
        let mut pause = FIRST_PAUSE;
        let mut settled_looks = 0;
        while let Some((told, at)) = self.show(&server).await? {
            if matches!(told.status.as_str(), "DELETED" | "SOFT_DELETED") {
                return Ok(Done { at });
            }
            // It is neither gone nor going: the deletion did not happen.
            settled_looks = if told.task_state.is_none() {
                settled_looks + 1
            } else {
                0
            };
            if settled_looks > 10 {
                return Err(Failure::new(Code::JobFailed)
                    .saying(told.fault.map_or(told.status, |fault| fault.message)));
            }
            self.progress(told.task_state.unwrap_or(told.status)).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
        Ok(Done { at: self.cloud_now() })
    }

    // --- what all have in common ------------------------------------------------------------------------------

    fn server_id(&self) -> Result<ServerId> {
        let id = self.operation.row.server_id.as_deref();
        id.map(ServerId::from)
            .ok_or_else(|| Failure::new(Code::Internal).saying("the operation names no server"))
    }

    fn cloud_now(&self) -> DateTime<Utc> {
        self.live.cloud_now(self.wangcheng.now())
    }

    /// Asks until there is an answer that time alone does not change. The network may be away for days; a stopped
    /// account waits for its person.
    async fn persist<T, F>(&self, ask: impl Fn(Client, huaweicloud::ProjectId) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Reply<T>, huaweicloud::Error>>,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = match self.wangcheng.client(&self.live).await {
                Ok(client) => ask(client, self.live.project()).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            let failure = match answer {
                Ok(reply) => {
                    self.live.tell_time(reply.server_time, self.wangcheng.now());
                    return Ok(reply.value);
                }
                Err(failure) => failure,
            };
            self.wangcheng.note_cloud_failure(&self.live, &failure).await;
            // A refused key carried nothing out; but after a restart nobody knows what was before.
            let waits_for_person =
                failure.stops_account() && (self.resumed || self.operation.row.stage != Stage::Recorded);
            if !(failure.is_passing() || failure.outcome_open || waits_for_person) {
                return Err(failure);
            }
            tracing::info!(operation = %self.id, %failure, "asked again in {pause:?}");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The server as it is; nothing when it does not exist.
    async fn show(&self, server: &ServerId) -> Result<Option<(ecs::Server, DateTime<Utc>)>> {
        let id = server.clone();
        let told = self
            .persist(|client, project| {
                let id = id.clone();
                async move {
                    match ecs::server(&client, &project, &id).await {
                        Err(error) if error.kind == ErrorKind::Missing => Ok(Reply {
                            value: None,
                            request_id: None,
                            server_time: None,
                        }),
                        other => other.map(|reply| reply.map(Some)),
                    }
                }
            })
            .await?;
        Ok(told.map(|server| (server, self.cloud_now())))
    }

    /// Follows a job to its end. A job that the cloud has forgotten (they live a day) counts as ended: the caller
    /// reads the server afterwards and sees what came of it.
    async fn follow_job(&mut self, job: &JobId, server: &ServerId) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        loop {
            let id = job.clone();
            let told = self
                .persist(|client, project| {
                    let id = id.clone();
                    async move { ecs::job(&client, &project, &id).await }
                })
                .await;
            let told = match told {
                Ok(told) => told,
                Err(failure) if failure.code == Code::CloudMissing => return Ok(()),
                Err(failure) => return Err(failure),
            };
            match told.status {
                JobStatus::Success => return Ok(()),
                JobStatus::Fail => return Err(job_failure(&told, server)),
                JobStatus::Init => self.progress("INIT".to_owned()).await,
                JobStatus::Running => self.progress("RUNNING".to_owned()).await,
                JobStatus::Other(word) => self.progress(word).await,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    async fn mark_sent(&mut self, server: Option<String>, job: Option<String>) -> Result<()> {
        let (id, at) = (self.id.clone(), self.wangcheng.now());
        self.wangcheng
            .ledger(move |ledger| ledger.mark_sent(&id, server.as_deref(), job.as_deref(), at))
            .await?;
        let detail = std::mem::take(&mut self.operation.detail);
        self.operation = self.wangcheng.operation(&self.id).await?;
        self.operation.detail = detail;
        self.wangcheng
            .publish(Change::Operation(Box::new(self.operation.clone())));
        self.live.bell.notify_one();
        Ok(())
    }

    /// Notes what the cloud is doing, when it is something new.
    async fn progress(&mut self, word: String) {
        if self.operation.detail.progress.as_deref() == Some(&word) {
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
        self.wangcheng
            .publish(Change::Operation(Box::new(self.operation.clone())));
    }

    /// Writes the operation's end and its event in one transaction.
    async fn settle(&mut self, result: &Result<Done>) -> Result<()> {
        self.operation.detail.progress = None;
        let at = self.wangcheng.now();
        let event = self.event(result, at);
        let (outcome, error) = match result {
            Ok(_) => (Outcome::Ok, None),
            Err(failure) => (Outcome::Failed, serde_json::to_string(failure).ok()),
        };
        let detail = serde_json::to_string(&self.operation.detail)
            .map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = self.id.clone();
        let rows = self
            .wangcheng
            .ledger(move |ledger| {
                ledger.set_detail(&id, &detail)?;
                match ledger.settle(&id, outcome, error.as_deref(), at, vec![event.clone()]) {
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

    fn event(&self, result: &Result<Done>, at: DateTime<Utc>) -> store::NewEvent {
        let detail = &self.operation.detail;
        let action = match self.operation.kind {
            OperationKind::CreateServer => Action::ServerCreated,
            OperationKind::UpdateLease if detail.lease_end_before.is_none() => Action::LeaseSet,
            OperationKind::UpdateLease => Action::LeaseExtended,
            OperationKind::DeleteServer => Action::ServerDeleted,
        };
        let time = result.as_ref().map_or_else(|_| self.cloud_now(), |done| done.at);
        let mut draft = Draft::new(action, time, &self.wangcheng.inner.client);
        draft
            .set("server_name", self.operation.row.server_name.as_str())
            .set("flavor", detail.flavor.clone())
            .set("vcpus", detail.vcpus)
            .set("ram_mb", detail.ram_mb)
            .set("image", detail.image.clone())
            .set("os", detail.os.clone())
            .set("purpose", detail.purpose.clone())
            .set(
                "duration_s",
                crate::clock::seconds_between(self.operation.row.recorded_at, at),
            );
        match self.operation.kind {
            OperationKind::CreateServer => {
                draft
                    .set("template", detail.template.clone())
                    .set("disk_gb", detail.disk_gb)
                    .set("disk_count", detail.disk_count)
                    .set("disk_type", DISK_TYPE)
                    .set("eip", detail.eip.clone())
                    .set("bandwidth_mbps", detail.bandwidth_mbps)
                    .set_time("lease_end", detail.lease_end)
                    .set_price(detail.price.as_ref());
            }
            OperationKind::UpdateLease => {
                draft
                    .set_time("lease_end", detail.lease_end)
                    .set_time("lease_end_before", detail.lease_end_before);
            }
            OperationKind::DeleteServer => {
                draft.set("cause", "user").set_time("lease_end", detail.lease_end);
            }
        }
        if let Err(failure) = result {
            draft.fail(failure);
        }
        draft.finish(
            &self.live.account,
            Some(&self.id),
            self.operation.row.server_id.as_deref(),
        )
    }
}

/// Why a job failed: the part about this server, else the whole.
fn job_failure(job: &ecs::Job, server: &ServerId) -> Failure {
    let part = job
        .sub_jobs
        .iter()
        .find(|sub| sub.server_id.as_ref() == Some(server));
    let part = part.or_else(|| job.sub_jobs.iter().find(|sub| sub.status == JobStatus::Fail));
    let code = part
        .and_then(|sub| sub.error_code.clone())
        .or_else(|| job.error_code.clone());
    let reason = part
        .and_then(|sub| sub.fail_reason.clone())
        .or_else(|| job.fail_reason.clone());
    let mut failure = Failure::new(Code::JobFailed);
    if let Some(reason) = reason {
        failure = failure.saying(reason);
    }
    failure.provider_code = code;
    failure
}
