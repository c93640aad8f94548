//! What the jobs of servers are about.

use serde_json::{Map, Value, json};

use super::Result;
use crate::{
    services::jobs,
    wire::Answer,
    world::{Job, JobHost, Region},
};

/// Jobs of the disk host are not known here.
pub(super) fn show(region: &Region, id: &str) -> Result<Answer> {
    jobs::show(region, JobHost::Ecs, id, entities)
}

/// Single operations name their server directly.
fn entities(job: &Job, parts: Vec<Value>) -> Value {
    if !parts.is_empty() {
        return json!({"sub_jobs_total": parts.len(), "sub_jobs": parts});
    }
    let mut entities = Map::new();
    if let Some(server) = &job.server_id {
        entities.insert("server_id".to_owned(), json!(server));
    }
    if let Some((_, reason)) = &job.error {
        entities.insert("errorcode_message".to_owned(), json!(reason));
    }
    entities.into()
}
