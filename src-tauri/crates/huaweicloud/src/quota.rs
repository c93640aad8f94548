//! Quotas, which several services tell in the same way.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{Answer, Listing, Reply};
use crate::error::Error;
use crate::{lenient, wire};

/// How much of a quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What is allowed; `None` for no limit.
    pub max: Option<u64>,
    /// What is in use.
    pub used: u64,
}

impl Usage {
    pub(crate) fn new(max: Option<i64>, used: Option<i64>) -> Self {
        // -1 stands for "no limit"; an absent number limits nothing either.
        Self {
            max: max.and_then(|max| u64::try_from(max).ok()),
            used: used.and_then(|used| u64::try_from(used).ok()).unwrap_or_default(),
        }
    }

    /// What is left; `None` for no limit.
    pub fn left(&self) -> Option<u64> {
        self.max.map(|max| max.saturating_sub(self.used))
    }
}

/// The quota of one kind of resource.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Row")]
pub struct Quota {
    /// The kind, such as `publicIp` or `securityGroup`. The list of words is open.
    pub kind: String,
    /// What is allowed and what is in use.
    pub usage: Usage,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "type", deserialize_with = "lenient::required")]
    kind: String,
    #[serde(default, deserialize_with = "lenient::number")]
    used: Option<i64>,
    #[serde(default, deserialize_with = "lenient::number")]
    quota: Option<i64>,
}

impl From<Row> for Quota {
    fn from(row: Row) -> Self {
        Self {
            kind: row.kind,
            usage: Usage::new(row.quota, row.used),
        }
    }
}

/// Reads the quotas of VPC and EIP.
pub(crate) fn of_resources(answer: Answer) -> Result<Reply<Listing<Quota>>, Error> {
    let quotas: HashMap<String, Box<RawValue>> = wire::member(&answer, "quotas")?;
    let Some(rows) = quotas.get("resources") else {
        return Err(answer.bad("the answer has no quotas.resources"));
    };
    let listing = wire::listing(rows, "resources").map_err(|error| answer.bad(error.to_string()))?;
    Ok(answer.reply(listing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlimited_quota_has_no_end() {
        assert_eq!(Usage::new(Some(-1), Some(7)).left(), None);
        assert_eq!(Usage::new(Some(5), Some(7)).left(), Some(0));
        assert_eq!(Usage::new(Some(5), Some(2)).left(), Some(3));
    }
}
