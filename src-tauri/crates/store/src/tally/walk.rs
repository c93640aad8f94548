//! The one way through the packed stretches.

use std::collections::HashSet;

use rusqlite::Connection;

use super::answer::Ask;
use super::pack::{self, Packed};
use super::settle::{LASTING, block};
use super::standing::Standing;
use super::words;
use crate::Error;

/// What is asked for, as numbers.
pub(super) struct Cut {
    /// Milliseconds, the end not included; no later than now.
    pub from: i64,
    pub to: i64,
    /// Whether a standing is asked for, by its number.
    wanted: Vec<bool>,
}

impl Cut {
    pub(super) fn new(
        connection: &Connection,
        ask: &Ask,
        standings: &[Standing],
        now: i64,
    ) -> Result<Self, Error> {
        let numbers = |words: &[String]| -> Result<Option<HashSet<u32>>, Error> {
            if words.is_empty() {
                return Ok(None);
            }
            let mut numbers = HashSet::new();
            for word in words {
                numbers.extend(words::find(connection, word)?);
            }
            Ok(Some(numbers))
        };
        let (owners, flavors, regions) = (
            numbers(&ask.owners)?,
            numbers(&ask.flavors)?,
            numbers(&ask.regions)?,
        );
        let (purposes, templates) = (numbers(&ask.purposes)?, numbers(&ask.templates)?);
        let within =
            |set: &Option<HashSet<u32>>, word: u32| set.as_ref().is_none_or(|set| set.contains(&word));
        let wanted = standings.iter().map(|standing| {
            within(&owners, standing.owner)
                && within(&flavors, standing.flavor)
                && within(&regions, standing.region)
                && within(&purposes, standing.purpose)
                && within(&templates, standing.template)
        });
        let (from, end) = ask.bounds();
        Ok(Self {
            from,
            to: end.min(now),
            // Number 0 is no standing.
            wanted: std::iter::once(false).chain(wanted).collect(),
        })
    }

    pub(super) fn wants(&self, standing: u32) -> bool {
        self.wanted.get(standing as usize).copied().unwrap_or_default()
    }

    /// Hands over every stretch asked for, clipped to the question and to its month, month after month.
    pub(super) fn walk(
        &self,
        connection: &Connection,
        mut each: impl FnMut(Packed),
        mut after: impl FnMut(i64),
    ) -> Result<(), Error> {
        if self.from >= self.to {
            return Ok(());
        }
        let lasting: Vec<Packed> = pack::read_lasting(&block(connection, LASTING)?)
            .filter(|stretch| stretch.from < self.to && stretch.to > self.from)
            .collect();
        for month in pack::month_of(self.from)..=pack::month_of(self.to - 1) {
            let (begin, end) = pack::bounds(month);
            let (from, to) = (self.from.max(begin), self.to.min(end));
            let mut clip = |stretch: Packed| {
                let clipped = Packed {
                    from: stretch.from.max(from),
                    to: stretch.to.min(to),
                    ..stretch
                };
                if clipped.from < clipped.to && self.wants(clipped.standing) {
                    each(clipped);
                }
            };
            pack::read(month, &block(connection, month)?).for_each(&mut clip);
            lasting.iter().copied().for_each(&mut clip);
            after(month);
        }
        Ok(())
    }
}

/// A set of servers.
#[derive(Default)]
pub(super) struct Servers {
    bits: Vec<u64>,
}

impl Servers {
    /// Whether it was not in yet.
    pub(super) fn insert(&mut self, server: u32) -> bool {
        let (word, bit) = ((server >> 6) as usize, 1_u64 << (server & 63));
        if word >= self.bits.len() {
            self.bits.resize((word + 1).next_power_of_two(), 0);
        }
        self.bits.get_mut(word).is_some_and(|bits| {
            let new = *bits & bit == 0;
            *bits |= bit;
            new
        })
    }

    pub(super) fn count(&self) -> u64 {
        self.bits.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }
}

/// Time by the hour from a first moment on: what begins and ends is noted, the hours in between are filled in at the end.
pub(super) struct Hours {
    base: i64,
    parts: Vec<i64>,
    steps: Vec<i64>,
}

impl Hours {
    pub(super) fn new(from: i64, to: i64) -> Self {
        let count = usize::try_from((to - from).div_euclid(pack::HOUR_MS)).unwrap_or_default();
        Self {
            base: from,
            parts: vec![0; count + 2],
            steps: vec![0; count + 2],
        }
    }

    /// Nothing outside of the first and the last moment.
    pub(super) fn add(&mut self, from: i64, to: i64) {
        let (from, to) = (from - self.base, to - self.base);
        let (first, last) = (from / pack::HOUR_MS, (to - 1) / pack::HOUR_MS);
        let (Ok(begin), Ok(end)) = (usize::try_from(first), usize::try_from(last)) else {
            return;
        };
        if begin == end {
            bump(&mut self.parts, begin, to - from);
        } else {
            bump(&mut self.parts, begin, (first + 1) * pack::HOUR_MS - from);
            bump(&mut self.parts, end, to - last * pack::HOUR_MS);
            bump(&mut self.steps, begin + 1, pack::HOUR_MS);
            bump(&mut self.steps, end, -pack::HOUR_MS);
        }
    }

    /// Milliseconds of each hour.
    pub(super) fn finish(self) -> Vec<u64> {
        let whole = self.steps.iter().scan(0_i64, |sum, step| {
            *sum += step;
            Some(*sum)
        });
        let count = self.parts.len().saturating_sub(2);
        whole
            .zip(&self.parts)
            .take(count)
            .map(|(whole, part)| u64::try_from(whole + part).unwrap_or_default())
            .collect()
    }
}

fn bump(cells: &mut [i64], at: usize, by: i64) {
    if let Some(cell) = cells.get_mut(at) {
        *cell += by;
    }
}
