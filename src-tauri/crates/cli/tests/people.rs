//! What people read, in their time zone and with the words of their language; programs read the same as ever.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::process::Output;

use serde_json::{Value, json};

use common::*;

async fn make(place: &Place, name: &str, length: &str) -> Value {
    let arguments = [
        "server",
        "create",
        name,
        "--template",
        "linux-small",
        "--for",
        length,
    ];
    place.json(&arguments).await
}

fn answered(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn people_read_the_end_of_a_lease_in_their_time_zone_with_the_time_left() {
    let place = Place::new().await;
    make(&place, "here", "8h").await;
    let told = place.json(&["server", "show", "here"]).await;
    let end = told["leaseEnd"].as_str().unwrap();
    let end: chrono::DateTime<chrono::FixedOffset> = end.parse().unwrap();
    assert_eq!(
        end.offset().local_minus_utc(),
        0,
        "programs read it in UTC: {told:#}"
    );
    let there = end.with_timezone(&chrono::FixedOffset::east_opt(9 * 3600 + 1800).unwrap());
    let there = there.format("%Y-%m-%d %H:%M").to_string();
    for (language, label, left) in [
        ("en", "Lease end", " (in 7 h 5"),
        ("zh-CN", "租期至", "（还有 7 小时 5"),
    ] {
        for arguments in [&["server", "show", "here"][..], &["server", "list"]] {
            let mut command = place.command(arguments);
            // The last one holds; no time zone of this name is needed on the machine.
            command.args(["--language", language]).env("TZ", "EXP-9:30");
            let output = finish(command).await;
            let text = answered(&output);
            assert!(text.contains(&format!("{there}{left}")), "{there}{left}: {text}");
            if arguments[1] == "show" {
                assert!(text.contains(label) && !text.contains("leaseEnd"), "{text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_leases_are_extended_each_from_its_own_end_and_several_servers_are_deleted() {
    let place = Place::new().await;
    for (name, length) in [("one", "8h"), ("two", "8h"), ("three", "20h")] {
        make(&place, name, length).await;
    }
    let end = async |name: &str| -> chrono::DateTime<chrono::Utc> {
        let server = place.json(&["server", "show", name]).await;
        server["leaseEnd"].as_str().unwrap().parse().unwrap()
    };
    let before = [end("one").await, end("three").await];
    let rehearsed = place
        .json(&["server", "extend", "one", "three", "--by", "2h", "--dry-run"])
        .await;
    assert!(
        rehearsed["requests"].as_array().unwrap().len() >= 2,
        "{rehearsed:#}"
    );
    assert_eq!(rehearsed["command"].as_str().unwrap().lines().count(), 2);
    assert_eq!(end("one").await, before[0], "nothing was sent");

    let results = place
        .json(&["server", "extend", "one", "three", "--by", "2h"])
        .await;
    let results = results.as_array().unwrap();
    assert_eq!(results.len(), 2, "one each: {results:#?}");
    for result in results {
        assert_eq!(result["operation"]["outcome"], "ok", "{result:#}");
    }
    for (name, before) in [("one", before[0]), ("three", before[1])] {
        let moved = end(name).await - before;
        assert_eq!(moved.num_minutes(), 120, "{name} from its own end on");
    }

    let somebody_elses = "gateway-01";
    let unsure = place.run(&["server", "delete", "one", "two", "--json"]).await;
    assert_eq!(error(&unsure)["code"], "confirmation_missing");
    let mixed = place
        .run(&[
            "server",
            "delete",
            "one",
            somebody_elses,
            "two",
            "--yes",
            "--json",
        ])
        .await;
    assert_eq!(code(&mixed), 4, "as the first trouble says: {}", said(&mixed));
    let results: Value = serde_json::from_slice(&mixed.stdout).unwrap();
    let outcomes: Vec<&Value> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let refused = &result["error"]["code"];
            if refused.is_null() {
                &result["operation"]["outcome"]
            } else {
                refused
            }
        })
        .collect();
    assert_eq!(
        outcomes,
        [&json!("ok"), &json!("not_adopted"), &json!("ok")],
        "{results:#}"
    );
    let unknown = place
        .run(&["server", "delete", "three", "one", "--yes", "--json"])
        .await;
    assert_eq!(error(&unknown)["code"], "server_unknown");
    assert_eq!(
        place.json(&["server", "show", "three"]).await["state"],
        "running",
        "when one is unknown, none is deleted"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_is_printed_in_the_form_that_is_asked_for() {
    let place = Place::new().await;
    make(&place, "shown", "8h").await;
    let stop = ["server", "stop", "shown", "--dry-run"];
    let all = place.json(&stop).await;
    let request = &all["requests"][0];
    let print = async |form: &str| {
        let arguments: Vec<&str> = stop.into_iter().chain(["--form", form]).collect();
        let output = place.run(&arguments).await;
        assert_eq!(code(&output), 0, "{}", said(&output));
        answered(&output).trim_end().to_owned()
    };
    assert_eq!(print("wangcheng").await, all["command"].as_str().unwrap());
    assert_eq!(print("hcloud").await, request["koo"].as_str().unwrap().trim_end());
    assert_eq!(
        print("python").await,
        request["python"].as_str().unwrap().trim_end()
    );
    let first = format!("POST {}", request["url"].as_str().unwrap());
    assert_eq!(print("http").await.lines().next(), Some(first.as_str()));
    let alone = place.run(&["server", "stop", "shown", "--form", "hcloud"]).await;
    assert_eq!(code(&alone), 2, "it would be sent: {}", said(&alone));
    let state = place.json(&["server", "show", "shown"]).await;
    assert_eq!(state["state"], "running", "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_has_its_next_step_on_a_line_of_its_own_with_the_command_marked() {
    let place = Place::new().await;
    let people = place.run(&["server", "show", "nobody"]).await;
    assert_eq!(
        said(&people),
        "wangcheng: There is no such server: nobody\n  See `wangcheng server list`.\n"
    );
    let program = place.run(&["server", "show", "nobody", "--json"]).await;
    assert_eq!(error(&program)["nextStep"], "See wangcheng server list.");
}
