//! Servers as the cloud describes them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ids::{FlavorId, ImageId, SecurityGroupId, ServerId, UserId, VolumeId, ZoneId};
use crate::lenient;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Row")]
pub struct Server {
    /// The server's id.
    pub id: ServerId,
    /// Its name, as its owner typed it.
    pub name: String,
    /// The state that the console shows, such as `ACTIVE`, `SHUTOFF`, `BUILD`, `ERROR`. Worked out from the
    /// two below, it hides transitions: a server that is being stopped or deleted still reads `ACTIVE`.
    pub status: String,
    /// The settled state, such as `active`, `stopped`, `building`.
    pub vm_state: Option<String>,
    /// What is being done to it, such as `spawning`, `powering-off`, `deleting`; `None` when it is at rest.
    pub task_state: Option<String>,
    /// Its size.
    pub flavor: ServerFlavor,
    /// What it was made from.
    pub image: ServerImage,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was asked for.
    pub created: Option<DateTime<Utc>>,
    /// When it first ran.
    pub launched: Option<DateTime<Utc>>,
    /// The end of its lease; `None` if it has none.
    pub auto_terminate_time: Option<DateTime<Utc>>,
    /// The IAM user who made it.
    pub user_id: Option<UserId>,
    /// Its zone.
    pub zone: Option<ZoneId>,
    /// What went wrong with it, when its status is `ERROR`.
    pub fault: Option<Fault>,
    /// The disks on it, the system disk among them.
    pub volumes: Vec<AttachedVolume>,
    /// Its security groups.
    pub security_groups: Vec<SecurityGroupName>,
    /// How it is paid.
    pub charging: Charging,
    /// Whether the cloud froze it because the account is in arrears.
    pub frozen: bool,
    /// Whether it is locked against changes.
    pub locked: bool,
    /// The name of the key pair that it was made with.
    pub key_name: Option<String>,
    /// The remaining metadata, as it is.
    pub metadata: BTreeMap<String, String>,
}

impl Server {
    /// The first private address.
    pub fn fixed_address(&self) -> Option<IpAddr> {
        self.address(AddressKind::Fixed)
    }

    /// The first public address.
    pub fn floating_address(&self) -> Option<IpAddr> {
        self.address(AddressKind::Floating)
    }

    fn address(&self, kind: AddressKind) -> Option<IpAddr> {
        self.addresses
            .iter()
            .find(|address| address.kind == kind)
            .map(|address| address.ip)
    }
}

/// The size of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerFlavor {
    /// The flavor's id; `None` if the answer does not say.
    pub id: Option<FlavorId>,
    /// Its name.
    pub name: String,
    /// Processors; 0 if the answer does not say.
    pub vcpus: u32,
    /// Memory in MB; 0 if the answer does not say.
    pub ram_mb: u64,
}

/// What a server was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerImage {
    /// The image's id.
    pub id: Option<ImageId>,
    /// Its name.
    pub name: Option<String>,
    /// `Linux` or `Windows`.
    pub os_type: Option<String>,
}

/// An address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Whether it is private or public.
    pub kind: AddressKind,
    /// The network interface that it belongs to.
    pub port_id: Option<String>,
}

/// Whether an address is private or public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// Private, in the VPC.
    Fixed,
    /// Public (an EIP).
    Floating,
}

/// What went wrong with a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// A number in the manner of HTTP.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub code: Option<String>,
    /// The cloud's words.
    #[serde(default, deserialize_with = "lenient::text")]
    pub message: String,
}

/// A disk on a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AttachedVolume {
    /// The disk.
    #[serde(deserialize_with = "lenient::required")]
    pub id: VolumeId,
    /// Whether it goes with the server.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub delete_on_termination: Option<bool>,
    /// Its place in the boot order.
    #[serde(rename = "bootIndex", default, deserialize_with = "lenient::number")]
    boot_index: Option<i32>,
    /// Its device in the guest, such as `/dev/vda`.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub device: Option<String>,
}

impl AttachedVolume {
    /// Whether it is the system disk.
    pub fn is_root(&self) -> bool {
        self.boot_index == Some(0)
    }
}

/// A security group of a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SecurityGroupName {
    /// The group's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: SecurityGroupId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
}

/// How a server is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charging {
    /// By use.
    OnDemand,
    /// By month or year.
    Period,
    /// By use, at a changing price, and taken away when the cloud needs it.
    Spot,
    /// The answer does not say.
    Unknown,
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "lenient::required")]
    id: ServerId,
    // Ids that nobody knows come back as rows full of nulls; a status is what tells a server from those.
    #[serde(deserialize_with = "lenient::required")]
    status: String,
    #[serde(default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(
        rename = "OS-EXT-STS:vm_state",
        default,
        deserialize_with = "lenient::optional"
    )]
    vm_state: Option<String>,
    #[serde(
        rename = "OS-EXT-STS:task_state",
        default,
        deserialize_with = "lenient::optional"
    )]
    task_state: Option<String>,
    #[serde(default, deserialize_with = "lenient::object")]
    flavor: Option<FlavorRow>,
    #[serde(default, deserialize_with = "lenient::object")]
    image: Option<ImageRow>,
    #[serde(default, deserialize_with = "lenient::object")]
    addresses: Option<BTreeMap<String, AddressRows>>,
    #[serde(default, deserialize_with = "lenient::rows")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "lenient::time")]
    created: Option<DateTime<Utc>>,
    #[serde(
        rename = "OS-SRV-USG:launched_at",
        default,
        deserialize_with = "lenient::time"
    )]
    launched: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::time")]
    auto_terminate_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::optional")]
    user_id: Option<UserId>,
    #[serde(
        rename = "OS-EXT-AZ:availability_zone",
        default,
        deserialize_with = "lenient::optional"
    )]
    zone: Option<ZoneId>,
    #[serde(default, deserialize_with = "lenient::object")]
    fault: Option<Fault>,
    #[serde(
        rename = "os-extended-volumes:volumes_attached",
        default,
        deserialize_with = "lenient::rows"
    )]
    volumes: Vec<AttachedVolume>,
    #[serde(default, deserialize_with = "lenient::rows")]
    security_groups: Vec<SecurityGroupName>,
    #[serde(default, deserialize_with = "lenient::object")]
    metadata: Option<BTreeMap<String, Box<RawValue>>>,
    #[serde(default, deserialize_with = "lenient::flag")]
    locked: Option<bool>,
    #[serde(default, deserialize_with = "lenient::optional")]
    key_name: Option<String>,
}

#[derive(Deserialize)]
struct FlavorRow {
    #[serde(default, deserialize_with = "lenient::optional")]
    id: Option<FlavorId>,
    #[serde(default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(default, deserialize_with = "lenient::number")]
    vcpus: Option<u32>,
    #[serde(default, deserialize_with = "lenient::number")]
    ram: Option<u64>,
}

#[derive(Deserialize)]
struct ImageRow {
    #[serde(default, deserialize_with = "lenient::optional")]
    id: Option<ImageId>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct AddressRows(#[serde(deserialize_with = "lenient::rows")] Vec<AddressRow>);

#[derive(Deserialize)]
struct AddressRow {
    addr: IpAddr,
    #[serde(rename = "OS-EXT-IPS:type", default, deserialize_with = "lenient::text")]
    kind: String,
    #[serde(
        rename = "OS-EXT-IPS:port_id",
        default,
        deserialize_with = "lenient::optional"
    )]
    port_id: Option<String>,
}

impl From<Row> for Server {
    fn from(row: Row) -> Self {
        let mut metadata: BTreeMap<String, String> = row
            .metadata
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(key, value)| Some((key, lenient::scalar(&value)?.into_owned())))
            .collect();
        let mut take = |key: &str| metadata.remove(key).filter(|value| !value.is_empty());
        let charging = match take("charging_mode").as_deref() {
            Some("0") => Charging::OnDemand,
            Some("1") => Charging::Period,
            Some("2") => Charging::Spot,
            _ => Charging::Unknown,
        };
        let frozen = take("EcmResStatus").is_some_and(|status| status == "freeze");
        let image = ServerImage {
            id: row.image.and_then(|image| image.id),
            name: take("image_name"),
            os_type: take("os_type"),
        };
        Self {
            id: row.id,
            name: row.name,
            status: row.status,
            vm_state: row.vm_state,
            task_state: row.task_state,
            flavor: row
                .flavor
                .map(|flavor| ServerFlavor {
                    id: flavor.id,
                    name: flavor.name,
                    vcpus: flavor.vcpus.unwrap_or_default(),
                    ram_mb: flavor.ram.unwrap_or_default(),
                })
                .unwrap_or_default(),
            image,
            addresses: row
                .addresses
                .unwrap_or_default()
                .into_values()
                .flat_map(|AddressRows(rows)| rows)
                .map(|address| Address {
                    ip: address.addr,
                    kind: if address.kind == "floating" {
                        AddressKind::Floating
                    } else {
                        AddressKind::Fixed
                    },
                    port_id: address.port_id,
                })
                .collect(),
            tags: row
                .tags
                .into_iter()
                .map(|tag| match tag.split_once('=') {
                    Some((key, value)) => (key.to_owned(), value.to_owned()),
                    None => (tag, String::new()),
                })
                .collect(),
            created: row.created,
            launched: row.launched,
            auto_terminate_time: row.auto_terminate_time,
            user_id: row.user_id,
            zone: row.zone,
            fault: row.fault,
            volumes: row.volumes,
            security_groups: row.security_groups,
            charging,
            frozen,
            locked: row.locked.unwrap_or(false),
            key_name: row.key_name,
            metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_server_is_read_from_the_documented_answer_with_its_odd_types() {
        let server: Server = serde_json::from_str(
            r#"{"id":"4f4b3dfa-eb70-47cf-a60a-998a53bd6666","name":"开发机-甲","status":"ACTIVE","OS-EXT-STS:vm_state":"active",
                "OS-EXT-STS:task_state":null,"flavor":{"id":"s6.large.2","name":"s6.large.2","vcpus":"2","ram":"4096","disk":"0"},
                "image":{"id":"img-1"},"addresses":{"vpc-1":[
                  {"version":"4","addr":"192.168.0.7","OS-EXT-IPS:type":"fixed","OS-EXT-IPS:port_id":"p-1"},
                  {"version":4,"addr":"203.0.113.9","OS-EXT-IPS:type":"floating"},{"addr":"not an address"}]},
                "tags":["owner=ada","purpose=a=b","empty"],"created":"2026-01-02T03:04:05Z",
                "OS-SRV-USG:launched_at":"2026-01-02T03:04:30.000000","auto_terminate_time":"2026-01-02T12:00:00Z",
                "user_id":"u-1","OS-EXT-AZ:availability_zone":"cn-north-4a","locked":false,"key_name":"ada",
                "os-extended-volumes:volumes_attached":[{"id":"v-1","delete_on_termination":"true","bootIndex":"0","device":"/dev/vda"},
                  {"id":"v-2","delete_on_termination":"false","bootIndex":null}],
                "metadata":{"charging_mode":"0","image_name":"Ubuntu 24.04","os_type":"Linux","EcmResStatus":"normal","vpc_id":"vpc-1","n":3},
                "security_groups":[{"name":"default","id":"g-1"}],"new_field":{"deep":[1]}}"#,
        )
        .unwrap();
        assert_eq!((server.flavor.vcpus, server.flavor.ram_mb), (2, 4096));
        assert_eq!(server.fixed_address().unwrap().to_string(), "192.168.0.7");
        assert_eq!(server.floating_address().unwrap().to_string(), "203.0.113.9");
        assert_eq!(server.tags["owner"], "ada");
        assert_eq!(server.tags["purpose"], "a=b");
        assert_eq!(server.tags["empty"], "");
        assert_eq!(
            server.launched.unwrap() - server.created.unwrap(),
            chrono::TimeDelta::seconds(25)
        );
        assert_eq!(server.image.name.as_deref(), Some("Ubuntu 24.04"));
        assert_eq!(server.charging, Charging::OnDemand);
        assert!(server.volumes[0].is_root() && !server.volumes[1].is_root());
        assert_eq!(server.volumes[1].delete_on_termination, Some(false));
        assert_eq!(server.metadata["n"], "3");
        assert!(server.task_state.is_none() && server.auto_terminate_time.is_some());
    }

    #[test]
    fn a_server_that_says_little_is_still_a_server() {
        let server: Server = serde_json::from_str(
            r#"{"id":"s-1","status":"BUILD","flavor":null,"image":"","addresses":[],"tags":null,"auto_terminate_time":"",
                "metadata":{"charging_mode":2},"fault":{"code":500,"message":"No valid host"},"os-extended-volumes:volumes_attached":{}}"#,
        )
        .unwrap();
        assert_eq!(server.auto_terminate_time, None);
        assert_eq!(server.charging, Charging::Spot);
        assert_eq!(server.fault.unwrap().code.as_deref(), Some("500"));
    }

    #[test]
    fn a_row_full_of_nulls_is_no_server() {
        for row in [
            r#"{"id":"s-1","name":null,"status":null}"#,
            r#"{"id":null,"status":"ACTIVE"}"#,
            "null",
            "[]",
        ] {
            assert!(serde_json::from_str::<Server>(row).is_err(), "{row}");
        }
    }

    proptest! {
        #[test]
        fn no_value_of_a_field_makes_reading_panic(field in 0usize..8, value in ".{0,24}") {
            let names = ["flavor", "addresses", "tags", "created", "metadata", "fault", "auto_terminate_time",
                         "os-extended-volumes:volumes_attached"];
            let text = serde_json::Value::from(value.clone()).to_string();
            for value in [value, text] {
                let _ = serde_json::from_str::<Server>(&format!(r#"{{"id":"a","status":"b","{}":{value}}}"#, names[field]));
            }
        }
    }
}
