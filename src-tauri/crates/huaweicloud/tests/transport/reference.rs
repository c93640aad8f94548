//! The signature written a second time, from the notes on the algorithm alone and without anything of the crate, and
//! compared with what the crate makes of any request, on paper and over the wire.

use std::fmt::Write;
use std::sync::LazyLock;

use chrono::DateTime;
use huaweicloud::signing::{self, RequestToSign};
use huaweicloud::{Client, Credentials, ErrorKind, HttpOptions, Rate, ecs};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::peer::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// RFC 2104, word by word, for a hash whose block has 64 bytes.
pub fn hmac<H: Digest>(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        let short = H::digest(key);
        block[..short.len()].copy_from_slice(&short);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8, text: &[u8]| {
        let block = block.iter().map(|byte| byte ^ pad);
        H::digest(block.chain(text.iter().copied()).collect::<Vec<u8>>()).to_vec()
    };
    padded(0x5c, &padded(0x36, text))
}

/// Everything percent-encoded but what RFC 3986 leaves alone, and `also`.
pub fn encode(bytes: &[u8], also: &str) -> String {
    bytes.iter().fold(String::new(), |mut text, &byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(byte as char),
            _ if also.as_bytes().contains(&byte) => text.push(byte as char),
            _ => write!(text, "%{byte:02X}").unwrap(),
        }
        text
    })
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// Step 6 of the notes.
fn query_text(query: &[(String, String)]) -> String {
    let mut pairs: Vec<(Vec<char>, Vec<char>)> = query
        .iter()
        .map(|(key, value)| (key.chars().collect(), value.chars().collect()))
        .collect();
    pairs.sort();
    let text = |chars: &[char]| encode(chars.iter().collect::<String>().as_bytes(), "");
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", text(key), text(value)))
        .collect();
    pairs.join("&")
}

/// Steps 4 to 12, for headers that are complete.
fn authorization(request: &RequestToSign<'_>, access_key: &str, secret_key: &str) -> String {
    let first = |name: &str| {
        request
            .headers
            .iter()
            .find(|(given, _)| given.to_lowercase() == name)
            .map(|(_, value)| value.as_str())
    };
    let mut names: Vec<String> = request
        .headers
        .iter()
        .map(|(name, _)| name.to_lowercase())
        .collect();
    names.retain(|name| !name.contains('_'));
    names.sort();
    names.dedup();

    let decoded = decode(request.path);
    let mut uri = decoded
        .split(|byte| *byte == b'/')
        .map(|part| encode(part, ""))
        .collect::<Vec<_>>()
        .join("/");
    if !uri.ends_with('/') {
        uri += "/";
    }
    let mut headers = String::new();
    for name in &names {
        writeln!(headers, "{name}:{}", first(name).unwrap().trim()).unwrap();
    }
    let hash = match first("x-sdk-content-sha256") {
        Some(given) if !request.body.is_empty() => given.trim().to_owned(),
        _ => sha256(request.body),
    };
    let canonical = [
        request.method.to_uppercase(),
        uri,
        query_text(request.query),
        headers,
        names.join(";"),
        hash,
    ]
    .join("\n");
    let date = first("x-sdk-date").unwrap().trim();
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", sha256(canonical.as_bytes()));
    format!(
        "SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={}, Signature={}",
        names.join(";"),
        hex(&hmac::<Sha256>(secret_key.as_bytes(), to_sign.as_bytes()))
    )
}

#[test]
fn the_reference_gives_the_signature_of_the_notes() {
    let headers = [
        ("host".to_owned(), "ecs.cn-north-4.myhuaweicloud.com".to_owned()),
        ("x-sdk-date".to_owned(), "20260102T030405Z".to_owned()),
    ];
    let request = RequestToSign {
        method: "GET",
        path: "/v1/0123456789abcdef0123456789abcdef/cloudservers/4f4b3dfa-eb70-47cf-a60a-998a53bd6666",
        query: &[],
        headers: &headers,
        body: b"",
    };
    let given = authorization(&request, ACCESS_KEY, SECRET_KEY);
    assert!(
        given.ends_with("Signature=ac94c6883275b62c167edc0d1f7d31fce1023ab7ca01406c1c7717df1bb43467"),
        "vector A: {given}"
    );
}

fn pairs(most: usize) -> impl Strategy<Value = Vec<(String, String)>> {
    let text = prop_oneof![".{0,10}", "[a-c:%+&= /~]{0,4}"];
    proptest::collection::vec((text.clone(), text), 0..most)
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![
        "[A-Za-z][A-Za-z0-9_-]{0,10}",
        Just("Content-Type".to_owned()),
        Just("X-Sdk-Content-Sha256".to_owned()),
    ];
    let value = prop_oneof!["[^\r\n]{0,16}", Just("application/json;charset=utf8".to_owned())];
    proptest::collection::vec((name, value), 0..5)
}

proptest! {
    #[test]
    fn any_request_is_signed_as_the_reference_signs_it(
        method in "[a-zA-Z]{1,7}", path in prop_oneof!["(/.{0,8}){0,4}", "(/[%0-9A-Fa-f/]{0,6}){0,4}"],
        query in pairs(6), given in headers(), body in proptest::collection::vec(any::<u8>(), 0..200),
        access_key in "[A-Z0-9]{1,20}", secret_key in ".{0,100}", token in proptest::option::of("[A-Za-z0-9=+/]{1,40}"),
        seconds in 0i64..4_000_000_000,
    ) {
        let credentials = Credentials {
            security_token: token.clone().map(Into::into),
            ..Credentials::permanent(access_key.clone(), secret_key.clone())
        };
        let request = RequestToSign { method: &method, path: &path, query: &query, headers: &given, body: &body };
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        let added = signing::sign(&request, "ecs.example.test", &credentials, now);

        let (last, others) = added.split_last().unwrap();
        prop_assert_eq!(&*last.0, "Authorization");
        // What has to be there is there, from the caller or added.
        let complete: Vec<_> = given.iter().chain(others).cloned().collect();
        let has = |name: &str| complete.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        prop_assert!(has("host") && has("x-sdk-date") && (token.is_none() || has("x-security-token")));
        let complete = RequestToSign { headers: &complete, ..request };
        prop_assert_eq!(&last.1, &authorization(&complete, &access_key, &secret_key));
        prop_assert_eq!(signing::canonical_query(&query), query_text(&query));
    }
}

/// A client and the service that records what it gets; one for all cases.
struct Wire {
    runtime: tokio::runtime::Runtime,
    peer: Peer,
    client: Client,
}

static WIRE: LazyLock<Wire> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (peer, url) = runtime.block_on(peer(vec![]));
    let client = client_with(
        &url,
        HttpOptions {
            retries: 0,
            rate: Rate {
                requests: 1_000,
                window: std::time::Duration::from_millis(1),
            },
            ..options()
        },
    );
    Wire {
        runtime,
        peer,
        client,
    }
});

proptest! {
    #[test]
    fn whatever_goes_over_the_wire_carries_the_reference_s_signature_and_its_query(
        id in "[^/]{1,12}", tags in pairs(4), name in proptest::option::of(".{0,12}"),
    ) {
        // The service does not answer as ECS does; only what it received matters here.
        let Wire { runtime, peer, client } = &*WIRE;
        let query = ecs::ServerQuery { tags: tags.clone(), name: name.clone(), status: None, ..Default::default() };
        runtime.block_on(async {
            let _ = ecs::servers(client, &project(), &query).await;
        });
        let seen = peer.take();
        prop_assert_eq!(seen.len(), 1);
        let mut sent: Vec<(String, String)> =
            tags.iter().map(|(key, value)| ("tags".to_owned(), format!("{key}={value}"))).collect();
        sent.push(("limit".to_owned(), "200".to_owned()));
        sent.extend(name.map(|name| ("name".to_owned(), name)));
        prop_assert_eq!(&seen[0].query, &query_text(&sent), "the canonical query is the one that was sent");
        prop_assert_eq!(seen[0].header("authorization").unwrap(), &expected(&seen[0], &sent));

        let error = runtime.block_on(ecs::server(client, &project(), &id.as_str().into())).unwrap_err();
        let seen = peer.take();
        match &seen[..] {
            [] => prop_assert_eq!(error.kind, ErrorKind::Invalid, "{} was not sent", id),
            [one] => {
                let wanted = format!("/v1/{}/cloudservers/{}", project(), encode(id.as_bytes(), ""));
                prop_assert_eq!(&one.path, &wanted);
                prop_assert_eq!(one.header("authorization").unwrap(), &expected(one, &[]));
            }
            more => prop_assert!(false, "{} requests", more.len()),
        }
    }
}

/// The authorization that a request should carry, from what came over the wire.
fn expected(seen: &Seen, query: &[(String, String)]) -> String {
    let (_, names) = seen
        .header("authorization")
        .unwrap()
        .split_once("SignedHeaders=")
        .unwrap();
    let names: Vec<&str> = names.split(',').next().unwrap().split(';').collect();
    let headers: Vec<(String, String)> = seen
        .headers
        .iter()
        .filter(|(name, _)| names.contains(&name.as_str()))
        .cloned()
        .collect();
    let request = RequestToSign {
        method: &seen.method,
        path: &seen.path,
        query,
        headers: &headers,
        body: &seen.body,
    };
    authorization(&request, ACCESS_KEY, SECRET_KEY)
}
