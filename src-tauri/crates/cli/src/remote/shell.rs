//! A shell in this terminal: every key goes to the server, everything it sends is shown, the size follows the window.

use std::io::{IsTerminal, Read, Write};
use std::time::Duration;

use tokio::sync::mpsc;
use wangcheng::sessions::{Front, Link, Output as Shown, Piece, Shell, ShellOptions, Size, State};

use super::{at_end, attend, over, tell};
use crate::exit::Exit;
use crate::session::Session;
use crate::trouble::{Result, Trouble};

/// The most that is shown, or typed, at once, in bytes.
const PIECE_MOST: usize = 64 * 1024;
const WAIT: Duration = Duration::from_secs(1);
/// Pieces of input under way.
const INPUTS: usize = 16;
const CTRL_C: u8 = 0x03;

/// The terminal as a program of its own: no key means anything here. Set back when this goes away.
struct Raw;

impl Raw {
    fn on() -> std::io::Result<Option<Self>> {
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        crossterm::terminal::enable_raw_mode()?;
        Ok(Some(Self))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Nothing can be done about it any more.
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// `~.` after a new line ends it, for a server that does not.
struct Escape {
    fresh: bool,
    tilde: bool,
}

impl Escape {
    fn new() -> Self {
        Self {
            fresh: true,
            tilde: false,
        }
    }

    /// What of it goes to the server; nothing when it is to end.
    fn take(&mut self, typed: &[u8]) -> Option<Vec<u8>> {
        let mut sent = Vec::with_capacity(typed.len() + 1);
        for byte in typed {
            if std::mem::take(&mut self.tilde) {
                match byte {
                    b'.' => return None,
                    // Twice is once.
                    b'~' => {}
                    _ => sent.push(b'~'),
                }
            } else if *byte == b'~' && self.fresh {
                self.tilde = true;
                self.fresh = false;
                continue;
            }
            sent.push(*byte);
            self.fresh = matches!(byte, b'\r' | b'\n');
        }
        Some(sent)
    }
}

/// Runs until the shell or the command ends; answers what it returned.
pub async fn run(
    session: &Session,
    link: Link,
    mut front: Front,
    command: Option<String>,
    input: bool,
) -> Result<u8> {
    let options = ShellOptions {
        size: size(),
        command,
        ..ShellOptions::default()
    };
    let shell = link.shell(options);
    tokio::select! {
        () = attend(session.output, &mut front) => {}
        () = interrupted() => return Err(cancelled(session)),
    }
    let state = front.state.borrow().clone();
    let ended = match over(session, &state) {
        Some(ended) => ended,
        None => {
            let raw = Raw::on()?;
            let ended = talk(session, &mut front, &shell, input).await;
            drop(raw);
            ended
        }
    };
    shell.close();
    link.close().await;
    ended
}

async fn talk(session: &Session, front: &mut Front, shell: &Shell, input: bool) -> Result<u8> {
    // Apart from the keys, so that a slow terminal holds none of them up.
    let mut showing = tokio::spawn(show(shell.output()));
    let mut typed = if input { keys() } else { mpsc::channel(1).1 };
    let mut typing = input;
    let mut escape = Escape::new();
    let mut sizes = Sizes::new()?;
    loop {
        tokio::select! {
            shown = &mut showing => {
                if let Ok(Err(error)) = shown {
                    return Err(error.into());
                }
                let state = at_end(&mut front.state).await;
                return over(session, &state).unwrap_or(Ok(super::NO_WAY));
            }
            keys = typed.recv(), if typing => {
                let Some(keys) = keys else {
                    typing = false;
                    continue;
                };
                let open = matches!(*front.state.borrow(), State::Open);
                let Some(keys) = escape.take(&keys) else {
                    return Err(cancelled(session));
                };
                // While nobody is there to hear it, it is meant for us.
                if !open && keys.contains(&CTRL_C) {
                    return Err(cancelled(session));
                }
                // What becomes of the connection is told by its state.
                let _ = shell.input(keys).await;
            }
            size = sizes.next() => {
                let _ = shell.resize(size).await;
            }
            changed = front.state.changed() => {
                let state = front.state.borrow_and_update().clone();
                if changed.is_ok() && !state.is_over() {
                    tell(session.output, &state);
                }
            }
            () = terminated() => return Err(cancelled(session)),
        }
    }
}

/// Shows everything until there is no more.
async fn show(output: Shown) -> std::io::Result<()> {
    let mut at = 0;
    loop {
        match output.next(at, PIECE_MOST, WAIT).await {
            Piece::Bytes { offset, bytes } => {
                at = offset + u64::try_from(bytes.len()).unwrap_or_default();
                write(std::io::stdout(), bytes).await?;
                output.shown(at);
            }
            Piece::Nothing => {}
            Piece::Over => return Ok(()),
        }
    }
}

/// Writes on a thread that may wait for whoever reads it.
pub(super) async fn write<B>(mut to: impl Write + Send + 'static, bytes: B) -> std::io::Result<()>
where
    B: AsRef<[u8]> + Send + 'static,
{
    let writing = tokio::task::spawn_blocking(move || {
        to.write_all(bytes.as_ref())?;
        to.flush()
    });
    writing.await.map_err(std::io::Error::other)?
}

/// What is read from standard input, on a thread of its own, because nothing can end such a read.
pub(super) fn keys() -> mpsc::Receiver<Vec<u8>> {
    let (sender, keys) = mpsc::channel(INPUTS);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = vec![0; PIECE_MOST];
        loop {
            match stdin.read(&mut buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    let read = buffer.get(..count).unwrap_or_default().to_vec();
                    if sender.blocking_send(read).is_err() {
                        return;
                    }
                }
            }
        }
    });
    keys
}

fn size() -> Size {
    match crossterm::terminal::size() {
        Ok((columns, rows)) if columns > 0 && rows > 0 => Size { columns, rows },
        _ => Size::default(),
    }
}

/// Tells when the window has another size.
struct Sizes {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
    last: Size,
}

impl Sizes {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change())?,
            last: size(),
        })
    }

    async fn next(&mut self) -> Size {
        loop {
            #[cfg(unix)]
            let _ = self.signal.recv().await;
            #[cfg(not(unix))]
            tokio::time::sleep(WAIT / 2).await;
            let now = size();
            if now != self.last {
                self.last = now;
                return now;
            }
        }
    }
}

/// Ctrl+C, or somebody ends us.
pub(super) async fn interrupted() {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

/// Somebody ends us: the terminal has to be set back before.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

pub(super) fn cancelled(session: &Session) -> Trouble {
    let sentence = session.output.say("已结束连接。", "The connection was ended.");
    Trouble::new("cancelled", sentence, None).ending(Exit::Cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_and_a_dot_on_a_fresh_line_end_it_and_every_other_tilde_is_typed() {
        let mut escape = Escape::new();
        assert_eq!(escape.take(b"ls ~.\r").unwrap(), b"ls ~.\r");
        assert_eq!(escape.take(b"~").unwrap(), b"");
        assert_eq!(escape.take(b"/x\r").unwrap(), b"~/x\r");
        assert_eq!(escape.take(b"~~.\r").unwrap(), b"~.\r");
        assert_eq!(escape.take(b"~."), None);
        assert_eq!(Escape::new().take(b"~."), None);
    }
}
