//! Screens: QEMU's own VNC server, in front of a machine that shows its firmware and nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::peer::{Sshd, free_port};
use super::screens::{Peer, Viewer, answer, certify, through};

const LONG: Duration = Duration::from_secs(60);
const PROGRAM: &str = "qemu-system-sparc";

/// QEMU as the system has it, or as `cargo xtask setup` unpacks it.
fn qemu() -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(PROGRAM).exists()) {
        return Command::new(PROGRAM);
    }
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/qemu");
    let libraries = ["usr/lib", "lib"].map(|folder| {
        let inside = std::fs::read_dir(place.join(folder))
            .into_iter()
            .flatten()
            .flatten();
        inside
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect::<Vec<PathBuf>>()
    });
    let mut command = Command::new(place.join("usr/bin").join(PROGRAM));
    command
        .env(
            "LD_LIBRARY_PATH",
            std::env::join_paths(libraries.concat()).unwrap(),
        )
        .arg("-L")
        .arg(place.join("usr/share/qemu"));
    command
}

/// A machine whose screen is at that port; `more` belongs to its VNC server, `objects` to the machine.
async fn machine(port: u16, more: &str, objects: &[&str]) -> Peer {
    let mut command = qemu();
    command.args([
        "-M", "SS-5", "-m", "32", "-display", "none", "-serial", "none", "-monitor", "none",
    ]);
    command.args(objects.iter().flat_map(|object| ["-object", object]));
    // QEMU counts displays from port 5900 on.
    let display = i32::from(port) - 5900;
    command.args(["-vnc", &format!("127.0.0.1:{display}{more}")]);
    Peer::start(&mut command, port).await
}

/// A port that QEMU can name: none below the first display.
fn port() -> u16 {
    std::iter::repeat_with(free_port)
        .find(|port| *port >= 5900)
        .unwrap()
}

#[tokio::test]
async fn qemu_shows_its_firmware_and_takes_keys_through_ssh() {
    let sshd = Sshd::start("").await;
    let port = port();
    let _machine = machine(port, "", &[]).await;
    let (screen, front) = through(&sshd, port);
    let answering = answer(front, &[]);
    let mut viewer = Viewer::new(screen);
    let (width, height, _) = viewer.greet().await.unwrap();
    assert_eq!((width, height), (1024, 768));
    // The firmware has said what it has to say when the picture stands still.
    let began = Instant::now();
    let mut still = (0, 0);
    loop {
        let now = viewer.picture(width, height).await.unwrap();
        if now == still && now.0.min(now.1) > 500 {
            break;
        }
        assert!(began.elapsed() < LONG, "the picture is {now:?}");
        still = now;
        sleep(Duration::from_secs(1)).await;
    }
    for letter in "words".chars() {
        viewer.press(letter.into()).await;
    }
    while viewer.picture(width, height).await.unwrap() == still {
        assert!(began.elapsed() < LONG * 2, "what is typed does not appear");
        sleep(Duration::from_millis(200)).await;
    }
    answering.await.unwrap();
}

#[tokio::test]
async fn qemu_asks_for_its_password_and_shows_its_certificate() {
    let sshd = Sshd::start("").await;
    let (one, other) = (port(), port());
    let _locked = machine(one, ",password-secret=s", &["secret,id=s,data=secret99"]).await;
    let (screen, front) = through(&sshd, one);
    let answering = answer(front, &["secret99"]);
    assert!(Viewer::new(screen).greet().await.is_some());
    assert_eq!(answering.await.unwrap().1, 1, "the password was asked for");

    let folder = sshd.folder.path().join("tls");
    std::fs::create_dir(&folder).unwrap();
    let [ca, ca_key, server, key] =
        ["ca-cert.pem", "ca-key.pem", "server-cert.pem", "server-key.pem"].map(|name| folder.join(name));
    certify(&ca_key, &ca, None);
    certify(&key, &server, Some((&ca_key, &ca)));
    let credentials = format!(
        "tls-creds-x509,id=t,dir={},endpoint=server,verify-peer=off",
        folder.display()
    );
    let _secured = machine(other, ",tls-creds=t", &[&credentials]).await;
    let (screen, front) = through(&sshd, other);
    let answering = answer(front, &[]);
    let mut viewer = Viewer::new(screen);
    let (width, height, _) = viewer.greet().await.unwrap();
    assert!(viewer.picture(width, height).await.is_some());
    assert_eq!(answering.await.unwrap().1, 1, "the certificate was asked about");
}
