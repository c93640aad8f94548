//! `wangcheng ssh`, `scp` and `tunnel` in a real terminal, against the simulated machines of the embedded region and through
//! a real sshd as a jump host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::peers::Sandbox;
use wangcheng_tests::programs;
use wangcheng_tests::pty::Terminal;

const LONG: Duration = Duration::from_secs(60);
const NAME: &str = "shell-01";

/// A person who is signed in and has one running server.
struct Person {
    desktop: Desktop,
    sandbox: Sandbox,
}

impl Person {
    async fn with_server() -> Self {
        let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
        let sandbox = Sandbox::start(desktop.dir(), 20.0).await.unwrap();
        let person = Self { desktop, sandbox };
        let ada = person.sandbox.user("ada").unwrap();
        let key = format!("{}\n{}\n", ada.access_key, ada.secret_key);
        let region = person.sandbox.region().unwrap().to_owned();
        let signed_in = person
            .run(
                &["account", "sign-in", "--name", "work", "--region", &region],
                key.as_bytes(),
            )
            .await;
        assert!(signed_in.status.success(), "{}", said(&signed_in));
        let made = person
            .run(&["server", "create", NAME, "--template", "linux-small"], b"")
            .await;
        assert!(made.status.success(), "{}", said(&made));
        person
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desktop.command(programs::find(programs::CLI).unwrap());
        command
            .arg("--sandbox")
            .arg(self.sandbox.announce_file())
            .arg("--data-dir")
            .arg(self.dir().join("ledger"))
            .args(["--language", "en"])
            .args(arguments);
        command
    }

    fn dir(&self) -> &Path {
        self.desktop.dir()
    }

    /// Runs to the end without a terminal.
    async fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        let running = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let _ = stdin.write_all(&input);
            drop(stdin);
            child.wait_with_output().unwrap()
        });
        tokio::time::timeout(LONG, running).await.unwrap().unwrap()
    }

    async fn stop(self) {
        self.sandbox.stop().await.unwrap();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A program that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a page says.
fn get(port: u64) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_a_command_copies_and_a_tunnel_reach_a_server_and_end_as_it_ends() {
    let person = Person::with_server().await;

    // A command: its output and what it returns are passed through; a quote is the shell's there.
    let ran = person.run(&["ssh", NAME, "echo", "你好;", "exit 7"], b"").await;
    assert_eq!(
        (shown(&ran).as_str(), ran.status.code()),
        ("你好\n", Some(7)),
        "{}",
        said(&ran)
    );
    let missing = person.run(&["ssh", NAME, "--", "nothing-there"], b"").await;
    assert_eq!(missing.status.code(), Some(127));
    let nowhere = person.run(&["ssh", "no-such-server", "true"], b"").await;
    assert_eq!(nowhere.status.code(), Some(255), "{}", said(&nowhere));

    // A shell in a terminal.
    let mut terminal = Terminal::start(&person.command(&["ssh", NAME]), 90, 30).unwrap();
    terminal.wait("# ", LONG).await.unwrap();
    terminal.press("echo 网程; uname -r\r").unwrap();
    terminal.wait("6.1.0-simulated", LONG).await.unwrap();
    terminal.resize(120, 40).unwrap();
    // Ctrl+C is the server's, not ours.
    terminal.press("half a line\u{3}").unwrap();
    terminal.wait("^C", LONG).await.unwrap();
    terminal.press("exit 3\r").unwrap();
    assert_eq!(terminal.end(LONG).await.unwrap(), 3, "{}", terminal.shown());

    // `~.` ends one that would go on.
    let mut terminal = Terminal::start(&person.command(&["ssh", NAME]), 80, 24).unwrap();
    terminal.wait("# ", LONG).await.unwrap();
    terminal.press("\r~.").unwrap();
    assert_eq!(terminal.end(LONG).await.unwrap(), 130);

    // Copies, a folder with a name in Chinese among them.
    let folder = person.dir().join("up/资料");
    std::fs::create_dir_all(&folder).unwrap();
    let content: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(folder.join("numbers.bin"), &content).unwrap();
    std::fs::write(folder.join("a b.txt"), "文\n").unwrap();
    let up = folder.to_str().unwrap();
    let there = format!("{NAME}:");
    let refused = person.run(&["scp", up, &there], b"").await;
    assert_eq!(
        refused.status.code(),
        Some(4),
        "a folder needs -r: {}",
        said(&refused)
    );
    let copied = person.run(&["--json", "scp", "-r", up, &there], b"").await;
    assert!(copied.status.success(), "{}", said(&copied));
    let told: Value = serde_json::from_slice(&copied.stdout).unwrap();
    assert_eq!(told["files"], 2, "{told}");
    let down = person.dir().join("down");
    std::fs::create_dir_all(&down).unwrap();
    let from = format!("{NAME}:资料");
    let copied = person
        .run(&["scp", "-r", &from, down.to_str().unwrap()], b"")
        .await;
    assert!(copied.status.success(), "{}", said(&copied));
    assert!(std::fs::read(down.join("资料/numbers.bin")).unwrap() == content);
    assert_eq!(
        std::fs::read_to_string(down.join("资料/a b.txt")).unwrap(),
        "文\n"
    );

    // A tunnel to the page that the server serves itself.
    let mut command = person.command(&["--json", "tunnel", NAME, "-L", "0:localhost:80", "-D", "0"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let running = Running(child);
    let told = tokio::task::spawn_blocking(move || {
        let told: Vec<Value> = lines
            .take(2)
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect();
        told
    });
    let told = tokio::time::timeout(LONG, told).await.unwrap().unwrap();
    assert_eq!(told[0]["kind"], "local", "{told:?}");
    assert!(
        told[0]["listen"].as_str().unwrap().starts_with("127.0.0.1:"),
        "{told:?}"
    );
    let port = told[0]["port"].as_u64().unwrap();
    let page = tokio::task::spawn_blocking(move || get(port)).await.unwrap();
    assert!(page.contains(NAME), "{page}");
    assert_eq!(told[1]["kind"], "dynamic", "{told:?}");
    drop(running);

    let closed = person
        .sandbox
        .wait_event("session.closed", "ok", LONG)
        .await
        .unwrap();
    assert_eq!(closed["client"], "cli", "{closed}");
    person.stop().await;
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    shown(&output)
}

/// A real sshd that lets this user in with a key, and an agent that has it.
struct Jump {
    _sshd: Running,
    agent: Running,
    socket: PathBuf,
    port: u16,
    user: String,
}

fn jump_host(dir: &Path) -> Jump {
    std::fs::create_dir_all(dir).unwrap();
    for name in ["host", "key"] {
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(dir.join(name)));
    }
    let port = free_port();
    let at = dir.display();
    let config = format!(
        "HostKey {at}/host\nPort {port}\nListenAddress 127.0.0.1\nPidFile none\nAuthorizedKeysFile {at}/key.pub\n\
         StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n"
    );
    std::fs::write(dir.join("config"), config).unwrap();
    // It refuses to run as root without its directory.
    let _ = std::fs::create_dir_all("/run/sshd");
    let sshd = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f"])
        .arg(dir.join("config"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let socket = dir.join("agent");
    let agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (sshd, agent) = (Running(sshd), Running(agent));
    for _ in 0..200 {
        if socket.exists() && TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    run(Command::new("ssh-add")
        .arg("-q")
        .arg(dir.join("key"))
        .env("SSH_AUTH_SOCK", &socket));
    Jump {
        _sshd: sshd,
        agent,
        socket,
        port,
        user: run(Command::new("id").arg("-un")).trim().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_sshd_is_jumped_through_and_its_key_is_asked_about_once() {
    let person = Person::with_server().await;
    let jump = jump_host(&person.dir().join("jump"));
    let through = format!("{}@127.0.0.1:{}", jump.user, jump.port);
    let socket = jump.socket.to_str().unwrap().to_owned();
    let with_agent = |arguments: &[&str]| {
        let mut command = person.command(arguments);
        command.env("SSH_AUTH_SOCK", &socket);
        command
    };
    // Nobody can be asked without a terminal: an unknown key is a "no".
    let arguments = ["ssh", "-J", &through, NAME, "hostname"];
    let refused = with_agent(&arguments).stdin(Stdio::null()).output().unwrap();
    assert_eq!(refused.status.code(), Some(255), "{}", said(&refused));
    let mut terminal = Terminal::start(&with_agent(&arguments), 80, 24).unwrap();
    terminal.wait("SHA256:", LONG).await.unwrap();
    terminal.press("yes\r").unwrap();
    assert_eq!(terminal.end(LONG).await.unwrap(), 0, "{}", terminal.shown());
    assert!(
        terminal.shown().contains(&format!("{NAME}\r\n")),
        "{}",
        terminal.shown()
    );
    let known = with_agent(&arguments).stdin(Stdio::null()).output().unwrap();
    assert_eq!(
        (shown(&known).trim(), known.status.code()),
        (NAME, Some(0)),
        "{}",
        said(&known)
    );
    drop(jump.agent);
    person.stop().await;
}
