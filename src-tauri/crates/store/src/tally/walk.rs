//! The one way through the packed stretches.

use std::collections::HashSet;

use rusqlite::Connection;

use super::answer::Ask;
use super::pack::{self, Packed};
use super::settle::{LASTING, block};
use super::standing::Standings;
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

/// What a walk comes upon.
pub(super) enum Step {
    /// A stretch, clipped to the question and to its month.
    Stretch(Packed),
    /// The last one of this month came.
    Month(i64),
}

impl Cut {
    pub(super) fn new(
        connection: &Connection,
        ask: &Ask,
        standings: &Standings,
        now: i64,
    ) -> Result<Self, Error> {
        // Number 0 is no standing.
        let mut wanted = vec![true; standings.len() + 1];
        if let Some(none) = wanted.first_mut() {
            *none = false;
        }
        let asked = [
            &ask.owners,
            &ask.flavors,
            &ask.regions,
            &ask.purposes,
            &ask.templates,
        ];
        for (words, dimension) in asked.into_iter().zip(standings.dimensions()) {
            if words.is_empty() {
                continue;
            }
            let mut numbers = HashSet::new();
            for word in words {
                numbers.extend(words::find(connection, word)?);
            }
            let of_slots: Vec<bool> = dimension.keys.iter().map(|key| numbers.contains(key)).collect();
            for (wanted, slot) in wanted.iter_mut().skip(1).zip(&dimension.slots) {
                *wanted &= of_slots.get(*slot as usize).copied().unwrap_or_default();
            }
        }
        let (from, end) = ask.bounds();
        Ok(Self {
            from,
            to: end.min(now),
            wanted,
        })
    }

    pub(super) fn wants(&self, standing: u32) -> bool {
        self.wanted.get(standing as usize).copied().unwrap_or_default()
    }

    /// Goes along every stretch asked for, month after month.
    pub(super) fn walk(&self, connection: &Connection, mut step: impl FnMut(Step)) -> Result<(), Error> {
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
                    step(Step::Stretch(clipped));
                }
            };
            pack::read(month, &block(connection, month)?).for_each(&mut clip);
            lasting.iter().copied().for_each(&mut clip);
            step(Step::Month(month));
        }
        Ok(())
    }
}

/// Something of every server, by its number.
pub(super) struct PerNumber<T> {
    all: Vec<T>,
    none: T,
}

impl<T: Copy> PerNumber<T> {
    /// `none`: what servers have that nothing was noted of.
    pub(super) fn new(none: T) -> Self {
        Self {
            all: Vec::new(),
            none,
        }
    }

    pub(super) fn of(&mut self, server: u32) -> &mut T {
        let at = server as usize;
        if at >= self.all.len() {
            self.all.resize(at + 1, self.none);
        }
        // It has room by now.
        self.all.get_mut(at).unwrap_or(&mut self.none)
    }

    /// With their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, T)> {
        (0..).zip(self.all.iter().copied())
    }
}

/// A set of servers.
#[derive(Default)]
pub(super) struct Servers {
    bits: Vec<u64>,
}

impl Servers {
    pub(super) fn insert(&mut self, server: u32) {
        let word = (server >> 6) as usize;
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= 1 << (server & 63);
        }
    }

    pub(super) fn contains(&self, server: u32) -> bool {
        let bits = self.bits.get((server >> 6) as usize).copied().unwrap_or_default();
        bits & 1 << (server & 63) != 0
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
