//! A grant with its signatures: who signed it, and whether a single bit was changed since.
//!
//! What is signed is [`CONTEXT`] and the canonical bytes of the grant (see [`super::canonical`]), with Ed25519 (RFC 8032).
//! The words before it keep a signature from meaning anything anywhere else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::canonical::Node;
use super::document::{Grant, unreadable};
use crate::failure::{Code, Failure, Result};

/// Name and version of the file.
pub const FILE_SCHEMA: &str = "wangcheng.signed-grant.v1";
/// Longest file that is read, in bytes.
pub const FILE_MOST: usize = 2 * 1024 * 1024;
/// Stands before what is signed.
const CONTEXT: &[u8] = b"wangcheng.grant.v1\n";
/// Bytes of a fingerprint: what nobody finds a second key for.
const FINGERPRINT: usize = 16;

/// A public key of an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From its text in base64, with or without padding, in either alphabet.
    pub fn read(text: &str) -> Option<Self> {
        let plain: String = text
            .trim_end_matches('=')
            .chars()
            .map(|c| match c {
                '-' => '+',
                '_' => '/',
                c => c,
            })
            .collect();
        let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(plain)
            .ok()?;
        let key = VerifyingKey::from_bytes(bytes.as_slice().try_into().ok()?).ok()?;
        // Some keys verify everything.
        (!key.is_weak()).then_some(Self(key))
    }

    /// Of a signing key.
    pub fn of(key: &SigningKey) -> Self {
        Self(key.verifying_key())
    }

    /// Its text in base64.
    pub fn text(&self) -> String {
        STANDARD.encode(self.0.as_bytes())
    }

    /// What two people compare: eight groups of four.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        let hex: Vec<String> = digest
            .iter()
            .take(FINGERPRINT)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let groups: Vec<String> = hex.chunks(2).map(|pair| pair.concat()).collect();
        groups.join("-")
    }
}

/// The file as it lies where it is published.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    grant: Grant,
    signatures: Vec<Signed>,
}

/// One signature.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    /// The public key, in base64.
    key: String,
    /// In base64.
    signature: String,
}

/// Signs a grant; answers the file. Several keys while one takes over from the other.
///
/// # Errors
/// `GrantUnreadable` when it can be no grant.
pub fn sign(grant: &Grant, keys: &[&SigningKey]) -> Result<String> {
    grant.check()?;
    let document = Node::of(grant).map_err(unreadable)?;
    let message = message(&document);
    let signatures = keys
        .iter()
        .map(|key| Signed {
            key: PublicKey::of(key).text(),
            signature: STANDARD.encode(key.sign(&message).to_bytes()),
        })
        .collect();
    let file = File {
        schema: FILE_SCHEMA.to_owned(),
        grant: grant.clone(),
        signatures,
    };
    let mut text =
        serde_json::to_string_pretty(&file).map_err(|error| Failure::new(Code::Internal).saying(error))?;
    text.push('\n');
    Ok(text)
}

/// Reads a file that one of the trusted keys signed.
///
/// # Errors
/// `GrantUnreadable`, `GrantNewer`; `GrantStranger` when none of the trusted keys signed it, `GrantSignatureWrong` when
/// one is said to have and did not sign this.
pub fn open(text: &str, trusted: &[PublicKey]) -> Result<Grant> {
    if text.len() > FILE_MOST {
        return Err(unreadable("the file is too long"));
    }
    let file = Node::read(text).map_err(unreadable)?;
    match file.get("schema") {
        Some(Node::Text(schema)) if schema == FILE_SCHEMA => {}
        Some(Node::Text(schema)) if schema.starts_with("wangcheng.signed-grant.") => {
            return Err(Failure::new(Code::GrantNewer).with("schema", schema));
        }
        _ => return Err(unreadable("no signed grant")),
    }
    let Node::Object(members) = &file else {
        return Err(unreadable("no object"));
    };
    if members.len() != 3 {
        return Err(unreadable("something beside grant and signatures"));
    }
    let (Some(document), Some(signatures)) = (file.get("grant"), file.get("signatures")) else {
        return Err(unreadable("no grant or no signatures"));
    };
    let signatures: Vec<Signed> = serde_json::from_str(&signatures.canonical()).map_err(unreadable)?;
    let message = message(document);
    let mut known = 0;
    for signed in signatures.iter().take(8) {
        let Some(key) = PublicKey::read(&signed.key).filter(|key| trusted.contains(key)) else {
            continue;
        };
        let bytes = STANDARD.decode(&signed.signature).ok();
        let signature = bytes.and_then(|bytes| Signature::from_slice(&bytes).ok());
        // Strictly, so that nobody can change a signature into another one that holds as well.
        let holds = signature.is_some_and(|signature| key.0.verify_strict(&message, &signature).is_ok());
        if !holds {
            return Err(Code::GrantSignatureWrong.into());
        }
        known += 1;
    }
    if known == 0 {
        let signer = signatures.iter().find_map(|signed| PublicKey::read(&signed.key));
        let signer = signer.map_or_else(String::new, |key| key.fingerprint());
        return Err(Failure::new(Code::GrantStranger).with("fingerprint", signer));
    }
    Grant::read(document)
}

fn message(document: &Node) -> Vec<u8> {
    let mut message = CONTEXT.to_vec();
    message.extend_from_slice(document.canonical().as_bytes());
    message
}
