//! What the window says while the cloud, the network, the receiver or the keychain has trouble, on the screens where it
//! shows, in both languages; and that it goes on when the trouble is over.

use std::time::Duration;

use serde_json::{Value, json};
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::walk::{SignIn, Walk, event_row, id, server_row};
use wangcheng_tests::window::{Found, PATIENCE, testid};

use super::{DELIVERY, Stage, assert_no_gap, says, with_action};

/// A client that was refused for asking too often waits before it asks again.
const AFTER_THROTTLING: Duration = Duration::from_secs(90);

async fn list_in_trouble(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    let name = "in-trouble-01";
    walk.running(name).await.unwrap();
    let listing = |mut harm: Value| {
        harm["service"] = json!("ecs");
        harm["method"] = json!("GET");
        harm["path"] = json!("/detail");
        harm
    };
    let troubles = [
        (
            json!({"do": "cut_before"}),
            "network_unreachable",
            says(language, "The cloud cannot be reached.", "连接不到云服务。"),
        ),
        (
            json!({"do": "status", "status": 500}),
            "cloud_failed",
            says(language, "The cloud had a fault.", "云服务出现故障。"),
        ),
        (
            json!({"do": "malformed"}),
            "bad_answer",
            says(
                language,
                "The cloud's answer cannot be read.",
                "无法读懂云服务的回答。",
            ),
        ),
        (
            json!({"do": "throttle", "limit": 60, "minutes": 1}),
            "throttled",
            says(language, "Too many requests", "请求过于频繁"),
        ),
    ];
    for (harm, code, sentence) in troubles {
        walk.servers_list().await.unwrap();
        stage.sandbox.add_mishap(listing(harm)).await.unwrap();
        window.click(&testid("servers-refresh")).await.unwrap();
        let words = walk.told(code).await.unwrap();
        assert!(words.contains(sentence), "{code} in {language}: {words}");
        assert!(
            window.count(&server_row(name)).await.unwrap() > 0,
            "what was known stays in view ({code})"
        );
        let age = window.text(&testid("servers-as-of")).await.unwrap();
        assert!(
            age.chars().any(|sign| sign.is_ascii_digit()),
            "how old it is stands beside it ({code}): {age}"
        );
        stage.sandbox.clear_mishaps().await.unwrap();
        let error = testid(id::ERROR_BOX);
        window
            .wait("the list to come right again", AFTER_THROTTLING, async || {
                if window.peek_attribute(&error, "data-code").await.is_err() {
                    return Ok(Found::Yes(()));
                }
                // A person would click until it works; while it waits for its turn the button is off.
                let again = format!("document.querySelector('{error} .actions button')?.click()");
                window.peek_script(&again).await?;
                Ok(Found::NotYet("the failure is still told".to_owned()))
            })
            .await
            .unwrap();
    }
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_list_that_cannot_be_read_says_why_and_how_old_it_is_in_english() {
    list_in_trouble("en").await;
}

#[tokio::test]
async fn a_list_that_cannot_be_read_says_why_and_how_old_it_is_in_chinese() {
    list_in_trouble("zh-CN").await;
}

async fn creation_in_trouble(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "dark").await;
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();

    // The form: what is offered cannot be read, then the price cannot.
    let images = json!({"do": "cut_before", "service": "ims"});
    stage.sandbox.add_mishap(images).await.unwrap();
    window.click(&testid(id::NAV_CREATE)).await.unwrap();
    let words = walk.told("network_unreachable").await.unwrap();
    assert!(
        words.contains(says(language, "The cloud cannot be reached.", "连接不到云服务。")),
        "{words}"
    );
    stage.sandbox.clear_mishaps().await.unwrap();
    let again = format!("{} .actions button", testid(id::ERROR_BOX));
    window.click(&again).await.unwrap();
    window.by_testid(id::CREATE_TEMPLATE).await.unwrap();

    let prices = json!({"do": "status", "status": 503, "service": "bss"});
    stage.sandbox.add_mishap(prices).await.unwrap();
    walk.describe("priceless-01", "", 3).await.unwrap();
    let words = walk.told("price_unknown").await.unwrap();
    assert!(
        words.contains(says(
            language,
            "The price cannot be found out at the moment.",
            "暂时查不到价格。"
        )),
        "{words}"
    );
    let amount = window
        .attribute(&testid(id::CREATE_PRICE_HOUR), "data-amount")
        .await
        .unwrap();
    assert_eq!(amount.as_deref(), Some(""), "no price is made up");
    stage.sandbox.clear_mishaps().await.unwrap();

    // The account has no money: said before anything is made.
    walk.describe("no-money-01", "", 2).await.unwrap();
    walk.see_price().await.unwrap();
    stage
        .sandbox
        .set_faults(json!({"restriction": "frozen"}))
        .await
        .unwrap();
    walk.create("no-money-01").await.ok();
    let ended = walk.ended("server.create").await.unwrap();
    assert_eq!(
        (ended.state.as_str(), ended.code.as_deref()),
        ("failed", Some("money")),
        "{ended:?}"
    );
    assert!(
        ended.words.contains(says(
            language,
            "The account has no money left or is frozen.",
            "账户余额不足或已被冻结。"
        )),
        "{}",
        ended.words
    );
    stage
        .sandbox
        .set_faults(json!({"restriction": null}))
        .await
        .unwrap();

    // The answer never comes: one creation all the same, and the window knows it.
    let cut =
        json!({"do": "cut_after", "service": "ecs", "method": "POST", "path": "/cloudservers", "count": 1});
    stage.sandbox.add_mishap(cut).await.unwrap();
    walk.new_server("cut-off-01").await.unwrap();
    walk.wait_running("cut-off-01").await.unwrap();
    assert_eq!(walk.ended("server.create").await.unwrap().state, "ok");
    assert_eq!(stage.sandbox.servers_named("cut-off-01").await.unwrap(), 1);

    // Too many requests, then no network at all: it waits, can be cancelled until it was sent, and ends as asked for.
    let busy = json!({"do": "throttle", "limit": 60, "minutes": 1, "service": "ecs", "method": "POST", "path": "/cloudservers", "count": 1});
    stage.sandbox.add_mishap(busy).await.unwrap();
    walk.new_server("later-01").await.unwrap();
    walk.wait_running("later-01").await.unwrap();
    assert_eq!(walk.ended("server.create").await.unwrap().state, "ok");

    let away = json!({"do": "cut_before", "service": "ecs", "method": "POST", "path": "/cloudservers"});
    stage.sandbox.add_mishap(away).await.unwrap();
    walk.new_server("never-01").await.unwrap();
    window.click(&testid(id::NAV_OPERATIONS)).await.unwrap();
    let newest = testid(id::OPERATION_ROW);
    window
        .wait_attribute(&newest, "data-state", &["recorded", "sent"], PATIENCE)
        .await
        .unwrap();
    stage.sandbox.clear_mishaps().await.unwrap();
    assert_eq!(walk.ended("server.create").await.unwrap().state, "ok");
    assert_eq!(stage.sandbox.servers_named("never-01").await.unwrap(), 1);
    assert_no_gap(&stage.sandbox.events().await.unwrap());
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_creation_in_trouble_says_so_and_makes_one_server_in_english() {
    creation_in_trouble("en").await;
}

#[tokio::test]
async fn a_creation_in_trouble_says_so_and_makes_one_server_in_chinese() {
    creation_in_trouble("zh-CN").await;
}

async fn small_acts_in_trouble(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    window.set_size(1280, 900).await.unwrap();
    let mut walk = Walk::new(&window);
    walk.running("small-acts-01").await.unwrap();
    let once = |harm: &str, method: &str, path: &str| json!({"do": harm, "service": "ecs", "method": method, "path": path, "count": 1, "limit": 60, "minutes": 1});
    let ok = async |walk: &mut Walk<'_>, kind: &str| {
        let ended = walk.ended(kind).await.unwrap();
        assert_eq!(ended.state, "ok", "{kind}: {ended:?}");
        stage.sandbox.clear_mishaps().await.unwrap();
    };

    walk.open_server("small-acts-01").await.unwrap();
    let name = "改名-renamed-01";
    stage
        .sandbox
        .add_mishap(once("cut_after", "PUT", "/cloudservers/"))
        .await
        .unwrap();
    walk.rename(name).await.unwrap();
    ok(&mut walk, "server.rename").await;

    walk.open_server(name).await.unwrap();
    stage
        .sandbox
        .add_mishap(once("throttle", "POST", "/tags"))
        .await
        .unwrap();
    walk.tag("team", "支付").await.unwrap();
    ok(&mut walk, "server.tag").await;

    walk.open_server(name).await.unwrap();
    stage
        .sandbox
        .add_mishap(once("cut_before", "POST", "auto-terminate-time"))
        .await
        .unwrap();
    walk.extend().await.unwrap();
    ok(&mut walk, "lease.update").await;

    walk.open_server(name).await.unwrap();
    walk.password("A-long-Passw0rd-here").await.unwrap();
    ok(&mut walk, "server.password").await;

    walk.open_server(name).await.unwrap();
    stage
        .sandbox
        .add_mishap(once("cut_after", "POST", "auto-terminate-time"))
        .await
        .unwrap();
    walk.ask(&["server-cancel-lease", "cancel-lease-submit"])
        .await
        .unwrap();
    ok(&mut walk, "lease.cancel").await;
    for action in ["lease.extended", "lease.cancelled"] {
        stage.sandbox.wait_event(action, "ok", DELIVERY).await.unwrap();
    }
    walk.open_server(name).await.unwrap();
    window
        .wait_text(&testid("server-tag-list"), "支付")
        .await
        .unwrap();
    assert_no_gap(&stage.sandbox.events().await.unwrap());
    window.close().await.unwrap();
}

#[tokio::test]
async fn acts_whose_answers_break_off_or_come_late_end_as_they_were_asked_for_in_english() {
    small_acts_in_trouble("en").await;
}

#[tokio::test]
async fn acts_whose_answers_break_off_or_come_late_end_as_they_were_asked_for_in_chinese() {
    small_acts_in_trouble("zh-CN").await;
}

async fn receiver_in_trouble(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    let name = "undelivered-01";
    walk.running(name).await.unwrap();
    walk.wait_delivered().await.unwrap();

    stage.sandbox.set_receiver("cut").await.unwrap();
    walk.open_server(name).await.unwrap();
    walk.extend().await.unwrap();
    walk.wait_undelivered().await.unwrap();
    let words = walk.told("delivery_unreachable").await.unwrap();
    assert!(
        words.contains(says(language, "no event is lost", "事件不会丢失")),
        "{words}"
    );
    window.find(&event_row("lease.extended", "ok")).await.unwrap();

    stage.sandbox.set_receiver("refuse_401").await.unwrap();
    window.click(&testid(id::DELIVERY_SEND_NOW)).await.unwrap();
    let words = walk.told("delivery_token_refused").await.unwrap();
    assert!(
        words.contains(says(
            language,
            "The receiver refuses the token",
            "接收端不接受此令牌"
        )),
        "{words}"
    );
    stage.sandbox.set_receiver("ok").await.unwrap();
    window.click(&testid(id::DELIVERY_SEND_NOW)).await.unwrap();
    stage
        .sandbox
        .wait_event("lease.extended", "ok", DELIVERY)
        .await
        .unwrap();
    walk.wait_delivered().await.unwrap();

    // One event is refused for good, the next is taken: it is set apart, looked into, and sent again by hand.
    stage.sandbox.set_receiver_for("status:400", 1).await.unwrap();
    walk.open_server(name).await.unwrap();
    walk.ask(&["server-stop", "power-submit"]).await.unwrap();
    window.click(&testid(id::NAV_EVENTS)).await.unwrap();
    window.wait_text(&testid("events-refused"), "1").await.unwrap();
    window.click(&testid("events-refused")).await.unwrap();
    window
        .click(&format!("{} td", testid("refused-row")))
        .await
        .unwrap();
    let json = window.text(&testid("refused-json")).await.unwrap();
    assert!(
        json.contains("server.stopped"),
        "the refused event is shown: {json}"
    );
    window.click(&testid("refused-again")).await.unwrap();
    stage
        .sandbox
        .wait_event("server.stopped", "ok", DELIVERY)
        .await
        .unwrap();
    walk.wait_delivered().await.unwrap();
    let received = stage.sandbox.events().await.unwrap();
    assert_eq!(with_action(&received, "server.stopped").len(), 1, "{received:?}");
    assert_no_gap(&received);
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_is_down_or_refuses_is_told_and_loses_nothing_in_english() {
    receiver_in_trouble("en").await;
}

#[tokio::test]
async fn a_receiver_that_is_down_or_refuses_is_told_and_loses_nothing_in_chinese() {
    receiver_in_trouble("zh-CN").await;
}

async fn keychain_in_trouble(language: &str) {
    let mut stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    walk.sign_in(&SignIn::of(&stage.sandbox, "ada").unwrap())
        .await
        .unwrap();
    walk.servers_list().await.unwrap();
    window.close().await.unwrap();

    // The next start finds it locked: nobody is signed out, and the reason stands where the servers would.
    stage.desktop.restart_keychain(true).await.unwrap();
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    let code = walk.failure().await.unwrap();
    assert!(
        code.starts_with("keychain_"),
        "the keychain is named as the cause, not {code}"
    );
    let words = window.text(&testid(id::ERROR_BOX)).await.unwrap();
    assert!(words.contains(says(language, "keychain", "钥匙串")), "{words}");

    assert!(
        window.count(&testid(id::SERVER_ROW)).await.unwrap() > 0,
        "what was known stays in view"
    );
    window.close().await.unwrap();

    // Nothing was lost and nothing is asked: once it is open, the account is there.
    stage.desktop.restart_keychain(false).await.unwrap();
    let window = stage.open(language, "light").await;
    window.by_testid(id::SERVER_ROW).await.unwrap();
    window.by_testid("servers-as-of").await.unwrap();
    window.wait_gone(&testid(id::ERROR_BOX), PATIENCE).await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_keychain_that_is_locked_at_the_start_is_named_and_nobody_is_signed_out_in_english() {
    keychain_in_trouble("en").await;
}

#[tokio::test]
async fn a_keychain_that_is_locked_at_the_start_is_named_and_nobody_is_signed_out_in_chinese() {
    keychain_in_trouble("zh-CN").await;
}

#[tokio::test]
async fn whoever_may_do_nothing_is_told_what_is_missing() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open("zh-CN", "light").await;
    let mut walk = Walk::new(&window);
    walk.sign_in(&SignIn::of(&stage.sandbox, "guest").unwrap())
        .await
        .unwrap();
    let words = walk.told("permission_missing").await.unwrap();
    assert!(words.contains("此用户在该项目中没有所需的权限。"), "{words}");
    window.close().await.unwrap();
}
