//! Shells on servers: how to log in to one, which are open, and what is told of them.
//!
//! A session lives here, whoever looks at it: a window that was reloaded finds it again, and reads on where it stopped
//! ([`Stream`]). The server's own key comes from the keychain and goes to nobody but the SSH client. The host key is the one
//! that the server was given when it was made, bound to its id, so that nothing is asked. Its [`files`] have connections of
//! their own.

mod care;
mod edits;
mod failure;
pub mod files;
mod link;
mod login;
mod proxy;
mod recordings;
mod screen;
mod stream;
mod tunnels;
mod viewer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use remote::Login;
use secrecy::SecretString;

pub use care::SessionPreferences;
pub use edits::{Edit, EditState};
pub use failure::{failure, file_failure};
pub use link::{Kind, Link};
pub use login::How;
pub use recordings::{RecordingInfo, RecordingPart, RecordingPlace};
pub use remote::{
    Ask, CloudInit, Error as SshError, Front, KnownKey, Listen, Measured, Output, Piece, Place, Played,
    Program, ProgramInput, Prompt, Question, Readiness, Route, Said, Shell, ShellOptions, Size, State,
    Traffic, Tunnel,
};
pub use screen::{ScreenOf, SessionKind};
use stream::Reading;
pub use stream::Stream;
pub use tunnels::{KeptTunnel, NewTunnel, TunnelNow};
pub use viewer::ConsoleForViewer;

use crate::Wangcheng;
use crate::app::Change;
use crate::events::{Action, Draft};
use crate::failure::{Code, Failure, Result};
use crate::servers::Server;

/// Most sessions at once, those that ended and are still looked at included.
const SESSIONS_MOST: usize = 32;
/// How often it is looked whether somebody uses a session.
const LOOK: std::time::Duration = std::time::Duration::from_secs(5);
/// Smallest and largest terminal, in letters.
const LETTERS: std::ops::RangeInclusive<u16> = 1..=2000;

/// A session as it is now.
#[derive(Debug, Clone)]
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
    pub state: State,
    /// What it waits for a person to answer, with its number.
    pub question: Option<(u64, Ask)>,
    /// What the server said before the login; untrusted text.
    pub banner: String,
    /// When somebody was let in.
    pub opened: Option<DateTime<Utc>>,
    /// What it is.
    pub kind: SessionKind,
    /// It is recorded at the moment.
    pub recorded: bool,
    /// When the lease of its server ends.
    pub lease_end: Option<DateTime<Utc>>,
    /// What its user should know of the server: that it is not ready.
    pub readiness: Option<Readiness>,
    /// It was ended because nobody used it.
    pub idle: bool,
}

/// The sessions of this program.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<BTreeMap<String, Arc<Open>>>,
    screens: screen::Screens,
    tunnels: tunnels::Tunnels,
    /// Ids of the servers that were looked at, whether they are ready.
    looked_at: Mutex<BTreeSet<String>>,
}

/// One session at work.
pub(crate) struct Open {
    id: String,
    server: Server,
    account: store::Account,
    address: String,
    user: String,
    /// What was wanted otherwise than usual, for another one beside it.
    how: How,
    /// The way to log in, for what has a connection of its own.
    login: Login,
    shell: Shell,
    shelf: files::Shelf,
    edits: edits::Edits,
    now: Mutex<Now>,
    reading: Arc<Reading>,
}

struct Now {
    state: State,
    question: Option<(u64, Question)>,
    questions: u64,
    banner: String,
    opened: Option<DateTime<Utc>>,
    closed: bool,
    /// When the server's lease ends, as told last.
    lease_end: Option<DateTime<Utc>>,
    /// What was found when it was looked whether the server is ready.
    readiness: Option<Readiness>,
    /// When it was used last, and the output up to then.
    used: DateTime<Utc>,
    seen: u64,
    /// It was ended because nobody used it.
    idle: bool,
}

impl Now {
    fn new(lease_end: Option<DateTime<Utc>>, used: DateTime<Utc>) -> Self {
        Self {
            state: State::Idle,
            question: None,
            questions: 0,
            banner: String::new(),
            opened: None,
            closed: false,
            lease_end,
            readiness: None,
            used,
            seen: 0,
            idle: false,
        }
    }

    /// The number and the words of the question that waits.
    fn asked(&self) -> Option<(u64, Ask)> {
        let (number, question) = self.question.as_ref()?;
        Some((*number, question.ask.clone()))
    }

    /// One more question; it takes the place of one that waits.
    fn ask(&mut self, question: Question) {
        self.questions += 1;
        self.question = Some((self.questions, question));
    }

    /// The question that waits, if it has this number.
    fn take_question(&mut self, number: u64) -> Option<Question> {
        let (_, question) = self.question.take_if(|(waiting, _)| *waiting == number)?;
        Some(question)
    }
}

impl Sessions {
    fn count(&self) -> usize {
        self.lock().len() + self.screens.count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Open>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody looked at this server before.
    fn first_look(&self, server: &str) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        looked_at.insert(server.to_owned())
    }
}

impl Open {
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
            kind: SessionKind::Shell,
            recorded: self.is_recorded(),
            lease_end: now.lease_end,
            readiness: now.readiness.clone().filter(care::is_worth_telling),
            idle: now.idle,
        }
    }
}

impl Wangcheng {
    /// Begins a shell on a server. What becomes of it is told by [`Change::Session`].
    ///
    /// # Errors
    /// `NotSignedIn`, `ServerUnknown`, `NotOwn`, `NotAdopted`, `ServerNotRunning`, `ServerWithoutSsh`, `AddressAbsent`,
    /// `SessionsTooMany`, `BadInput`; the cloud's and the keychain's.
    pub async fn open_session(&self, server: &str, how: How, size: Size) -> Result<Session> {
        if self.inner.sessions.count() >= SESSIONS_MOST {
            return Err(Failure::new(Code::SessionsTooMany).with("most", SESSIONS_MOST));
        }
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let way = self.way_to(&server, &how).await?;
        let (address, user) = (way.address, way.login.to.user.clone());
        let options = ShellOptions {
            size: bounded(size),
            recording: self.usual_cast(&server.name).await,
            ..ShellOptions::default()
        };
        let id = uuid::Uuid::new_v4().to_string();
        let shell = Shell::start(way.login.clone(), options);
        let now = Now::new(server.lease_end, self.now());
        let open = Arc::new(Open {
            reading: Reading::new(&id, shell.output()),
            id,
            server,
            account: live.account.clone(),
            address,
            user,
            how,
            login: way.login,
            shell,
            shelf: files::Shelf::default(),
            edits: edits::Edits::default(),
            now: Mutex::new(now),
        });
        self.inner.sessions.lock().insert(open.id.clone(), open.clone());
        let told = open.told();
        self.publish(Change::Session(Box::new(told.clone())));
        let this = self.clone();
        self.spawn(async move { this.follow_session(open, way.front).await });
        Ok(told)
    }

    /// What was wanted otherwise than usual when a session was begun; nothing of one that is gone.
    pub fn session_how(&self, session: &str) -> How {
        let open = self.inner.sessions.lock();
        open.get(session).map(|open| open.how.clone()).unwrap_or_default()
    }

    /// The same of a session that is open on a server.
    fn how_on(&self, server: &str) -> How {
        let sessions = self.inner.sessions.lock();
        let open = sessions
            .values()
            .find(|open| open.server.id == server && matches!(open.now().state, State::Open));
        open.map(|open| open.how.clone()).unwrap_or_default()
    }

    /// Every session, those that ended and are still looked at included.
    pub fn sessions(&self) -> Vec<Session> {
        let sessions: Vec<_> = self.inner.sessions.lock().values().cloned().collect();
        let mut sessions: Vec<_> = sessions.iter().map(|open| open.told()).collect();
        sessions.extend(self.screens());
        sessions.sort_by(|a, b| a.server_name.cmp(&b.server_name).then(a.id.cmp(&b.id)));
        sessions
    }

    /// Types something. While there is no connection nothing is kept.
    ///
    /// # Errors
    /// `SessionUnknown`; `SshLost` when it is over; `SshTimeout` when the server takes nothing.
    pub async fn type_in(&self, session: &str, bytes: Vec<u8>) -> Result<()> {
        if let Some(screen) = self.screen(session) {
            return screen.type_in(bytes).await;
        }
        let open = self.open_one(session)?;
        open.now().used = self.now();
        open.shell.input(bytes).await.map_err(|error| failure(&error))
    }

    /// Changes the size of the terminal.
    ///
    /// # Errors
    /// As [`Wangcheng::type_in`].
    pub async fn resize_session(&self, session: &str, size: Size) -> Result<()> {
        let open = self.open_one(session)?;
        open.shell
            .resize(bounded(size))
            .await
            .map_err(|error| failure(&error))
    }

    /// A page has shown all output before this offset.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn session_shown(&self, session: &str, offset: u64) -> Result<()> {
        self.reading_of(session)?.shown(offset);
        Ok(())
    }

    /// The output from an offset on (none: from the oldest that is there). Whoever read it before reads no more.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn session_output(&self, session: &str, offset: Option<u64>) -> Result<Stream> {
        if let Some(screen) = self.screen(session) {
            screen.looked_at(self);
        }
        Ok(self.reading_of(session)?.begin(self.clone(), offset))
    }

    fn reading_of(&self, session: &str) -> Result<Arc<Reading>> {
        match self.screen(session) {
            Some(screen) => Ok(screen.reading()),
            None => Ok(self.open_one(session)?.reading.clone()),
        }
    }

    /// Answers whether a host key is trusted. An answer to another question than the one that waits is passed over.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn trust_host_key(&self, session: &str, question: u64, yes: bool) -> Result<()> {
        if let Some(waiting) = self.take_question(session, question)? {
            waiting.trust(yes);
        }
        Ok(())
    }

    /// Answers what the server or a key asks for; without answers it is a "no". Passed over as above.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn answer_question(&self, session: &str, question: u64, answers: Vec<SecretString>) -> Result<()> {
        match self.take_question(session, question)? {
            // Dropping a question is a "no".
            Some(waiting) if !answers.is_empty() => waiting.answers(answers),
            _ => {}
        }
        Ok(())
    }

    /// Does not wait any longer before the next try to connect.
    ///
    /// # Errors
    /// As [`Wangcheng::type_in`].
    pub async fn retry_session(&self, session: &str) -> Result<()> {
        let open = self.open_one(session)?;
        open.shell.retry_now().await.map_err(|error| failure(&error))
    }

    /// Ends a session and forgets it. One that is gone already is no error.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn close_session(&self, session: &str) -> Result<()> {
        let Some(open) = self.inner.sessions.lock().remove(session) else {
            return self.close_screen(session).await;
        };
        open.shell.close();
        open.reading.end();
        self.clear_edits(&open).await;
        self.publish(Change::SessionGone(open.id.clone()));
        self.tell_closed(&open).await
    }

    /// Ends every session, as when their window is closed or the program ends.
    ///
    /// # Errors
    /// As the ledger's; the others are ended all the same.
    pub async fn close_sessions(&self) -> Result<()> {
        self.end_tunnels().await;
        let mut ids: Vec<String> = self.inner.sessions.lock().keys().cloned().collect();
        ids.extend(self.screens().into_iter().map(|screen| screen.id));
        let mut result = Ok(());
        for id in ids {
            result = self.close_session(&id).await.and(result);
        }
        result
    }

    fn open_one(&self, session: &str) -> Result<Arc<Open>> {
        let found = self.inner.sessions.lock().get(session).cloned();
        found.ok_or_else(|| Code::SessionUnknown.into())
    }

    fn take_question(&self, session: &str, number: u64) -> Result<Option<Question>> {
        if let Some(screen) = self.screen(session) {
            return Ok(screen.take_question(self, number));
        }
        let open = self.open_one(session)?;
        let taken = open.now().take_question(number);
        if taken.is_some() {
            self.publish(Change::Session(Box::new(open.told())));
        }
        Ok(taken)
    }

    /// Tells what becomes of a session, until it is over.
    async fn follow_session(&self, open: Arc<Open>, mut front: remote::Front) {
        let mut changes = self.inner.changes.subscribe();
        let mut looks = tokio::time::interval(LOOK);
        loop {
            let mut over = false;
            tokio::select! {
                biased;
                Ok(()) = front.state.changed() => {
                    let state = front.state.borrow_and_update().clone();
                    over = state.is_over();
                    self.note_state(&open, state).await;
                }
                Ok(()) = front.banner.changed() => {
                    open.now().banner.clone_from(&front.banner.borrow_and_update());
                }
                Some(question) = front.questions.recv() => open.now().ask(question),
                change = changes.recv() => match change {
                    Ok(change) if Self::note_servers(&open.server.id, &mut open.now(), &change) => {}
                    _ => continue,
                },
                _ = looks.tick() => {
                    // Nobody tells of the end of one whose task is gone.
                    if !self.inner.sessions.lock().contains_key(&open.id) {
                        return;
                    }
                    if !self.end_if_idle(&open).await {
                        continue;
                    }
                }
            }
            if self.inner.sessions.lock().contains_key(&open.id) {
                self.publish(Change::Session(Box::new(open.told())));
            }
            if over {
                return;
            }
        }
    }

    async fn note_state(&self, open: &Arc<Open>, state: State) {
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
        if first {
            let (this, open) = (self.clone(), open.clone());
            self.spawn(async move {
                this.begin_tunnels_of(&open.server.id).await;
                this.look_at_readiness(&open).await;
            });
        }
        let told = match (first, state.is_over()) {
            (true, _) => self.tell_shell(open, Action::SessionOpened, None).await,
            (_, true) => self.tell_closed(open).await,
            _ => Ok(()),
        };
        if let Err(failure) = told {
            tracing::warn!(%failure, "a session is not in the ledger");
        }
    }

    /// Tells the end of a session that somebody was let in by, once.
    async fn tell_closed(&self, open: &Open) -> Result<()> {
        let opened = {
            let mut now = open.now();
            if std::mem::replace(&mut now.closed, true) {
                return Ok(());
            }
            now.opened
        };
        self.end_tunnels_of(&open.server.id).await;
        let Some(opened) = opened else { return Ok(()) };
        let seconds = (self.now() - opened).num_seconds().max(0);
        self.tell_shell(open, Action::SessionClosed, Some(seconds)).await
    }

    async fn tell_shell(&self, open: &Open, action: Action, seconds: Option<i64>) -> Result<()> {
        self.tell_session(&open.server, &open.account, Kind::Ssh.word(), action, seconds)
            .await
    }

    async fn tell_session(
        &self,
        server: &Server,
        account: &store::Account,
        kind: &'static str,
        action: Action,
        seconds: Option<i64>,
    ) -> Result<()> {
        let mut draft = Draft::new(action, self.now(), &self.inner.client);
        draft
            .set("kind", kind)
            .set("server_name", server.name.as_str())
            .set("flavor", server.flavor.as_str())
            .set("vcpus", server.vcpus)
            .set("ram_mb", server.ram_mb)
            .set("image", server.image.clone())
            .set("os", server.os.clone())
            .set("duration_s", seconds);
        let event = draft.finish(account, None, Some(&server.id));
        let rows = self.ledger(move |ledger| ledger.append(vec![event])).await?;
        if let Some(row) = rows.last() {
            self.publish(Change::Events(row.seq));
            self.inner.courier.ring();
        }
        Ok(())
    }
}

fn bounded(size: Size) -> Size {
    Size {
        columns: size.columns.clamp(*LETTERS.start(), *LETTERS.end()),
        rows: size.rows.clamp(*LETTERS.start(), *LETTERS.end()),
    }
}
