//! Spot servers, which the cloud takes back when it needs their room.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use common::{Cloud, Got, cloud, fast};
use serde_json::{Value, json};

/// A spot server that runs, with a data disk and an EIP of which neither is marked to go with it.
async fn spot(cloud: &Cloud, name: &str) -> Value {
    let mut order = cloud.order(name).await;
    let server = order["server"].as_object_mut().unwrap();
    server.remove("auto_terminate_time");
    server["publicip"]["delete_on_termination"] = json!(false);
    server["extendparam"] = json!({"chargingMode": "postPaid", "marketType": "spot"});
    let (job, id) = cloud.create(&order).await;
    assert_eq!(cloud.settled(&job).await["status"], "SUCCESS");
    cloud.server(&id).await.ok()["server"].clone()
}

async fn reclaim(cloud: &Cloud, id: &str) -> Got {
    cloud
        .control("POST", "/faults", Some(json!({"reclaim": id})))
        .await
}

async fn gone(cloud: &Cloud, id: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while cloud.server(id).await.status != 404 {
        assert!(Instant::now() < deadline, "it is never taken");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn interruptions(cloud: &Cloud, id: &str) -> Vec<Value> {
    let path = format!("/v3/{{P}}/traces?trace_type=system&trace_name=interruptServer&resource_id={id}");
    let answer = cloud.call("ada", "GET", "cts", &path, None).await.ok();
    answer["traces"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_spot_server_is_taken_back_after_a_notice_and_its_disk_and_eip_stay() {
    let options = sandbox::Options {
        speed: 20.0,
        ..fast()
    };
    let cloud = cloud(options).await;
    let server = spot(&cloud, "spot").await;
    let id = server["id"].as_str().unwrap();
    assert_eq!(server["metadata"]["charging_mode"], "2");
    assert_eq!(reclaim(&cloud, id).await.status, 204);

    assert_eq!(
        cloud.server(id).await.ok()["server"]["status"],
        "ACTIVE",
        "notice is given"
    );
    let deletion = json!({"servers": [{"id": id}]});
    let refused = cloud
        .ecs("POST", "/v1/{P}/cloudservers/delete", Some(&deletion))
        .await;
    assert_eq!(
        refused.refused(),
        (400, "Ecs.0100".to_owned()),
        "one that is being taken cannot be deleted"
    );
    assert!(interruptions(&cloud, id).await.is_empty(), "not yet");
    assert_eq!(reclaim(&cloud, id).await.status, 400, "it is taken once");

    gone(&cloud, id).await;
    let traces = interruptions(&cloud, id).await;
    assert_eq!(traces.len(), 1);
    assert_eq!(
        (
            &traces[0]["trace_type"],
            &traces[0]["user"]["name"],
            &traces[0]["resource_name"]
        ),
        (&json!("SystemAction"), &json!(""), &json!("spot")),
        "nobody has done it"
    );
    let world = cloud.world().await;
    let disks = &server["os-extended-volumes:volumes_attached"];
    let disk = |place: usize| &world["volumes"][disks[place]["id"].as_str().unwrap()];
    assert_eq!(disk(0), &Value::Null, "the system disk goes along");
    assert_eq!(disk(1)["status"], "Available", "the data disk stays, and costs");
    let floating = server["addresses"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|list| list.as_array().unwrap())
        .find(|address| address["OS-EXT-IPS:type"] == "floating")
        .unwrap();
    let addresses = world["addresses"].as_object().unwrap();
    let kept = addresses
        .values()
        .find(|address| address["address"] == floating["addr"])
        .expect("so does the EIP");
    assert_eq!(kept["port_id"], Value::Null, "bound to nothing");
}

#[tokio::test]
async fn only_spot_servers_are_taken_back_also_when_they_stand() {
    let cloud = cloud(fast()).await;
    let ordinary = cloud.running("ordinary").await;
    for id in [&*ordinary, "no-such-server"] {
        assert_eq!(reclaim(&cloud, id).await.status, 400, "{id}");
    }
    let server = spot(&cloud, "standing").await;
    let id = server["id"].as_str().unwrap();
    let job = cloud.act(json!({"os-stop": {"servers": [{"id": id}]}})).await;
    assert_eq!(job["status"], "SUCCESS");
    assert!(cloud.running.reclaim(id), "by the library too");
    gone(&cloud, id).await;
    assert_eq!(
        cloud.server(&ordinary).await.ok()["server"]["status"],
        "ACTIVE",
        "others are left alone"
    );
}

#[tokio::test]
async fn what_is_announced_is_carried_out_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let options = || sandbox::Options {
        state_file: Some(dir.path().join("state.json")),
        ..fast()
    };
    let first = cloud(options()).await;
    let server = spot(&first, "kept").await;
    let id = server["id"].as_str().unwrap();
    assert!(first.running.reclaim(id));
    first.running.stop().await.unwrap();
    let second = cloud(options()).await;
    gone(&second, id).await;
    assert_eq!(interruptions(&second, id).await.len(), 1);
}

#[tokio::test]
async fn a_spot_server_is_billed_as_one_until_it_is_taken() {
    let cloud = cloud(fast()).await;
    let now = Utc::now();
    let target: DateTime<Utc> = (now + TimeDelta::days(40))
        .date_naive()
        .with_day(15)
        .and_then(|day| day.and_hms_opt(2, 1, 0))
        .unwrap()
        .and_utc();
    let offset = (target - now).num_seconds();
    cloud.move_clock(offset).await;
    let server = spot(&cloud, "cheap").await;
    let id = server["id"].as_str().unwrap();
    cloud.move_clock(offset + 600).await;
    assert!(cloud.running.reclaim(id));
    gone(&cloud, id).await;
    cloud.move_clock(offset + 7200).await;

    let cycle = (target + TimeDelta::hours(8)).format("%Y-%m").to_string();
    let query = json!({"cycle": cycle, "statistic_type": 3, "res_instance_id": id});
    let path = "/v2/bills/customer-bills/res-records/query";
    let bill = cloud.call("ada", "POST", "bss", path, Some(&query)).await.ok();
    assert_eq!(bill["total_count"], 1, "{bill}");
    let row = &bill["monthly_records"][0];
    assert_eq!(row["is_spot"], "1");
    let (list, paid) = (
        row["official_amount"].as_f64().unwrap(),
        row["consume_amount"].as_f64().unwrap(),
    );
    assert!(
        (0.04..0.08).contains(&list),
        "ten minutes of an hour's 0.31: {list}"
    );
    assert!((paid - list * 0.3).abs() < 1e-6, "{paid} of {list}");
}
