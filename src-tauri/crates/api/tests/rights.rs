//! What a key may do is told for each kind of thing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use sandbox::Running;
use serde_json::{Value, json};

use common::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_developers_key_is_told_to_read_each_kind_of_thing() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    let account = ask(
        &api,
        "accounts.sign_in_demo",
        json!({"user": "ada", "remember": "run"}),
    )
    .await;
    let rights = ask(&api, "accounts.rights", json!({"account": account["id"]})).await;
    let reads = rights["reads"].as_array().unwrap();
    assert_eq!(reads.len(), 8);
    assert!(
        reads
            .iter()
            .all(|right| right["allowed"] == true && right["error"].is_null()),
        "{reads:?}"
    );
    let unknown = api
        .call("accounts.rights", json!({"account": "x"}))
        .await
        .unwrap_err();
    assert_eq!(unknown.code, "account_unknown");
    api.stop().await;
}

/// What is said of an act: whether it is allowed, how that is known, and the code of what stands in the way.
fn act(rights: &Value, what: &str) -> (Value, Value, Value) {
    let acts = rights["acts"].as_array().unwrap();
    let act = acts.iter().find(|act| act["what"] == what).unwrap();
    assert_eq!(act["ground"].is_null(), act["at"].is_null(), "{act}");
    (
        act["allowed"].clone(),
        act["ground"].clone(),
        act["error"]["code"].clone(),
    )
}

async fn refuse(running: &Running, method: &str, path: &str) {
    let url = format!("{}/mishaps", running.announcement().control.trim_end_matches('/'));
    let rule = json!({"do": "status", "status": 403, "code": "Pdp.0001", "message": "ecs:cloudServers:none",
                      "service": "ecs", "method": method, "path": path});
    let client = reqwest::Client::new();
    let answer = client.post(url).body(rule.to_string()).send().await.unwrap();
    assert!(answer.status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_done_is_told_by_a_check_that_makes_nothing_and_by_what_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "rights-01").await;
    let accounts = ask(&api, "accounts.list", Value::Null).await;
    let account = json!({"account": accounts["active"]});
    let before = ask(&api, "servers.refresh", Value::Null).await["servers"]
        .as_array()
        .unwrap()
        .len();

    let rights = ask(&api, "accounts.rights", account.clone()).await;
    let (yes, no, open) = (json!(true), json!(false), Value::Null);
    assert_eq!(
        act(&rights, "create"),
        (yes.clone(), json!("check"), open.clone())
    );
    for unused in ["delete", "power", "resize", "disks", "password"] {
        assert_eq!(
            act(&rights, unused),
            (open.clone(), open.clone(), open.clone()),
            "{unused}"
        );
    }
    let after = ask(&api, "servers.refresh", Value::Null).await["servers"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(before, after, "a check makes nothing");

    let named = json!({"server": server["id"], "name": "rights-02"});
    ask(&api, "servers.rename", named.clone()).await;
    settled(&api).await;
    let rights = ask(&api, "accounts.rights", account.clone()).await;
    assert_eq!(act(&rights, "rename"), (yes, json!("use"), open));

    refuse(&running, "POST", "/cloudservers").await;
    refuse(&running, "PUT", "/cloudservers/").await;
    ask(&api, "servers.rename", named).await;
    settled(&api).await;
    let rights = ask(&api, "accounts.rights", account).await;
    let missing = json!("permission_missing");
    assert_eq!(
        act(&rights, "create"),
        (no.clone(), json!("check"), missing.clone())
    );
    assert_eq!(act(&rights, "rename"), (no, json!("use"), missing));
    api.stop().await;
}
