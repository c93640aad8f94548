//! VncAuth, as a VNC server asks for it (RFC 6143 7.2.2).

use std::io;

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Whether the other side knows the password, of which eight bytes count.
pub(super) async fn knows<S>(stream: &mut S, password: &str) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let challenge = *uuid::Uuid::new_v4().as_bytes();
    stream.write_all(&challenge).await?;
    stream.flush().await?;
    let mut said = [0; 16];
    stream.read_exact(&mut said).await?;
    Ok(answer(challenge, password) == Some(said))
}

fn answer(challenge: [u8; 16], password: &str) -> Option<[u8; 16]> {
    let mut key = [0_u8; 8];
    for (part, letter) in key.iter_mut().zip(password.bytes()) {
        *part = letter.reverse_bits();
    }
    let cipher = Des::new_from_slice(&key).ok()?;
    let mut answer = challenge;
    for block in answer.chunks_exact_mut(8) {
        let mut whole = <[u8; 8]>::try_from(&*block).ok()?.into();
        cipher.encrypt_block(&mut whole);
        block.copy_from_slice(&whole);
    }
    Some(answer)
}
