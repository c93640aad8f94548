//! The world at the first start, and its way over a restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::{collections::BTreeSet, time::Duration};

use chrono::{TimeDelta, Utc};
use common::{cloud, fast};
use sandbox::Options;
use serde_json::Value;

#[tokio::test]
async fn there_are_people_regions_and_something_to_choose_from() {
    let cloud = cloud(fast()).await;
    let names: Vec<&str> = cloud
        .announcement
        .users
        .iter()
        .map(|user| user.name.as_str())
        .collect();
    for name in ["mia", "ada", "bo", "chen", "guest"] {
        assert!(names.contains(&name), "{name}");
    }
    let projects: BTreeSet<&str> = cloud
        .announcement
        .regions
        .iter()
        .map(|region| region.project_id.as_str())
        .collect();
    assert_eq!(projects.len(), 3, "each region has a project of its own");
    assert!(projects.iter().all(|id| id.len() == 32), "{projects:?}");
    let listed = cloud
        .call("ada", "GET", "iam", "/v3/auth/projects", None)
        .await
        .ok();
    for region in &cloud.announcement.regions {
        let row = listed["projects"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == region.id.as_str())
            .unwrap();
        assert_eq!(row["id"], region.project_id);
        for service in [
            "ecs", "evs", "ims", "vpc", "eip", "kms", "kps", "cts", "obs", "bss", "iam", "sts", "tms",
        ] {
            assert!(
                region.endpoints.contains_key(service),
                "{service} of {}",
                region.id
            );
        }
    }
    let flavors = cloud.ecs("GET", "/v1/{P}/cloudservers/flavors", None).await.ok();
    assert!(flavors["flavors"].as_array().unwrap().len() >= 40);
    let images = cloud
        .call("ada", "GET", "ims", "/v2/cloudimages", None)
        .await
        .ok();
    let images = images["images"].as_array().unwrap();
    let platforms: BTreeSet<&str> = images
        .iter()
        .map(|row| row["__platform"].as_str().unwrap())
        .collect();
    for platform in [
        "Ubuntu",
        "Debian",
        "CentOS",
        "openEuler",
        "Huawei Cloud EulerOS",
        "AlmaLinux",
        "Windows",
    ] {
        assert!(platforms.contains(platform), "{platform}");
    }
    let injected: Vec<&Value> = images
        .iter()
        .filter(|row| row["__support_fc_inject"] == "true")
        .collect();
    assert_eq!(injected.len(), 1, "one image knows no cloud-init");
}

#[tokio::test]
async fn a_call_about_another_regions_project_is_refused() {
    let cloud = cloud(fast()).await;
    let other = &cloud.announcement.regions[1].project_id;
    assert_ne!(other, cloud.project());
    let path = format!("/v1/{other}/cloudservers/limits");
    let got = cloud.ecs("GET", &path, None).await;
    assert_eq!(got.refused(), (400, "Ecs.0023".to_owned()));
}

#[tokio::test]
async fn what_was_there_before_left_traces() {
    let cloud = cloud(fast()).await;
    let now = Utc::now();
    let from = (now - TimeDelta::days(7)).timestamp_millis();
    let path = format!(
        "/v3/{{P}}/traces?trace_type=system&from={from}&to={}&limit=200",
        now.timestamp_millis()
    );
    let traces = cloud.call("mia", "GET", "cts", &path, None).await.ok();
    let names: Vec<&str> = traces["traces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["resource_name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["bo-build-01", "team-wiki"],
        "made lately, stopped days ago; older ones are forgotten"
    );
}

#[tokio::test]
async fn a_lease_that_ends_while_the_sandbox_is_off_ends_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        state_file: Some(folder.path().join("state.json")),
        lease_speed: 3600.0,
        ..fast()
    };
    let first = cloud(options.clone()).await;
    let mut order = first.order("short").await;
    let end = (Utc::now() + TimeDelta::seconds(2))
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    order["server"]["auto_terminate_time"] = end.into();
    let (job, id) = first.create(&order).await;
    first.settled(&job).await;
    first.running.stop().await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;

    let second = cloud(options).await;
    for _ in 0..100 {
        if second.server(&id).await.status == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server outlived its lease");
}

#[tokio::test]
async fn the_state_file_is_always_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let cloud = cloud(Options {
        state_file: Some(file.clone()),
        ..fast()
    })
    .await;
    for number in 0..8 {
        let order = cloud.order(&format!("many-{number}")).await;
        cloud.create(&order).await;
        for _ in 0..20 {
            let text = std::fs::read_to_string(&file).unwrap();
            serde_json::from_str::<Value>(&text).expect("what can be read is complete at any moment");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
