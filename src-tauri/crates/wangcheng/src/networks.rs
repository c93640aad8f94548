//! Who reaches a server: addresses, and the security group that lets one of them in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use huaweicloud::vpc::{Direction, SecurityGroup, SecurityGroupRule};

use crate::failure::{Code, Failure, Result};

/// The port of SSH.
pub(crate) const SSH: u16 = 22;
/// The widest ranges that still are "this address": a company's or a home's own.
const WIDEST_V4: u8 = 24;
const WIDEST_V6: u8 = 48;

/// One address, or a narrow range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    address: IpAddr,
    prefix: u8,
}

impl Range {
    /// Reads `203.0.113.7`, `203.0.113.0/24`, `2001:db8::1`.
    ///
    /// # Errors
    /// `AddressInvalid` for what is none, or is nobody's address; `AddressTooWide`.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || Failure::new(Code::AddressInvalid);
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let (whole, widest) = match address {
            IpAddr::V4(_) => (32, WIDEST_V4),
            IpAddr::V6(_) => (128, WIDEST_V6),
        };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= whole),
            None => Some(whole),
        };
        let prefix: u8 = prefix.ok_or_else(invalid)?;
        let nobodys = address.is_unspecified()
            || address.is_loopback()
            || address.is_multicast()
            || matches!(address, IpAddr::V4(v4) if v4.is_link_local() || v4.is_broadcast())
            || matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        if nobodys {
            return Err(invalid());
        }
        if prefix < widest {
            return Err(Failure::new(Code::AddressTooWide)
                .with("v4", WIDEST_V4)
                .with("v6", WIDEST_V6));
        }
        let address = match address {
            IpAddr::V4(v4) => {
                let kept = u32::MAX.checked_shl(u32::from(32 - prefix)).unwrap_or_default();
                Ipv4Addr::from_bits(v4.to_bits() & kept).into()
            }
            IpAddr::V6(v6) => {
                let kept = u128::MAX.checked_shl(u32::from(128 - prefix)).unwrap_or_default();
                Ipv6Addr::from_bits(v6.to_bits() & kept).into()
            }
        };
        Ok(Self { address, prefix })
    }

    pub fn is_v6(self) -> bool {
        self.address.is_ipv6()
    }

    /// The name of the group that lets it in: the same range, the same name.
    pub fn group_name(self) -> String {
        let whole = if self.is_v6() { 128 } else { 32 };
        let address = self.address.to_string().replace(':', ".");
        if self.prefix == whole {
            format!("wangcheng-ssh-{address}")
        } else {
            format!("wangcheng-ssh-{address}-{}", self.prefix)
        }
    }

    /// Whether a rule lets it in to SSH, and nothing else.
    pub fn is_admitted_by(self, rule: &SecurityGroupRule) -> bool {
        rule.direction == Direction::Ingress
            && rule
                .protocol
                .as_deref()
                .is_some_and(|protocol| protocol.eq_ignore_ascii_case("tcp") || protocol == "6")
            && (rule.port_range_min, rule.port_range_max) == (Some(SSH), Some(SSH))
            && rule.remote_group.is_none()
            && rule.remote_address_group.is_none()
            && rule
                .remote_ip_prefix
                .as_deref()
                .and_then(|range| Self::parse(range).ok())
                == Some(self)
    }

    /// Whether a group lets in this range to SSH and nobody else to anything; it may lack the rule yet.
    pub fn fits(self, group: &SecurityGroup) -> bool {
        let own = |rule: &SecurityGroupRule| rule.remote_group.as_ref() == Some(&group.id);
        group.name == self.group_name()
            && group
                .rules
                .iter()
                .filter(|rule| rule.direction == Direction::Ingress)
                .all(|rule| own(rule) || self.is_admitted_by(rule))
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// This computer's own address, where the world sees the same one: none behind a router or proxy that hides it.
/// Nothing is sent, and nobody is asked.
pub fn own_address() -> Option<IpAddr> {
    // Documentation addresses (RFC 5737, RFC 3849): the system only looks up which way it would go.
    let ways = [("0.0.0.0:0", "198.51.100.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    ways.into_iter().find_map(|(from, to)| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        let own = socket.local_addr().ok()?.ip();
        is_seen_by_all(own).then_some(own)
    })
}

fn is_seen_by_all(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            // 100.64.0.0/10: addresses that a provider shares out behind its own router.
            let shared = first == 100 && (64..128).contains(&second);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_documentation()
                || shared)
        }
        IpAddr::V6(v6) => v6
            .segments()
            .first()
            .is_some_and(|first| first & 0xe000 == 0x2000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_or_without_its_range() {
        let text = |text: &str| Range::parse(text).map(|range| range.to_string()).ok();
        assert_eq!(text(" 203.0.113.7 ").as_deref(), Some("203.0.113.7/32"));
        assert_eq!(text("203.0.113.77/24").as_deref(), Some("203.0.113.0/24"));
        assert_eq!(text("2001:db8::1").as_deref(), Some("2001:db8::1/128"));
        assert_eq!(text("2001:db8:0:5::1/64").as_deref(), Some("2001:db8:0:5::/64"));
        for none in [
            "",
            "home",
            "203.0.113",
            "203.0.113.7/33",
            "0.0.0.0",
            "127.0.0.1",
            "fe80::1",
            "224.0.0.1",
        ] {
            assert_eq!(
                Range::parse(none).unwrap_err().code,
                Code::AddressInvalid,
                "{none}"
            );
        }
        for wide in ["203.0.0.0/16", "198.51.100.1/0", "2001:db8::/32"] {
            assert_eq!(
                Range::parse(wide).unwrap_err().code,
                Code::AddressTooWide,
                "{wide}"
            );
        }
    }

    #[test]
    fn a_groups_name_is_one_that_the_cloud_takes() {
        let longest = "2001:1db8:2222:3333:4444:5555:6666:7777";
        for text in ["203.0.113.7", "203.0.113.0/24", longest] {
            let name = Range::parse(text).unwrap().group_name();
            assert!(name.len() <= 64 && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)));
        }
    }

    #[test]
    fn a_group_that_lets_others_in_too_is_not_taken() {
        let range = Range::parse("203.0.113.7").unwrap();
        let group = |more: &str| -> SecurityGroup {
            let own = r#"{"id":"r-1","direction":"ingress","remote_group_id":"g"}"#;
            let text = format!(
                r#"{{"id":"g","name":"wangcheng-ssh-203.0.113.7","security_group_rules":[{own}{more}]}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        assert!(range.fits(&group("")), "the rule may come yet");
        let ours = r#",{"id":"r-2","direction":"ingress","protocol":"tcp","port_range_min":22,"port_range_max":22,"remote_ip_prefix":"203.0.113.7/32"}"#;
        assert!(range.fits(&group(ours)));
        let world = r#",{"id":"r-3","direction":"ingress","protocol":"tcp","port_range_min":22,"port_range_max":22,"remote_ip_prefix":"0.0.0.0/0"}"#;
        assert!(!range.fits(&group(world)));
        let all = r#",{"id":"r-4","direction":"ingress"}"#;
        assert!(!range.fits(&group(all)));
    }

    #[test]
    fn an_address_that_others_do_not_see_is_not_told_as_ones_own() {
        for hidden in [
            "192.168.1.2",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "fe80::1",
            "fd00::1",
        ] {
            assert!(!is_seen_by_all(hidden.parse().unwrap()), "{hidden}");
        }
        for seen in ["8.8.8.8", "100.128.0.1", "2400:1::1"] {
            assert!(is_seen_by_all(seen.parse().unwrap()), "{seen}");
        }
    }
}
