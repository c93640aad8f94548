//! The people of the demo account. Their keys are examples by name and open nothing anywhere else, so they stand in the
//! code and never in the state file.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Id of the first embedded region.
pub const REGION: &str = "sandbox-1";
/// Id of the demo account ("domain").
pub const ACCOUNT_ID: &str = "e0a000000000000000000000000ac001";
/// Name of the demo account.
pub const ACCOUNT_NAME: &str = "example-account";

/// Access key of the developer `ada`.
pub const EXAMPLE_AK_ADA: &str = "EXAMPLEAKADA00000001";
/// Secret key of the developer `ada`.
pub const EXAMPLE_SK_ADA: &str = "ExampleSecretKeyOfAda0000000000000000001";
/// Access key of the developer `bo`.
pub const EXAMPLE_AK_BO: &str = "EXAMPLEAKBO000000002";
/// Secret key of the developer `bo`.
pub const EXAMPLE_SK_BO: &str = "ExampleSecretKeyOfBo00000000000000000002";
/// Access key of the administrator `mia`.
pub const EXAMPLE_AK_MIA: &str = "EXAMPLEAKMIA00000003";
/// Secret key of the administrator `mia`.
pub const EXAMPLE_SK_MIA: &str = "ExampleSecretKeyOfMia0000000000000000003";
/// Access key of the developer `chen`, who sees list prices only.
pub const EXAMPLE_AK_CHEN: &str = "EXAMPLEAKCHEN0000005";
/// Secret key of the developer `chen`.
pub const EXAMPLE_SK_CHEN: &str = "ExampleSecretKeyOfChen000000000000000005";
/// Access key of `guest`, who has no rights.
pub const EXAMPLE_AK_GUEST: &str = "EXAMPLEAKGUEST000004";
/// Secret key of `guest`.
pub const EXAMPLE_SK_GUEST: &str = "ExampleSecretKeyOfGuest00000000000000004";
/// Token that the demo HEI receiver asks for unless another one is given.
pub const EXAMPLE_HEI_TOKEN: &str = "EXAMPLE-HEI-TOKEN-0000000001";

/// What a user of the demo account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Uses the project's servers, disks and networks; sees only their own IAM user.
    Developer,
    /// May do everything in the account.
    Administrator,
    /// Can sign in and find out who they are, nothing else.
    Guest,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Role::Developer => "developer",
            Role::Administrator => "administrator",
            Role::Guest => "guest",
        })
    }
}

/// Name and role of everybody in the demo account.
pub fn people() -> impl Iterator<Item = (&'static str, Role)> {
    USERS.iter().map(|user| (user.name, user.role))
}

/// One IAM user of the demo account.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) access_key: &'static str,
    secret_key: Example,
}

impl User {
    /// May look at bills and at what discounts make of a price (`bss:bill:view`, `bss:discount:view`).
    pub(crate) fn sees_money(&self) -> bool {
        self.role != Role::Guest && self.id != CHEN
    }

    pub(crate) fn secret_key(&self) -> SecretString {
        SecretString::from(self.secret_key.0)
    }

    /// For the announcement, whose purpose is to hand the example keys out.
    pub(crate) fn secret_key_to_announce(&self) -> &'static str {
        self.secret_key.0
    }
}

struct Example(&'static str);

impl std::fmt::Debug for Example {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

pub(crate) const ADA: &str = "e0a0000000000000000000000000ada1";
pub(crate) const BO: &str = "e0a0000000000000000000000000b002";
pub(crate) const CHEN: &str = "e0a0000000000000000000000000c4e5";
pub(crate) const MIA: &str = "e0a00000000000000000000000003a13";
const GUEST: &str = "e0a00000000000000000000000009e54";

pub(crate) static USERS: [User; 5] = [
    User {
        id: ADA,
        name: "ada",
        role: Role::Developer,
        access_key: EXAMPLE_AK_ADA,
        secret_key: Example(EXAMPLE_SK_ADA),
    },
    User {
        id: BO,
        name: "bo",
        role: Role::Developer,
        access_key: EXAMPLE_AK_BO,
        secret_key: Example(EXAMPLE_SK_BO),
    },
    User {
        id: CHEN,
        name: "chen",
        role: Role::Developer,
        access_key: EXAMPLE_AK_CHEN,
        secret_key: Example(EXAMPLE_SK_CHEN),
    },
    User {
        id: MIA,
        name: "mia",
        role: Role::Administrator,
        access_key: EXAMPLE_AK_MIA,
        secret_key: Example(EXAMPLE_SK_MIA),
    },
    User {
        id: GUEST,
        name: "guest",
        role: Role::Guest,
        access_key: EXAMPLE_AK_GUEST,
        secret_key: Example(EXAMPLE_SK_GUEST),
    },
];

pub(crate) fn by_access_key(access_key: &str) -> Option<&'static User> {
    USERS.iter().find(|user| user.access_key == access_key)
}

pub(crate) fn by_id(id: &str) -> Option<&'static User> {
    USERS.iter().find(|user| user.id == id)
}
