//! Making disks, free or for a server.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Result, TAGS, quota};
use crate::{
    catalogue,
    faults::Fault,
    services::{
        ecs::{MOST_DISKS, performance_fits},
        tags,
        tokens::{Known, Token},
    },
    wire::Answer,
    world::{Charging, Faults, Region, VmState, VolumeOrder},
};

#[derive(Debug, Deserialize)]
struct Body {
    volume: Wanted,
    server_id: Option<String>,
    #[serde(rename = "bssParam")]
    billing: Option<Billing>,
}

#[derive(Debug, Deserialize)]
struct Billing {
    #[serde(rename = "chargingMode")]
    charging_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    availability_zone: String,
    volume_type: String,
    size: Option<i64>,
    name: Option<String>,
    description: Option<String>,
    count: Option<i64>,
    multiattach: Option<bool>,
    #[serde(rename = "imageRef")]
    image: Option<String>,
    snapshot_id: Option<String>,
    backup_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    iops: Option<u32>,
    throughput: Option<u32>,
    metadata: Option<BTreeMap<String, Value>>,
}

pub(super) fn create(call: &Call<'_>, region: &mut Region, faults: &mut Faults) -> Result<Answer> {
    let text: Value = call.body("EVS.1052", "EVS.1052")?;
    let body: Body = call.body("EVS.1052", "EVS.1008")?;
    let token = match call.request.header("x-client-token") {
        Some(token) => Some(
            Token::read(call, "evs", &token, &text)
                .ok_or_else(|| Fault::bad("EVS.1070", "The X-Client-Token is not a UUID."))?,
        ),
        None => None,
    };
    match token
        .as_ref()
        .map_or(Known::New, |token| token.known(call, region))
    {
        // How long a token holds here is not documented: one that is too old counts as new.
        Known::New | Known::Expired => {}
        Known::Answered(answer) => return Ok(Answer::json(202, &answer)),
        Known::OtherBody => {
            return Err(Fault::bad(
                "EVS.1070",
                "The X-Client-Token has been used with another request body.",
            ));
        }
    }
    let with_ids = body
        .volume
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.get("create_for_volume_id"))
        .is_some_and(|value| value == "true" || value == true);
    let order = check(call, region, body)?;
    refuse_restricted(faults)?;
    let failing = faults.failing_disk.take();
    let (job, ids) = region.create_volumes(&order, failing.as_ref(), call.now, &call.pace);
    for id in &ids {
        region.trace(call.trace("EVS", "evs", "createVolume", (id, &order.name), 202));
    }
    let answer = if with_ids {
        json!({"job_id": job, "volume_ids": ids})
    } else {
        json!({"job_id": job})
    };
    if let Some(token) = token {
        token.keep(call, region, &answer);
    }
    Ok(Answer::json(202, &answer))
}

/// Nothing new is sold to a restricted account.
pub(super) fn refuse_restricted(faults: &Faults) -> Result<()> {
    match faults.restriction {
        Some(restriction) if restriction.freezes() => Err(Fault::forbidden(
            "EVS.2144",
            "Your account is frozen and resources cannot be used.",
        )),
        Some(_) => Err(Fault::forbidden(
            "EVS.1027",
            "The account is not allowed to perform this operation.",
        )),
        None => Ok(()),
    }
}

fn check(call: &Call<'_>, region: &Region, body: Body) -> Result<VolumeOrder> {
    let Body {
        volume: wanted,
        server_id,
        billing,
    } = body;
    match billing.and_then(|billing| billing.charging_mode).as_deref() {
        None | Some("postPaid") => {}
        Some("prePaid") => {
            return Err(Fault::bad(
                "EVS.1067",
                "The order could not be created: the sandbox sells nothing by the month.",
            ));
        }
        Some(_) => return Err(Fault::bad("EVS.2147", "invalid bssParam.")),
    }
    let count = u32::try_from(wanted.count.unwrap_or(1))
        .ok()
        .filter(|count| (1..=100).contains(count))
        .ok_or_else(|| Fault::bad("EVS.1021", "the quantity of volume is invalid!"))?;
    let name = wanted.name.unwrap_or_default();
    if name.len() > if count > 1 { 250 } else { 255 } {
        return Err(Fault::bad("EVS.1003", "invalid volume name!"));
    }
    let description = wanted.description.unwrap_or_default();
    if description.len() > 255 {
        return Err(Fault::bad("EVS.1004", "invalid volume description!"));
    }
    if wanted.snapshot_id.is_some_and(|id| !id.is_empty()) {
        return Err(Fault::bad("EVS.2045", "invalid snapshot_id!"));
    }
    if wanted.backup_id.is_some_and(|id| !id.is_empty()) {
        return Err(Fault::bad("EVS.1006", "invalid backup id!"));
    }
    if !region.zones().any(|zone| zone == wanted.availability_zone) {
        return Err(Fault::bad("EVS.1036", "invalid availability zone!"));
    }
    let kind = catalogue::disk_type(&wanted.volume_type)
        .ok_or_else(|| Fault::bad("EVS.1020", "invalid volume type!"))?;
    if kind
        .sold_out
        .iter()
        .any(|letter| wanted.availability_zone.ends_with(letter))
    {
        return Err(Fault::bad(
            "EVS.2072",
            format!(
                "Volume type [{}] in availability zone [{}] is sold out !",
                kind.name, wanted.availability_zone
            ),
        ));
    }
    let image = match wanted.image.as_deref().filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => Some(catalogue::image(id).ok_or_else(|| Fault::bad("EVS.2046", "invalid imageRef!"))?),
    };
    let sizes = match image {
        Some(image) => image.min_disk_gb..=1024,
        None => 10..=32_768,
    };
    let size_gb = wanted
        .size
        .and_then(|size| u32::try_from(size).ok())
        .filter(|size| sizes.contains(size))
        .ok_or_else(|| Fault::bad("EVS.1010", "invalid volume size!"))?;
    if !performance_fits(kind, size_gb, wanted.iops, wanted.throughput) {
        return Err(Fault::bad(
            "EVS.1009",
            "invalid volumeForCreate! iops or throughput.",
        ));
    }
    let given: Vec<tags::Tag> = wanted
        .tags
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| tags::Tag::new(key, value))
        .collect();
    let tags = tags::read(&given, &TAGS)?;

    let number = usize::try_from(count).unwrap_or(usize::MAX);
    let server_id = server_id.filter(|id| !id.is_empty());
    let mut by_period = false;
    if let Some(id) = &server_id {
        let server = region
            .visible_server(id)
            .ok_or_else(|| Fault::bad("EVS.2131", "Query server info from ecs fail"))?;
        if server.zone != wanted.availability_zone {
            return Err(Fault::bad("EVS.1036", "invalid availability zone!"));
        }
        let taken = region
            .volumes
            .values()
            .filter(|disk| disk.server_id.as_ref() == Some(id))
            .count();
        let settled = server.task.is_none() && server.state != VmState::Building && !server.locked;
        if !settled || taken.saturating_add(number) > MOST_DISKS {
            return Err(Fault::bad("EVS.2134", "call ecs api - attach volume fail."));
        }
        by_period = server.charging == Charging::Period;
    }
    if region.volumes.len().saturating_add(number) > quota::DISKS {
        return Err(Fault::bad(
            "EVS.1034",
            "volume count exceeded volume count quota!",
        ));
    }
    let wanted_gb = size_gb.saturating_mul(count);
    if quota::gigabytes(region).saturating_add(wanted_gb) > quota::GIGABYTES {
        return Err(Fault::bad(
            "EVS.1042",
            "volume gigabytes exceeded volume gigabytes quota!",
        ));
    }
    Ok(VolumeOrder {
        user_id: call.user.id.to_owned(),
        count,
        name,
        description,
        size_gb,
        kind: kind.name.to_owned(),
        zone: wanted.availability_zone,
        image: image.map(|image| image.id.to_owned()),
        shared: wanted.multiattach.unwrap_or(false),
        iops: wanted.iops,
        throughput: wanted.throughput,
        tags,
        server_id,
        by_period,
    })
}
