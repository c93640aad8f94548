//! What a window of sessions can ask about recordings.

use std::path::Path;

use wangcheng::{Code, Failure, Result};

use crate::error::WireError;
use crate::host::Api;
use crate::views::recordings::{RecordingsAct, RecordingsAnswer};

/// Most names that are tried for a copy whose own is taken.
const NAMES_MOST: u32 = 1000;

impl Api {
    /// Does what is asked about recordings; `downloads` is where a copy goes.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn recordings_act(
        &self,
        act: RecordingsAct,
        downloads: &Path,
    ) -> Result<RecordingsAnswer, WireError> {
        let done = self.do_recordings_act(act, downloads).await;
        done.map_err(|failure| self.in_words(&failure))
    }

    async fn do_recordings_act(&self, act: RecordingsAct, downloads: &Path) -> Result<RecordingsAnswer> {
        let domain = self.domain().await?;
        match act {
            RecordingsAct::List => {}
            RecordingsAct::Read { recording, from } => {
                let part = domain.read_recording(&recording, from).await?.into();
                return Ok(RecordingsAnswer::Part { part });
            }
            RecordingsAct::Search { text } => {
                let places = domain.search_recordings(&text).await?;
                let places = places.into_iter().map(Into::into).collect();
                return Ok(RecordingsAnswer::Places { places });
            }
            RecordingsAct::Remove { recording } => domain.remove_recording(&recording).await?,
            RecordingsAct::Export { recording } => {
                let file = domain.recording(&recording)?;
                let name = copied(&file, downloads).await.map_err(|error| {
                    Failure::new(Code::FileFailed)
                        .with("path", downloads.display())
                        .saying(error)
                })?;
                return Ok(RecordingsAnswer::Exported { name });
            }
        }
        let recordings = domain.recordings().await?.into_iter().map(Into::into).collect();
        Ok(RecordingsAnswer::List { recordings })
    }
}

/// Copies a file into a folder under a name that is free there; says which.
async fn copied(file: &Path, folder: &Path) -> std::io::Result<String> {
    tokio::fs::create_dir_all(folder).await?;
    let stem = file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("recording");
    for number in 1..=NAMES_MOST {
        let name = match number {
            1 => format!("{stem}.cast"),
            number => format!("{stem} ({number}).cast"),
        };
        let mut options = tokio::fs::OpenOptions::new();
        let made = options
            .write(true)
            .create_new(true)
            .open(folder.join(&name))
            .await;
        let mut to = match made {
            Ok(to) => to,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        let mut from = tokio::fs::File::open(file).await?;
        tokio::io::copy(&mut from, &mut to).await?;
        to.sync_all().await?;
        return Ok(name);
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}
