//! Yanhuang's HTTP event ingestion (HEI): posting events; and its [`search`]: asking for them by SQL.
//!
//! The wire format of HEI is not public, so everything that a site may spell otherwise stands in a [`Profile`].
//! [`Profile::yanhuang`] is what a customer's working set-up sends: each event wrapped with `_message`, `_datatype`,
//! `_event_set`, `_time` and `_source`, as one JSON array over HTTP POST.
//!
//! A success means that the events were handed over, not that they are stored: senders keep what they sent until then,
//! and receivers must expect duplicates.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

mod body;
mod envelope;
mod profile;
pub mod search;

pub use body::{Body, Draft, Event};
pub use profile::{Compression, Framing, Limits, MessageMode, Method, Profile, Retry, Routing, TimeFormat};

/// Longest answer that is read, in bytes; the rest is left unread.
const MOST_ANSWER: usize = 64 * 1024;
/// Longest part of an answer that is kept for a person to read, in characters.
const MOST_SHOWN: usize = 500;
/// Longest wait that a receiver may ask for.
const MOST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
/// What stands for the token wherever a request is shown.
const BLANKED: &str = "••••••";
/// The same where only ASCII stays readable.
const BLANKED_QUERY: &str = "***";

/// What a receiver said to a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// HTTP status.
    pub status: u16,
    /// Beginning of the answer.
    pub answer: String,
}

/// What a caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The token is refused (401, 403): a new one is needed.
    Unauthorized,
    /// The request is too large (413): send less at once.
    TooLarge,
    /// The encoding is refused (415, 422).
    Encoding,
    /// Too many requests (429).
    Throttled {
        /// How long the receiver asks to wait.
        retry_after: Option<Duration>,
    },
    /// The receiver cannot now (5xx and the profile's own, such as 408 and 425).
    Unavailable {
        /// How long the receiver asks to wait.
        retry_after: Option<Duration>,
    },
    /// The receiver refuses what was sent (other 4xx), or answers what no profile calls a success.
    Rejected,
    /// The answer points elsewhere, which is not followed: the token would go along.
    Redirected,
    /// No connection, or it broke.
    Network,
    /// No answer in time.
    Timeout,
    /// The address, or the profile around it, cannot be used. Nothing was sent.
    BadAddress,
    /// An answer has not the shape that the profile describes, or is longer than anything that is read.
    BadAnswer,
}

/// A failure. Its message never holds the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What a caller can do.
    pub kind: ErrorKind,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The receiver's words, or the transport's.
    pub message: String,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            message: message.into(),
        }
    }

    /// How long the receiver asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::Throttled { retry_after } | ErrorKind::Unavailable { retry_after } => retry_after,
            _ => None,
        }
    }
}

/// The HTTP client that [`Hei`] needs: no redirects, a bounded wait for a connection.
///
/// # Errors
/// When the system's certificates cannot be read.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    builder().build()
}

/// How the HTTP client reaches other computers.
#[derive(Debug, Clone)]
pub enum Route {
    /// As the environment or the system says.
    System,
    /// Directly.
    Direct,
    /// Through this proxy.
    Proxy(Box<reqwest::Proxy>),
}

/// [`http_client`] that goes a way of its own and trusts these authorities beside the system's.
///
/// # Errors
/// When the certificates cannot be used.
pub fn http_client_by(
    route: Route,
    authorities: Vec<reqwest::Certificate>,
) -> Result<reqwest::Client, reqwest::Error> {
    let builder = match route {
        Route::System => builder(),
        Route::Direct => builder().no_proxy(),
        Route::Proxy(proxy) => builder().proxy(*proxy),
    };
    builder.tls_certs_merge(authorities).build()
}

/// The same for plain HTTP on this computer: past any proxy, and without reading certificates that nobody looks at.
fn direct_client() -> Result<reqwest::Client, reqwest::Error> {
    builder().no_proxy().tls_certs_only([]).build()
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
}

/// Looks at an address that a token is sent to; whether it is on this computer.
fn is_here(url: &Url, allow_plain_http: bool) -> Result<bool, Error> {
    let bad = |why: &str| Err(Error::new(ErrorKind::BadAddress, why));
    let Some(host) = url.host() else {
        return bad("the address names no host");
    };
    let here = match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    match url.scheme() {
        "https" => {}
        "http" if here || allow_plain_http => {}
        "http" => return bad("plain http would show the token to everybody on the way"),
        _ => return bad("the address must begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return bad("the address must not carry a password");
    }
    Ok(here)
}

/// One HEI.
#[derive(Clone)]
pub struct Hei {
    http: reqwest::Client,
    profile: Profile,
    url: Url,
    token: SecretString,
}

impl Hei {
    /// An HEI at an address. `http` should come from [`http_client`]; over plain HTTP, an address on this computer is
    /// reached directly instead, because a system's proxy would look for it on its own computer.
    ///
    /// # Errors
    /// [`ErrorKind::BadAddress`] when the address is not `https` (or `http` to this computer, or to another one with
    /// [`Profile::allow_plain_http`]), names no host or carries a password, or when the profile's header cannot be one;
    /// [`ErrorKind::Unauthorized`] when no header can carry the token.
    pub fn new(
        http: reqwest::Client,
        profile: Profile,
        url: Url,
        token: SecretString,
    ) -> Result<Self, Error> {
        let here = is_here(&url, profile.allow_plain_http)?;
        // The token's own signs are looked at when it is sent: only then is it known to be the one meant.
        profile.check()?;
        let http = match url.scheme() {
            "http" if here => direct_client(),
            "https" if !profile.ca_pem.is_empty() => {
                builder().tls_certs_merge(profile.certificates()?).build()
            }
            _ => Ok(http),
        }
        .map_err(|error| Error::new(ErrorKind::Network, error.to_string()))?;
        let mut url = url;
        url.set_fragment(None);
        if !profile.path.is_empty() {
            let path = format!(
                "{}/{}",
                url.path().trim_end_matches('/'),
                profile.filled(&profile.path, None).trim_start_matches('/')
            );
            url.set_path(&path);
        }
        Ok(Self {
            http,
            profile,
            url,
            token,
        })
    }

    /// Posts events with one request.
    ///
    /// # Errors
    /// See [`ErrorKind`]; none of the events may be counted as handed over then, though they may have arrived.
    pub async fn post(&self, events: &[Event<'_>]) -> Result<Posted, Error> {
        self.post_body(self.body(events)?).await
    }

    /// What [`post`](Self::post) would send of these events.
    ///
    /// # Errors
    /// [`ErrorKind::Encoding`] when an event is no JSON.
    fn body(&self, events: &[Event<'_>]) -> Result<Body, Error> {
        let mut draft = self.draft(0);
        for event in events {
            draft.push(event);
        }
        draft.finish()
    }

    /// Begins a body for [`post_body`](Self::post_body), with room for so many bytes. Making it costs time that can be
    /// spent while another body is on its way.
    pub fn draft(&self, room: usize) -> Draft<'_> {
        Draft::new(&self.profile, room)
    }

    /// Posts a body that was made by a [`draft`](Self::draft).
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub async fn post_body(&self, body: Body) -> Result<Posted, Error> {
        let token = self.token.expose_secret();
        let url = self.addressed(token);
        let mut request = match self.profile.method {
            Method::Post => self.http.post(url.clone()),
            Method::Put => self.http.put(url.clone()),
        }
        .header(CONTENT_TYPE, self.profile.content_type());
        for (name, value) in self.headers() {
            let value = self.profile.filled(value, Some(token));
            let mut value = reqwest::header::HeaderValue::from_str(&value).map_err(|_| {
                Error::new(
                    ErrorKind::Unauthorized,
                    "the token has signs that no header can carry",
                )
            })?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if let Some((name, value)) = self.profile.token_header(token)? {
            request = request.header(name, value);
        }
        if body.gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        self.send(&url, request.body(body.bytes), true).await
    }

    /// The same without compression, for a receiver that refuses the encoding; nothing when there was none.
    pub fn uncompressed(&self) -> Option<Self> {
        let mut plain = self.clone();
        let before = std::mem::replace(&mut plain.profile.compression, Compression::None);
        (before != Compression::None).then_some(plain)
    }

    /// The profile in use.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The address with the profile's query.
    fn addressed(&self, token: &str) -> Url {
        let mut url = self.url.clone();
        if !self.profile.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in &self.profile.query {
                pairs.append_pair(name, &self.profile.filled(value, Some(token)));
            }
        }
        url
    }

    /// Further headers, as templates.
    fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let profile = &self.profile;
        let routed = [
            (&profile.event_set_field, "{event_set}"),
            (&profile.datatype_field, "{datatype}"),
        ]
        .into_iter()
        .filter(|(name, _)| profile.routing == Routing::Header && !name.is_empty())
        .map(|(name, blank)| (name.as_str(), blank));
        let further = profile.headers.iter().filter(|(_, value)| !value.is_empty());
        further
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(routed)
    }

    /// Asks whether the receiver is there. Nothing when the profile knows no way to ask.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn ping(&self) -> Result<Option<Posted>, Error> {
        if self.profile.health_path.is_empty() {
            return Ok(None);
        }
        let url = self
            .url
            .join(&self.profile.health_path)
            .map_err(|error| Error::new(ErrorKind::BadAddress, error.to_string()))?;
        let request = self.http.get(url.clone());
        let posted = self.send(&url, request, false).await?;
        let (status, body) = (self.profile.health_status, &self.profile.health_body);
        if (status != 0 && status != posted.status) || !posted.answer.contains(body) {
            return Err(Error {
                kind: ErrorKind::Unavailable { retry_after: None },
                status: Some(posted.status),
                message: posted.answer,
            });
        }
        Ok(Some(posted))
    }

    /// The request as a person may see it, the body uncompressed and laid out: the token is blanked, and so is the
    /// address's query, which at some sites carries it.
    pub fn describe(&self, events: &[Event<'_>]) -> String {
        let token = if self.profile.token_header.is_empty() {
            String::new()
        } else {
            let value = self.profile.token_value.replace("{token}", BLANKED);
            format!("{}: {value}\n", self.profile.token_header)
        };
        let further: String = self
            .headers()
            .map(|(name, value)| format!("{name}: {}\n", self.profile.filled(value, Some(BLANKED))))
            .collect();
        let body = body::shown(&self.profile, events);
        let encoding = match self.profile.compression {
            Compression::None => "",
            Compression::Gzip => "Content-Encoding: gzip\n",
        };
        let method = match self.profile.method {
            Method::Post => "POST",
            Method::Put => "PUT",
        };
        let url = without_query(&self.addressed(BLANKED));
        let content_type = self.profile.content_type();
        format!("{method} {url}\n{token}{further}Content-Type: {content_type}\n{encoding}\n{body}")
    }

    /// Sends with the profile's deadline, which also covers reading the answer. `check`: the answer's text counts too.
    async fn send(&self, url: &Url, request: reqwest::RequestBuilder, check: bool) -> Result<Posted, Error> {
        let deadline = Duration::from_millis(self.profile.timeout_ms);
        let answered = request.timeout(deadline).send().await;
        // Only a client that did not come from `http_client` follows.
        if answered.as_ref().is_ok_and(|response| response.url() != url) {
            return Err(Error::new(
                ErrorKind::Redirected,
                "the request was sent on to another address",
            ));
        }
        self.read(answered, check).await
    }

    /// Whether a JSON answer says that the events were taken.
    fn says_success(&self, answer: &[u8]) -> bool {
        if self.profile.success_pointer.is_empty() {
            return true;
        }
        let answer: Option<serde_json::Value> = serde_json::from_slice(answer).ok();
        let said = answer
            .as_ref()
            .and_then(|answer| answer.pointer(&self.profile.success_pointer));
        said.is_some_and(|said| match said {
            serde_json::Value::String(text) => *text == self.profile.success_equals,
            other => format!("{other}") == self.profile.success_equals,
        })
    }

    async fn read(
        &self,
        sent: Result<reqwest::Response, reqwest::Error>,
        check: bool,
    ) -> Result<Posted, Error> {
        let mut response = sent.map_err(|error| self.transport(&error))?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("Retry-After")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| {
                retry_after(
                    value,
                    response.headers().get("Date").and_then(|date| date.to_str().ok()),
                )
            });
        let mut bytes = Vec::new();
        while bytes.len() < MOST_ANSWER {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                // The status is known; a broken rest of its text changes nothing.
                Ok(None) | Err(_) => break,
            }
        }
        bytes.truncate(MOST_ANSWER);
        let answer = self.shown(&String::from_utf8_lossy(&bytes));
        if self.profile.success.contains(&status) {
            if check && !self.says_success(&bytes) {
                return Err(Error {
                    kind: ErrorKind::Rejected,
                    status: Some(status),
                    message: answer,
                });
            }
            return Ok(Posted { status, answer });
        }
        let kind = match status {
            300..=399 => ErrorKind::Redirected,
            401 | 403 => ErrorKind::Unauthorized,
            413 => ErrorKind::TooLarge,
            415 | 422 => ErrorKind::Encoding,
            429 => ErrorKind::Throttled { retry_after },
            500..=599 => ErrorKind::Unavailable { retry_after },
            status if self.profile.retry.statuses.contains(&status) => ErrorKind::Unavailable { retry_after },
            _ => ErrorKind::Rejected,
        };
        let message = if answer.is_empty() {
            format!("HTTP {status}")
        } else {
            answer
        };
        Err(Error {
            kind,
            status: Some(status),
            message,
        })
    }

    fn transport(&self, error: &reqwest::Error) -> Error {
        let (kind, text) = transport(error);
        Error::new(kind, self.shown(&text))
    }

    /// The beginning of a foreign text, the token blanked should it be echoed.
    fn shown(&self, text: &str) -> String {
        shown(self.token.expose_secret(), text)
    }
}

/// What a transport's failure is, in its own words.
fn transport(error: &reqwest::Error) -> (ErrorKind, String) {
    let kind = if error.is_timeout() {
        ErrorKind::Timeout
    } else {
        ErrorKind::Network
    };
    // The causes say more than reqwest's own sentence, which repeats the address.
    let mut text = "no answer".to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    (kind, text)
}

/// The beginning of a foreign text, without the token should it be echoed.
fn shown(token: &str, text: &str) -> String {
    let text = if token.is_empty() {
        text.to_owned()
    } else {
        text.replace(token, BLANKED)
    };
    text.trim().chars().take(MOST_SHOWN).collect()
}

impl std::fmt::Debug for Hei {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hei")
            .field("url", &without_query(&self.url).as_str())
            .finish_non_exhaustive()
    }
}

fn without_query(url: &Url) -> Url {
    let mut shown = url.clone();
    if shown.query().is_some() {
        shown.set_query(Some(BLANKED_QUERY));
    }
    shown
}

/// `Retry-After` in seconds, or as a date, which is measured on the receiver's own clock.
fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let wait = match value.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(value.trim()).ok()?;
            let now = DateTime::parse_from_rfc2822(date?.trim()).ok()?;
            (until - now).to_std().ok()?
        }
    };
    Some(wait.min(MOST_RETRY_AFTER))
}

#[cfg(test)]
mod tests;
