//! Copies between this computer and a server, in the spelling of `scp`.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use wangcheng::sessions::files::{
    Copy, Direction, FileKind, FileTrouble, Files, Job, JobState, Queue, inside, join,
};
use wangcheng::sessions::{Front, Kind, Link, failure, file_failure};

use super::attended;
use super::shell::{cancelled, interrupted};
use crate::arguments::remote::Scp;
use crate::session::Session;
use crate::trouble::{Result, Trouble};
use crate::words::safe;

/// A place of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spot {
    Here(PathBuf),
    There { server: String, path: String },
}

/// `SERVER:PATH`, or a file of this computer: that has a separator before its first colon, or none.
fn spot(text: &str) -> Spot {
    let here = || Spot::Here(PathBuf::from(text));
    match text.split_once(':') {
        Some((server, _)) if server.is_empty() || server.contains(['/', '\\']) => here(),
        // A drive.
        Some((server, _)) if cfg!(windows) && server.len() == 1 => here(),
        Some((server, path)) => Spot::There {
            server: server.to_owned(),
            path: path.to_owned(),
        },
        None => here(),
    }
}

/// What is to be done: all one way, with one server.
struct Wanted {
    server: String,
    up: bool,
    here: Vec<PathBuf>,
    there: Vec<String>,
}

fn wanted(session: &Session, command: &Scp) -> Result<Wanted> {
    let refused = || {
        Trouble::new(
            "bad_input",
            session.output.say(
                "一侧是本机文件，另一侧是同一台云服务器上的 名称:路径。",
                "One side is files of this computer, the other SERVER:PATH of one server.",
            ),
            Some("`wangcheng scp FILE SERVER:PATH`".to_owned()),
        )
    };
    let mut sources: Vec<Spot> = command.sources.iter().map(|text| spot(text)).collect();
    let target = spot(&command.target);
    let up = matches!(target, Spot::There { .. });
    sources.push(target);
    let mut wanted = Wanted {
        server: String::new(),
        up,
        here: Vec::new(),
        there: Vec::new(),
    };
    for spot in sources {
        match spot {
            Spot::Here(path) => wanted.here.push(path),
            Spot::There { server, path } => {
                if !wanted.there.is_empty() && wanted.server != server {
                    return Err(refused());
                }
                wanted.server = server;
                wanted.there.push(path);
            }
        }
    }
    let one = if up { wanted.there.len() } else { wanted.here.len() };
    match one == 1 && !wanted.here.is_empty() && !wanted.there.is_empty() {
        true => Ok(wanted),
        false => Err(refused()),
    }
}

/// Copies, and tells how far it is.
pub async fn scp(session: &Session, command: &Scp) -> Result<()> {
    let wanted = wanted(session, command)?;
    let (link, mut front) = session
        .reach(&wanted.server, &(&command.way).into(), Kind::Sftp)
        .await?;
    let result = tokio::select! {
        result = copy(session, &link, &mut front, &wanted, command.recursive) => result,
        () = interrupted() => Err(cancelled(session)),
    };
    link.close().await;
    session.let_events_go().await;
    result
}

async fn copy(
    session: &Session,
    link: &Link,
    front: &mut Front,
    wanted: &Wanted,
    recursive: bool,
) -> Result<()> {
    let output = session.output;
    let files = attended(output, front, link.files())
        .await
        .map_err(|failure| session.failed(&failure))?;
    let copies = match wanted.up {
        true => up(session, &files, wanted, recursive).await?,
        false => down(session, &files, wanted, recursive).await?,
    };
    drop(files);
    let queue = link.copies();
    for copy in copies {
        queue
            .add(copy)
            .map_err(|error| session.failed(&failure(&error)))?;
    }
    attended(output, front, follow(session, &queue)).await
}

fn wrong_file(session: &Session, path: &dyn std::fmt::Display, why: &FileTrouble) -> Trouble {
    session.failed(&file_failure(path, why))
}

fn folder_refused(session: &Session, path: &str) -> Trouble {
    Trouble::new(
        "bad_input",
        format!(
            "{}: {}",
            session.output.say("这是文件夹", "This is a folder"),
            safe(path)
        ),
        Some(session.output.say("加上 `-r`。", "Add `-r`.").to_owned()),
    )
}

/// The whole path there of what a person named: from the home on, where it does not begin at the root.
fn whole(home: &str, path: &str) -> String {
    match path.strip_prefix("~/").unwrap_or(path) {
        "" | "~" | "." => home.to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => join(home, path.strip_prefix("./").unwrap_or(path)),
    }
}

async fn up(session: &Session, files: &Files, wanted: &Wanted, recursive: bool) -> Result<Vec<Copy>> {
    let told = |error: &_| session.failed(&failure(error));
    let home = files.home().await.map_err(|error| told(&error))?;
    let target = whole(&home, wanted.there.first().map_or("", String::as_str));
    let is_folder = matches!(files.look(&target).await, Ok(entry) if entry.kind == FileKind::Folder);
    if !is_folder && wanted.here.len() > 1 {
        return Err(wrong_file(session, &target, &FileTrouble::Missing));
    }
    let mut copies = Vec::new();
    for here in &wanted.here {
        let met = tokio::fs::metadata(here).await.map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => FileTrouble::Missing,
                std::io::ErrorKind::PermissionDenied => FileTrouble::Denied,
                _ => FileTrouble::Other(error.to_string()),
            };
            wrong_file(session, &here.display(), &why)
        })?;
        if met.is_dir() && !recursive {
            return Err(folder_refused(session, &here.display().to_string()));
        }
        // What "." and ".." lead to has a name as well.
        let whole = tokio::fs::canonicalize(here).await?;
        let name = here
            .file_name()
            .or(whole.file_name())
            .and_then(|name| name.to_str());
        let name = name.ok_or_else(|| wrong_file(session, &here.display(), &FileTrouble::UnsafeName))?;
        copies.push(Copy {
            direction: Direction::Up,
            here: whole.clone(),
            there: if is_folder {
                join(&target, name)
            } else {
                target.clone()
            },
            replace: true,
        });
    }
    Ok(copies)
}

async fn down(session: &Session, files: &Files, wanted: &Wanted, recursive: bool) -> Result<Vec<Copy>> {
    let told = |error: &_| session.failed(&failure(error));
    let home = files.home().await.map_err(|error| told(&error))?;
    let target = wanted
        .here
        .first()
        .map(PathBuf::as_path)
        .unwrap_or(Path::new("."));
    if target.as_os_str().is_empty() || (!target.is_dir() && wanted.there.len() > 1) {
        return Err(wrong_file(session, &target.display(), &FileTrouble::Missing));
    }
    let mut copies = Vec::new();
    for path in &wanted.there {
        let there = files
            .real(&whole(&home, path))
            .await
            .map_err(|error| told(&error))?;
        let entry = files.look(&there).await.map_err(|error| told(&error))?;
        if entry.kind == FileKind::Folder && !recursive {
            return Err(folder_refused(session, &there));
        }
        let here = match target.is_dir() {
            // A server's name must not lead out of the folder.
            true => inside(target, there.rsplit('/').next().unwrap_or_default())
                .ok_or_else(|| wrong_file(session, &there, &FileTrouble::UnsafeName))?,
            false => target.to_owned(),
        };
        copies.push(Copy {
            direction: Direction::Down,
            here: std::path::absolute(here)?,
            there,
            replace: true,
        });
    }
    Ok(copies)
}

/// Shows how far the copies are until all are over.
async fn follow(session: &Session, queue: &Queue) -> Result<()> {
    let bar = bar(session);
    let mut jobs = queue.watch();
    let ended = loop {
        let now = jobs.borrow_and_update().clone();
        show(session, &bar, &now);
        let over = |job: &Job| {
            matches!(
                job.state,
                JobState::Done | JobState::Failed { .. } | JobState::Cancelled
            )
        };
        if now.iter().all(over) {
            break now;
        }
        if jobs.changed().await.is_err() {
            break now;
        }
    };
    bar.finish_and_clear();
    let mut result = Ok(());
    for job in ended.iter() {
        for problem in &job.problems {
            let told = session.failed(&file_failure(&problem.path, &problem.why));
            crate::output::report(session.output, &told);
            result = Err(Trouble::Ended(1));
        }
        if let JobState::Failed { error } = &job.state {
            crate::output::report(session.output, &session.failed(&failure(error)));
            result = Err(Trouble::Ended(1));
        }
    }
    let sum = |of: fn(&Job) -> u64| ended.iter().map(of).sum::<u64>();
    let told = json!({
        "files": sum(|job| job.files_done),
        "bytes": sum(|job| job.bytes_done),
        "skipped": sum(|job| job.skipped),
    });
    if session.output.json {
        session.output.json(&told)?;
    } else if sum(|job| job.skipped) > 0 {
        session.output.note(&format!(
            "{}: {}",
            session
                .output
                .say("未复制的链接等", "Links and such that were left out"),
            sum(|job| job.skipped)
        ));
    }
    result
}

fn bar(session: &Session) -> ProgressBar {
    if session.output.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let template = "{wide_msg} {bar:20} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn show(session: &Session, bar: &ProgressBar, jobs: &[Job]) {
    let sum = |of: fn(&Job) -> u64| jobs.iter().map(of).sum::<u64>();
    bar.set_length(sum(|job| job.bytes_all));
    bar.set_position(sum(|job| job.bytes_done));
    let current = jobs.iter().find_map(|job| match &job.state {
        JobState::Retrying { .. } => Some(
            session
                .output
                .say("连接已中断，正在重试", "connection lost, trying again")
                .to_owned(),
        ),
        JobState::Running => job.current.as_deref().map(safe),
        _ => None,
    });
    bar.set_message(current.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_stands_before_the_first_colon_unless_a_folder_does() {
        let there = |server: &str, path: &str| Spot::There {
            server: server.into(),
            path: path.into(),
        };
        assert_eq!(spot("web:/etc/hosts"), there("web", "/etc/hosts"));
        assert_eq!(spot("web:"), there("web", ""));
        assert_eq!(spot("网站:a:b"), there("网站", "a:b"));
        for here in ["file", "./a:b", "/tmp/a:b", ":x"] {
            assert_eq!(spot(here), Spot::Here(here.into()), "{here}");
        }
    }

    #[test]
    fn a_path_there_begins_at_the_home_unless_at_the_root() {
        assert_eq!(whole("/root", ""), "/root");
        assert_eq!(whole("/root", "a/b"), "/root/a/b");
        assert_eq!(whole("/root", "~/a"), "/root/a");
        assert_eq!(whole("/root", "/etc"), "/etc");
    }
}
