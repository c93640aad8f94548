//! Networks, and what may pass in them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) cidr: String,
    pub(crate) created: DateTime<Utc>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    /// The native id, which is not accepted at server creation.
    pub(crate) neutron_subnet_id: String,
    pub(crate) name: String,
    pub(crate) vpc_id: String,
    pub(crate) network: std::net::Ipv4Addr,
    pub(crate) prefix: u8,
    pub(crate) created: DateTime<Utc>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) rules: Vec<Rule>,
}

/// What a group's members let in or out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) description: String,
    pub(crate) ingress: bool,
    pub(crate) ip_version: IpVersion,
    /// `tcp`, `udp`, `icmp`, `icmpv6` or a number; `None` stands for all.
    pub(crate) protocol: Option<String>,
    /// First and last port; `None` stands for all.
    pub(crate) ports: Option<(u16, u16)>,
    pub(crate) remote: Remote,
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Remote {
    Anyone,
    /// A block of addresses.
    Block(String),
    /// The members of the group with this id.
    Group(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IpVersion {
    V4,
    V6,
}

impl IpVersion {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

impl Subnet {
    pub(crate) fn cidr(&self) -> String {
        format!("{}/{}", self.network, self.prefix)
    }

    pub(crate) fn gateway(&self) -> std::net::Ipv4Addr {
        self.nth(1)
    }

    /// Addresses that servers can have: not the network's own, the gateway's, nor the last three, which the cloud keeps.
    pub(crate) fn usable(&self) -> impl Iterator<Item = std::net::Ipv4Addr> + '_ {
        let size = 1_u32
            .checked_shl(u32::from(32_u8.saturating_sub(self.prefix)))
            .unwrap_or(0);
        (2..size.saturating_sub(3)).map(|n| self.nth(n))
    }

    pub(crate) fn holds(&self, address: std::net::Ipv4Addr) -> bool {
        self.usable().any(|usable| usable == address)
    }

    fn nth(&self, n: u32) -> std::net::Ipv4Addr {
        std::net::Ipv4Addr::from(u32::from(self.network).saturating_add(n))
    }
}
