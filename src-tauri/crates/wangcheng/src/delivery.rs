//! Sending events from the ledger to the data platform: in order, at least once, never lost.
//!
//! The outbox is the ledger itself with a cursor. The cursor moves only after the receiver said yes, so whatever stops
//! in between is sent again, with the same `event_id`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use url::Url;
use yanhuang::{Hei, Profile};

use crate::app::Change;
use crate::failure::{Code, Failure, Result};
use crate::keychain::Remember;
use crate::{Wangcheng, clock};

/// Name of the cursor in the ledger.
const TARGET: &str = "hei";
const SETTING: &str = "delivery";
/// First wait after a failure; each further one is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// An answer that would stay the same if the same were sent at once is asked for again only this often.
const STUBBORN_WAIT: Duration = Duration::from_secs(300);

/// Where events go. The token stands in the keychain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Address of the HEI.
    pub url: String,
    /// Data set, `_event_set`.
    pub event_set: String,
    /// Data type, `_datatype`.
    pub datatype: String,
    /// Plain HTTP to another computer was chosen on purpose.
    #[serde(default)]
    pub allow_plain_http: bool,
}

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

/// What delivery waits for.
enum Next {
    /// There is nothing to send.
    NewEvent,
    /// The receiver, for this long.
    Retry(Duration),
    /// A new token or address.
    Person,
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
    http: reqwest::Client,
    bell: Notify,
    now: Mutex<Now>,
}

impl Courier {
    pub fn new() -> Result<Self> {
        let http = yanhuang::http_client().map_err(|error| Failure::new(Code::Internal).saying(error))?;
        Ok(Self {
            http,
            bell: Notify::new(),
            now: Mutex::default(),
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
        let (cursor, waiting, last_seq) = self
            .ledger(|ledger| {
                Ok((
                    ledger.delivery(TARGET)?,
                    ledger.waiting(TARGET)?,
                    ledger.last_seq()?,
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
        let state = match () {
            () if configuration.is_none() => DeliveryState::Off,
            () if now.parked => DeliveryState::Parked,
            () if now.sending => DeliveryState::Sending,
            () if now.problem.is_some() => DeliveryState::WaitingToRetry,
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
            attempts: now.attempts,
            problem: now.problem.clone(),
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
        *self.inner.courier.now() = Now::default();
        self.inner.courier.ring();
        self.delivery().await
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
        })
        .to_string();
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

    pub(crate) fn spawn_delivery(&self) {
        let this = self.clone();
        self.spawn(async move {
            loop {
                match this.deliver().await {
                    Next::NewEvent => this.inner.courier.bell.notified().await,
                    Next::Retry(wait) => {
                        let _ = tokio::time::timeout(wait, this.until_sent_for()).await;
                    }
                    Next::Person => this.until_sent_for().await,
                }
            }
        });
    }

    /// Waits until a person asked for a try. New events do not shorten a wait: the receiver is not asked more often
    /// because more is waiting.
    async fn until_sent_for(&self) {
        loop {
            self.inner.courier.bell.notified().await;
            if self.inner.courier.now().problem.is_none() {
                return;
            }
            self.publish_delivery().await;
        }
    }

    /// Sends until nothing waits, and says what to wait for then.
    async fn deliver(&self) -> Next {
        let next = match self.deliver_all().await {
            Ok(()) => {
                *self.inner.courier.now() = Now::default();
                Next::NewEvent
            }
            Err(failure) => self.put_off(failure),
        };
        self.publish_delivery().await;
        next
    }

    async fn deliver_all(&self) -> Result<()> {
        let Some(configuration) = self.delivery_configuration().await? else {
            return Ok(());
        };
        let mut hei: Option<Hei> = None;
        let mut most = usize::MAX;
        loop {
            let limits = yanhuang::Limits::default();
            let count = limits.events.min(most);
            let rows = self
                .ledger(move |ledger| {
                    let from = ledger.delivery(TARGET)?.cursor;
                    ledger.events_after(from, u32::try_from(count).unwrap_or(u32::MAX), limits.bytes)
                })
                .await?;
            let Some(last) = rows.last().map(|row| row.seq) else {
                return Ok(());
            };
            let hei = match &mut hei {
                Some(hei) => hei,
                // The keychain is asked only when there is something to send.
                none => none.insert(self.hei(&configuration, self.delivery_token(&configuration).await?)?),
            };
            self.inner.courier.now().sending = true;
            self.publish_delivery().await;
            let events: Vec<_> = rows
                .iter()
                .map(|row| yanhuang::Event {
                    time: row.time,
                    json: &row.json,
                })
                .collect();
            let posted = hei.post(&events).await;
            self.inner.courier.now().sending = false;
            match posted {
                Ok(_) => {
                    let now = self.now();
                    self.ledger(move |ledger| ledger.advance(TARGET, last, now))
                        .await?;
                    most = usize::MAX;
                }
                Err(error) if error.kind == yanhuang::ErrorKind::TooLarge && rows.len() > 1 => {
                    most = rows.len() / 2
                }
                Err(error) => {
                    let retry_after = error.retry_after();
                    let mut failure = Failure::from(error);
                    if let Some(wait) = retry_after {
                        failure = failure.with("retry_after_s", wait.as_secs());
                    }
                    let (text, now) = (failure.to_string(), self.now());
                    self.ledger(move |ledger| ledger.note_failure(TARGET, &text, now))
                        .await?;
                    return Err(failure);
                }
            }
        }
    }

    /// Notes a failure and says what to wait for: twice as long each time, scattered, or as the receiver asked; or a
    /// person, where asking again would change nothing.
    fn put_off(&self, failure: Failure) -> Next {
        let mut now = self.inner.courier.now();
        now.attempts = now.attempts.saturating_add(1);
        now.parked = matches!(
            failure.code,
            Code::DeliveryTokenRefused
                | Code::DeliveryAddressInvalid
                | Code::KeychainLocked
                | Code::KeychainAbsent
                | Code::KeyNotStored
        );
        let asked = failure
            .facts
            .get("retry_after_s")
            .and_then(|s| s.parse().ok())
            .map(Duration::from_secs);
        let doubled = FIRST_WAIT.saturating_mul(2u32.saturating_pow(now.attempts.saturating_sub(1).min(16)));
        let wait = match failure.code {
            Code::DeliveryRejected | Code::DeliveryTooLarge => STUBBORN_WAIT,
            _ => doubled.min(LONGEST_WAIT),
        };
        let scattered = wait
            .mul_f64(rand::rng().random_range(0.8..1.2))
            .max(asked.unwrap_or_default());
        let parked = now.parked;
        now.next_try_at = if parked {
            None
        } else {
            TimeDelta::from_std(scattered).ok().map(|wait| self.now() + wait)
        };
        tracing::warn!(code = ?failure.code, attempts = now.attempts, wait_s = scattered.as_secs_f64(), "delivery failed");
        now.problem = Some(failure);
        if parked {
            Next::Person
        } else {
            Next::Retry(scattered)
        }
    }

    pub(crate) async fn publish_delivery(&self) {
        if let Ok(delivery) = self.delivery().await {
            self.publish(Change::Delivery(delivery));
        }
    }

    async fn delivery_configuration(&self) -> Result<Option<Configuration>> {
        let text = self.ledger(|ledger| ledger.setting(SETTING)).await?;
        let stored = text.and_then(|text| serde_json::from_str(&text).ok());
        Ok(stored.or_else(|| self.demo().map(|demo| demo_configuration(&demo.hei_url))))
    }

    /// Whether events go to the embedded region's own receiver.
    fn demo_receiver(&self, configuration: Option<&Configuration>) -> bool {
        match (self.demo(), configuration) {
            (Some(demo), Some(configuration)) => *configuration == demo_configuration(&demo.hei_url),
            _ => false,
        }
    }

    async fn delivery_token(&self, configuration: &Configuration) -> Result<SecretString> {
        if let (true, Some(demo)) = (self.demo_receiver(Some(configuration)), self.demo()) {
            return Ok(demo.hei_token.clone());
        }
        let token = self.inner.keychain.get(&self.token_name()).await?;
        token.ok_or_else(|| Failure::new(Code::KeyNotStored))
    }

    /// Whether a token was put into the keychain; read from the ledger, so that a screen need not ask the keychain.
    async fn token_noted(&self) -> Result<bool> {
        Ok(self
            .ledger(|ledger| ledger.setting("delivery.token"))
            .await?
            .is_some())
    }

    fn token_name(&self) -> String {
        format!("hei/{}", self.inner.ledger.installation_id())
    }

    fn hei(&self, configuration: &Configuration, token: SecretString) -> Result<Hei> {
        let url: Url = configuration
            .url
            .parse()
            .map_err(|error| Failure::new(Code::DeliveryAddressInvalid).saying(error))?;
        let mut profile = Profile::yanhuang();
        profile.event_set.clone_from(&configuration.event_set);
        profile.datatype.clone_from(&configuration.datatype);
        profile.allow_plain_http = configuration.allow_plain_http;
        Ok(Hei::new(self.inner.courier.http.clone(), profile, url, token)?)
    }
}

fn demo_configuration(url: &Url) -> Configuration {
    let profile = Profile::yanhuang();
    Configuration {
        url: url.to_string(),
        event_set: profile.event_set,
        datatype: profile.datatype,
        allow_plain_http: false,
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
