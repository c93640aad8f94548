//! The policies of the cloud's own IAM that go with a grant: what a developer's key may do at all, whichever program holds
//! it. They cannot count servers, disks or money, which is why there are a grant and an audit besides.
//!
//! Identity policies (IAM 5) can be limited by a resource's tags, so acts on servers are allowed on one's own only
//! (<https://support.huaweicloud.com/intl/en-us/usermanual-iam5/iam_01_1229.html>). Classic policies (1.1) name acts only.

use serde::Serialize;
use serde_json::{Value, json};
use ts_rs::TS;

use super::document::Grant;
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::servers::{TAG_INSTALLATION, TAG_OWNER};

/// What is read.
const READ: [&str; 12] = [
    "ecs:*:get*",
    "ecs:*:list*",
    "ecs:*:show*",
    "evs:*:get*",
    "evs:*:list*",
    "ims:*:get*",
    "ims:*:list*",
    "vpc:*:get*",
    "vpc:*:list*",
    "eip:*:get*",
    "eip:*:list*",
    "kps:*:list*",
];
/// What is made, and what makes servers reachable.
const MAKE: [&str; 5] = [
    "ecs:cloudServers:createServers",
    "evs:volumes:create",
    "evs:volumes:use",
    "vpc:securityGroups:create",
    "vpc:securityGroupRules:create",
];
/// Public addresses.
const ADDRESS: [&str; 4] = [
    "vpc:publicIps:create",
    "vpc:publicIpTags:create",
    "vpc:publicIps:update",
    "vpc:publicIps:delete",
];
/// What is done to a server.
const SERVER: [&str; 13] = [
    "ecs:cloudServers:deleteServers",
    "ecs:cloudServers:start",
    "ecs:cloudServers:stop",
    "ecs:cloudServers:reboot",
    "ecs:cloudServers:vnc",
    "ecs:cloudServers:resize",
    "ecs:cloudServers:updateServer",
    "ecs:cloudServers:resetServerPwd",
    "ecs:cloudServers:setAutoTerminateTime",
    "ecs:cloudServers:attach",
    "ecs:cloudServers:detachVolume",
    "ecs:cloudServers:updateServerBlockDevice",
    "ecs:cloudServers:batchSetServerTags",
];
/// What is done to a disk.
const DISK: [&str; 4] = [
    "evs:volumes:delete",
    "evs:volumes:extend",
    "evs:volumeTags:create",
    "evs:volumeTags:delete",
];

/// The policies as they are pasted into the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Policies {
    /// Identity policy (version 5.0).
    pub identity: String,
    /// Classic custom policy (version 1.1).
    pub classic: String,
}

impl Wangcheng {
    /// The policies that go with the draft of the office, or with the grant that holds here.
    ///
    /// # Errors
    /// `GrantAbsent`; as the ledger's.
    pub async fn grant_policies(&self) -> Result<Policies> {
        let grant = match self.office().await? {
            Some(standing) => standing.office.draft,
            None => self.kept_grant().await?.ok_or(Code::GrantAbsent)?.grant()?,
        };
        policies(&grant)
    }
}

/// The policies that go with a grant.
pub(super) fn policies(grant: &Grant) -> Result<Policies> {
    let address = grant.roles.is_empty()
        || grant
            .roles
            .values()
            .any(|quota| quota.public_address != Some(false));
    let makes: Vec<&str> = MAKE
        .into_iter()
        .chain(address.then_some(ADDRESS).into_iter().flatten())
        .collect();
    let acts: Vec<&str> = SERVER.into_iter().chain(DISK).collect();
    let own = json!({
        "StringEquals": {format!("g:ResourceTag/{TAG_OWNER}"): ["${g:UserName}"]},
        "StringLike": {format!("g:ResourceTag/{TAG_INSTALLATION}"): ["*"]},
    });
    let mut identity = vec![
        json!({"Effect": "Allow", "Action": READ}),
        json!({"Effect": "Allow", "Action": makes}),
        json!({"Effect": "Allow", "Action": SERVER, "Condition": own}),
        // Disks are tagged after they are made, so one's own are not known by a tag in every moment.
        json!({"Effect": "Allow", "Action": DISK}),
    ];
    let all: Vec<&str> = READ
        .into_iter()
        .chain(makes.iter().copied())
        .chain(acts)
        .collect();
    let mut classic = vec![json!({"Effect": "Allow", "Action": all})];
    if !address {
        let no = json!({"Effect": "Deny", "Action": ["vpc:publicIps:create"]});
        identity.push(no.clone());
        classic.push(no);
    }
    let regions: Vec<&Vec<String>> = grant
        .roles
        .values()
        .filter_map(|quota| quota.regions.as_ref())
        .collect();
    if regions.len() == grant.roles.len() && !regions.is_empty() {
        let mut all: Vec<&String> = regions.into_iter().flatten().collect();
        all.sort_unstable();
        all.dedup();
        identity.push(json!({
            "Effect": "Deny",
            "Action": ["ecs:cloudServers:createServers"],
            "Condition": {"StringNotEquals": {"g:RequestedRegion": all}},
        }));
    }
    let text = |version: &str, statements: Vec<Value>| {
        serde_json::to_string_pretty(&json!({"Version": version, "Statement": statements}))
            .map_err(|e| Failure::new(Code::Internal).saying(e))
    };
    Ok(Policies {
        identity: text("5.0", identity)?,
        classic: text("1.1", classic)?,
    })
}
