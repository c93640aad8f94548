//! Reading disks.

use serde_json::{Map, Value, json};

use super::{Call, Result, existing};
use crate::{
    catalogue,
    faults::Fault,
    services::{bare_micros, page},
    wire::Answer,
    world::{Region, Volume, VolumeStatus},
};

pub(super) fn show(region: &Region, id: &str) -> Result<Answer> {
    let volume = existing(region, id)?;
    Ok(Answer::json(200, &json!({"volume": row(region, volume)})))
}

pub(super) fn list(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let limit = call
        .limit(1000, 1000)
        .ok_or_else(|| Fault::bad("EVS.1023", "The limit must be from 1 to 1000."))?;
    let types: Vec<&str> = match call.request.query_value("volume_type_id") {
        None => catalogue::DISK_TYPES.iter().map(|kind| kind.name).collect(),
        Some(id) => {
            let sold = catalogue::DISK_TYPES.iter().filter(|kind| kind.id == id);
            sold.map(|kind| kind.name).collect()
        }
    };
    let mut wanted: Vec<&Volume> = region
        .volumes
        .values()
        .filter(|volume| is_wanted(call, volume) && types.contains(&volume.kind.as_str()))
        .collect();
    sort(call, &mut wanted)?;
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
            .ok_or_else(|| Fault::bad("EVS.1024", "invalid filter marker!"))?,
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

/// Newest first, unless asked for otherwise.
fn sort(call: &Call<'_>, disks: &mut [&Volume]) -> Result<()> {
    match call.request.query_value("sort_key").as_deref() {
        None | Some("created_at") => {
            disks.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)))
        }
        Some("id") => disks.sort_by(|a, b| a.id.cmp(&b.id)),
        Some("name") => disks.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id))),
        Some("size") => disks.sort_by(|a, b| a.size_gb.cmp(&b.size_gb).then_with(|| a.id.cmp(&b.id))),
        Some("status") => {
            disks.sort_by(|a, b| a.status.word().cmp(b.status.word()).then_with(|| a.id.cmp(&b.id)));
        }
        Some(_) => return Err(Fault::bad("EVS.1039", "invalid sort_key!")),
    }
    match call.request.query_value("sort_dir").as_deref() {
        None | Some("desc") => disks.reverse(),
        Some("asc") => {}
        Some(_) => return Err(Fault::bad("EVS.1040", "invalid sort_dir!")),
    }
    Ok(())
}

fn is_wanted(call: &Call<'_>, volume: &Volume) -> bool {
    let is = |key: &str, value: &str| call.request.query_value(key).is_none_or(|wanted| wanted == value);
    is("name", &volume.name)
        && is("status", volume.status.word())
        && is("availability_zone", &volume.zone)
        && is("server_id", volume.server_id.as_deref().unwrap_or_default())
        && is("multiattach", if volume.shared { "true" } else { "false" })
        && is("service_type", "EVS")
        && call
            .request
            .query_value("enterprise_project_id")
            .is_none_or(|wanted| wanted == "0" || wanted == "all_granted_eps")
        // ids=['id1','id2'], which counts instead of id.
        && match call.request.query_value("ids") {
            Some(ids) => ids
                .split(|c: char| !c.is_ascii_hexdigit() && c != '-')
                .any(|id| id == volume.id),
            None => is("id", &volume.id),
        }
}

pub(super) fn row(region: &Region, volume: &Volume) -> Value {
    // A disk on its way to a server is not attached to it yet, one on its way back still is.
    let is_attached = !matches!(
        volume.status,
        VolumeStatus::Creating | VolumeStatus::Available | VolumeStatus::Attaching | VolumeStatus::Error
    );
    let attachments: Vec<Value> = volume
        .server_id
        .iter()
        .filter(|_| is_attached)
        .map(|server| {
            json!({
                "id": volume.id,
                "volume_id": volume.id,
                "attachment_id": volume.id,
                "server_id": server,
                "device": volume.device,
                "host_name": format!("pod01.{}", volume.zone),
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
    let mut row = json!({
        "id": volume.id,
        "name": volume.name,
        "status": volume.status.word(),
        "description": volume.description,
        "size": volume.size_gb,
        "volume_type": volume.kind,
        "availability_zone": volume.zone,
        "attachments": attachments,
        "bootable": volume.bootable.to_string(),
        "multiattach": volume.shared,
        "shareable": volume.shared.to_string(),
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
    });
    if let Some(row) = row.as_object_mut() {
        say_performance(row, volume);
    }
    row
}

fn say_performance(row: &mut Map<String, Value>, volume: &Volume) {
    for (key, value) in [("iops", volume.iops), ("throughput", volume.throughput)] {
        if let Some(value) = value {
            row.insert(
                key.to_owned(),
                json!({"frozened": false, "id": volume.id, "total_val": value}),
            );
        }
    }
}
