//! Everybody's events, pulled from the platform: only what is not known yet, however late it came there.
//!
//! An event's own time says nothing about when it came, since a desktop delivers what happened while it was away. But
//! every installation numbers its events without gaps. So it is asked first how many events of each installation there
//! are and which number is the highest, and then for what lies above the known ones; where the count says that something
//! came late below, for everything of that installation. What comes twice is passed over by its `event_id`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use yanhuang::search::{Asking, Question, Row, Search};

use super::statements;
use crate::failure::{Code, Failure, Result};

/// Most installations that are believed.
const MOST_INSTALLATIONS: usize = 50_000;
/// How many installations one statement asks for.
const AT_ONCE: usize = 50;
/// Longest name of an installation, in bytes.
const LONGEST_NAME: usize = 100;
/// Longest event, in bytes.
const LONGEST_EVENT: usize = 256 * 1024;

/// What is known of one installation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Highest number that was taken.
    #[serde(rename = "s")]
    pub seq: u64,
    /// How many events were taken.
    #[serde(rename = "n")]
    pub events: u64,
}

/// Where a pull goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// Which data set of which address this is about; another one is begun anew.
    of: String,
    known: BTreeMap<String, Known>,
}

impl Position {
    /// From what was kept; what cannot be read, or is of another place, is begun anew.
    pub fn read(kept: Option<&str>, of: &str) -> Self {
        let kept: Option<Self> = kept.and_then(|kept| serde_json::from_str(kept).ok());
        kept.filter(|kept| kept.of == of).unwrap_or_else(|| Self {
            of: of.to_owned(),
            known: BTreeMap::new(),
        })
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        // Plain texts and numbers always are JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// How far a pull is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Far {
    /// Installations at the platform.
    pub installations: usize,
    /// Events that were fetched.
    pub fetched: u64,
    /// Events that were to be fetched when it began.
    pub wanted: u64,
    /// Numbers that no event at the platform has: lost on the way, or not delivered yet.
    pub gaps: u64,
    /// Events that the platform counts and did not give; asked for again next time.
    pub withheld: u64,
}

/// What a pull hands over at once.
#[derive(Debug)]
pub struct Pulled {
    /// The events' JSON texts.
    pub events: Vec<String>,
    /// Rows without one.
    pub unreadable: u64,
    /// Where to go on after them.
    pub position: String,
    /// There is no more for now.
    pub complete: bool,
    /// How far the pull is.
    pub far: Far,
}

/// What the platform says of one installation.
struct Overview {
    last: u64,
    events: u64,
}

/// Pulls what is new and hands it to `take`, page by page; what was taken is never fetched again, however it ends.
///
/// # Errors
/// `Cancelled`; the platform's; those of `take`.
pub async fn pull(
    search: &Search,
    mut position: Position,
    now: DateTime<Utc>,
    cancel: &CancellationToken,
    mut take: impl FnMut(Pulled) -> BoxFuture<'static, Result<()>> + Send,
) -> Result<Far> {
    let profile = search.profile();
    let (set, message) = (profile.event_set.as_str(), profile.message_column.as_str());
    let told = overview(search, set, now, cancel).await?;
    let mut far = Far {
        installations: told.len(),
        gaps: told
            .values()
            .map(|told| told.last.saturating_sub(told.events))
            .sum(),
        ..Far::default()
    };
    let mut wanted: Vec<(String, u64, u64)> = Vec::new();
    for (installation, told) in &told {
        let known = position.known.get(installation);
        if let Some(after) = statements::after(known, told.last, told.events) {
            let have = if after == 0 {
                0
            } else {
                known.map_or(0, |known| known.events)
            };
            far.wanted = far.wanted.saturating_add(told.events.saturating_sub(have));
            wanted.push((installation.clone(), after, told.last));
        }
    }
    // Twice: what came late below the known numbers shows only once those above are counted.
    for again in [false, true] {
        let mut late = Vec::new();
        for chunk in wanted.chunks(AT_ONCE) {
            let mut chunk = chunk.to_vec();
            for (installation, after, _) in &chunk {
                let known = position.known.entry(installation.clone()).or_default();
                if *after == 0 {
                    *known = Known::default();
                }
            }
            let begun = chunk.clone();
            while !chunk.is_empty() {
                let sql = statements::events(set, message, &chunk, profile.statement_rows)?;
                let mut asking = search.ask(question(sql, now));
                let mut rows = 0;
                while let Some(page) = page(&mut asking, cancel).await? {
                    rows += page.len();
                    let mut pulled = Pulled {
                        events: Vec::with_capacity(page.len()),
                        unreadable: 0,
                        position: String::new(),
                        complete: false,
                        far,
                    };
                    for row in page {
                        far.fetched += note(&mut position, &chunk, &row)?;
                        match row.get("event") {
                            Some(Value::String(event)) if event.len() <= LONGEST_EVENT => {
                                pulled.events.push(event.clone());
                            }
                            Some(event @ Value::Object(_)) => pulled.events.push(event.to_string()),
                            _ => pulled.unreadable += 1,
                        }
                    }
                    pulled.position = position.text();
                    pulled.far = far;
                    take(pulled).await?;
                }
                if rows == 0 {
                    break;
                }
                for (installation, after, _) in &mut chunk {
                    *after = position
                        .known
                        .get(installation)
                        .map_or(*after, |known| (*after).max(known.seq));
                }
                chunk.retain(|(_, after, last)| after < last);
            }
            for (installation, after, last) in begun {
                let known = position.known.entry(installation.clone()).or_default();
                let events = told.get(&installation).map_or(0, |told| told.events);
                if known.events < events && after > 0 && !again {
                    late.push((installation, 0, last));
                } else {
                    far.withheld += events.saturating_sub(known.events);
                }
            }
        }
        wanted = late;
    }
    take(Pulled {
        events: Vec::new(),
        unreadable: 0,
        position: position.text(),
        complete: true,
        far,
    })
    .await?;
    Ok(far)
}

/// Counts a row in the position; 1 when it is a further event.
fn note(position: &mut Position, wanted: &[(String, u64, u64)], row: &Row) -> Result<u64> {
    let strange = |why: &str| Failure::new(Code::SearchAnswerStrange).saying(why);
    let installation = text(row, "installation_id").ok_or_else(|| strange("a row names no installation"))?;
    if !wanted.iter().any(|(name, ..)| *name == installation) {
        return Err(strange("a row is of an installation that was not asked for"));
    }
    let seq = number(row, "n").ok_or_else(|| strange("a row has no number"))?;
    let known = position.known.entry(installation).or_default();
    if seq > known.seq {
        known.seq = seq;
        known.events += 1;
        return Ok(1);
    }
    Ok(0)
}

async fn overview(
    search: &Search,
    set: &str,
    now: DateTime<Utc>,
    cancel: &CancellationToken,
) -> Result<BTreeMap<String, Overview>> {
    let mut asking = search.ask(question(statements::overview(set)?, now));
    let mut told = BTreeMap::new();
    while let Some(page) = page(&mut asking, cancel).await? {
        for row in page {
            let (Some(installation), Some(last), Some(events)) = (
                text(&row, "installation_id"),
                number(&row, "last_seq"),
                number(&row, "events"),
            ) else {
                // Events of somebody else's making, or counts that are none.
                continue;
            };
            told.insert(installation, Overview { last, events });
        }
        if told.len() > MOST_INSTALLATIONS {
            return Err(Failure::new(Code::SearchAnswerStrange).saying("too many installations"));
        }
    }
    Ok(told)
}

/// The next rows; when it is cancelled the platform is told, too.
async fn page(asking: &mut Asking<'_>, cancel: &CancellationToken) -> Result<Option<Vec<Row>>> {
    match cancel.run_until_cancelled(asking.page()).await {
        Some(page) => Ok(super::heard(page)?.map(|page| page.rows)),
        None => {
            // Whether it hears of it or not: it forgets the job by itself some time.
            if let Err(error) = asking.give_up().await {
                tracing::info!(%error, "a job at the platform was not given up");
            }
            Err(Code::Cancelled.into())
        }
    }
}

/// A statement over all times: when an event happened says nothing about when it came.
pub(super) fn question(sql: String, now: DateTime<Utc>) -> Question {
    Question {
        sql,
        // 2020: before the product, and no time literal that an engine could stumble over.
        earliest: DateTime::from_timestamp(1_577_836_800, 0).unwrap_or_default(),
        latest: now + TimeDelta::days(2),
    }
}

fn text(row: &Row, column: &str) -> Option<String> {
    match row.get(column)? {
        Value::String(text) if !text.is_empty() && text.len() <= LONGEST_NAME => Some(text.clone()),
        _ => None,
    }
}

/// A number, which an engine may write as a text or with a point.
pub(super) fn number(row: &Row, column: &str) -> Option<u64> {
    match row.get(column)? {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number
                .as_f64()
                .filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n))?;
            Some(number as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
