use chrono::{TimeZone, Utc};
use huaweicloud::{Tag, TagValues, ecs};
use secrecy::SecretString;
use uuid::Uuid;

use super::{Case, JOB, PROJECT, SERVER, SERVER_2, UUID, VOLUME, case};

pub fn cases() -> Vec<Case> {
    [servers(), changes(), catalogue(), tags()]
        .into_iter()
        .flatten()
        .collect()
}

fn bare() -> ecs::CreateServer {
    ecs::CreateServer {
        name: "dev-ada-01".to_owned(),
        flavor: "s6.large.2".into(),
        image: UUID.into(),
        vpc: UUID.into(),
        subnets: vec![UUID.into()],
        security_groups: Vec::new(),
        zone: None,
        key_name: None,
        admin_pass: None,
        root_volume: ecs::RootVolume {
            volume_type: "GPSSD".to_owned(),
            size_gb: None,
        },
        data_volumes: Vec::new(),
        public_ip: None,
        auto_terminate_time: None,
        tags: Vec::new(),
        user_data: None,
        description: None,
    }
}

fn full() -> ecs::CreateServer {
    ecs::CreateServer {
        name: "开发机-甲".to_owned(),
        security_groups: vec![UUID.into()],
        zone: Some("cn-north-4a".into()),
        key_name: Some("ada".to_owned()),
        admin_pass: Some(SecretString::from("Example@Pass1")),
        root_volume: ecs::RootVolume {
            volume_type: "SSD".to_owned(),
            size_gb: Some(40),
        },
        data_volumes: vec![ecs::DataVolume {
            volume_type: "GPSSD".to_owned(),
            size_gb: 100,
            delete_on_termination: true,
        }],
        public_ip: Some(ecs::NewPublicIp {
            pool: "5_bgp".to_owned(),
            mbit: 5,
            charge: ecs::BandwidthCharge::Traffic,
            delete_on_termination: true,
        }),
        auto_terminate_time: Utc.with_ymd_and_hms(2026, 1, 2, 12, 0, 0).single(),
        tags: vec![("owner".to_owned(), "ada".to_owned())],
        user_data: Some(b"#cloud-config\n".to_vec()),
        description: Some("a temporary server".to_owned()),
        ..bare()
    }
}

fn token() -> Uuid {
    Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0)
}

fn servers() -> Vec<Case> {
    vec![
        case!("ecs" "CreateServers" "all options", [], |client| {
            ecs::create(client, &PROJECT.into(), &full(), token())
        }),
        case!("ecs" "CreateServers" "no options", [], |client| {
            ecs::create(client, &PROJECT.into(), &bare(), token())
        }),
        case!("ecs" "CreateServers" "dry run", [], |client| {
            ecs::check_create(client, &PROJECT.into(), &full())
        }),
        case!("ecs" "DeleteServers" "with everything", ["job_id"], |client| {
            ecs::delete_servers(
                client,
                &PROJECT.into(),
                &[SERVER.into(), SERVER_2.into()],
                ecs::DeleteWith { public_ips: Some(true), volumes: true },
            )
        }),
        case!("ecs" "DeleteServers" "the server alone", ["job_id"], |client| {
            ecs::delete_servers(
                client,
                &PROJECT.into(),
                &[SERVER.into()],
                ecs::DeleteWith { public_ips: None, volumes: false },
            )
        }),
        case!("ecs" "ShowServer" "", ["server.id", "server.status"], |client| {
            ecs::server(client, &PROJECT.into(), &SERVER.into())
        }),
        case!("ecs" "ListServersDetails" "filtered", ["servers.id", "servers.status"], "servers", |client| {
            ecs::servers(client, &PROJECT.into(), &ecs::ServerQuery {
                tags: vec![("owner".to_owned(), "ada".to_owned()), ("标签".to_owned(), "临 时".to_owned())],
                name: Some("dev".to_owned()),
                status: Some("ACTIVE".to_owned()),
                private_ip: Some([192, 168, 0, 7].into()),
                flavor: Some("s6.large.2".into()),
                enterprise_project: Some("all_granted_eps".to_owned()),
            })
        }),
        case!("ecs" "ListServersDetails" "all", ["servers.id", "servers.status"], "servers", |client| {
            ecs::servers(client, &PROJECT.into(), &ecs::ServerQuery::default())
        }),
        case!("ecs" "ListServersDetails" "by id", ["servers.id", "servers.status"], "servers", |client| {
            ecs::servers_by_id(client, &PROJECT.into(), &[SERVER.into(), SERVER_2.into()])
        }),
        case!("ecs" "ShowJob" "", ["status"], |client| {
            ecs::job(client, &PROJECT.into(), &JOB.into())
        }),
        case!("ecs" "UpdateServerAutoTerminateTime" "extend", [], |client| {
            ecs::update_auto_terminate_time(
                client,
                &PROJECT.into(),
                &SERVER.into(),
                Utc.with_ymd_and_hms(2026, 1, 2, 12, 0, 0).single(),
            )
        }),
        case!("ecs" "UpdateServerAutoTerminateTime" "cancel", [], |client| {
            ecs::update_auto_terminate_time(client, &PROJECT.into(), &SERVER.into(), None)
        }),
        case!("ecs" "BatchStartServers" "", ["job_id"], |client| {
            ecs::start_servers(client, &PROJECT.into(), &[SERVER.into(), SERVER_2.into()])
        }),
        case!("ecs" "BatchStopServers" "", ["job_id"], |client| {
            ecs::stop_servers(client, &PROJECT.into(), &[SERVER.into()], ecs::Manner::Soft)
        }),
        case!("ecs" "BatchRebootServers" "", ["job_id"], |client| {
            ecs::reboot_servers(client, &PROJECT.into(), &[SERVER.into()], ecs::Manner::Hard)
        }),
    ]
}

fn changes() -> Vec<Case> {
    vec![
        case!("ecs" "UpdateServer" "name", [], |client| {
            ecs::update_server(client, &PROJECT.into(), &SERVER.into(), Some("dev-ada-02"), None)
        }),
        case!("ecs" "UpdateServer" "name and description", [], |client| {
            ecs::update_server(client, &PROJECT.into(), &SERVER.into(), Some("开发机"), Some(""))
        }),
        case!("ecs" "ShowServerRemoteConsole" "", ["remote_console.url"], |client| {
            ecs::remote_console(client, &PROJECT.into(), &SERVER.into())
        }),
        case!("ecs" "ShowResetPasswordFlag" "", [], |client| {
            ecs::can_reset_password(client, &PROJECT.into(), &SERVER.into())
        }),
        case!("ecs" "ResetServerPassword" "", [], |client| async {
            let password = SecretString::from("Example@Pass1");
            ecs::reset_password(client, &PROJECT.into(), &SERVER.into(), &password).await
        }),
        case!("ecs" "ListResizeFlavors" "", ["flavors.id"], "flavors", |client| {
            ecs::resize_flavors(client, &PROJECT.into(), &SERVER.into())
        }),
        case!("ecs" "ResizeServer" "stop first", ["job_id"], |client| {
            ecs::resize(client, &PROJECT.into(), &SERVER.into(), &"s6.xlarge.2".into(), true)
        }),
        case!("ecs" "ResizeServer" "stopped already", ["job_id"], |client| {
            ecs::resize(client, &PROJECT.into(), &SERVER.into(), &"s6.xlarge.2".into(), false)
        }),
        case!("ecs" "ResizeServer" "dry run", [], |client| {
            ecs::check_resize(client, &PROJECT.into(), &SERVER.into(), &"s6.xlarge.2".into(), true)
        }),
        case!("ecs" "AttachServerVolume" "", ["job_id"], |client| {
            ecs::attach_volume(client, &PROJECT.into(), &SERVER.into(), &VOLUME.into())
        }),
        case!("ecs" "DetachServerVolume" "", ["job_id"], |client| {
            ecs::detach_volume(client, &PROJECT.into(), &SERVER.into(), &VOLUME.into(), false)
        }),
        case!("ecs" "DetachServerVolume" "force", ["job_id"], |client| {
            ecs::detach_volume(client, &PROJECT.into(), &SERVER.into(), &VOLUME.into(), true)
        }),
        Case {
            service: "ecs",
            operation: "ListServerBlockDevices",
            variant: "",
            must: &["volumeAttachments.volumeId"],
            rows: "volumeAttachments",
            fit: |_| {},
            run: |client| {
                Box::pin(async move {
                    let reply = ecs::block_devices(client, &PROJECT.into(), &SERVER.into()).await?;
                    Ok(reply.value.devices.items.len())
                })
            },
        },
        case!("ecs" "ShowServerBlockDevice" "", ["volumeAttachment.volumeId"], |client| {
            ecs::block_device(client, &PROJECT.into(), &SERVER.into(), &VOLUME.into())
        }),
        case!("ecs" "UpdateServerBlockDevice" "", [], |client| {
            ecs::set_delete_on_termination(client, &PROJECT.into(), &SERVER.into(), &VOLUME.into(), true)
        }),
    ]
}

fn catalogue() -> Vec<Case> {
    vec![
        case!("ecs" "ListFlavors" "of a zone", ["flavors.id"], "flavors", |client| {
            ecs::flavors(client, &PROJECT.into(), Some(&"cn-north-4a".into()))
        }),
        case!("ecs" "ListFlavors" "all", ["flavors.id"], "flavors", |client| {
            ecs::flavors(client, &PROJECT.into(), None)
        }),
        case!(
            "ecs" "ListServerAzInfo" "", ["availability_zones.availability_zone_id"], "availability_zones",
            |client| ecs::zones(client, &PROJECT.into())
        ),
        case!(
            "ecs" "NovaListAvailabilityZones" "", ["availabilityZoneInfo.zoneName"], "availabilityZoneInfo",
            |client| ecs::zone_states(client, &PROJECT.into())
        ),
        case!("ecs" "ShowServerLimits" "", ["absolute"], |client| {
            ecs::limits(client, &PROJECT.into())
        }),
    ]
}

fn tags() -> Vec<Case> {
    vec![
        case!("ecs" "ListServerTags" "", ["tags.key"], "tags", |client| {
            ecs::project_tags(client, &PROJECT.into())
        }),
        case!("ecs" "ShowServerTags" "", ["tags.key"], "tags", |client| {
            ecs::server_tags(client, &PROJECT.into(), &SERVER.into())
        }),
        case!("ecs" "BatchCreateServerTags" "", [], |client| async {
            let tags = [Tag::new("owner", "ada"), Tag::new("empty", "")];
            ecs::set_server_tags(client, &PROJECT.into(), &SERVER.into(), &tags).await
        }),
        case!("ecs" "BatchDeleteServerTags" "", [], |client| {
            ecs::delete_server_tags(client, &PROJECT.into(), &SERVER.into(), &["owner"])
        }),
        case!("ecs" "ListServersByTag" "filter", ["resources.resource_id"], "resources", |client| async {
            let search = ecs::TagSearch {
                tags: vec![TagValues::one("owner", "ada")],
                not_tags: vec![TagValues { key: "kept".to_owned(), values: Vec::new() }],
                name: Some("dev".to_owned()),
            };
            ecs::servers_by_tag(client, &PROJECT.into(), &search).await
        }),
        case!("ecs" "ListServersByTag" "count", ["total_count"], |client| async {
            let search = ecs::TagSearch { tags: vec![TagValues::one("owner", "ada")], ..Default::default() };
            ecs::count_servers_by_tag(client, &PROJECT.into(), &search).await
        }),
    ]
}
