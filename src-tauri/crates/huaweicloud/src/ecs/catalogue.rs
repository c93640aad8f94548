//! What can be created here: flavors, zones, quotas.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{FlavorId, ProjectId, ZoneId};
use crate::lenient;
use crate::quota::Usage;
use crate::wire;

/// More than any region has, so that one page is the rule.
const PAGE: usize = 1000;

/// Whether a flavor is sold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Sale {
    /// Sold.
    #[default]
    Normal,
    /// Sold, and promoted.
    Promotion,
    /// In public test: whoever was let into it can have it.
    Trial,
    /// Sold out.
    SoldOut,
    /// Not sold any more.
    Abandoned,
    /// A word that this crate does not know.
    Other(String),
}

impl Sale {
    fn from_word(word: &str) -> Self {
        match word.trim() {
            "" | "normal" => Self::Normal,
            "promotion" => Self::Promotion,
            "obt" => Self::Trial,
            "sellout" | "obt_sellout" => Self::SoldOut,
            "abandon" => Self::Abandoned,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether creating a server is worth a try.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Normal | Self::Promotion | Self::Trial)
    }
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// x86, 64 bit.
    X86,
    /// ARM, 64 bit (Kunpeng).
    Arm64,
}

/// A size of server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "FlavorRow")]
pub struct Flavor {
    /// The flavor's id, such as `s6.large.2`.
    pub id: FlavorId,
    /// Its name, which is usually its id.
    pub name: String,
    /// Processors.
    pub vcpus: u32,
    /// Memory in MB.
    pub ram_mb: u64,
    /// Its processors' architecture.
    pub architecture: Architecture,
    /// The vendor's word for its family, such as `normal` or `computingv3`.
    pub performance_type: Option<String>,
    /// Whether it can be paid by use; if not, only by month or year.
    pub on_demand: bool,
    /// Whether CPU and memory cost while the server is stopped.
    pub charged_when_stopped: bool,
    /// Whether it is sold in the region, where a zone does not say otherwise.
    pub sale: Sale,
    /// Whether it is sold in a zone.
    pub sale_by_zone: BTreeMap<ZoneId, Sale>,
}

impl Flavor {
    /// Whether it is sold in a zone.
    pub fn sale_in(&self, zone: &ZoneId) -> &Sale {
        self.sale_by_zone.get(zone).unwrap_or(&self.sale)
    }
}

#[derive(Deserialize)]
struct FlavorRow {
    #[serde(deserialize_with = "lenient::required")]
    id: FlavorId,
    #[serde(default, deserialize_with = "lenient::optional")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    vcpus: Option<u32>,
    #[serde(default, deserialize_with = "lenient::number")]
    ram: Option<u64>,
    // The sizes that a server can change to come with the shorter name.
    #[serde(default, alias = "extra_specs", deserialize_with = "lenient::object")]
    os_extra_specs: Option<ExtraSpecs>,
}

#[derive(Deserialize, Default)]
struct ExtraSpecs {
    #[serde(
        rename = "ecs:instance_architecture",
        default,
        deserialize_with = "lenient::text"
    )]
    architecture: String,
    #[serde(
        rename = "ecs:performancetype",
        default,
        deserialize_with = "lenient::optional"
    )]
    performance_type: Option<String>,
    #[serde(rename = "cond:operation:status", default, deserialize_with = "lenient::text")]
    status: String,
    #[serde(rename = "cond:operation:az", default, deserialize_with = "lenient::text")]
    by_zone: String,
    #[serde(rename = "cond:operation:charge", default, deserialize_with = "lenient::text")]
    charge: String,
    #[serde(
        rename = "cond:operation:charge:stop",
        default,
        deserialize_with = "lenient::text"
    )]
    charge_when_stopped: String,
}

impl From<FlavorRow> for Flavor {
    fn from(row: FlavorRow) -> Self {
        let specs = row.os_extra_specs.unwrap_or_default();
        Self {
            name: row.name.unwrap_or_else(|| row.id.to_string()),
            id: row.id,
            vcpus: row.vcpus.unwrap_or_default(),
            ram_mb: row.ram.unwrap_or_default(),
            architecture: if specs.architecture.starts_with("arm") {
                Architecture::Arm64
            } else {
                Architecture::X86
            },
            performance_type: specs.performance_type,
            on_demand: specs.charge != "period",
            charged_when_stopped: specs.charge_when_stopped == "charge",
            sale: Sale::from_word(&specs.status),
            sale_by_zone: sale_by_zone(&specs.by_zone),
        }
    }
}

/// Reads `cn-north-4a(normal), cn-north-4b(sellout)`.
fn sale_by_zone(text: &str) -> BTreeMap<ZoneId, Sale> {
    text.split(',')
        .filter_map(|part| {
            let (zone, word) = part.trim().split_once('(')?;
            let zone = zone.trim();
            (!zone.is_empty()).then(|| (ZoneId::from(zone), Sale::from_word(word.trim_end_matches(')'))))
        })
        .collect()
}

/// `ListFlavors`, all pages: of one zone or of the region. The list is long and changes seldom.
///
/// API page: <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0020212656.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn flavors(
    client: &Client,
    project: &ProjectId,
    zone: Option<&ZoneId>,
) -> Result<Reply<Listing<Flavor>>, Error> {
    let call = |marker: Option<&str>| {
        let mut call = Call::get(
            Service::Ecs,
            "ListFlavors",
            ["v1", project.as_str(), "cloudservers", "flavors"],
        )
        .with("limit", PAGE.to_string());
        if let Some(zone) = zone {
            call = call.with("availability_zone", zone.as_str());
        }
        match marker {
            Some(marker) => call.with("marker", marker),
            None => call,
        }
    };
    client
        .list("flavors", Some(PAGE), call, |flavor: &Flavor| {
            flavor.id.to_string()
        })
        .await
}

/// An availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Zone {
    /// The zone's id.
    #[serde(rename = "availability_zone_id", deserialize_with = "lenient::required")]
    pub id: ZoneId,
    /// The name that people know it by.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub alias: Option<String>,
    /// What kind of zone it is, such as `Core` or `Edge`.
    #[serde(rename = "type", default, deserialize_with = "lenient::optional")]
    pub kind: Option<String>,
}

/// `ListServerAzInfo`: the zones of the region.
///
/// `GET /v1/{project_id}/availability-zones` in the API Explorer; the address of its page is not settled.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ListServerAzInfo>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn zones(client: &Client, project: &ProjectId) -> Result<Reply<Listing<Zone>>, Error> {
    let call = |_: Option<&str>| {
        Call::get(
            Service::Ecs,
            "ListServerAzInfo",
            ["v1", project.as_str(), "availability-zones"],
        )
    };
    client
        .list("availability_zones", None, call, |zone: &Zone| {
            zone.id.to_string()
        })
        .await
}

/// Whether servers can be put into a zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "ZoneRow")]
pub struct ZoneState {
    /// The zone's id.
    pub id: ZoneId,
    /// Whether it takes servers; `None` if the answer does not say.
    pub available: Option<bool>,
}

#[derive(Deserialize)]
struct ZoneRow {
    #[serde(rename = "zoneName", deserialize_with = "lenient::required")]
    name: ZoneId,
    #[serde(rename = "zoneState", default, deserialize_with = "lenient::object")]
    state: Option<StateRow>,
}

#[derive(Deserialize)]
struct StateRow {
    #[serde(default, deserialize_with = "lenient::flag")]
    available: Option<bool>,
}

impl From<ZoneRow> for ZoneState {
    fn from(row: ZoneRow) -> Self {
        Self {
            id: row.name,
            available: row.state.and_then(|state| state.available),
        }
    }
}

/// `NovaListAvailabilityZones`: the zones by the native call, which tells whether each can be used. The list
/// comes whole.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=NovaListAvailabilityZones>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn zone_states(client: &Client, project: &ProjectId) -> Result<Reply<Listing<ZoneState>>, Error> {
    let path = ["v2.1", project.as_str(), "os-availability-zone"];
    let call = Call::get(Service::Ecs, "NovaListAvailabilityZones", path);
    wire::only_rows(client.send(&call).await?, "availabilityZoneInfo")
}

/// The account's quotas for servers in the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Servers.
    pub servers: Usage,
    /// Processors.
    pub vcpus: Usage,
    /// Memory in MB.
    pub ram_mb: Usage,
}

/// `ShowServerLimits`. Answers to anyone who may look at servers, so it also shows whether a key has any
/// right here.
///
/// API page: <https://support.huaweicloud.com/api-ecs/ecs_02_0801.html>
///
/// # Errors
/// [`crate::ErrorKind::Permission`] if the user has no rights in the project, or another of
/// [`crate::ErrorKind`].
pub async fn limits(client: &Client, project: &ProjectId) -> Result<Reply<Limits>, Error> {
    #[derive(Deserialize)]
    struct Body {
        absolute: Absolute,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Absolute {
        #[serde(default, deserialize_with = "lenient::number")]
        max_total_instances: Option<i64>,
        #[serde(default, deserialize_with = "lenient::number")]
        total_instances_used: Option<i64>,
        #[serde(default, deserialize_with = "lenient::number")]
        max_total_cores: Option<i64>,
        #[serde(default, deserialize_with = "lenient::number")]
        total_cores_used: Option<i64>,
        #[serde(rename = "maxTotalRAMSize", default, deserialize_with = "lenient::number")]
        max_total_ram: Option<i64>,
        #[serde(rename = "totalRAMUsed", default, deserialize_with = "lenient::number")]
        total_ram_used: Option<i64>,
    }
    let call = Call::get(
        Service::Ecs,
        "ShowServerLimits",
        ["v1", project.as_str(), "cloudservers", "limits"],
    );
    Ok(client
        .send(&call)
        .await?
        .read::<Body>()?
        .map(|Body { absolute }| Limits {
            servers: Usage::new(absolute.max_total_instances, absolute.total_instances_used),
            vcpus: Usage::new(absolute.max_total_cores, absolute.total_cores_used),
            ram_mb: Usage::new(absolute.max_total_ram, absolute.total_ram_used),
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zones_own_word_about_a_flavor_beats_the_regions() {
        let flavor: Flavor = serde_json::from_str(
            r#"{"id":"s6.large.2","vcpus":"2","ram":4096,"os_extra_specs":{
                "cond:operation:status":"abandon",
                "cond:operation:az":"cn-north-4a(normal), cn-north-4b(sellout),cn-north-4c(new_word)"}}"#,
        )
        .unwrap();
        assert_eq!(
            (flavor.vcpus, flavor.ram_mb, flavor.name.as_str()),
            (2, 4096, "s6.large.2")
        );
        assert!(flavor.sale_in(&"cn-north-4a".into()).is_open());
        assert_eq!(flavor.sale_in(&"cn-north-4b".into()), &Sale::SoldOut);
        assert!(!flavor.sale_in(&"cn-north-4c".into()).is_open());
        assert_eq!(flavor.sale_in(&"cn-north-4g".into()), &Sale::Abandoned);
    }

    #[test]
    fn a_flavor_that_says_nothing_is_an_ordinary_one() {
        let flavor: Flavor = serde_json::from_str(r#"{"id":"s6.large.2","os_extra_specs":null}"#).unwrap();
        assert_eq!(
            (
                flavor.sale.is_open(),
                flavor.on_demand,
                flavor.charged_when_stopped
            ),
            (true, true, false)
        );
        assert_eq!(flavor.architecture, Architecture::X86);
        let arm: Flavor = serde_json::from_str(
            r#"{"id":"kc1.large.2","os_extra_specs":{"ecs:instance_architecture":"arm64","cond:operation:charge":"period"}}"#,
        )
        .unwrap();
        assert_eq!((arm.architecture, arm.on_demand), (Architecture::Arm64, false));
    }
}
