//! The access key pair that a request is signed with.

use secrecy::SecretString;

/// An access key (AK), its secret (SK) and, for temporary credentials, the security token that goes with
/// them.
///
/// Nothing in here is printed: `Debug` shows only which kind of credentials it is.
#[derive(Clone)]
pub struct Credentials {
    /// The access key id (AK). Not a secret in the strict sense, but it names a person's key, so it is kept
    /// like one.
    pub access_key: SecretString,
    /// The secret access key (SK), used as the HMAC key exactly as it is written.
    pub secret_key: SecretString,
    /// The security token of temporary credentials, sent as `X-Security-Token`.
    pub security_token: Option<SecretString>,
}

impl Credentials {
    /// Long-lived credentials: a key pair without a security token.
    pub fn permanent(access_key: impl Into<SecretString>, secret_key: impl Into<SecretString>) -> Self {
        Self {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            security_token: None,
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("temporary", &self.security_token.is_some())
            .finish_non_exhaustive()
    }
}
