//! The rules of a lease: the agreement that a server ends at a moment, kept by the cloud itself
//! (`auto_terminate_time`, <https://support.huaweicloud.com/api-ecs/ecs_02_0290.html>).

use chrono::{DateTime, Months, SubsecRound, TimeDelta, Timelike, Utc};

use crate::failure::{Code, Failure, Result};

/// The cloud refuses an end that is nearer than this.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(30);
/// What we ask for at least: the cloud's minimum and two minutes for the way there, so that a request which
/// we let through is not refused there.
pub const SHORTEST_ASKED: TimeDelta = TimeDelta::minutes(32);
/// The cloud refuses an end that is as far away as this.
pub const LONGEST_MONTHS: u32 = 36;

/// The moment as the cloud will keep it: seconds cut off.
///
/// `cloud_now` is the cloud's clock, because the cloud's rules are measured on it.
///
/// # Errors
/// `LeaseTooShort` and `LeaseTooLong`.
pub fn check_end(end: DateTime<Utc>, cloud_now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let end = end.trunc_subsecs(0).with_second(0).unwrap_or(end);
    if end < cloud_now + SHORTEST_ASKED {
        return Err(Failure::new(Code::LeaseTooShort).with("minutes", SHORTEST_ASKED.num_minutes()));
    }
    let furthest = cloud_now
        .checked_add_months(Months::new(LONGEST_MONTHS))
        .unwrap_or(DateTime::<Utc>::MAX_UTC);
    if end >= furthest {
        return Err(Failure::new(Code::LeaseTooLong).with("years", LONGEST_MONTHS / 12));
    }
    Ok(end)
}

/// How long before a lease's end it is warned of, nearest first.
pub const WARNINGS: [TimeDelta; 3] = [
    TimeDelta::minutes(10),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
];

/// The nearest warning that is due, in minutes; none when the end is farther away than all of them, or past.
pub(crate) fn warning_due(end: DateTime<Utc>, cloud_now: DateTime<Utc>) -> Option<i64> {
    let left = end - cloud_now;
    if left <= TimeDelta::zero() {
        return None;
    }
    WARNINGS
        .iter()
        .find(|before| left <= **before)
        .map(TimeDelta::num_minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn seconds_are_cut_off_as_the_cloud_does() {
        let end = check_end(at("2026-01-02T12:34:56.789Z"), at("2026-01-02T03:00:00Z")).unwrap();
        assert_eq!(end, at("2026-01-02T12:34:00Z"));
    }

    #[test]
    fn an_end_nearer_than_the_clouds_minimum_is_refused_here() {
        let refused = check_end(at("2026-01-02T03:31:00Z"), at("2026-01-02T03:00:00Z")).unwrap_err();
        assert_eq!(refused.code, Code::LeaseTooShort);
    }

    #[test]
    fn an_end_in_three_years_is_refused_here() {
        let refused = check_end(at("2029-01-02T03:00:00Z"), at("2026-01-02T03:00:00Z")).unwrap_err();
        assert_eq!(refused.code, Code::LeaseTooLong);
        assert!(check_end(at("2029-01-02T02:59:00Z"), at("2026-01-02T03:00:00Z")).is_ok());
    }
}
