//! Screens that mean no good: whatever length they name, in whatever order they speak, it ends soon, with an error, and what
//! is kept stays small.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use remote::{Error, Piece, Screen, ScreenWay, State, front};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

const SOON: Duration = Duration::from_secs(10);

/// A console that says these pieces, each after something was heard, for which it waits so long; then it stays.
async fn console(pieces: Vec<Vec<u8>>, patience: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        #[expect(clippy::result_large_err, reason = "the library's own signature")]
        let agree = |_: &Request, mut response: Response| {
            let binary = HeaderValue::from_static("binary");
            response.headers_mut().insert("sec-websocket-protocol", binary);
            Ok(response)
        };
        let mut socket: WebSocketStream<TcpStream> = accept_hdr_async(stream, agree).await.unwrap();
        for piece in pieces {
            if piece.is_empty() {
                return;
            }
            // More than one message at once would not be taken.
            for part in piece.chunks(4 * 1024 * 1024) {
                if socket.send(Message::binary(part.to_vec())).await.is_err() {
                    return;
                }
            }
            if !matches!(timeout(patience, socket.next()).await, Ok(Some(Ok(_)))) {
                return;
            }
        }
        sleep(SOON * 2).await;
    });
    port
}

/// The first words of a screen of 64 by 48, and then this.
fn after_greeting(name: u32, rest: &[u8]) -> Vec<Vec<u8>> {
    let mut init = vec![
        0, 64, 0, 48, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
    ];
    init.extend(name.to_be_bytes());
    init.extend(rest);
    greeting(init)
}

fn greeting(init: Vec<u8>) -> Vec<Vec<u8>> {
    vec![b"RFB 003.008\n".to_vec(), vec![1, 1], vec![0; 4], init]
}

/// One part of a picture, with what follows its head.
fn part(place: [u16; 4], kind: i32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1];
    bytes.extend(place.iter().flat_map(|number| number.to_be_bytes()));
    bytes.extend(kind.to_be_bytes());
    bytes.extend(rest);
    bytes
}

/// How a screen ends, for a page that greets it and takes everything; and the most that waited for it.
async fn end(pieces: Vec<Vec<u8>>) -> Error {
    end_after(pieces, SOON).await
}

async fn end_after(pieces: Vec<Vec<u8>>, patience: Duration) -> Error {
    let port = console(pieces, patience).await;
    let (teller, mut front) = front();
    let way = ScreenWay::Console {
        address: format!("http://127.0.0.1:{port}/?token=t").into(),
        authorities: None,
        proxy: None,
    };
    let screen = Screen::start(way, teller);
    let output = screen.output();
    let viewing = async {
        for said in [
            &b"RFB 003.008\n"[..],
            &[1],
            &[1],
            &[3, 0, 0, 0, 0, 0, 0, 64, 0, 48],
        ] {
            let _ = screen.input(said.to_vec()).await;
        }
        let mut at = 0;
        loop {
            match output.next(at, 65536, SOON).await {
                Piece::Bytes { offset, bytes } => {
                    at = offset + bytes.len() as u64;
                    assert!(output.kept() < 4 * 1024 * 1024, "{} bytes wait", output.kept());
                    output.shown(at);
                }
                Piece::Nothing => {}
                Piece::Over => return,
            }
        }
    };
    timeout(SOON, viewing).await.unwrap();
    let state = front.state.wait_for(State::is_over).await.unwrap().clone();
    match state {
        State::Failed { error } => error,
        other => panic!("it is {other:?}"),
    }
}

#[tokio::test]
async fn every_length_that_is_too_large_ends_it_at_once() {
    let huge = u32::MAX.to_be_bytes();
    let mut wide = vec![
        0xff, 0xff, 0xff, 0xff, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
    ];
    wide.extend([0; 4]);
    let name = [0, 0, 0, 0];
    let cases: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("a huge screen", greeting(wide)),
        ("a huge name", after_greeting(u32::MAX, b"")),
        ("a part outside", after_greeting(0, &part([60, 0, 10, 1], 0, b""))),
        (
            "a part that is far outside",
            after_greeting(0, &part([0xffff, 0xffff, 0xffff, 0xffff], 0, b"")),
        ),
        ("a huge ZRLE", after_greeting(0, &part([0, 0, 64, 48], 16, &huge))),
        ("a huge RRE", after_greeting(0, &part([0, 0, 64, 48], 2, &huge))),
        (
            "a huge pointer",
            after_greeting(0, &part([0, 0, 0xffff, 0xffff], -239, b"")),
        ),
        (
            "a huge VMware pointer",
            after_greeting(0, &part([0, 0, 0x4000, 0x4000], 0x574d_5664, &[1, 0])),
        ),
        (
            "a huge new size",
            after_greeting(0, &part([0, 0, 0xffff, 0xffff], -223, b"")),
        ),
        (
            "another huge new size",
            after_greeting(0, &part([0, 0, 0xffff, 0x4000], -308, b"")),
        ),
        (
            "a huge new name",
            after_greeting(0, &part([0, 0, 0, 0], -307, &huge)),
        ),
        (
            "a huge text",
            after_greeting(0, &[&[3, 0, 0, 0], &huge[..]].concat()),
        ),
        (
            "a huge fence",
            after_greeting(0, &[248, 0, 0, 0, 0, 0, 0, 0, 255]),
        ),
        ("video", after_greeting(0, &part([0, 0, 64, 48], 50, &huge))),
        ("an unknown message", after_greeting(0, &[77])),
        (
            "a wrong filter of Tight",
            after_greeting(0, &part([0, 0, 64, 48], 7, &[0x40, 9])),
        ),
        (
            "a wrong compression of Tight",
            after_greeting(0, &part([0, 0, 64, 48], 7, &[0xf0])),
        ),
        (
            "pixels of three bytes",
            greeting(
                [
                    &[
                        0, 64, 0, 48, 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
                    ][..],
                    &name,
                ]
                .concat(),
            ),
        ),
    ];
    for (what, pieces) in cases {
        let error = end(pieces).await;
        assert!(matches!(error, Error::ScreenProtocol { .. }), "{what}: {error}");
    }
}

#[tokio::test]
async fn what_is_cut_short_or_out_of_order_ends_it() {
    let close = |mut pieces: Vec<Vec<u8>>| {
        pieces.truncate(1);
        pieces
    };
    let wrong = |error: &Error| matches!(error, Error::ScreenProtocol { .. } | Error::ScreenRefused { .. });
    let error = end(close(vec![b"SSH-2.0-x\r\n\r\n".to_vec()])).await;
    assert!(wrong(&error), "{error}");
    // Security before the version.
    let error = end(vec![vec![1; 12]]).await;
    assert!(wrong(&error), "{error}");
    // No security at all, with a reason without end.
    let error = end(vec![
        b"RFB 003.008\n".to_vec(),
        [&[0][..], &u32::MAX.to_be_bytes(), &[b'x'; 8192]].concat(),
    ])
    .await;
    let Error::ScreenRefused { why } = &error else {
        panic!("{error}")
    };
    assert!(why.len() <= 300, "{} letters of a reason", why.len());
    // Kinds of security that nobody here knows.
    let error = end(vec![b"RFB 003.008\n".to_vec(), vec![2, 30, 113]]).await;
    assert!(matches!(error, Error::ScreenSecurity { .. }), "{error}");
    // Cut in the middle of a picture.
    let mut cut = after_greeting(0, &part([0, 0, 64, 48], 0, &[0; 100]));
    cut.push(Vec::new());
    let error = end(cut).await;
    assert!(matches!(error, Error::Lost { .. }), "{error}");
}

/// One message of every kind, and in the first of them a part of every kind.
fn everything() -> Vec<u8> {
    let head = |place: [u16; 4], kind: i32| part(place, kind, b"").split_off(4);
    let parts: [&[u8]; 17] = [
        &[&head([0, 0, 2, 1], 0)[..], &[9; 8]].concat(),
        &[&head([0, 0, 2, 1], 1)[..], &[0, 1, 0, 1]].concat(),
        &[&head([0, 0, 4, 4], 2)[..], &[0, 0, 0, 1], &[9; 16]].concat(),
        // A raw tile, and one with two colours and a coloured part.
        &[
            &head([0, 0, 17, 1], 5)[..],
            &[1],
            &[9; 64],
            &[30],
            &[9; 8],
            &[1],
            &[9; 6],
        ]
        .concat(),
        &[&head([0, 0, 4, 4], 16)[..], &[0, 0, 0, 3, 7, 7, 7]].concat(),
        // One colour, a JPEG, two colours of a palette, and what is compressed.
        &[&head([0, 0, 4, 4], 7)[..], &[0x80, 1, 2, 3]].concat(),
        &[&head([0, 0, 4, 4], 7)[..], &[0x90, 0x82, 0, 7, 7]].concat(),
        &[&head([0, 0, 4, 4], 7)[..], &[0x40, 1, 1], &[9; 6], &[7; 4]].concat(),
        &[&head([0, 0, 4, 4], 7)[..], &[0x00, 0x03, 7, 7, 7]].concat(),
        &[&head([0, 0, 1, 1], -239)[..], &[9; 5]].concat(),
        &[&head([0, 0, 1, 1], 0x574d_5664)[..], &[0, 0], &[9; 8]].concat(),
        &head([0, 0, 64, 48], -223),
        &[&head([0, 0, 64, 48], -308)[..], &[1, 0, 0, 0], &[9; 16]].concat(),
        &[&head([0, 0, 0, 0], -307)[..], &[0, 0, 0, 2, b'h', b'i']].concat(),
        &head([0, 0, 0, 0], -258),
        &[&head([0, 0, 0, 0], -261)[..], &[1]].concat(),
        &head([0, 0, 0, 0], -224),
    ];
    let mut bytes = vec![0, 0, 0, 99];
    bytes.extend(parts.concat());
    for message in [
        // Colours of a palette, a bell, a text, the end of continuous updates, a fence, and XVP.
        &[1, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9][..],
        &[2],
        &[3, 0, 0, 0, 0, 0, 0, 2, b'h', b'i'],
        &[150],
        &[248, 0, 0, 0, 0, 0, 0, 0, 2, 9, 9],
        &[250, 0, 1, 1],
    ] {
        bytes.extend(message);
    }
    bytes
}

/// The pieces of a greeting, each of which may be cut or changed.
fn greetings() -> Vec<Vec<Vec<u8>>> {
    let version = |text: &[u8]| text.to_vec();
    vec![
        // A password, of which the challenge is cut.
        vec![version(b"RFB 003.008\n"), vec![1, 2], vec![7; 15]],
        vec![version(b"RFB 003.003\n"), [&[0, 0, 0, 2][..], &[7; 15]].concat()],
        // VeNCrypt with a certificate, and then no TLS.
        vec![
            version(b"RFB 003.008\n"),
            vec![1, 19, 0, 2],
            vec![0],
            vec![2, 0, 0, 1, 4, 0, 0, 1, 5],
            vec![1],
            vec![9; 40],
        ],
        // A refusal with its reason.
        vec![version(b"RFB 003.007\n"), vec![0, 0, 0, 0, 2, b'n', b'o']],
        after_greeting(2, &[&b"hi"[..], &everything()].concat()),
    ]
}

/// Asserts that each of them ends soon with an error, whichever; many at once.
async fn all_end(cases: Vec<Vec<Vec<u8>>>) {
    futures::stream::iter(cases)
        .map(|mut pieces| async move {
            pieces.push(Vec::new());
            end_after(pieces, Duration::from_millis(200)).await
        })
        .buffer_unordered(32)
        .collect::<Vec<_>>()
        .await;
}

#[tokio::test]
async fn whatever_is_cut_at_whatever_byte_ends_soon() {
    let mut whole = after_greeting(2, &[&b"hi"[..], &everything()].concat());
    whole.push(Vec::new());
    let error = end(whole).await;
    assert!(
        matches!(error, Error::Lost { .. }),
        "all of it is understood: {error}"
    );
    let mut cases = Vec::new();
    for pieces in greetings() {
        for (at, piece) in pieces.iter().enumerate() {
            for length in 0..piece.len() {
                let mut cut = pieces[..at].to_vec();
                cut.extend((length > 0).then(|| piece[..length].to_vec()));
                cases.push(cut);
            }
        }
    }
    all_end(cases).await;
}

#[tokio::test]
async fn whatever_byte_is_another_it_ends_soon() {
    let mut cases = Vec::new();
    for pieces in greetings() {
        for (at, piece) in pieces.iter().enumerate() {
            for byte in 0..piece.len() {
                for other in [0xff, 0x80, 0] {
                    let mut changed = pieces.clone();
                    changed[at][byte] = other;
                    cases.push(changed);
                }
            }
        }
    }
    all_end(cases).await;
}
