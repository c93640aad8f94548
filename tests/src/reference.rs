//! What a past came to, counted minute by minute from its events: slow, plain, and without anything of what is tested.
//!
//! It knows what pasts of [`crate::past`] hold: each server's beginning tells its price, prices have four places, and
//! moments are whole minutes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use serde_json::Value;

/// Minutes and money of some servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Those that existed.
    pub servers: BTreeSet<String>,
    /// Minutes of existence.
    pub exists: i64,
    /// Minutes of running.
    pub running: i64,
    /// GB × minutes.
    pub disk_gb: i64,
    /// Compute, disk and address in ten thousandths of the currency an hour × minutes.
    pub money: [i64; 3],
}

impl Counted {
    /// Of all money.
    pub fn cost(&self) -> i64 {
        self.money.iter().sum()
    }
}

/// Everything of some days.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    /// All of it.
    pub total: Counted,
    /// By month, as `2026-11`.
    pub months: BTreeMap<String, Counted>,
    /// By day.
    pub days: BTreeMap<String, Counted>,
    /// By owner id.
    pub owners: BTreeMap<String, Counted>,
    /// By flavor.
    pub flavors: BTreeMap<String, Counted>,
    /// By purpose; empty: none.
    pub purposes: BTreeMap<String, Counted>,
    /// Minutes of running by hour of the week from Monday 00:00 on.
    pub week: BTreeMap<u32, i64>,
}

/// A server at a minute.
#[derive(Debug, Clone, Default)]
struct Standing {
    runs: bool,
    disk_gb: i64,
    compute: i64,
    disk: i64,
    address: i64,
}

impl Standing {
    fn price(&mut self, event: &Value) -> Result<()> {
        let price = |key: &str| -> Result<i64> {
            let text = event[key]
                .as_str()
                .with_context(|| format!("no {key}: {event}"))?;
            Ok(text.replace('.', "").parse()?)
        };
        self.disk = price("price_disk_per_hour")?;
        self.address = price("price_address_per_hour")?;
        self.compute = price("price_per_hour")? - self.disk - self.address;
        Ok(())
    }
}

/// Counts the days from `from` to `to`, both included, of Asia/Shanghai. All of them are past.
///
/// # Errors
/// When an event is not as a past has them.
pub fn count(events: &[Value], from: NaiveDate, to: NaiveDate) -> Result<Reference> {
    let mut servers: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in events {
        let server = event["server_id"].as_str().context("an event of no server")?;
        servers.entry(server).or_default().push(event);
    }
    let mut found = Reference::default();
    for (server, mut events) in servers {
        events.sort_by_key(|event| moment(event, "time").ok());
        live(server, &events, from, to, &mut found)?;
    }
    Ok(found)
}

fn live(
    server: &str,
    events: &[&Value],
    from: NaiveDate,
    to: NaiveDate,
    found: &mut Reference,
) -> Result<()> {
    let created = events
        .iter()
        .find(|event| event["action"] == "server.created")
        .with_context(|| format!("{server} was never created"))?;
    let word = |key: &str| created[key].as_str().unwrap_or_default().to_owned();
    let (owner, flavor, purpose) = (word("owner_id"), word("flavor"), word("purpose"));
    // It ends when somebody says so, and else with its lease.
    let end = match events.iter().find(|event| event["action"] == "server.deleted") {
        Some(deleted) => moment(deleted, "time")?,
        None => moment(created, "lease_end")?,
    };
    let mut now = Standing::default();
    let mut next = events.iter().peekable();
    let mut minute = moment(created, "time")?;
    while minute < end {
        while let Some(event) = next.peek()
            && moment(event, "time")? <= minute
        {
            hear(&mut now, event)?;
            next.next();
        }
        // Asia/Shanghai keeps one offset the whole year.
        let local = minute + TimeDelta::hours(8);
        minute += TimeDelta::minutes(1);
        if local.date_naive() < from || local.date_naive() > to {
            continue;
        }
        let runs = i64::from(now.runs);
        for counted in [
            &mut found.total,
            found.months.entry(local.format("%Y-%m").to_string()).or_default(),
            found
                .days
                .entry(local.format("%Y-%m-%d").to_string())
                .or_default(),
            found.owners.entry(owner.clone()).or_default(),
            found.flavors.entry(flavor.clone()).or_default(),
            found.purposes.entry(purpose.clone()).or_default(),
        ] {
            if !counted.servers.contains(server) {
                counted.servers.insert(server.to_owned());
            }
            counted.exists += 1;
            counted.running += runs;
            counted.disk_gb += now.disk_gb;
            for (sum, price) in counted
                .money
                .iter_mut()
                .zip([now.compute * runs, now.disk, now.address])
            {
                *sum += price;
            }
        }
        let hour = local.weekday().num_days_from_monday() * 24 + local.hour();
        *found.week.entry(hour).or_default() += runs;
    }
    Ok(())
}

/// What an event changes.
fn hear(now: &mut Standing, event: &Value) -> Result<()> {
    let disk_gb = event["disk_gb"].as_i64().unwrap_or_default();
    match event["action"].as_str().unwrap_or_default() {
        "server.created" => {
            now.runs = true;
            now.disk_gb = disk_gb;
            now.price(event)?;
        }
        "server.stopped" => now.runs = false,
        "server.started" | "session.opened" => now.runs = true,
        "server.resized" => now.price(event)?,
        "disk.attached" => {
            now.disk_gb += disk_gb;
            now.price(event)?;
        }
        _ => {}
    }
    Ok(())
}

fn moment(event: &Value, key: &str) -> Result<DateTime<Utc>> {
    let text = event[key]
        .as_str()
        .with_context(|| format!("no {key}: {event}"))?;
    Ok(text.parse()?)
}
