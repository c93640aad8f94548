//! The life of one server, from all that was told of it. A pure function of a set of facts: see the definitions in
//! [`super`].

use std::collections::{HashMap, HashSet};

use super::standing::Standing;
use super::take_in::Told;

/// Largest disk space that is believed, in GB; the cloud's largest disk is 32 TB.
const MOST_GB: i64 = 10_000_000;

/// What a fact does to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Created,
    Seen,
    Started,
    Stopped,
    Rebooted,
    Resized,
    Deleted,
    DiskAttached,
    DiskExtended,
    DiskDetached,
    DiskDeleted,
    LeaseKnown,
    LeaseCancelled,
    SessionOpened,
    /// It shows that the server is there, and nothing else.
    Shown,
}

impl Act {
    pub(crate) fn of(action: &str) -> Self {
        match action {
            "server.created" => Self::Created,
            "server.seen" => Self::Seen,
            "server.started" => Self::Started,
            "server.stopped" => Self::Stopped,
            "server.rebooted" => Self::Rebooted,
            "server.resized" => Self::Resized,
            "server.deleted" => Self::Deleted,
            "disk.attached" => Self::DiskAttached,
            "disk.extended" => Self::DiskExtended,
            "disk.detached" => Self::DiskDetached,
            "disk.deleted" => Self::DiskDeleted,
            "lease.set" | "lease.extended" | "lease.warned" => Self::LeaseKnown,
            "lease.cancelled" => Self::LeaseCancelled,
            "session.opened" => Self::SessionOpened,
            _ => Self::Shown,
        }
    }

    /// Facts of one moment: beginnings, the rest, ends.
    fn rank(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Seen => 1,
            Self::Deleted => 3,
            _ => 2,
        }
    }
}

/// One fact.
#[derive(Debug)]
pub(crate) struct Happened<'a> {
    pub at: i64,
    pub event_id: &'a [u8],
    pub act: Act,
    pub owner: u32,
    pub told: Told<'a>,
}

/// Time in which the server was one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub from: i64,
    pub to: i64,
    pub runs: bool,
    pub standing: Standing,
}

/// What came of all facts.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// One after the other, each longer than nothing.
    pub past: Vec<Stretch>,
    /// What goes on; `to` is the end of its lease, or the largest moment.
    pub lasting: Option<Stretch>,
    pub name: String,
    pub began: Option<i64>,
    pub ended: Option<i64>,
    /// Its last known standing.
    pub standing: Standing,
    pub assumed_beginning: bool,
}

struct Alive {
    since: i64,
    runs: bool,
    standing: Standing,
    disks: HashMap<String, i64>,
    lease_end: Option<i64>,
    evidence: i64,
}

/// The life of one server.
pub(crate) fn live(mut facts: Vec<Happened<'_>>) -> Life {
    // An event that two sources dated differently counts once, the first time.
    facts.sort_by(|a, b| (a.at, a.act.rank(), a.event_id).cmp(&(b.at, b.act.rank(), b.event_id)));
    let mut known = HashSet::new();
    let mut life = Life::default();
    let mut alive: Option<Alive> = None;
    // After a known end only a beginning begins it anew: others may tell late of what is gone.
    let mut ended = false;
    for fact in &facts {
        if !known.insert(fact.event_id) {
            continue;
        }
        if !fact.told.name.is_empty() {
            fact.told.name.clone_into(&mut life.name);
        }
        let begins = matches!(fact.act, Act::Created | Act::Seen);
        match (&mut alive, fact.act) {
            (None, Act::Deleted) => ended = true,
            (None, _) if begins || !ended => {
                life.assumed_beginning |= !begins;
                life.began.get_or_insert(fact.at);
                life.ended = None;
                alive = Some(begin(fact));
            }
            (None, _) => {}
            (Some(now), Act::Deleted) => {
                life.past.extend(now.until(fact.at));
                life.ended = Some(fact.at);
                life.standing = now.standing;
                (alive, ended) = (None, true);
            }
            (Some(now), _) => {
                let stretch = now.until(fact.at);
                let before = (now.standing, now.runs);
                now.take(fact);
                if before != (now.standing, now.runs) {
                    life.past.extend(stretch);
                    now.since = fact.at;
                }
                now.evidence = fact.at;
            }
        }
    }
    if let Some(now) = alive {
        life.standing = now.standing;
        let end = now.lease_end.map_or(i64::MAX, |end| end.max(now.evidence));
        life.lasting = now.until(end);
    }
    life
}

fn begin(fact: &Happened<'_>) -> Alive {
    let told = &fact.told;
    let mut alive = Alive {
        since: fact.at,
        runs: match fact.act {
            Act::Seen => told.runs.unwrap_or(true),
            Act::Stopped => false,
            _ => true,
        },
        standing: Standing {
            owner: fact.owner,
            flavor: told.flavor,
            region: told.region,
            purpose: told.purpose,
            template: told.template,
            ..Standing::default()
        },
        disks: HashMap::new(),
        lease_end: fact.told.lease_end,
        evidence: fact.at,
    };
    if matches!(fact.act, Act::Created | Act::Seen) {
        alive.standing.disk_gb = gigabytes(fact.told.disk_gb).unwrap_or_default();
        alive.take_price(fact);
    } else {
        alive.take(fact);
    }
    alive
}

impl Alive {
    fn until(&self, to: i64) -> Option<Stretch> {
        (self.since < to).then_some(Stretch {
            from: self.since,
            to,
            runs: self.runs,
            standing: self.standing,
        })
    }

    fn take(&mut self, fact: &Happened<'_>) {
        match fact.act {
            Act::Started | Act::SessionOpened => self.runs = true,
            Act::Stopped => self.runs = false,
            Act::Resized => {
                if fact.told.flavor != 0 {
                    self.standing.flavor = fact.told.flavor;
                }
                self.take_price(fact);
            }
            Act::DiskAttached | Act::DiskExtended | Act::DiskDetached | Act::DiskDeleted => {
                self.take_disk(fact);
                self.take_price(fact);
            }
            Act::LeaseKnown => self.lease_end = fact.told.lease_end.or(self.lease_end),
            Act::LeaseCancelled => self.lease_end = None,
            Act::Created | Act::Seen | Act::Rebooted | Act::Deleted | Act::Shown => {}
        }
    }

    /// A new whole, with or without its parts. Where only the whole is told of a price whose parts are known, the part
    /// that the fact is about takes the difference.
    fn take_price(&mut self, fact: &Happened<'_>) {
        let told = &fact.told;
        let standing = &mut self.standing;
        if let Some(stays) = told.stays {
            standing.stays = stays;
        }
        let Some(whole) = told.price else { return };
        if told.currency != 0 {
            standing.currency = told.currency;
        }
        let split = standing.compute != 0 || standing.disk != 0 || standing.address != 0;
        let about_disks = matches!(
            fact.act,
            Act::DiskAttached | Act::DiskExtended | Act::DiskDetached | Act::DiskDeleted
        );
        let parts = match (told.price_disk, told.price_address) {
            (None, None) if !split => None,
            (None, None) if about_disks => whole
                .checked_sub(standing.compute + standing.address)
                .map(|disk| (disk, standing.address)),
            (disk, address) => Some((disk.unwrap_or(standing.disk), address.unwrap_or(standing.address))),
        };
        let parts = parts.and_then(|(disk, address)| {
            let compute = whole.checked_sub(disk)?.checked_sub(address)?;
            (compute >= 0 && disk >= 0 && address >= 0).then_some((compute, disk, address))
        });
        (
            standing.compute,
            standing.disk,
            standing.address,
            standing.unsplit,
        ) = match parts {
            Some((compute, disk, address)) => (compute, disk, address, 0),
            None => (0, 0, 0, whole),
        };
    }

    /// `disk_gb` is the size of the one disk here; one whose size is not known takes nothing away.
    fn take_disk(&mut self, fact: &Happened<'_>) {
        let (id, size) = (fact.told.disk_id, gigabytes(fact.told.disk_gb));
        let before = self
            .disks
            .remove(id)
            .or_else(|| gigabytes(fact.told.disk_gb_before));
        let after = match fact.act {
            Act::DiskAttached | Act::DiskExtended => size,
            _ => None,
        };
        let grown = match (fact.act, before, after) {
            (Act::DiskAttached, None, Some(after)) => after,
            (_, Some(before), Some(after)) => after - before,
            (Act::DiskDetached | Act::DiskDeleted, before, _) => -before.or(size).unwrap_or_default(),
            _ => 0,
        };
        self.standing.disk_gb = (self.standing.disk_gb + grown).clamp(0, MOST_GB);
        // One that was taken off takes nothing away again when it is deleted, and comes with all of its size again.
        let after = if fact.act == Act::DiskDetached {
            Some(0)
        } else {
            after
        };
        if let (Some(after), false) = (after, id.is_empty()) {
            self.disks.insert(id.to_owned(), after);
        }
    }
}

fn gigabytes(told: Option<i64>) -> Option<i64> {
    told.filter(|gb| (0..=MOST_GB).contains(gb))
}
