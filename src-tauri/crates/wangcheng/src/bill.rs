//! What the cloud really charged in a month, whose it was, and why that is not what was estimated.
//!
//! Months are those of Asia/Shanghai. An hour appears on the bill an hour or more later, and a month is final on the 4th of
//! the next one; until then late records are one of the reasons. Whose a resource was is told by the tags on the bill,
//! else by what the cloud and the ledger know of it; what nobody knows stands as untagged.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};
use huaweicloud::bss::{self, Detail, Fee, FeeQuery, Month};
use rust_decimal::Decimal;
use serde::Serialize;
use store::tally::{Amounts, Ask};
use ts_rs::TS;

use crate::Wangcheng;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::money::Money;
use crate::servers::{TAG_INSTALLATION, TAG_OWNER};

/// Asia/Shanghai keeps one offset the whole year.
const SHANGHAI_S: i32 = 8 * 3600;
/// Day of the next month from which a bill does not change any more.
const FINAL_DAY: u32 = 4;
/// How long events are counted before the bill is shown beside what there is.
const PATIENCE: Duration = Duration::from_secs(5);
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
fn today(now: DateTime<Utc>) -> NaiveDate {
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

fn kind_of(fee: &Fee) -> BillKind {
    match (fee.resource_type.as_str(), fee.usage_type.as_str()) {
        ("hws.resource.type.vm", _) => BillKind::Compute,
        ("hws.resource.type.volume", _) => BillKind::Disk,
        ("hws.resource.type.bandwidth", "upflow") => BillKind::Traffic,
        ("hws.resource.type.bandwidth" | "hws.resource.type.ip", _) => BillKind::Address,
        _ => BillKind::Other,
    }
}

/// A tag out of the one text in which a bill has them: `key:value` or `key=value`, parted by `;` or `,`.
fn tag<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split([';', ',']).find_map(|part| {
        let (name, value) = part.split_once([':', '='])?;
        (name.trim() == key)
            .then(|| value.trim())
            .filter(|value| !value.is_empty())
    })
}

/// Puts a month's fees together.
fn compose(
    fees: &bss::Fees,
    total: Option<Decimal>,
    owners: &BTreeMap<String, String>,
    estimates: &Estimates,
) -> Composed {
    let mut composed = Composed {
        list: Some(Decimal::ZERO),
        ..Composed::default()
    };
    let mut resources: BTreeMap<(String, BillKind), BilledResource> = BTreeMap::new();
    for fee in &fees.rows.items {
        let id = fee.resource_id.clone().unwrap_or_default();
        let kind = kind_of(fee);
        let owner = tag(&fee.resource_tag, TAG_OWNER)
            .map(str::to_owned)
            .or_else(|| owners.get(&id).cloned());
        composed.sum += fee.amount;
        composed.list = composed.list.zip(fee.list_amount).map(|(sum, list)| sum + list);
        *composed.kinds.entry(kind).or_default() += fee.amount;
        *composed.owners.entry(owner.clone()).or_default() += fee.amount;
        match (kind, &owner) {
            (BillKind::Traffic, _) => composed.traffic += fee.amount,
            (_, None) => composed.untagged += fee.amount,
            // Whose it is can be told without its being made with this program.
            (_, Some(_))
                if tag(&fee.resource_tag, TAG_INSTALLATION).is_none() && !fee.resource_tag.is_empty() =>
            {
                composed.not_ours += fee.amount;
            }
            _ => {}
        }
        let resource = resources
            .entry((id.clone(), kind))
            .or_insert_with(|| BilledResource {
                id,
                name: fee.resource_name.clone(),
                kind,
                owner: owner.clone(),
                region: fee.region.clone(),
                billed: Money::new(Decimal::ZERO, fees.currency.clone()),
            });
        resource.billed.amount += fee.amount;
        resource.owner = resource.owner.take().or(owner);
    }
    for owner in estimates.keys() {
        composed.owners.entry(Some(owner.clone())).or_default();
    }
    composed.rounding = total.map_or(Decimal::ZERO, |total| total - composed.sum);
    composed.resources = resources.into_values().collect();
    composed.resources.sort_by(|one, other| {
        other
            .billed
            .amount
            .cmp(&one.billed.amount)
            .then_with(|| one.id.cmp(&other.id))
    });
    composed
}

/// A month's fees, put together.
#[derive(Default)]
struct Composed {
    sum: Decimal,
    list: Option<Decimal>,
    traffic: Decimal,
    untagged: Decimal,
    not_ours: Decimal,
    rounding: Decimal,
    kinds: BTreeMap<BillKind, Decimal>,
    owners: BTreeMap<Option<String>, Decimal>,
    resources: Vec<BilledResource>,
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
        let sum = bss::monthly_sum(&client, cycle).await?;
        live.tell_time(sum.server_time, self.now());
        let sum = sum.value;
        let fees = bss::resource_fees(&client, &FeeQuery::of(cycle, Detail::Month))
            .await?
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
            let (servers, _) = tally.servers(&ask, now, MOST_SERVERS)?;
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

    fn fee(id: &str, kind: &str, tags: &str, amount: &str) -> Fee {
        let row = serde_json::json!({
            "resource_id": id, "resource_name": id, "resource_type": kind, "resource_tag": tags,
            "usage_type": if kind.ends_with("bandwidth") { "upflow" } else { "Duration" },
            "cloud_service_type": "x", "amount": amount, "official_amount": amount,
        });
        serde_json::from_str(&row.to_string()).unwrap()
    }

    fn fees(items: Vec<Fee>) -> bss::Fees {
        bss::Fees {
            currency: "CNY".to_owned(),
            rows: huaweicloud::Listing { items, skipped: 0 },
        }
    }

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

    #[test]
    fn parts_add_up_and_owners_come_from_tags_then_from_ids() {
        let rows = fees(vec![
            fee(
                "s1",
                "hws.resource.type.vm",
                "owner:ada;wangcheng-installation:i",
                "1.005",
            ),
            fee(
                "s1",
                "hws.resource.type.vm",
                "owner:ada;wangcheng-installation:i",
                "-0.1",
            ),
            fee("d1", "hws.resource.type.volume", "", "0.2"),
            fee("d2", "hws.resource.type.volume", "", "0.3"),
            fee("b1", "hws.resource.type.bandwidth", "owner=bo", "0.4"),
            fee("o1", "hws.resource.type.rds", "owner:bo,team:x", "5"),
        ]);
        let owners = BTreeMap::from([("d1".to_owned(), "ada".to_owned())]);
        let estimates = Estimates::from([("chen".to_owned(), Decimal::ONE)]);
        let composed = compose(&rows, "6.80".parse().ok(), &owners, &estimates);
        let decimal = |text: &str| -> Decimal { text.parse().unwrap() };
        assert_eq!(composed.sum, decimal("6.805"));
        assert_eq!(composed.kinds.values().copied().sum::<Decimal>(), composed.sum);
        assert_eq!(composed.owners.values().copied().sum::<Decimal>(), composed.sum);
        let of = |owner: Option<&str>| composed.owners[&owner.map(str::to_owned)];
        assert_eq!(
            (of(Some("ada")), of(Some("bo")), of(None)),
            (decimal("1.105"), decimal("5.4"), decimal("0.3"))
        );
        assert_eq!(
            of(Some("chen")),
            Decimal::ZERO,
            "who was only estimated is on the list"
        );
        assert_eq!(composed.rounding, decimal("-0.005"));
        assert_eq!(
            (composed.traffic, composed.untagged, composed.not_ours),
            (decimal("0.4"), decimal("0.3"), decimal("5"))
        );
        assert_eq!(composed.resources[0].id, "o1");
        assert_eq!(
            composed.resources[1].billed.amount,
            decimal("0.905"),
            "a refund is taken off its server"
        );
    }
}
