//! The sandbox's files: its state and its announcement, each replaced as a whole or not at all.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    world::World,
};

/// Version of the state's format; a file of another one is refused.
const VERSION: u32 = 2;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    world: &'a World,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    world: World,
}

/// The state in the file, `None` if there is no file yet.
pub(crate) fn load(path: &Path) -> Result<Option<World>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(file_error(path, source)),
    };
    let wrong = |reason: String| Error::State {
        path: path.to_owned(),
        reason,
    };
    let read: Read = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    if read.version != VERSION {
        return Err(wrong(format!("it has version {}, not {VERSION}", read.version)));
    }
    Ok(Some(read.world))
}

/// The state as it is written by [`replace`].
pub(crate) fn state_text(world: &World) -> io::Result<Vec<u8>> {
    serde_json::to_vec(&Written {
        version: VERSION,
        world,
    })
    .map_err(io::Error::other)
}

/// Puts `text` into the file so that a reader sees the old or the new whole of it. Only the user can read it.
pub(crate) fn replace(path: &Path, text: &[u8]) -> Result<()> {
    replace_inner(path, text).map_err(|source| file_error(path, source))
}

fn replace_inner(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)
}

fn file_error(path: &Path, source: io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}
