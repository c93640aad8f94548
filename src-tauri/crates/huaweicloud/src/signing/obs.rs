//! Request signing of the object storage service (OBS), with HMAC-SHA1.
//!
//! API page: <https://support.huaweicloud.com/api-obs/obs_04_0010.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use super::{RESERVED, keyed};
use crate::credentials::Credentials;

/// Like any path part, but the slashes inside an object's key stay.
const KEY_RESERVED: &AsciiSet = &RESERVED.remove(b'/');

/// `chrono` format of the `Date` header (RFC 1123, GMT).
pub const DATE_FORMAT: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// Query keys that name a part of the resource and therefore are signed. All others (`prefix`, `marker`, …)
/// are not.
const SUB_RESOURCES: &[&str] = &[
    "CDNNotifyConfiguration",
    "acl",
    "append",
    "attname",
    "backtosource",
    "cors",
    "customdomain",
    "delete",
    "deletebucket",
    "directcoldaccess",
    "encryption",
    "inventory",
    "length",
    "lifecycle",
    "location",
    "logging",
    "metadata",
    "mirrorBackToSource",
    "modify",
    "name",
    "notification",
    "object-lock",
    "obscompresspolicy",
    "orchestration",
    "partNumber",
    "policy",
    "position",
    "quota",
    "rename",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "storageClass",
    "storageInfo",
    "storagePolicy",
    "storageinfo",
    "tagging",
    "torrent",
    "truncate",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "x-image-process",
    "x-image-save-bucket",
    "x-image-save-object",
    "x-obs-security-token",
];

/// The parts of an OBS request that its signature covers.
#[derive(Debug, Clone, Copy)]
pub struct RequestToSign<'a> {
    /// The method, in any letter case.
    pub method: &'a str,
    /// The bucket; `None` to list the buckets.
    pub bucket: Option<&'a str>,
    /// The object's key, decoded; `None` for calls on the bucket itself.
    pub key: Option<&'a str>,
    /// Query keys and values, decoded; `None` for a key without a value.
    pub query: &'a [(String, Option<String>)],
    /// Header names (any letter case) and values.
    pub headers: &'a [(String, String)],
}

impl RequestToSign<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }
}

/// The resource line: bucket, key and the sub-resources of the query.
fn resource(request: &RequestToSign<'_>) -> String {
    let mut text = String::from("/");
    if let Some(bucket) = request.bucket {
        text.push_str(bucket);
        text.push('/');
        if let Some(key) = request.key {
            text.extend(percent_encode(key.as_bytes(), KEY_RESERVED));
        }
    }
    let mut parts: Vec<_> = request
        .query
        .iter()
        .filter(|(name, _)| SUB_RESOURCES.contains(&name.as_str()))
        .collect();
    parts.sort_unstable();
    for (index, (name, value)) in parts.into_iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(name);
        if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

/// The string to sign. `expires` is the Unix time (seconds) of a signed URL; without it the `Date` header
/// counts, unless `x-obs-date` is given, which then is signed with the other `x-obs-` headers.
pub fn string_to_sign(request: &RequestToSign<'_>, expires: Option<i64>) -> String {
    let date = match expires {
        Some(expires) => expires.to_string(),
        None if request.header("x-obs-date").is_some() => String::new(),
        None => request.header("Date").unwrap_or_default().to_owned(),
    };
    let mut own: Vec<(String, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
        .filter(|(name, _)| name.starts_with("x-obs-"))
        .map(|(name, value)| {
            if name.starts_with("x-obs-meta-") {
                (name, value.trim())
            } else {
                (name, value)
            }
        })
        .collect();
    own.sort_unstable();

    let mut text = request.method.to_ascii_uppercase();
    for line in [
        request.header("Content-MD5").unwrap_or_default(),
        request.header("Content-Type").unwrap_or_default(),
        &date,
    ] {
        text.push('\n');
        text.push_str(line);
    }
    text.push('\n');
    for (name, value) in own {
        text.push_str(&name);
        text.push(':');
        text.push_str(value);
        text.push('\n');
    }
    text.push_str(&resource(request));
    text
}

/// The signature, in base64.
pub fn signature(secret_key: &SecretString, string_to_sign: &str) -> String {
    let mut mac: Hmac<Sha1> = keyed(secret_key);
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The value of the `Authorization` header.
pub fn authorization(access_key: &SecretString, signature: &str) -> String {
    format!("OBS {}:{signature}", access_key.expose_secret())
}

/// Signs a request and returns the headers to add to it: `Date` and `x-obs-security-token`, where needed and
/// not given already, and `Authorization`. OBS accepts it for 15 minutes around `now`.
pub fn sign(
    request: &RequestToSign<'_>,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Vec<(String, String)> {
    let mut headers = request.headers.to_vec();
    if request.header("Date").is_none() && request.header("x-obs-date").is_none() {
        headers.push(("Date".to_owned(), now.format(DATE_FORMAT).to_string()));
    }
    if let Some(token) = &credentials.security_token
        && request.header("x-obs-security-token").is_none()
    {
        headers.push((
            "x-obs-security-token".to_owned(),
            token.expose_secret().to_owned(),
        ));
    }
    let complete = RequestToSign {
        headers: &headers,
        ..*request
    };
    let signature = signature(&credentials.secret_key, &string_to_sign(&complete, None));
    let mut added = headers.split_off(request.headers.len());
    added.push((
        "Authorization".to_owned(),
        authorization(&credentials.access_key, &signature),
    ));
    added
}
