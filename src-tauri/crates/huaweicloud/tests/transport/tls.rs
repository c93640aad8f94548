//! Real TLS: which services are believed to be who they say they are.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use huaweicloud::{Client, Credentials, Endpoints, ErrorKind, Http, HttpOptions, sts};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{self, ServerConfig};

use super::peer::*;

/// A name that only a proxy of the tests can reach.
pub const HOST: &str = "ecs.example.test";
const IDENTITY: &str = r#"{"account_id":"a-1","principal_id":"u-1"}"#;

/// An authority that no system trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Takes connections under these names.
    pub fn acceptor(&self, names: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names)
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A service behind TLS that answers every request with an identity; the lines of the requests that it got.
pub struct TlsPeer {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TlsPeer {
    pub async fn start(authority: &Authority, names: &[&str]) -> Self {
        let acceptor = authority.acceptor(names);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(socket).await else {
                        return;
                    };
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    if stream.read_line(&mut line).await.is_err() {
                        return;
                    }
                    seen.lock().unwrap().push(line.trim_end().to_owned());
                    while line != "\r\n" {
                        line.clear();
                        if stream.read_line(&mut line).await.is_err() {
                            return;
                        }
                    }
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{IDENTITY}",
                        IDENTITY.len()
                    );
                    let _ = stream.get_mut().write_all(answer.as_bytes()).await;
                    let _ = stream.get_mut().shutdown().await;
                });
            }
        });
        Self { address, requests }
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

pub fn https_client(host: &str, port: u16, options: HttpOptions) -> Client {
    let endpoints = Endpoints::empty()
        .with_region(region(&format!("https://{host}:{port}")))
        .unwrap();
    let credentials = Credentials::permanent(ACCESS_KEY, SECRET_KEY);
    Client::new(
        Http::new(options).unwrap(),
        credentials,
        endpoints,
        "sandbox-1".into(),
    )
}

fn trusting(authority: Option<&Authority>) -> HttpOptions {
    HttpOptions {
        retries: 0,
        extra_ca: authority.map(Authority::pem),
        ..options()
    }
}

#[tokio::test]
async fn a_service_of_an_authority_that_was_added_is_believed() {
    let authority = Authority::new();
    let peer = TlsPeer::start(&authority, &["127.0.0.1"]).await;
    let client = https_client("127.0.0.1", peer.address.port(), trusting(Some(&authority)));
    let identity = sts::caller_identity(&client).await.unwrap().value;
    assert_eq!(identity.account_id.as_str(), "a-1");
    assert_eq!(peer.requests(), ["GET /v5/caller-identity HTTP/1.1"]);
}

#[tokio::test]
async fn a_service_of_an_unknown_authority_gets_no_request() {
    let authority = Authority::new();
    let peer = TlsPeer::start(&authority, &["127.0.0.1"]).await;
    for trusted in [None, Some(Authority::new())] {
        let client = https_client("127.0.0.1", peer.address.port(), trusting(trusted.as_ref()));
        let error = sts::caller_identity(&client).await.unwrap_err();
        assert_eq!((error.kind, error.outcome_unknown), (ErrorKind::Network, false));
        assert!(
            error.message.contains("certificate"),
            "the cause is told: {error}"
        );
    }
    assert!(
        peer.requests().is_empty(),
        "a signature must not go to a stranger"
    );
}

/// On Linux the system's certificates are in files, and the environment can name others; it belongs to the whole program,
/// so this test program is started anew.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_service_that_the_system_trusts_is_believed_without_extra_certificates() {
    let authority = Authority::new();
    let peer = TlsPeer::start(&authority, &["127.0.0.1"]).await;
    let dir = tempfile::tempdir().unwrap();
    for (trusted, requests) in [(Authority::new().pem(), 0), (authority.pem(), 1)] {
        let file = dir.path().join("system.pem");
        std::fs::write(&file, trusted).unwrap();
        let ended = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tls::as_a_program_on_that_system", "--ignored"])
            .env("SSL_CERT_FILE", &file)
            .env_remove("SSL_CERT_DIR")
            .env("TEST_PORT", peer.address.port().to_string())
            .stdout(std::process::Stdio::null())
            .status()
            .await
            .unwrap();
        assert_eq!(
            ended.success(),
            requests == 1,
            "it ends well where it is answered"
        );
        assert_eq!(peer.requests().len(), requests);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "a part of the test above, which starts it with an environment of its own"]
async fn as_a_program_on_that_system() {
    let port = std::env::var("TEST_PORT").unwrap().parse().unwrap();
    let client = https_client("127.0.0.1", port, trusting(None));
    sts::caller_identity(&client).await.unwrap();
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed() {
    let authority = Authority::new();
    let peer = TlsPeer::start(&authority, &["other.example.test"]).await;
    let client = https_client("127.0.0.1", peer.address.port(), trusting(Some(&authority)));
    let error = sts::caller_identity(&client).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Network);
    assert!(peer.requests().is_empty());
}

#[test]
fn extra_certificates_that_are_none_are_refused() {
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no certificate", cut, "-----BEGIN CERTIFICATE-----\n!"] {
        let options = HttpOptions {
            extra_ca: Some(text.to_owned()),
            ..options()
        };
        assert_eq!(
            Http::new(options).unwrap_err().kind,
            ErrorKind::Invalid,
            "{text:?}"
        );
    }
    let two = format!("{}{}", Authority::new().pem(), Authority::new().pem());
    Http::new(HttpOptions {
        extra_ca: Some(two),
        ..options()
    })
    .expect("several authorities in one file");
}
