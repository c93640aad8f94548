//! What a template becomes in this region: flavor, image, network; what it costs; why it would fail.

mod order;
mod plan;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::bss::{self, Product};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub(crate) use self::order::tag_value;
use self::plan::priceable;
pub(crate) use self::plan::{check_name, plan, quota};
use crate::Wangcheng;
use crate::catalogue::{Flavor, Image, SecurityGroup, Subnet};
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::grants::{GrantUse, Limit};
use crate::money::Money;
use crate::templates::Template;

/// Longest tag value.
pub(crate) const TAG_MOST: usize = 43;
/// Disk type of all disks: general-purpose SSD, sold in every zone.
pub(crate) const DISK_TYPE: &str = "GPSSD";

/// A server asked for. What is left out the template, or else the region, decides.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CreateServer {
    /// Template id.
    pub template: String,
    /// Name of the server.
    pub name: String,
    /// What it is for; may be empty.
    pub purpose: String,
    /// When it shall end.
    pub lease_end: DateTime<Utc>,
    /// Flavor id.
    pub flavor: Option<String>,
    /// Image id.
    pub image: Option<String>,
    /// Availability zone.
    pub zone: Option<String>,
    /// Subnet id.
    pub subnet: Option<String>,
    /// Security group id.
    pub security_group: Option<String>,
    /// Name of a key pair of the cloud's; none: a fresh one, for this server only.
    pub key_pair: Option<String>,
    /// Bandwidth of the public address in Mbit/s; 0: no public address.
    pub public_mbps: Option<u32>,
    /// What the server does on its first start beside what its environment installs: a text for cloud-init that begins
    /// with `#cloud-config`, `#!` or `#cloud-boothook`. Every process on the server can read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user_data: Option<String>,
    /// Size of the system disk, in GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub system_disk_gb: Option<u32>,
    /// Size of the data disk, in GB; 0: no data disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub data_disk_gb: Option<u32>,
}

/// Something that stands in the way, or should be known.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The field of [`CreateServer`] it is about.
    pub field: Option<&'static str>,
    /// Creation is refused while it stands.
    pub blocking: bool,
    /// What it is.
    pub failure: Failure,
}

/// A part of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PricePartKind {
    /// Processors and memory.
    Compute,
    /// System disk.
    SystemDisk,
    /// Data disk.
    DataDisk,
    /// Bandwidth of the public address.
    PublicAddress,
}

/// What one part costs.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PricePart {
    /// Which part.
    pub part: PricePartKind,
    /// What is bought, e.g. `s6.large.2` or `GPSSD 40 GB`.
    pub spec: String,
    /// Its price of an hour.
    pub per_hour: Money,
    /// Its price until the lease ends.
    pub for_lease: Money,
}

/// What a creation would become and cost.
#[derive(Debug, Clone)]
pub struct Quote {
    /// Price of an hour, all parts together.
    pub per_hour: Option<Money>,
    /// Price until the lease ends.
    pub for_lease: Option<Money>,
    /// Length of the lease in hours.
    pub lease_hours: Decimal,
    /// The parts.
    pub parts: Vec<PricePart>,
    /// What stands in the way.
    pub problems: Vec<Problem>,
    /// How much of what the grant in force allows is used, and asked for.
    pub grant: Vec<GrantUse>,
    /// What was chosen.
    pub choice: Choice,
    /// By the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// What a request becomes in this region.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The flavor.
    pub flavor: Option<Flavor>,
    /// The image.
    pub image: Option<Image>,
    /// The zone.
    pub zone: Option<String>,
    /// The subnet.
    pub subnet: Option<Subnet>,
    /// The security group.
    pub security_group: Option<SecurityGroup>,
    /// The key pair of the cloud's.
    pub key_pair: Option<String>,
    /// A key pair is made for this server only.
    pub fresh_key: bool,
    /// Public bandwidth in Mbit/s; 0: none.
    pub public_mbps: u32,
}

/// A request that can be sent.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub template: Template,
    pub name: String,
    pub purpose: String,
    pub lease_end: DateTime<Utc>,
    pub flavor: Flavor,
    pub image: Image,
    pub zone: String,
    pub subnet: Subnet,
    pub security_group: Option<SecurityGroup>,
    pub key_pair: Option<String>,
    pub fresh_key: bool,
    pub public_mbps: u32,
    /// What whoever makes it wants done on the first start.
    pub own_text: Option<String>,
}

impl Wangcheng {
    /// What a request becomes and costs, and everything that stands in the way. Nothing is created.
    ///
    /// # Errors
    /// `NotSignedIn`; what the cloud says to the questions about its catalogue.
    pub async fn quote(&self, ask: &CreateServer) -> Result<Quote> {
        let live = self.active().await?;
        let catalogue = self.catalogue_of(&live).await?;
        let cloud_now = live.cloud_now(self.now());
        let (choice, plan, mut problems) = plan(ask, &catalogue, cloud_now);
        let lease_hours = hours_until(ask.lease_end, cloud_now);
        let mut parts = Vec::new();
        // The price is known as soon as there is something to buy, even while the name is still being typed.
        let priced = plan.or_else(|| priceable(ask, &catalogue, cloud_now));
        let mut grant = Vec::new();
        if let Some(mut plan) = priced {
            plan.lease_end = ask.lease_end;
            match self.prices(&live, &plan, lease_hours).await {
                Ok(found) => parts = found,
                Err(failure) => {
                    let mut unknown = Failure::new(Code::PriceUnknown).saying(&failure);
                    unknown.provider_code = failure.provider_code;
                    unknown.request_id = failure.request_id;
                    problems.push(Problem {
                        field: None,
                        blocking: false,
                        failure: unknown,
                    });
                }
            }
            match self
                .weighed(&live, &plan.wish(total(&parts).as_ref(), cloud_now))
                .await
            {
                Ok((uses, over)) => {
                    grant = uses;
                    problems.extend(over.into_iter().map(|(limit, failure)| Problem {
                        field: field_of(limit),
                        blocking: true,
                        failure,
                    }));
                }
                Err(failure) => problems.push(Problem {
                    field: None,
                    blocking: failure.is_grant(),
                    failure,
                }),
            }
        }
        let per_hour = total(&parts);
        Ok(Quote {
            grant,
            for_lease: per_hour.as_ref().map(|price| price.for_hours(lease_hours)),
            per_hour,
            lease_hours,
            parts,
            problems,
            choice,
            as_of: cloud_now,
        })
    }

    /// The parts' prices of an hour, and of a lease of so many.
    pub(crate) async fn prices(
        &self,
        live: &Live,
        plan: &Plan,
        lease_hours: Decimal,
    ) -> Result<Vec<PricePart>> {
        let client = self.client(live).await?;
        let bought = plan.products();
        let products: Vec<Product> = bought.iter().map(|(_, _, product)| product.clone()).collect();
        let rated = bss::on_demand_ratings(&client, &live.project(), &products)
            .await?
            .value;
        let parts = bought
            .into_iter()
            .zip(&rated.prices)
            .map(|((part, spec, _), price)| PricePart {
                part,
                spec,
                per_hour: Money::new(price.amount, rated.currency.clone()),
                // Not rounded to the cent: the parts are to come to what the whole does.
                for_lease: Money::new((price.amount * lease_hours).round_dp(4), rated.currency.clone()),
            });
        Ok(parts.collect())
    }
}

/// The field of a request that a limit is about.
fn field_of(limit: Limit) -> Option<&'static str> {
    match limit {
        Limit::Vcpus | Limit::Flavor => Some("flavor"),
        Limit::DiskGb | Limit::DiskGbEach => Some("systemDiskGb"),
        Limit::LeaseHours | Limit::LifeHours | Limit::Until => Some("leaseEnd"),
        Limit::PublicAddress => Some("publicMbps"),
        _ => None,
    }
}

/// Length of a lease in hours.
pub(crate) fn hours_until(lease_end: DateTime<Utc>, now: DateTime<Utc>) -> Decimal {
    let seconds = (lease_end - now).max(TimeDelta::zero()).num_seconds();
    (Decimal::from(seconds) / Decimal::from(3600)).round_dp(2)
}

/// All parts together.
pub(crate) fn total(parts: &[PricePart]) -> Option<Money> {
    let currency = &parts.first()?.per_hour.currency;
    Some(Money::new(
        parts.iter().map(|part| part.per_hour.amount).sum(),
        currency.clone(),
    ))
}
