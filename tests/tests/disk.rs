//! A disk that is full or may only be read refuses an act before anything is sent: the cloud never hears of it. Through the
//! program itself, on small file systems of its own, where this may be mounted.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::script::{Run, Scene};

/// A mounted file system, unmounted when this goes out of scope.
struct Mount(PathBuf);

impl Mount {
    /// Nothing where mounting is not allowed.
    fn new(place: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(place).unwrap();
        let options = format!("size={size}");
        mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], place).then(|| Self(place.to_owned()))
    }

    fn remount(&self, how: &str) {
        assert!(
            mount(&["-o", &format!("remount,{how}")], &self.0),
            "remount {how}"
        );
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn mount(options: &[&str], place: &Path) -> bool {
    let output = Command::new("mount").args(options).arg(place).output();
    output.is_ok_and(|output| output.status.success())
}

/// What the cloud did for anybody with what has that name: the server, and its disks.
async fn acts(scene: &Scene<'_>, name: &str) -> Vec<String> {
    let world = scene.sandbox().world().await.unwrap();
    let traces = world.pointer("/regions/0/traces").unwrap().as_array().unwrap();
    let of_it = traces
        .iter()
        .filter(|trace| trace.get("resource_name").and_then(Value::as_str) == Some(name));
    of_it
        .map(|trace| trace.get("trace_name").unwrap().as_str().unwrap().to_owned())
        .collect()
}

const CREATE: [&str; 5] = ["server", "create", "a", "--template", "linux-small"];
const STOP: [&str; 4] = ["server", "stop", "a", "--yes"];

fn refused(run: &Run, code: &str) {
    assert!(
        run.code != Some(0) && run.said.contains(code),
        "{code} was expected: {run:?}"
    );
}

#[tokio::test]
async fn a_full_disk_refuses_an_act_before_it_is_sent() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let Some(small) = Mount::new(&desktop.dir().join("full/data"), "3m") else {
        eprintln!("not allowed to mount a small file system here");
        return;
    };
    let mut scene = Scene::set(&desktop, "full").await.unwrap();
    assert_eq!(scene.data(), small.0);
    let ballast = small.0.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    refused(&scene.run(&CREATE, None).await.unwrap(), "ledger_full");
    assert_eq!(acts(&scene, "a").await, Vec::<String>::new(), "nothing was sent");
    assert_eq!(scene.ledger().unwrap().operations.len(), 0);

    std::fs::remove_file(&ballast).unwrap();
    let run = scene.run(&CREATE, None).await.unwrap();
    assert_eq!(run.code, Some(0), "with room again it is done: {run:?}");
    let done = acts(&scene, "a").await;
    let created = done.iter().filter(|act| *act == "createServer");
    assert_eq!(created.count(), 1, "{done:?}");
}

#[tokio::test]
async fn a_ledger_that_may_only_be_read_refuses_an_act_before_it_is_sent() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let Some(place) = Mount::new(&desktop.dir().join("locked/data"), "16m") else {
        eprintln!("not allowed to mount a file system here");
        return;
    };
    let mut scene = Scene::set(&desktop, "locked").await.unwrap();
    let run = scene.run(&CREATE, None).await.unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    let mut done = acts(&scene, "a").await;
    place.remount("ro");
    refused(&scene.run(&STOP, None).await.unwrap(), "ledger_read_only");
    assert_eq!(acts(&scene, "a").await, done, "nothing was sent");
    place.remount("rw");
    let run = scene.run(&STOP, None).await.unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    done.push("stopServer".to_owned());
    assert_eq!(acts(&scene, "a").await, done);
}
