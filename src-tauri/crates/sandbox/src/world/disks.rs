//! Disks, attached or free.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AttachedDisk, Job, JobHost, JobVolume, Region, Step, new_id};
use crate::clock::Pace;

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
    ErrorDeleting,
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
            Self::ErrorDeleting => "error_deleting",
        }
    }
}

/// When what happens to a disk, in seconds at speed 1.
const JOB_RUNS: f64 = 0.3;
const READY: f64 = 1.5;
const ATTACHING: f64 = 1.6;
const ATTACHED_NEW: f64 = 2.4;
const ATTACHED: f64 = 1.2;
const DETACHED: f64 = 1.2;
const GROWN: f64 = 1.5;
const GONE: f64 = 1.2;
/// From the act's end to the job's.
const JOB_ENDS: f64 = 0.3;

/// New disks that have been checked: nothing in them can be refused any more.
#[derive(Debug)]
pub(crate) struct VolumeOrder {
    pub(crate) user_id: String,
    pub(crate) count: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) size_gb: u32,
    pub(crate) kind: String,
    pub(crate) zone: String,
    pub(crate) image: Option<String>,
    pub(crate) shared: bool,
    pub(crate) iops: Option<u32>,
    pub(crate) throughput: Option<u32>,
    pub(crate) tags: BTreeMap<String, String>,
    /// A server that gets them at once.
    pub(crate) server_id: Option<String>,
    pub(crate) by_period: bool,
}

impl Volume {
    pub(super) fn facts(&self) -> JobVolume {
        JobVolume {
            id: self.id.clone(),
            name: self.name.clone(),
            size_gb: self.size_gb,
            kind: self.kind.clone(),
        }
    }
}

impl Region {
    /// Starts the making of disks; the answer is the job's id and the disks'.
    pub(crate) fn create_volumes(
        &mut self,
        order: &VolumeOrder,
        failing: Option<&(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> (String, Vec<String>) {
        let many = order.count > 1;
        let kind = if many { "batchCreateVolume" } else { "createVolume" };
        let mut job = Job::new(JobHost::Evs, kind, now);
        let mut ids = Vec::new();
        for number in 1..=order.count {
            let name = if many {
                format!("{}-{number:04}", order.name)
            } else {
                order.name.clone()
            };
            let device = order.server_id.as_ref().map(|server| self.free_device(server));
            let volume = Volume {
                id: new_id(),
                name,
                description: order.description.clone(),
                size_gb: order.size_gb,
                kind: order.kind.clone(),
                zone: order.zone.clone(),
                user_id: order.user_id.clone(),
                bootable: order.image.is_some(),
                shared: order.shared,
                by_period: order.by_period,
                iops: order.iops,
                throughput: order.throughput,
                image: order.image.clone(),
                status: VolumeStatus::Creating,
                server_id: order.server_id.clone(),
                device,
                tags: order.tags.clone(),
                created: now,
                updated: now,
            };
            if many {
                let mut part = Job::new(JobHost::Evs, "createVolume", now);
                part.volume = Some(volume.facts());
                job.sub_jobs.push(part);
            } else {
                job.volume = Some(volume.facts());
            }
            let id = volume.id.clone();
            self.volumes.insert(id.clone(), volume);
            ids.push(id);
        }
        let mut end = READY;
        for id in &ids {
            if let Some((code, reason)) = failing {
                let (code, reason) = (code.clone(), reason.clone());
                let (job, resource, status) = (job.id.clone(), id.clone(), VolumeStatus::Error);
                let at = now + pace.lasting(READY);
                self.plan_disk(at, id, DiskStep::Fails(status));
                self.plan(
                    at,
                    Step::PartFails {
                        job,
                        resource,
                        code,
                        reason,
                    },
                );
                continue;
            }
            self.plan_disk(now + pace.lasting(READY), id, DiskStep::Ready);
            if order.server_id.is_some() {
                end = ATTACHED_NEW;
                let status = VolumeStatus::Attaching;
                self.plan_disk(now + pace.lasting(ATTACHING), id, DiskStep::Turns(status));
                self.plan_disk(now + pace.lasting(ATTACHED_NEW), id, DiskStep::Attached);
            }
        }
        (self.run(job, JOB_RUNS, end + JOB_ENDS, now, pace), ids)
    }

    /// Starts to attach a free disk to a server; the answer is the job's id. `failing` holds code and reason if it is to fail;
    /// then the disk is free again.
    pub(crate) fn attach(
        &mut self,
        server: &str,
        volume: &str,
        device: String,
        failing: Option<&(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> String {
        self.turn_disk(volume, now, |disk| {
            disk.status = VolumeStatus::Attaching;
            disk.server_id = Some(server.to_owned());
            disk.device = Some(device);
        });
        let at = now + pace.lasting(ATTACHED);
        let becomes = match failing {
            None => DiskStep::Attached,
            Some(_) => DiskStep::Detached,
        };
        self.plan_disk(at, volume, becomes);
        let mut job = Job::new(JobHost::Ecs, "attachVolume", now);
        job.server_id = Some(server.to_owned());
        self.plan_failure(&job.id, server, failing, at);
        self.run(job, JOB_RUNS, ATTACHED + JOB_ENDS, now, pace)
    }

    /// Starts to take a disk from its server; the answer is the job's id. `failing` holds code and reason if it is to fail;
    /// then the disk stays where it is.
    pub(crate) fn detach(
        &mut self,
        server: &str,
        volume: &str,
        failing: Option<&(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> String {
        self.turn_disk(volume, now, |disk| disk.status = VolumeStatus::Detaching);
        let at = now + pace.lasting(DETACHED);
        let becomes = match failing {
            None => DiskStep::Detached,
            Some(_) => DiskStep::Turns(VolumeStatus::InUse),
        };
        self.plan_disk(at, volume, becomes);
        let mut job = Job::new(JobHost::Ecs, "detachVolume", now);
        job.server_id = Some(server.to_owned());
        self.plan_failure(&job.id, server, failing, at);
        self.run(job, JOB_RUNS, DETACHED + JOB_ENDS, now, pace)
    }

    /// Starts to make a disk larger; the answer is the job's id, `None` if there is no such disk.
    pub(crate) fn extend(
        &mut self,
        volume: &str,
        size_gb: u32,
        failing: Option<(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> Option<String> {
        let disk = self.volumes.get_mut(volume)?;
        let back = disk.status;
        disk.status = VolumeStatus::Extending;
        disk.updated = now;
        let mut job = Job::new(JobHost::Evs, "extendVolume", now);
        job.volume = Some(JobVolume {
            size_gb,
            ..disk.facts()
        });
        let at = now + pace.lasting(GROWN);
        if let Some((code, reason)) = failing {
            let (job, resource) = (job.id.clone(), volume.to_owned());
            self.plan_disk(at, volume, DiskStep::Fails(VolumeStatus::ErrorExtending));
            self.plan(
                at,
                Step::PartFails {
                    job,
                    resource,
                    code,
                    reason,
                },
            );
        } else {
            self.plan_disk(at, volume, DiskStep::Grown { size_gb, back });
        }
        Some(self.run(job, JOB_RUNS, GROWN + JOB_ENDS, now, pace))
    }

    /// Starts a disk's deletion; the answer is the job's id, `None` if there is no such disk. `failing` holds code and reason if
    /// it is to fail.
    pub(crate) fn delete_volume(
        &mut self,
        volume: &str,
        failing: Option<&(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> Option<String> {
        let disk = self.volumes.get_mut(volume)?;
        disk.status = VolumeStatus::Deleting;
        disk.updated = now;
        let mut job = Job::new(JobHost::Evs, "deleteVolume", now);
        job.volume = Some(disk.facts());
        let at = now + pace.lasting(GONE);
        let becomes = match failing {
            None => DiskStep::Gone,
            Some(_) => DiskStep::Fails(VolumeStatus::ErrorDeleting),
        };
        self.plan_disk(at, volume, becomes);
        self.plan_failure(&job.id, volume, failing, at);
        Some(self.run(job, JOB_RUNS, GONE + JOB_ENDS, now, pace))
    }

    /// The first device name that no disk of the server has, those that are on their way to it included.
    pub(crate) fn free_device(&self, server: &str) -> String {
        (1..26)
            .map(device)
            .find(|name| !self.has_device(server, name))
            .unwrap_or_else(|| device(26))
    }

    pub(crate) fn has_device(&self, server: &str, device: &str) -> bool {
        self.volumes
            .values()
            .any(|disk| disk.server_id.as_deref() == Some(server) && disk.device.as_deref() == Some(device))
    }

    fn plan_disk(&mut self, at: DateTime<Utc>, volume: &str, becomes: DiskStep) {
        let volume = volume.to_owned();
        self.plan(at, Step::Disk { volume, becomes });
    }

    pub(super) fn disk_step(&mut self, id: &str, becomes: DiskStep, now: DateTime<Utc>) {
        match becomes {
            DiskStep::Ready => self.turn_disk(id, now, |disk| disk.status = VolumeStatus::Available),
            DiskStep::Turns(status) => self.turn_disk(id, now, |disk| disk.status = status),
            DiskStep::Fails(status) => self.turn_disk(id, now, |disk| {
                disk.status = status;
                // What came out in error was never attached.
                if status == VolumeStatus::Error {
                    disk.server_id = None;
                    disk.device = None;
                }
            }),
            DiskStep::Attached => self.attached(id, now),
            DiskStep::Detached => self.freed(id, now),
            DiskStep::Grown { size_gb, back } => {
                self.turn_disk(id, now, |disk| {
                    disk.size_gb = size_gb;
                    disk.status = back;
                });
            }
            DiskStep::Gone => {
                self.volumes.remove(id);
            }
        }
    }

    fn attached(&mut self, id: &str, now: DateTime<Utc>) {
        let Some(disk) = self.volumes.get_mut(id) else {
            return;
        };
        let server = disk
            .server_id
            .as_ref()
            .and_then(|server| self.servers.get_mut(server));
        let (Some(server), Some(device)) = (server, disk.device.clone()) else {
            // The server went meanwhile.
            return self.freed(id, now);
        };
        disk.status = VolumeStatus::InUse;
        disk.updated = now;
        server.updated = now;
        server.disks.push(AttachedDisk {
            volume_id: id.to_owned(),
            device,
            system: false,
            delete_on_termination: false,
        });
    }

    /// A disk is nobody's again.
    fn freed(&mut self, id: &str, now: DateTime<Utc>) {
        for server in self.servers.values_mut() {
            let before = server.disks.len();
            server.disks.retain(|disk| disk.volume_id != id);
            if server.disks.len() != before {
                server.updated = now;
            }
        }
        self.turn_disk(id, now, |disk| {
            disk.status = VolumeStatus::Available;
            disk.server_id = None;
            disk.device = None;
        });
    }

    fn turn_disk(&mut self, id: &str, now: DateTime<Utc>, change: impl FnOnce(&mut Volume)) {
        if let Some(disk) = self.volumes.get_mut(id) {
            change(disk);
            disk.updated = now;
        }
    }
}

/// What happens to a disk by itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum DiskStep {
    Ready,
    Turns(VolumeStatus),
    Fails(VolumeStatus),
    Attached,
    Detached,
    Grown { size_gb: u32, back: VolumeStatus },
    Gone,
}

/// `/dev/vda`, `/dev/vdb`, …
pub(super) fn device(position: usize) -> String {
    let letter = u8::try_from(position).unwrap_or(u8::MAX).min(25) + b'a';
    format!("/dev/vd{}", char::from(letter))
}
