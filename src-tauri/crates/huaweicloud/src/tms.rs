//! Tag Management Service: tags across the services. It is global, and wants to be told the account:
//! [`Client::of_account`].

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::{Error, ErrorKind};
use crate::ids::ProjectId;
use crate::tag::{Tag, TagValues};
use crate::{lenient, wire};

const PAGE: usize = 200;
/// Most resources of one call.
const MAX_RESOURCES: usize = 20;
/// Most tags of one call.
const MAX_TAGS: usize = 10;
/// Most kinds of resources of one search.
const MAX_KINDS: usize = 10;

/// A resource of any service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Resource {
    /// Its id.
    #[serde(rename = "resource_id")]
    pub id: String,
    /// Its kind, such as `ecs`, `disk`, `eip`, `vpcs`, `images`; letter case counts.
    #[serde(rename = "resource_type")]
    pub kind: String,
}

/// `CreateResourceTag`: sets 1 to 10 tags on each of 1 to 20 resources of a project.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/TMS/doc?api=CreateResourceTag>
///
/// # Errors
/// If some resources failed, which the service tells inside a success, [`Error::details`] names each of them; the
/// others have their tags then. [`ErrorKind::Invalid`] if there are too many or none. See [`ErrorKind`] for others.
pub async fn set_tags(
    client: &Client,
    project: &ProjectId,
    resources: &[Resource],
    tags: &[Tag],
) -> Result<Reply<()>, Error> {
    let tags = tags.iter().map(|tag| json!(tag)).collect();
    change(
        client,
        "CreateResourceTag",
        "batch-create",
        project,
        resources,
        tags,
    )
    .await
}

/// `DeleteResourceTag`: takes 1 to 10 tags, by their keys, away from each of 1 to 20 resources of a project.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/TMS/doc?api=DeleteResourceTag>
///
/// # Errors
/// As for [`set_tags`].
pub async fn delete_tags(
    client: &Client,
    project: &ProjectId,
    resources: &[Resource],
    keys: &[&str],
) -> Result<Reply<()>, Error> {
    let tags = keys.iter().map(|key| json!({ "key": key })).collect();
    change(
        client,
        "DeleteResourceTag",
        "batch-delete",
        project,
        resources,
        tags,
    )
    .await
}

async fn change(
    client: &Client,
    action: &'static str,
    part: &'static str,
    project: &ProjectId,
    resources: &[Resource],
    tags: Vec<Value>,
) -> Result<Reply<()>, Error> {
    if !(1..=MAX_RESOURCES).contains(&resources.len()) || !(1..=MAX_TAGS).contains(&tags.len()) {
        let message = format!("one call takes 1 to {MAX_RESOURCES} resources and 1 to {MAX_TAGS} tags");
        return Err(refused(action, message));
    }
    let body = json!({ "project_id": project, "resources": resources, "tags": tags });
    let call = Call::post(
        Service::Tms,
        action,
        ["v1.0", "resource-tags", part],
        wire::body(body),
    );
    Ok(client.send(&call).await?.reply(()))
}

/// Which resources to find.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ResourceSearch {
    /// Their kinds, 1 to 10 of them: see [`Resource::kind`].
    pub kinds: Vec<String>,
    /// Only with all of these tags, at most 10.
    pub tags: Vec<TagValues>,
    /// Only those that have no tag at all.
    pub without_tags: bool,
}

/// A resource that was found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TaggedResource {
    /// Its id.
    #[serde(rename = "resource_id", deserialize_with = "lenient::required")]
    pub id: String,
    /// Its kind: see [`Resource::kind`].
    #[serde(rename = "resource_type", default, deserialize_with = "lenient::text")]
    pub kind: String,
    /// Its name.
    #[serde(rename = "resource_name", default, deserialize_with = "lenient::text")]
    pub name: String,
    /// The project that it is in.
    #[serde(rename = "project_id", default, deserialize_with = "lenient::optional")]
    pub project: Option<ProjectId>,
    /// Its tags.
    #[serde(default, deserialize_with = "lenient::rows")]
    pub tags: Vec<Tag>,
}

/// A part of a search that failed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SearchFailure {
    /// The kind of resources that could not be searched; empty if the answer does not say.
    #[serde(rename = "resource_type", default, deserialize_with = "lenient::text")]
    pub kind: String,
    /// The service's error code.
    #[serde(rename = "error_code", default, deserialize_with = "lenient::text")]
    pub code: String,
    /// The service's message.
    #[serde(rename = "error_msg", default, deserialize_with = "lenient::text")]
    pub message: String,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The resources.
    pub resources: Listing<TaggedResource>,
    /// What could not be searched. While there is any, a resource that is not found may exist all the same.
    pub failures: Vec<SearchFailure>,
}

/// `ListResource`: the resources of a project that have certain tags, of several kinds at once, all pages.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/TMS/doc?api=ListResource>
///
/// # Errors
/// [`ErrorKind::Invalid`] if there are too many kinds or none, or another of [`ErrorKind`].
pub async fn resources(
    client: &Client,
    project: &ProjectId,
    search: &ResourceSearch,
) -> Result<Reply<Found>, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::rows")]
        errors: Vec<SearchFailure>,
    }
    const ACTION: &str = "ListResource";
    if !(1..=MAX_KINDS).contains(&search.kinds.len()) {
        let message = format!("one search is for 1 to {MAX_KINDS} kinds of resources");
        return Err(refused(ACTION, message));
    }
    let call = |offset: usize| {
        let body = json!({
            "project_id": project,
            "resource_types": search.kinds,
            "tags": search.tags,
            "without_any_tag": search.without_tags,
            "offset": offset,
            "limit": PAGE,
        });
        Call::post(
            Service::Tms,
            ACTION,
            ["v1.0", "resource-instances", "filter"],
            wire::body(body),
        )
    };
    let (resources, answer) = wire::by_offset(client, "resources", PAGE, call).await?;
    // Each page tells them.
    let failures = answer.parse::<Body>()?.errors;
    Ok(answer.reply(Found { resources, failures }))
}

/// `ShowResourceTag`: the tags of a resource.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/TMS/doc?api=ShowResourceTag>
///
/// # Errors
/// See [`ErrorKind`].
pub async fn tags_of(
    client: &Client,
    project: &ProjectId,
    resource: &Resource,
) -> Result<Reply<Listing<Tag>>, Error> {
    let call = Call::get(
        Service::Tms,
        "ShowResourceTag",
        ["v2.0", "resources", &resource.id, "tags"],
    )
    .with("project_id", project.as_str())
    .with("resource_type", resource.kind.as_str());
    wire::only_rows(client.send(&call).await?, "tags")
}

fn refused(action: &'static str, message: String) -> Error {
    Error::local(ErrorKind::Invalid, Some(Service::Tms), action, message)
}
