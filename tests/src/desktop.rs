//! A private desktop: virtual display, D-Bus session and keychain of its own, nothing of the user's.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::process::Program;

/// How long a part of the desktop may take to come up.
const START: Duration = Duration::from_secs(20);

/// The password of every keychain made here.
const KEYCHAIN_PASSWORD: &str = "a keychain of the tests";

/// The state of the desktop's keychain (Secret Service).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keychain {
    /// It is there and open, as after a normal login.
    Unlocked,
    /// It is there with a password that nobody types: an access opens a password dialog on the display and waits.
    Locked,
    /// There is none, and none can be started over D-Bus.
    Absent,
}

/// A virtual display with a D-Bus session and a keychain, in a temporary directory. All of it ends with this value.
#[derive(Debug)]
pub struct Desktop {
    // the display last, because the others may use it; fields drop in this order
    keyring: Option<Program>,
    _bus: Program,
    _display: Program,
    env: BTreeMap<OsString, OsString>,
    dir: TempDir,
}

impl Desktop {
    /// Starts everything and waits until it answers.
    ///
    /// # Errors
    /// When a program is not installed or does not come up.
    pub async fn start(keychain: Keychain) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("wangcheng-desktop-").tempdir()?;
        let mut env = private_environment(dir.path())?;

        let mut command = Command::new("Xvfb");
        command.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1600x1200x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        let mut display = Program::start("xvfb", command, dir.path(), None)?;
        let number = display
            .line(START, |line| line.trim().parse::<u32>().is_ok())
            .await?;
        env.insert("DISPLAY".into(), format!(":{}", number.trim()).into());

        let config = dir.path().join("session.conf");
        std::fs::write(&config, bus_configuration(dir.path(), keychain))?;
        let mut command = Command::new("dbus-daemon");
        command
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"]);
        // whatever the bus activates inherits this environment, so it has to be complete by now
        command.env_clear().envs(&env);
        let mut bus = Program::start("dbus", command, dir.path(), None)?;
        let address = bus.line(START, |line| line.contains("unix:")).await?;
        env.insert("DBUS_SESSION_BUS_ADDRESS".into(), address.into());

        let keyring = match keychain {
            Keychain::Unlocked => Some(start_keyring(&env, dir.path(), Some(KEYCHAIN_PASSWORD)).await?),
            Keychain::Locked => {
                // the first daemon makes the keyring and its password; the second finds it and is told no password
                start_keyring(&env, dir.path(), Some(KEYCHAIN_PASSWORD))
                    .await?
                    .stop(START)
                    .await?;
                Some(start_keyring(&env, dir.path(), None).await?)
            }
            Keychain::Absent => None,
        };
        Ok(Self {
            keyring,
            _bus: bus,
            _display: display,
            env,
            dir,
        })
    }

    /// Starts the keychain's daemon anew: locked, as after a login without a password, or unlocked. What is in it stays.
    ///
    /// # Errors
    /// When the daemon does not end or does not come up.
    pub async fn restart_keychain(&mut self, locked: bool) -> Result<()> {
        if let Some(keyring) = self.keyring.take() {
            keyring.stop(START).await?;
        }
        let password = (!locked).then_some(KEYCHAIN_PASSWORD);
        self.keyring = Some(start_keyring(&self.env, self.dir.path(), password).await?);
        Ok(())
    }

    /// The whole environment of a program on this desktop; nothing else is to be inherited.
    pub fn env(&self) -> &BTreeMap<OsString, OsString> {
        &self.env
    }

    /// Lets WebKit draw by itself instead of on a graphics card that the processor only plays: what a page takes is then
    /// the page's.
    pub fn draw_without_a_card(&mut self) {
        self.env
            .insert("WEBKIT_DISABLE_COMPOSITING_MODE".into(), "1".into());
    }

    /// A command that runs `program` on this desktop.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.env);
        command
    }

    /// Wants letters as for a screen of so many dots per inch, as a person's settings do; 96 is the usual.
    ///
    /// # Errors
    /// When xprop is not installed.
    pub fn want_letters(&self, dots: u32) -> Result<()> {
        let wanted = format!("Xft.dpi: {dots}\n");
        let status = self
            .command("xprop")
            .args([
                "-root",
                "-f",
                "RESOURCE_MANAGER",
                "8s",
                "-set",
                "RESOURCE_MANAGER",
                &wanted,
            ])
            .status()
            .context("xprop is not installed")?;
        ensure!(status.success(), "xprop says {status}");
        Ok(())
    }

    /// Turns the wheel of the mouse at a place of the display, up for less than nothing, with so many milliseconds between
    /// two notches.
    ///
    /// # Errors
    /// When xdotool is not installed.
    pub fn turn_wheel(&self, (x, y): (i64, i64), notches: i32, pause_ms: u32) -> Result<()> {
        let button = if notches < 0 { "4" } else { "5" };
        let (x, y) = (x.to_string(), y.to_string());
        let (notches, pause) = (notches.unsigned_abs().to_string(), pause_ms.to_string());
        let status = self
            .command("xdotool")
            .args([
                "mousemove",
                &x,
                &y,
                "click",
                "--repeat",
                &notches,
                "--delay",
                &pause,
                button,
            ])
            .status()
            .context("xdotool is not installed")?;
        ensure!(status.success(), "xdotool says {status}");
        Ok(())
    }

    /// The windows that are seen on the desktop now.
    ///
    /// # Errors
    /// When xdotool is not installed.
    pub fn shown_windows(&self) -> Result<Vec<String>> {
        // Its status says only that there are none.
        let output = self
            .command("xdotool")
            .args(["search", "--onlyvisible", "--name", ""])
            .output()
            .context("xdotool is not installed")?;
        let ids = String::from_utf8_lossy(&output.stdout);
        Ok(ids.lines().map(str::to_owned).collect())
    }

    /// Chooses a file or folder in the dialog that opens beside the windows `before`, as a person who types its path. The
    /// path has plain letters only.
    ///
    /// # Errors
    /// When no dialog opens in time.
    pub async fn choose_in_dialog(&self, before: &[String], path: &Path) -> Result<()> {
        let dialog = self.opened(before).await?;
        let until = tokio::time::Instant::now() + START * 2;
        let typed = path.display().to_string();
        // It reads the folder that it begins in, and what is typed meanwhile may be lost: then it is typed again.
        let steps: [&[&str]; 4] = [
            &["windowfocus", "--sync", &dialog],
            &["sleep", "0.5", "key", "ctrl+l", "key", "ctrl+a"],
            &["type", "--delay", "20", &typed],
            &["sleep", "0.5", "key", "Return"],
        ];
        while tokio::time::Instant::now() < until {
            for step in steps {
                let done = self.command("xdotool").args(step).output()?;
                if !self.shown_windows()?.contains(&dialog) {
                    return Ok(());
                }
                if !done.status.success() {
                    bail!("xdotool {step:?}: {}", String::from_utf8_lossy(&done.stderr));
                }
            }
            for _ in 0..20 {
                if !self.shown_windows()?.contains(&dialog) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        bail!("the dialog does not take {typed}");
    }

    /// Waits for the window that opens beside the windows `before`, and gives its id.
    async fn opened(&self, before: &[String]) -> Result<String> {
        let until = tokio::time::Instant::now() + START * 2;
        loop {
            let shown = self.shown_windows()?;
            if let Some(new) = shown.iter().find(|id| !before.contains(id)) {
                return Ok(new.clone());
            }
            if tokio::time::Instant::now() > until {
                bail!("no dialog opens beside {before:?}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Prints into a file by the dialog that opens beside the windows `before`: “Print to File” is the only printer that there
    /// is, and it proposes a file in the directory in which the program was started, which is this one's.
    ///
    /// # Errors
    /// When no dialog opens in time, or no PDF comes of it.
    pub async fn print_to_file(&self, before: &[String]) -> Result<Vec<u8>> {
        let dialog = self.opened(before).await?;
        let act = |step: &[&str]| self.command("xdotool").args(step).output();
        let file = std::env::current_dir()?.join("output.pdf");
        let until = tokio::time::Instant::now() + START * 3;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if self.shown_windows()?.contains(&dialog) {
                // The list of printers has the focus; its only one is chosen, then the dialog's own button.
                act(&["windowfocus", "--sync", &dialog])?;
                act(&["key", "Down"])?;
                act(&["key", "Return"])?;
            }
            let bytes = std::fs::read(&file).unwrap_or_default();
            if bytes.trim_ascii_end().ends_with(b"%%EOF") {
                std::fs::remove_file(&file)?;
                return Ok(bytes);
            }
            if tokio::time::Instant::now() > until {
                bail!("the dialog makes no PDF");
            }
        }
    }

    /// A directory that lives as long as the desktop, for data directories and files of peers.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

/// Home, XDG directories and locale of nobody else; of the caller's environment only what finds programs and logs.
fn private_environment(dir: &Path) -> Result<BTreeMap<OsString, OsString>> {
    let mut env = BTreeMap::new();
    for name in ["PATH", "RUST_LOG", "RUST_BACKTRACE", "TZ"] {
        if let Some(value) = std::env::var_os(name) {
            env.insert(name.into(), value);
        }
    }
    let places: [(&str, &str); 5] = [
        ("HOME", "home"),
        ("XDG_DATA_HOME", "home/.local/share"),
        ("XDG_CONFIG_HOME", "home/.config"),
        ("XDG_CACHE_HOME", "home/.cache"),
        ("XDG_RUNTIME_DIR", "run"),
    ];
    for (name, place) in places {
        let path: PathBuf = dir.join(place);
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        env.insert(name.into(), path.into());
    }
    // the XDG specification asks for it and gnome-keyring insists
    std::fs::set_permissions(dir.join("run"), std::fs::Permissions::from_mode(0o700))?;
    for (name, value) in [
        ("LANG", "C.UTF-8"),
        ("GDK_BACKEND", "x11"),
        ("GSETTINGS_BACKEND", "memory"),
        // no accessibility bus: GTK would wait for one
        ("NO_AT_BRIDGE", "1"),
        ("LIBGL_ALWAYS_SOFTWARE", "1"),
    ] {
        env.insert(name.into(), value.into());
    }
    Ok(env)
}

/// A session bus for this user; with the installed services to activate unless the keychain is to be absent.
fn bus_configuration(dir: &Path, keychain: Keychain) -> String {
    let services = if keychain == Keychain::Absent {
        ""
    } else {
        "<standard_session_servicedirs/>"
    };
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={}</listen>
  <auth>EXTERNAL</auth>
  {services}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#,
        dir.join("run").display()
    )
}

/// Starts the keyring daemon and waits until it owns the Secret Service's name. Nothing may ask for the service before:
/// D-Bus would then activate a second daemon, and unlocking the first would not help.
async fn start_keyring(
    env: &BTreeMap<OsString, OsString>,
    dir: &Path,
    password: Option<&str>,
) -> Result<Program> {
    let mut command = Command::new("gnome-keyring-daemon");
    command
        .args(["--foreground", "--components=secrets"])
        .env_clear()
        .envs(env);
    if password.is_some() {
        command.arg("--unlock");
    }
    // without a newline, which would become part of the password
    let mut keyring = Program::start("gnome-keyring", command, dir, password)?;
    keyring
        .until(START, "the Secret Service on the session bus", || {
            name_has_owner(env, "org.freedesktop.secrets")
                .ok()
                .filter(|owned| *owned)
        })
        .await?;
    Ok(keyring)
}

/// Whether somebody owns `name` on the session bus, asked without activating anything.
fn name_has_owner(env: &BTreeMap<OsString, OsString>, name: &str) -> Result<bool> {
    let answer = Command::new("dbus-send")
        .args([
            "--session",
            "--print-reply=literal",
            "--reply-timeout=2000",
            "--dest=org.freedesktop.DBus",
        ])
        .args(["/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner"])
        .arg(format!("string:{name}"))
        .env_clear()
        .envs(env)
        .stdin(Stdio::null())
        .output()
        .context("cannot start dbus-send")?;
    if !answer.status.success() {
        bail!("dbus-send: {}", String::from_utf8_lossy(&answer.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&answer.stdout).contains("true"))
}
