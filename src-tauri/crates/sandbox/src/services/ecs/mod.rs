//! Elastic Cloud Server.

mod catalogue;
mod change;
mod console;
mod create;
mod delete;
mod jobs;
mod lease;
mod order;
mod password;
mod power;
mod resize;
mod servers;
mod tags;
mod volumes;

pub(super) use order::performance_fits;
pub(super) use volumes::MOST as MOST_DISKS;

use http::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{Call, Result, quota, same_project};
use crate::{
    faults::Fault,
    policies::{Asked, Policy},
    wire::Answer,
    world::{Faults, Region, Server, Task, VmState},
};

/// Most servers in one act.
const AT_ONCE: usize = 1000;

/// The right that a call needs, and the name under which the audit keeps it if it changes something.
type Route = (&'static str, Option<&'static str>);

fn route(call: &Call<'_>, segments: &[&str]) -> Option<Route> {
    let [version, _, path @ ..] = segments else {
        return None;
    };
    Some(match (&call.request.method, *version, path) {
        (&Method::GET, "v1", ["cloudservers", "flavors"]) => ("ecs:cloudServerFlavors:get", None),
        (&Method::GET, "v1", ["cloudservers", "resize_flavors"]) => ("ecs:cloudServerFlavors:get", None),
        (&Method::GET, "v1", ["availability-zones"]) => ("ecs:availabilityZones:list", None),
        (&Method::GET, "v2.1", ["os-availability-zone"]) => ("ecs:availabilityZones:list", None),
        (&Method::GET, "v1", ["cloudservers", "limits"]) => ("ecs:cloudServerQuotas:get", None),
        (&Method::GET, "v1", ["cloudservers", "detail"]) => ("ecs:cloudServers:listServersDetails", None),
        (&Method::GET, "v1", ["cloudservers", "tags"]) => ("ecs:cloudServers:list", None),
        (&Method::GET, "v1", ["cloudservers", _]) => ("ecs:cloudServers:showServer", None),
        (&Method::GET, "v1", ["cloudservers", _, "tags"]) => ("ecs:cloudServers:showServerTags", None),
        (&Method::GET, "v1", ["cloudservers", _, "block_device"]) => {
            ("ecs:cloudServers:listServerBlockDevices", None)
        }
        (&Method::GET, "v1", ["cloudservers", _, "block_device", _]) => {
            ("ecs:cloudServers:showServerBlockDevice", None)
        }
        (&Method::GET, "v1", ["cloudservers", _, "os-resetpwd-flag"]) => {
            ("ecs:cloudServers:showResetPasswordFlag", None)
        }
        (&Method::GET, "v1", ["jobs", _]) => ("ecs:cloudServers:get", None),
        (&Method::POST, "v1" | "v1.1", ["cloudservers"]) => {
            ("ecs:cloudServers:createServers", Some("createServer"))
        }
        (&Method::POST, "v1", ["cloudservers", "delete"]) => {
            ("ecs:cloudServers:deleteServers", Some("deleteServer"))
        }
        (&Method::POST, "v1", ["cloudservers", "action"]) => power::route(call),
        (&Method::POST, "v1", ["cloudservers", "resource_instances", "action"]) => {
            ("ecs:cloudServers:list", None)
        }
        (&Method::POST, "v1", ["cloudservers", _, "actions", "update-auto-terminate-time"]) => (
            "ecs:cloudServers:setAutoTerminateTime",
            Some("updateAutoTerminateTime"),
        ),
        (&Method::POST, "v1", ["cloudservers", _, "remote_console"]) => {
            ("ecs:cloudServers:vnc", Some("remoteConsole"))
        }
        (&Method::POST, "v1", ["cloudservers", _, "attachvolume"]) => {
            ("ecs:cloudServers:attach", Some("attachVolume"))
        }
        (&Method::POST, "v1", ["cloudservers", _, "tags", "action"]) => {
            ("ecs:cloudServers:batchSetServerTags", Some("batchSetServerTags"))
        }
        (&Method::POST, "v1" | "v1.1", ["cloudservers", _, "resize"]) => {
            ("ecs:cloudServers:resize", Some("resizeServer"))
        }
        (&Method::PUT, "v1", ["cloudservers", _]) => ("ecs:cloudServers:updateServer", Some("updateServer")),
        (&Method::PUT, "v1", ["cloudservers", _, "os-reset-password"]) => {
            ("ecs:cloudServers:resetServerPwd", Some("resetPassword"))
        }
        (&Method::PUT, "v1", ["cloudservers", _, "block_device", _]) => {
            ("ecs:cloudServers:updateServerBlockDevice", Some("updateVolume"))
        }
        (&Method::DELETE, "v1", ["cloudservers", _, "detachvolume", _]) => {
            ("ecs:cloudServers:detachVolume", Some("detachVolume"))
        }
        _ => return None,
    })
}

pub(super) fn answer(
    call: &Call<'_>,
    region: &mut Region,
    faults: &mut Faults,
    policy: Option<&Policy>,
) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    // An empty part is a slash too many.
    let (action, trace) = route(call, &segments)
        .filter(|_| !segments.contains(&""))
        .ok_or_else(Fault::no_such_call)?;
    let result =
        if call.is_guest() || policy.is_some_and(|policy| !allows(policy, call, region, action, &segments)) {
            Err(Fault::denied("Pdp.0001", action))
        } else {
            obey(call, region, faults, &segments)
        };
    // What was done is kept where it was done, for each server; what was refused is kept here.
    if let (Err(fault), Some(name)) = (&result, trace) {
        let id = match segments.as_slice() {
            [_, _, "cloudservers", id, _, ..] => *id,
            _ => "",
        };
        let server = region.servers.get(id).map(|server| server.name.clone());
        let resource = (id, server.as_deref().unwrap_or_default());
        region.trace(call.trace("ECS", "ecs", name, resource, fault.status));
    }
    result
}

/// Whether a policy lets the caller do this: to the server in the path, and to each one in the body.
fn allows(policy: &Policy, call: &Call<'_>, region: &Region, action: &str, segments: &[&str]) -> bool {
    let in_path = match segments {
        [_, _, "cloudservers", id, ..] => region.servers.get(*id),
        _ => None,
    };
    let body: serde_json::Value = call.request.json().unwrap_or_default();
    let in_body = ["", "/os-start", "/os-stop", "/reboot"]
        .into_iter()
        .flat_map(|place| {
            let rows = body.pointer(&format!("{place}/servers"));
            let ids = rows.and_then(serde_json::Value::as_array).into_iter().flatten();
            ids.filter_map(|row| region.servers.get(row.get("id")?.as_str()?))
        });
    let servers: Vec<&Server> = in_path.into_iter().chain(in_body).collect();
    let asks = |tags| {
        policy.allows(&Asked {
            action,
            user: call.user,
            region: &region.id,
            tags,
        })
    };
    match servers.as_slice() {
        [] => asks(None),
        servers => servers.iter().all(|server| asks(Some(&server.tags))),
    }
}

fn obey(call: &Call<'_>, region: &mut Region, faults: &mut Faults, segments: &[&str]) -> Result<Answer> {
    let [_, project, path @ ..] = segments else {
        return Err(Fault::no_such_call());
    };
    same_project(region, project, "Ecs.0023")?;
    match (&call.request.method, path) {
        (&Method::GET, ["cloudservers", "flavors"]) => catalogue::flavors(call, region),
        (&Method::GET, ["cloudservers", "resize_flavors"]) => catalogue::resize_flavors(call, region),
        (&Method::GET, ["availability-zones"]) => Ok(catalogue::zones(region)),
        (&Method::GET, ["os-availability-zone"]) => Ok(catalogue::native_zones(region)),
        (&Method::GET, ["cloudservers", "limits"]) => Ok(limits(region)),
        (&Method::GET, ["cloudservers", "detail"]) => servers::list(call, region, faults),
        (&Method::GET, ["cloudservers", "tags"]) => Ok(tags::of_project(region)),
        (&Method::GET, ["cloudservers", id]) => servers::show(region, faults, id),
        (&Method::GET, ["cloudservers", id, "tags"]) => tags::show(region, id),
        (&Method::GET, ["cloudservers", id, "block_device"]) => volumes::list(region, id),
        (&Method::GET, ["cloudservers", id, "block_device", volume]) => volumes::show(region, id, volume),
        (&Method::GET, ["cloudservers", id, "os-resetpwd-flag"]) => console::reset_flag(region, id),
        (&Method::GET, ["jobs", id]) => jobs::show(region, id),
        (&Method::POST, ["cloudservers"]) => create::create(call, region, faults),
        (&Method::POST, ["cloudservers", "delete"]) => delete::delete(call, region, faults),
        (&Method::POST, ["cloudservers", "action"]) => power::act(call, region, faults),
        (&Method::POST, ["cloudservers", "resource_instances", "action"]) => tags::find(call, region),
        (&Method::POST, ["cloudservers", id, "actions", _]) => lease::update(call, region, id),
        (&Method::POST, ["cloudservers", id, "remote_console"]) => console::open(call, region, faults, id),
        (&Method::POST, ["cloudservers", id, "attachvolume"]) => volumes::attach(call, region, faults, id),
        (&Method::POST, ["cloudservers", id, "tags", "action"]) => tags::set(call, region, id),
        (&Method::POST, ["cloudservers", id, "resize"]) => resize::resize(call, region, faults, id),
        (&Method::PUT, ["cloudservers", id]) => change::update(call, region, id),
        (&Method::PUT, ["cloudservers", id, "os-reset-password"]) => {
            console::reset_password(call, region, faults, id)
        }
        (&Method::PUT, ["cloudservers", id, "block_device", volume]) => {
            volumes::update(call, region, id, volume)
        }
        (&Method::DELETE, ["cloudservers", id, "detachvolume", volume]) => {
            volumes::detach(call, region, faults, id, volume)
        }
        _ => Err(Fault::no_such_call()),
    }
}

/// Reads the body; what it lacks or has wrong is a malformed request.
fn body<T: DeserializeOwned>(call: &Call<'_>) -> Result<T> {
    call.body("Common.0002", "Ecs.0000")
}

fn no_such_server(id: &str) -> Fault {
    Fault::missing("Ecs.0114", format!("Instance[{id}] could not be found."))
}

fn invalid(what: &str) -> Fault {
    Fault::bad("Ecs.0005", format!("Incorrect request parameter: {what}."))
}

fn wrong_state(id: &str) -> Fault {
    Fault::bad(
        "Ecs.0100",
        format!("The status of server {id} does not allow this operation."),
    )
}

fn visible<'r>(region: &'r Region, id: &str) -> Result<&'r Server> {
    region.visible_server(id).ok_or_else(|| no_such_server(id))
}

fn visible_mut<'r>(region: &'r mut Region, id: &str) -> Result<&'r mut Server> {
    region
        .servers
        .get_mut(id)
        .filter(|server| server.visible)
        .ok_or_else(|| no_such_server(id))
}

/// A server with which something can be done now: not locked, not frozen, and nothing else being done with it.
fn usable<'r>(region: &'r Region, faults: &Faults, id: &str) -> Result<&'r Server> {
    let server = visible(region, id)?;
    refuse_locked(server)?;
    if faults.frozen() {
        return Err(Fault::bad("Ecs.0030", format!("Server {id} is frozen.")));
    }
    if server.task.is_some() || server.state == VmState::Building {
        return Err(wrong_state(id));
    }
    Ok(server)
}

fn refuse_locked(server: &Server) -> Result<()> {
    if server.locked {
        return Err(Fault::bad("Ecs.0605", format!("Server {} is locked.", server.id)));
    }
    Ok(())
}

/// A server that is being deleted takes no further orders.
fn refuse_leaving(server: &Server) -> Result<()> {
    if server.task == Some(Task::Deleting) {
        return Err(wrong_state(&server.id));
    }
    Ok(())
}

/// Nothing new is sold to a restricted account.
fn refuse_restricted(faults: &Faults) -> Result<()> {
    match faults.restriction {
        Some(restriction) => {
            let (code, message) = restriction.refusal();
            Err(Fault::forbidden(code, message))
        }
        None => Ok(()),
    }
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
}

/// Each server of a batch once.
fn distinct(servers: Vec<Named>) -> Result<Vec<String>> {
    let mut ids: Vec<String> = servers.into_iter().map(|server| server.id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(invalid("servers"));
    }
    if ids.len() > AT_ONCE {
        return Err(Fault::bad("Ecs.0118", "Too many servers in one request."));
    }
    Ok(ids)
}

/// Nothing is done with any server of a batch if one of them does not allow it: the answer says which, and why.
fn all_or_none(ids: &[String], check: impl Fn(&str) -> Result<()>) -> Result<()> {
    let failed: Vec<(String, Fault)> = ids
        .iter()
        .filter_map(|id| check(id).err().map(|fault| (id.clone(), fault)))
        .collect();
    let Some((_, first)) = failed.first() else {
        return Ok(());
    };
    let mut fault = if ids.len() == 1 {
        first.clone()
    } else {
        Fault::bad("Ecs.0611", "Some of the servers do not allow this operation.")
    };
    fault.failed = failed
        .into_iter()
        .map(|(id, fault)| (id, fault.code, fault.message))
        .collect();
    Err(fault)
}

fn limits(region: &Region) -> Answer {
    let (servers, cores, ram_mb) = quota::servers(region);
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
            "maxSecurityGroups": quota::SECURITY_GROUPS,
            "maxSecurityGroupRules": quota::RULES,
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
