//! The usage summary as a file for other programs: a table as CSV, or all tables as a workbook (XLSX).
//!
//! Figures go out as numbers and days as dates, so that a spreadsheet can go on with them; a text from outside is never
//! taken for a formula. The file is made here whole, and the page learns its name only.

mod csv;
mod tables;
mod xlsx;

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
    /// The servers, dearest first; a thousand at most.
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

/// One table with its headings.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    name: &'static str,
    head: Vec<String>,
    rows: Vec<Vec<Cell>>,
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
        let bytes = self.made(ask).await?;
        let folder = downloads();
        let written = tokio::task::spawn_blocking(move || keep(&folder, &name, ending, &bytes));
        let not_written = |error: String| Failure::new(Code::ExportNotWritten).saying(error);
        match written.await {
            Ok(kept) => kept.map_err(|error| not_written(error.to_string())),
            Err(error) => Err(not_written(error.to_string())),
        }
    }

    /// The summary as the bytes of a file. Not in the table: whoever asks for it writes it where a person said.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn export_usage(&self, ask: ExportUsage) -> Result<Vec<u8>, WireError> {
        let made = self.made(ask).await;
        made.map_err(|failure| WireError::new(&failure, self.tongue()))
    }

    async fn made(&self, ask: ExportUsage) -> Result<Vec<u8>> {
        let domain = self.domain().await?;
        let tongue = self.tongue();
        let only = (ask.format == ExportFormat::Csv).then_some(ask.table);
        let tables = tables::all(&domain, &ask.ask, tongue, only).await?;
        let made = tokio::task::spawn_blocking(move || match ask.format {
            ExportFormat::Csv => Ok(tables.first().map(csv::write).unwrap_or_default()),
            ExportFormat::Xlsx => xlsx::write(&tables),
        });
        made.await
            .map_err(|error| Failure::new(Code::Internal).saying(error))?
    }
}

/// Where downloads of this user go.
pub(crate) fn downloads() -> PathBuf {
    let place = dirs::download_dir().or_else(dirs::home_dir);
    place.unwrap_or_else(|| PathBuf::from("."))
}

/// Writes a new file: what is there stays.
fn keep(folder: &Path, name: &str, ending: &str, bytes: &[u8]) -> std::io::Result<Exported> {
    use std::io::Write as _;
    std::fs::create_dir_all(folder)?;
    for nth in 0..NAMES_MOST {
        let name = match nth {
            0 => format!("{name}.{ending}"),
            _ => format!("{name} ({nth}).{ending}"),
        };
        let made = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(folder.join(&name));
        match made {
            Ok(mut file) => {
                file.write_all(bytes)?;
                file.sync_all()?;
                let bytes = bytes.len() as u64;
                return Ok(Exported { name, bytes });
            }
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
        let first = keep(dir.path(), "usage", "csv", b"one").unwrap();
        let second = keep(dir.path(), "usage", "csv", b"other").unwrap();
        assert_eq!(
            (first.name.as_str(), second.name.as_str()),
            ("usage.csv", "usage (1).csv")
        );
        assert_eq!(std::fs::read(dir.path().join("usage.csv")).unwrap(), b"one");
    }
}
