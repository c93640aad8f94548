//! Growing, renaming and deleting disks.

use serde::Deserialize;
use serde_json::json;

use super::{Call, Result, create::refuse_restricted, disks, existing, quota};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{Faults, JobOf, Region, VmState, VolumeStatus},
};

#[derive(Debug, Deserialize)]
struct Growth {
    #[serde(rename = "os-extend")]
    extend: Extend,
}

#[derive(Debug, Deserialize)]
struct Extend {
    new_size: i64,
}

pub(super) fn extend(call: &Call<'_>, region: &mut Region, faults: &mut Faults, id: &str) -> Result<Answer> {
    let Growth { extend } = call.body("EVS.1052", "EVS.1011")?;
    let disk = existing(region, id)?;
    let most = if disk.bootable { 1024 } else { 32_768 };
    let size_gb = u32::try_from(extend.new_size)
        .ok()
        .filter(|size| (1..=most).contains(size))
        .ok_or_else(|| Fault::bad("EVS.1010", "invalid volume size!"))?;
    if size_gb <= disk.size_gb {
        return Err(Fault::bad(
            "EVS.1015",
            "new volume Size must be greater than old Size!",
        ));
    }
    match disk.status {
        VolumeStatus::Available => {}
        VolumeStatus::InUse if disk.shared => {
            return Err(Fault::bad(
                "EVS.1065",
                "shared volume status must be available when extending!",
            ));
        }
        VolumeStatus::InUse => {
            let server = disk.server_id.as_ref().and_then(|id| region.servers.get(id));
            let settled = server.is_some_and(|server| {
                server.task.is_none() && matches!(server.state, VmState::Active | VmState::Stopped)
            });
            if !settled {
                return Err(Fault::bad(
                    "EVS.1066",
                    "server status must be ACTIVE or SHUTOFF when extending an attached volume!",
                ));
            }
        }
        _ => {
            return Err(Fault::bad(
                "EVS.1064",
                "volume status must be available or in-use when extending!",
            ));
        }
    }
    let more = size_gb.saturating_sub(disk.size_gb);
    if quota::gigabytes(region).saturating_add(more) > quota::GIGABYTES {
        return Err(Fault::bad(
            "EVS.1042",
            "volume gigabytes exceeded volume gigabytes quota!",
        ));
    }
    refuse_restricted(faults)?;
    let name = disk.name.clone();
    region.trace(call.trace("EVS", "evs", "extendVolume", (id, &name), 202));
    let failing = faults.failing_disk.take();
    let job = region.extend(id, size_gb, failing, call.now, &call.pace);
    Ok(Answer::json(202, &json!({"job_id": job})))
}

pub(super) fn delete(call: &Call<'_>, region: &mut Region, faults: &mut Faults, id: &str) -> Result<Answer> {
    let disk = existing(region, id)?;
    if disk.by_period {
        return Err(Fault::bad("EVS.1035", "periodic volume can not be deleted!"));
    }
    if !matches!(
        disk.status,
        VolumeStatus::Available
            | VolumeStatus::Error
            | VolumeStatus::ErrorExtending
            | VolumeStatus::ErrorDeleting
    ) || disk.server_id.is_some()
    {
        return Err(Fault::bad(
            "EVS.1046",
            "volume status must be available or error when deleting!",
        ));
    }
    let name = disk.name.clone();
    region.trace(call.trace("EVS", "evs", "deleteVolume", (id, &name), 200));
    let failing = faults.take_job(JobOf::DeleteDisk);
    let job = region.delete_volume(id, failing.as_ref(), call.now, &call.pace);
    Ok(Answer::json(200, &json!({"job_id": job})))
}

#[derive(Debug, Deserialize)]
struct Update {
    volume: Words,
}

#[derive(Debug, Deserialize)]
struct Words {
    name: Option<String>,
    description: Option<String>,
}

pub(super) fn update(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let Update { volume: words } = call.body("EVS.1052", "EVS.1001")?;
    existing(region, id)?;
    if words.name.is_none() && words.description.is_none() {
        return Err(Fault::bad("EVS.1001", "null volume!"));
    }
    if words.name.as_ref().is_some_and(|name| name.len() > 255) {
        return Err(Fault::bad("EVS.1003", "invalid volume name!"));
    }
    if words.description.as_ref().is_some_and(|text| text.len() > 255) {
        return Err(Fault::bad("EVS.1004", "invalid volume description!"));
    }
    let mut name = String::new();
    if let Some(disk) = region.volumes.get_mut(id) {
        disk.name = words.name.unwrap_or_else(|| disk.name.clone());
        disk.description = words.description.unwrap_or_else(|| disk.description.clone());
        disk.updated = call.now;
        name.clone_from(&disk.name);
    }
    region.trace(call.trace("EVS", "evs", "updateVolume", (id, &name), 200));
    // Not wrapped, unlike the answer that shows a disk.
    let row = disks::row(region, existing(region, id)?);
    Ok(Answer::json(200, &row))
}
