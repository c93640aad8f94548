//! Screens of servers: the provider's console, and VNC servers that a server itself reaches. A screen is one connection, and
//! its stream of bytes cannot be taken up in the middle by a page that was not there from its beginning: such a page makes
//! another session, and with it takes another token. Each token is asked for when it is used, and kept nowhere.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use huaweicloud::{ServerId, ecs};
use remote::{Front, Login, Measured, Question, Screen, ScreenWay};
use secrecy::SecretString;
use tokio::time::{MissedTickBehavior, interval};

use super::failure::failure;
use super::stream::Reading;
use super::{LOOK, Now, SESSIONS_MOST, Session, State};
use crate::Wangcheng;
use crate::app::Change;
use crate::cloud::Live;
use crate::events::{Action, Draft};
use crate::failure::{Code, Failure, Result};
use crate::servers::{Server, ServerState};

/// How often it is told what goes on on a screen.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// The longest name of a host where VNC answers.
const HOST_MOST: usize = 253;

/// What a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionKind {
    /// A shell.
    Shell,
    /// A screen.
    Screen {
        /// Whose.
        of: ScreenOf,
        /// What goes on on it.
        measured: Measured,
        /// Some page reads or read it; another one cannot.
        seen: bool,
        /// The server was made with a key and no password, which its screen does not take.
        key_only: bool,
    },
}

/// Where a screen is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScreenOf {
    /// At the provider.
    Console,
    /// A VNC server.
    Vnc {
        /// Where it answers, as the server sees it.
        host: String,
        /// Its port.
        port: u16,
    },
}

impl ScreenOf {
    /// The kind of session in events.
    fn word(&self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Vnc { .. } => "vnc",
        }
    }
}

/// The screens of this program.
#[derive(Default)]
pub(super) struct Screens {
    open: Mutex<BTreeMap<String, Arc<OpenScreen>>>,
}

impl Screens {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<OpenScreen>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }
}

/// One screen at work.
pub(super) struct OpenScreen {
    id: String,
    server: Server,
    account: store::Account,
    address: String,
    user: String,
    of: ScreenOf,
    key_only: bool,
    screen: Screen,
    reading: Arc<Reading>,
    seen: AtomicBool,
    now: Mutex<Now>,
}

impl OpenScreen {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> Session {
        let now = self.now();
        Session {
            id: self.id.clone(),
            server: self.server.id.clone(),
            server_name: self.server.name.clone(),
            address: self.address.clone(),
            user: self.user.clone(),
            state: now.state.clone(),
            question: now.asked(),
            banner: now.banner.clone(),
            opened: now.opened,
            recorded: false,
            lease_end: now.lease_end,
            readiness: None,
            idle: now.idle,
            kind: SessionKind::Screen {
                of: self.of.clone(),
                measured: self.screen.measured(),
                seen: self.seen.load(Ordering::Acquire),
                key_only: self.key_only,
            },
        }
    }

    /// Its server, and when the lease of that ends.
    pub(super) fn lease(&self) -> (String, Option<DateTime<Utc>>) {
        (self.server.id.clone(), self.now().lease_end)
    }

    pub(super) fn reading(&self) -> Arc<Reading> {
        self.reading.clone()
    }

    pub(super) async fn type_in(&self, bytes: Vec<u8>) -> Result<()> {
        self.screen.input(bytes).await.map_err(|error| failure(&error))
    }

    /// A page reads it now.
    pub(super) fn looked_at(&self, wangcheng: &Wangcheng) {
        if !self.seen.swap(true, Ordering::AcqRel) {
            wangcheng.publish(Change::Session(Box::new(self.told())));
        }
    }

    pub(super) fn take_question(&self, wangcheng: &Wangcheng, number: u64) -> Option<Question> {
        let taken = self.now().take_question(number);
        if taken.is_some() {
            wangcheng.publish(Change::Session(Box::new(self.told())));
        }
        taken
    }
}

impl Wangcheng {
    /// Begins a screen of a server. What becomes of it is told by [`Change::Session`].
    ///
    /// # Errors
    /// `NotSignedIn`, `ServerUnknown`, `NotOwn`, `NotAdopted`, `ServerNotRunning`, `SessionsTooMany`; for a VNC server those of
    /// [`Wangcheng::open_session`] and `BadInput`; the cloud's and the keychain's.
    pub async fn open_screen(&self, server: &str, of: ScreenOf) -> Result<Session> {
        if self.inner.sessions.count() >= SESSIONS_MOST {
            return Err(Failure::new(Code::SessionsTooMany).with("most", SESSIONS_MOST));
        }
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let key_only = matches!(self.login_key(&server.id).await, Ok(Some(_)));
        let (way, front, address, user, teller) = match &of {
            ScreenOf::Console => {
                let way = self.console_way(&live, &server).await?;
                let (teller, front) = remote::front();
                (way, front, String::new(), String::new(), teller)
            }
            ScreenOf::Vnc { host, port } => {
                if host.is_empty()
                    || host.len() > HOST_MOST
                    || host.chars().any(char::is_control)
                    || *port == 0
                {
                    return Err(Failure::new(Code::BadInput).with("field", "host"));
                }
                if self.rehearsal.is_some() {
                    // The cloud is asked for nothing.
                    return Err(Code::Rehearsed.into());
                }
                // As somebody came there already.
                let way = self.way_to(&server, &self.how_on(&server.id)).await?;
                let (host, port) = (host.clone(), *port);
                let login: Login = way.login;
                let (user, teller) = (login.to.user.clone(), login.teller.clone());
                let login = Box::new(login);
                (
                    ScreenWay::Vnc { login, host, port },
                    way.front,
                    way.address,
                    user,
                    teller,
                )
            }
        };
        let id = uuid::Uuid::new_v4().to_string();
        let screen = Screen::start(way, teller);
        let now = Now::new(server.lease_end, self.now());
        let open = Arc::new(OpenScreen {
            reading: Reading::new(&id, screen.output()),
            id,
            server,
            account: live.account.clone(),
            address,
            user,
            of,
            key_only,
            screen,
            seen: AtomicBool::new(false),
            now: Mutex::new(now),
        });
        self.inner
            .sessions
            .screens
            .lock()
            .insert(open.id.clone(), open.clone());
        let told = open.told();
        self.publish(Change::Session(Box::new(told.clone())));
        let this = self.clone();
        self.spawn(async move { this.follow_screen(open, front).await });
        Ok(told)
    }

    /// The address of a page at the provider that shows a server's screen. It carries a token that is good once, so whoever
    /// has it has the console.
    ///
    /// # Errors
    /// As those of [`Wangcheng::open_screen`].
    pub async fn console_page(&self, server: &str) -> Result<SecretString> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        self.console_of(&live, &server).await
    }

    async fn console_of(&self, live: &Live, server: &Server) -> Result<SecretString> {
        if server.state != ServerState::Running {
            return Err(Failure::new(Code::ServerNotRunning).with("name", &server.name));
        }
        let client = self.client(live).await?;
        let client = match &self.rehearsal {
            Some(rehearsal) => client.rehearsing(rehearsal),
            None => client,
        };
        let asked = ecs::remote_console(&client, &live.project(), &ServerId::from(server.id.as_str())).await;
        if self.rehearsal.is_some() {
            return Err(Code::Rehearsed.into());
        }
        Ok(asked?.value.url)
    }

    /// The way to a server's console, with a fresh token; through the proxy and with the certificates that are set.
    pub(super) async fn console_way(&self, live: &Live, server: &Server) -> Result<ScreenWay> {
        let address = self.console_of(live, server).await?;
        let settings = self.settings().await?;
        let way = tokio::task::spawn_blocking(move || settings.way());
        let way = way
            .await
            .map_err(|error| Failure::new(Code::Internal).saying(error))??;
        Ok(ScreenWay::Console {
            proxy: super::proxy::to(&address, &way.proxy),
            address,
            authorities: way.extra_ca,
        })
    }

    /// Every screen.
    pub(super) fn screens(&self) -> Vec<Session> {
        let screens: Vec<_> = self.inner.sessions.screens.lock().values().cloned().collect();
        screens.iter().map(|open| open.told()).collect()
    }

    pub(super) fn screen(&self, session: &str) -> Option<Arc<OpenScreen>> {
        self.inner.sessions.screens.lock().get(session).cloned()
    }

    /// Ends a screen and forgets it. One that is gone already is no error.
    pub(super) async fn close_screen(&self, session: &str) -> Result<()> {
        let Some(open) = self.inner.sessions.screens.lock().remove(session) else {
            return Ok(());
        };
        open.screen.close();
        open.reading.end();
        self.publish(Change::SessionGone(open.id.clone()));
        self.tell_screen_closed(&open).await
    }

    /// Tells what becomes of a screen, until it is over.
    async fn follow_screen(&self, open: Arc<OpenScreen>, mut front: Front) {
        let mut beat = interval(TELL_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = open.screen.measured();
        let mut changes = self.changes();
        let mut looks = interval(LOOK);
        loop {
            let mut over = false;
            tokio::select! {
                biased;
                Ok(()) = front.state.changed() => {
                    let state = front.state.borrow_and_update().clone();
                    over = state.is_over();
                    self.note_screen(&open, state).await;
                }
                Some(question) = front.questions.recv() => open.now().ask(question),
                change = changes.recv() => match change {
                    Ok(change) if Self::note_servers(&open.server.id, &mut open.now(), &change) => {}
                    _ => continue,
                },
                _ = looks.tick() => {
                    let Some(minutes) = self.idle_minutes().await else { continue };
                    if !self.note_idle(&mut open.now(), open.screen.used(), minutes) {
                        continue;
                    }
                    open.screen.close();
                }
                _ = beat.tick() => {
                    let measured = open.screen.measured();
                    if std::mem::replace(&mut before, measured) == measured {
                        continue;
                    }
                }
            }
            if self.screen(&open.id).is_none() {
                return;
            }
            self.publish(Change::Session(Box::new(open.told())));
            if over {
                return;
            }
        }
    }

    async fn note_screen(&self, open: &OpenScreen, state: State) {
        let first = {
            let mut now = open.now();
            let first = matches!(state, State::Open) && now.opened.is_none() && !now.closed;
            if first {
                now.opened = Some(self.now());
            }
            now.state = state.clone();
            // What was asked in another state is of no use any more.
            now.question = None;
            first
        };
        let told = match (first, state.is_over()) {
            (true, _) => self.tell_screen(open, Action::SessionOpened, None).await,
            (_, true) => self.tell_screen_closed(open).await,
            _ => Ok(()),
        };
        if let Err(failure) = told {
            tracing::warn!(%failure, "a screen is not in the ledger");
        }
    }

    /// Tells the end of a screen that was seen, once.
    async fn tell_screen_closed(&self, open: &OpenScreen) -> Result<()> {
        let opened = {
            let mut now = open.now();
            if std::mem::replace(&mut now.closed, true) {
                return Ok(());
            }
            now.opened
        };
        let Some(opened) = opened else { return Ok(()) };
        let seconds = (self.now() - opened).num_seconds().max(0);
        self.tell_screen(open, Action::SessionClosed, Some(seconds)).await
    }

    async fn tell_screen(&self, open: &OpenScreen, action: Action, seconds: Option<i64>) -> Result<()> {
        let server = &open.server;
        let mut draft = Draft::new(action, self.now(), &self.inner.client);
        draft
            .set("kind", open.of.word())
            .set("server_name", server.name.as_str())
            .set("flavor", server.flavor.as_str())
            .set("vcpus", server.vcpus)
            .set("ram_mb", server.ram_mb)
            .set("image", server.image.clone())
            .set("os", server.os.clone())
            .set("duration_s", seconds);
        let event = draft.finish(&open.account, None, Some(&server.id));
        let rows = self.ledger(move |ledger| ledger.append(vec![event])).await?;
        if let Some(row) = rows.last() {
            self.publish(Change::Events(row.seq));
            self.inner.courier.ring();
        }
        Ok(())
    }
}
