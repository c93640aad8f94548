//! A shell on a server, in a window of its own.

use std::time::Duration;

use serde_json::Value;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::programs;
use wangcheng_tests::walk::Walk;
use wangcheng_tests::window::{Found, PATIENCE, Window, testid};

use super::{DELIVERY, Stage, assert_no_gap};

/// Waits until the terminal shows a line that is just `line`.
pub(super) async fn wait_line(window: &Window, line: &str) {
    let rows = "return [...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent)";
    window
        .wait(&format!("the line {line:?}"), PATIENCE, async || {
            let shown = window.peek_script(rows).await?;
            let lines: Vec<String> = shown
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|text| text.replace('\u{a0}', " ").trim_end().to_owned())
                .collect();
            Ok(match lines.iter().any(|shown| shown == line) {
                true => Found::Yes(()),
                false => Found::NotYet(format!("it shows {lines:?}")),
            })
        })
        .await
        .unwrap();
}

/// Files beside the terminal: up by the system's dialog, seen by the shell, down again, and away.
async fn files_go_both_ways(stage: &Stage, window: &Window, picture: &std::path::Path) {
    let files = testid("files");
    window.click(&testid("files-show")).await.unwrap();
    window
        .wait_attribute(&files, "data-path", &["/root"], PATIENCE)
        .await
        .unwrap();
    let folder = stage.desktop.dir().join("up");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("note-up.txt");
    std::fs::write(&file, "从这里来\n").unwrap();
    let before = stage.desktop.shown_windows().unwrap();
    window.click(&testid("files-upload")).await.unwrap();
    stage.desktop.choose_in_dialog(&before, &file).await.unwrap();
    window
        .wait_attribute(&testid("copy"), "data-state", &["done"], PATIENCE)
        .await
        .unwrap();
    let row = "[data-testid=\"file\"][data-name=\"note-up.txt\"]";
    window.find(row).await.unwrap();
    window.click(".xterm-screen").await.unwrap();
    window
        .press("mkdir box; cp note-up.txt box; cd box; cat note-up.txt; ls\u{e007}")
        .await
        .unwrap();
    wait_line(window, "从这里来").await;
    wait_line(window, "note-up.txt").await;
    // The panel goes where the shell goes.
    window
        .wait_attribute(&files, "data-path", &["/root/box"], PATIENCE)
        .await
        .unwrap();
    window.click(row).await.unwrap();
    window.click(&testid("files-download")).await.unwrap();
    let copies = format!("{}[data-state=\"done\"]", testid("copy"));
    window
        .wait("both copies to be done", PATIENCE, async || {
            let done = window
                .peek_script(&format!("return document.querySelectorAll('{copies}').length"))
                .await?;
            Ok(match done.as_u64() {
                Some(2) => Found::Yes(()),
                done => Found::NotYet(format!("{done:?} are")),
            })
        })
        .await
        .unwrap();
    let down = stage.desktop.dir().join("home").join("note-up.txt");
    assert_eq!(std::fs::read_to_string(down).unwrap(), "从这里来\n");
    window.screenshot(picture).await.unwrap();
    window.click(&testid("files-remove")).await.unwrap();
    window.click(&testid("files-remove-yes")).await.unwrap();
    window.wait_gone(row, PATIENCE).await.unwrap();
    window.click(".xterm-screen").await.unwrap();
    window.press("cd; ls box; echo 空\u{e007}").await.unwrap();
    wait_line(window, "空").await;
    window.click(&testid("files-show")).await.unwrap();
    window.wait_gone(&files, PATIENCE).await.unwrap();
    window.click(".xterm-screen").await.unwrap();
}

/// How many rows of all terminals are just `line`.
async fn wait_rows(window: &Window, line: &str, count: u64) {
    let rows = format!(
        "return [...document.querySelectorAll('.xterm-rows > div')]\
         .filter((row) => row.textContent.replaceAll('\\u00a0', ' ').trimEnd() === '{line}').length"
    );
    window
        .wait(&format!("{count} times {line:?}"), PATIENCE, async || {
            Ok(match window.peek_script(&rows).await?.as_u64() {
                Some(shown) if shown >= count => Found::Yes(()),
                shown => Found::NotYet(format!("{shown:?} times")),
            })
        })
        .await
        .unwrap();
}

/// A tunnel to the page that the server serves, its counters, and what it looks like.
async fn a_tunnel_leads_to_the_servers_page(window: &Window, name: &str, picture: &std::path::Path) {
    window.click(&testid("tunnels-show")).await.unwrap();
    window.click(&testid("tunnel-new")).await.unwrap();
    window.fill(&testid("tunnel-to-port"), "80").await.unwrap();
    window.fill(&testid("tunnel-name"), "网页").await.unwrap();
    window.click(&testid("tunnel-yes")).await.unwrap();
    let tunnel = testid("tunnel");
    window
        .wait_attribute(&tunnel, "data-state", &["open"], PATIENCE)
        .await
        .unwrap();
    let port = window.attribute(&tunnel, "data-port").await.unwrap().unwrap();
    let page = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = page
        .get(format!("http://127.0.0.1:{port}/"))
        .send()
        .await
        .unwrap();
    assert!(page.text().await.unwrap().contains(name));
    window
        .wait("the counters to go on", PATIENCE, async || {
            Ok(match window.peek_attribute(&tunnel, "data-down").await? {
                Some(down) if down != "0" => Found::Yes(()),
                down => Found::NotYet(format!("{down:?} bytes came")),
            })
        })
        .await
        .unwrap();
    window.screenshot(picture).await.unwrap();
    window.click(&testid("tunnel-stop")).await.unwrap();
    window
        .wait_attribute(&tunnel, "data-state", &["idle"], PATIENCE)
        .await
        .unwrap();
    window.click(&testid("tunnels-show")).await.unwrap();
    window.wait_gone(&tunnel, PATIENCE).await.unwrap();
}

/// What a session shows is recorded on request, found, and played.
async fn a_recording_is_found_and_played(window: &Window, picture: &std::path::Path) {
    let record = testid("session-record");
    window.click(&record).await.unwrap();
    window
        .wait_attribute(&record, "aria-pressed", &["true"], PATIENCE)
        .await
        .unwrap();
    window.click(".xterm-screen").await.unwrap();
    window.press("echo 录像里的字\u{e007}").await.unwrap();
    wait_line(window, "录像里的字").await;
    window.click(&record).await.unwrap();
    window
        .wait_attribute(&record, "aria-pressed", &["false"], PATIENCE)
        .await
        .unwrap();
    window.click(&testid("recordings-show")).await.unwrap();
    window.find(&testid("recording")).await.unwrap();
    window
        .fill(&testid("recordings-search"), "录像里的字")
        .await
        .unwrap();
    window.press("\u{e007}").await.unwrap();
    window.click(&testid("recording-place")).await.unwrap();
    window
        .wait_attribute(&testid("player"), "data-ready", &["true"], PATIENCE)
        .await
        .unwrap();
    wait_rows(window, "录像里的字", 2).await;
    window.screenshot(picture).await.unwrap();
    window.click(&testid("recordings-close")).await.unwrap();
}

/// Two terminals beside each other take what is typed once.
async fn what_is_typed_goes_to_both(window: &Window, picture: &std::path::Path) {
    window.click(&testid("session-split")).await.unwrap();
    let tabs = format!("{}[data-state=\"open\"]", testid("session-tab"));
    window
        .wait("both sessions to be open", Duration::from_secs(60), async || {
            let script = format!("return document.querySelectorAll('{tabs}').length");
            Ok(match window.peek_script(&script).await?.as_u64() {
                Some(2) => Found::Yes(()),
                open => Found::NotYet(format!("{open:?} are")),
            })
        })
        .await
        .unwrap();
    window.click(&testid("session-broadcast")).await.unwrap();
    window.find(&testid("broadcasting")).await.unwrap();
    window.press("echo 两处都有\u{e007}").await.unwrap();
    wait_rows(window, "两处都有", 2).await;
    window.screenshot(picture).await.unwrap();
    // The first one goes on alone.
    let close = format!("{}:last-of-type {}", ".tab", testid("session-close"));
    window.click(&close).await.unwrap();
    window.wait_gone(&testid("broadcasting"), PATIENCE).await.unwrap();
    window.click(".xterm-screen").await.unwrap();
}

async fn one_click(language: &str, theme: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, theme).await;
    window.set_size(1280, 800).await.unwrap();
    let mut walk = Walk::new(&window);
    let name = "shell-01";
    walk.demo().await.unwrap();
    walk.open_create().await.unwrap();
    walk.describe(name, "", 1).await.unwrap();
    walk.see_price().await.unwrap();
    walk.create(name).await.unwrap();
    walk.wait_running(name).await.unwrap();
    walk.open_server(name).await.unwrap();

    window.click(&testid("server-connect")).await.unwrap();
    window.other_window().await.unwrap();
    let long = Duration::from_secs(60);
    window
        .wait_attribute(&testid("session-state"), "data-state", &["open"], long)
        .await
        .unwrap();
    window.find(".xterm-helper-textarea").await.unwrap();
    window.click(".xterm-screen").await.unwrap();
    window.press("echo 你好，世界; uname -r\u{e007}").await.unwrap();
    wait_line(&window, "你好，世界").await;
    wait_line(&window, "6.1.0-simulated").await;
    // The page can be lost; the session is not.
    window.script("location.reload()").await.unwrap();
    wait_line(&window, "你好，世界").await;
    window.click(".xterm-screen").await.unwrap();
    window.press("seq 1 20000; echo 完\u{e007}").await.unwrap();
    wait_line(&window, "完").await;
    let pictures = programs::target_dir()
        .unwrap()
        .join("end-to-end")
        .join("sessions");
    window
        .screenshot(&pictures.join(format!("{language}-{theme}.png")))
        .await
        .unwrap();
    files_go_both_ways(
        &stage,
        &window,
        &pictures.join(format!("{language}-{theme}-files.png")),
    )
    .await;
    // Its lease of one hour is warned of, and moved from here.
    window.find(&testid("session-lease")).await.unwrap();
    window.click(&testid("session-extend-2")).await.unwrap();
    window
        .wait_gone(&testid("session-lease"), PATIENCE)
        .await
        .unwrap();
    let named = |part: &str| pictures.join(format!("{language}-{theme}-{part}.png"));
    a_tunnel_leads_to_the_servers_page(&window, name, &named("tunnel")).await;
    a_recording_is_found_and_played(&window, &named("recording")).await;
    what_is_typed_goes_to_both(&window, &named("beside")).await;
    // This window's page reaches nothing but sessions.
    let refused = window
        .script(
            "const invoke = window.__TAURI_INTERNALS__.invoke; \
             return invoke('call', {name: 'accounts.list', request: null}).then(() => 'answered', (error) => String(error))",
        )
        .await
        .unwrap();
    assert!(
        refused.as_str().is_some_and(|text| text.contains("not allowed")),
        "{refused}"
    );
    window.press("exit 3\u{e007}").await.unwrap();
    window
        .wait_attribute(&testid("session-state"), "data-state", &["ended"], PATIENCE)
        .await
        .unwrap();
    window.wait_text(&testid("session-state"), "3").await.unwrap();
    let opened = stage
        .sandbox
        .wait_event("session.opened", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(opened["server_name"], name, "{opened}");
    let closed = stage
        .sandbox
        .wait_event("session.closed", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(closed["kind"], "ssh", "{closed}");
    assert!(closed["duration_s"].is_u64(), "{closed}");
    assert_no_gap(&stage.sandbox.events().await.unwrap());
    window.kill().await.unwrap();
}

#[tokio::test]
async fn one_click_leads_to_a_prompt_that_speaks_chinese_and_outlives_its_page() {
    one_click("en", "dark").await;
}

#[tokio::test]
async fn the_same_in_chinese() {
    one_click("zh-CN", "light").await;
}
