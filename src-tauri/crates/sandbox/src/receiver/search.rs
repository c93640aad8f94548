//! The calls by which one asks for what came in: at once, or as a job that is polled and fetched page by page.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, header};
use rusqlite::{Connection, params};
use serde_json::json;

use super::{
    Receiver,
    query::{self, MOST_EVENTS, Question, Table},
    refusal,
};
use crate::wire::{Answer, Request};

/// Most jobs at a time; the oldest go first.
const MOST_JOBS: usize = 20;
/// How long a job's result can be fetched.
const KEPT: TimeDelta = TimeDelta::minutes(10);
/// Rows in one page of a result, by default and at most.
const PAGE: usize = 1000;

/// Jobs by id.
#[derive(Debug, Default, Clone)]
pub(super) struct Searches {
    jobs: Arc<Mutex<BTreeMap<String, Job>>>,
}

#[derive(Debug)]
struct Job {
    begun: DateTime<Utc>,
    /// `None` while it runs.
    outcome: Option<Result<Table, String>>,
}

impl Searches {
    fn jobs(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver {
    /// `half`: of the page of a result that is asked for, only the first half is given.
    pub(super) async fn search(&self, request: &Request, now: DateTime<Utc>, half: bool) -> Answer {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (&request.method, segments.as_slice()) {
            (&Method::POST, ["query"]) => self.ask_at_once(request).await,
            (&Method::POST, ["search"]) => self.submit(request, now),
            (&Method::GET, ["search", id]) => self.state(id),
            (&Method::GET, ["search", id, "results"]) => self.results(id, request, half),
            (&Method::DELETE, ["search", id]) => match self.searches.jobs().remove(*id) {
                Some(_) => Answer::empty(204),
                None => no_such_job(),
            },
            (_, ["query" | "search"]) => refusal(405, "Method not allowed").with(header::ALLOW, "POST"),
            _ => refusal(404, "Not found"),
        }
    }

    async fn ask_at_once(&self, request: &Request) -> Answer {
        let question: Question = match request.json() {
            Ok(question) => question,
            Err(error) => return refusal(400, error.to_string()),
        };
        let records = Arc::clone(&self.records);
        match tokio::task::spawn_blocking(move || run(&question, &records)).await {
            Ok(Ok(table)) => Answer::json(200, &table),
            Ok(Err(reason)) => refusal(400, reason),
            Err(_) => refusal(500, "the query could not be run"),
        }
    }

    fn submit(&self, request: &Request, now: DateTime<Utc>) -> Answer {
        let question: Question = match request.json() {
            Ok(question) => question,
            Err(error) => return refusal(400, error.to_string()),
        };
        let id = uuid::Uuid::new_v4().to_string();
        {
            let mut jobs = self.searches.jobs();
            jobs.retain(|_, job| (now - job.begun).abs() <= KEPT);
            if jobs.len() >= MOST_JOBS {
                let oldest = jobs
                    .iter()
                    .min_by_key(|(_, job)| job.begun)
                    .map(|(id, _)| id.clone());
                if let Some(oldest) = oldest {
                    jobs.remove(&oldest);
                }
            }
            jobs.insert(
                id.clone(),
                Job {
                    begun: now,
                    outcome: None,
                },
            );
        }
        let (records, searches, of) = (Arc::clone(&self.records), self.searches.clone(), id.clone());
        tokio::task::spawn_blocking(move || {
            let outcome = run(&question, &records);
            // It may have been forgotten meanwhile.
            if let Some(job) = searches.jobs().get_mut(&of) {
                job.outcome = Some(outcome);
            }
        });
        Answer::json(202, &json!({"id": id}))
    }

    fn state(&self, id: &str) -> Answer {
        let jobs = self.searches.jobs();
        let Some(job) = jobs.get(id) else {
            return no_such_job();
        };
        let body = match &job.outcome {
            None => json!({"id": id, "state": "RUNNING"}),
            Some(Ok(table)) => json!({"id": id, "state": "SUCCEEDED", "total": table.rows.len()}),
            Some(Err(reason)) => json!({"id": id, "state": "FAILED", "error": reason}),
        };
        Answer::json(200, &body)
    }

    fn results(&self, id: &str, request: &Request, half: bool) -> Answer {
        let number = |key: &str| match request.query_value(key) {
            None => Ok(None),
            Some(text) => text
                .parse::<usize>()
                .map(Some)
                .map_err(|_| refusal(400, format!("{key} is no number"))),
        };
        let (offset, limit) = match (number("offset"), number("limit")) {
            (Ok(offset), Ok(limit)) => (offset.unwrap_or(0), limit.unwrap_or(PAGE).min(PAGE)),
            (Err(answer), _) | (_, Err(answer)) => return answer,
        };
        let jobs = self.searches.jobs();
        match jobs.get(id).map(|job| &job.outcome) {
            None => no_such_job(),
            Some(None) => refusal(409, "the job is still running"),
            Some(Some(Err(reason))) => refusal(400, reason.clone()),
            Some(Some(Ok(table))) => {
                let limit = if half { limit / 2 } else { limit };
                let rows: Vec<_> = table.rows.iter().skip(offset).take(limit).collect();
                Answer::json(
                    200,
                    &json!({
                        "columns": table.columns,
                        "rows": rows,
                        "total": table.rows.len(),
                        "truncated": table.truncated,
                    }),
                )
            }
        }
    }
}

fn no_such_job() -> Answer {
    refusal(404, "there is no such job")
}

/// On a blocking thread: copies the latest events, lets go of the store, and asks the copy.
fn run(question: &Question, records: &Mutex<Connection>) -> Result<Table, String> {
    let latest = || -> rusqlite::Result<Vec<(String, String)>> {
        let connection = records.lock().unwrap_or_else(PoisonError::into_inner);
        let mut query =
            connection.prepare_cached("SELECT received_at, record FROM records ORDER BY id DESC LIMIT ?1")?;
        let rows = query.query_map(params![MOST_EVENTS], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    let mut events = latest().map_err(|error| error.to_string())?;
    events.reverse();
    query::run(question, &events)
}
