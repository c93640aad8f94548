use serde_json::json;
use store::tally::{Amounts, Sums};

use super::*;

const HOUR: u64 = 3_600_000;

fn cny(text: &str) -> i128 {
    let amount: rust_decimal::Decimal = text.parse().unwrap();
    let mut amount = amount;
    amount.rescale(6);
    amount.mantissa() * (Amounts::UNIT / 1_000_000)
}

fn hours(sums: &Sums) -> (u64, u64) {
    (sums.total.exists_ms / HOUR, sums.total.running_ms / HOUR)
}

fn made(flavor: &str, price: &str) -> Value {
    json!({ "flavor": flavor, "region": "cn-north-4", "disk_gb": 40, "price_per_hour": price, "currency": "CNY" })
}

#[test]
fn a_month_ends_at_midnight_in_shanghai_and_its_parts_add_up() {
    // 22:00 on the last of January there, until 02:00.
    let (_dir, tally) = tally(&[
        told(
            "server.created",
            "2026-01-31T14:00:00Z",
            "s1",
            made("c7.large.2", "0.30"),
        ),
        told("server.deleted", "2026-01-31T18:00:00Z", "s1", json!({})),
    ]);
    let now = at("2026-03-01T00:00:00Z");
    let sums = tally.sums(&ask("2026-01-01", "2026-02-28"), now).unwrap();
    let months: Vec<_> = sums
        .months
        .iter()
        .map(|m| (m.month.to_string(), m.amounts.exists_ms / HOUR, m.amounts.cost()))
        .collect();
    assert_eq!(
        months,
        [
            ("2026-01-01".to_owned(), 2, cny("0.6")),
            ("2026-02-01".to_owned(), 2, cny("0.6"))
        ]
    );
    assert_eq!(
        (sums.servers, sums.total.cost(), sums.currency.as_str()),
        (1, cny("1.2"), "CNY")
    );
    let busy: Vec<_> = sums
        .days
        .iter()
        .filter(|day| day.1 > 0)
        .map(|day| (day.0.to_string(), day.1 / HOUR))
        .collect();
    assert_eq!(busy, [("2026-01-31".to_owned(), 2), ("2026-02-01".to_owned(), 2)]);
    // The 31st was a Saturday.
    let week: Vec<_> = sums
        .week
        .iter()
        .enumerate()
        .filter(|(_, ms)| **ms > 0)
        .map(|(hour, _)| hour)
        .collect();
    assert_eq!(week, [5 * 24 + 22, 5 * 24 + 23, 6 * 24, 6 * 24 + 1]);
    assert_eq!(sums.owners[0].months, [cny("0.6"), cny("0.6")]);
    assert_eq!(
        (sums.owners[0].key.as_str(), sums.owners[0].name.as_str()),
        ("u1", "李雷")
    );

    let one_day = tally.sums(&ask("2026-02-01", "2026-02-01"), now).unwrap();
    assert_eq!((one_day.servers, hours(&one_day)), (1, (2, 2)));
}

#[test]
fn a_stopped_server_costs_its_disks_and_address_where_the_parts_are_known() {
    let parts = json!({ "flavor": "c7.large.2", "price_per_hour": "1.00", "currency": "CNY",
                        "price_disk_per_hour": "0.20", "price_address_per_hour": "0.10" });
    let mut stays = parts.clone();
    stays["charged_when_stopped"] = json!(true);
    let life = |server: &str, made: Value| {
        [
            told("server.created", "2026-02-02T00:00:00Z", server, made),
            told("server.stopped", "2026-02-02T01:00:00Z", server, json!({})),
            told("server.deleted", "2026-02-02T03:00:00Z", server, json!({})),
        ]
    };
    let texts = [
        life("usual", parts),
        life("stays", stays),
        life("whole", made("c7.large.2", "1.00")),
    ]
    .concat();
    let (_dir, tally) = tally(&texts);
    let (servers, count) = tally
        .servers(
            &ask("2026-02-01", "2026-02-28"),
            at("2026-03-01T00:00:00Z"),
            0,
            10,
        )
        .unwrap();
    assert_eq!(count, 3);
    let of = |name: &str| {
        servers
            .iter()
            .find(|one| one.server.server_id == name)
            .unwrap()
            .amounts
    };
    let (usual, stays, whole) = (of("usual"), of("stays"), of("whole"));
    assert_eq!(
        (usual.compute, usual.disk, usual.address, usual.unsplit),
        (cny("0.7"), cny("0.6"), cny("0.3"), 0)
    );
    assert_eq!((stays.compute, stays.cost()), (cny("2.1"), cny("3")));
    assert_eq!(
        (whole.unsplit, whole.compute),
        (cny("3"), 0),
        "only the whole is known: from above"
    );
    assert_eq!(usual.running_ms, HOUR);
}

#[test]
fn a_resize_and_a_new_price_begin_a_stretch_of_their_own() {
    let (_dir, tally) = tally(&[
        told(
            "server.created",
            "2026-02-02T00:00:00Z",
            "s1",
            made("c7.large.2", "0.30"),
        ),
        told(
            "server.resized",
            "2026-02-02T01:00:00Z",
            "s1",
            json!({ "flavor": "c7.xlarge.2", "price_per_hour": "0.60", "currency": "CNY" }),
        ),
        told(
            "disk.attached",
            "2026-02-02T02:00:00Z",
            "s1",
            json!({ "disk_id": "d", "disk_gb": 100, "price_per_hour": "0.70", "currency": "CNY" }),
        ),
        told("server.deleted", "2026-02-02T03:00:00Z", "s1", json!({})),
    ]);
    let sums = tally
        .sums(&ask("2026-02-01", "2026-02-28"), at("2026-03-01T00:00:00Z"))
        .unwrap();
    let flavors: Vec<_> = sums
        .flavors
        .iter()
        .map(|group| (group.key.as_str(), group.servers, group.amounts.cost()))
        .collect();
    assert_eq!(
        flavors,
        [("c7.xlarge.2", 1, cny("1.3")), ("c7.large.2", 1, cny("0.3"))]
    );
    assert_eq!(sums.servers, 1, "one server, whatever it was");
    assert_eq!(sums.total.disk_gb_ms / u128::from(HOUR), 40 + 40 + 140);
}

#[test]
fn late_doubled_and_disordered_events_change_nothing() {
    let mut texts = vec![
        told(
            "server.created",
            "2026-02-02T00:00:00Z",
            "s1",
            made("c7.large.2", "0.30"),
        ),
        told("server.stopped", "2026-02-02T04:00:00Z", "s1", json!({})),
        told("server.started", "2026-02-02T08:00:00Z", "s1", json!({})),
        told(
            "server.resized",
            "2026-02-02T09:00:00Z",
            "s1",
            json!({ "flavor": "f2" }),
        ),
        told("server.deleted", "2026-02-03T00:00:00Z", "s1", json!({})),
    ];
    let now = at("2026-03-01T00:00:00Z");
    let february = ask("2026-02-01", "2026-02-28");
    let (_dir, in_order) = tally(&texts);
    let expected = in_order.sums(&february, now).unwrap();
    assert_eq!(hours(&expected), (24, 20));

    texts.reverse();
    let dir = tempfile::tempdir().unwrap();
    let late = Tally::open(dir.path()).unwrap();
    for text in &texts {
        // Each figure in between is worked out, and replaced.
        take(&late, "platform", std::slice::from_ref(text)).unwrap();
        late.settle(|| true).unwrap();
    }
    assert_eq!(late.sums(&february, now).unwrap(), expected);
    let again = take(&late, "file", &texts).unwrap();
    assert_eq!((again.new, again.doubled), (0, 5));
    late.settle(|| true).unwrap();
    assert_eq!(late.sums(&february, now).unwrap(), expected);
    assert_eq!(late.facts("s1").unwrap().len(), 5);
}

#[test]
fn a_missing_end_is_the_leases_and_a_missing_beginning_the_first_sign_of_life() {
    let mut leased = made("c7.large.2", "0.30");
    leased["lease_end"] = json!("2026-02-02T08:00:00Z");
    let (_dir, tally) = tally(&[
        told("server.created", "2026-02-02T00:00:00Z", "leased", leased.clone()),
        told(
            "server.created",
            "2026-02-02T00:00:00Z",
            "extended",
            leased.clone(),
        ),
        told(
            "lease.extended",
            "2026-02-02T07:00:00Z",
            "extended",
            json!({ "lease_end": "2026-02-02T10:00:00Z" }),
        ),
        told("server.created", "2026-02-02T00:00:00Z", "still there", leased),
        told("session.opened", "2026-02-02T12:00:00Z", "still there", json!({})),
        told(
            "server.stopped",
            "2026-02-02T12:00:00Z",
            "from the middle",
            json!({}),
        ),
        told(
            "server.deleted",
            "2026-02-02T13:00:00Z",
            "from the middle",
            json!({}),
        ),
        told("server.deleted", "2026-02-02T13:00:00Z", "only an end", json!({})),
        told(
            "server.created",
            "2026-02-02T00:00:00Z",
            "forever",
            made("c7.large.2", "0.30"),
        ),
    ]);
    let now = at("2026-02-03T00:00:00Z");
    let february = ask("2026-02-01", "2026-02-28");
    let (servers, count) = tally.servers(&february, now, 0, 10).unwrap();
    assert_eq!(count, 5, "an end alone is no time");
    let of = |name: &str| {
        let one = servers.iter().find(|one| one.server.server_id == name).unwrap();
        (
            one.amounts.exists_ms / HOUR,
            one.server.assumed_beginning,
            one.server.assumed_end,
            one.server.ended.is_some(),
        )
    };
    assert_eq!(of("leased"), (8, false, true, true));
    assert_eq!(of("extended"), (10, false, true, true));
    assert_eq!(of("still there"), (12, false, true, true));
    assert_eq!(of("from the middle"), (1, true, false, true));
    assert_eq!(of("forever"), (24, false, false, false));
    let sums = tally.sums(&february, now).unwrap();
    assert_eq!(sums.assumed_ends, 3);
    assert_eq!(
        sums.total.unpriced_ms, HOUR,
        "of the one that began in the middle no price is known"
    );
    let early = tally.sums(&february, at("2026-02-02T01:00:00Z")).unwrap();
    assert_eq!(
        (early.total.exists_ms / HOUR, early.assumed_ends),
        (4, 0),
        "nothing counts after now"
    );
}

#[test]
fn a_failed_deletion_ends_nothing() {
    let mut failed = told(
        "server.deleted",
        "2026-02-02T01:00:00Z",
        "s1",
        json!({ "outcome": "failed" }),
    );
    failed = failed.replace("\"outcome\":\"ok\"", "\"outcome\":\"failed\"");
    let (_dir, tally) = tally(&[
        told("server.created", "2026-02-02T00:00:00Z", "s1", made("f", "1")),
        failed,
    ]);
    let sums = tally
        .sums(&ask("2026-02-01", "2026-02-28"), at("2026-02-02T05:00:00Z"))
        .unwrap();
    assert_eq!(hours(&sums), (5, 5));
    assert_eq!(tally.facts("s1").unwrap()[1].outcome, store::EventOutcome::Failed);
}

#[test]
fn currencies_are_not_mixed() {
    let dollars = json!({ "flavor": "f", "price_per_hour": "1", "currency": "USD" });
    let (_dir, tally) = tally(&[
        told("server.created", "2026-02-02T00:00:00Z", "yuan", made("f", "5")),
        told("server.deleted", "2026-02-02T01:00:00Z", "yuan", json!({})),
        told("server.created", "2026-02-02T00:00:00Z", "dollars", dollars),
        told("server.deleted", "2026-02-02T02:00:00Z", "dollars", json!({})),
    ]);
    let now = at("2026-03-01T00:00:00Z");
    let mut february = ask("2026-02-01", "2026-02-28");
    let sums = tally.sums(&february, now).unwrap();
    assert_eq!(
        (sums.currency.as_str(), sums.total.cost(), hours(&sums).0),
        ("CNY", cny("5"), 3)
    );
    assert_eq!(sums.other, [("USD".to_owned(), cny("2"))]);
    february.currency = Some("USD".to_owned());
    assert_eq!(tally.sums(&february, now).unwrap().total.cost(), cny("2"));
}

#[test]
fn a_timeline_shows_when_each_server_ran() {
    let (_dir, tally) = tally(&[
        told("server.created", "2026-01-31T15:00:00Z", "s1", made("f", "1")),
        told("server.stopped", "2026-01-31T18:00:00Z", "s1", json!({})),
        told("server.created", "2026-02-01T00:00:00Z", "s2", made("f", "1")),
    ]);
    let (rows, count) = tally
        .timeline(
            &ask("2026-01-31", "2026-02-01"),
            at("2026-02-01T12:00:00Z"),
            0,
            10,
        )
        .unwrap();
    assert_eq!(count, 2);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            let stretches: Vec<_> = row
                .stretches
                .iter()
                .map(|(from, to, runs, _)| format!("{}-{} {runs}", from.format("%d %H"), to.format("%d %H")))
                .collect();
            (row.server.server_id.as_str(), stretches.join(", "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("s1", "31 15-31 18 true, 31 18-01 12 false".to_owned()),
            ("s2", "01 00-01 12 true".to_owned()),
        ],
        "one stretch over midnight is one to look at"
    );
}

#[test]
fn a_server_that_came_again_for_another_purpose_is_a_server_of_both() {
    let mut again = made("c7.large.2", "0.30");
    again["purpose"] = json!("ci");
    let (_dir, tally) = tally(&[
        told("server.started", "2026-02-02T01:00:00Z", "s1", json!({})),
        told("server.deleted", "2026-02-02T02:00:00Z", "s1", json!({})),
        told("server.created", "2026-02-02T03:00:00Z", "s1", again),
        told("server.deleted", "2026-02-02T05:00:00Z", "s1", json!({})),
    ]);
    let sums = tally
        .sums(&ask("2026-02-01", "2026-02-28"), at("2026-03-01T00:00:00Z"))
        .unwrap();
    let purposes: Vec<_> = sums
        .purposes
        .iter()
        .map(|group| (group.key.as_str(), group.servers, group.amounts.exists_ms / HOUR))
        .collect();
    assert_eq!(purposes, [("ci", 1, 2), ("", 1, 1)]);
    assert_eq!(sums.servers, 1);
}

#[test]
fn the_dearest_servers_come_first_and_the_rest_is_counted() {
    let mut texts = Vec::new();
    for (server, price) in [("s1", "0.10"), ("s2", "0.30"), ("s3", "0.20"), ("s4", "0.40")] {
        texts.push(told(
            "server.created",
            "2026-02-02T01:00:00Z",
            server,
            made("c7.large.2", price),
        ));
        texts.push(told("server.deleted", "2026-02-02T02:00:00Z", server, json!({})));
    }
    let (_dir, tally) = tally(&texts);
    let now = at("2026-03-01T00:00:00Z");
    let (dearest, count) = tally
        .servers(&ask("2026-02-01", "2026-02-28"), now, 0, 3)
        .unwrap();
    let dearest: Vec<_> = dearest
        .iter()
        .map(|one| (one.server.server_id.as_str(), one.amounts.cost()))
        .collect();
    assert_eq!(
        dearest,
        [("s4", cny("0.4")), ("s2", cny("0.3")), ("s3", cny("0.2"))]
    );
    assert_eq!(count, 4);

    let february = ask("2026-02-01", "2026-02-28");
    let snapshot = tally.snapshot().unwrap();
    let more = told(
        "server.created",
        "2026-02-02T01:00:00Z",
        "s5",
        made("c7.large.2", "0.50"),
    );
    take(&tally, "platform", &[more]).unwrap();
    assert!(tally.settle(|| true).unwrap());
    let names = |tally: &Tally, skip| -> Vec<String> {
        let (page, _) = tally.servers(&february, now, skip, 2).unwrap();
        page.into_iter().map(|one| one.server.server_id).collect()
    };
    let pages = [0, 2, 4].map(|skip| names(&snapshot, skip));
    assert_eq!(pages.concat(), ["s4", "s2", "s3", "s1"], "each once, as it was");
    assert_eq!(names(&tally, 0), ["s5", "s4"]);
    let rows = |skip| tally.timeline(&february, now, skip, 2).unwrap().0.len();
    assert_eq!([0, 2, 4, 6].map(rows), [2, 2, 1, 0]);
}
