//! `~/.ssh/config`, compared with what `ssh` itself makes of it, and used.

use std::fs;
use std::path::Path;
use std::process::Command;

use remote::{Destination, Purpose, Resolved, UserConfig};

use crate::peer::{Sshd, done};

/// What `ssh -G` says of a name.
fn ssh(home: &Path, name: &str, key: &str) -> Vec<String> {
    let mut command = Command::new("ssh");
    command.args(["-G", "-F"]).arg(home.join(".ssh/config")).arg(name);
    let printed = done(&mut command);
    let lines = printed
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    lines.map(str::to_owned).collect()
}

fn jumps(found: &Resolved) -> String {
    let hops = found.jumps.iter().map(|hop| match (&hop.user, hop.port) {
        (Some(user), port) => format!("{user}@{}:{port}", hop.host),
        (None, port) => format!("{}:{port}", hop.host),
    });
    hops.collect::<Vec<_>>().join(",")
}

#[test]
fn names_lead_where_ssh_goes() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".ssh");
    fs::create_dir(&folder).unwrap();
    let included = home.path().join("more.conf");
    fs::write(&included, "Host inc*\n  Port 2299\n  User included\n").unwrap();
    let config = format!(
        r#"
IdentityFile /keys/first
Include {}
Host web *.shop !old.shop
    HostName 10.0.0.%%1
    HostName never
    User=deploy
Host old.shop
    Port = 2200
    hostname "legacy.example"
Match host legacy.example
    User ancient   # a comment
Match originalhost web user deploy
    Port 2222
    IdentityFile /keys/web
Match !host web
    IdentitiesOnly yes
Host jumpy
    ProxyJump ada@gate.example:2022,inner.example:22
Host nojump
    ProxyJump none
Host *
    ProxyJump none
    User fallback
    Port 2345
"#,
        included.display()
    );
    fs::write(folder.join("config"), config).unwrap();
    let user = done(Command::new("id").arg("-un"));
    let ours = UserConfig::read(home.path(), &user).unwrap();
    for name in [
        "web",
        "a.shop",
        "old.shop",
        "include-me",
        "jumpy",
        "nojump",
        "10.9.8.7",
        "WEB",
        "legacy.example",
    ] {
        let found = ours.resolve(name, None, None).unwrap();
        assert_eq!(
            vec![found.host.to_lowercase()],
            ssh(home.path(), name, "hostname"),
            "{name}"
        );
        assert_eq!(
            vec![found.port.to_string()],
            ssh(home.path(), name, "port"),
            "{name}"
        );
        assert_eq!(
            found.user.clone().into_iter().collect::<Vec<_>>(),
            ssh(home.path(), name, "user"),
            "{name}"
        );
        let files: Vec<_> = found
            .identity_files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        assert_eq!(files, ssh(home.path(), name, "identityfile"), "{name}");
        let only = ssh(home.path(), name, "identitiesonly");
        assert_eq!(found.identities_only, only == ["yes"], "{name}");
        if name == "jumpy" {
            assert_eq!(jumps(&found), "ada@gate.example:2022,fallback@inner.example:22");
            assert_eq!(
                ssh(home.path(), name, "proxyjump"),
                ["ada@gate.example:2022,inner.example:22"]
            );
        } else {
            assert_eq!(jumps(&found), "");
        }
    }
}

#[tokio::test]
async fn a_name_of_the_configuration_is_enough_to_log_in() {
    let (gate, target) = (Sshd::start("").await, Sshd::start("").await);
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".ssh")).unwrap();
    let config = format!(
        "Host box\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n ProxyJump gate\n\
         Host gate\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n",
        target.port,
        target.user,
        target.path("key").display(),
        gate.port,
        gate.user,
        gate.path("key").display(),
    );
    fs::write(home.path().join(".ssh/config"), config).unwrap();
    let known = format!(
        "{}\n{}\n",
        gate.known_line("host_ed25519"),
        target.known_line("host_ed25519")
    );
    let found = UserConfig::read(home.path(), "nobody")
        .unwrap()
        .resolve("box", None, None)
        .unwrap();
    let (mut login, _front) = target.login();
    fs::write(target.path("known_hosts"), known).unwrap();
    login.to = Destination::of(&found, "nobody", Some(home.path()));
    login.jumps = found
        .jumps
        .iter()
        .map(|hop| Destination::of(hop, "nobody", Some(home.path())))
        .collect();
    login.connect(Purpose::Terminal).await.unwrap();
    assert!(
        gate.log().contains("Accepted publickey"),
        "it went through the gate"
    );
}
