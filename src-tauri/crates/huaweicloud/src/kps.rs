//! Key Pair Service: the SSH keys that a server can be made with.

use serde::Deserialize;

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::ProjectId;
use crate::lenient;

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
