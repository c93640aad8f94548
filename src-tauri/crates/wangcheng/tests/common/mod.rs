//! A domain that delivers to a small receiver, and another program's hand on the same ledger.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests are tests"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde_json::{Value, json};
use store::{EventOutcome, Ledger, NewEvent};
use wangcheng::clock::Clock;
use wangcheng::delivery::Delivery;
use wangcheng::{ClientInfo, Demo, Options, Wangcheng};

/// Decides what to answer to the purposes of the events of one request.
type Judge = Box<dyn FnMut(&[Value]) -> Response + Send>;

/// A receiver of events that keeps what it says yes to.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    judge: Arc<Mutex<Judge>>,
    taken: Arc<Mutex<Vec<Value>>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Receiver {
    pub async fn start(judge: impl FnMut(&[Value]) -> Response + Send + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/", listener.local_addr().unwrap()),
            judge: Arc::new(Mutex::new(Box::new(judge))),
            taken: Arc::default(),
            asked: Arc::default(),
        };
        let router = Router::new().fallback(Self::answer).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    async fn answer(State(this): State<Self>, _: HeaderMap, body: Bytes) -> Response {
        this.asked.lock().unwrap().push(Instant::now());
        let records: Vec<Value> = serde_json::from_slice(&body).unwrap();
        let events: Vec<Value> = records
            .iter()
            .map(|record| serde_json::from_str(record["_message"].as_str().unwrap()).unwrap())
            .collect();
        let response = (this.judge.lock().unwrap())(&events);
        if response.status().is_success() {
            this.taken.lock().unwrap().extend(events);
        }
        response
    }

    pub fn judge(&self, judge: impl FnMut(&[Value]) -> Response + Send + 'static) {
        *self.judge.lock().unwrap() = Box::new(judge);
    }

    /// The purposes of the numbered events, in the order in which they came, with repeats.
    pub fn purposes(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let numbered = taken.iter().filter(|event| event.get("seq").is_some());
        numbered
            .map(|event| event["purpose"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub fn taken(&self) -> Vec<Value> {
        self.taken.lock().unwrap().clone()
    }

    pub fn asked(&self) -> Vec<Instant> {
        self.asked.lock().unwrap().clone()
    }
}

pub fn yes(_: &[Value]) -> Response {
    StatusCode::OK.into_response()
}

pub fn says(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

/// A domain whose embedded region delivers to `url`; not yet at work.
pub async fn domain(dir: &Path, url: &str) -> Wangcheng {
    let opened = Wangcheng::open(Options {
        clock: Clock::system(),
        data_dir: dir.to_owned(),
        client: ClientInfo {
            name: "desktop",
            version: "0.0.0",
            platform: "linux",
        },
        endpoints: wangcheng::Endpoints::empty(),
        demo: Some(Demo {
            guests: None,
            region: "demo-north-1".to_owned(),
            users: Vec::new(),
            hei_url: url.parse().unwrap(),
            hei_token: "a-token-nobody-may-see".to_owned().into(),
        }),
    })
    .await
    .unwrap();
    opened.wangcheng
}

/// Another program's hand on the same ledger.
pub fn ledger(dir: &Path) -> Ledger {
    Ledger::open(dir, Utc::now()).unwrap().ledger
}

pub fn event(purpose: &str) -> NewEvent {
    let body = json!({ "schema": "wangcheng.event.v1", "purpose": purpose });
    NewEvent {
        event_id: uuid::Uuid::now_v7().to_string(),
        time: Utc::now(),
        action: "session.opened".to_owned(),
        outcome: EventOutcome::Ok,
        account: None,
        op_id: None,
        server_id: None,
        body: body.as_object().unwrap().clone(),
    }
}

pub fn append(ledger: &Ledger, purposes: impl IntoIterator<Item = impl AsRef<str>>) {
    let events = purposes.into_iter().map(|purpose| event(purpose.as_ref()));
    ledger.append(events.collect()).unwrap();
}

/// Waits until delivery stands as asked.
pub async fn until(domain: &Wangcheng, what: &str, met: impl Fn(&Delivery) -> bool) -> Delivery {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let delivery = domain.delivery().await.unwrap();
        if met(&delivery) {
            return delivery;
        }
        assert!(Instant::now() < deadline, "{what} did not come: {delivery:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
