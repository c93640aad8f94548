//! What the cloud really charged in a month, whose it was, and why that is not what was estimated.
//!
//! Months are those of Asia/Shanghai. An hour appears on the bill an hour or more later, and a month is final on the 4th of
//! the next one; until then late records are one of the reasons. Whose a resource was is told by the tags on the bill,
//! else by what the cloud and the ledger know of it; what nobody knows stands as untagged.

mod compose;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};
use huaweicloud::bss::{self, Detail, FeeQuery, Month};
use rust_decimal::Decimal;
use serde::Serialize;
use store::tally::{Amounts, Ask};
use ts_rs::TS;

use crate::Wangcheng;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::money::Money;
use crate::servers::TAG_OWNER;
use crate::usage::Kept;
use compose::compose;

/// Asia/Shanghai keeps one offset the whole year.
const SHANGHAI_S: i32 = 8 * 3600;
/// Day of the next month from which a bill does not change any more.
const FINAL_DAY: u32 = 4;
/// How long events are counted before the bill is shown beside what there is.
const PATIENCE: Duration = Duration::from_secs(5);
/// The right to see bills.
const VIEW_BILLS: &str = "bss:bill:view";
/// Most servers of a month that are looked up by their ids.
const MOST_SERVERS: usize = 200_000;
/// Most resources that are shown one by one; sums have all of them.
const MOST_SHOWN: usize = 2000;

/// What was charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BillKind {
    /// Servers.
    Compute,
    /// Disks.
    Disk,
    /// Addresses and their bandwidth.
    Address,
    /// Outgoing traffic.
    Traffic,
    /// Everything else of the account.
    Other,
}

/// A part of the bill by kind.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BilledKind {
    /// Of what kind.
    pub kind: BillKind,
    /// What was charged.
    pub billed: Money,
}

/// A part of the bill by owner.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BilledOwner {
    /// Whose; none: nobody's, as far as anybody knows.
    pub owner: Option<String>,
    /// What was charged.
    pub billed: Money,
    /// What was estimated from the events; none: there are no events of this owner.
    pub estimated: Option<Money>,
    /// What was charged beyond the estimate.
    pub difference: Option<Money>,
}

/// A resource on the bill. Every text in it comes from outside and is shown as text.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BilledResource {
    /// The cloud's id; empty where the bill names none.
    pub id: String,
    /// Its name when it was billed.
    pub name: String,
    /// Of what kind.
    pub kind: BillKind,
    /// Whose.
    pub owner: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// What was charged.
    pub billed: Money,
}

/// Why the bill is not the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BillReason {
    /// The month is not final: records may still come.
    NotFinal,
    /// List price less what was charged.
    Discount,
    /// Traffic is not estimated.
    Traffic,
    /// Resources that nobody can be found for.
    Untagged,
    /// Other services of the account, and servers that were not made with this program.
    NotOurs,
    /// Parts of a cent that the bill's sum does not have.
    Rounding,
    /// Rows that could not be read are not in the sums.
    Unreadable,
    /// The estimate knows only the events of this installation.
    OwnEventsOnly,
    /// Not all events that are here are counted yet; ask again in a while.
    StillCounting,
}

/// One reason, with its amount where it has one.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BillDifference {
    /// Why.
    pub reason: BillReason,
    /// How much of the difference it explains.
    pub amount: Option<Money>,
}

/// A month's bill.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Bill {
    /// The month, `YYYY-MM` in Asia/Shanghai.
    pub month: String,
    /// It does not change any more.
    pub is_final: bool,
    /// What is to be paid in all, as the bill's own sum says.
    pub billed: Money,
    /// The list price of the resources, where every row tells it.
    pub list: Option<Money>,
    /// By kind; together the sum of the resources.
    pub kinds: Vec<BilledKind>,
    /// By owner; together the sum of the resources.
    pub owners: Vec<BilledOwner>,
    /// The resources, the dearest first.
    pub resources: Vec<BilledResource>,
    /// Resources that are not shown one by one.
    pub more: usize,
    /// What was estimated for this month from the events here: everybody's, as far as they were pulled or imported.
    pub estimated: Option<Money>,
    /// What was charged beyond the estimate.
    pub difference: Option<Money>,
    /// Why.
    pub reasons: Vec<BillDifference>,
    /// When it was asked for, by the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// What the estimate says, by owner.
type Estimates = BTreeMap<String, Decimal>;

/// What everybody's events say of a month.
#[derive(Default)]
struct Estimated {
    owners: Estimates,
    /// Whose servers were.
    servers: BTreeMap<String, String>,
    /// Nobody else's events are here.
    own_only: bool,
    /// Everything that is here is in it.
    counted: bool,
}

/// The cloud does not name the action that a bill needs, so it is named here.
fn refused(error: huaweicloud::Error) -> Failure {
    let failure = Failure::from(error);
    if failure.code != Code::PermissionMissing {
        return failure;
    }
    let said = failure.detail.clone().unwrap_or_default();
    failure.saying(format!("{VIEW_BILLS}: {said}"))
}

/// The first and the last day of a month.
fn days(month: &str) -> Option<(Month, NaiveDate, NaiveDate)> {
    let (year, number) = month.split_once('-')?;
    if year.len() != 4 || number.len() != 2 {
        return None;
    }
    let (year, number) = (year.parse().ok()?, number.parse().ok()?);
    let first = NaiveDate::from_ymd_opt(year, number, 1)?;
    let last = first.checked_add_months(chrono::Months::new(1))?.pred_opt()?;
    Some((Month::new(year, number)?, first, last))
}

/// The day it is in Asia/Shanghai.
pub(crate) fn today(now: DateTime<Utc>) -> NaiveDate {
    match FixedOffset::east_opt(SHANGHAI_S) {
        Some(shanghai) => now.with_timezone(&shanghai).date_naive(),
        None => now.date_naive(),
    }
}

/// Whether the bill of a month that ends on `last` can still change.
fn is_final(last: NaiveDate, now: DateTime<Utc>) -> bool {
    let due = last.succ_opt().and_then(|first| first.with_day(FINAL_DAY));
    due.is_some_and(|due| today(now) >= due)
}

impl Wangcheng {
    /// The bill of a month, `YYYY-MM` in Asia/Shanghai, asked now.
    ///
    /// # Errors
    /// `BadInput` for what is no month, or one that has not begun; `NotSignedIn`; `PermissionMissing` without the right to see
    /// bills; what the cloud says; as the ledger's.
    pub async fn bill(&self, month: &str) -> Result<Bill> {
        let wrong = || Failure::new(Code::BadInput).with("field", "month");
        let (cycle, first, last) = days(month).ok_or_else(wrong)?;
        let live = self.active().await?;
        if first > today(live.cloud_now(self.now())) {
            return Err(wrong());
        }
        let client = self.client(&live).await?;
        let sum = bss::monthly_sum(&client, cycle).await.map_err(refused)?;
        live.tell_time(sum.server_time, self.now());
        let sum = sum.value;
        let fees = bss::resource_fees(&client, &FeeQuery::of(cycle, Detail::Month))
            .await
            .map_err(refused)?
            .value;
        let now = live.cloud_now(self.now());
        let currency = fees.currency.clone();
        let told = self.estimates(first, last, now, &currency).await?;
        let (mut owners, estimates) = (told.servers, told.owners);
        owners.retain(|_, owner| !owner.is_empty());
        self.owners_of_resources(&live, &mut owners).await;
        let composed = compose(&fees, sum.total, &owners, &estimates);
        let money = |amount: Decimal| Money::new(amount, currency.clone());
        let billed = sum.total.unwrap_or(composed.sum);
        let estimated = (!estimates.is_empty()).then(|| estimates.values().copied().sum::<Decimal>());
        let is_final = is_final(last, now);
        let mut reasons = Vec::new();
        let mut because = |reason, amount: Option<Decimal>| {
            if amount.is_none_or(|amount| !amount.is_zero()) {
                reasons.push(BillDifference {
                    reason,
                    amount: amount.map(money),
                });
            }
        };
        if !is_final {
            because(BillReason::NotFinal, None);
        }
        // Estimates are after discounts already where the prices were; the list price says how much they are.
        because(
            BillReason::Discount,
            composed
                .list
                .map(|list| composed.sum - list)
                .or(Some(Decimal::ZERO)),
        );
        because(BillReason::Traffic, Some(composed.traffic));
        because(BillReason::Untagged, Some(composed.untagged));
        because(BillReason::NotOurs, Some(composed.not_ours));
        because(BillReason::Rounding, Some(composed.rounding));
        if fees.rows.skipped > 0 {
            because(BillReason::Unreadable, None);
        }
        if told.own_only {
            because(BillReason::OwnEventsOnly, None);
        }
        if !told.counted {
            because(BillReason::StillCounting, None);
        }
        let kept = Kept {
            is_final,
            as_of: now,
            currency: currency.clone(),
            billed,
            traffic: composed.traffic,
            owners: composed.by_owner(),
        };
        self.keep_bill(&live.account.account_id, month, &kept).await?;
        let mut resources = composed.resources;
        let more = resources.len().saturating_sub(MOST_SHOWN);
        resources.truncate(MOST_SHOWN);
        Ok(Bill {
            month: month.to_owned(),
            is_final,
            billed: money(billed),
            list: composed.list.map(money),
            kinds: composed
                .kinds
                .into_iter()
                .map(|(kind, amount)| BilledKind {
                    kind,
                    billed: money(amount),
                })
                .collect(),
            owners: composed
                .owners
                .into_iter()
                .map(|(owner, amount)| {
                    let estimated = owner.as_ref().and_then(|owner| estimates.get(owner)).copied();
                    BilledOwner {
                        owner,
                        billed: money(amount),
                        difference: estimated.map(|estimated| money(amount - estimated)),
                        estimated: estimated.map(money),
                    }
                })
                .collect(),
            resources,
            more,
            difference: estimated.map(|estimated| money(billed - estimated)),
            estimated: estimated.map(money),
            reasons,
            as_of: now,
        })
    }

    /// Adds whose the resources are that the cloud shows now: for rows without tags.
    async fn owners_of_resources(&self, live: &Live, owners: &mut BTreeMap<String, String>) {
        for server in live.list().servers {
            owners.extend(server.owner.map(|owner| (server.id, owner)));
        }
        // Beside the bill, so what cannot be had only leaves more untagged.
        if let Ok(client) = self.client(live).await
            && let Ok(volumes) = huaweicloud::evs::volumes(
                &client,
                &live.project(),
                &huaweicloud::evs::VolumeQuery::default(),
            )
            .await
        {
            for volume in volumes.value.items {
                let server = volume.attachments.first().map(|one| one.server_id.to_string());
                let owner = volume
                    .tags
                    .get(TAG_OWNER)
                    .filter(|owner| !owner.is_empty())
                    .cloned();
                let owner = owner.or_else(|| owners.get(&server?).cloned());
                owners.extend(owner.map(|owner| (volume.id.to_string(), owner)));
            }
        }
    }

    /// What was estimated for a month, from everybody's events as far as they are here.
    async fn estimates(
        &self,
        first: NaiveDate,
        last: NaiveDate,
        now: DateTime<Utc>,
        currency: &str,
    ) -> Result<Estimated> {
        let ask = Ask {
            currency: Some(currency.to_owned()),
            ..Ask::of(first, last)
        };
        self.tally(move |tally, ledger| {
            tally.follow(ledger, now)?;
            let began = Instant::now();
            let counted = tally.settle(|| began.elapsed() < PATIENCE)?;
            let sums = tally.sums(&ask, now)?;
            let (servers, _) = tally.servers(&ask, now, 0, MOST_SERVERS)?;
            let mut estimated = Estimated {
                counted,
                own_only: tally.sources()?.iter().all(|source| source.name == "ledger"),
                ..Estimated::default()
            };
            for group in sums.owners {
                let owner = if group.name.is_empty() {
                    group.key
                } else {
                    group.name
                };
                *estimated.owners.entry(owner).or_default() += amount(group.amounts.cost());
            }
            for server in servers {
                let row = server.server;
                estimated.servers.insert(row.server_id, row.owner);
            }
            Ok(estimated)
        })
        .await
    }
}

/// An amount of the tally's own unit, to the cent.
fn amount(cost: i128) -> Decimal {
    let billionths = cost / (Amounts::UNIT / 1_000_000_000);
    Decimal::try_from_i128_with_scale(billionths, 9)
        .unwrap_or(Decimal::MAX)
        .round_dp(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_final_from_the_fourth_in_shanghai() {
        let last = NaiveDate::from_ymd_opt(2025, 12, 31).unwrap();
        let at = |text: &str| is_final(last, text.parse().unwrap());
        assert!(!at("2026-01-03T15:59:59Z"));
        assert!(at("2026-01-03T16:00:00Z"), "it is the 4th there");
        assert!(!at("2025-12-20T00:00:00Z"));
    }

    #[test]
    fn only_a_month_is_a_month() {
        assert!(days("2026-02").is_some_and(|(_, _, last)| last.day() == 28));
        for text in [
            "2026-2",
            "2026-13",
            "26-01",
            "2026",
            "",
            "2026-01-01",
            "２０２６-01",
        ] {
            assert!(days(text).is_none(), "{text}");
        }
    }
}
