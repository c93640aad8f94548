//! What a server was like during a stretch: everything that figures are cut by or follow from, once each.
//!
//! They lie packed in the file, some thousands together, because the first question after a start needs all of them.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::Error;
use crate::columns::signed;

/// How many lie together.
const TOGETHER: usize = 4096;
/// Bytes of one in the file.
const PACKED: usize = 65;

/// Words are numbers of the dictionary, prices billionths of the currency an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Standing {
    pub owner: u32,
    pub flavor: u32,
    pub region: u32,
    pub purpose: u32,
    pub template: u32,
    pub currency: u32,
    pub compute: i64,
    pub disk: i64,
    pub address: i64,
    /// A price that is known as a whole only.
    pub unsplit: i64,
    pub disk_gb: i64,
    /// `compute` goes on while it is stopped.
    pub stays: bool,
}

/// What figures are cut by: owner, flavor, region, purpose and template.
pub(super) const DIMENSIONS: usize = 5;

impl Standing {
    /// Whether any price is known.
    pub(crate) fn priced(&self) -> bool {
        self.compute != 0 || self.disk != 0 || self.address != 0 || self.unsplit != 0
    }

    fn keys(&self) -> [u32; DIMENSIONS] {
        [self.owner, self.flavor, self.region, self.purpose, self.template]
    }

    fn write(&self, data: &mut Vec<u8>) {
        let words = self.keys().into_iter().chain([self.currency]);
        data.extend(words.flat_map(u32::to_le_bytes));
        let numbers = [self.compute, self.disk, self.address, self.unsplit, self.disk_gb];
        data.extend(numbers.into_iter().flat_map(i64::to_le_bytes));
        data.push(u8::from(self.stays));
    }

    fn read(data: &[u8; PACKED]) -> Self {
        let (words, rest) = data.as_chunks::<4>();
        let word = |at: usize| words.get(at).copied().map_or(0, u32::from_le_bytes);
        let long = |at: usize| (u64::from(word(at)) | u64::from(word(at + 1)) << 32).cast_signed();
        Self {
            owner: word(0),
            flavor: word(1),
            region: word(2),
            purpose: word(3),
            template: word(4),
            currency: word(5),
            compute: long(6),
            disk: long(8),
            address: long(10),
            unsplit: long(12),
            disk_gb: long(14),
            stays: rest == [1],
        }
    }
}

/// One thing that figures are cut by, in a form that can be counted along: its words as they came up are its slots.
#[derive(Debug, Default)]
pub(super) struct Dimension {
    /// By slot: the word.
    pub keys: Vec<u32>,
    /// By standing, from number 1 on: the slot.
    pub slots: Vec<u32>,
    /// By word: its slot and one; 0 is none yet.
    of_words: Vec<u32>,
}

impl Dimension {
    fn push(&mut self, key: u32) -> Result<(), Error> {
        let word = key as usize;
        if word >= self.of_words.len() {
            self.of_words.resize(word + 1, 0);
        }
        let known = self.of_words.get(word).copied().unwrap_or_default();
        let slot = match known.checked_sub(1) {
            Some(slot) => slot,
            None => {
                self.keys.push(key);
                let count = number(self.keys.len())?;
                if let Some(of_word) = self.of_words.get_mut(word) {
                    *of_word = count;
                }
                count - 1
            }
        };
        self.slots.push(slot);
        Ok(())
    }

    /// The slot of the standing of a number.
    pub(super) fn slot(&self, standing: u32) -> usize {
        let slot = self.slots.get((standing as usize).wrapping_sub(1));
        slot.map_or(usize::MAX, |slot| *slot as usize)
    }
}

/// All of them, by number: the n-th has number n + 1.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    all: Vec<Standing>,
    dimensions: [Dimension; DIMENSIONS],
    /// Made when something is written first; questions do without.
    numbers: Option<HashMap<Standing, u32>>,
    /// How many of them the file has.
    kept: usize,
}

impl Standings {
    /// Learns what was added since, by whichever program.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> Result<(), Error> {
        let known = self.all.len();
        let mut statement =
            connection.prepare_cached("SELECT part, data FROM standings WHERE part >= ?1 ORDER BY part")?;
        let mut rows = statement.query([signed((known / TOGETHER) as u64)])?;
        while let Some(row) = rows.next()? {
            let part: u32 = row.get(0)?;
            let data = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let before = self.all.len().saturating_sub(part as usize * TOGETHER);
            for packed in data.as_chunks::<PACKED>().0.iter().skip(before) {
                self.push(Standing::read(packed))?;
            }
        }
        self.kept = self.all.len();
        Ok(())
    }

    /// The number of a standing, given now if it has none. Only after [`refresh`](Self::refresh) and before
    /// [`keep`](Self::keep) in one transaction.
    pub(crate) fn number(&mut self, standing: Standing) -> Result<u32, Error> {
        let all = &self.all;
        let numbers = self
            .numbers
            .get_or_insert_with(|| all.iter().copied().zip(1..).collect());
        if let Some(number) = numbers.get(&standing) {
            return Ok(*number);
        }
        self.push(standing)
    }

    /// Writes down what got a number.
    pub(crate) fn keep(&mut self, connection: &Connection) -> Result<(), Error> {
        if self.kept == self.all.len() {
            return Ok(());
        }
        let first = self.kept / TOGETHER;
        let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO standings VALUES (?1, ?2)")?;
        for (part, standings) in self.all.chunks(TOGETHER).enumerate().skip(first) {
            let mut data = Vec::with_capacity(standings.len() * PACKED);
            for standing in standings {
                standing.write(&mut data);
            }
            statement.execute(params![signed(part as u64), data])?;
        }
        self.kept = self.all.len();
        Ok(())
    }

    fn push(&mut self, standing: Standing) -> Result<u32, Error> {
        let number = number(self.all.len() + 1)?;
        for (dimension, key) in self.dimensions.iter_mut().zip(standing.keys()) {
            dimension.push(key)?;
        }
        self.all.push(standing);
        if let Some(numbers) = &mut self.numbers {
            numbers.insert(standing, number);
        }
        Ok(number)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// By its number.
    pub(super) fn get(&self, number: u32) -> Option<&Standing> {
        self.all.get((number as usize).wrapping_sub(1))
    }

    /// With their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Standing)> {
        (1..).zip(&self.all)
    }

    /// Owner, flavor, region, purpose, template.
    pub(super) fn dimensions(&self) -> &[Dimension; DIMENSIONS] {
        &self.dimensions
    }
}

/// One bit of a packed number says whether the server ran.
fn number(count: usize) -> Result<u32, Error> {
    u32::try_from(count)
        .ok()
        .filter(|number| *number < 1 << 31)
        .ok_or_else(|| Error::Damaged("the tally has too many kinds of servers".to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_is_read_back(words: [u32; 6], numbers: [i64; 5], stays: bool) {
            let [owner, flavor, region, purpose, template, currency] = words;
            let [compute, disk, address, unsplit, disk_gb] = numbers;
            let standing = Standing {
                owner, flavor, region, purpose, template, currency, compute, disk, address, unsplit, disk_gb, stays,
            };
            let mut data = Vec::new();
            standing.write(&mut data);
            prop_assert_eq!(Standing::read(data.as_slice().try_into().unwrap()), standing);
        }
    }
}
