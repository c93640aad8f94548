use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// A cloud account that this installation signed in to, for one region and project. Secret keys are not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Our own id for it (a UUID); stays the same when anything else changes.
    pub id: String,
    /// The name that the user gave it.
    pub name: String,
    /// Region id.
    pub region: String,
    /// Project id in that region.
    pub project_id: String,
    /// The cloud's id of the account (the "domain id").
    pub account_id: String,
    /// The cloud's name of the account.
    pub account_name: String,
    /// Id of the IAM user whose key is used.
    pub user_id: String,
    /// Name of that IAM user.
    pub user_name: String,
    /// Whether its secret is kept beyond this run (elsewhere, never here).
    pub remember: bool,
    /// When it was first signed in to. Kept from the first time on: a later upsert does not change it.
    pub created_at: DateTime<Utc>,
}

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Written down; whether the request left is unknown.
    Recorded,
    /// The other side accepted the request.
    Sent,
    /// Ended, with an [`Outcome`].
    Settled,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It did what was asked.
    Ok,
    /// It did not.
    Failed,
    /// It was given up before it took effect.
    Cancelled,
}

/// The outcome that an event reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventOutcome {
    /// `ok`
    Ok,
    /// `failed`
    Failed,
    /// `refused`: a grant forbade it.
    Refused,
}

/// An operation as it is first written, before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// UUIDv7 text.
    pub id: String,
    /// What is asked, in the caller's words, such as `server.create`.
    pub kind: String,
    /// [`Account::id`] on whose behalf.
    pub account: String,
    /// The server concerned, where it already exists.
    pub server_id: Option<String>,
    /// Name of the server concerned.
    pub server_name: String,
    /// The token that makes repeating the request safe, where the other side honours one.
    pub client_token: Option<String>,
    /// The exact request body, or the ask as JSON: whatever lets the request be made again. No secrets.
    pub request: String,
    /// JSON of the kind's own notes, carried along. No secrets.
    pub detail: String,
    /// When it was asked for.
    pub recorded_at: DateTime<Utc>,
}

/// An operation as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// UUIDv7 text.
    pub id: String,
    /// What was asked, in the caller's words.
    pub kind: String,
    /// [`Account::id`] on whose behalf.
    pub account: String,
    /// The server concerned, once known.
    pub server_id: Option<String>,
    /// Name of the server concerned.
    pub server_name: String,
    /// The token that makes repeating the request safe, where the other side honours one.
    pub client_token: Option<String>,
    /// The exact request body, or the ask as JSON.
    pub request: String,
    /// How far it has come.
    pub stage: Stage,
    /// The job by which the other side's progress can be followed, once known.
    pub job_id: Option<String>,
    /// How it ended; present exactly when settled.
    pub outcome: Option<Outcome>,
    /// JSON of what went wrong, where something did.
    pub error: Option<String>,
    /// JSON of the kind's own notes.
    pub detail: String,
    /// When it was asked for.
    pub recorded_at: DateTime<Utc>,
    /// When the other side first accepted it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it ended; present exactly when settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// When somebody said that it is not wanted any more.
    pub cancel_asked_at: Option<DateTime<Utc>>,
}

/// An event to be appended.
///
/// The ledger writes `event_id`, `time`, `action`, `outcome`, `op_id` and `server_id` from these fields into the
/// body, over whatever stands there, so that the columns it is found by and the text that is delivered cannot
/// disagree; it adds `seq` and `installation_id` of its own. Everything else in the body is the caller's.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// UUIDv7 text; the same on every redelivery.
    pub event_id: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// Such as `server.created`.
    pub action: String,
    /// What it reports.
    pub outcome: EventOutcome,
    /// [`Account::id`] that it concerns; a column only, not part of the body.
    pub account: Option<String>,
    /// The operation that caused it. [`settle`](crate::Ledger::settle) fills in its own operation when absent.
    pub op_id: Option<String>,
    /// The server concerned.
    pub server_id: Option<String>,
    /// The remaining keys of the flat JSON object.
    pub body: Map<String, Value>,
}

/// An event as it stands in the ledger, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its number in this installation: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// UUIDv7 text.
    pub event_id: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// Such as `server.created`.
    pub action: String,
    /// What it reports.
    pub outcome: EventOutcome,
    /// [`Account::id`] that it concerns.
    pub account: Option<String>,
    /// The operation that caused it.
    pub op_id: Option<String>,
    /// The server concerned.
    pub server_id: Option<String>,
    /// The whole event as it is delivered: compact JSON text of one flat object.
    pub json: String,
}

/// How far one target has been told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Number of the last event that the target accepted; 0 when none was.
    pub cursor: u64,
    /// When it last accepted something.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed; absent after a success.
    pub last_error: Option<String>,
    /// When the last attempt failed; absent after a success.
    pub failed_at: Option<DateTime<Utc>>,
    /// Attempts that failed in a row since the last success.
    pub failures: u32,
}

impl Stage {
    /// `recorded`, `sent` or `settled`, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Recorded => "recorded",
            Stage::Sent => "sent",
            Stage::Settled => "settled",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Stage::Recorded, Stage::Sent, Stage::Settled]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

impl Outcome {
    /// `ok`, `failed` or `cancelled`, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Outcome::Ok, Outcome::Failed, Outcome::Cancelled]
            .into_iter()
            .find(|o| o.as_str() == text)
    }
}

impl EventOutcome {
    /// `ok`, `failed` or `refused`, as stored and delivered.
    pub fn as_str(self) -> &'static str {
        match self {
            EventOutcome::Ok => "ok",
            EventOutcome::Failed => "failed",
            EventOutcome::Refused => "refused",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [EventOutcome::Ok, EventOutcome::Failed, EventOutcome::Refused]
            .into_iter()
            .find(|o| o.as_str() == text)
    }
}

/// Which of the three queues of a target an event to be sent stands in. They are sent in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Events saved from a damaged file, under that file's installation id and numbers.
    Rescued,
    /// Refused before, and asked to be sent once more.
    Again,
    /// The events themselves, by the target's cursor.
    Events,
}

/// An event on its way to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Its place in its queue: the event's number, or the place among the rescued ones.
    pub number: u64,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The whole event as it is delivered.
    pub json: String,
}

/// An event that a target refused for good while it took others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Which queue it was refused in: [`Queue::Rescued`], or else [`Queue::Events`].
    pub queue: Queue,
    /// Its place in that queue; for [`Queue::Events`], its number.
    pub number: u64,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The whole event.
    pub json: String,
    /// The target's words.
    pub reason: String,
    /// When it was last refused; absent for a rescued one.
    pub refused_at: Option<DateTime<Utc>>,
    /// How often it was refused by itself.
    pub attempts: u32,
    /// Whether it is to be sent once more.
    pub again: bool,
}

/// What a stretch of time was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntervalKind {
    /// The server existed.
    Exists,
    /// It ran.
    Running,
}

impl IntervalKind {
    /// `exists` or `running`, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            IntervalKind::Exists => "exists",
            IntervalKind::Running => "running",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [IntervalKind::Exists, IntervalKind::Running]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A stretch of time of one server, without change of flavor, disk space or price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// What it was.
    pub kind: IntervalKind,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ended; absent while it goes on.
    pub ended: Option<DateTime<Utc>>,
}

/// What one server that exists came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCost {
    /// Server id.
    pub server_id: String,
    /// Since when it is counted.
    pub since: DateTime<Utc>,
    /// Hourly price times hours of existence: an estimate from above, not rounded.
    pub so_far: Decimal,
    /// Its hourly price now.
    pub per_hour: Decimal,
    /// Currency of both.
    pub currency: String,
}

/// What one owner used on one day, of one flavor in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Day in Asia/Shanghai.
    pub day: NaiveDate,
    /// IAM user id.
    pub owner_id: String,
    /// IAM user name, as the newest stretch says.
    pub owner: String,
    /// Flavor id.
    pub flavor: String,
    /// Region id.
    pub region: String,
    /// Hours that servers existed, to six places.
    pub hours: Decimal,
    /// Hours that they ran.
    pub running_hours: Decimal,
    /// Disk space times hours of existence.
    pub disk_gb_hours: Decimal,
    /// Hourly price times hours of existence: an estimate from above.
    pub cost: Decimal,
    /// Currency of the cost; empty where no price was known.
    pub currency: String,
}
