//! The program: announces itself, serves, stops when told, and goes on where it was.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sandbox::Announcement;

/// Ended with the test, however the test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    fn start(folder: &Path) -> (Self, Announcement) {
        let announce = folder.join("announcement.json");
        let _ = std::fs::remove_file(&announce);
        let program = Self(
            Command::new(env!("CARGO_BIN_EXE_wangcheng-sandbox"))
                .arg("--announce")
                .arg(&announce)
                .arg("--state")
                .arg(folder.join("state.json"))
                .arg("--receiver")
                .arg(folder.join("received.db"))
                .args(["--speed", "50"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(text) = std::fs::read(&announce) {
                // Written as a whole or not at all.
                return (program, serde_json::from_slice(&text).unwrap());
            }
            assert!(Instant::now() < deadline, "nothing was announced");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(mut self) {
        let told = Command::new("kill")
            .arg(self.0.id().to_string())
            .status()
            .unwrap();
        assert!(told.success());
        assert!(
            self.0.wait().unwrap().success(),
            "SIGTERM is a way to end it, not a failure"
        );
    }
}

#[tokio::test]
async fn it_announces_itself_serves_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let (program, announcement) = Program::start(folder.path());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let health = client
        .get(format!("{}/health", announcement.control))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200);
    for (service, url) in announcement.regions.iter().flat_map(|region| &region.endpoints) {
        // Object storage has objects for everybody, so to it a call without a signature is one without rights.
        let status = if service == "obs" { 403 } else { 401 };
        assert_eq!(
            client.get(url).send().await.unwrap().status(),
            status,
            "{url} wants a signature"
        );
    }
    program.stop();
    assert!(folder.path().join("state.json").exists());

    let (program, again) = Program::start(folder.path());
    assert_eq!(again.regions[0].project_id, announcement.regions[0].project_id);
    program.stop();
}
