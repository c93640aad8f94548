//! Where a sandbox listens, and with what one gets in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::users::Role;

/// Everything a client needs to use a running sandbox. Written as JSON for other programs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Announcement {
    /// The demo regions.
    pub regions: Vec<AnnouncedRegion>,
    /// Base addresses of the account's own hosts by service name (`iam`, `sts`, `bss`); each region names them too.
    pub global: BTreeMap<String, String>,
    /// The HEI receiver.
    pub hei: AnnouncedReceiver,
    /// Base address of the control listener.
    pub control: String,
    /// Id of the demo account.
    pub account_id: String,
    /// The people of the demo account, with their example keys.
    pub users: Vec<AnnouncedUser>,
}

/// One demo region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AnnouncedRegion {
    /// Region id, for example `sandbox-1`.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Id of the region's project.
    pub project_id: String,
    /// Base addresses (no slash at the end) by service name: `ecs`, `evs`, `ims`, `vpc`, `eip`, `kms`, `kps`, `bss`, `iam`,
    /// `sts`.
    pub endpoints: BTreeMap<String, String>,
}

/// Where events are posted.
#[derive(Clone, Serialize, Deserialize)]
pub struct AnnouncedReceiver {
    /// Base address; events are posted to the path `/`.
    pub url: String,
    /// The token for `Authorization: Bearer …`.
    pub token: String,
}

/// One user of the demo account.
#[derive(Clone, Serialize, Deserialize)]
pub struct AnnouncedUser {
    /// IAM user id.
    pub id: String,
    /// IAM user name.
    pub name: String,
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
    /// What the user may do.
    pub role: Role,
}

impl std::fmt::Debug for AnnouncedReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnnouncedReceiver")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AnnouncedUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnnouncedUser")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Announcement {
    /// The user of that name.
    pub fn user(&self, name: &str) -> Option<&AnnouncedUser> {
        self.users.iter().find(|user| user.name == name)
    }
}
