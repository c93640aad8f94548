//! Reading answers, and lists page by page.

use std::collections::HashMap;

use ::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::call::Call;
use super::{Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};

/// A list that takes more pages than this is not believed.
const MAX_PAGES: usize = 1_000;

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
        for _ in 0..MAX_PAGES {
            let answer = self.send(&call(after.as_deref())).await?;
            let page: Page<T> = answer.page(key)?;
            rows_so_far += page.rows;
            listing.skipped += page.rows - page.items.len();
            let next = page.next.or_else(|| page.items.last().map(&marker));
            listing.items.extend(page.items);

            let whole = match (limit, page.count) {
                (None, _) => true,
                // A server may hand out less than was asked for; if it counts, its count is believed.
                (Some(_), Some(count)) => rows_so_far >= count,
                (Some(limit), None) => page.rows < limit,
            };
            if whole || page.rows == 0 || next.is_none() || next == after {
                return Ok(answer.reply(listing));
            }
            after = next;
        }
        let first = call(None);
        Err(first.error(
            ErrorKind::BadAnswer,
            format!("the list did not end within {MAX_PAGES} pages"),
        ))
    }
}

struct Page<T> {
    items: Vec<T>,
    rows: usize,
    next: Option<String>,
    count: Option<usize>,
}

impl Answer {
    /// The body as a value, with what came with it.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<Reply<T>, Error> {
        let value = self.parse()?;
        Ok(self.reply(value))
    }

    /// The HTTP status: 2xx, or 304 for a call that said which version it has already.
    #[allow(dead_code, reason = "for calls whose status says more than that it worked")]
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// A header of the answer, if it is text.
    #[allow(dead_code, reason = "for calls whose answer speaks in headers")]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it came.
    #[allow(dead_code, reason = "for answers that are not JSON")]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
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

    fn page<T: DeserializeOwned>(&self, key: &str) -> Result<Page<T>, Error> {
        let fields: HashMap<String, &RawValue> =
            serde_json::from_slice(&self.body).map_err(|error| self.bad(error.to_string()))?;
        // An absent list is not an empty one: "there are no servers" must have been said.
        let rows = fields
            .get(key)
            .ok_or_else(|| self.bad(format!("the answer has no {key}")))?;
        let rows: Option<Vec<&RawValue>> =
            serde_json::from_str(rows.get()).map_err(|error| self.bad(error.to_string()))?;
        let rows = rows.unwrap_or_default();
        let items: Vec<T> = rows
            .iter()
            .filter_map(|row| {
                serde_json::from_str(row.get())
                    .inspect_err(|error| {
                        tracing::warn!(service = %self.service, action = self.action, %error, "a row was left out");
                    })
                    .ok()
            })
            .collect();
        #[derive(serde::Deserialize)]
        struct PageInfo {
            #[serde(default)]
            next_marker: Option<String>,
        }
        let next = fields
            .get("page_info")
            .and_then(|info| serde_json::from_str::<PageInfo>(info.get()).ok())
            .and_then(|info| info.next_marker)
            .filter(|marker| !marker.is_empty());
        let count = fields
            .get("count")
            .and_then(|count| count.get().trim_matches('"').parse().ok());
        Ok(Page {
            rows: rows.len(),
            items,
            next,
            count,
        })
    }
}
