//! A guest's machine: files in memory, a line that is edited, and a few commands. No program of this computer is run, and
//! no file of it is read or written.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Guest;
use super::disk::{Disk, Node, Trouble, whole};

/// The home of the only user.
pub(super) const HOME: &str = "/root";
/// Longest line, in bytes.
const LINE_MOST: usize = 8 * 1024;
/// Most lines that `seq` counts.
const COUNT_MOST: u64 = 2_000_000;
const HISTORY_MOST: usize = 200;
/// What stands for itself in the address of a folder.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What all visits to a guest share.
pub(super) struct Machine {
    pub disk: Disk,
    began: Instant,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            disk: Disk::default(),
            began: Instant::now(),
        }
    }
}

/// A shell at work: a line that is being typed, and where it is.
pub(super) struct Terminal {
    guest: Arc<Guest>,
    user: String,
    dir: String,
    line: String,
    /// Bytes of a letter that is not whole yet.
    partial: Vec<u8>,
    /// Inside an escape sequence, and what came of it.
    escape: Option<Vec<u8>>,
    history: Vec<String>,
    /// How far back in it.
    back: usize,
}

/// What a command says, and what it returns. `None`: the shell itself ends.
struct Said {
    text: String,
    exit: u32,
    leave: bool,
}

fn said(text: impl Into<String>) -> Said {
    Said {
        text: text.into(),
        exit: 0,
        leave: false,
    }
}

fn wrong(text: impl Into<String>) -> Said {
    Said {
        exit: 1,
        ..said(format!("{}\n", text.into()))
    }
}

/// Columns that a letter takes: two for those of East Asia.
pub(super) fn width(letter: char) -> usize {
    if u32::from(letter) >= 0x1100 { 2 } else { 1 }
}

fn on_screen(text: &str) -> String {
    text.replace('\n', "\r\n")
}

impl Terminal {
    pub(super) fn new(guest: Arc<Guest>, user: String) -> Self {
        Self {
            guest,
            user,
            dir: HOME.to_owned(),
            line: String::new(),
            partial: Vec::new(),
            escape: None,
            history: Vec::new(),
            back: 0,
        }
    }

    pub(super) fn greeting(&self) -> String {
        format!(
            "Welcome to {} (a simulated machine of the demo region; type `help`).\r\n{}",
            self.guest.hostname,
            self.prompt()
        )
    }

    /// The prompt; before it, unseen, the folder that the shell is in (OSC 7), as shells of today tell it.
    fn prompt(&self) -> String {
        let dir = match self.dir.strip_prefix(HOME) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
            _ => self.dir.clone(),
        };
        format!(
            "\x1b]7;file://{host}{}\x07\x1b[32m{}@{host}\x1b[0m:\x1b[34m{dir}\x1b[0m# ",
            utf8_percent_encode(&self.dir, PLAIN),
            self.user,
            host = self.guest.hostname,
        )
    }

    /// What appears when this is typed, and what the shell returns once it ends.
    pub(super) fn typed(&mut self, bytes: &[u8], machine: &mut Machine) -> (String, Option<u32>) {
        let mut shown = String::new();
        for byte in bytes {
            if let Some(sequence) = &mut self.escape {
                sequence.push(*byte);
                let ends = sequence.len() > 1 && (byte.is_ascii_alphabetic() || *byte == b'~');
                if ends || sequence.len() > 16 {
                    let sequence = self.escape.take().unwrap_or_default();
                    self.arrow(&sequence, &mut shown);
                }
                continue;
            }
            match byte {
                0x1b => self.escape = Some(Vec::new()),
                b'\r' | b'\n' => {
                    shown.push_str("\r\n");
                    let line = std::mem::take(&mut self.line);
                    let done = self.perform(&line, machine);
                    shown.push_str(&on_screen(&done.text));
                    if done.leave {
                        return (shown, Some(done.exit));
                    }
                    shown.push_str(&self.prompt());
                }
                0x03 => {
                    self.line.clear();
                    let _ = write!(shown, "^C\r\n{}", self.prompt());
                }
                0x04 if self.line.is_empty() => {
                    shown.push_str("logout\r\n");
                    return (shown, Some(0));
                }
                0x0c => {
                    let _ = write!(shown, "\x1b[2J\x1b[H{}{}", self.prompt(), self.line);
                }
                0x15 => {
                    self.line.clear();
                    let _ = write!(shown, "\r\x1b[K{}", self.prompt());
                }
                0x7f | 0x08 => {
                    if let Some(letter) = self.line.pop() {
                        shown.push_str(&"\x08 \x08".repeat(width(letter)));
                    }
                }
                byte if *byte < 0x20 => {}
                byte => self.letter(*byte, &mut shown),
            }
        }
        (shown, None)
    }

    fn letter(&mut self, byte: u8, shown: &mut String) {
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(letter) => {
                if self.line.len() < LINE_MOST {
                    self.line.push_str(letter);
                    shown.push_str(letter);
                }
                self.partial.clear();
            }
            Err(error) if error.error_len().is_none() && self.partial.len() < 4 => {}
            Err(_) => self.partial.clear(),
        }
    }

    /// Up and down go through what was typed before.
    fn arrow(&mut self, sequence: &[u8], shown: &mut String) {
        self.back = match sequence {
            b"[A" | b"OA" => (self.back + 1).min(self.history.len()),
            b"[B" | b"OB" => self.back.saturating_sub(1),
            _ => return,
        };
        let at = self.history.len() - self.back;
        self.line = self.history.get(at).cloned().unwrap_or_default();
        let _ = write!(shown, "\r\x1b[K{}{}", self.prompt(), self.line);
    }

    /// Runs a line; what it says, and what it returns.
    pub(super) fn run(&mut self, line: &str, machine: &mut Machine) -> (String, u32) {
        let done = self.perform(line, machine);
        (done.text, done.exit)
    }

    fn perform(&mut self, line: &str, machine: &mut Machine) -> Said {
        self.back = 0;
        if !line.trim().is_empty() {
            self.history.push(line.to_owned());
            if self.history.len() > HISTORY_MOST {
                self.history.remove(0);
            }
        }
        let words = match split(line) {
            Ok(words) => words,
            Err(why) => return wrong(format!("sh: {why}")),
        };
        let mut whole = said("");
        for (joined_by, command) in commands(words) {
            if joined_by == "&&" && whole.exit != 0 {
                continue;
            }
            let Said { text, exit, leave } = self.redirected(command, machine);
            whole.text.push_str(&text);
            whole.exit = exit;
            whole.leave = leave;
            if leave {
                break;
            }
        }
        whole
    }

    fn redirected(&mut self, mut words: Vec<Word>, machine: &mut Machine) -> Said {
        let sign = words
            .iter()
            .position(|word| word.is_sign(">") || word.is_sign(">>"));
        let Some(at) = sign else {
            return self.command(&words, machine);
        };
        let target = words.split_off(at);
        let mut target = target.into_iter();
        let append = target.next().is_some_and(|sign| sign.is_sign(">>"));
        let (Some(file), None) = (target.next(), target.next()) else {
            return wrong("sh: a redirection needs one file");
        };
        let done = self.command(&words, machine);
        if done.exit != 0 {
            return done;
        }
        match machine
            .disk
            .write(&self.path(&file.text), done.text.as_bytes(), append)
        {
            Ok(()) => said(""),
            Err(why) => wrong(format!("sh: {}: {why}", file.text)),
        }
    }

    fn path(&self, text: &str) -> String {
        match text.strip_prefix('~') {
            Some(rest) => whole("/", &format!("{HOME}{rest}")),
            None => whole(&self.dir, text),
        }
    }

    fn command(&mut self, words: &[Word], machine: &mut Machine) -> Said {
        let Some((name, rest)) = words.split_first() else {
            return said("");
        };
        let rest: Vec<&str> = rest.iter().map(|word| word.text.as_str()).collect();
        let plain: Vec<&str> = rest
            .iter()
            .copied()
            .filter(|word| !word.starts_with('-'))
            .collect();
        let guest = self.guest.clone();
        match name.text.as_str() {
            "help" => said(
                "A simulated machine. It knows: cat cd clear cloud-init cp date df echo exit free help hostname id ip \
                 ls lsblk mkdir mv nproc pwd rm seq sleep touch true false uname uptime whoami\n",
            ),
            "echo" => said(format!("{}\n", rest.join(" "))),
            "true" | "sleep" => said(""),
            "false" => Said { exit: 1, ..said("") },
            "pwd" => said(format!("{}\n", self.dir)),
            "whoami" => said(format!("{}\n", self.user)),
            "id" => said("uid=0(root) gid=0(root) groups=0(root)\n"),
            "hostname" => said(format!("{}\n", guest.hostname)),
            "uname" => match rest.first() {
                Some(&"-a") => said(format!(
                    "Linux {} 6.1.0-simulated x86_64 GNU/Linux\n",
                    guest.hostname
                )),
                Some(&"-r") => said("6.1.0-simulated\n"),
                _ => said("Linux\n"),
            },
            "nproc" => said(format!(
                "{}\n",
                guest.vcpus_and_memory.map_or(1, |(vcpus, _)| vcpus)
            )),
            "uptime" => said(format!(" up {} s\n", machine.began.elapsed().as_secs())),
            "date" => said(format!(
                "{}\n",
                chrono::Utc::now().format("%a %b %e %H:%M:%S UTC %Y")
            )),
            "ip" => said(format!(
                "1: lo: <LOOPBACK,UP>\n    inet 127.0.0.1/8\n2: eth0: <BROADCAST,UP>\n    inet {}/24\n",
                guest.address
            )),
            "free" => {
                let memory = guest.vcpus_and_memory.map_or(0, |(_, memory)| memory);
                said(format!(
                    "               total        used        free\nMem:    {:>10} M {:>9} M {:>9} M\n",
                    memory,
                    memory / 8,
                    memory - memory / 8
                ))
            }
            "lsblk" => {
                let mut text = "NAME  SIZE TYPE\n".to_owned();
                for (device, size) in &guest.disks {
                    let _ = writeln!(text, "{:<5} {size:>3}G disk", device.trim_start_matches("/dev/"));
                }
                said(text)
            }
            "df" => {
                let size = guest.disks.first().map_or(0, |(_, size)| *size);
                said(format!(
                    "Filesystem  Size Used Mounted on\n/dev/vda1   {size:>3}G   2G /\n"
                ))
            }
            "cloud-init" => said("status: done\n"),
            "clear" => said("\x1b[2J\x1b[H"),
            "exit" | "logout" => Said {
                exit: plain.first().and_then(|text| text.parse().ok()).unwrap_or(0),
                leave: true,
                ..said("")
            },
            "seq" => count(&plain),
            "cd" => {
                let to = self.path(plain.first().copied().unwrap_or("~"));
                match machine.disk.names(&to) {
                    Ok(_) => {
                        self.dir = to;
                        said("")
                    }
                    Err(why) => wrong(format!("cd: {to}: {why}")),
                }
            }
            "ls" => self.list(&plain, rest.contains(&"-l"), machine),
            "cat" => {
                let mut text = String::new();
                for file in &plain {
                    match machine.disk.read(&self.path(file)) {
                        Ok(content) => text.push_str(&String::from_utf8_lossy(content)),
                        Err(why) => return wrong(format!("cat: {file}: {why}")),
                    }
                }
                said(text)
            }
            "touch" => self.each(&plain, "touch", |path| machine.disk.write(path, b"", true)),
            "mkdir" => self.each(&plain, "mkdir", |path| machine.disk.make_folder(path)),
            "rm" => self.each(&plain, "rm", |path| machine.disk.remove(path)),
            "cp" | "mv" => {
                let [from, to] = plain[..] else {
                    return wrong(format!("{}: two names are needed", name.text));
                };
                let (source, mut target) = (self.path(from), self.path(to));
                if machine.disk.node(&target).is_some_and(Node::is_folder) {
                    target = whole(&target, source.rsplit('/').next().unwrap_or_default());
                }
                let done = match name.text.as_str() {
                    "mv" => machine.disk.rename(&source, &target, true),
                    _ => match machine.disk.read(&source).map(<[u8]>::to_vec) {
                        Ok(content) => machine.disk.write(&target, &content, false),
                        Err(why) => Err(why),
                    },
                };
                match done {
                    Ok(()) => said(""),
                    Err(why) => wrong(format!("{}: {from}: {why}", name.text)),
                }
            }
            other => Said {
                exit: 127,
                ..wrong(format!(
                    "sh: {other}: not found on this simulated machine; try `help`"
                ))
            },
        }
    }

    fn each(&self, names: &[&str], command: &str, mut act: impl FnMut(&str) -> Result<(), Trouble>) -> Said {
        for name in names {
            if let Err(why) = act(&self.path(name)) {
                return wrong(format!("{command}: {name}: {why}"));
            }
        }
        said("")
    }

    fn list(&self, names: &[&str], long: bool, machine: &Machine) -> Said {
        let dir = self.path(names.first().copied().unwrap_or("."));
        let found = match machine.disk.names(&dir) {
            Ok(found) => found,
            Err(Trouble::NotFolder) => {
                let name = names.first().copied().unwrap_or_default();
                machine
                    .disk
                    .node(&dir)
                    .map(|node| (name, node))
                    .into_iter()
                    .collect()
            }
            Err(why) => return wrong(format!("ls: {dir}: {why}")),
        };
        let mut text = String::new();
        for (name, node) in found {
            let _ = match (long, node.is_folder()) {
                (true, _) => writeln!(text, "{} 1 root root {:>8} {name}", node.letters(), node.size()),
                (false, false) => writeln!(text, "{name}"),
                (false, true) => writeln!(text, "{name}/"),
            };
        }
        said(text)
    }
}

fn count(numbers: &[&str]) -> Said {
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

/// A word of a line; what was quoted is no sign.
struct Word {
    text: String,
    quoted: bool,
}

impl Word {
    fn is_sign(&self, sign: &str) -> bool {
        !self.quoted && self.text == sign
    }
}

/// The words of a line.
fn split(line: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut now: Option<Word> = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' => words.extend(now.take()),
            '#' if now.is_none() => break,
            ';' | '>' | '&' => {
                words.extend(now.take());
                let mut text = letter.to_string();
                if letter != ';' && letters.next_if_eq(&letter).is_some() {
                    text.push(letter);
                }
                if text == "&" {
                    return Err("nothing runs in the background of this simulated machine".to_owned());
                }
                words.push(Word { text, quoted: false });
            }
            '|' | '<' | '`' | '(' => {
                return Err(format!("`{letter}` is not known to this simulated machine"));
            }
            '\'' | '"' => {
                let word = now.get_or_insert(Word {
                    text: String::new(),
                    quoted: true,
                });
                word.quoted = true;
                loop {
                    match letters.next() {
                        None => return Err("a quote is not closed".to_owned()),
                        Some(end) if end == letter => break,
                        Some(inside) => word.text.push(inside),
                    }
                }
            }
            letter => now
                .get_or_insert(Word {
                    text: String::new(),
                    quoted: false,
                })
                .text
                .push(if letter == '\\' {
                    letters.next().unwrap_or('\\')
                } else {
                    letter
                }),
        }
    }
    words.extend(now);
    Ok(words)
}

/// The commands of a line, each with the sign before it.
fn commands(words: Vec<Word>) -> Vec<(String, Vec<Word>)> {
    let mut commands = vec![(";".to_owned(), Vec::new())];
    for word in words {
        if word.is_sign(";") || word.is_sign("&&") {
            commands.push((word.text, Vec::new()));
        } else if let Some((_, command)) = commands.last_mut() {
            command.push(word);
        }
    }
    commands
}
