//! How to log in to a server: where it answers, as whom, with what, and by which host key it is known.

use std::path::{Path, PathBuf};
use std::time::Duration;

use remote::{
    Credential, Destination, Front, HostKey, HostKeys, Login, Patience, Resolved, UserConfig, usual,
};
use serde::Deserialize;

use super::failure::failure;
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::servers::{AddressKind, Server, ServerState};

/// The usual port of SSH.
const PORT: u16 = 22;
/// How long the embedded region may take to say where a server answers.
const GUEST_WAIT: Duration = Duration::from_secs(5);
/// The most bytes of its answer.
const GUEST_MOST: usize = 4096;
/// How long the user's configuration of `ssh` may take to be read.
const CONFIG_WAIT: Duration = Duration::from_secs(10);
/// Our own file of known host keys, in the directory of the ledger.
const KNOWN_HOSTS: &str = "known_hosts";

/// Longest user, file or list of jump hosts that somebody names, in bytes.
const NAMED_MOST: usize = 4096;

/// What somebody wants otherwise than usual.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// As this user.
    pub user: Option<String>,
    /// With this key file first.
    pub key_file: Option<PathBuf>,
    /// Through these hosts, as `ssh -J` takes them.
    pub jumps: Option<String>,
}

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
    pub(super) async fn way_to(&self, server: &Server, how: &How) -> Result<Way> {
        let named = |code: Code| Failure::new(code).with("name", &server.name);
        if server.state != ServerState::Running {
            return Err(named(Code::ServerNotRunning));
        }
        if server.os.as_deref() == Some("Windows") {
            return Err(named(Code::ServerWithoutSsh));
        }
        how.check()?;
        let address = server
            .addresses
            .iter()
            .find(|address| address.kind == AddressKind::Public)
            .or(server.addresses.first())
            .map(|address| address.address.clone())
            .ok_or_else(|| named(Code::AddressAbsent))?;
        let guest = self.guest(&server.id).await?;
        // What `ssh` knows is about the real world, not about the embedded region.
        let home = match self.inner.demo {
            Some(_) => None,
            None => std::env::home_dir(),
        };
        let asked = Asked {
            name: server.name.clone(),
            address: address.clone(),
            jumps: how.jumps.clone(),
        };
        let local_user = local_user();
        let (found, jumps) = configured(home.clone(), local_user.clone(), asked).await?;
        let (host, port) = match guest {
            Some(Guest { host, port }) => (host.to_string(), port),
            None => (found.host.clone(), found.port),
        };
        let image = server.image.as_deref().unwrap_or_default();
        let key = match self.login_key(&server.id).await {
            // Whoever brings a key needs none of ours.
            Err(failure) if how.key_file.is_some() && failure.is_keychain() => None,
            key => key?,
        };
        let (user, mut credentials, known_keys) = match key {
            // Made here: its first start let root in with this key, and gave it this host key. A user that the
            // configuration names for every host is not one of its.
            Some((pem, host_key)) => (
                how.user.clone().unwrap_or_else(|| "root".to_owned()),
                vec![Credential::Key {
                    name: "keychain".to_owned(),
                    pem,
                }],
                HostKey::read(&host_key).into_iter().collect(),
            ),
            None => {
                let guessed = || remote::guess(image, true).first().copied().unwrap_or("root");
                let user = how.user.clone().or_else(|| found.user.clone());
                (
                    user.unwrap_or_else(|| guessed().to_owned()),
                    Vec::new(),
                    Vec::new(),
                )
            }
        };
        if credentials.is_empty() {
            credentials = usual(&found, home.as_deref());
        } else {
            let files = found.identity_files.iter().filter(|file| file.is_file());
            credentials.extend(files.cloned().map(Credential::KeyFile));
            credentials.extend([Credential::Password(None), Credential::Interactive]);
        }
        if let Some(file) = &how.key_file {
            credentials.insert(0, Credential::KeyFile(file.clone()));
        }
        let to = Destination {
            // Addresses are given to new servers again; the id is not.
            server: Some(server.id.clone()),
            host,
            port,
            user,
            credentials,
            known_keys,
        };
        let own = self.inner.data_dir.join(KNOWN_HOSTS);
        let mut host_keys = match &home {
            Some(home) => HostKeys::beside(own, Some(home)),
            None => HostKeys {
                own,
                others: Vec::new(),
            },
        };
        if !found.known_hosts.is_empty() {
            host_keys.others = found.known_hosts.clone();
        }
        let (teller, front) = remote::front();
        let mut login = Login::new(to, host_keys, teller);
        login.jumps = jumps
            .iter()
            .map(|jump| Destination::of(jump, &local_user, home.as_deref()))
            .collect();
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

impl How {
    /// Nothing of it is longer than it needs to be, or holds what no name has.
    fn check(&self) -> Result<()> {
        let unsound =
            |text: &str| text.is_empty() || text.len() > NAMED_MOST || text.chars().any(char::is_control);
        let field = [("user", &self.user), ("jumps", &self.jumps)]
            .into_iter()
            .find(|(_, text)| text.as_deref().is_some_and(unsound));
        match field {
            Some((field, _)) => Err(Failure::new(Code::BadInput).with("field", field)),
            None => Ok(()),
        }
    }
}

/// What is looked up in the user's configuration of `ssh`.
struct Asked {
    name: String,
    address: String,
    jumps: Option<String>,
}

/// What the user's configuration of `ssh` says of a server, and the hosts to go through.
async fn configured(
    home: Option<PathBuf>,
    local_user: String,
    asked: Asked,
) -> Result<(Resolved, Vec<Resolved>)> {
    let reading = tokio::task::spawn_blocking(move || look_up(home.as_deref(), &local_user, &asked));
    let waited = tokio::time::timeout(CONFIG_WAIT, reading).await;
    let slow = |error: &dyn std::fmt::Display| Failure::new(Code::Internal).saying(error);
    waited
        .map_err(|error| slow(&error))?
        .map_err(|error| slow(&error))?
}

/// By the server's name, as `ssh NAME` would, then by its address: what only the latter says is added.
fn look_up(home: Option<&Path>, local_user: &str, asked: &Asked) -> Result<(Resolved, Vec<Resolved>)> {
    let config = match home {
        Some(home) => UserConfig::read(home, local_user),
        None => Ok(UserConfig::default()),
    };
    let looked = config.and_then(|config| {
        let by_name = config.resolve(&asked.name, None, None)?;
        let mut found = config.resolve(&asked.address, None, None)?;
        if by_name.host != asked.name {
            found.host = by_name.host;
        }
        if by_name.port != PORT {
            found.port = by_name.port;
        }
        found.user = by_name.user.or(found.user);
        let more = std::mem::take(&mut found.identity_files);
        found.identity_files = by_name.identity_files;
        for file in more {
            if !found.identity_files.contains(&file) {
                found.identity_files.push(file);
            }
        }
        found.identities_only |= by_name.identities_only;
        if !by_name.jumps.is_empty() {
            found.jumps = by_name.jumps;
        }
        if !by_name.known_hosts.is_empty() {
            found.known_hosts = by_name.known_hosts;
        }
        let jumps = match &asked.jumps {
            Some(jumps) => config.through(jumps)?,
            None => found.jumps.clone(),
        };
        Ok((found, jumps))
    });
    looked.map_err(|error| failure(&error))
}

/// Who is logged in to this computer, as the system says; empty where it does not.
fn local_user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(jumps: Option<&str>) -> Asked {
        Asked {
            name: "web-01".into(),
            address: "203.0.113.9".into(),
            jumps: jumps.map(str::to_owned),
        }
    }

    #[test]
    fn what_the_users_configuration_says_of_a_servers_name_counts_before_what_it_says_of_its_address() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        let config = "Host web-*\n User dev\n IdentityFile ~/.ssh/web\n\
                      Host 203.0.113.*\n User other\n Port 2222\n IdentityFile ~/.ssh/net\n ProxyJump ops@bastion:24\n\
                      Host bastion\n HostName bastion.example\n";
        std::fs::write(home.path().join(".ssh/config"), config).unwrap();
        let (found, jumps) = look_up(Some(home.path()), "me", &asked(None)).unwrap();
        assert_eq!(
            (found.host.as_str(), found.port, found.user.as_deref()),
            ("203.0.113.9", 2222, Some("dev")),
            "a name that leads nowhere else stays the address"
        );
        let files = ["web", "net"].map(|name| home.path().join(".ssh").join(name));
        assert_eq!(found.identity_files, files);
        let hop = jumps.first().unwrap();
        assert_eq!(
            (hop.host.as_str(), hop.port, hop.user.as_deref()),
            ("bastion.example", 24, Some("ops"))
        );
        let (_, jumps) = look_up(Some(home.path()), "me", &asked(Some("a@one,two:7"))).unwrap();
        let hosts: Vec<_> = jumps.iter().map(|hop| (hop.host.as_str(), hop.port)).collect();
        assert_eq!(
            hosts,
            [("one", 22), ("two", 7)],
            "what is asked for counts before"
        );
    }

    #[test]
    fn a_configuration_that_cannot_be_followed_is_told() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        std::fs::write(
            home.path().join(".ssh/config"),
            "Host *\n ProxyCommand nc %h %p\n",
        )
        .unwrap();
        let failed = look_up(Some(home.path()), "me", &asked(None)).unwrap_err();
        assert_eq!(failed.code, Code::SshConfigInvalid);
        let failed = look_up(None, "", &asked(Some("a@"))).unwrap_err();
        assert_eq!(failed.code, Code::SshConfigInvalid);
    }
}
