//! Grants: what is in force, and joining an organisation.

mod office;

use std::io::Write;
use std::path::Path;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::arguments::grants::Grant;
use crate::fields::{facts, label};
use crate::output::{can_ask, lines_of_two, rows, table, text};
use crate::secrets;
use crate::servers::confirm;
use crate::session::Session;
use crate::templates::input;
use crate::trouble::{Result, Trouble};
use crate::words::word;

/// What every link begins with.
const LINK: &str = "wangcheng://";

/// Grants.
pub async fn grant(session: &Session, command: &Grant) -> Result<()> {
    let standing = match command {
        Grant::Show => session.ask("grants.standing", Value::Null).await?,
        Grant::Refresh => session.ask("grants.refresh", Value::Null).await?,
        Grant::Join {
            link,
            fingerprint,
            with_token,
            with_passphrase,
        } => {
            let fingerprint = fingerprint.as_deref();
            join(session, link, fingerprint, *with_token, *with_passphrase).await?
        }
        Grant::Office(command) => return office::office(session, command).await,
        Grant::Leave { yes } => {
            let before = session.ask("grants.standing", Value::Null).await?;
            let name = before
                .get("joined")
                .map(|joined| text(joined, "organisation"))
                .unwrap_or_default();
            if !yes && !name.is_empty() {
                session.output.note(&name);
                confirm(session, "organisation", &name)?;
            }
            session.ask("grants.leave", Value::Null).await?
        }
    };
    session.output.answer(&standing, || shown(session, &standing))
}

async fn join(
    session: &Session,
    link: &str,
    fingerprint: Option<&str>,
    with_token: bool,
    with_passphrase: bool,
) -> Result<Value> {
    let output = session.output;
    let link = if link.starts_with(LINK) {
        link.to_owned()
    } else {
        input(session, Path::new(link))?.trim().to_owned()
    };
    let invitation = session.ask("grants.invitation", json!({ "link": link })).await?;
    let keys = ["organisation", "source", "hei", "number", "expires"];
    output.note(&facts(output.tongue, &invitation, &keys, Vec::new()));
    let fingerprint = match fingerprint {
        Some(given) => given.to_owned(),
        None => compared(session, &text(&invitation, "fingerprint"))?,
    };
    let token = if with_token {
        Some(secrets::token(output)?)
    } else {
        None
    };
    let passphrase = if with_passphrase {
        Some(secrets::passphrase(output)?)
    } else {
        None
    };
    let ask = json!({
        "link": link,
        "fingerprint": fingerprint,
        "token": token.as_ref().map(|token| token.expose_secret()),
        "passphrase": passphrase.as_ref().map(|passphrase| passphrase.expose_secret()),
    });
    session.ask("grants.join", ask).await
}

/// The fingerprint that the administrator told, typed in by a person who sees the link's.
fn compared(session: &Session, of_link: &str) -> Result<String> {
    let output = session.output;
    if !can_ask() {
        let sentence = output.say(
            "需要核对指纹",
            "The fingerprint has to be compared with what the administrator told",
        );
        let step = output.say("请用 `--fingerprint` 提供。", "Give it with `--fingerprint`.");
        return Err(Trouble::new(
            "confirmation_missing",
            sentence,
            Some(step.to_owned()),
        ));
    }
    output.note(&format!(
        "{}: {of_link}\n{}",
        output.say("链接中密钥的指纹", "Fingerprint of the link's key"),
        output.say(
            "请通过其他途径向管理员核对，然后输入其告知的指纹：",
            "Compare it with the administrator by another way, then type the one told to you:",
        ),
    ));
    std::io::stderr().lock().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn shown(session: &Session, standing: &Value) -> String {
    let output = session.output;
    let Some(joined) = standing.get("joined").filter(|joined| joined.is_object()) else {
        return output
            .say(
                "没有加入任何组织，不受限制。",
                "No organisation was joined; nothing is limited.",
            )
            .to_owned();
    };
    let keys = [
        "organisation",
        "number",
        "issued",
        "expires",
        "ask",
        "source",
        "checkedAt",
    ];
    let mut parts = vec![facts(output.tongue, joined, &keys, Vec::new())];
    for problem in [
        joined.get("problem"),
        standing.get("stopped"),
        standing.get("problem"),
    ] {
        if let Some(problem) = problem.filter(|problem| problem.is_object()) {
            parts.push(format!(
                "! {} {}",
                text(problem, "sentence"),
                text(problem, "nextStep")
            ));
        }
    }
    if let Some(in_force) = standing.get("inForce").filter(|one| one.is_object()) {
        let quota = in_force.get("quota").and_then(Value::as_object);
        let limits = quota.into_iter().flatten().map(|(key, value)| {
            let value = match value {
                Value::Array(items) => {
                    let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
                    crate::words::safe(&items.join(", "))
                }
                Value::String(one) => crate::words::safe(one),
                other => other.to_string(),
            };
            (label(output.tongue, key), value)
        });
        let role = (output.say("角色", "Role"), text(in_force, "role"));
        parts.push(lines_of_two(std::iter::once(role).chain(limits)));
    }
    let uses: Vec<_> = rows(standing, "uses")
        .map(|one| {
            vec![
                word(output.tongue, "limit", text(one, "limit")),
                text(one, "used"),
                text(one, "max"),
            ]
        })
        .collect();
    if !uses.is_empty() {
        let head = [
            output.say("额度", "Limit"),
            output.say("已用", "Used"),
            output.say("上限", "At most"),
        ];
        parts.push(table(&head, uses));
    }
    parts.join("\n\n")
}
