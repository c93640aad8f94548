//! Elastic Volume Service: disks, from the making to the deletion, and what the project may have of them.

mod catalogue;
mod create;
mod tags;
mod volume;

use serde_json::json;

pub use self::catalogue::{Quotas, TypeQuotas, VolumeType, quotas, volume_types};
pub use self::create::{CreateVolume, Created, create, create_raw};
pub use self::tags::{delete_volume_tags, set_volume_tags, volume_tags};
pub use self::volume::{Attachment, Volume, VolumeQuery, volume, volumes};
use crate::client::{Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{JobId, ProjectId, VolumeId};
use crate::job;
pub use crate::job::{Job, JobStatus, SubJob};
use crate::wire;

/// `ResizeVolume`: makes a pay-per-use disk larger; none can be made smaller. Data disks grow to at most 32,768 GB,
/// system disks to 1,024. The partition and the file system must still be grown in the guest.
///
/// API page: <https://support.huaweicloud.com/api-evs/evs_04_2004.html>
///
/// # Errors
/// [`crate::ErrorKind::State`] with `EVS.1064`, `EVS.1065` or `EVS.1066` if the disk or its server cannot do that now,
/// [`crate::ErrorKind::Quota`], [`crate::ErrorKind::Capacity`], [`crate::ErrorKind::BadAnswer`] if the answer names no
/// job, which is so for a disk paid by the month, or another of [`crate::ErrorKind`].
pub async fn extend(
    client: &Client,
    project: &ProjectId,
    volume: &VolumeId,
    size_gb: u32,
) -> Result<Reply<JobId>, Error> {
    let path = [
        "v2.1",
        project.as_str(),
        "cloudvolumes",
        volume.as_str(),
        "action",
    ];
    let body = wire::body(json!({ "os-extend": { "new_size": size_gb } }));
    let call = Call::post(Service::Evs, "ResizeVolume", path, body);
    wire::started_job(client.send(&call).await?)
}

/// `UpdateVolume`: gives a disk another name, another description, or both; at most 255 bytes each. What is `None`
/// stays.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EVS/doc?api=UpdateVolume>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such disk, [`crate::ErrorKind::Invalid`] for a text that is not
/// allowed, or another of [`crate::ErrorKind`].
pub async fn update_volume(
    client: &Client,
    project: &ProjectId,
    volume: &VolumeId,
    name: Option<&str>,
    description: Option<&str>,
) -> Result<Reply<()>, Error> {
    let path = ["v2", project.as_str(), "cloudvolumes", volume.as_str()];
    let body = wire::body(json!({ "volume": { "name": name, "description": description } }));
    let call = Call::put(Service::Evs, "UpdateVolume", path, body);
    Ok(client.send(&call).await?.reply(()))
}

/// `DeleteVolume`: deletes a pay-per-use disk with all that is on it. It must be on no server, and its status
/// `available` or one of the `error` ones.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EVS/doc?api=DeleteVolume>
///
/// # Errors
/// [`crate::ErrorKind::State`] if it is on a server or busy, [`crate::ErrorKind::Missing`] if there is no such disk,
/// [`crate::ErrorKind::BadAnswer`] if the answer names no job, or another of [`crate::ErrorKind`].
pub async fn delete_volume(
    client: &Client,
    project: &ProjectId,
    volume: &VolumeId,
) -> Result<Reply<JobId>, Error> {
    let path = ["v2", project.as_str(), "cloudvolumes", volume.as_str()];
    let call = Call::delete(Service::Evs, "DeleteVolume", path);
    wire::started_job(client.send(&call).await?)
}

/// `ShowJob`: a job of this service, which [`crate::ecs::job`] does not know. No call lists jobs, so whoever starts
/// one must keep its id.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/EVS/doc?api=ShowJob>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if the job is not known (any more), or another of [`crate::ErrorKind`].
pub async fn job(client: &Client, project: &ProjectId, id: &JobId) -> Result<Reply<Job>, Error> {
    job::show(client, Service::Evs, project, id).await
}
