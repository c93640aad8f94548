//! Operations: recorded, sent, settled.

use super::*;

#[test]
fn a_create_walks_from_recorded_over_sent_to_settled() {
    let (_dir, ledger) = fresh();
    let asked = operation("server.create");
    ledger.record(&asked).unwrap();
    let recorded = ledger.operation(&asked.id).unwrap().unwrap();
    assert_eq!(recorded.stage, Stage::Recorded);
    assert_eq!(recorded.request, asked.request);
    assert_eq!(recorded.client_token, asked.client_token);
    assert_eq!(
        (recorded.server_id, recorded.sent_at, recorded.outcome),
        (None, None, None)
    );

    let sent_at = noon() + TimeDelta::milliseconds(400);
    ledger.mark_sent(&asked.id, Some("s1"), None, sent_at).unwrap();
    ledger
        .mark_sent(&asked.id, None, Some("j1"), sent_at + TimeDelta::seconds(1))
        .unwrap();
    ledger.set_detail(&asked.id, r#"{"progress":40}"#).unwrap();
    let sent = ledger.operation(&asked.id).unwrap().unwrap();
    assert_eq!((sent.stage, sent.sent_at), (Stage::Sent, Some(sent_at)));
    assert_eq!(
        (sent.server_id.as_deref(), sent.job_id.as_deref()),
        (Some("s1"), Some("j1"))
    );
    assert_eq!(sent.detail, r#"{"progress":40}"#);
    assert_eq!(ledger.unsettled().unwrap(), [sent]);

    let settled_at = noon() + TimeDelta::minutes(2);
    let events = ledger
        .settle(
            &asked.id,
            Outcome::Ok,
            None,
            settled_at,
            vec![event("server.created")],
        )
        .unwrap();
    assert_eq!(events[0].op_id.as_deref(), Some(asked.id.as_str()));
    let settled = ledger.operation(&asked.id).unwrap().unwrap();
    assert_eq!(
        (settled.stage, settled.outcome),
        (Stage::Settled, Some(Outcome::Ok))
    );
    assert_eq!(settled.settled_at, Some(settled_at));
    assert_eq!(ledger.unsettled().unwrap(), []);
}

#[test]
fn settling_twice_is_refused_and_writes_nothing() {
    let (_dir, ledger) = fresh();
    let asked = operation("server.delete");
    ledger.record(&asked).unwrap();
    ledger
        .settle(
            &asked.id,
            Outcome::Failed,
            Some(r#"{"code":"Ecs.0319"}"#),
            noon(),
            vec![event("server.deleted")],
        )
        .unwrap();
    let before = (ledger.operation(&asked.id).unwrap(), all_events(&ledger));

    let late = noon() + TimeDelta::hours(1);
    let error = ledger
        .settle(&asked.id, Outcome::Ok, None, late, vec![event("server.deleted")])
        .unwrap_err();
    assert!(
        matches!(&error, Error::AlreadySettled { id } if *id == asked.id),
        "{error}"
    );
    for error in [
        ledger.mark_sent(&asked.id, Some("s2"), None, late).unwrap_err(),
        ledger.set_detail(&asked.id, r#"{"late":true}"#).unwrap_err(),
    ] {
        assert!(matches!(error, Error::AlreadySettled { .. }), "{error}");
    }
    assert_eq!(
        (ledger.operation(&asked.id).unwrap(), all_events(&ledger)),
        before
    );
    assert_eq!(before.0.unwrap().error.as_deref(), Some(r#"{"code":"Ecs.0319"}"#));
}

#[test]
fn an_end_whose_events_cannot_be_written_is_not_written_either() {
    let (_dir, ledger) = fresh();
    let taken = event("server.seen");
    ledger.append(vec![taken.clone()]).unwrap();
    let asked = operation("server.create");
    ledger.record(&asked).unwrap();
    let before = (ledger.operation(&asked.id).unwrap(), all_events(&ledger));

    let refused = ledger.settle(
        &asked.id,
        Outcome::Ok,
        None,
        noon(),
        vec![event("server.created"), taken.clone()],
    );
    assert!(matches!(refused, Err(Error::Duplicate { what: "event", id }) if id == taken.event_id));
    assert_eq!(
        (ledger.operation(&asked.id).unwrap(), all_events(&ledger)),
        before
    );

    let rows = ledger
        .settle(
            &asked.id,
            Outcome::Ok,
            None,
            noon(),
            vec![event("server.created")],
        )
        .unwrap();
    assert_eq!(seqs(&rows), [2]);
}

#[test]
fn what_was_not_sent_yet_can_be_cancelled_and_the_first_wish_counts() {
    let (_dir, ledger) = fresh();
    let waiting = operation("server.stop");
    ledger.record(&waiting).unwrap();
    assert!(ledger.ask_cancel(&waiting.id, noon()).unwrap());
    assert!(
        ledger
            .ask_cancel(&waiting.id, noon() + TimeDelta::minutes(1))
            .unwrap()
    );
    let row = ledger.operation(&waiting.id).unwrap().unwrap();
    assert_eq!(row.cancel_asked_at, Some(noon()));

    let sent = operation("server.stop");
    ledger.record(&sent).unwrap();
    ledger.mark_sent(&sent.id, None, None, noon()).unwrap();
    assert!(!ledger.ask_cancel(&sent.id, noon()).unwrap());
    ledger
        .settle(&sent.id, Outcome::Ok, None, noon(), vec![])
        .unwrap();
    assert!(!ledger.ask_cancel(&sent.id, noon()).unwrap());
    let row = ledger.operation(&sent.id).unwrap().unwrap();
    assert_eq!(row.cancel_asked_at, None);
    assert!(matches!(
        ledger.ask_cancel("nobody", noon()),
        Err(Error::Missing { .. })
    ));
}

#[test]
fn an_operation_that_was_never_recorded_is_missing() {
    let (_dir, ledger) = fresh();
    for error in [
        ledger.mark_sent("nope", None, None, noon()).unwrap_err(),
        ledger.set_detail("nope", "{}").unwrap_err(),
        ledger
            .settle("nope", Outcome::Ok, None, noon(), vec![event("server.created")])
            .unwrap_err(),
        ledger.operations(10, Some("nope")).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "the ledger has no operation nope");
    }
    assert_eq!(ledger.operation("nope").unwrap(), None);
    assert_eq!(ledger.last_seq().unwrap(), 0);
}

#[test]
fn an_id_is_recorded_once() {
    let (_dir, ledger) = fresh();
    let first = operation("server.create");
    ledger.record(&first).unwrap();
    let second = NewOperation {
        kind: "server.delete".to_owned(),
        ..first.clone()
    };
    let error = ledger.record(&second).unwrap_err();
    assert!(matches!(error, Error::Duplicate { what: "operation", id } if id == first.id));
    assert_eq!(
        ledger.operation(&first.id).unwrap().unwrap().kind,
        "server.create"
    );
}

#[test]
fn pages_go_backwards_and_unsettled_ones_come_in_the_order_they_were_asked() {
    let (_dir, ledger) = fresh();
    let ids: Vec<String> = (0..5)
        .map(|_| {
            let asked = operation("server.stop");
            ledger.record(&asked).unwrap();
            asked.id
        })
        .collect();
    ledger
        .settle(&ids[1], Outcome::Cancelled, None, noon(), vec![])
        .unwrap();
    let page = |limit, before: Option<&String>| -> Vec<String> {
        let rows = ledger.operations(limit, before.map(String::as_str)).unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(page(2, None), [ids[4].clone(), ids[3].clone()]);
    assert_eq!(
        page(9, Some(&ids[3])),
        [ids[2].clone(), ids[1].clone(), ids[0].clone()]
    );
    let unsettled: Vec<String> = ledger
        .unsettled()
        .unwrap()
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(unsettled, [&ids[0], &ids[2], &ids[3], &ids[4]].map(Clone::clone));
}
