//! What exists in the demo regions, and the rules by which it changes.
//!
//! Everything that takes time is a [`Step`] with a moment: accepting a call writes the steps down, [`Region::advance`] takes
//! those that are due. So the world goes on by itself, comes out the same however often it is looked at, and goes on where
//! it stood after a restart, because pending steps are part of the state.

mod birth;
mod end;
mod seed;

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use birth::{AddressOrder, DiskOrder, NicOrder, Order};
pub(crate) use end::Leaving;

use crate::{catalogue::ZONES, clock::Pace};

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
    /// Switched on by the control listener, for this run.
    #[serde(skip)]
    pub(crate) faults: Faults,
}

/// What is to go wrong next.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Faults {
    /// The next creation's job fails with this code and reason.
    pub(crate) failing_job: Option<(String, String)>,
    /// The next change asked of ECS gets no answer.
    pub(crate) cut: Option<Cut>,
}

/// When a connection is cut: before the act, or after it, so that the caller cannot know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cut {
    Before,
    After,
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
    pending: Vec<Pending>,
    next_sweep: DateTime<Utc>,
    /// Counts everything made, for names and hardware addresses.
    serial: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) cidr: String,
    pub(crate) created: DateTime<Utc>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    /// The native id, which is not accepted at server creation.
    pub(crate) neutron_subnet_id: String,
    pub(crate) name: String,
    pub(crate) vpc_id: String,
    pub(crate) network: std::net::Ipv4Addr,
    pub(crate) prefix: u8,
    pub(crate) created: DateTime<Utc>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) rules: Vec<Rule>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) ingress: bool,
    /// One TCP port, or everything.
    pub(crate) tcp_port: Option<u16>,
    /// Source or destination; `None` stands for the group itself.
    pub(crate) remote: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) name: String,
    /// `None` for a key pair that the whole account sees.
    pub(crate) user_id: Option<String>,
    pub(crate) public_key: String,
    pub(crate) fingerprint: String,
}

impl KeyPair {
    pub(crate) fn is_visible_to(&self, user_id: &str) -> bool {
        self.user_id.as_deref().is_none_or(|owner| owner == user_id)
    }
}

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

    /// `status`, which hides most transitions.
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
    Deleting,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) flavor: String,
    pub(crate) image: String,
    pub(crate) vpc_id: String,
    pub(crate) nics: Vec<Nic>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) zone: String,
    pub(crate) key_name: Option<String>,
    pub(crate) user_id: String,
    pub(crate) user_data: Option<String>,
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
    pub(crate) disks: Vec<AttachedDisk>,
    /// Position among everything made, as part of instance names.
    pub(crate) serial: u32,
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

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) size_gb: u32,
    pub(crate) kind: String,
    pub(crate) zone: String,
    pub(crate) user_id: String,
    pub(crate) bootable: bool,
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
    InUse,
    Available,
}

impl VolumeStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::InUse => "in-use",
            Self::Available => "available",
        }
    }
}

/// An EIP with its bandwidth.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PublicIp {
    pub(crate) id: String,
    pub(crate) address: std::net::Ipv4Addr,
    pub(crate) kind: String,
    pub(crate) bandwidth_id: String,
    pub(crate) bandwidth_mbps: u32,
    pub(crate) by_traffic: bool,
    pub(crate) server_id: Option<String>,
    pub(crate) port_id: Option<String>,
    pub(crate) private_address: Option<std::net::Ipv4Addr>,
    pub(crate) delete_on_termination: bool,
    pub(crate) user_id: String,
    pub(crate) created: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum JobStatus {
    Init,
    Running,
    Success,
    Fail,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) status: JobStatus,
    pub(crate) begin: DateTime<Utc>,
    pub(crate) end: Option<DateTime<Utc>>,
    pub(crate) error: Option<(String, String)>,
    pub(crate) server_id: Option<String>,
    pub(crate) sub_jobs: Vec<Job>,
}

impl Job {
    fn new(kind: &str, now: DateTime<Utc>) -> Self {
        Self {
            id: new_id(),
            kind: kind.to_owned(),
            status: JobStatus::Init,
            begin: now,
            end: None,
            error: None,
            server_id: None,
            sub_jobs: Vec::new(),
        }
    }

    fn settle(&mut self, now: DateTime<Utc>) {
        for job in &mut self.sub_jobs {
            job.settle(now);
        }
        let failed = self.sub_jobs.iter().find_map(|job| job.error.clone());
        self.error = self.error.take().or(failed);
        self.status = if self.error.is_some() {
            JobStatus::Fail
        } else {
            JobStatus::Success
        };
        self.end.get_or_insert(now);
    }
}

/// The first answer to a client token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Replay {
    pub(crate) at: DateTime<Utc>,
    /// SHA-256 of the body, so that no password gets into the state.
    pub(crate) body_hash: String,
    pub(crate) answer: serde_json::Value,
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
}

impl World {
    /// The demo account as it is found at the first start.
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self {
            regions: vec![seed::region(now)],
            faults: Faults::default(),
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
        for Pending { at, step } in steps {
            self.take(step, at);
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
            Step::Turns { server, task } => self.turn(&server, now, |server| server.task = Some(task)),
            Step::Active { server } => self.come_up(&server, now),
            Step::CreationFails {
                server,
                job,
                code,
                reason,
            } => self.roll_back(&server, &job, (code, reason), now),
            Step::Gone { server, leaving } => self.remove(&server, leaving, now),
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

impl Subnet {
    pub(crate) fn cidr(&self) -> String {
        format!("{}/{}", self.network, self.prefix)
    }

    pub(crate) fn gateway(&self) -> std::net::Ipv4Addr {
        self.nth(1)
    }

    /// Addresses that servers can have: not the network's own, the gateway's, nor the last three, which the cloud keeps.
    pub(crate) fn usable(&self) -> impl Iterator<Item = std::net::Ipv4Addr> + '_ {
        let size = 1_u32
            .checked_shl(u32::from(32_u8.saturating_sub(self.prefix)))
            .unwrap_or(0);
        (2..size.saturating_sub(3)).map(|n| self.nth(n))
    }

    pub(crate) fn holds(&self, address: std::net::Ipv4Addr) -> bool {
        self.usable().any(|usable| usable == address)
    }

    fn nth(&self, n: u32) -> std::net::Ipv4Addr {
        std::net::Ipv4Addr::from(u32::from(self.network).saturating_add(n))
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
mod tests {
    use super::*;
    use crate::users::ADA;

    const PACE: Pace = Pace {
        speed: 1.0,
        lease_speed: 1.0,
    };

    fn start() -> DateTime<Utc> {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn after(seconds: f64) -> DateTime<Utc> {
        start() + TimeDelta::milliseconds((seconds * 1000.0) as i64)
    }

    fn order(region: &Region, lease_end: Option<DateTime<Utc>>) -> Order {
        let nic = || NicOrder {
            subnet_id: region.subnets[0].id.clone(),
            address: None,
        };
        let disk = |delete_on_termination| DiskOrder {
            kind: "SAS".to_owned(),
            size_gb: 40,
            delete_on_termination,
        };
        Order {
            user_id: ADA.to_owned(),
            name: "dev".to_owned(),
            count: 1,
            description: String::new(),
            flavor: "s6.large.2".to_owned(),
            image: crate::catalogue::UBUNTU_24.to_owned(),
            zone: "sandbox-1a".to_owned(),
            vpc_id: region.vpcs[0].id.clone(),
            nics: vec![nic(), nic()],
            security_groups: Vec::new(),
            key_name: None,
            user_data: None,
            tags: BTreeMap::new(),
            metadata: BTreeMap::new(),
            charging: Charging::PayPerUse,
            lease_end,
            disks: vec![disk(false), disk(true)],
            address: None,
        }
    }

    /// A new world's region with one server on order: region, job, server.
    fn ordered(lease_end: Option<DateTime<Utc>>) -> (Region, String, String) {
        let mut region = World::new(start()).regions.remove(0);
        let order = order(&region, lease_end);
        let (job, ids) = region.create(&order, None, start(), &PACE);
        (region, job, ids[0].clone())
    }

    #[test]
    fn a_server_comes_up_step_by_step() {
        let (mut region, job, id) = ordered(None);
        let seen: Vec<(bool, VmState, Option<Task>, JobStatus)> = [0.1, 0.7, 1.6, 3.1, 4.1, 6.1, 6.5]
            .into_iter()
            .map(|seconds| {
                region.advance(after(seconds), &PACE);
                let server = &region.servers[&id];
                (
                    server.visible,
                    server.state,
                    server.task,
                    region.jobs[&job].status,
                )
            })
            .collect();
        let building = |task| (true, VmState::Building, Some(task), JobStatus::Running);
        assert_eq!(
            seen,
            [
                (false, VmState::Building, Some(Task::Scheduling), JobStatus::Init),
                building(Task::Scheduling),
                building(Task::BlockDeviceMapping),
                building(Task::Networking),
                building(Task::Spawning),
                (true, VmState::Active, None, JobStatus::Running),
                (true, VmState::Active, None, JobStatus::Success),
            ]
        );
    }

    #[test]
    fn things_happen_at_their_moment_however_late_one_looks() {
        let (mut region, job, id) = ordered(None);
        region.advance(after(3600.0), &PACE);
        assert_eq!(region.servers[&id].launched, Some(after(6.0)));
        assert_eq!(region.jobs[&job].end, Some(after(6.4)));
    }

    #[test]
    fn no_two_nics_share_an_address() {
        let mut region = World::new(start()).regions.remove(0);
        let three = Order {
            count: 3,
            ..order(&region, None)
        };
        region.create(&three, None, start(), &PACE);
        let addresses: Vec<_> = region
            .servers
            .values()
            .flat_map(|server| &server.nics)
            .map(|nic| nic.address)
            .collect();
        let distinct: std::collections::BTreeSet<_> = addresses.iter().collect();
        assert_eq!(
            addresses.len(),
            3 + 3 * 2,
            "one each that were there, two each that are new"
        );
        assert_eq!(distinct.len(), addresses.len());
    }

    #[test]
    fn a_lease_is_ended_by_a_sweep_and_not_before() {
        let end = start() + TimeDelta::minutes(45);
        let (mut region, _, id) = ordered(Some(end));
        region.advance(end - TimeDelta::seconds(1), &PACE);
        assert_eq!(region.servers[&id].task, None);
        let swept = end + PACE.sweep_interval();
        region.advance(swept, &PACE);
        assert_eq!(region.servers[&id].task, Some(Task::Deleting));
        region.advance(swept + TimeDelta::seconds(2), &PACE);
        assert!(!region.servers.contains_key(&id));
        assert!(
            region
                .volumes
                .values()
                .all(|volume| volume.status == VolumeStatus::InUse),
            "the data disk was marked to go with it, so nothing is left over"
        );
    }

    #[test]
    fn a_settled_job_can_be_asked_for_during_a_day() {
        let (mut region, job, _) = ordered(None);
        region.advance(after(7.0), &PACE);
        region.advance(after(6.4) + JOB_KEPT, &PACE);
        assert!(region.jobs.contains_key(&job));
        region.advance(after(6.5) + JOB_KEPT, &PACE);
        assert!(!region.jobs.contains_key(&job));
    }

    #[test]
    fn what_is_pending_is_part_of_the_state() {
        let (region, job, _) = ordered(None);
        let mut read: Region = serde_json::from_str(&serde_json::to_string(&region).unwrap()).unwrap();
        read.advance(after(7.0), &PACE);
        assert_eq!(read.jobs[&job].status, JobStatus::Success);
    }
}
