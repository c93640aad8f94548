//! What of the usage summary needs files of this computer. The page never names one: a person chooses in the system's own
//! dialog, and the command line hands over what was typed.

use std::path::{Path, PathBuf};

use wangcheng::{Code, Failure, Result};

use crate::desk::ChooseFile;
use crate::error::WireError;
use crate::host::Api;
use crate::views::facts::Reading;

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
}
