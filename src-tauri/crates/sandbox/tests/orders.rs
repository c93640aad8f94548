//! What may be ordered: the rules of each field at its edges, and of what servers and disks may have together.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::collections::BTreeMap;

use common::{Cloud, cloud, fast, in_minutes};
use serde_json::{Value, json};

/// What a dry run of an order says: its status, and the code if it is refused.
async fn tried(cloud: &Cloud, good: &Value, field: &str, value: &Value) -> (u16, String) {
    let mut order = good.clone();
    order["dry_run"] = json!(true);
    order["server"][field] = value.clone();
    let got = cloud.ecs("POST", "/v1.1/{P}/cloudservers", Some(&order)).await;
    if got.status == 202 {
        (202, String::new())
    } else {
        got.refused()
    }
}

#[tokio::test]
async fn a_disks_speed_is_told_where_it_must_be_and_fits_its_size() {
    let cloud = cloud(fast()).await;
    let good = cloud.order("x").await;
    let disk = |kind: &str, size: u32, iops: Option<u32>, throughput: Option<u32>| {
        let mut disk = json!({"volumetype": kind, "size": size});
        for (key, value) in [("iops", iops), ("throughput", throughput)] {
            if let Some(value) = value {
                disk[key] = json!(value);
            }
        }
        disk
    };
    for (disk, is_good) in [
        (disk("GPSSD2", 40, Some(3000), Some(125)), true),
        (disk("GPSSD2", 40, Some(20_000), Some(1000)), true),
        (disk("GPSSD2", 1024, Some(128_000), Some(1000)), true),
        (disk("GPSSD2", 40, None, None), false),
        (disk("GPSSD2", 40, Some(3000), None), false),
        (disk("GPSSD2", 40, None, Some(125)), false),
        (disk("GPSSD2", 40, Some(2999), Some(125)), false),
        (disk("GPSSD2", 40, Some(20_001), Some(125)), false),
        (disk("GPSSD2", 1024, Some(128_001), Some(125)), false),
        (disk("GPSSD2", 40, Some(3000), Some(124)), false),
        (disk("GPSSD2", 40, Some(3000), Some(750)), true),
        (disk("GPSSD2", 40, Some(3000), Some(751)), false),
        (disk("GPSSD2", 40, Some(20_000), Some(1001)), false),
        (disk("ESSD2", 40, Some(100), None), true),
        (disk("ESSD2", 40, Some(40_000), None), true),
        (disk("ESSD2", 1024, Some(256_000), None), true),
        (disk("ESSD2", 40, None, None), false),
        (disk("ESSD2", 40, Some(99), None), false),
        (disk("ESSD2", 40, Some(40_001), None), false),
        (disk("ESSD2", 1024, Some(256_001), None), false),
        (disk("ESSD2", 40, Some(1000), Some(125)), false),
        (disk("GPSSD", 40, Some(3000), None), false),
        (disk("SSD", 40, None, Some(125)), false),
    ] {
        let expected = if is_good {
            (202, String::new())
        } else {
            (400, "Ecs.0005".to_owned())
        };
        assert_eq!(
            tried(&cloud, &good, "root_volume", &disk).await,
            expected,
            "system disk {disk}"
        );
        assert_eq!(
            tried(&cloud, &good, "data_volumes", &json!([disk])).await,
            expected,
            "data disk {disk}"
        );
        let alone = json!({"volume": {
            "availability_zone": "sandbox-1a", "volume_type": disk["volumetype"], "size": disk["size"],
            "iops": disk["iops"], "throughput": disk["throughput"],
        }});
        let got = cloud.evs("POST", "/v2.1/{P}/cloudvolumes", Some(&alone)).await;
        if is_good {
            assert_eq!(got.status, 202, "{disk}: {got:?}");
            cloud.disk_settled(got.json()["job_id"].as_str().unwrap()).await;
        } else {
            assert_eq!(got.refused(), (400, "EVS.1009".to_owned()), "alone {disk}");
        }
    }
}

#[tokio::test]
async fn bandwidth_comes_in_steps_that_grow() {
    let cloud = cloud(fast()).await;
    let good = cloud.order("x").await;
    let address = |bandwidth: Value| json!({"eip": {"iptype": "5_bgp", "bandwidth": bandwidth}});
    let by_size = |mbps: u32| address(json!({"size": mbps, "sharetype": "PER", "chargemode": "traffic"}));
    for mbps in [1, 299, 300, 350, 1000, 1500, 2000] {
        assert_eq!(
            tried(&cloud, &good, "publicip", &by_size(mbps)).await.0,
            202,
            "{mbps}"
        );
    }
    for mbps in [0, 301, 349, 999, 1001, 1050, 1999] {
        let got = tried(&cloud, &good, "publicip", &by_size(mbps)).await;
        assert_eq!(got, (400, "Ecs.0005".to_owned()), "{mbps}");
    }
    let got = tried(&cloud, &good, "publicip", &by_size(2001)).await;
    assert_eq!(
        got,
        (400, "Ecs.0045".to_owned()),
        "too large has a code of its own"
    );
    for wrong in [
        address(json!({"size": 5, "sharetype": "WHOLE"})),
        address(json!({"size": 5, "sharetype": "PER", "chargemode": "month"})),
        address(json!({"sharetype": "PER"})),
        json!({"eip": {"iptype": "9_bgp", "bandwidth": {"size": 5, "sharetype": "PER"}}}),
        json!({}),
    ] {
        let got = tried(&cloud, &good, "publicip", &wrong).await;
        assert_eq!(got, (400, "Ecs.0005".to_owned()), "{wrong}");
    }
}

#[tokio::test]
async fn metadata_has_a_number_of_keys_and_lengths() {
    let cloud = cloud(fast()).await;
    let good = cloud.order("x").await;
    let many =
        |count: usize| -> BTreeMap<String, &str> { (0..count).map(|n| (format!("k{n}"), "v")).collect() };
    let one = |key: &str, value: &str| json!({key: value});
    for (metadata, is_good) in [
        (json!(many(10)), true),
        (json!(many(11)), false),
        (one(&"k".repeat(255), "v"), true),
        (one(&"k".repeat(256), "v"), false),
        (one("a-b_c:d.e", ""), true),
        (one("", "v"), false),
        (one("a b", "v"), false),
        (one("键", "v"), false),
        (one("k", &"值".repeat(255)), true),
        (one("k", &"v".repeat(256)), false),
    ] {
        let expected = if is_good {
            (202, String::new())
        } else {
            (400, "Ecs.0005".to_owned())
        };
        assert_eq!(
            tried(&cloud, &good, "metadata", &metadata).await,
            expected,
            "{metadata}"
        );
    }
}

#[tokio::test]
async fn a_spot_server_has_no_lease_and_no_other_size() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("spot").await;
    let spot = json!({"chargingMode": "postPaid", "marketType": "spot"});
    let both = tried(&cloud, &order, "extendparam", &spot).await;
    assert_eq!(both, (400, "Ecs.0081".to_owned()), "ordered with a lease");
    order["server"]["extendparam"] = spot;
    order["server"]["auto_terminate_time"] = Value::Null;
    let (job, id) = cloud.create(&order).await;
    assert_eq!(cloud.settled(&job).await["status"], "SUCCESS");
    let path = format!("/v1/{{P}}/cloudservers/{id}");
    let lease = json!({"auto_terminate_time": in_minutes(120)});
    let got = cloud
        .ecs(
            "POST",
            &format!("{path}/actions/update-auto-terminate-time"),
            Some(&lease),
        )
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0081".to_owned()), "given one later");
    let larger = json!({"resize": {"flavorRef": "s6.xlarge.2", "mode": "withStopServer"}});
    let got = cloud
        .ecs(
            "POST",
            &format!("/v1.1/{{P}}/cloudservers/{id}/resize"),
            Some(&larger),
        )
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0704".to_owned()));
    let server = cloud.server(&id).await.ok()["server"].clone();
    assert_eq!(server["flavor"]["id"], "s6.large.2", "nothing came of it");
    assert_eq!(server["auto_terminate_time"], "");
    for odd in [
        json!({"chargingMode": "prePaid", "marketType": "spot"}),
        json!({"chargingMode": "postPaid", "marketType": "auction"}),
        json!({"chargingMode": "tomorrow"}),
    ] {
        let got = tried(&cloud, &order, "extendparam", &odd).await;
        assert_eq!(got, (400, "Ecs.0005".to_owned()), "{odd}");
    }
}

/// A free disk in a zone.
async fn disk_in(cloud: &Cloud, zone: &str) -> String {
    let body = json!({"volume": {
        "availability_zone": zone, "volume_type": "SAS", "size": 10, "metadata": {"create_for_volume_id": "true"},
    }});
    let answer = cloud
        .evs("POST", "/v2.1/{P}/cloudvolumes", Some(&body))
        .await
        .ok();
    cloud.disk_settled(answer["job_id"].as_str().unwrap()).await;
    answer["volume_ids"][0].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_disk_is_attached_in_its_own_zone_and_where_a_slot_is_free() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("full").await;
    order["server"]["data_volumes"] = json!(vec![json!({"volumetype": "SAS", "size": 10}); 23]);
    let (job, id) = cloud.create(&order).await;
    assert_eq!(cloud.settled(&job).await["status"], "SUCCESS");
    let path = format!("/v1/{{P}}/cloudservers/{id}");
    let attach = async |volume: &str| {
        let body = json!({"volumeAttachment": {"volumeId": volume}});
        cloud
            .ecs("POST", &format!("{path}/attachvolume"), Some(&body))
            .await
    };
    let elsewhere = disk_in(&cloud, "sandbox-1b").await;
    assert_eq!(attach(&elsewhere).await.refused(), (400, "Ecs.0017".to_owned()));
    let here = disk_in(&cloud, "sandbox-1a").await;
    assert_eq!(attach(&here).await.refused(), (400, "Ecs.0104".to_owned()));
    let all = cloud.ecs("GET", &format!("{path}/block_device"), None).await.ok();
    assert_eq!(all["attachableQuantity"]["free_disk"], 0);

    let first = all["volumeAttachments"][1]["volumeId"].as_str().unwrap();
    let answer = cloud
        .ecs("DELETE", &format!("{path}/detachvolume/{first}"), None)
        .await
        .ok();
    cloud.settled(answer["job_id"].as_str().unwrap()).await;
    let answer = attach(&here).await.ok();
    let job = cloud.settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(job["status"], "SUCCESS", "where one was taken off, one fits");
}

#[tokio::test]
async fn a_disk_that_was_marked_goes_with_its_server_and_one_that_was_unmarked_stays() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("marked").await;
    let disk = |goes: bool| json!({"volumetype": "SAS", "size": 10, "delete_on_termination": goes});
    order["server"]["data_volumes"] = json!([disk(false), disk(true)]);
    let (job, id) = cloud.create(&order).await;
    cloud.settled(&job).await;
    let attached = async || -> Value {
        cloud.server(&id).await.ok()["server"]["os-extended-volumes:volumes_attached"].clone()
    };
    let before = attached().await;
    let (one, other) = (
        before[1]["id"].as_str().unwrap(),
        before[2]["id"].as_str().unwrap(),
    );
    for (volume, goes) in [(one, true), (other, false)] {
        let path = format!("/v1/{{P}}/cloudservers/{id}/block_device/{volume}");
        let mark = json!({"block_device": {"delete_on_termination": goes}});
        assert_eq!(cloud.ecs("PUT", &path, Some(&mark)).await.status, 200);
    }
    let marks: Vec<Value> = attached()
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["delete_on_termination"].clone())
        .collect();
    assert_eq!(
        marks,
        ["true", "true", "false"],
        "the system disk, the marked one, the other"
    );
    let delete = json!({"servers": [{"id": id}]});
    let answer = cloud
        .ecs("POST", "/v1/{P}/cloudservers/delete", Some(&delete))
        .await
        .ok();
    cloud.settled(answer["job_id"].as_str().unwrap()).await;
    let shown = async |volume: &str| {
        cloud
            .evs("GET", &format!("/v2/{{P}}/cloudvolumes/{volume}"), None)
            .await
    };
    assert_eq!(shown(one).await.status, 404, "it went with its server");
    let left = shown(other).await.ok();
    assert_eq!(left["volume"]["status"], "available", "it stayed, and is billed");
}
