//! The account's own services: who one is, what was done, what carries which tag.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Cloud, Got, cloud, fast};
use serde_json::{Value, json};

async fn tms(cloud: &Cloud, method: &str, path: &str, body: Option<&Value>) -> Got {
    let account = cloud.announcement.account_id.clone();
    cloud
        .call_with(
            &cloud.credentials("ada"),
            cloud.now(),
            method,
            "tms",
            path,
            &[("X-Domain-Id", &account)],
            body,
        )
        .await
        .unwrap()
}

async fn traces(cloud: &Cloud, query: &str) -> Value {
    let path = format!("/v3/{{P}}/traces?trace_type=system{query}");
    cloud.call("ada", "GET", "cts", &path, None).await.ok()
}

#[tokio::test]
async fn what_is_done_is_found_in_the_audit_newest_first_and_page_by_page() {
    let cloud = cloud(fast()).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let (job, id) = cloud.create(&cloud.order(name).await).await;
        cloud.settled(&job).await;
        ids.push(id);
    }
    let all = traces(&cloud, "&service_type=ECS&trace_name=createServer&limit=200").await;
    let rows = all["traces"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["resource_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["three", "two", "one"], "newest first");
    assert_eq!(all["meta_data"]["count"], 3);
    assert_eq!(
        all["meta_data"]["marker"],
        Value::Null,
        "null says that there is no more"
    );
    let row = &rows[0];
    assert_eq!(
        row["time"].as_i64().unwrap().to_string().len(),
        13,
        "milliseconds"
    );
    assert_eq!(row["user"]["name"], "ada");
    let request: Value = serde_json::from_str(row["request"].as_str().unwrap()).unwrap();
    assert_eq!(
        request["server"]["name"], "three",
        "the request is text that holds JSON"
    );

    let mut seen = Vec::new();
    let mut marker = String::new();
    loop {
        let page = traces(&cloud, &format!("&trace_name=createServer&limit=2{marker}")).await;
        for row in page["traces"].as_array().unwrap() {
            seen.push(row["trace_id"].as_str().unwrap().to_owned());
        }
        match page["meta_data"]["marker"].as_str() {
            Some(next) => marker = format!("&next={next}"),
            None => break,
        }
    }
    let whole: Vec<&str> = rows.iter().map(|row| row["trace_id"].as_str().unwrap()).collect();
    assert_eq!(seen, whole, "the pages together are the whole");

    let mine = traces(&cloud, &format!("&resource_id={}", ids[1])).await;
    assert_eq!(mine["traces"][0]["resource_name"], "two");
    let one = traces(&cloud, &format!("&trace_id={}&resource_id=other", whole[2])).await;
    assert_eq!(
        one["traces"][0]["resource_name"], "one",
        "the id beats every other filter"
    );
    assert_eq!(traces(&cloud, "&user=bo").await["traces"], json!([]));
}

#[tokio::test]
async fn the_audit_looks_back_an_hour_by_default_and_seven_days_at_most() {
    let cloud = cloud(fast()).await;
    let (job, id) = cloud.create(&cloud.order("short-lived").await).await;
    cloud.settled(&job).await;
    let filter = format!("&resource_id={id}&trace_name=createServer");
    assert_eq!(traces(&cloud, &filter).await["meta_data"]["count"], 1);
    cloud.move_clock(2 * 3600).await;
    assert_eq!(
        traces(&cloud, &filter).await["meta_data"]["count"],
        0,
        "the last hour only"
    );
    let window = |days: i64| {
        let now = cloud.now().timestamp_millis();
        format!("{filter}&from={}&to={now}", now - days * 86_400_000)
    };
    assert_eq!(traces(&cloud, &window(1)).await["meta_data"]["count"], 1);
    cloud.move_clock(8 * 86_400).await;
    assert_eq!(
        traces(&cloud, &window(30)).await["meta_data"]["count"],
        0,
        "older than seven days"
    );

    for wrong in [
        "&from=1",
        "&limit=201",
        "&next=nothing",
        "&from=2000000000000&to=1900000000000",
    ] {
        let path = format!("/v3/{{P}}/traces?trace_type=system{wrong}");
        let got = cloud.call("ada", "GET", "cts", &path, None).await;
        assert_eq!(got.status, 400, "{wrong}");
    }
    let guest = cloud
        .call("guest", "GET", "cts", "/v3/{P}/traces?trace_type=system", None)
        .await;
    assert_eq!(guest.status, 403);
    let coded = guest.json()["encoded_authorization_message"].clone();
    let decoded = cloud
        .call(
            "ada",
            "POST",
            "sts",
            "/v5/decode-authorization-message",
            Some(&json!({"encoded_message": coded})),
        )
        .await
        .ok();
    assert!(
        decoded["decoded_message"]
            .as_str()
            .unwrap()
            .contains("cts:trace:list"),
        "the decoded text names what was not allowed: {decoded}"
    );
    let nonsense = json!({"encoded_message": "bm9uc2Vuc2U="});
    let got = cloud
        .call(
            "ada",
            "POST",
            "sts",
            "/v5/decode-authorization-message",
            Some(&nonsense),
        )
        .await;
    assert_eq!(got.status, 400);
}

#[tokio::test]
async fn tags_are_set_on_many_at_once_and_each_fails_by_itself() {
    let cloud = cloud(fast()).await;
    let (job, id) = cloud.create(&cloud.order("tagged").await).await;
    cloud.settled(&job).await;
    let server = cloud.server(&id).await.ok();
    let disk = server["server"]["os-extended-volumes:volumes_attached"][0]["id"].clone();
    let body = json!({
        "project_id": cloud.project(),
        "resources": [
            {"resource_id": id, "resource_type": "ecs"},
            {"resource_id": disk, "resource_type": "disk"},
            {"resource_id": "nothing", "resource_type": "eip"},
            {"resource_id": id, "resource_type": "Server"},
        ],
        "tags": [{"key": "cost", "value": "研发"}],
    });
    let answer = tms(&cloud, "POST", "/v1.0/resource-tags/batch-create", Some(&body)).await;
    assert_eq!(answer.status, 200, "200 although two failed");
    let failed = answer.ok();
    let failed = failed["failed_resources"].as_array().unwrap();
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert_eq!(failed[0]["resource_id"], "nothing");

    let server = cloud.server(&id).await.ok();
    let tags = server["server"]["tags"].as_array().unwrap();
    assert!(
        tags.contains(&json!("cost=研发")),
        "the server service sees it: {tags:?}"
    );
    let filter =
        json!({"resource_types": ["ecs", "disk"], "tags": [{"key": "cost", "values": ["研发"]}], "limit": 1});
    let found = tms(&cloud, "POST", "/v1.0/resource-instances/filter", Some(&filter))
        .await
        .ok();
    assert_eq!(
        (
            &found["total_count"],
            found["resources"].as_array().unwrap().len()
        ),
        (&json!(2), 1)
    );

    let path = format!(
        "/v2.0/resources/{}/tags?resource_type=disk",
        disk.as_str().unwrap()
    );
    let shown = tms(&cloud, "GET", &path, None).await.ok();
    assert_eq!(shown["tags"], json!([{"key": "cost", "value": "研发"}]));

    let body = json!({
        "resources": [{"resource_id": disk, "resource_type": "disk"}],
        "tags": [{"key": "cost"}],
    });
    let gone = tms(&cloud, "POST", "/v1.0/resource-tags/batch-delete", Some(&body))
        .await
        .ok();
    assert_eq!(gone["failed_resources"], json!([]));
    assert_eq!(tms(&cloud, "GET", &path, None).await.ok()["tags"], json!([]));
}

#[tokio::test]
async fn tag_calls_need_the_account_and_keep_to_their_sizes() {
    let cloud = cloud(fast()).await;
    let filter = json!({"resource_types": ["ecs"], "tags": []});
    let path = "/v1.0/resource-instances/filter";
    let got = cloud.call("ada", "POST", "tms", path, Some(&filter)).await;
    assert_eq!(got.status, 400, "X-Domain-Id is missing: {}", got.text);
    assert_eq!(got.json()["error"]["error_code"], "TMS.0002");

    let many: Vec<Value> = (0..21)
        .map(|number| json!({"resource_id": number.to_string(), "resource_type": "ecs"}))
        .collect();
    let body = json!({"resources": many, "tags": [{"key": "a", "value": "b"}]});
    let got = tms(&cloud, "POST", "/v1.0/resource-tags/batch-create", Some(&body)).await;
    assert_eq!(got.status, 400, "more than twenty");
    let eleven: Vec<Value> = (0..11)
        .map(|number| json!({"key": format!("k{number}"), "value": ""}))
        .collect();
    let body = json!({"resources": [{"resource_id": "x", "resource_type": "ecs"}], "tags": eleven});
    let got = tms(&cloud, "POST", "/v1.0/resource-tags/batch-create", Some(&body)).await;
    assert_eq!(got.status, 400, "more than ten tags");
}

#[tokio::test]
async fn project_and_account_in_the_headers_have_to_be_the_callers() {
    let cloud = cloud(fast()).await;
    let ask = async |name: &str, value: &str| {
        cloud
            .call_with(
                &cloud.credentials("ada"),
                cloud.now(),
                "GET",
                "ecs",
                "/v1/{P}/cloudservers/limits",
                &[(name, value)],
                None,
            )
            .await
            .unwrap()
            .status
    };
    let project = cloud.project().to_owned();
    assert_eq!(ask("X-Project-Id", &project).await, 200);
    assert_eq!(ask("X-Project-Id", "0123456789abcdef0123456789abcdef").await, 401);
    assert_eq!(ask("X-Domain-Id", "0123456789abcdef0123456789abcdef").await, 401);
}
