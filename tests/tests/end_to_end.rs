//! The first path, each act, trouble of every kind and what a page must not do, in the real window: the application, the
//! sandbox with its receiver, the keychain and the display are the real programs; only the cloud is the embedded region.
//!
//! `cargo xtask test` builds the programs and runs these. Pictures of the first path stay under
//! `target/end-to-end/`, those of failures under `target/failures/`.
#![cfg(target_os = "linux")]

#[path = "end_to_end/acts.rs"]
mod acts;
#[path = "end_to_end/axe.rs"]
mod axe;
#[path = "end_to_end/console.rs"]
mod console;
#[path = "end_to_end/desk.rs"]
mod desk;
#[path = "end_to_end/failing_acts.rs"]
mod failing_acts;
#[path = "end_to_end/flood.rs"]
mod flood;
#[path = "end_to_end/grants.rs"]
mod grants;
#[path = "end_to_end/list.rs"]
mod list;
#[path = "end_to_end/records.rs"]
mod records;
#[path = "end_to_end/safety.rs"]
mod safety;
#[path = "end_to_end/screen.rs"]
mod screen;
#[path = "end_to_end/sessions.rs"]
mod sessions;
#[path = "end_to_end/several.rs"]
mod several;
#[path = "end_to_end/trouble.rs"]
mod trouble;
#[path = "end_to_end/usage.rs"]
mod usage;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::peers::Sandbox;
use wangcheng_tests::programs;
use wangcheng_tests::walk::{Album, SignIn, Walk, event_row, id, server_row};
use wangcheng_tests::window::{PATIENCE, Window, testid};

/// How long an event may take to the receiver when nothing stands in its way.
const DELIVERY: Duration = Duration::from_secs(60);

/// After so long what a page keeps for itself lies on the disk.
const SETTLED: Duration = Duration::from_secs(3);

/// A desktop, a sandbox and the place of the application's data: what outlives a run of the application.
struct Stage {
    sandbox: Sandbox,
    data: PathBuf,
    desktop: Desktop,
}

impl Stage {
    async fn set(keychain: Keychain, speed: f64) -> Self {
        Self::set_with(keychain, speed, &[]).await
    }

    /// The same with these arguments for the sandbox.
    async fn set_with(keychain: Keychain, speed: f64, arguments: &[&str]) -> Self {
        let desktop = Desktop::start(keychain).await.unwrap();
        let program = programs::find(programs::SANDBOX).unwrap();
        let sandbox = Sandbox::start_as(&program, &desktop.dir().join("sandbox"), speed, arguments)
            .await
            .unwrap();
        let data = desktop.dir().join("data");
        Self {
            sandbox,
            data,
            desktop,
        }
    }

    async fn open(&self, language: &str, theme: &str) -> Window {
        self.open_with(&["--language", language, "--theme", theme]).await
    }

    /// Opens it as it was left: nothing is said about its look.
    async fn open_with(&self, more: &[&str]) -> Window {
        let arguments: [OsString; 4] = [
            "--data-dir".into(),
            self.data.clone().into(),
            "--sandbox".into(),
            self.sandbox.announce_file().into(),
        ];
        let arguments = arguments.into_iter().chain(more.iter().map(OsString::from));
        let program = programs::find(programs::DESKTOP).unwrap();
        Window::open(&self.desktop, &program, arguments).await.unwrap()
    }
}

fn says<'w>(language: &str, english: &'w str, chinese: &'w str) -> &'w str {
    if language == "en" { english } else { chinese }
}

/// Asserts that the receiver keeps every event of the installation up to the last: `seq` has no gap.
fn assert_no_gap(events: &[Value]) {
    let mut sequence: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    sequence.sort_unstable();
    let whole: Vec<u64> = (1..=sequence.len() as u64).collect();
    assert_eq!(
        sequence, whole,
        "an event is missing at the receiver, or was sent under two ids"
    );
}

fn with_action<'e>(events: &'e [Value], action: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["action"] == action).collect()
}

async fn first_path(language: &str, theme: &str) {
    let stage = Stage::set(Keychain::Unlocked, 4.0).await;
    let window = stage.open(language, theme).await;
    window.set_size(1280, 800).await.unwrap();
    let album = Album::new(&programs::target_dir().unwrap().join("end-to-end").join(language));
    let mut walk = Walk::with_album(&window, album);
    let name = "path-build-01";

    walk.sign_in(&SignIn::of(&stage.sandbox, "ada").unwrap())
        .await
        .unwrap();
    let places = window.text("nav").await.unwrap();
    let word = says(language, "Servers", "云服务器");
    assert!(
        places.contains(word),
        "the window does not speak {language}: {places}"
    );
    let before = walk.servers_list().await.unwrap();
    assert!(
        !before.is_empty(),
        "the region's servers, other people's too, are listed"
    );
    walk.settings(&stage.sandbox.announcement().hei).await.unwrap();

    walk.open_create().await.unwrap();
    walk.choose_template(None).await.unwrap();
    walk.describe(name, "end to end", 2).await.unwrap();
    let price = walk.see_price().await.unwrap();
    let (hour, lease): (f64, f64) = (
        price.hour.amount.parse().unwrap(),
        price.lease.amount.parse().unwrap(),
    );
    // the cloud keeps whole minutes, so the lease is up to a minute longer than asked; money is shown in cents
    assert!(
        lease > 1.98 * hour && lease < 2.05 * hour,
        "a lease of two hours is to cost what two hours cost: {price:?}"
    );
    assert_eq!(
        stage.sandbox.servers_named(name).await.unwrap(),
        0,
        "nothing is created before the click"
    );
    walk.create(name).await.unwrap();
    walk.wait_running(name).await.unwrap();
    let created = stage
        .sandbox
        .wait_event("server.created", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(created["server_name"], name, "the event names the server");
    assert_eq!(
        created["owner"], "ada",
        "the event names the owner that the cloud proved"
    );

    walk.open_server(name).await.unwrap();
    walk.extend().await.unwrap();
    let extended = stage
        .sandbox
        .wait_event("lease.extended", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(
        extended["lease_end_before"], created["lease_end"],
        "the lease that was extended is the one that was set"
    );
    assert!(
        extended["lease_end"].as_str() > extended["lease_end_before"].as_str(),
        "extending moved the end to later: {extended}"
    );

    walk.delete(name).await.unwrap();
    stage
        .sandbox
        .wait_event("server.deleted", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(
        stage.sandbox.servers_named(name).await.unwrap(),
        0,
        "the server is gone from the region"
    );

    let operations = walk.operations().await.unwrap();
    assert!(
        operations.iter().all(|(_, state)| state == "ok"),
        "every operation ended well: {operations:?}"
    );
    walk.wait_delivered().await.unwrap();
    let shown = walk.events().await.unwrap();
    let received = stage.sandbox.events().await.unwrap();
    for (action, outcome) in &shown {
        let kept = received
            .iter()
            .any(|event| event["action"] == **action && event["outcome"] == **outcome);
        assert!(
            kept,
            "{action} {outcome} is shown as delivered, but the receiver does not keep it"
        );
    }
    window.close().await.unwrap();
}

#[tokio::test]
async fn the_first_path_in_chinese() {
    first_path("zh-CN", "light").await;
}

#[tokio::test]
async fn the_first_path_in_english() {
    first_path("en", "dark").await;
}

#[tokio::test]
async fn one_click_opens_the_demo_region_and_a_second_start_asks_nothing() {
    let stage = Stage::set(Keychain::Unlocked, 4.0).await;
    let window = stage.open("en", "light").await;
    Walk::new(&window).demo().await.unwrap();
    window.close().await.unwrap();

    let window = stage.open("en", "light").await;
    window.by_testid(id::SERVERS_TABLE).await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_wrong_secret_is_explained_and_the_right_one_then_signs_in() {
    let stage = Stage::set(Keychain::Unlocked, 4.0).await;
    let window = stage.open("en", "light").await;
    let mut walk = Walk::new(&window);
    let right = SignIn::of(&stage.sandbox, "ada").unwrap();
    let wrong = SignIn {
        secret_key: "NotTheSecretOfThisKey000000000000000000".to_owned(),
        ..right.clone()
    };

    walk.sign_in(&wrong).await.unwrap();
    assert_eq!(
        walk.failure().await.unwrap(),
        "signature_wrong",
        "the key is named as the cause"
    );
    let shown = window.text(&testid(id::ERROR_BOX)).await.unwrap();
    assert!(
        shown.contains("APIGW.0301"),
        "the provider's code helps its support: {shown}"
    );
    let page = window
        .script("return document.documentElement.outerHTML")
        .await
        .unwrap();
    assert!(
        !page.to_string().contains(&wrong.secret_key),
        "the secret stays nowhere in the page"
    );

    walk.sign_in(&right).await.unwrap();
    walk.servers_list().await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_from_a_key_that_is_wrong() {
    let stage = Stage::set(Keychain::Unlocked, 4.0).await;
    stage.sandbox.set_clock(3600).await.unwrap();
    let window = stage.open("en", "light").await;
    let mut walk = Walk::new(&window);
    walk.sign_in(&SignIn::of(&stage.sandbox, "ada").unwrap())
        .await
        .unwrap();
    assert_eq!(
        walk.failure().await.unwrap(),
        "clock_wrong",
        "the clock is named as the cause"
    );
    window.close().await.unwrap();
}

async fn goes_on_for_this_run(keychain: Keychain) {
    let stage = Stage::set(keychain, 4.0).await;
    let window = stage.open("en", "light").await;
    let mut walk = Walk::new(&window);
    walk.sign_in(&SignIn::of(&stage.sandbox, "ada").unwrap())
        .await
        .unwrap();
    let code = walk.failure().await.unwrap();
    assert!(
        code.starts_with("keychain_"),
        "the keychain is named as the cause, not {code}"
    );
    window.click(&testid(id::SIGNIN_FOR_THIS_RUN)).await.unwrap();
    walk.servers_list().await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn with_a_locked_keychain_one_can_go_on_for_this_run() {
    goes_on_for_this_run(Keychain::Locked).await;
}

#[tokio::test]
async fn without_a_keychain_one_can_go_on_for_this_run() {
    goes_on_for_this_run(Keychain::Absent).await;
}

#[tokio::test]
async fn events_wait_for_a_receiver_that_is_down_and_arrive_in_order_once_it_is_up() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open("en", "light").await;
    let mut walk = Walk::new(&window);
    let name = "waiting-01";
    walk.demo().await.unwrap();
    stage.sandbox.set_receiver("status:503").await.unwrap();

    walk.new_server(name).await.unwrap();
    walk.wait_running(name).await.unwrap();
    walk.open_server(name).await.unwrap();
    walk.extend().await.unwrap();
    walk.wait_undelivered().await.unwrap();
    window.find(&event_row("lease.extended", "ok")).await.unwrap();
    let received = stage.sandbox.events().await.unwrap();
    assert!(
        with_action(&received, "server.created").is_empty(),
        "a receiver that is down keeps nothing"
    );

    stage.sandbox.set_receiver("ok").await.unwrap();
    window.click(&testid(id::DELIVERY_SEND_NOW)).await.unwrap();
    stage
        .sandbox
        .wait_event("lease.extended", "ok", DELIVERY)
        .await
        .unwrap();
    walk.wait_delivered().await.unwrap();
    let received = stage.sandbox.events().await.unwrap();
    assert_no_gap(&received);
    let order: Vec<&Value> = received.iter().map(|event| &event["seq"]).collect();
    assert!(
        order.is_sorted_by_key(|seq| seq.as_u64()),
        "the events came in another order: {order:?}"
    );
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_creation_that_a_kill_interrupts_is_taken_up_and_makes_one_server() {
    // slow enough that the kill comes while the server is being made
    let stage = Stage::set(Keychain::Unlocked, 0.5).await;
    let window = stage.open("en", "light").await;
    let mut walk = Walk::new(&window);
    let name = "survivor-01";
    walk.demo().await.unwrap();
    walk.new_server(name).await.unwrap();
    let state = window.attribute(&server_row(name), "data-state").await.unwrap();
    assert_eq!(
        state.as_deref(),
        Some("creating"),
        "the kill is to come while the server is being made"
    );
    window.kill().await.unwrap();

    let window = stage.open("en", "light").await;
    let mut walk = Walk::new(&window);
    window.find(&server_row(name)).await.unwrap();
    walk.wait_running(name).await.unwrap();
    stage
        .sandbox
        .wait_event("server.created", "ok", DELIVERY)
        .await
        .unwrap();
    walk.wait_delivered().await.unwrap();
    let received = stage.sandbox.events().await.unwrap();
    assert_eq!(
        with_action(&received, "server.created").len(),
        1,
        "one creation, one event: {received:?}"
    );
    assert_eq!(
        stage.sandbox.servers_named(name).await.unwrap(),
        1,
        "one creation, one server"
    );
    assert_no_gap(&received);
    window.wait_gone(&testid(id::ERROR_BOX), PATIENCE).await.unwrap();
    window.close().await.unwrap();
}
