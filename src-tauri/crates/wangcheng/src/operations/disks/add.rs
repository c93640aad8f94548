//! A disk is made and attached.

use chrono::TimeDelta;
use huaweicloud::{JobId, ServerId, Tag, VolumeId, ecs, evs};
use store::Stage;

use super::super::runner::{Done, Runner};
use super::super::{Detail, FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind, Part};
use super::{AddDisk, RESTING_LOOKS};
use crate::Wangcheng;
use crate::create::tag_value;
use crate::disks::{LEAST_GB, check_at_rest, check_size, most_gb};
use crate::failure::{Code, Failure, Result};
use crate::servers::{TAG_INSTALLATION, TAG_OPERATION, TAG_OWNER, TAG_SERVER};

/// How long a client token is trusted here. The cloud's page names no time for disks; for servers it is eight hours.
const TOKEN_LIVES: TimeDelta = TimeDelta::hours(7);
/// Longest name that the cloud takes, in bytes; the ending of ours comes on top.
const NAME_MOST: usize = 200;

impl Wangcheng {
    /// Asks for a new disk on a server, set to go with it.
    ///
    /// # Errors
    /// `DiskSizeInvalid`, `DiskTypeUnavailable`, `DiskSlotsFull`, `StateConflict`, `ServerUnknown`, `NotOwn`,
    /// `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in which case nothing was sent.
    pub async fn add_disk(&self, ask: &AddDisk) -> Result<Operation> {
        check_size(ask.size_gb, LEAST_GB, most_gb(false))?;
        let live = self.active().await?;
        let (server, row) = self.own_server_row(&live, &ask.server).await?;
        check_at_rest(&server)?;
        let zone = row
            .zone
            .clone()
            .ok_or_else(|| Failure::new(Code::BadAnswer).saying("the server names no zone"))?;
        if !self.sells(&live, &row, &ask.disk_type).await? {
            return Err(Failure::new(Code::DiskTypeUnavailable)
                .with("type", &ask.disk_type)
                .with("zone", &zone));
        }
        let client = self.client(&live).await?;
        let devices = ecs::block_devices(&client, &live.project(), &row.id).await?.value;
        if devices.free == Some(0) {
            return Err(Failure::new(Code::DiskSlotsFull).with("name", &server.name));
        }
        let wish = self
            .disk_wish(&live, &server, &ask.disk_type, None, ask.size_gb)
            .await;
        self.granted(&live, OperationKind::AddDisk, Some(&server), &wish)
            .await?;
        let id = uuid::Uuid::now_v7().to_string();
        let ending: String = id.chars().rev().take(4).collect();
        let start: String = server.name.chars().take(NAME_MOST / 4).collect();
        let name = format!("{start}-disk-{ending}");
        let tags = [
            (TAG_OWNER, tag_value(&live.account.user_name)),
            (TAG_INSTALLATION, self.installation_id()),
            (TAG_OPERATION, id.clone()),
            (TAG_SERVER, server.id.clone()),
        ];
        let volume = evs::CreateVolume {
            zone,
            volume_type: ask.disk_type.clone(),
            size_gb: ask.size_gb,
            name: Some(name.clone()),
            description: None,
            server: Some(row.id.clone()),
            tags: tags
                .into_iter()
                .map(|(key, value)| Tag::new(key, value))
                .collect(),
            iops: None,
            throughput: None,
            enterprise_project: None,
        };
        let body = String::from_utf8(volume.body().to_vec())
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        let part = Part {
            name,
            kind: Some(ask.disk_type.clone()),
            gb: Some(ask.size_gb),
            ..Part::default()
        };
        let detail = Detail {
            part: Some(part),
            ..Detail::of_server(&server)
        };
        let token = Some(uuid::Uuid::new_v4().to_string());
        self.record(
            &live,
            OperationKind::AddDisk,
            id,
            Some(server.id),
            server.name,
            token,
            body,
            detail,
        )
        .await
    }
}

impl Runner {
    pub(in crate::operations) async fn add_disk(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        // Found so in an earlier run, which ended before the disk was gone.
        if let Some(over) = self.operation.detail.undone.clone() {
            self.take_disk_back(&server).await?;
            return Err(over);
        }
        if self.operation.row.stage == Stage::Recorded {
            let too_old = self.wangcheng.now() - self.operation.row.recorded_at > TOKEN_LIVES;
            if self.resumed && too_old {
                self.find_disk().await?;
                self.mark_sent(Some(server.to_string()), None).await;
            } else {
                self.send_add().await?;
            }
        }
        if let Some(job) = self.operation.row.job_id.clone() {
            let told = self.follow_disk_job(&JobId::from(job.as_str())).await?;
            let made = told.and_then(|job| job.volume_ids().next().cloned());
            if let (None, Some(made)) = (self.disk_id(), made) {
                self.note_disk(made);
            }
        }
        let disk = match self.disk_id() {
            Some(disk) => disk,
            None => self.find_disk().await?,
        };
        self.wait_until_attached(&server, &disk).await?;
        if let Some(over) = self.disk_too_much(&disk).await? {
            self.note_price().await;
            self.undo(&over).await?;
            self.take_disk_back(&server).await?;
            return Err(over);
        }
        self.let_disk_go_with(&server, &disk).await;
        self.note_price().await;
        Ok(Done { at: self.cloud_now() })
    }

    async fn send_add(&mut self) -> Result<()> {
        let body = self.operation.row.request.clone();
        let token = self.operation.row.client_token.as_deref();
        let Some(token) = token.and_then(|token| token.parse().ok()) else {
            return Err(Failure::new(Code::Internal).saying("the operation has no client token"));
        };
        let made = self
            .persist(|client, project| {
                let body = body.clone();
                async move { evs::create_raw(&client, &project, body.into(), token).await }
            })
            .await?;
        if let Some(disk) = made.volume_ids.first() {
            self.note_disk(disk.clone());
        }
        let server = self.operation.row.server_id.clone();
        self.mark_sent(server, made.job_id.map(String::from)).await;
        Ok(())
    }

    pub(super) fn disk_id(&self) -> Option<VolumeId> {
        let part = self.operation.detail.part.as_ref()?;
        part.id.as_deref().map(VolumeId::from)
    }

    fn note_disk(&mut self, disk: VolumeId) {
        let part = self.operation.detail.part.get_or_insert_default();
        part.id = Some(disk.to_string());
    }

    /// Finds the disk again by the tag that it was made with.
    async fn find_disk(&mut self) -> Result<VolumeId> {
        let volumes = self
            .look(|client, project| async move {
                evs::volumes(&client, &project, &evs::VolumeQuery::default()).await
            })
            .await?;
        let made = volumes
            .items
            .into_iter()
            .find(|volume| volume.tags.get(TAG_OPERATION) == Some(&self.id));
        let made = made.ok_or(Code::OutcomeUnknown)?;
        self.note_disk(made.id.clone());
        Ok(made.id)
    }

    async fn wait_until_attached(&mut self, server: &ServerId, disk: &VolumeId) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        let mut resting = 0;
        loop {
            let Some(volume) = self.show_disk(disk).await? else {
                return Err(Code::JobFailed.into());
            };
            self.progress(volume.status.clone()).await;
            let on_it = volume.attachments.iter().find(|one| one.server_id == *server);
            match volume.status.as_str() {
                "in-use" => {
                    let device = on_it.and_then(|one| one.device.clone());
                    let part = self.operation.detail.part.get_or_insert_default();
                    part.device = device;
                    part.gb = volume.size_gb.or(part.gb);
                    return Ok(());
                }
                "available" => resting += 1,
                status if status.starts_with("error") => {
                    return Err(Failure::new(Code::JobFailed).saying(status));
                }
                _ => resting = 0,
            }
            // It was made and does not come to the server: it can be seen there as one that is attached to nothing.
            if resting > RESTING_LOOKS {
                return Err(Code::JobFailed.into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}
