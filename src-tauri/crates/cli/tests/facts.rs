//! Everybody's events, the bill and what is wasted, from a terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Place, code, error, finish, said};
use serde_json::{Value, json};

fn event(seq: u64, action: &str, time: &str) -> Value {
    json!({
        "event_id": format!("e-{seq}"), "schema": "wangcheng.event.v1", "seq": seq, "installation_id": "another desk",
        "action": action, "outcome": "ok", "time": time, "owner": "bo", "owner_id": "id-bo", "server_id": "s-1",
        "flavor": "s6.large.2", "region": "sandbox-1", "price_per_hour": "0.5", "currency": "CNY",
    })
}

async fn post(place: &Place, path: &str, body: Value) {
    let announcement = place.running.announcement();
    let url = match path {
        "/" => format!("{}/", announcement.hei.url),
        path => format!("{}{path}", announcement.control),
    };
    let request = reqwest::Client::new()
        .post(url)
        .bearer_auth(&announcement.hei.token)
        .header("content-type", "application/json")
        .body(body.to_string());
    assert!(request.send().await.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_pulled_and_imported_and_what_is_wrong_is_said() {
    let place = Place::new().await;
    let wrapped =
        |event: Value| json!({"_message": event.to_string(), "_datatype": "json", "_event_set": "wangcheng"});
    let records = [
        wrapped(event(1, "server.created", "2026-01-02T00:00:00Z")),
        wrapped(event(2, "server.deleted", "2026-01-02T04:00:00Z")),
    ];
    post(&place, "/", json!(records)).await;
    let pulled = place.json(&["usage", "pull"]).await;
    assert_eq!(
        (&pulled["state"], &pulled["new"]),
        (&json!("done"), &json!(2)),
        "{pulled:#}"
    );
    let again = place.json(&["usage", "pull"]).await;
    assert_eq!(
        again["new"], 0,
        "another run of the program goes on where this one ended"
    );

    let file = place.dir.path().join("export.ndjson");
    let lines = format!(
        "{}\nnonsense\n",
        event(1, "server.created", "2026-01-02T00:00:00Z")
    );
    std::fs::write(&file, lines).unwrap();
    let people = place.run(&["usage", "import", file.to_str().unwrap()]).await;
    assert_eq!(code(&people), 0, "{}", said(&people));
    let text = String::from_utf8_lossy(&people.stdout).into_owned();
    assert!(
        text.contains("no JSON object") && text.contains("Events known before"),
        "{text}"
    );

    post(&place, "/searches", json!({"mode": "refuse_401"})).await;
    let refused = place.run(&["--json", "usage", "pull"]).await;
    assert_eq!(code(&refused), 3, "{}", said(&refused));
    let test = place.run(&["--json", "platform", "test"]).await;
    assert_eq!(code(&test), 3, "{}", said(&test));
    let steps: Value = serde_json::from_slice(&test.stdout).unwrap();
    assert_eq!(steps["steps"][0]["status"], 401);
    let absent = place.run(&["--json", "usage", "import", "/no/such/file"]).await;
    assert_eq!(
        (code(&absent), error(&absent)["code"].as_str()),
        (4, Some("export_unreadable"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_tried_with_a_token_of_the_environment_that_nothing_shows() {
    let place = Place::new().await;
    let hei = place.running.announcement().hei;
    let mut command = place.command(&[
        "platform", "test", "--url", &hei.url, "--preset", "sync", "--json",
    ]);
    command.env("WANGCHENG_SEARCH_TOKEN", &hei.token);
    let output = finish(command).await;
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains(&hei.token), "{text}");
    let test: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&test["ok"], &test["events"]), (&json!(true), &json!(0)));
    let status = place.json(&["platform", "status"]).await;
    assert_eq!(status["preset"], "custom", "a trial keeps nothing: {status:#}");
    let sql = place.run(&["platform", "sql"]).await;
    let sql = String::from_utf8_lossy(&sql.stdout).into_owned();
    assert!(
        sql.contains("FROM wangcheng\nWHERE") && sql.contains("-- Servers made by each owner"),
        "{sql}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bill_and_what_is_wasted_are_tables_for_people() {
    let place = Place::new().await;
    let month = (chrono::Utc::now() + chrono::TimeDelta::hours(8))
        .format("%Y-%m")
        .to_string();
    let bill = place.run(&["usage", "bill", &month]).await;
    assert_eq!(code(&bill), 0, "{}", said(&bill));
    let text = String::from_utf8_lossy(&bill.stdout).into_owned();
    assert!(
        text.contains("not final yet") && text.contains("To be paid"),
        "{text}"
    );
    let waste = place.run(&["usage", "waste", "--everyone"]).await;
    assert_eq!(code(&waste), 0, "{}", said(&waste));
    let text = String::from_utf8_lossy(&waste.stdout).into_owned();
    assert!(
        text.contains("A MONTH") && text.contains("All in a month"),
        "{text}"
    );
    let wrong = place.run(&["--json", "usage", "bill", "January"]).await;
    assert_eq!(
        (code(&wrong), error(&wrong)["code"].as_str()),
        (4, Some("bad_input"))
    );
}
