//! Saving what a damaged file still says of events that nobody was told.
//!
//! The file set aside stays as it is: a copy is read. An event counts as readable when its row can be read and its
//! text agrees with it. Rescued events keep their `event_id`, `seq` and `installation_id`: they are delivered as they
//! were written, under the old installation, while the fresh ledger counts from 1 under an id of its own. Where the
//! damage hides how far the old file was delivered, everything readable is sent again; `event_id` tells it apart.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde::Deserialize;

use crate::Error;

/// Numbers in a row that may be unreadable before the rest is given up, where the last number is not known.
const MOST_MISSES: i64 = 100_000;

/// An event as a damaged file has it.
struct Found {
    seq: i64,
    event_id: String,
    time: String,
    json: String,
}

/// What an event's text must say to be believed.
#[derive(Deserialize)]
struct Says<'a> {
    seq: i64,
    #[serde(borrow)]
    event_id: std::borrow::Cow<'a, str>,
}

/// Copies the unsent events of the damaged file `aside` into the fresh ledger, and returns how many.
pub(crate) fn rescue(fresh: &mut Connection, aside: &Path) -> Result<u64, Error> {
    let copy = Copied::of(aside)?;
    let Ok(damaged) = Connection::open(&copy.file) else {
        return Ok(0);
    };
    let transaction = fresh.transaction()?;
    let mut rescued = 0;
    {
        let mut insert = transaction.prepare(
            "INSERT INTO rescued (event_id, time, json) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        // What the file itself had rescued before comes first.
        for found in rescued_before(&damaged) {
            rescued += insert.execute(params![found.event_id, found.time, found.json])?;
        }
        let from = cursor(&damaged);
        let mut failed = Ok(());
        unsent(&damaged, from, |found| {
            match insert.execute(params![found.event_id, found.time, found.json]) {
                Ok(count) => rescued += count,
                Err(error) => failed = Err(error),
            }
        });
        failed?;
    }
    transaction.commit()?;
    Ok(u64::try_from(rescued).unwrap_or_default())
}

/// Number of the last event that every target has; 0 where the file does not say.
fn cursor(damaged: &Connection) -> i64 {
    let told = damaged.query_row("SELECT min(cursor) FROM deliveries", [], |row| {
        row.get::<_, Option<i64>>(0)
    });
    let quarantined = damaged
        .query_row("SELECT min(seq) - 1 FROM quarantine", [], |row| {
            row.get::<_, Option<i64>>(0)
        })
        .ok()
        .flatten();
    let told = told.ok().flatten().unwrap_or_default();
    // What was refused and set apart was not delivered either.
    quarantined.map_or(told, |first| told.min(first)).max(0)
}

/// Hands on every readable event after number `from`, in order.
fn unsent(damaged: &Connection, from: i64, mut keep: impl FnMut(Found)) {
    let mut last_read = from;
    // As far as one pass gets …
    let whole = each(
        damaged,
        "SELECT seq, event_id, time, json FROM events WHERE seq > ?1 ORDER BY seq",
        from,
        |found| {
            last_read = found.seq;
            keep(found);
        },
    );
    if whole.is_ok() {
        return;
    }
    // … and then number by number: each goes its own way down the tree, past pages that are broken.
    let last: Option<i64> = damaged
        .query_row("SELECT seq FROM events ORDER BY seq DESC LIMIT 1", [], |row| {
            row.get(0)
        })
        .ok();
    let mut misses = 0;
    let mut number = last_read;
    while last.is_none_or(|last| number < last) && misses < MOST_MISSES {
        number += 1;
        let mut hit = false;
        let _ = each(
            damaged,
            "SELECT seq, event_id, time, json FROM events WHERE seq = ?1",
            number,
            |found| {
                hit = true;
                keep(found);
            },
        );
        misses = if hit { 0 } else { misses + 1 };
    }
}

fn each(damaged: &Connection, query: &str, number: i64, mut keep: impl FnMut(Found)) -> rusqlite::Result<()> {
    let mut statement = damaged.prepare_cached(query)?;
    let mut rows = statement.query([number])?;
    while let Some(row) = rows.next()? {
        let found = (|| {
            Ok::<_, rusqlite::Error>(Found {
                seq: row.get(0)?,
                event_id: row.get(1)?,
                time: row.get(2)?,
                json: row.get(3)?,
            })
        })();
        if let Some(found) = found.ok().filter(Found::holds) {
            keep(found);
        }
    }
    Ok(())
}

impl Found {
    fn holds(&self) -> bool {
        let dated = chrono::DateTime::parse_from_rfc3339(&self.time).is_ok();
        dated
            && serde_json::from_str::<Says<'_>>(&self.json)
                .is_ok_and(|says| says.seq == self.seq && says.event_id == self.event_id.as_str())
    }
}

fn rescued_before(damaged: &Connection) -> Vec<Found> {
    let mut all = Vec::new();
    let _ = (|| {
        let mut statement = damaged
            .prepare("SELECT event_id, time, json FROM rescued WHERE delivered_at IS NULL ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (event_id, time, json): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Ok(says) = serde_json::from_str::<Says<'_>>(&json) {
                let found = Found {
                    seq: says.seq,
                    event_id,
                    time,
                    json: json.clone(),
                };
                if found.holds() {
                    all.push(found);
                }
            }
        }
        Ok::<_, rusqlite::Error>(())
    })();
    all
}

/// A copy of the damaged file and its log, gone when dropped.
struct Copied {
    file: PathBuf,
}

impl Copied {
    fn of(aside: &Path) -> Result<Self, Error> {
        let copied = Self {
            file: aside.with_extension("copy"),
        };
        fs::copy(aside, &copied.file)?;
        let log = beside(aside, "-wal");
        if log.exists() {
            fs::copy(log, beside(&copied.file, "-wal"))?;
        }
        Ok(copied)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(beside(&self.file, suffix));
        }
    }
}

/// The file that SQLite keeps beside another.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}
