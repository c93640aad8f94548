//! What a request becomes, worked out from what the region offers. No network.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Choice, CreateServer, Plan, Problem, TAG_MOST};
use crate::catalogue::{Catalogue, Flavor, Image, Use};
use crate::disks;
use crate::failure::{Code, Failure};
use crate::first_start;
use crate::lease;
use crate::templates::{Environment, Template, built_in};

/// Longest server name, in characters (<https://support.huaweicloud.com/api-ecs/ecs_02_0101.html>).
const NAME_MOST: usize = 64;
/// Public bandwidth that the cloud sells, in Mbit/s.
const MBPS_MOST: u32 = 300;

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
    let template = &with_disks(template, ask);
    let name = check_name(&ask.name)
        .map_err(|failure| blocked("name", failure))
        .unwrap_or_default();
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
    let granted = catalogue.defaults.as_ref();
    let subnet = match &ask.subnet {
        Some(id) => catalogue.subnets.iter().find(|subnet| subnet.id == *id),
        None => catalogue
            .subnets
            .iter()
            .find(|subnet| granted.is_some_and(|granted| granted.subnet.as_ref() == Some(&subnet.id)))
            .or_else(|| {
                let all = catalogue.subnets.iter();
                all.max_by_key(|subnet| subnet.free_addresses.unwrap_or(1))
            }),
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
            let groups = &catalogue.security_groups;
            let of_grant = granted.and_then(|granted| granted.security_group.as_ref());
            let of_grant = groups.iter().find(|group| Some(&group.id) == of_grant);
            let usual = || {
                groups
                    .iter()
                    .find(|group| group.name.eq_ignore_ascii_case("default"))
            };
            of_grant.or_else(usual).or(groups.first())
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

    // The least of a system disk is what the image needs, so it is looked at with the image.
    let least = image.as_ref().map_or(1, |image| image.min_disk_gb);
    let sizes = [
        ("systemDiskGb", ask.system_disk_gb, least, disks::most_gb(true)),
        (
            "dataDiskGb",
            ask.data_disk_gb.filter(|gb| *gb > 0),
            disks::LEAST_GB,
            disks::most_gb(false),
        ),
    ];
    for (field, size, least, most) in sizes {
        let checked = size.map_or(Ok(()), |size| disks::check_size(size, least, most));
        problems.extend(checked.err().map(|failure| Problem {
            field: Some(field),
            blocking: true,
            failure,
        }));
    }

    let own_text = ask.user_data.as_deref().or(template.user_data.as_deref());
    let own_text = own_text.filter(|text| !text.trim().is_empty());
    let windows = image
        .as_ref()
        .is_some_and(|image| image.os.as_deref() == Some("Windows"));
    if let Some(text) = own_text
        && !windows
    {
        let beside = fresh_key || template.environment != Environment::None;
        let checked = first_start::check(text, beside, fresh_key);
        let problem = checked.err().map(|failure| (true, failure)).or_else(|| {
            let ignored = image.as_ref().is_some_and(|image| !image.cloud_init);
            ignored.then(|| (false, Code::UserDataIgnored.into()))
        });
        problems.extend(problem.map(|(blocking, failure)| Problem {
            field: Some("userData"),
            blocking,
            failure,
        }));
    } else if let Some(text) = own_text
        && text.len() > first_start::USER_DATA_MOST
    {
        problems.push(Problem {
            field: Some("userData"),
            blocking: true,
            failure: Failure::new(Code::UserDataTooLong)
                .with("most", first_start::USER_DATA_MOST)
                .with("size", text.len()),
        });
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
            name,
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
            own_text: own_text.map(str::to_owned),
        }),
        _ => None,
    };
    (choice, plan, problems)
}

/// The template with the disks that are asked for instead of its own.
fn with_disks(template: &Template, ask: &CreateServer) -> Template {
    let mut template = template.clone();
    if let Some(gb) = ask.system_disk_gb {
        template.system_disk_gb = gb;
    }
    if let Some(gb) = ask.data_disk_gb {
        template.data_disk_gb = (gb > 0).then_some(gb);
    }
    template
}

/// That a quota does not admit more.
pub(crate) fn quota(what: &str, of: Use) -> Failure {
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

/// The image asked for; else the newest whose name begins as the template says, or, where the template came with the program,
/// as an organisation says.
fn choose_image(ask: &CreateServer, template: &Template, catalogue: &Catalogue, arm: bool) -> Option<Image> {
    let images = catalogue.images.iter();
    match &ask.image {
        Some(id) => images
            .filter(|image| image.id == *id)
            .max_by(|a, b| a.name.cmp(&b.name))
            .cloned(),
        None => {
            let newest = |beginning: &String| {
                let fitting = images
                    .clone()
                    .filter(|image| image.arm == arm && image.name.starts_with(beginning.as_str()));
                fitting.max_by(|a, b| a.name.cmp(&b.name)).cloned()
            };
            let granted = catalogue.defaults.iter().flat_map(|granted| &granted.images);
            let of_grant = if is_built_in(template) {
                granted.into_iter().find_map(newest)
            } else {
                None
            };
            of_grant.or_else(|| newest(&template.image))
        }
    }
}

/// Its image is nobody's choice but this program's.
fn is_built_in(template: &Template) -> bool {
    built_in()
        .iter()
        .any(|known| known.id == template.id && known.image == template.image)
}

/// A server's name as the cloud takes it.
///
/// # Errors
/// `NameInvalid`.
pub(crate) fn check_name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    let fits = (1..=NAME_MOST).contains(&name.chars().count())
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        Ok(name.to_owned())
    } else {
        Err(Failure::new(Code::NameInvalid).with("most", NAME_MOST))
    }
}

/// The same request with the fields a price does not depend on set to something that fits.
pub(super) fn priceable(ask: &CreateServer, catalogue: &Catalogue, cloud_now: DateTime<Utc>) -> Option<Plan> {
    let ask = CreateServer {
        name: "x".to_owned(),
        purpose: String::new(),
        lease_end: cloud_now + TimeDelta::hours(1),
        key_pair: None,
        user_data: None,
        ..ask.clone()
    };
    plan(&ask, catalogue, cloud_now).1
}
