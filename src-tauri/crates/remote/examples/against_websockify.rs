//! How fast a screen's bytes come, against websockify and a plain connection to the same server in the same run: `cargo run
//! --release -p remote --example against_websockify`. TigerVNC sends whole pictures, raw, as fast as they are taken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    dead_code,
    missing_docs,
    reason = "a measurement fails by panicking, and shares the peers of the tests"
)]

#[path = "../tests/openssh/peer.rs"]
mod peer;
#[path = "rows/mod.rs"]
mod rows;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use peer::free_port;
use remote::{Front, Output, Piece, Screen, ScreenWay, State, front};
use rows::{MIB, median, row};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

const RUNS: usize = 5;
const MEASURED: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(20);
const WIDTH: u16 = 1280;
const HEIGHT: u16 = 800;
/// Read at once.
const PIECE: usize = 64 * 1024;

/// A program that ends with the measurement.
struct Program(Child);

impl Program {
    async fn start(command: &mut Command, port: u16) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let program = Self(child.unwrap());
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(began.elapsed() < LONG, "{command:?} does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A way to the server.
enum Way {
    Plain(TcpStream),
    WebSocket(Box<WebSocketStream<TcpStream>>),
    Ours {
        screen: Screen,
        output: Output,
        at: u64,
        /// Whoever looks: without anybody a screen ends.
        front: Front,
    },
}

impl Way {
    async fn plain(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::Plain(stream)
    }

    async fn web_socket(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut request = format!("ws://127.0.0.1:{port}/").into_client_request().unwrap();
        let binary = HeaderValue::from_static("binary");
        request.headers_mut().insert("sec-websocket-protocol", binary);
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        Self::WebSocket(Box::new(socket))
    }

    fn ours(port: u16) -> Self {
        let (teller, front) = front();
        let way = ScreenWay::Console {
            address: format!("http://127.0.0.1:{port}/?token=t").into(),
            authorities: None,
            proxy: None,
        };
        let screen = Screen::start(way, teller);
        Self::Ours {
            output: screen.output(),
            screen,
            at: 0,
            front,
        }
    }

    async fn say(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await.unwrap(),
            Self::WebSocket(socket) => socket.send(Message::binary(bytes.to_vec())).await.unwrap(),
            Self::Ours { screen, .. } => screen.input(bytes.to_vec()).await.unwrap(),
        }
    }

    async fn hear(&mut self, into: &mut BytesMut) {
        match self {
            Self::Plain(stream) => {
                into.reserve(PIECE);
                assert_ne!(stream.read_buf(into).await.unwrap(), 0);
            }
            Self::WebSocket(socket) => {
                into.extend_from_slice(&socket.next().await.unwrap().unwrap().into_data());
            }
            Self::Ours {
                output, at, front, ..
            } => match output.next(*at, PIECE, LONG).await {
                Piece::Bytes { bytes, .. } => {
                    *at += bytes.len() as u64;
                    output.shown(*at);
                    into.extend_from_slice(&bytes);
                }
                other => {
                    let why =
                        tokio::time::timeout(LONG, front.state.wait_for(|state| *state != State::Open)).await;
                    panic!("{other:?}: {why:?}")
                }
            },
        }
    }
}

/// What looks at the screen: asks for the whole picture, again and again.
struct Viewer {
    way: Way,
    heard: BytesMut,
}

impl Viewer {
    async fn take(&mut self, count: usize) -> Bytes {
        while self.heard.len() < count {
            self.way.hear(&mut self.heard).await;
        }
        self.heard.split_to(count).freeze()
    }

    async fn greet(way: Way) -> Self {
        let mut viewer = Self {
            way,
            heard: BytesMut::new(),
        };
        viewer.take(12).await;
        viewer.way.say(b"RFB 003.008\n").await;
        assert_eq!(viewer.take(2).await[..], [1, 1]);
        viewer.way.say(&[1]).await;
        viewer.take(4).await;
        viewer.way.say(&[1]).await;
        let mut init = viewer.take(24).await;
        assert_eq!((init.get_u16(), init.get_u16()), (WIDTH, HEIGHT));
        init.advance(16);
        let name = init.get_u32();
        viewer.take(name as usize).await;
        // Raw, and nothing else.
        viewer.way.say(&[2, 0, 0, 1, 0, 0, 0, 0]).await;
        viewer
    }

    /// Bytes of one whole picture.
    async fn picture(&mut self) -> u64 {
        let mut ask = vec![3, 0, 0, 0, 0, 0];
        ask.extend(WIDTH.to_be_bytes());
        ask.extend(HEIGHT.to_be_bytes());
        self.way.say(&ask).await;
        let (mut bytes, whole) = (0, u64::from(WIDTH) * u64::from(HEIGHT) * 4);
        while bytes < whole {
            let head = self.take(4).await;
            assert_eq!(head[0], 0, "a picture");
            for _ in 0..u16::from_be_bytes([head[2], head[3]]) {
                let area = self.take(12).await;
                let side = |at: usize| u64::from(u16::from_be_bytes([area[at], area[at + 1]]));
                let mut left = side(4) * side(6) * 4;
                bytes += left;
                while left > 0 {
                    if self.heard.is_empty() {
                        self.way.hear(&mut self.heard).await;
                    }
                    let some = self.heard.len().min(usize::try_from(left).unwrap());
                    self.heard.advance(some);
                    left -= some as u64;
                }
            }
        }
        bytes
    }
}

/// MiB/s.
async fn rate(way: Way) -> f64 {
    let mut viewer = Viewer::greet(way).await;
    viewer.picture().await;
    let (began, mut bytes) = (Instant::now(), 0);
    while began.elapsed() < MEASURED {
        bytes += viewer.picture().await;
    }
    bytes as f64 / MIB / began.elapsed().as_secs_f64()
}

/// What stands at the provider's in front of the server: a WebSocket and nothing else.
async fn provider(vnc: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.set_nodelay(true).unwrap();
                #[expect(clippy::result_large_err, reason = "the library's own signature")]
                let agree = |_: &Request, mut response: Response| {
                    let binary = HeaderValue::from_static("binary");
                    response.headers_mut().insert("sec-websocket-protocol", binary);
                    Ok(response)
                };
                let socket = tokio_tungstenite::accept_hdr_async(stream, agree).await.unwrap();
                let screen = TcpStream::connect(("127.0.0.1", vnc)).await.unwrap();
                screen.set_nodelay(true).unwrap();
                let (mut sink, mut messages) = socket.split();
                let (mut from, mut to) = screen.into_split();
                let out = async {
                    let mut piece = BytesMut::new();
                    loop {
                        piece.reserve(PIECE);
                        if !matches!(from.read_buf(&mut piece).await, Ok(1..)) {
                            return;
                        }
                        if sink.send(Message::binary(piece.split().freeze())).await.is_err() {
                            return;
                        }
                    }
                };
                let into = async {
                    while let Some(Ok(message)) = messages.next().await {
                        // A ping is for this side alone.
                        let Message::Binary(bytes) = message else {
                            continue;
                        };
                        if to.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::select! { () = out => {}, () = into => {} }
            });
        }
    });
    port
}

#[tokio::main]
async fn main() {
    let (vnc, relayed) = (free_port(), free_port());
    let mut command = Command::new("Xvnc");
    command.args([
        &format!(":{vnc}"),
        "-geometry",
        &format!("{WIDTH}x{HEIGHT}"),
        "-depth",
        "24",
    ]);
    command.args(["-rfbport", &vnc.to_string(), "-localhost", "-AlwaysShared"]);
    let _server = Program::start(command.args(["-SecurityTypes", "None"]), vnc).await;
    let mut command = Command::new("websockify");
    command.args([format!("127.0.0.1:{relayed}"), format!("127.0.0.1:{vnc}")]);
    let _proxy = Program::start(&mut command, relayed).await;
    let console = provider(vnc).await;
    let (mut plain, mut relay, mut ours) = (vec![], vec![], vec![]);
    for _ in 0..RUNS {
        plain.push(rate(Way::plain(vnc).await).await);
        relay.push(rate(Way::web_socket(relayed).await).await);
        ours.push(rate(Way::ours(console)).await);
    }
    let ours = median(ours);
    row("screen, raw pictures", "websockify", ours, median(relay), 1.1);
    row("the same", "a plain connection", ours, median(plain), 0.7);
}
