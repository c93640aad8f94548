//! Plain SQL over what came in: tables whose columns are the events' keys, as the platform shows them.
//!
//! Each query gets a database of its own in memory, with one table for each data set (`_event_set`; `main` where an event
//! names none), so nothing that a query does can touch what was received. The text in `_message` is taken apart if
//! `_datatype` is `json`; keys of inner objects are joined with a dot. `_time` is in microseconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rusqlite::{
    Connection, ErrorCode,
    hooks::{AuthAction, AuthContext, Authorization},
    params_from_iter,
    types::{Value as Cell, ValueRef},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Most events that a query looks at: the latest ones.
pub(super) const MOST_EVENTS: u32 = 50_000;
/// Most rows of a result.
const MOST_ROWS: usize = 10_000;
/// Most columns of a table; further keys stay in `_message`.
const MOST_COLUMNS: usize = 400;
/// How long a query may take.
const LONGEST: Duration = Duration::from_secs(5);
/// Most characters of a query.
const LONGEST_SQL: usize = 20_000;
/// Functions that reach outside, or make much out of nothing.
const FORBIDDEN: [&str; 5] = ["load_extension", "zeroblob", "randomblob", "printf", "format"];
/// The data set of events that name none.
const MAIN: &str = "main";
/// The data set that somebody made for this product's events, with the columns that questions need before any came.
const PRODUCT: (&str, &[&str]) = (
    "wangcheng",
    &[
        "schema",
        "event_id",
        "installation_id",
        "seq",
        "time",
        "action",
        "outcome",
        "owner",
        "owner_id",
        "region",
        "server_id",
        "server_name",
        "flavor",
        "purpose",
        "template",
        "currency",
        "price_per_hour",
        "disk_gb",
        "disk_id",
        "lease_end",
        "cause",
        "duration_s",
        "error_code",
    ],
);

/// A query as it is asked.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Question {
    pub(super) query: String,
    /// RFC 3339 or microseconds; events before are not looked at.
    earliest: Option<Value>,
    /// The same; events from then on are not looked at.
    latest: Option<Value>,
}

/// Columns and rows in the order of the query.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Map<String, Value>>,
    /// There was more than fits.
    pub(super) truncated: bool,
}

type Event = BTreeMap<String, Cell>;

/// Runs the query over the records: when each came, and its text. The error is for the one who asks.
pub(super) fn run(question: &Question, records: &[(String, String)]) -> Result<Table, String> {
    if question.query.chars().count() > LONGEST_SQL {
        return Err(format!("a query has at most {LONGEST_SQL} characters"));
    }
    let bound = |value: &Option<Value>, name: &str| match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => micros(value)
            .map(Some)
            .ok_or_else(|| format!("{name} is no time")),
    };
    let (earliest, latest) = (
        bound(&question.earliest, "earliest")?,
        bound(&question.latest, "latest")?,
    );
    let mut sets = BTreeMap::from([
        (MAIN.to_owned(), Set::default()),
        (PRODUCT.0.to_owned(), Set::product()),
    ]);
    for (received_at, record) in records {
        let Some((set, event)) = read(received_at, record) else {
            continue;
        };
        let time = match event.get("_time") {
            Some(Cell::Integer(time)) => *time,
            _ => 0,
        };
        let set = sets.entry(set).or_default();
        set.learn(&event);
        if earliest.is_none_or(|earliest| time >= earliest) && latest.is_none_or(|latest| time < latest) {
            set.events.push(event);
        }
    }
    let mut database = Connection::open_in_memory().map_err(|error| error.to_string())?;
    fill(&mut database, &sets).map_err(|error| error.to_string())?;
    answer(&mut database, &question.query)
}

/// One data set: its columns are those of all its events, whichever times are asked for.
#[derive(Default)]
struct Set {
    columns: Vec<String>,
    /// In lower case, as names are compared.
    known: BTreeSet<String>,
    events: Vec<Event>,
}

impl Set {
    fn product() -> Self {
        let mut set = Self::default();
        set.learn(
            &PRODUCT
                .1
                .iter()
                .map(|name| ((*name).to_owned(), Cell::Null))
                .collect(),
        );
        set
    }

    fn learn(&mut self, event: &Event) {
        let own = ["_time", "_message", "_datatype", "_source", "_host", "_event_set"];
        let own = own.into_iter().filter(|_| self.columns.is_empty());
        let names: Vec<&str> = own.chain(event.keys().map(String::as_str)).collect();
        for name in names {
            if self.columns.len() < MOST_COLUMNS && self.known.insert(name.to_lowercase()) {
                self.columns.push(name.to_owned());
            }
        }
    }
}

fn fill(database: &mut Connection, sets: &BTreeMap<String, Set>) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    for (set, Set { columns, events, .. }) in sets {
        if columns.is_empty() {
            // Nothing ever came without a set: the table is there, with what every event has.
            let own = "_time, _message, _datatype, _source, _host, _event_set";
            transaction.execute_batch(&format!("CREATE TABLE {} ({own})", quoted(set)))?;
            continue;
        }
        let names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        transaction.execute_batch(&format!("CREATE TABLE {} ({})", quoted(set), names.join(", ")))?;
        let places = vec!["?"; columns.len()].join(", ");
        let mut insert = transaction.prepare(&format!("INSERT INTO {} VALUES ({places})", quoted(set)))?;
        for event in events {
            insert.execute(params_from_iter(
                columns.iter().map(|name| event.get(name).unwrap_or(&Cell::Null)),
            ))?;
        }
    }
    transaction.commit()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}

fn answer(database: &mut Connection, query: &str) -> Result<Table, String> {
    let words = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => "the query took too long".to_owned(),
        Some(ErrorCode::AuthorizationForStatementDenied) => "only reading is allowed".to_owned(),
        _ => error.to_string(),
    };
    let read_only = |context: AuthContext<'_>| match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !FORBIDDEN.contains(&function_name) => Authorization::Allow,
        _ => Authorization::Deny,
    };
    database.authorizer(Some(read_only)).map_err(words)?;
    let end = Instant::now() + LONGEST;
    database
        .progress_handler(10_000, Some(move || Instant::now() > end))
        .map_err(words)?;
    let mut statement = database.prepare(query).map_err(words)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).map_err(words)?;
    let mut table = Table {
        columns: columns.clone(),
        rows: Vec::new(),
        truncated: false,
    };
    while let Some(row) = rows.next().map_err(words)? {
        if table.rows.len() >= MOST_ROWS {
            table.truncated = true;
            break;
        }
        let mut cells = Map::new();
        for (position, name) in columns.iter().enumerate() {
            let value = match row.get_ref(position).map_err(words)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => json!(number),
                ValueRef::Real(number) => json!(number),
                ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => json!(hex::encode(bytes)),
            };
            cells.insert(name.clone(), value);
        }
        table.rows.push(cells);
    }
    Ok(table)
}

/// The data set and the event with all its keys; `None` for what is no object.
fn read(received_at: &str, record: &str) -> Option<(String, Event)> {
    let outer: Map<String, Value> = serde_json::from_str(record).ok()?;
    let mut event = Event::new();
    let as_json = outer.get("_datatype").and_then(Value::as_str) == Some("json");
    let inner: Option<Map<String, Value>> = outer
        .get("_message")
        .and_then(Value::as_str)
        .filter(|_| as_json)
        .and_then(|message| serde_json::from_str(message).ok());
    if let Some(inner) = &inner {
        spread("", inner, &mut event);
    }
    // What the wrapper says wins.
    spread("", &outer, &mut event);
    let set = ["_event_set", "_target_table"]
        .iter()
        .find_map(|key| outer.get(*key)?.as_str())
        .filter(|set| !set.is_empty())
        .unwrap_or(MAIN)
        .to_lowercase();
    event.insert("_event_set".to_owned(), Cell::Text(set.clone()));
    // Without a time of its own (or with 0) it is the event's, and at last the moment at which it came.
    let time = outer
        .get("_time")
        .and_then(micros)
        .filter(|time| *time != 0)
        .or_else(|| {
            ["time", "timestamp"]
                .iter()
                .find_map(|key| micros(inner.as_ref()?.get(*key)?))
        })
        .or_else(|| micros(&json!(received_at)))?;
    event.insert("_time".to_owned(), Cell::Integer(time));
    Some((set, event))
}

fn spread(prefix: &str, object: &Map<String, Value>, event: &mut Event) {
    for (key, value) in object {
        let name = format!("{prefix}{key}");
        let cell = match value {
            Value::Object(inner) if prefix.matches('.').count() < 8 => {
                spread(&format!("{name}."), inner, event);
                continue;
            }
            Value::Null => Cell::Null,
            Value::Bool(flag) => Cell::Text(flag.to_string()),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Cell::Integer(number),
                None => Cell::Real(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Cell::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => Cell::Text(value.to_string()),
        };
        event.insert(name, cell);
    }
}

/// A time in microseconds, from RFC 3339 or a number of seconds, milliseconds or microseconds, told apart by its size.
fn micros(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| time.with_timezone(&Utc).timestamp_micros()),
        Value::Number(number) => {
            let number = number.as_f64()?;
            let scale = match number.abs() {
                ..1e11 => 1e6,
                1e11..1e14 => 1e3,
                _ => 1.0,
            };
            // The cast saturates.
            Some((number * scale) as i64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str, records: &[&str]) -> Result<Table, String> {
        let records: Vec<(String, String)> = records
            .iter()
            .map(|record| ("2026-01-02T03:04:05.000Z".to_owned(), (*record).to_owned()))
            .collect();
        let question: Question = serde_json::from_value(json!({"query": query})).unwrap();
        run(&question, &records)
    }

    #[test]
    fn the_keys_of_message_and_wrapper_are_columns() {
        let record = r#"{"_message":"{\"a\":{\"b\":2},\"time\":\"2026-01-01T00:00:00Z\"}","_datatype":"json","_event_set":"Wangcheng","_time":0}"#;
        let table = ask("SELECT \"a.b\" AS n, _time FROM wangcheng", &[record]).unwrap();
        assert_eq!(table.rows[0]["n"], 2);
        assert_eq!(table.rows[0]["_time"], 1_767_225_600_000_000_i64);
    }

    #[test]
    fn nothing_but_reading_is_allowed() {
        for query in [
            "DELETE FROM main",
            "CREATE TABLE t (a)",
            "ATTACH '/tmp/never' AS x",
            "PRAGMA query_only = 0",
            "SELECT load_extension('x')",
            "INSERT INTO main (_time) VALUES (1)",
        ] {
            assert!(ask(query, &[]).is_err(), "{query}");
        }
        assert!(ask("WITH x AS (SELECT 1 AS n) SELECT COUNT(*) AS n FROM x", &[]).is_ok());
    }

    #[test]
    fn a_query_without_end_is_stopped_and_a_long_result_is_cut() {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
        let table = ask(endless, &[]).unwrap();
        assert_eq!((table.rows.len(), table.truncated), (MOST_ROWS, true));
        let count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
        assert_eq!(ask(count, &[]).unwrap_err(), "the query took too long");
    }
}
