//! What to do in the guest after a disk was added or has grown, or before it is taken off. The cloud changes the disk;
//! partition and file system are the guest's, and nobody else can grow them.
//!
//! The lines find out themselves what differs between images of one family (the root partition's number, the kind of
//! file system), so that they are right as they stand.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the commands are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A new, empty disk gets a file system.
    Make,
    /// The file system of a disk that has grown is grown.
    Grow,
    /// A disk is let go of before it is detached.
    Detach,
    /// A disk that has a file system already is mounted.
    Mount,
}

/// What the commands are typed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Shell {
    /// Bash, as any user who may `sudo`.
    Bash,
    /// PowerShell, as an administrator.
    PowerShell,
}

/// One or several lines with what they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Chinese comment.
    pub zh: &'static str,
    /// English comment.
    pub en: &'static str,
    /// The lines.
    pub code: String,
}

/// Commands for one disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// What they are typed into.
    pub shell: Shell,
    /// The lines, in their order.
    pub lines: Vec<Line>,
}

fn line(zh: &'static str, en: &'static str, code: impl Into<String>) -> Line {
    Line {
        zh,
        en,
        code: code.into(),
    }
}

/// How software is installed, and which file system is the custom, by the image's name.
struct Family {
    install: &'static str,
    file_system: &'static str,
}

fn family(image: &str) -> Family {
    let image = image.to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| image.contains(name));
    if is(&["ubuntu", "debian"]) {
        Family {
            install: "sudo apt-get install -y cloud-guest-utils",
            file_system: "ext4",
        }
    } else if is(&["suse"]) {
        Family {
            install: "sudo zypper -n install growpart",
            file_system: "xfs",
        }
    } else if is(&[
        "centos", "rocky", "alma", "red hat", "redhat", "rhel", "fedora", "oracle",
    ]) {
        Family {
            install: "sudo yum install -y cloud-utils-growpart",
            file_system: "xfs",
        }
    } else {
        Family {
            install: "sudo yum install -y cloud-utils-growpart || sudo apt-get install -y cloud-guest-utils",
            file_system: "ext4",
        }
    }
}

/// A device as it may stand in a command. It comes from outside.
fn device_path(device: &str) -> Option<&str> {
    let name = device.strip_prefix("/dev/")?;
    let fits = !name.is_empty() && name.len() <= 16 && name.chars().all(|c| c.is_ascii_alphanumeric());
    fits.then_some(device)
}

impl Commands {
    /// For a disk at `device`. `os` and `image` as the server tells them, `size_gb` the disk's size by now.
    pub fn for_disk(
        purpose: Purpose,
        os: Option<&str>,
        image: Option<&str>,
        system: bool,
        device: &str,
        size_gb: Option<u32>,
    ) -> Self {
        if os == Some("Windows") {
            let lines = windows(purpose, system, size_gb);
            return Self {
                shell: Shell::PowerShell,
                lines,
            };
        }
        let family = family(image.unwrap_or_default());
        // A device that is none is asked for, rather than written into a command.
        let (device, mut lines) = match device_path(device) {
            Some(device) => (device, Vec::new()),
            None => (
                "/dev/vdX",
                vec![line(
                    "请先查看设备名，并替换下面的 /dev/vdX",
                    "look the device up first, and put it in place of /dev/vdX below",
                    "lsblk",
                )],
            ),
        };
        match purpose {
            Purpose::Grow if system => lines.extend(grow_root(&family)),
            Purpose::Grow => lines.extend(grow_data(&family, device)),
            Purpose::Make => lines.extend(make(&family, device)),
            Purpose::Detach => lines.extend(detach(device)),
            Purpose::Mount => lines.extend(mount(device)),
        }
        Self {
            shell: Shell::Bash,
            lines,
        }
    }
}

const GROWPART: (&str, &str) = (
    "安装 growpart（已有则跳过）",
    "install growpart, unless it is there",
);

fn growpart(family: &Family) -> Line {
    let install = family.install;
    line(
        GROWPART.0,
        GROWPART.1,
        format!("command -v growpart >/dev/null || {{ {install}; }}"),
    )
}

fn grow_root(family: &Family) -> Vec<Line> {
    vec![
        growpart(family),
        line(
            "找到根分区所在的磁盘与分区号",
            "find the root partition, its disk and its number",
            "part=$(findmnt -no SOURCE /)\n\
             disk=/dev/$(lsblk -no PKNAME \"$part\" | head -n1)\n\
             number=$(cat \"/sys/class/block/${part##*/}/partition\")",
        ),
        line(
            "扩展分区（NOCHANGE 表示启动时已经扩展）",
            "grow the partition (NOCHANGE: it was grown at the start already)",
            "sudo growpart \"$disk\" \"$number\" || true",
        ),
        line(
            "扩展文件系统",
            "grow the file system",
            "case \"$(findmnt -no FSTYPE /)\" in\n  \
             xfs) sudo xfs_growfs / ;;\n  \
             *) sudo resize2fs \"$part\" ;;\n\
             esac",
        ),
        line("核对", "check", "df -hT /"),
    ]
}

fn grow_data(family: &Family, device: &str) -> Vec<Line> {
    vec![
        line(
            "整盘或其最后一个分区",
            "the whole disk, or its last partition",
            format!(
                "disk={device}\n\
                 part=$(lsblk -lnpo NAME,TYPE \"$disk\" | awk '$2==\"part\" {{p=$1}} END {{print p}}')\n\
                 fs=${{part:-$disk}}"
            ),
        ),
        line(
            "若有分区，先扩展分区",
            "if there is a partition, grow it first",
            format!(
                "if [ -n \"$part\" ]; then\n  \
                 command -v growpart >/dev/null || {{ {}; }}\n  \
                 sudo growpart \"$disk\" \"$(cat \"/sys/class/block/${{part##*/}}/partition\")\" || true\n\
                 fi",
                family.install
            ),
        ),
        line(
            "扩展文件系统（xfs 须已挂载）",
            "grow the file system (xfs has to be mounted)",
            "case \"$(lsblk -dno FSTYPE \"$fs\")\" in\n  \
             xfs) sudo xfs_growfs \"$(findmnt -nro TARGET -S \"$fs\" | head -n1)\" ;;\n  \
             ext2|ext3|ext4) sudo resize2fs \"$fs\" ;;\n  \
             *) lsblk -f \"$disk\" ;;\n\
             esac",
        ),
        line("核对", "check", "lsblk -f \"$disk\""),
    ]
}

fn make(family: &Family, device: &str) -> Vec<Line> {
    let kind = family.file_system;
    // Each disk gets a place of its own.
    let place = format!("/mnt/{}", device.trim_start_matches("/dev/"));
    vec![
        line(
            "新磁盘上应没有任何分区和文件系统",
            "there must be no partition and no file system on the new disk",
            format!("lsblk -f {device}"),
        ),
        line(
            "建立文件系统（若已有内容，命令会拒绝）",
            "make the file system (refused if something is on the disk)",
            format!("[ -z \"$(lsblk -no FSTYPE {device} | tr -d ' \\n')\" ] && sudo mkfs.{kind} {device}"),
        ),
        line(
            "挂载，并在每次启动时按 UUID 挂载",
            "mount it, now and at every start, by its UUID",
            format!(
                "sudo mkdir -p {place}\n\
                 echo \"UUID=$(sudo blkid -s UUID -o value {device}) {place} {kind} defaults,nofail 0 2\" | sudo tee -a /etc/fstab\n\
                 sudo mount {place}"
            ),
        ),
        line("核对", "check", format!("df -hT {place}")),
    ]
}

fn detach(device: &str) -> Vec<Line> {
    vec![
        line(
            "写完数据，卸载此磁盘的所有挂载",
            "write everything out and unmount all that is on the disk",
            format!(
                "sync\nlsblk -lnpo MOUNTPOINT {device} | while read -r place; do [ -z \"$place\" ] || sudo umount \"$place\"; done"
            ),
        ),
        line(
            "删除 /etc/fstab 中含以下 UUID 的行",
            "take the lines with these UUIDs out of /etc/fstab",
            format!("lsblk -no UUID {device}"),
        ),
    ]
}

/// What is on the disk stays: nothing here makes a file system.
fn mount(device: &str) -> Vec<Line> {
    let place = format!("/mnt/{}", device.trim_start_matches("/dev/"));
    vec![
        line(
            "整盘或其第一个有文件系统的分区",
            "the whole disk, or its first partition with a file system",
            format!(
                "fs=$(lsblk -lnpo NAME,FSTYPE {device} | awk 'NF>1 {{print $1; exit}}')\nlsblk -f \"${{fs:?}}\""
            ),
        ),
        line(
            "挂载，并在每次启动时按 UUID 挂载",
            "mount it, now and at every start, by its UUID",
            format!(
                "sudo mkdir -p {place}\n\
                 echo \"UUID=$(sudo blkid -s UUID -o value \"$fs\") {place} auto defaults,nofail 0 2\" | sudo tee -a /etc/fstab\n\
                 sudo mount {place}"
            ),
        ),
        line("核对", "check", format!("df -hT {place}")),
    ]
}

fn windows(purpose: Purpose, system: bool, size_gb: Option<u32>) -> Vec<Line> {
    // Sizes are what tells a guest's disks apart: their numbers follow no order of ours.
    let size = size_gb.map_or_else(String::new, |gb| format!(" -and $_.Size -eq {gb}GB"));
    match purpose {
        Purpose::Grow if system => vec![
            line(
                "重新读取磁盘大小",
                "read the sizes anew",
                "Update-HostStorageCache",
            ),
            line(
                "将 C: 扩展到最大",
                "grow C: as far as it goes",
                "$most = (Get-PartitionSupportedSize -DriveLetter C).SizeMax\n\
                 Resize-Partition -DriveLetter C -Size $most",
            ),
            line("核对", "check", "Get-Volume -DriveLetter C"),
        ],
        Purpose::Grow => vec![
            line(
                "重新读取磁盘大小",
                "read the sizes anew",
                "Update-HostStorageCache",
            ),
            line(
                "找到已扩容的数据盘的最后一个有盘符的分区",
                "find the grown disk's last partition with a letter",
                format!(
                    "$disk = Get-Disk | Where-Object {{ -not $_.IsBoot{size} }} | Select-Object -First 1\n\
                     $part = $disk | Get-Partition | Where-Object DriveLetter | Select-Object -Last 1"
                ),
            ),
            line(
                "扩展到最大",
                "grow it as far as it goes",
                "$most = ($part | Get-PartitionSupportedSize).SizeMax\n$part | Resize-Partition -Size $most",
            ),
            line("核对", "check", "$part | Get-Volume"),
        ],
        Purpose::Make => vec![
            line(
                "找到新磁盘并联机",
                "find the new disk and bring it online",
                format!(
                    "$disk = Get-Disk | Where-Object {{ $_.PartitionStyle -eq 'RAW'{size} }} | Select-Object -First 1\n\
                     $disk | Set-Disk -IsOffline $false\n\
                     $disk | Set-Disk -IsReadOnly $false"
                ),
            ),
            line(
                "初始化、分区并格式化",
                "initialise, partition and format it",
                "$disk | Initialize-Disk -PartitionStyle GPT\n\
                 $disk | New-Partition -AssignDriveLetter -UseMaximumSize | Format-Volume -FileSystem NTFS",
            ),
        ],
        Purpose::Mount => vec![line(
            "将磁盘联机",
            "bring the disk online",
            format!(
                "$disk = Get-Disk | Where-Object {{ $_.IsOffline{size} }} | Select-Object -First 1\n\
                 $disk | Set-Disk -IsOffline $false\n\
                 $disk | Set-Disk -IsReadOnly $false"
            ),
        )],
        Purpose::Detach => vec![line(
            "将磁盘脱机",
            "take the disk offline",
            format!(
                "Get-Disk | Where-Object {{ -not $_.IsBoot{size} }} | Select-Object -First 1 | Set-Disk -IsOffline $true"
            ),
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linux(purpose: Purpose, image: &str, system: bool, device: &str) -> String {
        let commands = Commands::for_disk(purpose, Some("Linux"), Some(image), system, device, Some(100));
        assert_eq!(commands.shell, Shell::Bash);
        let lines = commands.lines.iter().map(|line| line.code.as_str());
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_image_gets_its_own_installer_and_file_system() {
        let ubuntu = linux(Purpose::Grow, "Ubuntu 22.04 server 64bit", true, "/dev/vda");
        assert!(
            ubuntu.contains("apt-get install -y cloud-guest-utils"),
            "{ubuntu}"
        );
        let rocky = linux(Purpose::Grow, "Rocky Linux 9.2 64bit", true, "/dev/vda");
        assert!(rocky.contains("yum install -y cloud-utils-growpart"), "{rocky}");
        assert!(linux(Purpose::Make, "CentOS 7.9", false, "/dev/vdb").contains("mkfs.xfs /dev/vdb"));
        assert!(linux(Purpose::Make, "Debian 12", false, "/dev/vdb").contains("mkfs.ext4 /dev/vdb"));
    }

    #[test]
    fn windows_gets_powershell_with_the_disks_size() {
        let commands = Commands::for_disk(Purpose::Make, Some("Windows"), None, false, "/dev/vdb", Some(100));
        assert_eq!(commands.shell, Shell::PowerShell);
        let first = &commands.lines.first().unwrap().code;
        assert!(first.contains("-eq 'RAW' -and $_.Size -eq 100GB"), "{first}");
    }

    #[test]
    fn what_is_no_device_never_stands_in_a_command() {
        let text = linux(Purpose::Make, "Ubuntu", false, "/dev/vdb; rm -rf /");
        assert!(!text.contains("rm -rf"), "{text}");
        assert!(text.contains("/dev/vdX") && text.starts_with("lsblk"));
    }

    /// Runs lines in a shell in which every tool only says how it was called, and the ones that look answer.
    #[cfg(unix)]
    fn run(code: &str, answers: &[(&str, &str)]) -> String {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut tools: Vec<(String, String)> = ["sudo", "growpart", "sync", "df"]
            .iter()
            .map(|name| {
                (
                    (*name).to_owned(),
                    format!("echo {name} \"$@\" >> '{}'", log.display()),
                )
            })
            .collect();
        tools.extend(
            answers
                .iter()
                .map(|(name, body)| ((*name).to_owned(), (*body).to_owned())),
        );
        for (name, body) in tools {
            let file = dir.path().join(name);
            std::fs::write(&file, format!("#!/bin/bash\n{body}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", dir.path().display());
        let ended = std::process::Command::new("bash")
            .args(["-euc", code])
            .env("PATH", path)
            .output()
            .unwrap();
        assert!(
            ended.status.success(),
            "{}\n{code}",
            String::from_utf8_lossy(&ended.stderr)
        );
        std::fs::read_to_string(log).unwrap_or_default()
    }

    #[cfg(unix)]
    #[test]
    fn the_lines_for_a_data_disk_grow_what_is_on_it() {
        let code = linux(Purpose::Grow, "Ubuntu 22.04", false, "/dev/vdb");
        let lsblk = |kind: &str| {
            format!("case \"$*\" in *NAME,TYPE*) echo '/dev/vdb disk' ;; *-dno*) echo {kind} ;; *) : ;; esac")
        };
        let ext4 = run(&code, &[("lsblk", &lsblk("ext4"))]);
        assert_eq!(
            ext4, "sudo resize2fs /dev/vdb\n",
            "the whole disk, and no partition"
        );
        let xfs = run(&code, &[("lsblk", &lsblk("xfs")), ("findmnt", "echo /mnt/vdb")]);
        assert_eq!(xfs, "sudo xfs_growfs /mnt/vdb\n");
    }

    #[cfg(unix)]
    #[test]
    fn the_lines_for_a_new_disk_mount_it_by_its_uuid() {
        let code = linux(Purpose::Make, "Ubuntu 22.04", false, "/dev/vdb");
        let done = run(&code, &[("lsblk", "echo ''")]);
        assert!(done.contains("sudo mkfs.ext4 /dev/vdb\n"), "{done}");
        assert!(done.contains("sudo mount /mnt/vdb\n"), "{done}");
        let detached = linux(Purpose::Detach, "Ubuntu 22.04", false, "/dev/vdb");
        let done = run(&detached, &[("lsblk", "echo /mnt/vdb")]);
        assert_eq!(done, "sync\nsudo umount /mnt/vdb\n");
        let again = linux(Purpose::Mount, "Ubuntu 22.04", false, "/dev/vdb");
        let lsblk = "case \"$*\" in *FSTYPE*) echo '/dev/vdb'; echo '/dev/vdb1 ext4' ;; esac";
        let done = run(&again, &[("lsblk", lsblk)]);
        assert!(done.contains("sudo blkid -s UUID -o value /dev/vdb1\n"), "{done}");
        assert!(
            done.contains("sudo mount /mnt/vdb\n") && !done.contains("mkfs"),
            "{done}"
        );
    }
}
