//! Sizes and deadlines: nothing that a peer does makes a call endless.

use axum::body::{Body, Bytes};
use huaweicloud::{ErrorKind, HttpOptions, ecs, sts};
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::peer::*;

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

/// Answers every connection with these bytes, and then with a byte now and then if it is to trickle.
async fn raw_peer(head: Vec<u8>, trickle: bool) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let head = head.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let _ = socket.read(&mut buffer).await;
                let _ = socket.write_all(&head).await;
                while trickle && socket.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
    });
    url
}

fn gzipped(zeros: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let block = vec![b' '; 1 << 20];
    for _ in 0..zeros >> 20 {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_small_answer_that_unpacks_to_a_huge_one_is_cut_off() {
    let bomb = gzipped(256 << 20);
    assert!(
        bomb.len() < 1 << 20,
        "it must be small on the wire: {}",
        bomb.len()
    );
    let mut response = json(200, bomb);
    response
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    let (_, url) = peer(vec![response]).await;
    let options = HttpOptions {
        max_answer: 1 << 20,
        ..options()
    };
    let error = ecs::limits(&client_with(&url, options), &project())
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::BadAnswer, true));
    assert!(error.message.contains("1048576"), "{error}");
}

#[tokio::test]
async fn a_compressed_answer_of_allowed_size_is_read() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder
        .write_all(br#"{"absolute":{"maxTotalInstances":7}}"#)
        .unwrap();
    let mut response = json(200, encoder.finish().unwrap());
    response
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    let (_, url) = peer(vec![response]).await;
    let limits = ecs::limits(&client(&url), &project()).await.unwrap().value;
    assert_eq!(limits.servers.left(), Some(7));
}

#[tokio::test]
async fn an_announced_length_that_is_too_long_is_refused_before_it_is_read() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999999\r\n\r\n".to_vec();
    let url = raw_peer(head, true).await;
    let began = Instant::now();
    let error = ecs::limits(&client(&url), &project()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_error_answer_is_bounded_like_any_other() {
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'<'; 4096])));
    let (_, url) = peer(vec![json(403, Body::from_stream(endless))]).await;
    let options = HttpOptions {
        max_answer: 64 * 1024,
        ..options()
    };
    let error = ecs::limits(&client_with(&url, options), &project())
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::BadAnswer, Some(403)));
}

#[tokio::test]
async fn a_body_that_only_trickles_in_hits_the_deadline_of_the_try() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffff\r\n".to_vec();
    let url = raw_peer(head, true).await;
    let options = HttpOptions {
        request_timeout: Duration::from_millis(300),
        retries: 0,
        ..options()
    };
    let began = Instant::now();
    let error = ecs::limits(&client_with(&url, options), &project())
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Network, true));
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(300) && took < Duration::from_secs(2),
        "{took:?}"
    );
}

#[tokio::test]
async fn all_tries_and_pauses_together_keep_the_deadline_of_the_call() {
    let url = raw_peer(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n".to_vec(), true).await;
    let options = HttpOptions {
        request_timeout: Duration::from_millis(200),
        call_timeout: Duration::from_millis(700),
        retries: 100,
        ..options()
    };
    let began = Instant::now();
    let error = ecs::limits(&client_with(&url, options), &project())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Network);
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(400) && took < Duration::from_millis(1_500),
        "more than one try, and then the end: {took:?}"
    );
}

#[tokio::test]
async fn a_deadline_without_end_is_one_of_a_day() {
    let (_, url) = peer(vec![json(200, r#"{"absolute":{"maxTotalInstances":7}}"#)]).await;
    let options = HttpOptions {
        call_timeout: Duration::MAX,
        request_timeout: Duration::MAX,
        ..options()
    };
    ecs::limits(&client_with(&url, options), &project())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_time_to_come_again_that_is_absurd_does_no_harm() {
    let mut response = json(429, "{}");
    let absurd = u64::MAX.to_string();
    response
        .headers_mut()
        .insert("retry-after", absurd.parse().unwrap());
    let (peer, url) = peer(vec![response]).await;
    let error = ecs::limits(&client(&url), &project()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert!(error.retry_after().unwrap() <= Duration::from_secs(24 * 3600));
    assert_eq!(peer.seen().len(), 1);
}
