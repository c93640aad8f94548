//! What does not keep to a grant: of the one in force, or of a draft, as if it were in force now.
//!
//! Whoever holds a key can go past this program, so an administrator looks at what the cloud shows, whoever made it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::document::{Grant, Quota};
use super::measure::{Project, holder, is_going};
use super::quota::{Limit, Over, Wish, allows_flavor, check, too_many};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::servers::{AddressKind, Server, ServerState, TAG_INSTALLATION, TAG_OWNER};

/// Why a server is in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// Its owner has more than the grant says, and this is one of the youngest.
    TooMany,
    /// It has no lease, and the grant limits leases.
    NoLease,
    /// Its lease ends later than the grant allows.
    LeaseTooLong,
    /// Nobody's, as far as the cloud says.
    NoOwner,
    /// Its owner has no role in the grant.
    NotNamed,
    /// Its flavor is not allowed.
    FlavorNotAllowed,
    /// It has a public address, and may not.
    PublicAddress,
    /// It is in a region that is not allowed.
    RegionNotAllowed,
    /// A disk of it is larger than one may be.
    DiskTooLarge,
}

/// One server that does not keep to a grant. Every text in it comes from outside.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Server id.
    pub server: String,
    /// Its name.
    pub name: String,
    /// Id of its owner.
    pub owner_id: Option<String>,
    /// Name of its owner, as its tags or the grant say.
    pub owner: Option<String>,
    /// Its flavor.
    pub flavor: String,
    /// Its state.
    pub state: ServerState,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// When its lease ends.
    pub lease_end: Option<DateTime<Utc>>,
    /// This program made it.
    pub ours: bool,
    /// Why it is here.
    pub breaches: Vec<Breach>,
    /// Which limit it is too many for.
    pub limit: Option<Limit>,
}

/// One owner who has more than a grant says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OwnerOver {
    /// IAM user id.
    pub owner_id: String,
    /// Name.
    pub owner: String,
    /// Which limit.
    pub limit: Limit,
    /// What it says.
    pub max: String,
    /// What is used.
    pub used: String,
}

/// What does not keep to a grant.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// Owners who have more than they may.
    pub owners: Vec<OwnerOver>,
    /// Servers, the oldest first.
    pub servers: Vec<Finding>,
    /// How many servers were looked at.
    pub looked_at: usize,
    /// When, by the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// Which grant is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AuditOf {
    /// The draft of the office: who would be over if it were in force now.
    #[default]
    Draft,
    /// The one that was signed last.
    Signed,
    /// The one that holds for this installation.
    InForce,
}

impl Wangcheng {
    /// What in the project does not keep to a grant, as the cloud shows it now.
    ///
    /// # Errors
    /// `GrantNoOffice`, `GrantAbsent`, `NotSignedIn`; what the cloud says.
    pub async fn audit(&self, of: AuditOf) -> Result<Audit> {
        let grant = match of {
            AuditOf::InForce => self.kept_grant().await?.ok_or(Code::GrantAbsent)?.grant()?,
            _ => {
                let office = self.office().await?.ok_or(Code::GrantNoOffice)?.office;
                match of {
                    AuditOf::Signed => office.signed.ok_or(Code::GrantAbsent)?,
                    _ => office.draft,
                }
            }
        };
        let live = self.active().await?;
        let project = self.whole_project(&live).await?;
        let now = live.cloud_now(self.now());
        Ok(look(&grant, &project, &live.account.region, now))
    }

    /// The server of a finding, for the act that an administrator asked for: whoever made it. Only who holds the signing
    /// key acts on others' servers, and the cloud has to allow it besides.
    pub(crate) async fn audited_server(&self, live: &crate::cloud::Live, id: &str) -> Result<Server> {
        let office = self.office().await?.ok_or(Code::GrantNoOffice)?;
        if office.held.is_empty() {
            return Err(Failure::new(Code::GrantKeyAbsent));
        }
        let told = self.told_server(live, id).await?;
        Ok(Server::from_cloud(&told, &live.account.user_id))
    }
}

/// Looks at a project with a grant in hand.
pub(super) fn look(grant: &Grant, project: &Project, region: &str, now: DateTime<Utc>) -> Audit {
    let rows: Vec<_> = project.servers.iter().filter(|row| !is_going(row)).collect();
    let names: BTreeMap<&str, &str> = grant
        .owners
        .iter()
        .map(|owner| (owner.id.as_str(), owner.name.as_str()))
        .collect();
    let holders: BTreeSet<&str> = rows.iter().filter_map(|row| holder(row)).collect();
    let everybody: BTreeSet<&str> = names.keys().copied().chain(holders).collect();
    let mut owners = Vec::new();
    let mut surplus: BTreeMap<String, Limit> = BTreeMap::new();
    for id in everybody {
        let tag = rows
            .iter()
            .find(|row| holder(row) == Some(id))
            .and_then(|row| row.tags.get(TAG_OWNER));
        let name = names.get(id).copied().or(tag.map(String::as_str)).unwrap_or(id);
        let Some(in_force) = grant.of(id, now) else {
            continue;
        };
        let share = project.of(id, name, now);
        let used = share.used();
        for over in over_now(&in_force.quota, &used, now) {
            owners.push(OwnerOver {
                owner_id: id.to_owned(),
                owner: name.to_owned(),
                limit: over.limit,
                max: over.max,
                used: over.wish,
            });
        }
        let counted = share.counted(now);
        for (thing, over) in too_many(&in_force.quota, &counted) {
            // What is found is a server: of a disk the one that it is on.
            let on = counted
                .iter()
                .find(|one| one.id == thing)
                .and_then(|one| one.on.clone());
            surplus.entry(on.unwrap_or(thing)).or_insert(over.limit);
        }
    }
    let mut servers: Vec<Finding> = rows
        .iter()
        .filter_map(|row| {
            let owner_id = holder(row);
            let in_force = owner_id.and_then(|id| grant.of(id, now));
            let server = Server::from_cloud(row, owner_id.unwrap_or_default());
            let limit = surplus.get(&server.id).copied();
            let mut breaches: Vec<Breach> = limit.map(|_| Breach::TooMany).into_iter().collect();
            match (owner_id, &in_force) {
                (None, _) => breaches.push(Breach::NoOwner),
                (Some(_), None) => breaches.push(Breach::NotNamed),
                (Some(_), Some(in_force)) => {
                    breaches.extend(breaches_of(&in_force.quota, &server, project, region, now));
                }
            }
            if in_force.is_none() && server.lease_end.is_none() {
                breaches.push(Breach::NoLease);
            }
            if breaches.is_empty() {
                return None;
            }
            Some(Finding {
                owner: owner_id
                    .and_then(|id| names.get(id).map(|name| (*name).to_owned()))
                    .or_else(|| server.owner.clone()),
                owner_id: owner_id.map(str::to_owned),
                ours: server.tags.contains_key(TAG_INSTALLATION),
                server: server.id,
                name: server.name,
                flavor: server.flavor,
                state: server.state,
                created: server.created,
                lease_end: server.lease_end,
                breaches,
                limit,
            })
        })
        .collect();
    servers.sort_by(|a, b| (a.created, &a.server).cmp(&(b.created, &b.server)));
    Audit {
        owners,
        servers,
        looked_at: rows.len(),
        as_of: now,
    }
}

/// The limits that what is there goes over already: all of it, taken as a wish of somebody who has nothing.
fn over_now(quota: &Quota, used: &super::quota::Used, now: DateTime<Utc>) -> Vec<Over> {
    let wish = Wish {
        servers: used.servers,
        vcpus: used.vcpus,
        disk_gb: used.disk_gb,
        ..Wish::default()
    };
    check(quota, &super::quota::Used::default(), &wish, now, "")
}

fn breaches_of(
    quota: &Quota,
    server: &Server,
    project: &Project,
    region: &str,
    now: DateTime<Utc>,
) -> Vec<Breach> {
    let mut found = Vec::new();
    let leases = quota.lease_hours.is_some() || quota.life_hours.is_some() || quota.until.is_some();
    match server.lease_end {
        None if leases => found.push(Breach::NoLease),
        None => {}
        Some(end) => {
            let wish = Wish {
                lease_end: Some(end),
                made: server.created,
                ..Wish::default()
            };
            if !check(quota, &super::quota::Used::default(), &wish, now, "").is_empty() {
                found.push(Breach::LeaseTooLong);
            }
        }
    }
    if !allows_flavor(quota, &server.flavor) {
        found.push(Breach::FlavorNotAllowed);
    }
    let public = server.addresses.iter().any(|one| one.kind == AddressKind::Public);
    if quota.public_address == Some(false) && public {
        found.push(Breach::PublicAddress);
    }
    if quota
        .regions
        .as_ref()
        .is_some_and(|regions| !regions.iter().any(|one| one == region))
    {
        found.push(Breach::RegionNotAllowed);
    }
    let largest = project
        .volumes
        .iter()
        .filter(|volume| {
            volume
                .attachments
                .iter()
                .any(|one| one.server_id.as_str() == server.id)
        })
        .filter_map(|volume| volume.size_gb)
        .max();
    if let (Some(max), Some(largest)) = (quota.disk_gb_each, largest)
        && largest > max
    {
        found.push(Breach::DiskTooLarge);
    }
    found
}
