//! Pulling everybody's events from a platform that answers over SQL, whatever goes wrong on the way.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests are tests"
)]

use std::collections::BTreeSet;

use chrono::Utc;
use sandbox::{Announcement, Options, Running, Sandbox};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wangcheng::platform::{Far, Position, Pulled, pull};
use wangcheng::{Code, Result};
use yanhuang::search::{Page, Poll, Profile, Results, Search};

/// A platform with events, and somebody who pulls them.
struct Platform {
    running: Running,
    http: reqwest::Client,
    /// Event ids in the order in which they were taken, with repeats.
    taken: Vec<String>,
    position: Option<String>,
    complete: bool,
}

impl Platform {
    async fn new() -> Self {
        Self {
            running: Sandbox::start(Options::default()).await.unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            taken: Vec::new(),
            position: None,
            complete: false,
        }
    }

    fn announcement(&self) -> Announcement {
        self.running.announcement()
    }

    async fn post(&self, installation: &str, numbers: impl IntoIterator<Item = u64>) {
        let records: Vec<Value> = numbers
            .into_iter()
            .map(|seq| record(installation, seq, "v1"))
            .collect();
        self.post_records(&records).await;
    }

    async fn post_records(&self, records: &[Value]) {
        let hei = self.announcement().hei;
        for some in records.chunks(500) {
            let request = self
                .http
                .post(format!("{}/", hei.url))
                .bearer_auth(&hei.token)
                .header("content-type", "application/json")
                .body(json!(some).to_string());
            assert!(request.send().await.unwrap().status().is_success());
        }
    }

    async fn trouble(&self, mode: Value) {
        let url = format!("{}/searches", self.announcement().control);
        assert_eq!(
            self.http
                .post(url)
                .header("content-type", "application/json")
                .body(mode.to_string())
                .send()
                .await
                .unwrap()
                .status(),
            204
        );
    }

    fn search(&self, token: &str, tries: u32) -> Search {
        let job = Profile::job();
        let profile = Profile {
            tries,
            timeout_ms: 1000,
            statement_rows: 70,
            poll: Poll {
                interval_ms: 50,
                ..job.poll.clone()
            },
            results: Results {
                page: Page {
                    size: 30,
                    ..Page::default()
                },
                ..job.results.clone()
            },
            ..job
        };
        let url = self.announcement().hei.url.parse().unwrap();
        Search::new(
            yanhuang::http_client().unwrap(),
            profile,
            url,
            SecretString::from(token),
        )
        .unwrap()
    }

    async fn pull_with(&mut self, search: &Search, cancel: &CancellationToken) -> Result<Far> {
        let position = Position::read(self.position.as_deref(), "here");
        let (taken, kept, complete) = (&mut self.taken, &mut self.position, &mut self.complete);
        pull(search, position, Utc::now(), cancel, |pulled: Pulled| {
            for event in &pulled.events {
                let event: Value = serde_json::from_str(event).unwrap();
                taken.push(event["event_id"].as_str().unwrap().to_owned());
            }
            *kept = Some(pulled.position);
            *complete = pulled.complete;
            Box::pin(std::future::ready(Ok(())))
        })
        .await
    }

    async fn pull(&mut self) -> Result<Far> {
        let search = self.search(&self.announcement().hei.token, 3);
        self.pull_with(&search, &CancellationToken::new()).await
    }

    fn different(&self) -> usize {
        self.taken.iter().collect::<BTreeSet<_>>().len()
    }
}

fn record(installation: &str, seq: u64, version: &str) -> Value {
    let event = json!({
        "event_id": format!("{installation}-{seq}"), "schema": format!("wangcheng.event.{version}"), "seq": seq,
        "installation_id": installation, "action": "server.rebooted", "outcome": "ok", "time": "2026-01-02T03:04:05.000Z",
    });
    json!({"_message": event.to_string(), "_datatype": "json", "_event_set": "wangcheng", "_time": 0})
}

#[tokio::test]
async fn everything_is_pulled_once_and_later_only_what_is_new() {
    let mut platform = Platform::new().await;
    assert_eq!(
        platform.pull().await.unwrap(),
        Far::default(),
        "a platform without events is asked in peace"
    );
    assert!(platform.complete);
    platform.post("it's one", 1..=200).await;
    platform.post("two", 1..=15).await;
    // Delivered twice, as happens.
    platform.post("two", 3..=7).await;
    let far = platform.pull().await.unwrap();
    assert_eq!(
        (far.installations, far.fetched, far.wanted, far.gaps),
        (2, 215, 215, 0)
    );
    assert_eq!(platform.different(), 215);
    assert_eq!(platform.pull().await.unwrap().fetched, 0);
    platform.post("two", 16..=17).await;
    platform.post("three", [1]).await;
    let before = platform.taken.len();
    assert_eq!(platform.pull().await.unwrap().fetched, 3);
    assert_eq!(&platform.taken[before..], ["three-1", "two-16", "two-17"]);
}

#[tokio::test]
async fn what_comes_late_below_the_known_numbers_is_found_by_its_count() {
    let mut platform = Platform::new().await;
    platform
        .post("one", (1..=40).filter(|seq| *seq != 7 && *seq != 8))
        .await;
    let far = platform.pull().await.unwrap();
    assert_eq!(
        (far.fetched, far.gaps),
        (38, 2),
        "two numbers are not there, and that is said"
    );
    platform.post("one", [7, 41]).await;
    let far = platform.pull().await.unwrap();
    assert_eq!((far.gaps, far.withheld), (1, 0));
    assert_eq!(platform.different(), 40, "7 came late and was not passed over");
    let before = platform.taken.len();
    platform.post("one", [8]).await;
    assert_eq!(platform.pull().await.unwrap().gaps, 0);
    assert!(platform.taken[before..].contains(&"one-8".to_owned()));
    assert_eq!(platform.pull().await.unwrap().fetched, 0);
}

#[tokio::test]
async fn a_pull_that_was_cut_goes_on_where_it_stopped() {
    let mut platform = Platform::new().await;
    platform.post("one", 1..=100).await;
    let search = platform.search(&platform.announcement().hei.token, 1);
    // Overview, its state and rows; the statement, its state, its first page: then the platform is away.
    platform.trouble(json!({"mode": "ok"})).await;
    let cancel = CancellationToken::new();
    let mut position = Position::read(None, "here");
    let (mut first, mut pages) = (Vec::new(), 0);
    let told = pull(&search, position, Utc::now(), &cancel, |pulled: Pulled| {
        first.extend(pulled.events);
        pages += 1;
        platform.position = Some(pulled.position);
        if pages == 2 {
            cancel.cancel();
        }
        Box::pin(std::future::ready(Ok(())))
    })
    .await;
    assert_eq!(told.unwrap_err().code, Code::Cancelled);
    assert_eq!(first.len(), 60);
    position = Position::read(platform.position.as_deref(), "here");
    assert_ne!(position, Position::read(None, "here"));
    let far = platform.pull().await.unwrap();
    assert_eq!((far.fetched, far.wanted), (40, 40), "nothing is fetched twice");
    assert_eq!(platform.taken[0], "one-61");
    platform.position = Some(Position::read(platform.position.as_deref(), "elsewhere").text());
    platform.taken.clear();
    let search = platform.search(&platform.announcement().hei.token, 1);
    platform
        .pull_with(&search, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(platform.different(), 100, "another place is begun anew");
}

#[tokio::test]
async fn half_pages_and_passing_trouble_lose_nothing() {
    let mut platform = Platform::new().await;
    platform.post("one", 1..=200).await;
    platform.trouble(json!({"mode": "half_page"})).await;
    let far = platform.pull().await.unwrap();
    assert_eq!((far.fetched, far.withheld), (200, 0));
    for (mode, count) in [("truncated", 1), ("cut", 1), ("503", 2), ("slow:3000", 1)] {
        platform
            .post("one", [201 + platform.different() as u64 - 200])
            .await;
        platform.trouble(json!({"mode": mode, "count": count})).await;
        let before = platform.different();
        platform.pull().await.unwrap();
        assert_eq!(platform.different(), before + 1, "{mode}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_told_and_nothing_is_forgotten() {
    let mut platform = Platform::new().await;
    platform.post("one", 1..=50).await;
    let wrong = platform.search("another-token", 3);
    let told = platform
        .pull_with(&wrong, &CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(
        (told.code, told.facts["status"].as_str()),
        (Code::SearchTokenRefused, "401")
    );
    platform
        .trouble(json!({"mode": "429", "retry_after_s": 3600, "count": 1}))
        .await;
    let told = platform.pull().await.unwrap_err();
    assert_eq!(
        (told.code, told.facts["seconds"].as_str()),
        (Code::SearchUnavailable, "3600")
    );
    platform.trouble(json!({"mode": "stall"})).await;
    let search = platform.search(&platform.announcement().hei.token, 1);
    let told = platform
        .pull_with(&search, &CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(told.code, Code::SearchUnreachable);
    platform.trouble(json!({"mode": "ok"})).await;
    assert_eq!(platform.pull().await.unwrap().fetched, 50);
}

#[tokio::test]
async fn events_of_a_newer_version_are_handed_on_and_foreign_rows_are_not() {
    let mut platform = Platform::new().await;
    let foreign = json!({"_message": "{\"event_id\":\"x\",\"seq\":1,\"installation_id\":\"one\",\"schema\":\"other\"}", "_datatype": "json", "_event_set": "wangcheng"});
    platform
        .post_records(&[record("one", 1, "v1"), record("one", 2, "v2"), foreign])
        .await;
    assert_eq!(platform.pull().await.unwrap().fetched, 2);
    assert_eq!(platform.taken, ["one-1", "one-2"]);
}

#[tokio::test]
async fn the_statements_for_dashboards_answer_over_the_receiver() {
    let platform = Platform::new().await;
    let event = |id: &str, seq: u64, action: &str, time: &str, more: Value| {
        let mut event = json!({
            "event_id": id, "schema": "wangcheng.event.v1", "seq": seq, "installation_id": "one", "action": action,
            "outcome": "ok", "time": time, "owner": "ada", "server_id": "s-1", "flavor": "s6.large.2",
        });
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"_message": event.to_string(), "_datatype": "json", "_event_set": "wangcheng", "_time": 0})
    };
    let created = event(
        "e1",
        1,
        "server.created",
        "2026-01-02T00:00:00.000Z",
        json!({"price_per_hour": "0.5"}),
    );
    let deleted = event(
        "e3",
        3,
        "server.deleted",
        "2026-01-02T04:00:00.000Z",
        json!({"cause": "lease"}),
    );
    platform.post_records(&[created.clone(), created, deleted]).await;
    let search = platform.search(&platform.announcement().hei.token, 1);
    let mut answers = std::collections::BTreeMap::new();
    for statement in wangcheng::platform::dashboards("wangcheng").unwrap() {
        // Buckets of time are the platform's own; everything else is plain SQL.
        if statement.sql.contains("GROUP BY TIME(") {
            continue;
        }
        let question = yanhuang::search::Question {
            sql: statement.sql,
            earliest: "2026-01-01T00:00:00Z".parse().unwrap(),
            latest: "2027-01-01T00:00:00Z".parse().unwrap(),
        };
        let rows = search.ask(question).all(100).await;
        answers.insert(
            statement.name,
            rows.unwrap_or_else(|error| panic!("{}: {error}", statement.name)),
        );
    }
    assert_eq!(
        answers["servers_by_owner"],
        [json!({"owner": "ada", "servers": 1}).as_object().unwrap().clone()]
    );
    let hours = &answers["hours_and_cost_by_owner"][0];
    assert_eq!(
        (&hours["server_hours"], &hours["cost_estimate"]),
        (&json!(4.0), &json!(2.0))
    );
    assert!(answers["not_deleted"].is_empty(), "it was deleted");
    assert_eq!(answers["ends_by_cause"][0]["cause"], "lease");
    assert_eq!(answers["gaps"][0]["missing"], 1, "number 2 is not there");
    assert!(answers["failures"].is_empty());
    assert!(wangcheng::platform::dashboards("x; DROP").is_err());
}
