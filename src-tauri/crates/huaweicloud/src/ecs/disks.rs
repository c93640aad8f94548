//! The disks on a server.

use serde::Deserialize;
use serde_json::json;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{JobId, ProjectId, ServerId, VolumeId};
use crate::{lenient, wire};

/// A disk as a server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BlockDevice {
    /// The disk.
    #[serde(rename = "volumeId", deserialize_with = "lenient::required")]
    pub volume_id: VolumeId,
    /// The server.
    #[serde(rename = "serverId", default, deserialize_with = "lenient::optional")]
    pub server_id: Option<ServerId>,
    /// Its device in the guest, such as `/dev/vda`.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub device: Option<String>,
    /// Its size in GB.
    #[serde(rename = "size", default, deserialize_with = "lenient::number")]
    pub size_gb: Option<u32>,
    /// How it is connected: `virtio` or `scsi`.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub bus: Option<String>,
    /// Its PCI address in the guest.
    #[serde(rename = "pciAddress", default, deserialize_with = "lenient::optional")]
    pub pci_address: Option<String>,
    #[serde(rename = "bootIndex", default, deserialize_with = "lenient::number")]
    boot_index: Option<i32>,
}

impl BlockDevice {
    /// Whether it is the system disk.
    pub fn is_root(&self) -> bool {
        self.boot_index == Some(0)
    }
}

/// The disks of a server, and how many more it can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDevices {
    /// The disks.
    pub devices: Listing<BlockDevice>,
    /// How many more disks can be attached; `None` if the answer does not say.
    pub free: Option<u32>,
}

/// `ListServerBlockDevices`: the disks of a server. The list comes whole.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ListServerBlockDevices>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such server, or another of [`crate::ErrorKind`].
pub async fn block_devices(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
) -> Result<Reply<BlockDevices>, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "attachableQuantity", default, deserialize_with = "lenient::object")]
        attachable: Option<Attachable>,
    }
    #[derive(Deserialize)]
    struct Attachable {
        #[serde(default, deserialize_with = "lenient::number")]
        free_disk: Option<u32>,
    }
    let path = [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "block_device",
    ];
    let call = Call::get(Service::Ecs, "ListServerBlockDevices", path);
    let answer = client.send(&call).await?;
    let devices = wire::rows(&answer, "volumeAttachments")?;
    let free = answer.parse::<Body>()?.attachable.and_then(|free| free.free_disk);
    Ok(answer.reply(BlockDevices { devices, free }))
}

/// `ShowServerBlockDevice`: one disk of a server.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ShowServerBlockDevice>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such server or the disk is not on it, or another of
/// [`crate::ErrorKind`].
pub async fn block_device(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    volume: &VolumeId,
) -> Result<Reply<BlockDevice>, Error> {
    let call = Call::get(
        Service::Ecs,
        "ShowServerBlockDevice",
        block_device_path(project, server, volume),
    );
    wire::only_member(client.send(&call).await?, "volumeAttachment")
}

/// `UpdateServerBlockDevice`: says whether a data disk goes with the server when that is deleted. A disk that was
/// attached later stays unless this is called. Not for system disks, shared disks and disks paid by the month.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=UpdateServerBlockDevice>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if the disk is not on the server, or another of [`crate::ErrorKind`].
pub async fn set_delete_on_termination(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    volume: &VolumeId,
    delete: bool,
) -> Result<Reply<()>, Error> {
    let body = wire::body(json!({ "block_device": { "delete_on_termination": delete } }));
    let path = block_device_path(project, server, volume);
    let call = Call::put(Service::Ecs, "UpdateServerBlockDevice", path, body);
    Ok(client.send(&call).await?.reply(()))
}

fn block_device_path<'a>(project: &'a ProjectId, server: &'a ServerId, volume: &'a VolumeId) -> [&'a str; 6] {
    [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "block_device",
        volume.as_str(),
    ]
}

/// `AttachServerVolume`: attaches an available disk of the server's own zone.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=AttachServerVolume>
///
/// # Errors
/// [`crate::ErrorKind::State`] if the disk or the server cannot do that now, [`crate::ErrorKind::Missing`],
/// [`crate::ErrorKind::BadAnswer`] if the answer names no job, or another of [`crate::ErrorKind`].
pub async fn attach_volume(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    volume: &VolumeId,
) -> Result<Reply<JobId>, Error> {
    let path = [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "attachvolume",
    ];
    let body = wire::body(json!({ "volumeAttachment": { "volumeId": volume } }));
    let call = Call::post(Service::Ecs, "AttachServerVolume", path, body);
    wire::started_job(client.send(&call).await?)
}

/// `DetachServerVolume`: takes a disk off a server. It must not be in use in the guest, or data may be lost; with
/// `force` the server is not asked.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=DetachServerVolume>
///
/// # Errors
/// As [`attach_volume`].
pub async fn detach_volume(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    volume: &VolumeId,
    force: bool,
) -> Result<Reply<JobId>, Error> {
    let path = [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "detachvolume",
        volume.as_str(),
    ];
    let call = Call::delete(Service::Ecs, "DetachServerVolume", path)
        .with("delete_flag", if force { "1" } else { "0" });
    wire::started_job(client.send(&call).await?)
}
