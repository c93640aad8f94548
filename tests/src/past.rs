//! A company's past of two years, small enough to be looked at in a window: that of the benchmarks, from the same seed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use chrono::{DateTime, DurationRound as _, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

#[allow(
    dead_code,
    missing_docs,
    clippy::indexing_slicing,
    reason = "the benchmarks need more of it, and take its lists by numbers below their length"
)]
#[path = "../../src-tauri/crates/store/benches/history/mod.rs"]
mod history;

/// The first day of it in Asia/Shanghai, and the last of its last whole month.
pub const DAYS: (&str, &str) = ("2024-11-01", "2026-09-30");

/// The events of some four hundred servers of 24 owners, server by server, as clients would have written them: numbered by
/// installation without gaps. Moments are whole minutes, so that figures can be counted minute by minute.
///
/// # Errors
/// Never, but for a generator that makes no JSON.
pub fn events() -> Result<Vec<Value>> {
    let past = history::History {
        owners: 24,
        ..history::History::of(3_600)
    };
    let mut texts = Vec::new();
    past.tell(|event| texts.push(event.json.clone()));
    let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
    let mut events = Vec::with_capacity(texts.len());
    for text in texts {
        let mut event: Map<String, Value> = serde_json::from_str(&text)?;
        let installation = event.get("installation_id").and_then(Value::as_str);
        let number = numbers
            .entry(installation.unwrap_or_default().to_owned())
            .or_default();
        *number += 1;
        event.insert("seq".to_owned(), json!(*number));
        for key in ["time", "lease_end"] {
            if let Some(at) = event.get(key).and_then(Value::as_str) {
                let at: DateTime<Utc> = at.parse()?;
                let minute = at.duration_trunc(TimeDelta::minutes(1))?;
                let minute = minute.to_rfc3339_opts(SecondsFormat::Millis, true);
                event.insert(key.to_owned(), json!(minute));
            }
        }
        events.push(Value::Object(event));
    }
    Ok(events)
}

/// Writes events as an export file, one a line.
///
/// # Errors
/// When it cannot be written.
pub fn write(file: &Path, events: &[Value]) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    for event in events {
        writeln!(out, "{event}")?;
    }
    Ok(out.flush()?)
}
