//! Buckets of the object storage and what is in them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Most objects in one bucket.
pub(crate) const MOST_OBJECTS: usize = 1000;
/// Most bytes of one object.
pub(crate) const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The bucket that is there at the first start.
pub(crate) const TEAM_BUCKET: &str = "example-team-policy";

/// One bucket; its name is its key in the world.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Bucket {
    /// Id of the region in which it is; other regions' hosts do not know it.
    pub(crate) region: String,
    pub(crate) objects: BTreeMap<String, Object>,
}

/// One object. An upload replaces it as a whole: the last writer wins.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Object {
    /// In base64 in the state file, which is JSON.
    #[serde(with = "as_base64")]
    pub(crate) body: Vec<u8>,
    pub(crate) content_type: String,
    /// The MD5 of the body in quotes.
    pub(crate) etag: String,
    pub(crate) modified: DateTime<Utc>,
    /// `x-obs-meta-…` headers, with their full names.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Everybody may read it, signed or not.
    pub(crate) public: bool,
    /// Id of the user who wrote it.
    pub(crate) user_id: String,
}

/// The buckets of a new world.
pub(super) fn buckets() -> BTreeMap<String, Bucket> {
    let bucket = Bucket {
        region: super::seed::REGION.to_owned(),
        objects: BTreeMap::new(),
    };
    BTreeMap::from([(TEAM_BUCKET.to_owned(), bucket)])
}

mod as_base64 {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
