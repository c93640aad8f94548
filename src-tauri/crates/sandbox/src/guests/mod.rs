//! The guests: what answers by SSH where a server of the region would. A guest is a **simulated** machine, a file system in
//! memory and a few commands of its own; nothing of it runs a program or reads a file of this computer.
//!
//! The region's addresses lead nowhere (RFC 5737), so each guest has a port on 127.0.0.1, opened when it is asked for
//! (`GET /guest?server=ID` of the control listener). It lets in who proves to have a key that the server was made with, in its
//! user data or as its key pair, or knows the password that was set for it; without either nobody at all.

mod blocks;
mod console;
mod disk;
mod endless;
mod line;
mod machine;
mod page;
mod ports;
mod sftp;
mod ssh;
mod tools;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use russh::keys::{Algorithm, PrivateKey, PublicKey};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::sleep,
};

use crate::{
    shared::Shared,
    world::{PasswordMark, Region, Server, VmState},
};
pub(crate) use console::{Consoles, serve as serve_consoles};
use console::{Place, Seat};
use machine::Machine;

/// Most guests that are reached in one run.
const GUESTS_MOST: usize = 256;
/// Most connections to one guest.
const CONNECTIONS_MOST: usize = 32;
/// How often it is looked whether a server still runs.
const LOOK: Duration = Duration::from_millis(500);

/// The guests that were asked for. Their listeners end with this.
#[derive(Default)]
pub(crate) struct Guests {
    open: Mutex<Open>,
    /// What all visits to a guest share, whichever way they come.
    machines: Mutex<BTreeMap<String, Arc<Mutex<Machine>>>>,
}

#[derive(Default)]
struct Open {
    ports: BTreeMap<String, u16>,
    tasks: JoinSet<()>,
}

/// A server as its guest needs to know it.
pub(crate) struct Guest {
    hostname: String,
    address: String,
    vcpus_and_memory: Option<(u32, u64)>,
    /// Device and size in GB.
    disks: Vec<(String, u32)>,
    keys: Vec<PublicKey>,
    host_key: Option<PrivateKey>,
    password: Option<PasswordMark>,
    /// Which start this is.
    boot: u32,
    runs: bool,
}

impl Guest {
    pub(crate) fn of(region: &Region, server: &Server) -> Self {
        let document = server.user_data.as_deref().and_then(document).unwrap_or_default();
        let pair = region
            .key_pairs
            .iter()
            .find(|pair| Some(&pair.name) == server.key_name.as_ref());
        let authorized = document.get("ssh_authorized_keys").and_then(Value::as_array);
        let keys = authorized
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .chain(pair.map(|pair| pair.public_key.as_str()))
            .filter_map(|line| PublicKey::from_openssh(line).ok());
        let flavor = crate::catalogue::flavor(&server.flavor);
        Self {
            hostname: server.hostname.clone(),
            address: server
                .nics
                .first()
                .map(|nic| nic.address.to_string())
                .unwrap_or_default(),
            vcpus_and_memory: flavor.map(|flavor| (flavor.vcpus, u64::from(flavor.ram_mb))),
            disks: server
                .disks
                .iter()
                .filter_map(|disk| {
                    let volume = region.volumes.get(&disk.volume_id)?;
                    Some((disk.device.clone(), volume.size_gb))
                })
                .collect(),
            keys: keys.collect(),
            host_key: document
                .pointer("/ssh_keys/ed25519_private")
                .and_then(Value::as_str)
                .and_then(|pem| PrivateKey::from_openssh(pem).ok()),
            password: server.password.clone(),
            boot: server.boots,
            runs: server.visible && server.state == VmState::Active && server.task.is_none(),
        }
    }
}

impl Guest {
    /// Whether this host is the guest itself, as seen from it.
    fn is_itself(&self, host: &str) -> bool {
        matches!(host, "localhost" | "127.0.0.1" | "::1") || host == self.hostname || host == self.address
    }
}

/// The part of the user data that is one for cloud-init, where it is JSON (which is YAML as well): alone, or as the first
/// part of several.
fn document(user_data: &str) -> Option<Value> {
    let text = String::from_utf8(STANDARD.decode(user_data).ok()?).ok()?;
    let json = match text.strip_prefix("#cloud-config\n") {
        Some(json) => json,
        None => text.split_once("\n#cloud-config\n")?.1,
    };
    // What follows it is another part.
    serde_json::Deserializer::from_str(json)
        .into_iter::<Value>()
        .next()?
        .ok()
}

impl Guests {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The port on 127.0.0.1 where a server's guest answers; `None` if there is no such server, or there are too many already.
pub(crate) async fn port(shared: &Arc<Shared>, server: &str) -> std::io::Result<Option<u16>> {
    let Some(guest) = shared.guest(server) else {
        return Ok(None);
    };
    if let Some(port) = shared.guests().open().ports.get(server) {
        return Ok(Some(*port));
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let mut open = shared.guests().open();
    if let Some(port) = open.ports.get(server) {
        return Ok(Some(*port));
    }
    if open.ports.len() >= GUESTS_MOST {
        return Ok(None);
    }
    // One that was not made with a host key has a fresh one in each run.
    let fresh = || PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519);
    let host_key = match guest.host_key.clone() {
        Some(key) => key,
        None => fresh().map_err(std::io::Error::other)?,
    };
    open.ports.insert(server.to_owned(), port);
    let (weak, id) = (Arc::downgrade(shared), server.to_owned());
    let machine = machine_of(shared, server);
    open.tasks.spawn(serve(listener, weak, id, host_key, machine));
    Ok(Some(port))
}

async fn serve(
    listener: TcpListener,
    shared: Weak<Shared>,
    server: String,
    host_key: PrivateKey,
    machine: Arc<Mutex<Machine>>,
) {
    let (by_key, by_either) = (ssh::config(host_key.clone(), false), ssh::config(host_key, true));
    let (by_key, by_either) = (Arc::new(by_key), Arc::new(by_either));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MOST));
    let mut visits = JoinSet::new();
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            Some(_) = visits.join_next() => continue,
        };
        let Ok((stream, _)) = taken else {
            sleep(LOOK).await;
            continue;
        };
        // A server that boots or is stopped hangs up before it says anything, as one whose SSH is not up yet.
        let Some(guest) = running(&shared, &server) else {
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let (shared, server) = (shared.clone(), server.clone());
        let config = match guest.password {
            Some(_) => by_either.clone(),
            None => by_key.clone(),
        };
        let visit = ssh::Visit::new(guest, shared.clone(), server.clone(), machine.clone());
        visits.spawn(async move {
            tokio::select! {
                () = receive(config, stream, visit) => {}
                () = until_down(&shared, &server) => {}
            }
            drop(place);
        });
    }
}

async fn receive(config: Arc<russh::server::Config>, stream: TcpStream, visit: ssh::Visit) {
    let visited = match russh::server::run_stream(config, stream, visit).await {
        Ok(session) => session.await,
        Err(error) => Err(error),
    };
    if let Err(error) = visited {
        tracing::debug!(%error, "a visit to a guest ended");
    }
}

/// How a guest looks at its own server, as that is then.
fn look_of(shared: Weak<Shared>, server: String) -> machine::Look {
    Arc::new(move || shared.upgrade()?.guest(&server))
}

fn machine_of(shared: &Shared, server: &str) -> Arc<Mutex<Machine>> {
    let machines = &shared.guests().machines;
    let mut machines = machines.lock().unwrap_or_else(PoisonError::into_inner);
    machines.entry(server.to_owned()).or_default().clone()
}

/// The seat in front of a guest's display `:1`.
fn desk(shared: &Weak<Shared>, server: &str) -> Option<Arc<Seat>> {
    let guest = running(shared, server)?;
    let whole = shared.upgrade()?;
    let look = look_of(shared.clone(), server.to_owned());
    let machine = machine_of(&whole, server);
    Some(whole.consoles().seat(server, Place::Desk, guest, look, machine))
}

fn running(shared: &Weak<Shared>, server: &str) -> Option<Guest> {
    shared.upgrade()?.guest(server).filter(|guest| guest.runs)
}

async fn until_down(shared: &Weak<Shared>, server: &str) {
    while running(shared, server).is_some() {
        sleep(LOOK).await;
    }
}
