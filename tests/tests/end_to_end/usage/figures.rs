//! The seeded past of two years, pulled from the receiver in the window: what is on the screen, what the terminal says, what
//! a count minute by minute comes to, and what SQL on the receiver answers are the same.

use chrono::NaiveDate;
use serde_json::Value;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::past;
use wangcheng_tests::programs;
use wangcheng_tests::reference::{self, Counted, Reference};
use wangcheng_tests::screens;
use wangcheng_tests::walk::{Album, Walk};
use wangcheng_tests::window::{Window, testid};

use super::super::Stage;
use super::{figure, terminal};

/// Each server's stretches: the price and the state that were told last hold until the next is told. A stopped one costs
/// its disks and its address. Whole minutes, money in ten thousandths an hour × minutes.
const BY_OWNER: &str = "
    WITH told AS (
        SELECT DISTINCT event_id, server_id, owner_id, action, _time / 60000000 AS minute,
               CASE action WHEN 'server.created' THEN 0 ELSE 1 END AS rank,
               CASE WHEN action IN ('server.created', 'server.resized', 'disk.attached')
                    THEN CAST(REPLACE(price_per_hour, '.', '') AS INTEGER) END AS price,
               CASE WHEN action IN ('server.created', 'server.resized', 'disk.attached')
                    THEN CAST(REPLACE(price_disk_per_hour, '.', '') AS INTEGER)
                         + CAST(REPLACE(price_address_per_hour, '.', '') AS INTEGER) END AS stays,
               CASE action WHEN 'server.created' THEN 1 WHEN 'server.started' THEN 1 WHEN 'server.stopped' THEN 0 END AS runs,
               CASE action WHEN 'server.created' THEN CAST(strftime('%s', lease_end) AS INTEGER) / 60 END AS lease
        FROM wangcheng
        WHERE outcome = 'ok' AND action IN
            ('server.created', 'server.started', 'server.stopped', 'server.resized', 'disk.attached', 'server.deleted')
    ),
    lives AS (
        SELECT server_id, COALESCE(MIN(CASE action WHEN 'server.deleted' THEN minute END), MAX(lease)) AS ended
        FROM told GROUP BY server_id
    ),
    ordered AS (
        SELECT told.*, COUNT(price) OVER life AS nth_price, COUNT(runs) OVER life AS nth_state, LEAD(minute) OVER life AS next
        FROM told WHERE action <> 'server.deleted' WINDOW life AS (PARTITION BY server_id ORDER BY minute, rank)
    ),
    known AS (
        SELECT server_id, owner_id, minute, next,
               MAX(price) OVER (PARTITION BY server_id, nth_price) AS price,
               MAX(stays) OVER (PARTITION BY server_id, nth_price) AS stays,
               MAX(runs) OVER (PARTITION BY server_id, nth_state) AS runs
        FROM ordered
    ),
    stretches AS (
        SELECT known.*, MAX(minute, :from) AS begins, MIN(COALESCE(next, ended), ended, :to) AS ends
        FROM known JOIN lives USING (server_id)
    )
    SELECT owner_id, COUNT(DISTINCT server_id) AS servers, SUM(ends - begins) AS exist, SUM((ends - begins) * runs) AS running,
           SUM((ends - begins) * CASE runs WHEN 1 THEN price ELSE stays END) AS money
    FROM stretches WHERE ends > begins GROUP BY owner_id ORDER BY money DESC, owner_id";

fn statement(from: NaiveDate, to: NaiveDate) -> String {
    // Asia/Shanghai is eight hours before UTC.
    let minute = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() / 60 - 480;
    let to = to.succ_opt().unwrap();
    BY_OWNER
        .replace(":from", &minute(from).to_string())
        .replace(":to", &minute(to).to_string())
}

/// A decimal with six places in millionths.
fn millionths(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("no decimal: {value}"));
    assert!(
        text.rsplit_once('.').is_some_and(|(_, places)| places.len() == 6),
        "{text}"
    );
    text.replace('.', "").parse().unwrap()
}

/// Minutes in millionths of an hour, money of the reference in millionths: both are thirds.
fn hours(minutes: i64) -> i64 {
    (minutes * 100_000 + 3) / 6
}

fn money(exact: i64) -> i64 {
    (exact * 10 + 3) / 6
}

/// A part shares what the whole was rounded to, so it may be a millionth beside.
fn near(told: i64, exact: i64, what: &str) {
    assert!((told - exact).abs() <= 1, "{what}: {told} is not {exact}");
}

fn the_terminal_counts(told: &Value, counted: &Reference) {
    let total = &told["total"];
    assert_eq!(
        total["servers"].as_u64(),
        Some(counted.total.servers.len() as u64)
    );
    assert_eq!(total["owners"].as_u64(), Some(counted.owners.len() as u64));
    for (key, minutes) in [
        ("hours", counted.total.exists),
        ("runningHours", counted.total.running),
        ("diskGbHours", counted.total.disk_gb),
    ] {
        assert_eq!(millionths(&total[key]), hours(minutes), "{key}");
    }
    assert_eq!(millionths(&total["cost"]["total"]), money(counted.total.cost()));
    for (nth, kind) in ["compute", "disk", "address"].into_iter().enumerate() {
        let parts = i64::try_from(told["months"].as_array().unwrap().len()).unwrap();
        let (told, exact) = (millionths(&total["cost"][kind]), money(counted.total.money[nth]));
        assert!((told - exact).abs() <= parts, "{kind}: {told} is not {exact}");
    }
    assert_eq!(total["cost"]["unsplit"], "0.000000");
    for month in told["months"].as_array().unwrap() {
        let of_month = counted
            .months
            .get(month["month"].as_str().unwrap())
            .cloned()
            .unwrap_or_default();
        near(
            millionths(&month["cost"]["total"]),
            money(of_month.cost()),
            "a month's money",
        );
        near(
            millionths(&month["hours"]),
            hours(of_month.exists),
            "a month's hours",
        );
    }
    for day in told["days"].as_array().unwrap() {
        let none = Counted::default();
        let of_day = counted.days.get(day["day"].as_str().unwrap()).unwrap_or(&none);
        near(millionths(&day["hours"]), hours(of_day.exists), "a day's hours");
        near(
            millionths(&day["runningHours"]),
            hours(of_day.running),
            "a day's running hours",
        );
    }
    for (list, counted) in [
        ("owners", &counted.owners),
        ("flavors", &counted.flavors),
        ("purposes", &counted.purposes),
    ] {
        let ranks = told[list].as_array().unwrap();
        assert_eq!(ranks.len(), counted.len(), "{list}");
        for rank in ranks {
            let one = &counted[rank["key"].as_str().unwrap()];
            assert_eq!(rank["servers"].as_u64(), Some(one.servers.len() as u64), "{rank}");
            let months = i64::try_from(told["months"].as_array().unwrap().len()).unwrap();
            let off = (millionths(&rank["cost"]) - money(one.cost())).abs();
            assert!(off <= months, "{list}: {rank}");
            near(millionths(&rank["hours"]), hours(one.exists), "a line's hours");
        }
    }
}

async fn the_receiver_counts(stage: &Stage, counted: &Reference, from: NaiveDate, to: NaiveDate) {
    let rows = stage.sandbox.ask_sql(&statement(from, to)).await.unwrap();
    assert_eq!(rows.len(), counted.owners.len());
    for row in rows {
        let one = &counted.owners[row["owner_id"].as_str().unwrap()];
        let told = ["servers", "exist", "running", "money"].map(|key| row[key].as_i64().unwrap());
        let servers = i64::try_from(one.servers.len()).unwrap();
        assert_eq!(told, [servers, one.exists, one.running, one.cost()], "{row}");
    }
}

/// To the cent, as English shows it.
fn yuan(millionths: i64) -> String {
    let cents = (millionths + 5_000) / 10_000;
    let whole = (cents / 100).to_string();
    let mut grouped = String::new();
    for (nth, digit) in whole.chars().enumerate() {
        if nth > 0 && (whole.len() - nth).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("¥{grouped}.{:02}", cents % 100)
}

async fn the_screen_shows(window: &Window, told: &Value) {
    let total = &told["total"];
    for (id, value) in [
        ("cost", &total["cost"]["total"]),
        ("hours", &total["hours"]),
        ("running", &total["runningHours"]),
        ("disk", &total["diskGbHours"]),
    ] {
        assert_eq!(
            figure(window, id, "data-value").await,
            value.as_str().unwrap(),
            "{id}"
        );
    }
    for (id, value) in [("servers", &total["servers"]), ("owners", &total["owners"])] {
        assert_eq!(figure(window, id, "data-value").await, value.to_string(), "{id}");
    }
    let read = |testid: &str, attribute: &str| {
        format!(
            "return Array.from(document.querySelectorAll('[data-testid=\"{testid}\"]'), one => [one.dataset.key, one.{attribute}])"
        )
    };
    let columns = window
        .script(&read("usage-months-chart-column", "getAttribute('aria-label')"))
        .await
        .unwrap();
    let months = told["months"].as_array().unwrap();
    assert_eq!(columns.as_array().unwrap().len(), months.len());
    for (column, month) in columns.as_array().unwrap().iter().zip(months) {
        assert_eq!(column[0], month["month"]);
        let (said, amount) = (
            column[1].as_str().unwrap(),
            yuan(millionths(&month["cost"]["total"])),
        );
        assert!(
            said.contains(&format!(": {amount}.")),
            "{said} does not say {amount}"
        );
    }
    let ranks = window.script(&read("usage-rank", "dataset.cost")).await.unwrap();
    let owners = told["owners"].as_array().unwrap();
    let expected: Vec<_> = owners
        .iter()
        .map(|owner| [owner["key"].clone(), owner["cost"].clone()])
        .collect();
    assert_eq!(ranks, serde_json::json!(expected));
    let cells = window
        .script("return document.querySelectorAll('[data-testid=\"usage-heat\"] rect').length")
        .await
        .unwrap();
    assert_eq!(cells, 168);
}

#[tokio::test]
async fn screen_terminal_a_plain_count_and_sql_on_the_receiver_agree_over_two_years() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let events = past::events().unwrap();
    stage.sandbox.deliver(&events).await.unwrap();
    let window = stage.open("en", "light").await;
    window.set_size(1280, 860).await.unwrap();
    let album = Album::new(
        &programs::target_dir()
            .unwrap()
            .join("end-to-end")
            .join("usage-past"),
    );
    let mut walk = Walk::with_album(&window, album);
    walk.demo().await.unwrap();

    walk.pull().await.unwrap();

    let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
    for (from, to) in [
        past::DAYS,
        ("2025-02-01", "2025-02-28"),
        ("2025-06-11", "2025-06-11"),
    ] {
        let counted = reference::count(&events, day(from), day(to)).unwrap();
        assert!(counted.total.cost() > 0, "{from} – {to} is about something");
        screens::past::days(&window, from, to).await.unwrap();
        let told = terminal(&stage, &["usage", "summary", "--from", from, "--to", to]).await;
        the_terminal_counts(&told, &counted);
        the_receiver_counts(&stage, &counted, day(from), day(to)).await;
        the_screen_shows(&window, &told).await;
        walk.picture(&format!("{from}-{to}")).await.unwrap();
    }

    // A part of it: one flavor, chosen on the screen.
    let (from, to) = past::DAYS;
    screens::past::days(&window, from, to).await.unwrap();
    window.click(&testid("usage-filter-flavors")).await.unwrap();
    window
        .click(&format!("{}[data-word=\"c7.large.2\"]", testid("usage-choice")))
        .await
        .unwrap();
    window.press("\u{e00c}").await.unwrap();
    let part: Vec<Value> = events
        .iter()
        .filter(|event| {
            let created = events
                .iter()
                .find(|one| one["server_id"] == event["server_id"] && one["action"] == "server.created");
            created.is_some_and(|created| created["flavor"] == "c7.large.2")
        })
        .cloned()
        .collect();
    let counted = reference::count(&part, day(from), day(to)).unwrap();
    let told = terminal(
        &stage,
        &[
            "usage",
            "summary",
            "--from",
            from,
            "--to",
            to,
            "--flavor",
            "c7.large.2",
        ],
    )
    .await;
    the_terminal_counts(&told, &counted);
    let shown = format!(
        "{}[data-figure=\"cost\"][data-value=\"{}\"]",
        testid("usage-figure"),
        told["total"]["cost"]["total"].as_str().unwrap()
    );
    window.find(&shown).await.unwrap();
    the_screen_shows(&window, &told).await;
    window.close().await.unwrap();
}
