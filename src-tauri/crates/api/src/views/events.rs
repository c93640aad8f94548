//! Events and their delivery as they cross the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::delivery::{DeliveryState, Preset};

use super::Speaker;
use crate::error::WireError;

/// How an event ended.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EventOutcome {
    /// Well.
    Ok,
    /// Not.
    Failed,
    /// Refused by a grant.
    Refused,
}

/// One event.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its number in this installation.
    #[ts(type = "number")]
    pub seq: u64,
    /// Its id.
    pub event_id: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// What happened.
    pub action: String,
    /// How it ended.
    pub outcome: EventOutcome,
    /// Name of the server.
    pub server_name: Option<String>,
    /// Whose.
    pub owner: Option<String>,
    /// The operation that caused it.
    pub op_id: Option<String>,
    /// The receiver has it.
    pub delivered: bool,
    /// The whole event as it is sent.
    pub json: String,
}

/// Asks for events.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct ListEvents {
    /// Only those before this number.
    #[ts(type = "number | null")]
    pub before: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

/// Events, newest first.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Number of the newest of all.
    #[ts(type = "number")]
    pub last_seq: u64,
    /// There are older ones.
    pub more: bool,
}

/// How delivery stands.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// What it does.
    pub state: DeliveryState,
    /// Where events go.
    pub url: Option<String>,
    /// Data set.
    pub event_set: String,
    /// Data type.
    pub datatype: String,
    /// Whether plain HTTP to another computer was chosen on purpose.
    pub allow_plain_http: bool,
    /// Whether a token is kept.
    pub token_stored: bool,
    /// Events not delivered yet.
    #[ts(type = "number")]
    pub waiting: u64,
    /// Number of the newest event.
    #[ts(type = "number")]
    pub last_seq: u64,
    /// When the last batch was taken.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When the next try is due.
    pub next_try_at: Option<DateTime<Utc>>,
    /// Failures since the last success.
    pub attempts: u32,
    /// What stops it.
    pub problem: Option<WireError>,
    /// The way of speaking.
    pub preset: Preset,
    /// Every field of it, as in use.
    #[ts(type = "Record<string, unknown>")]
    pub profile: serde_json::Value,
    /// Events that the receiver refused and that are set apart.
    #[ts(type = "number")]
    pub quarantined: u64,
}

/// An event that the receiver refused while it took others.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RefusedEvent {
    /// Its number; none: it was rescued from a damaged ledger.
    #[ts(type = "number | null")]
    pub seq: Option<u64>,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The whole event as it was sent.
    pub json: String,
    /// The receiver's words.
    pub reason: String,
    /// When it was last refused.
    pub refused_at: Option<DateTime<Utc>>,
    /// How often.
    pub attempts: u32,
    /// Whether it waits to be sent once more.
    pub again: bool,
}

/// Which refused event is meant.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SendAgain {
    /// Its number; none: all of them.
    #[ts(type = "number | null")]
    pub seq: Option<u64>,
}

/// Says where events go.
#[derive(Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConfigureDelivery {
    /// Address of the HEI.
    pub url: String,
    /// Its token; none: the one that is kept. It goes in here once and never comes back.
    #[ts(type = "string | null")]
    pub token: Option<secrecy::SecretString>,
    /// Data set.
    pub event_set: String,
    /// Data type.
    pub datatype: String,
    /// Plain HTTP to another computer, on purpose.
    pub allow_plain_http: bool,
    /// The way of speaking; the platform's own where nothing is said.
    #[serde(default)]
    #[ts(optional, as = "Option<Preset>")]
    pub preset: Preset,
    /// With `custom`: the fields that differ from the platform's own way.
    #[serde(default)]
    #[ts(optional, type = "Record<string, unknown>")]
    pub profile: Option<serde_json::Value>,
}

/// What came of a test event.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryTest {
    /// The receiver took it.
    pub ok: bool,
    /// HTTP status.
    pub status: Option<u16>,
    /// What was sent, the token blanked.
    pub request: String,
    /// What came back.
    pub answer: Option<String>,
    /// What went wrong.
    pub problem: Option<WireError>,
}

impl Speaker<'_> {
    pub fn delivery(&self, delivery: wangcheng::delivery::Delivery) -> Delivery {
        let configuration = delivery.configuration.unwrap_or_default();
        // The certificates are many lines that everybody has; nothing in a profile is secret.
        let profile = serde_json::to_value(configuration.profile()).unwrap_or_default();
        Delivery {
            preset: configuration.preset,
            profile,
            quarantined: delivery.quarantined,
            state: delivery.state,
            url: Some(configuration.url).filter(|url| !url.is_empty()),
            event_set: configuration.event_set,
            datatype: configuration.datatype,
            allow_plain_http: configuration.allow_plain_http,
            token_stored: delivery.token_stored,
            waiting: delivery.waiting,
            last_seq: delivery.last_seq,
            delivered_at: delivery.delivered_at,
            next_try_at: delivery.next_try_at,
            attempts: delivery.attempts,
            problem: delivery.problem.as_ref().map(|failure| self.error(failure)),
        }
    }
}

pub(crate) fn event(kept: wangcheng::events::Kept) -> Event {
    let body: serde_json::Value = serde_json::from_str(&kept.row.json).unwrap_or_default();
    let text = |key: &str| body.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    Event {
        seq: kept.row.seq,
        event_id: kept.row.event_id,
        time: kept.row.time,
        outcome: match kept.row.outcome.as_str() {
            "ok" => EventOutcome::Ok,
            "refused" => EventOutcome::Refused,
            _ => EventOutcome::Failed,
        },
        action: kept.row.action,
        server_name: text("server_name"),
        owner: text("owner"),
        op_id: kept.row.op_id,
        delivered: kept.delivered,
        json: kept.row.json,
    }
}
