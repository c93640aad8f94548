//! What can go wrong on the way to a server, as far as somebody can act on it. Sentences for people are made elsewhere,
//! from [`Error::code`] and the facts beside it; what is shown here in English is for logs and for the command line.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::host_keys::KnownKey;

/// The longest text of a peer that an error repeats, in characters.
const TEXT_MOST: usize = 300;

/// The result of this crate's work.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Error {
    /// No SSH server answered there. The only kind that waiting helps against.
    #[error("{host}:{port} does not answer: {why}")]
    Unreachable {
        /// The host as asked for.
        host: String,
        /// Its port.
        port: u16,
        /// What happened instead.
        why: Unreachable,
    },
    /// A host key that nobody knows was shown and nobody trusted it.
    #[error("the host key {fingerprint} of {host} is not trusted")]
    HostKeyUnknown {
        /// The host as asked for.
        host: String,
        /// SHA-256 of the key, as `ssh` prints it.
        fingerprint: String,
    },
    /// Another host key than the known one. The way on, after finding out why, is [`crate::HostKeys::replace`].
    #[error("the host key of {host} has changed: {} is not what is known", shown.fingerprint)]
    HostKeyChanged {
        /// The host as asked for.
        host: String,
        /// What was shown.
        shown: KnownKey,
        /// What is known, and where it is written.
        known: Vec<KnownKey>,
    },
    /// A host key that was revoked.
    #[error("the host key {fingerprint} of {host} is revoked in {file}, line {line}")]
    HostKeyRevoked {
        /// The host as asked for.
        host: String,
        /// SHA-256 of the revoked key.
        fingerprint: String,
        /// The file that says so.
        file: String,
        /// Its line, from 1.
        line: usize,
    },
    /// The known keys cannot be read, so nothing can be compared.
    #[error("the known host keys in {file} cannot be read: {why}")]
    HostKeysUnreadable {
        /// The file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// The server let nobody in with what was tried. Never tried again by itself.
    #[error(
        "{user}@{host} was refused (tried: {}; the server takes: {})",
        list(tried),
        list(offered)
    )]
    Refused {
        /// The user asked for.
        user: String,
        /// The host as asked for.
        host: String,
        /// The ways tried, in order.
        tried: Vec<String>,
        /// The ways that the server would take, by their names in SSH.
        offered: Vec<String>,
    },
    /// A private key cannot be used.
    #[error("the key {name} cannot be used: {why}")]
    Key {
        /// Its file, or what it is called in the keychain.
        name: String,
        /// What is wrong with it.
        why: KeyTrouble,
    },
    /// The agent cannot be asked.
    #[error("the SSH agent cannot be asked: {why}")]
    Agent {
        /// What happened.
        why: String,
    },
    /// `~/.ssh/config` asks for something that cannot be honoured.
    #[error("{file}: {why}")]
    Config {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The connection ended before its work did.
    #[error("the connection was lost: {why}")]
    Lost {
        /// What is known of the reason.
        why: String,
    },
    /// The peer does not keep to the protocol, or to our limits.
    #[error("the server does not speak SSH as expected: {why}")]
    Protocol {
        /// What was wrong.
        why: String,
    },
    /// The peer did not answer in time.
    #[error("no answer in time: {what}")]
    TimedOut {
        /// What was waited for.
        what: String,
    },
    /// The server does not allow what was asked.
    #[error("the server refused {what}: {why}")]
    Rejected {
        /// What was asked.
        what: String,
        /// Its answer.
        why: String,
    },
    /// A file over there.
    #[error("{path} on the server: {why}")]
    RemoteFile {
        /// Its path, as shown to people.
        path: String,
        /// What is wrong.
        why: FileTrouble,
    },
    /// A file over here.
    #[error("{path}: {why}")]
    LocalFile {
        /// Its path.
        path: String,
        /// What is wrong.
        why: FileTrouble,
    },
    /// A port here is taken, or not allowed.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        why: String,
    },
    /// Nothing shows a screen there.
    #[error("no VNC server answers at {host}:{port}: {why}")]
    ScreenAbsent {
        /// The host, as the server sees it.
        host: String,
        /// Its port.
        port: u16,
        /// What happened instead.
        why: Unreachable,
    },
    /// The console cannot be reached: many firewalls close its port.
    #[error("the console at {host}:{port} does not answer: {why}")]
    ConsoleUnreachable {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// What happened instead.
        why: Unreachable,
    },
    /// The screen does not want us: a console's token was used or is too old, or somebody else is there.
    #[error("the screen was refused: {why}")]
    ScreenRefused {
        /// What it says.
        why: String,
    },
    /// It was not the password.
    #[error("the screen's password was refused: {why}")]
    ScreenLogin {
        /// What it says.
        why: String,
    },
    /// Nothing that it offers can be used safely.
    #[error("the screen offers no security that can be used ({offered})")]
    ScreenSecurity {
        /// The numbers of what it offers.
        offered: String,
    },
    /// The screen does not keep to the protocol, or to our limits.
    #[error("the screen does not speak RFB as expected: {why}")]
    ScreenProtocol {
        /// What was wrong.
        why: String,
    },
    /// A certificate that nobody vouches for.
    #[error("the certificate of {host} is not trusted: {why}")]
    Certificate {
        /// The host.
        host: String,
        /// SHA-256 of what was shown.
        fingerprint: Option<String>,
        /// What is wrong with it.
        why: String,
    },
    /// The user ended it.
    #[error("ended by the user")]
    Cancelled,
}

/// Why no SSH server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreachable {
    /// Nothing listens there (yet).
    Refused,
    /// Nothing came back.
    TimedOut,
    /// No way to that address.
    NoRoute,
    /// The name is not known.
    NoSuchName,
    /// It answered and hung up before it showed a key: it is starting, is full, or has no host key yet.
    ClosedEarly,
    /// Anything else, as the system says it.
    Other(String),
}

/// What is wrong with a private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyTrouble {
    /// The file is not there.
    Missing,
    /// It cannot be read.
    Unreadable(String),
    /// It is not a private key in a known format.
    NotAKey,
    /// It has a passphrase and none was given.
    PassphraseNeeded,
    /// The passphrase given does not open it.
    PassphraseWrong,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileTrouble {
    /// It is not there.
    Missing,
    /// It may not be touched.
    Denied,
    /// It is there already.
    Exists,
    /// Its name would lead out of the folder, or cannot exist here.
    UnsafeName,
    /// It is neither a file nor a folder.
    NotAFile,
    /// It changed while it was copied.
    Changed,
    /// There is no room left.
    Full,
    /// More than is ever read of one.
    TooLarge,
    /// Anything else, as the other side says it.
    Other(String),
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::TimedOut => "nothing came back in time",
            Self::NoRoute => "there is no way to that address",
            Self::NoSuchName => "the name is not known",
            Self::ClosedEarly => "it hung up before it showed its key",
            Self::Other(why) => why,
        })
    }
}

impl fmt::Display for KeyTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is not there",
            Self::Unreadable(why) => why,
            Self::NotAKey => "it is no private key in a known format",
            Self::PassphraseNeeded => "it needs a passphrase",
            Self::PassphraseWrong => "the passphrase is wrong",
        })
    }
}

impl fmt::Display for FileTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is not there",
            Self::Denied => "permission denied",
            Self::Exists => "it is there already",
            Self::UnsafeName => "its name would lead elsewhere or cannot exist here",
            Self::NotAFile => "it is neither a file nor a folder",
            Self::Changed => "it changed while it was copied",
            Self::Full => "no room is left",
            Self::TooLarge => "it is larger than what is read of such a thing",
            Self::Other(why) => why,
        })
    }
}

impl Error {
    /// The stable name of this kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::HostKeyUnknown { .. } => "host_key_unknown",
            Self::HostKeyChanged { .. } => "host_key_changed",
            Self::HostKeyRevoked { .. } => "host_key_revoked",
            Self::HostKeysUnreadable { .. } => "host_keys_unreadable",
            Self::Refused { .. } => "refused",
            Self::Key { .. } => "key",
            Self::Agent { .. } => "agent",
            Self::Config { .. } => "config",
            Self::Lost { .. } => "lost",
            Self::Protocol { .. } => "protocol",
            Self::TimedOut { .. } => "timed_out",
            Self::Rejected { .. } => "rejected",
            Self::RemoteFile { .. } => "remote_file",
            Self::LocalFile { .. } => "local_file",
            Self::Listen { .. } => "listen",
            Self::ScreenAbsent { .. } => "screen_absent",
            Self::ConsoleUnreachable { .. } => "console_unreachable",
            Self::ScreenRefused { .. } => "screen_refused",
            Self::ScreenLogin { .. } => "screen_login",
            Self::ScreenSecurity { .. } => "screen_security",
            Self::ScreenProtocol { .. } => "screen_protocol",
            Self::Certificate { .. } => "certificate",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the same may work in a moment: the network's troubles, never a refusal.
    pub fn passes(&self) -> bool {
        match self {
            Self::Unreachable { why, .. } => *why != Unreachable::NoSuchName,
            Self::Lost { .. } | Self::TimedOut { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn lost(why: impl fmt::Display) -> Self {
        Self::Lost { why: short(why) }
    }

    pub(crate) fn timed_out(what: &str) -> Self {
        Self::TimedOut {
            what: what.to_owned(),
        }
    }

    pub(crate) fn rejected(what: &str, why: impl fmt::Display) -> Self {
        Self::Rejected {
            what: what.to_owned(),
            why: short(why),
        }
    }

    pub(crate) fn local(path: &Path, why: &std::io::Error) -> Self {
        Self::LocalFile {
            path: path.display().to_string(),
            why: FileTrouble::from(why),
        }
    }

    pub(crate) fn local_name(path: &Path, why: FileTrouble) -> Self {
        Self::LocalFile {
            path: path.display().to_string(),
            why,
        }
    }

    pub(crate) fn key(name: impl Into<String>, why: KeyTrouble) -> Self {
        Self::Key {
            name: name.into(),
            why,
        }
    }
}

impl From<&std::io::Error> for FileTrouble {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => Self::Missing,
            Kind::PermissionDenied => Self::Denied,
            Kind::AlreadyExists => Self::Exists,
            Kind::StorageFull | Kind::QuotaExceeded => Self::Full,
            _ => Self::Other(short(error)),
        }
    }
}

/// What the SSH library says, in our words.
impl From<russh::Error> for Error {
    fn from(error: russh::Error) -> Self {
        use russh::Error as Ssh;
        match error {
            Ssh::ChannelOpenFailure(why) => Self::rejected("a channel", format!("{why:?}")),
            Ssh::RequestDenied => Self::rejected("a request", "denied"),
            Ssh::KeepaliveTimeout => Self::lost("the server no longer answers"),
            Ssh::Disconnect | Ssh::HUP | Ssh::SendError | Ssh::RecvError | Ssh::Join(_) => {
                Self::lost("the server hung up")
            }
            Ssh::IO(error) => Self::lost(error),
            Ssh::ConnectionTimeout | Ssh::InactivityTimeout | Ssh::Elapsed(_) => {
                Self::timed_out("an answer of the server")
            }
            other => Self::Protocol { why: short(other) },
        }
    }
}

/// A text of a peer, fit to be shown: no control characters, not long.
pub(crate) fn short(text: impl fmt::Display) -> String {
    tame(&text.to_string(), TEXT_MOST)
}

/// Text from outside without control characters (line ends and tabs stay), cut to `most` characters.
pub(crate) fn tame(text: &str, most: usize) -> String {
    let shown = text
        .chars()
        .filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'));
    shown.take(most).collect()
}

fn list(words: &[String]) -> String {
    if words.is_empty() {
        return "nothing".to_owned();
    }
    words.join(", ")
}

/// A path as text.
pub(crate) fn text(path: &Path) -> String {
    PathBuf::from(path).display().to_string()
}
