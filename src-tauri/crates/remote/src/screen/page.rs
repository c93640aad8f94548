//! The side of the page that shows the screen: a plain greeting without any password, and then what it asks for, of which
//! only that goes on which [`super::filter`] understands the answers to.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::filter::wrong;
use super::{Counters, encoding};
use crate::error::{Error, Result};
use crate::output::Spool;

/// How long a page may take to say what it wants.
const WAIT: Duration = Duration::from_secs(60);
/// The longest text that a page hands over for the clipboard.
const TEXT_MOST: u32 = 1024 * 1024;
const VERSION: &[u8; 12] = b"RFB 003.008\n";
/// One kind of security: none.
const SECURITY: [u8; 2] = [1, 1];

/// What the page says, piece by piece.
pub(super) struct Page {
    pieces: mpsc::Receiver<Bytes>,
    buffer: BytesMut,
    counters: Arc<Counters>,
}

impl Page {
    pub fn new(pieces: mpsc::Receiver<Bytes>, counters: Arc<Counters>) -> Self {
        Self {
            pieces,
            buffer: BytesMut::new(),
            counters,
        }
    }

    async fn more(&mut self) -> Result<()> {
        let piece = self.pieces.recv().await.ok_or(Error::Cancelled)?;
        self.buffer.extend_from_slice(&piece);
        Ok(())
    }

    async fn need(&mut self, count: usize) -> Result<()> {
        let needing = async {
            while self.buffer.len() < count {
                self.more().await?;
            }
            Ok(())
        };
        match timeout(WAIT, needing).await {
            Ok(there) => there,
            Err(_) => Err(Error::timed_out("the page that shows the screen")),
        }
    }

    async fn take(&mut self, count: usize) -> Result<BytesMut> {
        self.need(count).await?;
        Ok(self.buffer.split_to(count))
    }

    async fn peek(&mut self, at: usize) -> Result<u8> {
        self.need(at + 1).await?;
        self.buffer.get(at).copied().ok_or(Error::Cancelled)
    }

    /// Greets the page, each word only after its answer: it takes no two at once. Gives its wish to share the screen.
    pub async fn greet(&mut self, spool: &Spool) -> Result<u8> {
        spool.push(&VERSION[..]);
        if *self.take(12).await? != VERSION[..] {
            return Err(wrong("the page's version"));
        }
        spool.push(&SECURITY[..]);
        if self.take(1).await?.get_u8() != 1 {
            return Err(wrong("the page's choice of security"));
        }
        spool.push(&[0; 4][..]);
        Ok(self.take(1).await?.get_u8())
    }

    /// The next message of the page, as it goes on to the server. May be empty.
    pub async fn message(&mut self) -> Result<Bytes> {
        while self.buffer.is_empty() {
            self.more().await?;
        }
        let kind = self.peek(0).await?;
        if matches!(kind, 4..=6 | 255) {
            self.counters.used.fetch_add(1, Ordering::Relaxed);
        }
        let message = match kind {
            0 => {
                let message = self.take(20).await?;
                let bytes = message.get(4).map_or(0, |bits| bits / 8);
                if !matches!(bytes, 1 | 2 | 4) {
                    return Err(wrong("the page's pixels"));
                }
                self.counters.pixel.store(bytes, Ordering::Release);
                message
            }
            2 => {
                let count = usize::from(u16::from_be_bytes([self.peek(2).await?, self.peek(3).await?]));
                let asked = self.take(4 + count * 4).await?;
                encodings(asked)
            }
            3 => self.take(10).await?,
            4 => self.take(8).await?,
            5 => {
                let more = self.peek(1).await? & 0x80 != 0;
                self.take(if more { 7 } else { 6 }).await?
            }
            6 => {
                let mut length = [0; 4];
                for (at, byte) in length.iter_mut().enumerate() {
                    *byte = self.peek(4 + at).await?;
                }
                let length = u32::from_be_bytes(length);
                if length > TEXT_MOST {
                    return Err(wrong("the page's text"));
                }
                self.take(8 + usize::try_from(length).unwrap_or_default()).await?
            }
            150 => self.take(10).await?,
            248 => {
                let length = usize::from(self.peek(8).await?);
                self.take(9 + length).await?
            }
            250 => self.take(4).await?,
            251 => {
                let count = usize::from(self.peek(6).await?);
                self.take(8 + count * 16).await?
            }
            255 if self.peek(1).await? == 0 => self.take(12).await?,
            other => return Err(wrong(format!("the page's message {other}"))),
        };
        Ok(message.freeze())
    }
}

/// Of the encodings that a page knows, those that are understood here, in its order.
fn encodings(mut asked: BytesMut) -> BytesMut {
    asked.advance(4);
    let mut known = Vec::new();
    while asked.remaining() >= 4 {
        let kind = asked.get_i32();
        if encoding::is_known(kind) {
            known.push(kind);
        }
    }
    let mut message = BytesMut::new();
    message.put_slice(&[2, 0]);
    message.put_u16(u16::try_from(known.len()).unwrap_or(u16::MAX));
    for kind in known {
        message.put_i32(kind);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_is_greeted_word_by_word_and_asks_only_for_what_is_understood() {
        let (say, heard) = mpsc::channel(8);
        let counters = Arc::new(Counters::default());
        let mut page = Page::new(heard, counters.clone());
        let spool = Spool::default();
        let saying = async {
            for piece in [&b"RFB 003"[..], b".008\n", &[1, 1]] {
                say.send(Bytes::copy_from_slice(piece)).await.unwrap();
            }
        };
        let (shared, ()) = tokio::join!(page.greet(&spool), saying);
        assert_eq!(shared.unwrap(), 1);
        // Tight, H.264, Raw and the extended clipboard.
        let mut asked = vec![2, 0, 0, 4];
        for kind in [7_i32, 50, 0, 0xc0a1_e5ce_u32.cast_signed()] {
            asked.extend(kind.to_be_bytes());
        }
        say.send(asked.into()).await.unwrap();
        let sent = page.message().await.unwrap();
        assert_eq!(&sent[..], [2, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0]);
        say.send(Bytes::from_static(&[77])).await.unwrap();
        assert!(page.message().await.is_err());
    }
}
