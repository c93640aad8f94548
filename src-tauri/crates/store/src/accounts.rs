//! Settings, accounts, and the last seen list of each account's servers.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, named_params, params};

use crate::columns::Time;
use crate::{Account, Error, Ledger};

impl Ledger {
    /// The value of a setting, if it was ever set.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles, as with every call here.
    pub fn setting(&self, key: &str) -> Result<Option<String>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT value FROM settings WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Sets a setting. Not for secrets.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn set_setting(&self, key: &str, value: &str) -> Result<(), Error> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO settings (key, value) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                )?
                .execute([key, value])?;
            Ok(())
        })
    }

    /// Forgets a setting; one that was never set is no error.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn remove_setting(&self, key: &str) -> Result<(), Error> {
        self.write(|transaction| {
            transaction
                .prepare_cached("DELETE FROM settings WHERE key = ?1")?
                .execute([key])?;
            Ok(())
        })
    }

    /// Adds an account, or replaces everything but `created_at` of the one with the same id.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn upsert_account(&self, account: &Account) -> Result<(), Error> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO accounts (id, name, region, project_id, account_id, account_name, user_id, \
                                           user_name, remember, created_at)
                     VALUES (:id, :name, :region, :project_id, :account_id, :account_name, :user_id, \
                             :user_name, :remember, :created_at)
                     ON CONFLICT (id) DO UPDATE
                     SET name = excluded.name, region = excluded.region, project_id = excluded.project_id,
                         account_id = excluded.account_id, account_name = excluded.account_name,
                         user_id = excluded.user_id, user_name = excluded.user_name,
                         remember = excluded.remember",
                )?
                .execute(named_params! {
                    ":id": account.id,
                    ":name": account.name,
                    ":region": account.region,
                    ":project_id": account.project_id,
                    ":account_id": account.account_id,
                    ":account_name": account.account_name,
                    ":user_id": account.user_id,
                    ":user_name": account.user_name,
                    ":remember": account.remember,
                    ":created_at": Time(account.created_at),
                })?;
            Ok(())
        })
    }

    /// One account.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn account(&self, id: &str) -> Result<Option<Account>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT * FROM accounts WHERE id = ?1")?;
        Ok(statement.query_row([id], read).optional()?)
    }

    /// Every account, oldest first.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn accounts(&self) -> Result<Vec<Account>, Error> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT * FROM accounts ORDER BY created_at, id")?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets an account and the cached list of its servers. Its operations and events stay. An unknown id is no
    /// error.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn remove_account(&self, id: &str) -> Result<(), Error> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM server_lists WHERE account = ?1", [id])?;
            transaction.execute("DELETE FROM accounts WHERE id = ?1", [id])?;
            Ok(())
        })
    }

    /// Replaces the cached list of an account's servers, `(id, JSON text)` in the order to be given back, as it was
    /// at `as_of`.
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    pub fn put_servers(
        &self,
        account: &str,
        rows: &[(String, String)],
        as_of: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM server_lists WHERE account = ?1", [account])?;
            transaction.execute(
                "INSERT INTO server_lists (account, as_of) VALUES (?1, ?2)",
                params![account, Time(as_of)],
            )?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO servers (account, position, id, json) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for ((id, json), position) in rows.iter().zip(0_i64..) {
                insert.execute(params![account, position, id, json])?;
            }
            Ok(())
        })
    }

    /// The cached list of an account's servers and the moment it was true; empty and `None` before the first
    /// [`put_servers`](Self::put_servers).
    ///
    /// # Errors
    ///
    /// Only the ledger's own troubles.
    #[expect(clippy::type_complexity, reason = "a pair of a list of pairs and its age")]
    pub fn servers(&self, account: &str) -> Result<(Vec<(String, String)>, Option<DateTime<Utc>>), Error> {
        let connection = self.connection();
        let as_of = connection
            .prepare_cached("SELECT as_of FROM server_lists WHERE account = ?1")?
            .query_row([account], |row| row.get::<_, Time>(0))
            .optional()?;
        let mut statement =
            connection.prepare_cached("SELECT id, json FROM servers WHERE account = ?1 ORDER BY position")?;
        let rows = statement.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((rows.collect::<Result<_, _>>()?, as_of.map(|time| time.0)))
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get("id")?,
        name: row.get("name")?,
        region: row.get("region")?,
        project_id: row.get("project_id")?,
        account_id: row.get("account_id")?,
        account_name: row.get("account_name")?,
        user_id: row.get("user_id")?,
        user_name: row.get("user_name")?,
        remember: row.get("remember")?,
        created_at: row.get::<_, Time>("created_at")?.0,
    })
}
