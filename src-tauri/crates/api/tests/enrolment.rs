//! What comes with joining an organisation: defaults for servers, templates and events, and the token inside a link. And what
//! an administrator's acts need.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::path::Path;

use api::Api;
use serde_json::{Value, json};

use common::*;

const OBJECT: &str = "obs://example-team-policy/grants/wangcheng.json";
const PASSPHRASE: &str = "correct horse battery";

async fn sign_in_as(api: &Api, user: &str) {
    let ask_for = json!({"user": user, "remember": "run"});
    ask(api, "accounts.sign_in_demo", ask_for).await;
}

async fn refused(api: &Api, name: &str, request: Value) -> api::WireError {
    match api.call(name, request).await {
        Err(error) => error,
        Ok(answer) => panic!("{name} was allowed: {answer:#}"),
    }
}

/// An administrator who published a grant in which everybody may do what `quota` says, with these defaults.
async fn office(dir: &Path, running: &sandbox::Running, place: &str, quota: Value, defaults: Value) -> Api {
    let office = open(&dir.join("mia"), running).await;
    sign_in_as(&office, "mia").await;
    let found = json!({"name": "例子公司", "ask": "mia", "currency": "CNY", "remember": "run"});
    let founded = ask(&office, "office.found", found).await;
    let mut draft = founded["draft"].clone();
    draft["roles"] = json!({ "everybody": quota });
    draft["others"] = json!("everybody");
    draft["defaults"] = defaults;
    ask(&office, "office.edit", draft).await;
    ask(&office, "office.publish", json!({"place": place, "days": 30})).await;
    office
}

async fn link(office: &Api, with_hei: bool, passphrase: Value) -> (String, String) {
    let ask_for = json!({"address": null, "withHei": with_hei, "passphrase": passphrase});
    let link = ask(office, "office.link", ask_for).await;
    let text = |key: &str| link[key].as_str().unwrap().to_owned();
    (text("link"), text("fingerprint"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grants_defaults_fill_what_a_person_leaves_open_and_go_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let desk = open(&dir.path().join("ada"), &running).await;
    sign_in(&desk).await;
    let before = ask(&desk, "servers.catalogue", Value::Null).await;
    assert!(before["defaults"].is_null());
    let quote = ask(&desk, "servers.quote", create("defaults-01")).await;
    let other = |list: &str, chosen: &Value| -> (Value, Value) {
        let all = before[list].as_array().unwrap();
        let other = all.iter().find(|one| one["name"] != *chosen).unwrap();
        (other["id"].clone(), other["name"].clone())
    };
    let (subnet, subnet_name) = other("subnets", &quote["subnet"]);
    let (group, group_name) = other("securityGroups", &quote["securityGroup"]);
    let image = before["images"].as_array().unwrap().iter().find(|image| {
        let name = image["name"].as_str().unwrap();
        image["arm"] == false && image["os"] == "Linux" && !name.starts_with("Ubuntu")
    });
    let image = image.unwrap();
    let template = json!({
        "id": "team-build", "nameZh": "构建机", "nameEn": "Build host", "vcpus": 4, "ramGb": 8, "image": "Ubuntu",
        "systemDiskGb": 60, "dataDiskGb": null, "publicMbps": null, "leaseHours": 4, "environment": "docker",
    });
    let defaults = json!({
        "region": "sandbox-1", "subnet": subnet, "securityGroup": group, "template": "team-build",
        "templates": [template], "images": ["No such image", image["name"]], "environments": ["none", "docker"],
    });
    let file = dir.path().join("grant.json");
    let office = office(
        dir.path(),
        &running,
        file.to_str().unwrap(),
        json!({"servers": 2}),
        defaults.clone(),
    )
    .await;
    let (link, fingerprint) = link(&office, false, Value::Null).await;
    let invitation = ask(&desk, "grants.invitation", json!({ "link": link })).await;
    assert_eq!(invitation["defaults"]["templates"][0]["id"], "team-build");
    let standing = ask(
        &desk,
        "grants.join",
        json!({"link": link, "fingerprint": fingerprint}),
    )
    .await;
    assert_eq!(standing["joined"]["defaults"]["region"], "sandbox-1");

    let catalogue = ask(&desk, "servers.catalogue", Value::Null).await;
    assert_eq!(catalogue["defaults"]["organisation"], "例子公司");
    assert_eq!(catalogue["defaults"]["images"], json!([image["name"]]));
    let ids: Vec<_> = catalogue["templates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(
        ids,
        ["team-build", "linux-small", "docker", "linux-large"],
        "fitting ones only"
    );
    let origins = ask(&desk, "templates.origins", Value::Null).await;
    assert_eq!(origins["grant"], json!(["team-build"]));

    let mut wish = create("defaults-01");
    let quote = ask(&desk, "servers.quote", wish.clone()).await;
    assert_eq!(
        (&quote["subnet"], &quote["securityGroup"], &quote["image"]),
        (&subnet_name, &group_name, &image["name"])
    );
    wish["template"] = json!("team-build");
    let quote = ask(&desk, "servers.quote", wish.clone()).await;
    assert_ne!(
        quote["image"], image["name"],
        "the organisation's own template says which"
    );
    let subnets = before["subnets"].as_array().unwrap();
    let another = subnets.iter().find(|one| one["id"] != subnet).unwrap();
    wish["subnet"] = another["id"].clone();
    let quote = ask(&desk, "servers.quote", wish.clone()).await;
    assert_eq!(
        quote["subnet"], another["name"],
        "no limit: another one can be chosen"
    );
    ask(&desk, "servers.create", wish).await;
    settled(&desk).await;
    let made = resting(&desk, "defaults-01", "running").await;
    assert_eq!(made["own"], true);

    ask(&desk, "grants.leave", Value::Null).await;
    let catalogue = ask(&desk, "servers.catalogue", Value::Null).await;
    assert!(catalogue["defaults"].is_null() && catalogue["templates"] == before["templates"]);

    let mut broken = ask(&office, "office.standing", Value::Null).await["draft"].clone();
    broken["defaults"]["templates"][0]["publicMbps"] = json!(9_999);
    let error = refused(&office, "office.edit", broken).await;
    assert_eq!(error.code, "grant_unreadable");
    office.stop().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_inside_a_link_opens_by_its_passphrase_only_and_is_shown_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let file = dir.path().join("grant.json");
    let office = office(dir.path(), &running, file.to_str().unwrap(), json!({}), json!({})).await;
    let token = running.announcement().hei.token.clone();
    let short = json!({"address": null, "withHei": true, "passphrase": "short"});
    assert_eq!(
        refused(&office, "office.link", short).await.code,
        "grant_passphrase"
    );
    let (text, fingerprint) = link(&office, true, json!(PASSPHRASE)).await;
    assert!(text.contains("&token=") && !text.contains(&token));

    let desk = open(&dir.path().join("ada"), &running).await;
    sign_in(&desk).await;
    let invitation = ask(&desk, "grants.invitation", json!({ "link": text })).await;
    assert_eq!(
        (&invitation["tokenSealed"], &invitation["tokenWanted"]),
        (&json!(true), &json!(true))
    );
    let join = |link: &str, passphrase: &str| json!({"link": link, "fingerprint": fingerprint, "passphrase": passphrase});
    let error = refused(&desk, "grants.join", join(&text, "another passphrase")).await;
    assert_eq!(error.code, "grant_token_closed");
    assert!(error.sentence.contains("passphrase") && error.next_step.is_some());
    let elsewhere = text.replace("hei=http", "hei=https");
    assert_ne!(elsewhere, text);
    let error = refused(&desk, "grants.join", join(&elsewhere, PASSPHRASE)).await;
    assert_eq!(
        error.code, "grant_token_closed",
        "a link whose address was changed gives nothing away"
    );
    let standing = ask(&desk, "grants.standing", Value::Null).await;
    assert!(standing["joined"].is_null(), "nothing is kept of a wrong try");

    // It opens, and would go into the keychain, of which a test of this kind has none; the real window's has one.
    let opened = refused(&desk, "grants.join", join(&text, PASSPHRASE)).await;
    assert_eq!(opened.code, "keychain_absent");
    let standing = ask(&desk, "grants.standing", Value::Null).await;
    assert_eq!(standing["joined"]["organisation"], "例子公司");
    let kept = std::fs::read(dir.path().join("ada/demo/ledger.db")).unwrap();
    let wal = std::fs::read(dir.path().join("ada/demo/ledger.db-wal")).unwrap_or_default();
    for secret in [token.as_str(), PASSPHRASE] {
        let within = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!within(&kept) && !within(&wal));
        assert!(!standing.to_string().contains(secret) && !format!("{opened:?}").contains(secret));
    }
    office.stop().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_administrators_acts_need_is_asked_of_keychain_and_cloud() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let office = office(dir.path(), &running, OBJECT, json!({"servers": 1}), json!({})).await;
    let place = json!({"place": null});
    let rights = async |api: &Api, place: &Value| -> Vec<(String, Value, Value)> {
        let told = ask(api, "office.duties", place.clone()).await;
        let all = told.as_array().unwrap().clone();
        let text = |one: &Value| one["what"].as_str().unwrap().to_owned();
        all.iter()
            .map(|one| (text(one), one["allowed"].clone(), one["error"]["code"].clone()))
            .collect()
    };
    let allowed = |what: &str, is: Value| (what.to_owned(), is, Value::Null);
    assert_eq!(
        rights(&office, &place).await,
        [
            allowed("sign", json!(true)),
            allowed("publish", json!(true)),
            allowed("see_servers", json!(true)),
            allowed("see_disks", json!(true)),
            allowed("set_lease", Value::Null),
            allowed("stop", Value::Null),
            allowed("delete", Value::Null),
        ]
    );
    let backup = ask(&office, "office.back_up", json!({"passphrase": PASSPHRASE})).await;

    // The same office in the hands of somebody whose key may read the object and not write it.
    let desk = open(&dir.path().join("ada"), &running).await;
    sign_in(&desk).await;
    assert_eq!(
        refused(&desk, "office.duties", place.clone()).await.code,
        "grant_no_office"
    );
    let restore = json!({"file": backup["file"], "passphrase": PASSPHRASE, "remember": "run"});
    ask(&desk, "office.restore", restore).await;
    let told = rights(&desk, &place).await;
    assert_eq!(told[0], allowed("sign", json!(true)));
    assert_eq!(
        told[1],
        ("publish".to_owned(), json!(false), json!("permission_missing"))
    );
    let publish = json!({"place": OBJECT, "days": 30});
    let error = refused(&desk, "office.publish", publish).await;
    assert_eq!(error.code, "grant_not_published");
    let standing = ask(&desk, "office.standing", Value::Null).await;
    assert_eq!(standing["draft"]["number"], 1, "no number is spent on it");
    let file = json!({"place": dir.path().join("none/grant.json")});
    assert_eq!(
        rights(&desk, &file).await[1].1,
        json!(false),
        "the folder is missing"
    );
    let file = json!({"place": dir.path().join("grant.json")});
    assert_eq!(rights(&desk, &file).await[1].1, json!(true));

    // A key that is gone: everything that signs is missing, what the cloud allows is not.
    desk.stop().await;
    let desk = open(&dir.path().join("ada"), &running).await;
    sign_in(&desk).await;
    let told = rights(&desk, &place).await;
    assert_eq!(
        told[0],
        ("sign".to_owned(), json!(false), json!("grant_key_absent"))
    );
    assert_eq!(told[2], allowed("see_servers", json!(true)));
    office.stop().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_taken_over_counts_before_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let file = dir.path().join("grant.json");
    let place = file.to_str().unwrap();
    let office = office(dir.path(), &running, place, json!({"servers": 0}), json!({})).await;
    let (link, fingerprint) = link(&office, false, Value::Null).await;
    let desk = open(&dir.path().join("ada"), &running).await;
    sign_in(&desk).await;
    ask(
        &desk,
        "grants.join",
        json!({"link": link, "fingerprint": fingerprint}),
    )
    .await;
    let list = ask(&desk, "servers.refresh", Value::Null).await;
    let nobodys = list["servers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "gateway-01")
        .unwrap();
    let adopt = json!({"server": nobodys["id"]});
    let error = refused(&desk, "servers.adopt", adopt.clone()).await;
    assert_eq!(error.code, "grant_limit");
    assert!(error.sentence.contains("servers at once"), "{}", error.sentence);

    let mut draft = ask(&office, "office.standing", Value::Null).await["draft"].clone();
    draft["roles"] = json!({"everybody": {"servers": 100}});
    ask(&office, "office.edit", draft).await;
    ask(&office, "office.publish", json!({"place": place, "days": 30})).await;
    ask(&desk, "grants.refresh", Value::Null).await;
    ask(&desk, "servers.adopt", adopt).await;
    settled(&desk).await;
    let list = ask(&desk, "servers.refresh", Value::Null).await;
    let taken = list["servers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "gateway-01")
        .unwrap();
    assert_eq!(taken["own"], true);
    office.stop().await;
    desk.stop().await;
}
