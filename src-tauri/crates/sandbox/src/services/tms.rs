//! Tag Management Service: tags on servers, disks and EIPs of any region, many at once, each failing by itself.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Result};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{Region, World},
};

/// Most resources in one call.
const MOST_RESOURCES: usize = 20;
/// Most tags in one call, and on one resource.
const MOST_TAGS: usize = 10;
const LONGEST_KEY: usize = 36;
const LONGEST_VALUE: usize = 43;

#[derive(Debug, Deserialize)]
struct Change {
    project_id: Option<String>,
    resources: Vec<Resource>,
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    resource_id: String,
    resource_type: String,
}

#[derive(Debug, Deserialize)]
struct Tag {
    key: String,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Filter {
    project_id: Option<String>,
    resource_types: Vec<String>,
    #[serde(default)]
    tags: Vec<Wanted>,
    #[serde(default)]
    without_any_tag: bool,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Server,
    Disk,
    Address,
}

impl Kind {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "ecs" => Self::Server,
            "disk" => Self::Disk,
            "eip" => Self::Address,
            _ => return None,
        })
    }
}

/// One resource as tags are seen: id, name, tags.
type Tagged<'a> = (&'a str, &'a str, &'a BTreeMap<String, String>);

pub(super) fn answer(call: &Call<'_>, world: &mut World) -> Result<Answer> {
    if call.request.header("x-domain-id").is_none() {
        return Err(invalid("the header X-Domain-Id is missing"));
    }
    if call.is_guest() {
        return Err(Fault::forbidden(
            "TMS.0004",
            "You do not have permissions to perform the operation.",
        ));
    }
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&call.request.method, segments.as_slice()) {
        (&Method::POST, ["v1.0", "resource-tags", "batch-create"]) => change(call, world, true),
        (&Method::POST, ["v1.0", "resource-tags", "batch-delete"]) => change(call, world, false),
        (&Method::POST, ["v1.0", "resource-instances", "filter"]) => filter(call, world),
        (&Method::GET, ["v2.0", "resources", id, "tags"]) => show(call, world, id),
        _ => Err(Fault::no_such_call()),
    }
}

/// What no finer code is known for.
fn invalid(reason: &str) -> Fault {
    Fault::bad("TMS.0002", format!("Bad request: {reason}."))
}

fn missing() -> Fault {
    Fault::missing("TMS.0005", "The resources requested cannot be found.")
}

fn unreadable(error: &serde_json::Error) -> Fault {
    invalid(&error.to_string())
}

/// The regions that a call is about: one by its project, or all.
fn in_project<'a>(world: &'a mut World, project: Option<&'a str>) -> impl Iterator<Item = &'a mut Region> {
    world
        .regions
        .iter_mut()
        .filter(move |region| project.is_none_or(|project| project == region.project_id))
}

fn known_project(world: &World, project: Option<&str>) -> Result<()> {
    match project {
        Some(project) if world.regions.iter().all(|region| region.project_id != project) => {
            Err(Fault::bad("TMS.2011", "Project_id is invalid."))
        }
        _ => Ok(()),
    }
}

fn change(call: &Call<'_>, world: &mut World, create: bool) -> Result<Answer> {
    let wanted: Change = call.request.json().map_err(|error| unreadable(&error))?;
    if wanted.resources.is_empty() || wanted.resources.len() > MOST_RESOURCES {
        return Err(invalid("resources must have 1 to 20 entries"));
    }
    if wanted.tags.is_empty() || wanted.tags.len() > MOST_TAGS {
        return Err(too_few_or_many_tags(&wanted.tags));
    }
    for tag in &wanted.tags {
        let value = tag.value.as_deref().unwrap_or_default();
        if !(1..=LONGEST_KEY).contains(&tag.key.chars().count()) {
            return Err(Fault::bad("TMS.0009", "Key is invalid."));
        }
        if value.chars().count() > LONGEST_VALUE || (create && tag.value.is_none()) {
            return Err(Fault::bad("TMS.0010", "Value is invalid."));
        }
    }
    known_project(world, wanted.project_id.as_deref())?;
    let project = wanted.project_id.as_deref();
    let mut failed = Vec::new();
    for resource in &wanted.resources {
        if let Err((code, reason)) = change_one(call, world, project, resource, &wanted.tags, create) {
            failed.push(json!({
                "resource_id": resource.resource_id,
                "resource_type": resource.resource_type,
                "error_code": code,
                "error_msg": reason,
            }));
        }
    }
    Ok(Answer::json(200, &json!({"failed_resources": failed})))
}

fn too_few_or_many_tags(tags: &[Tag]) -> Fault {
    if tags.is_empty() {
        Fault::bad("TMS.0012", "Tags is empty.")
    } else {
        invalid("tags must have at most 10 entries")
    }
}

fn change_one(
    call: &Call<'_>,
    world: &mut World,
    project: Option<&str>,
    resource: &Resource,
    changes: &[Tag],
    create: bool,
) -> std::result::Result<(), (&'static str, &'static str)> {
    let kind = Kind::read(&resource.resource_type).ok_or(("TMS.5027", "Invalid resource type."))?;
    for region in in_project(world, project) {
        let id = resource.resource_id.as_str();
        let (service, kind_of_trace, name, tags) = match kind {
            Kind::Server => match region.servers.get_mut(id).filter(|server| server.visible) {
                Some(server) => ("ECS", "ecs", server.name.clone(), &mut server.tags),
                None => continue,
            },
            Kind::Disk => match region.volumes.get_mut(id) {
                Some(volume) => ("EVS", "evs", volume.name.clone(), &mut volume.tags),
                None => continue,
            },
            Kind::Address => match region.addresses.get_mut(id) {
                Some(address) => ("EIP", "eip", address.address.to_string(), &mut address.tags),
                None => continue,
            },
        };
        let mut after = tags.clone();
        for tag in changes {
            if create {
                after.insert(tag.key.clone(), tag.value.clone().unwrap_or_default());
            } else if tag
                .value
                .as_ref()
                .is_none_or(|value| value.is_empty() || after.get(&tag.key) == Some(value))
            {
                after.remove(&tag.key);
            }
        }
        if create && after.len() > MOST_TAGS {
            // The service behind refuses, and no code of this one's own is published for it.
            return Err(("TMS.0002", "The resource would have more tags than it may have."));
        }
        *tags = after;
        let act = if create {
            "batchCreateTags"
        } else {
            "batchDeleteTags"
        };
        let trace = call.trace(service, kind_of_trace, act, (id, &name), 200);
        region.trace(trace);
        return Ok(());
    }
    Err(("TMS.0005", "The resources requested cannot be found."))
}

fn rows(region: &Region, kind: Kind) -> Vec<Tagged<'_>> {
    match kind {
        Kind::Server => region
            .servers
            .values()
            .filter(|server| server.visible)
            .map(|server| (server.id.as_str(), server.name.as_str(), &server.tags))
            .collect(),
        Kind::Disk => region
            .volumes
            .values()
            .map(|volume| (volume.id.as_str(), volume.name.as_str(), &volume.tags))
            .collect(),
        Kind::Address => region
            .addresses
            .values()
            .map(|address| (address.id.as_str(), address.alias.as_str(), &address.tags))
            .collect(),
    }
}

fn filter(call: &Call<'_>, world: &World) -> Result<Answer> {
    let wanted: Filter = call.request.json().map_err(|error| unreadable(&error))?;
    let limit = wanted.limit.unwrap_or(200);
    if !(1..=200).contains(&limit) {
        return Err(Fault::bad("TMS.0007", "Limit is invalid."));
    }
    if wanted.tags.len() > MOST_TAGS {
        return Err(invalid("tags must have at most 10 entries"));
    }
    if !(1..=10).contains(&wanted.resource_types.len()) {
        return Err(invalid("resource_types must have 1 to 10 entries"));
    }
    known_project(world, wanted.project_id.as_deref())?;
    let fits = |tags: &BTreeMap<String, String>| {
        if wanted.without_any_tag {
            return tags.is_empty();
        }
        wanted.tags.iter().all(|tag| {
            tags.get(&tag.key)
                .is_some_and(|value| tag.values.is_empty() || tag.values.contains(value))
        })
    };
    let (mut found, mut errors): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for word in &wanted.resource_types {
        let Some(kind) = Kind::read(word) else {
            errors.push(json!({
                "error_code": "TMS.5027",
                "error_msg": "Invalid resource type.",
                "project_id": wanted.project_id.clone().unwrap_or_default(),
                "resource_type": word,
            }));
            continue;
        };
        let regions = world.regions.iter().filter(|region| {
            wanted
                .project_id
                .as_ref()
                .is_none_or(|project| *project == region.project_id)
        });
        for region in regions {
            found.extend(
                rows(region, kind)
                    .into_iter()
                    .filter(|row| fits(row.2))
                    .map(|(id, name, tags)| {
                        json!({
                            "project_id": region.project_id,
                            "project_name": region.id,
                            "resource_detail": null,
                            "resource_id": id,
                            "resource_name": name,
                            "resource_type": word,
                            "tags": listed(tags),
                        })
                    }),
            );
        }
    }
    let total = found.len();
    let page: Vec<Value> = found.into_iter().skip(wanted.offset).take(limit).collect();
    Ok(Answer::json(
        200,
        &json!({"resources": page, "errors": errors, "total_count": total}),
    ))
}

fn show(call: &Call<'_>, world: &World, id: &str) -> Result<Answer> {
    let kind = call
        .request
        .query_value("resource_type")
        .and_then(|word| Kind::read(&word))
        .ok_or_else(|| Fault::bad("TMS.5027", "Invalid resource type."))?;
    let project = call.request.query_value("project_id");
    known_project(world, project.as_deref())?;
    world
        .regions
        .iter()
        .filter(|region| {
            project
                .as_ref()
                .is_none_or(|project| *project == region.project_id)
        })
        .flat_map(|region| rows(region, kind))
        .find(|row| row.0 == id)
        .map(|(_, _, tags)| Answer::json(200, &json!({"tags": listed(tags)})))
        .ok_or_else(missing)
}

fn listed(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}
