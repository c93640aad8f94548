//! How long servers were there and ran, and what that came to: kept in the transaction that appends the events it
//! follows from, and equal to what a rebuild from all events gives.
//!
//! | event (outcome `ok`) | what it begins or ends |
//! |---|---|
//! | `server.created`, `server.seen` | the server exists and runs (a `seen` one unless its body says `state` other than `running`) |
//! | `server.started`, `server.stopped` | it runs, it does not |
//! | `server.resized`, `disk.*` | the stretch so far ends, one of another size or price begins |
//! | `server.deleted` | both end |
//!
//! Days are those of Asia/Shanghai, by which the cloud bills. The cost is the hourly price times the time that the
//! server existed; it is an estimate from above, because a stopped server may cost less.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::columns::{Time, moment};
use crate::{Error, EventOutcome, Interval, IntervalKind, Ledger, Usage};

/// Asia/Shanghai keeps one offset the whole year.
const SHANGHAI_S: i32 = 8 * 3600;
const DAY_MS: i64 = 24 * 3600 * 1000;
const HOUR_MS: i64 = 3600 * 1000;
/// Times that no server can have: 2000-01-01 and 2200-01-01. Such an event counts for nothing here.
const SENSIBLE: std::ops::Range<i64> = 946_684_800_000..7_258_118_400_000;
/// Largest disk space that is believed, in GB; the cloud's largest disk is 32 TB.
const MOST_GB: i64 = 10_000_000;

impl Ledger {
    /// What each owner used from day to day (Asia/Shanghai, both days included), by flavor, region and currency. What
    /// is still there counts up to `now`.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn usage(&self, from: NaiveDate, to: NaiveDate, now: DateTime<Utc>) -> Result<Vec<Usage>, Error> {
        let mut connection = self.connection();
        // One moment for both tables.
        let connection = connection.transaction()?;
        let (first, last) = (from.to_string(), to.to_string());
        let mut days: Days = BTreeMap::new();
        let mut closed = connection
            .prepare_cached("SELECT day, owner_id, flavor, region, currency, owner, exists_ms, running_ms, disk_gb_ms, price_ms FROM rollups WHERE day BETWEEN ?1 AND ?2")?;
        for row in closed.query_map([&first, &last], |row| Ok((key(row)?, sum(row)?)))? {
            let (key, sum) = row?;
            days.insert(key, sum);
        }
        let mut open = connection.prepare_cached(&format!("SELECT {PRESENT} FROM present"))?;
        for present in open.query_map([], Present::read)? {
            let present = present?;
            let until = now.timestamp_millis();
            for part in present.parts(until) {
                for (day, ms) in split(part.began, part.ended) {
                    if (first.as_str()..=last.as_str()).contains(&day.as_str()) {
                        days.entry(present.key(day))
                            .or_default()
                            .add(&present, part.kind, ms);
                    }
                }
            }
        }
        Ok(days.into_iter().map(|(key, sum)| sum.finish(key)).collect())
    }

    /// The stretches of one server, first begun first; what goes on has no end.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn intervals(&self, server_id: &str) -> Result<Vec<Interval>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT kind, began, ended FROM intervals WHERE server_id = ?1
             UNION ALL SELECT 'exists', exists_since, NULL FROM present WHERE server_id = ?1
             UNION ALL SELECT 'running', running_since, NULL FROM present
                       WHERE server_id = ?1 AND running_since IS NOT NULL
             ORDER BY 2, 1",
        )?;
        let rows = statement.query_map([server_id], |row| {
            Ok(Interval {
                kind: row.get(0)?,
                began: moment(row.get(1)?),
                ended: row.get::<_, Option<i64>>(2)?.map(moment),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Works everything out anew from all events.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles; what was there stays then.
    pub fn rebuild_usage(&self) -> Result<(), Error> {
        self.write(|transaction| rebuild(transaction))
    }
}

/// Replays all events.
pub(crate) fn rebuild(connection: &Connection) -> Result<(), Error> {
    connection.execute_batch("DELETE FROM present; DELETE FROM intervals; DELETE FROM rollups;")?;
    let mut events =
        connection.prepare("SELECT action, outcome, time, server_id, json FROM events ORDER BY seq")?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        let (action, outcome, time): (String, EventOutcome, Time) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let server: Option<String> = row.get(3)?;
        let json: String = row.get(4)?;
        let body: Map<String, Value> =
            serde_json::from_str(&json).map_err(|error| Error::Damaged(error.to_string()))?;
        follow(connection, &action, outcome, time.0, server.as_deref(), &body)?;
    }
    Ok(())
}

/// Takes one event into account.
pub(crate) fn follow(
    connection: &Connection,
    action: &str,
    outcome: EventOutcome,
    time: DateTime<Utc>,
    server_id: Option<&str>,
    body: &Map<String, Value>,
) -> Result<(), Error> {
    let (Some(server_id), EventOutcome::Ok) = (server_id, outcome) else {
        return Ok(());
    };
    let at = time.timestamp_millis();
    if !SENSIBLE.contains(&at) {
        return Ok(());
    }
    match action {
        "server.created" | "server.seen" => begin(connection, server_id, at, action, body),
        "server.started" => change(connection, server_id, at, |present| {
            present.running_since.get_or_insert(at);
        }),
        "server.stopped" => change(connection, server_id, at, |present| present.running_since = None),
        "server.resized" => change(connection, server_id, at, |present| {
            if let Some(flavor) = word(body, "flavor") {
                present.flavor = flavor.to_owned();
            }
            present.take_price(body);
        }),
        "disk.attached" | "disk.extended" | "disk.detached" | "disk.deleted" => {
            change(connection, server_id, at, |present| {
                present.take_disk(action, body);
                present.take_price(body);
            })
        }
        "server.deleted" => end(connection, server_id, at),
        _ => Ok(()),
    }
}

const PRESENT: &str = "server_id, owner_id, owner, flavor, region, price, currency, disk_gb, disks, exists_since, running_since";

/// A server that exists, since it is as it is.
#[derive(Debug, Clone, PartialEq)]
struct Present {
    server_id: String,
    owner_id: String,
    owner: String,
    flavor: String,
    region: String,
    price: Decimal,
    currency: String,
    disk_gb: i64,
    /// Sizes of disks known by id.
    disks: BTreeMap<String, i64>,
    exists_since: i64,
    running_since: Option<i64>,
}

/// A stretch of time.
struct Part {
    kind: IntervalKind,
    began: i64,
    ended: i64,
}

impl Present {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (price, disks): (String, String) = (row.get(5)?, row.get(8)?);
        Ok(Self {
            server_id: row.get(0)?,
            owner_id: row.get(1)?,
            owner: row.get(2)?,
            flavor: row.get(3)?,
            region: row.get(4)?,
            price: price.parse().unwrap_or_default(),
            currency: row.get(6)?,
            disk_gb: row.get(7)?,
            disks: serde_json::from_str(&disks).unwrap_or_default(),
            exists_since: row.get(9)?,
            running_since: row.get(10)?,
        })
    }

    /// What it was until `until`; nothing where the clock went back.
    fn parts(&self, until: i64) -> impl Iterator<Item = Part> {
        let part = move |kind, began| Part {
            kind,
            began,
            ended: until,
        };
        [
            Some(part(IntervalKind::Exists, self.exists_since)),
            self.running_since.map(|since| part(IntervalKind::Running, since)),
        ]
        .into_iter()
        .flatten()
        .filter(|part| part.began < part.ended)
    }

    fn take_price(&mut self, body: &Map<String, Value>) {
        if let Some(price) = price(body) {
            self.price = price;
        }
        if let Some(currency) = word(body, "currency") {
            self.currency = currency.to_owned();
        }
    }

    /// `disk_gb` is the size of the one disk here; one whose size is not known takes nothing away.
    fn take_disk(&mut self, action: &str, body: &Map<String, Value>) {
        let (id, size) = (word(body, "disk_id").unwrap_or_default(), gigabytes(body));
        let before = self.disks.remove(id).or_else(|| {
            let named = body.get("disk_gb_before").and_then(Value::as_i64);
            named.filter(|gb| (0..=MOST_GB).contains(gb))
        });
        let after = match action {
            "disk.attached" | "disk.extended" => size,
            _ => None,
        };
        let grown = match (action, before, after) {
            ("disk.attached", None, Some(after)) => after,
            (_, Some(before), Some(after)) => after - before,
            ("disk.detached" | "disk.deleted", before, _) => -before.or(size).unwrap_or_default(),
            _ => 0,
        };
        self.disk_gb = (self.disk_gb + grown).clamp(0, MOST_GB);
        // One that was taken off takes nothing away again when it is deleted, and comes with all of its size again.
        let after = if action == "disk.detached" { Some(0) } else { after };
        if let (Some(after), false) = (after, id.is_empty()) {
            self.disks.insert(id.to_owned(), after);
        }
    }

    fn key(&self, day: String) -> Key {
        Key {
            day,
            owner_id: self.owner_id.clone(),
            flavor: self.flavor.clone(),
            region: self.region.clone(),
            currency: self.currency.clone(),
        }
    }
}

fn begin(
    connection: &Connection,
    server_id: &str,
    at: i64,
    action: &str,
    body: &Map<String, Value>,
) -> Result<(), Error> {
    let runs = action == "server.created" || word(body, "state").is_none_or(|state| state == "running");
    let disk_gb = gigabytes(body).unwrap_or_default();
    connection
        .prepare_cached(&format!(
            "INSERT INTO present ({PRESENT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '{{}}', ?9, ?10)
             ON CONFLICT DO NOTHING"
        ))?
        .execute(params![
            server_id,
            word(body, "owner_id").unwrap_or_default(),
            word(body, "owner").unwrap_or_default(),
            word(body, "flavor").unwrap_or_default(),
            word(body, "region").unwrap_or_default(),
            price(body).map_or_else(|| "0".to_owned(), |price| price.to_string()),
            word(body, "currency").unwrap_or_default(),
            disk_gb,
            at,
            runs.then_some(at),
        ])?;
    Ok(())
}

fn find(connection: &Connection, server_id: &str) -> Result<Option<Present>, Error> {
    Ok(connection
        .prepare_cached(&format!("SELECT {PRESENT} FROM present WHERE server_id = ?1"))?
        .query_row([server_id], Present::read)
        .optional()?)
}

/// Ends the stretches so far and begins those that differ.
fn change(
    connection: &Connection,
    server_id: &str,
    at: i64,
    act: impl FnOnce(&mut Present),
) -> Result<(), Error> {
    let Some(before) = find(connection, server_id)? else {
        return Ok(());
    };
    let mut after = before.clone();
    act(&mut after);
    let as_it_was = |present: &Present| Present {
        running_since: None,
        ..present.clone()
    };
    if as_it_was(&before) == as_it_was(&after) {
        // Only whether it runs.
        if let (Some(_), None) = (before.running_since, after.running_since) {
            for part in before.parts(at).filter(|part| part.kind == IntervalKind::Running) {
                keep(connection, &before, &part)?;
            }
        }
    } else {
        for part in before.parts(at) {
            keep(connection, &before, &part)?;
        }
        // Never backwards: the time up to there is counted already.
        after.exists_since = after.exists_since.max(at);
        after.running_since = after.running_since.map(|since| since.max(at));
    }
    connection
        .prepare_cached(
            "UPDATE present SET flavor = ?2, price = ?3, currency = ?4, disk_gb = ?5, disks = ?6,
                                exists_since = ?7, running_since = ?8 WHERE server_id = ?1",
        )?
        .execute(params![
            server_id,
            after.flavor,
            after.price.to_string(),
            after.currency,
            after.disk_gb,
            serde_json::to_string(&after.disks).unwrap_or_default(),
            after.exists_since,
            after.running_since,
        ])?;
    Ok(())
}

fn end(connection: &Connection, server_id: &str, at: i64) -> Result<(), Error> {
    let Some(present) = find(connection, server_id)? else {
        return Ok(());
    };
    for part in present.parts(at) {
        keep(connection, &present, &part)?;
    }
    connection
        .prepare_cached("DELETE FROM present WHERE server_id = ?1")?
        .execute([server_id])?;
    Ok(())
}

/// Writes down a stretch that is over, and adds it to its days.
fn keep(connection: &Connection, present: &Present, part: &Part) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO intervals (server_id, kind, began, ended, owner_id, flavor, region, disk_gb, price, currency)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            present.server_id,
            part.kind,
            part.began,
            part.ended,
            present.owner_id,
            present.flavor,
            present.region,
            present.disk_gb,
            present.price.to_string(),
            present.currency,
        ])?;
    for (day, ms) in split(part.began, part.ended) {
        let key = present.key(day);
        let found = connection
            .prepare_cached(
                "SELECT owner, exists_ms, running_ms, disk_gb_ms, price_ms FROM rollups
                 WHERE day = ?1 AND owner_id = ?2 AND flavor = ?3 AND region = ?4 AND currency = ?5",
            )?
            .query_row(
                params![key.day, key.owner_id, key.flavor, key.region, key.currency],
                |row| {
                    let price_ms: String = row.get(4)?;
                    Ok(Sum {
                        owner: row.get(0)?,
                        exists_ms: row.get(1)?,
                        running_ms: row.get(2)?,
                        disk_gb_ms: row.get(3)?,
                        price_ms: price_ms.parse().unwrap_or_default(),
                    })
                },
            )
            .optional()?;
        let mut sum = found.unwrap_or_default();
        sum.add(present, part.kind, ms);
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO rollups VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                key.day,
                key.owner_id,
                key.flavor,
                key.region,
                key.currency,
                sum.owner,
                sum.exists_ms,
                sum.running_ms,
                sum.disk_gb_ms,
                sum.price_ms.to_string(),
            ])?;
    }
    Ok(())
}

type Days = BTreeMap<Key, Sum>;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    day: String,
    owner_id: String,
    flavor: String,
    region: String,
    currency: String,
}

#[derive(Debug, Default)]
struct Sum {
    owner: String,
    exists_ms: i64,
    running_ms: i64,
    disk_gb_ms: i64,
    price_ms: Decimal,
}

impl Sum {
    fn add(&mut self, present: &Present, kind: IntervalKind, ms: i64) {
        if !present.owner.is_empty() {
            self.owner.clone_from(&present.owner);
        }
        match kind {
            IntervalKind::Running => self.running_ms = self.running_ms.saturating_add(ms),
            IntervalKind::Exists => {
                self.exists_ms = self.exists_ms.saturating_add(ms);
                self.disk_gb_ms = self.disk_gb_ms.saturating_add(present.disk_gb.saturating_mul(ms));
                let cost = present.price.saturating_mul(Decimal::from(ms));
                self.price_ms = self.price_ms.saturating_add(cost).normalize();
            }
        }
    }

    fn finish(self, key: Key) -> Usage {
        let hours = |ms: i64| {
            (Decimal::from(ms) / Decimal::from(HOUR_MS))
                .round_dp(6)
                .normalize()
        };
        Usage {
            day: key.day.parse().unwrap_or_default(),
            owner_id: key.owner_id,
            owner: self.owner,
            flavor: key.flavor,
            region: key.region,
            hours: hours(self.exists_ms),
            running_hours: hours(self.running_ms),
            disk_gb_hours: hours(self.disk_gb_ms),
            cost: (self.price_ms / Decimal::from(HOUR_MS)).round_dp(6).normalize(),
            currency: key.currency,
        }
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key {
        day: row.get(0)?,
        owner_id: row.get(1)?,
        flavor: row.get(2)?,
        region: row.get(3)?,
        currency: row.get(4)?,
    })
}

fn sum(row: &Row<'_>) -> rusqlite::Result<Sum> {
    let price_ms: String = row.get(9)?;
    Ok(Sum {
        owner: row.get(5)?,
        exists_ms: row.get(6)?,
        running_ms: row.get(7)?,
        disk_gb_ms: row.get(8)?,
        price_ms: price_ms.parse().unwrap_or_default(),
    })
}

/// A stretch cut at the midnights of Asia/Shanghai: the day and the milliseconds in it.
fn split(began: i64, ended: i64) -> impl Iterator<Item = (String, i64)> {
    let offset = i64::from(SHANGHAI_S) * 1000;
    let mut from = began;
    std::iter::from_fn(move || {
        if from >= ended {
            return None;
        }
        let midnight = ((from + offset).div_euclid(DAY_MS) + 1) * DAY_MS - offset;
        let until = midnight.min(ended);
        let part = (day_of(from), until - from);
        from = until;
        Some(part)
    })
}

fn day_of(ms: i64) -> String {
    let utc = moment(ms);
    match FixedOffset::east_opt(SHANGHAI_S) {
        Some(offset) => utc.with_timezone(&offset).date_naive(),
        None => utc.date_naive(),
    }
    .to_string()
}

fn word<'a>(body: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn gigabytes(body: &Map<String, Value>) -> Option<i64> {
    let gb = body.get("disk_gb").and_then(Value::as_i64);
    gb.filter(|gb| (0..=MOST_GB).contains(gb))
}

fn price(body: &Map<String, Value>) -> Option<Decimal> {
    let price: Decimal = word(body, "price_per_hour")?.parse().ok()?;
    (!price.is_sign_negative()).then_some(price)
}
