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
