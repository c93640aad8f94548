//! What a server was like during a stretch: everything that figures are cut by or follow from, once each.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::Error;
use crate::columns::signed;

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

impl Standing {
    /// Whether any price is known.
    pub(crate) fn priced(&self) -> bool {
        self.compute != 0 || self.disk != 0 || self.address != 0 || self.unsplit != 0
    }
}

/// All of them, by number: the n-th has number n + 1.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    all: Vec<Standing>,
    numbers: HashMap<Standing, u32>,
}

impl Standings {
    /// Learns what was added since, by whichever program.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> Result<(), Error> {
        let mut statement = connection.prepare_cached(
            "SELECT owner, flavor, region, purpose, template, currency, compute, disk, address, unsplit, disk_gb, stays
             FROM standings WHERE id > ?1 ORDER BY id",
        )?;
        let rows = statement.query_map([signed(self.all.len() as u64)], |row| {
            Ok(Standing {
                owner: row.get(0)?,
                flavor: row.get(1)?,
                region: row.get(2)?,
                purpose: row.get(3)?,
                template: row.get(4)?,
                currency: row.get(5)?,
                compute: row.get(6)?,
                disk: row.get(7)?,
                address: row.get(8)?,
                unsplit: row.get(9)?,
                disk_gb: row.get(10)?,
                stays: row.get(11)?,
            })
        })?;
        for standing in rows {
            let standing = standing?;
            self.all.push(standing);
            self.numbers.insert(standing, number(self.all.len())?);
        }
        Ok(())
    }

    /// The number of a standing, given now if it has none. Only after [`refresh`](Self::refresh) in this transaction.
    pub(crate) fn number(&mut self, connection: &Connection, standing: Standing) -> Result<u32, Error> {
        if let Some(number) = self.numbers.get(&standing) {
            return Ok(*number);
        }
        let number = number(self.all.len() + 1)?;
        connection
            .prepare_cached(
                "INSERT INTO standings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                number,
                standing.owner,
                standing.flavor,
                standing.region,
                standing.purpose,
                standing.template,
                standing.currency,
                standing.compute,
                standing.disk,
                standing.address,
                standing.unsplit,
                standing.disk_gb,
                standing.stays,
            ])?;
        self.all.push(standing);
        self.numbers.insert(standing, number);
        Ok(number)
    }

    pub(crate) fn all(&self) -> &[Standing] {
        &self.all
    }
}

/// One bit of a packed number says whether the server ran.
fn number(count: usize) -> Result<u32, Error> {
    u32::try_from(count)
        .ok()
        .filter(|number| *number < 1 << 31)
        .ok_or_else(|| Error::Damaged("the tally has too many kinds of servers".to_owned()))
}
