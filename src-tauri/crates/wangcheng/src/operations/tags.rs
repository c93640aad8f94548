//! A server's tags are changed, and a server that was made elsewhere is adopted by its tags.

use std::collections::BTreeMap;

use huaweicloud::{Client, ProjectId, ServerId, Tag, ecs};
use serde::{Deserialize, Serialize};

use super::runner::{Done, Runner};
use super::{Detail, Operation, OperationKind};
use crate::Wangcheng;
use crate::create::{TAG_MOST, tag_value};
use crate::failure::{Code, Failure, Result};
use crate::servers::{Server, ServerState, TAG_ADOPTED, TAG_INSTALLATION, TAG_OPERATION, TAG_OWNER};

/// Most tags of a server, and longest key (`BatchCreateServerTags`).
const TAGS_MOST: usize = 10;
const KEY_MOST: usize = 36;
/// Tags that say whose a server is and where it came from; nobody types those.
const KEPT: [&str; 4] = [TAG_OWNER, TAG_INSTALLATION, TAG_OPERATION, TAG_ADOPTED];

/// What is asked, as the ledger keeps it.
#[derive(Serialize, Deserialize)]
struct Tagging {
    set: Vec<Tag>,
    remove: Vec<String>,
}

impl Tagging {
    /// Whether the cloud would take it, by its own rules.
    fn check(&self, present: &BTreeMap<String, String>) -> Result<()> {
        let invalid = |key: &str| {
            let key: String = key.chars().take(KEY_MOST).collect();
            Failure::new(Code::TagInvalid)
                .with("key", key)
                .with("longest_key", KEY_MOST)
                .with("longest_value", TAG_MOST)
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || is_ideograph(c);
        for tag in &self.set {
            let key_fits = (1..=KEY_MOST).contains(&tag.key.chars().count()) && tag.key.chars().all(fits);
            let value_fits =
                tag.value.chars().count() <= TAG_MOST && tag.value.chars().all(|c| fits(c) || c == '.');
            let once = self.set.iter().filter(|other| other.key == tag.key).count() == 1
                && !self.remove.contains(&tag.key);
            if !(key_fits && value_fits && once) {
                return Err(invalid(&tag.key));
            }
        }
        let mut keys = self.set.iter().map(|tag| &tag.key).chain(&self.remove);
        if let Some(key) = keys.find(|key| KEPT.contains(&key.as_str())) {
            return Err(Failure::new(Code::TagKept).with("key", key));
        }
        let mut after = present.clone();
        after.retain(|key, _| !self.remove.contains(key));
        after.extend(self.set.iter().map(|tag| (tag.key.clone(), String::new())));
        if after.len() > TAGS_MOST {
            return Err(Failure::new(Code::TagsTooMany).with("most", TAGS_MOST));
        }
        Ok(())
    }
}

/// Chinese characters, which the cloud takes in tags.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

impl Wangcheng {
    /// Sets tags of a server (a key that it has gets the new value) and takes others off.
    ///
    /// # Errors
    /// `TagInvalid`, `TagKept`, `TagsTooMany`, `BadInput` when nothing is asked; `ServerUnknown`, `NotOwn`,
    /// `ServerBusy`, `NotSignedIn`; what the cloud says; the ledger's, in which case nothing was sent.
    pub async fn tag_server(
        &self,
        server: &str,
        set: Vec<(String, String)>,
        remove: Vec<String>,
    ) -> Result<Operation> {
        let set = set.into_iter().map(|(key, value)| Tag::new(key, value)).collect();
        let mut tagging = Tagging { set, remove };
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        tagging.check(&server.tags)?;
        // The cloud may refuse to take off what is not there.
        tagging.remove.retain(|key| server.tags.contains_key(key));
        if tagging.set.is_empty() && tagging.remove.is_empty() {
            return Err(Failure::new(Code::BadInput).with("field", "tags"));
        }
        self.record_tagging(&live, OperationKind::TagServer, server, &tagging)
            .await
    }

    /// Takes a server over that carries no owner, or that the signed-in user made elsewhere: it is marked as this
    /// user's own, and can be changed here from then on.
    ///
    /// # Errors
    /// `AlreadyOwn`; `NotOwn` when it belongs to somebody else; `TagsTooMany`; `ServerUnknown`, `ServerBusy`,
    /// `NotSignedIn`; what the cloud says; the ledger's, in which case nothing was sent.
    pub async fn adopt_server(&self, server: &str) -> Result<Operation> {
        let live = self.active().await?;
        let told = self.told_server(&live, server).await?;
        let server = Server::from_cloud(&told, &live.account.user_id);
        if server.own {
            return Err(Failure::new(Code::AlreadyOwn).with("name", &server.name));
        }
        if !server.adoptable {
            return Err(Failure::new(Code::NotOwn).with("name", &server.name));
        }
        let set = vec![
            Tag::new(TAG_OWNER, tag_value(&live.account.user_name)),
            Tag::new(TAG_INSTALLATION, self.installation_id()),
            Tag::new(TAG_ADOPTED, tag_value(&live.account.user_id)),
        ];
        let mut keys: Vec<&String> = server.tags.keys().chain(set.iter().map(|tag| &tag.key)).collect();
        keys.sort();
        keys.dedup();
        if keys.len() > TAGS_MOST {
            return Err(Failure::new(Code::TagsTooMany).with("most", TAGS_MOST));
        }
        let wish = self.adopt_wish(&live, &server).await?;
        self.granted(&live, OperationKind::AdoptServer, Some(&server), &wish)
            .await?;
        let tagging = Tagging {
            set,
            remove: Vec::new(),
        };
        self.record_tagging(&live, OperationKind::AdoptServer, server, &tagging)
            .await
    }

    async fn record_tagging(
        &self,
        live: &std::sync::Arc<crate::cloud::Live>,
        kind: OperationKind,
        server: Server,
        tagging: &Tagging,
    ) -> Result<Operation> {
        let detail = Detail {
            lease_end: server.lease_end,
            stands: (server.state != ServerState::Running).then_some(server.state),
            ..Detail::of_server(&server)
        };
        let request = serde_json::to_string(tagging).map_err(|e| Failure::new(Code::Internal).saying(e))?;
        let id = uuid::Uuid::now_v7().to_string();
        self.record(
            live,
            kind,
            id,
            Some(server.id),
            server.name,
            None,
            request,
            detail,
        )
        .await
    }
}

impl Runner {
    /// Sets and takes off. Both may be done again: what is set has the same value, what is off stays off.
    pub(super) async fn tag(&mut self) -> Result<Done> {
        let server = self.server_id()?;
        let Tagging { set, mut remove } = self.asked()?;
        if !set.is_empty() {
            self.persist(|client, project| {
                let (server, set) = (server.clone(), set.clone());
                async move { ecs::set_server_tags(&client, &project, &server, &set).await }
            })
            .await?;
        }
        // A rehearsal may be of what is done already.
        if !remove.is_empty() && self.wangcheng.rehearsal.is_none() {
            let there = self.keys_of(&server).await?;
            remove.retain(|key| there.contains(key));
        }
        if !remove.is_empty() {
            self.persist(|client, project| {
                let (server, remove) = (server.clone(), remove.clone());
                async move {
                    let keys: Vec<&str> = remove.iter().map(String::as_str).collect();
                    ecs::delete_server_tags(&client, &project, &server, &keys).await
                }
            })
            .await?;
        }
        self.mark_sent(Some(server.to_string()), None).await;
        Ok(Done { at: self.cloud_now() })
    }

    /// What is taken off after something was set.
    pub(super) async fn rehearse_untagging(&self, client: &Client, project: &ProjectId) -> Result<()> {
        let Tagging { set, remove } = self.asked()?;
        if !set.is_empty() && !remove.is_empty() {
            let keys: Vec<&str> = remove.iter().map(String::as_str).collect();
            let _ = ecs::delete_server_tags(client, project, &self.server_id()?, &keys).await;
        }
        Ok(())
    }

    async fn keys_of(&mut self, server: &ServerId) -> Result<Vec<String>> {
        let told = self
            .look(|client, project| {
                let server = server.clone();
                async move { ecs::server_tags(&client, &project, &server).await }
            })
            .await?;
        Ok(told.items.into_iter().map(|tag| tag.key).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(set: &[(&str, &str)], remove: &[&str], present: usize) -> Result<(), Code> {
        let tagging = Tagging {
            set: set.iter().map(|(key, value)| Tag::new(*key, *value)).collect(),
            remove: remove.iter().map(ToString::to_string).collect(),
        };
        let present = (0..present).map(|n| (format!("k{n}"), String::new())).collect();
        tagging.check(&present).map_err(|failure| failure.code)
    }

    #[test]
    fn what_the_cloud_would_refuse_is_refused_before() {
        assert_eq!(
            checked(&[("team", "支付-2.0"), ("empty", "")], &["k1"], 2),
            Ok(())
        );
        let long = "x".repeat(37);
        for (key, value) in [
            ("", "x"),
            (long.as_str(), "x"),
            ("a b", "x"),
            ("a", "x=y"),
            ("a", "<b>"),
        ] {
            assert_eq!(
                checked(&[(key, value)], &[], 0),
                Err(Code::TagInvalid),
                "{key}={value}"
            );
        }
        assert_eq!(checked(&[("a", &"x".repeat(44))], &[], 0), Err(Code::TagInvalid));
        assert_eq!(checked(&[("a", "1"), ("a", "2")], &[], 0), Err(Code::TagInvalid));
        assert_eq!(checked(&[("a", "1")], &["a"], 1), Err(Code::TagInvalid));
    }

    #[test]
    fn ten_tags_fit_and_those_that_say_whose_it_is_stay() {
        assert_eq!(checked(&[("a", "1")], &[], 9), Ok(()));
        assert_eq!(checked(&[("a", "1")], &[], 10), Err(Code::TagsTooMany));
        assert_eq!(
            checked(&[("k1", "1")], &[], 10),
            Ok(()),
            "in the place of the old value"
        );
        assert_eq!(checked(&[("a", "1")], &["k1"], 10), Ok(()));
        for kept in KEPT {
            assert_eq!(checked(&[(kept, "me")], &[], 0), Err(Code::TagKept));
            assert_eq!(checked(&[], &[kept], 0), Err(Code::TagKept));
        }
    }
}
