//! The loop that delivers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use rand::RngExt;
use store::{Parcel, Queue};
use yanhuang::{Body, ErrorKind, Event, Hei, Retry};

use super::{Now, TARGET};
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};

/// How often a program that does not deliver looks whether it should.
const TRY_TO_LEAD: Duration = Duration::from_secs(1);
/// How often the ledger notes what was taken while much is sent. What is not noted when the program ends is sent again,
/// with the same `event_id`.
const NOTE: Duration = Duration::from_millis(250);
/// How often progress is told while much is sent.
const TELL: Duration = Duration::from_millis(300);

/// What delivery waits for.
enum Next {
    /// There is nothing to send.
    NewEvent,
    /// The receiver, for this long.
    Retry(Duration),
    /// A new token or address.
    Person,
}

/// The sender of one round.
struct Sender {
    hei: Arc<Hei>,
    /// How many events go at once now, and at most.
    now: usize,
    most: usize,
    bytes: usize,
    /// A batch was refused: its last event. Up to there, each bad event is looked for.
    search: Option<Search>,
}

/// Events to be sent next.
struct Batch {
    parcels: Vec<Parcel>,
    /// The request's body, when it was made beforehand.
    body: Option<std::result::Result<Body, yanhuang::Error>>,
}

impl Batch {
    fn new(parcels: Vec<Parcel>) -> Self {
        Self { parcels, body: None }
    }

    /// With its body, so that sending it has nothing to wait for.
    fn made(parcels: Vec<Parcel>, hei: &Hei) -> Self {
        let mut batch = Self::new(parcels);
        batch.body = Some(batch.body(hei));
        batch
    }

    /// Number of the last of them.
    fn last(&self) -> Option<u64> {
        self.parcels.last().map(|parcel| parcel.number)
    }

    fn body(&mut self, hei: &Hei) -> std::result::Result<Body, yanhuang::Error> {
        self.body.take().unwrap_or_else(|| {
            let events: Vec<_> = self
                .parcels
                .iter()
                .map(|parcel| Event {
                    time: parcel.time,
                    json: &parcel.json,
                })
                .collect();
            hei.body(&events)
        })
    }
}

/// The search for what a receiver refuses.
struct Search {
    until: u64,
    /// The receiver took something since: it does not refuse everything.
    takes: bool,
}

impl Sender {
    fn taken(&mut self, last: u64) {
        self.now = self.now.saturating_mul(2).min(self.most);
        match &mut self.search {
            Some(search) if last < search.until => search.takes = true,
            _ => self.search = None,
        }
    }

    /// How many go into a batch that is read while another one is on its way: as many as may follow if that is taken.
    fn next(&self) -> usize {
        self.now.saturating_mul(2).min(self.most)
    }
}

impl Wangcheng {
    pub(crate) fn spawn_delivery(&self) {
        let this = self.clone();
        self.spawn(async move {
            loop {
                match this.ledger(store::Ledger::lead).await {
                    // Kept until this program stops or ends.
                    Ok(Some(_lead)) => this.lead().await,
                    Ok(None) => {}
                    Err(failure) => tracing::warn!(%failure, "cannot tell who delivers"),
                }
                tokio::time::sleep(TRY_TO_LEAD).await;
            }
        });
    }

    async fn lead(&self) {
        self.inner.courier.leads.store(true, Ordering::Relaxed);
        loop {
            match self.deliver().await {
                Next::NewEvent => self.inner.courier.bell.notified().await,
                Next::Retry(wait) => {
                    let _ = tokio::time::timeout(wait, self.until_sent_for()).await;
                }
                Next::Person => self.until_sent_for().await,
            }
        }
    }

    /// Forgets why delivery waits, and wakes it.
    pub(crate) fn try_again(&self) {
        *self.inner.courier.now() = Now::default();
        self.inner.courier.ring();
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
        let mut retry = Retry::default();
        let next = match self.deliver_all(&mut retry).await {
            Ok(()) => {
                *self.inner.courier.now() = Now::default();
                Next::NewEvent
            }
            Err(failure) => self.put_off(failure, &retry),
        };
        self.inner.courier.now().sending = false;
        self.publish_delivery().await;
        next
    }

    async fn deliver_all(&self, retry: &mut Retry) -> Result<()> {
        let Some(configuration) = self.delivery_configuration().await? else {
            return Ok(());
        };
        let profile = configuration.profile();
        *retry = profile.retry.clone();
        let most = profile.most_events();
        let mut sender = None;
        for queue in [Queue::Rescued, Queue::Again, Queue::Events] {
            let bytes = profile.limits.bytes;
            let mut ready = self.parcels(queue, None, most, bytes).await?;
            if ready.is_empty() {
                continue;
            }
            if ready.len() < most && profile.limits.wait_ms > 0 {
                tokio::time::sleep(Duration::from_millis(profile.limits.wait_ms)).await;
                ready = self.parcels(queue, None, most, bytes).await?;
            }
            let sender = match &mut sender {
                Some(sender) => sender,
                // The keychain is asked only when there is something to send.
                none => none.insert(Sender {
                    hei: Arc::new(self.hei(&configuration, self.delivery_token(&configuration).await?)?),
                    now: most,
                    most,
                    bytes,
                    search: None,
                }),
            };
            sender.search = None;
            let drained = self.drain(sender, queue, ready).await;
            if let Err(failure) = drained {
                let text = serde_json::to_string(&failure).unwrap_or_default();
                let now = self.now();
                self.ledger(move |ledger| ledger.note_failure(TARGET, &text, now))
                    .await?;
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Sends one queue to its end. While a batch is on its way, the next one is made into a body, the one after is read,
    /// and now and then those before are noted, so that none waits for the other.
    async fn drain(&self, sender: &mut Sender, queue: Queue, ready: Vec<Parcel>) -> Result<()> {
        let mut ready = Batch::new(ready);
        // What follows it, once that is read.
        let mut next: Option<Vec<Parcel>> = None;
        let mut taken: Vec<u64> = Vec::new();
        let mut noted = Instant::now();
        loop {
            let Some(last) = ready.last() else {
                if taken.is_empty() {
                    return Ok(());
                }
                self.accepted(queue, std::mem::take(&mut taken)).await?;
                ready = Batch::new(self.parcels(queue, None, sender.now, sender.bytes).await?);
                next = None;
                continue;
            };
            self.inner.courier.now().sending = true;
            self.tell_delivery().await;
            let due = noted.elapsed() >= NOTE;
            let to_note = if due {
                std::mem::take(&mut taken)
            } else {
                Vec::new()
            };
            if due {
                noted = Instant::now();
            }
            let body = ready.body(&sender.hei);
            let post = async { sender.hei.post_body(body?).await };
            let (posted, ahead) = tokio::join!(post, self.ahead(sender, queue, last, next.take(), to_note));
            match posted {
                Ok(_) => {
                    sender.taken(last);
                    taken.extend(ready.parcels.iter().map(|parcel| parcel.number));
                    (ready, next) = match ahead {
                        Ok((made, read)) => (made, Some(read)),
                        Err(failure) => {
                            // What was taken is noted if there is any way to.
                            self.accepted(queue, taken).await?;
                            return Err(failure);
                        }
                    };
                }
                Err(error) => {
                    ahead?;
                    // First what stands before it: the cursor moves past a refused event only from the one before.
                    self.accepted(queue, std::mem::take(&mut taken)).await?;
                    ready = Batch::new(self.refused(sender, queue, ready.parcels, error).await?);
                }
            }
        }
    }

    /// What there is to do while the batch that ends with `last` is on its way: those before it are noted, the one after,
    /// `next`, is made into a body, and what follows that is read. `next`: nothing when it has to be read first.
    async fn ahead(
        &self,
        sender: &Sender,
        queue: Queue,
        last: u64,
        next: Option<Vec<Parcel>>,
        to_note: Vec<u64>,
    ) -> Result<(Batch, Vec<Parcel>)> {
        self.accepted(queue, to_note).await?;
        let next = match next {
            Some(next) => next,
            None => {
                self.parcels(queue, Some(last), sender.next(), sender.bytes)
                    .await?
            }
        };
        let Some(end) = next.last().map(|parcel| parcel.number) else {
            return Ok((Batch::new(next), Vec::new()));
        };
        let hei = Arc::clone(&sender.hei);
        let make = tokio::task::spawn_blocking(move || Batch::made(next, &hei));
        let read = self.parcels(queue, Some(end), sender.next(), sender.bytes);
        let (made, read) = tokio::join!(make, read);
        let made = made.map_err(|error| Failure::new(Code::Internal).saying(error))?;
        Ok((made, read?))
    }

    /// What to send after a refusal: half of it, so that the one bad event is found; or what follows that one once it
    /// is found and set apart.
    async fn refused(
        &self,
        sender: &mut Sender,
        queue: Queue,
        mut ready: Vec<Parcel>,
        error: yanhuang::Error,
    ) -> Result<Vec<Parcel>> {
        let split = matches!(
            error.kind,
            ErrorKind::Rejected | ErrorKind::TooLarge | ErrorKind::Encoding
        );
        let Some(last) = ready.last().map(|parcel| parcel.number).filter(|_| split) else {
            return Err(described(error));
        };
        if error.kind == ErrorKind::Encoding
            && let Some(plain) = sender.hei.uncompressed()
        {
            sender.hei = Arc::new(plain);
            return Ok(ready);
        }
        let search = sender.search.get_or_insert(Search {
            until: last,
            takes: false,
        });
        if ready.len() > 1 {
            let half = ready.len() / 2;
            ready.truncate(half);
            sender.now = half;
            if error.kind == ErrorKind::TooLarge {
                // That many of this size are too many the next time, too.
                sender.most = half;
            }
            return Ok(ready);
        }
        if !search.takes {
            // Is it this event, or everything? An event of our own tells.
            let (time, json) = self.test_event();
            let probe = sender.hei.post(&[Event { time, json: &json }]).await;
            if let Err(other) = probe {
                let same = matches!(
                    other.kind,
                    ErrorKind::Rejected | ErrorKind::TooLarge | ErrorKind::Encoding
                );
                return Err(described(if same { error } else { other }));
            }
            search.takes = true;
        }
        let (now, reason) = (self.now(), reason(&error));
        tracing::warn!(number = last, %reason, "the receiver refuses one event, which is set apart");
        self.ledger(move |ledger| ledger.refused(TARGET, queue, last, &reason, now))
            .await?;
        if search.until <= last {
            sender.search = None;
        }
        sender.now = sender.now.saturating_mul(2).min(sender.most);
        self.publish_delivery().await;
        self.parcels(queue, Some(last), sender.now, sender.bytes).await
    }

    async fn parcels(
        &self,
        queue: Queue,
        after: Option<u64>,
        count: usize,
        bytes: usize,
    ) -> Result<Vec<Parcel>> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.ledger(move |ledger| ledger.parcels(TARGET, queue, after, count, bytes))
            .await
    }

    async fn accepted(&self, queue: Queue, numbers: Vec<u64>) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.ledger(move |ledger| ledger.accepted(TARGET, queue, &numbers, now))
            .await
    }

    /// Notes a failure and says what to wait for: twice as long each time, scattered, or as the receiver asked; or a
    /// person, where asking again would change nothing.
    fn put_off(&self, failure: Failure, retry: &Retry) -> Next {
        let mut now = self.inner.courier.now();
        now.attempts = now.attempts.saturating_add(1);
        now.parked = needs_a_person(&failure);
        let asked = failure
            .facts
            .get("retry_after_s")
            .and_then(|s| s.parse().ok())
            .map(Duration::from_secs)
            .filter(|_| retry.honour_retry_after);
        let wait = match failure.code {
            // An answer that would stay the same if the same were sent at once is asked for again only this often.
            Code::DeliveryRejected | Code::DeliveryTooLarge => Duration::from_millis(retry.max_ms),
            _ => retry.wait(now.attempts),
        };
        let scattered = if retry.jitter {
            wait.mul_f64(rand::rng().random_range(0.8..1.2))
        } else {
            wait
        };
        let scattered = scattered.max(asked.unwrap_or_default());
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
        *self.published() = Some(Instant::now());
        if let Ok(delivery) = self.delivery().await {
            self.publish(Change::Delivery(Box::new(delivery)));
        }
    }

    /// The same, now and then only.
    async fn tell_delivery(&self) {
        let due = self.published().is_none_or(|last| last.elapsed() >= TELL);
        if due {
            self.publish_delivery().await;
        }
    }

    fn published(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.inner
            .courier
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether asking again would change nothing before a person did something.
pub(super) fn needs_a_person(failure: &Failure) -> bool {
    matches!(
        failure.code,
        Code::DeliveryTokenRefused
            | Code::DeliveryAddressInvalid
            | Code::KeychainLocked
            | Code::KeychainAbsent
            | Code::KeyNotStored
    )
}

fn described(error: yanhuang::Error) -> Failure {
    let retry_after = error.retry_after();
    let failure = Failure::from(error);
    match retry_after {
        // Rounded up: coming back too early is what was asked not to happen.
        Some(wait) => failure.with(
            "retry_after_s",
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        ),
        None => failure,
    }
}

fn reason(error: &yanhuang::Error) -> String {
    match error.status {
        Some(status) => format!("HTTP {status}: {}", error.message),
        None => error.message.clone(),
    }
}
