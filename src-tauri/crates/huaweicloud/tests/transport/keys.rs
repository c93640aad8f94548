//! A key that was refused is not used again by itself: five refusals in a row lock it for every program.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use futures::future::join_all;
use huaweicloud::{Client, Credentials, Endpoints, ErrorKind, Http, HttpOptions, ecs, sts};

use super::peer::*;

const REFUSAL: &str = r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information"}"#;
const IDENTITY: &str = r#"{"account_id":"a-1","principal_id":"u-1"}"#;

fn clients(url: &str, secrets: &[&str]) -> Vec<Client> {
    let http = Http::new(options()).unwrap();
    secrets
        .iter()
        .map(|secret| {
            let endpoints = Endpoints::empty().with_region(region(url)).unwrap();
            let credentials = Credentials::permanent(ACCESS_KEY, *secret);
            Client::new(http.clone(), credentials, endpoints, "sandbox-1".into())
        })
        .collect()
}

#[tokio::test]
async fn after_a_refusal_no_client_with_that_key_sends_anything() {
    let (peer, url) = peer(vec![json(401, REFUSAL), json(200, IDENTITY)]).await;
    let clients = clients(&url, &[SECRET_KEY, SECRET_KEY]);
    let first = sts::caller_identity(&clients[0]).await.unwrap_err();
    assert_eq!((first.kind, first.status), (ErrorKind::Auth, Some(401)));

    for client in &clients {
        let error = sts::caller_identity(client).await.unwrap_err();
        assert_eq!(
            (
                error.kind,
                error.status,
                error.outcome_unknown,
                error.code.as_deref()
            ),
            (ErrorKind::Auth, None, false, Some("APIGW.0301"))
        );
        assert!(
            error.message.contains("not sent") && error.message.contains("check the key, and the clock"),
            "the error says what to do: {error}"
        );
        let with = ecs::DeleteWith {
            public_ips: None,
            volumes: false,
        };
        let deleted = ecs::delete_servers(client, &project(), &["s-1".into()], with).await;
        assert_eq!(deleted.unwrap_err().kind, ErrorKind::Auth, "other calls stop too");
        assert!(client.refusal().is_some());
    }
    assert_eq!(peer.seen().len(), 1, "nothing was sent after the refusal");

    clients[1].resume();
    assert!(clients[0].refusal().is_none());
    sts::caller_identity(&clients[0])
        .await
        .expect("resuming one resumes all that have the key");
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn a_corrected_key_is_another_key() {
    let (peer, url) = peer(vec![json(401, REFUSAL), json(200, IDENTITY)]).await;
    let clients = clients(&url, &["a mistyped secret", SECRET_KEY]);
    sts::caller_identity(&clients[0]).await.unwrap_err();
    sts::caller_identity(&clients[1]).await.unwrap();
    assert!(clients[0].refusal().is_some(), "the wrong one stays stopped");
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn many_calls_at_once_with_a_wrong_key_make_one_wrong_request() {
    let (peer, url) = peer((0..20).map(|_| json(401, REFUSAL)).collect()).await;
    let clients = clients(&url, &[SECRET_KEY]);
    let all = join_all((0..20).map(|_| sts::caller_identity(&clients[0]))).await;
    assert!(
        all.iter()
            .all(|one| one.as_ref().unwrap_err().kind == ErrorKind::Auth)
    );
    assert_eq!(peer.seen().len(), 1, "five would have locked the key");
}

#[tokio::test]
async fn calls_with_a_key_that_was_accepted_go_side_by_side() {
    let (answering, url) = slow_peer(std::time::Duration::from_millis(50), IDENTITY).await;
    let client = client(&url);
    sts::caller_identity(&client).await.unwrap();
    join_all((0..6).map(|_| sts::caller_identity(&client))).await;
    assert!(answering.most() > 1, "they waited for one another");
    assert!(answering.most() <= 8, "{}", answering.most());
}

#[tokio::test]
async fn a_refusal_for_a_wrong_clock_says_so_and_by_how_much() {
    let now = DateTime::from_timestamp(1_767_323_045, 0).unwrap();
    let (peer, url) = peer(vec![dated(401, now, REFUSAL)]).await;
    let clock = Arc::new(move || now + TimeDelta::minutes(20));
    let client = client_with(&url, HttpOptions { clock, ..options() });
    sts::caller_identity(&client).await.unwrap_err();
    let error = sts::caller_identity(&client).await.unwrap_err();
    assert_eq!(
        (error.kind, error.clock_difference),
        (ErrorKind::Clock, Some(TimeDelta::minutes(20)))
    );
    assert!(error.message.contains("clock"), "{error}");
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn a_key_that_only_does_not_fit_here_is_not_stopped() {
    // A project of another account, the wrong site, a missing right, an overloaded service: the key itself is good.
    let (peer, url) = peer(vec![
        json(400, r#"{"error":{"code":"Ecs.0023","message":"project id"}}"#),
        json(403, r#"{"error_code":"CBC.0150","error_msg":"other site"}"#),
        json(403, r#"{"error":{"code":"Pdp.0001","message":"not allowed"}}"#),
        page(500, ""),
    ])
    .await;
    let client = client_with(
        &url,
        HttpOptions {
            retries: 0,
            ..options()
        },
    );
    for kind in [
        ErrorKind::Auth,
        ErrorKind::Auth,
        ErrorKind::Permission,
        ErrorKind::Transient,
    ] {
        assert_eq!(sts::caller_identity(&client).await.unwrap_err().kind, kind);
        assert!(client.refusal().is_none());
    }
    assert_eq!(peer.seen().len(), 4);
}

#[tokio::test]
async fn a_refusal_by_obs_with_its_own_codes_stops_the_key_too() {
    for code in [
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "RequestTimeTooSkewed",
    ] {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
        let (_, url) = peer(vec![json(403, body)]).await;
        let client = client(&url);
        sts::caller_identity(&client).await.unwrap_err();
        assert!(client.refusal().is_some(), "{code}");
    }
}
