//! A guest's disk: files and folders in memory, for as long as the region runs. No file of this computer is read or written.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Most bytes that all files have together.
const BYTES_MOST: usize = 64 * 1024 * 1024;
/// Most files and folders.
const NODES_MOST: usize = 10_000;
/// Longest whole path, in bytes.
const PATH_MOST: usize = 4096;
/// Longest name, in bytes.
const NAME_MOST: usize = 255;

/// The disk, by whole paths without a slash at the end.
pub(super) struct Disk {
    nodes: BTreeMap<String, Node>,
    /// Bytes of all files.
    used: usize,
}

/// A file or a folder.
pub(super) struct Node {
    /// Nothing for a folder.
    content: Option<Vec<u8>>,
    /// Permissions, the lower 12 bits.
    pub mode: u32,
    /// When it was changed, in seconds of Unix time.
    pub modified: u32,
}

/// Why something cannot be done, in the words of a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Missing,
    Exists,
    NotFolder,
    IsFolder,
    NotEmpty,
    IntoItself,
    TooLong,
    Full,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "No such file or directory",
            Self::Exists => "File exists",
            Self::NotFolder => "Not a directory",
            Self::IsFolder => "Is a directory",
            Self::NotEmpty => "Directory not empty",
            Self::IntoItself => "Invalid argument",
            Self::TooLong => "File name too long",
            Self::Full => "No space left on device",
        })
    }
}

type Result<T> = std::result::Result<T, Trouble>;

impl Node {
    fn file(content: Vec<u8>) -> Self {
        Self {
            content: Some(content),
            mode: 0o644,
            modified: now(),
        }
    }

    fn folder() -> Self {
        Self {
            content: None,
            mode: 0o755,
            modified: now(),
        }
    }

    pub(super) fn is_folder(&self) -> bool {
        self.content.is_none()
    }

    /// In bytes.
    pub(super) fn size(&self) -> usize {
        self.content.as_ref().map_or(4096, Vec::len)
    }

    /// Kind and permissions as `ls -l` shows them.
    pub(super) fn letters(&self) -> String {
        let kind = if self.is_folder() { 'd' } else { '-' };
        let right = |at: u32| match ((self.mode >> at) & 1, at % 3) {
            (0, _) => '-',
            (_, 2) => 'r',
            (_, 1) => 'w',
            _ => 'x',
        };
        std::iter::once(kind).chain((0..9).rev().map(right)).collect()
    }
}

impl Default for Disk {
    fn default() -> Self {
        let mut disk = Self {
            nodes: BTreeMap::new(),
            used: 0,
        };
        for folder in ["/", "/etc", "/home", "/root", "/tmp", "/var", "/var/log"] {
            disk.nodes.insert(folder.to_owned(), Node::folder());
        }
        let release = "NAME=\"Wangcheng Demo Linux\"\nID=wangcheng-demo\nPRETTY_NAME=\"Wangcheng Demo Linux (simulated)\"\n";
        let readme = "This machine is simulated: it has a file system in memory and a few commands.\n这台机器是模拟的。\n";
        for (path, text) in [("/etc/os-release", release), ("/root/README.txt", readme)] {
            disk.used += text.len();
            disk.nodes
                .insert(path.to_owned(), Node::file(text.as_bytes().to_vec()));
        }
        disk
    }
}

impl Disk {
    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// What is in a file.
    pub(super) fn read(&self, path: &str) -> Result<&[u8]> {
        let node = self.node(path).ok_or(Trouble::Missing)?;
        node.content.as_deref().ok_or(Trouble::IsFolder)
    }

    /// The names in a folder, with what they are.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<(&str, &Node)>> {
        if !self.node(folder).ok_or(Trouble::Missing)?.is_folder() {
            return Err(Trouble::NotFolder);
        }
        let prefix = inside(folder);
        let found = self
            .below(&prefix)
            .filter_map(|(path, node)| Some((path.strip_prefix(&prefix)?, node)))
            .filter(|(name, _)| !name.is_empty() && !name.contains('/'))
            .collect();
        Ok(found)
    }

    fn below(&self, prefix: &str) -> impl Iterator<Item = (&String, &Node)> {
        self.nodes
            .range(prefix.to_owned()..)
            .take_while(move |(path, _)| path.starts_with(prefix))
    }

    /// Makes an empty file where nothing is.
    pub(super) fn create(&mut self, path: &str) -> Result<()> {
        self.place(path)?;
        self.nodes.insert(path.to_owned(), Node::file(Vec::new()));
        Ok(())
    }

    pub(super) fn make_folder(&mut self, path: &str) -> Result<()> {
        self.place(path)?;
        self.nodes.insert(path.to_owned(), Node::folder());
        Ok(())
    }

    /// Whether something new may be there.
    fn place(&self, path: &str) -> Result<()> {
        if self.nodes.contains_key(path) {
            return Err(Trouble::Exists);
        }
        let (folder, name) = parts(path);
        if path.len() > PATH_MOST || name.len() > NAME_MOST {
            return Err(Trouble::TooLong);
        }
        if !self.node(folder).ok_or(Trouble::Missing)?.is_folder() {
            return Err(Trouble::NotFolder);
        }
        match self.nodes.len() < NODES_MOST {
            true => Ok(()),
            false => Err(Trouble::Full),
        }
    }

    /// Writes a file, which is made if it is not there: its whole content, or more at its end.
    pub(super) fn write(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<()> {
        if !self.nodes.contains_key(path) {
            self.create(path)?;
        }
        if !append {
            self.resize(path, 0)?;
        }
        let end = self.read(path)?.len();
        self.write_at(path, u64::try_from(end).unwrap_or(u64::MAX), bytes)
    }

    /// Writes into a file from an offset on; what lies between it and the end is zero.
    pub(super) fn write_at(&mut self, path: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        let start = usize::try_from(offset).map_err(|_| Trouble::Full)?;
        let end = start.checked_add(bytes.len()).ok_or(Trouble::Full)?;
        if end > self.read(path)?.len() {
            self.resize(path, end)?;
        }
        let node = self.nodes.get_mut(path).ok_or(Trouble::Missing)?;
        let content = node.content.as_mut().ok_or(Trouble::IsFolder)?;
        if let Some(place) = content.get_mut(start..end) {
            place.copy_from_slice(bytes);
        }
        node.modified = now();
        Ok(())
    }

    /// Cuts a file, or makes it longer with zeros.
    pub(super) fn resize(&mut self, path: &str, size: usize) -> Result<()> {
        let before = self.read(path)?.len();
        let used = (self.used - before).saturating_add(size);
        if used > BYTES_MOST {
            return Err(Trouble::Full);
        }
        self.used = used;
        if let Some(node) = self.nodes.get_mut(path) {
            node.content.get_or_insert_default().resize(size, 0);
            node.modified = now();
        }
        Ok(())
    }

    /// Sets permissions and when it was changed, where they are given.
    pub(super) fn set(&mut self, path: &str, mode: Option<u32>, modified: Option<u32>) -> Result<()> {
        let node = self.nodes.get_mut(path).ok_or(Trouble::Missing)?;
        node.mode = mode.map_or(node.mode, |mode| mode & 0o7777);
        node.modified = modified.unwrap_or(node.modified);
        Ok(())
    }

    pub(super) fn remove_file(&mut self, path: &str) -> Result<()> {
        self.used -= self.read(path)?.len();
        self.nodes.remove(path);
        Ok(())
    }

    /// Removes a folder in which nothing is.
    pub(super) fn remove_folder(&mut self, path: &str) -> Result<()> {
        if !self.names(path)?.is_empty() || path == "/" {
            return Err(Trouble::NotEmpty);
        }
        self.nodes.remove(path);
        Ok(())
    }

    /// Removes a file, or a folder with everything in it.
    pub(super) fn remove(&mut self, path: &str) -> Result<()> {
        if !self.node(path).ok_or(Trouble::Missing)?.is_folder() {
            return self.remove_file(path);
        }
        if path == "/" {
            return Err(Trouble::NotEmpty);
        }
        let inner: Vec<String> = self.below(&inside(path)).map(|(path, _)| path.clone()).collect();
        for gone in inner.iter().map(String::as_str).chain([path]) {
            let content = self.nodes.remove(gone).and_then(|node| node.content);
            self.used -= content.map_or(0, |content| content.len());
        }
        Ok(())
    }

    /// Gives something another name, or another folder. What has that name already stays, unless it is a file and may be
    /// replaced by one.
    pub(super) fn rename(&mut self, from: &str, to: &str, replace: bool) -> Result<()> {
        let is_folder = self.node(from).ok_or(Trouble::Missing)?.is_folder();
        if from == to {
            return Ok(());
        }
        if from == "/" || to.starts_with(&inside(from)) {
            return Err(Trouble::IntoItself);
        }
        match self.node(to) {
            Some(other) if !replace || other.is_folder() || is_folder => return Err(Trouble::Exists),
            Some(_) => self.remove_file(to)?,
            None => {}
        }
        self.place(to)?;
        let prefix = inside(from);
        let inner: Vec<String> = self.below(&prefix).map(|(path, _)| path.clone()).collect();
        let moved = inner.iter().filter_map(|path| {
            let rest = path.strip_prefix(&prefix)?;
            Some((path.clone(), format!("{}{rest}", inside(to))))
        });
        for (old, new) in moved.chain([(from.to_owned(), to.to_owned())]) {
            if let Some(node) = self.nodes.remove(&old) {
                self.nodes.insert(new, node);
            }
        }
        Ok(())
    }
}

fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}

/// What every path in a folder begins with.
fn inside(folder: &str) -> String {
    match folder {
        "/" => "/".to_owned(),
        folder => format!("{folder}/"),
    }
}

/// Folder and name of a whole path.
fn parts(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("/", path),
    }
}

/// The whole path of what is called `text` in a folder, without `.` and `..`.
pub(super) fn whole(folder: &str, text: &str) -> String {
    let path = match text.starts_with('/') {
        true => text.to_owned(),
        false => format!("{folder}/{text}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_its_room_comes_back() {
        let mut disk = Disk::default();
        let before = disk.used;
        disk.make_folder("/root/网程").unwrap();
        disk.write("/root/网程/a", b"one", false).unwrap();
        disk.write("/root/网程/a", b" two", true).unwrap();
        disk.write_at("/root/网程/a", 10, b"!").unwrap();
        assert_eq!(disk.read("/root/网程/a").unwrap(), b"one two\0\0\0!");
        assert_eq!(disk.used, before + 11);
        disk.rename("/root/网程", "/tmp/b", false).unwrap();
        assert_eq!(disk.read("/tmp/b/a").unwrap().len(), 11);
        assert_eq!(disk.read("/root/网程/a"), Err(Trouble::Missing));
        assert_eq!(disk.remove_folder("/tmp/b"), Err(Trouble::NotEmpty));
        disk.remove("/tmp/b").unwrap();
        assert_eq!(disk.used, before);
    }

    #[test]
    fn a_disk_can_be_full_and_a_folder_never_goes_into_itself() {
        let mut disk = Disk::default();
        disk.create("/tmp/big").unwrap();
        assert_eq!(disk.write_at("/tmp/big", u64::MAX, b"x"), Err(Trouble::Full));
        assert_eq!(disk.resize("/tmp/big", BYTES_MOST + 1), Err(Trouble::Full));
        assert_eq!(disk.read("/tmp/big").unwrap(), b"", "nothing of it was written");
        assert_eq!(
            disk.rename("/var", "/var/log/var", false),
            Err(Trouble::IntoItself)
        );
        assert_eq!(
            disk.rename("/tmp/big", "/etc/os-release", false),
            Err(Trouble::Exists)
        );
        assert_eq!(
            disk.create(&format!("/tmp/{}", "x".repeat(256))),
            Err(Trouble::TooLong)
        );
        assert_eq!(whole("/root", "../tmp/./a//b"), "/tmp/a/b");
    }

    #[test]
    fn permissions_are_shown_as_ls_does() {
        let mut disk = Disk::default();
        disk.set("/etc/os-release", Some(0o640), None).unwrap();
        assert_eq!(disk.node("/etc/os-release").unwrap().letters(), "-rw-r-----");
        assert_eq!(disk.node("/etc").unwrap().letters(), "drwxr-xr-x");
    }
}
