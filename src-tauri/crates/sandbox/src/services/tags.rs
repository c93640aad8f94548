//! Tags on servers, disks and EIPs: the same rules, with each service's own codes for breaking them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Result;
use crate::faults::Fault;

/// Most tags of one resource.
pub(super) const MOST: usize = 10;

/// What a service says to tags that it does not take.
pub(super) struct Words {
    pub(super) too_many: &'static str,
    pub(super) length: &'static str,
    pub(super) characters: &'static str,
    pub(super) twice: &'static str,
    /// No tags, or an action that is none.
    pub(super) request: &'static str,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tagging {
    action: String,
    tags: Vec<Tag>,
}

/// A tag as the caller writes it; deletion needs no value.
#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    key: String,
    value: Option<String>,
}

impl Tag {
    fn check(&self, words: &Words) -> Result<()> {
        let value = self.value.as_deref().unwrap_or_default();
        if !(1..=36).contains(&self.key.chars().count()) || value.chars().count() > 43 {
            return Err(Fault::bad(
                words.length,
                "The key of a tag has 1 to 36 characters, its value 0 to 43.",
            ));
        }
        let odd = |c: char, more: &str| c.is_control() || "=*<>\\,|".contains(c) || more.contains(c);
        if self.key.chars().any(|c| odd(c, "/")) || value.chars().any(|c| odd(c, "")) {
            return Err(Fault::bad(
                words.characters,
                format!("The tag {} has invalid characters.", self.key),
            ));
        }
        Ok(())
    }
}

/// Tags of a request, checked, each key once.
pub(super) fn read(given: &[Tag], words: &Words) -> Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for tag in given {
        tag.check(words)?;
        let value = tag.value.clone().unwrap_or_default();
        if tags.insert(tag.key.clone(), value).is_some() {
            return Err(Fault::bad(
                words.twice,
                format!("The tag key {} occurs twice.", tag.key),
            ));
        }
    }
    if tags.len() > MOST {
        return Err(too_many(words));
    }
    Ok(tags)
}

/// Sets tags, over those with the same keys, or takes away those whose keys are named.
pub(super) fn apply(tagging: &Tagging, tags: &mut BTreeMap<String, String>, words: &Words) -> Result<()> {
    let given = read(&tagging.tags, words)?;
    if given.is_empty() {
        return Err(Fault::bad(words.request, "There are no tags in the request."));
    }
    match tagging.action.as_str() {
        "create" => {
            let mut after = tags.clone();
            after.extend(given);
            if after.len() > MOST {
                return Err(too_many(words));
            }
            *tags = after;
        }
        "delete" => tags.retain(|key, _| !given.contains_key(key)),
        _ => return Err(Fault::bad(words.request, "The action must be create or delete.")),
    }
    Ok(())
}

fn too_many(words: &Words) -> Fault {
    Fault::bad(words.too_many, "A resource can have at most 10 tags.")
}

/// `[{"key","value"}]`.
pub(super) fn rows(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}
