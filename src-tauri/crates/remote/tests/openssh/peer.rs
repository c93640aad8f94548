//! The real peers and what stands between them and us.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use remote::{Ask, Credential, Destination, Front, HostKeys, Login, State, front};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The password of the user that exists in the server's namespace only.
pub const PASSWORD: &str = "pw 网程-1";
/// Its hash, by `openssl passwd -6`.
const HASH: &str =
    "$6$wangcheng$wqsrKtUxjVsvFnMzkTtEJny9DXquzvMMFvCYOeU/HDYKh9Io3luLYxin5RyazCD04UNe2OycPEL1NoGEyf85d1";
const USER_ID: u32 = 4711;

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A folder, keys and a server.
pub struct Sshd {
    pub folder: TempDir,
    pub port: u16,
    pub user: String,
    config: String,
    child: Option<Child>,
}

fn tool(name: &str) -> PathBuf {
    let found = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let found = found
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing; `cargo xtask test` installs it"))
}

pub fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a key pair and gives back its private file.
pub fn keygen(path: &Path, arguments: &[&str]) -> PathBuf {
    let mut command = Command::new("ssh-keygen");
    done(command.args(["-q", "-f"]).arg(path).args(arguments));
    path.to_owned()
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Sshd {
    /// A server with an ed25519 key that lets `key` in, and these lines before its usual ones (the first counts).
    pub async fn start(lines: &str) -> Self {
        let mut sshd = Self::prepare(lines);
        sshd.boot().await;
        sshd
    }

    /// The same, not started.
    pub fn prepare(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        keygen(&at.join("host_ed25519"), &["-t", "ed25519", "-N", ""]);
        keygen(&at.join("key"), &["-t", "ed25519", "-N", "", "-C", "a test"]);
        fs::copy(at.join("key.pub"), at.join("authorized")).unwrap();
        let port = free_port();
        let user = if is_root() {
            "visitor".to_owned()
        } else {
            done(Command::new("id").arg("-un"))
        };
        let home = at.join("home");
        fs::create_dir(&home).unwrap();
        let (mut passwd, mut shadow) = (fs::read_to_string("/etc/passwd").unwrap(), String::new());
        if is_root() {
            shadow = fs::read_to_string("/etc/shadow").unwrap();
            passwd += &format!("visitor:x:{USER_ID}:{USER_ID}::{}:/bin/bash\n", home.display());
            shadow += &format!("visitor:{HASH}:19000:0:99999:7:::\n");
            std::os::unix::fs::chown(&home, Some(USER_ID), Some(USER_ID)).unwrap();
            fs::create_dir_all("/run/sshd").unwrap();
        }
        fs::write(at.join("passwd"), passwd).unwrap();
        fs::write(at.join("shadow"), shadow).unwrap();
        let folder_text = at.display();
        let host_key = match lines.contains("HostKey ") {
            true => String::new(),
            false => format!("HostKey {folder_text}/host_ed25519\n"),
        };
        let pam = if is_root() { "yes" } else { "no" };
        let config = format!(
            "{}\n{host_key}Port {port}\nListenAddress 127.0.0.1\nPidFile {folder_text}/pid\n\
             AuthorizedKeysFile {folder_text}/authorized\nStrictModes no\nUsePAM {pam}\nPrintMotd no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100:30:200\n\
             Subsystem sftp internal-sftp\nLogLevel VERBOSE\n",
            lines.replace("FOLDER", &folder_text.to_string())
        );
        Self {
            folder,
            port,
            user,
            config,
            child: None,
        }
    }

    pub async fn boot(&mut self) {
        let config = self.path("sshd_config");
        fs::write(&config, &self.config).unwrap();
        let words = format!("{} -D -e -f {}", tool("sshd").display(), config.display());
        self.run(&words).await;
    }

    /// Another server in the place of OpenSSH's, with the same user, key and port.
    pub async fn boot_dropbear(&mut self) {
        let key = self.path("dropbear_key");
        let made = done(
            Command::new("dropbearkey")
                .args(["-t", "ed25519", "-f"])
                .arg(&key),
        );
        let public = made
            .lines()
            .find(|line| line.starts_with("ssh-ed25519 "))
            .unwrap();
        fs::write(self.path("dropbear_key.pub"), public).unwrap();
        let keys = self.home().join(".ssh");
        fs::create_dir(&keys).unwrap();
        fs::copy(self.path("authorized"), keys.join("authorized_keys")).unwrap();
        if is_root() {
            for path in [keys.clone(), keys.join("authorized_keys")] {
                std::os::unix::fs::chown(path, Some(USER_ID), Some(USER_ID)).unwrap();
            }
        }
        let dropbear = tool("dropbear");
        let words = format!(
            "{} -F -E -p 127.0.0.1:{} -r {}",
            dropbear.display(),
            self.port,
            key.display()
        );
        self.run(&words).await;
    }

    async fn run(&mut self, words: &str) {
        let at = self.folder.path();
        let script = match is_root() {
            true => format!(
                "mount --bind {0}/passwd /etc/passwd && mount --bind {0}/shadow /etc/shadow && exec {words}",
                at.display(),
            ),
            false => format!("exec {words}"),
        };
        let mut command = Command::new(if is_root() { "unshare" } else { "sh" });
        command
            .args(is_root().then_some(["-m", "sh"]).iter().flatten())
            .args(["-c", &script]);
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(at.join("log"))
            .unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(
                Instant::now() < until,
                "the server does not start: {}",
                self.log()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the server and every session of it, as a crash of the machine would.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        for id in descendants(child.id()) {
            if let Some(id) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
            }
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The server user's home.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    pub fn allow(&self, public: &Path) {
        let mut keys = fs::read_to_string(self.path("authorized")).unwrap();
        keys += &fs::read_to_string(public).unwrap();
        fs::write(self.path("authorized"), keys).unwrap();
    }

    /// The line that names this server in a file of known keys.
    pub fn known_line(&self, key: &str) -> String {
        let public = fs::read_to_string(self.path(&format!("{key}.pub"))).unwrap();
        let mut words = public.split_whitespace();
        let (kind, key) = (words.next().unwrap(), words.next().unwrap());
        format!("[127.0.0.1]:{} {kind} {key}", self.port)
    }

    pub fn host_keys(&self) -> HostKeys {
        HostKeys {
            own: self.path("own_known_hosts"),
            others: vec![self.path("known_hosts")],
        }
    }

    pub fn destination(&self, credentials: Vec<Credential>) -> Destination {
        Destination {
            server: None,
            host: "127.0.0.1".into(),
            port: self.port,
            user: self.user.clone(),
            credentials,
            known_keys: Vec::new(),
        }
    }

    pub fn key(&self) -> Credential {
        Credential::Key {
            name: "keychain".into(),
            pem: fs::read_to_string(self.path("key")).unwrap().into(),
        }
    }

    /// A login with the server's own key; its host key is known.
    pub fn login(&self) -> (Login, Front) {
        self.login_with(vec![self.key()])
    }

    pub fn login_with(&self, credentials: Vec<Credential>) -> (Login, Front) {
        fs::write(self.path("known_hosts"), self.known_line("host_ed25519")).unwrap();
        self.stranger(credentials)
    }

    /// A login to a server whose key nobody knows.
    pub fn stranger(&self, credentials: Vec<Credential>) -> (Login, Front) {
        let (teller, front) = front();
        (
            Login::new(self.destination(credentials), self.host_keys(), teller),
            front,
        )
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("sshd said:\n{}", self.log());
        }
    }
}

/// Every process below this one.
fn descendants(of: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        parents.push((
            id,
            parent.and_then(|id| id.trim().parse::<u32>().ok()).unwrap_or(0),
        ));
    }
    let mut found = vec![of];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        at += 1;
    }
    found.remove(0);
    found
}

/// What a person answers, and what was asked.
#[derive(Clone, Default)]
pub struct Person {
    pub trusts: bool,
    pub secrets: Vec<&'static str>,
    pub asked: Arc<std::sync::Mutex<Vec<Ask>>>,
}

impl Person {
    pub fn who_trusts() -> Self {
        Self {
            trusts: true,
            ..Self::default()
        }
    }

    pub fn who_says(secrets: &[&'static str]) -> Self {
        Self {
            secrets: secrets.to_vec(),
            ..Self::default()
        }
    }

    /// Answers from now on; the last secret again and again.
    pub fn answer(&self, front: Front) {
        let person = self.clone();
        let mut questions = front.questions;
        tokio::spawn(async move {
            let mut said = 0;
            while let Some(question) = questions.recv().await {
                person.asked.lock().unwrap().push(question.ask.clone());
                match question.ask {
                    Ask::HostKey { .. } => question.trust(person.trusts),
                    _ => match person.secrets.get(said).or(person.secrets.last()) {
                        Some(secret) => {
                            said += 1;
                            question.answer(SecretString::from(*secret));
                        }
                        None => drop(question),
                    },
                }
            }
        });
    }

    pub fn asked(&self) -> Vec<Ask> {
        self.asked.lock().unwrap().clone()
    }
}

/// Waits for a state, 20 s at most.
pub async fn until(
    state: &mut tokio::sync::watch::Receiver<State>,
    wanted: impl Fn(&State) -> bool,
) -> State {
    let found = timeout(Duration::from_secs(20), state.wait_for(wanted)).await;
    let found = found.ok().map(|found| found.unwrap().clone());
    found.unwrap_or_else(|| panic!("still {:?}", state.borrow().clone()))
}

/// A way between two ports that can be cut, stopped and made long.
pub struct Relay {
    pub port: u16,
    cut: Arc<std::sync::Mutex<CancellationToken>>,
    refuse: Arc<AtomicBool>,
    /// Nothing passes towards us, and nothing says so.
    pub frozen: Arc<AtomicBool>,
    pub carried: Arc<AtomicU64>,
    /// Cut when so many bytes were carried towards us.
    pub cut_at: Arc<AtomicU64>,
    whole: CancellationToken,
}

impl Relay {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::default(),
            refuse: Arc::default(),
            frozen: Arc::default(),
            carried: Arc::default(),
            cut_at: Arc::new(AtomicU64::new(u64::MAX)),
            whole: CancellationToken::new(),
        };
        let (cut, refuse, whole) = (relay.cut.clone(), relay.refuse.clone(), relay.whole.clone());
        let (carried, cut_at) = (relay.carried.clone(), relay.cut_at.clone());
        let frozen = relay.frozen.clone();
        tokio::spawn(async move {
            loop {
                let taken = tokio::select! {
                    taken = listener.accept() => taken,
                    () = whole.cancelled() => return,
                };
                let Ok((ours, _)) = taken else { return };
                if refuse.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(theirs) = TcpStream::connect(("127.0.0.1", port)).await else {
                    continue;
                };
                let token = cut.lock().unwrap().clone();
                let (mut from_us, mut to_us) = ours.into_split();
                let (mut from_them, mut to_them) = theirs.into_split();
                let (carried, cut_at, cut) = (carried.clone(), cut_at.clone(), cut.clone());
                let frozen = frozen.clone();
                tokio::spawn(async move {
                    let up = tokio::io::copy(&mut from_us, &mut to_them);
                    let down = async {
                        let mut buffer = vec![0; 64 * 1024];
                        while let Ok(read @ 1..) = from_them.read(&mut buffer).await {
                            while frozen.load(Ordering::Relaxed) {
                                sleep(Duration::from_millis(20)).await;
                            }
                            if to_us.write_all(&buffer[..read]).await.is_err() {
                                break;
                            }
                            let sum = carried.fetch_add(read as u64, Ordering::Relaxed) + read as u64;
                            if sum > cut_at.load(Ordering::Relaxed) {
                                cut_at.store(u64::MAX, Ordering::Relaxed);
                                let cut = std::mem::take(&mut *cut.lock().unwrap());
                                cut.cancel();
                                break;
                            }
                        }
                    };
                    tokio::select! {
                        _ = up => {}
                        () = down => {}
                        () = token.cancelled() => {}
                    }
                });
            }
        });
        relay
    }

    /// Breaks every connection through it.
    pub fn cut(&self) {
        std::mem::take(&mut *self.cut.lock().unwrap()).cancel();
    }

    pub fn refuse(&self, yes: bool) {
        self.refuse.store(yes, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.whole.cancel();
    }
}
