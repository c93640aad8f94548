//! Disks are made, grown, taken off and deleted, over the real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use api::Api;
use huaweicloud::{ecs, evs};
use sandbox::Running;
use serde_json::{Value, json};

use common::*;

async fn disks(api: &Api, server: &Value) -> Vec<Value> {
    let list = ask(api, "disks.list", json!({ "server": server })).await;
    list["disks"].as_array().unwrap().clone()
}

/// Waits for the newest operation's end and gives it.
async fn ended(api: &Api) -> Value {
    settled(api).await;
    ask(api, "operations.list", Value::Null).await[0].clone()
}

async fn refused(api: &Api, name: &str, request: Value) -> String {
    api.call(name, request).await.unwrap_err().code
}

async fn post(running: &Running, path: &str, body: Value) {
    let url = format!("{}/{path}", running.announcement().control.trim_end_matches('/'));
    let set = reqwest::Client::new()
        .post(url)
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert!(set.status().is_success());
}

fn add(server: &Value, size_gb: u32) -> Value {
    json!({"server": server, "diskType": "SSD", "sizeGb": size_gb})
}

/// Control rule: this call to this service has no answer once, after it was carried out.
fn lost_answer(service: &str, method: &str, path: &str) -> Value {
    json!({"do": "cut_after", "service": service, "method": method, "path": path, "count": 1})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_lives_from_its_making_to_its_deletion_and_each_act_has_its_event() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "disk-01").await;
    let id = &server["id"];
    let before = ask(&api, "disks.list", json!({ "server": id })).await;
    assert_eq!(before["disks"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&before["disks"][0]["system"], &before["disks"][0]["own"]),
        (&json!(true), &json!(true)),
        "made with the server, and marked so: {before:#}"
    );
    let sold: Vec<_> = before["diskTypes"].as_array().unwrap().iter().collect();
    assert!(
        sold.contains(&&json!("SSD")) && !sold.contains(&&json!("GPSSD2")),
        "{sold:?}"
    );
    let price = ask(
        &api,
        "disks.price",
        json!({"server": id, "disk": null, "diskType": "SSD", "sizeGb": 100}),
    )
    .await;
    let number = |value: &Value| value["amount"].as_str().unwrap().parse::<f64>().unwrap();
    assert!(number(&price["serverPerHour"]) > number(&price["perHour"]) && number(&price["perHour"]) > 0.0);

    ask(&api, "disks.add", add(id, 100)).await;
    let made = ended(&api).await;
    assert_eq!(
        (&made["outcome"], &made["kind"]),
        (&json!("ok"), &json!("disk.add")),
        "{made:#}"
    );
    let commands = made["commands"]["text"].as_str().unwrap();
    assert!(
        commands.contains("mkfs.ext4 /dev/vdb") && made["commands"]["shell"] == "bash",
        "{commands}"
    );
    let rows = disks(&api, id).await;
    let disk = &rows[1];
    assert_eq!(disk["id"], made["part"]["id"]);
    for (key, expected) in [
        ("sizeGb", json!(100)),
        ("diskType", json!("SSD")),
        ("device", json!("/dev/vdb")),
        ("attached", json!(true)),
        ("goesWithServer", json!(true)),
        ("own", json!(true)),
    ] {
        assert_eq!(disk[key], expected, "{key} of {disk:#}");
    }
    let one = json!({"server": id, "disk": disk["id"]});
    let grow = |size: u32| json!({"server": id, "disk": disk["id"], "sizeGb": size});
    let delete = |name: &Value| json!({"server": id, "disk": disk["id"], "name": name});
    assert_eq!(refused(&api, "disks.grow", grow(100)).await, "disk_size_invalid");
    assert_eq!(
        refused(&api, "disks.grow", grow(40_000)).await,
        "disk_size_invalid"
    );
    assert_eq!(
        refused(&api, "disks.delete", delete(&disk["name"])).await,
        "disk_attached"
    );
    ask(&api, "disks.grow", grow(150)).await;
    let grown = ended(&api).await;
    assert_eq!(grown["outcome"], "ok", "{grown:#}");
    assert!(grown["commands"]["text"].as_str().unwrap().contains("resize2fs"));
    assert_eq!(disks(&api, id).await[1]["sizeGb"], 150);

    ask(&api, "disks.detach", one.clone()).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    let free = disks(&api, id).await[1].clone();
    assert_eq!(
        (&free["attached"], &free["id"]),
        (&json!(false), &disk["id"]),
        "it is still seen"
    );
    assert_eq!(
        refused(&api, "disks.detach", one.clone()).await,
        "disk_not_attached"
    );
    ask(&api, "disks.attach", one.clone()).await;
    let again = ended(&api).await;
    assert_eq!(
        (&again["outcome"], &again["kind"]),
        (&json!("ok"), &json!("disk.attach")),
        "{again:#}"
    );
    let text = again["commands"]["text"].as_str().unwrap();
    assert!(
        text.contains("sudo mount /mnt/vdb") && !text.contains("mkfs"),
        "what is on it stays: {text}"
    );
    let back = disks(&api, id).await[1].clone();
    assert_eq!(
        (&back["attached"], &back["goesWithServer"], &back["sizeGb"]),
        (&json!(true), &json!(true), &json!(150))
    );
    assert_eq!(refused(&api, "disks.attach", one.clone()).await, "disk_attached");
    ask(&api, "disks.detach", one).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    assert_eq!(
        refused(&api, "disks.delete", delete(&json!("another"))).await,
        "name_mismatch"
    );
    ask(&api, "disks.delete", delete(&free["name"])).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    assert_eq!(disks(&api, id).await.len(), 1);

    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, id).await;
    let actions: Vec<_> = told(&events)[1..]
        .iter()
        .map(|(action, outcome, _)| (*action, *outcome))
        .collect();
    assert_eq!(
        actions,
        [
            ("disk.attached", "ok"),
            ("disk.extended", "ok"),
            ("disk.detached", "ok"),
            ("disk.attached", "ok"),
            ("disk.detached", "ok"),
            ("disk.deleted", "ok")
        ]
    );
    for event in &events[1..] {
        assert_eq!(event["disk_id"], disk["id"]);
        assert_eq!(event["disk_type"], "SSD");
        assert!(event["op_id"].is_string() && event["duration_s"].is_number());
        assert_eq!(event["server_name"], "disk-01");
    }
    assert_eq!(
        (&events[1]["disk_gb"], &events[2]["disk_gb"]),
        (&json!(100), &json!(150))
    );
    let hour = |event: &Value| {
        event["price_per_hour"]
            .as_str()
            .map(|text| text.parse::<f64>().unwrap())
    };
    assert!(hour(&events[1]) > hour(&events[0]) && hour(&events[2]) > hour(&events[1]));
    assert_eq!(hour(&events[3]), None, "a disk that was taken off costs on");
    assert_eq!(
        (&events[4]["disk_gb"], hour(&events[4])),
        (&json!(150), hour(&events[2])),
        "it costs as before it was taken off"
    );
    assert_eq!(hour(&events[6]), hour(&events[0]), "as before the disk was made");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_disk_grows_and_stays_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "disk-02").await;
    let id = &server["id"];
    let system = disks(&api, id).await[0].clone();
    let one = json!({"server": id, "disk": system["id"]});
    assert_eq!(refused(&api, "disks.detach", one).await, "disk_is_system");
    let grow = |size: u32| json!({"server": id, "disk": system["id"], "sizeGb": size});
    assert_eq!(refused(&api, "disks.grow", grow(1025)).await, "disk_size_invalid");
    ask(&api, "disks.grow", grow(60)).await;
    let grown = ended(&api).await;
    let text = grown["commands"]["text"].as_str().unwrap();
    assert!(
        text.contains("growpart") && text.contains("findmnt -no SOURCE /"),
        "{text}"
    );
    let asked = json!({"server": id, "disk": system["id"], "purpose": "grow"});
    let asked = ask(&api, "disks.commands", asked).await;
    assert_eq!(
        asked["text"], grown["commands"]["text"],
        "it can be asked for again"
    );
    assert_eq!(disks(&api, id).await[0]["sizeGb"], 60);
    let nobodys = json!({"server": id, "disk": "4f4b3dfa-eb70-47cf-a60a-998a53bd0000"});
    assert_eq!(refused(&api, "disks.detach", nobodys).await, "disk_unknown");
    let mut other = add(id, 100);
    other["diskType"] = json!("GPSSD2");
    assert_eq!(refused(&api, "disks.add", other).await, "disk_type_unavailable");
    assert_eq!(refused(&api, "disks.add", add(id, 9)).await, "disk_size_invalid");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_whose_making_goes_wrong_fails_with_the_clouds_reason_and_has_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "disk-03").await;
    let id = &server["id"];
    post(&running, "faults", json!({"disk_fail_next": true})).await;
    ask(&api, "disks.add", add(id, 20)).await;
    let failed = ended(&api).await;
    assert_eq!(failed["error"]["code"], "job_failed", "{failed:#}");
    assert_eq!(failed["error"]["providerCode"], "EVS.2024");
    assert!(failed.get("commands").is_none());
    let events = events_of(&api, id).await;
    assert_eq!(told(&events)[1..], [("disk.attached", "failed", "")]);
    assert_eq!(events[1]["error_code"], "EVS.2024");
    let rows = disks(&api, id).await;
    assert_eq!(
        (&rows[1]["state"], &rows[1]["own"]),
        (&json!("error"), &json!(true)),
        "what came of it is seen"
    );
    let delete = json!({"server": id, "disk": rows[1]["id"], "name": rows[1]["name"]});
    ask(&api, "disks.delete", delete).await;
    assert_eq!(ended(&api).await["outcome"], "ok", "and can be removed");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_whose_answer_was_lost_is_done_once() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "disk-04").await;
    let id = &server["id"];
    let console = Console::new(&api, &running).await;
    let count = async || {
        let query = evs::VolumeQuery::default();
        let all = evs::volumes(console.client(), &console.project, &query);
        let server = id.as_str().unwrap();
        let on_it =
            |volume: &&evs::Volume| volume.tags.get("wangcheng-server").is_some_and(|on| on == server);
        all.await.unwrap().value.items.iter().filter(on_it).count()
    };

    post(&running, "mishaps", lost_answer("evs", "POST", "/v2.1/")).await;
    ask(&api, "disks.add", add(id, 20)).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    assert_eq!(count().await, 2, "the system disk and one more");
    let disk = disks(&api, id).await[1].clone();

    post(&running, "mishaps", lost_answer("evs", "POST", "/action")).await;
    let grow = json!({"server": id, "disk": disk["id"], "sizeGb": 30});
    ask(&api, "disks.grow", grow).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    post(
        &running,
        "mishaps",
        lost_answer("ecs", "DELETE", "/detachvolume/"),
    )
    .await;
    let one = json!({"server": id, "disk": disk["id"]});
    ask(&api, "disks.detach", one.clone()).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    post(&running, "mishaps", lost_answer("ecs", "POST", "/attachvolume")).await;
    ask(&api, "disks.attach", one.clone()).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    ask(&api, "disks.detach", one).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    post(
        &running,
        "mishaps",
        lost_answer("evs", "DELETE", "/cloudvolumes/"),
    )
    .await;
    let delete = json!({"server": id, "disk": disk["id"], "name": disk["name"]});
    ask(&api, "disks.delete", delete).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    assert_eq!(count().await, 1);
    let events = events_of(&api, id).await;
    assert_eq!(events.len(), 7, "one event each: {:?}", told(&events));
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_being_made_or_grown_is_taken_up_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let running = region_at(dir.path(), 2.0).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "disk-05").await;
    let id = server["id"].clone();
    let again = async |api: Api| {
        until("it to be sent", &api, "operations.list", |all| {
            all[0]["stage"] == "sent"
        })
        .await;
        api.stop().await;
        drop(api);
        let api = open(&dir.path().join("app"), &running).await;
        sign_in(&api).await;
        let one = ended(&api).await;
        assert_eq!(one["outcome"], "ok", "{one:#}");
        api
    };
    ask(&api, "disks.add", add(&id, 20)).await;
    let api = again(api).await;
    let disk = disks(&api, &id).await[1].clone();
    assert_eq!(
        (&disk["sizeGb"], &disk["goesWithServer"]),
        (&json!(20), &json!(true))
    );
    let grow = json!({"server": id, "disk": disk["id"], "sizeGb": 30});
    ask(&api, "disks.grow", grow).await;
    let api = again(api).await;
    ask(&api, "disks.detach", json!({"server": id, "disk": disk["id"]})).await;
    let api = again(api).await;
    ask(&api, "disks.attach", json!({"server": id, "disk": disk["id"]})).await;
    let api = again(api).await;
    assert_eq!(disks(&api, &id).await[1]["goesWithServer"], true);
    ask(&api, "disks.detach", json!({"server": id, "disk": disk["id"]})).await;
    let api = again(api).await;
    let delete = json!({"server": id, "disk": disk["id"], "name": disk["name"]});
    ask(&api, "disks.delete", delete).await;
    let api = again(api).await;
    assert_eq!(disks(&api, &id).await.len(), 1);
    let events = events_of(&api, &id).await;
    let actions: Vec<_> = told(&events)
        .iter()
        .map(|(action, outcome, _)| (*action, *outcome))
        .collect();
    assert_eq!(
        actions[1..],
        [
            ("disk.attached", "ok"),
            ("disk.extended", "ok"),
            ("disk.detached", "ok"),
            ("disk.attached", "ok"),
            ("disk.detached", "ok"),
            ("disk.deleted", "ok")
        ]
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_somebody_attached_is_never_deleted_nor_set_to_go() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "disk-06").await;
    let id = &server["id"];
    let console = Console::new(&api, &running).await;
    let volume = evs::CreateVolume {
        zone: server["zone"].as_str().unwrap().into(),
        volume_type: "SSD".to_owned(),
        size_gb: 50,
        name: Some("dear-to-ada".to_owned()),
        description: None,
        server: Some(id.as_str().unwrap().into()),
        tags: Vec::new(),
        iops: None,
        throughput: None,
        enterprise_project: None,
    };
    // Long after the server, as far as the cloud can tell.
    post(&running, "clock", json!({"offset_s": 600})).await;
    let token = "7f2c0f7e-6a0e-4f0e-9d6b-0d0f0b1a2c3d".parse().unwrap();
    evs::create(console.client(), &console.project, &volume, token)
        .await
        .unwrap();
    for _ in 0..100 {
        let told = ecs::server(console.client(), &console.project, &id.as_str().unwrap().into()).await;
        if told.unwrap().value.volumes.len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let dear = disks(&api, id).await[1].clone();
    assert_eq!(
        (&dear["name"], &dear["own"]),
        (&json!("dear-to-ada"), &json!(false))
    );
    ask(&api, "servers.mark_parts", json!({ "server": id })).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    let marked = disks(&api, id).await;
    assert_eq!(
        (&marked[0]["own"], &marked[1]["own"], &marked[1]["goesWithServer"]),
        (&json!(true), &json!(false), &json!(false)),
        "{marked:#?}"
    );
    ask(&api, "disks.detach", json!({"server": id, "disk": dear["id"]})).await;
    assert_eq!(ended(&api).await["outcome"], "ok");
    assert_eq!(disks(&api, id).await.len(), 1, "it is nothing of this product's");
    let delete = json!({"server": id, "disk": dear["id"], "name": "dear-to-ada"});
    assert_eq!(refused(&api, "disks.delete", delete).await, "disk_unknown");
    api.stop().await;
}
