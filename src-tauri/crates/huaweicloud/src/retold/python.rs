//! Code for the vendor's Python SDK, with a class for each part of the body as the SDK has it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::table::{Attributes, TABLE};
use super::{Parts, json_text};

/// Longest line that is not broken.
const LINE: usize = 100;

/// The classes of one module, and those of them that were used.
struct Classes {
    known: &'static BTreeMap<String, Attributes>,
    used: BTreeSet<String>,
}

/// Nothing where the SDK has no place for a part of the body.
pub(super) fn code(parts: &Parts<'_>) -> Option<String> {
    let operation = parts.operation;
    let mut classes = Classes {
        known: TABLE.models.get(&operation.module)?,
        used: BTreeSet::new(),
    };
    let mut arguments = Vec::new();
    for (place, name, value) in &parts.parameters {
        let of = match *place {
            "path" => &operation.parameters.path,
            "query" => &operation.parameters.query,
            _ => &operation.parameters.header,
        };
        arguments.push((of.get(*name)?.clone(), string(value)));
    }
    if let Some(body) = &parts.body {
        let body = classes.value(operation.body.as_deref()?, body, 1)?;
        arguments.push(("body".to_owned(), body));
    }
    let class = format!("{}Request", parts.name);
    let request = called(&class, &arguments, 0);
    classes.used.insert(class);
    classes.used.insert(operation.client.clone());
    let names: Vec<&str> = classes.used.iter().map(String::as_str).collect();
    Some(format!(
        r#"import os

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from {module} import (
    {names},
)

credentials = BasicCredentials(
    os.environ["HUAWEICLOUD_SDK_AK"],
    os.environ["HUAWEICLOUD_SDK_SK"],
    {project},
)
if token := os.environ.get("HUAWEICLOUD_SDK_SECURITY_TOKEN"):
    credentials.with_security_token(token)
client = (
    {client}.new_builder()
    .with_credentials(credentials)
    .with_endpoint({endpoint})
    .build()
)
request = {request}
print(client.{method}(request))
"#,
        module = operation.module,
        names = names.join(",\n    "),
        project = string(&parts.project),
        client = operation.client,
        endpoint = string(&parts.endpoint),
        method = operation.method,
    ))
}

impl Classes {
    /// A value of a kind, such as `list[ServerId]`; `depth`: how far its lines are moved in.
    fn value(&mut self, kind: &str, value: &Value, depth: usize) -> Option<String> {
        let inner = |kind: &'_ str, start: &str, end: char| {
            let kind = kind.strip_prefix(start)?.strip_suffix(end)?;
            Some(kind.trim().to_owned())
        };
        match value {
            Value::Array(rows) => {
                let of = inner(kind, "list[", ']').unwrap_or_default();
                let rows: Option<Vec<String>> =
                    rows.iter().map(|row| self.value(&of, row, depth + 1)).collect();
                Some(wrapped("[", &rows?, "]", depth))
            }
            Value::Object(fields) => {
                let Some(attributes) = self.known.get(kind) else {
                    let of = inner(kind, "dict(str,", ')').unwrap_or_default();
                    let mut rows = Vec::with_capacity(fields.len());
                    for (key, value) in fields {
                        rows.push(format!("{}: {}", string(key), self.value(&of, value, depth + 1)?));
                    }
                    return Some(wrapped("{", &rows, "}", depth));
                };
                self.used.insert(kind.to_owned());
                let mut arguments = Vec::with_capacity(fields.len());
                for (key, value) in fields {
                    let (attribute, of) = attributes.get(key)?;
                    arguments.push((attribute.clone(), self.value(of, value, depth + 1)?));
                }
                Some(called(kind, &arguments, depth))
            }
            Value::Bool(true) => Some("True".to_owned()),
            Value::Bool(false) => Some("False".to_owned()),
            Value::Null => Some("None".to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(string(text)),
        }
    }
}

/// A text of JSON is one of Python.
fn string(text: &str) -> String {
    json_text(&Value::from(text), false)
}

fn called(class: &str, arguments: &[(String, String)], depth: usize) -> String {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    wrapped(&format!("{class}("), &arguments, ")", depth)
}

/// On one line where it fits, else one row a line.
fn wrapped(open: &str, rows: &[String], close: &str, depth: usize) -> String {
    let short = format!("{open}{}{close}", rows.join(", "));
    if rows.len() <= 1 && !short.contains('\n') && depth * 4 + short.chars().count() <= LINE
        || rows.is_empty()
    {
        return short;
    }
    let margin = "    ".repeat(depth);
    let rows: String = rows.iter().map(|row| format!("{margin}    {row},\n")).collect();
    format!("{open}\n{rows}{margin}{close}")
}
