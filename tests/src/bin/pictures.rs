//! Pictures of every screen, in both languages, both themes, wide and narrow, in the real window.
//!
//! `cargo xtask pictures` makes them under `target/pictures/`.

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    pictures::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("Pictures need Linux: the window is driven through WebKitGTK on a virtual display.");
    std::process::exit(2);
}

#[cfg(target_os = "linux")]
mod pictures {
    use std::ffi::OsString;
    use std::path::PathBuf;

    use anyhow::{Context, Result};
    use clap::Parser;
    use wangcheng_tests::desktop::{Desktop, Keychain};
    use wangcheng_tests::peers::Sandbox;
    use wangcheng_tests::programs;
    use wangcheng_tests::screens;
    use wangcheng_tests::walk::{Walk, id};
    use wangcheng_tests::window::{Window, testid};

    const SERVER: &str = "payments-build-01";
    const LANGUAGES: [&str; 2] = ["en", "zh-CN"];
    const THEMES: [&str; 2] = ["light", "dark"];
    const SIZES: [(&str, u32, u32); 2] = [("wide", 1280, 820), ("narrow", 760, 620)];

    /// Takes the pictures.
    #[derive(Parser)]
    struct Arguments {
        /// Only this screen
        #[arg(long)]
        only: Option<String>,
        /// Where they go [default: target/pictures]
        #[arg(long)]
        out: Option<PathBuf>,
    }

    pub fn main() -> Result<()> {
        tokio::runtime::Runtime::new()?.block_on(take(Arguments::parse()))
    }

    async fn take(arguments: Arguments) -> Result<()> {
        let out = match arguments.out {
            Some(out) => out,
            None => programs::target_dir()?.join("pictures"),
        };
        let desktop = Desktop::start(Keychain::Unlocked).await?;
        let sandbox = Sandbox::start(&desktop.dir().join("sandbox"), 8.0).await?;
        let data = desktop.dir().join("data");
        // A key lies ready, so that the first screen shows how that looks. It opens nothing.
        let downloads = desktop.dir().join("home/credentials.csv");
        std::fs::write(
            downloads,
            "User Name,Access Key Id,Secret Access Key\nada,HPUAEXAMPLE000000J3K,ThisIsAnExampleOfASecretKey0000000000001\n",
        )?;
        let options: [OsString; 4] = [
            "--data-dir".into(),
            data.into(),
            "--sandbox".into(),
            sandbox.announce_file().into(),
        ];
        let window = Window::open(&desktop, &programs::find(programs::DESKTOP)?, options).await?;
        window.by_testid(id::FIRST_DEMO).await?;
        let wants = |screen: &str| arguments.only.as_deref().is_none_or(|only| only == screen);
        let mut count = 0;
        if wants("first") {
            window.by_testid("found-keys").await?;
            for (language, theme, (size, width, height)) in all() {
                look(&window, language, theme).await?;
                window.set_size(width, height).await?;
                let file = out.join(format!("first-{language}-{theme}-{size}.png"));
                window.screenshot(&file).await?;
                count += 1;
            }
        }
        window.set_size(1280, 820).await?;
        let mut walk = Walk::new(&window);
        walk.demo().await?;
        walk.open_create().await?;
        walk.describe(SERVER, "nightly build of the payments service", 6)
            .await?;
        walk.see_price().await?;
        walk.create(SERVER).await?;
        walk.wait_running(SERVER).await?;
        // How it went is told in a corner, which is not to hide what lies there.
        window
            .wait_gone(&testid("toast"), wangcheng_tests::window::PATIENCE)
            .await?;
        for (language, theme, (size, width, height)) in all() {
            window.click(&testid(id::NAV_SETTINGS)).await?;
            look(&window, language, theme).await?;
            window.set_size(width, height).await?;
            for screen in screens::ALL.into_iter().filter(|screen| wants(screen)) {
                screens::open(&window, screen, SERVER)
                    .await
                    .with_context(|| format!("{screen}, {language}, {theme}, {size}"))?;
                let file = out.join(format!("{screen}-{language}-{theme}-{size}.png"));
                window.screenshot(&file).await?;
                count += 1;
                screens::close(&window).await?;
            }
        }
        window.close().await?;
        println!("{count} pictures in {}", out.display());
        Ok(())
    }

    fn all() -> impl Iterator<Item = (&'static str, &'static str, (&'static str, u32, u32))> {
        SIZES.into_iter().flat_map(|size| {
            THEMES
                .into_iter()
                .flat_map(move |theme| LANGUAGES.into_iter().map(move |language| (language, theme, size)))
        })
    }

    async fn look(window: &Window, language: &str, theme: &str) -> Result<()> {
        window.choose(&testid(id::SETTINGS_LANGUAGE), language).await?;
        window.choose(&testid(id::SETTINGS_THEME), theme).await?;
        let shown = format!("html[lang=\"{language}\"][data-theme=\"{theme}\"]");
        window.find(&shown).await.map(drop)
    }
}
