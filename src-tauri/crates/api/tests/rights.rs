//! What a key may do is told for each kind of thing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use serde_json::json;

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
    let rights = rights.as_array().unwrap();
    assert_eq!(rights.len(), 8);
    assert!(
        rights
            .iter()
            .all(|right| right["allowed"] == true && right["error"].is_null()),
        "{rights:?}"
    );
    let unknown = api
        .call("accounts.rights", json!({"account": "x"}))
        .await
        .unwrap_err();
    assert_eq!(unknown.code, "account_unknown");
    api.stop().await;
}
