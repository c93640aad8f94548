//! A WebSocket as a plain stream of bytes, opened as the page of a console would.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use futures::{Sink, Stream};
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::address::Page;
use super::proxy::Proxy;
use super::{BoxStream, tls};
use crate::connection::reach;
use crate::error::{Error, Result, short};

/// How long the provider's proxy may take to agree to speak WebSocket.
const AGREE_WAIT: Duration = Duration::from_secs(20);
/// Most bytes of one message.
const MESSAGE_MOST: usize = 16 * 1024 * 1024;
/// Most bytes that wait to be sent.
const WAITING_MOST: usize = 4 * 1024 * 1024;

/// How long an answer takes.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    due: AtomicBool,
    asked: Mutex<Option<Instant>>,
    /// In microseconds; 0 while it is not known.
    latency: AtomicU64,
}

impl Pulse {
    /// With the next flush the other side is asked.
    pub fn ask(&self) {
        self.due.store(true, Ordering::Release);
    }

    fn sent(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn answered(&self) {
        if let Some(asked) = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.note(asked.elapsed());
        }
    }

    pub fn note(&self, latency: Duration) {
        let latency = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency.store(latency.max(1), Ordering::Relaxed);
    }

    pub fn latency(&self) -> Option<Duration> {
        match self.latency.load(Ordering::Relaxed) {
            0 => None,
            latency => Some(Duration::from_micros(latency)),
        }
    }
}

/// Opens what the page would open.
pub(super) async fn open(
    page: &Page,
    authorities: Option<&str>,
    proxy: Option<&Proxy>,
    pulse: Arc<Pulse>,
) -> Result<BoxStream> {
    let stream: BoxStream = match proxy.filter(|_| !page.is_here()) {
        Some(proxy) => proxy.reach(&page.host, page.port, authorities).await?,
        None => match reach(&page.host, page.port).await {
            Ok(stream) => Box::new(stream),
            Err(Error::Unreachable { host, port, why }) => {
                return Err(Error::ConsoleUnreachable { host, port, why });
            }
            Err(other) => return Err(other),
        },
    };
    let stream = match page.tls {
        true => tls::connect(stream, &page.host, &tls::trusted(authorities)?).await?,
        false => stream,
    };
    let broken = |_| Error::Protocol {
        why: "the console's address cannot be used".to_owned(),
    };
    let mut request = page
        .socket()
        .expose_secret()
        .into_client_request()
        .map_err(broken)?;
    let headers = request.headers_mut();
    let secret = |text: &str| {
        HeaderValue::from_str(text).map(|mut value| {
            value.set_sensitive(true);
            value
        })
    };
    let unfit = |_| Error::Protocol {
        why: "the console's token cannot be sent".to_owned(),
    };
    headers.insert(
        header::COOKIE,
        secret(page.cookie().expose_secret()).map_err(unfit)?,
    );
    headers.insert(header::ORIGIN, secret(&page.origin()).map_err(unfit)?);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("binary"));
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_MOST))
        .max_frame_size(Some(MESSAGE_MOST))
        .max_write_buffer_size(WAITING_MOST);
    let agreeing = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
    match timeout(AGREE_WAIT, agreeing).await {
        Ok(Ok((socket, _))) => Ok(Box::new(Socket {
            socket,
            rest: Bytes::new(),
            pulse,
        })),
        // Nothing of the request is repeated: it has the token.
        Ok(Err(tungstenite::Error::Http(answer))) => Err(Error::ScreenRefused {
            why: format!("HTTP {}", answer.status().as_u16()),
        }),
        Ok(Err(tungstenite::Error::Io(error))) => Err(Error::lost(error)),
        Ok(Err(tungstenite::Error::Protocol(why))) => Err(Error::ScreenRefused { why: short(why) }),
        Ok(Err(_)) => Err(Error::ScreenRefused {
            why: "it does not speak WebSocket".to_owned(),
        }),
        Err(_) => Err(Error::timed_out("the console")),
    }
}

/// The bytes of a WebSocket's messages, as one stream.
struct Socket {
    socket: WebSocketStream<BoxStream>,
    rest: Bytes,
    pulse: Arc<Pulse>,
}

fn broken(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
            io::ErrorKind::ConnectionAborted.into()
        }
        other => io::Error::other(other),
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => self.rest = bytes,
                Some(Ok(Message::Pong(_))) => self.pulse.answered(),
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                // Pings are answered by the library; text means nothing here.
                Some(Ok(_)) => {}
                Some(Err(tungstenite::Error::ConnectionClosed)) => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            }
        }
        let some = buffer.remaining().min(self.rest.len());
        buffer.put_slice(self.rest.get(..some).unwrap_or_default());
        self.rest.advance(some);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(broken)?;
        let message = Message::binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.socket).start_send(message).map_err(broken)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pulse.due.swap(false, Ordering::AcqRel) {
            ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(broken)?;
            let ping = Message::Ping(Bytes::from_static(b"pulse"));
            Pin::new(&mut self.socket).start_send(ping).map_err(broken)?;
            self.pulse.sent();
        }
        Pin::new(&mut self.socket).poll_flush(context).map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(context).map_err(broken)
    }
}
