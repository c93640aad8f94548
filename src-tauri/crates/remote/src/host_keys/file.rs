//! A file of known keys on the disk: read whole and within a limit, changed as a whole and never in place, so that a
//! crash or another program at the same time leaves either the old file or the new one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::error::{Error, Result, text};

/// The largest file that is read, in bytes.
const FILE_MOST: u64 = 16 * 1024 * 1024;
/// How long another program may hold the file.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How long the disk may take over all.
const DISK_WAIT: Duration = Duration::from_secs(10);

/// The file's content; nothing where there is none.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    file.take(FILE_MOST + 1).read_to_end(&mut content)?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > FILE_MOST {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    // Keys and names are ASCII; a comment in another encoding does no harm.
    Ok(String::from_utf8_lossy(&content).into_owned())
}

/// Writes what `make` makes of the content, under a lock that other programs of ours keep to.
pub(super) fn change(path: &Path, make: impl FnOnce(&str) -> String) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::create_dir_all(folder)?;
    }
    let lock = private(&path.with_extension("lock"), false)?;
    let until = Instant::now() + LOCK_WAIT;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                return Err(io::Error::other("another program holds it"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    let content = make(&read(path)?);
    let beside = path.with_extension("new");
    let mut file = private(&beside, true)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)?;
    #[cfg(unix)]
    if let Some(folder) = folder {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A file for its owner alone.
fn private(path: &Path, empty: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(empty);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Waits for work on the disk, but not for ever.
pub(super) async fn in_time<T>(path: &Path, work: JoinHandle<Result<T>>) -> Result<T> {
    let unreadable = |why: &str| Error::HostKeysUnreadable {
        file: text(path),
        why: why.to_owned(),
    };
    match tokio::time::timeout(DISK_WAIT, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(unreadable("reading it failed")),
        Err(_) => Err(unreadable("the disk does not answer")),
    }
}
