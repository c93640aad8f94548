//! Servers with new facts are worked out anew, and their stretches put in place of the old ones.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, params};

use super::history::{self, Act, Happened, Life};
use super::pack::{self, Packed};
use super::take_in::Told;
use super::{Open, Tally, words};
use crate::Error;

/// How many servers are worked out in one transaction: bounds memory, and how often a month is written anew.
const AT_ONCE: u32 = 50_000;
/// What has no end yet.
pub(super) const LASTING: i64 = 0;

impl Tally {
    /// Brings the figures up to the facts. `go_on` is asked between parts of the work; whatever is left is done by the
    /// next call. Returns whether nothing is left.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn settle(&self, mut go_on: impl FnMut() -> bool) -> Result<bool, Error> {
        loop {
            let waits: bool = self
                .inner()
                .connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM stale)")?
                .query_row([], |row| row.get(0))?;
            if !waits {
                return Ok(true);
            }
            if !go_on() {
                return Ok(false);
            }
            self.write(some)?;
        }
    }
}

fn some(open: &mut Open<'_>) -> Result<(), Error> {
    let connection = open.connection;
    open.standings.refresh(connection)?;
    let mut statement = connection.prepare_cached("SELECT server FROM stale ORDER BY server LIMIT ?1")?;
    let servers: Vec<u32> = statement
        .query_map([AT_ONCE], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let Some(last) = servers.last().copied() else {
        return Ok(());
    };
    let mut actions: HashMap<u32, Act> = HashMap::new();
    let mut facts = Facts::default();
    let mut months: BTreeMap<i64, Vec<Packed>> = BTreeMap::new();
    for server in &servers {
        let (before, until) = extent(connection, *server)?;
        // Months that may hold what it was.
        if let (Some(from), Some(to)) = (before, until) {
            for month in pack::month_of(from)..=pack::month_of(to) {
                months.entry(month).or_default();
            }
        }
        facts.read(connection, *server, &mut actions)?;
        let life = history::live(facts.all()?);
        let mut last_end = None;
        for stretch in &life.past {
            let standing = open.standings.number(stretch.standing)?;
            last_end = Some(stretch.to);
            for month in pack::month_of(stretch.from)..=pack::month_of(stretch.to - 1) {
                let (begin, end) = pack::bounds(month);
                months.entry(month).or_default().push(Packed {
                    server: *server,
                    standing,
                    runs: stretch.runs,
                    from: stretch.from.max(begin),
                    to: stretch.to.min(end),
                });
            }
        }
        if let Some(stretch) = &life.lasting {
            let standing = open.standings.number(stretch.standing)?;
            months.entry(LASTING).or_default().push(Packed {
                server: *server,
                standing,
                runs: stretch.runs,
                from: stretch.from,
                to: stretch.to,
            });
        }
        keep(connection, *server, &life, last_end)?;
    }
    open.standings.keep(connection)?;
    months.entry(LASTING).or_default();
    for (month, fresh) in months {
        put(connection, month, &servers, fresh)?;
    }
    connection
        .prepare_cached("DELETE FROM stale WHERE server <= ?1")?
        .execute([last])?;
    Ok(())
}

/// From when until when a server's stretches that are over lie in the file.
fn extent(connection: &Connection, server: u32) -> Result<(Option<i64>, Option<i64>), Error> {
    Ok(connection
        .prepare_cached("SELECT began, past FROM servers WHERE id = ?1")?
        .query_row([server], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or_default())
}

/// The facts of one server as they lie in the file; kept from server to server, so that its room is used again.
#[derive(Default)]
struct Facts {
    rows: Vec<Kept>,
    bytes: Vec<u8>,
}

/// One of them: where its id and what it tells lie among the bytes.
struct Kept {
    at: i64,
    act: Act,
    owner: u32,
    id: Range<usize>,
    told: Option<Range<usize>>,
}

impl Facts {
    fn read(
        &mut self,
        connection: &Connection,
        server: u32,
        actions: &mut HashMap<u32, Act>,
    ) -> Result<(), Error> {
        self.rows.clear();
        self.bytes.clear();
        let mut statement = connection.prepare_cached(
            "SELECT at, event_id, action, owner, told FROM facts WHERE server = ?1 AND outcome = 0 ORDER BY at",
        )?;
        let mut rows = statement.query([server])?;
        while let Some(row) = rows.next()? {
            let action: u32 = row.get(2)?;
            let act = match actions.get(&action) {
                Some(act) => *act,
                None => {
                    let act = Act::of(&words::word(connection, action)?);
                    actions.insert(action, act);
                    act
                }
            };
            let id = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let told = row.get_ref(4)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
            self.rows.push(Kept {
                at: row.get(0)?,
                act,
                owner: row.get(3)?,
                id: put_by(&mut self.bytes, id),
                told: told.map(|told| put_by(&mut self.bytes, told)),
            });
        }
        Ok(())
    }

    fn all(&self) -> Result<Vec<Happened<'_>>, Error> {
        let bytes = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        let facts = self.rows.iter().map(|kept| {
            Ok(Happened {
                at: kept.at,
                event_id: bytes(&kept.id),
                act: kept.act,
                owner: kept.owner,
                told: Told::read(kept.told.as_ref().map(bytes))?,
            })
        });
        facts.collect()
    }
}

fn put_by(bytes: &mut Vec<u8>, more: &[u8]) -> Range<usize> {
    let begin = bytes.len();
    bytes.extend_from_slice(more);
    begin..bytes.len()
}

fn keep(connection: &Connection, server: u32, life: &Life, last_end: Option<i64>) -> Result<(), Error> {
    let standing = life.standing;
    connection
        .prepare_cached(
            "UPDATE servers SET name = ?2, owner = ?3, flavor = ?4, region = ?5, purpose = ?6, template = ?7,
                                began = ?8, ended = ?9, past = ?10, assumed = ?11, until = ?12
             WHERE id = ?1",
        )?
        .execute(params![
            server,
            life.name,
            standing.owner,
            standing.flavor,
            standing.region,
            standing.purpose,
            standing.template,
            life.began,
            life.ended,
            last_end,
            life.assumed_beginning,
            life.lasting.map(|stretch| stretch.to),
        ])?;
    Ok(())
}

/// Puts the stretches of these servers (in order of number) in place of what they had in this month.
fn put(connection: &Connection, month: i64, servers: &[u32], mut fresh: Vec<Packed>) -> Result<(), Error> {
    let old = block(connection, month)?;
    let others = |stretch: &Packed| servers.binary_search(&stretch.server).is_err();
    if month == LASTING {
        fresh.extend(pack::read_lasting(&old).filter(others));
    } else {
        fresh.extend(pack::read(month, &old).filter(others));
    }
    fresh.sort_unstable_by_key(|stretch| (stretch.from, stretch.server, stretch.to));
    let data = if month == LASTING {
        pack::write_lasting(&fresh)
    } else {
        pack::write(month, &fresh)
    };
    if data != old {
        connection
            .prepare_cached("INSERT OR REPLACE INTO blocks VALUES (?1, ?2)")?
            .execute(params![month, data])?;
    }
    Ok(())
}

/// The packed stretches of a month.
pub(super) fn block(connection: &Connection, month: i64) -> Result<Vec<u8>, Error> {
    let found = connection
        .prepare_cached("SELECT data FROM blocks WHERE month = ?1")?
        .query_row([month], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_default())
}
