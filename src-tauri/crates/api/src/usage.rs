//! What of the usage summary needs this computer: a file to read, the system's printing, and somebody to tell of budgets. The
//! page never names a file: a person chooses in the system's own dialog, and the command line hands over what was typed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use wangcheng::platform::ReadingState;
use wangcheng::{Code, Failure, Result};

use crate::desk::{ChooseFile, Print};
use crate::error::WireError;
use crate::host::Api;
use crate::views::Change;
use crate::views::facts::Reading;

/// How often budgets are looked at where nothing happens: a month goes on by itself.
const BUDGETS_EVERY: Duration = Duration::from_secs(3600);
/// How long what happens is let settle before.
const BUDGETS_SETTLE: Duration = Duration::from_secs(15);

impl Api {
    /// How a person is asked for a file. Once; without it, none can be chosen.
    pub fn choose_files_by(&self, choose: ChooseFile) {
        // Set once, by the shell.
        let _ = self.desk().choose_file.set(choose);
    }

    /// Reads exported events from the file that a person chooses; nothing when they changed their mind.
    pub(crate) async fn import_chosen(&self) -> Result<Option<Reading>> {
        let choose = self.desk().choose_file.get().cloned();
        let choose = choose.ok_or_else(|| Failure::new(Code::BadInput).with("field", "file"))?;
        match choose().await {
            Some(file) => Ok(Some(self.begin_import(file).await?)),
            None => Ok(None),
        }
    }

    /// Begins to read a file of exported events. Not in the table: a page has no business with names of files.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn import_events(&self, file: &Path) -> Result<Reading, WireError> {
        let begun = self.begin_import(file.to_owned()).await;
        begun.map_err(|failure| WireError::new(&failure, self.tongue()))
    }

    async fn begin_import(&self, file: PathBuf) -> Result<Reading> {
        let domain = self.domain().await?;
        Ok(self.speaker(&domain).reading(domain.import_events(file).await?))
    }

    /// How the system prints. Once; without it, nothing can be printed.
    pub fn print_by(&self, print: Print) {
        // Set once, by the shell.
        let _ = self.desk().print.set(print);
    }

    /// Opens the system's dialog that prints what the window shows.
    pub(crate) fn print(&self) -> Result<()> {
        let print = self.desk().print.get().ok_or(Code::NotPrinted)?;
        print().map_err(|error| Failure::new(Code::NotPrinted).saying(error))
    }

    /// Tells what of the budgets is reached, until the program ends. Only where a person is told: what is told is told once.
    pub async fn follow_budgets(&self) {
        let mut changes = self.changes();
        loop {
            tokio::time::sleep(BUDGETS_SETTLE).await;
            if let Ok(domain) = self.domain().await {
                match domain.budgets_to_tell().await {
                    Ok(all) => {
                        for reached in all {
                            let reached = Box::new(reached);
                            self.tell(Change::BudgetReached { reached });
                        }
                    }
                    Err(failure) => tracing::info!(%failure, "budgets cannot be looked at"),
                }
            }
            let until = tokio::time::Instant::now() + BUDGETS_EVERY;
            loop {
                match tokio::time::timeout_at(until, changes.recv()).await {
                    Ok(Ok(change)) if !counts(&change) => {}
                    Ok(Err(RecvError::Closed)) => return,
                    _ => break,
                }
            }
        }
    }
}

/// Whether it may have changed what is spent.
fn counts(change: &Change) -> bool {
    match change {
        Change::Events { .. } | Change::Reload => true,
        Change::Reading { reading } => reading.state != ReadingState::Running,
        _ => false,
    }
}
