//! Grants over the real sandbox: joining, limits, refusals, and everything that is not taken over.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::path::{Path, PathBuf};

use api::Api;
use chrono::{Datelike, FixedOffset, Months, NaiveTime, TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use wangcheng::grants::{Grant, Join, PublicKey, Source, sign};

use common::*;

const ADA: &str = "e0a0000000000000000000000000ada1";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A grant of one role, in which ada has it.
fn grant(number: u64, quota: Value) -> Value {
    json!({
        "schema": "wangcheng.grant.v1",
        "organisation": {"id": "org-1", "name": "Example"},
        "number": number,
        "issued": Utc::now() - TimeDelta::minutes(1),
        "expires": Utc::now() + TimeDelta::days(30),
        "ask": "mia <mia@example.com>",
        "keys": [PublicKey::of(&key(1)).text()],
        "currency": "CNY",
        "roles": {"developer": quota},
        "owners": [{"id": ADA, "name": "ada", "role": "developer"}],
    })
}

fn publish(file: &Path, grant: &Value, by: u8) {
    let grant: Grant = serde_json::from_value(grant.clone()).unwrap();
    std::fs::write(file, sign(&grant, &[&key(by)]).unwrap()).unwrap();
}

fn link(file: &Path, by: u8) -> (String, String) {
    let join = Join {
        organisation: "Example".to_owned(),
        key: PublicKey::of(&key(by)),
        source: Source::read(file.to_str().unwrap()).unwrap(),
        hei: None,
        sealed: None,
    };
    (join.text(), join.key.fingerprint())
}

async fn join(api: &Api, file: &Path) -> Value {
    let (link, fingerprint) = link(file, 1);
    ask(
        api,
        "grants.join",
        json!({"link": link, "fingerprint": fingerprint, "token": null}),
    )
    .await
}

async fn refused(api: &Api, name: &str, request: Value) -> api::WireError {
    match api.call(name, request).await {
        Err(error) => error,
        Ok(answer) => panic!("{name} was allowed: {answer:#}"),
    }
}

async fn told(api: &Api, action: &str) -> Vec<Value> {
    let page = ask(api, "events.list", json!({"before": null, "limit": 500})).await;
    page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| serde_json::from_str::<Value>(event["json"].as_str().unwrap()).unwrap())
        .filter(|event| event["action"] == action)
        .collect()
}

struct Stage {
    _dir: tempfile::TempDir,
    file: PathBuf,
    running: sandbox::Running,
    api: Api,
}

async fn stage(quota: Value) -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    sign_in(&api).await;
    let file = dir.path().join("grant.json");
    publish(&file, &grant(1, quota), 1);
    join(&api, &file).await;
    Stage {
        _dir: dir,
        file,
        running,
        api,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_made_up_to_the_limit_and_then_refused_until_an_exception_allows_more() {
    let Stage {
        _dir,
        file,
        running,
        api,
    } = stage(json!({"servers": 1, "leaseHours": 24})).await;
    make(&api, "within-01").await;

    let quote = ask(&api, "servers.quote", create("second-01")).await;
    let bars = quote["grant"].as_array().unwrap();
    assert_eq!(
        bars[0],
        json!({"limit": "servers", "used": "1", "wish": "1", "max": "1"}),
        "shown before the click"
    );
    let problem = &quote["problems"][0];
    assert_eq!(
        (&problem["blocking"], &problem["error"]["code"]),
        (&json!(true), &json!("grant_limit"))
    );

    let error = refused(&api, "servers.create", create("second-01")).await;
    assert_eq!(error.code, "grant_limit");
    assert!(
        error.sentence.contains("servers at once, 1 of 1"),
        "{}",
        error.sentence
    );
    assert!(error.next_step.unwrap().contains("mia <mia@example.com>"));
    let events = told(&api, "grant.refused").await;
    assert_eq!(events.len(), 1, "a question about the price is no refusal");
    for (key, value) in [
        ("outcome", json!("refused")),
        ("refused", json!("server.create")),
        ("limit", json!("servers")),
        ("limit_max", json!("1")),
        ("limit_used", json!("1")),
        ("limit_wish", json!("1")),
        ("grant_number", json!(1)),
        ("organisation", json!("Example")),
        ("error_code", json!("grant_limit")),
        ("owner", json!("ada")),
    ] {
        assert_eq!(events[0][key], value, "{key}");
    }

    let mut exception = grant(2, json!({"servers": 1}));
    exception["exceptions"] = json!([{
        "owner": ADA, "until": Utc::now() + TimeDelta::hours(1), "reason": "release", "quota": {"servers": 2},
    }]);
    publish(&file, &exception, 1);
    let standing = ask(&api, "grants.refresh", Value::Null).await;
    assert_eq!(standing["joined"]["number"], 2);
    assert_eq!(standing["inForce"]["exceptions"][0]["reason"], "release");
    make(&api, "second-01").await;
    refused(&api, "servers.create", create("third-01")).await;

    let mut past = grant(3, json!({"servers": 9}));
    past["issued"] = json!(Utc::now() - TimeDelta::days(2));
    past["expires"] = json!(Utc::now() - TimeDelta::days(1));
    publish(&file, &past, 1);
    let standing = ask(&api, "grants.refresh", Value::Null).await;
    assert_eq!(standing["stopped"]["code"], "grant_expired");
    let error = refused(&api, "servers.create", create("third-01")).await;
    assert_eq!(error.code, "grant_expired");
    let server = resting(&api, "second-01", "running").await;
    ask(
        &api,
        "servers.delete",
        json!({"server": server["id"], "name": "second-01"}),
    )
    .await;
    settled(&api).await;

    api.stop().await;
    let received = received(&running).await;
    let actions: Vec<_> = received
        .iter()
        .filter_map(|event| event["action"].as_str())
        .collect();
    assert!(
        actions.contains(&"grant.accepted") && actions.contains(&"grant.refused"),
        "{actions:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_that_takes_more_is_weighed_and_what_gives_back_is_not() {
    let Stage {
        _dir,
        file,
        api,
        running: _running,
    } = stage(json!({
        "servers": 3, "vcpus": 4, "diskGb": 200, "diskGbEach": 60, "leaseHours": 10, "extensions": 1,
        "families": ["s6"], "publicAddress": false,
    }))
    .await;
    let private = |name: &str| {
        let mut wish = create(name);
        wish["publicMbps"] = json!(0);
        wish
    };
    ask(&api, "servers.create", private("limits-01")).await;
    let server = resting(&api, "limits-01", "running").await;
    let id = &server["id"];

    let other_flavor = |flavor: &str| {
        let mut wish = private("limits-02");
        wish["flavor"] = json!(flavor);
        wish
    };
    let mut public = private("limits-02");
    public["publicMbps"] = json!(5);
    let mut long = private("limits-02");
    long["leaseEnd"] = json!(Utc::now() + TimeDelta::hours(11));
    for (wish, limit) in [
        (public, "public addresses"),
        (other_flavor("c6.large.2"), "the flavor"),
        (long, "a lease from now"),
    ] {
        let error = refused(&api, "servers.create", wish).await;
        assert_eq!(error.code, "grant_not_allowed");
        assert!(error.sentence.contains(limit), "{}", error.sentence);
    }
    let disk = json!({"server": id, "diskType": "GPSSD", "sizeGb": 61});
    let error = refused(&api, "disks.add", disk).await;
    assert!(error.sentence.contains("61 GB"), "{}", error.sentence);
    ask(
        &api,
        "disks.add",
        json!({"server": id, "diskType": "GPSSD", "sizeGb": 50}),
    )
    .await;
    settled(&api).await;
    let disks = ask(&api, "disks.list", json!({"server": id})).await;
    let data = disks["disks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|disk| disk["system"] == false)
        .unwrap();
    let error = refused(
        &api,
        "disks.grow",
        json!({"server": id, "disk": data["id"], "sizeGb": 60 + 1}),
    )
    .await;
    assert_eq!(error.code, "grant_not_allowed");
    let mut tight = grant(2, json!({"diskGb": 95}));
    publish(&file, &tight, 1);
    ask(&api, "grants.refresh", Value::Null).await;
    let error = refused(
        &api,
        "disks.grow",
        json!({"server": id, "disk": data["id"], "sizeGb": 60}),
    )
    .await;
    assert!(
        error.sentence.contains("90 GB of 95 GB"),
        "the 10 GB on top are what counts: {}",
        error.sentence
    );

    tight["number"] = json!(3);
    tight["roles"]["developer"] = json!({"leaseHours": 10, "extensions": 1, "vcpus": 2});
    publish(&file, &tight, 1);
    ask(&api, "grants.refresh", Value::Null).await;
    let error = refused(&api, "servers.cancel_lease", json!({"server": id})).await;
    assert_eq!(
        error.code, "grant_not_allowed",
        "a server without an end is one past every end"
    );
    let until = |hours| json!({"server": id, "until": Utc::now() + TimeDelta::hours(hours)});
    refused(&api, "servers.extend", until(11)).await;
    ask(&api, "servers.extend", until(9)).await;
    settled(&api).await;
    let error = refused(&api, "servers.extend", until(9)).await;
    assert!(
        error.sentence.contains("extensions of a lease"),
        "{}",
        error.sentence
    );
    let error = refused(
        &api,
        "servers.resize",
        json!({"server": id, "flavor": "s6.xlarge.2", "mayStop": true}),
    )
    .await;
    assert!(error.sentence.contains("vCPUs together"), "{}", error.sentence);

    tight["number"] = json!(4);
    tight["revoked"] = json!("the project is over");
    publish(&file, &tight, 1);
    ask(&api, "grants.refresh", Value::Null).await;
    let power = |act: &str| json!({"servers": [id], "act": act, "hard": false});
    let stopped = ask(&api, "servers.power", power("stop")).await;
    assert!(
        stopped[0]["error"].is_null(),
        "stopping is always allowed: {stopped:#}"
    );
    settled(&api).await;
    resting(&api, "limits-01", "stopped").await;
    let started = ask(&api, "servers.power", power("start")).await;
    assert_eq!(started[0]["error"]["code"], "grant_revoked");
    ask(&api, "servers.delete", json!({"server": id, "name": "limits-01"})).await;
    settled(&api).await;
    api.stop().await;
}

fn hours_left_of_the_month() -> f64 {
    let now = Utc::now().with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
    let next = now.date_naive().with_day(1).unwrap() + Months::new(1);
    let left = next.and_time(NaiveTime::MIN) - now.naive_local();
    left.num_seconds() as f64 / 3600.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_hours_and_money_counts_what_leases_promise() {
    // Of a lease of eight hours as many count as are left of the month, which is Shanghai's. One fits, two do not.
    let promised = hours_left_of_the_month().min(8.0);
    let room = promised.floor() as u32 + 1;
    let Stage {
        _dir,
        file,
        api,
        running: _running,
    } = stage(json!({"hoursMonth": room})).await;
    make(&api, "month-01").await;
    // In the last half hour of a month two leases fit into one hour of it.
    if promised * 2.0 > f64::from(room) {
        let error = refused(&api, "servers.create", create("month-02")).await;
        assert!(
            error.sentence.contains("hours, leases included"),
            "{}",
            error.sentence
        );
    }
    publish(&file, &grant(2, json!({"moneyMonth": "0.01"})), 1);
    ask(&api, "grants.refresh", Value::Null).await;
    let error = refused(&api, "servers.create", create("month-02")).await;
    assert!(error.sentence.contains("0.01 CNY"), "{}", error.sentence);
    let standing = ask(&api, "grants.standing", Value::Null).await;
    let used = standing["uses"][0]["used"]
        .as_str()
        .unwrap()
        .parse::<f64>()
        .unwrap();
    assert!(used > 0.01, "eight hours of a server are promised: {standing:#}");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_over_that_is_not_the_next_grant_of_this_organisation() {
    let Stage {
        _dir,
        file,
        api,
        running: _running,
    } = stage(json!({"servers": 1})).await;
    let refresh = async |expected: Value| {
        let standing = ask(&api, "grants.refresh", Value::Null).await;
        assert_eq!(standing["joined"]["problem"]["code"], expected, "{standing:#}");
        standing
    };
    publish(&file, &grant(5, json!({"servers": 1})), 1);
    refresh(Value::Null).await;

    publish(&file, &grant(6, json!({"servers": 99})), 2);
    refresh(json!("grant_stranger")).await;
    publish(&file, &grant(4, json!({"servers": 99})), 1);
    refresh(json!("grant_older")).await;
    publish(&file, &grant(5, json!({"servers": 99})), 1);
    refresh(json!("grant_older")).await;
    let mut other = grant(6, json!({}));
    other["organisation"]["id"] = json!("org-2");
    publish(&file, &other, 1);
    refresh(json!("grant_of_other")).await;
    let mut ahead = grant(6, json!({}));
    ahead["issued"] = json!(Utc::now() + TimeDelta::hours(2));
    publish(&file, &ahead, 1);
    refresh(json!("grant_from_future")).await;
    publish(&file, &grant(6, json!({})), 1);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("\"developer\": {}", "\"developer\": {\"servers\": 9}"),
    )
    .unwrap();
    refresh(json!("grant_signature_wrong")).await;
    std::fs::write(&file, "{}").unwrap();
    refresh(json!("grant_unreadable")).await;
    std::fs::remove_file(&file).unwrap();
    let standing = refresh(json!("grant_unreachable")).await;
    assert_eq!(
        (
            &standing["joined"]["number"],
            &standing["inForce"]["quota"]["servers"]
        ),
        (&json!(5), &json!(1)),
        "the last valid one stays in force"
    );
    make(&api, "held-01").await;
    refused(&api, "servers.create", create("held-02")).await;

    // One key takes over from another by a grant that the first one signs.
    let mut handed = grant(7, json!({"servers": 1}));
    handed["keys"] = json!([PublicKey::of(&key(1)).text(), PublicKey::of(&key(2)).text()]);
    publish(&file, &handed, 1);
    refresh(Value::Null).await;
    handed["number"] = json!(8);
    handed["keys"] = json!([PublicKey::of(&key(2)).text()]);
    publish(&file, &handed, 2);
    refresh(Value::Null).await;
    handed["number"] = json!(9);
    publish(&file, &handed, 1);
    let standing = refresh(json!("grant_stranger")).await;
    assert_eq!(
        standing["joined"]["fingerprints"],
        json!([PublicKey::of(&key(2)).fingerprint()])
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_takes_a_compared_fingerprint_and_leaving_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(&dir.path().join("app"), &running).await;
    let file = dir.path().join("grant.json");
    publish(&file, &grant(3, json!({"servers": 1})), 1);
    let (text, fingerprint) = link(&file, 1);
    let standing = ask(&api, "grants.standing", Value::Null).await;
    assert!(standing["joined"].is_null());

    let invitation = ask(&api, "grants.invitation", json!({"link": text})).await;
    assert_eq!(
        (
            &invitation["organisation"],
            &invitation["fingerprint"],
            &invitation["number"]
        ),
        (&json!("Example"), &json!(fingerprint), &json!(3))
    );
    let wrong = json!({"link": text, "fingerprint": "0000", "token": null});
    assert_eq!(
        refused(&api, "grants.join", wrong).await.code,
        "grant_fingerprint"
    );
    let loud = fingerprint.to_uppercase().replace('-', " ");
    let standing = ask(
        &api,
        "grants.join",
        json!({"link": text, "fingerprint": loud, "token": null}),
    )
    .await;
    assert_eq!(
        standing["joined"]["organisation"], "Example",
        "before anybody signed in"
    );
    sign_in(&api).await;

    let (other_key, other_fingerprint) = link(&file, 2);
    publish(&file, &grant(4, json!({})), 2);
    let changed = json!({"link": other_key, "fingerprint": other_fingerprint, "token": null});
    assert_eq!(
        refused(&api, "grants.join", changed.clone()).await.code,
        "grant_key_changed"
    );
    let invitation = ask(&api, "grants.invitation", json!({"link": other_key})).await;
    assert_eq!(invitation["problem"]["code"], "grant_key_changed");

    ask(&api, "grants.leave", Value::Null).await;
    assert_eq!(told(&api, "grant.left").await.len(), 1);
    assert_eq!(
        refused(&api, "grants.refresh", Value::Null).await.code,
        "grant_absent"
    );
    publish(&file, &grant(2, json!({})), 1);
    let again = json!({"link": text, "fingerprint": fingerprint, "token": null});
    assert_eq!(
        refused(&api, "grants.join", again).await.code,
        "grant_older",
        "leaving does not make an old grant new"
    );
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_made_at_once_the_younger_one_goes() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let file = dir.path().join("grant.json");
    publish(&file, &grant(1, json!({"servers": 1})), 1);
    let mut apis = Vec::new();
    for name in ["one", "two"] {
        let api = open(&dir.path().join(name), &running).await;
        sign_in(&api).await;
        join(&api, &file).await;
        apis.push(api);
    }
    for turn in 0..3 {
        let asked = futures::future::join_all(apis.iter().map(|api| {
            let name = format!("race-{turn}");
            async move { api.call("servers.create", create(&name)).await }
        }));
        let asked = asked.await;
        for api in &apis {
            settled(api).await;
        }
        let list = ask(&apis[0], "servers.refresh", Value::Null).await;
        let servers = list["servers"].as_array().unwrap();
        let mine: Vec<_> = servers
            .iter()
            .filter(|server| server["own"] == true || server["owner"] == "ada")
            .collect();
        assert_eq!(mine.len(), 1, "turn {turn}: {asked:#?}");
        for api in &apis {
            let own = ask(api, "servers.refresh", Value::Null).await;
            for server in own["servers"].as_array().unwrap() {
                if server["own"] == true && server["name"] == format!("race-{turn}") {
                    let wish = json!({"server": server["id"], "name": server["name"]});
                    let _ = api.call("servers.delete", wish).await;
                }
            }
        }
        for api in &apis {
            settled(api).await;
        }
    }
    let mut undone = 0;
    for api in &apis {
        for event in told(api, "server.deleted").await {
            undone += usize::from(event["cause"] == "quota");
        }
    }
    assert!(undone > 0, "in three races at least one was run");
    for api in &apis {
        api.stop().await;
    }
}
