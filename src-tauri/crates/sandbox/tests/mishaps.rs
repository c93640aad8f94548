//! What can be made to go wrong on the wire, through the control listener and the library.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::{Duration, Instant};

use common::{Cloud, cloud, fast};
use serde_json::{Value, json};

const LIST: &str = "/v1/{P}/cloudservers/detail";

async fn cause(cloud: &Cloud, rule: Value) {
    let got = cloud.control("POST", "/mishaps", Some(rule)).await;
    assert_eq!(got.status, 204, "{}", got.text);
}

async fn list(cloud: &Cloud) -> reqwest::Result<common::Got> {
    let keys = cloud.credentials("ada");
    cloud
        .call_with(&keys, cloud.now(), "GET", "ecs", LIST, &[], None)
        .await
}

#[tokio::test]
async fn refusals_come_in_the_clouds_own_words_as_often_as_asked() {
    let cloud = cloud(fast()).await;
    cause(
        &cloud,
        json!({"do": "throttle", "limit": 20, "minutes": 1, "service": "ecs", "path": "/detail", "count": 1}),
    )
    .await;
    let limits = cloud.ecs("GET", "/v1/{P}/cloudservers/limits", None).await;
    assert_eq!(limits.status, 200, "another path");
    let got = list(&cloud).await.unwrap();
    assert_eq!(
        (got.status, &got.json()["error_code"]),
        (429, &json!("APIGW.0308"))
    );
    assert!(
        got.text
            .contains("policy user over ratelimit,limit:20,time:1 minute"),
        "{}",
        got.text
    );
    assert_eq!(list(&cloud).await.unwrap().status, 200, "the count is used up");

    cause(&cloud, json!({"do": "flow_limit", "count": 1})).await;
    let got = list(&cloud).await.unwrap();
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (202, &json!("Common.0024"))
    );
    cause(&cloud, json!({"do": "flow_control", "count": 1})).await;
    let got = list(&cloud).await.unwrap();
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (503, &json!("Common.1503"))
    );
    cause(
        &cloud,
        json!({"do": "status", "status": 500, "code": "Ecs.0000", "retry_after_s": 3, "count": 1}),
    )
    .await;
    let got = list(&cloud).await.unwrap();
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (500, &json!("Ecs.0000"))
    );
    assert_eq!(got.headers["retry-after"], "3");
    cause(&cloud, json!({"do": "proxy", "status": 502, "count": 1})).await;
    let got = list(&cloud).await.unwrap();
    assert_eq!((got.status, got.text.starts_with("<html>")), (502, true));

    cause(&cloud, json!({"do": "flow_control"})).await;
    for _ in 0..3 {
        assert_eq!(list(&cloud).await.unwrap().status, 503, "until it is cleared");
    }
    assert_eq!(cloud.control("DELETE", "/mishaps", None).await.status, 204);
    assert_eq!(list(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_cut_before_does_nothing_and_a_cut_after_does_it_unseen() {
    let cloud = cloud(fast()).await;
    let order = cloud.order("cut").await;
    let create = async || {
        let keys = cloud.credentials("ada");
        let path = "/v1.1/{P}/cloudservers";
        cloud
            .call_with(&keys, cloud.now(), "POST", "ecs", path, &[], Some(&order))
            .await
    };
    let named = async || {
        let rows = cloud.ecs("GET", &format!("{LIST}?name=cut"), None).await.ok();
        rows["count"].as_u64().unwrap()
    };
    cause(&cloud, json!({"do": "cut_before", "method": "post", "count": 1})).await;
    assert!(create().await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(named().await, 0);
    cause(&cloud, json!({"do": "cut_after", "method": "POST", "count": 1})).await;
    assert!(create().await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(named().await, 1);
}

#[tokio::test]
async fn bodies_come_late_in_half_or_broken() {
    let cloud = cloud(fast()).await;
    cause(&cloud, json!({"do": "slow", "delay_ms": 300, "count": 1})).await;
    let before = Instant::now();
    assert_eq!(list(&cloud).await.unwrap().status, 200);
    assert!(before.elapsed() >= Duration::from_millis(300));

    cause(&cloud, json!({"do": "truncated", "count": 1})).await;
    let error = list(&cloud).await.unwrap_err();
    assert!(
        error.is_body() || error.is_decode() || error.is_request(),
        "{error:?}"
    );
    cause(&cloud, json!({"do": "malformed", "count": 1})).await;
    let got = list(&cloud).await.unwrap();
    assert_eq!(got.status, 200);
    assert!(serde_json::from_str::<Value>(&got.text).is_err(), "{}", got.text);
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused() {
    let cloud = cloud(fast()).await;
    for rule in [
        json!({"do": "dance"}),
        json!({"do": "status", "status": 42}),
        json!({"do": "cut_after", "service": "nowhere"}),
        json!({"do": "cut_after", "count": 0}),
        json!({"do": "slow", "delay_ms": 3_000_000}),
    ] {
        let got = cloud.control("POST", "/mishaps", Some(rule.clone())).await;
        assert_eq!(got.status, 400, "{rule}");
    }
    assert_eq!(cloud.control("GET", "/mishaps", None).await.ok(), json!([]));
}

#[tokio::test]
async fn billing_answers_ten_requests_a_second() {
    let cloud = cloud(fast()).await;
    let path = "/v2/products/service-types?limit=1";
    let mut refused = None;
    for _ in 0..40 {
        let got = cloud.call("ada", "GET", "bss", path, None).await;
        if got.status == 429 {
            refused = Some(got);
            break;
        }
    }
    let refused = refused.expect("forty requests come within less than four seconds");
    assert_eq!(refused.json()["error_code"], "CBC.0250");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_ne!(cloud.call("ada", "GET", "bss", path, None).await.status, 429);
}
