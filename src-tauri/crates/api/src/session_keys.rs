//! Files with private keys to log in with: a person chooses one in the system's dialog, and the page gets a name for it and never
//! learns where it lies.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use wangcheng::sessions::How;
use wangcheng::{Code, Failure, Result};

use crate::host::Api;
use crate::views::sessions::{ChosenKey, SessionHow};

/// Most files that are remembered; the oldest go.
const KEYS_MOST: usize = 16;

/// The files that were chosen, by their ids.
#[derive(Default)]
pub(crate) struct Keys(Mutex<VecDeque<(String, PathBuf)>>);

impl Keys {
    fn keep(&self, file: PathBuf) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEYS_MOST {
            keys.pop_front();
        }
        keys.push_back((id.clone(), file));
        id
    }

    fn file(&self, id: &str) -> Option<PathBuf> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = keys.iter().find(|(known, _)| known == id)?;
        Some(found.1.clone())
    }
}

impl Api {
    /// Asks a person for a file with a private key; nothing when they changed their mind.
    pub(crate) async fn choose_key(&self) -> Result<Option<ChosenKey>> {
        let choose = self.desk().choose_file.get().cloned();
        let choose = choose.ok_or_else(|| Failure::new(Code::BadInput).with("field", "key"))?;
        let Some(file) = choose().await else {
            return Ok(None);
        };
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Some(ChosenKey {
            id: self.desk().keys.keep(file),
            name: name.unwrap_or_default(),
        }))
    }

    /// What a page wants otherwise than usual.
    pub(crate) fn how_of(&self, how: SessionHow) -> Result<How> {
        let said = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let key_file = match how.key {
            Some(id) => {
                let file = self.desk().keys.file(&id);
                Some(file.ok_or_else(|| Failure::new(Code::BadInput).with("field", "key"))?)
            }
            None => None,
        };
        Ok(How {
            user: said(how.user),
            key_file,
            jumps: said(how.jumps),
        })
    }
}
