//! Two programs of one person ask for the last place of a grant at the same moment. Exactly the older one is kept, the
//! younger one was undone and said so, in its ledger and at the receiver: never both gone, never both kept.
//!
//! `cargo xtask test` runs the sample, `cargo xtask soak` all of it.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use futures::StreamExt as _;
use serde_json::json;
use wangcheng_tests::race::Race;

/// Runs so many races in so many regions at once; says how many were undone after the cloud had taken both.
async fn for_servers(regions: usize, turns: usize) -> usize {
    let all: Vec<(usize, Vec<String>)> = futures::stream::iter(0..regions)
        .map(|region| async move {
            let mut race = Race::set(json!({"servers": 1})).await.unwrap();
            let (mut raced, mut wrong) = (0, Vec::new());
            for turn in 0..turns {
                let ended = race.for_a_server(turn).await.unwrap();
                println!(
                    "region {region}, race {turn}: raced {}, {:?}",
                    ended.raced, ended.wrong
                );
                raced += usize::from(ended.raced);
                wrong.extend(
                    ended
                        .wrong
                        .into_iter()
                        .map(|what| format!("{region}/{turn}: {what}")),
                );
            }
            (raced, wrong)
        })
        .buffer_unordered(regions)
        .collect()
        .await;
    let wrong: Vec<&String> = all.iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    all.iter().map(|(raced, _)| raced).sum()
}

/// The same with disks that are added, and with disks that grow.
async fn for_disks(turns: usize) -> (usize, usize) {
    let mut race = Race::set(json!({"diskGb": 50})).await.unwrap();
    let made = [
        "server",
        "create",
        "disks-01",
        "--template",
        "linux-small",
        "--for",
        "8h",
        "--timeout",
        "90s",
    ];
    race.well("one", &made).await.unwrap();
    let (mut added, mut grown, mut wrong) = (0, 0, Vec::new());
    for turn in 0..turns {
        let ended = race.for_a_disk("disks-01").await.unwrap();
        println!("added, race {turn}: raced {}, {:?}", ended.raced, ended.wrong);
        added += usize::from(ended.raced);
        wrong.extend(ended.wrong);
    }
    race.publish(json!({})).await.unwrap();
    let add = [
        "disk",
        "add",
        "disks-01",
        "--type",
        "SSD",
        "--size",
        "10",
        "--timeout",
        "90s",
    ];
    for _ in 0..2 {
        race.well("one", &add).await.unwrap();
    }
    let disks = race.disks("-disk-").await.unwrap();
    let ids: Vec<String> = disks
        .iter()
        .map(|disk| disk["id"].as_str().unwrap().to_owned())
        .collect();
    let ids: [String; 2] = ids.try_into().unwrap();
    // The system's 40, and each turn's disk that grew by one.
    for turn in 0..turns {
        let size = 11 + u32::try_from(turn).unwrap();
        race.publish(json!({"diskGb": 40 + size - 1 + size}))
            .await
            .unwrap();
        let ended = race.for_growth("disks-01", &ids, size).await.unwrap();
        println!("grown, race {turn}: raced {}, {:?}", ended.raced, ended.wrong);
        grown += usize::from(ended.raced);
        wrong.extend(ended.wrong);
        race.publish(json!({})).await.unwrap();
        for id in &ids {
            let to = size.to_string();
            let grow = ["disk", "grow", "disks-01", id, "--to", &to, "--timeout", "90s"];
            // the one that has grown already says so
            let _ = race.well("one", &grow).await;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    (added, grown)
}

#[tokio::test]
async fn of_two_programs_that_make_a_server_at_once_exactly_the_older_one_keeps_it() {
    let raced = for_servers(2, 5).await;
    assert!(raced >= 5, "the cloud had taken both only {raced} times of 10");
}

#[tokio::test]
async fn of_two_programs_that_add_or_grow_a_disk_at_once_exactly_one_keeps_it() {
    let (added, grown) = for_disks(3).await;
    assert!(
        added >= 2 && grown >= 2,
        "of 3 each only {added} and {grown} were taken by both"
    );
}

#[tokio::test]
#[ignore = "takes many minutes; run by `cargo xtask soak`"]
async fn in_two_hundred_races_for_a_server_exactly_the_older_one_keeps_it() {
    let raced = for_servers(4, 50).await;
    println!("200 races, {raced} after the cloud had taken both");
    assert!(raced >= 150, "the cloud had taken both only {raced} times");
}

#[tokio::test]
#[ignore = "takes many minutes; run by `cargo xtask soak`"]
async fn in_fifty_races_for_a_disk_exactly_one_keeps_it() {
    let (added, grown) = for_disks(25).await;
    println!("25 races each, {added} added and {grown} grown by both");
    assert!(
        added >= 20 && grown >= 20,
        "only {added} and {grown} were taken by both"
    );
}
