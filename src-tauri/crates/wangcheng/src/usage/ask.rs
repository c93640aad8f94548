//! What is asked.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use store::Tally;
use store::tally::{Ask, Sums};
use ts_rs::TS;

use crate::failure::{Code, Failure, Result};

/// Longest time that one question is about, in days.
const DAYS_MOST: i64 = 3_700;
/// Most words of one kind in one question.
const WORDS_MOST: usize = 5_000;

/// Which part of everything. An empty list is everything; an empty word in a list, what has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase")]
pub struct UsageCut {
    /// Owner ids.
    pub owners: Vec<String>,
    /// Flavor ids.
    pub flavors: Vec<String>,
    /// Region ids.
    pub regions: Vec<String>,
    /// Purposes.
    pub purposes: Vec<String>,
    /// Template ids.
    pub templates: Vec<String>,
    /// Whose money is counted; by default that of which there is most.
    pub currency: Option<String>,
}

/// Days of Asia/Shanghai, both included, and which part of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageAsk {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Which part.
    #[serde(default)]
    pub cut: UsageCut,
}

/// Some of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageTop {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Which part.
    #[serde(default)]
    pub cut: UsageCut,
    /// How many.
    pub limit: u32,
    /// How many before them were seen already.
    #[serde(default)]
    #[ts(optional, as = "Option<u32>")]
    pub skip: u32,
}

/// A question, and the same about the days before.
pub(super) struct Compared {
    pub now: Ask,
    pub before: Option<Ask>,
}

impl Compared {
    pub(super) fn of(cut: &UsageCut, from: NaiveDate, to: NaiveDate) -> Result<Self> {
        let before = before(from, to).map(|(from, to)| cut.ask(from, to)).transpose()?;
        Ok(Self {
            now: cut.ask(from, to)?,
            before,
        })
    }

    /// Both answers; the same money counts on both sides.
    pub(super) fn sums(
        &mut self,
        tally: &Tally,
        now: DateTime<Utc>,
    ) -> std::result::Result<(Sums, Option<Sums>), store::Error> {
        let sums = tally.sums(&self.now, now)?;
        let Some(before) = &mut self.before else {
            return Ok((sums, None));
        };
        if before.currency.is_none() && !sums.currency.is_empty() {
            before.currency = Some(sums.currency.clone());
        }
        let then = tally.sums(before, now)?;
        Ok((sums, Some(then)))
    }
}

impl UsageCut {
    pub(super) fn ask(&self, from: NaiveDate, to: NaiveDate) -> Result<Ask> {
        let bad = |field: &str| Err(Failure::new(Code::BadInput).with("field", field));
        let days = (to - from).num_days();
        if !(0..=DAYS_MOST).contains(&days) || from.year() < 2000 || to.year() > 2199 {
            return bad("to");
        }
        let lists = [
            &self.owners,
            &self.flavors,
            &self.regions,
            &self.purposes,
            &self.templates,
        ];
        if lists.iter().any(|list| list.len() > WORDS_MOST) {
            return bad("cut");
        }
        Ok(Ask {
            from,
            to,
            owners: self.owners.clone(),
            flavors: self.flavors.clone(),
            regions: self.regions.clone(),
            purposes: self.purposes.clone(),
            templates: self.templates.clone(),
            currency: self.currency.clone(),
        })
    }
}

/// The days before that are compared with: as many whole months before whole months, otherwise as many days.
fn before(from: NaiveDate, to: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let last = from.checked_sub_days(Days::new(1))?;
    let after = to.checked_add_days(Days::new(1))?;
    let first = if from.day() == 1 && after.day() == 1 {
        let months = (after.year() - from.year()) * 12 + i32::try_from(after.month()).ok()?
            - i32::try_from(from.month()).ok()?;
        from.checked_sub_months(Months::new(u32::try_from(months).ok()?))?
    } else {
        from.checked_sub_days(Days::new(u64::try_from((to - from).num_days()).ok()? + 1))?
    };
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_months_are_compared_with_whole_months_and_days_with_as_many_days() {
        let before = |from: &str, to: &str| {
            let (first, last) = before(from.parse().unwrap(), to.parse().unwrap()).unwrap();
            format!("{first} {last}")
        };
        assert_eq!(before("2026-03-01", "2026-03-31"), "2026-02-01 2026-02-28");
        assert_eq!(before("2026-01-01", "2026-03-31"), "2025-10-01 2025-12-31");
        assert_eq!(before("2026-03-01", "2026-03-10"), "2026-02-19 2026-02-28");
    }

    #[test]
    fn a_question_that_ends_before_it_begins_is_refused() {
        let cut = UsageCut::default();
        let day = |text: &str| text.parse().unwrap();
        assert!(cut.ask(day("2026-02-02"), day("2026-02-01")).is_err());
        assert!(cut.ask(day("0026-02-02"), day("2026-02-01")).is_err());
        assert!(cut.ask(day("2026-02-01"), day("2026-02-01")).is_ok());
    }
}
