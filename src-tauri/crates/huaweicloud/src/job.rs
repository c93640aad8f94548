//! The jobs in which ECS and EVS do their work. Each service knows its own, on its own host.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::client::{Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{JobId, ProjectId, ServerId, VolumeId};
use crate::lenient;

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// Not begun.
    Init,
    /// At work.
    Running,
    /// Done.
    Success,
    /// Failed; of a batch, parts may have succeeded.
    Fail,
    /// A word that this crate does not know. The job is not known to have ended.
    Other(String),
}

impl JobStatus {
    /// Whether it will not change any more.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Success | Self::Fail)
    }
}

impl From<String> for JobStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "INIT" => Self::Init,
            "RUNNING" => Self::Running,
            "SUCCESS" => Self::Success,
            "FAIL" => Self::Fail,
            _ => Self::Other(word),
        }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job's id.
    pub id: JobId,
    /// What it does, such as `createServer`. The list of words is open.
    pub kind: String,
    /// How far it is.
    pub status: JobStatus,
    /// Why it failed: the service's code.
    pub error_code: Option<String>,
    /// Why it failed: the service's words.
    pub fail_reason: Option<String>,
    /// When it began.
    pub begin_time: Option<DateTime<Utc>>,
    /// When it ended.
    pub end_time: Option<DateTime<Utc>>,
    /// The server that it is about, for a job about one.
    pub server_id: Option<ServerId>,
    /// The disk that it is about, for a job about one.
    pub volume_id: Option<VolumeId>,
    /// Its parts, one for each server or disk of a batch.
    pub sub_jobs: Vec<SubJob>,
}

/// A part of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubJob {
    /// What it does.
    pub kind: String,
    /// How far it is.
    pub status: JobStatus,
    /// The server that it is about.
    pub server_id: Option<ServerId>,
    /// The disk that it is about.
    pub volume_id: Option<VolumeId>,
    /// Why it failed: the service's code.
    pub error_code: Option<String>,
    /// Why it failed: the service's words.
    pub fail_reason: Option<String>,
}

impl Job {
    /// All servers that the job or its parts name.
    pub fn server_ids(&self) -> impl Iterator<Item = &ServerId> {
        self.server_id
            .iter()
            .chain(self.sub_jobs.iter().filter_map(|part| part.server_id.as_ref()))
    }

    /// All disks that the job or its parts name.
    pub fn volume_ids(&self) -> impl Iterator<Item = &VolumeId> {
        self.volume_id
            .iter()
            .chain(self.sub_jobs.iter().filter_map(|part| part.volume_id.as_ref()))
    }

    /// The first reason for its failure that is given, by the job or a part: code and words.
    pub fn failure(&self) -> Option<(Option<&str>, &str)> {
        let own = (self.error_code.as_deref(), self.fail_reason.as_deref());
        let parts = self
            .sub_jobs
            .iter()
            .map(|part| (part.error_code.as_deref(), part.fail_reason.as_deref()));
        // The whole job's reason tends to be "a sub-job failed"; a part's is the real one.
        parts
            .chain([own])
            .find(|(code, reason)| code.is_some() || reason.is_some())
            .map(|(code, reason)| (code, reason.or(code).unwrap_or_default()))
    }
}

#[derive(Deserialize)]
struct Row {
    #[serde(default, deserialize_with = "lenient::text")]
    job_type: String,
    #[serde(deserialize_with = "lenient::required")]
    status: JobStatus,
    #[serde(default, deserialize_with = "lenient::optional")]
    error_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    fail_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::time")]
    begin_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::time")]
    end_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::object")]
    entities: Option<Entities>,
}

#[derive(Deserialize, Default)]
struct Entities {
    #[serde(default, deserialize_with = "lenient::optional")]
    server_id: Option<ServerId>,
    #[serde(default, deserialize_with = "lenient::optional")]
    volume_id: Option<VolumeId>,
    #[serde(default, deserialize_with = "lenient::optional")]
    errorcode_message: Option<String>,
    #[serde(default, deserialize_with = "lenient::rows")]
    sub_jobs: Vec<Row>,
}

impl From<Row> for SubJob {
    fn from(row: Row) -> Self {
        let entities = row.entities.unwrap_or_default();
        Self {
            kind: row.job_type,
            status: row.status,
            server_id: entities.server_id,
            volume_id: entities.volume_id,
            error_code: row.error_code,
            fail_reason: row.fail_reason.or(entities.errorcode_message),
        }
    }
}

/// Asks a service for a job of its own.
pub(crate) async fn show(
    client: &Client,
    service: Service,
    project: &ProjectId,
    id: &JobId,
) -> Result<Reply<Job>, Error> {
    let call = Call::get(service, "ShowJob", ["v1", project.as_str(), "jobs", id.as_str()]);
    let reply = client.send(&call).await?.read::<Row>()?;
    Ok(reply.map(|row| job_from(id.clone(), row)))
}

fn job_from(id: JobId, row: Row) -> Job {
    let entities = row.entities.unwrap_or_default();
    Job {
        id,
        kind: row.job_type,
        status: row.status,
        error_code: row.error_code,
        fail_reason: row.fail_reason,
        begin_time: row.begin_time,
        end_time: row.end_time,
        server_id: entities.server_id,
        volume_id: entities.volume_id,
        sub_jobs: entities.sub_jobs.into_iter().map(SubJob::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Job {
        job_from("j".into(), serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_batch_tells_of_each_server_and_of_the_real_reason() {
        let job = read(
            r#"{"job_id":"j","job_type":"createServer","status":"FAIL","begin_time":"2026-01-02T03:04:05.678Z","end_time":"",
                "error_code":"Common.0021","fail_reason":"Sub job failed","entities":{"sub_jobs_total":"2","sub_jobs":[
                {"status":"SUCCESS","job_type":"createSingleServer","entities":{"server_id":"s-1"},"error_code":null},
                {"status":"FAIL","job_type":"createSingleServer","entities":{"server_id":"s-2"},
                 "error_code":"Ecs.0219","fail_reason":"No valid host"}, null]}}"#,
        );
        assert_eq!(
            job.server_ids().map(ServerId::as_str).collect::<Vec<_>>(),
            ["s-1", "s-2"]
        );
        assert_eq!(job.failure(), Some((Some("Ecs.0219"), "No valid host")));
        assert!(job.status.is_settled() && job.begin_time.is_some() && job.end_time.is_none());
    }

    #[test]
    fn a_single_operation_names_its_server_directly() {
        let job = read(r#"{"status":"RUNNING","job_type":"stopServer","entities":{"server_id":"s-1"}}"#);
        assert_eq!(job.server_ids().count(), 1);
        assert_eq!(job.failure(), None);
        assert!(!job.status.is_settled());
    }

    #[test]
    fn a_job_in_an_unknown_state_is_not_taken_for_settled() {
        assert!(
            !read(r#"{"status":"PENDING_PAYMENT","entities":null}"#)
                .status
                .is_settled()
        );
        assert!(serde_json::from_str::<Row>(r#"{"job_id":"j","status":null}"#).is_err());
    }
}
