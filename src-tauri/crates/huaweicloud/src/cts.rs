//! Cloud Trace Service: who did what, in the last seven days.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};
use crate::ids::{ProjectId, UserId};
use crate::{lenient, wire};

const ACTION: &str = "ListTraces";
const PAGE: usize = 200;
/// A list that takes more pages than this is not believed.
const MAX_PAGES: usize = 1_000;

/// Which traces to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TraceQuery {
    /// The first moment and the one after the last; the cloud takes the last hour otherwise.
    pub between: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Only of this service, in upper case, such as `ECS`.
    pub service: Option<String>,
    /// Only about this resource.
    pub resource_id: Option<String>,
    /// Only about resources of this name.
    pub resource_name: Option<String>,
    /// Only about resources of this kind, such as `ecs`.
    pub resource_type: Option<String>,
    /// Only acts of this name, such as `deleteServer`.
    pub name: Option<String>,
    /// Only acts of the user of this name.
    pub user: Option<String>,
    /// Only with this outcome: `normal`, `warning` or `incident`.
    pub rating: Option<String>,
    /// Only this one, whatever else is asked.
    pub id: Option<String>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Actor {
    /// The user's id.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub id: Option<UserId>,
    /// The user's name, or the agency's with its session.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// The access key that was used, where one was.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub access_key_id: Option<String>,
    /// The full name of the user or the session.
    #[serde(default, deserialize_with = "lenient::text")]
    pub principal_urn: String,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Trace {
    /// The trace's id.
    #[serde(rename = "trace_id", deserialize_with = "lenient::required")]
    pub id: String,
    /// What was done, such as `deleteServer`.
    #[serde(rename = "trace_name", default, deserialize_with = "lenient::text")]
    pub name: String,
    /// `normal`, `warning` (it failed) or `incident`.
    #[serde(rename = "trace_rating", default, deserialize_with = "lenient::text")]
    pub rating: String,
    /// How it was done: `ApiCall`, `ConsoleAction`, `SystemAction` …
    #[serde(rename = "trace_type", default, deserialize_with = "lenient::text")]
    pub kind: String,
    /// When it was done.
    #[serde(rename = "time", default, deserialize_with = "milliseconds")]
    pub at: Option<DateTime<Utc>>,
    /// When it was written down.
    #[serde(rename = "record_time", default, deserialize_with = "milliseconds")]
    pub recorded_at: Option<DateTime<Utc>>,
    /// Who did it.
    #[serde(default, deserialize_with = "written")]
    pub user: Option<Actor>,
    /// What was asked, with the passwords masked; text that is not JSON is a JSON text.
    #[serde(default, deserialize_with = "written_or_text")]
    pub request: Option<Value>,
    /// What was answered, in the same way.
    #[serde(default, deserialize_with = "written_or_text")]
    pub response: Option<Value>,
    /// The HTTP status of the answer.
    #[serde(default, deserialize_with = "lenient::number")]
    pub code: Option<u16>,
    /// The service, such as `ECS`.
    #[serde(rename = "service_type", default, deserialize_with = "lenient::text")]
    pub service: String,
    /// The kind of resource.
    #[serde(default, deserialize_with = "lenient::text")]
    pub resource_type: String,
    /// The resource.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub resource_id: Option<String>,
    /// The resource's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub resource_name: String,
    /// The address that it was done from.
    #[serde(default, deserialize_with = "lenient::text")]
    pub source_ip: String,
    /// The id of the request that did it.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub request_id: Option<String>,
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(lenient::number::<D, i64>(deserializer)?.and_then(DateTime::from_timestamp_millis))
}

/// An object, or a text that holds one as JSON.
fn written<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let text = lenient::scalar(raw);
    let json = text.as_deref().unwrap_or(raw.get());
    Ok(serde_json::from_str(json)
        .ok()
        .map(|lenient::Object(value)| value))
}

/// A value, or a text that holds one as JSON, or else a text.
fn written_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let value = match lenient::scalar(raw) {
        Some(text) if text.trim().is_empty() => Value::Null,
        Some(text) => serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.into_owned())),
        None => serde_json::from_str(raw.get()).unwrap_or_default(),
    };
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// `ListTraces`: what was done to the project's resources, the newest first, all pages.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/CTS/doc?api=ListTraces>
///
/// # Errors
/// `CTS.0013` if the account has never had a tracker; another account without one answers an empty list.
/// [`ErrorKind::BadAnswer`] if the list does not end. See [`ErrorKind`] for others.
pub async fn traces(
    client: &Client,
    project: &ProjectId,
    query: &TraceQuery,
) -> Result<Reply<Listing<Trace>>, Error> {
    #[derive(Deserialize, Default)]
    struct Meta {
        #[serde(default, deserialize_with = "lenient::optional")]
        marker: Option<String>,
    }
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::object")]
        meta_data: Option<Meta>,
    }
    let mut listing = Listing {
        items: Vec::new(),
        skipped: 0,
    };
    let mut before: Option<String> = None;
    // A marker that comes again would lead around in a circle.
    let mut markers = HashSet::new();
    for _ in 0..MAX_PAGES {
        let answer = client.send(&call(project, query, before.as_deref())).await?;
        let page: Listing<Trace> = wire::rows(&answer, "traces")?;
        let empty = page.items.is_empty() && page.skipped == 0;
        listing.items.extend(page.items);
        listing.skipped += page.skipped;
        let next = answer.parse::<Body>()?.meta_data.unwrap_or_default().marker;
        match next {
            Some(next) if !empty && markers.insert(next.clone()) => before = Some(next),
            _ => return Ok(answer.reply(listing)),
        }
    }
    let message = format!("the list did not end within {MAX_PAGES} pages");
    Err(Error::local(
        ErrorKind::BadAnswer,
        Some(Service::Cts),
        ACTION,
        message,
    ))
}

fn call<'a>(project: &'a ProjectId, query: &TraceQuery, before: Option<&str>) -> Call<'a> {
    let moment = |moment: DateTime<Utc>| moment.timestamp_millis().to_string();
    let filters = [
        ("from", query.between.map(|(from, _)| moment(from))),
        ("to", query.between.map(|(_, to)| moment(to))),
        ("service_type", query.service.clone()),
        ("resource_id", query.resource_id.clone()),
        ("resource_name", query.resource_name.clone()),
        ("resource_type", query.resource_type.clone()),
        ("trace_name", query.name.clone()),
        ("user", query.user.clone()),
        ("trace_rating", query.rating.clone()),
        ("trace_id", query.id.clone()),
        ("next", before.map(str::to_owned)),
    ];
    let call = Call::get(Service::Cts, ACTION, ["v3", project.as_str(), "traces"])
        .with("trace_type", "system")
        .with("limit", PAGE.to_string());
    filters
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .fold(call, |call, (name, value)| call.with(name, value))
}
