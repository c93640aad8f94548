//! What a caller gets when a call fails.

use chrono::{DateTime, TimeDelta};
use huaweicloud::{ErrorKind, HttpOptions, ecs, iam, sts};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::peer::*;

#[tokio::test]
async fn a_wrong_clock_is_told_from_a_wrong_key() {
    let now = DateTime::from_timestamp(1_767_323_045, 0).unwrap();
    let body = r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information"}"#;
    for (ahead, kind) in [
        (TimeDelta::minutes(16), ErrorKind::Clock),
        (TimeDelta::minutes(-90), ErrorKind::Clock),
        (TimeDelta::minutes(14), ErrorKind::Auth),
    ] {
        let (_, url) = peer(vec![dated(401, now, body)]).await;
        let clock = Arc::new(move || now + ahead);
        let client = client_with(&url, HttpOptions { clock, ..options() });
        let error = sts::caller_identity(&client).await.unwrap_err();
        assert_eq!((error.kind, error.clock_difference), (kind, Some(ahead)));
    }
}

#[tokio::test]
async fn a_locked_key_is_told_apart_but_not_by_words_of_the_quoted_request() {
    for (message, kind) in [
        ("the AK has been locked for 5 minutes", ErrorKind::KeyLocked),
        (
            "AK access failed to reach the limit,forbidden",
            ErrorKind::KeyLocked,
        ),
        (
            "verify aksk signature fail, canonicalRequest:GET|/v1/p/locked/",
            ErrorKind::Auth,
        ),
    ] {
        let body = format!(r#"{{"error_code":"APIGW.0301","error_msg":"{message}"}}"#);
        let (_, url) = peer(vec![json(401, body)]).await;
        assert_eq!(sts::caller_identity(&client(&url)).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_security_token_that_a_service_repeats_does_not_get_into_the_error() {
    let body = format!(
        r#"{{"error_code":"APIGW.0301","error_msg":"signature fail, canonicalRequest:GET|/|x-security-token:{TOKEN}|"}}"#
    );
    let (_, url) = peer(vec![json(401, body)]).await;
    let error = sts::caller_identity(&client(&url)).await.unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(
        !printed.contains(TOKEN) && printed.contains("canonicalRequest"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, other) = peer(vec![]).await;
    let mut redirect = page(307, "");
    redirect.headers_mut().insert("location", other.parse().unwrap());
    let (_, url) = peer(vec![redirect]).await;
    let error = ecs::limits(&client(&url), &project()).await.unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::BadAnswer, Some(307)));
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_page_of_a_proxy_is_not_taken_for_the_clouds_word() {
    for (status, kind) in [
        (404, ErrorKind::BadAnswer),
        (403, ErrorKind::BadAnswer),
        (407, ErrorKind::Network),
        (200, ErrorKind::BadAnswer),
    ] {
        let options = HttpOptions {
            retries: 0,
            ..options()
        };
        let (_, url) = peer(vec![page(status, "<html>sign in to the guest network</html>")]).await;
        let error = ecs::server(&client_with(&url, options), &project(), &"s-1".into())
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "{status}");
    }
}

#[tokio::test]
async fn a_missing_server_and_an_unknown_call_are_told_apart() {
    for (body, kind) in [
        (
            r#"{"error":{"code":"Ecs.0114","message":"Instance does not exist."}}"#,
            ErrorKind::Missing,
        ),
        (
            r#"{"itemNotFound":{"code":404,"message":"Instance could not be found."}}"#,
            ErrorKind::Missing,
        ),
        (
            r#"{"error_code":"APIGW.0101","error_msg":"The API does not exist"}"#,
            ErrorKind::Unsupported,
        ),
    ] {
        let (_, url) = peer(vec![json(404, body)]).await;
        let error = ecs::server(&client(&url), &project(), &"s-1".into())
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "{body}");
        assert_eq!(error.request_id.as_deref(), Some("request-1"));
    }
}

#[tokio::test]
async fn an_umbrella_code_gives_way_to_the_finer_one_inside() {
    let body = r#"{"error":{"code":"Ecs.0005","message":"bad","details":[{"code":"Ecs.0018","message":"sold out"}]}}"#;
    let (_, url) = peer(vec![json(400, body)]).await;
    let error = ecs::create(&client(&url), &project(), &server_to_create(), TOKEN_ID)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Capacity);
    assert_eq!(error.details[0].code.as_deref(), Some("Ecs.0018"));
    assert_eq!(
        error.to_string(),
        "ECS CreateServers: bad (Ecs.0005, HTTP 400, request request-1)"
    );
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_an_answer_leaves_the_outcome_unknown() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"job_id\":")
                .await;
        }
    });
    let with = ecs::DeleteWith {
        public_ips: Some(true),
        volumes: true,
    };
    let error = ecs::delete_servers(&client(&url), &project(), &["s-1".into()], with)
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Network, true));
}

#[tokio::test]
async fn a_refused_connection_changed_nothing_and_the_error_shows_no_key() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client_with(
        &url,
        HttpOptions {
            retries: 1,
            ..options()
        },
    );
    // The access key is a part of this call's address.
    let error = iam::own_key(&client).await.unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Network, false));
    let printed = format!("{error} {error:?} {client:?}");
    assert!(!printed.contains(ACCESS_KEY), "{printed}");
}

#[tokio::test]
async fn a_batch_that_failed_in_part_has_the_kind_on_which_its_parts_agree() {
    let with = ecs::DeleteWith {
        public_ips: None,
        volumes: false,
    };
    for (status, parts, kind) in [
        // Documented: status 400, and one row per failed server.
        (400, ["Ecs.0605", "Ecs.0605"], ErrorKind::State),
        (400, ["Ecs.0605", "Ecs.0114"], ErrorKind::Invalid),
        // Also found inside a success.
        (200, ["Ecs.0605", "Ecs.0605"], ErrorKind::State),
        (200, ["Ecs.0605", "Ecs.0114"], ErrorKind::Invalid),
    ] {
        let rows: Vec<String> = parts
            .iter()
            .enumerate()
            .map(|(at, code)| format!(r#"{{"id":"s-{at}","error_code":"{code}","error_message":"no"}}"#))
            .collect();
        let rows = rows.join(",");
        let body = match status {
            400 => format!(
                r#"{{"error":{{"code":"Ecs.0611","message":"part failed"}},"internalError":[{rows}]}}"#
            ),
            _ => format!(r#"{{"job_id":"j-1","internalError":[{rows}]}}"#),
        };
        let (_, url) = peer(vec![json(status, body)]).await;
        let error = ecs::delete_servers(&client(&url), &project(), &["s-0".into()], with)
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "{status} {parts:?}");
        let told: Vec<_> = error
            .details
            .iter()
            .map(|part| (part.id.as_deref().unwrap(), part.code.as_deref().unwrap()))
            .collect();
        assert_eq!(told, [("s-0", parts[0]), ("s-1", parts[1])]);
    }
}
