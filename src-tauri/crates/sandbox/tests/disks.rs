//! Disks: making, attaching, growing, tagging and deleting them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Cloud, cloud, fast};
use sandbox::Options;
use serde_json::{Value, json};

const VOLUMES: &str = "/v2.1/{P}/cloudvolumes";

fn order(size: u32) -> Value {
    json!({"volume": {
        "name": "data", "availability_zone": "sandbox-1a", "volume_type": "GPSSD", "size": size,
        "tags": {"owner": "ada"}, "metadata": {"create_for_volume_id": "true"},
    }})
}

/// A free disk.
async fn made(cloud: &Cloud) -> String {
    let got = cloud.evs("POST", VOLUMES, Some(&order(20))).await;
    assert_eq!(got.status, 202);
    let answer = got.json();
    let job = cloud.disk_settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(
        (&job["status"], &job["job_type"]),
        (&json!("SUCCESS"), &json!("createVolume"))
    );
    assert_eq!(job["entities"]["volume_id"], answer["volume_ids"][0]);
    answer["volume_ids"][0].as_str().unwrap().to_owned()
}

async fn disk(cloud: &Cloud, id: &str) -> Value {
    cloud
        .evs("GET", &format!("/v2/{{P}}/cloudvolumes/{id}"), None)
        .await
        .ok()["volume"]
        .clone()
}

#[tokio::test]
async fn a_disk_is_made_attached_marked_detached_and_deleted() {
    let cloud = cloud(fast()).await;
    let (server, id) = (cloud.running("host").await, made(&cloud).await);
    let row = disk(&cloud, &id).await;
    assert_eq!(
        (&row["status"], &row["size"], &row["attachments"]),
        (&json!("available"), &json!(20), &json!([]))
    );
    assert_eq!(row["tags"], json!({"owner": "ada"}));

    let path = format!("/v1/{{P}}/cloudservers/{server}");
    let attach = json!({"volumeAttachment": {"volumeId": id}});
    let answer = cloud
        .ecs("POST", &format!("{path}/attachvolume"), Some(&attach))
        .await
        .ok();
    let job = answer["job_id"].as_str().unwrap().to_owned();
    let elsewhere = cloud.evs("GET", &format!("/v1/{{P}}/jobs/{job}"), None).await;
    assert_eq!(
        elsewhere.refused(),
        (400, "Common.0011".to_owned()),
        "a job of the other host"
    );
    assert_eq!(cloud.settled(&job).await["status"], "SUCCESS");
    let row = disk(&cloud, &id).await;
    assert_eq!(
        (&row["status"], &row["attachments"][0]["server_id"]),
        (&json!("in-use"), &json!(server))
    );
    assert_eq!(
        row["attachments"][0]["device"], "/dev/vdc",
        "after the system disk and the first data disk"
    );

    let again = cloud
        .ecs("POST", &format!("{path}/attachvolume"), Some(&attach))
        .await;
    assert_eq!(again.refused(), (400, "Ecs.0057".to_owned()));
    let one = cloud
        .ecs("GET", &format!("{path}/block_device/{id}"), None)
        .await
        .ok();
    assert_eq!(one["volumeAttachment"]["bootIndex"], -1);
    let all = cloud.ecs("GET", &format!("{path}/block_device"), None).await.ok();
    assert_eq!(all["volumeAttachments"].as_array().unwrap().len(), 3);
    assert_eq!(all["attachableQuantity"]["free_disk"], 21);
    assert_eq!(all["volumeAttachments"][0]["bootIndex"], 0);

    let mark = json!({"block_device": {"delete_on_termination": true}});
    let got = cloud
        .ecs("PUT", &format!("{path}/block_device/{id}"), Some(&mark))
        .await;
    assert_eq!((got.status, got.text.as_str()), (200, ""));
    let attached = cloud.server(&server).await.ok()["server"]["os-extended-volumes:volumes_attached"].clone();
    assert_eq!(attached[2]["delete_on_termination"], "true", "as text");
    let system = attached[0]["id"].as_str().unwrap();
    let got = cloud
        .ecs("PUT", &format!("{path}/block_device/{system}"), Some(&mark))
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0005".to_owned()), "not a system disk");

    let bound = cloud
        .evs("DELETE", &format!("/v2/{{P}}/cloudvolumes/{id}"), None)
        .await;
    assert_eq!(bound.refused(), (400, "EVS.1046".to_owned()));
    let got = cloud
        .ecs("DELETE", &format!("{path}/detachvolume/{id}?delete_flag=2"), None)
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0005".to_owned()));
    let answer = cloud
        .ecs("DELETE", &format!("{path}/detachvolume/{id}"), None)
        .await
        .ok();
    cloud.settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(disk(&cloud, &id).await["status"], "available");
    let got = cloud
        .ecs("DELETE", &format!("{path}/detachvolume/{id}"), None)
        .await;
    assert_eq!(got.refused(), (400, "Ecs.0111".to_owned()));

    let got = cloud
        .evs("DELETE", &format!("/v2/{{P}}/cloudvolumes/{id}"), None)
        .await;
    assert_eq!(got.status, 200);
    let job = got.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(
        cloud
            .ecs("GET", &format!("/v1/{{P}}/jobs/{job}"), None)
            .await
            .refused()
            .1,
        "Common.0011"
    );
    assert_eq!(cloud.disk_settled(&job).await["status"], "SUCCESS");
    let gone = cloud
        .evs("GET", &format!("/v2/{{P}}/cloudvolumes/{id}"), None)
        .await;
    assert_eq!(gone.code(), (404, "404".to_owned()), "in the native words");
}

#[tokio::test]
async fn a_disk_made_for_a_server_is_attached_in_one_step_and_passes_through_its_states() {
    let cloud = cloud(Options {
        speed: 0.01,
        ..Options::default()
    })
    .await;
    let found = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?name=gateway-01", None)
        .await
        .ok();
    let server = found["servers"][0]["id"].as_str().unwrap();
    let mut order = order(10);
    order["server_id"] = json!(server);
    let answer = cloud.evs("POST", VOLUMES, Some(&order)).await.ok();
    let id = answer["volume_ids"][0].as_str().unwrap();
    for (second, status) in [
        (0, "creating"),
        (155, "available"),
        (165, "attaching"),
        (245, "in-use"),
    ] {
        cloud.move_clock(second).await;
        assert_eq!(disk(&cloud, id).await["status"], status, "after {second} s");
    }
    cloud.move_clock(300).await;
    let row = disk(&cloud, id).await;
    assert_eq!(row["attachments"][0]["server_id"], server);
    let server = cloud.server(server).await.ok()["server"].clone();
    let attached = server["os-extended-volumes:volumes_attached"]
        .as_array()
        .unwrap()
        .clone();
    let own = attached.iter().find(|disk| disk["id"] == id).unwrap();
    assert_eq!(
        own["delete_on_termination"], "false",
        "it stays when the server goes, unless marked"
    );
}

#[tokio::test]
async fn a_disk_only_grows_and_only_in_the_right_states() {
    let cloud = cloud(fast()).await;
    let (server, id) = (cloud.running("host").await, made(&cloud).await);
    let grow = async |id: &str, size: Value| {
        let body = json!({"os-extend": {"new_size": size}});
        cloud
            .evs(
                "POST",
                &format!("/v2.1/{{P}}/cloudvolumes/{id}/action"),
                Some(&body),
            )
            .await
    };
    let got = grow(&id, json!(30)).await;
    assert_eq!(got.status, 202);
    let job = cloud.disk_settled(got.json()["job_id"].as_str().unwrap()).await;
    assert_eq!(
        (&job["job_type"], &job["entities"]["size"]),
        (&json!("extendVolume"), &json!(30))
    );
    for (size, code) in [
        (json!(10), "EVS.1015"),
        (json!(0), "EVS.1010"),
        (json!(-5), "EVS.1010"),
        (json!(40_000), "EVS.1010"),
        (json!("large"), "EVS.1011"),
    ] {
        assert_eq!(
            grow(&id, size.clone()).await.refused(),
            (400, code.to_owned()),
            "{size}"
        );
    }

    let data = cloud.server(&server).await.ok()["server"]["os-extended-volumes:volumes_attached"][1]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = grow(&data, json!(110)).await.ok();
    cloud.disk_settled(answer["job_id"].as_str().unwrap()).await;
    let row = disk(&cloud, &data).await;
    assert_eq!((&row["status"], &row["size"]), (&json!("in-use"), &json!(110)));

    cloud.fault(json!({"disk_fail_next": true})).await;
    let answer = grow(&data, json!(120)).await.ok();
    let job = cloud.disk_settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(
        (&job["status"], &job["error_code"]),
        (&json!("FAIL"), &json!("EVS.2024"))
    );
    let row = disk(&cloud, &data).await;
    assert_eq!(
        (&row["status"], &row["size"]),
        (&json!("error_extending"), &json!(110))
    );
    assert_eq!(grow(&data, json!(130)).await.refused().1, "EVS.1064");
}

#[tokio::test]
async fn a_disk_whose_server_is_between_states_or_that_is_shared_does_not_grow_in_use() {
    let cloud = cloud(Options {
        speed: 0.01,
        ..Options::default()
    })
    .await;
    let found = cloud
        .ecs("GET", "/v1/{P}/cloudservers/detail?name=bo-build-01", None)
        .await
        .ok();
    let server = found["servers"][0].clone();
    let id = server["id"].as_str().unwrap();
    let data = server["os-extended-volumes:volumes_attached"][1]["id"]
        .as_str()
        .unwrap();
    let stop = json!({"os-stop": {"servers": [{"id": id}]}});
    cloud
        .ecs("POST", "/v1/{P}/cloudservers/action", Some(&stop))
        .await
        .ok();
    let body = json!({"os-extend": {"new_size": 500}});
    let path = format!("/v2.1/{{P}}/cloudvolumes/{data}/action");
    let got = cloud.evs("POST", &path, Some(&body)).await;
    assert_eq!(got.refused(), (400, "EVS.1066".to_owned()));

    cloud.move_clock(300).await;
    let mut order = order(10);
    order["volume"]["multiattach"] = json!(true);
    order["server_id"] = json!(id);
    let answer = cloud.evs("POST", VOLUMES, Some(&order)).await.ok();
    cloud.move_clock(700).await;
    let shared = answer["volume_ids"][0].as_str().unwrap();
    assert_eq!(disk(&cloud, shared).await["status"], "in-use");
    let path = format!("/v2.1/{{P}}/cloudvolumes/{shared}/action");
    let got = cloud.evs("POST", &path, Some(&body)).await;
    assert_eq!(got.refused(), (400, "EVS.1065".to_owned()));
}

#[tokio::test]
async fn each_reason_against_a_new_disk_has_its_code() {
    let cloud = cloud(fast()).await;
    for (field, value, code) in [
        ("size", json!(9), "EVS.1010"),
        ("size", json!(32_769), "EVS.1010"),
        ("size", json!("20"), "EVS.1008"),
        ("volume_type", json!("FLOPPY"), "EVS.1020"),
        ("availability_zone", json!("moon-1a"), "EVS.1036"),
        ("count", json!(0), "EVS.1021"),
        ("count", json!(101), "EVS.1021"),
        ("count", json!(61), "EVS.1034"),
        ("name", json!("n".repeat(256)), "EVS.1003"),
        ("description", json!("d".repeat(256)), "EVS.1004"),
        ("imageRef", json!("unknown"), "EVS.2046"),
        ("iops", json!(3000), "EVS.1009"),
        ("tags", json!({"a=b": "c"}), "EVS.1062"),
    ] {
        let mut body = order(20);
        body["volume"][field] = value.clone();
        let got = cloud.evs("POST", VOLUMES, Some(&body)).await;
        assert_eq!(got.refused(), (400, code.to_owned()), "{field} {value}");
    }
    let mut sold_out = order(20);
    sold_out["volume"]["volume_type"] = json!("ESSD");
    sold_out["volume"]["availability_zone"] = json!("sandbox-1c");
    assert_eq!(
        cloud.evs("POST", VOLUMES, Some(&sold_out)).await.refused().1,
        "EVS.2072"
    );
    let mut large = order(32_768);
    large["volume"]["count"] = json!(2);
    assert_eq!(
        cloud.evs("POST", VOLUMES, Some(&large)).await.refused().1,
        "EVS.1042"
    );
    let mut nowhere = order(20);
    nowhere["server_id"] = json!("unknown");
    assert_eq!(
        cloud.evs("POST", VOLUMES, Some(&nowhere)).await.refused().1,
        "EVS.2131"
    );
    cloud.fault(json!({"restriction": "balance"})).await;
    let got = cloud.evs("POST", VOLUMES, Some(&order(20))).await;
    assert_eq!(got.refused(), (403, "EVS.1027".to_owned()));

    let odd = cloud.evs("GET", "/v2/{P}/cloudvolumes/no-uuid", None).await;
    assert_eq!(odd.refused(), (400, "EVS.1002".to_owned()));
    let slash = cloud.evs("GET", "/v2/{P}/cloudvolumes/", None).await;
    assert_eq!(slash.code(), (404, "APIGW.0101".to_owned()), "a slash too many");
    let project = cloud.evs("GET", "/v2/0123/cloudvolumes/detail", None).await;
    assert_eq!(project.refused(), (400, "Common.0018".to_owned()));
    let guest = cloud
        .call("guest", "POST", "evs", VOLUMES, Some(&order(20)))
        .await;
    assert_eq!(guest.refused(), (403, "EVS.2056".to_owned()));
    assert!(guest.text.contains("evs:volumes:create"));
}

#[tokio::test]
async fn a_disk_that_comes_out_in_error_can_only_be_deleted() {
    let cloud = cloud(fast()).await;
    cloud
        .fault(json!({"disk_fail_next": true, "reason": "out of space"}))
        .await;
    let answer = cloud.evs("POST", VOLUMES, Some(&order(20))).await.ok();
    let job = cloud.disk_settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(
        (&job["status"], &job["fail_reason"]),
        (&json!("FAIL"), &json!("out of space"))
    );
    let id = answer["volume_ids"][0].as_str().unwrap();
    assert_eq!(disk(&cloud, id).await["status"], "error");
    let server = cloud.running("host").await;
    let attach = json!({"volumeAttachment": {"volumeId": id}});
    let path = format!("/v1/{{P}}/cloudservers/{server}/attachvolume");
    assert_eq!(
        cloud.ecs("POST", &path, Some(&attach)).await.refused(),
        (400, "Ecs.0103".to_owned())
    );
    assert_eq!(
        cloud
            .evs("DELETE", &format!("/v2/{{P}}/cloudvolumes/{id}"), None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_token_makes_the_making_of_a_disk_safe_to_repeat() {
    let cloud = cloud(fast()).await;
    let ada = cloud.credentials("ada");
    let token = [("X-Client-Token", "0b9d7c1e-52a4-4c0f-9a55-2f6f0f5f3a01")];
    let ask = async |body: &Value| {
        cloud
            .call_with(&ada, cloud.now(), "POST", "evs", VOLUMES, &token, Some(body))
            .await
            .unwrap()
    };
    let (first, second) = (ask(&order(20)).await.ok(), ask(&order(20)).await.ok());
    assert_eq!(first, second);
    assert_eq!(ask(&order(30)).await.status, 400, "another body");
    let named = cloud
        .evs("GET", "/v2/{P}/cloudvolumes/detail?name=data", None)
        .await
        .ok();
    assert_eq!(named["count"], 1);
}

#[tokio::test]
async fn disks_are_found_renamed_tagged_and_counted() {
    let cloud = cloud(fast()).await;
    let mut many = order(10);
    many["volume"]["count"] = json!(3);
    let answer = cloud.evs("POST", VOLUMES, Some(&many)).await.ok();
    let job = cloud.disk_settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(job["job_type"], "batchCreateVolume");
    assert_eq!(job["entities"]["sub_jobs"].as_array().unwrap().len(), 3);
    let ids = answer["volume_ids"].as_array().unwrap();
    let (one, other) = (ids[0].as_str().unwrap(), ids[1].as_str().unwrap());

    let list = async |query: &str| {
        let path = format!("/v2/{{P}}/cloudvolumes/detail?{query}");
        cloud.evs("GET", &path, None).await
    };
    let all = list("").await.ok();
    let rows = all["volumes"].as_array().unwrap();
    let count = rows.len();
    let (first, second) = (rows[0]["id"].as_str().unwrap(), rows[1]["id"].as_str().unwrap());
    let page = list(&format!("limit=1&marker={first}")).await.ok();
    assert_eq!(
        (&page["volumes"][0]["id"], &page["count"]),
        (&json!(second), &json!(count))
    );
    assert_eq!(
        list("limit=1&offset=1").await.ok()["volumes"][0]["id"],
        second,
        "row offset, not page"
    );
    let picked = list(&format!("ids=['{one}','{other}']&id=x")).await.ok();
    assert_eq!(picked["count"], 2);
    assert_eq!(list("status=available").await.ok()["count"], 3);
    assert_eq!(list("limit=1001").await.refused(), (400, "EVS.1023".to_owned()));
    assert_eq!(
        list("marker=unknown").await.refused(),
        (400, "EVS.1024".to_owned())
    );
    assert_eq!(
        list("sort_key=smell").await.refused(),
        (400, "EVS.1039".to_owned())
    );
    let by_size = list("sort_key=size&sort_dir=asc").await.ok();
    let sizes: Vec<u64> = by_size["volumes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["size"].as_u64().unwrap())
        .collect();
    assert!(sizes.is_sorted(), "{sizes:?}");

    let path = format!("/v2/{{P}}/cloudvolumes/{one}");
    let renamed = cloud
        .evs("PUT", &path, Some(&json!({"volume": {"name": "other"}})))
        .await
        .ok();
    assert_eq!(
        (&renamed["id"], &renamed["name"]),
        (&json!(one), &json!("other")),
        "not wrapped"
    );

    let set = json!({"action": "create", "tags": [{"key": "purpose", "value": "试验"}]});
    let tags = format!("{path}/tags/action");
    for _ in 0..2 {
        assert_eq!(
            cloud.evs("POST", &tags, Some(&set)).await.status,
            204,
            "as often as one likes"
        );
    }
    let unset = json!({"action": "delete", "tags": [{"key": "owner"}]});
    assert_eq!(cloud.evs("POST", &tags, Some(&unset)).await.status, 204);
    let shown = cloud.evs("GET", &format!("{path}/tags"), None).await.ok();
    assert_eq!(shown["tags"], json!([{"key": "purpose", "value": "试验"}]));
    let ten: Vec<Value> = (0..10)
        .map(|n| json!({"key": format!("k{n}"), "value": ""}))
        .collect();
    let got = cloud
        .evs("POST", &tags, Some(&json!({"action": "create", "tags": ten})))
        .await;
    assert_eq!(
        got.refused(),
        (400, "EVS.1061".to_owned()),
        "ten and the one that is there"
    );

    let path = format!("/v2/{{P}}/os-quota-sets/{}?usage=True", cloud.project());
    let quota = cloud.evs("GET", &path, None).await.ok()["quota_set"].clone();
    assert_eq!(quota["volumes"]["in_use"], count);
    assert_eq!(
        quota["gigabytes"]["in_use"].as_u64().unwrap(),
        sizes.iter().sum::<u64>()
    );
}
