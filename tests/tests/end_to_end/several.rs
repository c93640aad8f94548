//! Several servers at once, servers that were made elsewhere, and what is left of those that are gone.

use serde_json::json;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::walk::{Walk, id, server_row};
use wangcheng_tests::window::{Found, PATIENCE, Window, testid};

use super::{DELIVERY, Stage, assert_no_gap, says, with_action};

/// What the region's own people have, which nobody else may change.
const OTHERS: usize = 3;

/// How the acts in a dialog ended, in the order of its rows, once all of them have.
async fn results(window: &Window, row: &str, wanted: usize) -> Vec<String> {
    let script = format!(
        "return Array.from(document.querySelectorAll('{}'), (row) => row.dataset.tone)",
        testid(row)
    );
    let ended = window
        .wait("a result for each", DELIVERY, async || {
            let tones = window.peek_script(&script).await?;
            let tones: Vec<String> = serde_json::from_value(tones).unwrap_or_default();
            let over = tones
                .iter()
                .filter(|tone| *tone == "ok" || *tone == "bad")
                .count();
            Ok(if over == wanted {
                Found::Yes(tones)
            } else {
                Found::NotYet(format!("{tones:?}"))
            })
        })
        .await
        .unwrap();
    let mut ended: Vec<String> = ended.into_iter().filter(|tone| !tone.is_empty()).collect();
    ended.sort();
    ended
}

/// Types what has to be typed, after something else was tried.
async fn confirm(window: &Window, field: &str, submit: &str, phrase: &str) {
    let submit = testid(submit);
    let off = async |wanted: bool| {
        let off = window.attribute(&submit, "disabled").await.unwrap().is_some();
        assert_eq!(off, wanted, "whether {submit} is off");
    };
    off(true).await;
    window.fill(&testid(field), "delete").await.unwrap();
    off(true).await;
    window.fill(&testid(field), phrase).await.unwrap();
    window.click(&submit).await.unwrap();
}

async fn several(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    window.set_size(1280, 860).await.unwrap();
    let mut walk = Walk::new(&window);
    let names = ["several-01", "several-02"];
    walk.demo().await.unwrap();
    for name in names {
        walk.new_server(name).await.unwrap();
        walk.wait_running(name).await.unwrap();
    }
    let ask = async |act: &str| {
        window.click(&testid(id::NAV_SERVERS)).await.unwrap();
        window.click(&testid("servers-mark-all")).await.unwrap();
        window.click(&testid(&format!("bulk-{act}"))).await.unwrap();
        window.by_testid("bulk-rows").await.unwrap();
        let left = window
            .count(&format!("{} li", testid("bulk-skipped")))
            .await
            .unwrap();
        assert_eq!(left, OTHERS, "other people's are left alone, and named");
    };
    let close = async || {
        window.click(&testid("bulk-close")).await.unwrap();
        window.wait_gone("dialog[open]", PATIENCE).await.unwrap();
        window.click(&testid("bulk-clear")).await.unwrap();
    };

    // One of two fails: each has its own result.
    let failing = json!({"job_fail_next": true, "job": "stop"});
    stage.sandbox.set_faults(failing).await.unwrap();
    ask("stop").await;
    window.click(&testid("bulk-submit")).await.unwrap();
    assert_eq!(results(&window, "bulk-row", 2).await, ["bad", "ok"]);
    let summary = says(language, "1 of 2 done, 1 failed", "共 2 台，完成 1，失败 1");
    window.wait_text(&testid("bulk-summary"), summary).await.unwrap();
    let why = window
        .text(&format!("{} {}", testid("bulk-row"), testid("result-why")))
        .await
        .unwrap();
    assert!(!why.is_empty(), "what failed says why");
    close().await;
    for outcome in ["ok", "failed"] {
        stage
            .sandbox
            .wait_event("server.stopped", outcome, DELIVERY)
            .await
            .unwrap();
    }

    ask("extend").await;
    window.click(&testid("bulk-plus-8h")).await.unwrap();
    window.click(&testid("bulk-submit")).await.unwrap();
    assert_eq!(results(&window, "bulk-row", 2).await, ["ok", "ok"]);
    close().await;

    // What a search hides is marked no more, so nothing is done to what is not seen.
    window.click(&testid("servers-mark-all")).await.unwrap();
    window
        .fill(&testid("servers-search"), "several-01")
        .await
        .unwrap();
    window
        .wait_attribute(&testid("bulk-bar"), "data-count", &["1"], PATIENCE)
        .await
        .unwrap();
    window.press("\u{e00c}").await.unwrap();
    window
        .wait_attribute(&testid("bulk-bar"), "data-count", &["5"], PATIENCE)
        .await
        .unwrap();
    window.click(&testid("bulk-clear")).await.unwrap();

    ask("delete").await;
    confirm(
        &window,
        "bulk-phrase",
        "bulk-submit",
        says(language, "delete 2", "删除 2 台"),
    )
    .await;
    assert_eq!(results(&window, "bulk-row", 2).await, ["ok", "ok"]);
    window.click(&testid("bulk-close")).await.unwrap();
    for name in names {
        window.wait_gone(&server_row(name), DELIVERY).await.unwrap();
        assert_eq!(stage.sandbox.servers_named(name).await.unwrap(), 0);
    }
    assert_eq!(
        window.count(&testid(id::SERVER_ROW)).await.unwrap(),
        OTHERS,
        "nothing happened to the others"
    );
    walk.wait_delivered().await.unwrap();
    let events = stage.sandbox.events().await.unwrap();
    for action in ["lease.extended", "server.deleted"] {
        assert_eq!(with_action(&events, action).len(), 2, "{action}, one each");
    }
    assert_no_gap(&events);
    window.close().await.unwrap();
}

#[tokio::test]
async fn several_servers_get_one_result_each_and_go_only_after_typing_in_english() {
    several("en").await;
}

#[tokio::test]
async fn several_servers_get_one_result_each_and_go_only_after_typing_in_chinese() {
    several("zh-CN").await;
}

async fn adoption(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "dark").await;
    window.set_size(1280, 860).await.unwrap();
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    walk.open_server("bo-build-01").await.unwrap();
    let words = window.text(&testid("server-not-own")).await.unwrap();
    assert!(words.contains("bo"), "whose it is, is said: {words}");
    for act in [
        "server-adopt",
        id::SERVER_DELETE,
        id::SERVER_EXTEND,
        "server-rename",
    ] {
        let there = window.count(&testid(act)).await.unwrap();
        assert_eq!(there, 0, "{act} is not offered for somebody else's");
    }

    // It belongs to nobody. A first try is refused, and leaves it as it was.
    let name = "team-wiki";
    let refusal = json!({"do": "status", "status": 403, "code": "Pdp.0001", "message": "no",
                         "service": "ecs", "method": "POST", "path": "/tags", "count": 1});
    stage.sandbox.add_mishap(refusal).await.unwrap();
    walk.open_server(name).await.unwrap();
    walk.ask(&["server-adopt", "adopt-submit"]).await.unwrap();
    let ended = walk.ended("server.adopt").await.unwrap();
    assert_eq!(
        (ended.state.as_str(), ended.code.as_deref()),
        ("failed", Some("permission_missing")),
        "{ended:?}"
    );
    stage.sandbox.clear_mishaps().await.unwrap();
    walk.open_server(name).await.unwrap();
    assert_eq!(window.count(&testid(id::SERVER_DELETE)).await.unwrap(), 0);
    walk.ask(&["server-adopt", "adopt-submit"]).await.unwrap();
    assert_eq!(walk.ended("server.adopt").await.unwrap().state, "ok");

    walk.open_server(name).await.unwrap();
    window
        .wait_text(&testid("server-tag-list"), "wangcheng-adopted-by")
        .await
        .unwrap();
    assert_eq!(window.count(&testid("server-not-own")).await.unwrap(), 0);
    walk.rename("wiki-of-ada").await.unwrap();
    assert_eq!(walk.ended("server.rename").await.unwrap().state, "ok");
    assert_eq!(stage.sandbox.servers_named("wiki-of-ada").await.unwrap(), 1);
    let seen = stage
        .sandbox
        .wait_event("server.seen", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(seen["owner"], "ada", "{seen}");
    window.close().await.unwrap();
}

#[tokio::test]
async fn nobodys_server_can_be_adopted_and_changed_then_and_anothers_cannot_in_english() {
    adoption("en").await;
}

#[tokio::test]
async fn nobodys_server_can_be_adopted_and_changed_then_and_anothers_cannot_in_chinese() {
    adoption("zh-CN").await;
}

async fn leftovers(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    window.set_size(1280, 860).await.unwrap();
    let mut walk = Walk::new(&window);
    let name = "leaving-01";
    walk.running(name).await.unwrap();
    let look = async || {
        window.click(&testid(id::NAV_SERVERS)).await.unwrap();
        window.click(&testid("servers-leftovers")).await.unwrap();
    };
    look().await;
    window.by_testid("leftovers-none").await.unwrap();
    wangcheng_tests::screens::close(&window).await.unwrap();

    walk.open_server(name).await.unwrap();
    walk.add_disk(20).await.unwrap();
    walk.on_disk(20, true, "disk-detach").await.unwrap();
    walk.answer("disk-detach-submit").await.unwrap();
    assert_eq!(walk.ended("disk.detach").await.unwrap().state, "ok");
    walk.open_server(name).await.unwrap();
    window.click(&testid(id::SERVER_DELETE)).await.unwrap();
    let stays = window.wait_text(&testid("delete-stays"), "20").await.unwrap();
    assert!(
        stays.contains('¥') || stays.contains("CNY"),
        "what stays and what it costs is said before: {stays}"
    );
    window.fill(&testid(id::DELETE_CONFIRM_NAME), name).await.unwrap();
    walk.answer(id::DELETE_SUBMIT).await.unwrap();
    assert_eq!(walk.ended("server.delete").await.unwrap().state, "ok");

    look().await;
    window.by_testid("leftover").await.unwrap();
    assert_eq!(window.count(&testid("leftover")).await.unwrap(), 1);
    window.by_testid("leftovers-sum").await.unwrap();
    window.click(&testid("leftover-mark")).await.unwrap();
    confirm(
        &window,
        "leftovers-phrase",
        "leftovers-submit",
        says(language, "remove 1", "清理 1"),
    )
    .await;
    assert_eq!(results(&window, "leftover", 1).await, ["ok"]);
    window.click(&testid("leftovers-look")).await.unwrap();
    window.by_testid("leftovers-none").await.unwrap();
    let deleted = stage
        .sandbox
        .wait_event("disk.deleted", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(deleted["disk_gb"], 20, "{deleted}");
    window.close().await.unwrap();
}

#[tokio::test]
async fn what_a_server_leaves_is_told_found_and_removed_after_typing_in_english() {
    leftovers("en").await;
}

#[tokio::test]
async fn what_a_server_leaves_is_told_found_and_removed_after_typing_in_chinese() {
    leftovers("zh-CN").await;
}
