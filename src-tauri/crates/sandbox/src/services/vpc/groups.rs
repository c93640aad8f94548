//! Security groups: what may reach a server, and what it may reach.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Result, is_name, list as listed, quota};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{IpVersion, Region, Remote, Rule, SecurityGroup, new_id},
};

fn existing<'r>(region: &'r Region, id: &str) -> Result<&'r SecurityGroup> {
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(Fault::bad("VPC.0601", "Securitygroup id is invalid."));
    }
    region
        .security_groups
        .iter()
        .find(|group| group.id == id)
        .ok_or_else(|| Fault::missing("VPC.0603", "Securitygroup is not exist."))
}

pub(super) fn list(call: &Call<'_>, region: &Region) -> Result<Answer> {
    // Groups belong to no VPC here, as in the cloud today; the filter has to name one that is there, and takes nothing away.
    if let Some(vpc) = call.request.query_value("vpc_id")
        && region.vpcs.iter().all(|known| known.id != vpc)
    {
        return Err(Fault::bad(
            "VPC.0601",
            "Query security groups error vpcId is invalid.",
        ));
    }
    let rows: Vec<&SecurityGroup> = region.security_groups.iter().collect();
    listed(
        call,
        "security_groups",
        &rows,
        |group| &group.id,
        |row| group_row(region, row),
    )
}

pub(super) fn show(region: &Region, id: &str) -> Result<Answer> {
    let group = existing(region, id)?;
    Ok(Answer::json(
        200,
        &json!({"security_group": group_row(region, group)}),
    ))
}

#[derive(Debug, Deserialize)]
struct NewGroup {
    security_group: WantedGroup,
}

#[derive(Debug, Deserialize)]
struct WantedGroup {
    name: String,
    vpc_id: Option<String>,
    description: Option<String>,
}

/// A new group lets its members speak to each other and out, and nobody in.
pub(super) fn create(call: &Call<'_>, region: &mut Region) -> Result<Answer> {
    let NewGroup {
        security_group: wanted,
    } = call.body("VPC.0601", "VPC.0601")?;
    if !is_name(&wanted.name) {
        return Err(Fault::bad("VPC.0601", "Creating securitygroup name is invalid."));
    }
    let description = wanted.description.unwrap_or_default();
    if description.chars().count() > 255 || description.contains(['<', '>']) {
        return Err(Fault::bad(
            "VPC.0601",
            "Creating securitygroup description is invalid.",
        ));
    }
    if let Some(vpc) = wanted.vpc_id.filter(|id| !id.is_empty())
        && region.vpcs.iter().all(|known| known.id != vpc)
    {
        return Err(Fault::missing("VPC.0003", "VPC does not exist."));
    }
    if region.security_groups.len() >= quota::SECURITY_GROUPS {
        return Err(Fault::new(
            409,
            "VPC.0604",
            "Quota exceeded for resources: ['security_group'].",
        ));
    }
    let id = new_id();
    let rule = |ingress: bool, ip_version: IpVersion| Rule {
        id: new_id(),
        description: String::new(),
        ingress,
        ip_version,
        protocol: None,
        ports: None,
        remote: if ingress {
            Remote::Group(id.clone())
        } else {
            Remote::Anyone
        },
    };
    let group = SecurityGroup {
        rules: vec![
            rule(true, IpVersion::V4),
            rule(true, IpVersion::V6),
            rule(false, IpVersion::V4),
            rule(false, IpVersion::V6),
        ],
        id: id.clone(),
        name: wanted.name,
        description,
    };
    let row = group_row(region, &group);
    region.trace(call.trace(
        "VPC",
        "security-groups",
        "createSecurityGroup",
        (&id, &group.name),
        200,
    ));
    region.security_groups.push(group);
    Ok(Answer::json(200, &json!({"security_group": row})))
}

pub(super) fn delete(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let name = existing(region, id)?.name.clone();
    let has_members = region
        .servers
        .values()
        .any(|server| server.security_groups.iter().any(|group| group == id));
    let is_named = region
        .security_groups
        .iter()
        .filter(|group| group.id != id)
        .flat_map(|group| &group.rules)
        .any(|rule| rule.remote == Remote::Group(id.to_owned()));
    if has_members || is_named || name == "default" {
        return Err(Fault::new(
            409,
            "VPC.0602",
            format!("Security Group {id} in use."),
        ));
    }
    region.security_groups.retain(|group| group.id != id);
    region.trace(call.trace("VPC", "security-groups", "deleteSecurityGroup", (id, &name), 204));
    Ok(Answer::empty(204))
}

pub(super) fn rules(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let group = call.request.query_value("security_group_id");
    let block = call.request.query_value("remote_ip_prefix");
    let found: Vec<(&SecurityGroup, &Rule)> = region
        .security_groups
        .iter()
        .filter(|own| group.as_ref().is_none_or(|wanted| *wanted == own.id))
        .flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
        .filter(|(_, rule)| match &block {
            None => true,
            Some(block) => rule.remote == Remote::Block(block.clone()),
        })
        .collect();
    let rows: Vec<&(&SecurityGroup, &Rule)> = found.iter().collect();
    listed(
        call,
        "security_group_rules",
        &rows,
        |(_, rule)| &rule.id,
        |(group, rule)| rule_row(region, group, rule),
    )
}

#[derive(Debug, Deserialize)]
struct NewRule {
    security_group_rule: WantedRule,
}

#[derive(Debug, Deserialize)]
struct WantedRule {
    security_group_id: String,
    description: Option<String>,
    direction: String,
    ethertype: Option<String>,
    protocol: Option<String>,
    port_range_min: Option<i64>,
    port_range_max: Option<i64>,
    remote_ip_prefix: Option<String>,
    remote_group_id: Option<String>,
    remote_address_group_id: Option<String>,
}

fn wrong(what: &str) -> Fault {
    Fault::bad("VPC.0601", format!("Security group rule {what} is invalid."))
}

pub(super) fn create_rule(call: &Call<'_>, region: &mut Region) -> Result<Answer> {
    let NewRule {
        security_group_rule: wanted,
    } = call.body("VPC.0601", "VPC.0601")?;
    let group_id = wanted.security_group_id.clone();
    existing(region, &group_id)?;
    let rule = check_rule(region, wanted)?;
    let exists = existing(region, &group_id)?.rules.iter().any(|own| {
        (own.ingress, own.ip_version, &own.protocol, own.ports, &own.remote)
            == (
                rule.ingress,
                rule.ip_version,
                &rule.protocol,
                rule.ports,
                &rule.remote,
            )
    });
    if exists {
        return Err(Fault::new(409, "VPC.0602", "Security group rule already exists."));
    }
    if quota::rules(region) >= quota::RULES {
        return Err(Fault::new(
            409,
            "VPC.0602",
            "Quota exceeded for resources: ['security_group_rule'].",
        ));
    }
    let row = rule_row(region, existing(region, &group_id)?, &rule);
    region.trace(call.trace(
        "VPC",
        "security-group-rules",
        "createSecurityGroupRule",
        (&rule.id, ""),
        200,
    ));
    if let Some(group) = region
        .security_groups
        .iter_mut()
        .find(|group| group.id == group_id)
    {
        group.rules.push(rule);
    }
    Ok(Answer::json(200, &json!({"security_group_rule": row})))
}

fn check_rule(region: &Region, wanted: WantedRule) -> Result<Rule> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let ingress = match wanted.direction.as_str() {
        "ingress" => true,
        "egress" => false,
        _ => return Err(wrong("direction")),
    };
    let ip_version = match wanted.ethertype.as_deref() {
        None | Some("" | "IPv4") => IpVersion::V4,
        Some("IPv6") => IpVersion::V6,
        Some(_) => return Err(wrong("ethertype")),
    };
    let description = wanted.description.unwrap_or_default();
    if description.chars().count() > 255 || description.contains(['<', '>']) {
        return Err(wrong("description"));
    }
    let protocol = given(wanted.protocol).map(|word| word.to_lowercase());
    if let Some(word) = &protocol
        && !["tcp", "udp", "icmp", "icmpv6"].contains(&word.as_str())
        && word.parse::<u8>().is_err()
    {
        return Err(wrong("protocol"));
    }
    let ports = match (wanted.port_range_min, wanted.port_range_max) {
        (None, None) => None,
        (Some(first), Some(last)) => match (u16::try_from(first), u16::try_from(last)) {
            (Ok(first), Ok(last)) if first <= last && protocol.is_some() => Some((first, last)),
            _ => return Err(wrong("port range")),
        },
        _ => return Err(wrong("port range")),
    };
    let needs_first = matches!(protocol.as_deref(), Some("tcp" | "udp"));
    if needs_first && ports.is_some_and(|(first, _)| first == 0) {
        return Err(wrong("port range"));
    }
    if given(wanted.remote_address_group_id).is_some() {
        return Err(wrong("remote_address_group_id"));
    }
    let remote = match (given(wanted.remote_ip_prefix), given(wanted.remote_group_id)) {
        (None, None) => Remote::Anyone,
        (Some(block), None) => Remote::Block(block_of(&block, ip_version)?),
        (None, Some(group)) => Remote::Group(existing(region, &group)?.id.clone()),
        (Some(_), Some(_)) => return Err(wrong("remote_ip_prefix together with remote_group_id")),
    };
    Ok(Rule {
        id: new_id(),
        description,
        ingress,
        ip_version,
        protocol,
        ports,
        remote,
    })
}

/// A block of the right kind of addresses; one address alone is a block of one.
fn block_of(text: &str, ip_version: IpVersion) -> Result<String> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: std::net::IpAddr = address.parse().map_err(|_| wrong("remote_ip_prefix"))?;
    let longest = match (address, ip_version) {
        (std::net::IpAddr::V4(_), IpVersion::V4) => 32,
        (std::net::IpAddr::V6(_), IpVersion::V6) => 128,
        _ => return Err(wrong("remote_ip_prefix")),
    };
    let prefix: u8 = match prefix {
        None => longest,
        Some(prefix) => prefix.parse().map_err(|_| wrong("remote_ip_prefix"))?,
    };
    if prefix > longest {
        return Err(wrong("remote_ip_prefix"));
    }
    Ok(format!("{address}/{prefix}"))
}

pub(super) fn delete_rule(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(wrong("id"));
    }
    let before = quota::rules(region);
    for group in &mut region.security_groups {
        group.rules.retain(|rule| rule.id != id);
    }
    if quota::rules(region) == before {
        return Err(Fault::missing(
            "VPC.0612",
            format!("Security group rule {id} does not exist."),
        ));
    }
    region.trace(call.trace(
        "VPC",
        "security-group-rules",
        "deleteSecurityGroupRule",
        (id, ""),
        204,
    ));
    Ok(Answer::empty(204))
}

fn group_row(region: &Region, group: &SecurityGroup) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "vpc_id": "",
        "enterprise_project_id": "0",
        "security_group_rules": group.rules.iter().map(|row| rule_row(region, group, row)).collect::<Vec<_>>(),
    })
}

fn rule_row(region: &Region, group: &SecurityGroup, rule: &Rule) -> Value {
    let (block, remote_group) = match &rule.remote {
        Remote::Anyone => (None, None),
        Remote::Block(block) => (Some(block), None),
        Remote::Group(group) => (None, Some(group)),
    };
    json!({
        "id": rule.id,
        "description": rule.description,
        "security_group_id": group.id,
        "direction": if rule.ingress { "ingress" } else { "egress" },
        "ethertype": rule.ip_version.word(),
        "protocol": rule.protocol,
        "port_range_min": rule.ports.map(|(first, _)| first),
        "port_range_max": rule.ports.map(|(_, last)| last),
        "remote_ip_prefix": block,
        "remote_group_id": remote_group,
        "remote_address_group_id": null,
        "tenant_id": region.project_id,
    })
}
