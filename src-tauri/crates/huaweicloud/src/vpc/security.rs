//! Security groups, and the rules by which they let traffic through.

use serde::Deserialize;
use serde_json::json;

use super::page;
use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{ProjectId, SecurityGroupId, SecurityGroupRuleId};
use crate::{lenient, wire};

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SecurityGroup {
    /// The group's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: SecurityGroupId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// What its owner says about it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub description: String,
    /// The enterprise project that it belongs to.
    #[serde(
        rename = "enterprise_project_id",
        default,
        deserialize_with = "lenient::optional"
    )]
    pub enterprise_project: Option<String>,
    /// Its rules. Those that could not be read are not among them; [`security_group_rules`] counts them.
    #[serde(rename = "security_group_rules", default, deserialize_with = "lenient::rows")]
    pub rules: Vec<SecurityGroupRule>,
}

/// Which way traffic goes, as seen from the servers of a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To them.
    Ingress,
    /// From them.
    Egress,
    /// A word that this crate does not know.
    Other(String),
}

impl Direction {
    fn word(&self) -> &str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for Direction {
    fn from(word: String) -> Self {
        match word.as_str() {
            "ingress" => Self::Ingress,
            "egress" => Self::Egress,
            _ => Self::Other(word),
        }
    }
}

/// A rule of a security group: it lets through what fits all of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SecurityGroupRule {
    /// The rule's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: SecurityGroupRuleId,
    /// The group that it belongs to.
    #[serde(rename = "security_group_id", default, deserialize_with = "lenient::optional")]
    pub group: Option<SecurityGroupId>,
    /// Which way.
    #[serde(deserialize_with = "lenient::required")]
    pub direction: Direction,
    /// `IPv4` or `IPv6`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub ethertype: String,
    /// `tcp`, `udp`, `icmp`, `icmpv6` or a protocol's number; `None` for all.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub protocol: Option<String>,
    /// The first port, or the ICMP type; `None` for all.
    #[serde(default, deserialize_with = "lenient::number")]
    pub port_range_min: Option<u16>,
    /// The last port, or the ICMP code; `None` for all.
    #[serde(default, deserialize_with = "lenient::number")]
    pub port_range_max: Option<u16>,
    /// The address range at the other end. `None` here, in [`Self::remote_group`] and in
    /// [`Self::remote_address_group`] means any.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub remote_ip_prefix: Option<String>,
    /// The security group at the other end.
    #[serde(rename = "remote_group_id", default, deserialize_with = "lenient::optional")]
    pub remote_group: Option<SecurityGroupId>,
    /// The address group at the other end.
    #[serde(
        rename = "remote_address_group_id",
        default,
        deserialize_with = "lenient::optional"
    )]
    pub remote_address_group: Option<String>,
    /// What its owner says about it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub description: String,
}

impl SecurityGroupRule {
    /// Whether it lets anybody in, from anywhere, to a port of TCP.
    pub fn opens_to_all(&self, port: u16) -> bool {
        let anywhere = match self.remote_ip_prefix.as_deref() {
            None => true,
            Some(range) => range.ends_with("/0"),
        };
        // As a number, TCP is 6.
        let tcp = self
            .protocol
            .as_deref()
            .is_none_or(|protocol| protocol.eq_ignore_ascii_case("tcp") || protocol == "6");
        self.direction == Direction::Ingress
            && anywhere
            && self.remote_group.is_none()
            && self.remote_address_group.is_none()
            && tcp
            && self.port_range_min.is_none_or(|first| first <= port)
            && self.port_range_max.is_none_or(|last| port <= last)
    }
}

/// `ListSecurityGroups`, all pages.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_sg01_0003.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn security_groups(
    client: &Client,
    project: &ProjectId,
) -> Result<Reply<Listing<SecurityGroup>>, Error> {
    let call = |marker: Option<&str>| page("ListSecurityGroups", project, "security-groups", marker);
    client
        .list(
            "security_groups",
            Some(super::PAGE),
            call,
            |group: &SecurityGroup| group.id.to_string(),
        )
        .await
}

/// `ShowSecurityGroup`.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_sg01_0002.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such group, or another of [`crate::ErrorKind`].
pub async fn security_group(
    client: &Client,
    project: &ProjectId,
    id: &SecurityGroupId,
) -> Result<Reply<SecurityGroup>, Error> {
    let path = ["v1", project.as_str(), "security-groups", id.as_str()];
    let call = Call::get(Service::Vpc, "ShowSecurityGroup", path);
    wire::only_member(client.send(&call).await?, "security_group")
}

/// `CreateSecurityGroup`: a new group lets everything out and nothing in but what comes from itself. A name has 1 to 64
/// letters (Chinese too), digits, `_`, `-` and `.`; names need not differ.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_sg01_0001.html>
///
/// # Errors
/// [`crate::ErrorKind::Quota`], [`crate::ErrorKind::Invalid`] for a name that is not allowed, or another of
/// [`crate::ErrorKind`].
pub async fn create_security_group(
    client: &Client,
    project: &ProjectId,
    name: &str,
    enterprise_project: Option<&str>,
) -> Result<Reply<SecurityGroup>, Error> {
    let path = ["v1", project.as_str(), "security-groups"];
    let body = wire::body(json!({
        "security_group": { "name": name, "enterprise_project_id": enterprise_project },
    }));
    let call = Call::post(Service::Vpc, "CreateSecurityGroup", path, body);
    wire::only_member(client.send(&call).await?, "security_group")
}

/// `DeleteSecurityGroup`: no network interface may be in it.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_sg01_0004.html>
///
/// # Errors
/// [`crate::ErrorKind::State`] if it is in use, [`crate::ErrorKind::Missing`] if there is no such group, or another of
/// [`crate::ErrorKind`].
pub async fn delete_security_group(
    client: &Client,
    project: &ProjectId,
    id: &SecurityGroupId,
) -> Result<Reply<()>, Error> {
    let path = ["v1", project.as_str(), "security-groups", id.as_str()];
    let call = Call::delete(Service::Vpc, "DeleteSecurityGroup", path);
    Ok(client.send(&call).await?.reply(()))
}

/// `ListSecurityGroupRules`, all pages, of one group or of all.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_sg01_0007.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn security_group_rules(
    client: &Client,
    project: &ProjectId,
    group: Option<&SecurityGroupId>,
) -> Result<Reply<Listing<SecurityGroupRule>>, Error> {
    let call = |marker: Option<&str>| {
        let call = page("ListSecurityGroupRules", project, "security-group-rules", marker);
        match group {
            Some(group) => call.with("security_group_id", group.as_str()),
            None => call,
        }
    };
    client
        .list(
            "security_group_rules",
            Some(super::PAGE),
            call,
            |rule: &SecurityGroupRule| rule.id.to_string(),
        )
        .await
}

/// The other end of what a rule lets through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Remote {
    /// Anybody.
    Any,
    /// An address range, such as `203.0.113.7/32`.
    Range(String),
    /// The servers of a group, which may be the rule's own.
    Group(SecurityGroupId),
}

/// A rule to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSecurityGroupRule {
    /// The group that it belongs to.
    pub group: SecurityGroupId,
    /// Which way.
    pub direction: Direction,
    /// Whether it is for IPv6, not for IPv4.
    pub ipv6: bool,
    /// `tcp`, `udp`, `icmp`, `icmpv6` or a protocol's number; `None` for all.
    pub protocol: Option<String>,
    /// The first and the last port, or the type and the code of ICMP; `None` for all.
    pub ports: Option<(u16, u16)>,
    /// The other end.
    pub remote: Remote,
    /// What its owner says about it.
    pub description: Option<String>,
}

/// `CreateSecurityGroupRule`.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_sg01_0005.html>
///
/// # Errors
/// [`crate::ErrorKind::Quota`], [`crate::ErrorKind::Missing`] if there is no such group, or another of
/// [`crate::ErrorKind`].
pub async fn create_security_group_rule(
    client: &Client,
    project: &ProjectId,
    rule: &CreateSecurityGroupRule,
) -> Result<Reply<SecurityGroupRule>, Error> {
    let (range, group) = match &rule.remote {
        Remote::Any => (None, None),
        Remote::Range(range) => (Some(range), None),
        Remote::Group(group) => (None, Some(group)),
    };
    let body = wire::body(json!({
        "security_group_rule": {
            "security_group_id": rule.group,
            "direction": rule.direction.word(),
            "ethertype": if rule.ipv6 { "IPv6" } else { "IPv4" },
            "protocol": rule.protocol,
            "port_range_min": rule.ports.map(|(first, _)| first),
            "port_range_max": rule.ports.map(|(_, last)| last),
            "remote_ip_prefix": range,
            "remote_group_id": group,
            "description": rule.description,
        },
    }));
    let path = ["v1", project.as_str(), "security-group-rules"];
    let call = Call::post(Service::Vpc, "CreateSecurityGroupRule", path, body);
    wire::only_member(client.send(&call).await?, "security_group_rule")
}

/// `DeleteSecurityGroupRule`. Connections that are open already may go on for a while.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_sg01_0008.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such rule, or another of [`crate::ErrorKind`].
pub async fn delete_security_group_rule(
    client: &Client,
    project: &ProjectId,
    id: &SecurityGroupRuleId,
) -> Result<Reply<()>, Error> {
    let path = ["v1", project.as_str(), "security-group-rules", id.as_str()];
    let call = Call::delete(Service::Vpc, "DeleteSecurityGroupRule", path);
    Ok(client.send(&call).await?.reply(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(fields: &str) -> SecurityGroupRule {
        serde_json::from_str(&format!(r#"{{"id":"r-1","direction":"ingress"{fields}}}"#)).unwrap()
    }

    #[test]
    fn only_a_rule_without_any_bound_opens_a_port_to_all() {
        assert!(rule(r#","protocol":null,"remote_ip_prefix":null"#).opens_to_all(22));
        assert!(
            rule(r#","protocol":"tcp","port_range_min":20,"port_range_max":"22","remote_ip_prefix":"0.0.0.0/0""#)
                .opens_to_all(22)
        );
        assert!(rule(r#","protocol":"6","remote_ip_prefix":"::/0""#).opens_to_all(22));
        for bounded in [
            r#","protocol":"udp""#,
            r#","port_range_min":23,"port_range_max":80"#,
            r#","port_range_min":1,"port_range_max":21"#,
            r#","remote_ip_prefix":"203.0.113.7/32""#,
            r#","remote_group_id":"g-1""#,
            r#","remote_address_group_id":"a-1""#,
        ] {
            assert!(!rule(bounded).opens_to_all(22), "{bounded}");
        }
        let out: SecurityGroupRule = serde_json::from_str(r#"{"id":"r-1","direction":"egress"}"#).unwrap();
        assert!(!out.opens_to_all(22), "it is for the other way");
    }
}
