//! Refusals, and the envelopes in which the services wrap them.

use http::StatusCode;
use serde_json::{Value, json};

use crate::wire::Answer;

/// Stands for the native envelope, which has this as its key and the status as its code.
const ITEM_NOT_FOUND: &str = "itemNotFound";

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Which servers of a batch are the reason, each with its code and message (ECS).
    pub(crate) failed: Vec<(String, &'static str, String)>,
}

impl Fault {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            failed: Vec::new(),
        }
    }

    /// Most refusals of parameters, quotas and states have status 400.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(403, code, message)
    }

    pub(crate) fn missing(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(404, code, message)
    }

    /// A policy does not allow the action.
    pub(crate) fn denied(code: &'static str, action: &str) -> Self {
        Self::forbidden(code, format!("Policy doesn't allow {action} to be performed."))
    }

    /// Native words for something that is not there, which some services pass on as they are.
    pub(crate) fn item_not_found(message: impl Into<String>) -> Self {
        Self::missing(ITEM_NOT_FOUND, message)
    }

    /// The gateway's answer to a path or method that no service has.
    pub(crate) fn no_such_call() -> Self {
        Self::missing(
            "APIGW.0101",
            "The API does not exist or has not been published in the environment.",
        )
    }
}

/// The shape of an error's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// `{"error":{"code","message"}}`: ECS, EVS, IMS.
    Nested,
    /// `{"code","message"}`: VPC and EIP v1.
    Flat,
    /// `{"error_code","error_msg","request_id"}`: the gateway, BSS, KPS, STS, IAM v3.0.
    Gateway,
    /// `{"error":{"code":403,"message","title"}}`: IAM v3.
    Identity,
}

impl Envelope {
    pub(crate) fn seal(self, fault: &Fault, request_id: &str) -> Answer {
        // Whatever a service's own envelope is, what the gateway says comes in the gateway's.
        let envelope = if fault.code.starts_with("APIGW.") {
            Self::Gateway
        } else {
            self
        };
        if fault.code == ITEM_NOT_FOUND {
            let body = json!({ITEM_NOT_FOUND: {"code": fault.status, "message": fault.message}});
            return Answer::json(fault.status, &body);
        }
        let body = match envelope {
            Self::Nested => nested(fault),
            Self::Flat => json!({"code": fault.code, "message": fault.message}),
            Self::Gateway => json!({
                "error_code": fault.code,
                "error_msg": fault.message,
                "request_id": request_id,
            }),
            Self::Identity => json!({"error": {
                "code": fault.status,
                "message": fault.message,
                "title": StatusCode::from_u16(fault.status).ok().and_then(|status| status.canonical_reason()),
            }}),
        };
        Answer::json(fault.status, &body)
    }
}

fn nested(fault: &Fault) -> Value {
    let error = json!({"code": fault.code, "message": fault.message});
    if fault.failed.is_empty() {
        return json!({"error": error});
    }
    let failed: Vec<Value> = fault
        .failed
        .iter()
        .map(|(id, code, message)| json!({"id": id, "error_code": code, "error_message": message}))
        .collect();
    json!({"error": error, "internalError": failed})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_keeps_its_own_envelope_in_front_of_every_service() {
        let answer = Envelope::Nested.seal(&Fault::no_such_call(), "r-1");
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["error_code"], "APIGW.0101");
        assert_eq!(body["request_id"], "r-1");
    }

    #[test]
    fn identity_errors_carry_the_status_as_a_number_and_a_title() {
        let answer = Envelope::Identity.seal(&Fault::forbidden("IAM.0002", "no"), "r-1");
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["error"]["code"], 403);
        assert_eq!(body["error"]["title"], "Forbidden");
    }
}
