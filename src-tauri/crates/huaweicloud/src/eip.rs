//! Elastic IP: public addresses, on the host of VPC. One that is bound to nothing is billed on.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::client::{Call, Client, Listing, Reply};
use crate::ecs::BandwidthCharge;
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{PortId, ProjectId, PublicIpId};
use crate::quota::{self, Quota};
use crate::tag::{self, Tag};
use crate::{lenient, wire};

const PAGE: usize = 1000;

/// A public address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PublicIp {
    /// The address's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: PublicIpId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub alias: String,
    /// Its state: `ACTIVE` when it is bound, `DOWN` when it is not, `ELB` or `VPN` when it serves one of those, `ERROR`,
    /// `FREEZED`, and words for what is in between.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
    /// The address.
    #[serde(rename = "public_ip_address", default, deserialize_with = "lenient::address")]
    pub address: Option<IpAddr>,
    /// The same for IPv6.
    #[serde(
        rename = "public_ipv6_address",
        default,
        deserialize_with = "lenient::address"
    )]
    pub address_v6: Option<IpAddr>,
    /// The private address that it is bound to.
    #[serde(rename = "private_ip_address", default, deserialize_with = "lenient::address")]
    pub private_address: Option<IpAddr>,
    /// The network interface that it is bound to. The answer to a creation never tells it.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub port_id: Option<PortId>,
    /// The pool that it is from, such as `5_bgp`.
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    pub pool: String,
    /// Its bandwidth in Mbit/s.
    #[serde(rename = "bandwidth_size", default, deserialize_with = "lenient::number")]
    pub mbit: Option<u32>,
    /// Its bandwidth.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub bandwidth_id: Option<String>,
    /// `PER` for a bandwidth of its own, `WHOLE` for a share of one.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub bandwidth_share_type: Option<String>,
    /// When it was made.
    #[serde(rename = "create_time", default, deserialize_with = "lenient::time")]
    pub created: Option<DateTime<Utc>>,
    /// The enterprise project that it belongs to.
    #[serde(
        rename = "enterprise_project_id",
        default,
        deserialize_with = "lenient::optional"
    )]
    pub enterprise_project: Option<String>,
    #[serde(default, deserialize_with = "lenient::object")]
    profile: Option<Profile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Profile {
    #[serde(default, deserialize_with = "lenient::optional")]
    order_id: Option<String>,
}

impl PublicIp {
    /// Whether it is bound to nothing, and so costs without being of use.
    pub fn is_unbound(&self) -> bool {
        self.status == "DOWN" && self.port_id.is_none()
    }

    /// Whether it is paid by month or year, and so cannot be deleted by a call.
    pub fn is_paid_by_period(&self) -> bool {
        self.profile
            .as_ref()
            .is_some_and(|profile| profile.order_id.is_some())
    }
}

/// `ListPublicips`, all pages; of one enterprise project, or of all that the user may see with `all_granted_eps`.
///
/// API page: <https://support.huaweicloud.com/api-eip/eip_api_0003.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn public_ips(
    client: &Client,
    project: &ProjectId,
    enterprise_project: Option<&str>,
) -> Result<Reply<Listing<PublicIp>>, Error> {
    let call = |marker: Option<&str>| {
        let mut call = Call::get(
            Service::Eip,
            "ListPublicips",
            ["v1", project.as_str(), "publicips"],
        )
        .with("limit", PAGE.to_string());
        for (name, value) in [("enterprise_project_id", enterprise_project), ("marker", marker)] {
            if let Some(value) = value {
                call = call.with(name, value);
            }
        }
        call
    };
    client
        .list("publicips", Some(PAGE), call, |ip: &PublicIp| ip.id.to_string())
        .await
}

/// `ShowPublicip`.
///
/// API page: <https://support.huaweicloud.com/api-eip/eip_api_0002.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such address, or another of [`crate::ErrorKind`].
pub async fn public_ip(
    client: &Client,
    project: &ProjectId,
    id: &PublicIpId,
) -> Result<Reply<PublicIp>, Error> {
    let call = Call::get(Service::Eip, "ShowPublicip", path(project, id));
    wire::only_member(client.send(&call).await?, "publicip")
}

fn path<'a>(project: &'a ProjectId, id: &'a PublicIpId) -> [&'a str; 4] {
    ["v1", project.as_str(), "publicips", id.as_str()]
}

/// A pay-per-use IPv4 address with a bandwidth of its own, to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePublicIp {
    /// The pool that it is from, such as `5_bgp`.
    pub pool: String,
    /// Its name, at most 64 characters.
    pub alias: Option<String>,
    /// The bandwidth's name: 1 to 64 letters (Chinese too), digits, `_`, `-` and `.`.
    pub bandwidth_name: String,
    /// Bandwidth in Mbit/s, 1 to 2,000.
    pub mbit: u32,
    /// What is paid for.
    pub charge: BandwidthCharge,
    /// The network interface that it is bound to at once.
    pub port: Option<PortId>,
    /// The enterprise project that it belongs to; the default one if there is none.
    pub enterprise_project: Option<String>,
}

/// `CreatePublicip`: the answer is the address, there is no job. The cloud knows no client token here, so this is
/// never repeated by itself: after an unknown outcome the list tells whether the address is there.
///
/// API page: <https://support.huaweicloud.com/api-eip/eip_api_0001.html>
///
/// # Errors
/// [`crate::ErrorKind::Quota`] with `VPC.0521`, [`crate::ErrorKind::Capacity`] with `VPC.0532` if the pool is empty,
/// [`crate::ErrorKind::Money`], or another of [`crate::ErrorKind`].
pub async fn create(
    client: &Client,
    project: &ProjectId,
    ip: &CreatePublicIp,
) -> Result<Reply<PublicIp>, Error> {
    let body = wire::body(json!({
        "publicip": { "type": ip.pool, "alias": ip.alias, "port_id": ip.port },
        "bandwidth": {
            "name": ip.bandwidth_name,
            "size": ip.mbit,
            "share_type": "PER",
            "charge_mode": match ip.charge {
                BandwidthCharge::Traffic => "traffic",
                BandwidthCharge::Bandwidth => "bandwidth",
            },
        },
        "enterprise_project_id": ip.enterprise_project,
    }));
    let path = ["v1", project.as_str(), "publicips"];
    let call = Call::post(Service::Eip, "CreatePublicip", path, body);
    wire::only_member(client.send(&call).await?, "publicip")
}

/// `UpdatePublicip` with a port: binds an address to a network interface.
///
/// API page: <https://support.huaweicloud.com/api-eip/eip_api_0004.html>
///
/// # Errors
/// [`crate::ErrorKind::State`] if the address or the interface is taken already, [`crate::ErrorKind::Missing`], or
/// another of [`crate::ErrorKind`].
pub async fn bind(
    client: &Client,
    project: &ProjectId,
    id: &PublicIpId,
    port: &PortId,
) -> Result<Reply<PublicIp>, Error> {
    update(client, project, id, port.as_str()).await
}

/// `UpdatePublicip` without a port: takes an address off what it is bound to. It stays, and is billed.
///
/// API page: <https://support.huaweicloud.com/api-eip/eip_api_0004.html>
///
/// # Errors
/// [`crate::ErrorKind::State`] if the address is bound to nothing, [`crate::ErrorKind::Missing`], or another of
/// [`crate::ErrorKind`].
pub async fn unbind(client: &Client, project: &ProjectId, id: &PublicIpId) -> Result<Reply<PublicIp>, Error> {
    update(client, project, id, "").await
}

async fn update(
    client: &Client,
    project: &ProjectId,
    id: &PublicIpId,
    port: &str,
) -> Result<Reply<PublicIp>, Error> {
    // Not the alias as well: if both are there, the port is passed over.
    let body = wire::body(json!({ "publicip": { "port_id": port } }));
    let call = Call::put(Service::Eip, "UpdatePublicip", path(project, id), body);
    wire::only_member(client.send(&call).await?, "publicip")
}

/// `DeletePublicip`: gives an address back that is bound to nothing.
///
/// API page: <https://support.huaweicloud.com/api-eip/eip_api_0005.html>
///
/// # Errors
/// [`crate::ErrorKind::State`] with `VPC.0517` while it is bound, [`crate::ErrorKind::Missing`] if there is no such
/// address, or another of [`crate::ErrorKind`].
pub async fn delete(client: &Client, project: &ProjectId, id: &PublicIpId) -> Result<Reply<()>, Error> {
    let call = Call::delete(Service::Eip, "DeletePublicip", path(project, id));
    Ok(client.send(&call).await?.reply(()))
}

/// `ListQuotas`: how many addresses the project may have.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EIP/doc?api=ListQuotas>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn quotas(client: &Client, project: &ProjectId) -> Result<Reply<Listing<Quota>>, Error> {
    let path = ["v1", project.as_str(), "quotas"];
    let call = Call::get(Service::Eip, "ListQuotas", path).with("type", "publicIp");
    quota::of_resources(client.send(&call).await?)
}

/// `ShowPublicipTags`: the tags of an address.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EIP/doc?api=ShowPublicipTags>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such address, or another of [`crate::ErrorKind`].
pub async fn public_ip_tags(
    client: &Client,
    project: &ProjectId,
    id: &PublicIpId,
) -> Result<Reply<Listing<Tag>>, Error> {
    let path = ["v2.0", project.as_str(), "publicips", id.as_str(), "tags"];
    let call = Call::get(Service::Eip, "ShowPublicipTags", path);
    wire::only_rows(client.send(&call).await?, "tags")
}

/// `BatchCreatePublicipTags`: sets tags on an address; a key that it has already gets the new value.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EIP/doc?api=BatchCreatePublicipTags>
///
/// # Errors
/// [`crate::ErrorKind::Quota`] or [`crate::ErrorKind::Invalid`] if they are too many,
/// [`crate::ErrorKind::Missing`] if there is no such address, or another of [`crate::ErrorKind`].
pub async fn set_public_ip_tags(
    client: &Client,
    project: &ProjectId,
    id: &PublicIpId,
    tags: &[Tag],
) -> Result<Reply<()>, Error> {
    let path = action_path(project, id);
    let call = Call::post(Service::Eip, "BatchCreatePublicipTags", path, tag::create(tags));
    Ok(client.send(&call).await?.reply(()))
}

/// `BatchDeletePublicipTags`: takes tags off an address. Here, unlike for servers and disks, the cloud wants their
/// values too.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EIP/doc?api=BatchDeletePublicipTags>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such address or it has no such tag, or another of
/// [`crate::ErrorKind`].
pub async fn delete_public_ip_tags(
    client: &Client,
    project: &ProjectId,
    id: &PublicIpId,
    tags: &[Tag],
) -> Result<Reply<()>, Error> {
    let path = action_path(project, id);
    let body = wire::body(json!({ "action": "delete", "tags": tags }));
    let call = Call::post(Service::Eip, "BatchDeletePublicipTags", path, body);
    Ok(client.send(&call).await?.reply(()))
}

fn action_path<'a>(project: &'a ProjectId, id: &'a PublicIpId) -> [&'a str; 6] {
    [
        "v2.0",
        project.as_str(),
        "publicips",
        id.as_str(),
        "tags",
        "action",
    ]
}
