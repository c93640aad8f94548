//! Key Pair Service, which lives on the key management host.

use http::Method;
use serde_json::json;

use super::{Call, Result, page, same_project};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{KeyPair, Region},
};

pub(super) fn answer(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&call.request.method, segments.as_slice()) {
        (&Method::GET, ["v3", project, "keypairs"]) => {
            if call.is_guest() {
                return Err(Fault::forbidden(
                    "KPS.9003",
                    "No permission to perform kps:domainKeypairs:list.",
                ));
            }
            same_project(region, project, "KPS.0002")?;
            list(call, region)
        }
        _ => Err(Fault::no_such_call()),
    }
}

/// One's own key pairs and those of the whole account.
fn list(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let wanted: Vec<&KeyPair> = region
        .key_pairs
        .iter()
        .filter(|pair| pair.is_visible_to(call.user.id))
        .collect();
    let limit = call
        .limit(50, 1000)
        .ok_or_else(|| Fault::bad("KPS.0002", "The limit is invalid."))?;
    let marker = call.request.query_value("marker");
    let rows = page(&wanted, |pair| &pair.name, marker.as_deref(), limit)
        .ok_or_else(|| Fault::bad("KPS.0002", "The marker is invalid."))?;
    let more = rows
        .last()
        .filter(|last| wanted.last().is_some_and(|end| end.name != last.name));
    Ok(Answer::json(
        200,
        &json!({
            "keypairs": rows.iter().map(|pair| json!({"keypair": {
                "name": pair.name,
                "type": "ssh",
                "scope": if pair.user_id.is_some() { "user" } else { "domain" },
                "public_key": pair.public_key,
                "fingerprint": pair.fingerprint,
                "is_key_protection": false,
                "frozen_state": "0",
            }})).collect::<Vec<_>>(),
            "page_info": {
                "next_marker": more.map(|pair| pair.name.as_str()),
                "previous_marker": marker,
                "current_count": rows.len(),
            },
        }),
    ))
}
