//! Changing a server's flavor.

use serde::Deserialize;
use serde_json::json;

use super::{
    Call, Result, body, catalogue::can_become, invalid, quota, refuse_restricted, usable, wrong_state,
};
use crate::{
    catalogue::{self, Sale},
    faults::Fault,
    wire::Answer,
    world::{Charging, Faults, JobOf, Region, VmState},
};

#[derive(Debug, Deserialize)]
struct Body {
    resize: Wanted,
    dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(rename = "flavorRef")]
    flavor: String,
    mode: Option<String>,
}

pub(super) fn resize(call: &Call<'_>, region: &mut Region, faults: &mut Faults, id: &str) -> Result<Answer> {
    let body: Body = body(call)?;
    let stops = match body.resize.mode.as_deref() {
        None | Some("") => false,
        Some("withStopServer") => true,
        Some(_) => return Err(invalid("mode")),
    };
    let server = usable(region, faults, id)?;
    match server.charging {
        Charging::PayPerUse => {}
        Charging::Spot => return Err(Fault::bad("Ecs.0704", "A spot server cannot be resized.")),
        Charging::Period => {
            return Err(Fault::bad(
                "Ecs.7000",
                "The order could not be created: the sandbox sells nothing by the month.",
            ));
        }
    }
    let wanted = catalogue::flavor(&body.resize.flavor).ok_or_else(|| {
        Fault::bad(
            "Ecs.0029",
            format!("The flavor {} does not exist.", body.resize.flavor),
        )
    })?;
    if wanted.id == server.flavor {
        return Err(Fault::bad("Ecs.0009", "The server has this flavor already."));
    }
    match wanted.sale_in(&server.zone) {
        Sale::Normal => {}
        Sale::SoldOut => {
            return Err(Fault::bad(
                "Ecs.0018",
                format!("The flavor {} is sold out in {}.", wanted.id, server.zone),
            ));
        }
        Sale::Abandoned => {
            return Err(Fault::bad(
                "Ecs.0019",
                format!("The flavor {} is no longer available.", wanted.id),
            ));
        }
    }
    let own = catalogue::flavor(&server.flavor);
    if !own.is_some_and(|own| can_become(own, wanted)) {
        return Err(Fault::bad(
            "Ecs.0804",
            format!("{} cannot be changed to {}.", server.flavor, wanted.id),
        ));
    }
    if server.state != VmState::Stopped && !stops {
        return Err(wrong_state(id));
    }
    let (_, cores, ram_mb) = quota::servers(region);
    let (own_cores, own_ram) = own.map_or((0, 0), |own| (own.vcpus, own.ram_mb));
    if cores.saturating_sub(own_cores).saturating_add(wanted.vcpus) > quota::CORES
        || ram_mb.saturating_sub(own_ram).saturating_add(wanted.ram_mb) > quota::RAM_MB
    {
        return Err(Fault::bad("Ecs.0001", "The server quota is exhausted."));
    }
    refuse_restricted(faults)?;
    if body.dry_run == Some(true) {
        return Ok(Answer::empty(202));
    }
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "resizeServer", (id, &name), 200));
    let no_room = faults.no_capacity.then(|| {
        (
            "Ecs.0319".to_owned(),
            format!("There is no room for the flavor {}.", wanted.id),
        )
    });
    let failure = faults.take_job(JobOf::Resize).or(no_room);
    let job = region.resize(id, wanted.id, failure.as_ref(), call.now, &call.pace);
    Ok(Answer::json(200, &json!({"job_id": job})))
}
