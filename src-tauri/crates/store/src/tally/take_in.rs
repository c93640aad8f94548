//! Facts come in: in batches, each whole or not at all, each fact once.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use rusqlite::params;
use rusqlite::types::FromSql;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sources::{self, Source};
use super::{Fact, Open, Tally, ms};
use crate::columns::{Time, signed};
use crate::{Error, Ledger};

/// The source that is this installation's ledger.
const OWN: &str = "ledger";
/// How much of the ledger is taken at once.
const OWN_COUNT: u32 = 5_000;
const OWN_BYTES: usize = 8 * 1024 * 1024;
/// Times that no server can have: 2000-01-01 and 2200-01-01.
pub(crate) const SENSIBLE: std::ops::Range<i64> = 946_684_800_000..7_258_118_400_000;

/// What a source hands over at once; some thousands of facts make good use of a transaction.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// Name of the source, e.g. `platform`, `file:march.ndjson`.
    pub source: &'a str,
    /// The facts, in any order; those that cannot be taken are counted.
    pub facts: &'a [Fact<'a>],
    /// Rows that the source could not even read as facts.
    pub unreadable: u64,
    /// Where to go on after this batch, kept in the same transaction; `None` leaves it as it is.
    pub position: Option<&'a str>,
    /// The source has no more for now.
    pub complete: bool,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// New facts.
    pub new: u64,
    /// Facts that were there already.
    pub doubled: u64,
    /// Rows that could not be read, the source's own among them.
    pub unreadable: u64,
}

/// What a fact tells, as kept (packed by `postcard`): words by their numbers, moments in milliseconds, prices in billionths
/// of the currency an hour.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Told<'a> {
    pub name: &'a str,
    pub flavor: u32,
    pub region: u32,
    pub purpose: u32,
    pub template: u32,
    pub currency: u32,
    /// Whether it says a state, and whether that is running.
    pub runs: Option<bool>,
    pub lease_end: Option<i64>,
    pub price: Option<i64>,
    pub price_disk: Option<i64>,
    pub price_address: Option<i64>,
    pub stays: Option<bool>,
    pub disk_id: &'a str,
    pub disk_gb: Option<i64>,
    pub disk_gb_before: Option<i64>,
    pub cause: &'a str,
}

impl<'a> Told<'a> {
    /// Reads what was kept.
    pub(crate) fn read(packed: Option<&'a [u8]>) -> Result<Self, Error> {
        match packed {
            Some(packed) => postcard::from_bytes(packed).map_err(|error| Error::Damaged(error.to_string())),
            None => Ok(Self::default()),
        }
    }
}

impl Tally {
    /// Takes a batch, whole or not at all. Figures follow with the next [`settle`](Self::settle).
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn take_in(&self, batch: &Batch<'_>) -> Result<Taken, Error> {
        self.write(|open| take_in(open, batch))
    }

    /// Takes what the ledger has written since it was asked last.
    ///
    /// # Errors
    ///
    /// Only the troubles of the two files.
    pub fn follow(&self, ledger: &Ledger, now: DateTime<Utc>) -> Result<Taken, Error> {
        let mut all = Taken::default();
        loop {
            let position = self.source(OWN)?.and_then(|source| source.position);
            // A fresh ledger under another id counts from 1.
            let from = position
                .as_deref()
                .and_then(|position| position.split_once('/'))
                .filter(|(id, _)| *id == ledger.installation_id())
                .and_then(|(_, seq)| seq.parse().ok())
                .unwrap_or_default();
            let rows = ledger.events_after(from, OWN_COUNT, OWN_BYTES)?;
            let Some(last) = rows.last() else {
                return Ok(all);
            };
            let position = format!("{}/{}", ledger.installation_id(), last.seq);
            let facts: Vec<Fact<'_>> = rows.iter().filter_map(|row| Fact::read(&row.json).ok()).collect();
            let taken = self.take_in(&Batch {
                source: OWN,
                unreadable: (rows.len() - facts.len()) as u64,
                facts: &facts,
                position: Some(&position),
                complete: last.seq >= ledger.last_seq()?,
                now,
            })?;
            all.new += taken.new;
            all.doubled += taken.doubled;
            all.unreadable += taken.unreadable;
        }
    }
}

fn take_in(open: &mut Open<'_>, batch: &Batch<'_>) -> Result<Taken, Error> {
    let connection = open.connection;
    let mut source = sources::find(connection, batch.source)?.unwrap_or_else(|| Source {
        name: batch.source.to_owned(),
        ..Source::default()
    });
    let source_id = open.words.id(connection, batch.source)?;
    let mut taken = Taken {
        unreadable: batch.unreadable,
        ..Taken::default()
    };
    let mut stale = HashSet::new();
    let mut owners: HashMap<u32, (i64, &str)> = HashMap::new();
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO facts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    let mut packed = Vec::new();
    let (mut first, mut last) = (source.first.map(ms), source.last.map(ms));
    for fact in batch.facts {
        let at = time(&fact.time).filter(|at| SENSIBLE.contains(at));
        let (Some(at), Ok(())) = (at, fact.sound()) else {
            taken.unreadable += 1;
            continue;
        };
        let server = open.servers.id(connection, &fact.server_id)?;
        let owner = open.words.id(connection, owner_id(fact))?;
        let action = open.words.id(connection, &fact.action)?;
        let ok = fact.outcome.is_empty() || fact.outcome == "ok";
        let told = if ok && server != 0 && says(fact) {
            packed.clear();
            packed = postcard::to_extend(&told(open, fact)?, packed)
                .map_err(|error| Error::Damaged(error.to_string()))?;
            Some(packed.as_slice())
        } else {
            None
        };
        let id = Uuid::try_parse(&fact.event_id).ok();
        let id: &[u8] = id.as_ref().map_or(fact.event_id.as_bytes(), |id| id.as_bytes());
        let new = insert.execute(params![
            server,
            at,
            id,
            action,
            outcome(&fact.outcome),
            source_id,
            owner,
            told
        ])?;
        first = Some(first.map_or(at, |first| first.min(at)));
        last = Some(last.map_or(at, |last| last.max(at)));
        if new == 0 {
            taken.doubled += 1;
            continue;
        }
        taken.new += 1;
        if ok && server != 0 {
            stale.insert(server);
        }
        if owner != 0 && !fact.owner.is_empty() {
            let newest = owners.entry(owner).or_insert((at, &fact.owner));
            if at >= newest.0 {
                *newest = (at, &fact.owner);
            }
        }
    }
    let mut mark = connection.prepare_cached("INSERT OR IGNORE INTO stale VALUES (?1)")?;
    for server in stale {
        mark.execute([server])?;
    }
    let mut name = connection.prepare_cached(
        "INSERT INTO owners VALUES (?1, ?2, ?3)
         ON CONFLICT (owner) DO UPDATE SET name = excluded.name, at = excluded.at WHERE excluded.at >= at",
    )?;
    for (owner, (at, word)) in owners {
        name.execute(params![owner, word, at])?;
    }
    source.facts += taken.new;
    source.doubled += taken.doubled;
    source.unreadable += taken.unreadable;
    connection
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO sources ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            sources::COLUMNS
        ))?
        .execute(params![
            source.name,
            batch.position.or(source.position.as_deref()),
            ms(batch.now),
            first,
            last,
            signed(source.facts),
            signed(source.doubled),
            signed(source.unreadable),
            batch.complete,
        ])?;
    Ok(taken)
}

/// The id, or where there is none the name.
fn owner_id<'a>(fact: &'a Fact<'_>) -> &'a str {
    if fact.owner_id.is_empty() {
        &fact.owner
    } else {
        &fact.owner_id
    }
}

/// 0 ok, 1 failed, 2 refused.
fn outcome(word: &str) -> u8 {
    match word {
        "failed" => 1,
        "refused" => 2,
        _ => 0,
    }
}

/// Milliseconds of an RFC 3339 text.
fn time(text: &str) -> Option<i64> {
    Time::column_result(rusqlite::types::ValueRef::Text(text.as_bytes()))
        .ok()
        .map(|time| ms(time.0))
}

/// Whether a fact tells more than that it happened.
fn says(fact: &Fact<'_>) -> bool {
    ["server.created", "server.seen", "server.resized"].contains(&&*fact.action)
        || fact.action.starts_with("disk.")
        || fact.action.starts_with("lease.")
}

fn told<'a>(open: &mut Open<'_>, fact: &'a Fact<'_>) -> Result<Told<'a>, Error> {
    let number = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|gb| (0.0..1e9).contains(gb))
            .map(|gb| gb as i64)
    };
    let mut word = |word: &str| open.words.id(open.connection, word);
    Ok(Told {
        name: &fact.server_name,
        flavor: word(&fact.flavor)?,
        region: word(&fact.region)?,
        purpose: word(&fact.purpose)?,
        template: word(&fact.template)?,
        currency: word(short(&fact.currency))?,
        runs: (!fact.state.is_empty()).then(|| fact.state == "running"),
        lease_end: time(&fact.lease_end).filter(|at| SENSIBLE.contains(at)),
        price: price(&fact.price_per_hour),
        price_disk: price(&fact.price_disk_per_hour),
        price_address: price(&fact.price_address_per_hour),
        stays: match &*fact.charged_when_stopped {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        disk_id: short(&fact.disk_id),
        disk_gb: number(&fact.disk_gb),
        disk_gb_before: number(&fact.disk_gb_before),
        cause: short(&fact.cause),
    })
}

fn short(word: &str) -> &str {
    if word.len() <= super::fact::MOST_WORD {
        word
    } else {
        ""
    }
}

/// A price of an hour in billionths of its currency; finer parts are rounded (half to even), and none is negative.
fn price(text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let mut price: rust_decimal::Decimal = text.parse().ok()?;
    if price.is_sign_negative() {
        return None;
    }
    price = price.round_dp(9);
    price.rescale(9);
    (price.scale() == 9)
        .then(|| i64::try_from(price.mantissa()).ok())
        .flatten()
}
