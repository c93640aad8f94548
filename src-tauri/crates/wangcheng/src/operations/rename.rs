//! A server gets another name. The name that the guest itself goes by stays.

use huaweicloud::ecs;
use serde::{Deserialize, Serialize};

use super::runner::{Done, Runner};
use super::{Detail, Operation, OperationKind};
use crate::Wangcheng;
use crate::create::check_name;
use crate::failure::{Code, Failure, Result};

/// What is asked, as the ledger keeps it.
#[derive(Serialize, Deserialize)]
struct Rename {
    name: String,
}

impl Wangcheng {
    /// Gives a server another name.
    ///
    /// # Errors
    /// `NameInvalid`, `ServerUnknown`, `NotOwn`, `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in
    /// which case nothing was sent.
    pub async fn rename_server(&self, server: &str, name: &str) -> Result<Operation> {
        let name = check_name(name)?;
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        let detail = Detail::of_server(&server);
        let request =
            serde_json::to_string(&Rename { name }).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            OperationKind::RenameServer,
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

impl Runner {
    pub(super) async fn rename(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        let Rename { name } = self.asked()?;
        // The same name twice does no harm, so nothing has to be read before it is sent again.
        self.persist(|client, project| {
            let (server, name) = (server.clone(), name.clone());
            async move { ecs::update_server(&client, &project, &server, Some(&name), None).await }
        })
        .await?;
        self.mark_sent(Some(server.to_string()), None).await;
        Ok(Done { at: self.cloud_now() })
    }
}
