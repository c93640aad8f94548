//! The peers of the application: the sandbox as the program that it is, with its receiver, seen through its control
//! endpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::process::Program;
use crate::programs;

const START: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(50);
/// How many events are delivered in one request.
const POSTED: usize = 500;

/// What a running sandbox says of itself in its announce file.
#[derive(Clone, Debug, Deserialize)]
pub struct Announcement {
    /// The regions it plays; the first is the one to use.
    pub regions: Vec<Region>,
    /// The receiver of events.
    pub hei: Hei,
    /// Base URL of the control endpoint.
    pub control: String,
    /// Who may sign in.
    pub users: Vec<User>,
}

/// A region of the sandbox.
#[derive(Clone, Debug, Deserialize)]
pub struct Region {
    /// Region id, as a person chooses it at sign-in.
    pub id: String,
    /// Base URL of each service.
    pub endpoints: BTreeMap<String, String>,
}

/// Where events are posted, and with which token.
#[derive(Clone, Debug, Deserialize)]
pub struct Hei {
    /// URL to post to.
    pub url: String,
    /// The token that it accepts.
    pub token: String,
}

/// A user of the sandbox. The keys are examples and worth nothing.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// IAM user id.
    pub id: String,
    /// IAM user name.
    pub name: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
}

/// A running `wangcheng-sandbox`, killed when this goes out of scope.
#[derive(Debug)]
pub struct Sandbox {
    program: Program,
    announce: PathBuf,
    announcement: Announcement,
    http: reqwest::Client,
}

impl Sandbox {
    /// Starts the program with its files in `dir` (state and received events survive a stop and a new start there) and
    /// waits until it listens. `speed` 1 is the pace of the demo; larger is faster.
    ///
    /// # Errors
    /// When it is not built, does not start, or announces something unreadable.
    pub async fn start(dir: &Path, speed: f64) -> Result<Self> {
        Self::start_with(dir, speed, 0).await
    }

    /// The same with so many more servers in its first region.
    ///
    /// # Errors
    /// As of [`Sandbox::start`].
    pub async fn start_with(dir: &Path, speed: f64, more_servers: u32) -> Result<Self> {
        let program = programs::find(programs::SANDBOX)?;
        Self::start_as(
            &program,
            dir,
            speed,
            &["--more-servers", &more_servers.to_string()],
        )
        .await
    }

    /// The same of that program, with these arguments as well.
    ///
    /// # Errors
    /// As of [`Sandbox::start`].
    pub async fn start_as(program: &Path, dir: &Path, speed: f64, arguments: &[&str]) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let announce = dir.join("announce.json");
        if announce.exists() {
            // of an earlier run: its ports are gone
            std::fs::remove_file(&announce)?;
        }
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg("--announce")
            .arg(&announce)
            .arg("--state")
            .arg(dir.join("sandbox.json"))
            .arg("--receiver")
            .arg(dir.join("receiver.sqlite"))
            .arg("--speed")
            .arg(speed.to_string());
        let mut program = Program::start("sandbox", command, dir, None)?;
        let announcement = program
            .until(START, "the sandbox's announcement", || {
                // read until it is whole, whatever way it is written
                serde_json::from_slice(&std::fs::read(&announce).ok()?).ok()
            })
            .await?;
        // loopback only: a proxy of the user's is not asked
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            program,
            announce,
            announcement,
            http,
        })
    }

    /// The file that `wangcheng-desktop --sandbox` reads.
    pub fn announce_file(&self) -> &Path {
        &self.announce
    }

    /// Where everything is.
    pub fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    /// The user of that name.
    ///
    /// # Errors
    /// When the sandbox has no such user.
    pub fn user(&self, name: &str) -> Result<&User> {
        let found = self.announcement.users.iter().find(|user| user.name == name);
        found.with_context(|| format!("the sandbox has no user {name}"))
    }

    /// The id of the first region.
    ///
    /// # Errors
    /// When the sandbox plays no region.
    pub fn region(&self) -> Result<&str> {
        Ok(&self
            .announcement
            .regions
            .first()
            .context("the sandbox plays no region")?
            .id)
    }

    /// The events that the receiver keeps, parsed, in the order in which each first came; one that came twice is here
    /// once.
    ///
    /// # Errors
    /// When the sandbox does not answer, or a record holds no event.
    pub async fn events(&self) -> Result<Vec<Value>> {
        let records = self
            .ask(reqwest::Method::GET, "/events?distinct=true", None)
            .await?;
        let records = records
            .as_array()
            .context("the receiver's records are no array")?;
        records.iter().map(event).collect()
    }

    /// Waits until the receiver keeps an event with that action and outcome.
    ///
    /// # Errors
    /// When it does not in time; the text says which it keeps.
    pub async fn wait_event(&self, action: &str, outcome: &str, deadline: Duration) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let events = self.events().await?;
            let wanted = |event: &&Value| {
                event.get("action").is_some_and(|is| is == action)
                    && event.get("outcome").is_some_and(|is| is == outcome)
            };
            if let Some(found) = events.iter().find(wanted) {
                return Ok(found.clone());
            }
            if begun.elapsed() > deadline {
                let kept: Vec<_> = events
                    .iter()
                    .map(|event| (event.get("action"), event.get("outcome")))
                    .collect();
                bail!(
                    "waited {} s for {action} {outcome} at the receiver, which keeps {kept:?}",
                    deadline.as_secs()
                );
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// Everything that exists in the sandbox, whoever owns it.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn world(&self) -> Result<Value> {
        self.ask(reqwest::Method::GET, "/servers", None).await
    }

    /// How many servers of that name exist in the first region.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn servers_named(&self, name: &str) -> Result<usize> {
        let world = self.world().await?;
        let servers = world.pointer("/regions/0/servers").and_then(Value::as_object);
        let servers = servers.context("the world has no servers")?;
        Ok(servers
            .values()
            .filter(|server| server.get("name").is_some_and(|is| is == name))
            .count())
    }

    /// The requests that the sandbox answered lately.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn requests(&self) -> Result<Value> {
        self.ask(reqwest::Method::GET, "/requests", None).await
    }

    /// Sets how the receiver behaves: `ok`, `refuse_401`, `413`, `status:503`, `stall`, `cut`, `cut_after`.
    ///
    /// # Errors
    /// When the sandbox does not know that mode.
    pub async fn set_receiver(&self, mode: &str) -> Result<()> {
        self.ask(reqwest::Method::POST, "/receiver", Some(json!({ "mode": mode })))
            .await
            .map(drop)
    }

    /// The same for so many posts; then it takes everything again.
    ///
    /// # Errors
    /// When the sandbox does not know that mode.
    pub async fn set_receiver_for(&self, mode: &str, count: u32) -> Result<()> {
        let mode = json!({ "mode": mode, "count": count });
        self.ask(reqwest::Method::POST, "/receiver", Some(mode))
            .await
            .map(drop)
    }

    /// Sets how the receiver treats questions: `ok`, `slow:3000`, `half_page`, `truncated`, `cut`, `status:503`, `stall`.
    ///
    /// # Errors
    /// When the sandbox does not know that mode.
    pub async fn set_searches(&self, mode: &str) -> Result<()> {
        self.ask(reqwest::Method::POST, "/searches", Some(json!({ "mode": mode })))
            .await
            .map(drop)
    }

    /// Delivers events to the receiver, as installations of other people would.
    ///
    /// # Errors
    /// When it does not take them.
    pub async fn deliver(&self, events: &[Value]) -> Result<()> {
        for some in events.chunks(POSTED) {
            let records: Vec<Value> = some
                .iter()
                .map(|event| {
                    json!({ "_message": event.to_string(), "_datatype": "json", "_event_set": "wangcheng", "_time": 0 })
                })
                .collect();
            self.post("/", &json!(records)).await?;
        }
        Ok(())
    }

    /// What the receiver answers to a statement in SQL; its data set is `wangcheng`.
    ///
    /// # Errors
    /// When it does not take the statement.
    pub async fn ask_sql(&self, sql: &str) -> Result<Vec<Value>> {
        let answer = self.post("/query", &json!({ "query": sql })).await?;
        let rows = answer.get("rows").and_then(Value::as_array);
        rows.cloned().with_context(|| format!("no rows: {answer}"))
    }

    /// Posts to the receiver.
    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.announcement.hei.url.trim_end_matches('/'));
        let request = self
            .http
            .post(&url)
            .bearer_auth(&self.announcement.hei.token)
            .header("content-type", "application/json")
            .body(body.to_string());
        read(&url, request).await
    }

    /// Moves the sandbox's clock away from the true time by that many seconds.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn set_clock(&self, offset_s: i64) -> Result<()> {
        self.ask(
            reqwest::Method::POST,
            "/clock",
            Some(json!({ "offset_s": offset_s })),
        )
        .await
        .map(drop)
    }

    /// Arms faults, such as `{"job_fail_next": true}` or `{"cut_next": "after"}`.
    ///
    /// # Errors
    /// When the sandbox does not know them.
    pub async fn set_faults(&self, faults: Value) -> Result<()> {
        self.ask(reqwest::Method::POST, "/faults", Some(faults))
            .await
            .map(drop)
    }

    /// Every delivery of an event that the receiver keeps, in the order in which they came.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn records(&self) -> Result<Vec<Value>> {
        match self
            .ask(reqwest::Method::GET, "/events?limit=10000", None)
            .await?
        {
            Value::Array(records) => Ok(records),
            other => bail!("the receiver's records are no array: {other}"),
        }
    }

    /// Adds a rule for what goes wrong on the wire, such as `{"do": "cut_after", "method": "POST", "count": 1}`.
    ///
    /// # Errors
    /// When the sandbox does not take it.
    pub async fn add_mishap(&self, rule: Value) -> Result<()> {
        self.ask(reqwest::Method::POST, "/mishaps", Some(rule))
            .await
            .map(drop)
    }

    /// Takes all those rules away.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn clear_mishaps(&self) -> Result<()> {
        self.ask(reqwest::Method::DELETE, "/mishaps", None)
            .await
            .map(drop)
    }

    /// Ends the program in good order, so that its state is saved.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(self) -> Result<()> {
        let status = self.program.stop(START).await?;
        if !status.success() {
            bail!("the sandbox ended with {status}");
        }
        Ok(())
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("{}{path}", self.announcement.control.trim_end_matches('/'));
        let mut request = self.http.request(method, &url);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        read(&url, request).await
    }
}

/// Sends a request and reads the JSON of its answer.
async fn read(url: &str, request: reqwest::RequestBuilder) -> Result<Value> {
    let answer = request
        .send()
        .await
        .with_context(|| format!("no answer from {url}"))?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{url} answers {status}: {text}");
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).with_context(|| format!("{url} answers no JSON: {text}"))
}

/// The event inside a record of the receiver: a collector's record that holds the event's own text.
fn event(stored: &Value) -> Result<Value> {
    let message = stored.pointer("/record/_message").and_then(Value::as_str);
    let message = message.with_context(|| format!("a record without the text of an event: {stored}"))?;
    Ok(serde_json::from_str(message)?)
}
