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
}

impl Flavor {
    pub(crate) fn sale_in(&self, zone: &str) -> Sale {
        self.exceptions
            .iter()
            .find(|(letter, _)| zone.ends_with(letter))
            .map_or(self.sale, |(_, sale)| *sale)
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
    }
}

const fn arm(id: &'static str, vcpus: u32, ram_gb: u32, price: i64) -> Flavor {
    Flavor {
        architecture: Architecture::Arm,
        cpu: "Huawei Kunpeng 920 2.6GHz",
        // Kunpeng stands in two of the three zones.
        exceptions: &[("c", Sale::SoldOut)],
        ..x86(id, vcpus, ram_gb, "kc1", "kunpeng_computing", price)
    }
}

pub(crate) static FLAVORS: [Flavor; 14] = [
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
    arm("kc1.large.2", 2, 4, 3400),
    arm("kc1.xlarge.4", 4, 16, 8600),
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
        ..x86("d6.xlarge.4", 4, 16, "d6", "diskintensive", 15_200)
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
}

pub(crate) const UBUNTU_24: &str = "1a9e0000-0000-4000-8000-0000000000a1";

pub(crate) static IMAGES: [Image; 7] = [
    Image {
        id: UBUNTU_24,
        name: "Ubuntu 24.04 server 64bit",
        platform: "Ubuntu",
        version: "Ubuntu 24.04 server 64bit",
        os: Os::Linux,
        architecture: Architecture::X86,
        min_disk_gb: 40,
        created: "2025-11-20T03:00:00Z",
    },
    Image {
        id: "1a9e0000-0000-4000-8000-0000000000a2",
        name: "Ubuntu 22.04 server 64bit",
        platform: "Ubuntu",
        version: "Ubuntu 22.04 server 64bit",
        os: Os::Linux,
        architecture: Architecture::X86,
        min_disk_gb: 40,
        created: "2025-10-16T03:00:00Z",
    },
    Image {
        id: "1a9e0000-0000-4000-8000-0000000000b1",
        name: "Debian 12.0.0 64bit",
        platform: "Debian",
        version: "Debian GNU/Linux 12.0.0 64bit",
        os: Os::Linux,
        architecture: Architecture::X86,
        min_disk_gb: 40,
        created: "2025-09-11T03:00:00Z",
    },
    Image {
        id: "1a9e0000-0000-4000-8000-0000000000c1",
        name: "Huawei Cloud EulerOS 2.0 Standard 64 bit",
        platform: "Huawei Cloud EulerOS",
        version: "Huawei Cloud EulerOS 2.0 64bit",
        os: Os::Linux,
        architecture: Architecture::X86,
        min_disk_gb: 40,
        created: "2025-11-05T03:00:00Z",
    },
    Image {
        id: "1a9e0000-0000-4000-8000-0000000000c2",
        name: "Huawei Cloud EulerOS 2.0 Standard 64 bit for kunpeng",
        platform: "Huawei Cloud EulerOS",
        version: "Huawei Cloud EulerOS 2.0 64bit",
        os: Os::Linux,
        architecture: Architecture::Arm,
        min_disk_gb: 40,
        created: "2025-11-05T03:00:00Z",
    },
    Image {
        id: "1a9e0000-0000-4000-8000-0000000000a3",
        name: "Ubuntu 24.04 server 64bit for kunpeng",
        platform: "Ubuntu",
        version: "Ubuntu 24.04 server 64bit",
        os: Os::Linux,
        architecture: Architecture::Arm,
        min_disk_gb: 40,
        created: "2025-11-20T03:00:00Z",
    },
    Image {
        id: "1a9e0000-0000-4000-8000-0000000000d1",
        name: "Windows Server 2022 Datacenter 64bit English",
        platform: "Windows",
        version: "Windows Server 2022 Datacenter 64bit",
        os: Os::Windows,
        architecture: Architecture::X86,
        min_disk_gb: 60,
        created: "2025-08-21T03:00:00Z",
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

pub(crate) static DISK_TYPES: [DiskType; 5] = [
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
