//! Request signing with `SDK-HMAC-SHA256`, as every service of Huawei Cloud except OBS expects it.
//!
//! The steps are separate functions, so that both sides can use them: a client calls [`sign`]; a server that
//! has to check a signature rebuilds it with [`canonical_request`], [`string_to_sign`] and [`signature`] from
//! the signed header names that the `Authorization` header lists.
//!
//! OBS signs in its own way: see [`obs`].
//!
//! API page: <https://support.huaweicloud.com/devg-apisign/api-sign-algorithm.html>

pub mod obs;

use chrono::{DateTime, Utc};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use crate::credentials::Credentials;

/// The algorithm's name, the first word of the `Authorization` header and of the string to sign.
pub const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// `chrono` format of the `X-Sdk-Date` header: UTC, to the second.
pub const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// Name of the header with the time of signing.
pub const DATE_HEADER: &str = "X-Sdk-Date";

/// Name of the header that stands for the hash of the body when it is present.
pub const CONTENT_HASH_HEADER: &str = "X-Sdk-Content-Sha256";

/// Name of the header with the security token of temporary credentials.
pub const SECURITY_TOKEN_HEADER: &str = "X-Security-Token";

/// Value of [`CONTENT_HASH_HEADER`] for a body that is not hashed.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Everything outside `A-Z a-z 0-9 - _ . ~` is percent-encoded, in paths and queries alike.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The parts of a request that a signature covers.
#[derive(Debug, Clone, Copy)]
pub struct RequestToSign<'a> {
    /// The method, in any letter case.
    pub method: &'a str,
    /// The path, raw or percent-encoded: it is decoded once before it is encoded for signing. Without the
    /// query.
    pub path: &'a str,
    /// Query keys and values, decoded, in any order; a key without a value has the empty value, a key with
    /// several values stands here several times.
    pub query: &'a [(String, String)],
    /// Header names (any letter case) and values. Every one whose name has no `_` is signed by [`sign`].
    pub headers: &'a [(String, String)],
    /// The exact bytes of the body; empty for none.
    pub body: &'a [u8],
}

impl<'a> RequestToSign<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }
}

/// The path as it is signed: decoded once, each part encoded, with a `/` at its end.
pub fn canonical_uri(path: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let mut uri = String::with_capacity(decoded.len() + 1);
    for (index, part) in decoded.split(|byte| *byte == b'/').enumerate() {
        if index > 0 {
            uri.push('/');
        }
        uri.extend(percent_encode(part, RESERVED));
    }
    if !uri.ends_with('/') {
        uri.push('/');
    }
    uri
}

/// The query as it is signed. It must also be sent in exactly this form: the server signs what it received.
pub fn canonical_query(query: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> = query.iter().collect();
    // Before encoding: ':' sorts after the digits although "%3A" would sort before them.
    pairs.sort_unstable();
    let mut text = String::new();
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(percent_encode(key.as_bytes(), RESERVED));
        text.push('=');
        text.extend(percent_encode(value.as_bytes(), RESERVED));
    }
    text
}

/// The names of the headers that get signed: lower case, sorted, each once, none with `_`.
pub fn signed_headers(headers: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<String> = headers
        .iter()
        .filter(|(name, _)| !name.contains('_'))
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The hash line of the canonical request, in lower-case hex.
///
/// A value given in [`CONTENT_HASH_HEADER`] is taken as it is. A server that wants to be sure of the body has
/// to compare such a value with the body itself.
pub fn payload_hash(request: &RequestToSign<'_>) -> String {
    match request.header(CONTENT_HASH_HEADER) {
        Some(given) if !request.body.is_empty() => given.trim().to_owned(),
        _ => hex::encode(Sha256::digest(request.body)),
    }
}

/// The canonical request. `signed_headers` are lower-case names in the order in which they are to stand; a
/// name that the request does not have counts as an empty value.
pub fn canonical_request(request: &RequestToSign<'_>, signed_headers: &[String]) -> String {
    let mut text = String::with_capacity(512);
    text.push_str(&request.method.to_ascii_uppercase());
    text.push('\n');
    text.push_str(&canonical_uri(request.path));
    text.push('\n');
    text.push_str(&canonical_query(request.query));
    text.push('\n');
    for name in signed_headers {
        text.push_str(name);
        text.push(':');
        text.push_str(request.header(name).unwrap_or_default().trim());
        text.push('\n');
    }
    text.push('\n');
    for (index, name) in signed_headers.iter().enumerate() {
        if index > 0 {
            text.push(';');
        }
        text.push_str(name);
    }
    text.push('\n');
    text.push_str(&payload_hash(request));
    text
}

/// The string to sign. `date` is the value of the `X-Sdk-Date` header.
pub fn string_to_sign(date: &str, canonical_request: &str) -> String {
    format!(
        "{ALGORITHM}\n{date}\n{}",
        hex::encode(Sha256::digest(canonical_request.as_bytes()))
    )
}

/// The signature, in lower-case hex. The secret key is used as text, whatever characters it has.
pub fn signature(secret_key: &SecretString, string_to_sign: &str) -> String {
    let mut mac: Hmac<Sha256> = keyed(secret_key);
    mac.update(string_to_sign.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// The value of the `Authorization` header.
pub fn authorization(access_key: &SecretString, signed_headers: &[String], signature: &str) -> String {
    format!(
        "{ALGORITHM} Access={}, SignedHeaders={}, Signature={signature}",
        access_key.expose_secret(),
        signed_headers.join(";"),
    )
}

/// Signs a request for `host` (with the port if it is not the scheme's own) and returns the headers to add to
/// it: `Host`, `X-Sdk-Date`, `X-Security-Token`, `X-Sdk-Content-Sha256`, each only where it is needed and not
/// given already, and `Authorization`.
///
/// The request has to be sent with the query of [`canonical_query`] and with exactly these headers and this
/// body; redirects must not be followed. A server accepts it for 15 minutes around `now`.
pub fn sign(
    request: &RequestToSign<'_>,
    host: &str,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Vec<(String, String)> {
    let mut headers = request.headers.to_vec();
    let mut add = |name: &str, value: &str| {
        if !headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)) {
            headers.push((name.to_owned(), value.to_owned()));
        }
    };
    add("Host", host);
    add(DATE_HEADER, &now.format(DATE_FORMAT).to_string());
    if let Some(token) = &credentials.security_token {
        add(SECURITY_TOKEN_HEADER, token.expose_secret());
    }
    if request
        .header("Content-Type")
        .is_some_and(|content_type| !is_hashed(content_type))
    {
        add(CONTENT_HASH_HEADER, UNSIGNED_PAYLOAD);
    }

    let complete = RequestToSign {
        headers: &headers,
        ..*request
    };
    let names = signed_headers(&headers);
    let date = complete.header(DATE_HEADER).unwrap_or_default().trim();
    let signature = signature(
        &credentials.secret_key,
        &string_to_sign(date, &canonical_request(&complete, &names)),
    );
    let authorization = authorization(&credentials.access_key, &names, &signature);

    let mut added = headers.split_off(request.headers.len());
    added.push(("Authorization".to_owned(), authorization));
    added
}

/// Bodies of these types are hashed; all others are announced as unsigned payload.
fn is_hashed(content_type: &str) -> bool {
    content_type.starts_with("application/json") || content_type.starts_with("application/bson")
}

/// An HMAC keyed with a secret of any length.
///
/// The block-sized constructor is used because it cannot fail: a shorter key is padded with zeros and a
/// longer one hashed first, which is how HMAC itself is defined (RFC 2104, section 2).
fn keyed<D>(secret: &SecretString) -> Hmac<D>
where
    D: EagerHash + Digest,
    Hmac<D>: KeyInit,
{
    let secret = secret.expose_secret().as_bytes();
    let mut block = hmac::digest::Key::<Hmac<D>>::default();
    if secret.len() <= block.len() {
        block.iter_mut().zip(secret).for_each(|(to, from)| *to = *from);
    } else {
        block
            .iter_mut()
            .zip(D::digest(secret))
            .for_each(|(to, from)| *to = from);
    }
    let mac = Hmac::<D>::new(&block);
    block.as_mut_slice().zeroize();
    mac
}
