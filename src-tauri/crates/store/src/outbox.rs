//! What waits for a target: rescued events, events asked to be sent once more, and the events after the cursor. What
//! a target refuses for good is set apart in the quarantine, and delivery goes on past it; nothing is dropped.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use crate::columns::{Number, Time, signed};
use crate::ledger::MOST_ROWS;
use crate::{Error, Ledger, Parcel, Quarantined, Queue};

/// Longest reason that is kept of a refusal, in characters.
const LONGEST_REASON: usize = 1000;

impl Ledger {
    /// The events of a queue that follow `after` (see [`Parcel::number`]), in order, as many as fit into both limits;
    /// one that alone exceeds the bytes comes by itself. `None`: from where the queue stands.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn parcels(
        &self,
        target: &str,
        queue: Queue,
        after: Option<u64>,
        count: u32,
        bytes: usize,
    ) -> Result<Vec<Parcel>, Error> {
        let mut parcels = Vec::new();
        self.hand_out(target, queue, after, count, bytes, |number, time, json| {
            parcels.push(Parcel {
                number,
                time,
                json: json.to_owned(),
            });
        })?;
        Ok(parcels)
    }

    /// [`parcels`](Self::parcels), each lent to `take` as it is read: number, time and event. A backlog is written into
    /// bodies without being kept beside them.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn hand_out(
        &self,
        target: &str,
        queue: Queue,
        after: Option<u64>,
        count: u32,
        bytes: usize,
        mut take: impl FnMut(u64, DateTime<Utc>, &str),
    ) -> Result<(), Error> {
        let connection = self.connection();
        // The cursor is read by the same statement: another program may have moved it.
        let mut statement = connection.prepare_cached(match queue {
            Queue::Rescued => {
                "SELECT number, time, json FROM rescued
                 WHERE delivered_at IS NULL AND reason IS NULL AND number > ?2 AND ?1 = ?1 ORDER BY number LIMIT ?3"
            }
            Queue::Again => {
                "SELECT seq, time, json FROM quarantine JOIN events USING (seq)
                 WHERE target = ?1 AND again AND seq > ?2 ORDER BY seq LIMIT ?3"
            }
            Queue::Events => {
                "SELECT seq, time, json FROM events
                 WHERE seq > max(?2, coalesce((SELECT cursor FROM deliveries WHERE target = ?1), 0))
                 ORDER BY seq LIMIT ?3"
            }
        })?;
        let mut taken = 0_usize;
        let after = signed(after.unwrap_or_default());
        let mut rows = statement.query(params![target, after, count.min(MOST_ROWS)])?;
        while let Some(row) = rows.next()? {
            let json = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
            let first = taken == 0;
            taken = taken.saturating_add(json.len());
            if taken > bytes && !first {
                break;
            }
            take(row.get::<_, Number>(0)?.0, row.get::<_, Time>(1)?.0, json);
        }
        Ok(())
    }

    /// Notes that the target took these, which [`parcels`](Self::parcels) handed out of one queue, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for an event that does not exist.
    pub fn accepted(
        &self,
        target: &str,
        queue: Queue,
        numbers: &[u64],
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(last) = numbers.last() else {
            return Ok(());
        };
        match queue {
            Queue::Events => self.advance(target, *last, at).map(drop),
            Queue::Rescued => self.write(|transaction| {
                let mut mark = transaction.prepare_cached(
                    "UPDATE rescued SET delivered_at = ?2, reason = NULL WHERE number = ?1",
                )?;
                for number in numbers {
                    mark.execute(params![signed(*number), Time(at)])?;
                }
                Ok(())
            }),
            Queue::Again => self.write(|transaction| {
                let mut out =
                    transaction.prepare_cached("DELETE FROM quarantine WHERE target = ?1 AND seq = ?2")?;
                for number in numbers {
                    out.execute(params![target, signed(*number)])?;
                }
                Ok(())
            }),
        }
    }

    /// Sets one event apart that the target refuses for good, and moves past it, in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when it is not the next one of its queue: what stands before it would be lost.
    pub fn refused(
        &self,
        target: &str,
        queue: Queue,
        number: u64,
        reason: &str,
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        let missing = || Error::Missing {
            what: "event",
            id: number.to_string(),
        };
        self.write(|transaction| {
            if queue == Queue::Rescued {
                let changed = transaction.execute(
                    "UPDATE rescued SET reason = ?2 WHERE number = ?1 AND delivered_at IS NULL",
                    params![signed(number), reason],
                )?;
                return if changed == 1 { Ok(()) } else { Err(missing()) };
            }
            if queue == Queue::Events {
                let next: i64 = transaction.query_row(
                    "SELECT coalesce((SELECT cursor FROM deliveries WHERE target = ?1), 0) + 1",
                    [target],
                    |row| row.get(0),
                )?;
                let exists: bool = transaction.query_row(
                    "SELECT EXISTS (SELECT 1 FROM events WHERE seq = ?1)",
                    [signed(number)],
                    |row| row.get(0),
                )?;
                if signed(number) != next || !exists {
                    return Err(missing());
                }
                transaction.execute(
                    "INSERT INTO deliveries (target, cursor, failures) VALUES (?1, ?2, 0)
                     ON CONFLICT (target) DO UPDATE SET cursor = excluded.cursor",
                    params![target, signed(number)],
                )?;
            }
            transaction.execute(
                "INSERT INTO quarantine (target, seq, reason, refused_at, attempts, again)
                 VALUES (?1, ?2, ?3, ?4, 1, 0)
                 ON CONFLICT DO UPDATE SET reason = excluded.reason, refused_at = excluded.refused_at,
                                           attempts = min(attempts + 1, 4294967295), again = 0",
                params![target, signed(number), reason, Time(at)],
            )?;
            Ok(())
        })
    }

    /// What a target refused, oldest first; at most 10,000.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn quarantined(&self, target: &str, limit: u32) -> Result<Vec<Quarantined>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT 0, number, time, json, reason, NULL, 1, 0 FROM rescued
             WHERE reason IS NOT NULL AND delivered_at IS NULL
             UNION ALL
             SELECT 1, seq, time, json, reason, refused_at, attempts, again
             FROM quarantine JOIN events USING (seq) WHERE target = ?1
             ORDER BY 1, 2 LIMIT ?2",
        )?;
        let rows = statement.query_map(params![target, limit.min(MOST_ROWS)], |row| {
            Ok(Quarantined {
                queue: match row.get(0)? {
                    0 => Queue::Rescued,
                    _ => Queue::Events,
                },
                number: row.get::<_, Number>(1)?.0,
                time: row.get::<_, Time>(2)?.0,
                json: row.get(3)?,
                reason: row.get(4)?,
                refused_at: row.get::<_, Option<Time>>(5)?.map(|time| time.0),
                attempts: row.get(6)?,
                again: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many events a target refused.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn quarantined_count(&self, target: &str) -> Result<u64, Error> {
        let count: Number = self
            .connection()
            .prepare_cached(
                "SELECT (SELECT count(*) FROM quarantine WHERE target = ?1)
                      + (SELECT count(*) FROM rescued WHERE reason IS NOT NULL AND delivered_at IS NULL)",
            )?
            .query_row([target], |row| row.get(0))?;
        Ok(count.0)
    }

    /// Asks for everything refused to be sent once more, or for the event of one number only, and returns how many
    /// that are.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn send_again(&self, target: &str, only: Option<u64>) -> Result<usize, Error> {
        self.write(|transaction| {
            let only = only.map(signed);
            let events = transaction.execute(
                "UPDATE quarantine SET again = 1 WHERE target = ?1 AND (?2 IS NULL OR seq = ?2)",
                params![target, only],
            )?;
            let rescued = match only {
                Some(_) => 0,
                None => transaction.execute(
                    "UPDATE rescued SET reason = NULL WHERE reason IS NOT NULL AND delivered_at IS NULL",
                    [],
                )?,
            };
            Ok(events + rescued)
        })
    }

    /// How many rescued events and events asked to be sent again wait for a target, beside those after its cursor.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn waiting_beside(&self, target: &str) -> Result<u64, Error> {
        let count: Option<Number> = self
            .connection()
            .prepare_cached(
                "SELECT (SELECT count(*) FROM quarantine WHERE target = ?1 AND again)
                      + (SELECT count(*) FROM rescued WHERE delivered_at IS NULL AND reason IS NULL)",
            )?
            .query_row([target], |row| row.get(0))
            .optional()?;
        Ok(count.map_or(0, |count| count.0))
    }

    /// Whether the event of a number waits in a target's quarantine.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn is_quarantined(&self, target: &str, seq: u64) -> Result<bool, Error> {
        Ok(self
            .connection()
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM quarantine WHERE target = ?1 AND seq = ?2)")?
            .query_row(params![target, signed(seq)], |row| row.get(0))?)
    }
}
