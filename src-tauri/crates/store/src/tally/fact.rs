//! One event as a source tells it: of the contract's keys those that count.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// Longest text of one event that is read.
const MOST_BYTES: usize = 64 * 1024;
/// Longest word that is kept; the longest of the contract are names of 128 characters.
pub(crate) const MOST_WORD: usize = 512;

/// One event. Every key of the contract that is not here is passed over; what is absent is empty.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the contract's own keys")]
pub struct Fact<'a> {
    #[serde(borrow, deserialize_with = "word")]
    pub schema: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub event_id: Cow<'a, str>,
    /// RFC 3339.
    #[serde(borrow, deserialize_with = "word")]
    pub time: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub action: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub outcome: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub owner: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub owner_id: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub region: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub server_id: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub server_name: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub flavor: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub template: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub purpose: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub state: Cow<'a, str>,
    /// RFC 3339.
    #[serde(borrow, deserialize_with = "word")]
    pub lease_end: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub currency: Cow<'a, str>,
    /// The whole, decimal text.
    #[serde(borrow, deserialize_with = "word")]
    pub price_per_hour: Cow<'a, str>,
    /// Of it, the disks.
    #[serde(borrow, deserialize_with = "word")]
    pub price_disk_per_hour: Cow<'a, str>,
    /// Of it, the public address with its bandwidth.
    #[serde(borrow, deserialize_with = "word")]
    pub price_address_per_hour: Cow<'a, str>,
    /// `true`: the flavor costs on while the server is stopped.
    #[serde(borrow, deserialize_with = "word")]
    pub charged_when_stopped: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub disk_id: Cow<'a, str>,
    /// A number, or one as text.
    #[serde(borrow, deserialize_with = "word")]
    pub disk_gb: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub disk_gb_before: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "word")]
    pub cause: Cow<'a, str>,
}

/// Why an event cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is no event of this contract, or a piece of one.
    Broken,
    /// It follows a later version of the contract.
    Newer,
}

impl<'a> Fact<'a> {
    /// Reads one event's JSON text. Numbers, texts and absent or null keys are told apart leniently, because export files
    /// and tables of the platform write them differently.
    ///
    /// # Errors
    ///
    /// [`Unread`]; nothing of the text is repeated in it.
    pub fn read(json: &'a str) -> Result<Self, Unread> {
        if json.len() > MOST_BYTES {
            return Err(Unread::Broken);
        }
        let fact: Self = serde_json::from_str(json).map_err(|_| Unread::Broken)?;
        fact.sound().map(|()| fact)
    }

    /// Whether it can be taken.
    pub(crate) fn sound(&self) -> Result<(), Unread> {
        if let Some(version) = self.schema.strip_prefix("wangcheng.event.v")
            && version != "1"
        {
            return Err(Unread::Newer);
        }
        let named = !self.event_id.is_empty() && self.event_id.len() <= 64 && !self.action.is_empty();
        if named && self.words().iter().all(|word| word.len() <= MOST_WORD) {
            Ok(())
        } else {
            Err(Unread::Broken)
        }
    }

    fn words(&self) -> [&str; 9] {
        [
            &self.action,
            &self.owner,
            &self.owner_id,
            &self.region,
            &self.server_id,
            &self.server_name,
            &self.flavor,
            &self.template,
            &self.purpose,
        ]
    }
}

/// Text, number, truth value or nothing, as text.
fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    struct Word;
    impl<'de> Visitor<'de> for Word {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text, a number, a truth value or nothing")
        }

        fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(text))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text.to_owned()))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Cow::Owned(number.to_string()))
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Cow::Owned(number.to_string()))
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
            Ok(Cow::Owned(number.to_string()))
        }

        fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(if truth { "true" } else { "false" }))
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(""))
        }
    }
    deserializer.deserialize_any(Word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_whether_its_numbers_are_numbers_texts_or_missing() {
        let as_number =
            Fact::read(r#"{"event_id":"e","action":"a","disk_gb":40,"price_per_hour":"0.5"}"#).unwrap();
        let as_text =
            Fact::read(r#"{"event_id":"e","action":"a","disk_gb":"40","price_per_hour":0.5,"owner":null}"#)
                .unwrap();
        assert_eq!(as_number, as_text);
        assert_eq!(as_number.disk_gb, "40");
    }

    #[test]
    fn a_later_contract_and_half_an_event_are_told_apart() {
        let newer = r#"{"event_id":"e","action":"a","schema":"wangcheng.event.v2"}"#;
        assert_eq!(Fact::read(newer), Err(Unread::Newer));
        assert_eq!(Fact::read(r#"{"event_id":"e","action""#), Err(Unread::Broken));
        assert_eq!(Fact::read(r#"{"action":"a"}"#), Err(Unread::Broken));
        let long = "x".repeat(MOST_WORD + 1);
        assert_eq!(
            Fact::read(&format!(r#"{{"event_id":"e","action":"{long}"}}"#)),
            Err(Unread::Broken)
        );
    }
}
