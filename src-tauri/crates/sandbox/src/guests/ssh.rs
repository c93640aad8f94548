//! The SSH server in front of a guest: a terminal, single commands, and SFTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, ChannelWriteHalf, MethodKind, MethodSet, Pty, compression,
};

use super::endless::Flood;
use super::machine::{Look, Machine, Terminal};
use super::sftp::Sftp;
use super::{Guest, page};

/// Most terminals and ways to files of one connection.
const CHANNELS_MOST: usize = 8;

pub(super) fn config(host_key: PrivateKey) -> Config {
    let mut config = Config {
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
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
    look: Look,
    machine: Arc<Mutex<Machine>>,
    user: String,
    /// Channels of which nothing was asked yet.
    fresh: HashMap<ChannelId, Channel<Msg>>,
    terminals: HashMap<ChannelId, Option<Terminal>>,
    /// Ways to say something that wait until the other side takes it.
    writers: HashMap<ChannelId, Arc<ChannelWriteHalf<Msg>>>,
    floods: HashMap<ChannelId, Flood>,
}

impl Visit {
    pub(super) fn new(guest: Guest, look: Look, machine: Arc<Mutex<Machine>>) -> Self {
        Self {
            guest: Arc::new(guest),
            look,
            machine,
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
        Terminal::new(self.guest.clone(), self.look.clone(), self.user.clone())
    }

    fn end(channel: ChannelId, exit: u32, session: &mut Session) -> Result<(), russh::Error> {
        session.exit_status_request(channel, exit)?;
        session.eof(channel)?;
        session.close(channel)
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

    /// A tunnel: the guest reaches its own page, and nothing else.
    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _from: &str,
        _from_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if port != page::PORT || !self.guest.is_itself(host) {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        }
        reply.accept().await;
        let guest = self.guest.clone();
        tokio::spawn(page::serve(channel.into_stream(), guest));
        Ok(())
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
            let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
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
