//! What servers can be made of, and where.

use serde_json::{Map, Value, json};

use super::{Call, Result, invalid, no_such_server};
use crate::{
    catalogue::{self, Architecture, FLAVORS, Flavor, Sale, ZONES},
    services::page,
    wire::Answer,
    world::Region,
};

pub(super) fn flavors(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let limit = call.limit(1000, 1000).ok_or_else(|| invalid("limit"))?;
    let zone = call.request.query_value("availability_zone");
    if let Some(zone) = &zone
        && region.zones().all(|known| known != *zone)
    {
        return Err(invalid("availability_zone"));
    }
    let id = call.request.query_value("flavor_id");
    let wanted: Vec<&Flavor> = FLAVORS
        .iter()
        .filter(|flavor| id.as_ref().is_none_or(|id| id == flavor.id))
        .collect();
    let marker = call.request.query_value("marker");
    let rows =
        page(&wanted, |flavor| flavor.id, marker.as_deref(), limit).ok_or_else(|| invalid("marker"))?;
    let rows: Vec<Value> = rows.iter().map(|row| flavor(region, row)).collect();
    Ok(Answer::json(200, &json!({"flavors": rows})))
}

fn flavor(region: &Region, flavor: &Flavor) -> Value {
    let per_zone: Vec<String> = ZONES
        .iter()
        .map(|letter| format!("{}{letter}({})", region.id, flavor.sale_in(letter).word()))
        .collect();
    let mut extra = Map::new();
    let mut say = |key: &str, value: String| {
        extra.insert(key.to_owned(), Value::String(value));
    };
    say("ecs:performancetype", flavor.kind.to_owned());
    say("ecs:generation", flavor.generation.to_owned());
    say("ecs:virtualization_env_types", "CloudCompute".to_owned());
    say("hw:numa_nodes", "1".to_owned());
    say("resource_type", format!("IOoptimized{}", flavor.generation));
    say("info:cpu:name", flavor.cpu.to_owned());
    say("quota:max_rate", flavor.bandwidth_mbps.to_string());
    say("quota:min_rate", (flavor.bandwidth_mbps / 5).to_string());
    say("cond:compute", "autorecovery".to_owned());
    // An absent status means normal.
    if flavor.sale != Sale::Normal {
        say("cond:operation:status", flavor.sale.word().to_owned());
    }
    if !flavor.exceptions.is_empty() {
        say("cond:operation:az", per_zone.join(","));
    }
    if flavor.architecture == Architecture::Arm {
        say("ecs:instance_architecture", "arm64".to_owned());
    }
    if !flavor.leasable {
        // Local disks go on costing while the server is stopped.
        say("quota:local_disk", "HDD:2:1675:40000".to_owned());
        say("cond:operation:charge:stop", "charge".to_owned());
    }
    json!({
        "id": flavor.id,
        "name": flavor.id,
        "vcpus": flavor.vcpus.to_string(),
        "ram": flavor.ram_mb,
        "disk": "0",
        "swap": "",
        "rxtx_factor": 1.0,
        "rxtx_quota": null,
        "rxtx_cap": null,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": false,
        "os-flavor-access:is_public": true,
        "links": [{
            "rel": "self",
            "href": format!("https://ecs.example.test/v1/{}/cloudservers/flavors/{}", region.project_id, flavor.id),
            "type": null,
        }],
        "attachableQuantity": {"free_scsi": 23, "free_blk": 23, "free_disk": 23, "free_nic": 12},
        "os_extra_specs": extra,
    })
}

pub(super) fn zones(region: &Region) -> Answer {
    let rows: Vec<Value> = region
        .zones()
        .zip(1_u32..)
        .map(|(zone, number)| {
            json!({
                "availability_zone_id": zone,
                "type": "Core",
                "mode": "shared",
                "alias": format!("AZ{number}"),
                "az_group_ids": [],
                "public_border_group": "center",
                "category": 0,
            })
        })
        .collect();
    Answer::json(200, &json!({"availability_zones": rows}))
}

pub(super) fn native_zones(region: &Region) -> Answer {
    let rows: Vec<Value> = region
        .zones()
        .map(|zone| json!({"zoneName": zone, "zoneState": {"available": true}, "hosts": null}))
        .collect();
    Answer::json(200, &json!({"availabilityZoneInfo": rows}))
}

/// Whether a server of one flavor can become one of the other: same processor architecture, and no local disks, which
/// cannot be taken along.
pub(super) fn can_become(from: &Flavor, to: &Flavor) -> bool {
    from.architecture == to.architecture && from.leasable && to.leasable
}

/// The flavors that a server or a flavor can be changed to.
pub(super) fn resize_flavors(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let request = call.request;
    let limit = call.limit(1000, 1000).ok_or_else(|| invalid("limit"))?;
    let source = match request.query_value("instance_uuid") {
        Some(id) => {
            let server = region.visible_server(&id).ok_or_else(|| no_such_server(&id))?;
            Some(server.flavor.clone())
        }
        None => request
            .query_value("source_flavor_id")
            .or_else(|| request.query_value("source_flavor_name")),
    };
    let source = source
        .as_deref()
        .and_then(catalogue::flavor)
        .ok_or_else(|| invalid("one of instance_uuid, source_flavor_id and source_flavor_name is needed"))?;
    let mut wanted: Vec<&Flavor> = FLAVORS
        .iter()
        .filter(|flavor| {
            flavor.id != source.id && flavor.sale != Sale::Abandoned && can_become(source, flavor)
        })
        .collect();
    match request.query_value("sort_key").as_deref() {
        None | Some("flavorid" | "name" | "sort_key" | "root_gb") => wanted.sort_by_key(|flavor| flavor.id),
        Some("memory_mb") => wanted.sort_by_key(|flavor| (flavor.ram_mb, flavor.id)),
        Some("vcpus") => wanted.sort_by_key(|flavor| (flavor.vcpus, flavor.id)),
        Some(_) => return Err(invalid("sort_key")),
    }
    match request.query_value("sort_dir").as_deref() {
        None | Some("asc") => {}
        Some("desc") => wanted.reverse(),
        Some(_) => return Err(invalid("sort_dir")),
    }
    let marker = request.query_value("marker");
    let rows =
        page(&wanted, |flavor| flavor.id, marker.as_deref(), limit).ok_or_else(|| invalid("marker"))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = flavor(region, row);
            // The same row as in the list of all flavors, but for the names of two fields.
            if let Some(row) = row.as_object_mut() {
                let extra = row.remove("os_extra_specs").unwrap_or_default();
                row.remove("attachableQuantity");
                row.insert("extra_specs".to_owned(), extra);
                row.insert("instance_quota".to_owned(), json!({}));
            }
            row
        })
        .collect();
    Ok(Answer::json(200, &json!({"flavors": rows})))
}
