//! Events: appended, numbered without gaps, never changed.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, ffi, params};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::columns::{Number, Time, rfc3339, signed};
use crate::ledger::MOST_ROWS;
use crate::{Error, EventRow, Ledger, NewEvent, usage};

const COLUMNS: &str = "seq, event_id, time, action, outcome, account, op_id, server_id, json";

impl Ledger {
    /// Appends events in the given order, all or none, and returns them as numbered.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`] when an event id is taken, by an earlier event or by one in the same call.
    pub fn append(&self, events: Vec<NewEvent>) -> Result<Vec<EventRow>, Error> {
        self.write(|transaction| append(transaction, self.installation_id(), events))
    }

    /// Appends events and sets the setting that they were worked out from, all or nothing; `None`, and nothing is
    /// written, when that setting is no longer `before` or the last event no longer number `last_seq`: then somebody
    /// else was here meanwhile, and the events have to be worked out anew.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`] when an event id is taken.
    pub fn append_with_setting(
        &self,
        key: &str,
        before: Option<&str>,
        after: &str,
        last_seq: u64,
        events: Vec<NewEvent>,
    ) -> Result<Option<Vec<EventRow>>, Error> {
        self.write(|transaction| {
            let kept: Option<String> = transaction
                .prepare_cached("SELECT value FROM settings WHERE key = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()?;
            if kept.as_deref() != before || last(transaction)? != last_seq {
                return Ok(None);
            }
            transaction
                .prepare_cached(
                    "INSERT INTO settings (key, value) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                )?
                .execute([key, after])?;
            append(transaction, self.installation_id(), events).map(Some)
        })
    }

    /// Appends an event unless the setting `key` has this `value` already, and sets it, in one transaction: what is
    /// written once a day is written once, however many programs run.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn append_once(&self, key: &str, value: &str, event: NewEvent) -> Result<Option<EventRow>, Error> {
        self.write(|transaction| {
            let changed = transaction
                .prepare_cached(
                    "INSERT INTO settings (key, value) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
                )?
                .execute([key, value])?;
            if changed == 0 {
                return Ok(None);
            }
            Ok(append(transaction, self.installation_id(), vec![event])?.pop())
        })
    }

    /// Events, newest first: the last ones, or those before number `before_seq`. At most 10,000 at a time.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn events(&self, before_seq: Option<u64>, limit: u32) -> Result<Vec<EventRow>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"
        ))?;
        let below = before_seq.map_or(i64::MAX, signed);
        let rows = statement.query_map(params![below, limit.min(MOST_ROWS)], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The events that follow number `seq`, in order: as many as fit into both limits, the bytes counted over
    /// [`EventRow::json`]. An event that alone exceeds the bytes is still handed out, by itself, so that a reader who
    /// goes on from the last one always gets on. At most 10,000 at a time.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn events_after(
        &self,
        seq: u64,
        limit_count: u32,
        limit_bytes: usize,
    ) -> Result<Vec<EventRow>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        ))?;
        let mut fitting = Vec::new();
        let mut bytes = 0_usize;
        for event in statement.query_map(params![signed(seq), limit_count.min(MOST_ROWS)], read)? {
            let event = event?;
            bytes = bytes.saturating_add(event.json.len());
            if bytes > limit_bytes && !fitting.is_empty() {
                break;
            }
            fitting.push(event);
        }
        Ok(fitting)
    }

    /// Number of the last event, which is also how many there are.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn last_seq(&self) -> Result<u64, Error> {
        last(&self.connection())
    }
}

pub(crate) fn last(connection: &Connection) -> Result<u64, Error> {
    let last: Number = connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM events")?
        .query_row([], |row| row.get(0))?;
    Ok(last.0)
}

/// Numbers and writes events inside the caller's transaction. The number comes from the table and is taken by the
/// same transaction, so a number is used exactly when its event is kept.
pub(crate) fn append(
    transaction: &Transaction<'_>,
    installation_id: &str,
    events: Vec<NewEvent>,
) -> Result<Vec<EventRow>, Error> {
    let mut seq = last(transaction)?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO events (seq, event_id, time, action, outcome, account, op_id, server_id, json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        seq += 1;
        usage::follow(
            transaction,
            &event.action,
            event.outcome,
            event.time,
            event.server_id.as_deref(),
            &event.body,
        )?;
        let row = finish(event, seq, installation_id)?;
        insert
            .execute(params![
                signed(row.seq),
                row.event_id,
                Time(row.time),
                row.action,
                row.outcome,
                row.account,
                row.op_id,
                row.server_id,
                row.json,
            ])
            .map_err(|error| match error.sqlite_extended_error_code() {
                Some(ffi::SQLITE_CONSTRAINT_UNIQUE) => Error::Duplicate {
                    what: "event",
                    id: row.event_id.clone(),
                },
                _ => error.into(),
            })?;
        rows.push(row);
    }
    Ok(rows)
}

/// Makes the event's final text: what the ledger answers for, then the rest of the caller's body.
fn finish(event: NewEvent, seq: u64, installation_id: &str) -> Result<EventRow, Error> {
    let NewEvent {
        event_id,
        time,
        action,
        outcome,
        account,
        op_id,
        server_id,
        body,
    } = event;
    let json = serde_json::to_string(&Text {
        answered: [
            ("seq", Answer::Number(seq)),
            ("event_id", Answer::Word(&event_id)),
            ("time", Answer::Word(&rfc3339(time))),
            ("action", Answer::Word(&action)),
            ("outcome", Answer::Word(outcome.as_str())),
            ("op_id", op_id.as_deref().map_or(Answer::Nothing, Answer::Word)),
            (
                "server_id",
                server_id.as_deref().map_or(Answer::Nothing, Answer::Word),
            ),
            ("installation_id", Answer::Word(installation_id)),
        ],
        body: &body,
    })
    .map_err(|error| Error::Io(error.into()))?;
    Ok(EventRow {
        seq,
        event_id,
        time,
        action,
        outcome,
        account,
        op_id,
        server_id,
        json,
    })
}

/// The text as written, without first copying it together into one map: a burst is thousands of these.
struct Text<'a> {
    answered: [(&'static str, Answer<'a>); 8],
    body: &'a Map<String, Value>,
}

enum Answer<'a> {
    Number(u64),
    Word(&'a str),
    /// The ledger has nothing to say; the body's own value, if any, stands.
    Nothing,
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, answer) in &self.answered {
            match answer {
                Answer::Number(number) => map.serialize_entry(key, number)?,
                Answer::Word(word) => map.serialize_entry(key, word)?,
                Answer::Nothing => {}
            }
        }
        let answered = |key: &str| {
            self.answered
                .iter()
                .any(|(name, answer)| *name == key && !matches!(answer, Answer::Nothing))
        };
        for (key, value) in self.body {
            if !answered(key) {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        seq: row.get::<_, Number>(0)?.0,
        event_id: row.get(1)?,
        time: row.get::<_, Time>(2)?.0,
        action: row.get(3)?,
        outcome: row.get(4)?,
        account: row.get(5)?,
        op_id: row.get(6)?,
        server_id: row.get(7)?,
        json: row.get(8)?,
    })
}
