//! What a call would send, without sending it, and what an operation has sent: in the words of the wire, of our own
//! command line, of KooCLI and of the vendor's Python SDK.

mod command;
mod past;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;
use wangcheng::{Code, Failure, Rehearsal, Result};

use crate::error::WireError;
use crate::host::Api;
use crate::views::OperationRef;

/// The calls that become operations, and the one that asks for a console's address. No other can be rehearsed, because it
/// would be done.
const ACTS: [&str; 21] = [
    "disks.add",
    "disks.grow",
    "disks.detach",
    "disks.attach",
    "disks.delete",
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
    "servers.mark_parts",
    "servers.remove_leftovers",
    "servers.reset_password",
    "servers.delete",
    "servers.delete_several",
    "sessions.screen",
];
/// Headers that are of this moment, and say nothing of a request that was sent at another.
const OF_NOW: [&str; 2] = ["authorization", "x-sdk-date"];

/// A call to be rehearsed.
#[derive(Deserialize, TS)]
pub struct Rehearse {
    /// Its name, e.g. `servers.create`.
    pub call: String,
    /// Its request.
    #[ts(type = "unknown")]
    pub request: Value,
}

/// A request that would be sent, or was; its secrets are blanked (`***`).
#[derive(Debug, Clone, Serialize, TS)]
pub struct RehearsedRequest {
    /// The service, e.g. `ECS`.
    pub service: String,
    /// The operation's name in the API reference, e.g. `CreateServers`.
    pub operation: String,
    /// Method, e.g. `POST`.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Names and values of the headers.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: String,
    /// The body to be read: one member a line.
    pub pretty: String,
    /// The same as a command of KooCLI (`hcloud`), for a POSIX shell.
    pub koo: Option<String>,
    /// The same as code for the Python SDK.
    pub python: Option<String>,
}

/// What a call would come to, or an operation came to.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Rehearsed {
    /// The first request of each act that would change something. What else is sent depends on its answer.
    pub requests: Vec<RehearsedRequest>,
    /// What is known beforehand of the requests that follow. Words in capitals, such as `VOLUME_ID`, stand for what an
    /// answer tells; what is done to one disk is done to each.
    pub follows: Vec<RehearsedRequest>,
    /// The same as commands of `wangcheng`, one a line, for a POSIX shell.
    pub command: Option<String>,
    /// Why some of several would be refused here.
    pub refused: Vec<WireError>,
}

impl Rehearsed {
    fn new(rehearsal: &Rehearsal, command: Option<String>, refused: Vec<WireError>) -> Self {
        let (follows, requests): (Vec<_>, Vec<_>) = rehearsal
            .requests()
            .into_iter()
            .partition(|request| request.follows);
        let shown = |requests: Vec<_>| requests.into_iter().map(RehearsedRequest::from).collect();
        Self {
            requests: shown(requests),
            follows: shown(follows),
            command,
            refused,
        }
    }
}

impl From<wangcheng::RehearsedRequest> for RehearsedRequest {
    fn from(request: wangcheng::RehearsedRequest) -> Self {
        let value: Option<Value> = serde_json::from_str(&request.body).ok();
        let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
        Self {
            koo: request.as_koo(),
            python: request.as_python(),
            service: request.service.to_string(),
            operation: request.operation.to_owned(),
            method: request.method,
            url: request.url,
            headers: request.headers,
            pretty: pretty.unwrap_or_else(|| request.body.clone()),
            body: request.body,
        }
    }
}

impl Api {
    /// The requests of each act that the call asks for. What has to be read beforehand is read.
    pub(crate) fn rehearse(&self, ask: Rehearse) -> BoxFuture<'_, Result<Rehearsed>> {
        Box::pin(async move {
            if !ACTS.contains(&ask.call.as_str()) {
                return Err(Failure::new(Code::BadInput).with("field", "call"));
            }
            let rehearsal = Rehearsal::default();
            let api = self.rehearsing(self.domain().await?.rehearsing(&rehearsal));
            let command = command::line(&ask.call, &ask.request);
            let answer = crate::calls::dispatch(&api, &ask.call, ask.request).await;
            let refused = match answer {
                Err(failure) if failure.code != Code::Rehearsed => return Err(failure),
                Err(_) => Vec::new(),
                Ok(answer) => refused(&answer),
            };
            Ok(Rehearsed::new(&rehearsal, command, refused))
        })
    }

    /// The requests of an operation of the ledger, put together from its record.
    pub(crate) async fn shown(&self, ask: OperationRef) -> Result<Rehearsed> {
        let rehearsal = Rehearsal::default();
        let operation = self.domain().await?.shown(&ask.operation, &rehearsal).await?;
        let command = past::asked(&operation).and_then(|(call, request)| command::line(call, &request));
        let mut shown = Rehearsed::new(&rehearsal, command, Vec::new());
        for request in shown.requests.iter_mut().chain(&mut shown.follows) {
            request
                .headers
                .retain(|(name, _)| !OF_NOW.contains(&name.as_str()));
        }
        Ok(shown)
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
