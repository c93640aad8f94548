//! What is asked and shown about accounts, operations and events.

use std::time::Duration;

use serde_json::{Value, json};

use crate::arguments::{Account, Common, Events, Operation};
use crate::exit::Exit;
use crate::fields::{facts, shown};
use crate::output::{Output, rows, table, text};
use crate::secrets;
use crate::session::{Session, wire};
use crate::trouble::{Result, Trouble};
use crate::words::safe;

/// How many events are read at once.
const PAGE: u64 = 500;

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
                            .map(|key| shown(output.tongue, operation, key))
                            .collect()
                    }),
                )
            })
        }
        Operation::Show {
            id,
            calls: true,
            form,
            ..
        } => crate::change::sent(session, id, *form).await,
        Operation::Show {
            id, wait, timeout, ..
        } => {
            let operation = if *wait {
                session.follow_by_id(id, *timeout).await?
            } else {
                session.operation(id).await?
            };
            show_operation(session, &operation)
        }
        Operation::Cancel { id } => {
            session
                .ask("operations.cancel", json!({ "operation": id }))
                .await?;
            let ended = session.follow_by_id(id, LONGEST_CANCEL).await?;
            if text(&ended, "outcome") == "cancelled" {
                return output.answer(&ended, || facts_of(output.tongue, &ended));
            }
            show_operation(session, &ended)?;
            Err(Trouble::new(
                "cancel_too_late",
                output.say(
                    "取消之前，此操作已到达云服务",
                    "It reached the cloud before it could be cancelled",
                ),
                None,
            ))
        }
    }
}

/// How long a cancelled operation may take to end: as long as a request that is under way just now.
const LONGEST_CANCEL: Duration = Duration::from_secs(120);

/// One operation as it is; when it did not do what was asked, why.
pub fn show_operation(session: &Session, operation: &Value) -> Result<()> {
    let output = session.output;
    output.answer(operation, || facts_of(output.tongue, operation))?;
    trouble_of(output, operation).map_or(Ok(()), Err)
}

/// Why an operation did not do what was asked.
pub fn trouble_of(output: Output, operation: &Value) -> Option<Trouble> {
    if text(operation, "outcome") == "cancelled" {
        let sentence = output.say("此操作在发送之前已被取消", "It was cancelled before it was sent");
        return Some(Trouble::new("cancelled", sentence, None).ending(Exit::Refused));
    }
    let error = operation.get("error").filter(|error| error.is_object())?;
    Some(wire(error, true))
}

fn facts_of(tongue: api::Tongue, operation: &Value) -> String {
    let keys = [
        "id",
        "kind",
        "serverName",
        "serverId",
        "stage",
        "outcome",
        "left",
        "leaseEnd",
        "recordedAt",
        "sentAt",
        "settledAt",
    ];
    let inside = |pointer| operation.pointer(pointer).and_then(Value::as_str).map(safe);
    let more = vec![
        ("part", inside("/part/name").unwrap_or_default()),
        ("problem", inside("/problem/sentence").unwrap_or_default()),
        ("remark", inside("/remark/sentence").unwrap_or_default()),
    ];
    let facts = facts(tongue, operation, &keys, more);
    match operation.get("commands") {
        Some(commands) => format!("{facts}\n\n{}", crate::disks::typed(commands)),
        None => facts,
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
                        .map(|key| shown(output.tongue, event, key))
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
