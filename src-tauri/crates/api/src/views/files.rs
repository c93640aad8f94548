//! The files of a session's server on the wire.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::sessions::files::{Entry, FileKind, Job, JobState, RemoteFolder, Steer};
use wangcheng::sessions::{Edit, EditState, failure, file_failure};

use super::Speaker;
use crate::error::WireError;

/// What a window of sessions asks for about a server's files. Nothing of it names a file of this computer.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum FilesAct {
    /// What is in a folder; without one, in the user's home.
    List {
        /// Session id.
        session: String,
        /// Its path.
        folder: Option<String>,
    },
    /// Makes a folder.
    MakeFolder {
        /// Session id.
        session: String,
        /// Its path.
        path: String,
    },
    /// Gives something another name.
    Rename {
        /// Session id.
        session: String,
        /// Its path.
        from: String,
        /// The new one.
        to: String,
    },
    /// Sets permissions.
    Mode {
        /// Session id.
        session: String,
        /// Paths.
        paths: Vec<String>,
        /// The lower 12 bits.
        mode: u32,
    },
    /// Removes files, and folders with everything in them.
    Remove {
        /// Session id.
        session: String,
        /// Paths.
        paths: Vec<String>,
    },
    /// Stops a removal.
    StopRemoving {
        /// Session id.
        session: String,
    },
    /// The copies as they stand.
    Copies {
        /// Session id.
        session: String,
    },
    /// Pauses a copy and so on.
    Steer {
        /// Session id.
        session: String,
        /// Its number.
        #[ts(type = "number")]
        copy: u64,
        /// How.
        how: CopySteer,
    },
    /// Forgets the copies that are over.
    ClearCopies {
        /// Session id.
        session: String,
    },
    /// The files that are changed here, as they stand.
    Edits {
        /// Session id.
        session: String,
    },
    /// Saves one of them whatever is on the server.
    SaveEdit {
        /// Session id.
        session: String,
        /// Its number.
        #[ts(type = "number")]
        edit: u64,
    },
    /// Ends changing one here.
    EndEdit {
        /// Session id.
        session: String,
        /// Its number.
        #[ts(type = "number")]
        edit: u64,
    },
}

/// What is done with a copy.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CopySteer {
    /// Stops where it is.
    Pause,
    /// Goes on, or is tried again.
    Resume,
    /// Ends.
    Cancel,
    /// From the beginning, and replaces what is there.
    Replace,
}

/// What comes of it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FilesAnswer {
    /// A folder.
    Folder {
        /// It.
        folder: FolderView,
    },
    /// Things that were removed.
    Removed {
        /// How many.
        #[ts(type = "number")]
        count: u64,
    },
    /// Copies.
    Copies {
        /// They.
        copies: Vec<CopyView>,
    },
    /// Files that are changed here.
    Edits {
        /// They.
        edits: Vec<EditView>,
    },
    /// Nothing but that it is done.
    Done,
}

/// What needs files of this computer. Which, a person chooses in the system's own dialog, or by dropping them.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum LocalAct {
    /// Files to copy to the server.
    UploadFiles {
        /// Session id.
        session: String,
        /// Into this folder there.
        folder: String,
    },
    /// A folder to copy to the server.
    UploadFolder {
        /// Session id.
        session: String,
        /// Into this folder there.
        folder: String,
    },
    /// What was dropped on the window.
    UploadDropped {
        /// Session id.
        session: String,
        /// Into this folder there.
        folder: String,
        /// Which drop.
        #[ts(type = "number")]
        drop: u64,
    },
    /// Files and folders of the server, to the folder of downloads.
    Download {
        /// Session id.
        session: String,
        /// Paths there.
        paths: Vec<String>,
    },
    /// The same, to a folder that is chosen.
    DownloadTo {
        /// Session id.
        session: String,
        /// Paths there.
        paths: Vec<String>,
    },
    /// Opens a file of the server in the text editor; what is saved there goes back.
    Edit {
        /// Session id.
        session: String,
        /// Its path there.
        path: String,
    },
    /// Opens the editor again for one that is changed here.
    EditAgain {
        /// Session id.
        session: String,
        /// Its number.
        #[ts(type = "number")]
        edit: u64,
    },
    /// Shows the folder here that a copy came from or went to.
    ShowFolder {
        /// Session id.
        session: String,
        /// The copy's number.
        #[ts(type = "number")]
        copy: u64,
    },
}

/// Something is dragged over the window from outside.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FileDrag {
    /// It is over the window.
    Over,
    /// It was let go.
    Dropped {
        /// Its number, for [`LocalAct::UploadDropped`].
        #[ts(type = "number")]
        drop: u64,
        /// How many things.
        #[ts(type = "number")]
        count: usize,
    },
    /// It went away.
    Left,
}

/// A folder of a server.
#[derive(Debug, Clone, Serialize, TS)]
pub struct FolderView {
    /// Its whole path.
    pub path: String,
    /// What is in it, folders first.
    pub entries: Vec<EntryView>,
    /// There are more than are shown.
    pub cut: bool,
}

/// Something in a folder.
#[derive(Debug, Clone, Serialize, TS)]
pub struct EntryView {
    /// Its name; untrusted text.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// In bytes.
    #[ts(type = "number")]
    pub size: u64,
    /// When it was changed, in seconds of Unix time.
    pub modified: Option<u32>,
    /// Permissions, the lower 12 bits.
    pub mode: Option<u32>,
    /// It can be opened, renamed and so on: its name is sound.
    pub usable: bool,
}

/// What something is.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A link.
    Link,
    /// A device, a pipe, a socket.
    Other,
}

/// A copy, one way or the other.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CopyView {
    /// Its number in the session.
    #[ts(type = "number")]
    pub id: u64,
    /// To the server.
    pub up: bool,
    /// The path here.
    pub here: String,
    /// The path there.
    pub there: String,
    /// Where it stands.
    pub state: CopyState,
    /// Bytes that are there.
    #[ts(type = "number")]
    pub bytes_done: u64,
    /// Bytes in all, as far as known.
    #[ts(type = "number")]
    pub bytes_all: u64,
    /// Files that are there.
    #[ts(type = "number")]
    pub files_done: u64,
    /// Files in all, as far as known.
    #[ts(type = "number")]
    pub files_all: u64,
    /// Links and such that are left out.
    #[ts(type = "number")]
    pub skipped: u64,
    /// Bytes a second, of the last moments.
    pub rate: f64,
    /// What could not be copied while the rest was, the first of it.
    pub problems: Vec<CopyProblem>,
}

/// A file of the server that is changed in an editor here.
#[derive(Debug, Clone, Serialize, TS)]
pub struct EditView {
    /// Its number.
    #[ts(type = "number")]
    pub id: u64,
    /// Its path there.
    pub path: String,
    /// Where it stands.
    pub state: EditStateView,
}

/// Where a file that is changed here stands.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EditStateView {
    /// As it is on the server.
    Same,
    /// It goes back.
    Saving,
    /// It went back.
    Saved {
        /// How often by now.
        times: u32,
    },
    /// It changed on both sides.
    Conflict,
    /// It could not go back.
    Failed {
        /// Why.
        error: WireError,
    },
}

/// Something that could not be copied.
#[derive(Debug, Clone, Serialize, TS)]
pub struct CopyProblem {
    /// Its path, here or there.
    pub path: String,
    /// Why.
    pub error: WireError,
}

/// Where a copy stands.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CopyState {
    /// Others come first.
    Waiting,
    /// Under way.
    Running,
    /// The connection was lost; it is made anew.
    Retrying {
        /// Why it was lost.
        error: WireError,
    },
    /// Stopped by the user.
    Paused,
    /// All there, but for its problems.
    Done,
    /// Given up.
    Failed {
        /// Why.
        error: WireError,
    },
    /// Ended by the user.
    Cancelled,
}

impl From<CopySteer> for Steer {
    fn from(steer: CopySteer) -> Self {
        match steer {
            CopySteer::Pause => Self::Pause,
            CopySteer::Resume => Self::Resume,
            CopySteer::Cancel => Self::Cancel,
            CopySteer::Replace => Self::Replace,
        }
    }
}

impl From<RemoteFolder> for FolderView {
    fn from(folder: RemoteFolder) -> Self {
        Self {
            path: folder.path,
            entries: folder.entries.into_iter().map(EntryView::from).collect(),
            cut: folder.cut,
        }
    }
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            name: entry.name,
            kind: match entry.kind {
                FileKind::File => EntryKind::File,
                FileKind::Folder => EntryKind::Folder,
                FileKind::Link => EntryKind::Link,
                FileKind::Other => EntryKind::Other,
            },
            size: entry.size,
            modified: entry.modified,
            mode: entry.mode,
            usable: entry.usable,
        }
    }
}

impl Speaker<'_> {
    pub fn edits(&self, edits: Vec<Edit>) -> Vec<EditView> {
        let view = |edit: Edit| EditView {
            id: edit.id,
            path: edit.path,
            state: match edit.state {
                EditState::Same => EditStateView::Same,
                EditState::Saving => EditStateView::Saving,
                EditState::Saved(times) => EditStateView::Saved { times },
                EditState::Conflict => EditStateView::Conflict,
                EditState::Failed(failure) => EditStateView::Failed {
                    error: self.error(&failure),
                },
            },
        };
        edits.into_iter().map(view).collect()
    }

    pub fn copies(&self, jobs: &[Job]) -> Vec<CopyView> {
        jobs.iter().map(|job| self.copy(job)).collect()
    }

    fn copy(&self, job: &Job) -> CopyView {
        CopyView {
            id: job.id.0,
            up: job.direction == wangcheng::sessions::files::Direction::Up,
            here: job.here.clone(),
            there: job.there.clone(),
            state: match &job.state {
                JobState::Waiting => CopyState::Waiting,
                JobState::Running => CopyState::Running,
                JobState::Retrying { cause } => CopyState::Retrying {
                    error: self.error(&failure(cause)),
                },
                JobState::Paused => CopyState::Paused,
                JobState::Done => CopyState::Done,
                JobState::Failed { error } => CopyState::Failed {
                    error: self.error(&failure(error)),
                },
                JobState::Cancelled => CopyState::Cancelled,
            },
            bytes_done: job.bytes_done,
            bytes_all: job.bytes_all,
            files_done: job.files_done,
            files_all: job.files_all,
            skipped: job.skipped,
            rate: job.rate,
            problems: job
                .problems
                .iter()
                .map(|problem| CopyProblem {
                    path: problem.path.clone(),
                    error: self.error(&file_failure(&problem.path, &problem.why)),
                })
                .collect(),
        }
    }
}
