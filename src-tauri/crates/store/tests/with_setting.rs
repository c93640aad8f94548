//! Events and the setting that they were worked out from are written together, or not at all.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::DateTime;
use store::{EventOutcome, Ledger, NewEvent};

fn event(id: &str) -> NewEvent {
    NewEvent {
        event_id: id.to_owned(),
        time: DateTime::UNIX_EPOCH,
        action: "server.stopped".to_owned(),
        outcome: EventOutcome::Ok,
        account: None,
        op_id: None,
        server_id: None,
        body: serde_json::Map::new(),
    }
}

#[test]
fn what_was_worked_out_from_something_old_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path(), DateTime::UNIX_EPOCH).unwrap().ledger;
    let write = |before: Option<&str>, after: &str, seq: u64, id: &str| {
        ledger.append_with_setting("watch", before, after, seq, vec![event(id)])
    };
    assert_eq!(write(None, "one", 0, "first").unwrap().unwrap().len(), 1);
    assert!(
        write(None, "two", 1, "second").unwrap().is_none(),
        "another setting is there by now"
    );
    assert!(
        write(Some("one"), "two", 0, "second").unwrap().is_none(),
        "another event came in between"
    );
    assert!(
        write(Some("one"), "two", 1, "first").is_err(),
        "the same event twice"
    );
    assert_eq!(ledger.last_seq().unwrap(), 1);
    assert_eq!(
        ledger.setting("watch").unwrap().as_deref(),
        Some("one"),
        "nothing of the three was written"
    );
    assert!(write(Some("one"), "two", 1, "second").unwrap().is_some());
    assert_eq!(ledger.setting("watch").unwrap().as_deref(), Some("two"));
}
