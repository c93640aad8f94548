//! Signing in: whose key it is, which project it reaches, where it is kept, which account is in use.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

pub use huaweicloud::Credentials;
use huaweicloud::{AccountId, Client, RegionId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::Wangcheng;
use crate::app::Change;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::keychain::Remember;

/// Setting that names the account in use.
const ACTIVE: &str = "account.active";
/// Longest name of an account, in characters.
const NAME_MOST: usize = 64;

/// An account as shown: who it is, and whether it works.
#[derive(Debug, Clone)]
pub struct Account {
    /// What the ledger keeps of it.
    pub kept: store::Account,
    /// Why nothing is asked of its cloud any more, until a person did something about it.
    pub stopped: Option<Failure>,
}

/// All accounts, and which is in use.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// In the order they were added.
    pub accounts: Vec<Account>,
    /// Our id of the one in use.
    pub active: Option<String>,
}

/// What a person hands in to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// What to call the account.
    pub name: String,
    /// Region id.
    pub region: String,
    /// The key.
    pub credentials: Credentials,
    /// Project id, where it cannot be found out.
    pub project_id: Option<String>,
    /// How long the key is kept.
    pub remember: Remember,
}

/// A key as it stands in the keychain.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    access_key: String,
    secret_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    security_token: Option<String>,
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.access_key.zeroize();
        self.secret_key.zeroize();
        self.security_token.zeroize();
    }
}

impl StoredKey {
    fn text(credentials: &Credentials) -> Result<SecretString> {
        let stored = Self {
            access_key: credentials.access_key.expose_secret().to_owned(),
            secret_key: credentials.secret_key.expose_secret().to_owned(),
            security_token: credentials
                .security_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned()),
        };
        let text = serde_json::to_string(&stored).map_err(|_| Failure::new(Code::Internal))?;
        Ok(SecretString::from(text))
    }

    fn read(text: &SecretString) -> Result<Credentials> {
        // The parser's error could quote the text, so it is not carried on.
        let stored: Self =
            serde_json::from_str(text.expose_secret()).map_err(|_| Failure::new(Code::KeyNotStored))?;
        Ok(Credentials {
            access_key: SecretString::from(stored.access_key.clone()),
            secret_key: SecretString::from(stored.secret_key.clone()),
            security_token: stored.security_token.clone().map(SecretString::from),
        })
    }
}

/// Whether this can be a key at all; catches a pasted space, a swapped field, a cut-off end.
fn check_key(credentials: &Credentials) -> Result<Credentials> {
    let clean = |secret: &SecretString| Zeroizing::new(secret.expose_secret().trim().to_owned());
    let (access_key, secret_key) = (clean(&credentials.access_key), clean(&credentials.secret_key));
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
    if !(16..=64).contains(&access_key.len()) || !plain(&access_key) {
        return Err(Failure::new(Code::AccessKeyInvalid).with("field", "access key"));
    }
    if !(16..=128).contains(&secret_key.len()) || !secret_key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Failure::new(Code::AccessKeyInvalid).with("field", "secret key"));
    }
    let security_token = credentials
        .security_token
        .as_ref()
        .map(clean)
        .filter(|token| !token.is_empty());
    Ok(Credentials {
        access_key: SecretString::from(access_key.to_string()),
        secret_key: SecretString::from(secret_key.to_string()),
        security_token: security_token.map(|token| SecretString::from(token.to_string())),
    })
}

impl Wangcheng {
    /// All accounts, and which is in use.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn accounts(&self) -> Result<Accounts> {
        let (kept, active) = self
            .ledger(|ledger| Ok((ledger.accounts()?, ledger.setting(ACTIVE)?)))
            .await?;
        let active = self.chosen().or(active);
        let live = self.live_accounts();
        let accounts = kept
            .into_iter()
            .map(|kept| Account {
                stopped: live.get(&kept.id).and_then(|live| live.stopped()),
                kept,
            })
            .collect::<Vec<_>>();
        let active = active.filter(|id| accounts.iter().any(|account| account.kept.id == *id));
        Ok(Accounts { accounts, active })
    }

    /// From now on the account that is chosen or signed in to is the one in use for this run only. Other programs on
    /// the same ledger, and later runs, go on with theirs.
    pub fn choose_only_for_this_run(&self) {
        self.inner.only_this_run.store(true, Ordering::Relaxed);
    }

    fn only_this_run(&self) -> bool {
        self.inner.only_this_run.load(Ordering::Relaxed)
    }

    fn chosen(&self) -> Option<String> {
        let chosen = self.inner.chosen.lock();
        chosen.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses an account, for good or for this run only.
    async fn put_in_use(&self, id: &str) -> Result<()> {
        if self.only_this_run() {
            let mut chosen = self.inner.chosen.lock().unwrap_or_else(PoisonError::into_inner);
            *chosen = Some(id.to_owned());
            return Ok(());
        }
        let id = id.to_owned();
        self.ledger(move |ledger| ledger.set_setting(ACTIVE, &id)).await
    }

    /// Finds out whose key it is and which project it reaches, keeps it, and uses the account from now on.
    ///
    /// Signing in again with the same user and region replaces the key.
    ///
    /// # Errors
    /// What is wrong with the input (`AccountNameInvalid`, `AccessKeyInvalid`, `RegionUnknown`), what the cloud says
    /// (`SignatureWrong`, `ClockWrong`, `KeyLocked`, `PermissionMissing`, `ProjectUnknown`, network …), the
    /// keychain's (`KeychainLocked` …: offer [`Remember::Run`]) and the ledger's.
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Account> {
        let name = sign_in.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_MOST || name.chars().any(char::is_control) {
            return Err(Failure::new(Code::AccountNameInvalid).with("most", NAME_MOST));
        }
        let credentials = check_key(&sign_in.credentials)?;
        let region = RegionId::from(sign_in.region.trim());
        if !self.inner.endpoints.regions().any(|known| known.id == region) {
            return Err(Failure::new(Code::RegionUnknown).with("region", region));
        }
        let client = Client::new(
            self.inner.http.clone(),
            credentials.clone(),
            self.inner.endpoints.clone(),
            region.clone(),
        );
        // A person asks: a key that was refused before may be tried again.
        client.resume();
        let who = crate::cloud::identify(&client).await?;
        let project_id = crate::cloud::find_project(&client, sign_in.project_id.as_deref()).await?;
        // Says at once, rather than at the first click, that this key may not look at servers here.
        huaweicloud::ecs::limits(&client, &project_id).await?;

        let before = self.accounts().await?.accounts;
        // The same person in the same region is the same account, also after signing out: what was under way is found
        // again.
        let id = format!("{region}/{}", who.user_id);
        let same = before.into_iter().find(|known| known.kept.id == id);
        let mut kept = store::Account {
            id,
            name,
            region: region.to_string(),
            project_id: project_id.to_string(),
            account_id: who.account_id.to_string(),
            account_name: who.account_name,
            user_id: who.user_id.to_string(),
            user_name: who.user_name,
            remember: sign_in.remember == Remember::Keychain,
            created_at: same
                .as_ref()
                .map_or_else(|| self.now(), |known| known.kept.created_at),
        };
        // What somebody else keeps of this account, a sign-in for this run does not change.
        if let (Some(known), true) = (same, self.only_this_run()) {
            kept = known.kept;
        }
        self.inner
            .keychain
            .put(
                &self.key_name(&kept.id),
                StoredKey::text(&credentials)?,
                sign_in.remember,
            )
            .await?;
        let row = kept.clone();
        self.ledger(move |ledger| ledger.upsert_account(&row)).await?;
        self.put_in_use(&kept.id).await?;
        // A former client of this account has the former key.
        if let Some(former) = self.live_accounts().remove(&kept.id) {
            former.end();
        }
        self.follow_active_account().await?;
        self.resume_operations().await?;
        Ok(Account { kept, stopped: None })
    }

    /// Signs in as one of the embedded region's people.
    ///
    /// # Errors
    /// `DemoUnavailable` when this is not the embedded region or has no such person; as [`Wangcheng::sign_in`].
    pub async fn sign_in_demo(&self, user: &str, remember: Remember) -> Result<Account> {
        let demo = self.demo().ok_or(Code::DemoUnavailable)?;
        let person = demo
            .users
            .iter()
            .find(|person| person.name == user)
            .ok_or(Code::DemoUnavailable)?;
        self.sign_in(SignIn {
            name: person.name.clone(),
            region: demo.region.clone(),
            credentials: person.credentials.clone(),
            project_id: None,
            remember,
        })
        .await
    }

    /// Uses another account from now on.
    ///
    /// # Errors
    /// `AccountUnknown`; as the ledger's.
    pub async fn select_account(&self, id: &str) -> Result<Accounts> {
        let known = self.accounts().await?.accounts;
        if !known.iter().any(|account| account.kept.id == id) {
            return Err(Code::AccountUnknown.into());
        }
        self.put_in_use(id).await?;
        self.follow_active_account().await?;
        self.accounts().await
    }

    /// Takes an account up again that was stopped: reads its key anew and asks its cloud again.
    ///
    /// # Errors
    /// `AccountUnknown`; as the ledger's. What is still wrong stands in the account's `stopped`.
    pub async fn retry_account(&self, id: &str) -> Result<Accounts> {
        let live = self.live(id).await?;
        live.go_again();
        // Asked before answering, so that the answer says whether it works now.
        let _ = self.refresh(&live).await;
        self.publish_accounts().await;
        self.accounts().await
    }

    /// Forgets an account and its key. What happened stays in the ledger; its servers go on.
    ///
    /// # Errors
    /// The keychain's, unless there is no key; the ledger's.
    pub async fn sign_out(&self, id: &str) -> Result<Accounts> {
        let known = self.accounts().await?;
        if !known.accounts.iter().any(|account| account.kept.id == id) {
            return Err(Code::AccountUnknown.into());
        }
        self.inner.keychain.remove(&self.key_name(id)).await?;
        let (gone, next) = (
            id.to_owned(),
            known
                .accounts
                .iter()
                .find(|a| a.kept.id != id)
                .map(|a| a.kept.id.clone()),
        );
        let was_active = known.active.as_deref() == Some(id);
        self.ledger(move |ledger| {
            ledger.remove_account(&gone)?;
            match next {
                Some(next) if was_active => ledger.set_setting(ACTIVE, &next),
                None => ledger.remove_setting(ACTIVE),
                Some(_) => Ok(()),
            }
        })
        .await?;
        if let Some(live) = self.live_accounts().remove(id) {
            live.end();
        }
        self.follow_active_account().await?;
        self.accounts().await
    }

    /// The account in use, at work.
    pub(crate) async fn active(&self) -> Result<Arc<Live>> {
        let active = self.accounts().await?.active.ok_or(Code::NotSignedIn)?;
        self.live(&active).await
    }

    /// An account at work.
    pub(crate) async fn live(&self, id: &str) -> Result<Arc<Live>> {
        if let Some(live) = self.live_accounts().get(id) {
            return Ok(live.clone());
        }
        let wanted = id.to_owned();
        let kept = self
            .ledger(move |ledger| ledger.account(&wanted))
            .await?
            .ok_or(Code::AccountUnknown)?;
        let (cached, as_of) = {
            let id = kept.id.clone();
            self.ledger(move |ledger| ledger.servers(&id)).await?
        };
        // Two callers may come here at once; the first one's stays.
        let mut live = self.live_accounts();
        Ok(live
            .entry(kept.id.clone())
            .or_insert_with(|| Arc::new(Live::new(kept, cached, as_of)))
            .clone())
    }

    /// The client of an account's cloud; reads the key out of the keychain the first time.
    pub(crate) async fn client(&self, live: &Live) -> Result<Client> {
        if let Some(failure) = live.stopped() {
            return Err(failure);
        }
        if let Some(client) = live.client() {
            return Ok(client);
        }
        let stored = self.inner.keychain.get(&self.key_name(&live.account.id)).await?;
        let credentials = StoredKey::read(&stored.ok_or(Code::KeyNotStored)?)?;
        let region = RegionId::from(live.account.region.as_str());
        let client = Client::new(
            self.inner.http.clone(),
            credentials,
            self.inner.endpoints.clone(),
            region,
        )
        .of_account(&AccountId::from(live.account.account_id.as_str()));
        // There is none at the start and after a person took up a stopped account: it may be tried again.
        client.resume();
        live.set_client(client.clone());
        Ok(client)
    }

    /// Where the keychain has an account's key. Another ledger of the same person has keys of its own.
    fn key_name(&self, account: &str) -> String {
        format!("account/{}/{account}", self.inner.ledger.installation_id())
    }

    pub(crate) async fn publish_accounts(&self) {
        if let Ok(accounts) = self.accounts().await {
            self.publish(Change::Accounts(accounts));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_key_loses_its_spaces_and_a_cut_one_is_refused() {
        let good = check_key(&Credentials::permanent(
            " EXAMPLEAK00000000001\n",
            "ExampleSecretKey0000000000000000000000001 ",
        ))
        .unwrap();
        assert_eq!(good.access_key.expose_secret(), "EXAMPLEAK00000000001");
        assert_eq!(
            good.secret_key.expose_secret(),
            "ExampleSecretKey0000000000000000000000001"
        );
        let bad = check_key(&Credentials::permanent(
            "EXAMPLE",
            "ExampleSecretKey0000000000000000000000001",
        ));
        assert_eq!(bad.unwrap_err().code, Code::AccessKeyInvalid);
    }

    #[test]
    fn a_key_survives_the_keychains_text() {
        let key = Credentials {
            security_token: Some(SecretString::from("token with \" and 世界")),
            ..Credentials::permanent(
                "EXAMPLEAK00000000001",
                "ExampleSecretKey0000000000000000000000001",
            )
        };
        let back = StoredKey::read(&StoredKey::text(&key).unwrap()).unwrap();
        assert_eq!(
            back.security_token.unwrap().expose_secret(),
            "token with \" and 世界"
        );
        assert_eq!(back.secret_key.expose_secret(), key.secret_key.expose_secret());
    }
}
