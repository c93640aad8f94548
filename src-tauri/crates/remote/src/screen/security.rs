//! The beginning of RFB (RFC 6143 7.1 and 7.2) with a server, up to the point where both are ready to say what they show:
//! versions 3.3 to 3.8, None, VncAuth, and VeNCrypt with certificates. The page that shows the screen has no part in it: no
//! password gets there.

use std::time::Duration;

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{BoxStream, tls};
use crate::error::{Error, Result, short};
use crate::front::{Ask, Teller};
use crate::host_keys::KnownKey;

/// How long a server may take for each part.
const WAIT: Duration = Duration::from_secs(20);
/// The longest reason for a refusal that is read, in bytes.
const REASON_MOST: u32 = 4096;
/// Most kinds of security within VeNCrypt.
const KINDS_MOST: u8 = 64;

const NONE: u8 = 1;
pub(super) const VNC_AUTH: u8 = 2;
const VENCRYPT: u8 = 19;
const PLAIN: u32 = 256;
const X509_NONE: u32 = 260;
const X509_VNC: u32 = 261;
const X509_PLAIN: u32 = 262;

/// Where a server is, for questions and errors.
pub(super) struct Server<'a> {
    pub host: &'a str,
    pub port: u16,
    /// Nothing between here and there can be listened to.
    pub private: bool,
    pub teller: &'a Teller,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Version {
    V3,
    V7,
    V8,
}

/// What is proven after a choice of security.
#[derive(Clone, Copy, PartialEq)]
enum Proof {
    Nothing,
    VncAuth,
    Plain,
}

fn wrong(why: impl std::fmt::Display) -> Error {
    Error::ScreenProtocol { why: short(why) }
}

async fn within<T>(what: &str, work: impl Future<Output = std::io::Result<T>>) -> Result<T> {
    match timeout(WAIT, work).await {
        Ok(done) => done.map_err(Error::lost),
        Err(_) => Err(Error::timed_out(what)),
    }
}

/// Comes to terms with a server. Afterwards it waits to hear whether it is shared.
pub(super) async fn agree(mut stream: BoxStream, server: &Server<'_>) -> Result<BoxStream> {
    let version = agree_version(&mut stream).await?;
    let kind = match version {
        Version::V3 => match within("the security", stream.read_u32()).await? {
            0 => return Err(refusal(&mut stream).await),
            kind => u8::try_from(kind).map_err(|_| wrong("an unknown kind of security"))?,
        },
        _ => choose(&mut stream).await?,
    };
    let proof = match kind {
        NONE => Proof::Nothing,
        VNC_AUTH => Proof::VncAuth,
        VENCRYPT => {
            let (secured, proof) = vencrypt(stream, server).await?;
            stream = secured;
            proof
        }
        _ => return Err(wrong("a kind of security that was not chosen")),
    };
    match proof {
        Proof::Nothing => {}
        Proof::VncAuth => vnc_auth(&mut stream, server).await?,
        Proof::Plain => plain(&mut stream, server).await?,
    }
    // Before 3.8 nothing is said after None.
    let told = version >= Version::V8 || proof != Proof::Nothing || kind == VENCRYPT;
    if told && within("the answer to the login", stream.read_u32()).await? != 0 {
        let reason = match version {
            Version::V8 => reason(&mut stream).await,
            _ => String::new(),
        };
        if let Some(name) = recalled(proof, server) {
            server.teller.forget(&name);
        }
        return Err(Error::ScreenLogin { why: reason });
    }
    Ok(stream)
}

async fn agree_version(stream: &mut BoxStream) -> Result<Version> {
    let mut shown = [0; 12];
    match timeout(WAIT, stream.read_exact(&mut shown)).await {
        Ok(Ok(_)) => {}
        // Where a proxy does not like the token, this is all that it says.
        Ok(Err(_)) => {
            return Err(Error::ScreenRefused {
                why: "it hung up before it said anything".to_owned(),
            });
        }
        Err(_) => return Err(Error::timed_out("the screen's greeting")),
    }
    let number = |from: usize| {
        let digits = shown.get(from..from + 3)?;
        std::str::from_utf8(digits).ok()?.parse::<u32>().ok()
    };
    let (Some(major), Some(minor)) = (number(4), number(8)) else {
        return Err(wrong("it is no VNC server"));
    };
    if !shown.starts_with(b"RFB ") || major < 3 {
        return Err(wrong("it is no VNC server"));
    }
    let (version, said) = match (major, minor) {
        (3, ..=6) => (Version::V3, b"RFB 003.003\n"),
        (3, 7) => (Version::V7, b"RFB 003.007\n"),
        // Those that count higher know 3.8 as well.
        _ => (Version::V8, b"RFB 003.008\n"),
    };
    let saying = async {
        stream.write_all(said).await?;
        stream.flush().await
    };
    within("the version", saying).await?;
    Ok(version)
}

async fn choose(stream: &mut BoxStream) -> Result<u8> {
    let count = within("the security", stream.read_u8()).await?;
    if count == 0 {
        return Err(refusal(stream).await);
    }
    let mut offered = vec![0; usize::from(count)];
    within("the security", stream.read_exact(&mut offered)).await?;
    // TLS first; what a tunnel carries is secret without it, too.
    let known = [VENCRYPT, NONE, VNC_AUTH]
        .into_iter()
        .find(|kind| offered.contains(kind));
    let kind = known.ok_or_else(|| unknown(&offered))?;
    let saying = async {
        stream.write_u8(kind).await?;
        stream.flush().await
    };
    within("the security", saying).await?;
    Ok(kind)
}

fn unknown<T: ToString>(offered: &[T]) -> Error {
    let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
    Error::ScreenSecurity {
        offered: offered.join(", "),
    }
}

async fn refusal(stream: &mut BoxStream) -> Error {
    Error::ScreenRefused {
        why: reason(stream).await,
    }
}

/// The reason that follows a refusal; nothing where none comes.
async fn reason(stream: &mut BoxStream) -> String {
    let reading = async {
        let length = stream.read_u32().await?;
        let mut text = vec![0; usize::try_from(length.min(REASON_MOST)).unwrap_or_default()];
        stream.read_exact(&mut text).await?;
        std::io::Result::Ok(text)
    };
    match timeout(WAIT, reading).await {
        Ok(Ok(text)) => short(String::from_utf8_lossy(&text)),
        _ => String::new(),
    }
}

async fn vencrypt(mut stream: BoxStream, server: &Server<'_>) -> Result<(BoxStream, Proof)> {
    let beginning = async {
        let version = [stream.read_u8().await?, stream.read_u8().await?];
        if version < [0, 2] {
            return Ok(None);
        }
        stream.write_all(&[0, 2]).await?;
        stream.flush().await?;
        if stream.read_u8().await? != 0 {
            return Ok(None);
        }
        let count = stream.read_u8().await?.min(KINDS_MOST);
        let mut kinds = Vec::new();
        for _ in 0..count {
            kinds.push(stream.read_u32().await?);
        }
        std::io::Result::Ok(Some(kinds))
    };
    let kinds = within("VeNCrypt", beginning).await?;
    let kinds = kinds.ok_or_else(|| wrong("another version of VeNCrypt"))?;
    // Without a certificate nobody knows who is at the other end: only where the way itself says so.
    let known = [X509_NONE, X509_VNC, X509_PLAIN, PLAIN];
    let kind = known
        .into_iter()
        .filter(|kind| *kind != PLAIN || server.private)
        .find(|kind| kinds.contains(kind))
        .ok_or_else(|| unknown(&kinds))?;
    let tls = kind != PLAIN;
    let choosing = async {
        stream.write_u32(kind).await?;
        stream.flush().await?;
        match tls {
            true => stream.read_u8().await,
            false => Ok(1),
        }
    };
    if within("VeNCrypt", choosing).await? != 1 {
        return Err(wrong("it takes back the security that it offered"));
    }
    if tls {
        stream = secured(stream, server).await?;
    }
    let proof = match kind {
        X509_VNC => Proof::VncAuth,
        X509_PLAIN | PLAIN => Proof::Plain,
        _ => Proof::Nothing,
    };
    Ok((stream, proof))
}

/// TLS with the server's certificate: one that was trusted before, or that the system trusts. Any other is shown to a person,
/// and the next connection is made with it or not at all.
async fn secured(stream: BoxStream, server: &Server<'_>) -> Result<BoxStream> {
    let known = server.teller.recall(&certificate_of(server));
    let verifier = match known {
        Some(fingerprint) => tls::Pinned(fingerprint.expose_secret().to_owned()).verifier(),
        None => tls::trusted(None)?,
    };
    tls::connect(stream, server.host, &verifier).await
}

fn certificate_of(server: &Server<'_>) -> String {
    format!("certificate {}:{}", server.host, server.port)
}

/// Asks a person whether a certificate is the server's. From then on it is, for this session.
pub(super) async fn trusts(fingerprint: &str, server: &Server<'_>) -> bool {
    let ask = Ask::HostKey {
        host: server.host.to_owned(),
        port: server.port,
        key: KnownKey {
            kind: "X.509".to_owned(),
            fingerprint: fingerprint.to_owned(),
            place: None,
        },
        formerly: None,
    };
    let trusted = server.teller.trusts(ask).await;
    if trusted {
        let kept = SecretString::from(fingerprint.to_owned());
        server.teller.keep(&certificate_of(server), &kept);
    }
    trusted
}

fn recalled(proof: Proof, server: &Server<'_>) -> Option<String> {
    (proof != Proof::Nothing).then(|| format!("vnc {}:{}", server.host, server.port))
}

/// The password: as answered before, or as a person says now.
async fn password(server: &Server<'_>, user: &str) -> Result<SecretString> {
    let name = format!("vnc {}:{}", server.host, server.port);
    if let Some(known) = server.teller.recall(&name) {
        return Ok(known);
    }
    let ask = Ask::Password {
        user: user.to_owned(),
        host: format!("{}:{}", server.host, server.port),
        again: false,
    };
    let said = server.teller.secrets(ask).await.and_then(|mut said| said.pop());
    let said = said.ok_or(Error::Cancelled)?;
    server.teller.keep(&name, &said);
    Ok(said)
}

async fn vnc_auth(stream: &mut BoxStream, server: &Server<'_>) -> Result<()> {
    let mut challenge = [0; 16];
    within("the login", stream.read_exact(&mut challenge)).await?;
    let password = password(server, "VNC").await?;
    let answer = answer(challenge, &password).ok_or_else(|| wrong("its challenge cannot be answered"))?;
    let saying = async {
        stream.write_all(&answer).await?;
        stream.flush().await
    };
    within("the login", saying).await
}

/// DES of the challenge, with the password's first eight bytes as key, each with its bits turned around.
pub(super) fn answer(challenge: [u8; 16], password: &SecretString) -> Option<[u8; 16]> {
    let mut key = [0_u8; 8];
    for (part, letter) in key.iter_mut().zip(password.expose_secret().bytes()) {
        *part = letter.reverse_bits();
    }
    let cipher = Des::new_from_slice(&key).ok()?;
    zeroize::Zeroize::zeroize(&mut key);
    let mut answer = challenge;
    for block in answer.chunks_exact_mut(8) {
        let mut whole = <[u8; 8]>::try_from(&*block).ok()?.into();
        cipher.encrypt_block(&mut whole);
        block.copy_from_slice(&whole);
    }
    Some(answer)
}

async fn plain(stream: &mut BoxStream, server: &Server<'_>) -> Result<()> {
    let user = "root";
    let password = password(server, user).await?;
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
    let saying = async {
        stream.write_u32(length(user)).await?;
        stream.write_u32(length(password.expose_secret())).await?;
        stream.write_all(user.as_bytes()).await?;
        stream.write_all(password.expose_secret().as_bytes()).await?;
        stream.flush().await
    };
    within("the login", saying).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_answered_as_other_viewers_do() {
        // By the DES of OpenSSL, with the key b"secret99" turned around bit by bit.
        let answered = answer(*b"0123456789abcdef", &SecretString::from("secret99")).unwrap();
        assert_eq!(answered, ANSWER);
        let longer = answer(*b"0123456789abcdef", &SecretString::from("secret99 and more")).unwrap();
        assert_eq!(longer, ANSWER, "only eight bytes count");
    }

    const ANSWER: [u8; 16] = [
        0x71, 0x67, 0x10, 0xb0, 0xc8, 0x0a, 0xa3, 0x56, 0x1c, 0x76, 0x22, 0x6a, 0x65, 0xfe, 0x4c, 0x18,
    ];
}
