//! Files, both ways, through the real server.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use remote::{Copy, Direction, Error, FileTrouble, Files, Job, JobId, JobState, Kind, Queue};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::peer::{Relay, Sshd, done};

/// How long a copy may take: two gigabytes too, on a busy machine.
const WAIT: Duration = Duration::from_secs(600);

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn hash(path: &Path) -> String {
    let printed = done(Command::new("sha256sum").arg(path));
    printed.split_whitespace().next().unwrap().to_owned()
}

async fn settled(jobs: &mut watch::Receiver<Arc<Vec<Job>>>, id: JobId) -> Job {
    wait_for(jobs, id, |job| {
        !matches!(
            job.state,
            JobState::Waiting | JobState::Running | JobState::Retrying { .. }
        )
    })
    .await
}

async fn wait_for(
    jobs: &mut watch::Receiver<Arc<Vec<Job>>>,
    id: JobId,
    wanted: impl Fn(&Job) -> bool,
) -> Job {
    let found = |jobs: &Arc<Vec<Job>>| jobs.iter().find(|job| job.id == id).cloned();
    let waiting = jobs.wait_for(|jobs| found(jobs).is_some_and(|job| wanted(&job)));
    let seen = timeout(WAIT, waiting)
        .await
        .ok()
        .map(|jobs| found(&jobs.unwrap()));
    match seen {
        Some(job) => job.unwrap(),
        None => panic!("still {:?}", jobs.borrow().clone()),
    }
}

/// A folder of ours that the server's user may write to.
fn shared(sshd: &Sshd, name: &str) -> std::path::PathBuf {
    let path = sshd.home().join(name);
    fs::create_dir_all(&path).unwrap();
    if crate::peer::is_root() {
        std::os::unix::fs::chown(&path, Some(4711), Some(4711)).unwrap();
    }
    path
}

fn copy(direction: Direction, here: &Path, there: &Path) -> Copy {
    Copy {
        direction,
        here: here.to_owned(),
        there: there.display().to_string(),
        replace: false,
    }
}

#[tokio::test]
async fn files_are_looked_at_renamed_changed_and_removed() {
    let sshd = Sshd::start("").await;
    let (login, _front) = sshd.login();
    let files = Files::open(&login).await.unwrap();
    let home = files.home().await.unwrap();
    assert_eq!(
        Path::new(&home).canonicalize().unwrap(),
        sshd.home().canonicalize().unwrap()
    );
    let folder = format!("{home}/网程 und so");
    files.make_folder(&folder).await.unwrap();
    let again = files.make_folder(&folder).await.unwrap_err();
    assert!(
        matches!(
            again,
            Error::RemoteFile {
                why: FileTrouble::Exists,
                ..
            }
        ),
        "{again}"
    );
    let odd = [
        "a\nb",
        "-rf",
        "spaces at the end ",
        &"x".repeat(255),
        ".hidden",
        "日本",
    ];
    for name in odd {
        fs::write(Path::new(&folder).join(name), name).unwrap();
    }
    std::os::unix::fs::symlink("/etc", Path::new(&folder).join("link")).unwrap();
    let mut names: Vec<_> = files.list(&folder).await.unwrap();
    names.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(names.len(), odd.len() + 1, "every odd name is there");
    assert!(names.iter().all(|entry| entry.usable));
    let link = names.iter().find(|entry| entry.name == "link").unwrap();
    assert_eq!(link.kind, Kind::Link);
    let file = remote::join(&folder, "-rf");
    assert_eq!(files.look(&file).await.unwrap().size, 3);
    if crate::peer::is_root() {
        let error = files.set_mode(&file, 0o600).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::RemoteFile {
                    why: FileTrouble::Denied,
                    ..
                }
            ),
            "root's file: {error}"
        );
        std::os::unix::fs::chown(&file, Some(4711), Some(4711)).unwrap();
    }
    files.set_mode(&file, 0o640).await.unwrap();
    assert_eq!(files.look(&file).await.unwrap().mode, Some(0o640));
    let other = remote::join(&folder, ".hidden");
    let taken = files.rename(&file, &other, false).await.unwrap_err();
    assert!(matches!(
        taken,
        Error::RemoteFile {
            why: FileTrouble::Exists,
            ..
        }
    ));
    files.rename(&file, &other, true).await.unwrap();
    assert_eq!(
        fs::read_to_string(Path::new(&folder).join(".hidden")).unwrap(),
        "-rf"
    );
    let missing = files.look(&file).await.unwrap_err();
    assert!(matches!(
        missing,
        Error::RemoteFile {
            why: FileTrouble::Missing,
            ..
        }
    ));
    let removed = files.remove(&folder, &CancellationToken::new()).await.unwrap();
    assert_eq!(
        removed,
        odd.len() as u64 + 1,
        "what was left, the link and the folder"
    );
    assert!(
        Path::new("/etc/passwd").exists(),
        "a link is removed, not followed"
    );
    for path in ["/", "", ".", "x/.."] {
        assert!(
            files.remove(path, &CancellationToken::new()).await.is_err(),
            "{path:?} is never removed"
        );
    }
}

#[tokio::test]
async fn whole_folders_go_up_and_down_unchanged() {
    let sshd = Sshd::start("").await;
    let (login, _front) = sshd.login();
    let source = sshd.path("source");
    fs::create_dir_all(source.join("a/b")).unwrap();
    fs::create_dir(source.join("empty")).unwrap();
    fs::write(source.join("a/b/big"), noise(5_000_000)).unwrap();
    fs::write(source.join("a/网程 .txt"), "hello").unwrap();
    fs::write(source.join("none"), "").unwrap();
    let script = source.join("run.sh");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", source.join("link")).unwrap();
    let queue = Queue::start(login);
    let mut jobs = queue.watch();
    let there = sshd.home().join("up");
    let up = queue.add(copy(Direction::Up, &source, &there)).unwrap();
    let job = settled(&mut jobs, up).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert_eq!((job.files_done, job.files_all, job.skipped), (4, 4, 1));
    assert_eq!((job.bytes_done, job.bytes_all), (5_000_015, 5_000_015));
    let back = sshd.path("back");
    let down = queue.add(copy(Direction::Down, &back, &there)).unwrap();
    let job = settled(&mut jobs, down).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    for name in ["a/b/big", "a/网程 .txt", "none", "run.sh"] {
        assert_eq!(hash(&source.join(name)), hash(&back.join(name)), "{name}");
        let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let (was, is) = (time(&source.join(name)), time(&back.join(name)));
        assert!(
            was.duration_since(is).unwrap_or_default() < Duration::from_secs(1),
            "{name}: its time stays"
        );
    }
    assert!(back.join("empty").is_dir() && !back.join("link").exists());
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(back.join("run.sh")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o755, "what can be run stays so");
    let rest: Vec<_> = fs::read_dir(back.join("a/b")).unwrap().collect();
    assert_eq!(rest.len(), 1, "nothing unfinished is left");
    let again = queue
        .add(copy(Direction::Down, &back.join("none"), &there.join("none")))
        .unwrap();
    let job = settled(&mut jobs, again).await;
    let JobState::Failed {
        error: Error::LocalFile {
            why: FileTrouble::Exists,
            ..
        },
    } = job.state
    else {
        panic!("what is there stays: {job:?}");
    };
}

#[tokio::test]
async fn a_copy_that_was_cut_is_taken_up_where_it_stopped() {
    cut_and_taken_up(1, 60_000_000).await;
}

/// Long: `cargo xtask soak`.
#[tokio::test]
#[ignore = "takes minutes and six gigabytes of disk"]
async fn two_gigabytes_that_were_cut_are_taken_up_where_they_stopped() {
    let began = std::time::Instant::now();
    cut_and_taken_up(32, 64 * 1024 * 1024).await;
    println!(
        "2 GiB down and up, each cut once: {} s",
        began.elapsed().as_secs()
    );
}

/// A file of so many parts of this length, each with its number.
fn large(path: &Path, parts: u64, length: usize) {
    let mut file = fs::File::create(path).unwrap();
    let part = noise(length - 8);
    for number in 0..parts {
        file.write_all(&number.to_le_bytes()).unwrap();
        file.write_all(&part).unwrap();
    }
}

async fn cut_and_taken_up(parts: u64, part: usize) {
    let length = parts as usize * part;
    let sshd = Sshd::start("").await;
    let relay = Relay::to(sshd.port).await;
    let (mut login, _front) = sshd.login();
    let known = sshd
        .known_line("host_ed25519")
        .replace(&sshd.port.to_string(), &relay.port.to_string());
    fs::write(sshd.path("known_hosts"), known).unwrap();
    login.to.port = relay.port;
    let source = sshd.path("big");
    large(&source, parts, part);
    let queue = Queue::start(login);
    let mut jobs = queue.watch();
    // Down: cut after 20 MB, in the middle of what is under way.
    relay.cut_at.store(20_000_000, Ordering::Relaxed);
    let here = sshd.path("down");
    let id = queue.add(copy(Direction::Down, &here, &source)).unwrap();
    let seen = wait_for(&mut jobs, id, |job| {
        matches!(job.state, JobState::Retrying { .. })
    })
    .await;
    assert!(seen.bytes_done < length as u64);
    let job = settled(&mut jobs, id).await;
    assert_eq!(job.state, JobState::Done);
    assert_eq!(hash(&here), hash(&source));
    let carried = relay.carried.load(Ordering::Relaxed) as usize;
    assert!(
        carried < length + length / 50 + 25_000_000,
        "{carried} bytes came: not all of it twice"
    );
    // Up: cut from our side in the middle.
    let folder = shared(&sshd, "in");
    let id = queue
        .add(copy(Direction::Up, &source, &folder.join("up")))
        .unwrap();
    wait_for(&mut jobs, id, |job| job.bytes_done > 10_000_000).await;
    relay.cut();
    let job = settled(&mut jobs, id).await;
    assert_eq!(job.state, JobState::Done);
    assert_eq!(hash(&folder.join("up")), hash(&source));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[tokio::test]
async fn a_copy_can_be_paused_taken_up_and_cancelled() {
    let sshd = Sshd::start("").await;
    let (login, _front) = sshd.login();
    let source = sshd.path("big");
    fs::write(&source, noise(100_000_000)).unwrap();
    let queue = Queue::start(login);
    let mut jobs = queue.watch();
    let folder = sshd.path("here");
    fs::create_dir(&folder).unwrap();
    let id = queue
        .add(copy(Direction::Down, &folder.join("x"), &source))
        .unwrap();
    let later = queue
        .add(copy(Direction::Down, &folder.join("y"), &source))
        .unwrap();
    wait_for(&mut jobs, id, |job| job.bytes_done > 1_000_000 && job.rate > 0.0).await;
    queue.pause(id);
    let paused = wait_for(&mut jobs, id, |job| job.state == JobState::Paused).await;
    assert!(paused.bytes_done < 100_000_000, "it was under way");
    wait_for(&mut jobs, later, |job| job.bytes_done > 1_000_000).await;
    queue.cancel(later);
    wait_for(&mut jobs, later, |job| job.state == JobState::Cancelled).await;
    queue.resume(id);
    let job = settled(&mut jobs, id).await;
    assert_eq!(job.state, JobState::Done);
    assert_eq!(hash(&folder.join("x")), hash(&source));
    let names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["x"], "of the one that was cancelled nothing is left");
    queue.clear();
    assert!(jobs.borrow().is_empty());
}

#[tokio::test]
async fn what_may_not_be_read_does_not_hold_up_the_rest() {
    let sshd = Sshd::start("").await;
    let (login, _front) = sshd.login();
    let source = sshd.home().join("mixed");
    fs::create_dir_all(&source).unwrap();
    fs::write(source.join("good"), "1").unwrap();
    fs::write(source.join("secret"), "2").unwrap();
    fs::set_permissions(
        source.join("secret"),
        std::os::unix::fs::PermissionsExt::from_mode(0o000),
    )
    .unwrap();
    let bad = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"not-\xff-utf8");
    fs::write(source.join(bad), "3").unwrap();
    let queue = Queue::start(login);
    let mut jobs = queue.watch();
    let here = sshd.path("mixed-here");
    let id = queue.add(copy(Direction::Down, &here, &source)).unwrap();
    let job = settled(&mut jobs, id).await;
    assert_eq!((job.state, job.files_done), (JobState::Done, 1));
    let why: Vec<_> = job.problems.iter().map(|problem| problem.why.clone()).collect();
    assert_eq!(why, [FileTrouble::UnsafeName, FileTrouble::Denied]);
    assert_eq!(fs::read_to_string(here.join("good")).unwrap(), "1");
    let missing = queue
        .add(copy(Direction::Down, &here.join("no"), &source.join("no")))
        .unwrap();
    let job = settled(&mut jobs, missing).await;
    assert!(matches!(
        job.state,
        JobState::Failed {
            error: Error::RemoteFile {
                why: FileTrouble::Missing,
                ..
            }
        }
    ));
}
