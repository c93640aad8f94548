//! Stretches as they lie in the file: by months of Asia/Shanghai, 16 bytes each; what goes on, 24.

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};

/// Asia/Shanghai keeps one offset the whole year.
pub(crate) const SHANGHAI_MS: i64 = 8 * 3600 * 1000;
pub(crate) const HOUR_MS: i64 = 3600 * 1000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

const RUNS: u32 = 1 << 31;
const PACKED: usize = 16;
const LASTING: usize = 24;

/// A stretch inside one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed {
    pub server: u32,
    pub standing: u32,
    pub runs: bool,
    pub from: i64,
    pub to: i64,
}

/// Number of a month: 12 × year + month - 1.
pub(crate) fn month_of(ms: i64) -> i64 {
    month_of_date(date(ms))
}

pub(crate) fn month_of_date(date: NaiveDate) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month0())
}

/// The first day of a month.
pub(crate) fn first_day(month: i64) -> NaiveDate {
    let year = i32::try_from(month.div_euclid(12)).unwrap_or_default();
    let nth = u32::try_from(month.rem_euclid(12)).unwrap_or_default();
    NaiveDate::from_ymd_opt(year, nth + 1, 1).unwrap_or_default()
}

/// When a day begins in Asia/Shanghai.
pub(crate) fn start(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis() - SHANGHAI_MS
}

/// When a month begins and ends there.
pub(crate) fn bounds(month: i64) -> (i64, i64) {
    let first = first_day(month);
    let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
    (start(first), start(next))
}

/// The day there.
pub(crate) fn date(ms: i64) -> NaiveDate {
    DateTime::<Utc>::from_timestamp_millis(ms.saturating_add(SHANGHAI_MS))
        .unwrap_or_default()
        .date_naive()
}

pub(crate) fn write(month: i64, stretches: &[Packed]) -> Vec<u8> {
    let (begin, _) = bounds(month);
    let mut data = Vec::with_capacity(stretches.len() * PACKED);
    for stretch in stretches {
        let short = |at: i64| u32::try_from(at - begin).unwrap_or(u32::MAX).to_le_bytes();
        data.extend(stretch.server.to_le_bytes());
        data.extend((stretch.standing | if stretch.runs { RUNS } else { 0 }).to_le_bytes());
        data.extend(short(stretch.from));
        data.extend(short(stretch.to));
    }
    data
}

/// Reads a month; whatever is behind the last whole stretch is passed over.
pub(crate) fn read(month: i64, data: &[u8]) -> impl Iterator<Item = Packed> {
    let (begin, _) = bounds(month);
    data.as_chunks::<PACKED>().0.iter().map(move |chunk| {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *chunk;
        let standing = u32::from_le_bytes([e, f, g, h]);
        Packed {
            server: u32::from_le_bytes([a, b, c, d]),
            standing: standing & !RUNS,
            runs: standing & RUNS != 0,
            from: begin + i64::from(u32::from_le_bytes([i, j, k, l])),
            to: begin + i64::from(u32::from_le_bytes([m, n, o, p])),
        }
    })
}

pub(crate) fn write_lasting(stretches: &[Packed]) -> Vec<u8> {
    let mut data = Vec::with_capacity(stretches.len() * LASTING);
    for stretch in stretches {
        data.extend(stretch.server.to_le_bytes());
        data.extend((stretch.standing | if stretch.runs { RUNS } else { 0 }).to_le_bytes());
        data.extend(stretch.from.to_le_bytes());
        data.extend(stretch.to.to_le_bytes());
    }
    data
}

pub(crate) fn read_lasting(data: &[u8]) -> impl Iterator<Item = Packed> {
    data.as_chunks::<LASTING>().0.iter().map(|chunk| {
        let (words, _) = chunk.as_chunks::<4>();
        let word = |at: usize| words.get(at).copied().map_or(0, u32::from_le_bytes);
        let long = |at: usize| {
            let (low, high) = (u64::from(word(at)), u64::from(word(at + 1)));
            (low | high << 32).cast_signed()
        };
        Packed {
            server: word(0),
            standing: word(1) & !RUNS,
            runs: word(1) & RUNS != 0,
            from: long(2),
            to: long(4),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_is_read_back(
            month in 2000 * 12_i64..2199 * 12, server: u32, standing in 0_u32..1 << 31, runs: bool,
            from in 0.0..1.0_f64, to in 0.0..1.0_f64,
        ) {
            let (begin, end) = bounds(month);
            let at = |part: f64| begin + ((end - begin) as f64 * part) as i64;
            let stretch = Packed { server, standing, runs, from: at(from), to: at(to) };
            prop_assert_eq!(read(month, &write(month, &[stretch])).collect::<Vec<_>>(), [stretch]);
            prop_assert_eq!(month_of(stretch.from), month);
            let lasting = Packed { to: i64::MAX, ..stretch };
            prop_assert_eq!(read_lasting(&write_lasting(&[lasting])).collect::<Vec<_>>(), [lasting]);
        }
    }

    #[test]
    fn months_begin_at_midnight_in_shanghai() {
        let (begin, end) = bounds(month_of_date(NaiveDate::from_ymd_opt(2026, 2, 1).unwrap()));
        assert_eq!(
            crate::columns::moment(begin).to_string(),
            "2026-01-31 16:00:00 UTC"
        );
        assert_eq!((end - begin) / DAY_MS, 28);
        assert_eq!(date(begin - 1).to_string(), "2026-01-31");
    }
}
