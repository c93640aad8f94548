//! Each violation is planted alone among servers that keep to the grant, and the audit has to find exactly it.

use chrono::TimeDelta;
use huaweicloud::{ecs, evs};
use serde_json::{Value, json};

use super::audit::{Breach, look};
use super::measure::Project;
use super::tests::now;
use super::*;

fn grant() -> Grant {
    let quota = Quota {
        servers: Some(2),
        vcpus: Some(8),
        disk_gb: Some(200),
        disk_gb_each: Some(100),
        lease_hours: Some(24),
        families: Some(vec!["s6".to_owned()]),
        regions: Some(vec!["cn-north-4".to_owned()]),
        public_address: Some(false),
        ..Quota::default()
    };
    Grant {
        roles: [("developer".to_owned(), quota)].into(),
        exceptions: Vec::new(),
        owners: ["ada", "bo"]
            .map(|name| Owner {
                id: format!("{name}-id"),
                name: name.to_owned(),
                role: "developer".to_owned(),
                quota: Quota::default(),
            })
            .to_vec(),
        ..super::tests::grant()
    }
}

/// A server of somebody's that keeps to the grant.
fn server(id: &str, owner: &str, hours_old: i64) -> Value {
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "id": id, "name": id, "status": "ACTIVE", "user_id": format!("{owner}-id"),
        "created": time(now() - TimeDelta::hours(hours_old)),
        "auto_terminate_time": time(now() + TimeDelta::hours(8)),
        "flavor": {"id": "s6.large.2", "vcpus": "2", "ram": "4096"},
        "addresses": {"vpc-1": [{"addr": "192.168.0.7", "version": "4", "OS-EXT-IPS:type": "fixed"}]},
        "tags": [format!("owner={owner}"), "wangcheng-installation=i"],
    })
}

fn disk(id: &str, on: &str, gb: u32) -> Value {
    json!({
        "id": id, "status": "in-use", "size": gb, "user_id": "ada-id", "volume_type": "GPSSD",
        "attachments": [{"server_id": on}], "created_at": "2026-01-20T01:00:00.000000",
    })
}

fn clean() -> (Vec<Value>, Vec<Value>) {
    let servers = vec![server("ada-1", "ada", 2), server("bo-1", "bo", 3)];
    let disks = vec![disk("d-1", "ada-1", 40), disk("d-2", "bo-1", 40)];
    (servers, disks)
}

fn audited(servers: Vec<Value>, volumes: Vec<Value>, region: &str) -> Audit {
    let rows = |all: Vec<Value>| Value::Array(all).to_string();
    let servers: Vec<ecs::Server> = serde_json::from_str(&rows(servers)).unwrap();
    let volumes: Vec<evs::Volume> = serde_json::from_str(&rows(volumes)).unwrap();
    look(&grant(), &Project { servers, volumes }, region, now())
}

fn found(audit: &Audit) -> Vec<(&str, Vec<Breach>)> {
    let servers = audit.servers.iter();
    servers
        .map(|one| (one.name.as_str(), one.breaches.clone()))
        .collect()
}

fn planted(plant: impl FnOnce(&mut Vec<Value>, &mut Vec<Value>)) -> Audit {
    let (mut servers, mut disks) = clean();
    plant(&mut servers, &mut disks);
    audited(servers, disks, "cn-north-4")
}

#[test]
fn servers_that_keep_to_it_are_not_found() {
    let (servers, disks) = clean();
    let audit = audited(servers, disks, "cn-north-4");
    assert_eq!(
        (found(&audit), audit.owners.len(), audit.looked_at),
        (vec![], 0, 2)
    );
}

#[test]
fn each_planted_violation_of_a_server_is_found_and_nothing_else() {
    let time = |hours: i64| {
        (now() + TimeDelta::hours(hours))
            .format("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    };
    let cases: [(&str, Value, Breach); 6] = [
        ("auto_terminate_time", json!(""), Breach::NoLease),
        ("auto_terminate_time", json!(time(25)), Breach::LeaseTooLong),
        ("user_id", Value::Null, Breach::NoOwner),
        ("user_id", json!("chen-id"), Breach::NotNamed),
        (
            "flavor",
            json!({"id": "c6.large.2", "vcpus": "2", "ram": "4096"}),
            Breach::FlavorNotAllowed,
        ),
        (
            "addresses",
            json!({"vpc-1": [{"addr": "203.0.113.9", "version": "4", "OS-EXT-IPS:type": "floating"}]}),
            Breach::PublicAddress,
        ),
    ];
    for (field, value, breach) in cases {
        let audit = planted(|servers, _| servers[0][field] = value.clone());
        assert_eq!(found(&audit), [("ada-1", vec![breach])], "{field}: {value}");
    }
    let audit = planted(|_, disks| disks[0]["size"] = json!(101));
    assert_eq!(found(&audit), [("ada-1", vec![Breach::DiskTooLarge])]);
    let (servers, disks) = clean();
    let audit = audited(servers, disks, "cn-south-1");
    let everywhere = vec![Breach::RegionNotAllowed];
    assert_eq!(
        found(&audit),
        [("bo-1", everywhere.clone()), ("ada-1", everywhere)],
        "the oldest first"
    );
}

#[test]
fn of_too_many_the_youngest_are_found_with_the_limit_and_their_owner() {
    let audit = planted(|servers, _| {
        servers.push(server("ada-2", "ada", 5));
        servers.push(server("ada-3", "ada", 1));
    });
    assert_eq!(found(&audit), [("ada-3", vec![Breach::TooMany])]);
    assert_eq!(audit.servers[0].limit, Some(Limit::Servers));
    let over: Vec<_> = audit
        .owners
        .iter()
        .map(|one| (one.owner.as_str(), one.limit))
        .collect();
    assert_eq!(over, [("ada", Limit::Servers)]);

    let audit = planted(|servers, _| {
        servers[0]["flavor"] = json!({"id": "s6.4xlarge.2", "vcpus": "16", "ram": "4096"});
    });
    assert_eq!(found(&audit), [("ada-1", vec![Breach::TooMany])]);
    assert_eq!(audit.servers[0].limit, Some(Limit::Vcpus));

    // Disks that came later one by one: the server that the youngest of them is on.
    let audit = planted(|servers, disks| {
        servers.push(server("ada-2", "ada", 5));
        for (id, on, time) in [("d-3", "ada-2", "02:00"), ("d-4", "ada-2", "02:30")] {
            let mut later = disk(id, on, 90);
            later["created_at"] = json!(format!("2026-01-20T{time}:00.000000"));
            disks.push(later);
        }
    });
    assert_eq!(found(&audit), [("ada-2", vec![Breach::TooMany])]);
    assert_eq!(audit.servers[0].limit, Some(Limit::DiskGb));
}
