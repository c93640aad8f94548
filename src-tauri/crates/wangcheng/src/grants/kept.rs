//! The organisation that this installation belongs to, and the last valid grant of it.
//!
//! A grant is taken over when it is signed by a key that is known, of the same organisation, and not older than what was
//! seen before; the highest number is remembered for good, also after leaving. The keys named in a grant are the known
//! ones from then on, which is how one key takes over from another. What cannot be fetched or may not be taken over leaves
//! the kept one in force until it expires, with a note why.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::document::{Grant, Organisation};
use super::link::{HeiPlace, Join};
use super::signed::{self, PublicKey};
use super::source::{Lies, Source};
use crate::Wangcheng;
use crate::app::Change;
use crate::delivery::Configuration;
use crate::events::{Action, Draft};
use crate::failure::{Code, Failure, Result, minutes};

const SETTING: &str = "grant";
/// Which number of which organisation the data platform was told of.
const TOLD: &str = "grant.told";
/// How far a grant may come from the future: what clocks differ by.
const AHEAD: TimeDelta = TimeDelta::minutes(10);
/// How often it is tried again when somebody else wrote meanwhile.
const TRIES: usize = 20;

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub organisation: Organisation,
    /// The keys that are known, in base64.
    pub keys: Vec<String>,
    pub source: String,
    /// The last valid file, as it was signed.
    pub file: String,
    pub etag: Option<String>,
    pub number: u64,
    pub joined_at: DateTime<Utc>,
    /// When it was last asked for with success.
    pub checked_at: DateTime<Utc>,
    /// Why it could not be the last time.
    pub problem: Option<Failure>,
    pub hei: Option<HeiPlace>,
}

impl Kept {
    fn trusted(&self) -> Vec<PublicKey> {
        self.keys.iter().filter_map(|key| PublicKey::read(key)).collect()
    }

    /// The grant, its signature checked once more: the ledger is a file like any other.
    pub fn grant(&self) -> Result<Grant> {
        signed::open(&self.file, &self.trusted())
    }

    pub fn fingerprints(&self) -> Vec<String> {
        self.trusted().iter().map(PublicKey::fingerprint).collect()
    }
}

/// What a link leads to, before anybody said yes.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// What the link says.
    pub join: Join,
    /// The grant that lies there, or why it cannot be taken over.
    pub grant: Result<Grant>,
    /// A token for the events is wanted beside it.
    pub token_wanted: bool,
}

/// What somebody who joins hands in for the events.
#[derive(Debug)]
pub enum Handed {
    /// Nothing: the token can be handed in later.
    Nothing,
    /// The token.
    Token(SecretString),
    /// What opens the token that the link holds.
    Passphrase(SecretString),
}

/// Why a grant allows nothing at a moment.
pub(super) fn holds(grant: &Grant, now: DateTime<Utc>) -> Result<()> {
    let fail = |code| {
        Failure::new(code)
            .with("organisation", &grant.organisation.name)
            .with("ask", &grant.ask)
    };
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC");
    if let Some(reason) = &grant.revoked {
        return Err(fail(Code::GrantRevoked).saying(reason));
    }
    if now >= grant.expires {
        return Err(fail(Code::GrantExpired).with("time", day(grant.expires)));
    }
    if grant.issued > now + AHEAD {
        return Err(fail(Code::GrantFromFuture)
            .with("time", day(grant.issued))
            .with("minutes", minutes(grant.issued - now)));
    }
    Ok(())
}

impl Wangcheng {
    pub(crate) async fn kept_grant(&self) -> Result<Option<Kept>> {
        let text = self.ledger(|ledger| ledger.setting(SETTING)).await?;
        match text.map(|text| serde_json::from_str(&text)) {
            None => Ok(None),
            Some(Ok(kept)) => Ok(Some(kept)),
            // What cannot be read limits as much as it did: nothing is allowed until somebody joins anew or leaves.
            Some(Err(error)) => Err(Failure::new(Code::GrantUnreadable).saying(error)),
        }
    }

    /// The moment that grants are measured by: the cloud's clock, where it is known.
    pub(super) async fn grant_now(&self) -> DateTime<Utc> {
        match self.active().await {
            Ok(live) => live.cloud_now(self.now()),
            Err(_) => self.now(),
        }
    }

    /// What a link leads to. Nothing is kept.
    ///
    /// # Errors
    /// `GrantLinkInvalid`; as the ledger's.
    pub async fn invitation(&self, link: &str) -> Result<Invitation> {
        let join = Join::read(link)?;
        let grant = async {
            let Lies::Text { text, .. } = self.fetch_grant(&join.source, None).await? else {
                return Err(Failure::new(Code::GrantUnreachable).with("place", join.source.text()));
            };
            self.acceptable(&join, &text).await
        };
        let grant = grant.await;
        let of_grant = grant
            .as_ref()
            .is_ok_and(|grant: &Grant| grant.defaults.hei.is_some());
        Ok(Invitation {
            grant,
            token_wanted: (join.hei.is_some() || of_grant) && !self.token_noted().await?,
            join,
        })
    }

    /// Whether a file can be taken over by somebody who joins.
    async fn acceptable(&self, join: &Join, text: &str) -> Result<Grant> {
        let grant = signed::open(text, &[join.key])?;
        if grant.organisation.name != join.organisation {
            return Err(Failure::new(Code::GrantOfOther)
                .with("organisation", &grant.organisation.name)
                .with("expected", &join.organisation));
        }
        // One that cannot be read is replaced by joining anew.
        if let Ok(Some(kept)) = self.kept_grant().await {
            if kept.organisation.id != grant.organisation.id {
                return Err(
                    Failure::new(Code::GrantOtherJoined).with("organisation", &kept.organisation.name)
                );
            }
            if !kept.trusted().contains(&join.key) {
                return Err(Failure::new(Code::GrantKeyChanged)
                    .with("organisation", &kept.organisation.name)
                    .with("known", kept.fingerprints().join(", "))
                    .with("fingerprint", join.key.fingerprint()));
            }
        }
        self.not_older(&grant).await?;
        holds(&grant, self.grant_now().await)?;
        Ok(grant)
    }

    async fn not_older(&self, grant: &Grant) -> Result<()> {
        let key = number_key(&grant.organisation.id);
        let seen = self.ledger(move |ledger| ledger.setting(&key)).await?;
        let seen: u64 = seen.and_then(|seen| seen.parse().ok()).unwrap_or(0);
        if grant.number < seen {
            return Err(Failure::new(Code::GrantOlder)
                .with("number", grant.number)
                .with("known", seen));
        }
        Ok(())
    }

    /// Joins the organisation of a link, whose fingerprint a person compared. `handed`: what its events need, where they are
    /// to be sent as the link or the grant says.
    ///
    /// # Errors
    /// `GrantLinkInvalid`; `GrantFingerprint` when the person compared another one; `GrantTokenClosed` when the passphrase
    /// does not open the token of the link; why the grant cannot be taken over; the keychain's and the ledger's.
    pub async fn join(&self, link: &str, fingerprint: &str, handed: Handed) -> Result<()> {
        let join = Join::read(link)?;
        let plain = |text: &str| -> String {
            let digits = text.chars().filter(char::is_ascii_alphanumeric);
            digits.collect::<String>().to_ascii_lowercase()
        };
        if plain(fingerprint) != plain(&join.key.fingerprint()) {
            return Err(Failure::new(Code::GrantFingerprint).with("fingerprint", join.key.fingerprint()));
        }
        let Lies::Text { text, etag } = self.fetch_grant(&join.source, None).await? else {
            return Err(Failure::new(Code::GrantUnreachable).with("place", join.source.text()));
        };
        let grant = self.acceptable(&join, &text).await?;
        let hei = join.hei.clone().or_else(|| grant.defaults.hei.clone());
        // Before anything is kept, so that a wrong passphrase can be typed again.
        let token = self.token_of(&join, handed).await?;
        let now = self.now();
        let kept = Kept {
            organisation: grant.organisation.clone(),
            keys: grant.keys.clone(),
            source: join.source.text(),
            file: text,
            etag,
            number: grant.number,
            joined_at: now,
            checked_at: now,
            problem: None,
            hei: hei.clone(),
        };
        self.note_number(&grant).await?;
        let text = serde_json::to_string(&kept).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        self.ledger(move |ledger| ledger.set_setting(SETTING, &text))
            .await?;
        self.forget_catalogues();
        if let Some(hei) = hei
            && (token.is_some() || self.token_noted().await?)
        {
            let configuration = Configuration {
                url: hei.url,
                event_set: hei.event_set,
                datatype: hei.datatype,
                ..Configuration::default()
            };
            self.configure_delivery(configuration, token).await?;
        }
        self.tell_acceptance().await?;
        self.publish(Change::Grant);
        Ok(())
    }

    /// The token that was handed in, or the one of the link, opened by what was.
    async fn token_of(&self, join: &Join, handed: Handed) -> Result<Option<SecretString>> {
        match (handed, &join.sealed, &join.hei) {
            (Handed::Token(token), ..) => Ok(Some(token)),
            (Handed::Passphrase(passphrase), Some(sealed), Some(hei)) => {
                let (sealed, key, hei) = (sealed.clone(), join.key, hei.clone());
                tokio::task::spawn_blocking(move || sealed.open(&passphrase, &key, &hei))
                    .await
                    .map_err(|e| Failure::new(Code::Internal).saying(e))?
                    .map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Leaves the organisation: nothing is limited here any more, and the data platform is told.
    ///
    /// # Errors
    /// `GrantAbsent`; as the ledger's.
    pub async fn leave(&self) -> Result<()> {
        let kept = match self.kept_grant().await {
            Ok(kept) => Some(kept.ok_or(Code::GrantAbsent)?),
            Err(failure) if failure.code == Code::GrantUnreadable => None,
            Err(failure) => return Err(failure),
        };
        let event = match self.active().await {
            Ok(live) => {
                let mut draft = Draft::new(Action::GrantLeft, self.now(), &self.inner.client);
                if let Some(kept) = kept {
                    draft
                        .set("organisation", kept.organisation.name)
                        .set("grant_number", kept.number);
                }
                Some(draft.finish(&live.account, None, None))
            }
            Err(_) => None,
        };
        let rows = self
            .ledger(move |ledger| {
                ledger.remove_setting(SETTING)?;
                ledger.remove_setting(TOLD)?;
                event.map_or_else(|| Ok(Vec::new()), |event| ledger.append(vec![event]))
            })
            .await?;
        if let Some(row) = rows.last() {
            self.publish(Change::Events(row.seq));
            self.inner.courier.ring();
        }
        self.forget_catalogues();
        self.publish(Change::Grant);
        Ok(())
    }

    /// Asks whether there is a newer grant. What went wrong is noted, and the kept one stays in force.
    ///
    /// # Errors
    /// `GrantAbsent`, `GrantUnreadable`; as the ledger's.
    pub async fn refresh_grant(&self) -> Result<()> {
        let before = self.kept_grant().await?.ok_or(Code::GrantAbsent)?;
        let asked = async {
            let source = Source::read(&before.source)?;
            // Without a whole copy at hand the tag would answer that there is nothing new.
            let known = before.etag.as_deref().filter(|_| before.grant().is_ok());
            match self.fetch_grant(&source, known).await? {
                Lies::Unchanged => Ok(None),
                Lies::Text { text, etag } => self
                    .newer(&before, &text)
                    .await
                    .map(|grant| Some((text, etag, grant))),
            }
        };
        let answer = asked.await;
        if let Err(failure) = &answer {
            tracing::info!(%failure, "no newer grant");
        }
        let now = self.now();
        for _ in 0..TRIES {
            let (text, seq) = self
                .ledger(|ledger| Ok((ledger.setting(SETTING)?, ledger.last_seq()?)))
                .await?;
            let Some(kept) = text
                .as_deref()
                .and_then(|text| serde_json::from_str::<Kept>(text).ok())
            else {
                return Ok(());
            };
            // Somebody joined another one, or was quicker.
            if kept.organisation.id != before.organisation.id || kept.number > before.number {
                return Ok(());
            }
            let mut after = kept.clone();
            match &answer {
                Ok(found) => {
                    after.problem = None;
                    after.checked_at = now;
                    if let Some((text, etag, grant)) = found {
                        after.organisation = grant.organisation.clone();
                        after.keys.clone_from(&grant.keys);
                        after.file.clone_from(text);
                        after.etag.clone_from(etag);
                        after.number = grant.number;
                        self.note_number(grant).await?;
                    }
                }
                Err(failure) => after.problem = Some(failure.clone()),
            }
            let news = after.file != kept.file || after.problem != kept.problem;
            let after = serde_json::to_string(&after).map_err(|e| Failure::new(Code::Internal).saying(e))?;
            let written = self
                .ledger(move |ledger| {
                    ledger.append_with_setting(SETTING, text.as_deref(), &after, seq, Vec::new())
                })
                .await?;
            if written.is_some() {
                self.tell_acceptance().await?;
                if news {
                    self.forget_catalogues();
                    self.publish(Change::Grant);
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether a fetched file may take the place of the kept one.
    async fn newer(&self, kept: &Kept, text: &str) -> Result<Grant> {
        let grant = signed::open(text, &kept.trusted())?;
        if grant.organisation.id != kept.organisation.id {
            return Err(Failure::new(Code::GrantOfOther)
                .with("organisation", &grant.organisation.name)
                .with("expected", &kept.organisation.name));
        }
        self.not_older(&grant).await?;
        if grant.number == kept.number && kept.grant().is_ok_and(|known| known != grant) {
            return Err(Failure::new(Code::GrantOlder)
                .with("number", grant.number)
                .with("known", kept.number));
        }
        match holds(&grant, self.grant_now().await) {
            Err(failure) if failure.code == Code::GrantFromFuture => Err(failure),
            // That it was withdrawn or ended is the newest truth.
            _ => Ok(grant),
        }
    }

    async fn note_number(&self, grant: &Grant) -> Result<()> {
        self.not_older(grant).await?;
        let (key, number) = (number_key(&grant.organisation.id), grant.number.to_string());
        self.ledger(move |ledger| ledger.set_setting(&key, &number)).await
    }

    /// Tells the data platform which grant is in force, once for each.
    pub(super) async fn tell_acceptance(&self) -> Result<()> {
        let (Some(kept), Ok(live)) = (self.kept_grant().await?, self.active().await) else {
            return Ok(());
        };
        let mut draft = Draft::new(Action::GrantAccepted, self.now(), &self.inner.client);
        draft
            .set("organisation", kept.organisation.name)
            .set("grant_number", kept.number);
        let event = draft.finish(&live.account, None, None);
        let told = format!("{}/{}/{}", live.account.id, kept.organisation.id, kept.number);
        let written = self
            .ledger(move |ledger| ledger.append_once(TOLD, &told, event))
            .await?;
        if let Some(row) = written {
            self.publish(Change::Events(row.seq));
            self.inner.courier.ring();
        }
        Ok(())
    }
}

fn number_key(organisation: &str) -> String {
    format!("grant.number/{organisation}")
}
