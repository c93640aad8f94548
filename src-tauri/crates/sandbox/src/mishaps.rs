//! What is made to go wrong on the wire, whatever the call is about: rules that are switched on while the sandbox runs.
//!
//! Services are not asked: a rule acts on a call that has a valid signature, before or after the service has done its part.
//! What goes wrong inside a service (a job that fails, half a batch, no capacity) is [`crate::world::Faults`].

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{Method, header};
use serde::{Deserialize, Serialize};

use crate::{
    faults::Envelope,
    services::Service,
    wire::{Answer, Reply, Request},
};

/// Most rules at a time.
const MOST_RULES: usize = 100;
/// The longest a call is kept waiting, in milliseconds.
const LONGEST_DELAY_MS: u64 = 300_000;

/// What happens to a call that a [`Mishap`] is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Harm {
    /// Refused for flow control in the service's own words: 429 `APIGW.0308` with limit and window, 429 `CBC.0250` from
    /// billing, 503 `SlowDown` from object storage.
    Throttle {
        /// The limit that the message names; 200 if absent.
        limit: Option<u32>,
        /// The window in minutes that the message names; 5 if absent.
        minutes: Option<u32>,
    },
    /// The server service's flow limit, which comes with status 202 and the error in the body: `Common.0024`.
    FlowLimit,
    /// The server service's flow control: 503 `Common.1503`.
    FlowControl,
    /// Refused with any status, in the envelope of the service; the call is not carried out.
    Status {
        /// HTTP status.
        status: u16,
        /// Error code; `APIGW.0201` if absent.
        code: Option<String>,
        /// Error text.
        message: Option<String>,
        /// Seconds for the header `Retry-After`.
        retry_after_s: Option<u32>,
    },
    /// An answer that no service wrote but something on the way: a page in HTML.
    Proxy {
        /// HTTP status.
        status: u16,
    },
    /// The connection is closed without an answer and nothing is done.
    CutBefore,
    /// The call is carried out, then the connection is closed without an answer.
    CutAfter,
    /// The call is carried out, and the answer comes late.
    Slow {
        /// By how many milliseconds; five minutes at most.
        delay_ms: u64,
    },
    /// The call is carried out; half of the answer's body comes, then the connection is closed.
    Truncated,
    /// The call is carried out; the body that comes has its full length and is no JSON.
    Malformed,
}

/// One rule: which calls, what happens to them, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mishap {
    /// What happens.
    #[serde(flatten)]
    pub harm: Harm,
    /// Host by name (`ecs`, `evs`, …; `eip` and `kps` stand for `vpc` and `kms`); `None`: any.
    pub service: Option<String>,
    /// HTTP method; `None`: any.
    pub method: Option<String>,
    /// Part of the path, as in `/cloudservers/detail`; `None`: any.
    pub path: Option<String>,
    /// For how many calls; `None`: until it is cleared.
    pub count: Option<u32>,
}

impl Mishap {
    /// A rule for every call to every service, until it is cleared.
    pub fn always(harm: Harm) -> Self {
        Self {
            harm,
            service: None,
            method: None,
            path: None,
            count: None,
        }
    }

    fn is_for(&self, service: Service, method: &Method, path: &str) -> bool {
        let service = self
            .service
            .as_deref()
            .is_none_or(|wanted| service.names().contains(&wanted));
        let method = self
            .method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()));
        service && method && self.path.as_deref().is_none_or(|part| path.contains(part))
    }

    fn is_sound(&self) -> bool {
        let status = match &self.harm {
            Harm::Status { status, .. } | Harm::Proxy { status } => (200..600).contains(status),
            Harm::Slow { delay_ms } => *delay_ms <= LONGEST_DELAY_MS,
            _ => true,
        };
        let service = self
            .service
            .as_deref()
            .is_none_or(|name| Service::all().any(|service| service.names().contains(&name)));
        status && service && self.count != Some(0)
    }
}

/// The rules that are switched on, the oldest first. Not part of the state that survives a restart.
#[derive(Debug, Default)]
pub(crate) struct Mishaps {
    rules: Mutex<Vec<Mishap>>,
}

impl Mishaps {
    /// False if the rule makes no sense or there are too many.
    pub(crate) fn add(&self, rule: &Mishap) -> bool {
        let mut rules = self.rules();
        let taken = rule.is_sound() && rules.len() < MOST_RULES;
        if taken {
            rules.push(rule.clone());
        }
        taken
    }

    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    pub(crate) fn list(&self) -> Vec<Mishap> {
        self.rules().clone()
    }

    /// What happens to this call, if anything. Counts it.
    pub(crate) fn take(&self, service: Service, request: &Request) -> Option<Harm> {
        let mut rules = self.rules();
        let position = rules
            .iter()
            .position(|rule| rule.is_for(service, &request.method, &request.path))?;
        let rule = rules.get_mut(position)?;
        let harm = rule.harm.clone();
        if let Some(count) = &mut rule.count {
            *count = count.saturating_sub(1);
            if *count == 0 {
                rules.remove(position);
            }
        }
        Some(harm)
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Mishap>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Harm {
    /// The answer that comes instead of the service's own, and its code.
    pub(crate) fn instead(
        &self,
        service: Service,
        envelope: Envelope,
        request_id: &str,
    ) -> Option<(Answer, String)> {
        let (status, code, message) = match self {
            Self::Throttle { limit, minutes } => match service {
                Service::Bss => (429, "CBC.0250", "The request is too frequent.".to_owned()),
                Service::Obs => (503, "SlowDown", "Please reduce your request rate.".to_owned()),
                _ => (
                    429,
                    "APIGW.0308",
                    format!(
                        "The throttling threshold has been reached: policy user over ratelimit,limit:{},time:{} minute",
                        limit.unwrap_or(200),
                        minutes.unwrap_or(5)
                    ),
                ),
            },
            Self::FlowLimit => (
                202,
                "Common.0024",
                "The request exceeds the flow limit.".to_owned(),
            ),
            Self::FlowControl => (503, "Common.1503", "API flow control.".to_owned()),
            Self::Status {
                status,
                code,
                message,
                retry_after_s,
            } => {
                let code = code.as_deref().unwrap_or("APIGW.0201");
                let message = message
                    .as_deref()
                    .unwrap_or("Backend unavailable. (example fault)");
                let mut answer = envelope.write(*status, code, message, request_id);
                if let Some(seconds) = retry_after_s {
                    answer = answer.with(header::RETRY_AFTER, seconds.to_string());
                }
                return Some((answer, code.to_owned()));
            }
            Self::Proxy { status } => {
                let page = Answer::text(*status, "<html><body><h1>Bad gateway</h1></body></html>")
                    .with(header::CONTENT_TYPE, "text/html");
                return Some((page, "proxy".to_owned()));
            }
            Self::CutBefore | Self::CutAfter | Self::Slow { .. } | Self::Truncated | Self::Malformed => {
                return None;
            }
        };
        Some((
            envelope.write(status, code, &message, request_id),
            code.to_owned(),
        ))
    }

    /// Whether the service is not asked at all.
    pub(crate) fn replaces_the_act(&self) -> bool {
        match self {
            Self::Throttle { .. }
            | Self::FlowLimit
            | Self::FlowControl
            | Self::Status { .. }
            | Self::Proxy { .. } => true,
            Self::CutBefore | Self::CutAfter | Self::Slow { .. } | Self::Truncated | Self::Malformed => false,
        }
    }

    /// What becomes of the service's own answer.
    pub(crate) fn spoil(&self, mut answer: Answer) -> Reply {
        match self {
            Self::CutBefore | Self::CutAfter => Reply::Cut,
            Self::Truncated => Reply::Truncated(answer),
            Self::Malformed => {
                let mut spoilt = answer.body.slice(..answer.body.len() / 2).to_vec();
                spoilt.resize(answer.body.len().max(8), b'<');
                answer.body = spoilt.into();
                Reply::Answer(answer)
            }
            _ => Reply::Answer(answer),
        }
    }

    pub(crate) fn delay(&self) -> Duration {
        match self {
            Self::Slow { delay_ms } => Duration::from_millis(*delay_ms),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_from_one_flat_object() {
        let rule: Mishap =
            serde_json::from_str(r#"{"do":"slow","delay_ms":5,"service":"eip","count":2}"#).unwrap();
        assert_eq!(rule.harm, Harm::Slow { delay_ms: 5 });
        assert!(
            rule.is_for(Service::Vpc, &Method::GET, "/v1/p/publicips"),
            "EIP calls go to the vpc host"
        );
        assert!(!rule.is_for(Service::Ecs, &Method::GET, "/v1/p/publicips"));
    }

    #[test]
    fn rules_that_make_no_sense_are_not_taken() {
        let mishaps = Mishaps::default();
        assert!(!mishaps.add(&Mishap::always(Harm::Proxy { status: 99 })));
        assert!(!mishaps.add(&Mishap::always(Harm::Slow { delay_ms: u64::MAX })));
        let nowhere = Mishap {
            service: Some("nowhere".to_owned()),
            ..Mishap::always(Harm::CutAfter)
        };
        assert!(!mishaps.add(&nowhere));
        assert!(mishaps.list().is_empty());
    }
}
