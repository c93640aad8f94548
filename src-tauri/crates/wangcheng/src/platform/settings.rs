//! Where the platform's search is and how it is spelled there.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;
use yanhuang::search::{Poll, Profile, Search};

use super::SETTING;
use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};

/// A way of asking that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum SearchPreset {
    /// As a job: submit, poll, fetch.
    #[default]
    Job,
    /// One call that answers at once.
    Sync,
    /// As the profile beside it says, field by field.
    Custom,
}

/// Where the search is. The token stands in the keychain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchConfiguration {
    /// Its address, to which the profile's paths are added.
    pub url: String,
    /// Data set.
    pub event_set: String,
    /// Plain HTTP to another computer was chosen on purpose.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// The way of asking.
    #[serde(default)]
    pub preset: SearchPreset,
    /// Every field of it, for [`SearchPreset::Custom`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

impl SearchConfiguration {
    /// The whole profile. Data set and plain HTTP are said beside it and win.
    pub fn profile(&self) -> Profile {
        let mut profile = match (self.preset, &self.profile) {
            (SearchPreset::Job, _) | (SearchPreset::Custom, None) => Profile::job(),
            (SearchPreset::Sync, _) => Profile::sync(),
            (SearchPreset::Custom, Some(profile)) => profile.clone(),
        };
        profile.event_set.clone_from(&self.event_set);
        profile.allow_plain_http = self.allow_plain_http;
        profile
    }

    /// Which events these are; another address or data set has others.
    pub fn place(&self) -> String {
        format!("{} {}", self.url, self.event_set)
    }
}

/// The embedded region's receiver, which is on this computer and need not be asked slowly.
fn demo_configuration(url: &Url) -> SearchConfiguration {
    let job = Profile::job();
    SearchConfiguration {
        url: url.to_string(),
        event_set: job.event_set.clone(),
        preset: SearchPreset::Custom,
        profile: Some(Profile {
            poll: Poll {
                interval_ms: 100,
                ..job.poll.clone()
            },
            ..job
        }),
        ..SearchConfiguration::default()
    }
}

impl Wangcheng {
    pub(super) async fn search_configuration(&self) -> Result<Option<SearchConfiguration>> {
        let text = self.ledger(|ledger| ledger.setting(SETTING)).await?;
        let stored = text.and_then(|text| serde_json::from_str(&text).ok());
        Ok(stored.or_else(|| self.demo().map(|demo| demo_configuration(&demo.hei_url))))
    }

    /// Whether it is the embedded region's own receiver that is asked.
    pub(super) fn demo_search(&self, configuration: &SearchConfiguration) -> bool {
        self.demo()
            .is_some_and(|demo| *configuration == demo_configuration(&demo.hei_url))
    }

    pub(super) async fn search_token(&self, configuration: &SearchConfiguration) -> Result<SecretString> {
        if let (true, Some(demo)) = (self.demo_search(configuration), self.demo()) {
            return Ok(demo.hei_token.clone());
        }
        let token = self.inner.keychain.get(&self.search_token_name()).await?;
        token.ok_or_else(|| Failure::new(Code::KeyNotStored))
    }

    pub(super) fn search_token_name(&self) -> String {
        format!("search/{}", self.inner.ledger.installation_id())
    }

    pub(super) fn search(&self, configuration: &SearchConfiguration, token: SecretString) -> Result<Search> {
        let url: Url = configuration.url.trim().parse().map_err(|error| {
            Failure::new(Code::SearchProfileInvalid)
                .with("field", "url")
                .saying(error)
        })?;
        let http = self.inner.courier.http.clone();
        super::heard(Search::new(http, configuration.profile(), url, token))
    }

    /// The search in use, and which events it has.
    pub(super) async fn search_in_use(&self) -> Result<(Search, String)> {
        let configuration = self
            .search_configuration()
            .await?
            .ok_or(Code::SearchNotConfigured)?;
        let token = self.search_token(&configuration).await?;
        Ok((self.search(&configuration, token)?, configuration.place()))
    }
}
