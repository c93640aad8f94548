//! What a person set: language and look, what the system is to tell, and how other computers are reached.

use std::io::Read;
use std::path::Path;

use chrono::TimeDelta;
use huaweicloud::Proxy;
use serde::{Deserialize, Serialize};
use store::Ledger;
use ts_rs::TS;
use url::Url;

use crate::Wangcheng;
use crate::failure::{Code, Failure, Result};
use crate::lease::WARNINGS;

const KEY: &str = "settings";
/// Longest address or name of a file, in bytes.
const TEXT_MOST: usize = 2048;
/// Most bytes of certificates that are read: a whole system's are some 250 KiB.
const CA_MOST: u64 = 1024 * 1024;

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

/// How other computers are reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProxyUse {
    /// As the environment or the system says.
    #[default]
    System,
    /// Directly, whatever they say.
    Direct,
    /// Through the one that is named.
    At,
}

/// What a person set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Language of the interface.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// Which warnings of a lease's end the system shows: minutes before it, out of [`crate::lease::WARNINGS`].
    #[ts(type = "number[]")]
    pub warn_minutes: Vec<i64>,
    /// The system shows how an operation ended while the window is not in front.
    pub tell_operations: bool,
    /// The program stays, with its icon, when its window is closed.
    pub stay_in_tray: bool,
    /// How the cloud and the data platform are reached. From the next start on.
    pub proxy: ProxyUse,
    /// Address of the proxy, for [`ProxyUse::At`]. It carries no login.
    pub proxy_url: String,
    /// File of certificates (PEM) that are trusted beside the system's. From the next start on.
    pub ca_file: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::default(),
            theme: Theme::default(),
            warn_minutes: WARNINGS.iter().map(TimeDelta::num_minutes).collect(),
            tell_operations: true,
            stay_in_tray: false,
            proxy: ProxyUse::default(),
            proxy_url: String::new(),
            ca_file: String::new(),
        }
    }
}

/// How other computers are reached, worked out from what is set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Way {
    pub proxy: Proxy,
    pub extra_ca: Option<String>,
}

impl Settings {
    /// What is set, as the connections need it. Reads the file of certificates.
    ///
    /// # Errors
    /// `ProxyInvalid`, `AuthorityUnreadable`.
    pub(crate) fn way(&self) -> Result<Way> {
        let proxy = match self.proxy {
            ProxyUse::System => Proxy::System,
            ProxyUse::Direct => Proxy::Direct,
            ProxyUse::At => Proxy::At {
                url: proxy_url(&self.proxy_url)?,
                login: None,
            },
        };
        let extra_ca = match self.ca_file.trim() {
            "" => None,
            file => Some(authorities(Path::new(file))?),
        };
        Ok(Way { proxy, extra_ca })
    }

    /// What can be kept: nothing longer than it needs to be, no warning that is never given.
    fn checked(mut self) -> Result<Self> {
        self.warn_minutes
            .retain(|minutes| WARNINGS.iter().any(|warning| warning.num_minutes() == *minutes));
        self.warn_minutes.sort_unstable();
        self.warn_minutes.dedup();
        self.proxy_url = self.proxy_url.trim().to_owned();
        self.ca_file = self.ca_file.trim().to_owned();
        if self.proxy_url.len() > TEXT_MOST || self.ca_file.len() > TEXT_MOST {
            return Err(Failure::new(Code::BadInput).with("field", "settings"));
        }
        let way = self.way()?;
        // Only the maker of connections knows whether it can use them.
        crate::cloud::try_way(&way).map_err(|why| match &way.extra_ca {
            Some(_) => Failure::new(Code::AuthorityUnreadable)
                .with("file", &self.ca_file)
                .saying(why),
            None => Failure::new(Code::ProxyInvalid).with("why", why),
        })?;
        Ok(self)
    }
}

fn proxy_url(text: &str) -> Result<Url> {
    let wrong = |why: &str| Failure::new(Code::ProxyInvalid).with("why", why);
    // Not quoted: a person may have written a password into it.
    let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
        return Err(wrong(url.scheme()));
    }
    if url.host().is_none() {
        return Err(wrong("no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("user:password@"));
    }
    Ok(url)
}

fn authorities(file: &Path) -> Result<String> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::new(Code::AuthorityUnreadable)
            .with("file", file.display())
            .saying(why)
    };
    if !std::fs::metadata(file).map_err(|e| unreadable(&e))?.is_file() {
        return Err(unreadable(&"no file"));
    }
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|e| unreadable(&e))?;
    opened
        .take(CA_MOST)
        .read_to_string(&mut text)
        .map_err(|e| unreadable(&e))?;
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(unreadable(&"no certificate"));
    }
    Ok(text)
}

impl Wangcheng {
    /// What a person set, or the defaults.
    ///
    /// # Errors
    /// As the ledger's. Settings that cannot be read count as not set.
    pub async fn settings(&self) -> Result<Settings> {
        self.ledger(kept).await
    }

    /// Keeps what a person set.
    ///
    /// # Errors
    /// `ProxyInvalid`, `AuthorityUnreadable`, `BadInput`; as the ledger's.
    pub async fn set_settings(&self, settings: Settings) -> Result<Settings> {
        let settings = tokio::task::spawn_blocking(|| settings.checked())
            .await
            .map_err(|e| Failure::new(Code::Internal).saying(e))??;
        let text = serde_json::to_string(&settings).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        self.ledger(move |ledger| ledger.set_setting(KEY, &text)).await?;
        Ok(settings)
    }
}

/// What the ledger keeps of it. What cannot be read counts as not set.
pub(crate) fn kept(ledger: &Ledger) -> Result<Settings, store::Error> {
    let text = ledger.setting(KEY)?;
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_program_kept_still_holds_and_the_rest_is_as_usual() {
        let settings: Settings = serde_json::from_str(r#"{"language":"zh-CN","theme":"dark"}"#).unwrap();
        assert_eq!(settings.language, Language::Chinese);
        assert_eq!(settings.warn_minutes, [10, 30, 120]);
        assert!(settings.tell_operations && !settings.stay_in_tray);
    }

    #[test]
    fn a_proxy_is_named_by_an_address_without_a_login_which_no_failure_repeats() {
        let through = |url: &str| Settings {
            proxy: ProxyUse::At,
            proxy_url: url.to_owned(),
            ..Settings::default()
        };
        for good in ["http://proxy.example:8080", "socks5h://10.0.0.1:1080"] {
            assert!(through(good).checked().is_ok(), "{good}");
        }
        for bad in [
            "",
            "proxy.example:8080",
            "ftp://proxy.example",
            "http://",
            "http://ada:hunter2@proxy.example:8080",
        ] {
            let failure = through(bad).checked().unwrap_err();
            assert_eq!(failure.code, Code::ProxyInvalid, "{bad}");
            assert!(!format!("{failure:?}").contains("hunter2"));
        }
        let unused = Settings {
            proxy_url: "nonsense".to_owned(),
            ..Settings::default()
        };
        assert!(
            unused.checked().is_ok(),
            "an address that is not used may be anything"
        );
    }

    #[test]
    fn certificates_are_tried_before_they_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let with = |text: &str| {
            let file = dir.path().join("ca.pem");
            std::fs::write(&file, text).unwrap();
            Settings {
                ca_file: file.display().to_string(),
                ..Settings::default()
            }
            .checked()
            .map_err(|failure| failure.code)
            .map(|_| ())
        };
        assert_eq!(with("not one"), Err(Code::AuthorityUnreadable));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(with(broken), Err(Code::AuthorityUnreadable));
        let made = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
        assert_eq!(with(&made.cert.pem()), Ok(()));
    }

    #[test]
    fn only_warnings_that_are_given_are_kept() {
        let settings = Settings {
            warn_minutes: vec![30, 7, 30, 10],
            ..Settings::default()
        };
        assert_eq!(settings.checked().unwrap().warn_minutes, [10, 30]);
    }
}
