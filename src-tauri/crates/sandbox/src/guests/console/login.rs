//! What a guest shows on its own screen: how it boots, a login, and then its shell.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::Guest;
use super::super::endless::Endless;
use super::super::machine::{Look, Machine, Terminal};

/// Between two lines of the boot.
const LINE_EVERY: Duration = Duration::from_millis(45);
/// Longest name or password.
const LINE_MOST: usize = 256;

/// What a boot says; `{}` is the guest's name.
const BOOT: &[&str] = &[
    "Linux version 6.1.0-simulated (this machine is simulated)",
    "Command line: BOOT_IMAGE=/boot/vmlinuz-6.1.0-simulated root=/dev/vda1 ro console=tty1",
    "smpboot: Allowing {cpus} CPUs",
    "Memory: {memory}M available",
    "virtio_blk virtio1: [vda] attached",
    "virtio_net virtio0: eth0 up",
    "EXT4-fs (vda1): mounted filesystem with ordered data mode",
    "systemd[1]: Hostname set to <{host}>.",
    "[\x1b[32m  OK  \x1b[0m] Started Journal Service.",
    "[\x1b[32m  OK  \x1b[0m] Mounted Root and Kernel File Systems.",
    "[\x1b[32m  OK  \x1b[0m] Reached target Local File Systems.",
    "[\x1b[32m  OK  \x1b[0m] Started Network Configuration.",
    "[\x1b[32m  OK  \x1b[0m] Started Initial cloud-init job.",
    "[\x1b[32m  OK  \x1b[0m] Started OpenBSD Secure Shell server.",
    "[\x1b[32m  OK  \x1b[0m] Reached target Multi-User System.",
];

enum Stage {
    /// So many lines were shown, the last one then.
    Booting {
        shown: usize,
        last: Option<Instant>,
    },
    User(String),
    Password {
        user: String,
        typed: String,
    },
    Shell(Box<Terminal>),
}

pub(super) struct Login {
    guest: Arc<Guest>,
    look: Look,
    stage: Stage,
    /// What is said without end.
    flood: Option<Endless>,
}

impl Login {
    pub(super) fn new(guest: Arc<Guest>, look: Look) -> Self {
        Self {
            guest,
            look,
            flood: None,
            stage: Stage::Booting { shown: 0, last: None },
        }
    }

    /// Somebody is logged in already; with what their shell says first.
    pub(super) fn done(guest: Arc<Guest>, look: Look) -> (Self, String) {
        let mut login = Self::new(guest, look);
        let greeting = login.let_in("root".to_owned());
        (login, greeting)
    }

    fn let_in(&mut self, user: String) -> String {
        let terminal = Terminal::new(self.guest.clone(), self.look.clone(), user);
        let greeting = terminal.greeting();
        self.stage = Stage::Shell(Box::new(terminal));
        greeting
    }

    pub(super) fn boot_again(&mut self) {
        self.flood = None;
        self.stage = Stage::Booting { shown: 0, last: None };
    }

    /// What appears by itself.
    pub(super) fn due(&mut self) -> String {
        let Stage::Booting { shown, last } = &mut self.stage else {
            // As much at once as a screen of text has rows.
            let flood = self.flood.as_mut();
            return flood.map_or_else(String::new, |lines| lines.lines(25, "\r\n"));
        };
        if last.is_some_and(|last| last.elapsed() < LINE_EVERY) {
            return String::new();
        }
        *last = Some(Instant::now());
        let Some(line) = BOOT.get(*shown) else {
            let host = self.guest.hostname.clone();
            return format!(
                "\r\nWangcheng Demo Linux (simulated) {host} tty1\r\n\r\n{}",
                self.ask()
            );
        };
        *shown += 1;
        let (cpus, memory) = self.guest.vcpus_and_memory.unwrap_or((1, 1024));
        let line = line
            .replace("{host}", &self.guest.hostname)
            .replace("{cpus}", &cpus.to_string())
            .replace("{memory}", &memory.to_string());
        match line.starts_with('[') {
            true => format!("{line}\r\n"),
            false => format!(
                "[{:>12.6}] {line}\r\n",
                0.137 * f64::from(u32::try_from(*shown).unwrap_or(1))
            ),
        }
    }

    /// What appears when this is typed.
    pub(super) fn typed(&mut self, bytes: &[u8], machine: &mut Machine) -> String {
        if let Stage::Shell(terminal) = &mut self.stage {
            let typed = terminal.typed(bytes, machine);
            if typed.stops {
                self.flood = None;
            }
            if typed.flood.is_some() {
                self.flood = typed.flood;
            }
            let mut shown = typed.shown;
            if typed.exit.is_some() {
                self.flood = None;
                shown.push_str("\r\n");
                shown.push_str(&self.ask());
            }
            return shown;
        }
        let mut shown = String::new();
        for letter in String::from_utf8_lossy(bytes).chars() {
            match letter {
                '\r' => shown.push_str(&self.entered()),
                '\x03' => {
                    shown.push_str("\r\n\r\n");
                    shown.push_str(&self.ask());
                }
                '\x7f' => match &mut self.stage {
                    Stage::User(user) => shown.push_str(user.pop().map_or("", |_| "\x08 \x08")),
                    Stage::Password { typed, .. } => {
                        typed.pop();
                    }
                    _ => {}
                },
                letter if letter.is_control() => {}
                letter => match &mut self.stage {
                    Stage::User(user) if user.len() < LINE_MOST => {
                        user.push(letter);
                        shown.push(letter);
                    }
                    Stage::Password { typed, .. } if typed.len() < LINE_MOST => typed.push(letter),
                    _ => {}
                },
            }
        }
        shown
    }

    fn ask(&mut self) -> String {
        self.stage = Stage::User(String::new());
        format!("{} login: ", self.guest.hostname)
    }

    fn entered(&mut self) -> String {
        match std::mem::replace(&mut self.stage, Stage::User(String::new())) {
            Stage::User(user) if user.is_empty() => format!("\r\n{}", self.ask()),
            Stage::User(user) => {
                self.stage = Stage::Password {
                    user,
                    typed: String::new(),
                };
                "\r\nPassword: ".to_owned()
            }
            Stage::Password { user, typed } => {
                let known = self.guest.password.as_ref();
                if user == "root" && known.is_some_and(|password| password.is(&typed)) {
                    return format!("\r\n{}", self.let_in(user));
                }
                format!("\r\n\r\nLogin incorrect\r\n{}", self.ask())
            }
            booting => {
                self.stage = booting;
                String::new()
            }
        }
    }
}
