//! An administrator's side of grants.

use std::io::Write;
use std::path::Path;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::arguments::grants::{Act, Days, Of, Office};
use crate::output::{rows, table, text};
use crate::secrets;
use crate::session::Session;
use crate::templates::input;
use crate::trouble::{Result, Trouble};
use crate::words::word;

/// An administrator's side.
pub async fn office(session: &Session, command: &Office) -> Result<()> {
    let output = session.output;
    let office = match command {
        Office::Create {
            name,
            ask,
            currency,
            run_only,
        } => {
            let remember = if run_only.is_some() { "run" } else { "keychain" };
            let ask = json!({"name": name, "ask": ask, "currency": currency, "remember": remember});
            let office = session.ask("office.found", ask).await?;
            if let Some(file) = run_only {
                back_up(session, file).await?;
            }
            office
        }
        Office::Draft => {
            let office = session.ask("office.standing", Value::Null).await?;
            let draft = office.get("draft").cloned().unwrap_or_default();
            return output.json(&draft);
        }
        Office::Edit { file } => {
            let draft: Value = serde_json::from_str(&input(session, file)?).map_err(|error| {
                let sentence = output.say("这不是 JSON", "This is not JSON");
                Trouble::new("bad_input", format!("{sentence}: {error}"), None)
            })?;
            session.ask("office.edit", draft).await?
        }
        Office::Sign(days) => {
            let lasts = lasts(session, days, json!({})).await?;
            let signed = session.ask("office.sign", lasts).await?;
            return output.answer(&signed, || raw(&signed, "file"));
        }
        Office::Publish { place, days } => {
            let ask = lasts(session, days, json!({ "place": place })).await?;
            session.ask("office.publish", ask).await?
        }
        Office::Revoke { reason, days } => {
            let ask = lasts(session, days, json!({ "reason": reason })).await?;
            session.ask("office.revoke", ask).await?
        }
        Office::Rights { place } => return rights(session, place.as_deref()).await,
        Office::Link {
            address,
            with_events,
            seal_token,
        } => {
            let passphrase = if *seal_token {
                Some(secrets::passphrase(output)?)
            } else {
                None
            };
            let ask = json!({
                "address": address,
                "withHei": with_events,
                "passphrase": passphrase.as_ref().map(|passphrase| passphrase.expose_secret()),
            });
            let link = session.ask("office.link", ask).await?;
            return output.answer(&link, || {
                format!("{}\n{}", raw(&link, "link"), text(&link, "fingerprint"))
            });
        }
        Office::Rotate => session.ask("office.rotate", Value::Null).await?,
        Office::Retire => session.ask("office.retire", Value::Null).await?,
        Office::Backup { file } => {
            back_up(session, file).await?;
            session.ask("office.standing", Value::Null).await?
        }
        Office::Restore { file } => {
            let backup = input(session, file)?;
            let passphrase = secrets::passphrase(output)?;
            let ask = json!({
                "file": backup,
                "passphrase": passphrase.expose_secret(),
                "remember": "keychain",
            });
            session.ask("office.restore", ask).await?
        }
        Office::Audit { of } => return audit(session, *of).await,
        Office::Act { server, act } => {
            let act = match act {
                Act::SetLease { until } => json!({"kind": "set_lease", "until": until}),
                Act::Stop => json!({"kind": "stop"}),
                Act::Delete { name } => json!({"kind": "delete", "name": name}),
            };
            let operation = session
                .ask("office.act", json!({"server": server, "act": act}))
                .await?;
            session.asked(&operation);
            return output.answer(&operation, || text(&operation, "id"));
        }
        Office::Policy { classic } => {
            let policies = session.ask("office.policies", Value::Null).await?;
            let key = if *classic { "classic" } else { "identity" };
            return output.answer(&policies, || raw(&policies, key));
        }
    };
    output.answer(&office, || shown(session, &office))
}

/// How long it holds, added to a request; takes the keys of a backup up before, where one is named.
async fn lasts(session: &Session, days: &Days, mut ask: Value) -> Result<Value> {
    if let Some(file) = &days.backup {
        let passphrase = secrets::passphrase(session.output)?;
        let restore = json!({
            "file": input(session, file)?,
            "passphrase": passphrase.expose_secret(),
            "remember": "run",
        });
        session.ask("office.restore", restore).await?;
    }
    if let Some(ask) = ask.as_object_mut() {
        ask.insert("days".to_owned(), json!(days.days));
        if let Some(until) = days.until {
            ask.insert("until".to_owned(), json!(until));
        }
    }
    Ok(ask)
}

/// Line ends of a text that was made here are ours.
fn raw(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

async fn back_up(session: &Session, file: &Path) -> Result<()> {
    let passphrase = secrets::passphrase(session.output)?;
    let ask = json!({"passphrase": passphrase.expose_secret()});
    let backup = session.ask("office.back_up", ask).await?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    opened.write_all(raw(&backup, "file").as_bytes())?;
    Ok(opened.sync_all()?)
}

fn shown(session: &Session, office: &Value) -> String {
    let output = session.output;
    let Some(draft) = office.get("draft").filter(|draft| draft.is_object()) else {
        return output
            .say(
                "本机没有管理任何组织。",
                "No organisation is managed on this computer.",
            )
            .to_owned();
    };
    let published = office.get("published").filter(|one| one.is_object());
    let name = draft
        .get("organisation")
        .map(|one| text(one, "name"))
        .unwrap_or_default();
    let mut lines = vec![
        vec![output.say("组织", "Organisation").to_owned(), name],
        vec![output.say("编号", "Number").to_owned(), text(draft, "number")],
        vec![
            output.say("发布于", "Published at").to_owned(),
            published.map(|one| text(one, "place")).unwrap_or_default(),
        ],
    ];
    for key in rows(office, "keys") {
        let held = match key.get("held").and_then(Value::as_bool) {
            Some(true) => output.say("在本机", "here"),
            _ => output.say("不在本机", "not here"),
        };
        lines.push(vec![
            output.say("密钥", "Key").to_owned(),
            format!("{} ({held})", text(key, "fingerprint")),
        ]);
    }
    table(&["", ""], lines)
}

async fn rights(session: &Session, place: Option<&str>) -> Result<()> {
    let output = session.output;
    let rights = session.ask("office.duties", json!({ "place": place })).await?;
    output.answer(&rights, || {
        let lines = rights.as_array().into_iter().flatten().map(|one| {
            let allowed = match one.get("allowed").and_then(Value::as_bool) {
                Some(true) => output.say("具备", "there"),
                Some(false) => output.say("缺少", "missing"),
                None => output.say("尚未用到", "not asked for yet"),
            };
            let why = one.get("error").filter(|error| error.is_object());
            let why = why.map(|error| format!("{} {}", text(error, "sentence"), text(error, "nextStep")));
            vec![
                word(output.tongue, "duty", text(one, "what")),
                allowed.to_owned(),
                why.unwrap_or_default(),
            ]
        });
        let head = [
            output.say("所需", "What it takes"),
            "",
            output.say("原因与下一步", "Why, and what next"),
        ];
        table(&head, lines)
    })
}

async fn audit(session: &Session, of: Of) -> Result<()> {
    let output = session.output;
    let of = match of {
        Of::Draft => "draft",
        Of::Signed => "signed",
        Of::InForce => "in_force",
    };
    let audit = session.ask("office.audit", json!({ "of": of })).await?;
    output.answer(&audit, || {
        let mut parts = Vec::new();
        let owners: Vec<_> = rows(&audit, "owners")
            .map(|one| {
                vec![
                    text(one, "owner"),
                    word(output.tongue, "limit", text(one, "limit")),
                    text(one, "used"),
                    text(one, "max"),
                ]
            })
            .collect();
        if !owners.is_empty() {
            let head = [
                output.say("使用者", "Owner"),
                output.say("额度", "Limit"),
                output.say("已用", "Used"),
                output.say("上限", "At most"),
            ];
            parts.push(table(&head, owners));
        }
        let servers: Vec<_> = rows(&audit, "servers")
            .map(|one| {
                let breaches: Vec<_> = rows(one, "breaches")
                    .filter_map(Value::as_str)
                    .map(|breach| word(output.tongue, "breach", breach.to_owned()))
                    .collect();
                vec![
                    text(one, "name"),
                    text(one, "server"),
                    text(one, "owner"),
                    text(one, "flavor"),
                    breaches.join(", "),
                ]
            })
            .collect();
        if !servers.is_empty() {
            let head = [
                output.say("云服务器", "Server"),
                "ID",
                output.say("使用者", "Owner"),
                output.say("规格", "Flavor"),
                output.say("问题", "What"),
            ];
            parts.push(table(&head, servers));
        }
        if parts.is_empty() {
            output
                .say("全部符合授权额度。", "Everything keeps to the grant.")
                .to_owned()
        } else {
            parts.join("\n\n")
        }
    })
}
