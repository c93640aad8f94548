//! The files of a session's server, beside its terminal: looked at on a connection of their own, and copied on another, so
//! that neither holds up what is typed. Both are made when they are first asked for, with the session's own way to log in.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use remote::Login;
use tokio_util::sync::CancellationToken;

pub use remote::{
    Copy, Direction, Entry, FileTrouble, Files, Job, JobId, JobState, Kind as FileKind, Queue, inside, join,
};

use super::failure::{failure, file_failure};
use super::{Open, State};
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};

/// Most entries of a folder that are shown.
const ENTRIES_MOST: usize = 10_000;
/// Longest path, in bytes.
const PATH_MOST: usize = 4096;
/// Most copies that a session keeps, those that are over included.
const COPIES_MOST: usize = 500;
/// Most things that one act is about.
const THINGS_MOST: usize = 1000;
/// Most names that are tried for a copy whose own is taken here.
const NAMES_MOST: u32 = 1000;

/// A folder of a server.
#[derive(Debug, Clone)]
pub struct RemoteFolder {
    /// Its whole path.
    pub path: String,
    /// What is in it, folders first, each in the order of their names.
    pub entries: Vec<Entry>,
    /// There are more than are shown.
    pub cut: bool,
}

/// What is done with a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steer {
    /// Stops where it is.
    Pause,
    /// Goes on, or is tried again.
    Resume,
    /// Ends; whole files stay.
    Cancel,
    /// Is done from the beginning, and replaces what is there.
    Replace,
}

/// What a session has of files.
#[derive(Default)]
pub(super) struct Shelf {
    files: tokio::sync::Mutex<Option<Arc<Files>>>,
    queue: OnceLock<Queue>,
    /// Ends a removal that is under way.
    removing: Mutex<CancellationToken>,
}

impl Shelf {
    /// A connection that is logged in: the one there is, or another.
    pub(super) async fn files(&self, login: &Login) -> Result<Arc<Files>> {
        let mut kept = self.files.lock().await;
        if let Some(files) = kept.as_ref().filter(|files| !files.is_closed()) {
            return Ok(files.clone());
        }
        let (login, _) = once(login);
        let files = Arc::new(Files::open(&login).await.map_err(|error| failure(&error))?);
        *kept = Some(files.clone());
        Ok(files)
    }

    fn stop_removing(&self) -> CancellationToken {
        let mine = CancellationToken::new();
        let mut removing = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *removing, mine.clone()).cancel();
        mine
    }
}

/// The same login for a connection of its own, to a server that is known to be up.
pub(super) fn once(login: &Login) -> (Login, tokio::sync::watch::Receiver<State>) {
    let (mut login, state) = login.beside();
    login.patience = remote::Patience::NONE;
    (login, state)
}

impl Wangcheng {
    /// What is in a folder; without one, in the user's home.
    ///
    /// # Errors
    /// `SessionUnknown`, `SessionNotOpen`; those of the connection; those of files.
    pub async fn list_files(&self, session: &str, folder: Option<&str>) -> Result<RemoteFolder> {
        let files = self.session_files(session).await?;
        let path = match folder {
            Some(folder) => files.real(sound(folder)?).await,
            None => files.home().await,
        };
        let path = path.map_err(|error| failure(&error))?;
        let mut entries = files.list(&path).await.map_err(|error| failure(&error))?;
        entries.sort_by_cached_key(|entry| (entry.kind != FileKind::Folder, entry.name.to_lowercase()));
        let cut = entries.len() > ENTRIES_MOST;
        entries.truncate(ENTRIES_MOST);
        Ok(RemoteFolder { path, entries, cut })
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// As [`Wangcheng::list_files`].
    pub async fn make_folder(&self, session: &str, path: &str) -> Result<()> {
        let files = self.session_files(session).await?;
        let made = files.make_folder(sound(path)?).await;
        made.map_err(|error| failure(&error))
    }

    /// Gives something another name. What has that name already stays.
    ///
    /// # Errors
    /// As [`Wangcheng::list_files`].
    pub async fn rename_file(&self, session: &str, from: &str, to: &str) -> Result<()> {
        let files = self.session_files(session).await?;
        let renamed = files.rename(sound(from)?, sound(to)?, false).await;
        renamed.map_err(|error| failure(&error))
    }

    /// Sets the permissions of things: the lower 12 bits.
    ///
    /// # Errors
    /// As [`Wangcheng::list_files`]; those before the one that failed are set.
    pub async fn set_file_modes(&self, session: &str, paths: &[String], mode: u32) -> Result<()> {
        let files = self.session_files(session).await?;
        for path in few(paths)? {
            let set = files.set_mode(sound(path)?, mode).await;
            set.map_err(|error| failure(&error))?;
        }
        Ok(())
    }

    /// Removes files, and folders with everything in them. Says how many things it removed
    /// before it was done or stopped, as far as that is known.
    ///
    /// # Errors
    /// As [`Wangcheng::list_files`]; what was removed before the one that failed is gone.
    pub async fn remove_files(&self, session: &str, paths: &[String]) -> Result<u64> {
        let files = self.session_files(session).await?;
        let stop = self.open_one(session)?.shelf.stop_removing();
        let mut removed = 0;
        for path in few(paths)? {
            match files.remove(sound(path)?, &stop).await {
                Ok(gone) => removed += gone,
                Err(remote::Error::Cancelled) => return Ok(removed),
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok(removed)
    }

    /// Stops a removal that is under way.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn stop_removing(&self, session: &str) -> Result<()> {
        self.open_one(session)?.shelf.stop_removing();
        Ok(())
    }

    /// Adds copies of files and folders of this computer into a folder of the server. What becomes of them is told by
    /// [`Change::SessionCopies`].
    ///
    /// # Errors
    /// `SessionUnknown`, `SessionNotOpen`, `CopiesTooMany`, `FileNameUnsafe`.
    pub fn copy_up(&self, session: &str, here: Vec<PathBuf>, folder: &str) -> Result<()> {
        sound(folder)?;
        let copies = few(&here)?.iter().map(|here| {
            let name = here.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| file_failure(&here.display(), &FileTrouble::UnsafeName))?;
            Ok(remote::Copy {
                direction: Direction::Up,
                here: here.clone(),
                there: remote::join(folder, name),
                replace: false,
            })
        });
        self.add_copies(session, copies.collect::<Result<_>>()?)
    }

    /// Adds copies of files and folders of the server into a folder of this computer, each under a name that is free there.
    ///
    /// # Errors
    /// As [`Wangcheng::copy_up`].
    pub fn copy_down(&self, session: &str, there: &[String], folder: &Path) -> Result<()> {
        let mut taken = Vec::new();
        for there in few(there)? {
            let name = sound(there)?.rsplit('/').next().unwrap_or_default();
            let here =
                free(folder, name, &taken).ok_or_else(|| file_failure(there, &FileTrouble::UnsafeName))?;
            taken.push((there.clone(), here));
        }
        let copies = taken.into_iter().map(|(there, here)| remote::Copy {
            direction: Direction::Down,
            here,
            there,
            replace: false,
        });
        self.add_copies(session, copies.collect())
    }

    fn add_copies(&self, session: &str, copies: Vec<remote::Copy>) -> Result<()> {
        let open = self.open_one(session)?;
        entered(&open)?;
        let queue = open.shelf.queue.get_or_init(|| {
            let queue = Queue::start(once(&open.login).0);
            let (this, id, mut jobs) = (self.clone(), open.id.clone(), queue.watch());
            self.spawn(async move {
                while jobs.changed().await.is_ok() {
                    let jobs = jobs.borrow_and_update().clone();
                    this.publish(Change::SessionCopies(id.clone(), jobs));
                }
            });
            queue
        });
        if queue.watch().borrow().len() + copies.len() > COPIES_MOST {
            return Err(Failure::new(Code::CopiesTooMany).with("most", COPIES_MOST));
        }
        for copy in copies {
            queue.add(copy).map_err(|error| failure(&error))?;
        }
        Ok(())
    }

    /// The copies of a session as they stand.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn copies(&self, session: &str) -> Result<Arc<Vec<Job>>> {
        let open = self.open_one(session)?;
        let queue = open.shelf.queue.get();
        Ok(queue
            .map(|queue| queue.watch().borrow().clone())
            .unwrap_or_default())
    }

    /// Pauses a copy and so on. One that is gone is passed over.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn steer_copy(&self, session: &str, copy: JobId, how: Steer) -> Result<()> {
        if let Some(queue) = self.open_one(session)?.shelf.queue.get() {
            match how {
                Steer::Pause => queue.pause(copy),
                Steer::Resume => queue.resume(copy),
                Steer::Cancel => queue.cancel(copy),
                Steer::Replace => queue.replace(copy),
            }
        }
        Ok(())
    }

    /// Forgets the copies that are over.
    ///
    /// # Errors
    /// `SessionUnknown`.
    pub fn clear_copies(&self, session: &str) -> Result<()> {
        if let Some(queue) = self.open_one(session)?.shelf.queue.get() {
            queue.clear();
        }
        Ok(())
    }

    pub(super) async fn session_files(&self, session: &str) -> Result<Arc<Files>> {
        let open = self.open_one(session)?;
        entered(&open)?;
        open.shelf.files(&open.login).await
    }
}

/// Somebody was let in, and the session is not over: only then is another connection made for it.
pub(super) fn entered(open: &Open) -> Result<()> {
    let now = open.now();
    match now.opened.is_some() && !now.closed {
        true => Ok(()),
        false => Err(Code::SessionNotOpen.into()),
    }
}

fn few<T>(things: &[T]) -> Result<&[T]> {
    match things.len() <= THINGS_MOST {
        true => Ok(things),
        false => Err(Failure::new(Code::CopiesTooMany).with("most", THINGS_MOST)),
    }
}

pub(super) fn sound(path: &str) -> Result<&str> {
    match path.is_empty() || path.len() > PATH_MOST || path.contains('\0') {
        true => Err(file_failure(&"", &FileTrouble::UnsafeName)),
        false => Ok(path),
    }
}

/// A place in a folder here that nothing has and no other copy will have: under its own name, or with a number.
pub(super) fn free(folder: &Path, name: &str, taken: &[(String, PathBuf)]) -> Option<PathBuf> {
    // Only a name that may be used is given a number: "..", with one, would be another name.
    inside(folder, name)?;
    let (stem, kind) = match name.rsplit_once('.') {
        Some((stem, kind)) if !stem.is_empty() => (stem, format!(".{kind}")),
        _ => (name, String::new()),
    };
    (1..=NAMES_MOST).find_map(|number| {
        let name = match number {
            1 => name.to_owned(),
            number => format!("{stem} ({number}){kind}"),
        };
        let path = inside(folder, &name)?;
        let is_free = path.symlink_metadata().is_err() && taken.iter().all(|(_, other)| *other != path);
        is_free.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_never_takes_the_place_of_another_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(free(dir.path(), "a.txt", &[]), Some(dir.path().join("a.txt")));
        std::fs::write(dir.path().join("a.txt"), "mine").unwrap();
        std::fs::write(dir.path().join(".bashrc"), "mine").unwrap();
        let taken = [("/x/a.txt".to_owned(), dir.path().join("a (2).txt"))];
        assert_eq!(
            free(dir.path(), "a.txt", &taken),
            Some(dir.path().join("a (3).txt"))
        );
        assert_eq!(
            free(dir.path(), ".bashrc", &[]),
            Some(dir.path().join(".bashrc (2)"))
        );
        for name in ["..", "", "a/b"] {
            assert_eq!(free(dir.path(), name, &[]), None, "{name:?} leads elsewhere");
        }
    }
}
