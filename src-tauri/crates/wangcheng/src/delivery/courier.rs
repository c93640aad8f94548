//! The loop that delivers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use rand::RngExt;
use store::{Ledger, Queue};
use tokio::sync::mpsc::{self, Receiver};
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
/// How many bodies may lie ready while one is on its way. Few: each may have as many bytes as the receiver takes.
const AHEAD: usize = 4;
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

/// Events to be sent next, as the body of a request.
struct Batch {
    /// Their numbers in their queue, in order.
    numbers: Vec<u64>,
    body: std::result::Result<Body, yanhuang::Error>,
}

/// What of a queue to put into a batch.
#[derive(Clone, Copy)]
struct Piece {
    queue: Queue,
    /// What follows this number; from where the queue stands otherwise.
    after: Option<u64>,
    /// At most so many.
    count: usize,
}

/// The search for what a receiver refuses.
struct Search {
    until: u64,
    /// The receiver took something since: it does not refuse everything.
    takes: bool,
}

impl Piece {
    /// What a queue begins with.
    fn first(queue: Queue, count: usize) -> Self {
        Self {
            queue,
            after: None,
            count,
        }
    }
}

impl Sender {
    fn taken(&mut self, last: u64) {
        self.now = self.now.saturating_mul(2).min(self.most);
        match &mut self.search {
            Some(search) if last < search.until => search.takes = true,
            _ => self.search = None,
        }
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
            let waiting = self.waiting(queue, most).await?;
            if waiting == 0 {
                continue;
            }
            if waiting < most && profile.limits.wait_ms > 0 {
                tokio::time::sleep(Duration::from_millis(profile.limits.wait_ms)).await;
            }
            let sender = match &mut sender {
                Some(sender) => sender,
                // The keychain is asked only when there is something to send.
                none => none.insert(Sender {
                    hei: Arc::new(self.hei(&configuration, self.delivery_token(&configuration).await?)?),
                    now: most,
                    most,
                    bytes: profile.limits.bytes,
                    search: None,
                }),
            };
            sender.search = None;
            let drained = self.drain(sender, queue).await;
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

    /// Sends one queue to its end. While a batch is on its way, those after it are read into their bodies on a thread
    /// of their own, and now and then those before are noted, so that none waits for the other.
    async fn drain(&self, sender: &mut Sender, queue: Queue) -> Result<()> {
        let mut ready = self.read_ahead(sender, Piece::first(queue, sender.now));
        let mut taken: Vec<u64> = Vec::new();
        let mut noted = Instant::now();
        loop {
            let Some(batch) = ready.recv().await else {
                if taken.is_empty() {
                    return Ok(());
                }
                self.accepted(queue, std::mem::take(&mut taken)).await?;
                ready = self.read_ahead(sender, Piece::first(queue, sender.now));
                continue;
            };
            let Batch { numbers, body } = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    // What was taken is noted if there is any way to.
                    self.accepted(queue, taken).await?;
                    return Err(error.into());
                }
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
            let post = async { sender.hei.post_body(body?).await };
            let (posted, note) = tokio::join!(post, self.accepted(queue, to_note));
            match posted {
                Ok(_) => {
                    if let Some(last) = numbers.last() {
                        sender.taken(*last);
                    }
                    taken.extend(numbers);
                    if let Err(failure) = note {
                        self.accepted(queue, taken).await?;
                        return Err(failure);
                    }
                }
                Err(error) => {
                    note?;
                    // First what stands before it: the cursor moves past a refused event only from the one before.
                    self.accepted(queue, std::mem::take(&mut taken)).await?;
                    let next = self.refused(sender, queue, &numbers, error).await?;
                    ready = self.read_ahead(sender, next);
                }
            }
        }
    }

    /// What to send after a refusal: half of it, so that the one bad event is found; or what follows that one once it
    /// is found and set apart.
    async fn refused(
        &self,
        sender: &mut Sender,
        queue: Queue,
        refused: &[u64],
        error: yanhuang::Error,
    ) -> Result<Piece> {
        let split = matches!(
            error.kind,
            ErrorKind::Rejected | ErrorKind::TooLarge | ErrorKind::Encoding
        );
        let Some(last) = refused.last().copied().filter(|_| split) else {
            return Err(described(error));
        };
        // The queue stands before the first of them.
        let the_first = |count| Piece::first(queue, count);
        if error.kind == ErrorKind::Encoding
            && let Some(plain) = sender.hei.uncompressed()
        {
            sender.hei = Arc::new(plain);
            return Ok(the_first(refused.len()));
        }
        let search = sender.search.get_or_insert(Search {
            until: last,
            takes: false,
        });
        if refused.len() > 1 {
            let half = refused.len() / 2;
            sender.now = half;
            if error.kind == ErrorKind::TooLarge {
                // That many of this size are too many the next time, too.
                sender.most = half;
            }
            return Ok(the_first(half));
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
        Ok(the_first(sender.now))
    }

    /// Reads a queue into bodies, from a piece on, until nothing is left or nobody takes them any more. Each may hold
    /// twice as many events as the one before, as many as may follow if that is taken.
    fn read_ahead(
        &self,
        sender: &Sender,
        mut piece: Piece,
    ) -> Receiver<std::result::Result<Batch, store::Error>> {
        let (give, ready) = mpsc::channel(AHEAD);
        let ledger = Arc::clone(&self.inner.ledger);
        let hei = Arc::clone(&sender.hei);
        let (most, bytes) = (sender.most, sender.bytes);
        tokio::task::spawn_blocking(move || {
            loop {
                let batch = batch(&ledger, &hei, piece, bytes);
                match batch.as_ref().map(|batch| batch.numbers.last().copied()) {
                    Ok(None) => return,
                    Ok(last) => piece.after = last,
                    Err(_) => {}
                }
                piece.count = piece.count.saturating_mul(2).min(most);
                let failed = batch.is_err();
                if give.blocking_send(batch).is_err() || failed {
                    return;
                }
            }
        });
        ready
    }

    /// How many events wait in a queue, counted up to `most`.
    async fn waiting(&self, queue: Queue, most: usize) -> Result<usize> {
        let count = u32::try_from(most).unwrap_or(u32::MAX);
        self.ledger(move |ledger| {
            let mut waiting = 0;
            ledger.hand_out(TARGET, queue, None, count, usize::MAX, |_, _, _| waiting += 1)?;
            Ok(waiting)
        })
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
        let _turn = self.inner.courier.telling.lock().await;
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

/// Reads events straight into the body of a request.
fn batch(ledger: &Ledger, hei: &Hei, piece: Piece, bytes: usize) -> std::result::Result<Batch, store::Error> {
    let count = u32::try_from(piece.count).unwrap_or(u32::MAX);
    let mut numbers = Vec::with_capacity(piece.count);
    // Quoting makes an event longer by about a quarter.
    let mut draft = hei.draft(if piece.count > 1 { bytes / 2 } else { 0 });
    ledger.hand_out(
        TARGET,
        piece.queue,
        piece.after,
        count,
        bytes,
        |number, time, json| {
            numbers.push(number);
            draft.push(&Event { time, json });
        },
    )?;
    Ok(Batch {
        numbers,
        body: draft.finish(),
    })
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
