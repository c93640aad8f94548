//! What is asked and shown about servers.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::arguments::{Create, PowerAct, Server, Wait};
use crate::change;
use crate::commands::show_operation;
use crate::fields::{facts, shown};
use crate::keys;
use crate::leftovers;
use crate::lives::{self, later};
use crate::output::{can_ask, rows, table, text};
use crate::session::{Session, now, wire};
use crate::several;
use crate::templates::input;
use crate::times;
use crate::trouble::{Result, Trouble};
use crate::words::{safe, word};

/// Servers.
pub async fn server(session: &Session, command: &Server) -> Result<()> {
    match command {
        Server::List => list(session).await,
        Server::Show { server } => {
            let server = session.server(server).await?;
            session.output.answer(&server, || {
                let keys = [
                    "id", "name", "state", "fault", "owner", "purpose", "flavor", "vcpus", "ramMb", "image",
                    "zone",
                ];
                let tongue = session.output.tongue;
                let more = ["created", "leaseEnd"].map(|key| (key, shown(tongue, &server, key)));
                let addresses = ("addresses", addresses(&server));
                facts(
                    tongue,
                    &server,
                    &keys,
                    [addresses].into_iter().chain(more).collect(),
                )
            })
        }
        Server::Create(create) => make(session, create).await,
        Server::Start { servers, wait } => power(session, servers, "start", false, *wait).await,
        Server::Stop(act) => switch(session, act, "stop").await,
        Server::Reboot(act) => switch(session, act, "reboot").await,
        Server::Extend {
            servers,
            by,
            until,
            wait,
        } => lives::extend(session, servers, *by, *until, *wait).await,
        Server::CancelLease { server, yes, wait } => {
            let server = session.server(server).await?;
            let name = server.get("name").and_then(Value::as_str).unwrap_or_default();
            if !yes && !wait.dry_run {
                session.output.note(session.output.say(
                    "取消租期后，云服务器会一直保留并计费，直到有人删除它。",
                    "Without a lease the server stays, and costs, until somebody deletes it.",
                ));
                confirm(session, "server", name)?;
            }
            let ask = json!({"server": id(&server)});
            change::act(session, "servers.cancel_lease", ask, *wait).await
        }
        Server::SaveKey {
            server, public: true, ..
        } => keys::show(session, server).await,
        Server::SaveKey { server, file, .. } => keys::save(session, server, file.as_deref()).await,
        Server::Delete { servers, yes, wait } => lives::delete(session, servers, *yes, *wait).await,
        Server::Resize {
            server,
            flavor,
            stop,
            wait,
        } => change::resize(session, server, flavor.as_deref(), *stop, *wait).await,
        Server::Mark { server, wait } => {
            let server = session.server(server).await?;
            change::act(
                session,
                "servers.mark_parts",
                json!({"server": id(&server)}),
                *wait,
            )
            .await
        }
        Server::Leftovers(command) => leftovers::leftovers(session, command).await,
        Server::Rename { server, name, wait } => {
            let server = session.server(server).await?;
            let ask = json!({"server": id(&server), "name": name});
            change::act(session, "servers.rename", ask, *wait).await
        }
        Server::Tags {
            server,
            set,
            remove,
            wait,
        } => change::tags(session, server, set, remove, *wait).await,
        Server::Password { server, wait } => change::password(session, server, *wait).await,
        Server::Adopt { server, wait } => {
            let server = session.server(server).await?;
            change::act(session, "servers.adopt", json!({"server": id(&server)}), *wait).await
        }
    }
}

async fn list(session: &Session) -> Result<()> {
    let output = session.output;
    let list = session.ask("servers.refresh", Value::Null).await?;
    output.answer(&list, || {
        let head = match output.tongue {
            api::Tongue::Chinese => ["名称", "状态", "规格", "地址", "租期至", "所有者", "ID"],
            api::Tongue::English => ["NAME", "STATE", "FLAVOR", "ADDRESSES", "LEASE END", "OWNER", "ID"],
        };
        table(
            &head,
            rows(&list, "servers").map(|server| {
                vec![
                    text(server, "name"),
                    word(output.tongue, "state", text(server, "state")),
                    text(server, "flavor"),
                    addresses(server),
                    shown(output.tongue, server, "leaseEnd"),
                    text(server, "owner"),
                    text(server, "id"),
                ]
            }),
        )
    })?;
    // What is shown is what was known before.
    match list.get("problem") {
        Some(problem) if problem.is_object() => {
            if let Some(as_of) = list.get("asOf").and_then(Value::as_str) {
                output.note(&format!(
                    "{} {}",
                    output.say("数据截至", "As of"),
                    times::with_distance(output.tongue, as_of)
                ));
            }
            Err(wire(problem, false))
        }
        _ => Ok(()),
    }
}

async fn make(session: &Session, create: &Create) -> Result<()> {
    let lease_end = match (create.until, create.length) {
        (Some(until), _) => until,
        (None, Some(length)) => later(now(), length),
        (None, None) => {
            let templates = session.ask("templates.list", Value::Null).await?;
            let template = templates
                .as_array()
                .into_iter()
                .flatten()
                .find(|template| template.get("id").and_then(Value::as_str) == Some(&create.template));
            let hours = template
                .and_then(|template| template.get("leaseHours"))
                .and_then(Value::as_u64)
                // An unknown template is refused below, by the same rule as everywhere.
                .unwrap_or(8);
            later(now(), Duration::from_secs(hours.saturating_mul(3600)))
        }
    };
    let own_text = match &create.user_data {
        Some(file) => Some(input(session, file)?),
        None => None,
    };
    let ask = json!({
        "template": create.template,
        "name": create.name,
        "purpose": create.purpose,
        "leaseEnd": lease_end,
        "flavor": create.flavor,
        "image": create.image,
        "zone": create.zone,
        "subnet": create.subnet,
        "securityGroup": create.security_group,
        "keyPair": create.key_pair,
        "publicMbps": create.public_mbps,
        "userData": own_text,
    });
    if let Some(file) = &create.save_key {
        keys::check_place(session, file)?;
    }
    let quote = session.ask("servers.quote", ask.clone()).await?;
    let mut blocking = None;
    for problem in rows(&quote, "problems") {
        let blocks = problem.get("blocking").and_then(Value::as_bool) == Some(true);
        let sentence = problem.pointer("/error/sentence").and_then(Value::as_str);
        // The first that blocks is the error; the others are told beside it.
        if blocks && blocking.is_none() {
            blocking = problem.get("error");
        } else if let Some(sentence) = sentence {
            session.output.note(&safe(sentence));
        }
    }
    if let Some(error) = blocking {
        return Err(wire(error, false));
    }
    let money = |key: &str| {
        let amount = quote.pointer(&format!("/{key}/amount")).and_then(Value::as_str)?;
        let currency = quote
            .pointer(&format!("/{key}/currency"))
            .and_then(Value::as_str)?;
        Some(safe(&format!("{amount} {currency}")))
    };
    if let (Some(hour), Some(lease)) = (money("perHour"), money("forLease")) {
        session.output.note(&format!(
            "{} {hour}, {} {lease}",
            session.output.say("预计每小时", "Estimated: an hour"),
            session.output.say("整个租期", "the whole lease"),
        ));
    }
    if create.wait.dry_run {
        return change::rehearse(session, "servers.create", ask, create.wait.form).await;
    }
    let fresh = quote.get("freshKey").and_then(Value::as_bool) == Some(true);
    if let (Some(file), false) = (&create.save_key, fresh) {
        return Err(Trouble::new(
            "bad_input",
            format!(
                "{}: {}",
                session.output.say(
                    "此云服务器使用云上的密钥对，没有可保存的私钥",
                    "This server takes a key pair of the cloud's, so there is no private key to save"
                ),
                file.display()
            ),
            None,
        ));
    }
    let (operation, changes) = session.begin("servers.create", ask).await?;
    // Written at once: whatever ends the waiting, who has the server has its key.
    let key = if fresh {
        keys::keep(session, &id(&operation), create.save_key.as_deref()).await
    } else {
        Ok(Value::Null)
    };
    let ended = session.follow(operation, changes, create.wait).await;
    let key = key?;
    keys::warn(session, &key);
    let mut operation = ended?;
    if let (Some(told), true) = (operation.as_object_mut(), fresh) {
        told.insert("key".to_owned(), key);
    }
    if let (Some(file), "failed") = (&create.save_key, text(&operation, "outcome").as_str())
        && text(&operation, "serverId").is_empty()
    {
        // It opens nothing.
        let _ = tokio::fs::remove_file(file).await;
    }
    show_operation(session, &operation)
}

/// Stops or restarts one or several. Cutting the power is asked about.
async fn switch(session: &Session, act: &PowerAct, name: &str) -> Result<()> {
    if act.hard && !act.wait.dry_run {
        confirm_all(session, &act.servers, act.yes)?;
    }
    power(session, &act.servers, name, act.hard, act.wait).await
}

/// Starts, stops or restarts one or several, with one result each.
async fn power(session: &Session, servers: &[String], act: &str, hard: bool, wait: Wait) -> Result<()> {
    let servers = lives::found(session, servers).await?;
    let ids: Vec<String> = servers.iter().map(id).collect();
    let ask = json!({"servers": ids, "act": act, "hard": hard});
    several::act(session, "servers.power", vec![ask], wait).await
}

fn confirm_all(session: &Session, servers: &[String], yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    session.output.note(session.output.say(
        "强制断电：未写入磁盘的数据会丢失。",
        "The power is cut: what is not on the disks is lost.",
    ));
    for server in servers {
        confirm(session, "server", server)?;
    }
    Ok(())
}

/// A person has to type the name of a `server`, a `disk` or a `part`. Without a person it is refused.
pub fn confirm(session: &Session, what: &str, name: &str) -> Result<()> {
    let output = session.output;
    if !can_ask() {
        return Err(Trouble::new(
            "confirmation_missing",
            output.say(
                "需要确认，但这里没有终端。",
                "This has to be confirmed, and there is no terminal.",
            ),
            Some(
                output
                    .say("确定无误后加上 `--yes`。", "Add `--yes` when it is meant.")
                    .to_owned(),
            ),
        ));
    }
    let mut err = std::io::stderr().lock();
    write!(
        err,
        "{} ",
        match what {
            "server" => output.say("请输入云服务器名称以确认：", "Type the server's name to confirm:"),
            "disk" => output.say("请输入磁盘名称以确认：", "Type the disk's name to confirm:"),
            _ => output.say("请输入以下名称以确认：", "Type this to confirm:"),
        }
    )?;
    err.flush()?;
    drop(err);
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    if typed.trim_end_matches(['\r', '\n']) == name {
        Ok(())
    } else {
        Err(Trouble::new(
            "name_mismatch",
            output.say(
                "名称不一致，什么都没有做。",
                "That is not the name; nothing was done.",
            ),
            None,
        ))
    }
}

/// The id of a server or an operation.
pub fn id(server: &Value) -> String {
    server
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn addresses(server: &Value) -> String {
    rows(server, "addresses")
        .map(|address| text(address, "address"))
        .collect::<Vec<_>>()
        .join(" ")
}
