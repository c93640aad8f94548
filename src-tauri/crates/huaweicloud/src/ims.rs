//! Image Management Service.

use serde::Deserialize;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{FlavorId, ImageId};
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
}

impl ImageSource {
    fn as_str(self) -> &'static str {
        match self {
            Self::Public => "gold",
            Self::Private => "private",
            Self::Shared => "shared",
        }
    }
}

/// Which images to list.
#[derive(Debug, Clone)]
pub struct ImageQuery {
    /// Who they come from.
    pub source: ImageSource,
    /// Only those that can be used with this flavor.
    pub flavor: Option<FlavorId>,
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
        if let Some(flavor) = &query.flavor {
            call = call.with("flavor_id", flavor.as_str());
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
