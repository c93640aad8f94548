//! What the end of an operation is: its event, and why it failed.

use chrono::{DateTime, Utc};
use huaweicloud::ServerId;
use huaweicloud::ecs::{self, JobStatus};

use super::OperationKind;
use super::runner::{Done, Runner};
use crate::create::DISK_TYPE;
use crate::events::{Action, Draft};
use crate::failure::{Code, Failure, Result};

impl Runner {
    /// The events that stand for this end; none for what the data platform is not told of.
    pub(super) fn events(&self, result: &Result<Done>, at: DateTime<Utc>) -> Vec<store::NewEvent> {
        let action = match self.operation.kind {
            OperationKind::CreateServer => Action::ServerCreated,
            OperationKind::UpdateLease if self.operation.detail.lease_end_before.is_none() => {
                Action::LeaseSet
            }
            OperationKind::UpdateLease => Action::LeaseExtended,
            OperationKind::CancelLease => Action::LeaseCancelled,
            OperationKind::StartServer => Action::ServerStarted,
            OperationKind::StopServer => Action::ServerStopped,
            OperationKind::RebootServer => Action::ServerRebooted,
            OperationKind::DeleteServer => Action::ServerDeleted,
            OperationKind::AddDisk | OperationKind::AttachDisk => Action::DiskAttached,
            OperationKind::GrowDisk => Action::DiskExtended,
            OperationKind::DetachDisk => Action::DiskDetached,
            OperationKind::DeleteDisk => Action::DiskDeleted,
            OperationKind::ReleaseAddress => Action::AddressReleased,
            OperationKind::ResizeServer => Action::ServerResized,
            OperationKind::AdoptServer => Action::ServerSeen,
            OperationKind::RenameServer
            | OperationKind::TagServer
            | OperationKind::ResetPassword
            | OperationKind::MarkParts
            | OperationKind::AdmitSsh => return Vec::new(),
        };
        // Nothing happened, to the server or to the bill.
        if result
            .as_ref()
            .is_err_and(|failure| failure.code == Code::Cancelled)
        {
            return Vec::new();
        }
        if let Some(over) = &self.operation.detail.undone {
            return self.undone_events(result, over, at);
        }
        let mut events = vec![self.event(action, result, at)];
        // The change counts although the server did not come up again; that it stands is told beside it.
        if self.operation.detail.stays_stopped.is_some() {
            let stopped = Done { at };
            events.push(self.event(Action::ServerStopped, &Ok(stopped), at));
        }
        events
    }

    pub(super) fn event(&self, action: Action, result: &Result<Done>, at: DateTime<Utc>) -> store::NewEvent {
        let detail = &self.operation.detail;
        let time = result.as_ref().map_or_else(|_| self.cloud_now(), |done| done.at);
        let mut draft = Draft::new(action, time, &self.wangcheng.inner.client);
        draft
            .set("server_name", self.event_server_name())
            .set("flavor", detail.flavor.clone())
            .set("vcpus", detail.vcpus)
            .set("ram_mb", detail.ram_mb)
            .set("image", detail.image.clone())
            .set("os", detail.os.clone())
            .set("purpose", detail.purpose.clone())
            .set(
                "duration_s",
                crate::clock::seconds_between(self.operation.row.recorded_at, at),
            );
        match action {
            Action::ServerCreated => {
                draft
                    .set("template", detail.template.clone())
                    .set("disk_gb", detail.disk_gb)
                    .set("disk_count", detail.disk_count)
                    .set("disk_type", DISK_TYPE)
                    .set("eip", detail.eip.clone())
                    .set("bandwidth_mbps", detail.bandwidth_mbps)
                    .set_time("lease_end", detail.lease_end)
                    .set_price(detail.price.as_ref())
                    .set(
                        "price_disk_per_hour",
                        detail.price_disk.map(|price| price.to_string()),
                    )
                    .set(
                        "price_address_per_hour",
                        detail.price_address.map(|price| price.to_string()),
                    )
                    .set("charged_when_stopped", detail.charged_when_stopped);
            }
            Action::LeaseSet | Action::LeaseExtended | Action::LeaseCancelled => {
                draft
                    .set_time("lease_end", detail.lease_end)
                    .set_time("lease_end_before", detail.lease_end_before);
            }
            Action::ServerStopped | Action::ServerDeleted => {
                let undone = self.operation.detail.undone.is_some();
                draft
                    .set("cause", if undone { "quota" } else { "user" })
                    .set_time("lease_end", detail.lease_end);
            }
            Action::ServerResized => {
                draft.set_price(detail.price.as_ref());
            }
            Action::ServerSeen => {
                let stands = serde_json::to_value(detail.stands).unwrap_or_default();
                draft.set("state", stands).set_time("lease_end", detail.lease_end);
            }
            Action::DiskAttached | Action::DiskExtended | Action::DiskDetached | Action::DiskDeleted => {
                let part = detail.part.clone().unwrap_or_default();
                draft
                    .set("disk_id", part.id)
                    .set("disk_gb", part.gb)
                    .set("disk_gb_before", part.gb_before)
                    .set("disk_type", part.kind)
                    .set("cause", detail.undone.is_some().then_some("quota"))
                    .set_price(detail.price.as_ref());
            }
            Action::GrantRefused => {
                let over = detail.undone.as_ref().map(|over| &over.facts);
                let fact = |key: &str| over.and_then(|facts| facts.get(key)).cloned();
                draft
                    .set("refused", self.operation.kind.as_str())
                    .set("organisation", fact("organisation"))
                    .set(
                        "grant_number",
                        fact("number").and_then(|number| number.parse::<u64>().ok()),
                    )
                    .set("limit", fact("limit"))
                    .set("limit_max", fact("max"))
                    .set("limit_used", fact("used"))
                    .set("limit_wish", fact("wish"));
            }
            Action::AddressReleased => {
                draft.set("eip", detail.part.clone().map(|part| part.name));
            }
            _ => {}
        }
        if let Err(failure) = result {
            draft.fail(failure);
        }
        // What is left of a server that is gone still tells which it was.
        let server = self.operation.row.server_id.as_deref();
        let server = server.or(detail.part.as_ref().and_then(|part| part.server.as_deref()));
        draft.finish(&self.live.account, Some(&self.id), server)
    }

    /// The name of a server that is gone is not known any more; what is left of it has one of its own.
    fn event_server_name(&self) -> Option<&str> {
        let row = &self.operation.row;
        (row.server_id.is_some() || self.operation.kind == OperationKind::CreateServer)
            .then_some(row.server_name.as_str())
    }
}

/// Why a job failed: the part about this server, else the whole.
pub(super) fn job_failure(job: &ecs::Job, server: &ServerId) -> Failure {
    let part = job
        .sub_jobs
        .iter()
        .find(|sub| sub.server_id.as_ref() == Some(server));
    let part = part.or_else(|| job.sub_jobs.iter().find(|sub| sub.status == JobStatus::Fail));
    let code = part
        .and_then(|sub| sub.error_code.clone())
        .or_else(|| job.error_code.clone());
    let reason = part
        .and_then(|sub| sub.fail_reason.clone())
        .or_else(|| job.fail_reason.clone());
    let mut failure = Failure::new(Code::JobFailed);
    if let Some(reason) = reason {
        failure = failure.saying(reason);
    }
    failure.provider_code = code;
    failure
}
