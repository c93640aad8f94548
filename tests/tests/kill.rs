//! The command line is killed (SIGKILL) at each of its requests while it goes through a script, before the peer hears of
//! it, before the answer comes, and while the answer is written down; it is started again, killed once more while it takes
//! up what it left, and started again. Then cloud, ledger and receiver are compared: every act that the cloud accepted has
//! its event, none is invented, nothing is left behind or made twice, and the order stands.
//!
//! `cargo xtask test` runs the sample, `cargo xtask soak` all of it.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

use std::time::Duration;

use futures::StreamExt as _;
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::gate::Moment;
use wangcheng_tests::script::{CHANGES, DISKS, Report, SEVERAL, SHORT, Scene, Step, Trouble, WHOLE};

/// Unit of the wait after an answer; see `script`.
const TICK: Duration = Duration::from_millis(3);

/// Plays the script once for each point, some of them at the same time, and returns at how many requests it was killed.
async fn kill_at(script: &[Step], points: Vec<(u32, Moment)>, at_once: usize) -> usize {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let desktop = &desktop;
    let reports: Vec<((u32, Moment), Report)> = futures::stream::iter(points)
        .map(|point| async move {
            let trouble = Trouble {
                kill: Some(point),
                ..Trouble::default()
            };
            let name = format!("{point:?}").replace(|letter: char| !letter.is_alphanumeric(), "-");
            let scene = Scene::set(desktop, &name).await.unwrap();
            (point, scene.play(script, &trouble).await.unwrap())
        })
        .buffer_unordered(at_once)
        .collect()
        .await;
    let mut wrong = Vec::new();
    let mut kills = 0;
    for (point, report) in reports {
        println!(
            "{point:?}: {} kills, {} operations ({} failed), {} events, {} deliveries",
            report.kills.len(),
            report.operations,
            report.failed,
            report.events,
            report.deliveries
        );
        assert!(
            report.operations >= script.len(),
            "every step of the script is an operation: {report:?}"
        );
        kills += report.kills.len();
        wrong.extend(report.wrong.into_iter().map(|what| format!("{point:?}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    kills
}

#[tokio::test]
async fn a_program_killed_around_its_acts_loses_invents_and_doubles_nothing() {
    let points = vec![
        (0, Moment::Before),
        (0, Moment::After),
        (1, Moment::Answered(TICK)),
    ];
    let kills = kill_at(&SHORT, points, 3).await;
    assert!(kills >= 12, "it was killed only {kills} times");
}

#[tokio::test]
async fn a_program_killed_around_its_changes_leaves_what_the_ledger_says() {
    let points = vec![
        (0, Moment::Before),
        (0, Moment::After),
        (1, Moment::Answered(TICK)),
    ];
    let kills = kill_at(&CHANGES, points, 3).await;
    assert!(kills >= 20, "it was killed only {kills} times");
}

#[tokio::test]
async fn a_program_killed_around_its_acts_on_disks_leaves_none_and_counts_each() {
    let points = vec![
        (0, Moment::Before),
        (0, Moment::After),
        (1, Moment::Answered(TICK)),
    ];
    let kills = kill_at(&DISKS, points, 3).await;
    assert!(kills >= 20, "it was killed only {kills} times");
}

#[tokio::test]
async fn a_program_killed_while_it_acts_on_several_servers_does_to_each_what_was_asked() {
    let points = vec![
        (0, Moment::Before),
        (0, Moment::After),
        (2, Moment::Answered(TICK)),
    ];
    let kills = kill_at(&SEVERAL, points, 3).await;
    assert!(kills >= 16, "it was killed only {kills} times");
}

#[tokio::test]
async fn what_a_kill_left_is_done_once_though_two_programs_take_it_up() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let trouble = Trouble {
        kill: Some((0, Moment::Before)),
        by_two: true,
        ..Trouble::default()
    };
    let scene = Scene::set(&desktop, "two").await.unwrap();
    let report = scene.play(&SHORT, &trouble).await.unwrap();
    assert_eq!(report.wrong, Vec::<String>::new());
    assert_eq!(report.kills.len(), SHORT.len(), "killed once at each act");
}

#[tokio::test]
#[ignore = "takes many minutes; run by `cargo xtask soak`"]
async fn a_program_killed_at_every_step_of_the_whole_script_loses_invents_and_doubles_nothing() {
    let moments = [Moment::Before, Moment::After, Moment::Answered(TICK)];
    let points = (0..7)
        .flat_map(|nth| moments.map(|moment| (nth, moment)))
        .collect();
    let everything = [&WHOLE[..], &CHANGES, &DISKS, &SEVERAL].concat();
    let kills = kill_at(&everything, points, 4).await;
    println!("killed {kills} times");
    assert!(kills >= 400, "it was killed only {kills} times");
}
