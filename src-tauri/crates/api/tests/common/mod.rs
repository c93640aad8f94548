//! What the tests of the application over the real sandbox share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and none uses all of this"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::{Api, Launch, Places};
use chrono::{DateTime, Utc};
use huaweicloud::{Client, Http, HttpOptions, ProjectId, RegionId, ecs, ims, vpc};
use sandbox::{Announcement, Options, Running, Sandbox};
use serde_json::{Value, json};
use wangcheng::accounts::Credentials;
use wangcheng::{ClientInfo, CloudRegion, Demo, DemoUser, Endpoints};

/// A sandbox at high speed that outlives the application.
pub async fn region(dir: &Path) -> Running {
    region_at(dir, 20.0).await
}

pub async fn region_at(dir: &Path, speed: f64) -> Running {
    region_with_leases(dir, speed, 1.0).await
}

/// A sandbox in which leases may be short, too.
pub async fn region_with_leases(dir: &Path, speed: f64, lease_speed: f64) -> Running {
    let options = Options {
        state_file: Some(dir.join("region.json")),
        speed,
        lease_speed,
        ..Options::default()
    };
    Sandbox::start(options).await.unwrap()
}

pub fn demo(announcement: &Announcement) -> (Endpoints, Demo) {
    let region = announcement.regions.first().unwrap();
    let services: BTreeMap<_, _> = announcement
        .global
        .iter()
        .chain(&region.endpoints)
        .filter_map(|(name, url)| Some((serde_json::from_value(json!(name)).ok()?, url.parse().unwrap())))
        .collect();
    let added = CloudRegion {
        id: region.id.as_str().into(),
        name_zh: None,
        name_en: None,
        endpoints: services,
    };
    let users = announcement.users.iter().map(|user| DemoUser {
        name: user.name.clone(),
        role: user.role.to_string(),
        credentials: Credentials::permanent(user.access_key.as_str(), user.secret_key.as_str()),
    });
    let demo = Demo {
        guests: announcement.control.parse().ok(),
        region: region.id.clone(),
        users: users.collect(),
        hei_url: announcement.hei.url.parse().unwrap(),
        hei_token: announcement.hei.token.as_str().into(),
    };
    (Endpoints::empty().with_region(added).unwrap(), demo)
}

pub async fn open(dir: &Path, running: &Running) -> Api {
    open_announced(dir, running.announcement()).await
}

pub async fn open_announced(dir: &Path, announcement: Announcement) -> Api {
    let places = Places {
        data_dir: dir.to_owned(),
        client: ClientInfo {
            name: "desktop",
            version: "0.0.0",
            platform: "linux",
        },
        system_language: "en".to_owned(),
        demo_region: "sandbox-1".to_owned(),
        demo_users: Vec::new(),
        start_demo: Arc::new(move |_| {
            let announcement = announcement.clone();
            Box::pin(async move { Ok(demo(&announcement)) })
        }),
    };
    let launch = Launch {
        demo: true,
        ..Launch::default()
    };
    for _ in 0..100 {
        let api = Api::open(places.clone(), launch).await;
        // A domain that was just stopped lets its ledger go when its last thread is done with it.
        match api.call("app.info", Value::Null).await {
            Err(error) if error.code == "ledger_in_use" => {}
            _ => return api,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the ledger stays in use");
}

pub async fn ask(api: &Api, name: &str, request: Value) -> Value {
    api.call(name, request)
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// Asks until the answer is as wished.
pub async fn until(what: &str, api: &Api, name: &str, wished: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..300 {
        last = ask(api, name, Value::Null).await;
        if wished(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited for {what}; last answer: {last:#}");
}

pub async fn received(running: &Running) -> Vec<Value> {
    let url = format!(
        "{}/events?distinct=true",
        running.announcement().control.trim_end_matches('/')
    );
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    rows.iter()
        .map(|row| serde_json::from_str(row["record"]["_message"].as_str().unwrap()).unwrap())
        .collect()
}

pub fn create(name: &str) -> Value {
    let end = chrono::Utc::now() + chrono::TimeDelta::hours(8);
    json!({
        "template": "linux-small", "name": name, "purpose": "first path", "leaseEnd": end, "flavor": null,
        "image": null, "zone": null, "subnet": null, "securityGroup": null, "keyPair": null, "publicMbps": null,
    })
}

pub async fn sign_in(api: &Api) {
    ask(
        api,
        "accounts.sign_in_demo",
        json!({"user": "ada", "remember": "run"}),
    )
    .await;
}

/// Somebody in the console, with the same person's key.
pub struct Console {
    client: Client,
    pub project: ProjectId,
}

impl Console {
    pub async fn new(api: &Api, running: &Running) -> Self {
        let (endpoints, demo) = demo(&running.announcement());
        let ada = demo.users.into_iter().find(|user| user.name == "ada").unwrap();
        let region = RegionId::from(demo.region.as_str());
        let http = Http::new(HttpOptions::default()).unwrap();
        let accounts = ask(api, "accounts.list", Value::Null).await;
        Self {
            client: Client::new(http, ada.credentials, endpoints, region),
            project: ProjectId::from(accounts["accounts"][0]["projectId"].as_str().unwrap()),
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub async fn delete(&self, server: &str) {
        let with = ecs::DeleteWith {
            public_ips: Some(true),
            volumes: true,
        };
        ecs::delete_servers(&self.client, &self.project, &[server.into()], with)
            .await
            .unwrap();
        for _ in 0..200 {
            if ecs::server(&self.client, &self.project, &server.into())
                .await
                .is_err()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the console's deletion did not come through");
    }

    /// A spot server, which only the console offers.
    pub async fn make_spot(&self, name: &str) {
        let subnets = vpc::subnets(&self.client, &self.project, None).await.unwrap();
        let subnet = subnets.value.items.first().unwrap().clone();
        let query = ims::ImageQuery {
            flavor: Some("s6.large.2".into()),
            ..ims::ImageQuery::of(ims::ImageSource::Public)
        };
        let images = ims::images(&self.client, &query).await.unwrap().value.items;
        let order = json!({"server": {
            "name": name,
            "flavorRef": "s6.large.2",
            "imageRef": images.iter().find(|image| image.name.contains("Ubuntu")).unwrap().id,
            "vpcid": subnet.vpc_id,
            "nics": [{"subnet_id": subnet.id}],
            "root_volume": {"volumetype": "GPSSD", "size": 40},
            "extendparam": {"chargingMode": "postPaid", "marketType": "spot"},
        }});
        ecs::create_raw(
            &self.client,
            &self.project,
            order.to_string().into(),
            uuid::Uuid::new_v4(),
        )
        .await
        .unwrap();
    }

    pub async fn set_lease(&self, server: &str, end: Option<DateTime<Utc>>) {
        ecs::update_auto_terminate_time(&self.client, &self.project, &server.into(), end)
            .await
            .unwrap();
    }
}

/// Makes a server with the application and gives it as listed once it runs and nothing is under way on it.
pub async fn make(api: &Api, name: &str) -> Value {
    ask(api, "servers.create", create(name)).await;
    resting(api, name, "running").await
}

/// The server as listed, once it is in a state and nothing is under way on it.
pub async fn resting(api: &Api, name: &str, state: &str) -> Value {
    let row = |list: &Value| {
        list["servers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|server| {
                server["name"] == name && server["state"] == state && server["operation"].is_null()
            })
            .cloned()
    };
    let list = until(&format!("{name} to be {state}"), api, "servers.refresh", |list| {
        row(list).is_some()
    })
    .await;
    row(&list).unwrap()
}

/// Every event of the ledger about a server, oldest first: the whole event as it is sent.
pub async fn events_of(api: &Api, server: &Value) -> Vec<Value> {
    let page = ask(api, "events.list", json!({"before": null, "limit": 500})).await;
    let mut events: Vec<Value> = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| serde_json::from_str(event["json"].as_str().unwrap()).unwrap())
        .filter(|event: &Value| event["server_id"] == *server)
        .collect();
    events.reverse();
    events
}

/// Action, outcome and cause of each.
pub fn told(events: &[Value]) -> Vec<(&str, &str, &str)> {
    events
        .iter()
        .map(|event| {
            let text = |key: &str| event[key].as_str().unwrap_or("");
            (text("action"), text("outcome"), text("cause"))
        })
        .collect()
}

/// Lets the next change asked of the cloud get no answer, `before` or `after` it is carried out.
pub async fn cut_next(running: &Running, when: &str) {
    let url = format!("{}/faults", running.announcement().control.trim_end_matches('/'));
    let set = reqwest::Client::new()
        .post(url)
        .body(json!({ "cut_next": when }).to_string())
        .send()
        .await
        .unwrap();
    assert!(set.status().is_success());
}

/// Waits until nothing is under way.
pub async fn settled(api: &Api) {
    until("every operation to end", api, "operations.list", |all| {
        all.as_array()
            .unwrap()
            .iter()
            .all(|one| one["stage"] == "settled")
    })
    .await;
}
