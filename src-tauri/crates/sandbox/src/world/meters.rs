//! What costs, and from when to when: the ground on which bills stand.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Charging, Region, VmState};
use crate::catalogue;

/// How long a meter that has stopped is kept.
const KEPT: TimeDelta = TimeDelta::days(400);

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Metered {
    /// CPU, memory and image of a server.
    Server,
    Disk,
    Address,
}

/// One stretch of time during which something costs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Meter {
    pub(crate) what: Metered,
    pub(crate) resource_id: String,
    pub(crate) resource_name: String,
    pub(crate) user_id: String,
    /// Flavor, disk type, or `traffic` and `bandwidth` for an EIP.
    pub(crate) spec: String,
    /// Gigabytes of a disk, Mbit/s of an EIP; 1 for a server.
    pub(crate) size: u32,
    pub(crate) from: DateTime<Utc>,
    /// `None` while it goes on.
    pub(crate) to: Option<DateTime<Utc>>,
}

impl Region {
    /// Lets a server's meter run or stand still, as its state and flavor want it. A stopped server costs nothing, unless its
    /// local disks keep it where it is.
    pub(super) fn meter_server(&mut self, id: &str, now: DateTime<Utc>) {
        let Some(server) = self.servers.get(id) else {
            return self.stop_meter(id, now);
        };
        let goes_on = catalogue::flavor(&server.flavor).is_some_and(|flavor| !flavor.leasable);
        let costs = server.charging != Charging::Period
            && (server.state == VmState::Active || (server.state == VmState::Stopped && goes_on));
        let meter = Meter {
            what: Metered::Server,
            resource_id: id.to_owned(),
            resource_name: server.name.clone(),
            user_id: server.user_id.clone(),
            spec: server.flavor.clone(),
            size: 1,
            from: now,
            to: None,
        };
        self.run_meter(meter, costs, now);
    }

    pub(super) fn meter_disk(&mut self, id: &str, now: DateTime<Utc>) {
        let Some(volume) = self.volumes.get(id) else {
            return self.stop_meter(id, now);
        };
        let costs = !volume.by_period;
        let meter = Meter {
            what: Metered::Disk,
            resource_id: id.to_owned(),
            resource_name: volume.name.clone(),
            user_id: volume.user_id.clone(),
            spec: volume.kind.clone(),
            size: volume.size_gb,
            from: now,
            to: None,
        };
        self.run_meter(meter, costs, now);
    }

    pub(super) fn meter_address(&mut self, id: &str, now: DateTime<Utc>) {
        let Some(public) = self.addresses.get(id) else {
            return self.stop_meter(id, now);
        };
        let meter = Meter {
            what: Metered::Address,
            resource_id: id.to_owned(),
            resource_name: public.address.to_string(),
            user_id: public.user_id.clone(),
            spec: if public.by_traffic { "traffic" } else { "bandwidth" }.to_owned(),
            size: public.bandwidth_mbps,
            from: now,
            to: None,
        };
        self.run_meter(meter, true, now);
    }

    fn run_meter(&mut self, meter: Meter, costs: bool, now: DateTime<Utc>) {
        let running = self
            .meters
            .iter()
            .find(|running| running.to.is_none() && running.resource_id == meter.resource_id);
        let same = running.is_some_and(|running| running.spec == meter.spec && running.size == meter.size);
        if same && costs {
            return;
        }
        self.stop_meter(&meter.resource_id, now);
        if costs {
            self.meters.push(meter);
        }
    }

    fn stop_meter(&mut self, id: &str, now: DateTime<Utc>) {
        for meter in &mut self.meters {
            if meter.resource_id == id && meter.to.is_none() {
                meter.to = Some(now);
            }
        }
    }

    /// Forgets what no bill will ask for any more.
    pub(super) fn forget_meters(&mut self, now: DateTime<Utc>) {
        self.meters
            .retain(|meter| meter.to.is_none_or(|to| now - to <= KEPT));
    }
}
