//! The schemas of the calls, read from the fixture.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

static API: LazyLock<Api> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/api.json")).unwrap());

#[derive(Deserialize)]
struct Api {
    operations: Vec<Operation>,
    schemas: BTreeMap<String, Schema>,
}

#[derive(Debug, Deserialize)]
pub struct Operation {
    pub service: String,
    pub operation: String,
    pub method: String,
    pub path: String,
    pub content_type: String,
    #[serde(default)]
    pub query_params: BTreeMap<String, Schema>,
    #[serde(default)]
    pub header_params: BTreeMap<String, Schema>,
    #[serde(default)]
    pub request_body: Option<Schema>,
    #[serde(default)]
    pub response_body: Option<Schema>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "type")]
    pub kind: String,
    pub required: bool,
    pub fields: BTreeMap<String, Schema>,
    pub items: Option<Box<Schema>>,
    pub values: Option<Box<Schema>>,
    #[serde(rename = "enum")]
    pub words: Vec<Value>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub min_length: Option<usize>,
    pub max_length: Option<usize>,
    pub min_items: Option<usize>,
    pub max_items: Option<usize>,
    pub note: String,
}

impl Schema {
    /// The schema that is meant: itself, or the one that it points to.
    pub fn resolved(&self) -> &Schema {
        match &self.reference {
            Some(name) => API.schemas[name].resolved(),
            None => self,
        }
    }
}

pub fn operations() -> &'static [Operation] {
    &API.operations
}

pub fn operation(service: &str, name: &str) -> &'static Operation {
    operations()
        .iter()
        .find(|operation| operation.service == service && operation.operation == name)
        .unwrap_or_else(|| panic!("{service} {name} is not in the fixture"))
}
