//! Tags on servers, and finding servers by them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Result, body, invalid, refuse_leaving, visible, visible_mut};
use crate::{
    services::tags::{self, Tagging, Words},
    wire::Answer,
    world::{Region, Server},
};

/// The server service's codes.
pub(super) const WORDS: Words = Words {
    too_many: "Ecs.0905",
    length: "Ecs.0906",
    characters: "Ecs.0907",
    twice: "Ecs.0908",
    request: "Ecs.0005",
};

pub(super) fn set(call: &Call<'_>, region: &mut Region, id: &str) -> Result<Answer> {
    let tagging: Tagging = body(call)?;
    let server = visible_mut(region, id)?;
    refuse_leaving(server)?;
    tags::apply(&tagging, &mut server.tags, &WORDS)?;
    server.updated = call.now;
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "batchSetServerTags", (id, &name), 204));
    Ok(Answer::empty(204))
}

pub(super) fn show(region: &Region, id: &str) -> Result<Answer> {
    let rows = tags::rows(&visible(region, id)?.tags);
    Ok(Answer::json(200, &json!({"tags": rows})))
}

/// Every key in use, with its values.
pub(super) fn of_project(region: &Region) -> Answer {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for server in region.servers.values().filter(|server| server.visible) {
        for (key, value) in &server.tags {
            keys.entry(key).or_default().insert(value);
        }
    }
    let rows: Vec<Value> = keys
        .into_iter()
        .map(|(key, values)| json!({"key": key, "values": values}))
        .collect();
    Answer::json(200, &json!({"tags": rows}))
}

/// Numbers are text in this body.
#[derive(Debug, Deserialize)]
struct Search {
    action: String,
    limit: Option<String>,
    offset: Option<String>,
    tags: Option<Vec<Wanted>>,
    not_tags: Option<Vec<Wanted>>,
    matches: Option<Vec<Match>>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    key: String,
    values: Vec<String>,
}

impl Wanted {
    /// Any of the values; none named means any at all.
    fn is_on(&self, server: &Server) -> bool {
        server
            .tags
            .get(&self.key)
            .is_some_and(|own| self.values.is_empty() || self.values.contains(own))
    }
}

#[derive(Debug, Deserialize)]
struct Match {
    key: String,
    value: String,
}

pub(super) fn find(call: &Call<'_>, region: &Region) -> Result<Answer> {
    let search: Search = body(call)?;
    let number = |text: &Option<String>, default: usize, most: usize, what: &str| match text {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(|| invalid(what)),
    };
    let limit = number(&search.limit, 1000, 1000, "limit")?;
    let offset = number(&search.offset, 0, usize::MAX, "offset")?;
    let (with, without) = (
        search.tags.unwrap_or_default(),
        search.not_tags.unwrap_or_default(),
    );
    for list in [&with, &without] {
        if list.len() > 10 || list.iter().any(|tag| tag.values.len() > 10 || tag.key.is_empty()) {
            return Err(invalid("tags"));
        }
    }
    let matches = search.matches.unwrap_or_default();
    if matches.iter().any(|wanted| wanted.key != "resource_name") {
        return Err(invalid("matches"));
    }
    let found: Vec<&Server> = region
        .servers
        .values()
        .filter(|server| {
            server.visible
                && with.iter().all(|tag| tag.is_on(server))
                && !without.iter().any(|tag| tag.is_on(server))
                && matches.iter().all(|wanted| server.name.contains(&wanted.value))
        })
        .collect();
    match search.action.as_str() {
        "count" => Ok(Answer::json(200, &json!({"total_count": found.len()}))),
        "filter" => {
            let rows: Vec<Value> = found
                .iter()
                .skip(offset)
                .take(limit)
                .map(|server| {
                    json!({
                        "resource_id": server.id,
                        "resource_name": server.name,
                        "resource_detail": "",
                        "tags": tags::rows(&server.tags),
                    })
                })
                .collect();
            Ok(Answer::json(
                200,
                &json!({"resources": rows, "total_count": found.len()}),
            ))
        }
        _ => Err(invalid("action")),
    }
}
