//! What an administrator does with servers that do not keep to a grant, whoever made them. The cloud has to allow it, and
//! the signing key has to be here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::lease::LeaseUpdate;
use super::power::Power;
use super::{Detail, Operation, OperationKind, PowerAct};
use crate::failure::{Code, Failure, Result};
use crate::servers::ServerState;
use crate::{Wangcheng, lease};

/// What is done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuditAct {
    /// It gets a lease that ends then.
    SetLease {
        /// The end.
        until: DateTime<Utc>,
    },
    /// It is stopped.
    Stop,
    /// It is deleted with everything on it.
    Delete {
        /// Its name, as confirmed.
        name: String,
    },
}

impl Wangcheng {
    /// Acts on a server of the project that an audit found.
    ///
    /// # Errors
    /// `GrantNoOffice`, `GrantKeyAbsent`; `LeaseTooShort`, `LeaseTooLong`, `NameMismatch`, `StateConflict`,
    /// `ServerUnknown`, `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's.
    pub async fn audit_act(&self, server: &str, act: AuditAct) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.audited_server(&live, server).await?;
        let internal = |error: serde_json::Error| Failure::new(Code::Internal).saying(error);
        let mut detail = Detail {
            lease_end: server.lease_end,
            ..Detail::of_server(&server)
        };
        let (kind, request) = match act {
            AuditAct::SetLease { until } => {
                let until = lease::check_end(until, live.cloud_now(self.now()))?;
                detail.lease_end_before = detail.lease_end.replace(until);
                let asked = LeaseUpdate { until: Some(until) };
                (
                    OperationKind::UpdateLease,
                    serde_json::to_string(&asked).map_err(internal)?,
                )
            }
            AuditAct::Stop => {
                if server.state != ServerState::Running {
                    return Err(Code::StateConflict.into());
                }
                let asked = Power {
                    act: PowerAct::Stop,
                    hard: false,
                };
                (
                    OperationKind::StopServer,
                    serde_json::to_string(&asked).map_err(internal)?,
                )
            }
            AuditAct::Delete { name } => {
                if server.name != name.trim() {
                    return Err(Failure::new(Code::NameMismatch).with("name", &server.name));
                }
                (OperationKind::DeleteServer, "{}".to_owned())
            }
        };
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            kind,
            id,
            Some(server.id),
            server.name,
            None,
            request,
            detail,
        )
        .await
    }
}
