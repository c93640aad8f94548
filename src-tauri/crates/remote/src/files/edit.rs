//! A file that somebody changes here: fetched whole, and put back in its place in one step, with the permissions and the owner
//! that it had.

use std::path::Path;

use russh_sftp::protocol::FileAttributes;
use tokio_util::sync::CancellationToken;

use super::transfer::{Done, down, up};
use super::{Entry, Files, Kind, remote};
use crate::error::{Error, FileTrouble, Result};

impl Files {
    /// Fetches a file of at most so many bytes to a place here that nothing has. Says what it is over there.
    ///
    /// # Errors
    /// [`Error::RemoteFile`]: [`FileTrouble::NotAFile`], [`FileTrouble::TooLarge`] and what the server says.
    pub async fn fetch(&self, there: &str, here: &Path, most: u64) -> Result<Entry> {
        let found = self.look(there).await?;
        if found.kind != Kind::File {
            return Err(remote(there, FileTrouble::NotAFile));
        }
        if found.size > most {
            return Err(remote(there, FileTrouble::TooLarge));
        }
        down(
            self,
            there,
            here,
            false,
            &Done::default(),
            &CancellationToken::new(),
        )
        .await?;
        #[cfg(unix)]
        {
            let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            let kept = tokio::fs::set_permissions(here, own).await;
            kept.map_err(|error| Error::local(here, &error))?;
        }
        Ok(found)
    }

    /// Whether a file over there is still what it was.
    ///
    /// # Errors
    /// What the server says; one that is gone has changed.
    pub async fn is_still(&self, there: &str, was: &Entry) -> Result<bool> {
        match self.look(there).await {
            Ok(now) => Ok((now.kind, now.size, now.modified) == (was.kind, was.size, was.modified)),
            Err(Error::RemoteFile {
                why: FileTrouble::Missing,
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts a file of this computer in the place of one over there. `was`: what that was like. Says what it is like now.
    ///
    /// # Errors
    /// [`Error::RemoteFile`], [`Error::LocalFile`]; what was there is still there then.
    pub async fn put_back(&self, here: &Path, there: &str, was: &Entry) -> Result<Entry> {
        up(
            self,
            here,
            there,
            true,
            &Done::default(),
            &CancellationToken::new(),
        )
        .await?;
        if was.owner.is_some() && was.group.is_some() {
            let attributes = FileAttributes {
                uid: was.owner,
                gid: was.group,
                ..FileAttributes::default()
            };
            // Only root may give a file away; whoever else saves it has it from now on.
            let _ = self.told(there, self.sftp.set_metadata(there, attributes)).await;
        }
        if let Some(mode) = was.mode {
            self.set_mode(there, mode).await?;
        }
        self.look(there).await
    }
}
