//! Disks, networks and what is left of servers that are gone, rehearsed and done.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use serde_json::{Value, json};

use common::*;

/// The only request that a rehearsal shows: method, address, body.
fn would_send(rehearsed: &Value) -> (String, String, Value) {
    let requests = rehearsed["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1, "{rehearsed:#}");
    let part = |key: &str| requests[0][key].as_str().unwrap().to_owned();
    let body = serde_json::from_str(&part("body")).unwrap_or(Value::Null);
    (part("method"), part("url"), body)
}

async fn make(place: &Place, name: &str) -> String {
    let made = place
        .json(&["server", "create", name, "--template", "linux-small"])
        .await;
    assert_eq!(made["outcome"], "ok", "{made:#}");
    made["serverId"].as_str().unwrap().to_owned()
}

async fn disks(place: &Place, server: &str) -> Vec<Value> {
    let list = place.json(&["disk", "list", server]).await;
    list["disks"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_is_made_grown_taken_off_and_deleted_each_rehearsed_before() {
    let place = Place::new().await;
    let server = make(&place, "disky").await;
    let add = ["disk", "add", "disky", "--type", "GPSSD", "--size", "40"];
    let rehearsal: Vec<&str> = add.into_iter().chain(["--dry-run"]).collect();
    let (method, url, body) = would_send(&place.json(&rehearsal).await);
    assert!(method == "POST" && url.ends_with("/cloudvolumes"), "{url}");
    assert_eq!(
        (&body["volume"]["size"], &body["server_id"]),
        (&json!(40), &json!(server))
    );
    assert_eq!(disks(&place, "disky").await.len(), 1, "nothing was made");

    let people = place.run(&add).await;
    let text = String::from_utf8_lossy(&people.stdout);
    assert!(
        said(&people).contains("CNY"),
        "what it costs is told: {}",
        said(&people)
    );
    assert!(
        text.contains("mkfs"),
        "and what is left to do in the guest: {text}"
    );
    let made = disks(&place, "disky").await[1].clone();
    let (id, name) = (made["id"].as_str().unwrap(), made["name"].as_str().unwrap());
    let device = made["device"].as_str().unwrap();

    let grow = ["disk", "grow", "disky", device, "--to", "60"];
    let rehearsal: Vec<&str> = grow.into_iter().chain(["--dry-run"]).collect();
    let (method, url, body) = would_send(&place.json(&rehearsal).await);
    assert!(
        method == "POST" && url.contains(id) && url.ends_with("/action"),
        "{url}"
    );
    assert_eq!(body["os-extend"]["new_size"], 60);
    let grown = place.json(&grow).await;
    assert_eq!(
        (&grown["kind"], &grown["outcome"]),
        (&json!("disk.grow"), &json!("ok")),
        "{grown:#}"
    );
    let table = place.run(&["disk", "list", "disky"]).await;
    let table = String::from_utf8(table.stdout).unwrap();
    let row = table.lines().find(|line| line.contains(id)).unwrap();
    assert!(row.contains(" 60 ") && row.contains(device), "{table}");

    let smaller = place
        .run(&["disk", "grow", "disky", name, "--to", "50", "--json"])
        .await;
    assert_eq!(
        (code(&smaller), &error(&smaller)["code"]),
        (4, &json!("disk_size_invalid"))
    );
    let system = disks(&place, "disky").await[0]["id"].as_str().unwrap().to_owned();
    let system = place
        .run(&["disk", "detach", "disky", &system, "--yes", "--json"])
        .await;
    assert_eq!(
        (code(&system), &error(&system)["code"]),
        (4, &json!("disk_is_system"))
    );
    let unknown = place
        .run(&["disk", "detach", "disky", "none", "--yes", "--json"])
        .await;
    assert_eq!(
        (code(&unknown), &error(&unknown)["code"]),
        (4, &json!("disk_unknown"))
    );
    let attached = place
        .run(&["disk", "delete", "disky", id, "--yes", "--json"])
        .await;
    assert_eq!(
        (code(&attached), &error(&attached)["code"]),
        (4, &json!("disk_attached"))
    );

    let commands = place
        .run(&["disk", "commands", "disky", name, "--for", "detach"])
        .await;
    assert!(String::from_utf8_lossy(&commands.stdout).contains("umount"));
    let (method, url, _) = would_send(&place.json(&["disk", "detach", "disky", id, "--dry-run"]).await);
    assert!(
        method == "DELETE" && url.contains("/detachvolume/") && url.contains(id),
        "{url}"
    );
    let unconfirmed = place.run(&["disk", "detach", "disky", id, "--json"]).await;
    assert_eq!(error(&unconfirmed)["code"], "confirmation_missing");
    let detached = place.json(&["disk", "detach", "disky", id, "--yes"]).await;
    assert_eq!(detached["outcome"], "ok", "{detached:#}");

    let attach = ["disk", "attach", "disky", id];
    let rehearsal: Vec<&str> = attach.into_iter().chain(["--dry-run"]).collect();
    let (method, url, body) = would_send(&place.json(&rehearsal).await);
    assert!(method == "POST" && url.ends_with("/attachvolume"), "{url}");
    assert_eq!(body["volumeAttachment"]["volumeId"], id);
    let people = place.run(&attach).await;
    let text = String::from_utf8_lossy(&people.stdout);
    assert!(
        text.contains("sudo mount") && !text.contains("mkfs"),
        "what is on it stays: {text}"
    );
    let back = disks(&place, "disky").await[1].clone();
    assert_eq!(
        (&back["id"], &back["attached"], &back["goesWithServer"]),
        (&json!(id), &json!(true), &json!(true))
    );
    let detached = place.json(&["disk", "detach", "disky", id, "--yes"]).await;
    assert_eq!(detached["outcome"], "ok", "{detached:#}");

    let (method, url, _) = would_send(&place.json(&["disk", "delete", "disky", id, "--dry-run"]).await);
    assert!(
        method == "DELETE" && url.ends_with(&format!("/cloudvolumes/{id}")),
        "{url}"
    );
    let unconfirmed = place.run(&["disk", "delete", "disky", id, "--json"]).await;
    assert_eq!(
        (code(&unconfirmed), &error(&unconfirmed)["code"]),
        (4, &json!("confirmation_missing"))
    );
    assert_eq!(disks(&place, "disky").await.len(), 2, "only what was confirmed");
    let deleted = place.json(&["disk", "delete", "disky", id, "--yes"]).await;
    assert_eq!(deleted["outcome"], "ok", "{deleted:#}");
    assert_eq!(disks(&place, "disky").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_server_is_listed_and_removed_when_that_is_meant() {
    let place = Place::new().await;
    make(&place, "gone").await;
    let nothing = place.json(&["server", "leftovers"]).await;
    assert_eq!(nothing["items"], json!([]));
    let nothing = place.run(&["server", "leftovers", "--remove"]).await;
    assert_eq!(code(&nothing), 0, "{}", said(&nothing));

    place
        .json(&["disk", "add", "gone", "--type", "GPSSD", "--size", "20"])
        .await;
    let disk = disks(&place, "gone").await[1]["id"].as_str().unwrap().to_owned();
    place.json(&["disk", "detach", "gone", &disk, "--yes"]).await;
    let deleted = place.run(&["server", "delete", "gone", "--yes"]).await;
    assert_eq!(code(&deleted), 0, "{}", said(&deleted));
    let facts = String::from_utf8(deleted.stdout).unwrap();
    assert!(
        facts
            .lines()
            .any(|line| line.trim_start().starts_with("Parts left over ") && line.ends_with('1')),
        "what stays is told: {facts}"
    );

    let found = place.json(&["server", "leftovers"]).await;
    assert_eq!(found["items"][0]["id"], disk.as_str(), "{found:#}");
    let table = place.run(&["server", "leftovers"]).await;
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(
        table.contains(&disk) && table.contains("A MONTH") && table.contains("CNY"),
        "{table}"
    );

    let (method, url, _) = would_send(
        &place
            .json(&["server", "leftovers", "--remove", &disk, "--dry-run"])
            .await,
    );
    assert!(
        method == "DELETE" && url.ends_with(&format!("/cloudvolumes/{disk}")),
        "{url}"
    );
    let unconfirmed = place.run(&["server", "leftovers", "--remove", "--json"]).await;
    assert_eq!(
        (code(&unconfirmed), &error(&unconfirmed)["code"]),
        (4, &json!("confirmation_missing"))
    );
    let unknown = place
        .run(&["server", "leftovers", "--remove", "none", "--yes", "--json"])
        .await;
    assert_eq!(
        (code(&unknown), &error(&unknown)["code"]),
        (4, &json!("leftover_unknown"))
    );
    let removed = place
        .json(&["server", "leftovers", "--remove", &disk, "--yes"])
        .await;
    assert_eq!(removed[0]["id"], disk.as_str());
    assert_eq!(removed[0]["operation"]["outcome"], "ok", "{removed:#}");
    let nothing = place.json(&["server", "leftovers"]).await;
    assert_eq!(nothing["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_is_let_in_and_a_servers_parts_are_marked_again() {
    let place = Place::new().await;
    let admit = ["network", "admit-ssh", "203.0.113.7"];
    let rehearsal: Vec<&str> = admit.into_iter().chain(["--dry-run"]).collect();
    let (method, url, body) = would_send(&place.json(&rehearsal).await);
    assert!(method == "POST" && url.ends_with("/security-groups"), "{url}");
    assert!(body["security_group"]["name"].is_string(), "{body:#}");
    let admitted = place.json(&admit).await;
    assert_eq!(admitted["outcome"], "ok", "{admitted:#}");
    assert!(admitted["securityGroup"].is_string(), "{admitted:#}");
    let wide = place
        .run(&["network", "admit-ssh", "203.0.0.0/16", "--json"])
        .await;
    assert_eq!(
        (code(&wide), &error(&wide)["code"]),
        (4, &json!("address_too_wide"))
    );
    let own = place.json(&["network", "own-address"]).await;
    assert!(own.get("address").is_some(), "{own:#}");

    let made = place
        .json(&[
            "server",
            "create",
            "parts",
            "--template",
            "linux-small",
            "--public-mbps",
            "5",
        ])
        .await;
    assert_eq!(made["outcome"], "ok", "{made:#}");
    let (method, url, body) = would_send(&place.json(&["server", "mark", "parts", "--dry-run"]).await);
    assert!(
        method == "POST" && url.contains("/publicips/") && url.ends_with("/tags/action"),
        "the disk has its tags: {url}"
    );
    let tags = body["tags"].as_array().unwrap();
    assert!(
        tags.iter()
            .any(|tag| tag["key"] == "wangcheng-server" && tag["value"] == made["serverId"]),
        "{body:#}"
    );
    let marked = place.json(&["server", "mark", "parts"]).await;
    assert_eq!(marked["outcome"], "ok", "{marked:#}");
}
