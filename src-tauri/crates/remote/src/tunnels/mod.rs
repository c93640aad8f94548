//! Ways through a server: a port here that leads there, a port there that leads here, and a SOCKS5 proxy. They listen on
//! loopback unless said otherwise. A tunnel has a connection of its own, made anew when it is lost; its port here stays.

mod pump;
mod socks;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Login, Purpose, millis};
use crate::error::{Error, Result, short};
use crate::front::State;
use crate::peer::Forwarded;

/// The most connections through a tunnel at once.
const AT_ONCE: usize = 256;
/// How long a connection that comes in waits for the server to be reached.
const SERVER_WAIT: Duration = Duration::from_secs(15);
/// How long something here may take to answer.
const HERE_WAIT: Duration = Duration::from_secs(10);
/// How often it is looked whether the connection is still there.
const LOOK: Duration = Duration::from_millis(200);

/// What leads where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Route {
    /// A port here leads to a place that the server reaches.
    Local {
        /// Where it listens here.
        listen: Listen,
        /// Where it leads, as the server sees it.
        to: Place,
    },
    /// A port on the server leads to a place that is reached from here.
    Remote {
        /// Where the server listens, on its own loopback when the address is empty.
        listen: Place,
        /// Where it leads, as seen from here.
        to: Place,
    },
    /// A SOCKS5 proxy here; the server reaches what is asked for. Without a password: every program on this computer may
    /// use it.
    Socks {
        /// Where it listens here.
        listen: Listen,
    },
}

/// A port on this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// The address; loopback unless others shall reach it too.
    pub address: IpAddr,
    /// The port; 0 lets the system choose.
    pub port: u16,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Listen {
    /// This computer's programs only.
    pub fn loopback(port: u16) -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            port,
        }
    }
}

/// A tunnel. Dropping it ends it and everything that runs through it.
#[derive(Debug)]
pub struct Tunnel {
    counters: Arc<Counters>,
    port: watch::Receiver<Option<u16>>,
    over: CancellationToken,
}

/// What goes through a tunnel.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    up: AtomicU64,
    down: AtomicU64,
    open: AtomicU64,
    all: AtomicU64,
    failed: AtomicU64,
}

/// What went through a tunnel so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// Bytes towards the server.
    pub up: u64,
    /// Bytes from the server.
    pub down: u64,
    /// Connections that are open.
    pub open: u64,
    /// Connections in all.
    pub all: u64,
    /// Connections that led nowhere.
    pub failed: u64,
}

impl Counters {
    fn traffic(&self) -> Traffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            up: read(&self.up),
            down: read(&self.down),
            open: read(&self.open),
            all: read(&self.all),
            failed: read(&self.failed),
        }
    }
}

/// Counts a connection as long as it is open.
struct Opened(Arc<Counters>);

impl Opened {
    fn new(counters: &Arc<Counters>) -> Self {
        counters.open.fetch_add(1, Ordering::Relaxed);
        counters.all.fetch_add(1, Ordering::Relaxed);
        Self(counters.clone())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

type Shared = Arc<Connection>;

impl Tunnel {
    /// Listens, then begins to connect. How the connection stands is told by the login's front. A lost one is made anew
    /// `reconnects` times.
    pub async fn start(login: Login, route: Route, reconnects: u32) -> Result<Self> {
        let listener = match &route {
            Route::Local { listen, .. } | Route::Socks { listen } => Some(bind(*listen).await?),
            Route::Remote { .. } => None,
        };
        let here = listener
            .as_ref()
            .and_then(|listener| listener.local_addr().ok())
            .map(|at| at.port());
        let (port, watched) = watch::channel(here);
        let counters = Arc::new(Counters::default());
        let over = CancellationToken::new();
        let (connection, current) = watch::channel(None);
        let run = Run {
            login,
            route,
            reconnects,
            counters: counters.clone(),
            over: over.clone(),
            connection,
            port,
        };
        if let Some(listener) = listener {
            tokio::spawn(accept(
                listener,
                run.route.clone(),
                counters.clone(),
                current,
                over.clone(),
            ));
        }
        tokio::spawn(run.run());
        Ok(Self {
            counters,
            port: watched,
            over,
        })
    }

    /// What went through so far.
    pub fn traffic(&self) -> Traffic {
        self.counters.traffic()
    }

    /// The port that listens, here or there; nothing while that is not known.
    pub fn port(&self) -> Option<u16> {
        *self.port.borrow()
    }

    /// Ends it.
    pub fn close(&self) {
        self.over.cancel();
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

async fn bind(listen: Listen) -> Result<TcpListener> {
    let address = SocketAddr::new(listen.address, listen.port);
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Error::Listen {
        address: address.to_string(),
        why: short(error),
    })
}

struct Run {
    login: Login,
    route: Route,
    reconnects: u32,
    counters: Arc<Counters>,
    over: CancellationToken,
    connection: watch::Sender<Option<Shared>>,
    port: watch::Sender<Option<u16>>,
}

impl Run {
    async fn run(self) {
        let over = self.over.clone();
        let state = tokio::select! {
            error = self.live() => State::Failed { error },
            () = over.cancelled() => State::Ended { exit: None, signal: None },
        };
        self.connection.send_replace(None);
        self.over.cancel();
        self.login.teller.tell(state);
    }

    /// Connects again and again. Comes back with the reason why no more.
    async fn live(&self) -> Error {
        let mut connection = match self.login.connect(Purpose::Tunnel).await {
            Ok(connection) => connection,
            Err(error) => return error,
        };
        loop {
            let mut cause = self.serve(connection).await;
            let mut again = None;
            let mut pause = Duration::from_secs(1);
            for attempt in 1..=self.reconnects {
                if !cause.passes() {
                    return cause;
                }
                self.login.teller.tell(State::Reconnecting {
                    attempt,
                    of: self.reconnects,
                    cause: cause.clone(),
                    next_in_ms: millis(pause),
                });
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(30));
                match self.login.connect_once(Purpose::Tunnel).await {
                    Ok(connected) => {
                        again = Some(connected);
                        break;
                    }
                    Err(error) => cause = error,
                }
            }
            match again {
                Some(connected) => connection = connected,
                None => return cause,
            }
        }
    }

    /// One connection's life; says why it ended.
    async fn serve(&self, connection: Connection) -> Error {
        let connection = Arc::new(connection);
        let mut coming = None;
        if let Route::Remote { listen, .. } = &self.route {
            let address = if listen.host.is_empty() {
                "localhost"
            } else {
                &listen.host
            };
            // The same port again after a reconnect, even when the server chose it.
            let port = self.port.borrow().unwrap_or(listen.port);
            match connection.listen(address, port).await {
                Ok((port, taken)) => {
                    self.port.send_replace(Some(port));
                    coming = Some(taken);
                }
                Err(error) => return error,
            }
        }
        self.connection.send_replace(Some(connection.clone()));
        self.login.teller.tell(State::Open);
        let watching = async {
            while !connection.is_closed() {
                sleep(LOOK).await;
            }
        };
        match (&self.route, coming) {
            (Route::Remote { to, .. }, Some(coming)) => {
                tokio::select! {
                    () = watching => {}
                    () = self.take(coming, to) => {}
                }
            }
            _ => watching.await,
        }
        self.connection.send_replace(None);
        Error::lost("the tunnel's connection broke off")
    }

    /// Leads what comes in over there to its place.
    async fn take(&self, mut coming: mpsc::Receiver<Forwarded>, to: &Place) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        while let Some(forwarded) = coming.recv().await {
            let Ok(place) = room.clone().try_acquire_owned() else {
                self.counters.failed.fetch_add(1, Ordering::Relaxed);
                // The library does not close a channel that is dropped.
                let _ = timeout(HERE_WAIT, forwarded.channel.close()).await;
                continue;
            };
            let (to, counters, over) = (to.clone(), self.counters.clone(), self.over.clone());
            tokio::spawn(async move {
                let _place = place;
                let opened = Opened::new(&counters);
                let reaching = TcpStream::connect((to.host.as_str(), to.port));
                let why = match timeout(HERE_WAIT, reaching).await {
                    Ok(Ok(stream)) => return pump::run(forwarded.channel, stream, &opened.0, &over).await,
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "nothing came back in time".to_owned(),
                };
                tracing::debug!(why, from = forwarded.from, "a tunnel leads nowhere");
                counters.failed.fetch_add(1, Ordering::Relaxed);
                let _ = timeout(HERE_WAIT, forwarded.channel.close()).await;
            });
        }
    }
}

/// Takes what comes in here.
async fn accept(
    listener: TcpListener,
    route: Route,
    counters: Arc<Counters>,
    connection: watch::Receiver<Option<Shared>>,
    over: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let taking = async {
        loop {
            // Above the limit they wait in the system's own queue.
            let Ok(place) = room.clone().acquire_owned().await else {
                return;
            };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Too many open files, mostly: better in a moment.
                    tracing::debug!(%error, "a tunnel cannot take a connection");
                    sleep(LOOK).await;
                    continue;
                }
            };
            let (to, counters, over) = (Target::of(&route), counters.clone(), over.clone());
            let connection = connection.clone();
            tokio::spawn(async move {
                let _place = place;
                let opened = Opened::new(&counters);
                if let Err(error) = lead(stream, to, connection, &opened.0, &over).await {
                    tracing::debug!(%error, "a tunnel leads nowhere");
                    counters.failed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    };
    tokio::select! {
        () = taking => {}
        () = over.cancelled() => {}
    }
}

/// How to find out where a connection leads.
enum Target {
    Fixed(Place),
    Asked,
}

impl Target {
    fn of(route: &Route) -> Self {
        match route {
            Route::Local { to, .. } | Route::Remote { to, .. } => Self::Fixed(to.clone()),
            Route::Socks { .. } => Self::Asked,
        }
    }
}

async fn lead(
    mut stream: TcpStream,
    to: Target,
    mut connection: watch::Receiver<Option<Shared>>,
    counters: &Counters,
    over: &CancellationToken,
) -> Result<()> {
    // Small pieces wait for each other otherwise.
    let _ = stream.set_nodelay(true);
    let (place, proxied) = match to {
        Target::Fixed(place) => (place, false),
        Target::Asked => (socks::asked(&mut stream).await?, true),
    };
    let reaching = async {
        let connection = {
            let there = timeout(SERVER_WAIT, connection.wait_for(Option::is_some)).await;
            let there = there.ok().and_then(Result::ok).and_then(|there| there.clone());
            there.ok_or_else(|| Error::lost("the server is not reached"))?
        };
        let channel = connection.open_direct(&place.host, place.port).await?;
        Ok::<_, Error>((connection, channel))
    };
    let reached = tokio::select! {
        reached = reaching => reached,
        () = over.cancelled() => Err(Error::Cancelled),
    };
    let (_connection, channel) = match reached {
        Ok(reached) => {
            if proxied {
                socks::reached(&mut stream).await?;
            }
            reached
        }
        Err(error) => {
            if proxied {
                socks::not_reached(&mut stream, &error).await;
            }
            return Err(error);
        }
    };
    pump::run(channel, stream, counters, over).await;
    Ok(())
}
