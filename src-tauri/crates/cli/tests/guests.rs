//! The embedded region's servers, reached by ordinary programs and by our own: OpenSSH with the password that was set, tunnels
//! that lead out of a server, and a VNC viewer through a tunnel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::Value;

use common::screen::{Display, LONG, Running, begin, next, viewer};
use common::*;

const NAME: &str = "guest-01";
const PASSWORD: &str = "Right-Horse-7";

/// A server; the file that its key was saved to.
async fn with_key(place: &Place) -> PathBuf {
    let key = place.dir.path().join("key");
    let file = key.to_str().unwrap();
    let create = [
        "server",
        "create",
        NAME,
        "--template",
        "linux-small",
        "--save-key",
        file,
    ];
    place.json(&create).await;
    key
}

/// Where its guest answers.
async fn guest_port(place: &Place) -> u16 {
    let shown = place.json(&["server", "show", NAME]).await;
    let control = place.running.announcement().control;
    let url = format!("{control}/guest?server={}", shown["id"].as_str().unwrap());
    let guest = reqwest::get(url).await.unwrap().text().await.unwrap();
    let guest: Value = serde_json::from_str(&guest).unwrap();
    u16::try_from(guest["port"].as_u64().unwrap()).unwrap()
}

/// A server that was given a password and has started again since; where its guest answers.
async fn with_password(place: &Place) -> u16 {
    with_key(place).await;
    let mut command = place.command(&["server", "password", NAME]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut typed = child.stdin.take().unwrap();
    typed.write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    drop(typed);
    let set = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    assert!(set.await.unwrap().status.success());
    place.json(&["server", "reboot", NAME]).await;
    guest_port(place).await
}

/// OpenSSH's client, which is told this password and knows no key.
fn openssh(dir: &Path, port: u16, password: &str, arguments: &[&str]) -> Command {
    let tells: PathBuf = dir.join(format!("tells-{password}"));
    std::fs::write(&tells, format!("#!/bin/sh\necho '{password}'\n")).unwrap();
    std::fs::set_permissions(&tells, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = Command::new("ssh");
    command
        .args([
            "-F",
            "none",
            "-o",
            "PubkeyAuthentication=no",
            "-o",
            "NumberOfPasswordPrompts=1",
        ])
        .args([
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ])
        .args(["-p", &port.to_string()])
        .args(arguments)
        .env("SSH_ASKPASS", tells)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .stdin(Stdio::null());
    command
}

async fn run(command: Command) -> Output {
    tokio::time::timeout(LONG, finish(command)).await.unwrap()
}

/// Something of this computer that answers each who comes with this.
fn answers(with: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(with.as_bytes());
        }
    });
    port
}

/// What is said at a port here, once something is.
fn heard(port: u16) -> String {
    let began = Instant::now();
    loop {
        let mut text = String::new();
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream.set_read_timeout(Some(LONG)).unwrap();
            let _ = stream.read_to_string(&mut text);
        }
        if !text.is_empty() {
            return text;
        }
        assert!(began.elapsed() < LONG, "nothing is said at {port}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_logs_in_with_the_password_that_was_set_and_leads_a_port_out() {
    let place = Place::new().await;
    let port = with_password(&place).await;
    let dir = place.dir.path();
    let ssh = |password, arguments: &[&str]| openssh(dir, port, password, arguments);

    let ran = run(ssh(PASSWORD, &["root@127.0.0.1", "whoami; exit 5"])).await;
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "root\n", "{}", said(&ran));
    assert_eq!(ran.status.code(), Some(5));
    for (user, password) in [("root", "Wrong-Horse-7"), ("ada", PASSWORD)] {
        let refused = run(ssh(password, &[&format!("{user}@127.0.0.1"), "true"])).await;
        assert_eq!(refused.status.code(), Some(255), "{user}: {}", said(&refused));
        assert!(said(&refused).contains("Permission denied"), "{}", said(&refused));
    }

    let here = answers("from here\n");
    let leads = format!("9000:127.0.0.1:{here}");
    let mut command = ssh(
        PASSWORD,
        &[
            "-N",
            "-o",
            "ExitOnForwardFailure=yes",
            "-R",
            &leads,
            "root@127.0.0.1",
        ],
    );
    let leading = Running(command.stderr(Stdio::null()).spawn().unwrap());
    let began = Instant::now();
    loop {
        let listed = run(ssh(PASSWORD, &["root@127.0.0.1", "ss"])).await;
        if String::from_utf8_lossy(&listed.stdout).contains("127.0.0.1:9000") {
            break;
        }
        assert!(began.elapsed() < LONG, "the port is not there: {}", said(&listed));
    }
    let through = run(ssh(PASSWORD, &["-W", "localhost:9000", "root@127.0.0.1"])).await;
    assert_eq!(
        String::from_utf8_lossy(&through.stdout),
        "from here\n",
        "{}",
        said(&through)
    );
    // Taken is taken, and nothing of it is a port of this computer.
    let mut again = ssh(
        PASSWORD,
        &[
            "-N",
            "-o",
            "ExitOnForwardFailure=yes",
            "-R",
            &leads,
            "root@127.0.0.1",
        ],
    );
    again.stdout(Stdio::null());
    assert_eq!(run(again).await.status.code(), Some(255));
    assert!(TcpStream::connect(("127.0.0.1", 9000)).is_err());
    drop(leading);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_tunnels_lead_out_of_a_server_and_to_its_display() {
    let place = Place::new().await;
    let key = with_key(&place).await;
    // Without a keychain, what is known of its host key is what somebody wrote down.
    let port = guest_port(&place).await.to_string();
    let scanned = Command::new("ssh-keyscan")
        .args(["-p", &port, "127.0.0.1"])
        .output();
    let ledger = place.dir.path().join("data/demo");
    std::fs::write(ledger.join("known_hosts"), scanned.unwrap().stdout).unwrap();
    let with_key = ["-i", key.to_str().unwrap()];
    let here = answers("through both\n");
    let out = format!("9001:127.0.0.1:{here}");
    let routes = [
        "tunnel",
        NAME,
        "-R",
        &out,
        "-L",
        "0:localhost:9001",
        "-L",
        "0:localhost:5901",
    ];
    let (_tunnels, first, mut more) = begin(place.command(&[&routes[..], &with_key].concat()));
    let mut told = [first, next(&mut more), next(&mut more)];
    told.sort_by_key(|one| one["to"].as_str().unwrap().to_owned());
    let port = |to: &str| {
        let one = told.iter().find(|one| one["to"] == to && one["kind"] == "local");
        one.unwrap()["port"].clone()
    };
    let back = u16::try_from(port("localhost:9001").as_u64().unwrap()).unwrap();
    assert_eq!(tokio::task::block_in_place(|| heard(back)), "through both\n");

    let display = Display::start(place.dir.path());
    let looking = viewer(&display, &port("localhost:5901"), "");
    tokio::task::block_in_place(|| display.wait_console());
    drop(looking);
    // With a password, as it is set on such a machine.
    let set = "mkdir -p .vnc && echo secret99 | vncpasswd -f > .vnc/passwd";
    let ran = place.run(&[&["ssh"], &with_key[..], &[NAME, set]].concat()).await;
    assert_eq!(code(&ran), 0, "{}", said(&ran));
    drop(display);
    let display = Display::start(place.dir.path());
    let looking = viewer(&display, &port("localhost:5901"), "secret99");
    tokio::task::block_in_place(|| display.wait_console());
    drop(looking);
}
