//! What an act sends is shown before and after, in the words of the wire and in those of others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::process::Stdio;

use serde_json::{Value, json};

use common::*;

/// What a shell makes of a command that was shown, with `--dry-run`.
async fn rehearsed_by_shell(place: &Place, command: &str) -> Value {
    let inner = place.command(&[]);
    let words = std::iter::once(inner.get_program()).chain(inner.get_args());
    let words: Vec<String> = words
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let script = format!(
        "wangcheng() {{ {} --dry-run --json \"$@\"; }}\n{command}\n",
        words.join(" ")
    );
    let script = script.replace(
        "--dry-run --json \"$@\"",
        // What follows `--` are names, so the options go before.
        "\"$1\" \"$2\" --dry-run --json \"${@:3}\"",
    );
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &script]).stdin(Stdio::null());
    shell.env("WANGCHENG_SERVER_PASSWORD", "Example-Password1");
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let output = finish(shell).await;
    assert_eq!(code(&output), 0, "{command}: {}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The requests without what is made anew each time: keys, ids of operations, tokens.
fn lasting(rehearsed: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for key in ["requests", "follows"] {
        for request in rehearsed[key].as_array().unwrap() {
            let mut body: Value =
                serde_json::from_str(request["body"].as_str().unwrap()).unwrap_or(Value::Null);
            forget(&mut body);
            all.push(json!([key, request["method"], request["url"], body]));
        }
    }
    all
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("key") == Some(&json!("wangcheng-operation")) {
                fields.remove("value");
            }
            let of_a_disk = fields.contains_key("volume_type");
            fields.retain(|key, _| {
                key != "user_data" && key != "wangcheng-operation" && !(of_a_disk && key == "name")
            });
            fields.values_mut().for_each(forget);
        }
        Value::Array(rows) => rows.iter_mut().for_each(forget),
        _ => {}
    }
}

/// What the region was asked that changes something, oldest first: method and path.
async fn asked_of_the_region(place: &Place) -> Vec<(String, String)> {
    let url = format!("{}/requests", place.running.announcement().control);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let of_the_cloud =
        |row: &&Value| ["ecs", "evs", "eip", "vpc"].contains(&row["service"].as_str().unwrap());
    rows.iter()
        .filter(of_the_cloud)
        .map(|row| {
            let part = |key: &str| row[key].as_str().unwrap().to_owned();
            (part("method"), part("path"))
        })
        .filter(|(method, _)| method != "GET")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_that_is_shown_asks_for_the_same() {
    let place = Place::new().await;
    let rehearse = async |arguments: &[&str]| {
        let all: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
        place.json(&all).await
    };
    let mut shown = Vec::new();
    let create = [
        "server",
        "create",
        "it-s",
        "--template",
        "linux-small",
        "--purpose",
        "try it: now",
        "--public-mbps",
        "5",
        "--until",
        "2027-01-02T03:00:00Z",
    ];
    shown.push(rehearse(&create).await);
    let made = place.json(&create).await;
    assert_eq!(made["outcome"], "ok", "{made:#}");
    place
        .json(&["server", "tags", "it-s", "--set", "old=1", "--set", "older=1"])
        .await;
    place
        .json(&["disk", "add", "it-s", "--type", "GPSSD", "--size", "20"])
        .await;
    place
        .json(&["disk", "add", "it-s", "--type", "GPSSD", "--size", "30"])
        .await;
    let disks = place.json(&["disk", "list", "it-s"]).await;
    let (first, second) = (&disks["disks"][1], &disks["disks"][2]);
    let (first, second) = (first["id"].as_str().unwrap(), second["id"].as_str().unwrap());
    place.json(&["disk", "detach", "it-s", second, "--yes"]).await;
    let options = place.json(&["server", "resize", "it-s"]).await;
    let options = options["options"].as_array().unwrap();
    let other = options.iter().find(|option| option["problem"].is_null());
    let flavor = other.unwrap()["flavor"].as_str().unwrap();
    for arguments in [
        &["server", "stop", "it-s", "--hard"][..],
        &["server", "reboot", "it-s"],
        &["server", "extend", "it-s", "--until", "2027-01-03T03:00:00Z"],
        &["server", "cancel-lease", "it-s"],
        &["server", "rename", "it-s", "wet.one"],
        &[
            "server",
            "tags",
            "it-s",
            "--set",
            "team=支付",
            "--remove",
            "old",
            "--remove",
            "older",
        ],
        &["server", "mark", "it-s"],
        &["server", "resize", "it-s", "--flavor", flavor, "--stop"],
        &["server", "delete", "it-s"],
        &["disk", "add", "it-s", "--type", "GPSSD", "--size", "40"],
        &["disk", "grow", "it-s", first, "--to", "60"],
        &["disk", "detach", "it-s", first],
        &["disk", "delete", "it-s", second],
        &["network", "admit-ssh", "203.0.113.7"],
    ] {
        shown.push(rehearse(arguments).await);
    }
    let mut password = place.command(&["server", "password", "it-s", "--dry-run", "--json"]);
    password.env("WANGCHENG_SERVER_PASSWORD", "Example-Password1");
    let password = finish(password).await;
    shown.push(serde_json::from_slice(&password.stdout).unwrap());
    for first in shown {
        let command = first["command"].as_str().unwrap_or_else(|| panic!("{first:#}"));
        let second = rehearsed_by_shell(&place, command).await;
        assert_eq!(lasting(&second), lasting(&first), "{command}");
        assert!(!lasting(&first).is_empty(), "{command}");
        assert_eq!(second["command"], first["command"]);
        let all = ["requests", "follows"].map(|key| first[key].as_array().unwrap().clone());
        for request in all.concat() {
            for told in ["koo", "python"] {
                assert!(request[told].is_string(), "{told} of {}", request["operation"]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_follow_an_answer_are_shown_with_words_for_its_ids() {
    let place = Place::new().await;
    let create = [
        "server",
        "create",
        "steps",
        "--template",
        "linux-small",
        "--public-mbps",
        "5",
    ];
    let all: Vec<&str> = create.into_iter().chain(["--dry-run"]).collect();
    let rehearsed = place.json(&all).await;
    let steps = |rehearsed: &Value| -> Vec<(String, String)> {
        let rows = rehearsed["follows"].as_array().unwrap().iter();
        rows.map(|row| {
            let url = row["url"].as_str().unwrap();
            let word = url.split('/').find(|part| part.ends_with("_ID"));
            let operation = row["operation"].as_str().unwrap();
            (operation.to_owned(), word.unwrap_or_default().to_owned())
        })
        .collect()
    };
    let pair = |operation: &str, word: &str| (operation.to_owned(), word.to_owned());
    assert_eq!(
        steps(&rehearsed),
        [
            pair("BatchCreateVolumeTags", "VOLUME_ID"),
            pair("BatchCreatePublicipTags", "PUBLICIP_ID")
        ]
    );
    assert!(
        rehearsed["follows"][0]["body"]
            .as_str()
            .unwrap()
            .contains("SERVER_ID")
    );
    let admit = place
        .json(&["network", "admit-ssh", "203.0.113.7", "--dry-run"])
        .await;
    assert_eq!(admit["follows"][0]["operation"], "CreateSecurityGroupRule");
    assert!(
        admit["follows"][0]["body"]
            .as_str()
            .unwrap()
            .contains("SECURITY_GROUP_ID")
    );
    let people = place.run(&all).await;
    let people = String::from_utf8(people.stdout).unwrap();
    assert!(people.contains("\n# Then, with ids from the answers"), "{people}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_done_shows_what_it_sent_and_no_secret() {
    let place = Place::new().await;
    place
        .json(&["server", "create", "past", "--template", "linux-small"])
        .await;
    let mut done = Vec::new();
    for arguments in [
        &["server", "stop", "past"][..],
        &["server", "start", "past"],
        &["server", "rename", "past", "gone by"],
        &["server", "rename", "past", "gone-by"],
        &["server", "tags", "gone-by", "--set", "a=1", "--set", "b=2"],
        &["server", "tags", "gone-by", "--remove", "b"],
        &["server", "extend", "gone-by", "--by", "1h"],
        &["disk", "add", "gone-by", "--type", "GPSSD", "--size", "20"],
        &["network", "admit-ssh", "203.0.113.7"],
        &["server", "delete", "gone-by", "--yes"],
    ] {
        let before = asked_of_the_region(&place).await;
        let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let ended = place.run(&all).await;
        if arguments[2..] == ["past", "gone by"] {
            assert_eq!(code(&ended), 4, "a name has no space");
            continue;
        }
        let ended: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let operation = ended.pointer("/0/operation").unwrap_or(&ended);
        assert_eq!(operation["outcome"], "ok", "{arguments:?}: {ended:#}");
        let sent = asked_of_the_region(&place).await[before.len()..].to_vec();
        done.push((operation["id"].as_str().unwrap().to_owned(), sent));
    }
    for (id, sent) in done {
        let shown = place.json(&["operation", "show", &id, "--calls"]).await;
        let first = &shown["requests"][0];
        let url: &str = first["url"].as_str().unwrap();
        let path = format!("/{}", url.splitn(4, '/').nth(3).unwrap());
        let first = (first["method"].as_str().unwrap().to_owned(), path);
        assert_eq!(Some(&first), sent.iter().find(|one| **one == first), "{sent:?}");
        let steps = shown["requests"].as_array().unwrap().len() + shown["follows"].as_array().unwrap().len();
        assert_eq!(steps, sent.len(), "{shown:#} {sent:?}");
        let headers = shown["requests"][0]["headers"].as_array().unwrap();
        assert!(
            headers
                .iter()
                .all(|header| header[0] != "authorization" && header[0] != "x-sdk-date"),
            "a signature of now is not what was sent"
        );
        assert!(shown["command"].is_string(), "{shown:#}");
    }

    let place = Place::new().await;
    place
        .json(&["server", "create", "secret", "--template", "linux-small"])
        .await;
    let mut password = place.command(&["server", "password", "secret", "--json"]);
    password.env("WANGCHENG_SERVER_PASSWORD", "Example-Password1");
    let password = finish(password).await;
    let operation: Value = serde_json::from_slice(&password.stdout).unwrap();
    let calls = place
        .json(&["operation", "show", operation["id"].as_str().unwrap(), "--calls"])
        .await;
    let text = calls.to_string();
    assert!(
        !text.contains("Example-Password1") && text.contains("***"),
        "{calls:#}"
    );
    let unknown = place
        .run(&["operation", "show", "none", "--calls", "--json"])
        .await;
    assert_eq!(
        (code(&unknown), &error(&unknown)["code"]),
        (4, &json!("operation_unknown"))
    );
}
