//! What the lines of a bill say: who used what for how long at which price, cut into hours, days or months of GMT+8.
//!
//! All lines come from the record of usage, so a bill is the same whenever it is asked for; only the examples of the time before the
//! sandbox's first start were put there when the world was made. Each hour's amount is rounded by itself and days and months
//! are sums of hours, so all views of a bill agree.

use chrono::{DateTime, Datelike, DurationRound, FixedOffset, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::super::{Result, SERVICE_TYPES, bad};
use crate::{
    catalogue::{self, Os},
    world::{Good, Region, Stretch, World},
};

/// Digits of one hour's amount.
const DIGITS: u32 = 8;
const PAY_PER_USE: u32 = 3;
pub(super) const BY_PERIOD: u32 = 1;
/// What a spot server costs of the list price. The cloud's market price changes; this one is an example.
const SPOT_SHARE: Decimal = Decimal::from_parts(3, 0, 0, false, 1);

/// How finely a bill is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Month,
    Day,
    Hour,
}

impl Cut {
    pub(super) fn read(number: u32) -> Result<Self> {
        match number {
            1 => Ok(Self::Month),
            2 => Ok(Self::Day),
            3 => Ok(Self::Hour),
            _ => Err(bad("statistic_type")),
        }
    }
}

/// What one thing cost in one hour, day or month.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    pub(super) region: &'a Region,
    pub(super) what: &'a Stretch,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    /// Hours or GB.
    pub(super) usage: Decimal,
    pub(super) list: Decimal,
    pub(super) paid: Decimal,
    pub(super) mode: u32,
}

impl Line<'_> {
    pub(super) fn date(&self) -> NaiveDate {
        self.from.with_timezone(&beijing()).date_naive()
    }

    pub(super) fn bill_type(&self) -> u32 {
        if self.mode == BY_PERIOD { 1 } else { 5 }
    }

    pub(super) fn id(&self) -> String {
        let text = format!(
            "{}|{:?}|{}",
            self.what.resource_id,
            self.what.good,
            self.from.timestamp()
        );
        hex::encode(Sha256::digest(text)).chars().take(32).collect()
    }
}

/// Codes and names of a good.
pub(super) struct Names {
    pub(super) service: &'static str,
    pub(super) service_name: &'static str,
    pub(super) resource: &'static str,
    pub(super) resource_name: &'static str,
}

pub(super) fn names(good: Good, english: bool) -> Names {
    let (position, resource, chinese, name) = match good {
        Good::Server => (0, "hws.resource.type.vm", "云主机", "VM"),
        Good::Disk => (1, "hws.resource.type.volume", "云硬盘", "Disk"),
        Good::Bandwidth | Good::Traffic => (2, "hws.resource.type.bandwidth", "带宽", "Bandwidth"),
        Good::IdleAddress => (2, "hws.resource.type.ip", "弹性公网IP", "Elastic IP"),
    };
    let (service, service_chinese, service_english, _) =
        SERVICE_TYPES.get(position).copied().unwrap_or_default();
    Names {
        service,
        service_name: if english { service_english } else { service_chinese },
        resource,
        resource_name: if english { name } else { chinese },
    }
}

fn beijing() -> FixedOffset {
    // Eight hours are less than a day, so the offset exists.
    FixedOffset::east_opt(8 * 3600).unwrap_or_else(|| chrono::Offset::fix(&Utc))
}

/// Midnight of the day in GMT+8.
fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::hours(8)
}

/// First day of the month and of the next one.
pub(super) fn month(text: &str) -> Result<(NaiveDate, NaiveDate)> {
    let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").map_err(|_| bad("the cycle"))?;
    let next = first
        .checked_add_months(chrono::Months::new(1))
        .filter(|_| text.len() == 7 && (2015..2100).contains(&first.year()))
        .ok_or_else(|| bad("the cycle"))?;
    Ok((first, next))
}

/// List price and paid price of one unit: an hour, or a GB of traffic.
pub(super) fn unit_price(what: &Stretch) -> (Decimal, Decimal) {
    let same = |price: Decimal| (price, price);
    match what.good {
        Good::Server => {
            let (id, os) = match what.spec.strip_suffix(".win") {
                Some(id) => (id, Os::Windows),
                None => (what.spec.trim_end_matches(".linux"), Os::Linux),
            };
            let list = catalogue::flavor(id).map_or(Decimal::ZERO, |flavor| flavor.hour(os));
            let share = if what.spot {
                SPOT_SHARE
            } else {
                catalogue::server_discount()
            };
            (list, list * share)
        }
        Good::Disk => same(
            catalogue::disk_type(&what.spec).map_or(Decimal::ZERO, |kind| kind.gb_hour())
                * Decimal::from(what.size),
        ),
        Good::Bandwidth => same(catalogue::bandwidth_hour(what.size)),
        Good::Traffic => same(catalogue::traffic_gb()),
        Good::IdleAddress => same(catalogue::idle_address_hour()),
    }
}

/// Made-up GB that went out in one hour: up to half a GB, the same whenever it is asked for.
fn traffic(id: &str, hour: DateTime<Utc>) -> Decimal {
    let digest = Sha256::digest(format!("{id}|{}", hour.timestamp()));
    let first = digest.first().copied().unwrap_or_default();
    Decimal::new(i64::from(first) * 2, 3)
}

pub(super) fn floor_hour(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::hours(1)).unwrap_or(time)
}

/// Everything billed for hours between the two days, as far as it has been settled.
pub(super) fn lines<'a>(
    world: &'a World,
    first: NaiveDate,
    next: NaiveDate,
    now: DateTime<Utc>,
    cut: Cut,
) -> Vec<Line<'a>> {
    let (start, end) = (midnight(first), midnight(next));
    // An hour is on the bill one hour after its end.
    let settled = floor_hour(now) - TimeDelta::hours(1);
    let mut lines: Vec<Line<'a>> = Vec::new();
    for region in &world.regions {
        for what in region.usage.stretches() {
            let until = what.to.unwrap_or(settled).min(settled).min(end);
            let mut from = what.from.max(start);
            let (list, paid) = unit_price(what);
            let mut last: Option<Line<'a>> = None;
            while from < until {
                let hour = floor_hour(from);
                let to = (hour + TimeDelta::hours(1)).min(until);
                let part = Decimal::from((to - from).num_seconds()) / Decimal::from(3600);
                let usage = match what.good {
                    Good::Traffic => traffic(&what.resource_id, hour) * part,
                    _ => part,
                };
                let line = Line {
                    region,
                    what,
                    from,
                    to,
                    usage: usage.round_dp(DIGITS),
                    list: (list * usage).round_dp(DIGITS),
                    paid: (paid * usage).round_dp(DIGITS),
                    mode: PAY_PER_USE,
                };
                match &mut last {
                    Some(sum) if cut == Cut::Month || (cut == Cut::Day && sum.date() == line.date()) => {
                        sum.to = line.to;
                        sum.usage += line.usage;
                        sum.list += line.list;
                        sum.paid += line.paid;
                    }
                    _ => lines.extend(last.replace(line)),
                }
                from = to;
            }
            lines.extend(last);
        }
        lines.extend(by_the_month(region, start, end, now));
    }
    lines.sort_by(|one, other| {
        (one.from, &one.what.resource_id, one.what.good).cmp(&(
            other.from,
            &other.what.resource_id,
            other.what.good,
        ))
    });
    lines
}

/// Servers that are paid by the month: thirty days at a time, in advance, on the hour-by-hour price less a third.
fn by_the_month<'a>(
    region: &'a Region,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for what in region.usage.by_the_month() {
        let (list, paid) = unit_price(what);
        let hours = Decimal::from(30 * 24);
        let share = Decimal::new(67, 2);
        let mut from = what.from;
        while from < end && from <= now {
            if from >= start {
                lines.push(Line {
                    region,
                    what,
                    from,
                    to: from + TimeDelta::days(30),
                    usage: Decimal::ONE,
                    list: (list * hours * share).round_dp(2),
                    paid: (paid * hours * share).round_dp(2),
                    mode: BY_PERIOD,
                });
            }
            from += TimeDelta::days(30);
        }
    }
    lines
}

/// What has been paid in the month that it is now.
pub(in crate::services::bss) fn this_month(world: &World, now: DateTime<Utc>) -> Decimal {
    let today = now.with_timezone(&beijing()).date_naive();
    match month(&today.format("%Y-%m").to_string()) {
        Ok((first, next)) => lines(world, first, next, now, Cut::Month)
            .iter()
            .map(|line| line.paid)
            .sum(),
        Err(_) => Decimal::ZERO,
    }
}
