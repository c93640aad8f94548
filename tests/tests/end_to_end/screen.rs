//! A server's screen, in the window of sessions: the console of the embedded region, whose rules are the provider's.

use std::time::Duration;

use serde_json::Value;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::programs;
use wangcheng_tests::walk::Walk;
use wangcheng_tests::window::{Found, PATIENCE, Window, testid};

use super::{DELIVERY, Stage, assert_no_gap};

/// How many pixels of the picture are bright, of how many.
async fn bright(window: &Window) -> (u64, u64) {
    let counted = window
        .peek_script(
            "const canvas = document.querySelector('[data-testid=\"session-screen\"]:not(.hidden) canvas'); \
             if (!canvas || canvas.width === 0) return [0, 0]; \
             const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); \
             let bright = 0; \
             for (let at = 0; at < data.length; at += 4) if (data[at] + data[at + 1] + data[at + 2] > 240) bright += 1; \
             return [bright, data.length / 4]",
        )
        .await
        .unwrap_or(Value::Null);
    (counted[0].as_u64().unwrap_or(0), counted[1].as_u64().unwrap_or(0))
}

/// Waits until the picture has been still for a while, and answers how bright it is.
pub(super) async fn still(window: &Window) -> u64 {
    let mut before = u64::MAX;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (now, all) = bright(window).await;
        if all > 0 && now > 100 && now == before {
            return now;
        }
        before = now;
    }
    panic!("the picture does not come to rest");
}

pub(super) async fn brighter_than(window: &Window, what: &str, before: u64) {
    window
        .wait(what, PATIENCE, async || {
            let (now, _) = bright(window).await;
            Ok(match now > before {
                true => Found::Yes(()),
                false => Found::NotYet(format!("{now} bright pixels, {before} before")),
            })
        })
        .await
        .unwrap();
}

async fn console(language: &str, theme: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, theme).await;
    window.set_size(1280, 800).await.unwrap();
    let mut walk = Walk::new(&window);
    let name = "screen-01";
    walk.demo().await.unwrap();
    walk.open_create().await.unwrap();
    walk.describe(name, "", 2).await.unwrap();
    walk.see_price().await.unwrap();
    walk.create(name).await.unwrap();
    walk.wait_running(name).await.unwrap();
    walk.open_server(name).await.unwrap();

    window.click(&testid("server-screen")).await.unwrap();
    window.other_window().await.unwrap();
    let shown = format!("{}[data-connected=\"true\"]", testid("session-screen"));
    window.find(&shown).await.unwrap();
    let pictures = programs::target_dir().unwrap().join("end-to-end").join("screen");
    let login = still(&window).await;
    window
        .screenshot(&pictures.join(format!("{language}-{theme}.png")))
        .await
        .unwrap();
    // The server was made with a key: its screen says that a password is needed.
    window.find(&testid("screen-key-only")).await.unwrap();
    window.click(&testid("screen-hint-close")).await.unwrap();

    window
        .click(&format!("{} canvas", testid("session-screen")))
        .await
        .unwrap();
    window.press("root").await.unwrap();
    brighter_than(&window, "the name to stand on the screen", login).await;
    let typed = still(&window).await;
    window.press("\u{e007}wrong\u{e007}").await.unwrap();
    brighter_than(&window, "the screen to refuse the login", typed).await;
    let refused = still(&window).await;
    // Pasted text is typed.
    window.click(&testid("screen-type")).await.unwrap();
    window
        .fill(&testid("screen-text"), "root and more")
        .await
        .unwrap();
    window.click(&testid("screen-text-yes")).await.unwrap();
    brighter_than(&window, "the text to stand on the screen", refused).await;
    let before = still(&window).await;
    window
        .screenshot(&pictures.join(format!("{language}-{theme}-typed.png")))
        .await
        .unwrap();
    // A page that was lost makes the screen anew, with a token of its own. The console itself has not moved.
    window.script("location.reload()").await.unwrap();
    window.find(&shown).await.unwrap();
    assert_eq!(still(&window).await, before, "the same screen, line by line");

    window.click(&testid("session-close")).await.unwrap();
    window.find(&testid("sessions-none")).await.unwrap();
    let opened = stage
        .sandbox
        .wait_event("session.opened", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(
        (&opened["kind"], &opened["server_name"]),
        (&Value::from("console"), &Value::from(name))
    );
    let closed = stage
        .sandbox
        .wait_event("session.closed", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(closed["kind"], "console", "{closed}");
    assert_no_gap(&stage.sandbox.events().await.unwrap());
    window.kill().await.unwrap();
}

#[tokio::test]
async fn a_console_shows_its_picture_answers_the_keyboard_and_outlives_its_page() {
    console("en", "dark").await;
}

#[tokio::test]
async fn the_console_in_chinese() {
    console("zh-CN", "light").await;
}
