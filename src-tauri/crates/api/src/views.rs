//! Requests and answers as they cross the wire. What carries an error is a type of its own here, because only here is
//! the user's language known; everything else is the domain's own type.

pub mod disks;
pub mod sessions;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::Money;
pub use wangcheng::create::CreateServer;
use wangcheng::create::PricePart;
use wangcheng::delivery::{DeliveryState, Preset};
use wangcheng::keychain::Remember;
use wangcheng::operations::{OperationKind, PowerAct};
use wangcheng::servers::Server;
use wangcheng::settings::{Language, Theme};

use self::disks::{DiskCommands, OperationPart};
use crate::error::WireError;
use crate::words::Tongue;

/// What the program is, and what a start should show.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    /// Version of the program.
    pub version: String,
    /// `windows`, `macos` or `linux`.
    pub platform: String,
    /// Directory of the ledger in use.
    pub data_dir: String,
    /// Random id of this installation.
    pub installation_id: String,
    /// The embedded region that can be tried.
    pub demo: Option<DemoRegion>,
    /// Whether the embedded region is what is in use now.
    pub demo_active: bool,
    /// Language to show, with a start's own wish already in it.
    pub language: Language,
    /// Look to show, with a start's own wish already in it.
    pub theme: Theme,
    /// Something to be told once.
    pub notice: Option<WireError>,
}

/// The embedded region.
#[derive(Debug, Clone, Serialize, TS)]
pub struct DemoRegion {
    /// Its id.
    pub region: String,
    /// Who one can be there.
    pub users: Vec<DemoUser>,
}

/// A person of the embedded region.
#[derive(Debug, Clone, Serialize, TS)]
pub struct DemoUser {
    /// User name.
    pub name: String,
    /// What this person may do.
    pub role: String,
}

/// A region that can be signed in to.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// Region id.
    pub id: String,
    /// Chinese name.
    pub name_zh: Option<String>,
    /// English name.
    pub name_en: Option<String>,
    /// An embedded one.
    pub demo: bool,
}

/// Whether an account works.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AccountState {
    /// It works.
    Ready,
    /// Nothing is asked until a person did something.
    Stopped {
        /// Why.
        error: WireError,
    },
}

/// One account.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Our id.
    pub id: String,
    /// What the user calls it.
    pub name: String,
    /// Region id.
    pub region: String,
    /// Project id.
    pub project_id: String,
    /// Id of the cloud account.
    pub account_id: String,
    /// Name of the cloud account.
    pub account_name: Option<String>,
    /// IAM user id.
    pub user_id: String,
    /// IAM user name.
    pub user_name: String,
    /// The key stands in the keychain.
    pub remembered: bool,
    /// Of the embedded region.
    pub demo: bool,
    /// Whether it works.
    pub state: AccountState,
}

/// All accounts.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Accounts {
    /// In the order they were added.
    pub accounts: Vec<Account>,
    /// Our id of the one in use.
    pub active: Option<String>,
}

/// Names an account.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct AccountRef {
    /// Our id.
    pub account: String,
}

/// Signing in. The secret parts go in here once and never come back.
#[derive(Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// What to call the account.
    pub name: String,
    /// Region id.
    pub region: String,
    /// Access key (AK).
    #[ts(type = "string")]
    pub access_key: secrecy::SecretString,
    /// Secret key (SK).
    #[ts(type = "string")]
    pub secret_key: secrecy::SecretString,
    /// Security token of a temporary key.
    #[ts(type = "string | null")]
    pub security_token: Option<secrecy::SecretString>,
    /// Project id, where it cannot be found out.
    pub project_id: Option<String>,
    /// How long the key is kept.
    pub remember: Remember,
}

/// Whether a key may read something.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Right {
    /// What.
    pub what: wangcheng::rights::Readable,
    /// None: the cloud gave no answer that says so.
    pub allowed: Option<bool>,
    /// Why not, or why it is not known.
    pub error: Option<WireError>,
}

/// Looking for keys that lie ready on this computer.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct FindKeys {
    /// Only in this file of the console's.
    pub file: Option<String>,
}

/// Signing in to the embedded region.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct SignInDemo {
    /// Who to be.
    pub user: String,
    /// How long the key is kept.
    pub remember: Remember,
}

/// The servers of the account in use.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerList {
    /// Our id of the account.
    pub account: String,
    /// What the cloud told last.
    pub servers: Vec<Server>,
    /// When, by the cloud's clock; none: not yet.
    pub as_of: Option<DateTime<Utc>>,
    /// It is being asked now.
    pub refreshing: bool,
    /// Rows that could not be read.
    pub unreadable: usize,
    /// Why the last question was not answered.
    pub problem: Option<WireError>,
}

/// Something that stands in the way of a creation, or should be known.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Problem {
    /// The field it is about.
    pub field: Option<String>,
    /// Creation is refused while it stands.
    pub blocking: bool,
    /// What it is.
    pub error: WireError,
}

/// What a creation would become and cost.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// Price of an hour.
    pub per_hour: Option<Money>,
    /// Price until the lease ends.
    pub for_lease: Option<Money>,
    /// Length of the lease in hours, decimal text.
    pub lease_hours: String,
    /// The parts.
    pub parts: Vec<PricePart>,
    /// What stands in the way.
    pub problems: Vec<Problem>,
    /// Flavor id chosen.
    pub flavor: Option<String>,
    /// Name of the image chosen.
    pub image: Option<String>,
    /// Zone chosen.
    pub zone: Option<String>,
    /// Name of the subnet chosen.
    pub subnet: Option<String>,
    /// Name of the security group chosen.
    pub security_group: Option<String>,
    /// Key pair of the cloud's that was chosen.
    pub key_pair: Option<String>,
    /// A key pair is made for this server only.
    pub fresh_key: bool,
    /// By the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// Moving the end of a lease.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct ExtendLease {
    /// Server id.
    pub server: String,
    /// The new end.
    pub until: DateTime<Utc>,
}

/// Names a server.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct ServerRef {
    /// Server id.
    pub server: String,
}

/// Starting, stopping or restarting servers.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct Power {
    /// Server ids, at most 100.
    pub servers: Vec<String>,
    /// What is done.
    pub act: PowerAct,
    /// The power is cut, rather than the guest asked to shut down.
    pub hard: bool,
}

/// What came of asking something for one of several servers.
#[derive(Debug, Clone, Serialize, TS)]
pub struct PerServer {
    /// Server id.
    pub server: String,
    /// The operation, recorded.
    pub operation: Option<Operation>,
    /// Why there is none.
    pub error: Option<WireError>,
}

/// Deleting a server.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct DeleteServer {
    /// Server id.
    pub server: String,
    /// The server's name, as confirmed.
    pub name: String,
}

/// Names a template.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct TemplateRef {
    /// Its id.
    pub template: String,
}

/// Templates as a file.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TemplateFile {
    /// JSON with a schema version.
    pub file: String,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OperationStage {
    /// Written down, perhaps not sent.
    Recorded,
    /// The cloud took it.
    Sent,
    /// Over.
    Settled,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OperationOutcome {
    /// Well.
    Ok,
    /// Not.
    Failed,
    /// It was given up before it was sent.
    Cancelled,
}

/// Names an operation.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OperationRef {
    /// Operation id.
    pub operation: String,
}

/// One operation.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub kind: OperationKind,
    /// Our id of the account.
    pub account: String,
    /// Server id, once known.
    pub server_id: Option<String>,
    /// Name of the server.
    pub server_name: String,
    /// How far it is.
    pub stage: OperationStage,
    /// How it ended.
    pub outcome: Option<OperationOutcome>,
    /// The cloud surely has nothing of it yet, so that it can be cancelled.
    pub cancellable: bool,
    /// It is not wanted any more, and ends as cancelled unless it reaches the cloud just now.
    pub cancelling: bool,
    /// Why it failed.
    pub error: Option<WireError>,
    /// The cloud's job.
    pub job_id: Option<String>,
    /// What the cloud is doing, in its own word.
    pub progress: Option<String>,
    /// What should be known beside its end: why a server that was stopped for it does not run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub remark: Option<Box<WireError>>,
    /// The security group that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub security_group: Option<String>,
    /// The lease's end asked for.
    pub lease_end: Option<DateTime<Utc>>,
    /// Template id.
    pub template: Option<String>,
    /// Flavor id.
    pub flavor: Option<String>,
    /// When it was asked.
    pub recorded_at: DateTime<Utc>,
    /// When the cloud took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub settled_at: Option<DateTime<Utc>>,
    /// The disk or public address that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub part: Option<OperationPart>,
    /// What could not be done besides; the act itself is none the worse for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub problem: Option<WireError>,
    /// How many parts of a deleted server are left, and cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub left: Option<u32>,
    /// What is left to do in the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub commands: Option<DiskCommands>,
}

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

/// Something changed.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Change {
    /// Accounts.
    Accounts {
        /// As they are now.
        accounts: Accounts,
    },
    /// The servers of the account in use.
    Servers {
        /// As they are now.
        list: ServerList,
    },
    /// An operation.
    Operation {
        /// As it is now.
        operation: Box<Operation>,
    },
    /// Events were written.
    Events {
        /// Number of the newest.
        #[ts(type = "number")]
        last_seq: u64,
    },
    /// Delivery.
    Delivery {
        /// As it is now.
        delivery: Delivery,
    },
    /// The end of a lease is near.
    LeaseWarned {
        /// Our id of the account.
        account: String,
        /// Server id.
        server: String,
        /// Name of the server.
        name: String,
        /// When the lease ends.
        lease_end: DateTime<Utc>,
        /// Which warning it is: minutes before the end.
        #[ts(type = "number")]
        minutes: i64,
    },
    /// A session began, went on, or asks something.
    Session {
        /// As it is now.
        session: Box<sessions::Session>,
    },
    /// A session was closed.
    SessionGone {
        /// Its id.
        session: String,
    },
    /// What a session shows has to be read anew, from what was shown last.
    SessionStalled {
        /// Its id.
        session: String,
    },
    /// Something was set.
    Settings {
        /// As it is now.
        settings: Settings,
    },
    /// Something is wished of the page, from outside of it.
    Wished,
    /// Another ledger is in use, or changes were missed: everything has to be read anew.
    Reload,
}

/// Turns the domain's values into wire values in one language.
#[derive(Clone, Copy)]
pub(crate) struct Speaker<'a> {
    pub tongue: Tongue,
    /// The embedded region's id, where this is it.
    pub demo: Option<&'a str>,
}

impl Speaker<'_> {
    pub fn error(&self, failure: &wangcheng::Failure) -> WireError {
        WireError::new(failure, self.tongue)
    }

    pub fn account(&self, account: wangcheng::accounts::Account) -> Account {
        let state = match &account.stopped {
            None => AccountState::Ready,
            Some(failure) => AccountState::Stopped {
                error: self.error(failure),
            },
        };
        let kept = account.kept;
        Account {
            demo: self.demo == Some(kept.region.as_str()),
            id: kept.id,
            name: kept.name,
            region: kept.region,
            project_id: kept.project_id,
            account_id: kept.account_id,
            account_name: Some(kept.account_name).filter(|name| !name.is_empty()),
            user_id: kept.user_id,
            user_name: kept.user_name,
            remembered: kept.remember,
            state,
        }
    }

    pub fn accounts(&self, accounts: wangcheng::accounts::Accounts) -> Accounts {
        Accounts {
            accounts: accounts
                .accounts
                .into_iter()
                .map(|account| self.account(account))
                .collect(),
            active: accounts.active,
        }
    }

    pub fn servers(&self, list: wangcheng::servers::ServerList) -> ServerList {
        ServerList {
            account: list.account,
            servers: list.servers,
            as_of: list.as_of,
            refreshing: list.refreshing,
            unreadable: list.unreadable,
            problem: list.problem.as_ref().map(|failure| self.error(failure)),
        }
    }

    pub fn quote(&self, quote: wangcheng::create::Quote) -> Quote {
        let choice = quote.choice;
        Quote {
            per_hour: quote.per_hour,
            for_lease: quote.for_lease,
            lease_hours: quote.lease_hours.to_string(),
            parts: quote.parts,
            problems: quote
                .problems
                .iter()
                .map(|problem| Problem {
                    field: problem.field.map(str::to_owned),
                    blocking: problem.blocking,
                    error: self.error(&problem.failure),
                })
                .collect(),
            flavor: choice.flavor.map(|flavor| flavor.id),
            image: choice.image.map(|image| image.name),
            zone: choice.zone,
            subnet: choice.subnet.map(|subnet| subnet.name),
            security_group: choice.security_group.map(|group| group.name),
            key_pair: choice.key_pair,
            fresh_key: choice.fresh_key,
            as_of: quote.as_of,
        }
    }

    pub fn operation(&self, operation: wangcheng::operations::Operation) -> Operation {
        let commands = self.commands_after(&operation);
        let cancellable = operation.is_cancellable();
        let row = operation.row;
        Operation {
            cancellable,
            cancelling: row.cancel_asked_at.is_some() && row.outcome.is_none() && row.sent_at.is_none(),
            commands,
            part: operation.detail.part.map(disks::part),
            problem: operation
                .detail
                .problem
                .as_ref()
                .map(|failure| self.error(failure)),
            left: operation.detail.left,
            id: row.id,
            kind: operation.kind,
            account: row.account,
            server_id: row.server_id,
            server_name: row.server_name,
            stage: match row.stage.as_str() {
                "recorded" => OperationStage::Recorded,
                "sent" => OperationStage::Sent,
                _ => OperationStage::Settled,
            },
            outcome: row.outcome.map(|outcome| match outcome.as_str() {
                "ok" => OperationOutcome::Ok,
                "cancelled" => OperationOutcome::Cancelled,
                _ => OperationOutcome::Failed,
            }),
            error: operation.failure.as_ref().map(|failure| self.error(failure)),
            remark: operation
                .detail
                .stays_stopped
                .as_ref()
                .map(|failure| Box::new(self.error(failure))),
            job_id: row.job_id,
            security_group: operation.detail.security_group,
            progress: operation.detail.progress,
            lease_end: operation.detail.lease_end,
            template: operation.detail.template,
            flavor: operation.detail.flavor,
            recorded_at: row.recorded_at,
            sent_at: row.sent_at,
            settled_at: row.settled_at,
        }
    }

    pub fn per_server(
        &self,
        server: String,
        result: wangcheng::Result<wangcheng::operations::Operation>,
    ) -> PerServer {
        let (operation, error) = match result {
            Ok(operation) => (Some(self.operation(operation)), None),
            Err(failure) => (None, Some(self.error(&failure))),
        };
        PerServer {
            server,
            operation,
            error,
        }
    }

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

    pub fn change(&self, change: wangcheng::Change) -> Change {
        match change {
            wangcheng::Change::Accounts(accounts) => Change::Accounts {
                accounts: self.accounts(accounts),
            },
            wangcheng::Change::Servers(list) => Change::Servers {
                list: self.servers(list),
            },
            wangcheng::Change::Operation(operation) => Change::Operation {
                operation: Box::new(self.operation(*operation)),
            },
            wangcheng::Change::Events(last_seq) => Change::Events { last_seq },
            wangcheng::Change::Delivery(delivery) => Change::Delivery {
                delivery: self.delivery(*delivery),
            },
            wangcheng::Change::Session(session) => Change::Session {
                session: Box::new(self.session(*session)),
            },
            wangcheng::Change::SessionGone(session) => Change::SessionGone { session },
            wangcheng::Change::SessionStalled(session) => Change::SessionStalled { session },
            wangcheng::Change::LeaseWarned(warning) => Change::LeaseWarned {
                account: warning.account,
                server: warning.server,
                name: warning.name,
                lease_end: warning.lease_end,
                minutes: warning.minutes,
            },
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

/// Kept here so that the table of calls names only this module's types.
pub use wangcheng::catalogue::Catalogue;
pub use wangcheng::login::SavedKey;
pub use wangcheng::settings::Settings;
pub use wangcheng::templates::Template;
