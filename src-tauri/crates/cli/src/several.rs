//! Acts on several things at once, with one result each.

use serde_json::Value;

use crate::arguments::Wait;
use crate::change;
use crate::commands::trouble_of;
use crate::exit::Exit;
use crate::output::{table, text};
use crate::session::{Session, wire};
use crate::trouble::{Result, Trouble};
use crate::words::{safe, word};

/// Asks for acts on several servers, in as many calls as it takes, and follows them all.
pub async fn act(session: &Session, name: &str, asks: Vec<Value>, wait: Wait) -> Result<()> {
    if wait.dry_run {
        return change::rehearse_all(session, name, asks, wait.form).await;
    }
    let mut results = Vec::new();
    for ask in asks {
        match session.ask(name, ask).await {
            Ok(Value::Array(more)) => results.extend(more),
            Ok(_) => {}
            // What was asked for before is still sent, and told.
            Err(trouble) if !results.is_empty() => {
                follow(session, &Value::Array(results), "server", wait).await?;
                return Err(trouble);
            }
            Err(trouble) => return Err(trouble),
        }
    }
    follow(session, &Value::Array(results), "server", wait).await
}

/// Follows what was asked for, one after the other, and shows one result each. `key`: the field that names the thing.
/// The error is the first one's.
pub async fn follow(session: &Session, results: &Value, key: &str, wait: Wait) -> Result<()> {
    for result in results.as_array().into_iter().flatten() {
        result
            .get("operation")
            .into_iter()
            .for_each(|operation| session.asked(operation));
    }
    let mut answers = Vec::new();
    let mut first_trouble = None;
    for result in results.as_array().into_iter().flatten() {
        let mut result = result.clone();
        let followed = match result.get("operation") {
            Some(operation) if operation.is_object() => session.follow_on(operation.clone(), wait).await,
            _ => Ok(Value::Null),
        };
        match followed {
            Ok(operation) => {
                let refused = result.get("error").filter(|error| error.is_object());
                let trouble = refused.map(|error| wire(error, false));
                first_trouble = first_trouble
                    .or(trouble)
                    .or_else(|| trouble_of(session.output, &operation));
                if let Some(place) = result.get_mut("operation") {
                    *place = operation;
                }
            }
            Err(
                trouble @ Trouble::Error {
                    exit: Exit::Cancelled,
                    ..
                },
            ) => return Err(trouble),
            Err(trouble) => first_trouble = first_trouble.or(Some(trouble)),
        }
        answers.push(result);
    }
    session.output.answer(&Value::Array(answers.clone()), || {
        table(
            &["ID", session.output.say("结果", "OUTCOME")],
            answers.iter().map(|answer| {
                let part = |pointer, word_of| {
                    let raw = answer.pointer(pointer).and_then(Value::as_str)?;
                    Some(word(session.output.tongue, word_of, safe(raw)))
                };
                let outcome = part("/operation/outcome", "outcome")
                    .or_else(|| part("/error/sentence", "sentence"))
                    .or_else(|| part("/operation/stage", "stage"));
                vec![text(answer, key), outcome.unwrap_or_else(|| "-".to_owned())]
            }),
        )
    })?;
    first_trouble.map_or(Ok(()), Err)
}
