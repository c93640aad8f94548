//! Budgets of a month: for everything, an owner or a purpose, held against what was spent and against what will be.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use store::tally::Sums;
use ts_rs::TS;

use super::ask::UsageCut;
use super::forecast::{forecast, shanghai};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::money::Money;

const KEY: &str = "budgets";
const MOST: usize = 200;
const PERCENT_MOST: u16 = 1_000;

/// Whose money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BudgetScope {
    /// Everything.
    All,
    /// One owner's.
    Owner,
    /// One purpose's.
    Purpose,
}

/// What a month may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Whose.
    pub scope: BudgetScope,
    /// Owner id or purpose; empty for everything.
    pub key: String,
    /// How much.
    pub monthly: Money,
    /// At which percentages something is to be said.
    pub percentages: Vec<u16>,
}

/// How a budget stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BudgetState {
    /// The budget.
    pub budget: Budget,
    /// As `2026-11`.
    pub month: String,
    /// What was spent of it.
    #[ts(type = "string")]
    pub spent: Decimal,
    /// What the month will come to as it goes.
    #[ts(type = "string")]
    pub expected: Decimal,
    /// The month is too young to say.
    pub too_little: bool,
    /// What was spent, in percent.
    #[ts(type = "string")]
    pub spent_percent: Decimal,
    /// What is expected, in percent.
    #[ts(type = "string")]
    pub expected_percent: Decimal,
    /// Percentages that are reached.
    pub reached: Vec<u16>,
    /// Percentages that will be.
    pub to_be_reached: Vec<u16>,
    /// Up to when it is counted.
    pub as_of: DateTime<Utc>,
}

impl Wangcheng {
    /// How the budgets stand.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn budgets(&self) -> Result<Vec<BudgetState>> {
        let kept = self.kept_budgets().await?;
        let asks = kept
            .into_iter()
            .map(|budget| {
                let mut cut = UsageCut {
                    currency: Some(budget.monthly.currency.clone()),
                    ..UsageCut::default()
                };
                match budget.scope {
                    BudgetScope::All => {}
                    BudgetScope::Owner => cut.owners.push(budget.key.clone()),
                    BudgetScope::Purpose => cut.purposes.push(budget.key.clone()),
                }
                let day = shanghai(self.now());
                Ok((budget, cut.ask(day, day)?))
            })
            .collect::<Result<Vec<_>>>()?;
        self.counted(move |counted| {
            let sums =
                |ask: &_, now| -> std::result::Result<Sums, store::Error> { counted.tally.sums(ask, now) };
            asks.into_iter()
                .map(|(budget, ask)| {
                    let running = forecast(ask, counted.now, sums)?.running;
                    Ok(state(
                        budget,
                        super::summary::name(running.from),
                        running.so_far,
                        &running,
                        counted.now,
                    ))
                })
                .collect()
        })
        .await
    }

    /// Replaces all budgets.
    ///
    /// # Errors
    /// `BadInput` for one that cannot be kept to; as the ledger's.
    pub async fn set_budgets(&self, budgets: Vec<Budget>) -> Result<Vec<BudgetState>> {
        let bad = |field: &str| Err(Failure::new(Code::BadInput).with("field", field));
        if budgets.len() > MOST {
            return bad("budgets");
        }
        for budget in &budgets {
            let currency = &budget.monthly.currency;
            let money = !budget.monthly.amount.is_sign_negative() && !budget.monthly.amount.is_zero();
            if !money || currency.len() != 3 || !currency.chars().all(|c| c.is_ascii_uppercase()) {
                return bad("monthly");
            }
            if (budget.scope == BudgetScope::All) != budget.key.is_empty() || budget.key.len() > 256 {
                return bad("key");
            }
            let percentages = &budget.percentages;
            if percentages.len() > 10
                || percentages
                    .iter()
                    .any(|percent| !(1..=PERCENT_MOST).contains(percent))
            {
                return bad("percentages");
            }
        }
        let text =
            serde_json::to_string(&budgets).map_err(|error| Failure::new(Code::Internal).saying(error))?;
        self.ledger(move |ledger| ledger.set_setting(KEY, &text)).await?;
        self.budgets().await
    }

    pub(super) async fn kept_budgets(&self) -> Result<Vec<Budget>> {
        let kept = self.ledger(|ledger| ledger.setting(KEY)).await?;
        match kept {
            Some(text) => {
                serde_json::from_str(&text).map_err(|error| Failure::new(Code::LedgerFailed).saying(error))
            }
            None => Ok(Vec::new()),
        }
    }
}

fn state(
    budget: Budget,
    month: String,
    spent: Decimal,
    running: &super::Forecast,
    as_of: DateTime<Utc>,
) -> BudgetState {
    let percent = |amount: Decimal| {
        let part = amount.checked_div(budget.monthly.amount).unwrap_or_default();
        (part * Decimal::ONE_HUNDRED).round_dp(1)
    };
    let reached = |amount: Decimal| {
        let reaches =
            |percent: u16| amount * Decimal::ONE_HUNDRED >= budget.monthly.amount * Decimal::from(percent);
        let mut all: Vec<u16> = budget
            .percentages
            .iter()
            .copied()
            .filter(|percent| reaches(*percent))
            .collect();
        all.sort_unstable();
        all
    };
    BudgetState {
        month,
        spent,
        expected: running.expected,
        too_little: running.too_little,
        spent_percent: percent(spent),
        expected_percent: percent(running.expected),
        reached: reached(spent),
        to_be_reached: reached(running.expected),
        as_of,
        budget,
    }
}
