//! How a site's search wants its requests.

use std::collections::BTreeMap;

use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, ErrorKind};

/// Most entries of a table in a profile.
const MOST_ENTRIES: usize = 32;
/// Longest text in a profile, in bytes.
const LONGEST_TEXT: usize = 1000;

/// Whether a statement is answered at once or as a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Submitted, polled until it is done, fetched page by page.
    Job,
    /// The answer to the statement holds its rows. Only [`Profile::submit`] and the pointers of [`Profile::results`] count.
    Sync,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
}

impl Verb {
    pub(crate) fn http(self) -> reqwest::Method {
        match self {
            Self::Get => reqwest::Method::GET,
            Self::Post => reqwest::Method::POST,
            Self::Put => reqwest::Method::PUT,
            Self::Delete => reqwest::Method::DELETE,
        }
    }
}

/// How the bounds in time of a statement are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// `2026-01-02T03:04:05.678Z`.
    Rfc3339Ms,
    /// Microseconds since 1970, which is the platform's own unit; a number where the blank stands alone.
    EpochUs,
    /// Milliseconds since 1970, likewise.
    EpochMs,
    /// Seconds since 1970, likewise.
    EpochS,
}

/// How a row of an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowShape {
    /// `{"column": cell}`.
    Objects,
    /// `[cell]`, in the order of the columns.
    Arrays,
    /// Either, as it comes.
    ObjectsOrArrays,
}

/// Hands a statement in. The texts of `body` and `query` may hold `{sql}`, `{earliest}`, `{latest}` and `{event_set}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Submit {
    /// The method.
    pub method: Verb,
    /// Added to the address's own path.
    pub path: String,
    /// Query of the address.
    pub query: BTreeMap<String, String>,
    /// JSON of the body; `null`: there is none.
    pub body: Value,
    /// Where in the answer the job's id stands (RFC 6901).
    pub id_pointer: String,
}

/// Asks how a job stands. `path` holds `{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Poll {
    /// The method.
    pub method: Verb,
    /// Added to the address's own path.
    pub path: String,
    /// Where in the answer the state stands.
    pub state_pointer: String,
    /// States of a job whose rows can be fetched, in any letter case.
    pub done: Vec<String>,
    /// States of a job that came to nothing. Any other state is one that goes on.
    pub failed: Vec<String>,
    /// Where the answer says why; empty: its beginning is shown.
    pub error_pointer: String,
    /// How long to wait between two questions, in milliseconds.
    pub interval_ms: u64,
    /// How long a job may take, in milliseconds.
    pub timeout_ms: u64,
}

/// Names of what says which rows of a result are wanted, in the address's query. Without a name for the offset a result
/// is one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// How many rows to pass over.
    pub offset: String,
    /// How many rows to give.
    pub limit: String,
    /// How many rows a page has.
    pub size: usize,
}

/// Fetches rows. `path` holds `{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Results {
    /// The method.
    pub method: Verb,
    /// Added to the address's own path.
    pub path: String,
    /// Where in the answer the rows stand; empty: it is the rows.
    pub rows_pointer: String,
    /// Where the names of the columns stand, as texts or as objects with a `name`; needed for rows that are arrays.
    pub columns_pointer: String,
    /// Where it says how many rows the whole result has; empty: nowhere.
    pub total_pointer: String,
    /// How a row is written.
    pub row_shape: RowShape,
    /// How a page is asked for.
    pub page: Page,
}

/// Gives a job up. `path` holds `{id}`; empty: that cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cancel {
    /// The method.
    pub method: Verb,
    /// Added to the address's own path.
    pub path: String,
}

/// How a site's search wants its requests. Read from a file, what is not mentioned is as in [`Profile::job`], and what
/// nobody knows is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// At once or as a job.
    pub mode: Mode,
    /// Name of the header that carries the token; empty: none does.
    pub auth_header: String,
    /// Its value, with `{token}` in it.
    pub auth_value: String,
    /// Further headers.
    pub headers: BTreeMap<String, String>,
    /// How a statement is handed in.
    pub submit: Submit,
    /// How its job is followed.
    pub poll: Poll,
    /// How its rows are fetched.
    pub results: Results,
    /// How it is given up.
    pub cancel: Cancel,
    /// How the bounds in time are written.
    pub bound: Bound,
    /// Data set that is asked.
    pub event_set: String,
    /// Column with the event's JSON text.
    pub message_column: String,
    /// Most rows that one statement asks for; results that are longer are asked for by several.
    pub statement_rows: usize,
    /// How often a request is made whose failure may pass.
    pub tries: u32,
    /// How long one request may take, in milliseconds.
    pub timeout_ms: u64,
    /// Certificates (PEM) that are believed beside the system's.
    pub ca_pem: String,
    /// Plain HTTP to another computer was chosen on purpose.
    pub allow_plain_http: bool,
}

impl Default for Submit {
    fn default() -> Self {
        Self {
            method: Verb::Post,
            path: "/search".to_owned(),
            query: BTreeMap::new(),
            body: serde_json::json!({"query": "{sql}", "earliest": "{earliest}", "latest": "{latest}"}),
            id_pointer: "/id".to_owned(),
        }
    }
}

impl Default for Poll {
    fn default() -> Self {
        let states = |states: &[&str]| states.iter().map(|state| (*state).to_owned()).collect();
        Self {
            method: Verb::Get,
            path: "/search/{id}".to_owned(),
            state_pointer: "/state".to_owned(),
            done: states(&["SUCCEEDED", "DONE", "FINISHED", "COMPLETED"]),
            failed: states(&["FAILED", "CANCELLED", "CANCELED", "TIMEOUT"]),
            error_pointer: "/error".to_owned(),
            interval_ms: 500,
            timeout_ms: 60_000,
        }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self {
            offset: "offset".to_owned(),
            limit: "limit".to_owned(),
            size: 1000,
        }
    }
}

impl Default for Results {
    fn default() -> Self {
        Self {
            method: Verb::Get,
            path: "/search/{id}/results".to_owned(),
            rows_pointer: "/rows".to_owned(),
            columns_pointer: "/columns".to_owned(),
            total_pointer: "/total".to_owned(),
            row_shape: RowShape::ObjectsOrArrays,
            page: Page::default(),
        }
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self {
            method: Verb::Delete,
            path: "/search/{id}".to_owned(),
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::job()
    }
}

impl Profile {
    /// As a job, spelled as the embedded region's receiver spells it. The platform's own spelling is not public.
    pub fn job() -> Self {
        Self {
            mode: Mode::Job,
            auth_header: "Authorization".to_owned(),
            auth_value: "Bearer {token}".to_owned(),
            headers: BTreeMap::new(),
            submit: Submit::default(),
            poll: Poll::default(),
            results: Results::default(),
            cancel: Cancel::default(),
            bound: Bound::Rfc3339Ms,
            event_set: "wangcheng".to_owned(),
            message_column: "_message".to_owned(),
            statement_rows: 10_000,
            tries: 4,
            timeout_ms: 30_000,
            ca_pem: String::new(),
            allow_plain_http: false,
        }
    }

    /// Answered at once, at `/query`.
    pub fn sync() -> Self {
        let job = Self::job();
        Self {
            mode: Mode::Sync,
            submit: Submit {
                path: "/query".to_owned(),
                ..job.submit.clone()
            },
            results: Results {
                total_pointer: String::new(),
                ..job.results.clone()
            },
            statement_rows: 1000,
            ..job
        }
    }

    /// Looks at everything that can be wrong before a token is there.
    ///
    /// # Errors
    /// [`ErrorKind::BadAddress`], the message beginning with the field's name.
    pub fn check(&self) -> Result<(), Error> {
        let bad = |field: &str, why: &str| Err(Error::new(ErrorKind::BadAddress, format!("{field}: {why}")));
        for (field, text) in [
            ("auth_header", &self.auth_header),
            ("auth_value", &self.auth_value),
            ("event_set", &self.event_set),
            ("message_column", &self.message_column),
            ("submit.path", &self.submit.path),
            ("submit.id_pointer", &self.submit.id_pointer),
            ("poll.path", &self.poll.path),
            ("poll.state_pointer", &self.poll.state_pointer),
            ("poll.error_pointer", &self.poll.error_pointer),
            ("results.path", &self.results.path),
            ("results.rows_pointer", &self.results.rows_pointer),
            ("results.columns_pointer", &self.results.columns_pointer),
            ("results.total_pointer", &self.results.total_pointer),
            ("results.page.offset", &self.results.page.offset),
            ("results.page.limit", &self.results.page.limit),
            ("cancel.path", &self.cancel.path),
        ] {
            if text.len() > LONGEST_TEXT {
                return bad(field, "is too long");
            }
            if text.chars().any(char::is_control) {
                return bad(field, "has signs that nobody can see");
            }
            if field.ends_with("_pointer") && !text.is_empty() && !text.starts_with('/') {
                return bad(field, "must begin with /");
            }
            if field.ends_with(".path") && text.contains("{token}") {
                return bad(field, "must not hold the token: paths are logged everywhere");
            }
        }
        for (field, table) in [("headers", &self.headers), ("submit.query", &self.submit.query)] {
            let fits = |text: &String| text.len() <= LONGEST_TEXT;
            if table.len() > MOST_ENTRIES || !table.iter().all(|(key, value)| fits(key) && fits(value)) {
                return bad(field, "is too long");
            }
        }
        for (name, value) in &self.headers {
            if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err() {
                return bad("headers", "has an entry that no header can be");
            }
        }
        if !self.auth_header.is_empty() {
            if HeaderName::from_bytes(self.auth_header.as_bytes()).is_err() {
                return bad("auth_header", "is no name of a header");
            }
            if !self.auth_value.contains("{token}") {
                return bad("auth_value", "has no {token} in it");
            }
            if HeaderValue::from_str(&self.auth_value).is_err() {
                return bad("auth_value", "has signs that no header can carry");
            }
        }
        let body = self.submit.body.to_string();
        if body.len() > 20 * LONGEST_TEXT {
            return bad("submit.body", "is too long");
        }
        let said =
            |blank: &str| body.contains(blank) || self.submit.query.values().any(|v| v.contains(blank));
        if !said("{sql}") {
            return bad("submit.body", "has no {sql} in it");
        }
        // Without bounds of its own a question gets the platform's, which may hide events without a word.
        if !said("{earliest}") || !said("{latest}") {
            return bad("submit.body", "must hold {earliest} and {latest}");
        }
        if self.mode == Mode::Job {
            if self.submit.id_pointer.is_empty() {
                return bad("submit.id_pointer", "must say where the job's id stands");
            }
            if self.poll.state_pointer.is_empty() || self.poll.done.is_empty() {
                return bad(
                    "poll",
                    "must say where the state stands and which mean that it is done",
                );
            }
            for (field, path) in [
                ("poll.path", &self.poll.path),
                ("results.path", &self.results.path),
                ("cancel.path", &self.cancel.path),
            ] {
                let needed = field != "cancel.path" || !path.is_empty();
                if needed && !path.contains("{id}") {
                    return bad(field, "has no {id} in it");
                }
            }
        }
        if !(50..=60_000).contains(&self.poll.interval_ms)
            || !(1000..=3_600_000).contains(&self.poll.timeout_ms)
            || self.poll.done.len() + self.poll.failed.len() > MOST_ENTRIES
        {
            return bad(
                "poll",
                "50 ms to a minute between questions, a second to an hour in all",
            );
        }
        if !(1..=super::MOST_ROWS).contains(&self.results.page.size)
            || !(1..=super::MOST_ROWS).contains(&self.statement_rows)
        {
            return bad("results.page", "1 to 100,000 rows");
        }
        if !self.results.page.offset.is_empty() && self.results.page.limit.is_empty() {
            return bad("results.page.limit", "must have a name where the offset has one");
        }
        if !(100..=600_000).contains(&self.timeout_ms) || !(1..=10).contains(&self.tries) {
            return bad("timeout_ms", "must be 100 ms to 10 minutes, with 1 to 10 tries");
        }
        super::identifier(&self.event_set)?;
        super::identifier(&self.message_column)?;
        if !self.ca_pem.is_empty() && self.certificates()?.is_empty() {
            return bad("ca_pem", "holds no certificate");
        }
        Ok(())
    }

    pub(crate) fn certificates(&self) -> Result<Vec<reqwest::Certificate>, Error> {
        reqwest::Certificate::from_pem_bundle(self.ca_pem.as_bytes())
            .map_err(|_| Error::new(ErrorKind::BadAddress, "ca_pem: cannot be read"))
    }
}
