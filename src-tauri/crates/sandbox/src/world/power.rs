//! Starting, stopping, restarting and resizing servers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Job, JobHost, Region, Step, Task, VmState};
use crate::clock::Pace;

/// When what happens, in seconds at speed 1.
const JOB_RUNS: f64 = 0.3;
const STARTED: f64 = 2.0;
const STOPPED: f64 = 2.0;
const STOPPED_HARD: f64 = 1.2;
const REBOOT_UNDER_WAY: f64 = 1.0;
const REBOOTED: f64 = 2.5;
/// From the moment at which the server is stopped.
const MIGRATING: f64 = 1.0;
const FINISHING: f64 = 2.0;
const RESIZED: f64 = 3.0;
const RESIZED_AND_STARTED: f64 = 4.5;
/// From the last server's end to the job's.
const JOB_ENDS: f64 = 0.4;

/// What is done with a server's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PowerAct {
    Start,
    Stop { hard: bool },
    Reboot { hard: bool },
}

impl PowerAct {
    /// Kind of the job, and of its parts.
    fn jobs(self) -> (&'static str, &'static str) {
        match self {
            Self::Start => ("startServers", "startSingleServer"),
            Self::Stop { .. } => ("stopServers", "stopSingleServer"),
            Self::Reboot { .. } => ("rebootServers", "rebootSingleServer"),
        }
    }

    /// States of a server with which it can be done.
    pub(crate) fn is_possible(self, state: VmState) -> bool {
        match self {
            Self::Start => state == VmState::Stopped,
            Self::Stop { .. } => state == VmState::Active,
            // A hard restart also starts what is off.
            Self::Reboot { hard } => state == VmState::Active || (hard && state == VmState::Stopped),
        }
    }
}

impl Region {
    /// Starts an act with servers that allow it; the answer is the job's id. `failing` holds code and reason for those whose
    /// part of the job will fail.
    pub(crate) fn power(
        &mut self,
        act: PowerAct,
        ids: &[String],
        failing: &BTreeMap<String, (String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> String {
        let (kind, part) = act.jobs();
        let mut job = Job::new(JobHost::Ecs, kind, now);
        let (task, done, state) = match act {
            PowerAct::Start => (Task::PoweringOn, STARTED, VmState::Active),
            PowerAct::Stop { hard: false } => (Task::PoweringOff, STOPPED, VmState::Stopped),
            PowerAct::Stop { hard: true } => (Task::PoweringOff, STOPPED_HARD, VmState::Stopped),
            PowerAct::Reboot { hard: false } => (Task::Rebooting, REBOOTED, VmState::Active),
            PowerAct::Reboot { hard: true } => (Task::RebootingHard, REBOOTED, VmState::Active),
        };
        for id in ids {
            let Some(before) = self.servers.get(id).map(|server| server.state) else {
                continue;
            };
            let mut sub_job = Job::new(JobHost::Ecs, part, now);
            sub_job.server_id = Some(id.clone());
            job.sub_jobs.push(sub_job);
            self.turn(id, now, |server| server.task = Some(task));
            let under_way = match act {
                PowerAct::Reboot { hard: false } => Some(Task::RebootStarted),
                PowerAct::Reboot { hard: true } => Some(Task::RebootStartedHard),
                _ => None,
            };
            if let Some(task) = under_way {
                let server = id.clone();
                self.plan(now + pace.lasting(REBOOT_UNDER_WAY), Step::Turns { server, task });
            }
            let failure = failing.get(id);
            let state = if failure.is_some() { before } else { state };
            self.plan_failure(&job.id, id, failure, now + pace.lasting(done));
            let server = id.clone();
            self.plan(now + pace.lasting(done), Step::Settles { server, state });
        }
        self.run(job, JOB_RUNS, done + JOB_ENDS, now, pace)
    }

    /// Starts a change of flavor; the answer is the job's id. A server that runs is stopped for it and started again.
    pub(crate) fn resize(
        &mut self,
        id: &str,
        flavor: &str,
        failure: Option<&(String, String)>,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> String {
        let mut job = Job::new(JobHost::Ecs, "resizeServer", now);
        job.server_id = Some(id.to_owned());
        let runs = self
            .servers
            .get(id)
            .is_some_and(|server| server.state == VmState::Active);
        let server = || id.to_owned();
        let off = if runs { STOPPED } else { 0.0 };
        let at = |seconds: f64| now + pace.lasting(off + seconds);
        if runs {
            self.turn(id, now, |server| server.task = Some(Task::PoweringOff));
            let state = VmState::Stopped;
            self.plan(
                at(0.0),
                Step::Settles {
                    server: server(),
                    state,
                },
            );
            let task = Task::ResizePrep;
            self.plan(
                at(0.0),
                Step::Turns {
                    server: server(),
                    task,
                },
            );
        } else {
            self.turn(id, now, |server| server.task = Some(Task::ResizePrep));
        }
        for (seconds, task) in [
            (MIGRATING, Task::ResizeMigrating),
            (FINISHING, Task::ResizeFinish),
        ] {
            self.plan(
                at(seconds),
                Step::Turns {
                    server: server(),
                    task,
                },
            );
        }
        if failure.is_some() {
            self.plan_failure(&job.id, id, failure, at(RESIZED));
        } else {
            let flavor = flavor.to_owned();
            self.plan(
                at(RESIZED),
                Step::Resized {
                    server: server(),
                    flavor,
                },
            );
        }
        let state = VmState::Stopped;
        self.plan(
            at(RESIZED),
            Step::Settles {
                server: server(),
                state,
            },
        );
        let mut end = off + RESIZED;
        if runs {
            let (task, state) = (Task::PoweringOn, VmState::Active);
            self.plan(
                at(RESIZED),
                Step::Turns {
                    server: server(),
                    task,
                },
            );
            self.plan(
                at(RESIZED_AND_STARTED),
                Step::Settles {
                    server: server(),
                    state,
                },
            );
            end = off + RESIZED_AND_STARTED;
        }
        self.run(job, JOB_RUNS, end + JOB_ENDS, now, pace)
    }

    /// Puts a job on its way and keeps it; the answer is its id.
    pub(super) fn run(&mut self, job: Job, runs: f64, ends: f64, now: DateTime<Utc>, pace: &Pace) -> String {
        let id = job.id.clone();
        self.plan(now + pace.lasting(runs), Step::JobRuns { job: id.clone() });
        self.plan(now + pace.lasting(ends), Step::JobEnds { job: id.clone() });
        self.jobs.insert(id.clone(), job);
        id
    }

    pub(super) fn plan_failure(
        &mut self,
        job: &str,
        server: &str,
        failure: Option<&(String, String)>,
        at: DateTime<Utc>,
    ) {
        if let Some((code, reason)) = failure {
            self.plan(
                at,
                Step::PartFails {
                    job: job.to_owned(),
                    resource: server.to_owned(),
                    code: code.clone(),
                    reason: reason.clone(),
                },
            );
        }
    }

    /// What was being done with a server is done. A deletion that began meanwhile goes on.
    pub(super) fn settle(&mut self, id: &str, state: VmState, now: DateTime<Utc>) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        if server.task == Some(Task::Deleting) {
            return;
        }
        let starts =
            server.state != VmState::Active || matches!(server.task, Some(task) if task != Task::PoweringOff);
        if state == VmState::Active && starts {
            server.boot();
        }
        server.task = None;
        server.state = state;
        server.updated = now;
    }

    pub(super) fn resized(&mut self, id: &str, flavor: &str, now: DateTime<Utc>) {
        self.turn(id, now, |server| server.flavor = flavor.to_owned());
    }
}
