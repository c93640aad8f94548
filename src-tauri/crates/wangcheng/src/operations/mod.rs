//! Everything asked of the cloud that takes time: recorded before it is sent, followed to its end, settled together
//! with its event, taken up again after a restart.
//!
//! | found at a start | what is done |
//! |---|---|
//! | a creation (of a server, of a disk), recorded | sent again with the same client token: the cloud answers as it did the first time |
//! | a creation whose token is too old | looked for by its tag |
//! | tags and flags of a new server's parts | set again: doing it twice does what doing it once does |
//! | anything, sent | followed by its job id; if the job is forgotten, settled by reading the server or the disk |
//! | a change of size, sent | followed by its job id; the server is started again where it ran before |
//! | a new password | not sent any more, because it is not kept anywhere |
//! | a restart, recorded | followed where it is under way; else its outcome is unknown, because twice is too often |
//! | anything else, recorded | the server or the disk is read first, and only what is not done yet is sent |

mod admit;
mod cancel;
mod create;
mod delete;
mod disks;
mod lease;
mod leftovers;
mod office;
mod outcome;
mod parts;
mod password;
mod power;
mod rehearse;
mod rename;
mod resize;
mod runner;
mod tags;
mod undo;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use store::NewOperation;
use ts_rs::TS;

pub use self::disks::AddDisk;
pub use self::office::AuditAct;
pub use self::power::PowerAct;
use self::runner::Runner;
use crate::Wangcheng;
use crate::app::Change;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::money::Money;
use crate::servers::{Server, ServerState};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How many operations a list shows.
pub(crate) const LISTED: u32 = 200;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum OperationKind {
    /// A server is made.
    #[serde(rename = "server.create")]
    CreateServer,
    /// A lease's end is moved.
    #[serde(rename = "lease.update")]
    UpdateLease,
    /// A lease is taken off.
    #[serde(rename = "lease.cancel")]
    CancelLease,
    /// A server is started.
    #[serde(rename = "server.start")]
    StartServer,
    /// A server is stopped.
    #[serde(rename = "server.stop")]
    StopServer,
    /// A server is restarted.
    #[serde(rename = "server.reboot")]
    RebootServer,
    /// A server is deleted.
    #[serde(rename = "server.delete")]
    DeleteServer,
    /// What was made with a server gets its tags and is set to go with it.
    #[serde(rename = "server.mark_parts")]
    MarkParts,
    /// A disk is made and attached.
    #[serde(rename = "disk.add")]
    AddDisk,
    /// A disk is made larger.
    #[serde(rename = "disk.grow")]
    GrowDisk,
    /// A disk is taken off its server.
    #[serde(rename = "disk.detach")]
    DetachDisk,
    /// A disk that was taken off its server is attached again.
    #[serde(rename = "disk.attach")]
    AttachDisk,
    /// A disk is deleted.
    #[serde(rename = "disk.delete")]
    DeleteDisk,
    /// A public address is given back.
    #[serde(rename = "eip.release")]
    ReleaseAddress,
    /// A server gets another flavor.
    #[serde(rename = "server.resize")]
    ResizeServer,
    /// A server gets another name.
    #[serde(rename = "server.rename")]
    RenameServer,
    /// A server's tags are changed.
    #[serde(rename = "server.tag")]
    TagServer,
    /// A server made elsewhere is taken over.
    #[serde(rename = "server.adopt")]
    AdoptServer,
    /// A server's administrator gets another password.
    #[serde(rename = "server.password")]
    ResetPassword,
    /// A security group is made that lets one address in.
    #[serde(rename = "network.admit")]
    AdmitSsh,
}

impl OperationKind {
    const ALL: [Self; 20] = [
        Self::CreateServer,
        Self::UpdateLease,
        Self::CancelLease,
        Self::StartServer,
        Self::StopServer,
        Self::RebootServer,
        Self::DeleteServer,
        Self::MarkParts,
        Self::AddDisk,
        Self::GrowDisk,
        Self::DetachDisk,
        Self::AttachDisk,
        Self::DeleteDisk,
        Self::ReleaseAddress,
        Self::ResizeServer,
        Self::RenameServer,
        Self::TagServer,
        Self::AdoptServer,
        Self::ResetPassword,
        Self::AdmitSsh,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CreateServer => "server.create",
            Self::UpdateLease => "lease.update",
            Self::CancelLease => "lease.cancel",
            Self::StartServer => "server.start",
            Self::StopServer => "server.stop",
            Self::RebootServer => "server.reboot",
            Self::DeleteServer => "server.delete",
            Self::MarkParts => "server.mark_parts",
            Self::AddDisk => "disk.add",
            Self::GrowDisk => "disk.grow",
            Self::DetachDisk => "disk.detach",
            Self::AttachDisk => "disk.attach",
            Self::DeleteDisk => "disk.delete",
            Self::ReleaseAddress => "eip.release",
            Self::ResizeServer => "server.resize",
            Self::RenameServer => "server.rename",
            Self::TagServer => "server.tag",
            Self::AdoptServer => "server.adopt",
            Self::ResetPassword => "server.password",
            Self::AdmitSsh => "network.admit",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
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
    /// Of it, the disks.
    pub price_disk: Option<Decimal>,
    /// Of it, the public address.
    pub price_address: Option<Decimal>,
    /// The flavor costs on while the server is stopped.
    pub charged_when_stopped: Option<bool>,
    /// The server's SSH host key, public half, where it was made here together with a key for its owner.
    pub host_key: Option<String>,
    /// What the cloud is doing, in its own word.
    pub progress: Option<String>,
    /// The disk or public address that it is about.
    pub part: Option<Part>,
    /// What could not be done besides. The act itself is none the worse for it.
    pub problem: Option<Failure>,
    /// How many parts of a deleted server are left, and cost.
    pub left: Option<u32>,
    /// The cloud may have something of it although nothing says that it took it.
    pub perhaps_sent: bool,
    /// It was sent, or was about to be, and what it carried is not kept anywhere.
    pub sending: bool,
    /// The security group that was made.
    pub security_group: Option<String>,
    /// In which state it was found, where it did not run.
    pub stands: Option<ServerState>,
    /// Why a server that ran before does not run again.
    pub stays_stopped: Option<Failure>,
    /// The limit of a grant that a new server or disk was too much for, for which it was taken away again.
    pub undone: Option<Failure>,
    /// What a disk is to grow to was claimed by a tag of it.
    pub claims: bool,
}

/// A disk or a public address that an operation is about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// The cloud's id, once known.
    pub id: Option<String>,
    /// Its name, or the address.
    pub name: String,
    /// Type of a disk.
    pub kind: Option<String>,
    /// Size of a disk, in GB: the one that it has in the end.
    pub gb: Option<u32>,
    /// The size before.
    pub gb_before: Option<u32>,
    /// Its device in the guest.
    pub device: Option<String>,
    /// The server starts from it.
    pub system: bool,
    /// Id of the server that it belongs or belonged to, by its tag.
    pub server: Option<String>,
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
    pub(crate) fn read(row: store::Operation) -> Option<Self> {
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

impl Wangcheng {
    /// The newest operations, newest first.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn operations(&self) -> Result<Vec<Operation>> {
        self.newest_operations(LISTED).await
    }

    /// So many of the newest operations, newest first.
    pub(crate) async fn newest_operations(&self, most: u32) -> Result<Vec<Operation>> {
        let rows = self.ledger(move |ledger| ledger.operations(most, None)).await?;
        Ok(rows.into_iter().filter_map(Operation::read).collect())
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
        if self.rehearsal.is_some() {
            let operation = Operation {
                kind,
                row: store::Operation {
                    id,
                    kind: kind.as_str().to_owned(),
                    account: live.account.id.clone(),
                    server_id,
                    server_name,
                    stage: store::Stage::Recorded,
                    outcome: None,
                    error: None,
                    client_token,
                    job_id: None,
                    request,
                    detail: String::new(),
                    recorded_at: self.now(),
                    sent_at: None,
                    settled_at: None,
                    cancel_asked_at: None,
                },
                detail,
                failure: None,
            };
            return Err(self.rehearse(live.clone(), operation, false).await);
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

    async fn find_operation(&self, id: &str) -> Result<Option<Operation>> {
        let wanted = id.to_owned();
        let row = self.ledger(move |ledger| ledger.operation(&wanted)).await?;
        Ok(row.and_then(Operation::read))
    }

    async fn operation(&self, id: &str) -> Result<Operation> {
        let operation = self.find_operation(id).await?;
        operation.ok_or_else(|| Failure::new(Code::Internal).saying("the operation is gone"))
    }

    /// Takes up what nobody follows: what was not settled when the program ended, or while its account was signed out.
    pub(crate) async fn resume_operations(&self) -> Result<()> {
        for row in self.ledger(|ledger| ledger.unsettled()).await? {
            let account = row.account.clone();
            let Some(operation) = Operation::read(row) else {
                continue;
            };
            match self.live(&account).await {
                Ok(live) => self.spawn_runner(live, operation, true),
                // Signed out in between: its key is gone, and with it the way to follow. It is taken up when the
                // same person signs in again.
                Err(failure) => tracing::warn!(operation = %operation.row.id, %failure, "cannot be taken up"),
            }
        }
        Ok(())
    }

    /// Follows an operation, unless it is followed already, here or by another program.
    fn spawn_runner(&self, live: Arc<Live>, operation: Operation, resumed: bool) {
        let id = operation.row.id.clone();
        if !self.followed().insert(id.clone()) {
            return;
        }
        let this = self.clone();
        self.spawn(async move {
            if let Some(claim) = this.claim(&id).await {
                this.run(live, operation, resumed).await;
                claim.done();
            }
            // Whoever followed it, what it carried is of no use any more.
            this.held().remove(&id);
            this.followed().remove(&id);
        });
    }

    async fn run(&self, live: Arc<Live>, mut operation: Operation, mut resumed: bool) {
        let id = operation.row.id.clone();
        // It may have been followed elsewhere until just now.
        if let Ok(fresh) = self.operation(&id).await {
            resumed |= fresh.row.stage != operation.row.stage;
            operation = fresh;
        }
        if operation.row.stage == store::Stage::Settled {
            return;
        }
        if resumed {
            tracing::info!(operation = %id, kind = operation.kind.as_str(), "taken up again");
        }
        Runner::new(self.clone(), live, operation, resumed).run().await;
    }

    /// The right to follow an operation. A ledger that cannot be used for a while does not leave it alone for good.
    async fn claim(&self, id: &str) -> Option<store::Claim> {
        let mut pause = FIRST_PAUSE;
        loop {
            let wanted = id.to_owned();
            match self.ledger(move |ledger| ledger.claim(&wanted)).await {
                Ok(claim) => return claim,
                Err(failure) => tracing::error!(operation = %id, %failure, "cannot be claimed yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
