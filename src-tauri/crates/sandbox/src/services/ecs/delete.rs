//! Deleting servers, and what goes with them.

use serde::Deserialize;
use serde_json::json;

use super::{
    Call, Named, Result, all_or_none, body, distinct, refuse_leaving, refuse_locked, visible, wrong_state,
};
use crate::{
    faults::Fault,
    wire::Answer,
    world::{Charging, Faults, JobOf, Leaving, Region, VmState},
};

#[derive(Debug, Deserialize)]
struct Deletion {
    servers: Vec<Named>,
    delete_publicip: Option<bool>,
    delete_volume: Option<bool>,
}

pub(super) fn delete(call: &Call<'_>, region: &mut Region, faults: &mut Faults) -> Result<Answer> {
    let deletion: Deletion = body(call)?;
    let ids = distinct(deletion.servers)?;
    // A frozen server can be deleted all the same.
    all_or_none(&ids, |id| {
        let server = visible(region, id)?;
        if server.charging == Charging::Period {
            return Err(Fault::bad(
                "Ecs.0513",
                format!("Server {id} is billed yearly/monthly and must be unsubscribed from."),
            ));
        }
        refuse_locked(server)?;
        refuse_leaving(server)?;
        // One that is being taken back cannot be deleted besides.
        if server.state == VmState::Building || server.reclaimed {
            return Err(wrong_state(id));
        }
        Ok(())
    })?;
    let leaving = Leaving {
        disks: deletion.delete_volume.unwrap_or(false),
        address: deletion.delete_publicip,
    };
    for id in &ids {
        let name = region.servers.get(id).map(|server| server.name.clone());
        let name = name.unwrap_or_default();
        region.trace(call.trace("ECS", "ecs", "deleteServer", (id, &name), 200));
    }
    let failing = faults.take_job(JobOf::Delete);
    let job = region.delete(&ids, leaving, failing.as_ref(), call.now, &call.pace);
    Ok(Answer::json(200, &json!({"job_id": job})))
}
