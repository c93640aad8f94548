//! A server is deleted.

use huaweicloud::JobId;
use huaweicloud::ecs;
use store::Stage;

use super::runner::{Done, Runner};
use super::{Detail, FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};

/// What goes with a temporary server: nothing of it is left to be billed.
pub(super) const WITH_EVERYTHING: ecs::DeleteWith = ecs::DeleteWith {
    public_ips: Some(true),
    volumes: true,
};

impl Wangcheng {
    /// Deletes a server with its disks and its public address. `name`: the server's name, as confirmed.
    ///
    /// # Errors
    /// `NameMismatch`, `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in
    /// which case nothing was sent.
    pub async fn delete_server(&self, server: &str, name: &str) -> Result<Operation> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        if server.name != name.trim() {
            return Err(Failure::new(Code::NameMismatch).with("name", &server.name));
        }
        let detail = Detail {
            lease_end: server.lease_end,
            ..Detail::of_server(&server)
        };
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            OperationKind::DeleteServer,
            id,
            Some(server.id),
            server.name,
            None,
            "{}".to_owned(),
            detail,
        )
        .await
    }
}

impl Runner {
    pub(super) async fn delete(&mut self) -> Result<Done> {
        let done = self.take_away().await?;
        let server = self.server_id()?;
        self.wangcheng.forget_key(server.as_str()).await;
        self.operation.detail.left = self.count_left(server.as_str()).await;
        Ok(done)
    }

    async fn take_away(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        if self.operation.row.stage == Stage::Recorded {
            let mut on_its_way = false;
            if self.resumed {
                match self.show(&server).await? {
                    None => return Ok(Done { at: self.cloud_now() }),
                    Some((told, _)) => on_its_way = told.task_state.as_deref() == Some("deleting"),
                }
            }
            if !on_its_way {
                let id = server.clone();
                let sent = self
                    .persist(|client, project| {
                        let ids = [id.clone()];
                        async move { ecs::delete_servers(&client, &project, &ids, WITH_EVERYTHING).await }
                    })
                    .await;
                match sent {
                    Ok(job) => {
                        self.mark_sent(Some(server.to_string()), Some(job.to_string()))
                            .await
                    }
                    // Gone already, for example because the first try came through and its answer did not.
                    Err(failure) if failure.code == Code::CloudMissing => {
                        return Ok(Done { at: self.cloud_now() });
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
        if let Some(job) = self.operation.row.job_id.clone() {
            self.follow_job(&JobId::from(job.as_str()), &server).await?;
        }
        let mut pause = FIRST_PAUSE;
        let mut settled_looks = 0;
        while let Some((told, at)) = self.show(&server).await? {
            if matches!(told.status.as_str(), "DELETED" | "SOFT_DELETED") {
                return Ok(Done { at });
            }
            // It is neither gone nor going: the deletion did not happen.
            settled_looks = if told.task_state.is_none() {
                settled_looks + 1
            } else {
                0
            };
            if settled_looks > 10 {
                return Err(Failure::new(Code::JobFailed)
                    .saying(told.fault.map_or(told.status, |fault| fault.message)));
            }
            self.progress(told.task_state.unwrap_or(told.status)).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
        Ok(Done { at: self.cloud_now() })
    }
}
