//! Bills of what ran: by the hour, late by an hour, in days and months of GMT+8.

mod lines;
mod row;

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;

pub(super) use self::lines::this_month;
use self::{
    lines::{BY_PERIOD, Cut, Line, floor_hour, lines, month, names, unit_price},
    row::Row,
};
use super::{
    super::{Call, Result, zulu},
    YUAN, bad, in_english, paging,
};
use crate::{
    faults::Fault,
    users::{ACCOUNT_ID, ACCOUNT_NAME},
    wire::Answer,
    world::{Good, World},
};

const HOURS_UNIT: u32 = 4;
const GIGABYTES_UNIT: u32 = 10;
/// How many months one call can ask for.
const MOST_MONTHS: usize = 12;

const NONE: Decimal = Decimal::ZERO;

pub(super) fn monthly_sum(call: &Call<'_>, world: &World) -> Result<Answer> {
    let cycle = call
        .request
        .query_value("bill_cycle")
        .ok_or_else(|| bad("bill_cycle"))?;
    let (first, next) = month(&cycle)?;
    let (offset, limit) = paging(call)?;
    let english = in_english(call);
    let wanted = call.request.query_value("service_type_code");
    let mut sums: BTreeMap<(&str, &str, u32), (Good, Decimal, Decimal)> = BTreeMap::new();
    for line in lines(world, first, next, call.now, Cut::Month) {
        let names = names(line.what.good, english);
        if wanted.as_ref().is_some_and(|wanted| wanted != names.service) {
            continue;
        }
        let sum =
            sums.entry((names.service, names.resource, line.mode))
                .or_insert((line.what.good, NONE, NONE));
        sum.1 += line.list;
        sum.2 += line.paid;
    }
    let mut total = NONE;
    let mut rows = Vec::new();
    for ((service, resource, mode), (good, list, paid)) in &sums {
        // A bill has no parts of a fen: what is cut off is not paid.
        let due = paid.round_dp_with_strategy(2, RoundingStrategy::ToZero);
        total += due;
        let names = names(*good, english);
        let row = Row::new()
            .texts(&[
                ("bill_cycle", &cycle),
                ("service_type_code", service),
                ("service_type_name", names.service_name),
                ("resource_type_code", resource),
                ("resource_type_name", names.resource_name),
                ("customer_id", ACCOUNT_ID),
                ("account_name", ACCOUNT_NAME),
            ])?
            .with("charging_mode", mode)?
            .with("bill_type", if *mode == BY_PERIOD { 1 } else { 5 })?
            .with("measure_id", YUAN)?
            .amounts(&[
                ("official_amount", *list),
                ("official_discount_amount", list - paid),
                ("truncated_amount", paid - due),
                ("consume_amount", due),
                ("cash_amount", due),
                ("credit_amount", NONE),
                ("coupon_amount", NONE),
                ("flexipurchase_coupon_amount", NONE),
                ("stored_value_card_amount", NONE),
                ("debt_amount", NONE),
                ("writeoff_amount", NONE),
            ])?;
        rows.push(row);
    }
    let count = rows.len();
    let page: Vec<Row> = rows.into_iter().skip(offset).take(limit).collect();
    let answer = Row::new()
        .with("total_count", count)?
        .with("bill_sums", page)?
        .with("measure_id", YUAN)?
        .with("currency", "CNY")?
        .amounts(&[
            ("consume_amount", total),
            ("cash_amount", total),
            ("credit_amount", NONE),
            ("coupon_amount", NONE),
            ("flexipurchase_coupon_amount", NONE),
            ("stored_value_card_amount", NONE),
            ("debt_amount", NONE),
            ("writeoff_amount", NONE),
        ])?;
    Ok(Answer::json(200, &answer))
}

/// What both calls for lines can ask for.
#[derive(Debug, Default)]
struct Filter {
    service: Option<String>,
    resource: Option<String>,
    region: Option<String>,
    id: Option<String>,
    mode: Option<String>,
    bill_type: Option<String>,
    days: Option<(NaiveDate, NaiveDate)>,
}

impl Filter {
    fn fits(&self, line: &Line<'_>) -> bool {
        let names = names(line.what.good, true);
        let is = |wanted: &Option<String>, value: &str| {
            wanted
                .as_deref()
                .is_none_or(|wanted| wanted.is_empty() || wanted == value)
        };
        is(&self.service, names.service)
            && is(&self.resource, names.resource)
            && is(&self.region, &line.region.id)
            && is(&self.id, &line.what.resource_id)
            && is(&self.mode, &line.mode.to_string())
            && is(&self.bill_type, &line.bill_type().to_string())
            && self
                .days
                .is_none_or(|(first, last)| (first..=last).contains(&line.date()))
    }
}

pub(super) fn fee_records(call: &Call<'_>, world: &World) -> Result<Answer> {
    let asked = |key: &str| call.request.query_value(key);
    let cycle = asked("cycle").ok_or_else(|| bad("cycle"))?;
    let (first, next) = month(&cycle)?;
    let (offset, limit) = paging(call)?;
    let cut = match asked("statistic_type") {
        None => Cut::Hour,
        Some(text) => Cut::read(text.parse().map_err(|_| bad("statistic_type"))?)?,
    };
    let day = |key: &str| match asked(key) {
        None => Ok(None),
        Some(text) => NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .ok()
            .filter(|day| (first..next).contains(day))
            .map(Some)
            .ok_or_else(|| bad(key)),
    };
    let days = match (day("bill_date_begin")?, day("bill_date_end")?) {
        (None, None) => None,
        (Some(begin), Some(end)) if begin <= end => Some((begin, end)),
        _ => return Err(bad("bill_date_begin or bill_date_end")),
    };
    let filter = Filter {
        service: asked("cloud_service_type"),
        region: asked("region"),
        id: asked("resource_id"),
        mode: asked("charge_mode"),
        bill_type: asked("bill_type"),
        resource: None,
        days: None,
    };
    let (from, until) = days.map_or((first, next), |(begin, end)| {
        (begin, end.succ_opt().unwrap_or(end))
    });
    let found: Vec<Line<'_>> = lines(world, from, until, call.now, cut)
        .into_iter()
        .filter(|line| filter.fits(line))
        .collect();
    let rows = found
        .iter()
        .skip(offset)
        .take(limit)
        .map(|line| fee_record(line, cut, in_english(call)))
        .collect::<Result<Vec<Row>>>()?;
    let answer = Row::new()
        .with("fee_records", rows)?
        .with("total_count", found.len())?
        .with("currency", "CNY")?;
    Ok(Answer::json(200, &answer))
}

/// Tags as the bill has them: text.
fn tags(line: &Line<'_>) -> String {
    let tags: Vec<String> = line
        .what
        .tags
        .iter()
        .map(|(key, value)| format!("{key}:{value}"))
        .collect();
    tags.join(";")
}

fn shared_fields(line: &Line<'_>, cut: Cut, english: bool) -> Result<Row> {
    let names = names(line.what.good, english);
    let region = line.region;
    let row = Row::new().texts(&[
        ("bill_date", &line.date().to_string()),
        ("customer_id", ACCOUNT_ID),
        ("account_name", ACCOUNT_NAME),
        ("region", &region.id),
        (
            "region_name",
            if english { &region.name_en } else { &region.name_zh },
        ),
        ("cloud_service_type", names.service),
        ("cloud_service_type_name", names.service_name),
        ("resource_type_name", names.resource_name),
        ("resource_name", &line.what.name),
        ("resource_tag", &tags(line)),
        ("product_spec_desc", &line.what.spec),
        ("sku_code", &format!("EXAMPLE-{}", line.what.spec)),
        ("enterprise_project_id", "0"),
        ("enterprise_project_name", "default"),
        ("effective_time", &zulu(line.from)),
        ("expire_time", &zulu(line.to)),
        ("trade_id", &format!("CS{}", line.id())),
        ("id", &line.id()),
    ])?;
    let row = row
        .with("bill_type", line.bill_type())?
        .with("measure_id", YUAN)?;
    let row = if cut == Cut::Hour {
        row.with("consume_time", zulu(line.from))?
    } else {
        row
    };
    row.amounts(&[
        ("official_amount", line.list),
        ("discount_amount", line.list - line.paid),
        ("cash_amount", line.paid),
        ("credit_amount", NONE),
        ("coupon_amount", NONE),
        ("flexipurchase_coupon_amount", NONE),
        ("stored_card_amount", NONE),
        ("bonus_amount", NONE),
        ("debt_amount", NONE),
        ("adjustment_amount", NONE),
    ])
}

fn fee_record(line: &Line<'_>, cut: Cut, english: bool) -> Result<Row> {
    let names = names(line.what.good, english);
    let (usage_type, unit) = match line.what.good {
        Good::Traffic => ("upflow", GIGABYTES_UNIT),
        _ => ("Duration", HOURS_UNIT),
    };
    shared_fields(line, cut, english)?
        .texts(&[
            ("resource_type", names.resource),
            ("resource_id", &line.what.resource_id),
            ("product_id", &format!("EXAMPLE-{}", line.what.spec)),
            ("product_name", &line.what.spec),
            ("trade_time", &zulu(floor_hour(line.to) + TimeDelta::hours(1))),
            ("charge_mode", &line.mode.to_string()),
            ("usage_type", usage_type),
        ])?
        .with("usage_measure_id", unit)?
        .amounts(&[
            ("amount", line.paid),
            ("usage", line.usage),
            ("spec_size", Decimal::from(line.what.size)),
            ("unit_price", unit_price(line.what).0),
        ])
}

#[derive(Debug, Deserialize)]
struct Query {
    cycle: Option<String>,
    cloud_service_type: Option<String>,
    resource_type: Option<String>,
    region: Option<String>,
    res_instance_id: Option<String>,
    charge_mode: Option<u32>,
    bill_type: Option<u32>,
    offset: Option<usize>,
    limit: Option<usize>,
    statistic_type: Option<u32>,
    bill_cycle_begin: Option<String>,
    bill_cycle_end: Option<String>,
}

pub(super) fn record_details(call: &Call<'_>, world: &World) -> Result<Answer> {
    let query: Query = call
        .request
        .json()
        .map_err(|error| Fault::bad("CBC.0100", format!("Parameter error: {error}")))?;
    let english = in_english(call);
    let cut = Cut::read(query.statistic_type.unwrap_or(1))?;
    let limit = query.limit.unwrap_or(10);
    if !(1..=1000).contains(&limit) {
        return Err(bad("limit"));
    }
    let (begin, end) = match (&query.bill_cycle_begin, &query.bill_cycle_end, &query.cycle) {
        (Some(begin), Some(end), _) => (begin, end),
        (None, None, Some(cycle)) => (cycle, cycle),
        _ => return Err(bad("cycle")),
    };
    let (mut first, last) = (month(begin)?.0, month(end)?.0);
    let filter = Filter {
        service: query.cloud_service_type,
        resource: query.resource_type,
        region: query.region,
        id: query.res_instance_id,
        mode: query.charge_mode.map(|mode| mode.to_string()),
        bill_type: query.bill_type.map(|kind| kind.to_string()),
        days: None,
    };
    let mut found = Vec::new();
    let mut months = 0;
    while first <= last {
        months += 1;
        let Some(next) = first
            .checked_add_months(chrono::Months::new(1))
            .filter(|_| months <= MOST_MONTHS)
        else {
            return Err(bad("bill_cycle_begin or bill_cycle_end"));
        };
        found.extend(
            lines(world, first, next, call.now, cut)
                .into_iter()
                .filter(|line| filter.fits(line)),
        );
        first = next;
    }
    let rows = found
        .iter()
        .skip(query.offset.unwrap_or(0))
        .take(limit)
        .map(|line| record_detail(line, cut, english))
        .collect::<Result<Vec<Row>>>()?;
    let answer = Row::new()
        .with("monthly_records", rows)?
        .with("total_count", found.len())?
        .with("currency", "CNY")?;
    Ok(Answer::json(200, &answer))
}

fn record_detail(line: &Line<'_>, cut: Cut, english: bool) -> Result<Row> {
    let names = names(line.what.good, english);
    let zones: Vec<BTreeMap<&str, &str>> = if line.what.zone.is_empty() {
        Vec::new()
    } else {
        vec![BTreeMap::from([("az_code", line.what.zone.as_str())])]
    };
    shared_fields(line, cut, english)?
        .texts(&[
            ("cycle", &line.date().format("%Y-%m").to_string()),
            // Spelled so in the cloud's own answers.
            ("resource_Type_code", names.resource),
            ("res_instance_id", &line.what.resource_id),
            ("payer_account_id", ACCOUNT_ID),
            ("is_spot", if line.what.spot { "1" } else { "0" }),
        ])?
        .with("charge_mode", line.mode)?
        .with("az_code_infos", zones)?
        .amounts(&[("consume_amount", line.paid)])
}
