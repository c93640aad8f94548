use chrono::{TimeZone, Utc};
use huaweicloud::ims::{self, ImageQuery, ImageSource};

use super::{Case, PROJECT, UUID, case};

pub fn cases() -> Vec<Case> {
    vec![
        case!("ims" "ListImages" "all", ["images.id"], "images", |client| async {
            ims::images(client, &ImageQuery::of(ImageSource::Public)).await
        }),
        case!("ims" "ListImages" "filtered", ["images.id"], "images", |client| async {
            let since = Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).single();
            let query = ImageQuery {
                source: ImageSource::Shared,
                project: Some(PROJECT.into()),
                flavor: Some("s6.large.2".into()),
                id: Some(UUID.into()),
                name: Some("镜像 1".to_owned()),
                os_type: Some("Linux".to_owned()),
                platform: Some("Ubuntu".to_owned()),
                os_bits: Some(64),
                arm: Some(false),
                tag: Some("owner.ada".to_owned()),
                owner: Some(PROJECT.into()),
                enterprise_project: Some("all_granted_eps".to_owned()),
                min_disk_gb: Some(40),
                min_ram_mb: Some(0),
                protected: Some(true),
                member_status: Some("accepted".to_owned()),
                created_since: since,
                updated_since: since,
            };
            ims::images(client, &query).await
        }),
    ]
}
