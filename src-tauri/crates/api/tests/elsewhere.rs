//! What is done elsewhere becomes an event, once, with its cause; and a lease that is about to end is warned of.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use common::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_console_did_becomes_one_event_each_also_while_the_program_was_closed() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "elsewhere-01").await;
    let id = server["id"].as_str().unwrap();
    let console = Console::new(&api, &running).await;
    ask(&api, "servers.refresh", Value::Null).await;
    assert_eq!(
        told(&events_of(&api, &server["id"]).await),
        [("server.created", "ok", "")],
        "what was done here is no news"
    );

    console
        .set_lease(id, Some(Utc::now() + TimeDelta::hours(9)))
        .await;
    ask(&api, "servers.refresh", Value::Null).await;
    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(told(&events)[1..], [("lease.extended", "ok", "outside")], "once");
    assert!(
        events[1]["lease_end"].as_str() > events[1]["lease_end_before"].as_str(),
        "both ends are told: {:#}",
        events[1]
    );
    assert_eq!(events[1]["op_id"], Value::Null, "no operation of ours");

    ask(&api, "servers.cancel_lease", json!({"server": id})).await;
    resting(&api, "elsewhere-01", "running").await;
    console
        .set_lease(id, Some(Utc::now() + TimeDelta::hours(5)))
        .await;
    api.stop().await;
    drop(api);
    console.delete(id).await;

    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    ask(&api, "servers.refresh", Value::Null).await;
    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(
        told(&events)[2..],
        [("lease.cancelled", "ok", ""), ("server.deleted", "ok", "outside")],
        "noticed at the next start, once; a lease of which nobody knew is no part of it"
    );
    assert_eq!(
        (&events[3]["server_name"], &events[3]["owner"]),
        (&json!("elsewhere-01"), &json!("ada")),
        "an event says whose server it was"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_installation_sees_the_server_once_and_notices_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let first = open(&dir.path().join("first"), &running).await;
    sign_in(&first).await;
    let server = make(&first, "elsewhere-02").await;

    let second = open(&dir.path().join("second"), &running).await;
    sign_in(&second).await;
    ask(&second, "servers.refresh", Value::Null).await;
    second.stop().await;
    drop(second);
    let second = open(&dir.path().join("second"), &running).await;
    sign_in(&second).await;
    ask(&second, "servers.refresh", Value::Null).await;
    let events = events_of(&second, &server["id"]).await;
    assert_eq!(told(&events), [("server.seen", "ok", "outside")], "once");
    assert!(events[0]["flavor"].is_string() && events[0]["lease_end"].is_string());

    let ask_delete = json!({"server": server["id"], "name": "elsewhere-02"});
    ask(&first, "servers.delete", ask_delete).await;
    until("the deletion", &first, "operations.list", |all| {
        all[0]["stage"] == "settled"
    })
    .await;
    ask(&first, "servers.refresh", Value::Null).await;
    ask(&second, "servers.refresh", Value::Null).await;
    let events = events_of(&first, &server["id"]).await;
    assert_eq!(
        told(&events)[1..],
        [("server.deleted", "ok", "user")],
        "who deleted it does not also notice it"
    );
    let events = events_of(&second, &server["id"]).await;
    assert_eq!(told(&events)[1..], [("server.deleted", "ok", "outside")]);
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_by_the_lease_has_that_cause_and_is_warned_of_before() {
    let dir = tempfile::tempdir().unwrap();
    // A lease may be as short as three seconds.
    let running = region_with_leases(dir.path(), 20.0, 600.0).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let server = make(&api, "elsewhere-03").await;
    let id = server["id"].as_str().unwrap();
    let console = Console::new(&api, &running).await;
    // Far enough for the first warning to be due and not past.
    let end = Utc::now() + TimeDelta::seconds(6);

    // A second computer, which sees the server with its near end for the first time.
    let other = open(&dir.path().join("other"), &running).await;
    let mut changes = other.changes();
    console.set_lease(id, Some(end)).await;
    sign_in(&other).await;
    ask(&other, "servers.refresh", Value::Null).await;
    ask(&other, "servers.refresh", Value::Null).await;
    let events = events_of(&other, &server["id"]).await;
    assert_eq!(
        told(&events),
        [("server.seen", "ok", "outside"), ("lease.warned", "ok", "")],
        "warned once: {events:#?}"
    );
    assert_eq!(events[1]["warned_minutes"], 10);
    let warned = std::iter::from_fn(|| changes.try_recv().ok())
        .map(|change| serde_json::to_value(change).unwrap())
        .filter(|change| change["kind"] == "lease_warned")
        .collect::<Vec<_>>();
    assert_eq!(warned.len(), 1, "and the window is told");
    assert_eq!(warned[0]["server"], server["id"]);

    for _ in 0..100 {
        ask(&other, "servers.refresh", Value::Null).await;
        if events_of(&other, &server["id"]).await.len() > 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let events = events_of(&other, &server["id"]).await;
    assert_eq!(
        told(&events)[2..],
        [("server.deleted", "ok", "lease")],
        "{events:#?}"
    );
    assert!(
        events[2]["time"].as_str() >= events[2]["lease_end"].as_str(),
        "not before its end"
    );
    api.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spot_server_that_the_cloud_takes_back_has_that_cause() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let console = Console::new(&api, &running).await;
    console.make_spot("elsewhere-04").await;
    let server = resting(&api, "elsewhere-04", "running").await;
    ask(&api, "servers.adopt", json!({"server": server["id"]})).await;
    settled(&api).await;
    until("the server to be ours", &api, "servers.refresh", |list| {
        let mut servers = list["servers"].as_array().unwrap().iter();
        servers.any(|row| row["id"] == server["id"] && row["own"] == true)
    })
    .await;

    assert!(running.reclaim(server["id"].as_str().unwrap()));
    ask(&api, "servers.refresh", Value::Null).await;
    assert_eq!(
        told(&events_of(&api, &server["id"]).await),
        [("server.seen", "ok", "")],
        "notice is not the end"
    );
    until("the server to be taken", &api, "servers.refresh", |list| {
        let servers = list["servers"].as_array().unwrap();
        servers.iter().all(|row| row["id"] != server["id"])
    })
    .await;
    ask(&api, "servers.refresh", Value::Null).await;
    let events = events_of(&api, &server["id"]).await;
    assert_eq!(
        told(&events)[1..],
        [("server.deleted", "ok", "reclaimed")],
        "once, and not as somebody's doing"
    );
    assert_eq!(events[1]["owner"], "ada");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_chosen_for_one_run_is_not_the_other_programs() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let window = open(&dir.path().join("app"), &running).await;
    sign_in(&window).await;
    let before = ask(&window, "accounts.list", Value::Null).await;

    let script = open(&dir.path().join("app"), &running).await;
    script.choose_only_for_this_run().await;
    let bo = ask(
        &script,
        "accounts.sign_in_demo",
        json!({"user": "bo", "remember": "run"}),
    )
    .await;
    let now = ask(&script, "accounts.list", Value::Null).await;
    assert_eq!(now["active"], bo["id"]);
    ask(&script, "servers.refresh", Value::Null).await;
    let after = ask(&window, "accounts.list", Value::Null).await;
    assert_eq!(
        after["active"], before["active"],
        "the window goes on with its own"
    );
    let ada = ask(&script, "accounts.select", json!({"account": before["active"]})).await;
    assert_eq!(ada["active"], before["active"]);
    script.stop().await;
    window.stop().await;
}
