//! What goes wrong with questions about what the receiver has, when it is told to.

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

async fn ask(cloud: &Cloud) -> Result<(u16, Value), reqwest::Error> {
    let request = cloud
        .http
        .post(format!("{}/query", cloud.announcement.hei.url))
        .bearer_auth(&cloud.announcement.hei.token)
        .header("Content-Type", "application/json")
        .body(
            json!({"query": "SELECT COUNT(DISTINCT event_id) AS n FROM wangcheng WHERE seq > 1"}).to_string(),
        );
    let answer = request.timeout(Duration::from_secs(2)).send().await?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or_default()))
}

async fn mode(cloud: &Cloud, setting: Value) -> u16 {
    cloud.control("POST", "/searches", Some(setting)).await.status
}

#[tokio::test]
async fn the_products_data_set_can_be_asked_before_anything_came() {
    let cloud = cloud(fast()).await;
    let (status, answer) = ask(&cloud).await.unwrap();
    assert_eq!((status, &answer["rows"]), (200, &json!([{"n": 0}])), "{answer}");
}

#[tokio::test]
async fn a_mode_for_questions_holds_for_the_next_few_and_leaves_posts_alone() {
    let cloud = cloud(fast()).await;
    assert_eq!(mode(&cloud, json!({"mode": "refuse_401", "count": 1})).await, 204);
    let posted = cloud
        .http
        .post(format!("{}/", cloud.announcement.hei.url))
        .bearer_auth(&cloud.announcement.hei.token)
        .header("Content-Type", "application/json")
        .body("{}");
    assert_eq!(posted.send().await.unwrap().status(), 200);
    assert_eq!(ask(&cloud).await.unwrap().0, 401);
    assert_eq!(ask(&cloud).await.unwrap().0, 200);
    for broken in ["cut", "stall", "truncated"] {
        assert_eq!(mode(&cloud, json!({"mode": broken, "count": 1})).await, 204);
        assert!(ask(&cloud).await.is_err(), "{broken}");
    }
    assert_eq!(mode(&cloud, json!({"mode": "slow:300", "count": 1})).await, 204);
    let begun = Instant::now();
    assert_eq!(ask(&cloud).await.unwrap().0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(
        cloud.control("GET", "/searches", None).await.ok(),
        json!({"mode": "ok"})
    );
    for wrong in ["cut_after", "slow:x", "slow:999999999"] {
        assert_eq!(mode(&cloud, json!({"mode": wrong})).await, 400, "{wrong}");
    }
    assert_eq!(
        cloud
            .control("POST", "/receiver", Some(json!({"mode": "half_page"})))
            .await
            .status,
        400
    );
}
