//! Creating a server.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::TIME_FORMAT;
use crate::client::{Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{FlavorId, ImageId, JobId, ProjectId, SecurityGroupId, ServerId, SubnetId, VpcId, ZoneId};
use crate::lenient;

const ACTION: &str = "CreateServers";

/// A pay-per-use server to be created.
#[derive(Clone)]
pub struct CreateServer {
    /// Its name: 1 to 64 letters (Chinese too), digits, `_`, `-` and `.`.
    pub name: String,
    /// Its flavor.
    pub flavor: FlavorId,
    /// Its image.
    pub image: ImageId,
    /// The VPC that it is put into.
    pub vpc: VpcId,
    /// The subnets of its network interfaces, 1 to 12; the first is the primary one's.
    pub subnets: Vec<SubnetId>,
    /// Its security groups; the group named `default` if there are none.
    pub security_groups: Vec<SecurityGroupId>,
    /// Its zone; the cloud chooses if there is none.
    pub zone: Option<ZoneId>,
    /// The name of the key pair to log in with. Without this and [`Self::admin_pass`], and without user data
    /// that sees to it, nobody can log in.
    pub key_name: Option<String>,
    /// The password of `root` or `Administrator`. Linux images with cloud-init ignore it when there is user
    /// data.
    pub admin_pass: Option<SecretString>,
    /// The system disk.
    pub root_volume: RootVolume,
    /// Data disks, at most 23.
    pub data_volumes: Vec<DataVolume>,
    /// A public address to be made with it.
    pub public_ip: Option<NewPublicIp>,
    /// The end of its lease: 30 minutes to 3 years ahead by the server's clock; seconds are cut off.
    pub auto_terminate_time: Option<DateTime<Utc>>,
    /// Tags, at most 10: keys of 1 to 36 characters, values of up to 43.
    pub tags: Vec<(String, String)>,
    /// User data for cloud-init, at most 32 KiB.
    pub user_data: Option<Vec<u8>>,
    /// A description of up to 85 characters without `<` and `>`.
    pub description: Option<String>,
}

impl fmt::Debug for CreateServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // User data may contain secrets, so only its length is shown.
        f.debug_struct("CreateServer")
            .field("name", &self.name)
            .field("flavor", &self.flavor)
            .field("image", &self.image)
            .field("zone", &self.zone)
            .field("auto_terminate_time", &self.auto_terminate_time)
            .field("user_data_bytes", &self.user_data.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// The system disk of a server to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootVolume {
    /// The disk type, such as `GPSSD`.
    pub volume_type: String,
    /// Size in GB, 1 to 1,024; the image's smallest if `None`.
    pub size_gb: Option<u32>,
}

/// A data disk of a server to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataVolume {
    /// The disk type, such as `GPSSD`.
    pub volume_type: String,
    /// Size in GB, 10 to 32,768.
    pub size_gb: u32,
    /// Whether it goes with the server. The cloud's own default is that it stays, and is billed.
    pub delete_on_termination: bool,
}

/// A public address to be made with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPublicIp {
    /// The address pool, such as `5_bgp`.
    pub pool: String,
    /// Bandwidth in Mbit/s, 1 to 2,000.
    pub mbit: u32,
    /// What is paid for.
    pub charge: BandwidthCharge,
    /// Whether it is released with the server.
    pub delete_on_termination: bool,
}

/// What is paid for a public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BandwidthCharge {
    /// The traffic that leaves.
    Traffic,
    /// The bandwidth, used or not.
    Bandwidth,
}

/// What the cloud answered to a creation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Created {
    /// The job that creates; `None` after a check.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub job_id: Option<JobId>,
    /// The servers' ids. They are settled at once, but reading such a server may answer "missing" while it is
    /// built, and for good if the job fails.
    #[serde(rename = "serverIds", default, deserialize_with = "lenient::rows")]
    pub server_ids: Vec<ServerId>,
}

impl CreateServer {
    /// The body of the request, the same bytes for the same server.
    ///
    /// A caller that wants to be able to repeat the creation after a crash stores these bytes together with
    /// the client token before it sends them with [`create_raw`]. They contain [`Self::admin_pass`] and
    /// [`Self::user_data`] in the clear: what must not be stored must not be in there.
    pub fn body(&self) -> Bytes {
        self.wire(false)
    }

    fn wire(&self, dry_run: bool) -> Bytes {
        let mut server = Map::new();
        let mut set = |key: &str, value: Value| {
            server.insert(key.to_owned(), value);
        };
        set("name", json!(self.name));
        set("flavorRef", json!(self.flavor));
        set("imageRef", json!(self.image));
        set("vpcid", json!(self.vpc));
        set(
            "nics",
            self.subnets.iter().map(|id| json!({ "subnet_id": id })).collect(),
        );
        set("count", json!(1));
        set("extendparam", json!({ "chargingMode": "postPaid" }));
        let mut root = json!({ "volumetype": self.root_volume.volume_type });
        if let (Some(size), Some(root)) = (self.root_volume.size_gb, root.as_object_mut()) {
            root.insert("size".to_owned(), json!(size));
        }
        set("root_volume", root);
        if !self.security_groups.is_empty() {
            set(
                "security_groups",
                self.security_groups
                    .iter()
                    .map(|id| json!({ "id": id }))
                    .collect(),
            );
        }
        if !self.data_volumes.is_empty() {
            let volumes = self.data_volumes.iter().map(|volume| {
                json!({
                    "volumetype": volume.volume_type,
                    "size": volume.size_gb,
                    "delete_on_termination": volume.delete_on_termination,
                })
            });
            set("data_volumes", volumes.collect());
        }
        if let Some(ip) = &self.public_ip {
            let mut bandwidth = json!({ "size": ip.mbit, "sharetype": "PER" });
            // By bandwidth is what the absence of the field means.
            if let (BandwidthCharge::Traffic, Some(fields)) = (ip.charge, bandwidth.as_object_mut()) {
                fields.insert("chargemode".to_owned(), json!("traffic"));
            }
            set(
                "publicip",
                json!({
                    "eip": { "iptype": ip.pool, "bandwidth": bandwidth },
                    "delete_on_termination": ip.delete_on_termination,
                }),
            );
        }
        if let Some(zone) = &self.zone {
            set("availability_zone", json!(zone));
        }
        if let Some(name) = &self.key_name {
            set("key_name", json!(name));
        }
        if let Some(password) = &self.admin_pass {
            set("adminPass", json!(password.expose_secret()));
        }
        if let Some(end) = self.auto_terminate_time {
            set("auto_terminate_time", json!(end.format(TIME_FORMAT).to_string()));
        }
        if !self.tags.is_empty() {
            let tags = self
                .tags
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": value }));
            set("server_tags", tags.collect());
        }
        if let Some(data) = &self.user_data {
            set("user_data", json!(STANDARD.encode(data)));
        }
        if let Some(description) = &self.description {
            set("description", json!(description));
        }
        json!({ "dry_run": dry_run, "server": server }).to_string().into()
    }
}

/// `CreateServers` with the bytes of [`CreateServer::body`]. With the same token and the same bytes the cloud
/// creates only once within 8 hours and gives the first answer again, so this is repeated after passing
/// failures, and may be repeated by the caller.
///
/// API pages: <https://support.huaweicloud.com/api-ecs/ecs_02_0101.html>, on the token
/// <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0000001105258814.html>
///
/// # Errors
/// [`crate::ErrorKind::Quota`], [`crate::ErrorKind::Capacity`], [`crate::ErrorKind::Money`] and
/// [`crate::ErrorKind::Permission`] say why the cloud declined; [`crate::ErrorKind::Invalid`] with `Ecs.0122`
/// that the token was used with other bytes, with `Ecs.0124` that it is older than 8 hours. If
/// [`Error::outcome_unknown`] is set, the server may have been created: repeat with the same token.
pub async fn create_raw(
    client: &Client,
    project: &ProjectId,
    body: Bytes,
    token: Uuid,
) -> Result<Reply<Created>, Error> {
    let call = Call {
        headers: vec![("X-Client-Token".to_owned(), token.hyphenated().to_string())],
        repeatable: true,
        ..Call::post(
            Service::Ecs,
            ACTION,
            ["v1.1", project.as_str(), "cloudservers"],
            body,
        )
    };
    let answer = client.send(&call).await?;
    let created: Created = answer.parse()?;
    Ok(answer.reply(created))
}

/// [`create_raw`] with the body of `server`.
///
/// # Errors
/// As [`create_raw`].
pub async fn create(
    client: &Client,
    project: &ProjectId,
    server: &CreateServer,
    token: Uuid,
) -> Result<Reply<Created>, Error> {
    create_raw(client, project, server.body(), token).await
}

/// `CreateServers` as a dry run: the cloud checks everything and creates nothing.
///
/// API page: <https://support.huaweicloud.com/api-ecs/ecs_02_0101.html>
///
/// # Errors
/// As [`create_raw`].
pub async fn check_create(
    client: &Client,
    project: &ProjectId,
    server: &CreateServer,
) -> Result<Reply<()>, Error> {
    let path = ["v1.1", project.as_str(), "cloudservers"];
    Ok(client
        .send(&Call::post(Service::Ecs, ACTION, path, server.wire(true)))
        .await?
        .reply(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> CreateServer {
        CreateServer {
            name: "dev-ada-01".to_owned(),
            flavor: "s6.large.2".into(),
            image: "image".into(),
            vpc: "vpc".into(),
            subnets: vec!["subnet".into()],
            security_groups: vec!["group".into()],
            zone: Some("cn-north-4a".into()),
            key_name: Some("ada".to_owned()),
            admin_pass: None,
            root_volume: RootVolume {
                volume_type: "GPSSD".to_owned(),
                size_gb: Some(40),
            },
            data_volumes: vec![DataVolume {
                volume_type: "GPSSD".to_owned(),
                size_gb: 100,
                delete_on_termination: true,
            }],
            public_ip: Some(NewPublicIp {
                pool: "5_bgp".to_owned(),
                mbit: 5,
                charge: BandwidthCharge::Traffic,
                delete_on_termination: true,
            }),
            auto_terminate_time: DateTime::from_timestamp(1_767_355_200, 0),
            tags: vec![("owner".to_owned(), "ada".to_owned())],
            user_data: Some(b"#!/bin/sh\n".to_vec()),
            description: None,
        }
    }

    #[test]
    fn the_body_is_the_documented_one() {
        let sent: Value = serde_json::from_slice(&server().body()).unwrap();
        let documented = json!({"dry_run": false, "server": {
            "name": "dev-ada-01", "flavorRef": "s6.large.2", "imageRef": "image", "vpcid": "vpc",
            "nics": [{"subnet_id": "subnet"}], "security_groups": [{"id": "group"}],
            "availability_zone": "cn-north-4a", "key_name": "ada", "count": 1,
            "root_volume": {"volumetype": "GPSSD", "size": 40},
            "data_volumes": [{"volumetype": "GPSSD", "size": 100, "delete_on_termination": true}],
            "publicip": {"eip": {"iptype": "5_bgp", "bandwidth": {"size": 5, "sharetype": "PER", "chargemode": "traffic"}},
                         "delete_on_termination": true},
            "auto_terminate_time": "2026-01-02T12:00:00Z",
            "server_tags": [{"key": "owner", "value": "ada"}], "user_data": "IyEvYmluL3NoCg==",
            "extendparam": {"chargingMode": "postPaid"}}});
        assert_eq!(sent, documented);
    }

    #[test]
    fn the_same_server_always_has_the_same_bytes() {
        assert_eq!(server().body(), server().body());
    }

    #[test]
    fn what_is_not_asked_for_is_not_sent() {
        let bare = CreateServer {
            security_groups: Vec::new(),
            zone: None,
            key_name: None,
            data_volumes: Vec::new(),
            public_ip: None,
            auto_terminate_time: None,
            tags: Vec::new(),
            user_data: None,
            root_volume: RootVolume {
                volume_type: "SAS".to_owned(),
                size_gb: None,
            },
            ..server()
        };
        let sent: Value = serde_json::from_slice(&bare.body()).unwrap();
        let keys: Vec<_> = sent["server"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            keys,
            [
                "count",
                "extendparam",
                "flavorRef",
                "imageRef",
                "name",
                "nics",
                "root_volume",
                "vpcid"
            ]
        );
        assert_eq!(sent["server"]["root_volume"], json!({"volumetype": "SAS"}));
    }

    #[test]
    fn a_printed_creation_shows_neither_password_nor_user_data() {
        let secret = CreateServer {
            admin_pass: Some("Pass@Ecs-1".into()),
            user_data: Some(b"token=hidden".to_vec()),
            ..server()
        };
        let printed = format!("{secret:?}");
        assert!(
            !printed.contains("Pass@Ecs") && !printed.contains("hidden") && !printed.contains("116, 111"),
            "{printed}"
        );
    }
}
