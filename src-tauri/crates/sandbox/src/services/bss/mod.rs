//! Billing: prices, bills and the balance. Amounts are decimal numbers in JSON, with all their digits.

mod bills;
mod ratings;

use http::Method;
use rust_decimal::Decimal;
use serde_json::{json, value::RawValue};

use super::{Call, Result};
use crate::{
    faults::Fault,
    users::{ACCOUNT_ID, Role},
    wire::Answer,
    world::World,
};

/// The unit of all amounts.
const YUAN: u32 = 1;
/// What the account has at the start of every month, as an example.
const BALANCE: i64 = 5_000;

/// Code, Chinese and English name, abbreviation.
const SERVICE_TYPES: [(&str, &str, &str, &str); 3] = [
    (
        "hws.service.type.ec2",
        "弹性云服务器",
        "Elastic Cloud Server",
        "ECS",
    ),
    ("hws.service.type.ebs", "云硬盘", "Elastic Volume Service", "EVS"),
    (
        "hws.service.type.vpc",
        "虚拟私有云",
        "Virtual Private Cloud",
        "VPC",
    ),
];

pub(super) fn answer(call: &Call<'_>, world: &World) -> Result<Answer> {
    let path = call.request.path.as_str();
    match (&call.request.method, path) {
        (&Method::GET, "/v2/products/service-types") => return service_types(call),
        (&Method::POST, "/v2/bills/ratings/on-demand-resources")
        | (&Method::GET, "/v2/accounts/customer-accounts/balances")
        | (&Method::GET, "/v2/bills/customer-bills/monthly-sum")
        | (&Method::GET, "/v2/bills/customer-bills/res-fee-records")
        | (&Method::POST, "/v2/bills/customer-bills/res-records/query") => {}
        _ => return Err(Fault::no_such_call()),
    }
    let denied = || Fault::forbidden("CBC.0151", "Access denied.");
    if call.is_guest() {
        return Err(denied());
    }
    if path == "/v2/bills/ratings/on-demand-resources" {
        return ratings::answer(call, world);
    }
    if !call.user.sees_money() {
        return Err(denied());
    }
    match path {
        "/v2/accounts/customer-accounts/balances" if call.user.role != Role::Administrator => Err(denied()),
        "/v2/accounts/customer-accounts/balances" => balance(call, world),
        "/v2/bills/customer-bills/monthly-sum" => bills::monthly_sum(call, world),
        "/v2/bills/customer-bills/res-fee-records" => bills::fee_records(call, world),
        _ => bills::record_details(call, world),
    }
}

fn in_english(call: &Call<'_>) -> bool {
    call.request.header("x-language").as_deref() == Some("en_US")
}

fn service_types(call: &Call<'_>) -> Result<Answer> {
    let (offset, limit) = paging(call)?;
    let english = in_english(call);
    let wanted = call.request.query_value("service_type_name");
    let rows: Vec<_> = SERVICE_TYPES
        .iter()
        .map(|(code, chinese, name, short)| (code, if english { name } else { chinese }, short))
        .filter(|(_, name, _)| {
            wanted
                .as_ref()
                .is_none_or(|wanted| name.contains(wanted.as_str()))
        })
        .collect();
    let page: Vec<_> = rows
        .iter()
        .skip(offset)
        .take(limit)
        .map(|(code, name, short)| {
            json!({"service_type_name": name, "service_type_code": code, "abbreviation": short})
        })
        .collect();
    Ok(Answer::json(
        200,
        &json!({"total_count": rows.len(), "service_types": page}),
    ))
}

/// Row offset and number of rows, from the query.
fn paging(call: &Call<'_>) -> Result<(usize, usize)> {
    let offset = match call.request.query_value("offset") {
        None => 0,
        Some(text) => text.parse().map_err(|_| bad("offset"))?,
    };
    Ok((offset, call.limit(10, 1000).ok_or_else(|| bad("limit"))?))
}

fn balance(call: &Call<'_>, world: &World) -> Result<Answer> {
    let left = Decimal::from(BALANCE) - bills::this_month(world, call.now);
    #[derive(serde::Serialize)]
    struct Account {
        account_id: &'static str,
        account_type: u32,
        amount: Box<RawValue>,
        currency: &'static str,
        designated_amount: Box<RawValue>,
        credit_amount: Box<RawValue>,
        measure_id: u32,
    }
    #[derive(serde::Serialize)]
    struct Balances {
        account_balances: Vec<Account>,
        debt_amount: Box<RawValue>,
        measure_id: u32,
        currency: &'static str,
    }
    let balances = Balances {
        account_balances: vec![Account {
            account_id: ACCOUNT_ID,
            account_type: 1,
            amount: number(left.max(Decimal::ZERO).round_dp(2))?,
            currency: "CNY",
            designated_amount: number(Decimal::ZERO)?,
            credit_amount: number(Decimal::ZERO)?,
            measure_id: YUAN,
        }],
        debt_amount: number((-left).max(Decimal::ZERO).round_dp(2))?,
        measure_id: YUAN,
        currency: "CNY",
    };
    Ok(Answer::json(200, &balances))
}

fn bad(what: &str) -> Fault {
    Fault::bad("CBC.0100", format!("Parameter error: {what} is incorrect."))
}

/// The decimal as a JSON number, digit by digit: on the way through binary floating point it could change.
fn number(amount: Decimal) -> Result<Box<RawValue>> {
    RawValue::from_string(amount.normalize().to_string())
        .map_err(|_| Fault::new(500, "CBC.0999", "The price could not be written."))
}
