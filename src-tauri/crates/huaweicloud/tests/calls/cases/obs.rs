use std::time::Duration;

use bytes::Bytes;
use huaweicloud::obs;

use super::{Case, case};

const AN_HOUR: Duration = Duration::from_secs(3600);

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

/// Reads by an address that carries its signature: no operation of its own, and nothing in the headers.
pub fn signed() -> Vec<Case> {
    vec![
        case!("obs" "GetObject" "signed address", [], |client| async {
            let url = obs::signed_url(client, BUCKET, KEY, AN_HOUR)?;
            obs::get_signed(client, &url, None).await
        }),
        case!("obs" "GetObject" "signed address, known version", [], |client| async {
            let url = obs::signed_url(client, BUCKET, KEY, AN_HOUR)?;
            obs::get_signed(client, &url, Some("\"c225a1e5\"")).await
        }),
    ]
}
