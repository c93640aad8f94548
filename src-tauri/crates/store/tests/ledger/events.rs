//! Events: their numbers, and what is read of them.

use super::*;

#[test]
fn the_stored_text_is_the_callers_body_and_what_the_ledger_answers_for() {
    let (_dir, ledger) = fresh();
    let mut new = event("server.created");
    new.op_id = Some("op-1".to_owned());
    new.body.insert("seq".to_owned(), json!(77));
    new.body
        .insert("installation_id".to_owned(), json!("somebody else"));
    let rows = ledger.append(vec![new.clone()]).unwrap();
    let delivered: Value = serde_json::from_str(&rows[0].json).unwrap();
    assert_eq!(
        delivered,
        json!({
            "schema": "wangcheng.event.v1", "owner": "李雷", "vcpus": 4, "price_per_hour": "1.26",
            "event_id": new.event_id, "time": "2025-11-03T12:00:00.250Z", "action": "server.created",
            "outcome": "ok", "op_id": "op-1", "server_id": "server-1",
            "seq": 1, "installation_id": ledger.installation_id(),
        })
    );
    assert_eq!(all_events(&ledger), rows);
}

#[test]
fn absent_ids_are_absent_keys() {
    let (_dir, ledger) = fresh();
    let mut new = event("install.heartbeat");
    new.server_id = None;
    let rows = ledger.append(vec![new]).unwrap();
    let delivered: Value = serde_json::from_str(&rows[0].json).unwrap();
    assert!(delivered.get("op_id").is_none() && delivered.get("server_id").is_none());
}

#[test]
fn numbers_have_no_gaps_when_many_threads_append_and_some_fail() {
    let (_dir, ledger) = fresh();
    let (threads, rounds) = (8, 25);
    let barrier = Barrier::new(threads);
    let mut seen: Vec<u64> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let mut mine = Vec::new();
                    for round in 0..rounds {
                        let twice = event("server.stopped");
                        let refused = ledger.append(vec![event("server.seen"), twice.clone(), twice]);
                        assert!(matches!(refused, Err(Error::Duplicate { what: "event", .. })));
                        let batch = (0..=round % 3).map(|_| event("server.started")).collect();
                        mine.extend(seqs(&ledger.append(batch).unwrap()));
                    }
                    mine
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    seen.sort_unstable();
    let last = ledger.last_seq().unwrap();
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
    assert_eq!(seqs(&all_events(&ledger)), seen);
}

#[test]
fn nobody_can_change_remove_replace_or_renumber_an_event() {
    let (dir, ledger) = fresh();
    let rows = ledger
        .append(vec![event("server.seen"), event("server.started")])
        .unwrap();
    drop(ledger);
    let connection = Connection::open(dir.path().join("ledger.db")).unwrap();
    for (statement, reason) in [
        (
            "UPDATE events SET json = '{}' WHERE seq = 1",
            "events never change",
        ),
        ("DELETE FROM events WHERE seq = 2", "events are never deleted"),
        ("DELETE FROM events", "events are never deleted"),
        (
            "INSERT INTO events (seq, event_id, time, action, outcome, json) VALUES (4, 'x', '', '', '', '')",
            "events are numbered without gaps",
        ),
        (
            "REPLACE INTO events (seq, event_id, time, action, outcome, json) VALUES (1, 'x', '', '', '', '')",
            "events are numbered without gaps",
        ),
    ] {
        let error = connection.execute(statement, []).unwrap_err();
        assert!(error.to_string().contains(reason), "{statement}: {error}");
    }
    connection.close().unwrap();
    assert_eq!(all_events(&open(dir.path())), rows);
}

#[test]
fn pages_go_backwards_from_the_newest() {
    let (_dir, ledger) = fresh();
    ledger
        .append((0..5).map(|_| event("server.seen")).collect())
        .unwrap();
    assert_eq!(seqs(&ledger.events(None, 2).unwrap()), [5, 4]);
    assert_eq!(seqs(&ledger.events(Some(4), 2).unwrap()), [3, 2]);
    assert_eq!(seqs(&ledger.events(Some(2), 2).unwrap()), [1]);
    assert_eq!(seqs(&ledger.events(Some(1), 2).unwrap()), [0; 0]);
}

#[test]
fn a_batch_to_deliver_fits_both_limits_and_is_never_empty_while_events_wait() {
    let (_dir, ledger) = fresh();
    let rows = ledger
        .append((0..6).map(|_| event("server.seen")).collect())
        .unwrap();
    let one = rows[0].json.len();
    assert_eq!(seqs(&ledger.events_after(1, 3, usize::MAX).unwrap()), [2, 3, 4]);
    assert_eq!(seqs(&ledger.events_after(0, 6, 2 * one).unwrap()), [1, 2]);
    assert_eq!(seqs(&ledger.events_after(0, 6, 2 * one - 1).unwrap()), [1]);
    assert_eq!(seqs(&ledger.events_after(0, 6, 1).unwrap()), [1]);
    assert_eq!(seqs(&ledger.events_after(6, 6, usize::MAX).unwrap()), [0; 0]);
    assert_eq!(
        seqs(&ledger.events_after(u64::MAX, 6, usize::MAX).unwrap()),
        [0; 0]
    );
}

#[test]
fn the_last_session_of_a_server_is_the_newest_that_went_well() {
    let (_dir, ledger) = fresh();
    assert!(ledger.last_sessions().unwrap().is_empty());
    let at = |action: &str, server: &str, hours: i64, outcome| NewEvent {
        server_id: Some(server.to_owned()),
        time: noon() + chrono::TimeDelta::hours(hours),
        outcome,
        ..event(action)
    };
    ledger
        .append(vec![
            at("session.opened", "a", 1, EventOutcome::Ok),
            at("session.closed", "a", 3, EventOutcome::Ok),
            at("session.opened", "a", 5, EventOutcome::Failed),
            at("server.started", "b", 7, EventOutcome::Ok),
            at("session.opened", "c", 2, EventOutcome::Ok),
        ])
        .unwrap();
    let last: Vec<_> = ledger.last_sessions().unwrap().into_iter().collect();
    let hours = |hours: i64| noon() + chrono::TimeDelta::hours(hours);
    assert_eq!(last, [("a".to_owned(), hours(3)), ("c".to_owned(), hours(2))]);
}
