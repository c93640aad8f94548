//! Virtual Private Cloud, version 1, and the EIPs that live on the same host.

mod addresses;
mod groups;
mod networks;

use http::Method;
use serde_json::{Value, json};

use super::{Call, Result, page, quota, same_project, tags, zulu};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{Faults, Region},
};

/// Paths that are answered in the native words.
pub(super) const NATIVE: &str = "/v2.0/network-ip-availabilities/";

/// The right that a call needs, and under which names the audit keeps it if it changes something.
type Route = (&'static str, Option<(&'static str, &'static str)>);

fn route(call: &Call<'_>, segments: &[&str]) -> Option<Route> {
    Some(match (&call.request.method, segments) {
        (&Method::GET, ["v1", _, "vpcs"]) => ("vpc:vpcs:list", None),
        (&Method::GET, ["v1", _, "subnets"]) => ("vpc:subnets:get", None),
        (&Method::GET, ["v1", _, "ports"]) => ("vpc:ports:get", None),
        (&Method::GET, ["v1", _, "quotas"]) => ("vpc:quotas:list", None),
        (&Method::GET, ["v2.0", "network-ip-availabilities", _]) => ("vpc:networks:get", None),
        (&Method::GET, ["v1", _, "security-groups"] | ["v1", _, "security-groups", _]) => {
            ("vpc:securityGroups:get", None)
        }
        (&Method::POST, ["v1", _, "security-groups"]) => (
            "vpc:securityGroups:create",
            Some(("security-groups", "createSecurityGroup")),
        ),
        (&Method::DELETE, ["v1", _, "security-groups", _]) => (
            "vpc:securityGroups:delete",
            Some(("security-groups", "deleteSecurityGroup")),
        ),
        (&Method::GET, ["v1", _, "security-group-rules"]) => ("vpc:securityGroupRules:get", None),
        (&Method::POST, ["v1", _, "security-group-rules"]) => (
            "vpc:securityGroupRules:create",
            Some(("security-group-rules", "createSecurityGroupRule")),
        ),
        (&Method::DELETE, ["v1", _, "security-group-rules", _]) => (
            "vpc:securityGroupRules:delete",
            Some(("security-group-rules", "deleteSecurityGroupRule")),
        ),
        (&Method::GET, ["v1", _, "publicips"]) => ("vpc:publicIps:list", None),
        (&Method::GET, ["v1", _, "publicips", _]) => ("vpc:publicIps:get", None),
        (&Method::POST, ["v1", _, "publicips"]) => ("vpc:publicIps:create", Some(("publicips", "createEip"))),
        (&Method::PUT, ["v1", _, "publicips", _]) => {
            ("vpc:publicIps:update", Some(("publicips", "updateEip")))
        }
        (&Method::DELETE, ["v1", _, "publicips", _]) => {
            ("vpc:publicIps:delete", Some(("publicips", "deleteEip")))
        }
        (&Method::POST, ["v2.0", _, "publicips", _, "tags", "action"]) => {
            ("vpc:publicIpTags:create", Some(("publicips", "tagEip")))
        }
        (&Method::GET, ["v2.0", _, "publicips", _, "tags"]) => ("vpc:publicIpTags:get", None),
        _ => return None,
    })
}

pub(super) fn answer(call: &Call<'_>, region: &mut Region, faults: &Faults) -> Result<Answer> {
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (action, trace) = route(call, &segments)
        .filter(|_| !segments.contains(&""))
        .ok_or_else(Fault::no_such_call)?;
    let result = if call.is_guest() {
        Err(Fault::denied("VPC.2201", action))
    } else {
        obey(call, region, faults, &segments)
    };
    if let (Err(fault), Some((kind, name))) = (&result, trace) {
        let id = segments.get(3).copied().unwrap_or_default();
        region.trace(call.trace("VPC", kind, name, (id, ""), fault.status));
    }
    result
}

fn obey(call: &Call<'_>, region: &mut Region, faults: &Faults, segments: &[&str]) -> Result<Answer> {
    if let ["v2.0", "network-ip-availabilities", id] = segments {
        return networks::availability(region, id);
    }
    let [_, project, path @ ..] = segments else {
        return Err(Fault::no_such_call());
    };
    same_project(region, project, "VPC.0007")?;
    match (&call.request.method, path) {
        (&Method::GET, ["vpcs"]) => networks::vpcs(call, region),
        (&Method::GET, ["subnets"]) => networks::subnets(call, region),
        (&Method::GET, ["ports"]) => networks::ports(call, region),
        (&Method::GET, ["quotas"]) => networks::quotas(call, region),
        (&Method::GET, ["security-groups"]) => groups::list(call, region),
        (&Method::GET, ["security-groups", id]) => groups::show(region, id),
        (&Method::POST, ["security-groups"]) => groups::create(call, region),
        (&Method::DELETE, ["security-groups", id]) => groups::delete(call, region, id),
        (&Method::GET, ["security-group-rules"]) => groups::rules(call, region),
        (&Method::POST, ["security-group-rules"]) => groups::create_rule(call, region),
        (&Method::DELETE, ["security-group-rules", id]) => groups::delete_rule(call, region, id),
        (&Method::GET, ["publicips"]) => addresses::list(call, region),
        (&Method::GET, ["publicips", id]) => addresses::show(region, id),
        (&Method::POST, ["publicips"]) => addresses::create(call, region, faults),
        (&Method::PUT, ["publicips", id]) => addresses::update(call, region, id),
        (&Method::DELETE, ["publicips", id]) => addresses::delete(call, region, id),
        (&Method::POST, ["publicips", id, "tags", "action"]) => addresses::tag(call, region, id),
        (&Method::GET, ["publicips", id, "tags"]) => addresses::show_tags(region, id),
        _ => Err(Fault::no_such_call()),
    }
}

/// Version 1 lists have no word on whether more follows: a short page is the last one.
fn list<T>(
    call: &Call<'_>,
    name: &str,
    rows: &[&T],
    id: impl for<'a> Fn(&'a T) -> &'a str,
    show: impl Fn(&T) -> Value,
) -> Result<Answer> {
    let limit = call.limit(2000, 2000).ok_or_else(|| wrong_list(name, "limit"))?;
    let marker = call.request.query_value("marker");
    let rows =
        page(rows, |row| id(row), marker.as_deref(), limit).ok_or_else(|| wrong_list(name, "marker"))?;
    let rows: Vec<Value> = rows.iter().map(|row| show(row)).collect();
    Ok(Answer::json(200, &json!({name: rows})))
}

/// Each list has a code of its own for a parameter that is none; for that of ports none is published.
fn wrong_list(name: &str, what: &str) -> Fault {
    let (code, list) = match name {
        "vpcs" => ("VPC.0101", "vpc list"),
        "subnets" => ("VPC.0201", "subnets list"),
        "publicips" => ("VPC.0501", "publicips list"),
        "ports" => ("VPC.2501", "ports list"),
        _ => ("VPC.0601", "security groups"),
    };
    Fault::bad(code, format!("Query {list} error {what} is invalid."))
}

/// Letters of any script, digits and three signs.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.chars().count()) && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
}
