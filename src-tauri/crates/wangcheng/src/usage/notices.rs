//! What of budgets is to be told: each percentage once a month, when it is spent and when it is to be expected.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::budgets::{BudgetScope, BudgetState};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::money::Money;

const KEY: &str = "budgets.told";

/// A percentage of a budget is spent, or will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BudgetReached {
    /// Whose money.
    pub scope: BudgetScope,
    /// Owner id or purpose; empty for everything.
    pub key: String,
    /// Name of the owner, or the purpose; empty for everything. It comes from outside.
    pub name: String,
    /// As `2026-11`.
    pub month: String,
    /// The highest percentage that is reached.
    pub percent: u16,
    /// It is not spent yet: the month comes to it as it goes.
    pub expected: bool,
    /// What is spent, or expected.
    pub amount: Money,
    /// The budget of the month.
    pub budget: Money,
}

/// One percentage that was told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Told {
    scope: String,
    key: String,
    month: String,
    percent: u16,
    expected: bool,
}

impl Told {
    fn new(state: &BudgetState, percent: u16, expected: bool) -> Self {
        let scope = match state.budget.scope {
            BudgetScope::All => "all",
            BudgetScope::Owner => "owner",
            BudgetScope::Purpose => "purpose",
        };
        Self {
            scope: scope.to_owned(),
            key: state.budget.key.clone(),
            month: state.month.clone(),
            percent,
            expected,
        }
    }
}

impl Wangcheng {
    /// What of the budgets is to be told and was not yet. Whoever asks tells it: it is not answered again.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn budgets_to_tell(&self) -> Result<Vec<BudgetReached>> {
        if self.kept_budgets().await?.is_empty() {
            return Ok(Vec::new());
        }
        let states = self.budgets().await?;
        let kept = self.ledger(|ledger| ledger.setting(KEY)).await?;
        // What cannot be read was told by another version: telling it twice is better than never.
        let told: BTreeSet<Told> = kept
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let (mut reached, now_told) = untold(&states, &told);
        if now_told != told {
            let text = serde_json::to_string(&now_told)
                .map_err(|error| Failure::new(Code::Internal).saying(error))?;
            self.ledger(move |ledger| ledger.set_setting(KEY, &text)).await?;
        }
        if reached.iter().any(|one| one.scope == BudgetScope::Owner) {
            let owners = self.usage_choices().await?.owners;
            for one in reached.iter_mut().filter(|one| one.scope == BudgetScope::Owner) {
                let named = owners.iter().find(|(id, _)| *id == one.key);
                one.name = named.map_or_else(|| one.key.clone(), |(_, name)| name.clone());
            }
        }
        Ok(reached)
    }
}

/// What was not told yet, and all that is told then; months that are over are forgotten. Of several percentages of a budget only
/// the highest is told.
fn untold(states: &[BudgetState], told: &BTreeSet<Told>) -> (Vec<BudgetReached>, BTreeSet<Told>) {
    let mut now_told: BTreeSet<Told> = told
        .iter()
        .filter(|one| states.iter().any(|state| state.month == one.month))
        .cloned()
        .collect();
    let mut reached = Vec::new();
    for state in states {
        let mut highest = |percentages: &[u16], expected: bool, amount: Decimal| {
            let mut new = None;
            for percent in percentages {
                if now_told.insert(Told::new(state, *percent, expected)) {
                    new = new.max(Some(*percent));
                }
            }
            if let Some(percent) = new {
                reached.push(BudgetReached {
                    scope: state.budget.scope,
                    key: state.budget.key.clone(),
                    name: match state.budget.scope {
                        BudgetScope::Purpose => state.budget.key.clone(),
                        BudgetScope::All | BudgetScope::Owner => String::new(),
                    },
                    month: state.month.clone(),
                    percent,
                    expected,
                    amount: Money::new(amount, state.budget.monthly.currency.clone()),
                    budget: state.budget.monthly.clone(),
                });
            }
        };
        highest(&state.reached, false, state.spent);
        // A month that is too young says nothing about its end, and what is spent already is no news of it.
        if !state.too_little {
            let ahead: Vec<u16> = state
                .to_be_reached
                .iter()
                .filter(|percent| !state.reached.contains(percent))
                .copied()
                .collect();
            highest(&ahead, true, state.expected);
        }
    }
    (reached, now_told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Budget;

    fn state(month: &str, reached: &[u16], to_be_reached: &[u16]) -> BudgetState {
        BudgetState {
            budget: Budget {
                scope: BudgetScope::All,
                key: String::new(),
                monthly: Money::new(Decimal::ONE_HUNDRED, "CNY"),
                percentages: vec![50, 80, 100],
            },
            month: month.to_owned(),
            spent: Decimal::from(60),
            expected: Decimal::from(110),
            too_little: false,
            spent_percent: Decimal::from(60),
            expected_percent: Decimal::from(110),
            reached: reached.to_vec(),
            to_be_reached: to_be_reached.to_vec(),
            as_of: "2026-11-20T00:00:00Z".parse().unwrap(),
        }
    }

    fn said(reached: &[BudgetReached]) -> Vec<(u16, bool)> {
        reached.iter().map(|one| (one.percent, one.expected)).collect()
    }

    #[test]
    fn each_percentage_is_told_once_a_month_when_expected_and_when_spent() {
        let mut told = BTreeSet::new();
        let mut tell = |state: BudgetState| {
            let (reached, now) = untold(&[state], &told);
            told = now;
            said(&reached)
        };
        let first = tell(state("2026-11", &[50], &[50, 80, 100]));
        assert_eq!(first, [(50, false), (100, true)], "the highest of each kind");
        assert_eq!(tell(state("2026-11", &[50], &[50, 80, 100])), [], "nothing twice");
        let spent = tell(state("2026-11", &[50, 80], &[50, 80, 100]));
        assert_eq!(spent, [(80, false)], "expected before, and now spent");
        assert_eq!(
            tell(state("2026-12", &[50], &[50])),
            [(50, false)],
            "another month begins anew"
        );
        assert_eq!(told.len(), 1, "months that are over are forgotten");
    }

    #[test]
    fn nothing_is_expected_of_a_month_that_is_too_young() {
        let young = BudgetState {
            too_little: true,
            ..state("2026-11", &[], &[50, 80, 100])
        };
        assert_eq!(untold(&[young], &BTreeSet::new()).0, []);
    }
}
