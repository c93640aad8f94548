//! What came, as a page for a person: the newest first, with a filter.
//!
//! Everything on it that somebody sent is escaped, and the page is forbidden to run or load anything: an event is text that
//! a stranger can have written.

use std::{fmt::Write, sync::PoisonError};

use http::{HeaderName, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rusqlite::params;
use serde_json::Value;

use super::Receiver;
use crate::wire::{Answer, Request};

/// Records on one page.
const ROWS: usize = 100;
/// Most characters of one record that are shown.
const SHOWN: usize = 8_000;
/// Most characters of a filter.
const FILTER: usize = 200;

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;\
    color-scheme:light dark}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;\
    padding:.3rem .6rem;border-bottom:1px solid #8884}pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}";

/// The page's own words.
struct Words {
    language: &'static str,
    title: &'static str,
    records: &'static str,
    events: &'static str,
    mode: &'static str,
    filter: &'static str,
    show: &'static str,
    number: &'static str,
    received: &'static str,
    event: &'static str,
    deliveries: &'static str,
    record: &'static str,
    nothing: &'static str,
    older: &'static str,
    newest: &'static str,
}

const CHINESE: Words = Words {
    language: "zh-CN",
    title: "HEI 接收器收到的内容",
    records: "条记录符合",
    events: "个不同事件",
    mode: "当前模式",
    filter: "包含文字",
    show: "筛选",
    number: "编号",
    received: "接收时间 (UTC)",
    event: "事件",
    deliveries: "投递次数",
    record: "记录",
    nothing: "还没有收到符合的内容。请在应用里打开投递，或清除筛选。",
    older: "更早",
    newest: "最新",
};

const ENGLISH: Words = Words {
    language: "en",
    title: "What the HEI receiver got",
    records: "records fit",
    events: "different events",
    mode: "present mode",
    filter: "contains",
    show: "Filter",
    number: "No.",
    received: "Received (UTC)",
    event: "Event",
    deliveries: "Deliveries",
    record: "Record",
    nothing: "Nothing that fits has come yet. Switch delivery on in the application, or clear the filter.",
    older: "Older",
    newest: "Newest",
};

/// One record, newest first.
struct Row {
    id: i64,
    received_at: String,
    event_id: Option<String>,
    record: String,
    deliveries: i64,
}

struct Found {
    rows: Vec<Row>,
    records: i64,
    events: i64,
}

impl Receiver {
    /// The page, as the query wants it: `q` is a text that the record contains, `before` the number of a record.
    pub(crate) async fn page(&self, request: &Request) -> Answer {
        let filter: String = field(request, "q").chars().take(FILTER).collect();
        let before = field(request, "before").parse().unwrap_or(i64::MAX);
        let accepted = request.header("accept-language").unwrap_or_default();
        let words = if accepted.trim_start().to_ascii_lowercase().starts_with("zh") {
            &CHINESE
        } else {
            &ENGLISH
        };
        let found = match self.newest(filter.clone(), before).await {
            Ok(found) => found,
            Err(error) => return Answer::text(500, error.to_string()),
        };
        let text = write_page(words, &found, &filter, before, &self.modes.present().words());
        Answer::text(200, text)
            .with(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .with(header::CACHE_CONTROL, "no-store")
            .with(
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            )
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .with(HeaderName::from_static("referrer-policy"), "no-referrer")
    }

    async fn newest(
        &self,
        filter: String,
        before: i64,
    ) -> std::result::Result<Found, Box<dyn std::error::Error + Send + Sync>> {
        let connection = std::sync::Arc::clone(&self.records);
        tokio::task::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            // What the sender wrapped stands in the record as text in text; its quotes are not what one looks for.
            let fits = "(?1 = '' OR instr(lower(replace(record, '\\\"', '\"')), lower(?1)) > 0)";
            let (records, events) = connection.query_row(
                &format!("SELECT COUNT(*), COUNT(DISTINCT event_id) FROM records WHERE {fits}"),
                params![filter],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let mut query = connection.prepare_cached(&format!(
                "SELECT id, received_at, event_id, record, (
                     SELECT COUNT(*) FROM records AS other WHERE other.event_id = records.event_id
                 ) FROM records WHERE {fits} AND id < ?2 ORDER BY id DESC LIMIT ?3"
            ))?;
            let rows = query
                .query_map(params![filter, before, i64::try_from(ROWS)?], |row| {
                    Ok(Row {
                        id: row.get(0)?,
                        received_at: row.get(1)?,
                        event_id: row.get(2)?,
                        record: row.get(3)?,
                        deliveries: row.get(4)?,
                    })
                })?
                .collect::<rusqlite::Result<Vec<Row>>>()?;
            Ok(Found {
                rows,
                records,
                events,
            })
        })
        .await?
    }
}

/// A field of the page's form, where a plus is a space.
fn field(request: &Request, name: &str) -> String {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    request
        .raw_query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decoded(value))
        .unwrap_or_default()
}

fn write_page(words: &Words, found: &Found, filter: &str, before: i64, mode: &str) -> String {
    let mut text = String::with_capacity(16 * 1024);
    let link = |before: Option<i64>| {
        let filter = utf8_percent_encode(filter, NON_ALPHANUMERIC);
        match before {
            Some(id) => format!("?q={filter}&amp;before={id}"),
            None => format!("?q={filter}"),
        }
    };
    // Writing into a string does not fail.
    let _ = write!(
        text,
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>\
         <form><label>{label} <input name=\"q\" value=\"{value}\" maxlength=\"{FILTER}\"></label> <button>{show}</button></form>\
         <p>{records} {records_words}, {events} {events_words}; {mode_words}: {mode}</p>",
        language = words.language,
        title = words.title,
        label = words.filter,
        value = escaped(filter),
        show = words.show,
        records = found.records,
        records_words = words.records,
        events = found.events,
        events_words = words.events,
        mode_words = words.mode,
        mode = escaped(mode),
    );
    if found.rows.is_empty() {
        let _ = write!(text, "<p>{}</p>", words.nothing);
    } else {
        let _ = write!(
            text,
            "<table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>",
            words.number, words.received, words.event, words.deliveries, words.record
        );
        for row in &found.rows {
            let (action, body) = readable(&row.record);
            let _ = write!(
                text,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><details><summary>{}</summary><pre>{}</pre>\
                 </details></td></tr>",
                row.id,
                escaped(&row.received_at),
                escaped(row.event_id.as_deref().unwrap_or("–")),
                row.deliveries.max(1),
                escaped(&action),
                escaped(&body)
            );
        }
        text.push_str("</tbody></table>");
    }
    text.push_str("<p>");
    if before != i64::MAX {
        let _ = write!(text, "<a href=\"{}\">{}</a> ", link(None), words.newest);
    }
    if let Some(last) = found.rows.last().filter(|_| found.rows.len() == ROWS) {
        let _ = write!(text, "<a href=\"{}\">{}</a>", link(Some(last.id)), words.older);
    }
    text.push_str("</p></body></html>");
    text
}

/// In a few words what a record says, and all of it with what is wrapped unpacked.
fn readable(record: &str) -> (String, String) {
    let mut value: Value = serde_json::from_str(record).unwrap_or_else(|_| record.into());
    let inner = value.get("_message").and_then(Value::as_str);
    let inner = inner.and_then(|message| serde_json::from_str::<Value>(message).ok());
    if let (Some(inner), Some(place)) = (inner, value.get_mut("_message")) {
        *place = inner;
    }
    let event = value
        .get("_message")
        .filter(|message| message.is_object())
        .unwrap_or(&value);
    let summary = event
        .get("action")
        .or_else(|| event.get("_message"))
        .and_then(Value::as_str)
        .unwrap_or("…");
    let all = serde_json::to_string_pretty(&value).unwrap_or_else(|_| record.to_owned());
    (shortened(summary, 120), shortened(&all, SHOWN))
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A text that is only a text, between tags and between quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Would turn the order of what follows around.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_sent_gets_out_of_its_place() {
        assert_eq!(
            escaped("<a href=\"x\" id='y'>&"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
        assert_eq!(escaped("a\u{202e}b"), "a\u{fffd}b");
    }

    #[test]
    fn a_long_record_is_cut_between_characters() {
        let (summary, body) = readable(&format!(r#"{{"action":"{}"}}"#, "文".repeat(9_000)));
        assert_eq!(summary.chars().count(), 121);
        assert_eq!(body.chars().count(), SHOWN + 1);
        assert_eq!(readable("not json").1, "\"not json\"");
    }
}
