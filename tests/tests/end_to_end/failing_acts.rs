//! Every act that the cloud carries out as a job: first the job fails and the window says so, with the server as it was;
//! then it works.

use serde_json::json;
use wangcheng_tests::acts::Ended;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::walk::{Walk, id, server_row};
use wangcheng_tests::window::{PATIENCE, Window, testid};

use super::{DELIVERY, Stage, assert_no_gap};

/// What the window says of a job that failed.
fn job_failed(language: &str) -> &'static str {
    match language {
        "en" => "The cloud did not carry this out.",
        _ => "云服务没有完成此操作。",
    }
}

/// A fault that the next job of that kind meets.
async fn break_next(stage: &Stage, job: &str) {
    stage
        .sandbox
        .set_faults(json!({"job_fail_next": true, "job": job}))
        .await
        .unwrap();
}

fn assert_failed(ended: &Ended, language: &str, what: &str) {
    assert_eq!(ended.state, "failed", "{what}: {ended:?}");
    assert_eq!(ended.code.as_deref(), Some("job_failed"), "{what}: {ended:?}");
    assert!(
        ended.words.contains(job_failed(language)),
        "{what} is explained in {language}: {}",
        ended.words
    );
}

fn assert_ok(ended: &Ended, what: &str) {
    assert_eq!(
        (ended.state.as_str(), &ended.code),
        ("ok", &None),
        "{what}: {ended:?}"
    );
}

async fn state_is(window: &Window, name: &str, state: &str) {
    window
        .wait_attribute(&server_row(name), "data-state", &[state], PATIENCE)
        .await
        .unwrap();
}

/// Asserts that the receiver was told of the failure and of what worked afterwards.
async fn both_are_told(stage: &Stage, action: &str) {
    for outcome in ["failed", "ok"] {
        stage.sandbox.wait_event(action, outcome, DELIVERY).await.unwrap();
    }
}

async fn power_and_size(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    window.set_size(1280, 900).await.unwrap();
    let mut walk = Walk::new(&window);
    let name = "failing-01";
    walk.demo().await.unwrap();

    break_next(&stage, "create").await;
    walk.new_server("failing-00").await.unwrap();
    let ended = walk.ended("server.create").await.unwrap();
    assert_failed(&ended, language, "create");
    walk.servers_list().await.unwrap();
    window
        .wait_gone(&server_row("failing-00"), PATIENCE)
        .await
        .unwrap();
    walk.new_server(name).await.unwrap();
    assert_ok(&walk.ended("server.create").await.unwrap(), "create");
    both_are_told(&stage, "server.created").await;

    let power: [(&str, &[&str], &str, &str); 3] = [
        ("stop", &["server-stop", "power-submit"], "running", "stopped"),
        ("start", &["server-start"], "stopped", "running"),
        ("reboot", &["server-reboot", "power-submit"], "running", "running"),
    ];
    for (act, buttons, before, after) in power {
        let kind = format!("server.{act}");
        break_next(&stage, act).await;
        walk.open_server(name).await.unwrap();
        walk.ask(buttons).await.unwrap();
        assert_failed(&walk.ended(&kind).await.unwrap(), language, act);
        walk.open_server(name).await.unwrap();
        state_is(&window, name, before).await;
        walk.ask(buttons).await.unwrap();
        assert_ok(&walk.ended(&kind).await.unwrap(), act);
        walk.open_server(name).await.unwrap();
        state_is(&window, name, after).await;
    }
    for action in ["server.stopped", "server.started", "server.rebooted"] {
        both_are_told(&stage, action).await;
    }

    break_next(&stage, "resize").await;
    walk.resize().await.unwrap();
    assert_failed(&walk.ended("server.resize").await.unwrap(), language, "resize");
    walk.open_server(name).await.unwrap();
    state_is(&window, name, "running").await;
    walk.resize().await.unwrap();
    assert_ok(&walk.ended("server.resize").await.unwrap(), "resize");
    both_are_told(&stage, "server.resized").await;

    walk.open_server(name).await.unwrap();
    state_is(&window, name, "running").await;
    break_next(&stage, "delete").await;
    walk.ask_deletion(name).await.unwrap();
    assert_failed(&walk.ended("server.delete").await.unwrap(), language, "delete");
    walk.open_server(name).await.unwrap();
    state_is(&window, name, "running").await;
    walk.delete(name).await.unwrap();
    assert_ok(&walk.ended("server.delete").await.unwrap(), "delete");
    both_are_told(&stage, "server.deleted").await;
    walk.wait_delivered().await.unwrap();
    assert_no_gap(&stage.sandbox.events().await.unwrap());
    window.close().await.unwrap();
}

#[tokio::test]
async fn jobs_that_fail_leave_a_server_as_it_was_and_say_so_in_english() {
    power_and_size("en").await;
}

#[tokio::test]
async fn jobs_that_fail_leave_a_server_as_it_was_and_say_so_in_chinese() {
    power_and_size("zh-CN").await;
}

async fn disks(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "dark").await;
    window.set_size(1280, 900).await.unwrap();
    let mut walk = Walk::new(&window);
    let name = "failing-disks-01";
    walk.running(name).await.unwrap();
    let broken_disk = || stage.sandbox.set_faults(json!({"disk_fail_next": true}));

    walk.open_server(name).await.unwrap();
    broken_disk().await.unwrap();
    walk.ask_disk(20).await.unwrap();
    let ended = walk.ended("disk.add").await.unwrap();
    assert_eq!(ended.state, "failed", "{ended:?}");
    assert!(ended.words.contains(job_failed(language)), "{}", ended.words);
    walk.open_server(name).await.unwrap();
    walk.add_disk(30).await.unwrap();
    assert_ok(&walk.ended("disk.add").await.unwrap(), "add");

    walk.open_server(name).await.unwrap();
    broken_disk().await.unwrap();
    walk.ask_growth(30, 40).await.unwrap();
    let ended = walk.ended("disk.grow").await.unwrap();
    assert_eq!(ended.state, "failed", "{ended:?}");
    assert!(ended.words.contains(job_failed(language)), "{}", ended.words);
    // The cloud gives up such a disk: its state stands there, it is as large as it was, and nothing more is offered.
    walk.open_server(name).await.unwrap();
    let broken = format!("{}[data-size=\"30\"]", testid(id::DISK_ROW));
    window.wait_text(&broken, "error_extending").await.unwrap();
    assert_eq!(
        window
            .attribute(&format!("{broken} {}", testid(id::DISK_GROW)), "disabled")
            .await
            .unwrap()
            .as_deref(),
        Some("true")
    );
    walk.add_disk(35).await.unwrap();
    assert_ok(&walk.ended("disk.add").await.unwrap(), "add");
    walk.open_server(name).await.unwrap();
    walk.grow_disk(35, 40).await.unwrap();
    assert_ok(&walk.ended("disk.grow").await.unwrap(), "grow");

    walk.open_server(name).await.unwrap();
    for (act, before) in [("detach", true), ("attach", false)] {
        let (kind, open, submit) = (
            format!("disk.{act}"),
            format!("disk-{act}"),
            format!("disk-{act}-submit"),
        );
        break_next(&stage, act).await;
        walk.on_disk(40, before, &open).await.unwrap();
        walk.answer(&submit).await.unwrap();
        assert_failed(&walk.ended(&kind).await.unwrap(), language, act);
        walk.open_server(name).await.unwrap();
        walk.on_disk(40, before, &open).await.unwrap();
        walk.answer(&submit).await.unwrap();
        assert_ok(&walk.ended(&kind).await.unwrap(), act);
        walk.open_server(name).await.unwrap();
    }

    walk.on_disk(40, true, "disk-detach").await.unwrap();
    walk.answer("disk-detach-submit").await.unwrap();
    assert_ok(&walk.ended("disk.detach").await.unwrap(), "detach");
    break_next(&stage, "delete_disk").await;
    walk.open_server(name).await.unwrap();
    walk.delete_disk(40).await.unwrap();
    assert_failed(&walk.ended("disk.delete").await.unwrap(), language, "delete");
    walk.open_server(name).await.unwrap();
    let left = format!(
        "{}[data-size=\"40\"][data-attached=\"false\"]",
        testid(id::DISK_ROW)
    );
    window.wait_text(&left, "error_deleting").await.unwrap();
    walk.wait_delivered().await.unwrap();
    assert_no_gap(&stage.sandbox.events().await.unwrap());
    window.close().await.unwrap();
}

#[tokio::test]
async fn disks_whose_jobs_fail_stay_what_and_where_they_were_in_english() {
    disks("en").await;
}

#[tokio::test]
async fn disks_whose_jobs_fail_stay_what_and_where_they_were_in_chinese() {
    disks("zh-CN").await;
}
