//! Who may do what with a ledger that several programs share. Each lock is a file that the system frees when its
//! holder ends, however it ends.
//!
//! | file | held | by |
//! |---|---|---|
//! | `ledger.opening.lock` | for the moment of opening | one program |
//! | `ledger.lock` | shared, as long as the ledger is open; alone, while a file is brought forward or set aside | every program |
//! | `ledger.leader.lock` | as long as it leads | the one program that delivers |
//! | `claims/<id>.lock` | while an operation is carried out | the one program that carries it out |

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::{Error, Ledger};

/// How long to wait for another program that opens the same ledger: its check reads the whole file.
const OPENING: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// The right to deliver, for one program at a time. Given up when dropped.
#[derive(Debug)]
pub struct Lead {
    _file: File,
}

/// The right to carry out one operation. Given up when dropped.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    _file: File,
}

impl Claim {
    /// Gives it up for good, because the operation is settled: nobody will ask for it again.
    pub fn done(self) {
        // Before the lock goes: whoever waits for this very file finds the operation settled.
        let _ = fs::remove_file(&self.path);
    }
}

impl Ledger {
    /// Becomes the program that delivers, unless another one (or another [`Lead`] of this one) is.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::ReadOnly`].
    pub fn lead(&self) -> Result<Option<Lead>, Error> {
        let file = open(&self.dir.join("ledger.leader.lock"))?;
        Ok(alone(&file)?.then_some(Lead { _file: file }))
    }

    /// Takes the right to carry out an operation, unless another runner has it. Read the operation after this: it may
    /// have been settled in between.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for an id that cannot be one; [`Error::Io`], [`Error::ReadOnly`], [`Error::Full`].
    pub fn claim(&self, operation: &str) -> Result<Option<Claim>, Error> {
        let sound = !operation.is_empty()
            && operation.len() <= 64
            && operation.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !sound {
            return Err(Error::Missing {
                what: "operation",
                id: operation.to_owned(),
            });
        }
        let dir = self.dir.join("claims");
        fs::create_dir_all(&dir)?;
        let path = dir.join(format!("{operation}.lock"));
        let file = open(&path)?;
        Ok(alone(&file)?.then_some(Claim { path, _file: file }))
    }
}

pub(crate) fn open(path: &Path) -> Result<File, Error> {
    Ok(File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)?)
}

/// Tries to hold a lock alone.
pub(crate) fn alone(file: &File) -> Result<bool, Error> {
    taken(file.try_lock())
}

fn taken(result: Result<(), TryLockError>) -> Result<bool, Error> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Waits for the turn to open.
pub(crate) fn turn(dir: &Path) -> Result<File, Error> {
    let file = open(&dir.join("ledger.opening.lock"))?;
    wait(dir, || alone(&file))?;
    Ok(file)
}

/// Holds a lock together with others.
pub(crate) fn share(dir: &Path, file: &File) -> Result<(), Error> {
    // A version before this one holds it alone for as long as it runs: no use in waiting long.
    match taken(file.try_lock_shared())? {
        true => Ok(()),
        false => Err(Error::InUse { dir: dir.to_owned() }),
    }
}

fn wait(dir: &Path, mut attempt: impl FnMut() -> Result<bool, Error>) -> Result<(), Error> {
    let deadline = Instant::now() + OPENING;
    loop {
        if attempt()? {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::InUse { dir: dir.to_owned() });
        }
        std::thread::sleep(POLL);
    }
}
