//! What the jobs of disks are about.

use serde_json::{Value, json};

use super::Result;
use crate::{
    services::jobs,
    wire::Answer,
    world::{Job, JobHost, Region},
};

/// Jobs of the server host are not known here.
pub(super) fn show(region: &Region, id: &str) -> Result<Answer> {
    jobs::show(region, JobHost::Evs, id, entities)
}

fn entities(job: &Job, parts: Vec<Value>) -> Value {
    match &job.volume {
        _ if !parts.is_empty() => json!({"sub_jobs": parts}),
        Some(volume) => json!({
            "volume_id": volume.id,
            "name": volume.name,
            "size": volume.size_gb,
            "volume_type": volume.kind,
        }),
        None => json!({}),
    }
}
