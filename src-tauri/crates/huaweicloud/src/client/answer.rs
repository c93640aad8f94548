//! Reading answers, and lists page by page.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use ::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::de::{Deserialize, DeserializeOwned, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::call::Call;
use super::{Client, Listing, Reply, lookahead};
use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};
use crate::lenient::{self, Object};

/// A list that takes more pages than this is not believed.
const MAX_PAGES: usize = 1_000;
/// A list of more rows than this is not kept.
const MAX_ROWS: usize = 200_000;

/// An answer with a 2xx status and no error in it.
pub(crate) struct Answer {
    pub(super) service: Service,
    pub(super) action: &'static str,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) request_id: Option<String>,
    pub(super) server_time: Option<DateTime<Utc>>,
}

impl Client {
    /// Reads all pages of a list. `call` makes the call for the page after a marker, `key` is the field with
    /// the rows, `limit` the page size that it asks for (`None`: the list comes whole), `marker` the marker
    /// of a row.
    pub(crate) async fn list<'a, T: DeserializeOwned>(
        &self,
        key: &str,
        limit: Option<usize>,
        call: impl Fn(Option<&str>) -> Call<'a>,
        marker: impl Fn(&T) -> String,
    ) -> Result<Reply<Listing<T>>, Error> {
        let mut listing = Listing {
            items: Vec::new(),
            skipped: 0,
        };
        let mut after: Option<String> = None;
        let mut rows_so_far = 0;
        let mut fetched = None;
        for _ in 0..MAX_PAGES {
            let answer = match fetched.take() {
                Some(answer) => answer?,
                None => self.send(&call(after.as_deref())).await?,
            };
            // Where another page follows for certain, it is fetched while this one is read.
            let guess = limit.and_then(|limit| answer.guess(rows_so_far + limit, &marker));
            let (page, ahead): (Page<T>, _) = match &guess {
                Some(guess) => {
                    let next = call(Some(guess));
                    let read = async {
                        // First the other request has to get out.
                        tokio::task::yield_now().await;
                        answer.page(key)
                    };
                    let (ahead, page) = tokio::join!(self.send(&next), read);
                    (page?, Some(ahead))
                }
                None => (answer.page(key)?, None),
            };
            let rows = page.items.len() + page.odd;
            let by_row = page.items.last().map(&marker);
            // Rows that could not be read and stand behind the last one that could come again with the next page,
            // and are counted there.
            let again = if page.next.is_none() && by_row.is_some() {
                page.odd_at_end
            } else {
                0
            };
            let next = page.next.or(by_row).or(page.last_id);
            let whole = match (limit, page.count) {
                (None, _) => true,
                // A server may hand out less than was asked for; if it counts, its count is believed.
                (Some(_), Some(count)) => rows_so_far + rows >= count,
                (Some(limit), None) => rows < limit,
            };
            let ends = whole || rows == 0 || next.is_none() || next == after;
            rows_so_far += rows - again;
            listing.skipped += page.odd - if ends { 0 } else { again };
            listing.items.extend(page.items);
            if ends {
                return Ok(answer.reply(listing));
            }
            if rows_so_far > MAX_ROWS {
                return Err(answer.bad(format!("the list has more than {MAX_ROWS} rows")));
            }
            fetched = ahead.filter(|_| next == guess);
            after = next;
        }
        let first = call(None);
        Err(first.error(
            ErrorKind::BadAnswer,
            format!("the list did not end within {MAX_PAGES} pages"),
        ))
    }
}

/// One page of a list.
struct Page<T> {
    /// The rows that could be read.
    items: Vec<T>,
    /// How many rows could not.
    odd: usize,
    /// How many of those stand behind the last one that could.
    odd_at_end: usize,
    /// The `id` of the last row, if no row could be read.
    last_id: Option<String>,
    /// The marker that the answer names for the next page.
    next: Option<String>,
    /// How many rows the whole list has, if the answer says so.
    count: Option<usize>,
}

impl Answer {
    /// The body as a value, with what came with it.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<Reply<T>, Error> {
        let value = self.parse()?;
        Ok(self.reply(value))
    }

    /// The HTTP status: 2xx, or 304 for a call that said which version it has already.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// A header of the answer, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as a value that may point into it.
    pub(crate) fn parse_borrowed<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.bad(error.to_string()))
    }

    /// The body as a value.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.bad(error.to_string()))
    }

    /// For calls whose answer says nothing but that it worked.
    pub(crate) fn reply<T>(self, value: T) -> Reply<T> {
        Reply {
            value,
            request_id: self.request_id,
            server_time: self.server_time,
        }
    }

    /// An answer that lacks what it must have.
    pub(crate) fn bad(&self, message: impl Into<String>) -> Error {
        Error {
            status: Some(self.status),
            request_id: self.request_id.clone().map(String::into_boxed_str),
            outcome_unknown: true,
            ..Error::local(ErrorKind::BadAnswer, Some(self.service), self.action, message)
        }
    }

    /// What the marker of this page probably is, if the list has more than so many rows; see [`lookahead`].
    fn guess<T: DeserializeOwned>(&self, rows: usize, marker: impl Fn(&T) -> String) -> Option<String> {
        let body = std::str::from_utf8(&self.body).ok()?;
        if lookahead::total(body)? <= rows {
            return None;
        }
        let Object(row) = serde_json::from_str(lookahead::last_row(body)?).ok()?;
        Some(marker(&row))
    }

    fn page<T: DeserializeOwned>(&self, key: &str) -> Result<Page<T>, Error> {
        let body = std::str::from_utf8(&self.body).map_err(|error| self.bad(error.to_string()))?;
        // Most pages have no odd row, and then it is enough to read them once.
        if let Ok(Fields {
            rows: Some(rows),
            next,
            count,
        }) = fields::<Object<T>>(body, key)
        {
            return Ok(Page {
                items: rows
                    .unwrap_or_default()
                    .into_iter()
                    .map(|Object(item)| item)
                    .collect(),
                odd: 0,
                odd_at_end: 0,
                last_id: None,
                next,
                count,
            });
        }
        let fields = fields::<&RawValue>(body, key).map_err(|error| self.bad(error.to_string()))?;
        // An absent list is not an empty one: "there are no servers" must have been said.
        let rows = fields
            .rows
            .ok_or_else(|| self.bad(format!("the answer has no {key}")))?
            .unwrap_or_default();
        let (mut items, mut odd_at_end) = (Vec::with_capacity(rows.len()), 0);
        for row in &rows {
            match lenient::row(row) {
                Ok(item) => {
                    items.push(item);
                    odd_at_end = 0;
                }
                Err(error) => {
                    tracing::warn!(service = %self.service, action = self.action, %error, "a row was left out");
                    odd_at_end += 1;
                }
            }
        }
        Ok(Page {
            odd: rows.len() - items.len(),
            odd_at_end,
            last_id: rows
                .last()
                .filter(|_| items.is_empty())
                .and_then(|row| id_of(row)),
            items,
            next: fields.next,
            count: fields.count,
        })
    }
}

/// The `id` of a row that means nothing else to this side.
fn id_of(row: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Id {
        #[serde(default, deserialize_with = "lenient::optional")]
        id: Option<String>,
    }
    serde_json::from_str::<Id>(row.get()).ok()?.id
}

/// What a list's answer says, with its rows read as `R`.
struct Fields<R> {
    /// `None` if they are absent, `Some(None)` if they are `null`.
    rows: Option<Option<Vec<R>>>,
    next: Option<String>,
    count: Option<usize>,
}

fn fields<'de, R: Deserialize<'de>>(body: &'de str, key: &str) -> serde_json::Result<Fields<R>> {
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let fields = deserializer.deserialize_map(FieldsOf {
        key,
        rows: PhantomData,
    })?;
    deserializer.end()?;
    Ok(fields)
}

/// Reads the fields of a list whose rows stand under `key`.
struct FieldsOf<'k, R> {
    key: &'k str,
    rows: PhantomData<R>,
}

impl<'de, R: Deserialize<'de>> Visitor<'de> for FieldsOf<'_, R> {
    type Value = Fields<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<R>, A::Error> {
        let mut fields = Fields {
            rows: None,
            next: None,
            count: None,
        };
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name == self.key {
                fields.rows = Some(map.next_value()?);
            } else if name == "page_info" {
                fields.next = next_marker(map.next_value()?);
            } else if name == "count" {
                let count: &RawValue = map.next_value()?;
                fields.count = count.get().trim_matches('"').parse().ok();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(fields)
    }
}

fn next_marker(page_info: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct PageInfo {
        #[serde(default, deserialize_with = "lenient::optional")]
        next_marker: Option<String>,
    }
    serde_json::from_str::<PageInfo>(page_info.get())
        .ok()?
        .next_marker
}

#[cfg(test)]
mod tests;
