//! Is it really that server? What `ssh` would answer, and where we are stricter.

use std::fs;
use std::process::Command;

use remote::{Ask, Error, HostKey, Purpose};

use crate::peer::{Person, Sshd, done, keygen};

async fn connect(sshd: &Sshd, known: &str) -> Result<(), Error> {
    fs::write(sshd.path("known_hosts"), known).unwrap();
    // Nobody is there to answer.
    let (login, front) = sshd.stranger(vec![sshd.key()]);
    drop(front);
    login.connect(Purpose::Terminal).await.map(drop)
}

/// What `ssh` makes of the same file.
fn ssh(sshd: &Sshd, file: &str) -> bool {
    let mut command = Command::new("ssh");
    command.args([
        "-F",
        "none",
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=yes",
    ]);
    command.args([
        "-o",
        "GlobalKnownHostsFile=none",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
    ]);
    command.arg(format!("UserKnownHostsFile={}", sshd.path(file).display()));
    command
        .arg("-i")
        .arg(sshd.path("key"))
        .args(["-p", &sshd.port.to_string()]);
    let target = format!("{}@127.0.0.1", sshd.user);
    command.arg(target).arg("true").output().unwrap().status.success()
}

#[tokio::test]
async fn an_unknown_key_is_asked_about_once_and_then_known_to_ssh_as_well() {
    let sshd = Sshd::start("").await;
    let (login, front) = sshd.stranger(vec![sshd.key()]);
    let person = Person::who_trusts();
    person.answer(front);
    login.connect(Purpose::Terminal).await.unwrap();
    let printed = done(
        Command::new("ssh-keygen")
            .arg("-lf")
            .arg(sshd.path("host_ed25519.pub")),
    );
    let asked = person.asked();
    let Ask::HostKey { key, .. } = &asked[0] else {
        panic!("{asked:?}");
    };
    assert!(
        printed.contains(&key.fingerprint),
        "{printed} is what the person compares"
    );
    login.connect(Purpose::Terminal).await.unwrap();
    assert_eq!(person.asked().len(), 1, "the second time nothing is asked");
    assert!(ssh(&sshd, "own_known_hosts"), "our file is one that ssh reads");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(sshd.path("own_known_hosts")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn an_unknown_key_that_nobody_trusts_opens_nothing() {
    let sshd = Sshd::start("").await;
    let (login, front) = sshd.stranger(vec![sshd.key()]);
    Person::default().answer(front);
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert_eq!(error.code(), "host_key_unknown", "{error}");
    assert!(!sshd.log().contains("Accepted"), "no login was sent");
    // That nobody is there is a no as well.
    let error = connect(&sshd, "").await.err().unwrap();
    assert_eq!(error.code(), "host_key_unknown");
}

#[tokio::test]
async fn what_ssh_accepts_is_accepted() {
    let sshd = Sshd::start("").await;
    let line = sshd.known_line("host_ed25519");
    keygen(&sshd.path("other"), &["-t", "ed25519", "-N", ""]);
    let other = line_with(&sshd, "other", &format!("[127.0.0.1]:{}", sshd.port));
    let hashed = {
        fs::write(sshd.path("hashed"), format!("{line}\n")).unwrap();
        done(Command::new("ssh-keygen").arg("-Hf").arg(sshd.path("hashed")));
        fs::read_to_string(sshd.path("hashed")).unwrap()
    };
    assert!(hashed.starts_with("|1|"));
    let wild = line.replace("[127.0.0.1]", "[127.0.*]");
    for (what, known) in [
        ("exact", line.clone()),
        ("hashed", hashed),
        ("carriage returns", format!("{line}\r\n")),
        ("two keys of one kind", format!("{other}\n{line}\n")),
        ("the other order", format!("{line}\n{other}\n")),
        ("a pattern", wild),
        ("tabs", line.replace(' ', "\t")),
        ("two spaces", line.replace(' ', "  ")),
        (
            "a line before that makes no sense",
            format!("[127.0.0.1]:{} ssh-ed25519 ###\n{line}", sshd.port),
        ),
        ("comments", format!("# {other}\n\n{line} me@here")),
    ] {
        fs::write(sshd.path("known_hosts"), &known).unwrap();
        assert!(ssh(&sshd, "known_hosts"), "ssh takes {what}");
        let connected = connect(&sshd, &known).await;
        assert!(connected.is_ok(), "{what}: {:?}", connected.err());
    }
}

fn line_with(sshd: &Sshd, key: &str, names: &str) -> String {
    let public = fs::read_to_string(sshd.path(&format!("{key}.pub"))).unwrap();
    let mut words = public.split_whitespace();
    format!("{names} {} {}", words.next().unwrap(), words.next().unwrap())
}

#[tokio::test]
async fn a_changed_key_is_refused_with_both_sides_and_one_way_on() {
    let sshd = Sshd::start("").await;
    keygen(&sshd.path("before"), &["-t", "ed25519", "-N", ""]);
    let known = format!("# old\n{}\n", sshd.known_line("before"));
    let error = connect(&sshd, &known).await.err().unwrap();
    let Error::HostKeyChanged { shown, known, .. } = &error else {
        panic!("{error}");
    };
    let print = |name: &str| done(Command::new("ssh-keygen").arg("-lf").arg(sshd.path(name)));
    assert!(print("host_ed25519.pub").contains(&shown.fingerprint));
    assert!(print("before.pub").contains(&known[0].fingerprint));
    let place = format!("{}:2", sshd.path("known_hosts").display());
    assert_eq!(
        known[0].place.as_ref(),
        Some(&place),
        "says where the old one is written"
    );
    assert!(!sshd.log().contains("Accepted"));
    // The one way on, for a server with an id: this server was rebuilt.
    let (mut login, _front) = sshd.stranger(vec![sshd.key()]);
    login.to.server = Some("0a1b-2c".into());
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert_eq!(error.code(), "host_key_changed");
    let key = HostKey::read(&fs::read_to_string(sshd.path("host_ed25519.pub")).unwrap()).unwrap();
    let who = remote::HostName {
        server: login.to.server.clone(),
        host: "127.0.0.1".into(),
        port: sshd.port,
    };
    sshd.host_keys().replace(&who, &key).await.unwrap();
    login.connect(Purpose::Terminal).await.unwrap();
}

#[tokio::test]
async fn a_known_key_of_another_kind_is_asked_for_first() {
    let sshd = Sshd::prepare("HostKey FOLDER/host_ed25519\nHostKey FOLDER/host_rsa");
    keygen(&sshd.path("host_rsa"), &["-t", "rsa", "-b", "2048", "-N", ""]);
    let mut sshd = sshd;
    sshd.boot().await;
    let known = sshd.known_line("host_rsa");
    connect(&sshd, &known).await.unwrap();
    assert!(ssh(&sshd, "known_hosts"));
}

#[tokio::test]
async fn a_revoked_key_is_refused_whatever_else_is_written() {
    let sshd = Sshd::start("").await;
    let line = sshd.known_line("host_ed25519");
    let revoked = line_with(&sshd, "host_ed25519", "@revoked *");
    let known = format!("{line}\n{revoked}\n");
    let error = connect(&sshd, &known).await.err().unwrap();
    assert!(matches!(&error, Error::HostKeyRevoked { line: 2, .. }), "{error}");
    assert!(!ssh(&sshd, "known_hosts"));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused() {
    let sshd = Sshd::start("").await;
    fs::create_dir(sshd.path("known_hosts")).unwrap();
    let (login, front) = sshd.stranger(vec![sshd.key()]);
    Person::who_trusts().answer(front);
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert_eq!(error.code(), "host_keys_unreadable", "{error}");
}

#[tokio::test]
async fn a_host_certificate_is_taken_from_its_authority_only_and_for_its_host_only() {
    let sshd = Sshd::prepare("HostKey FOLDER/host_ed25519\nHostCertificate FOLDER/host_ed25519-cert.pub");
    let ca = keygen(&sshd.path("ca"), &["-t", "ed25519", "-N", ""]);
    keygen(&sshd.path("other_ca"), &["-t", "ed25519", "-N", ""]);
    let sign = |principals: &str, validity: &str| {
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-h", "-s"])
            .arg(&ca)
            .args(["-I", "host", "-n", principals, "-V", validity]);
        done(command.arg(sshd.path("host_ed25519.pub")));
    };
    sign("127.0.0.1", "-1h:+1h");
    let mut sshd = sshd;
    sshd.boot().await;
    let authority = line_with(&sshd, "ca", "@cert-authority *");
    connect(&sshd, &authority).await.unwrap();
    assert!(ssh(&sshd, "known_hosts"), "as ssh does");
    let other = line_with(&sshd, "other_ca", "@cert-authority *");
    assert_eq!(
        connect(&sshd, &other).await.err().unwrap().code(),
        "host_key_unknown"
    );
    let revoked = line_with(&sshd, "ca", "@revoked *");
    let error = connect(&sshd, &format!("{authority}\n{revoked}"))
        .await
        .err()
        .unwrap();
    assert_eq!(
        error.code(),
        "host_key_revoked",
        "a revoked authority vouches for nobody"
    );
    for (principals, validity) in [("elsewhere", "-1h:+1h"), ("127.0.0.1", "-2h:-1h")] {
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-h", "-s"])
            .arg(sshd.path("ca"))
            .args(["-I", "host", "-n", principals, "-V", validity]);
        done(command.arg(sshd.path("host_ed25519.pub")));
        sshd.kill();
        sshd.boot().await;
        let refused = connect(&sshd, &authority).await.err().unwrap();
        assert_eq!(refused.code(), "host_key_unknown", "{principals} {validity}");
    }
}

#[tokio::test]
async fn a_server_made_here_asks_nothing_and_its_key_stays_bound_to_it() {
    let sshd = Sshd::start("").await;
    let key = HostKey::read(&fs::read_to_string(sshd.path("host_ed25519.pub")).unwrap()).unwrap();
    // The address had another server before, as the file of ssh still says.
    keygen(&sshd.path("before"), &["-t", "ed25519", "-N", ""]);
    fs::write(sshd.path("known_hosts"), sshd.known_line("before")).unwrap();
    let (mut login, front) = sshd.stranger(vec![sshd.key()]);
    drop(front);
    login.to.server = Some("a1".into());
    login.to.known_keys = vec![key];
    login.connect(Purpose::Terminal).await.unwrap();
    login.to.known_keys.clear();
    login.connect(Purpose::Terminal).await.unwrap();
    // With another key handed in, the same server is refused.
    fs::remove_file(sshd.path("own_known_hosts")).unwrap();
    login.to.known_keys = vec![HostKey::read(&fs::read_to_string(sshd.path("before.pub")).unwrap()).unwrap()];
    let error = login.connect(Purpose::Terminal).await.err().unwrap();
    assert_eq!(error.code(), "host_key_changed");
}

#[tokio::test]
async fn an_address_that_another_server_had_proves_nothing_for_this_one() {
    let sshd = Sshd::start("").await;
    let key = HostKey::read(&fs::read_to_string(sshd.path("host_ed25519.pub")).unwrap()).unwrap();
    let former = remote::HostName {
        server: Some("old".into()),
        host: "127.0.0.1".into(),
        port: sshd.port,
    };
    sshd.host_keys().remember(&former, &key).await.unwrap();
    let (mut login, front) = sshd.stranger(vec![sshd.key()]);
    let person = Person::who_trusts();
    person.answer(front);
    login.to.server = Some("new".into());
    login.connect(Purpose::Terminal).await.unwrap();
    let asked = person.asked();
    assert!(
        matches!(&asked[0], Ask::HostKey { formerly: Some(id), .. } if id == "old"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn many_programs_write_the_file_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let keys = remote::HostKeys {
        own: folder.path().join("own"),
        others: Vec::new(),
    };
    keygen(&folder.path().join("k"), &["-t", "ed25519", "-N", ""]);
    let key = HostKey::read(&fs::read_to_string(folder.path().join("k.pub")).unwrap()).unwrap();
    let writers = (0..20).map(|at| {
        let (keys, key) = (keys.clone(), key.clone());
        tokio::spawn(async move {
            let who = remote::HostName {
                server: None,
                host: format!("host{at}"),
                port: 22,
            };
            keys.remember(&who, &key).await
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("own"))
            .unwrap()
            .lines()
            .count(),
        20
    );
}
