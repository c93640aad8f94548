//! What a server sends once its screen is shown, on its way to the page: understood as far as it takes to know every length
//! (RFC 6143 7.6 and 7.7, and the extensions that [`super::page`] lets the page ask for). What is too large, outside of the
//! screen or unknown ends the connection here.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::{Counters, encoding};
use crate::error::{Error, Result, short};
use crate::output::Spool;

/// How long the rest of something that was begun may take.
const WAIT: Duration = Duration::from_secs(60);
/// Widest and highest screen, in pixels.
const SIDE_MOST: u32 = 16_384;
/// Most pixels of a screen: 8K.
const AREA_MOST: u32 = 7680 * 4320;
/// Widest and highest pointer.
const POINTER_MOST: u32 = 512;
/// The longest name of a screen, in bytes.
const NAME_MOST: u32 = 4096;
/// The longest text that a server puts into the clipboard.
const TEXT_MOST: u32 = 1024 * 1024;
/// Most that a fence carries, as its description says.
const FENCE_MOST: u8 = 64;
/// Most that is read from the network at once.
const PIECE: usize = 64 * 1024;

pub(super) fn wrong(why: impl std::fmt::Display) -> Error {
    Error::ScreenProtocol { why: short(why) }
}

/// One part of a screen.
#[derive(Clone, Copy)]
struct Area {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Area {
    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// The server's side, and where it goes.
pub(super) struct Filter<R> {
    reader: R,
    /// Read and not given to the page yet.
    buffer: BytesMut,
    /// So much of it is understood. It goes on as one piece, when more has to be waited for: a page that was sent a length first
    /// would wait for what it counts.
    understood: usize,
    spool: Arc<Spool>,
    counters: Arc<Counters>,
    width: u32,
    height: u32,
}

impl<R: AsyncRead + Unpin> Filter<R> {
    pub fn new(reader: R, spool: Arc<Spool>, counters: Arc<Counters>) -> Self {
        Self {
            reader,
            buffer: BytesMut::with_capacity(PIECE),
            understood: 0,
            spool,
            counters,
            width: 0,
            height: 0,
        }
    }

    /// Gives on what is understood, and reads more. Nothing more is an error: a screen has no end.
    async fn more(&mut self) -> Result<()> {
        self.give();
        self.buffer.reserve(PIECE);
        match self.reader.read_buf(&mut self.buffer).await {
            Ok(0) => Err(Error::lost("the screen hung up")),
            Ok(_) => Ok(()),
            Err(error) => Err(Error::lost(error)),
        }
    }

    /// The same for the rest of something.
    async fn rest(&mut self) -> Result<()> {
        match timeout(WAIT, self.more()).await {
            Ok(read) => read,
            Err(_) => Err(Error::timed_out("the rest of a message")),
        }
    }

    fn give(&mut self) {
        let count = std::mem::take(&mut self.understood).min(self.buffer.len());
        if count > 0 {
            let piece = self.buffer.split_to(count).freeze();
            self.counters.received.fetch_add(len(&piece), Ordering::Relaxed);
            self.spool.push(piece);
        }
    }

    /// What is not understood yet.
    fn ahead(&self) -> &[u8] {
        self.buffer.get(self.understood..).unwrap_or_default()
    }

    /// The next bytes, which go on to the page with what is given next.
    async fn peek<const N: usize>(&mut self) -> Result<[u8; N]> {
        while self.ahead().len() < N {
            self.rest().await?;
        }
        let bytes = self.ahead().get(..N);
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| wrong("a length"))
    }

    /// Bytes that were looked at, or whose number is known.
    async fn pass(&mut self, count: u64) -> Result<()> {
        let mut left = count;
        while left > 0 {
            if self.ahead().is_empty() {
                self.give();
                self.spool.room().await;
                self.rest().await?;
            }
            let some = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.ahead().len());
            self.understood += some;
            left -= u64::try_from(some).unwrap_or(left);
        }
        Ok(())
    }

    async fn byte(&mut self) -> Result<u8> {
        let [byte] = self.peek().await?;
        self.pass(1).await?;
        Ok(byte)
    }

    async fn number(&mut self) -> Result<u32> {
        let bytes = self.peek().await?;
        self.pass(4).await?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn size(&mut self, width: u32, height: u32) -> Result<()> {
        if width > SIDE_MOST || height > SIDE_MOST || width.saturating_mul(height) > AREA_MOST {
            return Err(wrong(format!("a screen of {width} × {height}")));
        }
        (self.width, self.height) = (width, height);
        self.counters.width.store(width, Ordering::Relaxed);
        self.counters.height.store(height, Ordering::Relaxed);
        Ok(())
    }

    /// The first message: the screen's size, its pixels, its name.
    pub async fn begin(&mut self) -> Result<()> {
        let head: [u8; 24] = self.peek().await?;
        let mut head = &head[..];
        let (width, height) = (head.get_u16(), head.get_u16());
        self.size(width.into(), height.into())?;
        let bits = head.get_u8();
        if !matches!(bits, 8 | 16 | 32) {
            return Err(wrong(format!("pixels of {bits} bits")));
        }
        head.advance(15);
        let name = head.get_u32();
        if name > NAME_MOST {
            return Err(wrong(format!("a name of {name} bytes")));
        }
        self.pass(24 + u64::from(name)).await
    }

    /// Every message, one after the other, until one is wrong or the server hangs up.
    pub async fn run(&mut self) -> Result<()> {
        loop {
            if self.ahead().is_empty() {
                self.give();
                self.spool.room().await;
            }
            while self.ahead().is_empty() {
                // Nothing changes on a screen that nobody uses: this may take its time.
                self.more().await?;
            }
            match self.byte().await? {
                0 => self.update().await?,
                // Colours of a palette.
                1 => {
                    let [_, _, _, high, low] = self.peek().await?;
                    let count = u16::from_be_bytes([high, low]);
                    self.pass(5 + u64::from(count) * 6).await?;
                }
                // A bell.
                2 => {}
                3 => {
                    let [_, _, _, a, b, c, d] = self.peek().await?;
                    let length = u32::from_be_bytes([a, b, c, d]);
                    if length > TEXT_MOST {
                        return Err(wrong(format!("a text of {length} bytes")));
                    }
                    self.pass(7 + u64::from(length)).await?;
                }
                // The end of continuous updates.
                150 => {}
                248 => {
                    let [_, _, _, _, _, _, _, length] = self.peek().await?;
                    if length > FENCE_MOST {
                        return Err(wrong(format!("a fence of {length} bytes")));
                    }
                    self.pass(8 + u64::from(length)).await?;
                }
                250 => self.pass(3).await?,
                other => return Err(wrong(format!("the unknown message {other}"))),
            }
        }
    }

    async fn update(&mut self) -> Result<()> {
        let [_, high, low] = self.peek().await?;
        self.pass(3).await?;
        let mut left = u16::from_be_bytes([high, low]);
        while left > 0 {
            let head: [u8; 12] = self.peek().await?;
            self.pass(12).await?;
            let mut head = &head[..];
            let area = Area {
                x: head.get_u16().into(),
                y: head.get_u16().into(),
                width: head.get_u16().into(),
                height: head.get_u16().into(),
            };
            let kind = head.get_i32();
            if kind == encoding::LAST_RECT {
                break;
            }
            self.part(area, kind).await?;
            left -= 1;
        }
        self.counters.updates.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn part(&mut self, area: Area, kind: i32) -> Result<()> {
        let pixel = u64::from(self.counters.pixel.load(Ordering::Acquire));
        let pointer = |area: Area| match area.width <= POINTER_MOST && area.height <= POINTER_MOST {
            true => Ok(area.pixels()),
            false => Err(wrong(format!("a pointer of {} × {}", area.width, area.height))),
        };
        // What is no part of the picture says other things with place and size.
        match kind {
            encoding::CURSOR => {
                let pixels = pointer(area)?;
                let mask = u64::from(area.width.div_ceil(8)) * u64::from(area.height);
                return self.pass(pixels * pixel + mask).await;
            }
            encoding::VMWARE_CURSOR => {
                let pixels = pointer(area)?;
                let [form, _]: [u8; 2] = self.peek().await?;
                let each = match form {
                    0 => pixel * 2,
                    1 => 4,
                    other => return Err(wrong(format!("a pointer of kind {other}"))),
                };
                return self.pass(2 + pixels * each).await;
            }
            encoding::DESKTOP_SIZE => return self.size(area.width, area.height),
            encoding::EXTENDED_DESKTOP_SIZE => {
                // A wish that was refused leaves the size as it is.
                if area.y == 0 {
                    self.size(area.width, area.height)?;
                }
                let count = self.byte().await?;
                return self.pass(3 + u64::from(count) * 16).await;
            }
            encoding::DESKTOP_NAME => {
                let length = self.number().await?;
                if length > NAME_MOST {
                    return Err(wrong(format!("a name of {length} bytes")));
                }
                return self.pass(length.into()).await;
            }
            encoding::QEMU_KEYS | encoding::POINTER_BUTTONS => return Ok(()),
            encoding::QEMU_LAMPS => return self.pass(1).await,
            _ => {}
        }
        if area.x + area.width > self.width || area.y + area.height > self.height {
            return Err(wrong("a part that is outside of the screen"));
        }
        match kind {
            encoding::RAW => self.pass(area.pixels() * pixel).await,
            encoding::COPY_RECT => self.pass(4).await,
            encoding::RRE => {
                let count = self.number().await?;
                if u64::from(count) > area.pixels() {
                    return Err(wrong(format!("{count} parts of a part")));
                }
                self.pass(pixel + u64::from(count) * (pixel + 8)).await
            }
            encoding::HEXTILE => self.hextile(area, pixel).await,
            encoding::ZRLE => {
                let length = self.number().await?;
                // Compression that makes it larger makes it a little larger.
                let most = area.pixels() * 8 + 64 * 1024;
                if u64::from(length) > most {
                    return Err(wrong(format!("{length} bytes for {} pixels", area.pixels())));
                }
                self.pass(length.into()).await
            }
            encoding::TIGHT | encoding::TIGHT_PNG => self.tight(area, pixel).await,
            other => Err(wrong(format!("the encoding {other}, which was not asked for"))),
        }
    }

    async fn hextile(&mut self, area: Area, pixel: u64) -> Result<()> {
        const SIDE: u32 = 16;
        for top in (0..area.height).step_by(16) {
            for left in (0..area.width).step_by(16) {
                let tile = Area {
                    width: SIDE.min(area.width - left),
                    height: SIDE.min(area.height - top),
                    ..area
                };
                let how = self.byte().await?;
                if how & 1 != 0 {
                    self.pass(tile.pixels() * pixel).await?;
                    continue;
                }
                let colours = u64::from((how >> 1) & 1) + u64::from((how >> 2) & 1);
                self.pass(colours * pixel).await?;
                if how & 8 != 0 {
                    let count = u64::from(self.byte().await?);
                    let each = if how & 16 != 0 { pixel + 2 } else { 2 };
                    self.pass(count * each).await?;
                }
            }
        }
        Ok(())
    }

    async fn tight(&mut self, area: Area, pixel: u64) -> Result<()> {
        // With 24 bits of colour the fourth byte is left out.
        let pixel = if pixel == 4 { 3 } else { pixel };
        let how = self.byte().await?;
        let bytes = match how >> 4 {
            8 => return self.pass(pixel).await,
            9 | 10 => {
                let length = self.compact().await?;
                return self.pass(length).await;
            }
            0..=7 => {
                let filter = if how & 0x40 != 0 { self.byte().await? } else { 0 };
                match filter {
                    0 | 2 => area.pixels() * pixel,
                    1 => {
                        let colours = u64::from(self.byte().await?) + 1;
                        self.pass(colours * pixel).await?;
                        let row = match colours {
                            ..=2 => area.width.div_ceil(8),
                            _ => area.width,
                        };
                        u64::from(row) * u64::from(area.height)
                    }
                    other => return Err(wrong(format!("the filter {other}"))),
                }
            }
            other => return Err(wrong(format!("the compression {other}"))),
        };
        // So few are not compressed.
        if bytes < 12 {
            return self.pass(bytes).await;
        }
        let length = self.compact().await?;
        self.pass(length).await
    }

    /// A length of Tight: up to three bytes of seven, seven and eight bits.
    async fn compact(&mut self) -> Result<u64> {
        let first = self.byte().await?;
        let mut length = u64::from(first & 0x7f);
        if first & 0x80 != 0 {
            let second = self.byte().await?;
            length |= u64::from(second & 0x7f) << 7;
            if second & 0x80 != 0 {
                length |= u64::from(self.byte().await?) << 14;
            }
        }
        Ok(length)
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
