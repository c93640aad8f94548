//! Identifiers, each a type of its own, so that a project cannot stand where a server is meant.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as the cloud writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

ids! {
    /// A region, such as `cn-north-4`.
    RegionId,
    /// A project: 32 hexadecimal digits, one default project per region.
    ProjectId,
    /// An account, which IAM's older calls name a domain: 32 hexadecimal digits.
    AccountId,
    /// An IAM user.
    UserId,
    /// A server (UUID).
    ServerId,
    /// An asynchronous job.
    JobId,
    /// A flavor, such as `s6.large.2`.
    FlavorId,
    /// An image (UUID).
    ImageId,
    /// A VPC (UUID).
    VpcId,
    /// A subnet, by the id of the VPC v1 API, which is the one that creating a server wants.
    SubnetId,
    /// A security group (UUID).
    SecurityGroupId,
    /// A disk (UUID).
    VolumeId,
    /// An availability zone, such as `cn-north-4a`.
    ZoneId,
    /// A public address (UUID).
    PublicIpId,
    /// A network interface (UUID).
    PortId,
    /// A rule of a security group (UUID).
    SecurityGroupRuleId,
}
