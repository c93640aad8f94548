//! An act up to its first request that would change something: what is asked beforehand is asked, the request is put
//! together and signed as it would be sent, and shown instead. Nothing is recorded.

use std::sync::Arc;

use huaweicloud::Rehearsal;

use super::Operation;
use super::runner::Runner;
use crate::Wangcheng;
use crate::cloud::Live;
use crate::failure::{Code, Failure};

impl Wangcheng {
    /// The same domain, whose acts are rehearsed only: each ends with [`Code::Rehearsed`] once the rehearsal has its
    /// first request that would change something, or with what stands in its way. Only for acts that are recorded as
    /// operations; everything else is done for real.
    pub fn rehearsing(&self, rehearsal: &Rehearsal) -> Self {
        Self {
            inner: self.inner.clone(),
            rehearsal: Some(rehearsal.clone()),
        }
    }

    /// Goes an operation's way to its first request. Answers why it ended.
    pub(super) async fn rehearse(&self, live: Arc<Live>, operation: Operation) -> Failure {
        let kept = || self.rehearsal.as_ref().map_or(0, |kept| kept.requests().len());
        let before = kept();
        let mut runner = Runner::new(self.clone(), live, operation, false);
        match runner.act().await {
            Err(failure) if kept() == before => failure,
            _ => Code::Rehearsed.into(),
        }
    }
}
