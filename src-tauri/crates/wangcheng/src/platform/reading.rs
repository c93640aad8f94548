//! One pull or import at a time, which can be watched and cancelled. Whatever ends it, what was taken stays taken.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::tally::{Batch, Fact, Unread};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use super::files::{BadLine, Lines};
use super::pull::{Far, Position, Pulled, pull};
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};

/// Name of the platform among the sources.
const PLATFORM: &str = "platform";
/// How many events of a file are taken at once.
const AT_ONCE: usize = 4000;
/// How many bad lines are named.
const MOST_NAMED: usize = 100;
/// Longest name of a file among the sources, in characters.
const LONGEST_NAME: usize = 100;
/// How often at most it is told how a reading goes on.
const TELL: Duration = Duration::from_millis(250);

/// Where events are read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReadingOf {
    /// The data platform.
    #[default]
    Platform,
    /// A file.
    File,
}

/// How a pull or an import stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReadingState {
    /// There was none since this program started.
    #[default]
    Never,
    /// It is under way.
    Running,
    /// Everything was read.
    Done,
    /// Somebody cancelled it; it goes on from there.
    Cancelled,
    /// Something stopped it; it goes on from there.
    Failed,
}

/// How a pull or an import stands, and what it brought.
#[derive(Debug, Clone, Default)]
pub struct ReadingNow {
    /// Where from.
    pub of: ReadingOf,
    /// Name of the source.
    pub source: String,
    /// How it stands.
    pub state: ReadingState,
    /// When it began.
    pub began: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// How far it is: events of the platform, bytes of a file.
    pub done: u64,
    /// Of how many.
    pub of_all: u64,
    /// Events that were not known before.
    pub new: u64,
    /// Events that were.
    pub doubled: u64,
    /// Rows that are no events.
    pub unreadable: u64,
    /// Of them, those of a later version of the contract: a newer program can read them.
    pub newer: u64,
    /// Lines of a file that are no events, by number; the first hundred.
    pub bad_lines: Vec<(u64, BadLine)>,
    /// Of a platform: installations, and events that are missing there.
    pub far: Far,
    /// What stopped it.
    pub problem: Option<Failure>,
}

/// The reading under way, or the last one.
#[derive(Default)]
pub(crate) struct Reading {
    now: Mutex<(ReadingNow, Option<CancellationToken>)>,
    /// When it was last told how it goes on.
    told: Mutex<Option<Instant>>,
}

impl Reading {
    fn lock(&self) -> MutexGuard<'_, (ReadingNow, Option<CancellationToken>)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut ReadingNow)) {
        change(&mut self.lock().0);
    }

    /// Whether enough time went by to tell it again.
    fn is_due(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.is_none_or(|told| told.elapsed() >= TELL);
        if due {
            *told = Some(Instant::now());
        }
        due
    }
}

/// What became of some texts.
struct TakenIn {
    new: u64,
    doubled: u64,
    bad: Vec<(u64, BadLine)>,
}

impl Wangcheng {
    /// How the pull or import under way stands, or the last one.
    pub fn reading(&self) -> ReadingNow {
        self.inner.reading.lock().0.clone()
    }

    /// Ends the pull or import under way, soon. What was taken stays.
    pub fn cancel_reading(&self) -> ReadingNow {
        let held = self.inner.reading.lock();
        if let Some(cancel) = &held.1 {
            cancel.cancel();
        }
        held.0.clone()
    }

    /// Begins to pull what is new at the platform.
    ///
    /// # Errors
    /// `PullUnderWay`; `SearchNotConfigured`, `SearchProfileInvalid`; the keychain's and the ledger's. What happens then stands in
    /// [`reading`](Self::reading).
    pub async fn pull_events(&self) -> Result<ReadingNow> {
        let (search, place) = self.search_in_use().await?;
        let cancel = self.begin_reading(ReadingOf::Platform, PLATFORM.to_owned())?;
        let this = self.clone();
        self.spawn_reading(cancel.clone(), async move {
            let kept = this.tally(|tally, _| tally.source(PLATFORM)).await?;
            let position = Position::read(kept.and_then(|kept| kept.position).as_deref(), &place);
            let now = this.now();
            let taker = this.clone();
            let far = pull(&search, position, now, &cancel, move |pulled: Pulled| {
                let this = taker.clone();
                Box::pin(async move { this.take_pulled(pulled).await })
            })
            .await?;
            this.note_reading(|now| now.far = far);
            Ok(())
        });
        Ok(self.reading())
    }

    /// Begins to read a file of exported events.
    ///
    /// # Errors
    /// `PullUnderWay`; `ExportUnreadable` when it cannot be opened. What happens then stands in [`reading`](Self::reading).
    pub async fn import_events(&self, file: PathBuf) -> Result<ReadingNow> {
        let shown = file.display().to_string();
        let unreadable = move |error: &dyn std::fmt::Display| {
            Failure::new(Code::ExportUnreadable)
                .with("file", &shown)
                .saying(error)
        };
        let name: String = match file.file_name() {
            Some(name) => name.to_string_lossy().chars().take(LONGEST_NAME).collect(),
            None => return Err(unreadable(&"it has no name")),
        };
        let opened = tokio::task::spawn_blocking(move || Lines::open(&file)).await;
        let opened = opened.map_err(|error| Failure::new(Code::Internal).saying(error))?;
        let mut lines = opened.map_err(|error| unreadable(&error))?;
        let source = format!("file:{name}");
        let cancel = self.begin_reading(ReadingOf::File, source.clone())?;
        let this = self.clone();
        self.spawn_reading(cancel.clone(), async move {
            loop {
                if cancel.is_cancelled() {
                    return Err(Code::Cancelled.into());
                }
                let read = tokio::task::spawn_blocking(move || {
                    let part = some(&mut lines);
                    (lines, part)
                });
                let (back, part) = read
                    .await
                    .map_err(|error| Failure::new(Code::Internal).saying(error))?;
                lines = back;
                let (texts, bad, over) = part;
                let taken = this
                    .take_events(
                        source.clone(),
                        texts,
                        bad.len() as u64,
                        None,
                        matches!(over, Some(Ok(()))),
                    )
                    .await?;
                let (done, of_all) = lines.progress();
                this.note_reading(|now| {
                    (now.done, now.of_all) = (done, of_all);
                    now.count(&taken, bad.len() as u64);
                    let named = bad.into_iter().chain(taken.bad);
                    now.bad_lines.extend(named);
                    now.bad_lines.sort_by_key(|(line, _)| *line);
                    now.bad_lines.truncate(MOST_NAMED);
                });
                match over {
                    None => {}
                    Some(Ok(())) => return Ok(()),
                    Some(Err(error)) => return Err(unreadable(&error)),
                }
            }
        });
        Ok(self.reading())
    }

    async fn take_pulled(&self, pulled: Pulled) -> Result<()> {
        let Pulled {
            events,
            unreadable,
            position,
            complete,
            far,
        } = pulled;
        let texts = events.into_iter().map(|text| (0, text)).collect();
        let taken = self
            .take_events(PLATFORM.to_owned(), texts, unreadable, Some(position), complete)
            .await?;
        self.note_reading(|now| {
            now.done = far.fetched;
            now.of_all = far.wanted.max(far.fetched);
            now.far = far;
            now.count(&taken, unreadable);
        });
        Ok(())
    }

    fn note_reading(&self, change: impl FnOnce(&mut ReadingNow)) {
        self.inner.reading.note(change);
        if self.inner.reading.is_due() {
            self.tell_reading();
        }
    }

    fn tell_reading(&self) {
        self.publish(Change::Reading(Box::new(self.reading())));
    }

    fn begin_reading(&self, of: ReadingOf, source: String) -> Result<CancellationToken> {
        let mut held = self.inner.reading.lock();
        if held.0.state == ReadingState::Running {
            return Err(Code::PullUnderWay.into());
        }
        let cancel = self.inner.stop.child_token();
        *held = (
            ReadingNow {
                of,
                source,
                state: ReadingState::Running,
                began: Some(self.now()),
                ..ReadingNow::default()
            },
            Some(cancel.clone()),
        );
        drop(held);
        self.tell_reading();
        Ok(cancel)
    }

    fn spawn_reading(
        &self,
        cancel: CancellationToken,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let this = self.clone();
        self.inner.tasks.spawn(async move {
            let ended = work.await;
            let mut held = this.inner.reading.lock();
            held.1 = None;
            held.0.ended = Some(this.now());
            held.0.state = match &ended {
                Ok(()) => ReadingState::Done,
                Err(_) if cancel.is_cancelled() => ReadingState::Cancelled,
                Err(_) => ReadingState::Failed,
            };
            held.0.problem = ended.err().filter(|failure| failure.code != Code::Cancelled);
            drop(held);
            this.tell_reading();
        });
    }

    /// Hands events over, each text with the number of its line.
    async fn take_events(
        &self,
        source: String,
        texts: Vec<(u64, String)>,
        unreadable: u64,
        position: Option<String>,
        complete: bool,
    ) -> Result<TakenIn> {
        let now = self.now();
        self.tally(move |tally, _| {
            let mut bad = Vec::new();
            let mut facts = Vec::with_capacity(texts.len());
            for (line, text) in &texts {
                match Fact::read(text) {
                    Ok(fact) => facts.push(fact),
                    Err(Unread::Newer) => bad.push((*line, BadLine::Newer)),
                    Err(Unread::Broken) => bad.push((*line, BadLine::NotAnEvent)),
                }
            }
            let taken = tally.take_in(&Batch {
                source: &source,
                facts: &facts,
                unreadable: unreadable.saturating_add(bad.len() as u64),
                position: position.as_deref(),
                complete,
                now,
            })?;
            Ok(TakenIn {
                new: taken.new,
                doubled: taken.doubled,
                bad,
            })
        })
        .await
    }
}

impl ReadingNow {
    fn count(&mut self, taken: &TakenIn, unreadable: u64) {
        self.new += taken.new;
        self.doubled += taken.doubled;
        self.unreadable += unreadable.saturating_add(taken.bad.len() as u64);
        self.newer += taken.bad.iter().filter(|(_, why)| *why == BadLine::Newer).count() as u64;
    }
}

/// Some lines' texts, lines that are bad, and the end of the file where it was reached.
type Part = (
    Vec<(u64, String)>,
    Vec<(u64, BadLine)>,
    Option<std::io::Result<()>>,
);

fn some(lines: &mut Lines) -> Part {
    let (mut texts, mut bad) = (Vec::new(), Vec::new());
    while texts.len() + bad.len() < AT_ONCE {
        match lines.next_line() {
            Ok(Some((line, Ok(text)))) => texts.push((line, text)),
            Ok(Some((line, Err(why)))) => bad.push((line, why)),
            Ok(None) => return (texts, bad, Some(Ok(()))),
            Err(error) => return (texts, bad, Some(Err(error))),
        }
    }
    (texts, bad, None)
}
