//! Where events go and how they are spelled there.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;
use yanhuang::{Hei, Profile};

use super::SETTING;
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};

/// A way of speaking that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// The data platform's own.
    #[default]
    Yanhuang,
    /// Splunk's HTTP Event Collector, and what speaks like it.
    SplunkHec,
    /// As the profile beside it says, field by field.
    Custom,
}

/// Where events go. The token stands in the keychain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Address of the HEI.
    pub url: String,
    /// Data set, `_event_set`.
    pub event_set: String,
    /// Data type, `_datatype`.
    pub datatype: String,
    /// Plain HTTP to another computer was chosen on purpose.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// The way of speaking.
    #[serde(default)]
    pub preset: Preset,
    /// Every field of it, for [`Preset::Custom`]; what is not mentioned is as with [`Preset::Yanhuang`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

impl Configuration {
    /// The whole profile. Address, data set, data type and plain HTTP are said beside it and win.
    pub fn profile(&self) -> Profile {
        let mut profile = match (self.preset, &self.profile) {
            (Preset::Yanhuang, _) | (Preset::Custom, None) => Profile::yanhuang(),
            (Preset::SplunkHec, _) => Profile::splunk_hec(),
            (Preset::Custom, Some(profile)) => profile.clone(),
        };
        profile.event_set.clone_from(&self.event_set);
        profile.datatype.clone_from(&self.datatype);
        profile.allow_plain_http = self.allow_plain_http;
        profile
    }
}

pub(super) fn demo_configuration(url: &Url) -> Configuration {
    let profile = Profile::yanhuang();
    Configuration {
        url: url.to_string(),
        event_set: profile.event_set,
        datatype: profile.datatype,
        ..Configuration::default()
    }
}

impl Wangcheng {
    pub(crate) async fn delivery_configuration(&self) -> Result<Option<Configuration>> {
        let text = self.ledger(|ledger| ledger.setting(SETTING)).await?;
        let stored = text.and_then(|text| serde_json::from_str(&text).ok());
        Ok(stored.or_else(|| self.demo().map(|demo| demo_configuration(&demo.hei_url))))
    }

    /// Whether events go to the embedded region's own receiver.
    pub(super) fn demo_receiver(&self, configuration: Option<&Configuration>) -> bool {
        match (self.demo(), configuration) {
            (Some(demo), Some(configuration)) => *configuration == demo_configuration(&demo.hei_url),
            _ => false,
        }
    }

    pub(crate) async fn delivery_token(&self, configuration: &Configuration) -> Result<SecretString> {
        if let (true, Some(demo)) = (self.demo_receiver(Some(configuration)), self.demo()) {
            return Ok(demo.hei_token.clone());
        }
        let token = self.inner.keychain.get(&self.token_name()).await?;
        token.ok_or_else(|| Failure::new(Code::KeyNotStored))
    }

    /// Whether a token was put into the keychain; read from the ledger, so that a screen need not ask the keychain.
    pub(crate) async fn token_noted(&self) -> Result<bool> {
        Ok(self
            .ledger(|ledger| ledger.setting("delivery.token"))
            .await?
            .is_some())
    }

    pub(super) fn token_name(&self) -> String {
        format!("hei/{}", self.inner.ledger.installation_id())
    }

    pub(super) fn hei(&self, configuration: &Configuration, token: SecretString) -> Result<Hei> {
        let url: Url = configuration
            .url
            .parse()
            .map_err(|error| Failure::new(Code::DeliveryAddressInvalid).saying(error))?;
        let http = self.inner.courier.http.clone();
        Ok(Hei::new(http, configuration.profile(), url, token)?)
    }
}
