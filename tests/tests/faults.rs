//! The command line goes through a script while the cloud or the receiver has one kind of trouble at each step. What fails
//! is asked for again without it. Then cloud, ledger and receiver are compared as after the kills.
//!
//! `cargo xtask test` runs the sample, `cargo xtask soak` all of it.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

use futures::StreamExt as _;
use serde_json::{Value, json};
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::script::{CHANGES, DISKS, Report, SEVERAL, SHORT, Scene, Step, Trouble, WHOLE};

/// A rule for the act itself, whichever it is, and one for the questions after the job.
fn wire(mut harm: Value) -> Trouble {
    let mut rule = |service: &str, method: &str, path: &str, count: u32| {
        harm["service"] = json!(service);
        harm["method"] = json!(method);
        harm["path"] = json!(path);
        harm["count"] = json!(count);
        harm.clone()
    };
    Trouble {
        mishaps: vec![
            rule("ecs", "POST", "/cloudservers", 1),
            rule("ecs", "PUT", "/cloudservers", 1),
            rule("ecs", "DELETE", "/cloudservers", 1),
            rule("ecs", "GET", "/jobs/", 2),
            rule("evs", "POST", "/cloudvolumes", 1),
            rule("evs", "DELETE", "/cloudvolumes", 1),
            rule("evs", "GET", "/jobs/", 2),
        ],
        ..Trouble::default()
    }
}

fn inside(on: Value, off: Value) -> Trouble {
    Trouble {
        faults: Some((on, off)),
        ..Trouble::default()
    }
}

fn receiver(mode: &'static str) -> Trouble {
    Trouble {
        receiver: Some(mode),
        ..Trouble::default()
    }
}

fn cloud_troubles() -> Vec<(&'static str, Trouble)> {
    let wrong_clock = Trouble {
        clock: 3600,
        ..Trouble::default()
    };
    vec![
        (
            "throttled",
            wire(json!({"do": "throttle", "limit": 10, "minutes": 1})),
        ),
        ("flow-limit", wire(json!({"do": "flow_limit"}))),
        ("flow-control", wire(json!({"do": "flow_control"}))),
        ("status-500", wire(json!({"do": "status", "status": 500}))),
        (
            "status-503",
            wire(json!({"do": "status", "status": 503, "retry_after_s": 1})),
        ),
        ("proxy-502", wire(json!({"do": "proxy", "status": 502}))),
        ("cut-before", wire(json!({"do": "cut_before"}))),
        ("cut-after", wire(json!({"do": "cut_after"}))),
        ("slow", wire(json!({"do": "slow", "delay_ms": 1500}))),
        ("truncated", wire(json!({"do": "truncated"}))),
        ("malformed", wire(json!({"do": "malformed"}))),
        ("wrong-clock", wrong_clock),
        (
            "job-fail",
            inside(json!({"job_fail_next": true}), json!({"job_fail_next": false})),
        ),
        (
            "half-batch",
            inside(
                json!({"half_batch_next": true}),
                json!({"half_batch_next": false}),
            ),
        ),
        (
            "no-capacity",
            inside(json!({"no_capacity": true}), json!({"no_capacity": false})),
        ),
    ]
}

fn receiver_troubles() -> Vec<(&'static str, Trouble)> {
    vec![
        ("receiver-400", receiver("status:400")),
        ("receiver-stall", receiver("stall")),
        ("receiver-cut", receiver("cut")),
        ("receiver-cut-after", receiver("cut_after")),
        ("receiver-401", receiver("refuse_401")),
        ("receiver-413", receiver("413")),
        ("receiver-429", receiver("status:429")),
        ("receiver-503", receiver("status:503")),
    ]
}

/// Everything that the program can do, one script after the other.
fn everything() -> Vec<Step> {
    [&WHOLE[..], &CHANGES, &DISKS, &SEVERAL].concat()
}

async fn play(script: &[Step], troubles: Vec<(&'static str, Trouble)>, at_once: usize) {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let desktop = &desktop;
    let reports: Vec<(&str, Report)> = futures::stream::iter(troubles)
        .map(|(name, trouble)| async move {
            let scene = Scene::set(desktop, name).await.unwrap();
            (name, scene.play(script, &trouble).await.unwrap())
        })
        .buffer_unordered(at_once)
        .collect()
        .await;
    let mut wrong = Vec::new();
    for (name, report) in reports {
        println!(
            "{name}: {} operations ({} failed), {} events, {} deliveries",
            report.operations, report.failed, report.events, report.deliveries
        );
        wrong.extend(report.wrong.into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn answers_that_break_off_and_jobs_that_fail_leave_cloud_ledger_and_receiver_agreed() {
    let wanted = ["cut-after", "truncated", "job-fail", "receiver-cut-after"];
    let mut troubles = cloud_troubles();
    troubles.extend(receiver_troubles());
    troubles.retain(|(name, _)| wanted.contains(name));
    assert_eq!(troubles.len(), wanted.len());
    play(&SHORT, troubles, 4).await;
}

#[tokio::test]
async fn changes_and_disks_whose_answers_break_off_or_whose_jobs_fail_are_as_the_ledger_says() {
    let wanted = ["cut-after", "truncated", "job-fail"];
    let mut troubles = cloud_troubles();
    troubles.retain(|(name, _)| wanted.contains(name));
    assert_eq!(troubles.len(), wanted.len());
    play(&[&CHANGES[..], &DISKS].concat(), troubles, 3).await;
}

#[tokio::test]
#[ignore = "takes many minutes; run by `cargo xtask soak`"]
async fn whatever_the_cloud_does_wrong_cloud_ledger_and_receiver_agree() {
    play(&everything(), cloud_troubles(), 4).await;
}

#[tokio::test]
#[ignore = "takes many minutes; run by `cargo xtask soak`"]
async fn whatever_the_receiver_does_wrong_cloud_ledger_and_receiver_agree() {
    play(&everything(), receiver_troubles(), 4).await;
}
