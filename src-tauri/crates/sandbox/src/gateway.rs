//! The gateway in front of every service: who calls, and is it really them?
//!
//! It verifies `SDK-HMAC-SHA256` as the cloud does: the key must exist, the date must be within fifteen minutes, `host` and
//! `x-sdk-date` must be signed, the body must have the announced hash, the signature must be the one the secret gives.
//! Five wrong signatures in a row lock a key for five minutes, whatever it sends meanwhile. The key is locked, not the host:
//! wrong signatures at object storage count too, and a locked key is refused there as well.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use huaweicloud::signing::{self, RequestToSign};
use sha2::{Digest, Sha256};

use crate::{
    faults::Fault,
    users::{self, User},
    wire::Request,
};

const WINDOW: TimeDelta = TimeDelta::minutes(15);
const FAILURES_TO_LOCK: u32 = 5;
const LOCK: TimeDelta = TimeDelta::minutes(5);
/// How a locked key is refused.
pub(crate) const LOCKED: &str = "AK access failed to reach the limit,forbidden";

/// What is remembered of each key. Not part of the state that survives a restart.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    keys: Mutex<HashMap<&'static str, Record>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Record {
    failures: u32,
    locked_until: Option<DateTime<Utc>>,
}

/// The three parts of the `Authorization` header.
struct Authorization {
    access_key: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    fn parse(header: &str) -> Option<Self> {
        let parameters = header.strip_prefix(signing::ALGORITHM)?.strip_prefix(' ')?;
        let (mut access_key, mut signed_headers, mut signature) = (None, None, None);
        for parameter in parameters.split(',') {
            let (name, value) = parameter.trim().split_once('=')?;
            match name {
                "Access" => access_key = Some(value.to_owned()),
                "SignedHeaders" => signed_headers = Some(value.split(';').map(str::to_owned).collect()),
                "Signature" => signature = Some(value.to_owned()),
                _ => return None,
            }
        }
        Some(Self {
            access_key: access_key?,
            signed_headers: signed_headers?,
            signature: signature?,
        })
    }
}

impl Gateway {
    /// The user whose key signed the request. Every refusal is a 401 `APIGW.0301`.
    pub(crate) fn authenticate(&self, request: &Request, now: DateTime<Utc>) -> Result<&'static User, Fault> {
        let header = request
            .header("authorization")
            .ok_or_else(|| refusal("authorization header missing"))?;
        let authorization =
            Authorization::parse(&header).ok_or_else(|| refusal("authorization header malformed"))?;
        let user = users::by_access_key(&authorization.access_key).ok_or_else(|| {
            refusal(&format!(
                "Get secretKey failed,ak:{},err:ak not exist",
                authorization.access_key
            ))
        })?;
        self.refuse_locked(user, now)?;

        let date = request.header(signing::DATE_HEADER).unwrap_or_default();
        for required in ["host", "x-sdk-date"] {
            if !authorization.signed_headers.iter().any(|name| name == required) {
                return Err(refusal(&format!("header {required} must be signed")));
            }
        }
        let signed_at = NaiveDateTime::parse_from_str(date.trim(), signing::DATE_FORMAT)
            .map_err(|_| refusal("x-sdk-date missing or malformed"))?
            .and_utc();
        if (now - signed_at).abs() > WINDOW {
            return Err(refusal(&format!(
                "signature expired, signature time:{},server time:{}",
                date.trim(),
                now.format(signing::DATE_FORMAT)
            )));
        }
        if request.header(signing::SECURITY_TOKEN_HEADER).is_some() {
            return Err(refusal("the security token is unknown"));
        }

        // Only signed headers are looked at: an unsigned content hash must not decide what the body's hash is.
        let headers: Vec<(String, String)> = authorization
            .signed_headers
            .iter()
            .filter_map(|name| Some((name.clone(), request.header(name)?)))
            .collect();
        if headers.len() != authorization.signed_headers.len() {
            return Err(refusal("a signed header is missing from the request"));
        }
        let announced_hash = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(signing::CONTENT_HASH_HEADER));
        if let Some((_, announced)) = announced_hash
            && announced != "UNSIGNED-PAYLOAD"
            && *announced != hex::encode(Sha256::digest(request.bytes()))
        {
            return Err(self.failed(user, now, "the body does not have the announced hash"));
        }

        let canonical = signing::canonical_request(
            &RequestToSign {
                method: request.method.as_str(),
                path: &request.path,
                query: &request.query(),
                headers: &headers,
                body: request.bytes(),
            },
            &authorization.signed_headers,
        );
        let expected = signing::signature(
            &user.secret_key(),
            &signing::string_to_sign(date.trim(), &canonical),
        );
        if expected != authorization.signature {
            let seen = canonical.replace('\n', "|");
            return Err(self.failed(
                user,
                now,
                &format!("verify aksk signature fail, canonicalRequest:{seen}"),
            ));
        }
        self.forget_wrong(user);
        Ok(user)
    }

    fn refuse_locked(&self, user: &User, now: DateTime<Utc>) -> Result<(), Fault> {
        if self.is_locked(user, now) {
            return Err(refusal(LOCKED));
        }
        Ok(())
    }

    /// Whether nothing that this key signs is listened to.
    pub(crate) fn is_locked(&self, user: &User, now: DateTime<Utc>) -> bool {
        let mut keys = self.keys();
        let Some(until) = keys.get(user.access_key).and_then(|record| record.locked_until) else {
            return false;
        };
        if now >= until {
            keys.remove(user.access_key);
        }
        now < until
    }

    fn failed(&self, user: &'static User, now: DateTime<Utc>, reason: &str) -> Fault {
        self.count_wrong(user, now);
        refusal(reason)
    }

    /// A signature was the right one: the count starts anew.
    pub(crate) fn forget_wrong(&self, user: &User) {
        self.keys().remove(user.access_key);
    }

    /// A signature was none that the key's secret makes.
    pub(crate) fn count_wrong(&self, user: &'static User, now: DateTime<Utc>) {
        let mut keys = self.keys();
        let record = keys.entry(user.access_key).or_default();
        record.failures += 1;
        if record.failures >= FAILURES_TO_LOCK {
            record.locked_until = Some(now + LOCK);
        }
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Record>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(reason: &str) -> Fault {
    Fault::new(
        401,
        "APIGW.0301",
        format!("Incorrect IAM authentication information: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, Method};
    use huaweicloud::Credentials;

    use super::*;
    use crate::{
        users::{EXAMPLE_AK_ADA, EXAMPLE_SK_ADA},
        wire::Body,
    };

    fn noon() -> DateTime<Utc> {
        "2026-01-02T12:00:00Z".parse().unwrap()
    }

    fn signed(secret: &str, at: DateTime<Utc>, headers: &[(&str, &str)], body: &str) -> Request {
        let own: Vec<(String, String)> = headers
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect();
        let query = vec![
            ("name".to_owned(), "开发 a+b".to_owned()),
            ("limit".to_owned(), "5".to_owned()),
        ];
        let to_sign = RequestToSign {
            method: "POST",
            path: "/v1/p/开发 x",
            query: &query,
            headers: &own,
            body: body.as_bytes(),
        };
        let added = signing::sign(
            &to_sign,
            "127.0.0.1:1",
            &Credentials::permanent(EXAMPLE_AK_ADA, secret),
            at,
        );
        let mut map = HeaderMap::new();
        for (name, value) in own.into_iter().chain(added) {
            map.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        Request {
            method: Method::POST,
            path: "/v1/p/%E5%BC%80%E5%8F%91%20x".to_owned(),
            raw_query: signing::canonical_query(&query),
            headers: map,
            body: Body::Whole(Bytes::copy_from_slice(body.as_bytes())),
        }
    }

    #[test]
    fn a_request_signed_with_the_users_secret_is_theirs() {
        let gateway = Gateway::default();
        let request = signed(
            EXAMPLE_SK_ADA,
            noon(),
            &[("Content-Type", "application/json")],
            "{}",
        );
        assert_eq!(gateway.authenticate(&request, noon()).unwrap().name, "ada");
    }

    #[test]
    fn a_changed_body_path_query_or_signed_header_is_noticed() {
        let fresh = || signed(EXAMPLE_SK_ADA, noon(), &[("X-Project-Id", "p")], "{}");
        let mut body = fresh();
        body.body = Body::Whole(Bytes::from_static(b"{ }"));
        let mut path = fresh();
        path.path.push('y');
        let mut query = fresh();
        query.raw_query.push_str("&z=1");
        let mut header = fresh();
        header
            .headers
            .insert("x-project-id", HeaderValue::from_static("q"));
        let mut missing = fresh();
        missing.headers.remove("x-project-id");
        for request in [body, path, query, header, missing] {
            let fault = Gateway::default().authenticate(&request, noon()).unwrap_err();
            assert_eq!((fault.status, fault.code), (401, "APIGW.0301"));
        }
    }

    #[test]
    fn an_announced_content_hash_has_to_be_the_bodys() {
        let wrong = hex::encode(Sha256::digest(b"other"));
        let request = signed(EXAMPLE_SK_ADA, noon(), &[("X-Sdk-Content-Sha256", &wrong)], "{}");
        assert!(Gateway::default().authenticate(&request, noon()).is_err());
        let unsigned = signed(
            EXAMPLE_SK_ADA,
            noon(),
            &[("Content-Type", "text/plain")],
            "any text",
        );
        assert!(Gateway::default().authenticate(&unsigned, noon()).is_ok());
    }

    #[test]
    fn a_clock_may_be_fifteen_minutes_off_and_no_more() {
        let gateway = Gateway::default();
        for minutes in [-15, 15] {
            let request = signed(EXAMPLE_SK_ADA, noon() + TimeDelta::minutes(minutes), &[], "");
            assert!(
                gateway.authenticate(&request, noon()).is_ok(),
                "{minutes} minutes"
            );
        }
        for seconds in [-901, 901] {
            let request = signed(EXAMPLE_SK_ADA, noon() + TimeDelta::seconds(seconds), &[], "");
            let fault = gateway.authenticate(&request, noon()).unwrap_err();
            assert!(
                fault.message.contains("server time:20260102T120000Z"),
                "{}",
                fault.message
            );
        }
    }

    #[test]
    fn five_wrong_signatures_in_a_row_lock_the_key_for_five_minutes() {
        let gateway = Gateway::default();
        let (good, bad) = (
            signed(EXAMPLE_SK_ADA, noon(), &[], ""),
            signed("wrong", noon(), &[], ""),
        );
        for _ in 0..4 {
            assert!(gateway.authenticate(&bad, noon()).is_err());
        }
        assert!(
            gateway.authenticate(&good, noon()).is_ok(),
            "a right one in between starts the count anew"
        );
        for _ in 0..5 {
            assert!(gateway.authenticate(&bad, noon()).is_err());
        }
        let fault = gateway.authenticate(&good, noon()).unwrap_err();
        assert!(
            fault.message.contains("failed to reach the limit"),
            "{}",
            fault.message
        );
        let later = noon() + TimeDelta::minutes(5);
        assert!(gateway.authenticate(&good, later).is_ok());
    }
}
