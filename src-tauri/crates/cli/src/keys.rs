//! The private key that a server got for itself: where it goes, and the warning when it is about to be lost.

use std::path::Path;

use serde_json::{Value, json};

use crate::output::{rows, text};
use crate::session::Session;
use crate::trouble::{Result, Trouble};

/// Refuses a file that cannot be written, while nothing was asked of the cloud yet.
pub fn check_place(session: &Session, file: &Path) -> Result<()> {
    let output = session.output;
    let sentence = if file.symlink_metadata().is_ok() {
        output.say("文件已存在", "This file exists already")
    } else if file
        .parent()
        .is_some_and(|dir| !dir.as_os_str().is_empty() && !dir.is_dir())
    {
        output.say("没有此目录", "There is no such directory")
    } else {
        return Ok(());
    };
    Err(Trouble::new(
        "bad_input",
        format!("{sentence}: {}", file.display()),
        Some(
            output
                .say(
                    "请为 `--save-key` 指定一个新文件。",
                    "Name a new file for `--save-key`.",
                )
                .to_owned(),
        ),
    ))
}

/// Writes the key of a creation, and says how long the other copy lasts. Answers with what programs are told of it.
pub async fn keep(session: &Session, operation: &str, file: Option<&Path>) -> Result<Value> {
    let output = session.output;
    if let Some(file) = file {
        session.write_key(operation, file).await?;
        output.note(&format!(
            "{} {}",
            output.say("云服务器的私钥已写入", "The server's private key is in"),
            file.display()
        ));
    }
    let accounts = session.ask("accounts.list", Value::Null).await?;
    let active = text(&accounts, "active");
    let remembered = rows(&accounts, "accounts")
        .find(|account| text(account, "id") == active)
        .and_then(|account| account.get("remembered"))
        .and_then(Value::as_bool)
        .unwrap_or(false);
    Ok(json!({
        "kept": if remembered { "keychain" } else { "run" },
        "file": file.map(|file| file.display().to_string()),
    }))
}

/// Warns at the end of a creation whose key ends with this run.
pub fn warn(session: &Session, key: &Value) {
    let output = session.output;
    if text(key, "kept") == "run" && key.get("file").is_none_or(Value::is_null) {
        output.note(output.say(
            "注意：此云服务器的私钥只在本次运行中保留，程序结束后即丢失。下次请加 --save-key 文件，或用 account sign-in 登录。",
            "Mind: this server's private key is kept for this run only and is lost now. Next time add --save-key PATH, \
             or sign in with account sign-in.",
        ));
    }
}

/// Writes the key of a server that exists.
pub async fn save(session: &Session, server: &str, file: Option<&Path>) -> Result<()> {
    let output = session.output;
    let server = session.server(server).await?;
    let id = server.get("id").and_then(Value::as_str).unwrap_or_default();
    let saved = match file {
        Some(file) => {
            check_place(session, file)?;
            session.write_key(id, file).await?;
            json!({"keyFile": file.display().to_string()})
        }
        None => session.ask("servers.save_key", json!({"server": id})).await?,
    };
    output.answer(&saved, || {
        ["keyFile", "knownHostsFile", "command"]
            .into_iter()
            .map(|key| text(&saved, key))
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// Prints the public halves of a server's keys, one line each.
pub async fn show(session: &Session, server: &str) -> Result<()> {
    let server = session.server(server).await?;
    let id = server.get("id").and_then(Value::as_str).unwrap_or_default();
    let keys = session.ask("servers.public_keys", json!({"server": id})).await?;
    session
        .output
        .answer(&keys, || ["login", "host"].map(|key| text(&keys, key)).join("\n"))
}
