//! HTTP/1.1 on loopback, close to the wire: the path and the query stay as they were received (a signature covers them),
//! every length is capped, every wait has a deadline, and an answer can be withheld, which a web framework does not offer.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

/// How long a connection may stay silent before or between requests.
const HEADER_DEADLINE: Duration = Duration::from_secs(120);
/// How long a request's body may take.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// How long a stalled answer keeps its caller waiting before the connection is closed.
const STALL: Duration = Duration::from_secs(300);
/// Most bytes of a request's head.
const HEAD_LIMIT: usize = 64 * 1024;
/// Connections to one listener at a time; further ones wait to be accepted.
const CONNECTION_LIMIT: usize = 256;
/// Of a body that is too long, this many times the limit is read and thrown away, so that a client that is still
/// writing gets to see the refusal instead of a reset connection.
const DRAINED_TIMES: usize = 16;

/// One request as it came in.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Still percent-encoded.
    pub(crate) path: String,
    /// Still percent-encoded; empty without a query.
    pub(crate) raw_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// What became of a request's body.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    TooLong,
}

impl Request {
    /// The path's parts, decoded. A trailing slash makes an empty last part: it is another path.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path
            .trim_start_matches('/')
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect()
    }

    /// Keys and values of the query, decoded. `+` is an ordinary character here, as in signing.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        self.raw_query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| match pair.split_once('=') {
                Some((key, value)) => (decoded(key), decoded(value)),
                None => (decoded(pair), String::new()),
            })
            .collect()
    }

    /// The first value of a query key, `None` if it is absent or empty.
    pub(crate) fn query_value(&self, key: &str) -> Option<String> {
        self.query_values(key).into_iter().next()
    }

    /// All values of a query key that are not empty.
    pub(crate) fn query_values(&self, key: &str) -> Vec<String> {
        self.query()
            .into_iter()
            .filter(|(name, value)| name == key && !value.is_empty())
            .map(|(_, value)| value)
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The body's bytes, none if it was too long (such a request is refused before anything looks at it).
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Whole(bytes) => bytes,
            Body::TooLong => &[],
        }
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.bytes())
    }
}

/// What to do with a request.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// Announce the whole body, send half of it, then close the connection.
    Truncated(Answer),
    /// Close the connection without a word.
    Cut,
    /// Say nothing for minutes, then close the connection.
    Stall,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Status `status` without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn json(status: u16, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self {
                headers: vec![(header::CONTENT_TYPE, "application/json".to_owned())],
                body: body.into(),
                ..Self::empty(status)
            },
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Self::empty(500)
            }
        }
    }

    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            headers: vec![(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned())],
            body: text.into().into(),
            ..Self::empty(status)
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn into_response(self, sent: usize) -> Response<Sent> {
        let mut response = Response::new(Sent {
            announced: u64::try_from(self.body.len()).unwrap_or(u64::MAX),
            whole: sent >= self.body.len(),
            part: Some(self.body.slice(..sent.min(self.body.len()))),
        });
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
struct Closed;

/// A body of which less may come than its length announces.
struct Sent {
    part: Option<Bytes>,
    whole: bool,
    announced: u64,
}

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Closed>>> {
        match self.part.take() {
            Some(part) if !part.is_empty() => Poll::Ready(Some(Ok(hyper::body::Frame::data(part)))),
            _ if self.whole => Poll::Ready(None),
            _ => Poll::Ready(Some(Err(Closed))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.whole && self.part.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.announced)
    }
}

/// Binds a loopback port; `0` takes a free one.
pub(crate) async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await
}

/// Serves `listener` until the returned future is dropped, which closes its connections too.
pub(crate) async fn serve<H, F>(listener: TcpListener, body_limit: usize, handle: H)
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let handle = Arc::new(handle);
    let places = Arc::new(Semaphore::new(CONNECTION_LIMIT));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors and the like: a pause, or the loop would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let handle = Arc::clone(&handle);
        connections.spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
                let handle = Arc::clone(&handle);
                async move { exchange(request, body_limit, handle.as_ref()).await }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_DEADLINE)
                .max_buf_size(HEAD_LIMIT)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::trace!(%error, "a connection ended early");
            }
        });
    }
}

async fn exchange<H, F>(
    request: hyper::Request<Incoming>,
    body_limit: usize,
    handle: &H,
) -> Result<Response<Sent>, Closed>
where
    H: Fn(Request) -> F,
    F: Future<Output = Reply>,
{
    let (head, body) = request.into_parts();
    let body = timeout(BODY_DEADLINE, read(body, body_limit))
        .await
        .map_err(|_| Closed)?
        .map_err(|_| Closed)?;
    let request = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        raw_query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    match handle(request).await {
        Reply::Answer(answer) => {
            let length = answer.body.len();
            Ok(answer.into_response(length))
        }
        Reply::Truncated(answer) => {
            let half = answer.body.len() / 2;
            Ok(answer.into_response(half))
        }
        Reply::Cut => Err(Closed),
        Reply::Stall => {
            sleep(STALL).await;
            Err(Closed)
        }
    }
}

async fn read(mut body: Incoming, limit: usize) -> Result<Body, hyper::Error> {
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            bytes.extend_from_slice(&data);
        } else if length > limit.saturating_mul(DRAINED_TIMES) {
            break;
        }
    }
    Ok(if length <= limit {
        Body::Whole(bytes.freeze())
    } else {
        Body::TooLong
    })
}
