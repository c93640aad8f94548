//! A backlog of any length is delivered whole, in order and in the memory of a few batches.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use common::{domain, event, ledger};
use serde_json::Value;

/// How much a drain may add to what the program holds, in KiB: batches of half a MiB, several times over, and what the
/// allocator keeps of them.
const MOST_GROWTH: u64 = 24 * 1024;

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A receiver that keeps nothing but how far it was told, in order and without gaps.
async fn counting() -> (String, Arc<AtomicU64>, Arc<AtomicBool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (last, broken) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (told, gap) = (last.clone(), broken.clone());
    let take = move |body: Bytes| async move {
        let records: Vec<Value> = serde_json::from_slice(&body).unwrap();
        for record in records {
            let message: Value = serde_json::from_str(record["_message"].as_str().unwrap()).unwrap();
            let seq = message["seq"].as_u64().unwrap();
            if told.fetch_add(1, Ordering::Relaxed) + 1 != seq {
                gap.store(true, Ordering::Relaxed);
            }
        }
        StatusCode::OK
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
    (url, last, broken)
}

/// Drains so many events, and says by how many KiB the program grew meanwhile beyond what the first tenth took.
async fn drain(events: u64) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let other = ledger(dir.path());
    let mut one = event("backlog");
    one.body.insert("image".to_owned(), "x".repeat(500).into());
    for _ in 0..events / 10_000 {
        let batch = (0..10_000).map(|_| {
            let mut event = one.clone();
            event.event_id = uuid::Uuid::now_v7().to_string();
            event
        });
        other.append(batch.collect()).unwrap();
    }
    assert_eq!(other.last_seq().unwrap(), events);
    drop(other);

    let (url, last, broken) = counting().await;
    let domain = domain(dir.path(), &url).await;
    domain.start().await.unwrap();
    // The first tenth fills caches and pools; after it nothing more is to be needed.
    let (mut begun, mut most) = (None, 0);
    let (mut before, mut moved) = (0, Instant::now());
    loop {
        let now = last.load(Ordering::Relaxed);
        if now >= events / 10 {
            let resident = resident();
            begun.get_or_insert(resident);
            most = most.max(resident);
        }
        if now == events {
            break;
        }
        if now != before {
            (before, moved) = (now, Instant::now());
        }
        assert!(
            moved.elapsed() < Duration::from_secs(30),
            "delivery stands still at {now} of {events}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    common::until(&domain, "the note of the end", |delivery| delivery.waiting == 0).await;
    domain.stop().await;
    assert!(!broken.load(Ordering::Relaxed), "out of order, or twice");
    assert_eq!(last.load(Ordering::Relaxed), events);
    most - begun.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_drained_in_order_with_flat_memory() {
    let grown = drain(30_000).await;
    assert!(grown <= MOST_GROWTH, "memory grew by {grown} KiB");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; run by `cargo xtask soak`"]
async fn a_million_events_are_drained_in_order_with_flat_memory() {
    let grown = drain(1_000_000).await;
    println!("memory grew by {grown} KiB");
    assert!(grown <= MOST_GROWTH, "memory grew by {grown} KiB");
}
