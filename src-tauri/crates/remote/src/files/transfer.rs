//! One file, one way. It is written beside its place under a name that says which state of the original it is a copy of,
//! and takes its place when it is whole. So a copy that was cut off is taken up where it stopped, never from a file that
//! changed meanwhile, and nobody sees half a file.
//!
//! OpenSSH takes 2 MiB ahead on a channel, whatever we do, which over a long way is slow. So a large file goes up on
//! several channels, piece by piece in turn. What may be missing in an unfinished copy then lies in its last stretch,
//! no longer than what is under way at once, and that stretch is sent again.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::BytesMut;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error as Sftp;
use russh_sftp::protocol::{FileAttributes, OpenFlags};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::name::{join, last, parent};
use super::{Files, Kind, UNDER_WAY, WRITE_MOST, remote, trouble};
use crate::error::{Error, FileTrouble, Result, short};

/// Copied with one step.
const PIECE: usize = 512 * 1024;
/// Copied again where a copy is taken up: the last bytes before a cut may not have reached the disk.
const AGAIN: u64 = 1024 * 1024;
/// The same for a file that goes up: more than is under way at once.
const AGAIN_UP: u64 = 24 * 1024 * 1024;
/// Files up to this size go up on one channel.
const SMALL: u64 = 2 * 1024 * 1024;
/// Written with one request where the server does not say that it takes more.
const WRITE_LEAST: usize = 32 * 1024;
/// How long one step may take.
const STEP_WAIT: Duration = Duration::from_secs(60);

/// How far a copy is.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Bytes of files that are whole, and of the one under way.
    pub bytes: AtomicU64,
    /// The bytes that went over the network.
    pub moved: AtomicU64,
}

/// The state of a file: what its unfinished copy is named after.
fn version(name: &str, size: u64, modified: u32) -> String {
    let kept: String = name.chars().take(60).collect();
    format!(".{kept}.{size:x}-{modified:x}.part")
}

/// Copies a file from there to here. `before` bytes of the whole copy are done.
pub(super) async fn down(
    files: &Files,
    there: &str,
    here: &Path,
    replace: bool,
    done: &Done,
    stop: &CancellationToken,
) -> Result<()> {
    let before = done.bytes.load(Ordering::Relaxed);
    // At once: over a long way each question costs.
    let (original, opened) = tokio::join!(files.look(there), files.told(there, files.sftp.open(there)));
    let original = original?;
    if original.kind != Kind::File {
        return Err(remote(there, FileTrouble::NotAFile));
    }
    free(here, replace).await?;
    let name = here.file_name().unwrap_or_default().to_string_lossy();
    let modified = original.modified.unwrap_or(0);
    let part = here.with_file_name(version(&name, original.size, modified));
    let local = |error: std::io::Error| Error::local(&part, &error);
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    options.mode(0o600);
    let mut to = options.open(&part).await.map_err(local)?;
    let start = take_up(to.metadata().await.map_err(local)?.len(), original.size, AGAIN);
    to.set_len(start).await.map_err(local)?;
    to.seek(SeekFrom::Start(start)).await.map_err(local)?;
    let mut from = opened?;
    from.seek(SeekFrom::Start(start))
        .await
        .map_err(|error| sftp(files, there, error))?;
    done.bytes.store(before + start, Ordering::Relaxed);
    let here_error = |error| local(error);
    let copied = copy(
        &mut from,
        &mut to,
        done,
        stop,
        |error| sftp(files, there, error),
        here_error,
    )
    .await?;
    // A server that keeps the handle open keeps it for this session only.
    let (now, _) = tokio::join!(files.look(there), timeout(STEP_WAIT, from.close()));
    let now = now?;
    if start + copied != original.size || now.size != original.size || now.modified != original.modified {
        let _ = tokio::fs::remove_file(&part).await;
        return Err(remote(there, FileTrouble::Changed));
    }
    if let Some(at) = original.modified {
        let at = UNIX_EPOCH + Duration::from_secs(u64::from(at));
        // A disk without times still has the file.
        let _ = to.into_std().await.set_modified(at);
    }
    #[cfg(unix)]
    if let Some(mode) = original.mode {
        // Readable as it was there, never with somebody else's rights.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode & 0o755 | 0o600);
        tokio::fs::set_permissions(&part, mode).await.map_err(local)?;
    }
    free(here, replace).await?;
    tokio::fs::rename(&part, here)
        .await
        .map_err(|error| Error::local(here, &error))
}

/// Copies a file from here to there.
pub(super) async fn up(
    files: &Files,
    here: &Path,
    there: &str,
    replace: bool,
    done: &Done,
    stop: &CancellationToken,
) -> Result<()> {
    let before = done.bytes.load(Ordering::Relaxed);
    let local = |error: std::io::Error| Error::local(here, &error);
    let mut from = File::open(here).await.map_err(local)?;
    let original = from.metadata().await.map_err(local)?;
    if !original.is_file() {
        return Err(Error::local_name(here, FileTrouble::NotAFile));
    }
    taken(files, there, replace).await?;
    let (size, modified) = (original.len(), seconds(&original));
    let part = join(parent(there), &version(last(there), size, modified));
    let mut start = 0;
    if let Ok(entry) = files.look_at_link(&part).await {
        match entry.kind == Kind::File && entry.size <= size {
            true => start = take_up(entry.size, size, AGAIN_UP),
            false => files.told(&part, files.sftp.remove_file(part.as_str())).await?,
        }
    }
    from.seek(SeekFrom::Start(start)).await.map_err(local)?;
    done.bytes.store(before + start, Ordering::Relaxed);
    let lanes = match size - start <= SMALL {
        true => vec![&files.raw],
        false => files.lanes().await,
    };
    let unfinished = part.as_str();
    let opening = lanes.into_iter().map(|lane| async move {
        let flags = OpenFlags::CREATE | OpenFlags::WRITE;
        let opened = lane.open(unfinished, flags, FileAttributes::empty()).await;
        Ok::<_, Error>((
            lane,
            opened
                .map_err(|error| trouble(there, &files.connection, error))?
                .handle,
        ))
    });
    let lanes = futures::future::try_join_all(opening).await?;
    let sent = send(&mut from, start, &lanes, files, there, done, stop, local).await;
    let closing = lanes.iter().map(|(lane, handle)| lane.close(handle.as_str()));
    let closed = timeout(STEP_WAIT, futures::future::try_join_all(closing)).await;
    let copied = sent?;
    closed
        .map_err(|_| Error::timed_out("the end of a file"))?
        .map_err(|error| trouble(there, &files.connection, error))?;
    let now = tokio::fs::metadata(here).await.map_err(local)?;
    let arrived = files.look(&part).await?.size;
    if start + copied != size || arrived != size || now.len() != size || seconds(&now) != modified {
        let _ = files.sftp.remove_file(part.as_str()).await;
        return Err(Error::local_name(here, FileTrouble::Changed));
    }
    #[cfg(unix)]
    let mode = Some(std::os::unix::fs::PermissionsExt::mode(&original.permissions()) & 0o755 | 0o600);
    #[cfg(not(unix))]
    let mode = None;
    files.set_mode_and_time(&part, mode, modified).await?;
    files.rename(&part, there, replace).await
}

type Lane<'a> = (&'a RawSftpSession, String);

/// Sends the rest of a file from an offset on, on all lanes in turn, and waits until all of it is confirmed. Says how many
/// bytes.
#[allow(
    clippy::too_many_arguments,
    reason = "one caller, and nothing of it belongs together"
)]
async fn send(
    from: &mut File,
    start: u64,
    lanes: &[Lane<'_>],
    files: &Files,
    there: &str,
    done: &Done,
    stop: &CancellationToken,
    reading: impl Fn(std::io::Error) -> Error,
) -> Result<u64> {
    let most = lanes.len() * UNDER_WAY;
    let piece = match files.roomy {
        true => usize::try_from(WRITE_MOST).unwrap_or(WRITE_LEAST),
        false => WRITE_LEAST,
    };
    let mut under_way = FuturesOrdered::new();
    let mut turns = lanes.iter().cycle();
    let mut offset = start;
    let mut ahead = BytesMut::new();
    let mut ended = false;
    loop {
        while under_way.len() < most && !(ended && ahead.is_empty()) {
            if ahead.len() < piece && !ended {
                let mut buffer = vec![0; PIECE];
                let read = from.read(&mut buffer).await.map_err(&reading)?;
                ended = read == 0;
                ahead.extend_from_slice(buffer.get(..read).unwrap_or_default());
                continue;
            }
            let Some((lane, handle)) = turns.next() else { break };
            let bytes = ahead.split_to(piece.min(ahead.len())).to_vec();
            let (at, length) = (offset, u64::try_from(bytes.len()).unwrap_or(0));
            offset += length;
            under_way.push_back(async move { lane.write(handle.as_str(), at, bytes).await.map(|_| length) });
        }
        let confirmed = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Error::Cancelled),
            confirmed = timeout(STEP_WAIT, under_way.next()) => confirmed,
        };
        match confirmed.map_err(|_| Error::timed_out("a part of a file"))? {
            None => return Ok(offset - start),
            Some(length) => {
                let length = length.map_err(|error| trouble(there, &files.connection, error))?;
                done.bytes.fetch_add(length, Ordering::Relaxed);
                done.moved.fetch_add(length, Ordering::Relaxed);
            }
        }
    }
}

/// Removes what an unfinished copy left.
pub(super) async fn discard_here(files: Option<&Files>, there: &str, here: &Path) {
    let Some(files) = files else { return };
    if let Ok(original) = files.look(there).await {
        let name = here.file_name().unwrap_or_default().to_string_lossy();
        let part = version(&name, original.size, original.modified.unwrap_or(0));
        let _ = tokio::fs::remove_file(here.with_file_name(part)).await;
    }
}

/// The same on the other side.
pub(super) async fn discard_there(files: Option<&Files>, here: &Path, there: &str) {
    let Some(files) = files else { return };
    if let Ok(original) = tokio::fs::metadata(here).await {
        let part = version(last(there), original.len(), seconds(&original));
        let _ = files.sftp.remove_file(join(parent(there), &part)).await;
    }
}

async fn free(here: &Path, replace: bool) -> Result<()> {
    match tokio::fs::symlink_metadata(here).await {
        Ok(found) if found.is_dir() => Err(Error::local_name(here, FileTrouble::Exists)),
        Ok(_) if !replace => Err(Error::local_name(here, FileTrouble::Exists)),
        _ => Ok(()),
    }
}

async fn taken(files: &Files, there: &str, replace: bool) -> Result<()> {
    match files.look_at_link(there).await {
        Ok(entry) if entry.kind == Kind::Folder || !replace => Err(remote(there, FileTrouble::Exists)),
        Ok(_)
        | Err(Error::RemoteFile {
            why: FileTrouble::Missing,
            ..
        }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where a copy of which so much is there goes on.
fn take_up(there: u64, size: u64, again: u64) -> u64 {
    match there <= size {
        true => there.saturating_sub(again),
        false => 0,
    }
}

fn seconds(found: &std::fs::Metadata) -> u32 {
    let since = found
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since
        .and_then(|since| u32::try_from(since.as_secs()).ok())
        .unwrap_or(0)
}

fn sftp(files: &Files, path: &str, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::TimedOut => trouble(path, &files.connection, Sftp::Timeout),
        // The library tells a status of the server and the end of its session alike.
        _ if files.is_closed() => Error::lost("while a file was copied"),
        _ => match error.get_ref().and_then(|inner| inner.downcast_ref::<Sftp>()) {
            Some(inner) => trouble(path, &files.connection, inner.clone()),
            None => remote(path, FileTrouble::Other(short(error))),
        },
    }
}

/// Copies to the end, or until it is stopped. Says how many bytes.
async fn copy<R, W>(
    from: &mut R,
    to: &mut W,
    done: &Done,
    stop: &CancellationToken,
    reading: impl Fn(std::io::Error) -> Error,
    writing: impl Fn(std::io::Error) -> Error,
) -> Result<u64>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut piece = vec![0; PIECE];
    let mut copied = 0;
    loop {
        let step = async {
            let read = from.read(&mut piece).await.map_err(&reading)?;
            to.write_all(piece.get(..read).unwrap_or_default())
                .await
                .map_err(&writing)?;
            Ok::<_, Error>(read)
        };
        let read = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Error::Cancelled),
            step = timeout(STEP_WAIT, step) => step.map_err(|_| Error::timed_out("a part of a file"))??,
        };
        if read == 0 {
            let flushed = timeout(STEP_WAIT, to.flush()).await;
            flushed
                .map_err(|_| Error::timed_out("a part of a file"))?
                .map_err(&writing)?;
            return Ok(copied);
        }
        let read = u64::try_from(read).unwrap_or_default();
        copied += read;
        done.bytes.fetch_add(read, Ordering::Relaxed);
        done.moved.fetch_add(read, Ordering::Relaxed);
    }
}

/// A path that a step of a copy is about, for people.
pub(super) fn shown(path: &Path) -> String {
    PathBuf::from(path).display().to_string()
}
