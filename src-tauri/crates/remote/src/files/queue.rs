//! Copies, one after the other, on one connection of their own. A lost connection is made anew and the copy taken up
//! where it stopped; the files under way can be paused, taken up and cancelled.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Files;
use super::transfer::{self, Done, shown};
use super::tree::{PROBLEMS_MOST, Plan, Step};
use crate::connection::{Login, Purpose};
use crate::error::{Error, FileTrouble, Result};

/// How often the numbers are told.
const TELL: Duration = Duration::from_millis(250);
/// How often a connection is made anew without a byte moved in between.
const RETRIES: u32 = 6;
/// The most copies that a queue holds.
const JOBS_MOST: usize = 10_000;

/// The number of a copy within its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct JobId(pub u64);

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the server.
    Down,
    /// To the server.
    Up,
}

/// What to copy: a file, or a folder with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Which way.
    pub direction: Direction,
    /// The path here.
    pub here: PathBuf,
    /// The path there.
    pub there: String,
    /// Files that are there already may be replaced.
    pub replace: bool,
}

/// A copy as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Which way.
    pub direction: Direction,
    /// The path here.
    pub here: String,
    /// The path there.
    pub there: String,
    /// Where it stands.
    pub state: JobState,
    /// Bytes that are there.
    pub bytes_done: u64,
    /// Bytes in all, as far as known.
    pub bytes_all: u64,
    /// Files that are there.
    pub files_done: u64,
    /// Files in all, as far as known.
    pub files_all: u64,
    /// Links and such that are left out.
    pub skipped: u64,
    /// The file under way.
    pub current: Option<String>,
    /// Bytes a second, of the last moments.
    pub rate: f64,
    /// What could not be copied, the first of it.
    pub problems: Vec<Problem>,
}

/// Something that could not be copied while the rest was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Its path, here or there.
    pub path: String,
    /// Why.
    pub why: FileTrouble,
}

/// Where a copy stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum JobState {
    /// Others come first.
    Waiting,
    /// Under way.
    Running,
    /// The connection was lost; it will be made anew.
    Retrying {
        /// Why.
        cause: Error,
    },
    /// Stopped by the user; can be taken up.
    Paused,
    /// All there, but for its problems.
    Done,
    /// Given up; can be taken up.
    Failed {
        /// Why.
        error: Error,
    },
    /// Ended by the user.
    Cancelled,
}

/// The queue. Dropping it stops what is under way.
pub struct Queue {
    shared: Arc<Shared>,
    over: CancellationToken,
}

struct Shared {
    inner: Mutex<Inner>,
    more: Notify,
    told: watch::Sender<Arc<Vec<Job>>>,
}

#[derive(Default)]
struct Inner {
    items: Vec<Item>,
    next: u64,
}

struct Item {
    job: Job,
    copy: Copy,
    plan: Option<Arc<Vec<Step>>>,
    /// Steps of the plan that are done.
    at: usize,
    stop: CancellationToken,
}

impl Queue {
    /// A queue that connects when there is something to copy.
    pub fn start(login: Login) -> Self {
        let shared = Arc::new(Shared {
            inner: Mutex::default(),
            more: Notify::new(),
            told: watch::Sender::default(),
        });
        let over = CancellationToken::new();
        let running = Runner {
            login,
            shared: shared.clone(),
            files: None,
        };
        let ending = over.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = running.run() => {}
                () = ending.cancelled() => {}
            }
        });
        Self { shared, over }
    }

    /// All copies as they stand, told four times a second while one is under way.
    pub fn watch(&self) -> watch::Receiver<Arc<Vec<Job>>> {
        self.shared.told.subscribe()
    }

    /// Adds a copy.
    pub fn add(&self, copy: Copy) -> Result<JobId> {
        let id = {
            let mut inner = self.shared.lock();
            if inner.items.len() >= JOBS_MOST {
                return Err(Error::rejected("another copy", "the queue is full"));
            }
            inner.next += 1;
            let id = JobId(inner.next);
            let job = Job {
                id,
                direction: copy.direction,
                here: shown(&copy.here),
                there: copy.there.clone(),
                state: JobState::Waiting,
                bytes_done: 0,
                bytes_all: 0,
                files_done: 0,
                files_all: 0,
                skipped: 0,
                current: None,
                rate: 0.0,
                problems: Vec::new(),
            };
            inner.items.push(Item {
                job,
                copy,
                plan: None,
                at: 0,
                stop: CancellationToken::new(),
            });
            id
        };
        self.shared.tell();
        self.shared.more.notify_one();
        Ok(id)
    }

    /// Stops a copy where it is.
    pub fn pause(&self, id: JobId) {
        self.shared.turn(id, JobState::Paused, |state| {
            matches!(
                state,
                JobState::Waiting | JobState::Running | JobState::Retrying { .. }
            )
        });
    }

    /// Takes a copy up where it stopped: one that was paused or given up.
    pub fn resume(&self, id: JobId) {
        self.shared.turn(id, JobState::Waiting, |state| {
            matches!(state, JobState::Paused | JobState::Failed { .. })
        });
        self.shared.more.notify_one();
    }

    /// Does a copy anew that was given up or has problems, and replaces the files that are there already.
    pub fn replace(&self, id: JobId) {
        self.shared.change(id, |item| {
            let job = &mut item.job;
            let again = match job.state {
                JobState::Failed { .. } => true,
                JobState::Done => !job.problems.is_empty(),
                _ => false,
            };
            if again {
                job.state = JobState::Waiting;
                job.problems.clear();
                (job.files_done, job.bytes_done) = (0, 0);
                (item.plan, item.at, item.copy.replace) = (None, 0, true);
            }
        });
        self.shared.tell();
        self.shared.more.notify_one();
    }

    /// Ends a copy. Whole files stay; the one under way is removed.
    pub fn cancel(&self, id: JobId) {
        self.shared.turn(id, JobState::Cancelled, |state| {
            !matches!(state, JobState::Done | JobState::Cancelled)
        });
        self.shared.more.notify_one();
    }

    /// Forgets what is over.
    pub fn clear(&self) {
        let over = |state: &JobState| {
            matches!(
                state,
                JobState::Done | JobState::Cancelled | JobState::Failed { .. }
            )
        };
        self.shared.lock().items.retain(|item| !over(&item.job.state));
        self.shared.tell();
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        let jobs = self.lock().items.iter().map(|item| item.job.clone()).collect();
        self.told.send_replace(Arc::new(jobs));
    }

    /// Changes an item, when it is still there.
    fn change<T>(&self, id: JobId, change: impl FnOnce(&mut Item) -> T) -> Option<T> {
        let mut inner = self.lock();
        inner.items.iter_mut().find(|item| item.job.id == id).map(change)
    }

    fn turn(&self, id: JobId, to: JobState, from: impl FnOnce(&JobState) -> bool) {
        self.change(id, |item| {
            if from(&item.job.state) {
                item.stop.cancel();
                item.stop = CancellationToken::new();
                item.job.state = to;
                item.job.rate = 0.0;
            }
        });
        self.tell();
    }
}

struct Runner {
    login: Login,
    shared: Arc<Shared>,
    files: Option<Files>,
}

impl Runner {
    async fn run(mut self) {
        loop {
            let next = {
                let mut inner = self.shared.lock();
                let waiting = inner
                    .items
                    .iter_mut()
                    .find(|item| item.job.state == JobState::Waiting);
                waiting.map(|item| {
                    item.job.state = JobState::Running;
                    (item.job.id, item.copy.clone(), item.stop.clone())
                })
            };
            let Some((id, copy, stop)) = next else {
                self.shared.more.notified().await;
                continue;
            };
            self.shared.tell();
            let ended = tokio::select! {
                biased;
                () = stop.cancelled() => Err(Error::Cancelled),
                ended = self.job(id, &copy, &stop) => ended,
            };
            self.settle(id, &copy, &stop, ended).await;
            self.shared.tell();
        }
    }

    /// Writes down how it ended, unless somebody decided otherwise meanwhile.
    async fn settle(&mut self, id: JobId, copy: &Copy, stop: &CancellationToken, ended: Result<()>) {
        let cancelled = self.shared.change(id, |item| {
            item.job.rate = 0.0;
            item.job.current = None;
            if !stop.is_cancelled() {
                item.job.state = match ended {
                    Ok(()) => JobState::Done,
                    Err(error) => JobState::Failed { error },
                };
            }
            let step = item.plan.as_ref().and_then(|plan| plan.get(item.at).cloned());
            (item.job.state == JobState::Cancelled).then_some(step).flatten()
        });
        if let Some(Some(step)) = cancelled {
            let files = self.files.as_ref().filter(|files| !files.is_closed());
            match copy.direction {
                Direction::Down => transfer::discard_here(files, &step.there, &step.here).await,
                Direction::Up => transfer::discard_there(files, &step.here, &step.there).await,
            }
        }
    }

    /// One copy, over as many connections as it takes.
    async fn job(&mut self, id: JobId, copy: &Copy, stop: &CancellationToken) -> Result<()> {
        let done = Done::default();
        let mut failures = 0;
        let mut moved = 0;
        loop {
            let error = match self.attempt(id, copy, &done, stop).await {
                Err(error) if error.passes() => error,
                other => return other,
            };
            self.files = None;
            let now = done.moved.load(Ordering::Relaxed);
            failures = if now > moved { 1 } else { failures + 1 };
            moved = now;
            if failures >= RETRIES {
                return Err(error);
            }
            self.shared.change(id, |item| {
                // Under the lock that a pause takes as well: what the user decided stays.
                if !stop.is_cancelled() {
                    item.job.state = JobState::Retrying { cause: error };
                    item.job.rate = 0.0;
                }
            });
            self.shared.tell();
            sleep(Duration::from_millis(500) * 2u32.pow(failures)).await;
        }
    }

    async fn attempt(&mut self, id: JobId, copy: &Copy, done: &Done, stop: &CancellationToken) -> Result<()> {
        if self.files.as_ref().is_none_or(Files::is_closed) {
            let connection = self.login.connect(Purpose::Transfer).await?;
            self.files = Some(Files::on(connection).await?);
        }
        let Some(files) = &self.files else {
            return Err(Error::lost("no connection for files"));
        };
        self.shared.change(id, |item| {
            if !stop.is_cancelled() {
                item.job.state = JobState::Running;
            }
        });
        let plan = match self.shared.change(id, |item| item.plan.clone()).flatten() {
            Some(plan) => plan,
            None => {
                let plan = match copy.direction {
                    Direction::Down => Plan::down(files, &copy.there, &copy.here, stop).await?,
                    Direction::Up => Plan::up(&copy.here, &copy.there, stop).await?,
                };
                self.planned(id, plan)
            }
        };
        let telling = tell_how_far(&self.shared, id, done);
        tokio::select! {
            ended = steps(files, &self.shared, id, copy, &plan, done, stop) => ended,
            () = telling => Err(Error::Cancelled),
        }
    }

    fn planned(&self, id: JobId, plan: Plan) -> Arc<Vec<Step>> {
        let (bytes, steps) = (plan.bytes(), Arc::new(plan.steps));
        let files = steps.iter().filter(|step| step.size.is_some()).count();
        self.shared.change(id, |item| {
            item.job.bytes_all = bytes;
            item.job.files_all = u64::try_from(files).unwrap_or(u64::MAX);
            item.job.skipped = plan.skipped;
            item.job.problems = plan.problems;
            item.plan = Some(steps.clone());
        });
        steps
    }
}

/// Every step that is not done yet.
async fn steps(
    files: &Files,
    shared: &Shared,
    id: JobId,
    copy: &Copy,
    plan: &[Step],
    done: &Done,
    stop: &CancellationToken,
) -> Result<()> {
    let at = shared.change(id, |item| item.at).unwrap_or(plan.len());
    let before = plan.iter().take(at).filter_map(|step| step.size).sum();
    done.bytes.store(before, Ordering::Relaxed);
    for (at, step) in plan.iter().enumerate().skip(at) {
        let before = done.bytes.load(Ordering::Relaxed);
        shared.change(id, |item| item.job.current = Some(shown(&step.here)));
        let stepped = match (step.size, copy.direction) {
            (None, Direction::Down) => folder_here(&step.here).await,
            (None, Direction::Up) => match files.make_folder(&step.there).await {
                Err(Error::RemoteFile {
                    why: FileTrouble::Exists,
                    ..
                }) => Ok(()),
                other => other,
            },
            (Some(_), Direction::Down) => {
                transfer::down(files, &step.there, &step.here, copy.replace, done, stop).await
            }
            (Some(_), Direction::Up) => {
                transfer::up(files, &step.here, &step.there, copy.replace, done, stop).await
            }
        };
        let problem = match stepped {
            Ok(()) => None,
            // One file among many that cannot be copied does not hold up the others.
            Err(Error::RemoteFile { path, why } | Error::LocalFile { path, why })
                if plan.len() > 1 && why != FileTrouble::Full && at > 0 =>
            {
                Some(Problem { path, why })
            }
            Err(error) => return Err(error),
        };
        done.bytes
            .store(before + step.size.unwrap_or(0), Ordering::Relaxed);
        shared.change(id, |item| {
            item.at = at + 1;
            match problem {
                Some(problem) if item.job.problems.len() < PROBLEMS_MOST => item.job.problems.push(problem),
                Some(_) => {}
                None if step.size.is_some() => item.job.files_done += 1,
                None => {}
            }
            item.job.bytes_done = done.bytes.load(Ordering::Relaxed);
        });
    }
    Ok(())
}

async fn folder_here(path: &std::path::Path) -> Result<()> {
    match tokio::fs::create_dir(path).await {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.map_err(|error| Error::local(path, &error)),
    }
}

/// Tells the numbers of a copy as long as it runs.
async fn tell_how_far(shared: &Shared, id: JobId, done: &Done) {
    let (mut then, mut moved) = (Instant::now(), done.moved.load(Ordering::Relaxed));
    loop {
        sleep(TELL).await;
        let (now, total) = (Instant::now(), done.moved.load(Ordering::Relaxed));
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = (total - moved) as f64 / (now - then).as_secs_f64();
        (then, moved) = (now, total);
        shared.change(id, |item| {
            item.job.rate = if item.job.rate == 0.0 {
                rate
            } else {
                item.job.rate * 0.7 + rate * 0.3
            };
            item.job.bytes_done = done.bytes.load(Ordering::Relaxed);
        });
        shared.tell();
    }
}
