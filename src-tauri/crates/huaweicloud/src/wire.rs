//! What most calls share: bodies without nulls, members of answers, lists paged by row, jobs that were begun.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::{Answer, Call, Client, Listing, Reply};
use crate::error::{Error, ErrorKind};
use crate::ids::JobId;
use crate::lenient;

/// A list that takes more pages than this is not believed.
const MAX_PAGES: usize = 1_000;

/// The bytes of a request's body. Members that are `null` are left out, at every depth: most services take a
/// `null` for a wrong type, not for absence.
pub(crate) fn body(value: Value) -> Bytes {
    filled(value).to_string().into()
}

fn filled(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, filled(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(filled).collect(),
        other => other,
    }
}

/// Reads one member of the answer.
pub(crate) fn member<T: DeserializeOwned>(answer: &Answer, key: &str) -> Result<T, Error> {
    serde_json::from_str(raw_member(answer, key)?.get()).map_err(|error| answer.bad(error.to_string()))
}

/// The same, for calls that answer nothing else.
pub(crate) fn only_member<T: DeserializeOwned>(answer: Answer, key: &str) -> Result<Reply<T>, Error> {
    let value = member(&answer, key)?;
    Ok(answer.reply(value))
}

fn raw_member<'a>(answer: &'a Answer, key: &str) -> Result<&'a RawValue, Error> {
    let fields: HashMap<String, &RawValue> = answer.parse_borrowed()?;
    fields
        .get(key)
        .copied()
        .ok_or_else(|| answer.bad(format!("the answer has no {key}")))
}

/// Reads a list that stands in the answer. An absent list is not an empty one; `null` is.
pub(crate) fn rows<T: DeserializeOwned>(answer: &Answer, key: &str) -> Result<Listing<T>, Error> {
    listing(raw_member(answer, key)?, key).map_err(|error| answer.bad(error.to_string()))
}

/// The same for a list that stands somewhere deeper.
pub(crate) fn listing<T: DeserializeOwned>(raw: &RawValue, key: &str) -> serde_json::Result<Listing<T>> {
    let rows: Option<Vec<&RawValue>> = serde_json::from_str(raw.get())?;
    let rows = rows.unwrap_or_default();
    let items: Vec<T> = rows
        .iter()
        .filter_map(|row| {
            serde_json::from_str(row.get())
                .inspect_err(|error| tracing::warn!(key, %error, "a row was left out"))
                .ok()
        })
        .collect();
    Ok(Listing {
        skipped: rows.len() - items.len(),
        items,
    })
}

/// The same, for calls that answer a whole list at once.
pub(crate) fn only_rows<T: DeserializeOwned>(answer: Answer, key: &str) -> Result<Reply<Listing<T>>, Error> {
    let listing = rows(&answer, key)?;
    Ok(answer.reply(listing))
}

/// Reads all pages of a list that counts rows from 0 and tells their number as `total_count`. `call` makes the
/// call for the page that begins at a row. The last page's answer comes with the list.
pub(crate) async fn by_offset<'a, T: DeserializeOwned>(
    client: &Client,
    key: &str,
    limit: usize,
    call: impl Fn(usize) -> Call<'a>,
) -> Result<(Listing<T>, Answer), Error> {
    #[derive(Deserialize)]
    struct Total {
        #[serde(default, deserialize_with = "lenient::number")]
        total_count: Option<usize>,
    }
    let mut listing = Listing {
        items: Vec::new(),
        skipped: 0,
    };
    let mut offset = 0;
    for _ in 0..MAX_PAGES {
        let answer = client.send(&call(offset)).await?;
        let page: Listing<T> = rows(&answer, key)?;
        let total = answer.parse::<Total>()?.total_count;
        let seen = page.items.len() + page.skipped;
        offset += seen;
        listing.items.extend(page.items);
        listing.skipped += page.skipped;
        let whole = match total {
            Some(total) => offset >= total,
            None => seen < limit,
        };
        if whole || seen == 0 {
            return Ok((listing, answer));
        }
    }
    let first = call(0);
    Err(Error::local(
        ErrorKind::BadAnswer,
        Some(first.service),
        first.action,
        format!("the list did not end within {MAX_PAGES} pages"),
    ))
}

/// Reads the answer of a call that starts a job.
pub(crate) fn started_job(answer: Answer) -> Result<Reply<JobId>, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::optional")]
        job_id: Option<JobId>,
    }
    match answer.parse::<Body>()?.job_id {
        Some(job) => Ok(answer.reply(job)),
        None => Err(answer.bad("the answer names no job")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_that_is_null_is_sent() {
        let sent = body(json!({"a": null, "b": {"c": null, "d": [{"e": null, "f": 1}]}, "g": ""}));
        assert_eq!(
            sent, r#"{"b":{"d":[{"f":1}]},"g":""}"#,
            "empty texts and empty objects mean something, nulls do not"
        );
    }
}
