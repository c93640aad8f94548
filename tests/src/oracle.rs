//! Compares what the cloud did, what the ledger says and what the receiver has.

mod acts;
mod standing;

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
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// `server.create`, …
    pub kind: String,
    /// `ok`, `failed`, …; nothing before its end.
    pub outcome: Option<String>,
    /// Why it failed, JSON text.
    pub error: Option<String>,
    /// Id of the server that it is about, once known.
    pub server: Option<String>,
    /// Id of the disk or address that it is about, once known.
    pub part: Option<String>,
    /// The server's name when it was asked for.
    pub name: String,
    /// What is asked, JSON text.
    pub request: String,
}

impl Operation {
    /// Whether it ended well.
    pub fn is_done(&self) -> bool {
        self.outcome.as_deref() == Some("ok")
    }
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
        let mut rows = file.prepare(
            "SELECT id, kind, outcome, error, server_id, json_extract(detail, '$.part.id'), server_name, request
             FROM operations ORDER BY number",
        )?;
        let operations = rows.query_map([], |row| {
            Ok(Operation {
                id: row.get(0)?,
                kind: row.get(1)?,
                outcome: row.get(2)?,
                error: row.get(3)?,
                server: row.get(4)?,
                part: row.get(5)?,
                name: row.get(6)?,
                request: row.get(7)?,
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
    acts::compare(ledger, world, user, &mut wrong)?;
    resources(ledger, world, user, &mut wrong)?;
    standing::compare(ledger, world, &mut wrong)?;
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

/// Each operation ended and has its one event, or none where the data platform has no word for it; no event names an
/// operation that never was; and what was done to one server is told in the order in which it was asked for.
fn operations(ledger: &Ledger, wrong: &mut Vec<String>) {
    let mut told: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, operation) in ledger.operations.iter().enumerate() {
        asked.insert(&operation.id, place);
    }
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, event) in &ledger.events {
        let (server, place) = (text(event, "server_id"), asked.get(text(event, "op_id")));
        if let (false, Some(place)) = (server.is_empty(), place) {
            let before = last.insert(server, *place);
            if before.is_some_and(|before| before > *place) {
                wrong.push(format!("told before what was asked for earlier: {event}"));
            }
        }
        match text(event, "op_id") {
            "" if text(event, "action") == "install.heartbeat" => {}
            // Everything here is done by this one program, so nothing is seen to have been done by others.
            "" => wrong.push(format!("an event of nobody's act: {event}")),
            id => told.entry(id).or_default().push(event),
        }
    }
    for operation in &ledger.operations {
        let events = told.remove(operation.id.as_str()).unwrap_or_default();
        if actions(&operation.kind).is_empty() && operation.outcome.is_some() && events.is_empty() {
            continue;
        }
        // A change of size after which the server does not start again is told beside it.
        let events = match events.as_slice() {
            [event, stopped]
                if operation.kind == "server.resize" && text(stopped, "action") == "server.stopped" =>
            {
                vec![*event]
            }
            _ => events,
        };
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
        "server.resize" => &["server.resized"],
        "server.adopt" => &["server.seen"],
        "disk.add" | "disk.attach" => &["disk.attached"],
        "disk.grow" => &["disk.extended"],
        "disk.detach" => &["disk.detached"],
        "disk.delete" => &["disk.deleted"],
        "eip.release" => &["eip.released"],
        // Names, tags and passwords are nothing that the data platform is told of.
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

/// What exists is what the ledger says exists: no server twice or of nobody, no disk or address left behind.
fn resources(ledger: &Ledger, world: &Value, user: &str, wrong: &mut Vec<String>) -> Result<()> {
    let mut expected = BTreeSet::new();
    for (_, event) in &ledger.events {
        let server = text(event, "server_id");
        match (text(event, "action"), text(event, "outcome")) {
            ("server.created" | "server.seen", "ok") if !expected.insert(server) => {
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
        let adopted = tags.get("wangcheng-adopted-by").is_some();
        if !adopted && !operations.insert(text(&tags, "wangcheng-operation").to_owned()) {
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
    // A disk whose making failed is named by its event, too.
    let told: BTreeSet<&str> = ledger
        .events
        .iter()
        .filter(|(_, event)| text(event, "action") == "disk.attached" && text(event, "outcome") == "failed")
        .map(|(_, event)| text(event, "disk_id"))
        .collect();
    for kind in ["volumes", "addresses"] {
        for (id, thing) in all(kind)? {
            let server = text(thing, "server_id");
            let known = there.contains(server) || told.contains(id.as_str());
            if text(thing, "user_id") == user && !known {
                wrong.push(format!("{kind}: {id} was left behind: {thing}"));
            }
        }
    }
    Ok(())
}
