//! Every request that is sent is one that the service's schema describes.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::cases::{self, Case};
use crate::peer::{Peer, Seen, answer};
use crate::schema::{self, Operation, Schema};

/// What the schemas do not list because every request has it.
const COMMON_HEADERS: [&str; 12] = [
    "accept",
    "accept-encoding",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "x-domain-id",
    "x-project-id",
    "x-sdk-date",
    "x-security-token",
    "date",
];

/// All that is wrong with a request.
fn faults(operation: &Operation, seen: &Seen) -> Vec<String> {
    let mut faults = Vec::new();
    if seen.method != operation.method {
        faults.push(format!("the method is {}", seen.method));
    }
    check_path(operation, seen, &mut faults);
    check_query(operation, seen, &mut faults);
    check_headers(operation, seen, &mut faults);
    check_scope(operation, seen, &mut faults);
    match &operation.request_body {
        Some(schema) => match serde_json::from_slice(&seen.body) {
            Ok(body) => check(schema, &body, "body", &mut faults),
            Err(error) => faults.push(format!("the body is not JSON: {error}")),
        },
        None if operation.operation == "PutObject" => {}
        None if seen.body.is_empty() => {}
        None => faults.push("there is a body".to_owned()),
    }
    faults
}

fn check_path(operation: &Operation, seen: &Seen, faults: &mut Vec<String>) {
    let mut path = seen.path.as_str();
    if operation.service == "obs" {
        // On loopback the bucket stands in the path; the rest of it is the key, slashes and all.
        let object = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        if !object.is_some_and(|(bucket, key)| bucket.len() >= 3 && !key.is_empty()) {
            faults.push(format!("{path} names no bucket and key"));
        }
        return;
    }
    path = path.strip_prefix('/').unwrap_or(path);
    let wanted: Vec<&str> = operation.path.trim_start_matches('/').split('/').collect();
    let given: Vec<String> = path
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8().unwrap().into_owned())
        .collect();
    let fits = wanted.len() == given.len()
        && wanted.iter().zip(&given).all(|(wanted, given)| {
            if wanted.starts_with('{') {
                !given.is_empty() && !given.contains(['{', '}'])
            } else {
                wanted == given
            }
        });
    if !fits {
        faults.push(format!("{} is not {}", seen.path, operation.path));
    }
}

fn check_query(operation: &Operation, seen: &Seen, faults: &mut Vec<String>) {
    for (name, schema) in &operation.query_params {
        if schema.required && seen.parameter(name).is_none() {
            faults.push(format!("the parameter {name} is missing"));
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, value) in &seen.query {
        *counts.entry(name).or_default() += 1;
        match operation.query_params.get(name) {
            None => faults.push(format!("there is no parameter {name}")),
            Some(schema) => check_text(schema, value, &format!("parameter {name}"), faults),
        }
    }
    for (name, count) in counts {
        let many = operation
            .query_params
            .get(name)
            .is_some_and(|schema| schema.kind == "array" || schema.note.contains("repeat the parameter"));
        if count > 1 && !many {
            faults.push(format!("the parameter {name} is there {count} times"));
        }
    }
}

fn check_headers(operation: &Operation, seen: &Seen, faults: &mut Vec<String>) {
    for (name, value) in &seen.headers {
        let known = operation
            .header_params
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        match known {
            Some((_, schema)) => check_text(schema, value, &format!("header {name}"), faults),
            None if COMMON_HEADERS.contains(&name.as_str()) => {}
            None => faults.push(format!("there is no header {name}")),
        }
    }
    let content_type = seen.header("content-type").unwrap_or_default();
    let json = operation.content_type.starts_with("application/json");
    if operation.service != "obs" && json && !content_type.starts_with("application/json") {
        faults.push(format!("the content type is {content_type:?}"));
    }
    let scheme = if operation.service == "obs" {
        "OBS "
    } else {
        "SDK-HMAC-SHA256 "
    };
    if !seen
        .header("authorization")
        .unwrap_or_default()
        .starts_with(scheme)
    {
        faults.push("it is not signed".to_owned());
    }
}

/// Project-scoped calls carry the project, account-scoped ones the account, and both are signed.
fn check_scope(operation: &Operation, seen: &Seen, faults: &mut Vec<String>) {
    let signed = seen.header("authorization").unwrap_or_default();
    let project = operation.path.contains("{project_id}").then(|| {
        let parts: Vec<&str> = seen.path.split('/').collect();
        parts.get(2).copied().unwrap_or_default().to_owned()
    });
    let account = ["bss", "iam", "tms"]
        .contains(&operation.service.as_str())
        .then(|| cases::ACCOUNT.to_owned());
    for (header, wanted) in [("x-project-id", project), ("x-domain-id", account)] {
        let given = seen.header(header);
        // Images have no project in their path, and may name one all the same.
        let may = wanted.is_some() || operation.service == "ims";
        if given != wanted.as_deref() && !(may && wanted.is_none()) {
            faults.push(format!("{header} is {given:?} instead of {wanted:?}"));
        }
        if given.is_some() && !signed.contains(header) {
            faults.push(format!("{header} is not signed"));
        }
    }
}

/// Checks a value that comes as text: a parameter or a header.
fn check_text(schema: &Schema, text: &str, place: &str, faults: &mut Vec<String>) {
    let schema = schema.resolved();
    let value = match schema.kind.as_str() {
        "integer" => text.parse::<i64>().map(Value::from).ok(),
        "boolean" => text.parse::<bool>().map(Value::from).ok(),
        "array" => {
            check_text(schema.items.as_ref().unwrap(), text, place, faults);
            return;
        }
        _ => Some(Value::from(text)),
    };
    match value {
        Some(value) => check(schema, &value, place, faults),
        None => faults.push(format!("{place} is {text}, not {}", schema.kind)),
    }
}

fn check(schema: &Schema, value: &Value, place: &str, faults: &mut Vec<String>) {
    let schema = schema.resolved();
    let fits = match schema.kind.as_str() {
        "string" | "datetime" | "date" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" | "decimal" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "map" | "object" => value.is_object(),
        "any" => true,
        other => panic!("the validator does not know the type {other:?} of {place}"),
    };
    if !fits {
        faults.push(format!("{place} is {value}, not {}", schema.kind));
        return;
    }
    if !schema.words.is_empty() && !schema.words.contains(value) {
        faults.push(format!("{place} is {value}, not one of {:?}", schema.words));
    }
    if let Some(number) = value.as_i64()
        && (schema.min.is_some_and(|min| number < min) || schema.max.is_some_and(|max| number > max))
    {
        faults.push(format!("{place} is {number}, out of its bounds"));
    }
    if let Some(text) = value.as_str() {
        let length = text.chars().count();
        if schema.min_length.is_some_and(|min| length < min)
            || schema.max_length.is_some_and(|max| length > max)
        {
            faults.push(format!("{place} has {length} characters"));
        }
    }
    if let Some(items) = value.as_array() {
        // Some definitions give the bound of a list as a length.
        let max = schema.max_items.or(schema.max_length);
        if schema.min_items.is_some_and(|min| items.len() < min) || max.is_some_and(|max| items.len() > max) {
            faults.push(format!("{place} has {} items", items.len()));
        }
        for (index, item) in items.iter().enumerate() {
            check(
                schema.items.as_ref().unwrap(),
                item,
                &format!("{place}[{index}]"),
                faults,
            );
        }
    }
    if let Some(fields) = value.as_object() {
        for (name, value) in fields {
            let known = schema.fields.get(name).or(schema.values.as_deref());
            match known {
                Some(schema) => check(schema, value, &format!("{place}.{name}"), faults),
                None => faults.push(format!("there is no {place}.{name}")),
            }
        }
        for (name, schema) in &schema.fields {
            if schema.required && !fields.contains_key(name) {
                faults.push(format!("{place}.{name} is missing"));
            }
        }
    }
}

#[test]
fn every_used_call_of_the_services_in_the_table_has_a_case() {
    let names = |cases: &[Case]| -> BTreeSet<(String, String)> {
        cases
            .iter()
            .map(|case| (case.service.to_owned(), case.operation.to_owned()))
            .collect()
    };
    let wanted: BTreeSet<(String, String)> = schema::operations()
        .iter()
        .filter(|operation| cases::SERVICES.contains(&operation.service.as_str()))
        .map(|operation| (operation.service.clone(), operation.operation.clone()))
        .collect();
    let given = names(&cases::all());
    let missing: Vec<_> = wanted.difference(&given).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
    let unknown: Vec<_> = given.difference(&wanted).collect();
    assert!(unknown.is_empty(), "the fixture does not have {unknown:?}");
}

#[tokio::test]
async fn every_request_is_as_its_schema_wants_it() {
    let (peer, url) = Peer::start().await;
    let client = cases::client(&url, cases::ACCESS_KEY);
    let mut wrong = Vec::new();
    for case in cases::all() {
        peer.will_answer([answer(200, "{}")], None);
        // Whether the answer is of use is another test's question.
        let _ = (case.run)(&client).await;
        let seen = peer.seen();
        let place = format!("{} {} ({})", case.service, case.operation, case.variant);
        assert_eq!(seen.len(), 1, "{place} sends one request and gets one answer");
        let operation = schema::operation(case.service, case.operation);
        for fault in faults(operation, &seen[0]) {
            wrong.push(format!("{place}: {fault}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn an_address_that_carries_its_signature_is_sent_as_it_is() {
    let (peer, url) = Peer::start().await;
    let credentials = huaweicloud::Credentials {
        security_token: Some(cases::SECURITY_TOKEN.into()),
        ..huaweicloud::Credentials::permanent(cases::ACCESS_KEY, cases::SECRET_KEY)
    };
    let client = cases::client_with(&url, credentials);
    for case in cases::obs::signed() {
        peer.will_answer([answer(200, "{}")], None);
        (case.run)(&client).await.unwrap();
        let seen = &peer.seen()[0];
        let given: BTreeSet<&str> = seen.query.iter().map(|(name, _)| name.as_str()).collect();
        let wanted = BTreeSet::from(["AccessKeyId", "Expires", "Signature", "x-obs-security-token"]);
        assert_eq!(given, wanted, "{}", case.variant);
        assert_eq!(
            seen.parameter("x-obs-security-token"),
            Some(cases::SECURITY_TOKEN)
        );
        for header in ["authorization", "x-obs-security-token", "x-security-token"] {
            assert_eq!(seen.header(header), None, "{}: {header}", case.variant);
        }
    }
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let operation = schema::operation("ecs", "BatchStopServers");
    let seen = |body: &str| Seen {
        method: "POST".to_owned(),
        path: "/v1/p/cloudservers/action".to_owned(),
        query: Vec::new(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (
                "authorization".to_owned(),
                "SDK-HMAC-SHA256 Access=a, SignedHeaders=x-project-id, Signature=b".to_owned(),
            ),
            ("x-project-id".to_owned(), "p".to_owned()),
        ],
        body: body.as_bytes().to_vec(),
    };
    let good = r#"{"os-stop":{"servers":[{"id":"a"}],"type":"SOFT"}}"#;
    assert!(faults(operation, &seen(good)).is_empty());
    for bad in [
        r#"{"os-stop":{"servers":[{"id":"a"}],"type":"soft"}}"#,
        r#"{"os-stop":{"servers":[{"id":7}]}}"#,
        r#"{"os-stop":{"servers":[{}]}}"#,
        r#"{"os-stop":{"servers":[]}}"#,
        r#"{"os-stop":{"type":"SOFT"}}"#,
        r#"{"os-stop":{"servers":[{"id":"a"}],"force":true}}"#,
        r#"{"os-stop":null}"#,
        "{}",
        "",
    ] {
        assert!(
            !faults(operation, &seen(bad)).is_empty(),
            "{bad} is not a good body"
        );
    }
    let wrong = [
        Seen {
            method: "PUT".to_owned(),
            ..seen(good)
        },
        Seen {
            path: "/v1/p/cloudservers".to_owned(),
            ..seen(good)
        },
        Seen {
            path: "/v1//cloudservers/action".to_owned(),
            ..seen(good)
        },
        Seen {
            query: vec![("limit".to_owned(), "1".to_owned())],
            ..seen(good)
        },
        Seen {
            headers: Vec::new(),
            ..seen(good)
        },
        Seen {
            path: "/v1/q/cloudservers/action".to_owned(),
            ..seen(good)
        },
    ];
    for seen in wrong {
        assert!(
            !faults(operation, &seen).is_empty(),
            "{seen:?} is not a good request"
        );
    }
    let list = schema::operation("ecs", "ListServersDetails");
    let mut asked = Seen {
        method: "GET".to_owned(),
        path: "/v1/p/cloudservers/detail".to_owned(),
        query: vec![("limit".to_owned(), "many".to_owned())],
        body: Vec::new(),
        ..seen("")
    };
    assert_eq!(faults(list, &asked).len(), 1, "a limit is a number");
    asked.query = vec![("limit".to_owned(), "1".to_owned()); 2];
    assert_eq!(faults(list, &asked).len(), 1, "a limit is there once");
}
