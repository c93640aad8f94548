//! Files of a server that are changed here in an editor of this computer. A copy lies in a directory that nobody else reads,
//! is looked at every moment, and what was changed goes back in one step, unless the file over there changed meanwhile. The copy
//! goes with the session; what could not be saved is put among the downloads instead.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::failure::{failure, file_failure};
use super::files::{Entry, FileTrouble, inside};
use super::{Open, files};
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};

/// Most files of a session that are changed at once.
const EDITS_MOST: usize = 20;
/// The largest file that is, in bytes.
const SIZE_MOST: u64 = 32 * 1024 * 1024;
/// How often a copy is looked at. What changed since the last look is waited for once more: an editor may still write.
const LOOK: Duration = Duration::from_millis(500);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A file that is changed here, as it stands.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Its number.
    pub id: u64,
    /// Its path on the server.
    pub path: String,
    /// Where it stands.
    pub state: EditState,
}

/// Where a file that is changed here stands.
#[derive(Debug, Clone)]
pub enum EditState {
    /// As it is on the server.
    Same,
    /// It goes back.
    Saving,
    /// It went back, so often by now.
    Saved(u32),
    /// It changed on both sides; a person decides.
    Conflict,
    /// It could not go back.
    Failed(Failure),
}

/// One at work.
pub(super) struct Editing {
    id: u64,
    there: String,
    /// Goes with it.
    dir: Mutex<Option<TempDir>>,
    here: PathBuf,
    /// Where what cannot be saved goes.
    rescue: PathBuf,
    now: Mutex<Now>,
    over: CancellationToken,
    /// It is to be saved whatever is there.
    wanted: tokio::sync::Notify,
}

struct Now {
    state: EditState,
    saves: u32,
    /// What the server has.
    was: Entry,
    /// What the copy was like when it was the same.
    saved: Print,
    /// What it was like when it was tried to save last.
    tried: Print,
}

/// By what a change of a copy is noticed.
type Print = Option<(u64, SystemTime)>;

impl Editing {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> Edit {
        Edit {
            id: self.id,
            path: self.there.clone(),
            state: self.now().state.clone(),
        }
    }

    async fn print(&self) -> Print {
        let found = tokio::fs::metadata(&self.here).await.ok()?;
        Some((found.len(), found.modified().ok()?))
    }

    /// Removes the copy, once; one with changes that the server has not got is put where people find it.
    fn clear(&self) {
        let Some(dir) = self.dir.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let found = std::fs::metadata(&self.here).ok();
        let print = found.and_then(|found| Some((found.len(), found.modified().ok()?)));
        if print.is_none() || print == self.now().saved {
            return;
        }
        let name = self.here.file_name().and_then(|name| name.to_str());
        let place = name.and_then(|name| files::free(&self.rescue, name, &[]));
        // Copied: they may lie on two disks.
        let kept = place.map(|place| std::fs::copy(&self.here, place));
        if !matches!(kept, Some(Ok(_))) {
            tracing::warn!(kept = %dir.keep().display(), "changes that are on no server stay there");
        }
    }
}

impl Wangcheng {
    /// Fetches a file of a session's server to be changed here; where its copy lies. What becomes of it is told by
    /// [`Change::SessionEdits`]. `rescue`: the folder for what cannot be saved in the end.
    ///
    /// # Errors
    /// `SessionUnknown`, `SessionNotOpen`, `CopiesTooMany`; those of the connection; those of files.
    pub async fn edit_file(&self, session: &str, path: &str, rescue: &Path) -> Result<PathBuf> {
        let files = self.session_files(session).await?;
        let open = self.open_one(session)?;
        // A link stays one: what it leads to is changed.
        let there = files.real(files::sound(path)?).await;
        let there = there.map_err(|error| failure(&error))?;
        if let Some(known) = open.edits.of(&there) {
            return Ok(known.here.clone());
        }
        if open.edits.count() >= EDITS_MOST {
            return Err(Failure::new(Code::CopiesTooMany).with("most", EDITS_MOST));
        }
        let local = |error: &dyn std::fmt::Display| {
            let failed = Failure::new(Code::FileFailed).with("path", &there);
            failed.saying(error)
        };
        let mut private = tempfile::Builder::new();
        private.prefix("wangcheng-edit-");
        // Elsewhere the directory for such things is the user's own already.
        #[cfg(unix)]
        private.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let dir = private.tempdir().map_err(|error| local(&error))?;
        let name = there.rsplit('/').next().unwrap_or_default();
        let here = inside(dir.path(), name).ok_or_else(|| file_failure(&there, &FileTrouble::UnsafeName))?;
        let was = files.fetch(&there, &here, SIZE_MOST).await;
        let was = was.map_err(|error| failure(&error))?;
        let editing = Arc::new(Editing {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            there,
            dir: Mutex::new(Some(dir)),
            here: here.clone(),
            rescue: rescue.to_owned(),
            now: Mutex::new(Now {
                state: EditState::Same,
                saves: 0,
                was,
                saved: None,
                tried: None,
            }),
            over: CancellationToken::new(),
            wanted: tokio::sync::Notify::new(),
        });
        let print = editing.print().await;
        editing.now().saved = print;
        open.edits.add(editing.clone());
        self.tell_edits(&open);
        let this = self.clone();
        self.spawn(async move { this.follow_edit(open, editing).await });
        Ok(here)
    }

    /// Where the copy of a file that is changed here lies.
    ///
    /// # Errors
    /// `SessionUnknown`, `FileMissing`.
    pub fn edit_place(&self, session: &str, edit: u64) -> Result<PathBuf> {
        let editing = self.open_one(session)?.edits.get(edit);
        Ok(editing.ok_or(Code::FileMissing)?.here.clone())
    }

    /// Saves a file whatever is on the server. One that is gone is passed over.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn save_edit(&self, session: &str, edit: u64) -> Result<()> {
        if let Some(editing) = self.open_one(session)?.edits.get(edit) {
            editing.wanted.notify_one();
        }
        Ok(())
    }

    /// Ends changing a file here; its copy goes.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn end_edit(&self, session: &str, edit: u64) -> Result<()> {
        if let Some(editing) = self.open_one(session)?.edits.get(edit) {
            editing.over.cancel();
        }
        Ok(())
    }

    /// The files of a session that are changed here.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn edits(&self, session: &str) -> Result<Vec<Edit>> {
        Ok(self.open_one(session)?.edits.told())
    }

    /// Removes every copy of a session that is over.
    pub(super) async fn clear_edits(&self, open: &Open) {
        for editing in open.edits.all() {
            editing.over.cancel();
            // Files are removed, or kept.
            let _ = tokio::task::spawn_blocking(move || editing.clear()).await;
        }
    }

    fn tell_edits(&self, open: &Open) {
        self.publish(Change::SessionEdits(open.id.clone(), open.edits.told()));
    }

    /// Looks at a copy, and saves what changed, until it is over or its session is.
    async fn follow_edit(&self, open: Arc<Open>, editing: Arc<Editing>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = editing.now().saved;
        loop {
            let anyway = tokio::select! {
                () = editing.over.cancelled() => break,
                () = editing.wanted.notified() => true,
                _ = looks.tick() => false,
            };
            if self.open_one(&open.id).is_err() || files::entered(&open).is_err() {
                break;
            }
            let print = editing.print().await;
            let settled = std::mem::replace(&mut before, print) == print;
            let changed = {
                let mut now = editing.now();
                let changed = print.is_some() && print != now.saved && print != now.tried;
                if anyway || (changed && settled) {
                    now.tried = print;
                }
                changed
            };
            if anyway || (changed && settled) {
                self.put_back(&open, &editing, print, anyway).await;
            }
        }
        open.edits.remove(editing.id);
        // Files are removed, or kept.
        let clearing = editing.clone();
        let _ = tokio::task::spawn_blocking(move || clearing.clear()).await;
        if self.open_one(&open.id).is_ok() {
            self.tell_edits(&open);
        }
    }

    async fn put_back(&self, open: &Open, editing: &Editing, print: Print, anyway: bool) {
        editing.now().state = EditState::Saving;
        self.tell_edits(open);
        let was = editing.now().was.clone();
        let saving = async {
            let files = open.shelf.files(&open.login).await?;
            let there = editing.there.as_str();
            let still = files.is_still(there, &was).await;
            if !anyway && !still.map_err(|error| failure(&error))? {
                return Ok(None);
            }
            let put = files.put_back(&editing.here, there, &was).await;
            put.map(Some).map_err(|error| failure(&error))
        };
        let saved = saving.await;
        {
            let mut now = editing.now();
            now.state = match saved {
                Ok(Some(is)) => {
                    now.was = is;
                    now.saved = print;
                    now.saves += 1;
                    EditState::Saved(now.saves)
                }
                Ok(None) => EditState::Conflict,
                Err(failure) => EditState::Failed(failure),
            };
        }
        self.tell_edits(open);
    }
}

/// The files of a session that are changed here.
#[derive(Default)]
pub(super) struct Edits {
    all: Mutex<Vec<Arc<Editing>>>,
}

impl Edits {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Editing>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, editing: Arc<Editing>) {
        self.lock().push(editing);
    }

    fn remove(&self, id: u64) {
        self.lock().retain(|editing| editing.id != id);
    }

    fn count(&self) -> usize {
        self.lock().len()
    }

    fn get(&self, id: u64) -> Option<Arc<Editing>> {
        self.lock().iter().find(|editing| editing.id == id).cloned()
    }

    fn of(&self, there: &str) -> Option<Arc<Editing>> {
        self.lock().iter().find(|editing| editing.there == there).cloned()
    }

    fn all(&self) -> Vec<Arc<Editing>> {
        self.lock().clone()
    }

    fn told(&self) -> Vec<Edit> {
        self.lock().iter().map(|editing| editing.told()).collect()
    }
}
