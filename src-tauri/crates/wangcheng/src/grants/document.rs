//! What an administrator says each owner may use.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::canonical::Node;
use super::defaults::Defaults;
use crate::failure::{Code, Failure, Result};

/// Name and version of the document.
pub const SCHEMA: &str = "wangcheng.grant.v1";
/// Longest text in it, in characters.
const TEXT_MOST: usize = 200;
/// Most roles, owners and exceptions.
const ROWS_MOST: usize = 5_000;
/// Most entries of one list of flavors and the like.
const LIST_MOST: usize = 200;

/// One numbered version of what an organisation allows. What is left out is not limited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// [`SCHEMA`].
    pub schema: String,
    /// Whose grant it is.
    pub organisation: Organisation,
    /// Grows with every version; an older one is refused.
    #[ts(type = "number")]
    pub number: u64,
    /// When it was signed.
    pub issued: DateTime<Utc>,
    /// From when on nothing is allowed by it any more.
    pub expires: DateTime<Utc>,
    /// Whom to ask for more: a name, an address, a number.
    pub ask: String,
    /// Public keys that this and later versions are signed with, in base64; two while one takes over from the other.
    pub keys: Vec<String>,
    /// Currency of all money in it, e.g. `CNY`.
    pub currency: String,
    /// Why nothing is allowed any more: set when an organisation withdraws what it granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub revoked: Option<String>,
    /// Ids of the Huawei Cloud accounts that it is about; empty: every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub accounts: Vec<String>,
    /// What people begin with.
    #[serde(default, skip_serializing_if = "Defaults::is_empty")]
    #[ts(optional, as = "Option<Defaults>")]
    pub defaults: Defaults,
    /// Limits by the name of a role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(optional, as = "Option<BTreeMap<String, Quota>>")]
    pub roles: BTreeMap<String, Quota>,
    /// Who has which role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Owner>>")]
    pub owners: Vec<Owner>,
    /// Role of whoever is not named; none: they may use nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub others: Option<String>,
    /// What is different for one owner for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Exception>>")]
    pub exceptions: Vec<Exception>,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Random id, made once.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// One person of the cloud account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owner {
    /// IAM user id.
    pub id: String,
    /// What the person is called; only to be read.
    pub name: String,
    /// Name of the role.
    pub role: String,
    /// Limits that differ from the role's.
    #[serde(default, skip_serializing_if = "Quota::is_empty")]
    #[ts(optional, as = "Option<Quota>")]
    pub quota: Quota,
}

/// What is different for one owner until a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exception {
    /// IAM user id.
    pub owner: String,
    /// Until when.
    pub until: DateTime<Utc>,
    /// What for.
    pub reason: String,
    /// Limits that differ meanwhile.
    pub quota: Quota,
}

/// What one owner may use. What is left out is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Quota {
    /// Servers at once, stopped ones too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub servers: Option<u32>,
    /// Virtual processors of all servers together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub vcpus: Option<u32>,
    /// GB of all disks together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub disk_gb: Option<u32>,
    /// GB of one disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub disk_gb_each: Option<u32>,
    /// How far from now a lease may end, in hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lease_hours: Option<u32>,
    /// How far from its making a server's lease may end, in hours, however often it is extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub life_hours: Option<u32>,
    /// No lease may end after this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<DateTime<Utc>>,
    /// How often the lease of one server may be extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub extensions: Option<u32>,
    /// Hours of running in a month of Asia/Shanghai, of all servers together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hours_month: Option<u32>,
    /// Money in a month, as a decimal text in the grant's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "string")]
    pub money_month: Option<Decimal>,
    /// Flavor ids, or their beginnings followed by `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub flavors: Option<Vec<String>>,
    /// Families of flavors: what stands before the first point, e.g. `s6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub families: Option<Vec<String>>,
    /// Region ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub regions: Option<Vec<String>>,
    /// Whether a server may have a public address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub public_address: Option<bool>,
}

impl Quota {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same with what another one says in place of its own.
    #[must_use]
    pub fn with(&self, other: &Quota) -> Quota {
        Quota {
            servers: other.servers.or(self.servers),
            vcpus: other.vcpus.or(self.vcpus),
            disk_gb: other.disk_gb.or(self.disk_gb),
            disk_gb_each: other.disk_gb_each.or(self.disk_gb_each),
            lease_hours: other.lease_hours.or(self.lease_hours),
            life_hours: other.life_hours.or(self.life_hours),
            until: other.until.or(self.until),
            extensions: other.extensions.or(self.extensions),
            hours_month: other.hours_month.or(self.hours_month),
            money_month: other.money_month.or(self.money_month),
            flavors: other.flavors.clone().or_else(|| self.flavors.clone()),
            families: other.families.clone().or_else(|| self.families.clone()),
            regions: other.regions.clone().or_else(|| self.regions.clone()),
            public_address: other.public_address.or(self.public_address),
        }
    }
}

/// What is in force for one owner at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Name of the role.
    pub role: String,
    /// The limits, exceptions in them.
    pub quota: Quota,
    /// The exceptions that hold.
    pub exceptions: Vec<Exception>,
}

impl Grant {
    /// Reads a grant out of its document.
    ///
    /// # Errors
    /// `GrantNewer` when a newer program wrote it, `GrantUnreadable` with why.
    pub fn read(document: &Node) -> Result<Self> {
        match document.get("schema") {
            Some(Node::Text(schema)) if schema == SCHEMA => {}
            Some(Node::Text(schema)) if schema.starts_with("wangcheng.grant.") => {
                return Err(Failure::new(Code::GrantNewer).with("schema", schema));
            }
            _ => return Err(unreadable("no grant")),
        }
        let grant: Self = serde_json::from_str(&document.canonical()).map_err(unreadable)?;
        grant.check()?;
        Ok(grant)
    }

    /// Whether it can be one at all.
    ///
    /// # Errors
    /// `GrantUnreadable` with why.
    pub fn check(&self) -> Result<()> {
        let texts = [&self.organisation.id, &self.organisation.name, &self.ask]
            .into_iter()
            .chain(self.revoked.iter())
            .chain(&self.accounts)
            .chain(self.roles.keys())
            .chain(
                self.owners
                    .iter()
                    .flat_map(|owner| [&owner.id, &owner.name, &owner.role]),
            )
            .chain(self.exceptions.iter().flat_map(|one| [&one.owner, &one.reason]));
        for text in texts {
            let fits = (1..=TEXT_MOST).contains(&text.chars().count());
            if !fits || text.chars().any(is_hidden) {
                return Err(unreadable(
                    "a text that is empty, too long or has signs that do not show",
                ));
            }
        }
        self.defaults.check()?;
        if self.roles.len().max(self.owners.len()).max(self.exceptions.len()) > ROWS_MOST {
            return Err(unreadable("too many rows"));
        }
        if self.expires <= self.issued {
            return Err(unreadable("it ends before it begins"));
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(unreadable("no currency"));
        }
        if self.keys.is_empty() || self.keys.len() > 4 {
            return Err(unreadable("one to four keys"));
        }
        let roles = self
            .owners
            .iter()
            .map(|owner| &owner.role)
            .chain(self.others.iter());
        for role in roles {
            if !self.roles.contains_key(role) {
                return Err(unreadable(format!("there is no role {role}")));
            }
        }
        let mut ids: Vec<_> = self.owners.iter().map(|owner| &owner.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(unreadable("an owner stands twice"));
        }
        let quotas = self.roles.values();
        let quotas = quotas.chain(self.owners.iter().map(|owner| &owner.quota));
        for quota in quotas.chain(self.exceptions.iter().map(|one| &one.quota)) {
            let lists = [&quota.flavors, &quota.families, &quota.regions];
            if lists.into_iter().flatten().any(|list| list.len() > LIST_MOST) {
                return Err(unreadable("a list that is too long"));
            }
            if quota.money_month.is_some_and(|money| money.is_sign_negative()) {
                return Err(unreadable("money below zero"));
            }
        }
        Ok(())
    }

    /// Whether it is about this cloud account.
    pub fn governs(&self, account: &str) -> bool {
        self.accounts.is_empty() || self.accounts.iter().any(|id| id == account)
    }

    /// What is in force for an owner; nothing for whom it does not name.
    pub fn of(&self, owner: &str, now: DateTime<Utc>) -> Option<InForce> {
        let named = self.owners.iter().find(|one| one.id == owner);
        let role = named.map(|one| &one.role).or(self.others.as_ref())?;
        let mut quota = self.roles.get(role)?.clone();
        if let Some(named) = named {
            quota = quota.with(&named.quota);
        }
        let holds = |one: &&Exception| one.owner == owner && now < one.until;
        let exceptions: Vec<_> = self.exceptions.iter().filter(holds).cloned().collect();
        for exception in &exceptions {
            quota = quota.with(&exception.quota);
        }
        Some(InForce {
            role: role.clone(),
            quota,
            exceptions,
        })
    }
}

/// Signs that do not show, or turn the direction of writing round.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

pub(super) fn unreadable(why: impl ToString) -> Failure {
    Failure::new(Code::GrantUnreadable).saying(why)
}
