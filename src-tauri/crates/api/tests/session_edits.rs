//! A server's file in an editor of this computer, over the real sandbox and its simulated machine. The editor is the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::path::Path;
use std::time::Duration;

use api::{Api, FilesAct, SessionAct};
use common::{ask, create, region, until};
use sandbox::Running;
use serde_json::{Value, json};

const THERE: &str = "/root/app.conf";

/// A session that is open on a server that has this file.
async fn session(dir: &Path, content: &str) -> (Running, Api, String) {
    let running = region(dir).await;
    let api = common::open(dir, &running).await;
    let sign_in = json!({"user": "ada", "remember": "run"});
    ask(&api, "accounts.sign_in_demo", sign_in).await;
    ask(&api, "servers.create", create("edits-01")).await;
    let runs = |list: &Value| {
        let servers = list["servers"].as_array().unwrap();
        let found = servers.iter().find(|server| server["name"] == "edits-01");
        found.is_some_and(|server| server["state"] == "running" && server["operation"].is_null())
    };
    let list = until("the server to run", &api, "servers.list", runs).await;
    let servers = list["servers"].as_array().unwrap();
    let server = servers
        .iter()
        .find(|server| server["name"] == "edits-01")
        .unwrap();
    let opened = ask(&api, "sessions.open", json!({"server": server["id"]})).await;
    let id = opened["id"].as_str().unwrap().to_owned();
    until("somebody to be let in", &api, "sessions.list", |list| {
        list[0]["state"]["kind"] == "open"
    })
    .await;
    let file = dir.join("app.conf");
    std::fs::write(&file, content).unwrap();
    api.upload(&id, vec![file], "/root").await.unwrap();
    there(&api, &id, dir, content).await;
    act(
        &api,
        json!({"act": "mode", "session": id, "paths": [THERE], "mode": 0o640}),
    )
    .await;
    (running, api, id)
}

async fn act(api: &Api, act: Value) -> Value {
    let request: FilesAct = serde_json::from_value(act.clone()).unwrap();
    match api.files_act(request).await {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(error) => panic!("{act}: {error:?}"),
    }
}

/// Waits until the server has this in the file.
async fn there(api: &Api, session: &str, dir: &Path, content: &str) {
    let mut found = String::new();
    for number in 0..60 {
        let down = dir.join(format!("down-{number}-{}", content.len()));
        std::fs::create_dir_all(&down).unwrap();
        api.download(session, &[THERE.to_owned()], &down).await.unwrap();
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(25)).await;
            if let Ok(text) = std::fs::read_to_string(down.join("app.conf")) {
                found = text;
                break;
            }
        }
        if found == content {
            return;
        }
    }
    panic!("the server has {found:?}");
}

/// Waits until the only file that is changed here stands so.
async fn stands(api: &Api, session: &str, kind: &str) -> Value {
    let mut edits = Value::Null;
    for _ in 0..200 {
        let told = act(api, json!({"act": "edits", "session": session})).await;
        edits = told["edits"].clone();
        if edits[0]["state"]["kind"] == kind {
            return edits[0].clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {kind}: {edits}");
}

async fn gone(place: &Path) {
    for _ in 0..100 {
        if !place.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} is still there", place.display());
}

#[cfg(unix)]
fn mode(place: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(place).unwrap().permissions()) & 0o7777
}

#[tokio::test]
async fn what_is_saved_in_an_editor_goes_back_whole_and_its_copy_goes_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, api, session) = session(dir.path(), "port = 80\n").await;
    let rescue = dir.path().join("downloads");
    std::fs::create_dir(&rescue).unwrap();

    let copy = api.edit(&session, THERE, &rescue).await.unwrap();
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "port = 80\n");
    assert_eq!(
        copy.file_name().unwrap(),
        "app.conf",
        "an editor knows it by its name"
    );
    #[cfg(unix)]
    assert_eq!(
        (mode(&copy), mode(copy.parent().unwrap())),
        (0o600, 0o700),
        "nobody else reads it"
    );
    stands(&api, &session, "same").await;
    assert_eq!(
        api.edit(&session, "/root/../root/app.conf", &rescue)
            .await
            .unwrap(),
        copy,
        "it is opened once"
    );
    // As many editors save: beside it, and then in its place.
    let beside = copy.with_file_name("app.conf~new");
    std::fs::write(&beside, "port = 8080\n").unwrap();
    std::fs::rename(&beside, &copy).unwrap();
    there(&api, &session, dir.path(), "port = 8080\n").await;
    let edit = stands(&api, &session, "saved").await;
    assert_eq!(
        (&edit["state"]["times"], &edit["path"]),
        (&json!(1), &json!(THERE))
    );
    let listed = act(
        &api,
        json!({"act": "list", "session": session, "folder": "/root"}),
    )
    .await;
    let entries = listed["folder"]["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["name"] == "app.conf").unwrap();
    assert_eq!(entry["mode"], 0o640, "its permissions are what they were");

    act(
        &api,
        json!({"act": "end_edit", "session": session, "edit": edit["id"]}),
    )
    .await;
    gone(copy.parent().unwrap()).await;
    assert_eq!(
        std::fs::read_dir(&rescue).unwrap().count(),
        0,
        "nothing was left to save"
    );
    api.stop().await;
}

#[tokio::test]
async fn a_file_that_changed_on_both_sides_is_not_lost_on_either() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, api, session) = session(dir.path(), "one\n").await;
    let rescue = dir.path().join("downloads");
    std::fs::create_dir(&rescue).unwrap();
    let copy = api.edit(&session, THERE, &rescue).await.unwrap();
    api.session_type(&session, "echo two >> app.conf\r".into())
        .await
        .unwrap();
    there(&api, &session, dir.path(), "one\ntwo\n").await;
    std::fs::write(&copy, "mine\n").unwrap();
    let edit = stands(&api, &session, "conflict").await;
    there(&api, &session, dir.path(), "one\ntwo\n").await;
    act(
        &api,
        json!({"act": "save_edit", "session": session, "edit": edit["id"]}),
    )
    .await;
    stands(&api, &session, "saved").await;
    there(&api, &session, dir.path(), "mine\n").await;

    // Again; this time the session ends before anybody decides.
    api.session_type(&session, "echo three >> app.conf\r".into())
        .await
        .unwrap();
    there(&api, &session, dir.path(), "mine\nthree\n").await;
    std::fs::write(&copy, "mine again\n").unwrap();
    stands(&api, &session, "conflict").await;
    let close = SessionAct::Close {
        session: session.clone(),
    };
    api.session_act(close).await.unwrap();
    gone(copy.parent().unwrap()).await;
    let kept = std::fs::read_to_string(rescue.join("app.conf")).unwrap();
    assert_eq!(kept, "mine again\n", "what could not be saved is kept");
    api.stop().await;
}
