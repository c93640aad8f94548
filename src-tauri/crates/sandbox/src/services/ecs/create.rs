//! Creating servers.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call, Result, body,
    order::{self, Wanted},
    refuse_restricted,
};
use crate::{
    faults::Fault,
    services::tokens::{Known, Token},
    wire::Answer,
    world::{Faults, JobOf, Region},
};

#[derive(Debug, Deserialize)]
struct Body {
    dry_run: Option<bool>,
    server: Wanted,
}

pub(super) fn create(call: &Call<'_>, region: &mut Region, faults: &mut Faults) -> Result<Answer> {
    let Body { dry_run, server } = body(call)?;
    let token = match call.request.header("x-client-token") {
        Some(token) => Some(self::token(call, &token)?),
        None => None,
    };
    match token
        .as_ref()
        .map_or(Known::New, |token| token.known(call, region))
    {
        Known::New => {}
        Known::Answered(answer) => return Ok(Answer::json(200, &answer)),
        Known::OtherBody => {
            return Err(Fault::bad(
                "Ecs.0122",
                "The X-Client-Token has been used with another request body.",
            ));
        }
        Known::Expired => return Err(Fault::bad("Ecs.0124", "The X-Client-Token has expired.")),
    }
    let order = order::check(call, region, server)?;
    refuse_restricted(faults)?;
    if dry_run == Some(true) {
        return Ok(Answer::empty(202));
    }
    let no_room = faults.no_capacity.then(|| {
        (
            "Ecs.0319".to_owned(),
            format!("There is no room for the flavor {}.", order.flavor),
        )
    });
    let failing = faults.take_job(JobOf::Create).or(no_room);
    let (job, servers) = region.create(&order, failing, call.now, &call.pace);
    for id in &servers {
        region.trace(call.trace("ECS", "ecs", "createServer", (id, &order.name), 200));
    }
    let answer = json!({"job_id": job, "serverIds": servers});
    if let Some(token) = token {
        token.keep(call, region, &answer);
    }
    Ok(Answer::json(200, &answer))
}

fn token(call: &Call<'_>, token: &str) -> Result<Token> {
    let body: Value = body(call)?;
    Token::read(call, "ecs", token, &body)
        .ok_or_else(|| Fault::bad("Ecs.0123", "The X-Client-Token is not a UUID."))
}
