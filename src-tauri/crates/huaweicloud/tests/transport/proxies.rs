//! Proxies of a few lines, through which a service is reached whose name nothing else resolves.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use huaweicloud::{ErrorKind, Http, HttpOptions, Proxy, ProxyLogin, sts};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::peer::options;
use super::tls::{Authority, HOST, TlsPeer, https_client};

const USER: &str = "ada@corp";
const PASSWORD: &str = "p:a/s w@rd";

/// What a proxy was asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// An HTTP proxy that connects everybody who logs in to the same place.
async fn connect_proxy(target: SocketAddr, login: bool) -> (Asked, String) {
    proxy(target, login, None).await
}

/// The same behind TLS.
async fn tls_connect_proxy(target: SocketAddr, login: bool, authority: &Authority) -> (Asked, String) {
    proxy(target, login, Some(authority.acceptor(&["127.0.0.1"]))).await
}

async fn proxy(target: SocketAddr, login: bool, tls: Option<TlsAcceptor>) -> (Asked, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (log, tls) = (Arc::clone(&log), tls.clone());
            tokio::spawn(async move {
                match tls {
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(socket).await {
                            connect(stream, target, login, &log).await;
                        }
                    }
                    None => connect(socket, target, login, &log).await,
                }
            });
        }
    });
    (asked, url)
}

/// Reads one CONNECT and does what it says.
async fn connect(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    target: SocketAddr,
    login: bool,
    log: &Mutex<Vec<String>>,
) {
    let mut stream = BufReader::new(socket);
    let (mut first, mut authorized) = (String::new(), !login);
    stream.read_line(&mut first).await.unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let wanted = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        authorized |= line
            .split_once(": ")
            .is_some_and(|(name, value)| name.eq_ignore_ascii_case("proxy-authorization") && value == wanted);
    }
    log.lock().unwrap().push(first.trim_end().to_owned());
    let mut socket = stream.into_inner();
    if !authorized {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"x\"\r\n\
                       content-length: 0\r\n\r\n";
        let _ = socket.write_all(refusal.as_bytes()).await;
        let _ = socket.flush().await;
        return;
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    socket.flush().await.unwrap();
    let mut service = TcpStream::connect(target).await.unwrap();
    let _ = copy_bidirectional(&mut socket, &mut service).await;
}

/// A SOCKS5 proxy (RFC 1928, RFC 1929) that looks names up itself, and every one of them to the same place.
async fn socks_proxy(target: SocketAddr, login: bool) -> (Asked, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("socks5h://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let method = if login { 2 } else { 0 };
                assert_eq!(socket.read_u8().await.unwrap(), 5);
                let offered = sized(&mut socket).await;
                if !offered.contains(&method) {
                    let _ = socket.write_all(&[5, 0xff]).await;
                    return;
                }
                socket.write_all(&[5, method]).await.unwrap();
                if login {
                    assert_eq!(socket.read_u8().await.unwrap(), 1);
                    let (user, password) = (sized(&mut socket).await, sized(&mut socket).await);
                    let good = user == USER.as_bytes() && password == PASSWORD.as_bytes();
                    socket.write_all(&[1, u8::from(!good)]).await.unwrap();
                    if !good {
                        return;
                    }
                }
                let mut request = [0; 4];
                socket.read_exact(&mut request).await.unwrap();
                assert_eq!(
                    request,
                    [5, 1, 0, 3],
                    "CONNECT to a name, which is not looked up here"
                );
                let name = String::from_utf8(sized(&mut socket).await).unwrap();
                let port = socket.read_u16().await.unwrap();
                log.lock().unwrap().push(format!("{name}:{port}"));
                socket.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
                let mut service = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut socket, &mut service).await;
            });
        }
    });
    (asked, url)
}

async fn sized(socket: &mut TcpStream) -> Vec<u8> {
    let length = socket.read_u8().await.unwrap();
    let mut bytes = vec![0; usize::from(length)];
    socket.read_exact(&mut bytes).await.unwrap();
    bytes
}

fn login() -> ProxyLogin {
    ProxyLogin {
        user: USER.to_owned(),
        password: PASSWORD.into(),
    }
}

fn through(url: &str, login: Option<ProxyLogin>, authority: &Authority) -> HttpOptions {
    HttpOptions {
        retries: 0,
        proxy: Proxy::At {
            url: url.parse().unwrap(),
            login,
        },
        extra_ca: Some(authority.pem()),
        ..options()
    }
}

#[tokio::test]
async fn a_service_is_reached_through_an_http_proxy_with_and_without_a_login() {
    let authority = Authority::new();
    let service = TlsPeer::start(&authority, &[HOST]).await;
    for wants_login in [false, true] {
        let (asked, url) = connect_proxy(service.address, wants_login).await;
        let options = through(&url, wants_login.then(login), &authority);
        let client = https_client(HOST, 8443, options);
        sts::caller_identity(&client).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), ["CONNECT ecs.example.test:8443 HTTP/1.1"]);
    }
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn a_service_is_reached_through_a_proxy_behind_tls_that_is_trusted() {
    let authority = Authority::new();
    let service = TlsPeer::start(&authority, &[HOST]).await;
    for wants_login in [false, true] {
        let (asked, url) = tls_connect_proxy(service.address, wants_login, &authority).await;
        let options = through(&url, wants_login.then(login), &authority);
        sts::caller_identity(&https_client(HOST, 8443, options))
            .await
            .unwrap();
        assert_eq!(*asked.lock().unwrap(), ["CONNECT ecs.example.test:8443 HTTP/1.1"]);
    }
    let (asked, url) = tls_connect_proxy(service.address, true, &Authority::new()).await;
    let options = through(&url, Some(login()), &authority);
    let error = sts::caller_identity(&https_client(HOST, 8443, options))
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Network, false));
    assert!(
        asked.lock().unwrap().is_empty(),
        "a proxy that is not trusted gets no login"
    );
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn a_service_is_reached_through_a_socks_proxy_with_and_without_a_login() {
    let authority = Authority::new();
    let service = TlsPeer::start(&authority, &[HOST]).await;
    for wants_login in [false, true] {
        let (asked, url) = socks_proxy(service.address, wants_login).await;
        let options = through(&url, wants_login.then(login), &authority);
        let client = https_client(HOST, 8443, options);
        sts::caller_identity(&client).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), ["ecs.example.test:8443"]);
    }
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn a_proxy_that_refuses_the_login_is_a_matter_of_the_network_and_nothing_was_sent() {
    let authority = Authority::new();
    let service = TlsPeer::start(&authority, &[HOST]).await;
    let (_, http) = connect_proxy(service.address, true).await;
    let (_, socks) = socks_proxy(service.address, true).await;
    let wrong = ProxyLogin {
        user: USER.to_owned(),
        password: "another".into(),
    };
    for url in [http, socks] {
        for given in [None, Some(wrong.clone())] {
            let client = https_client(HOST, 8443, through(&url, given, &authority));
            let error = sts::caller_identity(&client).await.unwrap_err();
            assert_eq!(
                (error.kind, error.outcome_unknown),
                (ErrorKind::Network, false),
                "{url}"
            );
            assert!(
                client.refusal().is_none(),
                "the key was not refused, the proxy's login was"
            );
            let printed = format!("{error} {error:?}");
            assert!(
                !printed.contains("another") && !printed.contains(PASSWORD),
                "{printed}"
            );
        }
    }
    assert!(service.requests().is_empty());
}

#[test]
fn the_login_of_a_proxy_is_never_printed_and_has_its_own_place() {
    let authority = Authority::new();
    let http = Http::new(through(
        "http://proxy.example.test:3128",
        Some(login()),
        &authority,
    ))
    .unwrap();
    let printed = format!("{http:?} {:?}", login());
    assert!(printed.contains("proxy.example.test"), "{printed}");
    for secret in [USER, PASSWORD, "p%3Aa", "w%40rd"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    let options = through("http://ada:hidden-word@proxy.example.test:3128", None, &authority);
    assert!(!format!("{options:?}").contains("hidden-word"));
    assert_eq!(Http::new(options).unwrap_err().kind, ErrorKind::Invalid);
    let ftp = through("ftp://proxy.example.test", None, &authority);
    assert_eq!(Http::new(ftp).unwrap_err().kind, ErrorKind::Invalid);
}

/// The environment belongs to the whole program, so these calls are made by this test program, started anew.
#[tokio::test]
async fn the_proxy_of_the_environment_is_used_unless_none_is_wanted() {
    let authority = Authority::new();
    let service = TlsPeer::start(&authority, &[HOST]).await;
    for (mode, reaches) in [("system", true), ("direct", false)] {
        let (asked, url) = connect_proxy(service.address, false).await;
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "proxies::as_a_program_with_that_environment",
                "--ignored",
            ])
            .env("HTTPS_PROXY", &url)
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .env("TEST_PROXY_MODE", mode)
            .env("TEST_EXTRA_CA", authority.pem())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        assert!(child.wait().await.unwrap().success(), "{mode}");
        assert_eq!(asked.lock().unwrap().len(), usize::from(reaches), "{mode}");
    }
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
#[ignore = "a part of the test above, which starts it with an environment of its own"]
async fn as_a_program_with_that_environment() {
    let direct = std::env::var("TEST_PROXY_MODE").unwrap() == "direct";
    let options = HttpOptions {
        retries: 0,
        connect_timeout: Duration::from_secs(5),
        proxy: if direct { Proxy::Direct } else { Proxy::System },
        extra_ca: Some(std::env::var("TEST_EXTRA_CA").unwrap()),
        ..options()
    };
    let answer = sts::caller_identity(&https_client(HOST, 8443, options)).await;
    match answer {
        Ok(_) => assert!(!direct, "nothing resolves this name without the proxy"),
        Err(error) => assert!(direct && error.kind == ErrorKind::Network, "{error}"),
    }
}

#[tokio::test]
async fn this_machine_is_reached_without_any_proxy() {
    let authority = Authority::new();
    let service = TlsPeer::start(&authority, &["127.0.0.1"]).await;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let (asked, url) = connect_proxy(nowhere, false).await;
    let client = https_client(
        "127.0.0.1",
        service.address.port(),
        through(&url, None, &authority),
    );
    sts::caller_identity(&client).await.unwrap();
    assert!(asked.lock().unwrap().is_empty());
}
