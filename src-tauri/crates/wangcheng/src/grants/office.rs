//! The administrator's side: founding an organisation, writing its grants, signing and publishing them.
//!
//! Who may do so is no setting: whoever has the signing key in the keychain can sign, and whom the cloud lets write the
//! object can publish. The signing keys are in the keychain and, for the day on which this computer is lost, in a file that
//! a passphrase opens: an OpenSSH private key, which `ssh-keygen` reads as well.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use huaweicloud::{ErrorKind, obs};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Cipher, Kdf, LineEnding, PrivateKey};
use ts_rs::TS;
use zeroize::Zeroizing;

use super::document::{Grant, Organisation, SCHEMA};
use super::link::{HeiPlace, Join};
use super::signed::{self, PublicKey};
use super::source::{Lies, Source};
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};
use crate::keychain::Remember;

const SETTING: &str = "grant.office";
/// How long a grant may hold, in days.
const DAYS_MOST: u32 = 366;
/// Shortest passphrase of a backup, in characters.
pub const PASSPHRASE_LEAST: usize = 12;
/// Work that a guess at a passphrase takes: some tenths of a second.
const ROUNDS: u32 = 160;

/// What is kept of the organisation that grants are written for here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Office {
    /// The grant that is written, as it would be signed next; its number is that of the one that was signed last.
    pub draft: Grant,
    /// The one that was signed last.
    pub signed: Option<Grant>,
    /// When and where it was published.
    pub published: Option<Published>,
    /// Where the next one goes, and is read from.
    pub place: Option<String>,
    /// How long the signing keys are kept.
    #[serde(default = "in_keychain")]
    pub remember: Remember,
}

fn in_keychain() -> Remember {
    Remember::Keychain
}

/// Where a grant was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Where.
    pub place: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Its number.
    #[ts(type = "number")]
    pub number: u64,
}

/// How the office stands.
#[derive(Debug, Clone)]
pub struct OfficeStanding {
    /// What is kept.
    pub office: Office,
    /// Public keys whose private half is in the keychain here, in the order of the draft.
    pub held: Vec<PublicKey>,
    /// Public keys of the draft.
    pub keys: Vec<PublicKey>,
}

/// How long a grant holds from its signing.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct Lasts {
    /// So many days,
    pub days: u32,
    /// unless it ends at this moment.
    #[serde(default)]
    #[ts(optional)]
    pub until: Option<DateTime<Utc>>,
}

/// Founding an organisation.
#[derive(Debug, Clone, Deserialize, TS)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Whom people ask for more.
    pub ask: String,
    /// Currency of all its money, e.g. `CNY`.
    pub currency: String,
    /// How long its signing key is kept. For this run only: a backup is to be made before it ends.
    pub remember: Remember,
}

impl Wangcheng {
    async fn office_kept(&self) -> Result<Office> {
        let text = self.ledger(|ledger| ledger.setting(SETTING)).await?;
        let text = text.ok_or(Code::GrantNoOffice)?;
        serde_json::from_str(&text).map_err(|error| Failure::new(Code::GrantUnreadable).saying(error))
    }

    async fn keep_office(&self, office: &Office) -> Result<()> {
        let text = serde_json::to_string(office).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        self.ledger(move |ledger| ledger.set_setting(SETTING, &text))
            .await?;
        self.publish(Change::Grant);
        Ok(())
    }

    /// How the office stands; nothing where no organisation was founded here.
    ///
    /// # Errors
    /// `GrantUnreadable`; the keychain's and the ledger's.
    pub async fn office(&self) -> Result<Option<OfficeStanding>> {
        let office = match self.office_kept().await {
            Ok(office) => office,
            Err(failure) if failure.code == Code::GrantNoOffice => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let keys: Vec<PublicKey> = office
            .draft
            .keys
            .iter()
            .filter_map(|key| PublicKey::read(key))
            .collect();
        let mut held = Vec::new();
        for key in &keys {
            match self.inner.keychain.get(&self.signing_name(key)).await {
                Ok(Some(_)) => held.push(*key),
                Ok(None) => {}
                // Where there is no keychain, no key lies in it; the keys may be in a backup.
                Err(failure) if failure.code == Code::KeychainAbsent => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(Some(OfficeStanding { office, held, keys }))
    }

    /// Founds an organisation: a fresh signing key goes into the keychain, and a first draft is begun.
    ///
    /// # Errors
    /// `GrantOfficeThere`, `GrantUnreadable` for names that cannot be; the keychain's and the ledger's.
    pub async fn found_organisation(&self, found: Found) -> Result<OfficeStanding> {
        if self.office().await?.is_some() {
            return Err(Code::GrantOfficeThere.into());
        }
        let key = self.new_signing_key(found.remember).await?;
        let now = self.now();
        let draft = Grant {
            schema: SCHEMA.to_owned(),
            organisation: Organisation {
                id: uuid::Uuid::new_v4().to_string(),
                name: found.name.trim().to_owned(),
            },
            number: 0,
            issued: now,
            expires: now + TimeDelta::days(1),
            ask: found.ask.trim().to_owned(),
            keys: vec![key.text()],
            currency: found.currency.trim().to_ascii_uppercase(),
            revoked: None,
            accounts: Vec::new(),
            defaults: Default::default(),
            roles: Default::default(),
            owners: Vec::new(),
            others: None,
            exceptions: Vec::new(),
        };
        if let Err(failure) = draft.check() {
            self.inner.keychain.remove(&self.signing_name(&key)).await?;
            return Err(failure);
        }
        self.keep_office(&Office {
            draft,
            signed: None,
            published: None,
            place: None,
            remember: found.remember,
        })
        .await?;
        self.office().await?.ok_or_else(|| Code::GrantNoOffice.into())
    }

    /// Keeps what was written. Organisation, number, keys and times are the office's own and stay.
    ///
    /// # Errors
    /// `GrantNoOffice`, `GrantUnreadable` with what is wrong; the ledger's.
    pub async fn edit_grant(&self, draft: Grant) -> Result<OfficeStanding> {
        let mut office = self.office_kept().await?;
        let before = office.draft;
        office.draft = Grant {
            schema: before.schema,
            organisation: before.organisation,
            number: before.number,
            issued: before.issued,
            expires: before.expires,
            keys: before.keys,
            ..draft
        };
        office.draft.check()?;
        self.keep_office(&office).await?;
        self.office().await?.ok_or_else(|| Code::GrantNoOffice.into())
    }

    /// Signs the draft under the next number, to hold as long as is said; answers the file. It counts as issued: should it
    /// not be published, a later one is newer all the same.
    ///
    /// # Errors
    /// `GrantNoOffice`, `GrantKeyAbsent`, `GrantUnreadable`, `BadInput`; the keychain's and the ledger's.
    pub async fn sign_grant(&self, lasts: &Lasts) -> Result<String> {
        // By the cloud's clock: whoever reads it compares with that one.
        let now = self.grant_now().await;
        let most = now + TimeDelta::days(DAYS_MOST.into());
        let expires = lasts.until.unwrap_or(now + TimeDelta::days(lasts.days.into()));
        if expires <= now || expires > most {
            return Err(Failure::new(Code::BadInput).with("field", "days"));
        }
        let mut office = self.office_kept().await?;
        let grant = Grant {
            number: office.draft.number + 1,
            issued: now,
            expires,
            ..office.draft.clone()
        };
        let mut signing = Vec::new();
        for key in grant.keys.iter().filter_map(|key| PublicKey::read(key)) {
            if let Some(key) = self.signing_key(&key).await? {
                signing.push(key);
            }
        }
        // While keys change, those who know only the former one have to be able to read it.
        let former = office
            .signed
            .as_ref()
            .map(|signed| signed.keys.as_slice())
            .unwrap_or_default();
        for key in former
            .iter()
            .filter(|key| !grant.keys.contains(key))
            .filter_map(|key| PublicKey::read(key))
        {
            if let Some(key) = self.signing_key(&key).await? {
                signing.push(key);
            }
        }
        if signing.is_empty() {
            return Err(Code::GrantKeyAbsent.into());
        }
        let keys: Vec<&SigningKey> = signing.iter().collect();
        let file = signed::sign(&grant, &keys)?;
        office.draft.number = grant.number;
        office.signed = Some(grant);
        self.keep_office(&office).await?;
        Ok(file)
    }

    /// Signs the draft and writes it where people read it: a file, or an object of OBS. An object gets a copy beside it
    /// whose name has the number, which stays when the next one is published.
    ///
    /// # Errors
    /// As [`Wangcheng::sign_grant`]; `GrantNotPublished` when it could not be written, with what the cloud or the system says.
    pub async fn publish_grant(&self, place: &str, lasts: &Lasts) -> Result<OfficeStanding> {
        let target = Source::read(place)?;
        if matches!(target, Source::Web(_)) {
            return Err(Failure::new(Code::GrantNotPublished)
                .with("place", place)
                .saying("https"));
        }
        self.catch_up(&target).await?;
        let file = self.sign_grant(lasts).await?;
        self.put_grant(&target, &file).await?;
        let mut office = self.office_kept().await?;
        office.published = Some(Published {
            place: target.text(),
            at: self.now(),
            number: office.draft.number,
        });
        office.place = Some(target.text());
        self.keep_office(&office).await?;
        self.office().await?.ok_or_else(|| Code::GrantNoOffice.into())
    }

    /// Goes on from the number that lies there: it may have been published from another computer, or since a backup. What
    /// is somebody else's is left alone.
    async fn catch_up(&self, target: &Source) -> Result<()> {
        let mut office = self.office_kept().await?;
        let Ok(Lies::Text { text, .. }) = self.fetch_grant(target, None).await else {
            return Ok(());
        };
        let signed = office
            .signed
            .as_ref()
            .map(|signed| signed.keys.as_slice())
            .unwrap_or_default();
        let known: Vec<PublicKey> = office
            .draft
            .keys
            .iter()
            .chain(signed)
            .filter_map(|key| PublicKey::read(key))
            .collect();
        match signed::open(&text, &known) {
            Ok(there) if there.organisation.id == office.draft.organisation.id => {
                if there.number > office.draft.number {
                    office.draft.number = there.number;
                    self.keep_office(&office).await?;
                }
                Ok(())
            }
            Err(failure) if failure.code == Code::GrantUnreadable => Ok(()),
            _ => Err(Failure::new(Code::GrantNotPublished)
                .with("place", target.text())
                .saying("a grant of another organisation, or by a key that is not known here, lies there")),
        }
    }

    async fn put_grant(&self, target: &Source, file: &str) -> Result<()> {
        let failed = |failure: Failure| Failure {
            code: Code::GrantNotPublished,
            ..failure.with("place", target.text())
        };
        match target {
            Source::Web(_) => Err(failed(Code::GrantNotPublished.into())),
            Source::File(path) => {
                let beside = path.with_extension("new");
                let write = async {
                    tokio::fs::write(&beside, file).await?;
                    // Whoever reads it meanwhile reads the former one or this one, and no half.
                    tokio::fs::rename(&beside, path).await
                };
                write
                    .await
                    .map_err(|error| failed(Failure::new(Code::GrantNotPublished).saying(error)))
            }
            Source::Obs { bucket, key } => {
                let live = self.active().await?;
                let client = self.client(&live).await?;
                let number = self.office_kept().await?.draft.number;
                let content = Bytes::copy_from_slice(file.as_bytes());
                for key in [format!("{key}.{number}"), key.clone()] {
                    obs::put_object(&client, bucket, &key, "application/json", content.clone())
                        .await
                        .map_err(|error| failed(error.into()))?;
                }
                Ok(())
            }
        }
    }

    /// Withdraws everything that was granted: the next grant, signed and published at once, allows nothing.
    ///
    /// # Errors
    /// As [`Wangcheng::publish_grant`]; `GrantNotPublished` where none was published before.
    pub async fn revoke_grant(&self, reason: &str, lasts: &Lasts) -> Result<OfficeStanding> {
        let mut office = self.office_kept().await?;
        let place = office.place.clone().ok_or(Code::GrantNotPublished)?;
        office.draft.revoked = Some(reason.trim().to_owned());
        office.draft.check()?;
        self.keep_office(&office).await?;
        self.publish_grant(&place, lasts).await
    }

    /// A second key takes over: the next grants name both, so that whoever reads one of them knows the new one. Once all
    /// have, [`Wangcheng::retire_signing_key`] ends the former one.
    ///
    /// # Errors
    /// `GrantNoOffice`; `GrantKeyAbsent` when the present one is not here; `GrantUnreadable` when two change over already.
    pub async fn rotate_signing_key(&self) -> Result<OfficeStanding> {
        let standing = self.office().await?.ok_or(Code::GrantNoOffice)?;
        let [present] = standing.keys.as_slice() else {
            return Err(Failure::new(Code::GrantUnreadable).saying("two keys change over already"));
        };
        if !standing.held.contains(present) {
            return Err(Code::GrantKeyAbsent.into());
        }
        let mut office = standing.office;
        let key = self.new_signing_key(office.remember).await?;
        office.draft.keys = vec![present.text(), key.text()];
        self.keep_office(&office).await?;
        self.office().await?.ok_or_else(|| Code::GrantNoOffice.into())
    }

    /// Ends the former one of two keys. The next grant is still signed with it, too, so that nobody is left behind.
    ///
    /// # Errors
    /// `GrantNoOffice`; `GrantKeyAbsent` when the new one is not here; `GrantUnreadable` when the new one stands in no
    /// grant that was published.
    pub async fn retire_signing_key(&self) -> Result<OfficeStanding> {
        let standing = self.office().await?.ok_or(Code::GrantNoOffice)?;
        let [_, next] = standing.keys.as_slice() else {
            return Err(Failure::new(Code::GrantUnreadable).saying("there is one key only"));
        };
        if !standing.held.contains(next) {
            return Err(Code::GrantKeyAbsent.into());
        }
        let mut office = standing.office;
        let told = office
            .signed
            .as_ref()
            .is_some_and(|signed| signed.keys.contains(&next.text()));
        if !told {
            return Err(
                Failure::new(Code::GrantUnreadable).saying("the new key stands in no published grant yet")
            );
        }
        office.draft.keys = vec![next.text()];
        self.keep_office(&office).await?;
        self.office().await?.ok_or_else(|| Code::GrantNoOffice.into())
    }

    /// The link by which people join, and the fingerprint to tell them by another way.
    ///
    /// # Errors
    /// `GrantNoOffice`; `GrantNotPublished` where none was, and no address is given; `GrantLinkInvalid`.
    pub async fn join_link(&self, address: Option<&str>, with_hei: bool) -> Result<(String, String)> {
        let office = self.office_kept().await?;
        let place = address.map(str::to_owned).or(office.place);
        let source = Source::read(&place.ok_or(Code::GrantNotPublished)?)?;
        let key = office.draft.keys.first().and_then(|key| PublicKey::read(key));
        let key = key.ok_or(Code::GrantKeyAbsent)?;
        let hei = if with_hei {
            self.delivery_configuration()
                .await?
                .map(|configuration| HeiPlace {
                    url: configuration.url,
                    event_set: configuration.event_set,
                    datatype: configuration.datatype,
                })
        } else {
            None
        };
        let join = Join {
            organisation: office.draft.organisation.name,
            key,
            source,
            hei,
        };
        let link = join.text();
        // It has to be readable where it is opened.
        Join::read(&link)?;
        Ok((link, key.fingerprint()))
    }

    /// The office as a file that a passphrase opens: the signing keys as OpenSSH private keys, and the draft.
    ///
    /// # Errors
    /// `GrantNoOffice`, `GrantKeyAbsent`, `GrantPassphrase`; the keychain's and the ledger's.
    pub async fn back_up_office(&self, passphrase: SecretString) -> Result<String> {
        if passphrase.expose_secret().chars().count() < PASSPHRASE_LEAST {
            return Err(Failure::new(Code::GrantPassphrase).with("least", PASSPHRASE_LEAST));
        }
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

    async fn new_signing_key(&self, remember: Remember) -> Result<PublicKey> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        rand::fill(seed.as_mut_slice());
        let key = SigningKey::from_bytes(&seed);
        self.keep_signing_key(&key, remember).await?;
        Ok(PublicKey::of(&key))
    }

    async fn keep_signing_key(&self, key: &SigningKey, remember: Remember) -> Result<()> {
        let text = Zeroizing::new(STANDARD.encode(key.to_bytes()));
        let name = self.signing_name(&PublicKey::of(key));
        let secret = SecretString::from(text.as_str().to_owned());
        self.inner.keychain.put(&name, secret, remember).await
    }

    async fn signing_key(&self, key: &PublicKey) -> Result<Option<SigningKey>> {
        let Some(text) = self.inner.keychain.get(&self.signing_name(key)).await? else {
            return Ok(None);
        };
        let bytes = STANDARD.decode(text.expose_secret()).ok().map(Zeroizing::new);
        let seed = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        let signing = seed.map(|seed| SigningKey::from_bytes(&Zeroizing::new(seed)));
        Ok(signing.filter(|signing| PublicKey::of(signing) == *key))
    }

    fn signing_name(&self, key: &PublicKey) -> String {
        format!(
            "grant/{}/{}",
            self.inner.ledger.installation_id(),
            key.fingerprint()
        )
    }

    /// Whether the cloud lets this account write there: asked by reading what is known of the object, which a
    /// developer may too, so only a no is certain before something is published.
    pub async fn may_reach(&self, place: &str) -> Result<bool> {
        let Source::Obs { bucket, key } = Source::read(place)? else {
            return Ok(true);
        };
        let live = self.active().await?;
        let client = self.client(&live).await?;
        match obs::head_object(&client, &bucket, &key).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Missing => Ok(true),
            Err(error) if error.kind == ErrorKind::Permission => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

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
