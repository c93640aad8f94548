//! A display of its own, VNC viewers on it, and programs that go on in the background.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub const LONG: Duration = Duration::from_secs(60);

/// A program that ends with this.
pub struct Running(pub Child);

impl Running {
    /// How it ends by itself.
    pub fn end(&mut self) -> i32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code().unwrap();
            }
            assert!(began.elapsed() < LONG, "it does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A display whose picture lies in a file.
pub struct Display {
    _server: Running,
    pub number: String,
    picture: PathBuf,
}

impl Display {
    pub fn start(dir: &Path) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1100x800x24", "-fbdir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`cargo xtask test` installs Xvfb");
        let mut number = String::new();
        let mut said = BufReader::new(server.stdout.take().unwrap());
        said.read_line(&mut number).unwrap();
        Self {
            _server: Running(server),
            number: format!(":{}", number.trim()),
            picture: dir.join("Xvfb_screen0"),
        }
    }

    /// Waits until a text console stands on it: far more black than anything else, and letters in grey.
    pub fn wait_console(&self) {
        let began = Instant::now();
        loop {
            let picture = std::fs::read(&self.picture).unwrap_or_default();
            let pixels = picture.chunks_exact(4).map(|pixel| &pixel[..3]);
            let (mut dark, mut bright) = (0, 0);
            for pixel in pixels {
                dark += u32::from(pixel == [0, 0, 0]);
                bright += u32::from(pixel.iter().all(|part| *part > 140 && *part < 240));
            }
            // A dialog would be grey all over.
            if dark > 200_000 && (500..40_000).contains(&bright) {
                return;
            }
            assert!(began.elapsed() < LONG, "{dark} dark and {bright} bright pixels");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// TigerVNC's viewer of a port here.
pub fn viewer(display: &Display, port: &Value, password: &str) -> Running {
    let viewer = Command::new("xtigervncviewer")
        .arg(format!("127.0.0.1::{port}"))
        .env("DISPLAY", &display.number)
        .env("VNC_PASSWORD", password)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Running(viewer.expect("`cargo xtask test` installs TigerVNC's viewer"))
}

/// Begins a command in the background; what it tells first, as JSON, and the rest as it comes.
pub fn begin(mut command: Command) -> (Running, Value, BufReader<ChildStdout>) {
    let mut child = command
        .arg("--json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let told = next(&mut said);
    (Running(child), told, said)
}

/// The next thing that is told.
pub fn next(said: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}
