//! The window as a whole: its size, its picture, its place, its other windows, and what its process takes.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Found, PATIENCE, Window};
use crate::process;

impl Window {
    /// Writes a picture (PNG) of the page to `path`, making its directory.
    ///
    /// # Errors
    /// When the window does not answer or the file cannot be written.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        // the picture is of what is on the display, and without a graphics card that is some frames behind the page
        let drawn = "const done = arguments[0]; \
            requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 300)))";
        self.command(self.client.execute_async(drawn, Vec::new()))
            .await
            .context("the window draws nothing")?;
        let picture = self
            .command(self.client.screenshot())
            .await
            .context("no picture of the window")?;
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::write(path, picture).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Sets the window's size in logical pixels.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn set_size(&self, width: u32, height: u32) -> Result<()> {
        self.command(self.client.set_window_size(width, height))
            .await
            .context("the window keeps its size")
    }

    /// Takes the window from the front.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn minimize(&self) -> Result<()> {
        self.command(self.client.minimize_window())
            .await
            .context("the window stays in front")
    }

    /// Goes on in another window of the application, as soon as there is one; everything else here is about that one then.
    ///
    /// # Errors
    /// When no other window opens in time.
    pub async fn other_window(&self) -> Result<()> {
        let here = self.command(self.client.window()).await?;
        self.wait("another window", PATIENCE, async || {
            let windows = self.command(self.client.windows()).await?;
            let Some(other) = windows.into_iter().find(|window| *window != here) else {
                return Ok(Found::NotYet("there is one".to_owned()));
            };
            Ok(Found::Yes(
                self.command(self.client.switch_to_window(other)).await?,
            ))
        })
        .await
    }

    /// Where on the display the middle of what `css` selects is seen, at most 200 pixels below its top.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn place(&self, css: &str) -> Result<(i64, i64)> {
        let element = self.find(css).await?;
        let (x, y, width, height) = self
            .command(element.rectangle())
            .await
            .context("it has no place")?;
        let window = self.script("return [window.screenX, window.screenY]").await?;
        let of = |axis: usize| {
            window
                .get(axis)
                .and_then(serde_json::Value::as_f64)
                .unwrap_or_default()
        };
        Ok((
            (of(0) + x + width / 2.0) as i64,
            (of(1) + y + height.min(400.0) / 2.0) as i64,
        ))
    }

    /// Memory of the application's processes, in bytes: what they share is counted once.
    ///
    /// # Errors
    /// When the system does not tell (`/proc/PID/smaps_rollup`).
    pub fn memory(&self) -> Result<u64> {
        process::memory(self.app)
    }

    /// Processor time of the application's processes so far, in seconds.
    pub fn worked(&self) -> f64 {
        process::worked(self.app)
    }

    /// When the application's process was started, in milliseconds since 1970, to ten milliseconds.
    ///
    /// # Errors
    /// When the system does not tell (`/proc`).
    pub fn started_ms(&self) -> Result<f64> {
        process::started_ms(self.app)
    }

    /// The application's process id.
    pub fn pid(&self) -> u32 {
        self.app
    }
}
