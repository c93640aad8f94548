//! The files of a server, over SFTP, on a connection of their own.
//!
//! Paths over there are text in UTF-8 with `/` between names. A name that is not UTF-8 is shown, marked as such, and
//! cannot be touched: the library under this does not keep its bytes.

mod edit;
mod name;
mod queue;
mod transfer;
mod tree;

use std::collections::VecDeque;
use std::time::Duration;

use russh_sftp::client::error::Error as Sftp;
use russh_sftp::client::rawsession::SftpResult;
use russh_sftp::client::{Config, RawSftpSession, SftpSession};
use russh_sftp::protocol::{FileAttributes, Packet, StatusCode};
use serde::Serialize;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use name::{inside, join};
pub use queue::{Copy, Direction, Job, JobId, JobState, Problem, Queue};

use crate::connection::{Connection, Login, Purpose, answer};
use crate::error::{Error, FileTrouble, Result, tame};

/// The most entries of one folder that are read.
const ENTRIES_MOST: usize = 200_000;
/// How deep a tree may be.
const DEPTH_MOST: usize = 64;
/// Pieces of a file that are asked for ahead; each up to 255 KiB, together less than a channel's window.
const READS: usize = 100;
/// Pieces that are written ahead on one channel.
const UNDER_WAY: usize = 64;
/// The largest message of SFTP, in bytes; OpenSSH's own limit.
const PACKET_MOST: u32 = 256 * 1024;
/// Bytes written with one request.
const WRITE_MOST: u32 = 64 * 1024;
/// Ways to write at once.
const LANES: usize = 4;
/// How long a request may take, in seconds.
const REQUEST_SECONDS: u64 = 30;
/// How long a folder may take to be listed.
const LIST_WAIT: Duration = Duration::from_secs(120);

/// The files of a server.
pub struct Files {
    sftp: SftpSession,
    /// Beside it for what the other one has no call for.
    raw: RawSftpSession,
    /// The server takes more in one message than the protocol promises.
    roomy: bool,
    /// More ways to write: see [`transfer`].
    lanes: OnceCell<Vec<RawSftpSession>>,
    connection: Connection,
}

/// What a thing over there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A link; what it leads to is not looked at.
    Link,
    /// A device, a pipe, a socket.
    Other,
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name; untrusted text.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// In bytes.
    pub size: u64,
    /// When it was changed, in seconds of Unix time.
    pub modified: Option<u32>,
    /// Permissions, the lower 12 bits.
    pub mode: Option<u32>,
    /// The number of its owner.
    pub owner: Option<u32>,
    /// The number of its group.
    pub group: Option<u32>,
    /// It can be opened, renamed and so on: its name is sound.
    pub usable: bool,
}

impl Files {
    /// Connects for files.
    pub async fn open(login: &Login) -> Result<Self> {
        let connection = login.connect(Purpose::Transfer).await?;
        Self::on(connection).await
    }

    pub(crate) async fn on(connection: Connection) -> Result<Self> {
        let (first, second) = tokio::try_join!(subsystem(&connection), subsystem(&connection))?;
        let raw = RawSftpSession::new_with_config(second, config());
        let opened = tokio::try_join!(SftpSession::new_with_config(first, config()), raw.init());
        let (sftp, version) = opened.map_err(|error| trouble("/", &connection, error))?;
        Ok(Self {
            sftp,
            raw,
            roomy: version.extensions.contains_key("limits@openssh.com"),
            lanes: OnceCell::new(),
            connection,
        })
    }

    /// The ways to write one large file: as many as the server allows, one at least.
    async fn lanes(&self) -> Vec<&RawSftpSession> {
        let open = || async {
            let opening = (1..LANES).map(|_| async {
                let lane = RawSftpSession::new_with_config(subsystem(&self.connection).await?, config());
                let begun = lane.init().await;
                begun.map_err(|error| trouble("/", &self.connection, error))?;
                Ok::<_, Error>(lane)
            });
            // A server may allow few sessions; then it is as fast as it can be.
            futures::future::join_all(opening)
                .await
                .into_iter()
                .flatten()
                .collect()
        };
        let more = self.lanes.get_or_init(open).await;
        std::iter::once(&self.raw).chain(more).collect()
    }

    /// Whether the connection is over.
    pub fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    /// The user's home.
    pub async fn home(&self) -> Result<String> {
        self.real(".").await
    }

    /// The whole path of something, without links.
    pub async fn real(&self, path: &str) -> Result<String> {
        self.told(path, self.sftp.canonicalize(path)).await
    }

    /// What is in a folder, without itself and the one above, in no order.
    pub async fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        let listing = self.told(folder, self.entries(folder));
        let waited = timeout(LIST_WAIT, listing).await;
        waited.unwrap_or_else(|_| Err(Error::timed_out("a folder's list")))
    }

    async fn entries(&self, folder: &str) -> SftpResult<Vec<Entry>> {
        let handle = self.raw.opendir(folder).await?.handle;
        let mut entries = Vec::new();
        let read = loop {
            match self.raw.readdir(handle.as_str()).await {
                Ok(more) => {
                    let named = more
                        .files
                        .into_iter()
                        .filter(|file| !matches!(file.filename.as_str(), "." | ".."));
                    entries.extend(named.map(|file| Entry::new(file.filename, &file.attrs)));
                    if entries.len() > ENTRIES_MOST {
                        break Err(Sftp::Limited("the folder has more entries than are read".into()));
                    }
                }
                Err(Sftp::Status(status)) if status.status_code == StatusCode::Eof => break Ok(entries),
                Err(error) => break Err(error),
            }
        };
        // A handle that is not given back is lost for the session only.
        let _ = self.raw.close(handle).await;
        read
    }

    /// What something is; a link is followed.
    pub async fn look(&self, path: &str) -> Result<Entry> {
        let attributes = self.told(path, self.sftp.metadata(path)).await?;
        Ok(Entry::new(name::last(path).to_owned(), &attributes))
    }

    /// What something is; a link is a link.
    pub async fn look_at_link(&self, path: &str) -> Result<Entry> {
        let attributes = self.told(path, self.sftp.symlink_metadata(path)).await?;
        Ok(Entry::new(name::last(path).to_owned(), &attributes))
    }

    /// Makes a folder.
    pub async fn make_folder(&self, path: &str) -> Result<()> {
        let made = self.told(path, self.sftp.create_dir(path)).await;
        match made {
            // The protocol has no word for "there already".
            Err(Error::RemoteFile { .. }) if self.look_at_link(path).await.is_ok() => {
                Err(remote(path, FileTrouble::Exists))
            }
            other => other,
        }
    }

    /// Gives something another name. What has that name already stays, unless it may be replaced.
    pub async fn rename(&self, from: &str, to: &str, replace: bool) -> Result<()> {
        if !replace {
            if self.look_at_link(to).await.is_ok() {
                return Err(remote(to, FileTrouble::Exists));
            }
            return self.told(from, self.sftp.rename(from, to)).await;
        }
        // In one step where the server can; the plain call refuses when the name is taken.
        let mut data = Vec::new();
        for path in [from, to] {
            let length = u32::try_from(path.len()).map_err(|_| remote(to, FileTrouble::UnsafeName))?;
            data.extend(length.to_be_bytes());
            data.extend(path.as_bytes());
        }
        let asked = self.raw.extended("posix-rename@openssh.com", data).await;
        match asked {
            Ok(Packet::Status(status)) if status.status_code == StatusCode::Ok => Ok(()),
            Ok(Packet::Status(status)) | Err(Sftp::Status(status))
                if status.status_code == StatusCode::OpUnsupported =>
            {
                if self.look_at_link(to).await.is_ok() {
                    self.told(to, self.sftp.remove_file(to)).await?;
                }
                self.told(from, self.sftp.rename(from, to)).await
            }
            Ok(Packet::Status(status)) => Err(trouble(from, &self.connection, Sftp::Status(status))),
            Ok(_) => Err(trouble(from, &self.connection, Sftp::UnexpectedPacket)),
            Err(error) => Err(trouble(from, &self.connection, error)),
        }
    }

    /// Sets permissions: the lower 12 bits.
    pub async fn set_mode(&self, path: &str, mode: u32) -> Result<()> {
        let attributes = FileAttributes {
            permissions: Some(mode & 0o7777),
            ..FileAttributes::default()
        };
        self.told(path, self.sftp.set_metadata(path, attributes)).await
    }

    /// Sets permissions, where they are known, and when something was changed, in seconds of Unix time.
    async fn set_mode_and_time(&self, path: &str, mode: Option<u32>, at: u32) -> Result<()> {
        let attributes = FileAttributes {
            permissions: mode,
            atime: Some(at),
            mtime: Some(at),
            ..FileAttributes::default()
        };
        self.told(path, self.sftp.set_metadata(path, attributes)).await
    }

    /// Removes a file or a link; of a folder everything in it. Links are removed, never followed. Says how many things
    /// it removed.
    pub async fn remove(&self, path: &str, stop: &CancellationToken) -> Result<u64> {
        if name::last(path).is_empty() || matches!(name::last(path), "." | "..") {
            return Err(remote(path, FileTrouble::UnsafeName));
        }
        let mut removed = 0;
        // Folders twice: once to look into, once, when they are empty, to remove.
        let mut left = VecDeque::from([(path.to_owned(), self.look_at_link(path).await?.kind, false, 0)]);
        while let Some((path, kind, emptied, depth)) = left.pop_front() {
            if stop.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if kind != Kind::Folder {
                self.told(&path, self.sftp.remove_file(path.as_str())).await?;
                removed += 1;
            } else if emptied {
                self.told(&path, self.sftp.remove_dir(path.as_str())).await?;
                removed += 1;
            } else if depth >= DEPTH_MOST {
                return Err(remote(&path, FileTrouble::TooLarge));
            } else {
                let entries = self.list(&path).await?;
                left.push_front((path.clone(), kind, true, depth));
                for entry in entries {
                    if !name::is_plain(&entry.name) || !entry.usable {
                        return Err(remote(&join(&path, &entry.name), FileTrouble::UnsafeName));
                    }
                    left.push_front((join(&path, &entry.name), entry.kind, false, depth + 1));
                }
            }
        }
        Ok(removed)
    }

    /// Waits for an answer and says in our words what is wrong.
    async fn told<T>(&self, path: &str, asked: impl Future<Output = SftpResult<T>>) -> Result<T> {
        asked
            .await
            .map_err(|error| trouble(path, &self.connection, error))
    }
}

impl Entry {
    fn new(name: String, attributes: &FileAttributes) -> Self {
        let kind = if attributes.is_dir() {
            Kind::Folder
        } else if attributes.is_symlink() {
            Kind::Link
        } else if attributes.is_regular() {
            Kind::File
        } else {
            Kind::Other
        };
        Self {
            usable: name::is_plain(&name) && !name.contains(char::REPLACEMENT_CHARACTER),
            name,
            kind,
            size: attributes.size.unwrap_or(0),
            modified: attributes.mtime,
            mode: attributes.permissions.map(|mode| mode & 0o7777),
            owner: attributes.uid,
            group: attributes.gid,
        }
    }
}

fn config() -> Config {
    Config {
        max_packet_len: PACKET_MOST,
        max_concurrent_reads: READS,
        max_concurrent_writes: UNDER_WAY,
        max_write_packet_len: WRITE_MOST,
        request_timeout_secs: REQUEST_SECONDS,
    }
}

async fn subsystem(connection: &Connection) -> Result<russh::ChannelStream<russh::client::Msg>> {
    let mut channel = connection.open_session().await?;
    let asking = async {
        channel.request_subsystem(true, "sftp").await?;
        crate::shell::granted(&mut channel, "SFTP").await
    };
    answer("SFTP", asking).await?;
    Ok(channel.into_stream())
}

fn remote(path: &str, why: FileTrouble) -> Error {
    Error::RemoteFile {
        path: tame(path, 4096),
        why,
    }
}

/// What the library says, in our words.
fn trouble(path: &str, connection: &Connection, error: Sftp) -> Error {
    let status = match error {
        Sftp::Status(status) => status,
        Sftp::Limited(why) => return remote(path, FileTrouble::Other(why)),
        _ if connection.is_closed() => return Error::lost("while files were copied"),
        Sftp::Timeout => return Error::timed_out("an answer about files"),
        Sftp::IO(why) | Sftp::UnexpectedBehavior(why) => return Error::lost(why),
        Sftp::UnexpectedPacket => {
            return Error::Protocol {
                why: "an answer that fits no question about files".into(),
            };
        }
    };
    let why = match status.status_code {
        StatusCode::NoSuchFile => FileTrouble::Missing,
        StatusCode::PermissionDenied => FileTrouble::Denied,
        StatusCode::NoConnection | StatusCode::ConnectionLost => return Error::lost("SFTP ended"),
        _ => FileTrouble::Other(tame(&status.error_message, 300)),
    };
    remote(path, why)
}
