//! What was made with a server is marked, and what a deletion leaves is told, found and removed, over the real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::BTreeMap;

use api::Api;
use huaweicloud::{ecs, eip, evs};
use sandbox::Running;
use serde_json::{Value, json};

use common::*;

async fn mishap(running: &Running, rule: Option<Value>) {
    let url = format!("{}/mishaps", running.announcement().control.trim_end_matches('/'));
    let client = reqwest::Client::new();
    let asked = match rule {
        Some(rule) => client.post(url).body(rule.to_string()),
        None => client.delete(url),
    };
    assert!(asked.send().await.unwrap().status().is_success());
}

/// A server with a data disk and a public address.
async fn make_whole(api: &Api, name: &str) -> Value {
    let templates = ask(api, "templates.list", Value::Null).await;
    let all = templates.as_array().unwrap();
    let mut template = all.iter().find(|one| one["id"] == "linux-small").unwrap().clone();
    template["id"] = json!("with-disk");
    template["dataDiskGb"] = json!(100);
    template["builtIn"] = json!(false);
    ask(api, "templates.save", template).await;
    let mut wish = create(name);
    wish["template"] = json!("with-disk");
    wish["publicMbps"] = json!(5);
    ask(api, "servers.create", wish).await;
    resting(api, name, "running").await
}

async fn tags_of_parts(console: &Console, server: &Value) -> Vec<BTreeMap<String, String>> {
    let id = server["id"].as_str().unwrap().into();
    let row = ecs::server(console.client(), &console.project, &id)
        .await
        .unwrap()
        .value;
    let mut all = Vec::new();
    for volume in &row.volumes {
        let told = evs::volume(console.client(), &console.project, &volume.id)
            .await
            .unwrap();
        all.push(told.value.tags);
    }
    let addresses = eip::public_ips(console.client(), &console.project, None)
        .await
        .unwrap()
        .value;
    let address = addresses
        .items
        .iter()
        .find(|one| one.address == row.floating_address())
        .unwrap();
    let tags = eip::public_ip_tags(console.client(), &console.project, &address.id)
        .await
        .unwrap();
    all.push(
        tags.value
            .items
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect(),
    );
    all
}

async fn newest(api: &Api) -> Value {
    settled(api).await;
    ask(api, "operations.list", Value::Null).await[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn disks_and_address_of_a_new_server_have_its_tags_and_go_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make_whole(&api, "whole-01").await;
    let created = newest(&api).await;
    assert!(created.get("problem").is_none(), "{created:#}");
    let console = Console::new(&api, &running).await;
    let info = ask(&api, "app.info", Value::Null).await;
    let parts = tags_of_parts(&console, &server).await;
    assert_eq!(parts.len(), 3, "system disk, data disk, address");
    for tags in parts {
        let expected = [
            ("owner", "ada"),
            ("purpose", "first path"),
            ("wangcheng-installation", info["installationId"].as_str().unwrap()),
            ("wangcheng-operation", created["id"].as_str().unwrap()),
            ("wangcheng-server", server["id"].as_str().unwrap()),
        ];
        let tags: Vec<_> = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(tags, expected);
    }
    let list = ask(&api, "disks.list", json!({"server": server["id"]})).await;
    let goes: Vec<_> = list["disks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|disk| &disk["goesWithServer"])
        .collect();
    assert_eq!(goes, [&json!(true), &json!(true)]);
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_are_refused_do_not_fail_the_creation_and_can_be_set_later() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let refusal = json!({"do": "status", "status": 403, "code": "EVS.0014", "message": "no",
                         "service": "evs", "method": "POST", "path": "/tags/action"});
    mishap(&running, Some(refusal)).await;
    let server = make_whole(&api, "whole-02").await;
    let created = newest(&api).await;
    assert_eq!(created["outcome"], "ok", "{created:#}");
    assert_eq!(created["problem"]["providerCode"], "EVS.0014", "{created:#}");
    let console = Console::new(&api, &running).await;
    let parts = tags_of_parts(&console, &server).await;
    assert!(parts[0].is_empty() && parts[1].is_empty(), "{parts:?}");
    assert!(
        !parts[2].is_empty(),
        "one refusal keeps nothing else from being done"
    );

    ask(&api, "servers.mark_parts", json!({"server": server["id"]})).await;
    let failed = newest(&api).await;
    assert_eq!(failed["outcome"], "failed");
    mishap(&running, None).await;
    ask(&api, "servers.mark_parts", json!({"server": server["id"]})).await;
    let marked = newest(&api).await;
    assert_eq!(
        (&marked["kind"], &marked["outcome"]),
        (&json!("server.mark_parts"), &json!("ok"))
    );
    let parts = tags_of_parts(&console, &server).await;
    assert!(
        parts.iter().all(|tags| tags.contains_key("wangcheng-server")),
        "{parts:?}"
    );
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(
        told(&events),
        [("server.created", "ok", "")],
        "the data platform has no word for it"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_the_cloud_had_no_time_for_are_set_later_without_anybodys_asking() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let down =
        json!({"do": "status", "status": 503, "service": "evs", "method": "POST", "path": "/tags/action"});
    mishap(&running, Some(down)).await;
    let server = make(&api, "whole-06").await;
    let created = newest(&api).await;
    assert_eq!(
        (&created["outcome"], &created["problem"]["code"]),
        (&json!("ok"), &json!("cloud_failed")),
        "{created:#}"
    );
    mishap(&running, None).await;
    let all = until("a marking by itself", &api, "operations.list", |all| {
        all[0]["kind"] == "server.mark_parts" && all[0]["stage"] == "settled"
    })
    .await;
    assert_eq!(all[0]["outcome"], "ok", "{all:#}");
    let list = ask(&api, "disks.list", json!({"server": server["id"]})).await;
    assert_eq!(
        list["disks"][0]["own"], true,
        "its disk has its tags by now: {list:#}"
    );
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events), [("server.created", "ok", "")]);
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_set_after_a_restart_in_the_middle_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let down =
        json!({"do": "status", "status": 503, "service": "evs", "method": "POST", "path": "/tags/action"});
    mishap(&running, Some(down)).await;
    ask(&api, "servers.create", create("whole-03")).await;
    until("the tagging", &api, "operations.list", |all| {
        all[0]["progress"] == "TAGGING"
    })
    .await;
    api.stop().await;
    drop(api);
    mishap(&running, None).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let created = newest(&api).await;
    assert_eq!(created["outcome"], "ok");
    assert!(created.get("problem").is_none(), "{created:#}");
    let server = resting(&api, "whole-03", "running").await;
    let list = ask(&api, "disks.list", json!({"server": server["id"]})).await;
    assert_eq!(list["disks"][0]["own"], true, "{list:#}");
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events), [("server.created", "ok", "")]);
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_says_beforehand_what_goes_and_what_stays_and_afterwards_what_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make_whole(&api, "whole-04").await;
    let id = &server["id"];
    let list = ask(&api, "disks.list", json!({ "server": id })).await;
    let data = list["disks"][1].clone();
    let preview = ask(&api, "servers.deletion", json!({ "server": id })).await;
    assert_eq!(preview["name"], "whole-04");
    let kinds = |preview: &Value| -> Vec<(String, bool)> {
        let parts = preview["parts"].as_array().unwrap().iter();
        parts
            .map(|part| (part["kind"].as_str().unwrap().to_owned(), part["goes"] == true))
            .collect()
    };
    let mut all = kinds(&preview);
    all.sort();
    let expected = ["data_disk", "private_key", "public_address", "system_disk"];
    assert_eq!(all, expected.map(|kind| (kind.to_owned(), true)));
    assert!(preview["staysPerMonth"].is_null());

    ask(&api, "disks.detach", json!({"server": id, "disk": data["id"]})).await;
    settled(&api).await;
    let preview = ask(&api, "servers.deletion", json!({ "server": id })).await;
    assert!(
        kinds(&preview).contains(&("data_disk".to_owned(), false)),
        "{preview:#}"
    );
    let month: f64 = preview["staysPerMonth"]["amount"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(month > 1.0, "{preview:#}");
    assert_eq!(
        ask(&api, "servers.leftovers", Value::Null).await["items"],
        json!([]),
        "its server is there"
    );
    ask(&api, "servers.delete", json!({"server": id, "name": "whole-04"})).await;
    let deleted = newest(&api).await;
    assert_eq!(
        (&deleted["outcome"], &deleted["left"]),
        (&json!("ok"), &json!(1)),
        "{deleted:#}"
    );

    let left = ask(&api, "servers.leftovers", Value::Null).await;
    let items = left["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{left:#}");
    assert_eq!((&items[0]["id"], &items[0]["server"]), (&data["id"], id));
    assert_eq!(items[0]["perMonth"], preview["staysPerMonth"]);
    let remove = |kind: &str, id: &Value, name: &Value| json!({"kind": kind, "id": id, "name": name});
    let asked = json!({"items": [
        remove("disk", &data["id"], &json!("another")),
        remove("disk", id, &json!("nothing")),
        remove("disk", &data["id"], &items[0]["name"]),
    ]});
    let results = ask(&api, "servers.remove_leftovers", asked).await;
    let codes: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["error"]["code"].as_str().unwrap_or("ok"))
        .collect();
    assert_eq!(codes, ["name_mismatch", "leftover_unknown", "ok"]);
    assert_eq!(newest(&api).await["outcome"], "ok");
    assert_eq!(
        ask(&api, "servers.leftovers", Value::Null).await["items"],
        json!([])
    );
    let events = events_of(&api, id).await;
    let last = events.last().unwrap();
    assert_eq!(
        (&last["action"], &last["disk_id"]),
        (&json!("disk.deleted"), &data["id"])
    );
    assert!(
        last.get("server_name").is_none(),
        "not known any more, so not told"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_console_left_of_a_server_is_found_and_removed_and_nothing_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make_whole(&api, "whole-05").await;
    let id = server["id"].as_str().unwrap();
    let console = Console::new(&api, &running).await;
    let row = ecs::server(console.client(), &console.project, &id.into())
        .await
        .unwrap()
        .value;
    let data = row.volumes.iter().find(|one| !one.is_root()).unwrap();
    ecs::set_delete_on_termination(console.client(), &console.project, &row.id, &data.id, false)
        .await
        .unwrap();
    let with = ecs::DeleteWith {
        public_ips: Some(false),
        volumes: false,
    };
    ecs::delete_servers(
        console.client(),
        &console.project,
        std::slice::from_ref(&row.id),
        with,
    )
    .await
    .unwrap();
    until("the server to be gone", &api, "servers.refresh", |list| {
        list["servers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["id"] != id)
    })
    .await;
    let left = ask(&api, "servers.leftovers", Value::Null).await;
    let items = left["items"].as_array().unwrap().clone();
    let kinds: Vec<_> = items.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["disk", "public_address"], "{left:#}");
    assert!(
        items
            .iter()
            .all(|one| one["perMonth"].is_object() && one["server"] == id)
    );
    let address = row.floating_address().unwrap().to_string();
    assert_eq!(items[1]["name"], address.as_str());

    let asked: Vec<_> = items
        .iter()
        .map(|one| json!({"kind": one["kind"], "id": one["id"], "name": one["name"]}))
        .collect();
    let results = ask(&api, "servers.remove_leftovers", json!({ "items": asked })).await;
    assert!(
        results
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["error"].is_null()),
        "{results:#}"
    );
    settled(&api).await;
    let operations = ask(&api, "operations.list", Value::Null).await;
    assert!((0..2).all(|n| operations[n]["outcome"] == "ok"), "{operations:#}");
    assert_eq!(
        ask(&api, "servers.leftovers", Value::Null).await["items"],
        json!([])
    );
    let addresses = eip::public_ips(console.client(), &console.project, None)
        .await
        .unwrap()
        .value;
    assert!(
        addresses
            .items
            .iter()
            .all(|one| one.address != row.floating_address())
    );
    let events = events_of(&api, &server["id"]).await;
    let mut last: Vec<_> = told(&events)[1..].iter().map(|(action, ..)| *action).collect();
    last.sort_unstable();
    assert_eq!(last, ["disk.deleted", "eip.released", "server.deleted"]);
    let released = events
        .iter()
        .find(|event| event["action"] == "eip.released")
        .unwrap();
    assert_eq!(released["eip"], address.as_str());
    api.stop().await;
}
