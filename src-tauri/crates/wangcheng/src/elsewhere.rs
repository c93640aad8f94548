//! Servers that never passed through this program, as the cloud's own audit (CTS) tells of them: who made or ended them in
//! the last seven days, which is as far as it reaches back.
//!
//! A server of which there is any event here, of one's own or pulled from the platform, did pass through it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::cts::{self, Trace, TraceQuery};
use serde::Serialize;
use ts_rs::TS;

use crate::Wangcheng;
use crate::failure::{Failure, Result};

/// How far the audit reaches back.
const REACH: TimeDelta = TimeDelta::days(7);
/// What the audit calls a server.
const SERVICE: &str = "ECS";
/// Most servers that are told of.
const MOST: usize = 2000;
/// The code of an account that has never had a tracker.
const NO_TRACKER: &str = "CTS.0013";

/// A server that never passed through this program. Every text in it comes from outside and is shown as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerElsewhere {
    /// Server id.
    pub id: String,
    /// Its name, as the newest trace has it.
    pub name: String,
    /// Who made it; none: it was there before the audit's reach.
    pub made_by: Option<String>,
    /// When.
    pub made: Option<DateTime<Utc>>,
    /// Who ended it; none: nobody in these days.
    pub ended_by: Option<String>,
    /// When.
    pub ended: Option<DateTime<Utc>>,
    /// Who did something last.
    pub last_by: Option<String>,
    /// When.
    pub last: Option<DateTime<Utc>>,
    /// How many acts there were.
    pub acts: usize,
    /// Whether the cloud shows it now.
    pub exists: bool,
}

/// What the audit tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Elsewhere {
    /// The servers, those with the newest act first.
    pub servers: Vec<ServerElsewhere>,
    /// Servers that are not told of because there are too many.
    pub more: usize,
    /// Traces that could not be read.
    pub unreadable: usize,
    /// Whether the account has an audit at all; without one nothing is known.
    pub audited: bool,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when, by the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// What a trace tells of a server's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Made,
    Ended,
    Other,
}

/// By the audit's names, of which there are several for each act.
fn life(name: &str) -> Life {
    match name {
        _ if name.starts_with("createServer") => Life::Made,
        "interruptServer" => Life::Ended,
        _ if name.starts_with("deleteServer") || name == "deleteVmByNative" => Life::Ended,
        _ => Life::Other,
    }
}

/// Puts the traces of each server together; those that failed tell of nothing that happened.
fn collect(mut traces: Vec<Trace>) -> Vec<ServerElsewhere> {
    traces.sort_by_key(|trace| trace.at);
    let mut servers: BTreeMap<String, ServerElsewhere> = BTreeMap::new();
    for trace in traces {
        let failed = trace.rating != "normal" || trace.code.is_some_and(|code| code >= 400);
        let is_server = matches!(trace.resource_type.as_str(), "" | "ecs" | "server");
        let Some(id) = trace
            .resource_id
            .filter(|id| !failed && is_server && !id.is_empty())
        else {
            continue;
        };
        let who = trace.user.map(|user| user.name).filter(|name| !name.is_empty());
        let server = servers.entry(id.clone()).or_insert_with(|| ServerElsewhere {
            id,
            name: String::new(),
            made_by: None,
            made: None,
            ended_by: None,
            ended: None,
            last_by: None,
            last: None,
            acts: 0,
            exists: false,
        });
        server.acts += 1;
        if !trace.resource_name.is_empty() {
            server.name = trace.resource_name;
        }
        match life(&trace.name) {
            Life::Made if server.made.is_none() => {
                (server.made, server.made_by) = (trace.at, who.clone());
            }
            Life::Ended => (server.ended, server.ended_by) = (trace.at, who.clone()),
            Life::Made | Life::Other => {}
        }
        (server.last, server.last_by) = (trace.at, who);
    }
    let mut servers: Vec<ServerElsewhere> = servers.into_values().collect();
    servers.sort_by(|one, other| other.last.cmp(&one.last).then_with(|| one.id.cmp(&other.id)));
    servers
}

impl Wangcheng {
    /// Servers of the last seven days that never passed through this program, asked now.
    ///
    /// # Errors
    /// `NotSignedIn`; `PermissionMissing` without the right to read the audit; what the cloud says; as the ledger's.
    pub async fn servers_elsewhere(&self) -> Result<Elsewhere> {
        let live = self.active().await?;
        let client = self.client(&live).await?;
        let now = live.cloud_now(self.now());
        // A moment less, so that a clock that differs by seconds does not ask for what is out of reach.
        let from = now - REACH + TimeDelta::minutes(1);
        let query = TraceQuery {
            between: Some((from, now)),
            service: Some(SERVICE.to_owned()),
            ..TraceQuery::default()
        };
        let told = cts::traces(&client, &live.project(), &query)
            .await
            .map_err(Failure::from);
        let mut elsewhere = Elsewhere {
            servers: Vec::new(),
            more: 0,
            unreadable: 0,
            audited: true,
            from,
            as_of: now,
        };
        let traces = match told {
            Ok(told) => told.value,
            Err(failure) if failure.provider_code.as_deref() == Some(NO_TRACKER) => {
                elsewhere.audited = false;
                return Ok(elsewhere);
            }
            Err(failure) => return Err(failure),
        };
        elsewhere.unreadable = traces.skipped;
        let found = collect(traces.items);
        let mut found = self
            .tally(move |tally, ledger| {
                tally.follow(ledger, now)?;
                let mut unknown = Vec::new();
                for server in found {
                    if tally.facts(&server.id)?.is_empty() {
                        unknown.push(server);
                    }
                }
                Ok(unknown)
            })
            .await?;
        elsewhere.more = found.len().saturating_sub(MOST);
        found.truncate(MOST);
        let shown = self.refresh_servers().await?;
        for server in &mut found {
            server.exists = shown.servers.iter().any(|row| row.id == server.id);
        }
        elsewhere.servers = found;
        Ok(elsewhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(name: &str, server: &str, minute: u32, who: &str, rating: &str) -> Trace {
        let at: DateTime<Utc> = format!("2026-01-02T03:{minute:02}:00Z").parse().unwrap();
        let user = serde_json::json!({"name": who}).to_string();
        let row = serde_json::json!({
            "trace_id": format!("{name}-{minute}"), "trace_name": name, "trace_rating": rating, "resource_id": server,
            "resource_name": format!("{server} at {minute}"), "resource_type": "ecs", "service_type": "ECS",
            "time": at.timestamp_millis(), "user": user,
        });
        serde_json::from_str(&row.to_string()).unwrap()
    }

    #[test]
    fn the_traces_of_a_server_tell_who_made_and_who_ended_it() {
        let told = collect(vec![
            trace("deleteServer", "a", 9, "bo", "normal"),
            trace("stopServer", "a", 5, "chen", "normal"),
            trace("createServerV2", "a", 1, "ada", "normal"),
            trace("deleteServer", "b", 20, "mia", "warning"),
            trace("rebootServer", "b", 30, "mia", "normal"),
        ]);
        let [b, a] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert_eq!(
            (a.made_by.as_deref(), a.ended_by.as_deref()),
            (Some("ada"), Some("bo"))
        );
        assert_eq!((a.acts, a.name.as_str()), (3, "a at 9"));
        assert_eq!((b.ended, b.made), (None, None), "what failed did not happen");
        assert_eq!((b.last_by.as_deref(), b.acts), (Some("mia"), 1));
    }
}
