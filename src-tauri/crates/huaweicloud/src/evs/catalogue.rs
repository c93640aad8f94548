//! The types of disks, and how much of each the project may have.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{ProjectId, ZoneId};
use crate::quota::Usage;
use crate::{lenient, wire};

/// A type of disk.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Row")]
pub struct VolumeType {
    /// Its name, by which a disk is created, such as `GPSSD`.
    pub name: String,
    /// The zones that have it; none means all.
    pub zones: Vec<ZoneId>,
    /// The zones in which it is sold out.
    pub sold_out: Vec<ZoneId>,
}

impl VolumeType {
    /// Whether a zone sells it now.
    pub fn is_sold_in(&self, zone: &ZoneId) -> bool {
        (self.zones.is_empty() || self.zones.contains(zone)) && !self.sold_out.contains(zone)
    }
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "lenient::required")]
    name: String,
    #[serde(default, deserialize_with = "lenient::object")]
    extra_specs: Option<Specs>,
}

#[derive(Deserialize, Default)]
struct Specs {
    #[serde(
        rename = "RESKEY:availability_zones",
        default,
        deserialize_with = "lenient::text"
    )]
    zones: String,
    #[serde(
        rename = "os-vendor-extended:sold_out_availability_zones",
        default,
        deserialize_with = "lenient::text"
    )]
    sold_out: String,
}

impl From<Row> for VolumeType {
    fn from(row: Row) -> Self {
        let specs = row.extra_specs.unwrap_or_default();
        Self {
            name: row.name,
            zones: zones(&specs.zones),
            sold_out: zones(&specs.sold_out),
        }
    }
}

/// The zones of a list with commas.
fn zones(text: &str) -> Vec<ZoneId> {
    text.split(',')
        .map(str::trim)
        .filter(|zone| !zone.is_empty())
        .map(ZoneId::from)
        .collect()
}

/// `CinderListVolumeTypes`: the types of disks, with the zones that sell them. The list comes whole.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EVS/doc?api=CinderListVolumeTypes>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn volume_types(client: &Client, project: &ProjectId) -> Result<Reply<Listing<VolumeType>>, Error> {
    let path = ["v2", project.as_str(), "types"];
    let call = Call::get(Service::Evs, "CinderListVolumeTypes", path);
    wire::only_rows(client.send(&call).await?, "volume_types")
}

/// What a project may have of disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// Disks.
    pub volumes: Usage,
    /// All their sizes together, in GB.
    pub gigabytes: Usage,
    /// The limits that single types have besides; a type without one may use all there is.
    pub by_type: BTreeMap<String, TypeQuotas>,
}

/// What a project may have of one type of disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeQuotas {
    /// Disks.
    pub volumes: Usage,
    /// All their sizes together, in GB.
    pub gigabytes: Usage,
}

#[derive(Deserialize, Default)]
struct UsageRow {
    #[serde(default, deserialize_with = "lenient::number")]
    in_use: Option<i64>,
    #[serde(default, deserialize_with = "lenient::number")]
    reserved: Option<i64>,
    #[serde(default, deserialize_with = "lenient::number")]
    limit: Option<i64>,
}

impl From<UsageRow> for Usage {
    fn from(row: UsageRow) -> Self {
        // What is reserved for disks that are being made is not free either.
        let count = |number: Option<i64>| number.unwrap_or_default().max(0);
        let used = count(row.in_use).saturating_add(count(row.reserved));
        Self::new(row.limit, Some(used))
    }
}

/// `CinderListQuotas`.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EVS/doc?api=CinderListQuotas>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn quotas(client: &Client, project: &ProjectId) -> Result<Reply<Quotas>, Error> {
    let path = ["v2", project.as_str(), "os-quota-sets", project.as_str()];
    // The one way to write it that the service takes.
    let call = Call::get(Service::Evs, "CinderListQuotas", path).with("usage", "True");
    let answer = client.send(&call).await?;
    let fields: BTreeMap<String, Box<RawValue>> = wire::member(&answer, "quota_set")?;
    Ok(answer.reply(quotas_from(&fields)))
}

fn quotas_from(fields: &BTreeMap<String, Box<RawValue>>) -> Quotas {
    let usage = |name: &str| -> Usage {
        let row: Option<UsageRow> = fields.get(name).and_then(|raw| lenient::row(raw).ok());
        row.unwrap_or_default().into()
    };
    let types = fields.keys().filter_map(|name| {
        name.strip_prefix("volumes_")
            .or_else(|| name.strip_prefix("gigabytes_"))
            .filter(|name| !name.is_empty())
    });
    Quotas {
        volumes: usage("volumes"),
        gigabytes: usage("gigabytes"),
        by_type: types
            .map(|name| {
                let quotas = TypeQuotas {
                    volumes: usage(&format!("volumes_{name}")),
                    gigabytes: usage(&format!("gigabytes_{name}")),
                };
                (name.to_owned(), quotas)
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_sold_where_it_is_and_is_not_sold_out() {
        let read = |specs: &str| -> VolumeType {
            serde_json::from_str(&format!(r#"{{"id":"t","name":"SSD","extra_specs":{specs}}}"#)).unwrap()
        };
        let ssd = read(
            r#"{"RESKEY:availability_zones":"cn-north-4a, cn-north-4b,","os-vendor-extended:sold_out_availability_zones":"cn-north-4b"}"#,
        );
        assert!(ssd.is_sold_in(&"cn-north-4a".into()));
        assert!(!ssd.is_sold_in(&"cn-north-4b".into()), "it is sold out there");
        assert!(!ssd.is_sold_in(&"cn-north-4c".into()), "it is not there");
        let everywhere = read(r#"{"os-vendor-extended:sold_out_availability_zones":"cn-north-4b"}"#);
        assert!(everywhere.is_sold_in(&"cn-north-4c".into()));
        assert!(!everywhere.is_sold_in(&"cn-north-4b".into()));
        assert!(
            read("null").is_sold_in(&"cn-north-4c".into()),
            "nothing speaks against it"
        );
    }

    #[test]
    fn quotas_are_read_for_types_that_are_not_known_yet() {
        let fields = serde_json::from_str(
            r#"{"id":"p","volumes":{"in_use":3,"reserved":1,"limit":5},"gigabytes":{"in_use":"40","reserved":0,"limit":-1},
                "volumes_NEWSSD":{"in_use":1,"reserved":0,"limit":2},"gigabytes_ODD":null,"volumes_":7}"#,
        )
        .unwrap();
        let quotas = quotas_from(&fields);
        assert_eq!(quotas.volumes.left(), Some(1), "what is reserved is not free");
        assert_eq!((quotas.gigabytes.max, quotas.gigabytes.used), (None, 40));
        assert_eq!(quotas.by_type.keys().collect::<Vec<_>>(), ["NEWSSD", "ODD"]);
        assert_eq!(quotas.by_type["NEWSSD"].volumes.left(), Some(1));
        assert_eq!(quotas.by_type["ODD"].gigabytes.left(), None);
    }
}
