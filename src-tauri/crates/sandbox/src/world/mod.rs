//! What exists in the demo regions, and the rules by which it changes.
//!
//! Everything that takes time is a [`Step`] with a moment: accepting a call writes the steps down, [`Region::advance`] takes
//! those that are due. So the world goes on by itself, comes out the same however often it is looked at, and goes on where
//! it stood after a restart, because pending steps are part of the state.

mod addresses;
mod birth;
mod disks;
mod end;
mod faults;
mod history;
mod jobs;
mod keys;
mod networks;
mod objects;
mod power;
mod seed;
mod servers;
mod traces;
mod usage;

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use addresses::{NewAddress, PublicIp};
pub(crate) use birth::{AddressOrder, DiskOrder, NicOrder, Order};
pub(crate) use disks::{Volume, VolumeOrder, VolumeStatus};
pub(crate) use end::Leaving;
pub(crate) use faults::{Cut, FailingJob, Faults, JobOf, Restriction};
pub(crate) use jobs::{Job, JobHost, JobStatus, JobVolume, Replay};
pub(crate) use keys::KeyPair;
pub(crate) use networks::{IpVersion, Remote, Rule, SecurityGroup, Subnet, Vpc};
pub(crate) use objects::{Bucket, MOST_BYTES, MOST_OBJECTS, Object};
pub(crate) use power::PowerAct;
pub(crate) use servers::{AttachedDisk, Charging, Nic, PasswordMark, Server, Task, VmState};
pub(crate) use traces::Trace;
pub(crate) use usage::{Good, Stretch, Usage};

use disks::DiskStep;

use crate::{catalogue::ZONES, clock::Pace, policies::Policy};

/// How long the answer to a client token can be had again.
pub(crate) const REPLAY: TimeDelta = TimeDelta::hours(8);
/// How long a settled job can be asked for.
const JOB_KEPT: TimeDelta = TimeDelta::days(1);
/// How long an old client token is remembered, to refuse it as too old.
const TOKEN_KEPT: TimeDelta = TimeDelta::days(7);

/// All regions of the demo account.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) regions: Vec<Region>,
    /// The object storage's buckets by name, which all accounts share.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// How far the region's time is ahead of the machine's, once it has run faster. Time does not go back, not even over a
    /// restart at another speed.
    #[serde(default)]
    pub(crate) ahead_ms: i64,
    /// Switched on by the control listener, for this run.
    #[serde(skip)]
    pub(crate) faults: Faults,
    /// What ECS lets users do, by their ids; set by the control listener, for this run.
    #[serde(skip)]
    pub(crate) policies: BTreeMap<String, Policy>,
}

/// One region with its one project.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Region {
    pub(crate) id: String,
    pub(crate) name_zh: String,
    pub(crate) name_en: String,
    pub(crate) project_id: String,
    pub(crate) vpcs: Vec<Vpc>,
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) security_groups: Vec<SecurityGroup>,
    pub(crate) key_pairs: Vec<KeyPair>,
    pub(crate) servers: BTreeMap<String, Server>,
    pub(crate) volumes: BTreeMap<String, Volume>,
    pub(crate) addresses: BTreeMap<String, PublicIp>,
    pub(crate) jobs: BTreeMap<String, Job>,
    /// Answers to creations by user id and client token.
    pub(crate) replays: BTreeMap<String, Replay>,
    /// What was done, oldest first, for the audit.
    pub(crate) traces: VecDeque<Trace>,
    /// What ran from when to when, for the bills.
    pub(crate) usage: Usage,
    pending: Vec<Pending>,
    next_sweep: DateTime<Utc>,
    /// Counts everything made, for names and hardware addresses.
    serial: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Pending {
    at: DateTime<Utc>,
    step: Step,
}

/// One thing that happens by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Step {
    JobRuns {
        job: String,
    },
    JobEnds {
        job: String,
    },
    Appears {
        server: String,
    },
    Turns {
        server: String,
        task: Task,
    },
    Active {
        server: String,
    },
    CreationFails {
        server: String,
        job: String,
        code: String,
        reason: String,
    },
    Gone {
        server: String,
        leaving: Leaving,
    },
    /// The cloud takes a spot server back, as it has said it would.
    Interrupted {
        server: String,
    },
    /// A deletion has failed: the server is as it was.
    Stays {
        server: String,
    },
    /// What was being done with a server is done.
    Settles {
        server: String,
        state: VmState,
    },
    Resized {
        server: String,
        flavor: String,
    },
    /// The part of a job that is about one server or disk fails, or the whole of it if it has no parts.
    PartFails {
        job: String,
        resource: String,
        code: String,
        reason: String,
    },
    Disk {
        volume: String,
        becomes: DiskStep,
    },
}

impl World {
    /// The demo account as it is found at the first start.
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        let mut world = Self {
            regions: seed::regions(now),
            buckets: objects::buckets(),
            ahead_ms: 0,
            faults: Faults::default(),
            policies: BTreeMap::new(),
        };
        world.read_usage(now);
        world
    }

    /// Writes down what an act has begun or ended; what happens by itself is written down when it happens.
    pub(crate) fn read_usage(&mut self, now: DateTime<Utc>) {
        for region in &mut self.regions {
            region.read_usage(now);
        }
    }

    /// Lets happen what is due. True if anything did.
    pub(crate) fn advance(&mut self, now: DateTime<Utc>, pace: &Pace) -> bool {
        let mut changed = false;
        for region in &mut self.regions {
            changed |= region.advance(now, pace);
        }
        changed
    }
}

impl Region {
    /// Names of the availability zones.
    pub(crate) fn zones(&self) -> impl Iterator<Item = String> + '_ {
        ZONES.iter().map(|letter| format!("{}{letter}", self.id))
    }

    pub(crate) fn visible_server(&self, id: &str) -> Option<&Server> {
        self.servers.get(id).filter(|server| server.visible)
    }

    pub(crate) fn advance(&mut self, now: DateTime<Utc>, pace: &Pace) -> bool {
        let due = self.pending.partition_point(|pending| pending.at <= now);
        let steps: Vec<Pending> = self.pending.drain(..due).collect();
        let mut changed = !steps.is_empty();
        let mut steps = steps.into_iter().peekable();
        while let Some(Pending { at, step }) = steps.next() {
            self.take(step, at);
            // However late one looks: what costs changes at the moment of the step.
            if steps.peek().is_none_or(|next| next.at != at) {
                self.read_usage(at);
            }
        }
        changed |= self.sweep(now, pace);

        let before = (self.jobs.len(), self.replays.len());
        self.jobs
            .retain(|_, job| job.end.is_none_or(|end| now - end <= JOB_KEPT));
        self.replays.retain(|_, replay| now - replay.at <= TOKEN_KEPT);
        changed || before != (self.jobs.len(), self.replays.len())
    }

    fn plan(&mut self, at: DateTime<Utc>, step: Step) {
        let position = self.pending.partition_point(|pending| pending.at <= at);
        self.pending.insert(position, Pending { at, step });
    }

    fn take(&mut self, step: Step, now: DateTime<Utc>) {
        match step {
            Step::JobRuns { job } => {
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.status = JobStatus::Running;
                    for sub_job in &mut job.sub_jobs {
                        sub_job.status = JobStatus::Running;
                    }
                }
            }
            Step::JobEnds { job } => {
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.settle(now);
                }
            }
            Step::Appears { server } => self.turn(&server, now, |server| server.visible = true),
            Step::Turns { server, task } => self.turn(&server, now, |server| {
                // Nothing comes between a deletion and its end.
                if server.task != Some(Task::Deleting) {
                    server.task = Some(task);
                }
            }),
            Step::Active { server } => self.come_up(&server, now),
            Step::CreationFails {
                server,
                job,
                code,
                reason,
            } => self.roll_back(&server, &job, (code, reason), now),
            Step::Gone { server, leaving } => self.remove(&server, leaving, now),
            Step::Stays { server } => self.turn(&server, now, |server| server.task = None),
            Step::Interrupted { server } => self.interrupt(&server, now),
            Step::Settles { server, state } => self.settle(&server, state, now),
            Step::Resized { server, flavor } => self.resized(&server, &flavor, now),
            Step::PartFails {
                job,
                resource,
                code,
                reason,
            } => self.fail_part(&job, &resource, (code, reason), now),
            Step::Disk { volume, becomes } => self.disk_step(&volume, becomes, now),
        }
    }

    fn turn(&mut self, server: &str, now: DateTime<Utc>, change: impl FnOnce(&mut Server)) {
        if let Some(server) = self.servers.get_mut(server) {
            change(server);
            server.updated = now;
        }
    }

    fn next_serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        self.serial
    }
}

pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A lease end as the cloud keeps it: without its seconds.
pub(crate) fn whole_minute(time: DateTime<Utc>) -> DateTime<Utc> {
    let time = time.trunc_subsecs(0);
    time - TimeDelta::seconds(time.timestamp().rem_euclid(60))
}

#[cfg(test)]
mod tests;
