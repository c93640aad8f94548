//! The application's window, driven as a person would: by what is on the page.

mod driver;
mod frame;
mod page;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::Signal;
use serde_json::json;

use crate::desktop::Desktop;
use crate::process::{self, Program};
use crate::programs;

/// How long the page may take to show what was waited for, unless a wait says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long one command to the driver may take before the window counts as hung.
const COMMAND: Duration = Duration::from_secs(30);

const STEP: Duration = Duration::from_millis(50);

/// The selector of the element with that `data-testid`.
pub fn testid(id: &str) -> String {
    format!("[data-testid=\"{id}\"]")
}

/// One run of the application with its window. Ends, by force, with this value.
#[derive(Debug)]
pub struct Window {
    client: Client,
    driver: Program,
    program: PathBuf,
    app: u32,
}

impl Window {
    /// Starts `program` with `arguments` on the desktop and waits until its page can be driven.
    ///
    /// # Errors
    /// When the driver is not installed, or the program does not open a window in time.
    pub async fn open<A: AsRef<OsStr>>(
        desktop: &Desktop,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        let arguments: Vec<String> = arguments
            .into_iter()
            .map(|argument| {
                let argument: OsString = argument.as_ref().to_owned();
                argument
                    .into_string()
                    .map_err(|odd| anyhow!("the driver takes only UTF-8 arguments, not {odd:?}"))
            })
            .collect::<Result<_>>()?;
        // a driver of its own for each run: one that lost its program by a kill does not always take another
        let (mut driver, port) = driver::start(desktop).await?;
        let wanted = json!({
            "webkitgtk:browserOptions": { "binary": program, "args": arguments },
            "timeouts": { "implicit": 0, "pageLoad": 30_000, "script": 30_000 },
        });
        let capabilities: Capabilities = serde_json::from_value(wanted)?;
        let connect = async {
            ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities)
                .connect(&format!("http://127.0.0.1:{port}"))
                .await
        };
        let client = match tokio::time::timeout(COMMAND, connect).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => bail!(
                "{} opened no window: {error}; {}",
                program.display(),
                driver.said()
            ),
            Err(_) => bail!(
                "{} opened no window in {} s; {}",
                program.display(),
                COMMAND.as_secs(),
                driver.said()
            ),
        };
        let parent = driver.pid();
        let app = driver
            .until(PATIENCE, "the application's process", || {
                process::descendant(parent, program)
            })
            .await?;
        let window = Self {
            client,
            driver,
            program: program.to_owned(),
            app,
        };
        window
            .wait("a loaded page", PATIENCE, async || {
                let state = window
                    .command(window.client.execute("return document.readyState", Vec::new()))
                    .await?;
                Ok(if state == "complete" {
                    Found::Yes(())
                } else {
                    Found::NotYet(format!("it is {state}"))
                })
            })
            .await?;
        Ok(window)
    }

    /// Closes the window and waits for the application to end by itself.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn close(mut self) -> Result<()> {
        let _ = tokio::time::timeout(COMMAND, self.client.clone().close()).await;
        let app = self.app;
        self.driver
            .until(
                PATIENCE,
                "the application to end after its window was closed",
                || (!process::runs(app)).then_some(()),
            )
            .await
    }

    /// Kills the application (SIGKILL), as a crash or a power cut would, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not go.
    pub async fn kill(mut self) -> Result<()> {
        let app = self.app;
        process::send(app, Signal::KILL);
        self.driver
            .until(PATIENCE, "the killed application to go", || {
                (!process::runs(app)).then_some(())
            })
            .await
    }

    /// Asks `probe` until it finds what is waited for. When it does not in time, leaves a picture and the page's source
    /// under `target/failures` and says where.
    ///
    /// # Errors
    /// At the deadline, or at once when the window is gone.
    pub async fn wait<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut probe: impl AsyncFnMut() -> Result<Found<T>, CommandError>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            let last = match probe().await {
                Ok(Found::Yes(found)) => return Ok(found),
                Ok(Found::NotYet(why)) => why,
                Err(error) if error.may_pass() => error.to_string(),
                Err(error) => {
                    let end = if process::runs(self.app) {
                        "still runs"
                    } else {
                        "has ended"
                    };
                    let program = self.program.display();
                    return Err(anyhow!(
                        "waiting for {what}: {error} ({program} {end}; {})",
                        self.driver.said()
                    ));
                }
            };
            if begun.elapsed() > deadline {
                let kept = self
                    .keep_failure()
                    .await
                    .unwrap_or_else(|error| format!("no picture: {error:#}"));
                bail!("waited {} s for {what}: {last} ({kept})", deadline.as_secs());
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// Leaves a picture and the source of the page as it is now, and says where.
    async fn keep_failure(&self) -> Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = programs::target_dir()?.join("failures");
        let name = dir.join(format!("{}-{number}", std::process::id()));
        let picture = name.with_extension("png");
        self.screenshot(&picture).await?;
        let source = self.command(self.client.source()).await?;
        std::fs::write(name.with_extension("html"), source)?;
        Ok(format!("see {}", picture.display()))
    }

    /// One command to the driver, which must answer in time.
    async fn command<T>(
        &self,
        command: impl Future<Output = Result<T, CmdError>>,
    ) -> Result<T, CommandError> {
        match tokio::time::timeout(COMMAND, command).await {
            Ok(answer) => answer.map_err(CommandError::Refused),
            Err(_) => Err(CommandError::NoAnswer),
        }
    }
}

/// What a probe of [`Window::wait`] saw.
#[derive(Debug)]
pub enum Found<T> {
    /// What was waited for.
    Yes(T),
    /// Something else; the words go into the failure's text.
    NotYet(String),
}

/// Why the window did not do what it was told.
#[derive(Debug)]
pub enum CommandError {
    /// The driver's answer was an error.
    Refused(CmdError),
    /// There was no answer: the page hangs or the application is gone.
    NoAnswer,
}

impl CommandError {
    /// Whether the page may simply not be that far yet.
    fn may_pass(&self) -> bool {
        let Self::Refused(CmdError::Standard(answer)) = self else {
            return false;
        };
        matches!(
            answer.error,
            ErrorStatus::NoSuchElement
                | ErrorStatus::StaleElementReference
                | ErrorStatus::ElementNotInteractable
                | ErrorStatus::ElementClickIntercepted
                | ErrorStatus::InvalidElementState
                | ErrorStatus::MoveTargetOutOfBounds
        )
    }
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // the driver often gives no message beside the status
            Self::Refused(CmdError::Standard(answer)) => write!(f, "{} {}", answer.error, answer.message),
            Self::Refused(error) => error.fmt(f),
            Self::NoAnswer => write!(f, "the window does not answer"),
        }
    }
}

impl std::error::Error for CommandError {}
