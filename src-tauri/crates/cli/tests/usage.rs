//! The usage summary from a terminal: the numbers of the call, for people and for programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use serde_json::json;
use store::Tally;
use store::tally::{Ask, Batch, Fact};

use common::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_tells_the_tallys_own_numbers() {
    let place = Place::new().await;
    // The first run makes the directory.
    place.json(&["usage", "summary"]).await;
    let mut dir = place.dir.path().join("data");
    if dir.join("demo").join("ledger.db").exists() {
        dir = dir.join("demo");
    }
    let tally = Tally::open(&dir).unwrap();
    let texts: Vec<String> = [("server.created", "2026-01-31T14:00:00Z"), ("server.deleted", "2026-01-31T18:00:00Z")]
        .into_iter()
        .flat_map(|(action, time)| {
            ["u1", "u2"].map(|owner| {
                json!({
                    "event_id": format!("{action}{owner}"), "action": action, "outcome": "ok", "time": time,
                    "server_id": owner, "server_name": format!("build-{owner}"), "owner_id": owner, "owner": "李雷",
                    "flavor": "c7.large.2", "price_per_hour": "0.3", "currency": "CNY",
                })
                .to_string()
            })
        })
        .collect();
    let facts: Vec<Fact<'_>> = texts.iter().map(|text| Fact::read(text).unwrap()).collect();
    let now = "2026-02-02T00:00:00Z".parse().unwrap();
    tally
        .take_in(&Batch {
            source: "platform",
            facts: &facts,
            unreadable: 0,
            position: None,
            complete: true,
            now,
        })
        .unwrap();

    let period = ["--from", "2026-01-01", "--to", "2026-01-31"];
    let summary = place.json(&[&["usage", "summary"], &period[..]].concat()).await;
    let ask = Ask::of("2026-01-01".parse().unwrap(), "2026-01-31".parse().unwrap());
    let sums = tally.sums(&ask, now).unwrap();
    assert_eq!(summary["total"]["servers"], sums.servers);
    assert_eq!(
        (sums.total.exists_ms, summary["total"]["hours"].as_str()),
        (4 * 3_600_000, Some("4.000000"))
    );
    assert_eq!(summary["total"]["cost"]["total"], "1.200000");

    let said = place
        .run(
            &[
                &["usage", "summary", "--by", "owner", "--owner", "u1"],
                &period[..],
            ]
            .concat(),
        )
        .await;
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("李雷") && said.contains("0.60") && said.contains("platform"),
        "{said}"
    );
    let servers = place
        .json(&[&["usage", "servers", "--limit", "1"], &period[..]].concat())
        .await;
    assert_eq!(
        (
            servers["count"].as_u64(),
            servers["servers"].as_array().unwrap().len()
        ),
        (Some(2), 1)
    );
    let owners = place.json(&[&["usage", "owners"], &period[..]].concat()).await;
    assert_eq!(owners["owners"], summary["owners"]);
    let forecast = place.run(&["usage", "forecast"]).await;
    assert_eq!(code(&forecast), 0, "{}", common::said(&forecast));
    assert!(String::from_utf8_lossy(&forecast.stdout).contains("Next quarter"));
    let unknown = place.run(&["usage", "owners", "--owner", "nobody"]).await;
    assert_ne!(code(&unknown), 0);
    assert!(
        common::said(&unknown).contains("nobody"),
        "{}",
        common::said(&unknown)
    );
}
