//! What a service receives for a call.

use chrono::DateTime;
use huaweicloud::{Client, Credentials, Endpoints, ErrorKind, Http, ecs, kps, sts};
use secrecy::{ExposeSecret, SecretString};

use super::peer::*;

#[tokio::test]
async fn a_service_can_verify_every_kind_of_request_from_what_it_received() {
    let (peer, url) = peer(vec![
        json(200, r#"{"count":0,"servers":[]}"#),
        json(200, r#"{"job_id":"j-1","serverIds":["s-1"]}"#),
        json(204, ""),
        json(200, r#"{"keypairs":[]}"#),
    ])
    .await;
    let client = client(&url);
    let query = ecs::ServerQuery {
        tags: vec![
            ("owner".to_owned(), "阿达 a+b/c".to_owned()),
            ("用途".to_owned(), "测试&x=1".to_owned()),
            (":colon".to_owned(), "~'()*!".to_owned()),
        ],
        name: Some("dev.*".to_owned()),
        status: None,
        ..Default::default()
    };
    ecs::servers(&client, &project(), &query).await.unwrap();
    ecs::create(&client, &project(), &server_to_create(), TOKEN_ID)
        .await
        .unwrap();
    ecs::update_auto_terminate_time(&client, &project(), &"服务器 a".into(), None)
        .await
        .unwrap();
    kps::key_pairs(&client, &project()).await.unwrap();

    let seen = peer.seen();
    assert_eq!(seen.len(), 4);
    for request in &seen {
        assert!(request.is_signed(), "{request:?}");
        assert_eq!(request.header("x-security-token"), Some(TOKEN));
        assert_eq!(request.header("user-agent"), Some("test/1"));
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
    assert_eq!(
        seen[1].header("x-client-token"),
        Some("12345678-90ab-4cde-8f01-23456789abcd")
    );
    assert_eq!(seen[1].body, server_to_create().body());
    assert_eq!(seen[2].body, br#"{"auto_terminate_time":""}"#);
    assert!(
        seen[2].path.contains("/%E6%9C%8D%E5%8A%A1%E5%99%A8%20a/"),
        "{}",
        seen[2].path
    );
    assert!(!seen[2].path.ends_with('/'));
}

#[tokio::test]
async fn an_id_that_would_change_the_address_is_refused_before_anything_is_sent() {
    let (peer, url) = peer(vec![]).await;
    let client = client(&url);
    for id in ["", ".", "..", "a/b"] {
        let error = ecs::server(&client, &project(), &id.into()).await.unwrap_err();
        assert_eq!(
            (error.kind, error.outcome_unknown),
            (ErrorKind::Invalid, false),
            "{id}"
        );
    }
    for id in ["%2e%2e", "a?b", "a#b", "a\\b", "%"] {
        let _ = ecs::server(&client, &project(), &id.into()).await;
    }
    for request in peer.seen() {
        assert!(
            request.is_signed() && request.path.split('/').count() == 5,
            "{request:?}"
        );
    }
    assert_eq!(peer.seen().len(), 5);
}

#[tokio::test]
async fn an_answer_carries_its_request_id_and_the_servers_time() {
    let now = DateTime::from_timestamp(1_767_323_045, 0).unwrap();
    let identity =
        r#"{"account_id":"a-1","principal_id":"u-1","principal_urn":"iam::a-1:user:ada","more":1}"#;
    let (_, url) = peer(vec![dated(200, now, identity)]).await;
    let reply = sts::caller_identity(&client(&url)).await.unwrap();
    assert_eq!(reply.request_id.as_deref(), Some("request-1"));
    assert_eq!(reply.server_time, Some(now));
    assert_eq!(
        (reply.value.account_id.as_str(), reply.value.user_name()),
        ("a-1", Some("ada"))
    );
}

#[tokio::test]
async fn a_deletion_says_what_goes_along_and_gives_its_job() {
    let (peer, url) = peer(vec![
        json(200, r#"{"job_id":"j-1"}"#),
        json(200, r#"{"job_id":null}"#),
    ])
    .await;
    let client = client(&url);
    let with = ecs::DeleteWith {
        public_ips: Some(true),
        volumes: true,
    };
    let job = ecs::delete_servers(&client, &project(), &["s-1".into()], with)
        .await
        .unwrap()
        .value;
    assert_eq!(job.as_str(), "j-1");
    let sent: serde_json::Value = serde_json::from_slice(&peer.seen()[0].body).unwrap();
    assert_eq!(
        sent,
        serde_json::json!({"servers": [{"id": "s-1"}], "delete_publicip": true, "delete_volume": true})
    );

    let with = ecs::DeleteWith {
        public_ips: None,
        volumes: false,
    };
    let error = ecs::delete_servers(&client, &project(), &["s-1".into()], with)
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::BadAnswer, true));
}

#[tokio::test]
async fn a_dry_run_creates_nothing() {
    let (peer, url) = peer(vec![json(202, "")]).await;
    ecs::check_create(&client(&url), &project(), &server_to_create())
        .await
        .unwrap();
    let seen = peer.seen();
    let sent: serde_json::Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(sent["dry_run"], true);
    assert_eq!(seen[0].header("x-client-token"), None);
}

#[tokio::test]
async fn a_region_without_the_service_is_told_before_anything_is_sent() {
    let endpoints = Endpoints::empty();
    let credentials = Credentials::permanent(ACCESS_KEY, SECRET_KEY);
    let client = Client::new(
        Http::new(options()).unwrap(),
        credentials,
        endpoints,
        "nowhere".into(),
    );
    assert_eq!(
        sts::caller_identity(&client).await.unwrap_err().kind,
        ErrorKind::Unsupported
    );
}

#[test]
fn the_secret_of_the_client_stays_in_it() {
    let client = client("http://127.0.0.1:9");
    let printed = format!("{client:?} {:?}", Http::new(options()).unwrap());
    assert!(!printed.contains(TOKEN) && !printed.contains(SecretString::from(SECRET_KEY).expose_secret()));
}
