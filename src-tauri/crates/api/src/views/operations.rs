//! Operations as they cross the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::operations::OperationKind;

use super::Speaker;
use super::disks::{self, DiskCommands, OperationPart};
use crate::error::WireError;

/// How far an operation is.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OperationStage {
    /// Written down, perhaps not sent.
    Recorded,
    /// The cloud took it.
    Sent,
    /// Over.
    Settled,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OperationOutcome {
    /// Well.
    Ok,
    /// Not.
    Failed,
    /// It was given up before it was sent.
    Cancelled,
}

/// Names an operation.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OperationRef {
    /// Operation id.
    pub operation: String,
}

/// One operation.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub kind: OperationKind,
    /// Our id of the account.
    pub account: String,
    /// Server id, once known.
    pub server_id: Option<String>,
    /// Name of the server.
    pub server_name: String,
    /// How far it is.
    pub stage: OperationStage,
    /// How it ended.
    pub outcome: Option<OperationOutcome>,
    /// The cloud surely has nothing of it yet, so that it can be cancelled.
    pub cancellable: bool,
    /// It is not wanted any more, and ends as cancelled unless it reaches the cloud just now.
    pub cancelling: bool,
    /// Why it failed.
    pub error: Option<WireError>,
    /// The cloud's job.
    pub job_id: Option<String>,
    /// What the cloud is doing, in its own word.
    pub progress: Option<String>,
    /// What should be known beside its end: why a server that was stopped for it does not run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub remark: Option<Box<WireError>>,
    /// The security group that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub security_group: Option<String>,
    /// The lease's end asked for.
    pub lease_end: Option<DateTime<Utc>>,
    /// Template id.
    pub template: Option<String>,
    /// Flavor id.
    pub flavor: Option<String>,
    /// When it was asked.
    pub recorded_at: DateTime<Utc>,
    /// When the cloud took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub settled_at: Option<DateTime<Utc>>,
    /// The disk or public address that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub part: Option<OperationPart>,
    /// What could not be done besides; the act itself is none the worse for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub problem: Option<WireError>,
    /// How many parts of a deleted server are left, and cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub left: Option<u32>,
    /// What is left to do in the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub commands: Option<DiskCommands>,
}

/// What came of asking something for one of several servers.
#[derive(Debug, Clone, Serialize, TS)]
pub struct PerServer {
    /// Server id.
    pub server: String,
    /// The operation, recorded.
    pub operation: Option<Operation>,
    /// Why there is none.
    pub error: Option<WireError>,
}

impl Speaker<'_> {
    pub fn operation(&self, operation: wangcheng::operations::Operation) -> Operation {
        let commands = self.commands_after(&operation);
        let cancellable = operation.is_cancellable();
        let row = operation.row;
        Operation {
            cancellable,
            cancelling: row.cancel_asked_at.is_some() && row.outcome.is_none() && row.sent_at.is_none(),
            commands,
            part: operation.detail.part.map(disks::part),
            problem: operation
                .detail
                .problem
                .as_ref()
                .map(|failure| self.error(failure)),
            left: operation.detail.left,
            id: row.id,
            kind: operation.kind,
            account: row.account,
            server_id: row.server_id,
            server_name: row.server_name,
            stage: match row.stage.as_str() {
                "recorded" => OperationStage::Recorded,
                "sent" => OperationStage::Sent,
                _ => OperationStage::Settled,
            },
            outcome: row.outcome.map(|outcome| match outcome.as_str() {
                "ok" => OperationOutcome::Ok,
                "cancelled" => OperationOutcome::Cancelled,
                _ => OperationOutcome::Failed,
            }),
            error: operation.failure.as_ref().map(|failure| self.error(failure)),
            remark: operation
                .detail
                .stays_stopped
                .as_ref()
                .map(|failure| Box::new(self.error(failure))),
            job_id: row.job_id,
            security_group: operation.detail.security_group,
            progress: operation.detail.progress,
            lease_end: operation.detail.lease_end,
            template: operation.detail.template,
            flavor: operation.detail.flavor,
            recorded_at: row.recorded_at,
            sent_at: row.sent_at,
            settled_at: row.settled_at,
        }
    }

    pub fn per_server(
        &self,
        server: String,
        result: wangcheng::Result<wangcheng::operations::Operation>,
    ) -> PerServer {
        let (operation, error) = match result {
            Ok(operation) => (Some(self.operation(operation)), None),
            Err(failure) => (None, Some(self.error(&failure))),
        };
        PerServer {
            server,
            operation,
            error,
        }
    }
}
