//! Renaming servers, and the few other things of theirs that can be rewritten.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, Result, body, invalid, order, refuse_leaving, servers, visible_mut};
use crate::{
    services::zulu,
    wire::Answer,
    world::{Region, Server},
};

#[derive(Debug, Deserialize)]
struct Body {
    server: Wanted,
}

#[derive(Deserialize)]
struct Wanted {
    name: Option<String>,
    description: Option<String>,
    hostname: Option<String>,
    user_data: Option<String>,
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // User data may hold secrets of the caller.
        f.debug_struct("Wanted")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

pub(super) fn update(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let Body { server: wanted } = body(call)?;
    let server = visible_mut(region, id)?;
    refuse_leaving(server)?;
    if let Some(name) = &wanted.name {
        order::check_name(name, 1)?;
    }
    if let Some(description) = &wanted.description {
        order::check_description(description)?;
    }
    if wanted.hostname.as_deref().is_some_and(|name| !is_hostname(name)) {
        return Err(invalid("hostname"));
    }
    if let Some(user_data) = &wanted.user_data
        && !BASE64_STANDARD
            .decode(user_data)
            .is_ok_and(|raw| raw.len() <= order::USER_DATA)
    {
        return Err(invalid("user_data"));
    }
    if let Some(name) = wanted.name {
        server.name = name;
    }
    if let Some(description) = wanted.description {
        server.description = description;
    }
    if let Some(hostname) = wanted.hostname {
        server.hostname = hostname;
    }
    if wanted.user_data.is_some() {
        server.user_data = wanted.user_data;
    }
    server.updated = call.now;
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "updateServer", (id, &name), 200));
    let row = region.servers.get(id).map(|server| row(region, server));
    Ok(Answer::json(200, &json!({"server": row})))
}

/// Labels of letters, digits and inner hyphens, with dots between them.
fn is_hostname(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}

/// The older row that this call answers with: the image as text, versions of addresses as numbers.
fn row(region: &Region, server: &Server) -> Value {
    let addresses: Vec<Value> = server
        .nics
        .iter()
        .map(|nic| json!({"version": 4, "addr": nic.address}))
        .collect();
    let own = |path: String| json!([{"rel": "self", "href": format!("https://ecs.example.test{path}")}]);
    let metadata: Map<String, Value> = server
        .metadata
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    json!({
        "id": server.id,
        "name": server.name,
        "description": server.description,
        "status": server.status(),
        "created": zulu(server.created),
        "updated": zulu(server.updated),
        "user_id": server.user_id,
        "tenant_id": region.project_id,
        "image": server.image,
        "flavor": {
            "id": server.flavor,
            "links": own(format!("/v1/{}/cloudservers/flavors/{}", region.project_id, server.flavor)),
        },
        "links": own(format!("/v1/{}/cloudservers/{}", region.project_id, server.id)),
        "addresses": {&server.vpc_id: addresses},
        "metadata": metadata,
        "tags": servers::tags(server),
        "hostId": format!("pod01{}", server.zone),
        "progress": 0,
        "locked": server.locked,
        "accessIPv4": "",
        "accessIPv6": "",
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-SRV-ATTR:hostname": server.hostname,
        "OS-EXT-SRV-ATTR:user_data": server.user_data,
    })
}
