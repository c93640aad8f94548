//! What is asked and shown about delivery.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::arguments::Delivery;
use crate::fields::{facts, shown};
use crate::output::{table, text};
use crate::secrets;
use crate::session::{Session, wire};
use crate::templates::input;
use crate::trouble::{Result, Trouble};

const STEP: Duration = Duration::from_millis(200);

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
            keep_token,
            preset,
            profile,
        } => {
            let profile: Option<Value> = match profile {
                Some(file) => Some(serde_json::from_str(&input(session, file)?).map_err(|error| {
                    let sentence = output.say("这不是 JSON", "This is not JSON");
                    Trouble::new("bad_input", format!("{sentence}: {error}"), None)
                })?),
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
        Delivery::Refused => return refused(session).await,
        Delivery::ExportRefused => {
            let lines = session.ask("delivery.export_refused", Value::Null).await?;
            let lines = lines.as_str().unwrap_or_default().trim_end();
            return if lines.is_empty() {
                Ok(())
            } else {
                output.line(lines)
            };
        }
        Delivery::Resend { seq, .. } => {
            session
                .ask("delivery.send_refused_again", json!({"seq": seq}))
                .await?
        }
        Delivery::Send { timeout } => send(session, *timeout).await?,
    };
    output.answer(&delivery, || {
        let keys = [
            "state",
            "url",
            "eventSet",
            "datatype",
            "tokenStored",
            "waiting",
            "lastSeq",
            "quarantined",
            "preset",
            "deliveredAt",
            "nextTryAt",
        ];
        facts(output.tongue, &delivery, &keys, Vec::new())
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

/// The events that are set apart.
async fn refused(session: &Session) -> Result<()> {
    let output = session.output;
    let refused = session.ask("delivery.refused", Value::Null).await?;
    output.answer(&refused, || {
        let head = match output.tongue {
            api::Tongue::Chinese => ["序号", "时间", "次数", "原因"],
            api::Tongue::English => ["SEQ", "TIME", "TRIES", "REASON"],
        };
        table(
            &head,
            refused.as_array().into_iter().flatten().map(|event| {
                ["seq", "time", "attempts", "reason"]
                    .into_iter()
                    .map(|key| shown(output.tongue, event, key))
                    .collect()
            }),
        )
    })
}
