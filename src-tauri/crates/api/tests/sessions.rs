//! Sessions on servers, over the real sandbox: its simulated machine, and a real sshd that is set up as the user data says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use api::{Api, SessionAct, SessionOutput};
use base64::Engine;
use common::{ask, create, received, region, until};
use sandbox::Running;
use serde_json::{Value, json};

/// What is shown of a session, as a page reads it.
struct Shown {
    output: SessionOutput,
    /// Came and is not asked for yet: the answer to a line may come in one piece with what stands before it.
    rest: Vec<u8>,
}

async fn shown(api: &Api, session: &str, from: Option<u64>) -> Shown {
    Shown {
        output: api.session_output(session, from).await.unwrap(),
        rest: Vec::new(),
    }
}

/// Reads on until `part` is shown, saying each time that it was shown. Returns what came up to there; what came after it
/// is for the next call.
async fn read_until(api: &Api, session: &str, shown: &mut Shown, part: &str) -> String {
    let found = |rest: &[u8]| {
        let at = rest
            .windows(part.len())
            .position(|found| found == part.as_bytes());
        at.map(|at| at + part.len())
    };
    let reading = async {
        loop {
            if let Some(end) = found(&shown.rest) {
                return Some(end);
            }
            let piece = shown.output.next().await?;
            let offset = u64::from_be_bytes(piece[..8].try_into().unwrap());
            shown.rest.extend_from_slice(&piece[8..]);
            let act = SessionAct::Shown {
                session: session.to_owned(),
                offset: offset + piece.len() as u64 - 8,
            };
            api.session_act(act).await.unwrap();
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), reading).await;
    let Ok(Some(end)) = read else {
        panic!("no {part:?} in {:?}", String::from_utf8_lossy(&shown.rest));
    };
    let text: Vec<u8> = shown.rest.drain(..end).collect();
    String::from_utf8_lossy(&text).into_owned()
}

async fn state(api: &Api, session: &str) -> Value {
    let list = ask(api, "sessions.list", Value::Null).await;
    let found = list.as_array().unwrap().iter().find(|one| one["id"] == session);
    found.map_or(Value::Null, |found| found["state"].clone())
}

async fn until_state(api: &Api, session: &str, kind: &str) -> Value {
    for _ in 0..300 {
        let now = state(api, session).await;
        if now["kind"] == kind {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {kind}, but {}", state(api, session).await);
}

async fn signed_in_with_server(dir: &std::path::Path) -> (Running, Api, String) {
    signed_in(dir, None).await
}

/// `guests`: who says in the region's place where a server answers.
async fn signed_in(dir: &std::path::Path, guests: Option<String>) -> (Running, Api, String) {
    let running = region(dir).await;
    let mut announcement = running.announcement();
    announcement.control = guests.unwrap_or(announcement.control);
    let api = common::open_announced(dir, announcement).await;
    ask(
        &api,
        "accounts.sign_in_demo",
        json!({"user": "ada", "remember": "run"}),
    )
    .await;
    ask(&api, "servers.create", create("shell-01")).await;
    let list = until("the server to run", &api, "servers.list", |list| {
        list["servers"].as_array().unwrap().iter().any(|server| {
            server["name"] == "shell-01" && server["state"] == "running" && server["operation"].is_null()
        })
    })
    .await;
    let servers = list["servers"].as_array().unwrap();
    let server = servers
        .iter()
        .find(|server| server["name"] == "shell-01")
        .unwrap();
    let id = server["id"].as_str().unwrap().to_owned();
    (running, api, id)
}

#[tokio::test]
async fn one_call_opens_a_shell_that_asks_nothing_and_its_begin_and_end_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (running, api, server) = signed_in_with_server(dir.path()).await;

    let session = ask(&api, "sessions.open", json!({"server": server})).await;
    assert_eq!(
        (&session["user"], &session["serverName"]),
        (&json!("root"), &json!("shell-01"))
    );
    let id = session["id"].as_str().unwrap();
    until_state(&api, id, "open").await;
    let mut output = shown(&api, id, None).await;
    read_until(&api, id, &mut output, "# ").await;
    api.session_type(id, "echo 你好，世界; uname -r\r".into())
        .await
        .unwrap();
    let text = read_until(&api, id, &mut output, "6.1.0-simulated").await;
    assert!(
        text.contains("\n你好，世界\r\n"),
        "what was said stands on a line of its own: {text:?}"
    );

    // A page that was reloaded reads it all again, and the one before reads no more.
    let mut again = shown(&api, id, None).await;
    assert_eq!(output.output.next().await, None);
    read_until(&api, id, &mut again, "6.1.0-simulated").await;

    api.session_type(id, "exit 3\r".into()).await.unwrap();
    let ended = until_state(&api, id, "ended").await;
    assert_eq!(ended["exit"], 3);
    let act = SessionAct::Close {
        session: id.to_owned(),
    };
    api.session_act(act).await.unwrap();
    assert_eq!(ask(&api, "sessions.list", Value::Null).await, json!([]));

    let page = ask(&api, "events.list", json!({"before": null, "limit": 20})).await;
    let told: Vec<Value> = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| serde_json::from_str(event["json"].as_str().unwrap()).unwrap())
        .collect();
    let of =
        |action: &str| -> Vec<&Value> { told.iter().filter(|event| event["action"] == action).collect() };
    let (opened, closed) = (of("session.opened"), of("session.closed"));
    assert_eq!((opened.len(), closed.len()), (1, 1), "each once: {told:#?}");
    assert_eq!(opened[0]["kind"], "ssh");
    assert_eq!(opened[0]["server_id"], server.as_str());
    assert!(closed[0]["duration_s"].is_u64(), "{}", closed[0]);
    let text = serde_json::to_string(&told).unwrap();
    assert!(
        !text.contains("PRIVATE KEY") && !text.contains("你好"),
        "neither keys nor what was typed"
    );
    let _ = received(&running).await;
    api.stop().await;
}

#[tokio::test]
async fn a_flood_is_held_back_until_it_was_shown_and_nothing_of_it_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, api, server) = signed_in_with_server(dir.path()).await;
    let session = ask(&api, "sessions.open", json!({"server": server})).await;
    let id = session["id"].as_str().unwrap();
    until_state(&api, id, "open").await;
    let mut output = shown(&api, id, None).await;
    read_until(&api, id, &mut output, "# ").await;
    api.session_type(id, "seq 1 300000\r".into()).await.unwrap();
    // Nobody says that anything was shown: what comes is bounded.
    let (mut sent, mut end) = (0, 0);
    while let Ok(Some(piece)) = tokio::time::timeout(Duration::from_secs(1), output.output.next()).await {
        sent += piece.len() - 8;
        end = u64::from_be_bytes(piece[..8].try_into().unwrap()) + piece.len() as u64 - 8;
    }
    assert!(
        (64 * 1024..=(640 + 128) * 1024).contains(&sent),
        "{sent} bytes without a word of the page"
    );
    // A new reader takes up where the page stopped to show.
    let mut rest = shown(&api, id, Some(end)).await;
    let text = read_until(&api, id, &mut rest, "300000\r\n").await;
    let mut numbers = text.lines().skip(1).filter_map(|line| line.parse::<u64>().ok());
    let first = numbers.next().unwrap();
    let mut last = first;
    for number in numbers {
        assert_eq!(number, last + 1, "no line is missing");
        last = number;
    }
    assert_eq!(last, 300_000);
    api.stop().await;
}

#[tokio::test]
async fn a_server_that_does_not_run_or_is_not_there_says_why_nobody_can_log_in() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, api, server) = signed_in_with_server(dir.path()).await;
    let refused = api
        .call("sessions.open", json!({"server": "no-such"}))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "server_unknown");
    ask(
        &api,
        "servers.power",
        json!({"servers": [server], "act": "stop", "hard": false}),
    )
    .await;
    until("the server to stop", &api, "servers.list", |list| {
        let servers = list["servers"].as_array().unwrap();
        servers
            .iter()
            .any(|one| one["id"] == server.as_str() && one["state"] == "stopped")
    })
    .await;
    let refused = api
        .call("sessions.open", json!({"server": server}))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "server_not_running");
    assert!(
        refused.sentence.contains("shell-01") && refused.next_step.is_some(),
        "{refused:?}"
    );
    api.stop().await;
}

/// The cloud-init document that a server was made with.
async fn document(running: &Running, server: &str) -> Value {
    let url = format!("{}/servers", running.announcement().control.trim_end_matches('/'));
    let world: Value = serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    let user_data = world["regions"][0]["servers"][server]["user_data"]
        .as_str()
        .unwrap();
    let text = base64::engine::general_purpose::STANDARD
        .decode(user_data)
        .unwrap();
    let text = String::from_utf8(text).unwrap();
    serde_json::from_str(text.strip_prefix("#cloud-config\n").unwrap()).unwrap()
}

#[tokio::test]
async fn the_simulated_machine_lets_nobody_in_without_the_servers_own_key() {
    let dir = tempfile::tempdir().unwrap();
    let (running, api, server) = signed_in_with_server(dir.path()).await;
    let control = running.announcement().control;
    let url = format!("{}/guest?server={server}", control.trim_end_matches('/'));
    let guest: Value = serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(guest["host"], "127.0.0.1", "on loopback only");
    let key = dir.path().join("stranger");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    let ssh = move |key: &std::path::Path, user: &str| {
        let output = std::process::Command::new("ssh")
            .args([
                "-F",
                "none",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=no",
            ])
            .args([
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "LogLevel=ERROR",
            ])
            .args(["-p", &guest["port"].to_string(), "-l", user, "-i"])
            .arg(key)
            .args(["127.0.0.1", "whoami; echo 你好 > note; cat note; cat /etc/passwd"])
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let own = dir.path().join("own");
    api.write_server_key(&server, &own).await.unwrap();
    let (stranger, own) = tokio::task::spawn_blocking(move || (ssh(&key, "root"), ssh(&own, "root")))
        .await
        .unwrap();
    assert_eq!(
        stranger,
        (Some(255), String::new()),
        "a key that the server was not made with"
    );
    assert!(own.1.starts_with("root\n你好\n"), "{own:?}");
    assert!(
        own.1.contains("No such file"),
        "no file of this computer is read: {own:?}"
    );
    api.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_real_sshd_set_up_as_the_user_data_says_is_logged_in_to_and_another_host_key_is_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let is_root = std::process::Command::new("id")
        .arg("-u")
        .output()
        .unwrap()
        .stdout
        == b"0\n";
    assert!(
        is_root || std::env::var_os("CI").is_none(),
        "CI runs this as root, who alone can be logged in as root"
    );
    if !is_root {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    // Says that the server answers there, in the region's place.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let guests = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).await;
            let body = json!({"host": "127.0.0.1", "port": port}).to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    let (running, api, server) = signed_in(dir.path(), Some(guests)).await;
    let document = document(&running, &server).await;

    // What cloud-init does on the first start, for a sshd of this test.
    let path = |name: &str| dir.path().join(name);
    std::fs::write(
        path("authorized"),
        document["ssh_authorized_keys"][0].as_str().unwrap(),
    )
    .unwrap();
    std::fs::write(
        path("host"),
        document["ssh_keys"]["ed25519_private"].as_str().unwrap(),
    )
    .unwrap();
    set_private(&path("host"));
    let config = |host: &str| {
        format!(
            "Port {port}\nListenAddress 127.0.0.1\nPidFile none\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
             PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\nPrintMotd no\n",
            path(host).display(),
            path("authorized").display()
        )
    };
    let start = |host: &str| {
        // Only the one that root starts asks for it, and only root can make it.
        let _ = std::fs::create_dir_all("/run/sshd");
        std::fs::write(path("config"), config(host)).unwrap();
        let child = std::process::Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(path("config"))
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        Killed(child)
    };
    // It boots: nothing answers yet, and that is shown; then it is let in without a question.
    let session = ask(&api, "sessions.open", json!({"server": server})).await;
    let id = session["id"].as_str().unwrap().to_owned();
    let waiting = until_state(&api, &id, "waiting").await;
    assert_eq!(waiting["error"]["code"], "ssh_not_up", "{waiting}");
    let sshd = start("host");
    until_state(&api, &id, "open").await;
    let mut output = shown(&api, &id, None).await;
    api.session_act(SessionAct::Resize {
        session: id.clone(),
        columns: 132,
        rows: 43,
    })
    .await
    .unwrap();
    api.session_type(&id, "echo 你好-$((40+2)); stty size\r".into())
        .await
        .unwrap();
    read_until(&api, &id, &mut output, "你好-42").await;
    read_until(&api, &id, &mut output, "43 132").await;
    api.session_act(SessionAct::Close { session: id }).await.unwrap();
    drop(sshd);

    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path("other"))
        .status()
        .unwrap();
    assert!(made.success());
    let _other = start("other");
    let session = ask(&api, "sessions.open", json!({"server": server})).await;
    let id = session["id"].as_str().unwrap();
    let failed = until_state(&api, id, "failed").await;
    assert_eq!(failed["error"]["code"], "host_key_changed", "{failed}");
    let (shown, known) = (&failed["hostKeys"]["shown"], &failed["hostKeys"]["known"][0]);
    assert!(shown["fingerprint"].as_str().unwrap().starts_with("SHA256:"));
    assert_ne!(shown["fingerprint"], known["fingerprint"], "both sides are told");
    api.stop().await;
}

#[cfg(target_os = "linux")]
struct Killed(std::process::Child);

#[cfg(target_os = "linux")]
impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(target_os = "linux")]
fn set_private(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_key_that_a_person_chose_is_tried_first_and_the_page_never_learns_where_it_lies() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, api, server) = signed_in_with_server(dir.path()).await;
    let key = dir.path().join("id_work");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "open sesame", "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let chosen = key.clone();
    api.choose_files_by(std::sync::Arc::new(move || {
        let chosen = chosen.clone();
        Box::pin(async move { Some(chosen) })
    }));
    let told = ask(&api, "sessions.choose_key", Value::Null).await;
    assert_eq!(told["name"], "id_work");
    assert!(!told.to_string().contains(dir.path().to_str().unwrap()), "{told}");

    let how = json!({"key": told["id"]});
    let session = ask(&api, "sessions.open", json!({"server": server, "how": how})).await;
    let id = session["id"].as_str().unwrap();
    let asked = until("a question", &api, "sessions.list", |list| {
        list[0]["question"].is_object()
    })
    .await;
    let question = &asked[0]["question"];
    assert_eq!(question["ask"]["kind"], "passphrase", "{question}");
    let answer = SessionAct::Answer {
        session: id.to_owned(),
        question: question["number"].as_u64().unwrap(),
        answers: vec!["open sesame".to_owned().into()],
    };
    api.session_act(answer).await.unwrap();
    // The server does not know it; its own key does.
    until_state(&api, id, "open").await;
    // One beside it goes the same way, and its passphrase is another session's business.
    let beside = SessionAct::Open {
        server: server.clone(),
        like: Some(id.to_owned()),
    };
    let beside = api.session_act(beside).await.unwrap().unwrap();
    until("the same question", &api, "sessions.list", |list| {
        list.as_array()
            .unwrap()
            .iter()
            .any(|one| one["id"] == beside.id.as_str() && one["question"]["ask"]["kind"] == "passphrase")
    })
    .await;

    for (how, code) in [
        (json!({"key": key}), "bad_input"),
        (json!({"jumps": "ops@"}), "ssh_config_invalid"),
        (json!({"user": "a\u{7}b"}), "bad_input"),
    ] {
        let refused = api
            .call("sessions.open", json!({"server": server, "how": how}))
            .await;
        assert_eq!(refused.unwrap_err().code, code, "{how}");
    }
    api.stop().await;
}
