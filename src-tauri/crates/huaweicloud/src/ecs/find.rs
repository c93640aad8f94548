//! Finding servers: all that fit a query, those with certain ids, or one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::value::RawValue;

use super::server::Server;
use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{FlavorId, ProjectId, ServerId};
use crate::wire;

/// Page size that the vendor advises; more is allowed, but slow.
const PAGE: usize = 200;

/// Which servers to list. All of the project by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerQuery {
    /// Only those that have all these tags.
    pub tags: Vec<(String, String)>,
    /// Only those whose name contains this. The cloud reads it as a pattern, in which a dot stands for any
    /// character.
    pub name: Option<String>,
    /// Only those with this status; those in between two states ride along.
    pub status: Option<String>,
    /// Only the one with this private address.
    pub private_ip: Option<IpAddr>,
    /// Only those of this flavor.
    pub flavor: Option<FlavorId>,
    /// Only those of this enterprise project; `all_granted_eps` for all that the user may see, which a user with
    /// rights in some of them only has to say.
    pub enterprise_project: Option<String>,
}

impl ServerQuery {
    fn add_to<'a>(&self, mut call: Call<'a>) -> Call<'a> {
        for (key, value) in &self.tags {
            call = call.with("tags", format!("{key}={value}"));
        }
        let filters = [
            ("name", self.name.clone()),
            ("status", self.status.clone()),
            ("ip_eq", self.private_ip.map(|ip| ip.to_string())),
            ("flavor", self.flavor.as_ref().map(ToString::to_string)),
            ("enterprise_project_id", self.enterprise_project.clone()),
        ];
        for (name, value) in filters {
            if let Some(value) = value {
                call = call.with(name, value);
            }
        }
        call
    }
}

/// `ListServersDetails`, all pages: the one list that tells the end of a lease.
///
/// API page: <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn servers(
    client: &Client,
    project: &ProjectId,
    query: &ServerQuery,
) -> Result<Reply<Listing<Server>>, Error> {
    let call = |marker: Option<&str>| {
        let path = ["v1", project.as_str(), "cloudservers", "detail"];
        let call = Call::get(Service::Ecs, "ListServersDetails", path).with("limit", PAGE.to_string());
        let call = query.add_to(call);
        match marker {
            Some(marker) => call.with("marker", marker),
            None => call,
        }
    };
    client
        .list("servers", Some(PAGE), call, |server: &Server| {
            server.id.to_string()
        })
        .await
}

/// Most ids that are asked for in one call.
const MAX_IDS: usize = 100;

/// A row of an answer to a question for ids.
enum Found {
    Server(Box<Server>),
    /// What stands there for an id that nobody knows: a row full of nulls.
    Nothing,
}

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        serde_json::from_str(raw.get())
            .map(Self::Server)
            .or_else(|error| {
                let fields: BTreeMap<String, &RawValue> =
                    serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
                fields
                    .iter()
                    .all(|(name, value)| name == "id" || matches!(value.get(), "null" | "[]" | "{}"))
                    .then_some(Self::Nothing)
                    .ok_or_else(|| D::Error::custom(error))
            })
    }
}

/// `ListServersDetails` for certain servers. Those that do not exist are not in the list, and do not count as
/// skipped. With more than 100 ids several calls are made.
///
/// API page: <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn servers_by_id(
    client: &Client,
    project: &ProjectId,
    ids: &[ServerId],
) -> Result<Reply<Listing<Server>>, Error> {
    let mut all = Reply {
        value: Listing {
            items: Vec::new(),
            skipped: 0,
        },
        request_id: None,
        server_time: None,
    };
    for ids in ids.chunks(MAX_IDS) {
        let ids: Vec<&str> = ids.iter().map(ServerId::as_str).collect();
        let path = ["v1", project.as_str(), "cloudservers", "detail"];
        let call = Call::get(Service::Ecs, "ListServersDetails", path)
            .with("limit", PAGE.to_string())
            .with("server_id", ids.join(","));
        let answer = client.send(&call).await?;
        let found: Listing<Found> = wire::rows(&answer, "servers")?;
        let mut listing = all.value;
        listing.skipped += found.skipped;
        listing
            .items
            .extend(found.items.into_iter().filter_map(|row| match row {
                Found::Server(server) => Some(*server),
                Found::Nothing => None,
            }));
        all = answer.reply(listing);
    }
    Ok(all)
}

/// `ShowServer`.
///
/// API page: <https://support.huaweicloud.com/api-ecs/ecs_02_0104.html>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such server: it is gone, or still being built, or its
/// creation failed. Otherwise another of [`crate::ErrorKind`].
pub async fn server(client: &Client, project: &ProjectId, id: &ServerId) -> Result<Reply<Server>, Error> {
    #[derive(Deserialize)]
    struct Body {
        server: Server,
    }
    let path = ["v1", project.as_str(), "cloudservers", id.as_str()];
    Ok(client
        .send(&Call::get(Service::Ecs, "ShowServer", path))
        .await?
        .read::<Body>()?
        .map(|body| body.server))
}
