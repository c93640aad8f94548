//! One call of one API operation, before it is sent.

use ::http::Method;
use bytes::Bytes;
use url::Url;
use uuid::Uuid;

use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};

/// The header by which a service recognises a creation that it has done already.
const CLIENT_TOKEN: &str = "X-Client-Token";

/// One call of one API operation.
#[derive(Clone)]
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
    /// Whether sending it twice does what sending it once does. Believed of GET, HEAD and creations with a
    /// client token only; see [`Self::may_repeat`].
    pub(crate) repeatable: bool,
    /// The bucket of an OBS call; `path` is then the object's key, split at its slashes.
    pub(crate) bucket: Option<&'a str>,
    /// A whole address that carries its signature in the query. Nothing is added or signed then.
    pub(crate) signed_url: Option<Url>,
    /// Longest answer that is read, if that is less than [`crate::HttpOptions::max_answer`].
    pub(crate) max_answer: Option<usize>,
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
            max_answer: None,
        }
    }

    /// Like [`Self::get`], but only the head of the answer comes.
    pub(crate) fn head(service: Service, action: &'static str, path: impl Into<Vec<&'a str>>) -> Self {
        Self {
            method: Method::HEAD,
            ..Self::get(service, action, path)
        }
    }

    /// A GET of an address that carries its signature in the query, such as a signed URL of OBS.
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
    pub(crate) fn delete(service: Service, action: &'static str, path: impl Into<Vec<&'a str>>) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::post(service, action, path, Bytes::new())
        }
    }

    /// Adds a header. A body is announced as `application/json` (in OBS: not at all) unless a `Content-Type` is
    /// given here; the body itself is always sent as it is.
    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Makes a creation repeatable: whatever carries the same token is done once.
    pub(crate) fn with_client_token(self, token: Uuid) -> Self {
        Self {
            repeatable: true,
            ..self.with_header(CLIENT_TOKEN, token.hyphenated().to_string())
        }
    }

    /// Names the bucket of an OBS call.
    pub(crate) fn in_bucket(mut self, bucket: &'a str) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Adds a query parameter.
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.push((key.to_owned(), value.into()));
        self
    }

    /// The project that it is about. Regional calls name it in the second part of their paths, but for one that
    /// names a network only.
    pub(super) fn project(&self) -> Option<&'a str> {
        use Service::{Cts, Ecs, Eip, Evs, Kps, Vpc};
        match (self.service, self.path.as_slice()) {
            (Vpc, [_, "network-ip-availabilities", ..]) => None,
            (Ecs | Evs | Vpc | Eip | Kps | Cts, [_, project, ..]) => Some(project),
            _ => None,
        }
    }

    /// A header that the caller gave.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether it may be sent again after a passing failure: the platform promises that for reads, and for
    /// creations that carry a client token, and for nothing else.
    pub(super) fn may_repeat(&self) -> bool {
        let reads = self.method == Method::GET || self.method == Method::HEAD;
        self.repeatable && (reads || self.header(CLIENT_TOKEN).is_some())
    }

    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::local(kind, Some(self.service), self.action, message)
    }
}
