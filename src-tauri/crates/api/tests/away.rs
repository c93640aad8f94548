//! The network goes and comes back, and what the cloud takes away is told as that. Over the real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::path::Path;

use huaweicloud::ecs;
use sandbox::{Options, Running, Sandbox};
use serde_json::{Value, json};

use common::*;

/// A sandbox on ports that can be had again.
async fn region_on(dir: &Path, port: u16) -> sandbox::Result<Running> {
    let options = Options {
        state_file: Some(dir.join("region.json")),
        speed: 20.0,
        base_port: Some(port),
        ..Options::default()
    };
    Sandbox::start(options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_network_is_away_nothing_is_lost_and_it_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    // Below the ports that the system gives out by itself.
    let mut first = None;
    for port in (0..20).map(|n| 21_000 + (std::process::id() % 97) as u16 * 100 + n * 50) {
        if let Ok(running) = region_on(dir.path(), port).await {
            first = Some((port, running));
            break;
        }
    }
    let (port, running) = first.unwrap();
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "away-01").await;
    let before = ask(&api, "servers.list", Value::Null).await;
    running.stop().await.unwrap();

    let asked = api
        .call("servers.cancel_lease", json!({"server": server["id"]}))
        .await;
    assert_eq!(
        asked.unwrap_err().code,
        "network_unreachable",
        "an act that cannot be checked is refused"
    );
    // Nobody asks for a refresh: the loop notices by itself.
    let away = until("the network to be missed", &api, "servers.list", |list| {
        !list["problem"].is_null()
    })
    .await;
    assert_eq!(away["problem"]["code"], "network_unreachable");
    assert_eq!(
        away["servers"].as_array().unwrap().len(),
        before["servers"].as_array().unwrap().len(),
        "what was known stays, with its age"
    );
    let running = region_on(dir.path(), port).await.unwrap();
    let back = until("the network to be back", &api, "servers.list", |list| {
        list["problem"].is_null()
    })
    .await;
    let time = |list: &Value| {
        list["asOf"]
            .as_str()
            .unwrap()
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
    };
    assert!(time(&back) >= time(&away));
    ask(&api, "servers.cancel_lease", json!({"server": server["id"]})).await;
    settled(&api).await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events)[1..], [("lease.cancelled", "ok", "")]);
    api.stop().await;
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spot_server_that_is_gone_was_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let catalogue = ask(&api, "servers.catalogue", Value::Null).await;
    let quote = ask(&api, "servers.quote", create("spot-01")).await;
    let image = catalogue["images"].as_array().unwrap().iter();
    let image = image
        .clone()
        .find(|image| image["name"] == quote["image"])
        .unwrap();
    let subnet = &catalogue["subnets"][0];
    let info = ask(&api, "app.info", Value::Null).await;
    let body = json!({"server": {
        "name": "spot-01", "flavorRef": quote["flavor"], "imageRef": image["id"], "vpcid": subnet["vpc"],
        "nics": [{"subnet_id": subnet["id"]}], "availability_zone": quote["zone"], "count": 1,
        "root_volume": {"volumetype": "GPSSD", "size": 40},
        "server_tags": [
            {"key": "owner", "value": "ada"},
            {"key": "wangcheng-installation", "value": info["installationId"]},
        ],
        "extendparam": {"chargingMode": "postPaid", "marketType": "spot"},
    }});
    let console = Console::new(&api, &running).await;
    let token = uuid::Uuid::new_v4();
    let made = ecs::create_raw(console.client(), &console.project, body.to_string().into(), token).await;
    made.unwrap();
    let server = resting(&api, "spot-01", "running").await;
    console.delete(server["id"].as_str().unwrap()).await;
    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(
        told(&events),
        [
            ("server.seen", "ok", "outside"),
            ("server.deleted", "ok", "reclaimed")
        ]
    );
    api.stop().await;
}
