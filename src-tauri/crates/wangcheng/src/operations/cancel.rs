//! What was asked for and is not wanted any more. The cloud cancels nothing that it has taken, so this is for what still
//! waits to be sent: while the network is away, or the cloud takes no more requests for a while.

use store::{Outcome, Stage};

use super::Operation;
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};

impl Operation {
    /// Whether the cloud surely has nothing of it yet, so that it can be given up.
    pub fn is_cancellable(&self) -> bool {
        self.row.stage == Stage::Recorded && !self.detail.perhaps_sent && self.row.cancel_asked_at.is_none()
    }
}

impl Wangcheng {
    /// Gives an operation up that was not sent yet. Answers as soon as the wish is written down: it ends as cancelled
    /// unless a request that is under way just now comes through, and then goes on as if nothing had been said.
    ///
    /// # Errors
    /// `OperationUnknown`; `CancelTooLate` when the cloud has it, or may have it; the ledger's.
    pub async fn cancel_operation(&self, id: &str) -> Result<Operation> {
        let Some(operation) = self.find_operation(id).await? else {
            return Err(Code::OperationUnknown.into());
        };
        let asked = operation.row.cancel_asked_at.is_some() && operation.row.stage == Stage::Recorded;
        if asked || operation.row.outcome == Some(Outcome::Cancelled) {
            return Ok(operation);
        }
        if !operation.is_cancellable() {
            return Err(Failure::new(Code::CancelTooLate));
        }
        let (wanted, at) = (id.to_owned(), self.now());
        let asked = self.ledger(move |ledger| ledger.ask_cancel(&wanted, at)).await?;
        if !asked {
            return Err(Failure::new(Code::CancelTooLate));
        }
        self.inner.cancels.notify_waiters();
        let operation = self.operation(id).await?;
        self.publish(Change::Operation(Box::new(operation.clone())));
        Ok(operation)
    }
}
