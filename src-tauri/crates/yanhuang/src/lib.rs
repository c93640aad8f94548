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

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::{Host, Url};

/// Longest answer that is read, in bytes; the rest is left unread.
const MOST_ANSWER: usize = 64 * 1024;
/// Longest part of an answer that is kept for a person to read, in characters.
const MOST_SHOWN: usize = 500;
/// Longest wait that a receiver may ask for.
const MOST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
/// What stands for the token wherever a request is shown.
const BLANKED: &str = "••••••";

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

/// How much one request carries at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Events.
    pub events: usize,
    /// Bytes of the events' JSON together.
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

/// How a site's HEI wants its requests. An empty field name leaves that field away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Name of the header that carries the token.
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
    /// Path that answers a health check; empty: there is none.
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
            health_path: "/ping".to_owned(),
            timeout_ms: 30_000,
            allow_plain_http: false,
        }
    }

    fn wrap(&self, event: &Event<'_>) -> Value {
        let time = event.time;
        let time = match self.time_format {
            TimeFormat::Rfc3339Ms => time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into(),
            TimeFormat::EpochUs => time.timestamp_micros().into(),
            TimeFormat::EpochMs => time.timestamp_millis().into(),
            TimeFormat::EpochS => time.timestamp().into(),
            TimeFormat::Zero => 0.into(),
        };
        let fields: [(&str, Value); 5] = [
            (&self.message_field, event.json.into()),
            (&self.datatype_field, self.datatype.as_str().into()),
            (&self.event_set_field, self.event_set.as_str().into()),
            (&self.time_field, time),
            (&self.source_field, self.source.as_str().into()),
        ];
        let named = fields.into_iter().filter(|(name, _)| !name.is_empty());
        Value::Object(
            named
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>(),
        )
    }
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
    /// The receiver refuses what was sent (other 4xx).
    Rejected,
    /// The answer points elsewhere, which is not followed: the token would go along.
    Redirected,
    /// No connection, or it broke.
    Network,
    /// No answer in time.
    Timeout,
    /// The address cannot be used.
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
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .build()
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
    /// An HEI at an address.
    ///
    /// # Errors
    /// [`ErrorKind::BadAddress`] when the address is not `https` (or `http` to this computer, or to another one with
    /// [`Profile::allow_plain_http`]), names no host or carries a password.
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
            Host::Domain(name) => name == "localhost",
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
        let body = self.body(events);
        let mut request = self
            .http
            .post(self.url.clone())
            .timeout(Duration::from_millis(self.profile.timeout_ms))
            .header("Content-Type", "application/json");
        if !self.profile.token_header.is_empty() {
            let token = self.token.expose_secret();
            let mut value =
                reqwest::header::HeaderValue::from_str(&self.profile.token_value.replace("{token}", token))
                    .map_err(|_| {
                    Error::new(
                        ErrorKind::Unauthorized,
                        "the token has signs that no header can carry",
                    )
                })?;
            value.set_sensitive(true);
            request = request.header(self.profile.token_header.as_str(), value);
        }
        let request = match self.profile.compression {
            Compression::None => request.body(body),
            Compression::Gzip => request.header("Content-Encoding", "gzip").body(gzip(&body)?),
        };
        self.read(request.send().await).await
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
        let request = self
            .http
            .get(url)
            .timeout(Duration::from_millis(self.profile.timeout_ms));
        self.read(request.send().await).await.map(Some)
    }

    /// The request as a person may see it: the token is blanked.
    pub fn describe(&self, events: &[Event<'_>]) -> String {
        let token = if self.profile.token_header.is_empty() {
            String::new()
        } else {
            let value = self.profile.token_value.replace("{token}", BLANKED);
            format!("{}: {value}\n", self.profile.token_header)
        };
        let body = self.wrapped(events);
        let body = serde_json::to_string_pretty(&body).unwrap_or_default();
        format!(
            "POST {}\n{token}Content-Type: application/json\n\n{body}",
            self.url
        )
    }

    fn wrapped(&self, events: &[Event<'_>]) -> Value {
        events.iter().map(|event| self.profile.wrap(event)).collect()
    }

    fn body(&self, events: &[Event<'_>]) -> Vec<u8> {
        self.wrapped(events).to_string().into_bytes()
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
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
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
