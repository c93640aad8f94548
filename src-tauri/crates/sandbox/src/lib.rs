//! The embedded region: Huawei Cloud's wire formats on loopback, with real asynchrony and no cost, and a receiver for the
//! events that go to the data platform's HEI.
//!
//! It stands in for the cloud in demo mode and in tests, so it behaves as the cloud is documented to behave, refusals
//! included, and knows nothing of the application that calls it. The program `wangcheng-sandbox` is this library with a
//! command line.
//!
//! - [`Sandbox::start`] opens one listener per service (paths mean different things on different hosts), one for the
//!   receiver and one for control, all on 127.0.0.1, and says where they are in an [`Announcement`].
//! - Every call to a service must be signed by one of the example users; see [`users`].
//! - At speed 1 the world is about ten times as fast as the cloud: a server boots in some six seconds. Leases keep real
//!   time unless [`Options::lease_speed`] or [`Options::clock_speed`] says otherwise.
//! - With [`Options::clock_speed`] the region has a time of its own: at 1440 a day goes by in a minute, and with it leases,
//!   sweeps, bills, jobs and client tokens. Signatures, `Date`, object storage and the receiver keep the machine's time,
//!   because callers sign by their own clock. So the `Date` of an answer is not the region's time: whoever orders a lease
//!   asks `GET /health` for that, or reads it from what the region answers (`created`, `begin_time`).
//!
//! # The control listener
//!
//! | call | what it does |
//! |---|---|
//! | `GET /health` | `{"status":"ok","time":…,"wire_time":…}`: the region's time, and that by which callers sign |
//! | `GET /servers` | everything that exists, as JSON |
//! | `GET /guest?server=ID` | `{"host":"127.0.0.1","port":N}`: where that server answers by SSH, as a simulated machine |
//! | `GET /requests` | the last 1000 requests: service, method, path, status, error code, user |
//! | `GET /events?after=&limit=&distinct=true` | what the receiver keeps: `[{id, received_at, event_id, record, deliveries}]`, at most 10,000 |
//! | `POST /policies {"user":NAME,"policy":P}` | from now on ECS lets that user do what the policy (JSON as in the console) allows; `null` lifts it |
//! | `POST /clock {"offset_s":N}` | moves the sandbox's clocks to N seconds from the machine's |
//! | `GET /received?q=&before=` | the same as a page for a browser, newest first, with those that contain the text `q` |
//! | `POST /receiver {"mode":M,"retry_after_s":N,"count":N}` | M is `ok`, `refuse_401`, a status (`413`, `429`, `503`, also `status:503`), `stall`, `cut` or `cut_after` (stored, but not answered); with `count` for that many posts, then it is `ok` again. `GET /receiver` says which is on |
//! | `POST /searches {"mode":M,…}` | the same for questions about what came: M is `ok`, `refuse_401`, a status, `stall`, `cut`, `slow:MS`, `truncated` (half the bytes of an answer) or `half_page` (half the rows). `GET /searches` says which is on |
//! | `POST /faults {…}` | what goes wrong inside the services, see below |
//! | `GET /mishaps`, `POST /mishaps {…}`, `DELETE /mishaps` | what goes wrong on the wire, see below: the rules, one more, none |
//!
//! `POST /faults` takes any of `"job_fail_next":true` (the next creation fails, with `"code"` and `"reason"`; with `"job"` it is the
//! next job that is to `delete`, `start`, `stop`, `reboot`, `resize`, `attach`, `detach` or `delete_disk`),
//! `"disk_fail_next":true` (the next disk that is made or grown), `"half_batch_next":true` (every second server of the next
//! start, stop or reboot), `"no_capacity":true` or `false`, `"restriction":"frozen"`, `"suspended"`, `"unverified"`,
//! `"balance"`, `"payment_method"`, `"budget"` or `null`, `"lock":ID`, `"unlock":ID`, `"reclaim":ID` (the cloud gives notice that it
//! takes this spot server back, and some thirty seconds of demo time later it goes), and `"cut_next":"before"` or `"after"` (the
//! next change asked of ECS gets no answer).
//!
//! `POST /mishaps` takes one rule, `{"do":H,"service":S,"method":M,"path":P,"count":N}` ([`Mishap`]). Without `service`, `method`
//! and `path` (a part of it) it is for every call, without `count` until it is cleared. Of rules that fit, the oldest acts. H is
//!
//! | `do` | with | what happens |
//! |---|---|---|
//! | `throttle` | `limit`, `minutes` | 429 `APIGW.0308` that names both; from billing 429 `CBC.0250`, from object storage 503 `SlowDown` |
//! | `flow_limit` | | 202 with `Common.0024` in the body |
//! | `flow_control` | | 503 `Common.1503` |
//! | `status` | `status`, `code`, `message`, `retry_after_s` | that refusal in the service's envelope |
//! | `proxy` | `status` | that status with a page in HTML |
//! | `cut_before`, `cut_after` | | the connection is closed, before or after the act |
//! | `slow` | `delay_ms` | the answer comes late |
//! | `truncated`, `malformed` | | half of the body and then nothing; a body that is no JSON |
//!
//! A wrong clock is played by `POST /clock`. Neither rules nor faults nor the clock's offset survive a restart.

#![recursion_limit = "256"] // for the `json!` of a server with its sixty fields

mod announcement;
mod catalogue;
mod clock;
mod control;
mod error;
mod faults;
mod files;
mod gateway;
mod guests;
mod mishaps;
mod policies;
mod receiver;
mod services;
mod shared;
pub mod users;
mod wire;
mod world;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::{net::TcpListener, task::JoinSet};

pub use announcement::{AnnouncedReceiver, AnnouncedRegion, AnnouncedUser, Announcement};
pub use error::{Error, Result};
pub use mishaps::{Harm, Mishap};

use clock::{Clock, Pace};
use receiver::Receiver;
use services::Service;
use shared::Shared;
use world::World;

/// How often the world goes on by itself.
const TICK: Duration = Duration::from_millis(100);
/// After how many ticks a change is saved at the latest.
const TICKS_BETWEEN_SAVES: u32 = 5;

/// How to run a sandbox. [`Options::default`] keeps everything in memory, on free ports, at demo speed.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the world is kept between runs; `None`: it is new each time.
    pub state_file: Option<PathBuf>,
    /// Where the receiver keeps its records (SQLite); `None`: in memory.
    pub receiver_file: Option<PathBuf>,
    /// Where to write the [`Announcement`] as JSON once everything listens. Holds the example keys and the HEI token.
    pub announce: Option<PathBuf>,
    /// How fast jobs and states go: 1 is demo speed, 10 is ten times as fast.
    pub speed: f64,
    /// Divides the half hour that a lease must last at least, and the time between sweeps. Above 1, leases also keep
    /// their seconds.
    pub lease_speed: f64,
    /// How many seconds go by in the region in one second: 1440 makes a day a minute. Jobs and states keep to
    /// [`Self::speed`]. A world that has run ahead of the machine's time stays ahead of it, at whatever speed it is started
    /// again.
    pub clock_speed: f64,
    /// First of the fixed ports, which are taken in the order of the announcement; `None`: free ones.
    pub base_port: Option<u16>,
    /// Token that the receiver asks for.
    pub hei_token: SecretString,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            state_file: None,
            receiver_file: None,
            announce: None,
            speed: 1.0,
            lease_speed: 1.0,
            clock_speed: 1.0,
            base_port: None,
            hei_token: users::EXAMPLE_HEI_TOKEN.into(),
        }
    }
}

/// The embedded region.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Loads or makes the world, opens all listeners and writes the announcement. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// A file or port that cannot be used, or a speed that is none; nothing keeps running then.
    pub async fn start(options: Options) -> Result<Running> {
        for speed in [options.speed, options.lease_speed, options.clock_speed] {
            if !(speed.is_finite() && speed > 0.0) {
                return Err(Error::Speed { speed });
            }
        }
        let pace = Pace {
            speed: options.speed,
            lease_speed: options.lease_speed,
            clock_speed: options.clock_speed,
        };
        let loaded = match &options.state_file {
            Some(path) => files::load(path)?,
            None => None,
        };
        let ahead_ms = loaded.as_ref().map_or(0, |world| world.ahead_ms);
        let clock = Clock::new(options.clock_speed, ahead_ms);
        let world = loaded.unwrap_or_else(|| World::new(clock.region()));
        let regions: Vec<AnnouncedRegion> = world
            .regions
            .iter()
            .map(|region| AnnouncedRegion {
                id: region.id.clone(),
                name_zh: region.name_zh.clone(),
                name_en: region.name_en.clone(),
                project_id: region.project_id.clone(),
                endpoints: BTreeMap::new(),
            })
            .collect();
        let receiver = Receiver::open(options.receiver_file.as_deref(), options.hei_token.clone())?;
        let shared = Arc::new(Shared::new(clock, pace, world, receiver));

        let mut running = Running {
            announcement: Announcement {
                regions,
                global: BTreeMap::new(),
                hei: AnnouncedReceiver {
                    url: String::new(),
                    token: options.hei_token.expose_secret().to_owned(),
                },
                control: String::new(),
                account_id: users::ACCOUNT_ID.to_owned(),
                users: users::USERS
                    .iter()
                    .map(|user| AnnouncedUser {
                        id: user.id.to_owned(),
                        name: user.name.to_owned(),
                        access_key: user.access_key.to_owned(),
                        secret_key: user.secret_key_to_announce().to_owned(),
                        role: user.role,
                    })
                    .collect(),
            },
            shared,
            tasks: JoinSet::new(),
            state_file: options.state_file,
        };
        running.listen(options.base_port).await?;
        running.keep_going();
        running.save()?;
        if let Some(path) = &options.announce {
            let text = serde_json::to_vec_pretty(&running.announcement).map_err(|error| Error::File {
                path: path.clone(),
                source: std::io::Error::other(error),
            })?;
            files::replace(path, &text)?;
        }
        Ok(running)
    }
}

/// A sandbox that runs. It stops when this is dropped; [`Running::stop`] also tells whether its state was saved.
pub struct Running {
    announcement: Announcement,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    state_file: Option<PathBuf>,
}

impl Running {
    /// Where it listens, and with what one gets in.
    pub fn announcement(&self) -> Announcement {
        self.announcement.clone()
    }

    /// Puts that many more running servers into the first region, as if they had been there for a day: for what only
    /// shows with long lists. Answers how many were added, which is fewer when the addresses run out (about 16,000).
    pub fn add_servers(&self, count: usize) -> usize {
        self.shared.crowd(count)
    }

    /// Shows the screen of a VNC server, which asks for no password, in place of the guests' own: for what only shows with
    /// pictures that move. Where it is stays; the first call counts.
    pub fn show_screen(&self, of: std::net::SocketAddr) {
        self.shared.consoles().show(of);
    }

    /// Takes a spot server back as the cloud does: it goes when the notice of thirty seconds of demo time is over. False if there
    /// is no spot server of that id, or it is going already.
    pub fn reclaim(&self, server: &str) -> bool {
        self.shared.reclaim(server)
    }

    /// Switches a mishap on. False if the rule makes no sense (an unknown service, a status that is none) or a hundred are on.
    pub fn cause(&self, mishap: Mishap) -> bool {
        self.shared.mishaps().add(&mishap)
    }

    /// Switches all mishaps off.
    pub fn heal(&self) {
        self.shared.mishaps().clear();
    }

    /// Closes all listeners and connections and saves the state.
    ///
    /// # Errors
    ///
    /// The state could not be saved.
    pub async fn stop(mut self) -> Result<()> {
        self.tasks.shutdown().await;
        self.save()
    }

    async fn listen(&mut self, base_port: Option<u16>) -> Result<()> {
        let mut ports = Ports(base_port);
        for position in 0..self.announcement.regions.len() {
            for service in Service::REGIONAL {
                let listener = ports.next().await?;
                let url = address(&listener)?;
                if let Some(region) = self.announcement.regions.get_mut(position) {
                    let id = region.id.clone();
                    for name in service.names() {
                        region.endpoints.insert((*name).to_owned(), url.clone());
                    }
                    self.serve_cloud(listener, service, id);
                }
            }
        }
        for service in Service::GLOBAL {
            let listener = ports.next().await?;
            let url = address(&listener)?;
            for name in service.names() {
                self.announcement.global.insert((*name).to_owned(), url.clone());
                for region in &mut self.announcement.regions {
                    region.endpoints.insert((*name).to_owned(), url.clone());
                }
            }
            self.serve_cloud(listener, service, String::new());
        }

        let listener = ports.next().await?;
        self.announcement.hei.url = address(&listener)?;
        let shared = Arc::clone(&self.shared);
        self.tasks
            .spawn(wire::serve(listener, receiver::BODY_LIMIT, move |request| {
                let shared = Arc::clone(&shared);
                async move { shared.hei(&request).await }
            }));

        let listener = ports.next().await?;
        self.announcement.control = address(&listener)?;
        let shared = Arc::clone(&self.shared);
        self.tasks
            .spawn(wire::serve(listener, control::BODY_LIMIT, move |request| {
                let shared = Arc::clone(&shared);
                async move { wire::Reply::Answer(control::answer(&request, &shared).await) }
            }));

        // Behind all others, so that their fixed ports stay the same.
        let listener = ports.next().await?;
        self.shared.consoles().open_at(address(&listener)?);
        self.tasks
            .spawn(guests::serve_consoles(listener, Arc::clone(&self.shared)));
        Ok(())
    }

    fn serve_cloud(&mut self, listener: TcpListener, service: Service, region: String) {
        let shared = Arc::clone(&self.shared);
        let region: Arc<str> = region.into();
        self.tasks
            .spawn(wire::serve(listener, shared::BODY_LIMIT, move |request| {
                let (shared, region) = (Arc::clone(&shared), Arc::clone(&region));
                async move {
                    let (reply, delay) = shared.cloud(service, &region, &request);
                    tokio::time::sleep(delay).await;
                    reply
                }
            }));
    }

    /// Lets the world go on and saves it, soon after it has changed and not on every change.
    fn keep_going(&mut self) {
        let shared = Arc::clone(&self.shared);
        let state_file = self.state_file.clone();
        self.tasks.spawn(async move {
            let mut ticker = tokio::time::interval(TICK);
            ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut ticks = 0_u32;
            loop {
                ticker.tick().await;
                shared.tick();
                ticks = ticks.wrapping_add(1);
                let Some(path) = state_file
                    .clone()
                    .filter(|_| ticks.is_multiple_of(TICKS_BETWEEN_SAVES))
                else {
                    continue;
                };
                let saving = Arc::clone(&shared);
                let saved = tokio::task::spawn_blocking(move || save(&saving, &path)).await;
                if let Ok(Err(error)) = saved {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the sandbox's state was not saved"
                    );
                }
            }
        });
    }

    fn save(&self) -> Result<()> {
        self.shared.time_goes_on();
        match &self.state_file {
            Some(path) => save(&self.shared, path),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The world holds what users gave their servers, scripts included.
        f.debug_struct("Running")
            .field("announcement", &self.announcement)
            .finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the sandbox's state was not saved"
            );
        }
    }
}

fn save(shared: &Shared, path: &std::path::Path) -> Result<()> {
    // Two at a time, the last one at stop and one that is under way, would write into the same file.
    let _one_at_a_time = shared.saving();
    let Some(text) = shared.state_to_save() else {
        return Ok(());
    };
    let saved = text
        .map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })
        .and_then(|text| files::replace(path, &text));
    if saved.is_err() {
        shared.still_to_save();
    }
    saved
}

/// Fixed ports one after another, or free ones.
struct Ports(Option<u16>);

impl Ports {
    async fn next(&mut self) -> Result<TcpListener> {
        let port = self.0.unwrap_or(0);
        if let Some(used) = self.0 {
            self.0 = Some(used.checked_add(1).ok_or_else(|| Error::Port {
                port: used,
                source: std::io::ErrorKind::AddrNotAvailable.into(),
            })?);
        }
        wire::bind(port)
            .await
            .map_err(|source| Error::Port { port, source })
    }
}

fn address(listener: &TcpListener) -> Result<String> {
    listener
        .local_addr()
        .map(|address| format!("http://{address}"))
        .map_err(|source| Error::Port { port: 0, source })
}

/// Waits for Ctrl+C, or for the signal that asks a program to end: what a program that only runs a region waits for.
#[cfg(unix)]
pub async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Waits for Ctrl+C: what a program that only runs a region waits for.
#[cfg(not(unix))]
pub async fn told_to_stop() {
    let _ = tokio::signal::ctrl_c().await;
}
