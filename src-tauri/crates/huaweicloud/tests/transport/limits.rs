//! Limits over the wire: what a service sees of them.

use std::time::{Duration, Instant};

use futures::future::join_all;
use huaweicloud::{Client, Credentials, Endpoints, ErrorKind, Http, HttpOptions, Rate, ecs, sts};

use super::peer::*;

const LIMITS: &str = r#"{"absolute":{"maxTotalInstances":1}}"#;
const IDENTITY: &str = r#"{"account_id":"a-1","principal_id":"u-1"}"#;

#[tokio::test]
async fn a_told_limit_is_kept_by_every_client_of_the_account_at_that_host() {
    let told =
        r#"{"error_code":"APIGW.0308","error_msg":"policy user over ratelimit,limit:4,time:2 second"}"#;
    let (peer, url) = peer(
        std::iter::once(json(429, told))
            .chain((0..6).map(|_| json(200, LIMITS)))
            .collect(),
    )
    .await;
    let http = Http::new(HttpOptions {
        retries: 0,
        ..options()
    })
    .unwrap();
    let client = || {
        let endpoints = Endpoints::empty().with_region(region(&url)).unwrap();
        let credentials = Credentials::permanent(ACCESS_KEY, SECRET_KEY);
        Client::new(http.clone(), credentials, endpoints, "sandbox-1".into())
    };
    let error = ecs::limits(&client(), &project()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert!(
        error
            .retry_after()
            .is_some_and(|wait| wait <= Duration::from_millis(500) && wait > Duration::from_millis(300)),
        "{:?}",
        error.retry_after()
    );

    let began = Instant::now();
    for _ in 0..4 {
        ecs::limits(&client(), &project()).await.unwrap();
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(1_900),
        "four requests in {took:?} although 4 in 2 s were told and the window was full"
    );
    assert_eq!(peer.seen().len(), 5);
}

#[tokio::test]
async fn a_limit_beyond_the_deadline_fails_the_call_without_sending_it() {
    let told =
        r#"{"error_code":"APIGW.0308","error_msg":"policy user over ratelimit,limit:1,time:5 minute"}"#;
    let (peer, url) = peer(vec![json(429, told), json(200, LIMITS)]).await;
    let client = client(&url);
    let began = Instant::now();
    let first = ecs::limits(&client, &project()).await.unwrap_err();
    assert_eq!(
        (first.kind, first.status),
        (ErrorKind::Throttled, Some(429)),
        "the service's own words are handed on"
    );
    let second = ecs::limits(&client, &project()).await.unwrap_err();
    assert_eq!(
        (second.kind, second.status, second.outcome_unknown),
        (ErrorKind::Throttled, None, false)
    );
    assert!(second.message.contains("not sent"), "{second}");
    assert!(second.retry_after().unwrap() > Duration::from_secs(290));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "nobody waited five minutes"
    );
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn a_hidden_flow_limit_and_a_slow_down_close_the_call_for_a_while_too() {
    for (status, body) in [
        (202, r#"{"error":{"code":"Common.0024","message":"flow limit"}}"#),
        (503, r#"{"error":{"code":"Common.1503","message":"busy"}}"#),
        (
            503,
            "<Error><Code>SlowDown</Code><Message>slow down</Message></Error>",
        ),
    ] {
        let (_, url) = peer(vec![json(status, body)]).await;
        let client = client_with(
            &url,
            HttpOptions {
                retries: 0,
                retry_delay: Duration::from_millis(400),
                ..options()
            },
        );
        let error = ecs::limits(&client, &project()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Throttled, "{body}");
        assert!(
            error.retry_after().unwrap() > Duration::from_millis(200),
            "{body}"
        );
    }
}

#[tokio::test]
async fn concurrency_is_bounded_over_all_clients_of_one_account() {
    let (answering, url) = slow_peer(Duration::from_millis(30), IDENTITY).await;
    let http = Http::new(HttpOptions {
        max_concurrent: 3,
        ..options()
    })
    .unwrap();
    // Two keys of one account.
    let client = |key: &str| {
        let endpoints = Endpoints::empty().with_region(region(&url)).unwrap();
        let credentials = Credentials::permanent(key, SECRET_KEY);
        Client::new(http.clone(), credentials, endpoints, "sandbox-1".into()).of_account(&"a-1".into())
    };
    let (ada, bo) = (client("EXAMPLEAK00000000001"), client("EXAMPLEAK00000000002"));
    for client in [&ada, &bo] {
        sts::caller_identity(client).await.unwrap();
    }
    let all = (0..20).map(|number| sts::caller_identity(if number % 2 == 0 { &ada } else { &bo }));
    assert!(join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(answering.most(), 3);
}

#[tokio::test]
async fn accounts_do_not_wait_for_one_another() {
    let (_, url) = peer((0..4).map(|_| json(200, IDENTITY)).collect()).await;
    let http = Http::new(HttpOptions {
        rate: Rate {
            requests: 1,
            window: Duration::from_secs(60),
        },
        call_timeout: Duration::from_secs(2),
        ..options()
    })
    .unwrap();
    let client = |key: &str| {
        let endpoints = Endpoints::empty().with_region(region(&url)).unwrap();
        let credentials = Credentials::permanent(key, SECRET_KEY);
        Client::new(http.clone(), credentials, endpoints, "sandbox-1".into())
    };
    sts::caller_identity(&client("EXAMPLEAK00000000001"))
        .await
        .unwrap();
    sts::caller_identity(&client("EXAMPLEAK00000000002"))
        .await
        .unwrap();
    let error = sts::caller_identity(&client("EXAMPLEAK00000000001"))
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::Throttled, None));
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let none = Rate {
        requests: 0,
        window: Duration::from_secs(1),
    };
    for options in [
        HttpOptions {
            rate: none,
            ..options()
        },
        HttpOptions {
            max_concurrent: 0,
            ..options()
        },
    ] {
        assert_eq!(Http::new(options).unwrap_err().kind, ErrorKind::Invalid);
    }
}
