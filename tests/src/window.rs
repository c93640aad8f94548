//! The application's window, driven as a person would: by what is on the page.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use fantoccini::actions::{InputSource as _, WheelAction, WheelActions};
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::Signal;
use serde_json::{Value, json};

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
        let (mut driver, port) = start_driver(desktop).await?;
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

    /// The element that `css` selects, waited for. It may go stale when the page redraws: prefer the verbs below.
    ///
    /// # Errors
    /// When it does not appear in time.
    pub async fn find(&self, css: &str) -> Result<Element> {
        self.wait(&format!("{css} on the page"), PATIENCE, async || {
            Ok(Found::Yes(
                self.command(self.client.find(Locator::Css(css))).await?,
            ))
        })
        .await
    }

    /// [`Window::find`] by `data-testid`.
    ///
    /// # Errors
    /// When it does not appear in time.
    pub async fn by_testid(&self, id: &str) -> Result<Element> {
        self.find(&testid(id)).await
    }

    /// How many elements `css` selects now.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn count(&self, css: &str) -> Result<usize> {
        Ok(self.command(self.client.find_all(Locator::Css(css))).await?.len())
    }

    /// Clicks what `css` selects, as soon as it can be clicked.
    ///
    /// # Errors
    /// When it cannot be clicked in time: not there, hidden, covered or disabled.
    pub async fn click(&self, css: &str) -> Result<()> {
        self.wait(&format!("a click on {css}"), PATIENCE, async || {
            let element = self.command(self.client.find(Locator::Css(css))).await?;
            if !self.command(element.is_enabled()).await? {
                return Ok(Found::NotYet("it is disabled".to_owned()));
            }
            Ok(Found::Yes(self.command(element.click()).await?))
        })
        .await
    }

    /// Replaces what stands in the field that `css` selects by `text`, typed.
    ///
    /// # Errors
    /// When the field cannot be typed into in time, or holds something else afterwards.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        self.wait(&format!("{css} to take its text"), PATIENCE, async || {
            let field = self.command(self.client.find(Locator::Css(css))).await?;
            self.command(field.clear()).await?;
            if !text.is_empty() {
                self.command(field.send_keys(text)).await?;
            }
            let held = self.command(field.prop("value")).await?.unwrap_or_default();
            // what it holds may be a secret, so the text of the failure does not show it
            Ok(if held == text {
                Found::Yes(())
            } else {
                Found::NotYet("it holds something else".to_owned())
            })
        })
        .await
    }

    /// Chooses the option of that value in the `<select>` that `css` selects.
    ///
    /// # Errors
    /// When it has no such option in time.
    pub async fn choose(&self, css: &str, value: &str) -> Result<()> {
        self.wait(&format!("{css} to offer {value}"), PATIENCE, async || {
            let list = self.command(self.client.find(Locator::Css(css))).await?;
            self.command(list.select_by_value(value)).await?;
            Ok(Found::Yes(()))
        })
        .await
    }

    /// The text a person sees in what `css` selects.
    ///
    /// # Errors
    /// When it does not appear in time.
    pub async fn text(&self, css: &str) -> Result<String> {
        self.wait(&format!("the text of {css}"), PATIENCE, async || {
            Ok(Found::Yes(self.peek_text(css).await?))
        })
        .await
    }

    /// The text of what `css` selects now, for probes of [`Window::wait`].
    ///
    /// # Errors
    /// When it is not there now.
    pub async fn peek_text(&self, css: &str) -> Result<String, CommandError> {
        let element = self.command(self.client.find(Locator::Css(css))).await?;
        self.command(element.text()).await
    }

    /// An attribute of what `css` selects now, for probes of [`Window::wait`].
    ///
    /// # Errors
    /// When the element is not there now.
    pub async fn peek_attribute(&self, css: &str, name: &str) -> Result<Option<String>, CommandError> {
        let element = self.command(self.client.find(Locator::Css(css))).await?;
        self.command(element.attr(name)).await
    }

    /// An attribute of what `css` selects; nothing when it has none.
    ///
    /// # Errors
    /// When the element does not appear in time.
    pub async fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        self.wait(&format!("the attribute {name} of {css}"), PATIENCE, async || {
            Ok(Found::Yes(self.peek_attribute(css, name).await?))
        })
        .await
    }

    /// Waits until what `css` selects shows `part`, and gives its whole text.
    ///
    /// # Errors
    /// When it does not in time; the text says what it showed instead.
    pub async fn wait_text(&self, css: &str, part: &str) -> Result<String> {
        self.wait(&format!("{css} to show {part:?}"), PATIENCE, async || {
            let text = self.peek_text(css).await?;
            Ok(if text.contains(part) {
                Found::Yes(text)
            } else {
                Found::NotYet(format!("it shows {text:?}"))
            })
        })
        .await
    }

    /// Waits, up to `deadline`, until the attribute `name` of what `css` selects is one of `values`; gives the value.
    ///
    /// # Errors
    /// When it is not in time; the text says what it was instead.
    pub async fn wait_attribute(
        &self,
        css: &str,
        name: &str,
        values: &[&str],
        deadline: Duration,
    ) -> Result<String> {
        self.wait(
            &format!("{name} of {css} to be one of {values:?}"),
            deadline,
            async || {
                let element = self.command(self.client.find(Locator::Css(css))).await?;
                let value = self.command(element.attr(name)).await?.unwrap_or_default();
                Ok(if values.contains(&value.as_str()) {
                    Found::Yes(value)
                } else {
                    Found::NotYet(format!("it is {value:?}"))
                })
            },
        )
        .await
    }

    /// Waits, up to `deadline`, until `css` selects nothing.
    ///
    /// # Errors
    /// When it still selects something then.
    pub async fn wait_gone(&self, css: &str, deadline: Duration) -> Result<()> {
        self.wait(&format!("{css} to go"), deadline, async || {
            let left = self.command(self.client.find_all(Locator::Css(css))).await?.len();
            Ok(if left == 0 {
                Found::Yes(())
            } else {
                Found::NotYet(format!("{left} left"))
            })
        })
        .await
    }

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

    /// Runs the body of a function in the page and gives what it returns.
    ///
    /// # Errors
    /// When the script throws or the window does not answer.
    pub async fn script(&self, body: &str) -> Result<Value> {
        self.command(self.client.execute(body, Vec::new()))
            .await
            .context("the script failed")
    }

    /// What the body of a function returns in the page now, for probes of [`Window::wait`].
    ///
    /// # Errors
    /// When the script throws or the window does not answer.
    pub async fn peek_script(&self, body: &str) -> Result<Value, CommandError> {
        self.command(self.client.execute(body, Vec::new())).await
    }

    /// Presses a key or types text where the focus is.
    ///
    /// # Errors
    /// When nothing can take it.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let element = self.command(self.client.active_element()).await?;
        Ok(self.command(element.send_keys(keys)).await?)
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

    /// Turns the wheel over the middle of what `css` selects, by so many logical pixels each time.
    ///
    /// # Errors
    /// When it is not there, or the driver has no wheel.
    pub async fn wheel(&self, css: &str, times: u32, pixels: i64) -> Result<()> {
        let element = self.find(css).await?;
        let (x, y, width, height) = self
            .command(element.rectangle())
            .await
            .context("it has no place")?;
        let (x, y) = ((x + width / 2.0) as i64, (y + height.min(400.0) / 2.0) as i64);
        let turn = WheelAction::Scroll {
            duration: Some(Duration::ZERO),
            x,
            y,
            delta_x: 0,
            delta_y: pixels,
        };
        let pause = WheelAction::Pause {
            duration: Duration::from_millis(16),
        };
        let mut turns = WheelActions::new("wheel".to_owned());
        for _ in 0..times {
            turns = turns.then(turn.clone()).then(pause.clone());
        }
        self.command(self.client.perform_actions(turns))
            .await
            .context("the wheel does not turn")
    }

    /// Memory of the application's processes, in bytes: what they share is counted once.
    ///
    /// # Errors
    /// When the system does not tell (`/proc/PID/smaps_rollup`).
    pub fn memory(&self) -> Result<u64> {
        process::memory(self.app)
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

/// Starts WebKit's driver on a free port of loopback and waits until it accepts connections.
async fn start_driver(desktop: &Desktop) -> Result<(Program, u16)> {
    // the driver takes a port but finds none itself, and between our look and its start another may take it
    let mut last = anyhow!("no free port");
    for _ in 0..5 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = desktop.command("WebKitWebDriver");
        command
            .arg(format!("--port={port}"))
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        let mut driver = Program::start(&format!("webdriver-{port}"), command, desktop.dir(), None)?;
        let up = driver
            .until(PATIENCE, "the window's driver", || {
                std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                    .ok()
                    .map(drop)
            })
            .await;
        match up {
            Ok(()) => return Ok((driver, port)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
