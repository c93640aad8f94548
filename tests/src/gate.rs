//! A gate between the application and its peers: every request passes here, so that the application can be killed at an
//! exact one of them, with the peer asked or not, and no program needs a hook for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::process::send;

/// Longest head or body that passes, in bytes.
const MOST: usize = 4 << 20;
/// How long a peer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// When, around one request, the application is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It asked, and the peer never hears of it.
    Before,
    /// The peer did it, and the answer never comes.
    After,
    /// So long after the answer came.
    Answered(Duration),
}

/// At which request of a run the application is killed.
#[derive(Clone, Copy, Debug)]
pub struct Trap {
    /// How many requests pass first.
    pub nth: u32,
    /// Counted from the first request that changes something, rather than from the first of all.
    pub from_the_act: bool,
    /// When around it.
    pub moment: Moment,
}

#[derive(Default)]
struct State {
    trap: Option<Trap>,
    seen: u32,
    acted: bool,
    pid: Option<u32>,
    struck: Option<String>,
}

/// The open gate. It closes when this goes out of scope.
pub struct Gate {
    announce: PathBuf,
    state: Arc<Mutex<State>>,
    _doors: JoinSet<()>,
}

impl Gate {
    /// Opens a door for each address of the announcement in `announce`, and writes another announcement, with the doors
    /// in it, to `copy`.
    ///
    /// # Errors
    /// When the file holds no announcement, or no port is free.
    pub async fn open(announce: &Path, copy: &Path) -> Result<Self> {
        let mut announcement: Value = serde_json::from_slice(&std::fs::read(announce)?)?;
        let state = Arc::new(Mutex::new(State::default()));
        let mut doors = JoinSet::new();
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for address in addresses(&mut announcement) {
            let Value::String(url) = address else { continue };
            let door = match known.get(url.as_str()) {
                Some(door) => door.clone(),
                None => {
                    let peer = url
                        .strip_prefix("http://")
                        .context("an address that is not plain HTTP")?;
                    let (peer, path) = peer.split_once('/').unwrap_or((peer, ""));
                    let listener = TcpListener::bind("127.0.0.1:0").await?;
                    let slash = if url.ends_with('/') || !path.is_empty() {
                        "/"
                    } else {
                        ""
                    };
                    let door = format!("http://{}{slash}{path}", listener.local_addr()?);
                    doors.spawn(serve(listener, peer.to_owned(), Arc::clone(&state)));
                    known.insert(url.clone(), door.clone());
                    door
                }
            };
            *url = door;
        }
        std::fs::write(copy, announcement.to_string())?;
        Ok(Self {
            announce: copy.to_owned(),
            state,
            _doors: doors,
        })
    }

    /// The announcement with the doors in it.
    pub fn announce_file(&self) -> &Path {
        &self.announce
    }

    /// Sets the trap for the program that is started next, or none.
    pub fn set(&self, trap: Option<Trap>) {
        *self.state() = State {
            trap,
            ..State::default()
        };
    }

    /// Says which program it is.
    pub fn watch(&self, pid: u32) {
        self.state().pid = Some(pid);
    }

    /// The request at which the program was killed, if it was.
    pub fn struck(&self) -> Option<String> {
        self.state().struck.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every address that the application calls.
fn addresses(announcement: &mut Value) -> Vec<&mut Value> {
    let mut all = Vec::new();
    let Some(fields) = announcement.as_object_mut() else {
        return all;
    };
    for (name, value) in fields {
        match name.as_str() {
            "global" => all.extend(value.as_object_mut().into_iter().flat_map(|map| map.values_mut())),
            "hei" => all.extend(value.get_mut("url")),
            "regions" => {
                let regions = value.as_array_mut().into_iter().flatten();
                let endpoints = regions.filter_map(|region| region.get_mut("endpoints")?.as_object_mut());
                all.extend(endpoints.flat_map(|map| map.values_mut()));
            }
            _ => {}
        }
    }
    all
}

async fn serve(listener: TcpListener, peer: String, state: Arc<Mutex<State>>) {
    let mut calls = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (peer, state) = (peer.clone(), Arc::clone(&state));
        // a call that breaks off is the peers' own affair
        calls.spawn(async move {
            let _ = tokio::time::timeout(PATIENCE, pass(stream, &peer, &state)).await;
        });
        while calls.try_join_next().is_some() {}
    }
}

/// One request on a connection of its own, so that the end of an answer is the end of the connection.
async fn pass(mut stream: TcpStream, peer: &str, state: &Mutex<State>) -> Result<()> {
    let request = read_request(&mut stream).await?;
    let Some(end) = find(&request, b"\r\n") else {
        bail!("no request line");
    };
    let line = String::from_utf8_lossy(request.get(..end).unwrap_or_default()).into_owned();
    let moment = count(state, &line, &request);
    if moment == Some(Moment::Before) {
        return kill(state, &line, "before").await;
    }
    let mut upstream = TcpStream::connect(peer).await?;
    let (head, rest) = request.split_at(end + 2);
    upstream.write_all(head).await?;
    upstream.write_all(b"connection: close\r\n").await?;
    upstream.write_all(rest).await?;
    let mut answer = Vec::new();
    // what was sent of an answer that breaks off is passed on, too
    let _ = upstream.read_to_end(&mut answer).await;
    if moment == Some(Moment::After) {
        return kill(state, &line, "after").await;
    }
    let written = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
    if let Some(Moment::Answered(wait)) = moment {
        tokio::time::sleep(wait).await;
        return kill(state, &line, "answered").await;
    }
    Ok(written?)
}

/// Counts a request, and says what is to happen at it.
fn count(state: &Mutex<State>, line: &str, request: &[u8]) -> Option<Moment> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let trap = state.trap?;
    // Prices are asked for by POST, events are posted, and a trial is one: none of them changes anything.
    let changes = ["/cloudservers", "/cloudvolumes", "/publicips"];
    state.acted |= !line.starts_with("GET")
        && changes.iter().any(|part| line.contains(part))
        && find(request, br#""dry_run":true"#).is_none();
    if trap.from_the_act && !state.acted {
        return None;
    }
    let nth = state.seen;
    state.seen += 1;
    (nth == trap.nth).then_some(trap.moment)
}

async fn kill(state: &Mutex<State>, line: &str, when: &str) -> Result<()> {
    loop {
        {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(pid) = state.pid {
                send(pid, Signal::KILL);
                state.struck = Some(format!("{when} {line}"));
                return Ok(());
            }
        }
        // it asks before it is known which program it is
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn read_request(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut whole = None;
    loop {
        if whole.is_none()
            && let Some(end) = find(&request, b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(request.get(..end).unwrap_or_default()).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(Ok(0), |length| length.trim().parse())?;
            whole = Some(end + 4 + length);
        }
        if whole.is_some_and(|whole| request.len() >= whole) {
            return Ok(request);
        }
        if request.len() > MOST || stream.read_buf(&mut request).await? == 0 {
            bail!("no whole request came");
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
