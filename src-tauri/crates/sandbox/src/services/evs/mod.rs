//! Elastic Volume Service: disks and what kinds of them are sold.

use http::Method;
use serde_json::{Value, json};

use super::{Call, Result, bare_micros, page, same_project};
use crate::{
    catalogue::{self, DISK_TYPES, DiskType},
    faults::Fault,
    wire::Answer,
    world::{Region, Volume},
};

pub(super) fn answer(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if call.request.method != Method::GET {
        return Err(Fault::no_such_call());
    }
    match segments.as_slice() {
        ["v2", project, "cloudvolumes", "detail"] => {
            allowed(call, "evs:volumes:list")?;
            same_project(region, project, "Common.0018")?;
            list(call, region)
        }
        ["v2", project, "types"] => {
            allowed(call, "evs:types:get")?;
            same_project(region, project, "Common.0018")?;
            let rows: Vec<Value> = DISK_TYPES.iter().map(|row| disk_type(region, row)).collect();
            Ok(Answer::json(200, &json!({"volume_types": rows})))
        }
        // Jobs of the server host are not known here.
        ["v1", project, "jobs", _] => {
            same_project(region, project, "Common.0018")?;
            Err(Fault::bad("Common.0011", "The job does not exist."))
        }
        _ => Err(Fault::no_such_call()),
    }
}

fn allowed(call: &Call<'_>, action: &str) -> Result<()> {
    if call.is_guest() {
        return Err(Fault::forbidden(
            "EVS.2056",
            format!("Policy doesn't allow {action} to be performed."),
        ));
    }
    Ok(())
}

fn list(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let limit = call
        .limit(1000, 1000)
        .ok_or_else(|| Fault::bad("EVS.1023", "The limit must be from 1 to 1000."))?;
    let wanted: Vec<&Volume> = region
        .volumes
        .values()
        .filter(|volume| is_wanted(call, volume))
        .collect();
    let rows = match (
        call.request.query_value("marker"),
        call.request.query_value("offset"),
    ) {
        (None, Some(offset)) => {
            let offset: usize = offset
                .parse()
                .map_err(|_| Fault::bad("EVS.1023", "The offset is invalid."))?;
            let rest = wanted.get(offset..).unwrap_or_default();
            rest.get(..limit).unwrap_or(rest)
        }
        (marker, _) => page(&wanted, |volume| &volume.id, marker.as_deref(), limit)
            .ok_or_else(|| Fault::bad("EVS.1024", "The marker is invalid."))?,
    };
    Ok(Answer::json(
        200,
        &json!({
            "count": wanted.len(),
            "volumes": rows.iter().map(|volume| row(region, volume)).collect::<Vec<_>>(),
            "volumes_links": [],
        }),
    ))
}

fn is_wanted(call: &Call<'_>, volume: &Volume) -> bool {
    let is = |key: &str, value: &str| call.request.query_value(key).is_none_or(|wanted| wanted == value);
    is("name", &volume.name)
        && is("status", volume.status.word())
        && is("availability_zone", &volume.zone)
        && is("server_id", volume.server_id.as_deref().unwrap_or_default())
        && is("id", &volume.id)
        // ids=['id1','id2']
        && call.request.query_value("ids").is_none_or(|ids| ids.contains(&volume.id))
}

fn row(region: &Region, volume: &Volume) -> Value {
    let attachments: Vec<Value> = volume
        .server_id
        .iter()
        .map(|server| {
            json!({
                "id": volume.id,
                "volume_id": volume.id,
                "attachment_id": volume.id,
                "server_id": server,
                "device": volume.device,
                "host_name": null,
                "attached_at": bare_micros(volume.updated),
            })
        })
        .collect();
    let image_metadata = volume
        .image
        .as_deref()
        .and_then(catalogue::image)
        .map_or_else(
            || json!({}),
            |image| json!({"image_id": image.id, "image_name": image.name, "min_disk": image.min_disk_gb.to_string()}),
        );
    json!({
        "id": volume.id,
        "name": volume.name,
        "status": volume.status.word(),
        "description": "",
        "size": volume.size_gb,
        "volume_type": volume.kind,
        "availability_zone": volume.zone,
        "attachments": attachments,
        "bootable": volume.bootable.to_string(),
        "multiattach": false,
        "shareable": "false",
        "encrypted": false,
        "snapshot_id": null,
        "source_volid": null,
        "consistencygroup_id": null,
        "created_at": bare_micros(volume.created),
        "updated_at": bare_micros(volume.updated),
        "metadata": {"hw:passthrough": "false"},
        "volume_image_metadata": image_metadata,
        "tags": volume.tags,
        "user_id": volume.user_id,
        "service_type": "EVS",
        "enterprise_project_id": "0",
        "wwn": format!("688860300{}", volume.id.replace('-', "").chars().take(23).collect::<String>()),
        "replication_status": "disabled",
        "os-vol-host-attr:host": format!("example.{}", region.id),
        "os-vol-tenant-attr:tenant_id": region.project_id,
        "os-vol-mig-status-attr:migstat": null,
        "os-vol-mig-status-attr:name_id": null,
        "os-volume-replication:extended_status": null,
        "links": [],
    })
}

fn disk_type(region: &Region, row: &DiskType) -> Value {
    let zones: Vec<String> = region.zones().collect();
    let sold_out: Vec<&str> = zones
        .iter()
        .map(String::as_str)
        .filter(|zone| row.sold_out.iter().any(|letter| zone.ends_with(letter)))
        .collect();
    let zone_list = zones.join(",");
    let mut extra = json!({
        "volume_backend_name": row.name,
        "availability-zone": zone_list,
        "RESKEY:availability_zones": zone_list,
        "HW:availability_zone": zone_list,
    });
    if !sold_out.is_empty()
        && let Some(extra) = extra.as_object_mut()
    {
        extra.insert(
            "os-vendor-extended:sold_out_availability_zones".to_owned(),
            json!(sold_out.join(",")),
        );
    }
    json!({
        "id": row.id,
        "name": row.name,
        "description": null,
        "qos_specs_id": null,
        "is_public": true,
        "extra_specs": extra,
    })
}
