//! The data platform's search: where it is, whether it can be asked, and the same answers over there.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::arguments::facts::{How, Platform};
use crate::fields::facts;
use crate::output::{rows, text};
use crate::secrets;
use crate::session::{Session, wire};
use crate::templates::input;
use crate::trouble::{Result, Trouble};

/// Answers one of them.
pub async fn platform(session: &Session, command: &Platform) -> Result<()> {
    let output = session.output;
    let search = match command {
        Platform::Status => session.ask("platform.status", Value::Null).await?,
        Platform::Configure { url, how } => {
            session
                .ask("platform.configure", with(session, url, how)?)
                .await?
        }
        Platform::Test { url, how } => {
            let ask = match url {
                Some(url) => json!({ "with": with(session, url, how)? }),
                None => json!({ "with": null }),
            };
            let test = session.ask("platform.test", ask).await?;
            output.answer(&test, || {
                let steps = rows(&test, "steps").map(|step| {
                    format!(
                        "> {}\n< {} {} ({} ms)",
                        text(step, "request"),
                        text(step, "status"),
                        text(step, "answer"),
                        text(step, "milliseconds"),
                    )
                });
                let events = output.say("平台上的事件数", "Events at the platform");
                let all: Vec<String> = steps
                    .chain([format!("{events}: {}", text(&test, "events"))])
                    .collect();
                all.join("\n\n")
            })?;
            return match test.get("problem") {
                Some(problem) if problem.is_object() => Err(wire(problem, true)),
                _ => Ok(()),
            };
        }
        Platform::Sql => {
            let statements = session.ask("platform.statements", Value::Null).await?;
            return output.answer(&statements, || {
                let all: Vec<String> = statements
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| {
                        // The line ends of a statement are ours.
                        let sql = one.get("sql").and_then(Value::as_str).unwrap_or_default();
                        format!("-- {}\n{sql};", text(one, "title"))
                    })
                    .collect();
                all.join("\n\n")
            });
        }
    };
    output.answer(&search, || {
        let keys = ["url", "eventSet", "tokenStored", "preset"];
        facts(output.tongue, &search, &keys, Vec::new())
    })
}

fn with(session: &Session, url: &str, how: &How) -> Result<Value> {
    let output = session.output;
    let profile: Option<Value> = match &how.profile {
        Some(file) => Some(serde_json::from_str(&input(session, file)?).map_err(|error| {
            let sentence = output.say("这不是 JSON", "This is not JSON");
            Trouble::new("bad_input", format!("{sentence}: {error}"), None)
        })?),
        None => None,
    };
    let token = if how.keep_token {
        None
    } else {
        Some(secrets::search_token(output)?)
    };
    Ok(json!({
        "url": url,
        "token": token.as_ref().map(|token| token.expose_secret()),
        "eventSet": how.event_set,
        "allowPlainHttp": how.allow_plain_http,
        "preset": how.preset,
        "profile": profile,
    }))
}
