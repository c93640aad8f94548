//! Object storage: what a policy file needs, with the storage's own signature.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use common::{Cloud, cloud, fast};
use huaweicloud::signing::obs::{self, RequestToSign};
use sandbox::{Harm, Mishap, Options};
use serde_json::json;

const BUCKET: &str = "example-team-policy";

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Answer {
    fn code(&self) -> &str {
        let (_, rest) = self.text.split_once("<Code>").unwrap_or(("", ""));
        rest.split_once("</Code>").map_or("", |(code, _)| code)
    }

    fn etag(&self) -> String {
        self.headers["etag"].to_str().unwrap().to_owned()
    }
}

async fn ask(
    cloud: &Cloud,
    user: &str,
    method: &str,
    target: (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let (bucket, key) = target;
    let own: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let request = RequestToSign {
        method,
        bucket: Some(bucket),
        key: Some(key),
        query: &[],
        headers: &own,
    };
    let added = obs::sign(&request, &cloud.credentials(user), cloud.now());
    let url = format!("{}/{bucket}/{key}", cloud.region().endpoints["obs"]);
    let mut request = cloud
        .http
        .request(method.parse().unwrap(), url)
        .body(body.to_owned());
    for (name, value) in own.iter().chain(&added) {
        request = request.header(name, value);
    }
    answer(request).await
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

#[tokio::test]
async fn a_policy_file_is_written_read_and_known_by_its_etag() {
    let cloud = cloud(fast()).await;
    let file = (BUCKET, "lease/政策 1.json");
    let headers = [
        ("Content-Type", "application/json"),
        ("x-obs-meta-editor", " mia "),
    ];
    let put = ask(&cloud, "mia", "PUT", file, &headers, "hello").await;
    assert_eq!(put.status, 200, "{}", put.text);
    assert_eq!(
        put.etag(),
        "\"5d41402abc4b2a76b9719d911017c592\"",
        "the quoted MD5"
    );

    let got = ask(&cloud, "ada", "GET", file, &[], "").await;
    assert_eq!((got.status, got.text.as_str()), (200, "hello"));
    assert_eq!(got.headers["content-type"], "application/json");
    assert_eq!(got.headers["x-obs-meta-editor"], "mia");
    let same = ask(&cloud, "ada", "GET", file, &[("If-None-Match", &put.etag())], "").await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    let head = ask(&cloud, "ada", "HEAD", file, &[], "").await;
    assert_eq!(
        (head.status, &head.headers["content-length"]),
        (200, &"5".parse().unwrap())
    );
    let other = ask(&cloud, "ada", "GET", file, &[("If-Match", "\"other\"")], "").await;
    assert_eq!((other.status, other.code()), (412, "PreconditionFailed"));
    let part = ask(&cloud, "ada", "GET", file, &[("Range", "bytes=1-2")], "").await;
    assert_eq!((part.status, part.text.as_str()), (206, "el"));

    ask(&cloud, "mia", "PUT", file, &[], "changed").await;
    let changed = ask(&cloud, "ada", "GET", file, &[("If-None-Match", &put.etag())], "").await;
    assert_eq!(
        (changed.status, changed.text.as_str()),
        (200, "changed"),
        "the last writer wins"
    );
    assert_eq!(ask(&cloud, "mia", "DELETE", file, &[], "").await.status, 204);
    let gone = ask(&cloud, "ada", "GET", file, &[], "").await;
    assert_eq!((gone.status, gone.code()), (404, "NoSuchKey"));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_xml() {
    let cloud = cloud(fast()).await;
    let file = (BUCKET, "a");
    let missing = ask(&cloud, "ada", "GET", ("nowhere", "a"), &[], "").await;
    assert_eq!((missing.status, missing.code()), (404, "NoSuchBucket"));
    let denied = ask(&cloud, "ada", "PUT", file, &[], "x").await;
    assert_eq!(
        (denied.status, denied.code()),
        (403, "AccessDenied"),
        "developers read"
    );
    let digest = [("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    let bad = ask(&cloud, "mia", "PUT", file, &digest, "x").await;
    assert_eq!((bad.status, bad.code()), (400, "BadDigest"));
    let late = [("Date", "Fri, 02 Jan 2026 03:04:05 GMT")];
    let late = ask(&cloud, "mia", "PUT", file, &late, "x").await;
    assert_eq!((late.status, late.code()), (403, "RequestTimeTooSkewed"));
    let large = ask(&cloud, "mia", "PUT", file, &[], &"x".repeat(5 * 1024 * 1024)).await;
    assert_eq!((large.status, large.code()), (400, "EntityTooLarge"));

    let url = format!("{}/{BUCKET}/a", cloud.region().endpoints["obs"]);
    let anonymous = answer(cloud.http.get(&url)).await;
    assert_eq!((anonymous.status, anonymous.code()), (403, "AccessDenied"));
    let date = cloud.now().format(obs::DATE_FORMAT).to_string();
    let signed = |header: &str| {
        cloud
            .http
            .get(&url)
            .header("Date", &date)
            .header("Authorization", header)
    };
    let unknown = answer(signed("OBS NOBODY:c2ln")).await;
    assert_eq!((unknown.status, unknown.code()), (403, "InvalidAccessKeyId"));
    let key = &cloud.announcement.user("ada").unwrap().access_key;
    let wrong = answer(signed(&format!("OBS {key}:c2ln"))).await;
    assert_eq!((wrong.status, wrong.code()), (403, "SignatureDoesNotMatch"));
    assert!(
        wrong
            .text
            .contains(&format!("StringToSign: GET|||{date}|/{BUCKET}/a")),
        "{}",
        wrong.text
    );
}

#[tokio::test]
async fn a_signed_url_is_a_key_of_its_own_until_it_expires() {
    let cloud = cloud(fast()).await;
    assert_eq!(
        ask(&cloud, "mia", "PUT", (BUCKET, "p.json"), &[], "{}")
            .await
            .status,
        200
    );
    let credentials = cloud.credentials("mia");
    let url = |expires: i64| {
        let request = RequestToSign {
            method: "GET",
            bucket: Some(BUCKET),
            key: Some("p.json"),
            query: &[],
            headers: &[],
        };
        let signature = obs::signature(
            &credentials.secret_key,
            &obs::string_to_sign(&request, Some(expires)),
        );
        let signature: String =
            percent_encoding::utf8_percent_encode(&signature, percent_encoding::NON_ALPHANUMERIC).to_string();
        format!(
            "{}/{BUCKET}/p.json?AccessKeyId={}&Expires={expires}&Signature={signature}",
            cloud.region().endpoints["obs"],
            cloud.announcement.user("mia").unwrap().access_key
        )
    };
    let now = cloud.now().timestamp();
    let got = answer(cloud.http.get(url(now + 600))).await;
    assert_eq!((got.status, got.text.as_str()), (200, "{}"));
    let expired = answer(cloud.http.get(url(now - 1))).await;
    assert_eq!((expired.status, expired.code()), (403, "AccessDenied"));
    let put = answer(cloud.http.put(url(now + 600)).body("x")).await;
    assert_eq!(put.code(), "SignatureDoesNotMatch", "the method is signed");
}

#[tokio::test]
async fn the_bucket_may_stand_in_the_hosts_name() {
    let cloud = cloud(fast()).await;
    ask(
        &cloud,
        "mia",
        "PUT",
        (BUCKET, "h/x"),
        &[("x-obs-acl", "public-read")],
        "by host",
    )
    .await;
    let base = &cloud.region().endpoints["obs"];
    let request = cloud
        .http
        .get(format!("{base}/h/x"))
        .header("Host", format!("{BUCKET}.obs.localhost:80"));
    let got = answer(request).await;
    assert_eq!(
        (got.status, got.text.as_str()),
        (200, "by host"),
        "public objects need no key"
    );
}

#[tokio::test]
async fn the_storage_can_be_slow_of_breath_and_keeps_its_objects_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        state_file: Some(folder.path().join("state.json")),
        ..fast()
    };
    let first = cloud(options.clone()).await;
    ask(&first, "mia", "PUT", (BUCKET, "kept"), &[], "here").await;
    let rule = Mishap {
        service: Some("obs".to_owned()),
        count: Some(1),
        ..Mishap::always(Harm::Throttle {
            limit: None,
            minutes: None,
        })
    };
    assert!(first.running.cause(rule));
    let slow = ask(&first, "ada", "GET", (BUCKET, "kept"), &[], "").await;
    assert_eq!((slow.status, slow.code()), (503, "SlowDown"));
    assert_eq!(
        ask(&first, "ada", "GET", (BUCKET, "kept"), &[], "").await.status,
        200,
        "once only"
    );
    first.running.stop().await.unwrap();

    let second = cloud(options).await;
    assert_eq!(
        ask(&second, "ada", "GET", (BUCKET, "kept"), &[], "").await.text,
        "here"
    );
    let rules = second.control("GET", "/mishaps", None).await.ok();
    assert_eq!(rules, json!([]), "what goes wrong does not outlive a run");
}

#[tokio::test]
async fn five_bad_signatures_at_the_storage_lock_the_key_everywhere_and_a_right_one_starts_anew() {
    let cloud = cloud(fast()).await;
    ask(&cloud, "mia", "PUT", (BUCKET, "l"), &[], "x").await;
    let key = cloud.announcement.user("ada").unwrap().access_key.clone();
    let url = format!("{}/{BUCKET}/l", cloud.region().endpoints["obs"]);
    let date = cloud.now().format(obs::DATE_FORMAT).to_string();
    let wrong = async || {
        let request = cloud.http.get(&url).header("Date", &date);
        answer(request.header("Authorization", format!("OBS {key}:c2ln"))).await
    };
    for _ in 0..4 {
        assert_eq!(wrong().await.code(), "SignatureDoesNotMatch");
    }
    let right = async || ask(&cloud, "ada", "GET", (BUCKET, "l"), &[], "").await;
    assert_eq!(right().await.status, 200, "four are not five");
    for _ in 0..5 {
        assert_eq!(wrong().await.code(), "SignatureDoesNotMatch");
    }
    let locked = right().await;
    assert_eq!((locked.status, locked.code()), (403, "AccessDenied"));
    assert!(
        locked.text.contains("failed to reach the limit"),
        "{}",
        locked.text
    );
    let elsewhere = cloud.call("ada", "GET", "sts", "/v5/caller-identity", None).await;
    assert_eq!(
        elsewhere.code(),
        (401, "APIGW.0301".to_owned()),
        "it is the key that is locked"
    );
    let other = ask(&cloud, "bo", "GET", (BUCKET, "l"), &[], "").await;
    assert_eq!(other.status, 200, "and nobody else's");
    cloud.move_clock(301).await;
    assert_eq!(right().await.status, 200, "five minutes later");
}
