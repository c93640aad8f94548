//! Creating a disk.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{JobId, ProjectId, ServerId, VolumeId, ZoneId};
use crate::tag::Tag;
use crate::{lenient, wire};

/// An empty data disk to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateVolume {
    /// Its zone; that of the server, if it is made for one.
    pub zone: ZoneId,
    /// The disk type, such as `GPSSD`; see [`super::volume_types`] for what a zone sells.
    pub volume_type: String,
    /// Size in GB, 10 to 32,768.
    pub size_gb: u32,
    /// Its name, at most 255 bytes.
    pub name: Option<String>,
    /// A description, at most 255 bytes.
    pub description: Option<String>,
    /// The server that it is attached to. It is then paid as the server is, by use or by the month.
    pub server: Option<ServerId>,
    /// Its tags; the server's are not handed on to it.
    pub tags: Vec<Tag>,
    /// Operations per second: always for `GPSSD2` and `ESSD2`, and only for those.
    pub iops: Option<u32>,
    /// MiB per second: always for `GPSSD2`, and only for it.
    pub throughput: Option<u32>,
    /// The enterprise project that it belongs to; the default one if there is none.
    pub enterprise_project: Option<String>,
}

impl CreateVolume {
    /// The body of the request, the same bytes for the same disk. A caller that wants to be able to repeat the creation
    /// after a crash stores these bytes together with the client token before it sends them with [`create_raw`].
    pub fn body(&self) -> Bytes {
        let tags: Value = self
            .tags
            .iter()
            .map(|tag| (tag.key.clone(), Value::from(tag.value.as_str())))
            .collect();
        wire::body(json!({
            "server_id": self.server,
            "volume": {
                "availability_zone": self.zone,
                "volume_type": self.volume_type,
                "size": self.size_gb,
                "name": self.name,
                "description": self.description,
                "count": 1,
                "tags": (!self.tags.is_empty()).then_some(tags),
                "iops": self.iops,
                "throughput": self.throughput,
                "enterprise_project_id": self.enterprise_project,
                // Only with this is the disk's id known before the job has ended.
                "metadata": { "create_for_volume_id": "true" },
            },
        }))
    }
}

/// What the cloud answered to a creation: a job for a disk that is paid by use, an order for one that is paid by the
/// month.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Created {
    /// The job that creates; to be asked for with [`super::job`].
    #[serde(default, deserialize_with = "lenient::optional")]
    pub job_id: Option<JobId>,
    /// The order, when the server that the disk is for is paid by the month.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub order_id: Option<String>,
    /// The disk's id, if the answer tells it.
    #[serde(default, deserialize_with = "lenient::rows")]
    pub volume_ids: Vec<VolumeId>,
}

/// `CreateVolume` with the bytes of [`CreateVolume::body`]. With the same token and the same bytes the cloud creates
/// only once within 8 hours and gives the first answer again, so this is repeated after passing failures, and may be
/// repeated by the caller.
///
/// API page: <https://support.huaweicloud.com/api-evs/evs_04_2003.html>
///
/// # Errors
/// [`crate::ErrorKind::Quota`], [`crate::ErrorKind::Capacity`], [`crate::ErrorKind::Money`] and
/// [`crate::ErrorKind::Permission`] say why the cloud declined; [`crate::ErrorKind::BadAnswer`] that it named neither
/// a job nor an order. If [`Error::outcome_unknown`] is set, the disk may have been created: repeat with the same
/// token.
pub async fn create_raw(
    client: &Client,
    project: &ProjectId,
    body: Bytes,
    token: Uuid,
) -> Result<Reply<Created>, Error> {
    let path = ["v2.1", project.as_str(), "cloudvolumes"];
    let call = Call::post(Service::Evs, "CreateVolume", path, body).with_client_token(token);
    let answer = client.send(&call).await?;
    let created: Created = answer.parse()?;
    if created.job_id.is_none() && created.order_id.is_none() {
        return Err(answer.bad("the answer names neither a job nor an order"));
    }
    Ok(answer.reply(created))
}

/// [`create_raw`] with the body of `volume`.
///
/// # Errors
/// As [`create_raw`].
pub async fn create(
    client: &Client,
    project: &ProjectId,
    volume: &CreateVolume,
    token: Uuid,
) -> Result<Reply<Created>, Error> {
    create_raw(client, project, volume.body(), token).await
}
