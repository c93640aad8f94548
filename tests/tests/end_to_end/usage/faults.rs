//! What the usage screen says while the platform or the bill does not do as it should, in both languages; and that nothing is
//! lost by it.

use std::time::Duration;

use serde_json::json;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::past;
use wangcheng_tests::walk::{SignIn, Walk};
use wangcheng_tests::window::{PATIENCE, Window, testid};

use super::super::{Stage, says};

/// How long what is read may take to an end.
const LONGEST: Duration = Duration::from_secs(120);

/// Opens a part of the usage screen.
async fn part(window: &Window, part: &str) {
    window.click(&testid("nav-usage")).await.unwrap();
    window
        .click(&testid(&format!("usage-part-{part}")))
        .await
        .unwrap();
}

/// Waits until what is read stands so.
async fn reading(window: &Window, state: &str) -> String {
    let card = testid("reading");
    // A platform that is away is asked several times before that is told.
    window
        .wait_attribute(&card, "data-state", &[state], LONGEST)
        .await
        .unwrap();
    window.text(&card).await.unwrap()
}

async fn platform_in_trouble(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let mut events = past::events().unwrap();
    events.truncate(1_500);
    let newer = json!({
        "event_id": "newer-1", "schema": "wangcheng.event.v9", "seq": 1, "installation_id": "newer",
        "action": "server.created", "outcome": "ok", "time": "2025-01-01T00:00:00Z",
    });
    stage.sandbox.deliver(&events).await.unwrap();
    stage.sandbox.deliver(&[newer]).await.unwrap();
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    part(&window, "sources").await;

    // Slow: it is told how far it is, and can be cancelled at once.
    stage.sandbox.set_searches("slow:4000").await.unwrap();
    window.click(&testid("reading-pull")).await.unwrap();
    reading(&window, "running").await;
    window
        .find(&format!("{} progress", testid("reading")))
        .await
        .unwrap();
    window.click(&testid("reading-cancel")).await.unwrap();
    let told = reading(&window, "cancelled").await;
    let word = says(language, "cancelled", "已取消").to_lowercase();
    assert!(told.to_lowercase().contains(&word), "{told}");

    // Away: the reason stands there with what to do.
    stage.sandbox.set_searches("status:503").await.unwrap();
    window.click(&testid("reading-pull")).await.unwrap();
    let failed = reading(&window, "failed").await;
    assert!(
        failed.contains(says(
            language,
            "Go on later; what was fetched is not fetched again.",
            "稍后可以继续，已取得的事件不会重复拉取。"
        )),
        "{failed}"
    );

    // Half of each page: all of it comes in the end, and what a newer version wrote is counted as that.
    stage.sandbox.set_searches("half_page").await.unwrap();
    window.click(&testid("reading-pull")).await.unwrap();
    let told = reading(&window, "done").await;
    assert!(
        told.contains(says(language, "1,500", "1,500")) || told.contains("1500"),
        "the past's events are new here: {told}"
    );
    let newer = says(language, "Of a newer version", "来自更新的版本");
    assert!(told.contains(newer), "{told}");
    stage.sandbox.set_searches("ok").await.unwrap();

    // A token that is refused is named as the cause before it is kept, and again when events are read.
    window.click(&testid("search-preset-job")).await.unwrap();
    window
        .fill(&testid("search-token"), "another-token")
        .await
        .unwrap();
    window.click(&testid("search-test")).await.unwrap();
    let trial = format!("{}[data-ok=\"false\"]", testid("search-trial"));
    let told = window.text(&trial).await.unwrap();
    let sentence = says(
        language,
        "The data platform refuses the token for its search (401).",
        "数据平台不接受查询令牌（401）。",
    );
    assert!(told.contains(sentence), "{told}");
    window.click(&testid("search-save")).await.unwrap();
    window
        .wait_text(&testid("search-saved"), says(language, "Saved", "已保存"))
        .await
        .unwrap();
    window.click(&testid("reading-pull")).await.unwrap();
    let failed = reading(&window, "failed").await;
    assert!(failed.contains(sentence), "{failed}");
    assert!(
        !failed.contains("another-token"),
        "the token is shown nowhere: {failed}"
    );
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_platform_in_trouble_is_explained_and_nothing_is_lost_in_english() {
    platform_in_trouble("en").await;
}

#[tokio::test]
async fn a_platform_in_trouble_is_explained_and_nothing_is_lost_in_chinese() {
    platform_in_trouble("zh-CN").await;
}

async fn bill_in_trouble(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "dark").await;
    let mut walk = Walk::new(&window);
    // Who has no right to see bills is told so, and whom to ask.
    walk.sign_in(&SignIn::of(&stage.sandbox, "chen").unwrap())
        .await
        .unwrap();
    walk.servers_list().await.unwrap();
    part(&window, "bill").await;
    let told = walk.told("permission_missing").await.unwrap();
    let next = says(
        language,
        "Ask an administrator for the action named below.",
        "请管理员授予下面列出的操作权限。",
    );
    assert!(told.contains(next), "{told}");
    assert!(told.contains("bss:bill:view"), "the action is named: {told}");
    assert_eq!(
        window.count(&testid("bill-figure")).await.unwrap(),
        0,
        "no figure stands where nothing is known"
    );
    window.close().await.unwrap();

    // The running month's bill is not final, and that is the first reason for a difference.
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    part(&window, "bill").await;
    let badge = window.text(&testid("bill-final")).await.unwrap();
    assert!(
        badge.contains(says(language, "Not final", "未出账")),
        "the month is not final: {badge}"
    );
    window
        .find(&format!("{} [data-reason=\"not_final\"]", testid("bill-reasons")))
        .await
        .unwrap();
    window.wait_gone(&testid("error-box"), PATIENCE).await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_bill_that_is_open_or_not_allowed_says_so_in_english() {
    bill_in_trouble("en").await;
}

#[tokio::test]
async fn a_bill_that_is_open_or_not_allowed_says_so_in_chinese() {
    bill_in_trouble("zh-CN").await;
}
