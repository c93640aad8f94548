//! The demo regions as they are found at the first start: networks, key pairs, and servers that other people left there.

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    AddressOrder, Charging, DiskOrder, IpVersion, KeyPair, NewAddress, NicOrder, Order, Region, Remote, Rule,
    SecurityGroup, Subnet, Trace, Usage, VmState, Vpc, history, whole_minute,
};
use crate::{
    catalogue::UBUNTU_24,
    users::{ADA, BO, CHEN, MIA},
};

pub(crate) const REGION: &str = crate::users::REGION;
const PROJECT: &str = "e0a0000000000000000000005a4db001";
const VPC: &str = "0e7c0000-0000-4000-8000-000000000001";
const SUBNET_DEV: &str = "5b9e0000-0000-4000-8000-000000000001";
const SUBNET_SMALL: &str = "5b9e0000-0000-4000-8000-000000000002";
const SUBNET_CROWD: &str = "5b9e0000-0000-4000-8000-000000000003";
const GROUP_DEFAULT: &str = "5ec90000-0000-4000-8000-000000000001";
const GROUP_REMOTE: &str = "5ec90000-0000-4000-8000-000000000002";

/// The regions, the first one with what people left there.
pub(super) fn regions(now: DateTime<Utc>) -> Vec<Region> {
    let mut first = region(now);
    furnish(&mut first, now);
    for stretch in history::before(now) {
        first.usage.record(stretch);
    }
    let mut second = elsewhere(now, 2, "演示区域 2", "Sandbox region 2");
    let by_the_ton = Order {
        tags: BTreeMap::from([("owner".to_owned(), "chen".to_owned())]),
        ..order(CHEN, "chen-data-01", "m6.large.8", &[("GPSSD", 40), ("SAS", 200)])
    };
    let by_the_ton = second.here(by_the_ton);
    settle(
        &mut second,
        &by_the_ton,
        now - TimeDelta::days(5),
        VmState::Active,
    );
    vec![first, second, elsewhere(now, 3, "演示区域 3", "Sandbox region 3")]
}

/// A region like the first one, with names and ids of its own, and empty.
fn elsewhere(now: DateTime<Utc>, number: u32, name_zh: &str, name_en: &str) -> Region {
    let mut region = region(now);
    let own = |id: &mut String| *id = renumbered(id, number);
    region.id = format!("sandbox-{number}");
    region.name_zh = name_zh.to_owned();
    region.name_en = name_en.to_owned();
    own(&mut region.project_id);
    for vpc in &mut region.vpcs {
        own(&mut vpc.id);
    }
    for subnet in &mut region.subnets {
        own(&mut subnet.id);
        own(&mut subnet.neutron_subnet_id);
        own(&mut subnet.vpc_id);
    }
    for group in &mut region.security_groups {
        own(&mut group.id);
        for rule in &mut group.rules {
            own(&mut rule.id);
        }
    }
    // Key pairs are the region's own: here is the team's only.
    region.key_pairs.retain(|pair| pair.user_id.is_none());
    region
}

/// The same id with another digit for the region: the third last.
fn renumbered(id: &str, number: u32) -> String {
    let at = id.len().saturating_sub(3);
    let (head, tail) = id.split_at_checked(at).unwrap_or((id, ""));
    format!("{head}{number}{}", tail.get(1..).unwrap_or_default())
}

impl Region {
    /// An order as it is for the first region, put into this one.
    fn here(&self, mut order: Order) -> Order {
        order.zone = format!("{}a", self.id);
        if let Some(vpc) = self.vpcs.first() {
            order.vpc_id.clone_from(&vpc.id);
        }
        if let Some(subnet) = self.subnets.first() {
            for nic in &mut order.nics {
                nic.subnet_id.clone_from(&subnet.id);
            }
        }
        order.security_groups = self
            .security_groups
            .iter()
            .take(1)
            .map(|group| group.id.clone())
            .collect();
        order
    }
}

fn region(now: DateTime<Utc>) -> Region {
    let long_ago = now - TimeDelta::days(40);
    Region {
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
        traces: VecDeque::new(),
        usage: Usage::default(),
        pending: Vec::new(),
        next_sweep: now,
        serial: 0,
    }
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
        password: None,
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
    let trace = |trace_name: &str, time| Trace {
        time,
        service: "ECS".to_owned(),
        resource_type: "ecs".to_owned(),
        resource_id: id.clone(),
        resource_name: order.name.clone(),
        trace_name: trace_name.to_owned(),
        user: order.user_id.clone(),
        request: None,
        code: 200,
    };
    region.trace(trace("createServer", at));
    if state == VmState::Stopped {
        region.trace(trace("stopServer", at + TimeDelta::days(6)));
    }
    if let Some(server) = region.servers.get_mut(&id) {
        server.state = state;
    }
}

impl super::World {
    /// Puts that many more running servers into the first region, in a subnet of their own, as if they had been there
    /// for a day. Answers how many it had addresses for.
    pub(crate) fn crowd(&mut self, count: usize, now: DateTime<Utc>) -> usize {
        let Some(region) = self.regions.first_mut() else {
            return 0;
        };
        if !region.subnets.iter().any(|subnet| subnet.id == SUBNET_CROWD) {
            let network = Ipv4Addr::new(192, 168, 64, 0);
            let made = now - TimeDelta::days(1);
            region
                .subnets
                .push(subnet(SUBNET_CROWD, "subnet-crowd", network, 18, made));
        }
        let addresses: Vec<Ipv4Addr> = region
            .subnets
            .iter()
            .filter(|subnet| subnet.id == SUBNET_CROWD)
            .flat_map(|subnet| region.free_addresses(subnet))
            .take(count)
            .collect();
        for (number, address) in addresses.iter().enumerate() {
            let one = Order {
                nics: vec![NicOrder {
                    subnet_id: SUBNET_CROWD.to_owned(),
                    address: Some(*address),
                }],
                tags: BTreeMap::from([
                    ("owner".to_owned(), "ada".to_owned()),
                    ("purpose".to_owned(), "批处理".to_owned()),
                ]),
                ..order(
                    ADA,
                    &format!("batch-{number:04}"),
                    "s6.large.2",
                    &[("GPSSD", 40), ("SAS", 100)],
                )
            };
            settle(region, &one, now - TimeDelta::days(1), VmState::Active);
        }
        addresses.len()
    }
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
