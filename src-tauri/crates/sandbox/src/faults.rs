//! Refusals, and the envelopes in which the services wrap them.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{StatusCode, header};
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
    /// `{"NeutronError":{"type","message","detail"}}`: the network's native calls.
    Neutron,
    /// `{"error_code","error_msg","request_id"}`: the gateway, BSS, CTS, KPS, STS, IAM v3.0. A refusal of rights also has an
    /// `encoded_authorization_message`, which STS decodes.
    Gateway,
    /// `{"error":{"code":403,"message","title"}}`: IAM v3.
    Identity,
    /// `{"error":{"error_code","error_msg"}}`: TMS.
    Tags,
    /// `<Error><Code>…</Code><Message>…</Message>…</Error>`: object storage.
    Xml,
}

impl Envelope {
    pub(crate) fn seal(self, fault: &Fault, request_id: &str) -> Answer {
        if fault.code == ITEM_NOT_FOUND {
            let body = json!({ITEM_NOT_FOUND: {"code": fault.status, "message": fault.message}});
            return Answer::json(fault.status, &body);
        }
        if self == Self::Nested && !fault.failed.is_empty() {
            return Answer::json(fault.status, &half_failed(fault));
        }
        self.write(fault.status, fault.code, &fault.message, request_id)
    }

    /// As [`Envelope::seal`], for words that are known only at run time.
    pub(crate) fn write(self, status: u16, code: &str, message: &str, request_id: &str) -> Answer {
        // Whatever a service's own envelope is, what the gateway says comes in the gateway's.
        let envelope = if code.starts_with("APIGW.") && self != Self::Xml {
            Self::Gateway
        } else {
            self
        };
        let body = match envelope {
            Self::Nested => json!({"error": {"code": code, "message": message}}),
            Self::Flat => json!({"code": code, "message": message}),
            Self::Gateway => {
                let mut body = json!({"error_code": code, "error_msg": message, "request_id": request_id});
                if status == 403
                    && let Some(body) = body.as_object_mut()
                {
                    let reason = json!({"allowed": false, "explicitDeny": false, "reason": message,
                        "requestId": request_id});
                    body.insert(
                        "encoded_authorization_message".to_owned(),
                        STANDARD.encode(reason.to_string()).into(),
                    );
                }
                body
            }
            Self::Neutron => json!({"NeutronError": {"type": code, "message": message, "detail": ""}}),
            Self::Identity => json!({"error": {
                "code": status,
                "message": message,
                "title": StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()),
            }}),
            Self::Tags => json!({"error": {"error_code": code, "error_msg": message}}),
            Self::Xml => {
                let text = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
                     <RequestId>{}</RequestId><HostId>sandbox</HostId></Error>",
                    escaped(code),
                    escaped(message),
                    escaped(request_id)
                );
                return Answer::text(status, text).with(header::CONTENT_TYPE, "application/xml");
            }
        };
        Answer::json(status, &body)
    }
}

/// The text as it may stand between two tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The refusal of a batch with what became of each server that failed.
fn half_failed(fault: &Fault) -> Value {
    let failed: Vec<Value> = fault
        .failed
        .iter()
        .map(|(id, code, message)| json!({"id": id, "error_code": code, "error_message": message}))
        .collect();
    json!({"error": {"code": fault.code, "message": fault.message}, "internalError": failed})
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
