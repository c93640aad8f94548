//! The ledger against the least that SQLite must do to keep the same rows: same file system, same pragmas, same
//! columns and unique id, finished values inserted by one prepared statement; no numbering, no text to make, no
//! triggers, nothing handed back.
//!
//! To reach: one durable event within 1.2 times its floor, a burst within 2 times.

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot be set up has nothing to report"
)]

use chrono::{DateTime, Utc};
use divan::{Bencher, black_box};
use rusqlite::{Connection, Statement, params};
use serde_json::json;
use store::{EventOutcome, EventRow, Ledger, NewEvent};
use tempfile::TempDir;
use uuid::Uuid;

const BURST: usize = 10_000;

fn main() {
    divan::main();
}

fn event() -> NewEvent {
    let body = json!({
        "schema": "wangcheng.event.v1", "owner": "李雷", "owner_id": "0503dda878000fed2f78c00909158a4d",
        "account_id": "0503dda87802345ddafed096d70a960c", "region": "cn-north-4",
        "project_id": "0605767b1c80d5f02f3bc01f5e5aaaaa", "server_name": "lilei-build", "flavor": "c7.xlarge.2",
        "vcpus": 4, "ram_mb": 8192, "image": "Ubuntu 24.04 server 64bit", "os": "Linux",
        "price_per_hour": "1.26", "currency": "CNY", "price_source": "list",
        "client": "desktop", "client_version": "0.1.0", "platform": "linux-x86_64",
    });
    NewEvent {
        event_id: Uuid::now_v7().to_string(),
        time: DateTime::<Utc>::UNIX_EPOCH,
        action: "server.created".to_owned(),
        outcome: EventOutcome::Ok,
        account: Some("8d6ff4f0-6d56-4b0c-9d54-0ff1d1a0a0a1".to_owned()),
        op_id: Some(Uuid::now_v7().to_string()),
        server_id: Some(Uuid::now_v7().to_string()),
        body: body.as_object().cloned().unwrap_or_default(),
    }
}

fn ledger() -> (TempDir, Ledger) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let ledger = Ledger::open(dir.path(), DateTime::<Utc>::UNIX_EPOCH)
        .expect("a fresh ledger")
        .ledger;
    (dir, ledger)
}

fn bare() -> (TempDir, Connection) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let connection = Connection::open(dir.path().join("bare.db")).expect("a fresh file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             CREATE TABLE events (
                 seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, time TEXT NOT NULL, action TEXT NOT NULL,
                 outcome TEXT NOT NULL, account TEXT, op_id TEXT, server_id TEXT, json TEXT NOT NULL
             ) STRICT;",
        )
        .expect("the same pragmas");
    (dir, connection)
}

/// Rows as the ledger would keep them, made beforehand.
fn finished(count: usize) -> Vec<EventRow> {
    let (_dir, ledger) = ledger();
    ledger
        .append((0..count).map(|_| event()).collect())
        .expect("finished events")
}

const INSERT: &str = "INSERT INTO events (event_id, time, action, outcome, account, op_id, server_id, json)
                      VALUES (?1, '1970-01-01T00:00:00.000Z', ?2, ?3, ?4, ?5, ?6, ?7)";

fn insert(statement: &mut Statement<'_>, row: &EventRow) -> rusqlite::Result<usize> {
    statement.execute(params![
        row.event_id,
        row.action,
        row.outcome.as_str(),
        row.account,
        row.op_id,
        row.server_id,
        row.json
    ])
}

#[divan::bench(sample_count = 200, sample_size = 1)]
fn one_event_ledger(bencher: Bencher<'_, '_>) {
    let (_dir, ledger) = ledger();
    bencher
        .with_inputs(|| vec![event()])
        .bench_local_values(|events| ledger.append(black_box(events)));
}

#[divan::bench(sample_count = 200, sample_size = 1)]
fn one_event_floor(bencher: Bencher<'_, '_>) {
    let (_dir, connection) = bare();
    bencher.with_inputs(|| finished(1)).bench_local_values(|rows| {
        let mut statement = connection.prepare_cached(INSERT)?;
        rows.iter()
            .try_for_each(|row| insert(&mut statement, black_box(row)).map(drop))
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn burst_ledger(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(|| (ledger(), (0..BURST).map(|_| event()).collect::<Vec<_>>()))
        .bench_local_values(|((dir, ledger), events)| {
            let rows = ledger.append(black_box(events));
            // Handed back, so that closing the file is not counted.
            (dir, ledger, rows)
        });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn burst_floor(bencher: Bencher<'_, '_>) {
    let rows = finished(BURST);
    bencher
        .with_inputs(bare)
        .bench_local_values(|(dir, mut connection)| {
            let written = (|| {
                let transaction = connection.transaction()?;
                {
                    let mut statement = transaction.prepare(INSERT)?;
                    for row in &rows {
                        insert(&mut statement, black_box(row))?;
                    }
                }
                transaction.commit()
            })();
            (dir, connection, written)
        });
}
