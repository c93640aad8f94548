//! Servers coming into being, and what may go wrong with that.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use chrono::{TimeDelta, Utc};
use common::{cloud, fast, in_minutes};
use sandbox::Options;
use serde_json::{Value, json};

#[tokio::test]
async fn a_server_is_created_extended_and_deleted() {
    // So slow that nothing happens but what the test's own clock lets happen.
    let cloud = cloud(Options {
        speed: 0.01,
        ..Options::default()
    })
    .await;
    let order = cloud.order("dev-ada-01").await;
    let (job, id) = cloud.create(&order).await;
    let job_status = async |job: &str| {
        let row = cloud
            .ecs("GET", &format!("/v1/{{P}}/jobs/{job}"), None)
            .await
            .ok();
        row["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(job_status(&job).await, "INIT");
    assert_eq!(
        cloud.server(&id).await.refused(),
        (404, "Ecs.0114".to_owned()),
        "the id is known, the server is not there yet"
    );
    for (second, job_is, status, task) in [
        (70, "RUNNING", "BUILD", json!("scheduling")),
        (160, "RUNNING", "BUILD", json!("block_device_mapping")),
        (310, "RUNNING", "BUILD", json!("networking")),
        (410, "RUNNING", "BUILD", json!("spawning")),
        (610, "RUNNING", "ACTIVE", Value::Null),
        (650, "SUCCESS", "ACTIVE", Value::Null),
    ] {
        cloud.move_clock(second).await;
        assert_eq!(job_status(&job).await, job_is, "after {second} s");
        let server = cloud.server(&id).await.ok()["server"].clone();
        assert_eq!(
            (&server["status"], &server["OS-EXT-STS:task_state"]),
            (&json!(status), &task)
        );
    }
    let row = cloud
        .ecs("GET", &format!("/v1/{{P}}/jobs/{job}"), None)
        .await
        .ok();
    assert_eq!(row["entities"]["sub_jobs"][0]["entities"]["server_id"], id);
    assert_eq!(row["job_type"], "createServer");
    let server = cloud.server(&id).await.ok()["server"].clone();
    assert_eq!(server["flavor"]["vcpus"], "2");
    assert_eq!(server["tags"], json!(["owner=ada", "purpose=试验"]));
    assert_eq!(server["user_id"], cloud.announcement.user("ada").unwrap().id);
    assert_eq!(server["metadata"]["charging_mode"], "0");
    assert!(
        server["auto_terminate_time"].as_str().unwrap().ends_with(":00Z"),
        "leases end on the minute"
    );
    let vpc = order["server"]["vpcid"].as_str().unwrap();
    let kinds: Vec<&str> = server["addresses"][vpc]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["OS-EXT-IPS:type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["fixed", "floating"]);

    let lease = format!("/v1/{{P}}/cloudservers/{id}/actions/update-auto-terminate-time");
    let end = in_minutes(300);
    let extended = cloud
        .ecs("POST", &lease, Some(&json!({"auto_terminate_time": end})))
        .await;
    assert_eq!((extended.status, extended.text.as_str()), (200, ""));
    let shown = cloud.server(&id).await.ok();
    let kept = shown["server"]["auto_terminate_time"].as_str().unwrap();
    assert_eq!(
        kept.rsplit_once(':').unwrap(),
        (end.rsplit_once(':').unwrap().0, "00Z")
    );
    cloud
        .ecs("POST", &lease, Some(&json!({"auto_terminate_time": ""})))
        .await
        .ok();
    assert_eq!(cloud.server(&id).await.ok()["server"]["auto_terminate_time"], "");

    let delete = json!({"servers": [{"id": id}]});
    let answer = cloud
        .ecs("POST", "/v1/{P}/cloudservers/delete", Some(&delete))
        .await
        .ok();
    let leaving = cloud.server(&id).await.ok();
    assert_eq!(leaving["server"]["status"], "ACTIVE");
    assert_eq!(leaving["server"]["OS-EXT-STS:task_state"], "deleting");
    cloud.move_clock(900).await;
    assert_eq!(job_status(answer["job_id"].as_str().unwrap()).await, "SUCCESS");
    assert_eq!(cloud.server(&id).await.status, 404);

    let disks = cloud
        .call(
            "ada",
            "GET",
            "evs",
            "/v2/{P}/cloudvolumes/detail?status=available",
            None,
        )
        .await
        .ok();
    let left: Vec<&Value> = disks["volumes"].as_array().unwrap().iter().collect();
    assert_eq!(
        left.len(),
        1,
        "the data disk was not marked to go with the server"
    );
    assert_eq!(left[0]["size"], 100);
    let addresses = cloud
        .call("ada", "GET", "eip", "/v1/{P}/publicips", None)
        .await
        .ok();
    assert!(
        addresses["publicips"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["status"] == "ACTIVE"),
        "the EIP was marked to go with the server"
    );
}

#[tokio::test]
async fn deleting_can_take_the_disks_along_and_keep_the_eip() {
    let cloud = cloud(fast()).await;
    let (job, id) = cloud.create(&cloud.order("a").await).await;
    cloud.settled(&job).await;
    let delete = json!({"servers": [{"id": id}], "delete_volume": true, "delete_publicip": false});
    let answer = cloud
        .ecs("POST", "/v1/{P}/cloudservers/delete", Some(&delete))
        .await
        .ok();
    cloud.settled(answer["job_id"].as_str().unwrap()).await;
    let disks = cloud
        .call(
            "ada",
            "GET",
            "evs",
            "/v2/{P}/cloudvolumes/detail?status=available",
            None,
        )
        .await
        .ok();
    assert_eq!(disks["count"], 0);
    let addresses = cloud
        .call("ada", "GET", "eip", "/v1/{P}/publicips", None)
        .await
        .ok();
    let free: Vec<&Value> = addresses["publicips"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["status"] == "DOWN")
        .collect();
    assert_eq!(free.len(), 1);
    assert!(free[0].get("port_id").is_none());
}

#[tokio::test]
async fn a_creation_with_the_same_client_token_happens_once() {
    let cloud = cloud(fast()).await;
    let ada = cloud.credentials("ada");
    let order = cloud.order("once").await;
    let create = async |token: &str, at: chrono::DateTime<Utc>, order: &Value| {
        cloud
            .call_with(
                &ada,
                at,
                "POST",
                "ecs",
                "/v1.1/{P}/cloudservers",
                &[("X-Client-Token", token)],
                Some(order),
            )
            .await
            .unwrap()
    };
    let token = "0b9d7c1e-52a4-4c0f-9a55-2f6f0f5f3a01";
    let first = create(token, Utc::now(), &order).await.ok();
    let second = create(token, Utc::now(), &order).await.ok();
    assert_eq!(first, second);
    let named = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?name=once", None)
        .await
        .ok();
    assert!(
        named["count"].as_u64().unwrap() <= 1,
        "one server at most: {named}"
    );

    let other = create(token, Utc::now(), &cloud.order("twice").await).await;
    assert_eq!(other.refused(), (400, "Ecs.0122".to_owned()));
    assert_eq!(
        create("not-a-uuid", Utc::now(), &order).await.refused(),
        (400, "Ecs.0123".to_owned())
    );
    let upper = token.to_uppercase();
    assert_eq!(
        create(&upper, Utc::now(), &order).await.refused(),
        (400, "Ecs.0123".to_owned())
    );
    let later = 8 * 3600 + 60;
    cloud
        .control("POST", "/clock", Some(json!({"offset_s": later})))
        .await
        .ok();
    let late = create(token, Utc::now() + TimeDelta::seconds(later), &order).await;
    assert_eq!(late.refused(), (400, "Ecs.0124".to_owned()));
}

#[tokio::test]
async fn an_answer_that_is_lost_can_be_had_again_with_the_token() {
    let cloud = cloud(fast()).await;
    let ada = cloud.credentials("ada");
    let order = cloud.order("lost").await;
    let token = [("X-Client-Token", "0b9d7c1e-52a4-4c0f-9a55-2f6f0f5f3a02")];
    let path = "/v1.1/{P}/cloudservers";
    cloud
        .control("POST", "/faults", Some(json!({"cut_next": "after"})))
        .await
        .ok();
    let lost = cloud
        .call_with(&ada, Utc::now(), "POST", "ecs", path, &token, Some(&order))
        .await;
    assert!(lost.is_err(), "{lost:?}");
    let got = cloud
        .call_with(&ada, Utc::now(), "POST", "ecs", path, &token, Some(&order))
        .await
        .unwrap()
        .ok();
    cloud.settled(got["job_id"].as_str().unwrap()).await;
    let named = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?name=lost", None)
        .await
        .ok();
    assert_eq!(named["count"], 1);
}

#[tokio::test]
async fn a_dry_run_checks_and_creates_nothing() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("dry").await;
    order["dry_run"] = json!(true);
    let got = cloud.ecs("POST", "/v1.1/{P}/cloudservers", Some(&order)).await;
    assert_eq!((got.status, got.text.as_str()), (202, ""));
    order["server"]["flavorRef"] = json!("no.such.1");
    let got = cloud.ecs("POST", "/v1.1/{P}/cloudservers", Some(&order)).await;
    assert_eq!(got.refused(), (400, "Ecs.0029".to_owned()));
    let world = cloud.control("GET", "/servers", None).await.ok();
    assert_eq!(
        world["regions"][0]["servers"].as_object().unwrap().len(),
        3,
        "those that were there before"
    );
    assert!(world["regions"][0]["jobs"].as_object().unwrap().is_empty());
}

#[tokio::test]
async fn each_reason_against_a_creation_has_its_code() {
    let cloud = cloud(fast()).await;
    let good = cloud.order("x").await;
    let cases: &[(&str, Value, u16, &str)] = &[
        ("flavorRef", json!("no.such.1"), 400, "Ecs.0029"),
        ("flavorRef", json!("c7.large.2"), 400, "Ecs.0018"),
        ("flavorRef", json!("s3.large.2"), 400, "Ecs.0019"),
        ("flavorRef", json!("kc1.large.2"), 400, "Ecs.0007"),
        ("flavorRef", json!("d6.xlarge.4"), 400, "Ecs.0081"),
        ("availability_zone", json!("sandbox-1z"), 400, "Ecs.0005"),
        (
            "imageRef",
            json!("00000000-0000-4000-8000-000000000000"),
            400,
            "Ecs.0031",
        ),
        (
            "vpcid",
            json!("00000000-0000-4000-8000-000000000000"),
            400,
            "Ecs.0014",
        ),
        ("nics", json!([{"subnet_id": "nowhere"}]), 400, "Ecs.0038"),
        ("security_groups", json!([{"id": "nowhere"}]), 400, "Ecs.0014"),
        ("key_name", json!("somebody-elses"), 400, "Ecs.0314"),
        ("name", json!("a b"), 400, "Ecs.0915"),
        ("count", json!(101), 400, "Ecs.0913"),
        ("count", json!(19), 400, "Ecs.0001"),
        (
            "root_volume",
            json!({"volumetype": "NEWSSD", "size": 40}),
            400,
            "Ecs.0043",
        ),
        (
            "root_volume",
            json!({"volumetype": "SAS", "size": 10}),
            400,
            "Ecs.0005",
        ),
        (
            "server_tags",
            json!([{"key": "a=b", "value": ""}]),
            400,
            "Ecs.0907",
        ),
        (
            "server_tags",
            json!([{"key": "a", "value": ""}, {"key": "a", "value": ""}]),
            400,
            "Ecs.0908",
        ),
        ("adminPass", json!("weak"), 400, "Ecs.0011"),
        ("user_data", json!("not base64!"), 400, "Ecs.0005"),
        ("auto_terminate_time", json!("tomorrow"), 400, "Ecs.0082"),
        ("auto_terminate_time", json!(in_minutes(29)), 403, "Ecs.0083"),
        ("extendparam", json!({"chargingMode": "prePaid"}), 400, "Ecs.0084"),
        (
            "extendparam",
            json!({"chargingMode": "postPaid", "marketType": "spot"}),
            400,
            "Ecs.0081",
        ),
        ("flavorRef", json!(7), 400, "Ecs.0000"),
    ];
    for (field, value, status, code) in cases {
        let mut order = good.clone();
        order["server"][field] = value.clone();
        let got = cloud.ecs("POST", "/v1.1/{P}/cloudservers", Some(&order)).await;
        assert_eq!(got.refused(), (*status, (*code).to_owned()), "{field}: {value}");
    }
    let sold_out = json!({"flavorRef": "c6.large.2", "availability_zone": "sandbox-1b"});
    let mut order = good.clone();
    for (field, value) in sold_out.as_object().unwrap() {
        order["server"][field] = value.clone();
    }
    assert_eq!(
        cloud
            .ecs("POST", "/v1.1/{P}/cloudservers", Some(&order))
            .await
            .refused(),
        (400, "Ecs.0018".to_owned())
    );
    order["server"]["availability_zone"] = Value::Null;
    assert_eq!(
        cloud
            .ecs("POST", "/v1.1/{P}/cloudservers", Some(&order))
            .await
            .status,
        200,
        "elsewhere it is sold"
    );

    let elsewhere = cloud
        .ecs(
            "GET",
            "/v1/00000000000000000000000000000000/cloudservers/detail",
            None,
        )
        .await;
    assert_eq!(elsewhere.refused(), (400, "Ecs.0023".to_owned()));
    let no_call = cloud.ecs("GET", "/v1/{P}/cloudservers/detail/", None).await;
    assert_eq!(
        (no_call.status, &no_call.json()["error_code"]),
        (404, &json!("APIGW.0101"))
    );
}

#[tokio::test]
async fn a_failing_job_says_why_and_leaves_nothing() {
    let cloud = cloud(fast()).await;
    let fault = json!({"job_fail_next": true, "code": "Ecs.0319"});
    cloud.control("POST", "/faults", Some(fault)).await.ok();
    let before = cloud.control("GET", "/servers", None).await.ok();
    let (job, id) = cloud.create(&cloud.order("unlucky").await).await;
    let row = cloud.settled(&job).await;
    assert_eq!(
        (row["status"].as_str(), row["error_code"].as_str()),
        (Some("FAIL"), Some("Ecs.0319"))
    );
    assert_eq!(row["entities"]["sub_jobs"][0]["status"], "FAIL");
    assert_eq!(cloud.server(&id).await.status, 404);
    let after = cloud.control("GET", "/servers", None).await.ok();
    for kind in ["servers", "volumes", "addresses"] {
        assert_eq!(before["regions"][0][kind], after["regions"][0][kind], "{kind}");
    }
    let (job, _) = cloud.create(&cloud.order("lucky").await).await;
    assert_eq!(cloud.settled(&job).await["status"], "SUCCESS");
    let gone = cloud.ecs("GET", "/v1/{P}/jobs/0", None).await;
    assert_eq!(gone.refused(), (400, "Common.0011".to_owned()));
}
