//! The usage summary over 10 million events of 2,000 owners in 24 months, against the same question asked of the plain
//! events: of SQLite here, of DuckDB by `same_in_duckdb.py` over the same file. The peers are asked for less: hours of existence
//! and money by owner and month, of created and deleted servers only.
//!
//! To reach: 100 times faster than scanning in SQLite; the tab opens within 100 ms, any cut answers within 150 ms; faster
//! than DuckDB; 150,000 events a second come in, figures included.
//!
//! What is made for it (some 3 GB) is kept under `target/bench` for the next time. `WANGCHENG_BENCH_EVENTS` takes another number.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be set up has nothing to report"
)]

mod history;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use chrono::{Datelike, Days, Months, NaiveDate};
use divan::{Bencher, black_box};
use history::History;
use rusqlite::Connection;
use store::Tally;
use store::tally::{Ask, Batch, Fact, Sums};

const AT_ONCE: usize = 20_000;
/// How many events one measured import takes.
const IMPORTED: u64 = 300_000;

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    divan::main();
    if measured {
        duckdb();
    }
}

struct Prepared {
    dir: PathBuf,
    past: History,
}

fn events() -> u64 {
    let asked = std::env::var("WANGCHENG_BENCH_EVENTS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(10_000_000)
}

/// The tally, the plain table and the file for DuckDB, of the same events.
fn prepared() -> &'static Prepared {
    static PREPARED: OnceLock<Prepared> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let past = History::of(events());
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/bench");
        let dir = target.join(format!("usage-{}", past.events));
        if !dir.join("ready").exists() {
            // What a run that was broken off left there.
            let _ = std::fs::remove_dir_all(&dir);
            std::fs::create_dir_all(&dir).expect("a directory");
            prepare(&dir, &past);
            std::fs::write(dir.join("ready"), "").expect("a mark");
        }
        Prepared { dir, past }
    })
}

fn prepare(dir: &Path, past: &History) {
    let mut csv = std::io::BufWriter::new(std::fs::File::create(dir.join("events.csv")).expect("a file"));
    let mut plain = Connection::open(dir.join("plain.db")).expect("a file");
    plain
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
             CREATE TABLE events (at INTEGER, action TEXT, server INTEGER, owner INTEGER, flavor TEXT, price INTEGER);",
        )
        .expect("a table");
    let transaction = plain.transaction().expect("a transaction");
    let tally = Tally::open(dir).expect("a tally");
    let mut importing = std::time::Duration::ZERO;
    {
        let mut insert = transaction
            .prepare("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .expect("a statement");
        let mut texts = Vec::with_capacity(AT_ONCE);
        past.tell(|event| {
            let at = event.at.timestamp_millis();
            insert
                .execute((
                    at,
                    event.action,
                    event.server,
                    event.owner,
                    event.flavor,
                    event.price,
                ))
                .expect("a row");
            let price = event.price.map_or(String::new(), |price| price.to_string());
            writeln!(
                csv,
                "{at},{},{},{},{},{price}",
                event.action, event.server, event.owner, event.flavor
            )
            .expect("a line");
            texts.push(event.json.clone());
            if texts.len() == AT_ONCE {
                let began = Instant::now();
                take(&tally, &texts, past);
                importing += began.elapsed();
                texts.clear();
            }
        });
        let began = Instant::now();
        take(&tally, &texts, past);
        importing += began.elapsed();
    }
    let began = Instant::now();
    tally.settle(|| true).expect("figures");
    let settling = began.elapsed();
    transaction.commit().expect("the rows");
    csv.flush().expect("the lines");
    let rate = past.events as f64 / (importing + settling).as_secs_f64();
    eprintln!(
        "{} events: read and kept in {importing:.1?}, figures in {settling:.1?}: {rate:.0} a second; memory {:?} MiB",
        past.events,
        memory()
    );
}

fn take(tally: &Tally, texts: &[String], past: &History) {
    let facts: Vec<Fact<'_>> = texts.iter().filter_map(|text| Fact::read(text).ok()).collect();
    assert_eq!(facts.len(), texts.len(), "every event can be read");
    let batch = Batch {
        source: "made up",
        facts: &facts,
        unreadable: 0,
        position: None,
        complete: true,
        now: past.end(),
    };
    tally.take_in(&batch).expect("room for the events");
}

/// Most memory in MiB so far, where the system tells it.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

/// The last whole month, and all of the past.
fn periods(past: &History) -> (Ask, Ask) {
    let last = past.end().date_naive().with_day(1).expect("a day") - Months::new(1);
    let month = Ask::of(last, last + Months::new(1) - Days::new(1));
    let begin = NaiveDate::from_ymd_opt(2024, 11, 1).expect("a day");
    (month, Ask::of(begin, past.end().date_naive()))
}

/// As the tab does it: a month, the one before, and what the sources say.
fn tab(tally: &Tally, past: &History) -> Sums {
    let (month, _) = periods(past);
    let before = Ask::of(month.from - Months::new(1), month.from - Days::new(1));
    assert!(tally.settle(|| true).expect("figures"));
    black_box(tally.sources().expect("sources"));
    black_box(tally.sums(&before, past.end()).expect("sums"));
    tally.sums(&month, past.end()).expect("sums")
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn open_tab(bencher: Bencher<'_, '_>) {
    let prepared = prepared();
    bencher
        // The first question after a start, too: nothing is known by heart yet.
        .with_inputs(|| Tally::open(&prepared.dir).expect("the tally"))
        .bench_local_values(|tally| tab(&tally, &prepared.past));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn open_tab_scanning(bencher: Bencher<'_, '_>) {
    let prepared = prepared();
    let plain = Connection::open(prepared.dir.join("plain.db")).expect("the table");
    let (month, _) = periods(&prepared.past);
    bencher.bench_local(|| {
        scanned(
            &plain,
            "1",
            month.from - Months::new(1),
            month.from - Days::new(1),
            &prepared.past,
        ) + scanned(&plain, "1", month.from, month.to, &prepared.past)
    });
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn two_years(bencher: Bencher<'_, '_>) {
    let prepared = prepared();
    let tally = Tally::open(&prepared.dir).expect("the tally");
    let (_, all) = periods(&prepared.past);
    bencher.bench_local(|| tally.sums(black_box(&all), prepared.past.end()).expect("sums"));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn two_years_of_a_flavor(bencher: Bencher<'_, '_>) {
    let prepared = prepared();
    let tally = Tally::open(&prepared.dir).expect("the tally");
    let (_, mut all) = periods(&prepared.past);
    all.flavors = vec!["c7.large.2".to_owned()];
    bencher.bench_local(|| tally.sums(black_box(&all), prepared.past.end()).expect("sums"));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn two_years_of_a_flavor_scanning(bencher: Bencher<'_, '_>) {
    let prepared = prepared();
    let plain = Connection::open(prepared.dir.join("plain.db")).expect("the table");
    let (_, all) = periods(&prepared.past);
    bencher.bench_local(|| scanned(&plain, "flavor = 'c7.large.2'", all.from, all.to, &prepared.past));
}

/// Hours and money by owner and month, by plain SQL; how many lines.
fn scanned(plain: &Connection, filter: &str, from: NaiveDate, to: NaiveDate, past: &History) -> usize {
    let start =
        |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis() - 8 * 3_600_000;
    let mut lines = 0;
    let mut month = from;
    while month <= to {
        let next = month + Months::new(1);
        lines += plain
            .prepare_cached(&format!(
                "WITH lives AS (
                     SELECT server, max(owner) AS owner, max(price) AS price,
                            min(CASE action WHEN 'server.created' THEN at END) AS began,
                            coalesce(min(CASE action WHEN 'server.deleted' THEN at END), ?3) AS ended
                     FROM events WHERE action IN ('server.created', 'server.deleted') AND {filter} GROUP BY server
                 )
                 SELECT owner, count(*), sum(min(ended, ?2) - max(began, ?1)), sum((min(ended, ?2) - max(began, ?1)) * price)
                 FROM lives WHERE began < ?2 AND ended > ?1 GROUP BY owner"
            ))
            .expect("a statement")
            .query_map((start(month), start(next), past.end().timestamp_millis()), |row| row.get::<_, i64>(3))
            .expect("an answer")
            .count();
        month = next;
    }
    lines
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn import(bencher: Bencher<'_, '_>) {
    let past = History::of(IMPORTED);
    let mut texts = Vec::new();
    past.tell(|event| texts.push(event.json.clone()));
    bencher
        .with_inputs(|| {
            let dir = tempfile::tempdir().expect("a directory");
            let tally = Tally::open(dir.path()).expect("a tally");
            (dir, tally)
        })
        .bench_local_values(|(dir, tally)| {
            for part in texts.chunks(AT_ONCE) {
                take(&tally, part, &past);
            }
            tally.settle(|| true).expect("figures");
            (dir, tally)
        });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn import_floor(bencher: Bencher<'_, '_>) {
    let mut texts = Vec::new();
    History::of(IMPORTED).tell(|event| texts.push((event.at.timestamp_millis(), event.json.clone())));
    bencher
        .with_inputs(|| {
            let dir = tempfile::tempdir().expect("a directory");
            let bare = Connection::open(dir.path().join("bare.db")).expect("a file");
            bare.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE events (at INTEGER, json TEXT);")
                .expect("a table");
            (dir, bare)
        })
        .bench_local_values(|(dir, mut bare)| {
            for part in texts.chunks(AT_ONCE) {
                let transaction = bare.transaction().expect("a transaction");
                {
                    let mut insert = transaction.prepare_cached("INSERT INTO events VALUES (?1, ?2)").expect("a statement");
                    for (at, json) in part {
                        insert.execute((at, json)).expect("a row");
                    }
                }
                transaction.commit().expect("the rows");
            }
            (dir, bare)
        });
}

/// The peer from elsewhere, where a Python that has it is named. Its rows look like ours.
fn duckdb() {
    let Some(python) = std::env::var_os("WANGCHENG_BENCH_PYTHON") else {
        eprintln!("DuckDB is not asked: WANGCHENG_BENCH_PYTHON names no Python that has it");
        return;
    };
    let prepared = prepared();
    let (month, all) = periods(&prepared.past);
    let done = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/same_in_duckdb.py"))
        .arg(prepared.dir.join("events.csv"))
        .args([month.from, month.to, all.from, all.to].map(|day| day.to_string()))
        .arg(prepared.past.end().timestamp_millis().to_string())
        .status()
        .expect("a Python");
    assert!(done.success(), "DuckDB answered");
}
