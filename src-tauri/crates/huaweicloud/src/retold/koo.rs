//! A command of KooCLI. Members of the body are parameters whose names are joined by points, rows of lists count from
//! 1. What cannot be said that way stands in a file of JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Parts, acts, json_text};

/// Longest value that is given on the command line, in characters.
const LONGEST: usize = 4_000;

pub(super) fn command(parts: &Parts<'_>) -> String {
    let version = parts.operation.version.as_deref();
    let version = version.map(|version| format!("/{version}")).unwrap_or_default();
    let service = &parts.service;
    let mut lines = vec![
        format!("hcloud {service} {}{version}", parts.name),
        parameter("cli-region", parts.region),
    ];
    match on_the_line(parts) {
        Some(parameters) => {
            lines.push(parameter("project_id", &parts.project));
            lines.extend(parameters.iter().map(|(name, value)| parameter(name, value)));
            lines.join(" \\\n  ")
        }
        None => {
            let file = format!("{service}_{}.json", parts.name);
            lines.push(parameter("cli-jsonInput", &file));
            let text = json_text(&in_a_file(parts), true);
            format!("cat > {file} <<'END'\n{text}\nEND\n{}", lines.join(" \\\n  "))
        }
    }
}

/// The parameters, unless there is one that the program would not understand on its command line.
fn on_the_line(parts: &Parts<'_>) -> Option<Vec<(String, String)>> {
    let mut all: Vec<(String, String)> = parts
        .parameters
        .iter()
        .map(|(_, name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    if let Some(body) = &parts.body {
        flatten("", body, &mut all)?;
    }
    let mut names = BTreeSet::from(["project_id"]);
    let fits = all.iter().all(|(name, value)| {
        let once = names.insert(name.as_str());
        once && !value.is_empty() && value.chars().count() <= LONGEST && !value.chars().any(acts)
    });
    fits.then_some(all)
}

fn flatten(name: &str, value: &Value, all: &mut Vec<(String, String)>) -> Option<()> {
    let below = |key: &str| {
        if name.is_empty() {
            key.to_owned()
        } else {
            format!("{name}.{key}")
        }
    };
    match value {
        Value::Object(fields) if fields.is_empty() => all.push((name.to_owned(), "{}".to_owned())),
        Value::Array(rows) if rows.is_empty() => all.push((name.to_owned(), "[]".to_owned())),
        Value::Object(fields) => {
            for (key, value) in fields {
                // It would be taken for two names.
                if key.contains('.') || key.chars().any(acts) {
                    return None;
                }
                flatten(&below(key), value, all)?;
            }
        }
        Value::Array(rows) => {
            for (at, row) in rows.iter().enumerate() {
                flatten(&below(&(at + 1).to_string()), row, all)?;
            }
        }
        Value::String(text) => all.push((name.to_owned(), text.clone())),
        Value::Null => return None,
        Value::Bool(_) | Value::Number(_) => all.push((name.to_owned(), value.to_string())),
    }
    Some(())
}

fn in_a_file(parts: &Parts<'_>) -> Value {
    let mut file = Map::new();
    file.insert("path".to_owned(), json!({ "project_id": parts.project }));
    for (place, name, value) in &parts.parameters {
        let of = file.entry(*place).or_insert_with(|| json!({}));
        if let Some(of) = of.as_object_mut() {
            of.insert((*name).to_owned(), Value::from(value.as_str()));
        }
    }
    if let Some(body) = &parts.body {
        file.insert("body".to_owned(), body.clone());
    }
    Value::Object(file)
}

fn parameter(name: &str, value: &str) -> String {
    format!("--{}={}", quoted(name), quoted(value))
}

/// As a POSIX shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
