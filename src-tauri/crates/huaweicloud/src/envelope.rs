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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_services_envelope_is_read() {
        let table: &[(&str, Option<&str>, &str)] = &[
            (
                r#"{"error":{"code":"Ecs.0005","message":"bad request"}}"#,
                Some("Ecs.0005"),
                "bad request",
            ),
            (
                r#"{"code":"VPC.0504","message":"no such EIP"}"#,
                Some("VPC.0504"),
                "no such EIP",
            ),
            (
                r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information","request_id":"r1"}"#,
                Some("APIGW.0301"),
                "Incorrect IAM authentication information",
            ),
            (
                r#"{"errorCode":"CBC.0100","errorMsg":"parameter"}"#,
                Some("CBC.0100"),
                "parameter",
            ),
            (
                r#"{"error":{"error_code":"TMS.0001","error_msg":"text"}}"#,
                Some("TMS.0001"),
                "text",
            ),
            (
                r#"{"error":{"code":403,"message":"no","title":"Forbidden"}}"#,
                Some("403"),
                "no",
            ),
            (
                r#"{"itemNotFound":{"code":404,"message":"Instance not found"}}"#,
                Some("404"),
                "Instance not found",
            ),
            (
                r#"{"NeutronError":{"type":"SubnetNotFound","message":"gone","detail":""}}"#,
                Some("SubnetNotFound"),
                "gone",
            ),
            (
                "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>The key does not exist</Message></Error>",
                Some("NoSuchKey"),
                "The key does not exist",
            ),
            (
                r#"{"code":"the server is gone","message":"Ecs.0114"}"#,
                Some("Ecs.0114"),
                "the server is gone",
            ),
            (r#"{"error":{"code":null,"message":"no code"}}"#, None, "no code"),
        ];
        for (body, code, message) in table {
            let read = read(body.as_bytes()).unwrap_or_else(|| panic!("nothing read from {body}"));
            assert_eq!(
                (read.code.as_deref(), &*read.message),
                (*code, *message),
                "{body}"
            );
        }
    }

    #[test]
    fn finer_causes_and_failed_servers_are_kept() {
        let read = read(
            br#"{"error":{"code":"Ecs.0611","message":"part failed","details":[{"code":"Ecs.0039","message":"ip"}]},
                 "internalError":[{"id":"s-1","error_code":"Ecs.0605","error_message":"locked"}]}"#,
        )
        .unwrap();
        let codes: Vec<_> = read
            .details
            .iter()
            .map(|d| (d.id.as_deref(), d.code.as_deref(), &*d.message))
            .collect();
        assert_eq!(
            codes,
            [
                (None, Some("Ecs.0039"), "ip"),
                (Some("s-1"), Some("Ecs.0605"), "locked")
            ]
        );
    }

    #[test]
    fn pages_of_proxies_have_no_envelope() {
        for body in [
            "",
            "<html><body>blocked</body></html>",
            "[]",
            "null",
            "\u{feff}{",
            "{}",
            r#"{"servers":[]}"#,
        ] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn an_error_inside_a_success_is_found_and_an_ordinary_answer_is_left_alone() {
        let found = read_in_success(br#"{"error":{"code":"Common.0024","message":"flow limit"}}"#).unwrap();
        assert_eq!(found.code.as_deref(), Some("Common.0024"));
        assert!(read_in_success(br#"{"code":"Common.0024","message":"flow limit"}"#).is_some());
        for body in [
            r#"{"job_id":"j","status":"FAIL","error_code":"Ecs.0219","fail_reason":"no capacity"}"#,
            r#"{"job_id":"j","status":"FAIL","code":"Ecs.0219","message":"no capacity"}"#,
            r#"{"server":{"id":"s","fault":{"code":500,"message":"No valid host"}}}"#,
            r#"{"code":"","message":""}"#,
            "",
        ] {
            assert_eq!(read_in_success(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn an_endless_message_is_cut() {
        let body = format!(r#"{{"code":"Ecs.0005","message":"{}"}}"#, "错".repeat(100_000));
        assert!(read(body.as_bytes()).unwrap().message.chars().count() <= MAX_TEXT + 1);
        assert!(raw_text("错".repeat(100_000).as_bytes()).chars().count() <= MAX_TEXT + 1);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(Value::from("Ecs.0005")),
        ];
        let key = prop_oneof![
            Just("error".to_owned()),
            Just("code".to_owned()),
            Just("message".to_owned()),
            Just("error_code".to_owned()),
            Just("error_msg".to_owned()),
            Just("details".to_owned()),
            Just("internalError".to_owned()),
            ".{0,5}",
        ];
        leaf.prop_recursive(4, 64, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((key.clone(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_body_of_any_bytes_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = (read(&body), read_in_success(&body), raw_text(&body));
        }

        #[test]
        fn no_json_makes_the_reader_panic(value in json()) {
            let body = value.to_string();
            let _ = (read(body.as_bytes()), read_in_success(body.as_bytes()));
        }
    }
}
