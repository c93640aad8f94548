//! Elastic Volume Service: disks, and what kinds of them are sold.

mod change;
mod create;
mod disks;
mod jobs;

use http::Method;
use serde_json::{Map, Value, json};

use super::{
    Call, Result, quota, same_project,
    tags::{self, Tagging, Words},
};
use crate::{
    catalogue::{DISK_TYPES, DiskType},
    faults::Fault,
    wire::Answer,
    world::{Faults, Region, Volume},
};

/// The disk service's codes for tags.
const TAGS: Words = Words {
    too_many: "EVS.1061",
    length: "EVS.1062",
    characters: "EVS.1062",
    twice: "EVS.1062",
    request: "EVS.1070",
};

/// The right that a call needs, and the name under which the audit keeps it if it changes something.
fn route(call: &Call<'_>, segments: &[&str]) -> Option<(&'static str, Option<&'static str>)> {
    Some(match (&call.request.method, segments) {
        (&Method::POST, ["v2.1" | "v2", _, "cloudvolumes"]) => ("evs:volumes:create", Some("createVolume")),
        (&Method::POST, ["v2.1" | "v2", _, "cloudvolumes", _, "action"]) => {
            ("evs:volumes:extend", Some("extendVolume"))
        }
        (&Method::DELETE, ["v2", _, "cloudvolumes", _]) => ("evs:volumes:delete", Some("deleteVolume")),
        (&Method::PUT, ["v2", _, "cloudvolumes", _]) => ("evs:volumes:update", Some("updateVolume")),
        (&Method::GET, ["v2", _, "cloudvolumes", "detail"]) => ("evs:volumes:list", None),
        (&Method::GET, ["v2", _, "cloudvolumes", _]) => ("evs:volumes:get", None),
        (&Method::POST, ["v2", _, "cloudvolumes", _, "tags", "action"]) => {
            ("evs:volumeTags:create", Some("updateVolumeTags"))
        }
        (&Method::GET, ["v2", _, "cloudvolumes", _, "tags"]) => ("evs:volumeTags:get", None),
        (&Method::GET, ["v2", _, "types"]) => ("evs:types:get", None),
        (&Method::GET, ["v2", _, "os-quota-sets", _]) => ("evs:quotas:get", None),
        (&Method::GET, ["v1", _, "jobs", _]) => ("evs:jobs:get", None),
        _ => return None,
    })
}

pub(super) fn answer(call: &Call<'_>, region: &mut Region, faults: &mut Faults) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (action, trace) = route(call, &segments)
        .filter(|_| !segments.contains(&""))
        .ok_or_else(Fault::no_such_call)?;
    let result = if call.is_guest() {
        Err(Fault::denied("EVS.2056", action))
    } else {
        obey(call, region, faults, &segments)
    };
    if let (Err(fault), Some(name)) = (&result, trace) {
        let id = match segments.as_slice() {
            [_, _, "cloudvolumes", id, ..] => *id,
            _ => "",
        };
        let volume = region.volumes.get(id).map(|volume| volume.name.clone());
        let resource = (id, volume.as_deref().unwrap_or_default());
        region.trace(call.trace("EVS", "evs", name, resource, fault.status));
    }
    result
}

fn obey(call: &Call<'_>, region: &mut Region, faults: &mut Faults, segments: &[&str]) -> Result<Answer> {
    let [_, project, path @ ..] = segments else {
        return Err(Fault::no_such_call());
    };
    same_project(region, project, "Common.0018")?;
    match (&call.request.method, path) {
        (&Method::POST, ["cloudvolumes"]) => create::create(call, region, faults),
        (&Method::POST, ["cloudvolumes", id, "action"]) => change::extend(call, region, faults, id),
        (&Method::DELETE, ["cloudvolumes", id]) => change::delete(call, region, faults, id),
        (&Method::PUT, ["cloudvolumes", id]) => change::update(call, region, id),
        (&Method::GET, ["cloudvolumes", "detail"]) => disks::list(call, region),
        (&Method::GET, ["cloudvolumes", id]) => disks::show(region, id),
        (&Method::POST, ["cloudvolumes", id, "tags", "action"]) => tag(call, region, id),
        (&Method::GET, ["cloudvolumes", id, "tags"]) => {
            let rows = tags::rows(&existing(region, id)?.tags);
            Ok(Answer::json(200, &json!({"tags": rows})))
        }
        (&Method::GET, ["types"]) => {
            let rows: Vec<Value> = DISK_TYPES.iter().map(|row| disk_type(region, row)).collect();
            Ok(Answer::json(200, &json!({"volume_types": rows})))
        }
        (&Method::GET, ["os-quota-sets", target]) => quotas(call, region, target),
        (&Method::GET, ["jobs", id]) => jobs::show(region, id),
        _ => Err(Fault::no_such_call()),
    }
}

/// The disk with this id. What is no UUID is refused as such; an unknown one is answered in the native words.
fn existing<'r>(region: &'r Region, id: &str) -> Result<&'r Volume> {
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(Fault::bad("EVS.1002", "invalid volume id!"));
    }
    region
        .volumes
        .get(id)
        .ok_or_else(|| Fault::item_not_found(format!("Volume {id} could not be found.")))
}

fn tag(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let tagging: Tagging = call.body("EVS.1052", "EVS.1070")?;
    existing(region, id)?;
    if let Some(volume) = region.volumes.get_mut(id) {
        tags::apply(&tagging, &mut volume.tags, &TAGS)?;
        volume.updated = call.now;
        let name = volume.name.clone();
        region.trace(call.trace("EVS", "evs", "updateVolumeTags", (id, &name), 204));
    }
    Ok(Answer::empty(204))
}

fn quotas(call: &Call<'_>, region: &Region, target: &str) -> Result<Answer> {
    if call
        .request
        .query_value("usage")
        .is_none_or(|usage| !usage.eq_ignore_ascii_case("true"))
    {
        return Err(Fault::bad("EVS.1033", "query quota failed! usage must be true."));
    }
    same_project(region, target, "Common.0018")?;
    let row = |in_use: u64, limit: i64| json!({"in_use": in_use, "limit": limit, "reserved": 0});
    let count = |kind: Option<&str>| {
        let disks = region.volumes.values();
        let of_kind = disks.filter(|disk| kind.is_none_or(|kind| disk.kind == kind));
        of_kind.fold((0_u64, 0_u64), |(number, size), disk| {
            (number + 1, size + u64::from(disk.size_gb))
        })
    };
    let (number, size) = count(None);
    let mut set = Map::new();
    let mut say = |key: String, value: Value| {
        set.insert(key, value);
    };
    say("id".to_owned(), json!(target));
    say(
        "volumes".to_owned(),
        row(number, i64::try_from(quota::DISKS).unwrap_or(-1)),
    );
    say("gigabytes".to_owned(), row(size, i64::from(quota::GIGABYTES)));
    say("snapshots".to_owned(), row(0, 180));
    say("backups".to_owned(), row(0, 100));
    say("backup_gigabytes".to_owned(), row(0, 5120));
    say("per_volume_gigabytes".to_owned(), row(0, 32_768));
    for kind in DISK_TYPES.iter().map(|kind| kind.name).chain(["SATA"]) {
        let (number, size) = count(Some(kind));
        say(format!("volumes_{kind}"), row(number, -1));
        say(format!("gigabytes_{kind}"), row(size, -1));
        say(format!("snapshots_{kind}"), row(0, -1));
    }
    Ok(Answer::json(200, &json!({"quota_set": set})))
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
