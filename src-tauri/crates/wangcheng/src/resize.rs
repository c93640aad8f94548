//! Which flavors a server can change to, and what it would cost from then on.

use chrono::{DateTime, Utc};
use huaweicloud::bss::{self, Product};
use huaweicloud::{Client, ErrorKind, ZoneId, ecs, eip, evs};
use rust_decimal::Decimal;
use serde::Serialize;
use ts_rs::TS;

use crate::Wangcheng;
use crate::catalogue::Use;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::money::Money;
use crate::servers::{Server, ServerState};

/// Most products whose prices one question asks for.
const PRICED_AT_ONCE: usize = 100;

/// A flavor that a server can change to.
#[derive(Debug, Clone)]
pub struct ResizeOption {
    /// Flavor id.
    pub flavor: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub ram_mb: u64,
    /// What the whole server costs an hour with it: an estimate, of disks and public address too.
    pub per_hour: Option<Money>,
    /// How much that is more than now; below zero: less.
    pub more_per_hour: Option<Money>,
    /// Why it cannot be had now: `Capacity`, `QuotaReached`.
    pub problem: Option<Failure>,
}

/// What a server can be changed to.
#[derive(Debug, Clone)]
pub struct ResizeOptions {
    /// What it is now.
    pub now: ResizeNow,
    /// The flavors that the cloud allows for it, smallest first.
    pub options: Vec<ResizeOption>,
    /// Why prices are not known.
    pub price_problem: Option<Failure>,
}

/// What a server is before its size is changed.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ResizeNow {
    /// Server id.
    pub server: String,
    /// Its name.
    pub name: String,
    /// Flavor id.
    pub flavor: String,
    /// Virtual processors.
    pub vcpus: Option<u32>,
    /// Memory in MiB.
    #[ts(type = "number | null")]
    pub ram_mb: Option<u64>,
    /// What the whole server costs an hour: an estimate.
    pub per_hour: Option<Money>,
    /// It runs, and has to be stopped for the change; it is started again afterwards.
    pub needs_stop: bool,
    /// By the cloud's clock.
    pub as_of: DateTime<Utc>,
}

impl Wangcheng {
    /// The flavors that a server can change to, with prices.
    ///
    /// # Errors
    /// `ResizeImpossible` when its kind of payment does not admit it; `ServerUnknown`, `NotOwn`, `NotSignedIn`; what
    /// the cloud says. That prices cannot be had stands in the answer.
    pub async fn resize_options(&self, server: &str) -> Result<ResizeOptions> {
        let live = self.active().await?;
        let told = self.told_server(&live, server).await?;
        let server = Self::changeable(&live, &told)?;
        self.resize_options_of(&live, &told, &server).await
    }

    pub(crate) async fn resize_options_of(
        &self,
        live: &Live,
        told: &ecs::Server,
        server: &Server,
    ) -> Result<ResizeOptions> {
        if matches!(told.charging, ecs::Charging::Spot | ecs::Charging::Period) {
            return Err(Failure::new(Code::ResizeImpossible).with("name", &server.name));
        }
        let client = self.client(live).await?;
        let project = live.project();
        let (flavors, limits) = futures::try_join!(
            ecs::resize_flavors(&client, &project, &told.id),
            ecs::limits(&client, &project),
        )?;
        let left: Use = limits.value.vcpus.into();
        let zone = told.zone.clone().unwrap_or_else(|| ZoneId::from(""));
        let mut options: Vec<ResizeOption> = flavors
            .value
            .items
            .iter()
            .filter(|flavor| flavor.on_demand && flavor.id.as_str() != server.flavor)
            .map(|flavor| {
                let more = flavor.vcpus.saturating_sub(server.vcpus.unwrap_or(0));
                let problem = if !flavor.sale_in(&zone).is_open() {
                    Some(Code::Capacity.into())
                } else if more > 0 && !left.admits(more) {
                    Some(crate::create::quota("vCPU", left))
                } else {
                    None
                };
                ResizeOption {
                    flavor: flavor.id.to_string(),
                    vcpus: flavor.vcpus,
                    ram_mb: flavor.ram_mb,
                    per_hour: None,
                    more_per_hour: None,
                    problem,
                }
            })
            .collect();
        options.sort_by(|a, b| (a.vcpus, a.ram_mb, &a.flavor).cmp(&(b.vcpus, b.ram_mb, &b.flavor)));
        let mut now = ResizeNow {
            server: server.id.clone(),
            name: server.name.clone(),
            flavor: server.flavor.clone(),
            vcpus: server.vcpus,
            ram_mb: server.ram_mb,
            per_hour: None,
            needs_stop: server.state == ServerState::Running,
            as_of: limits.server_time.unwrap_or_else(|| self.now()),
        };
        let priced = self
            .price_sizes(live, &client, told, &mut now, &mut options)
            .await;
        let price_problem = priced.err().map(|failure| {
            let mut unknown = Failure::new(Code::PriceUnknown).saying(&failure);
            unknown.provider_code = failure.provider_code;
            unknown.request_id = failure.request_id;
            unknown
        });
        Ok(ResizeOptions {
            now,
            options,
            price_problem,
        })
    }

    /// Fills in the prices of the whole server, with its present flavor and with each other.
    async fn price_sizes(
        &self,
        live: &Live,
        client: &Client,
        told: &ecs::Server,
        now: &mut ResizeNow,
        options: &mut [ResizeOption],
    ) -> Result<()> {
        let windows = told.image.os_type.as_deref() == Some("Windows");
        let sized = |flavor: &str| Product::Server {
            flavor: flavor.into(),
            windows,
            zone: None,
        };
        let kept = self.products_beside_size(live, client, told).await?;
        let mut asked = kept.clone();
        asked.push(sized(&now.flavor));
        asked.extend(options.iter().map(|option| sized(&option.flavor)));
        let (currency, prices) = prices_where_sold(live, client, &asked).await?;
        let mut prices = prices.into_iter();
        // What stays cannot be left out of the sum.
        let base: Option<Decimal> = prices.by_ref().take(kept.len()).sum();
        let base = base.ok_or_else(|| Failure::from(Code::PriceUnknown))?;
        let present = prices.next().flatten();
        let money = |amount: Decimal| Money::new(amount, currency.clone());
        now.per_hour = present.map(|present| money(base + present));
        for (option, price) in options.iter_mut().zip(prices) {
            option.per_hour = price.map(|price| money(base + price));
            option.more_per_hour = price.zip(present).map(|(price, present)| money(price - present));
        }
        Ok(())
    }

    /// What a server costs beside its flavor: its disks, and its public address where that is paid by bandwidth.
    async fn products_beside_size(
        &self,
        live: &Live,
        client: &Client,
        told: &ecs::Server,
    ) -> Result<Vec<Product>> {
        let project = live.project();
        let mut products = Vec::new();
        for attached in &told.volumes {
            let volume = evs::volume(client, &project, &attached.id).await?.value;
            products.push(Product::Volume {
                volume_type: volume.volume_type,
                size_gb: volume.size_gb.unwrap_or_default(),
            });
        }
        if let Some(address) = told.floating_address() {
            let all = eip::public_ips(client, &project, None).await?.value.items;
            let found = all.into_iter().find(|one| one.address == Some(address));
            if let Some(mbit) = found.and_then(|one| one.mbit) {
                products.push(Product::Bandwidth { mbit });
            }
        }
        Ok(products)
    }
}

/// The price of an hour of each product; none where it is not sold. One product that is not sold spoils the answer for
/// all that were asked for together, so what is refused is asked in halves.
async fn prices_where_sold(
    live: &Live,
    client: &Client,
    products: &[Product],
) -> Result<(String, Vec<Option<Decimal>>)> {
    let mut prices = Vec::with_capacity(products.len());
    let mut currency = None;
    let mut open: Vec<&[Product]> = products.chunks(PRICED_AT_ONCE).rev().collect();
    while let Some(asked) = open.pop() {
        match bss::on_demand_ratings(client, &live.project(), asked).await {
            Ok(rated) => {
                currency.get_or_insert(rated.value.currency);
                prices.extend(rated.value.prices.iter().map(|price| Some(price.amount)));
            }
            Err(error) if error.kind == ErrorKind::Invalid && asked.len() > 1 => {
                let (first, second) = asked.split_at(asked.len() / 2);
                open.push(second);
                open.push(first);
            }
            Err(error) if error.kind == ErrorKind::Invalid => prices.push(None),
            Err(error) => return Err(error.into()),
        }
    }
    let currency = currency.ok_or_else(|| Failure::from(Code::PriceUnknown))?;
    Ok((currency, prices))
}
