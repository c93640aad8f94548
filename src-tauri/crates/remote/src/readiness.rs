//! Is a server ready after its first login: has cloud-init finished, and do disk, partition and file system have the same
//! size? Found out with what Linux images have; what is missing there is unknown, not wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::connection::Connection;
use crate::error::{Result, tame};

/// How long one program may take.
const RUN_WAIT: Duration = Duration::from_secs(20);
/// The most that is read of an answer, in bytes.
const ANSWER_MOST: usize = 256 * 1024;
/// The most of the log that is shown, in characters.
const LOG_MOST: usize = 64 * 1024;
/// The most disks and file systems that are told.
const THINGS_MOST: usize = 64;

/// How a server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// What prepares it.
    pub cloud_init: CloudInit,
    /// Its disks, where the system tells of them.
    pub disks: Vec<Disk>,
}

/// Where cloud-init stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum CloudInit {
    /// It is not there, or switched off.
    Absent,
    /// It has not finished.
    Running,
    /// It has finished.
    Done,
    /// It has finished and something went wrong.
    Failed {
        /// What it says; untrusted text.
        detail: String,
        /// The end of its log, as far as it may be read; untrusted text.
        log: String,
    },
    /// It answers something that is not understood.
    Unknown {
        /// What; untrusted text.
        detail: String,
    },
}

/// A disk and what is on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// Its name, as `vda`.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Bytes that no partition has; 0 for a disk without partitions.
    pub unpartitioned: u64,
    /// The file systems in use on it.
    pub mounts: Vec<Mount>,
}

/// A file system in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// Where.
    pub path: String,
    /// The size of the disk or partition under it, in bytes.
    pub device: u64,
    /// Its own size, in bytes, where that is known.
    pub size: Option<u64>,
    /// Bytes that are free, where that is known.
    pub free: Option<u64>,
}

impl Disk {
    /// Room that was added and that nothing uses yet: no partition, or a file system smaller than its partition. What
    /// file systems keep for themselves does not count.
    pub fn is_grown(&self) -> bool {
        const GIB: u64 = 1024 * 1024 * 1024;
        let used = |mount: &Mount| mount.size.is_none_or(|size| size >= mount.device / 10 * 9);
        self.unpartitioned < GIB && self.mounts.iter().all(used)
    }
}

impl Connection {
    /// Looks whether the server is ready.
    pub async fn readiness(&self) -> Result<Readiness> {
        let status = self
            .run("cloud-init status --long 2>&1", ANSWER_MOST, RUN_WAIT)
            .await?;
        let told = String::from_utf8_lossy(&status.output).into_owned();
        let mut cloud_init = read_status(&told, status.exit);
        if let CloudInit::Failed { log, .. } = &mut cloud_init {
            let command =
                "f=/var/log/cloud-init-output.log; tail -c 65536 $f 2>/dev/null || sudo -n tail -c 65536 $f";
            let read = self.run(command, ANSWER_MOST, RUN_WAIT).await?;
            *log = tame(&String::from_utf8_lossy(&read.output), LOG_MOST);
        }
        let command = "lsblk -b -P -o NAME,TYPE,SIZE,PKNAME,MOUNTPOINT 2>/dev/null";
        let blocks = self.run(command, ANSWER_MOST, RUN_WAIT).await?;
        let sizes = self
            .run(
                "df -B1 --output=size,avail,target 2>/dev/null",
                ANSWER_MOST,
                RUN_WAIT,
            )
            .await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Readiness {
            cloud_init,
            disks: read_disks(&text(&blocks.output), &text(&sizes.output)),
        })
    }
}

fn read_status(told: &str, exit: Option<u32>) -> CloudInit {
    let status = told
        .lines()
        .find_map(|line| line.strip_prefix("status:"))
        .map(str::trim);
    let detail = || tame(told.trim(), 4096);
    match status {
        None if exit == Some(127) => CloudInit::Absent,
        Some("disabled") => CloudInit::Absent,
        Some("running" | "not run" | "not started") => CloudInit::Running,
        // Finished; 2 says that something can be mended.
        Some("done") if exit == Some(0) => CloudInit::Done,
        Some("done" | "error" | "degraded") => CloudInit::Failed {
            detail: detail(),
            log: String::new(),
        },
        _ => CloudInit::Unknown { detail: detail() },
    }
}

/// One line of `lsblk -P`: `NAME="vda" TYPE="disk" …`.
fn pairs(line: &str) -> BTreeMap<&str, String> {
    let mut pairs = BTreeMap::new();
    let mut rest = line;
    while let Some((key, after)) = rest.split_once("=\"") {
        let Some((value, after)) = after.split_once('"') else {
            break;
        };
        pairs.insert(key.trim(), unescape(value));
        rest = after;
    }
    pairs
}

/// `\x20` and the like.
fn unescape(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend(before.as_bytes());
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (code, after.get(2..)) {
            (Some(code), Some(after)) => {
                bytes.push(code);
                rest = after;
            }
            _ => {
                bytes.extend(b"\\x");
                rest = after;
            }
        }
    }
    bytes.extend(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read_disks(blocks: &str, sizes: &str) -> Vec<Disk> {
    let sizes: BTreeMap<&str, (u64, u64)> = sizes
        .lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let (size, rest) = line.split_once(' ')?;
            let (free, path) = rest.trim_start().split_once(' ')?;
            Some((path.trim(), (size.parse().ok()?, free.parse().ok()?)))
        })
        .collect();
    let lines: Vec<_> = blocks.lines().map(pairs).collect();
    let get = |line: &BTreeMap<&str, String>, key: &str| line.get(key).cloned().unwrap_or_default();
    let size = |line: &BTreeMap<&str, String>| get(line, "SIZE").parse::<u64>().unwrap_or(0);
    let disks = lines
        .iter()
        .filter(|line| get(line, "TYPE") == "disk")
        .take(THINGS_MOST);
    disks
        .map(|disk| {
            let name = get(disk, "NAME");
            let parts: Vec<_> = lines.iter().filter(|line| get(line, "PKNAME") == name).collect();
            let partitions = parts.iter().filter(|line| get(line, "TYPE") == "part");
            let taken: Option<u64> = partitions.map(|line| size(line)).reduce(u64::saturating_add);
            let mounted = std::iter::once(disk).chain(parts.iter().copied());
            let mounts = mounted
                .filter(|line| get(line, "MOUNTPOINT").starts_with('/'))
                .take(THINGS_MOST)
                .map(|line| {
                    let path = tame(&get(line, "MOUNTPOINT"), 4096);
                    let told = sizes.get(path.as_str());
                    Mount {
                        device: size(line),
                        size: told.map(|(size, _)| *size),
                        free: told.map(|(_, free)| *free),
                        path,
                    }
                })
                .collect();
            Disk {
                size: size(disk),
                unpartitioned: taken.map_or(0, |taken| size(disk).saturating_sub(taken)),
                name: tame(&name, 256),
                mounts,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZES: &str = "   1B-blocks        Avail Mounted on\n42140479488 30000000000 /\n 1000000000   900000000 /data disk\n";

    fn blocks(disk: u64, part: u64) -> String {
        format!(
            "NAME=\"vda\" TYPE=\"disk\" SIZE=\"{disk}\" PKNAME=\"\" MOUNTPOINT=\"\"\n\
             NAME=\"vda1\" TYPE=\"part\" SIZE=\"{part}\" PKNAME=\"vda\" MOUNTPOINT=\"/\"\n\
             NAME=\"vdb\" TYPE=\"disk\" SIZE=\"1073741824\" PKNAME=\"\" MOUNTPOINT=\"/data\\x20disk\"\n"
        )
    }

    #[test]
    fn a_disk_that_was_extended_and_not_grown_is_noticed() {
        let grown = read_disks(&blocks(42_949_672_960, 42_947_575_808), SIZES);
        assert_eq!(grown.len(), 2);
        assert!(grown.iter().all(Disk::is_grown), "{grown:?}");
        assert_eq!(
            grown.get(1).map(|disk| disk.mounts.clone()).unwrap_or_default(),
            [Mount {
                path: "/data disk".into(),
                device: 1_073_741_824,
                size: Some(1_000_000_000),
                free: Some(900_000_000),
            }]
        );
        let unpartitioned = read_disks(&blocks(107_374_182_400, 42_947_575_808), SIZES);
        assert!(
            !unpartitioned.first().unwrap().is_grown(),
            "the partition stayed as it was"
        );
        let filesystem = read_disks(&blocks(107_374_182_400, 107_372_085_248), SIZES);
        assert!(
            !filesystem.first().unwrap().is_grown(),
            "the file system stayed as it was"
        );
    }

    #[test]
    fn what_cloud_init_says_is_understood() {
        assert_eq!(
            read_status("status: done\ndetail: DataSource\n", Some(0)),
            CloudInit::Done
        );
        assert_eq!(read_status("status: running\n", Some(0)), CloudInit::Running);
        assert_eq!(
            read_status("sh: 1: cloud-init: not found\n", Some(127)),
            CloudInit::Absent
        );
        for (told, exit) in [
            ("status: error\ndetail: boom\n", 1),
            ("status: done\nrecoverable_errors: x\n", 2),
        ] {
            assert!(
                matches!(read_status(told, Some(exit)), CloudInit::Failed { .. }),
                "{told}"
            );
        }
        assert!(matches!(read_status("?", Some(0)), CloudInit::Unknown { .. }));
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(blocks in "\\PC{0,200}", sizes in "\\PC{0,200}", status in "\\PC{0,100}") {
            read_disks(&blocks, &sizes);
            read_disks(&format!("NAME=\"a\\x{blocks}\" TYPE=\"disk\" {blocks}"), &sizes);
            read_status(&status, Some(0));
        }
    }
}
