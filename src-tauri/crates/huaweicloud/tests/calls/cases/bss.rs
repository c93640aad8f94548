use chrono::NaiveDate;
use huaweicloud::bss::{self, Detail, FeeQuery, Month, Product};
use serde_json::{Value, json};

use super::{Case, PROJECT, REGION, SERVER, case};

fn month() -> Month {
    Month::new(2026, 1).unwrap()
}

fn filtered() -> FeeQuery {
    FeeQuery {
        resource: Some(SERVER.to_owned()),
        service_type: Some("hws.service.type.ec2".to_owned()),
        region: Some(REGION.to_owned()),
        charge_mode: Some(3),
        enterprise_project: Some("0".to_owned()),
        with_zero: true,
        ..FeeQuery::of(month(), Detail::Day)
    }
}

fn products() -> Vec<Product> {
    vec![
        Product::Server {
            flavor: "s6.large.2".into(),
            windows: false,
            zone: Some("cn-north-4a".into()),
        },
        Product::Volume {
            volume_type: "GPSSD".to_owned(),
            size_gb: 40,
        },
        Product::Bandwidth { mbit: 5 },
        Product::Traffic,
    ]
}

/// A price for each of the products: any other answer is refused.
fn priced(body: &mut Value) {
    let rows = ["0", "1", "2", "3"].map(|id| json!({ "id": id, "amount": "0.25", "measure_id": 1 }));
    body["product_rating_results"] = json!(rows);
}

pub fn cases() -> Vec<Case> {
    vec![
        Case {
            service: "bss",
            operation: "ListOnDemandResourceRatings",
            variant: "",
            must: &[],
            rows: "",
            fit: priced,
            run: |client| {
                Box::pin(async move {
                    bss::on_demand_ratings(client, &PROJECT.into(), &products()).await?;
                    Ok(0)
                })
            },
        },
        Case {
            service: "bss",
            operation: "ShowCustomerMonthlySum",
            variant: "",
            must: &["bill_sums.consume_amount"],
            rows: "bill_sums",
            fit: |_| {},
            run: |client| {
                Box::pin(async move { Ok(bss::monthly_sum(client, month()).await?.value.lines.items.len()) })
            },
        },
        Case {
            service: "bss",
            operation: "ListCustomerselfResourceRecords",
            variant: "filtered",
            must: &["fee_records.amount"],
            rows: "fee_records",
            fit: |_| {},
            run: |client| {
                Box::pin(async move {
                    let days = NaiveDate::from_ymd_opt(2026, 1, 2).zip(NaiveDate::from_ymd_opt(2026, 1, 31));
                    let query = FeeQuery { days, ..filtered() };
                    Ok(bss::resource_fees(client, &query).await?.value.rows.items.len())
                })
            },
        },
        Case {
            service: "bss",
            operation: "ListCustomerselfResourceRecords",
            variant: "all",
            must: &["fee_records.amount"],
            rows: "fee_records",
            fit: |_| {},
            run: |client| {
                Box::pin(async move {
                    let query = FeeQuery::of(month(), Detail::Settlement);
                    Ok(bss::resource_fees(client, &query).await?.value.rows.items.len())
                })
            },
        },
        Case {
            service: "bss",
            operation: "ListCustomerselfResourceRecordDetails",
            variant: "filtered",
            must: &["monthly_records.consume_amount"],
            rows: "monthly_records",
            fit: |_| {},
            run: |client| {
                Box::pin(async move {
                    Ok(bss::resource_records(client, &filtered())
                        .await?
                        .value
                        .rows
                        .items
                        .len())
                })
            },
        },
        Case {
            service: "bss",
            operation: "ListCustomerselfResourceRecordDetails",
            variant: "all",
            must: &["monthly_records.consume_amount"],
            rows: "monthly_records",
            fit: |_| {},
            run: |client| {
                Box::pin(async move {
                    let query = FeeQuery::of(month(), Detail::Month);
                    Ok(bss::resource_records(client, &query)
                        .await?
                        .value
                        .rows
                        .items
                        .len())
                })
            },
        },
        Case {
            service: "bss",
            operation: "ShowCustomerAccountBalances",
            variant: "",
            must: &["account_balances.amount"],
            rows: "account_balances",
            fit: |_| {},
            run: |client| Box::pin(async move { Ok(bss::balances(client).await?.value.purses.items.len()) }),
        },
        case!("bss" "ListServiceTypes" "", ["service_types.service_type_code"], "service_types", |client| {
            bss::service_types(client)
        }),
    ]
}
