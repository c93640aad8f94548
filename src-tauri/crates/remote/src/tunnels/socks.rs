//! The part of SOCKS5 (RFC 1928) that programs use: no password, connecting to a name or an address.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::Place;
use crate::error::{Error, Result};

/// How long a program may take to say where it wants to go.
const ASK_WAIT: Duration = Duration::from_secs(10);
const VERSION: u8 = 5;
const NO_PASSWORD: u8 = 0;
const NONE_OF_THESE: u8 = 0xff;
const CONNECT: u8 = 1;

/// What the answer says.
#[derive(Clone, Copy)]
enum Word {
    Reached = 0,
    Failure = 1,
    NotAllowed = 2,
    HostUnreachable = 4,
    Refused = 5,
    NoSuchCommand = 7,
    NoSuchAddress = 8,
}

/// Where the program wants to go.
pub(super) async fn asked<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<Place> {
    let waited = timeout(ASK_WAIT, ask(stream)).await;
    waited.unwrap_or_else(|_| Err(Error::timed_out("a program to say where it wants to go")))
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<Place> {
    let broken = |error: std::io::Error| Error::lost(error);
    let odd = |why: &str| Error::Protocol {
        why: format!("SOCKS5: {why}"),
    };
    if stream.read_u8().await.map_err(broken)? != VERSION {
        return Err(odd("another version"));
    }
    let mut methods = vec![0; usize::from(stream.read_u8().await.map_err(broken)?)];
    stream.read_exact(&mut methods).await.map_err(broken)?;
    if !methods.contains(&NO_PASSWORD) {
        stream
            .write_all(&[VERSION, NONE_OF_THESE])
            .await
            .map_err(broken)?;
        return Err(odd("a password is wanted"));
    }
    stream.write_all(&[VERSION, NO_PASSWORD]).await.map_err(broken)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(broken)?;
    let [version, command, _, kind] = head;
    if version != VERSION {
        return Err(odd("another version"));
    }
    if command != CONNECT {
        say(stream, Word::NoSuchCommand).await?;
        return Err(odd("something else than connecting"));
    }
    let host = match kind {
        1 => {
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).await.map_err(broken)?;
            Ipv4Addr::from(bytes).to_string()
        }
        4 => {
            let mut bytes = [0; 16];
            stream.read_exact(&mut bytes).await.map_err(broken)?;
            Ipv6Addr::from(bytes).to_string()
        }
        3 => {
            let mut bytes = vec![0; usize::from(stream.read_u8().await.map_err(broken)?)];
            stream.read_exact(&mut bytes).await.map_err(broken)?;
            match String::from_utf8(bytes) {
                Ok(name) if !name.is_empty() && !name.contains(char::is_control) => name,
                _ => {
                    say(stream, Word::NoSuchAddress).await?;
                    return Err(odd("a name that is none"));
                }
            }
        }
        _ => {
            say(stream, Word::NoSuchAddress).await?;
            return Err(odd("an address of an unknown kind"));
        }
    };
    let port = stream.read_u16().await.map_err(broken)?;
    Ok(Place { host, port })
}

/// Tells the program that it is there.
pub(super) async fn reached<S: AsyncWrite + Unpin>(stream: &mut S) -> Result<()> {
    say(stream, Word::Reached).await
}

/// Tells the program that it is not.
pub(super) async fn not_reached<S: AsyncWrite + Unpin>(stream: &mut S, error: &Error) {
    let word = match error {
        Error::Rejected { why, .. } if why.contains("Prohibited") => Word::NotAllowed,
        Error::Rejected { why, .. } if why.contains("ConnectFailed") => Word::Refused,
        Error::TimedOut { .. } | Error::Lost { .. } => Word::HostUnreachable,
        _ => Word::Failure,
    };
    // It hangs up in any case.
    let _ = say(stream, word).await;
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, word: Word) -> Result<()> {
    // The address bound over there is not known, which 0.0.0.0:0 stands for.
    let answer = [VERSION, word as u8, 0, 1, 0, 0, 0, 0, 0, 0];
    let said = timeout(ASK_WAIT, stream.write_all(&answer)).await;
    said.map_err(|_| Error::timed_out("a program to hear the answer"))?
        .map_err(Error::lost)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn told(bytes: &[u8]) -> (Result<Place>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(bytes).await.unwrap();
        theirs.shutdown().await.unwrap();
        let place = asked(&mut ours).await;
        drop(ours);
        let mut answer = Vec::new();
        theirs.read_to_end(&mut answer).await.unwrap();
        (place, answer)
    }

    #[tokio::test]
    async fn names_and_addresses_are_understood() {
        let (place, answer) = told(b"\x05\x02\x00\x02\x05\x01\x00\x03\x05a.bcd\x1f\x90").await;
        assert_eq!(
            (place.unwrap(), answer),
            (
                Place {
                    host: "a.bcd".into(),
                    port: 8080
                },
                vec![5, 0]
            )
        );
        let (place, _) = told(b"\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x01\x00\x50").await;
        assert_eq!(
            place.unwrap(),
            Place {
                host: "10.0.0.1".into(),
                port: 80
            }
        );
        let mut six = b"\x05\x01\x00\x05\x01\x00\x04".to_vec();
        six.extend([0; 15]);
        six.extend([1, 0, 80]);
        assert_eq!(
            told(&six).await.0.unwrap(),
            Place {
                host: "::1".into(),
                port: 80
            }
        );
    }

    #[tokio::test]
    async fn what_is_not_offered_is_said_so() {
        let (place, answer) = told(b"\x05\x01\x02").await;
        assert!(place.is_err());
        assert_eq!(answer, [5, 0xff]);
        let (place, answer) = told(b"\x05\x01\x00\x05\x02\x00\x01\x0a\x00\x00\x01\x00\x50").await;
        assert!(place.is_err());
        assert_eq!(answer.get(2..4), Some(&[5, 7][..]));
        assert!(told(b"\x04\x01").await.0.is_err(), "SOCKS4 is another protocol");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            // Whatever it is, it comes to an end.
            let _ = runtime.block_on(told(&bytes));
        }
    }
}
