//! Commands of a guest that only read: what they are told, or what the command before them in a pipe says.

use std::fmt::Write;

use super::disk::Disk;
use super::endless::Endless;
use super::machine::{Said, said, wrong};

/// The file with the password of display `:1`.
const VNC_PASSWORD: &str = "/root/.vnc/passwd";
/// Most lines that `seq` counts.
const COUNT_MOST: u64 = 2_000_000;

pub(super) fn count(numbers: &[&str]) -> Said {
    if let Some((&"inf", before)) = numbers.split_last() {
        return match before.first().map_or(Ok(1), |first| first.parse()) {
            Ok(first) => Said {
                flood: Some(Endless::Numbers(first)),
                ..said("")
            },
            Err(_) => wrong("seq: one or two numbers are needed"),
        };
    }
    let parsed: Option<Vec<u64>> = numbers.iter().map(|text| text.parse().ok()).collect();
    let (first, last) = match parsed.as_deref() {
        Some([last]) => (1, *last),
        Some([first, last]) => (*first, *last),
        _ => return wrong("seq: one or two numbers are needed"),
    };
    if last.saturating_sub(first) >= COUNT_MOST {
        return wrong(format!("seq: {COUNT_MOST} lines at most"));
    }
    let mut text = String::new();
    for number in first..=last {
        let _ = writeln!(text, "{number}");
    }
    said(text)
}

/// The ports where somebody listens: the guest's own, and those that lead out of it.
pub(super) fn listening(led_out: impl Iterator<Item = u32>) -> String {
    let mut text = "State  Local Address:Port\nLISTEN 0.0.0.0:22\n".to_owned();
    let own = super::ports::TAKEN.into_iter().filter(|port| *port != 22);
    for port in own.chain(led_out) {
        let _ = writeln!(text, "LISTEN 127.0.0.1:{port}");
    }
    text
}

/// Makes what stands in the file of a VNC password: the password itself, as nothing of this machine is secret.
pub(super) fn vncpasswd(words: &[&str], input: Option<&str>) -> Said {
    match input.filter(|_| words.contains(&"-f")) {
        Some(password) => said(password),
        None => wrong(format!(
            "vncpasswd: known here is `echo PASSWORD | vncpasswd -f > {VNC_PASSWORD}`"
        )),
    }
}

/// What display `:1` asks for; nothing without its file.
pub(super) fn vnc_password(disk: &Disk) -> Option<String> {
    let text = String::from_utf8_lossy(disk.read(VNC_PASSWORD).ok()?);
    let first = text.lines().next().filter(|line| !line.is_empty());
    first.map(str::to_owned)
}

/// A command that works on lines; nothing if this is none of them.
pub(super) fn filter(name: &str, words: &[&str], input: &str) -> Option<Said> {
    let plain: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !word.starts_with('-'))
        .collect();
    let lines = || input.lines();
    let joined = |lines: Vec<&str>| said(lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    Some(match name {
        "grep" => {
            let Some(wanted) = plain.first() else {
                return Some(wrong("grep: a word to look for is needed"));
            };
            let refuses = words.contains(&"-v");
            let found: Vec<&str> = lines().filter(|line| line.contains(wanted) != refuses).collect();
            match found.is_empty() {
                true => Said { exit: 1, ..said("") },
                false => joined(found),
            }
        }
        "wc" => match words.first() {
            Some(&"-l") => said(format!("{}\n", lines().count())),
            Some(&"-c") => said(format!("{}\n", input.len())),
            _ => said(format!(
                "{:>7} {:>7} {:>7}\n",
                lines().count(),
                input.split_whitespace().count(),
                input.len()
            )),
        },
        "head" | "tail" => {
            let wanted = words
                .iter()
                .rev()
                .find_map(|word| word.trim_start_matches("-n").trim_start_matches('-').parse().ok());
            let wanted: usize = wanted.unwrap_or(10);
            let all: Vec<&str> = lines().collect();
            let from = all.len().saturating_sub(wanted);
            match name {
                "head" => joined(all.into_iter().take(wanted).collect()),
                _ => joined(all.into_iter().skip(from).collect()),
            }
        }
        "sort" => {
            let mut all: Vec<&str> = lines().collect();
            all.sort_unstable();
            if words.contains(&"-r") {
                all.reverse();
            }
            joined(all)
        }
        _ => return None,
    })
}

/// The programs that a machine of this kind would run.
pub(super) fn programs(vcpus_and_memory: Option<(u32, u64)>, top: bool, seconds: u64) -> String {
    let memory = vcpus_and_memory.map_or(0, |(_, memory)| memory);
    let rows = [
        (1, "0.0", "systemd"),
        (412, "0.0", "cloud-init-local"),
        (588, "0.0", "sshd"),
        (640, "0.1", "page (port 80)"),
        (702, "0.0", "sh"),
    ];
    let mut text = String::new();
    if top {
        let _ = writeln!(
            text,
            "top - up {seconds} s, 1 user, load average: 0.00, 0.01, 0.00\nMiB Mem : {memory} total, {} free",
            memory - memory / 8
        );
    }
    text.push_str("  PID %CPU COMMAND\n");
    for (pid, cpu, name) in rows {
        let _ = writeln!(text, "{pid:>5} {cpu:>4} {name}");
    }
    text
}
