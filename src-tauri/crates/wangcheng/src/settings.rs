//! What a person set: language and look.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};

const KEY: &str = "settings";

/// Language of the interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum Language {
    /// As the system says.
    #[default]
    #[serde(rename = "system")]
    System,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What a person set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Language of the interface.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
}

impl Wangcheng {
    /// What a person set, or the defaults.
    ///
    /// # Errors
    /// As the ledger's. Settings that cannot be read count as not set.
    pub async fn settings(&self) -> Result<Settings> {
        let text = self.ledger(|ledger| ledger.setting(KEY)).await?;
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// Keeps what a person set.
    ///
    /// # Errors
    /// As the ledger's.
    pub async fn set_settings(&self, settings: Settings) -> Result<Settings> {
        let text = serde_json::to_string(&settings).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        self.ledger(move |ledger| ledger.set_setting(KEY, &text)).await?;
        Ok(settings)
    }
}
