//! Disks, attached or free.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) size_gb: u32,
    pub(crate) kind: String,
    pub(crate) zone: String,
    pub(crate) user_id: String,
    pub(crate) bootable: bool,
    /// Can be attached to several servers.
    pub(crate) shared: bool,
    /// Paid with a server that is paid by the month.
    pub(crate) by_period: bool,
    pub(crate) iops: Option<u32>,
    /// MiB/s.
    pub(crate) throughput: Option<u32>,
    pub(crate) image: Option<String>,
    pub(crate) status: VolumeStatus,
    pub(crate) server_id: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum VolumeStatus {
    Creating,
    Available,
    Attaching,
    InUse,
    Detaching,
    Extending,
    Deleting,
    Error,
    ErrorExtending,
}

impl VolumeStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Attaching => "attaching",
            Self::InUse => "in-use",
            Self::Detaching => "detaching",
            Self::Extending => "extending",
            Self::Deleting => "deleting",
            Self::Error => "error",
            Self::ErrorExtending => "error_extending",
        }
    }
}
