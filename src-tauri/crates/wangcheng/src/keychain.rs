//! Secrets in the operating system's keychain, without ever hanging on it.
//!
//! A locked keychain may wait for ever for a prompt nobody sees, so each call runs on a thread of its own and is
//! given up after [`DEADLINE`]. A person whose keychain cannot be used may choose to keep a secret for this run only.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::failure::{Code, Failure, Result};

/// How long one call of the keychain may take.
pub const DEADLINE: Duration = Duration::from_secs(4);
/// How many given-up calls may still hang before further ones are refused at once.
const MOST_HANGING: usize = 4;
/// The keychain's service under which all entries of this application stand.
const SERVICE: &str = "wangcheng";

/// How long a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Remember {
    /// In the operating system's keychain.
    Keychain,
    /// In memory, until the program ends.
    Run,
}

/// The keychain, and beside it what is kept for this run only.
#[derive(Clone, Default)]
pub struct Keychain {
    this_run: Arc<Mutex<HashMap<String, SecretString>>>,
    hanging: Arc<AtomicUsize>,
}

impl Keychain {
    /// Keeps a secret under a name.
    ///
    /// # Errors
    /// `KeychainLocked`, `KeychainAbsent`, `KeychainTimeout`, `KeychainFailed`; with [`Remember::Run`] none.
    pub async fn put(&self, name: &str, secret: SecretString, remember: Remember) -> Result<()> {
        match remember {
            Remember::Run => {
                self.run_secrets().insert(name.to_owned(), secret);
                Ok(())
            }
            Remember::Keychain => {
                self.call(name, move |entry| {
                    entry.set_secret(secret.expose_secret().as_bytes())
                })
                .await?;
                self.run_secrets().remove(name);
                Ok(())
            }
        }
    }

    /// The secret under a name; `None` when there is none.
    ///
    /// # Errors
    /// As [`Keychain::put`].
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>> {
        if let Some(secret) = self.run_secrets().get(name) {
            return Ok(Some(secret.clone()));
        }
        let read = self.call(name, |entry| match entry.get_secret() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(other) => Err(other),
        });
        let Some(bytes) = read.await? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|bad| {
            zeroize::Zeroize::zeroize(&mut bad.into_bytes());
            Failure::new(Code::KeychainFailed).saying("the entry is not text")
        })?;
        Ok(Some(SecretString::from(text)))
    }

    /// Removes what is kept under a name, wherever it is.
    ///
    /// # Errors
    /// As [`Keychain::put`].
    pub async fn remove(&self, name: &str) -> Result<()> {
        if self.run_secrets().remove(name).is_some() {
            return Ok(());
        }
        self.call(name, |entry| match entry.delete_credential() {
            Err(keyring::Error::NoEntry) => Ok(()),
            other => other,
        })
        .await
    }

    fn run_secrets(&self) -> std::sync::MutexGuard<'_, HashMap<String, SecretString>> {
        self.this_run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call of the system's keychain on a thread of its own, with a deadline.
    async fn call<T: Send + 'static>(
        &self,
        name: &str,
        act: impl FnOnce(&keyring::v1::Entry) -> keyring::v1::Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.hanging.load(Ordering::Relaxed) >= MOST_HANGING {
            return Err(Code::KeychainTimeout.into());
        }
        let (send, receive) = tokio::sync::oneshot::channel();
        let name = name.to_owned();
        let hanging = self.hanging.clone();
        hanging.fetch_add(1, Ordering::Relaxed);
        let started = std::thread::Builder::new()
            .name("keychain".into())
            .spawn(move || {
                let result = keyring::v1::Entry::new(SERVICE, &name).and_then(|entry| act(&entry));
                hanging.fetch_sub(1, Ordering::Relaxed);
                // Nobody listens any more when the deadline passed.
                let _ = send.send(result);
            });
        if let Err(error) = started {
            self.hanging.fetch_sub(1, Ordering::Relaxed);
            return Err(Failure::new(Code::KeychainFailed).saying(error));
        }
        match tokio::time::timeout(DEADLINE, receive).await {
            Err(_deadline) => Err(Code::KeychainTimeout.into()),
            Ok(Err(_thread_ended)) => Err(Code::KeychainFailed.into()),
            Ok(Ok(result)) => result.map_err(failure),
        }
    }
}

/// What a keychain's error means to a person.
fn failure(error: keyring::Error) -> Failure {
    let code = match &error {
        keyring::Error::NoStorageAccess(_) => Code::KeychainLocked,
        keyring::Error::NoDefaultStore => Code::KeychainAbsent,
        _ => Code::KeychainFailed,
    };
    // `BadEncoding` and its kin hold the secret's bytes, but their Display does not print them.
    Failure::new(code).saying(error)
}

impl std::fmt::Debug for Keychain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keychain")
    }
}
