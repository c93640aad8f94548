//! The command line with a real keychain: a sign-in lasts over several runs, until it is taken back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::peers::Sandbox;
use wangcheng_tests::programs;

/// A terminal of a desktop, with a ledger and a region.
struct Terminal<'d> {
    desktop: &'d Desktop,
    announce: PathBuf,
    data: PathBuf,
}

impl Terminal<'_> {
    /// Runs the program with nothing of a key in its environment.
    async fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.desktop.command(programs::find(programs::CLI).unwrap());
        command
            .arg("--sandbox")
            .arg(&self.announce)
            .arg("--data-dir")
            .arg(&self.data)
            .args(["--language", "en", "--json"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            // A program that asks for nothing may have ended already.
            let _ = stdin.write_all(input.as_bytes());
            drop(stdin);
            child.wait_with_output().unwrap()
        })
        .await
        .unwrap()
    }

    async fn answer(&self, arguments: &[&str], input: &str) -> Value {
        let output = self.run(arguments, input).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What the keychain lists of ours, without the secrets.
    fn kept(&self) -> String {
        let found = self
            .desktop
            .command("secret-tool")
            .args(["search", "--all", "service", "wangcheng"])
            .output()
            .unwrap();
        // The attributes come on standard error.
        String::from_utf8_lossy(&found.stderr).into_owned()
    }
}

/// Whether a text stands in any file below.
fn stands_in_a_file(dir: &Path, text: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return stands_in_a_file(&path, text);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_lasts_over_several_runs_until_it_is_taken_back() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let sandbox = Sandbox::start(desktop.dir(), 20.0).await.unwrap();
    let terminal = Terminal {
        desktop: &desktop,
        announce: sandbox.announce_file().to_owned(),
        data: desktop.dir().join("ledger"),
    };
    let ada = sandbox.user("ada").unwrap();
    let key = format!("{}\n{}\n", ada.access_key, ada.secret_key);
    let region = sandbox.region().unwrap();

    let nobody = terminal.run(&["server", "list"], "").await;
    assert_eq!(nobody.status.code(), Some(3));
    let sign_in = ["account", "sign-in", "--name", "work", "--region", region];
    let signed_in = terminal.answer(&sign_in, &key).await;
    assert_eq!(signed_in["remembered"], true, "{signed_in:#}");
    assert!(terminal.kept().contains("account/"), "{}", terminal.kept());

    let create = ["server", "create", "kept", "--template", "linux-small"];
    let made = terminal.answer(&create, "").await;
    assert_eq!(made["outcome"], "ok", "the next run finds the key: {made:#}");
    assert_eq!(made["key"]["kept"], "keychain");
    let file = desktop.dir().join("kept.key");
    terminal
        .answer(&["server", "save-key", "kept", file.to_str().unwrap()], "")
        .await;
    let saved = std::fs::read_to_string(&file).unwrap();
    assert!(saved.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
    assert!(
        !stands_in_a_file(&terminal.data, &ada.secret_key),
        "the key is in the keychain and in no file"
    );

    terminal.answer(&["server", "delete", "kept", "--yes"], "").await;
    let out = terminal.answer(&["account", "sign-out", "work"], "").await;
    assert_eq!(out["accounts"].as_array().unwrap().len(), 0);
    let kept = terminal.kept();
    assert!(!kept.contains("account/") && !kept.contains("server/"), "{kept}");
    let nobody = terminal.run(&["server", "list"], "").await;
    assert_eq!(nobody.status.code(), Some(3), "signed out is signed out");
    sandbox.stop().await.unwrap();
}
