//! The tasks, each a row of commands whose output goes through untouched.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, bail};

use crate::Part;
use crate::setup::{self, modified, npm};

const BINDINGS: &str = "ui/src/host/generated.ts";

/// The project's top folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// One line to the person.
pub fn say(text: &str) {
    println!("== {text}");
}

/// Runs a command to its end and says how long it took.
pub fn do_it(what: &str, command: &mut Command) -> Result<()> {
    let began = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("{what}: cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    say(&format!("{what}: {:.1} s", began.elapsed().as_secs_f32()));
    Ok(())
}

/// This cargo, with the project's top folder as its place.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// What cargo is to do with what is measured: always of the whole workspace, so that no library is built twice because
/// one benchmark needs other features of it than the next.
pub fn released(task: &str, arguments: &[&str]) -> Command {
    let mut command = cargo(&[task, "--workspace", "--exclude", "xtask"]);
    command.args(arguments);
    command
}

fn ui(arguments: &[&str]) -> Command {
    let mut command = npm();
    command
        .arg("run")
        .arg("--silent")
        .args(arguments)
        .current_dir(root().join("ui"));
    command
}

/// Builds the interface when a source is newer than what was built.
fn build_ui() -> Result<()> {
    let ui_dir = root().join("ui");
    let built = modified(&ui_dir.join("dist/index.html"));
    let sources = [
        "src",
        "index.html",
        "package-lock.json",
        "vite.config.ts",
        "project.inlang",
    ];
    let newest = sources
        .iter()
        .filter_map(|source| newest(&ui_dir.join(source)))
        .max();
    if built.is_some() && built >= newest {
        return Ok(());
    }
    do_it("interface", &mut ui(&["build"]))
}

fn newest(place: &Path) -> Option<SystemTime> {
    if !place.is_dir() {
        return modified(place);
    }
    // Made from the messages by every task of the interface, so its age says nothing.
    if place.ends_with("compiled") {
        return None;
    }
    let entries = std::fs::read_dir(place).ok()?;
    entries.filter_map(|entry| newest(&entry.ok()?.path())).max()
}

/// Everything is always built together, so that no task builds a library with other features than the one before.
fn build() -> Result<()> {
    build_ui()?;
    do_it("programs", &mut cargo(&["build", "--workspace", "--bins"]))
}

fn has_display() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program as it is built for every day.
pub fn program(name: &str) -> PathBuf {
    target()
        .join("debug")
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION)
}

/// Opens the window, or walks it without a display.
pub fn run(tour: bool) -> Result<()> {
    let walk = tour || !has_display();
    setup::all(walk)?;
    build()?;
    if !walk {
        return do_it("window", Command::new(program("wangcheng-desktop")).arg("--demo"));
    }
    if !tour {
        say("there is no display here: the main job is walked in a virtual one");
    }
    do_it("tour", Command::new(program("tour")).current_dir(root()))
}

/// Pictures of every screen.
pub fn pictures() -> Result<()> {
    setup::all(true)?;
    build()?;
    do_it("pictures", Command::new(program("pictures")).current_dir(root()))
}

/// All tests.
pub fn test(only: Option<Part>) -> Result<()> {
    setup::all(true)?;
    let wants = |part| only.is_none_or(|only| only == part);
    if wants(Part::Ui) {
        do_it("interface's tests", &mut ui(&["test"]))?;
    }
    if wants(Part::Rust) || wants(Part::Sdk) || wants(Part::Faults) || wants(Part::E2e) {
        build()?;
    }
    if wants(Part::Rust) {
        do_it("crates' tests", &mut cargo(&["test", "--workspace"]))?;
    }
    if wants(Part::Sdk) {
        let python = setup::sdk()?;
        do_it(
            "what sends our requests",
            &mut cargo(&[
                "build",
                "--workspace",
                "--example",
                "record",
                "--example",
                "retold",
            ]),
        )?;
        do_it(
            "the vendor's SDK against the sandbox",
            Command::new(python)
                .args(["-m", "pytest", "tests/sdk", "-q"])
                .env("WANGCHENG_SANDBOX", program("wangcheng-sandbox"))
                .env("WANGCHENG_RECORD", program("examples/record"))
                .env("WANGCHENG_CLI", program("wangcheng"))
                .env("WANGCHENG_RETOLD", program("examples/retold"))
                .current_dir(root()),
        )?;
    }
    if wants(Part::Faults) {
        let mut arguments = vec!["test", "--package", "wangcheng-tests"];
        arguments.extend(
            ["kill", "faults", "race", "disk", "profile"]
                .into_iter()
                .flat_map(|test| ["--test", test]),
        );
        do_it("kills and faults", &mut cargo(&arguments))?;
    }
    // The last one, so that a run ends with cargo's own summary.
    if wants(Part::E2e) {
        let arguments = [
            "test",
            "--package",
            "wangcheng-tests",
            "--test",
            "end_to_end",
            "--",
            "--test-threads=1",
        ];
        do_it("tests in the real window", &mut cargo(&arguments))?;
    }
    Ok(())
}

/// What takes too long for every day. Says as it goes what was done and counted.
pub fn soak() -> Result<()> {
    setup::all(true)?;
    build()?;
    for (package, test, what) in [
        ("wangcheng-tests", "kill", "kills at every step"),
        ("wangcheng-tests", "faults", "every fault"),
        (
            "wangcheng-tests",
            "race",
            "two programs at one grant's last place",
        ),
        (
            "wangcheng-tests",
            "end_to_end",
            "terminals and a screen under a flood",
        ),
        ("remote", "openssh", "two gigabytes by SFTP, with a cut"),
        ("wangcheng", "backlog", "a million events"),
        ("store", "model", "two programs at one outbox"),
        ("store", "usage", "usage against a count of every minute"),
        (
            "store",
            "tally",
            "everybody's usage against a count of every second",
        ),
    ] {
        let arguments = [
            "test",
            "--package",
            package,
            "--test",
            test,
            "--",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ];
        do_it(what, &mut cargo(&arguments))?;
    }
    Ok(())
}

/// Makes up a company's events: on standard output, or into the tally of a directory.
pub fn history(events: u64, seed: u64, dir: Option<&str>) -> Result<()> {
    let (events, seed) = (events.to_string(), seed.to_string());
    let mut arguments = vec![
        "run",
        "--quiet",
        "--release",
        "--package",
        "store",
        "--example",
        "history",
        "--",
    ];
    arguments.extend([events.as_str(), seed.as_str()]);
    arguments.extend(dir);
    do_it("a made-up past", &mut cargo(&arguments))
}

/// Formatting, lints, types, documentation, generated files.
pub fn check() -> Result<()> {
    setup::all(true)?;
    build_ui()?;
    do_it("cargo fmt", &mut cargo(&["fmt", "--all", "--check"]))?;
    do_it(
        "clippy",
        &mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    let mut documentation = cargo(&["doc", "--workspace", "--no-deps"]);
    do_it("rustdoc", documentation.env("RUSTDOCFLAGS", "-D warnings"))?;
    bindings(true)?;
    do_it("interface's types", &mut ui(&["check"]))?;
    do_it("interface's lints", &mut ui(&["lint"]))
}

/// The interface's TypeScript from the Rust types.
pub fn bindings(check: bool) -> Result<()> {
    let mut command = cargo(&["run", "--quiet", "--package", "api", "--bin", "bindings", "--"]);
    if check {
        command.arg("--check");
    }
    do_it("bindings", command.arg(BINDINGS))
}

/// Builds what the window's benchmarks need: the package with the application as it is installed, and an empty window to
/// hold it against. Gives the directory of the programs and the size of the package in bytes.
pub fn for_measuring() -> Result<(PathBuf, u64)> {
    setup::all(true)?;
    setup::browser()?;
    build()?;
    package()?;
    do_it(
        "empty window and embedded region",
        &mut released(
            "build",
            &["--release", "--example", "empty", "--bin", "wangcheng-sandbox"],
        ),
    )?;
    let release = target().join("release");
    let made = std::fs::read_dir(release.join("bundle/deb"))?.flatten();
    let size = made
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "deb"))
        .filter_map(|entry| entry.metadata().ok().map(|data| data.len()))
        .max();
    Ok((release, size.context("there is no package")?))
}

/// The installable package of this system.
pub fn package() -> Result<()> {
    setup::all(false)?;
    build_ui()?;
    let bundle = if cfg!(target_os = "linux") {
        "deb"
    } else if cfg!(target_os = "macos") {
        "app"
    } else {
        "nsis"
    };
    let tauri = root()
        .join("ui/node_modules/.bin")
        .join(if cfg!(windows) { "tauri.cmd" } else { "tauri" });
    let mut command = Command::new(tauri);
    do_it(
        "package",
        command
            .args(["build", "--bundles", bundle])
            .current_dir(root().join("src-tauri")),
    )?;
    let made = root()
        .join("target/release/bundle")
        .join(if bundle == "app" { "macos" } else { bundle });
    for entry in std::fs::read_dir(&made)?.flatten() {
        let size = entry.metadata().map(|data| data.len()).unwrap_or_default();
        if entry.path().is_file() {
            say(&format!(
                "{}: {:.1} MB",
                entry.path().display(),
                size as f64 / 1e6
            ));
        }
    }
    Ok(())
}
