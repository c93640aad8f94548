//! A session's output for a page, which says how much of it was shown: no more is sent than a page can take. Every piece has
//! its offset, so that a page that lost its place reads on from there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use remote::{Output, Piece};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::Wangcheng;
use crate::app::Change;

/// So much is sent and not shown yet at most, in bytes. Less and the terminal runs dry while its word of what it has shown is
/// on its way: it writes for 12 ms at a time and is not heard meanwhile. More makes Ctrl+C wait behind it.
const WINDOW: u64 = 640 * 1024;
/// The most in one piece, in bytes. Each takes a page as long to fetch as this terminal needs for 20 KiB.
const PIECE_MOST: usize = 128 * 1024;
/// After a small piece more is collected for so long, so that a flood does not come drop by drop.
const COLLECT: Duration = Duration::from_millis(4);
/// After so long without a word of what was sent, a page is told to read anew.
const STALL: Duration = Duration::from_secs(5);
const WAIT: Duration = Duration::from_secs(1);

/// What is known of whoever looks at a session.
pub(super) struct Reading {
    id: String,
    output: Output,
    /// Offset up to which a page has shown everything.
    shown: AtomicU64,
    /// Rung when it has shown more.
    more_shown: Notify,
    /// Ends whoever reads the output, because somebody else reads it now.
    reader: Mutex<CancellationToken>,
}

impl Reading {
    pub fn new(id: &str, output: Output) -> Arc<Self> {
        Arc::new(Self {
            id: id.to_owned(),
            output,
            shown: AtomicU64::new(0),
            more_shown: Notify::new(),
            reader: Mutex::default(),
        })
    }

    /// A page has shown everything before this offset.
    pub fn shown(&self, offset: u64) {
        self.shown
            .fetch_max(offset.min(self.output.newest()), Ordering::AcqRel);
        self.output.shown(offset);
        self.more_shown.notify_one();
    }

    /// Reads from an offset on (none: from the oldest that is there). Whoever read before reads no more.
    pub fn begin(self: &Arc<Self>, wangcheng: Wangcheng, offset: Option<u64>) -> Stream {
        let mine = CancellationToken::new();
        self.replace(mine.clone());
        let sent = offset.unwrap_or_else(|| self.output.oldest());
        // Nothing before it is waited for.
        self.shown.store(sent, Ordering::Release);
        Stream {
            wangcheng,
            reading: self.clone(),
            sent,
            collect: false,
            mine,
        }
    }

    /// Nobody reads any more.
    pub fn end(&self) {
        self.replace(CancellationToken::new());
    }

    fn replace(&self, by: CancellationToken) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *reader, by).cancel();
    }
}

/// The output of one session, from an offset on.
pub struct Stream {
    wangcheng: Wangcheng,
    reading: Arc<Reading>,
    /// Offset of what comes next.
    sent: u64,
    collect: bool,
    mine: CancellationToken,
}

impl Stream {
    /// The next piece with the offset of its first byte, which is higher than the end of the one before when output in between
    /// is gone. Nothing once the session is over, somebody else reads, or the page stopped to say what it shows; the latter
    /// is told by [`Change::SessionStalled`].
    pub async fn next(&mut self) -> Option<(u64, Vec<u8>)> {
        let mine = self.mine.clone();
        mine.run_until_cancelled(self.piece()).await.flatten()
    }

    async fn piece(&mut self) -> Option<(u64, Vec<u8>)> {
        let mut shown = self.shown();
        let mut since = Instant::now();
        loop {
            if shown != self.shown() {
                shown = self.shown();
                since = Instant::now();
            }
            if self.sent > shown && since.elapsed() >= STALL {
                self.wangcheng
                    .publish(Change::SessionStalled(self.reading.id.clone()));
                return None;
            }
            if self.sent.saturating_sub(shown) >= WINDOW {
                let _ = tokio::time::timeout(WAIT, self.reading.more_shown.notified()).await;
                continue;
            }
            if std::mem::take(&mut self.collect) {
                sleep(COLLECT).await;
            }
            match self.reading.output.next(self.sent, PIECE_MOST, WAIT).await {
                Piece::Bytes { offset, bytes } => {
                    self.sent = offset + u64::try_from(bytes.len()).unwrap_or_default();
                    self.collect = bytes.len() < PIECE_MOST / 8;
                    return Some((offset, bytes.to_vec()));
                }
                Piece::Nothing => {}
                Piece::Over => return None,
            }
        }
    }

    fn shown(&self) -> u64 {
        self.reading.shown.load(Ordering::Acquire)
    }
}
