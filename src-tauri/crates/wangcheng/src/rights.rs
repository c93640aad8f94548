//! What a key may do, as far as that can be found out without doing anything: each kind of thing is read once, and what
//! the cloud refuses names the right that is missing. Rights to make, change and delete show only when they are used.

use huaweicloud::{Error, ErrorKind, ecs, eip, evs, ims, kps, vpc};
use serde::Serialize;
use ts_rs::TS;

use crate::Wangcheng;
use crate::failure::{Failure, Result};

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

/// Whether it may be read.
#[derive(Debug, Clone)]
pub struct Right {
    /// What.
    pub what: Readable,
    /// None: the cloud gave no answer that says so.
    pub allowed: Option<bool>,
    /// Why not, or why it is not known.
    pub failure: Option<Failure>,
}

impl Wangcheng {
    /// What an account's key may read. Asks the cloud for each; nothing is changed.
    ///
    /// # Errors
    /// `AccountUnknown`; what keeps the account from working at all.
    pub async fn rights(&self, account: &str) -> Result<Vec<Right>> {
        let live = self.live(account).await?;
        let client = self.client(&live).await?;
        let project = live.project();
        let servers = ecs::ServerQuery::default();
        let images = ims::ImageQuery::of(ims::ImageSource::Public);
        let (servers, zones, flavors, quotas, images, networks, groups, addresses, disks, pairs) = futures::join!(
            ecs::servers(&client, &project, &servers),
            ecs::zones(&client, &project),
            ecs::flavors(&client, &project, None),
            ecs::limits(&client, &project),
            ims::images(&client, &images),
            vpc::subnets(&client, &project, None),
            vpc::security_groups(&client, &project),
            eip::public_ips(&client, &project, None),
            evs::quotas(&client, &project),
            kps::key_pairs(&client, &project),
        );
        let rights = [
            right(Readable::Servers, servers.map(drop)),
            right(Readable::Flavors, zones.map(drop).and(flavors.map(drop))),
            right(Readable::Quotas, quotas.map(drop)),
            right(Readable::Images, images.map(drop)),
            right(Readable::Networks, networks.map(drop).and(groups.map(drop))),
            right(Readable::Addresses, addresses.map(drop)),
            right(Readable::Disks, disks.map(drop)),
            right(Readable::KeyPairs, pairs.map(drop)),
        ];
        Ok(rights.into())
    }
}

fn right(what: Readable, answer: Result<(), Error>) -> Right {
    let allowed = match &answer {
        Ok(()) => Some(true),
        Err(error) if error.kind == ErrorKind::Permission => Some(false),
        Err(_) => None,
    };
    Right {
        what,
        allowed,
        failure: answer.err().map(Failure::from),
    }
}
