//! What axe finds on every screen, in each language and theme: contrast, names, order, roles.

use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::past;
use wangcheng_tests::screens;
use wangcheng_tests::walk::{Walk, id};
use wangcheng_tests::window::testid;

use super::Stage;

async fn faultless(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    let name = "axe-01";
    window.by_testid(id::FIRST_DEMO).await.unwrap();
    let mut faults: Vec<String> = Vec::new();
    let mut note = |screen: &str, found: Vec<String>| {
        faults.extend(found.into_iter().map(|fault| format!("{screen}: {fault}")));
    };
    note("first", screens::faults(&window).await.unwrap());
    walk.running(name).await.unwrap();
    for theme in ["light", "dark"] {
        window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
        window.choose(&testid(id::SETTINGS_THEME), theme).await.unwrap();
        for screen in screens::ALL {
            screens::open(&window, screen, name).await.unwrap();
            note(screen, screens::faults(&window).await.unwrap());
            screens::close(&window).await.unwrap();
        }
    }
    walk.open_server(name).await.unwrap();
    screens::sessions::begin(&window).await.unwrap();
    for theme in ["light", "dark"] {
        window.other_window().await.unwrap();
        window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
        window.choose(&testid(id::SETTINGS_THEME), theme).await.unwrap();
        window.other_window().await.unwrap();
        window
            .find(&format!("html[data-theme=\"{theme}\"]"))
            .await
            .unwrap();
        for screen in screens::sessions::OF_SESSIONS {
            screens::sessions::open(&window, screen).await.unwrap();
            note(screen, screens::faults(&window).await.unwrap());
            screens::sessions::close(&window).await.unwrap();
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    window.kill().await.unwrap();
}

#[tokio::test]
async fn a_reader_by_ear_or_keyboard_meets_no_serious_fault_on_any_screen_in_english() {
    faultless("en").await;
}

#[tokio::test]
async fn a_reader_by_ear_or_keyboard_meets_no_serious_fault_on_any_screen_in_chinese() {
    faultless("zh-CN").await;
}

async fn faultless_past(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    stage.sandbox.deliver(&past::events().unwrap()).await.unwrap();
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    walk.pull().await.unwrap();
    let mut faults: Vec<String> = Vec::new();
    for theme in ["light", "dark"] {
        window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
        window.choose(&testid(id::SETTINGS_THEME), theme).await.unwrap();
        for screen in screens::past::ALL {
            screens::past::open(&window, screen).await.unwrap();
            let found = screens::faults(&window).await.unwrap();
            faults.extend(found.into_iter().map(|fault| format!("{screen}: {fault}")));
            screens::past::close(&window).await.unwrap();
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_summary_of_two_years_has_no_serious_fault_in_english() {
    faultless_past("en").await;
}

#[tokio::test]
async fn a_summary_of_two_years_has_no_serious_fault_in_chinese() {
    faultless_past("zh-CN").await;
}
