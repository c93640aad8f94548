//! What can only be measured in the real window: its start and its memory against an empty Tauri window's, the frames while the
//! list of 5,000 servers is scrolled, and what comes from a server: a terminal against xterm.js alone, a screen against noVNC in a
//! browser. One line each: a name, and a number.
//!
//! `cargo xtask bench` builds the programs to be measured, starts this and compares.

#[cfg(target_os = "linux")]
mod sessions;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    measure::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("The window is measured on Linux: it is driven through WebKitGTK on a virtual display.");
    std::process::exit(2);
}

#[cfg(target_os = "linux")]
mod measure {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use anyhow::{Context, Result, ensure};
    use clap::Parser;
    use serde_json::Value;
    use wangcheng_tests::desktop::{Desktop, Keychain};
    use wangcheng_tests::peers::Sandbox;
    use wangcheng_tests::programs;
    use wangcheng_tests::walk::{Walk, id};
    use wangcheng_tests::window::{Found, PATIENCE, Window, testid};

    /// How often each start is measured.
    const STARTS: usize = 12;
    /// After so long nothing goes on any more.
    const IDLE: Duration = Duration::from_secs(12);
    const SERVERS: u32 = 5_000;
    /// The shape of the list: what is scrolled.
    const SCROLLER: &str = ".scroller:has([data-testid=\"servers-table\"])";

    /// Measures the window.
    #[derive(Parser)]
    struct Arguments {
        /// Directory of the programs to be measured, such as target/release
        #[arg(long)]
        programs: PathBuf,
        /// Only the frames while the list is scrolled
        #[arg(long)]
        scrolling: bool,
        /// Only what comes from a server
        #[arg(long)]
        sessions: bool,
        /// Only the start and the memory after it
        #[arg(long)]
        start: bool,
    }

    pub fn main() -> Result<()> {
        let arguments = Arguments::parse();
        let programs = arguments.programs.canonicalize()?;
        tokio::runtime::Runtime::new()?.block_on(async {
            if !arguments.sessions {
                measure(&programs, &arguments).await?;
            }
            if !arguments.scrolling && !arguments.start {
                crate::sessions::measure(&programs).await?;
            }
            Ok(())
        })
    }

    async fn measure(programs: &Path, only: &Arguments) -> Result<()> {
        let ours = programs.join(programs::DESKTOP);
        let mut desktop = Desktop::start(Keychain::Unlocked).await?;
        desktop.draw_without_a_card();
        if !only.scrolling {
            start_and_memory(&desktop, &ours, &programs.join("examples/empty")).await?;
        }
        if only.start {
            return Ok(());
        }
        let crowded = Sandbox::start_with(&desktop.dir().join("crowded"), 8.0, SERVERS).await?;
        let data = desktop.dir().join("crowded-data");
        let window = Window::open(&desktop, &ours, options(&crowded, &data)).await?;
        window.set_size(1280, 820).await?;
        Walk::new(&window).demo().await?;
        scroll(&desktop, &window).await
    }

    pub fn options(sandbox: &Sandbox, data: &Path) -> [OsString; 6] {
        [
            "--data-dir".into(),
            data.into(),
            "--sandbox".into(),
            sandbox.announce_file().into(),
            "--language".into(),
            "en".into(),
        ]
    }

    async fn start_and_memory(desktop: &Desktop, ours: &Path, empty: &Path) -> Result<()> {
        let none: [OsString; 0] = [];
        // The usual start: somebody is signed in and has a server.
        let sandbox = Sandbox::start(&desktop.dir().join("sandbox"), 8.0).await?;
        let data = desktop.dir().join("data");
        let window = Window::open(desktop, ours, options(&sandbox, &data)).await?;
        Walk::new(&window).running("measured-01").await?;
        window.close().await?;

        let (mut first, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let window = Window::open(desktop, empty, none.clone()).await?;
            floor.push(shown_ms(&window, "performance.getEntriesByType('paint').at(-1)").await?);
            window.kill().await?;
            let window = Window::open(desktop, ours, options(&sandbox, &data)).await?;
            window.by_testid(id::SERVER_ROW).await?;
            first.push(shown_ms(&window, "performance.getEntriesByName('useful').at(-1)").await?);
            window.close().await?;
        }
        say("start_ms", usual(first)?);
        say("start_floor_ms", usual(floor)?);

        let window = Window::open(desktop, empty, none).await?;
        tokio::time::sleep(IDLE).await;
        say("memory_floor_mb", window.memory()? as f64 / 1e6);
        window.kill().await?;
        let window = Window::open(desktop, ours, options(&sandbox, &data)).await?;
        window.by_testid(id::SERVER_ROW).await?;
        tokio::time::sleep(IDLE).await;
        say("memory_mb", window.memory()? as f64 / 1e6);
        window.close().await
    }

    /// From the start of the process to the moment of an entry of the page's own clock.
    async fn shown_ms(window: &Window, entry: &str) -> Result<f64> {
        let script = format!("const it = {entry}; return it ? performance.timeOrigin + it.startTime : null");
        let at = window
            .wait("the first screen", PATIENCE, async || {
                Ok(match window.peek_script(&script).await?.as_f64() {
                    Some(at) => Found::Yes(at),
                    None => Found::NotYet("it is not there".to_owned()),
                })
            })
            .await?;
        Ok(at - window.started_ms()?)
    }

    /// Scrolls through the list from end to end by the wheel, and says how long the frames took.
    async fn scroll(desktop: &Desktop, window: &Window) -> Result<()> {
        let rows = format!(
            "return Number(document.querySelector('{}')?.getAttribute('aria-rowcount'))",
            testid(id::SERVERS_TABLE)
        );
        window
            .wait("5,000 servers", Duration::from_secs(60), async || {
                let rows = window.peek_script(&rows).await?.as_u64().unwrap_or_default();
                Ok(if rows > u64::from(SERVERS) {
                    Found::Yes(())
                } else {
                    Found::NotYet(format!("{rows} rows"))
                })
            })
            .await?;
        // What comes with a first list (prices, the first ticks) is over.
        tokio::time::sleep(Duration::from_secs(5)).await;
        window
            .script(
                "window.frames_ms = []; let before = performance.now(); \
                 const tick = (now) => { window.frames_ms.push(now - before); before = now; requestAnimationFrame(tick); }; \
                 requestAnimationFrame((now) => { before = now; requestAnimationFrame(tick); })",
            )
            .await?;
        let top = format!("return document.querySelector('{SCROLLER}').scrollTop");
        let mut reached = 0.0;
        let place = window.place(SCROLLER).await?;
        for (notches, pause_ms) in [(40, 50), (100, 16), (400, 4), (-200, 8), (-300, 2)] {
            desktop.turn_wheel(place, notches, pause_ms)?;
            let now = window.script(&top).await?.as_f64().unwrap_or_default();
            ensure!(
                now != reached,
                "the wheel turned and the list stood still at {now}"
            );
            reached = now;
        }
        let frames: Vec<f64> = match window.script("return window.frames_ms").await? {
            Value::Array(frames) => frames.iter().filter_map(Value::as_f64).collect(),
            other => anyhow::bail!("no frames: {other}"),
        };
        let mut sorted = frames.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| sorted.get(((sorted.len() - 1) as f64 * part) as usize).copied();
        say("frames", frames.len() as f64);
        say("rows_from_the_top", reached / 40.0);
        say(
            "frames_over_33_ms",
            frames.iter().filter(|frame| **frame > 33.4).count() as f64,
        );
        say("frame_median_ms", at(0.5).context("no frame")?);
        say("frame_p99_ms", at(0.99).context("no frame")?);
        say("frame_longest_ms", at(1.0).context("no frame")?);
        Ok(())
    }

    /// The lower quartile: under this driver some starts take half a second more before the page is gone to, an empty window's as
    /// well, and a median is one or the other by chance.
    fn usual(mut values: Vec<f64>) -> Result<f64> {
        values.sort_by(f64::total_cmp);
        values
            .get(values.len() / 4)
            .copied()
            .context("nothing was measured")
    }

    pub fn say(name: &str, value: f64) {
        println!("{name} {value:.1}");
    }
}
