//! Sizes and deadlines: nothing that a peer does makes a call endless.

use axum::body::{Body, Bytes};
use huaweicloud::{ErrorKind, HttpOptions, ecs, sts};
use std::time::Duration;

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
