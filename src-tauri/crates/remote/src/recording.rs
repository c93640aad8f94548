//! Recording a terminal as asciicast v2. What is recorded is what the server sent and the size of the terminal; what is
//! typed is not. So nothing that was typed at a hidden prompt can be in it: the server does not send that back.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::{Error, FileTrouble, Result, tame};
use crate::shell::{Cast, Size};

/// A recording ends here, in bytes.
const LENGTH_MOST: u64 = 1024 * 1024 * 1024;
/// Entries under way to the disk.
const UNDER_WAY: usize = 256;
/// The longest line of a recording that is read, in bytes.
const LINE_MOST: usize = 4 * 1024 * 1024;

/// The longest title of a recording that is read, in characters.
const TITLE_MOST: usize = 200;

/// A recording under way.
pub(crate) struct Recorder {
    entries: mpsc::Sender<(Duration, Entry)>,
    began: Instant,
    writing: JoinHandle<Result<()>>,
}

/// What happens in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Output(Vec<u8>),
    Resize(Size),
    Marker(&'static str),
}

/// One entry of a recording that is played.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Played {
    /// Seconds since the beginning.
    pub at: f64,
    /// `o` for output, `r` for a size (`80x24`), `m` for a marker.
    pub kind: String,
    /// The output, the size or the marker's text.
    pub data: String,
}

/// A recording, read entry by entry.
pub struct Recording {
    /// Columns and rows at its beginning.
    pub size: Size,
    /// When it was made, in seconds of Unix time.
    pub made_at: i64,
    /// What it is called; untrusted text.
    pub title: String,
    reader: BufReader<std::fs::File>,
    path: PathBuf,
}

impl Recorder {
    /// Begins a recording in a new file for its owner alone. One that is there already is not touched.
    pub async fn begin(path: &Path, size: Size, made_at: i64, title: &str) -> Result<Self> {
        let header = json!({
            "version": 2,
            "width": size.columns,
            "height": size.rows,
            "timestamp": made_at,
            "title": title,
            "env": {"TERM": crate::shell::TERM},
        });
        let path = path.to_owned();
        let (entries, mut taken) = mpsc::channel(UNDER_WAY);
        let opened = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || open(&path, &header))
        };
        let opened = tokio::time::timeout(Duration::from_secs(10), opened).await;
        let Ok(Ok(opened)) = opened else {
            let why = FileTrouble::Other("the disk does not answer".into());
            return Err(Error::local_name(&path, why));
        };
        let mut file = opened.map_err(|error| Error::local(&path, &error))?;
        let writing = tokio::task::spawn_blocking(move || {
            let mut writer = Writer::default();
            let mut run = || -> std::io::Result<()> {
                while let Some((at, entry)) = taken.blocking_recv() {
                    if !writer.write(&mut file, at, entry)? {
                        break;
                    }
                    // Nothing more waits: let what is there survive a crash.
                    if taken.is_empty() {
                        file.flush()?;
                    }
                }
                writer.finish(&mut file)?;
                file.flush()
            };
            run().map_err(|error| Error::local(&path, &error))
        });
        Ok(Self {
            entries,
            began: Instant::now(),
            writing,
        })
    }

    /// Says whether it still records: a full disk ends a recording, not the session.
    pub async fn output(&self, bytes: &[u8]) -> bool {
        self.add(Entry::Output(bytes.to_vec())).await
    }

    pub async fn resize(&self, size: Size) -> bool {
        self.add(Entry::Resize(size)).await
    }

    pub async fn marker(&self, text: &'static str) -> bool {
        self.add(Entry::Marker(text)).await
    }

    async fn add(&self, entry: Entry) -> bool {
        self.entries.send((self.began.elapsed(), entry)).await.is_ok()
    }

    /// Writes what is left.
    pub async fn finish(self) -> Result<()> {
        drop(self.entries);
        match tokio::time::timeout(Duration::from_secs(10), self.writing).await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) | Err(_) => Err(Error::timed_out("the disk")),
        }
    }
}

/// Where a shell's recording is, while there is one. It can begin and end at any moment.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    inner: Arc<tokio::sync::Mutex<Taping>>,
    running: Arc<AtomicBool>,
}

struct Taping {
    recorder: Option<Recorder>,
    /// Of the terminal now.
    size: Size,
}

impl std::fmt::Debug for Taping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taping")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Slot {
    pub fn new(size: Size) -> Self {
        let taping = Taping { recorder: None, size };
        Self {
            inner: Arc::new(tokio::sync::Mutex::new(taping)),
            running: Arc::default(),
        }
    }

    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Begins another one in the place of what there is.
    pub async fn begin(&self, cast: &Cast) -> Result<()> {
        let mut inner = self.inner.lock().await;
        let begun = Recorder::begin(&cast.file, inner.size, cast.at, &cast.title).await?;
        let before = inner.recorder.replace(begun);
        self.running.store(true, Ordering::Release);
        drop(inner);
        match before {
            Some(before) => before.finish().await,
            None => Ok(()),
        }
    }

    /// Says whether there was one.
    pub async fn end(&self) -> Result<bool> {
        let ended = self.inner.lock().await.recorder.take();
        self.running.store(false, Ordering::Release);
        match ended {
            Some(ended) => ended.finish().await.map(|()| true),
            None => Ok(false),
        }
    }

    pub async fn output(&self, bytes: &[u8]) {
        if !self.is_running() {
            return;
        }
        let mut inner = self.inner.lock().await;
        if let Some(recorder) = &inner.recorder
            && !recorder.output(bytes).await
        {
            inner.recorder = None;
            self.running.store(false, Ordering::Release);
        }
    }

    pub async fn resize(&self, size: Size) {
        let mut inner = self.inner.lock().await;
        inner.size = size;
        if let Some(recorder) = &inner.recorder {
            recorder.resize(size).await;
        }
    }

    pub async fn marker(&self, text: &'static str) {
        if let Some(recorder) = &self.inner.lock().await.recorder {
            recorder.marker(text).await;
        }
    }
}

fn open(path: &Path, header: &Value) -> std::io::Result<std::io::BufWriter<std::fs::File>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = std::io::BufWriter::new(options.open(path)?);
    writeln!(file, "{header}")?;
    file.flush()?;
    Ok(file)
}

/// Entries as lines. A letter that arrives in two parts is written when it is whole.
#[derive(Default)]
struct Writer {
    part: Vec<u8>,
    length: u64,
}

impl Writer {
    /// Says whether there is room for more.
    fn write(&mut self, file: &mut impl Write, at: Duration, entry: Entry) -> std::io::Result<bool> {
        let (kind, data) = match entry {
            Entry::Output(bytes) => {
                self.part.extend(bytes);
                ("o", self.whole())
            }
            Entry::Resize(size) => ("r", format!("{}x{}", size.columns, size.rows)),
            Entry::Marker(text) => ("m", text.to_owned()),
        };
        if data.is_empty() {
            return Ok(true);
        }
        self.line(file, at, kind, &data)?;
        if self.length <= LENGTH_MOST {
            return Ok(true);
        }
        self.line(file, at, "m", "the recording is full")?;
        Ok(false)
    }

    fn finish(&mut self, file: &mut impl Write) -> std::io::Result<()> {
        let rest = String::from_utf8_lossy(&std::mem::take(&mut self.part)).into_owned();
        match rest.is_empty() {
            true => Ok(()),
            false => self.line(file, Duration::ZERO, "o", &rest),
        }
    }

    fn line(&mut self, file: &mut impl Write, at: Duration, kind: &str, data: &str) -> std::io::Result<()> {
        let micros = at.subsec_micros();
        let text = serde_json::to_string(data)?;
        let line = format!("[{}.{micros:06}, \"{kind}\", {text}]\n", at.as_secs());
        self.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
        file.write_all(line.as_bytes())
    }

    /// What is whole of the bytes so far; what makes no sense is shown as such.
    fn whole(&mut self) -> String {
        let whole = match std::str::from_utf8(&self.part) {
            Ok(_) => self.part.len(),
            // Cut within a letter: at most three bytes, which wait for the rest.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => {
                let tail = self.part.len().saturating_sub(3);
                let cut = (tail..self.part.len()).find(|at| {
                    let rest = self.part.get(*at..).unwrap_or_default();
                    std::str::from_utf8(rest)
                        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
                });
                cut.unwrap_or(self.part.len())
            }
        };
        let rest = self.part.split_off(whole);
        let whole = std::mem::replace(&mut self.part, rest);
        String::from_utf8_lossy(&whole).into_owned()
    }
}

impl Recording {
    /// Opens a recording. Blocks on the disk: for a thread that may.
    pub fn open(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|error| Error::local(path, &error))?;
        let mut recording = Self {
            size: Size::default(),
            made_at: 0,
            title: String::new(),
            reader: BufReader::new(file),
            path: path.to_owned(),
        };
        let bad = || Error::local_name(path, FileTrouble::Other("it is no recording".into()));
        let line = recording.line()?.ok_or_else(bad)?;
        let header: Value = serde_json::from_str(&line).map_err(|_| bad())?;
        if header.get("version") != Some(&json!(2)) {
            return Err(bad());
        }
        let side = |name: &str| {
            header
                .get(name)
                .and_then(Value::as_u64)
                .and_then(|side| u16::try_from(side).ok())
        };
        recording.size = Size {
            columns: side("width").ok_or_else(bad)?,
            rows: side("height").ok_or_else(bad)?,
        };
        recording.made_at = header
            .get("timestamp")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        let title = header.get("title").and_then(Value::as_str).unwrap_or_default();
        recording.title = tame(title, TITLE_MOST);
        Ok(recording)
    }

    /// The next entry; nothing at the end. A line that was cut off by a crash is the end.
    pub fn next_entry(&mut self) -> Result<Option<Played>> {
        let Some(line) = self.line()? else {
            return Ok(None);
        };
        let entry: Option<(f64, String, String)> = serde_json::from_str(&line).ok();
        Ok(entry.map(|(at, kind, data)| Played { at, kind, data }))
    }

    fn line(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_MOST).unwrap_or(u64::MAX);
        let mut limited = std::io::Read::take(&mut self.reader, limit);
        limited
            .read_until(b'\n', &mut line)
            .map_err(|error| Error::local(&self.path, &error))?;
        if line.is_empty() {
            return Ok(None);
        }
        if !line.ends_with(b"\n") && line.len() >= LINE_MOST {
            return Err(Error::local_name(&self.path, FileTrouble::TooLarge));
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parts: &[&[u8]]) -> String {
        let (mut writer, mut file) = (Writer::default(), Vec::new());
        for part in parts {
            writer
                .write(
                    &mut file,
                    Duration::from_millis(1500),
                    Entry::Output(part.to_vec()),
                )
                .unwrap();
        }
        writer.finish(&mut file).unwrap();
        let lines = String::from_utf8(file).unwrap();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<(f64, String, String)>(line).unwrap());
        lines.map(|(_, _, data)| data).collect()
    }

    #[test]
    fn a_letter_in_two_parts_is_whole_in_the_recording() {
        let text = "网程 ok".as_bytes();
        for cut in 0..text.len() {
            let (front, back) = text.split_at(cut);
            assert_eq!(written(&[front, back]), "网程 ok", "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_text_harms_nothing_after_it() {
        assert_eq!(
            written(&[b"\xff\xfe", b"a", b"\xe7\xbd", b"\x91"]),
            "\u{fffd}\u{fffd}a网"
        );
    }

    #[tokio::test]
    async fn a_recording_plays_what_was_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("casts/a.cast");
        let size = Size {
            columns: 80,
            rows: 24,
        };
        let recorder = Recorder::begin(&path, size, 1_700_000_000, "web").await.unwrap();
        recorder.output("$ ls\r\n".as_bytes()).await;
        recorder
            .resize(Size {
                columns: 100,
                rows: 30,
            })
            .await;
        recorder.marker("reconnected").await;
        recorder.finish().await.unwrap();
        let mut recording = Recording::open(&path).unwrap();
        assert_eq!((recording.size, recording.made_at), (size, 1_700_000_000));
        let mut entries = Vec::new();
        while let Some(entry) = recording.next_entry().unwrap() {
            entries.push((entry.kind, entry.data));
        }
        let told = [("o", "$ ls\r\n"), ("r", "100x30"), ("m", "reconnected")];
        assert_eq!(
            entries,
            told.map(|(kind, data)| (kind.to_owned(), data.to_owned()))
        );
        assert_eq!(recording.title, "web");
        let again = Recorder::begin(&path, size, 0, "").await;
        assert!(again.is_err(), "a recording that is there is not written over");
    }

    #[tokio::test]
    async fn a_recording_begins_and_ends_while_the_shell_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let cast = |name: &str| Cast {
            file: folder.path().join(name),
            at: 1_700_000_000,
            title: "web".into(),
        };
        let slot = Slot::new(Size::default());
        slot.output(b"before").await;
        let wide = Size {
            columns: 120,
            rows: 40,
        };
        slot.resize(wide).await;
        slot.begin(&cast("a")).await.unwrap();
        assert!(slot.is_running());
        slot.output(b"during").await;
        slot.begin(&cast("b")).await.unwrap();
        slot.output(b"second").await;
        assert!(slot.end().await.unwrap() && !slot.end().await.unwrap());
        slot.output(b"after").await;
        for (name, said) in [("a", "during"), ("b", "second")] {
            let mut recording = Recording::open(&folder.path().join(name)).unwrap();
            assert_eq!(recording.size, wide, "as wide as it was then");
            let entry = recording.next_entry().unwrap().unwrap();
            assert_eq!(
                (entry.data.as_str(), recording.next_entry().unwrap()),
                (said, None)
            );
        }
    }
}
