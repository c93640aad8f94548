//! What the shell and the command line hold: the domain in use, and the way into the embedded region and back.
//!
//! The embedded region has a ledger of its own (`demo/` beside the real one), so that nothing tried out there can ever
//! be delivered to the company's data platform or stand beside what was real.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{RwLock, broadcast};
use wangcheng::settings::{Language, Settings, Theme};
use wangcheng::{ClientInfo, Clock, Code, Demo, Endpoints, Failure, Options, Result, Wangcheng};

use crate::desk::Desk;
use crate::error::WireError;
use crate::views::{
    Accounts, AppInfo, Beginning, Change, Delivery, DemoRegion, DemoUser, Operation, Region, ServerList,
    Speaker,
};
use crate::words::Tongue;

const CHANGES_KEPT: usize = 256;
/// Stands in the embedded region's directory while it is what a start opens.
const IN_USE: &str = "in-use";

/// What a start of the program wishes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Launch {
    /// Opens the embedded region.
    pub demo: bool,
    /// Opens the real ledger, whatever the window showed last: what a script does must not depend on that.
    pub real: bool,
    /// Language for this run.
    pub language: Option<Language>,
    /// Look for this run.
    pub theme: Option<Theme>,
}

/// Starts the embedded region, with its state in the given directory.
pub type StartDemo = Arc<dyn Fn(PathBuf) -> BoxFuture<'static, Result<(Endpoints, Demo)>> + Send + Sync>;

/// Where things are.
#[derive(Clone)]
pub struct Places {
    /// Directory of the ledger.
    pub data_dir: PathBuf,
    /// Who we are.
    pub client: ClientInfo,
    /// The system's language tag.
    pub system_language: String,
    /// The embedded region: its id, its people (name and role), and how it is started.
    pub demo_region: String,
    /// People of the embedded region, name and role.
    pub demo_users: Vec<(String, String)>,
    /// How it is started.
    pub start_demo: StartDemo,
}

/// Everything that interface and command line can ask.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
    /// A domain that acts are only rehearsed with.
    rehearsing: Option<Wangcheng>,
}

struct Inner {
    only_this_run: AtomicBool,
    places: Places,
    launch: Mutex<Launch>,
    tongue: Mutex<Tongue>,
    current: RwLock<Current>,
    changes: broadcast::Sender<Change>,
    desk: Desk,
}

struct Current {
    domain: Result<Wangcheng>,
    demo: bool,
    notice: Option<Failure>,
}

impl Api {
    /// Opens the ledger and goes to work. A ledger that cannot be opened is what every call then answers, so that the
    /// window can show why.
    pub async fn open(places: Places, launch: Launch) -> Self {
        let demo = launch.demo || (!launch.real && places.data_dir.join("demo").join(IN_USE).exists());
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let nobody = Current {
            domain: Err(Code::Internal.into()),
            demo,
            notice: None,
        };
        let api = Self {
            rehearsing: None,
            inner: Arc::new(Inner {
                only_this_run: AtomicBool::new(false),
                tongue: Mutex::new(Tongue::from_tag(&places.system_language)),
                places,
                launch: Mutex::new(launch),
                current: RwLock::new(nobody),
                changes,
                desk: Desk::default(),
            }),
        };
        let current = api.start(demo).await;
        *api.inner.current.write().await = current;
        api.choose_tongue().await;
        api
    }

    /// Answers one call of the table.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn call(&self, name: &str, request: Value) -> Result<Value, WireError> {
        tracing::debug!(name, "call");
        let answer = crate::calls::dispatch(self, name, request).await;
        answer.map_err(|failure| {
            tracing::info!(name, code = ?failure.code, request_id = failure.request_id, "call failed");
            WireError::new(&failure, self.tongue())
        })
    }

    /// Everything that changes from now on.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// From now on the account that is chosen or signed in to is the one in use for this run only, whichever ledger is
    /// used.
    pub async fn choose_only_for_this_run(&self) {
        self.inner.only_this_run.store(true, Ordering::Relaxed);
        if let Ok(domain) = &self.inner.current.read().await.domain {
            domain.choose_only_for_this_run();
        }
    }

    /// Writes the key of a server that was asked for here to a new file, readable by its owner only. `id`: the server's
    /// or its creation's. Not in the table: a page has no business with names of files.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn write_server_key(&self, id: &str, file: &Path) -> Result<(), WireError> {
        let written = async { self.domain().await?.write_server_key(id, file).await }.await;
        written.map_err(|failure| WireError::new(&failure, self.tongue()))
    }

    /// Stops every task; what is under way is taken up at the next start.
    pub async fn stop(&self) {
        if let Ok(domain) = &self.inner.current.read().await.domain {
            domain.stop().await;
        }
    }

    pub(crate) async fn domain(&self) -> Result<Wangcheng> {
        if let Some(rehearsing) = &self.rehearsing {
            return Ok(rehearsing.clone());
        }
        self.inner.current.read().await.domain.clone()
    }

    /// The same, with a domain that acts are only rehearsed with.
    pub(crate) fn rehearsing(&self, domain: Wangcheng) -> Self {
        Self {
            inner: self.inner.clone(),
            rehearsing: Some(domain),
        }
    }

    pub(crate) fn speaker<'a>(&self, domain: &'a Wangcheng) -> Speaker<'a> {
        Speaker {
            tongue: self.tongue(),
            demo: domain.demo().map(|demo| demo.region.as_str()),
        }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.inner.desk
    }

    /// The directory of the real ledger, where the program logs to whichever ledger is in use.
    pub(crate) fn root_dir(&self) -> &Path {
        &self.inner.places.data_dir
    }

    pub(crate) fn tell(&self, change: Change) {
        // An error only says that nobody listens at the moment.
        let _ = self.inner.changes.send(change);
    }

    pub(crate) fn tongue(&self) -> Tongue {
        *self.inner.tongue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn info(&self) -> Result<AppInfo> {
        let (demo_active, notice) = {
            let current = self.inner.current.read().await;
            (current.demo, current.notice.clone())
        };
        let domain = self.domain().await?;
        let settings = self.settings().await?;
        let places = &self.inner.places;
        let users = places
            .demo_users
            .iter()
            .cloned()
            .map(|(name, role)| DemoUser { name, role })
            .collect();
        Ok(AppInfo {
            version: places.client.version.to_owned(),
            platform: places.client.platform.to_owned(),
            data_dir: domain.data_dir().display().to_string(),
            installation_id: domain.installation_id(),
            demo: Some(DemoRegion {
                region: places.demo_region.clone(),
                users,
            }),
            demo_active,
            language: settings.language,
            theme: settings.theme,
            notice: notice.map(|failure| WireError::new(&failure, self.tongue())),
        })
    }

    /// What a window begins with. That the servers cannot be told keeps nothing else back.
    pub(crate) async fn beginning(&self) -> Result<Beginning> {
        Ok(Beginning {
            info: self.info().await?,
            settings: self.settings().await?,
            accounts: self.accounts().await?,
            operations: self.operations().await?,
            delivery: self.delivery().await?,
            sessions: self.sessions().await?,
            servers: self.servers().await.ok(),
        })
    }

    pub(crate) async fn accounts(&self) -> Result<Accounts> {
        let domain = self.domain().await?;
        Ok(self.speaker(&domain).accounts(domain.accounts().await?))
    }

    pub(crate) async fn operations(&self) -> Result<Vec<Operation>> {
        let domain = self.domain().await?;
        let speaker = self.speaker(&domain);
        let operations = domain.operations().await?.into_iter();
        Ok(operations.map(|operation| speaker.operation(operation)).collect())
    }

    pub(crate) async fn delivery(&self) -> Result<Delivery> {
        let domain = self.domain().await?;
        Ok(self.speaker(&domain).delivery(domain.delivery().await?))
    }

    pub(crate) async fn servers(&self) -> Result<ServerList> {
        let domain = self.domain().await?;
        Ok(self.speaker(&domain).servers(domain.servers().await?))
    }

    /// What is set, with a start's own wish over it.
    pub(crate) async fn settings(&self) -> Result<Settings> {
        Ok(self.wished(self.domain().await?.settings().await?))
    }

    pub(crate) async fn set_settings(&self, settings: Settings) -> Result<Settings> {
        let kept = self.domain().await?.set_settings(settings).await?;
        {
            // What a person sets now counts more than what the start wished.
            let mut launch = self.inner.launch.lock().unwrap_or_else(PoisonError::into_inner);
            launch.language = None;
            launch.theme = None;
        }
        self.choose_tongue().await;
        self.tell(Change::Settings {
            settings: kept.clone(),
        });
        Ok(kept)
    }

    pub(crate) async fn regions(&self) -> Result<Vec<Region>> {
        let domain = self.domain().await?;
        let demo = domain.demo().map(|demo| demo.region.clone());
        let view = |region: &wangcheng::CloudRegion| Region {
            id: region.id.to_string(),
            name_zh: region.name_zh.clone(),
            name_en: region.name_en.clone(),
            demo: demo.as_deref() == Some(region.id.as_str()),
        };
        Ok(domain.regions().map(view).collect())
    }

    /// The domain of the embedded region; goes there when it is not in use.
    pub(crate) async fn enter_demo(&self) -> Result<Wangcheng> {
        self.switch(true).await?;
        self.domain().await
    }

    /// Signs out; from the last account of the embedded region back to the real ledger, unless the start asked for
    /// the embedded region.
    pub(crate) async fn sign_out(&self, account: &str) -> Result<Accounts> {
        let domain = self.domain().await?;
        let left = domain.sign_out(account).await?;
        let started_there = self
            .inner
            .launch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .demo;
        if domain.demo().is_some() && left.accounts.is_empty() && !started_there {
            self.switch(false).await?;
        }
        let domain = self.domain().await?;
        let accounts = domain.accounts().await?;
        Ok(self.speaker(&domain).accounts(accounts))
    }

    /// Uses the other ledger.
    async fn switch(&self, demo: bool) -> Result<()> {
        let mut current = self.inner.current.write().await;
        if current.demo == demo && current.domain.is_ok() {
            return Ok(());
        }
        let next = self.start(demo).await;
        // The one in use stays in use when the other cannot be opened.
        let next_domain = next.domain.clone()?;
        if let Ok(before) = std::mem::replace(&mut *current, next).domain {
            before.stop().await;
        }
        drop(current);
        drop(next_domain);
        let marker = self.inner.places.data_dir.join("demo").join(IN_USE);
        let kept = if demo {
            tokio::fs::write(&marker, "").await
        } else {
            tokio::fs::remove_file(&marker).await
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "the next start opens the other ledger");
        }
        let _ = self.inner.changes.send(Change::Reload);
        Ok(())
    }

    async fn start(&self, demo: bool) -> Current {
        match self.start_domain(demo).await {
            Ok((domain, notice)) => Current {
                domain: Ok(domain),
                demo,
                notice,
            },
            Err(failure) => {
                tracing::error!(%failure, demo, "the ledger cannot be opened");
                Current {
                    domain: Err(failure),
                    demo,
                    notice: None,
                }
            }
        }
    }

    async fn start_domain(&self, demo: bool) -> Result<(Wangcheng, Option<Failure>)> {
        let places = &self.inner.places;
        let (data_dir, endpoints, region) = if demo {
            let dir = places.data_dir.join("demo");
            let (endpoints, region) = (places.start_demo)(dir.clone()).await?;
            (dir, endpoints, Some(region))
        } else {
            (places.data_dir.clone(), Endpoints::builtin(), None)
        };
        let opened = Wangcheng::open(Options {
            clock: Clock::system(),
            data_dir,
            client: places.client.clone(),
            endpoints,
            demo: region,
        })
        .await?;
        if self.inner.only_this_run.load(Ordering::Relaxed) {
            opened.wangcheng.choose_only_for_this_run();
        }
        self.forward(&opened.wangcheng);
        opened.wangcheng.start().await?;
        Ok((opened.wangcheng, opened.notice))
    }

    /// Turns the domain's changes into wire changes until the domain is gone.
    fn forward(&self, domain: &Wangcheng) {
        let (api, domain) = (self.clone(), domain.clone());
        let mut changes = domain.changes();
        let stopped = domain.stopped();
        tokio::spawn(async move {
            loop {
                let change = tokio::select! {
                    change = changes.recv() => change,
                    () = stopped.cancelled() => return,
                };
                let change = match change {
                    Ok(change) => api.speaker(&domain).change(change),
                    Err(broadcast::error::RecvError::Lagged(_)) => Change::Reload,
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                let _ = api.inner.changes.send(change);
            }
        });
    }

    /// A start's wish over what is set.
    fn wished(&self, settings: Settings) -> Settings {
        let launch = *self.inner.launch.lock().unwrap_or_else(PoisonError::into_inner);
        Settings {
            language: launch.language.unwrap_or(settings.language),
            theme: launch.theme.unwrap_or(settings.theme),
            ..settings
        }
    }

    async fn choose_tongue(&self) {
        let set = match self.domain().await {
            Ok(domain) => domain.settings().await.unwrap_or_default(),
            Err(_) => Settings::default(),
        };
        let tongue = match self.wished(set).language {
            Language::Chinese => Tongue::Chinese,
            Language::English => Tongue::English,
            Language::System => Tongue::from_tag(&self.inner.places.system_language),
        };
        *self.inner.tongue.lock().unwrap_or_else(PoisonError::into_inner) = tongue;
    }
}
