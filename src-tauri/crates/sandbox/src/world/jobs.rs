//! What takes time, as the caller can follow it, and the first answers to client tokens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Region, new_id};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum JobStatus {
    Init,
    Running,
    Success,
    Fail,
}

/// Where a job can be asked for: each host knows its own and no other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum JobHost {
    Ecs,
    Evs,
}

/// A disk as its job tells of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JobVolume {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) size_gb: u32,
    pub(crate) kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) host: JobHost,
    pub(crate) kind: String,
    pub(crate) status: JobStatus,
    pub(crate) begin: DateTime<Utc>,
    pub(crate) end: Option<DateTime<Utc>>,
    pub(crate) error: Option<(String, String)>,
    pub(crate) server_id: Option<String>,
    pub(crate) volume: Option<JobVolume>,
    pub(crate) sub_jobs: Vec<Job>,
}

impl Job {
    pub(super) fn new(host: JobHost, kind: &str, now: DateTime<Utc>) -> Self {
        Self {
            id: new_id(),
            host,
            kind: kind.to_owned(),
            status: JobStatus::Init,
            begin: now,
            end: None,
            error: None,
            server_id: None,
            volume: None,
            sub_jobs: Vec::new(),
        }
    }

    pub(super) fn settle(&mut self, now: DateTime<Utc>) {
        for job in &mut self.sub_jobs {
            job.settle(now);
        }
        let failed = self.sub_jobs.iter().find_map(|job| job.error.clone());
        self.error = self.error.take().or(failed);
        self.status = if self.error.is_some() {
            JobStatus::Fail
        } else {
            JobStatus::Success
        };
        self.end.get_or_insert(now);
    }
}

/// The first answer to a client token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Replay {
    pub(crate) at: DateTime<Utc>,
    /// SHA-256 of the body, so that no password gets into the state.
    pub(crate) body_hash: String,
    pub(crate) answer: serde_json::Value,
}

impl Region {
    /// Fails the part of a job that is about one server or disk; a job without parts fails as a whole when it ends.
    pub(super) fn fail_part(
        &mut self,
        job: &str,
        resource: &str,
        error: (String, String),
        now: DateTime<Utc>,
    ) {
        let Some(job) = self.jobs.get_mut(job) else {
            return;
        };
        if job.sub_jobs.is_empty() {
            job.error = Some(error);
            return;
        }
        let part = job.sub_jobs.iter_mut().find(|part| {
            part.server_id.as_deref() == Some(resource)
                || part.volume.as_ref().is_some_and(|volume| volume.id == resource)
        });
        if let Some(part) = part {
            part.status = JobStatus::Fail;
            part.error = Some(error);
            part.end = Some(now);
        }
    }
}
