//! Asking a search that is spelled as a profile says: jobs and single calls, pages, refusals, waits and broken answers.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde_json::{Value, json};
use yanhuang::ErrorKind;
use yanhuang::search::{
    Bound, Mode, Page, Poll, Profile, Question, Results, Search, Verb, identifier, quoted,
};

const TOKEN: &str = "a-token-nobody-may-see";

type Said = (u16, &'static str, String);

/// What the peer answers, one after another, and what it was asked.
#[derive(Clone, Default)]
struct Peer {
    answers: Arc<Mutex<VecDeque<Said>>>,
    asked: Arc<Mutex<Vec<(String, String, String)>>>,
}

impl Peer {
    async fn with(answers: Vec<Said>, profile: Profile) -> (Self, Search) {
        let peer = Self::default();
        *peer.answers.lock().unwrap() = answers.into();
        let router = Router::new().fallback(answer).with_state(peer.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let search = Search::new(
            yanhuang::http_client().unwrap(),
            profile,
            base.parse().unwrap(),
            SecretString::from(TOKEN),
        );
        (peer, search.unwrap())
    }

    fn asked(&self) -> Vec<(String, String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(peer): State<Peer>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let token = head
        .headers
        .get("authorization")
        .map(|value| value.to_str().unwrap().to_owned());
    peer.asked.lock().unwrap().push((
        format!("{} {}", head.method, head.uri),
        String::from_utf8(body.to_vec()).unwrap(),
        token.unwrap_or_default(),
    ));
    let next = peer.answers.lock().unwrap().pop_front();
    let (status, header, text) = next.unwrap_or((500, "", "nothing more to say".to_owned()));
    let status = StatusCode::from_u16(status).unwrap();
    match header.split_once(": ") {
        Some((name, value)) => (status, [(name.to_owned(), value.to_owned())], text).into_response(),
        None => (status, text).into_response(),
    }
}

fn ok(value: Value) -> Said {
    (200, "", value.to_string())
}

fn question() -> Question {
    Question {
        sql: "SELECT '{latest}' AS it's".to_owned(),
        earliest: "2026-01-01T00:00:00Z".parse().unwrap(),
        latest: "2026-02-01T00:00:00Z".parse().unwrap(),
    }
}

fn quick() -> Profile {
    let job = Profile::job();
    Profile {
        poll: Poll {
            interval_ms: 50,
            timeout_ms: 1000,
            ..job.poll.clone()
        },
        results: Results {
            page: Page {
                size: 2,
                ..Page::default()
            },
            ..job.results.clone()
        },
        ..job
    }
}

#[tokio::test]
async fn a_job_is_submitted_polled_and_fetched_page_by_page() {
    let (peer, search) = Peer::with(
        vec![
            (202, "", json!({"id": "a/b ?"}).to_string()),
            ok(json!({"state": "RUNNING"})),
            ok(json!({"state": "succeeded"})),
            ok(json!({"rows": [{"n": 1}, {"n": 2}], "total": 4})),
            ok(json!({"rows": [{"n": 3}], "total": 4})),
            ok(json!({"rows": [{"n": 4}], "total": 4})),
        ],
        quick(),
    )
    .await;
    let mut asking = search.ask(question());
    let rows = asking.all(10).await.unwrap();
    let numbers: Vec<i64> = rows.iter().map(|row| row["n"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4], "half a page is followed by its other half");
    let asked = peer.asked();
    assert_eq!(asked[0].0, "POST /api/search");
    let body: Value = serde_json::from_str(&asked[0].1).unwrap();
    assert_eq!(
        body,
        json!({"query": "SELECT '{latest}' AS it's", "earliest": "2026-01-01T00:00:00.000Z", "latest": "2026-02-01T00:00:00.000Z"}),
        "nothing in a statement is taken for a blank"
    );
    assert_eq!(
        asked[1].0, "GET /api/search/a%2Fb%20%3F",
        "an id stays one part of the path"
    );
    assert_eq!(asked[4].0, "GET /api/search/a%2Fb%20%3F/results?offset=2&limit=2");
    assert!(
        asked
            .iter()
            .all(|(.., token)| token == &format!("Bearer {TOKEN}"))
    );
    let steps = format!("{:?}", asking.steps());
    assert!(steps.contains("succeeded") && !steps.contains(TOKEN), "{steps}");
    assert!(!format!("{search:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_site_that_answers_at_once_is_asked_once_with_its_own_words() {
    let sync = Profile::sync();
    let profile = Profile {
        bound: Bound::EpochUs,
        auth_header: "X-Api-Key".to_owned(),
        auth_value: "{token}".to_owned(),
        submit: yanhuang::search::Submit {
            method: Verb::Put,
            path: "/v2/{event_set}/sql".to_owned(),
            body: json!({"stmt": "{sql}", "range": ["{earliest}", "{latest}"]}),
            ..sync.submit.clone()
        },
        results: Results {
            rows_pointer: "/data/0".to_owned(),
            columns_pointer: "/meta".to_owned(),
            ..sync.results.clone()
        },
        ..sync
    };
    assert_eq!(profile.mode, Mode::Sync);
    let (peer, search) = Peer::with(
        vec![ok(json!({"meta": [{"name": "n"}], "data": [[[7]]]}))],
        profile,
    )
    .await;
    let mut asking = search.ask(question());
    assert_eq!(asking.page().await.unwrap().unwrap().rows[0]["n"], 7);
    assert_eq!(asking.page().await.unwrap(), None);
    let asked = peer.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].0, "PUT /api/v2/wangcheng/sql");
    let body: Value = serde_json::from_str(&asked[0].1).unwrap();
    assert_eq!(
        body["range"],
        json!([1_767_225_600_000_000_i64, 1_769_904_000_000_000_i64])
    );
}

#[tokio::test]
async fn a_refused_token_is_never_sent_twice_and_trouble_that_passes_is_waited_out() {
    for status in [401, 403] {
        let said = format!("no such token {TOKEN}");
        let (peer, search) = Peer::with(vec![(status, "", said)], quick()).await;
        let error = search.ask(question()).page().await.unwrap_err();
        assert_eq!(
            (error.kind, error.status),
            (ErrorKind::Unauthorized, Some(status))
        );
        assert!(!error.message.contains(TOKEN), "{}", error.message);
        assert_eq!(peer.asked().len(), 1);
    }
    let (peer, search) = Peer::with(
        vec![
            (429, "retry-after: 0", "slowly".to_owned()),
            (503, "retry-after: 0", "busy".to_owned()),
            (202, "", json!({"id": 7}).to_string()),
            ok(json!({"state": "DONE"})),
            ok(json!({"rows": [], "total": 0})),
        ],
        quick(),
    )
    .await;
    assert!(search.ask(question()).all(1).await.unwrap().is_empty());
    assert_eq!(peer.asked().len(), 5);
    let (peer, search) = Peer::with(vec![(429, "retry-after: 3600", String::new())], quick()).await;
    let error = search.ask(question()).page().await.unwrap_err();
    assert_eq!(
        error.retry_after(),
        Some(Duration::from_secs(3600)),
        "an hour is told, not waited"
    );
    assert_eq!(peer.asked().len(), 1);
}

#[tokio::test]
async fn a_job_that_fails_or_never_ends_says_so() {
    let failed = json!({"state": "FAILED", "error": "no such column: seqq"});
    let (_, search) = Peer::with(vec![ok(json!({"id": "j"})), ok(failed)], quick()).await;
    let error = search.ask(question()).page().await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Rejected, "no such column: seqq")
    );

    let mut answers = vec![ok(json!({"id": "j"}))];
    answers.extend((0..40).map(|_| ok(json!({"state": "QUEUED"}))));
    let (_, search) = Peer::with(answers, quick()).await;
    let error = search.ask(question()).page().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains("QUEUED"), "{}", error.message);
}

#[tokio::test]
async fn answers_without_what_the_profile_promises_are_refused() {
    for answers in [
        vec![(200, "", "<html>a proxy's page</html>".to_owned())],
        vec![ok(json!({"job": "j"}))],
        vec![ok(json!({"id": ".."}))],
        vec![ok(json!({"id": "x".repeat(300)}))],
        vec![ok(json!({"id": "j"})), ok(json!({}))],
        vec![
            ok(json!({"id": "j"})),
            ok(json!({"state": "DONE"})),
            ok(json!({"rows": 7})),
        ],
        vec![
            ok(json!({"id": "j"})),
            ok(json!({"state": "DONE"})),
            ok(json!({"rows": [], "total": 3})),
        ],
    ] {
        let words = format!("{answers:?}");
        let (_, search) = Peer::with(answers, quick()).await;
        let error = search.ask(question()).all(10).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{words}: {error}");
    }
}

#[tokio::test]
async fn what_is_not_wanted_any_more_is_given_up_at_the_platform_too() {
    let answers = vec![
        ok(json!({"id": "j"})),
        ok(json!({"state": "DONE"})),
        ok(json!({"rows": [{}], "total": 9})),
        (204, "", String::new()),
    ];
    let (peer, search) = Peer::with(answers, quick()).await;
    let mut asking = search.ask(question());
    asking.page().await.unwrap();
    asking.give_up().await.unwrap();
    assert_eq!(peer.asked().last().unwrap().0, "DELETE /api/search/j");
    let (peer, search) = Peer::with(Vec::new(), quick()).await;
    search.ask(question()).give_up().await.unwrap();
    assert!(peer.asked().is_empty(), "what never began is not given up");
}

#[test]
fn a_profile_that_would_hide_events_or_show_the_token_is_refused() {
    let with = |change: &dyn Fn(&mut Profile)| {
        let mut profile = Profile::job();
        change(&mut profile);
        profile.check().unwrap_err().message
    };
    type Change<'a> = &'a dyn Fn(&mut Profile);
    let cases: [(Change<'_>, &str); 10] = [
        (&|p| p.submit.body = json!({"query": "{sql}"}), "submit.body"),
        (
            &|p| p.submit.body = json!({"from": "{earliest}", "to": "{latest}"}),
            "submit.body",
        ),
        (&|p| p.submit.path = "/x/{token}".to_owned(), "submit.path"),
        (&|p| p.auth_value = "Bearer".to_owned(), "auth_value"),
        (&|p| p.auth_header = "no header".to_owned(), "auth_header"),
        (&|p| p.poll.path = "/search".to_owned(), "poll.path"),
        (&|p| p.poll.interval_ms = 0, "poll"),
        (
            &|p| p.results.rows_pointer = "rows".to_owned(),
            "results.rows_pointer",
        ),
        (&|p| p.results.page.size = 0, "results.page"),
        (&|p| p.event_set = "a; DROP".to_owned(), "event_set"),
    ];
    for (change, field) in cases {
        let message = with(change);
        assert!(message.starts_with(field), "{field}: {message}");
    }
    assert!(serde_json::from_value::<Profile>(json!({"polll": {}})).is_err());
    let read: Profile = serde_json::from_value(json!({"poll": {"path": "/jobs/{id}"}})).unwrap();
    assert_eq!(
        (read.poll.path.as_str(), read.poll.interval_ms),
        ("/jobs/{id}", 500)
    );
    read.check().unwrap();
}

#[test]
fn values_and_names_of_statements_cannot_leave_their_place() {
    assert_eq!(quoted("O'Brien"), "'O''Brien'");
    assert_eq!(identifier("a_b.c$1").unwrap(), "a_b.c$1");
    for name in ["", "a b", "a\"b", "a;b", "a'b", "数据"] {
        assert!(identifier(name).is_err(), "{name}");
    }
}
