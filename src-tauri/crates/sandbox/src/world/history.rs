//! EXAMPLES of what ran before the first start, so that there are bills for past months: half a year of servers that came and
//! went, the same for every start on the same day. Nothing of it exists any more.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::{Good, Stretch};

/// How many days back the examples begin and end.
const FIRST_DAY: i64 = 200;
const LAST_DAY: i64 = 12;

/// Who, with what; `None`: nobody put an owner on it.
const HABITS: [(Option<&str>, &str, &str, u32, &str); 6] = [
    (Some("ada"), "example-ada-dev", "s6.large.2.linux", 40, "开发"),
    (
        Some("bo"),
        "example-bo-build",
        "c6.xlarge.4.linux",
        140,
        "夜间构建",
    ),
    (Some("chen"), "example-chen-data", "m6.large.8.linux", 240, "data"),
    (Some("mia"), "example-mia-win", "s6.xlarge.2.win", 100, "验收"),
    (None, "example-untagged", "s6.medium.2.linux", 40, ""),
    (
        Some("ada"),
        "example-ada-gpu",
        "pi2.2xlarge.4.linux",
        100,
        "training",
    ),
];

/// All stretches, each server with its disk and its traffic.
pub(super) fn before(now: DateTime<Utc>) -> Vec<Stretch> {
    let today = now.duration_trunc(TimeDelta::days(1)).unwrap_or(now);
    let mut stretches = Vec::new();
    for (habit, (owner, name, spec, disk_gb, purpose)) in (0_i64..).zip(HABITS) {
        let mut day = FIRST_DAY - habit;
        let mut number = 0_u32;
        while day > LAST_DAY {
            number += 1;
            let id = id(name, number);
            let chance = i64::from(Sha256::digest(&id).first().copied().unwrap_or_default());
            // From three hours to a bit more than two days, beginning in the morning of the office.
            let from = today - TimeDelta::days(day) + TimeDelta::minutes(60 + chance);
            let to = from + TimeDelta::minutes(180 + chance * 12);
            let mut tags = BTreeMap::new();
            if let Some(owner) = owner {
                tags.insert("owner".to_owned(), owner.to_owned());
                tags.insert("purpose".to_owned(), purpose.to_owned());
                tags.insert("example".to_owned(), "true".to_owned());
            }
            let part =
                |good, id: String, name: String, spec: &str, size, tags: &BTreeMap<String, String>| Stretch {
                    good,
                    resource_id: id,
                    name,
                    spec: spec.to_owned(),
                    size,
                    spot: false,
                    zone: format!("{}a", super::seed::REGION),
                    tags: tags.clone(),
                    from,
                    to: Some(to),
                };
            let name = format!("{name}-{number:02}");
            stretches.push(part(Good::Server, id.clone(), name.clone(), spec, 0, &tags));
            let disk = format!("{name}-volume");
            // Tags of a server are not those of its disk: half of the disks were tagged by hand.
            let disk_tags = if chance % 2 == 0 {
                tags.clone()
            } else {
                BTreeMap::new()
            };
            stretches.push(part(
                Good::Disk,
                self::id(&disk, 1),
                disk,
                "GPSSD",
                disk_gb,
                &disk_tags,
            ));
            let bandwidth = format!("{name}-bandwidth");
            stretches.push(part(
                Good::Traffic,
                self::id(&bandwidth, 1),
                bandwidth,
                "12_bgp",
                5,
                &BTreeMap::new(),
            ));
            day -= 4 + chance % 9;
        }
    }
    stretches
}

/// The same id for the same example.
fn id(name: &str, number: u32) -> String {
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(Sha256::digest(format!("{name} {number}"))) {
        *byte = hashed;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_the_same_every_time_and_over_before_the_first_start() {
        let now: DateTime<Utc> = "2026-01-02T03:04:05Z".parse().unwrap();
        let stretches = before(now);
        assert_eq!(stretches, before(now));
        assert!(stretches.len() > 100, "{}", stretches.len());
        assert!(
            stretches
                .iter()
                .all(|stretch| stretch.to.is_some_and(|to| to < now))
        );
        for month in 1..=6 {
            let about = now - TimeDelta::days(30 * month);
            let near = |stretch: &&Stretch| (stretch.from - about).num_days().abs() <= 10;
            let owners: std::collections::BTreeSet<Option<&String>> = stretches
                .iter()
                .filter(|stretch| stretch.good == Good::Server)
                .filter(near)
                .map(|stretch| stretch.tags.get("owner"))
                .collect();
            assert!(owners.len() >= 4, "{month} months ago: {owners:?}");
        }
        assert!(
            stretches.iter().any(|stretch| stretch.tags.is_empty()),
            "some carry no tags"
        );
    }
}
