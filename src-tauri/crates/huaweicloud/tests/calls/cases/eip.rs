use huaweicloud::{Tag, ecs, eip};

use super::{Case, PROJECT, UUID, case};

pub fn cases() -> Vec<Case> {
    [addresses(), tags()].into_iter().flatten().collect()
}

fn bare() -> eip::CreatePublicIp {
    eip::CreatePublicIp {
        pool: "5_bgp".to_owned(),
        alias: None,
        bandwidth_name: "dev-ada-01".to_owned(),
        mbit: 5,
        charge: ecs::BandwidthCharge::Traffic,
        port: None,
        enterprise_project: None,
    }
}

fn full() -> eip::CreatePublicIp {
    eip::CreatePublicIp {
        alias: Some("开发".to_owned()),
        charge: ecs::BandwidthCharge::Bandwidth,
        port: Some(UUID.into()),
        enterprise_project: Some("0".to_owned()),
        ..bare()
    }
}

fn addresses() -> Vec<Case> {
    vec![
        case!("eip" "ListPublicips" "all", ["publicips.id"], "publicips", |client| {
            eip::public_ips(client, &PROJECT.into(), None)
        }),
        case!("eip" "ListPublicips" "of enterprise projects", ["publicips.id"], "publicips", |client| {
            eip::public_ips(client, &PROJECT.into(), Some("all_granted_eps"))
        }),
        case!("eip" "ShowPublicip" "", ["publicip.id"], |client| {
            eip::public_ip(client, &PROJECT.into(), &UUID.into())
        }),
        case!("eip" "CreatePublicip" "all options", ["publicip.id"], |client| {
            eip::create(client, &PROJECT.into(), &full())
        }),
        case!("eip" "CreatePublicip" "no options", ["publicip.id"], |client| {
            eip::create(client, &PROJECT.into(), &bare())
        }),
        case!("eip" "UpdatePublicip" "bind", ["publicip.id"], |client| {
            eip::bind(client, &PROJECT.into(), &UUID.into(), &UUID.into())
        }),
        case!("eip" "UpdatePublicip" "unbind", ["publicip.id"], |client| {
            eip::unbind(client, &PROJECT.into(), &UUID.into())
        }),
        case!("eip" "DeletePublicip" "", [], |client| {
            eip::delete(client, &PROJECT.into(), &UUID.into())
        }),
        case!("eip" "ListQuotas" "", ["quotas.resources.type"], "quotas.resources", |client| {
            eip::quotas(client, &PROJECT.into())
        }),
    ]
}

fn tags() -> Vec<Case> {
    vec![
        case!("eip" "ShowPublicipTags" "", ["tags.key"], "tags", |client| {
            eip::public_ip_tags(client, &PROJECT.into(), &UUID.into())
        }),
        case!("eip" "BatchCreatePublicipTags" "", [], |client| async {
            let tags = [Tag::new("owner", "ada"), Tag::new("empty", "")];
            eip::set_public_ip_tags(client, &PROJECT.into(), &UUID.into(), &tags).await
        }),
        case!("eip" "BatchDeletePublicipTags" "", [], |client| async {
            let tags = [Tag::new("owner", "ada")];
            eip::delete_public_ip_tags(client, &PROJECT.into(), &UUID.into(), &tags).await
        }),
    ]
}
