//! SFTP on a guest's disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, FileMode, Handle, Name, OpenFlags, Status, StatusCode,
};
use russh_sftp::server::{Handler, StatusReply};

use super::disk::{Disk, Node, Trouble, whole};
use super::machine::{HOME, Machine};

/// Most files and folders that are open at once on one channel.
const HANDLES_MOST: usize = 128;
/// Most bytes in one answer.
const READ_MOST: usize = 255 * 1024;
/// Most names in one answer.
const NAMES_MOST: usize = 200;

/// One channel.
pub(super) struct Sftp {
    machine: Arc<Mutex<Machine>>,
    open: HashMap<String, Opened>,
    handles: u64,
}

enum Opened {
    File {
        path: String,
        append: bool,
    },
    /// What is not told yet.
    Folder(Vec<File>),
}

impl Sftp {
    pub(super) fn new(machine: Arc<Mutex<Machine>>) -> Self {
        Self {
            machine,
            open: HashMap::new(),
            handles: 0,
        }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&mut self, id: u32, opened: Opened) -> Result<Handle, StatusReply> {
        if self.open.len() >= HANDLES_MOST {
            return Err(StatusCode::Failure.with_message("Too many open files"));
        }
        self.handles += 1;
        let handle = self.handles.to_string();
        self.open.insert(handle.clone(), opened);
        Ok(Handle { id, handle })
    }

    fn file(&self, handle: &str) -> Result<(&str, bool), StatusReply> {
        match self.open.get(handle) {
            Some(Opened::File { path, append }) => Ok((path, *append)),
            _ => Err(StatusCode::Failure.with_message("No such handle")),
        }
    }

    fn look(&self, id: u32, path: &str) -> Result<Attrs, StatusReply> {
        let machine = self.machine();
        let node = machine.disk.node(path).ok_or_else(|| reply(Trouble::Missing))?;
        let attrs = attributes(node);
        Ok(Attrs { id, attrs })
    }

    fn change(
        &self,
        id: u32,
        act: impl FnOnce(&mut Disk) -> Result<(), Trouble>,
    ) -> Result<Status, StatusReply> {
        act(&mut self.machine().disk).map_err(reply)?;
        Ok(done(id))
    }

    fn set(&self, id: u32, path: &str, attrs: &FileAttributes) -> Result<Status, StatusReply> {
        self.change(id, |disk| {
            if let Some(size) = attrs.size {
                disk.resize(path, usize::try_from(size).map_err(|_| Trouble::Full)?)?;
            }
            disk.set(path, attrs.permissions, attrs.mtime)
        })
    }
}

fn reply(trouble: Trouble) -> StatusReply {
    let code = match trouble {
        Trouble::Missing => StatusCode::NoSuchFile,
        _ => StatusCode::Failure,
    };
    code.with_message(trouble.to_string())
}

fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: "Ok".to_owned(),
        language_tag: "en-US".to_owned(),
    }
}

fn attributes(node: &Node) -> FileAttributes {
    let kind = match node.is_folder() {
        true => FileMode::DIR,
        false => FileMode::REG,
    };
    FileAttributes {
        size: u64::try_from(node.size()).ok(),
        uid: Some(0),
        gid: Some(0),
        permissions: Some(kind.bits() | node.mode),
        atime: Some(node.modified),
        mtime: Some(node.modified),
        ..FileAttributes::empty()
    }
}

fn at_home(path: &str) -> String {
    whole(HOME, path)
}

impl Handler for Sftp {
    type Error = StatusReply;

    fn unimplemented(&self) -> Self::Error {
        StatusCode::OpUnsupported.into()
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        flags: OpenFlags,
        attrs: FileAttributes,
    ) -> Result<Handle, Self::Error> {
        let path = at_home(&filename);
        {
            let disk = &mut self.machine().disk;
            let is_there = disk.node(&path).is_some();
            if is_there && flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUDE) {
                return Err(reply(Trouble::Exists));
            }
            if !is_there && flags.contains(OpenFlags::CREATE) {
                disk.create(&path).map_err(reply)?;
                disk.set(&path, attrs.permissions, None).map_err(reply)?;
            }
            disk.read(&path).map_err(reply)?;
            if flags.contains(OpenFlags::TRUNCATE) {
                disk.resize(&path, 0).map_err(reply)?;
            }
        }
        let append = flags.contains(OpenFlags::APPEND);
        self.keep(id, Opened::File { path, append })
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, Self::Error> {
        match self.open.remove(&handle) {
            Some(_) => Ok(done(id)),
            None => Err(StatusCode::Failure.with_message("No such handle")),
        }
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, Self::Error> {
        let (path, _) = self.file(&handle)?;
        let machine = self.machine();
        let content = machine.disk.read(path).map_err(reply)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = content.get(start..).unwrap_or_default();
        if rest.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        let most = usize::try_from(len).unwrap_or(READ_MOST).min(READ_MOST);
        let data = rest.get(..most.min(rest.len())).unwrap_or_default().to_vec();
        Ok(Data { id, data })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, Self::Error> {
        let (path, append) = self.file(&handle)?;
        self.change(id, |disk| match append {
            true => disk.write(path, &data, true),
            false => disk.write_at(path, offset, &data),
        })
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        self.look(id, &at_home(&path))
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        self.look(id, &at_home(&path))
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, Self::Error> {
        self.look(id, self.file(&handle)?.0)
    }

    async fn setstat(&mut self, id: u32, path: String, attrs: FileAttributes) -> Result<Status, Self::Error> {
        self.set(id, &at_home(&path), &attrs)
    }

    async fn fsetstat(
        &mut self,
        id: u32,
        handle: String,
        attrs: FileAttributes,
    ) -> Result<Status, Self::Error> {
        self.set(id, self.file(&handle)?.0, &attrs)
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, Self::Error> {
        let files = {
            let machine = self.machine();
            let names = machine.disk.names(&at_home(&path)).map_err(reply)?;
            let told = names
                .iter()
                .map(|(name, node)| File::new(*name, attributes(node)));
            // Taken from the end.
            told.rev().collect()
        };
        self.keep(id, Opened::Folder(files))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, Self::Error> {
        let Some(Opened::Folder(left)) = self.open.get_mut(&handle) else {
            return Err(StatusCode::Failure.with_message("No such handle"));
        };
        if left.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        let mut files = left.split_off(left.len().saturating_sub(NAMES_MOST));
        files.reverse();
        Ok(Name { id, files })
    }

    async fn remove(&mut self, id: u32, filename: String) -> Result<Status, Self::Error> {
        self.change(id, |disk| disk.remove_file(&at_home(&filename)))
    }

    async fn mkdir(&mut self, id: u32, path: String, attrs: FileAttributes) -> Result<Status, Self::Error> {
        let path = at_home(&path);
        self.change(id, |disk| {
            disk.make_folder(&path)?;
            disk.set(&path, attrs.permissions, None)
        })
    }

    async fn rmdir(&mut self, id: u32, path: String) -> Result<Status, Self::Error> {
        self.change(id, |disk| disk.remove_folder(&at_home(&path)))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, Self::Error> {
        let files = vec![File::dummy(at_home(&path))];
        Ok(Name { id, files })
    }

    async fn rename(&mut self, id: u32, oldpath: String, newpath: String) -> Result<Status, Self::Error> {
        self.change(id, |disk| {
            disk.rename(&at_home(&oldpath), &at_home(&newpath), false)
        })
    }
}
