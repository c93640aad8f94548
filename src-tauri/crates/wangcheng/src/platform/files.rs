//! Events out of export files: NDJSON and CSV, plain or gz, as this program, the platform and its collectors write them.
//!
//! A row may be the event itself, an event in its wrapper (`_message`), or a table's columns. What cannot be read is
//! counted and named by its line; nothing of its text is repeated.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

/// Longest line, or row of a table, in bytes.
const LONGEST: usize = 256 * 1024;
/// Most columns of a table.
const MOST_COLUMNS: usize = 1000;
/// Columns that hold a whole event's JSON text.
const WHOLE: [&str; 3] = ["_message", "event", "json"];

/// Why a line is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum BadLine {
    /// It is longer than any event.
    TooLong,
    /// It is no UTF-8 text.
    NotText,
    /// It is no JSON object.
    NotJson,
    /// It has not as many cells as there are columns.
    WrongCells,
    /// It is no event of this product, or a piece of one.
    NotAnEvent,
    /// It follows a later version of the contract.
    Newer,
}

/// One line of a file: its number from 1 on, and the event's JSON text.
pub type Line = (u64, Result<String, BadLine>);

/// One row of a table: the number of its first line, and its cells.
type Cells = (u64, Result<Vec<String>, BadLine>);

/// Reads a file from its beginning to its end, holding one line at a time.
pub struct Lines {
    reader: Box<dyn BufRead + Send>,
    read: Arc<AtomicU64>,
    size: u64,
    /// Names of the columns, where it is a table.
    columns: Option<Vec<String>>,
    begun: bool,
    line: u64,
}

/// Counts what was read of the file itself, which is less than what comes out of a compressed one.
struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Lines {
    /// Opens a file. What it is shows its beginning, not its name.
    ///
    /// # Errors
    /// When it cannot be opened or is a directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            // A pipe might never end, and a directory has no lines.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        let mut magic = [0; 2];
        let gz = matches!(file.read(&mut magic)?, 2) && magic == [0x1f, 0x8b];
        file.rewind()?;
        let read = Arc::new(AtomicU64::new(0));
        let counting = Counting {
            inner: file,
            read: read.clone(),
        };
        let reader: Box<dyn BufRead + Send> = if gz {
            Box::new(BufReader::with_capacity(
                128 * 1024,
                MultiGzDecoder::new(counting),
            ))
        } else {
            Box::new(BufReader::with_capacity(128 * 1024, counting))
        };
        Ok(Self {
            reader,
            read,
            size: meta.len(),
            columns: None,
            begun: false,
            line: 0,
        })
    }

    /// How many bytes of the file were read, of how many.
    pub fn progress(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed), self.size)
    }

    /// The next line that is not empty.
    ///
    /// # Errors
    /// When the file cannot be read on, such as a compressed one that ends in the middle.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        if !self.begun {
            self.begin()?;
        }
        match &self.columns {
            None => self.next_json(),
            Some(_) => self.next_row(),
        }
    }

    /// Passes over a byte order mark, and takes the head of a table.
    fn begin(&mut self) -> io::Result<()> {
        self.begun = true;
        if self.reader.fill_buf()?.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.reader.consume(3);
        }
        let first = loop {
            match self.reader.fill_buf()?.first().copied() {
                Some(byte) if byte.is_ascii_whitespace() => {
                    self.line += u64::from(byte == b'\n');
                    self.reader.consume(1);
                }
                first => break first,
            }
        };
        if first.is_some_and(|byte| byte != b'{') {
            let head = self.cells()?;
            // What is no head of a table either is read as lines, each of which says what is wrong with it.
            self.columns = head.and_then(|(_, head)| head.ok()).filter(|head| is_head(head));
            if self.columns.is_none() {
                self.columns = Some(Vec::new());
            }
        }
        Ok(())
    }

    fn next_json(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        loop {
            self.line += 1;
            let whole = self.line_into(&mut bytes)?;
            let number = self.line;
            if bytes.is_empty() && whole.is_none() {
                return Ok(None);
            }
            if whole == Some(false) {
                return Ok(Some((number, Err(BadLine::TooLong))));
            }
            let Ok(text) = std::str::from_utf8(&bytes) else {
                return Ok(Some((number, Err(BadLine::NotText))));
            };
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Some((number, unwrapped(text))));
            }
        }
    }

    /// Reads one line without its end; `false`: it was too long and its rest is passed over; nothing: the file is over.
    fn line_into(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<bool>> {
        bytes.clear();
        let mut whole = true;
        let mut any = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(any.then_some(whole));
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or(buffer);
            let used = part.len() + usize::from(end.is_some());
            if bytes.len() + part.len() > LONGEST {
                whole = false;
                bytes.clear();
            } else if whole {
                bytes.extend_from_slice(part);
            }
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(whole));
            }
        }
    }

    fn next_row(&mut self) -> io::Result<Option<Line>> {
        let Some((number, cells)) = self.cells()? else {
            return Ok(None);
        };
        let columns = self.columns.as_deref().unwrap_or_default();
        let row = cells.and_then(|cells| {
            if columns.is_empty() {
                return Err(BadLine::NotJson);
            }
            if cells.len() != columns.len() {
                return Err(BadLine::WrongCells);
            }
            let whole = columns.iter().zip(&cells).find(|(column, cell)| {
                WHOLE.contains(&column.as_str()) && cell.trim_start().starts_with('{')
            });
            match whole {
                Some((_, cell)) => unwrapped(cell.trim()),
                None => {
                    let row: Map<String, Value> = columns
                        .iter()
                        .cloned()
                        .zip(cells)
                        // An empty cell is an absent key.
                        .filter(|(_, cell)| !cell.is_empty())
                        .map(|(column, cell)| (column, Value::from(cell)))
                        .collect();
                    Ok(Value::from(row).to_string())
                }
            }
        });
        Ok(Some((number, row)))
    }

    /// The cells of the next row that is not empty, by RFC 4180: quotes are doubled inside quotes, where a line may end, too.
    fn cells(&mut self) -> io::Result<Option<Cells>> {
        loop {
            let (mut cells, mut cell) = (Vec::new(), Vec::new());
            let (mut quoted, mut size, mut any) = (false, 0_usize, false);
            let number = self.line + 1;
            while let Some(byte) = self.reader.fill_buf()?.first().copied() {
                self.reader.consume(1);
                any = true;
                size += 1;
                let fits = size <= LONGEST && cells.len() < MOST_COLUMNS;
                if byte == b'\n' {
                    self.line += 1;
                }
                match byte {
                    // A quote that nobody closed would take the rest of the file along.
                    b'\n' if !quoted || !fits => break,
                    b'"' if quoted && self.reader.fill_buf()?.first() == Some(&b'"') => {
                        self.reader.consume(1);
                        size += 1;
                        if fits {
                            cell.push(b'"');
                        }
                    }
                    b'"' if quoted || cell.is_empty() => quoted = !quoted,
                    b',' if !quoted && fits => cells.push(std::mem::take(&mut cell)),
                    _ if fits => cell.push(byte),
                    _ => {}
                }
            }
            if !any {
                return Ok(None);
            }
            if size > LONGEST || cells.len() >= MOST_COLUMNS {
                return Ok(Some((number, Err(BadLine::TooLong))));
            }
            if cell.last() == Some(&b'\r') {
                cell.pop();
            }
            if cells.is_empty() && cell.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            cells.push(cell);
            let texts: Result<Vec<String>, _> = cells.into_iter().map(String::from_utf8).collect();
            return Ok(Some((number, texts.map_err(|_| BadLine::NotText))));
        }
    }
}

/// Whether these can be the names of an event's columns.
fn is_head(cells: &[String]) -> bool {
    cells
        .iter()
        .any(|cell| cell == "event_id" || WHOLE.contains(&cell.as_str()))
}

/// The event's own text, out of its wrapper if it is in one: that of the platform, or that of a receiver around it.
fn unwrapped(text: &str) -> Result<String, BadLine> {
    if !text.starts_with('{') {
        return Err(BadLine::NotJson);
    }
    // The usual row is the event itself; only what names no event is taken apart.
    if !text.contains("\"_message\"") && !text.contains("\"record\"") {
        return Ok(text.to_owned());
    }
    let mut row: Map<String, Value> = serde_json::from_str(text).map_err(|_| BadLine::NotJson)?;
    if let Some(Value::Object(record)) = row.remove("record") {
        row = record;
    }
    match row.remove("_message") {
        Some(Value::String(message)) if message.trim_start().starts_with('{') => Ok(message),
        Some(Value::Object(message)) => Ok(Value::from(message).to_string()),
        _ if row.contains_key("event_id") => Ok(Value::from(row).to_string()),
        _ => Err(BadLine::NotAnEvent),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("export");
        std::fs::write(&path, bytes).unwrap();
        let mut lines = Lines::open(&path).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            all.push(line);
        }
        assert_eq!(lines.progress(), (bytes.len() as u64, bytes.len() as u64));
        all
    }

    fn event(id: &str) -> String {
        format!(r#"{{"event_id":"{id}"}}"#)
    }

    #[test]
    fn lines_of_events_wrapped_or_not_are_read_and_bad_ones_keep_their_numbers() {
        let wrapped = serde_json::json!({"_message": event("b"), "_time": 0}).to_string();
        let received = serde_json::json!({"id": 1, "record": {"_message": event("c")}}).to_string();
        let text = format!(
            "\u{feff}{}\r\n\n{wrapped}\nnonsense\n{received}\n{{\"_message\":7}}\n{}",
            event("a"),
            event("d")
        );
        assert_eq!(
            lines(text.as_bytes()),
            [
                (1, Ok(event("a"))),
                (3, Ok(event("b"))),
                (4, Err(BadLine::NotJson)),
                (5, Ok(event("c"))),
                (6, Err(BadLine::NotAnEvent)),
                (7, Ok(event("d"))),
            ]
        );
    }

    #[test]
    fn tables_give_events_by_their_columns_or_by_the_one_that_holds_them() {
        let columns =
            "event_id,owner,disk_gb\r\ne1,\"Li, Lei\",40\r\ne2,\"a \"\"b\"\"\nc\",\r\ne3,x\r\n\r\ne4,,1\r\n";
        assert_eq!(
            lines(columns.as_bytes()),
            [
                (
                    2,
                    Ok(r#"{"disk_gb":"40","event_id":"e1","owner":"Li, Lei"}"#.to_owned())
                ),
                (3, Ok(r#"{"event_id":"e2","owner":"a \"b\"\nc"}"#.to_owned())),
                (5, Err(BadLine::WrongCells)),
                (6 + 1, Ok(r#"{"disk_gb":"1","event_id":"e4"}"#.to_owned())),
            ]
        );
        let whole = "_time,_message\n1,\"{\"\"event_id\"\":\"\"w\"\"}\"\n";
        assert_eq!(lines(whole.as_bytes()), [(2, Ok(event("w")))]);
    }

    #[test]
    fn a_compressed_file_is_known_by_its_beginning_and_one_that_is_cut_is_told() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for number in 0..5000 {
            writeln!(encoder, "{}", event(&format!("e{number}"))).unwrap();
        }
        let bytes = encoder.finish().unwrap();
        let all = lines(&bytes);
        assert_eq!((all.len(), &all[4999]), (5000, &(5000, Ok(event("e4999")))));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cut");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let mut cut = Lines::open(&path).unwrap();
        let mut read = 0;
        let told = loop {
            match cut.next_line() {
                Ok(Some(_)) => read += 1,
                Ok(None) => panic!("the cut passed for an end"),
                Err(error) => break error,
            }
        };
        assert!(
            read > 0 && told.kind() == io::ErrorKind::UnexpectedEof,
            "{read} {told}"
        );
        assert!(Lines::open(dir.path()).is_err(), "a directory is no file");
    }

    #[test]
    fn a_line_without_end_is_passed_over_in_little_memory() {
        let mut text = vec![b'{'; LONGEST * 3];
        text.push(b'\n');
        text.extend_from_slice(event("after").as_bytes());
        assert_eq!(
            lines(&text),
            [(1, Err(BadLine::TooLong)), (2, Ok(event("after")))]
        );
        let mut table = b"event_id,x\n\"".to_vec();
        table.extend(std::iter::repeat_n(b'y', LONGEST));
        table.extend_from_slice(b"\ne1,2\n");
        let told = lines(&table);
        assert_eq!(told[0], (2, Err(BadLine::TooLong)));
        assert_eq!(told.len(), 2, "{told:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..600), head in any::<bool>()) {
            let mut text = if head { b"event_id,owner\n".to_vec() } else { Vec::new() };
            text.extend(bytes);
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("x");
            std::fs::write(&path, &text).unwrap();
            let mut lines = Lines::open(&path).unwrap();
            let mut before = 0;
            while let Ok(Some((number, _))) = lines.next_line() {
                prop_assert!(number > before, "lines only go forward");
                before = number;
            }
        }
    }
}
