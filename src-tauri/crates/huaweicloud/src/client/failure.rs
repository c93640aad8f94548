//! Making the error out of an answer that is one.

use std::time::Duration;

use ::http::StatusCode;
use chrono::TimeDelta;

use super::call::Call;
use crate::codes;
use crate::envelope::{self, Envelope};
use crate::error::{Error, ErrorDetail, ErrorKind};

/// A signed time may differ from the server's by this much.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(15);

/// What the head of an answer says.
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) request_id: Option<String>,
    /// Local time minus the server's.
    pub(super) clock_difference: Option<TimeDelta>,
    pub(super) retry_after: Option<Duration>,
}

impl Seen {
    /// The error of an answer whose body could not be read.
    pub(super) fn unreadable(&self, call: &Call<'_>, kind: ErrorKind, message: String) -> Error {
        Error {
            status: Some(self.status.as_u16()),
            request_id: self.request_id.clone().map(String::into_boxed_str),
            outcome_unknown: true,
            ..call.error(kind, message)
        }
    }
}

/// Makes the error out of an answer that is one.
pub(super) fn of(call: &Call<'_>, seen: Seen, envelope: Option<Envelope>, body: &[u8]) -> Error {
    let Seen {
        status,
        request_id,
        clock_difference,
        retry_after,
    } = seen;
    let status = status.as_u16();
    let genuine = envelope.is_some() || request_id.is_some();
    let Envelope {
        code,
        message,
        details,
    } = envelope.unwrap_or_else(|| Envelope {
        code: None,
        message: envelope::raw_text(body),
        details: Box::default(),
    });
    let mut kind = match code.as_deref().and_then(codes::kind_of) {
        // "Invalid" is what the umbrella codes say; a detail may know better.
        Some(ErrorKind::Invalid) => finer_kind(&details).unwrap_or(ErrorKind::Invalid),
        Some(kind) => kind,
        None => finer_kind(&details)
            .unwrap_or_else(|| codes::kind_of_status(said(status, code.as_deref()), genuine)),
    };
    if kind == ErrorKind::BadAnswer && details.iter().any(|detail| detail.id.is_some()) {
        // The parts that failed are known, they only do not agree on a kind: as ECS says it with `Ecs.0611`.
        kind = ErrorKind::Invalid;
    }
    if status == 401 {
        kind = ErrorKind::Auth;
        if clock_difference.is_some_and(|difference| difference.abs() > CLOCK_TOLERANCE) {
            kind = ErrorKind::Clock;
        } else if says_locked(&message) {
            kind = ErrorKind::KeyLocked;
        }
    }
    let message = if (300..400).contains(&status) {
        "a redirect was refused".into()
    } else {
        message
    };
    let mut error = Error {
        // A service reports time-outs behind it as 400 too, while the work goes on.
        outcome_unknown: matches!(
            kind,
            ErrorKind::Transient | ErrorKind::BadAnswer | ErrorKind::Network
        ) || (status >= 500 && kind != ErrorKind::Throttled),
        status: Some(status),
        code,
        message,
        details,
        request_id: request_id.map(String::into_boxed_str),
        clock_difference,
        ..call.error(kind, "")
    };
    error.set_retry_after(retry_after);
    error
}

/// The kind that the finer causes give: that of the first one about the request as a whole, else the one on which
/// all parts of a batch agree.
fn finer_kind(details: &[ErrorDetail]) -> Option<ErrorKind> {
    let whole = details.iter().filter(|detail| detail.id.is_none());
    if let Some(kind) = whole.clone().find_map(ErrorDetail::kind) {
        return Some(kind);
    }
    let mut parts = details
        .iter()
        .filter(|detail| detail.id.is_some())
        .map(ErrorDetail::kind);
    let first = parts.next()??;
    parts.all(|kind| kind == Some(first)).then_some(first)
}

/// The status that counts: inside a success, a number of an error that stands where a code is expected.
fn said(status: u16, code: Option<&str>) -> u16 {
    let number = || code?.parse().ok().filter(|code| (400..600).contains(code));
    if (200..300).contains(&status) {
        number().unwrap_or(status)
    } else {
        status
    }
}

/// Whether a refusal speaks of a locked key. The server's canonical request, which it may quote, does not
/// count.
fn says_locked(message: &str) -> bool {
    let own_words = message.split("canonicalRequest").next().unwrap_or_default();
    // The gateway's sentence for it is "AK access failed to reach the limit,forbidden".
    own_words.contains("reach the limit")
        || own_words
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word.eq_ignore_ascii_case("locked"))
}
