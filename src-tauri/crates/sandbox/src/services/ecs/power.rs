//! Starting, stopping and restarting servers: one path for all three, the body's key decides.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Named, Result, Route, all_or_none, body, distinct, invalid, usable, wrong_state};
use crate::{
    wire::Answer,
    world::{Faults, JobOf, PowerAct, Region},
};

#[derive(Debug, Deserialize)]
struct Act {
    #[serde(rename = "os-start")]
    start: Option<Batch>,
    #[serde(rename = "os-stop")]
    stop: Option<Batch>,
    reboot: Option<Batch>,
}

#[derive(Debug, Deserialize)]
struct Batch {
    servers: Vec<Named>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Batch {
    fn is_hard(&self) -> Result<Option<bool>> {
        match self.kind.as_deref() {
            None => Ok(None),
            Some("SOFT") => Ok(Some(false)),
            Some("HARD") => Ok(Some(true)),
            Some(_) => Err(invalid("type")),
        }
    }
}

/// The right that is needed is that of the act in the body.
pub(super) fn route(call: &Call<'_>) -> Route {
    let body: Value = call.request.json().unwrap_or_default();
    if body.get("os-stop").is_some() {
        ("ecs:cloudServers:stop", Some("stopServer"))
    } else if body.get("reboot").is_some() {
        ("ecs:cloudServers:reboot", Some("rebootServer"))
    } else {
        ("ecs:cloudServers:start", Some("startServer"))
    }
}

pub(super) fn act(call: &Call<'_>, region: &mut Region, faults: &mut Faults) -> Result<Answer> {
    let act: Act = body(call)?;
    let (act, batch, name) = match (act.start, act.stop, act.reboot) {
        (Some(batch), None, None) => (PowerAct::Start, batch, "startServer"),
        (None, Some(batch), None) => {
            let hard = batch.is_hard()?.unwrap_or(false);
            (PowerAct::Stop { hard }, batch, "stopServer")
        }
        (None, None, Some(batch)) => {
            let hard = batch.is_hard()?.ok_or_else(|| invalid("type"))?;
            (PowerAct::Reboot { hard }, batch, "rebootServer")
        }
        _ => return Err(invalid("one of os-start, os-stop and reboot is needed")),
    };
    let ids = distinct(batch.servers)?;
    all_or_none(&ids, |id| {
        let server = usable(region, faults, id)?;
        if act.is_possible(server.state) {
            Ok(())
        } else {
            Err(wrong_state(id))
        }
    })?;
    let failing = failing(&ids, act, faults);
    for id in &ids {
        let server = region.servers.get(id).map(|server| server.name.clone());
        let server = server.unwrap_or_default();
        region.trace(call.trace("ECS", "ecs", name, (id, &server), 200));
    }
    let job = region.power(act, &ids, &failing, call.now, &call.pace);
    Ok(Answer::json(200, &json!({"job_id": job})))
}

/// Whose part of the job will fail. A stopped server has no place reserved, so it may find none when it is started.
fn failing(ids: &[String], act: PowerAct, faults: &mut Faults) -> BTreeMap<String, (String, String)> {
    let half = std::mem::take(&mut faults.half_batch);
    let full = faults.no_capacity && act == PowerAct::Start;
    let all = faults.take_job(match act {
        PowerAct::Start => JobOf::Start,
        PowerAct::Stop { .. } => JobOf::Stop,
        PowerAct::Reboot { .. } => JobOf::Reboot,
    });
    ids.iter()
        .enumerate()
        .filter_map(|(position, id)| {
            if let Some(failure) = &all {
                return Some((id.clone(), failure.clone()));
            }
            let (code, reason) = if full {
                ("Ecs.0226", "The server could not be started: no host has room.")
            } else if half && position % 2 == 1 {
                ("Ecs.1000", "The compute service failed. (example fault)")
            } else {
                return None;
            };
            Some((id.clone(), (code.to_owned(), reason.to_owned())))
        })
        .collect()
}
