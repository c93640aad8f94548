//! Servers are started, stopped and restarted, one or several at once, over the real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use api::Api;
use huaweicloud::ecs::{self, Manner};
use serde_json::{Value, json};

use common::*;

async fn power(api: &Api, servers: &[&Value], act: &str, hard: bool) -> Vec<Value> {
    let results = ask(
        api,
        "servers.power",
        json!({"servers": servers, "act": act, "hard": hard}),
    )
    .await;
    results.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_stopped_started_and_restarted_and_each_act_has_its_event() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "power-01").await;
    let id = &server["id"];

    let results = power(&api, &[id], "stop", false).await;
    assert_eq!(results[0]["operation"]["kind"], "server.stop");
    let busy = power(&api, &[id], "reboot", false).await;
    assert!(
        ["server_busy", "state_conflict"].contains(&busy[0]["error"]["code"].as_str().unwrap()),
        "one act at a time: {busy:#?}"
    );
    resting(&api, "power-01", "stopped").await;
    let conflict = power(&api, &[id], "reboot", true).await;
    assert_eq!(conflict[0]["error"]["code"], "state_conflict", "it does not run");
    power(&api, &[id], "start", false).await;
    settled(&api).await;
    resting(&api, "power-01", "running").await;
    power(&api, &[id], "reboot", true).await;
    settled(&api).await;
    resting(&api, "power-01", "running").await;
    power(&api, &[id], "stop", true).await;
    settled(&api).await;

    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, id).await;
    assert_eq!(
        told(&events)[1..],
        [
            ("server.stopped", "ok", "user"),
            ("server.started", "ok", ""),
            ("server.rebooted", "ok", ""),
            ("server.stopped", "ok", "user"),
        ],
        "and nothing of it is taken for done elsewhere"
    );
    for event in &events[1..] {
        assert!(event["op_id"].is_string() && event["duration_s"].is_number());
        assert_eq!(event["server_name"], "power-01");
    }
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_servers_have_a_result_each() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let first = make(&api, "power-02").await;
    let second = make(&api, "power-03").await;
    let list = ask(&api, "servers.list", Value::Null).await;
    let servers = list["servers"].as_array().unwrap();
    let others = servers.iter().find(|server| server["own"] == false).unwrap();
    let nobodys = json!("4f4b3dfa-eb70-47cf-a60a-998a53bd0000");

    let asked = [&first["id"], &others["id"], &nobodys, &second["id"]];
    let results = power(&api, &asked, "stop", false).await;
    let each: Vec<_> = results
        .iter()
        .map(|result| {
            (
                &result["server"],
                result["error"]["code"].as_str().unwrap_or("ok"),
            )
        })
        .collect();
    assert_eq!(
        each,
        [
            (&first["id"], "ok"),
            (&others["id"], "not_own"),
            (&nobodys, "server_unknown"),
            (&second["id"], "ok"),
        ],
        "in the order asked, and one refusal stops no other"
    );
    resting(&api, "power-02", "stopped").await;
    resting(&api, "power-03", "stopped").await;
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_taken_up_after_a_restart_and_what_the_console_did_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let running = region_at(dir.path(), 4.0).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "power-04").await;
    let id = &server["id"];
    let console = Console::new(&api, &running).await;
    power(&api, &[id], "stop", false).await;
    until("the stop to be sent", &api, "operations.list", |all| {
        all[0]["stage"] != "recorded"
    })
    .await;
    api.stop().await;
    drop(api);

    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    settled(&api).await;
    resting(&api, "power-04", "stopped").await;
    let ids = [id.as_str().unwrap().into()];
    ecs::start_servers(console.client(), &console.project, &ids)
        .await
        .unwrap();
    resting(&api, "power-04", "running").await;
    ecs::stop_servers(console.client(), &console.project, &ids, Manner::Hard)
        .await
        .unwrap();
    resting(&api, "power-04", "stopped").await;
    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, id).await;
    assert_eq!(
        told(&events)[1..],
        [
            ("server.stopped", "ok", "user"),
            ("server.started", "ok", "outside"),
            ("server.stopped", "ok", "outside"),
        ]
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_whose_answer_was_lost_is_not_sent_twice() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "power-05").await;
    let id = &server["id"];
    power(&api, &[id], "stop", false).await;
    settled(&api).await;
    cut_next(&running, "after").await;
    power(&api, &[id], "start", false).await;
    settled(&api).await;
    resting(&api, "power-05", "running").await;
    let events = events_of(&api, id).await;
    assert_eq!(told(&events)[2..], [("server.started", "ok", "")]);

    // At this speed a restart is over before anybody looks.
    cut_next(&running, "after").await;
    power(&api, &[id], "reboot", false).await;
    settled(&api).await;
    resting(&api, "power-05", "running").await;
    let events = events_of(&api, id).await;
    assert_eq!(told(&events)[3..], [("server.rebooted", "failed", "")]);
    assert_eq!(
        events[3]["error_code"], "outcome_unknown",
        "a server that runs does not say whether it was restarted, and it is not restarted twice to be sure"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_whose_answer_was_lost_is_followed_while_it_can_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let running = region_at(dir.path(), 1.0).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "power-06").await;
    let id = &server["id"];
    cut_next(&running, "after").await;
    power(&api, &[id], "reboot", false).await;
    settled(&api).await;
    let events = events_of(&api, id).await;
    assert_eq!(told(&events)[1..], [("server.rebooted", "ok", "")]);
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_acts_are_rehearsed_and_a_rehearsal_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "rehearsed").await;
    let rehearse = |call: &str, request: Value| {
        let (api, call) = (api.clone(), call.to_owned());
        async move {
            api.call("operations.rehearse", json!({"call": call, "request": request}))
                .await
        }
    };
    let before = ask(&api, "operations.list", Value::Null).await;
    let accounts = ask(&api, "accounts.list", Value::Null).await;
    let out = rehearse("accounts.sign_out", json!({"account": accounts["active"]})).await;
    assert_eq!(out.unwrap_err().code, "bad_input", "it would be done for real");
    assert_eq!(ask(&api, "accounts.list", Value::Null).await, accounts);

    let stop = json!({"servers": [server["id"], "nothing"], "act": "stop", "hard": false});
    let shown = rehearse("servers.power", stop).await.unwrap();
    assert_eq!(shown["requests"].as_array().unwrap().len(), 1, "{shown:#}");
    assert_eq!(shown["refused"][0]["code"], "server_unknown", "one result each");
    let wrong = json!({"server": server["id"], "name": "another"});
    let refused = rehearse("servers.delete", wrong).await;
    assert_eq!(refused.unwrap_err().code, "name_mismatch");
    let again = rehearse(
        "operations.rehearse",
        json!({"call": "servers.delete", "request": null}),
    )
    .await;
    assert_eq!(again.unwrap_err().code, "bad_input");
    assert_eq!(ask(&api, "operations.list", Value::Null).await, before);
    api.stop().await;
}
