//! The SSH server in front of a guest: a terminal, single commands, SFTP, and tunnels both ways.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, ChannelWriteHalf, MethodKind, MethodSet, Pty, compression,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::console::{DESK_PORT, rfb};
use super::endless::Flood;
use super::machine::{Machine, Terminal};
use super::ports::Maker;
use super::sftp::Sftp;
use super::{Guest, desk, look_of, page, tools};
use crate::shared::Shared;

/// Most terminals and ways to files of one connection.
const CHANNELS_MOST: usize = 8;
/// How long whoever made a tunnel out of a guest may take to answer.
const LEAD_OUT_WAIT: Duration = Duration::from_secs(15);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// How a guest's server talks. `password`: one is set, and is asked for where a key does not do.
pub(super) fn config(host_key: PrivateKey, password: bool) -> Config {
    let methods: &[MethodKind] = match password {
        true => &[MethodKind::PublicKey, MethodKind::Password],
        false => &[MethodKind::PublicKey],
    };
    let mut config = Config {
        methods: MethodSet::from(methods),
        auth_rejection_time: Duration::from_millis(200),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![host_key],
        max_auth_attempts: 6,
        inactivity_timeout: Some(Duration::from_secs(3600)),
        nodelay: true,
        ..Config::default()
    };
    config.preferred.compression = vec![compression::NONE].into();
    config
}

/// One connection.
pub(super) struct Visit {
    guest: Arc<Guest>,
    shared: Weak<Shared>,
    server: String,
    machine: Arc<Mutex<Machine>>,
    number: Maker,
    user: String,
    /// Channels of which nothing was asked yet.
    fresh: HashMap<ChannelId, Channel<Msg>>,
    terminals: HashMap<ChannelId, Option<Terminal>>,
    /// Ways to say something that wait until the other side takes it.
    writers: HashMap<ChannelId, Arc<ChannelWriteHalf<Msg>>>,
    floods: HashMap<ChannelId, Flood>,
}

impl Visit {
    pub(super) fn new(
        guest: Guest,
        shared: Weak<Shared>,
        server: String,
        machine: Arc<Mutex<Machine>>,
    ) -> Self {
        Self {
            guest: Arc::new(guest),
            shared,
            server,
            machine,
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            user: String::new(),
            fresh: HashMap::new(),
            terminals: HashMap::new(),
            writers: HashMap::new(),
            floods: HashMap::new(),
        }
    }

    fn knows(&self, key: &russh::keys::PublicKey) -> bool {
        self.guest
            .keys
            .iter()
            .any(|known| known.key_data() == key.key_data())
    }

    fn terminal(&self) -> Terminal {
        let look = look_of(self.shared.clone(), self.server.clone());
        Terminal::new(self.guest.clone(), look, self.user.clone())
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(channel: ChannelId, exit: u32, session: &mut Session) -> Result<(), russh::Error> {
        session.exit_status_request(channel, exit)?;
        session.eof(channel)?;
        session.close(channel)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.machine().ports.close_all(self.number);
    }
}

impl Handler for Visit {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(match self.knows(offer.public_key) {
            true => Auth::Accept,
            false => Auth::reject(),
        })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        if user != "root" || !self.knows(key.public_key) {
            return Ok(Auth::reject());
        }
        user.clone_into(&mut self.user);
        Ok(Auth::Accept)
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let Some(known) = self.guest.password.clone().filter(|_| user == "root") else {
            return Ok(Auth::reject());
        };
        let said = SecretString::from(password.to_owned());
        // Slow on purpose.
        let right = tokio::task::spawn_blocking(move || known.is(said.expose_secret())).await;
        if !right.unwrap_or(false) {
            return Ok(Auth::reject());
        }
        user.clone_into(&mut self.user);
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.terminals.len() < CHANNELS_MOST {
            self.terminals.insert(channel.id(), None);
            self.fresh.insert(channel.id(), channel);
            reply.accept().await;
        }
        Ok(())
    }

    /// A tunnel: the guest reaches its own page, its display and what leads out of it, and nothing else.
    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        from: &str,
        from_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let itself = self.guest.is_itself(host);
        let way = self.machine().ports.way(port).filter(|_| itself);
        match port {
            page::PORT if itself => {
                reply.accept().await;
                tokio::spawn(page::serve(channel.into_stream(), self.guest.clone()));
            }
            DESK_PORT if itself => {
                let Some(seat) = desk(&self.shared, &self.server) else {
                    reply.reject(ChannelOpenFailure::ConnectFailed).await;
                    return Ok(());
                };
                let password = tools::vnc_password(&self.machine().disk);
                reply.accept().await;
                tokio::spawn(async move {
                    let shown = rfb::serve(channel.into_stream(), &seat, password.as_deref()).await;
                    if let Err(error) = shown {
                        tracing::debug!(%error, "a visit to a guest's display ended");
                    }
                });
            }
            port => match way {
                Some((handle, address)) => {
                    let from = (from.to_owned(), from_port);
                    // Answered by another connection, which must not be waited for in this one's turn.
                    tokio::spawn(lead_out(channel, reply, handle, (address, port), from));
                }
                None => reply.reject(ChannelOpenFailure::ConnectFailed).await,
            },
        }
        Ok(())
    }

    /// A tunnel that leads out: a port of the simulated machine, not of this computer.
    async fn tcpip_forward(
        &mut self,
        address: &str,
        port: &mut u32,
        session: &mut Session,
    ) -> Result<bool, Self::Error> {
        let opened = self
            .machine()
            .ports
            .open(self.number, address, *port, session.handle());
        let Some(opened) = opened else {
            return Ok(false);
        };
        *port = opened;
        Ok(true)
    }

    async fn cancel_tcpip_forward(
        &mut self,
        _address: &str,
        port: u32,
        _session: &mut Session,
    ) -> Result<bool, Self::Error> {
        Ok(self.machine().ports.close(self.number, port))
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.fresh.remove(&channel);
        self.terminals.remove(&channel);
        self.writers.remove(&channel);
        self.floods.remove(&channel);
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.fresh.remove(&channel) {
            Some(taken) if name == "sftp" => {
                session.channel_success(channel)?;
                // It goes on by itself, until the channel is closed.
                russh_sftp::server::run(taken.into_stream(), Sftp::new(self.machine.clone())).await;
                Ok(())
            }
            _ => session.channel_failure(channel),
        }
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        // What is typed comes by `data`; nobody would take it from the channel.
        if let Some(taken) = self.fresh.remove(&channel) {
            self.writers.insert(channel, Arc::new(taken.split().1));
        }
        session.channel_success(channel)?;
        let terminal = self.terminal();
        session.data(channel, terminal.greeting())?;
        self.terminals.insert(channel, Some(terminal));
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let writer = self.fresh.remove(&channel).map(|taken| Arc::new(taken.split().1));
        session.channel_success(channel)?;
        let mut terminal = self.terminal();
        let (output, exit, flood) = {
            let mut machine = self.machine();
            terminal.run(&String::from_utf8_lossy(command), &mut machine)
        };
        session.data(channel, output)?;
        if let Some((lines, writer)) = flood.zip(writer) {
            self.floods.insert(channel, Flood::start(lines, "\n", writer));
            return Ok(());
        }
        Self::end(channel, exit, session)
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(Some(terminal)) = self.terminals.get_mut(&channel) else {
            return Ok(());
        };
        let typed = {
            let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
            terminal.typed(data, &mut machine)
        };
        match self.floods.remove(&channel) {
            // What is under way comes first.
            Some(flood) if typed.stops => flood.stop(typed.shown),
            flood => {
                self.floods.extend(flood.map(|flood| (channel, flood)));
                if !typed.shown.is_empty() {
                    session.data(channel, typed.shown)?;
                }
            }
        }
        if let (Some(lines), Some(writer)) = (typed.flood, self.writers.get(&channel)) {
            let flood = Flood::start(lines, "\r\n", writer.clone());
            self.floods.insert(channel, flood);
        }
        match typed.exit {
            Some(exit) => Self::end(channel, exit, session),
            None => Ok(()),
        }
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)
    }
}

/// Carries bytes between who came to a port of the guest and who made it.
async fn lead_out(
    channel: Channel<Msg>,
    reply: ChannelOpenHandle,
    handle: Handle,
    (address, port): (String, u32),
    (from, from_port): (String, u32),
) {
    let opening = handle.channel_open_forwarded_tcpip(address, port, from, from_port);
    let Ok(Ok(out)) = timeout(LEAD_OUT_WAIT, opening).await else {
        reply.reject(ChannelOpenFailure::ConnectFailed).await;
        return;
    };
    reply.accept().await;
    let (mut here, mut there) = (channel.into_stream(), out.into_stream());
    if let Err(error) = tokio::io::copy_bidirectional(&mut here, &mut there).await {
        tracing::debug!(%error, "a tunnel out of a guest ended");
    }
}
