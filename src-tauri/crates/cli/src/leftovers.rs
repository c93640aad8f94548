//! What is left of servers that are gone.

use serde_json::{Value, json};

use crate::arguments::Leftovers;
use crate::change::rehearse;
use crate::fields::shown;
use crate::output::{money, rows, table, text};
use crate::servers::{confirm, id};
use crate::session::Session;
use crate::several;
use crate::trouble::{Result, Trouble};
use crate::words::word;

/// Lists them, or removes those that are named.
pub async fn leftovers(session: &Session, command: &Leftovers) -> Result<()> {
    let output = session.output;
    let found = session.ask("servers.leftovers", Value::Null).await?;
    let Some(ids) = &command.remove else {
        return output.answer(&found, || listed(session, &found));
    };
    let mut items = Vec::new();
    for wanted in ids {
        let known = rows(&found, "items").find(|item| id(item) == *wanted);
        items.push(known.cloned().ok_or_else(|| {
            Trouble::new(
                "leftover_unknown",
                format!(
                    "{}: {wanted}",
                    output.say("没有这项遗留资源", "There is no such leftover")
                ),
                Some("`wangcheng server leftovers`".to_owned()),
            )
        })?);
    }
    if ids.is_empty() {
        items = rows(&found, "items").cloned().collect();
    }
    if items.is_empty() {
        return output.answer(&json!([]), || {
            output.say("没有遗留资源。", "Nothing is left over.").to_owned()
        });
    }
    let name = |item: &Value| {
        item.get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if !command.yes && !command.wait.dry_run {
        output.note(output.say(
            "将删除以下资源及其中的数据：",
            "These are removed with all that is on them:",
        ));
        output.note(&listed(session, &json!({ "items": items })));
        for item in &items {
            confirm(session, "part", &name(item))?;
        }
    }
    let named: Vec<Value> = items
        .iter()
        .map(|item| json!({"kind": item.get("kind"), "id": item.get("id"), "name": item.get("name")}))
        .collect();
    let ask = json!({ "items": named });
    if command.wait.dry_run {
        return rehearse(session, "servers.remove_leftovers", ask, command.wait.form).await;
    }
    let results = session.ask("servers.remove_leftovers", ask).await?;
    several::follow(session, &results, "id", command.wait).await
}

fn listed(session: &Session, found: &Value) -> String {
    let output = session.output;
    let head = match output.tongue {
        api::Tongue::Chinese => ["种类", "名称", "GB", "Mbit/s", "每月", "创建于", "ID"],
        api::Tongue::English => ["KIND", "NAME", "GB", "MBIT/S", "A MONTH", "CREATED", "ID"],
    };
    table(
        &head,
        rows(found, "items").map(|item| {
            vec![
                word(output.tongue, "part", text(item, "kind")),
                text(item, "name"),
                text(item, "sizeGb"),
                text(item, "mbit"),
                money(item, "perMonth"),
                shown(output.tongue, item, "created"),
                text(item, "id"),
            ]
        }),
    )
}
