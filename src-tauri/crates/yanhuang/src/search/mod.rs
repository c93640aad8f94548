//! Asking for events by SQL: submit, poll, fetch page by page; or one call.
//!
//! How the platform spells these calls is not public, so a [`Profile`] says it. Statements are read-only questions, so
//! every request may be made again: a refused token never is, what may pass is, after a wait.

mod answer;
mod profile;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

pub use answer::{Row, Rows};
pub use profile::{Bound, Cancel, Mode, Page, Poll, Profile, Results, RowShape, Submit, Verb};

use crate::{
    BLANKED, Error, ErrorKind, builder, direct_client, is_here, retry_after, shown, transport, without_query,
};

/// Most rows of one answer.
const MOST_ROWS: usize = 100_000;
/// Longest answer that is read, in bytes.
const MOST_ANSWER: usize = 64 * 1024 * 1024;
/// Longest statement, in bytes.
const LONGEST_SQL: usize = 100_000;
/// Longest id of a job, in bytes.
const LONGEST_ID: usize = 200;
/// Longest name of a table or column, in bytes.
const LONGEST_NAME: usize = 200;
/// First and longest wait before a request is made again.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Longest wait that a search may ask for while somebody looks on; more is told instead.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Most steps that are noted of one question.
const MOST_STEPS: usize = 20;

/// A statement and its bounds in time. The platform may have bounds of its own where none are said, so both always are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The statement.
    pub sql: String,
    /// The first moment.
    pub earliest: DateTime<Utc>,
    /// The one after the last.
    pub latest: DateTime<Utc>,
}

/// One request and what came of it, as a person may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Method, address and body, without the token.
    pub request: String,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Beginning of the answer, or the transport's words.
    pub answer: String,
    /// How long it took.
    pub took: Duration,
}

/// A text as it stands in a statement.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as it may stand in a statement.
///
/// # Errors
/// [`ErrorKind::BadAddress`] for one with other signs than letters, digits, `_`, `$` and `.`.
pub fn identifier(name: &str) -> Result<&str, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_$.".contains(c);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
        return Err(Error::new(
            ErrorKind::BadAddress,
            "event_set: only letters, digits, _, $ and . can stand in a statement",
        ));
    }
    Ok(name)
}

/// The search of one site.
#[derive(Clone)]
pub struct Search {
    http: reqwest::Client,
    profile: Profile,
    base: Url,
    token: SecretString,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("base", &without_query(&self.base).as_str())
            .finish_non_exhaustive()
    }
}

impl Search {
    /// A search at an address. `http` as for [`Hei::new`](crate::Hei::new).
    ///
    /// # Errors
    /// [`ErrorKind::BadAddress`] when the address or the profile cannot be used; [`ErrorKind::Unauthorized`] when no header
    /// can carry the token.
    pub fn new(
        http: reqwest::Client,
        profile: Profile,
        base: Url,
        token: SecretString,
    ) -> Result<Self, Error> {
        let here = is_here(&base, profile.allow_plain_http)?;
        profile.check()?;
        let http = match base.scheme() {
            "http" if here => direct_client(),
            "https" if !profile.ca_pem.is_empty() => {
                builder().tls_certs_merge(profile.certificates()?).build()
            }
            _ => Ok(http),
        }
        .map_err(|error| Error::new(ErrorKind::Network, error.to_string()))?;
        let mut base = base;
        base.set_fragment(None);
        let search = Self {
            http,
            profile,
            base,
            token,
        };
        search.auth()?;
        Ok(search)
    }

    /// The profile in use.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Begins to ask. Nothing is sent before the first [`Asking::page`].
    pub fn ask(&self, question: Question) -> Asking<'_> {
        Asking {
            search: self,
            question,
            job: None,
            offset: 0,
            over: false,
            steps: Vec::new(),
        }
    }

    fn auth(&self) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
        if self.profile.auth_header.is_empty() {
            return Ok(None);
        }
        let bad = |kind, why| Error::new(kind, why);
        let name = HeaderName::from_bytes(self.profile.auth_header.as_bytes())
            .map_err(|_| bad(ErrorKind::BadAddress, "auth_header: is no name of a header"))?;
        let value = self
            .profile
            .auth_value
            .replace("{token}", self.token.expose_secret());
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            bad(
                ErrorKind::Unauthorized,
                "the token has signs that no header can carry",
            )
        })?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// An address below the base, each part of the path written so that an id stays one part.
    fn address(&self, path: &str, id: &str) -> Result<Url, Error> {
        let mut url = self.base.clone();
        {
            let mut segments = url
                .path_segments_mut()
                .map_err(|()| Error::new(ErrorKind::BadAddress, "the address has no path"))?;
            segments.pop_if_empty();
            for part in path.split('/').filter(|part| !part.is_empty()) {
                segments.push(
                    &part
                        .replace("{event_set}", &self.profile.event_set)
                        .replace("{id}", id),
                );
            }
        }
        Ok(url)
    }

    fn filled(&self, text: &str, question: &Question) -> String {
        // The statement last, so that nothing in it is taken for a blank.
        text.replace("{earliest}", &bound(self.profile.bound, question.earliest))
            .replace("{latest}", &bound(self.profile.bound, question.latest))
            .replace("{event_set}", &self.profile.event_set)
            .replace("{sql}", &question.sql)
    }

    /// The body with its blanks filled; a bound that stands alone is a number where the profile counts.
    fn body(&self, template: &Value, question: &Question) -> Value {
        match template {
            Value::String(text) => {
                let filled = self.filled(text, question);
                let alone = matches!(text.as_str(), "{earliest}" | "{latest}");
                match filled.parse::<i64>() {
                    Ok(number) if alone => Value::from(number),
                    _ => Value::String(filled),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.body(item, question)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.body(value, question)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// Sends until it is answered, refused for good or tried often enough.
    async fn send(
        &self,
        verb: Verb,
        url: &Url,
        body: Option<&Value>,
        steps: &mut Vec<Step>,
    ) -> Result<Value, Error> {
        let mut tries = 1;
        loop {
            let begun = Instant::now();
            let result = self.once(verb, url, body).await;
            let (status, answer) = match &result {
                Ok((status, answer)) => (Some(*status), shown("", &answer.to_string())),
                Err(error) => (error.status, error.message.clone()),
            };
            if steps.len() < MOST_STEPS {
                let body = body.map(|body| format!("\n\n{body:#}")).unwrap_or_default();
                steps.push(Step {
                    request: format!("{} {}{body}", verb.http(), without_query_of_base(&self.base, url)),
                    status,
                    answer,
                    took: begun.elapsed(),
                });
            }
            let error = match result {
                Ok((_, answer)) => return Ok(answer),
                Err(error) => error,
            };
            let passing = matches!(
                error.kind,
                ErrorKind::Throttled { .. }
                    | ErrorKind::Unavailable { .. }
                    | ErrorKind::Network
                    | ErrorKind::Timeout
            );
            let doubled = WAITS
                .0
                .saturating_mul(2_u32.saturating_pow(tries - 1))
                .min(WAITS.1);
            let wait = error.retry_after().unwrap_or(doubled);
            if !passing || tries >= self.profile.tries || wait > LONGEST_WAIT {
                return Err(error);
            }
            tries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, verb: Verb, url: &Url, body: Option<&Value>) -> Result<(u16, Value), Error> {
        let mut request = self
            .http
            .request(verb.http(), url.clone())
            .timeout(Duration::from_millis(self.profile.timeout_ms));
        for (name, value) in self.profile.headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        if let Some((name, value)) = self.auth()? {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let failed = |error: &reqwest::Error| {
            let (kind, text) = transport(error);
            Error::new(kind, shown(self.token.expose_secret(), &text))
        };
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        if response.url() != url {
            return Err(Error::new(
                ErrorKind::Redirected,
                "the request was sent on to another address",
            ));
        }
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let wait = header(RETRY_AFTER.as_str()).and_then(|value| retry_after(value, header("Date")));
        let good = response.status().is_success();
        let most = if good { MOST_ANSWER } else { crate::MOST_ANSWER };
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > most && good => {
                    return Err(Error {
                        status: Some(status),
                        ..Error::new(ErrorKind::BadAnswer, "the answer is too long")
                    });
                }
                Ok(Some(chunk)) if bytes.len() < most => bytes.extend_from_slice(&chunk),
                // Half an answer to a question is none.
                Err(error) if good => return Err(failed(&error)),
                Ok(_) | Err(_) => break,
            }
        }
        if good {
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok((status, Value::Null));
            }
            return match serde_json::from_slice(&bytes) {
                Ok(answer) => Ok((status, answer)),
                Err(error) => Err(Error {
                    status: Some(status),
                    ..Error::new(ErrorKind::BadAnswer, format!("the answer is no JSON: {error}"))
                }),
            };
        }
        let kind = match status {
            300..=399 => ErrorKind::Redirected,
            401 | 403 => ErrorKind::Unauthorized,
            429 => ErrorKind::Throttled { retry_after: wait },
            408 | 425 | 500..=599 => ErrorKind::Unavailable { retry_after: wait },
            _ => ErrorKind::Rejected,
        };
        let words = shown(self.token.expose_secret(), &String::from_utf8_lossy(&bytes));
        Err(Error {
            kind,
            status: Some(status),
            message: if words.is_empty() {
                format!("HTTP {status}")
            } else {
                words
            },
        })
    }
}

/// A question on its way.
#[derive(Debug)]
pub struct Asking<'a> {
    search: &'a Search,
    question: Question,
    job: Option<String>,
    offset: usize,
    over: bool,
    steps: Vec<Step>,
}

impl Asking<'_> {
    /// The next rows; nothing once all of them were given. May be dropped while it waits; [`give_up`](Self::give_up) then
    /// tells the platform.
    ///
    /// # Errors
    /// See [`ErrorKind`]. [`ErrorKind::Rejected`] when the platform could not answer the statement,
    /// [`ErrorKind::Timeout`] when it took longer than the profile allows.
    pub async fn page(&mut self) -> Result<Option<Rows>, Error> {
        if self.over {
            return Ok(None);
        }
        if self.question.sql.len() > LONGEST_SQL {
            return Err(Error::new(ErrorKind::Rejected, "the statement is too long"));
        }
        let results = &self.search.profile.results;
        if self.search.profile.mode == Mode::Sync {
            let answer = self.submit().await?;
            self.over = true;
            return answer::rows(answer, results).map(Some);
        }
        let id = match &self.job {
            Some(id) => id.clone(),
            None => {
                let id = self.begin().await?;
                self.job = Some(id.clone());
                self.wait(&id).await?;
                id
            }
        };
        let paged = !results.page.offset.is_empty();
        let mut url = self.search.address(&results.path, &id)?;
        if paged {
            url.query_pairs_mut()
                .append_pair(&results.page.offset, &self.offset.to_string())
                .append_pair(&results.page.limit, &results.page.size.to_string());
        }
        let answer = self
            .search
            .send(results.method, &url, None, &mut self.steps)
            .await?;
        let rows = answer::rows(answer, results)?;
        self.offset = self.offset.saturating_add(rows.rows.len());
        // Half a page is followed by the other half; only what is empty, or the number of all, ends a result.
        self.over = !paged || rows.rows.is_empty() || rows.total.is_some_and(|total| self.offset >= total);
        match rows.total {
            Some(total) if rows.rows.is_empty() && self.offset < total => Err(Error::new(
                ErrorKind::BadAnswer,
                format!("the result ends after {} of its {total} rows", self.offset),
            )),
            _ => Ok(Some(rows)),
        }
    }

    /// Every row, at most `most`.
    ///
    /// # Errors
    /// As [`page`](Self::page); [`ErrorKind::BadAnswer`] for more rows.
    pub async fn all(&mut self, most: usize) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        while let Some(page) = self.page().await? {
            rows.extend(page.rows);
            if rows.len() > most {
                return Err(Error::new(ErrorKind::BadAnswer, "the result has too many rows"));
            }
        }
        Ok(rows)
    }

    /// Tells the platform that the job is not wanted any more, if there is one and the profile knows how.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn give_up(&mut self) -> Result<(), Error> {
        let cancel = &self.search.profile.cancel;
        self.over = true;
        let Some(id) = self.job.take().filter(|_| !cancel.path.is_empty()) else {
            return Ok(());
        };
        let url = self.search.address(&cancel.path, &id)?;
        self.search.once(cancel.method, &url, None).await.map(drop)
    }

    /// What was sent so far and what came of it.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    async fn submit(&mut self) -> Result<Value, Error> {
        let (search, submit) = (self.search, &self.search.profile.submit);
        let mut url = search.address(&submit.path, "")?;
        if !submit.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in &submit.query {
                pairs.append_pair(name, &search.filled(value, &self.question));
            }
        }
        let body = (!submit.body.is_null()).then(|| search.body(&submit.body, &self.question));
        search
            .send(submit.method, &url, body.as_ref(), &mut self.steps)
            .await
    }

    async fn begin(&mut self) -> Result<String, Error> {
        let answer = self.submit().await?;
        let id = answer::text_at(&answer, &self.search.profile.submit.id_pointer);
        let sound = |id: &String| {
            !id.is_empty()
                && id.len() <= LONGEST_ID
                && !matches!(id.as_str(), "." | "..")
                && !id.chars().any(char::is_control)
        };
        id.filter(sound).ok_or_else(|| {
            Error::new(
                ErrorKind::BadAnswer,
                "the answer holds no job's id where the profile says it is",
            )
        })
    }

    async fn wait(&mut self, id: &str) -> Result<(), Error> {
        let (search, poll) = (self.search, &self.search.profile.poll);
        let end = Instant::now() + Duration::from_millis(poll.timeout_ms);
        let url = search.address(&poll.path, id)?;
        loop {
            let answer = search.send(poll.method, &url, None, &mut self.steps).await?;
            let Some(state) = answer::text_at(&answer, &poll.state_pointer) else {
                return Err(Error::new(
                    ErrorKind::BadAnswer,
                    "the answer holds no state where the profile says it is",
                ));
            };
            let is = |states: &[String]| states.iter().any(|known| known.eq_ignore_ascii_case(&state));
            if is(&poll.done) {
                return Ok(());
            }
            if is(&poll.failed) {
                let said =
                    answer::text_at(&answer, &poll.error_pointer).filter(|_| !poll.error_pointer.is_empty());
                let said = said.unwrap_or_else(|| answer.to_string());
                return Err(Error::new(
                    ErrorKind::Rejected,
                    shown(search.token.expose_secret(), &said),
                ));
            }
            let interval = Duration::from_millis(poll.interval_ms);
            if Instant::now() + interval > end {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!("the job is still {state} after {} s", poll.timeout_ms / 1000),
                ));
            }
            tokio::time::sleep(interval).await;
        }
    }
}

fn bound(format: Bound, time: DateTime<Utc>) -> String {
    match format {
        Bound::Rfc3339Ms => time.to_rfc3339_opts(SecondsFormat::Millis, true),
        Bound::EpochUs => time.timestamp_micros().to_string(),
        Bound::EpochMs => time.timestamp_millis().to_string(),
        Bound::EpochS => time.timestamp().to_string(),
    }
}

/// An address as it may be shown: what the base has in its query may be a token; what is ours is not.
fn without_query_of_base(base: &Url, url: &Url) -> String {
    if base.query().is_some() {
        return format!("{} ({BLANKED})", without_query(url));
    }
    url.to_string()
}
