//! What a caller of the ledger can rely on, over real files.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;
use std::sync::Barrier;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;
use serde_json::{Value, json};
use store::{Account, Error, EventOutcome, EventRow, Ledger, NewEvent, NewOperation, Opened, Outcome, Stage};
use tempfile::TempDir;
use uuid::Uuid;

fn noon() -> DateTime<Utc> {
    "2025-11-03T12:00:00.250Z".parse().unwrap()
}

fn open(dir: &Path) -> Ledger {
    let Opened {
        ledger, set_aside, ..
    } = Ledger::open(dir, noon()).unwrap();
    assert_eq!(set_aside, None);
    ledger
}

fn fresh() -> (TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    (dir, ledger)
}

fn event(action: &str) -> NewEvent {
    let body =
        json!({ "schema": "wangcheng.event.v1", "owner": "李雷", "vcpus": 4, "price_per_hour": "1.26" });
    NewEvent {
        event_id: Uuid::now_v7().to_string(),
        time: noon(),
        action: action.to_owned(),
        outcome: EventOutcome::Ok,
        account: Some("account-1".to_owned()),
        op_id: None,
        server_id: Some("server-1".to_owned()),
        body: body.as_object().unwrap().clone(),
    }
}

fn operation(kind: &str) -> NewOperation {
    NewOperation {
        id: Uuid::now_v7().to_string(),
        kind: kind.to_owned(),
        account: "account-1".to_owned(),
        server_id: None,
        server_name: "lilei-build".to_owned(),
        client_token: Some(Uuid::new_v4().to_string()),
        request: r#"{"server":{"name":"lilei-build"}}"#.to_owned(),
        detail: "{}".to_owned(),
        recorded_at: noon(),
    }
}

fn account(id: &str, name: &str) -> Account {
    Account {
        id: id.to_owned(),
        name: name.to_owned(),
        region: "cn-north-4".to_owned(),
        project_id: "0605767b1c80d5f02f3bc01f5e5aaaaa".to_owned(),
        account_id: "0503dda87802345ddafed096d70a960c".to_owned(),
        account_name: "hw_lilei".to_owned(),
        user_id: "0503dda878000fed2f78c00909158a4d".to_owned(),
        user_name: "李雷".to_owned(),
        remember: true,
        created_at: noon(),
    }
}

fn all_events(ledger: &Ledger) -> Vec<EventRow> {
    ledger.events_after(0, u32::MAX, usize::MAX).unwrap()
}

fn seqs(rows: &[EventRow]) -> Vec<u64> {
    rows.iter().map(|row| row.seq).collect()
}

mod opening {
    use super::*;

    #[test]
    fn a_fresh_ledger_has_a_random_installation_id_that_stays() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path()).installation_id().to_owned();
        assert_eq!(Uuid::parse_str(&first).unwrap().get_version_num(), 4);
        assert_eq!(open(dir.path()).installation_id(), first);

        let (_other_dir, other) = fresh();
        assert_ne!(other.installation_id(), first);
    }

    #[test]
    fn missing_directories_are_made_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("望城/ledger");
        open(&deep);
        assert!(deep.join("ledger.db").is_file());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&deep).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_program_of_a_version_that_does_not_share_keeps_others_out() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()));
        let lock = fs::File::options()
            .write(true)
            .open(dir.path().join("ledger.lock"))
            .unwrap();
        lock.lock().unwrap();
        let error = Ledger::open(dir.path(), noon()).unwrap_err();
        assert!(
            matches!(&error, Error::InUse { dir: held } if held == dir.path()),
            "{error}"
        );
        assert!(error.to_string().contains("in use by another program"));
        lock.unlock().unwrap();
        open(dir.path());
    }

    #[test]
    fn everything_is_there_after_reopening() {
        let (dir, ledger) = fresh();
        ledger.set_setting("language", "zh-CN").unwrap();
        ledger.upsert_account(&account("a1", "北京")).unwrap();
        let asked = operation("server.create");
        ledger.record(&asked).unwrap();
        ledger
            .mark_sent(&asked.id, Some("s1"), Some("j1"), noon())
            .unwrap();
        let events = ledger
            .append(vec![event("server.seen"), event("session.opened")])
            .unwrap();
        let delivery = ledger.advance("hei", 1, noon()).unwrap();
        let servers = vec![("s1".to_owned(), "{}".to_owned())];
        ledger.put_servers("a1", &servers, noon()).unwrap();
        let operation = ledger.operation(&asked.id).unwrap();
        drop(ledger);

        let ledger = open(dir.path());
        assert_eq!(ledger.setting("language").unwrap().as_deref(), Some("zh-CN"));
        assert_eq!(ledger.accounts().unwrap(), [account("a1", "北京")]);
        assert_eq!(ledger.operation(&asked.id).unwrap(), operation);
        assert_eq!(all_events(&ledger), events);
        assert_eq!(ledger.delivery("hei").unwrap(), delivery);
        assert_eq!(ledger.servers("a1").unwrap(), (servers, Some(noon())));
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_a_fresh_ledger_begun() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = open(dir.path());
        ledger
            .append((0..2000).map(|_| event("server.seen")).collect())
            .unwrap();
        let old_id = ledger.installation_id().to_owned();
        drop(ledger);
        let file = dir.path().join("ledger.db");
        let mut bytes = fs::read(&file).unwrap();
        // Whole pages in the middle, behind a header that still looks right.
        let middle = bytes.len() / 2;
        bytes[middle..middle + 16_384].fill(0xA5);
        fs::write(&file, &bytes).unwrap();

        let Opened {
            ledger, set_aside, ..
        } = Ledger::open(dir.path(), noon()).unwrap();
        let aside = dir.path().join("ledger.damaged-20251103T120000Z.db");
        assert_eq!(set_aside.as_deref(), Some(aside.as_path()));
        assert_eq!(
            fs::read(&aside).unwrap(),
            bytes,
            "what is left of the old file is kept as it was"
        );
        assert_eq!(ledger.last_seq().unwrap(), 0);
        assert_ne!(
            ledger.installation_id(),
            old_id,
            "numbers begin again, so under another installation"
        );
        ledger.append(vec![event("server.seen")]).unwrap();
        drop(ledger);
        assert_eq!(open(dir.path()).last_seq().unwrap(), 1);
    }

    #[test]
    fn a_file_that_is_no_database_is_set_aside_under_a_name_of_its_own_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut names = Vec::new();
        for text in [
            "not a database, but long enough to be looked at as if it were one. ".repeat(40),
            "a few bytes".into(),
        ] {
            fs::write(dir.path().join("ledger.db"), &text).unwrap();
            let opened = Ledger::open(dir.path(), noon()).unwrap();
            let aside = opened.set_aside.unwrap();
            assert_eq!(fs::read_to_string(&aside).unwrap(), text);
            names.push(aside.file_name().unwrap().to_owned());
        }
        assert_eq!(
            names,
            [
                "ledger.damaged-20251103T120000Z.db",
                "ledger.damaged-20251103T120000Z-2.db"
            ]
        );
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()));
        let file = dir.path().join("ledger.db");
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "user_version", 900).unwrap();
        connection.close().unwrap();
        let before = fs::read(&file).unwrap();

        let error = Ledger::open(dir.path(), noon()).unwrap_err();
        assert!(
            matches!(error, Error::NewerSchema { found: 900, known: 3 }),
            "{error}"
        );
        assert_eq!(
            error.to_string(),
            "the ledger has schema version 900, and this program knows versions up to 3"
        );
        assert_eq!(fs::read(&file).unwrap(), before);
        assert!(
            !fs::read_dir(dir.path())
                .unwrap()
                .any(|entry| { entry.unwrap().file_name().to_string_lossy().contains("damaged") })
        );
    }

    #[test]
    fn a_file_of_version_0_is_brought_forward() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ledger.db");
        let connection = Connection::open(&file).unwrap();
        // A real, empty database: it has a header, unlike a file of no bytes.
        connection
            .execute_batch("CREATE TABLE t (x); DROP TABLE t;")
            .unwrap();
        connection.close().unwrap();
        assert!(fs::metadata(&file).unwrap().len() > 0);

        let ledger = open(dir.path());
        ledger.append(vec![event("server.seen")]).unwrap();
        drop(ledger);
        let version: i64 = Connection::open(&file)
            .unwrap()
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 3);
    }
}

mod events {
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
}

mod operations {
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
}

mod deliveries {
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
}

mod accounts_and_caches {
    use super::*;

    #[test]
    fn settings_are_set_replaced_and_removed() {
        let (_dir, ledger) = fresh();
        assert_eq!(ledger.setting("theme").unwrap(), None);
        ledger.set_setting("theme", "dark").unwrap();
        ledger.set_setting("theme", "light").unwrap();
        assert_eq!(ledger.setting("theme").unwrap().as_deref(), Some("light"));
        ledger.remove_setting("theme").unwrap();
        ledger.remove_setting("theme").unwrap();
        assert_eq!(ledger.setting("theme").unwrap(), None);
    }

    #[test]
    fn an_account_keeps_its_first_day_and_takes_every_other_change() {
        let (_dir, ledger) = fresh();
        ledger.upsert_account(&account("a1", "北京")).unwrap();
        let renamed = Account {
            name: "北京四".to_owned(),
            remember: false,
            created_at: noon() + TimeDelta::days(9),
            ..account("a1", "北京")
        };
        ledger.upsert_account(&renamed).unwrap();
        let expected = Account {
            created_at: noon(),
            ..renamed
        };
        assert_eq!(ledger.account("a1").unwrap(), Some(expected.clone()));
        assert_eq!(ledger.accounts().unwrap(), [expected]);
        assert_eq!(ledger.account("a2").unwrap(), None);
    }

    #[test]
    fn a_list_of_servers_is_replaced_whole_and_says_how_old_it_is() {
        let (_dir, ledger) = fresh();
        let row = |id: &str| (id.to_owned(), json!({ "id": id }).to_string());
        assert_eq!(ledger.servers("a1").unwrap(), (vec![], None));
        ledger.put_servers("a1", &[row("s2"), row("s1")], noon()).unwrap();
        ledger.put_servers("a2", &[row("s9")], noon()).unwrap();
        assert_eq!(
            ledger.servers("a1").unwrap(),
            (vec![row("s2"), row("s1")], Some(noon()))
        );

        let later = noon() + TimeDelta::minutes(1);
        ledger.put_servers("a1", &[], later).unwrap();
        assert_eq!(ledger.servers("a1").unwrap(), (vec![], Some(later)));
        assert_eq!(ledger.servers("a2").unwrap(), (vec![row("s9")], Some(noon())));
    }

    #[test]
    fn removing_an_account_forgets_its_servers_and_keeps_what_was_done() {
        let (_dir, ledger) = fresh();
        ledger.upsert_account(&account("account-1", "北京")).unwrap();
        ledger
            .put_servers("account-1", &[("s1".to_owned(), "{}".to_owned())], noon())
            .unwrap();
        ledger.record(&operation("server.create")).unwrap();
        ledger.append(vec![event("server.seen")]).unwrap();
        ledger.remove_account("account-1").unwrap();
        ledger.remove_account("account-1").unwrap();
        assert_eq!(ledger.accounts().unwrap(), []);
        assert_eq!(ledger.servers("account-1").unwrap(), (vec![], None));
        assert_eq!(ledger.unsettled().unwrap().len(), 1);
        assert_eq!(ledger.last_seq().unwrap(), 1);
    }
}

mod any_history {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Act {
        Append(usize),
        AppendWithTakenId(usize),
        Settle { events: usize, twice: bool },
        Reopen,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0_usize..4).prop_map(Act::Append),
            1 => (0_usize..3).prop_map(Act::AppendWithTakenId),
            4 => (0_usize..4, any::<bool>()).prop_map(|(events, twice)| Act::Settle { events, twice }),
            1 => Just(Act::Reopen),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_run_from_one_without_gaps_and_say_so_in_the_text(acts in prop::collection::vec(act(), 0..25)) {
            let dir = tempfile::tempdir().unwrap();
            let mut ledger = open(dir.path());
            let mut expected: Vec<String> = Vec::new();
            let some = |count| (0..count).map(|_| event("server.seen")).collect::<Vec<_>>();
            for act in acts {
                match act {
                    Act::Append(count) => {
                        let events = some(count);
                        expected.extend(events.iter().map(|event| event.event_id.clone()));
                        ledger.append(events).unwrap();
                    }
                    Act::AppendWithTakenId(count) => {
                        let Some(taken) = expected.first().cloned() else { continue };
                        let mut events = some(count);
                        events.push(NewEvent { event_id: taken, ..event("server.seen") });
                        prop_assert!(ledger.append(events).is_err());
                    }
                    Act::Settle { events: count, twice } => {
                        let asked = operation("server.stop");
                        ledger.record(&asked).unwrap();
                        let events = some(count);
                        expected.extend(events.iter().map(|event| event.event_id.clone()));
                        ledger.settle(&asked.id, Outcome::Ok, None, noon(), events).unwrap();
                        if twice {
                            prop_assert!(ledger.settle(&asked.id, Outcome::Ok, None, noon(), some(1)).is_err());
                        }
                    }
                    Act::Reopen => {
                        drop(ledger);
                        ledger = open(dir.path());
                    }
                }
            }
            let rows = all_events(&ledger);
            prop_assert_eq!(ledger.last_seq().unwrap(), expected.len() as u64);
            prop_assert_eq!(seqs(&rows), (1..=expected.len() as u64).collect::<Vec<_>>());
            prop_assert_eq!(rows.iter().map(|row| row.event_id.clone()).collect::<Vec<_>>(), expected);
            for row in rows {
                let text: Value = serde_json::from_str(&row.json).unwrap();
                prop_assert_eq!(&text["seq"], &json!(row.seq));
                prop_assert_eq!(&text["event_id"], &json!(row.event_id));
            }
        }
    }
}
