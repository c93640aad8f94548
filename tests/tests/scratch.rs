//! scratch
#![cfg(target_os = "linux")]
use wangcheng_tests::{desktop::*, peers::*, programs, walk::*, window::*};
#[tokio::test]
async fn mini() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let sandbox = Sandbox::start(&desktop.dir().join("sandbox"), 1.0).await.unwrap();
    let program = programs::find(programs::DESKTOP).unwrap();
    let data = desktop.dir().join("data");
    let w = Window::open(
        &desktop,
        &program,
        [
            "--data-dir".as_ref(),
            data.as_os_str(),
            "--sandbox".as_ref(),
            sandbox.announce_file().as_os_str(),
            "--language".as_ref(),
            "zh-CN".as_ref(),
        ],
    )
    .await
    .unwrap();
    w.set_size(1280, 800).await.unwrap();
    let f = SignIn::of(&sandbox, "ada").unwrap();
    let t = std::time::Instant::now();
    w.fill(&testid(id::SIGNIN_NAME), &f.name).await.unwrap();
    eprintln!("{:?}", t.elapsed());
    w.screenshot(std::path::Path::new("/tmp/s0.png")).await.unwrap();
    eprintln!("shot {:?}", t.elapsed());
    w.choose(&testid(id::SIGNIN_REGION), &f.region).await.unwrap();
    w.fill(&testid(id::SIGNIN_ACCESS_KEY), &f.access_key)
        .await
        .unwrap();
    w.fill(&testid(id::SIGNIN_SECRET_KEY), &f.secret_key)
        .await
        .unwrap();
    w.click(&testid(id::SIGNIN_REMEMBER_KEYCHAIN)).await.unwrap();
    eprintln!("fills {:?}", t.elapsed());
    w.screenshot(std::path::Path::new("/tmp/s1.png")).await.unwrap();
    eprintln!("shot {:?}", t.elapsed());
    eprintln!(
        "{:?}",
        w.script("return Array.from(document.querySelectorAll('input'), i => i.value)")
            .await
    );
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    w.screenshot(std::path::Path::new("/tmp/s2.png")).await.unwrap();
    w.click(&testid(id::SIGNIN_SUBMIT)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(3000)).await;
    for call in [
        "settings.get",
        "accounts.list",
        "servers.list",
        "servers.refresh",
        "servers.list",
    ] {
        w.script(&format!("window.__r = null; window.__TAURI_INTERNALS__.invoke('call', {{name: '{call}', request: null}}).then(r => window.__r = r, e => window.__r = 'E ' + JSON.stringify(e)); return 1")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let r = format!("{:?}", w.script("return window.__r").await);
        eprintln!("{call} {}", r.chars().take(500).collect::<String>());
    }
    eprintln!(
        "{:?}",
        w.script(
            "return [document.documentElement.lang, document.body.innerText.slice(0,300), location.href]"
        )
        .await
    );
    w.screenshot(std::path::Path::new("/tmp/s3.png")).await.unwrap();
}
