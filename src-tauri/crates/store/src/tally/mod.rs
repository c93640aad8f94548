//! The tally: what everybody's servers were there for, ran for and cost, over any time and cut in any way.
//!
//! It is a file of its own beside the ledger (`tally.db`), because all of it can be had again: from the ledger, from
//! the data platform, from export files. So it is not looked through at every start, may be large, and a damaged or a
//! newer one is put aside and filled anew.
//!
//! # From facts to figures
//!
//! 1. A **source** hands over events in batches ([`Tally::take_in`]). Each is kept once, by its `event_id`, whoever tells
//!    it and in whatever order; the ledger's own come by [`Tally::follow`].
//! 2. A server with new facts is **worked out anew from all of its facts** ([`Tally::settle`]): a pure function of a
//!    set, so late, doubled and disordered events need no rules of their own.
//! 3. What comes out are **stretches**: time in which one server was one thing. They lie packed by months of
//!    Asia/Shanghai, 16 bytes each; every question is one walk over the months that it is about.
//!
//! # What is counted
//!
//! A fact counts only with outcome `ok`, and at the moment that it says of itself. Facts of one moment follow each other
//! as: beginnings, the rest, ends.
//!
//! - **Existence** goes from `server.created` (or the first `server.seen`) to `server.deleted`. A second beginning or
//!   end of what exists, or does not, changes nothing. *Missing beginning:* a server whose first fact is another one
//!   exists from that on. *Missing end:* a server ends with its lease (the cloud keeps that), or, where later facts show
//!   that it was still there, with the last of them; one without a lease goes on. Both are marked as assumed and counted.
//! - **Running** goes from a beginning (unless `seen` says another `state`) or `server.started` to `server.stopped` or
//!   the end. A restart changes nothing.
//! - **Disks**: `disk_gb` of the beginning, and what `disk.*` add and take away.
//! - **Flavor, disks and price** hold from the fact that tells them to the next one: a resize or a change of price in the
//!   middle ends one stretch and begins another. **Owner, region, purpose and template** are those of the beginning.
//! - **Money** is price × time. Where the facts tell the price of disks and of the address beside the whole
//!   (`price_disk_per_hour`, `price_address_per_hour`), a stopped server costs only these, unless its flavor stays charged
//!   (`charged_when_stopped`); where they tell the whole only, that goes on, an estimate from above, and stands as *not
//!   split*. Where no price is known the hours are counted and said.
//! - **Days and months** are those of Asia/Shanghai, by which the cloud bills: one offset the whole year, so no day there has
//!   23 or 25 hours, whatever the zone of the computer does. Moments are whole milliseconds.
//! - What still exists counts up to the `now` of the question. Nothing counts after it.
//!
//! All sums are whole numbers (milliseconds, billionths of the currency × milliseconds), so parts add up to their total
//! exactly; rounding is left to whoever shows them.

mod answer;
mod fact;
mod history;
mod pack;
mod past;
mod settle;
mod sources;
mod standing;
mod sums;
mod take_in;
mod walk;
mod words;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

pub use answer::{Amounts, Ask, Group, Month, MonthSum, Names, PerServer, Sums};
pub use fact::{Fact, Unread};
pub use past::{FactRow, Row, ServerRow};
pub use sources::Source;
pub use take_in::{Batch, Taken};

use crate::Error;
use standing::Standings;
use words::{Owners, ServerIds, Words};

const FILE: &str = "tally.db";
const BUSY: Duration = Duration::from_secs(30);
/// The form of the file. What is in it can be had again, so another form is not brought forward but filled anew.
const FORM: i64 = 2;

const TABLES: &str = r#"
    CREATE TABLE sources (
        name       TEXT PRIMARY KEY,
        position   TEXT,
        taken_at   INTEGER,
        first_at   INTEGER,
        last_at    INTEGER,
        facts      INTEGER NOT NULL,
        doubled    INTEGER NOT NULL,
        unreadable INTEGER NOT NULL,
        complete   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;
    INSERT INTO words VALUES (0, '');

    -- The newest name of an owner id.
    CREATE TABLE owners (owner INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL) STRICT;

    -- Number 0: facts about no server.
    CREATE TABLE servers (
        id        INTEGER PRIMARY KEY,
        server_id TEXT NOT NULL UNIQUE,
        name      TEXT NOT NULL DEFAULT '',
        owner     INTEGER NOT NULL DEFAULT 0,
        flavor    INTEGER NOT NULL DEFAULT 0,
        region    INTEGER NOT NULL DEFAULT 0,
        purpose   INTEGER NOT NULL DEFAULT 0,
        template  INTEGER NOT NULL DEFAULT 0,
        began     INTEGER,
        ended     INTEGER,
        -- Its stretches that are over end here; what goes on does so until there, the largest moment without a lease.
        past      INTEGER,
        until     INTEGER,
        assumed   INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    INSERT INTO servers (id, server_id) VALUES (0, '');

    CREATE TABLE facts (
        server   INTEGER NOT NULL,
        at       INTEGER NOT NULL,
        event_id BLOB NOT NULL,
        action   INTEGER NOT NULL,
        outcome  INTEGER NOT NULL,
        source   INTEGER NOT NULL,
        owner    INTEGER NOT NULL,
        -- Packed; nothing where it tells no more than that it happened.
        told     BLOB,
        PRIMARY KEY (server, at, event_id)
    ) STRICT, WITHOUT ROWID;

    -- Servers whose stretches do not follow from their facts yet.
    CREATE TABLE stale (server INTEGER PRIMARY KEY) STRICT;

    -- What a stretch was like; as many as there are kinds of servers, not as there are servers. Packed, some thousands
    -- together.
    CREATE TABLE standings (part INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

    -- Stretches, packed: of month number `month`; 0 is what has no end yet.
    CREATE TABLE blocks (month INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
"#;

/// The tally, safe to share between threads and programs.
#[derive(Debug)]
pub struct Tally {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    connection: Connection,
    words: Words,
    servers: ServerIds,
    standings: Standings,
    owners: Owners,
}

impl Tally {
    /// Opens the tally in the ledger's directory `dir`, which exists already. One that is damaged or of another form is
    /// renamed and begun anew; what was imported from files has to be imported again then.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`], [`Error::Full`], [`Error::Io`] and [`Error::Sqlite`] as they say.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let connection = match begin(&path) {
            Err(Error::Damaged(what)) => {
                tracing::warn!(%what, "the tally was put aside; a fresh one begins");
                put_aside(&path)?;
                begin(&path)?
            }
            begun => begun?,
        };
        Ok(Self::over(path, connection))
    }

    fn over(path: PathBuf, connection: Connection) -> Self {
        Self {
            path,
            inner: Mutex::new(Inner {
                connection,
                words: Words::default(),
                servers: ServerIds::default(),
                standings: Standings::default(),
                owners: Owners::default(),
            }),
        }
    }

    /// The tally as it is now, to be asked again and again: whatever comes in meanwhile, its answers fit together, and
    /// nobody waits for it. It is for reading only.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn snapshot(&self) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        // It ends with the connection.
        connection.execute_batch("PRAGMA cache_size = -32768; BEGIN; SELECT name FROM sources LIMIT 1;")?;
        Ok(Self::over(self.path.clone(), connection))
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `act` in one transaction. What was learnt by heart meanwhile is forgotten when it fails.
    fn write<T>(&self, act: impl FnOnce(&mut Open<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut inner = self.inner();
        let Inner {
            connection,
            words,
            servers,
            standings,
            owners,
        } = &mut *inner;
        owners.forget();
        let result = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut open = Open {
                connection: &transaction,
                words,
                servers,
                standings,
            };
            let result = act(&mut open)?;
            transaction.commit()?;
            Ok(result)
        })();
        if result.is_err() {
            inner.words = Words::default();
            inner.servers = ServerIds::default();
            inner.standings = Standings::default();
        }
        result
    }
}

/// The file inside a transaction, with what is known of it by heart.
pub(crate) struct Open<'a> {
    connection: &'a Connection,
    words: &'a mut Words,
    servers: &'a mut ServerIds,
    standings: &'a mut Standings,
}

/// A moment in milliseconds.
pub(crate) fn ms(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

fn begin(path: &Path) -> Result<Connection, Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch(
        "PRAGMA page_size = 16384;
         PRAGMA journal_mode = WAL;
         -- A lost last batch is taken in again; its source's position is lost with it.
         PRAGMA synchronous = NORMAL;
         PRAGMA cache_size = -32768;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let form: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match form {
        FORM => {}
        0 => {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", FORM)?;
        }
        other => return Err(Error::Damaged(format!("the tally has form {other}, not {FORM}"))),
    }
    transaction.commit()?;
    Ok(connection)
}

fn put_aside(path: &Path) -> Result<(), Error> {
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    for suffix in ["", "-wal", "-shm"] {
        let aside = beside(&format!(".aside{suffix}"));
        match std::fs::rename(beside(suffix), aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
