//! Object storage: small objects in buckets, with a signature of their own and errors in XML.
//!
//! The bucket is the first part of the path (`/BUCKET/KEY`) or of a host's name (`BUCKET.localhost`); an address of digits
//! has no part to spare, so there the path is the only way. Signed are the raw bucket and key either way.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::{HeaderName, Method, header};
use huaweicloud::signing::obs::{self, RequestToSign};
use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;

use crate::{
    faults::Fault,
    gateway::{Gateway, LOCKED},
    users::{self, Role, User},
    wire::{Answer, Request},
    world::{MOST_BYTES, MOST_OBJECTS, Object, World},
};

/// How far a request's date may be from the host's.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// What a request is about.
struct Target {
    bucket: String,
    key: Option<String>,
}

/// Who asks, if the request says so, and the string that the signature should have been made of, for the refusal.
type Caller = Option<&'static User>;

/// Answers a request, signed or public. The name of the caller is left in `user` for the log.
pub(crate) fn answer(
    request: &Request,
    world: &mut World,
    region: &str,
    now: DateTime<Utc>,
    gateway: &Gateway,
    user: &mut Option<&'static str>,
) -> Result<Answer, Fault> {
    let target = target(request);
    let caller = authenticate(request, target.as_ref(), now, gateway)?;
    *user = caller.map(|caller| caller.name);
    let Some((bucket, key)) = target.and_then(|target| Some((target.bucket, target.key?))) else {
        return Err(match caller {
            Some(_) => not_implemented(),
            None => Fault::forbidden("AccessDenied", "Access Denied"),
        });
    };
    let bucket = world
        .buckets
        .get_mut(&bucket)
        .filter(|bucket| bucket.region == region)
        .ok_or_else(|| Fault::missing("NoSuchBucket", "The specified bucket does not exist"))?;
    let public = bucket.objects.get(&key).is_some_and(|object| object.public);
    let reads = request.method == Method::GET || request.method == Method::HEAD;
    let allowed = match caller.map(|caller| caller.role) {
        Some(Role::Administrator) => true,
        // The team's bucket is the administrators': others read.
        Some(Role::Developer) => reads,
        Some(Role::Guest) | None => reads && public,
    };
    if !allowed {
        return Err(Fault::forbidden("AccessDenied", "Access Denied"));
    }
    match request.method {
        Method::GET | Method::HEAD => {
            let object = bucket
                .objects
                .get(&key)
                .ok_or_else(|| Fault::missing("NoSuchKey", "The specified key does not exist."))?;
            read(request, object)
        }
        Method::PUT => {
            let body = request.bytes();
            if body.len() > MOST_BYTES {
                return Err(Fault::bad(
                    "EntityTooLarge",
                    "Your proposed upload exceeds the maximum allowed object size.",
                ));
            }
            if bucket.objects.len() >= MOST_OBJECTS && !bucket.objects.contains_key(&key) {
                return Err(Fault::forbidden(
                    "QuotaExceeded",
                    "The bucket holds as many objects as the sandbox keeps.",
                ));
            }
            let digest = Md5::digest(body);
            if let Some(announced) = request.header("content-md5")
                && announced.trim() != STANDARD.encode(digest)
            {
                return Err(Fault::bad(
                    "BadDigest",
                    "The Content-MD5 you specified did not match what we received.",
                ));
            }
            let etag = format!("\"{}\"", hex::encode(digest));
            let metadata: BTreeMap<String, String> = request
                .headers
                .keys()
                .filter(|name| name.as_str().starts_with("x-obs-meta-"))
                .filter_map(|name| {
                    Some((
                        name.as_str().to_owned(),
                        request.header(name.as_str())?.trim().to_owned(),
                    ))
                })
                .collect();
            let object = Object {
                body: body.to_vec(),
                content_type: request
                    .header("content-type")
                    .unwrap_or_else(|| "binary/octet-stream".to_owned()),
                etag: etag.clone(),
                modified: now,
                metadata,
                public: request
                    .header("x-obs-acl")
                    .is_some_and(|acl| acl.starts_with("public-read")),
                user_id: caller.map(|caller| caller.id.to_owned()).unwrap_or_default(),
            };
            bucket.objects.insert(key, object);
            Ok(Answer::empty(200).with(header::ETAG, etag))
        }
        // Deleting what is not there is no error either.
        Method::DELETE => {
            bucket.objects.remove(&key);
            Ok(Answer::empty(204))
        }
        _ => Err(Fault::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )),
    }
}

fn not_implemented() -> Fault {
    Fault::new(
        501,
        "NotImplemented",
        "The sandbox keeps objects only: a bucket and a key are needed.",
    )
}

fn read(request: &Request, object: &Object) -> Result<Answer, Fault> {
    let lists = |name: &str| {
        request.header(name).map(|list| {
            list.split(',')
                .any(|one| one.trim() == "*" || one.trim().trim_start_matches("W/") == object.etag)
        })
    };
    let since = |name: &str| {
        request
            .header(name)
            .and_then(|text| NaiveDateTime::parse_from_str(&text, obs::DATE_FORMAT).ok())
            .map(|time| object.modified.timestamp() > time.and_utc().timestamp())
    };
    let kept = |answer: Answer| {
        answer.with(header::ETAG, object.etag.clone()).with(
            header::LAST_MODIFIED,
            object.modified.format(obs::DATE_FORMAT).to_string(),
        )
    };
    let failed = lists("if-match") == Some(false)
        || (lists("if-match").is_none() && since("if-unmodified-since") == Some(true));
    if failed {
        return Err(Fault::new(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold.",
        ));
    }
    let same = lists("if-none-match").unwrap_or_else(|| since("if-modified-since") == Some(false));
    if same {
        return Ok(kept(Answer::empty(304)));
    }
    let mut answer = kept(Answer::empty(200)).with(header::ACCEPT_RANGES, "bytes");
    answer.body = object.body.clone().into();
    let content_type = request
        .query_value("response-content-type")
        .unwrap_or_else(|| object.content_type.clone());
    answer = answer.with(header::CONTENT_TYPE, content_type);
    for (name, value) in &object.metadata {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            answer = answer.with(name, value.clone());
        }
    }
    if let Some(range) = request.header("range") {
        let length = object.body.len();
        let Some((from, to)) = range_of(&range, length) else {
            return Err(Fault::new(
                416,
                "InvalidRange",
                "The requested range cannot be satisfied.",
            ));
        };
        let part = object.body.get(from..=to).unwrap_or_default();
        answer.body = bytes::Bytes::copy_from_slice(part);
        answer.status = http::StatusCode::PARTIAL_CONTENT;
        answer = answer.with(header::CONTENT_RANGE, format!("bytes {from}-{to}/{length}"));
    }
    Ok(answer)
}

/// First and last position of a range like `bytes=0-9`, `bytes=5-` or `bytes=-3`.
fn range_of(range: &str, length: usize) -> Option<(usize, usize)> {
    let last = length.checked_sub(1)?;
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from, to) {
        ("", tail) => (length.saturating_sub(tail.parse::<usize>().ok()?.max(1)), last),
        (from, "") => (from.parse().ok()?, last),
        (from, to) => (from.parse().ok()?, to.parse::<usize>().ok()?.min(last)),
    };
    (from <= to).then_some((from, to))
}

fn target(request: &Request) -> Option<Target> {
    let host = request.header("host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    let path = request.path.trim_start_matches('/');
    let by_host = name
        .strip_suffix(".localhost")
        .map(|labels| labels.split('.').next().unwrap_or(labels));
    let (bucket, key) = match by_host {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (!bucket.is_empty()).then(|| Target {
        bucket: decoded(bucket),
        key: (!key.is_empty()).then(|| decoded(key)),
    })
}

/// The caller: by header, by signed URL, or nobody.
fn authenticate(
    request: &Request,
    target: Option<&Target>,
    now: DateTime<Utc>,
    gateway: &Gateway,
) -> Result<Caller, Fault> {
    let denied = |message: &str| Fault::forbidden("AccessDenied", message);
    let (access_key, signature, expires) = match request.header("authorization") {
        Some(header) => {
            let (access_key, signature) = header
                .strip_prefix("OBS ")
                .and_then(|parts| parts.split_once(':'))
                .ok_or_else(|| Fault::bad("InvalidArgument", "The authorization header is malformed."))?;
            check_date(request, now)?;
            (access_key.to_owned(), signature.to_owned(), None)
        }
        None => {
            let Some(access_key) = request.query_value("AccessKeyId") else {
                return Ok(None);
            };
            let given = request
                .query_value("Expires")
                .and_then(|text| text.parse::<i64>().ok());
            let (Some(signature), Some(expires)) = (request.query_value("Signature"), given) else {
                return Err(denied(
                    "Query-string authentication requires the Signature, Expires and AccessKeyId parameters",
                ));
            };
            if expires < now.timestamp() {
                return Err(denied("Request has expired"));
            }
            (access_key, signature, Some(expires))
        }
    };
    let user = users::by_access_key(&access_key).ok_or_else(|| {
        Fault::forbidden(
            "InvalidAccessKeyId",
            "The OBS Access Key Id you provided does not exist in our records.",
        )
    })?;
    // How the storage words it is not documented; the key is refused as everywhere.
    if gateway.is_locked(user, now) {
        return Err(denied(LOCKED));
    }
    let headers: Vec<(String, String)> = request
        .headers
        .keys()
        .filter_map(|name| Some((name.as_str().to_owned(), request.header(name.as_str())?)))
        .collect();
    let query: Vec<(String, Option<String>)> = request
        .raw_query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            match pair.split_once('=') {
                Some((key, value)) => (decoded(key), Some(decoded(value))),
                None => (decoded(pair), None),
            }
        })
        .collect();
    let to_sign = obs::string_to_sign(
        &RequestToSign {
            method: request.method.as_str(),
            bucket: target.map(|target| target.bucket.as_str()),
            key: target.and_then(|target| target.key.as_deref()),
            query: &query,
            headers: &headers,
        },
        expires,
    );
    if obs::signature(&user.secret_key(), &to_sign) != signature {
        gateway.count_wrong(user, now);
        return Err(Fault::forbidden(
            "SignatureDoesNotMatch",
            format!(
                "The request signature we calculated does not match the signature you provided. StringToSign: {}",
                to_sign.replace('\n', "|")
            ),
        ));
    }
    gateway.forget_wrong(user);
    Ok(Some(user))
}

fn check_date(request: &Request, now: DateTime<Utc>) -> Result<(), Fault> {
    let text = request
        .header("x-obs-date")
        .or_else(|| request.header("date"))
        .ok_or_else(|| Fault::forbidden("AccessDenied", "OBS authentication requires a valid Date header"))?;
    let text = text.trim();
    let date = NaiveDateTime::parse_from_str(text, obs::DATE_FORMAT)
        .or_else(|_| NaiveDateTime::parse_from_str(text, huaweicloud::signing::DATE_FORMAT))
        .map_err(|_| Fault::forbidden("AccessDenied", "OBS authentication requires a valid Date header"))?
        .and_utc();
    if (now - date).abs() > WINDOW {
        return Err(Fault::forbidden(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_stay_inside_the_object() {
        assert_eq!(range_of("bytes=0-3", 10), Some((0, 3)));
        assert_eq!(range_of("bytes=8-99", 10), Some((8, 9)));
        assert_eq!(range_of("bytes=-3", 10), Some((7, 9)));
        assert_eq!(range_of("bytes=-30", 10), Some((0, 9)));
        assert_eq!(range_of("bytes=5-", 10), Some((5, 9)));
        for wrong in ["bytes=10-", "bytes=5-2", "bytes=a-b", "items=0-1", "bytes=0"] {
            assert_eq!(range_of(wrong, 10), None, "{wrong}");
        }
        assert_eq!(range_of("bytes=0-0", 0), None, "nothing has no part");
    }
}
