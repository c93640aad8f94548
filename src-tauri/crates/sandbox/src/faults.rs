//! Refusals, and the envelopes in which the services wrap them.

use http::StatusCode;
use serde_json::json;

use crate::wire::Answer;

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
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
        let body = match envelope {
            Self::Nested => json!({"error": {"code": fault.code, "message": fault.message}}),
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
