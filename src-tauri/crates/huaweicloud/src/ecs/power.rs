//! Starting, stopping and restarting servers, many at a time.

use serde_json::{Value, json};

use crate::client::{Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{JobId, ProjectId, ServerId};
use crate::wire;

/// How a server is stopped or restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Manner {
    /// The guest is asked to shut down.
    #[default]
    Soft,
    /// The power is cut.
    Hard,
}

impl Manner {
    fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "SOFT",
            Self::Hard => "HARD",
        }
    }
}

/// `BatchStartServers`: starts up to 1,000 servers.
///
/// The job has a part for each server ([`crate::ecs::Job::sub_jobs`]), and can fail while some of them succeed: a
/// stopped server has no reserved capacity.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=BatchStartServers>
///
/// # Errors
/// [`crate::ErrorKind::State`] or another of [`crate::ErrorKind`]. When the whole batch is refused because of some
/// of its servers, [`Error::details`] names each of those with its own code.
pub async fn start_servers(
    client: &Client,
    project: &ProjectId,
    servers: &[ServerId],
) -> Result<Reply<JobId>, Error> {
    let body = json!({ "os-start": { "servers": rows(servers) } });
    act(client, project, "BatchStartServers", body).await
}

/// `BatchStopServers`: stops up to 1,000 servers. CPU, memory and image of a pay-per-use server cost nothing while
/// it is stopped, unless [`crate::ecs::Flavor::charged_when_stopped`]; its disks and addresses cost on, and its
/// lease runs on.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=BatchStopServers>
///
/// # Errors
/// As [`start_servers`].
pub async fn stop_servers(
    client: &Client,
    project: &ProjectId,
    servers: &[ServerId],
    manner: Manner,
) -> Result<Reply<JobId>, Error> {
    let body = json!({ "os-stop": { "servers": rows(servers), "type": manner.as_str() } });
    act(client, project, "BatchStopServers", body).await
}

/// `BatchRebootServers`: restarts up to 1,000 servers.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=BatchRebootServers>
///
/// # Errors
/// As [`start_servers`].
pub async fn reboot_servers(
    client: &Client,
    project: &ProjectId,
    servers: &[ServerId],
    manner: Manner,
) -> Result<Reply<JobId>, Error> {
    let body = json!({ "reboot": { "servers": rows(servers), "type": manner.as_str() } });
    act(client, project, "BatchRebootServers", body).await
}

fn rows(servers: &[ServerId]) -> Vec<Value> {
    servers.iter().map(|id| json!({ "id": id })).collect()
}

/// The three share one address; the key in the body tells them apart.
async fn act(
    client: &Client,
    project: &ProjectId,
    action: &'static str,
    body: Value,
) -> Result<Reply<JobId>, Error> {
    let path = ["v1", project.as_str(), "cloudservers", "action"];
    let call = Call::post(Service::Ecs, action, path, wire::body(body));
    wire::started_job(client.send(&call).await?)
}
