//! Requests that are put together and signed like all others, and then shown instead of sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::{HeaderMap, Method};
use serde_json::Value;

use super::call::Call;
use super::{Client, ClientInner};
use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};

/// Headers whose value opens something.
const SECRET_HEADERS: [&str; 4] = [
    "authorization",
    "x-security-token",
    "x-obs-security-token",
    "x-auth-token",
];
/// Parts of the names of fields whose value opens something.
const SECRET_FIELDS: [&str; 3] = ["password", "adminpass", "secret"];
/// Stands where a secret was.
const BLANK: &str = "***";

/// A request that would have been sent. Its secrets are blanked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsedRequest {
    /// The service.
    pub service: Service,
    /// The operation's name in the API reference.
    pub operation: &'static str,
    /// Id of the region.
    pub region: String,
    /// Method, e.g. `POST`.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// The headers, as they are sent; the host is in the address.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// It follows once another is answered, and has words in capitals for what that answer would tell.
    pub follows: bool,
}

/// Keeps what would have been sent by the clients that rehearse with it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal {
    requests: Arc<Mutex<Vec<RehearsedRequest>>>,
    follows: bool,
}

impl Rehearsal {
    /// What would have been sent so far.
    pub fn requests(&self) -> Vec<RehearsedRequest> {
        self.kept().clone()
    }

    /// The same rehearsal, for requests that are made with words in capitals in the place of ids that nobody knows yet.
    #[must_use]
    pub fn of_what_follows(&self) -> Self {
        Self {
            requests: Arc::clone(&self.requests),
            follows: true,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<RehearsedRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// The same client, which sends only what reads. Everything else is signed, kept in the rehearsal, and answered
    /// with [`ErrorKind::Invalid`].
    #[must_use]
    pub fn rehearsing(&self, rehearsal: &Rehearsal) -> Self {
        Self {
            inner: Arc::new(ClientInner {
                rehearsal: Some(rehearsal.clone()),
                ..(*self.inner).clone()
            }),
        }
    }

    /// Keeps a call that must not be sent.
    pub(super) fn rehearse(&self, call: &Call<'_>) -> Result<(), Error> {
        let reads = call.method == Method::GET || call.method == Method::HEAD;
        let Some(rehearsal) = self.inner.rehearsal.as_ref().filter(|_| !reads) else {
            return Ok(());
        };
        let url = self.url(call)?;
        let headers = self.headers(call, &url)?;
        rehearsal.kept().push(RehearsedRequest {
            service: call.service,
            operation: call.action,
            region: self.inner.region.to_string(),
            follows: rehearsal.follows,
            method: call.method.to_string(),
            url: url.to_string(),
            headers: shown(&headers),
            body: body(&call.body),
        });
        Err(call.error(ErrorKind::Invalid, "rehearsed: nothing was sent"))
    }
}

fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = if SECRET_HEADERS.contains(&name.as_str()) {
                BLANK.to_owned()
            } else {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            (name.to_string(), value)
        })
        .collect()
}

/// The body without the passwords that it may have.
fn body(bytes: &[u8]) -> String {
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    if blank(&mut value) {
        value.to_string()
    } else {
        // As it is sent, byte for byte.
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Answers whether there was something to blank.
fn blank(value: &mut Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter_mut().fold(false, |blanked, (name, value)| {
            let name = name.to_ascii_lowercase();
            let secret = value.is_string() && SECRET_FIELDS.iter().any(|secret| name.contains(secret));
            if secret {
                *value = BLANK.into();
            }
            blanked | secret | blank(value)
        }),
        Value::Array(rows) => rows.iter_mut().fold(false, |blanked, row| blanked | blank(row)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_blanked_wherever_it_stands_and_the_rest_stays() {
        let shown = body(
            br#"{"reset-password":{"new_password":"Example-1"},"servers":[{"adminPass":"x","name":"a"}]}"#,
        );
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            shown,
            serde_json::json!({"reset-password": {"new_password": "***"}, "servers": [{"adminPass": "***", "name": "a"}]})
        );
    }
}
