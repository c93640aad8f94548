//! What the project may have at a time, and what of it is in use.

use crate::{catalogue, world::Region};

pub(super) const SERVERS: usize = 20;
pub(super) const CORES: u32 = 80;
pub(super) const RAM_MB: u32 = 320 * 1024;
pub(super) const ADDRESSES: usize = 20;
pub(super) const DISKS: usize = 60;
pub(super) const GIGABYTES: u32 = 65_536;
pub(super) const SECURITY_GROUPS: usize = 20;
pub(super) const RULES: usize = 200;
pub(super) const VPCS: usize = 5;
pub(super) const SUBNETS: usize = 100;

/// Servers, virtual CPUs and megabytes of memory in use.
pub(super) fn servers(region: &Region) -> (usize, u32, u32) {
    let flavors = || {
        region
            .servers
            .values()
            .filter_map(|server| catalogue::flavor(&server.flavor))
    };
    (
        region.servers.len(),
        flavors().map(|flavor| flavor.vcpus).sum(),
        flavors().map(|flavor| flavor.ram_mb).sum(),
    )
}

/// Gigabytes of all disks.
pub(super) fn gigabytes(region: &Region) -> u32 {
    region.volumes.values().map(|volume| volume.size_gb).sum()
}

/// Rules of all security groups.
pub(super) fn rules(region: &Region) -> usize {
    region.security_groups.iter().map(|group| group.rules.len()).sum()
}
