//! One event a day that says nothing but that this installation lives, so that silence is visible at the platform.

use std::time::Duration;

use crate::Wangcheng;
use crate::app::Change;
use crate::events::{Action, Draft};
use crate::failure::Result;

const LOOK: Duration = Duration::from_secs(60);
/// The last day (UTC) that has one.
const SETTING: &str = "heartbeat";

impl Wangcheng {
    pub(crate) fn spawn_heartbeat(&self) {
        let this = self.clone();
        self.spawn(async move {
            loop {
                if let Err(failure) = this.beat().await {
                    tracing::warn!(%failure, "no heartbeat was written");
                }
                tokio::time::sleep(LOOK).await;
            }
        });
    }

    /// Writes today's event, unless it is there already or nobody is signed in.
    pub(crate) async fn beat(&self) -> Result<()> {
        let accounts = self.accounts().await?;
        let Some(active) = accounts.active else {
            return Ok(());
        };
        let now = self.now();
        let draft = Draft::new(Action::InstallHeartbeat, now, &self.inner.client);
        let day = now.date_naive().to_string();
        let written = self
            .ledger(move |ledger| {
                let Some(account) = ledger.account(&active)? else {
                    return Ok(None);
                };
                ledger.append_once(SETTING, &day, draft.finish(&account, None, None))
            })
            .await?;
        if let Some(row) = written {
            self.publish(Change::Events(row.seq));
            self.inner.courier.ring();
        }
        Ok(())
    }
}
