//! A disk that was taken off its server comes back to it.

use huaweicloud::{ServerId, VolumeId, ecs};

use super::super::runner::Runner;
use super::super::{Operation, OperationKind, Part};
use super::DiskAct;
use crate::Wangcheng;
use crate::disks::check_at_rest;
use crate::failure::{Code, Failure, Result};
use crate::leftovers::disk_name;

impl Wangcheng {
    /// Attaches a disk to the server that it was taken off, set to go with it as before. What is on it stays; it is
    /// mounted in the guest: see [`Wangcheng::disk_commands`].
    ///
    /// # Errors
    /// `DiskAttached`, `DiskUnknown`, `DiskSlotsFull`, `StateConflict` when the server or the disk is busy or broken,
    /// `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in which case nothing
    /// was sent.
    pub async fn attach_disk(&self, server: &str, disk: &str) -> Result<Operation> {
        let live = self.active().await?;
        let whole = self.whole(&live, server).await?;
        let volume = self.disk_of(&whole, disk)?;
        if whole.attachment(&volume.id).is_some() {
            return Err(Failure::new(Code::DiskAttached).with("name", disk_name(volume)));
        }
        check_at_rest(&whole.server)?;
        if volume.status != "available" {
            return Err(Code::StateConflict.into());
        }
        let client = self.client(&live).await?;
        let devices = ecs::block_devices(&client, &live.project(), &whole.row.id)
            .await?
            .value;
        if devices.free == Some(0) {
            return Err(Failure::new(Code::DiskSlotsFull).with("name", &whole.server.name));
        }
        let act = DiskAct {
            disk: disk.to_owned(),
            size_gb: None,
        };
        let part = Part::of_disk(volume);
        self.record_disk(&live, OperationKind::AttachDisk, Some(&whole.server), part, &act)
            .await
    }
}

impl Runner {
    /// Sets a disk to go with its server. It is attached all the same when it cannot be: that stands in the operation
    /// as its problem.
    pub(super) async fn let_disk_go_with(&mut self, server: &ServerId, disk: &VolumeId) {
        let flagged = self
            .try_few(|client, project| {
                let (server, disk) = (server.clone(), disk.clone());
                async move { ecs::set_delete_on_termination(&client, &project, &server, &disk, true).await }
            })
            .await;
        self.operation.detail.problem = flagged.err();
    }

    /// The device that a disk has in the guest, for the commands that follow.
    pub(super) fn note_device(&mut self, device: Option<String>) {
        self.operation.detail.part.get_or_insert_default().device = device;
    }
}
