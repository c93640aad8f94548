//! What a connection tells, and asks, whoever started it. The state is the latest only, so a slow reader never holds a
//! connection up; a question carries its own way back. Nothing here calls anybody.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{Error, tame};
use crate::host_keys::KnownKey;

/// How long a person may take over a question. `sshd` waits 120 s for a login.
const ANSWER_WAIT: Duration = Duration::from_secs(110);
/// The most questions that wait at once.
const QUESTIONS: usize = 8;
/// The longest text that a server shows before the login, in characters.
const BANNER_MOST: usize = 4096;

/// Where a connection stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum State {
    /// Not begun.
    Idle,
    /// On the way to a host: the server, or a jump host before it.
    Connecting {
        /// The host.
        host: String,
        /// Its port.
        port: u16,
    },
    /// The host's key is being compared.
    CheckingKey {
        /// The host.
        host: String,
    },
    /// Logging in.
    LoggingIn {
        /// As whom.
        user: String,
        /// Where.
        host: String,
    },
    /// The server does not answer yet; it will be tried again.
    Waiting {
        /// How often it was tried.
        attempt: u32,
        /// What happened the last time.
        cause: Error,
        /// When the next try comes, in milliseconds.
        next_in_ms: u64,
        /// How long trying goes on, in milliseconds.
        left_ms: u64,
    },
    /// Logged in and at work.
    Open,
    /// The connection was lost; it will be made anew.
    Reconnecting {
        /// Which try comes next, from 1.
        attempt: u32,
        /// How many tries there are.
        of: u32,
        /// Why it was lost, or why the last try failed.
        cause: Error,
        /// When the next try comes, in milliseconds.
        next_in_ms: u64,
    },
    /// Over, as it should be.
    Ended {
        /// What the program over there returned, where it did.
        exit: Option<u32>,
        /// The signal that ended it, where one did.
        signal: Option<String>,
    },
    /// Over, and not as it should be.
    Failed {
        /// Why.
        error: Error,
    },
}

impl State {
    /// Nothing will follow.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Failed { .. })
    }
}

/// Something that only a person can answer. Dropping it is a "no".
pub struct Question {
    /// What is asked.
    pub ask: Ask,
    reply: oneshot::Sender<Answer>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Ask {
    /// Is this the server's key? Answered with [`Question::trust`].
    HostKey {
        /// The host as asked for.
        host: String,
        /// Its port.
        port: u16,
        /// The key that it showed.
        key: KnownKey,
        /// The id of the server that had this address before, where that is known.
        formerly: Option<String>,
    },
    /// The passphrase of a key file. Answered with [`Question::answer`].
    Passphrase {
        /// The file.
        key: String,
        /// The one before was wrong.
        again: bool,
    },
    /// The user's password. Answered with [`Question::answer`].
    Password {
        /// The user.
        user: String,
        /// The host.
        host: String,
        /// The one before was wrong.
        again: bool,
    },
    /// What the server wants to know. Answered with [`Question::answers`], one for each prompt.
    Prompts {
        /// What the server calls it.
        name: String,
        /// What the server says about it.
        instruction: String,
        /// The prompts.
        prompts: Vec<Prompt>,
    },
}

/// One prompt of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prompt {
    /// Its text.
    pub text: String,
    /// What is typed may be seen.
    pub echo: bool,
}

enum Answer {
    Trust(bool),
    Secrets(Vec<SecretString>),
}

impl Question {
    /// Answers a question about a host key. `true` also writes the key down.
    pub fn trust(self, yes: bool) {
        // Nobody waits any more: then the answer came too late.
        let _ = self.reply.send(Answer::Trust(yes));
    }

    /// Answers with one secret.
    pub fn answer(self, secret: SecretString) {
        self.answers(vec![secret]);
    }

    /// Answers each prompt.
    pub fn answers(self, secrets: Vec<SecretString>) {
        let _ = self.reply.send(Answer::Secrets(secrets));
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ask.fmt(f)
    }
}

/// The side that is told and asked.
#[derive(Debug)]
pub struct Front {
    /// Where the connection stands.
    pub state: watch::Receiver<State>,
    /// What the server said before the login; untrusted text.
    pub banner: watch::Receiver<String>,
    /// Questions, one after the other. Whoever drops this answers "no" to all.
    pub questions: mpsc::Receiver<Question>,
}

/// The side that tells and asks.
#[derive(Debug, Clone)]
pub struct Teller {
    state: watch::Sender<State>,
    banner: watch::Sender<String>,
    questions: mpsc::Sender<Question>,
    /// What was answered, so that a second connection does not ask again. In memory only.
    answered: Arc<Mutex<HashMap<String, SecretString>>>,
    /// How many questions wait for somebody.
    asking: Arc<AtomicUsize>,
}

/// Both sides of one connection's talk.
pub fn front() -> (Teller, Front) {
    let (state, watched) = watch::channel(State::Idle);
    let (banner, read) = watch::channel(String::new());
    let (questions, asked) = mpsc::channel(QUESTIONS);
    let teller = Teller {
        state,
        banner,
        questions,
        answered: Arc::default(),
        asking: Arc::default(),
    };
    let front = Front {
        state: watched,
        banner: read,
        questions: asked,
    };
    (teller, front)
}

impl Teller {
    /// For another connection of the same session: the same questions and answers, a state of its own.
    pub fn beside(&self) -> (Self, watch::Receiver<State>) {
        let (state, watched) = watch::channel(State::Idle);
        let teller = Self {
            state,
            ..self.clone()
        };
        (teller, watched)
    }

    /// Where the connection stands, for one more who wants to know.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(crate) fn tell(&self, state: State) {
        self.state.send_replace(state);
    }

    pub(crate) fn show_banner(&self, text: &str) {
        self.banner.send_replace(tame(text, BANNER_MOST));
    }

    /// Whether the key is trusted.
    pub(crate) async fn trusts(&self, ask: Ask) -> bool {
        matches!(self.ask(ask).await, Some(Answer::Trust(true)))
    }

    /// The answers of a person; nothing when there are none.
    pub(crate) async fn secrets(&self, ask: Ask) -> Option<Vec<SecretString>> {
        match self.ask(ask).await {
            Some(Answer::Secrets(secrets)) => Some(secrets),
            _ => None,
        }
    }

    async fn ask(&self, ask: Ask) -> Option<Answer> {
        let (reply, answer) = oneshot::channel();
        let _waiting = Waiting::begin(&self.asking);
        let asking = async {
            self.questions.send(Question { ask, reply }).await.ok()?;
            answer.await.ok()
        };
        tokio::time::timeout(ANSWER_WAIT, asking).await.ok().flatten()
    }

    /// Whether somebody is thinking about a question.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Acquire) > 0
    }

    /// What was answered before.
    pub(crate) fn recall(&self, what: &str) -> Option<SecretString> {
        self.answered().get(what).cloned()
    }

    pub(crate) fn keep(&self, what: &str, secret: &SecretString) {
        self.answered().insert(what.to_owned(), secret.clone());
    }

    pub(crate) fn forget(&self, what: &str) {
        self.answered().remove(what);
    }

    fn answered(&self) -> std::sync::MutexGuard<'_, HashMap<String, SecretString>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a question for as long as it waits, even when nobody waits for its answer any more.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
