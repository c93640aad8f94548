//! What goes out of the window and comes into it as text: templates, events, what was refused, the bundle for reports.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::screens;
use wangcheng_tests::walk::{Walk, id};
use wangcheng_tests::window::{Found, PATIENCE, Window, testid};

use super::{SETTLED, Stage, says};

/// What a field holds, once it holds something that fits.
async fn value(window: &Window, field: &str, fits: impl Fn(&str) -> bool) -> String {
    let script = format!("return document.querySelector('{}')?.value", testid(field));
    window
        .wait(&format!("what {field} holds"), PATIENCE, async || {
            Ok(match window.peek_script(&script).await?.as_str() {
                Some(held) if fits(held) => Found::Yes(held.to_owned()),
                held => Found::NotYet(format!("{held:?}")),
            })
        })
        .await
        .unwrap()
}

fn template(id: &str) -> String {
    format!("{}[data-template=\"{id}\"]", testid("template-row"))
}

async fn templates(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    window.set_size(1280, 860).await.unwrap();
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    window.click(&testid("nav-templates")).await.unwrap();
    window.by_testid("template-row").await.unwrap();
    let before = window.count(&testid("template-row")).await.unwrap();
    let fill = async |field: &str, text: &str| {
        window
            .fill(&testid(&format!("template-{field}")), text)
            .await
            .unwrap();
    };

    // A new one; what is wrong is said before anything is kept.
    window.click(&testid("templates-new")).await.unwrap();
    fill("nameEn", "Load <b>test</b> ☂").await;
    fill("nameZh", "压测").await;
    fill("id", "Not An Id").await;
    window.click(&testid("template-save")).await.unwrap();
    window.find(".field .wrong[role=alert]").await.unwrap();
    fill("id", "load-test").await;
    fill("leaseHours", "6").await;
    window.click(&testid("template-save")).await.unwrap();
    let mine = template("load-test");
    let row = window.text(&mine).await.unwrap();
    let name = says(language, "Load <b>test</b> ☂", "压测");
    assert!(row.contains(name), "markup is text: {row}");
    assert_eq!(
        window.count(&format!("{mine} b")).await.unwrap(),
        0,
        "markup makes no element"
    );

    // Changed, and what is not kept is asked about before it is lost.
    fill("leaseHours", "12").await;
    window.click(&testid(id::NAV_EVENTS)).await.unwrap();
    window.by_testid("template-leave-submit").await.unwrap();
    window.press("\u{e00c}").await.unwrap();
    window.wait_gone("dialog[open]", PATIENCE).await.unwrap();
    window.click(&testid("template-save")).await.unwrap();
    window.wait_text(&format!("{mine} .lease"), "12").await.unwrap();

    // Out as the text of a file, removed, and in again.
    window.click(&testid("templates-export")).await.unwrap();
    let file = value(&window, "templates-file", |file| file.contains("load-test")).await;
    window.press("\u{e00c}").await.unwrap();
    window.wait_gone("dialog[open]", PATIENCE).await.unwrap();
    window.click(&testid("template-remove")).await.unwrap();
    walk.answer("template-remove-submit").await.unwrap();
    window.wait_gone(&mine, PATIENCE).await.unwrap();
    assert_eq!(window.count(&testid("template-row")).await.unwrap(), before);

    let import = async |file: &str| {
        window.fill(&testid("templates-file"), file).await.unwrap();
        window.click(&testid("templates-submit")).await.unwrap();
    };
    window.click(&testid("templates-import")).await.unwrap();
    import("{ this is no file of templates").await;
    window.by_testid(id::ERROR_BOX).await.unwrap();
    let mut parsed: Value = serde_json::from_str(&file).unwrap();
    let list = match &mut parsed {
        Value::Array(list) => list,
        other => other["templates"].as_array_mut().unwrap(),
    };
    list.retain(|one| one["id"] == "load-test");
    import(&parsed.to_string()).await;
    window.wait_gone("dialog[open]", PATIENCE).await.unwrap();
    window.wait_text(&format!("{mine} .lease"), "12").await.unwrap();

    // It is there for a new server.
    window.click(&format!("{mine} td")).await.unwrap();
    window.click(&testid("template-use")).await.unwrap();
    window
        .find(&format!(
            "{}[data-template=\"load-test\"]",
            testid(id::CREATE_TEMPLATE)
        ))
        .await
        .unwrap();
    value(&window, id::CREATE_LEASE_HOURS, |hours| hours == "12").await;
    window.close().await.unwrap();

    // And after the next start.
    let window = stage.open(language, "light").await;
    window.by_testid(id::SERVERS_TABLE).await.unwrap();
    window.click(&testid("nav-templates")).await.unwrap();
    window.find(&mine).await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_template_is_made_changed_handed_on_removed_and_read_in_again_in_english() {
    templates("en").await;
}

#[tokio::test]
async fn a_template_is_made_changed_handed_on_removed_and_read_in_again_in_chinese() {
    templates("zh-CN").await;
}

/// The ids of events, one a line.
fn ids(ndjson: &str) -> BTreeSet<String> {
    ndjson
        .lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            event["event_id"].as_str().unwrap().to_owned()
        })
        .collect()
}

async fn exports(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "dark").await;
    let mut walk = Walk::new(&window);
    let name = "exported-01";
    walk.running(name).await.unwrap();
    walk.open_server(name).await.unwrap();
    walk.extend().await.unwrap();
    assert_eq!(walk.ended("lease.update").await.unwrap().state, "ok");
    walk.wait_delivered().await.unwrap();
    let received = stage.sandbox.events().await.unwrap();
    let received_ids: BTreeSet<String> = received
        .iter()
        .map(|event| event["event_id"].as_str().unwrap().to_owned())
        .collect();

    let export = async |kind: &str| {
        window.click(&testid("events-export")).await.unwrap();
        window
            .click(&testid(&format!("events-export-{kind}")))
            .await
            .unwrap();
        let content = value(&window, "export-content", |content| !content.is_empty()).await;
        screens::close(&window).await.unwrap();
        content
    };
    let ndjson = export("ndjson").await;
    assert_eq!(ids(&ndjson), received_ids, "what was sent is what is exported");
    let csv = export("csv").await;
    let lines: Vec<&str> = csv.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(
        lines.len(),
        received.len() + 1,
        "a heading and a line each: {csv}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("lease.extended") && line.contains(name)),
        "{csv}"
    );

    // One is refused for good: looked into, taken out as a file, sent again.
    stage.sandbox.set_receiver_for("status:400", 1).await.unwrap();
    walk.open_server(name).await.unwrap();
    walk.ask(&["server-stop", "power-submit"]).await.unwrap();
    window.click(&testid(id::NAV_EVENTS)).await.unwrap();
    window.wait_text(&testid("events-refused"), "1").await.unwrap();
    window.click(&testid("events-refused")).await.unwrap();
    window.click(&testid("refused-export")).await.unwrap();
    let refused = value(&window, "export-content", |content| !content.is_empty()).await;
    screens::close(&window).await.unwrap();
    assert!(
        refused.contains("server.stopped") && refused.lines().count() == 1,
        "{refused}"
    );
    window.click(&testid("refused-again-all")).await.unwrap();
    stage
        .sandbox
        .wait_event("server.stopped", "ok", super::DELIVERY)
        .await
        .unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn events_leave_as_ndjson_and_csv_and_a_refused_one_is_taken_out_and_sent_again_in_english() {
    exports("en").await;
}

#[tokio::test]
async fn events_leave_as_ndjson_and_csv_and_a_refused_one_is_taken_out_and_sent_again_in_chinese() {
    exports("zh-CN").await;
}

async fn settings(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open_with(&[]).await;
    let mut walk = Walk::new(&window);
    walk.demo().await.unwrap();
    window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
    let choose = async |field: &str, value: &str| window.choose(&testid(field), value).await.unwrap();
    choose(id::SETTINGS_LANGUAGE, language).await;
    window
        .wait_text("nav", says(language, "Servers", "云服务器"))
        .await
        .unwrap();
    let height =
        "const row = document.querySelector('[data-testid=\"server-row\"]'); return row && row.offsetHeight";
    let rows = async || {
        window.click(&testid(id::NAV_SERVERS)).await.unwrap();
        window.by_testid(id::SERVER_ROW).await.unwrap();
        window.script(height).await.unwrap().as_f64().unwrap()
    };
    let comfortable = rows().await;
    window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
    choose(id::SETTINGS_THEME, "dark").await;
    choose("settings-density", "compact").await;
    let compact = rows().await;
    assert!(
        compact < comfortable,
        "rows of {compact} and of {comfortable} pixels"
    );
    // A bundle for a report is made here, too.
    window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
    window.click(&testid("settings-diagnostics")).await.unwrap();
    let made = window
        .attribute(&testid("diagnostics-made"), "data-file")
        .await
        .unwrap()
        .unwrap();
    assert!(
        std::fs::metadata(&made).unwrap().len() > 0,
        "the bundle is a file: {made}"
    );
    // What the page keeps for itself is written by WebKit a moment later.
    tokio::time::sleep(SETTLED).await;
    window.close().await.unwrap();

    let window = stage.open_with(&[]).await;
    window.by_testid(id::SERVERS_TABLE).await.unwrap();
    let root = window
        .script("const { lang, dataset } = document.documentElement; return [lang, dataset.theme, dataset.density]")
        .await
        .unwrap();
    assert_eq!(root, json!([language, "dark", "compact"]), "it is as it was left");
    window.close().await.unwrap();
}

#[tokio::test]
async fn language_theme_and_density_change_at_once_and_are_there_after_the_next_start_in_english() {
    settings("en").await;
}

#[tokio::test]
async fn language_theme_and_density_change_at_once_and_are_there_after_the_next_start_in_chinese() {
    settings("zh-CN").await;
}
