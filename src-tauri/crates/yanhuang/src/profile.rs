//! How a site's HEI wants its requests.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// Most entries of a table in a profile.
const MOST_ENTRIES: usize = 32;
/// Longest text in a profile, in bytes.
const LONGEST_TEXT: usize = 1000;
/// Headers that the transport writes itself.
const OWN_HEADERS: [&str; 6] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "content-type",
    "content-encoding",
];

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
    /// Seconds since 1970 with three places, as Splunk's HEC writes it.
    EpochSFraction,
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

/// The method of a request that carries events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
}

/// How the events of one request stand in its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// One JSON array.
    JsonArray,
    /// One JSON object: one event a request.
    JsonObject,
    /// One JSON object a line, `application/x-ndjson`.
    Ndjson,
    /// The bare text of one event a line, `text/plain`; nothing is wrapped around it.
    TextLines,
    /// JSON objects one after another, as Splunk's HEC takes them.
    HecConcat,
}

/// What stands in the message field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageMode {
    /// The event's JSON as text.
    JsonText,
    /// The event as an object.
    Object,
    /// Nothing; for use with [`Profile::spread`].
    Omit,
}

/// Where data set and data type are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// In the envelope of each event, which wins over a header at the platform.
    Body,
    /// In headers with the names of the two fields.
    Header,
    /// In the path or query, by `{event_set}` and `{datatype}`.
    Path,
    /// Nowhere: the HEI knows.
    None,
}

/// How much one request carries at most. What HEI itself takes is not public; the default stays clear of the 1 MiB at
/// which a stock reverse proxy refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Events.
    pub events: usize,
    /// Bytes of the events' JSON together, before wrapping and quoting add about a third.
    pub bytes: usize,
    /// How long to wait for more before sending, in milliseconds.
    pub wait_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: 200,
            bytes: 512 * 1024,
            wait_ms: 0,
        }
    }
}

/// When to try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// Statuses below 500 that mean "not now"; every 5xx does.
    pub statuses: Vec<u16>,
    /// First wait in milliseconds; each further one is twice as long.
    pub base_ms: u64,
    /// Longest wait in milliseconds.
    pub max_ms: u64,
    /// Scatter the waits, so that many senders do not come back at once.
    pub jitter: bool,
    /// Wait as long as the receiver asks.
    pub honour_retry_after: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            statuses: vec![408, 425, 429],
            base_ms: 1000,
            max_ms: 300_000,
            jitter: true,
            honour_retry_after: true,
        }
    }
}

impl Retry {
    /// How long to wait after so many failures in a row (the first is 1), before it is scattered.
    pub fn wait(&self, failures: u32) -> Duration {
        let doubled = self
            .base_ms
            .saturating_mul(2_u64.saturating_pow(failures.saturating_sub(1)));
        Duration::from_millis(doubled.min(self.max_ms))
    }
}

/// How a site's HEI wants its requests. An empty field name leaves that field away. Read from a file, what is not
/// mentioned is as in [`Profile::yanhuang`], and what nobody knows is refused.
///
/// `path`, `query` and `headers` may hold `{event_set}`, `{datatype}`, `{hei_id}` and `{hei_name}`; `query` and
/// `headers` also `{token}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Added to the address's own path; empty: the address is complete as the site shows it.
    pub path: String,
    /// Id of the HEI, for the blanks.
    pub hei_id: String,
    /// Name of the HEI, for the blanks.
    pub hei_name: String,
    /// The method.
    pub method: Method,
    /// Added to the address's own query.
    pub query: BTreeMap<String, String>,
    /// Further headers. An empty value leaves a header away.
    pub headers: BTreeMap<String, String>,
    /// `Content-Type`; empty: as the framing says.
    pub content_type: String,
    /// Name of the header that carries the token; empty: none does.
    pub token_header: String,
    /// Its value, with `{token}` in it.
    pub token_value: String,
    /// Where data set and data type are said.
    pub routing: Routing,
    /// How the events of one request stand in its body.
    pub framing: Framing,
    /// What stands in the message field.
    pub message_mode: MessageMode,
    /// The event's own keys also stand beside the message.
    pub spread: bool,
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
    /// Field of the host.
    pub host_field: String,
    /// Further fields with the same text in every event.
    pub extra_fields: BTreeMap<String, String>,
    /// Data type.
    pub datatype: String,
    /// Data set.
    pub event_set: String,
    /// Source.
    pub source: String,
    /// Host. Empty leaves the field away: events name no computer unless a site wants it.
    pub host: String,
    /// How the time is written.
    pub time_format: TimeFormat,
    /// How a body is compressed.
    pub compression: Compression,
    /// Statuses that mean "handed over".
    pub success: Vec<u16>,
    /// Where in a JSON answer it says whether it was (RFC 6901); empty: the status alone counts.
    pub success_pointer: String,
    /// What it says there: a text, or a number or truth as JSON writes it.
    pub success_equals: String,
    /// How much one request carries at most.
    pub limits: Limits,
    /// When to try again.
    pub retry: Retry,
    /// Path that answers a health check, resolved against the address; empty: there is none.
    pub health_path: String,
    /// Status of a good health; 0: any that means "handed over".
    pub health_status: u16,
    /// What the answer to a health check must contain; empty: anything.
    pub health_body: String,
    /// How long one request may take, in milliseconds. Back-pressure shows as slowness, so not tight.
    pub timeout_ms: u64,
    /// Certificates (PEM) that are believed beside the system's: those of a site that signs its own.
    pub ca_pem: String,
    /// Plain HTTP to another computer was chosen on purpose.
    pub allow_plain_http: bool,
}

impl Profile {
    /// The platform's own way.
    pub fn yanhuang() -> Self {
        Self {
            path: String::new(),
            hei_id: String::new(),
            hei_name: String::new(),
            method: Method::Post,
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            content_type: String::new(),
            token_header: "Authorization".to_owned(),
            token_value: "Bearer {token}".to_owned(),
            routing: Routing::Body,
            framing: Framing::JsonArray,
            message_mode: MessageMode::JsonText,
            spread: false,
            message_field: "_message".to_owned(),
            datatype_field: "_datatype".to_owned(),
            event_set_field: "_event_set".to_owned(),
            time_field: "_time".to_owned(),
            source_field: "_source".to_owned(),
            host_field: String::new(),
            extra_fields: BTreeMap::new(),
            datatype: "json".to_owned(),
            event_set: "wangcheng".to_owned(),
            source: "wangcheng".to_owned(),
            host: String::new(),
            time_format: TimeFormat::Rfc3339Ms,
            compression: Compression::None,
            success: vec![200, 201, 202, 204],
            success_pointer: String::new(),
            success_equals: String::new(),
            limits: Limits::default(),
            retry: Retry::default(),
            health_path: "/ping".to_owned(),
            health_status: 0,
            health_body: String::new(),
            timeout_ms: 30_000,
            ca_pem: String::new(),
            allow_plain_http: false,
        }
    }

    /// The way of Splunk's HTTP Event Collector and what speaks like it: data set is the index, data type the source
    /// type.
    pub fn splunk_hec() -> Self {
        Self {
            path: "/services/collector/event".to_owned(),
            token_value: "Splunk {token}".to_owned(),
            framing: Framing::HecConcat,
            message_mode: MessageMode::Object,
            message_field: "event".to_owned(),
            datatype_field: "sourcetype".to_owned(),
            event_set_field: "index".to_owned(),
            time_field: "time".to_owned(),
            source_field: "source".to_owned(),
            datatype: "_json".to_owned(),
            time_format: TimeFormat::EpochSFraction,
            success: vec![200],
            success_pointer: "/code".to_owned(),
            success_equals: "0".to_owned(),
            health_path: "/services/collector/health".to_owned(),
            health_status: 200,
            ..Self::yanhuang()
        }
    }

    /// Looks at everything that can be wrong before a token or an event is there.
    ///
    /// # Errors
    /// [`ErrorKind::BadAddress`], the message beginning with the field's name.
    pub fn check(&self) -> Result<(), Error> {
        let bad = |field: &str, why: &str| Err(Error::new(ErrorKind::BadAddress, format!("{field}: {why}")));
        let texts = [
            ("path", &self.path),
            ("hei_id", &self.hei_id),
            ("hei_name", &self.hei_name),
            ("content_type", &self.content_type),
            ("token_header", &self.token_header),
            ("token_value", &self.token_value),
            ("message_field", &self.message_field),
            ("datatype_field", &self.datatype_field),
            ("event_set_field", &self.event_set_field),
            ("time_field", &self.time_field),
            ("source_field", &self.source_field),
            ("host_field", &self.host_field),
            ("datatype", &self.datatype),
            ("event_set", &self.event_set),
            ("source", &self.source),
            ("host", &self.host),
            ("success_pointer", &self.success_pointer),
            ("success_equals", &self.success_equals),
            ("health_path", &self.health_path),
            ("health_body", &self.health_body),
        ];
        for (field, text) in texts {
            if text.len() > LONGEST_TEXT {
                return bad(field, "is too long");
            }
            if text.chars().any(char::is_control) {
                return bad(field, "has signs that nobody can see");
            }
        }
        for (field, table) in [
            ("query", &self.query),
            ("headers", &self.headers),
            ("extra_fields", &self.extra_fields),
        ] {
            let fits = |text: &String| text.len() <= LONGEST_TEXT;
            if table.len() > MOST_ENTRIES || !table.iter().all(|(key, value)| fits(key) && fits(value)) {
                return bad(field, "is too long");
            }
            if table.keys().any(|key| key.is_empty()) {
                return bad(field, "has an entry without a name");
            }
        }
        if !self.token_header.is_empty() && !self.token_value.contains("{token}") {
            return bad("token_value", "has no {token} in it");
        }
        for (name, value) in &self.headers {
            let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
                return bad("headers", "has a name that no header can have");
            };
            if OWN_HEADERS.contains(&parsed.as_str()) {
                return bad("headers", "names a header that is written by itself");
            }
            if HeaderValue::from_str(value).is_err() {
                return bad("headers", "has a value that no header can carry");
            }
        }
        if !self.content_type.is_empty() && HeaderValue::from_str(&self.content_type).is_err() {
            return bad("content_type", "has signs that no header can carry");
        }
        if self.routing == Routing::Header {
            for (field, name) in [
                ("datatype_field", &self.datatype_field),
                ("event_set_field", &self.event_set_field),
            ] {
                if !name.is_empty() && HeaderName::from_bytes(name.as_bytes()).is_err() {
                    return bad(field, "is no name of a header");
                }
            }
        }
        if self.path.contains("{token}") {
            return bad("path", "must not hold the token: paths are logged everywhere");
        }
        for (blank, value) in self.blanks() {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            let sound = !value.is_empty() && !value.starts_with('.') && value.chars().all(plain);
            if self.path.contains(blank) && !sound {
                return bad("path", "has a blank whose value cannot stand in a path");
            }
        }
        if self.success.is_empty() || self.success.iter().any(|status| !(200..300).contains(status)) {
            return bad("success", "must be statuses from 200 to 299");
        }
        if self
            .retry
            .statuses
            .iter()
            .any(|status| !(400..600).contains(status))
        {
            return bad("retry", "must be statuses from 400 to 599");
        }
        // A wait of nothing would ask a receiver without end.
        if !(100..=3_600_000).contains(&self.retry.base_ms) || self.retry.max_ms < self.retry.base_ms {
            return bad("retry", "must begin with 100 ms to an hour, and not end below");
        }
        if !(1..=10_000).contains(&self.limits.events)
            || !(1024..=64 * 1024 * 1024).contains(&self.limits.bytes)
            || self.limits.wait_ms > 60_000
        {
            return bad("limits", "1 to 10,000 events, 1 KiB to 64 MiB, at most a minute");
        }
        if !(100..=600_000).contains(&self.timeout_ms) {
            return bad("timeout_ms", "must be 100 ms to 10 minutes");
        }
        if !self.success_pointer.is_empty() && !self.success_pointer.starts_with('/') {
            return bad("success_pointer", "must begin with /");
        }
        let says_event = match self.framing {
            Framing::TextLines => true,
            _ => self.spread || (self.message_mode != MessageMode::Omit && !self.message_field.is_empty()),
        };
        if !says_event {
            return bad("message_field", "the event itself would be left away");
        }
        if !self.ca_pem.is_empty() && self.certificates()?.is_empty() {
            return bad("ca_pem", "holds no certificate");
        }
        self.token_header("").map(drop)
    }

    /// The certificates of [`ca_pem`](Self::ca_pem).
    pub(crate) fn certificates(&self) -> Result<Vec<reqwest::Certificate>, Error> {
        if self.ca_pem.is_empty() {
            return Ok(Vec::new());
        }
        reqwest::Certificate::from_pem_bundle(self.ca_pem.as_bytes())
            .map_err(|_| Error::new(ErrorKind::BadAddress, "ca_pem: cannot be read"))
    }

    fn blanks(&self) -> [(&'static str, &str); 4] {
        [
            ("{event_set}", &self.event_set),
            ("{datatype}", &self.datatype),
            ("{hei_id}", &self.hei_id),
            ("{hei_name}", &self.hei_name),
        ]
    }

    /// A template with its blanks filled; `token` only where it may stand.
    pub(crate) fn filled(&self, template: &str, token: Option<&str>) -> String {
        // The token last, so that nothing in it is taken for a blank.
        let text = self
            .blanks()
            .into_iter()
            .fold(template.to_owned(), |text, (blank, value)| {
                text.replace(blank, value)
            });
        match token {
            Some(token) => text.replace("{token}", token),
            None => text,
        }
    }

    /// `Content-Type` of the body.
    pub(crate) fn content_type(&self) -> &str {
        match self.framing {
            _ if !self.content_type.is_empty() => &self.content_type,
            Framing::JsonArray | Framing::JsonObject | Framing::HecConcat => "application/json",
            Framing::Ndjson => "application/x-ndjson",
            Framing::TextLines => "text/plain; charset=utf-8",
        }
    }

    /// Most events of one request.
    pub fn most_events(&self) -> usize {
        match self.framing {
            Framing::JsonObject => 1,
            _ => self.limits.events,
        }
    }

    pub(crate) fn token_header(&self, token: &str) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
        if self.token_header.is_empty() {
            return Ok(None);
        }
        let name = HeaderName::from_bytes(self.token_header.as_bytes()).map_err(|_| {
            Error::new(
                ErrorKind::BadAddress,
                "token_header: the token's header has a name that no header can have",
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
