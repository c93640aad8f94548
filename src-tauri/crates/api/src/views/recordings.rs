//! Recordings of sessions on the wire.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::sessions::{RecordingInfo, RecordingPart, RecordingPlace};

/// What a window of sessions asks for about recordings.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum RecordingsAct {
    /// Which there are, newest first.
    List,
    /// A part of one.
    Read {
        /// Its id.
        recording: String,
        /// So many entries come before the part.
        #[ts(type = "number")]
        from: usize,
    },
    /// Where a text was shown.
    Search {
        /// The text.
        text: String,
    },
    /// Removes one.
    Remove {
        /// Its id.
        recording: String,
    },
    /// Copies one to the folder of downloads.
    Export {
        /// Its id.
        recording: String,
    },
}

/// What comes of it.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordingsAnswer {
    /// Recordings.
    List {
        /// They.
        recordings: Vec<RecordingView>,
    },
    /// A part of one.
    Part {
        /// It.
        part: RecordingPartView,
    },
    /// Places where the text was shown.
    Places {
        /// They.
        places: Vec<RecordingPlaceView>,
    },
    /// It was copied.
    Exported {
        /// The name of the copy in the folder of downloads.
        name: String,
    },
}

/// A recording.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingView {
    /// Its id.
    pub id: String,
    /// Name of the server; untrusted text.
    pub title: String,
    /// When it was made, in seconds of Unix time.
    #[ts(type = "number")]
    pub made_at: i64,
    /// In bytes.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// A part of a recording.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingPartView {
    /// Columns of the terminal at its beginning.
    pub columns: u16,
    /// Its rows.
    pub rows: u16,
    /// Entries: seconds since the beginning, kind (`o`, `r`, `m`), and what it is.
    pub entries: Vec<(f64, String, String)>,
    /// How many entries come before what follows; nothing at the end.
    #[ts(type = "number | null")]
    pub next: Option<usize>,
}

/// A place in a recording.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordingPlaceView {
    /// Id of the recording.
    pub recording: String,
    /// Seconds since its beginning.
    pub at: f64,
    /// The line; untrusted text.
    pub line: String,
}

impl From<RecordingInfo> for RecordingView {
    fn from(info: RecordingInfo) -> Self {
        Self {
            id: info.id,
            title: info.title,
            made_at: info.made_at,
            bytes: info.bytes,
        }
    }
}

impl From<RecordingPart> for RecordingPartView {
    fn from(part: RecordingPart) -> Self {
        let entries = part.entries.into_iter();
        Self {
            columns: part.columns,
            rows: part.rows,
            entries: entries.map(|entry| (entry.at, entry.kind, entry.data)).collect(),
            next: part.next,
        }
    }
}

impl From<RecordingPlace> for RecordingPlaceView {
    fn from(place: RecordingPlace) -> Self {
        Self {
            recording: place.recording,
            at: place.at,
            line: place.line,
        }
    }
}
