//! What is to go wrong, switched on by the control listener.

use serde::{Deserialize, Serialize};

/// What is to go wrong, once or until it is switched off.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Faults {
    /// The next job of this kind fails.
    pub(crate) failing_job: Option<FailingJob>,
    /// The next disk that is made or grown comes out in error, with this code and reason.
    pub(crate) failing_disk: Option<(String, String)>,
    /// Of the servers in the next start, stop or reboot every second one fails.
    pub(crate) half_batch: bool,
    /// No host has room: servers cannot be made, started or made larger, until it is switched off.
    pub(crate) no_capacity: bool,
    /// Nothing new may be bought, until it is lifted.
    pub(crate) restriction: Option<Restriction>,
    /// The next change asked of ECS gets no answer.
    pub(crate) cut: Option<Cut>,
}

/// A job that is to fail, and with what.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailingJob {
    pub(crate) job: JobOf,
    pub(crate) code: String,
    pub(crate) reason: String,
}

/// Which act a job carries out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobOf {
    #[default]
    Create,
    Delete,
    Start,
    Stop,
    Reboot,
    Resize,
    Attach,
    Detach,
    DeleteDisk,
}

impl JobOf {
    /// Code and reason with which it fails if nothing else is said.
    pub(crate) fn failure(self) -> (&'static str, &'static str) {
        match self {
            Self::Create => ("Ecs.0219", "No valid host was found. (example fault)"),
            Self::Delete => ("Ecs.0501", "The server could not be deleted. (example fault)"),
            Self::Start => ("Ecs.0226", "The server could not be started. (example fault)"),
            Self::Stop => ("Ecs.1000", "The compute service failed. (example fault)"),
            Self::Reboot => ("Ecs.0227", "The server could not be restarted. (example fault)"),
            Self::Resize => ("Ecs.0207", "The flavor could not be changed. (example fault)"),
            Self::Attach => ("Ecs.0205", "The disk could not be attached. (example fault)"),
            Self::Detach => ("Ecs.1300", "The disk service failed. (example fault)"),
            Self::DeleteDisk => ("EVS.2024", "volume is error! (example fault)"),
        }
    }
}

/// Why the account may not buy anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Restriction {
    /// In arrears: what there is gets frozen too.
    Frozen,
    /// Suspended: what there is gets frozen too.
    Suspended,
    Unverified,
    Balance,
    PaymentMethod,
    Budget,
}

impl Restriction {
    /// The server service's code and words for it; the other services have one code for all.
    pub(crate) fn refusal(self) -> (&'static str, &'static str) {
        match self {
            Self::Frozen => ("Ecs.0003", "Your account is restricted or frozen."),
            Self::Suspended => ("Ecs.0071", "Your account has been suspended."),
            Self::Unverified => ("Ecs.0066", "Real-name authentication has not been completed."),
            Self::Balance => ("Ecs.0067", "The account balance is insufficient."),
            Self::PaymentMethod => ("Ecs.0069", "No payment method has been bound to the account."),
            Self::Budget => ("Ecs.0070", "The enterprise project's budget is insufficient."),
        }
    }

    /// Whether it takes the use of what there is away too.
    pub(crate) fn freezes(self) -> bool {
        matches!(self, Self::Frozen | Self::Suspended)
    }
}

impl Faults {
    /// Code and reason with which a job that begins now is to fail.
    pub(crate) fn take_job(&mut self, job: JobOf) -> Option<(String, String)> {
        let failing = self.failing_job.take_if(|failing| failing.job == job)?;
        Some((failing.code, failing.reason))
    }

    pub(crate) fn frozen(&self) -> bool {
        self.restriction.is_some_and(Restriction::freezes)
    }
}

/// When a connection is cut: before the act, or after it, so that the caller cannot know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cut {
    Before,
    After,
}
