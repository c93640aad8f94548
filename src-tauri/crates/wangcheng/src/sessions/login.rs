//! How to log in to a server: where it answers, as whom, with what, and by which host key it is known.

use std::time::Duration;

use remote::{Credential, Destination, Front, HostKey, HostKeys, Login, Patience};
use serde::Deserialize;

use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::servers::{AddressKind, Server, ServerState};

/// The usual port of SSH.
const PORT: u16 = 22;
/// How long the embedded region may take to say where a server answers.
const GUEST_WAIT: Duration = Duration::from_secs(5);
/// The most bytes of its answer.
const GUEST_MOST: usize = 4096;
/// Our own file of known host keys, in the directory of the ledger.
const KNOWN_HOSTS: &str = "known_hosts";

/// A way to a server.
pub(super) struct Way {
    pub login: Login,
    pub front: Front,
    /// The server's address, for people.
    pub address: String,
}

/// Where a server of the embedded region answers.
#[derive(Deserialize)]
struct Guest {
    host: std::net::IpAddr,
    port: u16,
}

impl Wangcheng {
    pub(super) async fn way_to(&self, server: &Server) -> Result<Way> {
        let named = |code: Code| Failure::new(code).with("name", &server.name);
        if server.state != ServerState::Running {
            return Err(named(Code::ServerNotRunning));
        }
        if server.os.as_deref() == Some("Windows") {
            return Err(named(Code::ServerWithoutSsh));
        }
        let address = server
            .addresses
            .iter()
            .find(|address| address.kind == AddressKind::Public)
            .or(server.addresses.first())
            .map(|address| address.address.clone())
            .ok_or_else(|| named(Code::AddressAbsent))?;
        let (host, port) = match self.guest(&server.id).await? {
            Some(Guest { host, port }) => (host.to_string(), port),
            None => (address.clone(), PORT),
        };
        let image = server.image.as_deref().unwrap_or_default();
        let key = self.login_key(&server.id).await?;
        let (user, mut credentials, known_keys) = match key {
            // Made here: its first start let root in with this key, and gave it this host key.
            Some((pem, host_key)) => (
                "root",
                vec![Credential::Key {
                    name: "keychain".to_owned(),
                    pem,
                }],
                HostKey::read(&host_key).into_iter().collect(),
            ),
            None => (
                remote::guess(image, true).first().copied().unwrap_or("root"),
                vec![Credential::Agent {
                    socket: None,
                    only: None,
                }],
                Vec::new(),
            ),
        };
        credentials.extend([Credential::Password(None), Credential::Interactive]);
        let to = Destination {
            // Addresses are given to new servers again; the id is not.
            server: Some(server.id.clone()),
            host,
            port,
            user: user.to_owned(),
            credentials,
            known_keys,
        };
        // What `ssh` knows is about the real world, not about the embedded region.
        let home = match self.inner.demo {
            Some(_) => None,
            None => std::env::home_dir(),
        };
        let own = self.inner.data_dir.join(KNOWN_HOSTS);
        let host_keys = match home {
            Some(home) => HostKeys::beside(own, Some(&home)),
            None => HostKeys {
                own,
                others: Vec::new(),
            },
        };
        let (teller, front) = remote::front();
        let mut login = Login::new(to, host_keys, teller);
        login.patience = Patience::BOOT;
        Ok(Way {
            login,
            front,
            address,
        })
    }

    /// Where a server of the embedded region answers; nothing in the real world.
    async fn guest(&self, server: &str) -> Result<Option<Guest>> {
        let Some(guests) = self.inner.demo.as_ref().and_then(|demo| demo.guests.as_ref()) else {
            return Ok(None);
        };
        let absent = |error: &dyn std::fmt::Display| Failure::new(Code::DemoUnavailable).saying(error);
        let mut url = guests.join("guest").map_err(|error| absent(&error))?;
        url.query_pairs_mut().append_pair("server", server);
        let asking = async {
            // On loopback: no proxy has a part in it.
            let client = reqwest::Client::builder()
                .no_proxy()
                .timeout(GUEST_WAIT)
                .build()?;
            client.get(url).send().await?.error_for_status()?.bytes().await
        };
        let answer = asking.await.map_err(|error| absent(&error))?;
        let answer = answer.get(..answer.len().min(GUEST_MOST)).unwrap_or_default();
        let guest: Guest = serde_json::from_slice(answer).map_err(|error| absent(&error))?;
        // A key of the demo is for a guest on this computer, whatever an announcement says.
        if !guest.host.is_loopback() {
            return Err(absent(&"its guest is not on this computer"));
        }
        Ok(Some(guest))
    }
}
