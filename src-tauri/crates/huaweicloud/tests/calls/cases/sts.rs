use huaweicloud::sts;

use super::{Case, case};

pub fn cases() -> Vec<Case> {
    vec![
        case!("sts" "GetCallerIdentity" "", ["account_id", "principal_id"], |client| {
            sts::caller_identity(client)
        }),
        case!("sts" "DecodeAuthorizationMessage" "", ["decoded_message"], |client| {
            sts::decode_authorization_message(client, "an encoded message")
        }),
    ]
}
