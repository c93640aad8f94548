//! Per server, disk and address: each act that the cloud accepted has its operation, in the order in which it was asked
//! for, and no operation says that something was done which was not.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Ledger, Operation, text};

/// What the cloud did once.
#[derive(Clone, Copy, Debug)]
struct Act<'a> {
    /// By its name for it.
    name: &'a str,
    /// What was asked for, without secrets.
    request: &'a str,
}

/// What became of one server, disk or address.
#[derive(Default)]
struct Life<'a> {
    done: Vec<Act<'a>>,
    told: Vec<&'a Operation>,
}

pub(super) fn compare(ledger: &Ledger, world: &Value, user: &str, wrong: &mut Vec<String>) -> Result<()> {
    let mut lives: BTreeMap<&str, Life<'_>> = BTreeMap::new();
    let traces = world.pointer("/regions/0/traces").and_then(Value::as_array);
    for trace in traces.context("the sandbox keeps no traces")? {
        let accepted = trace
            .get("code")
            .and_then(Value::as_u64)
            .is_some_and(|code| code < 300);
        let name = text(trace, "trace_name");
        if text(trace, "user") != user || !accepted || is_mark(text(trace, "service"), name) {
            continue;
        }
        let request = text(trace, "request");
        let life = lives.entry(text(trace, "resource_id")).or_default();
        life.done.push(Act { name, request });
    }
    for operation in &ledger.operations {
        // What marks a server's parts changes nothing else; who admits an address is followed elsewhere.
        if ["server.mark_parts", "network.admit"].contains(&operation.kind.as_str()) {
            continue;
        }
        let about =
            if ["disk.add", "disk.grow", "disk.delete", "eip.release"].contains(&operation.kind.as_str()) {
                operation.part.as_deref()
            } else {
                operation.server.as_deref()
            };
        // A creation that the cloud refused made nothing.
        let Some(about) = about else {
            if operation.is_done() {
                wrong.push(format!("done to nothing: {operation:?}"));
            }
            continue;
        };
        lives.entry(about).or_default().told.push(operation);
    }
    for (about, Life { done, told }) in lives {
        if !agree(&done, &told) {
            let told: Vec<_> = told
                .iter()
                .map(|operation| (operation.kind.as_str(), operation.outcome.as_deref()))
                .collect();
            wrong.push(format!(
                "{about}: the cloud did {done:?}, the operations say {told:?}"
            ));
        }
        let made = done.iter().filter(|act| act.name == "createServer").count();
        let adopted = told.first().is_some_and(|first| first.kind == "server.adopt");
        let server = done.iter().any(|act| act.name.ends_with("Server")) || made > 0;
        if server && made != usize::from(!adopted) {
            wrong.push(format!("server {about} was made {made} times"));
        }
    }
    Ok(())
}

/// Tags of a server's parts, and whether they go with it: set as often as need be.
fn is_mark(service: &str, name: &str) -> bool {
    matches!(
        (service, name),
        ("ECS", "updateVolume") | ("EVS", "updateVolumeTags") | ("VPC", "tagEip")
    )
}

/// Whether each act belongs to one operation and each success has its act, in order. A failure may have been an act (a job
/// that failed, an outcome that nobody can know) or none.
fn agree(done: &[Act<'_>], told: &[&Operation]) -> bool {
    let Some((operation, later)) = told.split_first() else {
        return done.is_empty();
    };
    if !operation.is_done() && agree(done, later) {
        return true;
    }
    (1..=done.len()).any(|many| {
        let (own, rest) = done.split_at(many);
        makes_up(&operation.kind, own) && agree(rest, later)
    })
}

/// Whether acts, one after the other, are what an operation of that kind comes to. What is the same when it is done twice
/// may be asked for until there is an answer, each time with the same words.
fn makes_up(kind: &str, acts: &[Act<'_>]) -> bool {
    let names: Vec<&str> = acts.iter().map(|act| act.name).collect();
    let once = |name| names == [name];
    let again = |name: &str, requests: usize| {
        let asked: BTreeSet<&str> = acts.iter().map(|act| act.request).collect();
        names.iter().all(|is| *is == name) && asked.len() <= requests
    };
    match kind {
        "server.create" => once("createServer"),
        "server.start" => once("startServer"),
        "server.stop" => once("stopServer"),
        "server.reboot" => once("rebootServer"),
        "server.delete" => once("deleteServer"),
        // It is started again where the cloud's own job did not.
        "server.resize" => once("resizeServer") || names == ["resizeServer", "startServer"],
        "lease.update" | "lease.cancel" => again("updateAutoTerminateTime", 1),
        "server.rename" => again("updateServer", 1),
        // Some are set, some are taken off.
        "server.tag" => again("batchSetServerTags", 2),
        "server.adopt" => again("batchSetServerTags", 1),
        "server.password" => again("resetPassword", 1),
        "disk.add" => once("createVolume"),
        "disk.grow" => once("extendVolume"),
        "disk.detach" => once("detachVolume"),
        "disk.attach" => once("attachVolume"),
        "disk.delete" => once("deleteVolume"),
        "eip.release" => once("deleteEip"),
        _ => false,
    }
}
