//! Usage: what ran from when to when, so that bills can be written of it.
//!
//! It looks at the world after each step that the world takes by itself and after each act of a caller, and writes down what
//! has begun or ended with it. Traffic is made up: the sandbox's servers send none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Charging, Region, Server, VmState};
use crate::catalogue::{self, Os};

/// How many ended stretches are kept; the oldest go first.
const KEPT: usize = 20_000;

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Good {
    Server,
    Disk,
    Bandwidth,
    Traffic,
    IdleAddress,
}

/// One thing of one size, in use without a break.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stretch {
    pub(crate) good: Good,
    pub(crate) resource_id: String,
    pub(crate) name: String,
    /// As in prices: flavor with `.linux` or `.win`, disk type, `19_bgp`, …
    pub(crate) spec: String,
    /// GB or Mbit/s; 0 for servers.
    pub(crate) size: u32,
    /// Whether it is a spot server, which costs less.
    #[serde(default)]
    pub(crate) spot: bool,
    pub(crate) zone: String,
    /// As they were when it was last looked at.
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) from: DateTime<Utc>,
    /// `None` while it lasts.
    pub(crate) to: Option<DateTime<Utc>>,
}

impl Stretch {
    /// What it is, however it is paid: an EIP is the same bound or free.
    fn thing(&self) -> &str {
        match self.good {
            Good::Server | Good::Disk => &self.resource_id,
            Good::Bandwidth | Good::Traffic | Good::IdleAddress => &self.name,
        }
    }
}

/// Everything that a region has measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    open: Vec<Stretch>,
    ended: VecDeque<Stretch>,
    /// Servers that are paid by the month, as they are now.
    by_the_month: Vec<Stretch>,
}

impl Usage {
    pub(crate) fn stretches(&self) -> impl Iterator<Item = &Stretch> {
        self.ended.iter().chain(&self.open)
    }

    pub(crate) fn by_the_month(&self) -> impl Iterator<Item = &Stretch> {
        self.by_the_month.iter()
    }

    /// Puts something there that ended before the meter was.
    pub(super) fn record(&mut self, stretch: Stretch) {
        self.ended.push_back(stretch);
    }
}

impl Region {
    /// Writes down what has begun or ended. What is new began when it was made, which can be long before the first look.
    pub(super) fn read_usage(&mut self, now: DateTime<Utc>) {
        type Key = (Good, String, String, u32);
        let key = |stretch: &Stretch| -> Key {
            (
                stretch.good,
                stretch.resource_id.clone(),
                stretch.spec.clone(),
                stretch.size,
            )
        };
        let mut present: BTreeMap<Key, Stretch> = self
            .in_use()
            .into_iter()
            .map(|stretch| (key(&stretch), stretch))
            .collect();
        self.usage.by_the_month = self
            .servers
            .values()
            .filter(|server| server.charging == Charging::Period)
            .map(stretch_of)
            .collect();
        let mut usage = std::mem::take(&mut self.usage);
        let mut still = Vec::new();
        for mut stretch in std::mem::take(&mut usage.open) {
            match present.remove(&key(&stretch)) {
                Some(present) => {
                    stretch.tags = present.tags;
                    stretch.name = present.name;
                    still.push(stretch);
                }
                None => {
                    // The clock can have been set back.
                    stretch.to = Some(now.max(stretch.from));
                    if usage.ended.len() >= KEPT {
                        usage.ended.pop_front();
                    }
                    usage.ended.push_back(stretch);
                }
            }
        }
        if !present.is_empty() {
            let known: BTreeSet<&str> = usage.ended.iter().chain(&still).map(Stretch::thing).collect();
            let mut begun: Vec<Stretch> = present.into_values().collect();
            for stretch in &mut begun {
                // One that was metered before (larger, stopped, bound) begins now; a new one when it was made.
                if known.contains(stretch.thing()) {
                    stretch.from = now;
                }
            }
            still.append(&mut begun);
        }
        usage.open = still;
        self.usage = usage;
    }

    /// What is in use and paid by the hour. Of a stopped server the flavor goes on costing only if it has local disks.
    fn in_use(&self) -> Vec<Stretch> {
        let mut present = Vec::new();
        for server in self.servers.values() {
            let flavor = catalogue::flavor(&server.flavor);
            let runs = match server.state {
                VmState::Building => false,
                VmState::Active => true,
                VmState::Stopped => flavor.is_some_and(|flavor| flavor.charged_while_stopped()),
            };
            if runs && server.charging != Charging::Period {
                present.push(stretch_of(server));
            }
        }
        for volume in self.volumes.values().filter(|volume| !volume.by_period) {
            present.push(Stretch {
                good: Good::Disk,
                resource_id: volume.id.clone(),
                name: volume.name.clone(),
                spec: volume.kind.clone(),
                size: volume.size_gb,
                spot: false,
                zone: volume.zone.clone(),
                tags: volume.tags.clone(),
                from: volume.created,
                to: None,
            });
        }
        for address in self.addresses.values() {
            let (good, id, spec) = match (address.by_traffic, &address.port_id) {
                (_, None) => (Good::IdleAddress, &address.id, "5_bgp"),
                (true, Some(_)) => (Good::Traffic, &address.bandwidth_id, "12_bgp"),
                (false, Some(_)) => (Good::Bandwidth, &address.bandwidth_id, "19_bgp"),
            };
            present.push(Stretch {
                good,
                resource_id: id.clone(),
                name: address.address.to_string(),
                spec: spec.to_owned(),
                size: address.bandwidth_mbps,
                spot: false,
                zone: String::new(),
                tags: address.tags.clone(),
                from: address.created,
                to: None,
            });
        }
        present
    }
}

fn stretch_of(server: &Server) -> Stretch {
    let suffix = match catalogue::image(&server.image).map(|image| image.os) {
        Some(Os::Windows) => "win",
        Some(Os::Linux) | None => "linux",
    };
    Stretch {
        good: Good::Server,
        resource_id: server.id.clone(),
        name: server.name.clone(),
        spec: format!("{}.{suffix}", server.flavor),
        size: 0,
        spot: server.charging == Charging::Spot,
        zone: server.zone.clone(),
        tags: server.tags.clone(),
        from: server.launched.unwrap_or(server.created),
        to: None,
    }
}
