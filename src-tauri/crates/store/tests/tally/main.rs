//! The tally: by hand, and against a reference that looks at every second.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

mod by_hand;
mod reference;
mod sources;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use store::tally::{Ask, Batch, Fact, Taken};
use store::{Error, Tally};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An event's text; the id follows from what it says.
fn told(action: &str, time: &str, server: &str, more: Value) -> String {
    let mut event = json!({
        "schema": "wangcheng.event.v1", "event_id": format!("{action} {time} {server}"), "action": action,
        "outcome": "ok", "time": time, "server_id": server, "owner_id": "u1", "owner": "李雷",
    });
    let more = more.as_object().cloned().unwrap();
    event.as_object_mut().unwrap().extend(more);
    event.to_string()
}

fn take(tally: &Tally, source: &str, texts: &[String]) -> Result<Taken, Error> {
    let facts: Vec<Fact<'_>> = texts.iter().map(|text| Fact::read(text).unwrap()).collect();
    tally.take_in(&Batch {
        source,
        facts: &facts,
        unreadable: 0,
        position: None,
        complete: true,
        now: at("2026-03-01T00:00:00Z"),
    })
}

/// A tally of these events, worked out.
fn tally(texts: &[String]) -> (tempfile::TempDir, Tally) {
    let dir = tempfile::tempdir().unwrap();
    let tally = Tally::open(dir.path()).unwrap();
    take(&tally, "platform", texts).unwrap();
    assert!(tally.settle(|| true).unwrap());
    (dir, tally)
}

fn ask(from: &str, to: &str) -> Ask {
    Ask::of(day(from), day(to))
}
