//! Virtual Private Cloud: the networks that a server can be put into, and what they let through.

mod ports;
mod security;

use serde::Deserialize;

pub use self::ports::{AddressUsage, Port, PortQuery, RangeUsage, address_usage, ports};
pub use self::security::{
    CreateSecurityGroupRule, Direction, Remote, SecurityGroup, SecurityGroupRule, create_security_group,
    create_security_group_rule, delete_security_group, delete_security_group_rule, security_group,
    security_group_rules, security_groups,
};
use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{ProjectId, SubnetId, VpcId};
use crate::lenient;
use crate::quota::{self, Quota};

const PAGE: usize = 1000;

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Vpc {
    /// The VPC's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: VpcId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// Its address range.
    #[serde(default, deserialize_with = "lenient::text")]
    pub cidr: String,
    /// `OK` when it can be used.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subnet {
    /// The id that creating a server wants.
    #[serde(deserialize_with = "lenient::required")]
    pub id: SubnetId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// Its address range.
    #[serde(default, deserialize_with = "lenient::text")]
    pub cidr: String,
    /// The VPC that it belongs to.
    #[serde(deserialize_with = "lenient::required")]
    pub vpc_id: VpcId,
    /// `ACTIVE` when it can be used.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
    /// How many IPv4 addresses are free.
    #[serde(
        rename = "available_ip_address_count",
        default,
        deserialize_with = "lenient::number"
    )]
    pub available_addresses: Option<u64>,
}

/// The call for one page of a list.
fn page<'a>(
    action: &'static str,
    project: &'a ProjectId,
    collection: &'static str,
    marker: Option<&str>,
) -> Call<'a> {
    let call =
        Call::get(Service::Vpc, action, ["v1", project.as_str(), collection]).with("limit", PAGE.to_string());
    match marker {
        Some(marker) => call.with("marker", marker),
        None => call,
    }
}

/// `ListVpcs`, all pages.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_api01_0003.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn vpcs(client: &Client, project: &ProjectId) -> Result<Reply<Listing<Vpc>>, Error> {
    let call = |marker: Option<&str>| page("ListVpcs", project, "vpcs", marker);
    client
        .list("vpcs", Some(PAGE), call, |vpc: &Vpc| vpc.id.to_string())
        .await
}

/// `ListSubnets`, all pages, of one VPC or of all.
///
/// API page: <https://support.huaweicloud.com/api-vpc/vpc_subnet01_0003.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn subnets(
    client: &Client,
    project: &ProjectId,
    vpc: Option<&VpcId>,
) -> Result<Reply<Listing<Subnet>>, Error> {
    let call = |marker: Option<&str>| {
        let call = page("ListSubnets", project, "subnets", marker);
        match vpc {
            Some(vpc) => call.with("vpc_id", vpc.as_str()),
            None => call,
        }
    };
    client
        .list("subnets", Some(PAGE), call, |subnet: &Subnet| {
            subnet.id.to_string()
        })
        .await
}

/// `ShowQuota`: how much of everything the project may have, such as `vpc`, `subnet`, `securityGroup` and
/// `securityGroupRule`.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/VPC/doc?api=ShowQuota>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn quotas(client: &Client, project: &ProjectId) -> Result<Reply<Listing<Quota>>, Error> {
    let call = Call::get(Service::Vpc, "ShowQuota", ["v1", project.as_str(), "quotas"]);
    quota::of_resources(client.send(&call).await?)
}
