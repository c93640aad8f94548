//! The transport: signing, sending, deadlines, limits, retries, and the reading of answers.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::utf8_percent_encode;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use crate::credentials::Credentials;
use crate::endpoints::{Endpoints, Service, is_loopback};
use crate::envelope::{self, Envelope};
use crate::error::{Error, ErrorDetail, ErrorKind};
use crate::ids::RegionId;
use crate::{codes, signing};

/// A signed time may differ from the server's by this much.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(15);
/// A list that takes more pages than this is not believed.
const MAX_PAGES: usize = 1_000;
/// The longest header value that is kept as a request id.
const MAX_REQUEST_ID: usize = 128;

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
    /// Longest answer that is read, in bytes after decompression.
    pub max_answer: usize,
    /// How often a request that is safe to repeat is sent again after a passing failure.
    pub retries: usize,
    /// Wait before the first of these; it doubles with each, plus a random part.
    pub retry_delay: Duration,
    /// The proxy for everything that is not on this machine; the system's own setting if `None`.
    pub proxy: Option<Url>,
    /// The clock that requests are signed by.
    pub clock: Clock,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("huaweicloud-rs/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            max_answer: 16 * 1024 * 1024,
            retries: 3,
            retry_delay: Duration::from_millis(500),
            proxy: None,
            clock: Arc::new(Utc::now),
        }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The proxy's address may contain a login.
        f.debug_struct("HttpOptions")
            .field("user_agent", &self.user_agent)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("max_answer", &self.max_answer)
            .field("retries", &self.retries)
            .field("retry_delay", &self.retry_delay)
            .finish_non_exhaustive()
    }
}

/// The HTTP connections, shared by all clients that are made from it.
#[derive(Clone)]
pub struct Http {
    inner: Arc<HttpInner>,
}

struct HttpInner {
    network: reqwest::Client,
    /// A service on this machine is reached without any proxy.
    loopback: reqwest::Client,
    options: HttpOptions,
}

impl Http {
    /// Prepares connections. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the user agent or the proxy cannot be used, [`ErrorKind::Network`] if TLS is
    /// not available.
    pub fn new(options: HttpOptions) -> Result<Self, Error> {
        const ACTION: &str = "http";
        let invalid = |message: &str| Error::local(ErrorKind::Invalid, None, ACTION, message);
        HeaderValue::from_str(&options.user_agent)
            .map_err(|_| invalid("the user agent cannot be a header"))?;
        let build = |builder: reqwest::ClientBuilder| {
            builder
                .user_agent(&options.user_agent)
                .connect_timeout(options.connect_timeout)
                .timeout(options.request_timeout)
                // A signature is valid for one host and one path only, and must not be handed to another.
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .map_err(|error| Error::local(ErrorKind::Network, None, ACTION, cause(error)))
        };
        let mut network = reqwest::Client::builder();
        if let Some(proxy) = &options.proxy {
            let proxy = reqwest::Proxy::all(proxy.clone())
                .map_err(|_| invalid("the proxy's address cannot be used"))?;
            network = network.proxy(proxy);
        }
        let network = build(network)?;
        let loopback = build(reqwest::Client::builder().no_proxy())?;
        Ok(Self {
            inner: Arc::new(HttpInner {
                network,
                loopback,
                options,
            }),
        })
    }

    fn for_url(&self, url: &Url) -> &reqwest::Client {
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
#[derive(Clone)]
pub struct Client {
    inner: Arc<ClientInner>,
}

struct ClientInner {
    http: Http,
    credentials: Credentials,
    endpoints: Endpoints,
    region: RegionId,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("region", &self.inner.region)
            .finish_non_exhaustive()
    }
}

/// One call of one API operation.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) service: Service,
    /// The operation's name in the API reference.
    pub(crate) action: &'static str,
    pub(crate) method: Method,
    /// The parts of the path, decoded.
    pub(crate) path: Vec<&'a str>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// Whether sending it twice does what sending it once does.
    pub(crate) repeatable: bool,
    /// The bucket of an OBS call; `path` is then the object's key, split at its slashes.
    pub(crate) bucket: Option<&'a str>,
    /// A whole address that carries its signature in the query. Nothing is added or signed then.
    pub(crate) signed_url: Option<Url>,
}

impl<'a> Call<'a> {
    pub(crate) fn get(service: Service, action: &'static str, path: impl Into<Vec<&'a str>>) -> Self {
        Self {
            service,
            action,
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            repeatable: true,
            bucket: None,
            signed_url: None,
        }
    }

    /// Like [`Self::get`], but only the head of the answer comes.
    #[allow(dead_code, reason = "for calls that look at a head only")]
    pub(crate) fn head(service: Service, action: &'static str, path: impl Into<Vec<&'a str>>) -> Self {
        Self {
            method: Method::HEAD,
            ..Self::get(service, action, path)
        }
    }

    /// A GET of an address that carries its signature in the query, such as a signed URL of OBS.
    #[allow(dead_code, reason = "for calls that need no key of their own")]
    pub(crate) fn get_signed(service: Service, action: &'static str, url: Url) -> Self {
        Self {
            signed_url: Some(url),
            ..Self::get(service, action, [])
        }
    }

    pub(crate) fn post(
        service: Service,
        action: &'static str,
        path: impl Into<Vec<&'a str>>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self {
            method: Method::POST,
            body: body.into(),
            repeatable: false,
            ..Self::get(service, action, path)
        }
    }

    #[allow(dead_code, reason = "for calls that replace or change something")]
    pub(crate) fn put(
        service: Service,
        action: &'static str,
        path: impl Into<Vec<&'a str>>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self {
            method: Method::PUT,
            ..Self::post(service, action, path, body)
        }
    }

    /// Without a body; `Call { body, ..Call::delete(…) }` gives it one.
    #[allow(dead_code, reason = "for calls that take something away")]
    pub(crate) fn delete(service: Service, action: &'static str, path: impl Into<Vec<&'a str>>) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::post(service, action, path, Bytes::new())
        }
    }

    /// Adds a header. A body is announced as `application/json` (in OBS: not at all) unless a `Content-Type` is
    /// given here; the body itself is always sent as it is.
    #[allow(dead_code, reason = "for calls with headers of their own")]
    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Makes a creation repeatable: whatever carries the same token is done once.
    #[allow(dead_code, reason = "for creations")]
    pub(crate) fn with_client_token(self, token: uuid::Uuid) -> Self {
        Self {
            repeatable: true,
            ..self.with_header("X-Client-Token", token.hyphenated().to_string())
        }
    }

    /// Names the bucket of an OBS call.
    #[allow(dead_code, reason = "for the calls of OBS")]
    pub(crate) fn in_bucket(mut self, bucket: &'a str) -> Self {
        self.bucket = Some(bucket);
        self
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Adds a query parameter.
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.push((key.to_owned(), value.into()));
        self
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::local(kind, Some(self.service), self.action, message)
    }
}

/// An answer with a 2xx status and no error in it.
pub(crate) struct Answer {
    service: Service,
    action: &'static str,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    request_id: Option<String>,
    server_time: Option<DateTime<Utc>>,
}

impl Client {
    /// A client for one region. Nothing is sent yet.
    pub fn new(http: Http, credentials: Credentials, endpoints: Endpoints, region: RegionId) -> Self {
        Self {
            inner: Arc::new(ClientInner {
                http,
                credentials,
                endpoints,
                region,
            }),
        }
    }

    /// The region that this client calls.
    pub fn region(&self) -> &RegionId {
        &self.inner.region
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.inner.credentials
    }

    /// Sends a call, again after passing failures if it may be repeated.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let options = &self.inner.http.inner.options;
        if !call.repeatable {
            return self.send_once(call).await;
        }
        let pauses = ExponentialBuilder::default()
            .with_min_delay(options.retry_delay)
            .with_max_times(options.retries)
            .with_jitter();
        let mut unknown_before = false;
        (|| self.send_once(call))
            .retry(pauses)
            .when(|error: &Error| error.kind.is_passing())
            .notify(|error: &Error, pause| {
                unknown_before |= error.outcome_unknown;
                tracing::debug!(service = %call.service, action = call.action, ?pause, %error, "again after a pause");
            })
            .await
            // The last try may have failed harmlessly; an earlier one may have had its effect all the same.
            .map_err(|error| Error { outcome_unknown: error.outcome_unknown || unknown_before, ..error })
    }

    async fn send_once(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let started = Instant::now();
        let result = self.exchange(call).await;
        let elapsed = started.elapsed();
        match &result {
            Ok(answer) => tracing::debug!(
                service = %call.service, action = call.action, status = answer.status,
                request_id = answer.request_id.as_deref(), ?elapsed, "answered"
            ),
            Err(error) => {
                tracing::debug!(kind = ?error.kind, %error, ?elapsed, "failed");
            }
        }
        result
    }

    async fn exchange(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let http = &self.inner.http;
        let options = &http.inner.options;
        let url = self.url(call)?;
        let headers = self.headers(call, &url)?;
        let mut response = http
            .for_url(&url)
            .request(call.method.clone(), url)
            .headers(headers)
            .body(call.body.clone())
            .send()
            .await
            .map_err(|error| {
                // Before a connection stands, nothing can have been asked of the service.
                let unsent = error.is_connect() || error.is_builder();
                Error {
                    outcome_unknown: !unsent,
                    ..call.error(ErrorKind::Network, cause(error))
                }
            })?;

        let status = response.status();
        let answer_headers = response.headers().clone();
        let request_id = request_id(response.headers());
        let server_time = server_time(response.headers());
        let meta = |error: Error| Error {
            status: Some(status.as_u16()),
            request_id: request_id.clone().map(String::into_boxed_str),
            outcome_unknown: true,
            ..error
        };
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if body.len() + chunk.len() <= options.max_answer => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => {
                    let message = format!("the answer is longer than {} bytes", options.max_answer);
                    return Err(meta(call.error(ErrorKind::BadAnswer, message)));
                }
                Err(error) => return Err(meta(call.error(ErrorKind::Network, cause(error)))),
            }
        }

        let envelope = if status.is_success() {
            envelope::read_in_success(&body)
        } else {
            envelope::read(&body)
        };
        // Not an error where the caller said which version it has already.
        let unchanged = status == StatusCode::NOT_MODIFIED && call.header("If-None-Match").is_some();
        if unchanged || (status.is_success() && envelope.is_none()) {
            return Ok(Answer {
                service: call.service,
                action: call.action,
                status: status.as_u16(),
                headers: answer_headers,
                body,
                request_id,
                server_time,
            });
        }
        let clock_difference = server_time.map(|server| (options.clock)() - server);
        let error = failure(
            call,
            status.as_u16(),
            envelope,
            &body,
            request_id,
            clock_difference,
        );
        Err(self.without_token(error))
    }

    /// The address to send to. It is put together here, byte for byte, and then compared with what the URL
    /// library made of it: the signature covers exactly these bytes.
    fn url(&self, call: &Call<'_>) -> Result<Url, Error> {
        if let Some(url) = &call.signed_url {
            // What comes from there is believed, and the address itself is a key to it.
            return if url.scheme() == "https" || is_loopback(url) {
                Ok(url.clone())
            } else {
                Err(call.error(ErrorKind::Invalid, "the address is not encrypted"))
            };
        }
        let mut url = self
            .inner
            .endpoints
            .url(call.service, &self.inner.region)?
            .clone();
        let mut target = String::new();
        if let Some(bucket) = call.bucket {
            if !is_bucket(bucket) {
                return Err(call.error(ErrorKind::Invalid, "this cannot be the name of a bucket"));
            }
            match url.domain() {
                Some(host) if !is_loopback(&url) => {
                    let host = format!("{bucket}.{host}");
                    url.set_host(Some(&host))
                        .map_err(|_| call.error(ErrorKind::Invalid, "this cannot be the name of a bucket"))?;
                }
                // An address of numbers has no names below it.
                _ => {
                    target.push('/');
                    target.push_str(bucket);
                }
            }
        }
        for part in &call.path {
            // A part with a slash would be signed as two, and one of dots or nothing means another address.
            if part.is_empty() || *part == "." || *part == ".." || part.contains('/') {
                return Err(call.error(
                    ErrorKind::Invalid,
                    "a part of the address is empty or has reserved characters",
                ));
            }
            target.push('/');
            target.extend(utf8_percent_encode(part, signing::RESERVED));
        }
        if target.is_empty() {
            target.push('/');
        }
        let query = Some(signing::canonical_query(&call.query)).filter(|query| !query.is_empty());
        url.set_path(&target);
        url.set_query(query.as_deref());
        if url.path() == target && url.query() == query.as_deref() {
            Ok(url)
        } else {
            Err(call.error(
                ErrorKind::Invalid,
                "the address cannot be sent as it would be signed",
            ))
        }
    }

    fn headers(&self, call: &Call<'_>, url: &Url) -> Result<HeaderMap, Error> {
        let mut plain = call.headers.clone();
        let added = if call.signed_url.is_some() {
            Vec::new()
        } else if call.service == Service::Obs {
            self.sign_for_obs(call, &plain)
        } else {
            if call.header(CONTENT_TYPE.as_str()).is_none() {
                plain.push((CONTENT_TYPE.to_string(), "application/json".to_owned()));
            }
            self.sign(call, url, &plain)
        };
        let mut headers = HeaderMap::with_capacity(plain.len() + added.len());
        // The HTTP library writes the host itself, the same way, from the URL.
        for (name, value) in plain
            .iter()
            .chain(added.iter().filter(|(name, _)| name != "Host"))
        {
            let unusable = || {
                call.error(
                    ErrorKind::Invalid,
                    format!("the header {name} has characters that cannot be sent"),
                )
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
            let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unusable())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    fn sign(&self, call: &Call<'_>, url: &Url, plain: &[(String, String)]) -> Vec<(String, String)> {
        let mut host = url.host_str().unwrap_or_default().to_owned();
        if let Some(port) = url.port() {
            host.push_str(&format!(":{port}"));
        }
        let request = signing::RequestToSign {
            method: call.method.as_str(),
            path: url.path(),
            query: &call.query,
            headers: plain,
            body: &call.body,
        };
        signing::sign(&request, &host, &self.inner.credentials, self.now())
    }

    fn sign_for_obs(&self, call: &Call<'_>, plain: &[(String, String)]) -> Vec<(String, String)> {
        let key = Some(call.path.join("/")).filter(|key| !key.is_empty());
        let query: Vec<(String, Option<String>)> = call
            .query
            .iter()
            .map(|(name, value)| {
                (
                    name.clone(),
                    Some(value.clone()).filter(|value| !value.is_empty()),
                )
            })
            .collect();
        let request = signing::obs::RequestToSign {
            method: call.method.as_str(),
            bucket: call.bucket,
            key: key.as_deref(),
            query: &query,
            headers: plain,
        };
        signing::obs::sign(&request, &self.inner.credentials, self.now())
    }

    fn now(&self) -> DateTime<Utc> {
        (self.inner.http.inner.options.clock)()
    }

    /// An answer to a wrong signature may repeat the signed headers, and the security token is one of them.
    fn without_token(&self, mut error: Error) -> Error {
        if let Some(token) = &self.inner.credentials.security_token {
            let token = token.expose_secret();
            if !token.is_empty() && error.message.contains(token) {
                error.message = error.message.replace(token, "(security token)").into_boxed_str();
            }
        }
        error
    }

    /// Reads all pages of a list. `call` makes the call for the page after a marker, `key` is the field with
    /// the rows, `limit` the page size that it asks for (`None`: the list comes whole), `marker` the marker
    /// of a row.
    pub(crate) async fn list<'a, T: DeserializeOwned>(
        &self,
        key: &str,
        limit: Option<usize>,
        call: impl Fn(Option<&str>) -> Call<'a>,
        marker: impl Fn(&T) -> String,
    ) -> Result<Reply<Listing<T>>, Error> {
        let mut listing = Listing {
            items: Vec::new(),
            skipped: 0,
        };
        let mut after: Option<String> = None;
        let mut rows_so_far = 0;
        for _ in 0..MAX_PAGES {
            let answer = self.send(&call(after.as_deref())).await?;
            let page: Page<T> = answer.page(key)?;
            rows_so_far += page.rows;
            listing.skipped += page.rows - page.items.len();
            let next = page.next.or_else(|| page.items.last().map(&marker));
            listing.items.extend(page.items);

            let whole = match (limit, page.count) {
                (None, _) => true,
                // A server may hand out less than was asked for; if it counts, its count is believed.
                (Some(_), Some(count)) => rows_so_far >= count,
                (Some(limit), None) => page.rows < limit,
            };
            if whole || page.rows == 0 || next.is_none() || next == after {
                return Ok(answer.reply(listing));
            }
            after = next;
        }
        let first = call(None);
        Err(first.error(
            ErrorKind::BadAnswer,
            format!("the list did not end within {MAX_PAGES} pages"),
        ))
    }
}

struct Page<T> {
    items: Vec<T>,
    rows: usize,
    next: Option<String>,
    count: Option<usize>,
}

impl Answer {
    /// The body as a value, with what came with it.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<Reply<T>, Error> {
        let value = self.parse()?;
        Ok(self.reply(value))
    }

    /// The HTTP status: 2xx, or 304 for a call that said which version it has already.
    #[allow(dead_code, reason = "for calls whose status says more than that it worked")]
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// A header of the answer, if it is text.
    #[allow(dead_code, reason = "for calls whose answer speaks in headers")]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it came.
    #[allow(dead_code, reason = "for answers that are not JSON")]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as a value.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.bad(error.to_string()))
    }

    /// For calls whose answer says nothing but that it worked.
    pub(crate) fn reply<T>(self, value: T) -> Reply<T> {
        Reply {
            value,
            request_id: self.request_id,
            server_time: self.server_time,
        }
    }

    /// An answer that lacks what it must have.
    pub(crate) fn bad(&self, message: impl Into<String>) -> Error {
        Error {
            status: Some(self.status),
            request_id: self.request_id.clone().map(String::into_boxed_str),
            outcome_unknown: true,
            ..Error::local(ErrorKind::BadAnswer, Some(self.service), self.action, message)
        }
    }

    fn page<T: DeserializeOwned>(&self, key: &str) -> Result<Page<T>, Error> {
        let fields: HashMap<String, &RawValue> =
            serde_json::from_slice(&self.body).map_err(|error| self.bad(error.to_string()))?;
        // An absent list is not an empty one: "there are no servers" must have been said.
        let rows = fields
            .get(key)
            .ok_or_else(|| self.bad(format!("the answer has no {key}")))?;
        let rows: Option<Vec<&RawValue>> =
            serde_json::from_str(rows.get()).map_err(|error| self.bad(error.to_string()))?;
        let rows = rows.unwrap_or_default();
        let items: Vec<T> = rows
            .iter()
            .filter_map(|row| {
                serde_json::from_str(row.get())
                    .inspect_err(|error| {
                        tracing::warn!(service = %self.service, action = self.action, %error, "a row was left out");
                    })
                    .ok()
            })
            .collect();
        #[derive(serde::Deserialize)]
        struct PageInfo {
            #[serde(default)]
            next_marker: Option<String>,
        }
        let next = fields
            .get("page_info")
            .and_then(|info| serde_json::from_str::<PageInfo>(info.get()).ok())
            .and_then(|info| info.next_marker)
            .filter(|marker| !marker.is_empty());
        let count = fields
            .get("count")
            .and_then(|count| count.get().trim_matches('"').parse().ok());
        Ok(Page {
            rows: rows.len(),
            items,
            next,
            count,
        })
    }
}

/// Makes the error out of an answer that is one.
fn failure(
    call: &Call<'_>,
    status: u16,
    envelope: Option<Envelope>,
    body: &[u8],
    request_id: Option<String>,
    clock_difference: Option<TimeDelta>,
) -> Error {
    let genuine = envelope.is_some() || request_id.is_some();
    let Envelope {
        code,
        message,
        details,
    } = envelope.unwrap_or_else(|| Envelope {
        code: None,
        message: envelope::raw_text(body),
        details: Box::default(),
    });
    let finer = |details: &[ErrorDetail]| {
        details
            .iter()
            .filter(|detail| detail.id.is_none())
            .find_map(|detail| codes::kind_of(detail.code.as_deref()?))
    };
    let mut kind = match code.as_deref().and_then(codes::kind_of) {
        // "Invalid" is what the umbrella codes say; a detail may know better.
        Some(ErrorKind::Invalid) => finer(&details).unwrap_or(ErrorKind::Invalid),
        Some(kind) => kind,
        None => finer(&details).unwrap_or_else(|| codes::kind_of_status(status, genuine)),
    };
    if status == 401 {
        kind = ErrorKind::Auth;
        if clock_difference.is_some_and(|difference| difference.abs() > CLOCK_TOLERANCE) {
            kind = ErrorKind::Clock;
        } else if says_locked(&message) {
            kind = ErrorKind::KeyLocked;
        }
    }
    let message = if (300..400).contains(&status) {
        "a redirect was refused".into()
    } else {
        message
    };
    Error {
        kind,
        // A service reports time-outs behind it as 400 too, while the work goes on.
        outcome_unknown: matches!(
            kind,
            ErrorKind::Transient | ErrorKind::BadAnswer | ErrorKind::Network
        ) || (status >= 500 && kind != ErrorKind::Throttled),
        service: Some(call.service),
        status: Some(status),
        action: call.action,
        code,
        message,
        details,
        request_id: request_id.map(String::into_boxed_str),
        clock_difference,
    }
}

/// Whether a text can be the name of a bucket, and so a part of a host's name.
fn is_bucket(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || c == '-' || c == '.')
        && !text.contains("..")
}

/// Whether a refusal speaks of a locked key. The server's canonical request, which it may quote, does not
/// count.
fn says_locked(message: &str) -> bool {
    let own_words = message.split("canonicalRequest").next().unwrap_or_default();
    own_words
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("locked"))
}

/// The causes of a transport failure, without the address, which may contain an access key.
fn cause(error: reqwest::Error) -> String {
    use std::error::Error as _;
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    envelope::shorten(&text).into_string()
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers
        .get("x-request-id")
        .or_else(|| headers.get("x-obs-request-id"))?
        .to_str()
        .ok()?;
    (!id.is_empty() && id.len() <= MAX_REQUEST_ID).then(|| id.to_owned())
}

fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(date)
        .ok()
        .map(|moment| moment.to_utc())
}

#[cfg(test)]
mod tests;
