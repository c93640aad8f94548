//! The transport: signing, sending, deadlines, limits, retries, and the reading of answers.

mod answer;
mod call;
mod failure;
mod http;
mod keys;
mod limits;
mod lookahead;
mod rehearsal;
mod request;
mod tries;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub(crate) use self::answer::Answer;
pub(crate) use self::call::Call;
pub use self::http::{Clock, Http, HttpOptions, Proxy, ProxyLogin};
use self::keys::{Key, Mark, mark};
pub use self::limits::Rate;
pub use self::rehearsal::{Rehearsal, RehearsedRequest};
use crate::credentials::Credentials;
use crate::endpoints::Endpoints;
use crate::error::Error;
use crate::ids::{AccountId, RegionId};

/// A value that the cloud answered, and what came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<T> {
    /// The answer.
    pub value: T,
    /// The `X-Request-Id` of the answer, or of the last page of a list.
    pub request_id: Option<String>,
    /// The server's time when it answered. Its clock, not the local one, decides about leases.
    pub server_time: Option<DateTime<Utc>>,
}

impl<T> Reply<T> {
    /// The same reply with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reply<U> {
        Reply {
            value: change(self.value),
            request_id: self.request_id,
            server_time: self.server_time,
        }
    }
}

/// A list, all pages of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The rows that could be read.
    pub items: Vec<T>,
    /// How many rows could not be read. While this is not 0, a resource that is not in `items` may exist all
    /// the same.
    pub skipped: usize,
}

/// Calls the services of one region with one key. Cheap to clone.
///
/// All clients of one [`Http`] share what it knows. When a service refuses the key with a 401, every further call
/// with that key fails at once with the same [`crate::ErrorKind`] and nothing is sent, until [`Client::resume`] or
/// until a client with other credentials is used: five refused signatures in a row lock a key for five minutes.
#[derive(Clone)]
pub struct Client {
    inner: Arc<ClientInner>,
}

#[derive(Clone)]
struct ClientInner {
    http: Http,
    credentials: Credentials,
    endpoints: Endpoints,
    region: RegionId,
    key: Arc<Key>,
    /// Whose requests are counted together.
    account: Mark,
    /// The account, where it is known.
    account_id: Option<AccountId>,
    /// Where what changes something is kept, instead of being sent.
    rehearsal: Option<Rehearsal>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("region", &self.inner.region)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client for one region. Nothing is sent yet.
    pub fn new(http: Http, credentials: Credentials, endpoints: Endpoints, region: RegionId) -> Self {
        use secrecy::ExposeSecret;
        // Until somebody says whose key it is, it stands for the account.
        let account = mark(credentials.access_key.expose_secret());
        Self {
            inner: Arc::new(ClientInner {
                key: http.inner.keys.of(&credentials),
                http,
                credentials,
                endpoints,
                region,
                account,
                account_id: None,
                rehearsal: None,
            }),
        }
    }

    /// The same client, knowing whose key it has. Its requests are counted together with those of all other keys of
    /// that account, because the cloud's limits are the account's; and they name the account to those services
    /// that are the account's and not a region's. [`crate::tms`] does not answer without that.
    #[must_use]
    pub fn of_account(self, account: &AccountId) -> Self {
        Self {
            inner: Arc::new(ClientInner {
                account: mark(account.as_str()),
                account_id: Some(account.clone()),
                ..(*self.inner).clone()
            }),
        }
    }

    /// The region that this client calls.
    pub fn region(&self) -> &RegionId {
        &self.inner.region
    }

    /// Why nothing is sent with this key any more, if a service refused it.
    pub fn refusal(&self) -> Option<Error> {
        self.inner.key.refusal()
    }

    /// Lets a key be tried again that was refused. For when a person has checked the key and the clock, never by
    /// itself: each further refusal brings the lock of the key nearer.
    pub fn resume(&self) {
        self.inner.key.resume();
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.inner.credentials
    }
}

#[cfg(test)]
mod tests;
