//! More of a server's screen in the real window: logging in there, its picture kept, a VNC display with a password, the provider's
//! own page, and what the command line asks for.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::programs;
use wangcheng_tests::walk::{Walk, server_row};
use wangcheng_tests::window::{PATIENCE, Window, testid};

use super::Stage;
use super::screen::{brighter_than, still};

const NAME: &str = "console-01";
const PASSWORD: &str = "Right-Horse-7";

/// A server that runs, its page open.
async fn with_server(stage: &Stage, language: &str, theme: &str) -> Window {
    let window = stage.open(language, theme).await;
    window.set_size(1280, 800).await.unwrap();
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    walk.open_create().await.unwrap();
    walk.describe(NAME, "", 2).await.unwrap();
    walk.see_price().await.unwrap();
    walk.create(NAME).await.unwrap();
    walk.wait_running(NAME).await.unwrap();
    walk.open_server(NAME).await.unwrap();
    window
}

fn pictures() -> PathBuf {
    programs::target_dir().unwrap().join("end-to-end").join("screen")
}

/// What OpenSSH's client is told, with the password that was set.
async fn by_ssh(stage: &Stage, server: &str, command: &str) -> String {
    let control = &stage.sandbox.announcement().control;
    let url = format!("{control}/guest?server={server}");
    let guest: Value = serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    let tells = stage.desktop.dir().join("tells");
    std::fs::write(&tells, format!("#!/bin/sh\necho '{PASSWORD}'\n")).unwrap();
    std::fs::set_permissions(&tells, std::fs::Permissions::from_mode(0o700)).unwrap();
    let ran = Command::new("ssh")
        .args([
            "-F",
            "none",
            "-o",
            "PubkeyAuthentication=no",
            "-o",
            "StrictHostKeyChecking=no",
        ])
        .args([
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-p",
            &guest["port"].to_string(),
        ])
        .args(["root@127.0.0.1", command])
        .env("SSH_ASKPASS", tells)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

async fn shown_screen(window: &Window) {
    let shown = format!(
        "{}:not(.hidden)[data-connected=\"true\"]",
        testid("session-screen")
    );
    window.find(&shown).await.unwrap();
}

/// The picture that was saved last among the downloads.
async fn saved_picture(downloads: &Path) -> Vec<u8> {
    let began = Instant::now();
    loop {
        let found = std::fs::read_dir(downloads).unwrap().flatten().find(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("screen-") && name.ends_with(".png")
        });
        if let Some(found) = found {
            return std::fs::read(found.path()).unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "no picture is kept");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn the_console_lets_in_with_the_password_that_was_set_fills_the_screen_and_its_picture_is_kept() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = with_server(&stage, "en", "light").await;
    let mut walk = Walk::new(&window);
    walk.password(PASSWORD).await.unwrap();
    walk.ended("server.password").await.unwrap();
    walk.open_server(NAME).await.unwrap();
    let id = window
        .attribute(&server_row(NAME), "data-key")
        .await
        .unwrap()
        .unwrap();
    window.click(&testid("server-reboot")).await.unwrap();
    walk.answer("power-submit").await.unwrap();
    walk.ended("server.reboot").await.unwrap();
    walk.open_server(NAME).await.unwrap();
    window.click(&testid("server-screen")).await.unwrap();
    window.other_window().await.unwrap();
    shown_screen(&window).await;
    let login = still(&window).await;
    let canvas = format!("{} canvas", testid("session-screen"));
    window.click(&testid("screen-hint-close")).await.unwrap();
    window.click(&canvas).await.unwrap();
    window.press("root\u{e007}").await.unwrap();
    brighter_than(&window, "the name to be taken", login).await;
    let asked = still(&window).await;
    window.press(PASSWORD).await.unwrap();
    window.press("\u{e007}").await.unwrap();
    brighter_than(&window, "the shell's greeting", asked).await;
    still(&window).await;
    window.press("touch was-here\u{e007}").await.unwrap();
    still(&window).await;
    assert!(
        by_ssh(&stage, &id, "ls").await.contains("was-here"),
        "it is the same machine"
    );

    window.click(&testid("screen-picture")).await.unwrap();
    let picture = saved_picture(&stage.desktop.dir().join("home")).await;
    assert!(
        picture.starts_with(b"\x89PNG") && picture.len() > 2_000,
        "{} bytes",
        picture.len()
    );
    let size = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    let canvas_size = window
        .script("const {width, height} = document.querySelector('[data-testid=\"session-screen\"] canvas'); return [width, height]")
        .await
        .unwrap();
    assert_eq!(serde_json::json!([size(16), size(20)]), canvas_size);

    window.click(&testid("screen-full")).await.unwrap();
    let full = "return document.fullscreenElement?.dataset.testid ?? ''";
    window
        .wait("the whole screen", PATIENCE, async || {
            let shown = window.peek_script(full).await?;
            Ok(match shown == "session-screen" {
                true => wangcheng_tests::window::Found::Yes(()),
                false => wangcheng_tests::window::Found::NotYet(format!("it is {shown}")),
            })
        })
        .await
        .unwrap();
    window
        .screenshot(&pictures().join("full-screen.png"))
        .await
        .unwrap();
    window.click(&testid("screen-full")).await.unwrap();
    window.kill().await.unwrap();
}

async fn vnc(language: &str, theme: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = with_server(&stage, language, theme).await;
    window.click(&testid("server-connect")).await.unwrap();
    window.other_window().await.unwrap();
    window.find(".xterm-rows").await.unwrap();
    window.click(".xterm-screen").await.unwrap();
    window
        .press("mkdir -p .vnc; echo secret99 | vncpasswd -f > .vnc/passwd; echo set\u{e007}")
        .await
        .unwrap();
    super::sessions::wait_line(&window, "set").await;
    window.click(&testid("session-screen-new")).await.unwrap();
    shown_screen(&window).await;
    window.click(&testid("screen-vnc")).await.unwrap();
    window
        .fill(&testid("screen-vnc-host"), "localhost")
        .await
        .unwrap();
    window.fill(&testid("screen-vnc-port"), "5901").await.unwrap();
    window.click(&testid("screen-vnc-yes")).await.unwrap();
    // First the wrong password, which is told, then the right one.
    window.fill(&testid("session-answer"), "wrong").await.unwrap();
    window
        .screenshot(&pictures().join(format!("vnc-password-{language}-{theme}.png")))
        .await
        .unwrap();
    window.click(&testid("question-yes")).await.unwrap();
    window
        .wait_attribute(
            &format!("{} {}", testid("session-failed"), testid("error-box")),
            "data-code",
            &["screen_login"],
            PATIENCE,
        )
        .await
        .unwrap();
    window.click(&testid("session-again")).await.unwrap();
    window.fill(&testid("session-answer"), "secret99").await.unwrap();
    window.click(&testid("question-yes")).await.unwrap();
    shown_screen(&window).await;
    still(&window).await;
    window
        .screenshot(&pictures().join(format!("vnc-{language}-{theme}.png")))
        .await
        .unwrap();
    window.kill().await.unwrap();
}

#[tokio::test]
async fn a_vnc_display_asks_for_its_password_in_the_window() {
    vnc("en", "dark").await;
}

#[tokio::test]
async fn a_vnc_display_in_chinese() {
    vnc("zh-CN", "light").await;
}

#[tokio::test]
async fn the_providers_page_opens_in_a_window_of_its_own() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = with_server(&stage, "en", "light").await;
    window.click(&testid("server-screen")).await.unwrap();
    window.other_window().await.unwrap();
    shown_screen(&window).await;
    let before = stage.desktop.shown_windows().unwrap();
    window.click(&testid("screen-page")).await.unwrap();
    // It keeps nothing and shares nothing with our pages, so the driver of those does not reach into it.
    let began = Instant::now();
    while stage.desktop.shown_windows().unwrap().len() <= before.len() {
        assert!(began.elapsed() < PATIENCE, "no window opens");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    window.kill().await.unwrap();
}

async fn asked_from_a_terminal(language: &str, theme: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = with_server(&stage, language, theme).await;
    let mut command = stage.desktop.command(programs::find(programs::CLI).unwrap());
    command
        .arg("--sandbox")
        .arg(stage.sandbox.announce_file())
        .arg("--data-dir")
        .arg(&stage.data)
        .args(["--as", "ada", "--json", "console", NAME]);
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    let ran = ran.await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(told["opened"], "application", "{told}");
    let question = format!("{}[data-kind=\"console\"]", testid("link-question"));
    window.wait_text(&question, NAME).await.unwrap();
    window
        .screenshot(&pictures().join(format!("asked-{language}-{theme}.png")))
        .await
        .unwrap();
    window.click(&testid("link-follow")).await.unwrap();
    window.other_window().await.unwrap();
    shown_screen(&window).await;
    window.kill().await.unwrap();
}

#[tokio::test]
async fn a_terminal_asks_the_window_for_a_screen_and_the_window_asks_the_person() {
    asked_from_a_terminal("en", "light").await;
}

#[tokio::test]
async fn a_terminal_asks_in_chinese() {
    asked_from_a_terminal("zh-CN", "dark").await;
}
