//! Cloud Trace Service: who did what. Newest first, seven days back, one page at a time.

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Call, Result};
use crate::{
    faults::Fault,
    users::{self, ACCOUNT_ID, ACCOUNT_NAME},
    wire::Answer,
    world::{Region, Trace},
};

/// How far back one can look.
const KEPT: TimeDelta = TimeDelta::days(7);
/// What is looked at if the call names no times.
const DEFAULT_WINDOW: TimeDelta = TimeDelta::hours(1);

pub(super) fn answer(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (&Method::GET, ["v3", project, "traces"]) = (&call.request.method, segments.as_slice()) else {
        return Err(Fault::no_such_call());
    };
    if call.is_guest() {
        return Err(Fault::forbidden(
            "CTS.0002",
            "Policy doesn't allow cts:trace:list to be performed.",
        ));
    }
    if *project != region.project_id {
        return Err(Fault::forbidden(
            "CTS.0012",
            "Invalid project ID. Check whether the project ID is correct.",
        ));
    }
    let asked = |key: &str| call.request.query_value(key);
    match asked("trace_type").as_deref() {
        Some("system") => {}
        // Nobody has switched on the recording of object accesses.
        Some("data") => return Ok(page(&[], None)),
        _ => return Err(invalid("trace_type")),
    }
    let limit = call.limit(10, 200).ok_or_else(|| invalid("limit"))?;
    let (from, to) = window(call)?;

    let mut rows: Vec<(String, &Trace)> = Vec::new();
    let mut before: Option<&Trace> = None;
    let mut alike = 0_u32;
    let mut by_time: Vec<&Trace> = region.traces.iter().collect();
    by_time.sort_by_key(|trace| trace.time);
    for trace in by_time {
        // Two acts in one moment on one thing still are two traces.
        alike = if before.is_some_and(|before| before.time == trace.time) {
            alike.saturating_add(1)
        } else {
            0
        };
        before = Some(trace);
        rows.push((id(trace, alike), trace));
    }
    rows.reverse();
    if let Some(wanted) = asked("trace_id") {
        // Beats every other filter, the hour that is looked at by default included.
        rows.retain(|(id, trace)| *id == wanted && call.now - trace.time <= KEPT);
    } else {
        rows.retain(|(_, trace)| {
            let user = users::by_id(&trace.user);
            let is = |key: &str, value: &str| asked(key).is_none_or(|wanted| wanted == value);
            (from..to).contains(&trace.time)
                && is("service_type", &trace.service)
                && is("resource_type", &trace.resource_type)
                && is("resource_id", &trace.resource_id)
                && is("resource_name", &trace.resource_name)
                && is("trace_name", &trace.trace_name)
                && is("trace_rating", rating(trace))
                && is("tracker_name", "system")
                && is("user", user.map_or("", |user| user.name))
                && is("access_key_id", user.map_or("", |user| user.access_key))
                && is("enterprise_project_id", "0")
        });
    }
    let start = match asked("next") {
        None => 0,
        Some(marker) => rows
            .iter()
            .position(|(id, _)| *id == marker)
            .map(|position| position + 1)
            .ok_or_else(|| invalid("next"))?,
    };
    let rest = rows.get(start..).unwrap_or_default();
    let shown = rest.get(..limit).unwrap_or(rest);
    let marker = (shown.len() < rest.len()).then(|| shown.last()).flatten();
    let traces: Vec<Value> = shown.iter().map(|(id, trace)| row(id, trace, region)).collect();
    Ok(page(&traces, marker.map(|(id, _)| id.as_str())))
}

fn page(traces: &[Value], marker: Option<&str>) -> Answer {
    Answer::json(
        200,
        &json!({"traces": traces, "meta_data": {"count": traces.len(), "marker": marker}}),
    )
}

/// The moments between which the call looks: the second is not included.
fn window(call: &Call<'_>) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let moment = |key: &str| match call.request.query_value(key) {
        None => Ok(None),
        Some(text) if text.len() == 13 => text
            .parse()
            .ok()
            .and_then(DateTime::from_timestamp_millis)
            .map(Some)
            .ok_or_else(|| invalid(key)),
        Some(_) => Err(invalid(key)),
    };
    match (moment("from")?, moment("to")?) {
        (None, None) => Ok((call.now - DEFAULT_WINDOW, call.now + TimeDelta::milliseconds(1))),
        (Some(from), Some(to)) if from < to => Ok((from.max(call.now - KEPT), to)),
        _ => Err(invalid("from, to")),
    }
}

/// The published codes have none for a wrong parameter of a query, only this one for queries that fail.
fn invalid(what: &str) -> Fault {
    Fault::bad("CTS.0300", format!("Query failed. Invalid parameter: {what}."))
}

fn rating(trace: &Trace) -> &'static str {
    match trace.code {
        0..400 => "normal",
        400..500 => "warning",
        _ => "incident",
    }
}

/// The same for the same trace whenever it is asked for.
fn id(trace: &Trace, alike: u32) -> String {
    let text = format!(
        "{}|{}|{}|{}|{alike}",
        trace.time.timestamp_micros(),
        trace.trace_name,
        trace.resource_id,
        trace.user
    );
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(Sha256::digest(text)) {
        *byte = hashed;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn row(id: &str, trace: &Trace, region: &Region) -> Value {
    let user = users::by_id(&trace.user);
    let name = user.map_or("", |user| user.name);
    json!({
        "trace_id": id,
        "trace_name": trace.trace_name,
        "trace_rating": rating(trace),
        // What the cloud does of its own accord has no caller.
        "trace_type": if user.is_some() { "ApiCall" } else { "SystemAction" },
        "service_type": trace.service,
        "resource_type": trace.resource_type,
        "resource_id": trace.resource_id,
        "resource_name": trace.resource_name,
        "request": trace.request.clone().unwrap_or_default(),
        "response": "",
        "code": trace.code.to_string(),
        "api_version": "1.0",
        "source_ip": "198.51.100.7",
        "time": trace.time.timestamp_millis(),
        "record_time": trace.time.timestamp_millis() + 900,
        "request_id": id.replace('-', ""),
        "endpoint": format!("{}.{}.example.test", trace.service.to_ascii_lowercase(), region.id),
        "enterprise_project_id": "0",
        "resource_account_id": ACCOUNT_ID,
        "read_only": false,
        "user": {
            "id": trace.user,
            "name": name,
            "user_name": name,
            "domain": {"id": ACCOUNT_ID, "name": ACCOUNT_NAME},
            "account_id": ACCOUNT_ID,
            "access_key_id": user.map_or("", |user| user.access_key),
            "principal_urn": user.map_or_else(String::new, |_| format!("iam::{ACCOUNT_ID}:user:{name}")),
            "principal_id": trace.user,
            "principal_is_root_user": "false",
            "type": "User",
        },
    })
}
