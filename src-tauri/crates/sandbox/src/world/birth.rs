//! How servers come into being.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use chrono::{DateTime, Utc};

use super::{
    AttachedDisk, Charging, Job, JobHost, NewAddress, Nic, PasswordMark, Region, Server, Step, Task, VmState,
    Volume, VolumeStatus, disks::device, new_id,
};
use crate::clock::Pace;

/// When what happens to a new server, in seconds at speed 1.
const JOB_RUNS: f64 = 0.4;
const APPEARS: f64 = 0.6;
const MAPPING: f64 = 1.5;
const NETWORKING: f64 = 3.0;
const SPAWNING: f64 = 4.0;
const ACTIVE: f64 = 6.0;
const JOB_ENDS: f64 = 6.4;
/// A failing creation gets as far as looking for a host.
const FAILS: f64 = 4.0;

/// A creation that has been checked: nothing in it can be refused any more.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) user_id: String,
    pub(crate) name: String,
    pub(crate) count: u32,
    pub(crate) description: String,
    pub(crate) flavor: String,
    pub(crate) image: String,
    pub(crate) zone: String,
    pub(crate) vpc_id: String,
    pub(crate) nics: Vec<NicOrder>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) key_name: Option<String>,
    pub(crate) user_data: Option<String>,
    pub(crate) password: Option<PasswordMark>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) charging: Charging,
    pub(crate) lease_end: Option<DateTime<Utc>>,
    /// The system disk first.
    pub(crate) disks: Vec<DiskOrder>,
    pub(crate) address: Option<AddressOrder>,
}

#[derive(Debug)]
pub(crate) struct NicOrder {
    pub(crate) subnet_id: String,
    pub(crate) address: Option<Ipv4Addr>,
}

#[derive(Debug)]
pub(crate) struct DiskOrder {
    pub(crate) kind: String,
    pub(crate) size_gb: u32,
    pub(crate) shared: bool,
    pub(crate) iops: Option<u32>,
    /// MiB/s.
    pub(crate) throughput: Option<u32>,
    pub(crate) delete_on_termination: bool,
}

/// An EIP for the new server.
#[derive(Debug)]
pub(crate) enum AddressOrder {
    New(NewAddress),
    /// One that is there and free.
    Existing(String),
}

impl Region {
    /// Starts what was ordered; the answer is the job's id and the ids the servers will have.
    pub(crate) fn create(
        &mut self,
        order: &Order,
        failing: Option<(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> (String, Vec<String>) {
        let mut job = Job::new(JobHost::Ecs, "createServer", now);
        let mut ids = Vec::new();
        for number in 1..=order.count {
            let name = if order.count > 1 {
                format!("{}-{number:04}", order.name)
            } else {
                order.name.clone()
            };
            let id = self.build(order, name, now);
            let mut sub_job = Job::new(JobHost::Ecs, "createSingleServer", now);
            sub_job.server_id = Some(id.clone());
            job.sub_jobs.push(sub_job);
            self.plan_birth(&id, &job.id, failing.as_ref(), now, pace);
            ids.push(id);
        }
        (self.run(job, JOB_RUNS, JOB_ENDS, now, pace), ids)
    }

    fn plan_birth(
        &mut self,
        id: &str,
        job: &str,
        failing: Option<&(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) {
        let server = || id.to_owned();
        let at = |seconds| now + pace.lasting(seconds);
        self.plan(at(APPEARS), Step::Appears { server: server() });
        for (seconds, task) in [
            (MAPPING, Task::BlockDeviceMapping),
            (NETWORKING, Task::Networking),
        ] {
            self.plan(
                at(seconds),
                Step::Turns {
                    server: server(),
                    task,
                },
            );
        }
        if let Some((code, reason)) = failing {
            self.plan(
                at(FAILS),
                Step::CreationFails {
                    server: server(),
                    job: job.to_owned(),
                    code: code.clone(),
                    reason: reason.clone(),
                },
            );
        } else {
            let task = Task::Spawning;
            self.plan(
                at(SPAWNING),
                Step::Turns {
                    server: server(),
                    task,
                },
            );
            self.plan(at(ACTIVE), Step::Active { server: server() });
        }
    }

    /// Puts a server that is being built into the world, with its disks and address.
    pub(super) fn build(&mut self, order: &Order, name: String, now: DateTime<Utc>) -> String {
        let id = new_id();
        let nics = self.nics(&order.nics);
        let mut disks = Vec::new();
        for (position, disk) in order.disks.iter().enumerate() {
            let system = position == 0;
            let volume = Volume {
                id: new_id(),
                name: if system {
                    name.clone()
                } else {
                    format!("{name}-volume-{position:04}")
                },
                description: String::new(),
                size_gb: disk.size_gb,
                kind: disk.kind.clone(),
                zone: order.zone.clone(),
                user_id: order.user_id.clone(),
                bootable: system,
                shared: disk.shared,
                by_period: order.charging == Charging::Period,
                iops: disk.iops,
                throughput: disk.throughput,
                image: system.then(|| order.image.clone()),
                status: VolumeStatus::Creating,
                server_id: Some(id.clone()),
                device: Some(device(position)),
                tags: BTreeMap::new(),
                created: now,
                updated: now,
            };
            disks.push(AttachedDisk {
                volume_id: volume.id.clone(),
                device: device(position),
                system,
                delete_on_termination: system || disk.delete_on_termination,
            });
            self.volumes.insert(volume.id.clone(), volume);
        }
        if let Some(address) = &order.address {
            self.give_address(address, &order.user_id, &id, nics.first(), now);
        }
        let serial = self.next_serial();
        self.servers.insert(
            id.clone(),
            Server {
                id: id.clone(),
                hostname: name.to_lowercase().replace('_', "-"),
                name,
                description: order.description.clone(),
                flavor: order.flavor.clone(),
                image: order.image.clone(),
                vpc_id: order.vpc_id.clone(),
                nics,
                security_groups: order.security_groups.clone(),
                zone: order.zone.clone(),
                key_name: order.key_name.clone(),
                user_id: order.user_id.clone(),
                user_data: order.user_data.clone(),
                password: None,
                next_password: order.password.clone(),
                boots: 0,
                tags: order.tags.clone(),
                metadata: order.metadata.clone(),
                charging: order.charging,
                lease_end: order.lease_end,
                created: now,
                updated: now,
                launched: None,
                visible: false,
                state: VmState::Building,
                task: Some(Task::Scheduling),
                locked: false,
                reclaimed: false,
                disks,
                serial,
            },
        );
        id
    }

    fn nics(&mut self, orders: &[NicOrder]) -> Vec<Nic> {
        // Addresses that were asked for are not given to a NIC that takes any.
        let mut taken: Vec<Ipv4Addr> = orders.iter().filter_map(|order| order.address).collect();
        let mut nics = Vec::new();
        for order in orders {
            let Some(subnet) = self.subnets.iter().find(|subnet| subnet.id == order.subnet_id) else {
                continue;
            };
            let free = || {
                self.free_addresses(subnet)
                    .find(|address| !taken.contains(address))
            };
            let Some(address) = order.address.or_else(free) else {
                continue;
            };
            taken.push(address);
            let [_, high, middle, low] = self.next_serial().to_be_bytes();
            nics.push(Nic {
                port_id: new_id(),
                subnet_id: order.subnet_id.clone(),
                address,
                mac: format!("fa:16:3e:{high:02x}:{middle:02x}:{low:02x}"),
            });
        }
        nics
    }

    /// Addresses of the subnet that no server has.
    pub(crate) fn free_addresses<'a>(
        &self,
        subnet: &'a super::Subnet,
    ) -> impl Iterator<Item = Ipv4Addr> + use<'a> {
        let taken: BTreeSet<Ipv4Addr> = self
            .servers
            .values()
            .flat_map(|server| &server.nics)
            .filter(|nic| nic.subnet_id == subnet.id)
            .map(|nic| nic.address)
            .collect();
        subnet.usable().filter(move |address| !taken.contains(address))
    }

    fn give_address(
        &mut self,
        order: &AddressOrder,
        user_id: &str,
        server_id: &str,
        nic: Option<&Nic>,
        now: DateTime<Utc>,
    ) {
        let id = match order {
            AddressOrder::Existing(id) => id.clone(),
            AddressOrder::New(new) => {
                let Some(id) = self.new_address(new, user_id, now) else {
                    return;
                };
                id
            }
        };
        if let Some(public) = self.addresses.get_mut(&id) {
            public.server_id = Some(server_id.to_owned());
            public.port_id = nic.map(|nic| nic.port_id.clone());
            public.private_address = nic.map(|nic| nic.address);
        }
    }

    pub(super) fn come_up(&mut self, id: &str, now: DateTime<Utc>) {
        self.turn(id, now, |server| {
            server.visible = true;
            server.state = VmState::Active;
            server.task = None;
            server.launched = Some(now);
            server.boot();
        });
        for volume in self.volumes.values_mut() {
            if volume.server_id.as_deref() == Some(id) {
                volume.status = VolumeStatus::InUse;
                volume.updated = now;
            }
        }
    }

    /// A creation that failed leaves nothing but its job: what was made with the server goes, an EIP that was there before
    /// is free again.
    pub(super) fn roll_back(&mut self, id: &str, job: &str, error: (String, String), now: DateTime<Utc>) {
        let made = self.servers.remove(id).map(|server| server.created);
        self.volumes
            .retain(|_, volume| volume.server_id.as_deref() != Some(id));
        self.addresses
            .retain(|_, address| address.server_id.as_deref() != Some(id) || Some(address.created) != made);
        self.release_addresses(id);
        self.fail_part(job, id, error, now);
    }
}
