//! What a terminal received, between the network and whoever shows it. Every byte has an offset, so that a reader who
//! went away (a window was reloaded) takes up where it stopped, or sees how much it missed. What is not shown yet is
//! bounded: above a mark the network is held back, below another it goes on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::wire::Gate;

/// Above so many bytes that are not shown yet, nothing more is taken from the network.
const HOLD_ABOVE: u64 = 768 * 1024;
/// Below so many it goes on: early enough that there is more before these are shown.
const RELEASE_BELOW: u64 = 512 * 1024;
/// So much of what was shown stays, for a window that comes back.
const HISTORY: u64 = 512 * 1024;
/// What comes in smaller pieces is gathered to about this size; a larger one is kept as it came, without being copied.
const GATHERED: usize = 16 * 1024;

/// The output of a shell, for any number of readers. One of them says what was shown ([`Output::shown`]).
#[derive(Debug, Clone)]
pub struct Output {
    spool: Arc<Spool>,
}

#[derive(Debug, Default)]
pub(crate) struct Spool {
    inner: Mutex<Inner>,
    more: Notify,
    /// Rung when more was shown.
    less: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// What came, in order, and behind it what is being gathered.
    pieces: VecDeque<Bytes>,
    tail: BytesMut,
    /// Bytes in both.
    kept: usize,
    /// The offset of the first byte kept.
    start: u64,
    /// Everything before it was shown.
    shown: u64,
    over: bool,
    gate: Option<Arc<Gate>>,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes from an offset on, which is higher than the one asked for when those in between are gone.
    Bytes {
        /// The offset of the first of them.
        offset: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Over,
}

impl Output {
    pub(crate) fn new(spool: Arc<Spool>) -> Self {
        Self { spool }
    }

    /// The next bytes from an offset on, `most` at most; waits up to `wait` for the first of them.
    pub async fn next(&self, offset: u64, most: usize, wait: Duration) -> Piece {
        let waiting = async {
            loop {
                let more = self.spool.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if let Some(piece) = self.spool.lock().piece(offset, most) {
                    return piece;
                }
                more.await;
            }
        };
        timeout(wait, waiting).await.unwrap_or(Piece::Nothing)
    }

    /// Everything before this offset was shown. Lets the network go on.
    pub fn shown(&self, offset: u64) {
        self.spool.lock().shown(offset);
        self.spool.less.notify_waiters();
    }

    /// The lowest offset that is still there: where a window that lost its content begins anew.
    pub fn oldest(&self) -> u64 {
        self.spool.lock().start
    }

    /// The offset after the last byte received.
    pub fn newest(&self) -> u64 {
        self.spool.lock().end()
    }

    /// Bytes received and not shown yet.
    pub fn backlog(&self) -> u64 {
        let inner = self.spool.lock();
        inner.end().saturating_sub(inner.shown)
    }

    /// Bytes in memory.
    pub fn kept(&self) -> usize {
        self.spool.lock().kept
    }
}

impl Spool {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this connection is held back.
    pub fn follow(&self, gate: Arc<Gate>) {
        let mut inner = self.lock();
        inner.gate = Some(gate);
        inner.turn();
    }

    pub fn push(&self, bytes: impl Into<Bytes>) {
        {
            let mut inner = self.lock();
            inner.push(bytes.into());
            inner.trim();
            inner.turn();
        }
        self.more.notify_waiters();
    }

    /// Waits until there is room, for whoever has no gate: above the same mark, and until below the other.
    pub async fn room(&self) {
        let mut most = HOLD_ABOVE;
        loop {
            let less = self.less.notified();
            tokio::pin!(less);
            less.as_mut().enable();
            {
                let inner = self.lock();
                if inner.end() - inner.shown <= most {
                    return;
                }
            }
            most = RELEASE_BELOW;
            less.await;
        }
    }

    pub fn finish(&self) {
        self.lock().over = true;
        self.more.notify_waiters();
    }
}

impl Inner {
    fn end(&self) -> u64 {
        self.start + u64::try_from(self.kept).unwrap_or(u64::MAX)
    }

    fn push(&mut self, bytes: Bytes) {
        self.kept += bytes.len();
        if bytes.len() < GATHERED {
            self.tail.extend_from_slice(&bytes);
            if self.tail.len() < GATHERED {
                return;
            }
        }
        if !self.tail.is_empty() {
            self.pieces.push_back(self.tail.split().freeze());
        }
        if bytes.len() >= GATHERED {
            self.pieces.push_back(bytes);
        }
    }

    fn piece(&self, offset: u64, most: usize) -> Option<Piece> {
        let offset = offset.max(self.start);
        let mut skip = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        if skip >= self.kept {
            return self.over.then_some(Piece::Over);
        }
        let most = most.max(1);
        let mut pieces = self.pieces.iter();
        let mut found = pieces.next();
        while let Some(before) = found.filter(|piece| piece.len() <= skip) {
            skip -= before.len();
            found = pieces.next();
        }
        if let Some(piece) = found {
            let bytes = piece.slice(skip..piece.len().min(skip.saturating_add(most)));
            if bytes.len() > most / 2 {
                return Some(Piece::Bytes { offset, bytes });
            }
            // What would be a small one goes on with those behind it.
            let mut gathered = BytesMut::with_capacity(most.min(self.kept));
            gathered.extend_from_slice(&bytes);
            for more in pieces.map(AsRef::as_ref).chain([self.tail.as_ref()]) {
                let room = most - gathered.len();
                gathered.extend_from_slice(more.get(..room).unwrap_or(more));
            }
            let bytes = gathered.freeze();
            return Some(Piece::Bytes { offset, bytes });
        }
        let rest = self.tail.get(skip..)?;
        let bytes = Bytes::copy_from_slice(rest.get(..most).unwrap_or(rest));
        Some(Piece::Bytes { offset, bytes })
    }

    fn shown(&mut self, offset: u64) {
        self.shown = self.shown.max(offset.min(self.end()));
        self.trim();
        self.turn();
    }

    fn trim(&mut self) {
        let keep_from = self.shown.saturating_sub(HISTORY);
        let gone = usize::try_from(keep_from.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let gone = gone.min(self.kept);
        let mut left = gone;
        while left > 0 {
            let Some(piece) = self.pieces.front_mut() else {
                self.tail.advance(left.min(self.tail.len()));
                break;
            };
            let some = left.min(piece.len());
            left -= some;
            piece.advance(some);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
        self.kept -= gone;
        self.start += u64::try_from(gone).unwrap_or_default();
    }

    fn turn(&self) {
        let Some(gate) = &self.gate else { return };
        let backlog = self.end() - self.shown;
        if backlog > HOLD_ABOVE {
            gate.hold();
        } else if backlog < RELEASE_BELOW {
            gate.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    fn spool() -> (Arc<Spool>, Output) {
        let spool = Arc::new(Spool::default());
        (spool.clone(), Output::new(spool))
    }

    #[tokio::test]
    async fn a_reader_takes_up_where_it_stopped() {
        let (spool, output) = spool();
        spool.push(&b"hello "[..]);
        spool.push(&b"world"[..]);
        let piece = output.next(0, 6, SOON).await;
        assert_eq!(
            piece,
            Piece::Bytes {
                offset: 0,
                bytes: Bytes::from_static(b"hello ")
            }
        );
        let piece = output.next(6, 100, SOON).await;
        assert_eq!(
            piece,
            Piece::Bytes {
                offset: 6,
                bytes: Bytes::from_static(b"world")
            }
        );
        assert_eq!(output.next(11, 100, SOON).await, Piece::Nothing);
        spool.finish();
        assert_eq!(output.next(11, 100, SOON).await, Piece::Over);
        // A window that was reloaded reads it all again.
        let again = output.next(output.oldest(), 100, SOON).await;
        assert_eq!(
            again,
            Piece::Bytes {
                offset: 0,
                bytes: Bytes::from_static(b"hello world")
            }
        );
    }

    #[tokio::test]
    async fn the_network_is_held_back_while_nothing_is_shown() {
        let (spool, output) = spool();
        let gate = Gate::new();
        spool.follow(gate.clone());
        spool.push(vec![b'x'; 800 * 1024]);
        assert!(gate.is_held(), "800 KiB wait to be shown");
        output.shown(200 * 1024);
        assert!(gate.is_held(), "600 KiB are left, more than where it goes on");
        output.shown(350 * 1024);
        assert!(!gate.is_held());
        output.shown(u64::MAX);
        assert_eq!(output.backlog(), 0, "nobody can have shown more than there was");
    }

    #[tokio::test]
    async fn pieces_of_any_size_come_out_as_they_went_in_whatever_is_asked_for_at_once() {
        let (spool, output) = spool();
        let whole: Vec<u8> = (0..400_000_u32).map(|n| (n % 251) as u8).collect();
        let mut rest = whole.as_slice();
        for size in [1, 7, 20_000, 16_384, 16_383, 3, 60_000, 1, 100_000]
            .into_iter()
            .cycle()
        {
            let (piece, left) = rest.split_at(size.min(rest.len()));
            spool.push(Bytes::copy_from_slice(piece));
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        spool.finish();
        for most in [1_000, 16_384, 65_536, 131_072, usize::MAX] {
            let mut seen = Vec::new();
            while let Piece::Bytes { offset, bytes } = output.next(seen.len() as u64, most, SOON).await {
                assert_eq!(offset, seen.len() as u64);
                assert!(!bytes.is_empty() && bytes.len() <= most);
                seen.extend_from_slice(&bytes);
            }
            assert_eq!(seen, whole, "{most} at once");
        }
        // The middle of a piece is where it begins once what is before it is gone.
        output.shown(400_000);
        assert!(output.kept() == 400_000, "less than what stays");
        spool.push(vec![7; 300_000]);
        output.shown(700_000);
        assert_eq!(output.kept(), 512 * 1024);
        let Piece::Bytes { offset, bytes } = output.next(0, 10, SOON).await else {
            panic!("there is output");
        };
        assert_eq!(offset, 700_000 - 512 * 1024);
        assert_eq!(bytes, whole[offset as usize..offset as usize + 10]);
    }

    #[tokio::test]
    async fn what_was_shown_long_ago_is_gone_and_the_reader_sees_it() {
        let (spool, output) = spool();
        for _ in 0..4 {
            spool.push(vec![b'x'; 300 * 1024]);
            output.shown(output.newest());
        }
        assert_eq!(output.kept(), 512 * 1024);
        let Piece::Bytes { offset, .. } = output.next(0, 10, SOON).await else {
            panic!("there is output");
        };
        assert_eq!(offset, 1200 * 1024 - 512 * 1024);
    }
}
