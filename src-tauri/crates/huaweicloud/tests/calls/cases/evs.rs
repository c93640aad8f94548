use huaweicloud::{Tag, evs};
use uuid::Uuid;

use super::{Case, JOB, PROJECT, SERVER, VOLUME, case};

pub fn cases() -> Vec<Case> {
    [disks(), catalogue(), tags()].into_iter().flatten().collect()
}

fn bare() -> evs::CreateVolume {
    evs::CreateVolume {
        zone: "cn-north-4a".into(),
        volume_type: "GPSSD".to_owned(),
        size_gb: 10,
        name: None,
        description: None,
        server: None,
        tags: Vec::new(),
        iops: None,
        throughput: None,
        enterprise_project: None,
    }
}

fn full() -> evs::CreateVolume {
    evs::CreateVolume {
        volume_type: "GPSSD2".to_owned(),
        size_gb: 100,
        name: Some("数据盘".to_owned()),
        description: Some("scratch".to_owned()),
        server: Some(SERVER.into()),
        tags: vec![Tag::new("owner", "ada"), Tag::new("empty", "")],
        iops: Some(4000),
        throughput: Some(250),
        enterprise_project: Some("0".to_owned()),
        ..bare()
    }
}

fn token() -> Uuid {
    Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def1)
}

fn disks() -> Vec<Case> {
    vec![
        case!("evs" "CreateVolume" "on a server", ["job_id"], |client| {
            evs::create(client, &PROJECT.into(), &full(), token())
        }),
        case!("evs" "CreateVolume" "alone", ["job_id"], |client| {
            evs::create(client, &PROJECT.into(), &bare(), token())
        }),
        case!("evs" "CreateVolume" "paid by the month", ["order_id"], |client| {
            evs::create(client, &PROJECT.into(), &full(), token())
        }),
        case!("evs" "ResizeVolume" "", ["job_id"], |client| {
            evs::extend(client, &PROJECT.into(), &VOLUME.into(), 120)
        }),
        case!("evs" "DeleteVolume" "", ["job_id"], |client| {
            evs::delete_volume(client, &PROJECT.into(), &VOLUME.into())
        }),
        case!("evs" "ShowVolume" "", ["volume.id", "volume.status"], |client| {
            evs::volume(client, &PROJECT.into(), &VOLUME.into())
        }),
        case!("evs" "ListVolumes" "filtered", ["volumes.id", "volumes.status"], "volumes", |client| async {
            let query = evs::VolumeQuery {
                name: Some("数据".to_owned()),
                status: Some("available".to_owned()),
                server: Some(SERVER.into()),
                zone: Some("cn-north-4a".into()),
                enterprise_project: Some("all_granted_eps".to_owned()),
            };
            evs::volumes(client, &PROJECT.into(), &query).await
        }),
        case!("evs" "ListVolumes" "all", ["volumes.id", "volumes.status"], "volumes", |client| {
            evs::volumes(client, &PROJECT.into(), &evs::VolumeQuery::default())
        }),
        case!("evs" "UpdateVolume" "name", [], |client| {
            evs::update_volume(client, &PROJECT.into(), &VOLUME.into(), Some("data-2"), None)
        }),
        case!("evs" "UpdateVolume" "name and description", [], |client| {
            evs::update_volume(client, &PROJECT.into(), &VOLUME.into(), Some("数据盘"), Some(""))
        }),
        case!("evs" "ShowJob" "", ["status"], |client| {
            evs::job(client, &PROJECT.into(), &JOB.into())
        }),
    ]
}

fn catalogue() -> Vec<Case> {
    vec![
        case!("evs" "CinderListVolumeTypes" "", ["volume_types.name"], "volume_types", |client| {
            evs::volume_types(client, &PROJECT.into())
        }),
        case!("evs" "CinderListQuotas" "", ["quota_set"], |client| {
            evs::quotas(client, &PROJECT.into())
        }),
    ]
}

fn tags() -> Vec<Case> {
    vec![
        case!("evs" "ShowVolumeTags" "", ["tags.key"], "tags", |client| {
            evs::volume_tags(client, &PROJECT.into(), &VOLUME.into())
        }),
        case!("evs" "BatchCreateVolumeTags" "", [], |client| async {
            let tags = [Tag::new("owner", "ada"), Tag::new("empty", "")];
            evs::set_volume_tags(client, &PROJECT.into(), &VOLUME.into(), &tags).await
        }),
        case!("evs" "BatchDeleteVolumeTags" "", [], |client| {
            evs::delete_volume_tags(client, &PROJECT.into(), &VOLUME.into(), &["owner"])
        }),
    ]
}
