//! What stands at the end is what was last told of it: a server's flavor, name, lease, tags and disks.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Ledger, text};

/// A server as the ledger tells it.
#[derive(Default)]
struct Told {
    flavor: String,
    name: String,
    lease_end: String,
    tags: BTreeMap<String, String>,
    /// All its disks together; nothing of a server made elsewhere.
    gb: Option<i64>,
}

pub(super) fn compare(ledger: &Ledger, world: &Value, wrong: &mut Vec<String>) -> Result<()> {
    let of_region = |kind: &str| {
        let found = world
            .pointer(&format!("/regions/0/{kind}"))
            .and_then(Value::as_object);
        found.with_context(|| format!("the world has no {kind}"))
    };
    let (servers, volumes) = (of_region("servers")?, of_region("volumes")?);
    for (id, told) in told(ledger) {
        let Some(server) = servers.get(id) else { continue };
        let mut differ = |what: &str, is: &str, should: &str| {
            if is != should {
                wrong.push(format!(
                    "server {id}: its {what} is {is:?}, and {should:?} on record"
                ));
            }
        };
        differ("flavor", text(server, "flavor"), &told.flavor);
        differ("name", text(server, "name"), &told.name);
        differ(
            "lease's end",
            minute(text(server, "lease_end")),
            minute(&told.lease_end),
        );
        for (key, value) in &told.tags {
            let is = server.get("tags").map(|tags| text(tags, key));
            differ("tag", is.unwrap_or_default(), value);
        }
        let attached = volumes.values().filter(|volume| text(volume, "server_id") == id);
        let gb: i64 = attached
            .filter_map(|volume| volume.get("size_gb")?.as_i64())
            .sum();
        if let Some(told) = told.gb {
            differ("disk space", &gb.to_string(), &told.to_string());
        }
    }
    Ok(())
}

/// A lease ends at a whole minute.
fn minute(time: &str) -> &str {
    time.get(..16).unwrap_or(time)
}

/// Replays events and, for what has none, operations.
fn told(ledger: &Ledger) -> BTreeMap<&str, Told> {
    let mut all: BTreeMap<&str, Told> = BTreeMap::new();
    for (_, event) in &ledger.events {
        let (server, action) = (text(event, "server_id"), text(event, "action"));
        if text(event, "outcome") != "ok" || server.is_empty() {
            continue;
        }
        let number = |key: &str| event.get(key).and_then(Value::as_i64);
        if ["server.created", "server.seen"].contains(&action) {
            let made = Told {
                flavor: text(event, "flavor").to_owned(),
                name: text(event, "server_name").to_owned(),
                lease_end: text(event, "lease_end").to_owned(),
                gb: number("disk_gb"),
                ..Told::default()
            };
            all.insert(server, made);
            continue;
        }
        let Some(told) = all.get_mut(server) else { continue };
        let size = number("disk_gb").unwrap_or_default();
        let more = match action {
            "disk.attached" => size,
            "disk.extended" => size - number("disk_gb_before").unwrap_or_default(),
            "disk.detached" => -size,
            _ => 0,
        };
        told.gb = told.gb.map(|gb| gb + more);
        match action {
            "server.resized" => text(event, "flavor").clone_into(&mut told.flavor),
            "lease.set" | "lease.extended" => text(event, "lease_end").clone_into(&mut told.lease_end),
            "lease.cancelled" => told.lease_end.clear(),
            _ => {}
        }
    }
    for operation in ledger.operations.iter().filter(|operation| operation.is_done()) {
        let told = operation.server.as_deref().and_then(|server| all.get_mut(server));
        let (Some(told), Ok(asked)) = (told, serde_json::from_str::<Value>(&operation.request)) else {
            continue;
        };
        match operation.kind.as_str() {
            "server.rename" => text(&asked, "name").clone_into(&mut told.name),
            "server.tag" | "server.adopt" => {
                let list = |key: &str| {
                    asked
                        .get(key)
                        .and_then(Value::as_array)
                        .cloned()
                        .unwrap_or_default()
                };
                for tag in list("set") {
                    told.tags
                        .insert(text(&tag, "key").to_owned(), text(&tag, "value").to_owned());
                }
                for key in list("remove") {
                    told.tags
                        .insert(key.as_str().unwrap_or_default().to_owned(), String::new());
                }
            }
            _ => {}
        }
    }
    all
}
