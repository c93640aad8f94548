//! An administrator's side over the real sandbox: founding, writing, publishing, auditing, and what people get of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use api::Api;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use common::*;

const ADA: &str = "e0a0000000000000000000000000ada1";
const PLACE: &str = "obs://example-team-policy/grants/wangcheng.json";

async fn sign_in_as(api: &Api, user: &str) {
    ask(
        api,
        "accounts.sign_in_demo",
        json!({"user": user, "remember": "run"}),
    )
    .await;
}

async fn found(api: &Api) -> Value {
    ask(
        api,
        "office.found",
        json!({"name": "例子公司", "ask": "mia <mia@example.com>", "currency": "cny", "remember": "run"}),
    )
    .await
}

fn draft(office: &Value, roles: Value) -> Value {
    let mut draft = office["draft"].clone();
    draft["roles"] = roles;
    draft["owners"] = json!([{"id": ADA, "name": "ada", "role": "developer"}]);
    draft
}

async fn error(api: &Api, name: &str, request: Value) -> String {
    match api.call(name, request).await {
        Err(error) => error.code,
        Ok(answer) => panic!("{name} went well: {answer:#}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_administrator_publishes_is_what_a_developer_may_use() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let office = open(&dir.path().join("mia"), &running).await;
    sign_in_as(&office, "mia").await;
    assert!(ask(&office, "office.standing", Value::Null).await.is_null());
    let founded = found(&office).await;
    assert_eq!(
        (&founded["draft"]["currency"], &founded["keys"][0]["held"]),
        (&json!("CNY"), &json!(true))
    );
    assert_eq!(
        error(&office, "office.link", json!({"address": null, "withHei": false})).await,
        "grant_not_published"
    );
    let edited = draft(&founded, json!({"developer": {"servers": 1, "leaseHours": 24}}));
    let mut broken = edited.clone();
    broken["owners"][0]["role"] = json!("nobody");
    assert_eq!(error(&office, "office.edit", broken).await, "grant_unreadable");
    ask(&office, "office.edit", edited.clone()).await;
    let publish = json!({"place": PLACE, "days": 30});
    let published = ask(&office, "office.publish", publish.clone()).await;
    assert_eq!(
        (&published["published"]["number"], &published["signed"]["number"]),
        (&json!(1), &json!(1))
    );
    let link = ask(&office, "office.link", json!({"address": null, "withHei": true})).await;

    let desk = open(&dir.path().join("ada"), &running).await;
    sign_in_as(&desk, "ada").await;
    let join = json!({"link": link["link"], "fingerprint": link["fingerprint"], "token": null});
    let standing = ask(&desk, "grants.join", join).await;
    assert_eq!(standing["joined"]["organisation"], "例子公司");
    assert_eq!(standing["inForce"]["quota"]["servers"], 1);
    make(&desk, "office-01").await;
    assert_eq!(
        error(&desk, "servers.create", create("office-02")).await,
        "grant_limit"
    );

    let more = draft(&founded, json!({"developer": {"servers": 2}}));
    ask(&office, "office.edit", more).await;
    ask(&office, "office.publish", publish.clone()).await;
    // Without a click: a refusal looks whether somebody allowed more meanwhile.
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    make(&desk, "office-02").await;
    assert_eq!(
        ask(&desk, "grants.standing", Value::Null).await["joined"]["number"],
        2
    );

    assert_eq!(
        error(&desk, "office.publish", publish).await,
        "grant_no_office",
        "a developer has no key to sign with"
    );
    ask(
        &office,
        "office.revoke",
        json!({"reason": "the project is over", "days": 30}),
    )
    .await;
    let standing = ask(&desk, "grants.refresh", Value::Null).await;
    assert_eq!(standing["stopped"]["code"], "grant_revoked");
    office.stop().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_takes_over_from_another_without_leaving_anybody_behind() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let office = open(&dir.path().join("mia"), &running).await;
    sign_in_as(&office, "mia").await;
    let founded = found(&office).await;
    ask(&office, "office.edit", draft(&founded, json!({"developer": {}}))).await;
    let publish = json!({"place": dir.path().join("grant.json"), "days": 30});
    ask(&office, "office.publish", publish.clone()).await;
    let link = ask(&office, "office.link", json!({"address": null, "withHei": false})).await;
    let mut desks = Vec::new();
    for name in ["quick", "slow"] {
        let desk = open(&dir.path().join(name), &running).await;
        sign_in_as(&desk, "ada").await;
        let join = json!({"link": link["link"], "fingerprint": link["fingerprint"], "token": null});
        ask(&desk, "grants.join", join).await;
        desks.push(desk);
    }
    assert_eq!(
        error(&office, "office.retire", Value::Null).await,
        "grant_unreadable"
    );
    ask(&office, "office.rotate", Value::Null).await;
    assert_eq!(
        error(&office, "office.retire", Value::Null).await,
        "grant_unreadable",
        "nobody was told of the new key yet"
    );
    ask(&office, "office.publish", publish.clone()).await;
    ask(&desks[0], "grants.refresh", Value::Null).await;
    let retired = ask(&office, "office.retire", Value::Null).await;
    assert_eq!(retired["keys"].as_array().unwrap().len(), 1);
    ask(&office, "office.publish", publish.clone()).await;
    for desk in &desks {
        let standing = ask(desk, "grants.refresh", Value::Null).await;
        assert!(
            standing["joined"]["problem"].is_null(),
            "also who missed the one with both: {standing:#}"
        );
        assert_eq!(standing["joined"]["number"], 3);
        assert_eq!(
            standing["joined"]["fingerprints"],
            json!([retired["keys"][0]["fingerprint"]])
        );
    }
    ask(&office, "office.publish", publish).await;
    let standing = ask(&desks[0], "grants.refresh", Value::Null).await;
    assert_eq!(standing["joined"]["number"], 4);
    office.stop().await;
    for desk in &desks {
        desk.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_opens_with_its_passphrase_only_here_and_for_the_vendor_of_ssh() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let office = open(&dir.path().join("mia"), &running).await;
    sign_in_as(&office, "mia").await;
    let founded = found(&office).await;
    assert_eq!(
        error(&office, "office.back_up", json!({"passphrase": "short"})).await,
        "grant_passphrase"
    );
    let passphrase = "correct horse battery";
    let backup = ask(&office, "office.back_up", json!({"passphrase": passphrase})).await;
    let file = backup["file"].as_str().unwrap().to_owned();

    let key = dir.path().join("key");
    let parsed: Value = serde_json::from_str(&file).unwrap();
    std::fs::write(&key, parsed["keys"][0].as_str().unwrap()).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let by_ssh = |passphrase: &str| {
        std::process::Command::new("ssh-keygen")
            .args(["-y", "-P", passphrase, "-f"])
            .arg(&key)
            .output()
            .unwrap()
    };
    assert!(!by_ssh("another one").status.success());
    let public = by_ssh(passphrase);
    assert!(
        public.status.success(),
        "{}",
        String::from_utf8_lossy(&public.stderr)
    );

    let other = open(&dir.path().join("other"), &running).await;
    let restore =
        |passphrase: &str, file: &str| json!({"file": file, "passphrase": passphrase, "remember": "run"});
    assert_eq!(
        error(&other, "office.restore", restore("another one", &file)).await,
        "grant_backup"
    );
    assert_eq!(
        error(&other, "office.restore", restore(passphrase, "{}")).await,
        "grant_backup"
    );
    let restored = ask(&other, "office.restore", restore(passphrase, &file)).await;
    assert_eq!(restored["draft"], founded["draft"]);
    assert_eq!(restored["keys"], founded["keys"]);
    assert_eq!(
        error(
            &other,
            "office.found",
            json!({"name": "x", "ask": "x", "currency": "CNY", "remember": "run"})
        )
        .await,
        "grant_office_there"
    );
    office.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_each_planted_breach_and_offers_what_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let desk = open(&dir.path().join("ada"), &running).await;
    sign_in(&desk).await;
    let mut kept = Vec::new();
    for name in ["audit-01", "audit-02", "audit-03"] {
        kept.push(make(&desk, name).await);
    }
    let console = Console::new(&desk, &running).await;
    console.set_lease(kept[1]["id"].as_str().unwrap(), None).await;
    let far = Utc::now() + TimeDelta::days(40);
    console
        .set_lease(kept[0]["id"].as_str().unwrap(), Some(far))
        .await;

    let office = open(&dir.path().join("mia"), &running).await;
    sign_in_as(&office, "mia").await;
    let founded = found(&office).await;
    let roles = json!({"developer": {
        "servers": 2, "leaseHours": 100, "families": ["c9"], "publicAddress": false, "regions": ["elsewhere-1"],
        "diskGbEach": 10,
    }});
    ask(&office, "office.edit", draft(&founded, roles)).await;
    let audit = ask(&office, "office.audit", json!({"of": "draft"})).await;
    let breaches = |name: &str| -> Vec<String> {
        let found = audit["servers"].as_array().unwrap();
        let found = found.iter().find(|one| one["name"] == name);
        let of = found
            .map(|one| one["breaches"].as_array().unwrap().clone())
            .unwrap_or_default();
        of.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let always = [
        "flavor_not_allowed",
        "public_address",
        "region_not_allowed",
        "disk_too_large",
    ];
    let with =
        |more: &[&str]| -> Vec<String> { more.iter().chain(&always).map(|one| (*one).to_owned()).collect() };
    assert_eq!(breaches("audit-01"), with(&["lease_too_long"]), "{audit:#}");
    assert_eq!(breaches("audit-02"), with(&["no_lease"]));
    assert_eq!(breaches("audit-03"), with(&["too_many"]));
    assert_eq!(audit["owners"][0]["limit"], "servers");
    let others = audit["servers"].as_array().unwrap().iter().filter(|one| {
        one["breaches"]
            .as_array()
            .unwrap()
            .iter()
            .any(|breach| breach == "not_named" || breach == "no_owner")
    });
    assert!(
        others.count() > 0,
        "the region has servers of people whom the grant does not name"
    );

    let id = &kept[1]["id"];
    let until = Utc::now() + TimeDelta::hours(3);
    let act = |act: Value| json!({"server": id, "act": act});
    ask(
        &office,
        "office.act",
        act(json!({"kind": "set_lease", "until": until})),
    )
    .await;
    settled(&office).await;
    ask(&office, "office.act", act(json!({"kind": "stop"}))).await;
    settled(&office).await;
    let audit = ask(&office, "office.audit", json!({"of": "draft"})).await;
    let second = audit["servers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "audit-02")
        .unwrap()
        .clone();
    assert_eq!(
        (&second["state"], second["leaseEnd"].is_string()),
        (&json!("stopped"), true)
    );
    assert_eq!(
        error(
            &office,
            "office.act",
            act(json!({"kind": "delete", "name": "another"}))
        )
        .await,
        "name_mismatch"
    );
    ask(
        &office,
        "office.act",
        act(json!({"kind": "delete", "name": "audit-02"})),
    )
    .await;
    settled(&office).await;
    let audit = ask(&office, "office.audit", json!({"of": "draft"})).await;
    assert!(
        audit["servers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["name"] != "audit-02")
    );
    assert_eq!(
        error(
            &desk,
            "office.act",
            json!({"server": kept[0]["id"], "act": {"kind": "stop"}})
        )
        .await,
        "grant_no_office"
    );

    let policies = ask(&office, "office.policies", Value::Null).await;
    let identity: Value = serde_json::from_str(policies["identity"].as_str().unwrap()).unwrap();
    assert_eq!(identity["Version"], "5.0");
    office.stop().await;
    desk.stop().await;
}

async fn put_policy(running: &sandbox::Running, policy: Value) {
    let url = format!(
        "{}/policies",
        running.announcement().control.trim_end_matches('/')
    );
    let body = json!({"user": "ada", "policy": policy}).to_string();
    let set = reqwest::Client::new().post(url).body(body).send().await.unwrap();
    assert!(set.status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policies_of_a_grant_let_the_program_work_and_the_identity_policy_keeps_others_servers_out_of_reach()
 {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let office = open(&dir.path().join("mia"), &running).await;
    sign_in_as(&office, "mia").await;
    let founded = found(&office).await;
    ask(&office, "office.edit", draft(&founded, json!({"developer": {}}))).await;
    let policies = ask(&office, "office.policies", Value::Null).await;
    let others = make(&office, "policy-mia").await;
    let others = others["id"].as_str().unwrap();

    let desk = open(&dir.path().join("ada"), &running).await;
    sign_in(&desk).await;
    let console = Console::new(&desk, &running).await;
    for (kind, reaches) in [("identity", false), ("classic", true)] {
        put_policy(
            &running,
            serde_json::from_str(policies[kind].as_str().unwrap()).unwrap(),
        )
        .await;
        let name = format!("policy-{kind}");
        let server = make(&desk, &name).await;
        let power = |act: &str| json!({"servers": [server["id"]], "act": act, "hard": false});
        ask(&desk, "servers.power", power("stop")).await;
        settled(&desk).await;
        resting(&desk, &name, "stopped").await;
        ask(
            &desk,
            "servers.delete",
            json!({"server": server["id"], "name": name}),
        )
        .await;
        settled(&desk).await;
        let operations = ask(&desk, "operations.list", Value::Null).await;
        for operation in operations.as_array().unwrap() {
            assert_eq!(operation["outcome"], "ok", "{kind}: {operation:#}");
        }
        let past_the_program = huaweicloud::ecs::reboot_servers(
            console.client(),
            &console.project,
            &[others.into()],
            huaweicloud::ecs::Manner::Soft,
        )
        .await;
        assert_eq!(past_the_program.is_ok(), reaches, "{kind}: {past_the_program:?}");
        if let Err(error) = past_the_program {
            assert_eq!(error.kind, huaweicloud::ErrorKind::Permission);
        }
    }
    put_policy(&running, json!({"Version": "5.0", "Statement": []})).await;
    let query = huaweicloud::ecs::ServerQuery::default();
    let looked = huaweicloud::ecs::servers(console.client(), &console.project, &query).await;
    assert_eq!(looked.unwrap_err().kind, huaweicloud::ErrorKind::Permission);
    put_policy(&running, Value::Null).await;
    office.stop().await;
    desk.stop().await;
}
