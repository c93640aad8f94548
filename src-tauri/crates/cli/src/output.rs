//! What people and programs get to read. Writes are never assumed to work: a pipe may be closed at the other end.

use std::io::{self, IsTerminal, Write};

use api::{Tongue, WireError};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

use crate::trouble::{Result, Trouble};
use crate::words::{safe, safe_json, say};

/// Stands around what is to be typed, in next steps that people read; programs get them without it.
const MARK: char = '`';

/// For whom is written.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Programs read it.
    pub json: bool,
    /// The language of people.
    pub tongue: Tongue,
}

impl Output {
    /// One of two texts.
    pub fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        say(self.tongue, zh, en)
    }

    /// The answer itself, in its stable form.
    pub fn json(&self, value: &Value) -> Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        self.line(&safe_json(&text))
    }

    /// The answer: JSON for programs, what `people` makes of it otherwise.
    pub fn answer(&self, value: &Value, people: impl FnOnce() -> String) -> Result<()> {
        if self.json {
            self.json(value)
        } else {
            self.line(&people())
        }
    }

    /// One line of the answer, as it is.
    pub fn line(&self, text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// Something beside the answer, for people only.
    pub fn note(&self, text: &str) {
        if !self.json {
            // Nobody has to read it.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// What went wrong.
    pub fn error(&self, error: &WireError) {
        let text = if self.json {
            let mut error = error.clone();
            error.next_step = error.next_step.map(|step| step.replace(MARK, ""));
            let value = serde_json::json!({ "error": error });
            safe_json(&value.to_string())
        } else {
            self.words_of(error)
        };
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    fn words_of(&self, error: &WireError) -> String {
        let mut text = format!("wangcheng: {}", safe(&error.sentence));
        if let Some(step) = &error.next_step {
            text.push_str(&format!("\n  {}", safe(step)));
        }
        let codes = [
            error.provider_code.as_ref().map(|code| safe(code)),
            error
                .request_id
                .as_ref()
                .map(|id| format!("{} {}", self.say("请求", "request"), safe(id))),
        ];
        let codes: Vec<String> = codes.into_iter().flatten().collect();
        if let Some(detail) = &error.detail {
            text.push_str(&format!("\n  {}", safe(detail)));
        }
        if !codes.is_empty() {
            text.push_str(&format!("\n  ({})", codes.join(", ")));
        }
        text
    }
}

/// Ends a command: what went wrong goes to standard error.
pub fn report(output: Output, trouble: &Trouble) -> crate::exit::Exit {
    match trouble {
        Trouble::Error { error, exit } => {
            output.error(error);
            *exit
        }
        // Whoever read our output had enough.
        Trouble::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => crate::exit::Exit::Ok,
        Trouble::Output(error) => {
            let _ = writeln!(io::stderr().lock(), "wangcheng: {error}");
            crate::exit::Exit::Failed
        }
        Trouble::Ended(_) => crate::exit::Exit::Failed,
    }
}

/// Whether a person sits at both ends and can be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The text of a key; what is absent is empty. Made safe for a terminal.
pub fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => safe(text),
        Some(Value::Null) | None => String::new(),
        Some(other) => safe(&other.to_string()),
    }
}

/// An amount with its currency; what has no price is empty.
pub fn money(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(money) if money.is_object() => {
            format!("{} {}", text(money, "amount"), text(money, "currency"))
        }
        _ => String::new(),
    }
}

/// The rows of a list.
pub fn rows<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// A table for people.
pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(head.to_vec());
    for row in rows {
        table.add_row(row);
    }
    table.trim_fmt()
}

/// Names and values below one another; what has no value is left off.
pub fn lines_of_two<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let rows = pairs
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| vec![name.to_owned(), value]);
    let mut table = Table::new();
    table.load_style(NOTHING);
    for row in rows {
        table.add_row(row);
    }
    table.trim_fmt()
}
