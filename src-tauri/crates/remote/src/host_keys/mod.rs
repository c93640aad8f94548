//! Which server is it really? Known keys come from three places: keys that were handed to a server when it was made,
//! a file of our own, and the files that `ssh` uses, which are only read.
//!
//! Addresses are given to new servers again. So a key is bound to the server's id first: our file names a server as
//! `wangcheng-ID` beside its address, in the form that `ssh` reads (`-o HostKeyAlias=wangcheng-ID`). What is bound to an
//! id decides alone; what our file says of an address on behalf of another id is no evidence about this one.
//!
//! An own reader, because the SSH library's counts a revoked key as known, a host with two keys of a kind as changed,
//! and a file that cannot be read as empty.

mod file;
mod line;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub(crate) use line::matches;
use line::{Line, Mark, kind_of};

use crate::error::{Error, Result, text};

/// What our file calls a server, before its id.
const ALIAS: &str = "wangcheng-";
/// The longest id of a server, in bytes.
const ID_MOST: usize = 128;

/// A host's public key.
#[derive(Clone, PartialEq, Eq)]
pub struct HostKey {
    kind: String,
    bytes: Vec<u8>,
}

/// A key as told to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownKey {
    /// The kind of key, by its name in SSH.
    pub kind: String,
    /// SHA-256 of it, as `ssh` prints it.
    pub fingerprint: String,
    /// Where it is written: a file and its line, or nothing for what was shown or handed in.
    pub place: Option<String>,
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName {
    /// The server's id, where it has one.
    pub server: Option<String>,
    /// The name or address asked for.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// The files with known keys.
#[derive(Debug, Clone)]
pub struct HostKeys {
    /// Our own file, which is written.
    pub own: PathBuf,
    /// The files of `ssh`, which are only read.
    pub others: Vec<PathBuf>,
}

/// What the known keys say of one that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Trusted,
    /// Nothing is known. `formerly` is the id of the server that had this address before.
    Unknown {
        formerly: Option<String>,
    },
    Changed(Vec<KnownKey>),
    Revoked {
        file: String,
        line: usize,
    },
}

/// The lines of all files, as they were at one moment.
#[derive(Debug, Default)]
pub(crate) struct Book {
    lines: Vec<Written>,
}

#[derive(Debug)]
struct Written {
    line: Line,
    file: PathBuf,
    number: usize,
    own: bool,
}

impl HostKey {
    /// Reads a line as in a `.pub` file: kind, key, comment.
    pub fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let kind = words.next()?.to_owned();
        let bytes = STANDARD.decode(words.next()?).ok()?;
        (kind_of(&bytes) == Some(kind.as_str())).then_some(Self { kind, bytes })
    }

    fn of(key: &PublicKey) -> Result<Self> {
        let bytes = key.to_bytes().map_err(|error| Error::Protocol {
            why: error.to_string(),
        })?;
        let kind = kind_of(&bytes).unwrap_or_default().to_owned();
        Ok(Self { kind, bytes })
    }

    /// SHA-256 of it, as `ssh` prints it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.bytes)))
    }

    /// Kind and key in one line, as in a `.pub` file.
    pub fn line(&self) -> String {
        format!("{} {}", self.kind, STANDARD.encode(&self.bytes))
    }

    pub(crate) fn known(&self, place: Option<String>) -> KnownKey {
        KnownKey {
            kind: self.kind.clone(),
            fingerprint: self.fingerprint(),
            place,
        }
    }
}

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.fingerprint())
    }
}

impl HostName {
    /// The name under which `ssh` writes it.
    fn address(&self) -> String {
        let host = self.host.to_lowercase();
        match self.port {
            22 => host,
            port => format!("[{host}]:{port}"),
        }
    }

    /// The name that is bound to the server.
    fn alias(&self) -> Option<String> {
        self.server
            .as_ref()
            .map(|id| format!("{ALIAS}{}", id.to_lowercase()))
    }

    fn check(&self) -> Result<()> {
        let good = |id: &str| {
            !id.is_empty()
                && id.len() <= ID_MOST
                && id
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
        };
        // What stands in a line of the file must not end it, nor be a pattern.
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || ",*?!|#@".contains(letter);
        let named = !self.host.is_empty() && self.host.len() <= 255 && !self.host.contains(odd);
        if named && self.server.as_deref().is_none_or(good) {
            return Ok(());
        }
        Err(Error::Unreachable {
            host: self.host.chars().take(255).collect(),
            port: self.port,
            why: crate::error::Unreachable::NoSuchName,
        })
    }
}

impl HostKeys {
    /// The usual files of `ssh`, in this home, and our own.
    pub fn beside(own: PathBuf, home: Option<&Path>) -> Self {
        let mut others: Vec<_> = home
            .into_iter()
            .flat_map(|home| ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name)))
            .collect();
        if cfg!(unix) {
            others.push("/etc/ssh/ssh_known_hosts".into());
        }
        Self { own, others }
    }

    /// Reads all files. One that is not there is empty; one that cannot be read ends it.
    pub(crate) async fn read(&self) -> Result<Book> {
        let files: Vec<_> = std::iter::once((&self.own, true))
            .chain(self.others.iter().map(|file| (file, false)))
            .map(|(file, own)| (file.clone(), own))
            .collect();
        let reading = tokio::task::spawn_blocking(move || {
            let mut book = Book::default();
            for (path, own) in files {
                let content = file::read(&path).map_err(|why| Error::HostKeysUnreadable {
                    file: text(&path),
                    why: why.to_string(),
                })?;
                book.add(&content, &path, own);
            }
            Ok(book)
        });
        file::in_time(&self.own, reading).await
    }

    /// Writes a key to our file, bound to the server's id and its address. What was there stays.
    pub async fn remember(&self, who: &HostName, key: &HostKey) -> Result<()> {
        self.change(who, key, false).await
    }

    /// Writes a key to our file in the place of whatever it had for this server, or for this address where there is no
    /// id: the way on after "this server was rebuilt".
    pub async fn replace(&self, who: &HostName, key: &HostKey) -> Result<()> {
        self.change(who, key, true).await
    }

    async fn change(&self, who: &HostName, key: &HostKey, anew: bool) -> Result<()> {
        who.check()?;
        let mut names: Vec<String> = who.alias().into_iter().collect();
        let decides = names.first().cloned().unwrap_or_else(|| who.address());
        names.push(who.address());
        let new = format!("{} {}", names.join(","), key.line());
        let path = self.own.clone();
        let writing = tokio::task::spawn_blocking(move || {
            file::change(&path, |content| {
                let mut kept: Vec<&str> = content.lines().collect();
                if anew {
                    kept.retain(|line| {
                        let line = Line::read(line);
                        !line.is_some_and(|line| line.mark == Mark::None && line.is_about(&decides))
                    });
                }
                if !kept.contains(&new.as_str()) {
                    kept.push(&new);
                }
                let mut content = kept.join("\n");
                content.push('\n');
                content
            })
            .map_err(|why| Error::HostKeysUnreadable {
                file: text(&path),
                why: why.to_string(),
            })
        });
        file::in_time(&self.own, writing).await
    }
}

impl Book {
    fn add(&mut self, content: &str, file: &Path, own: bool) {
        let lines = content.lines().enumerate();
        self.lines.extend(lines.filter_map(|(at, line)| {
            Some(Written {
                line: Line::read(line)?,
                file: file.to_owned(),
                number: at + 1,
                own,
            })
        }));
    }

    /// What is known says this of the key that was shown. `unix_time` in seconds decides whether a certificate holds.
    pub fn judge(
        &self,
        who: &HostName,
        handed_in: &[HostKey],
        shown: &PublicKeyOrCertificate,
        unix_time: u64,
    ) -> Result<Verdict> {
        let (key, certificate) = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => (HostKey::of(key)?, None),
            PublicKeyOrCertificate::Certificate(certificate) => {
                let key = PublicKey::from(certificate.public_key().clone());
                (HostKey::of(&key)?, Some(certificate))
            }
        };
        let signer = match certificate {
            Some(certificate) => Some(HostKey::of(&certificate.signature_key().clone().into())?),
            None => None,
        };
        let revoked = self.about(who).find(|written| {
            written.line.mark == Mark::Revoked
                && (written.line.key == key.bytes
                    || signer
                        .as_ref()
                        .is_some_and(|signer| signer.bytes == written.line.key))
        });
        if let Some(written) = revoked {
            return Ok(Verdict::Revoked {
                file: text(&written.file),
                line: written.number,
            });
        }
        if let (Some(certificate), Some(signer)) = (certificate, &signer)
            && self
                .authorities(who)
                .any(|authority| authority.key == signer.bytes)
            && holds(certificate, who, unix_time)
        {
            return Ok(Verdict::Trusted);
        }
        Ok(self.compare(who, handed_in, &key))
    }

    fn compare(&self, who: &HostName, handed_in: &[HostKey], key: &HostKey) -> Verdict {
        let bound = self.bound(who, handed_in);
        if !bound.is_empty() {
            return match bound.iter().any(|(known, _)| known == key) {
                true => Verdict::Trusted,
                false => Verdict::Changed(
                    bound
                        .iter()
                        .map(|(known, place)| known.known(place.clone()))
                        .collect(),
                ),
            };
        }
        let by_address: Vec<_> = self.by_address(who).collect();
        if by_address.iter().any(|written| written.line.key == key.bytes) {
            return Verdict::Trusted;
        }
        if !by_address.is_empty() {
            let known = by_address
                .iter()
                .map(|written| written.key().known(Some(written.place())));
            return Verdict::Changed(known.collect());
        }
        let formerly = self.about(who).find_map(|written| written.other_server(who));
        Verdict::Unknown { formerly }
    }

    /// The kinds of key to ask for first, so that a known key is shown and not another one that looks new.
    pub fn kinds(&self, who: &HostName, handed_in: &[HostKey]) -> Vec<Algorithm> {
        let bound = self.bound(who, handed_in);
        let mut kinds: Vec<String> = bound.into_iter().map(|(key, _)| key.kind).collect();
        if kinds.is_empty() {
            kinds.extend(self.by_address(who).map(|written| written.line.kind.clone()));
        }
        let mut known = Vec::new();
        for kind in kinds {
            for algorithm in algorithms(&kind) {
                if !known.contains(&algorithm) {
                    known.push(algorithm);
                }
            }
        }
        known
    }

    /// Whether a certificate of this host could be checked at all.
    pub fn takes_certificates(&self, who: &HostName) -> bool {
        self.authorities(who).next().is_some()
    }

    /// Whether our file has a key for this server's id.
    pub fn is_bound(&self, who: &HostName) -> bool {
        self.bound(who, &[]).iter().any(|(_, place)| place.is_some())
    }

    fn authorities(&self, who: &HostName) -> impl Iterator<Item = &Line> {
        let about = self.lines.iter().filter(move |written| {
            written.line.mark == Mark::Authority
                && (written.line.is_about(&who.address()) || written.line.is_about(&who.host))
        });
        about.map(|written| &written.line)
    }

    fn about(&self, who: &HostName) -> impl Iterator<Item = &Written> {
        let (address, alias) = (who.address(), who.alias());
        self.lines.iter().filter(move |written| {
            written.line.is_about(&address)
                || alias.as_ref().is_some_and(|alias| written.line.is_about(alias))
        })
    }

    /// What is bound to the server's id: in our file, or else what was handed in.
    fn bound(&self, who: &HostName, handed_in: &[HostKey]) -> Vec<(HostKey, Option<String>)> {
        let mut bound = Vec::new();
        if let Some(alias) = who.alias() {
            let lines = self.lines.iter().filter(|written| {
                written.own && written.line.mark == Mark::None && written.line.names().contains(&alias)
            });
            bound.extend(lines.map(|written| (written.key(), Some(written.place()))));
        }
        if bound.is_empty() {
            bound.extend(handed_in.iter().map(|key| (key.clone(), None)));
        }
        bound
    }

    fn by_address(&self, who: &HostName) -> impl Iterator<Item = &Written> {
        let address = who.address();
        self.lines.iter().filter(move |written| {
            written.line.mark == Mark::None
                && written.line.is_about(&address)
                && written.other_server(who).is_none()
        })
    }
}

impl Written {
    fn key(&self) -> HostKey {
        HostKey {
            kind: self.line.kind.clone(),
            bytes: self.line.key.clone(),
        }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.number)
    }

    /// The id of the server that this line is bound to, when it is another one than `who`.
    fn other_server(&self, who: &HostName) -> Option<String> {
        let alias = who.alias()?;
        if !self.own || self.line.names().contains(&alias) {
            return None;
        }
        let mut names = self.line.names().iter();
        names.find_map(|name| name.strip_prefix(ALIAS).map(str::to_owned))
    }
}

/// Whether a certificate is one for this host, at this time. One that names no host at all is not taken.
fn holds(certificate: &Certificate, who: &HostName, unix_time: u64) -> bool {
    let host = who.host.to_lowercase();
    let named = certificate
        .valid_principals()
        .iter()
        .any(|name| matches(&name.to_lowercase(), &host));
    let signer = certificate.signature_key().fingerprint(HashAlg::Sha256);
    named
        && certificate.cert_type() == CertType::Host
        // No critical option is defined for hosts, so whatever stands there is not understood.
        && certificate.critical_options().is_empty()
        && certificate.validate_at(unix_time, [&signer]).is_ok()
}

/// The ways in which a kind of key can sign. SHA-1 is not among them.
fn algorithms(kind: &str) -> Vec<Algorithm> {
    let rsa = |hash| Algorithm::Rsa { hash: Some(hash) };
    match kind {
        "ssh-ed25519" => vec![Algorithm::Ed25519],
        "ecdsa-sha2-nistp256" => vec![Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        }],
        "ecdsa-sha2-nistp384" => vec![Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP384,
        }],
        "ecdsa-sha2-nistp521" => vec![Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP521,
        }],
        "ssh-rsa" => vec![rsa(HashAlg::Sha512), rsa(HashAlg::Sha256)],
        _ => Vec::new(),
    }
}

/// Every kind of host key that is taken, best first.
pub(crate) fn all_kinds() -> Vec<Algorithm> {
    [
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-rsa",
    ]
    .into_iter()
    .flat_map(algorithms)
    .collect()
}

/// The key that was shown, without its certificate.
pub(crate) fn shown_key(shown: &PublicKeyOrCertificate) -> Result<HostKey> {
    match shown {
        PublicKeyOrCertificate::PublicKey { key, .. } => HostKey::of(key),
        PublicKeyOrCertificate::Certificate(certificate) => {
            HostKey::of(&certificate.public_key().clone().into())
        }
    }
}
