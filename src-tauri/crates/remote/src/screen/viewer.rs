//! An ordinary VNC viewer of this computer in the place of our page: one port on loopback, a password that is good once, one
//! viewer. It is shown what our page would be, with nothing whose length was not looked at.

use std::net::Ipv4Addr;
use std::time::Duration;

use rand::RngExt as _;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::security::{VNC_AUTH, answer};
use super::{Screen, send};
use crate::error::{Error, Result};
use crate::front::State;
use crate::output::Piece;

/// How long a viewer is waited for.
const VIEWER_WAIT: Duration = Duration::from_secs(15 * 60);
/// How long a person may take to type the password into one.
const PASSWORD_WAIT: Duration = Duration::from_secs(120);
/// How long a viewer may take for anything else of the greeting.
const WAIT: Duration = Duration::from_secs(20);
/// How often it is looked whether more is to be shown.
const LOOK: Duration = Duration::from_secs(5);
/// Viewers that may be greeted at once.
const AT_ONCE: usize = 4;
/// After so many wrong passwords nobody is let in any more.
const WRONG_MOST: usize = 5;
/// Bytes that are taken at once.
const PIECE: usize = 64 * 1024;
/// As many as VncAuth looks at.
const PASSWORD_LENGTH: usize = 8;
/// Letters that are not taken for each other.
const LETTERS: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const VERSION: &[u8; 12] = b"RFB 003.008\n";
/// What our side of the greeting says before the screen itself: its version, one kind of security, that all is well.
const GREETING: u64 = 12 + 2 + 4;

/// A port on loopback where one viewer can come in.
#[derive(Debug)]
pub struct ViewerDoor {
    listener: TcpListener,
    port: u16,
    password: SecretString,
}

/// A viewer that knew the password and waits for a screen.
#[derive(Debug)]
pub struct Viewer {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Version {
    V3,
    V7,
    V8,
}

/// What became of one that came in.
enum Came {
    Knows(Viewer),
    Wrong,
    Left,
}

impl ViewerDoor {
    /// Listens on 127.0.0.1; port 0 lets the system choose.
    ///
    /// # Errors
    /// [`Error::Listen`].
    pub async fn open(port: u16) -> Result<Self> {
        let bound = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        };
        let (listener, port) = bound.await.map_err(|error: std::io::Error| Error::Listen {
            address: format!("{}:{port}", Ipv4Addr::LOCALHOST),
            why: error.to_string(),
        })?;
        Ok(Self {
            listener,
            port,
            password: password(),
        })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a viewer is asked for. Other people of this computer reach the port as well.
    pub fn password(&self) -> &SecretString {
        &self.password
    }

    /// The first viewer that knows the password. Afterwards nothing listens any more.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when none comes within 15 minutes, [`Error::ScreenLogin`] after five wrong passwords.
    pub async fn viewer(self) -> Result<Viewer> {
        match timeout(VIEWER_WAIT, self.first()).await {
            Ok(first) => first,
            Err(_) => Err(Error::timed_out("a VNC viewer")),
        }
    }

    async fn first(self) -> Result<Viewer> {
        let mut greeted = JoinSet::new();
        let mut wrong = 0;
        loop {
            tokio::select! {
                taken = self.listener.accept(), if greeted.len() < AT_ONCE => match taken {
                    Ok((stream, _)) => {
                        greeted.spawn(greet(stream, self.password.clone()));
                    }
                    Err(error) => return Err(Error::lost(error)),
                },
                Some(came) = greeted.join_next() => match came {
                    Ok(Came::Knows(viewer)) => return Ok(viewer),
                    Ok(Came::Wrong) => wrong += 1,
                    Ok(Came::Left) | Err(_) => {}
                },
            }
            if wrong >= WRONG_MOST {
                return Err(Error::ScreenLogin {
                    why: format!("{wrong} viewers did not know it"),
                });
            }
        }
    }
}

/// A fresh one, of letters that anybody can type.
fn password() -> SecretString {
    let mut random = rand::rng();
    let letters = (0..PASSWORD_LENGTH).filter_map(|_| LETTERS.get(random.random_range(0..LETTERS.len())));
    letters
        .map(|letter| char::from(*letter))
        .collect::<String>()
        .into()
}

async fn greet(stream: TcpStream, password: SecretString) -> Came {
    // Without it keystrokes wait for each other.
    let _ = stream.set_nodelay(true);
    let (mut reader, mut writer) = stream.into_split();
    let greeting = async {
        let version = versions(&mut reader, &mut writer).await?;
        let mut challenge = [0_u8; 16];
        rand::rng().fill(&mut challenge);
        writer.write_all(&challenge).await?;
        let mut said = [0; 16];
        timeout(PASSWORD_WAIT, reader.read_exact(&mut said)).await??;
        let right = answer(challenge, &password).is_some_and(|right| same(&right, &said));
        std::io::Result::Ok((version, right))
    };
    match greeting.await {
        Ok((version, true)) => Came::Knows(Viewer {
            reader,
            writer,
            version,
        }),
        Ok((version, false)) => {
            refuse(&mut writer, version, "that is not the password").await;
            Came::Wrong
        }
        Err(error) => {
            tracing::debug!(%error, "somebody who came to the screen's port left");
            Came::Left
        }
    }
}

/// Agrees on a version, and that a password is asked for.
async fn versions(reader: &mut OwnedReadHalf, writer: &mut OwnedWriteHalf) -> std::io::Result<Version> {
    let agreeing = async {
        writer.write_all(VERSION).await?;
        let mut said = [0; 12];
        reader.read_exact(&mut said).await?;
        let version = match &said {
            b"RFB 003.003\n" | b"RFB 003.005\n" => Version::V3,
            b"RFB 003.007\n" => Version::V7,
            // Those that count higher know 3.8 as well.
            said if said.starts_with(b"RFB 00") => Version::V8,
            _ => return Err(std::io::Error::other("it is no VNC viewer")),
        };
        match version {
            Version::V3 => writer.write_u32(VNC_AUTH.into()).await?,
            Version::V7 | Version::V8 => {
                writer.write_all(&[1, VNC_AUTH]).await?;
                if reader.read_u8().await? != VNC_AUTH {
                    return Err(std::io::Error::other("it wants another kind of security"));
                }
            }
        }
        Ok(version)
    };
    timeout(WAIT, agreeing).await?
}

/// In a time that does not tell where they differ.
fn same(one: &[u8; 16], other: &[u8; 16]) -> bool {
    one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Says that it does not go on. Best effort: whoever is told may be gone.
async fn refuse(writer: &mut OwnedWriteHalf, version: Version, why: &str) {
    let saying = async {
        writer.write_u32(1).await?;
        if version == Version::V8 {
            writer
                .write_u32(u32::try_from(why.len()).unwrap_or_default())
                .await?;
            writer.write_all(why.as_bytes()).await?;
        }
        writer.shutdown().await
    };
    let _ = timeout(WAIT, saying).await;
}

impl Viewer {
    /// Tells it that there is no screen, in words for people, and lets it go.
    pub async fn refuse(mut self, why: &str) {
        refuse(&mut self.writer, self.version, why).await;
    }

    /// Shows it a screen until one of both ends. `state`: what is told of the screen. A screen that does not come to be is
    /// told to the viewer, too.
    ///
    /// # Errors
    /// Why the screen failed.
    pub async fn show(mut self, screen: &Screen, mut state: watch::Receiver<State>) -> Result<()> {
        // Others who look at it go on doing so.
        for word in [&VERSION[..], &[1], &[1]] {
            screen.input(word.to_vec()).await?;
        }
        if !is_there(screen).await {
            let failed = ended(&mut state).await;
            if let Err(error) = &failed {
                refuse(&mut self.writer, self.version, &error.to_string()).await;
            }
            return failed;
        }
        let welcome = async {
            self.writer.write_u32(0).await?;
            // Whether it wants the screen for itself: it does not get that.
            self.reader.read_u8().await
        };
        if !matches!(timeout(WAIT, welcome).await, Ok(Ok(_))) {
            return Ok(());
        }
        let left = tokio::select! {
            left = typing(self.reader, screen) => left,
            left = showing(&mut self.writer, screen) => left,
        };
        match left {
            Left::Viewer => Ok(()),
            Left::Screen => ended(&mut state).await,
        }
    }
}

/// Who left first.
enum Left {
    Viewer,
    Screen,
}

/// Waits until the screen says what it is; `false` when it ended before.
async fn is_there(screen: &Screen) -> bool {
    let output = screen.output();
    loop {
        match output.next(GREETING, 1, LOOK).await {
            Piece::Bytes { .. } => return true,
            Piece::Over => return false,
            Piece::Nothing => {}
        }
    }
}

async fn typing(mut reader: OwnedReadHalf, screen: &Screen) -> Left {
    let mut piece = vec![0; PIECE];
    loop {
        let said = match reader.read(&mut piece).await {
            Ok(count) if count > 0 => piece.get(..count).unwrap_or_default().to_vec(),
            _ => return Left::Viewer,
        };
        if screen.input(said).await.is_err() {
            return Left::Screen;
        }
    }
}

async fn showing(writer: &mut OwnedWriteHalf, screen: &Screen) -> Left {
    let output = screen.output();
    let mut at = GREETING;
    loop {
        match output.next(at, PIECE, LOOK).await {
            Piece::Bytes { offset, bytes } => {
                if send(writer, &bytes).await.is_err() {
                    return Left::Viewer;
                }
                at = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                output.shown(at);
            }
            Piece::Over => return Left::Screen,
            Piece::Nothing => {}
        }
    }
}

/// Why a screen ended.
async fn ended(state: &mut watch::Receiver<State>) -> Result<()> {
    match timeout(WAIT, state.wait_for(State::is_over)).await {
        Ok(Ok(over)) => match &*over {
            State::Failed { error } => Err(error.clone()),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}
