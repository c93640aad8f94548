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

    use anyhow::{Result, ensure};
    use clap::Parser;
    use wangcheng_tests::desktop::{Desktop, Keychain};
    use wangcheng_tests::past;
    use wangcheng_tests::peers::Sandbox;
    use wangcheng_tests::programs;
    use wangcheng_tests::screens;
    use wangcheng_tests::walk::{Walk, id};
    use wangcheng_tests::window::{Window, testid};

    /// The server whose acts are shown, and those beside it: one of them with the longest name that there is.
    const SERVER: &str = "payments-build-01";
    const OTHERS: [(&str, &str, u32); 2] = [
        ("支付联调-压测-02", "支付网关第三轮压测", 4),
        (
            "load-test-of-the-payments-gateway-third-round-do-not-delete-0007",
            "",
            72,
        ),
    ];
    const LANGUAGES: [&str; 2] = ["en", "zh-CN"];
    const THEMES: [&str; 2] = ["light", "dark"];
    const SIZES: [(&str, u32, u32); 2] = [("wide", 1280, 820), ("narrow", 760, 620)];

    /// Takes the pictures.
    #[derive(Parser)]
    struct Arguments {
        /// Only these screens, separated by commas
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Only this size: wide or narrow
        #[arg(long)]
        size: Option<String>,
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
        let wants =
            |screen: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == screen);
        let mut count = 0;
        let mut missing = Vec::new();
        if wants("first") {
            window.by_testid("found-keys").await?;
            for (language, theme, (size, width, height)) in all(arguments.size.as_deref()) {
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
        // The usage screen of one who has done nothing yet.
        if wants("usage-empty") {
            for (language, theme, (size, width, height)) in all(arguments.size.as_deref()) {
                window.click(&testid(id::NAV_SETTINGS)).await?;
                look(&window, language, theme).await?;
                window.set_size(width, height).await?;
                window.click(&testid("nav-usage")).await?;
                for part in ["overview", "servers", "forecast", "bill", "waste", "sources"] {
                    window.click(&testid(&format!("usage-part-{part}"))).await?;
                    window
                        .find(".empty, [data-testid=forecast-methods], [data-testid=bill-figure], [data-testid=usage-sources], [data-testid=waste]")
                        .await?;
                    let file = out.join(format!("usage-empty-{part}-{language}-{theme}-{size}.png"));
                    window.screenshot(&file).await?;
                    count += 1;
                }
            }
        }
        window.click(&testid(id::NAV_SETTINGS)).await?;
        look(&window, "en", "light").await?;
        window.set_size(1280, 820).await?;
        walk.open_create().await?;
        walk.describe(SERVER, "nightly build of the payments service", 6)
            .await?;
        walk.see_price().await?;
        walk.create(SERVER).await?;
        walk.wait_running(SERVER).await?;
        for (name, purpose, hours) in OTHERS {
            walk.open_create().await?;
            walk.describe(name, purpose, hours).await?;
            walk.see_price().await?;
            walk.create(name).await?;
            walk.wait_running(name).await?;
        }
        // How it went is told in a corner, which is not to hide what lies there.
        window
            .wait_gone(&testid("toast"), wangcheng_tests::window::PATIENCE)
            .await?;
        for (language, theme, (size, width, height)) in all(arguments.size.as_deref()) {
            window.click(&testid(id::NAV_SETTINGS)).await?;
            look(&window, language, theme).await?;
            window.set_size(width, height).await?;
            for screen in screens::ALL.into_iter().filter(|screen| wants(screen)) {
                // What does not open is told at the end, with the rest pictured.
                if let Err(error) = screens::open(&window, screen, SERVER).await {
                    missing.push(format!("{screen}, {language}, {theme}, {size}: {error}"));
                    screens::close(&window).await?;
                    continue;
                }
                let file = out.join(format!("{screen}-{language}-{theme}-{size}.png"));
                window.screenshot(&file).await?;
                count += 1;
                screens::close(&window).await?;
            }
        }
        // The same screens' usage with a company's past of two years.
        if screens::past::ALL.into_iter().any(wants) {
            sandbox.deliver(&past::events()?).await?;
            walk.pull().await?;
            for (language, theme, (size, width, height)) in all(arguments.size.as_deref()) {
                window.click(&testid(id::NAV_SETTINGS)).await?;
                look(&window, language, theme).await?;
                window.set_size(width, height).await?;
                for screen in screens::past::ALL.into_iter().filter(|screen| wants(screen)) {
                    if let Err(error) = screens::past::open(&window, screen).await {
                        missing.push(format!("{screen}, {language}, {theme}, {size}: {error}"));
                        screens::past::close(&window).await?;
                        continue;
                    }
                    let file = out.join(format!("{screen}-{language}-{theme}-{size}.png"));
                    window.screenshot(&file).await?;
                    count += 1;
                    screens::past::close(&window).await?;
                }
            }
        }
        if screens::sessions::OF_SESSIONS.into_iter().any(wants) {
            walk.open_server(SERVER).await?;
            screens::sessions::begin(&window).await?;
            for (language, theme, (size, width, height)) in all(arguments.size.as_deref()) {
                window.other_window().await?;
                window.click(&testid(id::NAV_SETTINGS)).await?;
                look(&window, language, theme).await?;
                window.other_window().await?;
                window.find(&shown(language, theme)).await?;
                window.set_size(width, height).await?;
                for screen in screens::sessions::OF_SESSIONS
                    .into_iter()
                    .filter(|screen| wants(screen))
                {
                    if let Err(error) = screens::sessions::open(&window, screen).await {
                        missing.push(format!("{screen}, {language}, {theme}, {size}: {error}"));
                    } else {
                        let file = out.join(format!("{screen}-{language}-{theme}-{size}.png"));
                        window.screenshot(&file).await?;
                        count += 1;
                    }
                    screens::sessions::close(&window).await?;
                }
            }
            window.kill().await?;
        } else {
            window.close().await?;
        }
        println!("{count} pictures in {}", out.display());
        ensure!(missing.is_empty(), "without a picture:\n{}", missing.join("\n"));
        Ok(())
    }

    fn all(
        only: Option<&str>,
    ) -> impl Iterator<Item = (&'static str, &'static str, (&'static str, u32, u32))> {
        let sizes = SIZES
            .into_iter()
            .filter(move |size| only.is_none_or(|only| only == size.0));
        sizes.flat_map(|size| {
            THEMES
                .into_iter()
                .flat_map(move |theme| LANGUAGES.into_iter().map(move |language| (language, theme, size)))
        })
    }

    async fn look(window: &Window, language: &str, theme: &str) -> Result<()> {
        window.choose(&testid(id::SETTINGS_LANGUAGE), language).await?;
        window.choose(&testid(id::SETTINGS_THEME), theme).await?;
        window.find(&shown(language, theme)).await.map(drop)
    }

    fn shown(language: &str, theme: &str) -> String {
        format!("html[lang=\"{language}\"][data-theme=\"{theme}\"]")
    }
}
