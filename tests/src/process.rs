//! Programs that go away with whoever started them.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

const STEP: Duration = Duration::from_millis(20);

/// A running program in a process group of its own, killed with all it started when this goes out of scope.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    /// Standard output and standard error, in files so that no pipe can fill up and stall the program.
    out: PathBuf,
    err: PathBuf,
}

impl Program {
    /// Starts `command`, keeps its output under `logs`, and gives it `input` (then end of file) on standard input.
    pub(crate) fn start(name: &str, mut command: Command, logs: &Path, input: Option<&str>) -> Result<Self> {
        let out = logs.join(format!("{name}.out"));
        let err = logs.join(format!("{name}.err"));
        let file =
            |path: &Path| File::create(path).with_context(|| format!("cannot write {}", path.display()));
        command
            .process_group(0)
            .stdin(if input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(file(&out)?)
            .stderr(file(&err)?);
        let mut child = command.spawn().with_context(|| {
            format!(
                "cannot start {}; `cargo xtask setup` installs what is missing",
                command.get_program().display()
            )
        })?;
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin
                .write_all(text.as_bytes())
                .with_context(|| format!("{name} does not read its input"))?;
        }
        Ok(Self {
            name: name.to_owned(),
            child,
            out,
            err,
        })
    }

    /// The process id, also that of the group.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself, and gives the code that it left; nothing where a signal ended it.
    ///
    /// # Errors
    /// When it does not end within `most`.
    pub(crate) async fn finish(&mut self, most: Duration) -> Result<Option<i32>> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status.code());
            }
            if begun.elapsed() > most {
                bail!("the program does not end: {}", self.said());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// The first whole line of standard output that `wanted` accepts.
    pub(crate) async fn line(&mut self, deadline: Duration, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let name = self.name.clone();
        let out = self.out.clone();
        self.until(deadline, &format!("{name} to say where it is"), move || {
            let text = std::fs::read_to_string(&out).unwrap_or_default();
            let whole = text.rsplit_once('\n').map(|(whole, _)| whole).unwrap_or_default();
            whole.lines().find(|line| wanted(line)).map(str::to_owned)
        })
        .await
    }

    /// Asks `probe` until it answers. Ends early, with what the program said, when the program ends.
    pub(crate) async fn until<T>(
        &mut self,
        deadline: Duration,
        what: &str,
        mut probe: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(answer) = probe() {
                return Ok(answer);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "waited for {what}, but {} ended ({status}): {}",
                    self.name,
                    self.said()
                );
            }
            if begun.elapsed() > deadline {
                bail!("waited {} s for {what}: {}", deadline.as_secs(), self.said());
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// The end of what the program wrote, for error texts.
    pub(crate) fn said(&self) -> String {
        let read = |path: &Path| std::fs::read(path).unwrap_or_default();
        let mut text = String::from_utf8_lossy(&read(&self.out)).into_owned();
        text.push_str(&String::from_utf8_lossy(&read(&self.err)));
        let text = text.trim();
        let from = text.char_indices().rev().nth(2000).map_or(0, |(at, _)| at);
        match text.get(from..) {
            None | Some("") => "it said nothing".to_owned(),
            Some(tail) => format!("it said:\n{tail}"),
        }
    }

    /// All of standard output.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.out).unwrap_or_default()).into_owned()
    }

    /// Asks the program to end (SIGTERM) and waits for it; kills it when it does not.
    pub(crate) async fn stop(mut self, deadline: Duration) -> Result<ExitStatus> {
        send(self.pid(), Signal::TERM);
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if begun.elapsed() > deadline {
                bail!(
                    "{} did not end within {} s of SIGTERM",
                    self.name,
                    deadline.as_secs()
                );
            }
            tokio::time::sleep(STEP).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // the group may be gone already
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Sends a signal to one process; one that is gone is fine.
pub(crate) fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether a process of that id runs (a zombie does not).
pub(crate) fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// The process that runs `program` among those that `ancestor` started, directly or not.
pub(crate) fn descendant(ancestor: u32, program: &Path) -> Option<u32> {
    let program = program.canonicalize().ok()?;
    family(ancestor)
        .into_iter()
        .find(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program))
}

/// Every process that `ancestor` started, directly or not, and itself.
fn family(ancestor: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?.1)))
        .collect();
    let mut family = vec![ancestor];
    // processes are not listed in the order of their birth, so go round until nobody new is found
    loop {
        let young: Vec<u32> = all
            .iter()
            .filter(|(pid, parent)| family.contains(parent) && !family.contains(pid))
            .map(|(pid, _)| *pid)
            .collect();
        if young.is_empty() {
            return family;
        }
        family.extend(young);
    }
}

/// Proportional set size of a process and all that it started, in bytes (proc_pid_smaps(5)).
pub(crate) fn memory(ancestor: u32) -> Result<u64> {
    let mut sum = 0;
    for pid in family(ancestor) {
        // one that has just ended needs none
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else {
            continue;
        };
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        sum += kib.context("a process tells no proportional set size")? * 1024;
    }
    Ok(sum)
}

/// Processor time of a process and all that it started, so far, in seconds; to a hundredth (proc_pid_stat(5)).
pub(crate) fn worked(ancestor: u32) -> f64 {
    let ticks = |pid: u32| -> Option<f64> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_whitespace().skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        Some(user + system)
    };
    // one that has just ended works no more
    family(ancestor).into_iter().filter_map(ticks).sum::<f64>() / 100.0
}

/// When a process was started, in milliseconds since 1970, by the clock's ticks of ten milliseconds (proc_pid_stat(5)).
pub(crate) fn started_ms(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(')').context("no such process")?;
    let ticks: f64 = rest
        .split_whitespace()
        .nth(19)
        .context("no start in /proc/PID/stat")?
        .parse()?;
    let uptime = std::fs::read_to_string("/proc/uptime")?;
    let uptime: f64 = uptime.split_whitespace().next().context("no uptime")?.parse()?;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)?
        .as_secs_f64();
    Ok((now - uptime + ticks / 100.0) * 1000.0)
}

/// State letter and parent of a process, out of `/proc/PID/stat` (proc_pid_stat(5)).
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name stands in parentheses and may hold spaces and parentheses itself
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.to_owned();
    let parent = fields.next()?.parse().ok()?;
    Some((state, parent))
}
