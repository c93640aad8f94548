//! Security Token Service: who is calling, and what the coded text in a refusal says. The first needs no permission at all.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Call, Result};
use crate::{faults::Fault, users::ACCOUNT_ID, wire::Answer};

/// Most characters of a coded text.
const LONGEST: usize = 10_240;

#[derive(Deserialize)]
struct Coded {
    encoded_message: String,
}

pub(super) fn answer(call: &Call<'_>) -> Result<Answer> {
    match (&call.request.method, call.request.path.as_str()) {
        (&Method::GET, "/v5/caller-identity") => Ok(Answer::json(
            200,
            &json!({
                "account_id": ACCOUNT_ID,
                "principal_id": call.user.id,
                "principal_urn": format!("iam::{ACCOUNT_ID}:user:{}", call.user.name),
            }),
        )),
        (&Method::POST, "/v5/decode-authorization-message") => decode(call),
        _ => Err(Fault::no_such_call()),
    }
}

fn decode(call: &Call<'_>) -> Result<Answer> {
    if call.is_guest() {
        return Err(Fault::forbidden(
            "PAP5.0001",
            "access denied: Policy doesn't allow sts::decodeAuthorizationMessage to be performed.",
        ));
    }
    // No code for this is published.
    let wrong = || Fault::bad("STS.0001", "The encoded message is invalid.");
    let coded: Coded = call.request.json().map_err(|_| wrong())?;
    if coded.encoded_message.len() > LONGEST {
        return Err(wrong());
    }
    let text = STANDARD
        .decode(coded.encoded_message)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        // What the gateway coded is an object; anything else was never a refusal of this cloud.
        .filter(|text| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok())
        .ok_or_else(wrong)?;
    Ok(Answer::json(200, &json!({"decoded_message": text})))
}
