//! The transport against a real server on the loopback interface: what a service sees, and what a caller
//! gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::signing::{self, RequestToSign};
use huaweicloud::{
    Client, Credentials, Endpoints, ErrorKind, Http, HttpOptions, ProjectId, Region, Service, bss, ecs, iam,
    ims, kps, sts, vpc,
};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ACCESS_KEY: &str = "EXAMPLEAK00000000001";
const SECRET_KEY: &str = "ExampleSecretKey0000000000000000000000001";
const TOKEN: &str = "gQpjbi1ub3J0aC00ExampleToken==";

/// A request as a service received it.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Checks the signature as a service does: from what came over the wire, and nothing else.
    fn is_signed(&self) -> bool {
        let authorization = self.header("authorization").unwrap_or_default();
        let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
        let (names, given) = rest.split_once(", Signature=").unwrap();
        let names: Vec<String> = names.split(';').map(str::to_owned).collect();
        let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let query: Vec<(String, String)> = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').map(|(k, v)| (decode(k), decode(v))).unwrap())
            .collect();
        let request = RequestToSign {
            method: &self.method,
            path: &self.path,
            query: &query,
            headers: &self.headers,
            body: &self.body,
        };
        let canonical = signing::canonical_request(&request, &names);
        let to_sign = signing::string_to_sign(self.header("x-sdk-date").unwrap(), &canonical);
        signing::signature(&SecretString::from(SECRET_KEY), &to_sign) == given
            && names.iter().any(|name| name == "host")
            && authorization.starts_with(&format!("SDK-HMAC-SHA256 Access={ACCESS_KEY}, "))
    }
}

#[derive(Clone, Default)]
struct Peer {
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<VecDeque<Response>>>,
}

impl Peer {
    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A service that gives these answers one after the other, and 410 when it has no more.
async fn peer(answers: Vec<Response>) -> (Peer, String) {
    let peer = Peer {
        answers: Arc::new(Mutex::new(answers.into())),
        ..Peer::default()
    };
    let router = Router::new().fallback(answer).with_state(peer.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (peer, url)
}

async fn answer(State(peer): State<Peer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    peer.seen.lock().unwrap().push(Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8(value.as_bytes().to_vec()).unwrap(),
                )
            })
            .collect(),
        body: body.to_vec(),
    });
    peer.answers
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or_else(|| json(410, ""))
}

fn json(status: u16, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-request-id", "request-1")
        .body(body.into())
        .unwrap()
}

/// What a box between here and the cloud answers: no request id, no JSON.
fn page(status: u16, body: &'static str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/html")
        .body(body.into())
        .unwrap()
}

fn dated(status: u16, date: DateTime<Utc>, body: &'static str) -> Response {
    let mut response = json(status, body);
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    response.headers_mut().insert("date", date.parse().unwrap());
    response
}

fn options() -> HttpOptions {
    HttpOptions {
        user_agent: "test/1".to_owned(),
        request_timeout: Duration::from_secs(20),
        retry_delay: Duration::from_millis(1),
        ..HttpOptions::default()
    }
}

fn client_with(url: &str, options: HttpOptions) -> Client {
    let services = [
        Service::Ecs,
        Service::Ims,
        Service::Vpc,
        Service::Kps,
        Service::Bss,
        Service::Iam,
        Service::Sts,
    ];
    let region = Region {
        id: "sandbox-1".into(),
        name_zh: Some("演示区域 1".to_owned()),
        name_en: Some("Sandbox region 1".to_owned()),
        endpoints: services
            .iter()
            .map(|service| (*service, url.parse().unwrap()))
            .collect::<BTreeMap<_, _>>(),
    };
    let credentials = Credentials {
        security_token: Some(TOKEN.into()),
        ..Credentials::permanent(ACCESS_KEY, SECRET_KEY)
    };
    let endpoints = Endpoints::empty().with_region(region).unwrap();
    Client::new(
        Http::new(options).unwrap(),
        credentials,
        endpoints,
        "sandbox-1".into(),
    )
}

fn client(url: &str) -> Client {
    client_with(url, options())
}

fn project() -> ProjectId {
    "0123456789abcdef0123456789abcdef".into()
}

fn server_to_create() -> ecs::CreateServer {
    ecs::CreateServer {
        name: "开发机-1".to_owned(),
        flavor: "s6.large.2".into(),
        image: "image".into(),
        vpc: "vpc".into(),
        subnets: vec!["subnet".into()],
        security_groups: Vec::new(),
        zone: None,
        key_name: Some("ada".to_owned()),
        admin_pass: None,
        root_volume: ecs::RootVolume {
            volume_type: "GPSSD".to_owned(),
            size_gb: Some(40),
        },
        data_volumes: Vec::new(),
        public_ip: None,
        auto_terminate_time: None,
        tags: Vec::new(),
        user_data: None,
        description: None,
    }
}

const TOKEN_ID: uuid::Uuid = uuid::Uuid::from_u128(0x12345678_90ab_4cde_8f01_23456789abcd);

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
async fn a_read_is_repeated_after_passing_failures() {
    let (peer, url) = peer(vec![
        json(429, r#"{"error_code":"APIGW.0308","error_msg":"policy user over ratelimit,limit:200,time:5 minute"}"#),
        json(202, r#"{"error":{"code":"Common.0024","message":"flow limit"}}"#),
        page(503, "<html>"),
        json(200, r#"{"absolute":{"maxTotalInstances":-1,"totalInstancesUsed":"3","maxTotalCores":800,"totalCoresUsed":8}}"#),
    ])
    .await;
    let limits = ecs::limits(&client(&url), &project()).await.unwrap().value;
    assert_eq!(
        (limits.servers.left(), limits.servers.used, limits.vcpus.left()),
        (None, 3, Some(792))
    );
    assert_eq!(peer.seen().len(), 4);
}

#[tokio::test]
async fn a_refused_signature_is_never_sent_again() {
    let (peer, url) = peer(vec![json(
        401,
        r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information"}"#,
    )])
    .await;
    let error = sts::caller_identity(&client(&url)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert_eq!(
        (error.status, error.code.as_deref()),
        (Some(401), Some("APIGW.0301"))
    );
    assert_eq!(peer.seen().len(), 1);
}

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
async fn a_creation_is_repeated_with_its_token_and_a_deletion_is_not() {
    let (created, url) = peer(vec![
        page(502, ""),
        json(200, r#"{"job_id":"j-1","serverIds":["s-1", null]}"#),
    ])
    .await;
    let reply = ecs::create(&client(&url), &project(), &server_to_create(), TOKEN_ID)
        .await
        .unwrap();
    assert_eq!(reply.value.job_id.unwrap().as_str(), "j-1");
    assert_eq!(reply.value.server_ids, ["s-1".into()]);
    let seen = created.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("x-client-token"), seen[1].header("x-client-token"));
    assert_eq!(seen[0].body, seen[1].body);

    let (deleted, url) = peer(vec![page(502, ""), json(200, r#"{"job_id":"j-1"}"#)]).await;
    let with = ecs::DeleteWith {
        public_ips: Some(true),
        volumes: true,
    };
    let error = ecs::delete_servers(&client(&url), &project(), &["s-1".into()], with)
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Transient, true));
    assert_eq!(deleted.seen().len(), 1);
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
async fn a_list_is_read_page_by_page_and_one_odd_row_does_not_lose_the_others() {
    let page = |ids: &[&str]| {
        let rows: Vec<String> = ids
            .iter()
            .map(|id| format!(r#"{{"id":"{id}","name":"n","status":"ACTIVE"}}"#))
            .collect();
        json(200, format!(r#"{{"count":5,"servers":[{}]}}"#, rows.join(",")))
    };
    let odd = json(
        200,
        r#"{"count":5,"servers":[{"id":"s-3","status":"BUILD"},{"id":"s-4","status":null},{"id":"s-5","status":"ACTIVE"}]}"#,
    );
    let (peer, url) = peer(vec![page(&["s-1", "s-2"]), odd]).await;
    let listing = ecs::servers(&client(&url), &project(), &ecs::ServerQuery::default())
        .await
        .unwrap()
        .value;
    let ids: Vec<_> = listing.items.iter().map(|server| server.id.as_str()).collect();
    assert_eq!((ids, listing.skipped), (vec!["s-1", "s-2", "s-3", "s-5"], 1));
    let seen = peer.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].query.as_str(), seen[1].query.as_str()),
        ("limit=200", "limit=200&marker=s-2")
    );
}

#[tokio::test]
async fn a_list_that_never_moves_on_ends() {
    let row = || json(200, r#"{"count":9,"servers":[{"id":"s-1","status":"ACTIVE"}]}"#);
    let (peer, url) = peer((0..9).map(|_| row()).collect()).await;
    ecs::servers(&client(&url), &project(), &ecs::ServerQuery::default())
        .await
        .unwrap();
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn an_answer_without_the_list_is_not_an_empty_list() {
    for body in ["{}", r#"{"servers":{}}"#, "", "[]"] {
        let (_, url) = peer(vec![json(200, body)]).await;
        let error = ecs::servers(&client(&url), &project(), &ecs::ServerQuery::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{body}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096])));
    let (_, url) = peer(vec![json(200, Body::from_stream(endless))]).await;
    let client = client_with(
        &url,
        HttpOptions {
            max_answer: 64 * 1024,
            ..options()
        },
    );
    let error = ecs::limits(&client, &project()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAnswer);
    assert!(error.message.contains("65536"), "{error}");
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_given_up_at_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            open.push(socket);
        }
    });
    let options = HttpOptions {
        request_timeout: Duration::from_millis(200),
        retries: 1,
        ..options()
    };
    let error = sts::caller_identity(&client_with(&url, options))
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Network, true));
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
async fn a_creation_that_was_cut_and_then_could_not_be_repeated_has_an_unknown_outcome() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        drop(listener);
        let mut buffer = [0; 4096];
        let _ = socket.read(&mut buffer).await;
    });
    let client = client_with(
        &url,
        HttpOptions {
            retries: 1,
            ..options()
        },
    );
    let error = ecs::create(&client, &project(), &server_to_create(), TOKEN_ID)
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
async fn who_i_am_is_found_through_iam_too() {
    let (peer, url) = peer(vec![
        json(200, r#"{"credential":{"user_id":"u-1","access":"EXAMPLEAK00000000001","status":"active","last_use_time":null}}"#),
        json(200, r#"{"user":{"id":"u-1","name":"ada","domain_id":"a-1","password_expires_at":null}}"#),
        json(200, r#"{"domains":[{"id":"a-1","name":"example","enabled":true}],"links":{}}"#),
        json(200, r#"{"projects":[{"id":"p-1","name":"cn-north-4","domain_id":"a-1","enabled":true}]}"#),
        json(200, r#"{"projects":[{"id":"p-0","name":"MOS"},{"id":"p-1","name":"cn-north-4","enabled":"true"}]}"#),
    ])
    .await;
    let client = client(&url);
    let key = iam::own_key(&client).await.unwrap().value;
    let user = iam::user(&client, &key.user_id).await.unwrap().value;
    assert_eq!(
        (user.name.as_str(), user.account_id.unwrap().as_str()),
        ("ada", "a-1")
    );
    assert_eq!(
        iam::accounts(&client).await.unwrap().value.items[0].name,
        "example"
    );
    let named = iam::projects_named(&client, "cn-north-4")
        .await
        .unwrap()
        .value
        .items;
    assert_eq!(named[0].region(), Some("cn-north-4".into()));
    let own = iam::own_projects(&client).await.unwrap().value.items;
    assert_eq!((own[0].region(), own[1].enabled), (None, Some(true)));
    let paths: Vec<_> = peer
        .seen()
        .iter()
        .map(|seen| format!("{}?{}", seen.path, seen.query))
        .collect();
    assert_eq!(
        paths,
        [
            "/v3.0/OS-CREDENTIAL/credentials/EXAMPLEAK00000000001?",
            "/v3/users/u-1?",
            "/v3/auth/domains?",
            "/v3/projects?name=cn-north-4",
            "/v3/auth/projects?",
        ]
    );
}

#[tokio::test]
async fn the_catalogue_is_read() {
    let (peer, url) = peer(vec![
        json(200, r#"{"images":[{"id":"i-1","name":"Ubuntu","min_disk":"40","__os_type":"Linux","__support_fc_inject":"true","__support_arm":"true"},{"id":"i-2"}]}"#),
        json(200, r#"{"vpcs":[{"id":"v-1","name":"vpc-default","cidr":"192.168.0.0/16","status":"OK"}]}"#),
        json(200, r#"{"subnets":[{"id":"n-1","vpc_id":"v-1","available_ip_address_count":"251"}]}"#),
        json(200, r#"{"security_groups":[{"id":"g-1","name":"default"}]}"#),
        json(200, r#"{"keypairs":[{"keypair":{"name":"ada","type":"ssh","scope":"user","fingerprint":"aa:bb"}},{"keypair":null}]}"#),
        json(200, r#"{"availability_zones":[{"availability_zone_id":"cn-north-4a","alias":null}]}"#),
        json(200, r#"{"flavors":[{"id":"s6.large.2","vcpus":"2","ram":4096}]}"#),
    ])
    .await;
    let client = client(&url);
    let query = ims::ImageQuery {
        source: ims::ImageSource::Public,
        flavor: Some("s6.large.2".into()),
    };
    let images = ims::images(&client, &query).await.unwrap().value.items;
    assert_eq!(
        (
            images[0].min_disk_gb,
            images[0].has_cloud_init(),
            images[0].is_arm()
        ),
        (Some(40), false, true)
    );
    assert!(images[1].has_cloud_init() && !images[1].is_arm());
    assert_eq!(
        vpc::vpcs(&client, &project()).await.unwrap().value.items[0].status,
        "OK"
    );
    let subnets = vpc::subnets(&client, &project(), Some(&"v-1".into()))
        .await
        .unwrap()
        .value
        .items;
    assert_eq!(subnets[0].available_addresses, Some(251));
    assert_eq!(
        vpc::security_groups(&client, &project())
            .await
            .unwrap()
            .value
            .items[0]
            .name,
        "default"
    );
    let keys = kps::key_pairs(&client, &project()).await.unwrap().value;
    assert_eq!((keys.items[0].name.as_str(), keys.skipped), ("ada", 1));
    assert_eq!(
        ecs::zones(&client, &project()).await.unwrap().value.items[0]
            .id
            .as_str(),
        "cn-north-4a"
    );
    let flavors = ecs::flavors(&client, &project(), Some(&"cn-north-4a".into()))
        .await
        .unwrap()
        .value
        .items;
    assert_eq!(flavors[0].vcpus, 2);
    let queries: Vec<_> = peer.seen().into_iter().map(|seen| seen.query).collect();
    assert_eq!(
        queries[0],
        "__imagetype=gold&flavor_id=s6.large.2&limit=500&status=active&virtual_env_type=FusionCompute"
    );
    assert_eq!(queries[2], "limit=1000&vpc_id=v-1");
    assert_eq!(queries[6], "availability_zone=cn-north-4a&limit=1000");
}

#[tokio::test]
async fn prices_are_exact_and_traffic_is_kept_out_of_the_hourly_sum() {
    let (peer, url) = peer(vec![
        json(
            200,
            r#"{"amount":1.2000000003,"official_website_amount":"1.40","currency":"","product_rating_results":[
                {"id":"2","amount":0.8,"official_website_amount":0.8},
                {"id":"1","amount":0.0380000001,"official_website_amount":0.04},
                {"id":"0","amount":"0.3620000002","official_website_amount":null}]}"#,
        ),
        json(200, r#"{"amount":1,"product_rating_results":[]}"#),
        json(400, r#"{"error_code":"CBC.99006006","error_msg":"Product not found."}"#),
    ])
    .await;
    let client = client(&url);
    let products = [
        bss::Product::Server {
            flavor: "s6.large.2".into(),
            windows: false,
            zone: None,
        },
        bss::Product::Volume {
            volume_type: "GPSSD".to_owned(),
            size_gb: 40,
        },
        bss::Product::Traffic,
    ];
    let ratings = bss::on_demand_ratings(&client, &project(), &products)
        .await
        .unwrap()
        .value;
    assert_eq!(ratings.currency, "CNY");
    assert_eq!(ratings.per_hour().unwrap().to_string(), "0.4000000003");
    assert_eq!(ratings.total.unwrap().to_string(), "1.2000000003");
    assert_eq!(ratings.prices[0].list_amount, None);
    assert_eq!(ratings.prices[2].unit, bss::Unit::GbOfTraffic);

    let sent: serde_json::Value = serde_json::from_slice(&peer.seen()[0].body).unwrap();
    assert_eq!(
        sent["product_infos"][1],
        serde_json::json!({"id": "1", "cloud_service_type": "hws.service.type.ebs",
            "resource_type": "hws.resource.type.volume", "resource_spec": "GPSSD", "resource_size": 40, "size_measure_id": 17,
            "region": "sandbox-1", "usage_factor": "Duration", "usage_value": 1, "usage_measure_id": 4, "subscription_num": 1})
    );
    assert_eq!(sent["product_infos"][0]["resource_spec"], "s6.large.2.linux");

    let error = bss::on_demand_ratings(&client, &project(), &products)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAnswer);
    let error = bss::on_demand_ratings(&client, &project(), &products)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Invalid, Some("CBC.99006006"))
    );
}

#[tokio::test]
async fn a_job_is_read_and_an_error_code_in_it_is_not_an_error_of_the_call() {
    let (_, url) = peer(vec![json(
        200,
        r#"{"job_id":"j-1","job_type":"createServer","status":"FAIL","error_code":"Ecs.0219","fail_reason":"No valid host","entities":{}}"#,
    )])
    .await;
    let job = ecs::job(&client(&url), &project(), &"j-1".into())
        .await
        .unwrap()
        .value;
    assert_eq!(job.status, ecs::JobStatus::Fail);
    assert_eq!(job.failure(), Some((Some("Ecs.0219"), "No valid host")));
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
