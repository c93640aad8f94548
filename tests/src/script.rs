//! A scripted run of the command line, which may be killed or meet faults at any step and then goes on as a person would:
//! what was recorded is waited for, what was not is asked for again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::desktop::Desktop;
use crate::gate::{Gate, Moment, Trap};
use crate::oracle::{Ledger, Operation, disagreements};
use crate::peers::Sandbox;
use crate::process::Program;
use crate::programs;

/// How long one run of the program may take.
const RUN: Duration = Duration::from_secs(90);
/// How often one step is asked for, or one operation waited for.
const TRIES: usize = 8;
/// Fast enough that the program's own pauses are what takes time.
const SPEED: f64 = 40.0;

/// One thing that a person does.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A server is made.
    Create(&'static str),
    /// A server is made that does what a text says on its first start.
    CreateWithText(&'static str),
    /// The same act on several servers, asked for once.
    Together(Act, &'static [&'static str]),
    /// Its lease ends an hour later.
    Extend(&'static str),
    /// It is stopped, hard or not.
    Stop(&'static str, bool),
    /// It is started.
    Start(&'static str),
    /// It is restarted, hard or not.
    Reboot(&'static str, bool),
    /// It is deleted.
    Delete(&'static str),
    /// Its lease is taken off.
    CancelLease(&'static str),
    /// It gets that flavor, stopped for it where it runs.
    Resize(&'static str, &'static str),
    /// It gets that name.
    Rename(&'static str, &'static str),
    /// It gets a tag.
    Tag(&'static str, &'static str),
    /// It gets a tag and loses that one.
    Retag(&'static str, &'static str, &'static str),
    /// Its administrator gets another password.
    Password(&'static str),
    /// It was made by somebody else, and is taken over.
    Adopt(&'static str),
    /// It gets a disk of that many GB.
    AddDisk(&'static str, &'static str),
    /// That disk grows to so many GB.
    GrowDisk(&'static str, &'static str),
    /// That disk is taken off.
    DetachDisk(&'static str),
    /// The disk that was taken off comes back.
    AttachDisk(&'static str),
    /// The disk that was taken off is deleted.
    DeleteDisk(&'static str),
    /// What is left of servers that are gone is removed.
    RemoveLeftovers,
}

/// What can be asked of several servers at once.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Their leases end an hour later.
    Extend,
    /// They are stopped.
    Stop,
    /// They are started.
    Start,
    /// They are restarted.
    Reboot,
    /// They are deleted.
    Delete,
}

/// Three servers, asked for everything together; one of them with a first start of its own.
pub const SEVERAL: [Step; 8] = [
    Step::Create("g"),
    Step::CreateWithText("h"),
    Step::Create("i"),
    Step::Together(Act::Extend, &["g", "h", "i"]),
    Step::Together(Act::Stop, &["g", "h", "i"]),
    Step::Together(Act::Start, &["g", "h", "i"]),
    Step::Together(Act::Reboot, &["g", "h"]),
    Step::Together(Act::Delete, &["g", "h", "i"]),
];

/// What a server does on its first start, in [`Step::CreateWithText`].
const FIRST_START: &str = "#cloud-config\npackages: [htop]\nruncmd:\n  - echo 你好 > /root/hello\n";

/// Disks come, grow and go, and one is left when its server is deleted.
pub const DISKS: [Step; 12] = [
    Step::Create("f"),
    Step::AddDisk("f", "20"),
    Step::GrowDisk("f", "30"),
    Step::DetachDisk("f"),
    Step::AttachDisk("f"),
    Step::DetachDisk("f"),
    Step::DeleteDisk("f"),
    Step::AddDisk("f", "10"),
    Step::GrowDisk("f", "11"),
    Step::DetachDisk("f"),
    Step::Delete("f"),
    Step::RemoveLeftovers,
];

/// One of each kind.
pub const SHORT: [Step; 6] = [
    Step::Create("a"),
    Step::Extend("a"),
    Step::Stop("a", false),
    Step::Start("a"),
    Step::Reboot("a", false),
    Step::Delete("a"),
];

/// What else can be done to a server, on one that stays and on one of somebody else's.
pub const CHANGES: [Step; 10] = [
    Step::Create("e"),
    Step::Tag("e", "team=red"),
    Step::Resize("e", "c6.xlarge.2"),
    Step::Rename("e", "e2"),
    Step::Retag("e2", "team=blue", "purpose"),
    Step::Password("e2"),
    Step::CancelLease("e2"),
    Step::Adopt("gateway-01"),
    Step::Tag("gateway-01", "team=red"),
    Step::Stop("gateway-01", false),
];

/// The whole script: four servers whose lives overlap.
pub const WHOLE: [Step; 25] = [
    Step::Create("a"),
    Step::Create("b"),
    Step::Extend("a"),
    Step::Stop("a", false),
    Step::Start("a"),
    Step::Reboot("a", false),
    Step::Extend("b"),
    Step::Stop("b", true),
    Step::Start("b"),
    Step::Reboot("b", true),
    Step::Create("c"),
    Step::Extend("a"),
    Step::Extend("c"),
    Step::Stop("c", false),
    Step::Extend("b"),
    Step::Start("c"),
    Step::Reboot("c", false),
    Step::Delete("b"),
    Step::Create("d"),
    Step::Extend("d"),
    Step::Stop("a", true),
    Step::Delete("a"),
    Step::Delete("c"),
    Step::Stop("d", false),
    Step::Delete("d"),
];

impl Step {
    /// `disk`: id of the one disk of this person's that no server was made with; `left`: the servers of several that it
    /// is still to be done to; `text`: the file with the first start.
    fn arguments<'a>(self, disk: &'a str, left: &[&'static str], text: &'a str) -> Vec<&'a str> {
        let hard = |arguments: &[&'static str], hard| {
            let more: &[&'static str] = if hard { &["--hard", "--yes"] } else { &["--yes"] };
            [arguments, more].concat()
        };
        match self {
            Self::Create(name) => vec![
                "server",
                "create",
                name,
                "--template",
                "linux-small",
                "--for",
                "8h",
                "--timeout",
                "60s",
            ],
            Self::CreateWithText(name) => {
                let mut arguments = Self::Create(name).arguments(disk, left, text);
                arguments.extend(["--user-data", text]);
                arguments
            }
            Self::Together(act, _) => {
                let (verb, how): (&str, &[&str]) = match act {
                    Act::Extend => ("extend", &["--by", "1h"]),
                    Act::Stop => ("stop", &["--yes"]),
                    Act::Start => ("start", &[]),
                    Act::Reboot => ("reboot", &["--yes"]),
                    Act::Delete => ("delete", &["--yes"]),
                };
                [&["server", verb], left, how, &["--timeout", "60s"]].concat()
            }
            Self::Extend(name) => vec!["server", "extend", name, "--by", "1h", "--timeout", "60s"],
            Self::Stop(name, cut) => hard(&["server", "stop", name, "--timeout", "60s"], cut),
            Self::Start(name) => vec!["server", "start", name, "--timeout", "60s"],
            Self::Reboot(name, cut) => hard(&["server", "reboot", name, "--timeout", "60s"], cut),
            Self::Delete(name) => vec!["server", "delete", name, "--yes", "--timeout", "60s"],
            Self::CancelLease(name) => vec!["server", "cancel-lease", name, "--yes", "--timeout", "60s"],
            Self::Resize(name, flavor) => {
                vec![
                    "server",
                    "resize",
                    name,
                    "--flavor",
                    flavor,
                    "--stop",
                    "--timeout",
                    "60s",
                ]
            }
            Self::Rename(name, new) => vec!["server", "rename", name, new, "--timeout", "60s"],
            Self::Tag(name, tag) => vec!["server", "tags", name, "--set", tag, "--timeout", "60s"],
            Self::Retag(name, tag, key) => {
                vec![
                    "server",
                    "tags",
                    name,
                    "--set",
                    tag,
                    "--remove",
                    key,
                    "--timeout",
                    "60s",
                ]
            }
            Self::Password(name) => vec!["server", "password", name, "--timeout", "60s"],
            Self::Adopt(name) => vec!["server", "adopt", name, "--timeout", "60s"],
            Self::AddDisk(name, gb) => {
                vec![
                    "disk",
                    "add",
                    name,
                    "--type",
                    "SSD",
                    "--size",
                    gb,
                    "--timeout",
                    "60s",
                ]
            }
            Self::GrowDisk(name, gb) => vec!["disk", "grow", name, disk, "--to", gb, "--timeout", "60s"],
            Self::DetachDisk(name) => vec!["disk", "detach", name, disk, "--yes", "--timeout", "60s"],
            Self::AttachDisk(name) => vec!["disk", "attach", name, disk, "--timeout", "60s"],
            Self::DeleteDisk(name) => vec!["disk", "delete", name, disk, "--yes", "--timeout", "60s"],
            Self::RemoveLeftovers => {
                vec!["server", "leftovers", "--remove", "--yes", "--timeout", "60s"]
            }
        }
    }
}

impl Step {
    /// The servers that it is done to, each by an operation of its own. Nothing names what is not done to a server.
    fn servers(self) -> Vec<&'static str> {
        match self {
            Self::Together(_, servers) => servers.to_vec(),
            _ => vec![""],
        }
    }

    /// Whether an operation that ended did it: well, or so that nobody can know whether it was restarted, and then it is
    /// not done once more.
    fn is_done(self, end: &Operation) -> bool {
        let restart = matches!(self, Self::Reboot(..) | Self::Together(Act::Reboot, _));
        end.is_done() || (restart && unknown(end))
    }
}

/// What goes wrong at each step.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// The program is killed at its first try of each step, and once more while it takes up again what it left.
    pub kill: Option<(u32, Moment)>,
    /// Rules of the sandbox for its wire.
    pub mishaps: Vec<Value>,
    /// What goes wrong inside the sandbox, and how that is taken back.
    pub faults: Option<(Value, Value)>,
    /// How the receiver behaves.
    pub receiver: Option<&'static str>,
    /// The sandbox's clock is away by this many seconds.
    pub clock: i64,
    /// What a kill left is taken up by two programs at the same time.
    pub by_two: bool,
}

/// How a script went.
#[derive(Debug, Default)]
pub struct Report {
    /// At which requests the program was killed.
    pub kills: Vec<String>,
    /// Operations that ended, and how many of them failed.
    pub operations: usize,
    /// See `operations`.
    pub failed: usize,
    /// Events in the ledger.
    pub events: usize,
    /// Deliveries at the receiver, repeated ones too.
    pub deliveries: usize,
    /// What does not agree at the end.
    pub wrong: Vec<String>,
}

/// The program's place, its cloud and its receiver.
pub struct Scene<'d> {
    desktop: &'d Desktop,
    sandbox: Sandbox,
    gate: Gate,
    dir: PathBuf,
    data: PathBuf,
    kills: Vec<String>,
    runs: usize,
}

/// One run of the program.
#[derive(Debug)]
pub struct Run {
    /// Its exit code; none when it was killed.
    pub code: Option<i32>,
    /// The end of what it wrote.
    pub said: String,
}

impl<'d> Scene<'d> {
    /// A fresh sandbox and a fresh ledger, with a person signed in whose key lies in the desktop's keychain.
    ///
    /// # Errors
    /// When a program is not built or does not start.
    pub async fn set(desktop: &'d Desktop, name: &str) -> Result<Self> {
        let dir = desktop.dir().join(name);
        let sandbox = Sandbox::start(&dir, SPEED).await?;
        let gate = Gate::open(sandbox.announce_file(), &dir.join("gate.json")).await?;
        let mut scene = Self {
            desktop,
            sandbox,
            gate,
            data: dir.join("data"),
            dir,
            kills: Vec::new(),
            runs: 0,
        };
        std::fs::write(scene.dir.join("first-start.yaml"), FIRST_START)?;
        let region = scene.sandbox.region()?.to_owned();
        let run = scene
            .run(
                &["account", "sign-in", "--name", "ada", "--region", &region],
                None,
            )
            .await?;
        if run.code != Some(0) {
            bail!("cannot sign in: {}", run.said);
        }
        Ok(scene)
    }

    /// Goes through the script, with the same trouble at each step, and compares everything at the end.
    ///
    /// # Errors
    /// When a step cannot be done even without trouble, or something cannot be read.
    pub async fn play(mut self, script: &[Step], trouble: &Trouble) -> Result<Report> {
        for (step, nth) in script.iter().zip(0_u32..) {
            let done = self.step(*step, nth, trouble).await;
            done.with_context(|| format!("step {nth} {step:?} with {trouble:?}"))?;
        }
        self.come_to_rest().await?;
        let ledger = self.ledger()?;
        let records = self.sandbox.records().await?;
        let user = self.sandbox.user("ada")?.id.clone();
        let wrong = disagreements(&ledger, &self.sandbox.world().await?, &records, &user)?;
        Ok(Report {
            kills: self.kills,
            operations: ledger.operations.len(),
            failed: ledger
                .operations
                .iter()
                .filter(|operation| operation.outcome.as_deref() != Some("ok"))
                .count(),
            events: ledger.events.len(),
            deliveries: records.len(),
            wrong,
        })
    }

    async fn step(&mut self, step: Step, nth: u32, trouble: &Trouble) -> Result<()> {
        let mut said = String::new();
        let mut left = step.servers();
        let text = self.dir.join("first-start.yaml");
        let text = text.to_str().context("a path that is no text")?;
        for attempt in 0..TRIES {
            let known = self.ledger()?.operations.len();
            let first = attempt == 0;
            if first {
                self.begin(trouble).await?;
            }
            let trap = trouble.kill.filter(|_| first).map(|(at, moment)| Trap {
                nth: at,
                from_the_act: true,
                moment: scattered(moment, nth),
            });
            let disk = self.added_disk().await?;
            let run = self.run(&step.arguments(&disk, &left, text), trap).await?;
            said = run.said;
            let again = trouble.kill.filter(|_| first && run.code.is_none());
            let mut again = again.map(|(at, moment)| Trap {
                nth: at + 3,
                from_the_act: false,
                moment: scattered(moment, nth + 1),
            });
            // What was not recorded was not done, and a person asks again.
            let recorded = self.ledger()?.operations;
            for operation in recorded.iter().skip(known).take(left.len()) {
                let end = self.wait_for(&operation.id, again.take(), trouble.by_two).await?;
                if step.is_done(&end) {
                    let its = |name: &&str| name.is_empty() || *name == end.name;
                    left.retain(|name| !its(name));
                } else {
                    said = format!("{end:?}");
                }
            }
            if first {
                self.end(trouble).await?;
            }
            if left.is_empty() {
                return Ok(());
            }
            // A server may still be about what it was asked for before.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        bail!("not done after {TRIES} tries: {said}");
    }

    /// The disk that came later than its server; nothing where there is none.
    async fn added_disk(&self) -> Result<String> {
        let world = self.sandbox.world().await?;
        let volumes = world.pointer("/regions/0/volumes").and_then(Value::as_object);
        let added = |volume: &&Value| {
            let tags = volume.get("tags").and_then(Value::as_object);
            let text = |key: &str| volume.get(key).and_then(Value::as_str).unwrap_or_default();
            tags.is_some_and(|tags| tags.contains_key("wangcheng-server")) && text("name").contains("-disk-")
        };
        let volumes = volumes.context("the world has no volumes")?;
        let found = volumes.values().find(added);
        let id = found.and_then(|volume| volume.get("id")?.as_str());
        Ok(id.unwrap_or_default().to_owned())
    }

    /// Waits until an operation ended, through as many runs of the program as that takes.
    async fn wait_for(&mut self, id: &str, mut trap: Option<Trap>, by_two: bool) -> Result<Operation> {
        let mut said = String::new();
        for _ in 0..TRIES {
            let ledger = self.ledger()?;
            let operation = ledger.operations.iter().find(|operation| operation.id == id);
            let operation = operation.context("a recorded operation is gone")?;
            if operation.outcome.is_some() {
                return Ok(operation.clone());
            }
            let arguments = ["operation", "show", id, "--wait", "--timeout", "60s"];
            if by_two {
                self.gate.set(None);
                let mut programs = [self.start(&arguments)?, self.start(&arguments)?];
                for program in &mut programs {
                    said = finish(program).await?.said;
                }
            } else {
                said = self.run(&arguments, trap.take()).await?.said;
            }
        }
        bail!("operation {id} does not end: {said}");
    }

    async fn come_to_rest(&mut self) -> Result<()> {
        let mut said = String::new();
        for _ in 0..TRIES {
            if self.ledger()?.at_rest() {
                return Ok(());
            }
            said = self
                .run(&["delivery", "send", "--timeout", "20s"], None)
                .await?
                .said;
        }
        bail!("not everything is delivered: {said}");
    }

    async fn begin(&self, trouble: &Trouble) -> Result<()> {
        for mishap in &trouble.mishaps {
            self.sandbox.add_mishap(mishap.clone()).await?;
        }
        if let Some((on, _)) = &trouble.faults {
            self.sandbox.set_faults(on.clone()).await?;
        }
        if let Some(mode) = trouble.receiver {
            self.sandbox.set_receiver(mode).await?;
        }
        if trouble.clock != 0 {
            self.sandbox.set_clock(trouble.clock).await?;
        }
        Ok(())
    }

    async fn end(&self, trouble: &Trouble) -> Result<()> {
        if !trouble.mishaps.is_empty() {
            self.sandbox.clear_mishaps().await?;
        }
        if let Some((_, off)) = &trouble.faults {
            self.sandbox.set_faults(off.clone()).await?;
        }
        if trouble.receiver.is_some() {
            self.sandbox.set_receiver("ok").await?;
        }
        if trouble.clock != 0 {
            self.sandbox.set_clock(0).await?;
        }
        Ok(())
    }

    /// Runs the program to its end, which is a kill (no exit code) when it runs into the trap.
    ///
    /// # Errors
    /// When it does not end, or dies of something else.
    pub async fn run(&mut self, arguments: &[&str], trap: Option<Trap>) -> Result<Run> {
        self.gate.set(trap);
        let mut program = self.start(arguments)?;
        self.gate.watch(program.pid());
        let run = finish(&mut program).await?;
        match (run.code, self.gate.struck()) {
            (None, Some(point)) => self.kills.push(point),
            (None, None) => bail!("{arguments:?} died by itself: {}", run.said),
            // killed when it had just ended
            (Some(_), _) => {}
        }
        Ok(run)
    }

    fn start(&mut self, arguments: &[&str]) -> Result<Program> {
        self.runs += 1;
        let mut command: Command = self.desktop.command(programs::find(programs::CLI)?);
        command
            .arg("--data-dir")
            .arg(&self.data)
            .arg("--sandbox")
            .arg(self.gate.announce_file())
            .args(["--language", "en", "--json"])
            .args(arguments);
        if arguments.contains(&"sign-in") {
            let ada = self.sandbox.user("ada")?;
            command
                .env("HUAWEICLOUD_SDK_AK", &ada.access_key)
                .env("HUAWEICLOUD_SDK_SK", &ada.secret_key);
        }
        if arguments.contains(&"password") {
            command.env("WANGCHENG_SERVER_PASSWORD", "Example-Pass-22");
        }
        if arguments.contains(&"configure") {
            command.env("WANGCHENG_HEI_TOKEN", &self.sandbox.announcement().hei.token);
        }
        Program::start(&format!("run-{}", self.runs), command, &self.dir, None)
    }

    /// The cloud and the receiver.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The application's data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The ledger as its file is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn ledger(&self) -> Result<Ledger> {
        // The embedded region's lies beside the real one.
        Ledger::read(&self.data.join("demo"))
    }
}

async fn finish(program: &mut Program) -> Result<Run> {
    let code = program.finish(RUN).await?;
    Ok(Run {
        code,
        said: program.said(),
    })
}

fn unknown(operation: &Operation) -> bool {
    let error: Value = operation
        .error
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    error.get("code") == Some(&json!("outcome_unknown"))
}

/// After an answer the ledger is written; each step is killed at another moment of that.
fn scattered(moment: Moment, nth: u32) -> Moment {
    match moment {
        Moment::Answered(wait) => Moment::Answered(wait * (nth % 6)),
        other => other,
    }
}
