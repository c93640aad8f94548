//! EIPs: made at once, bound to a server's port, and billed until they are deleted.

use std::net::Ipv4Addr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call, Result, is_name, list as listed, quota,
    tags::{self, Tagging, Words},
};
use crate::{
    faults::Fault,
    users::ACCOUNT_ID,
    wire::Answer,
    world::{Faults, NewAddress, PublicIp, Region},
};

/// This service's codes for tags.
const TAGS: Words = Words {
    too_many: "VPC.1801",
    length: "VPC.1801",
    characters: "VPC.1801",
    twice: "VPC.1801",
    request: "VPC.1801",
};

fn existing<'r>(region: &'r Region, id: &str) -> Result<&'r PublicIp> {
    region
        .addresses
        .get(id)
        .ok_or_else(|| Fault::missing("VPC.0504", "Floating IP could not be found."))
}

fn wrong(what: &str) -> Fault {
    Fault::bad("VPC.0501", format!("Floating IP parameter {what} is invalid."))
}

pub(super) fn list(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let rows: Vec<&PublicIp> = region
        .addresses
        .values()
        .filter(|row| is_wanted(call, row))
        .collect();
    listed(
        call,
        "publicips",
        &rows,
        |row| &row.id,
        |row| public_ip(region, row),
    )
}

pub(super) fn show(region: &Region, id: &str) -> Result<Answer> {
    let row = public_ip(region, existing(region, id)?);
    Ok(Answer::json(200, &json!({"publicip": row})))
}

#[derive(Debug, Deserialize)]
struct Creation {
    publicip: Wanted,
    bandwidth: Bandwidth,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(rename = "type")]
    kind: String,
    ip_version: Option<u8>,
    alias: Option<String>,
    port_id: Option<String>,
    ip_address: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Bandwidth {
    share_type: String,
    charge_mode: Option<String>,
    name: Option<String>,
    size: Option<u32>,
}

pub(super) fn create(call: &Call<'_>, region: &mut Region, faults: &Faults) -> Result<Answer> {
    let Creation { publicip, bandwidth } = call.body("VPC.0501", "VPC.0501")?;
    let new = check(region, &publicip, bandwidth)?;
    let port = publicip.port_id.filter(|port| !port.is_empty());
    if let Some(port) = &port {
        check_port(region, port)?;
    }
    if faults.restriction.is_some() {
        return Err(Fault::forbidden("VPC.0502", "The account is restricted."));
    }
    if region.addresses.len() >= quota::ADDRESSES {
        return Err(Fault::new(
            409,
            "VPC.0521",
            "Quota exceeded for resources: ['floatingip'].",
        ));
    }
    let id = region
        .new_address(&new, call.user.id, call.now)
        .ok_or_else(|| Fault::new(409, "VPC.0532", "No more IP addresses available on network."))?;
    if let Some(port) = &port {
        region.bind(&id, port);
    }
    let mut row = public_ip(region, existing(region, &id)?);
    if let Some(row) = row.as_object_mut() {
        // What is shown at once is less than what can be read later.
        row.retain(|key, _| {
            [
                "id",
                "status",
                "type",
                "public_ip_address",
                "tenant_id",
                "create_time",
                "bandwidth_size",
                "ip_version",
                "enterprise_project_id",
                "alias",
            ]
            .contains(&key.as_str())
        });
        row.insert("status".to_owned(), json!("PENDING_CREATE"));
    }
    let name = existing(region, &id)?.address.to_string();
    region.trace(call.trace("VPC", "publicips", "createEip", (&id, &name), 200));
    Ok(Answer::json(200, &json!({"publicip": row})))
}

fn check(region: &Region, wanted: &Wanted, bandwidth: Bandwidth) -> Result<NewAddress> {
    if !["5_bgp", "5_sbgp"].contains(&wanted.kind.as_str()) {
        return Err(wrong("type"));
    }
    if wanted.ip_version.is_some_and(|version| version != 4) {
        return Err(wrong("ip_version"));
    }
    let alias = wanted.alias.clone().unwrap_or_default();
    if !alias.is_empty() && !is_name(&alias) {
        return Err(wrong("alias"));
    }
    let address: Option<Ipv4Addr> = match wanted.ip_address.as_deref().filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let address = text.parse().map_err(|_| wrong("ip_address"))?;
            if region.free_public_addresses().all(|free| free != address) {
                return Err(wrong("ip_address"));
            }
            Some(address)
        }
    };
    let unfit = |what: &str| Fault::bad("VPC.0301", format!("Bandwidth {what} is invalid."));
    // There are no shared bandwidths to put an address into.
    if bandwidth.share_type != "PER" {
        return Err(unfit("share_type"));
    }
    let name = bandwidth.name.ok_or_else(|| unfit("name"))?;
    if !is_name(&name) {
        return Err(unfit("name"));
    }
    let by_traffic = match bandwidth.charge_mode.as_deref() {
        None | Some("" | "bandwidth") => false,
        Some("traffic") => true,
        Some(_) => return Err(unfit("charge_mode")),
    };
    let mbps = bandwidth
        .size
        .filter(|size| (1..=2000).contains(size))
        .ok_or_else(|| unfit("size"))?;
    Ok(NewAddress {
        kind: wanted.kind.clone(),
        alias,
        bandwidth_name: Some(name),
        mbps,
        by_traffic,
        delete_on_termination: false,
        address,
    })
}

/// A port has to be there, and free.
fn check_port(region: &Region, port: &str) -> Result<()> {
    let exists = region
        .servers
        .values()
        .flat_map(|server| &server.nics)
        .any(|nic| nic.port_id == port);
    if !exists {
        return Err(wrong("port_id"));
    }
    let taken = region
        .addresses
        .values()
        .any(|public| public.port_id.as_deref() == Some(port));
    if taken {
        return Err(Fault::new(
            409,
            "VPC.0511",
            "The port already has an associated floating IP.",
        ));
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Update {
    publicip: Change,
}

#[derive(Debug, Deserialize)]
struct Change {
    port_id: Option<String>,
    alias: Option<String>,
    ip_version: Option<u8>,
}

/// Binds to a port, unbinds without one, or renames: with a new name, the port counts for nothing.
pub(super) fn update(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let Update { publicip: change } = call.body("VPC.0501", "VPC.0501")?;
    let public = existing(region, id)?;
    if change.ip_version.is_some_and(|version| version != 4) {
        return Err(wrong("ip_version"));
    }
    let port = change.port_id.filter(|port| !port.is_empty());
    match (change.alias, port) {
        (Some(alias), _) => {
            if !alias.is_empty() && !is_name(&alias) {
                return Err(wrong("alias"));
            }
            if let Some(public) = region.addresses.get_mut(id) {
                public.alias = alias;
            }
        }
        (None, Some(port)) => {
            if public.port_id.is_some() {
                return Err(Fault::new(
                    409,
                    "VPC.0510",
                    "Floating IP has already associated with port.",
                ));
            }
            check_port(region, &port)?;
            region.bind(id, &port);
        }
        (None, None) => region.unbind(id),
    }
    let public = existing(region, id)?;
    let name = public.address.to_string();
    let row = public_ip(region, public);
    region.trace(call.trace("VPC", "publicips", "updateEip", (id, &name), 200));
    Ok(Answer::json(200, &json!({"publicip": row})))
}

pub(super) fn delete(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let public = existing(region, id)?;
    if public.port_id.is_some() {
        return Err(Fault::new(
            409,
            "VPC.0517",
            "Floating IP has associated with port, please disassociate it first.",
        ));
    }
    let name = public.address.to_string();
    region.delete_address(id);
    region.trace(call.trace("VPC", "publicips", "deleteEip", (id, &name), 204));
    Ok(Answer::empty(204))
}

pub(super) fn tag(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let tagging: Tagging = call.body("VPC.1801", "VPC.1801")?;
    let name = existing(region, id)?.address.to_string();
    if let Some(public) = region.addresses.get_mut(id) {
        tags::apply(&tagging, &mut public.tags, &TAGS)?;
    }
    region.trace(call.trace("VPC", "publicips", "tagEip", (id, &name), 204));
    Ok(Answer::empty(204))
}

pub(super) fn show_tags(region: &Region, id: &str) -> Result<Answer> {
    let rows = tags::rows(&existing(region, id)?.tags);
    Ok(Answer::json(200, &json!({"tags": rows})))
}

fn is_wanted(call: &Call<'_>, row: &PublicIp) -> bool {
    let one_of = |key: &str, value: Option<String>| {
        let wanted = call.request.query_values(key);
        wanted.is_empty() || value.is_some_and(|value| wanted.contains(&value))
    };
    one_of("id", Some(row.id.clone()))
        && one_of("port_id", row.port_id.clone())
        && one_of("public_ip_address", Some(row.address.to_string()))
        && one_of(
            "private_ip_address",
            row.private_address.map(|address| address.to_string()),
        )
        && call
            .request
            .query_value("ip_version")
            .is_none_or(|version| version == "4")
}

fn public_ip(region: &Region, row: &PublicIp) -> Value {
    let mut value = json!({
        "id": row.id,
        "status": if row.port_id.is_some() { "ACTIVE" } else { "DOWN" },
        "profile": {"user_id": ACCOUNT_ID, "region_id": region.id},
        "type": row.kind,
        "public_ip_address": row.address,
        "ip_version": 4,
        "tenant_id": region.project_id,
        "create_time": row.created.format("%Y-%m-%d %H:%M:%S").to_string(),
        "bandwidth_id": row.bandwidth_id,
        "bandwidth_name": row.bandwidth_name,
        "bandwidth_size": row.bandwidth_mbps,
        "bandwidth_share_type": "PER",
        "enterprise_project_id": "0",
        "public_border_group": "center",
        "tags": row.tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        "alias": row.alias,
        "allow_share_bandwidth_types": ["share"],
    });
    // A free EIP has neither key.
    if let (Some(port), Some(private), Some(value)) =
        (&row.port_id, row.private_address, value.as_object_mut())
    {
        value.insert("port_id".to_owned(), json!(port));
        value.insert("private_ip_address".to_owned(), json!(private));
    }
    value
}
