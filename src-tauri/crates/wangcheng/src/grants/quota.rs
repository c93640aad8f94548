//! The arithmetic of quotas: what is used, what is wished, what goes over. No clock, no network.
//!
//! A month is one of Asia/Shanghai, by which the cloud bills. Of it counts what was used so far, and what is promised: a
//! running server runs until its lease ends (without a lease, until the month does), and costs as long as it is there. So a
//! month's limit holds by itself, rather than being found broken at its end.

use chrono::{DateTime, Datelike, FixedOffset, Months, NaiveDate, TimeDelta, TimeZone, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::document::Quota;
use crate::money::Money;

/// Asia/Shanghai keeps one offset the whole year.
const SHANGHAI_S: i32 = 8 * 3600;

/// What a grant can limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Servers at once.
    Servers,
    /// Virtual processors together.
    Vcpus,
    /// Disks together.
    DiskGb,
    /// One disk.
    DiskGbEach,
    /// Length of a lease from now.
    LeaseHours,
    /// A server's whole life.
    LifeHours,
    /// The last moment.
    Until,
    /// Extensions of one lease.
    Extensions,
    /// Hours of running in the month.
    HoursMonth,
    /// Money in the month.
    MoneyMonth,
    /// The flavor.
    Flavor,
    /// The region.
    Region,
    /// A public address.
    PublicAddress,
}

impl Limit {
    /// As it stands in events and failures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Servers => "servers",
            Self::Vcpus => "vcpus",
            Self::DiskGb => "disk_gb",
            Self::DiskGbEach => "disk_gb_each",
            Self::LeaseHours => "lease_hours",
            Self::LifeHours => "life_hours",
            Self::Until => "until",
            Self::Extensions => "extensions",
            Self::HoursMonth => "hours_month",
            Self::MoneyMonth => "money_month",
            Self::Flavor => "flavor",
            Self::Region => "region",
            Self::PublicAddress => "public_address",
        }
    }

    /// Whether something is used up, rather than not allowed at all.
    pub fn is_used_up(self) -> bool {
        matches!(
            self,
            Self::Servers
                | Self::Vcpus
                | Self::DiskGb
                | Self::Extensions
                | Self::HoursMonth
                | Self::MoneyMonth
        )
    }
}

/// What one owner has and has used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// Servers.
    pub servers: u32,
    /// Their processors.
    pub vcpus: u32,
    /// All disks, in GB.
    pub disk_gb: u32,
    /// Hours of running in this month so far, and those that are promised.
    pub hours: Decimal,
    /// Money of this month so far, and what is promised.
    pub money: Decimal,
    /// Servers whose price nobody knows: they cost more than `money` says.
    pub unpriced: u32,
}

/// What is asked for, as far as a quota is about it. What it does not touch stays as by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wish {
    /// Further servers.
    pub servers: u32,
    /// Further processors.
    pub vcpus: u32,
    /// Further GB of disks.
    pub disk_gb: u32,
    /// The largest disk of it.
    pub disk_gb_each: Option<u32>,
    /// The flavor.
    pub flavor: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// With a public address.
    pub public_address: bool,
    /// A lease's new end; see also `made`.
    pub lease_end: Option<DateTime<Utc>>,
    /// When the server was made that it is about; none: it is made now.
    pub made: Option<DateTime<Utc>>,
    /// How often its lease was extended before, when it is extended once more.
    pub extended: Option<u32>,
    /// The lease is taken off: it ends never.
    pub endless: bool,
    /// Further hours of running in this month.
    pub hours: Decimal,
    /// Further money in this month; none: its price is not known.
    pub money: Option<Money>,
}

impl Wish {
    /// The further money, where its price is known in this currency.
    pub fn money_in(&self, currency: &str) -> Option<Decimal> {
        let money = self.money.as_ref().filter(|money| money.currency == currency);
        money.map(|money| money.amount)
    }
}

/// A limit that a wish goes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// Which.
    pub limit: Limit,
    /// What it says.
    pub max: String,
    /// What is used; empty where nothing is used up.
    pub used: String,
    /// What is wished.
    pub wish: String,
}

/// The month of Asia/Shanghai that a moment lies in: its first moment, and the first of the next one.
pub fn month(now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let first = month_days(now).0;
    let next = first.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX);
    (midnight(first).unwrap_or(now), midnight(next).unwrap_or(now))
}

/// The same in days of Asia/Shanghai: the first of the month, and today.
pub fn month_days(now: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
    let today = shanghai().map_or_else(|| now.date_naive(), |zone| now.with_timezone(&zone).date_naive());
    (today.with_day(1).unwrap_or(today), today)
}

fn shanghai() -> Option<FixedOffset> {
    FixedOffset::east_opt(SHANGHAI_S)
}

fn midnight(day: NaiveDate) -> Option<DateTime<Utc>> {
    let local = shanghai()?.from_local_datetime(&day.and_hms_opt(0, 0, 0)?);
    Some(local.single()?.to_utc())
}

/// Hours of this month from `from` until `end`, or until the month's end where that is none or comes first.
pub fn hours_left(from: DateTime<Utc>, end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Decimal {
    let (_, over) = month(now);
    let until = end.map_or(over, |end| end.min(over));
    let ms = (until - from).max(TimeDelta::zero()).num_milliseconds();
    Decimal::from(ms) / Decimal::from(3_600_000)
}

/// Every limit that a wish goes over, in the order in which a person would look at them.
pub fn check(quota: &Quota, used: &Used, wish: &Wish, now: DateTime<Utc>, currency: &str) -> Vec<Over> {
    let mut found = Vec::new();
    let mut over = |limit, max: String, used: String, wish: String| {
        found.push(Over {
            limit,
            max,
            used,
            wish,
        });
    };
    let counts = [
        (Limit::Servers, quota.servers, used.servers, wish.servers, ""),
        (Limit::Vcpus, quota.vcpus, used.vcpus, wish.vcpus, " vCPU"),
        (Limit::DiskGb, quota.disk_gb, used.disk_gb, wish.disk_gb, " GB"),
    ];
    for (limit, max, used, wish, unit) in counts {
        if let Some(max) = max
            && wish > 0
            && used.saturating_add(wish) > max
        {
            over(
                limit,
                format!("{max}{unit}"),
                format!("{used}{unit}"),
                format!("{wish}{unit}"),
            );
        }
    }
    if let (Some(max), Some(each)) = (quota.disk_gb_each, wish.disk_gb_each)
        && each > max
    {
        over(
            Limit::DiskGbEach,
            format!("{max} GB"),
            String::new(),
            format!("{each} GB"),
        );
    }
    check_flavor(quota, wish, &mut over);
    if let (Some(regions), Some(region)) = (&quota.regions, &wish.region)
        && !regions.contains(region)
    {
        over(Limit::Region, regions.join(", "), String::new(), region.clone());
    }
    if quota.public_address == Some(false) && wish.public_address {
        over(
            Limit::PublicAddress,
            "0".to_owned(),
            String::new(),
            "1".to_owned(),
        );
    }
    check_lease(quota, wish, now, &mut over);
    if let (Some(max), Some(extended)) = (quota.extensions, wish.extended)
        && extended >= max
    {
        over(
            Limit::Extensions,
            max.to_string(),
            extended.to_string(),
            "1".to_owned(),
        );
    }
    if let Some(max) = quota.hours_month
        && wish.hours > Decimal::ZERO
        && used.hours + wish.hours > Decimal::from(max)
    {
        let hours = |hours: Decimal| format!("{} h", hours.round_dp(1).normalize());
        over(
            Limit::HoursMonth,
            format!("{max} h"),
            hours(used.hours),
            hours(wish.hours),
        );
    }
    if let Some(max) = quota.money_month {
        let more = wish.money_in(currency).unwrap_or_default();
        if more > Decimal::ZERO && used.money.saturating_add(more) > max {
            let money = |amount: Decimal| format!("{} {currency}", amount.round_dp(2));
            over(Limit::MoneyMonth, money(max), money(used.money), money(more));
        }
    }
    found
}

fn check_flavor(quota: &Quota, wish: &Wish, over: &mut impl FnMut(Limit, String, String, String)) {
    let Some(flavor) = &wish.flavor else { return };
    if !allows_flavor(quota, flavor) {
        let families = quota
            .families
            .iter()
            .flatten()
            .map(|family| format!("{family}.*"));
        let allowed: Vec<String> = quota.flavors.iter().flatten().cloned().chain(families).collect();
        over(Limit::Flavor, allowed.join(", "), String::new(), flavor.clone());
    }
}

/// Whether a quota lets a flavor be used.
pub fn allows_flavor(quota: &Quota, flavor: &str) -> bool {
    let listed = quota.flavors.as_ref().map(|flavors| {
        flavors.iter().any(|one| match one.strip_suffix('*') {
            Some(beginning) => flavor.starts_with(beginning),
            None => one == flavor,
        })
    });
    let family = flavor.split('.').next().unwrap_or_default();
    let of_family = quota
        .families
        .as_ref()
        .map(|families| families.iter().any(|one| one == family));
    match (listed, of_family) {
        (None, None) => true,
        (listed, of_family) => listed == Some(true) || of_family == Some(true),
    }
}

fn check_lease(
    quota: &Quota,
    wish: &Wish,
    now: DateTime<Utc>,
    over: &mut impl FnMut(Limit, String, String, String),
) {
    let moment = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
    let end = match (wish.lease_end, wish.endless) {
        (Some(end), _) => end,
        (None, true) => DateTime::<Utc>::MAX_UTC,
        (None, false) => return,
    };
    let shown = |from: DateTime<Utc>| {
        if wish.endless {
            "∞".to_owned()
        } else {
            let hours = Decimal::from((end - from).num_minutes()) / Decimal::from(60);
            format!("{} h", hours.round_dp(1).normalize())
        }
    };
    // What was clicked a moment ago for exactly the longest time is not refused over the way there.
    let slack = TimeDelta::minutes(1);
    let past = |from: DateTime<Utc>, hours: u32| {
        TimeDelta::try_hours(hours.into())
            .and_then(|longest| from.checked_add_signed(longest + slack))
            .is_some_and(|last| end > last)
    };
    if let Some(max) = quota.lease_hours
        && past(now, max)
    {
        over(Limit::LeaseHours, format!("{max} h"), String::new(), shown(now));
    }
    let made = wish.made.unwrap_or(now);
    if let Some(max) = quota.life_hours
        && past(made, max)
    {
        over(Limit::LifeHours, format!("{max} h"), String::new(), shown(made));
    }
    if let Some(until) = quota.until
        && end > until
    {
        let shown = if wish.endless {
            "∞".to_owned()
        } else {
            moment(end)
        };
        over(Limit::Until, moment(until), String::new(), shown);
    }
}

/// How much of a limit is used, for a bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GrantUse {
    /// Which limit.
    pub limit: Limit,
    /// Used, what is promised included.
    #[ts(type = "string")]
    pub used: Decimal,
    /// What is asked for on top.
    #[ts(type = "string")]
    pub wish: Decimal,
    /// At most.
    #[ts(type = "string")]
    pub max: Decimal,
}

/// The limits of which something is used up, each with its use.
pub fn uses(quota: &Quota, used: &Used, wish: &Wish, currency: &str) -> Vec<GrantUse> {
    let row = |limit, max: Option<Decimal>, used: Decimal, wish: Decimal| {
        Some(GrantUse {
            limit,
            used: used.round_dp(2).normalize(),
            wish: wish.round_dp(2).normalize(),
            max: max?.normalize(),
        })
    };
    let count = |limit, max: Option<u32>, used: u32, wish: u32| {
        row(limit, max.map(Decimal::from), used.into(), wish.into())
    };
    [
        count(Limit::Servers, quota.servers, used.servers, wish.servers),
        count(Limit::Vcpus, quota.vcpus, used.vcpus, wish.vcpus),
        count(Limit::DiskGb, quota.disk_gb, used.disk_gb, wish.disk_gb),
        row(
            Limit::HoursMonth,
            quota.hours_month.map(Decimal::from),
            used.hours,
            wish.hours,
        ),
        row(
            Limit::MoneyMonth,
            quota.money_month,
            used.money,
            wish.money_in(currency).unwrap_or_default(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Something that an owner has, as far as quotas count it: a server with the disks that it was made with, a disk that came
/// later, or what a disk is about to grow by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Its id; of a growth, see [`Counted::growth_of`].
    pub id: String,
    /// When it was asked for.
    pub created: DateTime<Utc>,
    /// 1 of a server.
    pub servers: u32,
    /// Its processors.
    pub vcpus: u32,
    /// Its disks, in GB.
    pub disk_gb: u32,
    /// The server that a disk is on.
    pub on: Option<String>,
}

impl Counted {
    /// The id under which a disk's growth is counted.
    pub fn growth_of(disk: &str) -> String {
        format!("growth/{disk}")
    }
}

/// What is too much: walking from the oldest to the youngest, that at which servers, processors or disks are more than the
/// quota says, with the limit. Whoever counts the same things finds the same ones, so of two that were made at once both
/// programs know which one goes, and what is younger changes nothing for what is older.
pub fn too_many(quota: &Quota, things: &[Counted]) -> Vec<(String, Over)> {
    let mut things: Vec<&Counted> = things.iter().collect();
    things.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    let mut used = Used::default();
    let mut found = Vec::new();
    for thing in things {
        let wish = Wish {
            servers: thing.servers,
            vcpus: thing.vcpus,
            disk_gb: thing.disk_gb,
            ..Wish::default()
        };
        match check(quota, &used, &wish, thing.created, "").into_iter().next() {
            // What goes is not counted any more, so that no more go than have to.
            Some(over) => found.push((thing.id.clone(), over)),
            None => {
                used.servers = used.servers.saturating_add(thing.servers);
                used.vcpus = used.vcpus.saturating_add(thing.vcpus);
                used.disk_gb = used.disk_gb.saturating_add(thing.disk_gb);
            }
        }
    }
    found
}
