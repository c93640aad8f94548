//! The token for an organisation's events inside a link, under a passphrase that is told by another way.
//!
//! The passphrase becomes a key by Argon2id (RFC 9106) with a salt of its own for each link, and the token is sealed with
//! AES-256-GCM. Sealed with it is where it may be handed in: a link whose address was changed opens nothing, so nobody can
//! have a token sent to themselves by changing a link on its way.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::link::HeiPlace;
use super::signed::PublicKey;
use crate::failure::{Code, Failure, Result};

/// Form of what is sealed; it stands for all the numbers below.
const FORM: u8 = 1;
/// Work that a guess at a passphrase takes: memory in KiB, and turns over it. What OWASP's cheat sheet on storing passwords
/// asks for at least; the passphrase is a long one.
const MEMORY_KIB: u32 = 19 * 1024;
const TURNS: u32 = 2;
const SALT: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;
/// Longest token that fits into a link, in bytes.
const TOKEN_MOST: usize = 512;
/// Longest text of one, in characters.
pub(super) const SEALED_MOST: usize = 768;
/// Words that keep what is sealed here from meaning anything elsewhere.
const CONTEXT: &str = "wangcheng.join-token.v1";

/// A sealed token, as it stands in a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedToken(String);

impl SealedToken {
    /// From its text in a link; nothing when it can be none.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = (text.len() <= SEALED_MOST).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        let fits = bytes.first() == Some(&FORM) && bytes.len() > 1 + SALT + NONCE + TAG;
        fits.then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Seals a token for the HEI of an organisation. Takes some tenths of a second of work.
    ///
    /// # Errors
    /// `BadInput` for a token that does not fit into a link.
    pub fn seal(
        token: &SecretString,
        passphrase: &SecretString,
        key: &PublicKey,
        hei: &HeiPlace,
    ) -> Result<Self> {
        let token = token.expose_secret().as_bytes();
        if token.is_empty() || token.len() > TOKEN_MOST {
            return Err(Failure::new(Code::BadInput).with("field", "token"));
        }
        let (mut salt, mut nonce) = ([0_u8; SALT], [0_u8; NONCE]);
        rand::fill(&mut salt);
        rand::fill(&mut nonce);
        let mut sealed = Zeroizing::new(token.to_vec());
        let tag = cipher(passphrase, &salt)?
            .encrypt_inout_detached(
                &Nonce::from(nonce),
                bound(key, hei).as_bytes(),
                sealed.as_mut_slice().into(),
            )
            .map_err(|error| Failure::new(Code::Internal).saying(error))?;
        let bytes = [&[FORM], &salt[..], &nonce[..], &tag[..], sealed.as_slice()].concat();
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens it. Takes some tenths of a second of work.
    ///
    /// # Errors
    /// `GrantTokenClosed` for another passphrase, and for a link that was changed after it was made.
    pub fn open(&self, passphrase: &SecretString, key: &PublicKey, hei: &HeiPlace) -> Result<SecretString> {
        let closed = || Failure::new(Code::GrantTokenClosed);
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| closed())?;
        let (_, rest) = bytes.split_at_checked(1).ok_or_else(closed)?;
        let (salt, rest) = rest.split_at_checked(SALT).ok_or_else(closed)?;
        let (nonce, rest) = rest.split_at_checked(NONCE).ok_or_else(closed)?;
        let (tag, sealed) = rest.split_at_checked(TAG).ok_or_else(closed)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| closed())?;
        let tag: [u8; TAG] = tag.try_into().map_err(|_| closed())?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        cipher(passphrase, salt)?
            .decrypt_inout_detached(
                &Nonce::from(nonce),
                bound(key, hei).as_bytes(),
                opened.as_mut_slice().into(),
                &Tag::from(tag),
            )
            .map_err(|_| closed())?;
        let token = std::str::from_utf8(&opened).map_err(|_| closed())?;
        Ok(SecretString::from(token.to_owned()))
    }
}

fn cipher(passphrase: &SecretString, salt: &[u8]) -> Result<Aes256Gcm> {
    let failed = |error: argon2::Error| Failure::new(Code::Internal).saying(error);
    let params = Params::new(MEMORY_KIB, TURNS, 1, Some(32)).map_err(failed)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose_secret().as_bytes(), salt, key.as_mut_slice())
        .map_err(failed)?;
    Ok(Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)))
}

/// What the token is for, and whose.
fn bound(key: &PublicKey, hei: &HeiPlace) -> String {
    [CONTEXT, &key.text(), &hei.url, &hei.event_set, &hei.datatype].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> HeiPlace {
        HeiPlace {
            url: url.to_owned(),
            event_set: "wangcheng".to_owned(),
            datatype: "json".to_owned(),
        }
    }

    fn key(seed: u8) -> PublicKey {
        PublicKey::of(&ed25519_dalek::SigningKey::from_bytes(&[seed; 32]))
    }

    #[test]
    fn a_token_opens_with_its_passphrase_for_its_address_and_organisation_only() {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let (token, pass) = (secret("a-token-of-the-tests"), secret("correct horse battery"));
        let hei = place("https://hei.example.com/events");
        let sealed = SealedToken::seal(&token, &pass, &key(1), &hei).unwrap();
        assert!(sealed.text().len() < 120 && !sealed.text().contains("token"));
        let again = SealedToken::read(sealed.text()).unwrap();
        let opened = again.open(&pass, &key(1), &hei).unwrap();
        assert_eq!(opened.expose_secret(), token.expose_secret());
        let closed = |passphrase: &str, by: u8, url: &str| {
            let opened = again.open(&secret(passphrase), &key(by), &place(url));
            opened.unwrap_err().code
        };
        let url = hei.url.as_str();
        assert_eq!(closed("another passphrase", 1, url), Code::GrantTokenClosed);
        assert_eq!(closed("correct horse battery", 2, url), Code::GrantTokenClosed);
        assert_eq!(
            closed("correct horse battery", 1, "https://thief.example.com/events"),
            Code::GrantTokenClosed
        );
        let long = secret(&"x".repeat(TOKEN_MOST + 1));
        assert_eq!(
            SealedToken::seal(&long, &pass, &key(1), &hei).unwrap_err().code,
            Code::BadInput
        );
        for other in ["", "AQ", "Ag", "%%%", &"A".repeat(SEALED_MOST + 1)] {
            assert_eq!(SealedToken::read(other), None, "{other:.10}");
        }
    }
}
