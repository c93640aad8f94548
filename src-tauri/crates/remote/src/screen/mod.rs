//! A server's screen by VNC (RFB): the console of a provider, as its page would open it, or a VNC server that the server itself
//! reaches. What is proven to the other side is proven here; the page that shows the screen is greeted without any password,
//! and gets nothing whose length was not looked at.

mod address;
mod encoding;
mod filter;
mod page;
mod proxy;
mod security;
mod socket;
mod tls;
mod viewer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use secrecy::SecretString;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Login, Purpose};
use crate::error::{Error, Result, Unreachable};
use crate::front::{State, Teller};
use crate::output::{Output, Spool};
use filter::Filter;
use page::Page;
pub use proxy::Proxy;
use security::Server;
use socket::Pulse;
pub use viewer::{Viewer, ViewerDoor};

/// The most that a page says at once, in bytes.
const INPUT_MOST: usize = 2 * 1024 * 1024;
/// Pieces of what it says under way.
const INPUTS: usize = 256;
/// How long a server may take for what is sent.
const SEND_WAIT: Duration = Duration::from_secs(30);
/// How often it is measured how long an answer takes.
const PULSE_EVERY: Duration = Duration::from_secs(3);

/// A stream of bytes both ways.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
type BoxStream = Box<dyn Duplex>;

/// How to come to a screen.
#[derive(Debug)]
pub enum ScreenWay {
    /// The console of a provider.
    Console {
        /// The address of its page, with a token that is good once.
        address: SecretString,
        /// Certificates (PEM) that are trusted beside the system's.
        authorities: Option<String>,
        /// The proxy that it is reached through; a console on this computer goes past it.
        proxy: Option<Proxy>,
    },
    /// A VNC server, through SSH.
    Vnc {
        /// The way to the server.
        login: Box<Login>,
        /// Where VNC answers, as the server sees it.
        host: String,
        /// Its port.
        port: u16,
    },
}

/// A screen. Dropping it ends it. It is one connection: whoever wants it anew makes another.
#[derive(Debug)]
pub struct Screen {
    input: mpsc::Sender<Bytes>,
    output: Output,
    counters: Arc<Counters>,
    over: CancellationToken,
}

/// What goes on on a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// Bytes received.
    pub received: u64,
    /// Updates received.
    pub updates: u64,
    /// How long an answer took the last time, in microseconds.
    pub latency_us: Option<u64>,
    /// Pixels in a row.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
}

#[derive(Debug)]
struct Counters {
    received: AtomicU64,
    updates: AtomicU64,
    /// Keys, clicks and texts of a person.
    used: AtomicU64,
    width: AtomicU32,
    height: AtomicU32,
    /// Bytes of a pixel, as the page wants it.
    pixel: AtomicU8,
    pulse: Arc<Pulse>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            received: AtomicU64::default(),
            updates: AtomicU64::default(),
            used: AtomicU64::default(),
            width: AtomicU32::default(),
            height: AtomicU32::default(),
            pixel: AtomicU8::new(4),
            pulse: Arc::default(),
        }
    }
}

impl Screen {
    /// Begins to connect. What becomes of it is told by the front, and asked there. A VNC server's login has its own teller,
    /// which may be the same.
    pub fn start(way: ScreenWay, teller: Teller) -> Self {
        let (input, pieces) = mpsc::channel(INPUTS);
        let spool = Arc::new(Spool::default());
        let over = CancellationToken::new();
        let counters = Arc::new(Counters::default());
        let run = Run {
            way,
            teller,
            spool: spool.clone(),
            counters: counters.clone(),
            over: over.clone(),
        };
        tokio::spawn(run.run(pieces));
        Self {
            input,
            output: Output::new(spool),
            counters,
            over,
        }
    }

    /// What the page is sent: RFB from its first byte on.
    pub fn output(&self) -> Output {
        self.output.clone()
    }

    /// What the page says.
    pub async fn input(&self, bytes: impl Into<Bytes>) -> Result<()> {
        let bytes = bytes.into();
        if bytes.len() > INPUT_MOST {
            return Err(Error::rejected("to type", "more than 2 MiB at once"));
        }
        match timeout(SEND_WAIT, self.input.send(bytes)).await {
            Ok(sent) => sent.map_err(|_| Error::lost("the session is over")),
            Err(_) => Err(Error::timed_out("the server to take what was typed")),
        }
    }

    /// What went on so far.
    pub fn measured(&self) -> Measured {
        let latency = self.counters.pulse.latency();
        Measured {
            received: self.counters.received.load(Ordering::Relaxed),
            updates: self.counters.updates.load(Ordering::Relaxed),
            latency_us: latency.map(|latency| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)),
            width: self.counters.width.load(Ordering::Relaxed),
            height: self.counters.height.load(Ordering::Relaxed),
        }
    }

    /// Counts what a person did: keys, clicks, texts.
    pub fn used(&self) -> u64 {
        self.counters.used.load(Ordering::Relaxed)
    }

    /// Ends it at once.
    pub fn close(&self) {
        self.over.cancel();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

struct Run {
    way: ScreenWay,
    teller: Teller,
    spool: Arc<Spool>,
    counters: Arc<Counters>,
    over: CancellationToken,
}

impl Run {
    async fn run(self, pieces: mpsc::Receiver<Bytes>) {
        let over = self.over.clone();
        let ended = || State::Ended {
            exit: None,
            signal: None,
        };
        let state = tokio::select! {
            error = self.live(pieces) => match error {
                Error::Cancelled => ended(),
                error => State::Failed { error },
            },
            () = over.cancelled() => ended(),
        };
        self.spool.finish();
        self.teller.tell(state);
    }

    async fn live(&self, pieces: mpsc::Receiver<Bytes>) -> Error {
        match self.connect().await {
            Ok((stream, connection)) => self.show(stream, connection.as_ref(), pieces).await,
            Err(error) => error,
        }
    }

    /// A server that waits to hear whether its screen is shared.
    async fn connect(&self) -> Result<(BoxStream, Option<Connection>)> {
        match &self.way {
            ScreenWay::Console {
                address,
                authorities,
                proxy,
            } => {
                let page = address::Page::read(address)?;
                self.teller.tell(State::Connecting {
                    host: page.host.clone(),
                    port: page.port,
                });
                let pulse = self.counters.pulse.clone();
                let stream = socket::open(&page, authorities.as_deref(), proxy.as_ref(), pulse).await?;
                let server = Server {
                    host: &page.host,
                    port: page.port,
                    private: page.tls,
                    teller: &self.teller,
                };
                Ok((security::agree(stream, &server).await?, None))
            }
            ScreenWay::Vnc { login, host, port } => {
                let connection = login.connect(Purpose::Tunnel).await?;
                let server = Server {
                    host,
                    port: *port,
                    private: true,
                    teller: &self.teller,
                };
                let agreed = match self.vnc(&connection, &server).await {
                    Err(Error::Certificate {
                        fingerprint: Some(shown),
                        ..
                    }) if security::trusts(&shown, &server).await => self.vnc(&connection, &server).await,
                    other => other,
                };
                Ok((agreed?, Some(connection)))
            }
        }
    }

    async fn vnc(&self, connection: &Connection, server: &Server<'_>) -> Result<BoxStream> {
        let opened = connection.open_direct(server.host, server.port).await;
        let channel = opened.map_err(|error| match error {
            Error::Rejected { why, .. } => Error::ScreenAbsent {
                host: server.host.to_owned(),
                port: server.port,
                why: Unreachable::Other(why),
            },
            other => other,
        })?;
        security::agree(Box::new(channel.into_stream()), server).await
    }

    async fn show(
        &self,
        stream: BoxStream,
        connection: Option<&Connection>,
        pieces: mpsc::Receiver<Bytes>,
    ) -> Error {
        let mut page = Page::new(pieces, self.counters.clone());
        let shared = match page.greet(&self.spool).await {
            Ok(shared) => shared,
            Err(error) => return error,
        };
        let (reader, mut writer) = tokio::io::split(stream);
        let mut filter = Filter::new(reader, self.spool.clone(), self.counters.clone());
        let beginning = async {
            send(&mut writer, &[shared]).await?;
            filter.begin().await
        };
        if let Err(error) = beginning.await {
            return error;
        }
        self.teller.tell(State::Open);
        let pulse = &self.counters.pulse;
        let writing = async {
            let mut beat = interval(PULSE_EVERY);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                let sent = tokio::select! {
                    message = page.message() => match message {
                        Ok(message) => send(&mut writer, &message).await,
                        Err(error) => return error,
                    },
                    _ = beat.tick() => {
                        pulse.ask();
                        send(&mut writer, &[]).await
                    }
                };
                if let Err(error) = sent {
                    return error;
                }
            }
        };
        let asking = async {
            let Some(connection) = connection else {
                return std::future::pending().await;
            };
            let mut beat = interval(PULSE_EVERY);
            loop {
                beat.tick().await;
                let asked = Instant::now();
                if let Err(error) = connection.ping().await {
                    return error;
                }
                pulse.note(asked.elapsed());
            }
        };
        tokio::select! {
            ended = filter.run() => match ended {
                Ok(()) => Error::Cancelled,
                Err(error) => error,
            },
            error = writing => error,
            error = asking => error,
        }
    }
}

async fn send(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<()> {
    let sending = async {
        writer.write_all(bytes).await?;
        writer.flush().await
    };
    match timeout(SEND_WAIT, sending).await {
        Ok(sent) => sent.map_err(Error::lost),
        Err(_) => Err(Error::timed_out("the screen to take what was typed")),
    }
}
