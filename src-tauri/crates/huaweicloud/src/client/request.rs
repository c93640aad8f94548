//! What goes over the wire for a call: its address and its headers, exactly as they are signed.

use ::http::HeaderMap;
use ::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use percent_encoding::utf8_percent_encode;
use secrecy::ExposeSecret;
use url::Url;

use super::Client;
use super::call::Call;
use crate::endpoints::{Service, is_loopback};
use crate::error::{Error, ErrorKind};
use crate::signing;

impl Client {
    /// The address to send to. It is put together here, byte for byte, and then compared with what the URL
    /// library made of it: the signature covers exactly these bytes.
    pub(super) fn url(&self, call: &Call<'_>) -> Result<Url, Error> {
        if let Some(url) = &call.signed_url {
            // What comes from there is believed, and the address itself is a key to it.
            return if url.scheme() == "https" || is_loopback(url) {
                Ok(url.clone())
            } else {
                Err(call.error(ErrorKind::Invalid, "the address is not encrypted"))
            };
        }
        let mut url = self
            .inner
            .endpoints
            .url(call.service, &self.inner.region)?
            .clone();
        let mut target = String::new();
        if let Some(bucket) = call.bucket {
            if !is_bucket(bucket) {
                return Err(call.error(ErrorKind::Invalid, "this cannot be the name of a bucket"));
            }
            match url.domain() {
                Some(host) if !is_loopback(&url) => {
                    let host = format!("{bucket}.{host}");
                    url.set_host(Some(&host))
                        .map_err(|_| call.error(ErrorKind::Invalid, "this cannot be the name of a bucket"))?;
                }
                // An address of numbers has no names below it.
                _ => {
                    target.push('/');
                    target.push_str(bucket);
                }
            }
        }
        for part in &call.path {
            // A part with a slash would be signed as two, and one of dots or nothing means another address.
            if part.is_empty() || *part == "." || *part == ".." || part.contains('/') {
                return Err(call.error(
                    ErrorKind::Invalid,
                    "a part of the address is empty or has reserved characters",
                ));
            }
            target.push('/');
            target.extend(utf8_percent_encode(part, signing::RESERVED));
        }
        if target.is_empty() {
            target.push('/');
        }
        let query = Some(signing::canonical_query(&call.query)).filter(|query| !query.is_empty());
        url.set_path(&target);
        url.set_query(query.as_deref());
        if url.path() == target && url.query() == query.as_deref() {
            Ok(url)
        } else {
            Err(call.error(
                ErrorKind::Invalid,
                "the address cannot be sent as it would be signed",
            ))
        }
    }

    pub(super) fn headers(&self, call: &Call<'_>, url: &Url) -> Result<HeaderMap, Error> {
        let mut plain = call.headers.clone();
        let added = if call.signed_url.is_some() {
            Vec::new()
        } else if call.service == Service::Obs {
            self.sign_for_obs(call, &plain)
        } else {
            if call.header(CONTENT_TYPE.as_str()).is_none() {
                plain.push((CONTENT_TYPE.to_string(), "application/json".to_owned()));
            }
            plain.extend(self.scope(call)?);
            self.sign(call, url, &plain)
        };
        let mut headers = HeaderMap::with_capacity(plain.len() + added.len());
        // The HTTP library writes the host itself, the same way, from the URL.
        for (name, value) in plain
            .iter()
            .chain(added.iter().filter(|(name, _)| name != "Host"))
        {
            let unusable = || {
                call.error(
                    ErrorKind::Invalid,
                    format!("the header {name} has characters that cannot be sent"),
                )
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
            let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unusable())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// The header that says whose resources a call is about. A key that may do things in several projects of a region
    /// acts in the region's own one unless it says otherwise, whatever the path says.
    fn scope(&self, call: &Call<'_>) -> Result<Option<(String, String)>, Error> {
        let header = |name: &str, id: &str| Ok(Some((name.to_owned(), id.to_owned())));
        match (call.service, &self.inner.account_id) {
            (Service::Bss | Service::Iam | Service::Tms | Service::Eps, Some(account)) => {
                header("X-Domain-Id", account.as_str())
            }
            (Service::Tms, None) => Err(call.error(
                ErrorKind::Invalid,
                "this service wants to be told the account: see Client::of_account",
            )),
            _ => match call.project() {
                Some(project) if call.header("X-Project-Id").is_none() => header("X-Project-Id", project),
                _ => Ok(None),
            },
        }
    }

    fn sign(&self, call: &Call<'_>, url: &Url, plain: &[(String, String)]) -> Vec<(String, String)> {
        let host = authority(url);
        let request = signing::RequestToSign {
            method: call.method.as_str(),
            path: url.path(),
            query: &call.query,
            headers: plain,
            body: &call.body,
        };
        signing::sign(&request, &host, &self.inner.credentials, self.now())
    }

    fn sign_for_obs(&self, call: &Call<'_>, plain: &[(String, String)]) -> Vec<(String, String)> {
        let key = Some(call.path.join("/")).filter(|key| !key.is_empty());
        let query: Vec<(String, Option<String>)> = call
            .query
            .iter()
            .map(|(name, value)| {
                (
                    name.clone(),
                    Some(value.clone()).filter(|value| !value.is_empty()),
                )
            })
            .collect();
        let request = signing::obs::RequestToSign {
            method: call.method.as_str(),
            bucket: call.bucket,
            key: key.as_deref(),
            query: &query,
            headers: plain,
        };
        signing::obs::sign(&request, &self.inner.credentials, self.now())
    }

    /// The address of an OBS call with its signature in the query, for whoever has no key, until a moment.
    pub(crate) fn signed_for_obs(&self, mut call: Call<'_>, until: DateTime<Utc>) -> Result<Url, Error> {
        let credentials = &self.inner.credentials;
        if let Some(token) = &credentials.security_token {
            call = call.with("x-obs-security-token", token.expose_secret());
        }
        let mut url = self.url(&call)?;
        let key = call.path.join("/");
        let query: Vec<(String, Option<String>)> = call
            .query
            .iter()
            .map(|(name, value)| (name.clone(), Some(value.clone())))
            .collect();
        let request = signing::obs::RequestToSign {
            method: call.method.as_str(),
            bucket: call.bucket,
            key: Some(&key),
            query: &query,
            headers: &[],
        };
        let expires = until.timestamp();
        let text = signing::obs::string_to_sign(&request, Some(expires));
        let signature = signing::obs::signature(&credentials.secret_key, &text);
        url.query_pairs_mut()
            .append_pair("AccessKeyId", credentials.access_key.expose_secret())
            .append_pair("Expires", &expires.to_string())
            .append_pair("Signature", &signature);
        Ok(url)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.inner.http.inner.options.clock)()
    }
}

/// The host, with the port if it is not the scheme's own: what the `Host` header says.
pub(super) fn authority(url: &Url) -> String {
    let mut host = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        host.push_str(&format!(":{port}"));
    }
    host
}

/// Whether a text can be the name of a bucket, and so a part of a host's name.
fn is_bucket(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || c == '-' || c == '.')
        && !text.contains("..")
}
