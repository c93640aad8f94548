//! What was done elsewhere (in the console, by the lease's end, by the cloud's taking a spot server back, on another
//! computer), and the leases that are about to end.
//!
//! For each account the ledger keeps what its own servers are expected to be. The expectation follows the events: what
//! was done from here is in it because its event is. What the cloud tells is compared with it, and a difference becomes
//! an event, written together with the new expectation, so that nothing is told twice, neither after a restart nor by
//! two programs. A server on which an act of ours is under way, or ended after the cloud was asked, is left for the
//! next time: that answer may be older than the act.

mod expected;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use huaweicloud::{ErrorKind, ServerId, ecs};
use store::NewEvent;

use self::expected::{Cause, Expected, News, Noticed, Seen, Watch};
use crate::Wangcheng;
use crate::app::Change;
use crate::cloud::Live;
use crate::events::{Action, Draft};
use crate::failure::{Code, Failure, Result};
use crate::servers::TAG_OPERATION;

/// How many events are read at once while an expectation is brought up to date.
const PAGE: u32 = 1000;
const PAGE_BYTES: usize = 8 << 20;
/// How often it is tried again when somebody else wrote meanwhile. The next refresh tries anew.
const TRIES: usize = 5;

/// The end of a lease is near.
#[derive(Debug, Clone)]
pub struct LeaseWarning {
    /// Our id of the account.
    pub account: String,
    /// Server id.
    pub server: String,
    /// Name of the server.
    pub name: String,
    /// When the lease ends.
    pub lease_end: DateTime<Utc>,
    /// Which warning it is: minutes before the end.
    pub minutes: i64,
}

/// An expectation as kept, and brought up to date with all events.
struct Current {
    kept: Option<String>,
    watch: Watch,
    last_seq: u64,
}

impl Wangcheng {
    /// Compares what the cloud told with what was expected. `asked_seq`: the last event before the cloud was asked.
    pub(crate) async fn notice(
        &self,
        live: &Arc<Live>,
        rows: &[ecs::Server],
        as_of: DateTime<Utc>,
        asked_seq: u64,
    ) -> Result<()> {
        let seen: Vec<Seen> = rows
            .iter()
            .map(|row| Seen::from_cloud(row, &live.account.user_id))
            .collect();
        for _ in 0..TRIES {
            let mut current = self.expectation(live).await?;
            let busy = self.busy(live, rows, asked_seq).await?;
            let gone = self.gone(live, &current.watch, &seen, &busy).await?;
            let news = current.watch.compare(&seen, &gone, &busy, as_of);
            if self.tell(live, current, news, as_of).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Warns of leases that are about to end, by the cloud's clock, as far as it is known.
    pub(crate) async fn watch_leases(&self, live: &Arc<Live>) -> Result<()> {
        let now = live.cloud_now(self.now());
        for _ in 0..TRIES {
            let mut current = self.expectation(live).await?;
            let news = current.watch.warn(now);
            if news.is_empty() || self.tell(live, current, news, now).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What is expected, with every event up to now in it.
    async fn expectation(&self, live: &Live) -> Result<Current> {
        let key = key(&live.account.id);
        let account = live.account.id.clone();
        self.ledger(move |ledger| {
            let kept = ledger.setting(&key)?;
            let mut watch: Watch = kept
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default();
            loop {
                let page = ledger.events_after(watch.seq, PAGE, PAGE_BYTES)?;
                if page.is_empty() {
                    let last_seq = watch.seq;
                    return Ok(Current {
                        kept,
                        watch,
                        last_seq,
                    });
                }
                for event in page {
                    watch.follow(&event, &account);
                }
            }
        })
        .await
    }

    /// Servers that are left for the next time.
    async fn busy(&self, live: &Live, rows: &[ecs::Server], asked_seq: u64) -> Result<BTreeSet<String>> {
        let account = live.account.id.clone();
        let (unsettled, since) = self
            .ledger(move |ledger| {
                let mut since = Vec::new();
                let mut seq = asked_seq;
                loop {
                    let page = ledger.events_after(seq, PAGE, PAGE_BYTES)?;
                    let Some(last) = page.last() else { break };
                    seq = last.seq;
                    since.extend(page.into_iter().filter_map(|event| event.server_id));
                }
                Ok((ledger.unsettled()?, since))
            })
            .await?;
        let unsettled: Vec<_> = unsettled
            .into_iter()
            .filter(|one| one.account == account)
            .collect();
        // The answer to a creation may be on its way: its server is known by its tag already.
        let being_made = rows
            .iter()
            .filter(|row| {
                let operation = row.tags.get(TAG_OPERATION);
                operation.is_some_and(|id| unsettled.iter().any(|one| one.id == *id))
            })
            .map(|row| row.id.to_string());
        let acted_on = unsettled.iter().filter_map(|one| one.server_id.clone());
        Ok(being_made.chain(acted_on).chain(since).collect())
    }

    /// Expected servers that do not exist any more. A list may leave one out, so each is asked for by itself.
    async fn gone(
        &self,
        live: &Live,
        watch: &Watch,
        seen: &[Seen],
        busy: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>> {
        let mut gone = BTreeSet::new();
        for id in watch.servers.keys() {
            if busy.contains(id) || seen.iter().any(|one| one.id == *id && !one.deleted) {
                continue;
            }
            if !seen.iter().any(|one| one.id == *id) {
                let client = self.client(live).await?;
                match ecs::server(&client, &live.project(), &ServerId::from(id.as_str())).await {
                    Err(error) if error.kind == ErrorKind::Missing => {}
                    Err(error) => return Err(error.into()),
                    Ok(told) if matches!(told.value.status.as_str(), "DELETED" | "SOFT_DELETED") => {}
                    Ok(_) => continue,
                }
            }
            gone.insert(id.clone());
        }
        Ok(gone)
    }

    /// Writes events and expectation together; says whether nobody else was here meanwhile.
    async fn tell(
        &self,
        live: &Live,
        current: Current,
        news: Vec<Noticed>,
        at: DateTime<Utc>,
    ) -> Result<bool> {
        let Current {
            kept,
            mut watch,
            last_seq,
        } = current;
        // The news is in the expectation already; its events must not be followed once more.
        watch.seq = last_seq + news.len() as u64;
        let after = serde_json::to_string(&watch).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        if kept.as_deref() == Some(&after) {
            return Ok(true);
        }
        let events: Vec<NewEvent> = news.iter().map(|one| self.event_of(live, one, at)).collect();
        let key = key(&live.account.id);
        let written = self
            .ledger(move |ledger| ledger.append_with_setting(&key, kept.as_deref(), &after, last_seq, events))
            .await?;
        let Some(written) = written else {
            return Ok(false);
        };
        for one in &news {
            if matches!(one.news, News::Deleted(_)) {
                self.forget_key(&one.id).await;
            }
            if let News::Warned { lease_end, minutes } = one.news {
                self.publish(Change::LeaseWarned(LeaseWarning {
                    account: live.account.id.clone(),
                    server: one.id.clone(),
                    name: one.server.name.clone(),
                    lease_end,
                    minutes,
                }));
            }
        }
        if let Some(last) = written.last() {
            self.publish(Change::Events(last.seq));
            self.inner.courier.ring();
        }
        Ok(true)
    }

    fn event_of(&self, live: &Live, noticed: &Noticed, at: DateTime<Utc>) -> NewEvent {
        let Expected { lease_end, .. } = noticed.server;
        let (action, time) = match noticed.news {
            News::Seen => (Action::ServerSeen, at),
            // The cloud does not tell when it went; where a lease ended it, that is close to the truth, also when
            // nobody looked for days.
            News::Deleted(Cause::Lease) => (Action::ServerDeleted, lease_end.unwrap_or(at).min(at)),
            News::Deleted(_) => (Action::ServerDeleted, at),
            News::Started => (Action::ServerStarted, at),
            News::Stopped => (Action::ServerStopped, at),
            News::Resized => (Action::ServerResized, at),
            News::Lease { before: None } => (Action::LeaseSet, at),
            News::Lease { .. } if lease_end.is_none() => (Action::LeaseCancelled, at),
            News::Lease { .. } => (Action::LeaseExtended, at),
            News::Warned { .. } => (Action::LeaseWarned, at),
        };
        let mut draft = Draft::new(action, time, &self.inner.client);
        let server = &noticed.server;
        draft
            .set("server_name", server.name.as_str())
            .set("flavor", server.flavor.clone())
            .set("vcpus", server.vcpus)
            .set("ram_mb", server.ram_mb)
            .set("image", server.image.clone())
            .set("os", server.os.clone())
            .set("purpose", server.purpose.clone())
            .set_time("lease_end", lease_end);
        match &noticed.news {
            News::Deleted(cause) => {
                draft.set("cause", cause.as_str());
            }
            News::Warned { minutes, .. } => {
                draft.set("warned_minutes", *minutes);
            }
            News::Lease { before } => {
                draft
                    .set("cause", Cause::Outside.as_str())
                    .set_time("lease_end_before", *before);
            }
            News::Seen | News::Started | News::Stopped | News::Resized => {
                draft.set("cause", Cause::Outside.as_str());
            }
        }
        draft.finish(&live.account, None, Some(&noticed.id))
    }
}

/// Where the ledger keeps an account's expectation.
fn key(account: &str) -> String {
    format!("watch/{account}")
}
