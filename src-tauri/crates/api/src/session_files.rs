//! What a window of sessions can ask about a server's files. A file of this computer is never named by the page: the shell
//! asks the person, and hands over what was chosen.

use std::path::{Path, PathBuf};

use wangcheng::sessions::files::JobId;
use wangcheng::{Code, Failure, Result};

use crate::error::WireError;
use crate::host::Api;
use crate::views::files::{FilesAct, FilesAnswer};

impl Api {
    /// Does what is asked about a server's files.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn files_act(&self, act: FilesAct) -> Result<FilesAnswer, WireError> {
        let done = self.do_files_act(act).await;
        done.map_err(|failure| self.in_words(&failure))
    }

    /// Copies files and folders of this computer into a folder of a server.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn upload(&self, session: &str, here: Vec<PathBuf>, folder: &str) -> Result<(), WireError> {
        let added = async { self.domain().await?.copy_up(session, here, folder) };
        added.await.map_err(|failure| self.in_words(&failure))
    }

    /// Copies files and folders of a server into a folder of this computer.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn download(&self, session: &str, there: &[String], folder: &Path) -> Result<(), WireError> {
        let added = async { self.domain().await?.copy_down(session, there, folder) };
        added.await.map_err(|failure| self.in_words(&failure))
    }

    /// The folder of this computer that a copy came from or went to; nothing when there is no such copy.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn folder_of_copy(&self, session: &str, copy: u64) -> Result<Option<PathBuf>, WireError> {
        let looked = async { self.domain().await?.copies(session) };
        let jobs = looked.await.map_err(|failure| self.in_words(&failure))?;
        let job = jobs.iter().find(|job| job.id == JobId(copy));
        Ok(job.and_then(|job| Some(Path::new(&job.here).parent()?.to_owned())))
    }

    /// Fetches a file of a server to be changed here; where its copy lies. `rescue`: the folder for what cannot be saved in
    /// the end.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn edit(&self, session: &str, path: &str, rescue: &Path) -> Result<PathBuf, WireError> {
        let fetched = async { self.domain().await?.edit_file(session, path, rescue).await };
        fetched.await.map_err(|failure| self.in_words(&failure))
    }

    /// Where the copy of a file that is changed here lies.
    ///
    /// # Errors
    /// What went wrong, in the user's language.
    pub async fn edit_place(&self, session: &str, edit: u64) -> Result<PathBuf, WireError> {
        let place = async { self.domain().await?.edit_place(session, edit) };
        place.await.map_err(|failure| self.in_words(&failure))
    }

    /// No editor could be opened.
    pub fn no_editor(&self, why: &std::io::Error) -> WireError {
        self.in_words(&Failure::new(Code::EditorAbsent).saying(why))
    }

    async fn do_files_act(&self, act: FilesAct) -> Result<FilesAnswer, Failure> {
        let domain = self.domain().await?;
        match act {
            FilesAct::List { session, folder } => {
                let folder = domain.list_files(&session, folder.as_deref()).await?;
                return Ok(FilesAnswer::Folder {
                    folder: folder.into(),
                });
            }
            FilesAct::Remove { session, paths } => {
                let count = domain.remove_files(&session, &paths).await?;
                return Ok(FilesAnswer::Removed { count });
            }
            FilesAct::Copies { session } => {
                let copies = self.speaker(&domain).copies(&domain.copies(&session)?);
                return Ok(FilesAnswer::Copies { copies });
            }
            FilesAct::MakeFolder { session, path } => domain.make_folder(&session, &path).await?,
            FilesAct::Rename { session, from, to } => domain.rename_file(&session, &from, &to).await?,
            FilesAct::Mode { session, paths, mode } => domain.set_file_modes(&session, &paths, mode).await?,
            FilesAct::StopRemoving { session } => domain.stop_removing(&session)?,
            FilesAct::Steer { session, copy, how } => domain.steer_copy(&session, JobId(copy), how.into())?,
            FilesAct::ClearCopies { session } => domain.clear_copies(&session)?,
            FilesAct::Edits { session } => {
                let edits = self.speaker(&domain).edits(domain.edits(&session)?);
                return Ok(FilesAnswer::Edits { edits });
            }
            FilesAct::SaveEdit { session, edit } => domain.save_edit(&session, edit)?,
            FilesAct::EndEdit { session, edit } => domain.end_edit(&session, edit)?,
        }
        Ok(FilesAnswer::Done)
    }
}
