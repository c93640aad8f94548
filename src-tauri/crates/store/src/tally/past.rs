//! One server at a time: rows of the timeline, and the facts behind them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::OptionalExtension;

use super::answer::{Ask, owner_name};
use super::take_in::Told;
use super::walk::{Cut, PerNumber, Servers, Step};
use super::{Inner, Tally, ms, words};
use crate::columns::moment;
use crate::{Error, EventOutcome};

/// Most facts of one server that are handed out.
const MOST_FACTS: u32 = 2_000;

/// A server as the facts leave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerRow {
    /// Its id.
    pub server_id: String,
    /// Its name; empty where nobody told it.
    pub name: String,
    /// Id of its owner.
    pub owner_id: String,
    /// Name of its owner.
    pub owner: String,
    /// The flavor that it had last.
    pub flavor: String,
    /// Where it is.
    pub region: String,
    /// What it is for.
    pub purpose: String,
    /// What it was made from.
    pub template: String,
    /// When it began.
    pub began: Option<DateTime<Utc>>,
    /// When it ended; absent while it is there.
    pub ended: Option<DateTime<Utc>>,
    /// Nobody told how it began.
    pub assumed_beginning: bool,
    /// Nobody told that it ended: it is taken to have ended with its lease.
    pub assumed_end: bool,
}

/// One row of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The server.
    pub server: ServerRow,
    /// Stretches inside the days asked for: from, to, whether it ran, its flavor.
    pub stretches: Vec<(DateTime<Utc>, DateTime<Utc>, bool, String)>,
}

/// One fact, as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the contract's own keys")]
pub struct FactRow {
    pub event_id: String,
    pub time: DateTime<Utc>,
    pub action: String,
    pub outcome: EventOutcome,
    pub owner: String,
    pub flavor: String,
    pub disk_gb: Option<i64>,
    /// Billionths of the currency an hour.
    pub price: Option<i64>,
    pub currency: String,
    pub lease_end: Option<DateTime<Utc>>,
    pub cause: String,
    /// The source that told it first.
    pub source: String,
}

impl Tally {
    /// A timeline: the servers that are asked for, those that came first on top, at most `limit` after the first `skip`, and
    /// how many there are in all.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn timeline(
        &self,
        ask: &Ask,
        now: DateTime<Utc>,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<Row>, u64), Error> {
        let mut inner = self.inner();
        inner.refresh()?;
        let (connection, standings) = (&inner.connection, &inner.standings);
        let cut = Cut::new(connection, ask, standings, ms(now))?;
        let mut first = PerNumber::new(i64::MAX);
        cut.walk(connection, |step| {
            if let Step::Stretch(stretch) = step {
                let first = first.of(stretch.server);
                *first = stretch.from.min(*first);
            }
        })?;
        let met = first.iter().filter(|(_, from)| *from < i64::MAX);
        let mut order: Vec<(i64, u32)> = met.map(|(server, from)| (from, server)).collect();
        let count = order.len() as u64;
        let end = skip.saturating_add(limit);
        if end < order.len() {
            order.select_nth_unstable(end);
            order.truncate(end);
        }
        order.sort_unstable();
        order.drain(..skip.min(order.len()));
        let mut listed = Servers::default();
        let mut rows: BTreeMap<u32, Vec<(i64, i64, bool, u32)>> = BTreeMap::new();
        for (_, server) in &order {
            listed.insert(*server);
        }
        cut.walk(connection, |step| {
            let Step::Stretch(stretch) = step else { return };
            if !listed.contains(stretch.server) {
                return;
            }
            let Some(flavor) = standings.get(stretch.standing).map(|is| is.flavor) else {
                return;
            };
            let row = rows.entry(stretch.server).or_default();
            // One that goes over the end of a month, or changed in price only, is one to look at.
            match row.last_mut() {
                Some(last) if (last.1, last.2, last.3) == (stretch.from, stretch.runs, flavor) => {
                    last.1 = stretch.to;
                }
                _ => row.push((stretch.from, stretch.to, stretch.runs, flavor)),
            }
        })?;
        let mut timeline = Vec::with_capacity(order.len());
        for (_, server) in order {
            let mut stretches = Vec::new();
            for (from, to, runs, flavor) in rows.remove(&server).unwrap_or_default() {
                stretches.push((moment(from), moment(to), runs, words::word(connection, flavor)?));
            }
            timeline.push(Row {
                server: inner.server_row(server, ms(now))?,
                stretches,
            });
        }
        Ok((timeline, count))
    }

    /// What was told of one server, in order.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn facts(&self, server_id: &str) -> Result<Vec<FactRow>, Error> {
        let inner = self.inner();
        let mut statement = inner.connection.prepare_cached(
            "SELECT f.event_id, f.at, a.word, f.outcome, coalesce(o.name, i.word), f.told, s.word
             FROM facts f JOIN words a ON a.id = f.action JOIN words s ON s.id = f.source
             JOIN words i ON i.id = f.owner LEFT JOIN owners o ON o.owner = f.owner
             WHERE f.server = (SELECT id FROM servers WHERE server_id = ?1) AND f.server <> 0
             ORDER BY f.at, f.event_id LIMIT ?2",
        )?;
        let mut rows = statement.query((server_id, MOST_FACTS))?;
        let mut facts = Vec::new();
        while let Some(row) = rows.next()? {
            let id: Vec<u8> = row.get(0)?;
            let told = row.get_ref(5)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
            let told = Told::read(told)?;
            facts.push(FactRow {
                event_id: match uuid::Uuid::from_slice(&id) {
                    Ok(id) => id.to_string(),
                    Err(_) => String::from_utf8_lossy(&id).into_owned(),
                },
                time: moment(row.get(1)?),
                action: row.get(2)?,
                outcome: match row.get::<_, u8>(3)? {
                    0 => EventOutcome::Ok,
                    1 => EventOutcome::Failed,
                    _ => EventOutcome::Refused,
                },
                owner: row.get(4)?,
                flavor: words::word(&inner.connection, told.flavor)?,
                disk_gb: told.disk_gb,
                price: told.price,
                currency: words::word(&inner.connection, told.currency)?,
                lease_end: told.lease_end.map(moment),
                cause: told.cause.to_owned(),
                source: row.get(6)?,
            });
        }
        Ok(facts)
    }
}

impl Inner {
    pub(super) fn server_row(&self, server: u32, now: i64) -> Result<ServerRow, Error> {
        let connection = &self.connection;
        let found = connection
            .prepare_cached(
                "SELECT server_id, name, owner, flavor, region, purpose, template, began, ended, assumed, until
                 FROM servers WHERE id = ?1",
            )?
            .query_row([server], |row| {
                let words: [u32; 5] = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
                let moments: [Option<i64>; 3] = [row.get(7)?, row.get(8)?, row.get(10)?];
                Ok((row.get(0)?, row.get(1)?, words, moments, row.get(9)?))
            })
            .optional()?;
        let Some((server_id, name, [owner, flavor, region, purpose, template], moments, assumed)) = found
        else {
            return Ok(ServerRow::default());
        };
        let [began, ended, until] = moments;
        let by_lease = if ended.is_none() {
            until.filter(|until| *until <= now)
        } else {
            None
        };
        Ok(ServerRow {
            server_id,
            name,
            owner_id: words::word(connection, owner)?,
            owner: owner_name(connection, owner)?,
            flavor: words::word(connection, flavor)?,
            region: words::word(connection, region)?,
            purpose: words::word(connection, purpose)?,
            template: words::word(connection, template)?,
            began: began.map(moment),
            ended: ended.or(by_lease).map(moment),
            assumed_beginning: assumed,
            assumed_end: by_lease.is_some(),
        })
    }
}
