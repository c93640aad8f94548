//! The block devices of a guest as its system sees them: the disks that the region gives it, what is partitioned of each, and
//! the file systems on them. A disk that grows leaves room behind that only `growpart` and `resize2fs` take, as on a real one.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::machine::{Said, said, wrong};

const GIB: u64 = 1024 * 1024 * 1024;
/// So much of the first file system is taken.
const USED_GB: u64 = 2;

/// The disks by their names, as `vda`.
#[derive(Default)]
pub(super) struct Blocks {
    disks: BTreeMap<String, Block>,
}

struct Block {
    /// Of the disk itself.
    gb: u64,
    /// Of its only partition, where it has one.
    partition: Option<u64>,
    system: Option<FileSystem>,
}

struct FileSystem {
    gb: u64,
    /// Where it is in use.
    at: Option<String>,
}

impl Block {
    /// Of what its file system may fill.
    fn room(&self) -> u64 {
        self.partition.unwrap_or(self.gb)
    }
}

impl Blocks {
    /// The disks as the region has them now. The first one came with a system on it.
    pub(super) fn see(&mut self, disks: &[(String, u32)]) {
        let names: Vec<&str> = disks
            .iter()
            .map(|(device, _)| device.trim_start_matches("/dev/"))
            .collect();
        self.disks.retain(|name, _| names.contains(&name.as_str()));
        for (at, (name, (_, gb))) in names.iter().zip(disks).enumerate() {
            let gb = u64::from(*gb);
            let block = self.disks.entry((*name).to_owned()).or_insert_with(|| Block {
                gb,
                partition: (at == 0).then_some(gb),
                system: (at == 0).then(|| FileSystem {
                    gb,
                    at: Some("/".to_owned()),
                }),
            });
            block.gb = gb;
        }
    }

    /// A disk or its partition, by its path; whether it is the partition.
    fn named(&mut self, path: &str) -> Option<(&mut Block, bool)> {
        let name = path.strip_prefix("/dev/")?;
        if let Some(disk) = name.strip_suffix('1')
            && self
                .disks
                .get(disk)
                .is_some_and(|block| block.partition.is_some())
        {
            return self.disks.get_mut(disk).map(|block| (block, true));
        }
        self.disks.get_mut(name).map(|block| (block, false))
    }

    /// A command about disks; nothing if this is none of them.
    pub(super) fn run(
        &mut self,
        name: &str,
        words: &[&str],
        is_folder: impl Fn(&str) -> bool,
    ) -> Option<Said> {
        let plain: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !word.starts_with('-'))
            .collect();
        Some(match (name, &plain[..]) {
            ("lsblk", _) => said(self.list(words)),
            ("df", _) => said(self.free(words)),
            ("growpart", [disk, "1"]) => self.grow_partition(disk),
            ("growpart", _) => {
                wrong("growpart: a disk and the number of its partition are needed, as /dev/vda 1")
            }
            ("resize2fs", [path]) => self.grow_system(path),
            ("resize2fs", _) => wrong("resize2fs: a device is needed, as /dev/vda1"),
            ("mkfs.ext4", [path]) => self.make_system(path),
            ("mkfs.ext4", _) => wrong("mkfs.ext4: a device is needed, as /dev/vdb"),
            ("mount", []) => said(self.mounted()),
            ("mount", [path, at]) => match is_folder(at) {
                true => self.mount(path, at),
                false => wrong(format!("mount: {at}: mount point does not exist")),
            },
            ("umount", [what]) => self.unmount(what),
            ("mount" | "umount", _) => wrong(format!("{name}: a device and a folder are needed")),
            _ => return None,
        })
    }

    fn list(&self, words: &[&str]) -> String {
        let in_bytes = words.contains(&"-b");
        let size = |gb: u64| match in_bytes {
            true => (gb * GIB).to_string(),
            false => format!("{gb}G"),
        };
        let mut rows = Vec::new();
        for (name, block) in &self.disks {
            let at = block
                .system
                .as_ref()
                .and_then(|system| system.at.as_deref())
                .unwrap_or_default();
            let of_disk = if block.partition.is_some() { "" } else { at };
            rows.push((name.clone(), "disk", size(block.gb), "", of_disk));
            if let Some(partition) = block.partition {
                rows.push((format!("{name}1"), "part", size(partition), name.as_str(), at));
            }
        }
        let mut text = String::new();
        if words.contains(&"-P") {
            for (name, kind, size, parent, at) in rows {
                let _ = writeln!(
                    text,
                    "NAME=\"{name}\" TYPE=\"{kind}\" SIZE=\"{size}\" PKNAME=\"{parent}\" MOUNTPOINT=\"{at}\""
                );
            }
            return text;
        }
        text.push_str("NAME      SIZE TYPE MOUNTPOINTS\n");
        for (name, kind, size, parent, at) in rows {
            let name = if parent.is_empty() {
                name
            } else {
                format!("└─{name}")
            };
            let row = format!("{name:<6} {size:>7} {kind} {at}");
            let _ = writeln!(text, "{}", row.trim_end());
        }
        text
    }

    fn in_use(&self) -> impl Iterator<Item = (String, &FileSystem, &str)> {
        self.disks.iter().filter_map(|(name, block)| {
            let system = block.system.as_ref()?;
            let device = if block.partition.is_some() {
                format!("/dev/{name}1")
            } else {
                format!("/dev/{name}")
            };
            Some((device, system, system.at.as_deref()?))
        })
    }

    fn free(&self, words: &[&str]) -> String {
        let taken = |at: &str| if at == "/" { USED_GB } else { 0 };
        let mut text = String::new();
        if words.iter().any(|word| word.starts_with("--output")) {
            text.push_str("1B-blocks Avail Mounted on\n");
            for (_, system, at) in self.in_use() {
                let free = system.gb.saturating_sub(taken(at));
                let _ = writeln!(text, "{} {} {at}", system.gb * GIB, free * GIB);
            }
            return text;
        }
        text.push_str("Filesystem   Size  Used Avail Mounted on\n");
        for (device, system, at) in self.in_use() {
            let used = taken(at);
            let free = system.gb.saturating_sub(used);
            let _ = writeln!(text, "{device:<10} {:>5}G {used:>4}G {free:>4}G {at}", system.gb);
        }
        text
    }

    fn mounted(&self) -> String {
        self.in_use()
            .map(|(device, _, at)| format!("{device} on {at} type ext4 (rw,relatime)\n"))
            .collect()
    }

    fn grow_partition(&mut self, disk: &str) -> Said {
        let Some((block, false)) = self.named(disk) else {
            return wrong(format!("FAILED: {disk}: does not exist"));
        };
        let Some(before) = block.partition else {
            return wrong(format!("FAILED: {disk}: no partition 1"));
        };
        if before >= block.gb {
            return wrong(format!(
                "NOCHANGE: partition 1 is size {before}G. it cannot be grown"
            ));
        }
        block.partition = Some(block.gb);
        said(format!(
            "CHANGED: partition=1 old: size={before}G new: size={}G\n",
            block.gb
        ))
    }

    fn grow_system(&mut self, path: &str) -> Said {
        let Some((block, part)) = self.named(path) else {
            return wrong(format!("resize2fs: {path}: No such file or directory"));
        };
        let room = block.room();
        let Some(system) = block
            .system
            .as_mut()
            .filter(|_| part == block.partition.is_some())
        else {
            return wrong(format!(
                "resize2fs: Bad magic number in super-block while trying to open {path}"
            ));
        };
        let blocks = |gb: u64| gb * GIB / 4096;
        if system.gb >= room {
            return said(format!(
                "The filesystem is already {} (4k) blocks long.  Nothing to do!\n",
                blocks(system.gb)
            ));
        }
        system.gb = room;
        said(format!(
            "The filesystem on {path} is now {} (4k) blocks long.\n",
            blocks(room)
        ))
    }

    fn make_system(&mut self, path: &str) -> Said {
        let Some((block, part)) = self.named(path) else {
            return wrong(format!("mkfs.ext4: {path}: No such file or directory"));
        };
        if part != block.partition.is_some() {
            return wrong(format!(
                "mkfs.ext4: {path} contains a partition table; name its partition"
            ));
        }
        if block.system.as_ref().is_some_and(|system| system.at.is_some()) {
            return wrong(format!(
                "mkfs.ext4: {path} is mounted; will not make a filesystem here!"
            ));
        }
        let gb = block.room();
        block.system = Some(FileSystem { gb, at: None });
        said(format!(
            "Creating filesystem with {} 4k blocks\nWriting superblocks: done\n",
            gb * GIB / 4096
        ))
    }

    fn mount(&mut self, path: &str, at: &str) -> Said {
        if self.in_use().any(|(_, _, taken)| taken == at) {
            return wrong(format!("mount: {at}: something is mounted there already"));
        }
        let Some((block, part)) = self.named(path) else {
            return wrong(format!("mount: {path}: does not exist"));
        };
        match block
            .system
            .as_mut()
            .filter(|_| part == block.partition.is_some())
        {
            None => wrong(format!(
                "mount: {path}: no file system on it; `mkfs.ext4 {path}` makes one"
            )),
            Some(system) if system.at.is_some() => wrong(format!("mount: {path}: is mounted already")),
            Some(system) => {
                system.at = Some(at.to_owned());
                said("")
            }
        }
    }

    fn unmount(&mut self, what: &str) -> Said {
        if what == "/" {
            return wrong("umount: /: target is busy");
        }
        let device = self
            .in_use()
            .find(|(device, _, at)| device == what || *at == what);
        let Some((device, _, at)) = device else {
            return wrong(format!("umount: {what}: not mounted"));
        };
        if at == "/" {
            return wrong("umount: /: target is busy");
        }
        if let Some((block, _)) = self.named(&device)
            && let Some(system) = block.system.as_mut()
        {
            system.at = None;
        }
        said("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(blocks: &mut Blocks, line: &str) -> (String, u32) {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, rest) = words.split_first().unwrap();
        let done = blocks.run(name, rest, |path| path == "/mnt").unwrap();
        (done.text, done.exit)
    }

    #[test]
    fn a_disk_that_grew_is_used_after_growpart_and_resize2fs() {
        let mut blocks = Blocks::default();
        blocks.see(&[("/dev/vda".into(), 40)]);
        assert!(run(&mut blocks, "df -h").0.contains("/dev/vda1     40G"));
        assert_eq!(
            run(&mut blocks, "growpart /dev/vda 1").1,
            1,
            "there is no room yet"
        );
        blocks.see(&[("/dev/vda".into(), 60)]);
        let listed = run(&mut blocks, "lsblk").0;
        assert!(
            listed.contains("vda        60G disk") && listed.contains("└─vda1     40G part /"),
            "{listed}"
        );
        assert_eq!(run(&mut blocks, "growpart /dev/vda 1").1, 0);
        assert!(
            run(&mut blocks, "df -h").0.contains("/dev/vda1     40G"),
            "the file system is as it was"
        );
        assert_eq!(run(&mut blocks, "resize2fs /dev/vda1").1, 0);
        assert!(run(&mut blocks, "df -h").0.contains("/dev/vda1     60G"));
    }

    #[test]
    fn a_disk_that_was_added_is_empty_until_a_file_system_is_made_and_mounted() {
        let mut blocks = Blocks::default();
        let both = [("/dev/vda".into(), 40), ("/dev/vdb".into(), 100)];
        blocks.see(&both);
        assert_eq!(run(&mut blocks, "mount /dev/vdb /mnt").1, 1);
        assert_eq!(run(&mut blocks, "mkfs.ext4 /dev/vdb").1, 0);
        assert_eq!(run(&mut blocks, "mount /dev/vdb /nowhere").1, 1);
        assert_eq!(run(&mut blocks, "mount /dev/vdb /mnt").1, 0);
        assert!(run(&mut blocks, "df -h").0.contains("100G /mnt"));
        assert_eq!(run(&mut blocks, "mkfs.ext4 /dev/vdb").1, 1, "it is in use");
        assert_eq!(run(&mut blocks, "umount /mnt").1, 0);
        blocks.see(&both[..1]);
        assert!(!run(&mut blocks, "lsblk").0.contains("vdb"));
    }
}
