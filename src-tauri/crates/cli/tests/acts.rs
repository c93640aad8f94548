//! Acts on servers that exist, rehearsed and done, and a run that a person stops.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use common::*;

/// What an act would send: method, path of the address, body.
fn would_send(rehearsed: &Value) -> (String, String, Value) {
    let requests = rehearsed["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1, "{rehearsed:#}");
    let request = &requests[0];
    let headers = request["headers"].as_array().unwrap();
    let authorization = headers.iter().find(|header| header[0] == "authorization");
    assert_eq!(
        authorization.unwrap()[1],
        "***",
        "signed, and the signature is not shown"
    );
    assert!(
        headers.iter().any(|header| header[0] == "x-sdk-date"),
        "{request:#}"
    );
    let url = request["url"].as_str().unwrap();
    let path = url.splitn(4, '/').nth(3).unwrap().to_owned();
    let body = request["body"].as_str().unwrap();
    (
        request["method"].as_str().unwrap().to_owned(),
        path,
        serde_json::from_str(body).unwrap_or(Value::Null),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_can_be_rehearsed_and_nothing_of_it_is_done() {
    let place = Place::new().await;
    let create = ["server", "create", "dry", "--template", "linux-small"];
    let rehearsal: Vec<&str> = create.into_iter().chain(["--dry-run"]).collect();
    let rehearsed = place.json(&rehearsal).await;
    let (method, path, body) = would_send(&rehearsed);
    assert_eq!(method, "POST");
    assert!(
        path.starts_with("v1.1/") && path.ends_with("/cloudservers"),
        "{path}"
    );
    assert_eq!(body["server"]["name"], "dry");
    assert!(body["server"]["auto_terminate_time"].is_string(), "{body:#}");
    let headers = rehearsed["requests"][0]["headers"].as_array().unwrap();
    assert!(headers.iter().any(|header| header[0] == "x-client-token"));
    // `PRIVATE KEY` in base64, in each of the three ways it can fall.
    let user_data = body["server"]["user_data"].as_str().unwrap();
    for text in ["UFJJVkFURSBLRV", "BSSVZBVEUgS0VZ", "QUklWQVRFIEtFW"] {
        assert!(!user_data.contains(text), "no private key is shown");
    }
    assert_eq!(
        place.json(&["operation", "list"]).await,
        json!([]),
        "nothing is recorded"
    );
    let servers = place.json(&["server", "list"]).await;
    let servers = servers["servers"].as_array().unwrap();
    assert!(
        servers.iter().all(|server| server["name"] != "dry"),
        "nothing was made"
    );

    let made = place.json(&create).await;
    let id = made["serverId"].as_str().unwrap();
    let action = |path: &str| path.ends_with("/cloudservers/action");
    for (act, key) in [("stop", "os-stop"), ("reboot", "reboot")] {
        let (method, path, body) =
            would_send(&place.json(&["server", act, "dry", "--hard", "--dry-run"]).await);
        assert!(method == "POST" && action(&path), "{act}: {path}");
        assert_eq!(body[key]["type"], "HARD");
        assert_eq!(body[key]["servers"][0]["id"], id);
    }
    let refused = place
        .run(&["server", "start", "dry", "--dry-run", "--json"])
        .await;
    assert_eq!(code(&refused), 4, "it runs already: {}", said(&refused));
    assert_eq!(error(&refused)["code"], "state_conflict");

    for arguments in [&["extend", "dry", "--by", "1h"][..], &["cancel-lease", "dry"]] {
        let all: Vec<&str> = ["server"]
            .into_iter()
            .chain(arguments.iter().copied())
            .chain(["--dry-run"])
            .collect();
        let (method, path, body) = would_send(&place.json(&all).await);
        assert_eq!(method, "POST");
        assert!(
            path.contains(id) && path.contains("auto-terminate-time"),
            "{path}"
        );
        assert_eq!(
            body["auto_terminate_time"] == "",
            arguments.len() == 2,
            "{body:#}"
        );
    }
    let (_, path, body) = would_send(&place.json(&["server", "delete", "dry", "--dry-run"]).await);
    assert!(path.ends_with("/cloudservers/delete"), "{path}");
    assert_eq!(body["delete_volume"], true);
    let (_, path, body) = would_send(&place.json(&["server", "rename", "dry", "wet", "--dry-run"]).await);
    assert!(path.contains(id));
    assert_eq!(body["server"]["name"], "wet");
    let (_, path, _) = would_send(
        &place
            .json(&["server", "tags", "dry", "--set", "team=one", "--dry-run"])
            .await,
    );
    assert!(path.contains("tags"), "{path}");
    let mut password = place.command(&["server", "password", "dry", "--dry-run", "--json"]);
    password.env("WANGCHENG_SERVER_PASSWORD", "Example-Password1");
    let password = finish(password).await;
    let shown = String::from_utf8(password.stdout).unwrap();
    assert!(!shown.contains("Example-Password1"), "a password is not shown");
    let (method, path, body) = would_send(&serde_json::from_str(&shown).unwrap());
    assert!(method == "PUT" && path.contains("reset-password"), "{path}");
    assert_eq!(body["reset-password"]["new_password"], "***");

    let shown = place.json(&["server", "show", "dry"]).await;
    assert_eq!(
        (&shown["state"], &shown["operation"]),
        (&json!("running"), &Value::Null)
    );
    let operations = place.json(&["operation", "list"]).await;
    assert_eq!(
        operations.as_array().unwrap().len(),
        1,
        "only what was done: {operations:#}"
    );

    let people = place.run(&["server", "stop", "dry", "--dry-run"]).await;
    let text = String::from_utf8(people.stdout).unwrap();
    assert!(
        text.starts_with("POST http") && text.contains("authorization: ***"),
        "{text}"
    );
    assert!(text.contains("\"os-stop\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_renamed_tagged_given_a_password_and_another_flavor() {
    let place = Place::new().await;
    place
        .json(&["server", "create", "old", "--template", "linux-small"])
        .await;
    let renamed = place.json(&["server", "rename", "old", "new"]).await;
    assert_eq!(renamed["outcome"], "ok", "{renamed:#}");
    let tagged = place
        .json(&[
            "server",
            "tags",
            "new",
            "--set",
            "team=one",
            "--set",
            "stage=test",
        ])
        .await;
    assert_eq!(tagged["outcome"], "ok", "{tagged:#}");
    let mut password = place.command(&["server", "password", "new", "--json"]);
    password.env("WANGCHENG_SERVER_PASSWORD", "Example-Password1");
    let password = finish(password).await;
    assert_eq!(code(&password), 0, "{}", said(&password));

    let options = place.json(&["server", "resize", "new"]).await;
    let wanted = options["options"]
        .as_array()
        .unwrap()
        .iter()
        .find(|option| option["problem"].is_null())
        .unwrap_or_else(|| panic!("a flavor to change to: {options:#}"));
    let flavor = wanted["flavor"].as_str().unwrap();
    let refused = place
        .run(&["server", "resize", "new", "--flavor", flavor, "--json"])
        .await;
    assert_eq!(code(&refused), 4, "it runs: {}", said(&refused));
    assert_eq!(error(&refused)["code"], "stop_needed");
    let resized = place
        .json(&["server", "resize", "new", "--flavor", flavor, "--stop"])
        .await;
    assert_eq!(resized["outcome"], "ok", "{resized:#}");
    let shown = place.json(&["server", "show", "new"]).await;
    assert_eq!(
        (&shown["flavor"], &shown["state"]),
        (&json!(flavor), &json!("running"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_saved_exported_and_imported() {
    let place = Place::new().await;
    let mut template = place.json(&["template", "show", "linux-small"]).await;
    template["id"] = json!("ours");
    template["nameEn"] = json!("Ours");
    let file = place.dir.path().join("ours.json");
    std::fs::write(&file, template.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let saved = place.json(&["template", "save", file]).await;
    assert!(
        saved.as_array().unwrap().iter().any(|one| one["id"] == "ours"),
        "{saved:#}"
    );

    let exported = place.run(&["template", "export"]).await;
    let export = place.dir.path().join("export.json");
    std::fs::write(&export, &exported.stdout).unwrap();
    let refused = place.run(&["template", "remove", "ours", "--json"]).await;
    assert_eq!(code(&refused), 4, "it is asked about");
    let left = place.json(&["template", "remove", "ours", "--yes"]).await;
    assert!(left.as_array().unwrap().iter().all(|one| one["id"] != "ours"));
    let back = place
        .json(&["template", "import", export.to_str().unwrap()])
        .await;
    assert!(
        back.as_array().unwrap().iter().any(|one| one["nameEn"] == "Ours"),
        "{back:#}"
    );
    let unknown = place.run(&["template", "show", "none", "--json"]).await;
    assert_eq!(
        (code(&unknown), &error(&unknown)["code"]),
        (4, &json!("template_unknown"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_says_what_was_refused_and_how_it_stands_in_words() {
    let place = Place::new().await;
    assert_eq!(place.json(&["delivery", "refused"]).await, json!([]));
    let exported = place.run(&["delivery", "export-refused"]).await;
    assert_eq!((code(&exported), exported.stdout.len()), (0, 0));
    let again = place.json(&["delivery", "resend", "--all"]).await;
    assert_eq!(again["quarantined"], 0);
    let missing = place.run(&["delivery", "resend", "--json"]).await;
    assert_eq!(code(&missing), 2, "which one, or all");
    let status = place.run(&["delivery", "status"]).await;
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("all delivered"), "in words: {status}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_waiting_and_not_the_operation() {
    // At this speed a server takes some seconds to boot: there is time to be stopped.
    let place = Place::with_speed(1.0).await;
    let mut command = place.command(&[
        "server",
        "create",
        "stopped",
        "--template",
        "linux-small",
        "--json",
    ]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let mut id = None;
    for _ in 0..100 {
        let operations = place.json(&["operation", "list"]).await;
        id = operations[0]["id"].as_str().map(str::to_owned);
        if id.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let id = id.expect("it was recorded");
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap())
        .await
        .unwrap();
    assert_eq!(code(&output), 130, "{}", said(&output));
    assert_eq!(error(&output)["code"], "cancelled");
    let sentence = error(&output)["sentence"].as_str().unwrap().to_owned();
    assert!(
        sentence.contains("not undone") && sentence.contains(&id),
        "{sentence}"
    );
    assert_eq!(
        error(&output)["nextStep"],
        format!("wangcheng operation show {id} --wait")
    );
    let later = place.json(&["operation", "show", &id, "--wait"]).await;
    assert_eq!(later["outcome"], "ok", "it went on: {later:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_be_sent_is_given_up_from_another_terminal() {
    let place = Place::new().await;
    place
        .json(&["server", "create", "give-up", "--template", "linux-small"])
        .await;
    let busy = json!({"do": "flow_control", "service": "ecs", "method": "POST"});
    assert!(place.running.cause(serde_json::from_value(busy).unwrap()));
    let stopping = place
        .command(&["--json", "server", "stop", "give-up", "--yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut id = None;
    for _ in 0..100 {
        let operations = place.json(&["operation", "list"]).await;
        let newest = &operations[0];
        if newest["kind"] == "server.stop" && newest["cancellable"] == true {
            id = newest["id"].as_str().map(str::to_owned);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let id = id.expect("it is recorded and waits");
    let cancelled = place.json(&["operation", "cancel", &id]).await;
    assert_eq!(cancelled["outcome"], "cancelled");
    let ended = tokio::task::spawn_blocking(|| stopping.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        ended.status.code(),
        Some(4),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    place.running.heal();
    let shown = place.json(&["server", "show", "give-up"]).await;
    assert_eq!(shown["state"], "running");
}
