//! Rows of a bill as JSON, whose amounts keep all their digits.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::super::{Result, number};
use crate::faults::Fault;

/// A JSON object with decimals in it, in the order of writing.
pub(super) struct Row(Vec<(&'static str, Box<RawValue>)>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Row {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn amounts(mut self, amounts: &[(&'static str, Decimal)]) -> Result<Self> {
        for (key, amount) in amounts {
            self.0.push((key, number(*amount)?));
        }
        Ok(self)
    }

    pub(super) fn with(mut self, key: &'static str, value: impl Serialize) -> Result<Self> {
        let value = serde_json::value::to_raw_value(&value)
            .map_err(|_| Fault::new(500, "CBC.0999", "The bill could not be written."))?;
        self.0.push((key, value));
        Ok(self)
    }

    pub(super) fn texts(mut self, texts: &[(&'static str, &str)]) -> Result<Self> {
        for (key, text) in texts {
            self = self.with(key, text)?;
        }
        Ok(self)
    }
}
