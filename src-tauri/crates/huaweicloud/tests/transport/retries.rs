//! What is sent again, and what never is.

use huaweicloud::{ErrorKind, HttpOptions, ecs, sts};
use tokio::io::AsyncReadExt;

use super::peer::*;

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
