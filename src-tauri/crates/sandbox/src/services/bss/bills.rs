//! Bills of what ran: by the hour, late by an hour, in days and months of GMT+8.
//!
//! All lines come from the record of usage, so a bill is the same whenever it is asked for; only the examples of the time before the
//! sandbox's first start were put there when the world was made. Each hour's amount is rounded by itself and days and months
//! are sums of hours, so all views of a bill agree.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, DurationRound, FixedOffset, NaiveDate, TimeDelta, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{
    super::{Call, Result, zulu},
    SERVICE_TYPES, YUAN, bad, in_english, number, paging,
};
use crate::{
    catalogue::{self, Os},
    faults::Fault,
    users::{ACCOUNT_ID, ACCOUNT_NAME},
    wire::Answer,
    world::{Good, Region, Stretch, World},
};

/// Digits of one hour's amount.
const DIGITS: u32 = 8;
const PAY_PER_USE: u32 = 3;
const BY_PERIOD: u32 = 1;
const HOURS_UNIT: u32 = 4;
const GIGABYTES_UNIT: u32 = 10;
/// How many months one call can ask for.
const MOST_MONTHS: usize = 12;

/// How finely a bill is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Month,
    Day,
    Hour,
}

impl Cut {
    fn read(number: u32) -> Result<Self> {
        match number {
            1 => Ok(Self::Month),
            2 => Ok(Self::Day),
            3 => Ok(Self::Hour),
            _ => Err(bad("statistic_type")),
        }
    }
}

/// What one thing cost in one hour, day or month.
#[derive(Debug, Clone)]
struct Line<'a> {
    region: &'a Region,
    what: &'a Stretch,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// Hours or GB.
    usage: Decimal,
    list: Decimal,
    paid: Decimal,
    mode: u32,
}

impl Line<'_> {
    fn date(&self) -> NaiveDate {
        self.from.with_timezone(&beijing()).date_naive()
    }

    fn bill_type(&self) -> u32 {
        if self.mode == BY_PERIOD { 1 } else { 5 }
    }

    fn id(&self) -> String {
        let text = format!(
            "{}|{:?}|{}",
            self.what.resource_id,
            self.what.good,
            self.from.timestamp()
        );
        hex::encode(Sha256::digest(text)).chars().take(32).collect()
    }
}

/// Codes and names of a good.
struct Names {
    service: &'static str,
    service_name: &'static str,
    resource: &'static str,
    resource_name: &'static str,
}

fn names(good: Good, english: bool) -> Names {
    let (position, resource, chinese, name) = match good {
        Good::Server => (0, "hws.resource.type.vm", "云主机", "VM"),
        Good::Disk => (1, "hws.resource.type.volume", "云硬盘", "Disk"),
        Good::Bandwidth | Good::Traffic => (2, "hws.resource.type.bandwidth", "带宽", "Bandwidth"),
        Good::IdleAddress => (2, "hws.resource.type.ip", "弹性公网IP", "Elastic IP"),
    };
    let (service, service_chinese, service_english, _) =
        SERVICE_TYPES.get(position).copied().unwrap_or_default();
    Names {
        service,
        service_name: if english { service_english } else { service_chinese },
        resource,
        resource_name: if english { name } else { chinese },
    }
}

fn beijing() -> FixedOffset {
    // Eight hours are less than a day, so the offset exists.
    FixedOffset::east_opt(8 * 3600).unwrap_or_else(|| chrono::Offset::fix(&Utc))
}

/// Midnight of the day in GMT+8.
fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::hours(8)
}

/// First day of the month and of the next one.
fn month(text: &str) -> Result<(NaiveDate, NaiveDate)> {
    let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").map_err(|_| bad("the cycle"))?;
    let next = first
        .checked_add_months(chrono::Months::new(1))
        .filter(|_| text.len() == 7 && (2015..2100).contains(&first.year()))
        .ok_or_else(|| bad("the cycle"))?;
    Ok((first, next))
}

/// List price and paid price of one unit: an hour, or a GB of traffic.
fn unit_price(what: &Stretch) -> (Decimal, Decimal) {
    let same = |price: Decimal| (price, price);
    match what.good {
        Good::Server => {
            let (id, os) = match what.spec.strip_suffix(".win") {
                Some(id) => (id, Os::Windows),
                None => (what.spec.trim_end_matches(".linux"), Os::Linux),
            };
            let list = catalogue::flavor(id).map_or(Decimal::ZERO, |flavor| flavor.hour(os));
            (list, list * catalogue::server_discount())
        }
        Good::Disk => same(
            catalogue::disk_type(&what.spec).map_or(Decimal::ZERO, |kind| kind.gb_hour())
                * Decimal::from(what.size),
        ),
        Good::Bandwidth => same(catalogue::bandwidth_hour(what.size)),
        Good::Traffic => same(catalogue::traffic_gb()),
        Good::IdleAddress => same(catalogue::idle_address_hour()),
    }
}

/// Made-up GB that went out in one hour: up to half a GB, the same whenever it is asked for.
fn traffic(id: &str, hour: DateTime<Utc>) -> Decimal {
    let digest = Sha256::digest(format!("{id}|{}", hour.timestamp()));
    let first = digest.first().copied().unwrap_or_default();
    Decimal::new(i64::from(first) * 2, 3)
}

fn floor_hour(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::hours(1)).unwrap_or(time)
}

/// Everything billed for hours between the two days, as far as it has been settled.
fn lines<'a>(
    world: &'a World,
    first: NaiveDate,
    next: NaiveDate,
    now: DateTime<Utc>,
    cut: Cut,
) -> Vec<Line<'a>> {
    let (start, end) = (midnight(first), midnight(next));
    // An hour is on the bill one hour after its end.
    let settled = floor_hour(now) - TimeDelta::hours(1);
    let mut lines: Vec<Line<'a>> = Vec::new();
    for region in &world.regions {
        for what in region.usage.stretches() {
            let until = what.to.unwrap_or(settled).min(settled).min(end);
            let mut from = what.from.max(start);
            let (list, paid) = unit_price(what);
            let mut last: Option<Line<'a>> = None;
            while from < until {
                let hour = floor_hour(from);
                let to = (hour + TimeDelta::hours(1)).min(until);
                let part = Decimal::from((to - from).num_seconds()) / Decimal::from(3600);
                let usage = match what.good {
                    Good::Traffic => traffic(&what.resource_id, hour) * part,
                    _ => part,
                };
                let line = Line {
                    region,
                    what,
                    from,
                    to,
                    usage: usage.round_dp(DIGITS),
                    list: (list * usage).round_dp(DIGITS),
                    paid: (paid * usage).round_dp(DIGITS),
                    mode: PAY_PER_USE,
                };
                match &mut last {
                    Some(sum) if cut == Cut::Month || (cut == Cut::Day && sum.date() == line.date()) => {
                        sum.to = line.to;
                        sum.usage += line.usage;
                        sum.list += line.list;
                        sum.paid += line.paid;
                    }
                    _ => lines.extend(last.replace(line)),
                }
                from = to;
            }
            lines.extend(last);
        }
        lines.extend(by_the_month(region, start, end, now));
    }
    lines.sort_by(|one, other| {
        (one.from, &one.what.resource_id, one.what.good).cmp(&(
            other.from,
            &other.what.resource_id,
            other.what.good,
        ))
    });
    lines
}

/// Servers that are paid by the month: thirty days at a time, in advance, on the hour-by-hour price less a third.
fn by_the_month<'a>(
    region: &'a Region,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for what in region.usage.by_the_month() {
        let (list, paid) = unit_price(what);
        let hours = Decimal::from(30 * 24);
        let share = Decimal::new(67, 2);
        let mut from = what.from;
        while from < end && from <= now {
            if from >= start {
                lines.push(Line {
                    region,
                    what,
                    from,
                    to: from + TimeDelta::days(30),
                    usage: Decimal::ONE,
                    list: (list * hours * share).round_dp(2),
                    paid: (paid * hours * share).round_dp(2),
                    mode: BY_PERIOD,
                });
            }
            from += TimeDelta::days(30);
        }
    }
    lines
}

/// What has been paid in the month that it is now.
pub(super) fn this_month(world: &World, now: DateTime<Utc>) -> Decimal {
    let today = now.with_timezone(&beijing()).date_naive();
    match month(&today.format("%Y-%m").to_string()) {
        Ok((first, next)) => lines(world, first, next, now, Cut::Month)
            .iter()
            .map(|line| line.paid)
            .sum(),
        Err(_) => Decimal::ZERO,
    }
}

/// A JSON object with decimals in it, in the order of writing.
struct Row(Vec<(&'static str, Box<RawValue>)>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Row {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn amounts(mut self, amounts: &[(&'static str, Decimal)]) -> Result<Self> {
        for (key, amount) in amounts {
            self.0.push((key, number(*amount)?));
        }
        Ok(self)
    }

    fn with(mut self, key: &'static str, value: impl Serialize) -> Result<Self> {
        let value = serde_json::value::to_raw_value(&value)
            .map_err(|_| Fault::new(500, "CBC.0999", "The bill could not be written."))?;
        self.0.push((key, value));
        Ok(self)
    }

    fn texts(mut self, texts: &[(&'static str, &str)]) -> Result<Self> {
        for (key, text) in texts {
            self = self.with(key, text)?;
        }
        Ok(self)
    }
}

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
            ("is_spot", "0"),
        ])?
        .with("charge_mode", line.mode)?
        .with("az_code_infos", zones)?
        .amounts(&[("consume_amount", line.paid)])
}
