//! Elastic Cloud Server: the catalogue, servers with their leases, power, size, disks and tags, and jobs.

mod catalogue;
mod change;
mod create;
mod disks;
mod find;
mod power;
mod server;
mod tags;

use chrono::{DateTime, Utc};
use serde_json::json;

pub use self::catalogue::{
    Architecture, Flavor, Limits, Sale, Zone, ZoneState, flavors, limits, zone_states, zones,
};
pub use self::change::{
    RemoteConsole, can_reset_password, check_resize, remote_console, reset_password, resize, resize_flavors,
    update_server,
};
pub use self::create::{
    BandwidthCharge, CreateServer, Created, DataVolume, NewPublicIp, RootVolume, check_create, create,
    create_raw,
};
pub use self::disks::{
    BlockDevice, BlockDevices, attach_volume, block_device, block_devices, detach_volume,
    set_delete_on_termination,
};
pub use self::find::{ServerQuery, server, servers, servers_by_id};
pub use self::power::{Manner, reboot_servers, start_servers, stop_servers};
pub use self::server::{
    Address, AddressKind, AttachedVolume, Charging, Fault, SecurityGroupName, Server, ServerFlavor,
    ServerImage,
};
pub use self::tags::{
    TagSearch, TaggedServer, count_servers_by_tag, delete_server_tags, project_tags, server_tags,
    servers_by_tag, set_server_tags,
};
use crate::client::{Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{JobId, ProjectId, ServerId};
use crate::job;
pub use crate::job::{Job, JobStatus, SubJob};
pub use crate::quota::Usage;
use crate::wire;

/// How this service writes a moment: UTC, to the second.
const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// `UpdateServerAutoTerminateTime`: moves the end of a server's lease, or cancels the lease with `None`.
///
/// The moment must be at least 30 minutes (by the server's clock) and less than 3 years ahead; the cloud cuts
/// its seconds off. The deletion itself may come some minutes late.
///
/// API page: <https://support.huaweicloud.com/api-ecs/ecs_02_0290.html>
///
/// # Errors
/// [`crate::ErrorKind::Invalid`] with `Ecs.0083` if the moment is too near, [`crate::ErrorKind::Unsupported`]
/// with `Ecs.0081` where there are no leases, or another of [`crate::ErrorKind`].
pub async fn update_auto_terminate_time(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    end: Option<DateTime<Utc>>,
) -> Result<Reply<()>, Error> {
    let end = end
        .map(|end| end.format(TIME_FORMAT).to_string())
        .unwrap_or_default();
    let path = [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "actions",
        "update-auto-terminate-time",
    ];
    let body = json!({ "auto_terminate_time": end }).to_string();
    let call = Call::post(Service::Ecs, "UpdateServerAutoTerminateTime", path, body);
    Ok(client.send(&call).await?.reply(()))
}

/// What goes with a server that is deleted. The system disk always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteWith {
    /// Whether its public addresses are released; `None` leaves it to what was set when they were bound.
    pub public_ips: Option<bool>,
    /// Whether its data disks are deleted. Disks that stay are billed on.
    pub volumes: bool,
}

/// `DeleteServers`: deletes up to 1,000 pay-per-use servers. They are gone when the job has succeeded.
///
/// API page: <https://support.huaweicloud.com/api-ecs/ecs_02_0103.html>
///
/// # Errors
/// [`crate::ErrorKind::State`] with `Ecs.0605` for a locked server or `Ecs.0513` for one paid by the month,
/// [`crate::ErrorKind::BadAnswer`] if the answer names no job, or another of [`crate::ErrorKind`].
pub async fn delete_servers(
    client: &Client,
    project: &ProjectId,
    servers: &[ServerId],
    with: DeleteWith,
) -> Result<Reply<JobId>, Error> {
    let servers: Vec<_> = servers.iter().map(|id| json!({ "id": id })).collect();
    let mut body = json!({ "servers": servers, "delete_volume": with.volumes });
    if let (Some(release), Some(fields)) = (with.public_ips, body.as_object_mut()) {
        fields.insert("delete_publicip".to_owned(), release.into());
    }
    let path = ["v1", project.as_str(), "cloudservers", "delete"];
    let call = Call::post(Service::Ecs, "DeleteServers", path, body.to_string());
    wire::started_job(client.send(&call).await?)
}

/// `ShowJob`. A finished job can be read for about a day; no call lists jobs, so whoever starts one must keep
/// its id.
///
/// API page: <https://support.huaweicloud.com/api-ecs/ecs_02_0901.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] with `Common.0011` if the job is not known (any more), or another of
/// [`crate::ErrorKind`].
pub async fn job(client: &Client, project: &ProjectId, id: &JobId) -> Result<Reply<Job>, Error> {
    job::show(client, Service::Ecs, project, id).await
}
