//! Two programs of one person with a ledger each, which ask for the last place of a grant at the same moment: the command
//! line twice, as two processes, against one sandbox. Afterwards cloud, ledgers and receiver are compared.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::oracle::{Ledger, Operation};
use crate::peers::Sandbox;
use crate::process::Program;
use crate::programs;

/// How long one run of the program may take.
const RUN: Duration = Duration::from_secs(120);
/// Fast enough that the program's own pauses are what takes time.
const SPEED: f64 = 40.0;
/// The answer to a count comes this late, so that both programs have counted before either has asked.
const LATE_MS: u64 = 600;
const NAMES: [&str; 2] = ["one", "two"];

/// Two programs, a sandbox, and a grant that both have joined.
pub struct Race {
    sandbox: Sandbox,
    grant: PathBuf,
    runs: u32,
    dir: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code.
    pub code: Option<i32>,
    /// The end of what it wrote.
    pub said: String,
}

/// How one race ended.
#[derive(Debug, Default)]
pub struct Turn {
    /// Both had been taken by the cloud, and one was undone; else one was refused beforehand.
    pub raced: bool,
    /// What is not as it should be.
    pub wrong: Vec<String>,
}

impl Race {
    /// A fresh sandbox, and two programs that have joined an organisation whose grant says `quota` for everybody.
    ///
    /// # Errors
    /// When a program is not built or does not do its part.
    pub async fn set(quota: Value) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("wangcheng-race-").tempdir()?;
        let sandbox = Sandbox::start(&dir.path().join("sandbox"), SPEED).await?;
        let mut race = Self {
            grant: dir.path().join("grant.json"),
            sandbox,
            runs: 0,
            dir,
        };
        let backup = race.dir.path().join("backup.json").display().to_string();
        race.well(
            "office",
            &["grant", "create", "Race", "--ask", "mia", "--run-only", &backup],
        )
        .await?;
        race.publish(quota).await?;
        let link = race.well("office", &["grant", "link"]).await?;
        let (link, fingerprint) = (
            text(&link, "link").to_owned(),
            text(&link, "fingerprint").to_owned(),
        );
        for name in NAMES {
            race.well(name, &["grant", "join", &link, "--fingerprint", &fingerprint])
                .await?;
        }
        Ok(race)
    }

    /// Publishes a grant that says `quota` for everybody; who joined before asks for it when it refuses something, or here.
    ///
    /// # Errors
    /// When the command line does not do it.
    pub async fn publish(&mut self, quota: Value) -> Result<()> {
        let mut draft = self.well("office", &["grant", "draft"]).await?;
        if let Some(draft) = draft.as_object_mut() {
            draft.insert("roles".to_owned(), json!({ "everybody": quota }));
            draft.insert("others".to_owned(), json!("everybody"));
        }
        let file = self.dir.path().join("draft.json");
        std::fs::write(&file, draft.to_string())?;
        let (file, place) = (file.display().to_string(), self.grant.display().to_string());
        let backup = self.dir.path().join("backup.json").display().to_string();
        let again = self.grant.exists();
        self.well("office", &["grant", "edit", &file]).await?;
        self.well("office", &["grant", "publish", &place, "--backup", &backup])
            .await?;
        if again {
            for name in NAMES {
                self.well(name, &["grant", "refresh"]).await?;
            }
        }
        Ok(())
    }

    /// Both ask for a server when there is room for one. It is deleted afterwards.
    ///
    /// # Errors
    /// When a program or the sandbox does not answer.
    pub async fn for_a_server(&mut self, turn: usize) -> Result<Turn> {
        let names = NAMES.map(|name| format!("race-{turn}-{name}"));
        let before = self.knows()?;
        let [first, second] = names.each_ref().map(|name| {
            vec![
                "server",
                "create",
                name,
                "--template",
                "linux-small",
                "--for",
                "2h",
                "--timeout",
                "90s",
            ]
        });
        let ended = self.at_once(&first, &second).await?;
        let mut turn = self.judge(&before, &ended, "server.create").await?;
        let left: Vec<Value> = self.servers("race-").await?;
        match left.as_slice() {
            [only] => {
                let of_us = |trace: &Value| names.iter().any(|name| name == text(trace, "resource_name"));
                let made = self.made("createServer", of_us).await?;
                // What the cloud says of when: to the second, and by their ids within one.
                let oldest = made.iter().min().map(|(_, id)| id.as_str());
                if oldest != Some(text(only, "id")) {
                    turn.wrong
                        .push(format!("the younger one stayed: {only}, of {made:?}"));
                }
                turn.raced = made.len() == 2;
            }
            other => turn.wrong.push(format!("{} servers are left", other.len())),
        }
        for server in &left {
            let id = text(server, "id");
            let gone = ["server", "delete", id, "--yes", "--timeout", "90s"];
            self.well("one", &gone).await?;
        }
        Ok(turn)
    }

    /// Both add a disk of 10 GB to a server when there is room for one. It is deleted afterwards.
    ///
    /// # Errors
    /// When a program or the sandbox does not answer.
    pub async fn for_a_disk(&mut self, server: &str) -> Result<Turn> {
        let before = self.knows()?;
        let add = [
            "disk",
            "add",
            server,
            "--type",
            "SSD",
            "--size",
            "10",
            "--timeout",
            "90s",
        ];
        let ended = self.at_once(&add, &add).await?;
        let mut turn = self.judge(&before, &ended, "disk.add").await?;
        let left = self.disks("-disk-").await?;
        turn.raced = self.both_recorded(&before)?;
        match left.as_slice() {
            [only] => {
                let ids = self.recorded_parts(&before)?;
                let made = self.made("createVolume", |trace| {
                    ids.iter().any(|id| id == text(trace, "resource_id"))
                });
                let made = made.await?;
                let oldest = made.iter().min().map(|(_, id)| id.as_str());
                if turn.raced && (made.len() != 2 || oldest != Some(text(only, "id"))) {
                    turn.wrong
                        .push(format!("the younger one stayed: {only}, of {made:?}"));
                }
                if text(only, "server_id").is_empty() {
                    turn.wrong
                        .push(format!("the disk that stayed is on no server: {only}"));
                }
            }
            other => turn.wrong.push(format!("{} added disks are left", other.len())),
        }
        for disk in &left {
            let id = text(disk, "id");
            self.well(
                "one",
                &["disk", "detach", server, id, "--yes", "--timeout", "90s"],
            )
            .await?;
            self.well(
                "one",
                &["disk", "delete", server, id, "--yes", "--timeout", "90s"],
            )
            .await?;
        }
        Ok(turn)
    }

    /// Each grows another disk of a server, when there is room for one of them.
    ///
    /// # Errors
    /// When a program or the sandbox does not answer.
    pub async fn for_growth(&mut self, server: &str, disks: &[String; 2], to_gb: u32) -> Result<Turn> {
        let before = self.knows()?;
        let to = to_gb.to_string();
        let [first, second] = disks
            .each_ref()
            .map(|disk| vec!["disk", "grow", server, disk, "--to", &to, "--timeout", "90s"]);
        let ended = self.at_once(&first, &second).await?;
        let mut turn = self.judge(&before, &ended, "disk.grow").await?;
        turn.raced = self.both_recorded(&before)?;
        let grown = self.disks("").await?;
        let grown: Vec<&Value> = grown
            .iter()
            .filter(|disk| disks.iter().any(|id| id == text(disk, "id")))
            .collect();
        let large = grown
            .iter()
            .filter(|disk| disk.get("size_gb").and_then(Value::as_u64) == Some(to_gb.into()));
        let large = large.count();
        if large != 1 {
            turn.wrong
                .push(format!("{large} of two disks have grown: {grown:?}"));
        }
        for disk in grown {
            let tags = disk.get("tags").and_then(Value::as_object);
            if tags.is_some_and(|tags| tags.contains_key("wangcheng-grows")) {
                turn.wrong.push(format!("a claim was left on {disk}"));
            }
        }
        Ok(turn)
    }

    /// One of the two is done, the other one is told to be too many, in its ledger and at the receiver.
    async fn judge(&self, before: &[Ledger; 2], ended: &[Ended; 2], kind: &str) -> Result<Turn> {
        let mut turn = Turn::default();
        let codes = ended.each_ref().map(|ended| ended.code);
        // Refused beforehand, or tried and failed.
        if !matches!(codes, [Some(0), Some(1 | 4)] | [Some(1 | 4), Some(0)]) {
            turn.wrong.push(format!("they ended with {codes:?}: {ended:?}"));
            return Ok(turn);
        }
        let now = self.knows()?;
        let events = self.sandbox.events().await?;
        for ((now, before), ended) in now.iter().zip(before).zip(ended) {
            let new: Vec<&Operation> = now.operations.iter().skip(before.operations.len()).collect();
            let told: Vec<&Value> = now
                .events
                .iter()
                .skip(before.events.len())
                .map(|(_, event)| event)
                .collect();
            let refused = told
                .iter()
                .filter(|event| text(event, "action") == "grant.refused" && text(event, "refused") == kind);
            let refused = refused.count();
            if ended.code == Some(0) {
                let done = new.iter().filter(|one| one.kind == kind && one.is_done()).count();
                if done != 1 || refused != 0 {
                    turn.wrong
                        .push(format!("who was allowed did {done}, was refused {refused} times"));
                }
                continue;
            }
            if refused != 1 {
                turn.wrong
                    .push(format!("it was refused {refused} times in the ledger: {told:?}"));
            }
            if !ended.said.contains("grant_limit") {
                turn.wrong
                    .push(format!("the refusal says another thing: {}", ended.said));
            }
            for one in new.iter().filter(|one| one.kind == kind) {
                if one.outcome.as_deref() != Some("failed") {
                    turn.wrong
                        .push(format!("what was undone counts as done: {one:?}"));
                }
                if kind == "server.create" {
                    self.told_gone(one, &told, &mut turn.wrong);
                }
            }
            for event in told {
                let id = text(event, "event_id");
                // what did not arrive while the program ran arrives with its next run
                if !events.iter().any(|one| text(one, "event_id") == id) && now.cursor >= seq(event) {
                    turn.wrong.push(format!("the receiver has not got {event}"));
                }
            }
        }
        Ok(turn)
    }

    /// A server that was undone was there, and is gone because of the quota.
    fn told_gone(&self, one: &Operation, told: &[&Value], wrong: &mut Vec<String>) {
        let of = |action: &str| {
            told.iter().find(|event| {
                text(event, "action") == action
                    && event.get("server_id").and_then(Value::as_str) == one.server.as_deref()
            })
        };
        if of("server.created").is_none() {
            wrong.push(format!("nothing tells of its making: {told:?}"));
        }
        match of("server.deleted") {
            Some(event) if text(event, "cause") == "quota" => {}
            other => wrong.push(format!("its end is told as {other:?}")),
        }
    }

    /// The disks whose name holds a text and that are no system disks.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn disks(&self, name: &str) -> Result<Vec<Value>> {
        let of = |one: &Value| text(one, "name").contains(name);
        self.things("/regions/0/volumes", of).await
    }

    /// The servers whose name begins so.
    async fn servers(&self, name: &str) -> Result<Vec<Value>> {
        let of = |one: &Value| text(one, "name").starts_with(name);
        self.things("/regions/0/servers", of).await
    }

    async fn things(&self, place: &str, wanted: impl Fn(&Value) -> bool) -> Result<Vec<Value>> {
        let world = self.sandbox.world().await?;
        let all = world.pointer(place).and_then(Value::as_object);
        let all = all.with_context(|| format!("the world has no {place}"))?;
        Ok(all.values().filter(|one| wanted(one)).cloned().collect())
    }

    /// When the cloud made what is wanted, with the ids: a server to the second, as it tells it.
    async fn made(&self, act: &str, wanted: impl Fn(&Value) -> bool) -> Result<Vec<(String, String)>> {
        let world = self.sandbox.world().await?;
        let traces = world.pointer("/regions/0/traces").and_then(Value::as_array);
        let traces = traces.context("the world has no traces")?;
        let made = traces
            .iter()
            .filter(|trace| text(trace, "trace_name") == act && wanted(trace));
        let told = if act == "createServer" { 19 } else { 26 };
        Ok(made
            .map(|trace| {
                let time = text(trace, "time");
                let time = time.get(..told).unwrap_or(time).to_owned();
                (time, text(trace, "resource_id").to_owned())
            })
            .collect())
    }

    /// Whether each of the two has recorded what it was asked for: neither was refused beforehand.
    fn both_recorded(&self, before: &[Ledger; 2]) -> Result<bool> {
        let knows = self.knows()?;
        let mut both = knows.iter().zip(before);
        Ok(both.all(|(now, then)| now.operations.len() > then.operations.len()))
    }

    /// The disks that were made since.
    fn recorded_parts(&self, before: &[Ledger; 2]) -> Result<Vec<String>> {
        let knows = self.knows()?;
        let both = knows.iter().zip(before);
        let new = both.flat_map(|(now, then)| now.operations.iter().skip(then.operations.len()));
        Ok(new.filter_map(|operation| operation.part.clone()).collect())
    }

    fn knows(&self) -> Result<[Ledger; 2]> {
        let [one, two] = NAMES.map(|name| Ledger::read(&self.data(name).join("demo")));
        Ok([one?, two?])
    }

    fn data(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the command line to its end, and reads its answer.
    ///
    /// # Errors
    /// When it does not end well.
    pub async fn well(&mut self, name: &str, arguments: &[&str]) -> Result<Value> {
        let mut program = self.start(name, arguments)?;
        let ended = finish(&mut program).await?;
        if ended.code != Some(0) {
            bail!("{name} {arguments:?}: {ended:?}");
        }
        let said = program.stdout();
        serde_json::from_str(&said).with_context(|| format!("{arguments:?} answers no JSON: {said}"))
    }

    /// Both programs at once, while each count is answered late.
    async fn at_once(&mut self, one: &[&str], two: &[&str]) -> Result<[Ended; 2]> {
        let late =
            json!({"do": "slow", "delay_ms": LATE_MS, "method": "GET", "path": "/cloudvolumes/detail"});
        self.sandbox.add_mishap(late).await?;
        let mut first = self.start("one", one)?;
        let mut second = self.start("two", two)?;
        let ended = [finish(&mut first).await?, finish(&mut second).await?];
        self.sandbox.clear_mishaps().await?;
        Ok(ended)
    }

    fn start(&mut self, name: &str, arguments: &[&str]) -> Result<Program> {
        self.runs += 1;
        let user = if name == "office" { "mia" } else { "ada" };
        let user = self.sandbox.user(user)?;
        let mut command = Command::new(programs::find(programs::CLI)?);
        command
            .arg("--data-dir")
            .arg(self.data(name))
            .arg("--sandbox")
            .arg(self.sandbox.announce_file())
            .args(["--region", self.sandbox.region()?, "--language", "en", "--json"])
            .args(arguments)
            // nobody's keychain
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env("XDG_RUNTIME_DIR", self.dir.path())
            .env("HUAWEICLOUD_SDK_AK", &user.access_key)
            .env("HUAWEICLOUD_SDK_SK", &user.secret_key)
            .env("WANGCHENG_PASSPHRASE", "a passphrase of the tests");
        Program::start(&format!("run-{}", self.runs), command, self.dir.path(), None)
    }
}

async fn finish(program: &mut Program) -> Result<Ended> {
    let code = program.finish(RUN).await?;
    Ok(Ended {
        code,
        said: program.said(),
    })
}

fn seq(event: &Value) -> i64 {
    event.get("seq").and_then(Value::as_i64).unwrap_or_default()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
