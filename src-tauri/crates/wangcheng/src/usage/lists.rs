//! What lies behind the sums: owners, servers, their time, their events.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use store::Tally;
use store::tally::{Ask, PerServer, ServerRow};
use ts_rs::TS;

use super::ask::{Compared, UsageAsk, UsageTop};
use super::shares::{MONEY, decimal, hours, rounded};
use super::summary::{Shared, UsageRank, ranks};
use crate::Wangcheng;
use crate::failure::Result;

const OWNERS_MOST: u32 = 10_000;
const SERVERS_MOST: u32 = 1_000;
const ROWS_MOST: u32 = 500;
/// How many servers are read at once where all of them are gone through.
const PAGE: usize = 50_000;

/// All owners, dearest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageOwners {
    /// The owners; where there are more, the rest is the last line.
    pub owners: Vec<UsageRank>,
    /// How many there are.
    #[ts(type = "number")]
    pub count: u64,
    /// Of all money.
    pub currency: String,
    /// Up to when it is counted.
    pub as_of: DateTime<Utc>,
}

/// One server, as far as it lies in the days asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageServer {
    /// Its id.
    pub server: String,
    /// Its name; empty where nobody told it.
    pub name: String,
    /// Id of its owner.
    pub owner_id: String,
    /// Name of its owner.
    pub owner: String,
    /// The flavor that it had last.
    pub flavor: String,
    /// Where it is.
    pub region: String,
    /// What it is for.
    pub purpose: String,
    /// What it was made from.
    pub template: String,
    /// When it began.
    pub began: Option<DateTime<Utc>>,
    /// When it ended; none while it is there.
    pub ended: Option<DateTime<Utc>>,
    /// Nobody told how it began.
    pub assumed_beginning: bool,
    /// Nobody told that it ended.
    pub assumed_end: bool,
    /// Hours of existence in the days asked for.
    #[ts(type = "string")]
    pub hours: Decimal,
    /// Hours of running.
    #[ts(type = "string")]
    pub running_hours: Decimal,
    /// Disk space × hours.
    #[ts(type = "string")]
    pub disk_gb_hours: Decimal,
    /// Money.
    #[ts(type = "string")]
    pub cost: Decimal,
    /// Of the money; empty where no price is known.
    pub currency: String,
}

/// Servers, dearest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageServers {
    /// The dearest ones.
    pub servers: Vec<UsageServer>,
    /// How many there are.
    #[ts(type = "number")]
    pub count: u64,
    /// Up to when it is counted.
    pub as_of: DateTime<Utc>,
}

/// Goes through all servers of a question. It reads the disk: not for where nothing may block.
#[derive(Debug)]
pub struct AllServers {
    tally: Tally,
    ask: Ask,
    now: DateTime<Utc>,
    seen: usize,
    page: std::vec::IntoIter<PerServer>,
}

impl Iterator for AllServers {
    type Item = Result<UsageServer>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(next) = self.page.next() {
            return Some(Ok(server(next)));
        }
        match self.tally.servers(&self.ask, self.now, self.seen, PAGE) {
            Ok((page, _)) => {
                self.seen += page.len();
                self.page = page.into_iter();
                self.page.next().map(|next| Ok(server(next)))
            }
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// Time in which a server was one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageStretch {
    /// From.
    pub from: DateTime<Utc>,
    /// To.
    pub to: DateTime<Utc>,
    /// It ran.
    pub runs: bool,
    /// With this flavor.
    pub flavor: String,
}

/// One row of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageRow {
    /// Id of the server.
    pub server: String,
    /// Its name.
    pub name: String,
    /// Id of its owner.
    pub owner_id: String,
    /// Name of its owner.
    pub owner: String,
    /// When it began, perhaps before the days asked for.
    pub began: Option<DateTime<Utc>>,
    /// When it ended, perhaps after them.
    pub ended: Option<DateTime<Utc>>,
    /// Nobody told that it ended.
    pub assumed_end: bool,
    /// Inside the days asked for, in order.
    pub stretches: Vec<UsageStretch>,
}

/// When each server was there and ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageTimeline {
    /// Those that came first on top.
    pub rows: Vec<UsageRow>,
    /// How many there are.
    #[ts(type = "number")]
    pub count: u64,
    /// Up to when it is counted.
    pub as_of: DateTime<Utc>,
}

/// One event of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageEvent {
    /// Its id.
    pub event_id: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// What.
    pub action: String,
    /// `ok`, `failed` or `refused`.
    pub outcome: String,
    /// Who.
    pub owner: String,
    /// Flavor that it tells; empty: none.
    pub flavor: String,
    /// Disk space that it tells.
    #[ts(type = "number | null")]
    pub disk_gb: Option<i64>,
    /// Price of an hour that it tells.
    #[ts(type = "string | null")]
    pub price_per_hour: Option<Decimal>,
    /// Of the price.
    pub currency: String,
    /// End of the lease that it tells.
    pub lease_end: Option<DateTime<Utc>>,
    /// Why.
    pub cause: String,
    /// The source that told it first.
    pub source: String,
}

/// What can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UsageChoices {
    /// Ids and names of owners.
    pub owners: Vec<(String, String)>,
    /// Flavors. In each list an empty word stands for what has none.
    pub flavors: Vec<String>,
    /// Regions.
    pub regions: Vec<String>,
    /// Purposes.
    pub purposes: Vec<String>,
    /// Templates.
    pub templates: Vec<String>,
    /// Currencies.
    pub currencies: Vec<String>,
}

impl Wangcheng {
    /// Owners, dearest first.
    ///
    /// # Errors
    /// `BadInput` for days that are none; as the ledger's.
    pub async fn usage_owners(&self, top: UsageTop) -> Result<UsageOwners> {
        let mut compared = Compared::of(&top.cut, top.from, top.to)?;
        let most = top.limit.clamp(1, OWNERS_MOST) as usize;
        self.counted(move |counted| {
            let (sums, before) = compared.sums(counted.tally, counted.now)?;
            let before = before.map_or_else(Vec::new, |before| before.owners);
            let (owners, count) = ranks(&sums, &Shared::of(&sums), &sums.owners, &before, most);
            Ok(UsageOwners {
                owners,
                count: count as u64,
                currency: sums.currency.clone(),
                as_of: counted.now,
            })
        })
        .await
    }

    /// Servers, dearest first.
    ///
    /// # Errors
    /// `BadInput` for days that are none; as the ledger's.
    pub async fn usage_servers(&self, top: UsageTop) -> Result<UsageServers> {
        let ask = top.cut.ask(top.from, top.to)?;
        let (skip, most) = (top.skip as usize, top.limit.clamp(1, SERVERS_MOST) as usize);
        self.counted(move |counted| {
            let (servers, count) = counted.tally.servers(&ask, counted.now, skip, most)?;
            Ok(UsageServers {
                servers: servers.into_iter().map(server).collect(),
                count,
                as_of: counted.now,
            })
        })
        .await
    }

    /// All servers, dearest first, however many there are. They are read as they are gone through, all as of now.
    ///
    /// # Errors
    /// `BadInput` for days that are none; as the ledger's.
    pub async fn usage_all_servers(&self, ask: UsageAsk) -> Result<AllServers> {
        let asked = ask.cut.ask(ask.from, ask.to)?;
        self.counted(move |counted| {
            Ok(AllServers {
                tally: counted.tally.snapshot()?,
                ask: asked,
                now: counted.now,
                seen: 0,
                page: Vec::new().into_iter(),
            })
        })
        .await
    }

    /// When servers were there and ran.
    ///
    /// # Errors
    /// `BadInput` for days that are none; as the ledger's.
    pub async fn usage_timeline(&self, top: UsageTop) -> Result<UsageTimeline> {
        let ask = top.cut.ask(top.from, top.to)?;
        let (skip, most) = (top.skip as usize, top.limit.clamp(1, ROWS_MOST) as usize);
        self.counted(move |counted| {
            let (rows, count) = counted.tally.timeline(&ask, counted.now, skip, most)?;
            let rows = rows.into_iter().map(|row| {
                let ServerRow {
                    server_id,
                    name,
                    owner_id,
                    owner,
                    began,
                    ended,
                    assumed_end,
                    ..
                } = row.server;
                let stretches = row
                    .stretches
                    .into_iter()
                    .map(|(from, to, runs, flavor)| UsageStretch {
                        from,
                        to,
                        runs,
                        flavor,
                    });
                UsageRow {
                    server: server_id,
                    name,
                    owner_id,
                    owner,
                    began,
                    ended,
                    assumed_end,
                    stretches: stretches.collect(),
                }
            });
            Ok(UsageTimeline {
                rows: rows.collect(),
                count,
                as_of: counted.now,
            })
        })
        .await
    }

    /// What was told of one server, in order; the first two thousand.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn usage_events(&self, server: String) -> Result<Vec<UsageEvent>> {
        self.counted(move |counted| {
            let facts = counted.tally.facts(&server)?.into_iter();
            Ok(facts
                .map(|fact| UsageEvent {
                    event_id: fact.event_id,
                    time: fact.time,
                    action: fact.action,
                    outcome: fact.outcome.as_str().to_owned(),
                    owner: fact.owner,
                    flavor: fact.flavor,
                    disk_gb: fact.disk_gb,
                    price_per_hour: fact.price.map(|price| Decimal::new(price, 9).normalize()),
                    currency: fact.currency,
                    lease_end: fact.lease_end,
                    cause: fact.cause,
                    source: fact.source,
                })
                .collect())
        })
        .await
    }

    /// What can be asked for.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn usage_choices(&self) -> Result<UsageChoices> {
        self.counted(|counted| {
            let names = counted.tally.names()?;
            Ok(UsageChoices {
                owners: names.owners,
                flavors: names.flavors,
                regions: names.regions,
                purposes: names.purposes,
                templates: names.templates,
                currencies: names.currencies,
            })
        })
        .await
    }
}

fn server(one: PerServer) -> UsageServer {
    let ServerRow {
        server_id,
        name,
        owner_id,
        owner,
        flavor,
        region,
        purpose,
        template,
        began,
        ended,
        assumed_beginning,
        assumed_end,
    } = one.server;
    UsageServer {
        server: server_id,
        name,
        owner_id,
        owner,
        flavor,
        region,
        purpose,
        template,
        began,
        ended,
        assumed_beginning,
        assumed_end,
        hours: decimal(hours(one.amounts.exists_ms.into())),
        running_hours: decimal(hours(one.amounts.running_ms.into())),
        disk_gb_hours: decimal(hours(one.amounts.disk_gb_ms)),
        cost: decimal(rounded(one.amounts.cost(), MONEY)),
        currency: one.currency,
    }
}
