//! Elastic Cloud Server.

mod create;
mod lease;
mod servers;

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, Result, same_project, zulu_millis};
use crate::{
    catalogue::{Architecture, FLAVORS, Flavor, Sale, ZONES},
    faults::Fault,
    wire::Answer,
    world::{Charging, Faults, Job, Leaving, Region, Task, VmState},
};

/// What the project may have at a time.
mod quota {
    pub(super) const SERVERS: usize = 20;
    pub(super) const CORES: u32 = 80;
    pub(super) const RAM_MB: u32 = 320 * 1024;
    pub(super) const ADDRESSES: usize = 20;
    pub(super) const DISKS: usize = 60;
    pub(super) const TAGS: usize = 10;
}

/// Most servers in one deletion.
const DELETED_AT_ONCE: usize = 1000;

pub(super) fn answer(call: &Call<'_>, region: &mut Region, faults: &mut Faults) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let action = match (&call.request.method, segments.as_slice()) {
        (&Method::GET, ["v1", _, "cloudservers", "flavors"]) => "ecs:cloudServerFlavors:get",
        (&Method::GET, ["v1", _, "availability-zones"]) => "ecs:availabilityZones:list",
        (&Method::GET, ["v1", _, "cloudservers", "limits"]) => "ecs:cloudServerQuotas:get",
        (&Method::GET, ["v1", _, "cloudservers", "detail"]) => "ecs:cloudServers:listServersDetails",
        (&Method::GET, ["v1", _, "cloudservers", _]) => "ecs:cloudServers:showServer",
        (&Method::GET, ["v1", _, "jobs", _]) => "ecs:cloudServers:get",
        (&Method::POST, ["v1" | "v1.1", _, "cloudservers"]) => "ecs:cloudServers:createServers",
        (&Method::POST, ["v1", _, "cloudservers", "delete"]) => "ecs:cloudServers:deleteServers",
        (
            &Method::POST,
            [
                "v1",
                _,
                "cloudservers",
                _,
                "actions",
                "update-auto-terminate-time",
            ],
        ) => "ecs:cloudServers:setAutoTerminateTime",
        (&Method::POST, ["v1", _, "cloudservers", _, "tags", "action"]) => {
            "ecs:cloudServers:batchSetServerTags"
        }
        _ => return Err(Fault::no_such_call()),
    };
    if call.is_guest() {
        return Err(Fault::forbidden(
            "Pdp.0001",
            format!("Policy doesn't allow {action} to be performed."),
        ));
    }
    if let [_, project, ..] = segments.as_slice() {
        same_project(region, project, "Ecs.0023")?;
    }
    match (&call.request.method, segments.as_slice()) {
        (&Method::GET, [_, _, "cloudservers", "flavors"]) => flavors(call, region),
        (&Method::GET, [_, _, "availability-zones"]) => Ok(zones(region)),
        (&Method::GET, [_, _, "cloudservers", "limits"]) => Ok(limits(region)),
        (&Method::GET, [_, _, "cloudservers", "detail"]) => servers::list(call, region, faults),
        (&Method::GET, [_, _, "cloudservers", id]) => servers::show(region, faults, id),
        (&Method::GET, [_, _, "jobs", id]) => job(region, id),
        (&Method::POST, [_, _, "cloudservers"]) => create::create(call, region, faults),
        (&Method::POST, [_, _, "cloudservers", "delete"]) => delete(call, region),
        (&Method::POST, [_, _, "cloudservers", id, "actions", _]) => lease::update(call, region, id),
        (&Method::POST, [_, _, "cloudservers", id, "tags", "action"]) => tag(call, region, id),
        _ => Err(Fault::no_such_call()),
    }
}

/// Reads the body; what it lacks or has wrong is a malformed request.
fn body<'a, T: Deserialize<'a>>(call: &Call<'a>) -> Result<T> {
    if call.request.bytes().is_empty() {
        return Err(Fault::bad(
            "Common.0002",
            "The request body cannot be left blank.",
        ));
    }
    serde_json::from_slice(call.request.bytes())
        .map_err(|error| Fault::bad("Ecs.0000", format!("Request error: {error}")))
}

fn no_such_server(id: &str) -> Fault {
    Fault::missing("Ecs.0114", format!("Instance[{id}] could not be found."))
}

fn invalid(what: &str) -> Fault {
    Fault::bad("Ecs.0005", format!("Incorrect request parameter: {what}."))
}

fn flavors(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let limit = call.limit(1000, 1000).ok_or_else(|| invalid("limit"))?;
    let zone = call.request.query_value("availability_zone");
    if let Some(zone) = &zone
        && region.zones().all(|known| known != *zone)
    {
        return Err(invalid("availability_zone"));
    }
    let id = call.request.query_value("flavor_id");
    let wanted: Vec<&Flavor> = FLAVORS
        .iter()
        .filter(|flavor| id.as_ref().is_none_or(|id| id == flavor.id))
        .collect();
    let marker = call.request.query_value("marker");
    let rows = super::page(&wanted, |flavor| flavor.id, marker.as_deref(), limit)
        .ok_or_else(|| invalid("marker"))?;
    let rows: Vec<Value> = rows.iter().map(|row| flavor(region, row)).collect();
    Ok(Answer::json(200, &json!({"flavors": rows})))
}

fn flavor(region: &Region, flavor: &Flavor) -> Value {
    let per_zone: Vec<String> = ZONES
        .iter()
        .map(|letter| format!("{}{letter}({})", region.id, flavor.sale_in(letter).word()))
        .collect();
    let mut extra = Map::new();
    let mut say = |key: &str, value: String| {
        extra.insert(key.to_owned(), Value::String(value));
    };
    say("ecs:performancetype", flavor.kind.to_owned());
    say("ecs:generation", flavor.generation.to_owned());
    say("ecs:virtualization_env_types", "CloudCompute".to_owned());
    say("hw:numa_nodes", "1".to_owned());
    say("resource_type", format!("IOoptimized{}", flavor.generation));
    say("info:cpu:name", flavor.cpu.to_owned());
    say("quota:max_rate", flavor.bandwidth_mbps.to_string());
    say("quota:min_rate", (flavor.bandwidth_mbps / 5).to_string());
    say("cond:compute", "autorecovery".to_owned());
    // An absent status means normal.
    if flavor.sale != Sale::Normal {
        say("cond:operation:status", flavor.sale.word().to_owned());
    }
    if !flavor.exceptions.is_empty() {
        say("cond:operation:az", per_zone.join(","));
    }
    if flavor.architecture == Architecture::Arm {
        say("ecs:instance_architecture", "arm64".to_owned());
    }
    if !flavor.leasable {
        // Local disks go on costing while the server is stopped.
        say("quota:local_disk", "HDD:2:1675:40000".to_owned());
        say("cond:operation:charge:stop", "charge".to_owned());
    }
    json!({
        "id": flavor.id,
        "name": flavor.id,
        "vcpus": flavor.vcpus.to_string(),
        "ram": flavor.ram_mb,
        "disk": "0",
        "swap": "",
        "rxtx_factor": 1.0,
        "rxtx_quota": null,
        "rxtx_cap": null,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": false,
        "os-flavor-access:is_public": true,
        "links": [{
            "rel": "self",
            "href": format!("https://ecs.example.test/v1/{}/cloudservers/flavors/{}", region.project_id, flavor.id),
            "type": null,
        }],
        "attachableQuantity": {"free_scsi": 23, "free_blk": 23, "free_disk": 23, "free_nic": 12},
        "os_extra_specs": extra,
    })
}

fn zones(region: &Region) -> Answer {
    let rows: Vec<Value> = region
        .zones()
        .zip(1_u32..)
        .map(|(zone, number)| {
            json!({
                "availability_zone_id": zone,
                "type": "Core",
                "mode": "shared",
                "alias": format!("AZ{number}"),
                "az_group_ids": [],
                "public_border_group": "center",
                "category": 0,
            })
        })
        .collect();
    Answer::json(200, &json!({"availability_zones": rows}))
}

/// Servers, virtual CPUs and megabytes of memory in use.
fn usage(region: &Region) -> (usize, u32, u32) {
    let flavors = || {
        region
            .servers
            .values()
            .filter_map(|server| crate::catalogue::flavor(&server.flavor))
    };
    (
        region.servers.len(),
        flavors().map(|flavor| flavor.vcpus).sum(),
        flavors().map(|flavor| flavor.ram_mb).sum(),
    )
}

fn limits(region: &Region) -> Answer {
    let (servers, cores, ram_mb) = usage(region);
    Answer::json(
        200,
        &json!({"absolute": {
            "maxTotalInstances": quota::SERVERS,
            "maxTotalCores": quota::CORES,
            "maxTotalRAMSize": quota::RAM_MB,
            "maxTotalFloatingIps": quota::ADDRESSES,
            "maxTotalKeypairs": -1,
            "maxServerMeta": 128,
            "maxImageMeta": 128,
            "maxPersonality": 5,
            "maxPersonalitySize": 1024,
            "maxServerGroups": 10,
            "maxServerGroupMembers": 16,
            "maxSecurityGroups": 100,
            "maxSecurityGroupRules": 5000,
            "totalInstancesUsed": servers,
            "totalCoresUsed": cores,
            "totalRAMUsed": ram_mb,
            "totalFloatingIpsUsed": region.addresses.len(),
            "totalSecurityGroupsUsed": region.security_groups.len(),
            "totalServerGroupsUsed": 0,
            "limit_by_flavor": [],
        }}),
    )
}

fn job(region: &Region, id: &str) -> Result<Answer> {
    let job = region
        .jobs
        .get(id)
        .ok_or_else(|| Fault::bad("Common.0011", format!("The job {id} does not exist.")))?;
    let mut row = job_row(job);
    if let Some(row) = row.as_object_mut() {
        let sub_jobs: Vec<Value> = job.sub_jobs.iter().map(job_row).collect();
        row.insert(
            "entities".to_owned(),
            json!({"sub_jobs_total": sub_jobs.len(), "sub_jobs": sub_jobs}),
        );
    }
    Ok(Answer::json(200, &row))
}

fn job_row(job: &Job) -> Value {
    let mut entities = Map::new();
    if let Some(server) = &job.server_id {
        entities.insert("server_id".to_owned(), json!(server));
    }
    if let Some((_, reason)) = &job.error {
        entities.insert("errorcode_message".to_owned(), json!(reason));
    }
    json!({
        "job_id": job.id,
        "job_type": job.kind,
        "status": job.status,
        "begin_time": zulu_millis(job.begin),
        "end_time": job.end.map(zulu_millis),
        "error_code": job.error.as_ref().map(|(code, _)| code),
        "fail_reason": job.error.as_ref().map(|(_, reason)| reason),
        "entities": entities,
    })
}

#[derive(Debug, Deserialize)]
struct Deletion {
    servers: Vec<Named>,
    delete_publicip: Option<bool>,
    delete_volume: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
}

fn delete(call: &Call<'_>, region: &mut Region) -> Result<Answer> {
    let deletion: Deletion = body(call)?;
    let mut ids: Vec<String> = deletion.servers.into_iter().map(|server| server.id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(invalid("servers"));
    }
    if ids.len() > DELETED_AT_ONCE {
        return Err(Fault::bad("Ecs.0118", "Too many servers in one request."));
    }
    for id in &ids {
        let server = region.visible_server(id).ok_or_else(|| no_such_server(id))?;
        if server.charging == Charging::Period {
            return Err(Fault::bad(
                "Ecs.0513",
                format!("Server {id} is billed yearly/monthly and must be unsubscribed from."),
            ));
        }
        if server.state == VmState::Building {
            return Err(Fault::bad(
                "Ecs.0100",
                format!("The status of server {id} does not allow this operation."),
            ));
        }
    }
    let leaving = Leaving {
        disks: deletion.delete_volume.unwrap_or(false),
        address: deletion.delete_publicip,
    };
    for id in &ids {
        let name = region.servers.get(id).map(|server| server.name.clone());
        let name = name.unwrap_or_default();
        region.trace(call.trace("ECS", "ecs", "deleteServer", (id, &name), 200));
    }
    let job = region.delete(&ids, leaving, call.now, &call.pace);
    Ok(Answer::json(200, &json!({"job_id": job})))
}

#[derive(Debug, Deserialize)]
struct Tagging {
    action: String,
    tags: Vec<Tag>,
}

/// A tag as the caller writes it; deletion needs no value.
#[derive(Debug, Deserialize)]
struct Tag {
    key: String,
    value: Option<String>,
}

impl Tag {
    /// The cloud's rules for tags on servers.
    fn check(&self) -> Result<()> {
        let value = self.value.as_deref().unwrap_or_default();
        if !(1..=36).contains(&self.key.chars().count()) || value.chars().count() > 43 {
            return Err(Fault::bad(
                "Ecs.0906",
                format!("The tag {} is too long or has no key.", self.key),
            ));
        }
        let odd = |c: char, more: &str| c.is_control() || "=*<>\\,|".contains(c) || more.contains(c);
        if self.key.chars().any(|c| odd(c, "/")) || value.chars().any(|c| odd(c, "")) {
            return Err(Fault::bad(
                "Ecs.0907",
                format!("The tag {} has invalid characters.", self.key),
            ));
        }
        Ok(())
    }
}

/// Tags of a request, checked, each key once.
fn tags(given: &[Tag]) -> Result<std::collections::BTreeMap<String, String>> {
    let mut tags = std::collections::BTreeMap::new();
    for tag in given {
        tag.check()?;
        let value = tag.value.clone().unwrap_or_default();
        if tags.insert(tag.key.clone(), value).is_some() {
            return Err(Fault::bad(
                "Ecs.0908",
                format!("The tag key {} occurs twice.", tag.key),
            ));
        }
    }
    if tags.len() > quota::TAGS {
        return Err(Fault::bad("Ecs.0905", "A server can have at most 10 tags."));
    }
    Ok(tags)
}

fn tag(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let tagging: Tagging = body(call)?;
    let given = tags(&tagging.tags)?;
    if given.is_empty() {
        return Err(invalid("tags"));
    }
    let server = region
        .servers
        .get_mut(id)
        .filter(|server| server.visible)
        .ok_or_else(|| no_such_server(id))?;
    match tagging.action.as_str() {
        "create" => {
            let mut after = server.tags.clone();
            after.extend(given);
            if after.len() > quota::TAGS {
                return Err(Fault::bad("Ecs.0905", "A server can have at most 10 tags."));
            }
            server.tags = after;
        }
        "delete" => server.tags.retain(|key, _| !given.contains_key(key)),
        _ => return Err(invalid("action")),
    }
    server.updated = call.now;
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "batchSetServerTags", (id, &name), 204));
    Ok(Answer::empty(204))
}

/// A server that is being deleted takes no further orders.
fn refuse_leaving(task: Option<Task>, id: &str) -> Result<()> {
    if task == Some(Task::Deleting) {
        return Err(Fault::bad(
            "Ecs.0100",
            format!("The status of server {id} does not allow this operation."),
        ));
    }
    Ok(())
}
