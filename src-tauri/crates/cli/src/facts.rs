//! Where everybody's events come from, what the bill says, what is wasted.

use std::time::Duration;

use serde_json::{Value, json};

use crate::arguments::facts::Facts;
use crate::exit::Exit;
use crate::fields::{facts, shown};
use crate::output::{Output, money, rows, table, text};
use crate::session::{Session, wire};
use crate::trouble::{Result, Trouble};
use crate::words::word;

const STEP: Duration = Duration::from_millis(200);

/// Answers one of them.
pub async fn facts_of(session: &Session, command: &Facts) -> Result<()> {
    let output = session.output;
    match command {
        Facts::Pull => {
            session.ask("platform.pull", Value::Null).await?;
            reading(session).await
        }
        Facts::Import { file } => {
            session.import_events(file).await?;
            reading(session).await
        }
        Facts::Waste { everyone } => {
            let whose = if *everyone { "everyone" } else { "mine" };
            let waste = session.ask("usage.waste", json!({ "whose": whose })).await?;
            output.answer(&waste, || wasted(output, &waste))
        }
        Facts::Elsewhere => {
            let told = session.ask("usage.elsewhere", Value::Null).await?;
            output.answer(&told, || elsewhere(output, &told))
        }
        Facts::Bill { month } => {
            let bill = session.ask("usage.bill", json!({ "month": month })).await?;
            output.answer(&bill, || billed(output, &bill))
        }
    }
}

/// Waits until what is being read is read; Ctrl+C cancels it, and what was read stays.
async fn reading(session: &Session) -> Result<()> {
    let output = session.output;
    let bar = session.bar();
    let mut stopped = false;
    let now = loop {
        let now = session.ask("platform.reading", Value::Null).await?;
        if text(&now, "state") != "running" {
            break now;
        }
        bar.set_message(format!("{} / {}", text(&now, "done"), text(&now, "ofAll")));
        tokio::select! {
            () = tokio::time::sleep(STEP) => {}
            _ = tokio::signal::ctrl_c(), if !stopped => {
                stopped = true;
                session.ask("platform.cancel", Value::Null).await?;
            }
        }
    };
    bar.finish_and_clear();
    output.answer(&now, || {
        let keys = [
            "source",
            "state",
            "new",
            "doubled",
            "unreadable",
            "newer",
            "gaps",
            "withheld",
        ];
        let mut text_of = facts(output.tongue, &now, &keys, Vec::new());
        let lines: Vec<Vec<String>> = rows(&now, "badLines")
            .map(|bad| vec![text(bad, "line"), word(output.tongue, "why", text(bad, "why"))])
            .collect();
        if !lines.is_empty() {
            let head = [output.say("行", "LINE"), output.say("原因", "WHY")];
            text_of.push_str("\n\n");
            text_of.push_str(&table(&head, lines));
        }
        text_of
    })?;
    match now.get("problem") {
        Some(problem) if problem.is_object() => Err(wire(problem, true)),
        _ if text(&now, "state") == "cancelled" => Err(Trouble::new(
            "cancelled",
            output.say("已取消；已读取的事件保留。", "Cancelled; what was read stays."),
            None,
        )
        .ending(Exit::Cancelled)),
        _ => Ok(()),
    }
}

fn elsewhere(output: Output, told: &Value) -> String {
    if told.get("audited").and_then(Value::as_bool) == Some(false) {
        return output
            .say(
                "此账户没有启用云审计（CTS），因此无从得知。",
                "The account has no audit (CTS), so nothing is known.",
            )
            .to_owned();
    }
    let head = match output.tongue {
        api::Tongue::Chinese => ["名称", "创建者", "创建于", "删除者", "删除于", "现存", "ID"],
        api::Tongue::English => ["NAME", "MADE BY", "MADE", "ENDED BY", "ENDED", "EXISTS", "ID"],
    };
    table(
        &head,
        rows(told, "servers").map(|server| {
            ["name", "madeBy", "made", "endedBy", "ended", "exists", "id"]
                .into_iter()
                .map(|key| shown(output.tongue, server, key))
                .collect()
        }),
    )
}

fn listed(output: Output, item: &Value, key: &str, of: &str) -> String {
    let words: Vec<String> = rows(item, key)
        .filter_map(Value::as_str)
        .map(|raw| word(output.tongue, of, raw.to_owned()))
        .collect();
    words.join(output.say("、", ", "))
}

fn wasted(output: Output, waste: &Value) -> String {
    if rows(waste, "items").next().is_none() {
        return output
            .say("没有发现浪费的资源。", "Nothing costs without being of use.")
            .to_owned();
    }
    let head = match output.tongue {
        api::Tongue::Chinese => ["种类", "名称", "所有者", "原因", "每月", "可以", "起始", "ID"],
        api::Tongue::English => [
            "KIND", "NAME", "OWNER", "WHY", "A MONTH", "ENDED BY", "SINCE", "ID",
        ],
    };
    let lines = table(
        &head,
        rows(waste, "items").map(|item| {
            vec![
                word(output.tongue, "part", text(item, "kind")),
                text(item, "name"),
                text(item, "owner"),
                listed(output, item, "reasons", "why"),
                money(item, "perMonth"),
                listed(output, item, "acts", "act"),
                shown(output.tongue, item, "since"),
                text(item, "id"),
            ]
        }),
    );
    let unpriced = waste.get("unpriced").and_then(Value::as_u64).unwrap_or_default();
    let beside = match (output.tongue, unpriced) {
        (_, 0) => String::new(),
        (api::Tongue::Chinese, count) => format!("（另有 {count} 项暂时查不到价格）"),
        (api::Tongue::English, count) => format!(" (the price of {count} more cannot be had just now)"),
    };
    format!(
        "{lines}\n\n{}: {}{beside}",
        output.say("每月合计（估算）", "All in a month (estimate)"),
        money(waste, "perMonth"),
    )
}

fn billed(output: Output, bill: &Value) -> String {
    let say = |zh, en| output.say(zh, en).to_owned();
    let state = if bill.get("isFinal").and_then(Value::as_bool) == Some(true) {
        say("已出账", "final")
    } else {
        say("未最终确定", "not final yet")
    };
    let mut text_of = table(
        &[
            output.say("账单", "BILL"),
            &format!("{} ({state})", text(bill, "month")),
        ],
        [
            vec![say("应付", "To be paid"), money(bill, "billed")],
            vec![say("官网价", "List price"), money(bill, "list")],
            vec![say("估算", "Estimated"), money(bill, "estimated")],
            vec![say("差额", "Difference"), money(bill, "difference")],
        ],
    );
    let mut part = |head: Vec<&str>, lines: Vec<Vec<String>>| {
        if !lines.is_empty() {
            text_of.push_str("\n\n");
            text_of.push_str(&table(&head, lines));
        }
    };
    part(
        vec![
            output.say("差额的原因", "WHY IT DIFFERS"),
            output.say("金额", "AMOUNT"),
        ],
        rows(bill, "reasons")
            .map(|one| {
                vec![
                    word(output.tongue, "why", text(one, "reason")),
                    money(one, "amount"),
                ]
            })
            .collect(),
    );
    part(
        vec![output.say("种类", "KIND"), output.say("账单", "BILLED")],
        rows(bill, "kinds")
            .map(|one| {
                vec![
                    word(output.tongue, "billed", text(one, "kind")),
                    money(one, "billed"),
                ]
            })
            .collect(),
    );
    part(
        vec![
            output.say("所有者", "OWNER"),
            output.say("账单", "BILLED"),
            output.say("估算", "ESTIMATED"),
            output.say("差额", "DIFFERENCE"),
        ],
        rows(bill, "owners")
            .map(|one| {
                let owner = Some(text(one, "owner")).filter(|owner| !owner.is_empty());
                vec![
                    owner.unwrap_or_else(|| say("（无人）", "(nobody)")),
                    money(one, "billed"),
                    money(one, "estimated"),
                    money(one, "difference"),
                ]
            })
            .collect(),
    );
    text_of
}
