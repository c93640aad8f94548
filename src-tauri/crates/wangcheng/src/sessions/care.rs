//! What is looked after while a session is open: is its server ready, when does its lease end, has nobody used it for too
//! long, and what a person set for all sessions.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use remote::{CloudInit, Purpose, Readiness, State};
use serde::{Deserialize, Serialize};

use super::{Now, Open};
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};
use crate::operations::Operation;

const KEY: &str = "sessions";
/// The longest time of idleness that can be set, in minutes.
const IDLE_MOST: u32 = 24 * 60;
/// How often a server that is still being prepared is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How often at most.
const LOOKS: u32 = 90;
/// By how much a lease can be moved from a session, in hours.
const EXTENSIONS: std::ops::RangeInclusive<u32> = 1..=24;

/// What a person set for all sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionPreferences {
    /// Every session is recorded from its beginning.
    pub record: bool,
    /// A session that nobody used for so many minutes is ended; 0: never.
    pub idle_minutes: u32,
}

impl Wangcheng {
    /// What is set for all sessions.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn session_preferences(&self) -> Result<SessionPreferences> {
        let kept = self.ledger(|ledger| ledger.setting(KEY)).await?;
        Ok(kept
            .and_then(|kept| serde_json::from_str(&kept).ok())
            .unwrap_or_default())
    }

    /// Sets something for all sessions. Recording counts for those that begin from now on.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn set_session_preferences(&self, mut preferences: SessionPreferences) -> Result<()> {
        preferences.idle_minutes = preferences.idle_minutes.min(IDLE_MOST);
        let text = serde_json::to_string(&preferences)
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        self.ledger(move |ledger| ledger.set_setting(KEY, &text)).await?;
        self.publish(Change::SessionPreferences(preferences));
        Ok(())
    }

    /// Moves the end of the lease of a session's server so many hours further.
    ///
    /// # Errors
    /// `SessionUnknown`, `LeaseAbsent`, `BadInput`; as [`Wangcheng::extend_lease`].
    pub async fn extend_lease_of_session(&self, session: &str, hours: u32) -> Result<Operation> {
        if !EXTENSIONS.contains(&hours) {
            return Err(Failure::new(Code::BadInput).with("field", "hours"));
        }
        let (server, end) = match self.screen(session) {
            Some(screen) => screen.lease(),
            None => {
                let open = self.open_one(session)?;
                let end = open.now().lease_end;
                (open.server.id.clone(), end)
            }
        };
        let end = end.ok_or(Code::LeaseAbsent)?;
        // One that is all but over counts from now.
        let from = end.max(self.now());
        self.extend_lease(&server, from + TimeDelta::hours(i64::from(hours)))
            .await
    }

    /// Looks whether a server is ready, once for each in a run of the program, until it is prepared.
    pub(super) async fn look_at_readiness(&self, open: &Open) {
        if !self.inner.sessions.first_look(&open.server.id) {
            return;
        }
        for _ in 0..LOOKS {
            let (login, _) = super::files::once(&open.login);
            let looked = async {
                let connection = login.connect(Purpose::Tunnel).await?;
                let readiness = connection.readiness().await;
                connection.close().await;
                readiness
            };
            let readiness = match looked.await {
                Ok(readiness) => readiness,
                Err(error) => {
                    tracing::info!(%error, "it is not known whether a server is ready");
                    return;
                }
            };
            let again = matches!(readiness.cloud_init, CloudInit::Running);
            {
                let mut now = open.now();
                if now.closed {
                    return;
                }
                now.readiness = Some(readiness);
            }
            self.publish(Change::Session(Box::new(open.told())));
            if !again {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Notes what the cloud told of a session's server. Whether it is news.
    pub(super) fn note_servers(id: &str, now: &mut Now, change: &Change) -> bool {
        let Change::Servers(list) = change else {
            return false;
        };
        let Some(server) = list.servers.iter().find(|server| server.id == id) else {
            return false;
        };
        std::mem::replace(&mut now.lease_end, server.lease_end) != server.lease_end
    }

    /// Ends a session that nobody used for too long. Whether it did.
    pub(super) async fn end_if_idle(&self, open: &Open) -> bool {
        let Some(minutes) = self.idle_minutes().await else {
            return false;
        };
        let ended = self.note_idle(&mut open.now(), open.shell.output().newest(), minutes);
        if ended {
            open.shell.close();
        }
        ended
    }

    /// After how many minutes a session that nobody uses is ended; nothing where that is not known.
    pub(super) async fn idle_minutes(&self) -> Option<u32> {
        let preferences = self.session_preferences().await;
        preferences.ok().map(|preferences| preferences.idle_minutes)
    }

    /// Notes what came of a session up to now. Whether nobody used it for too long.
    pub(super) fn note_idle(&self, now: &mut Now, newest: u64, minutes: u32) -> bool {
        if std::mem::replace(&mut now.seen, newest) != newest {
            now.used = self.now();
        }
        let idle = is_idle(now.used, self.now(), minutes) && matches!(now.state, State::Open);
        now.idle |= idle;
        idle
    }
}

fn is_idle(used: DateTime<Utc>, now: DateTime<Utc>, minutes: u32) -> bool {
    minutes > 0 && now - used >= TimeDelta::minutes(i64::from(minutes))
}

/// Something about a server that its user should know.
pub(super) fn is_worth_telling(readiness: &Readiness) -> bool {
    let prepared = matches!(readiness.cloud_init, CloudInit::Done | CloudInit::Absent);
    !prepared || !readiness.disks.iter().all(remote::Disk::is_grown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_idle_after_the_time_that_was_set_and_never_without_one() {
        let used: DateTime<Utc> = "2026-01-02T10:00:00Z".parse().unwrap();
        let after = |minutes| used + TimeDelta::minutes(minutes);
        assert!(!is_idle(used, after(29), 30));
        assert!(is_idle(used, after(30), 30));
        assert!(!is_idle(used, after(100_000), 0));
    }
}
