//! What a receiver sees of us, and what we make of its answers, over real HTTP.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use yanhuang::{Compression, ErrorKind, Event, Hei, Profile, TimeFormat};

const TOKEN: &str = "a-token-nobody-may-see";

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(HeaderMap, Bytes)>>>);

/// A receiver that answers everything with the same status, headers and text.
async fn receiver(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    text: &'static str,
) -> (String, Seen) {
    let seen = Seen::default();
    let handler = move |State(seen): State<Seen>, got: HeaderMap, body: Bytes| async move {
        seen.0.lock().unwrap().push((got, body));
        let mut response: Response = (StatusCode::from_u16(status).unwrap(), text).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        response
    };
    let router = Router::new().fallback(handler).with_state(seen.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

fn hei(url: &str, profile: Profile) -> Hei {
    Hei::new(
        yanhuang::http_client().unwrap(),
        profile,
        url.parse().unwrap(),
        SecretString::from(TOKEN),
    )
    .unwrap()
}

fn event() -> Event<'static> {
    Event {
        time: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        json: r#"{"event_id":"e1","owner":"李雷"}"#,
    }
}

#[tokio::test]
async fn the_receiver_gets_an_array_of_wrapped_events_with_the_token_in_the_header() {
    let (url, seen) = receiver(200, &[], "").await;
    hei(&url, Profile::yanhuang())
        .post(&[event(), event()])
        .await
        .unwrap();
    let (headers, body) = seen.0.lock().unwrap().remove(0);
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let wrapped = serde_json::json!({
        "_message": r#"{"event_id":"e1","owner":"李雷"}"#, "_datatype": "json", "_event_set": "wangcheng",
        "_time": "2026-01-02T03:04:05.678Z", "_source": "wangcheng",
    });
    assert_eq!(body, serde_json::json!([wrapped.clone(), wrapped]));
}

#[tokio::test]
async fn a_compressed_body_unpacks_to_the_same_and_times_are_written_as_asked() {
    let (url, seen) = receiver(204, &[], "").await;
    let profile = Profile {
        compression: Compression::Gzip,
        time_format: TimeFormat::EpochUs,
        ..Profile::yanhuang()
    };
    hei(&url, profile).post(&[event()]).await.unwrap();
    let (headers, body) = seen.0.lock().unwrap().remove(0);
    assert_eq!(headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&body[..])
        .read_to_string(&mut text)
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body[0]["_time"], 1_767_323_045_678_000_i64);
}

#[tokio::test]
async fn each_status_says_what_to_do() {
    let wait = |seconds| Some(Duration::from_secs(seconds));
    for (status, kind) in [
        (400, ErrorKind::Rejected),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Unauthorized),
        (404, ErrorKind::Rejected),
        (408, ErrorKind::Unavailable { retry_after: wait(7) }),
        (413, ErrorKind::TooLarge),
        (415, ErrorKind::Encoding),
        (429, ErrorKind::Throttled { retry_after: wait(7) }),
        (503, ErrorKind::Unavailable { retry_after: wait(7) }),
    ] {
        let (url, _) = receiver(status, &[("retry-after", "7")], "no").await;
        let error = hei(&url, Profile::yanhuang()).post(&[event()]).await.unwrap_err();
        assert_eq!(
            (error.kind, error.status, error.message.as_str()),
            (kind, Some(status), "no")
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_because_the_token_would_go_along() {
    let (elsewhere, seen) = receiver(200, &[], "").await;
    let elsewhere: &'static str = Box::leak(elsewhere.into_boxed_str());
    let headers: &'static [(&str, &str)] = Box::leak(Box::new([("location", elsewhere)]));
    let (url, _) = receiver(307, headers, "").await;
    let error = hei(&url, Profile::yanhuang()).post(&[event()]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Redirected);
    assert!(seen.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_receiver_that_echoes_the_token_does_not_bring_it_into_the_error() {
    let (url, _) = receiver(400, &[], "bad header: Bearer a-token-nobody-may-see").await;
    let error = hei(&url, Profile::yanhuang()).post(&[event()]).await.unwrap_err();
    assert!(!error.message.contains("nobody-may-see") && !format!("{error:?}").contains("nobody-may-see"));
}

#[tokio::test]
async fn a_cut_connection_and_a_silent_receiver_are_told_apart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let mut first = true;
        while let Ok((connection, _)) = listener.accept().await {
            if std::mem::take(&mut first) {
                drop(connection)
            } else {
                kept.push(connection)
            }
        }
    });
    let profile = Profile {
        timeout_ms: 300,
        ..Profile::yanhuang()
    };
    let cut = hei(&url, profile.clone()).post(&[event()]).await.unwrap_err();
    let silent = hei(&url, profile).post(&[event()]).await.unwrap_err();
    assert_eq!(silent.kind, ErrorKind::Timeout);
    assert_eq!(cut.kind, ErrorKind::Network);
}

#[tokio::test]
async fn a_health_check_asks_where_the_profile_says() {
    let (url, seen) = receiver(200, &[], "pong").await;
    let answer = hei(&url, Profile::yanhuang()).ping().await.unwrap().unwrap();
    assert_eq!(answer.answer, "pong");
    assert!(
        seen.0.lock().unwrap()[0].0.get("authorization").is_none(),
        "a ping needs no token"
    );
}

#[tokio::test]
async fn the_body_is_compact_and_every_field_can_be_renamed_or_left_away() {
    let (url, seen) = receiver(200, &[], "").await;
    let profile = Profile {
        token_header: "X-Token".to_owned(),
        token_value: "Splunk {token}".to_owned(),
        event_set_field: "_target_table".to_owned(),
        source_field: String::new(),
        time_format: TimeFormat::Zero,
        ..Profile::yanhuang()
    };
    hei(&url, profile).post(&[event()]).await.unwrap();
    let (headers, body) = seen.0.lock().unwrap().remove(0);
    assert_eq!(headers["x-token"], format!("Splunk {TOKEN}"));
    assert!(!headers.contains_key("authorization") && !headers.contains_key("content-encoding"));
    let message = r#"{\"event_id\":\"e1\",\"owner\":\"李雷\"}"#;
    let expected =
        format!(r#"[{{"_message":"{message}","_datatype":"json","_target_table":"wangcheng","_time":0}}]"#);
    assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
}

#[tokio::test]
async fn each_time_format_writes_the_same_moment() {
    for (format, expected) in [
        (
            TimeFormat::Rfc3339Ms,
            serde_json::json!("2026-01-02T03:04:05.678Z"),
        ),
        (TimeFormat::EpochMs, serde_json::json!(1_767_323_045_678_i64)),
        (TimeFormat::EpochS, serde_json::json!(1_767_323_045)),
        (TimeFormat::Zero, serde_json::json!(0)),
    ] {
        let (url, seen) = receiver(200, &[], "").await;
        let profile = Profile {
            time_format: format,
            ..Profile::yanhuang()
        };
        hei(&url, profile).post(&[event()]).await.unwrap();
        let (_, body) = seen.0.lock().unwrap().remove(0);
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body[0]["_time"], expected);
    }
}

#[tokio::test]
async fn a_busy_receiver_may_name_the_moment_to_come_back() {
    let headers = &[
        ("retry-after", "Fri, 02 Jan 2026 03:06:05 GMT"),
        ("date", "Fri, 02 Jan 2026 03:04:05 GMT"),
    ];
    let (url, _) = receiver(503, headers, "").await;
    let error = hei(&url, Profile::yanhuang()).post(&[event()]).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
    assert_eq!(error.to_string(), "HTTP 503");
}

#[tokio::test]
async fn every_server_side_trouble_is_worth_another_try_and_no_other_refusal_is() {
    for status in [408, 425, 500, 502, 503, 504, 507] {
        let (url, _) = receiver(status, &[], "").await;
        let kind = hei(&url, Profile::yanhuang())
            .post(&[event()])
            .await
            .unwrap_err()
            .kind;
        assert_eq!(kind, ErrorKind::Unavailable { retry_after: None }, "{status}");
    }
    let (url, _) = receiver(422, &[], "").await;
    assert_eq!(
        hei(&url, Profile::yanhuang())
            .post(&[event()])
            .await
            .unwrap_err()
            .kind,
        ErrorKind::Encoding
    );
    for status in [206, 404, 405, 409, 410] {
        let (url, _) = receiver(status, &[], "").await;
        let kind = hei(&url, Profile::yanhuang())
            .post(&[event()])
            .await
            .unwrap_err()
            .kind;
        assert_eq!(kind, ErrorKind::Rejected, "{status}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_and_only_its_beginning_kept() {
    let text: &'static str = Box::leak("错".repeat(1_000_000).into_boxed_str());
    let (url, _) = receiver(500, &[], text).await;
    let error = hei(&url, Profile::yanhuang()).post(&[event()]).await.unwrap_err();
    assert_eq!(error.message, "错".repeat(500));

    // A receiver that never stops talking: what it said first is enough.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut connection, _) = listener.accept().await.unwrap();
        let asked = connection.read(&mut [0; 4096]).await.unwrap();
        assert!(asked > 0);
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n";
        connection.write_all(head).await.unwrap();
        while connection.write_all(&[b'y'; 4096]).await.is_ok() {}
    });
    let posted = hei(&url, Profile::yanhuang()).post(&[event()]).await.unwrap();
    assert_eq!(posted.answer, "y".repeat(500));
}

#[tokio::test]
async fn a_client_that_follows_redirects_does_not_take_the_token_along_either() {
    let (elsewhere, seen) = receiver(200, &[], "").await;
    let elsewhere: &'static str = Box::leak(elsewhere.into_boxed_str());
    let headers: &'static [(&str, &str)] = Box::leak(Box::new([("location", elsewhere)]));
    let (url, _) = receiver(307, headers, "").await;
    let following = reqwest::Client::new();
    let url = url.parse().unwrap();
    let hei = Hei::new(following, Profile::yanhuang(), url, SecretString::from(TOKEN)).unwrap();
    assert_eq!(
        hei.post(&[event()]).await.unwrap_err().kind,
        ErrorKind::Redirected
    );
    assert!(seen.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_asked_for_anew_without_being_shown() {
    let (url, seen) = receiver(200, &[], "").await;
    let token = SecretString::from("two\nlines-nobody-may-see");
    let url = url.parse().unwrap();
    let hei = Hei::new(yanhuang::http_client().unwrap(), Profile::yanhuang(), url, token).unwrap();
    let error = hei.post(&[event()]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert!(!format!("{error} {error:?} {hei:?}").contains("nobody-may-see"));
    assert!(seen.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_profile_without_a_health_path_asks_nothing() {
    let (url, seen) = receiver(200, &[], "pong").await;
    let profile = Profile {
        health_path: String::new(),
        ..Profile::yanhuang()
    };
    assert_eq!(hei(&url, profile).ping().await.unwrap(), None);
    assert!(seen.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_path_of_the_profile_is_added_to_the_address_and_the_query_stays() {
    async fn taken(axum::extract::RawQuery(query): axum::extract::RawQuery) -> String {
        query.unwrap_or_default()
    }
    let router = Router::new().route("/site/in", axum::routing::post(taken));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let profile = Profile {
        path: "/in".to_owned(),
        ..Profile::yanhuang()
    };
    for address in ["/site?channel=7#top", "/site/?channel=7"] {
        let hei = hei(&format!("{origin}{address}"), profile.clone());
        assert_eq!(hei.post(&[event()]).await.unwrap().answer, "channel=7");
    }
}
