//! A sandbox, and the program run over it.
#![allow(dead_code, reason = "not every test needs all of it")]

#[cfg(target_os = "linux")]
pub mod screen;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sandbox::{Options, Running, Sandbox};
use serde_json::Value;

/// A sandbox at high speed and a directory for the program's ledger.
pub struct Place {
    pub dir: tempfile::TempDir,
    pub running: Running,
}

impl Place {
    pub async fn new() -> Self {
        Self::with_speed(20.0).await
    }

    pub async fn with_speed(speed: f64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            announce: Some(dir.path().join("announce.json")),
            speed,
            ..Options::default()
        };
        let running = Sandbox::start(options).await.unwrap();
        Self { dir, running }
    }

    pub fn announce(&self) -> PathBuf {
        self.dir.path().join("announce.json")
    }

    /// The program with ada's key in the environment, as a script would run it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let announcement = self.running.announcement();
        let ada = announcement.user("ada").unwrap();
        let mut command = program(self.dir.path());
        command
            .arg("--sandbox")
            .arg(self.announce())
            .args(["--region", announcement.regions[0].id.as_str()])
            .args(arguments)
            .env("HUAWEICLOUD_SDK_AK", &ada.access_key)
            .env("HUAWEICLOUD_SDK_SK", &ada.secret_key);
        command
    }

    /// Runs it to its end. No secret is ever in what it says.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let output = finish(self.command(arguments)).await;
        let announcement = self.running.announcement();
        let ada = announcement.user("ada").unwrap();
        for secret in [&ada.secret_key, &announcement.hei.token] {
            for text in [&output.stdout, &output.stderr] {
                assert!(
                    !String::from_utf8_lossy(text).contains(secret.as_str()),
                    "a secret is in the output of {arguments:?}"
                );
            }
        }
        output
    }

    pub async fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = self.run(&all).await;
        assert_eq!(code(&output), 0, "{arguments:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
    }

    pub async fn received(&self) -> Vec<Value> {
        let url = format!("{}/events?distinct=true", self.running.announcement().control);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        rows.iter()
            .map(|row| serde_json::from_str(row["record"]["_message"].as_str().unwrap()).unwrap())
            .collect()
    }
}

pub fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wangcheng"));
    command
        .arg("--data-dir")
        .arg(dir.join("data"))
        .args(["--language", "en"])
        // No keychain of the machine's user.
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("HUAWEICLOUD_SDK_AK")
        .env_remove("HUAWEICLOUD_SDK_SK")
        .env_remove("HUAWEICLOUD_SDK_SECURITY_TOKEN")
        .env("XDG_RUNTIME_DIR", dir)
        .stdin(Stdio::null());
    command
}

pub async fn finish(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn error(output: &Output) -> Value {
    let value: Value = serde_json::from_slice(&output.stderr)
        .unwrap_or_else(|error| panic!("the error is JSON ({error}): {}", said(output)));
    value["error"].clone()
}
