//! Image Management Service: the images that servers are made from.

use http::Method;
use serde_json::{Value, json};

use super::{Call, Result, page};
use crate::{
    catalogue::{self, Architecture, IMAGES, Image},
    faults::Fault,
    wire::Answer,
};

pub(super) fn answer(call: &Call<'_>) -> Result<Answer> {
    if call.request.method != Method::GET || call.request.path != "/v2/cloudimages" {
        return Err(Fault::no_such_call());
    }
    if call.is_guest() {
        return Err(Fault::forbidden(
            "Pdp.0001",
            "Policy doesn't allow ims:images:list to be performed.",
        ));
    }
    let limit = call
        .limit(500, 1000)
        .ok_or_else(|| Fault::bad("IMG.0001", "The limit is invalid."))?;
    let wanted: Vec<&Image> = IMAGES.iter().filter(|image| matches(call, image)).collect();
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
}

fn row(image: &Image) -> Value {
    let mut row = json!({
        "id": image.id,
        "name": image.name,
        "status": "active",
        "visibility": "public",
        "protected": true,
        "owner": "e0a000000000000000000000000f17e5",
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
