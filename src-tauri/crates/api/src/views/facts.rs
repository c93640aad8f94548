//! Where everybody's events come from, what the bill says and what is wasted, as they cross the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
pub use wangcheng::bill::Bill;
pub use wangcheng::elsewhere::Elsewhere;
use wangcheng::platform::{
    BadLine, ReadingNow, ReadingOf, ReadingState, SearchPreset, SearchStanding, SearchTest,
};
pub use wangcheng::waste::Waste;
use wangcheng::waste::Whose;

use super::Speaker;
use crate::error::WireError;

/// Where the platform's search is, and how it is spelled there.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    /// Its address, if it is set.
    pub url: Option<String>,
    /// Data set.
    pub event_set: String,
    /// Whether plain HTTP to another computer was chosen on purpose.
    pub allow_plain_http: bool,
    /// Whether a token is kept.
    pub token_stored: bool,
    /// The way of asking.
    pub preset: SearchPreset,
    /// Every field of it, as in use.
    #[ts(type = "Record<string, unknown>")]
    pub profile: serde_json::Value,
}

/// Says where the platform's search is.
#[derive(Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConfigureSearch {
    /// Its address.
    pub url: String,
    /// The token; none: the one that is kept already.
    #[ts(type = "string | null")]
    pub token: Option<secrecy::SecretString>,
    /// Data set.
    pub event_set: String,
    /// Plain HTTP to another computer, on purpose.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// The way of asking.
    #[serde(default)]
    #[ts(optional, as = "Option<SearchPreset>")]
    pub preset: SearchPreset,
    /// With `custom`: the fields that differ from the way with jobs.
    #[serde(default)]
    #[ts(optional, type = "Record<string, unknown>")]
    pub profile: Option<serde_json::Value>,
}

/// Tries the search.
#[derive(Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrySearch {
    /// What to try; none: what is set.
    pub with: Option<ConfigureSearch>,
}

/// One request of a trial and what came of it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SearchStep {
    /// Method, address and body, without the token.
    pub request: String,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Beginning of the answer.
    pub answer: String,
    /// How long it took.
    #[ts(type = "number")]
    pub milliseconds: u64,
}

/// What came of trying the search.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SearchTrial {
    /// It can be asked so.
    pub ok: bool,
    /// The statement that was asked.
    pub sql: String,
    /// What was sent, in order.
    pub steps: Vec<SearchStep>,
    /// How many events of this product there are.
    #[ts(type = "number | null")]
    pub events: Option<u64>,
    /// What went wrong.
    pub problem: Option<WireError>,
}

/// A statement that answers on the platform what the usage summary answers here.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PlatformStatement {
    /// What it answers; stable.
    pub name: String,
    /// The same in the user's language.
    pub title: String,
    /// The statement.
    pub sql: String,
}

/// A line of a file that is no event.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NamedLine {
    /// Its number, from 1 on.
    #[ts(type = "number")]
    pub line: u64,
    /// Why.
    pub why: BadLine,
}

/// How a pull or an import stands, and what it brought.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// Where from.
    pub of: ReadingOf,
    /// Name of the source, as `usage.sources` has it.
    pub source: String,
    /// How it stands.
    pub state: ReadingState,
    /// When it began.
    pub began: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// How far it is: events of the platform, bytes of a file.
    #[ts(type = "number")]
    pub done: u64,
    /// Of how many.
    #[ts(type = "number")]
    pub of_all: u64,
    /// Events that were not known before.
    #[ts(type = "number")]
    pub new: u64,
    /// Events that were.
    #[ts(type = "number")]
    pub doubled: u64,
    /// Rows that are no events.
    #[ts(type = "number")]
    pub unreadable: u64,
    /// Of them, those that a newer version of this program can read.
    #[ts(type = "number")]
    pub newer: u64,
    /// Lines of a file that are no events; the first hundred.
    pub bad_lines: Vec<NamedLine>,
    /// Installations at the platform.
    pub installations: usize,
    /// Events that the platform has not: lost on the way, or not delivered yet.
    #[ts(type = "number")]
    pub gaps: u64,
    /// Events that the platform counts and did not give.
    #[ts(type = "number")]
    pub withheld: u64,
    /// What stopped it.
    pub problem: Option<WireError>,
}

/// Asks for a month's bill.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AskBill {
    /// `YYYY-MM` in Asia/Shanghai.
    pub month: String,
}

/// Asks for what is wasted.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AskWaste {
    /// Whose.
    #[serde(default)]
    #[ts(optional, as = "Option<Whose>")]
    pub whose: Whose,
}

impl Speaker<'_> {
    pub fn search(&self, standing: SearchStanding) -> Search {
        let configuration = standing.configuration.unwrap_or_default();
        // Nothing in a profile is secret.
        let profile = serde_json::to_value(configuration.profile()).unwrap_or_default();
        Search {
            url: Some(configuration.url).filter(|url| !url.is_empty()),
            event_set: configuration.event_set,
            allow_plain_http: configuration.allow_plain_http,
            token_stored: standing.token_stored,
            preset: configuration.preset,
            profile,
        }
    }

    pub fn search_trial(&self, test: SearchTest) -> SearchTrial {
        SearchTrial {
            ok: test.problem.is_none(),
            sql: test.sql,
            steps: test
                .steps
                .into_iter()
                .map(|step| SearchStep {
                    request: step.request,
                    status: step.status,
                    answer: step.answer,
                    milliseconds: u64::try_from(step.took.as_millis()).unwrap_or(u64::MAX),
                })
                .collect(),
            events: test.events,
            problem: test.problem.as_ref().map(|failure| self.error(failure)),
        }
    }

    pub fn reading(&self, now: ReadingNow) -> Reading {
        Reading {
            of: now.of,
            source: now.source,
            state: now.state,
            began: now.began,
            ended: now.ended,
            done: now.done,
            of_all: now.of_all,
            new: now.new,
            doubled: now.doubled,
            unreadable: now.unreadable,
            newer: now.newer,
            bad_lines: now
                .bad_lines
                .into_iter()
                .map(|(line, why)| NamedLine { line, why })
                .collect(),
            installations: now.far.installations,
            gaps: now.far.gaps,
            withheld: now.far.withheld,
            problem: now.problem.as_ref().map(|failure| self.error(failure)),
        }
    }

    pub fn platform_statement(&self, statement: wangcheng::platform::Statement) -> PlatformStatement {
        PlatformStatement {
            title: crate::words::statement(statement.name, self.tongue).to_owned(),
            name: statement.name.to_owned(),
            sql: statement.sql,
        }
    }
}
