//! What is said about a new server beforehand: a text for its first start, and who is let in. Over the real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use huaweicloud::vpc;
use sandbox::{Mishap, Running};
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

fn with_text(name: &str, text: &str) -> Value {
    let mut ask = create(name);
    ask["userData"] = text.into();
    ask
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_for_the_first_start_is_checked_in_the_quote_and_arrives_beside_the_keys() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    for (text, code) in [
        ("apt install git", "user_data_kind"),
        ("#cloud-config\npackages: [git\n", "user_data_unreadable"),
        ("#cloud-config\nssh_keys: {}\n", "user_data_key"),
    ] {
        let quote = ask(&api, "servers.quote", with_text("start-01", text)).await;
        let problem = &quote["problems"][0];
        assert_eq!(
            (&problem["field"], &problem["blocking"], &problem["error"]["code"]),
            (&json!("userData"), &json!(true), &json!(code))
        );
        let refused = api.call("servers.create", with_text("start-01", text)).await;
        assert_eq!(refused.unwrap_err().code, code);
    }
    let long = format!("#!/bin/sh\n{}", "x".repeat(33 * 1024));
    let quote = ask(&api, "servers.quote", with_text("start-01", &long)).await;
    assert_eq!(quote["problems"][0]["error"]["code"], "user_data_too_long");

    let text = "#cloud-config\nruncmd:\n  - [sh, -c, 'echo 你好 > /root/hi']\n";
    ask(&api, "servers.create", with_text("start-01", text)).await;
    let server = resting(&api, "start-01", "running").await;
    let sent = user_data(&running, &server["id"]).await;
    assert!(
        sent.starts_with("Content-Type: multipart/mixed") && sent.is_ascii(),
        "{sent}"
    );
    let parts: Vec<&str> = sent.split("--=====wangcheng=====").collect();
    assert_eq!(parts.len(), 4, "two parts between head and end");
    let body = |part: &str| part.split_once("\n\n").unwrap().1.trim().to_owned();
    let ours = body(parts[1]);
    let ours: Value = serde_json::from_str(ours.strip_prefix("#cloud-config\n").unwrap()).unwrap();
    let host_key = ours["ssh_keys"]["ed25519_private"].as_str().unwrap();
    assert!(host_key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
    let encoded: String = body(parts[2]).split_whitespace().collect();
    assert_eq!(
        STANDARD.decode(encoded).unwrap(),
        text.as_bytes(),
        "byte for byte"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_brings_its_text_along() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let templates = ask(&api, "templates.list", Value::Null).await;
    let mut mine = templates[0].clone();
    mine["id"] = "mine".into();
    mine["userData"] = "no kind".into();
    let refused = api.call("templates.save", mine.clone()).await.unwrap_err();
    assert_eq!(refused.code, "template_invalid");
    mine["userData"] = "#!/bin/sh\ntouch /root/mine\n".into();
    ask(&api, "templates.save", mine).await;
    let mut wish = create("start-02");
    wish["template"] = "mine".into();
    ask(&api, "servers.create", wish).await;
    let server = resting(&api, "start-02", "running").await;
    let sent = user_data(&running, &server["id"]).await;
    assert!(sent.contains("Content-Type: text/x-shellscript"), "{sent}");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lets_one_address_in_and_is_made_once_whatever_gets_lost() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let own = ask(&api, "networks.own_address", Value::Null).await;
    assert!(own["address"].is_null() || own["address"].is_string());
    for (address, code) in [("home", "address_invalid"), ("203.0.113.0/8", "address_too_wide")] {
        let refused = api.call("networks.admit_ssh", json!({"address": address})).await;
        assert_eq!(refused.unwrap_err().code, code);
    }
    // Asked first, so that what is kept of the catalogue lacks it.
    ask(&api, "servers.catalogue", Value::Null).await;
    for path in ["/security-groups", "/security-group-rules"] {
        assert!(running.cause(Mishap {
            method: Some("POST".to_owned()),
            path: Some(path.to_owned()),
            count: Some(1),
            ..Mishap::always(serde_json::from_value(json!({"do": "cut_after"})).unwrap())
        }));
    }
    ask(&api, "networks.admit_ssh", json!({"address": "203.0.113.7"})).await;
    settled(&api).await;
    ask(&api, "networks.admit_ssh", json!({"address": "203.0.113.7/32"})).await;
    settled(&api).await;
    let operations = ask(&api, "operations.list", Value::Null).await;
    for operation in operations.as_array().unwrap() {
        assert_eq!(operation["outcome"], "ok", "{operation:#}");
        assert_eq!(operation["kind"], "network.admit");
        assert_eq!(operation["securityGroup"], operations[0]["securityGroup"]);
    }

    let console = Console::new(&api, &running).await;
    let groups = vpc::security_groups(console.client(), &console.project)
        .await
        .unwrap();
    let named = groups.value.items.iter();
    let made: Vec<_> = named
        .filter(|group| group.name == "wangcheng-ssh-203.0.113.7")
        .collect();
    assert_eq!(made.len(), 1, "made once");
    let ingress = made[0]
        .rules
        .iter()
        .filter(|rule| rule.direction == vpc::Direction::Ingress && rule.remote_group.is_none());
    let ingress: Vec<_> = ingress
        .map(|rule| {
            (
                rule.remote_ip_prefix.as_deref(),
                rule.port_range_min,
                rule.port_range_max,
            )
        })
        .collect();
    assert_eq!(ingress, [(Some("203.0.113.7/32"), Some(22), Some(22))]);

    let group = &operations[0]["securityGroup"];
    let mut wish = create("start-03");
    wish["securityGroup"] = group.clone();
    let quote = ask(&api, "servers.quote", wish.clone()).await;
    assert_eq!(
        quote["securityGroup"], "wangcheng-ssh-203.0.113.7",
        "it can be chosen at once"
    );
    ask(&api, "servers.create", wish).await;
    resting(&api, "start-03", "running").await;
    let page = ask(&api, "events.list", json!({"before": null, "limit": 500})).await;
    assert!(
        !page.to_string().contains("203.0.113.7"),
        "the data platform is not told where a developer sits"
    );
    api.stop().await;
}
