//! The HEI receiver: what a sender of events sees, and what is kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::{io::Write, time::Duration};

use common::{Cloud, cloud, fast};
use sandbox::Options;
use serde_json::{Value, json};

fn wrapped(id: &str) -> Value {
    json!({
        "_message": json!({"event_id": id, "action": "server.created", "owner": "阿达"}).to_string(),
        "_datatype": "json", "_event_set": "wangcheng", "_time": 0, "_source": "wangcheng",
    })
}

fn post(cloud: &Cloud, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    cloud
        .http
        .post(format!("{}/", cloud.announcement.hei.url))
        .bearer_auth(&cloud.announcement.hei.token)
        .header("Content-Type", "application/json")
        .body(body)
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

async fn mode(cloud: &Cloud, setting: Value) {
    assert_eq!(
        cloud.control("POST", "/receiver", Some(setting)).await.status,
        204
    );
}

async fn kept(cloud: &Cloud, query: &str) -> Vec<Value> {
    let rows = cloud.control("GET", &format!("/events?{query}"), None).await.ok();
    rows.as_array().unwrap().clone()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn objects_arrays_lines_and_gzip_are_kept_as_they_came() {
    let cloud = cloud(fast()).await;
    let ping = cloud
        .http
        .get(format!("{}/ping", cloud.announcement.hei.url))
        .send()
        .await
        .unwrap();
    assert_eq!(ping.text().await.unwrap(), "pong");

    let answer = post(&cloud, json!([wrapped("e-1"), wrapped("e-2")]).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
        (200, "")
    );
    assert_eq!(status(post(&cloud, wrapped("e-3").to_string())).await, 200);
    let lines = format!("{}\n{}\n", wrapped("e-4"), wrapped("e-5"));
    let by_line = cloud
        .http
        .post(format!("{}/", cloud.announcement.hei.url))
        .bearer_auth(&cloud.announcement.hei.token)
        .header("Content-Type", "application/x-ndjson")
        .body(lines);
    assert_eq!(status(by_line).await, 200);
    let packed = gzip(&json!([wrapped("e-6")]).to_string());
    assert_eq!(
        status(post(&cloud, packed).header("Content-Encoding", "gzip")).await,
        200
    );
    assert_eq!(status(post(&cloud, "")).await, 200, "nothing is no error");

    let rows = kept(&cloud, "").await;
    let ids: Vec<&str> = rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["e-1", "e-2", "e-3", "e-4", "e-5", "e-6"]);
    assert_eq!(rows[0]["record"], wrapped("e-1"));
    assert_eq!(kept(&cloud, "after=4").await.len(), 2);

    assert_eq!(status(post(&cloud, wrapped("e-1").to_string())).await, 200);
    assert_eq!(kept(&cloud, "").await.len(), 7, "what came twice is kept twice");
    let distinct = kept(&cloud, "distinct=true").await;
    assert_eq!(distinct.len(), 6);
    assert_eq!(distinct[0]["deliveries"], 2);
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_as_the_platform_refuses_it() {
    let cloud = cloud(fast()).await;
    let url = &cloud.announcement.hei.url;
    let event = wrapped("e").to_string();
    assert_eq!(
        status(cloud.http.post(format!("{url}/")).body(event.clone())).await,
        401
    );
    let wrong = cloud
        .http
        .post(format!("{url}/"))
        .bearer_auth("wrong")
        .body(event.clone());
    let wrong = wrong.send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let said: Value = serde_json::from_str(&wrong.text().await.unwrap()).unwrap();
    assert_eq!(said["code"], 401);
    let elsewhere = cloud
        .http
        .post(format!("{url}/services"))
        .bearer_auth(&cloud.announcement.hei.token);
    assert_eq!(status(elsewhere.body(event.clone())).await, 404);
    assert_eq!(status(cloud.http.get(format!("{url}/"))).await, 405);
    assert_eq!(status(post(&cloud, "{\"a\":")).await, 400);
    assert_eq!(status(post(&cloud, "[1,2]")).await, 400);
    assert_eq!(
        status(post(&cloud, event.clone()).header("Content-Encoding", "br")).await,
        415
    );
    assert_eq!(
        status(post(&cloud, "not gzip").header("Content-Encoding", "gzip")).await,
        422
    );
    assert_eq!(status(post(&cloud, vec![b' '; 1024 * 1024 + 1])).await, 413);
    assert_eq!(
        status(post(&cloud, vec![b' '; 1024 * 1024])).await,
        200,
        "a mebibyte is allowed"
    );
    let bomb = gzip(&" ".repeat(17 * 1024 * 1024));
    assert_eq!(
        status(post(&cloud, bomb).header("Content-Encoding", "gzip")).await,
        413
    );
    assert!(kept(&cloud, "").await.is_empty());
}

#[tokio::test]
async fn the_receiver_can_be_made_to_refuse_stall_and_cut() {
    let cloud = cloud(fast()).await;
    let event = || post(&cloud, wrapped("e-1").to_string());
    mode(&cloud, json!({"mode": "refuse_401"})).await;
    assert_eq!(status(event()).await, 401);
    mode(&cloud, json!({"mode": "status:503", "retry_after_s": 7})).await;
    let busy = event().send().await.unwrap();
    assert_eq!(
        (
            busy.status().as_u16(),
            busy.headers()["retry-after"].to_str().unwrap()
        ),
        (503, "7")
    );
    mode(&cloud, json!({"mode": "413"})).await;
    assert_eq!(status(event()).await, 413);
    mode(&cloud, json!({"mode": "stall"})).await;
    let stalled = event()
        .timeout(Duration::from_millis(300))
        .send()
        .await
        .unwrap_err();
    assert!(stalled.is_timeout(), "{stalled}");
    mode(&cloud, json!({"mode": "cut"})).await;
    assert!(event().send().await.is_err());
    assert!(kept(&cloud, "").await.is_empty(), "nothing of this was kept");
    mode(&cloud, json!({"mode": "cut_after"})).await;
    assert!(event().send().await.is_err());
    assert!(!kept(&cloud, "").await.is_empty(), "kept, and nobody was told");
    mode(&cloud, json!({"mode": "ok"})).await;
    assert_eq!(status(event()).await, 200);
    assert_eq!(kept(&cloud, "distinct=true").await.len(), 1);
    assert_eq!(
        cloud
            .control("POST", "/receiver", Some(json!({"mode": "dance"})))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn what_was_received_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        receiver_file: Some(folder.path().join("received.db")),
        hei_token: "another-token".into(),
        ..fast()
    };
    let first = cloud(options.clone()).await;
    assert_eq!(first.announcement.hei.token, "another-token");
    assert_eq!(status(post(&first, wrapped("e-1").to_string())).await, 200);
    first.running.stop().await.unwrap();
    let second = cloud(options).await;
    assert_eq!(kept(&second, "").await[0]["event_id"], "e-1");
}

async fn ask(cloud: &Cloud, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = cloud
        .http
        .request(
            method.parse().unwrap(),
            format!("{}{path}", cloud.announcement.hei.url),
        )
        .bearer_auth(&cloud.announcement.hei.token);
    if let Some(body) = body {
        request = request.body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null),
    )
}

#[tokio::test]
async fn what_came_in_answers_sql_by_the_keys_of_the_events() {
    let cloud = cloud(fast()).await;
    let events = json!([wrapped("e-1"), wrapped("e-2"), wrapped("e-1")]).to_string();
    assert_eq!(status(post(&cloud, events)).await, 200);
    let sql = "SELECT owner, COUNT(*) AS n, COUNT(DISTINCT event_id) AS events FROM wangcheng \
               WHERE action = 'server.created' GROUP BY owner";
    let (status_code, table) = ask(&cloud, "POST", "/query", Some(json!({"query": sql}))).await;
    assert_eq!(status_code, 200, "{table}");
    assert_eq!(table["columns"], json!(["owner", "n", "events"]));
    assert_eq!(table["rows"], json!([{"owner": "阿达", "n": 3, "events": 2}]));

    let never = json!({"query": "SELECT * FROM wangcheng", "latest": "2020-01-01T00:00:00+08:00"});
    let (_, none) = ask(&cloud, "POST", "/query", Some(never)).await;
    assert_eq!(none["rows"], json!([]), "nothing is that old");
    assert!(
        none["columns"].as_array().unwrap().contains(&json!("owner")),
        "the columns stay: {none}"
    );
    for wrong in ["DELETE FROM wangcheng", "SELECT", "SELECT * FROM nowhere"] {
        let (status_code, said) = ask(&cloud, "POST", "/query", Some(json!({"query": wrong}))).await;
        assert_eq!(status_code, 400, "{wrong}: {said}");
    }
    assert_eq!(kept(&cloud, "").await.len(), 3, "nothing was changed by asking");
    let anonymous = cloud.http.post(format!("{}/query", cloud.announcement.hei.url));
    assert_eq!(status(anonymous.body("{}")).await, 401);
}

#[tokio::test]
async fn a_search_is_submitted_polled_and_fetched_in_pages() {
    let cloud = cloud(fast()).await;
    let events: Vec<Value> = (0..25).map(|number| wrapped(&format!("e-{number:02}"))).collect();
    assert_eq!(status(post(&cloud, json!(events).to_string())).await, 200);
    let sql = json!({"query": "SELECT event_id FROM wangcheng ORDER BY event_id"});
    let (accepted, job) = ask(&cloud, "POST", "/search", Some(sql)).await;
    assert_eq!(accepted, 202);
    let path = format!("/search/{}", job["id"].as_str().unwrap());
    let done = async |path: &str| {
        for _ in 0..200 {
            let (_, state) = ask(&cloud, "GET", path, None).await;
            if state["state"] != "RUNNING" {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the search does not end");
    };
    assert_eq!(done(&path).await["state"], "SUCCEEDED");
    let (_, page) = ask(&cloud, "GET", &format!("{path}/results?offset=20&limit=10"), None).await;
    assert_eq!(
        (&page["total"], page["rows"].as_array().unwrap().len()),
        (&json!(25), 5)
    );
    assert_eq!(page["rows"][0], json!({"event_id": "e-20"}));
    assert_eq!(ask(&cloud, "DELETE", &path, None).await.0, 204);
    assert_eq!(ask(&cloud, "GET", &path, None).await.0, 404);

    let (_, job) = ask(
        &cloud,
        "POST",
        "/search",
        Some(json!({"query": "SELECT nothing FROM main"})),
    )
    .await;
    let state = done(&format!("/search/{}", job["id"].as_str().unwrap())).await;
    assert_eq!(state["state"], "FAILED");
    assert!(state["error"].as_str().unwrap().contains("nothing"), "{state}");
}

#[tokio::test]
async fn plain_text_is_an_event_for_each_line() {
    let cloud = cloud(fast()).await;
    let text = cloud
        .http
        .post(format!("{}/", cloud.announcement.hei.url))
        .bearer_auth(&cloud.announcement.hei.token)
        .header("Content-Type", "text/plain")
        .body("first line\n\nzweite Zeile\n");
    assert_eq!(status(text).await, 200);
    let (_, table) = ask(
        &cloud,
        "POST",
        "/query",
        Some(json!({"query": "SELECT _message FROM main"})),
    )
    .await;
    assert_eq!(
        table["rows"],
        json!([{"_message": "first line"}, {"_message": "zweite Zeile"}])
    );
    mode(&cloud, json!({"mode": "status:429", "retry_after_s": 2})).await;
    let busy = post(&cloud, "{}").send().await.unwrap();
    assert_eq!(
        (busy.status().as_u16(), &busy.headers()["retry-after"]),
        (429, &"2".parse().unwrap())
    );
}

#[tokio::test]
async fn a_mode_can_hold_for_the_next_few_posts_only() {
    let cloud = cloud(fast()).await;
    let event = |id: &str| post(&cloud, wrapped(id).to_string());
    for (name, status_code) in [
        ("refuse_401", 401),
        ("413", 413),
        ("429", 429),
        ("503", 503),
        ("status:500", 500),
    ] {
        mode(&cloud, json!({"mode": name, "count": 2})).await;
        assert_eq!(status(event("e-1")).await, status_code, "{name}");
        let present = cloud.control("GET", "/receiver", None).await.ok();
        assert_eq!(present, json!({"mode": name, "count": 1}));
        assert_eq!(status(event("e-1")).await, status_code, "{name}");
        assert_eq!(status(event("e-1")).await, 200, "after two it is over: {name}");
        assert_eq!(
            cloud.control("GET", "/receiver", None).await.ok(),
            json!({"mode": "ok"})
        );
    }
    mode(&cloud, json!({"mode": "cut", "count": 1})).await;
    assert!(event("e-cut").send().await.is_err());
    assert_eq!(status(event("e-2")).await, 200);
    mode(&cloud, json!({"mode": "stall", "count": 1})).await;
    let stalled = event("e-stalled")
        .timeout(Duration::from_millis(300))
        .send()
        .await
        .unwrap_err();
    assert!(stalled.is_timeout(), "{stalled}");
    assert_eq!(
        status(event("e-3")).await,
        200,
        "the next one is taken while the first still waits"
    );
    mode(&cloud, json!({"mode": "cut_after", "count": 1})).await;
    assert!(event("e-4").send().await.is_err());
    let rows = kept(&cloud, "distinct=true").await;
    let ids: Vec<&str> = rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["e-1", "e-2", "e-3", "e-4"]);
    // Asking whether it is there and asking for what came use up nothing.
    mode(&cloud, json!({"mode": "503", "count": 1})).await;
    assert_eq!(
        status(cloud.http.get(format!("{}/ping", cloud.announcement.hei.url))).await,
        200
    );
    assert_eq!(status(event("e-5")).await, 503);
    for wrong in [
        json!({"mode": "503", "count": 0}),
        json!({"mode": "99"}),
        json!({"mode": "status:600"}),
    ] {
        assert_eq!(
            cloud
                .control("POST", "/receiver", Some(wrong.clone()))
                .await
                .status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn what_came_is_shown_as_a_page_that_runs_nothing_of_it() {
    let cloud = cloud(fast()).await;
    let page = async |query: &str| cloud.control("GET", &format!("/received{query}"), None).await;
    let empty = page("").await;
    assert_eq!(empty.headers["content-type"], "text/html; charset=utf-8");
    assert!(
        empty.text.contains("Nothing that fits has come yet"),
        "{}",
        empty.text
    );

    let nasty = json!({
        "_message": json!({"event_id": "e-\"><img src=x>", "action": "<script>alert(1)</script>", "owner": "阿达 & Co"}).to_string(),
        "_datatype": "json",
    });
    assert_eq!(
        status(post(
            &cloud,
            json!([wrapped("e-1"), wrapped("e-2"), nasty]).to_string()
        ))
        .await,
        200
    );
    assert_eq!(status(post(&cloud, wrapped("e-2").to_string())).await, 200);
    let shown = page("").await;
    let text = &shown.text;
    assert!(text.contains("4 records fit, 3 different events"), "{text}");
    for forbidden in ["<script", "<img", "e-\""] {
        assert!(!text.contains(forbidden), "{forbidden}: {text}");
    }
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && text.contains("阿达 &amp; Co"));
    let places: Vec<usize> = [
        "<tr><td>4</td>",
        "<tr><td>3</td>",
        "<tr><td>2</td>",
        "<tr><td>1</td>",
    ]
    .iter()
    .map(|row| text.find(row).unwrap_or_else(|| panic!("{row}: {text}")))
    .collect();
    assert!(places.is_sorted(), "the newest is first: {places:?}");
    assert_eq!(text.matches("<td>e-2</td><td>2</td>").count(), 2, "it came twice");
    let policy = shown.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );

    let some = page("?q=E-1").await.text;
    assert!(
        some.contains("1 records fit") && some.contains("<td>e-1</td>") && !some.contains("<td>e-2</td>")
    );
    let by_field = page("?q=%22owner%22%3A%22%E9%98%BF%E8%BE%BE+%26").await.text;
    assert!(
        by_field.contains("1 records fit"),
        "a plus is a space, and quotes are as in the event: {by_field}"
    );
    let odd = page("?q=%22%3E%3Cscript%3E&before=x").await.text;
    assert!(
        odd.contains("value=\"&quot;&gt;&lt;script&gt;\"") && !odd.contains("<script"),
        "{odd}"
    );
    let chinese = cloud.http.get(format!("{}/received", cloud.announcement.control));
    let chinese = chinese
        .header("Accept-Language", "zh-CN,zh;q=0.9")
        .send()
        .await
        .unwrap();
    assert!(chinese.text().await.unwrap().contains("<html lang=\"zh-CN\">"));

    let many: Vec<Value> = (0..250)
        .map(|number| wrapped(&format!("m-{number:03}")))
        .collect();
    assert_eq!(status(post(&cloud, json!(many).to_string())).await, 200);
    let (mut seen, mut query) = (Vec::new(), "?q=m-".to_owned());
    loop {
        let text = page(&query).await.text;
        assert!(text.contains("250 records fit"));
        seen.push(text.matches("<td>m-").count());
        let Some((_, rest)) = text.split_once("&amp;before=") else {
            break;
        };
        let before = rest.split('"').next().unwrap();
        query = format!("?q=m-&before={before}");
    }
    assert_eq!(seen, [100, 100, 50], "older ones are a page further");
    let framed = cloud.http.get(format!("{}/received", cloud.announcement.control));
    assert_eq!(
        status(framed.header("Origin", "https://example.com")).await,
        403,
        "no page asks for it"
    );
}
