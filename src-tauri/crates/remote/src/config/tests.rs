use std::fs;

use proptest::prelude::*;

use super::*;

fn config(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<UserConfig>) {
    let home = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = home.path().join(".ssh").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let read = UserConfig::read(home.path(), "me");
    (home, read)
}

fn found(content: &str, name: &str) -> Resolved {
    let (_home, config) = config(&[("config", content)]);
    config.unwrap().resolve(name, None, None).unwrap()
}

#[test]
fn the_first_value_counts_and_identities_add_up() {
    let content = "
        # a comment
        Host web
            HostName 10.0.0.1
            User=deploy
            Port = 2222
            IdentityFile ~/.ssh/web
        Host *
            User other
            IdentityFile \"/keys/with space\"
            IdentitiesOnly yes
    ";
    let (home, config) = config(&[("config", content)]);
    let config = config.unwrap();
    let web = config.resolve("web", None, None).unwrap();
    assert_eq!(
        (web.host.as_str(), web.port, web.user.as_deref()),
        ("10.0.0.1", 2222, Some("deploy"))
    );
    assert_eq!(
        web.identity_files,
        [home.path().join(".ssh/web"), "/keys/with space".into()]
    );
    assert!(web.identities_only);
    let said = config.resolve("web", Some("root"), Some(22)).unwrap();
    assert_eq!(
        (said.port, said.user.as_deref()),
        (22, Some("root")),
        "what was asked for counts first"
    );
}

#[test]
fn patterns_and_negations_choose_the_block() {
    let content = "Host *.lab !bad.lab\n User lab\nHost db?\n User db\n";
    assert_eq!(found(content, "a.lab").user.as_deref(), Some("lab"));
    assert_eq!(found(content, "bad.lab").user, None);
    assert_eq!(found(content, "db1").user.as_deref(), Some("db"));
    assert_eq!(found(content, "db12").user, None);
}

#[test]
fn a_match_block_is_its_own_and_no_program_is_run() {
    let content = "Host web\n HostName w\nMatch exec \"touch /tmp/never\"\n User exec\nMatch host w user me\n User matched\nMatch all\n Port 2200\n";
    let web = found(content, "web");
    assert_eq!((web.user.as_deref(), web.port), (Some("matched"), 2200));
    assert_eq!(found(content, "else").user, None);
    assert_eq!(found("Match !host web\n User u\n", "web").user, None);
}

#[test]
fn jump_hosts_are_looked_up_themselves() {
    let content = "
        Host target
            ProxyJump gate,me@mid:2022
        Host gate
            HostName gate.example
            User jumper
            ProxyJump outer
        Host mid
            HostName mid.example
            ProxyJump ignored
    ";
    let target = found(content, "target");
    let hops: Vec<_> = target
        .jumps
        .iter()
        .map(|hop| (hop.host.as_str(), hop.user.as_deref(), hop.port))
        .collect();
    assert_eq!(
        hops,
        [
            ("outer", None, 22),
            ("gate.example", Some("jumper"), 22),
            ("mid.example", Some("me"), 2022)
        ]
    );
    assert!(target.jumps.iter().all(|hop| hop.jumps.is_empty()));
    assert!(
        found("Host t\n ProxyJump none\nHost *\n ProxyJump gate\n", "t")
            .jumps
            .is_empty()
    );
}

#[test]
fn what_cannot_be_honoured_is_said_and_nothing_loops() {
    let (_home, loops) = config(&[("config", "Host a\n ProxyJump b\nHost b\n ProxyJump a\n")]);
    assert_eq!(
        loops.unwrap().resolve("a", None, None).unwrap_err().code(),
        "config"
    );
    let (_home, command) = config(&[("config", "Host a\n ProxyCommand nc %h %p\n")]);
    let error = command.unwrap().resolve("a", None, None).unwrap_err();
    assert!(
        error.to_string().contains("ProxyJump"),
        "says what to use: {error}"
    );
    let (_home, itself) = config(&[("config", "Include config\n")]);
    assert_eq!(itself.unwrap_err().code(), "config");
    let (_home, port) = config(&[("config", "Host a\n\n Port ssh\n")]);
    assert!(port.unwrap_err().to_string().contains("line 3"));
}

#[test]
fn included_files_stand_where_they_are_included() {
    let (_home, config) = config(&[
        ("config", "Include conf.d/*.conf\nHost web\n Include only-web\n"),
        ("conf.d/1.conf", "Host web\n Port 2201\n"),
        ("conf.d/2.conf", "Host *\n Port 2202\n"),
        ("conf.d/3.txt", "Host *\n User no\n"),
        ("only-web", "User inner\n"),
    ]);
    let config = config.unwrap();
    let web = config.resolve("web", None, None).unwrap();
    assert_eq!((web.port, web.user.as_deref()), (2201, Some("inner")));
    let other = config.resolve("other", None, None).unwrap();
    assert_eq!((other.port, other.user), (2202, None));
}

#[test]
fn tokens_are_filled_in() {
    let (home, config) = config(&[(
        "config",
        "Host x\n HostName %h.example\n User u\n IdentityFile %d/k-%r-%h-%p-%u-%%\n",
    )]);
    let x = config.unwrap().resolve("x", None, None).unwrap();
    assert_eq!(x.host, "x.example");
    assert_eq!(x.identity_files, [home.path().join("k-u-x.example-22-me-%")]);
}

#[test]
fn no_configuration_leads_to_the_name_itself() {
    let (_home, config) = config(&[]);
    let plain = config.unwrap().resolve("10.1.2.3", None, None).unwrap();
    assert_eq!(
        (plain.host.as_str(), plain.port, plain.user),
        ("10.1.2.3", 22, None)
    );
}

proptest! {
    #[test]
    fn no_configuration_is_too_strange(content in "([A-Za-z]{0,12}[ =]?[\\PC\"#!%~]{0,20}\n){0,12}", name in "\\PC{0,12}") {
        let (_home, config) = config(&[("config", &content)]);
        if let Ok(config) = config {
            let _ = config.resolve(&name, None, None);
        }
    }
}
