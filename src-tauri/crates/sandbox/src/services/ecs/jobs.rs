//! What became of a change that takes time.

use serde_json::{Map, Value, json};

use super::Result;
use crate::{
    faults::Fault,
    services::zulu_millis,
    wire::Answer,
    world::{Job, JobHost, Region},
};

/// Jobs of the disk host are not known here.
pub(super) fn show(region: &Region, id: &str) -> Result<Answer> {
    let job = region
        .jobs
        .get(id)
        .filter(|job| job.host == JobHost::Ecs)
        .ok_or_else(|| Fault::bad("Common.0011", format!("The job {id} does not exist.")))?;
    let mut row = row(job);
    if !job.sub_jobs.is_empty()
        && let Some(row) = row.as_object_mut()
    {
        let sub_jobs: Vec<Value> = job.sub_jobs.iter().map(self::row).collect();
        row.insert(
            "entities".to_owned(),
            json!({"sub_jobs_total": sub_jobs.len(), "sub_jobs": sub_jobs}),
        );
    }
    Ok(Answer::json(200, &row))
}

fn row(job: &Job) -> Value {
    let mut entities = Map::new();
    if let Some(server) = &job.server_id {
        entities.insert("server_id".to_owned(), json!(server));
    }
    if let Some((_, reason)) = &job.error {
        entities.insert("errorcode_message".to_owned(), json!(reason));
    }
    json!({
        "job_id": job.id,
        "job_type": job.kind,
        "status": job.status,
        "begin_time": zulu_millis(job.begin),
        "end_time": job.end.map(zulu_millis),
        "error_code": job.error.as_ref().map(|(code, _)| code),
        "fail_reason": job.error.as_ref().map(|(_, reason)| reason),
        "entities": entities,
    })
}
