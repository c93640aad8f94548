//! Bills. Months and days are those of GMT+8. An hour of a pay-per-use product appears an hour or more after its
//! end, and a month is final on the 4th of the next one.

use std::fmt;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use crate::client::{Answer, Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};
use crate::{lenient, wire};

const PAGE: usize = 100;
/// Seconds that the time of bills is ahead of UTC.
const AHEAD: i32 = 8 * 3600;

/// A month of a bill, which begins and ends at midnight of GMT+8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(NaiveDate);

impl Month {
    /// A month of a year, counted from 1; `None` if there is no such month.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        let four_digits = (1000..=9999).contains(&year);
        NaiveDate::from_ymd_opt(year, month, 1)
            .filter(|_| four_digits)
            .map(Self)
    }

    /// The month on whose bill this moment is; `None` for moments in years that bills cannot name.
    pub fn at(moment: DateTime<Utc>) -> Option<Self> {
        let here = moment.with_timezone(&FixedOffset::east_opt(AHEAD)?);
        Self::new(here.year(), here.month())
    }

    fn has(self, day: NaiveDate) -> bool {
        day.year() == self.0.year() && day.month() == self.0.month()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

/// A month's costs of one kind of resource, paid in one way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MonthlyLine {
    /// The service's code, such as `hws.service.type.ec2`.
    #[serde(rename = "service_type_code", default, deserialize_with = "lenient::text")]
    pub service_type: String,
    /// The service's name in the account's language.
    #[serde(default, deserialize_with = "lenient::text")]
    pub service_type_name: String,
    /// The kind of resource, such as `hws.resource.type.vm`.
    #[serde(rename = "resource_type_code", default, deserialize_with = "lenient::text")]
    pub resource_type: String,
    /// Its name in the account's language.
    #[serde(default, deserialize_with = "lenient::text")]
    pub resource_type_name: String,
    /// 1 by year or month, 3 by use, 10 reserved, 11 savings plan.
    #[serde(default, deserialize_with = "lenient::number")]
    pub charging_mode: Option<u32>,
    /// What kind of bill it is: 5 is use, 4 is a refund.
    #[serde(default, deserialize_with = "lenient::number")]
    pub bill_type: Option<u32>,
    /// What is to be paid, after discounts. Refunds are below zero.
    #[serde(rename = "consume_amount", deserialize_with = "lenient::required_decimal")]
    pub amount: Decimal,
    /// The list price.
    #[serde(rename = "official_amount", default, deserialize_with = "lenient::decimal")]
    pub list_amount: Option<Decimal>,
    /// What of it is not paid yet.
    #[serde(rename = "debt_amount", default, deserialize_with = "lenient::decimal")]
    pub debt: Option<Decimal>,
}

/// The costs of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthlySum {
    /// The currency, such as `CNY`.
    pub currency: String,
    /// What is to be paid for everything; `None` if the answer does not say.
    pub total: Option<Decimal>,
    /// What it is made of.
    pub lines: Listing<MonthlyLine>,
}

/// `ShowCustomerMonthlySum`: what a month cost, by kind of resource. Needs `bss:bill:view`.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/BSS/doc?api=ShowCustomerMonthlySum>
///
/// # Errors
/// [`ErrorKind::Permission`] without the right to see bills, or another of [`ErrorKind`].
pub async fn monthly_sum(client: &Client, month: Month) -> Result<Reply<MonthlySum>, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::decimal")]
        consume_amount: Option<Decimal>,
    }
    let call = |offset: usize| {
        Call::get(
            Service::Bss,
            "ShowCustomerMonthlySum",
            ["v2", "bills", "customer-bills", "monthly-sum"],
        )
        .with("bill_cycle", month.to_string())
        .with("offset", offset.to_string())
        .with("limit", PAGE.to_string())
    };
    let (lines, answer) = wire::by_offset(client, "bill_sums", PAGE, call).await?;
    let sum = MonthlySum {
        currency: currency(&answer)?,
        total: answer.parse::<Body>()?.consume_amount,
        lines,
    };
    Ok(answer.reply(sum))
}

/// How finely the fees of a resource are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detail {
    /// One row for the month.
    Month,
    /// One row for each day.
    Day,
    /// One row for each settlement, which is about each hour.
    Settlement,
}

impl Detail {
    fn number(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Day => 2,
            Self::Settlement => 3,
        }
    }
}

/// Which fees to list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FeeQuery {
    /// Of this month.
    pub month: Month,
    /// How finely.
    pub detail: Detail,
    /// Only of this resource.
    pub resource: Option<String>,
    /// Only of this service, such as `hws.service.type.ec2`.
    pub service_type: Option<String>,
    /// Only of this region.
    pub region: Option<String>,
    /// Only what is charged so: 1 by year or month, 3 by use, 10 reserved, 11 savings plan.
    pub charge_mode: Option<u32>,
    /// Only of this enterprise project.
    pub enterprise_project: Option<String>,
    /// Also rows that cost nothing.
    pub with_zero: bool,
    /// Only of these days of the month, both included. [`resource_records`] cannot ask for it.
    pub days: Option<(NaiveDate, NaiveDate)>,
}

impl FeeQuery {
    /// All fees of a month.
    pub fn of(month: Month, detail: Detail) -> Self {
        Self {
            month,
            detail,
            resource: None,
            service_type: None,
            region: None,
            charge_mode: None,
            enterprise_project: None,
            with_zero: false,
            days: None,
        }
    }
}

/// What a resource cost in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Fee {
    /// The resource.
    #[serde(alias = "res_instance_id", default, deserialize_with = "lenient::optional")]
    pub resource_id: Option<String>,
    /// Its name when it was billed.
    #[serde(default, deserialize_with = "lenient::text")]
    pub resource_name: String,
    /// Its tags when it was billed, as one text.
    #[serde(default, deserialize_with = "lenient::text")]
    pub resource_tag: String,
    /// Its region.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub region: Option<String>,
    /// The service, such as `hws.service.type.ec2`.
    #[serde(rename = "cloud_service_type", default, deserialize_with = "lenient::text")]
    pub service_type: String,
    /// The kind of resource, such as `hws.resource.type.vm`.
    #[serde(alias = "resource_Type_code", default, deserialize_with = "lenient::text")]
    pub resource_type: String,
    /// What was counted: `Duration`, or `upflow` for traffic.
    #[serde(default, deserialize_with = "lenient::text")]
    pub usage_type: String,
    /// Its size in words, such as the flavor.
    #[serde(rename = "product_spec_desc", default, deserialize_with = "lenient::text")]
    pub specification: String,
    /// The day, `YYYY-MM-DD` in GMT+8; empty where the row is for a month.
    #[serde(default, deserialize_with = "lenient::text")]
    pub bill_date: String,
    /// What kind of bill it is: 5 is use, 4 is a refund.
    #[serde(default, deserialize_with = "lenient::number")]
    pub bill_type: Option<u32>,
    /// 1 by year or month, 3 by use, 10 reserved, 11 savings plan.
    #[serde(default, deserialize_with = "lenient::number")]
    pub charge_mode: Option<u32>,
    /// From when it was used.
    #[serde(rename = "effective_time", default, deserialize_with = "lenient::time")]
    pub from: Option<DateTime<Utc>>,
    /// Until when it was used.
    #[serde(rename = "expire_time", default, deserialize_with = "lenient::time")]
    pub until: Option<DateTime<Utc>>,
    /// What is to be paid, after discounts. Refunds are below zero.
    #[serde(alias = "consume_amount", deserialize_with = "lenient::required_decimal")]
    pub amount: Decimal,
    /// The list price.
    #[serde(rename = "official_amount", default, deserialize_with = "lenient::decimal")]
    pub list_amount: Option<Decimal>,
}

/// Fees of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fees {
    /// The currency, such as `CNY`.
    pub currency: String,
    /// A row for each resource and stretch of time. While some were left out, a sum of them is too small.
    pub rows: Listing<Fee>,
}

/// `ListCustomerselfResourceRecords`: what each resource cost, down to the hour. Needs `bss:bill:view`.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/BSS/doc?api=ListCustomerselfResourceRecords>
///
/// # Errors
/// [`ErrorKind::Invalid`] if the days are not of the month, or another of [`ErrorKind`].
pub async fn resource_fees(client: &Client, query: &FeeQuery) -> Result<Reply<Fees>, Error> {
    const ACTION: &str = "ListCustomerselfResourceRecords";
    if let Some((first, last)) = query.days
        && !(first <= last && query.month.has(first) && query.month.has(last))
    {
        return Err(refused(ACTION, "the days must be in order and of the month"));
    }
    let day = |day: NaiveDate| day.format("%Y-%m-%d").to_string();
    let filters: Vec<(&str, String)> = [
        ("resource_id", query.resource.clone()),
        ("cloud_service_type", query.service_type.clone()),
        ("region", query.region.clone()),
        ("charge_mode", query.charge_mode.map(|mode| mode.to_string())),
        ("enterprise_project_id", query.enterprise_project.clone()),
        ("bill_date_begin", query.days.map(|(first, _)| day(first))),
        ("bill_date_end", query.days.map(|(_, last)| day(last))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let call = |offset: usize| {
        let call = Call::get(
            Service::Bss,
            ACTION,
            ["v2", "bills", "customer-bills", "res-fee-records"],
        )
        .with("cycle", query.month.to_string())
        .with("statistic_type", query.detail.number().to_string())
        .with("include_zero_record", query.with_zero.to_string())
        .with("offset", offset.to_string())
        .with("limit", PAGE.to_string());
        filters
            .iter()
            .fold(call, |call, (name, value)| call.with(name, value))
    };
    fees(client, "fee_records", call).await
}

/// `ListCustomerselfResourceRecordDetails`: the same fees as the bill has them, for a month. Needs `bss:bill:view`.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/BSS/doc?api=ListCustomerselfResourceRecordDetails>
///
/// # Errors
/// [`ErrorKind::Invalid`] if days are asked for, or another of [`ErrorKind`].
pub async fn resource_records(client: &Client, query: &FeeQuery) -> Result<Reply<Fees>, Error> {
    const ACTION: &str = "ListCustomerselfResourceRecordDetails";
    if query.days.is_some() {
        return Err(refused(ACTION, "this call cannot be asked for days"));
    }
    let call = |offset: usize| {
        let body = json!({
            "cycle": query.month.to_string(),
            "statistic_type": query.detail.number(),
            "include_zero_record": query.with_zero,
            "res_instance_id": query.resource,
            "cloud_service_type": query.service_type,
            "region": query.region,
            "charge_mode": query.charge_mode,
            "enterprise_project_id": query.enterprise_project,
            "offset": offset,
            "limit": PAGE,
        });
        let path = ["v2", "bills", "customer-bills", "res-records", "query"];
        Call::post(Service::Bss, ACTION, path, wire::body(body))
    };
    fees(client, "monthly_records", call).await
}

async fn fees<'a>(
    client: &Client,
    key: &str,
    call: impl Fn(usize) -> Call<'a>,
) -> Result<Reply<Fees>, Error> {
    let (rows, answer) = wire::by_offset(client, key, PAGE, call).await?;
    let fees = Fees {
        currency: currency(&answer)?,
        rows,
    };
    Ok(answer.reply(fees))
}

/// The currency of an answer, which is the yuan when it does not say.
pub(super) fn currency(answer: &Answer) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::optional")]
        currency: Option<String>,
    }
    let currency = answer.parse::<Body>()?.currency;
    Ok(currency.unwrap_or_else(|| "CNY".to_owned()))
}

fn refused(action: &'static str, message: &str) -> Error {
    Error::local(ErrorKind::Invalid, Some(Service::Bss), action, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_of_a_bill_begins_at_midnight_of_gmt_8() {
        let month = |text: &str| {
            let moment = DateTime::parse_from_rfc3339(text).unwrap().to_utc();
            Month::at(moment).unwrap().to_string()
        };
        assert_eq!(month("2025-12-31T15:59:59Z"), "2025-12");
        assert_eq!(
            month("2025-12-31T16:00:00Z"),
            "2026-01",
            "it is the new year there"
        );
    }

    #[test]
    fn there_are_twelve_months() {
        assert_eq!(Month::new(2026, 1).unwrap().to_string(), "2026-01");
        assert_eq!(Month::new(2026, 0), None);
        assert_eq!(Month::new(2026, 13), None);
        assert_eq!(Month::new(12026, 1), None, "it would not be four digits");
    }
}
