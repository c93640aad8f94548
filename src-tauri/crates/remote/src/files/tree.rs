//! What a copy consists of: one file, or a folder with everything in it, found out before it begins so that its length is
//! known. Links in folders are left out; they would lead anywhere.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::name::{inside, is_plain, join};
use super::queue::Problem;
use super::{DEPTH_MOST, Files, Kind, remote};
use crate::error::{Error, FileTrouble, Result};

/// The most things in one copy.
const THINGS_MOST: usize = 500_000;
/// The most problems that are told one by one.
pub(super) const PROBLEMS_MOST: usize = 100;

/// One thing to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub here: PathBuf,
    pub there: String,
    /// In bytes; nothing for a folder.
    pub size: Option<u64>,
}

/// Everything to copy, folders before what is in them.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    pub problems: Vec<Problem>,
    /// Links and such that are left out.
    pub skipped: u64,
}

impl Plan {
    fn add(&mut self, step: Step) -> Result<()> {
        if self.steps.len() >= THINGS_MOST {
            return Err(remote(&step.there, FileTrouble::TooLarge));
        }
        self.steps.push(step);
        Ok(())
    }

    fn problem(&mut self, path: impl Into<String>, why: FileTrouble) {
        if self.problems.len() < PROBLEMS_MOST {
            self.problems.push(Problem {
                path: path.into(),
                why,
            });
        }
    }

    /// Bytes in all.
    pub fn bytes(&self) -> u64 {
        self.steps.iter().filter_map(|step| step.size).sum()
    }

    /// What a download of `there` to `here` consists of.
    pub async fn down(files: &Files, there: &str, here: &Path, stop: &CancellationToken) -> Result<Self> {
        let mut plan = Self::default();
        let entry = files.look(there).await?;
        match entry.kind {
            Kind::File => {
                plan.add(Step {
                    here: here.to_owned(),
                    there: there.to_owned(),
                    size: Some(entry.size),
                })?;
                return Ok(plan);
            }
            Kind::Folder => {}
            _ => return Err(remote(there, FileTrouble::NotAFile)),
        }
        let mut left = VecDeque::from([(there.to_owned(), here.to_owned(), 0)]);
        while let Some((there, here, depth)) = left.pop_front() {
            if stop.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let entries = match files.list(&there).await {
                Ok(entries) => entries,
                Err(Error::RemoteFile { path, why }) if depth > 0 => {
                    plan.problem(path, why);
                    continue;
                }
                Err(error) => return Err(error),
            };
            plan.add(Step {
                here: here.clone(),
                there: there.clone(),
                size: None,
            })?;
            for entry in entries {
                let path = join(&there, &entry.name);
                let Some(place) = inside(&here, &entry.name).filter(|_| entry.usable) else {
                    plan.problem(path, FileTrouble::UnsafeName);
                    continue;
                };
                match entry.kind {
                    Kind::Folder if depth + 1 >= DEPTH_MOST => plan.problem(path, FileTrouble::TooLarge),
                    Kind::Folder => left.push_back((path, place, depth + 1)),
                    Kind::File => plan.add(Step {
                        here: place,
                        there: path,
                        size: Some(entry.size),
                    })?,
                    Kind::Link | Kind::Other => plan.skipped += 1,
                }
            }
        }
        Ok(plan)
    }

    /// What an upload of `here` to `there` consists of.
    pub async fn up(here: &Path, there: &str, stop: &CancellationToken) -> Result<Self> {
        let mut plan = Self::default();
        let found = tokio::fs::metadata(here)
            .await
            .map_err(|error| Error::local(here, &error))?;
        if found.is_file() {
            plan.add(Step {
                here: here.to_owned(),
                there: there.to_owned(),
                size: Some(found.len()),
            })?;
            return Ok(plan);
        }
        if !found.is_dir() {
            return Err(Error::local_name(here, FileTrouble::NotAFile));
        }
        let mut left = VecDeque::from([(here.to_owned(), there.to_owned(), 0)]);
        while let Some((here, there, depth)) = left.pop_front() {
            if stop.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let mut entries = match tokio::fs::read_dir(&here).await {
                Ok(entries) => entries,
                Err(error) if depth > 0 => {
                    plan.problem(here.display().to_string(), FileTrouble::from(&error));
                    continue;
                }
                Err(error) => return Err(Error::local(&here, &error)),
            };
            plan.add(Step {
                here: here.clone(),
                there: there.clone(),
                size: None,
            })?;
            loop {
                let entry = match entries.next_entry().await {
                    Ok(Some(entry)) => entry,
                    Ok(None) => break,
                    Err(error) => return Err(Error::local(&here, &error)),
                };
                let path = entry.path();
                let name = entry.file_name();
                let Some(name) = name.to_str().filter(|name| is_plain(name)) else {
                    plan.problem(path.display().to_string(), FileTrouble::UnsafeName);
                    continue;
                };
                let there = join(&there, name);
                // Of the entry itself: a link is a link.
                match entry.metadata().await {
                    Ok(found) if found.is_dir() && depth + 1 >= DEPTH_MOST => {
                        plan.problem(path.display().to_string(), FileTrouble::TooLarge);
                    }
                    Ok(found) if found.is_dir() => left.push_back((path, there, depth + 1)),
                    Ok(found) if found.is_file() => plan.add(Step {
                        here: path,
                        there,
                        size: Some(found.len()),
                    })?,
                    Ok(_) => plan.skipped += 1,
                    Err(error) => plan.problem(path.display().to_string(), FileTrouble::from(&error)),
                }
            }
        }
        Ok(plan)
    }
}
