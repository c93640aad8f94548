//! Disks as the cloud describes them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{ProjectId, ServerId, UserId, VolumeId, ZoneId};
use crate::{lenient, wire};

const PAGE: usize = 1000;

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Volume {
    /// The disk's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: VolumeId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// What its owner says about it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub description: String,
    /// Its state, such as `creating`, `available`, `in-use`, `extending`, `deleting`, `error`.
    #[serde(deserialize_with = "lenient::required")]
    pub status: String,
    /// Its size in GB; `None` if the answer does not say.
    #[serde(rename = "size", default, deserialize_with = "lenient::number")]
    pub size_gb: Option<u32>,
    /// Its type, such as `GPSSD`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub volume_type: String,
    /// Its zone.
    #[serde(rename = "availability_zone", default, deserialize_with = "lenient::optional")]
    pub zone: Option<ZoneId>,
    /// The servers that it is on: none or one, or several for a shared disk.
    #[serde(default, deserialize_with = "lenient::rows")]
    pub attachments: Vec<Attachment>,
    /// Whether a server can start from it.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub bootable: Option<bool>,
    /// Whether several servers can have it.
    #[serde(rename = "multiattach", default, deserialize_with = "lenient::flag")]
    pub shared: Option<bool>,
    /// Whether it is encrypted.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub encrypted: Option<bool>,
    /// When it was made.
    #[serde(rename = "created_at", default, deserialize_with = "lenient::time")]
    pub created: Option<DateTime<Utc>>,
    /// Who made it.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub user_id: Option<UserId>,
    /// Its tags.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub tags: BTreeMap<String, String>,
    /// The remaining metadata, as it is.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub metadata: BTreeMap<String, String>,
    /// The enterprise project that it belongs to.
    #[serde(
        rename = "enterprise_project_id",
        default,
        deserialize_with = "lenient::optional"
    )]
    pub enterprise_project: Option<String>,
}

impl Volume {
    /// Whether it is paid by month or year, and so cannot be deleted by a call.
    pub fn is_paid_by_period(&self) -> bool {
        self.metadata
            .get("orderID")
            .is_some_and(|order| !order.is_empty())
    }

    /// Whether the cloud lets it be deleted as it stands: on no server, and at rest or failed.
    pub fn can_be_deleted(&self) -> bool {
        const AT_REST: [&str; 5] = [
            "available",
            "error",
            "error_extending",
            "error_restoring",
            "error_rollbacking",
        ];
        AT_REST.contains(&self.status.as_str()) && self.attachments.is_empty() && !self.is_paid_by_period()
    }
}

/// That a disk is on a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attachment {
    /// The server.
    #[serde(deserialize_with = "lenient::required")]
    pub server_id: ServerId,
    /// Its device in the guest, such as `/dev/vdb`.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub device: Option<String>,
    /// Since when.
    #[serde(rename = "attached_at", default, deserialize_with = "lenient::time")]
    pub attached: Option<DateTime<Utc>>,
}

/// `ShowVolume`.
///
/// API page: <https://support.huaweicloud.com/api-evs/evs_04_2007.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such disk, or another of [`crate::ErrorKind`].
pub async fn volume(client: &Client, project: &ProjectId, id: &VolumeId) -> Result<Reply<Volume>, Error> {
    let path = ["v2", project.as_str(), "cloudvolumes", id.as_str()];
    let call = Call::get(Service::Evs, "ShowVolume", path);
    wire::only_member(client.send(&call).await?, "volume")
}

/// Which disks to list. All of the project by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeQuery {
    /// Only those whose name contains this.
    pub name: Option<String>,
    /// Only those with this status.
    pub status: Option<String>,
    /// Only those on this server.
    pub server: Option<ServerId>,
    /// Only those in this zone.
    pub zone: Option<ZoneId>,
    /// Only those of this enterprise project; `all_granted_eps` for all that the user may see.
    pub enterprise_project: Option<String>,
}

/// `ListVolumes`, all pages.
///
/// API page: <https://support.huaweicloud.com/api-evs/evs_04_2006.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn volumes(
    client: &Client,
    project: &ProjectId,
    query: &VolumeQuery,
) -> Result<Reply<Listing<Volume>>, Error> {
    let call = |marker: Option<&str>| {
        let path = ["v2", project.as_str(), "cloudvolumes", "detail"];
        let mut call = Call::get(Service::Evs, "ListVolumes", path).with("limit", PAGE.to_string());
        let parameters = [
            ("name", query.name.as_deref()),
            ("status", query.status.as_deref()),
            ("server_id", query.server.as_ref().map(ServerId::as_str)),
            ("availability_zone", query.zone.as_ref().map(ZoneId::as_str)),
            ("enterprise_project_id", query.enterprise_project.as_deref()),
            ("marker", marker),
        ];
        for (name, value) in parameters {
            if let Some(value) = value {
                call = call.with(name, value);
            }
        }
        call
    };
    client
        .list("volumes", Some(PAGE), call, |volume: &Volume| {
            volume.id.to_string()
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(status: &str, more: &str) -> Volume {
        serde_json::from_str(&format!(r#"{{"id":"v-1","status":"{status}"{more}}}"#)).unwrap()
    }

    #[test]
    fn only_a_disk_that_is_free_and_paid_by_use_can_be_deleted() {
        assert!(volume("available", r#","attachments":[],"metadata":{"orderID":""}"#).can_be_deleted());
        assert!(volume("error_extending", "").can_be_deleted());
        assert!(!volume("in-use", r#","attachments":[{"server_id":"s-1"}]"#).can_be_deleted());
        assert!(!volume("error_deleting", "").can_be_deleted());
        assert!(
            !volume("available", r#","metadata":{"orderID":"CS1"}"#).can_be_deleted(),
            "it has to be unsubscribed"
        );
    }

    #[test]
    fn flags_and_tags_are_read_however_they_are_written() {
        let volume = volume(
            "available",
            r#","bootable":"true","multiattach":false,"size":"40","tags":{"owner":"ada","n":7,"odd":{}},"created_at":"2026-01-02T03:04:05.678901""#,
        );
        assert_eq!(
            (volume.bootable, volume.shared, volume.size_gb),
            (Some(true), Some(false), Some(40))
        );
        assert_eq!(
            volume.tags.into_iter().collect::<Vec<_>>(),
            [
                ("n".to_owned(), "7".to_owned()),
                ("owner".to_owned(), "ada".to_owned())
            ]
        );
        assert!(volume.created.is_some());
    }
}
