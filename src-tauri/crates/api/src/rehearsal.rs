//! What a call would send, without sending it.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;
use wangcheng::{Code, Failure, Rehearsal, Result};

use crate::error::WireError;
use crate::host::Api;

/// The calls that become operations. No other can be rehearsed, because it would be done.
const ACTS: [&str; 13] = [
    "networks.admit_ssh",
    "servers.create",
    "servers.extend",
    "servers.extend_several",
    "servers.cancel_lease",
    "servers.power",
    "servers.resize",
    "servers.rename",
    "servers.tag",
    "servers.adopt",
    "servers.reset_password",
    "servers.delete",
    "servers.delete_several",
];

/// A call to be rehearsed.
#[derive(Deserialize, TS)]
pub struct Rehearse {
    /// Its name, e.g. `servers.create`.
    pub call: String,
    /// Its request.
    #[ts(type = "unknown")]
    pub request: Value,
}

/// A request that would be sent, its secrets blanked.
#[derive(Debug, Clone, Serialize, TS)]
pub struct RehearsedRequest {
    /// Method, e.g. `POST`.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Names and values of the headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What a call would come to.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Rehearsed {
    /// The first request of each act that would change something. What follows depends on its answer.
    pub requests: Vec<RehearsedRequest>,
    /// Why some of several would be refused here.
    pub refused: Vec<WireError>,
}

impl Api {
    /// The first request of each act that the call asks for. What has to be read beforehand is read.
    pub(crate) fn rehearse(&self, ask: Rehearse) -> BoxFuture<'_, Result<Rehearsed>> {
        Box::pin(async move {
            if !ACTS.contains(&ask.call.as_str()) {
                return Err(Failure::new(Code::BadInput).with("field", "call"));
            }
            let rehearsal = Rehearsal::default();
            let api = self.rehearsing(self.domain().await?.rehearsing(&rehearsal));
            let answer = crate::calls::dispatch(&api, &ask.call, ask.request).await;
            let refused = match answer {
                Err(failure) if failure.code != Code::Rehearsed => return Err(failure),
                Err(_) => Vec::new(),
                Ok(answer) => refused(&answer),
            };
            let shown = |request: wangcheng::RehearsedRequest| RehearsedRequest {
                method: request.method,
                url: request.url,
                headers: request.headers,
                body: request.body,
            };
            Ok(Rehearsed {
                requests: rehearsal.requests().into_iter().map(shown).collect(),
                refused,
            })
        })
    }
}

/// The refusals of those of several servers that were not even rehearsed.
fn refused(answer: &Value) -> Vec<WireError> {
    let rows = answer.as_array().into_iter().flatten();
    rows.filter_map(|row| WireError::deserialize(row.get("error")?).ok())
        .filter(|error| error.code != "rehearsed")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_a_call_of_the_table() {
        for act in ACTS {
            assert!(crate::names().contains(&act), "{act}");
        }
    }
}
