//! What a key may do, as far as that can be found out without doing anything. Each kind of thing is read once, and what the
//! cloud refuses names the right that is missing. A creation is sent as a check (`dry_run`), which makes nothing. Other acts
//! have no such check, and a key may rarely read its own policies; of them the ledger says how the cloud last took them.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::{Client, Error, ErrorKind, ProjectId, ecs, eip, evs, ims, kps, vpc};
use serde::Serialize;
use store::Outcome;
use ts_rs::TS;

use crate::Wangcheng;
use crate::cloud::Live;
use crate::create::{CreateServer, plan};
use crate::failure::{Code, Failure, Result};
use crate::operations::{Operation, OperationKind};

/// How far back the ledger is looked through, in operations.
const LOOKED_THROUGH: u32 = 2_000;
/// Name and lease of the server that is only checked.
const CHECKED_NAME: &str = "wangcheng-check";
const CHECKED_LEASE: TimeDelta = TimeDelta::hours(1);

/// Something that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Readable {
    /// Servers of the project.
    Servers,
    /// Flavors and zones.
    Flavors,
    /// Quotas of the project.
    Quotas,
    /// Images.
    Images,
    /// Networks and security groups.
    Networks,
    /// Public addresses.
    Addresses,
    /// Disks and their quota.
    Disks,
    /// Key pairs of the cloud's.
    KeyPairs,
}

/// Something that can be made, changed or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Doable {
    /// Servers are created.
    Create,
    /// Servers are deleted.
    Delete,
    /// Servers are started, stopped, restarted.
    Power,
    /// Leases are set and taken off.
    Lease,
    /// Servers get another flavor.
    Resize,
    /// Servers get another name.
    Rename,
    /// Servers and what belongs to them get tags; servers are adopted.
    Tag,
    /// Administrators get another password.
    Password,
    /// Disks are made, grown, attached, detached, deleted.
    Disks,
    /// Public addresses are released.
    Addresses,
    /// Security groups are made.
    SecurityGroups,
}

impl Doable {
    const ALL: [Self; 11] = [
        Self::Create,
        Self::Delete,
        Self::Power,
        Self::Lease,
        Self::Resize,
        Self::Rename,
        Self::Tag,
        Self::Password,
        Self::Disks,
        Self::Addresses,
        Self::SecurityGroups,
    ];

    fn of(kind: OperationKind) -> Self {
        use OperationKind as Kind;
        match kind {
            Kind::CreateServer => Self::Create,
            Kind::DeleteServer => Self::Delete,
            Kind::StartServer | Kind::StopServer | Kind::RebootServer => Self::Power,
            Kind::UpdateLease | Kind::CancelLease => Self::Lease,
            Kind::ResizeServer => Self::Resize,
            Kind::RenameServer => Self::Rename,
            Kind::TagServer | Kind::AdoptServer | Kind::MarkParts => Self::Tag,
            Kind::ResetPassword => Self::Password,
            Kind::AddDisk | Kind::GrowDisk | Kind::DetachDisk | Kind::AttachDisk | Kind::DeleteDisk => {
                Self::Disks
            }
            Kind::ReleaseAddress => Self::Addresses,
            Kind::AdmitSsh => Self::SecurityGroups,
        }
    }
}

/// Whether something may be read.
#[derive(Debug, Clone)]
pub struct Right {
    /// What.
    pub what: Readable,
    /// None: the cloud gave no answer that says so.
    pub allowed: Option<bool>,
    /// Why not, or why it is not known.
    pub failure: Option<Failure>,
}

/// How it is known whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The cloud checked a request for it, without carrying it out.
    Check,
    /// It was asked for in earnest.
    Use,
}

/// Whether something may be done.
#[derive(Debug, Clone)]
pub struct ActRight {
    /// What.
    pub what: Doable,
    /// None: nothing says so.
    pub allowed: Option<bool>,
    /// How that is known, and since when.
    pub ground: Option<(Ground, DateTime<Utc>)>,
    /// Why not, or why it is not known.
    pub failure: Option<Failure>,
}

/// What a key may do.
#[derive(Debug, Clone)]
pub struct Rights {
    /// To see.
    pub reads: Vec<Right>,
    /// To make, change and delete.
    pub acts: Vec<ActRight>,
}

impl Wangcheng {
    /// What an account's key may do. Asks the cloud to be shown each kind of thing and to check a creation; nothing is
    /// changed.
    ///
    /// # Errors
    /// `AccountUnknown`; what keeps the account from working at all; as the ledger's.
    pub async fn rights(&self, account: &str) -> Result<Rights> {
        let live = self.live(account).await?;
        let client = self.client(&live).await?;
        let past = self.newest_operations(LOOKED_THROUGH).await?;
        let past = past.iter().filter(|operation| operation.row.account == account);
        let mut acts = from_past(past);
        let project = live.project();
        let (reads, checked) = futures::join!(reads(&client, &project), self.check_creation(&live, &client));
        if let Some(create) = acts.iter_mut().find(|act| act.what == Doable::Create) {
            // What the check leaves open, a creation of the past may have settled.
            if checked.allowed.is_some() || create.allowed.is_none() {
                *create = checked;
            }
        }
        Ok(Rights { reads, acts })
    }

    /// Has the cloud check the order of a server of the first template, with all that belongs to it.
    async fn check_creation(&self, live: &Live, client: &Client) -> ActRight {
        let unknown = |failure: Failure| ActRight {
            what: Doable::Create,
            allowed: None,
            ground: None,
            failure: Some(failure),
        };
        let catalogue = match self.catalogue_of(live).await {
            Ok(catalogue) => catalogue,
            Err(failure) => return unknown(failure),
        };
        let now = live.cloud_now(self.now());
        let mut why = Failure::new(Code::TemplateUnknown);
        let found = catalogue.templates.iter().find_map(|template| {
            let (_, found, problems) = plan(&ask_for(&template.id, now), &catalogue, now);
            if let Some(problem) = problems.into_iter().find(|problem| problem.blocking) {
                why = problem.failure;
            }
            found
        });
        let Some(found) = found else {
            return unknown(why);
        };
        // The tags are part of what has to be allowed; no server will have them.
        let order = found.body(&live.account, CHECKED_NAME, CHECKED_NAME, None);
        let answer = ecs::check_create(client, &live.project(), &order).await;
        let allowed = verdict(answer.as_ref().err());
        ActRight {
            what: Doable::Create,
            allowed,
            ground: allowed.map(|_| (Ground::Check, now)),
            failure: answer.err().map(Failure::from),
        }
    }
}

fn ask_for(template: &str, now: DateTime<Utc>) -> CreateServer {
    CreateServer {
        template: template.to_owned(),
        name: CHECKED_NAME.to_owned(),
        purpose: String::new(),
        lease_end: now + CHECKED_LEASE,
        flavor: None,
        image: None,
        zone: None,
        subnet: None,
        security_group: None,
        key_pair: None,
        public_mbps: None,
        user_data: None,
        system_disk_gb: None,
        data_disk_gb: None,
    }
}

async fn reads(client: &Client, project: &ProjectId) -> Vec<Right> {
    let servers = ecs::ServerQuery::default();
    let images = ims::ImageQuery::of(ims::ImageSource::Public);
    let (servers, zones, flavors, quotas, images, networks, groups, addresses, disks, pairs) = futures::join!(
        ecs::servers(client, project, &servers),
        ecs::zones(client, project),
        ecs::flavors(client, project, None),
        ecs::limits(client, project),
        ims::images(client, &images),
        vpc::subnets(client, project, None),
        vpc::security_groups(client, project),
        eip::public_ips(client, project, None),
        evs::quotas(client, project),
        kps::key_pairs(client, project),
    );
    vec![
        right(Readable::Servers, servers.map(drop)),
        right(Readable::Flavors, zones.map(drop).and(flavors.map(drop))),
        right(Readable::Quotas, quotas.map(drop)),
        right(Readable::Images, images.map(drop)),
        right(Readable::Networks, networks.map(drop).and(groups.map(drop))),
        right(Readable::Addresses, addresses.map(drop)),
        right(Readable::Disks, disks.map(drop)),
        right(Readable::KeyPairs, pairs.map(drop)),
    ]
}

/// What an answer says about a right; none: nothing. Only the refusal of the right itself speaks against it: quota,
/// money or an unreachable cloud do not.
fn verdict(error: Option<&Error>) -> Option<bool> {
    match error {
        None => Some(true),
        Some(error) if error.kind == ErrorKind::Permission => Some(false),
        Some(_) => None,
    }
}

fn right(what: Readable, answer: Result<(), Error>) -> Right {
    Right {
        what,
        allowed: verdict(answer.as_ref().err()),
        failure: answer.err().map(Failure::from),
    }
}

/// What operations say, newest first: of each kind the newest that the cloud took, or refused for want of the right. Of
/// several kinds that are one act, a refused one counts.
pub(crate) fn from_past<'o>(operations: impl Iterator<Item = &'o Operation>) -> Vec<ActRight> {
    let mut newest: BTreeMap<&'static str, (Doable, DateTime<Utc>, Option<Failure>)> = BTreeMap::new();
    for operation in operations {
        let (Some(at), Some(outcome)) = (operation.row.settled_at, operation.row.outcome) else {
            continue;
        };
        let refused = operation
            .failure
            .as_ref()
            .filter(|failure| failure.code == Code::PermissionMissing);
        // Whatever became of its job: what the cloud took, it allowed.
        let taken = outcome == Outcome::Ok || operation.row.job_id.is_some();
        if refused.is_some() || taken {
            newest
                .entry(operation.kind.as_str())
                .or_insert_with(|| (Doable::of(operation.kind), at, refused.cloned()));
        }
    }
    let act = |what: Doable| {
        let said = newest.values().filter(|(of, ..)| *of == what);
        // A refusal comes before what was taken, a later one before an earlier.
        let strongest = said.max_by_key(|(_, at, refused)| (refused.is_some(), *at));
        ActRight {
            what,
            allowed: strongest.map(|(_, _, refused)| refused.is_none()),
            ground: strongest.map(|(_, at, _)| (Ground::Use, *at)),
            failure: strongest.and_then(|(_, _, refused)| refused.clone()),
        }
    };
    Doable::ALL.into_iter().map(act).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(
        kind: OperationKind,
        minute: i64,
        outcome: Outcome,
        code: Option<Code>,
        job: bool,
    ) -> Operation {
        let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
        Operation {
            kind,
            row: store::Operation {
                id: minute.to_string(),
                kind: kind.as_str().to_owned(),
                account: "a".to_owned(),
                server_id: None,
                server_name: String::new(),
                client_token: None,
                request: String::new(),
                stage: store::Stage::Settled,
                job_id: job.then(|| "j".to_owned()),
                outcome: Some(outcome),
                error: None,
                detail: String::new(),
                recorded_at: at,
                sent_at: Some(at),
                settled_at: Some(at),
                cancel_asked_at: None,
            },
            detail: Default::default(),
            failure: code.map(Failure::new),
        }
    }

    #[test]
    fn the_past_says_what_was_taken_and_what_was_refused_and_nothing_of_what_did_not_come_that_far() {
        use OperationKind as Kind;
        let operations = [
            operation(
                Kind::DeleteServer,
                9,
                Outcome::Failed,
                Some(Code::NetworkUnreachable),
                false,
            ),
            operation(
                Kind::DeleteServer,
                8,
                Outcome::Failed,
                Some(Code::PermissionMissing),
                false,
            ),
            operation(Kind::DeleteServer, 7, Outcome::Ok, None, true),
            operation(Kind::StopServer, 6, Outcome::Failed, Some(Code::JobFailed), true),
            operation(Kind::GrowDisk, 5, Outcome::Ok, None, true),
            operation(
                Kind::AddDisk,
                4,
                Outcome::Failed,
                Some(Code::PermissionMissing),
                false,
            ),
            operation(
                Kind::RenameServer,
                3,
                Outcome::Failed,
                Some(Code::Throttled),
                false,
            ),
        ];
        let acts = from_past(operations.iter());
        let of = |what: Doable| {
            let act = acts.iter().find(|act| act.what == what).unwrap();
            let minute = act.ground.map(|(_, at)| at.timestamp() / 60);
            (act.allowed, minute, act.failure.is_some())
        };
        assert_eq!(
            of(Doable::Delete),
            (Some(false), Some(8), true),
            "the newest that says anything"
        );
        assert_eq!(
            of(Doable::Power),
            (Some(true), Some(6), false),
            "the job failed, the right was there"
        );
        assert_eq!(
            of(Doable::Disks),
            (Some(false), Some(4), true),
            "a part of it is refused"
        );
        assert_eq!(of(Doable::Rename), (None, None, false));
        assert_eq!(of(Doable::Create), (None, None, false), "never asked for");
    }
}
