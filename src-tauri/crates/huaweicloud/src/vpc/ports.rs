//! Network interfaces, and the free addresses of a subnet.

use std::net::IpAddr;

use serde::Deserialize;

use super::page;
use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{PortId, ProjectId, SecurityGroupId, ServerId, SubnetId};
use crate::{lenient, wire};

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Row")]
pub struct Port {
    /// The interface's id, which binding a public address wants.
    pub id: PortId,
    /// Its name.
    pub name: String,
    /// The subnet that it is in.
    pub subnet: Option<SubnetId>,
    /// Its private addresses.
    pub addresses: Vec<IpAddr>,
    /// Its hardware address.
    pub mac_address: String,
    /// What has it: a server's id, or another thing's. [`Self::owner`] tells which.
    pub device_id: Option<String>,
    /// The kind of what has it: `compute:` and a zone for a server.
    pub owner: String,
    /// `ACTIVE`, `DOWN` or `BUILD`.
    pub status: String,
    /// Its security groups.
    pub security_groups: Vec<SecurityGroupId>,
}

impl Port {
    /// The server that it belongs to.
    pub fn server(&self) -> Option<ServerId> {
        let device = self.device_id.as_deref()?;
        self.owner.starts_with("compute:").then(|| device.into())
    }
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "lenient::required")]
    id: PortId,
    #[serde(default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    network_id: Option<SubnetId>,
    #[serde(default, deserialize_with = "lenient::rows")]
    fixed_ips: Vec<FixedIp>,
    #[serde(default, deserialize_with = "lenient::text")]
    mac_address: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    device_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    device_owner: String,
    #[serde(default, deserialize_with = "lenient::text")]
    status: String,
    #[serde(default, deserialize_with = "lenient::rows")]
    security_groups: Vec<SecurityGroupId>,
}

#[derive(Deserialize)]
struct FixedIp {
    #[serde(default, deserialize_with = "lenient::address")]
    ip_address: Option<IpAddr>,
}

impl From<Row> for Port {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            subnet: row.network_id,
            addresses: row.fixed_ips.into_iter().filter_map(|ip| ip.ip_address).collect(),
            mac_address: row.mac_address,
            device_id: row.device_id,
            owner: row.device_owner,
            status: row.status,
            security_groups: row.security_groups,
        }
    }
}

/// Which network interfaces to list. All of the project by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortQuery {
    /// Only those of this server.
    pub server: Option<ServerId>,
    /// Only those in this subnet.
    pub subnet: Option<SubnetId>,
    /// Only those in this security group.
    pub security_group: Option<SecurityGroupId>,
    /// Only those of this enterprise project; `all_granted_eps` for all that the user may see.
    pub enterprise_project: Option<String>,
}

/// `ListPorts`, all pages.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/VPC/doc?api=ListPorts>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn ports(
    client: &Client,
    project: &ProjectId,
    query: &PortQuery,
) -> Result<Reply<Listing<Port>>, Error> {
    let call = |marker: Option<&str>| {
        let mut call = page("ListPorts", project, "ports", marker);
        let filters = [
            ("device_id", query.server.as_ref().map(ServerId::as_str)),
            ("network_id", query.subnet.as_ref().map(SubnetId::as_str)),
            (
                "security_groups",
                query.security_group.as_ref().map(SecurityGroupId::as_str),
            ),
            ("enterprise_project_id", query.enterprise_project.as_deref()),
        ];
        for (name, value) in filters {
            if let Some(value) = value {
                call = call.with(name, value);
            }
        }
        call
    };
    client
        .list("ports", Some(super::PAGE), call, |port: &Port| {
            port.id.to_string()
        })
        .await
}

/// How many addresses of a subnet are in use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AddressUsage {
    /// Its address ranges: one of IPv4, and one of IPv6 if it has that.
    #[serde(
        rename = "subnet_ip_availability",
        default,
        deserialize_with = "lenient::rows"
    )]
    pub ranges: Vec<RangeUsage>,
}

/// How many addresses of a range are in use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RangeUsage {
    /// The range.
    #[serde(default, deserialize_with = "lenient::text")]
    pub cidr: String,
    /// 4 or 6.
    #[serde(default, deserialize_with = "lenient::number")]
    pub ip_version: Option<u8>,
    /// How many it has. A range of IPv6 has more than 64 bits can count.
    #[serde(rename = "total_ips", default, deserialize_with = "lenient::number")]
    pub total: Option<u128>,
    /// How many are in use.
    #[serde(rename = "used_ips", default, deserialize_with = "lenient::number")]
    pub used: Option<u128>,
}

impl AddressUsage {
    /// How many IPv4 addresses are free; `None` if the answer does not say.
    pub fn free_ipv4(&self) -> Option<u128> {
        let range = self.ranges.iter().find(|range| range.ip_version == Some(4))?;
        Some(range.total?.saturating_sub(range.used?))
    }
}

/// `ShowNetworkIpAvailabilities`: how many addresses of a subnet are in use. For the IPv4 ones the list of subnets says
/// it too, in [`super::Subnet::available_addresses`].
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/VPC/doc?api=ShowNetworkIpAvailabilities>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such subnet, or another of [`crate::ErrorKind`].
pub async fn address_usage(client: &Client, subnet: &SubnetId) -> Result<Reply<AddressUsage>, Error> {
    let path = ["v2.0", "network-ip-availabilities", subnet.as_str()];
    let call = Call::get(Service::Vpc, "ShowNetworkIpAvailabilities", path);
    wire::only_member(client.send(&call).await?, "network_ip_availability")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_addresses_of_ipv4_are_counted_beside_any_number_of_ipv6() {
        let usage: AddressUsage = serde_json::from_str(
            r#"{"total_ips":18446744073709551866,"subnet_ip_availability":[
                {"ip_version":6,"total_ips":18446744073709551614,"used_ips":3},
                {"ip_version":"4","total_ips":251,"used_ips":"250","cidr":"192.168.0.0/24"}, null]}"#,
        )
        .unwrap();
        assert_eq!(usage.free_ipv4(), Some(1));
        assert_eq!(usage.ranges[0].total, Some(18_446_744_073_709_551_614));
        let silent: AddressUsage = serde_json::from_str(r#"{"subnet_ip_availability":null}"#).unwrap();
        assert_eq!(silent.free_ipv4(), None, "nothing is known, not nothing is free");
    }

    #[test]
    fn an_interface_of_something_else_belongs_to_no_server() {
        let port = |owner: &str| -> Port {
            serde_json::from_str(&format!(
                r#"{{"id":"p-1","device_id":"d-1","device_owner":"{owner}","fixed_ips":[{{"ip_address":"192.168.0.7"}},{{"ip_address":"odd"}},7]}}"#
            ))
            .unwrap()
        };
        assert_eq!(port("compute:cn-north-4a").server(), Some("d-1".into()));
        assert_eq!(port("network:dhcp").server(), None);
        assert_eq!(port("").addresses, [IpAddr::from([192, 168, 0, 7])]);
    }
}
