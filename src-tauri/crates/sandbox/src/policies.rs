//! Policies of the account's IAM, as far as the server service is asked: who has one may do what it allows and nothing else.
//! Classic ones (1.1) name acts; identity policies (5.0) can be limited by a resource's tags
//! (<https://support.huaweicloud.com/intl/en-us/usermanual-iam5/iam_01_1229.html>). A condition that is not known here
//! never holds, which for an allowance is the safe side.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::users::User;

/// One policy, as it is pasted into the console.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Policy {
    version: String,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    effect: Effect,
    action: Vec<String>,
    /// By operator, then by key.
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

/// What an act is about.
pub(crate) struct Asked<'a> {
    pub(crate) action: &'a str,
    pub(crate) user: &'a User,
    pub(crate) region: &'a str,
    /// Tags of the one server that it is about.
    pub(crate) tags: Option<&'a BTreeMap<String, String>>,
}

impl Policy {
    /// Whether it is of a kind that is known.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self.version.as_str(), "1.1" | "5.0")
    }

    /// Whether it allows an act: some statement does, and none forbids it.
    pub(crate) fn allows(&self, asked: &Asked<'_>) -> bool {
        let applies = |effect: Effect| {
            self.statement.iter().any(|statement| {
                statement.effect == effect
                    && statement
                        .action
                        .iter()
                        .any(|pattern| matches(pattern, asked.action))
                    && statement.holds(asked)
            })
        };
        applies(Effect::Allow) && !applies(Effect::Deny)
    }
}

impl Statement {
    fn holds(&self, asked: &Asked<'_>) -> bool {
        self.condition.iter().all(|(operator, keys)| {
            keys.iter().all(|(key, values)| {
                let values: Vec<String> = match values {
                    Value::Array(values) => values
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                    Value::String(value) => vec![value.clone()],
                    _ => return false,
                };
                let is = match key.strip_prefix("g:ResourceTag/") {
                    Some(tag) => asked.tags.and_then(|tags| tags.get(tag)).cloned(),
                    None if key == "g:RequestedRegion" => Some(asked.region.to_owned()),
                    None => None,
                };
                let Some(is) = is else { return false };
                let values = values
                    .iter()
                    .map(|value| value.replace("${g:UserName}", asked.user.name));
                match operator.as_str() {
                    "StringEquals" => values.into_iter().any(|value| value == is),
                    "StringNotEquals" => values.into_iter().all(|value| value != is),
                    "StringLike" => values.into_iter().any(|value| matches(&value, &is)),
                    _ => false,
                }
            })
        })
    }
}

/// Whether a pattern, in which `*` stands for anything, is all of a text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|left| {
            let mut starts = left.char_indices().map(|(at, _)| at).chain([left.len()]);
            starts.any(|at| left.get(at..).is_some_and(|tail| matches(rest, tail)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users;

    #[test]
    fn an_act_is_allowed_by_some_statement_and_forbidden_by_any() {
        let policy: Policy = serde_json::from_str(
            r#"{"Version":"5.0","Statement":[
                {"Effect":"Allow","Action":["ecs:*:get*","ecs:cloudServers:createServers"]},
                {"Effect":"Allow","Action":["ecs:cloudServers:stop"],
                 "Condition":{"StringEquals":{"g:ResourceTag/owner":["${g:UserName}"]}}},
                {"Effect":"Deny","Action":["ecs:cloudServers:createServers"],
                 "Condition":{"StringNotEquals":{"g:RequestedRegion":["here"]}}}]}"#,
        )
        .unwrap();
        let ada = users::by_id(users::ADA).unwrap();
        let asks = |action: &str, region: &str, owner: Option<&str>| {
            let tags: Option<BTreeMap<String, String>> =
                owner.map(|owner| [("owner".to_owned(), owner.to_owned())].into());
            policy.allows(&Asked {
                action,
                user: ada,
                region,
                tags: tags.as_ref(),
            })
        };
        assert!(asks("ecs:cloudServers:get", "here", None));
        assert!(
            !asks("ecs:cloudServers:list", "here", None),
            "what is not named is not allowed"
        );
        assert!(asks("ecs:cloudServers:createServers", "here", None));
        assert!(!asks("ecs:cloudServers:createServers", "there", None));
        assert!(asks("ecs:cloudServers:stop", "here", Some("ada")));
        assert!(!asks("ecs:cloudServers:stop", "here", Some("bo")));
        assert!(!asks("ecs:cloudServers:stop", "here", None));
    }
}
