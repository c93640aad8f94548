//! One running sandbox: the world behind its lock, the gateway in front of it, and what was asked of it lately.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderName, Method, header};
use serde::Serialize;
use serde_json::json;

use crate::{
    clock::{Clock, Pace},
    faults::Fault,
    gateway::Gateway,
    guests::{Consoles, Guest, Guests},
    mishaps::{Harm, Mishaps},
    receiver::Receiver,
    services::{self, Call, Service},
    users::ACCOUNT_ID,
    wire::{Answer, Body, Reply, Request},
    world::{Cut, World},
};

/// Most bytes of a request that is signed with a key pair.
pub(crate) const BODY_LIMIT: usize = 12 * 1024 * 1024;
/// How many requests are remembered.
const REMEMBERED: usize = 1000;

pub(crate) struct Shared {
    clock: Clock,
    pace: Pace,
    world: Mutex<World>,
    /// The world is not as it was saved.
    changed: AtomicBool,
    /// Held while the state is being saved.
    saving: Mutex<()>,
    gateway: Gateway,
    mishaps: Mishaps,
    flow: Flow,
    receiver: Receiver,
    requests: Mutex<VecDeque<Seen>>,
    guests: Guests,
    consoles: Consoles,
}

/// One request, without its headers and body: they hold signatures, tokens and passwords.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Seen {
    at: String,
    service: &'static str,
    method: String,
    path: String,
    /// `None` if it got no answer.
    status: Option<u16>,
    user: Option<&'static str>,
    code: Option<String>,
    request_id: Option<String>,
}

impl Shared {
    pub(crate) fn new(clock: Clock, pace: Pace, world: World, receiver: Receiver) -> Self {
        Self {
            clock,
            pace,
            world: Mutex::new(world),
            changed: AtomicBool::new(true),
            saving: Mutex::new(()),
            gateway: Gateway::default(),
            mishaps: Mishaps::default(),
            flow: Flow::default(),
            receiver,
            requests: Mutex::new(VecDeque::new()),
            guests: Guests::default(),
            consoles: Consoles::default(),
        }
    }

    /// Answers a request to one of the cloud's hosts, and says for how long the answer is to be kept back.
    pub(crate) fn cloud(&self, service: Service, region: &str, request: &Request) -> (Reply, Duration) {
        let now = self.clock.wire();
        let request_id = uuid::Uuid::new_v4().simple().to_string();
        let mut user = None;
        let (mut code, mut delay) = (None, Duration::ZERO);
        let reply = match self.call(service, region, request, now, &mut user) {
            Outcome::Cut => Reply::Cut,
            Outcome::Answered(result, harm) => {
                let envelope = service.envelope(&request.path);
                let instead = harm
                    .as_ref()
                    .and_then(|harm| harm.instead(service, envelope, &request_id));
                let answer = match (instead, result) {
                    (Some((answer, its_code)), _) => {
                        code = Some(its_code);
                        answer
                    }
                    (None, Ok(answer)) => answer,
                    (None, Err(fault)) => {
                        code = Some(fault.code.to_owned());
                        envelope.seal(&fault, &request_id)
                    }
                };
                let id_header = if service == Service::Obs {
                    "x-obs-request-id"
                } else {
                    "x-request-id"
                };
                let answer = answer
                    .with(HeaderName::from_static(id_header), &request_id)
                    .with(header::DATE, now.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
                    .with(
                        header::SERVER,
                        if service == Service::Obs {
                            "OBS"
                        } else {
                            "api-gateway"
                        },
                    );
                match harm {
                    Some(harm) => {
                        delay = harm.delay();
                        harm.spoil(answer)
                    }
                    None => Reply::Answer(answer),
                }
            }
        };
        self.remember(service.name(), request, now, &reply, user, code, Some(request_id));
        (reply, delay)
    }

    fn call(
        &self,
        service: Service,
        region: &str,
        request: &Request,
        now: DateTime<Utc>,
        user: &mut Option<&'static str>,
    ) -> Outcome {
        let refused = |fault| Outcome::Answered(Err(fault), None);
        if matches!(request.body, Body::TooLong) {
            return refused(Fault::new(413, "APIGW.0201", "Request entity too large."));
        }
        if service == Service::Obs {
            return self.object_storage(region, request, now, user);
        }
        let caller = match self.gateway.authenticate(request, now) {
            Ok(caller) => caller,
            Err(fault) => return refused(fault),
        };
        *user = Some(caller.name);
        let harm = self.mishaps.take(service, request);
        if let Some(harm) = &harm {
            match harm {
                Harm::CutBefore => return Outcome::Cut,
                harm if harm.replaces_the_act() => {
                    return Outcome::Answered(Ok(Answer::empty(200)), Some(harm.clone()));
                }
                _ => {}
            }
        }
        if service == Service::Bss
            && let Err(fault) = self.flow.admit(request, now)
        {
            return refused(fault);
        }
        // From here on it is the region's time that counts.
        let now = self.now();
        let call = Call {
            request,
            user: caller,
            now,
            pace: self.pace,
            consoles: &self.consoles,
        };
        let mut world = self.world();
        if let Err(fault) = in_scope(service, request, &world, region) {
            return refused(fault);
        }
        let mut changed = world.advance(now, &self.pace);
        let cut = if service == Service::Ecs && request.method != Method::GET {
            world.faults.cut.take()
        } else {
            None
        };
        let outcome = if cut == Some(Cut::Before) {
            Outcome::Cut
        } else {
            let result = service.answer(&call, &mut world, region);
            if request.method != Method::GET {
                world.read_usage(now);
            }
            changed |= request.method != Method::GET && result.is_ok();
            if cut == Some(Cut::After) {
                Outcome::Cut
            } else {
                Outcome::Answered(result, harm)
            }
        };
        drop(world);
        if changed {
            self.changed.store(true, Ordering::Release);
        }
        outcome
    }

    fn object_storage(
        &self,
        region: &str,
        request: &Request,
        now: DateTime<Utc>,
        user: &mut Option<&'static str>,
    ) -> Outcome {
        let harm = self.mishaps.take(Service::Obs, request);
        if let Some(harm) = &harm {
            match harm {
                Harm::CutBefore => return Outcome::Cut,
                harm if harm.replaces_the_act() => {
                    return Outcome::Answered(Ok(Answer::empty(200)), Some(harm.clone()));
                }
                _ => {}
            }
        }
        let result = services::object_storage(request, &mut self.world(), region, now, &self.gateway, user);
        if result.is_ok() && request.method != Method::GET && request.method != Method::HEAD {
            self.changed.store(true, Ordering::Release);
        }
        Outcome::Answered(result, harm)
    }

    /// Answers a request to the receiver.
    pub(crate) async fn hei(&self, request: &Request) -> Reply {
        let now = self.clock.wire();
        let reply = self.receiver.answer(request, now).await;
        self.remember("hei", request, now, &reply, None, None, None);
        reply
    }

    #[expect(clippy::too_many_arguments, reason = "one row of a log, written in one place")]
    fn remember(
        &self,
        service: &'static str,
        request: &Request,
        now: DateTime<Utc>,
        reply: &Reply,
        user: Option<&'static str>,
        code: Option<String>,
        request_id: Option<String>,
    ) {
        let status = match reply {
            Reply::Answer(answer) | Reply::Truncated(answer) => Some(answer.status.as_u16()),
            Reply::Cut | Reply::Stall => None,
        };
        let path = if request.raw_query.is_empty() {
            request.path.clone()
        } else {
            format!("{}?{}", request.path, request.raw_query)
        };
        tracing::debug!(service, method = %request.method, path, status, user, code = code.as_deref(), "request");
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() >= REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(Seen {
            at: now.to_rfc3339_opts(SecondsFormat::Millis, true),
            service,
            method: request.method.to_string(),
            path,
            status,
            user,
            code,
            request_id,
        });
    }

    /// Lets happen what is due, without anybody asking.
    pub(crate) fn tick(&self) {
        let now = self.now();
        if self.world().advance(now, &self.pace) {
            self.changed.store(true, Ordering::Release);
        }
    }

    /// The state to save, if it has changed since the last time.
    pub(crate) fn state_to_save(&self) -> Option<std::io::Result<Vec<u8>>> {
        self.changed.swap(false, Ordering::AcqRel).then(|| {
            let mut world = self.world();
            world.ahead_ms = self.clock.ahead_ms();
            crate::files::state_text(&world)
        })
    }

    pub(crate) fn saving(&self) -> MutexGuard<'_, ()> {
        self.saving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Saving failed: it is still to be done.
    pub(crate) fn still_to_save(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// The region's time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.region()
    }

    /// The time by which callers sign.
    pub(crate) fn wire_time(&self) -> DateTime<Utc> {
        self.clock.wire()
    }

    /// The region's time goes on even where nothing happens, and is to be saved before the end.
    pub(crate) fn time_goes_on(&self) {
        if self.clock.ahead_ms() != 0 {
            self.still_to_save();
        }
    }

    pub(crate) fn set_clock(&self, offset_s: i64) -> i64 {
        self.clock.set_offset(offset_s)
    }

    pub(crate) fn mishaps(&self) -> &Mishaps {
        &self.mishaps
    }

    pub(crate) fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().cloned().collect()
    }

    pub(crate) fn with_world(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world());
        self.changed.store(true, Ordering::Release);
    }

    /// Takes a spot server back; see [`crate::Running::reclaim`].
    pub(crate) fn reclaim(&self, server: &str) -> bool {
        let now = self.now();
        let taken = {
            let mut world = self.world();
            world.advance(now, &self.pace);
            world
                .regions
                .iter_mut()
                .any(|region| region.reclaim(server, now, &self.pace))
        };
        self.still_to_save();
        taken
    }

    /// Everything that exists, for tests to compare with what they think exists.
    pub(crate) fn world_as_json(&self) -> Answer {
        let now = self.now();
        let mut world = self.world();
        if world.advance(now, &self.pace) {
            self.changed.store(true, Ordering::Release);
        }
        Answer::json(
            200,
            &json!({"time": now, "regions": world.regions, "faults": world.faults}),
        )
    }

    pub(crate) fn guests(&self) -> &Guests {
        &self.guests
    }

    pub(crate) fn consoles(&self) -> &Consoles {
        &self.consoles
    }

    /// A server as its guest is now.
    pub(crate) fn guest(&self, server: &str) -> Option<Guest> {
        let world = self.world();
        let region = world
            .regions
            .iter()
            .find(|region| region.servers.contains_key(server))?;
        Some(Guest::of(region, region.servers.get(server)?))
    }

    /// Puts more servers into the world; see [`crate::Running::add_servers`].
    pub(crate) fn crowd(&self, count: usize) -> usize {
        let now = self.now();
        let added = {
            let mut world = self.world();
            let added = world.crowd(count, now);
            world.read_usage(now);
            added
        };
        self.still_to_save();
        added
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A panic while the lock was held (there should be none) leaves a world that still reads.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Outcome {
    /// With what is done to the answer on its way.
    Answered(crate::services::Result<Answer>, Option<Harm>),
    Cut,
}

/// Project and account that a call names in its headers have to be the host's and the caller's.
fn in_scope(service: Service, request: &Request, world: &World, region: &str) -> crate::services::Result<()> {
    let refused = |what: &str| {
        Err(Fault::new(
            401,
            "APIGW.0301",
            format!("Incorrect IAM authentication information: {what} is not the caller's"),
        ))
    };
    if request
        .header("x-domain-id")
        .is_some_and(|domain| domain != ACCOUNT_ID)
    {
        return refused("x-domain-id");
    }
    let Some(project) = request.header("x-project-id") else {
        return Ok(());
    };
    let known = world
        .regions
        .iter()
        .any(|row| row.project_id == project && (!service.is_regional() || row.id == region));
    if known { Ok(()) } else { refused("x-project-id") }
}

/// Billing's own flow control: ten requests a second for each call.
#[derive(Debug, Default)]
struct Flow {
    lately: Mutex<BTreeMap<String, VecDeque<DateTime<Utc>>>>,
}

impl Flow {
    const PER_SECOND: usize = 10;

    fn admit(&self, request: &Request, now: DateTime<Utc>) -> crate::services::Result<()> {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        // Also drops what lies in the future, after the clock was set back.
        lately.retain(|_, times| {
            times.retain(|time| (0..1000).contains(&(now - *time).num_milliseconds()));
            !times.is_empty()
        });
        let times = lately
            .entry(format!("{} {}", request.method, request.path))
            .or_default();
        if times.len() >= Self::PER_SECOND {
            return Err(Fault::new(429, "CBC.0250", "The request is too frequent."));
        }
        times.push_back(now);
        Ok(())
    }
}
