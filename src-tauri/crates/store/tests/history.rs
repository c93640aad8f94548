//! Files of earlier versions, damaged files, and logs torn in the middle of a write.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

mod common;

use std::fs;
use std::path::Path;

use common::{event, noon, open};
use rusqlite::Connection;
use serde_json::{Value, json};
use store::{Ledger, Queue, Stage};

fn rescued(ledger: &Ledger) -> Vec<Value> {
    let parcels = ledger
        .parcels("hei", Queue::Rescued, None, u32::MAX, usize::MAX)
        .unwrap();
    parcels
        .iter()
        .map(|parcel| serde_json::from_str(&parcel.json).unwrap())
        .collect()
}

#[test]
fn a_file_of_version_1_keeps_everything_and_its_usage_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let connection = Connection::open(dir.path().join("ledger.db")).unwrap();
    connection
        .execute_batch(include_str!("fixtures/version-1.sql"))
        .unwrap();
    connection.close().unwrap();

    let ledger = open(dir.path());
    assert_eq!(ledger.installation_id(), "0b4b1f0e-3f0c-4f57-9d3e-0d6e0d1d7a01");
    assert_eq!(ledger.last_seq().unwrap(), 2);
    assert!(
        ledger
            .setting("delivery")
            .unwrap()
            .unwrap()
            .contains("hei.example.test")
    );
    assert_eq!(ledger.accounts().unwrap()[0].user_name, "李雷");
    let unsettled = ledger.unsettled().unwrap();
    assert_eq!((unsettled.len(), unsettled[0].stage), (1, Stage::Sent));
    assert_eq!(ledger.delivery("hei").unwrap().cursor, 1);
    assert_eq!(ledger.servers("account-1").unwrap().0.len(), 1);
    let waiting = ledger
        .parcels("hei", Queue::Events, None, 10, usize::MAX)
        .unwrap();
    assert_eq!(
        waiting.iter().map(|parcel| parcel.number).collect::<Vec<_>>(),
        [2]
    );

    let day = "2025-11-03".parse().unwrap();
    let usage = ledger.usage(day, day, noon()).unwrap();
    assert_eq!(
        usage.len(),
        1,
        "what happened before the table was there is in it"
    );
    assert_eq!(usage[0].hours.to_string(), "2");
    assert_eq!(
        (
            usage[0].cost.to_string().as_str(),
            usage[0].disk_gb_hours.to_string().as_str()
        ),
        ("1", "80")
    );
    assert_eq!(ledger.append(vec![event("server.seen")]).unwrap()[0].seq, 3);
    assert_eq!(version(dir.path()), 3);
}

fn version(dir: &Path) -> i64 {
    let connection = Connection::open(dir.join("ledger.db")).unwrap();
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_file_of_version_2_keeps_what_it_counted_refused_and_saved() {
    let dir = tempfile::tempdir().unwrap();
    let connection = Connection::open(dir.path().join("ledger.db")).unwrap();
    for fixture in [
        include_str!("fixtures/version-1.sql"),
        include_str!("fixtures/version-2.sql"),
    ] {
        connection.execute_batch(fixture).unwrap();
    }
    connection.close().unwrap();

    let ledger = open(dir.path());
    assert_eq!(version(dir.path()), 3);
    assert_eq!(ledger.quarantined("hei", 10).unwrap()[0].number, 1);
    assert_eq!(rescued(&ledger).len(), 1);
    let day = "2025-11-03".parse().unwrap();
    assert_eq!(ledger.usage(day, day, noon()).unwrap()[0].hours.to_string(), "2");
    let unsettled = ledger.unsettled().unwrap();
    assert_eq!((unsettled.len(), unsettled[0].cancel_asked_at), (1, None));
}

/// A closed ledger of 2,000 events of which 500 were delivered; its installation id.
fn old(dir: &Path) -> String {
    let ledger = open(dir);
    ledger
        .append((0..2000).map(|_| event("server.seen")).collect())
        .unwrap();
    ledger.advance("hei", 500, noon()).unwrap();
    ledger.installation_id().to_owned()
}

#[test]
fn unsent_events_are_rescued_from_behind_a_broken_page_and_delivered_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let old_id = old(dir.path());
    let file = dir.path().join("ledger.db");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(&file, &bytes).unwrap();

    let opened = Ledger::open(dir.path(), noon()).unwrap();
    let aside = opened.set_aside.unwrap();
    assert_eq!(
        fs::read(&aside).unwrap(),
        bytes,
        "what is left of the old file is kept as it was"
    );
    let ledger = opened.ledger;
    let events = rescued(&ledger);
    assert_eq!(events.len() as u64, opened.rescued);
    let seqs: Vec<u64> = events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert!(
        seqs.is_sorted() && seqs[0] == 501 && *seqs.last().unwrap() == 2000,
        "from the cursor to the end"
    );
    assert!(
        seqs.len() >= 1480,
        "one page holds about ten events: {}",
        seqs.len()
    );
    assert!(
        events
            .iter()
            .all(|event| event["installation_id"] == old_id.as_str())
    );
    assert_eq!(
        ledger.last_seq().unwrap(),
        0,
        "the fresh ledger counts for itself"
    );
    assert!(
        !fs::read_dir(dir.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().contains(".copy") }),
        "the copy that was read is gone"
    );

    // Delivered in order, refused ones set apart, and still there after the next start.
    assert_eq!(ledger.waiting_beside("hei").unwrap(), opened.rescued);
    ledger
        .accepted("hei", Queue::Rescued, &[1, 2, 3], noon())
        .unwrap();
    ledger
        .refused("hei", Queue::Rescued, 4, "HTTP 400", noon())
        .unwrap();
    drop(ledger);
    let ledger = open(dir.path());
    assert_eq!(ledger.waiting_beside("hei").unwrap(), opened.rescued - 4);
    assert_eq!(rescued(&ledger)[0], events[4]);
    assert_eq!(ledger.quarantined("hei", 10).unwrap()[0].queue, Queue::Rescued);
    ledger.send_again("hei", None).unwrap();
    assert_eq!(rescued(&ledger)[0], events[3]);
}

#[test]
fn a_file_damaged_at_any_page_gives_a_usable_ledger_and_only_whole_events() {
    let dir = tempfile::tempdir().unwrap();
    old(dir.path());
    let sound = fs::read(dir.path().join("ledger.db")).unwrap();
    let pages = sound.len() / 4096;
    for page in (0..pages).step_by(pages / 24) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = sound.clone();
        bytes[page * 4096..][..4096].fill(0xA5);
        fs::write(dir.path().join("ledger.db"), &bytes).unwrap();
        let opened = Ledger::open(dir.path(), noon()).unwrap();
        for event in rescued(&opened.ledger) {
            assert_eq!(event["action"], "server.seen", "page {page}: never half an event");
        }
        opened.ledger.append(vec![event("server.seen")]).unwrap();
    }
}

/// A ledger whose last commits stand in the log only, as after a crash: its two files, and how many events each
/// length of the log holds.
fn crashed() -> (Vec<u8>, Vec<u8>, Vec<usize>) {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let ledger = open(dir.path());
    let (file, log) = (dir.path().join("ledger.db"), dir.path().join("ledger.db-wal"));
    let mut ends = Vec::new();
    for _ in 0..6 {
        ledger
            .append(vec![event("server.seen"), event("server.started")])
            .unwrap();
        ends.push(usize::try_from(fs::metadata(&log).unwrap().len()).unwrap());
    }
    (fs::read(&file).unwrap(), fs::read(&log).unwrap(), ends)
}

/// Opens what a crash left, and says how many events there are; they must be whole pairs from the first on.
fn after(file: &[u8], log: &[u8], what: &str) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ledger.db"), file).unwrap();
    fs::write(dir.path().join("ledger.db-wal"), log).unwrap();
    let opened = Ledger::open(dir.path(), noon()).unwrap();
    assert_eq!(opened.set_aside, None, "{what}: a torn log is no damage");
    let rows = opened.ledger.events_after(0, u32::MAX, usize::MAX).unwrap();
    let seqs: Vec<u64> = rows.iter().map(|row| row.seq).collect();
    assert_eq!(seqs, (1..=rows.len() as u64).collect::<Vec<_>>(), "{what}");
    assert_eq!(rows.len() % 2, 0, "{what}: a pair was written at once");
    for row in &rows {
        let text: Value = serde_json::from_str(&row.json).unwrap();
        assert_eq!(text["seq"], json!(row.seq));
    }
    let next = opened.ledger.append(vec![event("server.stopped")]).unwrap()[0].seq;
    assert_eq!(next, rows.len() as u64 + 1, "{what}: it goes on without a gap");
    rows.len() as u64
}

#[test]
fn a_log_torn_anywhere_loses_whole_commits_from_its_end_and_nothing_before() {
    let (file, log, ends) = crashed();
    let complete = |length: usize| 2 * ends.iter().filter(|end| **end <= length).count() as u64;
    // A frame is a head of 24 bytes and a page; the log's own head has 32.
    let frames: Vec<usize> = (0..)
        .map(|n| 32 + n * (24 + 4096))
        .take_while(|at| *at <= log.len())
        .collect();
    assert!(frames.len() > 12, "{} frames are a sample", frames.len());
    for at in frames {
        for cut in [at.saturating_sub(1), at, at + 1, at + 24, at + 2000] {
            let cut = cut.min(log.len());
            let kept = after(&file, &log[..cut], &format!("cut at {cut}"));
            assert_eq!(kept, complete(cut), "cut at {cut} of {}", log.len());
        }
    }
}

#[test]
fn a_log_garbled_anywhere_ends_before_the_garbled_commit() {
    let (file, log, ends) = crashed();
    for at in (32..log.len()).step_by(2060) {
        let mut garbled = log.clone();
        for byte in &mut garbled[at..(at + 16).min(log.len())] {
            *byte ^= 0x5A;
        }
        let kept = after(&file, &garbled, &format!("garbled at {at}"));
        let before = 2 * ends.iter().filter(|end| **end <= at).count() as u64;
        assert_eq!(kept, before, "garbled at {at}");
    }
}

#[test]
fn a_full_file_system_refuses_the_record_and_recovers_when_there_is_room() {
    // A real one of 1 MiB where this may be mounted; the refusal itself is also proven beside `ledger.rs`.
    let dir = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(dir.path())
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        eprintln!("not allowed to mount a small file system here");
        return;
    }
    let result = std::panic::catch_unwind(|| fill(dir.path()));
    let unmounted = std::process::Command::new("umount").arg(dir.path()).status();
    assert!(unmounted.unwrap().success());
    result.unwrap();
}

fn fill(dir: &Path) {
    let ledger = open(dir);
    let ballast = dir.join("ballast");
    fs::write(&ballast, vec![0_u8; 200_000]).unwrap();
    let mut kept = 0;
    let refused = loop {
        match ledger.append((0..50).map(|_| event("server.seen")).collect()) {
            Ok(rows) => kept = rows.last().unwrap().seq,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, store::Error::Full), "{refused}");
    assert_eq!(
        ledger.last_seq().unwrap(),
        kept,
        "nothing of the refused write is there"
    );
    fs::remove_file(ballast).unwrap();
    assert_eq!(
        ledger.append(vec![event("server.seen")]).unwrap()[0].seq,
        kept + 1
    );
    drop(ledger);
    assert_eq!(open(dir).last_seq().unwrap(), kept + 1);
}
