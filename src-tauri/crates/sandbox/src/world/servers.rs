//! Servers: what is known of each, and the words that the cloud has for their states.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How a server is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Charging {
    PayPerUse,
    Period,
    Spot,
}

impl Charging {
    /// As in a server's metadata.
    pub(crate) fn digit(self) -> &'static str {
        match self {
            Self::PayPerUse => "0",
            Self::Period => "1",
            Self::Spot => "2",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum VmState {
    Building,
    Active,
    Stopped,
}

impl VmState {
    /// `OS-EXT-STS:vm_state`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Active => "active",
            Self::Stopped => "stopped",
        }
    }

    /// `status` of a settled server; [`Server::status`] has the transitions in it that show.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Building => "BUILD",
            Self::Active => "ACTIVE",
            Self::Stopped => "SHUTOFF",
        }
    }

    /// `OS-EXT-STS:power_state`.
    pub(crate) fn power(self) -> u8 {
        match self {
            Self::Building => 0,
            Self::Active => 1,
            Self::Stopped => 4,
        }
    }
}

/// `OS-EXT-STS:task_state`: what is being done with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    Scheduling,
    BlockDeviceMapping,
    Networking,
    Spawning,
    #[serde(rename = "powering-off")]
    PoweringOff,
    #[serde(rename = "powering-on")]
    PoweringOn,
    Rebooting,
    RebootStarted,
    RebootingHard,
    RebootStartedHard,
    ResizePrep,
    ResizeMigrating,
    ResizeFinish,
    Deleting,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// What the guest is called; a later change of the name does not touch it.
    pub(crate) hostname: String,
    pub(crate) flavor: String,
    pub(crate) image: String,
    pub(crate) vpc_id: String,
    pub(crate) nics: Vec<Nic>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) zone: String,
    pub(crate) key_name: Option<String>,
    pub(crate) user_id: String,
    pub(crate) user_data: Option<String>,
    /// The administrator's.
    #[serde(default)]
    pub(crate) password: Option<PasswordMark>,
    /// What it is from the next start on.
    #[serde(default)]
    pub(crate) next_password: Option<PasswordMark>,
    /// How often it was started.
    #[serde(default)]
    pub(crate) boots: u32,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) charging: Charging,
    pub(crate) lease_end: Option<DateTime<Utc>>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) launched: Option<DateTime<Utc>>,
    /// Until then the id is known, but asking for it says that there is no such server.
    pub(crate) visible: bool,
    pub(crate) state: VmState,
    pub(crate) task: Option<Task>,
    /// Nothing may be done with it until it is unlocked.
    pub(crate) locked: bool,
    /// The cloud has given notice that it takes this spot server back.
    #[serde(default)]
    pub(crate) reclaimed: bool,
    pub(crate) disks: Vec<AttachedDisk>,
    /// Position among everything made, as part of instance names.
    pub(crate) serial: u32,
}

/// What a password is known again by: salted, and slow to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasswordMark {
    salt: String,
    hash: String,
}

impl PasswordMark {
    const ROUNDS: u32 = 10_000;

    pub(crate) fn of(password: &str) -> Self {
        let salt = uuid::Uuid::new_v4().simple().to_string();
        let hash = Self::hash(&salt, password);
        Self { salt, hash }
    }

    pub(crate) fn is(&self, password: &str) -> bool {
        Self::hash(&self.salt, password) == self.hash
    }

    fn hash(salt: &str, password: &str) -> String {
        let mut hash = Sha256::digest(format!("{salt} {password}"));
        for _ in 0..Self::ROUNDS {
            hash = Sha256::digest(hash);
        }
        hex::encode(hash)
    }
}

impl Server {
    /// It starts: what was set for then holds.
    pub(crate) fn boot(&mut self) {
        self.boots = self.boots.wrapping_add(1);
        if let Some(password) = self.next_password.take() {
            self.password = Some(password);
        }
    }

    /// `status`: worked out from state and task, and most transitions do not show in it.
    pub(crate) fn status(&self) -> &'static str {
        match self.task {
            Some(Task::Rebooting | Task::RebootStarted) => "REBOOT",
            Some(Task::RebootingHard | Task::RebootStartedHard) => "HARD_REBOOT",
            Some(Task::ResizePrep | Task::ResizeMigrating | Task::ResizeFinish) => "RESIZE",
            _ => self.state.status(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Nic {
    pub(crate) port_id: String,
    pub(crate) subnet_id: String,
    pub(crate) address: std::net::Ipv4Addr,
    pub(crate) mac: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AttachedDisk {
    pub(crate) volume_id: String,
    pub(crate) device: String,
    pub(crate) system: bool,
    pub(crate) delete_on_termination: bool,
}
