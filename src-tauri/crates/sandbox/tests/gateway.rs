//! Who may come in, and what is known of who came.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use chrono::{TimeDelta, Utc};
use common::{cloud, fast};
use huaweicloud::{
    Credentials,
    signing::{self, RequestToSign},
};
use sandbox::Options;
use serde_json::json;

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

/// Sends one body signed as another, as whoever streams a body does that is not known beforehand.
async fn sent_as_other(cloud: &common::Cloud, announced: Option<&str>) -> common::Got {
    let path = format!("/v1/{}/cloudservers/resource_instances/action", cloud.project());
    let base = &cloud.region().endpoints["ecs"];
    let mut own = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    own.extend(announced.map(|hash| ("X-Sdk-Content-Sha256".to_owned(), hash.to_owned())));
    let request = RequestToSign {
        method: "POST",
        path: &path,
        query: &[],
        headers: &own,
        body: b"another body",
    };
    let host = base.strip_prefix("http://").unwrap();
    let added = signing::sign(&request, host, &cloud.credentials("ada"), cloud.now());
    let body = json!({"action": "count"}).to_string();
    let mut request = cloud.http.post(format!("{base}{path}")).body(body);
    for (name, value) in own.iter().chain(&added) {
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    common::Got {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

#[tokio::test]
async fn a_body_may_be_left_unsigned_where_that_is_signed() {
    let cloud = cloud(fast()).await;
    let answer = sent_as_other(&cloud, Some("UNSIGNED-PAYLOAD")).await.ok();
    assert!(answer["total_count"].is_number(), "{answer}");
    for announced in [None, Some("unsigned-payload"), Some(&*"0".repeat(64))] {
        let refused = sent_as_other(&cloud, announced).await;
        assert_eq!(refused.code(), (401, "APIGW.0301".to_owned()), "{announced:?}");
    }
}
