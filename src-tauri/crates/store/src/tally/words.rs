//! Words and server ids as numbers, each in the file once.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use crate::Error;

/// Most that is known by heart of each; what is not is looked up.
const BY_HEART: usize = 200_000;

/// Owners, flavors, regions, purposes, templates, currencies, actions.
#[derive(Debug, Default)]
pub(crate) struct Words {
    ids: HashMap<String, u32>,
}

impl Words {
    /// The number of a word, given now if it has none.
    pub(crate) fn id(&mut self, connection: &Connection, word: &str) -> Result<u32, Error> {
        if word.is_empty() {
            return Ok(0);
        }
        if let Some(id) = self.ids.get(word) {
            return Ok(*id);
        }
        let id = match find(connection, word)? {
            Some(id) => id,
            None => connection
                .prepare_cached("INSERT INTO words (word) VALUES (?1) RETURNING id")?
                .query_row([word], |row| row.get(0))?,
        };
        if self.ids.len() >= BY_HEART {
            self.ids.clear();
        }
        self.ids.insert(word.to_owned(), id);
        Ok(id)
    }
}

/// The number of a word, if it has one.
pub(crate) fn find(connection: &Connection, word: &str) -> Result<Option<u32>, Error> {
    Ok(connection
        .prepare_cached("SELECT id FROM words WHERE word = ?1")?
        .query_row([word], |row| row.get(0))
        .optional()?)
}

/// The word of a number.
pub(crate) fn word(connection: &Connection, id: u32) -> Result<String, Error> {
    let found = connection
        .prepare_cached("SELECT word FROM words WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Owners by number: id and newest name. Learnt all at once, because every summary lists them.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// The file's version by which they were learnt; another program's writing changes it.
    learnt: Option<i64>,
    all: HashMap<u32, (String, String)>,
}

impl Owners {
    /// Learns them again, where somebody else may have written.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> Result<(), Error> {
        let version = connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if self.learnt == Some(version) {
            return Ok(());
        }
        self.all.clear();
        let mut statement = connection.prepare_cached(
            "SELECT o.owner, w.word, o.name FROM owners o JOIN words w ON w.id = o.owner LIMIT ?1",
        )?;
        let mut rows = statement.query([crate::columns::signed(BY_HEART as u64)])?;
        while let Some(row) = rows.next()? {
            self.all.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
        }
        self.learnt = Some(version);
        Ok(())
    }

    /// This program wrote.
    pub(crate) fn forget(&mut self) {
        self.learnt = None;
    }

    /// Id and name of an owner.
    pub(crate) fn of(&self, connection: &Connection, owner: u32) -> Result<(String, String), Error> {
        match self.all.get(&owner) {
            Some(known) => Ok(known.clone()),
            None => Ok((
                word(connection, owner)?,
                super::answer::owner_name(connection, owner)?,
            )),
        }
    }
}

/// Servers.
#[derive(Debug, Default)]
pub(crate) struct ServerIds {
    ids: HashMap<String, u32>,
}

impl ServerIds {
    /// The number of a server, given now if it has none.
    pub(crate) fn id(&mut self, connection: &Connection, server_id: &str) -> Result<u32, Error> {
        if server_id.is_empty() {
            return Ok(0);
        }
        if let Some(id) = self.ids.get(server_id) {
            return Ok(*id);
        }
        let found = connection
            .prepare_cached("SELECT id FROM servers WHERE server_id = ?1")?
            .query_row([server_id], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => connection
                .prepare_cached("INSERT INTO servers (server_id) VALUES (?1) RETURNING id")?
                .query_row([server_id], |row| row.get(0))?,
        };
        if self.ids.len() >= BY_HEART {
            self.ids.clear();
        }
        self.ids.insert(server_id.to_owned(), id);
        Ok(id)
    }
}
