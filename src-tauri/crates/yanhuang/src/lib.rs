//! Yanhuang's HTTP event ingestion (HEI): posting events.
//!
//! The wire format of HEI is not public, so everything that a site may spell otherwise stands in a [`Profile`].
//! [`Profile::yanhuang`] is what a customer's working set-up sends: each event wrapped with `_message`, `_datatype`,
//! `_event_set`, `_time` and `_source`, as one JSON array over HTTP POST.
//!
//! A success means that the events were handed over, not that they are stored: senders keep what they sent until then,
//! and receivers must expect duplicates.

use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

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

/// How the time of an event is written in its envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// `2026-01-02T03:04:05.678Z`.
    Rfc3339Ms,
    /// Microseconds since 1970.
    EpochUs,
    /// Milliseconds since 1970.
    EpochMs,
    /// Seconds since 1970.
    EpochS,
    /// `0`: the platform takes the time out of the event itself.
    Zero,
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    None,
    /// `Content-Encoding: gzip`.
    Gzip,
}

/// How much one request carries at most. What HEI itself takes is not public; the default stays clear of the 1 MiB at
/// which a stock reverse proxy refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Events.
    pub events: usize,
    /// Bytes of the events' JSON together, before wrapping and quoting add about a third.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: 200,
            bytes: 512 * 1024,
        }
    }
}

/// How a site's HEI wants its requests. An empty field name leaves that field away. Read from a file, what is not
/// mentioned is as in [`Profile::yanhuang`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Added to the address's own path; empty: the address is complete as the site shows it.
    pub path: String,
    /// Name of the header that carries the token; empty: none does.
    pub token_header: String,
    /// Its value, with `{token}` in it.
    pub token_value: String,
    /// Field of the event's JSON text.
    pub message_field: String,
    /// Field of the data type.
    pub datatype_field: String,
    /// Field of the data set.
    pub event_set_field: String,
    /// Field of the event's time.
    pub time_field: String,
    /// Field of the source.
    pub source_field: String,
    /// Data type.
    pub datatype: String,
    /// Data set.
    pub event_set: String,
    /// Source.
    pub source: String,
    /// How the time is written.
    pub time_format: TimeFormat,
    /// How a body is compressed.
    pub compression: Compression,
    /// Statuses that mean "handed over".
    pub success: Vec<u16>,
    /// How much one request carries at most; for [`batch`].
    pub limits: Limits,
    /// Path that answers a health check, resolved against the address; empty: there is none.
    pub health_path: String,
    /// How long one request may take, in milliseconds. Back-pressure shows as slowness, so not tight.
    pub timeout_ms: u64,
    /// Plain HTTP to another computer was chosen on purpose.
    pub allow_plain_http: bool,
}

impl Profile {
    /// The platform's own way.
    pub fn yanhuang() -> Self {
        Self {
            path: String::new(),
            token_header: "Authorization".to_owned(),
            token_value: "Bearer {token}".to_owned(),
            message_field: "_message".to_owned(),
            datatype_field: "_datatype".to_owned(),
            event_set_field: "_event_set".to_owned(),
            time_field: "_time".to_owned(),
            source_field: "_source".to_owned(),
            datatype: "json".to_owned(),
            event_set: "wangcheng".to_owned(),
            source: "wangcheng".to_owned(),
            time_format: TimeFormat::Rfc3339Ms,
            compression: Compression::None,
            success: vec![200, 201, 202, 204],
            limits: Limits::default(),
            health_path: "/ping".to_owned(),
            timeout_ms: 30_000,
            allow_plain_http: false,
        }
    }

    fn token_header(&self, token: &str) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
        if self.token_header.is_empty() {
            return Ok(None);
        }
        let name = HeaderName::from_bytes(self.token_header.as_bytes()).map_err(|_| {
            Error::new(
                ErrorKind::BadAddress,
                "the token's header has a name that no header can have",
            )
        })?;
        let mut value = HeaderValue::from_str(&self.token_value.replace("{token}", token)).map_err(|_| {
            Error::new(
                ErrorKind::Unauthorized,
                "the token has signs that no header can carry",
            )
        })?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::yanhuang()
    }
}

/// One event in its envelope, written straight into the body: a backlog is posted without being copied first.
struct Wrapped<'a> {
    profile: &'a Profile,
    event: &'a Event<'a>,
}

impl Serialize for Wrapped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { profile, event } = self;
        let mut map = serializer.serialize_map(None)?;
        if !profile.message_field.is_empty() {
            map.serialize_entry(&profile.message_field, event.json)?;
        }
        if !profile.datatype_field.is_empty() {
            map.serialize_entry(&profile.datatype_field, &profile.datatype)?;
        }
        if !profile.event_set_field.is_empty() {
            map.serialize_entry(&profile.event_set_field, &profile.event_set)?;
        }
        if !profile.time_field.is_empty() {
            let (name, time) = (&profile.time_field, event.time);
            match profile.time_format {
                TimeFormat::Rfc3339Ms => {
                    map.serialize_entry(name, &time.to_rfc3339_opts(SecondsFormat::Millis, true))?;
                }
                TimeFormat::EpochUs => map.serialize_entry(name, &time.timestamp_micros())?,
                TimeFormat::EpochMs => map.serialize_entry(name, &time.timestamp_millis())?,
                TimeFormat::EpochS => map.serialize_entry(name, &time.timestamp())?,
                TimeFormat::Zero => map.serialize_entry(name, &0)?,
            }
        }
        if !profile.source_field.is_empty() {
            map.serialize_entry(&profile.source_field, &profile.source)?;
        }
        map.end()
    }
}

/// Cuts events into requests, in order: as many as fit into both limits. An event that alone exceeds the bytes, and
/// any event where a limit is 0, goes by itself rather than never.
pub fn batch<'a, 'e>(events: &'a [Event<'e>], limits: Limits) -> Vec<&'a [Event<'e>]> {
    let mut batches = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let mut bytes = 0_usize;
        let fitting = rest.iter().take(limits.events).take_while(|event| {
            bytes = bytes.saturating_add(event.json.len());
            bytes <= limits.bytes
        });
        // At least 1 and, being counted over `rest`, at most all of it.
        let (batch, after) = rest.split_at(fitting.count().max(1));
        batches.push(batch);
        rest = after;
    }
    batches
}

/// One event to post.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The event itself, one JSON object as text.
    pub json: &'a str,
}

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
    /// The receiver cannot now (408, 425, 5xx).
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

/// The same for plain HTTP on this computer: past any proxy, and without reading certificates that nobody looks at.
fn direct_client() -> Result<reqwest::Client, reqwest::Error> {
    builder().no_proxy().tls_certs_only([]).build()
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
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
            "http" if here || profile.allow_plain_http => {}
            "http" => return bad("plain http would show the token to everybody on the way"),
            _ => return bad("the address must begin with https://"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return bad("the address must not carry a password");
        }
        // The token's own signs are looked at when it is sent: only then is it known to be the one meant.
        profile.token_header("")?;
        let http = match url.scheme() {
            "http" if here => direct_client(),
            _ => Ok(http),
        }
        .map_err(|error| Error::new(ErrorKind::Network, error.to_string()))?;
        let mut url = url;
        url.set_fragment(None);
        if !profile.path.is_empty() {
            let path = format!(
                "{}/{}",
                url.path().trim_end_matches('/'),
                profile.path.trim_start_matches('/')
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
        let body = serde_json::to_vec(&self.wrapped(events))
            .map_err(|error| Error::new(ErrorKind::Encoding, error.to_string()))?;
        let mut request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json");
        if let Some((name, value)) = self.profile.token_header(self.token.expose_secret())? {
            request = request.header(name, value);
        }
        let request = match self.profile.compression {
            Compression::None => request.body(body),
            Compression::Gzip => request.header(CONTENT_ENCODING, "gzip").body(gzip(&body)?),
        };
        self.send(&self.url, request).await
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
        self.send(&url, request).await.map(Some)
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
        let body = serde_json::to_string_pretty(&self.wrapped(events)).unwrap_or_default();
        let encoding = match self.profile.compression {
            Compression::None => "",
            Compression::Gzip => "Content-Encoding: gzip\n",
        };
        let url = without_query(&self.url);
        format!("POST {url}\n{token}Content-Type: application/json\n{encoding}\n{body}")
    }

    fn wrapped<'a>(&'a self, events: &'a [Event<'a>]) -> Vec<Wrapped<'a>> {
        events
            .iter()
            .map(|event| Wrapped {
                profile: &self.profile,
                event,
            })
            .collect()
    }

    /// Sends with the profile's deadline, which also covers reading the answer.
    async fn send(&self, url: &Url, request: reqwest::RequestBuilder) -> Result<Posted, Error> {
        let deadline = Duration::from_millis(self.profile.timeout_ms);
        let answered = request.timeout(deadline).send().await;
        // Only a client that did not come from `http_client` follows.
        if answered.as_ref().is_ok_and(|response| response.url() != url) {
            return Err(Error::new(
                ErrorKind::Redirected,
                "the request was sent on to another address",
            ));
        }
        self.read(answered).await
    }

    async fn read(&self, sent: Result<reqwest::Response, reqwest::Error>) -> Result<Posted, Error> {
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
            return Ok(Posted { status, answer });
        }
        let kind = match status {
            300..=399 => ErrorKind::Redirected,
            401 | 403 => ErrorKind::Unauthorized,
            413 => ErrorKind::TooLarge,
            415 | 422 => ErrorKind::Encoding,
            429 => ErrorKind::Throttled { retry_after },
            408 | 425 | 500..=599 => ErrorKind::Unavailable { retry_after },
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
        let kind = if error.is_timeout() {
            ErrorKind::Timeout
        } else {
            ErrorKind::Network
        };
        // The causes say more than reqwest's own sentence, which repeats the address.
        let mut text = String::new();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            text = inner.to_string();
            cause = inner.source();
        }
        Error::new(
            kind,
            self.shown(if text.is_empty() { "no answer" } else { &text }),
        )
    }

    /// The beginning of a foreign text, the token blanked should it be echoed.
    fn shown(&self, text: &str) -> String {
        let token = self.token.expose_secret();
        let text = if token.is_empty() {
            text.to_owned()
        } else {
            text.replace(token, BLANKED)
        };
        text.trim().chars().take(MOST_SHOWN).collect()
    }
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

fn gzip(body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.map_err(|error| Error::new(ErrorKind::Encoding, error.to_string()))
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
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date_on_the_receivers_clock() {
        assert_eq!(retry_after("17", None), Some(Duration::from_secs(17)));
        let (until, now) = ("Fri, 02 Jan 2026 03:05:05 GMT", "Fri, 02 Jan 2026 03:04:05 GMT");
        assert_eq!(retry_after(until, Some(now)), Some(Duration::from_secs(60)));
        assert_eq!(
            retry_after("999999999", None),
            Some(MOST_RETRY_AFTER),
            "nobody may silence us for ever"
        );
        assert_eq!(retry_after("soon", None), None);
    }

    #[test]
    fn a_wait_until_a_moment_that_has_passed_is_no_wait() {
        let (until, now) = ("Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:05:05 GMT");
        assert_eq!(retry_after(until, Some(now)), None);
        assert_eq!(
            retry_after(until, None),
            None,
            "without the receiver's clock, a date says nothing"
        );
    }

    #[test]
    fn only_this_computer_counts_as_this_computer() {
        let allowed = |url: &str| {
            let url = url.parse().unwrap();
            Hei::new(
                http_client().unwrap(),
                Profile::yanhuang(),
                url,
                SecretString::from("t"),
            )
            .is_ok()
        };
        for url in [
            "http://127.9.9.9/",
            "http://[::1]:9/",
            "http://localhost:9/",
            "http://hei.localhost/",
        ] {
            assert!(allowed(url), "{url}");
        }
        for url in [
            "http://localhost.example.test/",
            "http://128.0.0.1/",
            "http://[::2]/",
            "http://0.0.0.0/",
        ] {
            assert!(!allowed(url), "{url}");
        }
    }

    #[test]
    fn a_profile_from_a_file_needs_to_say_only_what_differs() {
        let text = r#"{ "event_set": "temp_servers", "time_format": "zero", "limits": { "events": 50 } }"#;
        let profile: Profile = serde_json::from_str(text).unwrap();
        let expected = Profile {
            event_set: "temp_servers".to_owned(),
            time_format: TimeFormat::Zero,
            limits: Limits {
                events: 50,
                ..Limits::default()
            },
            ..Profile::yanhuang()
        };
        assert_eq!(profile, expected);
        let again: Profile = serde_json::from_str(&serde_json::to_string(&profile).unwrap()).unwrap();
        assert_eq!(again, profile);
    }

    #[test]
    fn a_header_that_cannot_exist_is_refused_before_anything_is_sent() {
        let profile = Profile {
            token_header: "X Token".to_owned(),
            ..Profile::yanhuang()
        };
        let url = "https://hei.example.test/".parse().unwrap();
        let error = Hei::new(http_client().unwrap(), profile, url, SecretString::from("t")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAddress);
    }

    #[test]
    fn nothing_secret_is_shown_of_an_address_with_a_query() {
        let url = "https://hei.example.test/in?token=very-secret".parse().unwrap();
        let hei = Hei::new(
            http_client().unwrap(),
            Profile::yanhuang(),
            url,
            SecretString::from("t"),
        )
        .unwrap();
        let shown = format!("{} {hei:?}", hei.describe(&[]));
        assert!(
            !shown.contains("very-secret") && shown.contains("https://hei.example.test/in?***"),
            "{shown}"
        );
    }

    #[test]
    fn batches_fit_both_limits_and_an_oversized_event_goes_by_itself() {
        let time = DateTime::UNIX_EPOCH;
        let texts = ["aa", "bb", "cc", "a-text-too-long-for-any-batch", "dd", "ee"];
        let events = texts.map(|json| Event { time, json });
        let cut = |events_limit, bytes| -> Vec<Vec<&str>> {
            let batches = batch(
                &events,
                Limits {
                    events: events_limit,
                    bytes,
                },
            );
            batches
                .into_iter()
                .map(|batch| batch.iter().map(|event| event.json).collect())
                .collect()
        };
        let long = texts[3];
        assert_eq!(
            cut(9, 5),
            [vec!["aa", "bb"], vec!["cc"], vec![long], vec!["dd", "ee"]]
        );
        assert_eq!(cut(4, 1000), [vec!["aa", "bb", "cc", long], vec!["dd", "ee"]]);
        assert_eq!(
            cut(0, 0).len(),
            texts.len(),
            "limits of nothing still let everything through"
        );
        assert!(batch(&[], Limits::default()).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn batches_together_are_the_events_in_order(
            lengths in proptest::collection::vec(0_usize..40, 0..60), count in 0_usize..8, bytes in 0_usize..100,
        ) {
            let texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let time = DateTime::UNIX_EPOCH;
            let events: Vec<Event<'_>> = texts.iter().map(|json| Event { time, json }).collect();
            let batches = batch(&events, Limits { events: count, bytes });
            for batch in &batches {
                let size: usize = batch.iter().map(|event| event.json.len()).sum();
                proptest::prop_assert!(batch.len() == 1 || (batch.len() <= count && size <= bytes));
            }
            let joined: Vec<&str> = batches.concat().into_iter().map(|event| event.json).collect();
            proptest::prop_assert_eq!(joined, texts.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    #[test]
    fn plain_http_to_another_computer_has_to_be_chosen_on_purpose() {
        let hei = |url: &str, allow| {
            let profile = Profile {
                allow_plain_http: allow,
                ..Profile::yanhuang()
            };
            Hei::new(
                reqwest::Client::new(),
                profile,
                url.parse().unwrap(),
                SecretString::from("t"),
            )
        };
        assert!(hei("http://127.0.0.1:8080/", false).is_ok());
        assert!(hei("https://hei.example.test/", false).is_ok());
        assert_eq!(
            hei("http://hei.example.test/", false).unwrap_err().kind,
            ErrorKind::BadAddress
        );
        assert!(hei("http://hei.example.test/", true).is_ok());
        assert_eq!(
            hei("ftp://hei.example.test/", true).unwrap_err().kind,
            ErrorKind::BadAddress
        );
        assert_eq!(
            hei("https://a:b@hei.example.test/", false).unwrap_err().kind,
            ErrorKind::BadAddress
        );
    }

    #[test]
    fn what_is_shown_of_a_request_blanks_the_token() {
        let token = SecretString::from("very-secret-token");
        let url = "https://hei.example.test/".parse().unwrap();
        let hei = Hei::new(reqwest::Client::new(), Profile::yanhuang(), url, token).unwrap();
        let time = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let shown = hei.describe(&[Event {
            time,
            json: "{\"a\":1}",
        }]);
        assert!(
            !shown.contains("very-secret") && !format!("{hei:?}").contains("very-secret"),
            "{shown}"
        );
        assert!(
            shown.contains("\"_time\": \"2026-01-02T03:04:05.678Z\""),
            "{shown}"
        );
    }
}
