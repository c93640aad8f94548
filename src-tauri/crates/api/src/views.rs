//! Requests and answers as they cross the wire. What carries an error is a type of its own here, because only here is
//! the user's language known; everything else is the domain's own type.

mod accounts;
pub mod change;
pub mod disks;
mod events;
pub mod facts;
pub mod files;
pub mod grants;
pub mod office;
mod operations;
pub mod recordings;
pub mod sessions;
pub mod tunnels;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::Money;
pub use wangcheng::create::CreateServer;
use wangcheng::create::PricePart;
use wangcheng::grants::GrantUse;
use wangcheng::operations::PowerAct;
use wangcheng::servers::Server;
use wangcheng::settings::{Language, Theme};

pub use self::accounts::*;
pub(crate) use self::events::event;
pub use self::events::{
    ConfigureDelivery, Delivery, DeliveryTest, Event, EventOutcome, EventPage, ListEvents, RefusedEvent,
    SendAgain,
};
pub use self::operations::*;
use self::sessions::Session;
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

/// What a window begins with.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Beginning {
    /// What the program is.
    pub info: AppInfo,
    /// The settings.
    pub settings: Settings,
    /// Who is signed in.
    pub accounts: Accounts,
    /// What was asked for and is not forgotten yet.
    pub operations: Vec<Operation>,
    /// How events are delivered.
    pub delivery: Delivery,
    /// The sessions that are open.
    pub sessions: Vec<Session>,
    /// The servers of the account in use; nothing where they cannot be told, or nobody is signed in.
    pub servers: Option<ServerList>,
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
    /// How much of what the grant in force allows is used, and asked for.
    pub grant: Vec<GrantUse>,
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
    /// Another grant is in force, or it could not be asked for.
    Grant,
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
    /// The copies of a session's files went on.
    SessionCopies {
        /// Session id.
        session: String,
        /// As they stand.
        copies: Vec<files::CopyView>,
    },
    /// What is changed here of a session's files went on.
    SessionEdits {
        /// Session id.
        session: String,
        /// As they stand.
        edits: Vec<files::EditView>,
    },
    /// A percentage of a budget is spent, or will be. Told once.
    BudgetReached {
        /// What is told.
        reached: Box<wangcheng::usage::BudgetReached>,
    },
    /// The tunnels that are kept changed, or went on.
    Tunnels {
        /// All of them.
        tunnels: Vec<tunnels::TunnelView>,
    },
    /// What is set for all sessions changed.
    SessionPreferences {
        /// As it is now.
        preferences: sessions::SessionPreferences,
    },
    /// A pull or import of everybody's events went on or ended.
    Reading {
        /// As it is now.
        reading: Box<facts::Reading>,
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
            grant: quote.grant,
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
            wangcheng::Change::Grant => Change::Grant,
            wangcheng::Change::Delivery(delivery) => Change::Delivery {
                delivery: self.delivery(*delivery),
            },
            wangcheng::Change::Session(session) => Change::Session {
                session: Box::new(self.session(*session)),
            },
            wangcheng::Change::SessionGone(session) => Change::SessionGone { session },
            wangcheng::Change::SessionStalled(session) => Change::SessionStalled { session },
            wangcheng::Change::SessionCopies(session, jobs) => Change::SessionCopies {
                session,
                copies: self.copies(&jobs),
            },
            wangcheng::Change::SessionEdits(session, edits) => Change::SessionEdits {
                session,
                edits: self.edits(edits),
            },
            wangcheng::Change::SessionPreferences(preferences) => Change::SessionPreferences {
                preferences: preferences.into(),
            },
            wangcheng::Change::Tunnels(tunnels) => Change::Tunnels {
                tunnels: self.tunnels(&tunnels),
            },
            wangcheng::Change::Reading(now) => Change::Reading {
                reading: Box::new(self.reading(*now)),
            },
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

/// Kept here so that the table of calls names only this module's types.
pub use wangcheng::catalogue::Catalogue;
pub use wangcheng::login::{PublicKeys, SavedKey};
pub use wangcheng::settings::Settings;
pub use wangcheng::templates::Template;
