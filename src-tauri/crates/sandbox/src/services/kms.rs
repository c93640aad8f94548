//! Key Pair Service, which lives on the key management host.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, rand_core::OsRng};

use super::{Call, Result, page, same_project};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{Faults, KeyPair, Region},
};

/// Most bytes of a public key.
const LONGEST: usize = 1024;
/// Most key pairs that one user sees.
const MOST: usize = 100;

pub(super) fn answer(call: &Call<'_>, region: &mut Region, faults: &Faults) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["v3", project, "keypairs", rest @ ..] = segments.as_slice() else {
        return Err(Fault::no_such_call());
    };
    let (action, trace) = match (&call.request.method, rest) {
        (&Method::GET, []) => ("kps:domainKeypairs:list", None),
        (&Method::POST, []) => ("kps:domainKeypairs:create", Some("createOrImportKeypair")),
        (&Method::GET, [name]) if !name.is_empty() => ("kps:domainKeypairs:get", None),
        (&Method::DELETE, [name]) if !name.is_empty() => ("kps:domainKeypairs:delete", Some("deleteKeypair")),
        _ => return Err(Fault::no_such_call()),
    };
    let result = if call.is_guest() {
        Err(Fault::forbidden(
            "KPS.9003",
            format!("No permission to perform {action}."),
        ))
    } else {
        same_project(region, project, "KPS.0002").and_then(|()| match (&call.request.method, rest) {
            (&Method::GET, []) => list(call, region),
            (&Method::POST, []) => create(call, region, faults),
            (&Method::GET, [name]) => show(call, region, name),
            (&Method::DELETE, [name]) => delete(call, region, name),
            _ => Err(Fault::no_such_call()),
        })
    };
    if let (Err(fault), Some(act)) = (&result, trace) {
        let name = rest.first().copied().unwrap_or_default();
        region.trace(call.trace("KPS", "keypair", act, (name, name), fault.status));
    }
    result
}

fn wrong(what: &str) -> Fault {
    Fault::bad("KPS.0002", format!("The {what} is invalid."))
}

/// One's own key pairs and those of the whole account.
fn visible<'r>(call: &Call<'_>, region: &'r Region) -> Vec<&'r KeyPair> {
    region
        .key_pairs
        .iter()
        .filter(|pair| pair.is_visible_to(call.user.id))
        .collect()
}

fn existing<'r>(call: &Call<'_>, region: &'r Region, name: &str) -> Result<&'r KeyPair> {
    region
        .key_pairs
        .iter()
        .find(|pair| pair.name == name && pair.is_visible_to(call.user.id))
        .ok_or_else(|| Fault::bad("KPS.4016", "The key pair does not exist."))
}

fn scope(pair: &KeyPair) -> &'static str {
    if pair.user_id.is_some() { "user" } else { "domain" }
}

fn list(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let wanted = visible(call, region);
    let limit = call.limit(50, 1000).ok_or_else(|| wrong("limit"))?;
    let marker = call.request.query_value("marker");
    let rows = page(&wanted, |pair| &pair.name, marker.as_deref(), limit).ok_or_else(|| wrong("marker"))?;
    let more = rows
        .last()
        .filter(|last| wanted.last().is_some_and(|end| end.name != last.name));
    Ok(Answer::json(
        200,
        &json!({
            "keypairs": rows.iter().map(|pair| json!({"keypair": {
                "name": pair.name,
                "type": "ssh",
                "scope": scope(pair),
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

fn show(call: &Call<'_>, region: &Region, name: &str) -> Result<Answer> {
    let pair = existing(call, region, name)?;
    let position = region
        .key_pairs
        .iter()
        .position(|other| std::ptr::eq(other, pair));
    let kind = pair.public_key.split(' ').next().unwrap_or_default();
    Ok(Answer::json(
        200,
        &json!({"keypair": {
            "id": position.unwrap_or_default() + 1,
            "name": pair.name,
            "type": "ssh",
            "scope": scope(pair),
            "public_key": pair.public_key,
            "fingerprint": pair.fingerprint,
            "is_key_protection": false,
            "deleted": false,
            "description": "",
            "user_id": pair.user_id,
            "create_time": pair.created.timestamp_millis(),
            "delete_time": null,
            "update_time": null,
            "frozen_state": 0,
            "key_id": null,
            "algorithm": kind.to_uppercase().replace('-', "_"),
        }}),
    ))
}

#[derive(Deserialize)]
struct Creation {
    keypair: Wanted,
}

#[derive(Deserialize)]
struct Wanted {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    public_key: Option<String>,
    scope: Option<String>,
    user_id: Option<String>,
    key_protection: Option<Value>,
}

/// Takes a public key, or makes both halves and hands the private one out this once.
fn create(call: &Call<'_>, region: &mut Region, faults: &Faults) -> Result<Answer> {
    let Creation { keypair: wanted } = call.body("KPS.0002", "KPS.0002")?;
    let is_name = (1..=255).contains(&wanted.name.len())
        && wanted
            .name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if !is_name {
        return Err(wrong("key pair name"));
    }
    if wanted.kind.as_deref().is_some_and(|kind| kind != "ssh") {
        return Err(wrong("type"));
    }
    let user_id = match wanted.scope.as_deref() {
        None | Some("user") => Some(call.user.id.to_owned()),
        Some("domain") => None,
        Some(_) => return Err(wrong("scope")),
    };
    if wanted.user_id.is_some_and(|id| id != call.user.id) {
        return Err(wrong("user ID"));
    }
    // Nobody's private keys are kept here.
    if wanted
        .key_protection
        .is_some_and(|protection| !protection.is_null())
    {
        return Err(wrong("key protection"));
    }
    if faults.frozen() {
        return Err(Fault::forbidden("KPS.9004", "The account is frozen."));
    }
    // A pair of the whole account may not hide anybody's own.
    let hidden = region
        .key_pairs
        .iter()
        .any(|pair| pair.name == wanted.name && (user_id.is_none() || pair.is_visible_to(call.user.id)));
    if hidden {
        return Err(Fault::bad("KPS.0002", "The key pair name already exists."));
    }
    if visible(call, region).len() >= MOST {
        return Err(Fault::bad("KPS.0002", "There are too many key pairs."));
    }
    let (public_key, private_key) = match wanted.public_key.filter(|text| !text.trim().is_empty()) {
        Some(text) => {
            if text.len() > LONGEST {
                return Err(wrong("public key"));
            }
            let key = PublicKey::from_openssh(text.trim()).map_err(|_| wrong("public key"))?;
            (key, None)
        }
        None => {
            let failed = |_| Fault::new(500, "KPS.0004", "The key pair could not be made.");
            let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(failed)?;
            key.set_comment("Generated-by-the-sandbox");
            let text = key.to_openssh(LineEnding::LF).map_err(failed)?;
            (key.public_key().clone(), Some(text))
        }
    };
    let pair = KeyPair {
        name: wanted.name,
        fingerprint: public_key.fingerprint(HashAlg::Sha256).to_string(),
        public_key: public_key.to_openssh().map_err(|_| wrong("public key"))?,
        user_id,
        created: call.now,
    };
    let mut row = json!({
        "name": pair.name,
        "type": "ssh",
        "public_key": pair.public_key,
        "fingerprint": pair.fingerprint,
        "user_id": call.user.id,
    });
    if let (Some(private_key), Some(row)) = (private_key, row.as_object_mut()) {
        row.insert("private_key".to_owned(), json!(private_key.as_str()));
    }
    region.trace(call.trace(
        "KPS",
        "keypair",
        "createOrImportKeypair",
        (&pair.name, &pair.name),
        200,
    ));
    region.key_pairs.push(pair);
    Ok(Answer::json(200, &json!({"keypair": row})))
}

fn delete(call: &Call<'_>, region: &mut Region, name: &str) -> Result<Answer> {
    let owner = existing(call, region, name)?.user_id.clone();
    region
        .key_pairs
        .retain(|pair| pair.name != name || pair.user_id != owner);
    region.trace(call.trace("KPS", "keypair", "deleteKeypair", (name, name), 204));
    Ok(Answer::empty(204))
}
