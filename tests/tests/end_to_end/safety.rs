//! What a page could try, and what it must never get to see.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::walk::{SignIn, Walk, id};
use wangcheng_tests::window::{Found, PATIENCE, Window, testid};

use super::Stage;

/// A web server that counts who comes, and whose page asks the backend for the accounts.
fn foreign_page() -> (String, Arc<AtomicUsize>) {
    use std::io::Write as _;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let body = "<script>parent.postMessage('here', '*')</script>";
            let _ = write!(
                stream.unwrap(),
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\naccess-control-allow-origin: *\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (address, visits)
}

/// Runs the body of an asynchronous function in the page and gives what it comes to, or `threw …`.
async fn outcome(window: &Window, body: &str) -> Value {
    let script = format!(
        "window.came = undefined; \
         (async () => {{ {body} }})().then((it) => {{ window.came = it ?? null; }}, (it) => {{ window.came = `threw ${{it}}`; }});"
    );
    window.script(&script).await.unwrap();
    window
        .wait("what a page tried", PATIENCE, async || {
            let came = window
                .peek_script("return window.came === undefined ? 'not yet' : window.came")
                .await?;
            Ok(if came == "not yet" {
                Found::NotYet("it is not over".to_owned())
            } else {
                Found::Yes(came)
            })
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_page_gets_no_code_no_frame_no_window_and_no_address_but_its_own() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open("en", "light").await;
    Walk::new(&window).demo().await.unwrap();
    let (address, visits) = foreign_page();
    let threw = |came: &Value| came.as_str().is_some_and(|text| text.starts_with("threw"));

    // Not even our own page gets an answer without the key that only its own script has.
    let unsigned = "const answer = await fetch('ipc://localhost/call', { method: 'POST', body: JSON.stringify({ name: 'accounts.list', request: null }), \
         headers: { 'content-type': 'application/json', 'Tauri-Callback': '1', 'Tauri-Error': '2' } }); \
         return `${answer.status} ${await answer.text()}`;";
    let came = outcome(&window, unsigned).await;
    assert!(
        threw(&came) || !came.as_str().unwrap_or_default().starts_with("200"),
        "without the key nothing is answered: {came}"
    );
    // What Tauri offers beside our two commands is closed even to our own page.
    for command in [
        "plugin:webview|create_webview_window",
        "plugin:window|set_title",
        "plugin:event|listen",
        "plugin:path|resolve_directory",
        "plugin:deep-link|register",
    ] {
        let came = outcome(
            &window,
            &format!("return await window.__TAURI_INTERNALS__.invoke('{command}', {{}})"),
        )
        .await;
        assert!(threw(&came), "{command}: {came}");
        assert!(
            came.to_string().contains("not allowed"),
            "{command} is refused for want of a permission: {came}"
        );
    }
    let came = outcome(&window, &format!("return (await fetch('{address}')).status")).await;
    assert!(threw(&came), "no other address is asked: {came}");
    let framed = format!(
        "const frame = document.createElement('iframe'); frame.src = '{address}'; \
         const heard = new Promise((heard) => window.addEventListener('message', () => heard('framed'), {{ once: true }})); \
         document.body.append(frame); \
         const came = await Promise.race([heard, new Promise((later) => setTimeout(later, 1500, 'nothing'))]); \
         frame.remove(); return came;"
    );
    assert_eq!(
        outcome(&window, &framed).await,
        "nothing",
        "no other page is framed"
    );
    for script in [
        format!("const one = document.createElement('script'); one.src = '{address}x.js'; document.head.append(one); \
                 return await new Promise((told) => {{ one.onload = () => told('ran'); one.onerror = () => told('refused'); }})"),
        format!("const one = new Image(); one.src = '{address}x.png'; \
                 return await new Promise((told) => {{ one.onload = () => told('ran'); one.onerror = () => told('refused'); }})"),
        "window.ran = 'refused'; const one = document.createElement('script'); one.textContent = \"window.ran = 'ran'\"; \
         document.head.append(one); return window.ran".to_owned(),
        "window.ran = 'refused'; const one = document.createElement('button'); one.setAttribute('onclick', \"window.ran = 'ran'\"); \
         document.body.append(one); one.click(); one.remove(); return window.ran".to_owned(),
        "window.ran = 'refused'; setTimeout(\"window.ran = 'ran'\", 0); await new Promise((later) => setTimeout(later, 300)); return window.ran".to_owned(),
    ] {
        assert_eq!(outcome(&window, &script).await, "refused", "{script}");
    }
    let came = outcome(
        &window,
        "Object.prototype.polluted = 1; return {}.polluted ?? 'clean'",
    )
    .await;
    assert!(threw(&came) || came == "clean", "prototypes are frozen: {came}");
    let came = outcome(&window, "return window.__TAURI__ === undefined").await;
    assert_eq!(came, true, "there is no global way in");

    let opened = format!("return window.open('{address}', '_blank') === null");
    let _ = outcome(&window, &opened).await;
    // Leading the window itself elsewhere comes last: it is to stay where it is.
    window
        .script(&format!(
            "setTimeout(() => {{ location.href = '{address}'; }}, 0)"
        ))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    window.by_testid(id::SERVERS_TABLE).await.unwrap();
    assert_eq!(visits.load(Ordering::SeqCst), 0, "nobody came to the other page");
    window.close().await.unwrap();
}

/// The forms in which a secret may lie in a file or a message: as it is, in hexadecimal, and in Base64 wherever in a
/// longer text it stands.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    forms.push(
        secret
            .bytes()
            .flat_map(|byte| format!("{byte:02x}").into_bytes())
            .collect(),
    );
    for before in 0..3 {
        let text = [vec![b'x'; before], secret.as_bytes().to_vec()].concat();
        let encoded = STANDARD.encode(text);
        // the first and the last signs depend on what stands beside it
        let (from, to) = (before.div_ceil(3) * 4, encoded.len() - 4);
        forms.push(encoded.as_bytes()[from..to].to_vec());
    }
    forms
}

fn holds(content: &[u8], secret: &str) -> bool {
    forms(secret)
        .iter()
        .any(|form| content.windows(form.len()).any(|part| part == form.as_slice()))
}

/// Every file below, with what is in it.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(content) = std::fs::read(&path) {
            found.push((path, content));
        }
    }
    found
}

#[test]
fn the_search_for_secrets_finds_what_is_hidden_in_each_form() {
    let secret = "ExampleSecretKeyOfAda0000000000000000001";
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("deeper")).unwrap();
    let hidden = [
        format!("before {secret} after"),
        STANDARD.encode(format!("ab{secret} and more")),
        STANDARD.encode(format!("abc{secret}!")),
        STANDARD.encode(format!("{secret} at the beginning")),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for (number, text) in hidden.iter().enumerate() {
        std::fs::write(dir.path().join("deeper").join(number.to_string()), text).unwrap();
    }
    let found = files(dir.path());
    assert_eq!(found.len(), hidden.len());
    for (file, content) in found {
        assert!(holds(&content, secret), "{}", file.display());
        assert!(
            !holds(&content, "AnotherSecretThatIsNowhere"),
            "{}",
            file.display()
        );
    }
}

/// Keeps whatever the backend answers and tells from now on, beside the page's own use of it.
const LISTEN: &str = "window.heard = []; \
    const ask = window.fetch; \
    window.fetch = async (...how) => { \
        const answer = await ask(...how); \
        if (String(how[0]).startsWith('ipc:')) window.heard.push(await answer.clone().text()); \
        return answer; \
    }; \
    const told = window.__TAURI_INTERNALS__.transformCallback((message) => window.heard.push(JSON.stringify(message))); \
    window.__TAURI_INTERNALS__.invoke('watch', { channel: `__CHANNEL__:${told}` });";

#[tokio::test]
async fn no_secret_crosses_to_the_page_or_lies_in_logs_ledger_or_events() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open("en", "light").await;
    window.set_size(1280, 900).await.unwrap();
    window.script(LISTEN).await.unwrap();
    let mut walk = Walk::new(&window);
    let ada = SignIn::of(&stage.sandbox, "ada").unwrap();
    let hei = stage.sandbox.announcement().hei.clone();
    let password = "Passw0rd-nowhere-else";
    let name = "secretive-01";

    walk.sign_in(&ada).await.unwrap();
    walk.servers_list().await.unwrap();
    walk.settings(&hei).await.unwrap();
    walk.new_server(name).await.unwrap();
    walk.wait_running(name).await.unwrap();
    walk.open_server(name).await.unwrap();
    walk.password(password).await.unwrap();
    assert_eq!(walk.ended("server.password").await.unwrap().state, "ok");
    // The calls of what was done, in every form.
    for kind in ["server.create", "server.password"] {
        let row = format!("{}[data-kind=\"{kind}\"] td", testid(id::OPERATION_ROW));
        window.click(&row).await.unwrap();
        window.click(&testid("operation-call")).await.unwrap();
        for tab in ["http", "wangcheng", "koo", "python"] {
            window.click(&testid(&format!("call-tab-{tab}"))).await.unwrap();
        }
        wangcheng_tests::screens::close(&window).await.unwrap();
    }
    window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
    window.click(&testid("settings-diagnostics")).await.unwrap();
    window.by_testid("diagnostics-made").await.unwrap();
    walk.wait_delivered().await.unwrap();
    let page = window
        .script("return document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
        .await
        .unwrap();
    let heard = window.script("return window.heard").await.unwrap();
    let heard: Vec<String> = serde_json::from_value(heard).unwrap();
    let events = Value::from(stage.sandbox.records().await.unwrap()).to_string();
    window.close().await.unwrap();

    // What is searched is what there was: answers and changes of each kind, and the ledger with the server in it.
    let all = heard.join("\n");
    for part in [name, "\"kind\":\"operation\"", "\"kind\":\"delivery\"", "hcloud "] {
        assert!(
            all.contains(part),
            "{part} was not among the {} messages",
            heard.len()
        );
    }
    let mut places = vec![
        ("a message to the page".into(), all.into_bytes()),
        ("the page".into(), page.to_string().into_bytes()),
        ("the events".into(), events.into_bytes()),
    ];
    places.extend(
        files(&stage.data)
            .into_iter()
            .map(|(path, content)| (path, content)),
    );
    for part in [".log", "ledger.db"] {
        assert!(
            places
                .iter()
                .any(|(path, _): &(PathBuf, Vec<u8>)| path.to_string_lossy().contains(part)),
            "no {part} was searched: {:?}",
            places.iter().map(|(path, _)| path).collect::<Vec<_>>()
        );
    }
    for (place, content) in &places {
        for secret in [
            ada.secret_key.as_str(),
            hei.token.as_str(),
            password,
            "-----BEGIN OPENSSH PRIVATE KEY-----",
        ] {
            assert!(!holds(content, secret), "a secret is in {}", place.display());
        }
    }
}
