//! What became of a change that takes time, as the host that was asked for it tells: each knows its own jobs and no other's.

use serde_json::{Value, json};

use super::{Result, zulu_millis};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{Job, JobHost, Region},
};

/// Answers for one job. `entities` tells what the job is about, or what its parts are about; the sub-jobs come already written.
pub(super) fn show(
    region: &Region,
    host: JobHost,
    id: &str,
    entities: impl Fn(&Job, Vec<Value>) -> Value,
) -> Result<Answer> {
    let job = region
        .jobs
        .get(id)
        .filter(|job| job.host == host)
        .ok_or_else(|| Fault::bad("Common.0011", format!("The job {id} does not exist.")))?;
    Ok(Answer::json(200, &row(job, &entities)))
}

fn row(job: &Job, entities: &impl Fn(&Job, Vec<Value>) -> Value) -> Value {
    let parts = job.sub_jobs.iter().map(|part| row(part, entities)).collect();
    json!({
        "job_id": job.id,
        "job_type": job.kind,
        "status": job.status,
        "begin_time": zulu_millis(job.begin),
        "end_time": job.end.map(zulu_millis),
        "error_code": job.error.as_ref().map(|(code, _)| code),
        "fail_reason": job.error.as_ref().map(|(_, reason)| reason),
        "entities": entities(job, parts),
    })
}
