//! How fast requests may follow one another, per host and account, for the whole program.
//!
//! Three limits hold at once: so many requests under way, so many in any window of time, and for single calls
//! those that the vendor documents (BSS) or that a service told when it refused one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Queue, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::keys::Mark;
use crate::endpoints::Service;

/// BSS takes 10 requests per second of each call from an account.
/// API page: <https://support.huaweicloud.com/api-oce/fci_00002.html>
const BSS: Rate = Rate {
    requests: 10,
    window: Duration::from_secs(1),
};
/// Most moments that are remembered per window. A larger limit is kept as a smaller one over a shorter time.
const MOST_REMEMBERED: u32 = 1_000;
/// The longest window, and the longest pause, that a peer can make this side keep.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The longest pause after refusals that tell no window.
const LONGEST_BLIND_PAUSE: Duration = Duration::from_secs(60);
/// Most doublings of a pause.
const MOST_DOUBLINGS: u32 = 16;

/// So many requests in any window of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many requests.
    pub requests: u32,
    /// The window's length.
    pub window: Duration,
}

impl Rate {
    /// Reads limit and window out of a refusal, such as
    /// `The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute`.
    pub(super) fn told(message: &str) -> Option<Self> {
        let lower = message.to_ascii_lowercase();
        let requests = number(after(&lower, "limit")?)?.0;
        let (count, rest) = number(after(&lower, "time")?)?;
        let unit = match rest.trim_start() {
            rest if rest.starts_with("sec") || rest.starts_with('s') => 1,
            rest if rest.starts_with("min") => 60,
            rest if rest.starts_with('h') => 3_600,
            rest if rest.starts_with('d') => 86_400,
            _ => return None,
        };
        let window = Duration::from_secs(u64::from(count) * unit);
        (requests > 0 && count > 0 && window <= LONGEST).then_some(Self { requests, window })
    }

    /// The time between requests that are spread evenly.
    fn spacing(self) -> Duration {
        self.window / self.requests.max(1)
    }

    /// The same pace with no more to remember than is allowed.
    fn bounded(self) -> Self {
        if self.requests <= MOST_REMEMBERED {
            return self;
        }
        Self {
            requests: MOST_REMEMBERED,
            window: self.spacing() * MOST_REMEMBERED,
        }
    }
}

/// What stands after `name:`, blanks passed over. The last such place counts: "ratelimit,limit:200" has two
/// "limit", of which only one has a number.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.match_indices(name)
        .filter_map(|(at, name)| text.get(at + name.len()..)?.trim_start().strip_prefix([':', '=']))
        .map(str::trim_start)
        .find(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

/// All limits that are kept.
pub(super) struct Limits {
    concurrent: usize,
    rate: Rate,
    /// The first pause after a refusal that tells no window.
    pause: Duration,
    lanes: Mutex<HashMap<(String, Mark), Arc<Lane>>>,
}

/// One account at one host.
pub(super) struct Lane {
    slots: Arc<Semaphore>,
    all: Turns,
    calls: Mutex<HashMap<&'static str, Arc<Turns>>>,
    pause: Duration,
}

/// A limit, and those who wait for it in the order in which they came.
struct Turns {
    queue: Queue<()>,
    window: Mutex<Window>,
}

/// The requests that the limit still counts.
struct Window {
    rate: Option<Rate>,
    /// When each of them stops to count, the earliest first.
    counted_until: VecDeque<Instant>,
    /// Nothing before this moment, whatever the limit says.
    closed_until: Option<Instant>,
    refusals: u32,
}

impl Limits {
    pub(super) fn new(concurrent: usize, rate: Rate, pause: Duration) -> Self {
        Self {
            concurrent: concurrent.min(Semaphore::MAX_PERMITS),
            rate,
            pause,
            lanes: Mutex::default(),
        }
    }

    pub(super) fn lane(&self, host: &str, account: Mark) -> Arc<Lane> {
        let mut lanes = lock(&self.lanes);
        let lane = lanes.entry((host.to_owned(), account)).or_insert_with(|| {
            Arc::new(Lane {
                slots: Arc::new(Semaphore::new(self.concurrent)),
                all: Turns::new(Some(self.rate)),
                calls: Mutex::default(),
                pause: self.pause,
            })
        });
        Arc::clone(lane)
    }
}

impl Lane {
    /// Waits until a request may be sent, and counts it as sent. It is under way until what comes back is
    /// dropped.
    ///
    /// # Errors
    /// How long it would have to wait, if that is past the deadline.
    pub(super) async fn turn(
        &self,
        service: Service,
        action: &'static str,
        deadline: Instant,
    ) -> Result<OwnedSemaphorePermit, Duration> {
        let own = self.turns_of(service, action);
        let wait = async {
            // The queue of the call first: whoever waits long for that must not hold up other calls.
            let _own = match &own {
                Some(own) => Some(own.wait(deadline).await?),
                None => None,
            };
            let _all = self.all.wait(deadline).await?;
            let slot = Arc::clone(&self.slots).acquire_owned().await;
            // Counted last, when it really goes.
            let now = Instant::now();
            self.all.window().count(now);
            if let Some(own) = &own {
                own.window().count(now);
            }
            // The semaphore is never closed.
            slot.map_err(|_| Duration::ZERO)
        };
        match tokio::time::timeout_at(deadline, wait).await {
            Ok(turn) => turn,
            Err(_) => Err(self.wait_for(action)),
        }
    }

    /// How long the next such request has to wait.
    pub(super) fn wait_for(&self, action: &'static str) -> Duration {
        let now = Instant::now();
        let all = self.all.window().opens(now);
        let own = lock(&self.calls).get(action).cloned();
        let own = own.map_or(now, |own| own.window().opens(now));
        all.max(own).saturating_duration_since(now)
    }

    /// A service refused a request for coming too fast; it may have said what it allows, or when to come again.
    pub(super) fn refused(&self, action: &'static str, told: Option<Rate>, again_in: Option<Duration>) {
        let own = Arc::clone(
            lock(&self.calls)
                .entry(action)
                .or_insert_with(|| Arc::new(Turns::new(None))),
        );
        own.window().refuse(Instant::now(), told, again_in, self.pause);
    }

    /// A service let a request through.
    pub(super) fn passed(&self, action: &'static str) {
        let own = lock(&self.calls).get(action).cloned();
        if let Some(own) = own {
            own.window().refusals = 0;
        }
    }

    fn turns_of(&self, service: Service, action: &'static str) -> Option<Arc<Turns>> {
        let mut calls = lock(&self.calls);
        if service == Service::Bss {
            let turns = calls
                .entry(action)
                .or_insert_with(|| Arc::new(Turns::new(Some(BSS))));
            return Some(Arc::clone(turns));
        }
        calls.get(action).cloned()
    }
}

impl Turns {
    fn new(rate: Option<Rate>) -> Self {
        Self {
            queue: Queue::new(()),
            window: Mutex::new(Window {
                rate: rate.map(Rate::bounded),
                counted_until: VecDeque::new(),
                closed_until: None,
                refusals: 0,
            }),
        }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        lock(&self.window)
    }

    /// Waits for the front of the queue, and there for the window to open.
    async fn wait(&self, deadline: Instant) -> Result<tokio::sync::MutexGuard<'_, ()>, Duration> {
        let front = self.queue.lock().await;
        loop {
            let now = Instant::now();
            // Read again after each sleep: a refusal of another request may have closed it meanwhile.
            let opens = self.window().opens(now);
            if opens <= now {
                return Ok(front);
            }
            if opens > deadline {
                return Err(opens - now);
            }
            sleep_until(opens).await;
        }
    }
}

impl Window {
    /// When the next request may go.
    fn opens(&self, now: Instant) -> Instant {
        let by_rate = self.rate.and_then(|rate| {
            let last_full = self.counted_until.len().checked_sub(rate.requests as usize)?;
            self.counted_until.get(last_full).copied()
        });
        by_rate
            .max(self.closed_until)
            .map_or(now, |moment| moment.max(now))
    }

    fn count(&mut self, now: Instant) {
        let Some(rate) = self.rate else { return };
        while self.counted_until.front().is_some_and(|until| *until <= now) {
            self.counted_until.pop_front();
        }
        self.counted_until.push_back(now + rate.window);
    }

    fn refuse(&mut self, now: Instant, told: Option<Rate>, again_in: Option<Duration>, pause: Duration) {
        self.refusals = self.refusals.saturating_add(1);
        let doubled = 1_u32 << (self.refusals - 1).min(MOST_DOUBLINGS);
        let rate = told.map(Rate::bounded);
        let pause = match rate {
            Some(rate) => {
                if self.rate != Some(rate) {
                    self.learn(now, rate);
                }
                rate.spacing().saturating_mul(doubled).min(rate.window)
            }
            None => pause.saturating_mul(doubled).min(LONGEST_BLIND_PAUSE),
        };
        let pause = again_in.map_or(pause, |told| told.min(LONGEST).max(pause));
        self.closed_until = Some(now + pause).max(self.closed_until);
    }

    /// Takes over a limit. Its window is full at this moment; as nobody says since when, the requests in it are
    /// taken as spread evenly, so that from now on requests follow at the pace that the limit bears for ever.
    fn learn(&mut self, now: Instant, rate: Rate) {
        self.rate = Some(rate);
        self.counted_until = (1..=rate.requests)
            .map(|place| now + rate.spacing() * place)
            .collect();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
