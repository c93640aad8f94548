//! What the running month, the next one and the next quarter will cost.
//!
//! **The running month** goes on as it went so far: money so far ÷ time so far × length of the month (the run rate).
//!
//! **Later months** follow from the months that are over, by whichever of four plain methods would have been least wrong
//! before: at every month of the past, each method is given only what was known then, and its answer is compared with
//! what came (the same number of months ahead, the same length). Its error is Σ |answer − what came| ÷ Σ what came. A
//! method needs three such tries to be chosen.
//!
//! **The interval** holds four of five of the past errors: the answer ± the 80th percentile of |answer − what came| ÷ answer; with
//! fewer than five tries, the largest one. **Too little** is said for a running month of less than three days, and for later
//! ones where fewer than three whole months lie behind, or no method had three tries. A first month that began in its middle is
//! not a whole one.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use store::tally::{Amounts, Ask, Sums};
use ts_rs::TS;

use super::ask::UsageCut;
use super::shares::{MONEY, decimal, rounded};
use super::summary::name;
use crate::Wangcheng;
use crate::failure::Result;

/// How far back is looked, in months.
const MONTHS: u32 = 36;
/// Tries without which a method is not chosen; whole months, and days of the running one, without which little is known.
const FEW: usize = 3;
/// Months by which the run rate is tried.
const RUN_RATE_TRIES: usize = 6;
const DAY_MS: i64 = 24 * 3600 * 1000;
const SHANGHAI_MS: i64 = 8 * 3600 * 1000;

/// How an amount was worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ForecastMethod {
    /// As it went so far in the month.
    RunRate,
    /// As the last whole month.
    LastMonth,
    /// As the last three on average.
    MeanOfThree,
    /// On the straight line through the last six.
    TrendOfSix,
    /// As the same month a year before, times how the three months before compare with those of a year before.
    LastYear,
}

/// An amount to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// What it has come to already.
    #[ts(type = "string")]
    pub so_far: Decimal,
    /// What it will come to.
    #[ts(type = "string")]
    pub expected: Decimal,
    /// Four of five times it would have been at least that.
    #[ts(type = "string | null")]
    pub low: Option<Decimal>,
    /// And at most that.
    #[ts(type = "string | null")]
    pub high: Option<Decimal>,
    /// How it was worked out.
    pub method: ForecastMethod,
    /// How wrong that would have been, in percent.
    #[ts(type = "string | null")]
    pub error_percent: Option<Decimal>,
    /// How often it was tried on the past.
    pub tries: u32,
    /// There is too little to go by.
    pub too_little: bool,
}

/// How wrong a method would have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ForecastTry {
    /// The method.
    pub method: ForecastMethod,
    /// For the next month: its error in percent; none: it cannot be tried.
    #[ts(type = "string | null")]
    pub month_error_percent: Option<Decimal>,
    /// How often it was tried.
    pub month_tries: u32,
    /// For the next quarter.
    #[ts(type = "string | null")]
    pub quarter_error_percent: Option<Decimal>,
    /// How often it was tried.
    pub quarter_tries: u32,
}

/// One month of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ForecastMonth {
    /// As `2026-11`.
    pub month: String,
    /// What it came to.
    #[ts(type = "string")]
    pub cost: Decimal,
}

/// What is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageForecast {
    /// Worked out when.
    pub as_of: DateTime<Utc>,
    /// Of all money; empty where there is none.
    pub currency: String,
    /// The whole months that it goes by.
    pub months: Vec<ForecastMonth>,
    /// The running month.
    pub running: Forecast,
    /// The next one.
    pub next_month: Forecast,
    /// The next quarter of the calendar.
    pub next_quarter: Forecast,
    /// How wrong each method would have been.
    pub methods: Vec<ForecastTry>,
}

impl Wangcheng {
    /// What the running month, the next one and the next quarter will cost.
    ///
    /// # Errors
    /// `BadInput`; as the ledger's.
    pub async fn usage_forecast(&self, cut: UsageCut) -> Result<UsageForecast> {
        let today = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
        let ask = cut.ask(today, today)?;
        self.counted(move |counted| {
            let now = counted.now;
            forecast(ask, now, |ask, now| counted.tally.sums(ask, now))
        })
        .await
    }
}

/// The day in Asia/Shanghai.
pub(super) fn shanghai(now: DateTime<Utc>) -> NaiveDate {
    DateTime::from_timestamp_millis(now.timestamp_millis() + SHANGHAI_MS)
        .unwrap_or_default()
        .date_naive()
}

fn begin(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis() - SHANGHAI_MS
}

fn months_on(month: NaiveDate, count: i32) -> NaiveDate {
    let by = Months::new(count.unsigned_abs());
    let moved = if count < 0 {
        month.checked_sub_months(by)
    } else {
        month.checked_add_months(by)
    };
    moved.unwrap_or(month)
}

fn last_day(month: NaiveDate) -> NaiveDate {
    months_on(month, 1)
        .checked_sub_days(Days::new(1))
        .unwrap_or(month)
}

fn money(sums: &Sums) -> Decimal {
    decimal(rounded(sums.total.cost(), MONEY))
}

/// Works it out from sums that are asked for one after the other.
pub(super) fn forecast<E>(
    mut ask: Ask,
    now: DateTime<Utc>,
    sums: impl Fn(&Ask, DateTime<Utc>) -> std::result::Result<Sums, E>,
) -> std::result::Result<UsageForecast, E> {
    let today = shanghai(now);
    let running = today.with_day(1).unwrap_or(today);
    (ask.from, ask.to) = (
        months_on(running, -i32::try_from(MONTHS).unwrap_or_default()),
        last_day(running),
    );
    let all = sums(&ask, now)?;
    ask.currency = ask
        .currency
        .or_else(|| Some(all.currency.clone()).filter(|currency| !currency.is_empty()));
    let whole = whole_months(&all, running);
    let series: Vec<Decimal> = whole.iter().map(|(_, cost)| *cost).collect();

    let so_far = all.months.last().map_or(0, |month| month.amounts.cost());
    let so_far = decimal(rounded(so_far, MONEY));
    let (length, elapsed) = (
        begin(months_on(running, 1)) - begin(running),
        now.timestamp_millis() - begin(running),
    );
    let part = |elapsed: i64, length: i64| Decimal::from(elapsed) / Decimal::from(length);
    let mut of_running = Forecast {
        from: running,
        to: last_day(running),
        so_far,
        expected: run_rate(so_far, part(elapsed, length)),
        low: None,
        high: None,
        method: ForecastMethod::RunRate,
        error_percent: None,
        tries: 0,
        too_little: elapsed < i64::try_from(FEW).unwrap_or_default() * DAY_MS,
    };
    let mut tried = Vec::new();
    for (month, came) in whole.iter().rev().take(RUN_RATE_TRIES) {
        (ask.from, ask.to) = (*month, last_day(*month));
        let of_month = begin(months_on(*month, 1)) - begin(*month);
        let then = begin(*month) + elapsed.min(of_month);
        let known = money(&sums(
            &ask,
            DateTime::from_timestamp_millis(then).unwrap_or_default(),
        )?);
        tried.push((run_rate(known, part(elapsed.min(of_month), of_month)), *came));
    }
    of_running.judge(&tried);
    // What was spent is spent.
    of_running.low = of_running.low.map(|low| low.max(so_far));

    let next = months_on(running, 1);
    let quarter = months_on(
        running,
        3 - i32::try_from(running.month0() % 3).unwrap_or_default(),
    );
    let ahead = usize::try_from(4 - running.month0() % 3).unwrap_or_default();
    let of_month = later(&series, &[2], &of_running, next, next);
    let of_quarter = later(
        &series,
        &[ahead, ahead + 1, ahead + 2],
        &of_running,
        quarter,
        months_on(quarter, 2),
    );
    let methods = METHODS.iter().map(|method| {
        let (month, quarter) = (
            tries(*method, &series, &[2]),
            tries(*method, &series, &[ahead, ahead + 1, ahead + 2]),
        );
        ForecastTry {
            method: *method,
            month_error_percent: error_percent(&month),
            month_tries: count(&month),
            quarter_error_percent: error_percent(&quarter),
            quarter_tries: count(&quarter),
        }
    });
    Ok(UsageForecast {
        as_of: now,
        currency: ask.currency.unwrap_or_default(),
        months: whole
            .iter()
            .map(|(month, cost)| ForecastMonth {
                month: name(*month),
                cost: *cost,
            })
            .collect(),
        methods: methods.collect(),
        running: of_running,
        next_month: of_month,
        next_quarter: of_quarter,
    })
}

/// The months that are over, from the first whole one with any use on.
fn whole_months(all: &Sums, running: NaiveDate) -> Vec<(NaiveDate, Decimal)> {
    let Some(first) = all.days.iter().find(|day| day.1 > 0).map(|day| day.0) else {
        return Vec::new();
    };
    let from = if first.day() == 1 {
        first
    } else {
        months_on(first.with_day(1).unwrap_or(first), 1)
    };
    let months = all
        .months
        .iter()
        .filter(|month| month.month >= from && month.month < running);
    months
        .map(|month| {
            (
                month.month,
                decimal(rounded(Amounts::cost(&month.amounts), MONEY)),
            )
        })
        .collect()
}

fn run_rate(so_far: Decimal, part: Decimal) -> Decimal {
    so_far.checked_div(part).map_or(so_far, |all| all.round_dp(6))
}

const METHODS: [ForecastMethod; 4] = [
    ForecastMethod::LastMonth,
    ForecastMethod::MeanOfThree,
    ForecastMethod::TrendOfSix,
    ForecastMethod::LastYear,
];

/// What a method says of the month that is `ahead` (1: the next one) of these; none: it needs more.
fn predict(method: ForecastMethod, past: &[Decimal], ahead: usize) -> Option<Decimal> {
    let last = |count: usize| past.len().checked_sub(count).and_then(|from| past.get(from..));
    let mean = |months: &[Decimal]| months.iter().sum::<Decimal>() / Decimal::from(months.len().max(1));
    let value = match method {
        ForecastMethod::RunRate => None,
        ForecastMethod::LastMonth => past.last().copied(),
        ForecastMethod::MeanOfThree => last(3).map(mean),
        ForecastMethod::TrendOfSix => last(6).map(|months| {
            // Least squares over x = 0 … 5: their mean is 2.5, and Σ (x − 2.5)² = 17.5.
            let slope: Decimal = months
                .iter()
                .zip(0_i64..)
                .map(|(month, x)| month * Decimal::new(x * 10 - 25, 1))
                .sum::<Decimal>()
                / Decimal::new(175, 1);
            mean(months) + slope * (Decimal::new(25, 1) + Decimal::from(ahead))
        }),
        ForecastMethod::LastYear => {
            let same = (past.len() + ahead).checked_sub(13).and_then(|nth| past.get(nth));
            let recent = last(3).map(mean);
            let then = past
                .len()
                .checked_sub(15)
                .and_then(|from| past.get(from..from + 3))
                .map(mean);
            match (same, recent, then) {
                (Some(same), Some(recent), Some(then)) => recent.checked_div(then).map(|grown| same * grown),
                _ => None,
            }
        }
    };
    value.map(|value| value.max(Decimal::ZERO).round_dp(6))
}

/// What a method would have said of so many months ahead, together, and what came: at every month of the past.
fn tries(method: ForecastMethod, series: &[Decimal], ahead: &[usize]) -> Vec<(Decimal, Decimal)> {
    let mut tried = Vec::new();
    for known in FEW..series.len() {
        let Some(past) = series.get(..known) else { break };
        let said: Option<Decimal> = ahead.iter().map(|ahead| predict(method, past, *ahead)).sum();
        let came: Option<Decimal> = ahead
            .iter()
            .map(|ahead| series.get(known + ahead - 1).copied())
            .sum();
        if let (Some(said), Some(came)) = (said, came) {
            tried.push((said, came));
        }
    }
    tried
}

fn count(tries: &[(Decimal, Decimal)]) -> u32 {
    u32::try_from(tries.len()).unwrap_or(u32::MAX)
}

/// Σ |said − came| ÷ Σ came, in percent to one place.
fn error_percent(tries: &[(Decimal, Decimal)]) -> Option<Decimal> {
    let wrong: Decimal = tries.iter().map(|(said, came)| (said - came).abs()).sum();
    let came: Decimal = tries.iter().map(|(_, came)| came).sum();
    wrong
        .checked_div(came)
        .map(|error| (error * Decimal::ONE_HUNDRED).round_dp(1))
}

fn later(
    series: &[Decimal],
    ahead: &[usize],
    running: &Forecast,
    first: NaiveDate,
    last: NaiveDate,
) -> Forecast {
    let tried = METHODS.map(|method| (method, tries(method, series, ahead)));
    let able = tried.iter().filter(|(_, tries)| tries.len() >= FEW);
    let best = able.min_by_key(|(_, tries)| error_percent(tries).unwrap_or(Decimal::MAX));
    let fallback = (ForecastMethod::MeanOfThree, Vec::new());
    let (method, tried) = best.unwrap_or(&fallback);
    let said: Option<Decimal> = ahead.iter().map(|ahead| predict(*method, series, *ahead)).sum();
    let mut forecast = Forecast {
        from: first,
        to: last_day(last),
        so_far: Decimal::ZERO,
        expected: said.unwrap_or_else(|| running.expected * Decimal::from(ahead.len())),
        low: None,
        high: None,
        method: if said.is_some() {
            *method
        } else {
            ForecastMethod::RunRate
        },
        error_percent: None,
        tries: 0,
        too_little: best.is_none(),
    };
    if said.is_some() {
        forecast.judge(tried);
    }
    forecast
}

impl Forecast {
    /// Says how wrong the method would have been, and how far off this answer may be by that.
    fn judge(&mut self, tries: &[(Decimal, Decimal)]) {
        self.tries = count(tries);
        self.error_percent = error_percent(tries);
        let mut off: Vec<Decimal> = tries
            .iter()
            .filter_map(|(said, came)| (said - came).abs().checked_div(*said))
            .collect();
        off.sort_unstable();
        // With fewer than five it is the last one.
        let nth = (off.len() * 4).div_ceil(5).max(off.len().min(5)).min(off.len());
        if let Some(off) = nth.checked_sub(1).and_then(|nth| off.get(nth)) {
            self.low = Some(
                (self.expected * (Decimal::ONE - off))
                    .max(Decimal::ZERO)
                    .round_dp(6),
            );
            self.high = Some((self.expected * (Decimal::ONE + off)).round_dp(6));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(all: &[i64]) -> Vec<Decimal> {
        all.iter().map(|number| Decimal::from(*number)).collect()
    }

    #[test]
    fn a_straight_line_is_gone_on_with_and_tried_without_error() {
        let series = numbers(&[100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200]);
        assert_eq!(
            predict(ForecastMethod::TrendOfSix, &series, 1),
            Some(Decimal::from(210))
        );
        assert_eq!(
            predict(ForecastMethod::TrendOfSix, &series, 3),
            Some(Decimal::from(230))
        );
        assert_eq!(
            error_percent(&tries(ForecastMethod::TrendOfSix, &series, &[2])),
            Some(Decimal::ZERO)
        );
        let running = empty();
        let next = later(&series, &[2], &running, running.from, running.from);
        assert_eq!(
            (next.method, next.expected, next.too_little),
            (ForecastMethod::TrendOfSix, Decimal::from(220), false)
        );
        assert_eq!(
            (next.low, next.high),
            (Some(Decimal::from(220)), Some(Decimal::from(220)))
        );
    }

    #[test]
    fn a_yearly_wave_is_seen_after_two_years() {
        let year = [100, 100, 100, 100, 100, 500, 100, 100, 100, 100, 100, 100];
        let series = numbers(&[year, year].concat());
        let running = empty();
        let next = later(&series, &[6], &running, running.from, running.from);
        assert_eq!(
            (next.method, next.expected),
            (ForecastMethod::LastYear, Decimal::from(500))
        );
    }

    #[test]
    fn no_method_knows_more_than_was_known_then() {
        let calm = numbers(&[100, 100, 100, 100, 100, 100, 100]);
        let mut shaken = calm.clone();
        shaken[6] = Decimal::from(900);
        let (before, after) = (
            tries(ForecastMethod::LastMonth, &calm, &[2]),
            tries(ForecastMethod::LastMonth, &shaken, &[2]),
        );
        let said = |tries: &[(Decimal, Decimal)]| tries.iter().map(|(said, _)| *said).collect::<Vec<_>>();
        assert_eq!(said(&before), said(&after));
        assert_ne!(error_percent(&before), error_percent(&after));
    }

    #[test]
    fn two_months_are_too_little_and_it_is_said() {
        let running = empty();
        let next = later(&numbers(&[10, 20]), &[2], &running, running.from, running.from);
        assert_eq!(
            (next.method, next.too_little, next.low),
            (ForecastMethod::RunRate, true, None)
        );
        assert_eq!(next.expected, running.expected);
        let three = later(
            &numbers(&[10, 20, 30]),
            &[2],
            &running,
            running.from,
            running.from,
        );
        assert_eq!(
            (three.method, three.too_little, three.expected),
            (ForecastMethod::MeanOfThree, true, Decimal::from(20))
        );
    }

    #[test]
    fn four_of_five_past_errors_lie_in_the_interval() {
        let mut forecast = empty();
        let tries: Vec<_> = (1..=10)
            .map(|off| (Decimal::from(100), Decimal::from(100 + off)))
            .collect();
        forecast.judge(&tries);
        assert_eq!(
            (forecast.low, forecast.high),
            (Some(Decimal::from(92)), Some(Decimal::from(108)))
        );
        forecast.judge(&tries[..3]);
        assert_eq!(forecast.high, Some(Decimal::from(103)), "of few, the largest");
    }

    fn empty() -> Forecast {
        let day = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        Forecast {
            from: day,
            to: day,
            so_far: Decimal::ZERO,
            expected: Decimal::from(100),
            low: None,
            high: None,
            method: ForecastMethod::RunRate,
            error_percent: None,
            tries: 0,
            too_little: false,
        }
    }
}
