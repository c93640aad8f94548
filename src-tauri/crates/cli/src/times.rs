//! Moments and lengths of time as people read them: in this computer's time zone, with how far away they are. Programs get
//! them as they are, in UTC.

use api::Tongue;
use chrono::{DateTime, Local, TimeDelta, TimeZone, Utc};

use crate::session::now;
use crate::words::{safe, say};

/// To the minute; enough for what a person plans with.
const MINUTE: &str = "%Y-%m-%d %H:%M";
/// To the second; for what is read in its order.
const SECOND: &str = "%Y-%m-%d %H:%M:%S";

/// A moment to the second. What is no moment stays as it is.
pub fn moment(raw: &str) -> String {
    match raw.parse::<DateTime<Utc>>() {
        Ok(moment) => written(moment, &Local, SECOND),
        Err(_) => safe(raw),
    }
}

/// A moment to the minute, with how long it is until then, or since. What is no moment stays as it is.
pub fn with_distance(tongue: Tongue, raw: &str) -> String {
    match raw.parse::<DateTime<Utc>>() {
        Ok(moment) => {
            let (open, close) = match tongue {
                Tongue::Chinese => ("（", "）"),
                Tongue::English => (" (", ")"),
            };
            format!(
                "{}{open}{}{close}",
                written(moment, &Local, MINUTE),
                distance(tongue, moment, now())
            )
        }
        Err(_) => safe(raw),
    }
}

fn written<Z: TimeZone>(moment: DateTime<Utc>, zone: &Z, form: &str) -> String
where
    Z::Offset: std::fmt::Display,
{
    moment.with_timezone(zone).format(form).to_string()
}

/// How long it is until a moment, or since.
fn distance(tongue: Tongue, moment: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let away = moment.signed_duration_since(now);
    if away.abs() < TimeDelta::minutes(1) {
        return say(tongue, "不到 1 分钟", "less than a minute").to_owned();
    }
    let length = length(tongue, away.abs());
    match (tongue, away > TimeDelta::zero()) {
        (Tongue::Chinese, true) => format!("还有 {length}"),
        (Tongue::Chinese, false) => format!("{length}前"),
        (Tongue::English, true) => format!("in {length}"),
        (Tongue::English, false) => format!("{length} ago"),
    }
}

/// The two largest units that say something; what is below them is left off.
fn length(tongue: Tongue, length: TimeDelta) -> String {
    let units = [
        (length.num_days(), say(tongue, "天", "d")),
        (length.num_hours() % 24, say(tongue, "小时", "h")),
        (length.num_minutes() % 60, say(tongue, "分钟", "min")),
    ];
    let parts: Vec<String> = units
        .into_iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count != 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_is_written_in_the_time_zone_of_whoever_reads_it() {
        let shanghai = FixedOffset::east_opt(8 * 3600).unwrap();
        let moment = at("2026-11-24T18:19:05Z");
        assert_eq!(written(moment, &shanghai, MINUTE), "2026-11-25 02:19");
        assert_eq!(written(moment, &shanghai, SECOND), "2026-11-25 02:19:05");
    }

    #[test]
    fn the_time_left_is_told_in_two_units_and_never_as_more_than_it_is() {
        let now = at("2026-11-25T02:20:01Z");
        let english = |moment| distance(Tongue::English, at(moment), now);
        assert_eq!(english("2026-11-25T10:20:00Z"), "in 7 h 59 min");
        assert_eq!(english("2026-11-25T10:20:01Z"), "in 8 h");
        assert_eq!(english("2026-11-28T05:59:00Z"), "in 3 d 3 h");
        assert_eq!(english("2026-11-25T02:20:30Z"), "less than a minute");
        assert_eq!(english("2026-11-25T02:15:00Z"), "5 min ago");
        let chinese = |moment| distance(Tongue::Chinese, at(moment), now);
        assert_eq!(chinese("2026-11-25T10:20:00Z"), "还有 7 小时 59 分钟");
        assert_eq!(chinese("2026-11-24T02:20:00Z"), "1 天前");
    }

    #[test]
    fn what_is_no_moment_stays_and_cannot_harm_a_terminal() {
        assert_eq!(moment("soon"), "soon");
        assert_eq!(with_distance(Tongue::English, "a\u{1b}b"), "a\\u{1b}b");
        assert_eq!(moment(""), "");
    }
}
