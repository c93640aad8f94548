//! The administrator's side: founding an organisation, writing its grants, signing and publishing them.
//!
//! Who may do so is no setting: whoever has the signing key in the keychain can sign, and whom the cloud lets write the
//! object can publish (see [`super::duties`]). The signing keys are in the keychain and, for the day on which this computer
//! is lost, in a backup (see [`super::backup`]).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use huaweicloud::obs;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use zeroize::Zeroizing;

use super::document::{Grant, Organisation, SCHEMA};
use super::link::{HeiPlace, Join};
use super::sealed::SealedToken;
use super::signed::{self, PublicKey};
use super::source::{Lies, Source};
use crate::Wangcheng;
use crate::app::Change;
use crate::failure::{Code, Failure, Result};
use crate::keychain::Remember;

const SETTING: &str = "grant.office";
/// How long a grant may hold, in days.
const DAYS_MOST: u32 = 366;
/// Shortest passphrase, of a backup and of a token in a link, in characters.
pub const PASSPHRASE_LEAST: usize = 12;

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

    pub(super) async fn keep_office(&self, office: &Office) -> Result<()> {
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
        // Before a number is spent on what nobody will read.
        if let Some(refused) = self.may_publish(&target).await.refused() {
            return Err(Failure {
                code: Code::GrantNotPublished,
                ..refused.with("place", target.text())
            });
        }
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

    /// The link by which people join, and the fingerprint to tell them by another way. `with_hei`: with the place of the
    /// events that is set here; `passphrase`: with its token, sealed by that, which is told by another way, too.
    ///
    /// # Errors
    /// `GrantNoOffice`; `GrantNotPublished` where none was, and no address is given; `GrantLinkInvalid`;
    /// `GrantPassphrase` for a short one, `BadInput` when there is no token here or it does not fit into a link.
    pub async fn join_link(
        &self,
        address: Option<&str>,
        with_hei: bool,
        passphrase: Option<SecretString>,
    ) -> Result<(String, String)> {
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
        let sealed = match (&hei, passphrase) {
            (Some(hei), Some(passphrase)) => Some(self.seal_token(passphrase, key, hei.clone()).await?),
            _ => None,
        };
        let join = Join {
            organisation: office.draft.organisation.name,
            key,
            source,
            hei,
            sealed,
        };
        let link = join.text();
        // It has to be readable where it is opened.
        Join::read(&link)?;
        Ok((link, key.fingerprint()))
    }

    async fn seal_token(
        &self,
        passphrase: SecretString,
        key: PublicKey,
        hei: HeiPlace,
    ) -> Result<SealedToken> {
        check_passphrase(&passphrase)?;
        let configuration = self.delivery_configuration().await?.unwrap_or_default();
        let token = match self.delivery_token(&configuration).await {
            Err(failure) if failure.code == Code::KeyNotStored => {
                return Err(Failure::new(Code::BadInput).with("field", "token"));
            }
            token => token?,
        };
        tokio::task::spawn_blocking(move || SealedToken::seal(&token, &passphrase, &key, &hei))
            .await
            .map_err(|e| Failure::new(Code::Internal).saying(e))?
    }

    async fn new_signing_key(&self, remember: Remember) -> Result<PublicKey> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        rand::fill(seed.as_mut_slice());
        let key = SigningKey::from_bytes(&seed);
        self.keep_signing_key(&key, remember).await?;
        Ok(PublicKey::of(&key))
    }

    pub(super) async fn keep_signing_key(&self, key: &SigningKey, remember: Remember) -> Result<()> {
        let text = Zeroizing::new(STANDARD.encode(key.to_bytes()));
        let name = self.signing_name(&PublicKey::of(key));
        let secret = SecretString::from(text.as_str().to_owned());
        self.inner.keychain.put(&name, secret, remember).await
    }

    pub(super) async fn signing_key(&self, key: &PublicKey) -> Result<Option<SigningKey>> {
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
}

/// A passphrase that is worth the name.
pub(super) fn check_passphrase(passphrase: &SecretString) -> Result<()> {
    if passphrase.expose_secret().chars().count() < PASSPHRASE_LEAST {
        return Err(Failure::new(Code::GrantPassphrase).with("least", PASSPHRASE_LEAST));
    }
    Ok(())
}
