//! How values stand in columns.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::{EventOutcome, IntervalKind, Outcome, Stage};

/// RFC 3339 in UTC with milliseconds: sorts as text, reads the same everywhere.
pub(crate) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A moment that is kept in milliseconds since 1970.
pub(crate) fn moment(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
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
        let text = value.as_str()?;
        if let Some(time) = own(text.as_bytes()) {
            return Ok(Self(time));
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Time(time.to_utc()))
            .map_err(FromSqlError::other)
    }
}

/// Reads what [`rfc3339`] writes: a backlog is read row by row, and the general reader is most of a row's time.
fn own(text: &[u8]) -> Option<DateTime<Utc>> {
    let number = |from: usize, to: usize| {
        text.get(from..to)?.iter().try_fold(0_u32, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let signs = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (23, b'Z'),
    ];
    let fits = text.len() == 24 && signs.iter().all(|(at, sign)| text.get(*at) == Some(sign));
    let year = i32::try_from(number(0, 4)?).ok().filter(|_| fits)?;
    let date = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
    let time = date.and_hms_milli_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 23)?)?;
    Some(time.and_utc())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_read_as_it_was_written(ms in -62_000_000_000_000_i64..253_000_000_000_000) {
            let time = DateTime::from_timestamp_millis(ms).unwrap();
            prop_assert_eq!(own(rfc3339(time).as_bytes()), Some(time));
        }

        #[test]
        fn what_is_written_otherwise_is_left_to_the_general_reader(text in "[0-9TZ:.-]{23,25}") {
            let general = DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc());
            let own = own(text.as_bytes());
            prop_assert!(own.is_none() || own == general, "{text}");
        }
    }
}
