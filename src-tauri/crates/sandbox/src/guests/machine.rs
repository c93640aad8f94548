//! A guest's machine: files in memory, a line that is edited, and a few commands. No program of this computer is run, and
//! no file of it is read or written.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::blocks::Blocks;
use super::disk::{Disk, Node, Trouble, whole};
use super::endless::Endless;
use super::line::{Word, commands, pipe, split};
use super::ports::Ports;
use super::{Guest, page, tools};

/// The home of the only user.
pub(super) const HOME: &str = "/root";
/// Longest line, in bytes.
const LINE_MOST: usize = 8 * 1024;
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
    pub ports: Ports,
    blocks: Blocks,
    began: Instant,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            disk: Disk::default(),
            ports: Ports::default(),
            blocks: Blocks::default(),
            began: Instant::now(),
        }
    }
}

/// Tells how a guest is now; nothing when it is gone.
pub(super) type Look = Arc<dyn Fn() -> Option<Guest> + Send + Sync>;

/// A shell at work: a line that is being typed, and where it is.
pub(super) struct Terminal {
    guest: Arc<Guest>,
    /// The guest as the region has it at the moment.
    look: Look,
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
    /// Something is said again and again: only Ctrl+C is heard.
    floods: bool,
}

/// What a command says, and what it returns. `None`: the shell itself ends.
pub(super) struct Said {
    pub text: String,
    pub exit: u32,
    pub leave: bool,
    /// Goes on being said until somebody stops it.
    pub flood: Option<Endless>,
}

/// What comes of what was typed.
#[derive(Default)]
pub(super) struct Typed {
    /// What appears.
    pub shown: String,
    /// The shell ends with this.
    pub exit: Option<u32>,
    /// This is said from now on.
    pub flood: Option<Endless>,
    /// What was said again and again stops; `shown` is what comes after it.
    pub stops: bool,
}

pub(super) fn said(text: impl Into<String>) -> Said {
    Said {
        text: text.into(),
        exit: 0,
        leave: false,
        flood: None,
    }
}

pub(super) fn wrong(text: impl Into<String>) -> Said {
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
    pub(super) fn new(guest: Arc<Guest>, look: Look, user: String) -> Self {
        Self {
            guest,
            look,
            user,
            dir: HOME.to_owned(),
            line: String::new(),
            partial: Vec::new(),
            escape: None,
            history: Vec::new(),
            back: 0,
            floods: false,
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

    /// What comes of typing this.
    pub(super) fn typed(&mut self, bytes: &[u8], machine: &mut Machine) -> Typed {
        let mut typed = Typed::default();
        let shown = &mut typed.shown;
        for byte in bytes {
            if self.floods {
                if *byte == 0x03 {
                    self.floods = false;
                    typed.stops = true;
                    let _ = write!(shown, "^C\r\n{}", self.prompt());
                }
                continue;
            }
            if let Some(sequence) = &mut self.escape {
                sequence.push(*byte);
                let ends = sequence.len() > 1 && (byte.is_ascii_alphabetic() || *byte == b'~');
                if ends || sequence.len() > 16 {
                    let sequence = self.escape.take().unwrap_or_default();
                    self.arrow(&sequence, shown);
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
                        typed.exit = Some(done.exit);
                        return typed;
                    }
                    if done.flood.is_some() {
                        self.floods = true;
                        typed.flood = done.flood;
                        continue;
                    }
                    shown.push_str(&self.prompt());
                }
                0x03 => {
                    self.line.clear();
                    let _ = write!(shown, "^C\r\n{}", self.prompt());
                }
                0x04 if self.line.is_empty() => {
                    shown.push_str("logout\r\n");
                    typed.exit = Some(0);
                    return typed;
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
                byte => self.letter(*byte, shown),
            }
        }
        typed
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

    /// Runs a line: what it says, what it returns, and what it goes on saying.
    pub(super) fn run(&mut self, line: &str, machine: &mut Machine) -> (String, u32, Option<Endless>) {
        let done = self.perform(line, machine);
        (done.text, done.exit, done.flood)
    }

    fn perform(&mut self, line: &str, machine: &mut Machine) -> Said {
        self.back = 0;
        if !line.trim().is_empty() {
            self.history.push(line.to_owned());
            if self.history.len() > HISTORY_MOST {
                self.history.remove(0);
            }
        }
        // What the region did to it meanwhile shows.
        if let Some(guest) = (self.look)() {
            self.guest = Arc::new(guest);
        }
        machine.blocks.see(&self.guest.disks);
        let words = match split(line) {
            Ok(words) => words,
            Err(why) => return wrong(format!("sh: {why}")),
        };
        let mut whole = said("");
        for (joined_by, command) in commands(words) {
            let wanted = match joined_by.as_str() {
                "&&" => whole.exit == 0,
                "||" => whole.exit != 0,
                _ => true,
            };
            if !wanted {
                continue;
            }
            let mut input = None;
            let mut done = said("");
            for command in pipe(command) {
                done = self.redirected(command, input.as_deref(), machine);
                input = Some(std::mem::take(&mut done.text));
            }
            let Said {
                exit, leave, flood, ..
            } = done;
            whole.flood = flood;
            let text = input.unwrap_or_default();
            whole.text.push_str(&text);
            whole.exit = exit;
            whole.leave = leave;
            if leave || whole.flood.is_some() {
                break;
            }
        }
        whole
    }

    fn redirected(&mut self, mut words: Vec<Word>, input: Option<&str>, machine: &mut Machine) -> Said {
        let sign = words
            .iter()
            .position(|word| word.is_sign(">") || word.is_sign(">>"));
        let Some(at) = sign else {
            return self.command(&words, input, machine);
        };
        let target = words.split_off(at);
        let mut target = target.into_iter();
        let append = target.next().is_some_and(|sign| sign.is_sign(">>"));
        let (Some(file), None) = (target.next(), target.next()) else {
            return wrong("sh: a redirection needs one file");
        };
        let done = self.command(&words, input, machine);
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

    fn command(&mut self, words: &[Word], input: Option<&str>, machine: &mut Machine) -> Said {
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
                "A simulated machine. It knows: cat cd clear cloud-init cp curl date df echo exit false free grep growpart \
                 head help hostname id ip ls lsblk mkdir mkfs.ext4 mount mv nproc ps pwd resize2fs rm seq sleep sort ss \
                 tail tee top touch true umount uname uptime vncpasswd wc whoami yes; | > >> && || ;\n",
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
            "ps" | "top" => said(tools::programs(
                guest.vcpus_and_memory,
                name.text == "top",
                machine.began.elapsed().as_secs(),
            )),
            "ss" => said(tools::listening(machine.ports.numbers())),
            "curl" => match plain.last() {
                Some(address) if is_own_page(address, &guest) => said(page::page(&guest)),
                Some(address) => Said {
                    exit: 7,
                    ..wrong(format!(
                        "curl: (7) {address}: only this machine's own port 80 is reached"
                    ))
                },
                None => wrong("curl: an address is needed"),
            },
            "tee" => {
                let text = input.unwrap_or_default();
                let append = rest.contains(&"-a");
                let done = self.each(&plain, "tee", |path| {
                    machine.disk.write(path, text.as_bytes(), append)
                });
                Said {
                    text: format!("{text}{}", done.text),
                    ..done
                }
            }
            "vncpasswd" => tools::vncpasswd(&rest, input),
            "cloud-init" => match plain.first() {
                Some(&"status") => said(match rest.contains(&"--long") {
                    true => "status: done\nboot_status_code: enabled-by-generator\nerrors: []\n",
                    false => "status: done\n",
                }),
                _ => wrong("cloud-init: only `cloud-init status` is known here"),
            },
            "clear" => said("\x1b[2J\x1b[H"),
            "exit" | "logout" => Said {
                exit: plain.first().and_then(|text| text.parse().ok()).unwrap_or(0),
                leave: true,
                ..said("")
            },
            "yes" => Said {
                flood: Some(Endless::Line(plain.first().copied().unwrap_or("y").to_owned())),
                ..said("")
            },
            "seq" => tools::count(&plain),
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
            "cat" if plain.is_empty() => said(input.unwrap_or_default()),
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
            other => match self.others(other, &rest, input, machine) {
                Some(said) => said,
                None => Said {
                    exit: 127,
                    ..wrong(format!(
                        "sh: {other}: not found on this simulated machine; try `help`"
                    ))
                },
            },
        }
    }

    /// What works on disks or on lines: of a pipe, or of the file that is named last.
    fn others(&self, name: &str, words: &[&str], input: Option<&str>, machine: &mut Machine) -> Option<Said> {
        let Machine { disk, blocks, .. } = machine;
        let is_folder = |path: &str| disk.node(&self.path(path)).is_some_and(Node::is_folder);
        if let Some(said) = blocks.run(name, words, is_folder) {
            return Some(said);
        }
        let of_file = |file: &&str| disk.read(&self.path(file)).ok();
        let named = match input {
            Some(_) => None,
            None => words.last().and_then(of_file),
        };
        let content = named.map(String::from_utf8_lossy);
        tools::filter(name, words, input.or(content.as_deref()).unwrap_or_default())
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

/// Whether an address is that of the guest's own page.
fn is_own_page(address: &str, guest: &Guest) -> bool {
    let host = address.strip_prefix("http://").unwrap_or(address);
    let host = host.split('/').next().unwrap_or_default();
    let host = host.strip_suffix(":80").unwrap_or(host);
    guest.is_itself(host)
}
