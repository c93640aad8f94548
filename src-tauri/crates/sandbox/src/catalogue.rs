//! What the demo region sells: availability zones, flavors, images, disk types, bandwidth, and what they cost.
//!
//! All prices are EXAMPLES: plausible in size and in their relations to each other, taken from no price list.

use rust_decimal::Decimal;

/// Whether a flavor or disk type can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sale {
    Normal,
    SoldOut,
    Abandoned,
}

impl Sale {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::SoldOut => "sellout",
            Self::Abandoned => "abandon",
        }
    }
}

/// Last letters of a region's availability zones.
pub(crate) const ZONES: [&str; 3] = ["a", "b", "c"];

/// A processor architecture; images and flavors must have the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    X86,
    Arm,
}

#[derive(Debug)]
pub(crate) struct Flavor {
    pub(crate) id: &'static str,
    pub(crate) vcpus: u32,
    pub(crate) ram_mb: u32,
    pub(crate) generation: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) architecture: Architecture,
    pub(crate) cpu: &'static str,
    pub(crate) bandwidth_mbps: u32,
    /// In the region as a whole.
    pub(crate) sale: Sale,
    /// Zones (last letter) where it is otherwise.
    pub(crate) exceptions: &'static [(&'static str, Sale)],
    /// Example price of an hour with Linux, in yuan, in units of 10⁻⁴.
    price: i64,
    /// Scheduled deletion is not to be had with it (the cloud refuses it for some kinds of servers).
    pub(crate) leasable: bool,
    /// Has disks of its own beside those of the disk service.
    local_disks: bool,
}

impl Flavor {
    pub(crate) fn sale_in(&self, zone: &str) -> Sale {
        self.exceptions
            .iter()
            .find(|(letter, _)| zone.ends_with(letter))
            .map_or(self.sale, |(_, sale)| *sale)
    }

    /// Local disks go on costing while the server is stopped, with everything else of it.
    pub(crate) fn charged_while_stopped(&self) -> bool {
        self.local_disks
    }

    /// Example list price of an hour in yuan.
    pub(crate) fn hour(&self, os: Os) -> Decimal {
        let linux = Decimal::new(self.price, 4);
        match os {
            Os::Linux => linux,
            Os::Windows => linux + Decimal::new(1700, 4) * Decimal::from(self.vcpus),
        }
    }
}

const fn x86(
    id: &'static str,
    vcpus: u32,
    ram_gb: u32,
    generation: &'static str,
    kind: &'static str,
    price: i64,
) -> Flavor {
    Flavor {
        id,
        vcpus,
        ram_mb: ram_gb * 1024,
        generation,
        kind,
        architecture: Architecture::X86,
        cpu: "Intel Cascade Lake 2.6GHz",
        bandwidth_mbps: 1000 + 500 * vcpus,
        sale: Sale::Normal,
        exceptions: &[],
        price,
        leasable: true,
        local_disks: false,
    }
}

const fn amd(id: &'static str, vcpus: u32, ram_gb: u32, price: i64) -> Flavor {
    Flavor {
        cpu: "AMD EPYC 2.5GHz",
        ..x86(id, vcpus, ram_gb, "ac7", "computingv3", price)
    }
}

const fn gpu(id: &'static str, vcpus: u32, ram_gb: u32, generation: &'static str, price: i64) -> Flavor {
    Flavor {
        // Cards are few: one zone has them.
        exceptions: &[("b", Sale::SoldOut), ("c", Sale::SoldOut)],
        ..x86(id, vcpus, ram_gb, generation, "gpu", price)
    }
}

const fn arm(id: &'static str, vcpus: u32, ram_gb: u32, generation: &'static str, price: i64) -> Flavor {
    Flavor {
        architecture: Architecture::Arm,
        cpu: "Huawei Kunpeng 920 2.6GHz",
        // Kunpeng stands in two of the three zones.
        exceptions: &[("c", Sale::SoldOut)],
        ..x86(id, vcpus, ram_gb, generation, "kunpeng_computing", price)
    }
}

pub(crate) static FLAVORS: &[Flavor] = &[
    x86("s6.small.1", 1, 1, "s6", "normal", 900),
    x86("s6.medium.2", 1, 2, "s6", "normal", 1500),
    x86("s6.large.2", 2, 4, "s6", "normal", 3100),
    x86("s6.xlarge.2", 4, 8, "s6", "normal", 6200),
    Flavor {
        exceptions: &[("b", Sale::SoldOut)],
        ..x86("c6.large.2", 2, 4, "c6", "computingv3", 4300)
    },
    x86("c6.xlarge.4", 4, 16, "c6", "computingv3", 10_500),
    x86("c6.2xlarge.4", 8, 32, "c6", "computingv3", 21_000),
    x86("m6.large.8", 2, 16, "m6", "highmem", 6900),
    x86("m6.xlarge.8", 4, 32, "m6", "highmem", 13_800),
    arm("kc1.large.2", 2, 4, "kc1", 3400),
    arm("kc1.xlarge.4", 4, 16, "kc1", 8600),
    Flavor {
        sale: Sale::SoldOut,
        ..x86("c7.large.2", 2, 4, "c7", "computingv3", 4600)
    },
    Flavor {
        sale: Sale::Abandoned,
        ..x86("s3.large.2", 2, 4, "s3", "normal", 2900)
    },
    Flavor {
        leasable: false,
        local_disks: true,
        ..x86("d6.xlarge.4", 4, 16, "d6", "diskintensive", 15_200)
    },
    x86("s6.large.4", 2, 8, "s6", "normal", 4300),
    x86("s6.xlarge.4", 4, 16, "s6", "normal", 8600),
    x86("s6.2xlarge.2", 8, 16, "s6", "normal", 12_400),
    x86("s6.2xlarge.4", 8, 32, "s6", "normal", 17_200),
    x86("s7.small.1", 1, 1, "s7", "normal", 1000),
    x86("s7.medium.2", 1, 2, "s7", "normal", 1650),
    x86("s7.large.2", 2, 4, "s7", "normal", 3300),
    x86("s7.large.4", 2, 8, "s7", "normal", 4600),
    x86("s7.xlarge.2", 4, 8, "s7", "normal", 6600),
    x86("s7.xlarge.4", 4, 16, "s7", "normal", 9200),
    x86("s7.2xlarge.2", 8, 16, "s7", "normal", 13_200),
    x86("c6.xlarge.2", 4, 8, "c6", "computingv3", 8600),
    x86("c6.large.4", 2, 8, "c6", "computingv3", 5300),
    x86("c6.2xlarge.2", 8, 16, "c6", "computingv3", 17_200),
    x86("c6.4xlarge.2", 16, 32, "c6", "computingv3", 34_400),
    Flavor {
        exceptions: &[("c", Sale::SoldOut)],
        ..x86("c7.large.4", 2, 8, "c7", "computingv3", 5800)
    },
    x86("c7.xlarge.2", 4, 8, "c7", "computingv3", 9200),
    x86("c7.xlarge.4", 4, 16, "c7", "computingv3", 11_600),
    x86("c7.2xlarge.2", 8, 16, "c7", "computingv3", 18_400),
    x86("c7.4xlarge.4", 16, 64, "c7", "computingv3", 46_400),
    x86("m6.2xlarge.8", 8, 64, "m6", "highmem", 27_600),
    x86("m7.large.8", 2, 16, "m7", "highmem", 7400),
    x86("m7.xlarge.8", 4, 32, "m7", "highmem", 14_800),
    Flavor {
        exceptions: &[("a", Sale::SoldOut), ("b", Sale::SoldOut)],
        ..x86("m7.2xlarge.8", 8, 64, "m7", "highmem", 29_600)
    },
    amd("ac7.large.2", 2, 4, 3900),
    amd("ac7.xlarge.2", 4, 8, 7800),
    amd("ac7.2xlarge.4", 8, 32, 19_000),
    arm("kc1.small.1", 1, 1, "kc1", 1100),
    arm("kc1.large.4", 2, 8, "kc1", 4400),
    arm("kc1.xlarge.2", 4, 8, "kc1", 6800),
    arm("kc1.2xlarge.2", 8, 16, "kc1", 13_600),
    arm("km1.large.8", 2, 16, "km1", 6000),
    gpu("pi2.2xlarge.4", 8, 32, "pi2", 98_000),
    gpu("p2s.2xlarge.8", 8, 64, "p2s", 228_000),
    Flavor {
        sale: Sale::Abandoned,
        ..x86("c3.xlarge.2", 4, 8, "c3", "computingv3", 8200)
    },
    Flavor {
        sale: Sale::Abandoned,
        ..x86("m3.large.8", 2, 16, "m3", "highmem", 6600)
    },
    Flavor {
        leasable: false,
        local_disks: true,
        ..x86("ir3.large.4", 2, 8, "ir3", "highio", 7900)
    },
];

pub(crate) fn flavor(id: &str) -> Option<&'static Flavor> {
    FLAVORS.iter().find(|flavor| flavor.id == id)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Os {
    Linux,
    Windows,
}

impl Os {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) platform: &'static str,
    pub(crate) version: &'static str,
    pub(crate) os: Os,
    pub(crate) architecture: Architecture,
    pub(crate) min_disk_gb: u32,
    pub(crate) created: &'static str,
    /// `__support_fc_inject`: files are put in from outside and cloud-init gets nothing.
    pub(crate) file_injection: bool,
}

pub(crate) const UBUNTU_24: &str = "1a9e0000-0000-4000-8000-0000000000a1";

/// An image of a Linux distribution for x86.
const fn linux(id: &'static str, platform: &'static str, name: &'static str, created: &'static str) -> Image {
    Image {
        id,
        name,
        platform,
        version: name,
        os: Os::Linux,
        architecture: Architecture::X86,
        min_disk_gb: 40,
        created,
        file_injection: false,
    }
}

const fn kunpeng(image: Image) -> Image {
    Image {
        architecture: Architecture::Arm,
        ..image
    }
}

const fn windows(id: &'static str, name: &'static str, created: &'static str) -> Image {
    Image {
        os: Os::Windows,
        min_disk_gb: 60,
        ..linux(id, "Windows", name, created)
    }
}

/// Newest of a distribution first.
pub(crate) static IMAGES: &[Image] = &[
    linux(
        UBUNTU_24,
        "Ubuntu",
        "Ubuntu 24.04 server 64bit",
        "2025-11-20T03:00:00Z",
    ),
    linux(
        "1a9e0000-0000-4000-8000-0000000000a2",
        "Ubuntu",
        "Ubuntu 22.04 server 64bit",
        "2025-10-16T03:00:00Z",
    ),
    Image {
        version: "Debian GNU/Linux 12.0.0 64bit",
        ..linux(
            "1a9e0000-0000-4000-8000-0000000000b1",
            "Debian",
            "Debian 12.0.0 64bit",
            "2025-09-11T03:00:00Z",
        )
    },
    Image {
        version: "Huawei Cloud EulerOS 2.0 64bit",
        ..linux(
            "1a9e0000-0000-4000-8000-0000000000c1",
            "Huawei Cloud EulerOS",
            "Huawei Cloud EulerOS 2.0 Standard 64 bit",
            "2025-11-05T03:00:00Z",
        )
    },
    kunpeng(Image {
        version: "Huawei Cloud EulerOS 2.0 64bit",
        ..linux(
            "1a9e0000-0000-4000-8000-0000000000c2",
            "Huawei Cloud EulerOS",
            "Huawei Cloud EulerOS 2.0 Standard 64 bit for kunpeng",
            "2025-11-05T03:00:00Z",
        )
    }),
    kunpeng(Image {
        version: "Ubuntu 24.04 server 64bit",
        ..linux(
            "1a9e0000-0000-4000-8000-0000000000a3",
            "Ubuntu",
            "Ubuntu 24.04 server 64bit for kunpeng",
            "2025-11-20T03:00:00Z",
        )
    }),
    Image {
        version: "Windows Server 2022 Datacenter 64bit",
        ..windows(
            "1a9e0000-0000-4000-8000-0000000000d1",
            "Windows Server 2022 Datacenter 64bit English",
            "2025-08-21T03:00:00Z",
        )
    },
    linux(
        "1a9e0000-0000-4000-8000-0000000000a4",
        "Ubuntu",
        "Ubuntu 20.04 server 64bit",
        "2025-03-13T03:00:00Z",
    ),
    Image {
        version: "Debian GNU/Linux 11.1.0 64bit",
        ..linux(
            "1a9e0000-0000-4000-8000-0000000000b2",
            "Debian",
            "Debian 11.1.0 64bit",
            "2025-02-20T03:00:00Z",
        )
    },
    linux(
        "1a9e0000-0000-4000-8000-0000000000e1",
        "CentOS",
        "CentOS Stream 9 64bit",
        "2025-07-17T03:00:00Z",
    ),
    // An old one: what is put in goes in as files, and cloud-init never runs.
    Image {
        file_injection: true,
        ..linux(
            "1a9e0000-0000-4000-8000-0000000000e2",
            "CentOS",
            "CentOS 7.9 64bit",
            "2024-04-18T03:00:00Z",
        )
    },
    linux(
        "1a9e0000-0000-4000-8000-0000000000f1",
        "openEuler",
        "openEuler 24.03 64bit",
        "2025-06-26T03:00:00Z",
    ),
    kunpeng(Image {
        version: "openEuler 24.03 64bit",
        ..linux(
            "1a9e0000-0000-4000-8000-0000000000f2",
            "openEuler",
            "openEuler 24.03 64bit for kunpeng",
            "2025-06-26T03:00:00Z",
        )
    }),
    linux(
        "1a9e0000-0000-4000-8000-0000000000f3",
        "openEuler",
        "openEuler 22.03 64bit",
        "2025-01-16T03:00:00Z",
    ),
    linux(
        "1a9e0000-0000-4000-8000-000000000101",
        "AlmaLinux",
        "AlmaLinux 9.4 64bit",
        "2025-05-22T03:00:00Z",
    ),
    kunpeng(Image {
        version: "Debian GNU/Linux 12.0.0 64bit",
        ..linux(
            "1a9e0000-0000-4000-8000-0000000000b3",
            "Debian",
            "Debian 12.0.0 64bit for kunpeng",
            "2025-09-11T03:00:00Z",
        )
    }),
    Image {
        version: "Windows Server 2019 Datacenter 64bit",
        ..windows(
            "1a9e0000-0000-4000-8000-0000000000d2",
            "Windows Server 2019 Datacenter 64bit English",
            "2025-08-21T03:00:00Z",
        )
    },
    Image {
        version: "Windows Server 2022 Datacenter 64bit",
        ..windows(
            "1a9e0000-0000-4000-8000-0000000000d3",
            "Windows Server 2022 数据中心版 64位简体中文",
            "2025-08-21T03:00:00Z",
        )
    },
];

pub(crate) fn image(id: &str) -> Option<&'static Image> {
    IMAGES.iter().find(|image| image.id == id)
}

#[derive(Debug)]
pub(crate) struct DiskType {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// Zones (last letter) in which it is sold out.
    pub(crate) sold_out: &'static [&'static str],
    /// Example price of a GB for an hour, in yuan, in units of 10⁻⁷.
    price: i64,
    /// Has to be ordered with IOPS, and with throughput where the second is true.
    pub(crate) tuned: (bool, bool),
}

impl DiskType {
    /// Example list price of a GB for an hour in yuan.
    pub(crate) fn gb_hour(&self) -> Decimal {
        Decimal::new(self.price, 7)
    }
}

pub(crate) static DISK_TYPES: &[DiskType] = &[
    DiskType {
        id: "d15c0000-0000-4000-8000-000000000001",
        name: "SAS",
        sold_out: &[],
        price: 4900,
        tuned: (false, false),
    },
    DiskType {
        id: "d15c0000-0000-4000-8000-000000000002",
        name: "GPSSD",
        sold_out: &[],
        price: 9800,
        tuned: (false, false),
    },
    DiskType {
        id: "d15c0000-0000-4000-8000-000000000003",
        name: "SSD",
        sold_out: &[],
        price: 14_000,
        tuned: (false, false),
    },
    DiskType {
        id: "d15c0000-0000-4000-8000-000000000004",
        name: "ESSD",
        sold_out: &["c"],
        price: 28_000,
        tuned: (false, false),
    },
    DiskType {
        id: "d15c0000-0000-4000-8000-000000000005",
        name: "GPSSD2",
        sold_out: &[],
        price: 10_500,
        tuned: (true, true),
    },
    DiskType {
        id: "d15c0000-0000-4000-8000-000000000006",
        name: "ESSD2",
        sold_out: &["b", "c"],
        price: 31_000,
        tuned: (true, false),
    },
];

pub(crate) fn disk_type(name: &str) -> Option<&'static DiskType> {
    DISK_TYPES.iter().find(|disk_type| disk_type.name == name)
}

/// Example list price of an hour of `mbps` Mbit/s paid by bandwidth: cheap up to five, dear above.
pub(crate) fn bandwidth_hour(mbps: u32) -> Decimal {
    let (cheap, dear) = (mbps.min(5), mbps.saturating_sub(5));
    Decimal::new(63, 3) * Decimal::from(cheap) + Decimal::new(25, 2) * Decimal::from(dear)
}

/// Example list price of a GB that leaves through a bandwidth paid by traffic.
pub(crate) fn traffic_gb() -> Decimal {
    Decimal::new(80, 2)
}

/// Example list price of an hour in which an EIP is held without being bound.
pub(crate) fn idle_address_hour() -> Decimal {
    Decimal::new(2, 2)
}

/// What the demo account pays of a server's list price, so that price and list price can be told apart.
pub(crate) fn server_discount() -> Decimal {
    Decimal::new(90, 2)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_is_a_choice_and_nothing_is_there_twice() {
        let ids: BTreeSet<&str> = FLAVORS.iter().map(|flavor| flavor.id).collect();
        assert!(ids.len() >= 40, "{}", ids.len());
        assert_eq!(ids.len(), FLAVORS.len(), "an id names one flavor");
        let generations: BTreeSet<&str> = FLAVORS.iter().map(|flavor| flavor.generation).collect();
        for family in ["s6", "s7", "c6", "c7", "m6", "m7", "ac7", "kc1", "pi2"] {
            assert!(generations.contains(family), "{family}");
        }
        assert!(FLAVORS.iter().any(|flavor| flavor.sale == Sale::Abandoned));
        assert!(
            FLAVORS
                .iter()
                .any(|flavor| flavor.sale_in("sandbox-1b") == Sale::SoldOut)
        );
        assert!(FLAVORS.iter().any(Flavor::charged_while_stopped));
        assert!(
            FLAVORS
                .iter()
                .all(|flavor| flavor.hour(Os::Linux) > Decimal::ZERO)
        );

        let ids: BTreeSet<&str> = IMAGES.iter().map(|image| image.id).collect();
        assert_eq!(ids.len(), IMAGES.len(), "an id names one image");
        assert!(IMAGES.iter().any(|image| image.file_injection));
    }

    #[test]
    fn more_of_the_same_family_costs_more() {
        for one in FLAVORS {
            for other in FLAVORS.iter().filter(|other| other.generation == one.generation) {
                if one.vcpus <= other.vcpus && one.ram_mb < other.ram_mb {
                    assert!(
                        one.hour(Os::Linux) < other.hour(Os::Linux),
                        "{} {}",
                        one.id,
                        other.id
                    );
                }
            }
        }
    }
}
