//! How servers go: asked for, because their lease has ended, or because the cloud needs the room of a spot server.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Charging, Job, JobHost, Region, Step, Task, Trace, VmState, VolumeStatus};
use crate::clock::Pace;

const JOB_RUNS: f64 = 0.3;
const GONE: f64 = 1.5;
const JOB_ENDS: f64 = 2.0;
/// From the notice that a spot server is taken back to its end: the cloud's five minutes in demo time.
const NOTICE: f64 = 30.0;

/// What goes with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leaving {
    /// True: all disks. False: the system disk and those that are marked to go with the server.
    pub(crate) disks: bool,
    /// Whether the EIP is released; `None`: as the EIP itself says.
    pub(crate) address: Option<bool>,
}

impl Region {
    /// Starts the deletion of servers that exist; the answer is the job's id. `failing` holds code and reason if it is to fail.
    pub(crate) fn delete(
        &mut self,
        ids: &[String],
        leaving: Leaving,
        failing: Option<&(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> String {
        let mut job = Job::new(JobHost::Ecs, "deleteVMs", now);
        for id in ids {
            let mut sub_job = Job::new(JobHost::Ecs, "deleteSingleServer", now);
            sub_job.server_id = Some(id.clone());
            job.sub_jobs.push(sub_job);
            if failing.is_some() {
                let at = now + pace.lasting(GONE);
                self.turn(id, now, |server| server.task = Some(Task::Deleting));
                self.plan_failure(&job.id, id, failing, at);
                self.plan(at, Step::Stays { server: id.clone() });
            } else {
                self.start_deletion(id, leaving, now, pace);
            }
        }
        self.run(job, JOB_RUNS, JOB_ENDS, now, pace)
    }

    fn start_deletion(&mut self, id: &str, leaving: Leaving, now: DateTime<Utc>, pace: &Pace) {
        self.turn(id, now, |server| server.task = Some(Task::Deleting));
        self.plan(
            now + pace.lasting(GONE),
            Step::Gone {
                server: id.to_owned(),
                leaving,
            },
        );
    }

    /// Gives notice that a spot server is taken back; with the notice over it goes, whatever it does then. Its data disks and
    /// its EIP stay unless they are marked to go. False if it is no spot server that is there to be taken.
    pub(crate) fn reclaim(&mut self, id: &str, now: DateTime<Utc>, pace: &Pace) -> bool {
        let taken = self.servers.get(id).is_some_and(|server| {
            server.charging == Charging::Spot
                && server.visible
                && server.state != VmState::Building
                && server.task != Some(Task::Deleting)
                && !server.reclaimed
        });
        if taken {
            self.turn(id, now, |server| server.reclaimed = true);
            let server = || id.to_owned();
            self.plan(now + pace.lasting(NOTICE), Step::Interrupted { server: server() });
            let leaving = Leaving {
                disks: false,
                address: None,
            };
            self.plan(
                now + pace.lasting(NOTICE + GONE),
                Step::Gone {
                    server: server(),
                    leaving,
                },
            );
        }
        taken
    }

    /// The notice is over. Nobody asked for it, so the trace names no user.
    pub(super) fn interrupt(&mut self, id: &str, now: DateTime<Utc>) {
        self.turn(id, now, |server| server.task = Some(Task::Deleting));
        let Some(server) = self.servers.get(id) else {
            return;
        };
        let trace = Trace {
            time: now,
            service: "ECS".to_owned(),
            resource_type: "ecs".to_owned(),
            resource_id: server.id.clone(),
            resource_name: server.name.clone(),
            trace_name: "interruptServer".to_owned(),
            user: String::new(),
            request: None,
            code: 200,
        };
        self.trace(trace);
    }

    pub(super) fn remove(&mut self, id: &str, leaving: Leaving, now: DateTime<Utc>) {
        let Some(server) = self.servers.remove(id) else {
            return;
        };
        for disk in &server.disks {
            if leaving.disks || disk.delete_on_termination {
                self.volumes.remove(&disk.volume_id);
            } else if let Some(volume) = self.volumes.get_mut(&disk.volume_id) {
                volume.status = VolumeStatus::Available;
                volume.server_id = None;
                volume.device = None;
                volume.updated = now;
            }
        }
        self.addresses.retain(|_, address| {
            let here = address.server_id.as_deref() == Some(id);
            !(here && leaving.address.unwrap_or(address.delete_on_termination))
        });
        self.release_addresses(id);
    }

    /// What stays of a server's EIPs is free again, and still billed.
    pub(super) fn release_addresses(&mut self, server_id: &str) {
        for address in self.addresses.values_mut() {
            if address.server_id.as_deref() == Some(server_id) {
                address.server_id = None;
                address.port_id = None;
                address.private_address = None;
            }
        }
    }

    /// Deletes the servers whose lease has ended, now and then, as the cloud does. Disks and EIPs go as they are marked: what
    /// the cloud does with them is not documented, nor what it does with a locked server: here that stays, and costs.
    pub(super) fn sweep(&mut self, now: DateTime<Utc>, pace: &Pace) -> bool {
        let interval = pace.sweep_interval();
        if now < self.next_sweep && self.next_sweep - now <= interval {
            return false;
        }
        self.next_sweep = now + interval;
        let ended: Vec<String> = self
            .servers
            .values()
            .filter(|server| {
                server.lease_end.is_some_and(|end| end <= now)
                    && server.state != VmState::Building
                    && server.task != Some(Task::Deleting)
                    && !server.locked
                    && server.charging == Charging::PayPerUse
            })
            .map(|server| server.id.clone())
            .collect();
        for id in &ended {
            let leaving = Leaving {
                disks: false,
                address: None,
            };
            self.start_deletion(id, leaving, now, pace);
        }
        !ended.is_empty()
    }
}
