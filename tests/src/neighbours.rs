//! What else is on a desktop: a tray, and a daemon that shows notifications.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::desktop::Desktop;
use crate::process::Program;

/// How long an icon or a notification may take to come.
const SHOWN: Duration = Duration::from_secs(20);

/// A tray and a daemon for notifications. They end with this value.
#[derive(Debug)]
pub struct Neighbours {
    program: Program,
    dir: PathBuf,
}

impl Neighbours {
    /// Starts them on the desktop; before the window, which looks for them when it opens.
    ///
    /// # Errors
    /// When Python or its D-Bus module is not installed.
    pub async fn start(desktop: &Desktop) -> Result<Self> {
        let dir = desktop.dir().to_owned();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("desk/neighbours.py");
        // The system's Python, which has the system's modules.
        let mut command = desktop.command("/usr/bin/python3");
        command.arg(script).arg(&dir);
        let mut program = Program::start("neighbours", command, &dir, None)?;
        program.line(SHOWN, |line| line == "READY").await?;
        Ok(Self { program, dir })
    }

    /// Waits for a line that they say, such as `NOTIFY …` or `MENU …`, and gives it.
    ///
    /// # Errors
    /// When it is not said in time.
    pub async fn said(&mut self, part: impl Fn(&str) -> bool) -> Result<String> {
        self.program.line(SHOWN, part).await
    }

    /// Clicks the line of the icon's menu that begins so, as soon as it is there.
    ///
    /// # Errors
    /// When the wish cannot be written.
    pub fn click(&self, beginning: &str) -> Result<()> {
        // whole at once, so that no half of it is read
        let written = self.dir.join("click.new");
        std::fs::write(&written, beginning)?;
        Ok(std::fs::rename(written, self.dir.join("click"))?)
    }
}
