//! Where facts come from, how old and how whole they are.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::Tally;
use crate::Error;
use crate::columns::{Number, moment};

/// One source of facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// `ledger` for this installation's own; otherwise what its batches say.
    pub name: String,
    /// Where it goes on, in the source's own words.
    pub position: Option<String>,
    /// When the last batch was taken.
    pub taken_at: Option<DateTime<Utc>>,
    /// The earliest moment that one of its facts tells of.
    pub first: Option<DateTime<Utc>>,
    /// The latest.
    pub last: Option<DateTime<Utc>>,
    /// Facts that it told first.
    pub facts: u64,
    /// Facts of it that were there already.
    pub doubled: u64,
    /// Rows of it that could not be read.
    pub unreadable: u64,
    /// It had no more when it was asked last.
    pub complete: bool,
}

pub(super) const COLUMNS: &str =
    "name, position, taken_at, first_at, last_at, facts, doubled, unreadable, complete";

impl Tally {
    /// All sources.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn sources(&self) -> Result<Vec<Source>, Error> {
        let inner = self.inner();
        let mut statement = inner
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM sources ORDER BY name"))?;
        Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
    }

    /// One source, if anything was taken from it.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn source(&self, name: &str) -> Result<Option<Source>, Error> {
        find(&self.inner().connection, name)
    }
}

pub(super) fn find(connection: &Connection, name: &str) -> Result<Option<Source>, Error> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM sources WHERE name = ?1"))?
        .query_row([name], read)
        .optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Source> {
    let time = |at: Option<i64>| at.map(moment);
    Ok(Source {
        name: row.get(0)?,
        position: row.get(1)?,
        taken_at: time(row.get(2)?),
        first: time(row.get(3)?),
        last: time(row.get(4)?),
        facts: row.get::<_, Number>(5)?.0,
        doubled: row.get::<_, Number>(6)?.0,
        unreadable: row.get::<_, Number>(7)?.0,
        complete: row.get(8)?,
    })
}
