use super::*;
use crate::catalogue::{Catalogue, Use};

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
        charged_when_stopped: false,
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
        defaults: None,
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
        user_data: None,
        system_disk_gb: None,
        data_disk_gb: None,
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

#[test]
fn a_text_for_the_first_start_is_looked_at_before_and_goes_beside_what_is_installed() {
    let with = |text: &str| CreateServer {
        template: "docker".to_owned(),
        user_data: Some(text.to_owned()),
        ..ask()
    };
    assert_eq!(
        blocking(&with("#cloud-config\nruncmd: [\n"), &catalogue()),
        [(Some("userData"), Code::UserDataUnreadable)]
    );
    assert_eq!(
        blocking(&with("#cloud-config\nssh_keys: {}\n"), &catalogue()),
        [(Some("userData"), Code::UserDataKey)]
    );
    assert_eq!(blocking(&with("  \n"), &catalogue()), [], "an empty one is none");
    let (_, plan, _) = plan(&with("#!/bin/sh\ntouch /tmp/x\n"), &catalogue(), now());
    assert_eq!(
        plan.unwrap().own_text.as_deref(),
        Some("#!/bin/sh\ntouch /tmp/x\n")
    );
    let mut bare = catalogue();
    for image in &mut bare.images {
        image.cloud_init = false;
    }
    let (_, plan, problems) = super::plan(&with("#!/bin/sh\n"), &bare, now());
    assert!(plan.is_some(), "it is a warning");
    assert!(problems.iter().any(|p| p.failure.code == Code::UserDataIgnored));
}

#[test]
fn the_disks_of_a_template_can_be_other_ones() {
    let sizes = |system_disk_gb, data_disk_gb| CreateServer {
        template: "linux-large".to_owned(),
        flavor: Some("s6.large.2".to_owned()),
        system_disk_gb,
        data_disk_gb,
        ..ask()
    };
    let disks = |ask: &CreateServer| {
        let plan = plan(ask, &catalogue(), now()).1.unwrap();
        (plan.system_disk_gb(), plan.template.data_disk_gb)
    };
    assert_eq!(disks(&sizes(None, None)), (40, Some(100)), "as the template says");
    assert_eq!(disks(&sizes(Some(120), Some(500))), (120, Some(500)));
    assert_eq!(disks(&sizes(None, Some(0))), (40, None), "none is asked for by 0");
    for (system, data, field) in [
        (Some(9), None, "systemDiskGb"),
        (Some(1025), None, "systemDiskGb"),
        (None, Some(9), "dataDiskGb"),
        (None, Some(32_769), "dataDiskGb"),
    ] {
        assert_eq!(
            blocking(&sizes(system, data), &catalogue()),
            [(Some(field), Code::DiskSizeInvalid)],
            "{system:?} {data:?}"
        );
    }
}
