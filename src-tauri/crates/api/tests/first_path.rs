//! The first path over the real sandbox: sign in, quote, create, extend, delete, and each act at the receiver.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use api::Api;
use sandbox::Running;
use serde_json::{Value, json};

use common::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_made_extended_and_deleted_and_each_act_arrives_at_the_receiver_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let listed = until("the servers", &api, "servers.list", |list| {
        !list["asOf"].is_null()
    })
    .await;
    assert!(
        listed["servers"]
            .as_array()
            .unwrap()
            .iter()
            .any(|server| server["own"] == false),
        "others are seen"
    );

    let quote = ask(&api, "servers.quote", create("first-path-01")).await;
    assert!(
        quote["perHour"]["amount"]
            .as_str()
            .unwrap()
            .parse::<f64>()
            .unwrap()
            > 0.0,
        "{quote:#}"
    );
    assert_eq!(quote["problems"], json!([]), "nothing stands in the way");
    ask(&api, "servers.create", create("first-path-01")).await;
    let row = |list: &Value| {
        list["servers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|server| server["name"] == "first-path-01")
            .cloned()
    };
    let running_now =
        |list: &Value| row(list).is_some_and(|s| s["state"] == "running" && s["operation"].is_null());
    let list = until("the server to run", &api, "servers.list", running_now).await;
    let server = row(&list).unwrap();
    assert_eq!(server["own"], true);
    assert_eq!(server["purpose"], "first path");
    let costs = ask(&api, "servers.costs", Value::Null).await;
    let cost = costs["costs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|cost| cost["server"] == server["id"])
        .unwrap();
    assert_eq!(cost["perHour"], quote["perHour"], "as it was priced");
    assert_eq!(cost["soFar"]["amount"], "0.01", "a begun cent counts");

    let until_when: chrono::DateTime<chrono::Utc> = server["leaseEnd"].as_str().unwrap().parse().unwrap();
    let longer = until_when + chrono::TimeDelta::hours(1);
    ask(
        &api,
        "servers.extend",
        json!({"server": server["id"], "until": longer}),
    )
    .await;
    let settled = |operations: &Value| {
        operations
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["stage"] == "settled")
    };
    until("the extension", &api, "operations.list", settled).await;

    let wrong = api
        .call(
            "servers.delete",
            json!({"server": server["id"], "name": "another"}),
        )
        .await
        .unwrap_err();
    assert_eq!(wrong.code, "name_mismatch");
    ask(
        &api,
        "servers.delete",
        json!({"server": server["id"], "name": "first-path-01"}),
    )
    .await;
    until("the deletion", &api, "operations.list", settled).await;
    until("the server to be gone", &api, "servers.list", |list| {
        row(list).is_none()
    })
    .await;
    until("delivery", &api, "delivery.status", |delivery| {
        delivery["waiting"] == 0
    })
    .await;

    let events = received(&running).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event["action"].as_str().unwrap(),
                event["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("server.created", "ok"),
            ("lease.extended", "ok"),
            ("server.deleted", "ok")
        ]
    );
    let numbers: Vec<_> = events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3], "no gap");
    for event in &events {
        assert_eq!(event["owner"], "ada");
        assert_eq!(event["server_id"], server["id"]);
        assert!(
            event.as_object().unwrap().values().all(|value| !value.is_null()),
            "absent, never null: {event:#}"
        );
    }
    assert!(
        events[0]["price_per_hour"].is_string() && events[0]["lease_end"].is_string(),
        "{:#}",
        events[0]
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_explained_and_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    let announcement = running.announcement();
    let ada = announcement.user("ada").unwrap();
    let wrong = json!({
        "name": "ada", "region": "sandbox-1", "accessKey": ada.access_key,
        "secretKey": "ThisIsNotTheSecretKeyOfAda00000000000000", "securityToken": null, "projectId": null,
        "remember": "run",
    });
    let error = api.call("accounts.sign_in", wrong).await.unwrap_err();
    assert_eq!(error.code, "signature_wrong");
    assert!(
        error.request_id.is_some() && error.next_step.is_some(),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("ThisIsNotTheSecret"));
    assert_eq!(
        ask(&api, "accounts.list", Value::Null).await["accounts"],
        json!([])
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_named_with_the_difference() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let control = running.announcement().control;
    let moved = reqwest::Client::new()
        .post(format!("{}/clock", control.trim_end_matches('/')))
        .body(r#"{"offset_s": 1260}"#)
        .send();
    assert!(moved.await.unwrap().status().is_success());
    let api = open(&dir.path().join("app"), &running).await;
    let error = api
        .call("accounts.sign_in_demo", json!({"user": "ada", "remember": "run"}))
        .await
        .unwrap_err();
    assert_eq!(error.code, "clock_wrong");
    assert!(error.sentence.contains("21 minutes"), "{error:?}");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_delays_delivery_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let control = running.announcement().control;
    let receiver = async |mode: &str| {
        let url = format!("{}/receiver", control.trim_end_matches('/'));
        let answer = reqwest::Client::new()
            .post(url)
            .body(json!({"mode": mode}).to_string())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    };
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    receiver("status:503").await;
    ask(&api, "servers.create", create("delayed-01")).await;
    let stuck = |delivery: &Value| delivery["state"] == "waiting_to_retry" && delivery["waiting"] == 1;
    let delivery = until("a failed try", &api, "delivery.status", stuck).await;
    assert_eq!(delivery["problem"]["code"], "delivery_unavailable");
    receiver("ok").await;
    ask(&api, "delivery.send_now", Value::Null).await;
    until("delivery", &api, "delivery.status", |delivery| {
        delivery["waiting"] == 0
    })
    .await;
    assert_eq!(received(&running).await.len(), 1);
    api.stop().await;
}

/// Asks for a server, and waits until the cloud took the wish but has not made the server yet.
async fn ask_for_a_server(api: &Api, name: &str) {
    ask(api, "servers.create", create(name)).await;
    until("the wish to be sent", api, "operations.list", |operations| {
        operations[0]["stage"] == "sent"
    })
    .await;
}

async fn sign_out(api: &Api) {
    let accounts = ask(api, "accounts.list", Value::Null).await;
    let account = accounts["active"].clone();
    ask(api, "accounts.sign_out", json!({ "account": account })).await;
}

async fn created_event(api: &Api, running: &Running) -> Vec<Value> {
    until("the creation to end", api, "operations.list", |operations| {
        operations[0]["stage"] == "settled"
    })
    .await;
    until("delivery", api, "delivery.status", |delivery| {
        delivery["waiting"] == 0
    })
    .await;
    received(running).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_goes_on_when_its_person_signs_out_and_in_again() {
    let dir = tempfile::tempdir().unwrap();
    let running = region_at(dir.path(), 4.0).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    ask_for_a_server(&api, "signed-out-01").await;
    sign_out(&api).await;
    sign_in(&api).await;
    let events = created_event(&api, &running).await;
    assert_eq!(events.len(), 1, "one creation, one event: {events:#?}");
    assert_eq!(
        (&events[0]["action"], &events[0]["outcome"]),
        (&json!("server.created"), &json!("ok"))
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_whose_person_was_signed_out_at_the_restart_is_taken_up_when_they_sign_in() {
    let dir = tempfile::tempdir().unwrap();
    let running = region_at(dir.path(), 4.0).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    ask_for_a_server(&api, "signed-out-02").await;
    sign_out(&api).await;
    api.stop().await;
    drop(api);

    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let events = created_event(&api, &running).await;
    assert_eq!(events.len(), 1, "one creation, one event: {events:#?}");
    assert_eq!(events[0]["outcome"], "ok");
    api.stop().await;
}
