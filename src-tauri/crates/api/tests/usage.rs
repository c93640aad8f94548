//! The usage summary over the real application: of what was done here, and of what everybody did.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::path::Path;

use serde_json::{Value, json};
use store::Tally;
use store::tally::{Batch, Fact};

use common::*;

/// More servers than one answer of a list has.
const MORE: usize = 1_200;

fn number(value: &Value) -> i64 {
    places(value, 6)
}

/// What a bill says, in hundred millionths: it has more places than our own figures.
fn billed(value: &Value) -> i64 {
    places(value, 8)
}

fn places(value: &Value, most: usize) -> i64 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is decimal text"));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= most, "{text}");
    format!("{whole}{part:0<most$}").parse().unwrap()
}

fn sum(rows: &Value, key: &str) -> i64 {
    let rows = rows.as_array().unwrap();
    rows.iter().map(|row| number(row.pointer(key).unwrap())).sum()
}

/// Months of what others did: three owners with a server of seven hours every weekday, at a price that does not divide
/// evenly. And `more` servers of an hour on one day.
fn fill(dir: &Path, more: usize) {
    let tally = Tally::open(dir).unwrap();
    let mut texts = Vec::new();
    let begin: chrono::DateTime<chrono::Utc> = "2025-12-01T01:00:00Z".parse().unwrap();
    for day in 0..75 {
        for owner in 0..3 {
            let from = begin + chrono::TimeDelta::days(day);
            let to = from + chrono::TimeDelta::minutes(7 * 60 + 20 * owner + 1);
            let server = format!("s-{owner}-{day}");
            let event = |action: &str, at: chrono::DateTime<chrono::Utc>| {
                json!({
                    "schema": "wangcheng.event.v1", "event_id": format!("{action}-{server}"), "action": action,
                    "outcome": "ok", "time": at.to_rfc3339(), "server_id": server, "server_name": server,
                    "owner_id": format!("u{owner}"), "owner": format!("用户{owner}"), "region": "cn-north-4",
                    "flavor": (["c7.large.2", "c7.xlarge.2"][usize::from(day % 2 == 0)]),
                    "purpose": (["ci", ""][usize::from(owner == 2)]), "template": "docker",
                    "price_per_hour": "0.333333", "price_disk_per_hour": "0.0777", "currency": "CNY", "disk_gb": 40,
                })
                .to_string()
            };
            texts.push(event("server.created", from));
            texts.push(event("server.deleted", to));
        }
    }
    for nth in 0..more {
        for (action, time) in [
            ("server.created", "2026-01-05T01:00:00Z"),
            ("server.deleted", "2026-01-05T02:00:00Z"),
        ] {
            let event = json!({
                "schema": "wangcheng.event.v1", "event_id": format!("{action}-more-{nth}"), "action": action,
                "outcome": "ok", "time": time, "server_id": format!("more-{nth}"), "owner_id": "u0",
            });
            texts.push(event.to_string());
        }
    }
    let facts: Vec<Fact<'_>> = texts.iter().map(|text| Fact::read(text).unwrap()).collect();
    let batch = Batch {
        source: "platform",
        facts: &facts,
        unreadable: 0,
        position: None,
        complete: true,
        now: "2026-02-14T00:00:00Z".parse().unwrap(),
    };
    tally.take_in(&batch).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_breakdown_of_a_summary_adds_up_to_its_total() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(dir.path(), &running).await;
    sign_in(&api).await;
    let info = ask(&api, "app.info", Value::Null).await;
    fill(Path::new(info["dataDir"].as_str().unwrap()), 0);

    let days = json!({ "from": "2025-12-10", "to": "2026-02-10" });
    let summary = ask(&api, "usage.summary", days).await;
    let total = &summary["total"];
    let cost = number(&total["cost"]["total"]);
    assert_eq!(
        (total["servers"].as_u64(), total["owners"].as_u64()),
        (Some(63 * 3), Some(3))
    );
    // 63 days of 7 h 1 min, 7 h 21 min and 7 h 41 min.
    assert_eq!(number(&total["hours"]), 63 * (21 * 60 + 63) * 1_000_000 / 60);
    assert_eq!(cost, (63 * (21 * 60 + 63) * 333_333 + 30) / 60, "rounded once");
    for (rows, key) in [
        ("months", "/cost/total"),
        ("owners", "/cost"),
        ("flavors", "/cost"),
        ("regions", "/cost"),
        ("purposes", "/cost"),
        ("templates", "/cost"),
    ] {
        assert_eq!(sum(&summary[rows], key), cost, "{rows}");
    }
    for rows in [
        "months",
        "days",
        "owners",
        "flavors",
        "regions",
        "purposes",
        "templates",
    ] {
        assert_eq!(sum(&summary[rows], "/hours"), number(&total["hours"]), "{rows}");
        assert_eq!(
            sum(&summary[rows], "/runningHours"),
            number(&total["runningHours"]),
            "{rows}"
        );
    }
    let months = summary["months"].as_array().unwrap();
    for (nth, month) in months.iter().enumerate() {
        // Traffic is known from bills alone.
        let kinds = ["compute", "disk", "address", "unsplit"];
        let kinds: i64 = kinds.iter().map(|kind| number(&month["cost"][*kind])).sum();
        let owners: i64 = summary["owners"]
            .as_array()
            .unwrap()
            .iter()
            .map(|owner| number(&owner["months"][nth]))
            .sum();
        assert_eq!(
            (kinds, owners),
            (number(&month["cost"]["total"]), number(&month["cost"]["total"])),
            "{month:#}"
        );
    }
    assert_eq!(
        summary["before"]["cost"]["total"]
            .as_str()
            .map(|text| text != "0.000000"),
        Some(true)
    );
    let owners: Vec<_> = summary["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|owner| owner["name"].as_str().unwrap())
        .collect();
    assert_eq!(owners, ["用户2", "用户1", "用户0"], "the dearest first");
    assert_eq!(summary["purposes"][1]["key"], "", "what has none is a line, too");

    // The same figures whichever way they are asked for.
    let ci = json!({ "from": "2025-12-10", "to": "2026-02-10", "cut": { "purposes": ["ci"], "flavors": ["c7.large.2"] } });
    let part = ask(&api, "usage.summary", ci.clone()).await;
    let mut top = ci.clone();
    top["limit"] = json!(1000);
    let servers = ask(&api, "usage.servers", top.clone()).await;
    assert_eq!(servers["count"], part["total"]["servers"]);
    assert_eq!(
        sum(&servers["servers"], "/hours") / 1000,
        number(&part["total"]["hours"]) / 1000,
        "but for rounding"
    );
    let all_owners = ask(&api, "usage.owners", top.clone()).await;
    assert_eq!(all_owners["owners"], part["owners"]);
    top["to"] = json!("2025-12-11");
    let timeline = ask(&api, "usage.timeline", top).await;
    assert_eq!(
        timeline["rows"][0]["stretches"][0]["from"], "2025-12-10T01:00:00Z",
        "{timeline:#}"
    );
    let events = ask(&api, "usage.events", json!({ "server": "s-0-0" })).await;
    assert_eq!(
        (events[0]["action"].as_str(), events[1]["action"].as_str()),
        (Some("server.created"), Some("server.deleted"))
    );
    assert_eq!(events[0]["pricePerHour"], "0.333333");

    let refused = api
        .call(
            "usage.summary",
            json!({ "from": "2026-02-10", "to": "2026-02-01" }),
        )
        .await
        .unwrap_err();
    assert_eq!(refused.code, "bad_input");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_here_is_in_the_summary_at_once_with_its_price_in_parts_and_held_against_the_budget() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(dir.path(), &running).await;
    sign_in(&api).await;
    ask(&api, "servers.create", create("usage-01")).await;
    until("the server", &api, "operations.list", |all| {
        all[0]["outcome"] == "ok"
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;

    let today = (chrono::Utc::now() + chrono::TimeDelta::hours(8)).date_naive();
    let summary = ask(
        &api,
        "usage.summary",
        json!({ "from": today - chrono::TimeDelta::days(1), "to": today }),
    )
    .await;
    let total = &summary["total"];
    assert_eq!(total["servers"], 1, "{summary:#}");
    let own = &summary["sources"][0];
    assert_eq!(
        (own["name"].as_str(), own["complete"].as_bool()),
        (Some("ledger"), Some(true))
    );
    let events = ask(
        &api,
        "usage.servers",
        json!({ "from": today - chrono::TimeDelta::days(1), "to": today, "limit": 5 }),
    )
    .await;
    assert_eq!(events["servers"][0]["name"], "usage-01");
    let server = events["servers"][0]["server"].as_str().unwrap();
    let told = ask(&api, "usage.events", json!({ "server": server })).await;
    assert_eq!(told[0]["action"], "server.created");
    let cost = &total["cost"];
    assert_eq!(cost["unsplit"], "0.000000", "its parts are known: {cost}");
    assert!(
        number(&cost["compute"]) > 0 && number(&cost["disk"]) > 0,
        "{cost}"
    );

    let budget = json!([{
        "scope": "all", "key": "", "monthly": { "amount": "0.000001", "currency": "CNY" }, "percentages": [100, 50],
    }]);
    let budgets = ask(&api, "usage.set_budgets", budget).await;
    assert_eq!(budgets[0]["reached"], json!([50, 100]), "{budgets:#}");
    assert_eq!(
        ask(&api, "usage.budgets", Value::Null).await[0]["budget"]["scope"],
        "all"
    );
    let bad = json!([{ "scope": "owner", "key": "", "monthly": { "amount": "1", "currency": "CNY" }, "percentages": [] }]);
    assert_eq!(
        api.call("usage.set_budgets", bad).await.unwrap_err().code,
        "bad_input"
    );

    let forecast = ask(&api, "usage.forecast", json!({})).await;
    assert_eq!(forecast["nextMonth"]["tooLittle"], true, "{forecast:#}");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_the_summarys_figures_as_numbers_and_dates() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(dir.path(), &running).await;
    sign_in(&api).await;
    let info = ask(&api, "app.info", Value::Null).await;
    fill(Path::new(info["dataDir"].as_str().unwrap()), MORE);
    let days = json!({ "from": "2025-12-10", "to": "2026-02-10" });
    let summary = ask(&api, "usage.summary", days.clone()).await;
    let export = async |format: &str, table: &str| {
        let asked = json!({ "ask": days, "format": format, "table": table });
        let asked = serde_json::from_value(asked).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let target = api::ExportTarget::File(file.reopen().unwrap());
        api.export_usage(asked, target).await.unwrap();
        std::fs::read(file.path()).unwrap()
    };

    let months = String::from_utf8(export("csv", "months").await).unwrap();
    let costs: Vec<&str> = months
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(3).unwrap())
        .collect();
    let told = summary["months"].as_array().unwrap();
    let told: Vec<&str> = told
        .iter()
        .map(|month| month["cost"]["total"].as_str().unwrap())
        .collect();
    assert_eq!(costs, told, "to the last place");
    let servers = String::from_utf8(export("csv", "servers").await).unwrap();
    assert_eq!(
        servers.lines().count(),
        1 + 63 * 3 + MORE,
        "every server, however many there are"
    );

    let book = export("xlsx", "months").await;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
    let mut read = |name: &str| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut archive.by_name(name).unwrap(), &mut text).unwrap();
        text
    };
    let names = read("xl/workbook.xml");
    for name in [
        "Summary", "Months", "Days", "Owners", "Flavors", "Servers", "Sources",
    ] {
        assert!(names.contains(&format!("name=\"{name}\"")), "{names}");
    }
    let sheet = read("xl/worksheets/sheet2.xml");
    // 1 December 2025 is day 45992 of a spreadsheet, and the cost beside it is a number.
    assert!(sheet.contains("<v>45992</v>"), "{sheet}");
    let cost: f64 = told[0].parse().unwrap();
    assert!(sheet.contains(&format!("<v>{cost}</v>")), "{cost} in {sheet}");
    assert!(!sheet.contains("<f>"), "no formulas");
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_stand_beside_the_estimate_with_their_traffic_for_whole_months_only() {
    let dir = tempfile::tempdir().unwrap();
    let running = region(dir.path()).await;
    let api = open(dir.path(), &running).await;
    sign_in(&api).await;
    // The cloud bills by days of Asia/Shanghai.
    let today = (chrono::Utc::now() + chrono::TimeDelta::hours(8)).date_naive();
    let first = chrono::Datelike::with_day(&today, 1).unwrap();
    let month = json!({ "from": first, "to": today });
    let before = ask(&api, "usage.summary", month.clone()).await;
    assert_eq!(
        before["bills"]["months"],
        json!([]),
        "nothing is read without a wish"
    );

    assert_eq!(ask(&api, "usage.read_bills", month.clone()).await["read"], 1);
    let bill = ask(
        &api,
        "usage.bill",
        json!({ "month": first.format("%Y-%m").to_string() }),
    )
    .await;
    let after = ask(&api, "usage.summary", month.clone()).await;
    let bills = &after["bills"];
    assert_eq!(bills["months"][0]["isFinal"], false);
    assert_eq!(bills["billed"].as_str(), bill["billed"]["amount"].as_str());
    let of_kind = |kind: &str| {
        let kinds = bill["kinds"].as_array().unwrap().iter();
        kinds
            .filter(|one| one["kind"] == kind)
            .map(|one| billed(&one["billed"]["amount"]))
            .sum::<i64>()
    };
    // Early in a month there may be none yet.
    assert!(
        of_kind("traffic") > 0 || chrono::Datelike::day(&today) < 3,
        "{bill:#}"
    );
    assert_eq!(billed(&bills["traffic"]), of_kind("traffic"));
    assert_eq!(after["total"], before["total"], "in no sum of the estimate");

    let mut part = month.clone();
    part["cut"] = json!({ "flavors": ["s6.large.2"] });
    let part = ask(&api, "usage.summary", part).await;
    assert_eq!(part["bills"]["months"], json!([]), "a bill knows no flavors");
    if today > first {
        let part = json!({ "from": first, "to": first });
        let part = ask(&api, "usage.summary", part).await;
        assert_eq!(part["bills"]["months"], json!([]), "nor days");
    }
    api.stop().await;
}
