//! Billing: prices of pay-per-use products, bills, and what is left of the account's money.

mod account;
mod bills;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};
use crate::ids::{FlavorId, ProjectId, ZoneId};
use crate::lenient;

pub use self::account::{Balance, Balances, ServiceType, balances, service_types};
pub use self::bills::{
    Detail, Fee, FeeQuery, Fees, Month, MonthlyLine, MonthlySum, monthly_sum, resource_fees, resource_records,
};

const ACTION: &str = "ListOnDemandResourceRatings";
/// Most products of one call.
const MAX_PRODUCTS: usize = 100;
const HOUR: u32 = 4;
const GB_OF_TRAFFIC: u32 = 10;
const MBIT_PER_SECOND: u32 = 15;
const GB: u32 = 17;

/// A pay-per-use product whose price is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Product {
    /// A server's CPU and memory, per hour, with the licence of the operating system.
    Server {
        /// The flavor.
        flavor: FlavorId,
        /// Whether it runs Windows.
        windows: bool,
        /// The zone, where prices differ by zone.
        zone: Option<ZoneId>,
    },
    /// A disk, per hour.
    Volume {
        /// The disk type, such as `GPSSD`.
        volume_type: String,
        /// Size in GB.
        size_gb: u32,
    },
    /// A public address' bandwidth, paid by its size, per hour.
    Bandwidth {
        /// Size in Mbit/s.
        mbit: u32,
    },
    /// A public address' outgoing traffic, paid by the GB whatever the bandwidth.
    Traffic,
}

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// One hour of the product.
    Hour,
    /// One GB of outgoing traffic.
    GbOfTraffic,
}

impl Product {
    /// What its price is for.
    pub fn unit(&self) -> Unit {
        match self {
            Self::Traffic => Unit::GbOfTraffic,
            Self::Server { .. } | Self::Volume { .. } | Self::Bandwidth { .. } => Unit::Hour,
        }
    }

    fn to_wire(&self, id: usize, region: &str) -> Value {
        let (service, resource, spec) = match self {
            Self::Server { flavor, windows, .. } => {
                let system = if *windows { "win" } else { "linux" };
                (
                    "hws.service.type.ec2",
                    "hws.resource.type.vm",
                    format!("{flavor}.{system}"),
                )
            }
            Self::Volume { volume_type, .. } => (
                "hws.service.type.ebs",
                "hws.resource.type.volume",
                volume_type.clone(),
            ),
            Self::Bandwidth { .. } => (
                "hws.service.type.vpc",
                "hws.resource.type.bandwidth",
                "19_bgp".to_owned(),
            ),
            Self::Traffic => (
                "hws.service.type.vpc",
                "hws.resource.type.bandwidth",
                "12_bgp".to_owned(),
            ),
        };
        let (factor, measure) = match self.unit() {
            Unit::Hour => ("Duration", HOUR),
            Unit::GbOfTraffic => ("upflow", GB_OF_TRAFFIC),
        };
        let mut wire = json!({
            "id": id.to_string(),
            "cloud_service_type": service,
            "resource_type": resource,
            "resource_spec": spec,
            "region": region,
            "usage_factor": factor,
            "usage_value": 1,
            "usage_measure_id": measure,
            "subscription_num": 1,
        });
        let more = match self {
            Self::Server { zone: Some(zone), .. } => vec![("available_zone", json!(zone))],
            Self::Server { zone: None, .. } | Self::Traffic => Vec::new(),
            Self::Volume { size_gb, .. } => {
                vec![("resource_size", json!(size_gb)), ("size_measure_id", json!(GB))]
            }
            Self::Bandwidth { mbit } => {
                vec![
                    ("resource_size", json!(mbit)),
                    ("size_measure_id", json!(MBIT_PER_SECOND)),
                ]
            }
        };
        if let Value::Object(fields) = &mut wire {
            fields.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
        }
        wire
    }
}

/// The price of one unit of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// What the account pays, after its discounts.
    pub amount: Decimal,
    /// The list price; `None` if the answer does not say.
    pub list_amount: Option<Decimal>,
    /// What it is for.
    pub unit: Unit,
}

/// The prices that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ratings {
    /// The currency, such as `CNY`.
    pub currency: String,
    /// One price for each product, in the order in which they were asked.
    pub prices: Vec<Price>,
    /// The sum as the cloud gives it. It mixes units when [`Product::Traffic`] was among the products: see
    /// [`Ratings::per_hour`].
    pub total: Option<Decimal>,
    /// The sum of the list prices as the cloud gives it.
    pub list_total: Option<Decimal>,
}

impl Ratings {
    /// What all products cost together for one hour, traffic not counted. `None` if the sum is too large to
    /// be written.
    pub fn per_hour(&self) -> Option<Decimal> {
        let mut hourly = self.prices.iter().filter(|price| price.unit == Unit::Hour);
        hourly.try_fold(Decimal::ZERO, |sum, price| sum.checked_add(price.amount))
    }
}

/// `ListOnDemandResourceRatings`: prices of up to 100 products in the client's region, each for one unit.
///
/// API page: <https://support.huaweicloud.com/api-oce/bcloud_01001.html>
///
/// # Errors
/// [`ErrorKind::Invalid`] with code `CBC.99006006` if one of the products is not sold: the answer does not
/// say which, so ask them singly then. [`ErrorKind::BadAnswer`] if a product has no price in the answer.
/// [`ErrorKind::Auth`] with `CBC.0150` or `CBC.0156` if the account belongs to the other site.
pub async fn on_demand_ratings(
    client: &Client,
    project: &ProjectId,
    products: &[Product],
) -> Result<Reply<Ratings>, Error> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(deserialize_with = "lenient::required")]
        id: String,
        #[serde(default, deserialize_with = "lenient::decimal")]
        amount: Option<Decimal>,
        #[serde(default, deserialize_with = "lenient::decimal")]
        official_website_amount: Option<Decimal>,
    }
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::optional")]
        currency: Option<String>,
        #[serde(default, deserialize_with = "lenient::decimal")]
        amount: Option<Decimal>,
        #[serde(default, deserialize_with = "lenient::decimal")]
        official_website_amount: Option<Decimal>,
        #[serde(default, deserialize_with = "lenient::rows")]
        product_rating_results: Vec<Row>,
    }

    if products.is_empty() || products.len() > MAX_PRODUCTS {
        let message = format!("prices can be asked for 1 to {MAX_PRODUCTS} products at a time");
        return Err(Error::local(
            ErrorKind::Invalid,
            Some(Service::Bss),
            ACTION,
            message,
        ));
    }
    let region = client.region().as_str();
    let infos: Vec<Value> = products
        .iter()
        .enumerate()
        .map(|(id, product)| product.to_wire(id, region))
        .collect();
    let body = json!({ "project_id": project, "inquiry_precision": 1, "product_infos": infos }).to_string();
    let path = ["v2", "bills", "ratings", "on-demand-resources"];
    let call = Call::post(Service::Bss, ACTION, path, body);
    let answer = client.send(&call).await?;
    let body: Body = answer.parse()?;

    let priced = |(id, product): (usize, &Product)| {
        let row = body
            .product_rating_results
            .iter()
            .find(|row| row.id == id.to_string())?;
        Some(Price {
            amount: row.amount?,
            list_amount: row.official_website_amount,
            unit: product.unit(),
        })
    };
    let prices: Option<Vec<Price>> = products.iter().enumerate().map(priced).collect();
    let prices = prices.ok_or_else(|| answer.bad("the answer lacks the price of a product"))?;
    let ratings = Ratings {
        currency: body.currency.unwrap_or_else(|| "CNY".to_owned()),
        prices,
        total: body.amount,
        list_total: body.official_website_amount,
    };
    Ok(answer.reply(ratings))
}
