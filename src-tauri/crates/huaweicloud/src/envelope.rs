//! Reading error answers. Every service wraps its errors in its own way, and proxies add theirs; one lenient
//! reader takes them all.

use serde_json::{Map, Value};

use crate::error::ErrorDetail;

/// Longest error text that is kept, in characters.
const MAX_TEXT: usize = 2_000;
/// Most finer causes that are kept.
const MAX_DETAILS: usize = 100;
/// Longest success that is searched for an error, in bytes.
const MAX_SUCCESS: usize = 64 * 1024;
/// The lists in which batch calls name the parts that failed.
const PARTS: [&str; 2] = ["internalError", "failed_resources"];

/// What an error answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) code: Option<Box<str>>,
    pub(crate) message: Box<str>,
    pub(crate) details: Box<[ErrorDetail]>,
}

/// Reads the body of an answer whose status says that it is an error. `None` if there is no known envelope in
/// it.
pub(crate) fn read(body: &[u8]) -> Option<Envelope> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(object)) => in_object(&object),
        Ok(_) => None,
        Err(_) => in_xml(&String::from_utf8_lossy(body)),
    }
}

/// Reads the body of an answer whose status says that all is well, where an error sometimes hides: an error object
/// (`Common.0024` with status 202), or the list of those parts of a batch that failed (`failed_resources` of TMS,
/// `internalError` of ECS). Stricter than [`read`], because ordinary answers have fields named `code` and `message`
/// too.
pub(crate) fn read_in_success(body: &[u8]) -> Option<Envelope> {
    // Whatever hides an error is short, even for a batch of the largest size; long lists are not searched a second
    // time.
    if body.len() > MAX_SUCCESS {
        return None;
    }
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(body) else {
        return None;
    };
    if let Some(Value::Object(error)) = object.get("error") {
        return pair(error).map(|(code, message)| envelope(code, message, &object));
    }
    if let Some((code, message)) = pair(&object)
        && code.as_deref().is_some_and(is_code)
        && !message.is_empty()
        && !object.contains_key("job_id")
    {
        return Some(envelope(code, message, &object));
    }
    in_parts(&object)
}

/// An answer that says all is well and then lists what is not.
fn in_parts(object: &Map<String, Value>) -> Option<Envelope> {
    let failed = PARTS
        .iter()
        .filter_map(|list| object.get(*list)?.as_array())
        .find(|failed| !failed.is_empty())?;
    let mut envelope = envelope(
        None,
        format!("{} parts of the request failed", failed.len()),
        object,
    );
    if let Some((first, rest)) = envelope.details.split_first()
        && rest.iter().all(|part| part.code == first.code)
    {
        envelope.code = first.code.clone();
        if rest.is_empty() {
            envelope.message = first.message.clone();
        }
    }
    Some(envelope)
}

/// What to show of a body that has no known envelope.
pub(crate) fn raw_text(body: &[u8]) -> Box<str> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        "the answer has no body".into()
    } else {
        shorten(text)
    }
}

/// The text, cut to a length that fits a log line and a dialog.
pub(crate) fn shorten(text: &str) -> Box<str> {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => {
            let mut short: String = text.get(..end).unwrap_or_default().to_owned();
            short.push('…');
            short.into_boxed_str()
        }
        None => text.into(),
    }
}

fn in_object(object: &Map<String, Value>) -> Option<Envelope> {
    if let Some((code, message)) = pair(object) {
        return Some(envelope(code, message, object));
    }
    object
        .values()
        .filter_map(Value::as_object)
        .find_map(|inner| pair(inner).map(|(code, message)| envelope(code, message, object)))
}

/// The code and the message that stand directly in an object, under whichever names.
fn pair(object: &Map<String, Value>) -> Option<(Option<String>, String)> {
    const NAMES: [(&str, &str); 5] = [
        ("error_code", "error_msg"),
        ("errorCode", "errorMsg"),
        ("code", "message"),
        ("error_code", "error_message"),
        ("type", "message"),
    ];
    NAMES.iter().find_map(|(code, message)| {
        let (code, message) = (text(object.get(*code)?), text(object.get(*message)?));
        match (code, message) {
            (None, None) => None,
            // Some answers have the two the wrong way round.
            (Some(code), Some(message)) if is_code(&message) && !is_code(&code) => {
                Some((Some(message), code))
            }
            (code, message) => Some((code, message.unwrap_or_default())),
        }
    })
}

fn envelope(code: Option<String>, message: String, object: &Map<String, Value>) -> Envelope {
    let inner = object.get("error").and_then(Value::as_object);
    let lists = [
        inner.and_then(|error| error.get("details")),
        object.get("details"),
    ];
    let details = lists
        .into_iter()
        .chain(PARTS.map(|list| object.get(list)))
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_object)
        .filter_map(|detail| {
            let (code, message) = pair(detail)?;
            Some(ErrorDetail {
                id: ["id", "resource_id"]
                    .iter()
                    .find_map(|name| detail.get(*name).and_then(text))
                    .map(|id| shorten(&id)),
                code: code.map(|code| shorten(&code)),
                message: shorten(&message),
            })
        })
        .take(MAX_DETAILS)
        .collect();
    Envelope {
        code: code.map(|code| shorten(&code)),
        message: shorten(&message),
        details,
    }
}

/// Texts and numbers as text; everything else, and the empty text, as nothing.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a text looks like a service's error code: letters, a dot, digits.
fn is_code(text: &str) -> bool {
    text.split_once('.').is_some_and(|(service, number)| {
        !service.is_empty()
            && !number.is_empty()
            && service.chars().all(|c| c.is_ascii_alphabetic())
            && number.chars().all(|c| c.is_ascii_digit())
    })
}

/// OBS answers with XML. Two elements are all that is wanted of it, so it is not parsed any further.
fn in_xml(body: &str) -> Option<Envelope> {
    let inner = element(body, "Error")?;
    let code = element(inner, "Code")?;
    let message = element(inner, "Message").unwrap_or_default();
    Some(Envelope {
        code: Some(shorten(code)),
        message: shorten(message),
        details: Box::default(),
    })
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests;
