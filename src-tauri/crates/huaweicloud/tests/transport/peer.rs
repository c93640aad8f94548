//! A service on the loopback interface that records what it gets and answers what it is told, and a client of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use huaweicloud::signing::{self, RequestToSign};
use huaweicloud::{Client, Credentials, Endpoints, Http, HttpOptions, ProjectId, Region, Service, ecs};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

pub const ACCESS_KEY: &str = "EXAMPLEAK00000000001";
pub const SECRET_KEY: &str = "ExampleSecretKey0000000000000000000000001";
pub const TOKEN: &str = "gQpjbi1ub3J0aC00ExampleToken==";

/// A request as a service received it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Checks the signature as a service does: from what came over the wire, and nothing else.
    pub fn is_signed(&self) -> bool {
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
pub struct Peer {
    pub seen: Arc<Mutex<Vec<Seen>>>,
    pub answers: Arc<Mutex<VecDeque<Response>>>,
}

impl Peer {
    /// What came since the last time.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A service that gives these answers one after the other, and 410 when it has no more.
pub async fn peer(answers: Vec<Response>) -> (Peer, String) {
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

pub async fn answer(State(peer): State<Peer>, request: Request) -> Response {
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

pub fn json(status: u16, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-request-id", "request-1")
        .body(body.into())
        .unwrap()
}

/// What a box between here and the cloud answers: no request id, no JSON.
pub fn page(status: u16, body: &'static str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/html")
        .body(body.into())
        .unwrap()
}

pub fn dated(status: u16, date: DateTime<Utc>, body: &'static str) -> Response {
    let mut response = json(status, body);
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    response.headers_mut().insert("date", date.parse().unwrap());
    response
}

pub fn options() -> HttpOptions {
    HttpOptions {
        user_agent: "test/1".to_owned(),
        request_timeout: Duration::from_secs(20),
        retry_delay: Duration::from_millis(1),
        ..HttpOptions::default()
    }
}

/// A region with all services at one address.
pub fn region(url: &str) -> Region {
    let services = [
        Service::Ecs,
        Service::Ims,
        Service::Vpc,
        Service::Kps,
        Service::Bss,
        Service::Iam,
        Service::Sts,
    ];
    Region {
        id: "sandbox-1".into(),
        name_zh: Some("演示区域 1".to_owned()),
        name_en: Some("Sandbox region 1".to_owned()),
        endpoints: services
            .iter()
            .map(|service| (*service, url.parse().unwrap()))
            .collect::<BTreeMap<_, _>>(),
    }
}

pub fn client_with(url: &str, options: HttpOptions) -> Client {
    let credentials = Credentials {
        security_token: Some(TOKEN.into()),
        ..Credentials::permanent(ACCESS_KEY, SECRET_KEY)
    };
    let endpoints = Endpoints::empty().with_region(region(url)).unwrap();
    Client::new(
        Http::new(options).unwrap(),
        credentials,
        endpoints,
        "sandbox-1".into(),
    )
}

pub fn client(url: &str) -> Client {
    client_with(url, options())
}

pub fn project() -> ProjectId {
    "0123456789abcdef0123456789abcdef".into()
}

pub fn server_to_create() -> ecs::CreateServer {
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

pub const TOKEN_ID: uuid::Uuid = uuid::Uuid::from_u128(0x12345678_90ab_4cde_8f01_23456789abcd);

/// How many requests a slow service had to answer at a time.
#[derive(Clone, Default)]
pub struct Answering(Arc<Mutex<(usize, usize)>>);

impl Answering {
    pub fn most(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

/// A service that takes its time and always answers the same.
pub async fn slow_peer(pause: Duration, body: &'static str) -> (Answering, String) {
    let answering = Answering::default();
    let counter = answering.clone();
    let router = Router::new().fallback(move || {
        let counter = counter.clone();
        async move {
            {
                let mut count = counter.0.lock().unwrap();
                count.0 += 1;
                count.1 = count.0.max(count.1);
            }
            tokio::time::sleep(pause).await;
            counter.0.lock().unwrap().0 -= 1;
            json(200, body)
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (answering, url)
}
