//! Reading servers.

use serde_json::{Map, Value, json};

use super::{Call, Result, invalid, no_such_server};
use crate::{
    catalogue,
    services::{bare_micros, page, zulu},
    wire::Answer,
    world::{Faults, Region, Server, VmState},
};

pub(super) fn show(region: &Region, faults: &Faults, id: &str) -> Result<Answer> {
    let server = region.visible_server(id).ok_or_else(|| no_such_server(id))?;
    Ok(Answer::json(200, &json!({"server": row(region, faults, server)})))
}

pub(super) fn list(call: &Call<'_>, region: &Region, faults: &Faults) -> Result<Answer> {
    let limit = call.limit(25, 1000).ok_or_else(|| invalid("limit"))?;
    // A list of ids makes every other filter count for nothing, and an id that is unknown comes back as a row of nulls.
    if let Some(ids) = call.request.query_value("server_id") {
        let rows: Vec<Value> = ids
            .split(',')
            .take(limit)
            .map(|id| match region.visible_server(id) {
                Some(server) => row(region, faults, server),
                None => blank(id),
            })
            .collect();
        return Ok(Answer::json(200, &json!({"count": rows.len(), "servers": rows})));
    }
    let mut wanted: Vec<&Server> = region
        .servers
        .values()
        .filter(|server| server.visible && is_wanted(call, server))
        .collect();
    wanted.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));

    let marker = call.request.query_value("marker");
    let rows = if marker.is_some() {
        page(&wanted, |server| &server.id, marker.as_deref(), limit).ok_or_else(|| invalid("marker"))?
    } else {
        // The offset is the number of a page, counted from 1, and 0 means 1.
        let number: usize = match call.request.query_value("offset") {
            None => 1,
            Some(text) => text.parse().map_err(|_| invalid("offset"))?,
        };
        let first = number.saturating_sub(1).saturating_mul(limit);
        let rest = wanted.get(first..).unwrap_or_default();
        rest.get(..limit).unwrap_or(rest)
    };
    let rows: Vec<Value> = rows.iter().map(|server| row(region, faults, server)).collect();
    Ok(Answer::json(
        200,
        &json!({"count": wanted.len(), "servers": rows}),
    ))
}

fn is_wanted(call: &Call<'_>, server: &Server) -> bool {
    let request = call.request;
    let has_address = |wanted: &str, whole: bool| {
        server.nics.iter().any(|nic| {
            let address = nic.address.to_string();
            if whole {
                address == wanted
            } else {
                address.contains(wanted)
            }
        })
    };
    request.query_values("tags").iter().all(|wanted| {
        let (key, value) = wanted.split_once('=').unwrap_or((wanted, ""));
        server.tags.get(key).is_some_and(|own| own == value)
    }) && !request.query_values("not-tags").iter().any(|unwanted| {
        let (key, value) = match unwanted.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (unwanted.as_str(), None),
        };
        let own = server.tags.get(key);
        own.is_some_and(|own| value.is_none_or(|value| own == value))
    }) && request
        .query_value("name")
        .is_none_or(|wanted| matches_somewhere(&server.name, &wanted))
        && request
            .query_value("status")
            .is_none_or(|wanted| server.status() == wanted || server.state.status() == wanted)
        && request
            .query_value("flavor")
            .is_none_or(|wanted| server.flavor == wanted)
        && request
            .query_value("ip")
            .is_none_or(|wanted| has_address(&wanted, false))
        && request
            .query_value("ip_eq")
            .is_none_or(|wanted| has_address(&wanted, true))
        && request
            .query_value("reservation_id")
            .is_none_or(|wanted| reservation(server) == wanted)
        && request
            .query_value("enterprise_project_id")
            .is_none_or(|wanted| wanted == "0" || wanted == "all_granted_eps")
}

/// The name filter looks anywhere in the name and takes `.` for any character.
fn matches_somewhere(name: &str, pattern: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    pattern.is_empty()
        || name.windows(pattern.len()).any(|part| {
            part.iter()
                .zip(&pattern)
                .all(|(own, wanted)| *wanted == '.' || own == wanted)
        })
}

fn reservation(server: &Server) -> String {
    format!("r-{:08x}", server.serial)
}

fn row(region: &Region, faults: &Faults, server: &Server) -> Value {
    let flavor = catalogue::flavor(&server.flavor);
    let image = catalogue::image(&server.image);
    let host = format!("pod01.{}", server.zone);
    let groups: Vec<Value> = server
        .security_groups
        .iter()
        .map(|id| {
            let name = region
                .security_groups
                .iter()
                .find(|group| group.id == *id)
                .map(|group| group.name.as_str());
            json!({"id": id, "name": name})
        })
        .collect();
    let disks: Vec<Value> = server
        .disks
        .iter()
        .map(|disk| {
            json!({
                "id": disk.volume_id,
                "device": disk.device,
                "bootIndex": if disk.system { "0" } else { "-1" },
                "delete_on_termination": disk.delete_on_termination.to_string(),
            })
        })
        .collect();
    json!({
        "id": server.id,
        "name": server.name,
        "description": server.description,
        "status": server.status(),
        "OS-EXT-STS:vm_state": server.state.word(),
        "OS-EXT-STS:task_state": server.task,
        "OS-EXT-STS:power_state": server.state.power(),
        "created": zulu(server.created),
        "updated": zulu(server.updated),
        "OS-SRV-USG:launched_at": server.launched.map(bare_micros),
        "OS-SRV-USG:terminated_at": null,
        "auto_terminate_time": server.lease_end.map(zulu).unwrap_or_default(),
        "flavor": {
            "id": server.flavor,
            "name": server.flavor,
            "disk": "0",
            "vcpus": flavor.map(|flavor| flavor.vcpus.to_string()),
            "ram": flavor.map(|flavor| flavor.ram_mb.to_string()),
            "gpus": [],
            "asic_accelerators": [],
        },
        "image": {"id": server.image},
        "metadata": metadata(server, image, faults.frozen()),
        "addresses": {&server.vpc_id: addresses(region, server)},
        "network_interfaces": network_interfaces(region, server),
        "security_groups": groups,
        "os-extended-volumes:volumes_attached": disks,
        "tags": tags(server),
        "sys_tags": [{"key": "_sys_enterprise_project_id", "value": "0"}],
        "key_name": server.key_name.clone().unwrap_or_default(),
        "user_id": server.user_id,
        "tenant_id": region.project_id,
        "enterprise_project_id": "0",
        "OS-EXT-AZ:availability_zone": server.zone,
        "OS-EXT-SRV-ATTR:host": host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": format!("nova{:03}@1", server.serial % 1000),
        "OS-EXT-SRV-ATTR:instance_name": format!("instance-{:08x}", server.serial),
        "OS-EXT-SRV-ATTR:hostname": server.hostname,
        "OS-EXT-SRV-ATTR:reservation_id": reservation(server),
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
        "OS-EXT-SRV-ATTR:user_data": server.user_data,
        "OS-DCF:diskConfig": "MANUAL",
        "hostId": host.replace('.', ""),
        "host_status": "UP",
        "accessIPv4": "",
        "accessIPv6": "",
        "progress": if server.state == VmState::Building { 0 } else { 100 },
        "config_drive": "",
        "locked": server.locked,
        "fault": null,
        "hypervisor": {"hypervisor_type": "QEMU", "csd_hypervisor": null},
        "os:scheduler_hints": {},
        "cpu_options": null,
        "security_options": null,
        "enclave_options": null,
        "spod_id": null,
        "capacity_reservation_id": null,
        "capacity_reservation_specification": null,
    })
}

/// `key=value`, or the key alone.
pub(super) fn tags(server: &Server) -> Vec<String> {
    server
        .tags
        .iter()
        .map(|(key, value)| {
            if value.is_empty() {
                key.clone()
            } else {
                format!("{key}={value}")
            }
        })
        .collect()
}

fn metadata(server: &Server, image: Option<&catalogue::Image>, frozen: bool) -> Map<String, Value> {
    let mut metadata: Map<String, Value> = server
        .metadata
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let os = image.map_or("linux", |image| match image.os {
        catalogue::Os::Linux => "linux",
        catalogue::Os::Windows => "win",
    });
    for (key, value) in [
        ("charging_mode", server.charging.digit()),
        ("vpc_id", &server.vpc_id),
        ("EcmResStatus", if frozen { "freeze" } else { "" }),
        ("metering.image_id", &server.image),
        ("metering.imagetype", "gold"),
        ("metering.resourcetype", "1"),
        ("metering.resourcespeccode", &format!("{}.{os}", server.flavor)),
        ("image_name", image.map_or("", |image| image.name)),
        ("os_type", image.map_or("Linux", |image| image.os.word())),
        ("os_bit", "64"),
    ] {
        metadata.insert(key.to_owned(), json!(value));
    }
    metadata
}

/// Private addresses, each followed by the EIP that is bound to it. While the network is not ready there are none.
fn addresses(region: &Region, server: &Server) -> Vec<Value> {
    if server.launched.is_none() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for (position, nic) in server.nics.iter().enumerate() {
        rows.push(json!({
            "addr": nic.address,
            "version": "4",
            "primary": position == 0,
            "OS-EXT-IPS:type": "fixed",
            "OS-EXT-IPS-MAC:mac_addr": nic.mac,
            "OS-EXT-IPS:port_id": nic.port_id,
        }));
        for public in region.addresses.values() {
            if public.port_id.as_ref() == Some(&nic.port_id) {
                rows.push(json!({
                    "addr": public.address,
                    "version": "4",
                    "primary": position == 0,
                    "OS-EXT-IPS:type": "floating",
                    "OS-EXT-IPS-MAC:mac_addr": nic.mac,
                    "OS-EXT-IPS:port_id": nic.port_id,
                }));
            }
        }
    }
    rows
}

fn network_interfaces(region: &Region, server: &Server) -> Vec<Value> {
    server
        .nics
        .iter()
        .enumerate()
        .map(|(position, nic)| {
            let public = region
                .addresses
                .values()
                .find(|public| public.port_id.as_ref() == Some(&nic.port_id));
            json!({
                "port_id": nic.port_id,
                "primary": position == 0,
                "ip_addresses": [nic.address],
                "ipv6_addresses": [],
                "subnet_id": nic.subnet_id,
                "association": public.map(|public| json!({"public_ip_address": public.address})),
            })
        })
        .collect()
}

fn blank(id: &str) -> Value {
    let mut row = Map::new();
    for key in [
        "name",
        "status",
        "OS-EXT-STS:vm_state",
        "OS-EXT-STS:task_state",
        "created",
        "updated",
        "auto_terminate_time",
        "flavor",
        "image",
        "metadata",
        "addresses",
        "security_groups",
        "os-extended-volumes:volumes_attached",
        "tags",
        "key_name",
        "user_id",
        "tenant_id",
        "OS-EXT-AZ:availability_zone",
    ] {
        row.insert(key.to_owned(), Value::Null);
    }
    row.insert("id".to_owned(), json!(id));
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use super::matches_somewhere;

    #[test]
    fn the_name_filter_looks_anywhere_and_takes_a_dot_for_any_character() {
        assert!(matches_somewhere("dev-ada-01", "ada"));
        assert!(matches_somewhere("dev-ada-01", "a.a"));
        assert!(matches_somewhere("开发机-甲", "机.甲"));
        assert!(!matches_somewhere("dev-ada-01", "bo"));
        assert!(!matches_somewhere("a", "a."));
    }
}
