//! The signature of object storage written a second time, from the notes on the algorithm alone and without anything of
//! the crate, and compared with what the crate makes of any request.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use huaweicloud::Credentials;
use huaweicloud::signing::obs::{self, RequestToSign};
use proptest::prelude::*;
use sha1::Sha1;

use super::reference::{encode, hmac};

/// Of the keys that the tests use, those that name a part of the resource.
const PARTS: [&str; 4] = [
    "acl",
    "response-content-type",
    "versionId",
    "x-obs-security-token",
];
const OTHERS: [&str; 4] = ["prefix", "marker", "max-keys", "delimiter"];

#[derive(Debug)]
struct Asked {
    method: String,
    bucket: Option<String>,
    key: Option<String>,
    query: BTreeMap<String, Option<String>>,
    headers: BTreeMap<String, String>,
}

fn text_to_sign(asked: &Asked, expires: Option<i64>) -> String {
    let lower: BTreeMap<String, &str> = asked
        .headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.as_str()))
        .collect();
    let header = |name: &str| lower.get(name).copied().unwrap_or_default().to_owned();
    let date = match expires {
        Some(expires) => expires.to_string(),
        None if lower.contains_key("x-obs-date") => String::new(),
        None => header("date"),
    };
    let mut text = [
        asked.method.to_uppercase(),
        header("content-md5"),
        header("content-type"),
        date,
    ]
    .join("\n");
    text += "\n";
    for (name, value) in lower.iter().filter(|(name, _)| name.starts_with("x-obs-")) {
        let value = if name.starts_with("x-obs-meta-") {
            value.trim()
        } else {
            value
        };
        text += &format!("{name}:{value}\n");
    }
    text += "/";
    if let Some(bucket) = &asked.bucket {
        text += &format!(
            "{bucket}/{}",
            asked
                .key
                .as_deref()
                .map(|key| encode(key.as_bytes(), "/"))
                .unwrap_or_default()
        );
    }
    let parts: Vec<String> = asked
        .query
        .iter()
        .filter(|(name, _)| PARTS.contains(&name.as_str()))
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        })
        .collect();
    if !parts.is_empty() {
        text += &format!("?{}", parts.join("&"));
    }
    text
}

fn asked() -> impl Strategy<Value = Asked> {
    let name = prop_oneof![
        Just("Content-MD5".to_owned()),
        Just("Content-Type".to_owned()),
        Just("Date".to_owned()),
        Just("x-obs-date".to_owned()),
        Just("x-obs-acl".to_owned()),
        Just("X-Obs-Meta-Editor".to_owned()),
        Just("If-None-Match".to_owned()),
        "x-obs-meta-[a-z]{1,6}",
        "[a-z]{3,9}",
    ];
    let query = prop::sample::select([PARTS, OTHERS].concat()).prop_map(str::to_owned);
    (
        "[a-zA-Z]{1,7}",
        proptest::option::of("[a-z0-9.-]{3,20}"),
        proptest::option::of(prop_oneof![".{1,20}", "[a-c/~%+ .文]{1,12}"]),
        proptest::collection::btree_map(query, proptest::option::of(".{0,10}"), 0..5),
        proptest::collection::btree_map(name, "[^\r\n]{0,16}", 0..6),
    )
        .prop_map(|(method, bucket, key, query, headers)| Asked {
            method,
            bucket,
            key,
            query,
            headers,
        })
}

proptest! {
    #[test]
    fn any_request_to_object_storage_is_signed_as_the_reference_signs_it(
        asked in asked(), access_key in "[A-Z0-9]{1,20}", secret_key in ".{0,100}",
        token in proptest::option::of("[A-Za-z0-9=+/]{1,40}"), seconds in 0i64..4_000_000_000,
    ) {
        let headers: Vec<(String, String)> = asked.headers.clone().into_iter().collect();
        let query: Vec<(String, Option<String>)> = asked.query.clone().into_iter().collect();
        let request = RequestToSign {
            method: &asked.method,
            bucket: asked.bucket.as_deref(),
            key: asked.key.as_deref(),
            query: &query,
            headers: &headers,
        };
        let by_address = text_to_sign(&asked, Some(seconds));
        prop_assert_eq!(obs::string_to_sign(&request, Some(seconds)), &*by_address);
        let signature = STANDARD.encode(hmac::<Sha1>(secret_key.as_bytes(), by_address.as_bytes()));
        prop_assert_eq!(obs::signature(&secret_key.clone().into(), &by_address), signature);

        let credentials = Credentials {
            security_token: token.clone().map(Into::into),
            ..Credentials::permanent(access_key.clone(), secret_key.clone())
        };
        let added = obs::sign(&request, &credentials, DateTime::from_timestamp(seconds, 0).unwrap());
        let (last, others) = added.split_last().unwrap();
        let mut complete = asked;
        complete.headers.extend(others.iter().cloned());
        let has = |name: &str| complete.headers.keys().any(|given| given.eq_ignore_ascii_case(name));
        prop_assert!(has("date") || has("x-obs-date"));
        prop_assert!(token.is_none() || has("x-obs-security-token"));
        let text = text_to_sign(&complete, None);
        let signature = STANDARD.encode(hmac::<Sha1>(secret_key.as_bytes(), text.as_bytes()));
        prop_assert_eq!(last, &("Authorization".to_owned(), format!("OBS {access_key}:{signature}")));
    }
}
