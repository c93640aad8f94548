//! Jobs of every kind can be made to fail, and what they were about is as it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Cloud, cloud, fast};
use serde_json::{Value, json};

/// Status, and code of the part that says why.
fn outcome(job: &Value) -> (&str, &str) {
    let part = job["entities"]["sub_jobs"].get(0).unwrap_or(job);
    (
        job["status"].as_str().unwrap(),
        part["error_code"].as_str().unwrap_or_default(),
    )
}

async fn fail(cloud: &Cloud, job: &str) {
    cloud.fault(json!({"job_fail_next": true, "job": job})).await;
}

async fn settled_state(cloud: &Cloud, id: &str) -> (Value, Value) {
    let server = cloud.server(id).await.ok()["server"].clone();
    (server["status"].clone(), server["OS-EXT-STS:task_state"].clone())
}

#[tokio::test]
async fn a_deletion_that_fails_leaves_the_server_which_can_be_deleted_then() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("stays").await;
    fail(&cloud, "delete").await;
    let delete = async || {
        let body = json!({"servers": [{"id": id}], "delete_volume": true, "delete_publicip": true});
        let answer = cloud
            .ecs("POST", "/v1/{P}/cloudservers/delete", Some(&body))
            .await
            .ok();
        cloud.settled(answer["job_id"].as_str().unwrap()).await
    };
    let job = delete().await;
    assert_eq!(outcome(&job), ("FAIL", "Ecs.0501"), "{job}");
    assert_eq!(settled_state(&cloud, &id).await, (json!("ACTIVE"), Value::Null));
    assert_eq!(outcome(&delete().await).0, "SUCCESS", "one fault, one failure");
    assert_eq!(cloud.server(&id).await.status, 404);
}

#[tokio::test]
async fn power_and_size_stay_as_they_were_when_their_job_fails() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("power").await;
    let acts = [
        (
            "stop",
            json!({"os-stop": {"servers": [{"id": id}]}}),
            "Ecs.1000",
            "ACTIVE",
        ),
        (
            "reboot",
            json!({"reboot": {"type": "SOFT", "servers": [{"id": id}]}}),
            "Ecs.0227",
            "ACTIVE",
        ),
    ];
    for (job, body, code, status) in acts {
        fail(&cloud, job).await;
        let row = cloud.act(body).await;
        assert_eq!(outcome(&row), ("FAIL", code), "{job}: {row}");
        assert_eq!(
            settled_state(&cloud, &id).await,
            (json!(status), Value::Null),
            "{job}"
        );
    }
    let stopped = cloud.act(json!({"os-stop": {"servers": [{"id": id}]}})).await;
    assert_eq!(stopped["status"], "SUCCESS");
    fail(&cloud, "start").await;
    let row = cloud.act(json!({"os-start": {"servers": [{"id": id}]}})).await;
    assert_eq!(outcome(&row), ("FAIL", "Ecs.0226"));
    assert_eq!(settled_state(&cloud, &id).await, (json!("SHUTOFF"), Value::Null));

    fail(&cloud, "resize").await;
    let larger = json!({"resize": {"flavorRef": "s6.xlarge.2"}});
    let path = format!("/v1.1/{{P}}/cloudservers/{id}/resize");
    let answer = cloud.ecs("POST", &path, Some(&larger)).await.ok();
    let row = cloud.settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(outcome(&row), ("FAIL", "Ecs.0207"), "{row}");
    assert_eq!(
        cloud.server(&id).await.ok()["server"]["flavor"]["id"],
        "s6.large.2"
    );
}

#[tokio::test]
async fn a_disk_is_where_it_was_when_its_job_fails() {
    let cloud = cloud(fast()).await;
    let id = cloud.running("disks").await;
    let disk =
        cloud.server(&id).await.ok()["server"]["os-extended-volumes:volumes_attached"][1]["id"].clone();
    let disk = disk.as_str().unwrap();
    let status = async || cloud.world().await["volumes"][disk]["status"].clone();
    let detach = async || {
        let path = format!("/v1/{{P}}/cloudservers/{id}/detachvolume/{disk}");
        let answer = cloud.ecs("DELETE", &path, None).await.ok();
        cloud.settled(answer["job_id"].as_str().unwrap()).await
    };
    fail(&cloud, "detach").await;
    let row = detach().await;
    assert_eq!(outcome(&row), ("FAIL", "Ecs.1300"), "{row}");
    assert_eq!(status().await, "InUse");
    assert_eq!(detach().await["status"], "SUCCESS");

    fail(&cloud, "attach").await;
    let body = json!({"volumeAttachment": {"volumeId": disk}});
    let path = format!("/v1/{{P}}/cloudservers/{id}/attachvolume");
    let answer = cloud.ecs("POST", &path, Some(&body)).await.ok();
    let row = cloud.settled(answer["job_id"].as_str().unwrap()).await;
    assert_eq!(outcome(&row), ("FAIL", "Ecs.0205"), "{row}");
    assert_eq!(status().await, "Available");

    let delete = async || {
        let answer = cloud
            .evs("DELETE", &format!("/v2/{{P}}/cloudvolumes/{disk}"), None)
            .await
            .ok();
        cloud.disk_settled(answer["job_id"].as_str().unwrap()).await
    };
    fail(&cloud, "delete_disk").await;
    let row = delete().await;
    assert_eq!(outcome(&row), ("FAIL", "EVS.2024"), "{row}");
    let path = format!("/v2/{{P}}/cloudvolumes/{disk}");
    let shown = cloud.evs("GET", &path, None).await.ok();
    assert_eq!(shown["volume"]["status"], "error_deleting");
    assert_eq!(
        delete().await["status"],
        "SUCCESS",
        "what is in error can be deleted"
    );
}

#[tokio::test]
async fn a_fault_waits_for_its_own_kind_of_job_and_can_be_taken_back() {
    let cloud = cloud(fast()).await;
    fail(&cloud, "delete").await;
    let id = cloud.running("unharmed").await;
    cloud.fault(json!({"job_fail_next": false})).await;
    let answer = cloud
        .ecs(
            "POST",
            "/v1/{P}/cloudservers/delete",
            Some(&json!({"servers": [{"id": id}]})),
        )
        .await
        .ok();
    assert_eq!(
        cloud.settled(answer["job_id"].as_str().unwrap()).await["status"],
        "SUCCESS"
    );
    let odd = json!({"job_fail_next": true, "job": "dance"});
    assert_eq!(cloud.control("POST", "/faults", Some(odd)).await.status, 400);
}
