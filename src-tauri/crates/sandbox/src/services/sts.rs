//! Security Token Service: who is calling. Needs no permission at all.

use http::Method;
use serde_json::json;

use super::{Call, Result};
use crate::{faults::Fault, users::ACCOUNT_ID, wire::Answer};

pub(super) fn answer(call: &Call<'_>) -> Result<Answer> {
    if call.request.method != Method::GET || call.request.path != "/v5/caller-identity" {
        return Err(Fault::no_such_call());
    }
    Ok(Answer::json(
        200,
        &json!({
            "account_id": ACCOUNT_ID,
            "principal_id": call.user.id,
            "principal_urn": format!("iam::{ACCOUNT_ID}:user:{}", call.user.name),
        }),
    ))
}
