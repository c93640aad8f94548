//! The special cases of disks.

use huaweicloud::evs;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cases::{self, PROJECT, SERVER};
use crate::peer::{Peer, answer};

fn volume(id: usize) -> Value {
    json!({ "id": format!("v-{id}"), "name": "data", "status": "available" })
}

#[tokio::test]
async fn disks_are_listed_over_two_pages_and_an_odd_row_loses_no_other() {
    let (peer, url) = Peer::start().await;
    let mut first: Vec<Value> = (0..1000).map(volume).collect();
    first[500] = json!({ "id": null, "status": "available" });
    let second = [volume(1000), json!("odd"), volume(1001)];
    // Whether the answer counts its rows or not.
    for count in [json!(1003), Value::Null] {
        peer.will_answer(
            [
                answer(200, json!({ "count": count, "volumes": first }).to_string()),
                answer(200, json!({ "count": count, "volumes": second }).to_string()),
            ],
            None,
        );
        let client = cases::client(&url, cases::ACCESS_KEY);
        let volumes = evs::volumes(&client, &PROJECT.into(), &evs::VolumeQuery::default())
            .await
            .unwrap()
            .value;
        assert_eq!((volumes.items.len(), volumes.skipped), (1001, 2));
        let seen = peer.seen();
        assert_eq!(seen.len(), 2, "a short page is the last one");
        assert_eq!(
            seen[1].parameter("marker"),
            Some("v-999"),
            "the next page begins after the last row"
        );
    }
}

#[tokio::test]
async fn a_disk_is_made_once_however_often_it_is_asked_for() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    let wanted = evs::CreateVolume {
        zone: "cn-north-4a".into(),
        volume_type: "SSD".to_owned(),
        size_gb: 40,
        name: Some("data".to_owned()),
        description: None,
        server: Some(SERVER.into()),
        tags: Vec::new(),
        iops: None,
        throughput: None,
        enterprise_project: None,
    };
    let token = Uuid::from_u128(7);
    let made = answer(202, r#"{"job_id":"j-1","volume_ids":["v-1"]}"#);
    peer.will_answer([made.clone(), made], None);
    for _ in 0..2 {
        let created = evs::create(&client, &PROJECT.into(), &wanted, token)
            .await
            .unwrap()
            .value;
        assert_eq!(created.job_id, Some("j-1".into()));
        assert_eq!(created.volume_ids, ["v-1".into()]);
    }
    let seen = peer.seen();
    assert_eq!(
        seen[0].header("x-client-token"),
        Some("00000000-0000-0000-0000-000000000007")
    );
    assert_eq!(
        (seen[0].header("x-client-token"), &seen[0].body),
        (seen[1].header("x-client-token"), &seen[1].body),
        "the cloud knows a repetition by its token and its bytes"
    );
    let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(body["server_id"], SERVER);
    assert_eq!(
        body["volume"],
        json!({ "availability_zone": "cn-north-4a", "volume_type": "SSD", "size": 40, "name": "data", "count": 1,
            "metadata": { "create_for_volume_id": "true" } }),
        "what is not asked for is not sent"
    );
}

#[tokio::test]
async fn a_creation_that_names_neither_a_job_nor_an_order_is_not_taken_for_done() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    peer.will_answer([answer(202, "{}")], None);
    let error = evs::create_raw(&client, &PROJECT.into(), "{}".into(), Uuid::from_u128(7))
        .await
        .unwrap_err();
    assert_eq!(error.kind, huaweicloud::ErrorKind::BadAnswer);
    assert!(error.outcome_unknown, "the disk may be there");
}

#[tokio::test]
async fn a_batch_of_disks_tells_of_each_of_them() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    peer.will_answer(
        [answer(
            200,
            r#"{"job_id":"j-1","job_type":"batchCreateVolume","status":"FAIL","entities":{"sub_jobs":[
                {"status":"SUCCESS","entities":{"volume_id":"v-1","size":10},"job_type":"createVolume"},
                {"status":"FAIL","entities":{"volume_id":"v-2"},"error_code":"EVS.2024","fail_reason":"failed to create"}]}}"#,
        )],
        None,
    );
    let job = evs::job(&client, &PROJECT.into(), &"j-1".into())
        .await
        .unwrap()
        .value;
    let volumes: Vec<_> = job.volume_ids().map(|id| id.as_str()).collect();
    assert_eq!(volumes, ["v-1", "v-2"]);
    assert_eq!(job.failure(), Some((Some("EVS.2024"), "failed to create")));
}
