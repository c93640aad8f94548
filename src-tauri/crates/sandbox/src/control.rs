//! The control listener: looks into the sandbox and makes things go wrong in it. For tests and the demo mode's own use; it
//! answers no web page, because those could reach loopback too; a person who opens `/received` in a browser is none.

use std::sync::Arc;

use http::{Method, header};
use serde::Deserialize;
use serde_json::json;

use crate::{
    guests,
    mishaps::Mishap,
    policies::Policy,
    receiver::{ModeSetting, Selection},
    shared::Shared,
    users,
    wire::{Answer, Request},
    world::{Cut, FailingJob, JobOf, Restriction, World},
};

/// Most bytes of a request to it.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
/// Most events in one answer.
const EVENTS_AT_ONCE: u32 = 10_000;

#[derive(Debug, Deserialize)]
struct ClockSetting {
    offset_s: i64,
}

#[derive(Debug, Deserialize)]
struct PolicySetting {
    /// Name of the user.
    user: String,
    policy: Option<Policy>,
}

#[derive(Debug, Deserialize)]
struct FaultSetting {
    /// The next job of `job` fails.
    job_fail_next: Option<bool>,
    /// Which act's; a creation's if absent.
    #[serde(default)]
    job: JobOf,
    /// With this code; the one that fits the act if absent.
    code: Option<String>,
    reason: Option<String>,
    /// The next disk that is made or grown comes out in error, with `code` and `reason`.
    disk_fail_next: Option<bool>,
    /// Every second server of the next start, stop or reboot fails.
    half_batch_next: Option<bool>,
    /// No host has room.
    no_capacity: Option<bool>,
    /// Why nothing may be bought; `null` lifts it.
    #[serde(default, deserialize_with = "even_null")]
    restriction: Option<Option<Restriction>>,
    /// A server to lock, or to unlock.
    lock: Option<String>,
    unlock: Option<String>,
    /// The next change asked of ECS gets no answer.
    cut_next: Option<Cut>,
    /// A spot server to take back, after the usual notice.
    reclaim: Option<String>,
}

/// Tells a null from an absent field.
fn even_null<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

pub(crate) async fn answer(request: &Request, shared: &Arc<Shared>) -> Answer {
    if is_from_a_web_page(request) {
        return wrong(403, "web pages have no business here");
    }
    match (&request.method, request.path.as_str()) {
        (&Method::GET, "/health") => Answer::json(
            200,
            &json!({"status": "ok", "time": shared.now(), "wire_time": shared.wire_time()}),
        ),
        (&Method::GET, "/servers") => shared.world_as_json(),
        (&Method::GET, "/guest") => guest(request, shared).await,
        (&Method::GET, "/requests") => Answer::json(200, &shared.requests()),
        (&Method::GET, "/events") => events(request, shared).await,
        (&Method::POST, "/clock") => match request.json::<ClockSetting>() {
            Ok(setting) => Answer::json(200, &json!({"offset_s": shared.set_clock(setting.offset_s)})),
            Err(error) => wrong(400, &error.to_string()),
        },
        (&Method::POST, "/policies") => match request.json::<PolicySetting>() {
            Ok(setting) => set_policy(setting, shared),
            Err(error) => wrong(400, &error.to_string()),
        },
        (&Method::GET, "/received") => shared.receiver().page(request).await,
        (&Method::GET, "/receiver") => Answer::json(200, &shared.receiver().mode()),
        (&Method::POST, "/receiver") => match request.json::<ModeSetting>() {
            Ok(setting) if shared.receiver().set_mode(&setting) => Answer::empty(204),
            Ok(_) => wrong(400, "there is no such mode"),
            Err(error) => wrong(400, &error.to_string()),
        },
        (&Method::GET, "/searches") => Answer::json(200, &shared.receiver().search_mode()),
        (&Method::POST, "/searches") => match request.json::<ModeSetting>() {
            Ok(setting) if shared.receiver().set_search_mode(&setting) => Answer::empty(204),
            Ok(_) => wrong(400, "there is no such mode"),
            Err(error) => wrong(400, &error.to_string()),
        },
        (&Method::GET, "/mishaps") => Answer::json(200, &shared.mishaps().list()),
        (&Method::POST, "/mishaps") => match request.json::<Mishap>() {
            Ok(rule) if shared.mishaps().add(&rule) => Answer::empty(204),
            Ok(_) => wrong(
                400,
                "there is no such service or status, or there are too many rules",
            ),
            Err(error) => wrong(400, &error.to_string()),
        },
        (&Method::DELETE, "/mishaps") => {
            shared.mishaps().clear();
            Answer::empty(204)
        }
        (&Method::POST, "/faults") => match request.json::<FaultSetting>() {
            Ok(setting) => match &setting.reclaim {
                Some(server) if !shared.reclaim(server) => {
                    wrong(400, "there is no such spot server, or it is going already")
                }
                _ => {
                    shared.with_world(|world| apply(setting, world));
                    Answer::empty(204)
                }
            },
            Err(error) => wrong(400, &error.to_string()),
        },
        _ => wrong(404, "there is no such call"),
    }
}

fn set_policy(PolicySetting { user, policy }: PolicySetting, shared: &Shared) -> Answer {
    let Some(user) = users::USERS.iter().find(|known| known.name == user) else {
        return wrong(400, "there is no such user");
    };
    if policy.as_ref().is_some_and(|policy| !policy.is_known()) {
        return wrong(400, "neither a classic nor an identity policy");
    }
    shared.with_world(|world| match policy {
        Some(policy) => drop(world.policies.insert(user.id.to_owned(), policy)),
        None => drop(world.policies.remove(user.id)),
    });
    Answer::empty(204)
}

fn apply(setting: FaultSetting, world: &mut World) {
    let code_and_reason = |code: &str, reason: &str| {
        (
            setting.code.clone().unwrap_or_else(|| code.to_owned()),
            setting.reason.clone().unwrap_or_else(|| reason.to_owned()),
        )
    };
    let faults = &mut world.faults;
    if let Some(fail) = setting.job_fail_next {
        let (code, reason) = setting.job.failure();
        let (code, reason) = code_and_reason(code, reason);
        let job = setting.job;
        faults.failing_job = fail.then_some(FailingJob { job, code, reason });
    }
    if let Some(fail) = setting.disk_fail_next {
        faults.failing_disk = fail.then(|| code_and_reason("EVS.2024", "volume is error! (example fault)"));
    }
    faults.half_batch = setting.half_batch_next.unwrap_or(faults.half_batch);
    faults.no_capacity = setting.no_capacity.unwrap_or(faults.no_capacity);
    faults.restriction = setting.restriction.unwrap_or(faults.restriction);
    faults.cut = setting.cut_next.or(faults.cut);
    for (id, locked) in [(&setting.lock, true), (&setting.unlock, false)] {
        let servers = world
            .regions
            .iter_mut()
            .flat_map(|region| region.servers.values_mut());
        for server in servers.filter(|server| Some(&server.id) == id.as_ref()) {
            server.locked = locked;
        }
    }
}

async fn guest(request: &Request, shared: &Arc<Shared>) -> Answer {
    let server = request.query_value("server").unwrap_or_default();
    match guests::port(shared, &server).await {
        Ok(Some(port)) => Answer::json(200, &json!({"host": "127.0.0.1", "port": port})),
        Ok(None) => wrong(404, "there is no such server, or too many are reached already"),
        Err(error) => wrong(500, &error.to_string()),
    }
}

async fn events(request: &Request, shared: &Shared) -> Answer {
    let number = |key: &str| request.query_value(key).and_then(|text| text.parse().ok());
    let selection = Selection {
        after: number("after").unwrap_or(0),
        limit: number("limit")
            .and_then(|limit| u32::try_from(limit).ok())
            .unwrap_or(EVENTS_AT_ONCE)
            .min(EVENTS_AT_ONCE),
        distinct: request.query_value("distinct").as_deref() == Some("true"),
    };
    match shared.receiver().stored(selection).await {
        Ok(records) => Answer::json(200, &records),
        Err(error) => wrong(500, &error.to_string()),
    }
}

/// A browser names the page that asks, or the name under which it found this address.
fn is_from_a_web_page(request: &Request) -> bool {
    let host = request.header("host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    request.headers.contains_key(header::ORIGIN) || !["127.0.0.1", "localhost"].contains(&name)
}

fn wrong(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"message": message}))
}
