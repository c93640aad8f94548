//! Sending events from the ledger to the data platform: in order, at least once, never lost.
//!
//! The outbox is the ledger itself with a cursor. The cursor moves only after the receiver said yes, so whatever stops
//! in between is sent again, with the same `event_id`.
//!
//! Of all programs that share a ledger, one delivers; when it ends, another one takes over. An event that the receiver
//! refuses while it takes others is set apart in the quarantine, and delivery goes on past it. A receiver that refuses
//! everything, which one event of our own tells, sets nothing apart: everything waits.

mod courier;
mod quarantine;
mod settings;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};
use huaweicloud::Proxy;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub use yanhuang::Profile;

pub use self::quarantine::Refused;
pub use self::settings::{Configuration, Preset};
use crate::failure::{Code, Failure, Result};
use crate::keychain::Remember;
use crate::settings::Way;
use crate::{Wangcheng, clock};

/// Name of the cursor in the ledger.
pub(crate) const TARGET: &str = "hei";
pub(crate) const SETTING: &str = "delivery";
/// Changes whenever a person asks to try at once: the program that delivers may be another one.
pub(crate) const ASKED: &str = "delivery.asked";

/// What delivery does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Nowhere to send to.
    Off,
    /// Everything is delivered.
    Idle,
    /// A batch is on its way.
    Sending,
    /// The receiver could not take it; tried again later.
    WaitingToRetry,
    /// The receiver refuses the token; waits for a person.
    Parked,
}

/// How delivery stands.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What it does.
    pub state: DeliveryState,
    /// Where events go, if anywhere.
    pub configuration: Option<Configuration>,
    /// Whether a token is kept.
    pub token_stored: bool,
    /// Events not yet delivered.
    pub waiting: u64,
    /// Sequence number of the newest event.
    pub last_seq: u64,
    /// Sequence number up to which everything is delivered.
    pub delivered_seq: u64,
    /// When the last batch was taken.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When the next try is due.
    pub next_try_at: Option<DateTime<Utc>>,
    /// Failures since the last success.
    pub attempts: u32,
    /// What stops it.
    pub problem: Option<Failure>,
    /// Events that the receiver refused and that are set apart.
    pub quarantined: u64,
}

/// The answer to a test event.
#[derive(Debug, Clone)]
pub struct DeliveryTest {
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// What was sent, with the token blanked.
    pub request: String,
    /// What came back.
    pub answer: Option<String>,
    /// What went wrong.
    pub problem: Option<Failure>,
}

/// What delivery remembers between two batches, beside the ledger.
#[derive(Default)]
struct Now {
    sending: bool,
    parked: bool,
    next_try_at: Option<DateTime<Utc>>,
    attempts: u32,
    problem: Option<Failure>,
}

/// Delivery's own state: the HTTP client, the bell and what it does now.
pub(crate) struct Courier {
    pub(crate) http: reqwest::Client,
    bell: Notify,
    now: Mutex<Now>,
    /// This is the program that delivers.
    pub(crate) leads: AtomicBool,
    published: Mutex<Option<Instant>>,
    /// Held while it is told how delivery stands, so that what is older is not told after what is newer.
    telling: tokio::sync::Mutex<()>,
}

impl Courier {
    pub fn new(way: &Way) -> Result<Self> {
        let internal = |error: reqwest::Error| Failure::new(Code::Internal).saying(error);
        let proxy = match &way.proxy {
            Proxy::System => yanhuang::Route::System,
            Proxy::Direct => yanhuang::Route::Direct,
            Proxy::At { url, .. } => {
                yanhuang::Route::Proxy(Box::new(reqwest::Proxy::all(url.clone()).map_err(internal)?))
            }
        };
        let authorities = match &way.extra_ca {
            Some(pem) => reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(internal)?,
            None => Vec::new(),
        };
        let http = yanhuang::http_client_by(proxy, authorities).map_err(internal)?;
        Ok(Self {
            http,
            bell: Notify::new(),
            now: Mutex::default(),
            leads: AtomicBool::new(false),
            published: Mutex::default(),
            telling: tokio::sync::Mutex::default(),
        })
    }

    /// Wakes delivery because there is something to send.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wangcheng {
    /// How delivery stands.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn delivery(&self) -> Result<Delivery> {
        let (cursor, waiting, last_seq, quarantined) = self
            .ledger(|ledger| {
                Ok((
                    ledger.delivery(TARGET)?,
                    ledger
                        .waiting(TARGET)?
                        .saturating_add(ledger.waiting_beside(TARGET)?),
                    ledger.last_seq()?,
                    ledger.quarantined_count(TARGET)?,
                ))
            })
            .await?;
        let configuration = self.delivery_configuration().await?;
        let demo = self.demo_receiver(configuration.as_ref());
        let token_stored = match (&configuration, demo) {
            (_, true) => true,
            (Some(_), false) => self.token_noted().await?,
            (None, false) => false,
        };
        let now = self.inner.courier.now();
        // Another program delivers, or none yet: the ledger says how its last try went.
        let elsewhere = !self.inner.courier.leads.load(Ordering::Relaxed);
        let told = cursor.last_error.as_deref().filter(|_| elsewhere && waiting > 0);
        let told = told.and_then(|text| serde_json::from_str::<Failure>(text).ok());
        let problem = now.problem.clone().or(told);
        let parked = now.parked || (elsewhere && problem.as_ref().is_some_and(courier::needs_a_person));
        let state = match () {
            () if configuration.is_none() => DeliveryState::Off,
            () if parked => DeliveryState::Parked,
            () if now.sending => DeliveryState::Sending,
            () if problem.is_some() => DeliveryState::WaitingToRetry,
            () => DeliveryState::Idle,
        };
        Ok(Delivery {
            state,
            configuration,
            token_stored,
            waiting,
            last_seq,
            delivered_seq: cursor.cursor,
            delivered_at: cursor.delivered_at,
            next_try_at: now.next_try_at,
            attempts: if elsewhere { cursor.failures } else { now.attempts },
            problem,
            quarantined,
        })
    }

    /// Says where events go from now on. `token`: `None` keeps the one that is kept already.
    ///
    /// # Errors
    /// `DeliveryAddressInvalid`; `DeliveryTokenRefused` without any token; the keychain's and the ledger's.
    pub async fn configure_delivery(
        &self,
        configuration: Configuration,
        token: Option<SecretString>,
    ) -> Result<Delivery> {
        let had_token = self.token_noted().await?;
        if token.is_none() && !had_token {
            return Err(Failure::new(Code::BadInput).with("field", "token"));
        }
        for (field, value) in [
            ("eventSet", &configuration.event_set),
            ("datatype", &configuration.datatype),
        ] {
            if value.trim().is_empty() || value.len() > 200 {
                return Err(Failure::new(Code::BadInput).with("field", field));
            }
        }
        // Refused here rather than at the first event.
        configuration.profile().check().map_err(|error| {
            let field = error.message.split(':').next().unwrap_or_default();
            Failure::new(Code::BadInput)
                .with("field", field)
                .saying(&error.message)
        })?;
        self.hei(&configuration, SecretString::from(String::new()))?;
        if let Some(token) = token {
            self.inner
                .keychain
                .put(&self.token_name(), token, Remember::Keychain)
                .await?;
        }
        let text =
            serde_json::to_string(&configuration).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        self.ledger(move |ledger| {
            ledger.set_setting(SETTING, &text)?;
            ledger.set_setting("delivery.token", "keychain")
        })
        .await?;
        self.send_now().await
    }

    /// Tries at once, also after the token was refused.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn send_now(&self) -> Result<Delivery> {
        let asked = uuid::Uuid::new_v4().to_string();
        self.ledger(move |ledger| ledger.set_setting(ASKED, &asked))
            .await?;
        self.try_again();
        self.delivery().await
    }

    /// An event that says that it is a test. It has no number: it is not part of what happened.
    fn test_event(&self) -> (DateTime<Utc>, String) {
        let time = self.now();
        let json = serde_json::json!({
            "event_id": uuid::Uuid::now_v7().to_string(),
            "schema": crate::events::SCHEMA,
            "time": clock::rfc3339(time),
            "action": "install.test",
            "outcome": "ok",
            "installation_id": self.installation_id(),
            "client": self.inner.client.name,
            "client_version": self.inner.client.version,
            "platform": self.inner.client.platform,
        });
        (time, json.to_string())
    }

    /// Sends one event that says that it is a test, and shows both sides of it.
    ///
    /// # Errors
    /// `DeliveryNotConfigured`; the keychain's and the ledger's. What the receiver says stands in the answer.
    pub async fn test_delivery(&self) -> Result<DeliveryTest> {
        let configuration = self
            .delivery_configuration()
            .await?
            .ok_or(Code::DeliveryNotConfigured)?;
        let token = self.delivery_token(&configuration).await?;
        let hei = self.hei(&configuration, token)?;
        let (time, json) = self.test_event();
        let events = [yanhuang::Event { time, json: &json }];
        let request = hei.describe(&events);
        Ok(match hei.post(&events).await {
            Ok(posted) => DeliveryTest {
                status: Some(posted.status),
                request,
                answer: Some(posted.answer),
                problem: None,
            },
            Err(error) => DeliveryTest {
                status: error.status,
                request,
                answer: Some(error.message.clone()),
                problem: Some(error.into()),
            },
        })
    }
}

impl From<yanhuang::Error> for Failure {
    fn from(error: yanhuang::Error) -> Self {
        use yanhuang::ErrorKind as Kind;
        let code = match error.kind {
            Kind::Unauthorized => Code::DeliveryTokenRefused,
            Kind::TooLarge => Code::DeliveryTooLarge,
            Kind::Throttled { .. } => Code::DeliveryThrottled,
            Kind::Unavailable { .. } => Code::DeliveryUnavailable,
            Kind::Network | Kind::Timeout => Code::DeliveryUnreachable,
            Kind::BadAddress => Code::DeliveryAddressInvalid,
            _ => Code::DeliveryRejected,
        };
        let failure = Failure::new(code).saying(&error.message);
        match error.status {
            Some(status) => failure.with("status", status),
            None => failure,
        }
    }
}
