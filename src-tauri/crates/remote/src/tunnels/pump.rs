//! Bytes between a channel and a stream, both ways. What stands still on one channel holds up its whole connection (see
//! [`crate::wire`]), so a stream that does not take what comes for it is given room, then time, then up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Counters;

/// So much may wait for a stream here, in KiB.
const ROOM: usize = 16 * 1024;
/// So long a full one may take nothing.
const STALL: Duration = Duration::from_secs(30);
/// Read from a stream at once.
const PIECE: usize = 64 * 1024;
/// How long one way may stay open after the other has ended, when nothing moves on it.
const HALF_OPEN: Duration = Duration::from_secs(600);

type Held = (Bytes, OwnedSemaphorePermit);

/// Carries bytes until both sides are done, one breaks, or it is over.
pub(super) async fn run(
    channel: Channel<Msg>,
    stream: TcpStream,
    counters: &Counters,
    over: &CancellationToken,
) {
    let (reader, writer) = channel.split();
    let (mut from_here, mut to_here) = stream.into_split();
    let (pieces, mut taken) = mpsc::unbounded_channel::<Held>();
    let moved = AtomicU64::new(0);
    let up = async {
        let mut buffer = vec![0; PIECE];
        loop {
            let read = match from_here.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(read) => read,
            };
            let piece = Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default());
            if writer.data_bytes(piece).await.is_err() {
                return;
            }
            let read = u64::try_from(read).unwrap_or(0);
            counters.up.fetch_add(read, Ordering::Relaxed);
            moved.fetch_add(read, Ordering::Relaxed);
        }
        // Ended here; over there it may go on. When that is gone as well, nobody minds.
        let _ = writer.eof().await;
    };
    let giving = async {
        while let Some((piece, room)) = taken.recv().await {
            if to_here.write_all(&piece).await.is_err() {
                return false;
            }
            drop(room);
            let given = u64::try_from(piece.len()).unwrap_or(0);
            counters.down.fetch_add(given, Ordering::Relaxed);
            moved.fetch_add(given, Ordering::Relaxed);
        }
        // Said all over there; here it may go on.
        to_here.shutdown().await.is_ok()
    };
    let down = async {
        tokio::pin!(giving);
        let receiving = receive(reader, pieces);
        tokio::pin!(receiving);
        tokio::select! {
            () = &mut receiving => {
                giving.await;
            }
            given = &mut giving => if given { receiving.await },
        }
    };
    let both = async {
        tokio::pin!(up, down);
        tokio::select! {
            () = &mut up => {}
            // Closed over there: nobody is left to say anything to.
            () = &mut down => return,
        }
        // Somebody who said all may still listen, as long as something comes.
        loop {
            let before = moved.load(Ordering::Relaxed);
            let ended = timeout(HALF_OPEN, &mut down).await.is_ok();
            if ended || moved.load(Ordering::Relaxed) == before {
                return;
            }
        }
    };
    tokio::select! {
        () = both => {}
        () = over.cancelled() => {}
    }
    let _ = timeout(Duration::from_secs(1), writer.close()).await;
}

/// Takes everything from the channel until it is closed, or given up.
async fn receive(mut reader: ChannelReadHalf, pieces: mpsc::UnboundedSender<Held>) {
    let room = Arc::new(Semaphore::new(ROOM));
    let mut pieces = Some(pieces);
    while let Some(message) = reader.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                let Some(pieces) = &pieces else { continue };
                let wanted = u32::try_from(data.len().div_ceil(1024)).unwrap_or(u32::MAX);
                let Ok(Ok(held)) = timeout(STALL, room.clone().acquire_many_owned(wanted)).await else {
                    tracing::debug!("a tunnelled connection takes nothing and is given up");
                    return;
                };
                if pieces.send((data, held)).is_err() {
                    return;
                }
            }
            ChannelMsg::Eof => pieces = None,
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}
