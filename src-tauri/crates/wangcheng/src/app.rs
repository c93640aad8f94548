//! The whole of the domain around one ledger.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use huaweicloud::{Credentials, Endpoints, Http, Rehearsal};
use secrecy::SecretString;
use store::Ledger;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::cloud::Live;
use crate::delivery::{Courier, Delivery};
use crate::failure::{Code, Failure, Result};
use crate::keychain::Keychain;
use crate::operations::Operation;
use crate::platform::ReadingNow;
use crate::servers::ServerList;
use crate::sessions::Edit;
use crate::sessions::files::Job;
use crate::sessions::{Session, SessionPreferences, Sessions, TunnelNow};
use crate::settings::Way;
use crate::watch::LeaseWarning;

/// How many changes a slow listener may lag behind before it is told to read everything anew.
const CHANGES_KEPT: usize = 256;

/// Who speaks to the cloud and to the data platform, as it stands in every event.
#[derive(Debug, Clone)]
pub struct ClientInfo {
    /// `desktop` or `cli`.
    pub name: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// `windows`, `macos` or `linux`.
    pub platform: &'static str,
}

/// What the domain needs from outside.
pub struct Options {
    /// Where "now" comes from.
    pub clock: Clock,
    /// Directory of the ledger. Several programs may share it.
    pub data_dir: PathBuf,
    /// Who we are.
    pub client: ClientInfo,
    /// The regions that can be signed in to.
    pub endpoints: Endpoints,
    /// The embedded region, where these endpoints are its.
    pub demo: Option<Demo>,
}

/// The embedded region: whose keys it knows, and where its receiver of events is.
#[derive(Debug, Clone)]
pub struct Demo {
    /// Region id.
    pub region: String,
    /// People one can be there.
    pub users: Vec<DemoUser>,
    /// The receiver of events.
    pub hei_url: Url,
    /// Its token.
    pub hei_token: SecretString,
    /// Where it says how its servers are reached: their addresses lead nowhere.
    pub guests: Option<Url>,
}

/// One person of the embedded region.
#[derive(Debug, Clone)]
pub struct DemoUser {
    /// User name.
    pub name: String,
    /// What this person may do, e.g. `developer`.
    pub role: String,
    /// The person's key.
    pub credentials: Credentials,
}

/// Something changed. Sent once; windows follow this and never ask the cloud by themselves.
#[derive(Debug, Clone)]
pub enum Change {
    /// Accounts were added, removed, chosen, stopped or taken up again.
    Accounts(Accounts),
    /// The servers of an account were read, or could not be.
    Servers(ServerList),
    /// An operation was recorded, went on or settled.
    Operation(Box<Operation>),
    /// Events were written, up to this sequence number.
    Events(u64),
    /// Another grant is in force, or it could not be asked for.
    Grant,
    /// Delivery went on or stopped.
    Delivery(Box<Delivery>),
    /// The end of a lease is near. Told once for each deadline and warning.
    LeaseWarned(LeaseWarning),
    /// A session began, went on, or asks something.
    Session(Box<Session>),
    /// A session was closed, by its id.
    SessionGone(String),
    /// Whoever reads the output of this session stopped to say what it shows, and has to read anew.
    SessionStalled(String),
    /// The copies of this session's files went on.
    SessionCopies(String, Arc<Vec<Job>>),
    /// The files of a session that are changed here.
    SessionEdits(String, Vec<Edit>),
    /// The tunnels that are kept changed, or went on.
    Tunnels(Arc<Vec<TunnelNow>>),
    /// What is set for all sessions.
    SessionPreferences(SessionPreferences),
    /// A pull or import of everybody's events went on or ended.
    Reading(Box<ReadingNow>),
}

/// The result of [`Wangcheng::open`].
#[derive(Debug)]
pub struct Opened {
    /// The domain, not yet at work; see [`Wangcheng::start`].
    pub wangcheng: Wangcheng,
    /// Something that the user must be told, e.g. that a damaged ledger was set aside.
    pub notice: Option<Failure>,
}

/// The domain around one ledger. Cheap to clone.
#[derive(Clone)]
pub struct Wangcheng {
    pub(crate) inner: Arc<Inner>,
    /// What is asked of the cloud by this clone is kept here, instead of being sent.
    pub(crate) rehearsal: Option<Rehearsal>,
}

pub(crate) struct Inner {
    pub clock: Clock,
    pub data_dir: PathBuf,
    pub client: ClientInfo,
    pub endpoints: Endpoints,
    pub demo: Option<Demo>,
    pub ledger: Arc<Ledger>,
    /// Everybody's usage, opened when it is first asked for.
    pub tally: Mutex<Option<Arc<store::Tally>>>,
    /// The pull or import that is under way, or was last.
    pub reading: crate::platform::Reading,
    pub keychain: Keychain,
    pub http: Http,
    pub changes: broadcast::Sender<Change>,
    pub live: Mutex<HashMap<String, Arc<Live>>>,
    /// Choosing an account changes nothing for other programs and later runs.
    pub only_this_run: AtomicBool,
    /// Our id of the account that was chosen for this run only.
    pub chosen: Mutex<Option<String>>,
    /// Ids of the operations that are being followed.
    pub followed: Mutex<HashSet<String>>,
    /// Secrets of operations by their ids, from the asking to the sending, and nowhere else.
    pub held: Mutex<HashMap<String, SecretString>>,
    /// Rung when somebody does not want an operation any more.
    pub cancels: Notify,
    pub sessions: Sessions,
    /// What was counted last, for the questions of a form.
    pub counted: crate::grants::LastCount,
    pub courier: Courier,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

impl Wangcheng {
    /// Opens the ledger. Nothing is sent anywhere yet.
    ///
    /// # Errors
    /// `LedgerInUse`, `LedgerNewer`, `LedgerFull`, `LedgerReadOnly`, `LedgerFailed`; `Internal` when the HTTP client cannot be made.
    pub async fn open(options: Options) -> Result<Opened> {
        let Options {
            clock,
            data_dir,
            client,
            endpoints,
            demo,
        } = options;
        let (dir, now) = (data_dir.clone(), clock.now());
        let opened = tokio::task::spawn_blocking(move || Ledger::open(&dir, now))
            .await
            .map_err(|error| Failure::new(Code::Internal).saying(error))??;
        // A proxy or a certificate that cannot be used any more must not keep the window from opening, in which it is
        // set right.
        let set = crate::settings::kept(&opened.ledger)?;
        let (way, unusable) = match tokio::task::spawn_blocking(move || set.way()).await {
            Ok(Ok(way)) => (way, None),
            Ok(Err(failure)) => (Way::default(), Some(failure)),
            Err(error) => return Err(Failure::new(Code::Internal).saying(error)),
        };
        let courier = Courier::new(&way)?;
        let http = crate::cloud::http(&client, &clock, way)?;
        let rescued = opened.rescued;
        let notice = opened.set_aside.map(|file| {
            Failure::new(Code::LedgerSetAside)
                .with("file", file.display().to_string())
                .with("rescued", rescued)
        });
        let notice = notice.or(unusable);
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let inner = Inner {
            clock,
            data_dir,
            client,
            endpoints,
            demo,
            ledger: Arc::new(opened.ledger),
            tally: Mutex::default(),
            reading: crate::platform::Reading::default(),
            keychain: Keychain::default(),
            http,
            changes,
            live: Mutex::default(),
            only_this_run: AtomicBool::new(false),
            chosen: Mutex::default(),
            followed: Mutex::default(),
            held: Mutex::default(),
            cancels: Notify::new(),
            sessions: Sessions::default(),
            counted: crate::grants::LastCount::default(),
            courier,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Ok(Opened {
            wangcheng: Self {
                inner: Arc::new(inner),
                rehearsal: None,
            },
            notice,
        })
    }

    /// Goes to work: takes up what was not settled, follows the account in use, delivers events.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn start(&self) -> Result<()> {
        self.spawn_delivery();
        self.spawn_heartbeat();
        self.spawn_grants();
        self.spawn_marking();
        self.spawn_watch();
        self.resume_operations().await?;
        self.follow_active_account().await
    }

    /// Stops every task and waits for them; what is under way is taken up at the next start.
    pub async fn stop(&self) {
        if let Err(failure) = self.close_sessions().await {
            tracing::warn!(%failure, "the end of a session is not in the ledger");
        }
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Everything that changes from now on.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// The directory of this ledger.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.inner.data_dir
    }

    /// The random id of this installation, as it stands in every event.
    pub fn installation_id(&self) -> String {
        self.inner.ledger.installation_id().to_owned()
    }

    /// The embedded region, when this is one.
    pub fn demo(&self) -> Option<&Demo> {
        self.inner.demo.as_ref()
    }

    /// The regions that can be signed in to.
    pub fn regions(&self) -> impl Iterator<Item = &huaweicloud::Region> {
        self.inner.endpoints.regions()
    }

    /// Cancelled once the domain stops.
    pub fn stopped(&self) -> CancellationToken {
        self.inner.stop.clone()
    }

    /// The moment it is, here.
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.inner.clock.now()
    }

    pub(crate) fn publish(&self, change: Change) {
        if matches!(change, Change::Operation(_)) {
            self.inner.counted.forget();
        }
        // An error only says that nobody listens at the moment.
        let _ = self.inner.changes.send(change);
    }

    /// Runs one act on the ledger away from the threads that must not wait for a disk.
    pub(crate) async fn ledger<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Ledger) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T> {
        let ledger = self.inner.ledger.clone();
        tokio::task::spawn_blocking(move || act(&ledger))
            .await
            .map_err(|error| Failure::new(Code::Internal).saying(error))?
            .map_err(Failure::from)
    }

    pub(crate) fn live_accounts(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn followed(&self) -> MutexGuard<'_, HashSet<String>> {
        self.inner.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, HashMap<String, SecretString>> {
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a task that ends when the domain stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.inner.stop.clone();
        self.inner.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }
}

impl std::fmt::Debug for Wangcheng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wangcheng")
            .field("data_dir", &self.inner.data_dir)
            .finish_non_exhaustive()
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        let code = match &error {
            store::Error::InUse { .. } => Code::LedgerInUse,
            store::Error::NewerSchema { .. } => Code::LedgerNewer,
            store::Error::ReadOnly => Code::LedgerReadOnly,
            store::Error::Full => Code::LedgerFull,
            _ => Code::LedgerFailed,
        };
        Failure::new(code).saying(error)
    }
}
