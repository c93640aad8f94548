//! What a template becomes in this region: flavor, image, network; what it costs; why it would fail.

use chrono::{DateTime, TimeDelta, Utc};
use huaweicloud::bss::{self, Product};
use huaweicloud::ecs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::catalogue::{Catalogue, Flavor, Image, SecurityGroup, Subnet};
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::money::Money;
use crate::servers::{TAG_INSTALLATION, TAG_OPERATION, TAG_OWNER, TAG_PURPOSE};
use crate::templates::Template;
use crate::{Wangcheng, lease};

/// Longest server name, in characters (<https://support.huaweicloud.com/api-ecs/ecs_02_0101.html>).
const NAME_MOST: usize = 64;
/// Longest tag value.
const TAG_MOST: usize = 43;
/// Disk type of all disks: general-purpose SSD, sold in every zone.
pub(crate) const DISK_TYPE: &str = "GPSSD";
/// Pool of public addresses: dynamic BGP, to be had in every region.
const PUBLIC_POOL: &str = "5_bgp";
/// Public bandwidth that the cloud sells, in Mbit/s.
const MBPS_MOST: u32 = 300;

/// A server asked for. What is left out the template, or else the region, decides.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CreateServer {
    /// Template id.
    pub template: String,
    /// Name of the server.
    pub name: String,
    /// What it is for; may be empty.
    pub purpose: String,
    /// When it shall end.
    pub lease_end: DateTime<Utc>,
    /// Flavor id.
    pub flavor: Option<String>,
    /// Image id.
    pub image: Option<String>,
    /// Availability zone.
    pub zone: Option<String>,
    /// Subnet id.
    pub subnet: Option<String>,
    /// Security group id.
    pub security_group: Option<String>,
    /// Name of a key pair of the cloud's; none: a fresh one, for this server only.
    pub key_pair: Option<String>,
    /// Bandwidth of the public address in Mbit/s; 0: no public address.
    pub public_mbps: Option<u32>,
}

/// Something that stands in the way, or should be known.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The field of [`CreateServer`] it is about.
    pub field: Option<&'static str>,
    /// Creation is refused while it stands.
    pub blocking: bool,
    /// What it is.
    pub failure: Failure,
}

/// A part of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PricePartKind {
    /// Processors and memory.
    Compute,
    /// System disk.
    SystemDisk,
    /// Data disk.
    DataDisk,
    /// Bandwidth of the public address.
    PublicAddress,
}

/// What one part costs.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PricePart {
    /// Which part.
    pub part: PricePartKind,
    /// What is bought, e.g. `s6.large.2` or `GPSSD 40 GB`.
    pub spec: String,
    /// Its price of an hour.
    pub per_hour: Money,
}

/// What a creation would become and cost.
#[derive(Debug, Clone)]
pub struct Quote {
    /// Price of an hour, all parts together.
    pub per_hour: Option<Money>,
    /// Price until the lease ends.
    pub for_lease: Option<Money>,
    /// Length of the lease in hours.
    pub lease_hours: Decimal,
    /// The parts.
    pub parts: Vec<PricePart>,
    /// What stands in the way.
    pub problems: Vec<Problem>,
    /// What was chosen.
    pub choice: Choice,
    /// By the cloud's clock.
    pub as_of: DateTime<Utc>,
}

/// What a request becomes in this region.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The flavor.
    pub flavor: Option<Flavor>,
    /// The image.
    pub image: Option<Image>,
    /// The zone.
    pub zone: Option<String>,
    /// The subnet.
    pub subnet: Option<Subnet>,
    /// The security group.
    pub security_group: Option<SecurityGroup>,
    /// The key pair of the cloud's.
    pub key_pair: Option<String>,
    /// A key pair is made for this server only.
    pub fresh_key: bool,
    /// Public bandwidth in Mbit/s; 0: none.
    pub public_mbps: u32,
}

/// A request that can be sent.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub template: Template,
    pub name: String,
    pub purpose: String,
    pub lease_end: DateTime<Utc>,
    pub flavor: Flavor,
    pub image: Image,
    pub zone: String,
    pub subnet: Subnet,
    pub security_group: Option<SecurityGroup>,
    pub key_pair: Option<String>,
    pub fresh_key: bool,
    pub public_mbps: u32,
}

/// Works out what a request becomes, and everything that stands in the way. No network.
pub(crate) fn plan(
    ask: &CreateServer,
    catalogue: &Catalogue,
    cloud_now: DateTime<Utc>,
) -> (Choice, Option<Plan>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut blocked = |field, failure: Failure| {
        problems.push(Problem {
            field: Some(field),
            blocking: true,
            failure,
        })
    };

    let Some(template) = catalogue
        .templates
        .iter()
        .find(|template| template.id == ask.template)
    else {
        blocked(
            "template",
            Failure::new(Code::TemplateUnknown).with("template", &ask.template),
        );
        return (Choice::default(), None, problems);
    };
    let name = ask.name.trim();
    let name_fits = !name.is_empty()
        && name.chars().count() <= NAME_MOST
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !name_fits {
        blocked("name", Failure::new(Code::NameInvalid).with("most", NAME_MOST));
    }
    let purpose = ask.purpose.trim();
    let purpose_fits = purpose.chars().count() <= TAG_MOST
        && purpose
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ':' | '/' | '+' | '@'));
    if !purpose_fits {
        blocked(
            "purpose",
            Failure::new(Code::PurposeInvalid).with("most", TAG_MOST),
        );
    }
    let lease_end = lease::check_end(ask.lease_end, cloud_now)
        .map_err(|failure| blocked("leaseEnd", failure))
        .ok();

    let flavor = choose_flavor(ask, template, catalogue);
    if flavor.is_none() {
        let wanted = ask
            .flavor
            .clone()
            .unwrap_or_else(|| format!("{} vCPU, {} GiB", template.vcpus, template.ram_gb));
        blocked(
            "flavor",
            Failure::new(Code::FlavorUnavailable).with("flavor", wanted),
        );
    }
    let image = choose_image(
        ask,
        template,
        catalogue,
        flavor.as_ref().is_some_and(|flavor| flavor.arm),
    );
    if image.is_none() {
        let wanted = ask.image.clone().unwrap_or_else(|| template.image.clone());
        blocked(
            "image",
            Failure::new(Code::ImageUnavailable).with("image", wanted),
        );
    }
    let zone = match (&ask.zone, &flavor) {
        (Some(zone), Some(flavor)) => flavor.zones.contains(zone).then(|| zone.clone()),
        (None, Some(flavor)) => flavor.zones.first().cloned(),
        (_, None) => None,
    };
    if let (None, Some(flavor)) = (&zone, &flavor) {
        let wanted = ask.zone.clone().unwrap_or_default();
        blocked(
            "zone",
            Failure::new(Code::ZoneUnavailable)
                .with("zone", wanted)
                .with("flavor", &flavor.id),
        );
    }
    let subnet = match &ask.subnet {
        Some(id) => catalogue.subnets.iter().find(|subnet| subnet.id == *id),
        None => catalogue
            .subnets
            .iter()
            .max_by_key(|subnet| subnet.free_addresses.unwrap_or(1)),
    };
    match subnet {
        None => blocked("subnet", Code::NetworkMissing.into()),
        Some(subnet) if subnet.free_addresses == Some(0) => {
            blocked(
                "subnet",
                Failure::new(Code::SubnetFull).with("subnet", &subnet.name),
            );
        }
        Some(_) => {}
    }
    let security_group = match &ask.security_group {
        Some(id) => catalogue.security_groups.iter().find(|group| group.id == *id),
        None => {
            let usual = catalogue
                .security_groups
                .iter()
                .find(|group| group.name.eq_ignore_ascii_case("default"));
            usual.or(catalogue.security_groups.first())
        }
    };
    if !catalogue.servers.admits(1) {
        blocked("template", quota("servers", catalogue.servers));
    }
    if let Some(flavor) = &flavor
        && !catalogue.vcpus.admits(flavor.vcpus)
    {
        blocked("flavor", quota("vCPU", catalogue.vcpus));
    }
    let public_mbps = ask.public_mbps.or(template.public_mbps).unwrap_or(0);
    if public_mbps > MBPS_MOST {
        blocked(
            "publicMbps",
            Failure::new(Code::BandwidthInvalid).with("most", MBPS_MOST),
        );
    }
    // Only cloud-init brings a key of ours into the guest; where it is not, one of the cloud's has to do.
    let fresh_key = ask.key_pair.is_none() && image.as_ref().is_none_or(|image| image.cloud_init);
    let key_pair = match &ask.key_pair {
        Some(name) => catalogue.key_pairs.iter().find(|pair| *pair == name).cloned(),
        None if fresh_key => None,
        None => catalogue.key_pairs.first().cloned(),
    };
    match &ask.key_pair {
        Some(name) if key_pair.is_none() => {
            blocked("keyPair", Failure::new(Code::KeyPairMissing).with("name", name));
        }
        None if key_pair.is_none() && !fresh_key => {
            let failure = Code::KeyPairMissing.into();
            problems.push(Problem {
                field: Some("keyPair"),
                blocking: false,
                failure,
            });
        }
        _ => {}
    }

    let choice = Choice {
        flavor,
        image,
        zone,
        subnet: subnet.cloned(),
        security_group: security_group.cloned(),
        key_pair,
        fresh_key,
        public_mbps,
    };
    let blocking = problems.iter().any(|problem| problem.blocking);
    let plan = match (&choice, lease_end) {
        (
            Choice {
                flavor: Some(flavor),
                image: Some(image),
                zone: Some(zone),
                subnet: Some(subnet),
                ..
            },
            Some(lease_end),
        ) if !blocking => Some(Plan {
            template: template.clone(),
            name: name.to_owned(),
            purpose: purpose.to_owned(),
            lease_end,
            flavor: flavor.clone(),
            image: image.clone(),
            zone: zone.clone(),
            subnet: subnet.clone(),
            security_group: choice.security_group.clone(),
            key_pair: choice.key_pair.clone(),
            fresh_key,
            public_mbps,
        }),
        _ => None,
    };
    (choice, plan, problems)
}

fn quota(what: &str, of: crate::catalogue::Use) -> Failure {
    Failure::new(Code::QuotaReached)
        .with("what", what)
        .with("used", of.used)
        .with("max", of.max.map(|max| max.to_string()).unwrap_or_default())
}

/// The flavor asked for; else the smallest that the template's size fits into, general-purpose families first.
fn choose_flavor(ask: &CreateServer, template: &Template, catalogue: &Catalogue) -> Option<Flavor> {
    if let Some(id) = &ask.flavor {
        return catalogue.flavors.iter().find(|flavor| flavor.id == *id).cloned();
    }
    let ram_mb = u64::from(template.ram_gb) * 1024;
    let in_zone = |flavor: &&Flavor| ask.zone.as_ref().is_none_or(|zone| flavor.zones.contains(zone));
    catalogue
        .flavors
        .iter()
        .filter(|flavor| !flavor.arm && flavor.vcpus >= template.vcpus && flavor.ram_mb >= ram_mb)
        .filter(in_zone)
        .min_by_key(|flavor| {
            (
                flavor.vcpus,
                flavor.ram_mb,
                !flavor.id.starts_with('s'),
                flavor.id.clone(),
            )
        })
        .cloned()
}

/// The image asked for; else the newest whose name begins as the template says.
fn choose_image(ask: &CreateServer, template: &Template, catalogue: &Catalogue, arm: bool) -> Option<Image> {
    let images = catalogue.images.iter();
    match &ask.image {
        Some(id) => images
            .filter(|image| image.id == *id)
            .max_by(|a, b| a.name.cmp(&b.name))
            .cloned(),
        None => images
            .filter(|image| image.arm == arm && image.name.starts_with(&template.image))
            .max_by(|a, b| a.name.cmp(&b.name))
            .cloned(),
    }
}

impl Plan {
    /// Size of the system disk: what the template says, or what the image needs.
    pub fn system_disk_gb(&self) -> u32 {
        self.template.system_disk_gb.max(self.image.min_disk_gb)
    }

    fn is_windows(&self) -> bool {
        self.image.os.as_deref() == Some("Windows")
    }

    /// What is bought, in the words of the price list.
    fn products(&self) -> Vec<(PricePartKind, String, Product)> {
        let system = self.system_disk_gb();
        let disk = |gb: u32| Product::Volume {
            volume_type: DISK_TYPE.to_owned(),
            size_gb: gb,
        };
        let disk_text = |gb: u32| format!("{DISK_TYPE} {gb} GB");
        let mut products = vec![
            (
                PricePartKind::Compute,
                self.flavor.id.clone(),
                Product::Server {
                    flavor: self.flavor.id.as_str().into(),
                    windows: self.is_windows(),
                    zone: None,
                },
            ),
            (PricePartKind::SystemDisk, disk_text(system), disk(system)),
        ];
        if let Some(data) = self.template.data_disk_gb {
            products.push((PricePartKind::DataDisk, disk_text(data), disk(data)));
        }
        if self.public_mbps > 0 {
            products.push((
                PricePartKind::PublicAddress,
                format!("{} Mbit/s", self.public_mbps),
                Product::Bandwidth {
                    mbit: self.public_mbps,
                },
            ));
        }
        products
    }

    /// The request's body. `user_data`: what is done on the first start; none: what the template's environment needs.
    pub fn body(
        &self,
        account: &store::Account,
        installation_id: &str,
        op_id: &str,
        user_data: Option<String>,
    ) -> ecs::CreateServer {
        let user_data = match user_data {
            None if !self.is_windows() => self.template.environment.user_data(),
            given => given,
        };
        let mut tags = vec![
            (TAG_OWNER.to_owned(), tag_value(&account.user_name)),
            (TAG_INSTALLATION.to_owned(), installation_id.to_owned()),
            (TAG_OPERATION.to_owned(), op_id.to_owned()),
        ];
        if !self.purpose.is_empty() {
            tags.push((TAG_PURPOSE.to_owned(), self.purpose.clone()));
        }
        ecs::CreateServer {
            name: self.name.clone(),
            flavor: self.flavor.id.as_str().into(),
            image: self.image.id.as_str().into(),
            vpc: self.subnet.vpc.as_str().into(),
            subnets: vec![self.subnet.id.as_str().into()],
            security_groups: self
                .security_group
                .iter()
                .map(|group| group.id.as_str().into())
                .collect(),
            zone: Some(self.zone.as_str().into()),
            key_name: self.key_pair.clone(),
            admin_pass: None,
            root_volume: ecs::RootVolume {
                volume_type: DISK_TYPE.to_owned(),
                size_gb: Some(self.system_disk_gb()),
            },
            data_volumes: self
                .template
                .data_disk_gb
                .map(|size_gb| ecs::DataVolume {
                    volume_type: DISK_TYPE.to_owned(),
                    size_gb,
                    delete_on_termination: true,
                })
                .into_iter()
                .collect(),
            public_ip: (self.public_mbps > 0).then(|| ecs::NewPublicIp {
                pool: PUBLIC_POOL.to_owned(),
                mbit: self.public_mbps,
                // By bandwidth, so that the price is known beforehand.
                charge: ecs::BandwidthCharge::Bandwidth,
                delete_on_termination: true,
            }),
            auto_terminate_time: Some(self.lease_end),
            tags,
            user_data: user_data.map(String::into_bytes),
            description: None,
        }
    }
}

/// A user name as a tag value: cut to what a tag holds, and without the signs it does not take.
pub(crate) fn tag_value(text: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    text.chars()
        .map(|c| if fits(c) { c } else { '_' })
        .take(TAG_MOST)
        .collect()
}

impl Wangcheng {
    /// What a request becomes and costs, and everything that stands in the way. Nothing is created.
    ///
    /// # Errors
    /// `NotSignedIn`; what the cloud says to the questions about its catalogue.
    pub async fn quote(&self, ask: &CreateServer) -> Result<Quote> {
        let live = self.active().await?;
        let catalogue = self.catalogue_of(&live).await?;
        let cloud_now = live.cloud_now(self.now());
        let (choice, plan, mut problems) = plan(ask, &catalogue, cloud_now);
        let seconds = (ask.lease_end - cloud_now).max(TimeDelta::zero()).num_seconds();
        let lease_hours = (Decimal::from(seconds) / Decimal::from(3600)).round_dp(2);
        let mut parts = Vec::new();
        // The price is known as soon as there is something to buy, even while the name is still being typed.
        let priced = plan.or_else(|| priceable(ask, &catalogue, cloud_now));
        if let Some(plan) = priced {
            match self.prices(&live, &plan).await {
                Ok(found) => parts = found,
                Err(failure) => {
                    let mut unknown = Failure::new(Code::PriceUnknown).saying(&failure);
                    unknown.provider_code = failure.provider_code;
                    unknown.request_id = failure.request_id;
                    problems.push(Problem {
                        field: None,
                        blocking: false,
                        failure: unknown,
                    });
                }
            }
        }
        let per_hour = total(&parts);
        Ok(Quote {
            for_lease: per_hour.as_ref().map(|price| price.for_hours(lease_hours)),
            per_hour,
            lease_hours,
            parts,
            problems,
            choice,
            as_of: cloud_now,
        })
    }

    /// The parts' prices of an hour.
    pub(crate) async fn prices(&self, live: &Live, plan: &Plan) -> Result<Vec<PricePart>> {
        let client = self.client(live).await?;
        let bought = plan.products();
        let products: Vec<Product> = bought.iter().map(|(_, _, product)| product.clone()).collect();
        let rated = bss::on_demand_ratings(&client, &live.project(), &products)
            .await?
            .value;
        let parts = bought
            .into_iter()
            .zip(&rated.prices)
            .map(|((part, spec, _), price)| PricePart {
                part,
                spec,
                per_hour: Money::new(price.amount, rated.currency.clone()),
            });
        Ok(parts.collect())
    }
}

/// The same request with the fields a price does not depend on set to something that fits.
fn priceable(ask: &CreateServer, catalogue: &Catalogue, cloud_now: DateTime<Utc>) -> Option<Plan> {
    let ask = CreateServer {
        name: "x".to_owned(),
        purpose: String::new(),
        lease_end: cloud_now + TimeDelta::hours(1),
        key_pair: None,
        ..ask.clone()
    };
    plan(&ask, catalogue, cloud_now).1
}

/// All parts together.
pub(crate) fn total(parts: &[PricePart]) -> Option<Money> {
    let currency = &parts.first()?.per_hour.currency;
    Some(Money::new(
        parts.iter().map(|part| part.per_hour.amount).sum(),
        currency.clone(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Use;

    fn now() -> DateTime<Utc> {
        "2026-01-02T03:00:00Z".parse().unwrap()
    }

    fn flavor(id: &str, vcpus: u32, ram_gb: u64, zones: &[&str], arm: bool) -> Flavor {
        let zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
        Flavor {
            id: id.to_owned(),
            vcpus,
            ram_mb: ram_gb * 1024,
            zones,
            arm,
        }
    }

    fn catalogue() -> Catalogue {
        let image = |id: &str, name: &str, arm| Image {
            id: id.to_owned(),
            name: name.to_owned(),
            os: Some("Linux".to_owned()),
            min_disk_gb: 10,
            arm,
            cloud_init: true,
        };
        let subnet = |id: &str, free| Subnet {
            id: id.to_owned(),
            name: id.to_owned(),
            cidr: None,
            vpc: "vpc-1".to_owned(),
            vpc_name: "vpc".to_owned(),
            free_addresses: Some(free),
        };
        Catalogue {
            templates: crate::templates::built_in(),
            flavors: vec![
                flavor("c6.large.2", 2, 4, &["a"], false),
                flavor("kc1.large.2", 2, 4, &["a"], true),
                flavor("s6.large.2", 2, 4, &["b"], false),
                flavor("s6.xlarge.2", 4, 8, &["a"], false),
            ],
            images: vec![
                image("i20", "Ubuntu 20.04 server 64bit", false),
                image("i22", "Ubuntu 22.04 server 64bit", false),
                image("arm", "Ubuntu 24.04 server 64bit for ARM", true),
            ],
            zones: vec!["a".to_owned(), "b".to_owned()],
            subnets: vec![subnet("small", 3), subnet("large", 200)],
            security_groups: vec![SecurityGroup {
                id: "g".to_owned(),
                name: "default".to_owned(),
            }],
            key_pairs: vec!["ada".to_owned()],
            servers: Use {
                used: 1,
                max: Some(2),
            },
            vcpus: Use { used: 1, max: None },
            as_of: now(),
        }
    }

    fn ask() -> CreateServer {
        CreateServer {
            template: "linux-small".to_owned(),
            name: "dev-ada-01".to_owned(),
            purpose: "测试 build".to_owned(),
            lease_end: now() + TimeDelta::hours(8),
            flavor: None,
            image: None,
            zone: None,
            subnet: None,
            security_group: None,
            key_pair: None,
            public_mbps: None,
        }
    }

    fn blocking(ask: &CreateServer, catalogue: &Catalogue) -> Vec<(Option<&'static str>, Code)> {
        let (_, plan, problems) = super::plan(ask, catalogue, now());
        let blocking: Vec<_> = problems
            .iter()
            .filter(|p| p.blocking)
            .map(|p| (p.field, p.failure.code))
            .collect();
        assert_eq!(
            plan.is_none(),
            !blocking.is_empty(),
            "a plan exists exactly when nothing blocks"
        );
        blocking
    }

    #[test]
    fn a_template_becomes_the_general_purpose_flavor_and_the_newest_image_that_fit() {
        let (_, plan, problems) = plan(&ask(), &catalogue(), now());
        let plan = plan.unwrap();
        assert!(problems.is_empty());
        assert_eq!(plan.flavor.id, "s6.large.2");
        assert_eq!(plan.zone, "b", "the zone that sells the flavor");
        assert_eq!(plan.image.id, "i22", "not the one for another processor");
        assert_eq!(plan.subnet.id, "large", "the subnet with most free addresses");
    }

    #[test]
    fn every_reason_is_told_at_once() {
        let ask = CreateServer {
            name: "<b>bold</b>".to_owned(),
            purpose: "x".repeat(44),
            lease_end: now() + TimeDelta::minutes(5),
            flavor: Some("s9.huge".to_owned()),
            key_pair: Some("nobody".to_owned()),
            public_mbps: Some(301),
            ..ask()
        };
        let codes: Vec<_> = blocking(&ask, &catalogue())
            .into_iter()
            .map(|(_, code)| code)
            .collect();
        assert_eq!(
            codes,
            [
                Code::NameInvalid,
                Code::PurposeInvalid,
                Code::LeaseTooShort,
                Code::FlavorUnavailable,
                Code::BandwidthInvalid,
                Code::KeyPairMissing
            ]
        );
    }

    #[test]
    fn a_full_quota_blocks_and_says_how_much_is_used() {
        let full = Catalogue {
            servers: Use {
                used: 2,
                max: Some(2),
            },
            ..catalogue()
        };
        let (_, _, problems) = plan(&ask(), &full, now());
        let failure = &problems.first().unwrap().failure;
        assert_eq!(failure.code, Code::QuotaReached);
        assert_eq!(failure.facts.get("used").map(String::as_str), Some("2"));
    }

    #[test]
    fn without_a_key_pair_asked_for_a_fresh_one_is_made() {
        let (choice, plan, problems) = plan(&ask(), &catalogue(), now());
        assert!(plan.unwrap().fresh_key && choice.key_pair.is_none());
        assert!(problems.is_empty());
        let named = CreateServer {
            key_pair: Some("ada".to_owned()),
            ..ask()
        };
        let (choice, plan, _) = super::plan(&named, &catalogue(), now());
        assert!(!plan.unwrap().fresh_key, "the one asked for is taken");
        assert_eq!(choice.key_pair.as_deref(), Some("ada"));
    }

    #[test]
    fn where_no_key_of_ours_reaches_the_guest_a_missing_one_is_a_warning_and_not_a_refusal() {
        let mut none = Catalogue {
            key_pairs: vec![],
            ..catalogue()
        };
        for image in &mut none.images {
            image.cloud_init = false;
        }
        let (_, plan, problems) = plan(&ask(), &none, now());
        assert!(plan.is_some());
        assert_eq!(
            problems.first().map(|p| (p.blocking, p.failure.code)),
            Some((false, Code::KeyPairMissing))
        );
    }

    #[test]
    fn a_zone_that_does_not_sell_the_flavor_is_refused() {
        let ask = CreateServer {
            flavor: Some("s6.large.2".to_owned()),
            zone: Some("a".to_owned()),
            ..ask()
        };
        assert_eq!(
            blocking(&ask, &catalogue()),
            [(Some("zone"), Code::ZoneUnavailable)]
        );
    }

    #[test]
    fn an_owner_with_odd_signs_becomes_a_tag_the_cloud_takes() {
        assert_eq!(tag_value("李 <ada>"), "李__ada_");
        assert_eq!(tag_value(&"x".repeat(80)).chars().count(), TAG_MOST);
    }
}
