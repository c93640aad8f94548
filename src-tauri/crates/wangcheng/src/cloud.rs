//! An account at work: its client, what its cloud told last, and the cloud's clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::{AccountId, Client, ErrorKind, Http, HttpOptions, ProjectId, UserId, iam, sts};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::app::ClientInfo;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::failure::{Code, Failure, Result, minutes};
use crate::servers::{Server, ServerList};
use crate::settings::Way;

/// How long one request to the cloud may take.
const REQUEST: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);

pub(crate) fn http(client: &ClientInfo, clock: &Clock, way: Way) -> Result<Http> {
    let now = clock.clone();
    let options = HttpOptions {
        user_agent: format!("wangcheng/{} ({})", client.version, client.platform),
        connect_timeout: CONNECT,
        request_timeout: REQUEST,
        clock: std::sync::Arc::new(move || now.now()),
        proxy: way.proxy,
        extra_ca: way.extra_ca,
        ..HttpOptions::default()
    };
    Http::new(options).map_err(|error| Failure::new(Code::Internal).saying(error))
}

/// Whether connections can be made this way; says why not. Nothing is sent.
pub(crate) fn try_way(way: &Way) -> std::result::Result<(), String> {
    let options = HttpOptions {
        proxy: way.proxy.clone(),
        extra_ca: way.extra_ca.clone(),
        ..HttpOptions::default()
    };
    Http::new(options).map(drop).map_err(|error| error.to_string())
}

/// Whose key it is.
pub(crate) struct Identity {
    pub account_id: AccountId,
    pub account_name: String,
    pub user_id: UserId,
    pub user_name: String,
}

/// Asks the cloud whose key this is: STS first, which needs no permission; IAM where STS cannot be had.
pub(crate) async fn identify(client: &Client) -> Result<Identity> {
    let by_sts = match sts::caller_identity(client).await {
        Ok(reply) => Some(reply.value),
        // A refused key is refused everywhere, and asking twice brings the lock nearer.
        Err(error)
            if matches!(
                error.kind,
                ErrorKind::Auth | ErrorKind::Clock | ErrorKind::KeyLocked
            ) =>
        {
            return Err(error.into());
        }
        Err(error) => {
            tracing::info!(%error, "no answer from STS, asking IAM");
            None
        }
    };
    // Only a name to show: without the right to read it the id serves.
    let account = iam::accounts(client)
        .await
        .ok()
        .and_then(|reply| reply.value.items.into_iter().next());
    let (account_id, user_id, user_name) = match by_sts {
        Some(caller) => {
            let name = caller.user_name().map(str::to_owned);
            (Some(caller.account_id), caller.principal_id, name)
        }
        None => {
            let key = iam::own_key(client).await?.value;
            let user = iam::user(client, &key.user_id).await?.value;
            (user.account_id, key.user_id, Some(user.name))
        }
    };
    let account_id = account_id
        .or_else(|| account.as_ref().map(|account| account.id.clone()))
        .ok_or_else(|| Failure::new(Code::BadAnswer).saying("no answer names the account"))?;
    Ok(Identity {
        account_name: account.map_or_else(|| account_id.to_string(), |account| account.name),
        user_name: user_name.unwrap_or_else(|| user_id.to_string()),
        account_id,
        user_id,
    })
}

/// The project of the client's region: as typed, else the one named like the region.
pub(crate) async fn find_project(client: &Client, typed: Option<&str>) -> Result<ProjectId> {
    if let Some(typed) = typed.map(str::trim).filter(|typed| !typed.is_empty()) {
        return Ok(ProjectId::from(typed));
    }
    let region = client.region().as_str();
    let named = |rows: Vec<iam::Project>| rows.into_iter().find(|project| project.name == region);
    let found = match iam::projects_named(client, region).await {
        Ok(reply) => named(reply.value.items),
        Err(error)
            if matches!(
                error.kind,
                ErrorKind::Auth | ErrorKind::Clock | ErrorKind::KeyLocked
            ) =>
        {
            return Err(error.into());
        }
        // Listing by name needs a right; listing one's own does not.
        Err(_) => None,
    };
    let found = match found {
        Some(project) => Some(project),
        None => iam::own_projects(client)
            .await
            .ok()
            .and_then(|reply| named(reply.value.items)),
    };
    found
        .map(|project| project.id)
        .ok_or_else(|| Failure::new(Code::ProjectUnknown).with("region", region))
}

/// An account at work.
pub(crate) struct Live {
    pub account: store::Account,
    /// Rings when something was done that the next answer should show.
    pub bell: Notify,
    /// Held while the cloud is asked for the servers.
    pub refreshing: tokio::sync::Mutex<()>,
    /// Held while the catalogue is read.
    pub catalogue_turn: tokio::sync::Mutex<()>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    client: Option<Client>,
    stopped: Option<Failure>,
    list: ServerList,
    refreshed_at: Option<DateTime<Utc>>,
    ahead: TimeDelta,
    follow: Option<CancellationToken>,
    catalogue: Option<(DateTime<Utc>, std::sync::Arc<Catalogue>)>,
}

impl Live {
    pub fn new(account: store::Account, cached: Vec<(String, String)>, as_of: Option<DateTime<Utc>>) -> Self {
        let servers = cached
            .iter()
            .filter_map(|(_, row)| serde_json::from_str(row).ok())
            .collect();
        let list = ServerList {
            account: account.id.clone(),
            servers,
            as_of,
            ..ServerList::default()
        };
        Self {
            account,
            bell: Notify::new(),
            refreshing: tokio::sync::Mutex::new(()),
            catalogue_turn: tokio::sync::Mutex::new(()),
            told: Mutex::new(Told {
                list,
                ..Told::default()
            }),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn project(&self) -> ProjectId {
        ProjectId::from(self.account.project_id.as_str())
    }

    pub fn client(&self) -> Option<Client> {
        self.told().client.clone()
    }

    pub fn set_client(&self, client: Client) {
        self.told().client = Some(client);
    }

    pub fn stopped(&self) -> Option<Failure> {
        self.told().stopped.clone()
    }

    /// Nothing is asked any more until a person did something. Answers whether this is news.
    pub fn stop_asking(&self, why: Failure) -> bool {
        self.told().stopped.replace(why).is_none()
    }

    /// Takes up asking again, with the key read anew.
    pub fn go_again(&self) {
        let mut told = self.told();
        told.stopped = None;
        told.client = None;
        told.refreshed_at = None;
        drop(told);
        self.bell.notify_one();
    }

    /// The servers as last told.
    pub fn list(&self) -> ServerList {
        self.told().list.clone()
    }

    pub fn is_changing(&self) -> bool {
        self.told()
            .list
            .servers
            .iter()
            .any(|server| server.state.is_changing())
    }

    pub fn set_asking(&self, asking: bool) {
        self.told().list.refreshing = asking;
    }

    pub fn refreshed_after(&self, moment: DateTime<Utc>) -> bool {
        self.told().refreshed_at.is_some_and(|at| at > moment)
    }

    pub fn tell_servers(
        &self,
        servers: Vec<Server>,
        unreadable: usize,
        as_of: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let mut told = self.told();
        told.list.servers = servers;
        told.list.unreadable = unreadable;
        told.list.as_of = Some(as_of);
        told.list.problem = None;
        told.refreshed_at = Some(now);
    }

    pub fn tell_problem(&self, problem: Failure) {
        self.told().list.problem = Some(problem);
    }

    /// Notes what the cloud's clock shows.
    pub fn tell_time(&self, cloud: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        if let Some(cloud) = cloud {
            self.told().ahead = cloud - now;
        }
    }

    /// The cloud's clock, as far as it is known.
    pub fn cloud_now(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.told().ahead
    }

    pub fn catalogue(&self, not_before: DateTime<Utc>) -> Option<std::sync::Arc<Catalogue>> {
        let told = self.told();
        told.catalogue
            .as_ref()
            .filter(|(at, _)| *at >= not_before)
            .map(|(_, catalogue)| catalogue.clone())
    }

    /// It is asked for anew the next time.
    pub fn forget_catalogue(&self) {
        self.told().catalogue = None;
    }

    pub fn tell_catalogue(&self, catalogue: std::sync::Arc<Catalogue>, now: DateTime<Utc>) {
        self.told().catalogue = Some((now, catalogue));
    }

    /// Begins to be followed; nothing when it is already.
    pub fn follow(&self) -> Option<CancellationToken> {
        let mut told = self.told();
        if told.follow.is_some() {
            return None;
        }
        let token = CancellationToken::new();
        told.follow = Some(token.clone());
        Some(token)
    }

    pub fn unfollow(&self) {
        if let Some(token) = self.told().follow.take() {
            token.cancel();
        }
    }

    /// The account is gone or has another key.
    pub fn end(&self) {
        self.unfollow();
        let mut told = self.told();
        told.client = None;
    }
}

impl From<huaweicloud::Error> for Failure {
    fn from(error: huaweicloud::Error) -> Self {
        use ErrorKind as Kind;
        let code = match error.kind {
            Kind::Auth => Code::SignatureWrong,
            Kind::Clock => Code::ClockWrong,
            Kind::KeyLocked => Code::KeyLocked,
            Kind::Permission => Code::PermissionMissing,
            Kind::Money => Code::Money,
            Kind::Quota => Code::QuotaReached,
            Kind::Capacity => Code::Capacity,
            Kind::State => Code::StateConflict,
            Kind::Missing => Code::CloudMissing,
            Kind::Throttled => Code::Throttled,
            Kind::Transient => Code::CloudFailed,
            Kind::Network => Code::NetworkUnreachable,
            Kind::BadAnswer => Code::BadAnswer,
            _ => Code::CloudRefused,
        };
        let mut failure = Failure::new(code).saying(&error.message);
        if let Some(difference) = error.clock_difference {
            failure = failure.with("minutes", minutes(difference));
        }
        failure.provider_code = error.code.map(String::from);
        failure.request_id = error.request_id.map(String::from);
        failure.outcome_open = error.outcome_unknown;
        failure
    }
}
