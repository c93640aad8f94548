//! Bills: examples for past months, and for the present what really ran.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use common::{Cloud, Got, cloud, fast};
use serde_json::{Value, json};

async fn bss(cloud: &Cloud, user: &str, path: &str) -> Got {
    cloud.call(user, "GET", "bss", path, None).await
}

fn cycle(time: DateTime<Utc>) -> String {
    (time + TimeDelta::hours(8)).format("%Y-%m").to_string()
}

fn last_month(now: DateTime<Utc>) -> String {
    let local = now + TimeDelta::hours(8);
    cycle(local - TimeDelta::days(i64::from(local.day()) + 1))
}

fn sum<'a>(rows: impl IntoIterator<Item = &'a Value>, key: &str) -> f64 {
    rows.into_iter().map(|row| row[key].as_f64().unwrap()).sum()
}

#[tokio::test]
async fn a_past_month_has_examples_of_everybody_tagged_and_not_and_all_views_agree() {
    let cloud = cloud(fast()).await;
    let month = last_month(cloud.now());
    let sums = bss(
        &cloud,
        "mia",
        &format!("/v2/bills/customer-bills/monthly-sum?bill_cycle={month}"),
    )
    .await
    .ok();
    assert!(
        sums["total_count"].as_u64().unwrap() >= 3,
        "servers, disks, traffic: {sums}"
    );
    let total = sums["consume_amount"].as_f64().unwrap();
    assert!(total > 10.0, "{total}");

    let query = |kind: u32, offset: usize| json!({"cycle": month, "statistic_type": kind, "limit": 1000, "offset": offset});
    let mut totals = Vec::new();
    for kind in [1, 2, 3] {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let body = query(kind, rows.len());
            let path = "/v2/bills/customer-bills/res-records/query";
            let page = cloud.call("ada", "POST", "bss", path, Some(&body)).await.ok();
            rows.extend(page["monthly_records"].as_array().unwrap().iter().cloned());
            if rows.len() as u64 >= page["total_count"].as_u64().unwrap() {
                break;
            }
        }
        totals.push(sum(&rows, "consume_amount"));
        if kind == 1 {
            let tags: Vec<&str> = rows
                .iter()
                .map(|row| row["resource_tag"].as_str().unwrap())
                .collect();
            for owner in ["ada", "bo", "chen", "mia"] {
                let of = format!("owner:{owner}");
                assert!(tags.iter().any(|tags| tags.contains(&of)), "{owner} has none");
            }
            assert!(tags.contains(&""), "some carry no tags");
            assert!(
                rows.iter()
                    .any(|row| row["resource_Type_code"] == "hws.resource.type.bandwidth"),
                "traffic is on the bill"
            );
            assert!(
                rows.iter()
                    .any(|row| row["resource_name"].as_str().unwrap().starts_with("example-"))
            );
        }
    }
    assert!(
        (totals[0] - totals[1]).abs() < 1e-6 && (totals[0] - totals[2]).abs() < 1e-6,
        "{totals:?}"
    );
    assert!(
        (0.0..0.1).contains(&(totals[0] - total)),
        "only parts of a fen are cut off: {totals:?} {total}"
    );
}

#[tokio::test]
async fn an_hour_that_ran_is_on_the_bill_an_hour_later_and_not_before() {
    let cloud = cloud(fast()).await;
    // Just after a full hour in the middle of a month, so that no border is crossed.
    let now = Utc::now();
    let target = (now + TimeDelta::days(40)).date_naive().with_day(15).unwrap();
    let target = target.and_hms_opt(2, 1, 0).unwrap().and_utc();
    let offset = (target - now).num_seconds();
    cloud.move_clock(offset).await;
    let mut order = cloud.order("billed").await;
    order["server"]["auto_terminate_time"] = Value::Null;
    order["server"]
        .as_object_mut()
        .unwrap()
        .remove("auto_terminate_time");
    let (job, id) = cloud.create(&order).await;
    cloud.settled(&job).await;

    let month = cycle(target);
    let records = async || {
        let path =
            format!("/v2/bills/customer-bills/res-fee-records?cycle={month}&resource_id={id}&limit=100");
        bss(&cloud, "ada", &path).await.ok()
    };
    cloud.move_clock(offset + 3600).await;
    assert_eq!(
        records().await["total_count"],
        0,
        "the hour is over, but not settled"
    );
    cloud.move_clock(offset + 7200).await;
    let bill = records().await;
    assert_eq!(bill["total_count"], 1, "{bill}");
    let row = &bill["fee_records"][0];
    let (usage, list) = (
        row["usage"].as_f64().unwrap(),
        row["official_amount"].as_f64().unwrap(),
    );
    assert!(
        (0.95..0.99).contains(&usage),
        "a minute less than an hour: {usage}"
    );
    assert!((list - usage * 0.31).abs() < 1e-6, "{list}");
    assert!((row["amount"].as_f64().unwrap() - list * 0.9).abs() < 1e-6);
    assert!(row["resource_tag"].as_str().unwrap().contains("owner:ada"));

    let delete = json!({"servers": [{"id": id}], "delete_publicip": true, "delete_volume": true});
    let deleted = cloud
        .ecs("POST", "/v1/{P}/cloudservers/delete", Some(&delete))
        .await
        .ok();
    cloud.settled(deleted["job_id"].as_str().unwrap()).await;
    cloud.move_clock(offset + 10 * 3600).await;
    let bill = records().await;
    let hours = sum(bill["fee_records"].as_array().unwrap(), "usage");
    assert!(
        (1.9..2.1).contains(&hours),
        "it cost until it was deleted: {hours}"
    );
}

#[tokio::test]
async fn days_and_months_are_those_of_beijing() {
    let cloud = cloud(fast()).await;
    let month = last_month(cloud.now());
    let path = format!("/v2/bills/customer-bills/res-fee-records?cycle={month}&statistic_type=2&limit=1000");
    let bill = bss(&cloud, "ada", &path).await.ok();
    let mut seen = 0;
    for row in bill["fee_records"].as_array().unwrap() {
        let from: DateTime<Utc> = row["effective_time"].as_str().unwrap().parse().unwrap();
        let date = (from + TimeDelta::hours(8)).format("%Y-%m-%d").to_string();
        assert_eq!(row["bill_date"], date);
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
    let days = format!("{path}&bill_date_begin={month}-10&bill_date_end={month}-12");
    let some = bss(&cloud, "ada", &days).await.ok();
    let rows = some["fee_records"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.len() < seen);
    for row in rows {
        let date = row["bill_date"].as_str().unwrap();
        let day = date.rsplit('-').next().unwrap();
        assert!(("10"..="12").contains(&day), "{date}");
    }
}

#[tokio::test]
async fn who_may_not_see_money_gets_list_prices_and_no_bill() {
    let cloud = cloud(fast()).await;
    let body = json!({"project_id": cloud.project(), "product_infos": [{
        "id": "1", "cloud_service_type": "hws.service.type.ec2", "resource_type": "hws.resource.type.vm",
        "resource_spec": "s6.large.2.linux", "region": "sandbox-1", "usage_factor": "Duration", "usage_value": 1,
        "usage_measure_id": 4, "subscription_num": 1}]});
    let path = "/v2/bills/ratings/on-demand-resources";
    let chen = cloud.call("chen", "POST", "bss", path, Some(&body)).await.ok();
    assert_eq!(chen["amount"], 0.31, "the list price");
    assert!(chen.get("discount_amount").is_none(), "{chen}");
    assert!(
        chen["product_rating_results"][0]
            .get("discount_rating_results")
            .is_none()
    );
    let ada = cloud.call("ada", "POST", "bss", path, Some(&body)).await.ok();
    assert_eq!(
        (&ada["amount"], &ada["discount_amount"]),
        (&json!(0.279), &json!(0.031))
    );

    let balances = "/v2/accounts/customer-accounts/balances";
    let bill = format!(
        "/v2/bills/customer-bills/monthly-sum?bill_cycle={}",
        cycle(cloud.now())
    );
    for (user, path) in [
        ("chen", bill.as_str()),
        ("guest", &bill),
        ("ada", balances),
        ("guest", balances),
    ] {
        let got = bss(&cloud, user, path).await;
        assert_eq!(
            (got.status, &got.json()["error_code"]),
            (403, &json!("CBC.0151")),
            "{user} {path}"
        );
    }
    let mia = bss(&cloud, "mia", balances).await.ok();
    assert_eq!(mia["account_balances"][0]["account_type"], 1);
    assert!(mia["account_balances"][0]["amount"].as_f64().unwrap() > 0.0);

    let many: Vec<Value> = (0..101)
        .map(|number| {
            let mut row = body["product_infos"][0].clone();
            row["id"] = json!(number.to_string());
            row
        })
        .collect();
    let body = json!({"project_id": cloud.project(), "product_infos": many});
    let got = cloud.call("ada", "POST", "bss", path, Some(&body)).await;
    assert_eq!(
        (got.status, &got.json()["error_code"]),
        (400, &json!("CBC.0100")),
        "101 products"
    );
}

#[tokio::test]
async fn the_site_can_be_asked_for_and_can_be_the_other_one() {
    let cloud = cloud(fast()).await;
    let path = "/v2/products/service-types?limit=1";
    let types = bss(&cloud, "guest", path).await.ok();
    assert_eq!(
        (
            &types["total_count"],
            types["service_types"].as_array().unwrap().len()
        ),
        (&json!(3), 1)
    );
    let rule =
        json!({"do": "status", "status": 403, "code": "CBC.0150", "message": "other site", "service": "bss"});
    assert_eq!(cloud.control("POST", "/mishaps", Some(rule)).await.status, 204);
    let got = bss(&cloud, "ada", path).await;
    assert_eq!((got.status, &got.json()["error_code"]), (403, &json!("CBC.0150")));
}

#[tokio::test]
async fn bills_that_make_no_sense_are_refused() {
    let cloud = cloud(fast()).await;
    let month = cycle(cloud.now());
    for path in [
        "/v2/bills/customer-bills/monthly-sum".to_owned(),
        "/v2/bills/customer-bills/monthly-sum?bill_cycle=2026-13".to_owned(),
        "/v2/bills/customer-bills/res-fee-records?cycle=2026-1".to_owned(),
        format!("/v2/bills/customer-bills/res-fee-records?cycle={month}&limit=1001"),
        format!("/v2/bills/customer-bills/res-fee-records?cycle={month}&statistic_type=4"),
        format!("/v2/bills/customer-bills/res-fee-records?cycle={month}&bill_date_begin={month}-01"),
    ] {
        let got = bss(&cloud, "mia", &path).await;
        assert_eq!(
            (got.status, &got.json()["error_code"]),
            (400, &json!("CBC.0100")),
            "{path}"
        );
    }
}
