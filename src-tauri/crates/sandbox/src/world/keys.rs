//! Key pairs: the public halves. A private half that was made here has been handed out and is gone.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) name: String,
    /// `None` for a key pair that the whole account sees.
    pub(crate) user_id: Option<String>,
    pub(crate) public_key: String,
    pub(crate) fingerprint: String,
    pub(crate) created: DateTime<Utc>,
}

impl KeyPair {
    pub(crate) fn is_visible_to(&self, user_id: &str) -> bool {
        self.user_id.as_deref().is_none_or(|owner| owner == user_id)
    }
}
