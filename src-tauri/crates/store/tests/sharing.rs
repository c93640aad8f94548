//! Several programs at one ledger. The other programs are this test program started anew, so they are real ones.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{event, noon, open};
use serde_json::{Value, json};
use store::{Error, Ledger};

const DIR: &str = "STORE_TEST_DIR";
const PART: &str = "STORE_TEST_PART";

/// Starts this program as another one that plays `part` on the ledger in `dir`, and waits until it is at work.
fn other_program(dir: &Path, part: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["the_other_program", "--exact", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .env(PART, part)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("at work") {
        line.clear();
        assert_ne!(
            said.read_line(&mut line).unwrap(),
            0,
            "the other program ended early"
        );
    }
    // What else it says has somewhere to go.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    child
}

#[test]
#[ignore = "the part of the other program; started by the tests here"]
fn the_other_program() {
    let dir = std::env::var(DIR).unwrap();
    let part = std::env::var(PART).unwrap();
    let ledger = open(Path::new(&dir));
    match part.as_str() {
        "leads" => {
            let _lead = ledger.lead().unwrap().unwrap();
            let _claim = ledger.claim("operation-1").unwrap().unwrap();
            println!("\nat work");
            loop {
                ledger
                    .append(vec![event("server.seen"), event("server.started")])
                    .unwrap();
            }
        }
        "waits" => {
            println!("\nat work");
            std::thread::sleep(std::time::Duration::from_secs(600));
        }
        writer => {
            println!("\nat work");
            write(&ledger, writer);
        }
    }
}

/// Appends 150 times, one to three events at once, and now and then something that is refused.
fn write(ledger: &Ledger, writer: &str) {
    for round in 0..150 {
        let mut events: Vec<_> = (0..=round % 3).map(|_| event("session.opened")).collect();
        for (nth, event) in events.iter_mut().enumerate() {
            event
                .body
                .insert("purpose".to_owned(), json!(format!("{writer}/{round}/{nth}")));
        }
        ledger.append(events).unwrap();
        if round % 10 == 0 {
            let twice = event("session.opened");
            let refused = ledger.append(vec![twice.clone(), twice]);
            assert!(matches!(refused, Err(Error::Duplicate { .. })));
        }
    }
}

#[test]
fn events_of_three_programs_are_numbered_without_gaps_each_in_its_own_order() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let others = ["b", "c"].map(|writer| other_program(dir.path(), writer));
    write(&ledger, "a");
    for mut other in others {
        assert!(other.wait().unwrap().success());
    }

    let rows = ledger.events_after(0, u32::MAX, usize::MAX).unwrap();
    let seqs: Vec<u64> = rows.iter().map(|row| row.seq).collect();
    assert_eq!(
        seqs,
        (1..=900).collect::<Vec<_>>(),
        "three times 300, every number once"
    );
    for writer in ["a", "b", "c"] {
        let mine: Vec<String> = rows
            .iter()
            .filter_map(|row| {
                let text: Value = serde_json::from_str(&row.json).unwrap();
                let purpose = text["purpose"].as_str().unwrap().to_owned();
                purpose.starts_with(writer).then_some(purpose)
            })
            .collect();
        let expected: Vec<String> = (0..150)
            .flat_map(|round| (0..=round % 3).map(move |nth| format!("{writer}/{round}/{nth}")))
            .collect();
        assert_eq!(mine, expected, "nothing lost, nothing doubled, in order");
    }
}

#[test]
fn what_a_killed_program_held_is_free_and_what_it_wrote_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let mut other = other_program(dir.path(), "leads");
    assert!(ledger.lead().unwrap().is_none(), "the other program delivers");
    assert!(
        ledger.claim("operation-1").unwrap().is_none(),
        "the other program carries it out"
    );
    assert!(
        ledger.claim("operation-2").unwrap().is_some(),
        "another operation is free"
    );
    // Killed while it writes.
    let began = std::time::Instant::now();
    while ledger.events_after(0, 1, usize::MAX).unwrap().is_empty() {
        assert!(began.elapsed() < std::time::Duration::from_secs(60));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    other.kill().unwrap();
    other.wait().unwrap();

    assert!(ledger.lead().unwrap().is_some());
    let claim = ledger.claim("operation-1").unwrap();
    assert!(claim.is_some());
    let rows = ledger.events_after(0, u32::MAX, usize::MAX).unwrap();
    assert!(!rows.is_empty());
    assert_eq!(rows.len() % 2, 0, "each pair whole or not at all");
    let last = rows.last().unwrap().seq;
    assert_eq!(last, rows.len() as u64);
    assert_eq!(
        ledger.append(vec![event("server.seen")]).unwrap()[0].seq,
        last + 1
    );
}

#[test]
fn only_one_holder_leads_and_only_one_runner_has_an_operation() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    let lead = one.lead().unwrap();
    assert!(lead.is_some() && two.lead().unwrap().is_none());
    assert!(one.lead().unwrap().is_none(), "also within one program");
    drop(lead);
    assert!(two.lead().unwrap().is_some());

    let claim = one.claim("op").unwrap().unwrap();
    assert!(two.claim("op").unwrap().is_none());
    claim.done();
    assert!(two.claim("op").unwrap().is_some());
    assert_eq!(std::fs::read_dir(dir.path().join("claims")).unwrap().count(), 1);
    for odd in ["", "../op", "a/b", "c:d"] {
        assert!(
            two.claim(odd).is_err(),
            "{odd:?} is no id and must not become a path"
        );
    }
}

#[test]
fn what_another_program_writes_is_noticed_and_what_one_writes_oneself_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (window, terminal) = (open(dir.path()), open(dir.path()));
    window.changed_elsewhere().unwrap();
    assert!(!window.changed_elsewhere().unwrap());
    window.append(vec![event("server.seen")]).unwrap();
    assert!(!window.changed_elsewhere().unwrap(), "its own");
    terminal.set_setting("language", "en").unwrap();
    assert!(window.changed_elsewhere().unwrap());
    assert!(!window.changed_elsewhere().unwrap(), "said once");
    assert!(terminal.changed_elsewhere().unwrap());
}

#[test]
fn what_is_written_once_a_day_is_written_once_by_two_programs() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    let beat = |ledger: &Ledger, day| {
        ledger
            .append_once("day", day, event("install.heartbeat"))
            .unwrap()
    };
    assert_eq!(beat(&one, "2025-11-03").unwrap().seq, 1);
    assert_eq!(beat(&two, "2025-11-03"), None);
    assert_eq!(beat(&one, "2025-11-03"), None);
    assert_eq!(beat(&two, "2025-11-04").unwrap().seq, 2);
}

#[test]
fn a_file_under_another_program_is_neither_brought_forward_nor_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let mut other = other_program(dir.path(), "waits");
    let file = dir.path().join("ledger.db");
    rusqlite::Connection::open(&file)
        .unwrap()
        .pragma_update(None, "user_version", 1)
        .unwrap();
    let refused = Ledger::open(dir.path(), noon());
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
    assert!(file.exists());
    other.kill().unwrap();
    other.wait().unwrap();
}
