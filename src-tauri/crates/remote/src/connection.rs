//! One SSH connection: made through any jump hosts, its host key judged, logged in. A terminal, the files and the
//! tunnels have one each, because what stands still on one channel holds up every other of its connection.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use russh::client::{self, Handle, Msg};
use russh::keys::ssh_key;
use russh::{Channel, ChannelMsg, Limits, Preferred, SshId, cipher, compression, kex};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::error::{Error, Result, Unreachable, short};
use crate::front::{State, Teller};
use crate::host_keys::{HostKeys, all_kinds};
use crate::login::{self, Destination};
use crate::peer::{Forwarded, Forwards, Peer};
use crate::wire::{Gate, Wire};

/// How long one address may take to answer.
const REACH_WAIT: Duration = Duration::from_secs(10);
/// How long a name may take to be found.
const NAME_WAIT: Duration = Duration::from_secs(10);
/// How long a server may take from its first byte to its key.
const GREETING_WAIT: Duration = Duration::from_secs(30);
/// The same with time for a person to look at a fingerprint.
const KEY_WAIT: Duration = Duration::from_secs(150);
/// How long a server may take to open a channel or to answer a request.
pub(crate) const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// The most addresses of a name that are tried.
const ADDRESSES: usize = 8;
/// Connections that a server may open to us at once, waiting to be taken.
const FORWARDED: usize = 64;

/// What a connection is for; decides how much may be under way on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A terminal: little, so that Ctrl+C is soon seen to act.
    Terminal,
    /// Files: much, so that a long way does not make it slow.
    Transfer,
    /// Tunnels, and hosts that are jumped through.
    Tunnel,
}

impl Purpose {
    /// Bytes that a server may send ahead on one channel.
    fn window(self) -> u32 {
        match self {
            Self::Terminal => 512 * 1024,
            Self::Transfer => 32 * 1024 * 1024,
            Self::Tunnel => 8 * 1024 * 1024,
        }
    }
}

/// How long a server that does not answer yet is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Trying goes on for so long; zero is one try.
    pub in_all: Duration,
    /// The first pause; each is half as long again, up to 10 s.
    pub pause: Duration,
}

impl Patience {
    /// One try.
    pub const NONE: Self = Self {
        in_all: Duration::ZERO,
        pause: Duration::ZERO,
    };
    /// For a server that boots: five minutes.
    pub const BOOT: Self = Self {
        in_all: Duration::from_secs(300),
        pause: Duration::from_secs(1),
    };
}

/// How to come to a server, again and again.
#[derive(Debug, Clone)]
pub struct Login {
    /// The server.
    pub to: Destination,
    /// The hosts to go through, in order.
    pub jumps: Vec<Destination>,
    /// The known keys.
    pub host_keys: HostKeys,
    /// How long to wait for a server that boots.
    pub patience: Patience,
    /// After how long a silence the server is asked whether it is still there.
    pub keepalive: Duration,
    /// Who is told and asked.
    pub teller: Teller,
    /// The ciphers to offer, best first, by their names in SSH; a good choice when empty.
    pub ciphers: Vec<String>,
}

/// A connection that is logged in. Dropping it ends it at once.
pub struct Connection {
    pub(crate) handle: Handle<Peer>,
    pub(crate) gate: Arc<Gate>,
    forwards: Arc<Forwards>,
    agreed: Arc<Mutex<Agreed>>,
    /// Kept because this connection runs through them.
    _jumps: Vec<Connection>,
}

/// What both sides agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The key exchange.
    pub kex: String,
    /// The cipher.
    pub cipher: String,
    /// The kind of the host's key.
    pub host_key: String,
}

/// What a program over there said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its output, cut at the limit.
    pub output: Bytes,
    /// Its complaints, cut at the limit.
    pub errors: Bytes,
    /// What it returned; nothing when a signal ended it.
    pub exit: Option<u32>,
    /// There was more than the limit.
    pub cut: bool,
}

/// Ends a connection that is given up before it is whole: the SSH library would wait for its peer for ever.
struct Fuse(Option<Arc<Gate>>);

impl Fuse {
    fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        if let Some(gate) = &self.0 {
            gate.close();
        }
    }
}

impl Login {
    /// A login with the usual limits.
    pub fn new(to: Destination, host_keys: HostKeys, teller: Teller) -> Self {
        Self {
            to,
            jumps: Vec::new(),
            host_keys,
            patience: Patience::NONE,
            keepalive: Duration::from_secs(15),
            teller,
            ciphers: Vec::new(),
        }
    }

    /// The same for another connection of the session: it asks nothing twice and has a state of its own.
    pub fn beside(&self) -> (Self, tokio::sync::watch::Receiver<State>) {
        let (teller, state) = self.teller.beside();
        let login = Self {
            teller,
            ..self.clone()
        };
        (login, state)
    }

    /// Connects and logs in. While the server does not answer, tries again for as long as the patience lasts.
    pub async fn connect(&self, purpose: Purpose) -> Result<Connection> {
        let until = Instant::now() + self.patience.in_all;
        let mut pause = self.patience.pause.max(Duration::from_millis(100));
        let mut attempt = 0;
        loop {
            attempt += 1;
            let cause = match self.connect_once(purpose).await {
                Err(error @ Error::Unreachable { .. }) if error.passes() => error,
                other => return other,
            };
            let left = until.saturating_duration_since(Instant::now());
            if left < pause {
                return Err(cause);
            }
            self.teller.tell(State::Waiting {
                attempt,
                cause,
                next_in_ms: millis(pause),
                left_ms: millis(left),
            });
            sleep(pause).await;
            pause = (pause + pause / 2).min(Duration::from_secs(10));
        }
    }

    /// Connects and logs in, once.
    pub async fn connect_once(&self, purpose: Purpose) -> Result<Connection> {
        let mut passed: Vec<Connection> = Vec::new();
        for jump in &self.jumps {
            let hop = self.hop(jump, Purpose::Tunnel, passed.last()).await?;
            passed.push(hop);
        }
        let mut connection = self.hop(&self.to, purpose, passed.last()).await?;
        connection._jumps = passed;
        Ok(connection)
    }

    /// One host: reached directly or through the one before.
    async fn hop(
        &self,
        to: &Destination,
        purpose: Purpose,
        through: Option<&Connection>,
    ) -> Result<Connection> {
        let who = to.name();
        self.teller.tell(State::Connecting {
            host: to.host.clone(),
            port: to.port,
        });
        let book = self.host_keys.read().await?;
        let gate = Gate::new();
        let fuse = Fuse(Some(gate.clone()));
        let forwards = Arc::new(Forwards::default());
        let agreed = Arc::new(Mutex::new(Agreed::default()));
        let trouble = Arc::new(Mutex::new(None));
        let certificates = book.takes_certificates(&who);
        let mut kinds = book.kinds(&who, &to.known_keys);
        for kind in all_kinds() {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let config = Arc::new(self.config(purpose, kinds, certificates)?);
        let peer = Peer {
            who: who.clone(),
            known_keys: to.known_keys.clone(),
            book,
            host_keys: self.host_keys.clone(),
            teller: self.teller.clone(),
            trouble: trouble.clone(),
            forwards: forwards.clone(),
            agreed: agreed.clone(),
        };
        let greeting = match through {
            None => {
                let wire = Wire::new(reach(&to.host, to.port).await?, gate.clone());
                self.greet(config, wire, peer).await
            }
            Some(jump) => {
                let channel = jump
                    .open_direct(&to.host, to.port)
                    .await
                    .map_err(|error| match error {
                        // The host before it could not reach it: as good as not answering.
                        Error::Rejected { why, .. } => unreachable(to, Unreachable::Other(why)),
                        other => other,
                    })?;
                let wire = Wire::new(channel.into_stream(), gate.clone());
                self.greet(config, wire, peer).await
            }
        };
        let told = trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut handle = match (greeting, told) {
            (Ok(handle), _) => handle,
            (Err(_), Some(error)) => return Err(error),
            (Err(error), None) => return Err(before_key(error, to)),
        };
        login::log_in(&mut handle, to, &self.teller).await?;
        gate.open_wide();
        fuse.defuse();
        Ok(Connection {
            handle,
            gate,
            forwards,
            agreed,
            _jumps: Vec::new(),
        })
    }

    async fn greet<S>(&self, config: Arc<client::Config>, wire: Wire<S>, peer: Peer) -> Result<Handle<Peer>>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let greeting = client::connect_stream(config, wire, peer);
        tokio::pin!(greeting);
        if let Ok(greeted) = timeout(GREETING_WAIT, &mut greeting).await {
            return greeted;
        }
        // Somebody may be looking at a fingerprint; nothing else may take this long.
        let asking = self.teller.is_asking();
        let greeted = match asking {
            true => timeout(KEY_WAIT, greeting).await.ok(),
            false => None,
        };
        greeted.unwrap_or_else(|| Err(Error::timed_out("the server's key")))
    }

    fn config(
        &self,
        purpose: Purpose,
        kinds: Vec<ssh_key::Algorithm>,
        certificates: bool,
    ) -> Result<client::Config> {
        let mut preferred = Preferred::DEFAULT;
        // Fast and sound on every machine with AES in hardware, which is all that this runs on; the rest follows.
        let mut ciphers = vec![cipher::AES_128_GCM, cipher::AES_256_GCM];
        ciphers.extend(
            preferred
                .cipher
                .iter()
                .filter(|name| **name != cipher::AES_256_GCM),
        );
        if !self.ciphers.is_empty() {
            ciphers.retain(|name| self.ciphers.iter().any(|wanted| wanted == name.as_ref()));
            if ciphers.is_empty() {
                return Err(Error::Protocol {
                    why: "none of the ciphers asked for is known".into(),
                });
            }
        }
        preferred.cipher = Cow::Owned(ciphers);
        let mut exchanges = preferred.kex.to_vec();
        // Old appliances know nothing newer; behind everything else, before the marks that are no exchange.
        exchanges.splice(2..2, [kex::ECDH_SHA2_NISTP256, kex::ECDH_SHA2_NISTP384]);
        preferred.kex = Cow::Owned(exchanges);
        if certificates {
            preferred.host_key_certificates = Cow::Owned(kinds.clone());
        }
        preferred.key = Cow::Owned(kinds);
        preferred.compression = Cow::Borrowed(&[compression::NONE]);
        Ok(client::Config {
            client_id: SshId::Standard(Cow::Borrowed(concat!(
                "SSH-2.0-Wangcheng_",
                env!("CARGO_PKG_VERSION")
            ))),
            limits: Limits::default(),
            window_size: purpose.window(),
            maximum_packet_size: 32 * 1024,
            // A terminal's tap is below; there the queue only has to take what is under way.
            channel_buffer_size: if purpose == Purpose::Terminal { 1024 } else { 100 },
            preferred,
            // A terminal that is held back hears no answer, so it asks by itself.
            keepalive_interval: (purpose != Purpose::Terminal).then_some(self.keepalive),
            keepalive_max: 3,
            nodelay: true,
            ..client::Config::default()
        })
    }
}

/// A stream to the first address that answers.
pub(crate) async fn reach(host: &str, port: u16) -> Result<TcpStream> {
    let error = |why| Error::Unreachable {
        host: host.to_owned(),
        port,
        why,
    };
    let looked_up = timeout(NAME_WAIT, tokio::net::lookup_host((host, port))).await;
    let addresses: Vec<_> = match looked_up {
        Ok(Ok(addresses)) => addresses.take(ADDRESSES).collect(),
        Ok(Err(_)) => return Err(error(Unreachable::NoSuchName)),
        Err(_) => return Err(error(Unreachable::TimedOut)),
    };
    let mut last = Unreachable::NoSuchName;
    for address in addresses {
        match timeout(REACH_WAIT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Without it keystrokes wait for each other; with an odd network stack they may.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(why)) => last = Unreachable::from(&why),
            Err(_) => last = Unreachable::TimedOut,
        }
    }
    Err(error(last))
}

impl From<&std::io::Error> for Unreachable {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match error.kind() {
            Kind::ConnectionRefused => Self::Refused,
            Kind::TimedOut => Self::TimedOut,
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => Self::NoRoute,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::UnexpectedEof => Self::ClosedEarly,
            _ => Self::Other(short(error)),
        }
    }
}

fn unreachable(to: &Destination, why: Unreachable) -> Error {
    Error::Unreachable {
        host: to.host.clone(),
        port: to.port,
        why,
    }
}

/// What went wrong before a key was shown: a server that hangs up then is starting, or full.
fn before_key(error: Error, to: &Destination) -> Error {
    match error {
        Error::Lost { .. } => unreachable(to, Unreachable::ClosedEarly),
        Error::TimedOut { .. } => unreachable(to, Unreachable::TimedOut),
        other => other,
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Waits for an answer of the server, but not for ever.
pub(crate) async fn answer<T, E: Into<Error>>(
    what: &str,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T> {
    match timeout(ANSWER_WAIT, asked).await {
        Ok(answered) => answered.map_err(Into::into),
        Err(_) => Err(Error::timed_out(what)),
    }
}

impl Connection {
    /// What both sides agreed on.
    pub fn agreed(&self) -> Agreed {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The bytes received on it.
    pub fn received(&self) -> u64 {
        self.gate.received()
    }

    /// Whether the server still answers.
    pub async fn ping(&self) -> Result<()> {
        answer("a sign of life", self.handle.send_ping()).await
    }

    pub(crate) async fn open_session(&self) -> Result<Channel<Msg>> {
        answer("a channel", self.handle.channel_open_session()).await
    }

    pub(crate) async fn open_direct(&self, host: &str, port: u16) -> Result<Channel<Msg>> {
        let opening = self
            .handle
            .channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0);
        answer("a way through the server", opening).await
    }

    /// Lets the server listen; what comes in there comes out of the receiver. Port 0 lets it choose.
    pub(crate) async fn listen(&self, address: &str, port: u16) -> Result<(u16, mpsc::Receiver<Forwarded>)> {
        let (taker, taken) = mpsc::channel(FORWARDED);
        // Before the server answers, so that nothing that comes in at once is missed.
        if port != 0 {
            self.forwards.insert(u32::from(port), taker.clone());
        }
        let asking = self.handle.tcpip_forward(address, u32::from(port));
        let given = answer("listening on the server", asking)
            .await
            .map_err(|error| match error {
                Error::Rejected { .. } => Error::rejected(
                    "to listen",
                    format!("port {port} is taken there, or it allows no forwarding"),
                ),
                other => other,
            })?;
        if port != 0 {
            return Ok((port, taken));
        }
        self.forwards.insert(given, taker);
        let port = u16::try_from(given).map_err(|_| Error::Protocol {
            why: format!("{given} is no port"),
        })?;
        Ok((port, taken))
    }

    /// Runs a program without a terminal and waits for its end, `wait` at most. Of output and complaints `most` bytes
    /// each are kept.
    pub async fn run(&self, command: &str, most: usize, wait: Duration) -> Result<Ran> {
        let mut channel = self.open_session().await?;
        let ran = timeout(wait, run(&mut channel, command, most)).await;
        // The library does not close a channel that is dropped; without this a program that takes too long would go on.
        let _ = timeout(Duration::from_secs(1), channel.close()).await;
        ran.unwrap_or_else(|_| Err(Error::timed_out("the end of a program")))
    }

    /// Says good-bye, then ends it.
    pub async fn close(self) {
        let bye = self.handle.disconnect(russh::Disconnect::ByApplication, "", "");
        // It ends in any case when it is dropped.
        let _ = timeout(Duration::from_secs(2), bye).await;
    }
}

async fn run(channel: &mut Channel<Msg>, command: &str, most: usize) -> Result<Ran> {
    channel.exec(true, command).await?;
    let (mut output, mut errors) = (BytesMut::new(), BytesMut::new());
    let (mut exit, mut cut, mut ended) = (None, false, false);
    let mut keep = |into: &mut BytesMut, data: &Bytes| {
        let room = most.saturating_sub(into.len());
        cut |= data.len() > room;
        into.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
    };
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => keep(&mut output, &data),
            ChannelMsg::ExtendedData { data, .. } => keep(&mut errors, &data),
            ChannelMsg::Failure => return Err(Error::rejected("to run a program", "no reason given")),
            ChannelMsg::ExitStatus { exit_status } => exit = Some(exit_status),
            ChannelMsg::ExitSignal { .. } | ChannelMsg::Close => ended = true,
            _ => {}
        }
    }
    if exit.is_none() && !ended {
        return Err(Error::lost("before the program ended"));
    }
    Ok(Ran {
        output: output.freeze(),
        errors: errors.freeze(),
        exit,
        cut,
    })
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.gate.close();
    }
}
