//! Everybody's events, the bill and what is wasted, over the real sandbox.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::Write;
use std::time::Duration;

use api::Api;
use common::{ask, create, open, region, resting, sign_in, until};
use sandbox::Running;
use serde_json::{Value, json};

async fn post(running: &Running, records: Vec<Value>) {
    let hei = running.announcement().hei;
    let request = reqwest::Client::new()
        .post(format!("{}/", hei.url))
        .bearer_auth(&hei.token)
        .header("content-type", "application/json")
        .body(json!(records).to_string());
    assert!(request.send().await.unwrap().status().is_success());
}

async fn searches(running: &Running, mode: Value) {
    let url = format!("{}/searches", running.announcement().control);
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json");
    assert_eq!(request.body(mode.to_string()).send().await.unwrap().status(), 204);
}

/// Somebody else's server: an hour for half a yuan.
fn events(server: &str, owner: &str) -> Vec<Value> {
    let event = |seq: u64, action: &str, time: &str| {
        json!({
            "event_id": format!("{server}-{seq}"), "schema": "wangcheng.event.v1", "seq": seq,
            "installation_id": format!("desk of {owner}"), "action": action, "outcome": "ok", "time": time,
            "owner": owner, "owner_id": format!("id-{owner}"), "server_id": server, "server_name": server,
            "flavor": "s6.large.2", "region": "sandbox-1", "price_per_hour": "0.5", "currency": "CNY",
        })
    };
    vec![
        event(1, "server.created", "2026-01-02T00:00:00.000Z"),
        event(2, "server.deleted", "2026-01-02T04:00:00.000Z"),
    ]
}

fn wrapped(event: &Value) -> Value {
    json!({"_message": event.to_string(), "_datatype": "json", "_event_set": "wangcheng", "_time": 0})
}

/// Waits until nothing is read any more.
async fn read(api: &Api) -> Value {
    until("the reading to end", api, "platform.reading", |now| {
        now["state"] != "running"
    })
    .await
}

async fn hours_of(api: &Api, owner: &str) -> Value {
    let cut = json!({"from": "2026-01-01", "to": "2026-01-31"});
    let owners = ask(api, "usage.summary", cut).await;
    let row = owners["owners"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == owner)
        .cloned();
    row.map(|row| row["hours"].clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_events_are_pulled_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    let never = ask(&api, "platform.reading", Value::Null).await;
    assert_eq!(never["state"], "never");
    post(&running, events("s-bo", "bo").iter().map(wrapped).collect()).await;
    let mut newer = events("s-new", "new").remove(0);
    newer["schema"] = json!("wangcheng.event.v2");
    post(&running, vec![wrapped(&newer)]).await;

    let status = ask(&api, "platform.status", Value::Null).await;
    assert_eq!(
        (&status["tokenStored"], &status["eventSet"]),
        (&json!(true), &json!("wangcheng"))
    );
    let test = ask(&api, "platform.test", json!({"with": null})).await;
    assert_eq!(
        (&test["ok"], &test["events"]),
        (&json!(true), &json!(3)),
        "{test:#}"
    );
    assert!(
        test["steps"].as_array().unwrap().len() >= 3,
        "submit, poll, fetch: {test:#}"
    );
    let token = running.announcement().hei.token;
    assert!(!test.to_string().contains(&token), "the token is in no step");

    let began = ask(&api, "platform.pull", Value::Null).await;
    assert_eq!(
        (&began["of"], &began["source"]),
        (&json!("platform"), &json!("platform"))
    );
    let done = read(&api).await;
    assert_eq!(done["state"], "done", "{done:#}");
    assert_eq!(
        (&done["new"], &done["newer"], &done["gaps"]),
        (&json!(2), &json!(1), &json!(0)),
        "{done:#}"
    );
    assert_eq!(hours_of(&api, "bo").await, "4.000000");
    let sources = ask(&api, "usage.sources", Value::Null).await;
    let platform = sources
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "platform")
        .unwrap();
    assert_eq!(
        (&platform["events"], &platform["complete"]),
        (&json!(2), &json!(true)),
        "{platform:#}"
    );

    ask(&api, "platform.pull", Value::Null).await;
    let again = read(&api).await;
    assert_eq!(
        (&again["done"], &again["new"]),
        (&json!(0), &json!(0)),
        "only what is new is asked for"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_can_be_cancelled_and_one_that_is_refused_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    post(&running, events("s-bo", "bo").iter().map(wrapped).collect()).await;
    searches(&running, json!({"mode": "slow:20000"})).await;
    ask(&api, "platform.pull", Value::Null).await;
    let twice = api.call("platform.pull", Value::Null).await.unwrap_err();
    assert_eq!(twice.code, "pull_under_way");
    tokio::time::sleep(Duration::from_millis(200)).await;
    ask(&api, "platform.cancel", Value::Null).await;
    let cancelled = read(&api).await;
    assert_eq!(
        (&cancelled["state"], &cancelled["problem"]),
        (&json!("cancelled"), &Value::Null)
    );

    searches(&running, json!({"mode": "refuse_401"})).await;
    ask(&api, "platform.pull", Value::Null).await;
    let refused = read(&api).await;
    assert_eq!(refused["state"], "failed");
    assert_eq!(refused["problem"]["code"], "search_token_refused", "{refused:#}");
    assert!(refused["problem"]["nextStep"].is_string(), "{refused:#}");
    let test = ask(&api, "platform.test", json!({"with": null})).await;
    assert_eq!(
        (&test["ok"], &test["steps"][0]["status"]),
        (&json!(false), &json!(401)),
        "{test:#}"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_tried_before_it_is_kept_and_a_misspelt_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    let hei = running.announcement().hei;
    let with = |more: Value| {
        let mut with = json!({"url": hei.url, "token": hei.token, "eventSet": "wangcheng", "preset": "sync"});
        with.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "with": with })
    };
    let good = ask(&api, "platform.test", with(json!({}))).await;
    assert_eq!(
        (&good["ok"], good["steps"].as_array().unwrap().len()),
        (&json!(true), 1),
        "one call: {good:#}"
    );
    let wrong = ask(&api, "platform.test", with(json!({"token": "another"}))).await;
    assert_eq!(wrong["problem"]["code"], "search_token_refused");
    for (more, word) in [
        (json!({"eventSet": "a b"}), "event_set"),
        (
            json!({"preset": "custom", "profile": {"modee": "job"}}),
            "profile",
        ),
        (json!({"url": "ftp://x"}), "address"),
    ] {
        let refused = api.call("platform.test", with(more)).await.unwrap_err();
        assert_eq!(refused.code, "search_profile_invalid");
        assert!(format!("{refused:?}").contains(word), "{refused:?}");
    }
    let statements = ask(&api, "platform.statements", Value::Null).await;
    let statements = statements.as_array().unwrap();
    assert!(statements.len() >= 8);
    assert!(
        statements.iter().all(|one| one["title"] != one["name"]),
        "each has a title in words"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_read_and_its_bad_lines_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    let mut newer = events("s-new", "new").remove(0);
    newer["schema"] = json!("wangcheng.event.v9");
    let [created, deleted] = <[Value; 2]>::try_from(events("s-bo", "bo")).unwrap();
    let text = format!(
        "{created}\nnonsense\n{}\n{newer}\n{{\"a\":1}}\n",
        wrapped(&deleted)
    );
    let file = dir.path().join("march.ndjson.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    std::fs::write(&file, encoder.finish().unwrap()).unwrap();

    api.import_events(&file).await.unwrap();
    let done = read(&api).await;
    assert_eq!(
        (&done["state"], &done["new"], &done["unreadable"]),
        (&json!("done"), &json!(2), &json!(3)),
        "{done:#}"
    );
    let bad = json!([
        {"line": 2, "why": "not_json"}, {"line": 4, "why": "newer"}, {"line": 5, "why": "not_an_event"},
    ]);
    assert_eq!(done["badLines"], bad);
    assert_eq!(done["done"], done["ofAll"], "all of the file was read");
    assert_eq!(done["source"], "file:march.ndjson.gz");
    assert_eq!(hours_of(&api, "bo").await, "4.000000");
    api.import_events(&file).await.unwrap();
    let again = read(&api).await;
    assert_eq!(
        (&again["new"], &again["doubled"]),
        (&json!(0), &json!(2)),
        "each event counts once"
    );

    // The same as a table.
    let table = dir.path().join("table.csv");
    let head =
        "event_id,schema,action,outcome,time,owner,owner_id,server_id,flavor,region,price_per_hour,currency";
    let row = |id: &str, action: &str, time: &str| {
        format!(
            "{id},wangcheng.event.v1,{action},ok,{time},\"Li, Lei\",id-lei,s-lei,s6.large.2,sandbox-1,0.5,CNY"
        )
    };
    let rows = [
        head.to_owned(),
        row("c1", "server.created", "2026-01-05T00:00:00Z"),
        row("c2", "server.deleted", "2026-01-05T02:30:00Z"),
        "too,few".to_owned(),
    ];
    std::fs::write(&table, rows.join("\r\n")).unwrap();
    api.import_events(&table).await.unwrap();
    let done = read(&api).await;
    assert_eq!(
        done["badLines"],
        json!([{"line": 4, "why": "wrong_cells"}]),
        "{done:#}"
    );
    assert_eq!(hours_of(&api, "Li, Lei").await, "2.500000");

    let missing = api.import_events(&dir.path().join("none")).await;
    assert_eq!(missing.unwrap_err().code, "export_unreadable");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_months_bill_adds_up_and_whoever_may_not_see_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let now = chrono::Utc::now() + chrono::TimeDelta::hours(8);
    let last_month = (now
        .date_naive()
        .checked_sub_months(chrono::Months::new(1))
        .unwrap())
    .format("%Y-%m");
    let bill = ask(&api, "usage.bill", json!({"month": last_month.to_string()})).await;
    let amount = |money: &Value| {
        money["amount"]
            .as_str()
            .unwrap()
            .parse::<rust_decimal::Decimal>()
            .unwrap()
    };
    let sum = |list: &str| -> rust_decimal::Decimal {
        bill[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| amount(&row["billed"]))
            .sum()
    };
    assert!(amount(&bill["billed"]) > rust_decimal::Decimal::TEN, "{bill:#}");
    assert_eq!(sum("owners"), sum("kinds"));
    assert_eq!(sum("owners"), sum("resources"));
    let reasons: Vec<&str> = bill["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    let rounding = bill["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["reason"] == "rounding");
    let rounding = rounding.map(|one| amount(&one["amount"])).unwrap_or_default();
    assert_eq!(
        sum("owners") + rounding,
        amount(&bill["billed"]),
        "what is cut off is said"
    );
    assert!(
        reasons.contains(&"untagged") && reasons.contains(&"traffic"),
        "{reasons:?}"
    );
    let owners: Vec<&Value> = bill["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["owner"])
        .collect();
    for owner in [json!("ada"), json!("bo"), Value::Null] {
        assert!(owners.contains(&&owner), "{owners:?}");
    }
    let this_month = now.format("%Y-%m").to_string();
    let running_month = ask(&api, "usage.bill", json!({"month": this_month})).await;
    assert_eq!(running_month["isFinal"], false);
    for month in ["2999-01", "2026-13", "x"] {
        assert_eq!(
            api.call("usage.bill", json!({"month": month}))
                .await
                .unwrap_err()
                .code,
            "bad_input",
            "{month}"
        );
    }
    ask(
        &api,
        "accounts.sign_in_demo",
        json!({"user": "chen", "remember": "run"}),
    )
    .await;
    let refused = api
        .call("usage.bill", json!({"month": this_month}))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "permission_missing");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waste_is_each_thing_once_with_its_price_and_the_act_that_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let mut wish = create("idle-01");
    wish["publicMbps"] = json!(0);
    ask(&api, "servers.create", wish).await;
    let server = resting(&api, "idle-01", "running").await;
    let nothing = ask(&api, "usage.waste", json!({})).await;
    let of = |waste: &Value, id: &Value| {
        waste["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["id"] == *id)
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(
        of(&nothing, &server["id"]).is_empty(),
        "a running server within its lease is of use: {nothing:#}"
    );
    ask(
        &api,
        "servers.power",
        json!({"servers": [server["id"]], "act": "stop", "hard": false}),
    )
    .await;
    resting(&api, "idle-01", "stopped").await;
    let waste = ask(&api, "usage.waste", json!({})).await;
    let [item] = <[Value; 1]>::try_from(of(&waste, &server["id"])).unwrap();
    assert_eq!(
        (&item["reasons"], &item["acts"]),
        (&json!(["stopped_in_lease"]), &json!(["delete_server"])),
        "{item:#}"
    );
    let month = |value: &Value| {
        value["perMonth"]["amount"]
            .as_str()
            .unwrap()
            .parse::<rust_decimal::Decimal>()
            .unwrap()
    };
    let disks = ask(&api, "disks.list", json!({"server": server["id"]})).await;
    let hour: rust_decimal::Decimal = disks["disks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|disk| {
            disk["perHour"]["amount"]
                .as_str()
                .unwrap()
                .parse::<rust_decimal::Decimal>()
                .unwrap()
        })
        .sum();
    assert_eq!(
        month(&item),
        (hour * rust_decimal::Decimal::from(730))
            .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::AwayFromZero),
        "a stopped server costs its disks"
    );
    ask(&api, "servers.cancel_lease", json!({"server": server["id"]})).await;
    common::settled(&api).await;
    let waste = ask(&api, "usage.waste", json!({"whose": "mine"})).await;
    let [item] = <[Value; 1]>::try_from(of(&waste, &server["id"])).unwrap();
    assert_eq!(
        (&item["reasons"], &item["acts"]),
        (&json!(["forgotten"]), &json!(["delete_server", "set_lease"]))
    );

    let everyone = ask(&api, "usage.waste", json!({"whose": "everyone"})).await;
    let items = everyone["items"].as_array().unwrap();
    assert!(
        items.len() > waste["items"].as_array().unwrap().len(),
        "others waste, too: {everyone:#}"
    );
    let mut ids: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), items.len(), "each thing once");
    let sum: rust_decimal::Decimal = items
        .iter()
        .filter(|item| item["perMonth"].is_object())
        .map(month)
        .sum();
    assert_eq!(sum, month(&everyone));
    let others = items.iter().filter(|item| item["own"] == false);
    assert!(
        others
            .clone()
            .all(|item| !item["acts"].to_string().contains("delete")),
        "what is not own is not deleted here"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_never_passed_through_the_program_are_found_in_the_audit() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let own = common::make(&api, "through-01").await;
    let console = common::Console::new(&api, &running).await;
    console.make_spot("elsewhere-01").await;
    let told = until("the audit to tell", &api, "usage.elsewhere", |told| {
        told["servers"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["name"] == "elsewhere-01")
    })
    .await;
    assert_eq!(told["audited"], true);
    let rows = told["servers"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == "elsewhere-01").unwrap();
    assert_eq!(
        (&row["madeBy"], &row["exists"], &row["ended"]),
        (&json!("ada"), &json!(true), &Value::Null),
        "{row:#}"
    );
    assert!(
        rows.iter().all(|row| row["id"] != own["id"]),
        "what was made here is no news: {told:#}"
    );
    api.stop().await;
}
