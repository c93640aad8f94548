//! The bytes below SSH, with a tap on them. The SSH library stops everything on a connection, what is to be sent as
//! well, when nobody takes what one channel received. So reading is held back here, below the library, where it costs
//! nothing: a full terminal no longer takes bytes from the network, and Ctrl+C still leaves.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that a server may send before the login, in bytes: keys, lists of algorithms and a banner.
const BEFORE_LOGIN: u64 = 2 * 1024 * 1024;

/// The tap.
#[derive(Debug)]
pub(crate) struct Gate {
    closed: AtomicBool,
    held: AtomicBool,
    /// What may still be received; without limit after the login.
    allowance: AtomicU64,
    received: AtomicU64,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Gate {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            closed: AtomicBool::new(false),
            held: AtomicBool::new(false),
            allowance: AtomicU64::new(BEFORE_LOGIN),
            received: AtomicU64::new(0),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        })
    }

    /// Takes nothing more from the network until [`Gate::release`].
    pub fn hold(&self) {
        self.held.store(true, Ordering::Release);
    }

    pub fn release(&self) {
        if self.held.swap(false, Ordering::AcqRel) {
            self.reader.wake();
        }
    }

    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Ends the connection at once, whatever it waits for.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }

    /// After the login a server may send what it likes.
    pub fn open_wide(&self) {
        self.allowance.store(u64::MAX, Ordering::Release);
    }

    /// The bytes received so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    fn aborted(&self) -> io::Result<()> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "closed here")),
            false => Ok(()),
        }
    }

    fn count(&self, bytes: usize) -> io::Result<()> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.received.fetch_add(bytes, Ordering::Relaxed);
        let left = self.allowance.load(Ordering::Acquire);
        if left == u64::MAX {
            return Ok(());
        }
        if bytes > left {
            return Err(io::Error::other("the server sends too much before the login"));
        }
        // A login that ends meanwhile has opened it wide already.
        let _ = self
            .allowance
            .compare_exchange(left, left - bytes, Ordering::AcqRel, Ordering::Acquire);
        Ok(())
    }
}

/// A stream of bytes behind a tap.
pub(crate) struct Wire<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S> Wire<S> {
    pub fn new(inner: S, gate: Arc<Gate>) -> Self {
        Self { inner, gate }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Registered before looking, so that no change in between is missed.
        self.gate.reader.register(context.waker());
        self.gate.aborted()?;
        if self.gate.is_held() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        self.gate.count(buffer.filled().len() - before)?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.gate.writer.register(context.waker());
        self.gate.aborted()?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.gate.writer.register(context.waker());
        self.gate.aborted()?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
