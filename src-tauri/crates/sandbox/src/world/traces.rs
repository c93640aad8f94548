//! What was done by whom: each changing act leaves a trace, from which the audit service answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Region;

/// How many traces a region keeps; the oldest go first.
const KEPT: usize = 10_000;

/// One act, done or refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trace {
    pub(crate) time: DateTime<Utc>,
    /// As the audit service names it: `ECS`, `EVS`, `VPC`, …
    pub(crate) service: String,
    /// `ecs`, `evs`, `publicips`, …
    pub(crate) resource_type: String,
    /// Empty if it never came to be one.
    pub(crate) resource_id: String,
    pub(crate) resource_name: String,
    /// `createServer`, …
    pub(crate) trace_name: String,
    /// Id of the user; empty for what the cloud does of its own accord.
    pub(crate) user: String,
    /// The request's body as text, with secrets masked; `None` if it had none.
    pub(crate) request: Option<String>,
    /// HTTP status of the answer.
    pub(crate) code: u16,
}

impl Region {
    /// Keeps what was done.
    pub(crate) fn trace(&mut self, trace: Trace) {
        if self.traces.len() >= KEPT {
            self.traces.pop_front();
        }
        self.traces.push_back(trace);
    }
}
