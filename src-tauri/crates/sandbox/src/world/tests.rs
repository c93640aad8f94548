use chrono::TimeDelta;

use super::*;
use crate::users::ADA;

const PACE: Pace = Pace {
    speed: 1.0,
    lease_speed: 1.0,
    clock_speed: 1.0,
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
        shared: false,
        iops: None,
        throughput: None,
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
        password: None,
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

/// What was measured of one thing: from when to when.
fn measured(region: &Region, id: &str) -> Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> {
    let own = region
        .usage
        .stretches()
        .filter(|stretch| stretch.resource_id == id);
    own.map(|stretch| (stretch.from, stretch.to)).collect()
}

#[test]
fn what_costs_is_measured_at_its_moment_however_late_one_looks() {
    let (mut region, _, id) = ordered(None);
    let disk = region.servers[&id].disks[1].volume_id.clone();
    region.advance(after(100.0), &PACE);
    let ids = std::slice::from_ref(&id);
    let leaving = Leaving {
        disks: true,
        address: None,
    };
    region.delete(ids, leaving, None, after(200.0), &PACE);
    region.advance(after(7200.0), &PACE);
    assert_eq!(
        measured(&region, &id),
        [(after(6.0), Some(after(201.5)))],
        "from its boot until it was gone"
    );
    assert_eq!(
        measured(&region, &disk),
        [(after(0.0), Some(after(201.5)))],
        "a disk from when it was made"
    );
}

#[test]
fn a_server_that_stands_and_starts_again_is_measured_in_two_parts() {
    let (mut region, _, id) = ordered(None);
    region.advance(after(10.0), &PACE);
    let ids = std::slice::from_ref(&id);
    let stop = PowerAct::Stop { hard: false };
    region.power(stop, ids, &BTreeMap::new(), after(20.0), &PACE);
    region.advance(after(60.0), &PACE);
    region.power(PowerAct::Start, ids, &BTreeMap::new(), after(100.0), &PACE);
    region.advance(after(3600.0), &PACE);
    let parts = measured(&region, &id);
    assert_eq!(parts.len(), 2, "{parts:?}");
    let (first, second) = (parts[0], parts[1]);
    assert_eq!(first.0, after(6.0));
    let stopped = first.1.unwrap();
    assert!(after(20.0) < stopped && stopped < after(30.0), "{stopped}");
    assert!(after(100.0) < second.0 && second.0 < after(110.0), "{second:?}");
    assert_eq!(second.1, None, "it runs");
}
