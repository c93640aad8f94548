//! What a machine needs beside Rust and Node: found out first, installed only where it is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::steps::{do_it, root, say};

/// A system package, by the names that three families give it, and why it is needed.
struct Package {
    debian: &'static str,
    fedora: &'static str,
    arch: &'static str,
    why: &'static str,
    /// Only tests and the headless walk need it.
    for_tests: bool,
}

const fn package(
    debian: &'static str,
    fedora: &'static str,
    arch: &'static str,
    why: &'static str,
    for_tests: bool,
) -> Package {
    Package {
        debian,
        fedora,
        arch,
        why,
        for_tests,
    }
}

const PACKAGES: &[Package] = &[
    package(
        "build-essential",
        "gcc-c++",
        "base-devel",
        "compiles the C parts (SQLite, cryptography)",
        false,
    ),
    package(
        "pkg-config",
        "pkgconf-pkg-config",
        "pkgconf",
        "finds the system's libraries",
        false,
    ),
    package(
        "libwebkit2gtk-4.1-dev",
        "webkit2gtk4.1-devel",
        "webkit2gtk-4.1",
        "draws the window",
        false,
    ),
    package(
        "libayatana-appindicator3-dev",
        "libayatana-appindicator-gtk3-devel",
        "libayatana-appindicator",
        "shows the icon in the tray",
        false,
    ),
    package("librsvg2-dev", "librsvg2-devel", "librsvg", "draws icons", false),
    package("dbus", "dbus-daemon", "dbus", "reaches the keychain", false),
    package(
        "gnome-keyring",
        "gnome-keyring",
        "gnome-keyring",
        "keeps keys where no other keychain runs",
        false,
    ),
    package(
        "fonts-noto-cjk",
        "google-noto-sans-cjk-fonts",
        "noto-fonts-cjk",
        "shows Chinese",
        false,
    ),
    package(
        "xvfb",
        "xorg-x11-server-Xvfb",
        "xorg-server-xvfb",
        "a virtual display",
        true,
    ),
    package(
        "xdotool",
        "xdotool",
        "xdotool",
        "types into the system's own dialogs",
        true,
    ),
    package(
        "x11-utils",
        "xprop",
        "xorg-xprop",
        "tells the virtual display how large letters are wanted",
        true,
    ),
    package(
        "webkit2gtk-driver",
        "webkit2gtk4.1",
        "webkit2gtk-4.1",
        "drives the real window",
        true,
    ),
    package(
        "libsecret-tools",
        "libsecret",
        "libsecret",
        "looks into the keychain from outside",
        true,
    ),
    package(
        "openssh-server",
        "openssh-server",
        "openssh",
        "the server that remote login is tried against (Debian starts it as well: `systemctl disable --now ssh` ends that)",
        true,
    ),
    package(
        "dropbear-bin",
        "dropbear",
        "dropbear",
        "another SSH server to try",
        true,
    ),
    package(
        "openssh-client",
        "openssh-clients",
        "openssh",
        "keys, an agent and a client to compare with",
        true,
    ),
    package(
        "tigervnc-standalone-server",
        "tigervnc-server-minimal",
        "tigervnc",
        "a VNC server to try screens against",
        true,
    ),
    package(
        "tigervnc-tools",
        "tigervnc-server-minimal",
        "tigervnc",
        "its passwords",
        true,
    ),
    package(
        "tigervnc-viewer",
        "tigervnc",
        "tigervnc",
        "a VNC viewer for the console from the command line",
        true,
    ),
    package("x11vnc", "x11vnc", "x11vnc", "another VNC server to try", true),
    package(
        "mesa-utils",
        "glx-utils",
        "mesa-utils",
        "something that moves on a screen",
        true,
    ),
    // With apt: see `qemu`.
    package(
        "",
        "qemu-system-sparc-core",
        "qemu-system-sparc",
        "a third VNC server to try",
        true,
    ),
    package(
        "websockify",
        "python3-websockify",
        "python-websockify",
        "in the place of a provider's console proxy",
        true,
    ),
    package(
        "python3",
        "python3",
        "python",
        "runs the vendor's own SDK against the sandbox",
        true,
    ),
    package(
        "python3-dbus",
        "python3-dbus",
        "python-dbus",
        "a tray and notifications for the window's tests",
        true,
    ),
    package(
        "python3-gi",
        "python3-gobject-base",
        "python-gobject",
        "the same",
        true,
    ),
    package(
        "python3-venv",
        "python3",
        "python",
        "keeps the vendor's SDK apart from the system's packages",
        true,
    ),
];

const BROWSER: &[Package] = &[
    package("chromium", "chromium", "chromium", "shows the same screen", true),
    package("chromium-driver", "chromedriver", "chromium", "drives it", true),
];

/// A family of systems: how packages are called, asked for and installed.
struct Family {
    installer: &'static [&'static str],
    name: fn(&Package) -> &'static str,
    has: fn(&str) -> bool,
}

impl Family {
    fn here() -> Option<Self> {
        if exists("apt-get") {
            let has = |name: &str| {
                let asked = quiet(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", name]));
                asked.is_some_and(|state| state == "installed")
            };
            let installer = &["apt-get", "install", "-y", "--no-install-recommends"];
            return Some(Self {
                installer,
                name: |package| package.debian,
                has,
            });
        }
        if exists("dnf") {
            let has = |name: &str| quiet(Command::new("rpm").args(["-q", name])).is_some();
            return Some(Self {
                installer: &["dnf", "install", "-y"],
                name: |package| package.fedora,
                has,
            });
        }
        if exists("pacman") {
            let has = |name: &str| quiet(Command::new("pacman").args(["-Q", name])).is_some();
            let installer = &["pacman", "-S", "--needed", "--noconfirm"];
            return Some(Self {
                installer,
                name: |package| package.arch,
                has,
            });
        }
        None
    }
}

/// Installs system packages and the interface's packages.
pub fn all(for_tests: bool) -> Result<()> {
    system(for_tests)?;
    if for_tests && cfg!(target_os = "linux") {
        qemu()?;
    }
    node()
}

/// QEMU's smallest program that shows a machine's screen by VNC. With apt it is unpacked under `target` instead of being
/// installed: its version has to be that of every other part of QEMU on the system, and apt takes away those that differ.
fn qemu() -> Result<()> {
    let (program, place) = ("qemu-system-sparc", root().join("target/qemu"));
    if !exists("apt-get") || exists(program) || place.join("usr/bin").join(program).exists() {
        return Ok(());
    }
    say("QEMU is missing and will be put under target/qemu: its VNC server is tried");
    let archives = place.join("archives");
    std::fs::create_dir_all(archives.join("partial"))?;
    let mut fetching = Command::new("apt-get");
    fetching
        .args([
            "install",
            "-y",
            "--no-install-recommends",
            "--download-only",
            program,
        ])
        .args(["-o", "Debug::NoLocking=true", "-o"])
        .arg(format!("Dir::Cache::archives={}", archives.display()));
    do_it("QEMU's packages", &mut fetching)?;
    for entry in std::fs::read_dir(&archives)?.flatten() {
        if entry.path().extension().is_some_and(|kind| kind == "deb") {
            let mut unpacking = Command::new("dpkg-deb");
            let status = unpacking
                .arg("--extract")
                .arg(entry.path())
                .arg(&place)
                .status()?;
            if !status.success() {
                bail!("{} cannot be unpacked ({status})", entry.path().display());
            }
        }
    }
    std::fs::remove_dir_all(&archives)?;
    Ok(())
}

/// A browser with what drives it: our screens are measured against it.
pub fn browser() -> Result<()> {
    install(BROWSER.iter())
}

fn system(for_tests: bool) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return other_systems();
    }
    install(PACKAGES.iter().filter(|package| for_tests || !package.for_tests))
}

fn install(wanted: impl Iterator<Item = &'static Package>) -> Result<()> {
    let Some(family) = Family::here() else {
        say(
            "this system has neither apt, dnf nor pacman; Tauri's page of prerequisites says what to install",
        );
        return Ok(());
    };
    let (installer, name) = (family.installer, family.name);
    let mut missing: Vec<_> = wanted
        .filter(|package| !name(package).is_empty() && !(family.has)(name(package)))
        .collect();
    // Two of one family may be one package of another.
    missing.dedup_by_key(|package| name(package));
    if missing.is_empty() {
        return Ok(());
    }
    say("these system packages are missing and will be installed:");
    for package in &missing {
        println!("    {:28} {}", name(package), package.why);
    }
    let sudo = quiet(Command::new("id").arg("-u")).is_some_and(|id| id != "0");
    let as_root = |arguments: &[&str]| {
        let mut words: Vec<&str> = Vec::new();
        if sudo {
            words.push("sudo");
        }
        words.extend(arguments);
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    if sudo {
        say("sudo asks for your password, because only the system's administrator may install packages");
    }
    if exists("apt-get") {
        do_it("package lists", &mut as_root(&["apt-get", "update"]))?;
    }
    do_it(
        "system packages",
        as_root(installer).args(missing.iter().map(|package| name(package))),
    )
}

/// Here nothing is installed by us; what is missing is said.
fn other_systems() -> Result<()> {
    if cfg!(target_os = "macos") {
        if quiet(Command::new("xcode-select").arg("-p")).is_none() {
            bail!("the Xcode command line tools are missing; run `xcode-select --install`");
        }
    } else if cfg!(windows) && quiet(Command::new("where").arg("cl")).is_none() {
        say("if linking fails, install the Visual Studio Build Tools with “Desktop development with C++”");
        say("WebView2 comes with Windows 11; on Windows 10 install its Evergreen runtime");
    }
    Ok(())
}

/// The interface's packages, when the lock file is newer than what is installed.
fn node() -> Result<()> {
    let version = quiet(Command::new("node").arg("--version"))
        .context("Node is missing; install Node 20.19 or newer")?;
    let mut parts = version
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if (major, minor) < (20, 19) {
        bail!("Node {version} is too old; install Node 20.19 or newer");
    }
    let ui = root().join("ui");
    if modified(&ui.join("node_modules/.package-lock.json")) >= modified(&ui.join("package-lock.json")) {
        return Ok(());
    }
    do_it(
        "npm ci",
        npm().args(["ci", "--no-audit", "--no-fund"]).current_dir(&ui),
    )
}

/// The interpreter that has the vendor's own SDK, which is installed anew when the list of it is newer than that.
pub fn sdk() -> Result<PathBuf> {
    environment(
        "target/sdk-venv",
        "tests/sdk/requirements.txt",
        "the vendor's SDK",
    )
}

/// A Python with DuckDB, which the usage summary is measured against; returns its interpreter.
pub fn duckdb() -> Result<PathBuf> {
    environment(
        "target/duckdb-venv",
        "src-tauri/crates/store/benches/requirements.txt",
        "DuckDB",
    )
}

/// A virtual environment with what a list names, made when it is missing or older than the list.
fn environment(place: &str, list: &str, what: &str) -> Result<PathBuf> {
    let (place, list) = (root().join(place), root().join(list));
    let interpreter = place.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let stamp = place.join("installed");
    if interpreter.exists() && modified(&stamp) >= modified(&list) {
        return Ok(interpreter);
    }
    let python = if cfg!(windows) { "python" } else { "python3" };
    do_it(
        "Python's virtual environment",
        Command::new(python).args(["-m", "venv", "--clear"]).arg(&place),
    )
    .context("Python 3 with its module `venv` is needed; install python3 and python3-venv (Fedora: python3, Arch: python)")?;
    do_it(
        what,
        Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(&list),
    )?;
    std::fs::write(&stamp, "").with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(interpreter)
}

/// npm, which on Windows is a script.
pub fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// When a file was last written; nothing when it does not exist.
pub fn modified(file: &Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(file).and_then(|data| data.modified()).ok()
}

fn exists(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command prints, when it succeeds.
fn quiet(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
