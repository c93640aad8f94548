//! What became of a change to a disk that takes time.

use serde_json::{Value, json};

use super::Result;
use crate::{
    faults::Fault,
    services::zulu_millis,
    wire::Answer,
    world::{Job, JobHost, Region},
};

/// Jobs of the server host are not known here.
pub(super) fn show(region: &Region, id: &str) -> Result<Answer> {
    let job = region
        .jobs
        .get(id)
        .filter(|job| job.host == JobHost::Evs)
        .ok_or_else(|| Fault::bad("Common.0011", format!("The job {id} does not exist.")))?;
    Ok(Answer::json(200, &row(job)))
}

fn row(job: &Job) -> Value {
    let entities = if job.sub_jobs.is_empty() {
        match &job.volume {
            Some(volume) => json!({
                "volume_id": volume.id,
                "name": volume.name,
                "size": volume.size_gb,
                "volume_type": volume.kind,
            }),
            None => json!({}),
        }
    } else {
        json!({"sub_jobs": job.sub_jobs.iter().map(row).collect::<Vec<_>>()})
    };
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
