//! Identity and Access Management: one's own key, user, account and projects.

use http::Method;
use serde_json::{Value, json};

use super::{Call, Result, bare_micros};
use crate::{
    faults::Fault,
    users::{self, ACCOUNT_ID, ACCOUNT_NAME, Role, User},
    wire::Answer,
    world::World,
};

pub(super) fn answer(call: &Call<'_>, world: &World) -> Result<Answer> {
    if call.request.method != Method::GET {
        return Err(Fault::no_such_call());
    }
    let segments = call.request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["v3", "projects"] => projects(call, world),
        ["v3", "auth", "projects"] => Ok(project_list(world, None, own_link)),
        ["v3", "auth", "domains"] => Ok(Answer::json(
            200,
            &json!({
                "domains": [{
                    "id": ACCOUNT_ID,
                    "name": ACCOUNT_NAME,
                    "enabled": true,
                    "description": "",
                    "links": own_link(&format!("domains/{ACCOUNT_ID}")),
                }],
                "links": own_link("auth/domains"),
            }),
        )),
        ["v3", "users", id] => user(call, id),
        ["v3.0", "OS-CREDENTIAL", "credentials", access_key] => credential(call, access_key),
        _ => Err(Fault::no_such_call()),
    }
}

fn projects(call: &Call<'_>, world: &World) -> Result<Answer> {
    if call.is_guest() {
        return Err(denied("identity:list_projects"));
    }
    let name = call.request.query_value("name");
    Ok(project_list(world, name.as_deref(), links))
}

fn project_list(world: &World, name: Option<&str>, links: fn(&str) -> Value) -> Answer {
    // Every account has the row of the object storage, which is no region's project.
    let object_storage = ("MOS".to_owned(), "e0a000000000000000000000000c0503".to_owned());
    let rows: Vec<Value> = world
        .regions
        .iter()
        .map(|region| (region.id.clone(), region.project_id.clone()))
        .chain([object_storage])
        .filter(|(row, _)| name.is_none_or(|name| name == row))
        .map(|(name, id)| {
            json!({
                "id": id,
                "name": name,
                "domain_id": ACCOUNT_ID,
                "parent_id": ACCOUNT_ID,
                "is_domain": false,
                "enabled": true,
                "description": "",
                "links": links(&format!("projects/{id}")),
            })
        })
        .collect();
    Answer::json(
        200,
        &json!({
            "projects": rows,
            "links": links("projects"),
        }),
    )
}

fn user(call: &Call<'_>, id: &str) -> Result<Answer> {
    let own = call.user.id == id;
    if !own && call.user.role != Role::Administrator {
        return Err(denied("identity:get_user"));
    }
    let user =
        users::by_id(id).ok_or_else(|| Fault::missing("IAM.0004", format!("Could not find user: {id}.")))?;
    Ok(Answer::json(
        200,
        &json!({"user": {
            "id": user.id,
            "name": user.name,
            "domain_id": ACCOUNT_ID,
            "enabled": true,
            "description": "",
            "password_expires_at": null,
            "pwd_status": true,
            "access_mode": "default",
            "links": links(&format!("users/{id}")),
        }}),
    ))
}

fn credential(call: &Call<'_>, access_key: &str) -> Result<Answer> {
    let owner: Option<&User> = users::by_access_key(access_key);
    if owner.is_none_or(|owner| owner.id != call.user.id) && call.user.role != Role::Administrator {
        return Err(Fault::forbidden(
            "IAM.0002",
            "You are not authorized to perform the requested action.",
        ));
    }
    let owner = owner.ok_or_else(|| Fault::missing("IAM.0004", "The access key does not exist."))?;
    Ok(Answer::json(
        200,
        &json!({"credential": {
            "user_id": owner.id,
            "access": owner.access_key,
            "status": "active",
            "create_time": "2025-06-03T02:11:08.000000Z",
            "last_use_time": format!("{}Z", bare_micros(call.now)),
            "description": "example key of the sandbox",
        }}),
    ))
}

/// Links of what could have more pages and has none.
fn links(path: &str) -> Value {
    json!({"self": link(path), "previous": null, "next": null})
}

/// The link of what has no pages.
fn own_link(path: &str) -> Value {
    json!({"self": link(path)})
}

fn link(path: &str) -> String {
    format!("https://iam.example.test/v3/{path}")
}

fn denied(action: &str) -> Fault {
    Fault::forbidden(
        "IAM.0002",
        format!("You are not authorized to perform the requested action: {action}"),
    )
}
