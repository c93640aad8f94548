//! The HEI receiver: takes events over HTTP as the platform's embedded HTTP source does, and keeps what came.
//!
//! A record is stored as it was received, every time it was received. The view `events` shows each event once.
//!
//! What came in can be asked for by SQL on the same host and with the same token; see [`query`] for tables and columns:
//!
//! | call | what it does |
//! |---|---|
//! | `POST /query {"query":SQL,"earliest":T,"latest":T}` | answers at once: `{"columns":[…],"rows":[{…}],"truncated":false}` |
//! | `POST /search` with the same body | starts a job: 202 `{"id":…}` |
//! | `GET /search/{id}` | `{"id":…,"state":"RUNNING"}`, `SUCCEEDED`, or `FAILED` with `"error"` |
//! | `GET /search/{id}/results?offset=&limit=` | the rows from that one on, with `"total"`; 409 before the job is done |
//! | `DELETE /search/{id}` | forgets the job |
//!
//! A query reads at most the latest 50,000 events, takes at most five seconds and gives at most 10,000 rows. How the real
//! platform spells these calls is not public.

mod mode;
mod page;
mod query;
mod search;

use std::{
    borrow::Cow,
    io::Read,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, SecondsFormat, Utc};
use flate2::read::MultiGzDecoder;
use http::{Method, header};
use rusqlite::{Connection, params};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

pub(crate) use mode::ModeSetting;
use mode::{Mode, Modes};

use crate::{
    error::Result,
    wire::{Answer, Body, Reply, Request},
};

/// Most bytes of a body on the wire, as a web server in front of the platform has it by default.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;
/// Most bytes of a body once it is decompressed.
const DECOMPRESSED_LIMIT: u64 = 16 * 1024 * 1024;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS records (
        id INTEGER PRIMARY KEY,
        received_at TEXT NOT NULL,
        event_id TEXT,
        record TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS records_by_event ON records (event_id);
    CREATE VIEW IF NOT EXISTS events AS
        SELECT MIN(id) AS id, received_at, event_id, record, COUNT(*) AS deliveries
        FROM records GROUP BY COALESCE(event_id, 'record ' || id);
";

#[derive(Debug)]
pub(crate) struct Receiver {
    token: SecretString,
    modes: Modes,
    search_modes: Modes,
    /// Used on blocking threads only.
    records: Arc<Mutex<Connection>>,
    searches: search::Searches,
}

/// One record as it came.
#[derive(Debug, Serialize)]
pub(crate) struct Stored {
    id: i64,
    received_at: String,
    event_id: Option<String>,
    record: Box<RawValue>,
    /// How often the event came.
    deliveries: i64,
}

/// Which records to show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selection {
    pub(crate) after: i64,
    pub(crate) limit: u32,
    /// Each event once, as it first came.
    pub(crate) distinct: bool,
}

impl Receiver {
    /// Opens the database, or one in memory.
    pub(crate) fn open(file: Option<&Path>, token: SecretString) -> Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            token,
            modes: Modes::default(),
            search_modes: Modes::default(),
            records: Arc::new(Mutex::new(connection)),
            searches: search::Searches::default(),
        })
    }

    /// False if there is no such mode.
    pub(crate) fn set_mode(&self, setting: &ModeSetting) -> bool {
        self.modes.set(setting)
    }

    /// The mode that is on, and for how many more posts.
    pub(crate) fn mode(&self) -> ModeSetting {
        self.modes.present()
    }

    /// The same for questions.
    pub(crate) fn set_search_mode(&self, setting: &ModeSetting) -> bool {
        self.search_modes.set_for_questions(setting)
    }

    /// The mode that is on for questions.
    pub(crate) fn search_mode(&self) -> ModeSetting {
        self.search_modes.present()
    }

    pub(crate) async fn answer(&self, request: &Request, now: DateTime<Utc>) -> Reply {
        match (&request.method, request.path.as_str()) {
            (&Method::GET, "/ping") => return Reply::Answer(Answer::text(200, "pong")),
            (_, path) if path == "/query" || path == "/search" || path.starts_with("/search/") => {
                return match self.check_token(request) {
                    Ok(()) => self.question(request, now).await,
                    Err(answer) => Reply::Answer(answer),
                };
            }
            (&Method::POST, "/") => {}
            (_, "/") => {
                return Reply::Answer(refusal(405, "Method not allowed").with(header::ALLOW, "POST"));
            }
            _ => return Reply::Answer(refusal(404, "Not found")),
        }
        let mode = self.modes.take();
        match mode {
            Mode::Ok | Mode::CutAfter | Mode::Slow(_) | Mode::Truncated | Mode::HalfPage => {}
            Mode::Stall => return Reply::Stall,
            Mode::Cut => return Reply::Cut,
            Mode::Status(413, _) => return Reply::Answer(too_large()),
            Mode::Status(status, retry_after) => return Reply::Answer(mode_says(status, retry_after)),
        }
        match self.take(request, now).await {
            Ok(()) if mode == Mode::CutAfter => Reply::Cut,
            Ok(()) => Reply::Answer(Answer::empty(200)),
            Err(answer) => Reply::Answer(answer),
        }
    }

    /// Answers a question as its mode says.
    async fn question(&self, request: &Request, now: DateTime<Utc>) -> Reply {
        let mode = self.search_modes.take();
        match mode {
            Mode::Stall => return Reply::Stall,
            Mode::Cut | Mode::CutAfter => return Reply::Cut,
            Mode::Status(status, retry_after) => return Reply::Answer(mode_says(status, retry_after)),
            Mode::Slow(ms) => tokio::time::sleep(std::time::Duration::from_millis(ms)).await,
            Mode::Ok | Mode::Truncated | Mode::HalfPage => {}
        }
        let answer = self.search(request, now, mode == Mode::HalfPage).await;
        if mode == Mode::Truncated {
            return Reply::Truncated(answer);
        }
        Reply::Answer(answer)
    }

    fn check_token(&self, request: &Request) -> std::result::Result<(), Answer> {
        let Some(authorization) = request.header("authorization") else {
            return Err(refusal(401, "No authorization header"));
        };
        if authorization.strip_prefix("Bearer ") != Some(self.token.expose_secret()) {
            return Err(refusal(401, "Invalid token"));
        }
        Ok(())
    }

    async fn take(&self, request: &Request, now: DateTime<Utc>) -> std::result::Result<(), Answer> {
        self.check_token(request)?;
        let Body::Whole(bytes) = &request.body else {
            return Err(too_large());
        };
        let text = match request.header("content-encoding").as_deref() {
            None | Some("" | "identity") => Cow::Borrowed(&bytes[..]),
            Some("gzip") => Cow::Owned(decompress(bytes)?),
            Some(other) => return Err(refusal(415, format!("Unsupported encoding {other}"))),
        };
        let kind = request.header("content-type").unwrap_or_default();
        let records = if kind.starts_with("text/plain") {
            lines(&text)
        } else {
            split(&text, kind.starts_with("application/x-ndjson"))?
        };
        if records.is_empty() {
            return Ok(());
        }
        self.store(records, now).await.map_err(|error| {
            tracing::error!(%error, "events could not be stored");
            refusal(500, "Error delivering contents to sink")
        })
    }

    async fn store(
        &self,
        records: Vec<(Option<String>, String)>,
        now: DateTime<Utc>,
    ) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let connection = Arc::clone(&self.records);
        tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let received_at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
            let transaction = connection.transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO records (received_at, event_id, record) VALUES (?1, ?2, ?3)",
                )?;
                for (event_id, record) in &records {
                    insert.execute(params![received_at, event_id, record])?;
                }
            }
            transaction.commit()?;
            Ok(())
        })
        .await?
    }

    pub(crate) async fn stored(
        &self,
        selection: Selection,
    ) -> std::result::Result<Vec<Stored>, Box<dyn std::error::Error + Send + Sync>> {
        let connection = Arc::clone(&self.records);
        tokio::task::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let mut query = connection.prepare_cached(if selection.distinct {
                "SELECT id, received_at, event_id, record, deliveries FROM events WHERE id > ?1 ORDER BY id LIMIT ?2"
            } else {
                "SELECT id, received_at, event_id, record, 1 FROM records WHERE id > ?1 ORDER BY id LIMIT ?2"
            })?;
            let mut rows = query.query(params![selection.after, selection.limit])?;
            let mut stored = Vec::new();
            while let Some(row) = rows.next()? {
                stored.push(Stored {
                    id: row.get(0)?,
                    received_at: row.get(1)?,
                    event_id: row.get(2)?,
                    record: RawValue::from_string(row.get(3)?)?,
                    deliveries: row.get(4)?,
                });
            }
            Ok(stored)
        })
        .await?
    }
}

fn mode_says(status: u16, retry_after: Option<u32>) -> Answer {
    let answer = refusal(status, "refused by the sandbox's receiver mode");
    match retry_after {
        Some(seconds) => answer.with(header::RETRY_AFTER, seconds.to_string()),
        None => answer,
    }
}

fn refusal(status: u16, message: impl Into<String>) -> Answer {
    Answer::json(status, &json!({"code": status, "message": message.into()}))
}

/// Not the receiver says so but the web server in front of it, in its own words.
fn too_large() -> Answer {
    Answer::text(
        413,
        "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n</html>\r\n",
    )
    .with(header::CONTENT_TYPE, "text/html")
}

fn decompress(bytes: &[u8]) -> std::result::Result<Vec<u8>, Answer> {
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(DECOMPRESSED_LIMIT + 1)
        .read_to_end(&mut text)
        .map_err(|_| refusal(422, "Failed decompressing payload with gzip decoder."))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > DECOMPRESSED_LIMIT {
        return Err(too_large());
    }
    Ok(text)
}

/// Plain text: each line is an event that has nothing but its message.
fn lines(text: &[u8]) -> Vec<(Option<String>, String)> {
    String::from_utf8_lossy(text)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| (None, json!({"_message": line}).to_string()))
        .collect()
}

/// The body's records with their event ids: an object is one, an array one for each element.
fn split(text: &[u8], by_line: bool) -> std::result::Result<Vec<(Option<String>, String)>, Answer> {
    let undecodable =
        |reason: &dyn std::fmt::Display| refusal(400, format!("Failed decoding body: {reason}"));
    let mut records: Vec<&RawValue> = Vec::new();
    let values = if by_line {
        text.split(|byte| *byte == b'\n').collect()
    } else {
        vec![text]
    };
    for value in values {
        if value.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value: &RawValue = serde_json::from_slice(value).map_err(|error| undecodable(&error))?;
        if value.get().starts_with('[') {
            let elements: Vec<&RawValue> =
                serde_json::from_str(value.get()).map_err(|error| undecodable(&error))?;
            records.extend(elements);
        } else {
            records.push(value);
        }
    }
    if records.iter().any(|record| !record.get().starts_with('{')) {
        return Err(undecodable(&"an event must be an object"));
    }
    Ok(records
        .into_iter()
        .map(|record| (event_id(record.get()), record.get().to_owned()))
        .collect())
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(rename = "_message", borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event_id: Option<Cow<'a, str>>,
}

/// The id of the event in `_message`, or of one that came without a wrapper.
fn event_id(record: &str) -> Option<String> {
    let outer: Wrapped<'_> = serde_json::from_str(record).ok()?;
    let inner = outer.message.as_deref().and_then(|message| {
        serde_json::from_str::<Wrapped<'_>>(message)
            .ok()?
            .event_id
            .map(Cow::into_owned)
    });
    inner.or_else(|| outer.event_id.map(Cow::into_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_id_is_found_inside_the_message_text() {
        let record =
            r#"{"_message":"{\"event_id\":\"e-1\",\"n\":\"\\u4e2d\"}","_datatype":"json","_time":0}"#;
        assert_eq!(event_id(record).as_deref(), Some("e-1"));
        assert_eq!(event_id(r#"{"event_id":"e-2"}"#).as_deref(), Some("e-2"));
        assert_eq!(event_id(r#"{"_message":"plain text"}"#), None);
    }

    #[test]
    fn an_array_an_object_and_lines_are_split_into_records() {
        let count = |text: &str, by_line| split(text.as_bytes(), by_line).map(|records| records.len()).ok();
        assert_eq!(count(r#"[{"a":1},{"a":2}]"#, false), Some(2));
        assert_eq!(count(r#"{"a":1}"#, false), Some(1));
        assert_eq!(count("", false), Some(0));
        assert_eq!(count("{\"a\":1}\n\n{\"a\":2}\n", true), Some(2));
        assert_eq!(
            count("{\"a\":1}\n{\"a\":2}\n", false),
            None,
            "lines only where they are announced"
        );
        assert_eq!(count("[1]", false), None);
    }
}
