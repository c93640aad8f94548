//! A server is made.

use chrono::TimeDelta;
use huaweicloud::ecs;
use huaweicloud::{JobId, ServerId};
use store::Stage;

use super::runner::{Done, Runner};
use super::{Detail, FIRST_PAUSE, LONGEST_PAUSE, Operation, OperationKind};
use crate::create::{CreateServer, PricePartKind, total};
use crate::failure::{Code, Failure, Result};
use crate::login::Fresh;
use crate::servers::{AddressKind, Server, TAG_OPERATION};
use crate::{Wangcheng, create};

/// How long the cloud remembers a client token (<https://support.huaweicloud.com/api-ecs/zh-cn_topic_0000001105258814.html>),
/// less an hour.
const TOKEN_LIVES: TimeDelta = TimeDelta::hours(7);
/// How often a server is looked for by its tag before nobody knows what became of it; some eight seconds in all.
const TAG_LOOKS: u32 = 5;

impl Wangcheng {
    /// Asks for a server. Answers as soon as the wish is recorded; follow the changes for the rest.
    ///
    /// # Errors
    /// The first thing that stands in the way (see [`Wangcheng::quote`]); `NotSignedIn`; the cloud's to the questions
    /// asked before; the ledger's, in which case nothing was sent.
    pub async fn create_server(&self, ask: &CreateServer) -> Result<Operation> {
        let live = self.active().await?;
        let catalogue = self.catalogue_of(&live).await?;
        let (_, plan, problems) = create::plan(ask, &catalogue, live.cloud_now(self.now()));
        let Some(plan) = plan else {
            let first = problems.into_iter().find(|problem| problem.blocking);
            return Err(first.map_or(Code::BadInput.into(), |problem| problem.failure));
        };
        // What the hour costs belongs into the event; that it cannot be had does not keep anybody from working.
        let hours = create::hours_until(plan.lease_end, live.cloud_now(self.now()));
        let parts = self.prices(&live, &plan, hours).await.unwrap_or_default();
        let price = total(&parts);
        // What a stopped server goes on to cost.
        let of = |kinds: &[PricePartKind]| {
            let parts = parts.iter().filter(|part| kinds.contains(&part.part));
            price
                .as_ref()
                .map(|_| parts.map(|part| part.per_hour.amount).sum())
        };
        let price_disk = of(&[PricePartKind::SystemDisk, PricePartKind::DataDisk]);
        let price_address = of(&[PricePartKind::PublicAddress]);
        let wish = plan.wish(price.as_ref(), live.cloud_now(self.now()));
        self.granted(&live, OperationKind::CreateServer, None, &wish)
            .await?;
        let id = uuid::Uuid::now_v7().to_string();
        let fresh = if plan.fresh_key {
            Some(Fresh::make(&plan.name)?)
        } else {
            None
        };
        let user_data = fresh
            .as_ref()
            .map(|fresh| fresh.user_data(plan.template.environment, plan.own_text.as_deref()))
            .transpose()?;
        let host_key = fresh.as_ref().map(|fresh| fresh.host.clone());
        let body = plan
            .body(&live.account, self.inner.ledger.installation_id(), &id, user_data)
            .body();
        let body = String::from_utf8(body.to_vec()).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let disks = [Some(plan.system_disk_gb()), plan.template.data_disk_gb];
        let detail = Detail {
            template: Some(plan.template.id.clone()),
            purpose: Some(plan.purpose.clone()).filter(|purpose| !purpose.is_empty()),
            flavor: Some(plan.flavor.id.clone()),
            vcpus: Some(plan.flavor.vcpus),
            ram_mb: Some(plan.flavor.ram_mb),
            image: Some(plan.image.name.clone()),
            os: plan.image.os.clone(),
            disk_gb: Some(disks.iter().flatten().sum()),
            disk_count: u32::try_from(disks.iter().flatten().count()).ok(),
            bandwidth_mbps: Some(plan.public_mbps).filter(|mbps| *mbps > 0),
            lease_end: Some(plan.lease_end),
            price,
            price_disk,
            price_address,
            charged_when_stopped: Some(plan.flavor.charged_when_stopped),
            host_key,
            ..Detail::default()
        };
        // Kept before the wish is: a server that nobody can log in to is worse than a key without a server.
        if let Some(fresh) = fresh {
            self.keep_fresh_keys(&live, &id, fresh).await?;
        }
        let token = Some(uuid::Uuid::new_v4().to_string());
        self.record(
            &live,
            OperationKind::CreateServer,
            id,
            None,
            plan.name,
            token,
            body,
            detail,
        )
        .await
    }
}

impl Runner {
    pub(super) async fn create(&mut self) -> Result<Done> {
        let made = self.make_within_grant().await;
        if made.is_ok() {
            self.mark_parts_of_new().await;
        }
        if self.operation.detail.host_key.is_some() {
            match (&made, self.operation.row.server_id.clone()) {
                (Ok(_), server) => self.keep_key(server.as_deref().unwrap_or_default()).await,
                // Who knows what became of it may still need the key.
                (Err(failure), _) if failure.code == Code::OutcomeUnknown => {}
                (Err(_), server) => {
                    self.wangcheng.forget_key(&self.id).await;
                    if let Some(server) = server {
                        self.wangcheng.forget_key(&server).await;
                    }
                }
            }
        }
        made
    }

    async fn keep_key(&self, server: &str) {
        if let Err(failure) = self.wangcheng.hand_over_key(&self.live, &self.id, server).await {
            tracing::warn!(operation = %self.id, %failure, "the server's key stays under its operation");
        }
    }

    pub(super) async fn make(&mut self) -> Result<Done> {
        if self.operation.row.stage == Stage::Recorded {
            let too_old = self.wangcheng.now() - self.operation.row.recorded_at > TOKEN_LIVES;
            if self.resumed && too_old {
                self.find_by_tag().await?;
            } else {
                self.send_create().await?;
            }
        }
        let server = self.server_id()?;
        if let Some(job) = self.operation.row.job_id.clone() {
            self.follow_job(&JobId::from(job.as_str()), &server).await?;
        }
        self.wait_until_made(&server).await
    }

    pub(super) async fn send_create(&mut self) -> Result<()> {
        let mut body = self.operation.row.request.clone();
        // A rehearsal shows the blank instead of the host's private key.
        if self.operation.detail.host_key.is_some() && self.wangcheng.rehearsal.is_none() {
            match self.wangcheng.fill_host_key(&self.id, &body).await {
                Ok(filled) => body = filled,
                // Other bytes would not be the same wish any more.
                Err(failure) if self.resumed => {
                    tracing::warn!(operation = %self.id, %failure, "cannot be sent again without its keys");
                    return self.find_by_tag().await;
                }
                Err(failure) => return Err(failure),
            }
        }
        let token = self
            .operation
            .row
            .client_token
            .as_deref()
            .and_then(|token| token.parse().ok());
        let Some(token) = token else {
            return Err(Failure::new(Code::Internal).saying("the operation has no client token"));
        };
        let made = self
            .persist(|client, project| {
                let body = body.clone();
                async move { ecs::create_raw(&client, &project, body.into(), token).await }
            })
            .await?;
        let Some(server) = made.server_ids.first() else {
            return Err(Failure::new(Code::BadAnswer).saying("no server id in the answer"));
        };
        self.mark_sent(Some(server.to_string()), made.job_id.map(String::from))
            .await;
        Ok(())
    }

    /// The creation cannot be sent again, so the server is looked for by the tag it was made with. A request of the run
    /// before may still be on its way, and a list is slow to show what is new, so one empty look says nothing.
    async fn find_by_tag(&mut self) -> Result<()> {
        let tag = (TAG_OPERATION.to_owned(), self.id.clone());
        let mut pause = FIRST_PAUSE;
        for look in 1..=TAG_LOOKS {
            let rows = self
                .look(|client, project| {
                    let tag = tag.clone();
                    async move {
                        let query = ecs::ServerQuery {
                            tags: vec![tag],
                            ..Default::default()
                        };
                        ecs::servers(&client, &project, &query).await
                    }
                })
                .await?;
            let made = rows
                .items
                .iter()
                .find(|server| server.tags.get(TAG_OPERATION) == Some(&self.id));
            if let Some(server) = made {
                self.mark_sent(Some(server.id.to_string()), None).await;
                return Ok(());
            }
            if look < TAG_LOOKS {
                tokio::time::sleep(pause).await;
                pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            }
        }
        Err(Code::OutcomeUnknown.into())
    }

    /// The job said yes; the server itself says when it can be used.
    async fn wait_until_made(&mut self, server: &ServerId) -> Result<Done> {
        let mut pause = FIRST_PAUSE;
        loop {
            let told = self.show(server).await?;
            let Some((server, at)) = told else {
                return Err(Code::JobFailed.into());
            };
            let task = server.task_state.clone();
            self.progress(task.clone().unwrap_or_else(|| server.status.clone()))
                .await;
            let view = Server::from_cloud(&server, &self.live.account.user_id);
            if server.status == "ERROR" {
                let fault = server.fault.map(|fault| fault.message).unwrap_or_default();
                return Err(Failure::new(Code::JobFailed).saying(fault));
            }
            if server.status == "ACTIVE" && task.is_none() {
                let detail = &mut self.operation.detail;
                detail.lease_end = view.lease_end;
                let public = view
                    .addresses
                    .iter()
                    .find(|address| address.kind == AddressKind::Public);
                detail.eip = public.map(|address| address.address.clone());
                return Ok(Done { at });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}
