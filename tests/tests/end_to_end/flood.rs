//! A flood of output in the real window: it is bounded in memory, Ctrl+C acts through it, and pages that are lost in the middle
//! of it lose nothing.

use std::time::{Duration, Instant};

use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::walk::Walk;
use wangcheng_tests::window::{Found, Window, testid};

use super::Stage;

const LONG: Duration = Duration::from_secs(120);
const MIB: u64 = 1024 * 1024;

/// A window of sessions with one terminal that somebody is let in by.
async fn opened(stage: &Stage) -> Window {
    let window = stage.open("en", "dark").await;
    window.set_size(1280, 800).await.unwrap();
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    walk.open_create().await.unwrap();
    walk.describe("flood-01", "", 4).await.unwrap();
    walk.see_price().await.unwrap();
    walk.create("flood-01").await.unwrap();
    walk.wait_running("flood-01").await.unwrap();
    walk.open_server("flood-01").await.unwrap();
    window.click(&testid("server-connect")).await.unwrap();
    window.other_window().await.unwrap();
    window
        .wait_attribute(&testid("session-state"), "data-state", &["open"], LONG)
        .await
        .unwrap();
    window.click(".xterm-screen").await.unwrap();
    window
}

/// Bytes that the terminals showed so far, all together.
async fn shown(window: &Window) -> u64 {
    let sum = "return [...document.querySelectorAll('[data-testid=session-terminal]')]\
               .reduce((sum, one) => sum + Number(one.dataset.shown ?? 0), 0)";
    window.script(sum).await.unwrap().as_u64().unwrap_or(0)
}

async fn wait_shown(window: &Window, bytes: u64, deadline: Duration) {
    let begun = Instant::now();
    while shown(window).await < bytes {
        assert!(
            begun.elapsed() < deadline,
            "{} of {bytes} bytes",
            shown(window).await
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Presses Ctrl+C on the page itself and says after how many milliseconds the terminal shows that it acted.
async fn stop_flood(window: &Window) -> f64 {
    let script = "window.__acted = null; const area = document.querySelector('.xterm-helper-textarea'); area.focus(); \
        const began = performance.now(); \
        area.dispatchEvent(new KeyboardEvent('keydown', {key: 'c', code: 'KeyC', keyCode: 67, ctrlKey: true, bubbles: true})); \
        const look = () => { \
          const rows = [...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent); \
          if (rows.some((row) => row.includes('^C'))) window.__acted = performance.now() - began; \
          else requestAnimationFrame(look); \
        }; look();";
    window.script(script).await.unwrap();
    window
        .wait("Ctrl+C to act", LONG, async || {
            Ok(
                match window.peek_script("return window.__acted").await?.as_f64() {
                    Some(after) => Found::Yes(after),
                    None => Found::NotYet("it goes on".to_owned()),
                },
            )
        })
        .await
        .unwrap()
}

/// Long: `cargo xtask soak`.
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_hundred_megabytes_stay_bounded_in_memory_and_ctrl_c_acts_at_once() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = opened(&stage).await;
    window.press("yes 一百兆字节的输出\u{e007}").await.unwrap();
    wait_shown(&window, 5 * MIB, LONG).await;
    let before = window.memory().unwrap();
    wait_shown(&window, 105 * MIB, LONG * 5).await;
    let after = window.memory().unwrap();
    let acted = stop_flood(&window).await;
    println!(
        "100 MiB shown: memory {} MiB before, {} MiB after; Ctrl+C acted after {acted:.0} ms",
        before / MIB,
        after / MIB
    );
    assert!(after < before + 200 * MIB, "memory grew with the output");
    assert!(acted < 1000.0, "Ctrl+C acted after {acted:.0} ms");
    window.kill().await.unwrap();
}

/// Several terminals at once, their page lost again and again. `WANGCHENG_SOAK_SECONDS` says how long; ten minutes otherwise.
#[tokio::test]
#[ignore = "takes ten minutes"]
async fn terminals_under_a_flood_outlive_their_page_again_and_again() {
    let seconds = std::env::var("WANGCHENG_SOAK_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(600);
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = opened(&stage).await;
    window.press("yes 第一个终端\u{e007}").await.unwrap();
    for _ in 0..2 {
        window.click(&testid("session-split")).await.unwrap();
        window
            .wait_attribute(&testid("session-state"), "data-state", &["open"], LONG)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        window.press("yes 又一个终端\u{e007}").await.unwrap();
    }
    wait_shown(&window, 3 * MIB, LONG).await;
    let (begun, first) = (Instant::now(), window.memory().unwrap());
    let (mut reloads, mut most) = (0, first);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let at = shown(&window).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(shown(&window).await > at, "a flood stands still");
        most = most.max(window.memory().unwrap());
        window.script("location.reload()").await.unwrap();
        reloads += 1;
        tokio::time::sleep(Duration::from_secs(2)).await;
        window.find(".xterm-helper-textarea").await.unwrap();
    }
    println!(
        "{seconds} s, {reloads} reloads: memory {} MiB at first, {} MiB at most",
        first / MIB,
        most / MIB
    );
    assert!(most < first + 400 * MIB, "memory grows with the output");
    window.kill().await.unwrap();
}
