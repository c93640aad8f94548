//! The one form of an error on the wire.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::{Code, Failure};

use crate::words::{self, Tongue};

/// What went wrong, for a person to read and for the interface to act on by `code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WireError {
    /// Stable name, `snake_case`. The only part to match on.
    pub code: String,
    /// What happened, in the user's language.
    pub sentence: String,
    /// What to do about it, in the user's language.
    pub next_step: Option<String>,
    /// The other side's own words, shown as they are.
    pub detail: Option<String>,
    /// The provider's error code.
    pub provider_code: Option<String>,
    /// The provider's request id, which its support asks for.
    pub request_id: Option<String>,
}

impl WireError {
    /// A failure in a person's language.
    pub fn new(failure: &Failure, tongue: Tongue) -> Self {
        let (sentence, next_step) = words::of(failure, tongue);
        Self {
            code: name(failure.code),
            sentence,
            next_step,
            detail: failure.detail.clone(),
            provider_code: failure.provider_code.clone(),
            request_id: failure.request_id.clone(),
        }
    }
}

/// The stable name of a code.
fn name(code: Code) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(name)) => name,
        _ => "internal".to_owned(),
    }
}
