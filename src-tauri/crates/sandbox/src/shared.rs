//! One running sandbox: the world behind its lock, the gateway in front of it, and what was asked of it lately.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderName, Method, header};
use serde::Serialize;
use serde_json::json;

use crate::{
    clock::{Clock, Pace},
    faults::Fault,
    gateway::Gateway,
    receiver::Receiver,
    services::{Call, Service},
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
    receiver: Receiver,
    requests: Mutex<VecDeque<Seen>>,
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
    code: Option<&'static str>,
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
            receiver,
            requests: Mutex::new(VecDeque::new()),
        }
    }

    /// Answers a request to one of the cloud's hosts.
    pub(crate) fn cloud(&self, service: Service, region: &str, request: &Request) -> Reply {
        let now = self.now();
        let request_id = uuid::Uuid::new_v4().simple().to_string();
        let mut user = None;
        let outcome = self.call(service, region, request, now, &mut user);
        let code = match &outcome {
            Outcome::Answered(Err(fault)) => Some(fault.code),
            _ => None,
        };
        let reply = match outcome {
            Outcome::Cut => Reply::Cut,
            Outcome::Answered(result) => {
                let answer =
                    result.unwrap_or_else(|fault| service.envelope(&request.path).seal(&fault, &request_id));
                Reply::Answer(
                    answer
                        .with(HeaderName::from_static("x-request-id"), &request_id)
                        .with(header::DATE, now.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
                        .with(header::SERVER, "api-gateway"),
                )
            }
        };
        self.remember(service.name(), request, now, &reply, user, code, Some(request_id));
        reply
    }

    fn call(
        &self,
        service: Service,
        region: &str,
        request: &Request,
        now: DateTime<Utc>,
        user: &mut Option<&'static str>,
    ) -> Outcome {
        if matches!(request.body, Body::TooLong) {
            return Outcome::Answered(Err(Fault::new(413, "APIGW.0201", "Request entity too large.")));
        }
        let caller = match self.gateway.authenticate(request, now) {
            Ok(caller) => caller,
            Err(fault) => return Outcome::Answered(Err(fault)),
        };
        *user = Some(caller.name);
        let call = Call {
            request,
            user: caller,
            now,
            pace: self.pace,
        };
        let mut world = self.world();
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
            changed |= request.method != Method::GET && result.is_ok();
            if cut == Some(Cut::After) {
                Outcome::Cut
            } else {
                Outcome::Answered(result)
            }
        };
        drop(world);
        if changed {
            self.changed.store(true, Ordering::Release);
        }
        outcome
    }

    /// Answers a request to the receiver.
    pub(crate) async fn hei(&self, request: &Request) -> Reply {
        let now = self.now();
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
        code: Option<&'static str>,
        request_id: Option<String>,
    ) {
        let status = match reply {
            Reply::Answer(answer) => Some(answer.status.as_u16()),
            Reply::Cut | Reply::Stall => None,
        };
        let path = if request.raw_query.is_empty() {
            request.path.clone()
        } else {
            format!("{}?{}", request.path, request.raw_query)
        };
        tracing::debug!(service, method = %request.method, path, status, user, code, "request");
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
        self.changed
            .swap(false, Ordering::AcqRel)
            .then(|| crate::files::state_text(&self.world()))
    }

    pub(crate) fn saving(&self) -> MutexGuard<'_, ()> {
        self.saving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Saving failed: it is still to be done.
    pub(crate) fn still_to_save(&self) {
        self.changed.store(true, Ordering::Release);
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn set_clock(&self, offset_s: i64) -> i64 {
        self.clock.set_offset(offset_s)
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

    fn world(&self) -> MutexGuard<'_, World> {
        // A panic while the lock was held (there should be none) leaves a world that still reads.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Outcome {
    Answered(crate::services::Result<Answer>),
    Cut,
}
