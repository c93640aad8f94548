//! Sessions on the wire.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::sessions::{
    Ask, CloudInit, KnownKey, Readiness, ScreenOf, SessionKind, SshError, State, failure,
};

use super::{Settings, Speaker};
use crate::error::WireError;

/// A shell or a screen of a server.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Server id.
    pub server: String,
    /// Name of the server.
    pub server_name: String,
    /// The server's address.
    pub address: String,
    /// Who is logged in.
    pub user: String,
    /// Where it stands.
    pub state: SessionState,
    /// What it waits for a person to answer.
    pub question: Option<SessionQuestion>,
    /// What the server said before the login; untrusted text.
    pub banner: String,
    /// What there is of it, if it is a screen.
    pub screen: Option<ScreenView>,
    /// It is recorded at the moment.
    pub recorded: bool,
    /// When the lease of its server ends.
    pub lease_end: Option<DateTime<Utc>>,
    /// What its user should know of the server: that it is not ready.
    pub readiness: Option<ReadinessView>,
    /// It was ended because nobody used it.
    pub idle: bool,
}

/// A screen.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScreenView {
    /// Where it is: nothing for the provider's console.
    pub vnc: Option<VncPlace>,
    /// Some page reads or read it; another one has to make it anew.
    pub seen: bool,
    /// The server was made with a key and no password, which its screen does not take.
    pub key_only: bool,
    /// Bytes received so far.
    #[ts(type = "number")]
    pub received: u64,
    /// Updates so far.
    #[ts(type = "number")]
    pub updates: u64,
    /// How long an answer took the last time, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Pixels in a row.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
}

/// Where a VNC server answers, as the server of the cloud sees it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct VncPlace {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A screen to show.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct OpenScreen {
    /// Server id.
    pub server: String,
    /// A VNC server instead of the provider's console.
    #[serde(default)]
    pub vnc: Option<VncPlace>,
}

/// What a person set for all sessions.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionPreferences {
    /// Every session is recorded from its beginning.
    pub record: bool,
    /// A session that nobody used for so many minutes is ended; 0: never.
    pub idle_minutes: u32,
}

/// That a server is not ready, and why.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReadinessView {
    /// `running`, `failed` or `unknown`; nothing when cloud-init has finished.
    pub preparing: Option<String>,
    /// What cloud-init says; untrusted text.
    pub detail: String,
    /// The end of its log; untrusted text.
    pub log: String,
    /// Disks with room that nothing uses yet.
    pub grown: Vec<GrownDisk>,
}

/// A disk with room that nothing uses yet.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GrownDisk {
    /// Its name, as `vda`.
    pub name: String,
    /// In bytes.
    #[ts(type = "number")]
    pub size: u64,
}

/// Where a session stands.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SessionState {
    /// On the way to the server.
    Connecting,
    /// Its host key is compared.
    CheckingKey,
    /// Logging in.
    LoggingIn,
    /// The server does not answer yet; it is tried again.
    Waiting {
        /// How often it was tried.
        attempt: u32,
        /// When the next try comes, in milliseconds.
        #[ts(type = "number")]
        next_in_ms: u64,
        /// How long trying goes on, in milliseconds.
        #[ts(type = "number")]
        left_ms: u64,
        /// What happened the last time.
        error: WireError,
    },
    /// Somebody is let in.
    Open,
    /// The connection was lost and is made anew.
    Reconnecting {
        /// Which try comes next, from 1.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// When it comes, in milliseconds.
        #[ts(type = "number")]
        next_in_ms: u64,
        /// Why it was lost, or why the last try failed.
        error: WireError,
    },
    /// Over, as it should be.
    Ended {
        /// What the shell returned, where it did.
        exit: Option<u32>,
        /// The signal that ended it, where one did.
        signal: Option<String>,
    },
    /// Over, and not as it should be.
    Failed {
        /// Why.
        error: WireError,
        /// Both host keys, when another one was shown than is known.
        host_keys: Option<ChangedHostKey>,
    },
}

/// A host key that was shown, and what is known instead.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangedHostKey {
    /// What was shown.
    pub shown: HostKeyView,
    /// What is known.
    pub known: Vec<HostKeyView>,
}

/// A host key, for people.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HostKeyView {
    /// The kind of key, by its name in SSH.
    pub kind: String,
    /// SHA-256 of it, as `ssh` prints it.
    pub fingerprint: String,
    /// The file and line where it stands; nothing for what was shown, or given to the server when it was made.
    pub place: Option<String>,
}

/// A question of a session.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionQuestion {
    /// Its number in the session.
    #[ts(type = "number")]
    pub number: u64,
    /// What is asked.
    pub ask: SessionAsk,
}

/// What is asked.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SessionAsk {
    /// Is this the server's key?
    HostKey {
        /// The host as asked for.
        host: String,
        /// The key that it showed.
        key: HostKeyView,
        /// The id of the server that had this address before.
        formerly: Option<String>,
    },
    /// The passphrase of a key file.
    Passphrase {
        /// The file.
        key: String,
        /// The one before was wrong.
        again: bool,
    },
    /// The user's password.
    Password {
        /// The user.
        user: String,
        /// The one before was wrong.
        again: bool,
    },
    /// What the server wants to know, in its own words.
    Prompts {
        /// What the server calls it.
        name: String,
        /// What it says about it.
        instruction: String,
        /// The prompts: text, and whether what is typed may be seen.
        prompts: Vec<(String, bool)>,
    },
}

/// A server to log in to.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct OpenSession {
    /// Server id.
    pub server: String,
    /// What is wanted otherwise than usual.
    #[serde(default)]
    pub how: Option<SessionHow>,
}

/// How to log in, where it is not as usual. What is empty is as usual.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(default)]
pub struct SessionHow {
    /// As this user.
    pub user: String,
    /// With this key first: the id of a file that was chosen.
    pub key: Option<String>,
    /// Through these hosts, as `ssh -J` takes them.
    pub jumps: String,
}

/// A file with a private key that a person chose in the system's dialog.
#[derive(Debug, Clone, Serialize, TS)]
pub struct ChosenKey {
    /// What it is called here; where it lies is not told.
    pub id: String,
    /// The file's name.
    pub name: String,
}

/// What a window of sessions asks for.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum SessionAct {
    /// Another session on a server.
    Open {
        /// Server id.
        server: String,
        /// The session that it is to log in like.
        #[serde(default)]
        like: Option<String>,
    },
    /// A screen of a server.
    Screen {
        /// Server id.
        server: String,
        /// A VNC server instead of the provider's console.
        vnc: Option<VncPlace>,
    },
    /// The provider's page, in a window that can do nothing, or in the system's browser.
    Page {
        /// Server id.
        server: String,
        /// In the browser.
        browser: bool,
    },
    /// The dialog for a new password, in the main window.
    Password {
        /// Server id.
        server: String,
    },
    /// Ends a session and forgets it.
    Close {
        /// Session id.
        session: String,
    },
    /// The next try to connect comes now.
    Retry {
        /// Session id.
        session: String,
    },
    /// The terminal has another size.
    Resize {
        /// Session id.
        session: String,
        /// Letters in a row.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// Moves the end of the lease of its server further.
    Extend {
        /// Session id.
        session: String,
        /// By so many hours.
        hours: u32,
    },
    /// Records it from now on, or no longer.
    Record {
        /// Session id.
        session: String,
        /// It is to be recorded.
        on: bool,
    },
    /// Sets something for all sessions.
    Prefer {
        /// What is to be.
        preferences: SessionPreferences,
    },
    /// Everything before this offset was shown.
    Shown {
        /// Session id.
        session: String,
        /// The offset.
        #[ts(type = "number")]
        offset: u64,
    },
    /// Answers whether a host key is trusted.
    Trust {
        /// Session id.
        session: String,
        /// The question's number.
        #[ts(type = "number")]
        question: u64,
        /// It is.
        yes: bool,
    },
    /// Answers what is asked; without answers it is a "no".
    Answer {
        /// Session id.
        session: String,
        /// The question's number.
        #[ts(type = "number")]
        question: u64,
        /// One for each prompt.
        #[ts(as = "Vec<String>")]
        answers: Vec<SecretString>,
    },
}

/// What a window of sessions begins with.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionsStart {
    /// Every session.
    pub sessions: Vec<Session>,
    /// Language and look.
    pub settings: Settings,
    /// What is set for all sessions.
    pub preferences: SessionPreferences,
}

impl From<wangcheng::sessions::SessionPreferences> for SessionPreferences {
    fn from(set: wangcheng::sessions::SessionPreferences) -> Self {
        Self {
            record: set.record,
            idle_minutes: set.idle_minutes,
        }
    }
}

impl From<SessionPreferences> for wangcheng::sessions::SessionPreferences {
    fn from(set: SessionPreferences) -> Self {
        Self {
            record: set.record,
            idle_minutes: set.idle_minutes,
        }
    }
}

fn readiness(found: Readiness) -> ReadinessView {
    let (preparing, detail, log) = match found.cloud_init {
        CloudInit::Absent | CloudInit::Done => (None, String::new(), String::new()),
        CloudInit::Running => (Some("running"), String::new(), String::new()),
        CloudInit::Failed { detail, log } => (Some("failed"), detail, log),
        CloudInit::Unknown { detail } => (Some("unknown"), detail, String::new()),
    };
    let disks = found.disks.into_iter().filter(|disk| !disk.is_grown());
    ReadinessView {
        preparing: preparing.map(str::to_owned),
        detail,
        log,
        grown: disks
            .map(|disk| GrownDisk {
                name: disk.name,
                size: disk.size,
            })
            .collect(),
    }
}

fn screen(kind: SessionKind) -> Option<ScreenView> {
    let SessionKind::Screen {
        of,
        measured,
        seen,
        key_only,
    } = kind
    else {
        return None;
    };
    Some(ScreenView {
        vnc: match of {
            ScreenOf::Console => None,
            ScreenOf::Vnc { host, port } => Some(VncPlace { host, port }),
        },
        seen,
        key_only,
        received: measured.received,
        updates: measured.updates,
        latency_ms: measured
            .latency_us
            .map(|latency| f64::from(u32::try_from(latency).unwrap_or(u32::MAX)) / 1000.0),
        width: measured.width,
        height: measured.height,
    })
}

/// Whose screen is asked for.
pub(crate) fn screen_of(vnc: Option<VncPlace>) -> ScreenOf {
    match vnc {
        None => ScreenOf::Console,
        Some(VncPlace { host, port }) => ScreenOf::Vnc { host, port },
    }
}

fn key(key: KnownKey) -> HostKeyView {
    HostKeyView {
        kind: key.kind,
        fingerprint: key.fingerprint,
        place: key.place,
    }
}

impl Speaker<'_> {
    pub fn session(&self, session: wangcheng::sessions::Session) -> Session {
        Session {
            id: session.id,
            server: session.server,
            server_name: session.server_name,
            address: session.address,
            user: session.user,
            state: self.session_state(session.state),
            question: session.question.map(|(number, ask)| SessionQuestion {
                number,
                ask: asked(ask),
            }),
            banner: session.banner,
            screen: screen(session.kind),
            recorded: session.recorded,
            lease_end: session.lease_end,
            readiness: session.readiness.map(readiness),
            idle: session.idle,
        }
    }

    pub(super) fn session_state(&self, state: State) -> SessionState {
        let said = |error: &SshError| self.error(&failure(error));
        match state {
            State::Idle | State::Connecting { .. } => SessionState::Connecting,
            State::CheckingKey { .. } => SessionState::CheckingKey,
            State::LoggingIn { .. } => SessionState::LoggingIn,
            State::Waiting {
                attempt,
                cause,
                next_in_ms,
                left_ms,
            } => SessionState::Waiting {
                attempt,
                next_in_ms,
                left_ms,
                error: said(&cause),
            },
            State::Open => SessionState::Open,
            State::Reconnecting {
                attempt,
                of,
                cause,
                next_in_ms,
            } => SessionState::Reconnecting {
                attempt,
                of,
                next_in_ms,
                error: said(&cause),
            },
            State::Ended { exit, signal } => SessionState::Ended { exit, signal },
            State::Failed { error } => SessionState::Failed {
                error: said(&error),
                host_keys: match error {
                    SshError::HostKeyChanged { shown, known, .. } => Some(ChangedHostKey {
                        shown: key(shown),
                        known: known.into_iter().map(key).collect(),
                    }),
                    _ => None,
                },
            },
        }
    }
}

pub(super) fn asked(ask: Ask) -> SessionAsk {
    match ask {
        Ask::HostKey {
            host,
            key: shown,
            formerly,
            ..
        } => SessionAsk::HostKey {
            host,
            key: key(shown),
            formerly,
        },
        Ask::Passphrase { key, again } => SessionAsk::Passphrase { key, again },
        Ask::Password { user, again, .. } => SessionAsk::Password { user, again },
        Ask::Prompts {
            name,
            instruction,
            prompts,
        } => SessionAsk::Prompts {
            name,
            instruction,
            prompts: prompts
                .into_iter()
                .map(|prompt| (prompt.text, prompt.echo))
                .collect(),
        },
    }
}
