//! The demo region as it is found at the first start: a network, key pairs, and servers that other people left there.

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    AddressOrder, Charging, DiskOrder, IpVersion, KeyPair, NewAddress, NicOrder, Order, Region, Remote, Rule,
    SecurityGroup, Subnet, VmState, Vpc, whole_minute,
};
use crate::{
    catalogue::UBUNTU_24,
    users::{ADA, BO, MIA},
};

pub(crate) const REGION: &str = crate::users::REGION;
const PROJECT: &str = "e0a0000000000000000000005a4db001";
const VPC: &str = "0e7c0000-0000-4000-8000-000000000001";
const SUBNET_DEV: &str = "5b9e0000-0000-4000-8000-000000000001";
const SUBNET_SMALL: &str = "5b9e0000-0000-4000-8000-000000000002";
const GROUP_DEFAULT: &str = "5ec90000-0000-4000-8000-000000000001";
const GROUP_REMOTE: &str = "5ec90000-0000-4000-8000-000000000002";

pub(super) fn region(now: DateTime<Utc>) -> Region {
    let long_ago = now - TimeDelta::days(40);
    let mut region = Region {
        id: REGION.to_owned(),
        name_zh: "演示区域 1".to_owned(),
        name_en: "Sandbox region 1".to_owned(),
        project_id: PROJECT.to_owned(),
        vpcs: vec![Vpc {
            id: VPC.to_owned(),
            name: "vpc-dev".to_owned(),
            cidr: "192.168.0.0/16".to_owned(),
            created: long_ago,
        }],
        subnets: vec![
            subnet(SUBNET_DEV, "subnet-dev", Ipv4Addr::new(192, 168, 0, 0), 24, long_ago),
            subnet(SUBNET_SMALL, "subnet-small", Ipv4Addr::new(192, 168, 1, 0), 28, long_ago),
        ],
        security_groups: vec![
            SecurityGroup {
                id: GROUP_DEFAULT.to_owned(),
                name: "default".to_owned(),
                description: "Default security group".to_owned(),
                rules: vec![
                    rule(GROUP_DEFAULT, 1, true, None, None),
                    rule(GROUP_DEFAULT, 2, false, None, Some("0.0.0.0/0")),
                ],
            },
            SecurityGroup {
                id: GROUP_REMOTE.to_owned(),
                name: "dev-remote".to_owned(),
                description: "SSH and remote desktop from the office".to_owned(),
                rules: vec![
                    rule(GROUP_REMOTE, 1, true, Some(22), Some("198.51.100.0/24")),
                    rule(GROUP_REMOTE, 2, true, Some(3389), Some("198.51.100.0/24")),
                    rule(GROUP_REMOTE, 3, false, None, Some("0.0.0.0/0")),
                ],
            },
        ],
        // The private halves of these were thrown away.
        key_pairs: vec![
            KeyPair {
                name: "ada-laptop".to_owned(),
                user_id: Some(ADA.to_owned()),
                public_key:
                    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBxoks8GZE38ySGf4Frljy953m6krmLukL2HyD/d4KdM ada@example"
                        .to_owned(),
                fingerprint: "SHA256:FDsq7UFP/vgSFaXdRVJpexq/7KSKvrDm9zYPHTXRjFU".to_owned(),
                created: long_ago,
            },
            KeyPair {
                name: "team-shared".to_owned(),
                user_id: None,
                public_key:
                    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEFvUfUOABOwrLaMwjAyOUGLRtFh/gu0Gk2yPMW2PZ1Q team@example"
                        .to_owned(),
                fingerprint: "SHA256:QlZeO9FsiSGyFmULZ9HziZLgF0r4zjPiFKLEb83/I5w".to_owned(),
                created: long_ago,
            },
        ],
        servers: BTreeMap::new(),
        volumes: BTreeMap::new(),
        addresses: BTreeMap::new(),
        jobs: BTreeMap::new(),
        replays: BTreeMap::new(),
        meters: Vec::new(),
        traces: VecDeque::new(),
        pending: Vec::new(),
        next_sweep: now,
        serial: 0,
    };
    furnish(&mut region, now);
    region
}

/// Servers that were there before: one that nobody will ever end, one that is on loan, one that is paid by the month.
fn furnish(region: &mut Region, now: DateTime<Utc>) {
    let forgotten = Order {
        address: Some(AddressOrder::New(NewAddress {
            kind: "5_bgp".to_owned(),
            alias: String::new(),
            bandwidth_name: None,
            mbps: 5,
            by_traffic: true,
            delete_on_termination: false,
            address: None,
        })),
        ..order(MIA, "gateway-01", "s6.medium.2", &[("GPSSD", 40)])
    };
    settle(region, &forgotten, now - TimeDelta::days(33), VmState::Active);

    let on_loan = Order {
        tags: BTreeMap::from([
            ("owner".to_owned(), "bo".to_owned()),
            ("purpose".to_owned(), "夜间构建".to_owned()),
        ]),
        lease_end: Some(whole_minute(now + TimeDelta::hours(6))),
        ..order(BO, "bo-build-01", "c6.xlarge.4", &[("GPSSD", 40), ("SSD", 100)])
    };
    settle(region, &on_loan, now - TimeDelta::hours(2), VmState::Active);

    let by_the_month = Order {
        charging: Charging::Period,
        ..order(MIA, "team-wiki", "s6.large.2", &[("SAS", 60)])
    };
    settle(region, &by_the_month, now - TimeDelta::days(12), VmState::Stopped);
}

fn order(user_id: &str, name: &str, flavor: &str, disks: &[(&str, u32)]) -> Order {
    Order {
        user_id: user_id.to_owned(),
        name: name.to_owned(),
        count: 1,
        description: String::new(),
        flavor: flavor.to_owned(),
        image: UBUNTU_24.to_owned(),
        zone: format!("{REGION}a"),
        vpc_id: VPC.to_owned(),
        nics: vec![NicOrder {
            subnet_id: SUBNET_DEV.to_owned(),
            address: None,
        }],
        security_groups: vec![GROUP_DEFAULT.to_owned()],
        key_name: Some("team-shared".to_owned()),
        user_data: None,
        tags: BTreeMap::new(),
        metadata: BTreeMap::new(),
        charging: Charging::PayPerUse,
        lease_end: None,
        disks: disks
            .iter()
            .map(|(kind, size_gb)| DiskOrder {
                kind: (*kind).to_owned(),
                size_gb: *size_gb,
                shared: false,
                iops: None,
                throughput: None,
                delete_on_termination: false,
            })
            .collect(),
        address: None,
    }
}

fn settle(region: &mut Region, order: &Order, at: DateTime<Utc>, state: VmState) {
    let id = region.build(order, order.name.clone(), at);
    region.come_up(&id, at + TimeDelta::seconds(42));
    if let Some(server) = region.servers.get_mut(&id) {
        server.state = state;
    }
    region.meter_server(&id, at + TimeDelta::seconds(42));
}

fn subnet(id: &str, name: &str, network: Ipv4Addr, prefix: u8, created: DateTime<Utc>) -> Subnet {
    Subnet {
        id: id.to_owned(),
        neutron_subnet_id: id.replacen("5b9e", "5b9f", 1),
        name: name.to_owned(),
        vpc_id: VPC.to_owned(),
        network,
        prefix,
        created,
    }
}

/// A rule for one TCP port or for everything; without a block it is about the group's own members.
fn rule(group: &str, number: u8, ingress: bool, tcp_port: Option<u16>, block: Option<&str>) -> Rule {
    Rule {
        id: group.replacen("-4000-", &format!("-4{number:03}-"), 1),
        description: String::new(),
        ingress,
        ip_version: IpVersion::V4,
        protocol: tcp_port.map(|_| "tcp".to_owned()),
        ports: tcp_port.map(|port| (port, port)),
        remote: match block {
            Some(block) => Remote::Block(block.to_owned()),
            None => Remote::Group(group.to_owned()),
        },
    }
}
