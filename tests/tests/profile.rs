//! A site's own way of taking events, written into a file, from the command line to what the receiver keeps.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

use chrono::DateTime;
use serde_json::{Value, json};
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::script::Scene;

async fn configure(scene: &mut Scene<'_>, profile: Value) {
    let file = scene.data().join("profile.json");
    std::fs::write(&file, profile.to_string()).unwrap();
    let url = scene.sandbox().announcement().hei.url.clone();
    let arguments = [
        "delivery",
        "configure",
        "--url",
        &url,
        "--event-set",
        "temp_servers",
        "--datatype",
        "acme.cloud.json",
        "--preset",
        "custom",
        "--profile",
        file.to_str().unwrap(),
    ];
    let run = scene.run(&arguments, None).await.unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
}

/// Posts to the receiver that were answered so far.
async fn posts(scene: &Scene<'_>) -> usize {
    let requests = scene.sandbox().requests().await.unwrap();
    let to_it = |request: &&Value| request["service"] == "hei" && request["method"] == "POST";
    requests.as_array().unwrap().iter().filter(to_it).count()
}

#[tokio::test]
async fn every_field_of_a_sites_own_profile_is_what_the_receiver_sees() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let mut scene = Scene::set(&desktop, "profile").await.unwrap();
    let profile = json!({
        "hei_id": "hei-7", "method": "POST", "query": {"hei": "{hei_id}", "set": "{event_set}"},
        "headers": {"X-Site": "{datatype}", "X-Absent": ""}, "token_header": "authorization",
        "token_value": "Bearer {token}", "routing": "body", "framing": "ndjson", "message_mode": "json_text",
        "spread": true, "message_field": "text", "datatype_field": "kind", "event_set_field": "table",
        "time_field": "at", "source_field": "from", "host_field": "node", "host": "node-1", "source": "servers",
        "extra_fields": {"team": "cloud"}, "time_format": "epoch_us", "compression": "gzip", "success": [200],
        "limits": {"events": 1, "bytes": 65536, "wait_ms": 10},
        "retry": {"statuses": [425], "base_ms": 100, "max_ms": 1000, "jitter": false, "honour_retry_after": true},
        "health_path": "/ping", "health_status": 200, "health_body": "pong", "timeout_ms": 20000,
    });
    let create = ["server", "create", "a", "--template", "linux-small"];
    // What came before is told in the platform's own way.
    let run = scene.run(&["delivery", "send"], None).await.unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    let before = scene.sandbox().records().await.unwrap().len();
    let posted = posts(&scene).await;
    configure(&mut scene, profile).await;
    for arguments in [&create[..], &["server", "delete", "a", "--yes"]] {
        let run = scene.run(arguments, None).await.unwrap();
        assert_eq!(run.code, Some(0), "{run:?}");
    }
    let ledger = scene.ledger().unwrap();
    assert_eq!(ledger.cursor, ledger.events.len() as i64, "all of it was taken");
    let records = scene.sandbox().records().await.unwrap();
    let new = &records[before..];
    assert!(new.len() >= 2, "{records:#?}");
    assert_eq!(
        posts(&scene).await - posted,
        new.len(),
        "one event a request, as the limit says"
    );
    let told = ledger.events.iter().rev().take(new.len()).rev();
    for (record, (_, event)) in new.iter().zip(told) {
        let record = &record["record"];
        let text: Value = serde_json::from_str(record["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, *event, "the event's own text");
        for (name, value) in event.as_object().unwrap() {
            assert_eq!(record[name], *value, "and its keys beside it");
        }
        let time = DateTime::parse_from_rfc3339(event["time"].as_str().unwrap()).unwrap();
        let envelope = json!({
            "kind": "acme.cloud.json", "table": "temp_servers", "at": time.timestamp_micros(), "from": "servers",
            "node": "node-1", "team": "cloud",
        });
        for (name, value) in envelope.as_object().unwrap() {
            assert_eq!(record[name], *value, "{name}");
        }
        for absent in ["_message", "_datatype", "_event_set", "_time", "_source"] {
            assert!(record.get(absent).is_none(), "{absent} has another name here");
        }
    }
}

#[tokio::test]
async fn lines_of_text_and_single_objects_arrive_as_such() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let mut scene = Scene::set(&desktop, "framing").await.unwrap();
    let cases = [
        (json!({"framing": "text_lines"}), "/_message"),
        (
            json!({"framing": "json_object", "message_mode": "object", "time_format": "zero"}),
            "/_message/action",
        ),
        (
            json!({"framing": "json_array", "message_mode": "omit", "spread": true, "routing": "header"}),
            "/action",
        ),
    ];
    for (profile, place) in cases {
        configure(&mut scene, profile.clone()).await;
        let before = scene.sandbox().records().await.unwrap().len();
        let run = scene.run(&["delivery", "test"], None).await.unwrap();
        assert_eq!(run.code, Some(0), "{profile}: {run:?}");
        assert!(run.said.contains("••••••"), "the token is blanked: {run:?}");
        assert!(
            !run.said.contains(&scene.sandbox().announcement().hei.token),
            "the token is nowhere"
        );
        let records = scene.sandbox().records().await.unwrap();
        let test = records[before..]
            .iter()
            .find(|record| record.to_string().contains("install.test"));
        let test = &test.unwrap_or_else(|| panic!("{profile}: no test event in {records:#?}"))["record"];
        let said = test.pointer(place).and_then(Value::as_str).unwrap_or_default();
        assert!(said.contains("install.test"), "{profile}: {test}");
    }
}
