//! How values stand in columns.

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::{EventOutcome, IntervalKind, Outcome, Stage};

/// RFC 3339 in UTC with milliseconds: sorts as text, reads the same everywhere.
pub(crate) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A moment as a column.
pub(crate) struct Time(pub(crate) DateTime<Utc>);

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(rfc3339(self.0).into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        DateTime::parse_from_rfc3339(value.as_str()?)
            .map(|time| Time(time.to_utc()))
            .map_err(FromSqlError::other)
    }
}

/// Row numbers and counts: SQLite's integers are signed. No file holds enough rows for the two to differ.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A row number or count.
pub(crate) struct Number(pub(crate) u64);

impl FromSql for Number {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number)
            .map(Number)
            .map_err(|_| FromSqlError::OutOfRange(number))
    }
}

macro_rules! word {
    ($type:ty) => {
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <$type>::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
            }
        }
    };
}

word!(Stage);
word!(Outcome);
word!(EventOutcome);
word!(IntervalKind);
