//! The listener of the console pages: a page for a browser, and the WebSocket that leads to a guest's screen.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};

use super::super::{look_of, machine_of, running, until_down};
use super::{Place, rfb};
use crate::shared::Shared;

const CONNECTIONS_MOST: usize = 64;
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// Most bytes of a message.
const MESSAGE_MOST: usize = 1024 * 1024;
/// Read from the screen at once.
const PIECE: usize = 64 * 1024;
/// The page's own name, as at the provider.
const PAGE_PATH: &[u8] = b"GET /vnc_auto.html";
/// A small viewer of its own: what the page at the provider is.
const PAGE: &str = include_str!("page.html");

/// Serves the pages until it is dropped.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let shared = Arc::downgrade(&shared);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MOST));
    let mut visits = JoinSet::new();
    loop {
        while visits.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let shared = shared.clone();
        visits.spawn(async move {
            let _place = place;
            if let Err(error) = visit(stream, &shared).await {
                tracing::debug!(%error, "a visit to a console ended");
            }
        });
    }
}

async fn visit(mut stream: TcpStream, shared: &Weak<Shared>) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    let mut head = [0; PAGE_PATH.len()];
    let peeked = timeout(HANDSHAKE_WAIT, stream.peek(&mut head)).await;
    if peeked.is_ok_and(|peeked| peeked.is_ok()) && head == *PAGE_PATH {
        return page(&mut stream).await;
    }
    let mut asked = Asked::default();
    // The error is the shape that the library wants.
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let look = |request: &Request, mut response: Response| {
        asked = Asked::of(request);
        if !asked.binary {
            let mut refused = ErrorResponse::new(Some("sub-protocol binary is needed".to_owned()));
            *refused.status_mut() = StatusCode::BAD_REQUEST;
            return Err(refused);
        }
        let binary = HeaderValue::from_static("binary");
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, binary);
        Ok(response)
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_MOST))
        .max_frame_size(Some(MESSAGE_MOST));
    let shaking = tokio_tungstenite::accept_hdr_async_with_config(stream, look, Some(config));
    let socket = match timeout(HANDSHAKE_WAIT, shaking).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return Err(io::Error::other(error)),
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    // From here on a refusal is a connection that ends, as at the provider.
    if !asked.same_origin {
        return Err(io::Error::other("the origin is another"));
    }
    let Some((server, whole)) = asked.token.as_deref().and_then(|token| {
        let whole = shared.upgrade()?;
        Some((whole.consoles().redeem(token)?, whole))
    }) else {
        return Err(io::Error::other("the token is invalid or has expired"));
    };
    let Some(guest) = running(shared, &server) else {
        return Err(io::Error::other("the server does not run"));
    };
    let machine = machine_of(&whole, &server);
    let look = look_of(shared.clone(), server.clone());
    let other = whole.consoles().other.get().copied();
    let seat = whole
        .consoles()
        .seat(&server, Place::Console, guest, look, machine);
    drop(whole);
    if let Some(other) = other {
        let screen = TcpStream::connect(other).await?;
        screen.set_nodelay(true)?;
        return tokio::select! {
            carried = carry(socket, screen) => carried,
            () = until_down(shared, &server) => Ok(()),
        };
    }
    let (ours, theirs) = tokio::io::duplex(PIECE);
    tokio::select! {
        shown = rfb::serve(theirs, &seat, None) => shown,
        carried = carry(socket, ours) => carried,
        () = until_down(shared, &server) => Ok(()),
    }
}

/// What the request of a WebSocket says.
#[derive(Default)]
struct Asked {
    token: Option<String>,
    same_origin: bool,
    binary: bool,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let value =
            |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let in_query = request.uri().query().and_then(|query| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .filter(|(name, _)| *name == "token")
                .map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
                .next()
        });
        let in_cookie = value(header::COOKIE).and_then(|cookies| {
            let mut cookies = cookies
                .split(';')
                .filter_map(|cookie| cookie.trim().split_once('='));
            cookies
                .find(|(name, _)| *name == "token")
                .map(|(_, value)| value.to_owned())
        });
        let host = value(header::HOST).unwrap_or_default();
        Self {
            token: in_query.or(in_cookie),
            // A program that is no browser need not say where it comes from.
            same_origin: value(header::ORIGIN).is_none_or(|origin| origin == format!("http://{host}")),
            binary: value(header::SEC_WEBSOCKET_PROTOCOL)
                .is_some_and(|offered| offered.split(',').any(|one| one.trim() == "binary")),
        }
    }
}

/// Bytes between the socket and the screen.
async fn carry<S>(socket: WebSocketStream<TcpStream>, screen: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sink, mut messages) = socket.split();
    let (mut from_screen, mut to_screen) = tokio::io::split(screen);
    let out = async {
        let mut buffer = vec![0; PIECE];
        loop {
            let read = from_screen.read(&mut buffer).await?;
            if read == 0 {
                return sink.close().await.map_err(io::Error::other);
            }
            let piece = buffer.get(..read).unwrap_or_default().to_vec();
            sink.send(Message::binary(piece))
                .await
                .map_err(io::Error::other)?;
        }
    };
    let into = async {
        while let Some(message) = messages.next().await {
            match message.map_err(io::Error::other)? {
                Message::Binary(bytes) => to_screen.write_all(&bytes).await?,
                Message::Close(_) => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = out => ended,
        ended = into => ended,
    }
}

async fn page(stream: &mut TcpStream) -> io::Result<()> {
    // The request is read before it is answered; nothing of it matters but that it ends.
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < 16 * 1024 {
        let byte = timeout(HANDSHAKE_WAIT, stream.read_u8()).await;
        request.push(byte.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??);
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n",
        PAGE.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(PAGE.as_bytes()).await?;
    stream.shutdown().await
}
