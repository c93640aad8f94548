use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, MAIN_DB, OpenFlags, Transaction, TransactionBehavior};
use uuid::Uuid;

use crate::{Error, locks, rescue, schema};

const FILE: &str = "ledger.db";
const LOCK: &str = "ledger.lock";

/// How long to wait for someone else's hold on the file, such as a backup program's.
const BUSY: Duration = Duration::from_secs(5);

/// Most rows that one call hands out, whatever limit it is given, so that no caller can ask for all of memory.
pub(crate) const MOST_ROWS: u32 = 10_000;

/// The ledger, safe to share between threads.
///
/// Other programs, and other `Ledger`s of this one, may have the same file open: each act is one transaction, and
/// SQLite lets one write at a time.
#[derive(Debug)]
pub struct Ledger {
    // Before the lock: fields drop in this order, and the file must be closed when the lock is let go.
    connection: Mutex<Connection>,
    installation_id: String,
    pub(crate) dir: PathBuf,
    /// What [`changed_elsewhere`](Self::changed_elsewhere) saw last.
    seen: AtomicI64,
    _lock: File,
}

/// What opening found.
#[derive(Debug)]
pub struct Opened {
    /// The ledger, ready for use.
    pub ledger: Ledger,
    /// Where a damaged file was moved, when there was one; the ledger is then a fresh, empty one under a new
    /// installation id, because its event numbers start again at 1.
    pub set_aside: Option<PathBuf>,
    /// How many events were saved from the damaged file; they wait for delivery under the old installation id.
    pub rescued: u64,
}

impl Ledger {
    /// Schema version of the file.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn schema_version(&self) -> Result<i64, Error> {
        schema::found(&self.connection())
    }

    /// Opens the ledger in `dir`, making the directory and the file when they do not exist.
    ///
    /// Several programs may have it open at once. The first one checks the file, which reads all of it, and brings an
    /// older schema forward; a damaged file is renamed to `ledger.damaged-<now>.db`, a fresh one begun, and what can
    /// still be read of events that no target had is kept in it, to be delivered as it was written. `now` is used for
    /// that name only.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] when another program has it open and the file would have to be brought forward or set aside,
    /// or is older than sharing; [`Error::NewerSchema`] when a later version of the program wrote it,
    /// [`Error::ReadOnly`], [`Error::Full`], [`Error::Io`] and [`Error::Sqlite`] as they say. None of them changes an
    /// existing file.
    pub fn open(dir: &Path, now: DateTime<Utc>) -> Result<Opened, Error> {
        make_private(dir)?;
        let turn = locks::turn(dir)?;
        let lock = locks::open(&dir.join(LOCK))?;
        let first = locks::alone(&lock)?;
        let path = dir.join(FILE);
        let (mut set_aside, mut rescued) = (None, 0);
        let (connection, installation_id) = match begin(&path, first) {
            Err(Error::Damaged(what)) if first => {
                let aside = move_aside(dir, now)?;
                tracing::error!(%what, file = %aside.display(), "the ledger was damaged and set aside; a fresh one begins");
                let (mut connection, id) = begin(&path, true)?;
                // A rescue that fails leaves the fresh ledger usable and the old file where it is.
                match rescue::rescue(&mut connection, &aside) {
                    Ok(count) => rescued = count,
                    Err(error) => tracing::error!(%error, "nothing could be saved from the damaged ledger"),
                }
                set_aside = Some(aside);
                (connection, id)
            }
            begun => begun?,
        };
        if first {
            // Nobody can come in between: it is still our turn.
            lock.unlock()?;
        }
        locks::share(dir, &lock)?;
        drop(turn);
        let ledger = Ledger {
            seen: AtomicI64::new(data_version(&connection)?),
            connection: Mutex::new(connection),
            installation_id,
            dir: dir.to_owned(),
            _lock: lock,
        };
        Ok(Opened {
            ledger,
            set_aside,
            rescued,
        })
    }

    /// Whether another program wrote since this was last asked (or since opening). Costs no reading of the disk.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn changed_elsewhere(&self) -> Result<bool, Error> {
        let version = data_version(&self.connection())?;
        Ok(self.seen.swap(version, Ordering::Relaxed) != version)
    }

    /// This installation's random id (UUIDv4 text), made when the ledger was first opened.
    pub fn installation_id(&self) -> &str {
        &self.installation_id
    }

    /// The connection, for reading.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked while holding it left no half-written state: its transaction rolled back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `act` in one transaction: committed, synced to the disk, when it succeeds; undone when it does not.
    pub(crate) fn write<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = act(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

/// Makes the directory; readable by its owner only, because the ledger says who did what.
fn make_private(dir: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    Ok(builder.create(dir)?)
}

/// Changes whenever another connection commits.
fn data_version(connection: &Connection) -> Result<i64, Error> {
    Ok(connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))?)
}

/// Opens the file and, `first` of all programs, checks it and brings it forward. [`Error::Damaged`] here is about the
/// file as a whole; [`Error::InUse`] says that another program's file would have to change under it.
fn begin(path: &Path, first: bool) -> Result<(Connection, String), Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;

    // Before anything that writes, so that a later version's file stays as it is.
    let (found, known) = (schema::found(&connection)?, schema::known());
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    // SQLite opens a write-protected file for reading only and says so at the first write. Say it now.
    if connection.is_readonly(MAIN_DB)? {
        return Err(Error::ReadOnly);
    }
    if !first && found < known {
        return Err(Error::InUse {
            dir: path.parent().unwrap_or(path).to_owned(),
        });
    }
    let check: String = if first {
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?
    } else {
        "ok".to_owned()
    };
    if check != "ok" {
        return Err(Error::Damaged(check));
    }

    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        tracing::warn!(%mode, "the ledger's file system does not allow WAL; the ledger works, more slowly");
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         -- macOS keeps fsync'ed data in the drive's cache without these; elsewhere they change nothing.
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         -- Without it, INSERT OR REPLACE deletes rows past the triggers that keep events for good.
         PRAGMA recursive_triggers = ON;
         -- A burst does not leave its log behind at full size.
         PRAGMA journal_size_limit = 16777216;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    if first {
        schema::migrate(&mut connection)?;
    }

    connection.execute(
        "INSERT INTO installation (one, id) VALUES (1, ?1) ON CONFLICT DO NOTHING",
        [Uuid::new_v4().to_string()],
    )?;
    let id = connection.query_row("SELECT id FROM installation", [], |row| row.get(0))?;
    Ok((connection, id))
}

/// Renames the file and what SQLite keeps beside it; returns the new name.
fn move_aside(dir: &Path, now: DateTime<Utc>) -> Result<PathBuf, Error> {
    let stamp = now.format("%Y%m%dT%H%M%SZ");
    let aside = (1_u32..)
        .map(|n| match n {
            1 => dir.join(format!("ledger.damaged-{stamp}.db")),
            n => dir.join(format!("ledger.damaged-{stamp}-{n}.db")),
        })
        .find(|name| !name.exists())
        .ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))?;
    // The file first: should the program end in between, SQLite discards a log that has no file, whereas a file
    // without its log could pass for a sound one that lacks its last events.
    fs::rename(dir.join(FILE), &aside)?;
    for suffix in ["-wal", "-shm"] {
        match fs::rename(
            dir.join(format!("{FILE}{suffix}")),
            rescue::beside(&aside, suffix),
        ) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewOperation, Outcome};

    fn operation(id: &str, request: String) -> NewOperation {
        NewOperation {
            id: id.to_owned(),
            kind: "server.create".to_owned(),
            account: "account-1".to_owned(),
            server_id: None,
            server_name: "hanmeimei-test".to_owned(),
            client_token: None,
            request,
            detail: "{}".to_owned(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_full_disk_refuses_the_record_and_leaves_the_ledger_usable() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path(), DateTime::UNIX_EPOCH).unwrap().ledger;
        ledger.record(&operation("before", String::new())).unwrap();
        // SQLite answers a file that may not grow exactly as it answers a disk without room.
        let limit = |pages: i64| {
            let connection = ledger.connection();
            connection
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
                .unwrap();
        };
        limit(1);
        let refused = ledger.record(&operation("during", "x".repeat(100_000)));
        assert!(matches!(refused, Err(Error::Full)), "{refused:?}");
        assert_eq!(ledger.operation("during").unwrap(), None);
        limit(1_000_000);
        ledger.record(&operation("after", "x".repeat(100_000))).unwrap();
        let ids: Vec<_> = ledger
            .unsettled()
            .unwrap()
            .into_iter()
            .map(|row| row.id)
            .collect();
        assert_eq!(ids, ["before", "after"]);
    }

    #[test]
    fn a_ledger_that_may_only_be_read_says_so_before_anything_is_sent() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path(), DateTime::UNIX_EPOCH).unwrap().ledger;
        ledger.record(&operation("before", String::new())).unwrap();
        ledger
            .connection()
            .pragma_update(None, "query_only", true)
            .unwrap();
        assert!(matches!(
            ledger.record(&operation("during", String::new())),
            Err(Error::ReadOnly)
        ));
        assert_eq!(ledger.unsettled().unwrap().len(), 1);
    }

    #[test]
    fn a_value_that_no_version_writes_is_reported_as_damage() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path(), DateTime::UNIX_EPOCH).unwrap().ledger;
        ledger.record(&operation("odd", String::new())).unwrap();
        ledger
            .connection()
            .execute("UPDATE operations SET stage = 'perhaps'", [])
            .unwrap();
        assert!(matches!(ledger.operation("odd"), Err(Error::Damaged(_))));
    }

    #[test]
    fn a_panic_in_the_middle_of_a_write_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path(), DateTime::UNIX_EPOCH).unwrap().ledger;
        ledger.record(&operation("first", String::new())).unwrap();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            ledger.write::<()>(|transaction| {
                transaction.execute("DELETE FROM operations", [])?;
                panic!("in the middle");
            })
        }));
        assert!(panicked.is_err());
        ledger
            .settle("first", Outcome::Cancelled, None, DateTime::UNIX_EPOCH, vec![])
            .unwrap();
    }

    #[test]
    fn every_commit_is_synced_in_a_write_ahead_log() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path(), DateTime::UNIX_EPOCH).unwrap().ledger;
        let connection = ledger.connection();
        let pragma = |name: &str| -> String {
            connection
                .query_row(&format!("SELECT {name} FROM pragma_{name}"), [], |row| {
                    row.get_ref(0).map(|value| match value.as_i64() {
                        Ok(number) => number.to_string(),
                        Err(_) => value.as_str().unwrap().to_owned(),
                    })
                })
                .unwrap()
        };
        let full = "2";
        assert_eq!(pragma("journal_mode"), "wal");
        assert_eq!(pragma("synchronous"), full);
        assert_eq!(pragma("foreign_keys"), "1");
    }
}
