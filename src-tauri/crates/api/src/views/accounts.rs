//! Accounts, and signing in to them, as they cross the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::keychain::Remember;

use super::Speaker;
use crate::error::WireError;

/// Whether an account works.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AccountState {
    /// It works.
    Ready,
    /// Nothing is asked until a person did something.
    Stopped {
        /// Why.
        error: WireError,
    },
}

/// One account.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Our id.
    pub id: String,
    /// What the user calls it.
    pub name: String,
    /// Region id.
    pub region: String,
    /// Project id.
    pub project_id: String,
    /// Id of the cloud account.
    pub account_id: String,
    /// Name of the cloud account.
    pub account_name: Option<String>,
    /// IAM user id.
    pub user_id: String,
    /// IAM user name.
    pub user_name: String,
    /// The key stands in the keychain.
    pub remembered: bool,
    /// Of the embedded region.
    pub demo: bool,
    /// Whether it works.
    pub state: AccountState,
}

/// All accounts.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Accounts {
    /// In the order they were added.
    pub accounts: Vec<Account>,
    /// Our id of the one in use.
    pub active: Option<String>,
}

/// Names an account.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct AccountRef {
    /// Our id.
    pub account: String,
}

/// Signing in. The secret parts go in here once and never come back.
#[derive(Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// What to call the account.
    pub name: String,
    /// Region id.
    pub region: String,
    /// Access key (AK).
    #[ts(type = "string")]
    pub access_key: secrecy::SecretString,
    /// Secret key (SK).
    #[ts(type = "string")]
    pub secret_key: secrecy::SecretString,
    /// Security token of a temporary key.
    #[ts(type = "string | null")]
    pub security_token: Option<secrecy::SecretString>,
    /// Project id, where it cannot be found out.
    pub project_id: Option<String>,
    /// How long the key is kept.
    pub remember: Remember,
}

/// Whether a key may read something.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Right {
    /// What.
    pub what: wangcheng::rights::Readable,
    /// None: the cloud gave no answer that says so.
    pub allowed: Option<bool>,
    /// Why not, or why it is not known.
    pub error: Option<WireError>,
}

/// Whether a key may make, change or delete something.
#[derive(Debug, Clone, Serialize, TS)]
pub struct ActRight {
    /// What.
    pub what: wangcheng::rights::Doable,
    /// None: nothing says so.
    pub allowed: Option<bool>,
    /// How that is known; none: it is not.
    pub ground: Option<wangcheng::rights::Ground>,
    /// When that was.
    pub at: Option<DateTime<Utc>>,
    /// Why not, or why it is not known.
    pub error: Option<WireError>,
}

/// What a key may do.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Rights {
    /// To see.
    pub reads: Vec<Right>,
    /// To make, change and delete.
    pub acts: Vec<ActRight>,
}

/// Looking for keys that lie ready on this computer.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct FindKeys {
    /// Only in this file of the console's.
    pub file: Option<String>,
}

/// Signing in to the embedded region.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct SignInDemo {
    /// Who to be.
    pub user: String,
    /// How long the key is kept.
    pub remember: Remember,
}

impl Speaker<'_> {
    pub fn account(&self, account: wangcheng::accounts::Account) -> Account {
        let state = match &account.stopped {
            None => AccountState::Ready,
            Some(failure) => AccountState::Stopped {
                error: self.error(failure),
            },
        };
        let kept = account.kept;
        Account {
            demo: self.demo == Some(kept.region.as_str()),
            id: kept.id,
            name: kept.name,
            region: kept.region,
            project_id: kept.project_id,
            account_id: kept.account_id,
            account_name: Some(kept.account_name).filter(|name| !name.is_empty()),
            user_id: kept.user_id,
            user_name: kept.user_name,
            remembered: kept.remember,
            state,
        }
    }

    pub fn rights(&self, rights: wangcheng::rights::Rights) -> Rights {
        let error = |failure: Option<wangcheng::failure::Failure>| {
            failure.as_ref().map(|failure| self.error(failure))
        };
        Rights {
            reads: rights
                .reads
                .into_iter()
                .map(|right| Right {
                    what: right.what,
                    allowed: right.allowed,
                    error: error(right.failure),
                })
                .collect(),
            acts: rights
                .acts
                .into_iter()
                .map(|right| ActRight {
                    what: right.what,
                    allowed: right.allowed,
                    ground: right.ground.map(|(ground, _)| ground),
                    at: right.ground.map(|(_, at)| at),
                    error: error(right.failure),
                })
                .collect(),
        }
    }

    pub fn accounts(&self, accounts: wangcheng::accounts::Accounts) -> Accounts {
        Accounts {
            accounts: accounts
                .accounts
                .into_iter()
                .map(|account| self.account(account))
                .collect(),
            active: accounts.active,
        }
    }
}
