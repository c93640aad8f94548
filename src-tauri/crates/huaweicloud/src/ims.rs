//! Image Management Service.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{FlavorId, ImageId, ProjectId};
use crate::lenient;

const PAGE: usize = 500;

/// Who an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageSource {
    /// The vendor's public images.
    Public,
    /// The account's own.
    Private,
    /// Shared by another account.
    Shared,
    /// Sold on the vendor's marketplace.
    Market,
}

impl ImageSource {
    fn as_str(self) -> &'static str {
        match self {
            Self::Public => "gold",
            Self::Private => "private",
            Self::Shared => "shared",
            Self::Market => "market",
        }
    }
}

/// Which images to list.
#[derive(Debug, Clone)]
pub struct ImageQuery {
    /// Who they come from.
    pub source: ImageSource,
    /// Whose private and shared images are meant; the region's own project if `None`.
    pub project: Option<ProjectId>,
    /// Only those that can be used with this flavor.
    pub flavor: Option<FlavorId>,
    /// Only this one.
    pub id: Option<ImageId>,
    /// Only the one of exactly this name.
    pub name: Option<String>,
    /// Only those of this kind of system: `Linux`, `Windows` or `Other`.
    pub os_type: Option<String>,
    /// Only those of this distribution, such as `Ubuntu`.
    pub platform: Option<String>,
    /// Only those of systems with so many bits: 32 or 64.
    pub os_bits: Option<u8>,
    /// Only those for ARM, or only those for x86.
    pub arm: Option<bool>,
    /// Only those with this tag, written `key.value`.
    pub tag: Option<String>,
    /// Only those of this project.
    pub owner: Option<ProjectId>,
    /// Only those of this enterprise project; `all_granted_eps` for all that the caller may see.
    pub enterprise_project: Option<String>,
    /// Only those whose smallest system disk is this, in GB (40 to 1024).
    pub min_disk_gb: Option<u32>,
    /// Only those whose smallest memory is this, in MB.
    pub min_ram_mb: Option<u64>,
    /// Only those that nobody can delete, or only the others.
    pub protected: Option<bool>,
    /// Only shared ones that this account has `accepted`, `rejected` or left `pending`.
    pub member_status: Option<String>,
    /// Only those that were made at or after this moment.
    pub created_since: Option<DateTime<Utc>>,
    /// Only those that were changed at or after this moment.
    pub updated_since: Option<DateTime<Utc>>,
}

impl ImageQuery {
    /// All usable images that come from there.
    pub fn of(source: ImageSource) -> Self {
        Self {
            source,
            project: None,
            flavor: None,
            id: None,
            name: None,
            os_type: None,
            platform: None,
            os_bits: None,
            arm: None,
            tag: None,
            owner: None,
            enterprise_project: None,
            min_disk_gb: None,
            min_ram_mb: None,
            protected: None,
            member_status: None,
            created_since: None,
            updated_since: None,
        }
    }

    fn filters(&self) -> Vec<(&'static str, String)> {
        let since = |moment: DateTime<Utc>| format!("gte:{}", moment.format("%Y-%m-%dT%H:%M:%SZ"));
        [
            ("flavor_id", self.flavor.as_ref().map(ToString::to_string)),
            ("id", self.id.as_ref().map(ToString::to_string)),
            ("name", self.name.clone()),
            ("__os_type", self.os_type.clone()),
            ("__platform", self.platform.clone()),
            ("__os_bit", self.os_bits.map(|bits| bits.to_string())),
            (
                "architecture",
                self.arm.map(|arm| if arm { "arm" } else { "x86" }.to_owned()),
            ),
            ("tag", self.tag.clone()),
            ("owner", self.owner.as_ref().map(ToString::to_string)),
            ("enterprise_project_id", self.enterprise_project.clone()),
            ("min_disk", self.min_disk_gb.map(|size| size.to_string())),
            ("min_ram", self.min_ram_mb.map(|size| size.to_string())),
            ("protected", self.protected.map(|flag| flag.to_string())),
            ("member_status", self.member_status.clone()),
            ("created_at", self.created_since.map(since)),
            ("updated_at", self.updated_since.map(since)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// An image that a server can be made from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Image {
    /// The image's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: ImageId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// `active` when it can be used.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
    /// `Linux`, `Windows` or `Other`.
    #[serde(rename = "__os_type", default, deserialize_with = "lenient::text")]
    pub os_type: String,
    /// The distribution, such as `Ubuntu`.
    #[serde(rename = "__platform", default, deserialize_with = "lenient::text")]
    pub platform: String,
    /// The distribution with its version, such as `Ubuntu 24.04 server 64bit`.
    #[serde(rename = "__os_version", default, deserialize_with = "lenient::text")]
    pub os_version: String,
    /// Smallest system disk, in GB.
    #[serde(rename = "min_disk", default, deserialize_with = "lenient::number")]
    pub min_disk_gb: Option<u32>,
    /// Smallest memory, in MB.
    #[serde(rename = "min_ram", default, deserialize_with = "lenient::number")]
    pub min_ram_mb: Option<u64>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(rename = "__support_arm", default, deserialize_with = "lenient::flag")]
    arm: Option<bool>,
    #[serde(rename = "__support_fc_inject", default, deserialize_with = "lenient::flag")]
    without_cloud_init: Option<bool>,
}

impl Image {
    /// Whether it is for ARM servers.
    pub fn is_arm(&self) -> bool {
        self.arm.unwrap_or(false)
    }

    /// Whether cloud-init runs in it, so that user data, a key pair and a password reach the guest.
    pub fn has_cloud_init(&self) -> bool {
        // The field is named the other way round: "true" means that nothing is injected.
        !self.without_cloud_init.unwrap_or(false)
    }

    /// Whether it is a Windows image.
    pub fn is_windows(&self) -> bool {
        self.os_type.eq_ignore_ascii_case("windows")
    }
}

/// `ListImages`: the usable images for virtual servers, all pages.
///
/// API page: <https://support.huaweicloud.com/api-ims/ims_03_0602.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn images(client: &Client, query: &ImageQuery) -> Result<Reply<Listing<Image>>, Error> {
    let call = |marker: Option<&str>| {
        let mut call = Call::get(Service::Ims, "ListImages", ["v2", "cloudimages"])
            .with("__imagetype", query.source.as_str())
            .with("virtual_env_type", "FusionCompute")
            .with("status", "active")
            .with("limit", PAGE.to_string());
        for (name, value) in query.filters() {
            call = call.with(name, value);
        }
        if let Some(project) = &query.project {
            call = call.with_header("X-Project-Id", project.as_str());
        }
        match marker {
            Some(marker) => call.with("marker", marker),
            None => call,
        }
    };
    client
        .list("images", Some(PAGE), call, |image: &Image| image.id.to_string())
        .await
}
