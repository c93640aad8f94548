//! The link by which an administrator takes somebody into an organisation:
//! `wangcheng://join?org=NAME&key=PUBLIC_KEY&grant=ADDRESS[&hei=ADDRESS&set=DATA_SET&type=DATA_TYPE[&token=SEALED]]`.
//!
//! It holds no secret but, where an administrator wants it, the token of the events under a passphrase. Whoever opens it compares name and fingerprint with what the administrator told by another way,
//! because a link can come from anybody.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use url::Url;

use super::document::is_hidden;
use super::sealed::SealedToken;
use super::signed::PublicKey;
use super::source::Source;
use crate::failure::{Code, Failure, Result};

/// What the link begins with.
pub const BEGINNING: &str = "wangcheng://join?";
/// Longest link that is read, in bytes.
pub const LINK_MOST: usize = 2048;
/// Longest name of an organisation, in characters.
const NAME_MOST: usize = 100;
/// Longest data set or data type, in bytes.
const WORD_MOST: usize = 200;

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// Name of the organisation.
    pub organisation: String,
    /// The key that its grants are signed with.
    pub key: PublicKey,
    /// Where its grants lie.
    pub source: Source,
    /// Where its events go.
    pub hei: Option<HeiPlace>,
    /// The token for them, under a passphrase that comes by another way.
    pub sealed: Option<SealedToken>,
}

/// Where an organisation's events go; the token comes by another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeiPlace {
    /// Address of the HEI.
    pub url: String,
    /// Data set.
    #[serde(alias = "event_set")]
    pub event_set: String,
    /// Data type.
    pub datatype: String,
}

impl HeiPlace {
    /// Whether events can go there at all.
    pub(super) fn is_one(&self) -> bool {
        let words = [&self.event_set, &self.datatype];
        Url::parse(&self.url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
            && words
                .into_iter()
                .all(|word| (1..=WORD_MOST).contains(&word.len()))
    }
}

impl Join {
    /// Reads a link, or the file that holds one.
    ///
    /// # Errors
    /// `GrantLinkInvalid` with what is wrong.
    pub fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() > LINK_MOST {
            return Err(invalid("too long"));
        }
        let query = text
            .strip_prefix(BEGINNING)
            .ok_or_else(|| invalid("it does not begin with wangcheng://join?"))?;
        let query = query.split_once('#').map_or(query, |(before, _)| before);
        let mut fields: [Option<String>; 7] = Default::default();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = ["org", "key", "grant", "hei", "set", "type", "token"]
                .iter()
                .position(|name| **name == *key)
                .and_then(|place| fields.get_mut(place))
                .ok_or_else(|| invalid("a field that is not known"))?;
            if value.contains('\u{fffd}') || value.chars().any(is_hidden) {
                return Err(invalid("signs that do not show"));
            }
            if place.replace(value.into_owned()).is_some() {
                return Err(invalid("a field that stands twice"));
            }
        }
        let [org, key, grant, hei, set, datatype, token] = fields;
        let organisation = org.map(|org| org.trim().to_owned()).unwrap_or_default();
        if !(1..=NAME_MOST).contains(&organisation.chars().count()) {
            return Err(invalid("no name of an organisation"));
        }
        let key = key
            .as_deref()
            .and_then(PublicKey::read)
            .ok_or_else(|| invalid("no key"))?;
        let source = Source::read(grant.as_deref().unwrap_or_default())?;
        let hei = match hei {
            None if set.is_none() && datatype.is_none() => None,
            None => return Err(invalid("a data set without an address")),
            Some(url) => {
                let place = HeiPlace {
                    url,
                    event_set: set.unwrap_or_else(|| "wangcheng".to_owned()),
                    datatype: datatype.unwrap_or_else(|| "json".to_owned()),
                };
                if !place.is_one() {
                    return Err(invalid("no address of the HEI"));
                }
                Some(place)
            }
        };
        let sealed = match (token, &hei) {
            (None, _) => None,
            (Some(_), None) => return Err(invalid("a token without an address")),
            (Some(token), Some(_)) => {
                Some(SealedToken::read(&token).ok_or_else(|| invalid("no sealed token"))?)
            }
        };
        Ok(Self {
            organisation,
            key,
            source,
            hei,
            sealed,
        })
    }

    /// Writes the link.
    pub fn text(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("org", &self.organisation);
        query.append_pair("key", &self.key.text());
        query.append_pair("grant", &self.source.text());
        if let Some(hei) = &self.hei {
            query.append_pair("hei", &hei.url);
            query.append_pair("set", &hei.event_set);
            query.append_pair("type", &hei.datatype);
            if let Some(sealed) = &self.sealed {
                query.append_pair("token", sealed.text());
            }
        }
        format!("{BEGINNING}{}", query.finish())
    }
}

fn invalid(why: &str) -> Failure {
    Failure::new(Code::GrantLinkInvalid).saying(why)
}
