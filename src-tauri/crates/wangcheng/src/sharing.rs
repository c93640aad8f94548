//! What another program (the command line, a second window) does with the same ledger is noticed here and published
//! like what this one does.

use std::collections::HashMap;
use std::time::Duration;

use crate::Wangcheng;
use crate::app::Change;
use crate::failure::Result;

/// How often to look. It costs one question that SQLite answers from memory.
const LOOK: Duration = Duration::from_secs(1);
/// Every so many looks, operations that nobody follows are taken up: a program that ends writes nothing any more.
const LOOKS_PER_ROUND: u32 = 15;

/// What was published last.
#[derive(Default, PartialEq)]
struct Seen {
    last_seq: u64,
    operations: HashMap<String, (store::Stage, String)>,
    accounts: (Vec<store::Account>, Option<String>),
    asked: Option<String>,
    configuration: Option<String>,
}

impl Wangcheng {
    pub(crate) fn spawn_watch(&self) {
        let this = self.clone();
        self.spawn(async move {
            let mut seen = this.look().await.unwrap_or_default();
            // What was written since the ledger was opened is not told yet, though it is seen now.
            seen.last_seq = 0;
            for look in 1_u32.. {
                tokio::time::sleep(LOOK).await;
                let changed = this.ledger(store::Ledger::changed_elsewhere).await;
                let result = match changed {
                    Ok(true) => this.tell_of_others(&mut seen).await,
                    Ok(false) if look % LOOKS_PER_ROUND == 0 => this.resume_operations().await,
                    Ok(false) => Ok(()),
                    Err(failure) => Err(failure),
                };
                if let Err(failure) = result {
                    tracing::warn!(%failure, "cannot see what other programs do");
                }
            }
        });
    }

    async fn look(&self) -> Result<Seen> {
        let active = self.accounts().await?.active;
        self.ledger(move |ledger| {
            let operations = ledger.operations(crate::operations::LISTED, None)?;
            Ok(Seen {
                last_seq: ledger.last_seq()?,
                operations: operations
                    .into_iter()
                    .map(|row| (row.id, (row.stage, row.detail)))
                    .collect(),
                accounts: (ledger.accounts()?, active),
                asked: ledger.setting(crate::delivery::ASKED)?,
                configuration: ledger.setting(crate::delivery::SETTING)?,
            })
        })
        .await
    }

    async fn tell_of_others(&self, seen: &mut Seen) -> Result<()> {
        let before = std::mem::replace(seen, self.look().await?);
        if before.accounts != seen.accounts {
            self.follow_active_account().await?;
        }
        if before.operations != seen.operations {
            for operation in self.operations().await? {
                if before.operations.get(&operation.row.id) != seen.operations.get(&operation.row.id) {
                    self.publish(Change::Operation(Box::new(operation)));
                }
            }
            for live in self.live_accounts().values() {
                live.bell.notify_one();
            }
            self.resume_operations().await?;
        }
        if before.asked != seen.asked || before.configuration != seen.configuration {
            self.try_again();
        }
        if before.last_seq != seen.last_seq {
            self.publish(Change::Events(seen.last_seq));
            self.inner.courier.ring();
        }
        self.publish_delivery().await;
        Ok(())
    }
}
