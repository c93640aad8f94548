//! Tunnels of the window: named and kept, begun by themselves or with a session on their server, and told as they go on.
//! Each has a connection of its own; begun beside a session it logs in with what was answered there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use remote::{Ask, Front, Question, Route, State, Traffic, Tunnel};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::failure::failure;
use super::link::{Kind, Link};
use super::login::How;
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};

/// Where they are kept.
const KEY: &str = "tunnels";
/// Most that are kept.
const TUNNELS_MOST: usize = 200;
/// Longest name of one, or of a host, in bytes.
const TEXT_MOST: usize = 255;
/// How often what goes through is told.
const TELL: Duration = Duration::from_secs(1);
/// How often a lost one is made anew, each time.
const RECONNECTS: u32 = 10;

/// A tunnel that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTunnel {
    /// Its id.
    pub id: String,
    /// Server id.
    pub server: String,
    /// What the server was called when it was made.
    pub server_name: String,
    /// What it is called.
    pub name: String,
    /// What leads where.
    pub route: Route,
    /// Begins with each session on its server.
    pub with_session: bool,
}

/// A tunnel to be kept.
#[derive(Debug, Clone)]
pub struct NewTunnel {
    /// Server id.
    pub server: String,
    /// What it is called.
    pub name: String,
    /// What leads where.
    pub route: Route,
    /// Begins with each session on its server.
    pub with_session: bool,
}

/// A tunnel as it is now.
#[derive(Debug, Clone)]
pub struct TunnelNow {
    /// What is kept of it.
    pub kept: KeptTunnel,
    /// Where it stands; nothing while it was not begun.
    pub state: Option<State>,
    /// The port that listens, here or there, where it is known.
    pub port: Option<u16>,
    /// What went through since it was begun.
    pub traffic: Traffic,
    /// What it waits for a person to answer, with its number.
    pub question: Option<(u64, Ask)>,
}

/// The tunnels that were begun, by their ids.
#[derive(Default)]
pub(super) struct Tunnels(Mutex<BTreeMap<String, Arc<Begun>>>);

struct Begun {
    tunnel: Tunnel,
    state: watch::Receiver<State>,
    /// Its own way to the server, where it was begun by itself.
    link: Option<Link>,
    /// It began with a session on this server, and ends with the last one.
    with_session: bool,
    server: String,
    asked: Mutex<(u64, Option<Question>)>,
}

impl Tunnels {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Begun>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    fn asked(&self) -> MutexGuard<'_, (u64, Option<Question>)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wangcheng {
    /// All tunnels that are kept, with where they stand.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn tunnels(&self) -> Result<Vec<TunnelNow>> {
        let kept = self.kept_tunnels().await?;
        let begun = self.inner.sessions.tunnels.lock();
        let now = kept.into_iter().map(|kept| {
            let one = begun.get(&kept.id);
            TunnelNow {
                state: one.map(|one| one.state.borrow().clone()),
                port: one.and_then(|one| one.tunnel.port()),
                traffic: one.map(|one| one.tunnel.traffic()).unwrap_or_default(),
                question: one.and_then(|one| {
                    let asked = one.asked();
                    let question = asked.1.as_ref()?;
                    Some((asked.0, question.ask.clone()))
                }),
                kept,
            }
        });
        Ok(now.collect())
    }

    /// Keeps another tunnel; it is not begun.
    ///
    /// # Errors
    /// `TunnelInvalid`, `TunnelsTooMany`, `NotSignedIn`, `ServerUnknown`, `NotOwn`; the ledger's.
    pub async fn keep_tunnel(&self, new: NewTunnel) -> Result<()> {
        let new = checked(new)?;
        let live = self.active().await?;
        let server = self.own_server(&live, &new.server).await?;
        let kept = KeptTunnel {
            id: uuid::Uuid::new_v4().to_string(),
            server: server.id,
            server_name: server.name,
            name: new.name,
            route: new.route,
            with_session: new.with_session,
        };
        self.change_tunnels(move |all| {
            if all.len() >= TUNNELS_MOST {
                return Err(Failure::new(Code::TunnelsTooMany).with("most", TUNNELS_MOST));
            }
            all.push(kept);
            Ok(())
        })
        .await
    }

    /// Ends a tunnel and forgets it. One that is gone already is no error.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn remove_tunnel(&self, id: &str) -> Result<()> {
        self.end_tunnel(id).await;
        let id = id.to_owned();
        self.change_tunnels(move |all| {
            all.retain(|kept| kept.id != id);
            Ok(())
        })
        .await
    }

    /// Begins a tunnel: beside a session on its server, or by itself. One that runs goes on.
    ///
    /// # Errors
    /// `TunnelUnknown`, `PortTaken`; as [`Wangcheng::reach`].
    pub async fn start_tunnel(&self, id: &str) -> Result<()> {
        let kept = self.kept_tunnels().await?;
        let kept = kept.into_iter().find(|kept| kept.id == id);
        self.begin_tunnel(kept.ok_or(Code::TunnelUnknown)?, false).await
    }

    /// Ends a tunnel; it stays kept. One that does not run is no error.
    ///
    /// # Errors
    /// None so far.
    pub async fn stop_tunnel(&self, id: &str) -> Result<()> {
        self.end_tunnel(id).await;
        self.tell_tunnels().await;
        Ok(())
    }

    /// Answers whether a host key is trusted that a tunnel asks about. An answer to another question is passed over.
    pub async fn trust_tunnel(&self, id: &str, question: u64, yes: bool) {
        if let Some(waiting) = self.take_tunnel_question(id, question) {
            waiting.trust(yes);
            self.tell_tunnels().await;
        }
    }

    /// Answers what a tunnel's server or key asks for; without answers it is a "no". Passed over as above.
    pub async fn answer_tunnel(&self, id: &str, question: u64, answers: Vec<SecretString>) {
        if let Some(waiting) = self.take_tunnel_question(id, question) {
            // Dropping a question is a "no".
            if !answers.is_empty() {
                waiting.answers(answers);
            }
            self.tell_tunnels().await;
        }
    }

    fn take_tunnel_question(&self, id: &str, number: u64) -> Option<Question> {
        let begun = self.inner.sessions.tunnels.lock().get(id).cloned()?;
        let mut asked = begun.asked();
        if asked.0 == number { asked.1.take() } else { None }
    }

    /// Begins what is to run with a session on this server.
    pub(super) async fn begin_tunnels_of(&self, server: &str) {
        let kept = match self.kept_tunnels().await {
            Ok(kept) => kept,
            Err(failure) => return tracing::warn!(%failure, "the tunnels cannot be read"),
        };
        for kept in kept
            .into_iter()
            .filter(|kept| kept.server == server && kept.with_session)
        {
            let name = kept.name.clone();
            if let Err(failure) = self.begin_tunnel(kept, true).await {
                tracing::info!(%failure, name, "a tunnel does not begin with its session");
            }
        }
    }

    /// Ends what ran with the sessions on this server, when none is left.
    pub(super) async fn end_tunnels_of(&self, server: &str) {
        let left = self
            .inner
            .sessions
            .lock()
            .values()
            .any(|open| open.server.id == server && !open.now().closed);
        if left {
            return;
        }
        let ended: Vec<String> = {
            let begun = self.inner.sessions.tunnels.lock();
            let ended = begun
                .iter()
                .filter(|(_, one)| one.server == server && one.with_session);
            ended.map(|(id, _)| id.clone()).collect()
        };
        for id in &ended {
            self.end_tunnel(id).await;
        }
        if !ended.is_empty() {
            self.tell_tunnels().await;
        }
    }

    /// Ends every tunnel, as when their window is closed or the program ends.
    pub(super) async fn end_tunnels(&self) {
        let ids: Vec<String> = self.inner.sessions.tunnels.lock().keys().cloned().collect();
        for id in ids {
            self.end_tunnel(&id).await;
        }
    }

    async fn end_tunnel(&self, id: &str) {
        let Some(begun) = self.inner.sessions.tunnels.lock().remove(id) else {
            return;
        };
        begun.tunnel.close();
        if let Some(link) = &begun.link {
            link.close().await;
        }
    }

    async fn begin_tunnel(&self, kept: KeptTunnel, with_session: bool) -> Result<()> {
        let runs = {
            let begun = self.inner.sessions.tunnels.lock();
            begun
                .get(&kept.id)
                .is_some_and(|one| !one.state.borrow().is_over())
        };
        if runs {
            return Ok(());
        }
        self.end_tunnel(&kept.id).await;
        let beside = {
            let sessions = self.inner.sessions.lock();
            let open = sessions
                .values()
                .find(|open| open.server.id == kept.server && matches!(open.now().state, State::Open));
            open.map(|open| super::files::once(&open.login))
        };
        let (tunnel, state, link, front) = match beside {
            Some((login, state)) => {
                let tunnel = Tunnel::start(login, kept.route.clone(), RECONNECTS).await;
                (tunnel.map_err(|error| failure(&error))?, state, None, None)
            }
            None => {
                let (link, front) = self.reach(&kept.server, &How::default(), Kind::Ssh).await?;
                let (tunnel, state) = link.tunnel(kept.route.clone()).await?;
                (tunnel, state, Some(link), Some(front))
            }
        };
        let begun = Arc::new(Begun {
            tunnel,
            state,
            link,
            with_session,
            server: kept.server,
            asked: Mutex::default(),
        });
        self.inner
            .sessions
            .tunnels
            .lock()
            .insert(kept.id.clone(), begun.clone());
        let this = self.clone();
        self.spawn(async move { this.follow_tunnel(kept.id, begun, front).await });
        Ok(())
    }

    /// Tells what becomes of a tunnel, until it is over or another one is in its place.
    async fn follow_tunnel(&self, id: String, begun: Arc<Begun>, mut front: Option<Front>) {
        let mut state = begun.state.clone();
        let mut told = begun.tunnel.traffic();
        let mut news = true;
        loop {
            // Before it is told: what changes meanwhile is told next.
            let over = state.borrow_and_update().is_over();
            if news {
                self.tell_tunnels().await;
            }
            if over {
                if let Some(link) = &begun.link {
                    link.close().await;
                }
                return;
            }
            let question = async {
                match &mut front {
                    Some(front) => front.questions.recv().await,
                    None => std::future::pending().await,
                }
            };
            news = tokio::select! {
                changed = state.changed() => changed.is_ok(),
                Some(question) = question => {
                    let mut asked = begun.asked();
                    *asked = (asked.0 + 1, Some(question));
                    true
                }
                () = tokio::time::sleep(TELL) => {
                    let now = begun.tunnel.traffic();
                    std::mem::replace(&mut told, now) != now
                }
            };
            let same = self
                .inner
                .sessions
                .tunnels
                .lock()
                .get(&id)
                .is_some_and(|one| Arc::ptr_eq(one, &begun));
            if !same {
                return;
            }
        }
    }

    async fn tell_tunnels(&self) {
        match self.tunnels().await {
            Ok(tunnels) => self.publish(Change::Tunnels(Arc::new(tunnels))),
            Err(failure) => tracing::warn!(%failure, "the tunnels cannot be told"),
        }
    }

    async fn kept_tunnels(&self) -> Result<Vec<KeptTunnel>> {
        let kept = self.ledger(|ledger| ledger.setting(KEY)).await?;
        let Some(kept) = kept else {
            return Ok(Vec::new());
        };
        serde_json::from_str(&kept).map_err(|error| Failure::new(Code::Internal).saying(error))
    }

    async fn change_tunnels(&self, change: impl FnOnce(&mut Vec<KeptTunnel>) -> Result<()>) -> Result<()> {
        let mut kept = self.kept_tunnels().await?;
        change(&mut kept)?;
        let text =
            serde_json::to_string(&kept).map_err(|error| Failure::new(Code::Internal).saying(error))?;
        self.ledger(move |ledger| ledger.set_setting(KEY, &text)).await?;
        self.tell_tunnels().await;
        Ok(())
    }
}

/// What can be kept: a name, hosts that could be some, ports that lead somewhere.
fn checked(mut new: NewTunnel) -> Result<NewTunnel> {
    let invalid = |field: &str| Failure::new(Code::TunnelInvalid).with("field", field);
    let unsound = |text: &str| text.len() > TEXT_MOST || text.chars().any(|letter| letter.is_control());
    new.name = new.name.trim().to_owned();
    if unsound(&new.name) {
        return Err(invalid("name"));
    }
    let no_host = |host: &str| host.is_empty() || unsound(host) || host.chars().any(char::is_whitespace);
    match &mut new.route {
        Route::Local { to, .. } => {
            to.host = to.host.trim().to_owned();
            if no_host(&to.host) || to.port == 0 {
                return Err(invalid("to"));
            }
        }
        Route::Remote { listen, to } => {
            (listen.host, to.host) = (listen.host.trim().to_owned(), to.host.trim().to_owned());
            if !listen.host.is_empty() && no_host(&listen.host) {
                return Err(invalid("listen"));
            }
            if no_host(&to.host) || to.port == 0 {
                return Err(invalid("to"));
            }
        }
        Route::Socks { .. } => {}
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use remote::{Listen, Place};

    #[test]
    fn a_tunnel_that_leads_nowhere_is_not_kept() {
        let local = |host: &str, port| NewTunnel {
            server: "id".into(),
            name: " web ".into(),
            route: Route::Local {
                listen: Listen::loopback(0),
                to: Place {
                    host: host.into(),
                    port,
                },
            },
            with_session: false,
        };
        assert_eq!(checked(local(" localhost ", 80)).unwrap().name, "web");
        for (host, port) in [("", 80), ("a b", 80), ("a\u{7}", 80), ("localhost", 0)] {
            let failed = checked(local(host, port)).unwrap_err();
            assert_eq!(failed.code, Code::TunnelInvalid, "{host:?} {port}");
        }
    }
}
