//! A reference that knows no stretches: it goes through the seconds one by one and asks what each server was then.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use rand_free::Shuffle;
use serde_json::json;
use store::tally::Sums;

use super::*;

/// Whole seconds from here on; a day over the end of a month in Shanghai.
const BEGIN: &str = "2026-01-31T04:00:00Z";
const SECONDS: i64 = 24 * 3600;

#[derive(Debug, Clone)]
struct Step {
    second: i64,
    server: usize,
    action: &'static str,
    flavor: &'static str,
    price: Option<i64>,
    /// Disks and address, of the price.
    parts: Option<(i64, i64)>,
    stays: Option<bool>,
    gb: i64,
    lease: Option<i64>,
    runs: bool,
    failed: bool,
    doubled: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let action = prop::sample::select(vec![
        "server.created",
        "server.created",
        "server.seen",
        "server.started",
        "server.stopped",
        "server.rebooted",
        "server.resized",
        "server.deleted",
        "disk.attached",
        "disk.extended",
        "disk.detached",
        "disk.deleted",
        "lease.extended",
        "lease.cancelled",
        "session.opened",
        "session.closed",
    ]);
    let times = (
        0..SECONDS,
        0..4_usize,
        action,
        prop::sample::select(vec!["f1", "f2", "f3"]),
    );
    let money = (
        prop::option::weighted(0.7, 0..1000_i64),
        prop::option::weighted(0.5, (0..400_i64, 0..400_i64)),
        prop::option::weighted(0.3, any::<bool>()),
    );
    let rest = (
        1..100_i64,
        prop::option::weighted(0.3, 0..SECONDS),
        any::<bool>(),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
    );
    (times, money, rest).prop_map(
        |((second, server, action, flavor), (price, parts, stays), (gb, lease, runs, failed, doubled))| {
            Step {
                second,
                server,
                action,
                flavor,
                price,
                parts,
                stays,
                gb,
                lease,
                runs,
                failed,
                doubled,
            }
        },
    )
}

fn moment(second: i64) -> DateTime<Utc> {
    at(BEGIN) + chrono::Duration::seconds(second)
}

fn text(step: &Step, nth: usize) -> String {
    let mut body = json!({
        "event_id": format!("{nth:04}"), "flavor": step.flavor, "purpose": (["", "ci"][step.server % 2]),
        "owner_id": format!("u{}", step.server % 3), "template": "t", "region": "r",
        "outcome": if step.failed { "failed" } else { "ok" },
    });
    if step.action.starts_with("disk.") || step.action == "server.created" || step.action == "server.seen" {
        body["disk_gb"] = json!(step.gb);
    }
    if step.action.starts_with("disk.") {
        body["disk_id"] = json!(format!("d{}", step.gb % 2));
    }
    if step.action == "server.seen" {
        body["state"] = json!(if step.runs { "running" } else { "stopped" });
    }
    if let Some(price) = step.price {
        body["price_per_hour"] = json!(rust_decimal::Decimal::new(price, 3).to_string());
        body["currency"] = json!("CNY");
        if let Some((disk, address)) = step.parts {
            body["price_disk_per_hour"] = json!(rust_decimal::Decimal::new(disk, 3).to_string());
            body["price_address_per_hour"] = json!(rust_decimal::Decimal::new(address, 3).to_string());
        }
    }
    if let Some(stays) = step.stays {
        body["charged_when_stopped"] = json!(stays);
    }
    if let Some(lease) = step.lease {
        body["lease_end"] = json!(moment(lease).to_rfc3339());
    }
    told(
        step.action,
        &moment(step.second).to_rfc3339(),
        &format!("s{}", step.server),
        body,
    )
}

#[derive(Debug, Clone, Default)]
struct Server {
    there: bool,
    known_gone: bool,
    runs: bool,
    owner: String,
    purpose: String,
    flavor: String,
    currency: bool,
    /// compute, disk, address, unsplit in thousandths an hour.
    price: [i64; 4],
    stays: bool,
    gb: i64,
    disks: BTreeMap<i64, i64>,
    lease: Option<i64>,
    evidence: i64,
}

impl Server {
    /// The rules once more, in the words of the documentation, for one event.
    fn hear(&mut self, step: &Step) {
        let begins = matches!(step.action, "server.created" | "server.seen");
        if !self.there {
            if step.action == "server.deleted" {
                self.known_gone = true;
                return;
            }
            if !begins && self.known_gone {
                return;
            }
            let told_flavor = begins
                || step.action == "server.resized"
                || step.action.starts_with("disk.")
                || step.action.starts_with("lease.");
            *self = Self {
                there: true,
                runs: match step.action {
                    "server.stopped" => false,
                    "server.seen" => step.runs,
                    _ => true,
                },
                owner: format!("u{}", step.server % 3),
                purpose: if told_flavor {
                    ["", "ci"][step.server % 2].to_owned()
                } else {
                    String::new()
                },
                flavor: if told_flavor {
                    step.flavor.to_owned()
                } else {
                    String::new()
                },
                lease: if told_flavor { step.lease } else { None },
                ..Self::default()
            };
            if begins {
                self.gb = step.gb;
                self.price(step);
            } else {
                self.change(step);
            }
        } else if step.action == "server.deleted" {
            *self = Self {
                known_gone: true,
                ..Self::default()
            };
            return;
        } else {
            self.change(step);
        }
        self.evidence = step.second;
    }

    fn change(&mut self, step: &Step) {
        match step.action {
            "server.started" | "session.opened" => self.runs = true,
            "server.stopped" => self.runs = false,
            "server.resized" => {
                self.flavor = step.flavor.to_owned();
                self.price(step);
            }
            "lease.extended" => self.lease = step.lease.or(self.lease),
            "lease.cancelled" => self.lease = None,
            "disk.attached" | "disk.extended" | "disk.detached" | "disk.deleted" => {
                let id = step.gb % 2;
                let before = self.disks.remove(&id);
                let change = match step.action {
                    "disk.attached" => step.gb - before.unwrap_or(0),
                    "disk.extended" => before.map_or(0, |before| step.gb - before),
                    _ => -before.unwrap_or(step.gb),
                };
                self.gb = (self.gb + change).max(0);
                match step.action {
                    "disk.attached" | "disk.extended" => drop(self.disks.insert(id, step.gb)),
                    "disk.detached" => drop(self.disks.insert(id, 0)),
                    _ => {}
                }
                self.price(step);
            }
            _ => {}
        }
    }

    fn price(&mut self, step: &Step) {
        if let Some(stays) = step.stays {
            self.stays = stays;
        }
        let Some(whole) = step.price else { return };
        self.currency = true;
        let [compute, disk, address, _] = self.price;
        let split = compute + disk + address > 0;
        let (disk, address) = match step.parts {
            Some(parts) => parts,
            None if !split => {
                self.price = [0, 0, 0, whole];
                return;
            }
            None if step.action.starts_with("disk.") => (whole - compute - address, address),
            None => (disk, address),
        };
        let compute = whole - disk - address;
        self.price = if compute >= 0 && disk >= 0 {
            [compute, disk, address, 0]
        } else {
            [0, 0, 0, whole]
        };
    }
}

/// Seconds of existence and of running, GB seconds, and the four kinds of money in thousandths × seconds.
type Counted = [i64; 7];

#[derive(Debug, Default, PartialEq)]
struct Reference {
    total: Counted,
    months: BTreeMap<String, Counted>,
    days: BTreeMap<String, [i64; 2]>,
    owners: BTreeMap<String, (Counted, u64)>,
    flavors: BTreeMap<String, (Counted, u64)>,
    purposes: BTreeMap<String, (Counted, u64)>,
    week: BTreeMap<usize, i64>,
    servers: u64,
}

fn rank(action: &str) -> u8 {
    match action {
        "server.created" => 0,
        "server.seen" => 1,
        "server.deleted" => 3,
        _ => 2,
    }
}

fn reference(steps: &[Step], now: i64) -> Reference {
    let mut order: Vec<(usize, &Step)> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| !step.failed)
        .collect();
    order.sort_by_key(|(nth, step)| (step.second, rank(step.action), *nth));
    let mut servers: [Server; 4] = Default::default();
    let mut found = Reference::default();
    let mut seen: [HashSet<(usize, String)>; 4] = Default::default();
    let mut next = order.iter().peekable();
    for second in 0..SECONDS {
        while let Some((_, step)) = next.next_if(|(_, step)| step.second == second) {
            servers[step.server].hear(step);
        }
        if second >= now {
            break;
        }
        let shanghai = moment(second) + chrono::Duration::hours(8);
        for (nth, server) in servers.iter().enumerate().filter(|(_, server)| server.there) {
            // Gone with its lease, unless there is a later sign of life, which may be yet to come.
            let later = order
                .iter()
                .rev()
                .find(|(_, step)| step.server == nth && step.second > second);
            if server.lease.is_some_and(|end| second >= end) && later.is_none() {
                continue;
            }
            let [compute, disk, address, unsplit] = server.price;
            let runs = i64::from(server.runs);
            let charged = if server.runs || server.stays { compute } else { 0 };
            let counted = [1, runs, server.gb, charged, disk, address, unsplit];
            let add = |to: &mut Counted| to.iter_mut().zip(counted).for_each(|(to, more)| *to += more);
            add(&mut found.total);
            add(found
                .months
                .entry(shanghai.format("%Y-%m").to_string())
                .or_default());
            let day = found
                .days
                .entry(shanghai.format("%Y-%m-%d").to_string())
                .or_default();
            day[0] += 1;
            day[1] += runs;
            if server.runs {
                use chrono::{Datelike, Timelike};
                let hour = shanghai.weekday().num_days_from_monday() * 24 + shanghai.hour();
                *found.week.entry(hour as usize).or_default() += 1;
            }
            for (groups, key, which) in [
                (&mut found.owners, &server.owner, 0),
                (&mut found.flavors, &server.flavor, 1),
                (&mut found.purposes, &server.purpose, 2),
            ] {
                let group = groups.entry(key.clone()).or_default();
                add(&mut group.0);
                group.1 += u64::from(seen[which].insert((nth, key.clone())));
            }
            found.servers += u64::from(seen[3].insert((nth, String::new())));
        }
    }
    found
}

fn counted(amounts: &store::tally::Amounts) -> Counted {
    let seconds = |ms: u64| i64::try_from(ms / 1000).unwrap();
    // Billionths × milliseconds to thousandths × seconds.
    let money = |money: i128| {
        assert_eq!(
            money % 1_000_000_000,
            0,
            "prices have three places and moments whole seconds"
        );
        i64::try_from(money / 1_000_000_000).unwrap()
    };
    [
        seconds(amounts.exists_ms),
        seconds(amounts.running_ms),
        i64::try_from(amounts.disk_gb_ms / 1000).unwrap(),
        money(amounts.compute),
        money(amounts.disk),
        money(amounts.address),
        money(amounts.unsplit),
    ]
}

fn as_reference(sums: &Sums) -> Reference {
    let groups = |groups: &[store::tally::Group]| {
        groups
            .iter()
            .map(|group| (group.key.clone(), (counted(&group.amounts), group.servers)))
            .collect()
    };
    Reference {
        total: counted(&sums.total),
        months: sums
            .months
            .iter()
            .map(|m| (m.month.format("%Y-%m").to_string(), counted(&m.amounts)))
            .filter(|(_, sum)| sum[0] > 0)
            .collect(),
        days: sums
            .days
            .iter()
            .map(|(day, exists, running)| (day.to_string(), [*exists as i64 / 1000, *running as i64 / 1000]))
            .filter(|(_, sum)| sum[0] > 0)
            .collect(),
        owners: groups(&sums.owners),
        flavors: groups(&sums.flavors),
        purposes: groups(&sums.purposes),
        week: sums
            .week
            .iter()
            .enumerate()
            .filter(|(_, ms)| **ms > 0)
            .map(|(hour, ms)| (hour, *ms as i64 / 1000))
            .collect(),
        servers: sums.servers,
    }
}

fn parts_add_up(sums: &Sums) {
    let total = sums.total;
    let of_months: i128 = sums.months.iter().map(|month| month.amounts.cost()).sum();
    assert_eq!(of_months, total.cost());
    for groups in [
        &sums.owners,
        &sums.flavors,
        &sums.regions,
        &sums.purposes,
        &sums.templates,
    ] {
        assert_eq!(
            groups.iter().map(|group| group.amounts.cost()).sum::<i128>(),
            total.cost()
        );
        assert_eq!(
            groups.iter().map(|group| group.amounts.exists_ms).sum::<u64>(),
            total.exists_ms
        );
        for group in groups {
            assert_eq!(group.months.iter().sum::<i128>(), group.amounts.cost());
        }
    }
    assert_eq!(sums.days.iter().map(|day| day.1).sum::<u64>(), total.exists_ms);
    assert_eq!(sums.week.iter().sum::<u64>(), total.running_ms);
}

fn holds(steps: &[Step], now: i64, order: &Shuffle) -> Result<(), TestCaseError> {
    let mut texts: Vec<String> = Vec::new();
    for (nth, step) in steps.iter().enumerate() {
        texts.push(text(step, nth));
        if step.doubled {
            texts.push(text(step, nth));
        }
    }
    order.apply(&mut texts);
    let dir = tempfile::tempdir().unwrap();
    let tally = Tally::open(dir.path()).unwrap();
    for (nth, part) in texts.chunks(7).enumerate() {
        take(&tally, ["platform", "file"][nth % 2], part).unwrap();
        if nth % 2 == 0 {
            tally.settle(|| true).unwrap();
        }
    }
    tally.settle(|| true).unwrap();
    let all = ask("2026-01-29", "2026-02-05");
    let sums = tally.sums(&all, moment(now)).unwrap();
    parts_add_up(&sums);
    let expected = reference(steps, now);
    prop_assert_eq!(as_reference(&sums), expected);

    // Cut by an owner and a purpose, the same as what stands in the whole.
    for group in &sums.owners {
        let mut cut = all.clone();
        cut.owners = vec![group.key.clone()];
        let of_owner = tally.sums(&cut, moment(now)).unwrap();
        prop_assert_eq!((of_owner.total, of_owner.servers), (group.amounts, group.servers));
    }
    for day in &sums.days {
        let one = tally.sums(&Ask::of(day.0, day.0), moment(now)).unwrap();
        prop_assert_eq!((one.total.exists_ms, one.total.running_ms), (day.1, day.2));
    }
    Ok(())
}

/// An order that events come in, without any randomness of its own.
mod rand_free {
    #[derive(Debug, Clone)]
    pub struct Shuffle(pub Vec<usize>);

    impl Shuffle {
        pub fn apply<T>(&self, items: &mut [T]) {
            let count = items.len();
            for (nth, other) in self.0.iter().enumerate().take(count) {
                items.swap(nth, other % count);
            }
        }
    }
}

fn orders() -> impl Strategy<Value = Shuffle> {
    prop::collection::vec(0..1000_usize, 0..80).prop_map(Shuffle)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_equal_a_count_of_every_second_whatever_order_events_come_in(
        steps in prop::collection::vec(step(), 0..40), now in 1..SECONDS, order in orders(),
    ) {
        holds(&steps, now, &order)?;
    }
}

#[test]
#[ignore = "takes many minutes; run by `cargo xtask soak`"]
fn figures_equal_a_count_of_every_second_in_many_cases() {
    let config = ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(
            &(prop::collection::vec(step(), 0..80), 1..SECONDS, orders()),
            |(steps, now, order)| holds(&steps, now, &order),
        )
        .unwrap();
}
