//! Virtual Private Cloud, version 1, and the EIPs that live on the same host.

use http::Method;
use serde_json::{Value, json};

use super::{Call, Result, page, same_project, zulu};
use crate::{
    faults::Fault,
    users::ACCOUNT_ID,
    wire::Answer,
    world::{PublicIp, Region, Remote, Rule, SecurityGroup, Subnet, Vpc},
};

pub(super) fn answer(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (&Method::GET, ["v1", project, resource]) = (&call.request.method, segments.as_slice()) else {
        return Err(Fault::no_such_call());
    };
    let action = match *resource {
        "vpcs" => "vpc:vpcs:list",
        "subnets" => "vpc:subnets:get",
        "security-groups" => "vpc:securityGroups:get",
        "publicips" => "vpc:publicIps:list",
        _ => return Err(Fault::no_such_call()),
    };
    if call.is_guest() {
        return Err(Fault::forbidden(
            "VPC.2201",
            format!("Policy doesn't allow {action} to be performed."),
        ));
    }
    same_project(region, project, "VPC.0101")?;
    match *resource {
        "vpcs" => {
            let id = call.request.query_value("id");
            let rows: Vec<&Vpc> = region
                .vpcs
                .iter()
                .filter(|vpc| id.as_ref().is_none_or(|id| *id == vpc.id))
                .collect();
            list(call, "vpcs", &rows, |vpc| &vpc.id, |row| vpc(region, row))
        }
        "subnets" => {
            let vpc_id = call.request.query_value("vpc_id");
            let rows: Vec<&Subnet> = region
                .subnets
                .iter()
                .filter(|subnet| vpc_id.as_ref().is_none_or(|id| *id == subnet.vpc_id))
                .collect();
            list(
                call,
                "subnets",
                &rows,
                |subnet| &subnet.id,
                |row| subnet(region, row),
            )
        }
        "security-groups" => {
            let rows: Vec<&SecurityGroup> = region.security_groups.iter().collect();
            list(
                call,
                "security_groups",
                &rows,
                |group| &group.id,
                |row| group(region, row),
            )
        }
        _ => {
            let rows: Vec<&PublicIp> = region
                .addresses
                .values()
                .filter(|row| is_wanted(call, row))
                .collect();
            list(
                call,
                "publicips",
                &rows,
                |row| &row.id,
                |row| public_ip(region, row),
            )
        }
    }
}

/// Version 1 lists have no word on whether more follows: a short page is the last one.
fn list<T>(
    call: &Call<'_>,
    name: &str,
    rows: &[&T],
    id: impl for<'a> Fn(&'a T) -> &'a str,
    show: impl Fn(&T) -> Value,
) -> Result<Answer> {
    let limit = call
        .limit(2000, 2000)
        .ok_or_else(|| Fault::bad("VPC.0002", "The limit is invalid."))?;
    let marker = call.request.query_value("marker");
    let rows = page(rows, |row| id(row), marker.as_deref(), limit)
        .ok_or_else(|| Fault::bad("VPC.0002", "The marker is invalid."))?;
    let rows: Vec<Value> = rows.iter().map(|row| show(row)).collect();
    Ok(Answer::json(200, &json!({name: rows})))
}

fn vpc(region: &Region, vpc: &Vpc) -> Value {
    json!({
        "id": vpc.id,
        "name": vpc.name,
        "description": "",
        "cidr": vpc.cidr,
        "routes": [],
        "status": "OK",
        "enterprise_project_id": "0",
        "tenant_id": region.project_id,
        "created_at": zulu(vpc.created),
        "updated_at": zulu(vpc.created),
        "block_service_endpoint_states": "",
        "enable_network_address_usage_metrics": false,
    })
}

fn subnet(region: &Region, subnet: &Subnet) -> Value {
    json!({
        "id": subnet.id,
        "name": subnet.name,
        "description": "",
        "cidr": subnet.cidr(),
        "gateway_ip": subnet.gateway(),
        "ipv6_enable": false,
        "cidr_v6": null,
        "gateway_ip_v6": null,
        "dhcp_enable": true,
        "primary_dns": "100.125.1.250",
        "secondary_dns": "100.125.21.250",
        "dnsList": ["100.125.1.250", "100.125.21.250"],
        "availability_zone": "",
        "vpc_id": subnet.vpc_id,
        "status": "ACTIVE",
        "neutron_network_id": subnet.id,
        "neutron_subnet_id": subnet.neutron_subnet_id,
        "neutron_subnet_id_v6": null,
        "extra_dhcp_opts": [],
        "scope": "center",
        "tenant_id": region.project_id,
        "created_at": zulu(subnet.created),
        "updated_at": zulu(subnet.created),
        "enable_network_address_usage_metrics": false,
        "available_ip_address_count": region.free_addresses(subnet).count(),
    })
}

fn group(region: &Region, group: &SecurityGroup) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "vpc_id": "",
        "enterprise_project_id": "0",
        "security_group_rules": group.rules.iter().map(|row| rule(region, group, row)).collect::<Vec<_>>(),
    })
}

fn rule(region: &Region, group: &SecurityGroup, rule: &Rule) -> Value {
    let (block, remote_group) = match &rule.remote {
        Remote::Anyone => (None, None),
        Remote::Block(block) => (Some(block), None),
        Remote::Group(group) => (None, Some(group)),
    };
    json!({
        "id": rule.id,
        "description": rule.description,
        "security_group_id": group.id,
        "direction": if rule.ingress { "ingress" } else { "egress" },
        "ethertype": rule.ip_version.word(),
        "protocol": rule.protocol,
        "port_range_min": rule.ports.map(|(first, _)| first),
        "port_range_max": rule.ports.map(|(_, last)| last),
        "remote_ip_prefix": block,
        "remote_group_id": remote_group,
        "remote_address_group_id": null,
        "tenant_id": region.project_id,
    })
}

fn is_wanted(call: &Call<'_>, row: &PublicIp) -> bool {
    let one_of = |key: &str, value: Option<String>| {
        let wanted = call.request.query_values(key);
        wanted.is_empty() || value.is_some_and(|value| wanted.contains(&value))
    };
    one_of("id", Some(row.id.clone()))
        && one_of("port_id", row.port_id.clone())
        && one_of("public_ip_address", Some(row.address.to_string()))
        && one_of(
            "private_ip_address",
            row.private_address.map(|address| address.to_string()),
        )
        && call
            .request
            .query_value("ip_version")
            .is_none_or(|version| version == "4")
}

fn public_ip(region: &Region, row: &PublicIp) -> Value {
    let mut value = json!({
        "id": row.id,
        "status": if row.port_id.is_some() { "ACTIVE" } else { "DOWN" },
        "profile": {"user_id": ACCOUNT_ID, "region_id": region.id},
        "type": row.kind,
        "public_ip_address": row.address,
        "ip_version": 4,
        "tenant_id": region.project_id,
        "create_time": row.created.format("%Y-%m-%d %H:%M:%S").to_string(),
        "bandwidth_id": row.bandwidth_id,
        "bandwidth_name": row.bandwidth_name,
        "bandwidth_size": row.bandwidth_mbps,
        "bandwidth_share_type": "PER",
        "enterprise_project_id": "0",
        "public_border_group": "center",
        "tags": [],
    });
    // A free EIP has neither key.
    if let (Some(port), Some(private), Some(value)) =
        (&row.port_id, row.private_address, value.as_object_mut())
    {
        value.insert("port_id".to_owned(), json!(port));
        value.insert("private_ip_address".to_owned(), json!(private));
    }
    value
}
