//! Templates of one's own over the real application: kept, used, handed on, and refused with the reason.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use serde_json::{Value, json};

use common::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_template_of_ones_own_is_kept_used_and_handed_on() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let first = open(&dir.path().join("first"), &running).await;
    sign_in(&first).await;
    // Read before, so that what is kept of it has to give way.
    let catalogue = ask(&first, "servers.catalogue", Value::Null).await;
    let mut mine = catalogue["templates"][0].clone();
    mine["id"] = json!("mine");
    mine["nameEn"] = json!("Mine");
    mine["systemDiskGb"] = json!(80);
    mine["publicMbps"] = Value::Null;
    ask(&first, "templates.save", mine.clone()).await;
    first.stop().await;
    drop(first);

    let first = open(&dir.path().join("first"), &running).await;
    sign_in(&first).await;
    let catalogue = ask(&first, "servers.catalogue", Value::Null).await;
    assert_eq!(catalogue["templates"].as_array().unwrap().last(), Some(&mine));
    let mut wish = create("template-01");
    wish["template"] = json!("mine");
    let quote = ask(&first, "servers.quote", wish).await;
    assert_eq!(quote["problems"], json!([]), "it can be used");
    assert!(quote["parts"].to_string().contains("GPSSD 80 GB"), "{quote:#}");
    assert!(!quote["parts"].to_string().contains("public_address"));

    let file = ask(&first, "templates.export", Value::Null).await;
    let second = open(&dir.path().join("second"), &running).await;
    sign_in(&second).await;
    let all = ask(&second, "templates.import", json!({"file": file["file"]})).await;
    assert_eq!(all.as_array().unwrap().last(), Some(&mine));

    let newer = json!({"file": "{\"schema\": 9, \"templates\": []}"});
    let refused = second.call("templates.import", newer).await.unwrap_err();
    assert_eq!(refused.code, "templates_unreadable");
    assert!(refused.detail.unwrap().contains("schema 9"), "the reason is told");
    mine["leaseHours"] = json!(0);
    let refused = second.call("templates.save", mine).await.unwrap_err();
    assert_eq!(refused.code, "template_invalid");
    assert!(refused.sentence.contains("leaseHours"), "{refused:?}");

    let origins = ask(&second, "templates.origins", Value::Null).await;
    assert_eq!(origins["own"], json!(["mine"]));
    assert!(origins["builtIn"].as_array().unwrap().contains(&json!("docker")));
    let left = ask(&second, "templates.remove", json!({"template": "mine"})).await;
    assert!(!left.to_string().contains("\"mine\""));
    first.stop().await;
    second.stop().await;
}
