//! A backlog of 100,000 events to a receiver on this computer, against bare `reqwest` posting the same prepared bodies
//! one after another. Ours reads the events from the ledger, wraps them, and notes in the ledger what was taken.
//!
//! To reach: within 1.3 times the floor, with memory flat (printed, where the system tells it).

#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot be set up has nothing to report"
)]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use chrono::Utc;
use divan::Bencher;
use futures::StreamExt;
use serde_json::json;
use store::{EventOutcome, Ledger, NewEvent, Parcel, Queue};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wangcheng::clock::Clock;
use wangcheng::{Change, ClientInfo, Demo, Endpoints, Options, Wangcheng};

const EVENTS: usize = 100_000;

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// A receiver that reads everything and says yes.
async fn receiver() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let read = |body: Body| async move {
        let mut parts = body.into_data_stream();
        while let Some(part) = parts.next().await {
            divan::black_box(part.map(|part| part.len()).unwrap_or_default());
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(read)).await });
    format!("http://{address}/")
}

/// A ledger with a backlog.
fn backlog() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(dir.path(), Utc::now()).expect("a ledger").ledger;
    let body = json!({
        "schema": "wangcheng.event.v1", "owner": "李雷", "owner_id": "0503dda878000fed2f78c00909158a4d",
        "account_id": "0503dda87802345ddafed096d70a960c", "region": "cn-north-4",
        "project_id": "0605767b1c80d5f02f3bc01f5e5aaaaa", "server_name": "lilei-build", "flavor": "c7.xlarge.2",
        "vcpus": 4, "ram_mb": 8192, "image": "Ubuntu 24.04 server 64bit", "os": "Linux",
        "client": "desktop", "client_version": "0.1.0", "platform": "linux-x86_64",
    });
    let event = || NewEvent {
        event_id: uuid::Uuid::now_v7().to_string(),
        time: Utc::now(),
        action: "session.opened".to_owned(),
        outcome: EventOutcome::Ok,
        account: None,
        op_id: None,
        server_id: Some("server-1".to_owned()),
        body: body.as_object().cloned().unwrap_or_default(),
    };
    for _ in 0..EVENTS / 10_000 {
        ledger
            .append((0..10_000).map(|_| event()).collect())
            .expect("events");
    }
    dir
}

/// Resident memory in MiB, where the system tells it.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn drain_ours(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let url = runtime.block_on(receiver());
    bencher
        .with_inputs(|| {
            let dir = backlog();
            let domain = runtime.block_on(domain(&dir, &url));
            (dir, domain)
        })
        .bench_local_values(|(dir, domain)| {
            let before = memory();
            let most = runtime.block_on(drain(&domain));
            if let (Some(before), Some(most)) = (before, most) {
                // Not among the rows, which are read by a program.
                eprintln!("memory: {before} MiB before, {most} MiB at most while draining");
            }
            (dir, domain)
        });
}

async fn domain(dir: &TempDir, url: &str) -> Wangcheng {
    let options = Options {
        clock: Clock::system(),
        data_dir: dir.path().to_owned(),
        client: ClientInfo {
            name: "desktop",
            version: "0.0.0",
            platform: "linux",
        },
        endpoints: Endpoints::empty(),
        demo: Some(Demo {
            guests: None,
            region: "demo-north-1".to_owned(),
            users: Vec::new(),
            hei_url: url.parse().expect("an address"),
            hei_token: "token".to_owned().into(),
        }),
    };
    Wangcheng::open(options).await.expect("a domain").wangcheng
}

/// Drains, and says how much memory that took at most.
async fn drain(domain: &Wangcheng) -> Option<u64> {
    let mut changes = domain.changes();
    let mut most = None;
    domain.start().await.expect("a start");
    loop {
        let change = tokio::time::timeout(Duration::from_secs(60), changes.recv())
            .await
            .expect("progress");
        if let Ok(Change::Delivery(delivery)) = change {
            most = most.max(memory());
            if delivery.waiting == 0 {
                return most;
            }
        }
    }
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn drain_floor(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let url = runtime.block_on(receiver());
    let bodies = bodies();
    let http = reqwest::Client::new();
    bencher
        .with_inputs(|| bodies.clone())
        .bench_local_values(|bodies| {
            runtime.block_on(async {
                for body in bodies {
                    let request = http
                        .post(&url)
                        .header("content-type", "application/json")
                        .header("authorization", "Bearer token");
                    let answer = request.body(body).send().await.expect("an answer");
                    assert!(answer.status().is_success());
                    divan::black_box(answer.bytes().await.expect("its text"));
                }
            });
        });
}

/// The same bodies as ours, made beforehand.
fn bodies() -> Vec<Vec<u8>> {
    let dir = backlog();
    let ledger = Ledger::open(dir.path(), Utc::now()).expect("a ledger").ledger;
    let mut bodies = Vec::new();
    let mut after = None;
    loop {
        let parcels: Vec<Parcel> = ledger
            .parcels("floor", Queue::Events, after, 200, 512 * 1024)
            .expect("events");
        let Some(last) = parcels.last() else {
            return bodies;
        };
        after = Some(last.number);
        let records: Vec<_> = parcels
            .iter()
            .map(|parcel| {
                json!({
                    "_message": parcel.json, "_datatype": "json", "_event_set": "wangcheng",
                    "_time": parcel.time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
                    "_source": "wangcheng",
                })
            })
            .collect();
        bodies.push(serde_json::to_vec(&records).expect("a body"));
    }
}
