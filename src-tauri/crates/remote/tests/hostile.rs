//! Servers that mean no good: whatever they send, it ends soon, with an error, and with little memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use remote::{Credential, Destination, Error, HostKeys, Login, Purpose, front};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// A server that does this with each connection, and a login to it.
async fn server<F>(folder: &TempDir, act: impl Fn(TcpStream) -> F + Send + 'static) -> Login
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act(stream));
        }
    });
    let (teller, front) = front();
    // Nobody trusts it.
    drop(front);
    let to = Destination {
        server: None,
        host: "127.0.0.1".into(),
        port,
        user: "me".into(),
        credentials: vec![Credential::Password(Some("secret".into()))],
        known_keys: Vec::new(),
    };
    let host_keys = HostKeys {
        own: folder.path().join("own"),
        others: Vec::new(),
    };
    Login::new(to, host_keys, teller)
}

async fn fails(login: &Login, within: Duration) -> Error {
    let began = Instant::now();
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert!(began.elapsed() < within, "it took {:?}: {error}", began.elapsed());
    error
}

const GREETING: &[u8] = b"SSH-2.0-Evil_1.0\r\n";
const SOON: Duration = Duration::from_secs(5);

/// A packet as it is before any key: length, padding, content.
fn packet(content: &[u8]) -> Vec<u8> {
    let padding = 8 - (content.len() + 5) % 8 + 8;
    let mut packet = u32::try_from(1 + content.len() + padding)
        .unwrap()
        .to_be_bytes()
        .to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend(content);
    packet.extend(vec![0; padding]);
    packet
}

fn names(list: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(list.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(list.as_bytes());
    bytes
}

/// A list of algorithms that fits.
fn offer() -> Vec<u8> {
    let mut content = vec![20];
    content.extend([7; 16]);
    for list in [
        "curve25519-sha256",
        "ssh-ed25519",
        "aes128-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ] {
        content.extend(names(list));
    }
    content.extend([0; 5]);
    content
}

#[tokio::test]
async fn one_that_says_nothing_sensible_is_left_at_once() {
    for first in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-1.5-old\r\n",
        b"\0\0\0\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"SSH-2.0-\xff\xfe\r\n",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let login = server(&folder, async |mut stream: TcpStream| {
            stream.write_all(first).await.unwrap();
        });
        fails(&login.await, SOON).await;
    }
}

#[tokio::test]
async fn lines_before_the_greeting_without_end_are_not_read_without_end() {
    for line in [&b"welcome\r\n"[..], b"\n", b"a line without an end"] {
        let folder = tempfile::tempdir().unwrap();
        let login = server(&folder, async |mut stream: TcpStream| {
            while stream.write_all(&line.repeat(100)).await.is_ok() {}
        });
        fails(&login.await, SOON).await;
    }
}

#[tokio::test]
async fn lengths_that_cannot_be_are_not_believed() {
    for length in [0u32, 1, 4, 0x7fff_ffff, 0xffff_ffff, 300_000] {
        let folder = tempfile::tempdir().unwrap();
        let login = server(&folder, move |mut stream: TcpStream| async move {
            let mut bytes = GREETING.to_vec();
            bytes.extend(length.to_be_bytes());
            bytes.extend([0xff; 2000]);
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        fails(&login.await, SOON).await;
    }
}

#[tokio::test]
async fn lists_within_a_packet_that_are_longer_than_it_are_not_believed() {
    for at in [17usize, 40, 80, 120] {
        for wrong in [0xffff_ffffu32, 0x7fff_ffff, 70_000] {
            let folder = tempfile::tempdir().unwrap();
            let login = server(&folder, move |mut stream: TcpStream| async move {
                let mut offer = offer();
                offer[at..at + 4].copy_from_slice(&wrong.to_be_bytes());
                let mut bytes = GREETING.to_vec();
                bytes.extend(packet(&offer));
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
            fails(&login.await, SOON).await;
        }
    }
}

#[tokio::test]
async fn one_that_sends_without_end_before_the_login_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let login = server(&folder, |mut stream: TcpStream| async move {
        let mut bytes = GREETING.to_vec();
        bytes.extend(packet(&offer()));
        // "Ignore this", for ever, as is allowed at any time.
        let mut ignore = vec![2];
        ignore.extend(names(&"x".repeat(30_000)));
        stream.write_all(&bytes).await.unwrap();
        let ignore = packet(&ignore);
        while stream.write_all(&ignore).await.is_ok() {}
    });
    fails(&login.await, Duration::from_secs(10)).await;
}

#[tokio::test]
async fn answers_out_of_order_end_it() {
    // Log-in success, a channel's data, new keys: before any key was agreed on.
    for kind in [52u8, 94, 21, 99, 31, 255] {
        let folder = tempfile::tempdir().unwrap();
        let login = server(&folder, move |mut stream: TcpStream| async move {
            let mut bytes = GREETING.to_vec();
            bytes.extend(packet(&offer()));
            bytes.extend(packet(&[kind, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]));
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        fails(&login.await, SOON).await;
    }
}

#[tokio::test]
async fn one_that_drips_is_left_in_the_end() {
    // A line before the greeting, and a packet after it, that never come to their end.
    let packet = [GREETING, &30_000u32.to_be_bytes()].concat();
    let dripping = [b"a".to_vec(), packet].map(|first| async move {
        let folder = tempfile::tempdir().unwrap();
        let login = server(&folder, move |mut stream: TcpStream| {
            let first = first.clone();
            async move {
                let _ = stream.write_all(&first).await;
                while stream.write_all(b"a").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        });
        let error = fails(&login.await, Duration::from_secs(40)).await;
        assert_eq!(error.code(), "unreachable", "{error}");
    });
    futures::future::join_all(dripping).await;
}

#[tokio::test]
async fn one_that_falls_silent_is_left_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let login = server(&folder, |mut stream: TcpStream| async move {
        stream.write_all(GREETING).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let error = fails(&login.await, Duration::from_secs(40)).await;
    assert_eq!(error.code(), "unreachable", "{error}");
}
