//! What bills said of whole months, kept from when they were read: the real money beside the estimate, in no sum of it.
//!
//! Traffic by volume is in no event, so only bills tell it. A question that is about whole months is answered with what
//! their bills said; one about a part of a month is not, since a bill has no smaller parts here.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use store::Ledger;
use ts_rs::TS;

use super::Counted;
use super::ask::{UsageAsk, UsageCut};
use crate::Wangcheng;
use crate::bill::today;
use crate::failure::{Code, Failure, Result};

/// Most months that are read at once.
const MONTHS_MOST: usize = 36;

/// A month's bill, as it was when it was read last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageBilled {
    /// As `2026-11`.
    pub month: String,
    /// It does not change any more.
    pub is_final: bool,
    /// When it was read.
    pub as_of: DateTime<Utc>,
    /// What was charged in all, or of the owners asked for.
    #[ts(type = "string")]
    pub billed: Decimal,
    /// Of it, outgoing traffic by volume.
    #[ts(type = "string")]
    pub traffic: Decimal,
}

/// What bills said of the months of a question that are asked for as a whole, as far as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageBills {
    /// Month by month, those that were read.
    pub months: Vec<UsageBilled>,
    /// All that was charged in them.
    #[ts(type = "string")]
    pub billed: Decimal,
    /// Of it, outgoing traffic by volume.
    #[ts(type = "string")]
    pub traffic: Decimal,
    /// Of both.
    pub currency: String,
}

/// How far bills were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BillsRead {
    /// Bills that were read now.
    pub read: usize,
    /// Months whose bill was final already when it was read before.
    pub kept: usize,
}

/// What is kept of a bill.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub is_final: bool,
    pub as_of: DateTime<Utc>,
    pub currency: String,
    pub billed: Decimal,
    pub traffic: Decimal,
    /// By owner's name: what was charged, and of it traffic.
    pub owners: BTreeMap<String, (Decimal, Decimal)>,
}

fn setting(account: &str, month: &str) -> String {
    format!("bill.{account}.{month}")
}

fn kept(ledger: &Ledger, account: &str, month: &str) -> std::result::Result<Option<Kept>, store::Error> {
    let text = ledger.setting(&setting(account, month))?;
    // What cannot be read is read from the cloud again.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The months that lie whole in the days asked for; of the running one, up to today.
fn whole_months(ask: &UsageAsk, today: NaiveDate) -> Vec<String> {
    use chrono::{Datelike, Months};
    let mut months = Vec::new();
    let mut first = ask.from.with_day(1).unwrap_or(ask.from);
    while first <= ask.to.min(today) {
        let Some(next) = first.checked_add_months(Months::new(1)) else {
            break;
        };
        let last = next.pred_opt().unwrap_or(first).min(today);
        if first >= ask.from && last <= ask.to {
            months.push(super::summary::name(first));
        }
        first = next;
    }
    months
}

/// What kept bills say to a question, for the account that is signed in. Bills know no flavors and purposes.
pub(super) fn bills(
    counted: &Counted<'_>,
    ask: &UsageAsk,
    currency: &str,
) -> std::result::Result<UsageBills, store::Error> {
    let (months, currency) = billed(counted, ask, currency)?;
    Ok(UsageBills {
        currency,
        billed: months.iter().map(|bill| bill.billed).sum(),
        traffic: months.iter().map(|bill| bill.traffic).sum(),
        months,
    })
}

fn billed(
    counted: &Counted<'_>,
    ask: &UsageAsk,
    currency: &str,
) -> std::result::Result<(Vec<UsageBilled>, String), store::Error> {
    let UsageCut {
        owners,
        flavors,
        regions,
        purposes,
        templates,
        ..
    } = &ask.cut;
    let (Some(account), true) = (
        &counted.account,
        [flavors, regions, purposes, templates]
            .iter()
            .all(|list| list.is_empty()),
    ) else {
        return Ok((Vec::new(), String::new()));
    };
    // Nothing was estimated: in whatever money the first bill is.
    let mut currency = currency.to_owned();
    let names: Option<Vec<String>> = match owners.as_slice() {
        [] => None,
        wanted => {
            let known = counted.tally.names()?.owners;
            let named = known.into_iter().filter(|(id, _)| wanted.contains(id));
            Some(named.flat_map(|(id, name)| [id, name]).collect())
        }
    };
    let mut all = Vec::new();
    for month in whole_months(ask, today(counted.now)) {
        let Some(bill) = kept(counted.ledger, account, &month)? else {
            continue;
        };
        if currency.is_empty() {
            currency.clone_from(&bill.currency);
        }
        if bill.currency != currency {
            continue;
        }
        let (billed, traffic) = match &names {
            None => (bill.billed, bill.traffic),
            Some(names) => bill
                .owners
                .iter()
                .filter(|(owner, _)| names.contains(owner))
                .fold((Decimal::ZERO, Decimal::ZERO), |sum, (_, part)| {
                    (sum.0 + part.0, sum.1 + part.1)
                }),
        };
        all.push(UsageBilled {
            month,
            is_final: bill.is_final,
            as_of: bill.as_of,
            billed,
            traffic,
        });
    }
    Ok((all, currency))
}

impl Wangcheng {
    /// Keeps what the summary needs of a bill.
    pub(crate) async fn keep_bill(&self, account: &str, month: &str, bill: &Kept) -> Result<()> {
        let text = serde_json::to_string(bill).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let key = setting(account, month);
        self.ledger(move |ledger| ledger.set_setting(&key, &text)).await
    }

    /// Reads the bills of the whole months of a question, but for those that were final when they were read.
    ///
    /// # Errors
    /// As of [`Wangcheng::bill`]; what was read by then is kept.
    pub async fn read_bills(&self, ask: UsageAsk) -> Result<BillsRead> {
        ask.cut.ask(ask.from, ask.to)?;
        let live = self.active().await?;
        let account = live.account.account_id.clone();
        let mut months = whole_months(&ask, today(live.cloud_now(self.now())));
        // The latest ones, where there are more.
        months.drain(..months.len().saturating_sub(MONTHS_MOST));
        let mut told = BillsRead { read: 0, kept: 0 };
        for month in months.into_iter().rev() {
            let (of, named) = (account.clone(), month.clone());
            let known = self.ledger(move |ledger| kept(ledger, &of, &named)).await?;
            if known.is_some_and(|bill| bill.is_final) {
                told.kept += 1;
                continue;
            }
            self.bill(&month).await?;
            told.read += 1;
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_months_have_a_bill_and_the_running_one_up_to_today() {
        let months = |from: &str, to: &str| {
            let ask = UsageAsk {
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
                cut: UsageCut::default(),
            };
            whole_months(&ask, "2026-03-10".parse().unwrap()).join(" ")
        };
        assert_eq!(months("2026-01-01", "2026-03-10"), "2026-01 2026-02 2026-03");
        assert_eq!(months("2026-01-02", "2026-03-31"), "2026-02 2026-03");
        assert_eq!(months("2026-03-01", "2026-03-09"), "", "today is missing");
        assert_eq!(months("2026-02-01", "2026-02-27"), "");
    }
}
