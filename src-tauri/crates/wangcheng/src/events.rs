//! How a fact is written for the data platform: one flat JSON object, stable names, absent instead of null.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use store::{EventOutcome, NewEvent};

use crate::app::ClientInfo;
use crate::clock::rfc3339;
use crate::failure::{Code, Failure};
use crate::money::Money;

/// The contract's name and version, `schema` in every event.
pub const SCHEMA: &str = "wangcheng.event.v1";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A server was made.
    ServerCreated,
    /// A server was deleted.
    ServerDeleted,
    /// A server without a lease got one.
    LeaseSet,
    /// The end of a lease was moved.
    LeaseExtended,
    /// A lease was taken off: the server stays until somebody deletes it.
    LeaseCancelled,
    /// The end of a lease is near.
    LeaseWarned,
    /// A server was started.
    ServerStarted,
    /// A server was stopped.
    ServerStopped,
    /// A server was restarted.
    ServerRebooted,
    /// A server has another flavor.
    ServerResized,
    /// An own server was seen that was made elsewhere.
    ServerSeen,
    /// A disk was made and attached.
    DiskAttached,
    /// A disk was made larger.
    DiskExtended,
    /// A disk was taken off its server.
    DiskDetached,
    /// A disk was deleted.
    DiskDeleted,
    /// A public address was given back.
    AddressReleased,
    /// Somebody was let in to a server.
    SessionOpened,
    /// That came to its end.
    SessionClosed,
    /// A grant came into force.
    GrantAccepted,
    /// A grant did not allow an act.
    GrantRefused,
    /// The installation left its organisation.
    GrantLeft,
    /// The installation lives: one a day.
    InstallHeartbeat,
}

impl Action {
    /// As it stands in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::ServerCreated => "server.created",
            Action::ServerDeleted => "server.deleted",
            Action::LeaseSet => "lease.set",
            Action::LeaseExtended => "lease.extended",
            Action::LeaseCancelled => "lease.cancelled",
            Action::LeaseWarned => "lease.warned",
            Action::ServerStarted => "server.started",
            Action::ServerStopped => "server.stopped",
            Action::ServerRebooted => "server.rebooted",
            Action::ServerResized => "server.resized",
            Action::ServerSeen => "server.seen",
            Action::DiskAttached => "disk.attached",
            Action::DiskExtended => "disk.extended",
            Action::DiskDetached => "disk.detached",
            Action::DiskDeleted => "disk.deleted",
            Action::AddressReleased => "eip.released",
            Action::SessionOpened => "session.opened",
            Action::SessionClosed => "session.closed",
            Action::GrantAccepted => "grant.accepted",
            Action::GrantRefused => "grant.refused",
            Action::GrantLeft => "grant.left",
            Action::InstallHeartbeat => "install.heartbeat",
        }
    }
}

/// An event being written. `seq` and `installation_id` are set by the ledger when it is kept.
pub(crate) struct Draft {
    time: DateTime<Utc>,
    action: Action,
    outcome: EventOutcome,
    body: Map<String, Value>,
}

impl Draft {
    pub fn new(action: Action, time: DateTime<Utc>, client: &ClientInfo) -> Self {
        let mut draft = Self {
            time,
            action,
            outcome: EventOutcome::Ok,
            body: Map::new(),
        };
        draft.set("schema", SCHEMA);
        draft.set("time", rfc3339(time));
        draft.set("action", action.as_str());
        draft.set("outcome", draft.outcome.as_str());
        draft.set("client", client.name);
        draft.set("client_version", client.version);
        draft.set("platform", client.platform);
        draft
    }

    /// Sets a key; what is empty stays away.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        match value.into() {
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            value => {
                self.body.insert(key.to_owned(), value);
            }
        }
        self
    }

    pub fn set_time(&mut self, key: &str, value: Option<DateTime<Utc>>) -> &mut Self {
        self.set(key, value.map(rfc3339))
    }

    pub fn set_price(&mut self, per_hour: Option<&Money>) -> &mut Self {
        if let Some(price) = per_hour {
            self.set("price_per_hour", price.amount.to_string());
            self.set("currency", price.currency.as_str());
            self.set("price_source", "bss");
        }
        self
    }

    pub fn fail(&mut self, failure: &Failure) -> &mut Self {
        let ours = failure.code == Code::QuotaReached && failure.provider_code.is_none();
        self.outcome = if ours || failure.is_grant() {
            EventOutcome::Refused
        } else {
            EventOutcome::Failed
        };
        self.set("outcome", self.outcome.as_str());
        let own = serde_json::to_value(failure.code).unwrap_or_default();
        self.set(
            "error_code",
            failure.provider_code.clone().map(Value::from).unwrap_or(own),
        );
        self.set("request_id", failure.request_id.clone())
    }

    pub fn finish(
        mut self,
        account: &store::Account,
        op_id: Option<&str>,
        server_id: Option<&str>,
    ) -> NewEvent {
        let event_id = uuid::Uuid::now_v7().to_string();
        self.set("event_id", event_id.as_str());
        self.set("op_id", op_id);
        self.set("server_id", server_id);
        self.set("owner", account.user_name.as_str());
        self.set("owner_id", account.user_id.as_str());
        self.set("account_id", account.account_id.as_str());
        self.set("region", account.region.as_str());
        self.set("project_id", account.project_id.as_str());
        NewEvent {
            event_id,
            time: self.time,
            action: self.action.as_str().to_owned(),
            outcome: self.outcome,
            account: Some(account.id.clone()),
            op_id: op_id.map(str::to_owned),
            server_id: server_id.map(str::to_owned),
            body: self.body,
        }
    }
}

/// One event as kept, and whether the data platform has it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The row of the ledger.
    pub row: store::EventRow,
    /// Taken by the receiver.
    pub delivered: bool,
}

impl crate::Wangcheng {
    /// The newest events before a sequence number, newest first.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn events(&self, before: Option<u64>, limit: u32) -> crate::Result<(Vec<Kept>, u64)> {
        let limit = limit.clamp(1, 500);
        let delivered_seq = self.delivery().await?.delivered_seq;
        self.ledger(move |ledger| {
            let mut kept = Vec::new();
            for row in ledger.events(before, limit)? {
                // The cursor has gone past what was refused.
                let passed = row.seq <= delivered_seq;
                kept.push(Kept {
                    delivered: passed && !ledger.is_quarantined(crate::delivery::TARGET, row.seq)?,
                    row,
                });
            }
            Ok((kept, ledger.last_seq()?))
        })
        .await
    }
}
