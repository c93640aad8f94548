//! Every way to log in, and none that should not.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use remote::{Ask, CloudInit, Credential, Error, KeyTrouble, Login, Patience, Purpose, State, Unreachable};
use tokio::time::Instant;

use crate::peer::{PASSWORD, Person, Sshd, done, free_port, is_root, keygen};

async fn says_hello(login: &Login) {
    let connection = login.connect(Purpose::Terminal).await.unwrap();
    let ran = connection
        .run("echo hello; exit 7", 1000, Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!((ran.output.as_ref(), ran.exit), (b"hello\n".as_ref(), Some(7)));
    connection.close().await;
}

#[tokio::test]
async fn a_key_from_the_keychain_lets_one_in() {
    let sshd = Sshd::start("").await;
    let (login, _front) = sshd.login();
    says_hello(&login).await;
    let agreed = login.connect(Purpose::Terminal).await.unwrap().agreed();
    assert_eq!(
        (agreed.cipher.as_str(), agreed.host_key.as_str()),
        ("aes128-gcm@openssh.com", "ssh-ed25519")
    );
}

#[tokio::test]
async fn every_kind_of_key_file_lets_one_in() {
    let sshd = Sshd::start("").await;
    for (name, arguments) in [
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""][..]),
        ("rsa_pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
        ("rsa_pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", ""]),
        ("ecdsa", &["-t", "ecdsa", "-b", "256", "-N", ""]),
        ("ecdsa384", &["-t", "ecdsa", "-b", "384", "-N", ""]),
        ("ed25519", &["-t", "ed25519", "-N", ""]),
    ] {
        let key = keygen(&sshd.path(name), arguments);
        sshd.allow(&key.with_extension("pub"));
        let (login, _front) = sshd.login_with(vec![Credential::KeyFile(key)]);
        let connected = login.connect(Purpose::Terminal).await;
        assert!(connected.is_ok(), "{name}: {:?}", connected.err());
    }
}

#[tokio::test]
async fn a_passphrase_is_asked_for_until_it_fits_and_then_never_again() {
    let sshd = Sshd::start("").await;
    let key = keygen(&sshd.path("locked"), &["-t", "ed25519", "-N", "offen"]);
    sshd.allow(&key.with_extension("pub"));
    let (login, front) = sshd.login_with(vec![Credential::KeyFile(key)]);
    let person = Person::who_says(&["wrong", "offen"]);
    person.answer(front);
    says_hello(&login).await;
    assert_eq!(person.asked().len(), 2);
    assert!(matches!(&person.asked()[1], Ask::Passphrase { again: true, .. }));
    let (second, _) = login.beside();
    says_hello(&second).await;
    assert_eq!(person.asked().len(), 2, "a second connection asks nothing");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_as_what_it_is() {
    let sshd = Sshd::start("").await;
    let key = keygen(&sshd.path("locked"), &["-t", "ed25519", "-N", "offen"]);
    for (path, says, why) in [
        (key, &["wrong"][..], KeyTrouble::PassphraseWrong),
        (sshd.path("nothing"), &[], KeyTrouble::Missing),
        (sshd.path("sshd_config"), &[], KeyTrouble::NotAKey),
    ] {
        let (login, front) = sshd.login_with(vec![Credential::KeyFile(path)]);
        Person::who_says(says).answer(front);
        let error = login.connect(Purpose::Terminal).await.err().unwrap();
        assert!(
            matches!(&error, Error::Key { why: told, .. } if *told == why),
            "{error}"
        );
    }
}

/// An agent of its own.
struct Agent {
    socket: std::path::PathBuf,
    child: Child,
}

impl Agent {
    async fn with(folder: &Path, keys: &[&Path]) -> Self {
        let socket = folder.join("agent");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn();
        let child = child.unwrap();
        while !socket.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for key in keys {
            done(
                Command::new("ssh-add")
                    .arg("-q")
                    .arg(key)
                    .env("SSH_AUTH_SOCK", &socket),
            );
        }
        Self { socket, child }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_agents_keys_let_one_in_one_after_the_other() {
    let sshd = Sshd::start("").await;
    let other = keygen(&sshd.path("other"), &["-t", "ed25519", "-N", ""]);
    let rsa = keygen(&sshd.path("rsa"), &["-t", "rsa", "-b", "2048", "-N", ""]);
    sshd.allow(&rsa.with_extension("pub"));
    let agent = Agent::with(sshd.folder.path(), &[&other, &rsa]).await;
    let socket = Some(agent.socket.clone());
    let way = Credential::Agent {
        socket: socket.clone(),
        only: None,
    };
    let (login, _front) = sshd.login_with(vec![way]);
    says_hello(&login).await;
    let way = Credential::Agent {
        socket,
        only: Some(vec![other]),
    };
    let (login, _front) = sshd.login_with(vec![way]);
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert!(
        matches!(&error, Error::Refused { tried, .. } if tried.len() == 1),
        "only the one: {error}"
    );
    let way = Credential::Agent {
        socket: Some(sshd.path("no_agent")),
        only: None,
    };
    let (login, _front) = sshd.login_with(vec![way]);
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert_eq!(error.code(), "agent");
}

#[tokio::test]
async fn a_certificate_beside_the_key_lets_one_in() {
    let sshd = Sshd::prepare("TrustedUserCAKeys FOLDER/ca.pub");
    let ca = keygen(&sshd.path("ca"), &["-t", "ed25519", "-N", ""]);
    let key = keygen(&sshd.path("signed"), &["-t", "ed25519", "-N", ""]);
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-s"])
        .arg(&ca)
        .args(["-I", "me", "-n", &sshd.user])
        .arg(key.with_extension("pub"));
    done(&mut sign);
    let mut sshd = sshd;
    sshd.boot().await;
    let (login, _front) = sshd.login_with(vec![Credential::KeyFile(key)]);
    says_hello(&login).await;
}

#[tokio::test]
async fn passwords_are_taken_as_such_and_by_keyboard() {
    if !is_root() {
        eprintln!("not tried: another user's password needs root");
        return;
    }
    for lines in [
        "PasswordAuthentication yes",
        "KbdInteractiveAuthentication yes",
        "PasswordAuthentication yes\nKbdInteractiveAuthentication yes",
    ] {
        let sshd = Sshd::start(lines).await;
        let known = Credential::Password(Some(PASSWORD.into()));
        let (login, _front) = sshd.login_with(vec![known]);
        says_hello(&login).await;
        let (login, front) = sshd.login_with(vec![Credential::Interactive, Credential::Password(None)]);
        let person = Person::who_says(&["wrong", PASSWORD]);
        person.answer(front);
        let first = login.connect(Purpose::Terminal).await;
        let asked = person.asked();
        match &asked[0] {
            Ask::Prompts { prompts, .. } => assert!(!prompts[0].echo && prompts[0].text.contains("assword")),
            Ask::Password { again, user, .. } => assert!(!again && *user == sshd.user),
            other => panic!("{other:?}"),
        }
        assert!(first.is_ok(), "{lines}: {:?} after {asked:?}", first.err());
        let count = person.asked().len();
        let (second, _) = login.beside();
        says_hello(&second).await;
        assert_eq!(person.asked().len(), count, "a second connection asks nothing");
    }
}

#[tokio::test]
async fn a_refusal_says_what_was_tried_and_what_the_server_takes() {
    let sshd = Sshd::start("").await;
    let other = keygen(&sshd.path("other"), &["-t", "ed25519", "-N", ""]);
    let (login, front) = sshd.login_with(vec![
        Credential::KeyFile(other.clone()),
        Credential::Password(Some("wrong".into())),
    ]);
    let mut login = login;
    login.patience = Patience::BOOT;
    let began = Instant::now();
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    let Error::Refused { tried, offered, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(tried, &[format!("publickey {}", other.display())]);
    assert_eq!(
        offered,
        &["publickey"],
        "a password is not offered where it is not taken"
    );
    assert!(
        !error.passes() && began.elapsed() < Duration::from_secs(10),
        "it is not tried again"
    );
    assert!(!matches!(*front.state.borrow(), State::Waiting { .. }));
}

#[tokio::test]
async fn a_server_that_hangs_up_after_too_many_keys_has_refused() {
    let sshd = Sshd::start("MaxAuthTries 2").await;
    let keys = (0..4).map(|at| keygen(&sshd.path(&format!("k{at}")), &["-t", "ed25519", "-N", ""]));
    let (login, _front) = sshd.login_with(keys.map(Credential::KeyFile).collect());
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert_eq!(error.code(), "refused", "{error}");
}

#[tokio::test]
async fn a_server_that_boots_is_waited_for() {
    let mut sshd = Sshd::prepare("");
    let (mut login, front) = sshd.login();
    login.patience = Patience {
        in_all: Duration::from_secs(30),
        pause: Duration::from_millis(200),
    };
    let connecting = tokio::spawn(async move { login.connect(Purpose::Terminal).await.map(drop) });
    let mut state = front.state;
    let seen = crate::peer::until(&mut state, |state| {
        matches!(state, State::Waiting { attempt: 2.., .. })
    })
    .await;
    let State::Waiting { cause, left_ms, .. } = seen else {
        panic!("{seen:?}");
    };
    assert!(
        matches!(
            cause,
            Error::Unreachable {
                why: Unreachable::Refused,
                ..
            }
        ),
        "{cause}"
    );
    assert!(left_ms > 20_000);
    sshd.boot().await;
    connecting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_up_before_its_key_is_waited_for_within_a_limit() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut sshd = Sshd::prepare("");
    sshd.port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let (mut login, _front) = sshd.login();
    login.patience = Patience {
        in_all: Duration::from_millis(700),
        pause: Duration::from_millis(200),
    };
    let began = Instant::now();
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                why: Unreachable::ClosedEarly,
                ..
            }
        ),
        "{error}"
    );
    assert!(began.elapsed() > Duration::from_millis(300) && began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_chain_of_hosts_is_jumped_through_each_with_its_own_key_and_login() {
    let (first, second) = (Sshd::start("").await, Sshd::start("").await);
    let (mut login, _front) = second.login();
    let known = format!(
        "{}\n{}\n",
        first.known_line("host_ed25519"),
        second.known_line("host_ed25519")
    );
    std::fs::write(second.path("known_hosts"), known).unwrap();
    login.jumps = vec![first.destination(vec![first.key()])];
    says_hello(&login).await;
    assert!(first.log().contains("Accepted publickey") && second.log().contains("Accepted publickey"));
    login.to.port = free_port();
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert_eq!(error.code(), "unreachable", "{error}");
    login.jumps[0].credentials.clear();
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert!(
        matches!(&error, Error::Refused { user, .. } if *user == first.user),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_never_ends_its_greeting_is_left() {
    use tokio::io::AsyncWriteExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut sshd = Sshd::prepare("");
    sshd.port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move { while stream.write_all(b"hello\r\n").await.is_ok() {} });
        }
    });
    let (login, _front) = sshd.login();
    let began = Instant::now();
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{error}");
    assert!(!error.to_string().is_empty());
}

#[tokio::test]
async fn another_server_than_openssh_lets_one_in_as_well() {
    let mut sshd = Sshd::prepare("");
    sshd.boot_dropbear().await;
    let (login, _front) = sshd.login();
    std::fs::write(sshd.path("known_hosts"), sshd.known_line("dropbear_key")).unwrap();
    says_hello(&login).await;
    if !is_root() {
        eprintln!("not tried: another user's password needs root");
        return;
    }
    let mut login = login;
    login.to.credentials = vec![Credential::Password(Some(PASSWORD.into()))];
    says_hello(&login).await;
    login.to.credentials = vec![Credential::Password(Some("wrong".into()))];
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert_eq!(error.code(), "refused", "{error}");
}

#[tokio::test]
async fn a_server_says_whether_it_is_ready() {
    let sshd = Sshd::start("SetEnv PATH=FOLDER/bin:/usr/bin:/bin:/usr/sbin:/sbin").await;
    let (login, _front) = sshd.login();
    let connection = login.connect(Purpose::Terminal).await.unwrap();
    let before = connection.readiness().await.unwrap();
    assert_eq!(before.cloud_init, CloudInit::Absent, "this machine has none");
    let bin = sshd.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = "#!/bin/sh\necho 'status: error'\necho 'detail: the script failed'\nexit 1\n";
    std::fs::write(bin.join("cloud-init"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("cloud-init"), mode).unwrap();
    let after = connection.readiness().await.unwrap();
    let CloudInit::Failed { detail, .. } = after.cloud_init else {
        panic!("{after:?}");
    };
    assert!(detail.contains("the script failed"));
}

#[tokio::test]
async fn a_banner_of_any_size_is_shown_in_part_and_commands_nothing() {
    let mut sshd = Sshd::prepare("Banner FOLDER/banner");
    let line = "\u{1b}[2J\u{7}Only for those who may. \u{1b}]0;title\u{7}\n";
    std::fs::write(sshd.path("banner"), line.repeat(4_000)).unwrap();
    sshd.boot().await;
    let (login, front) = sshd.login();
    says_hello(&login).await;
    let banner = front.banner.borrow().clone();
    assert!(banner.contains("Only for those who may."), "{banner}");
    assert!(banner.len() <= 4096, "{} bytes", banner.len());
    assert!(!banner.contains('\u{1b}') && !banner.contains('\u{7}'));
}
