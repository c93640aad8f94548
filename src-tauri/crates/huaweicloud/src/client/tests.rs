//! Calls of every method, as a server on the loopback interface receives them.

use std::collections::BTreeMap;

use ::http::{HeaderMap, Method};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::Response;
use tokio::sync::mpsc;
use url::Url;

use super::*;
use crate::endpoints::{Region, Service};
use crate::error::ErrorKind;
use crate::signing;

type Seen = (Method, String, HeaderMap, Bytes);

/// A server that answers each request with the same answer and passes on what it got.
async fn server(answer: fn() -> Response) -> (mpsc::UnboundedReceiver<Seen>, String) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let router = Router::new().fallback(move |request: Request| {
        let sender = sender.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            // A test that does not look has dropped the other end.
            let _ = sender.send((parts.method, parts.uri.to_string(), parts.headers, body));
            answer()
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (receiver, url)
}

fn ok() -> Response {
    Response::builder()
        .header("etag", "\"v2\"")
        .body("plain".into())
        .unwrap()
}

fn client(url: &str) -> Client {
    let endpoints: BTreeMap<_, _> = [Service::Ecs, Service::Obs]
        .into_iter()
        .map(|service| (service, url.parse().unwrap()))
        .collect();
    let region = Region {
        id: "r-1".into(),
        name_zh: None,
        name_en: None,
        endpoints,
    };
    Client::new(
        Http::new(HttpOptions {
            retries: 0,
            ..HttpOptions::default()
        })
        .unwrap(),
        Credentials::permanent(
            "EXAMPLEAK00000000001",
            "ExampleSecretKey0000000000000000000000001",
        ),
        Endpoints::empty().with_region(region).unwrap(),
        "r-1".into(),
    )
}

#[tokio::test]
async fn every_method_goes_out_with_its_raw_body_and_its_own_headers() {
    let (mut seen, url) = server(ok).await;
    let client = client(&url);
    let put = Call::put(Service::Ecs, "Put", ["a"], &b"\x00raw\xff"[..])
        .with_header("Content-Type", "application/octet-stream")
        .with_header("X-Own", "值");
    client.send(&put).await.unwrap();
    let (method, uri, headers, body) = seen.recv().await.unwrap();
    assert_eq!(
        (method, uri.as_str(), &body[..]),
        (Method::PUT, "/a", &b"\x00raw\xff"[..])
    );
    assert_eq!(headers.get_all("content-type").iter().count(), 1);
    assert_eq!(headers["content-type"], "application/octet-stream");
    assert_eq!(headers["x-sdk-content-sha256"], "UNSIGNED-PAYLOAD");
    assert_eq!(headers["x-own"].as_bytes(), "值".as_bytes());
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(
        authorization.contains("SignedHeaders=content-type;host;x-own;x-sdk-content-sha256;x-sdk-date"),
        "{authorization}"
    );

    client
        .send(&Call::delete(Service::Ecs, "Delete", ["a"]))
        .await
        .unwrap();
    let (method, _, headers, body) = seen.recv().await.unwrap();
    assert_eq!((method, body.len()), (Method::DELETE, 0));
    assert_eq!(headers["content-type"], "application/json");

    let answer = client
        .send(&Call::head(Service::Ecs, "Head", ["a"]))
        .await
        .unwrap();
    assert_eq!(seen.recv().await.unwrap().0, Method::HEAD);
    assert_eq!(
        (answer.status(), answer.header("etag"), answer.bytes().len()),
        (200, Some("\"v2\""), 0)
    );
}

#[tokio::test]
async fn an_object_is_put_and_read_with_the_signature_of_obs() {
    let (mut seen, url) = server(ok).await;
    let client = client(&url);
    let key: Vec<&str> = "lease/规则 1.json".split('/').collect();
    let put = Call::put(Service::Obs, "PutObject", key.clone(), "{}")
        .in_bucket("team-policy")
        .with_header("Content-Type", "application/json");
    client.send(&put).await.unwrap();
    let (_, uri, headers, body) = seen.recv().await.unwrap();
    assert_eq!(uri, "/team-policy/lease/%E8%A7%84%E5%88%99%201.json");
    assert_eq!(&body[..], b"{}");
    let given = vec![
        ("Date".to_owned(), headers["date"].to_str().unwrap().to_owned()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ];
    let request = signing::obs::RequestToSign {
        method: "PUT",
        bucket: Some("team-policy"),
        key: Some("lease/规则 1.json"),
        query: &[],
        headers: &given,
    };
    let (_, expected) = signing::obs::sign(&request, client.credentials(), Utc::now())
        .pop()
        .unwrap();
    assert_eq!(headers["authorization"], expected);

    let answer = client
        .send(&Call::get(Service::Obs, "GetObject", key).in_bucket("team-policy"))
        .await
        .unwrap();
    assert_eq!(
        (answer.bytes(), answer.header("ETag")),
        (&b"plain"[..], Some("\"v2\""))
    );
    assert!(seen.recv().await.unwrap().2.get("content-type").is_none());

    for bucket in ["", "ab", "Team", "a/b", "..", "-ab", "a..b", "a@b.c"] {
        let call = Call::get(Service::Obs, "GetObject", ["k"]).in_bucket(bucket);
        assert_eq!(
            client.send(&call).await.err().unwrap().kind,
            ErrorKind::Invalid,
            "{bucket}"
        );
    }
}

#[test]
fn a_bucket_stands_in_front_of_a_hosts_name() {
    let client = Client::new(
        Http::new(HttpOptions::default()).unwrap(),
        Credentials::permanent("a", "s"),
        Endpoints::builtin(),
        "cn-north-4".into(),
    );
    let call = Call::get(Service::Obs, "GetObject", ["k"]).in_bucket("team-policy");
    assert_eq!(
        client.url(&call).unwrap().as_str(),
        "https://team-policy.obs.cn-north-4.myhuaweicloud.com/k"
    );
}

#[tokio::test]
async fn an_object_that_did_not_change_is_no_error_for_whom_asked_so() {
    let (_, url) = server(|| Response::builder().status(304).body("".into()).unwrap()).await;
    let client = client(&url);
    let call = Call::get(Service::Obs, "GetObject", ["k"]).in_bucket("team-policy");
    let answer = client
        .send(&call.clone().with_header("If-None-Match", "\"v1\""))
        .await
        .unwrap();
    assert_eq!(answer.status(), 304);
    assert_eq!(
        client.send(&call).await.err().unwrap().kind,
        ErrorKind::BadAnswer,
        "nobody asked for it"
    );
}

#[tokio::test]
async fn a_signed_address_is_used_as_it_is_and_only_encrypted() {
    let (mut seen, url) = server(ok).await;
    let client = client(&url);
    let address: Url = format!("{url}/b/k?AccessKeyId=A&Expires=1&Signature=a%2Bb%3D")
        .parse()
        .unwrap();
    let call = Call::get_signed(Service::Obs, "GetObject", address);
    client.send(&call).await.unwrap();
    let (_, uri, headers, _) = seen.recv().await.unwrap();
    assert_eq!(uri, "/b/k?AccessKeyId=A&Expires=1&Signature=a%2Bb%3D");
    assert!(headers.get("authorization").is_none(), "a key has no place here");

    let open: Url = "http://bucket.example.test/k?Signature=a".parse().unwrap();
    let refused = client
        .send(&Call::get_signed(Service::Obs, "GetObject", open))
        .await
        .err()
        .unwrap();
    assert_eq!(
        (refused.kind, refused.outcome_unknown),
        (ErrorKind::Invalid, false)
    );
}

#[test]
fn only_reads_and_creations_with_a_token_are_sent_again() {
    let token = uuid::Uuid::from_u128(7);
    let repeatable = |call: Call<'_>| call.may_repeat();
    assert!(repeatable(Call::get(Service::Ecs, "A", ["a"])));
    assert!(repeatable(Call::head(Service::Ecs, "A", ["a"])));
    assert!(repeatable(
        Call::post(Service::Ecs, "A", ["a"], "").with_client_token(token)
    ));
    assert!(!repeatable(Call::post(Service::Ecs, "A", ["a"], "")));
    assert!(!repeatable(Call::put(Service::Ecs, "A", ["a"], "")));
    assert!(!repeatable(Call::delete(Service::Ecs, "A", ["a"])));
    let claimed = Call {
        repeatable: true,
        ..Call::post(Service::Ecs, "A", ["a"], "")
    };
    assert!(!repeatable(claimed), "saying so is not enough");
}
