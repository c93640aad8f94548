//! What a caller of the ledger can rely on, over real files.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod deliveries;
mod events;
mod opening;
mod operations;

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
