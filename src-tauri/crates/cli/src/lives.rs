//! How long servers stay: their leases moved, or their end, of one or of several at once.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::arguments::Wait;
use crate::change;
use crate::output::{money, rows, table, text};
use crate::servers::{confirm, id};
use crate::session::{Session, now};
use crate::several;
use crate::trouble::Result;
use crate::words::word;

/// Moves the end of leases, each by a length from its own end on, or all to one moment.
pub async fn extend(
    session: &Session,
    servers: &[String],
    by: Option<Duration>,
    until: Option<DateTime<Utc>>,
    wait: Wait,
) -> Result<()> {
    let servers = found(session, servers).await?;
    let end = |server: &Value| {
        until.unwrap_or_else(|| {
            let end = server.get("leaseEnd").and_then(Value::as_str);
            let end: Option<DateTime<Utc>> = end.and_then(|end| end.parse().ok());
            later(end.unwrap_or_else(now), by.unwrap_or_default())
        })
    };
    if let [server] = servers.as_slice() {
        let ask = json!({"server": id(server), "until": end(server)});
        return change::act(session, "servers.extend", ask, wait).await;
    }
    // A call has one moment for all of its servers: those that follow one another with the same end go together.
    let ends: Vec<(DateTime<Utc>, String)> = servers.iter().map(|server| (end(server), id(server))).collect();
    let asks = ends
        .chunk_by(|(one, _), (next, _)| one == next)
        .filter_map(|together| {
            let (until, _) = together.first()?;
            let ids: Vec<&String> = together.iter().map(|(_, id)| id).collect();
            Some(json!({"servers": ids, "until": until}))
        })
        .collect();
    several::act(session, "servers.extend_several", asks, wait).await
}

/// Deletes servers; each is confirmed before the first one goes.
pub async fn delete(session: &Session, servers: &[String], yes: bool, wait: Wait) -> Result<()> {
    let servers = found(session, servers).await?;
    let name = |server: &Value| text_of(server, "name");
    if !yes && !wait.dry_run {
        for server in &servers {
            tell_deletion(session, server).await?;
            confirm(session, "server", &name(server))?;
        }
    }
    let asks: Vec<Value> = servers
        .iter()
        .map(|server| json!({"server": id(server), "name": name(server)}))
        .collect();
    match asks.as_slice() {
        [ask] => change::act(session, "servers.delete", ask.clone(), wait).await,
        asks => {
            let ask = json!({ "servers": asks });
            several::act(session, "servers.delete_several", vec![ask], wait).await
        }
    }
}

/// The servers that are named; when one is unknown, nothing is done to any.
pub async fn found(session: &Session, wanted: &[String]) -> Result<Vec<Value>> {
    let mut servers = Vec::with_capacity(wanted.len());
    for server in wanted {
        servers.push(session.server(server).await?);
    }
    Ok(servers)
}

/// The text of a key as it is, to be sent and not to be shown.
fn text_of(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Tells what goes and what stays when a server is deleted.
async fn tell_deletion(session: &Session, server: &Value) -> Result<()> {
    let output = session.output;
    let deletion = session
        .ask("servers.deletion", json!({"server": id(server)}))
        .await?;
    output.note(&format!(
        "{} {} ({})",
        output.say("将删除云服务器：", "The server is deleted:"),
        text(&deletion, "name"),
        text(server, "id"),
    ));
    let fate = |part: &Value| match part.get("goes").and_then(Value::as_bool) {
        Some(true) => output.say("删除", "goes"),
        _ => output.say("保留", "stays"),
    };
    let parts = rows(&deletion, "parts").map(|part| {
        vec![
            fate(part).to_owned(),
            word(output.tongue, "part", text(part, "kind")),
            text(part, "name"),
            text(part, "sizeGb"),
            money(part, "perMonth"),
        ]
    });
    let head = match output.tongue {
        api::Tongue::Chinese => ["", "种类", "名称", "GB", "每月"],
        api::Tongue::English => ["", "KIND", "NAME", "GB", "A MONTH"],
    };
    output.note(&table(&head, parts));
    Ok(())
}

/// A moment later; what no calendar holds becomes the calendar's end, and is refused as too long.
pub fn later(moment: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| moment.checked_add_signed(by))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
