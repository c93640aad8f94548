//! Tags of servers.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{ProjectId, ServerId};
use crate::tag::{Tag, TagValues};
use crate::{lenient, tag, wire};

const PAGE: usize = 1000;

/// `ListServerTags`: all keys and values that servers of the project have. The list comes whole.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ListServerTags>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn project_tags(client: &Client, project: &ProjectId) -> Result<Reply<Listing<TagValues>>, Error> {
    let path = ["v1", project.as_str(), "cloudservers", "tags"];
    let call = Call::get(Service::Ecs, "ListServerTags", path);
    wire::only_rows(client.send(&call).await?, "tags")
}

/// `ShowServerTags`: the tags of a server.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ShowServerTags>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such server, or another of [`crate::ErrorKind`].
pub async fn server_tags(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
) -> Result<Reply<Listing<Tag>>, Error> {
    let path = ["v1", project.as_str(), "cloudservers", server.as_str(), "tags"];
    let call = Call::get(Service::Ecs, "ShowServerTags", path);
    wire::only_rows(client.send(&call).await?, "tags")
}

/// `BatchCreateServerTags`: sets tags on a server, at most 10 all in all; a key that it has already gets the new
/// value. Setting the same tags twice does what setting them once does, so this call is repeated after passing
/// failures although it is a POST.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=BatchCreateServerTags>
///
/// # Errors
/// [`crate::ErrorKind::Quota`] or [`crate::ErrorKind::Invalid`] if they are too many,
/// [`crate::ErrorKind::Missing`] if there is no such server, or another of [`crate::ErrorKind`].
pub async fn set_server_tags(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    tags: &[Tag],
) -> Result<Reply<()>, Error> {
    let call = Call {
        repeatable: true,
        ..Call::post(
            Service::Ecs,
            "BatchCreateServerTags",
            action_path(project, server),
            tag::create(tags),
        )
    };
    Ok(client.send(&call).await?.reply(()))
}

/// `BatchDeleteServerTags`: takes tags off a server, by their keys.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=BatchDeleteServerTags>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such server or it has no such tag, or another of
/// [`crate::ErrorKind`].
pub async fn delete_server_tags(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    keys: &[&str],
) -> Result<Reply<()>, Error> {
    let path = action_path(project, server);
    let call = Call::post(Service::Ecs, "BatchDeleteServerTags", path, tag::delete(keys));
    Ok(client.send(&call).await?.reply(()))
}

fn action_path<'a>(project: &'a ProjectId, server: &'a ServerId) -> [&'a str; 6] {
    [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "tags",
        "action",
    ]
}

/// Which servers to look for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagSearch {
    /// Only those that have every key, each with one of its values; at most 10 keys with 10 values each.
    pub tags: Vec<TagValues>,
    /// Not those that have every key, each with one of its values.
    pub not_tags: Vec<TagValues>,
    /// Only those whose name contains this.
    pub name: Option<String>,
}

impl TagSearch {
    fn body(&self, action: &str) -> Value {
        let some = |tags: &[TagValues]| (!tags.is_empty()).then(|| json!(tags));
        json!({
            "action": action,
            "tags": some(&self.tags),
            "not_tags": some(&self.not_tags),
            "matches": self.name.as_ref().map(|name| json!([{ "key": "resource_name", "value": name }])),
        })
    }
}

/// A server that was found by its tags.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TaggedServer {
    /// The server.
    #[serde(rename = "resource_id", deserialize_with = "lenient::required")]
    pub id: ServerId,
    /// Its name.
    #[serde(rename = "resource_name", default, deserialize_with = "lenient::text")]
    pub name: String,
    /// Its tags.
    #[serde(default, deserialize_with = "lenient::rows")]
    pub tags: Vec<Tag>,
}

/// `ListServersByTag`, all pages. Looking changes nothing, so this call is repeated after passing failures although
/// it is a POST.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ListServersByTag>
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn servers_by_tag(
    client: &Client,
    project: &ProjectId,
    search: &TagSearch,
) -> Result<Reply<Listing<TaggedServer>>, Error> {
    let call = |offset: usize| {
        let mut body = search.body("filter");
        if let Some(fields) = body.as_object_mut() {
            // The one call that wants its numbers as text.
            fields.insert("limit".to_owned(), PAGE.to_string().into());
            fields.insert("offset".to_owned(), offset.to_string().into());
        }
        by_tag(project, body)
    };
    let (listing, last) = wire::by_offset(client, "resources", PAGE, call).await?;
    Ok(last.reply(listing))
}

/// `ListServersByTag` with the action `count`: how many there are.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ListServersByTag>
///
/// # Errors
/// [`crate::ErrorKind::BadAnswer`] if the answer has no number, or another of [`crate::ErrorKind`].
pub async fn count_servers_by_tag(
    client: &Client,
    project: &ProjectId,
    search: &TagSearch,
) -> Result<Reply<u64>, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::number")]
        total_count: Option<u64>,
    }
    let answer = client.send(&by_tag(project, search.body("count"))).await?;
    match answer.parse::<Body>()?.total_count {
        Some(count) => Ok(answer.reply(count)),
        None => Err(answer.bad("the answer has no total_count")),
    }
}

fn by_tag(project: &ProjectId, body: Value) -> Call<'_> {
    let path = [
        "v1",
        project.as_str(),
        "cloudservers",
        "resource_instances",
        "action",
    ];
    Call {
        repeatable: true,
        ..Call::post(Service::Ecs, "ListServersByTag", path, wire::body(body))
    }
}
