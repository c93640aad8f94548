//! The one error of this crate.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::TimeDelta;

use crate::codes;
use crate::endpoints::Service;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The key is wrong, disabled or expired, or does not belong to the project or the site. Stop polling:
    /// five wrong signatures in a row lock the key for 5 minutes.
    Auth,
    /// The request was refused because the local clock is more than 15 minutes off; see
    /// [`Error::clock_difference`].
    Clock,
    /// The key is locked for 5 minutes after five wrong signatures.
    KeyLocked,
    /// The key is good, but its user may not do this.
    Permission,
    /// Arrears, a frozen account, no payment method. Do not repeat.
    Money,
    /// A quota of the account is used up.
    Quota,
    /// Sold out or full here: offer another zone, flavor, disk type or subnet.
    Capacity,
    /// The resource is in a state that does not allow this: read it again, then perhaps repeat.
    State,
    /// It does not exist (any more).
    Missing,
    /// Too many requests: slow down.
    Throttled,
    /// The service had a hiccup: the same request may work later.
    Transient,
    /// No answer: name resolution, connection, TLS, proxy or deadline.
    Network,
    /// The request is wrong: repeating it does not help.
    Invalid,
    /// The service could not finish the work for reasons of its own.
    Internal,
    /// An answer came that is not one of Huawei Cloud's, is too large, or lacks what it must have.
    BadAnswer,
    /// The service, the call or the option does not exist in this region.
    Unsupported,
}

impl ErrorKind {
    /// Whether the same request may succeed when it is simply sent again a little later.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Throttled | Self::Transient | Self::Network)
    }
}

/// A finer cause inside an error answer: what was wrong in the request, or which server of a batch failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorDetail {
    /// The resource that it is about, in batch answers.
    pub id: Option<Box<str>>,
    /// The finer error code.
    pub code: Option<Box<str>>,
    /// The finer message.
    pub message: Box<str>,
}

impl ErrorDetail {
    /// What a caller can do about this part; `None` if its code is not one of the published ones.
    pub fn kind(&self) -> Option<ErrorKind> {
        codes::kind_of(self.code.as_deref()?)
    }
}

/// Why a call failed. Texts that came from a peer are cut to a sane length and contain no security token.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.describe())]
pub struct Error {
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// Whether the request may have taken effect although it failed here: an answer is missing, unreadable,
    /// or a 5xx. After a call that changes something, read the state before doing it again.
    pub outcome_unknown: bool,
    /// The service that was called.
    pub service: Option<Service>,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The API operation, by the name in the vendor's API reference, such as `ShowServer`.
    pub action: &'static str,
    /// The service's error code, such as `Ecs.0114`.
    pub code: Option<Box<str>>,
    /// The service's message, or the transport's.
    pub message: Box<str>,
    /// The finer causes that the answer lists.
    pub details: Box<[ErrorDetail]>,
    /// The `X-Request-Id` of the answer. The vendor's support asks for it.
    pub request_id: Option<Box<str>>,
    /// Local time minus the server's time (its `Date` header) when the answer came.
    pub clock_difference: Option<TimeDelta>,
    /// See [`Self::retry_after`]. Milliseconds, because the error should stay small.
    pub(crate) wait_ms: Option<NonZeroU32>,
}

impl Error {
    /// An error that was found on this side, before anything was sent.
    pub(crate) fn local(
        kind: ErrorKind,
        service: Option<Service>,
        action: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            outcome_unknown: false,
            service,
            status: None,
            action,
            code: None,
            message: message.into().into_boxed_str(),
            details: Box::default(),
            request_id: None,
            clock_difference: None,
            wait_ms: None,
        }
    }

    /// After how long the limits let the next such request through, when this one was one too many.
    pub fn retry_after(&self) -> Option<Duration> {
        self.wait_ms
            .map(|wait| Duration::from_millis(u64::from(wait.get())))
    }

    pub(crate) fn set_retry_after(&mut self, wait: Option<Duration>) {
        self.wait_ms = wait.and_then(|wait| {
            let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
            NonZeroU32::new(wait)
        });
    }

    /// Whether it is this side that did not send the request, because a limit would have been passed.
    pub(crate) fn is_own_refusal(&self) -> bool {
        self.kind == ErrorKind::Throttled && self.status.is_none()
    }

    /// Whether a service has looked at the key or its signature and refused it. Others of the same kind only say
    /// that the key does not fit to a project or a site.
    pub(crate) fn refuses_key(&self) -> bool {
        self.status == Some(401)
            || matches!(
                self.code.as_deref(),
                Some("SignatureDoesNotMatch" | "InvalidAccessKeyId" | "RequestTimeTooSkewed")
            )
    }

    fn describe(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        // Writing to a String cannot fail.
        if let Some(service) = self.service {
            let _ = write!(text, "{service} ");
        }
        let _ = write!(text, "{}: {}", self.action, self.message);
        let facts: Vec<String> = [
            self.code.as_ref().map(ToString::to_string),
            self.status.map(|status| format!("HTTP {status}")),
            self.request_id.as_ref().map(|id| format!("request {id}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !facts.is_empty() {
            let _ = write!(text, " ({})", facts.join(", "));
        }
        text
    }
}
