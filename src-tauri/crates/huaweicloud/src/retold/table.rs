//! What the SDK and the command line call the parts of our requests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The table; empty if it could not be read, which a test rules out.
pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("operations.json")).unwrap_or_default());

/// Of a class: for each name on the wire the attribute's name and its kind, such as `list[ServerId]`.
pub(super) type Attributes = BTreeMap<String, (String, String)>;

#[derive(Default, Deserialize)]
pub(super) struct Table {
    /// By service and operation.
    pub operations: BTreeMap<String, BTreeMap<String, Operation>>,
    /// By module of the SDK and class.
    pub models: BTreeMap<String, BTreeMap<String, Attributes>>,
}

#[derive(Deserialize)]
pub(super) struct Operation {
    /// The SDK's module.
    pub module: String,
    /// Its class for the service.
    pub client: String,
    /// The method of that.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    /// The version that KooCLI has to be told, where there are several.
    pub version: Option<String>,
    pub parameters: Parameters,
    /// The class of the body.
    pub body: Option<String>,
}

/// By name on the wire: the request's attribute.
#[derive(Deserialize)]
pub(super) struct Parameters {
    pub path: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    pub header: BTreeMap<String, String>,
}
