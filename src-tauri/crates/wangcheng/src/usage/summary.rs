//! The summary: one answer to most of the questions.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use store::tally::{Amounts, Group, Sums};
use ts_rs::TS;

use super::ask::{Compared, UsageAsk};
use super::billed::{UsageBills, bills};
use super::shares::{MONEY, decimal, hour_shares, hours, rounded, shares};
use super::{Counted, UsageSource, sources};
use crate::Wangcheng;
use crate::failure::Result;
use crate::money::Money;

/// Most owners, flavors and so on that a summary lists; the rest is one line.
const RANKS: usize = 100;

/// Money by what it is for. All add up to `total`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageCost {
    /// All of it.
    #[ts(type = "string")]
    pub total: Decimal,
    /// vCPUs and memory.
    #[ts(type = "string")]
    pub compute: Decimal,
    /// Disks.
    #[ts(type = "string")]
    pub disk: Decimal,
    /// Public addresses with their bandwidth.
    #[ts(type = "string")]
    pub address: Decimal,
    /// Of which only the whole is known.
    #[ts(type = "string")]
    pub unsplit: Decimal,
}

/// Hours and money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageSpent {
    /// Servers that existed.
    #[ts(type = "number")]
    pub servers: u64,
    /// Owners that had some.
    #[ts(type = "number")]
    pub owners: u64,
    /// Hours of existence.
    #[ts(type = "string")]
    pub hours: Decimal,
    /// Hours of running.
    #[ts(type = "string")]
    pub running_hours: Decimal,
    /// Disk space × hours.
    #[ts(type = "string")]
    pub disk_gb_hours: Decimal,
    /// Hours of existence without a known price: they cost, but nothing is counted for them.
    #[ts(type = "string")]
    pub unpriced_hours: Decimal,
    /// Money: an estimate.
    pub cost: UsageCost,
}

/// One month, or the part of it that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageMonth {
    /// As `2026-11`.
    pub month: String,
    /// Hours of existence.
    #[ts(type = "string")]
    pub hours: Decimal,
    /// Hours of running.
    #[ts(type = "string")]
    pub running_hours: Decimal,
    /// Money.
    pub cost: UsageCost,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageDay {
    /// Day of Asia/Shanghai.
    pub day: NaiveDate,
    /// Hours of existence.
    #[ts(type = "string")]
    pub hours: Decimal,
    /// Hours of running.
    #[ts(type = "string")]
    pub running_hours: Decimal,
}

/// One owner, flavor, region, purpose or template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageRank {
    /// Id, or the word; empty: it has none.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Servers that existed.
    #[ts(type = "number")]
    pub servers: u64,
    /// Hours of existence.
    #[ts(type = "string")]
    pub hours: Decimal,
    /// Hours of running.
    #[ts(type = "string")]
    pub running_hours: Decimal,
    /// Disk space × hours.
    #[ts(type = "string")]
    pub disk_gb_hours: Decimal,
    /// Money.
    #[ts(type = "string")]
    pub cost: Decimal,
    /// Money in the time that is compared with.
    #[ts(type = "string")]
    pub cost_before: Decimal,
    /// Money in each of the summary's months.
    #[ts(type = "string[]")]
    pub months: Vec<Decimal>,
    /// How many this line stands for; more than one in the last line, which has no key.
    #[ts(type = "number")]
    pub count: u64,
}

/// What was used in some days, and what that came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageSummary {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Up to when it is counted.
    pub as_of: DateTime<Utc>,
    /// Of all money in this answer; empty where there is none.
    pub currency: String,
    /// Money of other currencies, which is in no other figure.
    pub other_money: Vec<Money>,
    /// Everything.
    pub total: UsageSpent,
    /// The days that are compared with.
    pub before_from: Option<NaiveDate>,
    /// The last of them.
    pub before_to: Option<NaiveDate>,
    /// Everything in these.
    pub before: Option<UsageSpent>,
    /// What bills said of the months that are asked for as a whole, as far as they were read: real money, in no other
    /// figure. Only they tell what traffic by volume cost.
    pub bills: UsageBills,
    /// Month by month, without gaps.
    pub months: Vec<UsageMonth>,
    /// Day by day, without gaps.
    pub days: Vec<UsageDay>,
    /// Hours of running by hour of the week in Asia/Shanghai: 168 from Monday 00:00 on, each an average of servers at once.
    #[ts(type = "string[]")]
    pub week: Vec<Decimal>,
    /// By owner; each list dearest first, with the rest in a last line.
    pub owners: Vec<UsageRank>,
    /// By flavor.
    pub flavors: Vec<UsageRank>,
    /// By region.
    pub regions: Vec<UsageRank>,
    /// By purpose.
    pub purposes: Vec<UsageRank>,
    /// By template.
    pub templates: Vec<UsageRank>,
    /// Servers whose end nobody told: they are taken to have ended with their lease.
    #[ts(type = "number")]
    pub assumed_ends: u64,
    /// Something new is still being worked out: the figures are not final.
    pub counting: bool,
    /// Where the figures come from.
    pub sources: Vec<UsageSource>,
}

impl Wangcheng {
    /// What was used in some days, by everybody of whom the tally knows, and what that came to.
    ///
    /// # Errors
    /// `BadInput` for days that are none; as the ledger's.
    pub async fn usage_summary(&self, ask: UsageAsk) -> Result<UsageSummary> {
        let mut compared = Compared::of(&ask.cut, ask.from, ask.to)?;
        self.counted(move |counted| {
            let (sums, before) = compared.sums(counted.tally, counted.now)?;
            let mut summary = summary(counted, &ask, &sums, before.as_ref())?;
            summary.before_from = compared.before.as_ref().map(|days| days.from);
            summary.before_to = compared.before.map(|days| days.to);
            Ok(summary)
        })
        .await
    }
}

fn summary(
    counted: &Counted<'_>,
    ask: &UsageAsk,
    sums: &Sums,
    before: Option<&Sums>,
) -> std::result::Result<UsageSummary, store::Error> {
    let money = Shared::of(sums);
    let ranks = |now: &[Group], then: fn(&Sums) -> &Vec<Group>| {
        ranks(
            sums,
            &money,
            now,
            before.map(then).map_or(&[], Vec::as_slice),
            RANKS,
        )
        .0
    };
    Ok(UsageSummary {
        from: ask.from,
        to: ask.to,
        as_of: counted.now,
        currency: sums.currency.clone(),
        other_money: sums
            .other
            .iter()
            .map(|(currency, money)| Money::new(decimal(rounded(*money, MONEY)), currency.clone()))
            .collect(),
        total: spent(sums),
        before_from: None,
        before_to: None,
        before: before.map(spent),
        bills: bills(counted, ask, &sums.currency)?,
        months: months(sums, &money),
        days: days(sums),
        week: week(sums),
        owners: ranks(&sums.owners, |sums| &sums.owners),
        flavors: ranks(&sums.flavors, |sums| &sums.flavors),
        regions: ranks(&sums.regions, |sums| &sums.regions),
        purposes: ranks(&sums.purposes, |sums| &sums.purposes),
        templates: ranks(&sums.templates, |sums| &sums.templates),
        assumed_ends: sums.assumed_ends,
        counting: counted.counting,
        sources: sources(counted.tally)?,
    })
}

/// Money that is rounded already, in millionths.
pub(super) struct Shared {
    /// Of each month: the whole, and compute, disk, address, unsplit.
    months: Vec<(i128, [i128; 4])>,
}

impl Shared {
    /// The whole is rounded; months share it, kinds share their month.
    pub(super) fn of(sums: &Sums) -> Self {
        let exact: Vec<i128> = sums.months.iter().map(|month| month.amounts.cost()).collect();
        let total = rounded(sums.total.cost(), MONEY);
        let months = shares(total, &exact, MONEY).into_iter().zip(&sums.months);
        let months = months.map(|(whole, month)| {
            let amounts = &month.amounts;
            let kinds = [amounts.compute, amounts.disk, amounts.address, amounts.unsplit];
            let kinds = <[i128; 4]>::try_from(shares(whole, &kinds, MONEY)).unwrap_or_default();
            (whole, kinds)
        });
        Self {
            months: months.collect(),
        }
    }

    fn total(&self) -> UsageCost {
        let mut kinds = [0; 4];
        for (_, month) in &self.months {
            for (sum, part) in kinds.iter_mut().zip(month) {
                *sum += part;
            }
        }
        cost(kinds)
    }
}

fn cost([compute, disk, address, unsplit]: [i128; 4]) -> UsageCost {
    UsageCost {
        total: decimal(compute + disk + address + unsplit),
        compute: decimal(compute),
        disk: decimal(disk),
        address: decimal(address),
        unsplit: decimal(unsplit),
    }
}

fn spent(sums: &Sums) -> UsageSpent {
    let Amounts {
        exists_ms,
        running_ms,
        disk_gb_ms,
        unpriced_ms,
        ..
    } = sums.total;
    UsageSpent {
        servers: sums.servers,
        owners: sums.owners.len() as u64,
        hours: decimal(hours(exists_ms.into())),
        running_hours: decimal(hours(running_ms.into())),
        disk_gb_hours: decimal(hours(disk_gb_ms)),
        unpriced_hours: decimal(hours(unpriced_ms.into())),
        cost: Shared::of(sums).total(),
    }
}

/// How parts share hours of the whole.
fn share_hours(total: u64, parts: impl Iterator<Item = u64>) -> Vec<Decimal> {
    let shares = hour_shares(hours(total.into()), parts.map(u128::from));
    shares.into_iter().map(decimal).collect()
}

fn months(sums: &Sums, money: &Shared) -> Vec<UsageMonth> {
    let amounts = || sums.months.iter().map(|month| &month.amounts);
    let exists = share_hours(sums.total.exists_ms, amounts().map(|month| month.exists_ms));
    let running = share_hours(sums.total.running_ms, amounts().map(|month| month.running_ms));
    let all = sums
        .months
        .iter()
        .zip(&money.months)
        .zip(exists.into_iter().zip(running));
    all.map(|((month, (_, kinds)), (hours, running_hours))| UsageMonth {
        month: name(month.month),
        hours,
        running_hours,
        cost: cost(*kinds),
    })
    .collect()
}

/// As `2026-11`.
pub(super) fn name(month: NaiveDate) -> String {
    format!("{:04}-{:02}", month.year(), month.month())
}

fn days(sums: &Sums) -> Vec<UsageDay> {
    let exists = share_hours(sums.total.exists_ms, sums.days.iter().map(|day| day.1));
    let running = share_hours(sums.total.running_ms, sums.days.iter().map(|day| day.2));
    let all = sums.days.iter().zip(exists.into_iter().zip(running));
    all.map(|((day, ..), (hours, running_hours))| UsageDay {
        day: *day,
        hours,
        running_hours,
    })
    .collect()
}

/// How often each hour of the week occurs is not the same in every question, so each is an average.
fn week(sums: &Sums) -> Vec<Decimal> {
    let begins = sums
        .days
        .first()
        .map_or(0, |day| day.0.weekday().num_days_from_monday() as usize);
    let days = sums.days.len();
    let often = |weekday: usize| (days + 6 - (weekday + 7 - begins) % 7) / 7;
    let hours = sums.week.iter().enumerate();
    hours
        .map(|(hour, ms)| match often(hour / 24) {
            0 => Decimal::ZERO,
            often => decimal(super::shares::hours(u128::from(*ms) / often as u128)).round_dp(3),
        })
        .collect()
}

/// The dearest of a list, the rest in one line, and how many there are. Each month's money is shared by all of the list.
pub(super) fn ranks(
    sums: &Sums,
    money: &Shared,
    groups: &[Group],
    before: &[Group],
    most: usize,
) -> (Vec<UsageRank>, usize) {
    let count = groups.len();
    let mut shared: Vec<Vec<i128>> = vec![Vec::with_capacity(money.months.len()); count];
    for (nth, (whole, _)) in money.months.iter().enumerate() {
        let exact: Vec<i128> = groups
            .iter()
            .map(|group| group.months.get(nth).copied().unwrap_or_default())
            .collect();
        for (group, share) in shared.iter_mut().zip(shares(*whole, &exact, MONEY)) {
            group.push(share);
        }
    }
    let amounts = || groups.iter().map(|group| &group.amounts);
    let exists = hour_shares(
        hours(sums.total.exists_ms.into()),
        amounts().map(|a| a.exists_ms.into()),
    );
    let running = hour_shares(
        hours(sums.total.running_ms.into()),
        amounts().map(|a| a.running_ms.into()),
    );
    let disks = hour_shares(hours(sums.total.disk_gb_ms), amounts().map(|a| a.disk_gb_ms));
    let then: std::collections::HashMap<&str, i128> = before
        .iter()
        .map(|group| (group.key.as_str(), group.amounts.cost()))
        .collect();
    let mut lines = Vec::with_capacity(count.min(most) + 1);
    let mut rest: Option<Line> = None;
    let all = groups
        .iter()
        .zip(shared)
        .zip(exists.into_iter().zip(running).zip(disks));
    for (nth, ((group, months), ((exists, running), disks))) in all.enumerate() {
        let line = Line {
            servers: group.servers,
            hours: [exists, running, disks],
            before: then.get(group.key.as_str()).copied().unwrap_or_default(),
            months,
            count: 1,
        };
        if nth < most || count == most + 1 {
            lines.push(line.finish(group.key.clone(), group.name.clone()));
        } else {
            match &mut rest {
                Some(rest) => rest.add(&line),
                None => rest = Some(line),
            }
        }
    }
    lines.extend(rest.map(|rest| rest.finish(String::new(), String::new())));
    (lines, count)
}

/// A line in whole numbers.
struct Line {
    servers: u64,
    hours: [i128; 3],
    before: i128,
    months: Vec<i128>,
    count: u64,
}

impl Line {
    fn add(&mut self, other: &Self) {
        self.servers += other.servers;
        self.before += other.before;
        self.count += other.count;
        let (hours, months) = (self.hours.iter_mut(), self.months.iter_mut());
        for (sum, part) in hours.chain(months).zip(other.hours.iter().chain(&other.months)) {
            *sum += part;
        }
    }

    fn finish(self, key: String, name: String) -> UsageRank {
        let [exists, running, disks] = self.hours;
        UsageRank {
            key,
            name,
            servers: self.servers,
            hours: decimal(exists),
            running_hours: decimal(running),
            disk_gb_hours: decimal(disks),
            cost: decimal(self.months.iter().sum()),
            cost_before: decimal(rounded(self.before, MONEY)),
            months: self.months.into_iter().map(decimal).collect(),
            count: self.count,
        }
    }
}
