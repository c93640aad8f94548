//! Security Token Service: who am I. Present in some regions only; for the others the vendor's default host
//! answers.

use serde::Deserialize;
use serde_json::json;

use crate::client::{Call, Client, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{AccountId, UserId};
use crate::{lenient, wire};

/// Whose credentials a request was signed with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CallerIdentity {
    /// The account.
    #[serde(deserialize_with = "lenient::required")]
    pub account_id: AccountId,
    /// The user, or the session of an agency.
    #[serde(deserialize_with = "lenient::required")]
    pub principal_id: UserId,
    /// The full name, such as `iam::<account>:user:<name>`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub principal_urn: String,
}

impl CallerIdentity {
    /// The name of the IAM user; `None` for an agency's session.
    pub fn user_name(&self) -> Option<&str> {
        let (_, name) = self.principal_urn.split_once(":user:")?;
        (!name.is_empty()).then_some(name)
    }
}

/// `GetCallerIdentity`: works with any valid key, whatever its user may do.
///
/// API page: <https://support.huaweicloud.com/api-iam5/GetCallerIdentity.html>
///
/// # Errors
/// [`crate::ErrorKind::Auth`], [`crate::ErrorKind::Clock`] or [`crate::ErrorKind::KeyLocked`] if the
/// signature is refused.
pub async fn caller_identity(client: &Client) -> Result<Reply<CallerIdentity>, Error> {
    client
        .send(&Call::get(
            Service::Sts,
            "GetCallerIdentity",
            ["v5", "caller-identity"],
        ))
        .await?
        .read()
}

/// `DecodeAuthorizationMessage`: what a refusal for a missing permission says in its encoded part, as JSON text.
/// Needs the right to decode such messages.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/STS/doc?api=DecodeAuthorizationMessage>
///
/// # Errors
/// [`crate::ErrorKind::Permission`] if the caller may not decode messages, [`crate::ErrorKind::BadAnswer`] if the
/// answer holds none, or another of [`crate::ErrorKind`].
pub async fn decode_authorization_message(client: &Client, encoded: &str) -> Result<Reply<String>, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(deserialize_with = "lenient::required")]
        decoded_message: String,
    }
    let call = Call::post(
        Service::Sts,
        "DecodeAuthorizationMessage",
        ["v5", "decode-authorization-message"],
        wire::body(json!({ "encoded_message": encoded })),
    );
    let reply = client.send(&call).await?.read::<Body>()?;
    Ok(reply.map(|body| body.decoded_message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_name_is_read_out_of_the_urn() {
        let identity = |urn: &str| CallerIdentity {
            account_id: "a".into(),
            principal_id: "u".into(),
            principal_urn: urn.to_owned(),
        };
        assert_eq!(identity("iam::a0:user:ada").user_name(), Some("ada"));
        assert_eq!(identity("iam::a0:user:李 雷:2").user_name(), Some("李 雷:2"));
        assert_eq!(identity("sts::a0:assumed-agency:ops/session").user_name(), None);
        assert_eq!(identity("").user_name(), None);
    }
}
