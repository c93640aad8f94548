//! What an owner has and has used: servers and disks as the cloud shows them now, whichever desktop made them; what is
//! under way here; hours and money of the month from the tally, which has the ledger's events and, where they were pulled,
//! everybody's.

use chrono::{DateTime, Utc};
use huaweicloud::{ecs, evs};
use rust_decimal::Decimal;

use super::document::Quota;
use super::growth::Growth;
use super::quota::{Counted, Used, hours_left, month, month_days};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::create::tag_value;
use crate::disks::made_with;
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
    disks: Vec<Disk<'a>>,
}

/// A disk of the owner, or on a server of theirs.
struct Disk<'a> {
    volume: &'a evs::Volume,
    on: Option<&'a str>,
    /// It came after its server, by an act of its own.
    later: bool,
    /// What it is about to grow to, and since when.
    growth: Option<Growth>,
}

impl Disk<'_> {
    fn gb(&self) -> u32 {
        let gb = self.volume.size_gb.unwrap_or_default();
        self.growth.as_ref().map_or(gb, |growth| growth.to_gb.max(gb))
    }
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
    /// What is one owner's. `name`: as it stands in tags; `now`: by the cloud.
    pub fn of<'a>(&'a self, owner: &str, name: &str, now: DateTime<Utc>) -> Share<'a> {
        let servers: Vec<_> = self
            .servers
            .iter()
            .filter(|row| holder(row) == Some(owner) && !is_going(row))
            .map(|row| (row, Server::from_cloud(row, owner)))
            .collect();
        let disks = self.volumes.iter().filter(|volume| volume.status != "deleting");
        let disks = disks.filter_map(|volume| {
            let on = servers.iter().find(|(row, _)| {
                let attached = volume.attachments.iter().any(|one| one.server_id == row.id);
                attached || row.volumes.iter().any(|one| one.id == volume.id)
            });
            let theirs = match (&volume.user_id, volume.tags.get(TAG_OWNER)) {
                (Some(id), _) => id.as_str() == owner,
                (None, tag) => tag.is_some_and(|tag| *tag == tag_value(name)),
            };
            if on.is_none() && !(volume.attachments.is_empty() && theirs) {
                return None;
            }
            let later = on.is_none_or(|(row, _)| came_later(row, volume));
            Some(Disk {
                volume,
                on: on.map(|(row, _)| row.id.as_str()),
                later,
                growth: Growth::of(volume, now),
            })
        });
        let disks = disks.collect();
        Share { servers, disks }
    }
}

/// It was added by an act of its own, however soon after.
fn came_later(server: &ecs::Server, volume: &evs::Volume) -> bool {
    let by = volume.tags.get(TAG_OPERATION);
    !made_with(server, volume) || by.is_some_and(|by| server.tags.get(TAG_OPERATION) != Some(by))
}

impl Share<'_> {
    /// GB of the disks on a server.
    pub fn disk_gb(&self, server: &str) -> u32 {
        let on = self.disks.iter().filter(|disk| disk.on == Some(server));
        on.fold(0, |sum, disk| sum.saturating_add(disk.gb()))
    }

    /// Whether a server or a disk is on its way that was asked for before `moment`, so that what it comes to is not seen yet.
    pub fn is_coming(&self, but: &str, moment: DateTime<Utc>) -> bool {
        let before = |created: Option<DateTime<Utc>>| created.is_none_or(|created| created <= moment);
        let mut servers = self.servers.iter().map(|(_, server)| server);
        servers
            .any(|server| server.id != but && server.state == ServerState::Creating && before(server.created))
    }

    /// Everything, as a recount looks at it.
    pub fn counted(&self, now: DateTime<Utc>) -> Vec<Counted> {
        let servers = self.servers.iter().map(|(_, server)| {
            let with = self
                .disks
                .iter()
                .filter(|disk| disk.on == Some(server.id.as_str()) && !disk.later);
            let sizes = with.map(|disk| disk.volume.size_gb.unwrap_or_default());
            Counted {
                id: server.id.clone(),
                created: server.created.unwrap_or(now),
                servers: 1,
                vcpus: server.vcpus.unwrap_or_default(),
                disk_gb: sizes.fold(0, u32::saturating_add),
                on: None,
            }
        });
        let disks = self.disks.iter().filter(|disk| disk.later).map(|disk| Counted {
            id: disk.volume.id.to_string(),
            created: disk.volume.created.unwrap_or(now),
            disk_gb: disk.volume.size_gb.unwrap_or_default(),
            on: disk.on.map(str::to_owned),
            ..Counted::default()
        });
        let growing = self.disks.iter().filter_map(|disk| {
            let growth = disk.growth.as_ref()?;
            Some(Counted {
                id: Counted::growth_of(disk.volume.id.as_str()),
                created: growth.since,
                disk_gb: disk.gb().saturating_sub(disk.volume.size_gb.unwrap_or_default()),
                on: disk.on.map(str::to_owned),
                ..Counted::default()
            })
        });
        servers.chain(disks).chain(growing).collect()
    }

    /// Servers, processors and disks.
    pub fn used(&self) -> Used {
        let mut used = Used::default();
        for disk in &self.disks {
            used.disk_gb = used.disk_gb.saturating_add(disk.gb());
        }
        for (_, server) in &self.servers {
            used.servers = used.servers.saturating_add(1);
            used.vcpus = used.vcpus.saturating_add(server.vcpus.unwrap_or_default());
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
        let now = live.cloud_now(self.now());
        let share = project.of(&account.user_id, &account.user_name, now);
        let mut used = share.used();
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
            // What is claimed is counted already, for every program.
            let claimed = volume.is_some_and(|volume| Growth::of(volume, now).is_some());
            let is = volume.and_then(|volume| volume.size_gb).filter(|_| !claimed);
            let is = is.unwrap_or(part_gb);
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
