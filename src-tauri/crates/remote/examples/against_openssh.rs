//! How fast it is, against OpenSSH's own client in the same run: `cargo run --release -p remote --example
//! against_openssh`. Prints each as a ratio; a time says little on a machine that nobody knows. Takes some minutes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    dead_code,
    missing_docs,
    reason = "a measurement fails by panicking, and shares the peers of the tests"
)]

#[path = "../tests/openssh/peer.rs"]
mod peer;
#[path = "rows/mod.rs"]
mod rows;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use peer::Sshd;
use remote::{Copy, Direction, JobState, Login, Purpose, Queue};
use rows::{MIB, median, row};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A virtual machine that has to share its processor loses half of it now and then: enough that those do not count.
const RUNS: usize = 7;

/// A way to `port` that takes `half` in each direction, however much is under way.
async fn far(port: u16, half: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((ours, _)) = listener.accept().await {
            let theirs = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            ours.set_nodelay(true).unwrap();
            theirs.set_nodelay(true).unwrap();
            let (ours, theirs) = (ours.into_split(), theirs.into_split());
            for (mut from, mut to) in [(ours.0, theirs.1), (theirs.0, ours.1)] {
                let (sender, mut receiver) =
                    tokio::sync::mpsc::channel::<(tokio::time::Instant, Vec<u8>)>(4096);
                tokio::spawn(async move {
                    let mut buffer = vec![0; 64 * 1024];
                    while let Ok(read @ 1..) = from.read(&mut buffer).await {
                        let at = tokio::time::Instant::now() + half;
                        if sender.send((at, buffer[..read].to_vec())).await.is_err() {
                            break;
                        }
                    }
                });
                tokio::spawn(async move {
                    while let Some((at, piece)) = receiver.recv().await {
                        tokio::time::sleep_until(at).await;
                        if to.write_all(&piece).await.is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown().await;
                });
            }
        }
    });
    near
}

fn client(program: &str, sshd: &Sshd, port: u16) -> Command {
    let known = sshd.path("their_known_hosts");
    let line = sshd
        .known_line("host_ed25519")
        .replace(&format!("]:{}", sshd.port), &format!("]:{port}"));
    std::fs::write(&known, line).unwrap();
    let mut command = Command::new(program);
    command.args(["-F", "none", "-o", "BatchMode=yes", "-o"]);
    command.arg(format!("UserKnownHostsFile={}", known.display()));
    command.arg("-i").arg(sshd.path("key"));
    command.args([if program == "ssh" { "-p" } else { "-P" }, &port.to_string()]);
    command.stdout(Stdio::null());
    command
}

async fn timed(mut command: Command) -> f64 {
    tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        assert!(command.status().unwrap().success());
        began.elapsed().as_secs_f64()
    })
    .await
    .unwrap()
}

/// MiB/s of so many bytes, without the login.
async fn theirs(sshd: &Sshd, port: u16, cipher: Option<&str>, bytes: u64) -> f64 {
    let run = |what: String| {
        let mut command = client("ssh", sshd, port);
        command.args(cipher.iter().flat_map(|cipher| ["-c", *cipher]));
        command.arg(format!("{}@127.0.0.1", sshd.user)).arg(what);
        timed(command)
    };
    let login = run("true".into()).await;
    let whole = run(format!("head -c {bytes} /dev/zero")).await;
    bytes as f64 / MIB / (whole - login).max(0.001)
}

async fn ours(login: &Login, bytes: u64) -> f64 {
    let connection = login.connect(Purpose::Transfer).await.unwrap();
    let began = Instant::now();
    let command = format!("head -c {bytes} /dev/zero");
    let ran = connection
        .run(&command, 0, Duration::from_secs(600))
        .await
        .unwrap();
    assert!(ran.cut && ran.exit == Some(0));
    bytes as f64 / MIB / began.elapsed().as_secs_f64()
}

async fn bulk(sshd: &Sshd, what: &str, cipher: Option<&str>, port: u16, bytes: u64, reach: f64) {
    let (mut mine, mut other) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (mut login, _front) = sshd.login();
        login.ciphers.extend(cipher.map(str::to_owned));
        login.to.port = port;
        known(sshd, port);
        mine.push(ours(&login, bytes).await);
        other.push(theirs(sshd, port, cipher, bytes).await);
    }
    row(what, "OpenSSH", median(mine), median(other), reach);
}

fn known(sshd: &Sshd, port: u16) {
    let line = sshd
        .known_line("host_ed25519")
        .replace(&format!("]:{}", sshd.port), &format!("]:{port}"));
    std::fs::write(sshd.path("known_hosts"), line).unwrap();
}

async fn copied(queue: &Queue, direction: Direction, here: &Path, there: &Path, bytes: u64) -> f64 {
    let mut jobs = queue.watch();
    let began = Instant::now();
    let copy = Copy {
        direction,
        here: here.to_owned(),
        there: there.display().to_string(),
        replace: true,
    };
    let id = queue.add(copy).unwrap();
    let over =
        |job: &remote::Job| job.id == id && !matches!(job.state, JobState::Waiting | JobState::Running);
    let jobs = jobs.wait_for(|jobs| jobs.iter().any(over)).await.unwrap();
    let job = jobs.iter().find(|job| job.id == id).unwrap();
    assert_eq!(job.state, JobState::Done);
    bytes as f64 / MIB / began.elapsed().as_secs_f64()
}

/// Files over a long way; both sides with their login.
async fn files(sshd: &Sshd, port: u16) {
    const LENGTH: u64 = 256 * 1024 * 1024;
    let source = sshd.path("source");
    std::fs::write(&source, vec![7; LENGTH as usize]).unwrap();
    let inbox = sshd.home().join("in");
    std::fs::create_dir(&inbox).unwrap();
    if peer::is_root() {
        std::os::unix::fs::chown(&inbox, Some(4711), Some(4711)).unwrap();
    }
    let place = format!("{}@127.0.0.1:", sshd.user);
    let (mut got, mut put, mut their_got, mut their_put) = (vec![], vec![], vec![], vec![]);
    for _ in 0..RUNS {
        let (mut login, _front) = sshd.login();
        login.to.port = port;
        known(sshd, port);
        let queue = Queue::start(login);
        got.push(copied(&queue, Direction::Down, &sshd.path("got"), &source, LENGTH).await);
        let queue = Queue::start({
            let (mut login, _front) = sshd.login();
            login.to.port = port;
            known(sshd, port);
            login
        });
        put.push(copied(&queue, Direction::Up, &source, &inbox.join("put"), LENGTH).await);
        let mut command = client("scp", sshd, port);
        command
            .arg("-q")
            .arg(format!("{place}{}", source.display()))
            .arg(sshd.path("their_got"));
        their_got.push(LENGTH as f64 / MIB / timed(command).await);
        let mut command = client("scp", sshd, port);
        command
            .arg("-q")
            .arg(&source)
            .arg(format!("{place}{}", inbox.join("their_put").display()));
        their_put.push(LENGTH as f64 / MIB / timed(command).await);
    }
    row(
        "SFTP get of 256 MiB at 50 ms",
        "scp",
        median(got),
        median(their_got),
        4.0,
    );
    row(
        "SFTP put of 256 MiB at 50 ms",
        "scp",
        median(put),
        median(their_put),
        1.5,
    );
}

#[tokio::main]
async fn main() {
    const GIB: u64 = 1024 * 1024 * 1024;
    let sshd = Sshd::start("").await;
    for cipher in ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"] {
        bulk(
            &sshd,
            &format!("SSH bulk, {cipher}"),
            Some(cipher),
            sshd.port,
            GIB,
            1.0,
        )
        .await;
    }
    bulk(&sshd, "SSH bulk, what each negotiates", None, sshd.port, GIB, 1.4).await;
    let port = far(sshd.port, Duration::from_millis(25)).await;
    bulk(&sshd, "SSH bulk at 50 ms", None, port, GIB / 4, 5.0).await;
    files(&sshd, port).await;
}
