//! A small RFB server (RFC 6143) in front of the text screen: versions 3.3 to 3.8, security type None or VncAuth, Raw
//! rectangles.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{interval, timeout};

use super::text::{COLUMNS, LETTER_HEIGHT, LETTER_WIDTH, ROWS};
use super::{Row, Seat};

const VERSION: &[u8; 12] = b"RFB 003.008\n";
const HANDSHAKE_WAIT: Duration = Duration::from_secs(30);
const PASSWORD_WAIT: Duration = Duration::from_secs(180);
const NONE: u8 = 1;
const VNC_AUTH: u8 = 2;
/// How long a viewer may take for what it is sent.
const SEND_WAIT: Duration = Duration::from_secs(30);
/// How often it is looked whether the screen changed.
const LOOK: Duration = Duration::from_millis(30);
const WIDTH: usize = COLUMNS * LETTER_WIDTH;
const HEIGHT: usize = ROWS * LETTER_HEIGHT;
/// The longest text that a viewer may hand over, in bytes. It is not looked at.
const TEXT_MOST: u32 = 1024 * 1024;

/// How a viewer wants a pixel.
#[derive(Clone, Copy)]
struct Format {
    bytes: usize,
    big_endian: bool,
    max: [u16; 3],
    shift: [u8; 3],
}

const NATIVE: Format = Format {
    bytes: 4,
    big_endian: false,
    max: [255; 3],
    shift: [16, 8, 0],
};

impl Format {
    fn read(wanted: &[u8]) -> io::Result<Self> {
        let at = |index: usize| wanted.get(index).copied().unwrap_or_default();
        let pair = |index: usize| u16::from_be_bytes([at(index), at(index + 1)]);
        let bytes = match at(0) {
            8 => 1,
            16 => 2,
            32 => 4,
            _ => return Err(wrong("bits of a pixel")),
        };
        if at(3) == 0 {
            return Err(wrong("a palette"));
        }
        Ok(Self {
            bytes,
            big_endian: at(2) != 0,
            max: [pair(4), pair(6), pair(8)],
            shift: [at(10).min(31), at(11).min(31), at(12).min(31)],
        })
    }

    fn put(self, pixel: [u8; 3], into: &mut Vec<u8>) {
        let parts = pixel.iter().zip(self.max).zip(self.shift);
        let value = parts.fold(0_u32, |value, ((part, max), shift)| {
            value | (u32::from(*part) * u32::from(max) / 255) << shift
        });
        let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
        into.extend(
            match self.big_endian {
                true => big.get(4 - self.bytes..),
                false => little.get(..self.bytes),
            }
            .unwrap_or_default(),
        );
    }
}

/// Shows the screen to one viewer, who is asked for a password where there is one, and takes its keys, until one of them has
/// enough.
pub(in crate::guests) async fn serve<S>(mut stream: S, seat: &Seat, password: Option<&str>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A person types it.
    let wait = if password.is_some() {
        PASSWORD_WAIT
    } else {
        HANDSHAKE_WAIT
    };
    timeout(wait, greet(&mut stream, &seat.name(), password))
        .await
        .map_err(|_| wrong("a viewer that does not answer"))??;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (messages, mut taken) = tokio::sync::mpsc::channel(64);
    let reading = async {
        loop {
            let message = read(&mut reader, seat).await?;
            if let Some(message) = message
                && messages.send(message).await.is_err()
            {
                return Ok(());
            }
        }
    };
    let showing = async {
        let mut look = interval(LOOK);
        let (mut format, mut asked, mut seen) = (NATIVE, None, 0);
        loop {
            tokio::select! {
                message = taken.recv() => match message {
                    Some(Message::Format(wanted)) => format = wanted,
                    Some(Message::Ask { all }) => asked = Some(all || asked == Some(true)),
                    None => return Ok(()),
                },
                _ = look.tick() => {}
            }
            seat.go_on();
            let Some(all) = asked else { continue };
            let (rows, count) = seat.changed(if all { 0 } else { seen });
            if rows.is_empty() {
                continue;
            }
            (asked, seen) = (None, count);
            let update = update(&rows, format);
            timeout(SEND_WAIT, writer.write_all(&update))
                .await
                .map_err(|_| wrong("a viewer that takes nothing"))??;
            writer.flush().await?;
        }
    };
    tokio::select! {
        ended = reading => ended,
        ended = showing => ended,
    }
}

enum Message {
    Format(Format),
    Ask { all: bool },
}

async fn greet<S>(stream: &mut S, name: &str, password: Option<&str>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(VERSION).await?;
    stream.flush().await?;
    let mut version = [0; 12];
    stream.read_exact(&mut version).await?;
    let kind = if password.is_some() { VNC_AUTH } else { NONE };
    match &version {
        b"RFB 003.003\n" => stream.write_u32(kind.into()).await?,
        b"RFB 003.007\n" | b"RFB 003.008\n" => {
            stream.write_all(&[1, kind]).await?;
            stream.flush().await?;
            if stream.read_u8().await? != kind {
                return Err(wrong("a security type that was not offered"));
            }
        }
        _ => return Err(wrong("a version")),
    }
    let known = match password {
        Some(password) => super::auth::knows(stream, password).await?,
        None => true,
    };
    let last = version == *VERSION;
    if last || password.is_some() {
        stream.write_u32(u32::from(!known)).await?;
    }
    if !known {
        if last {
            const WHY: &[u8] = b"that is not the password";
            stream
                .write_u32(u32::try_from(WHY.len()).unwrap_or_default())
                .await?;
            stream.write_all(WHY).await?;
        }
        stream.flush().await?;
        return Err(wrong("a password"));
    }
    stream.flush().await?;
    // Whether the viewer wants it for itself: everybody sees the same here.
    stream.read_u8().await?;
    let mut init = Vec::new();
    init.extend(u16::try_from(WIDTH).unwrap_or(u16::MAX).to_be_bytes());
    init.extend(u16::try_from(HEIGHT).unwrap_or(u16::MAX).to_be_bytes());
    init.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    init.extend(u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
    init.extend(name.as_bytes());
    stream.write_all(&init).await?;
    stream.flush().await
}

async fn read(reader: &mut (impl AsyncRead + Unpin), seat: &Seat) -> io::Result<Option<Message>> {
    match reader.read_u8().await? {
        0 => {
            let mut wanted = [0; 19];
            reader.read_exact(&mut wanted).await?;
            let format = wanted.get(3..).unwrap_or_default();
            Ok(Some(Message::Format(Format::read(format)?)))
        }
        2 => {
            reader.read_u8().await?;
            let count = reader.read_u16().await?;
            skip(reader, u64::from(count) * 4).await?;
            Ok(None)
        }
        3 => {
            let all = reader.read_u8().await? == 0;
            skip(reader, 8).await?;
            Ok(Some(Message::Ask { all }))
        }
        4 => {
            let down = reader.read_u8().await? != 0;
            skip(reader, 2).await?;
            let key = reader.read_u32().await?;
            seat.key(key, down);
            Ok(None)
        }
        5 => skip(reader, 5).await.map(|()| None),
        6 => {
            skip(reader, 3).await?;
            let length = reader.read_u32().await?;
            if length > TEXT_MOST {
                return Err(wrong("a text that is too long"));
            }
            skip(reader, u64::from(length)).await.map(|()| None)
        }
        _ => Err(wrong("a message")),
    }
}

async fn skip(reader: &mut (impl AsyncRead + Unpin), bytes: u64) -> io::Result<()> {
    let skipped = tokio::io::copy(&mut reader.take(bytes), &mut tokio::io::sink()).await?;
    match skipped == bytes {
        true => Ok(()),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// One update of whole rows of letters.
fn update(rows: &[Row], format: Format) -> Vec<u8> {
    let short = |value: usize| u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes();
    let mut bytes = vec![0, 0];
    bytes.extend(short(rows.len()));
    for (row, pixels) in rows {
        bytes.extend([0, 0]);
        bytes.extend(short(row * LETTER_HEIGHT));
        bytes.extend(short(WIDTH));
        bytes.extend(short(LETTER_HEIGHT));
        // Raw.
        bytes.extend([0; 4]);
        for pixel in pixels {
            format.put(*pixel, &mut bytes);
        }
    }
    bytes
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("not taken: {what}"))
}
