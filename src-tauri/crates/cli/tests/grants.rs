//! Grants from a terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use chrono::{TimeDelta, Utc};
use common::{Place, code, error};
use ed25519_dalek::SigningKey;
use serde_json::json;
use wangcheng::grants::{Grant, Join, PublicKey, Source, sign};

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_joined_by_its_fingerprint_and_its_grant_holds_in_scripts_too() {
    let place = Place::new().await;
    let key = SigningKey::from_bytes(&[9; 32]);
    let public = PublicKey::of(&key);
    let grant: Grant = serde_json::from_value(json!({
        "schema": "wangcheng.grant.v1",
        "organisation": {"id": "org-1", "name": "例子公司"},
        "number": 1,
        "issued": Utc::now(),
        "expires": Utc::now() + TimeDelta::days(1),
        "ask": "mia",
        "keys": [public.text()],
        "currency": "CNY",
        "roles": {"developer": {"servers": 0}},
        "others": "developer",
    }))
    .unwrap();
    let file = place.dir.path().join("grant.json");
    std::fs::write(&file, sign(&grant, &[&key]).unwrap()).unwrap();
    let join = Join {
        organisation: "例子公司".to_owned(),
        key: public,
        source: Source::read(file.to_str().unwrap()).unwrap(),
        hei: None,
        sealed: None,
    };
    let link = place.dir.path().join("join.txt");
    std::fs::write(&link, format!("{}\n", join.text())).unwrap();
    let link = link.to_str().unwrap();

    let nobody = place.run(&["grant", "join", link, "--json"]).await;
    assert_eq!(
        (code(&nobody), error(&nobody)["code"].as_str()),
        (4, Some("confirmation_missing"))
    );
    let wrong = ["grant", "join", link, "--fingerprint", "1234", "--json"];
    let wrong = place.run(&wrong).await;
    assert_eq!(
        (code(&wrong), error(&wrong)["code"].as_str()),
        (4, Some("grant_fingerprint"))
    );
    let joined = place
        .json(&[
            "grant",
            "join",
            &join.text(),
            "--fingerprint",
            &public.fingerprint(),
        ])
        .await;
    assert_eq!(joined["joined"]["organisation"], "例子公司");

    let create = [
        "server",
        "create",
        "no-01",
        "--template",
        "linux-small",
        "--for",
        "2h",
        "--json",
    ];
    let refused = place.run(&create).await;
    assert_eq!(code(&refused), 4, "{}", common::said(&refused));
    assert_eq!(error(&refused)["code"], "grant_limit");
    let shown = place.run(&["grant", "show"]).await;
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        text.contains("例子公司") && text.contains("servers at once"),
        "{text}"
    );

    assert_eq!(code(&place.run(&["grant", "leave"]).await), 4, "it is confirmed");
    place.json(&["grant", "leave", "--yes"]).await;
    let absent = place.run(&["grant", "refresh", "--json"]).await;
    assert_eq!(error(&absent)["code"], "grant_absent");
}
