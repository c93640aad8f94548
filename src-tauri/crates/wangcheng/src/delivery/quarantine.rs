//! Events that the receiver refused: seen, exported, sent once more. They stay in the ledger for good.

use chrono::{DateTime, Utc};

use super::{Delivery, TARGET};
use crate::Wangcheng;
use crate::failure::Result;

/// Most refused events that are shown or exported at once.
const MOST: u32 = 10_000;

/// An event that the receiver refused while it took others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its number; absent for an event rescued from a damaged ledger, which has the number of that one.
    pub seq: Option<u64>,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The whole event as it was sent: one JSON object.
    pub json: String,
    /// The receiver's words.
    pub reason: String,
    /// When it was last refused.
    pub refused_at: Option<DateTime<Utc>>,
    /// How often.
    pub attempts: u32,
    /// Whether it waits to be sent once more.
    pub again: bool,
}

impl Wangcheng {
    /// The refused events, oldest first.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn refused_events(&self, limit: u32) -> Result<Vec<Refused>> {
        let rows = self
            .ledger(move |ledger| ledger.quarantined(TARGET, limit.clamp(1, MOST)))
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| Refused {
                seq: (row.queue != store::Queue::Rescued).then_some(row.number),
                time: row.time,
                json: row.json,
                reason: row.reason,
                refused_at: row.refused_at,
                attempts: row.attempts,
                again: row.again,
            })
            .collect())
    }

    /// The refused events as NDJSON: one event a line, just as it was sent.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn export_refused(&self) -> Result<String> {
        let mut text = String::new();
        for refused in self.refused_events(MOST).await? {
            text.push_str(&refused.json);
            text.push('\n');
        }
        Ok(text)
    }

    /// Sends refused events once more: that of a number, or all of them. One that is refused again stays.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn send_refused_again(&self, only: Option<u64>) -> Result<Delivery> {
        self.ledger(move |ledger| ledger.send_again(TARGET, only)).await?;
        self.send_now().await
    }
}
