//! Who used what, for how long, what it cost and what it will: answers from the tally (`store::tally`, which also says
//! what exactly is counted).
//!
//! Money and hours go out with six places. All of an answer's sums add up at these: the whole is rounded once, and its parts
//! share it by their largest remainders, months first.
//!
//! A question first takes over what the ledger wrote meanwhile and works out what changed, for a while at most; what
//! is left then is said in the answer (`counting`).

mod ask;
mod billed;
mod budgets;
mod forecast;
mod lists;
mod notices;
mod shares;
mod summary;

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use store::{Ledger, Tally};
use ts_rs::TS;

pub use ask::{UsageAsk, UsageCut, UsageTop};
pub(crate) use billed::Kept;
pub use billed::{BillsRead, UsageBilled, UsageBills};
pub use budgets::{Budget, BudgetScope, BudgetState};
pub use forecast::{Forecast, ForecastMethod, ForecastMonth, ForecastTry, UsageForecast};
pub use lists::{
    AllServers, UsageChoices, UsageEvent, UsageOwners, UsageRow, UsageServer, UsageServers, UsageStretch,
    UsageTimeline,
};
pub use notices::BudgetReached;
pub use summary::{UsageCost, UsageDay, UsageMonth, UsageRank, UsageSpent, UsageSummary};

use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};

/// How long a question may work out what changed before it is answered from what there is.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where figures come from, how old and how whole that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageSource {
    /// `ledger`, `platform`, `file:…`.
    pub name: String,
    /// When something was last taken from it.
    pub taken_at: Option<DateTime<Utc>>,
    /// The earliest moment that it tells of.
    pub first: Option<DateTime<Utc>>,
    /// The latest.
    pub last: Option<DateTime<Utc>>,
    /// Events that it told first.
    #[ts(type = "number")]
    pub events: u64,
    /// Events that others had told before.
    #[ts(type = "number")]
    pub doubled: u64,
    /// Rows that could not be read.
    #[ts(type = "number")]
    pub unreadable: u64,
    /// It had no more when it was asked last.
    pub complete: bool,
}

impl From<store::tally::Source> for UsageSource {
    fn from(source: store::tally::Source) -> Self {
        Self {
            name: source.name,
            taken_at: source.taken_at,
            first: source.first,
            last: source.last,
            events: source.facts,
            doubled: source.doubled,
            unreadable: source.unreadable,
            complete: source.complete,
        }
    }
}

/// What a question is answered from.
pub(crate) struct Counted<'a> {
    pub tally: &'a Tally,
    pub ledger: &'a Ledger,
    /// Whose bills are looked at: the account that is signed in.
    pub account: Option<String>,
    pub now: DateTime<Utc>,
    /// There is more to work out.
    pub counting: bool,
}

impl Wangcheng {
    /// The tally, opened when it is first used.
    ///
    /// # Errors
    /// `LedgerReadOnly`, `LedgerFull`, `LedgerFailed`.
    pub(crate) async fn tally<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Tally, &Ledger) -> std::result::Result<T, store::Error> + Send + 'static,
    ) -> Result<T> {
        let inner = self.inner.clone();
        let work = move || {
            let tally = {
                let mut kept = inner.tally.lock().unwrap_or_else(PoisonError::into_inner);
                match &*kept {
                    Some(tally) => tally.clone(),
                    None => kept.insert(Arc::new(Tally::open(&inner.data_dir)?)).clone(),
                }
            };
            act(&tally, &inner.ledger)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Failure::new(Code::Internal).saying(error))?
            .map_err(Failure::from)
    }

    /// Answers a question from figures that are up to date, as far as that does not take too long.
    async fn counted<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Counted<'_>) -> std::result::Result<T, store::Error> + Send + 'static,
    ) -> Result<T> {
        // Events tell the cloud's time.
        let (now, account) = match self.active().await {
            Ok(live) => (live.cloud_now(self.now()), Some(live.account.account_id.clone())),
            Err(_) => (self.now(), None),
        };
        self.tally(move |tally, ledger| {
            tally.follow(ledger, now)?;
            let began = Instant::now();
            let done = tally.settle(|| began.elapsed() < PATIENCE)?;
            act(&Counted {
                tally,
                ledger,
                account,
                now,
                counting: !done,
            })
        })
        .await
    }

    /// Where the figures come from.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn usage_sources(&self) -> Result<Vec<UsageSource>> {
        self.counted(|counted| sources(counted.tally)).await
    }
}

fn sources(tally: &Tally) -> std::result::Result<Vec<UsageSource>, store::Error> {
    Ok(tally.sources()?.into_iter().map(UsageSource::from).collect())
}
