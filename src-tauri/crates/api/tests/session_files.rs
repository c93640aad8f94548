//! The files of a session's server, over the real sandbox and its simulated machine.
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

/// A server that runs and a session on it that is open.
async fn session(dir: &Path) -> (Running, Api, String, String) {
    let running = region(dir).await;
    let api = common::open(dir, &running).await;
    let sign_in = json!({"user": "ada", "remember": "run"});
    ask(&api, "accounts.sign_in_demo", sign_in).await;
    ask(&api, "servers.create", create("files-01")).await;
    let list = until("the server to run", &api, "servers.list", |list| {
        list["servers"].as_array().unwrap().iter().any(|server| {
            server["name"] == "files-01" && server["state"] == "running" && server["operation"].is_null()
        })
    })
    .await;
    let servers = list["servers"].as_array().unwrap();
    let server = servers.iter().find(|one| one["name"] == "files-01").unwrap();
    let server = server["id"].as_str().unwrap().to_owned();
    let opened = ask(&api, "sessions.open", json!({"server": server})).await;
    let id = opened["id"].as_str().unwrap().to_owned();
    until("somebody to be let in", &api, "sessions.list", |list| {
        list[0]["state"]["kind"] == "open"
    })
    .await;
    (running, api, id, server)
}

/// What comes of an act, as the page sees it.
async fn act(api: &Api, act: Value) -> Value {
    let request: FilesAct = serde_json::from_value(act.clone()).unwrap();
    match api.files_act(request).await {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(error) => panic!("{act}: {error:?}"),
    }
}

async fn refused(api: &Api, act: Value) -> String {
    let request: FilesAct = serde_json::from_value(act).unwrap();
    api.files_act(request).await.unwrap_err().code.to_string()
}

/// Names in a folder, with what they are.
async fn names(api: &Api, session: &str, folder: &str) -> Vec<(String, String)> {
    let listed = act(api, json!({"act": "list", "session": session, "folder": folder})).await;
    let entries = listed["folder"]["entries"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries
        .iter()
        .map(|entry| (text(&entry["name"]), text(&entry["kind"])))
        .collect()
}

/// All copies once each is over or stopped.
async fn settled(api: &Api, session: &str) -> Vec<Value> {
    for _ in 0..400 {
        let told = act(api, json!({"act": "copies", "session": session})).await;
        let copies = told["copies"].as_array().unwrap().clone();
        let under_way = |copy: &Value| {
            ["waiting", "running", "retrying"].contains(&copy["state"]["kind"].as_str().unwrap())
        };
        if !copies.iter().any(under_way) {
            return copies;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the copies do not come to an end");
}

fn noise(length: u32) -> Vec<u8> {
    (0..length)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

#[tokio::test]
async fn files_and_whole_folders_go_up_and_come_down_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, api, session, _) = session(dir.path()).await;
    let here = dir.path().join("here");
    std::fs::create_dir_all(here.join("项目 one/inner")).unwrap();
    let big = noise(9 * 1024 * 1024 + 17);
    std::fs::write(here.join("项目 one/big.bin"), &big).unwrap();
    std::fs::write(here.join("项目 one/inner/说明.txt"), "你好\n").unwrap();
    std::fs::write(here.join("note.txt"), "one").unwrap();

    let home = act(&api, json!({"act": "list", "session": session, "folder": null})).await;
    assert_eq!(home["folder"]["path"], "/root");
    let chosen = vec![here.join("项目 one"), here.join("note.txt")];
    api.upload(&session, chosen, "/root").await.unwrap();
    let copies = settled(&api, &session).await;
    assert_eq!(copies[0]["state"]["kind"], "done", "{copies:#?}");
    assert_eq!(
        (&copies[0]["filesDone"], &copies[0]["up"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(copies[0]["bytesDone"], big.len() + "你好\n".len());
    let found = names(&api, &session, "/root").await;
    let pair = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    assert_eq!(
        found,
        [
            pair("项目 one", "folder"),
            pair("note.txt", "file"),
            pair("README.txt", "file")
        ],
        "folders first, and nothing unfinished is left"
    );

    // The shell sees the same files.
    api.session_type(
        &session,
        "ls -l 'note.txt'; cat '项目 one/inner/说明.txt'\r".into(),
    )
    .await
    .unwrap();
    let mut output = api.session_output(&session, None).await.unwrap();
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains("\n你好\r\n") {
        let piece = tokio::time::timeout(Duration::from_secs(10), output.next()).await;
        text.extend_from_slice(&piece.expect("the shell says it").unwrap()[8..]);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(
        text.contains("-rw-r--r-- 1 root root        3 note.txt"),
        "{text}"
    );
    assert!(
        text.contains("\u{1b}]7;file://"),
        "the shell says where it is: {text:?}"
    );

    let down = dir.path().join("down");
    std::fs::create_dir(&down).unwrap();
    std::fs::write(down.join("note.txt"), "mine").unwrap();
    let there = ["/root/项目 one".to_owned(), "/root/note.txt".to_owned()];
    api.download(&session, &there, &down).await.unwrap();
    let copies = settled(&api, &session).await;
    assert!(
        copies.iter().all(|copy| copy["state"]["kind"] == "done"),
        "{copies:#?}"
    );
    assert_eq!(std::fs::read(down.join("项目 one/big.bin")).unwrap(), big);
    assert_eq!(
        std::fs::read_to_string(down.join("项目 one/inner/说明.txt")).unwrap(),
        "你好\n"
    );
    assert_eq!(
        std::fs::read_to_string(down.join("note.txt")).unwrap(),
        "mine",
        "never replaced"
    );
    assert_eq!(std::fs::read_to_string(down.join("note (2).txt")).unwrap(), "one");
    let folder = api
        .folder_of_copy(&session, copies[2]["id"].as_u64().unwrap())
        .await;
    assert_eq!(folder.unwrap(), Some(down));
    act(&api, json!({"act": "clear_copies", "session": session})).await;
    assert_eq!(settled(&api, &session).await.len(), 0);
    api.stop().await;
}

#[tokio::test]
async fn files_are_renamed_given_permissions_and_removed_and_what_is_there_is_never_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, api, session, _) = session(dir.path()).await;
    let with = |mut request: Value| {
        request["session"] = json!(session);
        request
    };
    act(&api, with(json!({"act": "make_folder", "path": "/root/a b"}))).await;
    let again = refused(&api, with(json!({"act": "make_folder", "path": "/root/a b"}))).await;
    assert_eq!(again, "file_exists");
    let rename = json!({"act": "rename", "from": "/root/README.txt", "to": "/root/a b/读我.txt"});
    act(&api, with(rename.clone())).await;
    assert_eq!(refused(&api, with(rename)).await, "file_exists");
    let gone = json!({"act": "rename", "from": "/root/README.txt", "to": "/root/other"});
    assert_eq!(refused(&api, with(gone)).await, "file_missing");
    let moded = json!({"act": "mode", "paths": ["/root/a b/读我.txt"], "mode": 0o600});
    act(&api, with(moded)).await;
    let listed = act(&api, with(json!({"act": "list", "folder": "/root/a b"}))).await;
    assert_eq!(listed["folder"]["entries"][0]["mode"], 0o600);

    // A file that is there is replaced only when that is asked for.
    let mine = dir.path().join("读我.txt");
    std::fs::write(&mine, "new").unwrap();
    api.upload(&session, vec![mine], "/root/a b").await.unwrap();
    let copies = settled(&api, &session).await;
    assert_eq!(copies[0]["state"]["error"]["code"], "file_exists", "{copies:#?}");
    let steer = json!({"act": "steer", "copy": copies[0]["id"], "how": "replace"});
    act(&api, with(steer)).await;
    assert_eq!(settled(&api, &session).await[0]["state"]["kind"], "done");
    let listed = act(&api, with(json!({"act": "list", "folder": "/root/a b"}))).await;
    assert_eq!(listed["folder"]["entries"][0]["size"], 3);

    let removed = act(&api, with(json!({"act": "remove", "paths": ["/root/a b"]}))).await;
    assert_eq!(removed["count"], 2);
    let gone = refused(&api, with(json!({"act": "list", "folder": "/root/a b"}))).await;
    assert_eq!(gone, "file_missing");
    for path in ["", "/root/\0"] {
        let odd = refused(&api, with(json!({"act": "list", "folder": path}))).await;
        assert_eq!(odd, "file_name_unsafe");
    }
    let close = SessionAct::Close {
        session: session.clone(),
    };
    api.session_act(close).await.unwrap();
    let over = refused(&api, with(json!({"act": "list", "folder": null}))).await;
    assert_eq!(over, "session_unknown");
    api.stop().await;
}

#[tokio::test]
async fn a_shell_that_ended_leads_to_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, api, session, _) = session(dir.path()).await;
    api.session_type(&session, "exit\r".into()).await.unwrap();
    until("the session to end", &api, "sessions.list", |list| {
        list[0]["state"]["kind"] == "ended"
    })
    .await;
    let over = refused(&api, json!({"act": "list", "session": session, "folder": null})).await;
    assert_eq!(over, "session_not_open");
    api.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_ordinary_sftp_program_works_on_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    let (running, api, session, server) = session(dir.path()).await;
    let control = running.announcement().control;
    let url = format!("{}/guest?server={server}", control.trim_end_matches('/'));
    let guest: Value = serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    let key = dir.path().join("key");
    api.write_server_key(&server, &key).await.unwrap();
    let (sent, back) = (dir.path().join("sent 网"), dir.path().join("back"));
    let content = noise(700_000);
    std::fs::write(&sent, &content).unwrap();
    let batch = dir.path().join("batch");
    let script = format!(
        "mkdir \"box 一\"\ncd \"box 一\"\nput \"{}\" sent\nchmod 640 sent\nrename sent kept\nls -l\nget kept \"{}\"\npwd\n",
        sent.display(),
        back.display()
    );
    std::fs::write(&batch, script).unwrap();
    let mut command = std::process::Command::new("sftp");
    command
        .args([
            "-F",
            "none",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ])
        .args([
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "LogLevel=ERROR",
            "-P",
            &guest["port"].to_string(),
            "-i",
        ])
        .arg(&key)
        .arg("-b")
        .arg(&batch)
        .arg("root@127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("/root/box"), "{said}");
    assert_eq!(std::fs::read(back).unwrap(), content);
    let listed = act(
        &api,
        json!({"act": "list", "session": session, "folder": "/root/box 一"}),
    )
    .await;
    let entry = &listed["folder"]["entries"][0];
    assert_eq!(
        (&entry["name"], &entry["mode"]),
        (&json!("kept"), &json!(0o640)),
        "{listed}"
    );
    api.stop().await;
}
