//! Questions and their answers, in whole numbers.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Days, NaiveDate, Utc};
use rusqlite::Connection;

use super::pack::{self, Packed};
use super::standing::Standing;
use super::walk::{Cut, PerNumber, Servers, Step};
use super::{Inner, Tally, ms, words};
use crate::Error;

/// What is asked: days of Asia/Shanghai, both included, and what of them. An empty list asks for everything; an empty
/// word in a list for what has none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the contract's own keys")]
pub struct Ask {
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// Owner ids.
    pub owners: Vec<String>,
    pub flavors: Vec<String>,
    pub regions: Vec<String>,
    pub purposes: Vec<String>,
    pub templates: Vec<String>,
    /// Whose money is counted; by default that of which there is most.
    pub currency: Option<String>,
}

impl Ask {
    /// Everything of these days.
    pub fn of(from: NaiveDate, to: NaiveDate) -> Self {
        Self {
            from,
            to,
            owners: Vec::new(),
            flavors: Vec::new(),
            regions: Vec::new(),
            purposes: Vec::new(),
            templates: Vec::new(),
            currency: None,
        }
    }

    /// The first moment, and the first one after.
    pub(super) fn bounds(&self) -> (i64, i64) {
        let after = self.to.checked_add_days(Days::new(1)).unwrap_or(self.to);
        (pack::start(self.from), pack::start(after))
    }
}

/// Times and money added up. Money is in billionths of the currency × milliseconds: see [`Amounts::UNIT`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Milliseconds of existence.
    pub exists_ms: u64,
    /// Milliseconds of running.
    pub running_ms: u64,
    /// GB × milliseconds.
    pub disk_gb_ms: u128,
    /// Milliseconds of existence without any known price.
    pub unpriced_ms: u64,
    /// Money for vCPUs and memory.
    pub compute: i128,
    /// Money for disks.
    pub disk: i128,
    /// Money for public addresses.
    pub address: i128,
    /// Money of which only the whole is known.
    pub unsplit: i128,
}

impl Amounts {
    /// One unit of the currency.
    pub const UNIT: i128 = 1_000_000_000 * 3_600_000;

    /// All money.
    pub fn cost(&self) -> i128 {
        self.compute + self.disk + self.address + self.unsplit
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.exists_ms += other.exists_ms;
        self.running_ms += other.running_ms;
        self.disk_gb_ms += other.disk_gb_ms;
        self.unpriced_ms += other.unpriced_ms;
        self.compute += other.compute;
        self.disk += other.disk;
        self.address += other.address;
        self.unsplit += other.unsplit;
    }

    /// What these times of this standing come to; money only where `counts`.
    pub(super) fn of(standing: &Standing, exists: u64, running: u64, counts: bool) -> Self {
        let money = |price: i64, ms: u64| {
            if counts {
                i128::from(price) * i128::from(ms)
            } else {
                0
            }
        };
        Self {
            exists_ms: exists,
            running_ms: running,
            disk_gb_ms: u128::from(standing.disk_gb.unsigned_abs()) * u128::from(exists),
            unpriced_ms: if standing.priced() { 0 } else { exists },
            compute: money(standing.compute, if standing.stays { exists } else { running }),
            disk: money(standing.disk, exists),
            address: money(standing.address, exists),
            unsplit: money(standing.unsplit, exists),
        }
    }

    /// What a stretch comes to, in this currency.
    fn of_stretch(standing: &Standing, stretch: &Packed, currency: u32) -> Self {
        let ms = (stretch.to - stretch.from).unsigned_abs();
        let running = if stretch.runs { ms } else { 0 };
        Self::of(standing, ms, running, standing.currency == currency)
    }
}

/// What one server is ordered by.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    cost: i128,
    exists: u64,
    currency: u32,
}

/// A calendar month of Asia/Shanghai, by its first day.
pub type Month = NaiveDate;

/// One month of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct MonthSum {
    pub month: Month,
    pub amounts: Amounts,
}

/// What belongs to one owner, flavor, region, purpose or template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Id, or the word itself; empty where there is none.
    pub key: String,
    /// How it is called, for owners.
    pub name: String,
    /// Servers that existed.
    pub servers: u64,
    /// Its sums.
    pub amounts: Amounts,
    /// Its money in each month of the question.
    pub months: Vec<i128>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// Whose money was counted; empty where there was none.
    pub currency: String,
    /// All money of other currencies.
    pub other: Vec<(String, i128)>,
    /// Servers that existed.
    pub servers: u64,
    /// Of them, those that are taken to have ended with their lease, and whose end nobody told.
    pub assumed_ends: u64,
    /// Everything.
    pub total: Amounts,
    /// Month by month, without gaps.
    pub months: Vec<MonthSum>,
    /// Day by day without gaps: milliseconds of existence and of running.
    pub days: Vec<(NaiveDate, u64, u64)>,
    /// Milliseconds of running by hour of the week of Asia/Shanghai, from Monday 00:00 on; 168.
    pub week: Vec<u64>,
    /// Each list: dearest first.
    pub owners: Vec<Group>,
    /// By flavor; a server that changed is in each of its own.
    pub flavors: Vec<Group>,
    /// By region.
    pub regions: Vec<Group>,
    /// By purpose.
    pub purposes: Vec<Group>,
    /// By template.
    pub templates: Vec<Group>,
}

/// One server in a question's days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PerServer {
    pub server: super::ServerRow,
    pub amounts: Amounts,
    /// Whose money that is.
    pub currency: String,
}

/// What can be asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the contract's own keys")]
pub struct Names {
    /// Ids and names.
    pub owners: Vec<(String, String)>,
    pub flavors: Vec<String>,
    pub regions: Vec<String>,
    pub purposes: Vec<String>,
    pub templates: Vec<String>,
    pub currencies: Vec<String>,
}

impl Tally {
    /// The servers that are asked for: the dearest first, at most `limit` of them after the first `skip`, and how many
    /// there are in all.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn servers(
        &self,
        ask: &Ask,
        now: DateTime<Utc>,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<PerServer>, u64), Error> {
        let mut inner = self.inner();
        inner.refresh()?;
        let (connection, standings) = (&inner.connection, &inner.standings);
        let cut = Cut::new(connection, ask, standings, ms(now))?;
        let asked = match &ask.currency {
            Some(word) => Some(words::find(connection, word)?.unwrap_or_default()),
            None => None,
        };
        // First only by what they are ordered: there may be millions.
        let mut sizes = PerNumber::new(Size::default());
        cut.walk(connection, |step| {
            if let Step::Stretch(stretch) = step
                && let Some(standing) = standings.get(stretch.standing)
            {
                let size = sizes.of(stretch.server);
                if size.currency == 0 && standing.currency != 0 {
                    size.currency = asked.unwrap_or(standing.currency);
                }
                let amounts = Amounts::of_stretch(standing, &stretch, size.currency);
                size.exists += amounts.exists_ms;
                size.cost += amounts.cost();
            }
        })?;
        let mut order: Vec<(u32, Size)> = sizes.iter().filter(|(_, size)| size.exists > 0).collect();
        let count = order.len() as u64;
        let by_size = |(server, size): &(u32, Size)| (std::cmp::Reverse((size.cost, size.exists)), *server);
        let end = skip.saturating_add(limit);
        if end < order.len() {
            order.select_nth_unstable_by_key(end, by_size);
            order.truncate(end);
        }
        order.sort_unstable_by_key(by_size);
        order.drain(..skip.min(order.len()));
        let mut listed = Servers::default();
        let mut found: HashMap<u32, Amounts> = HashMap::with_capacity(order.len());
        for (server, _) in &order {
            listed.insert(*server);
        }
        cut.walk(connection, |step| {
            if let Step::Stretch(stretch) = step
                && listed.contains(stretch.server)
                && let Some(standing) = standings.get(stretch.standing)
            {
                let currency = sizes.of(stretch.server).currency;
                let amounts = Amounts::of_stretch(standing, &stretch, currency);
                found.entry(stretch.server).or_default().add(&amounts);
            }
        })?;
        let mut servers = Vec::with_capacity(order.len());
        for (server, size) in order {
            servers.push(PerServer {
                server: inner.server_row(server, ms(now))?,
                amounts: found.remove(&server).unwrap_or_default(),
                currency: words::word(connection, size.currency)?,
            });
        }
        Ok((servers, count))
    }

    /// All that can be asked for.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn names(&self) -> Result<Names, Error> {
        let mut inner = self.inner();
        inner.refresh()?;
        let connection = &inner.connection;
        let all = |keys: &[u32]| -> Result<Vec<String>, Error> {
            let mut words: Vec<String> = keys
                .iter()
                .map(|id| words::word(connection, *id))
                .collect::<Result<_, _>>()?;
            words.sort();
            Ok(words)
        };
        let [owners, flavors, regions, purposes, templates] = inner
            .standings
            .dimensions()
            .each_ref()
            .map(|dimension| &dimension.keys);
        let currencies: BTreeSet<u32> = inner.standings.iter().map(|(_, is)| is.currency).collect();
        let currencies: Vec<u32> = currencies.into_iter().filter(|id| *id != 0).collect();
        let mut named = Vec::with_capacity(owners.len());
        for owner in owners {
            named.push((words::word(connection, *owner)?, owner_name(connection, *owner)?));
        }
        named.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
        Ok(Names {
            owners: named,
            flavors: all(flavors)?,
            regions: all(regions)?,
            purposes: all(purposes)?,
            templates: all(templates)?,
            currencies: all(&currencies)?,
        })
    }
}

impl Inner {
    pub(super) fn refresh(&mut self) -> Result<(), Error> {
        self.standings.refresh(&self.connection)
    }
}

pub(super) fn owner_name(connection: &Connection, owner: u32) -> Result<String, Error> {
    use rusqlite::OptionalExtension;
    let found = connection
        .prepare_cached("SELECT name FROM owners WHERE owner = ?1")?
        .query_row([owner], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_default())
}
