//! Servers get another size, name, password and other tags, over the real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::path::Path;

use api::Api;
use huaweicloud::ecs::{self, Manner};
use sandbox::{Harm, Mishap, Running};
use serde_json::{Value, json};

use common::*;

async fn open_with(dir: &Path, running: &Running, name: &str) -> (Api, Value) {
    let api = open(&dir.join("app"), running).await;
    sign_in(&api).await;
    let server = make(&api, name).await;
    (api, server)
}

/// The code that a call is refused with.
async fn refused(api: &Api, name: &str, request: Value) -> String {
    match api.call(name, request).await {
        Err(error) => error.code,
        Ok(answer) => panic!("{name} was not refused: {answer:#}"),
    }
}

async fn control(running: &Running, what: &str, body: Value) {
    let url = format!("{}/{what}", running.announcement().control.trim_end_matches('/'));
    let client = reqwest::Client::new();
    let set = client.post(url).body(body.to_string()).send().await.unwrap();
    assert!(set.status().is_success());
}

fn amount(money: &Value) -> f64 {
    money["amount"].as_str().unwrap().parse().unwrap()
}

async fn newest(api: &Api) -> Value {
    ask(api, "operations.list", Value::Null).await[0].clone()
}

fn resize(server: &Value, flavor: &str) -> Value {
    json!({"server": server["id"], "flavor": flavor, "mayStop": true})
}

#[tokio::test(flavor = "multi_thread")]
async fn another_size_is_offered_with_its_price_and_a_running_server_runs_again_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, server) = open_with(dir.path(), &running, "size-01").await;

    let offered = ask(&api, "servers.resize_options", json!({"server": server["id"]})).await;
    assert_eq!(offered["now"]["flavor"], "s6.large.2");
    assert_eq!(offered["now"]["needsStop"], true);
    assert_eq!(offered["priceProblem"], Value::Null);
    let options = offered["options"].as_array().unwrap();
    let bigger = options
        .iter()
        .find(|option| option["flavor"] == "s6.xlarge.2")
        .unwrap();
    let before = amount(&offered["now"]["perHour"]);
    let (after, more) = (amount(&bigger["perHour"]), amount(&bigger["morePerHour"]));
    assert!(more > 0.0 && (after - before - more).abs() < 1e-9, "{bigger:#}");
    let events = events_of(&api, &server["id"]).await;
    let made_for: f64 = events[0]["price_per_hour"].as_str().unwrap().parse().unwrap();
    assert!(
        (made_for - before).abs() < 1e-9,
        "the same sum as when it was made: disks and address are in it"
    );
    assert!(
        options
            .iter()
            .any(|option| option["problem"]["code"] == "capacity"),
        "what is sold out says so"
    );

    let unasked = json!({"server": server["id"], "flavor": "s6.xlarge.2", "mayStop": false});
    assert_eq!(refused(&api, "servers.resize", unasked).await, "stop_needed");
    assert_eq!(
        refused(&api, "servers.resize", resize(&server, "s9.huge")).await,
        "flavor_unavailable"
    );
    let operation = ask(&api, "servers.resize", resize(&server, "s6.xlarge.2")).await;
    assert_eq!(operation["kind"], "server.resize");
    settled(&api).await;
    let now = resting(&api, "size-01", "running").await;
    assert_eq!(
        (&now["flavor"], &now["vcpus"]),
        (&json!("s6.xlarge.2"), &json!(4))
    );

    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(
        told(&events)[1..],
        [("server.resized", "ok", "")],
        "the stop and the start that belong to it are not told apart"
    );
    assert_eq!(events[1]["flavor"], "s6.xlarge.2");
    assert_eq!(events[1]["price_per_hour"], bigger["perHour"]["amount"]);
    assert!(events[1]["op_id"].is_string() && events[1]["duration_s"].is_number());
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_stays_stopped_and_a_lost_answer_does_not_resize_twice() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, server) = open_with(dir.path(), &running, "size-02").await;
    ask(
        &api,
        "servers.power",
        json!({"servers": [server["id"]], "act": "stop", "hard": false}),
    )
    .await;
    settled(&api).await;
    resting(&api, "size-02", "stopped").await;

    let offered = ask(&api, "servers.resize_options", json!({"server": server["id"]})).await;
    assert_eq!(offered["now"]["needsStop"], false);
    // The trial, which changes nothing, is answered; the answer to the real one is lost.
    for harm in [json!({"do": "slow", "delay_ms": 1}), json!({"do": "cut_after"})] {
        assert!(running.cause(Mishap {
            method: Some("POST".to_owned()),
            path: Some("/resize".to_owned()),
            count: Some(1),
            ..Mishap::always(serde_json::from_value(harm).unwrap())
        }));
    }
    let operation = ask(&api, "servers.resize", resize(&server, "s6.xlarge.2")).await;
    assert_eq!(operation["kind"], "server.resize");
    settled(&api).await;
    let now = resting(&api, "size-02", "stopped").await;
    assert_eq!(now["flavor"], "s6.xlarge.2");
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events)[2..], [("server.resized", "ok", "")]);
    let url = format!(
        "{}/requests",
        running.announcement().control.trim_end_matches('/')
    );
    let requests = reqwest::get(url).await.unwrap().text().await.unwrap();
    let requests: Vec<Value> = serde_json::from_str(&requests).unwrap();
    let resizes = requests
        .iter()
        .filter(|one| one["path"].as_str().unwrap().ends_with("/resize"));
    assert_eq!(resizes.count(), 2, "one trial and one change");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_size_is_taken_up_after_a_restart_of_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let running = region_at(dir.path(), 4.0).await;
    let (api, server) = open_with(dir.path(), &running, "size-03").await;
    ask(&api, "servers.resize", resize(&server, "s6.xlarge.2")).await;
    until("the resize to be sent", &api, "operations.list", |all| {
        all[0]["stage"] != "recorded"
    })
    .await;
    api.stop().await;
    drop(api);

    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    settled(&api).await;
    let now = resting(&api, "size-03", "running").await;
    assert_eq!(now["flavor"], "s6.xlarge.2");
    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events)[1..], [("server.resized", "ok", "")]);
    api.stop().await;
}

/// Lets a change of size come through while nobody sees its job, and stops the server meanwhile, as it would stand
/// when the cloud could not start it again.
async fn resized_and_standing(api: &Api, running: &Running, server: &Value) {
    assert!(running.cause(Mishap {
        path: Some("/jobs/".to_owned()),
        ..Mishap::always(serde_json::from_value(json!({"do": "cut_before"})).unwrap())
    }));
    let console = Console::new(api, running).await;
    ask(api, "servers.resize", resize(server, "s6.xlarge.2")).await;
    let name = server["name"].as_str().unwrap();
    until("the new size", api, "servers.refresh", |list| {
        let servers = list["servers"].as_array().unwrap().iter();
        servers
            .clone()
            .any(|one| one["name"] == name && one["flavor"] == "s6.xlarge.2" && one["state"] == "running")
    })
    .await;
    let ids = [server["id"].as_str().unwrap().into()];
    ecs::stop_servers(console.client(), &console.project, &ids, Manner::Hard)
        .await
        .unwrap();
    until("it to stand", api, "servers.refresh", |list| {
        let servers = list["servers"].as_array().unwrap().iter();
        servers
            .clone()
            .any(|one| one["name"] == name && one["state"] == "stopped")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_after_the_change_is_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, server) = open_with(dir.path(), &running, "size-05").await;
    resized_and_standing(&api, &running, &server).await;
    running.heal();
    settled(&api).await;
    resting(&api, "size-05", "running").await;
    let operation = newest(&api).await;
    assert_eq!(
        (&operation["outcome"], &operation["remark"]),
        (&json!("ok"), &Value::Null)
    );
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events)[1..], [("server.resized", "ok", "")]);
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_started_again_has_its_size_and_the_reason_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, server) = open_with(dir.path(), &running, "size-06").await;
    resized_and_standing(&api, &running, &server).await;
    control(&running, "faults", json!({"no_capacity": true})).await;
    running.heal();
    settled(&api).await;
    let now = resting(&api, "size-06", "stopped").await;
    assert_eq!(now["flavor"], "s6.xlarge.2");
    let operation = newest(&api).await;
    assert_eq!(operation["outcome"], "ok", "{operation:#}");
    assert!(operation["remark"]["sentence"].is_string(), "{operation:#}");
    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(
        told(&events)[1..],
        [("server.resized", "ok", ""), ("server.stopped", "ok", "user")],
        "what it costs from here on, and that it does not run"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_size_that_the_cloud_gives_up_is_told_as_failed_with_its_code() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, server) = open_with(dir.path(), &running, "size-04").await;
    control(&running, "faults", json!({"no_capacity": true})).await;
    ask(&api, "servers.resize", resize(&server, "s6.xlarge.2")).await;
    settled(&api).await;
    let operation = newest(&api).await;
    assert_eq!(operation["outcome"], "failed");
    assert_eq!(operation["error"]["code"], "job_failed");
    let now = resting(&api, "size-04", "running").await;
    assert_eq!(now["flavor"], "s6.large.2", "as it was, and running");
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events)[1..], [("server.resized", "failed", "")]);
    assert_eq!(events[1]["error_code"], "Ecs.0319");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_has_another_name_and_other_tags_and_the_data_platform_hears_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, server) = open_with(dir.path(), &running, "name-01").await;
    let id = &server["id"];

    let rename = |name: &str| json!({"server": id, "name": name});
    assert_eq!(
        refused(&api, "servers.rename", rename("<b>")).await,
        "name_invalid"
    );
    ask(&api, "servers.rename", rename("改名-02")).await;
    settled(&api).await;
    resting(&api, "改名-02", "running").await;

    let tag = |set: Value, remove: Value| json!({"server": id, "set": set, "remove": remove});
    let set = json!([{"key": "team", "value": "pay"}, {"key": "purpose", "value": "demo"}]);
    ask(&api, "servers.tag", tag(set, json!([]))).await;
    settled(&api).await;
    let now = resting(&api, "改名-02", "running").await;
    assert_eq!(
        (&now["tags"]["team"], &now["purpose"]),
        (&json!("pay"), &json!("demo"))
    );
    ask(
        &api,
        "servers.tag",
        tag(json!([]), json!(["team", "never-there"])),
    )
    .await;
    settled(&api).await;
    let now = resting(&api, "改名-02", "running").await;
    assert_eq!(now["tags"]["team"], Value::Null);
    assert_eq!(now["own"], true);

    let many: Vec<Value> = (0..9)
        .map(|n| json!({"key": format!("k{n}"), "value": ""}))
        .collect();
    for (set, remove, code) in [
        (json!([{"key": "owner", "value": "bo"}]), json!([]), "tag_kept"),
        (json!([]), json!(["wangcheng-installation"]), "tag_kept"),
        (json!([{"key": "a b", "value": ""}]), json!([]), "tag_invalid"),
        (json!(many), json!([]), "tags_too_many"),
        (json!([]), json!(["never-there"]), "bad_input"),
    ] {
        assert_eq!(refused(&api, "servers.tag", tag(set, remove)).await, code);
    }
    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, id).await;
    assert_eq!(told(&events), [("server.created", "ok", "")]);
    let operations = ask(&api, "operations.list", Value::Null).await;
    let ended = operations.as_array().unwrap().iter();
    assert!(ended.clone().all(|one| one["outcome"] == "ok"), "{operations:#}");
    api.stop().await;
}

/// Every byte of a directory's files.
fn everything(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            all.extend(std::fs::read(path).unwrap());
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_reaches_the_cloud_and_no_file_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, server) = open_with(dir.path(), &running, "password-01").await;
    let reset = |password: &str| json!({"server": server["id"], "password": password});
    let weak = api
        .call("servers.reset_password", reset("weakweakweak"))
        .await
        .unwrap_err();
    assert_eq!(weak.code, "password_invalid");
    assert!(!format!("{weak:?}").contains("weakweak"), "{weak:?}");
    ask(&api, "servers.reset_password", reset("Example-Passw0rd")).await;
    settled(&api).await;
    let operation = newest(&api).await;
    assert_eq!(
        (&operation["kind"], &operation["outcome"]),
        (&json!("server.password"), &json!("ok"))
    );
    let url = format!(
        "{}/requests",
        running.announcement().control.trim_end_matches('/')
    );
    let sent = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(sent.contains("os-reset-password"));
    api.stop().await;
    let kept = everything(&dir.path().join("app"));
    let secret = b"Example-Passw0rd";
    assert!(!kept.windows(secret.len()).any(|window| window == secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_sent_by_the_next_start_and_what_became_of_it_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, server) = open_with(dir.path(), &running, "password-02").await;
    // The cloud does not answer to this one while the program runs.
    let harm: Harm = serde_json::from_value(json!({"do": "cut_before"})).unwrap();
    assert!(running.cause(Mishap {
        path: Some("/os-reset-password".to_owned()),
        ..Mishap::always(harm)
    }));
    ask(
        &api,
        "servers.reset_password",
        json!({"server": server["id"], "password": "Example-Passw0rd"}),
    )
    .await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(newest(&api).await["stage"], "recorded");
    api.stop().await;
    drop(api);
    running.heal();

    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    settled(&api).await;
    let operation = newest(&api).await;
    assert_eq!(operation["outcome"], "failed");
    assert_eq!(
        operation["error"]["code"], "password_perhaps_set",
        "it had begun to be sent, and only the cloud knows"
    );
    api.stop().await;
    drop(api);

    // As it stands in the ledger when the program ends between writing it down and sending it.
    let opened = store::Ledger::open(&dir.path().join("app").join("demo"), chrono::Utc::now()).unwrap();
    let recorded = store::NewOperation {
        id: "01900000-0000-7000-8000-000000000001".to_owned(),
        kind: "server.password".to_owned(),
        account: operation["account"].as_str().unwrap().to_owned(),
        server_id: Some(server["id"].as_str().unwrap().to_owned()),
        server_name: "password-02".to_owned(),
        client_token: None,
        request: "{}".to_owned(),
        detail: "{}".to_owned(),
        recorded_at: chrono::Utc::now(),
    };
    opened.ledger.record(&recorded).unwrap();
    drop(opened);
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    settled(&api).await;
    let operations = ask(&api, "operations.list", Value::Null).await;
    let operations = operations.as_array().unwrap().iter();
    let taken_up = operations
        .clone()
        .find(|one| one["id"] == recorded.id.as_str())
        .unwrap();
    assert_eq!(taken_up["error"]["code"], "password_not_sent");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_an_owner_is_read_only_until_it_is_adopted_and_anothers_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    assert_eq!(running.add_servers(1), 1);
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let list = until("the servers", &api, "servers.refresh", |list| {
        !list["servers"].as_array().unwrap().is_empty()
    })
    .await;
    let named = |name: &str| {
        let servers = list["servers"].as_array().unwrap().iter();
        servers
            .clone()
            .find(|server| server["name"] == name)
            .unwrap()
            .clone()
    };
    // Nobody's, somebody else's, and one made by the same person elsewhere.
    let (nobodys, others, mine) = (named("team-wiki"), named("bo-build-01"), named("batch-0000"));
    assert_eq!(
        [&nobodys, &others, &mine].map(|server| (&server["own"], &server["adoptable"])),
        [
            (&json!(false), &json!(true)),
            (&json!(false), &json!(false)),
            (&json!(false), &json!(true))
        ]
    );
    let by_id = |server: &Value| json!({"server": server["id"]});
    let rename = |server: &Value| json!({"server": server["id"], "name": "x"});
    assert_eq!(
        refused(&api, "servers.rename", rename(&nobodys)).await,
        "not_adopted"
    );
    assert_eq!(refused(&api, "servers.rename", rename(&others)).await, "not_own");
    assert_eq!(refused(&api, "servers.adopt", by_id(&others)).await, "not_own");

    for server in [&nobodys, &mine] {
        ask(&api, "servers.adopt", by_id(server)).await;
        settled(&api).await;
        assert_eq!(newest(&api).await["outcome"], "ok", "{:#}", newest(&api).await);
    }
    let wiki = resting(&api, "team-wiki", "stopped").await;
    assert_eq!((&wiki["own"], &wiki["owner"]), (&json!(true), &json!("ada")));
    assert_eq!(refused(&api, "servers.adopt", by_id(&wiki)).await, "already_own");
    ask(
        &api,
        "servers.rename",
        json!({"server": mine["id"], "name": "now-mine"}),
    )
    .await;
    settled(&api).await;
    resting(&api, "now-mine", "running").await;
    ask(&api, "servers.refresh", Value::Null).await;
    for (server, state) in [(&nobodys, json!("stopped")), (&mine, Value::Null)] {
        let events = events_of(&api, &server["id"]).await;
        assert_eq!(told(&events), [("server.seen", "ok", "")], "once");
        assert_eq!(
            (&events[0]["owner"], &events[0]["state"]),
            (&json!("ada"), &state)
        );
    }
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_leases_are_moved_and_several_servers_deleted_with_a_result_each() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let (api, first) = open_with(dir.path(), &running, "many-01").await;
    let second = make(&api, "many-02").await;
    let list = ask(&api, "servers.list", Value::Null).await;
    let servers = list["servers"].as_array().unwrap();
    let others = servers
        .iter()
        .find(|server| server["name"] == "bo-build-01")
        .unwrap();
    let codes = |results: &Value| -> Vec<String> {
        let results = results.as_array().unwrap().iter();
        results
            .map(|one| one["error"]["code"].as_str().unwrap_or("ok").to_owned())
            .collect()
    };
    let until = chrono::Utc::now() + chrono::TimeDelta::hours(20);
    let ask_extend = json!({"servers": [first["id"], others["id"], second["id"]], "until": until});
    let results = ask(&api, "servers.extend_several", ask_extend).await;
    assert_eq!(codes(&results), ["ok", "not_own", "ok"], "in the order asked");
    settled(&api).await;
    let ask_delete = json!({"servers": [
        {"server": first["id"], "name": "many-01"},
        {"server": second["id"], "name": "another name"},
        {"server": others["id"], "name": "bo-build-01"},
    ]});
    let results = ask(&api, "servers.delete_several", ask_delete).await;
    assert_eq!(codes(&results), ["ok", "name_mismatch", "not_own"]);
    settled(&api).await;
    let events = events_of(&api, &first["id"]).await;
    assert_eq!(
        told(&events)[1..],
        [("lease.extended", "ok", ""), ("server.deleted", "ok", "user")]
    );
    resting(&api, "many-02", "running").await;
    let too_many: Vec<Value> = (0..101).map(|_| first["id"].clone()).collect();
    let refusal = refused(
        &api,
        "servers.extend_several",
        json!({"servers": too_many, "until": until}),
    )
    .await;
    assert_eq!(refusal, "bad_input");
    api.stop().await;
}
