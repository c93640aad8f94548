//! Tunnels through the real server.

use std::time::Duration;

use remote::{Error, Listen, Place, Route, State, Tunnel};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::peer::{Sshd, free_port, until};

/// Says back what it hears, until the end, then says good-bye.
async fn echo() -> Place {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await.unwrap();
                to.write_all(b"bye").await.unwrap();
            });
        }
    });
    Place {
        host: "127.0.0.1".into(),
        port,
    }
}

/// Sends, ends, and reads to the end.
async fn talk(port: u16, say: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from, mut to) = stream.split();
    let mut heard = Vec::new();
    let both = async {
        let saying = async {
            to.write_all(say).await.unwrap();
            to.shutdown().await.unwrap();
        };
        let hearing = from.read_to_end(&mut heard);
        tokio::join!(saying, hearing).1
    };
    timeout(Duration::from_secs(20), both).await.unwrap().unwrap();
    heard
}

#[tokio::test]
async fn a_port_here_leads_there_and_everything_is_counted() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let route = Route::Local {
        listen: Listen::loopback(0),
        to: echo().await,
    };
    let tunnel = Tunnel::start(login, route, 3).await.unwrap();
    until(&mut front.state, |state| *state == State::Open).await;
    let port = tunnel.port().unwrap();
    let long = vec![b'x'; 3_000_000];
    let mut wanted = long.clone();
    wanted.extend(b"bye");
    assert!(
        talk(port, &long).await == wanted,
        "every byte, and what was said after the end"
    );
    assert_eq!(talk(port, b"hi").await, b"hibye");
    let traffic = tunnel.traffic();
    assert_eq!(
        (traffic.up, traffic.down, traffic.all, traffic.failed),
        (3_000_002, 3_000_008, 2, 0)
    );
    let until_closed = Instant::now() + Duration::from_secs(5);
    while tunnel.traffic().open > 0 {
        assert!(Instant::now() < until_closed, "{:?}", tunnel.traffic());
        sleep(Duration::from_millis(10)).await;
    }
    tunnel.close();
    until(&mut front.state, State::is_over).await;
    sleep(Duration::from_millis(100)).await;
    assert!(
        TcpStream::connect(("127.0.0.1", port)).await.is_err(),
        "nothing listens any more"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sshd = Sshd::prepare("");
    let (login, _front) = sshd.login();
    let port = taken.local_addr().unwrap().port();
    let route = Route::Socks {
        listen: Listen::loopback(port),
    };
    let error = Tunnel::start(login, route, 0).await.err().unwrap();
    assert!(
        matches!(&error, Error::Listen { address, .. } if address.ends_with(&port.to_string())),
        "{error}"
    );
}

#[tokio::test]
async fn a_port_there_leads_here() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let listen = Place {
        host: String::new(),
        port: 0,
    };
    let tunnel = Tunnel::start(
        login,
        Route::Remote {
            listen,
            to: echo().await,
        },
        0,
    )
    .await
    .unwrap();
    until(&mut front.state, |state| *state == State::Open).await;
    let port = tunnel.port().unwrap();
    assert_eq!(talk(port, b"hello").await, b"hellobye");
    assert_eq!((tunnel.traffic().up, tunnel.traffic().down), (8, 5));
    // One that leads nowhere is counted and closed.
    let (login, mut front) = sshd.login();
    let listen = Place {
        host: String::new(),
        port: 0,
    };
    let to = Place {
        host: "127.0.0.1".into(),
        port: free_port(),
    };
    let tunnel = Tunnel::start(login, Route::Remote { listen, to }, 0)
        .await
        .unwrap();
    until(&mut front.state, |state| *state == State::Open).await;
    assert_eq!(talk(tunnel.port().unwrap(), b"hello").await, b"");
    assert_eq!(tunnel.traffic().failed, 1);
}

#[tokio::test]
async fn a_server_that_allows_no_forwarding_says_so() {
    let sshd = Sshd::start("AllowTcpForwarding no").await;
    let (login, mut front) = sshd.login();
    let listen = Place {
        host: String::new(),
        port: free_port(),
    };
    let to = Place {
        host: "127.0.0.1".into(),
        port: 1,
    };
    let _tunnel = Tunnel::start(login, Route::Remote { listen, to }, 5)
        .await
        .unwrap();
    let state = until(&mut front.state, State::is_over).await;
    assert!(
        matches!(&state, State::Failed { error } if error.code() == "rejected"),
        "{state:?}"
    );
}

#[tokio::test]
async fn a_proxy_leads_where_the_program_asks() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let tunnel = Tunnel::start(
        login,
        Route::Socks {
            listen: Listen::loopback(0),
        },
        0,
    )
    .await
    .unwrap();
    until(&mut front.state, |state| *state == State::Open).await;
    let ask = async |host: &str, port: u16| {
        let mut stream = TcpStream::connect(("127.0.0.1", tunnel.port().unwrap()))
            .await
            .unwrap();
        let mut request = vec![5, 1, 0, 5, 1, 0, 3, host.len() as u8];
        request.extend(host.as_bytes());
        request.extend(port.to_be_bytes());
        stream.write_all(&request).await.unwrap();
        let mut answer = [0; 12];
        timeout(Duration::from_secs(20), stream.read_exact(&mut answer))
            .await
            .unwrap()
            .unwrap();
        (stream, answer[3])
    };
    let place = echo().await;
    let (mut stream, word) = ask("localhost", place.port).await;
    assert_eq!(word, 0, "the server looks the name up");
    stream.write_all(b"hi").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"hibye");
    let (_, word) = ask("127.0.0.1", free_port()).await;
    assert_eq!(word, 5, "refused");
}

#[tokio::test]
async fn a_program_that_reads_nothing_holds_up_no_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = Place {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
    };
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let piece = vec![0; 64 * 1024];
                while stream.write_all(&piece).await.is_ok() {}
            });
        }
    });
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let tunnel = Tunnel::start(
        login,
        Route::Local {
            listen: Listen::loopback(0),
            to,
        },
        0,
    )
    .await
    .unwrap();
    until(&mut front.state, |state| *state == State::Open).await;
    let _deaf = TcpStream::connect(("127.0.0.1", tunnel.port().unwrap()))
        .await
        .unwrap();
    sleep(Duration::from_secs(2)).await;
    // The deaf one is given up in the end, and the rest goes on.
    let mut other = TcpStream::connect(("127.0.0.1", tunnel.port().unwrap()))
        .await
        .unwrap();
    let mut first = [0; 1000];
    timeout(Duration::from_secs(60), other.read_exact(&mut first))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_tunnel_comes_back_on_the_same_port() {
    let mut sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let route = Route::Local {
        listen: Listen::loopback(0),
        to: echo().await,
    };
    let tunnel = Tunnel::start(login, route, 10).await.unwrap();
    until(&mut front.state, |state| *state == State::Open).await;
    assert_eq!(talk(tunnel.port().unwrap(), b"a").await, b"abye");
    sshd.kill();
    until(&mut front.state, |state| {
        matches!(state, State::Reconnecting { .. })
    })
    .await;
    sshd.boot().await;
    // One that comes in meanwhile waits for the server.
    assert_eq!(talk(tunnel.port().unwrap(), b"b").await, b"bbye");
}
