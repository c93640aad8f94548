//! Which of the published error codes mean what to a caller.
//!
//! API pages: <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_07_0002.html> and its neighbours in the other
//! services' references; gateway codes:
//! <https://support.huaweicloud.com/devg-apisign/api-sign-errorcode.html>.

use crate::error::ErrorKind;

/// The kind of a published code; `None` for a code that is not in the table.
pub(crate) fn kind_of(code: &str) -> Option<ErrorKind> {
    // The gateway's codes come with either prefix.
    let code = code
        .strip_prefix("APIG.")
        .map_or_else(|| code.to_owned(), |rest| format!("APIGW.{rest}"));
    Some(match code.as_str() {
        "APIGW.0301"
        | "APIGW.0303"
        | "APIGW.0305"
        | "APIGW.0307"
        | "Ecs.0023"
        | "Common.0013"
        | "Common.0018"
        | "CBC.0150"
        | "CBC.0156"
        | "CTS.0012"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId" => ErrorKind::Auth,

        "RequestTimeTooSkewed" => ErrorKind::Clock,

        "APIGW.0302" | "APIGW.0304" | "Ecs.0016" | "Ecs.0027" | "Ecs.0089" | "Ecs.0110" | "Pdp.0001"
        | "EVS.0003" | "EVS.1027" | "EVS.2056" | "VPC.0010" | "VPC.2201" | "KPS.9003" | "CBC.0151"
        | "TMS.0004" | "TMS.2030" | "AccessDenied" => ErrorKind::Permission,

        "Ecs.0003" | "Ecs.0030" | "Ecs.0066" | "Ecs.0067" | "Ecs.0069" | "Ecs.0070" | "Ecs.0071"
        | "Ecs.7000" | "EVS.2144" | "VPC.0502" | "VPC.2701" | "KPS.9004" | "AccountProblem"
        | "FrozenUserId" => ErrorKind::Money,

        "Ecs.0001" | "Ecs.0013" | "Ecs.0021" | "EVS.1034" | "EVS.1042" | "VPC.0114" | "VPC.0521"
        | "VPC.0604" => ErrorKind::Quota,

        "Ecs.0012" | "Ecs.0018" | "Ecs.0044" | "Ecs.0219" | "Ecs.0226" | "Ecs.0319" | "EVS.2071"
        | "EVS.2072" | "VPC.0514" | "VPC.0532" => ErrorKind::Capacity,

        "Ecs.0017" | "Ecs.0032" | "Ecs.0049" | "Ecs.0057" | "Ecs.0100" | "Ecs.0103" | "Ecs.0104"
        | "Ecs.0111" | "Ecs.0513" | "Ecs.0605" | "Ecs.0613" | "Ecs.0704" | "EVS.1035" | "EVS.1046"
        | "EVS.1064" | "EVS.1065" | "EVS.1066" | "EVS.2068" | "VPC.0510" | "VPC.0511" | "VPC.0517"
        | "VPC.0525" | "IMG.0035" | "PreconditionFailed" => ErrorKind::State,

        "Ecs.0029" | "Ecs.0031" | "Ecs.0038" | "Ecs.0114" | "Ecs.0307" | "Ecs.0314" | "Ecs.0614"
        | "Common.0011" | "VPC.0003" | "VPC.0504" | "IMG.0005" | "KPS.4016" | "IAM.0004" | "CTS.0013"
        | "TMS.0005" | "NoSuchKey" | "NoSuchBucket" => ErrorKind::Missing,

        "APIGW.0308" | "Common.0024" | "Common.1503" | "CBC.0250" | "SlowDown" | "TMS.0006" => {
            ErrorKind::Throttled
        }

        "APIGW.0201" | "Ecs.0301" | "Ecs.0501" | "Ecs.0603" | "Ecs.0702" | "Ecs.1000" | "Ecs.1002"
        | "Ecs.1100" | "Ecs.1200" | "Ecs.1300" | "VPC.0512" | "CBC.0999" => ErrorKind::Transient,

        // A gateway that does not know the call says nothing about the resource: this must not look like
        // "missing", or a server would be taken for gone.
        "APIGW.0101" | "APIGW.0103" | "Ecs.0081" => ErrorKind::Unsupported,

        "Ecs.0002" | "Ecs.0201" | "Ecs.0202" | "Ecs.0203" | "Ecs.0204" | "Ecs.0205" | "Ecs.0207"
        | "Ecs.0210" | "Ecs.0227" | "Ecs.0610" | "Common.0021" | "EVS.2024" => ErrorKind::Internal,

        "APIGW.0106" | "Ecs.0000" | "Ecs.0005" | "Ecs.0007" | "Ecs.0009" | "Ecs.0010" | "Ecs.0011"
        | "Ecs.0014" | "Ecs.0015" | "Ecs.0019" | "Ecs.0039" | "Ecs.0041" | "Ecs.0042" | "Ecs.0043"
        | "Ecs.0045" | "Ecs.0050" | "Ecs.0076" | "Ecs.0077" | "Ecs.0082" | "Ecs.0083" | "Ecs.0084"
        | "Ecs.0118" | "Ecs.0122" | "Ecs.0123" | "Ecs.0124" | "Ecs.0611" | "Ecs.0703" | "Ecs.0707"
        | "Ecs.0804" | "Ecs.0902" | "Ecs.0905" | "Ecs.0906" | "Ecs.0907" | "Ecs.0908" | "Ecs.0909"
        | "Ecs.0913" | "Ecs.0914" | "Ecs.0915" | "Common.0002" | "EVS.1010" | "EVS.1015" | "EVS.1020"
        | "EVS.1023" | "EVS.1024" | "EVS.1061" | "VPC.0301" | "VPC.0501" | "IMG.0001" | "IMG.0024"
        | "KPS.0002" | "CBC.0100" | "CBC.99006006" | "CBC.99006050" | "CBC.99006055" | "CBC.99006074"
        | "IAM.0011" | "IAM.0007" | "BadDigest" => ErrorKind::Invalid,

        _ => return None,
    })
}

/// The kind by HTTP status alone. `genuine` says whether the answer is recognisably the platform's own:
/// without that, a proxy's 404 or 403 page must not be taken for a statement about a resource or a right.
pub(crate) fn kind_of_status(status: u16, genuine: bool) -> ErrorKind {
    match status {
        401 => ErrorKind::Auth,
        407 => ErrorKind::Network,
        408 => ErrorKind::Transient,
        429 => ErrorKind::Throttled,
        501 => ErrorKind::Unsupported,
        500.. => ErrorKind::Transient,
        _ if !genuine => ErrorKind::BadAnswer,
        402 => ErrorKind::Money,
        403 => ErrorKind::Permission,
        404 | 410 => ErrorKind::Missing,
        409 | 412 | 423 => ErrorKind::State,
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::BadAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published codes with their kinds, from the notes that the product is made from.
    fn published() -> Vec<(String, u16, String)> {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../tests/fixtures/api.json")).unwrap();
        let codes = file["error_codes"].as_object().unwrap();
        codes
            .iter()
            .map(|(code, row)| {
                let status = row[0].as_u64().unwrap() as u16;
                (code.clone(), status, row[2].as_str().unwrap().to_owned())
            })
            .collect()
    }

    #[test]
    fn every_published_code_has_the_kind_that_a_caller_acts_on() {
        // Finer than the published kinds, on purpose.
        let finer = |code: &str| match code {
            // The call, or the lease, does not exist here: no other request would help.
            "APIGW.0101" | "APIGW.0103" | "Ecs.0081" => Some(ErrorKind::Unsupported),
            "RequestTimeTooSkewed" => Some(ErrorKind::Clock),
            _ => None,
        };
        let published = published();
        assert_eq!(published.len(), 184);
        for (code, _, kind) in &published {
            let wanted = finer(code).unwrap_or(match kind.as_str() {
                "auth" => ErrorKind::Auth,
                "perm" => ErrorKind::Permission,
                "money" => ErrorKind::Money,
                "quota" => ErrorKind::Quota,
                "capacity" => ErrorKind::Capacity,
                "state" => ErrorKind::State,
                "missing" => ErrorKind::Missing,
                "throttle" => ErrorKind::Throttled,
                "retry" => ErrorKind::Transient,
                "internal" => ErrorKind::Internal,
                "param" => ErrorKind::Invalid,
                other => panic!("{code} has the unknown kind {other}"),
            });
            assert_eq!(kind_of(code), Some(wanted), "{code}");
        }
    }

    #[test]
    fn a_gateway_that_does_not_know_the_call_is_not_taken_for_a_missing_resource() {
        assert_eq!(kind_of("APIGW.0101"), Some(ErrorKind::Unsupported));
        assert_eq!(kind_of_status(404, false), ErrorKind::BadAnswer);
        assert_eq!(kind_of_status(404, true), ErrorKind::Missing);
    }

    #[test]
    fn a_code_says_more_than_its_status_where_that_would_mislead() {
        for (code, status, by_status, kind) in [
            ("VPC.0604", 409, ErrorKind::State, ErrorKind::Quota),
            ("VPC.0114", 409, ErrorKind::State, ErrorKind::Quota),
            ("EVS.2144", 403, ErrorKind::Permission, ErrorKind::Money),
            ("FrozenUserId", 403, ErrorKind::Permission, ErrorKind::Money),
            ("TMS.0006", 403, ErrorKind::Permission, ErrorKind::Throttled),
            ("CTS.0012", 403, ErrorKind::Permission, ErrorKind::Auth),
            // Told of single resources inside a success.
            ("TMS.0005", 200, ErrorKind::BadAnswer, ErrorKind::Missing),
            ("TMS.2030", 200, ErrorKind::BadAnswer, ErrorKind::Permission),
        ] {
            assert_eq!(kind_of_status(status, true), by_status, "{code}");
            assert_eq!(kind_of(code), Some(kind), "{code}");
        }
    }

    #[test]
    fn the_gateway_codes_are_known_under_both_prefixes() {
        assert_eq!(kind_of("APIG.0308"), Some(ErrorKind::Throttled));
        assert_eq!(kind_of("APIGW.0308"), Some(ErrorKind::Throttled));
    }

    #[test]
    fn an_unknown_code_leaves_the_decision_to_the_status() {
        assert_eq!(kind_of("Ecs.9999"), None);
        assert_eq!(kind_of_status(503, false), ErrorKind::Transient);
        assert_eq!(kind_of_status(403, true), ErrorKind::Permission);
        assert_eq!(kind_of_status(302, true), ErrorKind::BadAnswer);
    }
}
