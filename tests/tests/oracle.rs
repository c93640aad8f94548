//! The oracle of the kill and fault tests says nothing when cloud, ledger and receiver agree, and finds each way in which they
//! can disagree.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

use serde_json::{Value, json};
use wangcheng_tests::oracle::{Ledger, Operation, disagreements};

const USER: &str = "user-ada";

/// What the three say after a server was made, stopped and, another one, deleted.
struct Story {
    ledger: Ledger,
    world: Value,
    records: Vec<Value>,
}

fn event(seq: i64, action: &str, op: &str, server: &str) -> Value {
    json!({
        "seq": seq, "event_id": format!("event-{seq}"), "installation_id": "installation", "action": action,
        "outcome": "ok", "op_id": op, "server_id": server,
    })
}

fn record(event: &Value) -> Value {
    json!({"record": {"_message": event.to_string()}})
}

fn trace(name: &str, server: &str) -> Value {
    json!({
        "service": "ECS", "resource_id": server, "trace_name": name, "user": USER, "code": 200, "request": name,
    })
}

fn story() -> Story {
    let acts = [
        ("server.create", "server.created", "createServer", "s-1"),
        ("server.create", "server.created", "createServer", "s-2"),
        ("server.stop", "server.stopped", "stopServer", "s-1"),
        ("server.delete", "server.deleted", "deleteServer", "s-2"),
    ];
    let mut ledger = Ledger {
        installation: "installation".to_owned(),
        cursor: 4,
        ..Ledger::default()
    };
    let mut traces = vec![json!({
        "service": "ECS", "resource_id": "s-9", "trace_name": "createServer", "user": "another", "code": 200,
    })];
    for ((kind, action, name, server), seq) in acts.into_iter().zip(1..) {
        let op = format!("op-{seq}");
        ledger.events.push((seq, event(seq, action, &op, server)));
        ledger.operations.push(Operation {
            id: op,
            kind: kind.to_owned(),
            outcome: Some("ok".to_owned()),
            server: Some(server.to_owned()),
            ..Operation::default()
        });
        traces.push(trace(name, server));
    }
    let records = ledger.events.iter().map(|(_, event)| record(event)).collect();
    let server = json!({
        "id": "s-1",
        "tags": {"wangcheng-installation": "installation", "wangcheng-operation": "op-1"},
    });
    let world = json!({"regions": [{
        "traces": traces,
        "servers": {"s-1": server, "s-9": {"id": "s-9", "tags": {}}},
        "volumes": {"v-1": {"server_id": "s-1", "user_id": USER}},
        "addresses": {},
    }]});
    Story {
        ledger,
        world,
        records,
    }
}

/// What the oracle says after something was changed.
fn found(change: impl FnOnce(&mut Story)) -> String {
    let mut story = story();
    change(&mut story);
    disagreements(&story.ledger, &story.world, &story.records, USER)
        .unwrap()
        .join("\n")
}

fn assert_found(what: &str, change: impl FnOnce(&mut Story)) {
    let found = found(change);
    assert!(found.contains(what), "not found: {what}\nbut: {found}");
}

#[test]
fn three_that_agree_are_not_blamed() {
    assert_eq!(found(|_| {}), "");
    let twice = |story: &mut Story| story.records.push(story.records[0].clone());
    assert_eq!(found(twice), "", "an event may come twice");
    let unknown = |story: &mut Story| {
        // A restart that may have been done or not.
        story
            .ledger
            .events
            .push((5, event(5, "server.rebooted", "op-5", "s-1")));
        story.ledger.events[4].1["outcome"] = json!("failed");
        story.records.push(record(&story.ledger.events[4].1));
        story.ledger.operations.push(Operation {
            id: "op-5".to_owned(),
            kind: "server.reboot".to_owned(),
            outcome: Some("failed".to_owned()),
            server: Some("s-1".to_owned()),
            ..Operation::default()
        });
    };
    assert_eq!(found(unknown), "");
    let and_done = |story: &mut Story| {
        unknown(story);
        traces(story).push(trace("rebootServer", "s-1"));
    };
    assert_eq!(found(and_done), "");
}

fn traces(story: &mut Story) -> &mut Vec<Value> {
    story.world["regions"][0]["traces"].as_array_mut().unwrap()
}

#[test]
fn what_is_lost_invented_or_out_of_order_on_the_way_is_found() {
    assert_found("lost on the way", |story| {
        story.records.remove(2);
    });
    assert_found("the receiver has what the ledger does not", |story| {
        story
            .records
            .push(record(&event(5, "server.stopped", "op-5", "s-1")));
    });
    assert_found("in another order", |story| story.records.swap(1, 2));
    assert_found("came twice and not the same", |story| {
        let mut other = story.ledger.events[0].1.clone();
        other["outcome"] = json!("failed");
        story.records.push(record(&other));
    });
}

#[test]
fn a_ledger_that_does_not_hold_together_is_found() {
    assert_found("is missing in the ledger", |story| {
        story.ledger.events.remove(1);
    });
    assert_found("is of another installation", |story| {
        story.ledger.events[0].1["installation_id"] = json!("other");
    });
    assert_found("not one end with one event", |story| {
        story.ledger.operations[2].outcome = None;
    });
    assert_found("which was never recorded", |story| {
        story.ledger.operations.pop();
    });
    assert_found("ended otherwise than its event says", |story| {
        story.ledger.operations[2].outcome = Some("failed".to_owned());
    });
    assert_found("has the event of another act", |story| {
        story.ledger.operations[2].kind = "server.start".to_owned();
    });
    assert_found("an event of nobody's act", |story| {
        story.ledger.events[2].1.as_object_mut().unwrap().remove("op_id");
    });
}

#[test]
fn acts_without_events_and_events_without_acts_are_found() {
    assert_found("the cloud did", |story| {
        traces(story).push(trace("startServer", "s-1"))
    });
    assert_found("the cloud did", |story| {
        traces(story).remove(3);
    });
    assert_found("the cloud did", |story| {
        // stopped before it was made
        traces(story).swap(1, 3);
    });
    assert_found("was made 2 times", |story| {
        traces(story).push(trace("createServer", "s-1"));
    });
    assert_found("the cloud did", |story| {
        // a server that the ledger has not heard of
        traces(story).push(trace("createServer", "s-3"));
    });
}

#[test]
fn servers_disks_and_addresses_of_nobody_are_found() {
    assert_found("exists and is not on record", |story| {
        let mut orphan = story.world["regions"][0]["servers"]["s-1"].clone();
        orphan["id"] = json!("s-3");
        story.world["regions"][0]["servers"]["s-3"] = orphan;
    });
    assert_found("one operation made two servers", |story| {
        let twin = story.world["regions"][0]["servers"]["s-1"].clone();
        story.world["regions"][0]["servers"]["s-4"] = twin;
    });
    assert_found("is on record and does not exist", |story| {
        story.world["regions"][0]["servers"]
            .as_object_mut()
            .unwrap()
            .remove("s-1");
    });
    for kind in ["volumes", "addresses"] {
        assert_found("was left behind", |story| {
            story.world["regions"][0][kind]["left"] = json!({"server_id": null, "user_id": USER});
        });
    }
}

/// A rename, which has no event, and a disk that was added and has grown.
fn changed(story: &mut Story) {
    let more = [
        ("server.rename", None, "updateServer", "s-1", ""),
        ("disk.add", Some("disk.attached"), "createVolume", "v-2", "{}"),
        ("disk.grow", Some("disk.extended"), "extendVolume", "v-2", "{}"),
    ];
    for ((kind, action, name, about, request), nth) in more.into_iter().zip(5..) {
        let op = format!("op-{nth}");
        let disk = kind.starts_with("disk.");
        if let Some(action) = action {
            let seq = story.ledger.events.len() as i64 + 1;
            let mut event = event(seq, action, &op, "s-1");
            event["disk_gb"] = json!(if kind == "disk.add" { 20 } else { 30 });
            event["disk_gb_before"] = json!(20);
            story.records.push(record(&event));
            story.ledger.events.push((seq, event));
        }
        story.ledger.operations.push(Operation {
            id: op,
            kind: kind.to_owned(),
            outcome: Some("ok".to_owned()),
            server: Some("s-1".to_owned()),
            part: disk.then(|| about.to_owned()),
            request: if disk {
                request.to_owned()
            } else {
                json!({"name": "b"}).to_string()
            },
            ..Operation::default()
        });
        traces(story).push(trace(name, about));
    }
    story.ledger.cursor = story.ledger.events.len() as i64;
    let first = &mut story.ledger.events[0].1;
    first["disk_gb"] = json!(40);
    first["flavor"] = json!("small");
    first["lease_end"] = json!("2026-01-02T03:04:00.000Z");
    story.records[0] = record(first);
    let world = &mut story.world["regions"][0];
    let server = &mut world["servers"]["s-1"];
    server["name"] = json!("b");
    server["flavor"] = json!("small");
    server["lease_end"] = json!("2026-01-02T03:04:00Z");
    world["volumes"]["v-1"]["size_gb"] = json!(40);
    world["volumes"]["v-2"] = json!({"server_id": "s-1", "user_id": USER, "size_gb": 30});
}

#[test]
fn what_stands_otherwise_than_it_was_told_is_found() {
    assert_eq!(found(changed), "");
    for (what, path, value) in [
        ("its name is", "/servers/s-1/name", json!("a")),
        ("its flavor is", "/servers/s-1/flavor", json!("large")),
        (
            "its lease's end is",
            "/servers/s-1/lease_end",
            json!("2026-01-02T03:05:00Z"),
        ),
        ("its disk space is", "/volumes/v-2/size_gb", json!(20)),
    ] {
        assert_found(what, |story| {
            changed(story);
            *story.world["regions"][0].pointer_mut(path).unwrap() = value;
        });
    }
}

#[test]
fn acts_on_names_and_disks_are_held_to_their_operations() {
    let again = |name: &'static str, about: &'static str| {
        move |story: &mut Story| {
            changed(story);
            traces(story).push(trace(name, about));
        }
    };
    assert_eq!(
        found(again("updateServer", "s-1")),
        "",
        "the same name may be asked for until there is an answer"
    );
    assert_found("v-2: the cloud did", again("extendVolume", "v-2"));
    assert_found("s-1: the cloud did", again("resizeServer", "s-1"));
    assert_found("v-3: the cloud did", again("createVolume", "v-3"));
    assert_found("v-2: the cloud did", |story| {
        changed(story);
        traces(story).retain(|trace| trace["trace_name"] != "extendVolume");
    });
    assert_found("s-1: the cloud did", |story| {
        changed(story);
        let mut other = trace("updateServer", "s-1");
        other["request"] = json!("another name");
        traces(story).push(other);
    });
    assert_found("told before what was asked for earlier", |story| {
        changed(story);
        story.ledger.operations.swap(5, 6);
    });
}
