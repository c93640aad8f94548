//! The cloud's side: what a client that speaks Huawei Cloud's wire formats sees.

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
use huaweicloud::Credentials;
use sandbox::Options;
use serde_json::{Value, json};

#[tokio::test]
async fn a_caller_finds_out_who_they_are_and_which_project_is_theirs() {
    let cloud = cloud(fast()).await;
    for name in ["ada", "guest"] {
        let user = cloud.announcement.user(name).unwrap().clone();
        let identity = cloud
            .call(name, "GET", "sts", "/v5/caller-identity", None)
            .await
            .ok();
        assert_eq!(identity["principal_id"], user.id);
        assert!(
            identity["principal_urn"]
                .as_str()
                .unwrap()
                .ends_with(&format!(":user:{name}"))
        );
        let path = format!("/v3.0/OS-CREDENTIAL/credentials/{}", user.access_key);
        let own = cloud.call(name, "GET", "iam", &path, None).await.ok();
        assert_eq!(own["credential"]["user_id"], user.id);
        let row = cloud
            .call(name, "GET", "iam", &format!("/v3/users/{}", user.id), None)
            .await
            .ok();
        assert_eq!(row["user"]["name"], name);
        assert_eq!(row["user"]["domain_id"], identity["account_id"]);
        let domains = cloud
            .call(name, "GET", "iam", "/v3/auth/domains", None)
            .await
            .ok();
        assert_eq!(domains["domains"][0]["id"], identity["account_id"]);
        let projects = cloud
            .call(name, "GET", "iam", "/v3/auth/projects", None)
            .await
            .ok();
        assert!(
            projects["projects"].as_array().unwrap().len() >= 2,
            "with the row of the object storage"
        );
    }
    let projects = cloud
        .call("ada", "GET", "iam", "/v3/projects?name=sandbox-1", None)
        .await
        .ok();
    assert_eq!(projects["projects"][0]["id"], cloud.project());

    let other = cloud.announcement.user("bo").unwrap().id.clone();
    let refused = cloud
        .call("ada", "GET", "iam", &format!("/v3/users/{other}"), None)
        .await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (403, &json!(403))
    );
    assert_eq!(refused.json()["error"]["title"], "Forbidden");
    let admin = cloud
        .call("mia", "GET", "iam", &format!("/v3/users/{other}"), None)
        .await
        .ok();
    assert_eq!(admin["user"]["name"], "bo");
}

#[tokio::test]
async fn a_wrong_key_secret_or_clock_is_refused_by_the_gateway() {
    let cloud = cloud(fast()).await;
    let path = "/v1/{P}/cloudservers/limits";
    let unknown = Credentials::permanent("EXAMPLENOSUCHKEY0000", "x");
    let got = cloud
        .call_with(&unknown, Utc::now(), "GET", "ecs", path, &[], None)
        .await
        .unwrap();
    assert_eq!(
        (got.status, &got.json()["error_code"]),
        (401, &json!("APIGW.0301"))
    );
    assert!(got.json()["error_msg"].as_str().unwrap().contains("ak not exist"));
    assert_eq!(
        got.json()["request_id"],
        got.headers["x-request-id"].to_str().unwrap()
    );
    assert!(got.headers.contains_key("date"));

    let ada = cloud.credentials("ada");
    let early = Utc::now() - TimeDelta::minutes(16);
    let got = cloud
        .call_with(&ada, early, "GET", "ecs", path, &[], None)
        .await
        .unwrap();
    assert_eq!(got.status, 401);
    assert!(
        got.json()["error_msg"]
            .as_str()
            .unwrap()
            .contains("signature expired")
    );

    let url = format!("{}/v1/x/cloudservers", cloud.region().endpoints["ecs"]);
    let long = cloud
        .http
        .post(url)
        .body(vec![b' '; 12 * 1024 * 1024 + 1])
        .send()
        .await
        .unwrap();
    assert_eq!(long.status(), 413);

    let unsigned = cloud
        .http
        .get(format!("{}/v5/caller-identity", cloud.region().endpoints["sts"]));
    assert_eq!(unsigned.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn the_sandboxs_clock_can_be_moved_and_the_date_header_tells() {
    let cloud = cloud(fast()).await;
    cloud
        .control("POST", "/clock", Some(json!({"offset_s": 3600})))
        .await
        .ok();
    let path = "/v1/{P}/cloudservers/limits";
    let got = cloud.ecs("GET", path, None).await;
    assert_eq!(got.status, 401);
    let date = chrono::DateTime::parse_from_rfc2822(got.headers["date"].to_str().unwrap()).unwrap();
    let ahead = date.to_utc() - Utc::now();
    assert!(
        (ahead - TimeDelta::hours(1)).abs() < TimeDelta::minutes(1),
        "{ahead}"
    );
    let ada = cloud.credentials("ada");
    let right = Utc::now() + TimeDelta::hours(1);
    assert_eq!(
        cloud
            .call_with(&ada, right, "GET", "ecs", path, &[], None)
            .await
            .unwrap()
            .status,
        200
    );
    cloud
        .control("POST", "/clock", Some(json!({"offset_s": 0})))
        .await
        .ok();
    assert_eq!(cloud.ecs("GET", path, None).await.status, 200);
}

#[tokio::test]
async fn five_bad_signatures_lock_the_key_and_nobody_elses() {
    let cloud = cloud(fast()).await;
    let wrong = Credentials::permanent(
        cloud.announcement.user("ada").unwrap().access_key.clone(),
        "wrong",
    );
    let path = "/v5/caller-identity";
    for _ in 0..5 {
        let got = cloud
            .call_with(&wrong, Utc::now(), "GET", "sts", path, &[], None)
            .await
            .unwrap();
        assert_eq!(got.status, 401);
        assert!(
            got.json()["error_msg"]
                .as_str()
                .unwrap()
                .contains("canonicalRequest:GET|/v5/caller-identity/|")
        );
    }
    let locked = cloud.call("ada", "GET", "sts", path, None).await;
    assert_eq!(locked.status, 401);
    assert!(
        locked.json()["error_msg"]
            .as_str()
            .unwrap()
            .contains("reach the limit")
    );
    assert_eq!(cloud.call("bo", "GET", "sts", path, None).await.status, 200);
    cloud
        .control("POST", "/clock", Some(json!({"offset_s": 301})))
        .await
        .ok();
    assert_eq!(
        cloud.call("ada", "GET", "sts", path, None).await.status,
        200,
        "five minutes later"
    );
}

#[tokio::test]
async fn a_guest_is_told_which_right_is_missing_in_each_services_words() {
    let cloud = cloud(fast()).await;
    let ecs = cloud
        .call("guest", "GET", "ecs", "/v1/{P}/cloudservers/detail", None)
        .await;
    assert_eq!(ecs.refused(), (403, "Pdp.0001".to_owned()));
    assert!(ecs.text.contains("ecs:cloudServers:listServersDetails"));
    let evs = cloud.call("guest", "GET", "evs", "/v2/{P}/types", None).await;
    assert_eq!(evs.refused(), (403, "EVS.2056".to_owned()));
    let vpc = cloud.call("guest", "GET", "vpc", "/v1/{P}/vpcs", None).await;
    assert_eq!((vpc.status, &vpc.json()["code"]), (403, &json!("VPC.2201")));
    let kms = cloud.call("guest", "GET", "kps", "/v3/{P}/keypairs", None).await;
    assert_eq!((kms.status, &kms.json()["error_code"]), (403, &json!("KPS.9003")));
}

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

#[tokio::test]
async fn servers_are_found_by_marker_by_page_number_and_by_filter() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("many").await;
    order["server"]["count"] = json!(5);
    order["server"]["publicip"] = Value::Null;
    let answer = cloud.ecs("POST", "/v1/{P}/cloudservers", Some(&order)).await.ok();
    assert_eq!(answer["serverIds"].as_array().unwrap().len(), 5);
    let row = cloud.settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(row["entities"]["sub_jobs_total"], 5);

    let ids = |list: &Value| -> Vec<String> {
        let rows = list["servers"].as_array().unwrap();
        rows.iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let detail = async |query: &str| {
        cloud
            .ecs("GET", &format!("/v1/{{P}}/cloudservers/detail?{query}"), None)
            .await
            .ok()
    };
    let all = detail("").await;
    assert_eq!(all["count"], 8);
    let mut by_marker = Vec::new();
    loop {
        let marker = by_marker
            .last()
            .map(|id| format!("&marker={id}"))
            .unwrap_or_default();
        let page = detail(&format!("limit=3{marker}")).await;
        let page = ids(&page);
        if page.is_empty() {
            break;
        }
        by_marker.extend(page);
    }
    assert_eq!(by_marker, ids(&all));
    assert_eq!(
        ids(&detail("limit=3&offset=2").await),
        by_marker[3..6],
        "the second page, not the third row"
    );
    assert_eq!(ids(&detail("limit=3&offset=0").await), by_marker[..3]);

    assert_eq!(detail("name=many-000.").await["count"], 5);
    assert_eq!(detail("tags=owner=ada&tags=purpose=试验").await["count"], 5);
    assert_eq!(detail("tags=owner=bo").await["count"], 1);
    assert_eq!(detail("status=SHUTOFF").await["count"], 1);
    let odd = detail(&format!("server_id={},unknown", by_marker[0])).await;
    assert_eq!(odd["servers"][1]["id"], "unknown");
    assert_eq!(odd["servers"][1]["name"], Value::Null);
    let wrong = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?limit=1001", None)
        .await;
    assert_eq!(wrong.refused(), (400, "Ecs.0005".to_owned()));

    let addresses: std::collections::BTreeSet<String> = all["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            row["network_interfaces"][0]["ip_addresses"][0]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(addresses.len(), 8, "each has an address of its own");
}

#[tokio::test]
async fn tags_are_set_and_taken_away() {
    let cloud = cloud(fast()).await;
    let (job, id) = cloud.create(&cloud.order("t").await).await;
    cloud.settled(&job).await;
    let path = format!("/v1/{{P}}/cloudservers/{id}/tags/action");
    let set =
        json!({"action": "create", "tags": [{"key": "purpose", "value": "demo"}, {"key": "x", "value": ""}]});
    for _ in 0..2 {
        assert_eq!(
            cloud.ecs("POST", &path, Some(&set)).await.status,
            204,
            "as often as one likes"
        );
    }
    assert_eq!(
        cloud.server(&id).await.ok()["server"]["tags"],
        json!(["owner=ada", "purpose=demo", "x"])
    );
    let remove = json!({"action": "delete", "tags": [{"key": "x"}]});
    cloud.ecs("POST", &path, Some(&remove)).await.ok();
    let many: Vec<Value> = (0..9)
        .map(|n| json!({"key": format!("k{n}"), "value": "v"}))
        .collect();
    let got = cloud
        .ecs("POST", &path, Some(&json!({"action": "create", "tags": many})))
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0905".to_owned()));
}

#[tokio::test]
async fn what_is_paid_by_the_month_has_no_lease_and_is_not_deleted() {
    let cloud = cloud(fast()).await;
    let found = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?name=team-wiki", None)
        .await
        .ok();
    let id = found["servers"][0]["id"].as_str().unwrap();
    assert_eq!(found["servers"][0]["metadata"]["charging_mode"], "1");
    let lease = format!("/v1/{{P}}/cloudservers/{id}/actions/update-auto-terminate-time");
    let got = cloud
        .ecs(
            "POST",
            &lease,
            Some(&json!({"auto_terminate_time": in_minutes(90)})),
        )
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0084".to_owned()));
    let got = cloud
        .ecs(
            "POST",
            "/v1/{P}/cloudservers/delete",
            Some(&json!({"servers": [{"id": id}]})),
        )
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0513".to_owned()));
}

#[tokio::test]
async fn a_server_whose_lease_has_ended_is_swept_away() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("short").await;
    order["server"]["auto_terminate_time"] = json!(in_minutes(40));
    let (job, id) = cloud.create(&order).await;
    assert_eq!(cloud.settled(&job).await["status"], "SUCCESS");
    cloud.move_clock(30 * 60).await;
    assert_eq!(cloud.server(&id).await.status, 200);
    cloud.move_clock(41 * 60).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while cloud.server(&id).await.status != 404 {
        assert!(std::time::Instant::now() < deadline, "it is still there");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_catalogue_says_what_is_sold_where() {
    let cloud = cloud(fast()).await;
    let flavors = cloud
        .ecs(
            "GET",
            "/v1/{P}/cloudservers/flavors?availability_zone=sandbox-1b",
            None,
        )
        .await
        .ok();
    let find = |id: &str| {
        let rows = flavors["flavors"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap()["os_extra_specs"].clone()
    };
    assert_eq!(
        find("c6.large.2")["cond:operation:az"],
        "sandbox-1a(normal),sandbox-1b(sellout),sandbox-1c(normal)"
    );
    assert_eq!(find("s3.large.2")["cond:operation:status"], "abandon");
    assert_eq!(find("kc1.large.2")["ecs:instance_architecture"], "arm64");
    let two = cloud
        .ecs(
            "GET",
            "/v1/{P}/cloudservers/flavors?limit=2&marker=s6.small.1",
            None,
        )
        .await
        .ok();
    assert_eq!(two["flavors"][0]["id"], "s6.medium.2");
    assert_eq!(two["flavors"].as_array().unwrap().len(), 2);
    let zones = cloud.ecs("GET", "/v1/{P}/availability-zones", None).await.ok();
    assert_eq!(zones["availability_zones"].as_array().unwrap().len(), 3);

    let arm = cloud
        .call("ada", "GET", "ims", "/v2/cloudimages?flavor_id=kc1.large.2", None)
        .await
        .ok();
    assert!(
        arm["images"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["__support_arm"] == "true")
    );
    let first = cloud
        .call("ada", "GET", "ims", "/v2/cloudimages?limit=4", None)
        .await
        .ok();
    let marker = first["page_info"]["next_marker"].as_str().unwrap();
    let rest = cloud
        .call(
            "ada",
            "GET",
            "ims",
            &format!("/v2/cloudimages?limit=4&marker={marker}"),
            None,
        )
        .await
        .ok();
    assert_eq!(rest["images"].as_array().unwrap().len(), 4);
    assert_ne!(
        rest["images"][0]["id"], first["images"][0]["id"],
        "the next page, not the same"
    );
    let types = cloud.call("ada", "GET", "evs", "/v2/{P}/types", None).await.ok();
    let essd = types["volume_types"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "ESSD")
        .unwrap();
    assert_eq!(
        essd["extra_specs"]["os-vendor-extended:sold_out_availability_zones"],
        "sandbox-1c"
    );
    let subnets = cloud
        .call("ada", "GET", "vpc", "/v1/{P}/subnets", None)
        .await
        .ok();
    assert_eq!(subnets["subnets"][0]["available_ip_address_count"], 251 - 3);

    let names = async |user: &str| -> Vec<String> {
        let pairs = cloud
            .call(user, "GET", "kps", "/v3/{P}/keypairs", None)
            .await
            .ok();
        let rows = pairs["keypairs"].as_array().unwrap();
        rows.iter()
            .map(|row| row["keypair"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("ada").await, ["ada-laptop", "team-shared"]);
    assert_eq!(names("bo").await, ["team-shared"]);
    let limits = cloud.ecs("GET", "/v1/{P}/cloudservers/limits", None).await.ok();
    assert_eq!(limits["absolute"]["totalInstancesUsed"], 3);
}

#[tokio::test]
async fn prices_are_decimal_and_their_sum_is_the_total() {
    let cloud = cloud(fast()).await;
    let product = |id: &str, service: &str, kind: &str, spec: &str, size: Option<(u32, u32)>| {
        let mut row = json!({
            "id": id, "cloud_service_type": service, "resource_type": kind, "resource_spec": spec,
            "region": "sandbox-1", "usage_factor": "Duration", "usage_value": 1, "usage_measure_id": 4,
            "subscription_num": 1,
        });
        if let Some((size, measure)) = size {
            row["resource_size"] = json!(size);
            row["size_measure_id"] = json!(measure);
        }
        row
    };
    let vm = product(
        "1",
        "hws.service.type.ec2",
        "hws.resource.type.vm",
        "s6.large.2.linux",
        None,
    );
    let disk = product(
        "2",
        "hws.service.type.ebs",
        "hws.resource.type.volume",
        "GPSSD",
        Some((40, 17)),
    );
    let bandwidth = product(
        "3",
        "hws.service.type.vpc",
        "hws.resource.type.bandwidth",
        "19_bgp",
        Some((6, 15)),
    );
    let path = "/v2/bills/ratings/on-demand-resources";
    let ask = async |products: Value| {
        let body = json!({"project_id": cloud.project(), "inquiry_precision": 1, "product_infos": products});
        cloud.call("ada", "POST", "bss", path, Some(&body)).await
    };
    let got = ask(json!([vm, disk, bandwidth])).await;
    // Read as text: the amounts are decimal digits, not what is left of them in binary.
    for digits in [
        r#""official_website_amount":0.31,"#,
        r#""amount":0.279,"#,
        r#""amount":0.0392,"#,
        r#""amount":0.565,"#,
        r#""amount":0.8832,"discount_amount":0.031,"official_website_amount":0.9142,"#,
    ] {
        assert!(got.text.contains(digits), "{digits} in {}", got.text);
    }
    assert_eq!(got.json()["currency"], "CNY");

    let windows = product(
        "1",
        "hws.service.type.ec2",
        "hws.resource.type.vm",
        "s6.large.2.win",
        None,
    );
    let got = ask(json!([windows])).await;
    assert!(
        got.text.contains(r#""official_website_amount":0.65,"#),
        "{}",
        got.text
    );

    let unknown = product(
        "9",
        "hws.service.type.ec2",
        "hws.resource.type.vm",
        "x9.large.2.linux",
        None,
    );
    let got = ask(json!([vm, unknown])).await;
    assert_eq!(
        (got.status, &got.json()["error_code"]),
        (400, &json!("CBC.99006006"))
    );
    let mut wrong_unit = vm.clone();
    wrong_unit["usage_measure_id"] = json!(10);
    assert_eq!(
        ask(json!([wrong_unit])).await.json()["error_code"],
        "CBC.99006050"
    );
    assert_eq!(ask(json!([vm, vm])).await.json()["error_code"], "CBC.0100");
}

#[tokio::test]
async fn the_state_survives_a_restart_in_the_middle_of_a_job() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        state_file: Some(folder.path().join("state.json")),
        speed: 2.0,
        ..Options::default()
    };
    let first = cloud(options.clone()).await;
    let (job, id) = first.create(&first.order("lasting").await).await;
    first.running.stop().await.unwrap();

    let second = cloud(options.clone()).await;
    assert_eq!(second.settled(&job).await["status"], "SUCCESS");
    assert_eq!(second.server(&id).await.ok()["server"]["status"], "ACTIVE");
    let text = std::fs::read_to_string(folder.path().join("state.json")).unwrap();
    assert!(!text.contains("ExampleSecretKey"), "no secret key in the file");
    drop(second);

    std::fs::write(folder.path().join("state.json"), "{\"version\":99}").unwrap();
    let error = sandbox::Sandbox::start(options).await.unwrap_err();
    assert!(matches!(error, sandbox::Error::State { .. }), "{error}");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("state.json")).unwrap(),
        "{\"version\":99}"
    );
}

#[tokio::test]
async fn what_was_asked_can_be_looked_up_without_secrets() {
    let cloud = cloud(fast()).await;
    cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?limit=1", None)
        .await
        .ok();
    cloud.call("guest", "GET", "ecs", "/v1/{P}/jobs/1", None).await;
    let requests = cloud.control("GET", "/requests", None).await.ok();
    let rows = requests.as_array().unwrap();
    assert_eq!(rows[0]["user"], "ada");
    assert!(
        rows[0]["path"]
            .as_str()
            .unwrap()
            .ends_with("/cloudservers/detail?limit=1")
    );
    assert_eq!(
        (&rows[1]["status"], &rows[1]["code"]),
        (&json!(403), &json!("Pdp.0001"))
    );
    assert!(!requests.to_string().contains("Signature="));

    let page = cloud
        .http
        .get(format!("{}/servers", cloud.announcement.control))
        .header("Origin", "https://example.test");
    assert_eq!(page.send().await.unwrap().status(), 403, "web pages get nothing");
}

#[test]
fn what_is_announced_is_not_shown_by_debug() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = runtime.block_on(async {
        let cloud = cloud(Options::default()).await;
        format!(
            "{:?} {:?} {:?}",
            cloud.announcement,
            cloud.running,
            Options::default()
        )
    });
    assert!(
        !text.contains("ExampleSecretKey") && !text.contains("EXAMPLE-HEI-TOKEN"),
        "{text}"
    );
}
