//! A tiny signing client, so that the tests speak to the sandbox over real HTTP as any client would.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::{
    Credentials,
    signing::{self, RequestToSign},
};
use sandbox::{AnnouncedRegion, Announcement, Options, Running, Sandbox};
use serde_json::{Value, json};

pub struct Cloud {
    pub running: Running,
    pub announcement: Announcement,
    pub http: reqwest::Client,
    /// What the sandbox's clock was moved by; requests are signed with the same.
    offset_s: std::sync::atomic::AtomicI64,
}

/// What came back.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The body of an answer that has to be a success.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// Status and error code, in whatever envelope.
    pub fn code(&self) -> (u16, String) {
        let json = self.json();
        let inner = ["error", "NeutronError", "itemNotFound"]
            .iter()
            .find_map(|key| json.get(key))
            .unwrap_or(&json);
        let code = ["code", "error_code", "type"]
            .iter()
            .find_map(|key| inner.get(key));
        let code = code.unwrap_or_else(|| panic!("no code: {self:?}"));
        (
            self.status,
            code.as_str().map_or_else(|| code.to_string(), str::to_owned),
        )
    }

    /// Status and ECS error code.
    pub fn refused(&self) -> (u16, String) {
        (
            self.status,
            self.json()["error"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

pub async fn cloud(options: Options) -> Cloud {
    let running = Sandbox::start(options).await.unwrap();
    Cloud {
        announcement: running.announcement(),
        running,
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        offset_s: 0.into(),
    }
}

/// A hundred times demo speed: a server boots in well under a second.
pub fn fast() -> Options {
    Options {
        speed: 100.0,
        ..Options::default()
    }
}

impl Cloud {
    pub fn region(&self) -> &AnnouncedRegion {
        &self.announcement.regions[0]
    }

    pub fn project(&self) -> &str {
        &self.region().project_id
    }

    pub fn credentials(&self, user: &str) -> Credentials {
        let user = self.announcement.user(user).unwrap();
        Credentials::permanent(user.access_key.clone(), user.secret_key.clone())
    }

    /// `{P}` in the path stands for the project.
    pub async fn call(
        &self,
        user: &str,
        method: &str,
        service: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Got {
        self.call_with(
            &self.credentials(user),
            self.now(),
            method,
            service,
            path,
            &[],
            body,
        )
        .await
        .unwrap()
    }

    #[allow(clippy::too_many_arguments)]
    pub async fn call_with(
        &self,
        credentials: &Credentials,
        at: DateTime<Utc>,
        method: &str,
        service: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> reqwest::Result<Got> {
        let body = body
            .map(|body| serde_json::to_vec(body).unwrap())
            .unwrap_or_default();
        self.call_raw(credentials, at, method, service, path, headers, body)
            .await
    }

    /// A call with any bytes as its body.
    #[allow(clippy::too_many_arguments)]
    pub async fn call_raw(
        &self,
        credentials: &Credentials,
        at: DateTime<Utc>,
        method: &str,
        service: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> reqwest::Result<Got> {
        let base = &self.region().endpoints[service];
        let path = path.replace("{P}", self.project());
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let query: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let mut own = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        own.extend(
            headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string())),
        );
        let to_sign = RequestToSign {
            method,
            path,
            query: &query,
            headers: &own,
            body: &body,
        };
        let host = base.strip_prefix("http://").unwrap();
        let added = signing::sign(&to_sign, host, credentials, at);
        let canonical = signing::canonical_query(&query);
        let url = if canonical.is_empty() {
            format!("{base}{path}")
        } else {
            format!("{base}{path}?{canonical}")
        };
        let mut request = self.http.request(method.parse().unwrap(), url).body(body);
        for (name, value) in own.iter().chain(&added) {
            request = request.header(name, value);
        }
        got(request.send().await?).await
    }

    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(self.offset_s.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// Moves the sandbox's clock, and this client's with it.
    pub async fn move_clock(&self, offset_s: i64) {
        self.control("POST", "/clock", Some(json!({"offset_s": offset_s})))
            .await
            .ok();
        self.offset_s
            .store(offset_s, std::sync::atomic::Ordering::Relaxed);
    }

    pub async fn ecs(&self, method: &str, path: &str, body: Option<&Value>) -> Got {
        self.call("ada", method, "ecs", path, body).await
    }

    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Got {
        let url = format!("{}{path}", self.announcement.control);
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        got(request.send().await.unwrap()).await.unwrap()
    }

    /// A creation that is right in every respect.
    pub async fn order(&self, name: &str) -> Value {
        let vpcs = self.call("ada", "GET", "vpc", "/v1/{P}/vpcs", None).await.ok();
        let subnets = self.call("ada", "GET", "vpc", "/v1/{P}/subnets", None).await.ok();
        let images = self
            .call(
                "ada",
                "GET",
                "ims",
                "/v2/cloudimages?__platform=Ubuntu&architecture=x86",
                None,
            )
            .await
            .ok();
        json!({"server": {
            "name": name,
            "flavorRef": "s6.large.2",
            "imageRef": images["images"][0]["id"],
            "vpcid": vpcs["vpcs"][0]["id"],
            "nics": [{"subnet_id": subnets["subnets"][0]["id"]}],
            "availability_zone": "sandbox-1a",
            "key_name": "ada-laptop",
            "root_volume": {"volumetype": "GPSSD", "size": 40},
            "data_volumes": [{"volumetype": "SAS", "size": 100}],
            "publicip": {
                "eip": {"iptype": "5_bgp", "bandwidth": {"size": 5, "sharetype": "PER", "chargemode": "traffic"}},
                "delete_on_termination": true,
            },
            "auto_terminate_time": in_minutes(120),
            "server_tags": [{"key": "owner", "value": "ada"}, {"key": "purpose", "value": "试验"}],
            "extendparam": {"chargingMode": "postPaid"},
        }})
    }

    /// Creates a server; job and server ids.
    pub async fn create(&self, order: &Value) -> (String, String) {
        let answer = self.ecs("POST", "/v1.1/{P}/cloudservers", Some(order)).await.ok();
        (
            answer["job_id"].as_str().unwrap().to_owned(),
            answer["serverIds"][0].as_str().unwrap().to_owned(),
        )
    }

    /// Follows a job to its end.
    pub async fn settled(&self, job: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let row = self.ecs("GET", &format!("/v1/{{P}}/jobs/{job}"), None).await.ok();
            if ["SUCCESS", "FAIL"].contains(&row["status"].as_str().unwrap()) {
                return row;
            }
            assert!(Instant::now() < deadline, "the job does not end: {row}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Follows a disk's job to its end, on the disks' own host.
    pub async fn disk_settled(&self, job: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let row = self.evs("GET", &format!("/v1/{{P}}/jobs/{job}"), None).await.ok();
            if ["SUCCESS", "FAIL"].contains(&row["status"].as_str().unwrap()) {
                return row;
            }
            assert!(Instant::now() < deadline, "the job does not end: {row}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn evs(&self, method: &str, path: &str, body: Option<&Value>) -> Got {
        self.call("ada", method, "evs", path, body).await
    }

    pub async fn vpc(&self, method: &str, path: &str, body: Option<&Value>) -> Got {
        self.call("ada", method, "vpc", path, body).await
    }

    /// A server that runs.
    pub async fn running(&self, name: &str) -> String {
        let (job, id) = self.create(&self.order(name).await).await;
        assert_eq!(self.settled(&job).await["status"], "SUCCESS");
        id
    }

    /// An act with servers, followed to its end.
    pub async fn act(&self, body: Value) -> Value {
        let answer = self
            .ecs("POST", "/v1/{P}/cloudservers/action", Some(&body))
            .await
            .ok();
        self.settled(answer["job_id"].as_str().unwrap()).await
    }

    /// Everything in the first region.
    pub async fn world(&self) -> Value {
        self.control("GET", "/servers", None).await.ok()["regions"][0].clone()
    }

    /// What the first region has measured of one thing, first what has ended.
    pub async fn stretches(&self, key: &str, value: &str) -> Vec<Value> {
        let usage = self.world().await["usage"].clone();
        let rows = ["ended", "open"]
            .iter()
            .flat_map(|part| usage[part].as_array().unwrap());
        rows.filter(|row| row[key] == value).cloned().collect()
    }

    pub async fn fault(&self, fault: Value) {
        let got = self.control("POST", "/faults", Some(fault)).await;
        assert_eq!(got.status, 204, "{got:?}");
    }

    pub async fn server(&self, id: &str) -> Got {
        self.ecs("GET", &format!("/v1/{{P}}/cloudservers/{id}"), None)
            .await
    }
}

async fn got(response: reqwest::Response) -> reqwest::Result<Got> {
    Ok(Got {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await?,
    })
}

/// A lease end that many minutes from now.
pub fn in_minutes(minutes: i64) -> String {
    (Utc::now() + TimeDelta::minutes(minutes))
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
