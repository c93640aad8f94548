//! What is known of each key: whether a service has accepted it, and whether one refused it.
//!
//! Five wrong signatures in a row lock a key for five minutes, for every program that uses it. So a key that was
//! refused once is not used again until a person has done something about it, and a key that no service has
//! accepted yet is tried by one request at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

use super::call::Call;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};

/// Stands for a secret where it only has to be recognised.
pub(super) type Mark = [u8; 32];

/// The mark of a text.
pub(super) fn mark(text: &str) -> Mark {
    Sha256::digest(text).into()
}

/// All keys that were used.
#[derive(Default)]
pub(super) struct Keys {
    known: Mutex<HashMap<Mark, Arc<Key>>>,
}

/// One key, the secret part and the token included: whoever corrects those has another key.
#[derive(Default)]
pub(super) struct Key {
    state: Mutex<State>,
    /// Held by the request that tries a key which nobody has accepted yet.
    trial: Arc<Queue<()>>,
}

#[derive(Default)]
enum State {
    #[default]
    Untried,
    Accepted,
    Refused(Box<Error>),
}

/// Kept while a request tries a new key.
pub(super) type Trial = Option<OwnedMutexGuard<()>>;

impl Keys {
    pub(super) fn of(&self, credentials: &Credentials) -> Arc<Key> {
        let mut hash = Sha256::new();
        let token = credentials.security_token.as_ref();
        for part in [
            Some(&credentials.access_key),
            Some(&credentials.secret_key),
            token,
        ] {
            let part = part.map(ExposeSecret::expose_secret).unwrap_or_default();
            // With its length, so that no two keys run together to the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(hash.finalize().into()).or_default())
    }
}

impl Key {
    /// Waits until the key may be used for a request.
    ///
    /// # Errors
    /// It was refused before.
    pub(super) async fn turn(&self, call: &Call<'_>) -> Result<Trial, Error> {
        if self.is_accepted(call)? {
            return Ok(None);
        }
        let trial = Arc::clone(&self.trial).lock_owned().await;
        // The one before may have learned the answer.
        Ok((!self.is_accepted(call)?).then_some(trial))
    }

    /// Whether the key was refused meanwhile.
    ///
    /// # Errors
    /// It was.
    pub(super) fn check(&self, call: &Call<'_>) -> Result<(), Error> {
        self.is_accepted(call).map(|_| ())
    }

    fn is_accepted(&self, call: &Call<'_>) -> Result<bool, Error> {
        match &*self.state() {
            State::Untried => Ok(false),
            State::Accepted => Ok(true),
            State::Refused(error) => Err(stopped(call, error)),
        }
    }

    /// A service took the key for good.
    pub(super) fn accept(&self) {
        let mut state = self.state();
        if matches!(*state, State::Untried) {
            *state = State::Accepted;
        }
    }

    /// A service refused the key.
    pub(super) fn refuse(&self, error: &Error) {
        *self.state() = State::Refused(Box::new(error.clone()));
    }

    /// The key may be tried again.
    pub(super) fn resume(&self) {
        let mut state = self.state();
        if matches!(*state, State::Refused(_)) {
            *state = State::Untried;
        }
    }

    /// Why nothing is sent with the key.
    pub(super) fn refusal(&self) -> Option<Error> {
        match &*self.state() {
            State::Refused(error) => Some((**error).clone()),
            State::Untried | State::Accepted => None,
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a call that is not sent because of an earlier refusal.
fn stopped(call: &Call<'_>, refusal: &Error) -> Error {
    let advice = match refusal.kind {
        ErrorKind::Clock => "the clock of this machine is wrong: set it",
        ErrorKind::KeyLocked => "the key is locked for 5 minutes: wait, and check it",
        _ => "check the key, and the clock of this machine",
    };
    Error {
        code: refusal.code.clone(),
        clock_difference: refusal.clock_difference,
        ..call.error(
            refusal.kind,
            format!(
                "not sent, because an earlier request with this key was refused; {advice}, then begin again"
            ),
        )
    }
}
