//! A way to a server for what has no tab of its own: a shell of a terminal, a program, copies, tunnels. It logs in with the
//! same keys and by the same host keys as a session of the window, and the ledger hears of it in the same way.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use remote::{Files, Front, Login, Program, ProgramInput, Queue, Route, Shell, ShellOptions, State, Tunnel};
use tokio::sync::watch;

use super::failure::failure;
use super::login::How;
use crate::Wangcheng;
use crate::events::Action;
use crate::failure::Result;
use crate::servers::Server;

/// How often a lost tunnel is made anew, each time.
const RECONNECTS: u32 = 10;

/// What a login is for, as the ledger tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A shell, a program or a tunnel.
    Ssh,
    /// Files.
    Sftp,
    /// The provider's console.
    Console,
}

impl Kind {
    /// Its name in events.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Sftp => "sftp",
            Self::Console => "console",
        }
    }
}

/// A way to one server.
pub struct Link {
    told: Arc<Told>,
    login: Login,
    state: watch::Receiver<State>,
    /// The server's address, for people.
    pub address: String,
}

/// What the ledger is to hear of a login.
pub(crate) struct Told {
    wangcheng: Wangcheng,
    server: Server,
    account: store::Account,
    kind: Kind,
    opened: Mutex<Since>,
}

enum Since {
    NotYet,
    Open(DateTime<Utc>),
    Over,
}

impl Told {
    pub(super) fn new(wangcheng: Wangcheng, server: Server, account: store::Account, kind: Kind) -> Self {
        Self {
            wangcheng,
            server,
            account,
            kind,
            opened: Mutex::new(Since::NotYet),
        }
    }

    /// Somebody was let in. Counts once.
    pub(super) async fn opened(&self) {
        let now = self.wangcheng.now();
        {
            let mut since = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if !matches!(*since, Since::NotYet) {
                return;
            }
            *since = Since::Open(now);
        }
        self.tell(Action::SessionOpened, None).await;
    }

    /// It is over. Counts once.
    pub(super) async fn closed(&self) {
        let since = {
            let mut since = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *since, Since::Over)
        };
        if let Since::Open(since) = since {
            let seconds = (self.wangcheng.now() - since).num_seconds().max(0);
            self.tell(Action::SessionClosed, Some(seconds)).await;
        }
    }

    async fn tell(&self, action: Action, seconds: Option<i64>) {
        let told =
            self.wangcheng
                .tell_session(&self.server, &self.account, self.kind.word(), action, seconds);
        if let Err(failure) = told.await {
            tracing::warn!(%failure, "a session is not in the ledger");
        }
    }

    /// Tells the first time that somebody is let in.
    pub(super) fn follow(self: &Arc<Self>, mut state: watch::Receiver<State>) {
        let this = self.clone();
        self.wangcheng.spawn(async move {
            loop {
                let (open, over) = {
                    let state = state.borrow_and_update();
                    (matches!(*state, State::Open), state.is_over())
                };
                if open {
                    return this.opened().await;
                }
                if over || state.changed().await.is_err() {
                    return;
                }
            }
        });
    }
}

impl Wangcheng {
    /// A way to a server, and the front that tells where its login stands and asks what only a person can answer. Nothing
    /// is connected before something is done with it.
    ///
    /// # Errors
    /// As [`Wangcheng::open_session`].
    pub async fn reach(&self, server: &str, how: &How, kind: Kind) -> Result<(Link, Front)> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let way = self.way_to(&server, how).await?;
        let told = Arc::new(Told::new(self.clone(), server, live.account.clone(), kind));
        let link = Link {
            told,
            login: way.login,
            state: way.front.state.clone(),
            address: way.address,
        };
        Ok((link, way.front))
    }
}

impl Link {
    /// Who logs in there.
    pub fn user(&self) -> &str {
        &self.login.to.user
    }

    /// Begins a shell, or a command with a terminal. What becomes of it is told by the front.
    pub fn shell(&self, options: ShellOptions) -> Shell {
        self.told.follow(self.state.clone());
        Shell::start(self.login.clone(), options)
    }

    /// Runs a command without a terminal; without one, the user's shell.
    ///
    /// # Errors
    /// Those of logging in; `SshRejected`.
    pub async fn program(&self, command: Option<&str>) -> Result<(ProgramInput, Program)> {
        let begun = self
            .login
            .program(command)
            .await
            .map_err(|error| failure(&error))?;
        self.told.opened().await;
        Ok(begun)
    }

    /// Connects for files.
    ///
    /// # Errors
    /// Those of logging in.
    pub async fn files(&self) -> Result<Files> {
        let files = Files::open(&self.login).await.map_err(|error| failure(&error))?;
        self.told.opened().await;
        Ok(files)
    }

    /// A queue of copies, on a connection of its own.
    pub fn copies(&self) -> Queue {
        Queue::start(self.login.beside().0)
    }

    /// Begins a tunnel on a connection of its own. The receiver tells where it stands.
    ///
    /// # Errors
    /// `PortTaken` when it cannot listen here.
    pub async fn tunnel(&self, route: Route) -> Result<(Tunnel, watch::Receiver<State>)> {
        let (login, state) = self.login.beside();
        self.told.follow(state.clone());
        let tunnel = Tunnel::start(login, route, RECONNECTS).await;
        Ok((tunnel.map_err(|error| failure(&error))?, state))
    }

    /// It is over: the ledger hears of it.
    pub async fn close(&self) {
        self.told.closed().await;
    }
}
