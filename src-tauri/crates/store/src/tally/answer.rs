//! Questions and their answers, in whole numbers.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use rusqlite::Connection;

use super::pack::{self, DAY_MS, Packed};
use super::standing::Standing;
use super::walk::{Cut, Hours, Servers};
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

    fn add(&mut self, other: &Self) {
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
    fn of(standing: &Standing, exists: u64, running: u64, counts: bool) -> Self {
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

/// Time of one standing.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    exists: u64,
    running: u64,
}

const DIMENSIONS: usize = 5;

fn keys(standing: &Standing) -> [u32; DIMENSIONS] {
    [
        standing.owner,
        standing.flavor,
        standing.region,
        standing.purpose,
        standing.template,
    ]
}

impl Tally {
    /// Adds up what is asked for; [`settle`](Self::settle) first.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn sums(&self, ask: &Ask, now: DateTime<Utc>) -> Result<Sums, Error> {
        let mut inner = self.inner();
        inner.refresh()?;
        let (connection, standings) = (&inner.connection, inner.standings.all());
        let cut = Cut::new(connection, ask, standings, ms(now))?;
        let (first, end) = ask.bounds();
        let (mut exists, mut running) = (Hours::new(first, end), Hours::new(first, end));
        let mut seen = Servers::default();
        let mut by_flavor: HashMap<u32, Servers> = HashMap::new();
        let mut counts: [HashMap<u32, u64>; DIMENSIONS] = Default::default();
        // Shared by the two closures, which take turns.
        let spent = std::cell::RefCell::new((vec![Spent::default(); standings.len() + 1], Vec::<u32>::new()));
        let mut months: Vec<(i64, Vec<(u32, Spent)>)> = Vec::new();
        cut.walk(
            connection,
            |stretch: Packed| {
                let ms = (stretch.to - stretch.from).unsigned_abs();
                let (spent, touched) = &mut *spent.borrow_mut();
                if let Some(spent) = spent.get_mut(stretch.standing as usize) {
                    if spent.exists == 0 {
                        touched.push(stretch.standing);
                    }
                    spent.exists += ms;
                    if stretch.runs {
                        spent.running += ms;
                    }
                }
                exists.add(stretch.from, stretch.to);
                if stretch.runs {
                    running.add(stretch.from, stretch.to);
                }
                let new = seen.insert(stretch.server);
                let Some(standing) = standings.get((stretch.standing as usize).wrapping_sub(1)) else {
                    return;
                };
                by_flavor
                    .entry(standing.flavor)
                    .or_default()
                    .insert(stretch.server);
                if new {
                    for (counts, key) in counts.iter_mut().zip(keys(standing)) {
                        *counts.entry(key).or_default() += 1;
                    }
                }
            },
            |month| {
                let (spent, touched) = &mut *spent.borrow_mut();
                let mut of_month = Vec::with_capacity(touched.len());
                for number in touched.drain(..) {
                    if let Some(spent) = spent.get_mut(number as usize) {
                        of_month.push((number, std::mem::take(spent)));
                    }
                }
                months.push((month, of_month));
            },
        )?;
        let [_, flavors, ..] = &mut counts;
        *flavors = by_flavor
            .iter()
            .map(|(flavor, servers)| (*flavor, servers.count()))
            .collect();
        let months = all_months(ask, months);
        let (currency, other) = currencies(connection, standings, &months, ask.currency.as_deref())?;
        let mut sums = add_up(connection, standings, &months, currency, counts)?;
        sums.currency = words::word(connection, currency)?;
        sums.other = other;
        sums.servers = seen.count();
        sums.assumed_ends = inner.assumed_ends(&cut, ms(now))?;
        let (exists, running) = (exists.finish(), running.finish());
        sums.days = days(first, &exists, &running);
        sums.week = week(first, &running);
        Ok(sums)
    }

    /// The servers that are asked for: the dearest first, at most `limit` of them, and how many there are.
    ///
    /// # Errors
    ///
    /// Only the file's own troubles.
    pub fn servers(
        &self,
        ask: &Ask,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<(Vec<PerServer>, u64), Error> {
        let mut inner = self.inner();
        inner.refresh()?;
        let (connection, standings) = (&inner.connection, inner.standings.all());
        let cut = Cut::new(connection, ask, standings, ms(now))?;
        let mut found: HashMap<u32, (Amounts, u32)> = HashMap::new();
        let asked = match &ask.currency {
            Some(word) => Some(words::find(connection, word)?.unwrap_or_default()),
            None => None,
        };
        cut.walk(
            connection,
            |stretch| {
                let Some(standing) = standings.get((stretch.standing as usize).wrapping_sub(1)) else {
                    return;
                };
                let ms = (stretch.to - stretch.from).unsigned_abs();
                let (amounts, currency) = found.entry(stretch.server).or_insert((Amounts::default(), 0));
                let whose = asked.unwrap_or(standing.currency);
                if standing.currency != 0 && *currency == 0 {
                    *currency = whose;
                }
                let counts = standing.currency == *currency;
                amounts.add(&Amounts::of(
                    standing,
                    ms,
                    if stretch.runs { ms } else { 0 },
                    counts,
                ));
            },
            |_| {},
        )?;
        let count = found.len() as u64;
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_unstable_by_key(|(server, (amounts, _))| {
            (std::cmp::Reverse((amounts.cost(), amounts.exists_ms)), *server)
        });
        found.truncate(limit);
        let mut servers = Vec::with_capacity(found.len());
        for (server, (amounts, currency)) in found {
            servers.push(PerServer {
                server: inner.server_row(server, ms(now))?,
                amounts,
                currency: words::word(connection, currency)?,
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
        let mut sets: [std::collections::BTreeSet<u32>; DIMENSIONS + 1] = Default::default();
        for standing in inner.standings.all() {
            let keys = keys(standing).into_iter().chain([standing.currency]);
            for (set, key) in sets.iter_mut().zip(keys) {
                set.insert(key);
            }
        }
        let all = |set: &std::collections::BTreeSet<u32>| -> Result<Vec<String>, Error> {
            let mut words: Vec<String> = set
                .iter()
                .map(|id| words::word(connection, *id))
                .collect::<Result<_, _>>()?;
            words.sort();
            Ok(words)
        };
        let [owners, flavors, regions, purposes, templates, currencies] = &sets;
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
            currencies: all(currencies)?
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect(),
        })
    }
}

impl Inner {
    pub(super) fn refresh(&mut self) -> Result<(), Error> {
        self.standings.refresh(&self.connection)
    }

    /// Stretches of the question that ended with a lease, and nobody told.
    fn assumed_ends(&self, cut: &Cut, now: i64) -> Result<u64, Error> {
        let data = super::settle::block(&self.connection, super::settle::LASTING)?;
        let ended = pack::read_lasting(&data)
            .filter(|stretch| stretch.to <= now && stretch.to > cut.from && stretch.from < cut.to);
        Ok(ended.filter(|stretch| cut.wants(stretch.standing)).count() as u64)
    }
}

/// Months without stretches are there, too.
fn all_months(ask: &Ask, found: Vec<(i64, Vec<(u32, Spent)>)>) -> Vec<(i64, Vec<(u32, Spent)>)> {
    let mut found: HashMap<i64, Vec<(u32, Spent)>> = found.into_iter().collect();
    let months = pack::month_of_date(ask.from)..=pack::month_of_date(ask.to);
    months
        .map(|month| (month, found.remove(&month).unwrap_or_default()))
        .collect()
}

type OfMonths = [(i64, Vec<(u32, Spent)>)];

/// The currency to count (asked for, or the one of which there is most), and the sums of the others.
fn currencies(
    connection: &Connection,
    standings: &[Standing],
    months: &OfMonths,
    asked: Option<&str>,
) -> Result<(u32, Vec<(String, i128)>), Error> {
    let mut sums: HashMap<u32, i128> = HashMap::new();
    for (number, spent) in months.iter().flat_map(|(_, spent)| spent) {
        if let Some(standing) = standings.get((*number as usize).wrapping_sub(1))
            && standing.currency != 0
        {
            let amounts = Amounts::of(standing, spent.exists, spent.running, true);
            *sums.entry(standing.currency).or_default() += amounts.cost();
        }
    }
    let most = sums
        .iter()
        .max_by_key(|(id, sum)| (**sum, std::cmp::Reverse(**id)));
    let chosen = match asked {
        Some(word) => words::find(connection, word)?.unwrap_or_default(),
        None => most.map_or(0, |(id, _)| *id),
    };
    let mut other = Vec::new();
    for (id, sum) in sums {
        if id != chosen {
            other.push((words::word(connection, id)?, sum));
        }
    }
    other.sort();
    Ok((chosen, other))
}

#[derive(Default)]
struct Growing {
    amounts: Amounts,
    months: Vec<i128>,
}

fn add_up(
    connection: &Connection,
    standings: &[Standing],
    months: &OfMonths,
    currency: u32,
    counts: [HashMap<u32, u64>; DIMENSIONS],
) -> Result<Sums, Error> {
    let mut sums = Sums::default();
    let mut groups: [HashMap<u32, Growing>; DIMENSIONS] = Default::default();
    for (nth, (month, spent)) in months.iter().enumerate() {
        let mut of_month = Amounts::default();
        for (number, spent) in spent {
            let Some(standing) = standings.get((*number as usize).wrapping_sub(1)) else {
                continue;
            };
            let counts = standing.currency == currency;
            let amounts = Amounts::of(standing, spent.exists, spent.running, counts);
            of_month.add(&amounts);
            for (groups, key) in groups.iter_mut().zip(keys(standing)) {
                let group = groups.entry(key).or_default();
                group.amounts.add(&amounts);
                if group.months.is_empty() {
                    group.months = vec![0; months.len()];
                }
                if let Some(month) = group.months.get_mut(nth) {
                    *month += amounts.cost();
                }
            }
        }
        sums.total.add(&of_month);
        sums.months.push(MonthSum {
            month: pack::first_day(*month),
            amounts: of_month,
        });
    }
    let mut lists: [Vec<Group>; DIMENSIONS] = Default::default();
    for (nth, (list, (groups, counts))) in lists.iter_mut().zip(groups.into_iter().zip(&counts)).enumerate() {
        for (key, group) in groups {
            list.push(Group {
                key: words::word(connection, key)?,
                name: if nth == 0 {
                    owner_name(connection, key)?
                } else {
                    String::new()
                },
                servers: counts.get(&key).copied().unwrap_or_default(),
                amounts: group.amounts,
                months: group.months,
            });
        }
        list.sort_by(|a, b| {
            let size = |group: &Group| (group.amounts.cost(), group.amounts.exists_ms);
            size(b).cmp(&size(a)).then_with(|| a.key.cmp(&b.key))
        });
    }
    [
        sums.owners,
        sums.flavors,
        sums.regions,
        sums.purposes,
        sums.templates,
    ] = lists;
    Ok(sums)
}

pub(super) fn owner_name(connection: &Connection, owner: u32) -> Result<String, Error> {
    use rusqlite::OptionalExtension;
    let found = connection
        .prepare_cached("SELECT name FROM owners WHERE owner = ?1")?
        .query_row([owner], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn days(first: i64, exists: &[u64], running: &[u64]) -> Vec<(NaiveDate, u64, u64)> {
    let days = exists.chunks(24).zip(running.chunks(24)).zip(0_i64..);
    days.map(|((exists, running), nth)| {
        (
            pack::date(first + nth * DAY_MS),
            exists.iter().sum(),
            running.iter().sum(),
        )
    })
    .collect()
}

fn week(first: i64, running: &[u64]) -> Vec<u64> {
    use chrono::Datelike;
    let begins = pack::date(first).weekday().num_days_from_monday() as usize * 24;
    let mut week = vec![0; 168];
    for (nth, ms) in running.iter().enumerate() {
        if let Some(hour) = week.get_mut((begins + nth) % 168) {
            *hour += ms;
        }
    }
    week
}
