//! Compares what the cloud did, what the ledger says and what the receiver has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// The application's ledger, as its file says.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Random id of the installation.
    pub installation: String,
    /// Operations in the order in which they were recorded.
    pub operations: Vec<Operation>,
    /// Events in the order of their numbers, with the numbers.
    pub events: Vec<(i64, Value)>,
    /// How far delivery came.
    pub cursor: i64,
    /// How many events were set apart.
    pub apart: i64,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// `server.create`, …
    pub kind: String,
    /// `ok`, `failed`, …; nothing before its end.
    pub outcome: Option<String>,
    /// Why it failed, JSON text.
    pub error: Option<String>,
}

impl Ledger {
    /// Reads a copy of the file, so that the one that the application finds is as it left it: a log that a kill left
    /// behind is put back by whoever opens the file first.
    ///
    /// # Errors
    /// When it cannot be read; one that does not exist is empty.
    pub fn read(dir: &Path) -> Result<Self> {
        if !dir.join("ledger.db").exists() {
            return Ok(Self::default());
        }
        let copy = tempfile::tempdir()?;
        for name in ["ledger.db", "ledger.db-wal"] {
            if dir.join(name).exists() {
                std::fs::copy(dir.join(name), copy.path().join(name))?;
            }
        }
        let file = Connection::open_with_flags(
            copy.path().join("ledger.db"),
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        let tables: i64 = file.query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name IN ('operations', 'events', 'quarantine')",
            [],
            |row| row.get(0),
        )?;
        if tables < 3 {
            // killed while the file was made
            return Ok(Self::default());
        }
        let installation = file.query_row("SELECT max(id) FROM installation", [], |row| {
            row.get::<_, Option<String>>(0)
        })?;
        let mut rows = file.prepare("SELECT id, kind, outcome, error FROM operations ORDER BY number")?;
        let operations = rows.query_map([], |row| {
            Ok(Operation {
                id: row.get(0)?,
                kind: row.get(1)?,
                outcome: row.get(2)?,
                error: row.get(3)?,
            })
        })?;
        let operations = operations.collect::<rusqlite::Result<_>>()?;
        let mut rows = file.prepare("SELECT seq, json FROM events ORDER BY seq")?;
        let events = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let events = events
            .map(|row| {
                let (seq, text) = row?;
                Ok((seq, serde_json::from_str(&text)?))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            installation: installation.unwrap_or_default(),
            operations,
            events,
            cursor: file.query_row("SELECT coalesce(max(cursor), 0) FROM deliveries", [], |row| {
                row.get(0)
            })?,
            apart: file.query_row("SELECT count(*) FROM quarantine", [], |row| row.get(0))?,
        })
    }

    /// Whether everything ended and everything was delivered.
    pub fn at_rest(&self) -> bool {
        self.operations
            .iter()
            .all(|operation| operation.outcome.is_some())
            && self.cursor == self.events.len() as i64
    }
}

/// What does not agree, in words; nothing when all does. `world`: what the sandbox says exists and was done; `records`: what
/// the receiver keeps, each delivery; `user`: id of the one person whose acts these are.
///
/// # Errors
/// When one of them cannot be read.
pub fn disagreements(ledger: &Ledger, world: &Value, records: &[Value], user: &str) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    numbers(ledger, &mut wrong);
    operations(ledger, &mut wrong);
    received(ledger, records, &mut wrong)?;
    acts(ledger, world, user, &mut wrong)?;
    resources(ledger, world, user, &mut wrong)?;
    Ok(wrong)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Numbers without gaps, in the ledger and inside the events.
fn numbers(ledger: &Ledger, wrong: &mut Vec<String>) {
    for ((seq, event), expected) in ledger.events.iter().zip(1_i64..) {
        if *seq != expected || event.get("seq").and_then(Value::as_i64) != Some(expected) {
            wrong.push(format!(
                "event {expected} is missing in the ledger or numbered otherwise: {event}"
            ));
        }
        if text(event, "installation_id") != ledger.installation {
            wrong.push(format!("event {seq} is of another installation"));
        }
    }
}

/// Each operation ended and has its one event; no event names an operation that never was.
fn operations(ledger: &Ledger, wrong: &mut Vec<String>) {
    let mut told: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (_, event) in &ledger.events {
        match text(event, "op_id") {
            "" if text(event, "action") == "install.heartbeat" => {}
            // Everything here is done by this one program, so nothing is seen to have been done by others.
            "" => wrong.push(format!("an event of nobody's act: {event}")),
            id => told.entry(id).or_default().push(event),
        }
    }
    for operation in &ledger.operations {
        let events = told.remove(operation.id.as_str()).unwrap_or_default();
        let (Some(outcome), [event]) = (&operation.outcome, events.as_slice()) else {
            wrong.push(format!("not one end with one event: {operation:?} {events:?}"));
            continue;
        };
        if text(event, "outcome") != outcome {
            wrong.push(format!(
                "{operation:?} ended otherwise than its event says: {event}"
            ));
        }
        if !actions(&operation.kind).contains(&text(event, "action")) {
            wrong.push(format!("{operation:?} has the event of another act: {event}"));
        }
    }
    for (id, events) in told {
        wrong.push(format!(
            "events of operation {id}, which was never recorded: {events:?}"
        ));
    }
}

fn actions(kind: &str) -> &'static [&'static str] {
    match kind {
        "server.create" => &["server.created"],
        "server.start" => &["server.started"],
        "server.stop" => &["server.stopped"],
        "server.reboot" => &["server.rebooted"],
        "server.delete" => &["server.deleted"],
        "lease.update" => &["lease.set", "lease.extended"],
        "lease.cancel" => &["lease.cancelled"],
        _ => &[],
    }
}

/// The receiver has what the ledger has: the same text under the same id, each first come in the order of its number.
fn received(ledger: &Ledger, records: &[Value], wrong: &mut Vec<String>) -> Result<()> {
    let mut came: Vec<Value> = Vec::new();
    let mut ids = BTreeSet::new();
    for record in records {
        let message = record.pointer("/record/_message").and_then(Value::as_str);
        let event: Value =
            serde_json::from_str(message.with_context(|| format!("a record without an event: {record}"))?)?;
        let again = !ids.insert(text(&event, "event_id").to_owned());
        if text(&event, "action") == "install.test" {
            continue;
        }
        if !again {
            came.push(event);
        } else if !came.contains(&event) {
            wrong.push(format!("came twice and not the same: {event}"));
        }
    }
    let kept: Vec<&Value> = ledger.events.iter().map(|(_, event)| event).collect();
    for event in &kept {
        if !came.contains(event) {
            wrong.push(format!("lost on the way to the receiver: {event}"));
        }
    }
    for event in &came {
        if !kept.contains(&event) {
            wrong.push(format!("the receiver has what the ledger does not: {event}"));
        }
    }
    let order: Vec<u64> = came
        .iter()
        .filter_map(|event| event.get("seq")?.as_u64())
        .collect();
    if !order.is_sorted() {
        wrong.push(format!("the receiver was told in another order: {order:?}"));
    }
    Ok(())
}

/// What became of one server.
#[derive(Default)]
struct Life<'a> {
    /// What the cloud did, by its name for it.
    done: Vec<&'a str>,
    /// What the events say, and whether it succeeded.
    told: Vec<(&'a str, bool)>,
}

/// Per server: each act that the cloud accepted has its event, in the order in which it was done, and no event says that
/// something was done which was not.
fn acts(ledger: &Ledger, world: &Value, user: &str, wrong: &mut Vec<String>) -> Result<()> {
    let mut servers: BTreeMap<&str, Life<'_>> = BTreeMap::new();
    let traces = world.pointer("/regions/0/traces").and_then(Value::as_array);
    let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
    for trace in traces.context("the sandbox keeps no traces")? {
        let accepted = trace
            .get("code")
            .and_then(Value::as_u64)
            .is_some_and(|code| code < 300);
        if text(trace, "user") != user || text(trace, "service") != "ECS" || !accepted {
            continue;
        }
        let (server, name) = (text(trace, "resource_id"), text(trace, "trace_name"));
        // The same end of a lease once more changes nothing: it may be asked for until there is an answer.
        let before = last.insert(server, trace);
        let same = before.is_some_and(|before| {
            text(before, "trace_name") == name && before.get("request") == trace.get("request")
        });
        if same && name == "updateAutoTerminateTime" {
            continue;
        }
        servers.entry(server).or_default().done.push(name);
    }
    for (_, event) in &ledger.events {
        let (server, action) = (text(event, "server_id"), text(event, "action"));
        let ok = text(event, "outcome") == "ok";
        if text(event, "op_id").is_empty() || (server.is_empty() && !ok) {
            continue;
        }
        servers.entry(server).or_default().told.push((action, ok));
    }
    for (server, Life { done, told }) in servers {
        if !agree(&done, &told) {
            wrong.push(format!(
                "server {server}: the cloud did {done:?}, the events say {told:?}"
            ));
        }
        let made = done.iter().filter(|name| **name == "createServer").count();
        if made != 1 {
            wrong.push(format!("server {server} was made {made} times"));
        }
    }
    Ok(())
}

/// Whether each act has one event and each success one act, in order. A failure may have been an act (a job that failed, an
/// outcome that nobody can know) or none.
fn agree(done: &[&str], told: &[(&str, bool)]) -> bool {
    let Some(((action, ok), later)) = told.split_first() else {
        return done.is_empty();
    };
    let with = done
        .split_first()
        .is_some_and(|(first, rest)| names(action, first) && agree(rest, later));
    with || (!ok && agree(done, later))
}

fn names(action: &str, trace: &str) -> bool {
    match trace {
        "createServer" => action == "server.created",
        "startServer" => action == "server.started",
        "stopServer" => action == "server.stopped",
        "rebootServer" => action == "server.rebooted",
        "deleteServer" => action == "server.deleted",
        "updateAutoTerminateTime" => action.starts_with("lease."),
        _ => false,
    }
}

/// What exists is what the ledger says exists: no server twice or of nobody, no disk or address left behind.
fn resources(ledger: &Ledger, world: &Value, user: &str, wrong: &mut Vec<String>) -> Result<()> {
    let mut expected = BTreeSet::new();
    for (_, event) in &ledger.events {
        let server = text(event, "server_id");
        match (text(event, "action"), text(event, "outcome")) {
            ("server.created", "ok") if !expected.insert(server) => {
                wrong.push(format!("created twice: {event}"));
            }
            ("server.deleted", "ok") if !expected.remove(server) => {
                wrong.push(format!("deleted without having been there: {event}"));
            }
            _ => {}
        }
    }
    let all = |kind: &str| {
        let found = world
            .pointer(&format!("/regions/0/{kind}"))
            .and_then(Value::as_object);
        found.with_context(|| format!("the world has no {kind}"))
    };
    let ours = |server: &&Value| server.to_string().contains(&ledger.installation);
    let servers: Vec<&Value> = all("servers")?.values().filter(ours).collect();
    let mut operations = BTreeSet::new();
    for server in &servers {
        let tags = server.get("tags").cloned().unwrap_or_default();
        if !operations.insert(text(&tags, "wangcheng-operation").to_owned()) {
            wrong.push(format!("one operation made two servers: {server}"));
        }
    }
    // A creation whose job failed leaves a server in error, which its event (failed, with the server's id) names.
    let failed: BTreeSet<&str> = ledger
        .events
        .iter()
        .filter(|(_, event)| text(event, "action") == "server.created" && text(event, "outcome") == "failed")
        .map(|(_, event)| text(event, "server_id"))
        .collect();
    let there: BTreeSet<&str> = servers.iter().map(|server| text(server, "id")).collect();
    for server in expected.difference(&there) {
        wrong.push(format!("server {server} is on record and does not exist"));
    }
    for server in there
        .difference(&expected)
        .filter(|server| !failed.contains(*server))
    {
        wrong.push(format!("server {server} exists and is not on record"));
    }
    for kind in ["volumes", "addresses"] {
        for (id, thing) in all(kind)? {
            let server = text(thing, "server_id");
            if text(thing, "user_id") == user && !there.contains(server) {
                wrong.push(format!("{kind}: {id} was left behind: {thing}"));
            }
        }
    }
    Ok(())
}
