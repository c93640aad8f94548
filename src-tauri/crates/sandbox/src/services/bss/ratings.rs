//! What an hour costs: list price, and what the account pays of it. Who may not see discounts gets the list price only.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Number, value::RawValue};

use super::super::{Call, Result};
use super::{YUAN, number};
use crate::{
    catalogue::{self, Os},
    faults::Fault,
    wire::Answer,
    world::World,
};

const HOUR: u32 = 4;
const GIGABYTE_OF_TRAFFIC: u32 = 10;
const MBPS: u32 = 15;
const GIGABYTE: u32 = 17;

#[derive(Debug, Deserialize)]
struct Inquiry {
    project_id: String,
    #[serde(default)]
    inquiry_precision: u8,
    product_infos: Vec<Product>,
}

#[derive(Debug, Deserialize)]
struct Product {
    id: String,
    cloud_service_type: String,
    resource_type: String,
    resource_spec: String,
    region: String,
    resource_size: Option<u32>,
    size_measure_id: Option<u32>,
    usage_factor: String,
    usage_value: Number,
    usage_measure_id: u32,
    subscription_num: u32,
}

#[derive(Debug, Serialize)]
struct Ratings {
    amount: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_amount: Option<Box<RawValue>>,
    official_website_amount: Box<RawValue>,
    measure_id: u32,
    currency: &'static str,
    product_rating_results: Vec<Rating>,
}

#[derive(Debug, Serialize)]
struct Rating {
    id: String,
    product_id: String,
    amount: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_amount: Option<Box<RawValue>>,
    official_website_amount: Box<RawValue>,
    measure_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_rating_results: Option<Vec<Discount>>,
}

#[derive(Debug, Serialize)]
struct Discount {
    discount_id: &'static str,
    discount_type: u32,
    discount_name: &'static str,
    amount: Box<RawValue>,
    measure_id: u32,
}

/// A price and the list price it comes from.
#[derive(Debug, Clone, Copy)]
struct Price {
    list: Decimal,
    paid: Decimal,
}

pub(super) fn answer(call: &Call<'_>, world: &World) -> Result<Answer> {
    let inquiry: Inquiry = call
        .request
        .json()
        .map_err(|error| Fault::bad("CBC.0100", format!("Parameter error: {error}")))?;
    check(&inquiry, world)?;

    let digits = if inquiry.inquiry_precision == 1 { 10 } else { 6 };
    let discounts = call.user.sees_money();
    let (mut list, mut paid) = (Decimal::ZERO, Decimal::ZERO);
    let mut results = Vec::new();
    for product in &inquiry.product_infos {
        let mut price = price(product, world)?;
        if !discounts {
            price.paid = price.list;
        }
        let row = Price {
            list: price.list.round_dp(digits),
            paid: price.paid.round_dp(digits),
        };
        list += row.list;
        paid += row.paid;
        let discount = row.list - row.paid;
        results.push(Rating {
            id: product.id.clone(),
            product_id: format!("EXAMPLE-{}", product.resource_spec),
            amount: number(row.paid)?,
            discount_amount: discounts.then(|| number(discount)).transpose()?,
            official_website_amount: number(row.list)?,
            measure_id: YUAN,
            discount_rating_results: match (discounts, discount.is_zero()) {
                (false, _) => None,
                (true, true) => Some(Vec::new()),
                (true, false) => Some(vec![Discount {
                    discount_id: "example",
                    discount_type: 700,
                    discount_name: "Example contract discount",
                    amount: number(discount)?,
                    measure_id: YUAN,
                }]),
            },
        });
    }
    Ok(Answer::json(
        200,
        &Ratings {
            amount: number(paid)?,
            discount_amount: discounts.then(|| number(list - paid)).transpose()?,
            official_website_amount: number(list)?,
            measure_id: YUAN,
            currency: "CNY",
            product_rating_results: results,
        },
    ))
}

fn check(inquiry: &Inquiry, world: &World) -> Result<()> {
    if inquiry.product_infos.is_empty() || inquiry.product_infos.len() > 100 {
        return Err(Fault::bad(
            "CBC.0100",
            "Parameter error: product_infos must have 1 to 100 entries.",
        ));
    }
    if world
        .regions
        .iter()
        .all(|region| region.project_id != inquiry.project_id)
    {
        return Err(Fault::bad("CBC.0100", "Parameter error: project_id is unknown."));
    }
    let ids: BTreeSet<&str> = inquiry
        .product_infos
        .iter()
        .map(|product| product.id.as_str())
        .collect();
    if ids.len() != inquiry.product_infos.len() {
        return Err(Fault::bad(
            "CBC.0100",
            "Parameter error: product ids must be unique.",
        ));
    }
    Ok(())
}

fn price(product: &Product, world: &World) -> Result<Price> {
    let unknown = || {
        Fault::bad(
            "CBC.99006006",
            format!(
                "No product was found for the resource specification {}.",
                product.resource_spec
            ),
        )
    };
    if world.regions.iter().all(|region| region.id != product.region) {
        return Err(unknown());
    }
    let by_traffic = product.usage_factor == "upflow";
    if !by_traffic && product.usage_factor != "Duration" {
        return Err(Fault::bad("CBC.99006074", "The usage factor does not exist."));
    }
    let unit = if by_traffic { GIGABYTE_OF_TRAFFIC } else { HOUR };
    if product.usage_measure_id != unit {
        return Err(Fault::bad("CBC.99006050", "The usage unit is incorrect."));
    }
    let sized = |measure: u32| match (product.resource_size, product.size_measure_id) {
        (Some(size), Some(given)) if given == measure && size > 0 => Ok(size),
        _ => Err(Fault::bad(
            "CBC.0100",
            "Parameter error: resource_size or size_measure_id is incorrect.",
        )),
    };

    let list_price = |list: Decimal| Price { list, paid: list };
    let one = match (
        product.cloud_service_type.as_str(),
        product.resource_type.as_str(),
        product.resource_spec.as_str(),
        by_traffic,
    ) {
        ("hws.service.type.ec2", "hws.resource.type.vm", spec, false) => {
            let (flavor, os) = match (spec.strip_suffix(".linux"), spec.strip_suffix(".win")) {
                (Some(flavor), _) => (flavor, Os::Linux),
                (_, Some(flavor)) => (flavor, Os::Windows),
                _ => return Err(unknown()),
            };
            let list = catalogue::flavor(flavor).ok_or_else(unknown)?.hour(os);
            Price {
                list,
                paid: list * catalogue::server_discount(),
            }
        }
        ("hws.service.type.ebs", "hws.resource.type.volume", kind, false) => {
            let kind = catalogue::disk_type(kind).ok_or_else(unknown)?;
            list_price(kind.gb_hour() * Decimal::from(sized(GIGABYTE)?))
        }
        ("hws.service.type.vpc", "hws.resource.type.bandwidth", "19_bgp" | "19_sbgp" | "19_share", false) => {
            list_price(catalogue::bandwidth_hour(sized(MBPS)?))
        }
        ("hws.service.type.vpc", "hws.resource.type.bandwidth", "12_bgp" | "12_sbgp", true) => {
            list_price(catalogue::traffic_gb())
        }
        ("hws.service.type.vpc", "hws.resource.type.ip", "5_bgp" | "5_sbgp", false) => {
            list_price(catalogue::idle_address_hour())
        }
        _ => return Err(unknown()),
    };

    let too_large = || Fault::bad("CBC.99006055", "The amount is too large.");
    let usage = product
        .usage_value
        .to_string()
        .parse::<Decimal>()
        .ok()
        .filter(|usage| usage.is_sign_positive())
        .ok_or_else(|| Fault::bad("CBC.0100", "Parameter error: usage_value is incorrect."))?;
    let times = usage
        .checked_mul(Decimal::from(product.subscription_num))
        .ok_or_else(too_large)?;
    Ok(Price {
        list: one.list.checked_mul(times).ok_or_else(too_large)?,
        paid: one.paid.checked_mul(times).ok_or_else(too_large)?,
    })
}
