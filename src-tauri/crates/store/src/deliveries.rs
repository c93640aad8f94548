//! Deliveries: how far each target has been told. The outbox is the sequence of events itself.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{Number, Time, signed};
use crate::{Delivery, Error, Ledger, events};

/// Longest reason that is kept of a failure, in characters.
const LONGEST_REASON: usize = 1000;

impl Ledger {
    /// How far `target` has been told. A target that was never heard of stands at the beginning.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn delivery(&self, target: &str) -> Result<Delivery, Error> {
        read(&self.connection(), target)
    }

    /// Notes that `target` accepted everything up to and including number `to_seq`, and returns how it stands.
    ///
    /// The cursor never goes back: a lower number counts as a success and leaves it where it is.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no event `to_seq` yet, because skipping events to come would lose them.
    pub fn advance(&self, target: &str, to_seq: u64, at: DateTime<Utc>) -> Result<Delivery, Error> {
        self.write(|transaction| {
            if to_seq > events::last(transaction)? {
                return Err(Error::Missing {
                    what: "event",
                    id: to_seq.to_string(),
                });
            }
            transaction
                .prepare_cached(
                    "INSERT INTO deliveries (target, cursor, delivered_at, failures) VALUES (?1, ?2, ?3, 0)
                     ON CONFLICT (target) DO UPDATE
                     SET cursor = max(cursor, excluded.cursor), delivered_at = excluded.delivered_at,
                         last_error = NULL, failed_at = NULL, failures = 0",
                )?
                .execute(params![target, signed(to_seq), Time(at)])?;
            read(transaction, target)
        })
    }

    /// Notes that an attempt to tell `target` failed and why (a sentence without secrets; kept up to 1,000
    /// characters), and returns how it stands. The cursor stays.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn note_failure(&self, target: &str, error: &str, at: DateTime<Utc>) -> Result<Delivery, Error> {
        let reason: String = error.chars().take(LONGEST_REASON).collect();
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO deliveries (target, cursor, last_error, failed_at, failures)
                     VALUES (?1, 0, ?2, ?3, 1)
                     ON CONFLICT (target) DO UPDATE
                     SET last_error = excluded.last_error, failed_at = excluded.failed_at,
                         failures = min(failures + 1, 4294967295)",
                )?
                .execute(params![target, reason, Time(at)])?;
            read(transaction, target)
        })
    }

    /// How many events `target` has not been told yet.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn waiting(&self, target: &str) -> Result<u64, Error> {
        let connection = self.connection();
        // No counting: numbers have no gaps.
        Ok(events::last(&connection)?.saturating_sub(read(&connection, target)?.cursor))
    }
}

fn read(connection: &Connection, target: &str) -> Result<Delivery, Error> {
    let found = connection
        .prepare_cached(
            "SELECT cursor, delivered_at, last_error, failed_at, failures FROM deliveries WHERE target = ?1",
        )?
        .query_row([target], |row| {
            Ok(Delivery {
                cursor: row.get::<_, Number>(0)?.0,
                delivered_at: row.get::<_, Option<Time>>(1)?.map(|time| time.0),
                last_error: row.get(2)?,
                failed_at: row.get::<_, Option<Time>>(3)?.map(|time| time.0),
                failures: row.get(4)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}
