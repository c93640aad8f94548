//! Usage: by hand, against a rebuild, and against a simple model that looks at every minute.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

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

#[derive(Debug, Clone)]
struct Step {
    minutes: i64,
    server: usize,
    action: usize,
    flavor: usize,
}

const ACTIONS: [&str; 5] = [
    "server.created",
    "server.started",
    "server.stopped",
    "server.resized",
    "server.deleted",
];

/// (exists, runs, flavor) of one server.
type State = Option<(bool, &'static str)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_up_equals_a_rebuild_and_a_count_of_every_minute(
        steps in prop::collection::vec(
            (0_i64..500, 0_usize..3, 0_usize..5, 0_usize..2)
                .prop_map(|(minutes, server, action, flavor)| Step { minutes, server, action, flavor }),
            0..25,
        ),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = open(dir.path());
        let start = at("2025-11-03T10:00:00Z");
        let shanghai = FixedOffset::east_opt(8 * 3600).unwrap();
        let mut now = start;
        let mut states: [State; 3] = [None; 3];
        // (day, flavor) → minutes of existence, of running
        let mut minutes: BTreeMap<(NaiveDate, &str), (i64, i64)> = BTreeMap::new();
        for (nth, step) in steps.iter().enumerate() {
            for _ in 0..step.minutes {
                let today = now.with_timezone(&shanghai).date_naive();
                for (runs, flavor) in states.iter().flatten() {
                    let count = minutes.entry((today, *flavor)).or_default();
                    count.0 += 1;
                    count.1 += i64::from(*runs);
                }
                now += Duration::minutes(1);
            }
            let flavor = ["small", "large"][step.flavor];
            let state = &mut states[step.server];
            match (ACTIONS[step.action], &mut *state) {
                ("server.created", None) => *state = Some((true, flavor)),
                ("server.started", Some(state)) => state.0 = true,
                ("server.stopped", Some(state)) => state.0 = false,
                ("server.resized", Some(state)) => state.1 = flavor,
                ("server.deleted", _) => *state = None,
                _ => {}
            }
            let body = json!({ "flavor": flavor, "owner_id": "u1", "price_per_hour": "0.07", "currency": "CNY" });
            let server = ["a", "b", "c"][step.server];
            ledger.append(vec![event_at(ACTIONS[step.action], now, server, body)]).unwrap();
            if nth % 7 == 6 {
                drop(ledger);
                ledger = open(dir.path());
            }
        }
        let kept = all(&ledger, now);
        let intervals: Vec<_> = ["a", "b", "c"].map(|server| ledger.intervals(server).unwrap()).into();
        let counted: Vec<_> = minutes
            .iter()
            .filter(|(_, count)| count.0 > 0)
            .map(|((day, flavor), count)| (*day, (*flavor).to_owned(), count.0, count.1))
            .collect();
        let in_minutes = |hours: rust_decimal::Decimal| {
            i64::try_from((hours * rust_decimal::Decimal::from(60)).round()).unwrap()
        };
        let mut told: Vec<_> = kept
            .iter()
            .map(|row| (row.day, row.flavor.clone(), in_minutes(row.hours), in_minutes(row.running_hours)))
            .collect();
        told.sort();
        let mut expected = counted;
        expected.sort();
        prop_assert_eq!(told, expected);

        ledger.rebuild_usage().unwrap();
        prop_assert_eq!(all(&ledger, now), kept);
        let again: Vec<_> = ["a", "b", "c"].map(|server| ledger.intervals(server).unwrap()).into();
        prop_assert_eq!(again, intervals);
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
