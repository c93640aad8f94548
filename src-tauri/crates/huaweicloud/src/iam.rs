//! Identity and Access Management: keys, users, accounts, projects.

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{AccountId, ProjectId, RegionId, UserId};
use crate::lenient;

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccessKey {
    /// Whose key it is.
    #[serde(deserialize_with = "lenient::required")]
    pub user_id: UserId,
    /// `active` or `inactive`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: String,
    /// When it was made.
    #[serde(rename = "create_time", default, deserialize_with = "lenient::time")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last used, as far as the cloud has noticed.
    #[serde(rename = "last_use_time", default, deserialize_with = "lenient::time")]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The user's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: UserId,
    /// The user's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// The account that the user belongs to.
    #[serde(rename = "domain_id", default, deserialize_with = "lenient::optional")]
    pub account_id: Option<AccountId>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The account's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: AccountId,
    /// The account's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
}

/// A project: the part of an account that lies in one region.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// The project's id.
    #[serde(deserialize_with = "lenient::required")]
    pub id: ProjectId,
    /// The project's name: a region's id, that with `_` and more for a sub-project, or `MOS` for the one that
    /// OBS keeps for itself.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// The account that the project belongs to.
    #[serde(rename = "domain_id", default, deserialize_with = "lenient::optional")]
    pub account_id: Option<AccountId>,
    /// Whether it can be used; `None` if the answer does not say.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub enabled: Option<bool>,
}

impl Project {
    /// The region that the project lies in; `None` for the project of OBS.
    pub fn region(&self) -> Option<RegionId> {
        let region = self.name.split('_').next().unwrap_or_default();
        (!region.is_empty() && region != "MOS").then(|| region.into())
    }
}

/// `ShowPermanentAccessKey` for the client's own key, which needs no permission. Not for temporary
/// credentials.
///
/// API page: <https://support.huaweicloud.com/api-iam/iam_03_0002.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn own_key(client: &Client) -> Result<Reply<AccessKey>, Error> {
    #[derive(Deserialize)]
    struct Body {
        credential: AccessKey,
    }
    let key = client.credentials().access_key.expose_secret();
    let call = Call::get(
        Service::Iam,
        "ShowPermanentAccessKey",
        ["v3.0", "OS-CREDENTIAL", "credentials", key],
    );
    Ok(client
        .send(&call)
        .await?
        .read::<Body>()?
        .map(|body| body.credential))
}

/// `KeystoneShowUser`. For one's own id no permission is needed.
///
/// API page: <https://support.huaweicloud.com/api-iam/iam_08_0002.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such user, or another of [`crate::ErrorKind`].
pub async fn user(client: &Client, id: &UserId) -> Result<Reply<User>, Error> {
    #[derive(Deserialize)]
    struct Body {
        user: User,
    }
    let call = Call::get(Service::Iam, "KeystoneShowUser", ["v3", "users", id.as_str()]);
    Ok(client.send(&call).await?.read::<Body>()?.map(|body| body.user))
}

/// `KeystoneListAuthDomains`: the account that the key belongs to.
///
/// API page: <https://support.huaweicloud.com/api-iam/iam_07_0001.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn accounts(client: &Client) -> Result<Reply<Listing<Account>>, Error> {
    let call =
        |_: Option<&str>| Call::get(Service::Iam, "KeystoneListAuthDomains", ["v3", "auth", "domains"]);
    client
        .list("domains", None, call, |account: &Account| account.id.to_string())
        .await
}

/// `KeystoneListProjects` with a name, which for a region's default project is the region's id. Needs the
/// right to list projects.
///
/// API page: <https://support.huaweicloud.com/api-iam/iam_06_0001.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn projects_named(client: &Client, name: &str) -> Result<Reply<Listing<Project>>, Error> {
    let call = |_: Option<&str>| {
        Call::get(Service::Iam, "KeystoneListProjects", ["v3", "projects"]).with("name", name)
    };
    client
        .list("projects", None, call, |project: &Project| project.id.to_string())
        .await
}

/// `KeystoneListAuthProjects`: all projects that the caller may use. Needs no permission; whether every site
/// accepts an access key here is not documented.
///
/// API page: <https://support.huaweicloud.com/api-iam/iam_06_0003.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn own_projects(client: &Client) -> Result<Reply<Listing<Project>>, Error> {
    let call = |_: Option<&str>| {
        Call::get(
            Service::Iam,
            "KeystoneListAuthProjects",
            ["v3", "auth", "projects"],
        )
    };
    client
        .list("projects", None, call, |project: &Project| project.id.to_string())
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_region_is_the_part_of_its_name_before_the_underscore() {
        let project = |name: &str| Project {
            id: "p".into(),
            name: name.to_owned(),
            account_id: None,
            enabled: None,
        };
        assert_eq!(project("cn-north-4").region(), Some("cn-north-4".into()));
        assert_eq!(project("cn-north-4_team_a").region(), Some("cn-north-4".into()));
        assert_eq!(project("MOS").region(), None);
        assert_eq!(project("").region(), None);
    }
}
