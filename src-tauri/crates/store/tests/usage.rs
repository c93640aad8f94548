//! Usage: by hand, against a rebuild, and against a simple model that looks at every minute.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

mod common;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, Utc};
use common::{event_at, open};
use proptest::prelude::*;
use serde_json::json;
use store::{EventOutcome, IntervalKind, Ledger, Usage};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn all(ledger: &Ledger, now: DateTime<Utc>) -> Vec<Usage> {
    ledger.usage(day("2000-01-01"), day("2199-01-01"), now).unwrap()
}

#[test]
fn a_server_over_midnight_is_counted_on_the_days_of_shanghai() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let made = json!({ "owner_id": "u1", "owner": "李雷", "flavor": "c7.large.2", "region": "cn-north-4",
                       "disk_gb": 40, "price_per_hour": "0.30", "currency": "CNY" });
    // 22:00 in Shanghai.
    let events = [
        event_at("server.created", at("2025-11-03T14:00:00Z"), "s1", made),
        event_at("server.stopped", at("2025-11-03T15:00:00Z"), "s1", json!({})),
        event_at("server.started", at("2025-11-03T17:00:00Z"), "s1", json!({})),
        event_at(
            "server.resized",
            at("2025-11-03T18:00:00Z"),
            "s1",
            json!({ "flavor": "c7.xlarge.2", "price_per_hour": "0.60", "currency": "CNY" }),
        ),
    ];
    ledger.append(events.into()).unwrap();
    let mut failed = event_at("server.deleted", at("2025-11-03T18:30:00Z"), "s1", json!({}));
    failed.outcome = EventOutcome::Failed;
    ledger.append(vec![failed]).unwrap();

    let rows: Vec<String> = all(&ledger, at("2025-11-03T20:00:00Z"))
        .iter()
        .map(|row| {
            format!(
                "{} {} exists {} runs {} disk {} costs {} {}",
                row.day, row.flavor, row.hours, row.running_hours, row.disk_gb_hours, row.cost, row.currency
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "2025-11-03 c7.large.2 exists 2 runs 1 disk 80 costs 0.6 CNY",
            "2025-11-04 c7.large.2 exists 2 runs 1 disk 80 costs 0.6 CNY",
            "2025-11-04 c7.xlarge.2 exists 2 runs 2 disk 80 costs 1.2 CNY",
        ]
    );
    let running: Vec<_> = ledger
        .intervals("s1")
        .unwrap()
        .into_iter()
        .filter(|interval| interval.kind == IntervalKind::Running)
        .map(|interval| (interval.began, interval.ended))
        .collect();
    assert_eq!(
        running,
        [
            (at("2025-11-03T14:00:00Z"), Some(at("2025-11-03T15:00:00Z"))),
            (at("2025-11-03T17:00:00Z"), Some(at("2025-11-03T18:00:00Z"))),
            (at("2025-11-03T18:00:00Z"), None),
        ]
    );
}

#[test]
fn a_disk_that_was_taken_off_is_taken_away_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let hour = |h| at("2025-11-04T00:00:00Z") + Duration::hours(h);
    let disk = |action, h| event_at(action, hour(h), "s1", json!({ "disk_id": "d1", "disk_gb": 10 }));
    ledger
        .append(vec![
            event_at(
                "server.created",
                hour(0),
                "s1",
                json!({ "disk_gb": 40, "flavor": "f" }),
            ),
            disk("disk.attached", 1),
            disk("disk.detached", 2),
            disk("disk.deleted", 3),
            event_at("server.deleted", hour(4), "s1", json!({})),
        ])
        .unwrap();
    let rows = all(&ledger, hour(5));
    assert_eq!(rows[0].disk_gb_hours.to_string(), (40 + 50 + 40 + 40).to_string());
}

#[test]
fn disks_come_grow_and_go_with_their_own_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let hour = |hour: i64| at("2025-11-03T00:00:00Z") + Duration::hours(hour);
    let disk = |action, h, size| event_at(action, hour(h), "s1", json!({ "disk_id": "d1", "disk_gb": size }));
    ledger
        .append(vec![
            event_at(
                "server.created",
                hour(0),
                "s1",
                json!({ "disk_gb": 40, "flavor": "f" }),
            ),
            disk("disk.attached", 1, 10),
            disk("disk.extended", 2, 30),
            event_at("disk.deleted", hour(3), "s1", json!({ "disk_id": "d1" })),
            event_at("server.deleted", hour(4), "s1", json!({})),
        ])
        .unwrap();
    let rows = all(&ledger, hour(9));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].disk_gb_hours.to_string(), (40 + 50 + 70 + 40).to_string());
    assert_eq!(rows[0].hours.to_string(), "4");
}

/// What is told of one server at one time.
#[derive(Debug, Clone)]
struct Step {
    minutes: i64,
    server: usize,
    action: &'static str,
    flavor: &'static str,
    disk: &'static str,
    gb: i64,
    outcome: EventOutcome,
}

/// Every event that has to do with a server, whether it changes what is counted or not.
const ACTIONS: [&str; 14] = [
    "server.created",
    "server.seen",
    "server.started",
    "server.stopped",
    "server.rebooted",
    "server.resized",
    "server.deleted",
    "disk.attached",
    "disk.extended",
    "disk.detached",
    "disk.deleted",
    "eip.released",
    "lease.extended",
    "session.opened",
];

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        8 => Just(EventOutcome::Ok),
        1 => Just(EventOutcome::Failed),
        1 => Just(EventOutcome::Refused),
    ];
    // Half of them begin or change something, so that servers live long enough to have a life.
    let action = prop_oneof![
        1 => prop::sample::select(&ACTIONS[..]),
        1 => prop::sample::select(vec!["server.created", "server.resized", "disk.attached", "disk.extended"]),
    ];
    (
        (0_i64..500, 0_usize..3, action),
        (
            prop::sample::select(vec!["small", "large"]),
            prop::sample::select(vec!["d1", "d2"]),
        ),
        (1_i64..50, outcome),
    )
        .prop_map(
            |((minutes, server, action), (flavor, disk), (gb, outcome))| Step {
                minutes,
                server,
                action,
                flavor,
                disk,
                gb,
                outcome,
            },
        )
}

/// What an hour costs is told by these.
fn price_of(action: &str) -> bool {
    matches!(
        action,
        "server.created" | "server.resized" | "disk.attached" | "disk.extended" | "disk.deleted"
    )
}

/// A server as a person would keep account of it.
#[derive(Debug, Clone)]
struct State {
    runs: bool,
    flavor: &'static str,
    /// What it was made with.
    first_gb: i64,
    /// Disks that came later, by id, and on it or taken off.
    disks: BTreeMap<&'static str, (i64, bool)>,
    /// Hundredths of the currency an hour.
    price: i64,
}

impl State {
    fn gb(&self) -> i64 {
        let attached = self.disks.values().filter(|(_, on)| *on).map(|(gb, _)| gb);
        self.first_gb + attached.sum::<i64>()
    }
}

/// Whether an event can be, as the server stands; what cannot is not told. Then what it makes of the server.
fn follow(state: &mut Option<State>, step: &Step, price: i64) -> bool {
    let counts = step.outcome == EventOutcome::Ok;
    let disk = state
        .as_ref()
        .and_then(|state| state.disks.get(step.disk))
        .copied();
    let can = match step.action {
        "server.created" | "server.seen" => state.is_none(),
        "disk.attached" => state.is_some() && disk.is_none_or(|(_, on)| !on),
        "disk.extended" | "disk.detached" => disk.is_some_and(|(_, on)| on),
        "disk.deleted" => disk.is_some_and(|(_, on)| !on),
        _ => true,
    };
    if !can || !counts {
        return can;
    }
    let Some(now) = state else {
        if matches!(step.action, "server.created" | "server.seen") {
            *state = Some(State {
                runs: step.action == "server.created" || step.gb % 2 == 0,
                flavor: step.flavor,
                first_gb: step.gb,
                disks: BTreeMap::new(),
                price: if step.action == "server.created" { price } else { 0 },
            });
        }
        return true;
    };
    if price_of(step.action) {
        now.price = price;
    }
    match step.action {
        "server.started" => now.runs = true,
        "server.stopped" => now.runs = false,
        "server.resized" => now.flavor = step.flavor,
        "server.deleted" => *state = None,
        // One that was taken off and comes back is as large as it was.
        "disk.attached" => {
            let gb = disk.map_or(step.gb, |(gb, _)| gb);
            now.disks.insert(step.disk, (gb, true));
        }
        "disk.extended" => {
            now.disks.entry(step.disk).and_modify(|(gb, _)| *gb += step.gb);
        }
        "disk.detached" => {
            now.disks.entry(step.disk).and_modify(|(_, on)| *on = false);
        }
        "disk.deleted" => {
            now.disks.remove(step.disk);
        }
        _ => {}
    }
    true
}

/// The event of a step, as the domain tells it. `disk`: the disk's size before, and after.
fn told(step: &Step, now: DateTime<Utc>, server: &str, price: i64, disk: (i64, i64)) -> store::NewEvent {
    let mut body = json!({ "owner_id": "u1" });
    let own = match step.action {
        "server.created" | "server.seen" => {
            let state = if step.gb % 2 == 0 { "running" } else { "stopped" };
            json!({ "flavor": step.flavor, "disk_gb": step.gb, "state": state })
        }
        "server.resized" => json!({ "flavor": step.flavor }),
        "disk.extended" => json!({ "disk_id": step.disk, "disk_gb": disk.1, "disk_gb_before": disk.0 }),
        action if action.starts_with("disk.") => json!({ "disk_id": step.disk, "disk_gb": disk.1 }),
        // What else is told of a server says nothing of its size.
        _ => json!({ "eip": "203.0.113.7" }),
    };
    let mut more = vec![own];
    if price_of(step.action) {
        let price = rust_decimal::Decimal::new(price, 2).to_string();
        more.push(json!({ "price_per_hour": price, "currency": "CNY" }));
    }
    for one in more {
        body.as_object_mut()
            .unwrap()
            .extend(one.as_object().cloned().unwrap());
    }
    let mut event = event_at(step.action, now, server, body);
    event.outcome = step.outcome;
    event
}

/// Minutes that servers existed and ran, their disks' GB and their price, each by the minute.
type Counts = BTreeMap<(NaiveDate, String), [i64; 4]>;

fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = open(dir.path());
    let shanghai = FixedOffset::east_opt(8 * 3600).unwrap();
    let mut now = at("2025-11-03T10:00:00Z");
    let mut states: [Option<State>; 3] = [None, None, None];
    let mut counted = Counts::new();
    for (nth, step) in steps.iter().enumerate() {
        for _ in 0..step.minutes {
            let today = now.with_timezone(&shanghai).date_naive();
            for state in states.iter().flatten() {
                let count = counted.entry((today, state.flavor.to_owned())).or_default();
                count[0] += 1;
                count[1] += i64::from(state.runs);
                count[2] += state.gb();
                count[3] += state.price;
            }
            now += Duration::minutes(1);
        }
        let server = ["a", "b", "c"][step.server];
        let state = &mut states[step.server];
        let size = |state: &Option<State>| {
            let disk = state.as_ref().and_then(|state| state.disks.get(step.disk));
            disk.map(|(gb, _)| *gb)
        };
        let before = size(state);
        let price = i64::try_from(nth).unwrap() * 3 + 7;
        if !follow(state, step, price) {
            continue;
        }
        let after = size(state).or(before).unwrap_or(step.gb);
        let event = told(step, now, server, price, (before.unwrap_or_default(), after));
        ledger.append(vec![event]).unwrap();
        if nth % 7 == 6 {
            drop(ledger);
            ledger = open(dir.path());
        }
    }
    let kept = all(&ledger, now);
    let in_minutes = |hours: rust_decimal::Decimal| {
        i64::try_from((hours * rust_decimal::Decimal::from(60)).round()).unwrap()
    };
    // What no price was ever told of has no currency, so one day and flavor may be two rows.
    let mut added = Counts::new();
    for row in &kept {
        let count = added.entry((row.day, row.flavor.clone())).or_default();
        count[0] += in_minutes(row.hours);
        count[1] += in_minutes(row.running_hours);
        count[2] += in_minutes(row.disk_gb_hours);
        // Hundredths an hour, counted by the minute.
        count[3] += in_minutes(row.cost * rust_decimal::Decimal::from(100));
    }
    prop_assert_eq!(added, counted);

    let stretches = |ledger: &Ledger| ["a", "b", "c"].map(|server| ledger.intervals(server).unwrap());
    let before = stretches(&ledger);
    ledger.rebuild_usage().unwrap();
    prop_assert_eq!(all(&ledger, now), kept);
    prop_assert_eq!(stretches(&ledger), before);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_up_equals_a_rebuild_and_a_count_of_every_minute(
        steps in prop::collection::vec(step(), 0..40),
    ) {
        play(&steps)?;
    }
}

#[test]
fn what_a_server_came_to_so_far_follows_its_price_and_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let made = |price: &str| json!({ "flavor": "c7.large.2", "price_per_hour": price, "currency": "CNY" });
    let grown = json!({ "flavor": "c7.xlarge.2", "price_per_hour": "0.60", "currency": "CNY" });
    let events = [
        event_at("server.created", at("2025-11-03T00:00:00Z"), "s1", made("0.30")),
        event_at("server.resized", at("2025-11-03T02:00:00Z"), "s1", grown),
        event_at("server.created", at("2025-11-03T00:00:00Z"), "gone", made("1.00")),
        event_at("server.deleted", at("2025-11-03T01:00:00Z"), "gone", json!({})),
        event_at("server.seen", at("2025-11-03T00:00:00Z"), "no-price", json!({})),
    ];
    ledger.append(events.into()).unwrap();

    let costs = ledger.costs(at("2025-11-03T02:30:00Z")).unwrap();
    let told: Vec<String> = costs
        .iter()
        .map(|cost| {
            let (so_far, per_hour) = (cost.so_far.normalize(), cost.per_hour.normalize());
            format!(
                "{} {so_far} {per_hour} {} {}",
                cost.server_id, cost.currency, cost.since
            )
        })
        .collect();
    assert_eq!(told, ["s1 0.9 0.6 CNY 2025-11-03 00:00:00 UTC"]);
    let before = ledger.costs(at("2025-11-03T01:00:00Z")).unwrap();
    assert!(
        before
            .iter()
            .all(|cost| cost.so_far.normalize().to_string() == "0.6"),
        "a clock that went back takes nothing away that is counted"
    );
}

#[test]
#[ignore = "takes many minutes; run by `cargo xtask soak`"]
fn what_is_kept_up_equals_a_rebuild_and_a_count_of_every_minute_in_many_cases() {
    let config = ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&prop::collection::vec(step(), 0..80), |steps| play(&steps))
        .unwrap();
}
