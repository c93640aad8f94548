//! A server has a key pair and a host key of its own, made here, and neither private half ends where it does not belong.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sandbox::Running;
use serde_json::{Value, json};

use common::*;

/// What the sandbox was given for a server's first start.
async fn user_data(running: &Running, server: &Value) -> String {
    let url = format!("{}/servers", running.announcement().control.trim_end_matches('/'));
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let world: Value = serde_json::from_str(&text).unwrap();
    let found = find(&world, server.as_str().unwrap()).unwrap_or_else(|| panic!("{world:#}"));
    String::from_utf8(STANDARD.decode(found["user_data"].as_str().unwrap()).unwrap()).unwrap()
}

fn find<'a>(value: &'a Value, id: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields)
            if fields.get("id").is_some_and(|found| found == id) && fields.contains_key("user_data") =>
        {
            Some(value)
        }
        Value::Object(fields) => fields.values().find_map(|inner| find(inner, id)),
        Value::Array(rows) => rows.iter().find_map(|inner| find(inner, id)),
        _ => None,
    }
}

/// Every byte of a directory's files.
fn everything(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            all.extend(std::fs::read(path).unwrap());
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_login_can_be_checked_and_the_ledger_holds_no_private_key() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let app = dir.path().join("app");
    let api = open(&app, &running).await;
    sign_in(&api).await;
    let quote = ask(&api, "servers.quote", create("keys-01")).await;
    assert_eq!(
        (&quote["freshKey"], &quote["keyPair"]),
        (&json!(true), &Value::Null)
    );
    let server = make(&api, "keys-01").await;

    let sent = user_data(&running, &server["id"]).await;
    let document: Value = serde_json::from_str(sent.strip_prefix("#cloud-config\n").unwrap()).unwrap();
    let host_private = document["ssh_keys"]["ed25519_private"].as_str().unwrap();
    assert!(host_private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));

    let kept = everything(&app);
    let secret_line = host_private.lines().nth(2).unwrap();
    for secret in [secret_line.to_owned(), "PRIVATE KEY".to_owned()] {
        // Base64 hides a text at three offsets.
        let encoded = (0..3).map(|skip| STANDARD.encode(format!("{}{secret}", "x".repeat(skip))));
        let inner = encoded.map(|text| {
            let inner = text.get(4..text.len() - 4).unwrap_or_default();
            inner.to_owned()
        });
        for needle in inner.chain([secret.clone()]) {
            assert!(
                !kept
                    .windows(needle.len().max(1))
                    .any(|window| window == needle.as_bytes()),
                "a private key stands in the application's files"
            );
        }
    }

    let public = ask(&api, "servers.public_keys", json!({"server": server["id"]})).await;
    assert_eq!(
        (&public["login"], &public["host"]),
        (
            &document["ssh_authorized_keys"][0],
            &document["ssh_keys"]["ed25519_public"]
        ),
        "the public halves are those that the server was given"
    );
    assert!(!public.to_string().contains("PRIVATE"), "{public}");
    let saved = ask(&api, "servers.save_key", json!({"server": server["id"]})).await;
    let key = std::fs::read_to_string(saved["keyFile"].as_str().unwrap()).unwrap();
    assert!(key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
    assert_ne!(
        key.trim(),
        host_private.trim(),
        "the owner's key is not the host's"
    );
    let known = std::fs::read_to_string(saved["knownHostsFile"].as_str().unwrap()).unwrap();
    let host_public = document["ssh_keys"]["ed25519_public"].as_str().unwrap();
    assert!(
        known.trim_end().ends_with(host_public),
        "{known} names the key that the host has"
    );
    let address = known.split(' ').next().unwrap();
    assert!(
        saved["command"]
            .as_str()
            .unwrap()
            .ends_with(&format!("root@{address}"))
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_whose_answer_was_lost_is_sent_again_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    cut_next(&running, "after").await;
    // The sandbox refuses the same token with another body, and knows only one server afterwards.
    ask(&api, "servers.create", create("keys-02")).await;
    settled(&api).await;
    let server = resting(&api, "keys-02", "running").await;
    ask(&api, "servers.save_key", json!({"server": server["id"]})).await;
    let list = ask(&api, "servers.refresh", Value::Null).await;
    let named = list["servers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == "keys-02");
    assert_eq!(named.count(), 1);
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_with_its_server() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let named = {
        let mut named = create("keys-03");
        let catalogue = ask(&api, "servers.catalogue", Value::Null).await;
        named["keyPair"] = catalogue["keyPairs"][0].clone();
        named
    };
    ask(&api, "servers.create", named).await;
    let server = resting(&api, "keys-03", "running").await;
    let error = api
        .call("servers.save_key", json!({"server": server["id"]}))
        .await
        .unwrap_err();
    assert!(
        ["key_not_stored", "keychain_absent", "keychain_failed"].contains(&error.code.as_str()),
        "a server with the cloud's key pair has none here: {error:?}"
    );
    api.stop().await;
}
