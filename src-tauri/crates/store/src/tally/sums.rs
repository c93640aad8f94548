//! The sums of a question: one walk, in which whatever is the same for all stretches of a standing is left for its end.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::Connection;

use super::answer::{Amounts, Ask, Group, MonthSum, Sums};
use super::pack::{self, DAY_MS, Packed};
use super::standing::{DIMENSIONS, Standings};
use super::walk::{Cut, Hours, PerNumber, Step};
use super::words::Owners;
use super::{Inner, Tally, ms, words};
use crate::Error;

/// Time of one standing.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    exists: u64,
    running: u64,
}

/// What was spent in one month, by number of standing.
type OfMonth = (i64, Vec<(u32, Spent)>);

/// What a walk adds up.
struct Counting<'a> {
    standings: &'a Standings,
    /// Of the month under way, by number of standing; the numbers that are not zero.
    spent: Vec<Spent>,
    touched: Vec<u32>,
    months: Vec<OfMonth>,
    exists: Hours,
    running: Hours,
    /// By server: the number of the standing that it was met with first; 0 is none.
    first: PerNumber<u32>,
    /// By number of standing: how many servers were met with it first.
    met: Vec<u64>,
    /// Servers that changed belong to other groups, too: which dimension, which slot, which server.
    changed: HashSet<(usize, usize, u32)>,
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
        let Inner {
            connection, owners, ..
        } = &mut *inner;
        owners.refresh(connection)?;
        let (connection, standings, owners) = (&inner.connection, &inner.standings, &inner.owners);
        let cut = Cut::new(connection, ask, standings, ms(now))?;
        let mut counting = Counting::new(standings, ask);
        cut.walk(connection, |step| match step {
            Step::Stretch(stretch) => counting.stretch(stretch),
            Step::Month(month) => counting.month(month),
        })?;
        let mut sums = counting.add_up(connection, owners, ask)?;
        sums.assumed_ends = inner.assumed_ends(&cut, ms(now))?;
        Ok(sums)
    }
}

impl<'a> Counting<'a> {
    fn new(standings: &'a Standings, ask: &Ask) -> Self {
        let (first, end) = ask.bounds();
        Self {
            standings,
            spent: vec![Spent::default(); standings.len() + 1],
            touched: Vec::new(),
            months: Vec::new(),
            exists: Hours::new(first, end),
            running: Hours::new(first, end),
            first: PerNumber::new(0),
            met: vec![0; standings.len() + 1],
            changed: HashSet::new(),
        }
    }

    fn stretch(&mut self, stretch: Packed) {
        let number = stretch.standing as usize;
        let ms = (stretch.to - stretch.from).unsigned_abs();
        if let Some(spent) = self.spent.get_mut(number) {
            if spent.exists == 0 {
                self.touched.push(stretch.standing);
            }
            spent.exists += ms;
            if stretch.runs {
                spent.running += ms;
            }
        }
        self.exists.add(stretch.from, stretch.to);
        if stretch.runs {
            self.running.add(stretch.from, stretch.to);
        }
        let first = self.first.of(stretch.server);
        if *first == 0 {
            *first = stretch.standing;
            if let Some(met) = self.met.get_mut(number) {
                *met += 1;
            }
        } else if *first != stretch.standing {
            for (nth, dimension) in self.standings.dimensions().iter().enumerate() {
                let slot = dimension.slot(stretch.standing);
                if slot != dimension.slot(*first) {
                    self.changed.insert((nth, slot, stretch.server));
                }
            }
        }
    }

    fn month(&mut self, month: i64) {
        let mut of_month = Vec::with_capacity(self.touched.len());
        for number in self.touched.drain(..) {
            if let Some(spent) = self.spent.get_mut(number as usize) {
                of_month.push((number, std::mem::take(spent)));
            }
        }
        self.months.push((month, of_month));
    }

    fn add_up(self, connection: &Connection, owners: &Owners, ask: &Ask) -> Result<Sums, Error> {
        let standings = self.standings;
        let months = all_months(ask, self.months);
        let mut whole = self.spent;
        for (number, spent) in months.iter().flat_map(|(_, spent)| spent) {
            if let Some(whole) = whole.get_mut(*number as usize) {
                whole.exists += spent.exists;
                whole.running += spent.running;
            }
        }
        let (currency, other) = currencies(connection, standings, &whole, ask.currency.as_deref())?;
        let mut groups = Groups::new(standings, months.len());
        for (number, standing) in standings.iter() {
            let spent = whole.get(number as usize).copied().unwrap_or_default();
            if spent.exists > 0 {
                let counts = standing.currency == currency;
                let amounts = Amounts::of(standing, spent.exists, spent.running, counts);
                let met = self.met.get(number as usize).copied().unwrap_or_default();
                groups.add(number, &amounts, met);
            }
        }
        let mut sums = Sums::default();
        for (nth, (month, spent)) in months.iter().enumerate() {
            let mut of_month = Amounts::default();
            for (number, spent) in spent {
                if let Some(standing) = standings.get(*number) {
                    let counts = standing.currency == currency;
                    let amounts = Amounts::of(standing, spent.exists, spent.running, counts);
                    of_month.add(&amounts);
                    groups.add_month(*number, nth, amounts.cost());
                }
            }
            sums.total.add(&of_month);
            sums.months.push(MonthSum {
                month: pack::first_day(*month),
                amounts: of_month,
            });
        }
        for (dimension, slot, _) in self.changed {
            groups.count(dimension, slot);
        }
        [
            sums.owners,
            sums.flavors,
            sums.regions,
            sums.purposes,
            sums.templates,
        ] = groups.lists(connection, owners)?;
        sums.currency = words::word(connection, currency)?;
        sums.other = other;
        sums.servers = self.met.iter().sum();
        let (first, _) = ask.bounds();
        let (exists, running) = (self.exists.finish(), self.running.finish());
        sums.days = days(first, &exists, &running);
        sums.week = week(first, &running);
        Ok(sums)
    }
}

impl Inner {
    /// Stretches of the question that ended with a lease, and nobody told.
    fn assumed_ends(&self, cut: &Cut, now: i64) -> Result<u64, Error> {
        let data = super::settle::block(&self.connection, super::settle::LASTING)?;
        let ended = pack::read_lasting(&data)
            .filter(|stretch| stretch.to <= now && stretch.to > cut.from && stretch.from < cut.to);
        Ok(ended.filter(|stretch| cut.wants(stretch.standing)).count() as u64)
    }
}

/// Months without stretches are there, too.
fn all_months(ask: &Ask, found: Vec<OfMonth>) -> Vec<OfMonth> {
    let mut found: HashMap<i64, Vec<(u32, Spent)>> = found.into_iter().collect();
    let months = pack::month_of_date(ask.from)..=pack::month_of_date(ask.to);
    months
        .map(|month| (month, found.remove(&month).unwrap_or_default()))
        .collect()
}

/// The currency to count (asked for, or the one of which there is most), and the sums of the others.
fn currencies(
    connection: &Connection,
    standings: &Standings,
    whole: &[Spent],
    asked: Option<&str>,
) -> Result<(u32, Vec<(String, i128)>), Error> {
    let mut sums: HashMap<u32, i128> = HashMap::new();
    for (number, standing) in standings.iter() {
        let spent = whole.get(number as usize).copied().unwrap_or_default();
        if spent.exists > 0 && standing.currency != 0 {
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

/// What belongs to one word.
#[derive(Debug, Clone, Default)]
struct Growing {
    amounts: Amounts,
    servers: u64,
    months: Vec<i128>,
}

/// Of each dimension, by slot.
struct Groups<'a> {
    standings: &'a Standings,
    months: usize,
    all: [Vec<Growing>; DIMENSIONS],
}

impl<'a> Groups<'a> {
    fn new(standings: &'a Standings, months: usize) -> Self {
        let mut all: [Vec<Growing>; DIMENSIONS] = Default::default();
        for (groups, dimension) in all.iter_mut().zip(standings.dimensions()) {
            groups.resize(dimension.keys.len(), Growing::default());
        }
        Self {
            standings,
            months,
            all,
        }
    }

    /// The groups that a standing belongs to.
    fn of(&mut self, standing: u32) -> impl Iterator<Item = &mut Growing> {
        let dimensions = self.standings.dimensions();
        self.all
            .iter_mut()
            .zip(dimensions)
            .filter_map(move |(groups, dimension)| groups.get_mut(dimension.slot(standing)))
    }

    fn add(&mut self, standing: u32, amounts: &Amounts, servers: u64) {
        let months = self.months;
        for group in self.of(standing) {
            if group.months.is_empty() {
                group.months = vec![0; months];
            }
            group.amounts.add(amounts);
            group.servers += servers;
        }
    }

    fn add_month(&mut self, standing: u32, nth: usize, cost: i128) {
        for group in self.of(standing) {
            if let Some(month) = group.months.get_mut(nth) {
                *month += cost;
            }
        }
    }

    /// One more server.
    fn count(&mut self, dimension: usize, slot: usize) {
        let group = self
            .all
            .get_mut(dimension)
            .and_then(|groups| groups.get_mut(slot));
        if let Some(group) = group {
            group.servers += 1;
        }
    }

    /// Each dearest first.
    fn lists(self, connection: &Connection, owners: &Owners) -> Result<[Vec<Group>; DIMENSIONS], Error> {
        let mut lists: [Vec<Group>; DIMENSIONS] = Default::default();
        let dimensions = self.standings.dimensions();
        for (nth, (list, (groups, dimension))) in lists
            .iter_mut()
            .zip(self.all.into_iter().zip(dimensions))
            .enumerate()
        {
            for (group, key) in groups.into_iter().zip(&dimension.keys) {
                if group.amounts.exists_ms == 0 {
                    continue;
                }
                let (key, name) = match nth {
                    0 => owners.of(connection, *key)?,
                    _ => (words::word(connection, *key)?, String::new()),
                };
                list.push(Group {
                    key,
                    name,
                    servers: group.servers,
                    amounts: group.amounts,
                    months: group.months,
                });
            }
            list.sort_by(|a, b| {
                let size = |group: &Group| (group.amounts.cost(), group.amounts.exists_ms);
                size(b).cmp(&size(a)).then_with(|| a.key.cmp(&b.key))
            });
        }
        Ok(lists)
    }
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
