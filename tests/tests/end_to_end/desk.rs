//! Manners of the desktop: the palette, links, keys that lie ready, the bundle for reports, tray and notifications.

use serde_json::json;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::neighbours::Neighbours;
use wangcheng_tests::programs;
use wangcheng_tests::screens;
use wangcheng_tests::walk::{SignIn, Walk, id};
use wangcheng_tests::window::{Found, PATIENCE, testid};

use super::{Stage, says};

async fn palette(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    let mut walk = Walk::new(&window);
    let name = "palette-01";
    walk.running(name).await.unwrap();

    screens::control(&window, "2").await.unwrap();
    window.by_testid(id::OPERATION_ROW).await.unwrap();
    screens::control(&window, "k").await.unwrap();
    window.by_testid("palette-input").await.unwrap();
    window.press("pal01\u{e007}").await.unwrap();
    window.wait_text(&testid(id::SERVER_DETAIL), name).await.unwrap();
    screens::control(&window, "k").await.unwrap();
    window.by_testid("palette-input").await.unwrap();
    let word = says(language, "extend", "延长");
    window.press(&format!("{word}\u{e007}")).await.unwrap();
    window.by_testid(id::EXTEND_SUBMIT).await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn the_palette_finds_a_server_and_asks_what_is_asked_for_without_a_mouse_in_english() {
    palette("en").await;
}

#[tokio::test]
async fn the_palette_finds_a_server_and_asks_what_is_asked_for_without_a_mouse_in_chinese() {
    palette("zh-CN").await;
}

async fn link(language: &str) {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open(language, "light").await;
    Walk::new(&window).demo().await.unwrap();
    let second = |link: &str| {
        let mut command = stage.desktop.command(programs::find(programs::DESKTOP).unwrap());
        command
            .arg("--data-dir")
            .arg(&stage.data)
            .arg("--sandbox")
            .arg(stage.sandbox.announce_file())
            .arg(link);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let ended = tokio::time::timeout(
        PATIENCE,
        second("wangcheng://create?template=small&name=from-a-link&purpose=ticket+77&hours=3"),
    )
    .await
    .expect("the second start ends")
    .unwrap();
    assert!(ended.status.success(), "{ended:?}");

    let question = window
        .wait_text(&testid("link-question"), "from-a-link")
        .await
        .unwrap();
    assert!(
        question.contains("ticket 77")
            && question.contains(says(language, "Nothing is sent to the cloud", "不会向云服务发送")),
        "what the link wants, and that it does nothing, is said before it is followed: {question}"
    );
    assert_eq!(
        window.count(&testid(id::CREATE_NAME)).await.unwrap(),
        0,
        "nothing moved before the answer"
    );
    window.click(&testid("link-follow")).await.unwrap();
    window.by_testid(id::CREATE_NAME).await.unwrap();
    window
        .wait("the form to be filled in", PATIENCE, async || {
            let script = format!(
                "return document.querySelector('{}').value",
                testid(id::CREATE_NAME)
            );
            let held = window.peek_script(&script).await?;
            Ok(if held == "from-a-link" {
                Found::Yes(())
            } else {
                Found::NotYet(format!("it holds {held}"))
            })
        })
        .await
        .unwrap();
    assert_eq!(stage.sandbox.servers_named("from-a-link").await.unwrap(), 0);

    second("wangcheng://server/../../x").await.unwrap();
    window
        .wait_attribute(&testid("link-question"), "data-kind", &["unreadable"], PATIENCE)
        .await
        .unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn a_second_start_hands_its_link_to_the_first_which_asks_before_it_follows_in_english() {
    link("en").await;
}

#[tokio::test]
async fn a_second_start_hands_its_link_to_the_first_which_asks_before_it_follows_in_chinese() {
    link("zh-CN").await;
}

#[tokio::test]
async fn a_key_that_lies_ready_signs_in_without_its_secret_in_the_page_and_none_is_in_the_bundle() {
    let stage = Stage::set(Keychain::Unlocked, 4.0).await;
    let ada = SignIn::of(&stage.sandbox, "ada").unwrap();
    let file = stage.desktop.dir().join("home/credentials.csv");
    let text = format!(
        "\u{feff}User Name,Access Key Id,Secret Access Key\r\n\"ada\",{},{}\r\n",
        ada.access_key, ada.secret_key
    );
    std::fs::write(&file, text).unwrap();
    let window = stage.open("en", "light").await;
    window.click(&testid("found-key-use")).await.unwrap();
    window.by_testid("found-key-chosen").await.unwrap();
    let page = async || {
        let page = window
            .script("return document.documentElement.outerHTML")
            .await
            .unwrap();
        assert!(
            !page.to_string().contains(&ada.secret_key),
            "the secret is in the page"
        );
    };
    page().await;
    window
        .choose(&testid(id::SIGNIN_REGION), &ada.region)
        .await
        .unwrap();
    window.click(&testid(id::SIGNIN_SUBMIT)).await.unwrap();
    window.by_testid(id::SERVERS_TABLE).await.unwrap();
    page().await;

    window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
    window.click(&testid("settings-diagnostics")).await.unwrap();
    let made = window
        .attribute(&testid("diagnostics-made"), "data-file")
        .await
        .unwrap()
        .unwrap();
    let unpacked = std::process::Command::new("python3")
        .args(["-c", "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nprint(z.namelist())\nfor n in z.namelist(): sys.stdout.write(z.read(n).decode())", &made])
        .output()
        .unwrap();
    assert!(
        unpacked.status.success(),
        "the bundle can be opened: {unpacked:?}"
    );
    let content = String::from_utf8_lossy(&unpacked.stdout);
    for part in ["about.json", "standing.json", "logs/wangcheng", "schemaVersion"] {
        assert!(content.contains(part), "{part} is missing: {content}");
    }
    for secret in [
        &ada.secret_key,
        &ada.access_key,
        &stage.sandbox.announcement().hei.token,
    ] {
        assert!(!content.contains(secret.as_str()), "a secret is in the bundle");
    }
    window.close().await.unwrap();
}

#[tokio::test]
async fn the_tray_counts_and_leads_on_and_a_notification_leads_to_its_server() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let mut neighbours = Neighbours::start(&stage.desktop).await.unwrap();
    let window = stage.open("en", "light").await;
    let mut walk = Walk::new(&window);
    let name = "tray-01";
    walk.demo().await.unwrap();
    walk.new_server(name).await.unwrap();
    window.click(&testid(id::NAV_EVENTS)).await.unwrap();
    window.minimize().await.unwrap();
    neighbours
        .said(|line| line.starts_with("NOTIFY") && line.contains(name))
        .await
        .unwrap();
    // It is clicked, which leads from the events to the server.
    window.wait_text(&testid(id::SERVER_DETAIL), name).await.unwrap();

    neighbours.said(|line| line == "LABEL 1").await.unwrap();
    neighbours
        .said(|line| line.starts_with("MENU Wangcheng: 1 server, the next ends "))
        .await
        .unwrap();
    window.click(&testid(id::NAV_SETTINGS)).await.unwrap();
    neighbours.click("Extend").unwrap();
    window.by_testid(id::EXTEND_SUBMIT).await.unwrap();
    window.close().await.unwrap();
}

/// What a desktop tells GTK of a person who wants nothing that moves.
const STILL: &str = "[Settings]\ngtk-enable-animations=0\n";

#[tokio::test]
async fn letters_are_as_large_and_as_still_as_the_system_wants_them() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open("en", "light").await;
    Walk::new(&window).running("large-01").await.unwrap();
    window.close().await.unwrap();
    let config = stage.desktop.dir().join("home/.config/gtk-3.0");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("settings.ini"), STILL).unwrap();
    stage.desktop.want_letters(144).unwrap();
    let window = stage.open("en", "light").await;
    window.set_size(1280, 820).await.unwrap();
    window.by_testid(id::SERVER_ROW).await.unwrap();
    let seen = window
        .script(
            "const moving = getComputedStyle(document.querySelector('button')).transitionDuration; \
             return [window.innerWidth, document.documentElement.scrollWidth - window.innerWidth <= 1, \
                     matchMedia('(prefers-reduced-motion: reduce)').matches, parseFloat(moving) < 0.01]",
        )
        .await
        .unwrap();
    let pictures = programs::target_dir().unwrap().join("end-to-end").join("desk");
    window.screenshot(&pictures.join("large.png")).await.unwrap();
    // Everything grows with the letters, so that as much less of it fits.
    assert_eq!(
        seen,
        json!([853, true, true, true]),
        "width, nothing beyond the edge, less motion wanted, little moves"
    );
    window.close().await.unwrap();
}
