//! What the tests of the ledger share.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the helpers of tests are tests, and each uses some of them"
)]

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use store::{EventOutcome, Ledger, NewEvent};
use uuid::Uuid;

pub fn noon() -> DateTime<Utc> {
    "2025-11-03T12:00:00.250Z".parse().unwrap()
}

pub fn open(dir: &Path) -> Ledger {
    let opened = Ledger::open(dir, noon()).unwrap();
    assert_eq!(opened.set_aside, None, "nothing is damaged");
    opened.ledger
}

pub fn event(action: &str) -> NewEvent {
    event_at(action, noon(), "server-1", json!({ "owner": "李雷" }))
}

pub fn event_at(action: &str, time: DateTime<Utc>, server: &str, body: Value) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7().to_string(),
        time,
        action: action.to_owned(),
        outcome: EventOutcome::Ok,
        account: Some("account-1".to_owned()),
        op_id: None,
        server_id: Some(server.to_owned()),
        body: body.as_object().cloned().unwrap_or_else(Map::new),
    }
}
