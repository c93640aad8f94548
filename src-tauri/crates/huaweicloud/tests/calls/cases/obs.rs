use bytes::Bytes;
use huaweicloud::obs;

use super::{Case, case};

const BUCKET: &str = "team-policy";
const KEY: &str = "lease/政策 1.json";

pub fn cases() -> Vec<Case> {
    vec![
        case!("obs" "GetObject" "", [], |client| obs::get_object(client, BUCKET, KEY, None)),
        case!("obs" "GetObject" "known version", [], |client| {
            obs::get_object(client, BUCKET, KEY, Some("\"c225a1e5\""))
        }),
        case!("obs" "PutObject" "", [], |client| {
            obs::put_object(client, BUCKET, KEY, "application/json", Bytes::from_static(b"{}"))
        }),
        case!("obs" "HeadObject" "", [], |client| obs::head_object(client, BUCKET, KEY)),
        case!("obs" "DeleteObject" "", [], |client| obs::delete_object(client, BUCKET, KEY)),
    ]
}
