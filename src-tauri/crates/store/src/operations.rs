//! Operations: recorded before they are sent, settled once, together with their events.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use crate::columns::Time;
use crate::ledger::MOST_ROWS;
use crate::{Error, EventRow, Ledger, NewEvent, NewOperation, Operation, Outcome, Stage, events};

const COLUMNS: &str = "id, kind, account, server_id, server_name, client_token, request, stage, job_id, outcome, \
                       error, detail, recorded_at, sent_at, settled_at, cancel_asked_at";

impl Ledger {
    /// Writes an operation down, durably. Only after this may anything be sent for it.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`] when the id is taken; [`Error::Full`] and [`Error::ReadOnly`] mean that it must not be
    /// sent.
    pub fn record(&self, operation: &NewOperation) -> Result<(), Error> {
        self.write(|transaction| {
            let inserted = transaction
                .prepare_cached(
                    "INSERT INTO operations (id, kind, account, server_id, server_name, client_token, request, \
                                             stage, detail, recorded_at)
                     VALUES (:id, :kind, :account, :server_id, :server_name, :client_token, :request, \
                             :stage, :detail, :recorded_at)
                     ON CONFLICT (id) DO NOTHING",
                )?
                .execute(named_params! {
                    ":id": operation.id,
                    ":kind": operation.kind,
                    ":account": operation.account,
                    ":server_id": operation.server_id,
                    ":server_name": operation.server_name,
                    ":client_token": operation.client_token,
                    ":request": operation.request,
                    ":stage": Stage::Recorded,
                    ":detail": operation.detail,
                    ":recorded_at": Time(operation.recorded_at),
                })?;
            match inserted {
                0 => Err(Error::Duplicate { what: "operation", id: operation.id.clone() }),
                _ => Ok(()),
            }
        })
    }

    /// Notes that the other side accepted the request, and the ids that it answered with.
    ///
    /// May be called again as more becomes known: a given id replaces the one on record, an absent one leaves it,
    /// and the first time stays.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::AlreadySettled`].
    pub fn mark_sent(
        &self,
        id: &str,
        server_id: Option<&str>,
        job_id: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.write(|transaction| {
            let changed = transaction
                .prepare_cached(
                    "UPDATE operations
                     SET stage = 'sent', server_id = coalesce(?2, server_id), job_id = coalesce(?3, job_id),
                         sent_at = coalesce(sent_at, ?4)
                     WHERE id = ?1 AND stage <> 'settled'",
                )?
                .execute(params![id, server_id, job_id, Time(at)])?;
            changed_one(transaction, id, changed)
        })
    }

    /// Replaces an unsettled operation's notes (JSON text).
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::AlreadySettled`].
    pub fn set_detail(&self, id: &str, detail: &str) -> Result<(), Error> {
        self.write(|transaction| {
            let changed = transaction
                .prepare_cached("UPDATE operations SET detail = ?2 WHERE id = ?1 AND stage <> 'settled'")?
                .execute(params![id, detail])?;
            changed_one(transaction, id, changed)
        })
    }

    /// Notes that an operation is not wanted any more; false when the other side took it already. The first time stays.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub fn ask_cancel(&self, id: &str, at: DateTime<Utc>) -> Result<bool, Error> {
        self.write(|transaction| {
            let changed = transaction
                .prepare_cached(
                    "UPDATE operations SET cancel_asked_at = coalesce(cancel_asked_at, ?2)
                     WHERE id = ?1 AND stage = 'recorded'",
                )?
                .execute(params![id, Time(at)])?;
            match changed_one(transaction, id, changed) {
                Ok(()) => Ok(true),
                Err(Error::AlreadySettled { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    /// Ends an operation and appends its events, all of it or nothing, and returns the events as numbered.
    ///
    /// `error` is JSON text of what went wrong. Events without an `op_id` get this operation's.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::AlreadySettled`] on the second call, [`Error::Duplicate`] when an event id is
    /// taken. Whatever the error, nothing was written.
    pub fn settle(
        &self,
        id: &str,
        outcome: Outcome,
        error: Option<&str>,
        at: DateTime<Utc>,
        mut events: Vec<NewEvent>,
    ) -> Result<Vec<EventRow>, Error> {
        for event in &mut events {
            event.op_id.get_or_insert_with(|| id.to_owned());
        }
        self.write(|transaction| {
            let changed = transaction
                .prepare_cached(
                    "UPDATE operations SET stage = 'settled', outcome = ?2, error = ?3, settled_at = ?4
                     WHERE id = ?1 AND stage <> 'settled'",
                )?
                .execute(params![id, outcome, error, Time(at)])?;
            changed_one(transaction, id, changed)?;
            events::append(transaction, self.installation_id(), events)
        })
    }

    /// One operation.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles; an unknown id is `None`.
    pub fn operation(&self, id: &str) -> Result<Option<Operation>, Error> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS} FROM operations WHERE id = ?1"))?;
        Ok(statement.query_row([id], read).optional()?)
    }

    /// Operations, last recorded first: the newest ones, or those recorded before the operation `before`.
    /// At most 10,000 at a time.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no operation `before`.
    pub fn operations(&self, limit: u32, before: Option<&str>) -> Result<Vec<Operation>, Error> {
        let connection = self.connection();
        let below = match before {
            None => i64::MAX,
            Some(id) => connection
                .prepare_cached("SELECT number FROM operations WHERE id = ?1")?
                .query_row([id], |row| row.get(0))
                .optional()?
                .ok_or_else(|| Error::Missing {
                    what: "operation",
                    id: id.to_owned(),
                })?,
        };
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM operations WHERE number < ?1 ORDER BY number DESC LIMIT ?2"
        ))?;
        let rows = statement.query_map(params![below, limit.min(MOST_ROWS)], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every operation that has not ended, first recorded first: what has to be taken up again after a start.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn unsettled(&self) -> Result<Vec<Operation>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM operations WHERE stage <> 'settled' ORDER BY number"
        ))?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Says why an update found nothing to change: there is no such operation, or it is further already.
fn changed_one(connection: &Connection, id: &str, changed: usize) -> Result<(), Error> {
    if changed > 0 {
        return Ok(());
    }
    let exists: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM operations WHERE id = ?1)")?
        .query_row([id], |row| row.get(0))?;
    Err(match exists {
        true => Error::AlreadySettled { id: id.to_owned() },
        false => Error::Missing {
            what: "operation",
            id: id.to_owned(),
        },
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Operation> {
    Ok(Operation {
        id: row.get("id")?,
        kind: row.get("kind")?,
        account: row.get("account")?,
        server_id: row.get("server_id")?,
        server_name: row.get("server_name")?,
        client_token: row.get("client_token")?,
        request: row.get("request")?,
        stage: row.get("stage")?,
        job_id: row.get("job_id")?,
        outcome: row.get("outcome")?,
        error: row.get("error")?,
        detail: row.get("detail")?,
        recorded_at: row.get::<_, Time>("recorded_at")?.0,
        sent_at: row.get::<_, Option<Time>>("sent_at")?.map(|time| time.0),
        settled_at: row.get::<_, Option<Time>>("settled_at")?.map(|time| time.0),
        cancel_asked_at: row.get::<_, Option<Time>>("cancel_asked_at")?.map(|time| time.0),
    })
}
