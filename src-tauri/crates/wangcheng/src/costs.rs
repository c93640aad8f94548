//! What servers cost so far: an estimate from the ledger, which knows their prices and how long they were there.

use chrono::{DateTime, Utc};
use rust_decimal::RoundingStrategy::AwayFromZero;
use serde::Serialize;
use ts_rs::TS;

use crate::Wangcheng;
use crate::failure::Result;
use crate::money::Money;

/// What one server came to.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Server id.
    pub server: String,
    /// Since when it is counted: since it was made, or since it was first seen here.
    pub since: DateTime<Utc>,
    /// What it came to, to the cent, rounded up. From above: a stopped server may cost less.
    pub so_far: Money,
    /// What it costs an hour now.
    pub per_hour: Money,
}

/// What the servers that exist came to. One whose price was never known is not among them.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Costs {
    /// The servers.
    pub costs: Vec<Cost>,
    /// Up to when.
    pub as_of: DateTime<Utc>,
}

impl Wangcheng {
    /// What the servers that exist came to so far. The cloud is not asked.
    ///
    /// # Errors
    /// `NotSignedIn`; as the ledger's.
    pub async fn costs(&self) -> Result<Costs> {
        let live = self.active().await?;
        let as_of = live.cloud_now(self.now());
        let found = self.ledger(move |ledger| ledger.costs(as_of)).await?;
        let costs = found.into_iter().map(|cost| Cost {
            server: cost.server_id,
            since: cost.since,
            so_far: Money::new(
                cost.so_far.round_dp_with_strategy(2, AwayFromZero),
                cost.currency.clone(),
            ),
            per_hour: Money::new(cost.per_hour, cost.currency),
        });
        Ok(Costs {
            costs: costs.collect(),
            as_of,
        })
    }
}
