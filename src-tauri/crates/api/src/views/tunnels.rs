//! Tunnels on the wire.

use std::net::IpAddr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::sessions::{Listen, NewTunnel, Place, Route, TunnelNow};

use super::Speaker;
use super::sessions::{SessionQuestion, SessionState, asked};

/// What leads where. An address that listens is loopback when it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum TunnelRoute {
    /// A port here leads to a place that the server reaches.
    Local {
        /// The address here that listens.
        address: String,
        /// The port here; 0 lets the system choose.
        port: u16,
        /// The host that it leads to, as the server sees it.
        to_host: String,
        /// Its port.
        to_port: u16,
    },
    /// A port on the server leads to a place that is reached from here.
    Remote {
        /// The address there that listens.
        address: String,
        /// The port there; 0 lets the server choose.
        port: u16,
        /// The host that it leads to, as seen from here.
        to_host: String,
        /// Its port.
        to_port: u16,
    },
    /// A SOCKS5 proxy here.
    Socks {
        /// The address here that listens.
        address: String,
        /// The port here; 0 lets the system choose.
        port: u16,
    },
}

/// A tunnel that is kept, as it is now.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TunnelView {
    /// Its id.
    pub id: String,
    /// Server id.
    pub server: String,
    /// Name of the server.
    pub server_name: String,
    /// What it is called.
    pub name: String,
    /// What leads where.
    pub route: TunnelRoute,
    /// Begins with each session on its server.
    pub with_session: bool,
    /// Where it stands; nothing while it was not begun.
    pub state: Option<SessionState>,
    /// The port that listens, where it is known.
    pub port: Option<u16>,
    /// Bytes towards the server.
    #[ts(type = "number")]
    pub up: u64,
    /// Bytes from the server.
    #[ts(type = "number")]
    pub down: u64,
    /// Connections that are open.
    #[ts(type = "number")]
    pub open: u64,
    /// Connections in all.
    #[ts(type = "number")]
    pub all: u64,
    /// Connections that led nowhere.
    #[ts(type = "number")]
    pub failed: u64,
    /// What it waits for a person to answer.
    pub question: Option<SessionQuestion>,
}

/// What a window of sessions asks for about tunnels.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "act", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum TunnelAct {
    /// Which there are.
    List,
    /// Keeps another one.
    Keep {
        /// Server id.
        server: String,
        /// What it is called.
        name: String,
        /// What leads where.
        route: TunnelRoute,
        /// Begins with each session on its server.
        with_session: bool,
    },
    /// Ends it and forgets it.
    Remove {
        /// Its id.
        tunnel: String,
    },
    /// Begins it.
    Start {
        /// Its id.
        tunnel: String,
    },
    /// Ends it.
    Stop {
        /// Its id.
        tunnel: String,
    },
    /// Answers whether a host key is trusted.
    Trust {
        /// Its id.
        tunnel: String,
        /// The question's number.
        #[ts(type = "number")]
        question: u64,
        /// It is.
        yes: bool,
    },
    /// Answers what is asked; without answers it is a "no".
    Answer {
        /// Its id.
        tunnel: String,
        /// The question's number.
        #[ts(type = "number")]
        question: u64,
        /// One for each prompt.
        #[ts(as = "Vec<String>")]
        answers: Vec<SecretString>,
    },
}

impl TunnelRoute {
    /// What it means to the domain; nothing when its address is none.
    fn meant(self) -> Option<Route> {
        let listen = |address: &str, port| match address.trim() {
            "" => Some(Listen::loopback(port)),
            address => address
                .parse::<IpAddr>()
                .ok()
                .map(|address| Listen { address, port }),
        };
        let place = |host, port| Place { host, port };
        Some(match self {
            Self::Local {
                address,
                port,
                to_host,
                to_port,
            } => Route::Local {
                listen: listen(&address, port)?,
                to: place(to_host, to_port),
            },
            Self::Remote {
                address,
                port,
                to_host,
                to_port,
            } => Route::Remote {
                listen: place(address, port),
                to: place(to_host, to_port),
            },
            Self::Socks { address, port } => Route::Socks {
                listen: listen(&address, port)?,
            },
        })
    }
}

impl From<Route> for TunnelRoute {
    fn from(route: Route) -> Self {
        match route {
            Route::Local { listen, to } => Self::Local {
                address: listen.address.to_string(),
                port: listen.port,
                to_host: to.host,
                to_port: to.port,
            },
            Route::Remote { listen, to } => Self::Remote {
                address: listen.host,
                port: listen.port,
                to_host: to.host,
                to_port: to.port,
            },
            Route::Socks { listen } => Self::Socks {
                address: listen.address.to_string(),
                port: listen.port,
            },
        }
    }
}

/// A tunnel to be kept, out of what a page asks for; nothing when its address is none.
pub(crate) fn new_tunnel(
    server: String,
    name: String,
    route: TunnelRoute,
    with_session: bool,
) -> Option<NewTunnel> {
    Some(NewTunnel {
        server,
        name,
        route: route.meant()?,
        with_session,
    })
}

impl Speaker<'_> {
    pub fn tunnels(&self, tunnels: &[TunnelNow]) -> Vec<TunnelView> {
        let view = |now: &TunnelNow| {
            let (kept, traffic) = (now.kept.clone(), now.traffic);
            TunnelView {
                id: kept.id,
                server: kept.server,
                server_name: kept.server_name,
                name: kept.name,
                route: kept.route.into(),
                with_session: kept.with_session,
                state: now.state.clone().map(|state| self.session_state(state)),
                port: now.port,
                up: traffic.up,
                down: traffic.down,
                open: traffic.open,
                all: traffic.all,
                failed: traffic.failed,
                question: now.question.clone().map(|(number, ask)| SessionQuestion {
                    number,
                    ask: asked(ask),
                }),
            }
        };
        tunnels.iter().map(view).collect()
    }
}
