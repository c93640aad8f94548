//! What an owner has and has used: servers and disks as the cloud shows them now, whichever desktop made them; what is
//! under way here; hours and money of the month from the tally, which has the ledger's events and, where they were pulled,
//! everybody's.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use huaweicloud::{ecs, evs};
use rust_decimal::Decimal;

use super::document::Quota;
use super::quota::{Counted, Used, hours_left, month, month_days};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::create::tag_value;
use crate::failure::Result;
use crate::operations::{Operation, OperationKind};
use crate::servers::{Server, ServerState, TAG_ADOPTED, TAG_OPERATION, TAG_OWNER};
use crate::usage::{UsageCut, UsageTop};

/// Most servers of one owner in one month that are looked at.
const SERVERS_MOST: u32 = 1_000;

/// All servers and disks of a project.
pub(crate) struct Project {
    pub servers: Vec<ecs::Server>,
    pub volumes: Vec<evs::Volume>,
}

/// One owner's part of a project.
pub(crate) struct Share<'a> {
    pub servers: Vec<(&'a ecs::Server, Server)>,
    /// Disks of the owner that are on no server, in GB.
    pub loose_gb: u32,
    disks: BTreeMap<&'a str, u32>,
}

/// Whose a server is: whoever took it over, else whoever made it.
pub(crate) fn holder(row: &ecs::Server) -> Option<&str> {
    let adopted = row.tags.get(TAG_ADOPTED).filter(|id| !id.is_empty());
    adopted
        .map(String::as_str)
        .or_else(|| row.user_id.as_ref().map(|id| id.as_str()))
}

/// It is going, or gone.
pub(crate) fn is_going(row: &ecs::Server) -> bool {
    matches!(row.status.as_str(), "DELETED" | "SOFT_DELETED")
        || ServerState::from_cloud(&row.status, row.task_state.as_deref(), row.frozen)
            == ServerState::Deleting
}

impl Project {
    /// What is one owner's. `name`: as it stands in tags.
    pub fn of<'a>(&'a self, owner: &str, name: &str) -> Share<'a> {
        let servers: Vec<_> = self
            .servers
            .iter()
            .filter(|row| holder(row) == Some(owner) && !is_going(row))
            .map(|row| (row, Server::from_cloud(row, owner)))
            .collect();
        let (mut disks, mut loose_gb) = (BTreeMap::new(), 0_u32);
        for volume in &self.volumes {
            if volume.status == "deleting" {
                continue;
            }
            let gb = volume.size_gb.unwrap_or_default();
            let on = servers.iter().find(|(row, _)| {
                let attached = volume.attachments.iter().any(|one| one.server_id == row.id);
                attached || row.volumes.iter().any(|one| one.id == volume.id)
            });
            match on {
                Some((row, _)) => {
                    let sum: &mut u32 = disks.entry(row.id.as_str()).or_default();
                    *sum = sum.saturating_add(gb);
                }
                None if volume.attachments.is_empty() => {
                    let theirs = match (&volume.user_id, volume.tags.get(TAG_OWNER)) {
                        (Some(id), _) => id.as_str() == owner,
                        (None, tag) => tag.is_some_and(|tag| *tag == tag_value(name)),
                    };
                    if theirs {
                        loose_gb = loose_gb.saturating_add(gb);
                    }
                }
                None => {}
            }
        }
        Share {
            servers,
            loose_gb,
            disks,
        }
    }
}

impl Share<'_> {
    /// GB of the disks on a server.
    pub fn disk_gb(&self, server: &str) -> u32 {
        self.disks.get(server).copied().unwrap_or_default()
    }

    /// The servers, as a recount looks at them.
    pub fn counted(&self, now: DateTime<Utc>) -> Vec<Counted> {
        let servers = self.servers.iter().map(|(_, server)| Counted {
            id: server.id.clone(),
            created: server.created.unwrap_or(now),
            vcpus: server.vcpus.unwrap_or_default(),
            disk_gb: self.disk_gb(&server.id),
        });
        servers.collect()
    }

    /// Servers, processors and disks.
    pub fn used(&self) -> Used {
        let mut used = Used {
            disk_gb: self.loose_gb,
            ..Used::default()
        };
        for (_, server) in &self.servers {
            used.servers = used.servers.saturating_add(1);
            used.vcpus = used.vcpus.saturating_add(server.vcpus.unwrap_or_default());
            used.disk_gb = used.disk_gb.saturating_add(self.disk_gb(&server.id));
        }
        used
    }
}

/// Of a server that runs or is about to.
pub(crate) fn runs(state: ServerState) -> bool {
    !matches!(
        state,
        ServerState::Stopped | ServerState::Stopping | ServerState::Error | ServerState::Frozen
    )
}

impl Wangcheng {
    /// All servers and disks of the account's project, asked now.
    pub(crate) async fn whole_project(&self, live: &Live) -> Result<Project> {
        let client = self.client(live).await?;
        let project = live.project();
        let (all_servers, all_disks) = (ecs::ServerQuery::default(), evs::VolumeQuery::default());
        let (servers, volumes) = futures::try_join!(
            ecs::servers(&client, &project, &all_servers),
            evs::volumes(&client, &project, &all_disks),
        )?;
        live.tell_time(servers.server_time, self.now());
        Ok(Project {
            servers: servers.value.items,
            volumes: volumes.value.items,
        })
    }

    /// What the account's user has and has used. Hours and money are only worked out where the quota limits them.
    pub(super) async fn measure(&self, live: &Live, quota: &Quota, currency: &str) -> Result<Used> {
        let project = self.whole_project(live).await?;
        let account = &live.account;
        let share = project.of(&account.user_id, &account.user_name);
        let mut used = share.used();
        let now = live.cloud_now(self.now());
        let unsettled = self.ledger(|ledger| ledger.unsettled()).await?;
        let under_way: Vec<Operation> = unsettled
            .into_iter()
            .filter(|row| row.account == account.id)
            .filter_map(Operation::read)
            .collect();
        for operation in &under_way {
            add_under_way(&mut used, operation, &project, &share, now);
        }
        if quota.hours_month.is_some() || quota.money_month.is_some() {
            self.add_month(&mut used, live, &share, currency, now).await?;
        }
        Ok(used)
    }

    /// Hours and money of the month: what was, and what is promised.
    async fn add_month(
        &self,
        used: &mut Used,
        live: &Live,
        share: &Share<'_>,
        currency: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (from, to) = month_days(now);
        let cut = UsageCut {
            owners: vec![live.account.user_id.clone()],
            ..UsageCut::default()
        };
        let known = self
            .usage_servers(UsageTop {
                from,
                to,
                cut,
                limit: SERVERS_MOST,
                skip: 0,
            })
            .await?
            .servers;
        for server in &known {
            used.hours += server.running_hours;
            if server.currency == currency {
                used.money += server.cost;
            }
        }
        let costs = self.ledger(move |ledger| ledger.costs(now)).await?;
        let (first, _) = month(now);
        for (_, server) in &share.servers {
            let price = costs
                .iter()
                .find(|cost| cost.server_id == server.id && cost.currency == currency)
                .map(|cost| cost.per_hour);
            let since = server.created.unwrap_or(now).max(first);
            // Made elsewhere, and not pulled from the platform: it is taken to have run since.
            let untold = if known.iter().any(|one| one.server == server.id) {
                Decimal::ZERO
            } else {
                hours_left(since, Some(now), now)
            };
            let promised = hours_left(now, server.lease_end, now);
            used.hours += untold;
            if runs(server.state) {
                used.hours += promised;
            }
            match price {
                Some(price) => used.money += price * (untold + promised),
                None => used.unpriced = used.unpriced.saturating_add(1),
            }
        }
        Ok(())
    }
}

/// Adds what the cloud does not show yet.
fn add_under_way(
    used: &mut Used,
    operation: &Operation,
    project: &Project,
    share: &Share<'_>,
    now: DateTime<Utc>,
) {
    let detail = &operation.detail;
    let part_gb = detail.part.as_ref().and_then(|part| part.gb).unwrap_or_default();
    let server_id = operation.row.server_id.as_deref();
    match operation.kind {
        OperationKind::CreateServer => {
            let made = project.servers.iter().find(|row| {
                row.tags.get(TAG_OPERATION) == Some(&operation.row.id) || server_id == Some(row.id.as_str())
            });
            let shown_gb = made.map_or(0, |row| share.disk_gb(row.id.as_str()));
            used.disk_gb = used
                .disk_gb
                .saturating_add(detail.disk_gb.unwrap_or_default().saturating_sub(shown_gb));
            if made.is_none() {
                used.servers = used.servers.saturating_add(1);
                used.vcpus = used.vcpus.saturating_add(detail.vcpus.unwrap_or_default());
                let hours = hours_left(now, detail.lease_end, now);
                used.hours += hours;
                used.money += detail
                    .price
                    .as_ref()
                    .map_or(Decimal::ZERO, |price| price.amount * hours);
            }
        }
        OperationKind::AddDisk => {
            let made = project
                .volumes
                .iter()
                .any(|volume| volume.tags.get(TAG_OPERATION) == Some(&operation.row.id));
            if !made {
                used.disk_gb = used.disk_gb.saturating_add(part_gb);
            }
        }
        OperationKind::GrowDisk => {
            let id = detail.part.as_ref().and_then(|part| part.id.as_deref());
            let volume = project
                .volumes
                .iter()
                .find(|volume| Some(volume.id.as_str()) == id);
            let is = volume.and_then(|volume| volume.size_gb).unwrap_or(part_gb);
            used.disk_gb = used.disk_gb.saturating_add(part_gb.saturating_sub(is));
        }
        OperationKind::ResizeServer => {
            let is = share
                .servers
                .iter()
                .find(|(_, server)| Some(server.id.as_str()) == server_id);
            if let Some((_, server)) = is {
                let more = detail.vcpus.unwrap_or_default();
                let more = more.saturating_sub(server.vcpus.unwrap_or_default());
                used.vcpus = used.vcpus.saturating_add(more);
            }
        }
        _ => {}
    }
}
