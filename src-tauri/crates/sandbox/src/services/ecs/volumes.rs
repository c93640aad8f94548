//! A server's disks.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Result, body, invalid, usable, visible, visible_mut, wrong_state};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{AttachedDisk, Charging, Faults, JobOf, Region, Server, VmState, VolumeStatus},
};

/// Most disks of a server, the system disk among them.
pub(in crate::services) const MOST: usize = 24;

#[derive(Debug, Deserialize)]
struct Body {
    #[serde(rename = "volumeAttachment")]
    attachment: Attachment,
    dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Attachment {
    #[serde(rename = "volumeId")]
    volume: String,
    device: Option<String>,
}

fn row(region: &Region, server: &Server, disk: &AttachedDisk) -> Value {
    json!({
        "id": disk.volume_id,
        "volumeId": disk.volume_id,
        "serverId": server.id,
        "device": disk.device,
        "bootIndex": if disk.system { 0 } else { -1 },
        "size": region.volumes.get(&disk.volume_id).map(|volume| volume.size_gb),
        "bus": "virtio",
        "pciAddress": format!("0000:02:{:02x}.0", disk.device.bytes().last().unwrap_or_default().saturating_sub(b'a') + 1),
    })
}

pub(super) fn list(region: &Region, id: &str) -> Result<Answer> {
    let server = visible(region, id)?;
    let rows: Vec<Value> = server
        .disks
        .iter()
        .map(|disk| row(region, server, disk))
        .collect();
    let free = MOST.saturating_sub(rows.len());
    Ok(Answer::json(
        200,
        &json!({
            "attachableQuantity": {"free_scsi": free, "free_blk": free, "free_disk": free},
            "volumeAttachments": rows,
        }),
    ))
}

fn not_attached(volume: &str) -> Fault {
    Fault::bad(
        "Ecs.0111",
        format!("The disk {volume} is not attached to the server."),
    )
}

pub(super) fn show(region: &Region, id: &str, volume: &str) -> Result<Answer> {
    let server = visible(region, id)?;
    let disk = server.disks.iter().find(|disk| disk.volume_id == volume);
    let disk = disk.ok_or_else(|| not_attached(volume))?;
    Ok(Answer::json(
        200,
        &json!({"volumeAttachment": row(region, server, disk)}),
    ))
}

#[derive(Debug, Deserialize)]
struct Change {
    block_device: Marking,
}

#[derive(Debug, Deserialize)]
struct Marking {
    delete_on_termination: bool,
}

/// Says whether a data disk goes with its server.
pub(super) fn update(call: &Call<'_>, region: &mut Region, id: &str, volume: &str) -> Result<Answer> {
    let Change { block_device } = body(call)?;
    let bound = region
        .volumes
        .get(volume)
        .is_some_and(|disk| disk.shared || disk.by_period);
    let server = visible_mut(region, id)?;
    let disk = server.disks.iter_mut().find(|disk| disk.volume_id == volume);
    let disk = disk.ok_or_else(|| not_attached(volume))?;
    if bound || disk.system {
        return Err(invalid(
            "delete_on_termination cannot be set for a system, shared or yearly/monthly disk",
        ));
    }
    disk.delete_on_termination = block_device.delete_on_termination;
    server.updated = call.now;
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "updateVolume", (id, &name), 200));
    Ok(Answer::empty(200))
}

pub(super) fn attach(call: &Call<'_>, region: &mut Region, faults: &mut Faults, id: &str) -> Result<Answer> {
    let body: Body = body(call)?;
    let wanted = body.attachment;
    let server = usable(region, faults, id)?;
    if server.disks.iter().any(|disk| disk.volume_id == wanted.volume) {
        return Err(Fault::bad(
            "Ecs.0057",
            format!("The disk {} is attached to the server already.", wanted.volume),
        ));
    }
    let volume = region
        .volumes
        .get(&wanted.volume)
        .filter(|volume| volume.status == VolumeStatus::Available)
        .ok_or_else(|| {
            Fault::bad(
                "Ecs.0103",
                format!("The disk {} does not exist or is not available.", wanted.volume),
            )
        })?;
    if volume.zone != server.zone {
        return Err(Fault::bad(
            "Ecs.0017",
            format!("The disk is in {}, the server in {}.", volume.zone, server.zone),
        ));
    }
    let on_it = |disk: &&crate::world::Volume| disk.server_id.as_deref() == Some(id);
    if region.volumes.values().filter(on_it).count() >= MOST {
        return Err(Fault::bad("Ecs.0104", "The server has no free slot for a disk."));
    }
    let device = match wanted.device.filter(|device| !device.is_empty()) {
        None => region.free_device(id),
        Some(device) => {
            let letter = ["/dev/vd", "/dev/sd"]
                .iter()
                .find_map(|start| device.strip_prefix(start))
                .filter(|rest| rest.len() == 1 && *rest != "a")
                .filter(|rest| rest.bytes().all(|c| c.is_ascii_lowercase()))
                .ok_or_else(|| invalid("device"))?;
            // Whatever it is asked for as, the guest sees a virtio disk.
            let device = format!("/dev/vd{letter}");
            if region.has_device(id, &device) {
                return Err(invalid("device is taken"));
            }
            device
        }
    };
    if body.dry_run == Some(true) {
        return Ok(Answer::empty(202));
    }
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "attachVolume", (id, &name), 200));
    let failing = faults.take_job(JobOf::Attach);
    let failing = failing.as_ref();
    let job = region.attach(id, &wanted.volume, device, failing, call.now, &call.pace);
    Ok(Answer::json(200, &json!({"job_id": job})))
}

pub(super) fn detach(
    call: &Call<'_>,
    region: &mut Region,
    faults: &mut Faults,
    id: &str,
    volume: &str,
) -> Result<Answer> {
    if !matches!(
        call.request.query_value("delete_flag").as_deref(),
        None | Some("0" | "1")
    ) {
        return Err(invalid("delete_flag"));
    }
    let server = usable(region, faults, id)?;
    let disk = server.disks.iter().find(|disk| disk.volume_id == volume);
    let disk = disk.ok_or_else(|| not_attached(volume))?;
    // A system disk can be taken from a server that is off, and never from one that is paid by the month.
    if disk.system && (server.state != VmState::Stopped || server.charging == Charging::Period) {
        return Err(wrong_state(id));
    }
    if region
        .volumes
        .get(volume)
        .is_none_or(|volume| volume.status != VolumeStatus::InUse)
    {
        return Err(Fault::bad(
            "Ecs.0103",
            format!("The status of disk {volume} does not allow this operation."),
        ));
    }
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "detachVolume", (id, &name), 200));
    let failing = faults.take_job(JobOf::Detach);
    let job = region.detach(id, volume, failing.as_ref(), call.now, &call.pace);
    Ok(Answer::json(200, &json!({"job_id": job})))
}
