//! Every vector of `fixtures/signing-vectors.json`, which the vendor's own signers computed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use base64::Engine;
use chrono::{DateTime, NaiveDateTime, Utc};
use huaweicloud::Credentials;
use huaweicloud::signing::{self, RequestToSign, obs};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn vectors(kind: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("fixtures/signing-vectors.json")).unwrap();
    file[kind].as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text {key} in {value}"))
}

fn headers(vector: &Value) -> Vec<(String, String)> {
    let map = vector["headers"].as_object().unwrap();
    map.iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

/// The vectors write a value as text, number, bool or list; callers of the crate write text and repeat keys.
fn query(vector: &Value) -> Vec<(String, String)> {
    fn push(pairs: &mut Vec<(String, String)>, key: &str, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|one| push(pairs, key, one)),
            Value::String(value) => pairs.push((key.to_owned(), value.clone())),
            other => pairs.push((key.to_owned(), other.to_string())),
        }
    }
    let mut pairs = Vec::new();
    for pair in vector["query"].as_array().unwrap() {
        push(&mut pairs, pair[0].as_str().unwrap(), &pair[1]);
    }
    pairs
}

fn body(vector: &Value) -> Vec<u8> {
    match vector.get("body_base64").and_then(Value::as_str) {
        Some(encoded) => base64::engine::general_purpose::STANDARD.decode(encoded).unwrap(),
        None => vector["body"].as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

fn credentials(vector: &Value) -> Credentials {
    Credentials::permanent(text(vector, "ak"), text(vector, "sk"))
}

fn moment(vector: &Value) -> DateTime<Utc> {
    NaiveDateTime::parse_from_str(text(vector, "date"), signing::DATE_FORMAT)
        .unwrap()
        .and_utc()
}

#[test]
fn every_step_of_every_request_vector_is_reproduced() {
    let vectors = vectors("vectors");
    assert_eq!(vectors.len(), 38);
    for vector in &vectors {
        let name = text(vector, "name");
        let expected = &vector["expected"];
        let (query, body) = (query(vector), body(vector));
        let mut all = headers(vector);
        for (added, value) in expected["added_headers"].as_object().unwrap() {
            all.push((added.clone(), value.as_str().unwrap().to_owned()));
        }
        let request = RequestToSign {
            method: text(vector, "method"),
            path: text(vector, "path"),
            query: &query,
            headers: &all,
            body: &body,
        };
        let signed = signing::signed_headers(&all);
        let canonical = signing::canonical_request(&request, &signed);
        let to_sign = signing::string_to_sign(text(vector, "date"), &canonical);
        let signature = signing::signature(&SecretString::from(text(vector, "sk")), &to_sign);

        assert_eq!(
            signing::canonical_uri(request.path),
            text(expected, "canonical_uri"),
            "{name}"
        );
        assert_eq!(
            signing::canonical_query(&query),
            text(expected, "canonical_query"),
            "{name}"
        );
        assert_eq!(signed.join(";"), text(expected, "signed_headers"), "{name}");
        assert_eq!(
            signing::payload_hash(&request),
            text(expected, "payload_hash"),
            "{name}"
        );
        assert_eq!(canonical, text(expected, "canonical_request"), "{name}");
        assert_eq!(
            hex::encode(Sha256::digest(&canonical)),
            text(expected, "canonical_request_sha256"),
            "{name}"
        );
        assert_eq!(to_sign, text(expected, "string_to_sign"), "{name}");
        assert_eq!(signature, text(expected, "signature"), "{name}");
    }
}

#[test]
fn signing_a_request_vector_adds_exactly_the_headers_of_the_official_signer() {
    for vector in &vectors("vectors") {
        let name = text(vector, "name");
        let expected = &vector["expected"];
        let (query, body, given) = (query(vector), body(vector), headers(vector));
        let request = RequestToSign {
            method: text(vector, "method"),
            path: text(vector, "path"),
            query: &query,
            headers: &given,
            body: &body,
        };
        let mut added = signing::sign(
            &request,
            text(vector, "host"),
            &credentials(vector),
            moment(vector),
        );
        let mut wanted: Vec<(String, String)> = expected["added_headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        wanted.push((
            "Authorization".to_owned(),
            text(expected, "authorization").to_owned(),
        ));
        added.sort();
        wanted.sort();
        assert_eq!(added, wanted, "{name}");
    }
}

#[test]
fn the_date_and_the_security_token_are_added_and_signed_when_the_caller_gave_none() {
    let now = DateTime::from_timestamp(1_767_323_045, 0).unwrap();
    let credentials = Credentials {
        security_token: Some("gQpjbi1ub3J0aC00ExampleToken==".into()),
        ..Credentials::permanent("EXAMPLEAK00000000002", "another/Secret+Key")
    };
    let bare = RequestToSign {
        method: "GET",
        path: "/v3/projects",
        query: &[],
        headers: &[],
        body: b"",
    };
    let added = signing::sign(&bare, "iam.myhuaweicloud.com", &credentials, now);
    let named = |name: &str| added.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(named("X-Sdk-Date"), Some("20260102T030405Z"));
    assert_eq!(named("X-Security-Token"), Some("gQpjbi1ub3J0aC00ExampleToken=="));
    assert!(
        named("Authorization")
            .unwrap()
            .contains("SignedHeaders=host;x-sdk-date;x-security-token"),
        "{added:?}"
    );
}

#[test]
fn every_obs_vector_is_reproduced() {
    let vectors = vectors("obs_vectors");
    assert_eq!(vectors.len(), 11);
    for vector in &vectors {
        let name = text(vector, "name");
        let expected = &vector["expected"];
        let headers = headers(vector);
        let query: Vec<(String, Option<String>)> = vector["query"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().map(str::to_owned)))
            .collect();
        let request = obs::RequestToSign {
            method: text(vector, "method"),
            bucket: vector["bucket"].as_str(),
            key: vector["key"].as_str(),
            query: &query,
            headers: &headers,
        };
        let expires = vector
            .get("expires")
            .and_then(Value::as_str)
            .map(|text| text.parse().unwrap());
        let to_sign = obs::string_to_sign(&request, expires);
        let signature = obs::signature(&SecretString::from(text(vector, "sk")), &to_sign);
        assert_eq!(to_sign, text(expected, "string_to_sign"), "{name}");
        assert_eq!(signature, text(expected, "signature"), "{name}");
        if expires.is_none() {
            assert_eq!(
                obs::authorization(&SecretString::from(text(vector, "ak")), &signature),
                text(expected, "authorization"),
                "{name}"
            );
            let now = DateTime::from_timestamp(1_767_323_045, 0).unwrap();
            let added = obs::sign(&request, &credentials(vector), now);
            assert_eq!(added.last().unwrap().1, text(expected, "authorization"), "{name}");
        }
    }
}

#[test]
fn printed_credentials_show_no_key() {
    let credentials = Credentials {
        security_token: Some("ExampleToken".into()),
        ..Credentials::permanent("EXAMPLEAK00000000001", "ExampleSecret")
    };
    let printed = format!("{credentials:?}");
    assert!(
        !printed.contains("EXAMPLEAK") && !printed.contains("Example"),
        "{printed}"
    );
}
