//! A security group is made that lets one address in to SSH, and nobody else to anything.
//!
//! The group is known by its name, which follows from the address, and by its rules. So whatever became of a try, the
//! next one reads what there is and adds only what is missing; a second asking for the same address finds it done.

use huaweicloud::vpc::{self, CreateSecurityGroupRule, Direction, Remote, SecurityGroup};
use huaweicloud::{Client, ProjectId, Rehearsal, SecurityGroupId};
use serde::{Deserialize, Serialize};

use super::rehearse::SECURITY_GROUP;
use super::runner::{Done, Runner};
use super::{Detail, FIRST_PAUSE, Operation, OperationKind};
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::networks::{Range, SSH};

/// How often a step is tried whose answer was lost.
const TRIES: usize = 10;

/// What is asked, as the ledger keeps it.
#[derive(Serialize, Deserialize)]
struct Admit {
    address: String,
}

impl Wangcheng {
    /// Makes a security group that admits SSH from one address (or a narrow range such as `203.0.113.0/24`) only, or
    /// finds the one that was made before.
    ///
    /// # Errors
    /// `AddressInvalid`, `AddressTooWide`, `NotSignedIn`; the ledger's, in which case nothing was sent.
    pub async fn admit_ssh(&self, address: &str) -> Result<Operation> {
        let range = Range::parse(address)?;
        let live = self.active().await?;
        let asked = Admit {
            address: range.to_string(),
        };
        let request = serde_json::to_string(&asked).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            &live,
            OperationKind::AdmitSsh,
            id,
            None,
            range.group_name(),
            None,
            request,
            Detail::default(),
        )
        .await
    }
}

impl Runner {
    pub(super) async fn admit(&mut self) -> Result<Done> {
        let Admit { address } = self.asked()?;
        let range = Range::parse(&address)?;
        for _ in 0..TRIES {
            let Some(group) = self.group_for(range).await? else {
                // Its answer may be lost; whether it is there is seen in the list.
                self.progress("SECURITY_GROUP".to_owned()).await;
                let name = range.group_name();
                let made = self
                    .persist_until_open(|client, project| {
                        let name = name.clone();
                        async move { vpc::create_security_group(&client, &project, &name, None).await }
                    })
                    .await;
                self.unless_open(made).await?;
                continue;
            };
            self.operation.detail.security_group = Some(group.id.to_string());
            self.mark_sent(None, None).await;
            if group.rules.iter().any(|rule| range.is_admitted_by(rule)) {
                self.live.forget_catalogue();
                return Ok(Done { at: self.cloud_now() });
            }
            self.progress("SECURITY_GROUP_RULE".to_owned()).await;
            let rule = rule(range, group.id);
            let made = self
                .persist_until_open(|client, project| {
                    let rule = rule.clone();
                    async move { vpc::create_security_group_rule(&client, &project, &rule).await }
                })
                .await;
            self.unless_open(made).await?;
        }
        Err(Code::OutcomeUnknown.into())
    }

    /// The first request, whether or not the group is there by now.
    pub(super) async fn rehearse_admission(&mut self) -> Result<()> {
        let Admit { address } = self.asked()?;
        let name = Range::parse(&address)?.group_name();
        self.persist_until_open(|client, project| {
            let name = name.clone();
            async move { vpc::create_security_group(&client, &project, &name, None).await }
        })
        .await
        .map(drop)
    }

    /// The rule of a group that is made first.
    pub(super) async fn rehearse_rule(
        &self,
        client: &Client,
        project: &ProjectId,
        rehearsal: &Rehearsal,
    ) -> Result<()> {
        let first = rehearsal.requests().pop();
        if first.is_some_and(|request| request.operation == "CreateSecurityGroup") {
            let Admit { address } = self.asked()?;
            let group = self.operation.detail.security_group.as_deref();
            let rule = rule(Range::parse(&address)?, group.unwrap_or(SECURITY_GROUP).into());
            let _ = vpc::create_security_group_rule(client, project, &rule).await;
        }
        Ok(())
    }

    async fn group_for(&mut self, range: Range) -> Result<Option<SecurityGroup>> {
        let groups = self
            .look(|client, project| async move { vpc::security_groups(&client, &project).await })
            .await?;
        Ok(groups.items.into_iter().find(|group| range.fits(group)))
    }

    /// A lost answer is no failure: what came of it is read next.
    async fn unless_open<T>(&mut self, result: Result<T>) -> Result<()> {
        match result {
            Err(failure) if failure.outcome_open => {
                tokio::time::sleep(FIRST_PAUSE).await;
                Ok(())
            }
            other => other.map(drop),
        }
    }
}

fn rule(range: Range, group: SecurityGroupId) -> CreateSecurityGroupRule {
    CreateSecurityGroupRule {
        group,
        direction: Direction::Ingress,
        ipv6: range.is_v6(),
        protocol: Some("tcp".to_owned()),
        ports: Some((SSH, SSH)),
        remote: Remote::Range(range.to_string()),
        description: None,
    }
}
