//! A company's past, made up from a seed: the same number always makes the same events.
//!
//! Owners work on weekdays from morning to evening, most servers live for hours, some for weeks; they are stopped and started,
//! grown, extended, looked into; some ends nobody told. Servers come in the order of their beginnings, each with all of its
//! events, so that times go forth and back as they do where many installations deliver.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// About as many events does a server have.
const PER_SERVER: u64 = 9;

/// What to make up.
#[derive(Debug, Clone, Copy)]
pub struct History {
    pub seed: u64,
    pub events: u64,
    pub owners: u64,
    pub months: u32,
}

impl History {
    /// The one that is measured by.
    pub fn of(events: u64) -> Self {
        Self {
            seed: 20_261_124,
            events,
            owners: 2_000,
            months: 24,
        }
    }

    /// The first moment.
    pub fn begin() -> DateTime<Utc> {
        // A midnight of Asia/Shanghai.
        DateTime::from_timestamp(1_730_390_400, 0).unwrap_or_default()
    }

    /// The moment that all of it is past.
    pub fn end(&self) -> DateTime<Utc> {
        Self::begin() + TimeDelta::days(i64::from(self.months) * 30)
    }

    /// Hands over each event's JSON text.
    pub fn tell(&self, mut each: impl FnMut(&Event<'_>)) {
        let servers = (self.events / PER_SERVER).max(1);
        let mut told = 0;
        let mut nth = 0;
        while told < self.events {
            let share = (nth % servers) as f64 / servers as f64;
            let mut chance = Chance(self.seed ^ nth.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            for event in self.life(nth, share, &mut chance) {
                if told == self.events {
                    return;
                }
                each(&event);
                told += 1;
            }
            nth += 1;
        }
    }

    fn life(&self, nth: u64, share: f64, chance: &mut Chance) -> Vec<Event<'static>> {
        let day = (share * f64::from(self.months) * 30.0) as i64;
        // Few begin at a weekend, and few at night.
        let day = if day % 7 > 4 && chance.of(10) > 0 {
            day - 2
        } else {
            day
        };
        let minute = 8 * 60 + chance.of(11 * 60) as i64;
        let begin = Self::begin()
            + TimeDelta::days(day)
            + TimeDelta::minutes(minute)
            + TimeDelta::milliseconds(chance.of(60_000) as i64);
        let minutes = match chance.of(100) {
            0..60 => 30 + chance.of(10 * 60),
            60..95 => 10 * 60 + chance.of(3 * 24 * 60),
            _ => 7 * 24 * 60 + chance.of(30 * 24 * 60),
        };
        let owner = chance.of(self.owners) * chance.of(self.owners) / self.owners;
        let size = chance.of(4);
        let server = Server {
            nth,
            owner,
            flavor: FLAVORS[(owner as usize + size as usize) % FLAVORS.len()],
            template: TEMPLATES[(owner as usize * 7 + size as usize) % TEMPLATES.len()],
            purpose: PURPOSES[(owner as usize + chance.of(3) as usize) % PURPOSES.len()],
            region: if owner.is_multiple_of(5) {
                "cn-south-1"
            } else {
                "cn-north-4"
            },
        };
        let price = 2_000 + 2_500 * (owner + size) % 20_000;
        let at = |part: u64| begin + TimeDelta::seconds((minutes * 60 * part / 100) as i64);
        let mut events = vec![server.event("server.created", at(0), chance, Some((40, price)))];
        if chance.of(3) == 0 {
            events.push(server.event("lease.extended", at(20), chance, None));
        }
        for nth in 0..1 + chance.of(3) {
            events.push(server.event("session.opened", at(5 + nth * 20), chance, None));
            events.push(server.event("session.closed", at(15 + nth * 20), chance, None));
        }
        if chance.of(2) == 0 {
            events.push(server.event("server.stopped", at(50), chance, None));
            events.push(server.event("server.started", at(65), chance, None));
        }
        if chance.of(20) == 0 {
            events.push(server.event("server.resized", at(70), chance, Some((40, price * 2))));
        }
        if chance.of(8) == 0 {
            events.push(server.event("disk.attached", at(75), chance, Some((100, price + 500))));
        }
        if chance.of(50) > 0 {
            events.push(server.event("server.deleted", at(100), chance, None));
        }
        // Some are told once more by another's watch.
        if chance.of(25) == 0 {
            events.push(server.event("server.seen", at(30), chance, Some((40, price))));
        }
        events
    }
}

const FLAVORS: [&str; 12] = [
    "c7.large.2",
    "c7.xlarge.2",
    "c7.2xlarge.2",
    "s6.large.2",
    "s6.xlarge.2",
    "s7.medium.2",
    "m7.large.8",
    "ac8.large.2",
    "kc1.large.2",
    "c7.4xlarge.2",
    "pi2.2xlarge.4",
    "ir3.xlarge.4",
];
const TEMPLATES: [&str; 8] = [
    "linux-small",
    "docker",
    "python",
    "java",
    "node",
    "gitlab-runner",
    "windows",
    "gpu",
];
const PURPOSES: [&str; 6] = ["ci", "develop", "test", "demo", "training", ""];

struct Server {
    nth: u64,
    owner: u64,
    flavor: &'static str,
    template: &'static str,
    purpose: &'static str,
    region: &'static str,
}

/// One event, with what the benchmarks' peers need of it.
pub struct Event<'a> {
    pub action: &'a str,
    pub at: DateTime<Utc>,
    pub server: i64,
    pub owner: i64,
    pub flavor: &'a str,
    /// Ten thousandths of a yuan an hour, where it tells one.
    pub price: Option<i64>,
    pub json: String,
}

impl Server {
    fn event(
        &self,
        action: &'static str,
        at: DateTime<Utc>,
        chance: &mut Chance,
        size: Option<(u64, u64)>,
    ) -> Event<'static> {
        let time = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let (high, low) = (chance.next(), chance.next());
        // As UUIDv7: the time first.
        let id = u128::from(at.timestamp_millis().unsigned_abs()) << 80
            | 7 << 76
            | u128::from(high & 0xfff) << 64
            | 2 << 62
            | u128::from(low >> 2);
        let id = uuid::Uuid::from_u128(id);
        let (nth, owner) = (self.nth, self.owner);
        let mut json = String::with_capacity(700);
        // A text has room for what is written to it.
        let _ = write!(
            json,
            r#"{{"seq":{nth},"event_id":"{id}","time":"{time}","action":"{action}","outcome":"ok","server_id":"{:08x}-5f0c-4b5e-9d3e-0d6e0d1d7a01","installation_id":"{owner:08x}-3f0c-4f57-9d3e-0d6e0d1d7a01","schema":"wangcheng.event.v1","client":"desktop","client_version":"0.1.0","platform":"windows","owner":"user-{owner:04}","owner_id":"{owner:032x}","account_id":"0503dda87802345ddafed096d70a960c","region":"{}","project_id":"0605767b1c80d5f02f3bc01f5e5aaaaa","server_name":"user-{owner:04}-{nth}""#,
            nth, self.region
        );
        if action.starts_with("server.") {
            let _ = write!(
                json,
                r#","flavor":"{}","vcpus":4,"ram_mb":8192,"image":"Ubuntu 24.04 server 64bit","os":"Linux""#,
                self.flavor
            );
        }
        if action == "server.created" {
            let _ = write!(
                json,
                r#","template":"{}","lease_end":"{}""#,
                self.template,
                (at + TimeDelta::days(40)).to_rfc3339_opts(SecondsFormat::Millis, true)
            );
            if !self.purpose.is_empty() {
                let _ = write!(json, r#","purpose":"{}""#, self.purpose);
            }
        }
        if let Some((gb, price)) = size {
            let _ = write!(
                json,
                r#","disk_gb":{gb},"price_per_hour":"{}.{:04}","currency":"CNY","price_source":"bss","price_disk_per_hour":"0.0400","price_address_per_hour":"0.0600""#,
                price / 10_000,
                price % 10_000
            );
        }
        if action == "disk.attached" {
            let _ = write!(json, r#","disk_id":"{nth:x}""#);
        }
        json.push('}');
        Event {
            action,
            at,
            server: nth.cast_signed(),
            owner: owner.cast_signed(),
            flavor: self.flavor,
            price: size.map(|(_, price)| price.cast_signed()),
            json,
        }
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below this.
    fn of(&mut self, below: u64) -> u64 {
        self.next() % below.max(1)
    }
}
