//! Servers that are there: finding them, their tags, their end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{cloud, fast, in_minutes};
use serde_json::{Value, json};

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
async fn servers_are_found_by_their_tags_with_numbers_as_text() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("tagged").await;
    order["server"]["count"] = json!(3);
    order["server"]["publicip"] = Value::Null;
    let (job, _) = cloud.create(&order).await;
    cloud.settled(&job).await;
    let path = "/v1/{P}/cloudservers/resource_instances/action";
    let ask = async |body: Value| cloud.ecs("POST", path, Some(&body)).await;
    let ada = json!([{"key": "owner", "values": ["ada", "somebody"]}]);
    let page = ask(json!({"action": "filter", "limit": "2", "offset": "0", "tags": ada}))
        .await
        .ok();
    assert_eq!(
        (page["resources"].as_array().unwrap().len(), &page["total_count"]),
        (2, &json!(3))
    );
    let rest = ask(json!({"action": "filter", "limit": "2", "offset": "2", "tags": ada}))
        .await
        .ok();
    assert_eq!(rest["resources"].as_array().unwrap().len(), 1, "a row offset");
    let row = &rest["resources"][0];
    assert!(
        row["tags"]
            .as_array()
            .unwrap()
            .contains(&json!({"key": "owner", "value": "ada"}))
    );
    let count = ask(json!({"action": "count", "tags": [{"key": "owner", "values": []}]}))
        .await
        .ok();
    assert_eq!(count, json!({"total_count": 4}), "no values mean any");
    let without = json!({"action": "count", "not_tags": [{"key": "owner", "values": ["ada"]}]});
    assert_eq!(ask(without).await.ok()["total_count"], 3);
    let named = json!({"action": "count", "matches": [{"key": "resource_name", "value": "tagged-000"}]});
    assert_eq!(ask(named).await.ok()["total_count"], 3);
    for (body, code) in [
        (json!({"action": "filter", "limit": 2}), "Ecs.0000"),
        (json!({"action": "filter", "limit": "1001"}), "Ecs.0005"),
        (json!({"action": "sort"}), "Ecs.0005"),
        (
            json!({"action": "count", "matches": [{"key": "colour", "value": "x"}]}),
            "Ecs.0005",
        ),
    ] {
        assert_eq!(
            ask(body.clone()).await.refused(),
            (400, code.to_owned()),
            "{body}"
        );
    }

    let project = cloud.ecs("GET", "/v1/{P}/cloudservers/tags", None).await.ok();
    let owner = project["tags"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["key"] == "owner");
    assert_eq!(owner.unwrap()["values"], json!(["ada", "bo"]));
    let id = row["resource_id"].as_str().unwrap();
    let own = cloud
        .ecs("GET", &format!("/v1/{{P}}/cloudservers/{id}/tags"), None)
        .await
        .ok();
    assert_eq!(own["tags"][0], json!({"key": "owner", "value": "ada"}));
    let others = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?not-tags=owner", None)
        .await
        .ok();
    assert_eq!(others["count"], 2, "those that have no such tag");
}

#[tokio::test]
async fn the_quota_ends_at_its_last_server_cpu_and_gigabyte() {
    let cloud = cloud(fast()).await;
    let mut order = cloud.order("many").await;
    order["server"]["publicip"] = Value::Null;
    let refused = async |order: &Value| {
        let got = cloud.ecs("POST", "/v1.1/{P}/cloudservers", Some(order)).await;
        (got.status, got.code().1)
    };
    let limits = cloud.ecs("GET", "/v1/{P}/cloudservers/limits", None).await.ok()["absolute"].clone();
    let left = limits["maxTotalInstances"].as_u64().unwrap() - limits["totalInstancesUsed"].as_u64().unwrap();
    order["server"]["flavorRef"] = json!("s6.small.1");
    order["server"]["count"] = json!(left + 1);
    assert_eq!(
        refused(&order).await,
        (400, "Ecs.0001".to_owned()),
        "one server too many"
    );
    order["server"]["flavorRef"] = json!("c6.2xlarge.4");
    order["server"]["count"] = json!(10);
    assert_eq!(
        refused(&order).await,
        (400, "Ecs.0001".to_owned()),
        "too many CPUs"
    );
    order["server"]["flavorRef"] = json!("s6.small.1");
    order["server"]["count"] = json!(1);
    order["server"]["data_volumes"] =
        json!([{"volumetype": "SAS", "size": 32_768}, {"volumetype": "SAS", "size": 32_768}]);
    assert_eq!(
        refused(&order).await,
        (400, "Ecs.0021".to_owned()),
        "too many gigabytes"
    );
    let zones = cloud
        .ecs("GET", "/v2.1/{P}/os-availability-zone", None)
        .await
        .ok();
    let zone = &zones["availabilityZoneInfo"][0];
    assert_eq!(
        (&zone["zoneState"]["available"], &zone["hosts"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn a_server_is_billed_past_the_end_of_its_lease_until_the_sweep_takes_it() {
    // A sweep every half minute, and no faster than that.
    let cloud = cloud(sandbox::Options::default()).await;
    let found = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?name=bo-build-01", None)
        .await
        .ok();
    let server = found["servers"][0].clone();
    let id = server["id"].as_str().unwrap();
    let lease =
        chrono::DateTime::parse_from_rfc3339(server["auto_terminate_time"].as_str().unwrap()).unwrap();
    let meter = async || {
        let stretches = cloud.stretches("resource_id", id).await;
        stretches.into_iter().next().unwrap()
    };
    assert!(meter().await["to"].is_null());
    cloud.move_clock(7 * 3600).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while cloud.server(id).await.status != 404 {
        assert!(std::time::Instant::now() < deadline, "it is still there");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let end = meter().await["to"].as_str().unwrap().to_owned();
    let end = chrono::DateTime::parse_from_rfc3339(&end).unwrap();
    assert!(
        end > lease,
        "billed until it was really gone: {end} after {lease}"
    );
    let data = server["os-extended-volumes:volumes_attached"][1]["id"]
        .as_str()
        .unwrap();
    let left = cloud
        .call(
            "bo",
            "GET",
            "evs",
            &format!("/v2/{{P}}/cloudvolumes/{data}"),
            None,
        )
        .await
        .ok();
    assert_eq!(
        left["volume"]["status"], "available",
        "a disk that was not marked stays, and is billed"
    );
}
