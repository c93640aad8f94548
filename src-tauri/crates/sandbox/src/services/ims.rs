//! Image Management Service: the images that servers are made from.

use http::Method;
use serde_json::{Value, json};

use super::{Call, Result, page};
use crate::{
    catalogue::{self, Architecture, IMAGES, Image},
    faults::Fault,
    wire::Answer,
};

/// Who made the public images.
const OWNER: &str = "e0a000000000000000000000000f17e5";

pub(super) fn answer(call: &Call<'_>) -> Result<Answer> {
    if call.request.method != Method::GET || call.request.path != "/v2/cloudimages" {
        return Err(Fault::no_such_call());
    }
    if call.is_guest() {
        return Err(Fault::denied("Pdp.0001", "ims:images:list"));
    }
    let limit = call
        .limit(500, 1000)
        .ok_or_else(|| Fault::bad("IMG.0001", "The limit is invalid."))?;
    check_words(call)?;
    let mut wanted: Vec<&Image> = IMAGES.iter().filter(|image| matches(call, image)).collect();
    sort(call, &mut wanted)?;
    let marker = call.request.query_value("marker");
    let rows = page(&wanted, |image| image.id, marker.as_deref(), limit)
        .ok_or_else(|| Fault::bad("IMG.0001", "The marker is invalid."))?;
    let more = rows
        .last()
        .filter(|last| wanted.last().is_some_and(|end| end.id != last.id));
    let mut body = json!({"images": rows.iter().map(|image| row(image)).collect::<Vec<_>>()});
    if let (Some(last), Some(body)) = (more, body.as_object_mut()) {
        body.insert("page_info".to_owned(), json!({"next_marker": last.id}));
    }
    Ok(Answer::json(200, &body))
}

fn matches(call: &Call<'_>, image: &Image) -> bool {
    let is = |key: &str, value: &str| call.request.query_value(key).is_none_or(|wanted| wanted == value);
    let architecture = match image.architecture {
        Architecture::X86 => "x86",
        Architecture::Arm => "arm",
    };
    let fits_flavor = call.request.query_value("flavor_id").is_none_or(|id| {
        catalogue::flavor(&id).is_some_and(|flavor| flavor.architecture == image.architecture)
    });
    fits_flavor
        && is("__imagetype", "gold")
        && is("visibility", "public")
        && is("virtual_env_type", "FusionCompute")
        && is("status", "active")
        && is("__isregistered", "true")
        && is("__os_bit", "64")
        && is("__os_type", image.os.word())
        && is("__platform", image.platform)
        && is("architecture", architecture)
        && is("name", image.name)
        && is("id", image.id)
        && is("owner", OWNER)
        && is("protected", "true")
        && is("container_format", "bare")
        && is("disk_format", "zvhd2")
        && is("__support_kvm", "true")
        && is("min_disk", &image.min_disk_gb.to_string())
        && is("min_ram", "0")
        && call
            .request
            .query_value("enterprise_project_id")
            .is_none_or(|wanted| wanted == "0" || wanted == "all_granted_eps")
        // No image has tags, is shared, or is made for special hardware.
        && ["tag", "member_status"]
            .iter()
            .all(|key| call.request.query_value(key).is_none())
        && [
            "__support_xen",
            "__support_diskintensive",
            "__support_highperformance",
            "__support_largememory",
            "__support_kvm_gpu_type",
            "__support_kvm_infiniband",
            "__support_xen_gpu_type",
            "__support_xen_hana",
        ]
        .iter()
        .all(|key| call.request.query_value(key).is_none_or(|wanted| wanted == "false"))
        && ["created_at", "updated_at"].iter().all(|key| {
            call.request
                .query_value(key)
                .is_none_or(|wanted| is_in_time(image.created, &wanted))
        })
}

/// `gt:2025-01-01T00:00:00Z` and the like; moments in this form sort as text.
fn is_in_time(own: &str, wanted: &str) -> bool {
    match wanted.split_once(':') {
        Some(("gt", time)) => own > time,
        Some(("gte", time)) => own >= time,
        Some(("lt", time)) => own < time,
        Some(("lte", time)) => own <= time,
        Some(("eq", time)) => own == time,
        Some(("neq", time)) => own != time,
        _ => false,
    }
}

/// Filters that know a few words refuse others.
fn check_words(call: &Call<'_>) -> Result<()> {
    for (key, code, words) in [
        (
            "__imagetype",
            "IMG.0024",
            &["gold", "private", "shared", "market"][..],
        ),
        ("visibility", "IMG.0001", &["public", "private", "shared"]),
        ("__os_type", "IMG.0001", &["Linux", "Windows", "Other"]),
        ("__os_bit", "IMG.0001", &["32", "64"]),
        ("__isregistered", "IMG.0001", &["true", "false"]),
        (
            "status",
            "IMG.0001",
            &["queued", "saving", "deleted", "killed", "active"],
        ),
        (
            "virtual_env_type",
            "IMG.0001",
            &["FusionCompute", "Ironic", "DataImage", "IsoImage"],
        ),
        ("architecture", "IMG.0001", &["x86", "arm"]),
        ("protected", "IMG.0001", &["true", "false"]),
    ] {
        if let Some(wanted) = call.request.query_value(key)
            && !words.contains(&wanted.as_str())
        {
            return Err(Fault::bad(code, format!("The value of {key} is invalid.")));
        }
    }
    Ok(())
}

/// Newest first, unless asked for otherwise.
fn sort(call: &Call<'_>, images: &mut [&Image]) -> Result<()> {
    let wrong = |what: &str| Fault::bad("IMG.0001", format!("The {what} is invalid."));
    match call.request.query_value("sort_key").as_deref().map(str::trim) {
        // The images are alike in the other fields.
        None | Some("created_at" | "status" | "container_format" | "disk_format" | "size") => {
            images.sort_by_key(|image| (image.created, image.id));
        }
        Some("name") => images.sort_by_key(|image| (image.name, image.id)),
        Some("id") => images.sort_by_key(|image| image.id),
        Some(_) => return Err(wrong("sort_key")),
    }
    match call.request.query_value("sort_dir").as_deref() {
        None | Some("desc") => images.reverse(),
        Some("asc") => {}
        Some(_) => return Err(wrong("sort_dir")),
    }
    Ok(())
}

fn row(image: &Image) -> Value {
    let mut row = json!({
        "id": image.id,
        "name": image.name,
        "status": "active",
        "visibility": "public",
        "protected": true,
        "owner": OWNER,
        "min_disk": image.min_disk_gb,
        "min_ram": 0,
        "container_format": "bare",
        "disk_format": "zvhd2",
        "virtual_env_type": "FusionCompute",
        "created_at": image.created,
        "updated_at": image.created,
        "active_at": image.created,
        "tags": [],
        "self": format!("/v2/images/{}", image.id),
        "file": format!("/v2/images/{}/file", image.id),
        "schema": "/v2/schemas/image",
        "__image_size": "2147483648",
        "__image_source_type": "uds",
        "__imagetype": "gold",
        "__isregistered": "true",
        "__os_bit": "64",
        "__os_type": image.os.word(),
        "__os_version": image.version,
        "__platform": image.platform,
        "__support_kvm": "true",
        "__account_code": "",
    });
    if image.file_injection
        && let Some(row) = row.as_object_mut()
    {
        row.insert("__support_fc_inject".to_owned(), json!("true"));
    }
    if image.architecture == Architecture::Arm
        && let Some(row) = row.as_object_mut()
    {
        row.insert("__support_arm".to_owned(), json!("true"));
        row.insert("hw_firmware_type".to_owned(), json!("uefi"));
    }
    row
}
