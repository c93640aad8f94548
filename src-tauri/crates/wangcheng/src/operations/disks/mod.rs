//! A disk is made, grown, taken off, attached again or deleted.

mod add;
mod attach;
mod within;

use std::sync::Arc;
use std::time::Duration;

use huaweicloud::evs::{self, JobStatus};
use huaweicloud::{JobId, VolumeId, ecs};
use serde::{Deserialize, Serialize};
use store::Stage;
use ts_rs::TS;

use super::runner::{Done, Runner, or_none};
use super::{Detail, FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind, Part};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::disks::{check_at_rest, check_size, device_of, is_own, most_gb};
use crate::failure::{Code, Failure, Result};
use crate::leftovers::disk_name;
use crate::servers::{Server, TAG_SERVER};

/// At how many looks in a row a disk may be at rest in the wrong state before the act counts as not done.
const RESTING_LOOKS: u32 = 10;
/// How long an act that is done waits for a price that belongs into its event.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// A disk asked for.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AddDisk {
    /// Server id.
    pub server: String,
    /// Its type, such as `GPSSD`.
    pub disk_type: String,
    /// Its size in GB.
    pub size_gb: u32,
}

/// What is asked of a disk, as the ledger keeps it.
#[derive(Serialize, Deserialize)]
struct DiskAct {
    disk: String,
    /// The size that it grows to.
    size_gb: Option<u32>,
}

impl Part {
    pub(super) fn of_disk(volume: &evs::Volume) -> Self {
        Self {
            id: Some(volume.id.to_string()),
            name: disk_name(volume),
            kind: Some(volume.volume_type.clone()),
            gb: volume.size_gb,
            server: volume.tags.get(TAG_SERVER).cloned(),
            ..Self::default()
        }
    }
}

impl Wangcheng {
    /// Makes a disk of a server larger. It cannot be made smaller again, and its file system is grown in the guest: see
    /// [`Wangcheng::disk_commands`].
    ///
    /// # Errors
    /// `DiskSizeInvalid`, `DiskUnknown`, `DiskNotAttached`, `StateConflict`, `ServerUnknown`, `NotOwn`, `ServerBusy`,
    /// `NotSignedIn`; what the cloud says; the ledger's, in which case nothing was sent.
    pub async fn grow_disk(&self, server: &str, disk: &str, size_gb: u32) -> Result<Operation> {
        let live = self.active().await?;
        let whole = self.whole(&live, server).await?;
        let volume = self.disk_of(&whole, disk)?;
        if whole.attachment(&volume.id).is_none() {
            return Err(Failure::new(Code::DiskNotAttached).with("name", disk_name(volume)));
        }
        check_at_rest(&whole.server)?;
        let system = whole.is_system(volume);
        let before = volume.size_gb.unwrap_or_default();
        check_size(size_gb, before.saturating_add(1), most_gb(system))?;
        let wish = self
            .disk_wish(&live, &whole.server, &volume.volume_type, volume.size_gb, size_gb)
            .await;
        self.granted(&live, OperationKind::GrowDisk, Some(&whole.server), &wish)
            .await?;
        let part = Part {
            gb: Some(size_gb),
            gb_before: volume.size_gb,
            device: device_of(&whole, volume),
            system,
            ..Part::of_disk(volume)
        };
        let act = DiskAct {
            disk: disk.to_owned(),
            size_gb: Some(size_gb),
        };
        self.record_disk(&live, OperationKind::GrowDisk, Some(&whole.server), part, &act)
            .await
    }

    /// Takes a data disk off a server. It stays, and costs, until it is deleted. Whatever uses it in the guest has to
    /// let it go before: see [`Wangcheng::disk_commands`].
    ///
    /// # Errors
    /// `DiskIsSystem`, `DiskUnknown`, `DiskNotAttached`, `StateConflict`, `ServerUnknown`, `NotOwn`, `ServerBusy`,
    /// `NotSignedIn`; what the cloud says; the ledger's, in which case nothing was sent.
    pub async fn detach_disk(&self, server: &str, disk: &str) -> Result<Operation> {
        let live = self.active().await?;
        let whole = self.whole(&live, server).await?;
        let volume = self.disk_of(&whole, disk)?;
        if whole.attachment(&volume.id).is_none() {
            return Err(Failure::new(Code::DiskNotAttached).with("name", disk_name(volume)));
        }
        if whole.is_system(volume) {
            return Err(Failure::new(Code::DiskIsSystem).with("name", disk_name(volume)));
        }
        check_at_rest(&whole.server)?;
        let act = DiskAct {
            disk: disk.to_owned(),
            size_gb: None,
        };
        let part = Part::of_disk(volume);
        self.record_disk(&live, OperationKind::DetachDisk, Some(&whole.server), part, &act)
            .await
    }

    /// Deletes a disk of a server that is attached to nothing. `name`: the disk's name, as confirmed.
    ///
    /// # Errors
    /// `DiskAttached`, `NameMismatch`, `DiskUnknown`, `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the
    /// cloud says; the ledger's, in which case nothing was sent.
    pub async fn delete_disk(&self, server: &str, disk: &str, name: &str) -> Result<Operation> {
        let live = self.active().await?;
        let whole = self.whole(&live, server).await?;
        let volume = self.disk_of(&whole, disk)?;
        if whole.attachment(&volume.id).is_some() {
            return Err(Failure::new(Code::DiskAttached).with("name", disk_name(volume)));
        }
        if !is_own(volume, &live.account) {
            return Err(Failure::new(Code::NotOwn).with("name", disk_name(volume)));
        }
        if disk_name(volume) != name.trim() {
            return Err(Failure::new(Code::NameMismatch).with("name", disk_name(volume)));
        }
        let act = DiskAct {
            disk: disk.to_owned(),
            size_gb: None,
        };
        let part = Part::of_disk(volume);
        self.record_disk(&live, OperationKind::DeleteDisk, Some(&whole.server), part, &act)
            .await
    }

    /// Records the deletion of a disk whose server is gone.
    pub(super) async fn delete_left_disk(
        &self,
        live: &Arc<Live>,
        part: Part,
        disk: String,
    ) -> Result<Operation> {
        let act = DiskAct { disk, size_gb: None };
        self.record_disk(live, OperationKind::DeleteDisk, None, part, &act)
            .await
    }

    async fn record_disk(
        &self,
        live: &Arc<Live>,
        kind: OperationKind,
        server: Option<&Server>,
        part: Part,
        act: &DiskAct,
    ) -> Result<Operation> {
        let request = serde_json::to_string(act).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        self.record_part(live, kind, server, part, request).await
    }

    /// Records an act on a part of a server, unless one on the same part is under way.
    pub(super) async fn record_part(
        &self,
        live: &Arc<Live>,
        kind: OperationKind,
        server: Option<&Server>,
        part: Part,
        request: String,
    ) -> Result<Operation> {
        let unsettled = self.ledger(|ledger| ledger.unsettled()).await?;
        let same = unsettled.into_iter().filter_map(Operation::read).any(|other| {
            let other = other.detail.part.and_then(|other| other.id);
            other.is_some() && other == part.id
        });
        if same {
            return Err(Failure::new(Code::ServerBusy).with("name", &part.name));
        }
        let name = server.map_or_else(|| part.name.clone(), |server| server.name.clone());
        let detail = Detail {
            part: Some(part),
            ..server.map(Detail::of_server).unwrap_or_default()
        };
        let id = uuid::Uuid::now_v7().to_string();
        let server = server.map(|server| server.id.clone());
        self.record(live, kind, id, server, name, None, request, detail)
            .await
    }
}

/// Where a disk stands towards an act.
enum Way {
    Before,
    Under,
    Done(Done),
}

impl Runner {
    pub(super) async fn act_on_disk(&mut self) -> Result<Done> {
        let asked: DiskAct = serde_json::from_str(&self.operation.row.request)
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        let disk = VolumeId::from(asked.disk.as_str());
        let grows = self.operation.kind == OperationKind::GrowDisk;
        if grows {
            self.hold_growth(&disk, asked.size_gb.unwrap_or_default()).await?;
        }
        let done = self.carry_out(&asked).await;
        if grows {
            self.drop_claim(&disk).await;
        }
        let done = done?;
        if self.operation.kind == OperationKind::AttachDisk {
            let server = self.server_id()?;
            self.let_disk_go_with(&server, &disk).await;
        }
        // A disk that was taken off costs on: what the server's hour costs is told when it is deleted.
        if self.operation.kind != OperationKind::DetachDisk {
            self.note_price().await;
        }
        Ok(done)
    }

    async fn carry_out(&mut self, asked: &DiskAct) -> Result<Done> {
        if self.operation.row.stage == Stage::Recorded
            && let Some(done) = self.send_disk_act(asked).await?
        {
            return Ok(done);
        }
        if let Some(job) = self.operation.row.job_id.clone() {
            let job = JobId::from(job.as_str());
            if matches!(
                self.operation.kind,
                OperationKind::DetachDisk | OperationKind::AttachDisk
            ) {
                let server = self.server_id()?;
                self.follow_job(&job, &server).await?;
            } else {
                self.follow_disk_job(&job).await?;
            }
        }
        let mut pause = FIRST_PAUSE;
        let mut resting = 0;
        loop {
            match self.disk_way(asked).await? {
                Way::Done(done) => return Ok(done),
                Way::Under => resting = 0,
                Way::Before => resting += 1,
            }
            if resting > RESTING_LOOKS {
                return Err(Code::JobFailed.into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends it, unless it is under way already; answers when it is done already. Whatever may have been carried out is
    /// looked at before anything is sent again.
    async fn send_disk_act(&mut self, asked: &DiskAct) -> Result<Option<Done>> {
        let volume = VolumeId::from(asked.disk.as_str());
        let server = self.operation.row.server_id.clone();
        let mut perhaps_done = self.resumed;
        loop {
            if perhaps_done {
                match self.disk_way(asked).await? {
                    Way::Done(done) => return Ok(Some(done)),
                    Way::Under => {
                        self.mark_sent(server, None).await;
                        return Ok(None);
                    }
                    Way::Before => {}
                }
            }
            let kind = self.operation.kind;
            let size = asked.size_gb.unwrap_or_default();
            let sent = self
                .persist_until_open(|client, project| {
                    let (volume, server) = (volume.clone(), server.clone().unwrap_or_default());
                    async move {
                        match kind {
                            OperationKind::GrowDisk => evs::extend(&client, &project, &volume, size).await,
                            OperationKind::DetachDisk => {
                                let server = server.as_str().into();
                                ecs::detach_volume(&client, &project, &server, &volume, false).await
                            }
                            OperationKind::AttachDisk => {
                                let server = server.as_str().into();
                                ecs::attach_volume(&client, &project, &server, &volume).await
                            }
                            _ => evs::delete_volume(&client, &project, &volume).await,
                        }
                    }
                })
                .await;
            match sent {
                Ok(job) => {
                    self.mark_sent(server, Some(job.to_string())).await;
                    return Ok(None);
                }
                Err(failure) if failure.outcome_open => {
                    // The cloud may take a moment to show what it took.
                    tokio::time::sleep(FIRST_PAUSE).await;
                    perhaps_done = true;
                }
                // Gone already, for example because the first try came through and its answer did not.
                Err(failure) if failure.code == Code::CloudMissing && kind == OperationKind::DeleteDisk => {
                    return Ok(Some(Done { at: self.cloud_now() }));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn disk_way(&mut self, asked: &DiskAct) -> Result<Way> {
        let deleting = self.operation.kind == OperationKind::DeleteDisk;
        let told = self.show_disk(&VolumeId::from(asked.disk.as_str())).await?;
        let at = self.cloud_now();
        let Some(volume) = told else {
            return if deleting {
                Ok(Way::Done(Done { at }))
            } else {
                Err(Code::DiskUnknown.into())
            };
        };
        let status = volume.status.as_str();
        self.progress(volume.status.clone()).await;
        let way = match (self.operation.kind, status) {
            (OperationKind::GrowDisk, "extending")
            | (OperationKind::DetachDisk, "detaching")
            | (OperationKind::AttachDisk, "attaching")
            | (OperationKind::DeleteDisk, "deleting") => Way::Under,
            (OperationKind::GrowDisk, "error_extending") | (OperationKind::DeleteDisk, "error_deleting") => {
                return Err(Failure::new(Code::JobFailed).saying(status));
            }
            (OperationKind::GrowDisk, _) if volume.size_gb >= asked.size_gb => Way::Done(Done { at }),
            (OperationKind::DetachDisk, _) if volume.attachments.is_empty() => Way::Done(Done { at }),
            (OperationKind::AttachDisk, "in-use") => {
                let server = self.server_id()?;
                let on_it = volume.attachments.into_iter().find(|one| one.server_id == server);
                let Some(on_it) = on_it else {
                    // Somebody else was quicker.
                    return Err(Code::StateConflict.into());
                };
                self.note_device(on_it.device);
                Way::Done(Done { at })
            }
            _ => Way::Before,
        };
        Ok(way)
    }

    /// The disk as it is; nothing when it does not exist.
    async fn show_disk(&mut self, volume: &VolumeId) -> Result<Option<evs::Volume>> {
        self.look(|client, project| {
            let id = volume.clone();
            async move { or_none(evs::volume(&client, &project, &id).await) }
        })
        .await
    }

    /// Follows a job of the disk service to its end; nothing when the cloud has forgotten it.
    async fn follow_disk_job(&mut self, job: &JobId) -> Result<Option<evs::Job>> {
        let ended = self
            .end_of_job(|client, project| {
                let id = job.clone();
                async move { evs::job(&client, &project, &id).await }
            })
            .await?;
        match ended {
            Some(job) if job.status == JobStatus::Fail => {
                let mut failure = Failure::new(Code::JobFailed);
                if let Some((code, reason)) = job.failure() {
                    failure = failure.saying(reason);
                    failure.provider_code = code.map(str::to_owned);
                }
                Err(failure)
            }
            ended => Ok(ended),
        }
    }

    /// Notes what the server's hour costs from here on.
    async fn note_price(&mut self) {
        if let Ok(server) = self.server_id() {
            let asked = self.wangcheng.hour_of(&self.live, &server);
            let told = tokio::time::timeout(LONGEST_LOOK, asked).await;
            self.operation.detail.price = told.ok().flatten();
        }
    }
}
