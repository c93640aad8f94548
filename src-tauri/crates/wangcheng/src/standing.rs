//! How an installation stands, in numbers: what a report of a fault needs, and nothing that names anybody.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::Wangcheng;
use crate::failure::Result;

impl Wangcheng {
    /// Schema, how much there is of what, and how delivery stands.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn standing(&self) -> Result<Value> {
        let (schema, last_seq, accounts) = self
            .ledger(|ledger| {
                Ok((
                    ledger.schema_version()?,
                    ledger.last_seq()?,
                    ledger.accounts()?.len(),
                ))
            })
            .await?;
        let mut operations: BTreeMap<String, u64> = BTreeMap::new();
        for operation in self.operations().await? {
            let row = operation.row;
            let outcome = row.outcome.map_or("under way", |outcome| outcome.as_str());
            *operations.entry(format!("{} {outcome}", row.kind)).or_default() += 1;
        }
        let servers = match self.servers().await {
            Ok(list) => json!({
                "all": list.servers.len(),
                "own": list.servers.iter().filter(|server| server.own).count(),
                "unreadable": list.unreadable,
                "asOf": list.as_of,
                "problem": list.problem.map(|failure| failure.code),
            }),
            Err(failure) => json!({ "problem": failure.code }),
        };
        let delivery = self.delivery().await?;
        Ok(json!({
            "schemaVersion": schema,
            "lastSeq": last_seq,
            "accounts": accounts,
            "servers": servers,
            "operations": operations,
            "delivery": {
                "state": delivery.state,
                "waiting": delivery.waiting,
                "quarantined": delivery.quarantined,
                "attempts": delivery.attempts,
                "problem": delivery.problem.map(|failure| failure.code),
                "tokenStored": delivery.token_stored,
            },
            "here": self.now(),
        }))
    }
}
