//! The first path in the real window: WebKitGTK under a virtual display, a real keychain, the sandbox as a program of
//! its own that outlives the window.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::peers::Sandbox;
use wangcheng_tests::programs;
use wangcheng_tests::walk::{SignIn, Walk, event_row, id, server_row};
use wangcheng_tests::window::{Window, testid};

const SOON: Duration = Duration::from_secs(60);

/// A desktop with a sandbox on it.
struct Stage {
    desktop: Desktop,
    sandbox: Sandbox,
}

impl Stage {
    async fn set(keychain: Keychain, speed: f64) -> Result<Self> {
        let desktop = Desktop::start(keychain).await?;
        let sandbox = Sandbox::start(&desktop.dir().join("sandbox"), speed).await?;
        Ok(Self { desktop, sandbox })
    }

    async fn window(&self, language: &str) -> Result<Window> {
        let data = self.desktop.dir().join("data");
        let arguments = [
            "--data-dir".into(),
            data.into_os_string(),
            "--sandbox".into(),
            self.sandbox.announce_file().as_os_str().to_owned(),
            "--language".into(),
            language.into(),
        ];
        let window = Window::open(&self.desktop, &programs::find(programs::DESKTOP)?, arguments).await?;
        window.set_size(1280, 800).await?;
        Ok(window)
    }
}

async fn ask_for_a_server(walk: &mut Walk<'_>, name: &str) -> Result<()> {
    walk.open_create().await?;
    walk.choose_template(None).await?;
    walk.describe(name, "end to end", 2).await?;
    let price = walk.see_price().await?;
    ensure!(
        price.hour != price.lease,
        "two hours do not cost what one does: {price:?}"
    );
    walk.create(name).await
}

#[tokio::test]
async fn a_server_is_made_extended_and_deleted_in_the_window_and_each_act_reaches_the_receiver() -> Result<()>
{
    for language in ["zh-CN", "en"] {
        let stage = Stage::set(Keychain::Unlocked, 4.0).await?;
        let window = stage.window(language).await?;
        let mut walk = Walk::new(&window);
        walk.sign_in(&SignIn::of(&stage.sandbox, "ada")?).await?;
        walk.servers_list().await?;
        ask_for_a_server(&mut walk, "e2e-01").await?;
        walk.wait_active("e2e-01").await?;
        walk.open_server("e2e-01").await?;
        walk.extend().await?;
        stage.sandbox.wait_event("lease.extended", "ok", SOON).await?;
        walk.delete("e2e-01").await?;
        let deleted = stage.sandbox.wait_event("server.deleted", "ok", SOON).await?;
        walk.wait_delivered().await?;
        for action in ["server.created", "lease.extended", "server.deleted"] {
            window.find(&event_row(action, "ok")).await?;
        }
        ensure!(deleted.get("owner") == Some(&json!("ada")), "{deleted}");
        let shown = window.text("nav").await?;
        let word = if language == "en" {
            "Servers"
        } else {
            "云服务器"
        };
        ensure!(
            shown.contains(word),
            "the window does not speak {language}: {shown}"
        );
        window.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_is_explained_where_it_was_typed() -> Result<()> {
    let stage = Stage::set(Keychain::Unlocked, 4.0).await?;
    let window = stage.window("en").await?;
    let mut walk = Walk::new(&window);
    let wrong = SignIn {
        secret_key: "ThisIsNotTheSecretKeyOfAda00000000000000".to_owned(),
        ..SignIn::of(&stage.sandbox, "ada")?
    };
    walk.sign_in(&wrong).await?;
    let shown = window
        .wait_text(&testid(id::ERROR_BOX), "does not accept this key")
        .await?;
    ensure!(
        shown.contains("APIGW.0301"),
        "the provider's code helps its support: {shown}"
    );
    window.close().await
}

#[tokio::test]
async fn events_wait_for_a_receiver_that_is_down_and_arrive_when_it_is_back() -> Result<()> {
    let stage = Stage::set(Keychain::Unlocked, 4.0).await?;
    stage.sandbox.set_receiver("status:503").await?;
    let window = stage.window("en").await?;
    let mut walk = Walk::new(&window);
    walk.sign_in(&SignIn::of(&stage.sandbox, "ada")?).await?;
    ask_for_a_server(&mut walk, "delayed-01").await?;
    walk.wait_active("delayed-01").await?;
    window.click(&testid(id::NAV_EVENTS)).await?;
    let status = testid(id::DELIVERY_STATUS);
    window
        .wait_attribute(&status, "data-state", &["waiting_to_retry"], SOON)
        .await?;
    ensure!(
        stage.sandbox.events().await?.is_empty(),
        "the receiver took nothing"
    );
    stage.sandbox.set_receiver("ok").await?;
    stage.sandbox.wait_event("server.created", "ok", SOON).await?;
    walk.wait_delivered().await?;
    window.close().await
}

#[tokio::test]
async fn a_creation_goes_on_after_the_program_was_killed_in_the_middle_of_it() -> Result<()> {
    let stage = Stage::set(Keychain::Unlocked, 0.5).await?;
    let window = stage.window("en").await?;
    let mut walk = Walk::new(&window);
    walk.sign_in(&SignIn::of(&stage.sandbox, "ada")?).await?;
    ask_for_a_server(&mut walk, "killed-01").await?;
    window.kill().await?;

    let window = stage.window("en").await?;
    let mut walk = Walk::new(&window);
    walk.servers_list().await?;
    walk.wait_active("killed-01").await?;
    stage.sandbox.wait_event("server.created", "ok", SOON).await?;
    let made = stage
        .sandbox
        .servers()
        .await?
        .to_string()
        .matches("\"killed-01\"")
        .count();
    ensure!(made >= 1, "the server is there");
    let told = stage.sandbox.events().await?;
    ensure!(told.len() == 1, "one creation, one event: {told:?}");
    ensure!(window.count(&server_row("killed-01")).await? == 1, "made once");
    window.close().await
}

#[tokio::test]
async fn a_locked_keychain_is_said_and_the_key_can_be_kept_for_this_run_only() -> Result<()> {
    let stage = Stage::set(Keychain::Locked, 4.0).await?;
    let window = stage.window("en").await?;
    let mut walk = Walk::new(&window);
    let form = SignIn::of(&stage.sandbox, "ada")?;
    walk.sign_in(&form).await?;
    window.wait_text(&testid(id::ERROR_BOX), "keychain").await?;
    walk.sign_in(&SignIn {
        remember: false,
        ..form
    })
    .await?;
    walk.servers_list().await?;
    window.close().await
}
