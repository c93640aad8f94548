//! What exists, as the cloud last told: one refresh loop for the account in use, for the whole program.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use huaweicloud::ecs;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Wangcheng;
use crate::app::Change;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};

/// Tag of the person the server belongs to.
pub const TAG_OWNER: &str = "owner";
/// Tag of what it is for.
pub const TAG_PURPOSE: &str = "purpose";
/// Tag of the installation that made it: with it, and only with it, a server is a temporary server.
pub const TAG_INSTALLATION: &str = "wangcheng-installation";
/// Tag of the operation that made it: finds the server again when the answer to its creation was lost.
pub const TAG_OPERATION: &str = "wangcheng-operation";
/// Tag of a disk or a public address: the id of the server that it belongs to.
pub const TAG_SERVER: &str = "wangcheng-server";

/// Tag of the IAM user who took a server over that was made elsewhere: it is this user's own then, whoever made it.
pub const TAG_ADOPTED: &str = "wangcheng-adopted-by";

/// What a disk is about to grow to: see `grants::growth`.
pub const TAG_GROWS: &str = "wangcheng-grows";

/// How often the cloud is asked while something changes there.
const FAST: Duration = Duration::from_secs(2);
/// How often otherwise.
const SLOW: Duration = Duration::from_secs(30);
/// How soon it is tried whether the network is back, at first; then less and less often.
const AWAY: Duration = Duration::from_secs(2);

/// State of a server in a word, worked out from `status` and `task_state` (the status alone hides transitions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each name is its own sentence")]
pub enum ServerState {
    Creating,
    Running,
    Stopping,
    Stopped,
    Starting,
    Restarting,
    Resizing,
    ConfirmingSize,
    Reinstalling,
    Deleting,
    Error,
    Frozen,
    Unknown,
}

impl ServerState {
    /// From the cloud's words (<https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_08_0002.html>).
    pub fn from_cloud(status: &str, task_state: Option<&str>, frozen: bool) -> Self {
        match task_state.unwrap_or_default() {
            "scheduling" | "block_device_mapping" | "networking" | "spawning" => return Self::Creating,
            "powering-off" | "powering_off" => return Self::Stopping,
            "powering-on" | "powering_on" => return Self::Starting,
            "deleting" | "soft-deleting" => return Self::Deleting,
            task if task.starts_with("reboot") => return Self::Restarting,
            task if task.starts_with("resize") => return Self::Resizing,
            task if task.starts_with("rebuild") => return Self::Reinstalling,
            _ => {}
        }
        match status {
            _ if frozen => Self::Frozen,
            "ACTIVE" => Self::Running,
            "SHUTOFF" => Self::Stopped,
            "BUILD" => Self::Creating,
            "REBOOT" | "HARD_REBOOT" => Self::Restarting,
            "RESIZE" | "REVERT_RESIZE" | "MIGRATING" => Self::Resizing,
            "VERIFY_RESIZE" => Self::ConfirmingSize,
            "REBUILD" => Self::Reinstalling,
            "ERROR" => Self::Error,
            "DELETED" | "SOFT_DELETED" => Self::Deleting,
            _ => Self::Unknown,
        }
    }

    /// Whether it will be something else soon.
    pub fn is_changing(self) -> bool {
        matches!(
            self,
            Self::Creating
                | Self::Stopping
                | Self::Starting
                | Self::Restarting
                | Self::Resizing
                | Self::Reinstalling
                | Self::Deleting
        )
    }
}

/// Where an address can be reached from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// Inside its network.
    Private,
    /// From everywhere (EIP).
    Public,
}

/// One address of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Address {
    /// IPv4 or IPv6.
    pub address: String,
    /// Where it can be reached from.
    pub kind: AddressKind,
}

/// A server as shown. Every text in it comes from outside and is shown as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Server id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// State in a word.
    pub state: ServerState,
    /// What the cloud says went wrong, in state `error`.
    pub fault: Option<String>,
    /// Made by this application for the signed-in owner, or adopted: only such servers are changed here.
    pub own: bool,
    /// Nobody's, as far as its tags say, or made elsewhere by the signed-in user: it can be taken over.
    #[serde(default)]
    pub adoptable: bool,
    /// Tag `owner`.
    pub owner: Option<String>,
    /// Tag `purpose`.
    pub purpose: Option<String>,
    /// Flavor id.
    pub flavor: String,
    /// Virtual processors.
    pub vcpus: Option<u32>,
    /// Memory in MiB.
    #[ts(type = "number | null")]
    pub ram_mb: Option<u64>,
    /// Name of the image.
    pub image: Option<String>,
    /// Kind of operating system.
    pub os: Option<String>,
    /// Availability zone.
    pub zone: Option<String>,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// Disks attached, the system disk included.
    pub disk_count: usize,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// When the lease ends; none: it has no lease.
    pub lease_end: Option<DateTime<Utc>>,
    /// All its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The operation under way on it.
    #[serde(default)]
    pub operation: Option<String>,
}

impl Server {
    pub(crate) fn from_cloud(server: &ecs::Server, owner_id: &str) -> Self {
        use ecs::AddressKind as Theirs;
        let tag = |key: &str| server.tags.get(key).filter(|value| !value.is_empty()).cloned();
        let addresses = server.addresses.iter().map(|address| Address {
            address: address.ip.to_string(),
            kind: match address.kind {
                Theirs::Floating => AddressKind::Public,
                Theirs::Fixed => AddressKind::Private,
            },
        });
        let made_by_owner = server.user_id.as_ref().is_some_and(|id| id.as_str() == owner_id);
        let ours = server.tags.contains_key(TAG_INSTALLATION);
        Self {
            id: server.id.to_string(),
            name: server.name.clone(),
            state: ServerState::from_cloud(&server.status, server.task_state.as_deref(), server.frozen),
            fault: server.fault.as_ref().map(|fault| fault.message.clone()),
            own: ours
                && match tag(TAG_ADOPTED) {
                    Some(adopted_by) => adopted_by == owner_id,
                    None => made_by_owner,
                },
            adoptable: !ours && (made_by_owner || tag(TAG_OWNER).is_none()),
            owner: tag(TAG_OWNER),
            purpose: tag(TAG_PURPOSE),
            flavor: server
                .flavor
                .id
                .as_ref()
                .map_or_else(|| server.flavor.name.clone(), ToString::to_string),
            vcpus: Some(server.flavor.vcpus).filter(|vcpus| *vcpus > 0),
            ram_mb: Some(server.flavor.ram_mb).filter(|ram| *ram > 0),
            image: server.image.name.clone(),
            os: server.image.os_type.clone(),
            zone: server.zone.as_ref().map(ToString::to_string),
            addresses: addresses.collect(),
            disk_count: server.volumes.len(),
            created: server.created,
            lease_end: server.auto_terminate_time,
            tags: server.tags.clone(),
            operation: None,
        }
    }
}

/// The servers of an account, and how far they can be believed.
#[derive(Debug, Clone, Default)]
pub struct ServerList {
    /// Our id of the account.
    pub account: String,
    /// What the cloud told last.
    pub servers: Vec<Server>,
    /// When it told, by its own clock; none: it has not told yet.
    pub as_of: Option<DateTime<Utc>>,
    /// Whether it is being asked now.
    pub refreshing: bool,
    /// Rows that could not be read.
    pub unreadable: usize,
    /// Why the last question was not answered.
    pub problem: Option<Failure>,
}

impl Wangcheng {
    /// The servers of the account in use, as last told.
    ///
    /// # Errors
    /// `NotSignedIn`; as the ledger's.
    pub async fn servers(&self) -> Result<ServerList> {
        let live = self.active().await?;
        self.list_of(&live).await
    }

    /// Asks the cloud now.
    ///
    /// # Errors
    /// `NotSignedIn`; as the ledger's. What the cloud says stands in the list's `problem`.
    pub async fn refresh_servers(&self) -> Result<ServerList> {
        let live = self.active().await?;
        if self.refresh(&live).await.is_ok() {
            self.watch_leases(&live).await?;
        }
        self.list_of(&live).await
    }

    /// One server of the account in use that may be changed here.
    pub(crate) async fn own_server(&self, live: &Live, id: &str) -> Result<Server> {
        Ok(self.own_server_row(live, id).await?.0)
    }

    /// The same, with all that the cloud tells of it.
    pub(crate) async fn own_server_row(&self, live: &Live, id: &str) -> Result<(Server, ecs::Server)> {
        let told = self.told_server(live, id).await?;
        Ok((Self::changeable(live, &told)?, told))
    }

    /// A server that was told, if it may be changed here.
    pub(crate) fn changeable(live: &Live, told: &ecs::Server) -> Result<Server> {
        let server = Server::from_cloud(told, &live.account.user_id);
        if server.own {
            Ok(server)
        } else {
            let code = if server.adoptable {
                Code::NotAdopted
            } else {
                Code::NotOwn
            };
            Err(Failure::new(code).with("name", &server.name))
        }
    }

    /// One server of the account in use, as it is now.
    pub(crate) async fn told_server(&self, live: &Live, id: &str) -> Result<ecs::Server> {
        let client = self.client(live).await?;
        let project = live.project();
        let told = ecs::server(&client, &project, &huaweicloud::ServerId::from(id)).await;
        let told = told.map_err(|error| match error.kind {
            huaweicloud::ErrorKind::Missing => Failure::from(Code::ServerUnknown),
            _ => {
                let failure = Failure::from(error);
                // The loop need not wait for its turn to learn that.
                if failure.code == Code::NetworkUnreachable {
                    live.bell.notify_one();
                }
                failure
            }
        })?;
        live.tell_time(told.server_time, self.now());
        Ok(told.value)
    }

    /// The list with the operations under way marked in it.
    pub(crate) async fn list_of(&self, live: &Live) -> Result<ServerList> {
        let unsettled = self.ledger(|ledger| ledger.unsettled()).await?;
        // Taken last, so that what is answered is not older than what was published meanwhile.
        let mut list = live.list();
        for operation in unsettled {
            for server in &mut list.servers {
                if operation.server_id.as_deref() == Some(&server.id) {
                    server.operation = Some(operation.id.clone());
                }
            }
        }
        Ok(list)
    }

    /// Asks the cloud for all servers of an account, keeps and publishes the answer.
    pub(crate) async fn refresh(&self, live: &Arc<Live>) -> Result<()> {
        // Two callers at once share one question: the second waits and finds a fresh answer.
        let asked_at = self.now();
        let _turn = live.refreshing.lock().await;
        if live.refreshed_after(asked_at) {
            return Ok(());
        }
        live.set_asking(true);
        let asked_seq = self.ledger(|ledger| ledger.last_seq()).await;
        let answer = self.ask_servers(live).await;
        live.set_asking(false);
        let result = match answer {
            Ok(told) => {
                let now = self.now();
                live.tell_time(told.server_time, now);
                let as_of = told.server_time.unwrap_or(now);
                let servers: Vec<Server> = told
                    .value
                    .items
                    .iter()
                    .map(|row| Server::from_cloud(row, &live.account.user_id))
                    .collect();
                let rows = servers
                    .iter()
                    .filter_map(|server| Some((server.id.clone(), serde_json::to_string(server).ok()?)))
                    .collect::<Vec<_>>();
                live.tell_servers(servers, told.value.skipped, as_of, now);
                let account = live.account.id.clone();
                let kept = self
                    .ledger(move |ledger| ledger.put_servers(&account, &rows, as_of))
                    .await;
                match asked_seq {
                    Ok(asked_seq) => kept.and(self.notice(live, &told.value.items, as_of, asked_seq).await),
                    Err(failure) => Err(failure),
                }
            }
            Err(failure) => {
                self.note_cloud_failure(live, &failure).await;
                live.tell_problem(failure.clone());
                Err(failure)
            }
        };
        if let Ok(list) = self.list_of(live).await {
            self.publish(Change::Servers(list));
        }
        result
    }

    async fn ask_servers(
        &self,
        live: &Live,
    ) -> Result<huaweicloud::Reply<huaweicloud::Listing<ecs::Server>>> {
        let client = self.client(live).await?;
        Ok(ecs::servers(&client, &live.project(), &ecs::ServerQuery::default()).await?)
    }

    /// Stops an account whose key the cloud refuses: five bad signatures lock the key.
    pub(crate) async fn note_cloud_failure(&self, live: &Live, failure: &Failure) {
        if failure.stops_account() && live.stop_asking(failure.clone()) {
            tracing::warn!(account = %live.account.id, code = ?failure.code, "account stopped");
            self.publish_accounts().await;
        }
    }

    /// Lets the loop of the account in use run, and only that one.
    pub(crate) async fn follow_active_account(&self) -> Result<()> {
        let accounts = self.accounts().await?;
        let active = accounts.active.clone();
        let others: Vec<_> = {
            let live = self.live_accounts();
            live.values()
                .filter(|live| Some(&live.account.id) != active.as_ref())
                .cloned()
                .collect()
        };
        for other in others {
            other.unfollow();
        }
        self.publish(Change::Accounts(accounts));
        if let Some(id) = active {
            let live = self.live(&id).await?;
            if let Some(followed) = live.follow() {
                let this = self.clone();
                self.spawn(async move {
                    followed.run_until_cancelled(this.keep_fresh(live)).await;
                });
            }
        }
        Ok(())
    }

    async fn keep_fresh(&self, live: Arc<Live>) {
        let mut away = AWAY;
        loop {
            let answer = match live.stopped() {
                None => self.refresh(&live).await,
                Some(failure) => Err(failure),
            };
            if let Err(failure) = self.watch_leases(&live).await {
                tracing::warn!(%failure, "leases cannot be watched just now");
            }
            let busy = self
                .ledger(|ledger| ledger.unsettled())
                .await
                .is_ok_and(|all| !all.is_empty());
            let wait = match answer {
                Ok(()) if busy || live.is_changing() => FAST,
                // The network is often back soon, and may be away for days.
                Err(failure) if failure.code == Code::NetworkUnreachable => {
                    let wait = away;
                    away = (away * 2).min(SLOW);
                    let _ = tokio::time::timeout(wait, live.bell.notified()).await;
                    continue;
                }
                // Who does not answer is not asked faster for that.
                _ => SLOW,
            };
            away = AWAY;
            let _ = tokio::time::timeout(wait, live.bell.notified()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_tells_more_than_the_status() {
        assert_eq!(
            ServerState::from_cloud("ACTIVE", Some("powering-off"), false),
            ServerState::Stopping
        );
        assert_eq!(
            ServerState::from_cloud("SHUTOFF", Some("powering-on"), false),
            ServerState::Starting
        );
        assert_eq!(
            ServerState::from_cloud("ACTIVE", Some("deleting"), false),
            ServerState::Deleting
        );
        assert_eq!(
            ServerState::from_cloud("BUILD", Some("spawning"), false),
            ServerState::Creating
        );
        assert_eq!(
            ServerState::from_cloud("ACTIVE", None, false),
            ServerState::Running
        );
        assert_eq!(ServerState::from_cloud("ACTIVE", None, true), ServerState::Frozen);
        assert_eq!(
            ServerState::from_cloud("SOMETHING_NEW", None, false),
            ServerState::Unknown
        );
    }

    #[test]
    fn whose_a_server_is_follows_from_who_made_it_and_who_took_it_over() {
        let told = |user: &str, tags: &str| -> Server {
            let row =
                format!(r#"{{"id":"s","status":"ACTIVE","user_id":"{user}","tags":[{tags}],"name":"x"}}"#);
            Server::from_cloud(&serde_json::from_str(&row).unwrap(), "me")
        };
        let whose = |user: &str, tags: &str| {
            let server = told(user, tags);
            (server.own, server.adoptable)
        };
        let (ours, mine, others) = (
            r#""wangcheng-installation=i""#,
            r#""wangcheng-installation=i","wangcheng-adopted-by=me""#,
            r#""wangcheng-installation=i","wangcheng-adopted-by=you""#,
        );
        assert_eq!(whose("me", ours), (true, false), "made here");
        assert_eq!(
            whose("you", ours),
            (false, false),
            "made by somebody else with this program"
        );
        assert_eq!(whose("you", mine), (true, false), "taken over");
        assert_eq!(whose("me", others), (false, false), "taken over by somebody else");
        assert_eq!(
            whose("me", r#""owner=me""#),
            (false, true),
            "made elsewhere by the same person"
        );
        assert_eq!(whose("you", ""), (false, true), "nobody's");
        assert_eq!(whose("you", r#""owner=you""#), (false, false), "somebody else's");
    }
}
