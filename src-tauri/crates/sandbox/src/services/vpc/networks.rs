//! Networks, and what of them is in use.

use serde_json::{Value, json};

use super::{Call, Result, list, quota, zulu};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{Nic, Region, Server, Subnet, VmState, Vpc},
};

pub(super) fn vpcs(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let id = call.request.query_value("id");
    let rows: Vec<&Vpc> = region
        .vpcs
        .iter()
        .filter(|vpc| id.as_ref().is_none_or(|id| *id == vpc.id))
        .collect();
    list(call, "vpcs", &rows, |vpc| &vpc.id, |row| vpc_row(region, row))
}

pub(super) fn subnets(call: &Call<'_>, region: &Region) -> Result<Answer> {
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
        |row| subnet_row(region, row),
    )
}

/// Free addresses as the native call counts them.
pub(super) fn availability(region: &Region, id: &str) -> Result<Answer> {
    let subnet = region
        .subnets
        .iter()
        .find(|subnet| subnet.id == id)
        .ok_or_else(|| Fault::missing("NetworkNotFound", format!("Network {id} could not be found.")))?;
    let total = subnet.usable().count();
    let used = total.saturating_sub(region.free_addresses(subnet).count());
    Ok(Answer::json(
        200,
        &json!({"network_ip_availability": {
            "network_id": subnet.id,
            "network_name": subnet.vpc_id,
            "tenant_id": region.project_id,
            "total_ips": total,
            "used_ips": used,
            "subnet_ip_availability": [{
                "subnet_id": subnet.neutron_subnet_id,
                "subnet_name": subnet.name,
                "ip_version": 4,
                "cidr": subnet.cidr(),
                "total_ips": total,
                "used_ips": used,
            }],
        }}),
    ))
}

/// A server's NIC, as a port.
type Port<'r> = (&'r Server, &'r Nic);

pub(super) fn ports(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let ports: Vec<Port<'_>> = region
        .servers
        .values()
        .flat_map(|server| server.nics.iter().map(move |nic| (server, nic)))
        .filter(|port| is_wanted(call, port))
        .collect();
    let rows: Vec<&Port<'_>> = ports.iter().collect();
    list(
        call,
        "ports",
        &rows,
        |(_, nic)| &nic.port_id,
        |row| port_row(region, row),
    )
}

fn status(server: &Server) -> &'static str {
    match server.state {
        VmState::Building => "BUILD",
        VmState::Active => "ACTIVE",
        VmState::Stopped => "DOWN",
    }
}

fn is_wanted(call: &Call<'_>, (server, nic): &Port<'_>) -> bool {
    let request = call.request;
    let is = |key: &str, value: &str| request.query_value(key).is_none_or(|wanted| wanted == value);
    let one_of = |key: &str, fits: &dyn Fn(&str) -> bool| {
        let wanted = request.query_values(key);
        wanted.is_empty() || wanted.iter().any(|wanted| fits(wanted))
    };
    let address = nic.address.to_string();
    one_of("id", &|id| id == nic.port_id)
        && is("name", "")
        && is("admin_state_up", "true")
        && is("network_id", &nic.subnet_id)
        && is("mac_address", &nic.mac)
        && is("device_id", &server.id)
        && is("device_owner", &format!("compute:{}", server.zone))
        && is("status", status(server))
        && one_of("security_groups", &|id| {
            server.security_groups.iter().any(|group| group == id)
        })
        // ip_address=192.168.0.5
        && one_of("fixed_ips", &|pair| match pair.split_once('=') {
            Some(("ip_address", wanted)) => wanted == address,
            Some(("subnet_id", wanted)) => wanted == nic.subnet_id,
            _ => false,
        })
}

fn port_row(region: &Region, (server, nic): &Port<'_>) -> Value {
    let subnet = region.subnets.iter().find(|subnet| subnet.id == nic.subnet_id);
    let primary = server
        .nics
        .first()
        .is_some_and(|first| first.port_id == nic.port_id);
    json!({
        "id": nic.port_id,
        "name": "",
        "network_id": nic.subnet_id,
        "admin_state_up": true,
        "mac_address": nic.mac,
        "fixed_ips": [{"ip_address": nic.address, "subnet_id": subnet.map(|subnet| &subnet.neutron_subnet_id)}],
        "device_id": server.id,
        "device_owner": format!("compute:{}", server.zone),
        "tenant_id": region.project_id,
        "status": status(server),
        "security_groups": server.security_groups,
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "binding:vnic_type": "normal",
        "binding:vif_details": {"primary_interface": primary},
        "binding:profile": {},
        "dns_assignment": [],
        "dns_name": "",
        "instance_id": server.id,
        "instance_type": "",
        "port_security_enabled": true,
        "zone_id": server.zone,
        "enable_efi": false,
        "ipv6_bandwidth_id": null,
    })
}

pub(super) fn quotas(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let all = [
        ("vpc", region.vpcs.len(), quota::VPCS),
        ("subnet", region.subnets.len(), quota::SUBNETS),
        (
            "securityGroup",
            region.security_groups.len(),
            quota::SECURITY_GROUPS,
        ),
        ("securityGroupRule", quota::rules(region), quota::RULES),
        ("publicIp", region.addresses.len(), quota::ADDRESSES),
    ];
    let kind = call.request.query_value("type");
    let rows: Vec<Value> = all
        .into_iter()
        .filter(|(name, ..)| kind.as_deref().is_none_or(|kind| kind == *name))
        .map(|(name, used, quota)| json!({"type": name, "used": used, "quota": quota, "min": 0}))
        .collect();
    if rows.is_empty() {
        return Err(Fault::bad("VPC.1207", "resource type is invalid."));
    }
    Ok(Answer::json(200, &json!({"quotas": {"resources": rows}})))
}

fn vpc_row(region: &Region, vpc: &Vpc) -> Value {
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

fn subnet_row(region: &Region, subnet: &Subnet) -> Value {
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
