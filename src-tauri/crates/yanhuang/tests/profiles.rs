//! What each way of speaking to a receiver looks like on the wire, and which profiles are refused.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method as HttpMethod, Uri};
use secrecy::SecretString;
use serde_json::{Value, json};
use yanhuang::{
    Compression, ErrorKind, Event, Framing, Hei, Limits, MessageMode, Method, Profile, Retry, Routing,
};

const TOKEN: &str = "a-token-nobody-may-see";

type Got = (HttpMethod, Uri, HeaderMap, Bytes);

/// Posts two events with a profile to a receiver that answers `answer`, and says what came of it and what arrived.
async fn post(profile: Profile, answer: &'static str) -> (Result<(), yanhuang::Error>, Vec<Got>, Hei) {
    let seen: Arc<Mutex<Vec<Got>>> = Arc::default();
    let keep = move |State(seen): State<Arc<Mutex<Vec<Got>>>>, request: Request| async move {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        seen.lock()
            .unwrap()
            .push((head.method, head.uri, head.headers, body));
        answer
    };
    let router = Router::new().fallback(keep).with_state(seen.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base?channel=7", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let hei = Hei::new(
        yanhuang::http_client().unwrap(),
        profile,
        url.parse().unwrap(),
        SecretString::from(TOKEN),
    )
    .unwrap();
    let result = hei.post(&events()).await.map(drop);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (result, seen, hei)
}

fn events() -> [Event<'static>; 2] {
    let time = "2026-01-02T03:04:05.678Z".parse().unwrap();
    [
        Event {
            time,
            json: r#"{"event_id":"e1","owner":"李雷","n":1}"#,
        },
        Event {
            time,
            json: r#"{"event_id":"e2"}"#,
        },
    ]
}

fn text(got: &[Got]) -> &str {
    std::str::from_utf8(&got.first().unwrap().3).unwrap()
}

#[tokio::test]
async fn splunks_collector_gets_concatenated_objects_and_its_answer_is_read() {
    let (result, got, hei) = post(Profile::splunk_hec(), r#"{"text":"Success","code":0}"#).await;
    result.unwrap();
    let (_, uri, headers, _) = &got[0];
    assert_eq!(uri, "/base/services/collector/event?channel=7");
    assert_eq!(headers["authorization"], format!("Splunk {TOKEN}"));
    let records: Vec<Value> = serde_json::Deserializer::from_str(text(&got))
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    let first = json!({
        "event": {"event_id": "e1", "owner": "李雷", "n": 1}, "sourcetype": "_json", "index": "wangcheng",
        "time": 1_767_323_045.678, "source": "wangcheng",
    });
    assert_eq!(records.len(), 2);
    assert_eq!(records[0], first);
    assert!(
        text(&got).contains("1767323045.678"),
        "the time is written out, not computed"
    );
    let shown = hei.describe(&events());
    assert!(
        shown.contains("Splunk ••••••") && !shown.contains("nobody-may-see"),
        "{shown}"
    );

    let (result, ..) = post(Profile::splunk_hec(), r#"{"text":"Incorrect index","code":7}"#).await;
    assert_eq!(
        result.unwrap_err().kind,
        ErrorKind::Rejected,
        "200 alone is no yes here"
    );
    let (result, ..) = post(Profile::splunk_hec(), "<html>a proxy's page</html>").await;
    assert_eq!(result.unwrap_err().kind, ErrorKind::Rejected);
}

#[tokio::test]
async fn lines_carry_one_event_each() {
    let profile = Profile {
        framing: Framing::Ndjson,
        method: Method::Put,
        ..Profile::yanhuang()
    };
    let (_, got, _) = post(profile, "").await;
    assert_eq!(got[0].0, HttpMethod::PUT);
    assert_eq!(got[0].2["content-type"], "application/x-ndjson");
    let lines: Vec<Value> = text(&got)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["_message"], r#"{"event_id":"e2"}"#);

    let profile = Profile {
        framing: Framing::TextLines,
        ..Profile::yanhuang()
    };
    let (_, got, _) = post(profile, "").await;
    assert_eq!(
        text(&got),
        "{\"event_id\":\"e1\",\"owner\":\"李雷\",\"n\":1}\n{\"event_id\":\"e2\"}\n"
    );
}

#[tokio::test]
async fn a_site_that_takes_single_objects_gets_one_event_a_request() {
    let profile = Profile {
        framing: Framing::JsonObject,
        ..Profile::yanhuang()
    };
    assert_eq!(profile.most_events(), 1);
}

#[tokio::test]
async fn the_events_own_keys_can_stand_beside_the_envelope_which_wins() {
    let profile = Profile {
        message_mode: MessageMode::Omit,
        spread: true,
        source_field: "owner".to_owned(),
        extra_fields: [("team".to_owned(), "build".to_owned())].into(),
        host_field: "_host".to_owned(),
        host: "node-1".to_owned(),
        ..Profile::yanhuang()
    };
    let (_, got, _) = post(profile, "").await;
    let body: Value = serde_json::from_str(text(&got)).unwrap();
    let expected = json!({
        "event_id": "e1", "n": 1, "owner": "wangcheng", "team": "build", "_host": "node-1", "_datatype": "json",
        "_event_set": "wangcheng", "_time": "2026-01-02T03:04:05.678Z",
    });
    assert_eq!(body[0], expected);
    assert_eq!(
        text(&got).matches("\"owner\"").count(),
        2,
        "a key stands once in each of the two"
    );
}

#[tokio::test]
async fn data_set_and_type_go_where_the_routing_says() {
    let header = Profile {
        routing: Routing::Header,
        event_set_field: "_target_table".to_owned(),
        datatype_field: "X-Datatype".to_owned(),
        ..Profile::yanhuang()
    };
    let (_, got, hei) = post(header, "").await;
    assert_eq!(got[0].2["_target_table"], "wangcheng");
    assert_eq!(got[0].2["x-datatype"], "json");
    assert!(!text(&got).contains("_target_table"));
    assert!(hei.describe(&events()).contains("_target_table: wangcheng"));

    let path = Profile {
        routing: Routing::Path,
        path: "/hei/{hei_id}/{event_set}".to_owned(),
        hei_id: "81129992-ae88".to_owned(),
        ..Profile::yanhuang()
    };
    let (_, got, _) = post(path, "").await;
    assert_eq!(got[0].1, "/base/hei/81129992-ae88/wangcheng?channel=7");
    assert!(!text(&got).contains("_event_set"));
}

#[tokio::test]
async fn a_token_in_the_query_or_in_a_header_of_its_own_is_blanked_where_it_is_shown() {
    let profile = Profile {
        token_header: String::new(),
        query: [("token".to_owned(), "{token}".to_owned())].into(),
        headers: [
            ("X-Key".to_owned(), "Key {token}".to_owned()),
            ("X-None".to_owned(), String::new()),
        ]
        .into(),
        ..Profile::yanhuang()
    };
    let (_, got, hei) = post(profile, "").await;
    assert_eq!(
        got[0].1.query(),
        Some(format!("channel=7&token={TOKEN}").as_str())
    );
    assert_eq!(got[0].2["x-key"], format!("Key {TOKEN}"));
    assert!(!got[0].2.contains_key("x-none") && !got[0].2.contains_key("authorization"));
    let shown = hei.describe(&events());
    assert!(
        !shown.contains("nobody-may-see") && !format!("{hei:?}").contains("nobody-may-see"),
        "{shown}"
    );
}

#[test]
fn a_profile_that_could_lose_leak_or_flood_is_refused_by_the_name_of_its_field() {
    let good = Profile::yanhuang;
    let table = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    good().check().unwrap();
    Profile::splunk_hec().check().unwrap();
    let refused = [
        (
            "message_field",
            Profile {
                message_field: String::new(),
                ..good()
            },
        ),
        (
            "message_field",
            Profile {
                message_mode: MessageMode::Omit,
                ..good()
            },
        ),
        (
            "token_value",
            Profile {
                token_value: "Bearer".to_owned(),
                ..good()
            },
        ),
        (
            "token_header",
            Profile {
                token_header: "X Token".to_owned(),
                ..good()
            },
        ),
        (
            "path",
            Profile {
                path: "/in/{token}".to_owned(),
                ..good()
            },
        ),
        (
            "path",
            Profile {
                path: "/in/{hei_id}".to_owned(),
                ..good()
            },
        ),
        (
            "path",
            Profile {
                path: "/in/{hei_id}".to_owned(),
                hei_id: "../x".to_owned(),
                ..good()
            },
        ),
        (
            "headers",
            Profile {
                headers: table("Host", "elsewhere"),
                ..good()
            },
        ),
        (
            "headers",
            Profile {
                headers: table("X-A", "two\r\nlines"),
                ..good()
            },
        ),
        (
            "headers",
            Profile {
                headers: table("a b", "c"),
                ..good()
            },
        ),
        (
            "query",
            Profile {
                query: table("", "c"),
                ..good()
            },
        ),
        (
            "success",
            Profile {
                success: vec![],
                ..good()
            },
        ),
        (
            "success",
            Profile {
                success: vec![500],
                ..good()
            },
        ),
        (
            "success_pointer",
            Profile {
                success_pointer: "code".to_owned(),
                ..good()
            },
        ),
        (
            "retry",
            Profile {
                retry: Retry {
                    base_ms: 0,
                    ..Retry::default()
                },
                ..good()
            },
        ),
        (
            "retry",
            Profile {
                retry: Retry {
                    statuses: vec![200],
                    ..Retry::default()
                },
                ..good()
            },
        ),
        (
            "limits",
            Profile {
                limits: Limits {
                    events: 0,
                    ..Limits::default()
                },
                ..good()
            },
        ),
        (
            "timeout_ms",
            Profile {
                timeout_ms: 0,
                ..good()
            },
        ),
        (
            "datatype",
            Profile {
                datatype: "a\nb".to_owned(),
                ..good()
            },
        ),
        (
            "event_set",
            Profile {
                event_set: "x".repeat(2000),
                ..good()
            },
        ),
        (
            "ca_pem",
            Profile {
                ca_pem: "no certificate".to_owned(),
                ..good()
            },
        ),
    ];
    for (field, profile) in refused {
        let error = profile.check().unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAddress);
        assert!(
            error.message.starts_with(&format!("{field}: ")),
            "{field}: {error}"
        );
    }
    let unknown = serde_json::from_str::<Profile>(r#"{"tokn_header":"X"}"#);
    assert!(unknown.is_err(), "a field misspelt is not passed over");
}

#[tokio::test]
async fn compression_can_be_left_away_for_a_receiver_that_refuses_it() {
    let profile = Profile {
        compression: Compression::Gzip,
        ..Profile::yanhuang()
    };
    let (_, got, hei) = post(profile, "").await;
    assert_eq!(got[0].2["content-encoding"], "gzip");
    let plain = hei.uncompressed().unwrap();
    assert!(!plain.describe(&events()).contains("gzip"));
    assert!(plain.uncompressed().is_none());
}

#[test]
fn waits_double_up_to_the_longest() {
    let retry = Retry::default();
    let waits: Vec<u64> = [1, 2, 3, 9, 10, u32::MAX].map(|n| retry.wait(n).as_secs()).into();
    assert_eq!(waits, [1, 2, 4, 256, 300, 300]);
}
