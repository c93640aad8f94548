//! The usage summary as a file for other programs: a table as CSV, or all tables as a workbook (XLSX).
//!
//! Figures go out as numbers and days as dates, so that a spreadsheet can go on with them; a text from outside is never
//! taken for a formula. Rows are written as they are read, however many there are; the page learns the file's name only.

mod csv;
mod tables;
mod xlsx;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wangcheng::usage::UsageAsk;
use wangcheng::{Code, Failure, Result};

use crate::error::WireError;
use crate::host::Api;

/// Most files of one name that are looked past for a free one.
const NAMES_MOST: u32 = 1_000;

/// As what the summary goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// One table, in UTF-8 with a mark at its beginning, by which spreadsheets know that.
    Csv,
    /// All tables.
    Xlsx,
}

/// One table of the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExportTable {
    /// Figures, with the period before.
    Summary,
    /// Month by month.
    #[default]
    Months,
    /// Day by day.
    Days,
    /// By owner.
    Owners,
    /// By flavor.
    Flavors,
    /// By region.
    Regions,
    /// By purpose.
    Purposes,
    /// By template.
    Templates,
    /// All servers, dearest first.
    Servers,
    /// Where the figures come from.
    Sources,
}

/// Asks for the summary as a file.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExportUsage {
    /// Which days and which part.
    pub ask: UsageAsk,
    /// As what.
    pub format: ExportFormat,
    /// Which table, where only one goes out.
    #[serde(default)]
    #[ts(optional, as = "Option<ExportTable>")]
    pub table: ExportTable,
}

/// A file that was written.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// Its name, without the folder: that of downloads.
    pub name: String,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(String),
    Count(u64),
    /// Hours and the like.
    Number(Decimal),
    Money(Decimal),
    Day(NaiveDate),
    /// The first of it.
    Month(NaiveDate),
    Moment(DateTime<Utc>),
    Nothing,
}

/// Rows, read as they are written.
type Rows = Box<dyn Iterator<Item = Result<Vec<Cell>>> + Send>;

/// Rows that lie ready.
fn rows(rows: Vec<Vec<Cell>>) -> Rows {
    Box::new(rows.into_iter().map(Ok))
}

/// One table with its headings.
struct Table {
    name: &'static str,
    head: Vec<String>,
    rows: Rows,
}

/// Where a table or a workbook is written to.
pub enum Target {
    /// A new file.
    File(File),
    /// What takes one piece after the other: tables only.
    Stream(Box<dyn Write + Send>),
}

fn not_written(error: impl std::fmt::Display) -> Failure {
    Failure::new(Code::ExportNotWritten).saying(error)
}

impl Api {
    /// Writes the summary into the folder of downloads, under a name that is free.
    pub(crate) async fn save_usage(&self, ask: ExportUsage) -> Result<Exported> {
        let name = format!(
            "wangcheng-{}-{}",
            ask.ask.from.format("%Y%m%d"),
            ask.ask.to.format("%Y%m%d")
        );
        let ending = match ask.format {
            ExportFormat::Csv => "csv",
            ExportFormat::Xlsx => "xlsx",
        };
        let folder = downloads();
        let made = tokio::task::spawn_blocking(move || create(&folder, &name, ending));
        let made = made.await.map_err(not_written)?;
        let (path, file) = made.map_err(not_written)?;
        let written = self.write(ask, Target::File(file)).await;
        let done = tokio::task::spawn_blocking(move || {
            // Half a file is none.
            if written.is_err() {
                let _ = std::fs::remove_file(&path);
            }
            written?;
            let bytes = std::fs::metadata(&path).map_err(not_written)?.len();
            let name = path.file_name().unwrap_or_default();
            Ok(Exported {
                name: name.to_string_lossy().into_owned(),
                bytes,
            })
        });
        done.await.map_err(not_written)?
    }

    /// Writes the summary where a person said. Not in the table: a page has no business with files.
    ///
    /// # Errors
    /// What went wrong, in the user's language; what was written by then stays.
    pub async fn export_usage(&self, ask: ExportUsage, target: Target) -> Result<(), WireError> {
        let written = self.write(ask, target).await;
        written.map_err(|failure| WireError::new(&failure, self.tongue()))
    }

    async fn write(&self, ask: ExportUsage, target: Target) -> Result<()> {
        let domain = self.domain().await?;
        let tongue = self.tongue();
        let only = (ask.format == ExportFormat::Csv).then_some(ask.table);
        let mut tables = tables::all(&domain, &ask.ask, tongue, only).await?;
        let written = tokio::task::spawn_blocking(move || match (ask.format, target) {
            (ExportFormat::Csv, target) => {
                let table = tables.pop().ok_or(Code::Internal)?;
                let (out, file): (Box<dyn Write>, _) = match target {
                    Target::File(file) => (Box::new(file.try_clone().map_err(not_written)?), Some(file)),
                    Target::Stream(stream) => (stream, None),
                };
                let mut out = BufWriter::with_capacity(1 << 16, out);
                csv::write(table, &mut out)?;
                out.flush().map_err(not_written)?;
                file.map_or(Ok(()), |file| file.sync_all()).map_err(not_written)
            }
            (ExportFormat::Xlsx, Target::File(file)) => {
                let file = xlsx::write(tables, BufWriter::with_capacity(1 << 16, file))?;
                let file = file.into_inner().map_err(not_written)?;
                file.sync_all().map_err(not_written)
            }
            (ExportFormat::Xlsx, Target::Stream(_)) => {
                Err(Failure::new(Code::BadInput).with("field", "format"))
            }
        });
        written
            .await
            .map_err(|error| Failure::new(Code::Internal).saying(error))?
    }
}

/// Where downloads of this user go.
pub(crate) fn downloads() -> PathBuf {
    let place = dirs::download_dir().or_else(dirs::home_dir);
    place.unwrap_or_else(|| PathBuf::from("."))
}

/// Makes a new file: what is there stays.
fn create(folder: &Path, name: &str, ending: &str) -> std::io::Result<(PathBuf, File)> {
    std::fs::create_dir_all(folder)?;
    for nth in 0..NAMES_MOST {
        let name = match nth {
            0 => format!("{name}.{ending}"),
            _ => format!("{name} ({nth}).{ending}"),
        };
        let path = folder.join(name);
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let (first, mut file) = create(dir.path(), "usage", "csv").unwrap();
        file.write_all(b"one").unwrap();
        let (second, _) = create(dir.path(), "usage", "csv").unwrap();
        let name = |path: &Path| path.file_name().unwrap().to_owned();
        assert_eq!(
            (name(&first), name(&second)),
            ("usage.csv".into(), "usage (1).csv".into())
        );
        assert_eq!(std::fs::read(first).unwrap(), b"one");
    }
}
