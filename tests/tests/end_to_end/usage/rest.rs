//! A screen that nobody touches rests: the clock goes on, and nothing that does not show it is worked out anew.

use std::time::{Duration, Instant};

use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::past;
use wangcheng_tests::screens;
use wangcheng_tests::walk::Walk;

use super::super::Stage;

/// What moves when a screen opens has come to rest by then.
const SETTLED: Duration = Duration::from_secs(4);
const WATCHED: Duration = Duration::from_secs(8);
/// Most of one processor that an untouched screen may take: window, page and network together, unoptimized and beside whatever
/// else this computer does. What goes round in circles takes all of it.
const MOST: f64 = 0.3;

#[tokio::test]
async fn an_untouched_usage_screen_rests() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    stage.sandbox.deliver(&past::events().unwrap()).await.unwrap();
    let window = stage.open("en", "light").await;
    window.set_size(1280, 860).await.unwrap();
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    walk.pull().await.unwrap();
    let mut told = Vec::new();
    for screen in [
        "past",
        "past-timeline",
        "past-list",
        "past-server",
        "past-forecast",
        "past-sources",
    ] {
        screens::past::open(&window, screen).await.unwrap();
        tokio::time::sleep(SETTLED).await;
        let (began, before) = (Instant::now(), window.worked());
        tokio::time::sleep(WATCHED).await;
        let part = (window.worked() - before) / began.elapsed().as_secs_f64();
        told.push((screen, part));
        screens::past::close(&window).await.unwrap();
    }
    eprintln!("{told:.3?} of a processor");
    assert!(told.iter().all(|(_, part)| *part < MOST), "{told:.3?}");
    window.close().await.unwrap();
}
