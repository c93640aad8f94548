//! What each command asks and shows, apart from servers.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::arguments::{Account, Common, Delivery, Events, Operation, Template};
use crate::output::{facts, rows, table, text};
use crate::secrets;
use crate::session::{Session, wire};
use crate::trouble::{Result, Trouble};
use crate::words::safe;

/// How many events are read at once.
const PAGE: u64 = 500;
const STEP: Duration = Duration::from_millis(200);

/// Accounts.
pub async fn account(session: &Session, common: &Common, command: &Account) -> Result<()> {
    let output = session.output;
    let accounts = match command {
        Account::List => session.ask("accounts.list", Value::Null).await?,
        Account::SignIn { name, project_id } => {
            let region = common.region.as_deref().ok_or_else(|| {
                Trouble::new(
                    "input_missing",
                    output.say("需要 --region。", "--region is needed."),
                    None,
                )
            })?;
            let key = secrets::key(output)?;
            let account = session
                .sign_in(name, region, &key, project_id.as_deref(), "keychain")
                .await?;
            return output.answer(&account, || {
                format!(
                    "{} {} ({})",
                    output.say("已登录：", "Signed in as"),
                    text(&account, "userName"),
                    text(&account, "id")
                )
            });
        }
        Account::Use { account } => {
            let id = session.account(account).await?;
            session.ask("accounts.select", json!({ "account": id })).await?
        }
        Account::Retry { account } => {
            let id = session.account(account).await?;
            let accounts = session.ask("accounts.retry", json!({ "account": id })).await?;
            let stopped = rows(&accounts, "accounts")
                .find(|account| account.get("id").and_then(Value::as_str) == Some(&id))
                .and_then(|account| account.pointer("/state/error"));
            if let Some(error) = stopped {
                return Err(wire(error, false));
            }
            accounts
        }
        Account::SignOut { account } => {
            let id = session.account(account).await?;
            session.ask("accounts.sign_out", json!({ "account": id })).await?
        }
    };
    output.answer(&accounts, || {
        let active = text(&accounts, "active");
        let head = match output.tongue {
            api::Tongue::Chinese => ["", "名称", "区域", "用户", "ID", "状态"],
            api::Tongue::English => ["", "NAME", "REGION", "USER", "ID", "STATE"],
        };
        table(
            &head,
            rows(&accounts, "accounts").map(|account| {
                let id = text(account, "id");
                let state = account.pointer("/state/error/sentence").and_then(Value::as_str);
                vec![
                    if id == active { "*" } else { "" }.to_owned(),
                    text(account, "name"),
                    text(account, "region"),
                    text(account, "userName"),
                    id,
                    state.map_or_else(|| output.say("可用", "ready").to_owned(), safe),
                ]
            }),
        )
    })
}

/// Templates.
pub async fn template(session: &Session, command: &Template) -> Result<()> {
    let Template::List = command;
    let output = session.output;
    let templates = session.ask("templates.list", Value::Null).await?;
    output.answer(&templates, || {
        let (head, name) = match output.tongue {
            api::Tongue::Chinese => (["ID", "名称", "vCPU", "内存 GiB", "租期（小时）"], "nameZh"),
            api::Tongue::English => (["ID", "NAME", "VCPUS", "MEMORY GIB", "LEASE HOURS"], "nameEn"),
        };
        table(
            &head,
            templates.as_array().into_iter().flatten().map(|template| {
                ["id", name, "vcpus", "ramGb", "leaseHours"]
                    .into_iter()
                    .map(|key| text(template, key))
                    .collect()
            }),
        )
    })
}

/// Operations.
pub async fn operation(session: &Session, command: &Operation) -> Result<()> {
    let output = session.output;
    match command {
        Operation::List => {
            let all = session.ask("operations.list", Value::Null).await?;
            output.answer(&all, || {
                let head = match output.tongue {
                    api::Tongue::Chinese => ["时间", "操作", "云服务器", "阶段", "结果", "ID"],
                    api::Tongue::English => ["TIME", "KIND", "SERVER", "STAGE", "OUTCOME", "ID"],
                };
                table(
                    &head,
                    all.as_array().into_iter().flatten().map(|operation| {
                        ["recordedAt", "kind", "serverName", "stage", "outcome", "id"]
                            .into_iter()
                            .map(|key| text(operation, key))
                            .collect()
                    }),
                )
            })
        }
        Operation::Show { id, wait, timeout } => {
            let operation = if *wait {
                session.follow_by_id(id, *timeout).await?
            } else {
                session.operation(id).await?
            };
            show_operation(session, &operation)
        }
    }
}

/// One operation as it is; when it failed, its error.
pub fn show_operation(session: &Session, operation: &Value) -> Result<()> {
    let output = session.output;
    output.answer(operation, || {
        let pairs: Vec<(&str, String)> = [
            "id",
            "kind",
            "serverName",
            "serverId",
            "stage",
            "outcome",
            "leaseEnd",
            "recordedAt",
            "sentAt",
            "settledAt",
        ]
        .into_iter()
        .map(|key| (key, text(operation, key)))
        .collect();
        facts(&pairs)
    })?;
    match operation.get("error") {
        Some(error) if error.is_object() => Err(wire(error, true)),
        _ => Ok(()),
    }
}

/// Events.
pub async fn events(session: &Session, command: &Events) -> Result<()> {
    let output = session.output;
    match command {
        Events::List { limit, before } => {
            let page = session
                .ask("events.list", json!({"before": before, "limit": limit}))
                .await?;
            output.answer(&page, || {
                let head = match output.tongue {
                    api::Tongue::Chinese => ["序号", "时间", "动作", "结果", "云服务器", "所有者", "已投递"],
                    api::Tongue::English => {
                        ["SEQ", "TIME", "ACTION", "OUTCOME", "SERVER", "OWNER", "DELIVERED"]
                    }
                };
                table(
                    &head,
                    rows(&page, "events").map(|event| {
                        [
                            "seq",
                            "time",
                            "action",
                            "outcome",
                            "serverName",
                            "owner",
                            "delivered",
                        ]
                        .into_iter()
                        .map(|key| text(event, key))
                        .collect()
                    }),
                )
            })
        }
        Events::Export { from } => {
            let newest = session
                .ask("events.list", json!({"before": null, "limit": 1}))
                .await?;
            let last = newest.get("lastSeq").and_then(Value::as_u64).unwrap_or(0);
            let mut next = (*from).max(1);
            while next <= last {
                // The numbers have no gaps, so a page is the numbers from here to there.
                let end = next.saturating_add(PAGE);
                let page = session
                    .ask("events.list", json!({"before": end, "limit": PAGE}))
                    .await?;
                let events: Vec<&Value> = rows(&page, "events").collect();
                for event in events.iter().rev() {
                    let seq = event.get("seq").and_then(Value::as_u64).unwrap_or(0);
                    let line = event.get("json").and_then(Value::as_str);
                    if let (true, Some(line)) = (seq >= next && seq <= last, line) {
                        output.line(line)?;
                    }
                }
                next = end;
            }
            Ok(())
        }
    }
}

/// The fields in a profile's file.
async fn profile_of(output: crate::output::Output, file: &std::path::Path) -> Result<Value> {
    let text = tokio::fs::read(file).await.map_err(|error| error.to_string());
    let read = text.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
    read.map_err(|why| {
        Trouble::new(
            "bad_input",
            format!(
                "{}: {}: {why}",
                output.say("读不了配置文件", "The profile cannot be read"),
                file.display()
            ),
            Some("--profile".to_owned()),
        )
    })
}

/// Delivery.
pub async fn delivery(session: &Session, command: &Delivery) -> Result<()> {
    let output = session.output;
    let delivery = match command {
        Delivery::Status => session.ask("delivery.status", Value::Null).await?,
        Delivery::Configure {
            url,
            event_set,
            datatype,
            allow_plain_http,
            preset,
            profile,
            keep_token,
        } => {
            let profile = match profile {
                Some(file) => Some(profile_of(output, file).await?),
                None => None,
            };
            let token = if *keep_token {
                None
            } else {
                Some(secrets::token(output)?)
            };
            let ask = json!({
                "url": url,
                "token": token.as_ref().map(|token| token.expose_secret()),
                "eventSet": event_set,
                "datatype": datatype,
                "allowPlainHttp": allow_plain_http,
                "preset": preset,
                "profile": profile,
            });
            session.ask("delivery.configure", ask).await?
        }
        Delivery::Test => {
            let test = session.ask("delivery.test", Value::Null).await?;
            output.answer(&test, || {
                format!(
                    "> {}\n< {} {}",
                    text(&test, "request"),
                    text(&test, "status"),
                    text(&test, "answer")
                )
            })?;
            return match test.get("problem") {
                Some(problem) if problem.is_object() => Err(wire(problem, true)),
                _ => Ok(()),
            };
        }
        Delivery::Send { timeout } => send(session, *timeout).await?,
    };
    output.answer(&delivery, || {
        let pairs: Vec<(&str, String)> = [
            "state",
            "url",
            "eventSet",
            "datatype",
            "tokenStored",
            "waiting",
            "lastSeq",
            "deliveredAt",
            "nextTryAt",
        ]
        .into_iter()
        .map(|key| (key, text(&delivery, key)))
        .collect();
        facts(&pairs)
    })?;
    match (command, delivery.get("problem")) {
        (Delivery::Send { .. }, Some(problem)) if problem.is_object() => Err(wire(problem, true)),
        _ => Ok(()),
    }
}

/// Sends now, and waits until nothing waits any more or something stops it.
async fn send(session: &Session, timeout: Duration) -> Result<Value> {
    let sending = async {
        let mut delivery = session.ask("delivery.send_now", Value::Null).await?;
        loop {
            let waiting = delivery.get("waiting").and_then(Value::as_u64).unwrap_or(0);
            let stopped = delivery.get("problem").is_some_and(Value::is_object);
            if waiting == 0 || stopped || text(&delivery, "state") == "off" {
                return Ok(delivery);
            }
            tokio::time::sleep(STEP).await;
            delivery = session.ask("delivery.status", Value::Null).await?;
        }
    };
    match tokio::time::timeout(timeout, sending).await {
        Ok(delivery) => delivery,
        Err(_) => Err(Trouble::new(
            "wait_timeout",
            session
                .output
                .say("等待超时；事件不会丢失。", "It took too long; no event is lost."),
            None,
        )),
    }
}
