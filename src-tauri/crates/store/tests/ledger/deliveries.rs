//! Deliveries: how far events have come.

use super::*;

#[test]
fn a_cursor_goes_forward_only_and_each_target_has_its_own() {
    let (_dir, ledger) = fresh();
    ledger
        .append((0..5).map(|_| event("server.seen")).collect())
        .unwrap();
    assert_eq!(ledger.delivery("hei").unwrap(), store::Delivery::default());
    assert_eq!(ledger.waiting("hei").unwrap(), 5);

    assert_eq!(ledger.advance("hei", 3, noon()).unwrap().cursor, 3);
    let later = noon() + TimeDelta::seconds(5);
    let again = ledger.advance("hei", 2, later).unwrap();
    assert_eq!((again.cursor, again.delivered_at), (3, Some(later)));
    assert_eq!(ledger.waiting("hei").unwrap(), 2);
    assert_eq!(ledger.waiting("elsewhere").unwrap(), 5);
}

#[test]
fn a_cursor_cannot_pass_events_that_do_not_exist_yet() {
    let (_dir, ledger) = fresh();
    ledger.append(vec![event("server.seen")]).unwrap();
    let error = ledger.advance("hei", 2, noon()).unwrap_err();
    assert_eq!(error.to_string(), "the ledger has no event 2");
    assert_eq!(ledger.waiting("hei").unwrap(), 1);
}

#[test]
fn failures_are_counted_until_a_success_clears_them() {
    let (_dir, ledger) = fresh();
    ledger.append(vec![event("server.seen")]).unwrap();
    ledger.note_failure("hei", "connection refused", noon()).unwrap();
    let later = noon() + TimeDelta::minutes(1);
    let failed = ledger.note_failure("hei", &"长".repeat(5000), later).unwrap();
    assert_eq!(
        (failed.cursor, failed.failures, failed.failed_at),
        (0, 2, Some(later))
    );
    assert_eq!(failed.last_error.unwrap(), "长".repeat(1000));

    let cleared = ledger.advance("hei", 1, later).unwrap();
    assert_eq!(
        (cleared.last_error, cleared.failed_at, cleared.failures),
        (None, None, 0)
    );
}
