//! The office as a file, for the day on which its computer is lost: the signing keys, each an OpenSSH private key under a
//! passphrase, which `ssh-keygen` reads as well, and the draft.

use ed25519_dalek::SigningKey;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Cipher, Kdf, LineEnding, PrivateKey};

use super::office::{Office, OfficeStanding, check_passphrase};
use super::signed;
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::keychain::Remember;

/// Work that a guess at a passphrase takes: some tenths of a second.
const ROUNDS: u32 = 160;
const BACKUP_SCHEMA: &str = "wangcheng.organisation-backup.v1";

/// A backup as a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Backup {
    schema: String,
    /// OpenSSH private keys, each under the passphrase.
    keys: Vec<String>,
    office: Office,
}

impl Wangcheng {
    /// The office as a file that a passphrase opens: the signing keys as OpenSSH private keys, and the draft.
    ///
    /// # Errors
    /// `GrantNoOffice`, `GrantKeyAbsent`, `GrantPassphrase`; the keychain's and the ledger's.
    pub async fn back_up_office(&self, passphrase: SecretString) -> Result<String> {
        check_passphrase(&passphrase)?;
        let standing = self.office().await?.ok_or(Code::GrantNoOffice)?;
        let mut keys = Vec::new();
        for key in &standing.held {
            keys.extend(self.signing_key(key).await?);
        }
        if keys.is_empty() {
            return Err(Code::GrantKeyAbsent.into());
        }
        let name = standing.office.draft.organisation.name.clone();
        let office = standing.office;
        tokio::task::spawn_blocking(move || {
            let keys = keys.iter().map(|key| sealed(key, &name, &passphrase));
            let backup = Backup {
                schema: BACKUP_SCHEMA.to_owned(),
                keys: keys.collect::<Result<_>>()?,
                office,
            };
            serde_json::to_string_pretty(&backup).map_err(|e| Failure::new(Code::Internal).saying(e))
        })
        .await
        .map_err(|e| Failure::new(Code::Internal).saying(e))?
    }

    /// Takes the office up from a backup.
    ///
    /// # Errors
    /// `GrantOfficeThere` when another organisation's is here; `GrantBackup` when it cannot be read or the passphrase is
    /// another one; the keychain's and the ledger's.
    pub async fn restore_office(
        &self,
        backup: &str,
        passphrase: SecretString,
        remember: Remember,
    ) -> Result<OfficeStanding> {
        let wrong = |why: &dyn std::fmt::Display| Failure::new(Code::GrantBackup).saying(why);
        if backup.len() > signed::FILE_MOST {
            return Err(wrong(&"too long"));
        }
        let backup: Backup = serde_json::from_str(backup).map_err(|error| wrong(&error))?;
        if backup.schema != BACKUP_SCHEMA || backup.keys.len() > 4 {
            return Err(wrong(&"no backup"));
        }
        // What is here already is newer than any backup: of that only the keys are taken then.
        let here = self.office().await?.map(|standing| standing.office);
        if let Some(here) = &here
            && here.draft.organisation.id != backup.office.draft.organisation.id
        {
            return Err(Code::GrantOfficeThere.into());
        }
        let sealed = backup.keys;
        let keys = tokio::task::spawn_blocking(move || {
            let keys = sealed.iter().map(|key| opened(key, &passphrase));
            keys.collect::<Result<Vec<_>>>()
        })
        .await
        .map_err(|e| Failure::new(Code::Internal).saying(e))??;
        for key in &keys {
            self.keep_signing_key(key, remember).await?;
        }
        let office = here.unwrap_or(Office {
            remember,
            ..backup.office
        });
        self.keep_office(&office).await?;
        self.office().await?.ok_or_else(|| Code::GrantNoOffice.into())
    }
}

fn sealed(key: &SigningKey, name: &str, passphrase: &SecretString) -> Result<String> {
    let failed = |error: ssh_key::Error| Failure::new(Code::Internal).saying(error);
    let pair = Ed25519Keypair::from_seed(&key.to_bytes());
    let plain: String = name.chars().filter(|c| !c.is_control()).collect();
    let key =
        PrivateKey::new(KeypairData::from(pair), format!("wangcheng grants: {plain}")).map_err(failed)?;
    let mut salt = [0_u8; 16];
    rand::fill(&mut salt);
    let kdf = Kdf::Bcrypt {
        salt: salt.to_vec(),
        rounds: ROUNDS,
    };
    let check: u32 = rand::random();
    let sealed = key
        .encrypt_with(Cipher::Aes256Ctr, kdf, check, passphrase.expose_secret())
        .map_err(failed)?;
    Ok(sealed.to_openssh(LineEnding::LF).map_err(failed)?.to_string())
}

fn opened(sealed: &str, passphrase: &SecretString) -> Result<SigningKey> {
    let wrong = |error: &dyn std::fmt::Display| Failure::new(Code::GrantBackup).saying(error);
    let key = PrivateKey::from_openssh(sealed).map_err(|error| wrong(&error))?;
    // Work that somebody else's file asks for is capped before it is done.
    if matches!(key.kdf(), Kdf::Bcrypt { rounds, .. } if *rounds > 16 * ROUNDS) {
        return Err(wrong(&"too many rounds"));
    }
    let key = key
        .decrypt(passphrase.expose_secret())
        .map_err(|error| wrong(&error))?;
    match key.key_data() {
        KeypairData::Ed25519(pair) => Ok(SigningKey::from_bytes(&pair.private.to_bytes())),
        _ => Err(wrong(&"no Ed25519 key")),
    }
}
