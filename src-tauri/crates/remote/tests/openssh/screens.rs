//! Screens: TigerVNC through SSH with each kind of security, x11vnc, and websockify with tokens in the provider's place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use remote::{Ask, Error, Front, Output, Piece, Question, Screen, ScreenWay, State, front};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::peer::{Sshd, free_port};

const LONG: Duration = Duration::from_secs(30);

/// A program that ends with the test.
pub struct Peer(Child);

impl Peer {
    /// Starts it and waits until it answers at the port.
    pub async fn start(command: &mut Command, port: u16) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let peer = Self(
            child.unwrap_or_else(|error| panic!("{command:?}: {error}; `cargo xtask test` installs it")),
        );
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(began.elapsed() < LONG, "{command:?} does not answer");
            sleep(Duration::from_millis(50)).await;
        }
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// TigerVNC's server; its display has the number of its port.
async fn tiger(port: u16, arguments: &[&str]) -> Peer {
    let mut command = Command::new("Xvnc");
    command
        .arg(format!(":{port}"))
        .args(["-geometry", "320x200", "-depth", "24"]);
    command.args(["-rfbport", &port.to_string(), "-localhost", "-AlwaysShared"]);
    Peer::start(command.args(arguments), port).await
}

/// A page: greets, asks for raw pixels, and reads what comes.
pub struct Viewer {
    screen: Screen,
    output: Output,
    at: u64,
    rest: Vec<u8>,
}

impl Viewer {
    pub fn new(screen: Screen) -> Self {
        Self {
            output: screen.output(),
            screen,
            at: 0,
            rest: Vec::new(),
        }
    }

    async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.rest.len() < count {
            match timeout(LONG, self.output.next(self.at, 65536, LONG)).await.ok()? {
                Piece::Bytes { offset, bytes } => {
                    assert_eq!(offset, self.at);
                    self.at += bytes.len() as u64;
                    self.output.shown(self.at);
                    self.rest.extend_from_slice(&bytes);
                }
                Piece::Nothing | Piece::Over => return None,
            }
        }
        Some(self.rest.drain(..count).collect())
    }

    /// Presses a key, by its number in X, and lets it go.
    pub async fn press(&self, key: u32) {
        for down in [1, 0] {
            let mut message = vec![4, down, 0, 0];
            message.extend(key.to_be_bytes());
            self.screen.input(message).await.unwrap();
        }
    }

    /// Width, height and name.
    pub async fn greet(&mut self) -> Option<(u16, u16, String)> {
        assert_eq!(self.take(12).await?, b"RFB 003.008\n");
        self.screen.input(&b"RFB 003.008\n"[..]).await.ok()?;
        assert_eq!(self.take(2).await?, [1, 1], "the page is asked for no password");
        self.screen.input(&[1_u8][..]).await.ok()?;
        assert_eq!(self.take(4).await?, [0; 4]);
        self.screen.input(&[1_u8][..]).await.ok()?;
        let init = self.take(24).await?;
        let number = |at: usize| u16::from_be_bytes([init[at], init[at + 1]]);
        let length = u32::from_be_bytes(init[20..24].try_into().unwrap());
        let name = self.take(length as usize).await?;
        Some((number(0), number(2), String::from_utf8_lossy(&name).into_owned()))
    }

    /// One whole picture in 32 bits a pixel: how many pixels of each kind there are, black ones and others.
    pub async fn picture(&mut self, width: u16, height: u16) -> Option<(usize, usize)> {
        let format = [
            0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
        ];
        self.screen.input(format.to_vec()).await.ok()?;
        self.screen.input(&[2_u8, 0, 0, 1, 0, 0, 0, 0][..]).await.ok()?;
        let mut ask = vec![3, 0, 0, 0, 0, 0];
        ask.extend(width.to_be_bytes());
        ask.extend(height.to_be_bytes());
        self.screen.input(ask).await.ok()?;
        let (mut black, mut other, mut left) = (0, 0, usize::from(width) * usize::from(height));
        while left > 0 {
            assert_eq!(self.take(1).await?, [0]);
            let head = self.take(3).await?;
            for _ in 0..u16::from_be_bytes([head[1], head[2]]) {
                let area = self.take(12).await?;
                let number = |at: usize| usize::from(u16::from_be_bytes([area[at], area[at + 1]]));
                assert_eq!(area[8..12], [0; 4], "raw, as asked for");
                let pixels = self.take(number(4) * number(6) * 4).await?;
                let dark = pixels.chunks(4).filter(|pixel| pixel[..3] == [0; 3]).count();
                black += dark;
                other += pixels.len() / 4 - dark;
                left = left.saturating_sub(pixels.len() / 4);
            }
        }
        Some((black, other))
    }
}

/// Why it failed.
async fn failure(front: &mut Front) -> Error {
    let over = timeout(LONG, front.state.wait_for(State::is_over)).await.unwrap();
    match over.unwrap().clone() {
        State::Failed { error } => error,
        other => panic!("it is {other:?}"),
    }
}

async fn asked(front: &mut Front) -> Question {
    timeout(LONG, front.questions.recv()).await.unwrap().unwrap()
}

/// A screen behind SSH at a port.
pub fn through(sshd: &Sshd, port: u16) -> (Screen, Front) {
    let (login, front) = sshd.login();
    let teller = login.teller.clone();
    let way = ScreenWay::Vnc {
        login: Box::new(login),
        host: "127.0.0.1".to_owned(),
        port,
    };
    (Screen::start(way, teller), front)
}

/// Makes a certificate and its key: by itself, or signed by this other key and certificate.
pub fn certify(key: &Path, certificate: &Path, by: Option<(&Path, &Path)>) {
    let words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=vnc.example";
    let mut command = Command::new("openssl");
    command
        .args(words.split(' '))
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate);
    if let Some((key, certificate)) = by {
        command.arg("-CAkey").arg(key).arg("-CA").arg(certificate);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    }
    assert!(command.stderr(Stdio::null()).status().unwrap().success());
}

/// Answers every question about a key or certificate with yes, passwords in order; says how often it was asked.
pub fn answer(
    mut front: Front,
    passwords: &'static [&'static str],
) -> tokio::task::JoinHandle<(Front, usize)> {
    tokio::spawn(async move {
        let mut passwords = passwords.iter();
        let mut count = 0;
        let settled = |state: &State| state.is_over() || *state == State::Open;
        loop {
            let question = tokio::select! {
                question = front.questions.recv() => question,
                _ = front.state.wait_for(settled) => None,
            };
            let Some(question) = question else {
                return (front, count);
            };
            count += 1;
            match question.ask {
                Ask::Password { .. } => question.answer((*passwords.next().unwrap()).into()),
                _ => question.trust(true),
            }
        }
    })
}

#[tokio::test]
async fn tigervnc_without_and_with_a_password_shows_its_picture_through_ssh() {
    let sshd = Sshd::start("").await;
    let port = free_port();
    let _open = tiger(port, &["-SecurityTypes", "None"]).await;
    let (screen, front) = through(&sshd, port);
    let answering = answer(front, &[]);
    let mut viewer = Viewer::new(screen);
    let (width, height, name) = viewer.greet().await.unwrap();
    assert_eq!((width, height), (320, 200), "{name}");
    let (black, other) = viewer.picture(width, height).await.unwrap();
    assert_eq!(black + other, 320 * 200);
    let measured = viewer.screen.measured();
    assert!(
        measured.updates >= 1 && measured.received > 320 * 200 * 4,
        "{measured:?}"
    );
    // The answer to a sign of life comes beside the picture, not before it.
    let measuring = async {
        while viewer.screen.measured().latency_us.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let told = tokio::time::timeout(LONG, measuring).await;
    told.expect("the way there was measured");
    answering.await.unwrap();

    let file = sshd.folder.path().join("vnc-password");
    let made = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "printf 'secret99\\nsecret99\\nn\\n' | vncpasswd {}",
            file.display()
        ))
        .status();
    assert!(made.unwrap().success());
    let port = free_port();
    let password = format!("-PasswordFile={}", file.display());
    let _locked = tiger(port, &["-SecurityTypes", "VncAuth", &password]).await;
    let (screen, front) = through(&sshd, port);
    let answering = answer(front, &["secret99"]);
    assert!(Viewer::new(screen).greet().await.is_some());
    assert!(answering.await.unwrap().1 >= 1);
    let (_wrong, front) = through(&sshd, port);
    let (mut front, _) = answer(front, &["wrong"]).await.unwrap();
    let error = failure(&mut front).await;
    assert!(matches!(error, Error::ScreenLogin { .. }), "{error}");
}

#[tokio::test]
async fn a_certificate_is_asked_about_once_and_without_one_nothing_is_sent() {
    let sshd = Sshd::start("").await;
    let folder = sshd.folder.path();
    let (key, certificate) = (folder.join("vnc-key"), folder.join("vnc-certificate"));
    certify(&key, &certificate, None);
    let port = free_port();
    let (key, certificate) = (
        format!("-X509Key={}", key.display()),
        format!("-X509Cert={}", certificate.display()),
    );
    let _secured = tiger(port, &["-SecurityTypes", "X509None", &key, &certificate]).await;
    let (screen, front) = through(&sshd, port);
    let answering = answer(front, &[]);
    let mut viewer = Viewer::new(screen);
    let (width, height, _) = viewer.greet().await.unwrap();
    assert!(viewer.picture(width, height).await.is_some());
    assert!(answering.await.unwrap().1 >= 1, "the certificate was asked about");

    let (_refused, mut front) = through(&sshd, port);
    loop {
        match asked(&mut front).await {
            question if matches!(&question.ask, Ask::HostKey { key, .. } if key.kind == "X.509") => {
                question.trust(false);
                break;
            }
            question => question.trust(true),
        }
    }
    let error = failure(&mut front).await;
    assert!(matches!(error, Error::Certificate { .. }), "{error}");

    // TLS without a certificate is no proof of anything.
    let port = free_port();
    let _anonymous = tiger(port, &["-SecurityTypes", "TLSNone"]).await;
    let (_screen, front) = through(&sshd, port);
    let (mut front, _) = answer(front, &[]).await.unwrap();
    let error = failure(&mut front).await;
    assert!(matches!(error, Error::ScreenSecurity { .. }), "{error}");
    let (_screen, front) = through(&sshd, free_port());
    let (mut front, _) = answer(front, &[]).await.unwrap();
    let error = failure(&mut front).await;
    assert!(matches!(error, Error::ScreenAbsent { .. }), "{error}");
}

#[tokio::test]
async fn x11vnc_shows_a_display_that_was_there_before() {
    let sshd = Sshd::start("").await;
    let display = free_port();
    let _behind = tiger(display, &["-SecurityTypes", "None"]).await;
    let port = free_port();
    let mut command = Command::new("x11vnc");
    command.args(["-display", &format!(":{display}"), "-rfbport", &port.to_string()]);
    command.args([
        "-localhost",
        "-nopw",
        "-forever",
        "-shared",
        "-quiet",
        "-noshm",
        "-noxdamage",
    ]);
    let _peer = Peer::start(&mut command, port).await;
    let (screen, front) = through(&sshd, port);
    let answering = answer(front, &[]);
    let mut viewer = Viewer::new(screen);
    let (width, height, _) = viewer.greet().await.unwrap();
    assert_eq!((width, height), (320, 200));
    assert!(viewer.picture(width, height).await.is_some());
    answering.await.unwrap();
}

/// websockify with a file of tokens, in front of a VNC server.
async fn proxy(folder: &Path, vnc: u16) -> (Peer, u16) {
    let tokens: PathBuf = folder.join("tokens");
    fs::write(&tokens, format!("good-token: 127.0.0.1:{vnc}\n")).unwrap();
    let port = free_port();
    let mut command = Command::new("websockify");
    command
        .args(["--token-plugin", "TokenFile", "--token-source"])
        .arg(&tokens);
    command.arg(format!("127.0.0.1:{port}"));
    (Peer::start(&mut command, port).await, port)
}

#[tokio::test]
async fn a_console_behind_websockify_is_opened_as_its_page_would() {
    let folder = tempfile::tempdir().unwrap();
    let vnc = free_port();
    let _screen = tiger(vnc, &["-SecurityTypes", "None"]).await;
    let (_proxy, port) = proxy(folder.path(), vnc).await;
    let open = |token: &str| {
        let (teller, front) = front();
        let way = ScreenWay::Console {
            address: format!("http://127.0.0.1:{port}/vnc_auto.html?token={token}&lang=EN&tLength=70").into(),
            authorities: None,
            proxy: None,
        };
        (Screen::start(way, teller), front)
    };
    let (screen, mut front) = open("good-token");
    let mut viewer = Viewer::new(screen);
    let (width, height, _) = viewer.greet().await.unwrap();
    assert!(viewer.picture(width, height).await.is_some());
    assert_eq!(*front.state.borrow_and_update(), State::Open);
    drop(viewer);
    let (_screen, mut front) = open("another");
    let error = failure(&mut front).await;
    assert!(matches!(error, Error::ScreenRefused { .. }), "{error}");
    assert!(!error.to_string().contains("another"), "{error}");
}
