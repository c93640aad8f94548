//! The usage summary: what is on the screen is what the terminal says, down from a month to the events of a server.

#[path = "usage/faults.rs"]
mod faults;
#[path = "usage/figures.rs"]
mod figures;
#[path = "usage/paper.rs"]
mod paper;
#[path = "usage/rest.rs"]
mod rest;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::programs;
use wangcheng_tests::screens;
use wangcheng_tests::walk::{Album, Walk};
use wangcheng_tests::window::{PATIENCE, Window, testid};

use super::Stage;

/// Somebody else's servers in two months of the past, as exported events: each costs half a yuan an hour.
fn company(file: &Path) {
    let mut lines = String::new();
    let servers = [
        ("wei-01", "li.wei", "2025-03-03T01:00:00Z", "2025-03-04T03:30:00Z"),
        ("wei-02", "li.wei", "2025-04-30T15:00:00Z", "2025-04-30T17:00:00Z"),
        (
            "min-01",
            "zhao-min",
            "2025-04-07T00:00:00Z",
            "2025-04-09T00:00:00Z",
        ),
    ];
    for (nth, (server, owner, made, ended)) in servers.iter().enumerate() {
        for (action, time) in [("server.created", made), ("server.deleted", ended)] {
            let event = json!({
                "event_id": format!("{server}-{action}"), "schema": "wangcheng.event.v1", "action": action,
                "outcome": "ok", "time": time, "owner": owner, "owner_id": format!("id-{owner}"),
                "server_id": format!("made-up-{nth}"), "server_name": server, "flavor": "s6.large.2",
                "region": "elsewhere-1", "template": "docker", "disk_gb": 40, "price_per_hour": "0.5",
                "currency": "CNY",
            });
            writeln!(lines, "{event}").unwrap();
        }
    }
    std::fs::write(file, lines).unwrap();
}

/// What the command line answers about the same ledger.
async fn terminal(stage: &Stage, arguments: &[&str]) -> Value {
    let mut command = stage.desktop.command(programs::find(programs::CLI).unwrap());
    command
        .arg("--sandbox")
        .arg(stage.sandbox.announce_file())
        .arg("--data-dir")
        .arg(&stage.data)
        .args(["--language", "en", "--json"])
        .args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn figure(window: &Window, id: &str, attribute: &str) -> String {
    let css = format!("{}[data-figure=\"{id}\"]", testid("usage-figure"));
    window
        .attribute(&css, attribute)
        .await
        .unwrap()
        .unwrap_or_default()
}

#[tokio::test]
async fn the_usage_on_the_screen_is_what_the_terminal_says() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let file = stage.desktop.dir().join("company.ndjson");
    company(&file);
    let window = stage.open("en", "light").await;
    window.set_size(1280, 860).await.unwrap();
    let album = Album::new(&programs::target_dir().unwrap().join("end-to-end").join("usage"));
    let mut walk = Walk::with_album(&window, album);
    walk.running("own-01").await.unwrap();

    window.click(&testid("nav-usage")).await.unwrap();
    window.by_testid("usage-overview").await.unwrap();
    assert_eq!(
        figure(&window, "servers", "data-value").await,
        "1",
        "the own server"
    );

    // A person chooses the file in the system's dialog; its path is never the page's.
    window.click(&testid("usage-part-sources")).await.unwrap();
    let before = stage.desktop.shown_windows().unwrap();
    window.click(&testid("reading-import")).await.unwrap();
    stage.desktop.choose_in_dialog(&before, &file).await.unwrap();
    window
        .find(&format!("{}[data-state=\"done\"]", testid("reading")))
        .await
        .unwrap();
    let source = format!(
        "{}[data-name=\"file:company.ndjson\"][data-events=\"6\"]",
        testid("usage-source")
    );
    window.find(&source).await.unwrap();
    walk.picture("sources").await.unwrap();

    window.click(&testid("usage-part-overview")).await.unwrap();
    screens::past::days(&window, "2025-03-01", "2025-05-31")
        .await
        .unwrap();
    let range = ["usage", "summary", "--from", "2025-03-01", "--to", "2025-05-31"];
    let told = terminal(&stage, &range).await;
    let total = &told["total"];
    for (id, value) in [
        ("cost", total["cost"]["total"].as_str().unwrap()),
        ("hours", total["hours"].as_str().unwrap()),
        ("running", total["runningHours"].as_str().unwrap()),
        ("disk", total["diskGbHours"].as_str().unwrap()),
    ] {
        assert_eq!(figure(&window, id, "data-value").await, value, "{id}");
    }
    // 26.5 + 2 + 48 hours, at half a yuan
    assert_eq!(figure(&window, "cost", "data-value").await, "38.250000");
    assert_eq!(figure(&window, "servers", "data-value").await, "3");
    walk.picture("three-months").await.unwrap();

    // Hours after midnight in Shanghai are the next month's: the last hour of the 30th is May's.
    let may = format!("{}[data-key=\"2025-05\"]", testid("usage-months-chart-column"));
    let said = window.attribute(&may, "aria-label").await.unwrap().unwrap();
    assert!(said.contains("May 2025: ¥0.50"), "{said}");

    // From the month to the owner to the server to its events.
    let april = format!("{}[data-key=\"2025-04\"]", testid("usage-months-chart-column"));
    window
        .script(&format!(
            "document.querySelector('{april}').dispatchEvent(new MouseEvent('click', {{ bubbles: true }}))"
        ))
        .await
        .unwrap();
    window
        .find(&format!("{}[data-from=\"2025-04-01\"]", testid("usage-overview")))
        .await
        .unwrap();
    let owner = format!("{}[data-key=\"id-zhao-min\"]", testid("usage-rank"));
    assert_eq!(
        window.attribute(&owner, "data-cost").await.unwrap().as_deref(),
        Some("24.000000")
    );
    window.click(&format!("{owner} td")).await.unwrap();
    window.click(&testid("usage-row")).await.unwrap();
    window
        .find(&format!(
            "{}[data-action=\"server.deleted\"]",
            testid("usage-event")
        ))
        .await
        .unwrap();
    walk.picture("events-of-a-server").await.unwrap();
    assert_eq!(window.count(&testid("usage-event")).await.unwrap(), 2);

    // A budget of a month, held against what is spent.
    window.click(&testid("usage-part-forecast")).await.unwrap();
    window.click(&testid("budget-add")).await.unwrap();
    window.fill(&testid("budget-monthly"), "100").await.unwrap();
    window.click(&testid("budget-submit")).await.unwrap();
    window
        .wait_gone(&testid("budget-submit"), PATIENCE)
        .await
        .unwrap();
    window.by_testid("budget").await.unwrap();
    walk.picture("forecast").await.unwrap();

    for part in ["waste", "bill"] {
        window
            .click(&testid(&format!("usage-part-{part}")))
            .await
            .unwrap();
        window
            .find(&format!("{}, {}, .empty", testid("bill-figure"), testid("waste")))
            .await
            .unwrap();
        walk.picture(part).await.unwrap();
    }
    window.close().await.unwrap();
}
