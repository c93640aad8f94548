//! What each server that exists came to so far, from its stretches of time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::columns::{Time, moment};
use crate::{Error, Ledger, ServerCost};

const HOUR_MS: i64 = 3600 * 1000;

/// One stretch in which a server existed.
struct Stretch {
    server_id: String,
    price: Decimal,
    currency: String,
    began: i64,
    ended: i64,
}

impl Ledger {
    /// What each server that exists came to by `now`: hourly price times time of existence, over all its stretches. A
    /// server is left out where the price of one of them is not known, or their currencies differ.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn costs(&self, now: DateTime<Utc>) -> Result<Vec<ServerCost>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT server_id, price, currency, began, ended FROM intervals
             WHERE kind = 'exists' AND server_id IN (SELECT server_id FROM present)
             UNION ALL SELECT server_id, price, currency, exists_since, max(exists_since, ?1) FROM present
             ORDER BY 1, 4",
        )?;
        let stretches = statement.query_map([now.timestamp_millis()], |row| {
            let price: String = row.get(1)?;
            Ok(Stretch {
                server_id: row.get(0)?,
                price: price.parse().unwrap_or_default(),
                currency: row.get(2)?,
                began: row.get(3)?,
                ended: row.get(4)?,
            })
        })?;
        let mut found: BTreeMap<String, Option<ServerCost>> = BTreeMap::new();
        for stretch in stretches {
            let stretch = stretch?;
            let cost = found
                .entry(stretch.server_id.clone())
                .or_insert_with(|| Some(begin(&stretch)));
            *cost = cost.take().and_then(|cost| add(cost, &stretch));
        }
        Ok(found.into_values().flatten().collect())
    }

    /// When a session was last opened or closed on each server on which one ever was.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn last_sessions(&self) -> Result<BTreeMap<String, DateTime<Utc>>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT server_id, max(time) FROM events
             WHERE action IN ('session.opened', 'session.closed') AND outcome = 'ok' AND server_id IS NOT NULL
             GROUP BY server_id",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Time>(1)?.0)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn begin(stretch: &Stretch) -> ServerCost {
    ServerCost {
        server_id: stretch.server_id.clone(),
        since: moment(stretch.began),
        so_far: Decimal::ZERO,
        per_hour: stretch.price,
        currency: stretch.currency.clone(),
    }
}

fn add(mut cost: ServerCost, stretch: &Stretch) -> Option<ServerCost> {
    if stretch.price.is_zero() || stretch.currency.is_empty() || stretch.currency != cost.currency {
        return None;
    }
    let hours = Decimal::from(stretch.ended - stretch.began) / Decimal::from(HOUR_MS);
    cost.so_far = cost.so_far.checked_add(stretch.price.checked_mul(hours)?)?;
    cost.per_hour = stretch.price;
    Some(cost)
}
