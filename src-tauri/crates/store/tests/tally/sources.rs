use serde_json::json;
use store::{EventOutcome, Ledger, NewEvent};

use super::*;

fn event(action: &str, time: &str) -> NewEvent {
    NewEvent {
        event_id: uuid::Uuid::now_v7().to_string(),
        time: at(time),
        action: action.to_owned(),
        outcome: EventOutcome::Ok,
        account: None,
        op_id: None,
        server_id: Some("s1".to_owned()),
        body: json!({ "owner_id": "u1", "flavor": "f" })
            .as_object()
            .cloned()
            .unwrap(),
    }
}

#[test]
fn what_the_ledger_wrote_is_followed_and_counted_once_when_the_platform_tells_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let now = at("2026-02-02T12:00:00Z");
    let ledger = Ledger::open(dir.path(), now).unwrap().ledger;
    let tally = Tally::open(dir.path()).unwrap();
    ledger
        .append(vec![event("server.created", "2026-02-02T00:00:00Z")])
        .unwrap();
    assert_eq!(tally.follow(&ledger, now).unwrap().new, 1);
    let rows = ledger
        .append(vec![event("server.stopped", "2026-02-02T06:00:00Z")])
        .unwrap();
    assert_eq!(tally.follow(&ledger, now).unwrap().new, 1);
    assert_eq!(
        tally.follow(&ledger, now).unwrap().new,
        0,
        "nothing is taken twice"
    );

    let again: Vec<String> = rows.iter().map(|row| row.json.clone()).collect();
    assert_eq!(take(&tally, "platform", &again).unwrap().doubled, 1);
    tally.settle(|| true).unwrap();
    let sums = tally.sums(&ask("2026-02-02", "2026-02-02"), now).unwrap();
    assert_eq!(
        (
            sums.total.exists_ms / 3_600_000,
            sums.total.running_ms / 3_600_000
        ),
        (12, 6)
    );
    let own = tally.source("ledger").unwrap().unwrap();
    assert_eq!((own.facts, own.last.unwrap()), (2, at("2026-02-02T06:00:00Z")));
    assert_eq!(tally.source("platform").unwrap().unwrap().doubled, 1);
}

#[test]
fn a_batch_keeps_its_position_and_counts_what_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let tally = Tally::open(dir.path()).unwrap();
    let texts = [
        told("server.created", "2026-02-02T00:00:00Z", "s1", json!({})),
        told("server.created", "yesterday", "s2", json!({})),
        told("server.created", "1970-01-01T00:00:00Z", "s3", json!({})),
    ];
    let facts: Vec<Fact<'_>> = texts.iter().map(|text| Fact::read(text).unwrap()).collect();
    let mut batch = Batch {
        source: "platform",
        facts: &facts,
        unreadable: 4,
        position: Some("page 7"),
        complete: false,
        now: at("2026-02-03T00:00:00Z"),
    };
    let taken = tally.take_in(&batch).unwrap();
    assert_eq!((taken.new, taken.unreadable), (1, 6));
    batch.position = None;
    batch.facts = &[];
    tally.take_in(&batch).unwrap();
    let source = tally.source("platform").unwrap().unwrap();
    assert_eq!(source.position.as_deref(), Some("page 7"));
    assert!(!source.complete);
    assert_eq!(source.first, source.last);
}

#[test]
fn a_tally_that_is_damaged_is_put_aside_and_filled_anew() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("tally.db"),
        "no database at all, but long enough to be taken for one".repeat(99),
    )
    .unwrap();
    let tally = Tally::open(dir.path()).unwrap();
    assert!(dir.path().join("tally.db.aside").exists());
    let text = told("server.created", "2026-02-02T00:00:00Z", "s1", json!({}));
    assert_eq!(take(&tally, "platform", &[text]).unwrap().new, 1);
}

#[test]
fn two_programs_fill_one_tally_and_read_what_the_other_took() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (Tally::open(dir.path()).unwrap(), Tally::open(dir.path()).unwrap());
    let made = |server: &str, flavor: &str| {
        told(
            "server.created",
            "2026-02-02T00:00:00Z",
            server,
            json!({ "flavor": flavor, "owner_id": server }),
        )
    };
    take(&one, "a", &[made("s1", "f1")]).unwrap();
    take(&other, "b", &[made("s2", "f2")]).unwrap();
    take(&one, "a", &[made("s3", "f2")]).unwrap();
    one.settle(|| true).unwrap();
    take(&other, "b", &[made("s4", "f1")]).unwrap();
    other.settle(|| true).unwrap();
    let now = at("2026-02-02T01:00:00Z");
    for tally in [&one, &other] {
        let sums = tally.sums(&ask("2026-02-02", "2026-02-02"), now).unwrap();
        let flavors: Vec<_> = sums
            .flavors
            .iter()
            .map(|group| (group.key.as_str(), group.servers))
            .collect();
        assert_eq!((sums.servers, flavors), (4, vec![("f1", 2), ("f2", 2)]));
    }
}
