//! Ways into a server: the remote console, and a new password.

use serde::Deserialize;
use serde_json::json;

use super::{Call, Result, body, invalid, password::Password, usable, visible, wrong_state};
use crate::{
    catalogue::{self, Architecture},
    faults::Fault,
    wire::Answer,
    world::{Faults, Region, Server, VmState},
};

#[derive(Debug, Deserialize)]
struct Opening {
    remote_console: Console,
}

#[derive(Debug, Deserialize)]
struct Console {
    protocol: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Each call makes a token of its own, good for one use.
pub(super) fn open(call: &Call<'_>, region: &mut Region, faults: &Faults, id: &str) -> Result<Answer> {
    let Opening { remote_console } = body(call)?;
    if remote_console.protocol != "vnc" || remote_console.kind != "novnc" {
        return Err(invalid("remote_console must ask for protocol vnc and type novnc"));
    }
    let server = usable(region, faults, id)?;
    if server.state != VmState::Active {
        return Err(wrong_state(id));
    }
    let name = server.name.clone();
    region.trace(call.trace("ECS", "ecs", "remoteConsole", (id, &name), 200));
    let language = match call.request.header("x-language") {
        Some(language) if language.starts_with("zh") => "CN",
        _ => "EN",
    };
    let url = call.consoles.issue(id, language);
    Ok(Answer::json(
        200,
        &json!({"remote_console": {"protocol": "vnc", "type": "novnc", "url": url}}),
    ))
}

#[derive(Deserialize)]
struct Reset {
    #[serde(rename = "reset-password")]
    reset: NewPassword,
}

#[derive(Deserialize)]
struct NewPassword {
    new_password: Password,
    is_check_password: Option<bool>,
}

/// The images for ARM come without the plug-in that sets passwords.
fn has_plugin(server: &Server) -> bool {
    catalogue::image(&server.image).is_some_and(|image| image.architecture == Architecture::X86)
}

pub(super) fn reset_flag(region: &Region, id: &str) -> Result<Answer> {
    let flag = if has_plugin(visible(region, id)?) {
        "True"
    } else {
        "False"
    };
    Ok(Answer::json(200, &json!({"resetpwd_flag": flag})))
}

pub(super) fn reset_password(
    call: &Call<'_>,
    region: &mut Region,
    faults: &Faults,
    id: &str,
) -> Result<Answer> {
    let Reset { reset } = body(call)?;
    let server = usable(region, faults, id)?;
    if !has_plugin(server) {
        return Err(Fault::bad(
            "Ecs.0613",
            "The password reset plug-in is not installed.",
        ));
    }
    // Without being asked to, the cloud does not look whether a password is strong.
    let wrong = if reset.is_check_password == Some(true) {
        !reset.new_password.is_strong()
    } else {
        !reset.new_password.has_length()
    };
    if wrong {
        return Err(Fault::bad("Ecs.0011", "The password is not strong enough."));
    }
    let name = server.name.clone();
    let mark = reset.new_password.mark();
    if let Some(server) = region.servers.get_mut(id) {
        server.next_password = Some(mark);
    }
    region.trace(call.trace("ECS", "ecs", "resetPassword", (id, &name), 204));
    Ok(Answer::empty(204))
}
