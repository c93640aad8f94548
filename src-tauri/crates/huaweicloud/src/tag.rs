//! Tags, which most services share.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{lenient, wire};

/// A tag of a resource: at most 10 on a server, keys of 1 to 36 characters, values of up to 43.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag {
    /// Its key; a resource has each key once.
    #[serde(deserialize_with = "lenient::required")]
    pub key: String,
    /// Its value, which may be empty.
    #[serde(default, deserialize_with = "lenient::text")]
    pub value: String,
}

impl Tag {
    /// A tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// A key and the values that it has (of a project), or may have (of a search; none mean any).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TagValues {
    /// The key.
    #[serde(deserialize_with = "lenient::required")]
    pub key: String,
    /// Its values.
    #[serde(default, deserialize_with = "lenient::rows")]
    pub values: Vec<String>,
}

impl TagValues {
    /// A key with one value.
    pub fn one(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            values: vec![value.into()],
        }
    }
}

/// The body that sets tags.
pub(crate) fn create(tags: &[Tag]) -> Bytes {
    wire::body(json!({ "action": "create", "tags": tags }))
}

/// The body that takes tags away, by their keys alone.
pub(crate) fn delete(keys: &[&str]) -> Bytes {
    let tags: Vec<Value> = keys.iter().map(|key| json!({ "key": key })).collect();
    wire::body(json!({ "action": "delete", "tags": tags }))
}
