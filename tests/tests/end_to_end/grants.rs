//! An organisation is founded, its grant published and joined by a second installation, and holds there: all in the window.

use std::path::Path;

use serde_json::Value;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::programs;
use wangcheng_tests::walk::{SignIn, Walk};
use wangcheng_tests::window::{PATIENCE, Window, testid};

use super::{DELIVERY, Stage};

const ADA: &str = "e0a0000000000000000000000000ada1";
const PASSPHRASE: &str = "a passphrase told by phone";
const PLACE: &str = "obs://example-team-policy/grants/wangcheng.json";

impl Stage {
    /// The administrator's command line, over the ledger and the keychain of the window.
    fn office(&self, arguments: &[&str]) -> Value {
        let mut command = self.desktop.command(programs::find("wangcheng").unwrap());
        command
            .arg("--data-dir")
            .arg(&self.data)
            .arg("--sandbox")
            .arg(self.sandbox.announce_file())
            .args(["--language", "en", "--json"])
            .args(arguments);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

async fn sign_in(stage: &Stage, window: &Window, user: &str) {
    let mut walk = Walk::new(window);
    walk.sign_in(&SignIn::of(&stage.sandbox, user).unwrap())
        .await
        .unwrap();
    walk.servers_list().await.unwrap();
}

async fn picture(window: &Window, language: &str, name: &str) {
    let dir = programs::target_dir()
        .unwrap()
        .join("end-to-end")
        .join("grants")
        .join(language);
    std::fs::create_dir_all(&dir).unwrap();
    window.screenshot(&dir.join(format!("{name}.png"))).await.unwrap();
}

async fn write_and_publish(window: &Window, language: &str) -> (String, String) {
    window.click(&testid("nav-grants")).await.unwrap();
    window.click(&testid("office-open")).await.unwrap();
    window.fill(&testid("office-name"), "Example Ltd.").await.unwrap();
    window
        .fill(&testid("office-found-ask"), "mia, extension 4711")
        .await
        .unwrap();
    window.click(&testid("office-found")).await.unwrap();
    window.click(&testid("office-add-role")).await.unwrap();
    window.click(&testid("office-defaults-open")).await.unwrap();
    window
        .choose(&testid("office-default-template"), "docker")
        .await
        .unwrap();
    window
        .fill(&testid("office-default-images"), "Debian")
        .await
        .unwrap();
    for (field, text) in [
        ("office-role-name", "developer"),
        ("office-servers", "1"),
        ("office-leaseHours", "24"),
    ] {
        window.fill(&testid(field), text).await.unwrap();
    }
    window.click(&testid("office-add-owner")).await.unwrap();
    window.fill(&testid("office-owner-id"), ADA).await.unwrap();
    window.fill(&testid("office-owner-name"), "ada").await.unwrap();
    window.click(&testid("office-save")).await.unwrap();
    // What was written is kept once it is among the differences from what was signed; the form begins anew with that.
    window
        .wait_attribute(&testid("office-changes"), "data-count", &["12"], PATIENCE)
        .await
        .unwrap();
    window.click(&testid("office-look")).await.unwrap();
    window.find(&testid("office-finding")).await.unwrap();
    picture(window, language, "audit").await;
    window.fill(&testid("office-place"), PLACE).await.unwrap();
    // Asked of the cloud and the keychain: nothing is missing to an administrator.
    window
        .find(&format!(
            "{} [data-duty=publish][data-allowed=true]",
            testid("office-rights")
        ))
        .await
        .unwrap();
    window
        .wait_attribute(&testid("office-rights"), "data-missing", &[""], PATIENCE)
        .await
        .unwrap();
    window.fill(&testid("office-seal"), PASSPHRASE).await.unwrap();
    window.click(&testid("office-publish")).await.unwrap();
    let link = window.text(&testid("office-link-text")).await.unwrap();
    let fingerprint = window.text(&testid("office-fingerprint")).await.unwrap();
    picture(window, language, "published").await;
    (link, fingerprint)
}

/// Tries to make a server, and says by which code it is kept from that before the click.
async fn kept_from(window: &Window, name: &str, code: &str) {
    let mut walk = Walk::new(window);
    walk.open_create().await.unwrap();
    walk.describe(name, "", 2).await.unwrap();
    let problem = format!("{} {}", testid("create-problems"), testid("error-box"));
    window
        .wait_attribute(&problem, "data-code", &[code], PATIENCE)
        .await
        .unwrap();
}

fn with_exception(draft: &Value, file: &Path) {
    let mut draft = draft.clone();
    draft["exceptions"] = serde_json::json!([{
        "owner": ADA, "until": "2099-01-01T00:00:00Z", "reason": "release", "quota": {"servers": 2},
    }]);
    std::fs::write(file, draft.to_string()).unwrap();
}

#[tokio::test]
async fn an_organisations_grant_is_published_joined_and_kept_to() {
    whole_story("en").await;
}

#[tokio::test]
async fn an_organisations_grant_is_published_joined_and_kept_to_in_chinese() {
    whole_story("zh-CN").await;
}

/// Organisation, grant, link, second installation, limit, refused, exception, allowed, expired.
async fn whole_story(language: &str) {
    let mut stage = Stage::set(Keychain::Unlocked, 20.0).await;
    let mia = stage.data.clone();
    let window = stage.open(language, "light").await;
    window.set_size(1280, 900).await.unwrap();
    sign_in(&stage, &window, "mia").await;
    let (link, fingerprint) = write_and_publish(&window, language).await;
    window.close().await.unwrap();

    stage.data = stage.desktop.dir().join("ada");
    let window = stage.open(language, "light").await;
    window.set_size(1280, 900).await.unwrap();
    sign_in(&stage, &window, "ada").await;
    window.click(&testid("nav-grants")).await.unwrap();
    window.fill(&testid("join-link"), &link).await.unwrap();
    window.click(&testid("join-look")).await.unwrap();
    assert_eq!(
        window.text(&testid("join-fingerprint")).await.unwrap(),
        fingerprint
    );
    window.fill(&testid("join-compare"), &fingerprint).await.unwrap();
    window
        .fill(&testid("join-passphrase"), "another passphrase")
        .await
        .unwrap();
    window.click(&testid("join-submit")).await.unwrap();
    window
        .wait_attribute(
            &testid("error-box"),
            "data-code",
            &["grant_token_closed"],
            PATIENCE,
        )
        .await
        .unwrap();
    window.fill(&testid("join-passphrase"), PASSPHRASE).await.unwrap();
    picture(&window, language, "join").await;
    window.click(&testid("join-submit")).await.unwrap();
    window
        .wait_text(&testid("grant-organisation"), "Example Ltd.")
        .await
        .unwrap();
    stage
        .sandbox
        .wait_event("grant.accepted", "ok", DELIVERY)
        .await
        .unwrap();

    let mut walk = Walk::new(&window);
    walk.open_create().await.unwrap();
    // What the grant begins with is chosen, and said to be from it.
    window
        .find(&format!(
            "{}[data-template=docker] :checked",
            testid("create-template")
        ))
        .await
        .unwrap();
    window.click(&testid("create-more")).await.unwrap();
    window.by_testid("create-of-grant").await.unwrap();
    picture(&window, language, "defaults").await;
    walk.new_server("granted-01").await.unwrap();
    walk.wait_running("granted-01").await.unwrap();
    kept_from(&window, "granted-02", "grant_limit").await;
    picture(&window, language, "refused").await;

    // Meanwhile, at the administrator's desk.
    let (ada, file) = (stage.data.clone(), stage.desktop.dir().join("draft.json"));
    stage.data = mia.clone();
    with_exception(&stage.office(&["grant", "draft"]), &file);
    let file = file.to_string_lossy().into_owned();
    stage.office(&["grant", "edit", &file]);
    let published = stage.office(&["grant", "publish", PLACE]);
    assert_eq!(published["published"]["number"], 2);
    stage.data = ada;

    window.click(&testid("nav-grants")).await.unwrap();
    window.click(&testid("grant-refresh")).await.unwrap();
    window
        .wait_text(&testid("grant-exception"), "release")
        .await
        .unwrap();
    picture(&window, language, "exception").await;
    walk.new_server("granted-02").await.unwrap();
    walk.wait_running("granted-02").await.unwrap();

    stage.data = mia;
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(30);
    let soon = soon.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    stage.office(&["grant", "publish", PLACE, "--until", &soon]);
    window.click(&testid("nav-grants")).await.unwrap();
    window.click(&testid("grant-refresh")).await.unwrap();
    window
        .wait_attribute(&testid("grant"), "data-number", &["3"], PATIENCE)
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    kept_from(&window, "granted-03", "grant_expired").await;
    window.click(&testid("nav-grants")).await.unwrap();
    window
        .wait_attribute(&testid("error-box"), "data-code", &["grant_expired"], PATIENCE)
        .await
        .unwrap();
    picture(&window, language, "expired").await;
    window.close().await.unwrap();
}
