//! Key pairs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{cloud, fast};
use serde_json::{Value, json};

const PAIRS: &str = "/v3/{P}/keypairs";
const PUBLIC: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBxoks8GZE38ySGf4Frljy953m6krmLukL2HyD/d4KdM ada@example";

#[tokio::test]
async fn a_private_key_is_handed_out_once_and_kept_nowhere() {
    let cloud = cloud(fast()).await;
    let body = json!({"keypair": {"name": "fresh"}});
    let made = cloud.call("ada", "POST", "kps", PAIRS, Some(&body)).await.ok()["keypair"].clone();
    let private = ssh_key::PrivateKey::from_openssh(made["private_key"].as_str().unwrap()).unwrap();
    let public = ssh_key::PublicKey::from_openssh(made["public_key"].as_str().unwrap()).unwrap();
    assert_eq!(
        private.public_key().key_data(),
        public.key_data(),
        "the halves fit"
    );
    assert_eq!(
        made["fingerprint"],
        public.fingerprint(ssh_key::HashAlg::Sha256).to_string()
    );

    let shown = cloud
        .call("ada", "GET", "kps", &format!("{PAIRS}/fresh"), None)
        .await
        .ok();
    assert_eq!(shown["keypair"]["public_key"], made["public_key"]);
    assert!(shown["keypair"].get("private_key").is_none());
    assert!(!cloud.world().await.to_string().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn a_key_pair_is_its_makers_own_unless_it_is_the_accounts() {
    let cloud = cloud(fast()).await;
    let upload =
        |name: &str, scope: &str| json!({"keypair": {"name": name, "scope": scope, "public_key": PUBLIC}});
    let made = cloud
        .call("ada", "POST", "kps", PAIRS, Some(&upload("mine", "user")))
        .await
        .ok();
    assert!(
        made["keypair"].get("private_key").is_none(),
        "there is none to hand out"
    );
    cloud
        .call("ada", "POST", "kps", PAIRS, Some(&upload("ours", "domain")))
        .await
        .ok();
    let show = async |user: &str, name: &str| {
        cloud
            .call(user, "GET", "kps", &format!("{PAIRS}/{name}"), None)
            .await
    };
    assert_eq!(show("ada", "mine").await.status, 200);
    assert_eq!(show("bo", "ours").await.status, 200);
    assert_eq!(show("bo", "mine").await.code(), (400, "KPS.4016".to_owned()));
    let mut order = cloud.order("of-bo").await;
    order["server"]["key_name"] = json!("mine");
    let got = cloud
        .call("bo", "POST", "ecs", "/v1.1/{P}/cloudservers", Some(&order))
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0314".to_owned()));

    let path = format!("{PAIRS}/mine");
    assert_eq!(
        cloud.call("bo", "DELETE", "kps", &path, None).await.code().1,
        "KPS.4016"
    );
    assert_eq!(cloud.call("ada", "DELETE", "kps", &path, None).await.status, 204);
    assert_eq!(
        cloud.call("ada", "DELETE", "kps", &path, None).await.code().1,
        "KPS.4016"
    );
}

#[tokio::test]
async fn each_reason_against_a_key_pair_has_its_code() {
    let cloud = cloud(fast()).await;
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("a b")),
        ("name", json!("n".repeat(256))),
        ("name", json!("ada-laptop")),
        ("name", json!(7)),
        ("type", json!("x509")),
        ("scope", json!("world")),
        ("public_key", json!("ssh-ed25519 nonsense")),
        ("public_key", json!(format!("{PUBLIC}{}", "x".repeat(1024)))),
        ("user_id", json!("somebody")),
    ] {
        let mut body = json!({"keypair": {"name": "odd", "public_key": PUBLIC}});
        body["keypair"][field] = value.clone();
        let got = cloud.call("ada", "POST", "kps", PAIRS, Some(&body)).await;
        assert_eq!(got.code(), (400, "KPS.0002".to_owned()), "{field} {value}");
    }
    let guest = cloud
        .call("guest", "DELETE", "kps", &format!("{PAIRS}/x"), None)
        .await;
    assert_eq!(guest.code(), (403, "KPS.9003".to_owned()));
    cloud.fault(json!({"restriction": "suspended"})).await;
    let body = json!({"keypair": {"name": "late"}});
    let got = cloud.call("ada", "POST", "kps", PAIRS, Some(&body)).await;
    assert_eq!(got.code(), (403, "KPS.9004".to_owned()));
}

#[tokio::test]
async fn key_pairs_come_in_pages() {
    let cloud = cloud(fast()).await;
    for n in 0..3 {
        let body = json!({"keypair": {"name": format!("k{n}"), "public_key": PUBLIC}});
        cloud.call("ada", "POST", "kps", PAIRS, Some(&body)).await.ok();
    }
    let mut names: Vec<String> = Vec::new();
    let mut marker = Value::Null;
    loop {
        let more = marker
            .as_str()
            .map(|name| format!("&marker={name}"))
            .unwrap_or_default();
        let path = format!("{PAIRS}?limit=2{more}");
        let page = cloud.call("ada", "GET", "kps", &path, None).await.ok();
        let rows = page["keypairs"].as_array().unwrap();
        assert_eq!(page["page_info"]["current_count"], rows.len());
        names.extend(
            rows.iter()
                .map(|row| row["keypair"]["name"].as_str().unwrap().to_owned()),
        );
        marker = page["page_info"]["next_marker"].clone();
        if marker.is_null() {
            break;
        }
    }
    assert_eq!(names, ["ada-laptop", "team-shared", "k0", "k1", "k2"]);
}
