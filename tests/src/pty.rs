//! A program in a terminal, as a person has it: a pseudo-terminal with a size, keys and a screen.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const STEP: Duration = Duration::from_millis(20);

/// A program in a terminal; killed when this goes out of scope.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keys: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

fn winsize(columns: u16, rows: u16) -> Winsize {
    Winsize {
        ws_col: columns,
        ws_row: rows,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Terminal {
    /// Starts a program with the arguments and the environment of `command` in a terminal of this size.
    ///
    /// # Errors
    /// When there is no pseudo-terminal or the program cannot be started.
    pub fn start(command: &Command, columns: u16, rows: u16) -> Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).context("no pseudo-terminal")?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let name = name.to_str().context("the terminal has no name")?.to_owned();
        tcsetwinsize(&master, winsize(columns, rows))?;
        let slave = File::options().read(true).write(true).open(Path::new(&name))?;
        // `setsid --ctty` makes it the program's controlling terminal, which takes an unsafe call otherwise.
        let mut started = Command::new("setsid");
        started
            .args(["--ctty", "--wait"])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .env("TERM", "xterm-256color")
            .envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))))
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave));
        let child = started
            .spawn()
            .context("`setsid` (util-linux) cannot be started")?;
        let keys = File::from(master);
        let mut screen = keys.try_clone()?;
        let shown = Arc::new(Mutex::new(Vec::new()));
        let filled = shown.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                let mut filled = filled.lock().unwrap_or_else(PoisonError::into_inner);
                filled.extend_from_slice(buffer.get(..count).unwrap_or_default());
            }
        });
        Ok(Self { child, keys, shown })
    }

    /// Presses these keys.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        Ok(self.keys.write_all(keys.as_bytes())?)
    }

    /// Gives it another size.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        Ok(tcsetwinsize(&self.keys, winsize(columns, rows))?)
    }

    /// Everything that was shown so far.
    pub fn shown(&self) -> String {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Waits until a text is shown.
    ///
    /// # Errors
    /// When it is not within the time, or the program ended before.
    pub async fn wait(&mut self, text: &str, deadline: Duration) -> Result<()> {
        let begun = Instant::now();
        while !self.shown().contains(text) {
            if begun.elapsed() > deadline {
                bail!("no {text:?} in {} s: {:?}", deadline.as_secs(), self.shown());
            }
            tokio::time::sleep(STEP).await;
        }
        Ok(())
    }

    /// Waits for the program's end; answers what it returned.
    ///
    /// # Errors
    /// When it does not end within the time, or a signal ended it.
    pub async fn end(&mut self, deadline: Duration) -> Result<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return status.code().context("a signal ended it");
            }
            if begun.elapsed() > deadline {
                bail!("it does not end: {:?}", self.shown());
            }
            tokio::time::sleep(STEP).await;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
