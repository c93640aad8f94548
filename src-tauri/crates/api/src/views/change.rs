//! Requests and answers about changing servers that exist.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::Money;
use wangcheng::resize::ResizeNow;

use chrono::{DateTime, Utc};

use super::{DeleteServer, Speaker};
use crate::error::WireError;

/// Moving the end of several leases.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct ExtendLeases {
    /// Server ids, at most 100.
    pub servers: Vec<String>,
    /// The new end of each.
    pub until: DateTime<Utc>,
}

/// Deleting several servers.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct DeleteServers {
    /// Which, each with its name as confirmed; at most 100.
    pub servers: Vec<DeleteServer>,
}

/// Changing the size of a server.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ResizeServer {
    /// Server id.
    pub server: String,
    /// Flavor id, one of those offered for it.
    pub flavor: String,
    /// Whether a server that runs may be stopped for it. It is started again afterwards.
    pub may_stop: bool,
}

/// A flavor that a server can change to.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ResizeOption {
    /// Flavor id.
    pub flavor: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    #[ts(type = "number")]
    pub ram_mb: u64,
    /// What the whole server costs an hour with it: an estimate.
    pub per_hour: Option<Money>,
    /// How much that is more than now; below zero: less.
    pub more_per_hour: Option<Money>,
    /// Why it cannot be had now.
    pub problem: Option<WireError>,
}

/// What a server can be changed to.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ResizeOptions {
    /// What it is now.
    pub now: ResizeNow,
    /// The flavors that the cloud allows for it, smallest first.
    pub options: Vec<ResizeOption>,
    /// Why prices are not known.
    pub price_problem: Option<WireError>,
}

/// Giving a server another name.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct RenameServer {
    /// Server id.
    pub server: String,
    /// The new name.
    pub name: String,
}

/// A tag.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct NewTag {
    /// Its key: 1 to 36 characters.
    pub key: String,
    /// Its value: up to 43 characters.
    pub value: String,
}

/// Changing a server's tags.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct TagServer {
    /// Server id.
    pub server: String,
    /// Tags to set; a key that it has gets the new value.
    pub set: Vec<NewTag>,
    /// Keys of tags to take off.
    pub remove: Vec<String>,
}

/// Setting the password of a server's administrator. It goes in here once and never comes back.
#[derive(Deserialize, TS)]
pub struct ResetPassword {
    /// Server id.
    pub server: String,
    /// The new password.
    #[ts(type = "string")]
    pub password: secrecy::SecretString,
}

/// Letting an address in.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct AdmitSsh {
    /// An IP address, or a narrow range such as `203.0.113.0/24`.
    pub address: String,
}

/// This computer's own address.
#[derive(Debug, Clone, Serialize, TS)]
pub struct OwnAddress {
    /// None where the world sees another one: then a person has to tell it.
    pub address: Option<String>,
}

impl Speaker<'_> {
    pub fn resize_options(&self, found: wangcheng::resize::ResizeOptions) -> ResizeOptions {
        let option = |option: wangcheng::resize::ResizeOption| ResizeOption {
            flavor: option.flavor,
            vcpus: option.vcpus,
            ram_mb: option.ram_mb,
            per_hour: option.per_hour,
            more_per_hour: option.more_per_hour,
            problem: option.problem.as_ref().map(|failure| self.error(failure)),
        };
        ResizeOptions {
            now: found.now,
            options: found.options.into_iter().map(option).collect(),
            price_problem: found.price_problem.as_ref().map(|failure| self.error(failure)),
        }
    }
}
