//! A region whose own time runs faster than that of its callers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use common::{Cloud, cloud, fast};
use huaweicloud::signing::obs::DATE_FORMAT;
use sandbox::Options;
use serde_json::json;

/// A day goes by in a minute.
const DAY_A_MINUTE: f64 = 1440.0;

fn rushed() -> Options {
    Options {
        clock_speed: DAY_A_MINUTE,
        ..fast()
    }
}

/// The region's time, and that of the wire.
async fn times(cloud: &Cloud) -> (DateTime<Utc>, DateTime<Utc>) {
    let health = cloud.control("GET", "/health", None).await.ok();
    let read = |key: &str| health[key].as_str().unwrap().parse().unwrap();
    (read("time"), read("wire_time"))
}

#[tokio::test]
async fn a_server_with_an_hours_lease_is_gone_within_seconds_and_its_bill_shows_the_hour() {
    let cloud = cloud(rushed()).await;
    let began = Instant::now();
    let mut order = cloud.order("short").await;
    let (start, _) = times(&cloud).await;
    let end = start + TimeDelta::minutes(60);
    order["server"]["auto_terminate_time"] = json!(end.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let (job, id) = cloud.create(&order).await;
    cloud.settled(&job).await;
    let server = cloud.server(&id).await.ok()["server"].clone();
    assert_eq!(server["status"], "ACTIVE", "it runs until its lease ends");
    let launched = server["OS-SRV-USG:launched_at"].as_str().unwrap();
    let launched = chrono::NaiveDateTime::parse_from_str(launched, "%Y-%m-%dT%H:%M:%S%.f")
        .unwrap()
        .and_utc();
    while cloud.server(&id).await.status != 404 {
        assert!(began.elapsed() < Duration::from_secs(15), "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    assert!(
        took > Duration::from_millis(2000),
        "not before its time: {took:?}"
    );
    let (gone, _) = times(&cloud).await;
    assert!(gone >= end - TimeDelta::minutes(1), "{gone} {end}");

    // An hour is on the bill an hour after its end, which is soon here.
    let month = |time: DateTime<Utc>| (time + TimeDelta::hours(8)).format("%Y-%m").to_string();
    let months = std::collections::BTreeSet::from([month(start), month(gone)]);
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (now, _) = times(&cloud).await;
        if now > gone + TimeDelta::hours(3) {
            break;
        }
        assert!(Instant::now() < deadline, "the region's clock stands");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (mut hours, mut paid) = (0.0, 0.0);
    for month in months {
        let path =
            format!("/v2/bills/customer-bills/res-fee-records?cycle={month}&resource_id={id}&limit=100");
        let bill = cloud.call("ada", "GET", "bss", &path, None).await.ok();
        for row in bill["fee_records"].as_array().unwrap() {
            hours += row["usage"].as_f64().unwrap();
            paid += row["amount"].as_f64().unwrap();
        }
    }
    // From the boot to the lease's end at least, which is a whole minute; then the next sweep took it.
    let between = |from: DateTime<Utc>, to: DateTime<Utc>| (to - from).num_seconds() as f64 / 3600.0;
    let least = between(launched, end) - 1.0 / 60.0;
    assert!(
        (least - 0.01..=between(launched, gone) + 0.01).contains(&hours),
        "{hours} hours, launched {launched}, lease until {end}, gone at {gone}"
    );
    assert!(least > 0.5, "an hour's lease is for an hour: {least}");
    assert!(
        (paid - hours * 0.31 * 0.9).abs() < 1e-3,
        "at the hour's price: {paid}"
    );
}

#[tokio::test]
async fn callers_sign_by_their_own_clock_and_date_says_that_one() {
    let cloud = cloud(rushed()).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (region, wire) = times(&cloud).await;
    assert!(region - wire > TimeDelta::minutes(30), "{region} {wire}");
    assert!((wire - Utc::now()).abs() < TimeDelta::seconds(5), "{wire}");
    let got = cloud.ecs("GET", "/v1/{P}/cloudservers/limits", None).await;
    assert_eq!(
        got.status, 200,
        "the window of a signature is not the region's: {got:?}"
    );
    let date = got.headers["date"].to_str().unwrap();
    let date = chrono::NaiveDateTime::parse_from_str(date, DATE_FORMAT)
        .unwrap()
        .and_utc();
    assert!((date - Utc::now()).abs() < TimeDelta::seconds(5), "{date}");
    // A wrong clock is still one, and the refusal says by how much.
    cloud
        .control("POST", "/clock", Some(json!({"offset_s": 1800})))
        .await
        .ok();
    let got = cloud.ecs("GET", "/v1/{P}/cloudservers/limits", None).await;
    assert_eq!(got.code(), (401, "APIGW.0301".to_owned()));
    let date = got.headers["date"].to_str().unwrap();
    let date = chrono::NaiveDateTime::parse_from_str(date, DATE_FORMAT)
        .unwrap()
        .and_utc();
    assert!(
        (date - Utc::now() - TimeDelta::seconds(1800)).abs() < TimeDelta::seconds(5),
        "{date}"
    );
}

#[tokio::test]
async fn a_region_that_ran_ahead_does_not_go_back_in_time_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let state_file = Some(folder.path().join("state.json"));
    let first = cloud(Options {
        state_file: state_file.clone(),
        ..rushed()
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (before, _) = times(&first).await;
    first.running.stop().await.unwrap();
    let second = cloud(Options { state_file, ..fast() }).await;
    let (after, wire) = times(&second).await;
    assert!(after >= before, "{after} {before}");
    assert!(after - wire > TimeDelta::minutes(5), "and stays ahead");
}

#[tokio::test]
async fn a_clock_that_stands_or_runs_backwards_is_none() {
    for clock_speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = sandbox::Sandbox::start(Options {
            clock_speed,
            ..fast()
        })
        .await;
        assert!(refused.is_err(), "{clock_speed}");
    }
}
