//! What is left of a server that is gone is removed.

use std::sync::Arc;
use std::time::Duration;

use huaweicloud::{PublicIpId, eip};
use serde::{Deserialize, Serialize};

use super::runner::{Done, Runner};
use super::{Operation, OperationKind, Part};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::leftovers::{Leftover, LeftoverKind, LeftoverRef};

/// How long a deletion that is done waits to learn what it left.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// What is asked, as the ledger keeps it.
#[derive(Serialize, Deserialize)]
struct Release {
    address: String,
}

impl Wangcheng {
    /// Removes leftovers, each confirmed by its name or address: one result each, in the order asked. What exactly is a
    /// leftover is looked up anew, so that nothing is removed that somebody uses by now.
    ///
    /// # Errors
    /// `NotSignedIn`; what the cloud says to the look. A single one is refused with `LeftoverUnknown`, `NameMismatch` or
    /// `ServerBusy`, or for what the ledger says, in which case nothing was sent for it.
    pub async fn remove_leftovers(
        &self,
        asked: Vec<LeftoverRef>,
    ) -> Result<Vec<(LeftoverRef, Result<Operation>)>> {
        let live = self.active().await?;
        let found = self.sweep(&live).await?;
        let mut results = Vec::with_capacity(asked.len());
        for one in asked {
            let leftover = found.items.iter().map(|(leftover, _)| leftover);
            let result = match leftover
                .clone()
                .find(|left| left.kind == one.kind && left.id == one.id)
            {
                None => Err(Failure::new(Code::LeftoverUnknown).with("name", &one.name)),
                Some(left) if left.name != one.name.trim() => {
                    Err(Failure::new(Code::NameMismatch).with("name", &left.name))
                }
                Some(left) => self.remove_leftover(&live, left).await,
            };
            results.push((one, result));
        }
        Ok(results)
    }

    async fn remove_leftover(&self, live: &Arc<Live>, left: &Leftover) -> Result<Operation> {
        let part = Part {
            id: Some(left.id.clone()),
            name: left.name.clone(),
            kind: left.disk_type.clone(),
            gb: left.size_gb,
            server: left.server.clone(),
            ..Part::default()
        };
        match left.kind {
            LeftoverKind::Disk => self.delete_left_disk(live, part, left.id.clone()).await,
            LeftoverKind::PublicAddress => {
                let request = serde_json::to_string(&Release {
                    address: left.id.clone(),
                })
                .map_err(|e| Failure::new(Code::Internal).saying(e))?;
                self.record_part(live, OperationKind::ReleaseAddress, None, part, request)
                    .await
            }
        }
    }
}

impl Runner {
    /// Gives a public address back. It is refused while it is bound, so that asking twice does no harm.
    pub(super) async fn release_address(&mut self) -> Result<Done> {
        let asked: Release = serde_json::from_str(&self.operation.row.request)
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        let id = PublicIpId::from(asked.address.as_str());
        let sent = self
            .persist(|client, project| {
                let id = id.clone();
                async move { eip::delete(&client, &project, &id).await }
            })
            .await;
        match sent {
            Ok(()) => Ok(Done { at: self.cloud_now() }),
            // Gone already, for example because the first try came through and its answer did not.
            Err(failure) if failure.code == Code::CloudMissing => Ok(Done { at: self.cloud_now() }),
            Err(failure) => Err(failure),
        }
    }

    /// How many parts of a server are left after its deletion; nothing where that cannot be found out at once.
    pub(super) async fn count_left(&self, server: &str) -> Option<u32> {
        let sweep = tokio::time::timeout(LONGEST_LOOK, self.wangcheng.sweep(&self.live));
        let found = sweep.await.ok()?.ok()?;
        let left = found
            .items
            .iter()
            .filter(|(left, _)| left.server.as_deref() == Some(server));
        u32::try_from(left.count()).ok().filter(|left| *left > 0)
    }
}
