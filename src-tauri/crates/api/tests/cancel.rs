//! What is asked for and then not wanted any more, over the real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use api::Api;
use sandbox::{Mishap, Running};
use serde_json::{Value, json};

use common::*;

/// From now on the region refuses every change of servers, as one that is too busy does.
fn busy(running: &Running) {
    let throttle = json!({"do": "flow_control", "service": "ecs", "method": "POST"});
    assert!(running.cause(serde_json::from_value::<Mishap>(throttle).unwrap()));
}

async fn newest(api: &Api) -> Value {
    ask(api, "operations.list", Value::Null).await[0].clone()
}

async fn cancel(api: &Api, operation: &Value) -> Result<Value, api::WireError> {
    api.call("operations.cancel", json!({"operation": operation["id"]}))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_be_sent_is_cancelled_and_nothing_came_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "cancel-01").await;
    busy(&running);
    let stop = json!({"servers": [server["id"]], "act": "stop", "hard": false});
    ask(&api, "servers.power", stop.clone()).await;
    let waiting = newest(&api).await;
    assert_eq!(
        (&waiting["stage"], &waiting["cancellable"]),
        (&json!("recorded"), &json!(true)),
        "{waiting:#}"
    );
    let cancelled = cancel(&api, &waiting).await.unwrap();
    assert_eq!(cancelled["cancellable"], false, "{cancelled:#}");
    cancel(&api, &waiting).await.unwrap();
    settled(&api).await;
    let ended = newest(&api).await;
    assert_eq!(
        (&ended["outcome"], &ended["error"], &ended["sentAt"]),
        (&json!("cancelled"), &Value::Null, &Value::Null)
    );
    running.heal();
    ask(&api, "servers.refresh", Value::Null).await;
    resting(&api, "cancel-01", "running").await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events).len(), 1, "the creation alone: {events:#?}");

    ask(&api, "servers.power", stop).await;
    resting(&api, "cancel-01", "stopped").await;
    settled(&api).await;
    let done = newest(&api).await;
    let late = cancel(&api, &done).await.unwrap_err();
    assert_eq!(late.code, "cancel_too_late");
    let unknown = cancel(&api, &json!({"id": "nobody"})).await.unwrap_err();
    assert_eq!(unknown.code, "operation_unknown");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_waits_is_cancelled_with_the_keys_made_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    ask(&api, "servers.quote", create("cancel-02")).await;
    busy(&running);
    let asked = ask(&api, "servers.create", create("cancel-02")).await;
    cancel(&api, &asked).await.unwrap();
    settled(&api).await;
    assert_eq!(newest(&api).await["outcome"], "cancelled");
    running.heal();
    let list = ask(&api, "servers.refresh", Value::Null).await;
    let servers = list["servers"].as_array().unwrap();
    assert!(!servers.iter().any(|server| server["name"] == "cancel-02"));
    let page = ask(&api, "events.list", json!({"before": null, "limit": 10})).await;
    let mut events = page["events"].as_array().unwrap().iter();
    assert!(
        events.all(|event| event["action"] == "install.heartbeat"),
        "{page:#}"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_reached_the_cloud_is_not_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let cut = json!({"do": "cut_after", "service": "ecs", "method": "POST", "path": "cloudservers"});
    assert!(running.cause(serde_json::from_value::<Mishap>(cut).unwrap()));
    ask(&api, "servers.create", create("cancel-03")).await;
    let open = until("an answer to be missed", &api, "operations.list", |all| {
        all[0]["cancellable"] == false
    })
    .await;
    assert_eq!(open[0]["stage"], "recorded", "nothing says that it came through");
    let late = cancel(&api, &open[0]).await.unwrap_err();
    assert_eq!(late.code, "cancel_too_late");
    running.heal();
    settled(&api).await;
    assert_eq!(newest(&api).await["outcome"], "ok");
    resting(&api, "cancel-03", "running").await;
    api.stop().await;
}
