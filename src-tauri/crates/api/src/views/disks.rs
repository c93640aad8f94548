//! Disks, and what a deletion takes and leaves, as they cross the wire.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::disks::{Commands, Purpose, Shell};
use wangcheng::leftovers::{LeftoverKind, LeftoverRef};
use wangcheng::operations::{OperationKind, Part};

pub use wangcheng::disks::{AskDiskPrice, DiskList, DiskPrice};
pub use wangcheng::leftovers::{Deletion, Leftovers};
pub use wangcheng::operations::AddDisk;

use super::{Operation, Speaker};
use crate::error::WireError;
use crate::words::Tongue;

/// Names a disk of a server.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct DiskRef {
    /// Server id.
    pub server: String,
    /// Disk id.
    pub disk: String,
}

/// Making a disk larger.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GrowDisk {
    /// Server id.
    pub server: String,
    /// Disk id.
    pub disk: String,
    /// Its size then, in GB.
    pub size_gb: u32,
}

/// Deleting a disk that is attached to nothing.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct DeleteDisk {
    /// Id of the server that it belongs to.
    pub server: String,
    /// Disk id.
    pub disk: String,
    /// The disk's name, as confirmed.
    pub name: String,
}

/// Asks what to do in the guest.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct AskDiskCommands {
    /// Server id.
    pub server: String,
    /// Disk id.
    pub disk: String,
    /// What for.
    pub purpose: Purpose,
}

/// What to type in the guest, with comments in the user's language.
#[derive(Debug, Clone, Serialize, TS)]
pub struct DiskCommands {
    /// What it is typed into.
    pub shell: Shell,
    /// The lines.
    pub text: String,
}

/// The disk or public address that an operation is about.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OperationPart {
    /// The cloud's id, once known.
    pub id: Option<String>,
    /// Its name, or the address.
    pub name: String,
    /// Size of a disk in the end, in GB.
    pub size_gb: Option<u32>,
    /// The size before.
    pub size_gb_before: Option<u32>,
    /// Its device in the guest.
    pub device: Option<String>,
}

/// Removing what is left of servers that are gone.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct RemoveLeftovers {
    /// Which, at most 100, each with its name or address as confirmed.
    pub items: Vec<LeftoverRef>,
}

/// What came of asking for one leftover to be removed.
#[derive(Debug, Clone, Serialize, TS)]
pub struct PerLeftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// The cloud's id.
    pub id: String,
    /// The operation, recorded.
    pub operation: Option<Operation>,
    /// Why there is none.
    pub error: Option<WireError>,
}

impl Speaker<'_> {
    pub fn disk_commands(&self, commands: &Commands) -> DiskCommands {
        let lines = commands.lines.iter().map(|line| {
            let comment = match self.tongue {
                Tongue::Chinese => line.zh,
                Tongue::English => line.en,
            };
            format!("# {comment}\n{}", line.code)
        });
        DiskCommands {
            shell: commands.shell,
            text: lines.collect::<Vec<_>>().join("\n"),
        }
    }

    pub fn per_leftover(
        &self,
        asked: LeftoverRef,
        result: wangcheng::Result<wangcheng::operations::Operation>,
    ) -> PerLeftover {
        let (operation, error) = match result {
            Ok(operation) => (Some(self.operation(operation)), None),
            Err(failure) => (None, Some(self.error(&failure))),
        };
        PerLeftover {
            kind: asked.kind,
            id: asked.id,
            operation,
            error,
        }
    }

    /// What is left to do in the guest after an operation that went well.
    pub(super) fn commands_after(
        &self,
        operation: &wangcheng::operations::Operation,
    ) -> Option<DiskCommands> {
        let went_well = operation.row.outcome.map(|outcome| outcome.as_str()) == Some("ok");
        let purpose = match operation.kind {
            OperationKind::AddDisk => Purpose::Make,
            OperationKind::GrowDisk => Purpose::Grow,
            OperationKind::AttachDisk => Purpose::Mount,
            _ => return None,
        };
        let detail = &operation.detail;
        let part = detail.part.as_ref().filter(|_| went_well)?;
        let commands = Commands::for_disk(
            purpose,
            detail.os.as_deref(),
            detail.image.as_deref(),
            part.system,
            part.device.as_deref().unwrap_or_default(),
            part.gb,
        );
        Some(self.disk_commands(&commands))
    }
}

pub(super) fn part(part: Part) -> OperationPart {
    OperationPart {
        id: part.id,
        name: part.name,
        size_gb: part.gb,
        size_gb_before: part.gb_before,
        device: part.device,
    }
}
