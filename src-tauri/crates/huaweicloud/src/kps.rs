//! Key Pair Service: the SSH keys that a server can be made with.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use crate::client::{Answer, Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{ProjectId, UserId};
use crate::{lenient, wire};

const PAGE: usize = 50;

/// A key pair, of which the cloud keeps the public half.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyPair {
    /// Its name, by which a server is created with it.
    #[serde(deserialize_with = "lenient::required")]
    pub name: String,
    /// `ssh` or `x509`.
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    pub format: String,
    /// `user` if only the user who made it sees it, `domain` if the whole account does.
    #[serde(default, deserialize_with = "lenient::text")]
    pub scope: String,
    /// The fingerprint of the public key.
    #[serde(default, deserialize_with = "lenient::text")]
    pub fingerprint: String,
    /// The public key in OpenSSH's one-line format.
    #[serde(default, deserialize_with = "lenient::text")]
    pub public_key: String,
}

/// `ListKeypairs`: those that the caller may use, all pages.
///
/// API page: <https://support.huaweicloud.com/api-dew/ListKeypairs.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn key_pairs(client: &Client, project: &ProjectId) -> Result<Reply<Listing<KeyPair>>, Error> {
    #[derive(Deserialize)]
    struct Row {
        keypair: KeyPair,
    }
    let call = |marker: Option<&str>| {
        let call = Call::get(Service::Kps, "ListKeypairs", ["v3", project.as_str(), "keypairs"])
            .with("limit", PAGE.to_string());
        match marker {
            Some(marker) => call.with("marker", marker),
            None => call,
        }
    };
    let reply = client
        .list("keypairs", Some(PAGE), call, |row: &Row| row.keypair.name.clone())
        .await?;
    Ok(reply.map(|listing| Listing {
        items: listing.items.into_iter().map(|row| row.keypair).collect(),
        skipped: listing.skipped,
    }))
}

/// A key pair with what the list does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPairDetail {
    /// The key pair.
    pub pair: KeyPair,
    /// Who made it.
    pub user_id: Option<UserId>,
    /// What its owner says about it.
    pub description: String,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// Whether the cloud keeps the private half too.
    pub is_private_key_kept: Option<bool>,
}

/// `ListKeypairDetail`: one key pair, by its name.
///
/// API page: <https://support.huaweicloud.com/api-dew/ListKeypairDetail.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] with `KPS.4016` if there is none that the caller may see, or another of
/// [`crate::ErrorKind`].
pub async fn key_pair(
    client: &Client,
    project: &ProjectId,
    name: &str,
) -> Result<Reply<KeyPairDetail>, Error> {
    #[derive(Deserialize)]
    struct More {
        #[serde(default, deserialize_with = "lenient::optional")]
        user_id: Option<UserId>,
        #[serde(default, deserialize_with = "lenient::text")]
        description: String,
        #[serde(default, deserialize_with = "lenient::number")]
        create_time: Option<i64>,
        #[serde(default, deserialize_with = "lenient::flag")]
        is_key_protection: Option<bool>,
    }
    let path = ["v3", project.as_str(), "keypairs", name];
    let call = Call::get(Service::Kps, "ListKeypairDetail", path);
    let answer = client.send(&call).await?;
    let pair = wire::member(&answer, "keypair")?;
    let more: More = wire::member(&answer, "keypair")?;
    Ok(answer.reply(KeyPairDetail {
        pair,
        user_id: more.user_id,
        description: more.description,
        created: more.create_time.and_then(moment),
        is_private_key_kept: more.is_key_protection,
    }))
}

/// A moment that is told as a number since 1970: of seconds, or of milliseconds, which no seconds of this age reach.
fn moment(number: i64) -> Option<DateTime<Utc>> {
    const LAST_SECOND: i64 = 99_999_999_999;
    match number {
        ..=0 => None,
        1..=LAST_SECOND => DateTime::from_timestamp(number, 0),
        _ => DateTime::from_timestamp_millis(number),
    }
}

/// Who may use a key pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Only the user who makes it.
    User,
    /// Everybody in the account.
    Account,
}

impl Scope {
    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Account => "domain",
        }
    }
}

/// `CreateKeypair` with a public key: lets the cloud know a key that was made here. The private half never leaves this
/// machine, so this is the better way.
///
/// A name has 1 to 255 letters, digits, `_` and `-`; a public key in OpenSSH's one-line format at most 1,024 characters.
///
/// API page: <https://support.huaweicloud.com/api-dew/CreateKeypair.html>
///
/// # Errors
/// [`crate::ErrorKind::Invalid`] with `KPS.0002` for a name or a key that the cloud does not take, or another of
/// [`crate::ErrorKind`].
pub async fn import_key_pair(
    client: &Client,
    project: &ProjectId,
    name: &str,
    public_key: &str,
    scope: Scope,
) -> Result<Reply<KeyPair>, Error> {
    let answer = make(client, project, name, Some(public_key), scope).await?;
    wire::only_member(answer, "keypair")
}

/// A key pair that the cloud made.
#[derive(Debug, Clone)]
pub struct NewKeyPair {
    /// The key pair, as the cloud keeps it.
    pub pair: KeyPair,
    /// The private half in PEM. The cloud does not keep it: it is told here and never again.
    pub private_key: SecretString,
}

/// `CreateKeypair` without a public key: lets the cloud make a key. See [`import_key_pair`] for the better way.
///
/// API page: <https://support.huaweicloud.com/api-dew/CreateKeypair.html>
///
/// # Errors
/// [`crate::ErrorKind::BadAnswer`] if the answer has no private key: then the pair may be there, but is of no use. Else
/// as [`import_key_pair`].
pub async fn create_key_pair(
    client: &Client,
    project: &ProjectId,
    name: &str,
    scope: Scope,
) -> Result<Reply<NewKeyPair>, Error> {
    #[derive(Deserialize)]
    struct Secret {
        #[serde(deserialize_with = "lenient::required")]
        private_key: SecretString,
    }
    let answer = make(client, project, name, None, scope).await?;
    let pair = wire::member(&answer, "keypair")?;
    let secret: Secret = wire::member(&answer, "keypair")?;
    Ok(answer.reply(NewKeyPair {
        pair,
        private_key: secret.private_key,
    }))
}

async fn make(
    client: &Client,
    project: &ProjectId,
    name: &str,
    public_key: Option<&str>,
    scope: Scope,
) -> Result<Answer, Error> {
    let body = wire::body(json!({
        "keypair": { "name": name, "type": "ssh", "public_key": public_key, "scope": scope.word() },
    }));
    let path = ["v3", project.as_str(), "keypairs"];
    client
        .send(&Call::post(Service::Kps, "CreateKeypair", path, body))
        .await
}

/// `DeleteKeypair`. Servers that were made with it keep the public key.
///
/// API page: <https://support.huaweicloud.com/api-dew/DeleteKeypair.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] with `KPS.4016` if there is none that the caller may see, or another of
/// [`crate::ErrorKind`].
pub async fn delete_key_pair(client: &Client, project: &ProjectId, name: &str) -> Result<Reply<()>, Error> {
    let path = ["v3", project.as_str(), "keypairs", name];
    let call = Call::delete(Service::Kps, "DeleteKeypair", path);
    Ok(client.send(&call).await?.reply(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_in_seconds_and_in_milliseconds() {
        let wanted = DateTime::from_timestamp(1_767_323_045, 0);
        assert_eq!(moment(1_767_323_045), wanted);
        assert_eq!(moment(1_767_323_045_000), wanted);
        assert_eq!(moment(0), None);
        assert_eq!(moment(-1), None);
        assert_eq!(moment(i64::MAX), None, "no such moment");
    }
}
