//! Recordings of sessions (asciicast v2), in a folder beside the ledger. What the server sent is in them and never what was
//! typed, so nothing of a hidden prompt. They stay on this computer until somebody removes them.

use std::path::{Path, PathBuf};

use remote::{Cast, Played, Recording};

use super::Open;
use super::failure::failure;
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};

/// Their folder, in the directory of the ledger.
const FOLDER: &str = "recordings";
/// What their names end with.
const ENDING: &str = ".cast";
/// Most recordings that are listed, the newest.
const LISTED_MOST: usize = 1000;
/// Most entries in one answer.
const ENTRIES_MOST: usize = 2000;
/// Most bytes of output in one answer.
const OUTPUT_MOST: usize = 512 * 1024;
/// Most places that a search finds.
const FOUND_MOST: usize = 200;
/// Longest text that is looked for, in characters.
const SOUGHT_MOST: usize = 200;
/// Longest line that is looked through, in bytes; a longer one is taken as several.
const LINE_MOST: usize = 16 * 1024;

/// A recording, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingInfo {
    /// Its id: the name of its file.
    pub id: String,
    /// Name of the server.
    pub title: String,
    /// When it was made, in seconds of Unix time.
    pub made_at: i64,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// A part of a recording.
#[derive(Debug, Clone)]
pub struct RecordingPart {
    /// Columns of the terminal at its beginning.
    pub columns: u16,
    /// Its rows.
    pub rows: u16,
    /// Entries, in order.
    pub entries: Vec<Played>,
    /// How many entries come before what follows this part; nothing at the end.
    pub next: Option<usize>,
}

/// A place in a recording where a text was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingPlace {
    /// Id of the recording.
    pub recording: String,
    /// Seconds since its beginning.
    pub at: f64,
    /// The line, without colours and movements.
    pub line: String,
}

impl Wangcheng {
    /// Records a session from now on.
    ///
    /// # Errors
    /// `SessionUnknown`; those of files.
    pub async fn record_session(&self, session: &str) -> Result<()> {
        let open = self.open_one(session)?;
        let cast = self.cast(&open.server.name);
        open.shell.record(&cast).await.map_err(|error| failure(&error))?;
        self.publish(Change::Session(Box::new(open.told())));
        Ok(())
    }

    /// Records a session no longer.
    ///
    /// # Errors
    /// `SessionUnknown`; those of files, when the recording is not whole.
    pub async fn stop_recording_session(&self, session: &str) -> Result<()> {
        let open = self.open_one(session)?;
        let ended = open.shell.stop_recording().await;
        self.publish(Change::Session(Box::new(open.told())));
        ended.map(drop).map_err(|error| failure(&error))
    }

    /// The recording that a session which begins now is to have.
    pub(super) async fn usual_cast(&self, server_name: &str) -> Option<Cast> {
        match self.session_preferences().await {
            Ok(preferences) => preferences.record.then(|| self.cast(server_name)),
            Err(failure) => {
                tracing::warn!(%failure, "it is not known whether sessions are recorded");
                None
            }
        }
    }

    fn cast(&self, server_name: &str) -> Cast {
        let now = self.now();
        let id = uuid::Uuid::new_v4().simple().to_string();
        let short: String = id.chars().take(8).collect();
        let name = format!("{}-{short}{ENDING}", now.format("%Y%m%d-%H%M%S"));
        Cast {
            file: self.recordings_folder().join(name),
            at: now.timestamp(),
            title: server_name.to_owned(),
        }
    }

    fn recordings_folder(&self) -> PathBuf {
        self.inner.data_dir.join(FOLDER)
    }

    /// The recordings that there are, newest first.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn recordings(&self) -> Result<Vec<RecordingInfo>> {
        let folder = self.recordings_folder();
        away(move || Ok(listed(&folder))).await
    }

    /// A part of a recording: what follows so many entries.
    ///
    /// # Errors
    /// `FileMissing`, `FileFailed` when it is no recording.
    pub async fn read_recording(&self, id: &str, from: usize) -> Result<RecordingPart> {
        let path = self.recording(id)?;
        away(move || part(&path, from)).await
    }

    /// Where a text was shown, in all recordings, newest first. Capital letters do not count.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn search_recordings(&self, sought: &str) -> Result<Vec<RecordingPlace>> {
        let folder = self.recordings_folder();
        let sought: String = sought.trim().chars().take(SOUGHT_MOST).collect();
        away(move || Ok(found(&folder, &sought.to_lowercase()))).await
    }

    /// Removes a recording. One that is gone already is no error.
    ///
    /// # Errors
    /// `FileDenied` and the like.
    pub async fn remove_recording(&self, id: &str) -> Result<()> {
        let path = self.recording(id)?;
        away(move || match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::new(Code::FileFailed)
                .with("path", path.display())
                .saying(error)),
            _ => Ok(()),
        })
        .await
    }

    /// The file of a recording, to be copied elsewhere.
    ///
    /// # Errors
    /// `FileMissing` when the id is none of a recording's.
    pub fn recording(&self, id: &str) -> Result<PathBuf> {
        let sound = id.strip_suffix(ENDING).is_some_and(|stem| {
            stem.len() < 64
                && stem
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        });
        match sound {
            true => Ok(self.recordings_folder().join(id)),
            false => Err(Failure::new(Code::FileMissing).with("path", "-")),
        }
    }
}

impl Open {
    /// Whether it is recorded at the moment.
    pub(super) fn is_recorded(&self) -> bool {
        self.shell.is_recorded()
    }
}

/// On a thread that may wait for the disk.
async fn away<T: Send + 'static>(act: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(act).await;
    done.map_err(|error| Failure::new(Code::Internal).saying(error))?
}

fn listed(folder: &Path) -> Vec<RecordingInfo> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(ENDING))
        .collect();
    // Their names begin with the moment.
    names.sort_unstable_by(|a, b| b.cmp(a));
    names.truncate(LISTED_MOST);
    let info = |name: String| {
        let path = folder.join(&name);
        let recording = Recording::open(&path).ok()?;
        Some(RecordingInfo {
            id: name,
            title: recording.title,
            made_at: recording.made_at,
            bytes: path.metadata().ok()?.len(),
        })
    };
    names.into_iter().filter_map(info).collect()
}

fn part(path: &Path, from: usize) -> Result<RecordingPart> {
    let told = |error: remote::Error| failure(&error);
    let mut recording = Recording::open(path).map_err(told)?;
    for _ in 0..from {
        if recording.next_entry().map_err(told)?.is_none() {
            break;
        }
    }
    let mut part = RecordingPart {
        columns: recording.size.columns,
        rows: recording.size.rows,
        entries: Vec::new(),
        next: None,
    };
    let mut length = 0;
    while let Some(entry) = recording.next_entry().map_err(told)? {
        length += entry.data.len();
        part.entries.push(entry);
        if part.entries.len() >= ENTRIES_MOST || length >= OUTPUT_MOST {
            part.next = Some(from + part.entries.len());
            break;
        }
    }
    Ok(part)
}

fn found(folder: &Path, sought: &str) -> Vec<RecordingPlace> {
    let mut places = Vec::new();
    if sought.is_empty() {
        return places;
    }
    for info in listed(folder) {
        let Ok(mut recording) = Recording::open(&folder.join(&info.id)) else {
            continue;
        };
        let mut line = Line::default();
        // One that is damaged is looked through as far as it can be read.
        while let Ok(Some(entry)) = recording.next_entry() {
            if entry.kind != "o" {
                continue;
            }
            for (at, whole) in line.take(entry.at, &entry.data) {
                if whole.to_lowercase().contains(sought) {
                    places.push(RecordingPlace {
                        recording: info.id.clone(),
                        at,
                        line: whole,
                    });
                }
            }
            if places.len() >= FOUND_MOST {
                return places;
            }
        }
        if let Some((at, rest)) = line.rest()
            && rest.to_lowercase().contains(sought)
        {
            places.push(RecordingPlace {
                recording: info.id.clone(),
                at,
                line: rest,
            });
        }
    }
    places
}

/// Output as lines of text: colours, movements and titles are left out.
#[derive(Default)]
struct Line {
    text: String,
    /// When its first letter came.
    at: Option<f64>,
    escape: Escape,
}

#[derive(Default, PartialEq)]
enum Escape {
    #[default]
    No,
    /// After ESC.
    Begun,
    /// Up to a letter.
    Sequence,
    /// A title or the like, up to BEL or ESC.
    Words,
}

impl Line {
    /// The lines that are whole with this.
    fn take(&mut self, at: f64, output: &str) -> Vec<(f64, String)> {
        let mut whole = Vec::new();
        for letter in output.chars() {
            match (&self.escape, letter) {
                (Escape::No, '\u{1b}') => self.escape = Escape::Begun,
                (Escape::No, '\n') => whole.extend(self.rest()),
                (Escape::No, '\u{8}') => {
                    self.text.pop();
                }
                (Escape::No, letter) if letter.is_control() => {}
                (Escape::No, letter) => {
                    self.at.get_or_insert(at);
                    self.text.push(letter);
                    if self.text.len() >= LINE_MOST {
                        whole.extend(self.rest());
                    }
                }
                (Escape::Begun, '[') => self.escape = Escape::Sequence,
                (Escape::Begun, ']' | 'P' | '_' | '^') => self.escape = Escape::Words,
                (Escape::Begun, _) => self.escape = Escape::No,
                (Escape::Sequence, '\u{40}'..='\u{7e}') => self.escape = Escape::No,
                (Escape::Sequence, _) => {}
                (Escape::Words, '\u{7}') => self.escape = Escape::No,
                (Escape::Words, '\u{1b}') => self.escape = Escape::Begun,
                (Escape::Words, _) => {}
            }
        }
        whole
    }

    fn rest(&mut self) -> Option<(f64, String)> {
        let text = std::mem::take(&mut self.text);
        self.at.take().map(|at| (at, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path, name: &str, lines: &[(f64, &str)]) {
        let mut text =
            "{\"version\": 2, \"width\": 80, \"height\": 24, \"timestamp\": 7, \"title\": \"web\"}\n"
                .to_owned();
        for (at, data) in lines {
            text.push_str(&format!(
                "[{at}, \"o\", {}]\n",
                serde_json::to_string(data).unwrap()
            ));
        }
        std::fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn what_was_shown_is_found_whatever_its_colours_and_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let shown = [
            (0.5, "\u{1b}]0;a title with error\u{7}$ ma"),
            (1.0, "ke\r\n\u{1b}[31mErr"),
            (2.0, "or:\u{1b}[0m 没有 main.c\r\n$ "),
        ];
        written(folder.path(), "20260101-000000-aaaaaaaa.cast", &shown);
        written(
            folder.path(),
            "20260102-000000-bbbbbbbb.cast",
            &[(9.0, "nothing")],
        );
        std::fs::write(
            folder.path().join("20260103-000000-cccccccc.cast"),
            "no recording",
        )
        .unwrap();
        let ids: Vec<String> = listed(folder.path()).into_iter().map(|info| info.id).collect();
        assert_eq!(
            ids,
            ["20260102-000000-bbbbbbbb.cast", "20260101-000000-aaaaaaaa.cast"]
        );
        let places = found(folder.path(), "error: 没有");
        assert_eq!(places.len(), 1);
        assert_eq!(
            (places[0].at, places[0].line.as_str()),
            (1.0, "Error: 没有 main.c")
        );
        assert_eq!(
            found(folder.path(), "title").len(),
            0,
            "a window's title was not shown"
        );
        assert_eq!(
            found(folder.path(), "nothing").len(),
            1,
            "a last line without its end"
        );
    }

    #[test]
    fn a_long_recording_is_read_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<(f64, &str)> = (0..ENTRIES_MOST + 3).map(|_| (1.0, "x")).collect();
        written(folder.path(), "a.cast", &lines);
        let path = folder.path().join("a.cast");
        let first = part(&path, 0).unwrap();
        assert_eq!(
            (first.columns, first.rows, first.next),
            (80, 24, Some(ENTRIES_MOST))
        );
        let second = part(&path, first.next.unwrap()).unwrap();
        assert_eq!((second.entries.len(), second.next), (3, None));
    }
}
