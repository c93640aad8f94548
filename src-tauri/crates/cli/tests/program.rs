//! The program itself, as a script runs it, over the real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::process::{Command, Output};

use serde_json::Value;

use common::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_script_makes_shows_extends_and_deletes_a_server_and_each_act_arrives() {
    let place = Place::new().await;
    let made = place
        .json(&[
            "server",
            "create",
            "ci-01",
            "--template",
            "linux-small",
            "--for",
            "8h",
            "--purpose",
            "ci",
        ])
        .await;
    assert_eq!(made["stage"], "settled", "it waits for the end by default");
    assert_eq!(made["outcome"], "ok", "{made:#}");

    let shown = place.json(&["server", "show", "ci-01"]).await;
    assert_eq!(shown["state"], "running");
    assert_eq!(shown["id"], made["serverId"], "found by its name");

    let extended = place.json(&["server", "extend", "ci-01", "--by", "1h"]).await;
    assert_eq!(extended["outcome"], "ok", "{extended:#}");

    let refused = place.run(&["server", "delete", "ci-01", "--json"]).await;
    assert_eq!(code(&refused), 4, "no terminal and no --yes: {}", said(&refused));
    assert_eq!(error(&refused)["code"], "confirmation_missing");
    assert!(error(&refused)["nextStep"].as_str().unwrap().contains("--yes"));
    assert_eq!(
        place.json(&["server", "show", "ci-01"]).await["state"],
        "running",
        "nothing was deleted without a confirmation"
    );

    let id = made["serverId"].as_str().unwrap();
    let deleted = place.json(&["server", "delete", id, "--yes"]).await;
    assert_eq!(deleted["outcome"], "ok", "{deleted:#}");
    place.json(&["delivery", "send"]).await;

    let exported = place.run(&["events", "export"]).await;
    let lines: Vec<Value> = String::from_utf8(exported.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let acts = |events: &[Value]| -> Vec<(u64, String)> {
        events
            .iter()
            .map(|event| {
                (
                    event["seq"].as_u64().unwrap(),
                    event["action"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let told = acts(&lines);
    let numbers: Vec<u64> = told.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=told.len() as u64).collect::<Vec<_>>(), "no gap");
    // A program's first minute of a day also leaves a sign of life; when in the row depends on how long the cloud took.
    let of_servers: Vec<&str> = told
        .iter()
        .map(|(_, action)| action.as_str())
        .filter(|action| *action != "install.heartbeat")
        .collect();
    assert_eq!(of_servers, ["server.created", "lease.extended", "server.deleted"]);
    let received = place.received().await;
    assert_eq!(acts(&received), acts(&lines), "the receiver has what is exported");
    assert!(received.iter().all(|event| event["client"] == "cli"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_is_changed_after_its_price_was_told_and_a_running_server_only_when_that_is_meant() {
    let place = Place::new().await;
    place
        .json(&[
            "server",
            "create",
            "ci-02",
            "--template",
            "linux-small",
            "--for",
            "8h",
        ])
        .await;
    let table = place.run(&["server", "resize", "ci-02"]).await;
    let table = String::from_utf8(table.stdout).unwrap();
    let row = table
        .lines()
        .find(|line| line.trim_start().starts_with("s6.xlarge.2 "));
    assert!(row.is_some_and(|row| row.contains("CNY")), "{table}");
    let refused = place
        .run(&["server", "resize", "ci-02", "--flavor", "s6.xlarge.2", "--json"])
        .await;
    assert_eq!(
        code(&refused),
        4,
        "it runs, and nobody said that it may be stopped: {}",
        said(&refused)
    );
    let resized = place
        .json(&["server", "resize", "ci-02", "--flavor", "s6.xlarge.2", "--stop"])
        .await;
    assert_eq!(
        (&resized["kind"], &resized["outcome"]),
        (&"server.resize".into(), &"ok".into()),
        "{resized:#}"
    );
    let shown = place.json(&["server", "show", "ci-02"]).await;
    assert_eq!(
        (&shown["flavor"], &shown["state"]),
        (&"s6.xlarge.2".into(), &"running".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_key_of_this_run_is_saved_where_asked_and_its_loss_is_said_otherwise() {
    let place = Place::new().await;
    let file = place.dir.path().join("one.key");
    let path = file.to_str().unwrap();
    let create = |name| ["server", "create", name, "--template", "linux-small"];
    let saving: Vec<&str> = create("one").into_iter().chain(["--save-key", path]).collect();
    let made = place.json(&saving).await;
    assert_eq!(made["outcome"], "ok", "{made:#}");
    assert_eq!(
        (&made["key"]["kept"], &made["key"]["file"]),
        (&"run".into(), &path.into())
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        "OpenSSH's form"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "its owner's alone");
    }

    let again: Vec<&str> = create("two")
        .into_iter()
        .chain(["--save-key", path, "--json"])
        .collect();
    let refused = place.run(&again).await;
    assert_eq!(code(&refused), 4, "{}", said(&refused));
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        text,
        "no file is written over"
    );
    let servers = place.json(&["server", "list"]).await;
    let servers = servers["servers"].as_array().unwrap();
    assert!(
        servers.iter().all(|server| server["name"] != "two"),
        "nothing was sent"
    );

    let unsaved = place.run(&create("three")).await;
    assert_eq!(code(&unsaved), 0, "{}", said(&unsaved));
    assert!(said(&unsaved).contains("--save-key"), "{}", said(&unsaved));
    let late = place.run(&["server", "save-key", "three", "--json"]).await;
    assert_eq!(code(&late), 3, "it is gone, as was said: {}", said(&late));

    let kept = place.json(&["server", "cancel-lease", "three", "--yes"]).await;
    assert_eq!(kept["outcome"], "ok", "{kept:#}");
    let three = place.json(&["server", "show", "three"]).await;
    assert!(three["leaseEnd"].is_null(), "{three:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_signed_in_by_its_environment_leaves_the_account_in_use_alone() {
    let place = Place::new().await;
    let announcement = place.running.announcement();
    let as_user = |user: &str, arguments: &[&str]| {
        let user = announcement.user(user).unwrap();
        let mut command = program(place.dir.path());
        command
            .arg("--sandbox")
            .arg(place.announce())
            .args(["--region", announcement.regions[0].id.as_str(), "--json"])
            .args(arguments)
            .env("HUAWEICLOUD_SDK_AK", &user.access_key)
            .env("HUAWEICLOUD_SDK_SK", &user.secret_key);
        command
    };
    let anybody = |arguments: &[&str]| {
        let mut command = program(place.dir.path());
        command
            .arg("--sandbox")
            .arg(place.announce())
            .arg("--json")
            .args(arguments);
        command
    };
    let read = |output: &Output| -> Value { serde_json::from_slice(&output.stdout).unwrap() };
    let user_in_use = |accounts: &Value| -> Option<String> {
        let rows = accounts["accounts"].as_array().unwrap().iter();
        let mut in_use = rows.filter(|account| account["id"] == accounts["active"]);
        in_use
            .next()
            .map(|account| account["userName"].as_str().unwrap().to_owned())
    };

    let ada = read(&finish(as_user("ada", &["account", "list"])).await);
    assert_eq!(user_in_use(&ada).as_deref(), Some("ada"), "for this run: {ada:#}");
    let after = read(&finish(anybody(&["account", "list"])).await);
    assert_eq!(user_in_use(&after), None, "and for no other: {after:#}");

    let id = ada["active"].as_str().unwrap();
    let chosen = read(&finish(anybody(&["account", "use", id])).await);
    assert_eq!(
        user_in_use(&chosen).as_deref(),
        Some("ada"),
        "a choice that lasts"
    );
    let bo = read(&finish(as_user("bo", &["account", "list"])).await);
    assert_eq!(user_in_use(&bo).as_deref(), Some("bo"));
    let after = read(&finish(anybody(&["account", "list"])).await);
    assert_eq!(user_in_use(&after).as_deref(), Some("ada"), "{after:#}");
    let bo = bo["active"].as_str().unwrap();
    let once = read(&finish(anybody(&["account", "list", "--account", bo])).await);
    assert_eq!(user_in_use(&once).as_deref(), Some("bo"));
    let after = read(&finish(anybody(&["account", "list"])).await);
    assert_eq!(user_in_use(&after).as_deref(), Some("ada"), "{after:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_stopped_and_started_with_one_result_each() {
    let place = Place::new().await;
    for name in ["one", "two"] {
        place
            .json(&["server", "create", name, "--template", "linux-small"])
            .await;
    }
    for (act, state) in [("stop", "stopped"), ("start", "running")] {
        let results = place.json(&["server", act, "one", "two"]).await;
        let ends: Vec<_> = results
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["operation"]["outcome"].as_str().unwrap_or("none"))
            .collect();
        assert_eq!(ends, ["ok", "ok"], "{results:#}");
        assert_eq!(place.json(&["server", "show", "one"]).await["state"], state);
    }
    let refused = place.run(&["server", "stop", "one", "--hard", "--json"]).await;
    assert_eq!(code(&refused), 4, "cutting the power is asked about");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_sees_by_the_exit_code_what_went_wrong() {
    let place = Place::new().await;
    let usage = place.run(&["server", "frobnicate"]).await;
    assert_eq!(code(&usage), 2);

    let mut nobody = program(place.dir.path());
    nobody.args(["server", "list", "--json"]);
    let nobody = finish(nobody).await;
    assert_eq!(code(&nobody), 3, "{}", said(&nobody));
    assert_eq!(error(&nobody)["code"], "not_signed_in");

    let mut wrong = program(place.dir.path());
    wrong
        .arg("--sandbox")
        .arg(place.announce())
        .args(["--region", "sandbox-1", "server", "list", "--json"])
        .env("HUAWEICLOUD_SDK_AK", "EXAMPLEAK00000000009")
        .env("HUAWEICLOUD_SDK_SK", "ExampleSecretKey0000000000000000000000009");
    let wrong = finish(wrong).await;
    assert_eq!(code(&wrong), 3, "{}", said(&wrong));

    let unknown = place.run(&["server", "show", "nothing", "--json"]).await;
    assert_eq!(code(&unknown), 4);
    assert_eq!(error(&unknown)["code"], "server_unknown");

    let short = place
        .run(&[
            "server",
            "create",
            "x",
            "--template",
            "linux-small",
            "--for",
            "5m",
            "--json",
        ])
        .await;
    assert_eq!(code(&short), 4, "{}", said(&short));
    assert_eq!(error(&short)["code"], "lease_too_short");
    let received = place.received().await;
    assert!(
        received
            .iter()
            .all(|event| event["action"] == "install.heartbeat"),
        "nothing was asked of the cloud, so there is no act to tell: {received:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_no_longer_leaves_only_after_its_request_was_sent() {
    // At this speed a server takes some seconds to boot, so that nothing settles before the program ends.
    let place = Place::with_speed(1.0).await;
    let late = place
        .run(&[
            "server",
            "create",
            "late",
            "--template",
            "linux-small",
            "--timeout",
            "1ms",
            "--json",
        ])
        .await;
    assert_eq!(code(&late), 5, "{}", said(&late));
    assert_eq!(error(&late)["code"], "wait_timeout");
    let step = error(&late)["nextStep"].as_str().unwrap().to_owned();
    let id = step.split_whitespace().nth(3).unwrap();
    let left = place.json(&["operation", "show", id]).await;
    assert!(
        left["sentAt"].is_string(),
        "a key of the first run only cannot send it again: {left:#}"
    );
    let later = place.json(&["operation", "show", id, "--wait"]).await;
    assert_eq!(later["outcome"], "ok", "the next run takes it up: {later:#}");
    let servers = place.json(&["server", "list"]).await;
    let made = servers["servers"].as_array().unwrap().iter();
    assert_eq!(
        made.filter(|server| server["name"] == "late").count(),
        1,
        "made once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_tables_and_their_language() {
    let place = Place::new().await;
    let english = place.run(&["template", "list"]).await;
    assert!(String::from_utf8_lossy(&english.stdout).contains("LEASE HOURS"));
    let chinese = place
        .run(&["server", "show", "nothing", "--language", "zh-CN"])
        .await;
    assert!(said(&chinese).contains("没有此云服务器"), "{}", said(&chinese));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_in_the_foreground_keeps_a_time_of_its_own_when_that_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("announce.json");
    let mut command = program(dir.path());
    command
        .args(["sandbox", "--clock-speed", "1440", "--announce"])
        .arg(&file)
        .stdout(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut announcement = Value::Null;
    for _ in 0..200 {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        announcement = serde_json::from_str(&text).unwrap_or_default();
        if announcement.is_object() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let health = format!("{}/health", announcement["control"].as_str().unwrap());
    let ahead = async || {
        let text = reqwest::get(&health).await.unwrap().text().await.unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        let moment =
            |key: &str| -> chrono::DateTime<chrono::Utc> { told[key].as_str().unwrap().parse().unwrap() };
        moment("time") - moment("wire_time")
    };
    let before = ahead().await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let after = ahead().await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        after - before >= chrono::TimeDelta::minutes(10),
        "half a second is twelve minutes there: {before} {after}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_are_scripts_that_bash_can_read() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let mut command = program(dir.path());
        command.args(["completions", shell]);
        let output = finish(command).await;
        assert_eq!(code(&output), 0);
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("wangcheng"),
            "{shell}"
        );
        if shell == "bash" {
            let script = dir.path().join("completions.bash");
            std::fs::write(&script, &output.stdout).unwrap();
            let read = Command::new("bash").arg("-n").arg(&script).status().unwrap();
            assert!(read.success(), "bash can read its script");
            let ask = "source \"$0\"; COMP_WORDS=(wangcheng server st); COMP_CWORD=2; \
                       _wangcheng wangcheng st server; echo \"${COMPREPLY[@]}\"";
            let offered = Command::new("bash")
                .args(["-c", ask])
                .arg(&script)
                .output()
                .unwrap();
            let offered = String::from_utf8(offered.stdout).unwrap();
            assert_eq!(offered.trim(), "start stop", "what bash offers after `server st`");
        }
    }
}
