//! Where each service of each region is reached.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::error::{Error, ErrorKind};
use crate::ids::RegionId;

const ACTION: &str = "endpoints";
const BUILTIN: &str = include_str!("../data/endpoints.json");
/// From public pages; the vendor's SDK does not list it.
const BSS_INTERNATIONAL: &str = "https://bss-intl.myhuaweicloud.com";

/// A service of Huawei Cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Service {
    /// Servers.
    Ecs,
    /// Disks.
    Evs,
    /// Images.
    Ims,
    /// Networks.
    Vpc,
    /// Public addresses; on the VPC host.
    Eip,
    /// Key pairs; on the host of the key management service (KMS).
    #[serde(alias = "kms")]
    Kps,
    /// Prices and bills; global.
    Bss,
    /// Users and projects; global, with regional hosts beside it.
    Iam,
    /// Who am I; in some regions only.
    Sts,
    /// Audit traces.
    Cts,
    /// Tags across services; global.
    Tms,
    /// Enterprise projects; global.
    Eps,
    /// Metrics.
    Ces,
    /// Object storage. Its URL is the region's; a bucket goes in front of the host.
    Obs,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ecs => "ECS",
            Self::Evs => "EVS",
            Self::Ims => "IMS",
            Self::Vpc => "VPC",
            Self::Eip => "EIP",
            Self::Kps => "KPS",
            Self::Bss => "BSS",
            Self::Iam => "IAM",
            Self::Sts => "STS",
            Self::Cts => "CTS",
            Self::Tms => "TMS",
            Self::Eps => "EPS",
            Self::Ces => "CES",
            Self::Obs => "OBS",
        })
    }
}

/// A region and the endpoints of its services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// The region's id.
    pub id: RegionId,
    /// Its Chinese name, where one is known.
    pub name_zh: Option<String>,
    /// Its English name, where one is known.
    pub name_en: Option<String>,
    /// Scheme, host and port of each service. Of [`Service::Eip`] that of [`Service::Vpc`] is taken if it is
    /// missing here.
    pub endpoints: BTreeMap<Service, Url>,
}

/// The table of regions.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// Hosts that serve the built-in regions all together.
    global: BTreeMap<Service, Url>,
    regions: BTreeMap<RegionId, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    region: Region,
    /// A region that was added must not reach the vendor's global hosts: other keys are valid there.
    uses_global: bool,
}

#[derive(Deserialize)]
struct Table {
    global: BTreeMap<Service, Url>,
    regions: Vec<Region>,
}

impl Endpoints {
    /// An empty table, for [`Self::with_region`].
    pub fn empty() -> Self {
        Self::default()
    }

    /// The public regions, with the endpoints from the vendor's SDK.
    pub fn builtin() -> Self {
        // The file is part of the program and a test reads it; were it damaged, no region would be known.
        let Ok(table) = serde_json::from_str::<Table>(BUILTIN) else {
            return Self::default();
        };
        let regions = table
            .regions
            .into_iter()
            .map(|region| {
                (
                    region.id.clone(),
                    Entry {
                        region,
                        uses_global: true,
                    },
                )
            })
            .collect();
        Self {
            global: table.global,
            regions,
        }
    }

    /// Adds a region (or replaces one) whose services are all reached at the endpoints given with it: a
    /// private cloud, or a stand-in for tests and demonstrations. A service that is missing there is not
    /// supported in it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if an endpoint is more than scheme, host and port, or is plain HTTP and not on
    /// the loopback interface.
    pub fn with_region(mut self, region: Region) -> Result<Self, Error> {
        for (service, url) in &region.endpoints {
            check(*service, url)?;
        }
        self.regions.insert(
            region.id.clone(),
            Entry {
                region,
                uses_global: false,
            },
        );
        Ok(self)
    }

    /// The same table with another endpoint for one service of one region: a stand-in, a private address of the
    /// cloud, or one that the table lacks. The other services stay as they are.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the region is not known, [`ErrorKind::Invalid`] as in [`Self::with_region`].
    pub fn with_endpoint(mut self, region: &RegionId, service: Service, url: Url) -> Result<Self, Error> {
        check(service, &url)?;
        match self.regions.get_mut(region) {
            Some(entry) => {
                entry.region.endpoints.insert(service, url);
                Ok(self)
            }
            None => {
                let message = format!("region {region} is not known");
                Err(Error::local(
                    ErrorKind::Unsupported,
                    Some(service),
                    ACTION,
                    message,
                ))
            }
        }
    }

    /// The same table with another host for a service of all built-in regions together (BSS, IAM, STS, TMS, EPS),
    /// where a region has none of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] as in [`Self::with_region`].
    pub fn with_global(mut self, service: Service, url: Url) -> Result<Self, Error> {
        check(service, &url)?;
        self.global.insert(service, url);
        Ok(self)
    }

    /// The same regions, for accounts of the international site: their prices and bills are kept at another
    /// host. An account of the other site is told so with `CBC.0150` or `CBC.0156` ([`ErrorKind::Auth`]).
    #[must_use]
    pub fn for_international_site(mut self) -> Self {
        if let Ok(url) = Url::parse(BSS_INTERNATIONAL) {
            self.global.insert(Service::Bss, url);
        }
        self
    }

    /// All regions, by id.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.values().map(|entry| &entry.region)
    }

    /// Where a service is reached for a region.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the region is not known or does not have the service.
    pub fn url(&self, service: Service, region: &RegionId) -> Result<&Url, Error> {
        let missing = || {
            let message = format!("no {service} endpoint is known for region {region}");
            Error::local(ErrorKind::Unsupported, Some(service), ACTION, message)
        };
        let entry = self.regions.get(region).ok_or_else(missing)?;
        let own = |service| entry.region.endpoints.get(&service);
        own(service)
            .or_else(|| {
                if service == Service::Eip {
                    own(Service::Vpc)
                } else {
                    None
                }
            })
            .or_else(|| {
                if entry.uses_global {
                    self.global.get(&service)
                } else {
                    None
                }
            })
            .ok_or_else(missing)
    }
}

fn check(service: Service, url: &Url) -> Result<(), Error> {
    let complaint = if url.host().is_none() || !matches!(url.scheme(), "https" | "http") {
        "is not an HTTP address"
    } else if url.scheme() == "http" && !is_loopback(url) {
        "is not encrypted and not on this machine"
    } else if !url.username().is_empty() || url.password().is_some() {
        "contains a login"
    } else if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        "has more than scheme, host and port"
    } else {
        return Ok(());
    };
    let message = format!("the {service} endpoint {complaint}");
    Err(Error::local(ErrorKind::Invalid, Some(service), ACTION, message))
}

/// Whether a URL stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Service; 14] = [
        Service::Ecs,
        Service::Evs,
        Service::Ims,
        Service::Vpc,
        Service::Eip,
        Service::Kps,
        Service::Bss,
        Service::Iam,
        Service::Sts,
        Service::Cts,
        Service::Tms,
        Service::Eps,
        Service::Ces,
        Service::Obs,
    ];

    fn region(endpoints: &[(Service, &str)]) -> Region {
        Region {
            id: "sandbox-1".into(),
            name_zh: None,
            name_en: None,
            endpoints: endpoints
                .iter()
                .map(|(service, url)| (*service, Url::parse(url).unwrap()))
                .collect(),
        }
    }

    #[test]
    fn the_builtin_table_is_whole_and_encrypted() {
        let endpoints = Endpoints::builtin();
        assert_eq!(endpoints.regions().count(), 35);
        for region in endpoints.regions() {
            for (service, url) in &region.endpoints {
                check(*service, url).unwrap();
                assert_eq!(url.scheme(), "https", "{}", region.id);
            }
        }
        let beijing = endpoints
            .regions()
            .find(|region| region.id.as_str() == "cn-north-4")
            .unwrap();
        assert_eq!(beijing.name_zh.as_deref(), Some("华北-北京四"));
        assert_eq!(beijing.name_en.as_deref(), Some("CN North-Beijing4"));
    }

    #[test]
    fn services_that_live_on_other_hosts_are_found_there() {
        let endpoints = Endpoints::builtin();
        let host = |service, region: &str| {
            endpoints
                .url(service, &region.into())
                .unwrap()
                .host_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            host(Service::Eip, "cn-north-4"),
            "vpc.cn-north-4.myhuaweicloud.com"
        );
        assert_eq!(
            host(Service::Kps, "cn-north-4"),
            "kms.cn-north-4.myhuaweicloud.com"
        );
        assert_eq!(host(Service::Bss, "cn-north-4"), "bss.myhuaweicloud.com");
        assert_eq!(
            host(Service::Sts, "cn-east-2"),
            "sts.cn-north-4.myhuaweicloud.com"
        );
        assert_eq!(host(Service::Iam, "cn-north-11"), "iam.myhuaweicloud.com");
        assert_eq!(
            host(Service::Tms, "eu-west-101"),
            "tms.eu-west-101.myhuaweicloud.eu"
        );
        let international = Endpoints::builtin().for_international_site();
        let bss = international.url(Service::Bss, &"ap-southeast-3".into()).unwrap();
        assert_eq!(bss.host_str(), Some("bss-intl.myhuaweicloud.com"));
    }

    #[test]
    fn every_endpoint_of_every_region_can_be_replaced_by_itself() {
        let ids: Vec<RegionId> = Endpoints::builtin()
            .regions()
            .map(|region| region.id.clone())
            .collect();
        let mine: Url = "https://stand-in.example.test:8443".parse().unwrap();
        for id in &ids {
            for service in ALL {
                let before = Endpoints::builtin();
                let after = before.clone().with_endpoint(id, service, mine.clone()).unwrap();
                assert_eq!(after.url(service, id).unwrap(), &mine, "{service} of {id}");
                for other in ALL.into_iter().filter(|other| *other != service) {
                    // EIP lives at the VPC's address where it has none of its own.
                    if (service, other) != (Service::Vpc, Service::Eip) {
                        assert_eq!(
                            after.url(other, id).ok(),
                            before.url(other, id).ok(),
                            "{other} of {id}"
                        );
                    }
                }
            }
        }
        let refused = Endpoints::builtin().with_endpoint(&"nowhere".into(), Service::Ecs, mine);
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Unsupported);
        let open: Url = "http://ecs.example.test".parse().unwrap();
        let refused = Endpoints::builtin().with_endpoint(&"cn-north-4".into(), Service::Ecs, open.clone());
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
        assert_eq!(
            Endpoints::builtin()
                .with_global(Service::Bss, open)
                .unwrap_err()
                .kind,
            ErrorKind::Invalid
        );
    }

    #[test]
    fn a_global_host_can_be_replaced_for_the_regions_that_use_it() {
        let mine: Url = "https://bss.example.test".parse().unwrap();
        let endpoints = Endpoints::builtin()
            .with_global(Service::Bss, mine.clone())
            .unwrap()
            .with_region(region(&[(Service::Ecs, "https://ecs.example.test")]))
            .unwrap();
        assert_eq!(endpoints.url(Service::Bss, &"cn-north-4".into()).unwrap(), &mine);
        let private = endpoints.url(Service::Bss, &"sandbox-1".into());
        assert!(
            private.is_err(),
            "a private cloud's key must not go to another's host"
        );
    }

    #[test]
    fn an_added_region_never_falls_back_to_the_vendors_global_hosts() {
        let endpoints = Endpoints::builtin()
            .with_region(region(&[
                (Service::Ecs, "http://127.0.0.1:4000"),
                (Service::Vpc, "http://[::1]:4001"),
            ]))
            .unwrap();
        let id = RegionId::from("sandbox-1");
        assert_eq!(endpoints.url(Service::Eip, &id).unwrap().port(), Some(4001));
        assert_eq!(
            endpoints.url(Service::Iam, &id).unwrap_err().kind,
            ErrorKind::Unsupported
        );
        assert_eq!(
            endpoints.url(Service::Ecs, &"nowhere".into()).unwrap_err().kind,
            ErrorKind::Unsupported
        );
    }

    #[test]
    fn keys_are_never_sent_unencrypted_over_a_network() {
        for url in [
            "http://10.0.0.1",
            "http://ecs.example.test",
            "http://127.0.0.1.example.test",
            "ftp://127.0.0.1",
            "https://user@ecs.example.test",
            "https://ecs.example.test/prefix",
            "https://ecs.example.test/?a=b",
        ] {
            let refused = Endpoints::empty()
                .with_region(region(&[(Service::Ecs, url)]))
                .unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Invalid, "{url}");
        }
        for url in [
            "http://127.0.0.1:1",
            "http://localhost:2",
            "http://[::1]",
            "https://ecs.example.test:8443",
        ] {
            Endpoints::empty()
                .with_region(region(&[(Service::Ecs, url)]))
                .unwrap();
        }
    }

    #[test]
    fn a_region_can_be_read_from_json_with_the_host_name_of_the_key_service() {
        let json = r#"{"id":"sandbox-1","name_zh":"演示区域 1","name_en":"Sandbox region 1",
                       "endpoints":{"kms":"http://127.0.0.1:9","ecs":"http://127.0.0.1:8"}}"#;
        let region: Region = serde_json::from_str(json).unwrap();
        assert!(region.endpoints.contains_key(&Service::Kps));
    }
}
