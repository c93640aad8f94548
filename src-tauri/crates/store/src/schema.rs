//! The tables, as steps that only ever go forward. `PRAGMA user_version` counts the steps that a file has taken.
//!
//! A step that was published never changes; a change is a further step.

use rusqlite::{Connection, TransactionBehavior};

use crate::{Error, usage};

/// The step that begins to keep usage: what was kept before is counted once, then.
const USAGE: i64 = 2;

const STEPS: &[&str] = &[
    // 1: everything that the first path needs.
    r#"
    CREATE TABLE installation (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id  TEXT NOT NULL
    ) STRICT;

    CREATE TABLE settings (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE accounts (
        id           TEXT PRIMARY KEY,
        name         TEXT NOT NULL,
        region       TEXT NOT NULL,
        project_id   TEXT NOT NULL,
        account_id   TEXT NOT NULL,
        account_name TEXT NOT NULL,
        user_id      TEXT NOT NULL,
        user_name    TEXT NOT NULL,
        remember     INTEGER NOT NULL,
        created_at   TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- No reference to accounts: what was done stays on record after its account is removed.
    CREATE TABLE operations (
        number       INTEGER PRIMARY KEY,
        id           TEXT NOT NULL UNIQUE,
        kind         TEXT NOT NULL,
        account      TEXT NOT NULL,
        server_id    TEXT,
        server_name  TEXT NOT NULL,
        client_token TEXT,
        request      TEXT NOT NULL,
        stage        TEXT NOT NULL,
        job_id       TEXT,
        outcome      TEXT,
        error        TEXT,
        detail       TEXT NOT NULL,
        recorded_at  TEXT NOT NULL,
        sent_at      TEXT,
        settled_at   TEXT,
        CHECK ((stage = 'settled') = (outcome IS NOT NULL)),
        CHECK ((stage = 'settled') = (settled_at IS NOT NULL))
    ) STRICT;

    -- Asked for at every start and by every refresh, while settled operations only grow in number.
    CREATE INDEX operations_unsettled ON operations (number) WHERE stage <> 'settled';

    CREATE TABLE events (
        seq       INTEGER PRIMARY KEY CHECK (seq > 0),
        event_id  TEXT NOT NULL UNIQUE,
        time      TEXT NOT NULL,
        action    TEXT NOT NULL,
        outcome   TEXT NOT NULL,
        account   TEXT,
        op_id     TEXT,
        server_id TEXT,
        json      TEXT NOT NULL
    ) STRICT;

    CREATE TRIGGER events_without_gaps BEFORE INSERT ON events
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM events)
    BEGIN SELECT raise(ABORT, 'events are numbered without gaps'); END;

    CREATE TRIGGER events_never_change BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'events never change'); END;

    CREATE TRIGGER events_never_go BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'events are never deleted'); END;

    CREATE TABLE deliveries (
        target       TEXT PRIMARY KEY,
        cursor       INTEGER NOT NULL CHECK (cursor >= 0),
        delivered_at TEXT,
        last_error   TEXT,
        failed_at    TEXT,
        failures     INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE server_lists (
        account TEXT PRIMARY KEY,
        as_of   TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE servers (
        account  TEXT NOT NULL REFERENCES server_lists (account) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        id       TEXT NOT NULL,
        json     TEXT NOT NULL,
        PRIMARY KEY (account, position)
    ) STRICT, WITHOUT ROWID;
    "#,
    // 2: what a receiver refuses, what was saved from a damaged file, and how long servers were there.
    r#"
    CREATE TABLE quarantine (
        target     TEXT NOT NULL,
        seq        INTEGER NOT NULL REFERENCES events (seq),
        reason     TEXT NOT NULL,
        refused_at TEXT NOT NULL,
        attempts   INTEGER NOT NULL,
        again      INTEGER NOT NULL,
        PRIMARY KEY (target, seq)
    ) STRICT, WITHOUT ROWID;

    -- Events of another installation's numbers: of the file that was here before and was damaged.
    CREATE TABLE rescued (
        number       INTEGER PRIMARY KEY,
        event_id     TEXT NOT NULL UNIQUE,
        time         TEXT NOT NULL,
        json         TEXT NOT NULL,
        delivered_at TEXT,
        reason       TEXT
    ) STRICT;

    CREATE INDEX rescued_waiting ON rescued (number) WHERE delivered_at IS NULL AND reason IS NULL;

    -- One row for each server that exists now, and since when it is as it is.
    CREATE TABLE present (
        server_id     TEXT PRIMARY KEY,
        owner_id      TEXT NOT NULL,
        owner         TEXT NOT NULL,
        flavor        TEXT NOT NULL,
        region        TEXT NOT NULL,
        price         TEXT NOT NULL,
        currency      TEXT NOT NULL,
        disk_gb       INTEGER NOT NULL,
        disks         TEXT NOT NULL,
        exists_since  INTEGER NOT NULL,
        running_since INTEGER
    ) STRICT, WITHOUT ROWID;

    -- Stretches of time that are over, in milliseconds since 1970.
    CREATE TABLE intervals (
        number    INTEGER PRIMARY KEY,
        server_id TEXT NOT NULL,
        kind      TEXT NOT NULL CHECK (kind IN ('exists', 'running')),
        began     INTEGER NOT NULL,
        ended     INTEGER NOT NULL,
        owner_id  TEXT NOT NULL,
        flavor    TEXT NOT NULL,
        region    TEXT NOT NULL,
        disk_gb   INTEGER NOT NULL,
        price     TEXT NOT NULL,
        currency  TEXT NOT NULL
    ) STRICT;

    CREATE INDEX intervals_by_server ON intervals (server_id, began);

    -- The same by day (Asia/Shanghai), owner, flavor, region and currency. Money is kept as price times milliseconds:
    -- nothing is rounded before it is shown.
    CREATE TABLE rollups (
        day        TEXT NOT NULL,
        owner_id   TEXT NOT NULL,
        flavor     TEXT NOT NULL,
        region     TEXT NOT NULL,
        currency   TEXT NOT NULL,
        owner      TEXT NOT NULL,
        exists_ms  INTEGER NOT NULL,
        running_ms INTEGER NOT NULL,
        disk_gb_ms INTEGER NOT NULL,
        price_ms   TEXT NOT NULL,
        PRIMARY KEY (day, owner_id, flavor, region, currency)
    ) STRICT, WITHOUT ROWID;
    "#,
    // 3: what was asked for and is not wanted any more.
    r#"
    ALTER TABLE operations ADD COLUMN cancel_asked_at TEXT;
    "#,
];

/// The schema version that this program writes.
pub(crate) fn known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The schema version of an open file; 0 for a fresh one.
pub(crate) fn found(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Takes the steps that the file has not taken yet, each whole or not at all.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let found = found(connection)?;
    let taken =
        usize::try_from(found).map_err(|_| Error::Damaged(format!("its schema version is {found}")))?;
    for (step, version) in STEPS.iter().zip(1_i64..).skip(taken) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        if version == USAGE {
            usage::rebuild(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
        tracing::info!(version, "ledger schema brought forward");
    }
    Ok(())
}
