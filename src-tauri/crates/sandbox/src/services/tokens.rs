//! Client tokens: what makes a creation safe to repeat.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Call;
use crate::world::{REPLAY, Region, Replay};

/// A token together with the body it came with.
pub(super) struct Token {
    key: String,
    body_hash: String,
}

/// What is known of a token.
pub(super) enum Known {
    /// Nothing: go on.
    New,
    /// The first answer to the same request.
    Answered(Value),
    /// It came with another body.
    OtherBody,
    /// It was first used too long ago.
    Expired,
}

impl Token {
    /// `None` if it is not a UUID in small letters. Tokens are each user's and each host's own.
    pub(super) fn read(call: &Call<'_>, host: &str, token: &str, body: &Value) -> Option<Self> {
        let in_groups = token.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
        let in_lower_hex = token
            .chars()
            .all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c));
        (in_groups && in_lower_hex).then(|| Self {
            key: format!("{host}/{}/{token}", call.user.id),
            body_hash: hex::encode(Sha256::digest(canonical(body).as_bytes())),
        })
    }

    pub(super) fn known(&self, call: &Call<'_>, region: &Region) -> Known {
        let Some(replay) = region.replays.get(&self.key) else {
            return Known::New;
        };
        let age = call.now - replay.at;
        if age > REPLAY {
            return Known::Expired;
        }
        if replay.body_hash != self.body_hash {
            return Known::OtherBody;
        }
        tracing::debug!(
            age_s = TimeDelta::num_seconds(&age),
            "answered from a client token"
        );
        Known::Answered(replay.answer.clone())
    }

    /// Keeps the first answer.
    pub(super) fn keep(self, call: &Call<'_>, region: &mut Region, answer: &Value) {
        region.replays.insert(
            self.key,
            Replay {
                at: call.now,
                body_hash: self.body_hash,
                answer: answer.clone(),
            },
        );
    }
}

/// The same text for the same body, whatever the order of its keys and its spaces.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, String> = fields
                .iter()
                .map(|(key, value)| (key, canonical(value)))
                .collect();
            let fields: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{key:?}:{value}"))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_body_has_the_same_text_in_any_order() {
        let one: Value = serde_json::from_str(r#"{"a": [1, {"x": "ü", "y": null}], "b": 2}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b":2,"a":[1,{"y":null,"x":"ü"}]}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
    }
}
