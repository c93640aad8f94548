//! What own servers are expected to be, and how it differs from what is told. Nothing here asks anybody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use huaweicloud::ecs;
use serde::{Deserialize, Serialize};
use store::{EventOutcome, EventRow};

use crate::lease::warning_due;
use crate::servers::{Server, ServerState};

/// The expectation of one account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Watch {
    /// Every event up to this one is in it.
    pub seq: u64,
    /// Own servers by id.
    pub servers: BTreeMap<String, Expected>,
}

/// What one server is expected to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Expected {
    pub name: String,
    pub flavor: Option<String>,
    pub vcpus: Option<u32>,
    pub ram_mb: Option<u64>,
    pub image: Option<String>,
    pub os: Option<String>,
    pub purpose: Option<String>,
    /// Whether it runs; none: not known yet.
    pub runs: Option<bool>,
    /// Paid by use and taken away when the cloud needs it.
    pub spot: bool,
    pub lease_end: Option<DateTime<Utc>>,
    /// The nearest warning given, or not needed any more, for this very end; minutes.
    pub warned: Option<i64>,
}

/// A server as told.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub id: String,
    own: bool,
    /// It is in the list only because it can be brought back.
    pub deleted: bool,
    /// Something happens to it: what it is will be seen the next time.
    changing: bool,
    server: Expected,
}

/// Why a server is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Lease,
    Reclaimed,
    Outside,
}

impl Cause {
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Lease => "lease",
            Cause::Reclaimed => "reclaimed",
            Cause::Outside => "outside",
        }
    }
}

/// What is new about a server.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum News {
    Seen,
    Deleted(Cause),
    Started,
    Stopped,
    Resized,
    Lease { before: Option<DateTime<Utc>> },
    Warned { lease_end: DateTime<Utc>, minutes: i64 },
}

/// What is new, and the server as it is now (as it was last, when it is gone).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Noticed {
    pub id: String,
    pub server: Expected,
    pub news: News,
}

/// The keys of an event that matter here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    server_name: Option<String>,
    flavor: Option<String>,
    vcpus: Option<u32>,
    ram_mb: Option<u64>,
    image: Option<String>,
    os: Option<String>,
    purpose: Option<String>,
    lease_end: Option<DateTime<Utc>>,
}

impl Seen {
    pub fn from_cloud(row: &ecs::Server, user_id: &str) -> Self {
        let server = Server::from_cloud(row, user_id);
        Self {
            id: server.id,
            own: server.own,
            deleted: matches!(row.status.as_str(), "DELETED" | "SOFT_DELETED"),
            changing: server.state.is_changing(),
            server: Expected {
                name: server.name,
                flavor: Some(server.flavor).filter(|flavor| !flavor.is_empty()),
                vcpus: server.vcpus,
                ram_mb: server.ram_mb,
                image: server.image,
                os: server.os,
                purpose: server.purpose,
                runs: match server.state {
                    ServerState::Running => Some(true),
                    ServerState::Stopped => Some(false),
                    _ => None,
                },
                spot: row.charging == ecs::Charging::Spot,
                lease_end: server.lease_end,
                warned: None,
            },
        }
    }
}

impl Expected {
    /// Takes over another end. Warnings whose moment is past already are not made up for: who set the end knows it.
    fn set_lease(&mut self, lease_end: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        if self.lease_end != lease_end {
            self.lease_end = lease_end;
            self.warned = lease_end.and_then(|end| warning_due(end, now));
        }
    }

    /// Why it went, as far as can be told.
    fn cause(&self, as_of: DateTime<Utc>) -> Cause {
        match self.lease_end {
            Some(end) if end <= as_of => Cause::Lease,
            _ if self.spot => Cause::Reclaimed,
            _ => Cause::Outside,
        }
    }
}

impl Watch {
    /// Takes in one event; those of other accounts only count.
    pub fn follow(&mut self, event: &EventRow, account: &str) {
        self.seq = event.seq;
        let Some(id) = event.server_id.as_ref() else {
            return;
        };
        if event.account.as_deref() != Some(account) || event.outcome != EventOutcome::Ok {
            return;
        }
        let told: Told = serde_json::from_str(&event.json).unwrap_or_default();
        match event.action.as_str() {
            "server.created" | "server.seen" => {
                let mut server = Expected {
                    name: told.server_name.unwrap_or_default(),
                    flavor: told.flavor,
                    vcpus: told.vcpus,
                    ram_mb: told.ram_mb,
                    image: told.image,
                    os: told.os,
                    purpose: told.purpose,
                    runs: (event.action == "server.created").then_some(true),
                    ..Expected::default()
                };
                if event.action == "server.created" {
                    server.set_lease(told.lease_end, event.time);
                } else {
                    server.lease_end = told.lease_end;
                }
                self.servers.insert(id.clone(), server);
            }
            "server.deleted" => {
                self.servers.remove(id);
            }
            action => {
                let Some(server) = self.servers.get_mut(id) else {
                    return;
                };
                match action {
                    "server.started" | "server.rebooted" => server.runs = Some(true),
                    "server.stopped" => server.runs = Some(false),
                    "server.resized" => {
                        server.flavor = told.flavor;
                        server.vcpus = told.vcpus;
                        server.ram_mb = told.ram_mb;
                        // It may have been stopped for it, and need not run again yet.
                        server.runs = None;
                    }
                    "lease.set" | "lease.extended" => server.set_lease(told.lease_end, event.time),
                    "lease.cancelled" => server.set_lease(None, event.time),
                    _ => {}
                }
            }
        }
    }

    /// Compares with what was told, and expects that from now on.
    pub fn compare(
        &mut self,
        seen: &[Seen],
        gone: &BTreeSet<String>,
        busy: &BTreeSet<String>,
        as_of: DateTime<Utc>,
    ) -> Vec<Noticed> {
        let mut news = Vec::new();
        for id in gone {
            if let Some(server) = self.servers.remove(id) {
                let cause = server.cause(as_of);
                news.push(noticed(id, &server, News::Deleted(cause)));
            }
        }
        for one in seen {
            if busy.contains(&one.id) || one.changing || one.deleted {
                continue;
            }
            match self.servers.get_mut(&one.id) {
                Some(before) => compare_one(before, one, as_of, &mut news),
                None if one.own => {
                    self.servers.insert(one.id.clone(), one.server.clone());
                    news.push(noticed(&one.id, &one.server, News::Seen));
                }
                None => {}
            }
        }
        news
    }

    /// The warnings that are due, each given once.
    pub fn warn(&mut self, cloud_now: DateTime<Utc>) -> Vec<Noticed> {
        let mut news = Vec::new();
        for (id, server) in &mut self.servers {
            let Some(lease_end) = server.lease_end else {
                continue;
            };
            let Some(minutes) = warning_due(lease_end, cloud_now) else {
                continue;
            };
            if server.warned.is_none_or(|given| minutes < given) {
                server.warned = Some(minutes);
                news.push(noticed(id, server, News::Warned { lease_end, minutes }));
            }
        }
        news
    }
}

fn compare_one(before: &mut Expected, one: &Seen, as_of: DateTime<Utc>, news: &mut Vec<Noticed>) {
    let told = &one.server;
    let was = before.clone();
    before.name.clone_from(&told.name);
    before.purpose.clone_from(&told.purpose);
    before.spot = told.spot;
    before.set_lease(told.lease_end, as_of);
    if told.flavor.is_some() {
        before.flavor.clone_from(&told.flavor);
        before.vcpus = told.vcpus.or(was.vcpus);
        before.ram_mb = told.ram_mb.or(was.ram_mb);
    }
    before.runs = told.runs.or(was.runs);

    if was.lease_end != before.lease_end {
        let lease = News::Lease {
            before: was.lease_end,
        };
        news.push(noticed(&one.id, before, lease));
    }
    if was.flavor.is_some() && was.flavor != before.flavor {
        news.push(noticed(&one.id, before, News::Resized));
    }
    match (was.runs, before.runs) {
        (Some(true), Some(false)) => news.push(noticed(&one.id, before, News::Stopped)),
        (Some(false), Some(true)) => news.push(noticed(&one.id, before, News::Started)),
        _ => {}
    }
}

fn noticed(id: &str, server: &Expected, news: News) -> Noticed {
    Noticed {
        id: id.to_owned(),
        server: server.clone(),
        news,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    const NOON: &str = "2026-01-02T12:00:00Z";

    fn event(seq: u64, action: &str, json: serde_json::Value) -> EventRow {
        EventRow {
            seq,
            event_id: format!("event-{seq}"),
            time: at(NOON),
            action: action.to_owned(),
            outcome: EventOutcome::Ok,
            account: Some("ada".to_owned()),
            op_id: None,
            server_id: Some("server".to_owned()),
            json: json.to_string(),
        }
    }

    /// A server made here at noon, with a lease until four.
    fn made() -> Watch {
        let mut watch = Watch::default();
        let told = serde_json::json!({"server_name": "dev", "flavor": "s6.large.2", "lease_end": "2026-01-02T16:00:00Z"});
        watch.follow(&event(1, "server.created", told), "ada");
        watch
    }

    fn seen(change: impl FnOnce(&mut Seen)) -> Seen {
        let mut seen = Seen {
            id: "server".to_owned(),
            own: true,
            deleted: false,
            changing: false,
            server: made().servers.remove("server").unwrap(),
        };
        seen.server.warned = None;
        change(&mut seen);
        seen
    }

    fn told(watch: &mut Watch, seen: &[Seen], gone: &[&str], when: &str) -> Vec<News> {
        let gone = gone.iter().map(ToString::to_string).collect();
        let news = watch.compare(seen, &gone, &BTreeSet::new(), at(when));
        news.into_iter().map(|one| one.news).collect()
    }

    #[test]
    fn what_was_done_here_is_no_news() {
        let mut watch = made();
        assert_eq!(told(&mut watch, &[seen(|_| {})], &[], NOON), []);
        watch.follow(&event(2, "server.stopped", serde_json::json!({})), "ada");
        let stopped = seen(|one| one.server.runs = Some(false));
        assert_eq!(told(&mut watch, &[stopped], &[], NOON), []);
        watch.follow(&event(3, "server.deleted", serde_json::json!({})), "ada");
        assert_eq!(told(&mut watch, &[], &["server"], NOON), [], "we deleted it");
    }

    #[test]
    fn a_difference_is_told_once() {
        let mut watch = made();
        let stopped = [seen(|one| one.server.runs = Some(false))];
        assert_eq!(told(&mut watch, &stopped, &[], NOON), [News::Stopped]);
        assert_eq!(told(&mut watch, &stopped, &[], NOON), []);
        let again: Watch = serde_json::from_str(&serde_json::to_string(&watch).unwrap()).unwrap();
        assert_eq!(
            told(&mut again.clone(), &stopped, &[], NOON),
            [],
            "nor after a restart"
        );
        assert_eq!(told(&mut watch, &[seen(|_| {})], &[], NOON), [News::Started]);
    }

    #[test]
    fn a_failed_act_and_another_accounts_act_change_nothing() {
        let mut watch = made();
        let mut failed = event(2, "server.stopped", serde_json::json!({}));
        failed.outcome = EventOutcome::Failed;
        watch.follow(&failed, "ada");
        watch.follow(&event(3, "server.deleted", serde_json::json!({})), "bob");
        assert_eq!(watch.servers["server"].runs, Some(true));
        assert_eq!(watch.seq, 3, "but they are read");
    }

    #[test]
    fn a_server_under_an_act_or_in_between_two_states_is_left_for_the_next_time() {
        let mut watch = made();
        let stopped = seen(|one| one.server.runs = Some(false));
        let busy = BTreeSet::from(["server".to_owned()]);
        let news = watch.compare(&[stopped], &BTreeSet::new(), &busy, at(NOON));
        assert_eq!(news, []);
        let stopping = seen(|one| {
            one.changing = true;
            one.server.runs = None;
        });
        assert_eq!(told(&mut watch, &[stopping], &[], NOON), []);
        assert_eq!(watch.servers["server"].runs, Some(true), "still expected");
    }

    #[test]
    fn the_cause_of_an_end_is_the_lease_once_that_is_over() {
        assert_eq!(
            told(&mut made(), &[], &["server"], "2026-01-02T15:59:00Z"),
            [News::Deleted(Cause::Outside)]
        );
        assert_eq!(
            told(&mut made(), &[], &["server"], "2026-01-02T16:00:00Z"),
            [News::Deleted(Cause::Lease)]
        );
        let mut spot = made();
        told(&mut spot, &[seen(|one| one.server.spot = true)], &[], NOON);
        assert_eq!(
            told(&mut spot, &[], &["server"], NOON),
            [News::Deleted(Cause::Reclaimed)]
        );
    }

    #[test]
    fn a_lease_and_a_size_changed_elsewhere_are_noticed() {
        let mut watch = made();
        let before = watch.servers["server"].lease_end;
        let later = seen(|one| one.server.lease_end = Some(at("2026-01-02T20:00:00Z")));
        assert_eq!(told(&mut watch, &[later], &[], NOON), [News::Lease { before }]);
        let bigger = seen(|one| {
            one.server.lease_end = None;
            one.server.flavor = Some("s6.xlarge.2".to_owned());
        });
        let before = Some(at("2026-01-02T20:00:00Z"));
        assert_eq!(
            told(&mut watch, &[bigger], &[], NOON),
            [News::Lease { before }, News::Resized]
        );
    }

    #[test]
    fn an_own_server_made_elsewhere_is_seen_once_and_others_never() {
        let mut watch = Watch::default();
        let own = [seen(|_| {})];
        assert_eq!(told(&mut watch, &own, &[], NOON), [News::Seen]);
        assert_eq!(told(&mut watch, &own, &[], NOON), []);
        let mut watch = Watch::default();
        assert_eq!(told(&mut watch, &[seen(|one| one.own = false)], &[], NOON), []);
    }

    #[test]
    fn each_deadline_is_warned_of_once_and_a_moved_one_anew() {
        let warned = |watch: &mut Watch, when: &str| -> Vec<i64> {
            let news = watch.warn(at(when)).into_iter();
            news.filter_map(|one| match one.news {
                News::Warned { minutes, .. } => Some(minutes),
                _ => None,
            })
            .collect()
        };
        let mut watch = made();
        assert_eq!(warned(&mut watch, "2026-01-02T13:59:00Z"), [0; 0]);
        assert_eq!(warned(&mut watch, "2026-01-02T14:00:00Z"), [120]);
        assert_eq!(warned(&mut watch, "2026-01-02T14:30:00Z"), [0; 0], "once");
        assert_eq!(
            warned(&mut watch, "2026-01-02T15:55:00Z"),
            [10],
            "after a sleep only the nearest"
        );
        let mut moved = event(
            2,
            "lease.extended",
            serde_json::json!({"lease_end": "2026-01-02T17:00:00Z"}),
        );
        moved.time = at("2026-01-02T15:56:00Z");
        watch.follow(&moved, "ada");
        assert_eq!(
            warned(&mut watch, "2026-01-02T15:57:00Z"),
            [0; 0],
            "who moved it to an hour from now knows"
        );
        assert_eq!(warned(&mut watch, "2026-01-02T16:30:00Z"), [30], "anew");
        assert_eq!(warned(&mut watch, "2026-01-02T17:00:00Z"), [0; 0], "it is over");
    }
}
