//! How HTTP is spoken: connections, trust, proxy, deadlines, and what all clients of a program share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderValue;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::keys::Keys;
use super::limits::{Limits, Rate};
use super::tries::cause;
use crate::endpoints::is_loopback;
use crate::error::{Error, ErrorKind};

const ACTION: &str = "http";

/// Where the present moment comes from.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How to speak HTTP.
#[derive(Clone)]
pub struct HttpOptions {
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Deadline for name resolution, connection and TLS.
    pub connect_timeout: Duration,
    /// Deadline for one try of a request, from its start to the last byte of the answer.
    pub request_timeout: Duration,
    /// Deadline for a whole call: waiting for its turn, all tries, and the pauses between them.
    pub call_timeout: Duration,
    /// Longest answer that is read, in bytes after decompression.
    pub max_answer: usize,
    /// How often a request that is safe to repeat is sent again after a passing failure.
    pub retries: usize,
    /// Wait before the first of these; it doubles with each, plus a random part.
    pub retry_delay: Duration,
    /// Most requests that are under way at a time, per host and account.
    pub max_concurrent: usize,
    /// Most requests in any such window, per host and account. A service's own limits (BSS: 10 per second
    /// and call) and those that it tells in a refusal hold beside it.
    pub rate: Rate,
    /// How other hosts are reached. This machine is always reached directly.
    pub proxy: Proxy,
    /// Certificates (PEM, one or more) of authorities that are trusted beside those of the system, such as
    /// that of a private cloud.
    pub extra_ca: Option<String>,
    /// The clock that requests are signed by.
    pub clock: Clock,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("huaweicloud-rs/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(90),
            max_answer: 16 * 1024 * 1024,
            retries: 3,
            retry_delay: Duration::from_millis(500),
            max_concurrent: 8,
            rate: Rate {
                requests: 100,
                window: Duration::from_secs(5),
            },
            proxy: Proxy::System,
            extra_ca: None,
            clock: Arc::new(Utc::now),
        }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("user_agent", &self.user_agent)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("max_answer", &self.max_answer)
            .field("retries", &self.retries)
            .field("retry_delay", &self.retry_delay)
            .field("max_concurrent", &self.max_concurrent)
            .field("rate", &self.rate)
            .field("proxy", &self.proxy)
            .field("extra_ca", &self.extra_ca.is_some())
            .finish_non_exhaustive()
    }
}

/// Which proxy stands between this machine and the cloud.
#[derive(Clone, Default)]
pub enum Proxy {
    /// What the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` …) or the system's settings say.
    #[default]
    System,
    /// None, whatever the environment says.
    Direct,
    /// This one, for every host.
    At {
        /// `http://`, `https://`, `socks5://` (names are looked up here) or `socks5h://` (by the proxy), host
        /// and port, without a login.
        url: Url,
        /// The login, if it asks for one.
        login: Option<ProxyLogin>,
    },
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::Direct => f.write_str("Direct"),
            // Only these parts: somebody may have written a login into the address all the same.
            Self::At { url, login } => f
                .debug_struct("At")
                .field("scheme", &url.scheme())
                .field("host", &url.host_str())
                .field("port", &url.port_or_known_default())
                .field("login", &login.is_some())
                .finish(),
        }
    }
}

/// The login at a proxy. `Debug` prints nothing of it.
#[derive(Clone)]
pub struct ProxyLogin {
    /// The name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

impl fmt::Debug for ProxyLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyLogin").finish_non_exhaustive()
    }
}

/// The HTTP connections, and what is known of hosts and keys: which limits they have, which keys were refused.
/// Shared by all clients that are made from it, so a program should have one. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    pub(super) inner: Arc<HttpInner>,
}

pub(super) struct HttpInner {
    network: reqwest::Client,
    /// A service on this machine is reached without any proxy.
    loopback: reqwest::Client,
    pub(super) options: HttpOptions,
    pub(super) limits: Limits,
    pub(super) keys: Keys,
}

impl Http {
    /// Prepares connections. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the user agent, the proxy, the extra certificates or a limit cannot be used,
    /// [`ErrorKind::Network`] if TLS is not available.
    pub fn new(options: HttpOptions) -> Result<Self, Error> {
        HeaderValue::from_str(&options.user_agent)
            .map_err(|_| invalid("the user agent cannot be a header"))?;
        if options.max_concurrent == 0 || options.rate.requests == 0 {
            return Err(invalid("a limit of nothing lets nothing through"));
        }
        let authorities = match &options.extra_ca {
            Some(pem) => authorities(pem)?,
            None => Vec::new(),
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder
                .user_agent(&options.user_agent)
                .connect_timeout(options.connect_timeout)
                .timeout(options.request_timeout)
                .tls_certs_merge(authorities.iter().cloned())
                // A signature is valid for one host and one path only, and must not be handed to another.
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .map_err(|error| {
                    // Certificates that are well wrapped are only read here.
                    let kind = if authorities.is_empty() {
                        ErrorKind::Network
                    } else {
                        ErrorKind::Invalid
                    };
                    Error::local(kind, None, ACTION, cause(error))
                })
        };
        let network = match &options.proxy {
            Proxy::System => reqwest::Client::builder(),
            Proxy::Direct => reqwest::Client::builder().no_proxy(),
            Proxy::At { url, login } => reqwest::Client::builder().proxy(proxy(url, login.as_ref())?),
        };
        let network = build(network)?;
        let loopback = build(reqwest::Client::builder().no_proxy())?;
        Ok(Self {
            inner: Arc::new(HttpInner {
                network,
                loopback,
                limits: Limits::new(options.max_concurrent, options.rate, options.retry_delay),
                keys: Keys::default(),
                options,
            }),
        })
    }

    pub(super) fn for_url(&self, url: &Url) -> &reqwest::Client {
        if is_loopback(url) {
            &self.inner.loopback
        } else {
            &self.inner.network
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Http").field(&self.inner.options).finish()
    }
}

fn invalid(message: &str) -> Error {
    Error::local(ErrorKind::Invalid, None, ACTION, message)
}

fn authorities(pem: &str) -> Result<Vec<reqwest::Certificate>, Error> {
    let authorities = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
        .map_err(|_| invalid("the extra certificates cannot be read"))?;
    if authorities.is_empty() {
        return Err(invalid("there is no certificate in what was given as extra ones"));
    }
    Ok(authorities)
}

fn proxy(url: &Url, login: Option<&ProxyLogin>) -> Result<reqwest::Proxy, Error> {
    const UNUSABLE: &str = "the proxy's address cannot be used";
    if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") || url.host().is_none() {
        return Err(invalid(UNUSABLE));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("the proxy's login does not belong into its address"));
    }
    let mut url = url.clone();
    if let Some(login) = login {
        url.set_username(&login.user)
            .and_then(|()| url.set_password(Some(login.password.expose_secret())))
            .map_err(|()| invalid(UNUSABLE))?;
    }
    reqwest::Proxy::all(url).map_err(|_| invalid(UNUSABLE))
}
