//! The headless tour: the main job in the real window on a virtual display, with a picture of each step.
//!
//! `cargo xtask run` starts it where there is no display to open a window on.

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    tour::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("The tour needs Linux: it drives the window through WebKitGTK on a virtual display.");
    std::process::exit(2);
}

#[cfg(target_os = "linux")]
mod tour {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use anyhow::{Context, Result};
    use clap::Parser;
    use serde_json::Value;
    use wangcheng_tests::desktop::{Desktop, Keychain};
    use wangcheng_tests::peers::Sandbox;
    use wangcheng_tests::programs;
    use wangcheng_tests::walk::{Album, Price, SignIn, Walk};
    use wangcheng_tests::window::Window;

    /// The server of the tour.
    const SERVER: &str = "tour-build-01";

    /// Walks the main job on a virtual display and leaves pictures and events.
    #[derive(Parser)]
    struct Arguments {
        /// Where the pictures and events go [default: target/tour]
        #[arg(long)]
        out: Option<PathBuf>,
        /// Language of the walk; its last pictures are in the other one
        #[arg(long, default_value = "zh-CN", value_parser = ["zh-CN", "en"])]
        language: String,
        /// Theme of the walk; its last pictures are in the other one
        #[arg(long, default_value = "light", value_parser = ["light", "dark"])]
        theme: String,
        /// Size of the window
        #[arg(long, default_value = "1280x800", value_parser = size)]
        size: (u32, u32),
        /// Pace of the sandbox: 1 is the demo's, larger is faster
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
    }

    fn size(text: &str) -> Result<(u32, u32), String> {
        let sides = text
            .split_once('x')
            .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        sides.ok_or_else(|| "width and height in pixels, such as 1280x800".to_owned())
    }

    pub fn main() -> Result<()> {
        let arguments = Arguments::parse();
        tokio::runtime::Runtime::new()?.block_on(walk(arguments))
    }

    async fn walk(arguments: Arguments) -> Result<()> {
        let begun = Instant::now();
        let (width, height) = arguments.size;
        let out = match arguments.out {
            Some(out) => out,
            None => programs::target_dir()?.join("tour"),
        };
        clear(&out)?;
        let program = programs::find(programs::DESKTOP)?;
        let desktop = Desktop::start(Keychain::Unlocked).await?;
        let sandbox = Sandbox::start(&desktop.dir().join("sandbox"), arguments.speed).await?;
        let data = desktop.dir().join("data");
        let options = |language: &str, theme: &str| {
            [
                "--data-dir".into(),
                data.clone().into_os_string(),
                "--sandbox".into(),
                sandbox.announce_file().as_os_str().to_owned(),
                "--language".into(),
                language.into(),
                "--theme".into(),
                theme.into(),
            ]
        };

        let window = Window::open(&desktop, &program, options(&arguments.language, &arguments.theme)).await?;
        window.set_size(width, height).await?;
        let mut walk = Walk::with_album(&window, Album::new(&out));
        let price = main_job(&mut walk, &sandbox).await?;
        let album = walk.into_album();
        window.close().await?;

        // a second start: the account comes out of the keychain and the ledger is as it was left
        let language = if arguments.language == "en" { "zh-CN" } else { "en" };
        let theme = if arguments.theme == "dark" {
            "light"
        } else {
            "dark"
        };
        let window = Window::open(&desktop, &program, options(language, theme)).await?;
        window.set_size(width, height).await?;
        let mut walk = Walk::with_album(&window, album);
        walk.servers_list().await?;
        walk.open_create().await?;
        walk.events().await?;
        let album = walk.into_album();
        window.close().await?;

        let events = sandbox.events().await?;
        let file = out.join("events.ndjson");
        write_lines(&file, &events)?;
        summary(begun.elapsed(), &album, &events, &file, &price)
    }

    async fn main_job(walk: &mut Walk<'_>, sandbox: &Sandbox) -> Result<Price> {
        walk.sign_in(&SignIn::of(sandbox, "ada")?).await?;
        walk.servers_list().await?;
        walk.settings(&sandbox.announcement().hei).await?;
        walk.open_create().await?;
        walk.choose_template(None).await?;
        walk.describe(SERVER, "tour", 2).await?;
        let price = walk.see_price().await?;
        walk.create(SERVER).await?;
        walk.wait_running(SERVER).await?;
        walk.open_server(SERVER).await?;
        walk.extend().await?;
        sandbox
            .wait_event("lease.extended", "ok", Duration::from_secs(60))
            .await?;
        walk.delete(SERVER).await?;
        sandbox
            .wait_event("server.deleted", "ok", Duration::from_secs(60))
            .await?;
        walk.operations().await?;
        walk.wait_delivered().await?;
        walk.events().await?;
        Ok(price)
    }

    /// Removes the pictures of an earlier tour, and nothing else: the directory may be one that the user named.
    fn clear(out: &Path) -> Result<()> {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        for entry in std::fs::read_dir(out)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let numbered = name.bytes().take_while(u8::is_ascii_digit).count() >= 2;
            if (numbered && name.ends_with(".png")) || name == "events.ndjson" {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn write_lines(file: &Path, events: &[Value]) -> Result<()> {
        let mut lines =
            std::fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
        for event in events {
            writeln!(lines, "{event}")?;
        }
        Ok(())
    }

    /// One screen for the terminal.
    fn summary(took: Duration, album: &Album, events: &[Value], file: &Path, price: &Price) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let field =
            |event: &Value, key: &str| event.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
        writeln!(out)?;
        writeln!(
            out,
            "The tour took {:.0} s: sign in, create, extend, delete, in a real window.",
            took.as_secs_f64()
        )?;
        writeln!(
            out,
            "Price shown before the click: {} an hour, {} for the lease.",
            price.hour.text, price.lease.text
        )?;
        writeln!(out)?;
        writeln!(out, "Pictures:")?;
        for picture in album.pictures() {
            writeln!(out, "  {}", picture.display())?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "{} events at the receiver ({}):",
            events.len(),
            file.display()
        )?;
        for event in events {
            let (time, action, outcome) = (
                field(event, "time"),
                field(event, "action"),
                field(event, "outcome"),
            );
            writeln!(
                out,
                "  {time}  {action:<18} {outcome:<8} {}",
                field(event, "server_name")
            )?;
        }
        Ok(())
    }
}
