//! Tags of disks.

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{ProjectId, VolumeId};
use crate::tag::Tag;
use crate::{tag, wire};

/// `ShowVolumeTags`: the tags of a disk.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EVS/doc?api=ShowVolumeTags>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such disk, or another of [`crate::ErrorKind`].
pub async fn volume_tags(
    client: &Client,
    project: &ProjectId,
    volume: &VolumeId,
) -> Result<Reply<Listing<Tag>>, Error> {
    let path = ["v2", project.as_str(), "cloudvolumes", volume.as_str(), "tags"];
    let call = Call::get(Service::Evs, "ShowVolumeTags", path);
    wire::only_rows(client.send(&call).await?, "tags")
}

/// `BatchCreateVolumeTags`: sets tags on a disk; a key that it has already gets the new value. A disk does not get the
/// tags of the server that it is made for.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EVS/doc?api=BatchCreateVolumeTags>
///
/// # Errors
/// [`crate::ErrorKind::Quota`] or [`crate::ErrorKind::Invalid`] if they are too many,
/// [`crate::ErrorKind::Missing`] if there is no such disk, or another of [`crate::ErrorKind`].
pub async fn set_volume_tags(
    client: &Client,
    project: &ProjectId,
    volume: &VolumeId,
    tags: &[Tag],
) -> Result<Reply<()>, Error> {
    let path = action_path(project, volume);
    let call = Call::post(Service::Evs, "BatchCreateVolumeTags", path, tag::create(tags));
    Ok(client.send(&call).await?.reply(()))
}

/// `BatchDeleteVolumeTags`: takes tags off a disk, by their keys.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EVS/doc?api=BatchDeleteVolumeTags>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such disk or it has no such tag, or another of
/// [`crate::ErrorKind`].
pub async fn delete_volume_tags(
    client: &Client,
    project: &ProjectId,
    volume: &VolumeId,
    keys: &[&str],
) -> Result<Reply<()>, Error> {
    let path = action_path(project, volume);
    let call = Call::post(Service::Evs, "BatchDeleteVolumeTags", path, tag::delete(keys));
    Ok(client.send(&call).await?.reply(()))
}

fn action_path<'a>(project: &'a ProjectId, volume: &'a VolumeId) -> [&'a str; 6] {
    [
        "v2",
        project.as_str(),
        "cloudvolumes",
        volume.as_str(),
        "tags",
        "action",
    ]
}
